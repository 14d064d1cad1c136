/** What the live endpoints answer (docs/telemetry.md); a number that is not known is null, never 0. */

export interface Worst {
  readonly agent: string;
  readonly system: string;
  readonly count: number;
  readonly failed: number;
  readonly p99_ms: number | null;
}

export interface Overview {
  readonly t: number;
  readonly agents: {
    readonly total: number;
    readonly online: number;
    readonly offline: number;
    readonly pending: number;
    readonly quarantined: number;
  };
  readonly window_s: number;
  readonly requests_per_s: number | null;
  readonly failed_per_s: number | null;
  readonly error_rate: number | null;
  readonly p50_ms: number | null;
  readonly p90_ms: number | null;
  readonly p99_ms: number | null;
  readonly running: number | null;
  readonly undelivered: number;
  readonly alarms: Readonly<Record<"critical" | "high" | "medium" | "low", number>> | null;
  readonly availability_24h?: number | null;
  readonly worst: readonly Worst[];
}

/** [index of the bucket, how many]. */
export type Cell = readonly [number, number];

export const HOPS = ["broker", "tunnel", "agent", "system", "body"] as const;
export type Hop = (typeof HOPS)[number];

export interface Figures {
  readonly count?: number;
  readonly mean_ms: number | null;
  readonly min_ms?: number | null;
  readonly p50_ms: number | null;
  readonly p90_ms: number | null;
  readonly p95_ms?: number | null;
  readonly p99_ms: number | null;
  readonly p999_ms: number | null;
  readonly max_ms: number | null;
}

export interface LatencyPoint extends Figures {
  readonly t: number;
  readonly count: number;
  readonly failed: number;
  readonly cells: readonly Cell[];
}

export interface Latency {
  readonly from: string;
  readonly to: string;
  readonly step_s: number;
  readonly hop: string;
  readonly agent: string | null;
  readonly system: string | null;
  readonly precision: number;
  readonly error_ms: number;
  readonly bounds_ms: readonly number[];
  readonly points: readonly LatencyPoint[];
}

/** One second of calls, as the stream tells it. */
export interface LatencySecond {
  readonly t: number;
  readonly agent: string | null;
  readonly system: string | null;
  readonly count: number;
  readonly failed: number;
  readonly hops: Readonly<Partial<Record<Hop | "total", Figures>>>;
  readonly cells: readonly Cell[];
  readonly error_ms: number;
}

export interface Hops {
  readonly from: string;
  readonly to: string;
  readonly agent: string | null;
  readonly system: string | null;
  readonly count: number;
  readonly failed: number;
  readonly precision: number;
  readonly error_ms: number;
  readonly total: Figures;
  readonly hops: readonly (Figures & { readonly hop: Hop })[];
  readonly hops_mean_sum_ms: number | null;
}

export interface Series {
  readonly agent: string;
  readonly system: string;
  readonly count: number;
  readonly failed: number;
  readonly p50_ms: number | null;
  readonly p90_ms: number | null;
  readonly p99_ms: number | null;
  readonly max_ms: number | null;
  readonly hops?: Readonly<
    Partial<Record<Hop, { readonly p50_ms: number | null; readonly p99_ms: number | null }>>
  >;
}

export interface SeriesList {
  readonly from: string;
  readonly to: string;
  readonly limit: number;
  readonly overflowed: number;
  readonly series: readonly Series[];
}

export interface CallRow {
  readonly sequence: number;
  readonly id: string;
  readonly trace_id: string | null;
  readonly at: string;
  readonly agent: string | null;
  readonly site: string;
  readonly system: string;
  readonly caller: string;
  readonly method: string;
  readonly status: number | null;
  readonly verdict: string;
  readonly cut: boolean;
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly total_ms: number;
  readonly hops: Readonly<Record<`${Hop}_ms`, number | null>> | null;
  readonly error_ms: number;
  readonly kept_as: "slowest" | "failed" | "sampled";
}

/** One second of one agent. */
export interface Pulse {
  readonly t: number;
  readonly id: string;
  readonly online: boolean;
  readonly tunnels: number;
  readonly streams: number;
  readonly round_trip_ms: number | null;
}

export interface Calls {
  readonly node: string;
  readonly kept: number;
  readonly seen: number;
  readonly rows: readonly CallRow[];
}

export interface BrokerNode {
  readonly node: string;
  readonly at: string;
  readonly live: boolean;
  readonly version: string;
  readonly uptime_s: number;
  readonly event_loops: readonly { name: string; lag_ms: number; max_lag_ms: number }[];
  readonly heap: { readonly used: number; readonly committed: number; readonly max: number };
  readonly gc: { readonly collections: number; readonly pause_ms: number };
  readonly threads: number;
  readonly cpu: number | null;
  readonly database: {
    readonly reachable: boolean;
    readonly connections: number;
    readonly in_use: number;
    readonly waiting: number;
  };
  readonly tunnels: number;
  readonly streams: number;
  readonly connections: number;
  readonly live_streams: number;
  readonly live_dropped: number;
  readonly recorder: {
    readonly series: number;
    readonly limit: number;
    readonly overflowed: number;
    readonly missed: number;
    readonly history_waiting: number;
    readonly history_dropped: number;
  };
}

export interface AgentChange {
  readonly id: string;
  readonly site?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly state?: string;
  readonly online?: boolean;
  readonly remote_ip?: string | null;
  readonly connected_at?: string | null;
  readonly tunnels?: number;
  readonly round_trip_ms?: number | null;
  readonly undelivered?: number;
  readonly removed?: boolean;
}

/** What the stream tells, as far as pages listen to it themselves. */
export interface LiveEvents {
  readonly latency: LatencySecond;
  readonly pulse: Pulse;
  readonly request: CallRow;
  readonly requests: { readonly t: number; readonly total: number; readonly shown: number };
  readonly broker: BrokerNode;
  readonly reset: { readonly reason: string };
  readonly dropped: { readonly count: number };
}
