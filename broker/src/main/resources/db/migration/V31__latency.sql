-- How many invocations of a system were answered within the objective and how many were not, per minute and node.
create table latency_minutes (
  subject text not null,
  minute  timestamptz not null,
  node    text not null,
  good    bigint not null,
  slow    bigint not null,
  primary key (subject, minute, node)
);
create index latency_by_minute on latency_minutes (minute);
