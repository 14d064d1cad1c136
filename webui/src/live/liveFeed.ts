import { call } from "../api/client";
import { EventReader, type ServerEvent } from "./eventStream";

/** live: events arrive. unavailable: this broker has none, look again now and then. */
export type FeedState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live"; readonly lastAt: number }
  | { readonly kind: "waiting"; readonly retryAt: number; readonly sinceAt: number }
  | { readonly kind: "unavailable" };

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
/** Heartbeats come every 10 s; what is silent for longer is gone, whatever TCP thinks. */
const SILENCE_MS = 25_000;

/** How long to wait before the next try; grows, with jitter, so that not all tabs come at once. */
export function backoff(failures: number, random: number): number {
  const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 10));
  return Math.round(most * (0.5 + random / 2));
}

/**
 * The one event stream of this tab. By fetch, not EventSource: that tells neither a status nor
 * Retry-After, and would show "not offered here" as an endless reconnect.
 */
export class LiveFeed {
  private stopped = false;
  private abort: AbortController | null = null;
  private lastId: string | null = null;
  private failures = 0;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private silenceTimer: ReturnType<typeof setTimeout> | undefined;
  private downSince = Date.now();

  private readonly query: string;
  private readonly onEvent: (event: string, data: unknown) => void;
  private readonly onState: (state: FeedState) => void;

  constructor(
    query: string,
    onEvent: (event: string, data: unknown) => void,
    onState: (state: FeedState) => void,
  ) {
    this.query = query;
    this.onEvent = onEvent;
    this.onState = onState;
  }

  start(): void {
    void this.run();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.retryTimer);
    clearTimeout(this.silenceTimer);
    this.abort?.abort();
  }

  /** Now, not when the wait is over. */
  retryNow(): void {
    if (this.retryTimer !== undefined) {
      clearTimeout(this.retryTimer);
      this.retryTimer = undefined;
      void this.run();
    }
  }

  private async run(): Promise<void> {
    if (this.stopped) {
      return;
    }
    this.retryTimer = undefined;
    const abort = new AbortController();
    this.abort = abort;
    try {
      const response = await call(
        new Request(`${location.origin}/api/v1/live?${this.query}`, {
          headers: {
            Accept: "text/event-stream",
            "Penstock-Console": "1",
            ...(this.lastId === null ? {} : { "Last-Event-ID": this.lastId }),
          },
          cache: "no-store",
          signal: abort.signal,
        }),
      );
      if (response.status === 404 || response.status === 403) {
        this.onState({ kind: "unavailable" });
        return;
      }
      if (!response.ok || response.body === null) {
        const retry = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
        this.again(Number.isNaN(retry) ? undefined : retry * 1000);
        return;
      }
      await this.read(response.body, abort);
      this.again();
    } catch {
      // Aborted by us, or the broker is away: the state tells, and the next try.
      this.again();
    }
  }

  private async read(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<void> {
    const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
    const events = new EventReader();
    this.heard(abort);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      this.heard(abort);
      for (const event of events.read(value)) {
        this.dispatch(event);
      }
    }
  }

  private heard(abort: AbortController): void {
    this.failures = 0;
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => {
      abort.abort();
    }, SILENCE_MS);
    this.downSince = Date.now();
    this.onState({ kind: "live", lastAt: this.downSince });
  }

  private dispatch(event: ServerEvent): void {
    if (event.id !== null) {
      this.lastId = event.id;
    }
    let data: unknown;
    try {
      data = JSON.parse(event.data);
    } catch {
      // One that is no JSON is of a broker that we do not know.
      return;
    }
    this.onEvent(event.event, data);
  }

  private again(afterMs?: number): void {
    clearTimeout(this.silenceTimer);
    if (this.stopped) {
      return;
    }
    const wait = afterMs ?? backoff(this.failures, Math.random());
    this.failures++;
    this.onState({ kind: "waiting", retryAt: Date.now() + wait, sinceAt: this.downSince });
    this.retryTimer = setTimeout(() => void this.run(), wait);
  }
}
