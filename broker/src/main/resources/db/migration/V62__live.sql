-- How each node was a few seconds ago, for whoever looks at all of them.
create table node_status (
  node   text collate "C" primary key,
  at     timestamptz not null,
  status jsonb not null
);
