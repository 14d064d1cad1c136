-- Signed assertions and proofs of gateways without a tunnel, each of which counts once; kept as long as they would be believed.
create table gateway_proofs (
  agent      text not null references agents (name) on delete cascade,
  -- SHA-256 over what it is for and its id.
  id_sha256  bytea not null,
  expires_at timestamptz not null,
  primary key (agent, id_sha256)
);
create index gateway_proofs_by_end on gateway_proofs (expires_at);
