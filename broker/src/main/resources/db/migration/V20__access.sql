-- From where people have signed in before: a flood of guesses from elsewhere does not lock them out.
create table known_sources (
  user_email text not null references users (email) on delete cascade,
  -- An IPv4 address or an IPv6 /64.
  source     text not null,
  last_at    timestamptz not null,
  primary key (user_email, source)
);

create table blocks (
  -- Canonical: no bits beyond the prefix.
  cidr       text primary key,
  reason     text not null,
  created_at timestamptz not null,
  created_by text not null,
  expires_at timestamptz
);
