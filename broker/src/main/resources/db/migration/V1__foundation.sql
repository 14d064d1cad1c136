-- Words of closed sets rest in lower case with hyphens; times are UTC; `mac` is the HMAC over what a row grants.

create table users (
  email          text primary key,
  role           text not null check (role in ('viewer', 'operator', 'engineer', 'admin', 'copilot')),
  -- Argon2id in PHC form; empty for people who sign in elsewhere.
  password_hash  text not null,
  disabled       boolean not null default false,
  gateway_access text[] not null default '{}',
  created_at     timestamptz not null,
  created_by     text not null,
  last_login_at  timestamptz,
  row_version    bigint not null default 1,
  mac            bytea not null
);

-- One sign-in and everything refreshed from it: the family that falls together.
create table sessions (
  id         uuid primary key,
  user_email text not null references users (email) on delete cascade,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  remote_ip  inet,
  user_agent text,
  revoked_at timestamptz,
  reason     text
);
create index sessions_of_user on sessions (user_email);
create index sessions_expiry on sessions (expires_at);

create table refresh_tokens (
  hash       bytea primary key,
  session_id uuid not null references sessions (id) on delete cascade,
  issued_at  timestamptz not null,
  used_at    timestamptz
);
create index refresh_tokens_of_session on refresh_tokens (session_id);

create table service_accounts (
  name         text primary key,
  -- "site/system"; "site/*" is every system of a site.
  systems      text[] not null,
  disabled     boolean not null default false,
  created_at   timestamptz not null,
  created_by   text not null,
  last_used_at timestamptz,
  row_version  bigint not null default 1,
  mac          bytea not null
);

create table service_tokens (
  id           uuid primary key,
  account      text not null references service_accounts (name) on delete cascade,
  issued_at    timestamptz not null,
  issued_by    text not null,
  expires_at   timestamptz not null,
  revoked_at   timestamptz,
  last_used_at timestamptz,
  mac          bytea not null
);
create index service_tokens_of_account on service_tokens (account);

-- No secret here: it is derived from the broker's key and from every limit below.
create table enrollment_tokens (
  id                  bytea primary key check (length(id) = 16),
  agent               text,
  site                text,
  labels              jsonb not null default '{}',
  allowed_cidrs       text[] not null default '{}',
  reenroll            boolean not null default false,
  created_at          timestamptz not null,
  created_by          text not null,
  expires_at          timestamptz not null,
  used_at             timestamptz,
  used_by_agent       text,
  used_dev_key        bytea,
  used_from           inet,
  refusals            bigint not null default 0,
  last_refusal_at     timestamptz,
  last_refusal_from   inet,
  last_refusal_reason text
);

create table agents (
  name               text primary key,
  site               text not null,
  labels             jsonb not null default '{}',
  state              text not null check (state in ('pending', 'approved', 'rejected', 'quarantined', 'revoked')),
  -- The approved one; 0 before the first approval.
  generation         bigint not null default 0,
  created_at         timestamptz not null,
  quarantined_reason text,
  revoked_at         timestamptz,
  connected_at       timestamptz,
  last_remote_ip     inet,
  row_version        bigint not null default 1
);
create index agents_of_site on agents (site);

-- One enrollment of an agent: its keys, and how it came to be trusted. A re-enrollment waits here beside the approved one.
create table agent_generations (
  agent          text not null references agents (name) on delete cascade,
  generation     bigint not null,
  state          text not null check (state in ('pending', 'approved', 'rejected', 'ended', 'revoked')),
  dev_current    bytea not null check (length(dev_current) = 32),
  dev_next       bytea check (length(dev_next) = 32),
  unlock_epoch   bigint not null default 0,
  -- Already encrypted under the agent's secret, wrapped again under the KEK; null once revoked.
  bundle_current bytea,
  bundle_next    bytea,
  sealing_public bytea not null,
  signing_public bytea not null,
  fingerprint    text not null,
  boot_id        bytea,
  proof_at       timestamptz,
  method         text not null,
  token_id       bytea,
  enrolled_at    timestamptz not null,
  enrolled_from  inet,
  approved_by    text,
  approved_at    timestamptz,
  record_jws     text,
  allowed_cidrs  text[] not null default '{}',
  host_facts     jsonb not null default '{}',
  -- A pending row is gone after this.
  expires_at     timestamptz not null,
  primary key (agent, generation)
);
create unique index generations_by_dev_key on agent_generations (dev_current) where state in ('pending', 'approved');
create unique index generations_by_next_dev_key on agent_generations (dev_next) where dev_next is not null;
create unique index one_pending_generation on agent_generations (agent) where state = 'pending';

-- Every dev key that was once somebody's: seen again, it means a copied disk.
create table retired_dev_keys (
  dev_key      bytea primary key,
  agent        text not null references agents (name) on delete cascade,
  generation   bigint not null,
  unlock_epoch bigint not null,
  retired_at   timestamptz not null
);

-- The fencing number of each tunnel slot.
create table session_epochs (
  agent text not null references agents (name) on delete cascade,
  slot  integer not null,
  epoch bigint not null,
  primary key (agent, slot)
);

-- One row per tunnel ever held; availability is computed from it.
create table connections (
  agent           text not null references agents (name) on delete cascade,
  slot            integer not null,
  epoch           bigint not null,
  node            text not null,
  boot_id         bytea,
  remote_ip       inet,
  connected_at    timestamptz not null,
  -- Touched while it lives, so that a killed broker's rows end where they were last seen alive.
  alive_at        timestamptz not null,
  disconnected_at timestamptz,
  reason          text,
  primary key (agent, slot, epoch)
);
create index connections_by_end on connections (agent, disconnected_at);
create index connections_open on connections (node) where disconnected_at is null;

create table revocation_lists (
  counter    bigint primary key,
  jws        text not null,
  created_at timestamptz not null
);

create table alarms (
  id              bigint generated always as identity primary key,
  kind            text not null,
  severity        text not null check (severity in ('critical', 'high', 'medium', 'low')),
  subject         text not null,
  message         text not null,
  occurrences     bigint not null default 1,
  raised_at       timestamptz not null,
  last_at         timestamptz not null,
  acknowledged_at timestamptz,
  acknowledged_by text,
  comment         text,
  cleared_at      timestamptz
);
-- The same thing again is the same alarm until somebody acknowledges it.
create unique index one_open_alarm on alarms (kind, subject) where acknowledged_at is null and cleared_at is null;
create index alarms_by_time on alarms (raised_at desc);

create table audit_log (
  id         bigint generated always as identity primary key,
  event_id   uuid not null unique,
  timestamp  timestamptz not null,
  event_type varchar(100) not null,
  user_email varchar(255),
  resource_id varchar(255),
  action     varchar(50),
  changes    jsonb,
  ip_address inet,
  user_agent text,
  resource   text,
  result     varchar(50),
  reason     text,
  approved_by varchar(255)
);
create index audit_by_time on audit_log (timestamp desc, id desc);
create index audit_by_user on audit_log (user_email, timestamp desc);
create index audit_by_type on audit_log (event_type, timestamp desc);

-- What waits to leave for other systems, in the order it was written.
create table outbox (
  id         bigint generated always as identity primary key,
  topic      text not null,
  key        text not null,
  payload    jsonb not null,
  created_at timestamptz not null
);

-- An audit row is written once.
create function audit_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'audit_log is append-only';
end
$$;
create trigger audit_append_only before update or delete on audit_log
  for each row execute function audit_is_append_only();
