-- Times of calls by agent and system, at falling resolution: 10 s for an hour, 1 min for a day, 10 min for 30 days. Each node writes rows of
-- its own; who reads adds them up, which histograms allow exactly. Agent and system '' = all calls of the node.
create table hop_times (
  resolution_s  integer not null,
  at            timestamptz not null,
  agent         text collate "C" not null,
  system        text collate "C" not null,
  node          text collate "C" not null,
  -- Which run of the node wrote it: two share the interval in which one ended and the other began.
  run           bigint not null,
  calls         bigint not null,
  errors        bigint not null,
  -- What the hops of answered calls were together above their totals.
  excess_micros bigint not null,
  -- The exact sums of the columns below, in their order, for means: 8 bytes each, big-endian.
  sums          bytea not null check (length(sums) = 56),
  -- HdrHistogram's compressed encoding, microseconds, two digits; null = none.
  broker        bytea,
  tunnel        bytea,
  agent_time    bytea,
  system_time   bytea,
  body          bytea,
  total         bytea,
  failed        bytea,
  primary key (resolution_s, at, agent, system, node, run)
);

-- One agent's times, without a look at the others'.
create index hop_times_by_agent on hop_times (resolution_s, agent, system, at);

-- Compressed by itself: Postgres need not try.
alter table hop_times
  alter broker set storage external, alter tunnel set storage external, alter agent_time set storage external,
  alter system_time set storage external, alter body set storage external, alter total set storage external,
  alter failed set storage external;
