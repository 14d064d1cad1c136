import { useNavigate } from "@tanstack/react-router";
import { Bands } from "../../charts/Bands";
import { Heatmap, type Picked } from "../../charts/Heatmap";
import { useCan } from "../../auth/session";
import type { Latency } from "../../live/types";
import { Empty, Failure, Loading, NotAvailable } from "../../parts/basics";
import { Panel } from "../../parts/Page";
import { ms, plural } from "../../parts/words";
import { iso, type Range } from "./range";
import { useLatency } from "./useLatency";

/** Both views of the same calls: percentiles, and all of them. */
export function LatencyCharts({
  range,
  agent,
  system,
  sloMs,
}: {
  readonly range: Range;
  readonly agent: string;
  readonly system: string;
  readonly sloMs?: number | null;
}) {
  const can = useCan();
  const navigate = useNavigate();
  const { data, error, refetch } = useLatency(range, { agent, system });
  if (error !== null && data === undefined) {
    return <Failure error={error} again={() => void refetch()} />;
  }
  if (data === undefined) {
    return <Loading />;
  }
  if (data === null) {
    return <NotAvailable what="Latency" />;
  }
  if (data.points.length === 0) {
    return (
      <Empty title="No call in this time">
        <p>
          As soon as a service calls {system === "" ? "a system" : system}
          {agent === "" ? "" : ` behind ${agent}`}, its times appear here. Choose a longer time to look back.
        </p>
      </Empty>
    );
  }
  const pick = (cell: Picked) => {
    void navigate({
      to: "/requests",
      search: {
        from: iso(cell.fromT),
        to: iso(cell.toT),
        min_ms: String(cell.lowMs),
        max_ms: cell.highMs === null ? undefined : String(cell.highMs),
        agent: agent === "" ? undefined : agent,
        system: system === "" ? undefined : system,
      } as never,
    });
  };
  return (
    <>
      <Panel>
        <Bands
          title="Percentiles of the total time"
          points={data.points}
          from={range.fromT}
          to={range.toT}
          step={data.step_s}
          sloMs={sloMs ?? null}
        />
      </Panel>
      <Panel>
        <Heatmap
          title="All calls"
          columns={data.points}
          bounds={data.bounds_ms}
          from={range.fromT}
          to={range.toT}
          step={data.step_s}
          onPick={can("requests:read") ? pick : undefined}
        />
        <FinePrint data={data} />
      </Panel>
    </>
  );
}

function FinePrint({ data }: { readonly data: Latency }) {
  const calls = data.points.reduce((sum, point) => sum + point.count, 0);
  const failed = data.points.reduce((sum, point) => sum + point.failed, 0);
  return (
    <p className="fine">
      {plural(calls, "call")}, {plural(failed, "failure")} without an answer of a system. Steps of {data.step_s} s;
      a gap is a step without calls. Times are from the broker's first byte in to its last byte out; what a caller
      waits before it sends is not in them. Percentiles are at most {(data.precision * 100).toFixed(0)} % off, times
      ± {ms(data.error_ms)}.
    </p>
  );
}
