import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { backoff, LiveFeed, type FeedState } from "../src/live/liveFeed";
import { SLOTS, takeSlot } from "../src/live/slots";

const WIDE = { topics: ["overview", "agents"], agent: null };
const NARROW = { topics: ["overview", "agents"], agent: "plant-1" };

/** A broker whose answers a test gives one by one. */
class Broker {
  readonly asked: Request[] = [];
  readonly states: FeedState[] = [];
  readonly events: string[] = [];
  /** A proxy that collects an answer keeps its beginning too. */
  heldBack = false;
  slot: (() => void) | null = vi.fn<() => void>();
  private stream: ReadableStreamDefaultController<Uint8Array> | null = null;
  private next: (() => Response) | null = null;

  readonly feed = new LiveFeed({
    call: (request) => {
      this.asked.push(request);
      const answer = this.next?.() ?? this.streaming(request);
      this.next = null;
      return Promise.resolve(answer);
    },
    takeSlot: () => Promise.resolve(this.slot),
    onEvent: (event) => this.events.push(event),
    onState: (state) => this.states.push(state),
  });

  answers(status: number, headers: Record<string, string> = {}): void {
    this.next = () => new Response("{}", { status, headers });
  }

  private streaming(request: Request): Response {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.stream = controller;
        if (!this.heldBack) {
          controller.enqueue(new TextEncoder().encode("event: hello\ndata: {}\n\n"));
        }
        request.signal.addEventListener("abort", () => {
          controller.error(new DOMException("aborted", "AbortError"));
        });
      },
    });
    return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
  }

  async says(event: string, id: string | null, data: unknown = {}): Promise<void> {
    const text = `${id === null ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    this.stream?.enqueue(new TextEncoder().encode(text));
    await settled();
  }

  async breaks(): Promise<void> {
    this.stream?.error(new Error("gone"));
    await settled();
  }

  last(): FeedState["kind"] | undefined {
    return this.states.at(-1)?.kind;
  }

  lastIdAsked(): string | null | undefined {
    return this.asked.at(-1)?.headers.get("Last-Event-ID");
  }
}

/** What is ready to run has run. */
async function settled(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
  for (let turn = 0; turn < 20; turn++) {
    await Promise.resolve();
  }
  await vi.advanceTimersByTimeAsync(0);
}

describe("the live feed", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("goes on after the last event when its line broke", async () => {
    const broker = new Broker();
    broker.feed.watch(WIDE);
    await settled();
    expect(broker.last()).toBe("live");
    expect(broker.lastIdAsked()).toBeNull();
    await broker.says("overview", "b-7");

    await broker.breaks();
    expect(broker.last()).toBe("waiting");
    await vi.advanceTimersByTimeAsync(1_000);

    expect(broker.lastIdAsked()).toBe("b-7");
    expect(broker.last()).toBe("live");
    broker.feed.stop();
  });

  it("takes what is silent for longer than heartbeats for gone", async () => {
    const broker = new Broker();
    broker.feed.watch(WIDE);
    await settled();
    await vi.advanceTimersByTimeAsync(20_000);
    await broker.says("heartbeat", null);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(broker.last()).toBe("live");

    await vi.advanceTimersByTimeAsync(6_000);
    expect(broker.asked.length).toBeGreaterThan(1);
    broker.feed.stop();
  });

  it("looks instead where a proxy holds the stream back, also while it tries again", async () => {
    const broker = new Broker();
    broker.heldBack = true;
    broker.feed.watch(WIDE);
    await settled();
    expect(broker.last()).toBe("connecting");
    await vi.advanceTimersByTimeAsync(10_100);
    expect(broker.states.at(-1)).toEqual({ kind: "polling", why: "held-back" });
    expect(broker.asked.at(-1)?.signal.aborted).toBe(true);

    await vi.advanceTimersByTimeAsync(125_000);
    expect(broker.asked).toHaveLength(2);
    expect(broker.last()).toBe("polling");
    broker.heldBack = false;
    await vi.advanceTimersByTimeAsync(130_000);
    expect(broker.last()).toBe("live");
    broker.feed.stop();
  });

  it("gets what it missed of others while it was about one agent", async () => {
    const broker = new Broker();
    broker.feed.watch(WIDE);
    await settled();
    await broker.says("agent", "b-7");
    broker.feed.watch(NARROW);
    await settled();
    expect(broker.asked.at(-1)?.url).toContain("agent=plant-1");
    await broker.says("pulse", "b-19");

    broker.feed.watch(WIDE);
    await settled();

    expect(broker.asked.at(-1)?.url).not.toContain("agent=");
    expect(broker.lastIdAsked()).toBe("b-7");
    broker.feed.stop();
  });

  it("holds nothing while it rests, and catches up afterwards", async () => {
    const broker = new Broker();
    broker.feed.watch(WIDE);
    await settled();
    await broker.says("overview", "b-7");
    broker.feed.rest(true);
    await settled();
    expect(broker.asked.at(-1)?.signal.aborted).toBe(true);
    expect(broker.slot).toHaveBeenCalledOnce();
    expect(broker.last()).toBe("resting");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(broker.asked).toHaveLength(1);

    broker.feed.rest(false);
    await settled();
    expect(broker.lastIdAsked()).toBe("b-7");
    broker.feed.stop();
  });

  it.each([403, 404, 400])("asks again later after %d", async (status) => {
    const broker = new Broker();
    broker.answers(status);
    broker.feed.watch(WIDE);
    await settled();
    expect(broker.states.at(-1)).toEqual({ kind: "polling", why: "not-offered" });

    await vi.advanceTimersByTimeAsync(31_000);
    expect(broker.last()).toBe("live");
    broker.feed.stop();
  });

  it("is about all agents when the broker does not know the one", async () => {
    const broker = new Broker();
    broker.answers(404);
    broker.feed.watch(NARROW);
    await settled();

    expect(broker.asked.at(-1)?.url).not.toContain("agent=");
    expect(broker.last()).toBe("live");
    broker.feed.stop();
  });

  it("waits as long as an overloaded broker says", async () => {
    const broker = new Broker();
    broker.answers(503, { "Retry-After": "7" });
    broker.feed.watch(WIDE);
    await settled();
    expect(broker.states.at(-1)).toEqual({ kind: "polling", why: "overloaded" });
    await vi.advanceTimersByTimeAsync(6_000);
    expect(broker.asked).toHaveLength(1);

    await vi.advanceTimersByTimeAsync(1_500);
    expect(broker.last()).toBe("live");
    broker.feed.stop();
  });

  it("asks no more once nobody is signed in", async () => {
    const broker = new Broker();
    broker.answers(401);
    broker.feed.watch(WIDE);
    await settled();
    expect(broker.last()).toBe("signed-out");
    await vi.advanceTimersByTimeAsync(120_000);
    expect(broker.asked).toHaveLength(1);

    broker.feed.retryNow();
    await settled();
    expect(broker.last()).toBe("live");
    broker.feed.stop();
  });

  it("looks now and then while other tabs have the streams", async () => {
    const broker = new Broker();
    const place = broker.slot;
    broker.slot = null;
    broker.feed.watch(WIDE);
    await settled();
    expect(broker.states.at(-1)).toEqual({ kind: "polling", why: "too-many-tabs" });
    expect(broker.asked).toHaveLength(0);

    broker.slot = place;
    await vi.advanceTimersByTimeAsync(5_100);
    expect(broker.last()).toBe("live");
    broker.feed.stop();
  });

  it("tries less often the longer the broker is away, and not in step with others", () => {
    expect([0, 1, 2, 3].map((failures) => backoff(failures, 1))).toEqual([500, 1_000, 2_000, 4_000]);
    expect(backoff(40, 1)).toBe(10_000);
    expect(backoff(40, 0)).toBe(5_000);
  });
});

/** Locks of one origin, as several tabs see them. */
class Locks {
  private readonly held = new Set<string>();

  async request(name: string, _: LockOptions, callback: (lock: Lock | null) => unknown): Promise<unknown> {
    if (this.held.has(name)) {
      return callback(null);
    }
    this.held.add(name);
    try {
      return await callback({ name, mode: "exclusive" });
    } finally {
      this.held.delete(name);
    }
  }
}

describe("places for streams", () => {
  it("are so many for all tabs, and free again when one is given up", async () => {
    const locks = new Locks() as unknown as LockManager;
    const taken = await Promise.all(Array.from({ length: SLOTS }, () => takeSlot(locks)));
    expect(taken.every((release) => release !== null)).toBe(true);
    expect(await takeSlot(locks)).toBeNull();

    taken[1]?.();
    await new Promise((done) => setTimeout(done));
    expect(await takeSlot(locks)).not.toBeNull();
  });
});
