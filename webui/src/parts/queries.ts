import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, done, optional } from "../api/client";
import type { Overview } from "../live/types";
import { useCan } from "../auth/session";

/** `live`: looked at again where no stream tells of changes. */
const LIVE = { live: true } as const;

export const agentsQuery = queryOptions({
  queryKey: ["agents"],
  queryFn: () => done(api.GET("/api/v1/agents")),
  meta: LIVE,
});

export function useAgents() {
  const can = useCan();
  return useQuery({ ...agentsQuery, enabled: can("agents:read") });
}

export const agentQuery = (id: string) =>
  queryOptions({
    queryKey: ["agent", id],
    queryFn: () => done(api.GET("/api/v1/agents/{id}", { params: { path: { id } } })),
    meta: LIVE,
  });

export const systemsQuery = (id: string) =>
  queryOptions({
    queryKey: ["systems", id],
    queryFn: async () =>
      (await done(api.GET("/api/v1/agents/{id}/systems", { params: { path: { id } } }))).systems,
    meta: LIVE,
  });

export const systemQuery = (id: string, system: string) =>
  queryOptions({
    queryKey: ["systems", id, system],
    queryFn: () =>
      done(api.GET("/api/v1/agents/{id}/systems/{system}", { params: { path: { id, system } } })),
    meta: LIVE,
  });

export const versionsQuery = (id: string, system: string) =>
  queryOptions({
    queryKey: ["systems", id, system, "versions"],
    queryFn: async () =>
      (
        await done(
          api.GET("/api/v1/agents/{id}/systems/{system}/versions", {
            params: { path: { id, system } },
          }),
        )
      ).versions,
    meta: LIVE,
  });

export const messagesQuery = (id: string) =>
  queryOptions({
    queryKey: ["messages", id],
    queryFn: async () =>
      (await done(api.GET("/api/v1/agents/{id}/messages", { params: { path: { id } } }))).messages,
    meta: LIVE,
  });

export const pluginsQuery = queryOptions({
  queryKey: ["plugins"],
  queryFn: async () => (await done(api.GET("/api/v1/plugins"))).plugins,
  staleTime: Number.POSITIVE_INFINITY,
});

export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: () => done(api.GET("/api/v1/enrollment-tokens")),
  meta: LIVE,
});

export const alarmsQuery = queryOptions({
  queryKey: ["alarms"],
  queryFn: () => done(api.GET("/api/v1/alarms", { params: { query: { limit: 500 } } })),
  meta: LIVE,
});

/** One definition for all who look: whoever looks last decides what a query is. */
export const overviewQuery = queryOptions({
  queryKey: ["overview"],
  queryFn: ({ signal }) => optional<Overview>("/api/v1/overview", signal),
  meta: LIVE,
});

/** What the stream told last; nothing is asked for. */
function useHeardOverview(): Overview | null {
  const { data } = useQuery({ ...overviewQuery, enabled: false });
  return data ?? null;
}

/**
 * Agents that wait for somebody's approval: new ones, and known ones with new keys. While one agent is
 * looked at the list hears of that one only, and the overview of all.
 */
export function usePendingCount(): number {
  const can = useCan();
  const { data = [] } = useAgents();
  const heard = useHeardOverview();
  if (!can("agents:manage")) {
    return 0;
  }
  const anew = data.filter((agent) => agent.state !== "pending" && agent.pending_fingerprint !== null).length;
  return anew + (heard?.agents.pending ?? data.filter((agent) => agent.state === "pending").length);
}

export function useAlarmCount(): number {
  const can = useCan();
  const { data } = useQuery({ ...alarmsQuery, enabled: can("alarms:read") });
  return (data ?? []).filter((alarm) => alarm.state === "open" && !alarm.silenced).length;
}
