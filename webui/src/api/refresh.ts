import { BROKER } from "./base";

/** What the last sign-in or refresh said of its ends; shared by all tabs, no secret in it. */
export interface SessionTimes {
  readonly expires_at: string;
  readonly session_expires_at: string;
}

/** fresh: try again. over: sign in. unknown: the broker could not be asked. */
export type Refreshed = "fresh" | "over" | "unknown";

const KEY = "penstock.session";
const LOCK = "penstock-refresh";
const listeners = new Set<() => void>();

export function sessionTimes(): SessionTimes | null {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "null") as Partial<SessionTimes> | null;
    return typeof stored?.expires_at === "string" && typeof stored.session_expires_at === "string"
      ? { expires_at: stored.expires_at, session_expires_at: stored.session_expires_at }
      : null;
  } catch {
    return null;
  }
}

export function rememberTimes(times: SessionTimes | null): void {
  if (times === null) {
    localStorage.removeItem(KEY);
  } else {
    localStorage.setItem(
      KEY,
      JSON.stringify({ expires_at: times.expires_at, session_expires_at: times.session_expires_at }),
    );
  }
  listeners.forEach((listener) => {
    listener();
  });
}

export function onTimes(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * A refresh token works once, and a second show of it ends the session: tabs take turns, and whoever
 * comes second takes what the first one got.
 *
 * @param before the end of the token that is not good enough
 */
export async function refreshSession(
  send: (request: Request) => Promise<Response>,
  before: string | undefined = sessionTimes()?.expires_at,
): Promise<Refreshed> {
  return navigator.locks.request(LOCK, async (): Promise<Refreshed> => {
    const now = sessionTimes()?.expires_at;
    if (now !== undefined && now !== before) {
      return "fresh";
    }
    const response = await send(
      new Request(`${BROKER}/api/v1/auth/refresh`, {
        method: "POST",
        headers: { "Penstock-Console": "1" },
      }),
    );
    if (response.ok) {
      rememberTimes((await response.json()) as SessionTimes);
      return "fresh";
    }
    if (response.status === 401 || response.status === 403) {
      rememberTimes(null);
      return "over";
    }
    return "unknown";
  });
}

const RENEWED_BEFORE_MS = 30_000;
let renewing: Promise<unknown> | null = null;

/**
 * Gets the next token a little before this one ends, so that no call is refused for its sake. Whoever
 * comes while it is under way waits for it.
 *
 * @param now by the broker's clock
 */
export async function renewInTime(now: number, send: (request: Request) => Promise<Response>): Promise<void> {
  const times = sessionTimes();
  if (times === null || Date.parse(times.expires_at) - now > RENEWED_BEFORE_MS) {
    return;
  }
  renewing ??= refreshSession(send).finally(() => {
    renewing = null;
  });
  // What kept it from being renewed keeps the call from being answered, and is told there.
  await renewing.catch(() => undefined);
}
