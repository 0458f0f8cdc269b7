//! Taking points back when what earned them is undone.
use super::{Cause, Leg, Order, free, in_order, post, take};
use crate::records::entity::lot;
use crate::records::unit::{Stop, Unit};
use sea_orm::prelude::Uuid;

/// What happens if the points are spent already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clawback {
    /// Only points that are still pending are taken back.
    PendingOnly,
    /// As much as the balance holds; the rest is let go, and the shortfall recorded.
    WithinBalance,
    /// The rest is owed, up to a limit, and later points pay it off.
    Debt { limit: i64 },
    /// The rest is set off against the money that goes back.
    Offset,
}

/// What a clawback came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Clawed {
    /// Taken from lots.
    pub taken: i64,
    /// Owed from now on.
    pub owed: i64,
    /// Neither: let go, or to be set off in money.
    pub short: i64,
    pub movement: Option<Uuid>,
}

/// Takes `amount` back: from the lots of what is undone (`source`, a sale), then from others in the declared order, then
/// as the rule says.
pub fn claw_back(
    unit: &mut Unit,
    cause: &Cause,
    source: Uuid,
    amount: i64,
    rule: Clawback,
    order: Order,
) -> Result<Clawed, Stop> {
    if amount <= 0 {
        return Ok(Clawed::default());
    }
    let own = |l: &lot::Model| l.cause_id == Some(source) && free(l) > 0;
    let mut lots: Vec<lot::Model> = unit
        .lots(cause.member, cause.ledger)
        .into_iter()
        .filter(|l| own(l) && l.state == "pending")
        .collect();
    if rule != Clawback::PendingOnly {
        let open = in_order(unit, cause.member, cause.ledger, order);
        let (mut its_own, others): (Vec<_>, Vec<_>) = open.into_iter().partition(own);
        lots.append(&mut its_own);
        lots.extend(others);
    }
    let mut legs = Vec::new();
    let mut left = amount;
    for lot in lots {
        let part = free(&lot).min(left);
        if part == 0 {
            break;
        }
        left -= part;
        let bucket = if lot.state == "pending" { "pending" } else { "available" };
        legs.push(Leg::new(cause.member, bucket, -part, Some(lot.id)));
        take(unit, lot, part);
    }
    let owed = match rule {
        Clawback::Debt { limit } => {
            let room = limit.saturating_sub(unit.account(cause.member, cause.ledger).debt).max(0);
            left.min(room)
        }
        _ => 0,
    };
    let taken = amount - left;
    legs.push(Leg::new(cause.member, "debt", -owed, None));
    legs.push(Leg::new(cause.member, "clawed", taken + owed, None));
    let movement = if taken + owed > 0 { Some(post(unit, cause, "claw_back", None, legs)?) } else { None };
    Ok(Clawed { taken, owed, short: left - owed, movement })
}
