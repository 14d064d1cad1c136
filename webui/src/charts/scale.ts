import type { Cell } from "../live/types";

/** An interval from `t` on; as long as the chart's step, or of its own length. */
export interface Interval {
  readonly t: number;
  readonly span?: number;
}

/** A column of a heatmap: an interval, and how many calls fell into which bucket. */
export interface Column extends Interval {
  readonly cells: readonly Cell[];
}

/** How many calls of a cell fall to one step: a long interval is drawn over many of them. */
export function perStep(n: number, column: Column, step: number): number {
  return (n * step) / (column.span ?? step);
}

/** The buckets in use, with one to spare on each side: empty ones beyond would flatten the rest. */
export function rowsInUse(columns: readonly Column[], buckets: number): readonly [number, number] {
  let low = buckets;
  let high = -1;
  for (const column of columns) {
    for (const [index] of column.cells) {
      low = Math.min(low, index);
      high = Math.max(high, index);
    }
  }
  return high < 0 ? [0, Math.min(buckets - 1, 20)] : [Math.max(0, low - 1), Math.min(buckets - 1, high + 1)];
}

/** The limits of a bucket in ms; the last has no upper one. */
export function limitsOf(index: number, bounds: readonly number[]): readonly [number, number | null] {
  return [index === 0 ? 0 : (bounds[index - 1] ?? 0), bounds[index] ?? null];
}

/** How strong a cell is, 0 to 1, by the logarithm: one slow call beside a thousand has to be seen. */
export function strength(n: number, most: number): number {
  return n <= 0 || most <= 0 ? 0 : 0.25 + 0.75 * (Math.log(n + 1) / Math.log(most + 1));
}

/** All steps of a range; what is missing is a gap and never a zero. What comes later in the list counts. */
export function gridOf<T extends Interval>(
  points: readonly T[],
  from: number,
  to: number,
  step: number,
): readonly { readonly t: number; readonly point: T | null }[] {
  const at = new Map<number, T>();
  for (const point of points) {
    const end = point.t + (point.span ?? step);
    for (let t = Math.floor(point.t / step) * step; t < end; t += step) {
      at.set(t, point);
    }
  }
  const grid: { t: number; point: T | null }[] = [];
  for (let t = Math.ceil(from / step) * step; t < to; t += step) {
    grid.push({ t, point: at.get(t) ?? null });
  }
  return grid;
}
