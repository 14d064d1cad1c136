-- What agents signed, several receipts in one document, kept as the audit trail is, which names them. Receipts from before are told
-- again when their agents start: what stood here is under MACs that cover the text itself.
create table receipt_documents (
  agent  text not null references agents (name) on delete cascade,
  sha256 bytea not null,
  jws    text not null,
  primary key (agent, sha256)
);

delete from receipts;
alter table receipts
  drop column jws,
  add column document bytea not null;
