import { useQueryClient } from "@tanstack/react-query";
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
  type ReactNode,
} from "react";
import { api, ApiError, done, onSessionOver, post, refresh } from "../api/client";
import { onTimes, rememberTimes, sessionTimes, type SessionTimes } from "../api/refresh";

/** Who is signed in, and what they may do. */
export interface Me {
  readonly email: string;
  readonly role: string;
  readonly permissions: ReadonlySet<string>;
  readonly scope: readonly string[];
}

export type State =
  | { readonly kind: "loading" }
  | { readonly kind: "offline" }
  | { readonly kind: "signed-out"; readonly why: "start" | "left" | "over" }
  | { readonly kind: "signed-in"; readonly me: Me };

interface Session {
  readonly state: State;
  /** The session ended while a page was open: it stays as it is behind the question. */
  readonly asking: boolean;
  readonly times: SessionTimes | null;
  readonly signIn: (email: string, password: string) => Promise<void>;
  readonly signOut: () => Promise<void>;
  readonly ask: () => void;
  readonly stopAsking: () => void;
  readonly retry: () => void;
  readonly reload: () => void;
}

const Context = createContext<Session | null>(null);

async function whoAmI(): Promise<Me> {
  const me = await done(api.GET("/api/v1/auth/me"));
  return {
    email: me.email,
    role: me.roles[0] ?? "",
    permissions: new Set(me.permissions),
    scope: me.gateway_access,
  };
}

/** After a reload nothing is known but the cookies. */
async function startingState(): Promise<State> {
  const before = sessionTimes();
  try {
    const me = await whoAmI();
    if (sessionTimes() === null) {
      // Somebody who comes back from the identity provider: its answer went to no script.
      await refresh();
    }
    return { kind: "signed-in", me };
  } catch (error) {
    if (error instanceof ApiError && error.status < 500) {
      return { kind: "signed-out", why: before === null ? "start" : "over" };
    }
    return { kind: "offline" };
  }
}

export function SessionProvider({ children }: { readonly children: ReactNode }) {
  const queries = useQueryClient();
  const [state, setState] = useState<State>({ kind: "loading" });
  const [asking, setAsking] = useState(false);
  const [times, setTimes] = useState(sessionTimes);

  const start = useCallback(() => {
    setState({ kind: "loading" });
    void startingState().then(setState);
  }, []);

  const reload = useCallback(() => {
    whoAmI()
      .then((me) => {
        if (state.kind === "signed-in" && state.me.email !== me.email) {
          // What the one before was shown is not for the next.
          queries.clear();
        }
        setState({ kind: "signed-in", me });
        setAsking(false);
      })
      .catch((error: unknown) => {
        // While the broker is away nothing is known; the next call tells.
        if (error instanceof ApiError && error.status < 500) {
          setAsking(true);
        }
      });
  }, [queries, state]);

  useEffect(() => {
    void startingState().then(setState);
  }, []);
  useEffect(
    () =>
      onTimes(() => {
        setTimes(sessionTimes());
      }),
    [],
  );
  useEffect(() => {
    const changed = (event: StorageEvent) => {
      if (event.key === "penstock.session") {
        setTimes(sessionTimes());
        if (event.newValue !== null && asking) {
          // Somebody signed in again in another tab, with cookies for all of them.
          reload();
        }
      }
    };
    window.addEventListener("storage", changed);
    return () => {
      window.removeEventListener("storage", changed);
    };
  }, [asking, reload]);
  useEffect(
    () =>
      onSessionOver(() => {
        setAsking(true);
      }),
    [],
  );

  const signIn = useCallback(
    async (email: string, password: string) => {
      const answer = await done(
        api.POST("/api/v1/auth/login", { body: { email, password, cookies: true } }),
      );
      const me = await whoAmI();
      if (state.kind === "signed-in" && state.me.email !== me.email) {
        // What the one before was shown is not for the next.
        queries.clear();
      }
      rememberTimes(answer);
      setState({ kind: "signed-in", me });
      setAsking(false);
      void queries.invalidateQueries();
    },
    [queries, state],
  );

  const signOut = useCallback(async () => {
    try {
      await post("/api/v1/auth/logout");
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) {
        throw error;
      }
    }
    rememberTimes(null);
    queries.clear();
    setAsking(false);
    setState({ kind: "signed-out", why: "left" });
  }, [queries]);

  const session = useMemo<Session>(
    () => ({
      state,
      asking,
      times,
      signIn,
      signOut,
      ask: () => {
        setAsking(true);
      },
      stopAsking: () => {
        setAsking(false);
      },
      retry: start,
      reload,
    }),
    [state, asking, times, signIn, signOut, start, reload],
  );
  return <Context.Provider value={session}>{children}</Context.Provider>;
}

export function useSession(): Session {
  const session = useContext(Context);
  if (session === null) {
    throw new Error("no session around this");
  }
  return session;
}

export function useMe(): Me {
  const { state } = useSession();
  if (state.kind !== "signed-in") {
    throw new Error("nobody is signed in here");
  }
  return state.me;
}

/** Whether the one who looks may do this. The broker judges again. */
export function useCan(): (permission: string) => boolean {
  const { state } = useSession();
  return useCallback(
    (permission) => state.kind === "signed-in" && state.me.permissions.has(permission),
    [state],
  );
}

const ROLE_OF: readonly (readonly [string, RegExp])[] = [
  ["Operator", /^(alarms:acknowledge|logs:read|requests:read|audit:read-own)$/],
  ["Engineer", /^(systems:(create|update|test|invoke|read-sealed)|pipelines:(create|update)|changes:create)$/],
  ["Viewer", /:read$/],
];

/** The least role that may, for telling somebody whom to ask. */
export function roleFor(permission: string): string {
  return permission === "audit:read"
    ? "Admin"
    : (ROLE_OF.find(([, pattern]) => pattern.test(permission))?.[0] ?? "Admin");
}
