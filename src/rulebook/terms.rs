//! What a rulebook declares beside its policies: its ledgers, its tenders, and how its counters work.
//!
//! ```toml
//! [ledger.department]
//! spend = "expiry"        # or "earned": which lots are spent first
//! clawback = "offset"     # "pending", "balance", "debt" or "offset"
//! point_worth = "0.01"    # "offset": what a missing point costs, in the currency
//!
//! [tender]                # where the money of a purchase may go back to
//! cash = ["cash"]
//! card = ["card", "cash"]
//!
//! [counter]
//! late_days = 30          # how old an event may be when it is recorded
//! ```
use serde::Deserialize;
use std::collections::BTreeMap;

/// Which lots are spent first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpendOrder {
    /// Earliest expiry first, then earliest earned.
    #[default]
    Expiry,
    /// Earliest earned first.
    Earned,
}

/// What happens to points that have to be taken back and are spent already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClawbackRule {
    /// Only pending points are taken back.
    Pending,
    /// As much as the balance holds.
    #[default]
    Balance,
    /// The rest is owed.
    Debt,
    /// The rest is set off against the money that goes back.
    Offset,
}

/// A ledger of points or of stored money.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerTerms {
    /// Stored money instead of points.
    pub money: bool,
    pub spend: SpendOrder,
    pub clawback: ClawbackRule,
    /// The most that may be owed; none: no limit.
    pub debt_limit: Option<i64>,
    /// What a missing point costs where it is set off, as a decimal of the currency.
    pub point_worth: Option<String>,
    /// Days that restored points get whose life was over meanwhile; none: they are written off.
    pub grace_days: Option<i32>,
}

/// How counters work.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CounterTerms {
    /// Days after which an event is too old to be recorded: longer than any till is offline.
    pub late_days: i32,
    /// Minutes that a return ticket lives.
    pub ticket_minutes: i64,
    /// Minutes that a hold lives if the request does not say.
    pub hold_minutes: i64,
    /// The ledger of stored money that settlements credit.
    pub rebate_ledger: String,
}

impl Default for CounterTerms {
    fn default() -> CounterTerms {
        CounterTerms { late_days: 30, ticket_minutes: 30, hold_minutes: 15, rebate_ledger: "rebate".into() }
    }
}

/// What a rulebook declares for its counters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Terms {
    pub ledgers: BTreeMap<String, LedgerTerms>,
    /// Tender of the purchase to the tenders that its money may go back to, the first one preferred. A tender that is not
    /// listed goes back to itself.
    pub tenders: BTreeMap<String, Vec<String>>,
    pub counter: CounterTerms,
}

impl Terms {
    /// A ledger's terms; what is not declared has the defaults.
    pub fn ledger(&self, name: &str) -> LedgerTerms {
        self.ledgers.get(name).cloned().unwrap_or_default()
    }
}
