import { Link, useNavigate } from "@tanstack/react-router";
import { useDeferredValue, useEffect, useMemo, useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { useCan } from "../../auth/session";
import type { Agent } from "../../live/agentPatches";
import { lookEveryMs, useMoving } from "../../live/live";
import { Ago, Badge, Button, Empty, Failure, Loading, SelectField } from "../../parts/basics";
import { csvOf, download } from "../../parts/csv";
import { DataTable, sorted, type Column } from "../../parts/DataTable";
import { matches, termsOf } from "../../parts/filter";
import { FilterBar } from "../../parts/FilterBar";
import { Page, Panel } from "../../parts/Page";
import { agentsQuery } from "../../parts/queries";
import { useUrl } from "../../parts/search";
import { count, ms, percent, plural } from "../../parts/words";
import { healthOf, searchable } from "./agentState";

const COLUMNS: readonly Column<Agent>[] = [
  {
    id: "id",
    head: "Agent",
    key: (agent) => agent.id,
    cell: (agent) => (
      <Link to="/agents/$agent" params={{ agent: agent.id }} className="strong" tabIndex={-1}>
        {agent.id}
      </Link>
    ),
  },
  {
    id: "state",
    head: "State",
    key: (agent) => healthOf(agent).order,
    cell: (agent) => <Badge tone={healthOf(agent).tone}>{healthOf(agent).word}</Badge>,
  },
  { id: "site", head: "Site", key: (agent) => agent.site, cell: (agent) => agent.site, drop: 3 },
  {
    id: "labels",
    head: "Labels",
    cell: (agent) => (
      <span className="labels">
        {Object.entries(agent.labels).map(([name, value]) => (
          <span key={name} className="label">
            {name}={value}
          </span>
        ))}
      </span>
    ),
    drop: 1,
  },
  {
    id: "rtt",
    head: "Round trip p99",
    key: (agent) => agent.latency_ms.p99,
    cell: (agent) => ms(agent.latency_ms.p99),
    align: "end",
    drop: 2,
  },
  {
    id: "calls",
    head: "Calls p99, 5 min",
    key: (agent) => agent.invocations_5m?.p99_ms ?? null,
    cell: (agent) => {
      const calls = agent.invocations_5m;
      return calls === null ? (
        <span className="muted">–</span>
      ) : (
        <>
          {calls.failed > 0 && <span className="bad-text">{count(calls.failed)} failed </span>}
          {ms(calls.p99_ms)}
        </>
      );
    },
    align: "end",
    drop: 2,
  },
  {
    id: "availability",
    head: "24 h",
    key: (agent) => agent.availability_24h,
    cell: (agent) => percent(agent.availability_24h),
    align: "end",
    drop: 2,
  },
  {
    id: "backlog",
    head: "Waiting",
    key: (agent) => agent.undelivered,
    cell: (agent) => (agent.undelivered === 0 ? <span className="muted">0</span> : count(agent.undelivered)),
    align: "end",
    drop: 3,
  },
  {
    id: "address",
    head: "Address",
    key: (agent) => agent.remote_ip,
    cell: (agent) => <span className="mono">{agent.remote_ip ?? "–"}</span>,
    drop: 1,
  },
  {
    id: "since",
    head: "Connected",
    key: (agent) => (agent.connected_at === null ? null : -Date.parse(agent.connected_at)),
    cell: (agent) => (agent.online ? <Ago at={agent.connected_at} /> : <span className="muted">–</span>),
    drop: 3,
  },
];

const FIGURES_MS = 15_000;

const SAVED: readonly (readonly [string, string])[] = [
  ["", "All agents"],
  ["state:online", "Online"],
  ["state:offline", "Offline"],
  ["state:pending", "Pending"],
  ["has:backlog", "With waiting messages"],
  ["has:drift", "Behind their configuration"],
];

export default function AgentsPage() {
  const [search, setSearch] = useUrl();
  const navigate = useNavigate();
  const can = useCan();
  const moving = useMoving();
  const { data, error, refetch } = useQuery({
    ...agentsQuery,
    // Calls and round trips of the last minutes are told by no event.
    refetchInterval: (it) => (moving ? Math.max(FIGURES_MS, lookEveryMs(it.state.data?.length ?? 0, 0)) : false),
  });
  const query = search["q"] ?? "";
  const sort = search["sort"] ?? "state";
  const wanted = useDeferredValue(query);

  // Sorted once, filtered with every letter.
  const ordered = useMemo(() => sorted(data ?? [], COLUMNS, sort, (agent) => agent.id), [data, sort]);
  usePrepared(ordered);
  const { shown, moved, apply, hold } = useHeld(ordered, sort);
  const rows = useMemo(() => {
    const terms = termsOf(wanted);
    return terms.length === 0 ? shown : shown.filter((agent) => matches(searchable(agent), terms));
  }, [shown, wanted]);

  return (
    <Page
      title="Agents"
      beside={
        <>
          <Button
            onClick={() => {
              download("agents.csv", csvOf(rows.map(flat)));
            }}
          >
            Export CSV
          </Button>
          {can("enrollment-tokens:manage") && (
            <Link to="/enrollment" className="button primary">
              Enroll an agent
            </Link>
          )}
        </>
      }
    >
      {error !== null && <Failure error={error} again={() => void refetch()} />}
      {data === undefined ? (
        error === null && <Loading />
      ) : data.length === 0 ? (
        <Empty
          title="No agent yet"
          action={
            can("enrollment-tokens:manage") && (
              <Link to="/enrollment" className="button primary">
                Create an enrollment token
              </Link>
            )
          }
        >
          <p>An agent runs on premise, dials out to this broker and makes systems there callable.</p>
          {!can("enrollment-tokens:manage") && <p>An Admin can enroll one.</p>}
        </Empty>
      ) : (
        <Panel flush>
          <FilterBar
            query={query}
            onQuery={(q) => {
              setSearch({ q });
            }}
            placeholder="Filter: name, site:berlin, label:hall=8, -state:online"
            hint="Words, or site:, state:, label:, system:, online:yes, has:backlog, has:drift; a hyphen in front turns a term round"
            shown={
              rows.length === data.length
                ? plural(data.length, "agent")
                : `${count(rows.length)} of ${plural(data.length, "agent")}`
            }
          >
            <div className="actions">
              {moved && (
                <Button label="Sort again: rows would stand elsewhere now" onClick={apply}>
                  Sort again
                </Button>
              )}
            <SelectField
              quiet
              label="Saved filter"
              value={SAVED.find(([saved]) => saved === query)?.[0] ?? "?"}
              options={SAVED.some(([saved]) => saved === query) ? SAVED : [["?", "Own filter"], ...SAVED]}
              onChange={(q) => {
                if (q !== "?") {
                  setSearch({ q });
                }
              }}
            />
            </div>
          </FilterBar>
          {rows.length === 0 ? (
            <Empty
              title="No agent is like that"
              action={
                <Button
                  onClick={() => {
                    setSearch({ q: "" });
                  }}
                >
                  Clear the filter
                </Button>
              }
            >
              <p>
                Filter: <code>{query}</code>
              </p>
            </Empty>
          ) : (
            <div
              onPointerEnter={() => {
                hold(true);
              }}
              onPointerLeave={() => {
                hold(false);
              }}
            >
            <DataTable
              label="Agents"
              columns={COLUMNS}
              rows={rows}
              rowKey={(agent) => agent.id}
              sort={sort}
              onSort={(next) => {
                setSearch({ sort: next });
              }}
              onOpen={(agent) => void navigate({ to: "/agents/$agent", params: { agent: agent.id } })}
              tone={(agent) => (agent.state === "revoked" || agent.state === "rejected" ? "off" : undefined)}
            />
            </div>
          )}
        </Panel>
      )}
    </Page>
  );
}

const AT_ONCE = 500;

/** Before the first letter is typed, a few rows at a time, so that it takes no longer than the next. */
function usePrepared(agents: readonly Agent[]): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const from = (start: number) => {
      agents.slice(start, start + AT_ONCE).forEach(searchable);
      if (start + AT_ONCE < agents.length) {
        timer = setTimeout(from, 0, start + AT_ONCE);
      }
    };
    timer = setTimeout(from, 0, 0);
    return () => {
      clearTimeout(timer);
    };
  }, [agents]);
}

