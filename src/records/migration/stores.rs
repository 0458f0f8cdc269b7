//! Stores and their counters.

pub(super) const TABLES: &str = "
CREATE TABLE stores (
  id TEXT PRIMARY KEY NOT NULL,
  zone TEXT NOT NULL,
  business_day_start INTEGER NOT NULL,
  layers TEXT NOT NULL,
  closed_through INTEGER,
  recorded_at BIGINT NOT NULL
);

CREATE TABLE counters (
  store TEXT NOT NULL REFERENCES stores (id),
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  PRIMARY KEY (store, code)
);
";
