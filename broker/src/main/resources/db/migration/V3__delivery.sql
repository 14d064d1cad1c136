-- The next message's number, apart from `agents`, whose MAC must not depend on it.
create table message_sequences (
  agent    text primary key references agents (name) on delete cascade,
  next_seq bigint not null
);

-- What an agent has to hear, until its receipt. `mac` covers what a row makes the agent do.
create table messages (
  agent            text not null references agents (name) on delete cascade,
  sequence         bigint not null,
  kind             text not null check (kind in ('configuration', 'removal', 'instruction')),
  system           text,
  -- Of a configuration, or of a removal's tombstone.
  version          bigint,
  instruction_id   text,
  instruction_kind text,
  author           text not null,
  created_at       timestamptz not null,
  -- Only where the sender set one.
  expires_at       timestamptz,
  attempts         bigint not null default 0,
  -- The last session it went out on.
  sent_at          timestamptz,
  sent_slot        integer,
  sent_epoch       bigint,
  mac              bytea not null,
  primary key (agent, sequence),
  check ((kind = 'instruction') = (instruction_id is not null and instruction_kind is not null)),
  check (kind = 'instruction' or (system is not null and version is not null))
);
create index messages_of_system on messages (agent, system) where kind <> 'instruction';
create index messages_by_expiry on messages (expires_at) where expires_at is not null;
