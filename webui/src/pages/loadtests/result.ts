/** What the harness writes as its JSON (docs/performance.md), as far as this page shows it. */
export interface Percentiles {
  readonly p50?: number;
  readonly p90?: number;
  readonly p99?: number;
  readonly p99_9?: number;
  readonly max?: number;
}

export interface Flow {
  readonly name: string;
  readonly loop: string;
  readonly answered: number;
  readonly failed: number;
  readonly answers_per_second: number;
  readonly response_ms: Percentiles;
  readonly hops_ms: Readonly<Record<string, Percentiles>>;
}

export interface Run {
  readonly scenario: string;
  readonly description: string;
  readonly started: string;
  readonly commit: string;
  readonly valid: boolean;
  readonly invalid_because: readonly string[];
  readonly targets: readonly { readonly name: string; readonly flows: readonly Flow[] }[];
}

/** Throws, in words, for what is no result of the harness. */
export function runOf(text: string): Run {
  let value: Partial<Run> & { format?: unknown };
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    throw new Error("This is no JSON. Choose the result.json of a run's directory.");
  }
  if (value.format !== 1) {
    throw new Error(`Expected a result of format 1, found ${String(value.format)}.`);
  }
  if (typeof value.scenario !== "string" || !Array.isArray(value.targets)) {
    throw new Error("Expected a result of the harness with scenario and targets.");
  }
  return {
    scenario: value.scenario,
    description: value.description ?? "",
    started: value.started ?? "",
    commit: value.commit ?? "",
    valid: value.valid === true,
    invalid_because: value.invalid_because ?? [],
    targets: value.targets,
  };
}

/** By how much `now` is more than `before`; null where one is not known. */
export function change(now: number | undefined, before: number | undefined): number | null {
  return now === undefined || before === undefined || before === 0 ? null : now / before - 1;
}
