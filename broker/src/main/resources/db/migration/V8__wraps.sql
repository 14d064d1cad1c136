-- Whose key each wrap of sealed secrets is for. An agent that got new keys may replace its own wrap and no other: the owner's recovery
-- key has one too. Null without secrets, and in rows from before, whose only wrap is the agent's.
alter table system_versions
  add column agent_recipient bytea;
