//! Plugins: what was uploaded, what the operator did with it, a plugin's own entries, and what is to be delivered.

pub(super) const TABLES: &str = "
CREATE TABLE plugin_packages (
  plugin TEXT NOT NULL,
  version TEXT NOT NULL,
  digest TEXT NOT NULL,
  package BYTEA,
  manifest TEXT NOT NULL,
  signed_by TEXT,
  uploaded_at BIGINT NOT NULL,
  uploaded_by TEXT NOT NULL,
  PRIMARY KEY (plugin, version)
);

CREATE TABLE plugin_states (
  plugin TEXT PRIMARY KEY NOT NULL,
  acts BIGINT NOT NULL CHECK (acts >= 0),
  grants TEXT NOT NULL,
  config TEXT NOT NULL,
  limits TEXT NOT NULL,
  rollout TEXT NOT NULL,
  rolled_out_at BIGINT
);

CREATE TABLE plugin_acts (
  plugin TEXT NOT NULL,
  seq BIGINT NOT NULL CHECK (seq >= 1),
  kind TEXT NOT NULL CHECK (kind IN ('upload', 'grants', 'config', 'limits', 'rollout', 'rollback', 'remove')),
  data TEXT NOT NULL,
  who TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (plugin, seq)
) CLUSTERED;

CREATE TABLE plugin_entries (
  plugin TEXT NOT NULL,
  key TEXT NOT NULL,
  value BYTEA NOT NULL,
  size BIGINT NOT NULL CHECK (size >= 0),
  expires_at BIGINT,
  PRIMARY KEY (plugin, key)
);
CREATE INDEX plugin_entries_expiring ON plugin_entries (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE plugin_differences (
  id UUID PRIMARY KEY NOT NULL,
  plugin TEXT NOT NULL,
  active TEXT NOT NULL,
  shadow TEXT NOT NULL,
  store TEXT NOT NULL,
  function TEXT NOT NULL,
  key TEXT NOT NULL,
  said TEXT NOT NULL,
  would_say TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX plugin_differences_plugin ON plugin_differences (plugin, at);

CREATE TABLE vendor_keys (
  vendor TEXT NOT NULL,
  key_id TEXT NOT NULL,
  public_key TEXT NOT NULL,
  added_at BIGINT NOT NULL,
  added_by TEXT NOT NULL,
  revoked_at BIGINT,
  PRIMARY KEY (vendor, key_id)
);

CREATE TABLE plugin_cursors (
  plugin TEXT PRIMARY KEY NOT NULL,
  since BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  seen_id UUID NOT NULL
);

CREATE TABLE plugin_deliveries (
  id UUID PRIMARY KEY NOT NULL,
  plugin TEXT NOT NULL,
  event_id UUID NOT NULL,
  kind TEXT NOT NULL,
  store TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'dead', 'cancelled')),
  attempts INTEGER NOT NULL CHECK (attempts >= 0),
  next_at BIGINT NOT NULL,
  leased_until BIGINT,
  failure TEXT,
  log TEXT,
  version TEXT,
  created_at BIGINT NOT NULL,
  done_at BIGINT
);
CREATE UNIQUE INDEX plugin_deliveries_event ON plugin_deliveries (event_id, plugin);
CREATE INDEX plugin_deliveries_due ON plugin_deliveries (plugin, next_at) WHERE state = 'pending';
CREATE INDEX plugin_deliveries_state ON plugin_deliveries (state, created_at, id);

CREATE INDEX persons_birthday ON persons (birthday) WHERE birthday IS NOT NULL;
";

/// What an operator did stays as it was done.
pub(super) const POSTGRES: &str = "
CREATE TRIGGER plugin_acts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON plugin_acts
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
";

/// As [`POSTGRES`].
pub(super) const SQLITE: &str = "
CREATE TRIGGER plugin_acts_no_update BEFORE UPDATE ON plugin_acts BEGIN SELECT RAISE(ABORT, 'plugin_acts is append-only'); END;
CREATE TRIGGER plugin_acts_no_delete BEFORE DELETE ON plugin_acts BEGIN SELECT RAISE(ABORT, 'plugin_acts is append-only'); END;
";
