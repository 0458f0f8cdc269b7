//! Members and their cards: who stands at the till, and what may be done to their record.
mod cards;
mod edit;
mod enrol;
mod merge;
mod tier;

pub use cards::{BlockCard, ReplaceCard, ReplaceRequest};
pub use edit::{EditMember, EditRequest, EraseMember, GiftGivenRequest, GiveGift};
pub use enrol::{ApplicantRequest, EnrolMember, EnrolRequest, IdentityRequest};
pub(crate) use merge::hand_on;
pub use merge::{MergeMembers, MergeRequest, UnmergeMembers};
pub use tier::{Upgrade, tier_after};

use tier::tier_at;

use crate::counter::desk::AHEAD;
use crate::records::entity::{member, member_event, person};
use crate::records::{Refusal, Stop, Unit, Want, ids};
use sea_orm::prelude::Uuid;
use serde_json::Value;

/// Who stands at the till.
#[derive(Clone, Debug, Default)]
pub struct Customer {
    pub member: Option<member::Model>,
    pub person: Option<person::Model>,
    /// The tier that the member had then; since then it may have become another.
    pub tier: Option<String>,
    /// Whether the card counted: it was handed out and not lost, replaced or blocked when it was presented.
    pub counts: bool,
}

/// The member behind a card, as merged since, with the tier of the time `at` (epoch microseconds).
pub fn customer(unit: &Unit, card: &str, at: i64) -> Result<Customer, Stop> {
    unit.need([Want::Card(card.to_owned())])?;
    let Some(owner) = unit.card_member(card) else {
        let shown: String = card.chars().take(60).collect();
        let detail = format!("there is no card {shown:?}");
        return Err(Refusal::new(422, "unknown-card", "There is no such card", detail).at("card").into());
    };
    unit.need([Want::Member(owner)])?;
    // Whoever goes from the desk to a till whose clock is behind has the card already.
    let valid = unit
        .t
        .cards
        .get(&card.to_owned())
        .is_some_and(|c| c.issued_at - AHEAD <= at && c.ended_at.is_none_or(|end| at < end));
    let member = present(unit, owner)?;
    if !valid || member.status != "active" {
        // Who shows a card that was reported lost is not the member: neither prices nor points, and no trace in the account.
        return Ok(Customer::default());
    }
    unit.need([Want::Member(member.id)])?;
    let person = unit.t.persons.get(&member.id).cloned();
    let tier = tier_at(unit, &member, at);
    Ok(Customer { member: Some(member), person, tier, counts: true })
}

/// A member by id, or the one that took the record over.
pub fn present(unit: &Unit, id: Uuid) -> Result<member::Model, Stop> {
    let mut id = id;
    // A chain of mergers has no circles; the bound is against damaged rows.
    for _ in 0..32 {
        unit.need([Want::Account(id)])?;
        let found = unit.t.members.get(&id).cloned().ok_or_else(|| no_member(&id.to_string()))?;
        match found.merged_into {
            Some(into) => id = into,
            None => return Ok(found),
        }
    }
    Err(no_member(&id.to_string()))
}

/// A member and every record that was merged into it: all that is recorded of one person. Loads what it needs.
pub fn records_of(unit: &Unit, id: Uuid) -> Result<Vec<Uuid>, Stop> {
    let mut all = vec![id];
    let mut at = 0;
    while let Some(one) = all.get(at).copied() {
        unit.need([Want::Member(one), Want::Merged(one)])?;
        for merged in unit.merged(one) {
            if !all.contains(&merged) {
                all.push(merged);
            }
        }
        at += 1;
    }
    Ok(all)
}

/// A member by number, with accounts and no more: for who posts points.
pub fn holder(unit: &Unit, number: &str) -> Result<member::Model, Stop> {
    let id = ids::member(number);
    unit.need([Want::Account(id)])?;
    if unit.t.members.get(&id).is_none() {
        return Err(no_member(number));
    }
    present(unit, id)
}

/// A member by number, with person, cards and tier grants.
pub fn by_number(unit: &Unit, number: &str) -> Result<member::Model, Stop> {
    let found = holder(unit, number)?;
    unit.need([Want::Member(found.id)])?;
    Ok(found)
}

fn no_member(number: &str) -> Stop {
    let shown: String = number.chars().take(60).collect();
    Refusal::new(404, "unknown-member", "There is no such member", format!("there is no member {shown:?}"))
        .at("member")
        .for_now()
        .into()
}

/// Whether a text can be the number of a member or a card: 1 to 60 bytes, none of them a control character.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 60 && !text.chars().any(char::is_control)
}

/// Refuses unless the member may do business.
pub fn active(member: &member::Model) -> Result<(), Stop> {
    if member.status == "active" {
        return Ok(());
    }
    let detail = format!("member {} is {}", member.number, member.status);
    Err(Refusal::new(409, "member-not-active", "The member's record is closed", detail).into())
}

/// Writes into the audit of a member's record.
pub fn audit(unit: &mut Unit, member: Uuid, kind: &str, store: &str, actor: &str, op: Uuid, data: Value) {
    let id = ids::named(&["member event", &member.to_string(), kind, &op.to_string()]);
    unit.t.member_events.put(member_event::Model {
        id,
        member_id: member,
        kind: kind.to_owned(),
        store: store.to_owned(),
        actor: actor.to_owned(),
        data: data.to_string(),
        at: unit.now,
    });
}
