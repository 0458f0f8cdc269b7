//! Giving back a part of what a movement spent, and taking that again: stored value of goods that come back in pieces.
use super::{Cause, Leg, Life, Order, expire, free, in_order, lot_of, over, post, take, too_few};
use crate::records::entity::movement;
use crate::records::unit::{Stop, Unit};
use sea_orm::prelude::Uuid;

/// Gives `amount` (smallest units) of what `of` spent back to its lots, as far as they have not got it back before; what
/// no lot can take up becomes a lot of its own. A lot whose life is over gets `grace` more days, or is written off where
/// there are none. The movement with its lots, and every movement that reversed it, must be loaded.
pub fn give_back(
    unit: &mut Unit,
    cause: &Cause,
    of: &movement::Model,
    amount: i64,
    grace: Option<i32>,
) -> Result<i64, Stop> {
    let mut legs = Vec::new();
    let mut left = amount;
    // What was spent last comes back first: it lives longest.
    for entry in unit.entries(of.id).into_iter().rev() {
        let Some(lot_id) = entry.lot_id.filter(|_| entry.amount < 0 && entry.member_id == cause.member)
        else {
            continue;
        };
        let key = (entry.member_id, entry.ledger.clone(), lot_id);
        let Some(mut lot) = unit.t.lots.get(&key).cloned() else { continue };
        let room = (-entry.amount - given(unit, of.id, lot_id)).min(lot.amount - lot.remaining);
        let part = room.min(left);
        if part <= 0 {
            continue;
        }
        left -= part;
        lot.remaining += part;
        lot.state = "open".to_owned();
        if over(&lot, cause.business_date)
            && let Some(days) = grace
        {
            lot.expires_on = cause.business_date.checked_add(days);
        }
        unit.t.lots.put(lot);
        legs.push(Leg::new(cause.member, "available", part, Some(lot_id)));
    }
    let back = amount - left;
    legs.push(Leg::new(cause.member, "redeemed", -back, None));
    if back > 0 {
        post(unit, cause, "reverse", Some(of.id), legs)?;
        expire(unit, cause, cause.business_date)?;
    }
    Ok(left)
}

/// What of a lot came back by reversals of `of` that stand.
fn given(unit: &Unit, of: Uuid, lot: Uuid) -> i64 {
    let all = || unit.t.movements.range(Uuid::nil()..=Uuid::max());
    let reversals = all().filter(|m| m.reverses == Some(of));
    let standing = reversals.filter(|m| !all().any(|other| other.reverses == Some(m.id)));
    standing.flat_map(|m| unit.entries(m.id)).filter(|e| e.lot_id == Some(lot)).map(|e| e.amount).sum()
}

/// Gives stored value that no movement is known for: one lot that does not expire.
pub fn give(unit: &mut Unit, cause: &Cause, amount: i64) -> Result<(), Stop> {
    if amount > 0 {
        let lot = lot_of(unit, cause, "reverse", amount, Life::default(), false);
        let legs = vec![
            Leg::new(cause.member, "redeemed", -amount, None),
            Leg::new(cause.member, "available", amount, Some(lot.id)),
        ];
        unit.t.lots.put(lot);
        post(unit, cause, "reverse", None, legs)?;
    }
    Ok(())
}

/// Takes again what `of` gave back: from the same lots, then from others in the declared order; where `of` is of a record
/// that was merged since, from the lots of the one that took it over. Refused if it has been spent meanwhile.
pub fn take_again(unit: &mut Unit, cause: &Cause, of: &movement::Model, order: Order) -> Result<(), Stop> {
    let given: Vec<(Uuid, i64)> = unit
        .entries(of.id)
        .into_iter()
        .filter(|e| e.amount > 0 && e.member_id == of.member_id)
        .filter_map(|e| Some((e.lot_id?, e.amount)))
        .collect();
    let amount: i64 = given.iter().map(|(_, n)| n).sum();
    let lots = in_order(unit, cause.member, cause.ledger, order);
    let own = |id: Uuid| given.iter().find(|(lot, _)| *lot == id).map_or(0, |(_, n)| *n);
    let first = lots.iter().map(|lot| (lot.id, own(lot.id)));
    let then = lots.iter().map(|lot| (lot.id, i64::MAX));
    let mut left = amount;
    let mut legs = vec![Leg::new(cause.member, "redeemed", amount, None)];
    for (id, most) in first.chain(then).collect::<Vec<_>>() {
        let key = (cause.member, cause.ledger.to_owned(), id);
        let Some(lot) = unit.t.lots.get(&key).cloned() else { continue };
        let part = free(&lot).min(most).min(left);
        if part > 0 {
            left -= part;
            legs.push(Leg::new(cause.member, "available", -part, Some(id)));
            take(unit, lot, part);
        }
    }
    if left > 0 {
        return Err(too_few(amount, amount - left));
    }
    if amount > 0 {
        post(unit, cause, "spend", Some(of.id), legs)?;
    }
    Ok(())
}
