//! Receipts. A sale's member is not a foreign key: a late receipt may name a card that is enrolled later.

pub(super) const TABLES: &str = "
CREATE TABLE sales (
  id UUID PRIMARY KEY NOT NULL,
  store TEXT NOT NULL,
  terminal TEXT NOT NULL,
  receipt TEXT NOT NULL,
  business_date INTEGER NOT NULL,
  occurred_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  member_id UUID,
  card TEXT,
  card_presented BOOLEAN NOT NULL,
  tier TEXT,
  birthday INTEGER,
  channel TEXT NOT NULL,
  total BIGINT NOT NULL CHECK (total >= 0),
  discount BIGINT NOT NULL CHECK (discount >= 0),
  first_date INTEGER NOT NULL,
  exchange_of UUID,
  signed_for INTEGER,
  invoice TEXT,
  voided_by UUID,
  digest TEXT NOT NULL,
  actor TEXT NOT NULL
);
CREATE UNIQUE INDEX sales_receipt ON sales (store, business_date, terminal, receipt);
CREATE INDEX sales_member ON sales (member_id, business_date) WHERE member_id IS NOT NULL;

CREATE TABLE sale_lines (
  sale_id UUID NOT NULL REFERENCES sales (id),
  line INTEGER NOT NULL,
  sku TEXT NOT NULL,
  area TEXT NOT NULL,
  category TEXT NOT NULL,
  season TEXT,
  counter TEXT,
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  list_price BIGINT NOT NULL CHECK (list_price >= 0),
  shelf_price BIGINT NOT NULL CHECK (shelf_price >= 0),
  unit_price BIGINT NOT NULL CHECK (unit_price >= 0),
  discount BIGINT NOT NULL CHECK (discount >= 0),
  paid BIGINT NOT NULL CHECK (paid >= 0),
  rebate_used BIGINT NOT NULL CHECK (rebate_used >= 0),
  member_discount BOOLEAN NOT NULL,
  bulk BOOLEAN NOT NULL,
  facts TEXT NOT NULL,
  points TEXT NOT NULL,
  last_day INTEGER,
  guarantee_end INTEGER,
  returned INTEGER NOT NULL,
  PRIMARY KEY (sale_id, line),
  CHECK (returned >= 0 AND returned <= quantity)
) CLUSTERED;

CREATE TABLE sale_tenders (
  sale_id UUID NOT NULL REFERENCES sales (id),
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  reference TEXT NOT NULL,
  amount BIGINT NOT NULL,
  refunded BIGINT NOT NULL,
  PRIMARY KEY (sale_id, seq),
  CHECK (refunded >= 0 AND refunded <= amount)
) CLUSTERED;

CREATE TABLE sale_gifts (
  sale_id UUID NOT NULL REFERENCES sales (id),
  seq INTEGER NOT NULL,
  reference TEXT NOT NULL,
  threshold BIGINT,
  worth BIGINT NOT NULL CHECK (worth >= 0),
  state TEXT NOT NULL CHECK (state IN ('given', 'used', 'handed_back', 'paid')),
  PRIMARY KEY (sale_id, seq)
) CLUSTERED;

CREATE TABLE sale_discounts (
  sale_id UUID NOT NULL REFERENCES sales (id),
  seq INTEGER NOT NULL,
  reference TEXT NOT NULL,
  amount BIGINT NOT NULL CHECK (amount >= 0),
  PRIMARY KEY (sale_id, seq)
) CLUSTERED;
";
