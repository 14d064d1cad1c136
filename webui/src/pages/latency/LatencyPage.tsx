import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Bands } from "../../charts/Bands";
import { TextField, Failure, NotAvailable } from "../../parts/basics";
import { DataTable, sorted, type Column } from "../../parts/DataTable";
import { Page, Panel } from "../../parts/Page";
import { useUrl } from "../../parts/search";
import { count, ms, plural } from "../../parts/words";
import { useNarrowed } from "../../live/live";
import { HOPS, type Series } from "../../live/types";
import { LatencyCharts } from "./LatencyCharts";
import { Selection } from "./Selection";
import { useLatency, useRange, useSeries } from "./useLatency";
import { askedOf, type Range } from "./range";

export const SERIES_COLUMNS: readonly Column<Series>[] = [
  { id: "system", head: "System", key: (it) => it.system, cell: (it) => <span className="strong">{it.system}</span> },
  {
    id: "agent",
    head: "Agent",
    key: (it) => it.agent,
    cell: (it) =>
      it.agent.startsWith("(") ? (
        <span className="muted">{it.agent}</span>
      ) : (
        <Link to="/agents/$agent" params={{ agent: it.agent }}>
          {it.agent}
        </Link>
      ),
  },
  { id: "count", head: "Calls", key: (it) => it.count, cell: (it) => count(it.count), align: "end", drop: 3 },
  {
    id: "failed",
    head: "Failed",
    key: (it) => it.failed,
    cell: (it) => (it.failed === 0 ? <span className="muted">0</span> : <span className="bad-text">{count(it.failed)}</span>),
    align: "end",
    drop: 2,
  },
  { id: "p50", head: "p50", key: (it) => it.p50_ms, cell: (it) => ms(it.p50_ms), align: "end" },
  { id: "p90", head: "p90", key: (it) => it.p90_ms, cell: (it) => ms(it.p90_ms), align: "end", drop: 2 },
  { id: "p99", head: "p99", key: (it) => it.p99_ms, cell: (it) => <strong>{ms(it.p99_ms)}</strong>, align: "end" },
  { id: "max", head: "Max", key: (it) => it.max_ms, cell: (it) => ms(it.max_ms), align: "end", drop: 2 },
];

export default function LatencyPage() {
  const [search, setSearch] = useUrl();
  const range = useRange(search);
  const series = useSeries(range);
  const [slo, setSlo] = useState(search["slo"] ?? "");
  const agent = search["agent"] ?? "";
  const system = search["system"] ?? "";
  const hop = HOPS.find((it) => it === search["hop"]) ?? "total";
  useNarrowed(agent);
  const list = series.data?.series ?? [];
  const sort = search["sort"] ?? "-p99";
  const sloMs = Number.parseFloat(slo);
  return (
    <Page
      title="Latency"
      beside={
        <TextField
          label="Objective in ms"
          type="number"
          value={slo}
          onChange={(next) => {
            setSlo(next);
            setSearch({ slo: next });
          }}
        />
      }
    >
      {series.data === null ? (
        <NotAvailable what="Latency" />
      ) : (
        <>
          <Selection range={range} series={list} hops />
          {series.error !== null && series.data === undefined && (
            <Failure error={series.error} again={() => void series.refetch()} />
          )}
          <LatencyCharts
            range={range}
            agent={agent}
            system={system}
            hop={hop}
            sloMs={Number.isNaN(sloMs) || sloMs <= 0 ? null : sloMs}
          />
          <Compare range={range} agent={agent} system={system} />
          {list.length > 0 && (
            <Panel title={`By system (${plural(list.length, "series", "series")})`} flush>
              <DataTable
                label="Latency by agent and system"
                columns={SERIES_COLUMNS}
                rows={sorted(list, SERIES_COLUMNS, sort, (it) => `${it.agent}/${it.system}`)}
                rowKey={(it) => `${it.agent}/${it.system}`}
                sort={sort}
                onSort={(next) => {
                  setSearch({ sort: next });
                }}
                onOpen={(it) => {
                  setSearch({ agent: it.agent, system: it.system });
                }}
                selected={`${agent}/${system}`}
              />
            </Panel>
          )}
        </>
      )}
    </Page>
  );
}

const BEFORE: readonly (readonly [string, string, number])[] = [
  ["", "Nothing", 0],
  ["range", "The time just before", -1],
  ["1h", "An hour earlier", 3_600],
  ["24h", "A day earlier", 86_400],
  ["7d", "A week earlier", 604_800],
];

/** The same, earlier: whether it was always like this. */
function Compare({
  range,
  agent,
  system,
}: {
  readonly range: Range;
  readonly agent: string;
  readonly system: string;
}) {
  const [search, setSearch] = useUrl();
  const chosen = BEFORE.find(([id]) => id === search["compare"]) ?? BEFORE[0];
  const back = chosen?.[2] ?? 0;
  const asked = askedOf(range);
  const shift = back < 0 ? asked.toT - asked.fromT : back;
  return (
    <Panel
      title="Compare with"
      beside={
        <select
          aria-label="Compare with"
          value={chosen?.[0] ?? ""}
          onChange={(event) => {
            setSearch({ compare: event.target.value });
          }}
        >
          {BEFORE.map(([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      }
    >
      {shift === 0 ? (
        <p className="muted">Choose an earlier time to see it below the one above.</p>
      ) : (
        <Earlier
          range={{ fromT: asked.fromT - shift, toT: asked.toT - shift, moving: false }}
          agent={agent}
          system={system}
          hop={search["hop"]}
        />
      )}
    </Panel>
  );
}

function Earlier({
  range,
  agent,
  system,
  hop,
}: {
  readonly range: Range;
  readonly agent: string;
  readonly system: string;
  readonly hop: string | undefined;
}) {
  const { data, error, refetch } = useLatency(range, { agent, system, hop });
  if (error !== null && data === undefined) {
    return <Failure error={error} again={() => void refetch()} />;
  }
  if (data === undefined || data === null) {
    return <p className="muted">Loading…</p>;
  }
  return data.points.length === 0 ? (
    <p className="muted">No call in that time.</p>
  ) : (
    <Bands title="Earlier" points={data.points} from={range.fromT} to={range.toT} step={data.step_s} />
  );
}
