//! The ledger. Lots and entries, of which there are most, and settled members, of which there are most at once, have no
//! foreign keys: `verify` looks for orphans instead.

pub(super) const TABLES: &str = "
CREATE TABLE accounts (
  member_id UUID NOT NULL REFERENCES members (id),
  ledger TEXT NOT NULL,
  available BIGINT NOT NULL CHECK (available >= 0),
  pending BIGINT NOT NULL CHECK (pending >= 0),
  held BIGINT NOT NULL CHECK (held >= 0),
  debt BIGINT NOT NULL CHECK (debt >= 0),
  version BIGINT NOT NULL,
  PRIMARY KEY (member_id, ledger)
) CLUSTERED;
CREATE INDEX accounts_ledger ON accounts (ledger, member_id);

CREATE TABLE movements (
  id UUID PRIMARY KEY NOT NULL,
  member_id UUID NOT NULL,
  ledger TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('earn', 'claw_back', 'hold', 'capture', 'release', 'spend', 'reverse',
    'activate', 'expire', 'settle', 'credit', 'adjust', 'merge')),
  cause TEXT NOT NULL,
  cause_id UUID,
  reverses UUID,
  store TEXT NOT NULL,
  business_date INTEGER NOT NULL,
  occurred_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  clause TEXT,
  digest TEXT,
  reason TEXT
);
CREATE INDEX movements_cause ON movements (cause_id) WHERE cause_id IS NOT NULL;
CREATE INDEX movements_member ON movements (member_id, recorded_at);

CREATE TABLE lots (
  id UUID PRIMARY KEY NOT NULL,
  member_id UUID NOT NULL,
  ledger TEXT NOT NULL,
  cause_id UUID,
  earned_at BIGINT NOT NULL,
  earned_on INTEGER NOT NULL,
  activates_on INTEGER,
  expires_on INTEGER,
  amount BIGINT NOT NULL,
  remaining BIGINT NOT NULL,
  held BIGINT NOT NULL,
  moved_from UUID,
  state TEXT NOT NULL CHECK (state IN ('pending', 'open', 'closed')),
  CHECK (0 <= held AND held <= remaining AND remaining <= amount)
);
CREATE INDEX lots_live ON lots (member_id, ledger) WHERE state <> 'closed';
CREATE INDEX lots_expiring ON lots (expires_on) WHERE state = 'open' AND expires_on IS NOT NULL;
CREATE INDEX lots_activating ON lots (activates_on) WHERE state = 'pending';

CREATE TABLE entries (
  movement_id UUID NOT NULL,
  seq INTEGER NOT NULL,
  member_id UUID NOT NULL,
  ledger TEXT NOT NULL,
  bucket TEXT NOT NULL CHECK (bucket IN ('available', 'pending', 'held', 'debt', 'issued', 'redeemed', 'expired',
    'settled', 'adjusted', 'clawed')),
  amount BIGINT NOT NULL,
  lot_id UUID,
  PRIMARY KEY (movement_id, seq)
) CLUSTERED;
CREATE INDEX entries_lot ON entries (lot_id) WHERE lot_id IS NOT NULL;

CREATE TABLE holds (
  id UUID PRIMARY KEY NOT NULL,
  member_id UUID NOT NULL REFERENCES members (id),
  ledger TEXT NOT NULL,
  amount BIGINT NOT NULL,
  captured BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'captured', 'released', 'expired')),
  purpose TEXT NOT NULL,
  store TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  lots TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  CHECK (0 <= captured AND captured <= amount)
);
CREATE INDEX holds_open ON holds (member_id) WHERE state = 'open';
CREATE INDEX holds_expiring ON holds (expires_at) WHERE state = 'open';

CREATE TABLE redemptions (
  id UUID PRIMARY KEY NOT NULL,
  member_id UUID NOT NULL REFERENCES members (id),
  ledger TEXT NOT NULL,
  wish TEXT NOT NULL,
  reference TEXT,
  points BIGINT NOT NULL CHECK (points >= 0),
  worth BIGINT NOT NULL CHECK (worth >= 0),
  status TEXT NOT NULL CHECK (status IN ('recorded', 'reversed')),
  store TEXT NOT NULL,
  movement_id UUID NOT NULL,
  decision_id UUID NOT NULL,
  business_date INTEGER NOT NULL,
  occurred_at BIGINT NOT NULL
);
CREATE INDEX redemptions_member ON redemptions (member_id, occurred_at);

CREATE TABLE vouchers (
  number TEXT PRIMARY KEY NOT NULL,
  member_id UUID,
  worth BIGINT NOT NULL,
  balance BIGINT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('issued', 'spent', 'void')),
  redemption_id UUID,
  issued_on INTEGER NOT NULL,
  version BIGINT NOT NULL,
  CHECK (0 <= balance AND balance <= worth)
);
CREATE INDEX vouchers_member ON vouchers (member_id) WHERE member_id IS NOT NULL;
CREATE INDEX vouchers_redemption ON vouchers (redemption_id) WHERE redemption_id IS NOT NULL;

CREATE TABLE settlements (
  id UUID PRIMARY KEY NOT NULL,
  ledger TEXT NOT NULL,
  year INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'finished')),
  as_of INTEGER NOT NULL,
  cursor UUID,
  members BIGINT NOT NULL CHECK (members >= 0),
  cleared BIGINT NOT NULL CHECK (cleared >= 0),
  credited BIGINT NOT NULL CHECK (credited >= 0),
  started_at BIGINT NOT NULL,
  finished_at BIGINT,
  actor TEXT NOT NULL
);
CREATE INDEX settlements_year ON settlements (ledger, year);

CREATE TABLE settled_members (
  member_id UUID NOT NULL,
  ledger TEXT NOT NULL,
  year INTEGER NOT NULL,
  settlement_id UUID NOT NULL,
  points BIGINT NOT NULL,
  cleared BIGINT NOT NULL CHECK (cleared >= 0),
  credit BIGINT NOT NULL CHECK (credit >= 0),
  decision_id UUID,
  PRIMARY KEY (member_id, ledger, year)
) CLUSTERED;

CREATE TABLE member_days (
  member_id UUID NOT NULL REFERENCES members (id),
  date INTEGER NOT NULL,
  area TEXT NOT NULL,
  spent BIGINT NOT NULL CHECK (spent >= 0),
  returned BIGINT NOT NULL CHECK (returned >= 0),
  receipts INTEGER NOT NULL CHECK (receipts >= 0),
  earned BIGINT NOT NULL,
  PRIMARY KEY (member_id, date, area)
) CLUSTERED;
";
