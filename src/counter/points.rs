//! Points: held, redeemed, given back, adjusted.
mod redeem;

pub use redeem::{Redeem, RedeemRequest, ReverseRedemption};

use crate::counter::desk::Desk;
use crate::counter::members::{active, holder};
use crate::counter::money::Money;
use crate::counter::stored::{Place, order_of};
use crate::program::iso::{format_date, format_datetime};
use crate::records::entity::{hold, member};
use crate::records::ledger::{self, Life, credit, lapse, mature, place_hold, spend};
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want, ids};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// The longest life of a hold, in minutes.
const MAX_HOLD: i64 = 7 * 24 * 60;

/// Brings a member's account of a ledger up to date: holds whose time is over, lots that begin or end.
pub(crate) fn bring_up(unit: &mut Unit, place: &Place, who: Uuid, ledger: &str) -> Result<(), Stop> {
    unit.need([Want::Account(who), Want::Lots(who, ledger.to_owned()), Want::Holds(who)])?;
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
        vec![Want::Account(id), Want::Lots(id, self.request.ledger.clone()), Want::Holds(id)]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        let request = &self.request;
        known_ledger(&self.desk, &request.ledger)?;
        let when = self.desk.when(unit, None)?;
        let who = holder(unit, &request.member)?;
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
    unit.need([Want::Account(owner), Want::Holds(owner)])?;
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
        vec![Want::Account(id), Want::Lots(id, self.request.ledger.clone()), Want::Holds(id)]
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
        let who = holder(unit, &request.member)?;
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
            Want::Account(self.member),
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