/** The list in the order it had when the pointer came: what one is about to click does not move away. */
function useHeld(ordered: readonly Agent[], sort: string) {
  const [order, setOrder] = useState<{ readonly sort: string; readonly ids: readonly string[] } | null>(null);
  const held = order !== null && order.sort === sort ? order.ids : null;
  const shown = useMemo(() => {
    if (held === null) {
      return ordered;
    }
    const now = new Map(ordered.map((agent) => [agent.id, agent]));
    const kept = held.flatMap((id) => now.get(id) ?? []);
    const known = new Set(held);
    return [...kept, ...ordered.filter((agent) => !known.has(agent.id))];
  }, [ordered, held]);
  const moved = useMemo(() => shown.some((agent, index) => ordered[index]?.id !== agent.id), [shown, ordered]);
  const ids = () => ({ sort, ids: ordered.map((agent) => agent.id) });
  return {
    shown,
    moved,
    apply: () => {
      setOrder(ids());
    },
    hold: (hold: boolean) => {
      setOrder(hold ? ids() : null);
    },
  };
}

function flat(agent: Agent): Record<string, unknown> {
  return {
    agent: agent.id,
    site: agent.site,
    state: agent.state,
    online: agent.online,
    labels: Object.entries(agent.labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(" "),
    remote_ip: agent.remote_ip,
    connected_at: agent.connected_at,
    availability_24h: agent.availability_24h,
    round_trip_p50_ms: agent.latency_ms.p50,
    round_trip_p99_ms: agent.latency_ms.p99,
    undelivered: agent.undelivered,
    config_version: agent.config_version,
    applied_version: agent.applied_version,
  };
}
