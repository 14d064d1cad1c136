-- Rows that are changed once or more in their life find room for that in their own page, so that no index has to hear of it (a
-- heap-only update). For the same reason no index stands on what changes: a system's versions are found by their key.
alter table messages set (fillfactor = 50);
alter table systems set (fillfactor = 70);
alter table system_versions set (fillfactor = 80);
alter table heads set (fillfactor = 50);
drop index undelivered_versions;

-- The trail is read in the order of its ids; an index on the time alone was only written.
drop index audit_by_time;

-- A queue's size tells little about how much of it is garbage.
alter table messages set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000,
  autovacuum_analyze_scale_factor = 0.05);

-- A receipt is written while its system's row is locked, and systems are never deleted: that it is there need not be looked up for
-- every one.
alter table receipts
  drop constraint receipts_agent_system_fkey;
