import { BROKER } from "../api/base";
import { EventReader, type ServerEvent } from "./eventStream";
import type { Release } from "./slots";

/** What one stream is about; an agent narrows it, and adds that agent's own figures. */
export interface Interest {
  readonly topics: readonly string[];
  readonly agent: string | null;
}

type Why = "not-offered" | "too-many-tabs" | "overloaded" | "held-back";

/**
 * polling: there is no stream for now, so what is shown is looked at again and again. resting: nobody
 * looks, or it is paused. signed-out: nobody may look.
 */
export type FeedState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "waiting"; readonly retryAt: number; readonly sinceAt: number }
  | { readonly kind: "polling"; readonly why: Why }
  | { readonly kind: "resting"; readonly sinceAt: number }
  | { readonly kind: "signed-out" };

/** What a feed needs of the world around it. */
export interface World {
  call(request: Request): Promise<Response>;
  takeSlot(): Promise<Release | null>;
  onEvent(event: string, data: unknown): void;
  onState(state: FeedState): void;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
/** Heartbeats come every 10 s; what is silent for longer is gone, whatever TCP thinks. */
const SILENCE_MS = 25_000;
/** A broker says hello at once; what has said nothing for so long is held back by a proxy on the way. */
const HELLO_MS = 10_000;
const HELD_BACK = new Error("held back");
/** A proxy that collects an answer before it passes it on will do so again. */
const HELD_BACK_AGAIN_MS = 120_000;
/** A broker may be updated, a role may be given, another tab may close. */
const OFFERED_AGAIN_MS = 30_000;
const SLOT_AGAIN_MS = 5_000;

/** How long to wait before the next try; grows, with jitter, so that not all tabs come at once. */
export function backoff(failures: number, random: number): number {
  const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 10));
  return Math.round(most * (0.5 + random / 2));
}

/**
 * The one event stream of this tab. By fetch, not EventSource: that tells neither a status nor
 * Retry-After, and would show "not offered here" as an endless reconnect.
 *
 * Whatever ends a stream (a broken line, a pause, another interest), the next one goes on where the last
 * one was, by the id of the last event.
 */
export class LiveFeed {
  private readonly world: World;
  private interest: Interest | null = null;
  private resting = false;
  private connection: AbortController | null = null;
  private slot: Release | null = null;
  private lastId: string | null = null;
  /** The last event that was read while all agents were: the narrower streams after it left out others'. */
  private wideId: string | null = null;
  /** An agent that the broker does not know, or does not show. */
  private unknownAgent: string | null = null;
  private failures = 0;
  /** There is something else than a stream for now, also while one is tried again. */
  private polling = false;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private heardAt = Date.now();

  constructor(world: World) {
    this.world = world;
  }

  /** From now on this; null: nothing. */
  watch(interest: Interest | null): void {
    if (keyOf(interest) === keyOf(this.interest)) {
      return;
    }
    const widens = this.interest?.agent !== null && interest?.agent === null;
    if (widens && this.wideId !== null) {
      this.lastId = this.wideId;
    }
    this.interest = interest;
    this.unknownAgent = null;
    this.open();
  }

  /** While it rests no connection is held; afterwards it catches up. */
  rest(resting: boolean): void {
    if (resting !== this.resting) {
      this.resting = resting;
      if (resting) {
        this.leave();
        this.world.onState({ kind: "resting", sinceAt: this.heardAt });
      } else {
        this.open();
      }
    }
  }

  /** Now, not when the wait is over. */
  retryNow(): void {
    if (this.retry !== undefined || this.connection === null) {
      this.open();
    }
  }

  stop(): void {
    this.interest = null;
    this.leave();
  }

  private leave(): void {
    this.close();
    this.polling = false;
    this.slot?.();
    this.slot = null;
  }

  private close(): void {
    clearTimeout(this.retry);
    clearTimeout(this.silence);
    this.retry = undefined;
    this.connection?.abort();
    this.connection = null;
  }

  private open(): void {
    this.close();
    if (this.interest === null || this.resting) {
      return;
    }
    const connection = new AbortController();
    this.connection = connection;
    if (this.failures === 0 && !this.polling) {
      this.world.onState({ kind: "connecting" });
    }
    void this.run(this.interest, connection);
  }

