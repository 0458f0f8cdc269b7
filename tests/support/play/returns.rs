//! Goods that come back.
use super::{Known, Move, Play, Ticket, Twice, amount, now, occurred_at, read};
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};
use std::sync::Arc;
use zhanggui::counter::Desk;
use zhanggui::counter::returns::{
    ApproveReturn, EvaluateReturn, ExchangeRequest, ExchangeReturn, RecordReturn, VoidReturn,
};

impl Play {
    pub(super) fn evaluate(&mut self, known: &Known) -> Move {
        let desk = self.desk();
        // Some bring back one thing after another.
        let same = self.looked.take().filter(|_| self.dice.percent(40));
        let sale = same.or_else(|| self.recent(&known.sales));
        self.looked.clone_from(&sale);
        let bought = sale.as_ref().map(|sale| sale.lines.clone()).unwrap_or_default();
        let wants = if self.dice.percent(25) { "exchange" } else { "money_back" };
        let first = self.dice.below(bought.len() as u64);
        let many = if self.dice.percent(30) { 2 } else { 1 };
        let lines: Vec<Value> = (first..first + many)
            .map(|line| {
                let item = json!({
                    "opened": false, "altered": false, "finding": "no_fault", "test_report": false, "original": true,
                    "tagged": true, "clean": true, "whole": true, "undamaged": true, "resaleable": true,
                    "price_now": null, "defect_disclosed": false, "maker_repairs": false,
                    "clearance": false, "customised": false, "confirmed_no_return": false,
                });
                // Now and then more than was bought, or of a line that is not there.
                let line = if self.dice.percent(90) { line % (bought.len() as u64).max(1) } else { line };
                let most = bought.get(line as usize).copied().unwrap_or(1);
                let quantity = if self.dice.percent(90) { 1 + self.dice.below(most) } else { most + 1 };
                json!({"line": line, "quantity": quantity, "item": item})
            })
            .collect();
        let used = self.dice.percent(40);
        let request = json!({
            "store": desk.store(), "actor": "clerk", "sale": sale.map(|sale| sale.id), "lines": lines,
            "receipt": {"till_slip": true, "customer_copy": true, "invoice": false},
            "request": {"reason": "change_of_mind", "wants": wants, "inquiry": null, "salesperson": null},
            "gifts": if used { json!([{"reference": "towel", "used": true}]) } else { json!([]) },
        });
        let said = self.occurred(known, 60);
        let at = if said.is_some() { None } else { self.at_year_end(known) };
        (Arc::new(Twice(EvaluateReturn { desk, request: read(occurred_at(request, said)) })), at)
    }

    /// A ticket that is good and not used, and approved or not.
    pub(super) fn open(&mut self, known: &Known, approved: bool) -> Option<Ticket> {
        let good = |t: &&Ticket| t.expires_at > known.now && !known.used.contains(&t.id);
        let mut all =
            known.tickets.iter().filter(good).filter(|t| known.approved.contains(&t.id) == approved);
        all.next_back().cloned()
    }

    /// A ticket at hand, mostly one that is good, and when: now, or about the moment at which it ends.
    fn ticket(&mut self, known: &Known, approved: bool) -> (Option<Ticket>, Option<i64>) {
        let open = self.open(known, approved).filter(|_| self.dice.percent(85));
        // Also once more what was used just now.
        let again =
            known.tickets.iter().rev().find(|t| t.expires_at > known.now && known.used.contains(&t.id));
        let again = again.filter(|_| self.dice.percent(if open.is_some() { 8 } else { 50 })).cloned();
        let ticket = again.or(open).or_else(|| self.recent(&known.tickets));
        let end = ticket.as_ref().map(|ticket| {
            self.ends.insert(self.key(), ticket.expires_at);
            self.about(ticket.expires_at)
        });
        (ticket, end.filter(|end| *end > known.now && self.dice.percent(12)))
    }

    pub(super) fn approve(&mut self, known: &Known) -> Move {
        let (ticket, at) = self.ticket(known, false);
        let desk = self.desk();
        let role = if self.dice.percent(75) { "general_manager" } else { "supervisor" };
        let token = ticket.map(|ticket| ticket.token).unwrap_or_default();
        let request = read(json!({"store": desk.store(), "ticket": token, "approver": "boss", "role": role}));
        (Arc::new(ApproveReturn { desk, request }), at)
    }

    pub(super) fn bring_back(&mut self, known: &Known) -> Move {
        let (ticket, at) = self.ticket(known, true);
        let mut desk = self.desk();
        if let Some(store) = ticket.as_ref().map(|ticket| &ticket.store).filter(|_| self.dice.percent(92)) {
            desk = Desk::at(self.books.clone(), store).unwrap();
        }
        let token = ticket.as_ref().map(|ticket| ticket.token.clone()).unwrap_or_default();
        let mut dues = Vec::new();
        for reference in ["towel", "coupon", "返利", "department", "supermarket"] {
            match self.dice.below(10) {
                0..=4 => dues.push(json!({"reference": reference, "settled": "handed_back"})),
                5..=6 => dues.push(json!({"reference": reference, "settled": "paid"})),
                _ => {}
            }
        }
        let returned =
            json!({"store": desk.store(), "terminal": "t9", "actor": "desk", "ticket": token, "dues": dues});
        let Some(ticket) = ticket.filter(|ticket| ticket.exchange) else {
            return (Arc::new(RecordReturn { desk, request: read(returned) }), at);
        };
        // Cheaper, even, or dearer.
        let price = match self.dice.below(3) {
            0 => ticket.value.saturating_sub(self.dice.below(5_000)),
            1 => ticket.value,
            _ => ticket.value + self.dice.below(20_000),
        };
        let card = self.card(known);
        let on_top = price.saturating_sub(ticket.value);
        let tenders =
            if on_top > 0 { vec![json!({"kind": "cash", "amount": amount(on_top)})] } else { vec![] };
        let sale = self.sale(desk.store(), card, &[(1, price)], 0, tenders);
        let request: ExchangeRequest = read(json!({"return": returned, "sale": sale}));
        (Arc::new(ExchangeReturn { desk, request }), at)
    }

    pub(super) fn void(&mut self, known: &Known, operation: Uuid) -> Move {
        let desk = self.desk();
        let id = self.recent(&known.returns).unwrap_or(operation);
        let request = read(json!({"store": desk.store(), "actor": "desk", "reason": "wrong slip"}));
        now(VoidReturn { desk, id, request })
    }
}
