//! At the till.
use super::{Known, Move, Play, amount, occurred_at, read};
use serde_json::{Value, json};
use std::sync::Arc;
use zhanggui::counter::sale::{RecordSale, SaleRequest};

/// Above 300.00 a department supervisor cannot approve what goes back.
const LIMIT: u64 = 30_000;
/// Winter clothes of this day may come back through 31 December.
const LONG_AGO: &str = "2026-12-16T12:00:00+08:00";

impl Play {
    pub(super) fn sell(&mut self, known: &Known) -> Move {
        let desk = self.desk();
        // A price a cent about the limit is one of a single thing.
        let lines: Vec<(u64, u64)> = if self.dice.percent(25) {
            vec![(1, LIMIT - 1 + self.dice.below(3))]
        } else {
            (0..1 + self.dice.below(3))
                .map(|_| (1 + self.dice.below(3), 50 + self.dice.below(90_000)))
                .collect()
        };
        let total: u64 = lines.iter().map(|(q, p)| q * p).sum();
        let off = if lines.len() > 1 && self.dice.percent(40) { self.dice.below(total / 4 + 1) } else { 0 };
        let card = self.card(known);
        let tenders = self.tenders(known, card.is_some(), total - off);
        let long_ago = self.dice.percent(25);
        let said = if long_ago { Some(LONG_AGO.to_owned()) } else { self.occurred(known, 40) };
        let at = if said.is_some() { None } else { self.at_year_end(known) };
        let request = self.sale(desk.store(), card, &lines, off, tenders);
        let request: SaleRequest = read(occurred_at(request, said));
        (Arc::new(RecordSale { desk, request, exchange: None }), at)
    }

    pub(super) fn card(&mut self, known: &Known) -> Option<String> {
        let nth = self.dice.below(known.cards.len() as u64) as usize;
        known.cards.get(nth).filter(|_| self.dice.percent(80)).cloned()
    }

    /// Lines are quantities and prices in cents.
    pub(super) fn sale(
        &mut self,
        store: &str,
        card: Option<String>,
        lines: &[(u64, u64)],
        off: u64,
        tenders: Vec<Value>,
    ) -> Value {
        let supermarket = store == "s002";
        let line = |(quantity, price): &(u64, u64)| {
            json!({
                "sku": "x", "area": if supermarket { "supermarket" } else { "department" },
                "category": if supermarket && price % 2 == 0 { "household" } else { "clothing" },
                "quantity": quantity, "season": "winter",
                "list_price": amount(*price), "shelf_price": amount(*price),
            })
        };
        let total: u64 = lines.iter().map(|(q, p)| q * p).sum();
        let mut gifts = Vec::new();
        if self.dice.percent(35) {
            let threshold = self.dice.percent(60).then(|| amount(self.dice.below(total + 1)));
            gifts.push(json!({"reference": "towel", "threshold": threshold, "worth": amount(self.dice.below(3_000))}));
        }
        if self.dice.percent(20) {
            gifts.push(json!({"reference": "coupon", "threshold": null, "worth": amount(1 + self.dice.below(2_000))}));
        }
        json!({
            "store": store, "terminal": "t1", "receipt": format!("r{}", self.step), "actor": "till",
            "card": card, "lines": lines.iter().map(line).collect::<Vec<_>>(), "tenders": tenders, "gifts": gifts,
            "discounts": if off > 0 { json!([{"reference": "coupon", "amount": amount(off)}]) } else { json!([]) },
        })
    }

    /// Cash, and now and then stored value beside it.
    fn tenders(&mut self, known: &Known, member: bool, due: u64) -> Vec<Value> {
        let mut left = due;
        let mut tenders = Vec::new();
        let mut pay = |kind: &str, reference: &str, wanted: u64| {
            let part = wanted.min(left);
            left -= part;
            tenders.push(json!({"kind": kind, "reference": reference, "amount": amount(part)}));
        };
        match self.dice.below(100) {
            // There is some once a year was settled; without the card, nobody's.
            0..=29 if known.settling && (member || self.dice.percent(10)) => {
                pay("rebate", "", self.dice.below(2_000));
            }
            0..=21 => pay("gift_card", "G-1", self.dice.below(20_000)),
            22..=49 => {
                if let Some((number, worth)) = self.recent(&known.vouchers) {
                    pay("voucher", &number, 1 + self.dice.below(worth));
                }
            }
            _ => {}
        }
        pay("cash", "", due);
        tenders
    }
}
