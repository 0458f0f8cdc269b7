//! Tiers: granted with a reason, never taken away unless a policy says so.
use super::{active, by_number};
use crate::counter::desk::{Desk, When};
use crate::counter::facts;
use crate::records::entity::{event, member, tier_grant};
use crate::records::{Answer, Operation, Stop, Unit, Want, ids};
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

/// Looks at a member's tier after something happened; returns the new one if it changed. The receipt that brought it
/// about keeps the old tier's terms: the new one holds from the next receipt on.
pub fn tier_after(
    unit: &mut Unit,
    desk: &Desk,
    who: &member::Model,
    when: &When,
    cause_id: Uuid,
    actor: &str,
) -> Result<Option<String>, Stop> {
    if !desk.has("upgrade") || who.status != "active" {
        return Ok(None);
    }
    let mut known = facts::of_member(desk, unit, who.id, when.date)?;
    unit.need([Want::Member(who.id)])?;
    let person = unit.t.persons.get(&who.id).cloned();
    known.insert("member".into(), facts::member(who, person.as_ref()));
    known.insert("today".into(), facts::date(when.date));
    let ruling = desk.rule("upgrade", Value::Object(known), &Value::Null)?;
    let Some(new) = ruling.text("new_tier").map(str::to_owned) else { return Ok(None) };
    if who.tier.as_ref() == Some(&new) {
        return Ok(None);
    }
    let decision = desk.log(unit, &ruling, "tier", cause_id, actor)?;
    grant(unit, who, &new, "upgrade", when, Some(cause_id), Some(decision));
    unit.t.events.put(event::Model {
        id: ids::dated(when.date, &["event", "tier", &who.id.to_string(), &cause_id.to_string()]),
        kind: "member.tier_changed".into(),
        store: desk.store().to_owned(),
        data: json!({ "member": who.number, "from": who.tier, "to": new }).to_string(),
        recorded_at: unit.now,
    });
    Ok(Some(new))
}

/// The tier that a member had at a time (epoch microseconds): today's, unless it was granted later. What happens before a
/// member's first grant is on that grant's terms: a till whose clock is behind, or a record that was merged into this one.
pub fn tier_at(unit: &Unit, who: &member::Model, at: i64) -> Option<String> {
    let all = unit.t.tier_grants.range((who.id, Uuid::nil())..=(who.id, Uuid::max()));
    let grants: Vec<&tier_grant::Model> = all.filter(|g| g.reason != "receipt").collect();
    if grants.iter().all(|g| g.granted_at <= at) {
        return who.tier.clone();
    }
    let then = grants.iter().filter(|g| g.granted_at <= at).max_by_key(|g| (g.granted_at, g.id));
    then.or_else(|| grants.iter().min_by_key(|g| (g.granted_at, g.id))).map(|g| g.tier.clone())
}

/// Gives a member a tier.
pub fn grant(
    unit: &mut Unit,
    who: &member::Model,
    tier: &str,
    reason: &str,
    when: &When,
    cause: Option<Uuid>,
    decision_id: Option<Uuid>,
) {
    let of = cause.map(|c| c.to_string()).unwrap_or_default();
    unit.t.tier_grants.put(tier_grant::Model {
        id: ids::named(&["tier", &who.id.to_string(), tier, reason, &of]),
        member_id: who.id,
        tier: tier.to_owned(),
        reason: reason.to_owned(),
        from_date: when.date,
        sale_id: None,
        decision_id,
        granted_at: when.occurred_at,
    });
    unit.t.members.put(member::Model {
        tier: Some(tier.to_owned()),
        version: who.version + 1,
        ..who.clone()
    });
}

/// Looks at a member's tier now.
#[derive(Clone, Debug)]
pub struct Upgrade {
    pub desk: Desk,
    pub member: String,
    pub actor: String,
    /// The request's key: what is written follows from it.
    pub operation: Uuid,
}

impl Operation for Upgrade {
    fn hints(&self) -> Vec<Want> {
        vec![Want::Member(ids::member(&self.member)), Want::Rulebook(self.desk.digest())]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        let when = self.desk.when(unit, None)?;
        let who = by_number(unit, &self.member)?;
        active(&who)?;
        let new = tier_after(unit, &self.desk, &who, &when, self.operation, &self.actor)?;
        let tier = new.clone().or(who.tier);
        let body = json!({ "member": who.number, "tier": tier, "changed": new.is_some() });
        Ok(Answer { status: 200, body: body.to_string() })
    }
}
