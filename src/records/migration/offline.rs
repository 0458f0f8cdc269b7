//! Returns that desks have taken without asking; kept also while the sale has not arrived.

pub(super) const TABLES: &str = "
CREATE TABLE offline_returns (
  id UUID PRIMARY KEY NOT NULL,
  sale_id UUID NOT NULL,
  store TEXT NOT NULL,
  terminal TEXT NOT NULL,
  slip TEXT NOT NULL,
  business_date INTEGER NOT NULL,
  occurred_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  waits_until BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'recorded', 'differs', 'undecided', 'refused')),
  request TEXT NOT NULL,
  return_id UUID REFERENCES returns (id),
  differences TEXT NOT NULL,
  problem TEXT,
  decided_at BIGINT,
  CHECK ((state IN ('recorded', 'differs')) = (return_id IS NOT NULL)),
  CHECK ((state IN ('undecided', 'refused')) = (problem IS NOT NULL))
);
CREATE INDEX offline_returns_state ON offline_returns (state, occurred_at, id);
CREATE INDEX offline_returns_time ON offline_returns (occurred_at, id);
";
