//! Members and their cards.
use super::{Known, Move, Play, now, occurred_at, read};
use sea_orm::prelude::Uuid;
use serde_json::json;
use zhanggui::counter::members::{
    EditMember, EnrolMember, EraseMember, GiveGift, MergeMembers, ReplaceCard, UnmergeMembers,
};

impl Play {
    /// Born on the last day of a year, or on the first.
    pub(super) fn enrol(&mut self, known: &Known, nth: u64) -> Move {
        let desk = self.desk();
        let birthday = if nth.is_multiple_of(2) { "1990-12-31" } else { "1991-01-01" };
        // By the second enrolment the key for documents is there.
        let identity =
            (!known.cards.is_empty()).then(|| json!({"kind": "passport", "number": format!("P{nth}")}));
        let request = read(json!({
            "store": desk.store(), "actor": "clerk", "number": format!("M{nth}"), "card": format!("C{nth}-0"),
            "applicant": {"ground": "old_card", "name": "n", "phone": "p", "address": "a", "birthday": birthday},
            "identity": identity,
            "visit": {"id_shown": true, "form_filled": true, "details_confirmed": true, "old_card_given": true,
                      "card_shown": true},
        }));
        now(EnrolMember { desk, request })
    }

    pub(super) fn replace_card(&mut self, known: &Known, operation: Uuid) -> Move {
        let (desk, member) = (self.desk(), self.number());
        let request = read(json!({
            "store": desk.store(), "actor": "clerk", "mishap": "lost_card", "visit": {"id_shown": true},
            "new_card": format!("C{}-{}", self.step, known.cards.len()),
        }));
        now(ReplaceCard { desk, member, request, operation })
    }

    pub(super) fn merge(&mut self, operation: Uuid) -> Move {
        let (desk, member, into) = (self.desk(), self.number(), self.number());
        let request =
            read(json!({"store": desk.store(), "actor": "clerk", "into": into, "reason": "one person"}));
        now(MergeMembers { desk, member, request, operation })
    }

    pub(super) fn unmerge(&mut self, operation: Uuid) -> Move {
        let (desk, member) = (self.desk(), self.number());
        now(UnmergeMembers { desk, member, actor: "clerk".into(), operation })
    }

    pub(super) fn edit(&mut self, operation: Uuid) -> Move {
        let (desk, member) = (self.desk(), self.number());
        // Most who are blocked are unblocked again.
        let status = match self.dice.below(6) {
            0 => Some("blocked"),
            1..=4 => Some("active"),
            _ => None,
        };
        let version = self.dice.percent(20).then(|| self.dice.below(4));
        let request = read(json!({
            "store": desk.store(), "actor": "clerk", "phone": format!("p{}", self.step), "status": status,
            "version": version,
        }));
        now(EditMember { desk, member, request, operation })
    }

    /// Mostly of somebody who has hardly come yet, or nobody would be left.
    pub(super) fn erase(&mut self, operation: Uuid) -> Move {
        let desk = self.desk();
        let member = if self.dice.percent(80) { format!("M{}", super::MEMBERS - 1) } else { self.number() };
        now(EraseMember { desk, member, actor: "clerk".into(), operation })
    }

    pub(super) fn give_gift(&mut self, known: &Known, operation: Uuid) -> Move {
        let (desk, member) = (self.desk(), self.number());
        let request = json!({
            "store": desk.store(), "actor": "clerk", "visit": {"card_shown": true, "id_shown": true},
        });
        let at = self.occurred(known, 40);
        now(GiveGift { desk, member, request: read(occurred_at(request, at)), operation })
    }
}
