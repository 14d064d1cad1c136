-- The broker's HMAC over what an audit row says; rows from before this version have none.
alter table audit_log add column mac bytea;

-- Each audit row's place, given by one broker at a time once no running transaction can still come before it (docs/audit.md).
create table audit_chain (
  position bigint primary key check (position > 0),
  audit_id bigint not null unique,
  kind     text not null check (kind in ('broker', 'before', 'foreign')),
  hash     bytea not null check (length(hash) = 32),
  mac      bytea not null
);

-- Signed words about how far the chain reaches.
create table audit_checkpoints (
  number    bigint primary key,
  position  bigint not null,
  issued_at timestamptz not null,
  jws       text not null,
  mac       bytea not null
);
create index audit_checkpoints_by_position on audit_checkpoints (position);
create index audit_checkpoints_by_time on audit_checkpoints (issued_at);

-- What belongs to the proof is written once. Only audit_prune takes away, and from the beginning.
create or replace function audit_is_append_only() returns trigger language plpgsql as $$
begin
  if TG_OP = 'DELETE' and current_setting('penstock.audit_prune', true) = 'on' then
    return old;
  end if;
  raise exception '% is append-only', TG_TABLE_NAME;
end
$$;
create trigger audit_append_only before update or delete on audit_chain
  for each row execute function audit_is_append_only();
create trigger audit_append_only before update or delete on audit_checkpoints
  for each row execute function audit_is_append_only();
create trigger audit_no_truncate before truncate on audit_log
  for each statement execute function audit_is_append_only();
create trigger audit_no_truncate before truncate on audit_chain
  for each statement execute function audit_is_append_only();
create trigger audit_no_truncate before truncate on audit_checkpoints
  for each statement execute function audit_is_append_only();

-- What is younger is not pruned, whoever asks. The owner may say otherwise: create or replace.
create function audit_prune_age() returns interval language sql stable as $$ select interval '1 day' $$;

-- Takes away at most `most` entries up to a position, with their rows, then the checkpoints before it. Runs as its owner, so that the
-- broker's role needs no right to delete.
create function audit_prune(up_to bigint, most bigint) returns bigint language plpgsql security definer as $$
declare
  last_position bigint;
  last_id bigint;
  pruned bigint;
begin
  if not exists (select 1 from audit_checkpoints where position >= up_to) then
    raise exception 'no checkpoint covers position %', up_to;
  end if;
  perform set_config('penstock.audit_prune', 'on', true);
  select max(position), max(audit_id), count(*) into last_position, last_id, pruned
    from (select position, audit_id from audit_chain where position <= up_to order by position limit most) as first;
  -- All that would go, whatever entries say; foreign rows say any time. By id (offset 0): all the young rows of a day are more.
  if exists (
    select 1 from (select id, timestamp from audit_log where id <= last_id order by id offset 0) as a
    where a.timestamp > now() - audit_prune_age()
      and not exists (select 1 from audit_chain as c where c.audit_id = a.id and c.kind = 'foreign')
  ) then
    raise exception 'position % holds, or follows, a record younger than %', last_position, audit_prune_age();
  end if;
  if pruned > 0 then
    delete from audit_log where id <= last_id;
    delete from audit_chain where position <= last_position;
  end if;
  if pruned < most then
    delete from audit_checkpoints where position < up_to;
  end if;
  perform set_config('penstock.audit_prune', 'off', true);
  return pruned;
end
$$;
-- Its names mean the tables beside it, whatever search_path or temporary tables its caller has.
do $$
begin
  execute format('alter function audit_prune(bigint, bigint) set search_path = %I, pg_temp', current_schema());
end
$$;
revoke all on function audit_prune(bigint, bigint) from public;
revoke update, delete, truncate on audit_log, audit_chain, audit_checkpoints from public;
