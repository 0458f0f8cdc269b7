//! The tables, as SeaORM entities: one module per table, gathered by what they record.
//!
//! Invariants: money is in the currency's minor units and points in the ledger's unit, as `i64`; instants are epoch
//! microseconds, dates days since 1970-01-01; enumerations are short words, checked by the schema. Nothing that records
//! what happened is updated or deleted; what is updated (balances, remaining amounts, states) can be derived from it.
pub mod customers;
pub mod decisions;
pub mod plugins;
pub mod points;
pub mod returns;
pub mod sales;
pub mod stores;

pub use customers::{card, gift_issue, identity, member, member_event, person, tier_grant};
pub use decisions::{answer, chain, decision, event, plugin_response, rulebook, secret};
pub use plugins::{
    delivery, plugin_act, plugin_cursor, plugin_difference, plugin_entry, plugin_failure, plugin_package,
    plugin_state, vendor_key,
};
pub use points::{
    account, entry, hold, lot, member_day, movement, redemption, settled_member, settlement, voucher,
};
pub use returns::{approval, due, offline_return, return_line, return_slip, return_tender};
pub use sales::{discount, sale, sale_gift, sale_line, sale_tender};
pub use stores::{counter, store};
