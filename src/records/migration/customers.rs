//! Members and what hangs on them. A member is never deleted, so that what names one needs no check but here.

pub(super) const TABLES: &str = "
CREATE TABLE members (
  id UUID PRIMARY KEY NOT NULL,
  number TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL CHECK (status IN ('active', 'blocked', 'merged', 'erased')),
  merged_into UUID,
  tier TEXT,
  enrolled_store TEXT NOT NULL,
  enrolled_on INTEGER NOT NULL,
  enrolled_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX members_merged ON members (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE persons (
  member_id UUID PRIMARY KEY NOT NULL REFERENCES members (id),
  name TEXT,
  phone TEXT,
  address TEXT,
  birthday INTEGER
);
CREATE INDEX persons_phone ON persons (phone) WHERE phone IS NOT NULL;

CREATE TABLE identities (
  hash TEXT PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL,
  member_id UUID NOT NULL REFERENCES members (id),
  seen_at BIGINT NOT NULL
);
CREATE INDEX identities_member ON identities (member_id);

CREATE TABLE cards (
  number TEXT PRIMARY KEY NOT NULL,
  member_id UUID NOT NULL REFERENCES members (id),
  status TEXT NOT NULL CHECK (status IN ('active', 'lost', 'broken', 'exchanged', 'blocked')),
  replaced_by TEXT,
  issued_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE INDEX cards_member ON cards (member_id);

CREATE TABLE tier_grants (
  id UUID PRIMARY KEY NOT NULL,
  member_id UUID NOT NULL REFERENCES members (id),
  tier TEXT NOT NULL,
  reason TEXT NOT NULL,
  from_date INTEGER NOT NULL,
  sale_id UUID,
  decision_id UUID,
  granted_at BIGINT NOT NULL
);
CREATE INDEX tier_grants_member ON tier_grants (member_id);
CREATE INDEX tier_grants_sale ON tier_grants (sale_id) WHERE sale_id IS NOT NULL;

CREATE TABLE member_events (
  id UUID PRIMARY KEY NOT NULL,
  member_id UUID NOT NULL REFERENCES members (id),
  kind TEXT NOT NULL,
  store TEXT NOT NULL,
  actor TEXT NOT NULL,
  data TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX member_events_member ON member_events (member_id, at);

CREATE TABLE gift_issues (
  member_id UUID NOT NULL REFERENCES members (id),
  kind TEXT NOT NULL,
  year INTEGER NOT NULL,
  store TEXT NOT NULL,
  given_on INTEGER NOT NULL,
  decision_id UUID,
  PRIMARY KEY (member_id, kind, year)
) CLUSTERED;
";
