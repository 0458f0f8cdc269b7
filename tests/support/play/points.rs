//! Points, and the year's end.
use super::{Known, MINUTE, Move, Play, YEAR_END, now, occurred_at, read};
use sea_orm::prelude::Uuid;
use serde_json::json;
use std::sync::Arc;
use zhanggui::counter::points::{Adjust, BringUp, EndHold, HoldEnd, PlaceHold, Redeem, ReverseRedemption};
use zhanggui::counter::settle::{BeginSettlement, SettleMember, SettleRequest};
use zhanggui::records::ids;

impl Play {
    fn ledger(&mut self) -> &'static str {
        if self.dice.percent(60) { "department" } else { "supermarket" }
    }

    pub(super) fn hold(&mut self, known: &Known, operation: Uuid) -> Move {
        let (desk, member, ledger) = (self.desk(), self.number(), self.ledger());
        let longest = if self.dice.percent(70) { 30 } else { 600 };
        let request = read(json!({
            "store": desk.store(), "actor": "clerk", "member": member, "ledger": ledger,
            "amount": 1 + self.dice.below(40), "minutes": 1 + self.dice.below(longest),
        }));
        (Arc::new(PlaceHold { desk, request, operation }), self.at_year_end(known))
    }

    /// At once, or about the moment at which the hold ends by itself.
    pub(super) fn end_hold(&mut self, known: &Known, operation: Uuid) -> Move {
        let open: Vec<(Uuid, i64)> =
            known.holds.iter().filter(|(_, end)| *end > known.now).copied().collect();
        let held = self.recent(if open.is_empty() { &known.holds } else { &open });
        let (hold, end) = held.unwrap_or((operation, 0));
        self.ends.insert(self.key(), end);
        let at = self.about(end);
        let soon = (known.now..known.now + 40 * MINUTE).contains(&at) && self.dice.percent(75);
        let end = if self.dice.percent(60) { HoldEnd::Capture(None) } else { HoldEnd::Release };
        let operation = EndHold { desk: self.desk(), hold, end, actor: "clerk".into() };
        (Arc::new(operation), soon.then_some(at))
    }

    pub(super) fn redeem(&mut self, known: &Known, operation: Uuid) -> Move {
        let (desk, member) = (self.desk(), self.number());
        let voucher = self.dice.percent(50);
        let request = json!({
            "store": desk.store(), "actor": "clerk", "member": member, "place": "service_centre",
            "wish": if voucher { "goods_voucher" } else { "points_gift" },
            "ledger": if voucher { "supermarket" } else { "department" },
            "points": 250 + self.dice.below(1_000), "gift_points": 1 + self.dice.below(200),
            "visit": {"card_shown": true},
        });
        let said = self.occurred(known, 70);
        let at = if said.is_some() { None } else { self.at_year_end(known) };
        (Arc::new(Redeem { desk, request: read(occurred_at(request, said)), operation }), at)
    }

    pub(super) fn reverse(&mut self, known: &Known, operation: Uuid) -> Move {
        let nth = self.dice.below(known.redemptions.len() as u64) as usize;
        let redemption = known.redemptions.get(nth).copied().unwrap_or(operation);
        let desk = self.desk();
        let (reason, actor) = ("wrong gift".into(), "clerk".into());
        now(ReverseRedemption { desk, redemption, reason, actor, operation })
    }

    /// What is given may be good through the last day of the year only.
    pub(super) fn adjust(&mut self, known: &Known, operation: Uuid) -> Move {
        let (desk, member, ledger) = (self.desk(), self.number(), self.ledger());
        let amount = self.dice.below(6_000) as i64 - 1_000;
        let expires_on = match self.dice.below(10) {
            0 => Some("2026-12-30"),
            1..=7 if known.now < YEAR_END => Some("2026-12-31"),
            _ => None,
        };
        let request = read(json!({
            "store": desk.store(), "actor": "clerk", "approver": "manager", "member": member, "ledger": ledger,
            "amount": amount, "reason": "goodwill", "expires_on": expires_on,
        }));
        now(Adjust { desk, request, operation })
    }

    pub(super) fn bring_up(&mut self, known: &Known) -> Move {
        let (desk, number) = (self.desk(), self.number());
        let ledger = self.ledger().to_owned();
        (Arc::new(BringUp { desk, member: ids::member(&number), ledger }), self.at_year_end(known))
    }

    /// Points that are good through the last day only, about its end.
    pub(super) fn year_end_rush(&mut self, known: &Known, operation: Uuid) -> Move {
        let (rush, _) = match self.dice.below(3) {
            0 => self.bring_up(known),
            1 => self.hold(known, operation),
            _ => self.redeem(known, operation),
        };
        (rush, Some(self.about(YEAR_END)))
    }

    fn year(&self) -> SettleRequest {
        read(json!({"store": "s001", "actor": "system", "ledger": "department", "year": 2026}))
    }

    /// The first time about the end of the year.
    pub(super) fn begin_settlement(&mut self, known: &Known) -> Move {
        self.begins += 1;
        let at = self.about(YEAR_END);
        let request = self.year();
        (Arc::new(BeginSettlement { desk: self.desk(), request }), (at > known.now).then_some(at))
    }

    pub(super) fn settle(&mut self) -> Move {
        let (desk, number, request) = (self.desk(), self.number(), self.year());
        now(SettleMember {
            settlement: request.id(),
            ledger: "department".into(),
            year: 2026,
            as_of: request.as_of(),
            member: ids::member(&number),
            actor: "system".into(),
            desk,
        })
    }
}
