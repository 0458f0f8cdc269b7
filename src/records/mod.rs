//! What happened, kept: tables, the points ledger, the decision log, and the one way in.
//!
//! Invariants: every write of what happened goes through [`engine::Engine`], in one transaction with its answer; what
//! operators do with plugins goes through [`plugins`]. What happened is appended, never changed; balances are the sums of
//! their entries. Nothing here knows HTTP or a policy's text.

// First: its macro `each_table` is used below.
#[macro_use]
pub mod unit;

pub mod database;
pub mod engine;
pub mod entity;
pub mod ids;
pub mod ledger;
pub mod migration;
pub mod plugins;
pub mod read;
pub mod shelf;
pub mod verify;
pub mod writer;

pub use database::{Database, Limits, migrate};
pub use engine::{Clock, Engine, Job, Reply, Store, StoreError, SystemClock, Tx};
pub use unit::{Answer, Aside, Operation, PastReturn, Refusal, Stop, Unit, Want};
pub use verify::{Finding, Report, verify};
pub use writer::{Bounds, Full, Writer};
