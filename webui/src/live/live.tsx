import { useQueryClient } from "@tanstack/react-query";
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  type ReactNode,
} from "react";
import { onReached } from "../api/client";
import { useCan, useSession } from "../auth/session";
import { ago } from "../parts/words";
import { LiveFeed, type FeedState } from "./liveFeed";
import { applyAgents, type Agent } from "./agentPatches";
import type { AgentChange, Overview } from "./types";

type Handler = (data: unknown) => void;

interface Live {
  readonly state: FeedState;
  readonly paused: boolean;
  /** Whether the broker answered the last call. */
  readonly reachable: boolean;
  pause(paused: boolean): void;
  retryNow(): void;
  on(event: string, handler: Handler): () => void;
  want(topic: string): () => void;
  narrow(agent: string | null): void;
}

const Context = createContext<Live | null>(null);

/** How often is looked when there is no stream. */
const LOOK_MS = 2_000;

export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const queries = useQueryClient();
  const can = useCan();
  const { reload, ask } = useSession();
  const [state, setState] = useState<FeedState>({ kind: "connecting" });
  const [paused, setPaused] = useState(false);
  const [reachable, setReachable] = useState(true);
  const [extra, setExtra] = useState<readonly string[]>([]);
  const [agent, setAgent] = useState<string | null>(null);
  const handlers = useRef(new Map<string, Set<Handler>>());
  const feed = useRef<LiveFeed | null>(null);
  const pausedNow = useRef(paused);
  const changes = useRef(new Map<string, AgentChange>());
  pausedNow.current = paused;

  useEffect(() => onReached(setReachable), []);

  const tell = useCallback((event: string, data: unknown) => {
    handlers.current.get(event)?.forEach((handler) => {
      handler(data);
    });
  }, []);

  const onEvent = useCallback(
    (event: string, data: unknown) => {
      switch (event) {
        case "reset":
          void queries.invalidateQueries();
          break;
        case "ended": {
          const reason = (data as { reason?: string }).reason;
          if (reason === "session-over") {
            ask();
          } else if (reason === "rights-changed") {
            reload();
          }
          break;
        }
        default:
      }
      if (pausedNow.current) {
        return;
      }
      switch (event) {
        case "overview":
          queries.setQueryData<Overview | null>(["overview"], (old) => ({
            ...(data as Overview),
            availability_24h: old?.availability_24h ?? null,
          }));
          break;
        case "agent":
          changes.current.set((data as AgentChange).id, data as AgentChange);
          break;
        case "alarm":
          void queries.invalidateQueries({ queryKey: ["alarms"] });
          break;
        case "config": {
          const of = (data as { agent: string }).agent;
          void queries.invalidateQueries({ queryKey: ["systems", of] });
          void queries.invalidateQueries({ queryKey: ["messages", of] });
          void queries.invalidateQueries({ queryKey: ["agent", of] });
          break;
        }
        default:
      }
      tell(event, data);
    },
    [queries, ask, reload, tell],
  );

  // Many agents that change at once are one change of the list.
  useEffect(() => {
    const timer = setInterval(() => {
      if (changes.current.size === 0) {
        return;
      }
      const news = [...changes.current.values()];
      changes.current.clear();
      let unknown = false;
      queries.setQueryData<readonly Agent[]>(["agents"], (old) => {
        if (old === undefined) {
          return old;
        }
        const applied = applyAgents(old, news);
        unknown = applied.unknown;
        return applied.agents;
      });
      for (const change of news) {
        void queries.invalidateQueries({ queryKey: ["agent", change.id] });
      }
      if (unknown) {
        void queries.invalidateQueries({ queryKey: ["agents"] });
      }
      void queries.invalidateQueries({ queryKey: ["tokens"] });
    }, 500);
    return () => {
      clearInterval(timer);
    };
  }, [queries]);

  const query = useMemo(() => {
    const topics = ["overview", "agents", "latency", "alarms", "config", ...extra].filter((topic) =>
      can(topic === "requests" ? "requests:read" : topic === "broker" ? "logs:read" : "dashboards:read"),
    );
    if (topics.length === 0) {
      return null;
    }
    const parameters = new URLSearchParams({ topics: [...new Set(topics)].join(",") });
    if (agent !== null) {
      parameters.set("agent", agent);
    }
    return parameters.toString().replaceAll("%2C", ",");
  }, [extra, agent, can]);

  useEffect(() => {
    if (query === null) {
      setState({ kind: "unavailable" });
      return;
    }
    // Another selection has another history: nothing to resume.
    const next = new LiveFeed(
      query,
      onEvent,
      (told) => {
        setState((known) => (known.kind === "live" && told.kind === "live" ? known : told));
      },
    );
    feed.current = next;
    next.start();
    return () => {
      next.stop();
    };
  }, [query, onEvent]);

  const wasDown = useRef(false);
  useEffect(() => {
    if (state.kind === "waiting") {
      wasDown.current = true;
    } else if (state.kind === "live" && wasDown.current) {
      wasDown.current = false;
      void queries.invalidateQueries();
    }
  }, [state.kind, queries]);

  // Without a stream what is shown is looked at again and again.
  useEffect(() => {
    if (state.kind !== "unavailable" || paused) {
      return;
    }
    const timer = setInterval(() => {
      void queries.invalidateQueries({ predicate: (it) => it.meta?.["live"] === true });
    }, LOOK_MS);
    return () => {
      clearInterval(timer);
    };
  }, [state.kind, paused, queries]);

  const pause = useCallback(
    (next: boolean) => {
      setPaused(next);
      if (!next) {
        void queries.invalidateQueries();
      }
    },
    [queries],
  );
  const retryNow = useCallback(() => {
    feed.current?.retryNow();
    void queries.invalidateQueries();
  }, [queries]);
  const on = useCallback((event: string, handler: Handler) => {
    const known = handlers.current.get(event) ?? new Set();
    known.add(handler);
    handlers.current.set(event, known);
    return () => {
      known.delete(handler);
    };
  }, []);
  const want = useCallback((topic: string) => {
    setExtra((topics) => [...topics, topic]);
    return () => {
      setExtra((topics) => topics.toSpliced(topics.indexOf(topic), 1));
    };
  }, []);
  const live = useMemo<Live>(
    () => ({ state, paused, reachable, pause, retryNow, on, want, narrow: setAgent }),
    [state, paused, reachable, pause, retryNow, on, want],
  );
  return <Context.Provider value={live}>{children}</Context.Provider>;
}

