-- How far the audit trail has got at a place outside (docs/kafka.md): moves only over what that place has acknowledged.
create table audit_shipped (
  sink        text primary key,
  position    bigint not null check (position >= 0),
  hash        bytea not null check (length(hash) = 32),
  checkpoint  bigint not null,
  row_version bigint not null,
  mac         bytea not null,
  -- Who ships, and until when by this server's clock. Not under the MAC: it proves nothing, and whoever writes it can only delay.
  holder      text,
  held_until  timestamptz
);
