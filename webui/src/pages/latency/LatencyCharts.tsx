import { useNavigate } from "@tanstack/react-router";
import { Bands } from "../../charts/Bands";
import { Heatmap, type Picked } from "../../charts/Heatmap";
import { hopName } from "../../charts/Waterfall";
import { useCan } from "../../auth/session";
import type { Hop } from "../../live/types";
import { Empty, Failure, Loading, NotAvailable } from "../../parts/basics";
import { Panel } from "../../parts/Page";
import { ms, plural } from "../../parts/words";
import { examplesOf } from "./examples";
import type { Range } from "./range";
import { useTimes, type Times } from "./useLatency";

/** Both views of the same calls: percentiles, and all of them. */
export function LatencyCharts({
  range,
  agent,
  system,
  hop = "total",
  sloMs,
}: {
  readonly range: Range;
  readonly agent: string;
  readonly system: string;
  readonly hop?: Hop | "total";
  readonly sloMs?: number | null;
}) {
  const can = useCan();
  const navigate = useNavigate();
  const { data, error, refetch } = useTimes(range, { agent, system, hop });
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
    void navigate({ to: "/requests", search: examplesOf(cell, { agent, system }) as never });
  };
  const what = hop === "total" ? "the total time" : `the time in: ${hopName(hop).toLowerCase()}`;
  return (
    <>
      <Panel>
        <Bands
          title={`Percentiles of ${what}`}
          points={data.points}
          from={data.from}
          to={data.to}
          step={data.step}
          sloMs={sloMs ?? null}
        />
      </Panel>
      <Panel>
        <Heatmap
          title={hop === "total" ? "All calls" : `All calls, ${hopName(hop).toLowerCase()}`}
          columns={data.points}
          bounds={data.latency.bounds_ms}
          from={data.from}
          to={data.to}
          step={data.step}
          // Single calls are looked up by their total.
          onPick={can("requests:read") && hop === "total" ? pick : undefined}
        />
        <FinePrint data={data} />
      </Panel>
    </>
  );
}

function FinePrint({ data }: { readonly data: Times }) {
  const { latency } = data;
  const calls = data.points.reduce((sum, point) => sum + point.count, 0);
  const failed = data.points.reduce((sum, point) => sum + point.failed, 0);
  return (
    <p className="fine">
      {plural(calls, "call")}, {failed === 0 ? "all with" : `${plural(failed, "of them", "of them")} without`} an answer of
      a system. Steps of {latency.step_s} s{data.bySecond && ", and of one second since you look"}; a gap is a step without
      calls. Times are from the broker's first byte in to its last byte out; what a caller waits before it sends is not in
      them. Percentiles are at most {(latency.precision * 100).toFixed(0)} % off, times ± {ms(latency.error_ms)}.
    </p>
  );
}
