import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Heatmap } from "../../charts/Heatmap";
import { useCan } from "../../auth/session";
import type { Overview, Worst } from "../../live/types";
import { Ago, Badge, Empty, Failure, Loading } from "../../parts/basics";
import { DataTable } from "../../parts/DataTable";
import { Page, Panel } from "../../parts/Page";
import { alarmsQuery, overviewQuery, useAgents } from "../../parts/queries";
import { count, ms, percent, plural, rate } from "../../parts/words";
import { severityTone } from "../alarms/severity";
import { isSetUp } from "../agents/agentState";
import { examplesOf } from "../latency/examples";
import { useNow, useTimes } from "../latency/useLatency";
import { FirstRun } from "./FirstRun";

export default function OverviewPage() {
  const can = useCan();
  const { data: agents, error: agentsError } = useAgents();
  const { data, error, refetch } = useQuery({ ...overviewQuery, enabled: can("dashboards:read") });
  if (agents !== undefined && !agents.some(isSetUp)) {
    return <FirstRun agents={agents} />;
  }
  const failure = agentsError ?? error;
  // What is not known yet is not told as none.
  const unknown = can("dashboards:read") && data === undefined && error === null;
  return (
    <Page title="Overview">
      {failure !== null && <Failure error={failure} again={() => void refetch()} />}
      {agents === undefined || unknown ? (
        failure === null && <Loading />
      ) : (
        <>
          <Tiles overview={data ?? null} />
          {can("dashboards:read") && data !== null && <FleetHeat />}
          <div className="columns">
            {data !== undefined && data !== null && <WorstList worst={data.worst} />}
            {can("alarms:read") && <OpenAlarms />}
          </div>
        </>
      )}
    </Page>
  );
}

function Tile({
  name,
  value,
  unit,
  beside,
  to,
  search,
  tone,
}: {
  readonly name: string;
  readonly value: ReactNode;
  readonly unit?: string;
  readonly beside?: ReactNode;
  readonly to?: string;
  readonly search?: Readonly<Record<string, string>>;
  readonly tone?: "bad" | "warn" | "ok" | undefined;
}) {
  const inside = (
    <>
      <span className="tile-name">{name}</span>
      <span className={`tile-value ${tone ?? ""}`}>
        {value}
        {unit !== undefined && <small> {unit}</small>}
      </span>
      <span className="tile-beside">{beside ?? " "}</span>
    </>
  );
  return to === undefined ? (
    <div className="tile">{inside}</div>
  ) : (
    <Link to={to} search={(search ?? {}) as never} className="tile">
      {inside}
    </Link>
  );
}

function Tiles({ overview }: { readonly overview: Overview | null }) {
  const { data: all = [] } = useAgents();
  const can = useCan();
  const approved = all.filter((agent) => agent.state === "approved");
  const online = overview?.agents.online ?? approved.filter((agent) => agent.online).length;
  const offline = overview?.agents.offline ?? approved.length - online;
  const quarantined = overview?.agents.quarantined ?? all.filter((agent) => agent.state === "quarantined").length;
  const waiting = overview?.undelivered ?? all.reduce((sum, agent) => sum + agent.undelivered, 0);
  const quiet = overview !== null && (overview.requests_per_s ?? 0) === 0;
  const alarms = overview?.alarms;
  const open = alarms === null || alarms === undefined ? null : alarms.critical + alarms.high + alarms.medium + alarms.low;
  return (
    <div className="tiles">
      <Tile
        name="Agents online"
        value={
          <>
            {count(online)}
            <small> of {count(online + offline)}</small>
          </>
        }
        tone={offline + quarantined > 0 ? "bad" : "ok"}
        beside={
          [
            ...(offline > 0 ? [`${count(offline)} offline`] : []),
            ...(quarantined > 0 ? [`${count(quarantined)} quarantined`] : []),
          ].join(", ") || "all of them"
        }
        to="/agents"
        search={offline > 0 ? { q: "state:offline" } : {}}
      />
      {overview !== null && (
        <>
          <Tile
            name="Calls"
            value={quiet ? "none" : rate(overview.requests_per_s)}
            {...(quiet ? {} : { unit: "/s" })}
            beside={quiet ? `in the last ${String(overview.window_s)} s` : overview.running === null ? undefined : `${count(overview.running)} running`}
            {...(can("requests:read") ? { to: "/requests" } : {})}
          />
          <Tile
            name="Errors"
            value={overview.error_rate === null ? "–" : percent(overview.error_rate)}
            tone={(overview.error_rate ?? 0) > 0.01 ? "bad" : undefined}
            beside={overview.error_rate === null ? "no calls" : `${rate(overview.failed_per_s)} /s unanswered`}
            {...(can("requests:read") ? { to: "/requests", search: { status: "5xx" } } : {})}
          />
          <Tile
            name="Time, p50"
            value={ms(overview.p50_ms)}
            beside={`p99 ${ms(overview.p99_ms)}`}
            to="/latency"
          />
          <Tile
            name="Available, 24 h"
            value={percent(overview.availability_24h)}
            beside="mean of the agents"
            to="/agents"
            search={{ sort: "availability" }}
          />
        </>
      )}
      <Tile
        name="Waiting messages"
        value={count(waiting)}
        tone={waiting > 0 ? "warn" : undefined}
        beside={waiting > 0 ? "kept until delivered" : "all delivered"}
        to="/agents"
        search={{ q: "has:backlog" }}
      />
      {open !== null && can("alarms:read") && (
        <Tile
          name="Open alarms"
          value={count(open)}
          tone={open > 0 ? "bad" : undefined}
          beside={(alarms?.critical ?? 0) + (alarms?.high ?? 0) > 0 ? `${count((alarms?.critical ?? 0) + (alarms?.high ?? 0))} critical or high` : undefined}
          to="/alarms"
        />
      )}
    </div>
  );
}

