import type { TimedPoint } from "../../charts/Bands";
import type { Figures, Hop, LatencySecond } from "../../live/types";

/** The seconds that were heard, oldest first, each once; what is told again after a gap is known already. */
export function withSecond(
  seconds: readonly LatencySecond[],
  second: LatencySecond,
  keepS: number,
): readonly LatencySecond[] {
  const newest = seconds.at(-1)?.t ?? -Infinity;
  if (second.t <= newest && seconds.some((it) => isSame(it, second))) {
    return seconds;
  }
  const kept = seconds.filter((it) => it.t > Math.max(newest, second.t) - keepS);
  return second.t >= newest ? [...kept, second] : [...kept, second].sort((a, b) => a.t - b.t);
}

function isSame(a: LatencySecond, b: LatencySecond): boolean {
  return a.t === b.t && a.agent === b.agent && a.system === b.system;
}

const NONE: Figures = { mean_ms: null, p50_ms: null, p90_ms: null, p99_ms: null, p999_ms: null, max_ms: null };

function pointOf(second: LatencySecond): TimedPoint {
  return {
    ...NONE,
    ...second.hops.total,
    t: second.t,
    span: 1,
    count: second.count,
    failed: second.failed,
    cells: second.cells,
  };
}

/**
 * History, and from the first second that was heard on the seconds themselves: of an interval that was
 * under way then, the part before it stays.
 */
export function joined(
  history: readonly TimedPoint[],
  step: number,
  seconds: readonly LatencySecond[],
): readonly TimedPoint[] {
  const first = seconds[0]?.t;
  if (first === undefined) {
    return history.map((point) => ({ ...point, span: step }));
  }
  const before = history
    .filter((point) => point.t < first)
    .map((point) => ({ ...point, span: Math.min(step, first - point.t) }));
  return [...before, ...seconds.map(pointOf)];
}

/** The mean of a hop over several seconds and systems: means add up, percentiles do not. */
export function meanOf(seconds: readonly LatencySecond[], hop: Hop | "total"): number | null {
  let sum = 0;
  let count = 0;
  for (const second of seconds) {
    const figures = second.hops[hop];
    const calls = figures?.count ?? second.count;
    if (figures?.mean_ms !== null && figures?.mean_ms !== undefined) {
      sum += figures.mean_ms * calls;
      count += calls;
    }
  }
  return count === 0 ? null : sum / count;
}
