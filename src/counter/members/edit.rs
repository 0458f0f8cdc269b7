//! Changes to a member's record, each with its audit; the gift once a year; and being forgotten.
use super::{active, audit, by_number};
use crate::counter::desk::Desk;
use crate::counter::facts;
use crate::program::iso::{format_date, parse_date};
use crate::records::entity::{gift_issue, member, person};
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want, ids};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// What changes; what is left out stays, `null` is not written.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditRequest {
    pub store: String,
    pub actor: String,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub address: Option<String>,
    pub birthday: Option<String>,
    /// `active` or `blocked`.
    pub status: Option<String>,
    /// The version that the caller saw; another one is refused.
    pub version: Option<i64>,
}

/// Edits a member.
#[derive(Clone, Debug)]
pub struct EditMember {
    pub desk: Desk,
    pub member: String,
    pub request: EditRequest,
    pub operation: Uuid,
}

impl Operation for EditMember {
    fn hints(&self) -> Vec<Want> {
        vec![Want::Member(ids::member(&self.member))]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        let who = by_number(unit, &self.member)?;
        let request = &self.request;
        if request.version.is_some_and(|v| v != who.version) {
            let detail = format!("the record has version {} now", who.version);
            return Err(Refusal::new(412, "stale-version", "Somebody else changed the record", detail)
                .for_now()
                .into());
        }
        if matches!(who.status.as_str(), "erased" | "merged") {
            active(&who)?;
        }
        let mut person = unit.t.persons.get(&who.id).cloned().unwrap_or(person::Model {
            member_id: who.id,
            name: None,
            phone: None,
            address: None,
            birthday: None,
        });
        let mut changed = Map::new();
        for (field, new, old) in [
            ("name", &request.name, &mut person.name),
            ("phone", &request.phone, &mut person.phone),
            ("address", &request.address, &mut person.address),
        ] {
            if new.is_some() && new != old {
                changed.insert(field.into(), json!([old, new]));
                old.clone_from(new);
            }
        }
        if let Some(text) = &request.birthday {
            let day = parse_date(text).ok_or_else(|| {
                Refusal::new(
                    422,
                    "malformed-edit",
                    "The birthday cannot be read",
                    format!("{text:?} is not a date"),
                )
                .at("birthday")
            })?;
            if person.birthday != Some(day) {
                changed.insert("birthday".into(), json!([person.birthday.map(format_date), text]));
                person.birthday = Some(day);
            }
        }
        let mut status = who.status.clone();
        if let Some(new) = request.status.as_ref().filter(|new| **new != who.status) {
            if !matches!(new.as_str(), "active" | "blocked") {
                let detail = format!("{new:?} is neither `active` nor `blocked`");
                return Err(Refusal::new(422, "malformed-edit", "No such status", detail)
                    .at("status")
                    .into());
            }
            changed.insert("status".into(), json!([status, new]));
            status.clone_from(new);
        }
        let version = who.version + i64::from(!changed.is_empty());
        if !changed.is_empty() {
            unit.t.persons.put(person.clone());
            unit.t.members.put(member::Model { status: status.clone(), version, ..who.clone() });
            audit(
                unit,
                who.id,
                "edited",
                self.desk.store(),
                &request.actor,
                self.operation,
                Value::Object(changed),
            );
        }
        Ok(Answer {
            status: 200,
            body: shown(&member::Model { status, version, ..who }, Some(&person)).to_string(),
        })
    }
}

/// A member's record as callers see it.
pub(crate) fn shown(member: &member::Model, person: Option<&person::Model>) -> Value {
    json!({
        "member": member.number,
        "status": member.status,
        "tier": member.tier,
        "enrolled_at_store": member.enrolled_store,
        "enrolled_on": format_date(member.enrolled_on),
        "name": person.and_then(|p| p.name.clone()),
        "phone": person.and_then(|p| p.phone.clone()),
        "address": person.and_then(|p| p.address.clone()),
        "birthday": person.and_then(|p| p.birthday).map(format_date),
        "version": member.version,
    })
}

/// Forgets who a member is; the ledger stays whole.
#[derive(Clone, Debug)]
pub struct EraseMember {
    pub desk: Desk,
    pub member: String,
    pub actor: String,
    pub operation: Uuid,
}

impl Operation for EraseMember {
    fn hints(&self) -> Vec<Want> {
        vec![Want::Member(ids::member(&self.member)), Want::Events(ids::member(&self.member))]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        let who = by_number(unit, &self.member)?;
        unit.need([Want::Events(who.id)])?;
        unit.t.persons.put(person::Model {
            member_id: who.id,
            name: None,
            phone: None,
            address: None,
            birthday: None,
        });
        unit.t.members.put(member::Model {
            status: "erased".into(),
            version: who.version + 1,
            ..who.clone()
        });
        let events: Vec<_> =
            unit.t.member_events.range((who.id, Uuid::nil())..=(who.id, Uuid::max())).cloned().collect();
        for mut event in events.into_iter().filter(|e| e.kind == "edited") {
            event.data = "{}".into();
            unit.t.member_events.put(event);
        }
        audit(unit, who.id, "erased", self.desk.store(), &self.actor, self.operation, json!({}));
        Ok(Answer { status: 200, body: json!({ "member": who.number, "status": "erased" }).to_string() })
    }
}

/// A gift that a member may have once a year.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiftGivenRequest {
    pub store: String,
    pub occurred_at: Option<String>,
    pub actor: String,
    /// What was seen at the desk: `card_shown`, `id_shown`, …
    #[serde(default)]
    #[schema(value_type = Object)]
    pub visit: Map<String, Value>,
}

/// Gives the birthday gift.
#[derive(Clone, Debug)]
pub struct GiveGift {
    pub desk: Desk,
    pub member: String,
    pub request: GiftGivenRequest,
    pub operation: Uuid,
}

impl Operation for GiveGift {
    fn hints(&self) -> Vec<Want> {
        vec![
            Want::Member(ids::member(&self.member)),
            Want::Rulebook(self.desk.digest()),
            Want::Store(self.desk.store().to_owned()),
        ]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        let when = self.desk.when(unit, self.request.occurred_at.as_deref())?;
        let who = by_number(unit, &self.member)?;
        active(&who)?;
        let person = unit.t.persons.get(&who.id).cloned();
        let mut known = facts::of_member(&self.desk, unit, who.id, when.date)?;
        known.insert("member".into(), facts::member(&who, person.as_ref()));
        known.insert("today".into(), facts::date(when.date));
        let said = json!({ "visit": self.request.visit });
        let ruling = self.desk.decide("birthday_gift", Value::Object(known), &said)?;
        if !ruling.allows() {
            let more = json!({ "decision": ruling.answer() });
            let refusal = Refusal::new(409, "gift-refused", "The gift is not given", "see the decision");
            return Err(refusal.with(more.to_string()).for_now().into());
        }
        let decision = self.desk.log(unit, &ruling, "gift", self.operation, &self.request.actor)?;
        unit.t.gift_issues.put(gift_issue::Model {
            member_id: who.id,
            kind: "birthday".into(),
            year: facts::year_of(when.date),
            store: self.desk.store().to_owned(),
            given_on: when.date,
            decision_id: Some(decision),
        });
        let body = json!({ "member": who.number, "gift": "birthday", "decision": decision });
        Ok(Answer { status: 201, body: body.to_string() })
    }
}