export function useLive(): Live {
  const live = useContext(Context);
  if (live === null) {
    throw new Error("no live feed around this");
  }
  return live;
}

/** Calls `handler` for each event of that kind while this is shown and the feed is not paused. */
export function useLiveEvent<T>(event: string, handler: (data: T) => void): void {
  const { on } = useLive();
  const latest = useRef(handler);
  latest.current = handler;
  useEffect(
    () =>
      on(event, (data) => {
        latest.current(data as T);
      }),
    [on, event],
  );
}

/** Asks for a topic that is not always on the stream. */
export function useTopic(topic: string): void {
  const { want } = useLive();
  useEffect(() => want(topic), [want, topic]);
}

export function useNarrowed(agent: string | null): void {
  const { narrow } = useLive();
  useEffect(() => {
    narrow(agent);
    return () => {
      narrow(null);
    };
  }, [narrow, agent]);
}

/** How fresh what is shown is, and the switch to hold it. */
export function LivePill() {
  const { state, paused, reachable, pause, retryNow } = useLive();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
    }, 1000);
    return () => {
      clearInterval(timer);
    };
  }, []);
  if (state.kind === "waiting" || !reachable) {
    const since = state.kind === "waiting" ? state.sinceAt : now;
    const left = state.kind === "waiting" ? Math.max(0, Math.ceil((state.retryAt - now) / 1000)) : 0;
    return (
      <button type="button" className="pill warn" onClick={retryNow} title="Try now">
        <span className="dot" />
        Reconnecting{left > 0 ? ` in ${String(left)} s` : "…"}
        <span className="muted wide-only"> · as of {ago(since, now)}</span>
      </button>
    );
  }
  const word = state.kind === "live" ? "Live" : state.kind === "connecting" ? "Connecting" : "Every 2 s";
  return (
    <button
      type="button"
      className={`pill ${paused ? "off" : state.kind === "live" ? "ok" : "info"}`}
      aria-pressed={paused}
      aria-label={paused ? "Paused. Go on" : `${word}. Pause`}
      title={paused ? "Go on (Space)" : "Pause (Space)"}
      onClick={() => {
        pause(!paused);
      }}
    >
      <span className="dot" />
      {paused ? "Paused" : word}
    </button>
  );
}
