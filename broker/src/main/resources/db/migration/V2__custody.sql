-- Who may hold a tunnel is told by signed records and by these: `mac` covers what the row grants, so a state or a key
-- changed behind the broker's back is noticed.
alter table agents add column mac bytea not null default '';

alter table agent_generations
  -- What approval gives the agent; a re-enrollment may change it.
  add column site text not null default '',
  add column labels jsonb not null default '{}',
  -- The process that stored dev_next, and the last one whose rotation is done.
  add column next_boot_id bytea,
  add column rotated_boot_id bytea,
  add column mac bytea not null default '';
