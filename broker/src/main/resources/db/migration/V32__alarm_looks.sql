-- When each node last looked for causes of alarms. Written at every look, which shows that Postgres takes writes.
create table alarm_looks (
  node text primary key,
  at   timestamptz not null
);
