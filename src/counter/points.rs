//! Points: held, redeemed, given back, adjusted.
use crate::counter::desk::{Desk, When};
use crate::counter::facts;
use crate::counter::members::{active, by_number, present};
use crate::counter::money::Money;
use crate::counter::stored::{Place, order_of};
use crate::program::iso::{format_date, format_datetime};
use crate::records::entity::{event, hold, member, redemption, voucher};
use crate::records::ledger::{self, Life, credit, lapse, mature, place_hold, restore, spend};
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want, ids};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// The longest life of a hold, in minutes.
const MAX_HOLD: i64 = 7 * 24 * 60;

/// Brings a member's account of a ledger up to date: holds whose time is over, lots that begin or end.
pub(crate) fn bring_up(unit: &mut Unit, place: &Place, who: Uuid, ledger: &str) -> Result<(), Stop> {
    unit.need([Want::Member(who), Want::Lots(who, ledger.to_owned()), Want::Holds(who)])?;
    let place = Place { cause: "expiry", ..*place };
    let cause = ledger::Cause { ledger, ..place.on(who, "") };
    lapse(unit, &cause)?;
    mature(unit, &cause, place.when.date)
}

/// Refuses a ledger that the rulebook does not have.
fn known_ledger(desk: &Desk, name: &str) -> Result<(), Stop> {
    let mut all = desk.point_ledgers();
    all.extend(desk.money_ledgers());
    if all.iter().any(|l| l == name) {
        return Ok(());
    }
    let detail = format!("there is no ledger {name:?}; there are {}", all.join(", "));
    Err(Refusal::new(422, "unknown-ledger", "There is no such ledger", detail).at("ledger").into())
}

/// In the ledger's smallest unit.
fn units(desk: &Desk, ledger: &str, amount: Money, path: &str) -> Result<i64, Stop> {
    if desk.money_ledgers().iter().any(|l| l == ledger) {
        desk.minor(amount, path)
    } else {
        desk.points().minor(amount, path)
    }
}

/// As text, in the ledger's unit.
fn text(desk: &Desk, ledger: &str, amount: i64) -> String {
    let money = desk.money_ledgers().iter().any(|l| l == ledger);
    if money { desk.currency().text(amount) } else { desk.points().text(amount) }
}

/// Sets points aside.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    pub store: String,
    pub actor: String,
    pub member: String,
    pub ledger: String,
    pub amount: Money,
    /// Minutes until the points are free again; the rulebook's default if left out.
    pub minutes: Option<i64>,
    #[serde(default)]
    pub purpose: String,
}

/// Places a hold.
#[derive(Clone, Debug)]
pub struct PlaceHold {
    pub desk: Desk,
    pub request: HoldRequest,
    pub operation: Uuid,
}

impl Operation for PlaceHold {
    fn hints(&self) -> Vec<Want> {
        let id = ids::member(&self.request.member);
        vec![Want::Member(id), Want::Lots(id, self.request.ledger.clone()), Want::Holds(id)]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        let request = &self.request;
        known_ledger(&self.desk, &request.ledger)?;
        let when = self.desk.when(unit, None)?;
        let who = by_number(unit, &request.member)?;
        active(&who)?;
        let amount = units(&self.desk, &request.ledger, request.amount, "amount")?;
        let minutes = request.minutes.unwrap_or(self.desk.terms().counter.hold_minutes);
        if !(1..=MAX_HOLD).contains(&minutes) {
            let detail = format!("a hold lives 1 to {MAX_HOLD} minutes");
            return Err(Refusal::new(422, "malformed-hold", "The hold cannot be", detail)
                .at("minutes")
                .into());
        }
        let place = Place {
            desk: &self.desk,
            when: &when,
            actor: &request.actor,
            cause: "hold",
            cause_id: self.operation,
        };
        bring_up(unit, &place, who.id, &request.ledger)?;
        let until = unit.now + minutes * 60_000_000;
        let order = order_of(&self.desk, &request.ledger);
        let cause = place.on(who.id, &request.ledger);
        let hold = place_hold(unit, &cause, amount, order, &request.purpose, until)?;
        Ok(Answer { status: 201, body: hold_shown(&self.desk, unit, &who, &hold).to_string() })
    }
}

fn hold_shown(desk: &Desk, unit: &Unit, who: &member::Model, hold: &hold::Model) -> Value {
    let account = unit.account(who.id, &hold.ledger);
    json!({
        "hold": hold.id,
        "member": who.number,
        "ledger": hold.ledger,
        "amount": text(desk, &hold.ledger, hold.amount),
        "captured": text(desk, &hold.ledger, hold.captured),
        "state": hold.state,
        "purpose": hold.purpose,
        "expires_at": format_datetime(hold.expires_at, desk.program().linked().zone),
        "available": text(desk, &hold.ledger, account.available),
        "held": text(desk, &hold.ledger, account.held),
    })
}

/// What becomes of a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldEnd {
    /// Spend up to the whole; the rest is free again.
    Capture(Option<Money>),
    Release,
}

/// Ends a hold.
#[derive(Clone, Debug)]
pub struct EndHold {
    pub desk: Desk,
    pub hold: Uuid,
    pub end: HoldEnd,
    pub actor: String,
}

