-- Changes that wait for a second person. `mac` covers the whole row but the body, which carries its own, and whose hash it covers.
create table changes (
  id          uuid primary key,
  kind        text not null,
  method      text not null,
  path        text not null,
  -- The exact request under the KEK, for this row alone; null once nobody needs it any more.
  body        bytea,
  body_sha256 bytea not null,
  -- What it is about.
  agents      text[] not null,
  -- What it builds on: as long as all of it is so, it may be carried out.
  target      jsonb not null,
  author      text not null,
  reason      text not null,
  created_at  timestamptz not null,
  expires_at  timestamptz not null,
  state       text not null
    check (state in ('waiting', 'approved', 'executed', 'rejected', 'withdrawn', 'expired', 'failed')),
  decided_by  text,
  decided_at  timestamptz,
  comment     text not null default '',
  -- JSON: what became of it, or the problem.
  outcome     text,
  row_version bigint not null,
  mac         bytea not null
);
create index changes_by_time on changes (created_at desc, id desc);
create index changes_open on changes (author) where state in ('waiting', 'approved');

-- Agents that one person revoked without a second one.
create table revocations_alone (
  user_email text not null,
  agent      text not null,
  at         timestamptz not null
);
create index revocations_alone_by_user on revocations_alone (user_email, at);
