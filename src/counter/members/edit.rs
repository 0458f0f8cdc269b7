//! Changes to a member's record, each with its audit; the gift once a year; and being forgotten.
use super::{active, audit, by_number, no_member, records_of};
use crate::counter::desk::Desk;
use crate::counter::facts;
use crate::program::iso::{format_date, parse_date};
use crate::records::entity::{gift_issue, member, member_event, person};
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
        let fields: Vec<String> = changed.keys().cloned().collect();
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
        // The answer is kept for good, so it has nothing that a person could have erased.
        let told = json!({ "member": who.number, "status": status, "changed": fields, "version": version });
        Ok(Answer { status: 200, body: told.to_string() })
    }
}

/// Forgets who a member is, and the records that were merged into it; the ledger stays whole. A record that was merged
/// itself is erased alone: it still leads to the one that took it over.
#[derive(Clone, Debug)]
pub struct EraseMember {
    pub desk: Desk,
    pub member: String,
    pub actor: String,
    pub operation: Uuid,
}

impl Operation for EraseMember {
    fn hints(&self) -> Vec<Want> {
        let id = ids::member(&self.member);
        vec![Want::Member(id), Want::Merged(id), Want::Events(id)]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        let id = ids::member(&self.member);
        unit.need([Want::Member(id)])?;
        let Some(number) = unit.t.members.get(&id).map(|m| m.number.clone()) else {
            return Err(no_member(&self.member));
        };
        let records = records_of(unit, id)?;
        unit.need_all(records.iter().map(|id| Want::Events(*id)).collect())?;
        for id in records {
            self.forget(unit, id);
        }
        Ok(Answer { status: 200, body: json!({ "member": number, "status": "erased" }).to_string() })
    }
}

impl EraseMember {
    fn forget(&self, unit: &mut Unit, id: Uuid) {
        let Some(row) = unit.t.members.get(&id).cloned() else { return };
        let nobody = person::Model { member_id: id, name: None, phone: None, address: None, birthday: None };
        unit.t.persons.put(nobody);
        unit.t.members.put(member::Model { status: "erased".into(), version: row.version + 1, ..row });
        let events = unit.t.member_events.range((id, Uuid::nil())..=(id, Uuid::max()));
        let events: Vec<_> = events.filter(|e| e.kind == "edited").cloned().collect();
        for event in events {
            unit.t.member_events.put(member_event::Model { data: "{}".into(), ..event });
        }
        audit(unit, id, "erased", self.desk.store(), &self.actor, self.operation, json!({}));
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
