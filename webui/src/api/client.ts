import createClient, { type Middleware } from "openapi-fetch";
import { BROKER } from "./base";
import { ApiError, problemOf, UnreachableError } from "./problem";
import { brokerNow, isBrokerTimeKnown } from "./brokerTime";
import { refreshSession, renewInTime, sessionTimes, type Refreshed } from "./refresh";
import type { paths } from "./schema";

/** The only place that calls the API: its cookies are out of our reach, and this field proves the page. */
export const PAGE_FIELD = { "Penstock-Console": "1" } as const;

type Listener = () => void;
const sessionOver = new Set<Listener>();
const reached = new Set<(ok: boolean) => void>();

/** Told when the session ended for good: neither token nor refresh lets us in. */
export function onSessionOver(listener: Listener): () => void {
  sessionOver.add(listener);
  return () => sessionOver.delete(listener);
}

/** Told after each call whether the broker answered at all. */
export function onReached(listener: (ok: boolean) => void): () => void {
  reached.add(listener);
  return () => reached.delete(listener);
}

function tellReached(ok: boolean): void {
  reached.forEach((listener) => {
    listener(ok);
  });
}

/** One call; a 401 refreshes the session, where there is one, once and tries again. */
export async function call(request: Request): Promise<Response> {
  if (/\/auth\/(login|refresh)$/.test(request.url)) {
    return send(request);
  }
  // A clock that may be wrong renews nothing: a 401 does.
  if (isBrokerTimeKnown()) {
    await renewInTime(brokerNow(), send);
  }
  const before = sessionTimes()?.expires_at;
  const again = request.clone();
  const first = await send(request);
  if (first.status !== 401) {
    return first;
  }
  const outcome: Refreshed = sessionTimes() === null ? "over" : await refreshSession(send, before);
  if (outcome === "over") {
    sessionOver.forEach((listener) => {
      listener();
    });
    return first;
  }
  return outcome === "fresh" ? send(again) : first;
}

/** New tokens and what is known of their ends, once for all tabs. */
export function refresh(): Promise<Refreshed> {
  return refreshSession(send);
}

async function send(request: Request): Promise<Response> {
  try {
    const response = await fetch(request);
    tellReached(true);
    return response;
  } catch (cause) {
    if (request.signal.aborted) {
      throw cause;
    }
    tellReached(false);
    throw new UnreachableError();
  }
}

const ours: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(PAGE_FIELD)) {
      request.headers.set(name, value);
    }
    return request;
  },
};

export const api = createClient<paths>({ baseUrl: BROKER, fetch: call });
api.use(ours);

/** The data of an answer, or its problem as an error. */
export async function done<T>(
  answer: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, error, response } = await answer;
  if (!response.ok) {
    throw problemOf(response, error);
  }
  return data as T;
}

/** The id of the change that a call became, because it waits for a second person; null: it is done. */
export async function acted(
  answer: Promise<{ data?: unknown; error?: unknown; response: Response }>,
): Promise<string | null> {
  const { response } = await answer;
  const data = await done(answer);
  return response.status === 202 ? (data as { readonly id: string }).id : null;
}

/** For endpoints that an older broker does not have: null there. */
export async function optional<T>(path: string, signal?: AbortSignal): Promise<T | null> {
  const request = new Request(BROKER + path, {
    headers: PAGE_FIELD,
    ...(signal === undefined ? {} : { signal }),
  });
  const response = await call(request);
  if (response.status === 404) {
    return null;
  }
  if (!response.ok) {
    throw problemOf(response, await response.json().catch(() => undefined));
  }
  return (await response.json()) as T;
}

/** A call that is not in the description of every broker yet. */
export async function post<T>(path: string, body?: unknown, method = "POST"): Promise<T | undefined> {
  const response = await call(
    new Request(BROKER + path, {
      method,
      headers: { ...PAGE_FIELD, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
  const text = await response.text();
  let value: unknown;
  try {
    value = text === "" ? undefined : JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!response.ok) {
    throw problemOf(response, value);
  }
  return value as T | undefined;
}

/** A body of which only some members are given: the description does not tell required from optional. */
export function some<T>(body: Partial<T>): T {
  return body as T;
}

export { ApiError, UnreachableError };
