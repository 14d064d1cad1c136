-- Who somebody is at the identity provider that they sign in by; the row's mac holds it too.
alter table users
  add column oidc_issuer text,
  add column oidc_subject text,
  add constraint users_oidc_whole check ((oidc_issuer is null) = (oidc_subject is null)),
  add constraint users_oidc_without_password check (oidc_issuer is null or password_hash = '');

create unique index users_oidc on users (oidc_issuer, oidc_subject) where oidc_issuer is not null;

-- Sign-ins that began here and are at the provider now. A row is taken once. What it was made from is in one browser.
create table oidc_flows (
  state_hash bytea primary key,
  -- An IPv4 address or an IPv6 /64.
  source     text not null,
  expires_at timestamptz not null
);

create index oidc_flows_by_source on oidc_flows (source);
create index oidc_flows_by_expiry on oidc_flows (expires_at);
