import type { Tone } from "../../parts/basics";

export function severityTone(severity: string): Tone {
  return severity === "critical" || severity === "high" ? "bad" : severity === "medium" ? "warn" : "info";
}
