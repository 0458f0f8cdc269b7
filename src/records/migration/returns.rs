//! Returns. Without a receipt there is no sale; one that is named is recorded before what comes back of it.

pub(super) const TABLES: &str = "
CREATE TABLE returns (
  id UUID PRIMARY KEY NOT NULL,
  ticket_id UUID NOT NULL UNIQUE,
  sale_id UUID,
  store TEXT NOT NULL,
  terminal TEXT NOT NULL,
  business_date INTEGER NOT NULL,
  occurred_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  member_id UUID,
  requester TEXT NOT NULL,
  remedy TEXT NOT NULL,
  refund BIGINT NOT NULL CHECK (refund >= 0),
  withheld BIGINT NOT NULL CHECK (withheld >= 0),
  paid_out BIGINT NOT NULL CHECK (paid_out >= 0),
  points_short BIGINT NOT NULL CHECK (points_short >= 0),
  status TEXT NOT NULL CHECK (status IN ('recorded', 'voided')),
  exchange_sale UUID,
  digest TEXT NOT NULL,
  decision_id UUID NOT NULL
);
CREATE INDEX returns_sale ON returns (sale_id) WHERE sale_id IS NOT NULL;
CREATE INDEX returns_member ON returns (member_id, business_date) WHERE member_id IS NOT NULL;
CREATE INDEX returns_store ON returns (store, business_date);

CREATE TABLE return_lines (
  return_id UUID NOT NULL REFERENCES returns (id),
  seq INTEGER NOT NULL,
  line INTEGER NOT NULL,
  from_unit INTEGER NOT NULL CHECK (from_unit >= 0),
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  refund BIGINT NOT NULL CHECK (refund >= 0),
  reason TEXT NOT NULL,
  facts TEXT NOT NULL,
  PRIMARY KEY (return_id, seq)
) CLUSTERED;

CREATE TABLE return_tenders (
  return_id UUID NOT NULL REFERENCES returns (id),
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  reference TEXT NOT NULL,
  amount BIGINT NOT NULL CHECK (amount >= 0),
  sale_seq INTEGER,
  PRIMARY KEY (return_id, seq)
) CLUSTERED;

CREATE TABLE dues (
  return_id UUID NOT NULL REFERENCES returns (id),
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  reference TEXT NOT NULL,
  amount BIGINT NOT NULL CHECK (amount >= 0),
  settled TEXT NOT NULL CHECK (settled IN ('handed_back', 'paid', 'withheld')),
  PRIMARY KEY (return_id, seq)
) CLUSTERED;

CREATE TABLE approvals (
  id UUID PRIMARY KEY NOT NULL,
  ticket_id UUID NOT NULL,
  sale_id UUID,
  store TEXT NOT NULL,
  amount BIGINT NOT NULL CHECK (amount >= 0),
  approver TEXT NOT NULL,
  role TEXT NOT NULL,
  verdict TEXT NOT NULL,
  decision_id UUID NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX approvals_ticket ON approvals (ticket_id);
CREATE INDEX approvals_sale ON approvals (sale_id) WHERE sale_id IS NOT NULL;
";
