-- An alarm holds from its raising until its cause is gone or, where nothing tells that, until somebody acknowledges it.
alter table alarms
  -- Where its cause came from, if it came from an address.
  add column address text,
  -- Its cause is gone since then. Comes it back before that counts, it is the same alarm.
  add column calm_since timestamptz,
  -- Nobody was told of it, because a silence held.
  add column withheld boolean not null default false;
create index alarms_standing on alarms (kind, subject) where cleared_at is null;

-- What happened to alarms and is neither in the audit trail nor on its way to people yet.
create table alarm_changes (
  id       bigint generated always as identity primary key,
  alarm_id bigint not null,
  change   text not null check (change in ('raised', 'cleared', 'unsilenced')),
  at       timestamptz not null
);

-- Whom alarms of a kind, about a subject, or both do not wake.
create table alarm_silences (
  id         bigint generated always as identity primary key,
  kind       text,
  subject    text,
  until      timestamptz not null,
  reason     text not null,
  created_at timestamptz not null,
  created_by text not null,
  check (kind is not null or subject is not null)
);

-- What waits to be told on one channel, in its order.
create table alarm_notices (
  id         bigint generated always as identity primary key,
  channel    text not null,
  body       jsonb not null,
  created_at timestamptz not null,
  attempts   integer not null default 0,
  -- Not before; while one node tries, nobody else does.
  due_at     timestamptz not null,
  last_error text
);
create index alarm_notices_of_channel on alarm_notices (channel, id);

-- Who reconnects again and again is found by when tunnels began.
create index connections_by_begin on connections (connected_at);
