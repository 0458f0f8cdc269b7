//! What points become, and back.
use super::{bring_up, find_hold, known_ledger, text};
use crate::counter::desk::{Desk, When};
use crate::counter::facts;
use crate::counter::members::{active, by_number, hand_on, present};
use crate::counter::money::Money;
use crate::counter::stored::{Place, order_of};
use crate::records::entity::{event, hold, member, redemption, voucher};
use crate::records::ledger::{self, restore, spend};
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want, ids};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// Turns points into something.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedeemRequest {
    pub store: String,
    pub occurred_at: Option<String>,
    pub actor: String,
    pub member: String,
    /// `goods_voucher`, `points_gift`, … in the words of the vocabulary.
    pub wish: String,
    /// `service_centre`, `till`, …
    pub place: String,
    pub ledger: String,
    /// The most points to spend; 0 where the policy names the price.
    #[serde(default)]
    pub points: Option<Money>,
    /// What the gift costs, for a gift.
    pub gift_points: Option<Money>,
    /// The gift's article number, or another reference.
    pub reference: Option<String>,
    /// A hold to capture instead of spending from the balance.
    pub hold: Option<Uuid>,
    /// What was seen at the desk: `card_shown`, …
    #[serde(default)]
    #[schema(value_type = Object)]
    pub visit: Map<String, Value>,
}

/// Redeems points.
#[derive(Clone, Debug)]
pub struct Redeem {
    pub desk: Desk,
    pub request: RedeemRequest,
    pub operation: Uuid,
}

impl Operation for Redeem {
    fn hints(&self) -> Vec<Want> {
        let id = ids::member(&self.request.member);
        let mut wants = vec![
            Want::Member(id),
            Want::Lots(id, self.request.ledger.clone()),
            Want::Holds(id),
            Want::Rulebook(self.desk.digest()),
            Want::Store(self.desk.store().to_owned()),
        ];
        wants.extend(self.request.hold.map(Want::Hold));
        wants
    }

    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        let request = &self.request;
        known_ledger(&self.desk, &request.ledger)?;
        let when = self.desk.when(unit, request.occurred_at.as_deref())?;
        let who = by_number(unit, &request.member)?;
        active(&who)?;
        let place = Place {
            desk: &self.desk,
            when: &when,
            actor: &request.actor,
            cause: "redemption",
            cause_id: self.operation,
        };
        let hold = match request.hold {
            Some(id) => {
                let (owner, hold) = find_hold(unit, id)?;
                if owner.id != who.id || hold.ledger != request.ledger {
                    let detail = "the hold is another member's, or on another ledger".to_owned();
                    return Err(Refusal::new(409, "wrong-hold", "The hold does not fit", detail)
                        .at("hold")
                        .into());
                }
                // The hint asks for those of the number that was given, which may lead to another record.
                unit.need([Want::Lots(who.id, request.ledger.clone())])?;
                Some(hold)
            }
            None => {
                bring_up(unit, &place, who.id, &request.ledger)?;
                None
            }
        };
        let ruling = self.desk.decide(
            "redeem",
            self.facts(unit, &who, &when, hold.as_ref())?,
            &json!({ "visit": request.visit }),
        )?;
        if !ruling.allows() {
            let more = json!({ "decision": ruling.answer() });
            let refusal =
                Refusal::new(409, "redemption-refused", "The points are not redeemed", "see the decision");
            return Err(refusal.with(more.to_string()).for_now().into());
        }
        let points = ruling.number("points_used", &self.desk.points());
        let worth = ruling.money("voucher_worth", &self.desk.currency());
        let clause = ruling.clause("points_used");
        let digest = self.desk.digest();
        let cause = ledger::Cause {
            clause: clause.as_deref(),
            digest: Some(&digest),
            ..place.on(who.id, &request.ledger)
        };
        let movement = match &hold {
            Some(hold) => ledger::capture(unit, &cause, hold, points)?,
            None => spend(unit, &cause, "spend", "redeemed", points, order_of(&self.desk, &request.ledger))?,
        };
        let decision = self.desk.log(unit, &ruling, "redemption", self.operation, &request.actor)?;
        unit.t.redemptions.put(redemption::Model {
            id: self.operation,
            member_id: who.id,
            ledger: request.ledger.clone(),
            wish: request.wish.clone(),
            reference: request.reference.clone(),
            points,
            worth,
            status: "recorded".into(),
            store: self.desk.store().to_owned(),
            movement_id: movement,
            decision_id: decision,
            business_date: when.date,
            occurred_at: when.occurred_at,
        });
        let number = (worth > 0).then(|| format!("V{}", self.operation.simple()));
        if let Some(number) = &number {
            unit.t.vouchers.put(voucher::Model {
                number: number.clone(),
                member_id: Some(who.id),
                worth,
                balance: worth,
                status: "issued".into(),
                redemption_id: Some(self.operation),
                issued_on: when.date,
                version: 1,
            });
        }
        let balance = unit.account(who.id, &request.ledger).available;
        let told = json!({
            "redemption": self.operation,
            "member": who.number,
            "ledger": request.ledger,
            "wish": request.wish,
            "reference": request.reference,
            "points_used": text(&self.desk, &request.ledger, points),
            "voucher": number.map(|n| json!({ "number": n, "worth": self.desk.currency().text(worth) })),
            "balance": text(&self.desk, &request.ledger, balance),
            "decision": decision,
        });
        unit.t.events.put(event::Model {
            id: ids::dated(when.date, &["event", "redeemed", &self.operation.to_string()]),
            kind: "points.redeemed".into(),
            store: self.desk.store().to_owned(),
            data: told.to_string(),
            recorded_at: unit.now,
        });
        Ok(Answer { status: 201, body: told.to_string() })
    }
}

