//! What plugins were asked for a decision.

pub(super) const TABLES: &str = "
ALTER TABLE decisions ADD COLUMN plugins TEXT;

CREATE TABLE plugin_responses (
  decision_id UUID NOT NULL,
  seq INTEGER NOT NULL CHECK (seq >= 0),
  body TEXT,
  log TEXT,
  recorded_at BIGINT NOT NULL,
  PRIMARY KEY (decision_id, seq)
);
";
