import { Link } from "@tanstack/react-router";
import { hopName } from "../../charts/Waterfall";
import { useLive, useNarrowed } from "../../live/live";
import type { Figures, Hop, Hops, LatencySecond } from "../../live/types";
import { Empty, Failure, Loading, Note, NotAvailable } from "../../parts/basics";
import { Page, Panel } from "../../parts/Page";
import { useUrl } from "../../parts/search";
import { count, ms, plural } from "../../parts/words";
import { Selection } from "./Selection";
import { meanOf } from "./seconds";
import { useHops, useRange, useSeconds, useSeries } from "./useLatency";

/** How far back "now" reaches. */
const NOW_S = 10;

export default function HopsPage() {
  const [search] = useUrl();
  const range = useRange(search);
  const series = useSeries(range);
  const of = { agent: search["agent"], system: search["system"] };
  useNarrowed(of.agent);
  const { data, error, refetch } = useHops(range, of);
  const { seconds } = useSeconds(of, NOW_S);
  const { state } = useLive();
  // All calls of one system behind whichever agent are not told by the second.
  const told = state.kind === "live" && ((of.agent ?? "") !== "" || (of.system ?? "") === "");
  const now = told && range.moving ? seconds.filter((it) => it.t >= range.toT - NOW_S - 1) : null;
  return (
    <Page title="Hops">
      {data === null ? (
        <NotAvailable what="The breakdown by hop" />
      ) : (
        <>
          <Selection range={range} series={series.data?.series ?? []} />
          {error !== null && data === undefined && <Failure error={error} again={() => void refetch()} />}
          {data === undefined ? (
            error === null && <Loading />
          ) : data.count === 0 ? (
            <Empty title="No call in this time">
              <p>As soon as a service calls a system, this shows in which hop its time goes.</p>
            </Empty>
          ) : (
            <Breakdown hops={data} now={now} />
          )}
        </>
      )}
    </Page>
  );
}

const AT = [
  ["mean_ms", "Mean"],
  ["p50_ms", "p50"],
  ["p90_ms", "p90"],
  ["p99_ms", "p99"],
  ["p999_ms", "p99.9"],
] as const;

function Breakdown({ hops, now }: { readonly hops: Hops; readonly now: readonly LatencySecond[] | null }) {
  const slowest = hops.hops.reduce<(Figures & { readonly hop: Hop }) | null>(
    (most, hop) => ((hop.p99_ms ?? 0) > (most?.p99_ms ?? -1) ? hop : most),
    null,
  );
  return (
    <>
      {slowest !== null && (
        <Note kind="info">
          The slow calls spend most in <strong>{hopName(slowest.hop).toLowerCase()}</strong>: {ms(slowest.p99_ms)} at p99
          of {ms(hops.total.p99_ms)} in all.
        </Note>
      )}
      <Panel title="Where the time goes">
        <ul className="legend">
          {hops.hops.map((hop) => (
            <li key={hop.hop}>
              <span className={`key ${hop.hop}`} aria-hidden="true" />
              {hopName(hop.hop)}
            </li>
          ))}
        </ul>
        <div className="stacks" aria-hidden="true">
          {AT.map(([figure, name]) => {
            const sum = hops.hops.reduce((all, hop) => all + (hop[figure] ?? 0), 0);
            return (
              <div key={figure} className="stack-row">
                <span>{name}</span>
                <span className="stack-bar">
                  {hops.hops.map((hop) => (
                    <span
                      key={hop.hop}
                      className={`part ${hop.hop}`}
                      title={`${hopName(hop.hop)} ${ms(hop[figure])}`}
                      style={{ width: `${String(((hop[figure] ?? 0) / Math.max(sum, 0.001)) * 100)}%` }}
                    />
                  ))}
                </span>
                <span className="end">{ms(hops.total[figure])}</span>
              </div>
            );
          })}
        </div>
        <div className="table-scroll" tabIndex={0} role="group" aria-label="Times by hop">
          <table className="table" aria-label="Times by hop">
            <thead>
              <tr>
                <th scope="col">Hop</th>
                {AT.map(([figure, name]) => (
                  <th key={figure} scope="col" className="end">
                    {name}
                  </th>
                ))}
                <th scope="col" className="end">
                  Max
                </th>
                {now !== null && (
                  <th scope="col" className="end">
                    Mean, last {NOW_S} s
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {hops.hops.map((hop) => (
                <tr key={hop.hop}>
                  <th scope="row">{hopName(hop.hop)}</th>
                  {AT.map(([figure]) => (
                    <td key={figure} className="end">
                      {hop[figure] !== null && hop[figure] <= hops.error_ms ? (
                        <span className="muted">within error</span>
                      ) : (
                        ms(hop[figure])
                      )}
                    </td>
                  ))}
                  <td className="end">{ms(hop.max_ms)}</td>
                  {now !== null && <td className="end">{ms(meanOf(now, hop.hop))}</td>}
                </tr>
              ))}
              <tr>
                <th scope="row">Total</th>
                {AT.map(([figure]) => (
                  <td key={figure} className="end">
                    <strong>{ms(hops.total[figure])}</strong>
                  </td>
                ))}
                <td className="end">{ms(hops.total.max_ms)}</td>
                {now !== null && (
                  <td className="end">
                    <strong>{ms(meanOf(now, "total"))}</strong>
                  </td>
                )}
              </tr>
            </tbody>
          </table>
        </div>
        <p className="fine">
          {count(hops.count)} calls, {plural(hops.failed, "failure")}. Means add up to the total (± {ms(hops.error_ms)}):{" "}
          {ms(hops.hops_mean_sum_ms)} of {ms(hops.total.mean_ms)}. Percentiles of hops do not: the slowest calls of one hop
          are not those of another, so each bar shows shares. Single calls are under{" "}
          <Link to="/requests">Requests</Link>.
        </p>
      </Panel>
    </>
  );
}
