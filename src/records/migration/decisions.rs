//! The decision log, stored answers, the outbox.

pub(super) const TABLES: &str = "
CREATE TABLE rulebooks (
  digest TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  files TEXT NOT NULL,
  recorded_at BIGINT NOT NULL
);

CREATE TABLE chains (
  store TEXT PRIMARY KEY NOT NULL,
  seq BIGINT NOT NULL CHECK (seq >= 0),
  hash TEXT NOT NULL
);

CREATE TABLE decisions (
  store TEXT NOT NULL,
  seq BIGINT NOT NULL CHECK (seq >= 1),
  id UUID NOT NULL UNIQUE,
  decision TEXT NOT NULL,
  rulebook TEXT NOT NULL,
  facts TEXT NOT NULL,
  outcome TEXT NOT NULL,
  cause TEXT NOT NULL,
  cause_id UUID,
  actor TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (store, seq)
);
CREATE INDEX decisions_cause ON decisions (cause_id) WHERE cause_id IS NOT NULL;

CREATE TABLE answers (
  key TEXT PRIMARY KEY NOT NULL,
  fingerprint TEXT NOT NULL,
  status INTEGER NOT NULL CHECK (status >= 100 AND status <= 599),
  body TEXT NOT NULL,
  recorded_at BIGINT NOT NULL
);

CREATE TABLE events (
  id UUID PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL,
  store TEXT NOT NULL,
  data TEXT NOT NULL,
  recorded_at BIGINT NOT NULL
);
CREATE INDEX events_recorded ON events (recorded_at);

CREATE TABLE secrets (
  name TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
);
";
