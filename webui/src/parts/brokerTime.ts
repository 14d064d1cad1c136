/** A way of so long says nothing about clocks. */
const NOTHING_MS = 2_000;

let aheadMs = 0;

/** Now, by the broker's clock as far as it has told: this machine's own may be an hour off. */
export function brokerNow(): number {
  return Date.now() + aheadMs;
}

/** The broker says what time it is. */
export function tellBrokerTime(at: number): void {
  const found = at - Date.now();
  aheadMs = Number.isNaN(found) || Math.abs(found) < NOTHING_MS ? 0 : found;
}
