import { HOPS, type CallRow, type Hop } from "../live/types";
import { ms } from "../parts/words";

const NAMES: Readonly<Record<Hop, string>> = {
  broker: "Broker",
  tunnel: "Tunnel, both ways",
  agent: "Agent",
  system: "System",
  body: "Body to the caller",
};

export function hopName(hop: Hop): string {
  return NAMES[hop];
}

interface Part {
  readonly hop: Hop;
  readonly value: number | null;
  readonly at: number;
}

/** Each from where the one before ended. */
function partsOf(hops: NonNullable<CallRow["hops"]>): readonly Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const hop of HOPS) {
    const value = hops[`${hop}_ms`];
    parts.push({ hop, value, at });
    at += value ?? 0;
  }
  return parts;
}

/**
 * Where the time of one call went. The hops are sums, not moments (one clock cannot tell the way out from
 * the way back), so they are drawn end to end in the order of the way.
 */
export function Waterfall({ call }: { readonly call: CallRow }) {
  if (call.hops === null) {
    return (
      <p className="muted">
        No system answered this call, so there are no hops: all {ms(call.total_ms)} went by before it failed.
      </p>
    );
  }
  const parts = partsOf(call.hops);
  const last = parts.at(-1);
  const whole = Math.max(call.total_ms, (last?.at ?? 0) + (last?.value ?? 0), 0.001);
  return (
    <table className="waterfall">
      <caption className="sr">Where the time went</caption>
      <thead className="sr">
        <tr>
          <th scope="col">Hop</th>
          <th scope="col">Time</th>
          <th scope="col">Share</th>
        </tr>
      </thead>
      <tbody>
        {parts.map(({ hop, value, at }) => {
          const within = value !== null && value <= call.error_ms;
          return (
            <tr key={hop}>
              <th scope="row">{NAMES[hop]}</th>
              <td className="end">{within ? `within ${ms(call.error_ms)}` : ms(value)}</td>
              <td className="lane">
                <span
                  className={`part ${hop}`}
                  style={{
                    marginLeft: `${String((at / whole) * 100)}%`,
                    width: `${String(((value ?? 0) / whole) * 100)}%`,
                  }}
                />
                <span className="sr">{value === null ? "not known" : `${((value / whole) * 100).toFixed(0)} %`}</span>
              </td>
            </tr>
          );
        })}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">Total</th>
          <td className="end">{ms(call.total_ms)}</td>
          <td className="muted">
            hops add up to it within ± {ms(call.error_ms)}; the two ways through the tunnel are one number
          </td>
        </tr>
      </tfoot>
    </table>
  );
}
