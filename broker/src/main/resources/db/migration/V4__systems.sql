-- What an agent's systems should be, what they were, and what the agent said. Every `mac` covers its whole row but what is encrypted
-- (which carries its own) and `sealed`, whose hash it covers.

create table systems (
  agent               text not null references agents (name) on delete cascade,
  system              text not null,
  plugin              text not null,
  -- The highest number ever given, to a document or to a tombstone.
  version             bigint not null,
  -- What the head lists or listed last, and for which generation; 0 = never deployed.
  deployed_version    bigint not null default 0,
  deployed_generation bigint not null default 0,
  -- By the agent's receipts; 0 = none yet.
  applied_version     bigint not null default 0,
  -- Of the last tombstone; 0 = never removed.
  removed_version     bigint not null default 0,
  updated_by          text not null,
  updated_at          timestamptz not null,
  row_version         bigint not null,
  mac                 bytea not null,
  primary key (agent, system)
);

create table system_versions (
  agent         text not null,
  system        text not null,
  version       bigint not null,
  generation    bigint not null,
  plugin        text not null,
  state         text not null check (state in ('sealed', 'buffered', 'applied', 'refused', 'superseded')),
  header_jws    text not null,
  header_sha256 bytea not null,
  -- JSON under the KEK, for this row alone.
  settings      bytea not null,
  -- JSON that only the agent can open; null without secrets.
  sealed        bytea,
  sealed_sha256 bytea,
  secret_names  text[] not null,
  author        text not null,
  created_at    timestamptz not null,
  row_version   bigint not null,
  mac           bytea not null,
  primary key (agent, system, version),
  foreign key (agent, system) references systems (agent, system) on delete cascade,
  check ((sealed is null) = (sealed_sha256 is null))
);
create index undelivered_versions on system_versions (agent, system) where state = 'buffered';

-- The newest signed head manifest of each agent that ever had a system.
create table heads (
  agent            text primary key references agents (name) on delete cascade,
  generation       bigint not null,
  incarnation      bigint not null,
  sequence         bigint not null,
  -- The newest sequence of which the agent has applied everything.
  applied_sequence bigint not null,
  jws              text not null,
  issued_at        timestamptz not null,
  expires_at       timestamptz not null,
  row_version      bigint not null,
  mac              bytea not null
);
create index heads_by_age on heads (issued_at);

-- The last word of the agent about each version, as it signed it.
create table receipts (
  agent       text not null,
  system      text not null,
  version     bigint not null,
  outcome     text not null check (outcome in ('applied', 'refused')),
  reason      text,
  detail      text,
  jws         text not null,
  received_at timestamptz not null,
  mac         bytea not null,
  primary key (agent, system, version),
  foreign key (agent, system) references systems (agent, system) on delete cascade
);
