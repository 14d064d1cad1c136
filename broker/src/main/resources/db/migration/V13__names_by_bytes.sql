-- Names are ASCII, compared millions of times, and never sorted for readers of one language: by their bytes, whatever the database's
-- own collation is.
alter table receipts alter agent type text collate "C", alter system type text collate "C";
alter table receipt_documents alter agent type text collate "C";
alter table message_sequences alter agent type text collate "C";
alter table messages alter agent type text collate "C", alter system type text collate "C";
alter table heads alter agent type text collate "C";
alter table system_versions alter agent type text collate "C", alter system type text collate "C";
alter table systems alter agent type text collate "C", alter system type text collate "C";
alter table connections alter agent type text collate "C";
alter table session_epochs alter agent type text collate "C";
alter table retired_dev_keys alter agent type text collate "C";
alter table agent_generations alter agent type text collate "C";
alter table agents alter name type text collate "C";

-- Every deployment signs its agent's head anew, and this index made each a row in all of its indexes. Who looks for old heads, once a
-- minute, can read them all.
drop index heads_by_age;
