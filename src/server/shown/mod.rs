//! Rows as callers see them: amounts as decimal text, times in the store's zone, numbers instead of inner ids.
mod members;
mod points;
mod returns;
mod sales;
mod stores;

pub use members::member;
pub use points::{balances, hold, movement, movement_key, redemption};
pub use returns::{offline, slip};
pub use sales::{sale, sale_row};
pub use stores::{event, store};

use crate::counter::Desk;
use crate::counter::money::Scale;
use crate::program::iso::format_datetime;
use crate::rulebook::Rulebooks;
use serde_json::Value;
use std::sync::Arc;

/// How the amounts and times of a store are written.
struct Words {
    money: Scale,
    points: Scale,
    money_ledgers: Vec<String>,
    zone: chrono_tz::Tz,
}

impl Words {
    /// Of a store; of the first one where it is not in the rulebooks any more.
    fn of(books: &Arc<Rulebooks>, store: &str) -> Words {
        let first = || books.store_ids().next().and_then(|id| Desk::at(books.clone(), id).ok());
        match Desk::at(books.clone(), store).ok().or_else(first) {
            Some(desk) => Words {
                money: desk.currency(),
                points: desk.points(),
                money_ledgers: desk.money_ledgers(),
                zone: desk.program().linked().zone,
            },
            None => Words {
                money: Scale { digits: 2 },
                points: Scale { digits: 0 },
                money_ledgers: Vec::new(),
                zone: chrono_tz::UTC,
            },
        }
    }
    fn money(&self, minor: i64) -> String {
        self.money.text(minor)
    }
    /// In a ledger's unit.
    fn on(&self, ledger: &str, amount: i64) -> String {
        let money = self.money_ledgers.iter().any(|l| l == ledger);
        if money { self.money.text(amount) } else { self.points.text(amount) }
    }
    fn time(&self, micros: i64) -> String {
        format_datetime(micros, self.zone)
    }
}

/// JSON that a row keeps as text.
fn kept(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}
