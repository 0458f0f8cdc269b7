//! Spending from lots, giving back to the same lots, writing off, and clearing an account.
use super::{Cause, Leg, Life, Order, free, in_order, lot_of, over, post, take, too_few};
use crate::records::entity::{entry, lot, movement};
use crate::records::unit::{Stop, Unit};
use sea_orm::prelude::Uuid;
use std::collections::BTreeMap;

/// Spends `amount` in the declared order into a house account (`redeemed`, `settled`, `adjusted`).
pub fn spend(
    unit: &mut Unit,
    cause: &Cause,
    kind: &str,
    into: &'static str,
    amount: i64,
    order: Order,
) -> Result<Uuid, Stop> {
    let lots = in_order(unit, cause.member, cause.ledger, order);
    spend_from(unit, cause, kind, into, amount, lots)
}

/// Spends `amount` of these lots, the first ones first.
pub fn spend_from(
    unit: &mut Unit,
    cause: &Cause,
    kind: &str,
    into: &'static str,
    amount: i64,
    lots: Vec<lot::Model>,
) -> Result<Uuid, Stop> {
    let mut legs = vec![Leg::new(cause.member, into, amount, None)];
    let mut left = amount;
    for lot in lots {
        if left == 0 {
            break;
        }
        let part = free(&lot).min(left);
        left -= part;
        legs.push(Leg::new(cause.member, "available", -part, Some(lot.id)));
        take(unit, lot, part);
    }
    if left > 0 || amount < 0 {
        return Err(too_few(amount, amount - left));
    }
    post(unit, cause, kind, None, legs)
}

/// Writes off what is over on `day`; held points wait for their hold.
pub fn expire(unit: &mut Unit, cause: &Cause, day: i32) -> Result<(), Stop> {
    for lot in unit.lots(cause.member, cause.ledger) {
        let gone = free(&lot);
        if lot.state == "open" && over(&lot, day) && gone > 0 {
            let legs = vec![
                Leg::new(cause.member, "available", -gone, Some(lot.id)),
                Leg::new(cause.member, "expired", gone, None),
            ];
            let id = lot.id;
            take(unit, lot, gone);
            post(unit, &Cause { cause: "expiry", cause_id: id, ..cause.clone() }, "expire", None, legs)?;
        }
    }
    Ok(())
}

/// Gives what a movement took back to the same lots. A lot whose life is over meanwhile gets `grace` more days, or is
/// written off at once where there are none. The movement, its entries and their lots must be loaded.
pub fn restore(
    unit: &mut Unit,
    cause: &Cause,
    of: &movement::Model,
    day: i32,
    grace: Option<i32>,
) -> Result<Uuid, Stop> {
    let mut legs = Vec::new();
    for entry in unit.entries(of.id) {
        if entry.amount >= 0 {
            continue;
        }
        let back = -entry.amount;
        match entry.lot_id {
            Some(lot_id) => {
                let key = (entry.member_id, entry.ledger.clone(), lot_id);
                let Some(mut lot) = unit.t.lots.get(&key).cloned() else { continue };
                let pending = entry.bucket == "pending" && lot.activates_on.is_some_and(|from| from > day);
                lot.remaining += back;
                lot.state = if pending { "pending" } else { "open" }.to_owned();
                if over(&lot, day)
                    && let Some(days) = grace
                {
                    lot.expires_on = day.checked_add(days);
                }
                unit.t.lots.put(lot);
                let bucket = if pending { "pending" } else { "available" };
                legs.push(Leg::new(entry.member_id, bucket, back, Some(lot_id)));
            }
            // What was owed is owed no more; what was paid off meanwhile comes back as points.
            None if entry.bucket == "debt" => {
                let owed = unit.account(entry.member_id, cause.ledger).debt.min(back);
                legs.push(Leg::new(entry.member_id, "debt", owed, None));
                if back > owed {
                    let lot = lot_of(unit, cause, "reverse", back - owed, Life::default(), false);
                    legs.push(Leg::new(entry.member_id, "available", back - owed, Some(lot.id)));
                    unit.t.lots.put(lot);
                }
            }
            None => {}
        }
    }
    let total: i64 = legs.iter().map(|leg| leg.amount).sum();
    legs.push(Leg::new(cause.member, house_of(&of.kind), -total, None));
    let id = post(unit, cause, "reverse", Some(of.id), legs)?;
    expire(unit, cause, day)?;
    Ok(id)
}