  private async run(interest: Interest, connection: AbortController): Promise<void> {
    try {
      if (!(await this.seat(connection))) {
        return;
      }
      this.silence = setTimeout(() => {
        connection.abort(HELD_BACK);
      }, HELLO_MS);
      const response = await this.world.call(this.request(interest, connection.signal));
      if (connection.signal.aborted) {
        return;
      }
      if (response.ok && response.body !== null) {
        await this.read(response.body, connection);
      } else if (this.refused(response, interest)) {
        return;
      }
    } catch {
      // The broker is away, or silent for too long: the state tells, and the next try.
    }
    if (this.connection !== connection) {
      return;
    }
    if (connection.signal.reason === HELD_BACK) {
      this.pollFor("held-back", HELD_BACK_AGAIN_MS);
    } else {
      this.again();
    }
  }

  /** Whether there is a place for this tab's stream. */
  private async seat(connection: AbortController): Promise<boolean> {
    if (this.slot !== null) {
      return true;
    }
    const slot = await this.world.takeSlot();
    if (connection.signal.aborted) {
      slot?.();
      return false;
    }
    if (slot === null) {
      this.pollFor("too-many-tabs", SLOT_AGAIN_MS);
      return false;
    }
    this.slot = slot;
    return true;
  }

  private request(interest: Interest, signal: AbortSignal): Request {
    const parameters = new URLSearchParams({ topics: interest.topics.join(",") });
    if (interest.agent !== null && interest.agent !== this.unknownAgent) {
      parameters.set("agent", interest.agent);
    }
    return new Request(`${BROKER}/api/v1/live?${parameters.toString().replaceAll("%2C", ",")}`, {
      headers: {
        Accept: "text/event-stream",
        "Penstock-Console": "1",
        ...(this.lastId === null ? {} : { "Last-Event-ID": this.lastId }),
      },
      cache: "no-store",
      signal,
    });
  }

  /** What is done about an answer that is no stream; false: as about a broken line. */
  private refused(response: Response, interest: Interest): boolean {
    const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
    switch (response.status) {
      case 401:
        this.leave();
        this.world.onState({ kind: "signed-out" });
        return true;
      case 404:
        if (interest.agent !== null && this.unknownAgent === null) {
          this.unknownAgent = interest.agent;
          this.open();
          return true;
        }
        this.pollFor("not-offered", OFFERED_AGAIN_MS);
        return true;
      case 400:
      case 403:
        this.pollFor("not-offered", OFFERED_AGAIN_MS);
        return true;
      case 429:
      case 503:
        this.pollFor("overloaded", Number.isNaN(seconds) ? SLOT_AGAIN_MS : seconds * 1000);
        return true;
      default:
        return false;
    }
  }

  private pollFor(why: Why, againMs: number): void {
    clearTimeout(this.silence);
    this.connection = null;
    this.polling = true;
    this.world.onState({ kind: "polling", why });
    this.retry = setTimeout(() => {
      this.open();
    }, againMs);
  }

  private async read(body: ReadableStream<Uint8Array>, connection: AbortController): Promise<void> {
    const reader = body
      .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
      .getReader();
    const events = new EventReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || connection.signal.aborted) {
        return;
      }
      this.heard(connection);
      for (const event of events.read(value)) {
        this.dispatch(event);
      }
    }
  }

  private heard(connection: AbortController): void {
    this.failures = 0;
    this.polling = false;
    this.heardAt = Date.now();
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      connection.abort();
    }, SILENCE_MS);
    this.world.onState({ kind: "live" });
  }

  private dispatch(event: ServerEvent): void {
    if (event.id !== null) {
      this.lastId = event.id;
      if (this.interest?.agent === null) {
        this.wideId = event.id;
      }
    }
    let data: unknown;
    try {
      data = JSON.parse(event.data);
    } catch {
      // One that is no JSON is of a broker that we do not know.
      return;
    }
    this.world.onEvent(event.event, data);
  }

  private again(): void {
    clearTimeout(this.silence);
    this.connection = null;
    this.polling = false;
    const wait = backoff(this.failures, Math.random());
    this.failures++;
    this.world.onState({ kind: "waiting", retryAt: Date.now() + wait, sinceAt: this.heardAt });
    this.retry = setTimeout(() => {
      this.open();
    }, wait);
  }
}

function keyOf(interest: Interest | null): string {
  return interest === null ? "" : `${interest.topics.join(",")} ${interest.agent ?? ""}`;
}
