/** A way of so long says nothing about clocks. */
const NOTHING_MS = 2_000;

let aheadMs = 0;
let told = false;

/** Now, by the broker's clock as far as it has told: this machine's own may be an hour off. */
export function brokerNow(): number {
  return Date.now() + aheadMs;
}

/** Whether the broker has said what time it is: before, [brokerNow] is what this machine thinks. */
export function isBrokerTimeKnown(): boolean {
  return told;
}

/** The broker says what time it is. */
export function tellBrokerTime(at: number): void {
  told = true;
  const found = at - Date.now();
  aheadMs = Number.isNaN(found) || Math.abs(found) < NOTHING_MS ? 0 : found;
}