impl Redeem {
    fn facts(
        &self,
        unit: &Unit,
        who: &member::Model,
        when: &When,
        hold: Option<&hold::Model>,
    ) -> Result<Value, Stop> {
        let (request, points) = (&self.request, self.desk.points());
        let mut known = Map::new();
        for ledger in self.desk.point_ledgers() {
            let mut balance = unit.account(who.id, &ledger).available;
            balance += hold.filter(|h| h.ledger == ledger).map_or(0, |h| h.amount);
            known.insert(format!("{ledger}_balance"), points.text(balance).into());
        }
        let amount = |given: Option<Money>, path: &str| -> Result<String, Stop> {
            Ok(points.text(given.map(|m| points.minor(m, path)).transpose()?.unwrap_or(0)))
        };
        known.insert(
            "redemption".into(),
            json!({
                "wish": request.wish,
                "place": request.place,
                "ledger": request.ledger,
                "points": amount(request.points, "points")?,
                "gift_points": amount(request.gift_points, "gift_points")?,
            }),
        );
        known.insert("today".into(), facts::date(when.date));
        Ok(Value::Object(known))
    }
}

/// Undoes a redemption: the points go back to the lots that they came from.
#[derive(Clone, Debug)]
pub struct ReverseRedemption {
    pub desk: Desk,
    pub redemption: Uuid,
    pub reason: String,
    pub actor: String,
    pub operation: Uuid,
}

impl Operation for ReverseRedemption {
    fn hints(&self) -> Vec<Want> {
        vec![Want::Redemption(self.redemption)]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need([Want::Redemption(self.redemption)])?;
        let Some(found) = unit.t.redemptions.get(&self.redemption).cloned() else {
            let detail = format!("there is no redemption {}", self.redemption);
            return Err(Refusal::new(404, "unknown-redemption", "There is no such redemption", detail)
                .for_now()
                .into());
        };
        let number = format!("V{}", found.id.simple());
        unit.need([
            Want::Member(found.member_id),
            Want::Movement(found.movement_id),
            Want::Voucher(number.clone()),
            Want::Lots(found.member_id, found.ledger.clone()),
        ])?;
        // The row may have changed while the member's lock was waited for.
        let found = unit.t.redemptions.get(&self.redemption).cloned().unwrap_or(found);
        if found.status != "recorded" {
            let detail = format!("redemption {} is {}", found.id, found.status);
            return Err(Refusal::new(409, "redemption-reversed", "Already undone", detail).into());
        }
        if let Some(voucher) = unit.t.vouchers.get(&number).cloned() {
            if voucher.status != "issued" || voucher.balance != voucher.worth {
                let detail = format!(
                    "voucher {number} is {} with {} left",
                    voucher.status,
                    self.desk.currency().text(voucher.balance)
                );
                return Err(Refusal::new(409, "voucher-spent", "The voucher was used", detail).into());
            }
            unit.t.vouchers.put(voucher::Model {
                status: "void".into(),
                balance: 0,
                version: voucher.version + 1,
                ..voucher
            });
        }
        let Some(movement) = unit.t.movements.get(&found.movement_id).cloned() else {
            let detail = format!("movement {} is not there", found.movement_id);
            return Err(Refusal::new(500, "damaged", "A row is damaged", detail).into());
        };
        let when = self.desk.when(unit, None)?;
        let place = Place {
            desk: &self.desk,
            when: &when,
            actor: &self.actor,
            cause: "redemption",
            cause_id: found.id,
        };
        let cause = ledger::Cause { reason: Some(&self.reason), ..place.on(found.member_id, &found.ledger) };
        let grace = self.desk.terms().ledger(&found.ledger).grace_days;
        restore(unit, &cause, &movement, when.date, grace)?;
        hand_on(unit, &place, found.member_id, &found.ledger)?;
        unit.t.redemptions.put(redemption::Model { status: "reversed".into(), ..found.clone() });
        let who = present(unit, found.member_id)?;
        let balance = unit.account(who.id, &found.ledger).available;
        let body = json!({
            "redemption": found.id,
            "status": "reversed",
            "points_back": text(&self.desk, &found.ledger, found.points),
            "balance": text(&self.desk, &found.ledger, balance),
        });
        Ok(Answer { status: 200, body: body.to_string() })
    }
}
