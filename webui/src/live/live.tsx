import { useQueryClient, type Query, type QueryClient } from "@tanstack/react-query";
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useEffectEvent,
  useMemo,
  useRef,
  useState,
  type ReactNode,
} from "react";
import { call, onReached } from "../api/client";
import { useCan, useMe, useSession } from "../auth/session";
import { tellBrokerTime } from "../api/brokerTime";
import { applyAgents, type Agent } from "./agentPatches";
import { LiveFeed, type FeedState, type Interest } from "./liveFeed";
import { takeSlot } from "./slots";
import type { AgentChange, LiveEvents, Overview } from "./types";

type Handler = (data: unknown) => void;

interface Live {
  readonly state: FeedState;
  readonly paused: boolean;
  /** Whether the broker answered the last call. */
  readonly reachable: boolean;
  /** How often is looked while there is no stream. */
  readonly lookMs: number;
  readonly pause: (paused: boolean) => void;
  readonly retryNow: () => void;
  readonly on: (event: string, handler: Handler) => () => void;
  readonly want: (topic: string) => () => void;
  readonly narrow: (agent: string | null) => void;
}

const Context = createContext<Live | null>(null);

/** Topics that are on every stream, and what each takes. */
const ALWAYS: readonly (readonly [topic: string, permission: string])[] = [
  ["overview", "dashboards:read"],
  ["agents", "agents:read"],
  ["latency", "dashboards:read"],
  ["alarms", "alarms:read"],
  ["config", "systems:read"],
];
const EXTRA: Readonly<Record<string, string>> = { requests: "requests:read", broker: "logs:read" };

/** Whoever looks elsewhere for so long needs no stream; going back and forth costs nothing. */
const HIDDEN_MS = 10_000;
const FLUSH_MS = 500;

/** The more there is to fetch, the seldomer: 5 s, or a minute for 10,000 agents. */
export function lookEveryMs(agents: number, queries: number): number {
  return Math.min(60_000, Math.max(5_000, agents * 6, queries * 500));
}

export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const queries = useQueryClient();
  const can = useCan();
  const { scope } = useMe();
  const { reload, ask, asking } = useSession();
  const [state, setState] = useState<FeedState>({ kind: "connecting" });
  const [paused, setPaused] = useState(false);
  const [hidden, setHidden] = useState(false);
  const [reachable, setReachable] = useState(true);
  const [extra, setExtra] = useState<readonly string[]>([]);
  const [agent, setAgent] = useState<string | null>(null);
  const [handlers] = useState(() => new Map<string, Set<Handler>>());
  const feed = useRef<LiveFeed | null>(null);

  useEffect(() => onReached(setReachable), []);
  useHidden(setHidden);
  const news = useNews(queries);

  const onEvent = useEffectEvent((event: string, data: unknown) => {
    switch (event) {
      case "hello":
        tellBrokerTime(Date.parse((data as { at: string }).at));
        // What failed meanwhile; and what was fetched before, unless the stream tells all since then.
        refetch(queries, (query) => query.state.error !== null || !(data as { resumed: boolean }).resumed);
        break;
      case "heartbeat":
        tellBrokerTime(Date.parse((data as { at: string }).at));
        break;
      case "reset":
      case "dropped":
        refetch(queries, () => true);
        break;
      case "ended": {
        const { reason } = data as { reason?: string };
        if (reason === "session-over") {
          ask();
        } else if (reason === "rights-changed") {
          reload();
        }
        break;
      }
      default:
        news(event, data);
    }
    handlers.get(event)?.forEach((handler) => {
      handler(data);
    });
  });
  const onState = useEffectEvent((next: FeedState) => {
    if (next.kind === "live") {
      setReachable(true);
    }
    setState((known) => (known.kind === "live" && next.kind === "live" ? known : next));
  });

  useEffect(() => {
    const made = new LiveFeed({
      call,
      takeSlot: () => takeSlot(),
      onEvent: (event, data) => {
        onEvent(event, data);
      },
      onState: (next) => {
        onState(next);
      },
    });
    feed.current = made;
    return () => {
      feed.current = null;
      made.stop();
    };
  }, []);

  const interest = useMemo<Interest | null>(() => {
    const topics = ALWAYS.filter(([, permission]) => can(permission)).map(([topic]) => topic);
    for (const topic of new Set(extra)) {
      // How a broker does is about all agents.
      if (can(EXTRA[topic] ?? "") && (topic !== "broker" || scope.length === 0)) {
        topics.push(topic);
      }
    }
    return can("dashboards:read") ? { topics, agent } : null;
  }, [extra, agent, can, scope]);

  useEffect(() => {
    feed.current?.watch(interest);
  }, [interest]);
  useEffect(() => {
    feed.current?.rest(paused || hidden || asking);
  }, [paused, hidden, asking]);

  const streams = interest !== null;
  const looks = (!streams || state.kind === "polling") && !paused && !hidden && !asking;
  const lookMs = useLooking(queries, looks);

  const pause = useCallback((next: boolean) => {
    setPaused(next);
  }, []);
  const retryNow = useCallback(() => {
    feed.current?.retryNow();
    refetch(queries, () => true);
  }, [queries]);
  const on = useCallback(
    (event: string, handler: Handler) => {
      const known = handlers.get(event) ?? new Set();
      known.add(handler);
      handlers.set(event, known);
      return () => {
        known.delete(handler);
      };
    },
    [handlers],
  );
  const want = useCallback((topic: string) => {
    setExtra((topics) => [...topics, topic]);
    return () => {
      setExtra((topics) => topics.toSpliced(topics.indexOf(topic), 1));
    };
  }, []);
  const live = useMemo<Live>(
    () => ({
      state: streams ? state : { kind: "polling", why: "not-offered" },
      paused,
      reachable,
      lookMs,
      pause,
      retryNow,
      on,
      want,
      narrow: setAgent,
    }),
    [streams, state, paused, reachable, lookMs, pause, retryNow, on, want],
  );
  return <Context.Provider value={live}>{children}</Context.Provider>;
}

