//! A member's record.
use super::Words;
use crate::program::iso::format_date;
use crate::records::read::MemberRecord;
use crate::rulebook::Rulebooks;
use serde_json::{Value, json};
use std::sync::Arc;

/// A member with cards, tiers and balances; `into` is the number of the record that took it over.
pub fn member(books: &Arc<Rulebooks>, record: &MemberRecord, into: Option<String>) -> Value {
    let (member, person) = (&record.member, record.person.as_ref());
    let words = Words::of(books, &member.enrolled_store);
    let cards = record.cards.iter().map(|c| {
        json!({
            "card": c.number,
            "status": c.status,
            "replaced_by": c.replaced_by,
            "issued_at": words.time(c.issued_at),
            "ended_at": c.ended_at.map(|at| words.time(at)),
        })
    });
    let tiers = record.tiers.iter().map(|t| {
        json!({
            "tier": t.tier,
            "reason": t.reason,
            "from": format_date(t.from_date),
            "sale": t.sale_id,
            "decision": t.decision_id,
        })
    });
    json!({
        "member": member.number,
        "status": member.status,
        "merged_into": into,
        "tier": member.tier,
        "enrolled_at_store": member.enrolled_store,
        "enrolled_on": format_date(member.enrolled_on),
        "name": person.and_then(|p| p.name.clone()),
        "phone": person.and_then(|p| p.phone.clone()),
        "address": person.and_then(|p| p.address.clone()),
        "birthday": person.and_then(|p| p.birthday).map(format_date),
        "cards": cards.collect::<Vec<_>>(),
        "tiers": tiers.collect::<Vec<_>>(),
        "version": member.version,
    })
}
