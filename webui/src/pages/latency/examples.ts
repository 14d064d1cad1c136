import type { Picked } from "../../charts/Heatmap";
import { iso } from "./range";
import type { Of } from "./useLatency";

/** Calls are counted in the second in which they are read, at most one after their end. */
const EARLIER_S = 1;
/** Cells come from figures that are at most 1 % off. */
const OFF = 0.01;

/** Where the calls of a cell are to be found, as the query of the requests' page. */
export function examplesOf(cell: Picked, of: Of): Record<string, string | undefined> {
  const named = (value: string | undefined) =>
    value === undefined || value === "" || value.startsWith("(") ? undefined : value;
  return {
    from: iso(cell.fromT - EARLIER_S),
    to: iso(cell.toT),
    min_ms: figure(cell.lowMs * (1 - OFF)),
    max_ms: cell.highMs === null ? undefined : figure(cell.highMs * (1 + OFF)),
    agent: named(of.agent),
    system: named(of.system),
    of: String(cell.count),
  };
}

function figure(value: number): string {
  return String(Number(value.toPrecision(4)));
}