/** Without a stream what is shown is looked at again and again; says how often. */
function useLooking(queries: QueryClient, looks: boolean): number {
  const [every, setEvery] = useState(() => lookEveryMs(0, 0));
  const looked = useRef(false);
  useEffect(() => {
    if (!looks) {
      return;
    }
    const look = () => {
      const active = queries.getQueryCache().findAll({ type: "active", predicate: isLive }).length;
      setEvery(lookEveryMs(queries.getQueryData<readonly Agent[]>(["agents"])?.length ?? 0, active));
      void queries.invalidateQueries({ predicate: isLive }, { cancelRefetch: false });
    };
    // What was not looked at for a while is old.
    const first = looked.current ? setTimeout(look) : undefined;
    looked.current = true;
    const timer = setInterval(look, every);
    return () => {
      clearTimeout(first);
      clearInterval(timer);
    };
  }, [looks, queries, every]);
  return every;
}

function isLive(query: { readonly meta: Record<string, unknown> | undefined }): boolean {
  return query.meta?.["live"] === true;
}

function refetch(queries: QueryClient, wanted: (query: Query) => boolean): void {
  void queries.invalidateQueries({ predicate: wanted }, { cancelRefetch: false });
}

function useHidden(tell: (hidden: boolean) => void): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const changed = () => {
      clearTimeout(timer);
      if (document.visibilityState === "visible") {
        tell(false);
      } else {
        timer = setTimeout(() => {
          tell(true);
        }, HIDDEN_MS);
      }
    };
    document.addEventListener("visibilitychange", changed);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", changed);
    };
  }, [tell]);
}

/** Lays events over what was fetched. Many that come together are one change. */
function useNews(queries: QueryClient): (event: string, data: unknown) => void {
  const agents = useRef(new Map<string, AgentChange>());
  const stale = useRef(new Map<string, readonly string[]>());
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );

  const flush = useCallback(() => {
    timer.current = undefined;
    const changes = [...agents.current.values()];
    agents.current.clear();
    const found = { unknown: false };
    if (changes.length > 0) {
      queries.setQueryData<readonly Agent[]>(["agents"], (old) => {
        if (old === undefined) {
          return old;
        }
        const applied = applyAgents(old, changes);
        found.unknown = applied.unknown;
        return applied.agents;
      });
    }
    const keys = [...stale.current.values(), ...(found.unknown ? [["agents"]] : [])];
    stale.current.clear();
    for (const queryKey of keys) {
      void queries.invalidateQueries({ queryKey });
    }
  }, [queries]);

  return useCallback(
    (event, data) => {
      const spoil = (...key: readonly string[]) => stale.current.set(key.join(" "), key);
      switch (event) {
        case "overview":
          queries.setQueryData<Overview | null>(["overview"], (old) => ({
            ...(data as Overview),
            availability_24h: old?.availability_24h ?? null,
          }));
          return;
        case "agent": {
          const change = data as AgentChange;
          agents.current.set(change.id, change);
          spoil("agent", change.id);
          spoil("tokens");
          break;
        }
        case "alarm":
          spoil("alarms");
          break;
        case "config": {
          const of = (data as { readonly agent: string }).agent;
          spoil("systems", of);
          spoil("messages", of);
          spoil("agent", of);
          break;
        }
        default:
          return;
      }
      timer.current ??= setTimeout(flush, FLUSH_MS);
    },
    [queries, flush],
  );
}

export function useLive(): Live {
  const live = useContext(Context);
  if (live === null) {
    throw new Error("no live feed around this");
  }
  return live;
}

/** Calls `handler` for each event of that kind while this is shown. */
export function useLiveEvent<E extends keyof LiveEvents>(event: E, handler: (data: LiveEvents[E]) => void): void {
  const { on } = useLive();
  const told = useEffectEvent(handler);
  useEffect(
    () =>
      on(event, (data) => {
        told(data as LiveEvents[E]);
      }),
    [on, event],
  );
}

/** Asks for a topic that is not always on the stream. */
export function useTopic(topic: string): void {
  const { want } = useLive();
  useEffect(() => want(topic), [want, topic]);
}

/** Looks at one agent closely; words such as `(other)` are none. */
export function useNarrowed(agent: string | null | undefined): void {
  const { narrow } = useLive();
  const name = agent === null || agent === undefined || agent === "" || agent.startsWith("(") ? null : agent;
  useEffect(() => {
    narrow(name);
    return () => {
      narrow(null);
    };
  }, [narrow, name]);
}

/** Whether what is shown moves by itself: not while it is paused, or the broker is away. */
export function useMoving(): boolean {
  const { state, paused } = useLive();
  return !paused && (state.kind === "live" || state.kind === "polling" || state.kind === "connecting");
}