const SECONDS = 600;

/** The last ten minutes of all calls, a column a second, moving while you look. */
function FleetHeat() {
  const can = useCan();
  const navigate = useNavigate();
  const toT = Math.floor(useNow() / 1000);
  const { data, error, refetch } = useTimes({ fromT: toT - SECONDS, toT, moving: true }, {});
  if (error !== null && data === undefined) {
    return <Failure error={error} again={() => void refetch()} />;
  }
  if (data === undefined || data === null) {
    return null;
  }
  return (
    <Panel>
      {data.points.length === 0 ? (
        <Empty title="No calls in the last ten minutes">
          <p>As soon as a service calls a system, each call is a dot here: when, and how long it took.</p>
        </Empty>
      ) : (
        <Heatmap
          title="All calls, last 10 minutes"
          columns={data.points}
          bounds={data.latency.bounds_ms}
          from={data.from}
          to={data.to}
          step={data.step}
          tall={false}
          onPick={
            can("requests:read")
              ? (cell) => {
                  void navigate({ to: "/requests", search: examplesOf(cell, {}) as never });
                }
              : undefined
          }
        />
      )}
    </Panel>
  );
}

function WorstList({ worst }: { readonly worst: readonly Worst[] }) {
  const navigate = useNavigate();
  return (
    <Panel title="Slowest systems, last 5 minutes" flush={worst.length > 0}>
      {worst.length === 0 ? (
        <p className="muted">No calls in the last five minutes.</p>
      ) : (
        <DataTable
          label="Slowest systems"
          rows={worst}
          rowKey={(it) => `${it.agent}/${it.system}`}
          onOpen={(it) =>
            void navigate({ to: "/latency", search: { agent: it.agent, system: it.system } as never })
          }
          columns={[
            {
              id: "system",
              head: "System",
              cell: (it) => (
                <>
                  <span className="strong">{it.system}</span> <span className="muted">{it.agent}</span>
                </>
              ),
            },
            { id: "count", head: "Calls", cell: (it) => count(it.count), align: "end", drop: 3 },
            {
              id: "failed",
              head: "Failed",
              cell: (it) => (it.failed > 0 ? <span className="bad-text">{count(it.failed)}</span> : "0"),
              align: "end",
            },
            { id: "p99", head: "p99", cell: (it) => <strong>{ms(it.p99_ms)}</strong>, align: "end" },
          ]}
        />
      )}
    </Panel>
  );
}

function OpenAlarms() {
  const { data, error, refetch, dataUpdatedAt } = useQuery(alarmsQuery);
  const open = (data ?? []).filter((alarm) => alarm.acknowledged_at === null && alarm.cleared_at === null).slice(0, 8);
  return (
    <Panel
      title="Open alarms"
      beside={
        <Link to="/alarms" className="quiet-link">
          All alarms
        </Link>
      }
    >
      {data === undefined ? (
        error === null ? (
          <Loading rows={2} />
        ) : (
          <Failure error={error} again={() => void refetch()} />
        )
      ) : open.length === 0 ? (
        <p className="muted">
          None. Looked <Ago at={new Date(dataUpdatedAt).toISOString()} />.
        </p>
      ) : (
        <ul className="alarm-list">
          {open.map((alarm) => (
            <li key={alarm.id}>
              <Badge tone={severityTone(alarm.severity)}>{alarm.severity}</Badge>
              <Link to="/alarms" search={{ id: String(alarm.id) } as never}>
                {alarm.message}
              </Link>
              <span className="muted">
                <Ago at={alarm.last_at} />
                {alarm.occurrences > 1 && `, ${plural(alarm.occurrences, "time")}`}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
