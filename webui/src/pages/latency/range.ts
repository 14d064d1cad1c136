import type { Search } from "../../routes";

/** The time that is looked at: the last so many seconds, or from one moment to another. */
export interface Range {
  readonly fromT: number;
  readonly toT: number;
  /** It ends now, and moves. */
  readonly moving: boolean;
}

export const RANGES: readonly (readonly [string, string, number])[] = [
  ["5m", "5 min", 300],
  ["15m", "15 min", 900],
  ["1h", "1 h", 3_600],
  ["6h", "6 h", 21_600],
  ["24h", "24 h", 86_400],
  ["7d", "7 days", 604_800],
];

/** What moves longer than this is not drawn by the second. */
export const LONGEST_BY_SECOND = 900;

const POINTS = 360;
const FINEST_S = 10;

export function rangeOf(search: Search, now: number): Range {
  const from = Date.parse(search["from"] ?? "");
  const to = Date.parse(search["to"] ?? "");
  if (!Number.isNaN(from) && !Number.isNaN(to) && from < to) {
    return { fromT: from / 1000, toT: to / 1000, moving: false };
  }
  const seconds = RANGES.find(([id]) => id === search["range"])?.[2] ?? 900;
  const toT = Math.floor(now / 1000);
  return { fromT: toT - seconds, toT, moving: true };
}

/** What the broker is asked for: of a range that moves, the same until another step of it is over. */
export function askedOf(range: Range): Range {
  if (!range.moving) {
    return range;
  }
  const seconds = range.toT - range.fromT;
  const step = Math.max(FINEST_S, Math.ceil(seconds / POINTS / FINEST_S) * FINEST_S);
  const toT = Math.ceil((range.toT + 1) / step) * step;
  return { fromT: toT - seconds, toT, moving: true };
}

export function iso(t: number): string {
  return new Date(t * 1000).toISOString();
}

/** What a call about that range has as its query. */
export function queryOf(range: Range, more: Readonly<Record<string, string | undefined>>): string {
  const parameters = new URLSearchParams({ from: iso(range.fromT), to: iso(range.toT) });
  for (const [name, value] of Object.entries(more)) {
    if (value !== undefined && value !== "") {
      parameters.set(name, value);
    }
  }
  return parameters.toString();
}