/// The house account that a kind of movement fills.
fn house_of(kind: &str) -> &'static str {
    match kind {
        "claw_back" => "clawed",
        "settle" => "settled",
        "adjust" => "adjusted",
        _ => "redeemed",
    }
}

/// Gives back what is left of what a merger brought from `to`: its lots to the lots that they were, and of the debt that
/// came along what is still owed. `moved` are the merger's movements, with their entries and lots loaded. Lots that came
/// later become new ones.
pub fn transfer_back(
    unit: &mut Unit,
    cause: &Cause,
    to: Uuid,
    moved: &[movement::Model],
) -> Result<(), Stop> {
    let of_it = moved.iter().filter(|m| m.kind == "merge" && m.ledger == cause.ledger);
    let entries: Vec<entry::Model> = of_it.flat_map(|m| unit.entries(m.id)).collect();
    // The two legs of a lot stand one after the other.
    let before: BTreeMap<Uuid, Uuid> = entries
        .iter()
        .zip(entries.iter().skip(1))
        .filter(|(went, came)| went.member_id == to && came.member_id == cause.member)
        .filter_map(|(went, came)| Some((came.lot_id?, went.lot_id?)))
        .collect();
    let mut legs = Vec::new();
    for lot in unit.lots(cause.member, cause.ledger) {
        let amount = free(&lot);
        if lot.moved_from != Some(to) || amount <= 0 {
            continue;
        }
        let bucket = if lot.state == "pending" { "pending" } else { "available" };
        let old = before.get(&lot.id).and_then(|id| unit.t.lots.get(&(to, lot.ledger.clone(), *id)));
        let back = match old.cloned() {
            Some(old) => lot::Model {
                remaining: old.remaining + amount,
                state: lot.state.clone(),
                activates_on: lot.activates_on,
                expires_on: lot.expires_on,
                ..old
            },
            None => lot::Model { moved_from: None, ..moved_lot(&lot, cause, to, amount) },
        };
        legs.push(Leg::new(cause.member, bucket, -amount, Some(lot.id)));
        legs.push(Leg::new(to, bucket, amount, Some(back.id)));
        take(unit, lot, amount);
        unit.t.lots.put(back);
    }
    let came: i64 =
        entries.iter().filter(|e| e.bucket == "debt" && e.member_id == to).map(|e| e.amount).sum();
    let owed = came.min(unit.account(cause.member, cause.ledger).debt).max(0);
    if owed > 0 {
        legs.push(Leg::new(cause.member, "debt", owed, None));
        legs.push(Leg::new(to, "debt", -owed, None));
    }
    if !legs.is_empty() {
        post(unit, cause, "merge", None, legs)?;
    }
    Ok(())
}

fn moved_lot(lot: &lot::Model, cause: &Cause, to: Uuid, amount: i64) -> lot::Model {
    let parts = ["moved lot", &lot.id.to_string(), &cause.cause_id.to_string(), &to.to_string()];
    lot::Model {
        id: crate::records::ids::dated(lot.earned_on, &parts),
        member_id: to,
        amount,
        remaining: amount,
        held: 0,
        moved_from: Some(lot.member_id),
        ..lot.clone()
    }
}

/// Moves a member's lots of a ledger to another member, pending and open ones; what is held stays until its hold ends.
/// Returns the pairs of lots, from and to.
pub fn transfer(unit: &mut Unit, cause: &Cause, to: Uuid) -> Result<Vec<(Uuid, Uuid)>, Stop> {
    let mut legs = Vec::new();
    let mut pairs = Vec::new();
    for lot in unit.lots(cause.member, cause.ledger) {
        let amount = free(&lot);
        if amount <= 0 {
            continue;
        }
        let bucket = if lot.state == "pending" { "pending" } else { "available" };
        let moved = moved_lot(&lot, cause, to, amount);
        legs.push(Leg::new(cause.member, bucket, -amount, Some(lot.id)));
        legs.push(Leg::new(to, bucket, amount, Some(moved.id)));
        pairs.push((lot.id, moved.id));
        take(unit, lot, amount);
        unit.t.lots.put(moved);
    }
    // What is owed goes along.
    let owed = unit.account(cause.member, cause.ledger).debt;
    legs.push(Leg::new(cause.member, "debt", owed, None));
    legs.push(Leg::new(to, "debt", -owed, None));
    if legs.iter().any(|leg| leg.amount != 0) {
        post(unit, cause, "merge", None, legs)?;
    }
    Ok(pairs)
}