impl Operation for EndHold {
    fn hints(&self) -> Vec<Want> {
        vec![Want::Hold(self.hold)]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        let (who, hold) = find_hold(unit, self.hold)?;
        let when = self.desk.when(unit, None)?;
        let place =
            Place { desk: &self.desk, when: &when, actor: &self.actor, cause: "hold", cause_id: hold.id };
        unit.need([Want::Lots(who.id, hold.ledger.clone())])?;
        let cause = place.on(who.id, &hold.ledger);
        match &self.end {
            HoldEnd::Capture(amount) => {
                let amount = match amount {
                    Some(amount) => units(&self.desk, &hold.ledger, *amount, "amount")?,
                    None => hold.amount,
                };
                ledger::capture(unit, &cause, &hold, amount)?;
            }
            HoldEnd::Release => ledger::release(unit, &cause, &hold)?,
        }
        let hold = unit.t.holds.get(&(who.id, hold.id)).cloned().unwrap_or(hold);
        Ok(Answer { status: 200, body: hold_shown(&self.desk, unit, &who, &hold).to_string() })
    }
}

/// An open hold and whose it is.
fn find_hold(unit: &Unit, id: Uuid) -> Result<(member::Model, hold::Model), Stop> {
    unit.need([Want::Hold(id)])?;
    let Some(owner) = unit.hold_member(id) else {
        let detail = format!("there is no hold {id}");
        return Err(Refusal::new(404, "unknown-hold", "There is no such hold", detail).for_now().into());
    };
    unit.need([Want::Member(owner), Want::Holds(owner)])?;
    let who = unit.t.members.get(&owner).cloned();
    // Only open holds are loaded; one that was closed in this very batch is as closed as any.
    match (who, unit.t.holds.get(&(owner, id)).filter(|h| h.state == "open").cloned()) {
        (Some(who), Some(hold)) => Ok((who, hold)),
        _ => {
            let detail = format!("hold {id} is closed");
            Err(Refusal::new(409, "hold-closed", "The hold is over", detail).into())
        }
    }
}

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
            let more = json!({ "decision": ruling.answer });
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

/// Corrects a balance, with a reason.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdjustRequest {
    pub store: String,
    pub actor: String,
    pub member: String,
    pub ledger: String,
    /// Above zero: given; below: taken, within the balance.
    pub amount: Money,
    pub reason: String,
    /// Who allowed it; nobody allows their own.
    pub approver: String,
    /// Last day on which what is given can be spent.
    pub expires_on: Option<String>,
}

/// Adjusts a balance.
#[derive(Clone, Debug)]
pub struct Adjust {
    pub desk: Desk,
    pub request: AdjustRequest,
    pub operation: Uuid,
}

impl Operation for Adjust {
    fn hints(&self) -> Vec<Want> {
        let id = ids::member(&self.request.member);
        vec![Want::Member(id), Want::Lots(id, self.request.ledger.clone()), Want::Holds(id)]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        let request = &self.request;
        known_ledger(&self.desk, &request.ledger)?;
        let refuse = |code, detail: &str, path: &str| {
            Err(Stop::Refused(Refusal::new(422, code, "The adjustment cannot be", detail).at(path)))
        };
        if request.reason.trim().is_empty() {
            return refuse("reason-missing", "an adjustment has a reason", "reason");
        }
        if request.approver.trim().is_empty() || request.approver == request.actor {
            return refuse("own-case", "somebody else has to allow it", "approver");
        }
        let expires_on = match request.expires_on.as_deref().map(crate::program::iso::parse_date) {
            None => None,
            Some(Some(day)) => Some(day),
            Some(None) => return refuse("malformed-adjustment", "not a date", "expires_on"),
        };
        let when = self.desk.when(unit, None)?;
        let who = by_number(unit, &request.member)?;
        active(&who)?;
        let amount = units(&self.desk, &request.ledger, request.amount, "amount")?;
        let place = Place {
            desk: &self.desk,
            when: &when,
            actor: &request.actor,
            cause: "adjustment",
            cause_id: self.operation,
        };
        bring_up(unit, &place, who.id, &request.ledger)?;
        let reason = format!("{} (allowed by {})", request.reason, request.approver);
        let cause = ledger::Cause { reason: Some(&reason), ..place.on(who.id, &request.ledger) };
        if amount > 0 {
            credit(unit, &cause, "adjust", "adjusted", amount, Life { activates_on: None, expires_on })?;
        } else if amount < 0 {
            spend(unit, &cause, "adjust", "adjusted", -amount, order_of(&self.desk, &request.ledger))?;
        } else {
            return refuse("malformed-adjustment", "nothing to adjust", "amount");
        }
        let account = unit.account(who.id, &request.ledger);
        let body = json!({
            "adjustment": self.operation,
            "member": who.number,
            "ledger": request.ledger,
            "amount": text(&self.desk, &request.ledger, amount),
            "balance": text(&self.desk, &request.ledger, account.available),
            "business_date": format_date(when.date),
        });
        Ok(Answer { status: 201, body: body.to_string() })
    }
}

/// Brings a member's ledgers up to date without anything else: what the nightly job runs for who has something due.
#[derive(Clone, Debug)]
pub struct BringUp {
    pub desk: Desk,
    pub member: Uuid,
    pub ledger: String,
}

impl Operation for BringUp {
    fn hints(&self) -> Vec<Want> {
        vec![
            Want::Member(self.member),
            Want::Lots(self.member, self.ledger.clone()),
            Want::Holds(self.member),
        ]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        let when = self.desk.when(unit, None)?;
        let id = self.member;
        let place = Place { desk: &self.desk, when: &when, actor: "system", cause: "expiry", cause_id: id };
        bring_up(unit, &place, id, &self.ledger)?;
        Ok(Answer { status: 200, body: "{}".into() })
    }
}
