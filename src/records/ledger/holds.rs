//! Holds: points set aside for one redemption, until they are captured, released, or their time is over.
use super::{Cause, Leg, Order, expire, free, in_order, post, too_few};
use crate::records::entity::{hold, lot};
use crate::records::unit::{Refusal, Stop, Unit};
use sea_orm::prelude::Uuid;

/// Sets `amount` aside in the declared order, until `expires_at` (epoch microseconds). The hold's id is the cause's.
pub fn place_hold(
    unit: &mut Unit,
    cause: &Cause,
    amount: i64,
    order: Order,
    purpose: &str,
    expires_at: i64,
) -> Result<hold::Model, Stop> {
    let mut legs = Vec::new();
    let mut parts: Vec<(Uuid, i64)> = Vec::new();
    let mut left = amount;
    for mut lot in in_order(unit, cause.member, cause.ledger, order) {
        if left == 0 {
            break;
        }
        let part = free(&lot).min(left);
        left -= part;
        lot.held += part;
        legs.push(Leg::new(cause.member, "available", -part, Some(lot.id)));
        legs.push(Leg::new(cause.member, "held", part, Some(lot.id)));
        parts.push((lot.id, part));
        unit.t.lots.put(lot);
    }
    if left > 0 || amount <= 0 {
        return Err(too_few(amount, amount - left));
    }
    post(unit, cause, "hold", None, legs)?;
    let hold = hold::Model {
        id: cause.cause_id,
        member_id: cause.member,
        ledger: cause.ledger.to_owned(),
        amount,
        captured: 0,
        state: "open".to_owned(),
        purpose: purpose.to_owned(),
        store: cause.store.to_owned(),
        expires_at,
        lots: serde_json::to_string(&parts).unwrap_or_default(),
        created_at: unit.now,
    };
    unit.t.holds.put(hold.clone());
    Ok(hold)
}

fn parts_of(hold: &hold::Model) -> Result<Vec<(Uuid, i64)>, Stop> {
    serde_json::from_str(&hold.lots).map_err(|_| {
        Stop::Refused(Refusal::new(
            500,
            "damaged",
            "A row is damaged",
            format!("hold {} names no lots", hold.id),
        ))
    })
}

/// Whether a hold can still be captured.
fn usable(unit: &Unit, hold: &hold::Model) -> Result<(), Stop> {
    let refused =
        |code, detail: String| Err(Stop::Refused(Refusal::new(409, code, "The hold is over", detail)));
    match hold.state.as_str() {
        "open" if hold.expires_at > unit.now => Ok(()),
        "open" | "expired" => refused("hold-expired", format!("hold {} has expired", hold.id)),
        state => refused("hold-closed", format!("hold {} is {state}", hold.id)),
    }
}

/// Spends up to the whole hold into `redeemed`; the rest is free again. Returns the movement of what was spent.
pub fn capture(unit: &mut Unit, cause: &Cause, hold: &hold::Model, amount: i64) -> Result<Uuid, Stop> {
    usable(unit, hold)?;
    if amount <= 0 || amount > hold.amount {
        return Err(too_few(amount, hold.amount));
    }
    let mut legs = vec![Leg::new(cause.member, "redeemed", amount, None)];
    let mut left = amount;
    let mut rest: Vec<(Uuid, i64)> = Vec::new();
    for (id, part) in parts_of(hold)? {
        let used = part.min(left);
        left -= used;
        if used > 0 {
            let mut lot = held_lot(unit, hold, id)?;
            lot.held -= used;
            legs.push(Leg::new(cause.member, "held", -used, Some(id)));
            super::take(unit, lot, used);
        }
        if part > used {
            rest.push((id, part - used));
        }
    }
    let spent = post(unit, cause, "capture", None, legs)?;
    unit.t.holds.put(hold::Model { state: "captured".to_owned(), captured: amount, ..hold.clone() });
    set_free(unit, cause, hold, rest)?;
    Ok(spent)
}

/// Sets a hold's points free.
pub fn release(unit: &mut Unit, cause: &Cause, hold: &hold::Model) -> Result<(), Stop> {
    usable(unit, hold)?;
    unit.t.holds.put(hold::Model { state: "released".to_owned(), ..hold.clone() });
    set_free(unit, cause, hold, parts_of(hold)?)
}

/// Sets the points of all holds free whose time is over.
pub fn lapse(unit: &mut Unit, cause: &Cause) -> Result<(), Stop> {
    for hold in unit.open_holds(cause.member) {
        if hold.expires_at <= unit.now && hold.ledger == cause.ledger {
            unit.t.holds.put(hold::Model { state: "expired".to_owned(), ..hold.clone() });
            let cause = Cause { cause: "hold", cause_id: hold.id, ..cause.clone() };
            set_free(unit, &cause, &hold, parts_of(&hold)?)?;
        }
    }
    Ok(())
}

fn held_lot(unit: &Unit, hold: &hold::Model, id: Uuid) -> Result<lot::Model, Stop> {
    unit.t.lots.get(&(hold.member_id, hold.ledger.clone(), id)).cloned().ok_or_else(|| {
        let detail = format!("lot {id} of hold {} is not there", hold.id);
        Stop::Refused(Refusal::new(500, "damaged", "A row is damaged", detail))
    })
}

/// A lot whose life was over while it was held is written off now.
fn set_free(unit: &mut Unit, cause: &Cause, hold: &hold::Model, parts: Vec<(Uuid, i64)>) -> Result<(), Stop> {
    let mut legs = Vec::new();
    for (id, part) in parts {
        let mut lot = held_lot(unit, hold, id)?;
        lot.held -= part;
        legs.push(Leg::new(cause.member, "held", -part, Some(id)));
        legs.push(Leg::new(cause.member, "available", part, Some(id)));
        unit.t.lots.put(lot);
    }
    if !legs.is_empty() {
        post(unit, cause, "release", None, legs)?;
    }
    expire(unit, cause, cause.business_date)
}
