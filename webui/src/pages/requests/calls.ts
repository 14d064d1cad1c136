import type { CallRow } from "../../live/types";

/** What the broker filters by; each a member of the URL, too. */
export const FIELDS = ["agent", "system", "verdict", "status", "min_ms", "max_ms", "from", "to"] as const;

export type CallFilter = Readonly<Record<string, string | undefined>>;

export function filterOf(search: CallFilter): Record<string, string> {
  const filter: Record<string, string> = {};
  for (const name of FIELDS) {
    const value = search[name];
    if (value !== undefined && value !== "") {
      filter[name] = value;
    }
  }
  return filter;
}

/** Whether a call that the stream tells of is one that the broker would list. */
export function passes(row: CallRow, filter: CallFilter): boolean {
  const { verdict, status } = filter;
  const number = (name: string, otherwise: number) => Number(filter[name] ?? otherwise);
  return (
    (filter["agent"] === undefined || filter["agent"] === row.agent) &&
    (filter["system"] === undefined || filter["system"] === row.system) &&
    (verdict === undefined || (verdict === "failed" ? row.verdict !== "ok" : verdict === row.verdict)) &&
    (status === undefined || isStatus(row.status, status)) &&
    row.total_ms >= number("min_ms", 0) &&
    row.total_ms <= number("max_ms", Infinity)
  );
}

function isStatus(found: number | null, wanted: string): boolean {
  return wanted.endsWith("xx")
    ? found !== null && Math.floor(found / 100) === Number(wanted.charAt(0))
    : String(found) === wanted;
}

/** Each once, the newest first. */
export function merged(...lists: readonly (readonly CallRow[])[]): readonly CallRow[] {
  const known = new Map<number, CallRow>();
  for (const row of lists.flat()) {
    known.set(row.sequence, row);
  }
  return [...known.values()].sort((a, b) => b.sequence - a.sequence);
}
