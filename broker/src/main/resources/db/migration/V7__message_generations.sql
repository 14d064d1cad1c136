-- A message is for one generation of its agent: who is enrolled anew is another. What waits from before has no generation under its
-- MAC, so it goes: configurations reach their agents by the head, and instructions have to be given again.
delete from messages;
alter table messages
  add column generation bigint not null;
