-- What agents signed, several receipts in one document, kept as the audit trail is, which names them. Without a foreign key: agents
-- are locked before messages, and a document is written after them.
create table receipt_documents (
  agent  text not null,
  sha256 bytea not null,
  jws    text not null,
  primary key (agent, sha256)
);

-- The signed texts are kept; the rows about single versions are under MACs that cover the text itself, and come again as agents tell
-- what they run.
insert into receipt_documents (agent, sha256, jws)
select distinct agent, sha256(convert_to(jws, 'UTF8')), jws from receipts;

delete from receipts;
alter table receipts
  drop column jws,
  add column document bytea not null;
