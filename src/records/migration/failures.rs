//! What plugins had no answer for.

pub(super) const TABLES: &str = "
CREATE TABLE plugin_failures (
  id UUID PRIMARY KEY NOT NULL,
  plugin TEXT NOT NULL,
  version TEXT,
  digest TEXT,
  function TEXT NOT NULL,
  store TEXT NOT NULL,
  code TEXT NOT NULL,
  text TEXT NOT NULL,
  calls BIGINT NOT NULL CHECK (calls >= 1),
  key TEXT NOT NULL,
  operation TEXT,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL
);
CREATE INDEX plugin_failures_plugin ON plugin_failures (plugin, id);
CREATE INDEX plugin_failures_age ON plugin_failures (last_at);
";
