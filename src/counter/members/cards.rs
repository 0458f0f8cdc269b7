//! Cards: replaced when lost or broken, blocked, unblocked by a replacement only.
use super::{active, audit, by_number, is_number, records_of};
use crate::counter::desk::Desk;
use crate::counter::facts;
use crate::records::entity::card;
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want, ids};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// A card is lost or broken.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaceRequest {
    pub store: String,
    pub occurred_at: Option<String>,
    pub actor: String,
    /// `lost_card` or `broken_card`, or another word of the vocabulary.
    pub mishap: String,
    /// The card that ends; left out if the member has one active card.
    pub old_card: Option<String>,
    pub new_card: String,
    /// What was seen at the desk: `id_shown`, `old_card_given`, …
    #[serde(default)]
    #[schema(value_type = Object)]
    pub visit: Map<String, Value>,
}

/// Replaces a card.
#[derive(Clone, Debug)]
pub struct ReplaceCard {
    pub desk: Desk,
    pub member: String,
    pub request: ReplaceRequest,
    pub operation: Uuid,
}

impl Operation for ReplaceCard {
    fn hints(&self) -> Vec<Want> {
        vec![
            Want::Member(ids::member(&self.member)),
            Want::Card(self.request.new_card.clone()),
            Want::Rulebook(self.desk.digest()),
            Want::Store(self.desk.store().to_owned()),
        ]
    }

    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        let request = &self.request;
        let when = self.desk.when(unit, request.occurred_at.as_deref())?;
        let who = by_number(unit, &self.member)?;
        active(&who)?;
        if !is_number(&request.new_card) {
            let detail = "new_card: between 1 and 60 characters";
            let refusal = Refusal::new(422, "malformed-edit", "This cannot be a number", detail);
            return Err(refusal.at("new_card").into());
        }
        if unit.card_member(&request.new_card).is_some() {
            let detail = format!("card {} exists", request.new_card);
            return Err(Refusal::new(409, "card-exists", "The card is taken", detail).at("new_card").into());
        }
        let old = active_card(unit, &records_of(unit, who.id)?, request.old_card.as_deref())?;
        let known = json!({ "service": { "mishap": request.mishap }, "today": facts::date(when.date) });
        let ruling = self.desk.decide("card_service", known, &json!({ "visit": request.visit }))?;
        if !ruling.allows() {
            let more = json!({ "decision": ruling.answer() });
            let refusal =
                Refusal::new(409, "replacement-refused", "The card is not replaced", "see the decision");
            return Err(refusal.with(more.to_string()).for_now().into());
        }
        let decision = self.desk.log(unit, &ruling, "card", self.operation, &request.actor)?;
        let status = if request.mishap == "lost_card" { "lost" } else { "broken" };
        unit.t.cards.put(card::Model {
            status: status.into(),
            replaced_by: Some(request.new_card.clone()),
            ended_at: Some(when.occurred_at),
            ..old.clone()
        });
        unit.t.cards.put(card::Model {
            number: request.new_card.clone(),
            member_id: who.id,
            status: "active".into(),
            replaced_by: None,
            issued_at: when.occurred_at,
            ended_at: None,
        });
        let fee = self.desk.currency().text(ruling.money("fee", &self.desk.currency()));
        let data =
            json!({ "old": old.number, "new": request.new_card, "mishap": request.mishap, "fee": fee });
        audit(unit, who.id, "card_replaced", self.desk.store(), &request.actor, self.operation, data);
        let told = json!({
            "member": who.number,
            "old_card": old.number,
            "card": request.new_card,
            "fee": fee,
            "tasks": ruling.outcome.get("card_tasks"),
            "decision": decision,
        });
        Ok(Answer { status: 200, body: told.to_string() })
    }
}

/// The active card of a member's records: the one that is named, or the only one.
fn active_card(unit: &Unit, records: &[Uuid], number: Option<&str>) -> Result<card::Model, Stop> {
    let all = unit.t.cards.range(String::new()..="\u{10ffff}".to_owned());
    let mut cards = all.filter(|c| records.contains(&c.member_id) && c.status == "active");
    let refuse = |detail: &str| {
        Err(Stop::Refused(
            Refusal::new(409, "no-active-card", "There is no such active card", detail).at("old_card"),
        ))
    };
    match number {
        Some(number) => match cards.find(|c| c.number == number) {
            Some(card) => Ok(card.clone()),
            None => refuse("the member has no active card of this number"),
        },
        None => match (cards.next(), cards.next()) {
            (Some(card), None) => Ok(card.clone()),
            (None, _) => refuse("the member has no active card"),
            _ => refuse("the member has several cards; say which one ends"),
        },
    }
}

/// Blocks a card.
#[derive(Clone, Debug)]
pub struct BlockCard {
    pub desk: Desk,
    pub card: String,
    pub reason: String,
    pub actor: String,
    pub operation: Uuid,
}

impl Operation for BlockCard {
    fn hints(&self) -> Vec<Want> {
        vec![Want::Card(self.card.clone())]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need([Want::Card(self.card.clone())])?;
        let Some(owner) = unit.card_member(&self.card) else {
            let detail = format!("there is no card {:?}", self.card);
            return Err(Refusal::new(404, "unknown-card", "There is no such card", detail).into());
        };
        unit.need([Want::Member(owner)])?;
        if let Some(found) = unit.t.cards.get(&self.card).cloned()
            && found.status == "active"
        {
            unit.t.cards.put(card::Model { status: "blocked".into(), ended_at: Some(unit.now), ..found });
            let data = json!({ "card": self.card, "reason": self.reason });
            audit(unit, owner, "card_blocked", self.desk.store(), &self.actor, self.operation, data);
        }
        let status = unit.t.cards.get(&self.card).map(|c| c.status.clone());
        Ok(Answer { status: 200, body: json!({ "card": self.card, "status": status }).to_string() })
    }
}
