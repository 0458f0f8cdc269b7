//! The points ledger: double entry over lots.
//!
//! Invariants: a movement's entries sum to zero; no balance and no lot goes below zero; available + pending + held of an
//! account is the sum of its lots' remaining amounts; what was earned at once stays one lot, so that taking it back, or
//! giving back what was spent, meets the same lot. Amounts are in the ledger's smallest unit.
mod claw;
mod holds;
mod spend;
mod undo;

pub use claw::{Clawback, Clawed, claw_back};
pub use holds::{capture, lapse, place_hold, release};
pub use spend::{expire, restore, spend, spend_from, transfer, transfer_back};
pub use undo::{give, give_back, take_again};

use crate::records::entity::{entry, lot, movement};
use crate::records::ids;
use crate::records::unit::{Refusal, Stop, Unit};
use sea_orm::prelude::Uuid;

/// In which order lots are spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// Earliest expiry first, then earliest earned.
    #[default]
    Expiry,
    /// Earliest earned first.
    Earned,
}

/// Why points move, and for whom.
#[derive(Clone, Debug)]
pub struct Cause<'a> {
    pub member: Uuid,
    pub ledger: &'a str,
    /// What brought it about: `sale`, `return`, `redemption`, `hold`, `settlement`, `adjustment`, `merge`, `expiry`.
    pub cause: &'a str,
    pub cause_id: Uuid,
    pub store: &'a str,
    pub business_date: i32,
    pub occurred_at: i64,
    pub actor: &'a str,
    /// The clause that says so.
    pub clause: Option<&'a str>,
    /// The rulebook that said so.
    pub digest: Option<&'a str>,
    pub reason: Option<&'a str>,
}

/// From when until when what is earned can be spent, both days included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Life {
    pub activates_on: Option<i32>,
    pub expires_on: Option<i32>,
}

/// One leg of a movement.
#[derive(Clone, Debug)]
pub(crate) struct Leg {
    member: Uuid,
    bucket: &'static str,
    amount: i64,
    lot: Option<Uuid>,
}

impl Leg {
    fn new(member: Uuid, bucket: &'static str, amount: i64, lot: Option<Uuid>) -> Leg {
        Leg { member, bucket, amount, lot }
    }
}

/// What cannot be: the caller asked for more than there is, or for a number that no ledger holds.
pub fn too_few(wanted: i64, available: i64) -> Stop {
    let detail = format!("{wanted} asked for, {available} available");
    Stop::Refused(Refusal::new(409, "insufficient-balance", "Not enough on the account", detail))
}

pub(crate) fn overflow() -> Stop {
    Stop::Refused(Refusal::new(
        422,
        "out-of-range",
        "A number is too large",
        "the sum exceeds what a ledger holds",
    ))
}

/// Writes a movement; returns its id. The legs must sum to zero.
pub(crate) fn post(
    unit: &mut Unit,
    cause: &Cause,
    kind: &str,
    reverses: Option<Uuid>,
    legs: Vec<Leg>,
) -> Result<Uuid, Stop> {
    let legs: Vec<Leg> = legs.into_iter().filter(|leg| leg.amount != 0).collect();
    let sum = legs.iter().try_fold(0i64, |sum, leg| sum.checked_add(leg.amount)).ok_or_else(overflow)?;
    if sum != 0 {
        let detail = format!("the entries of a {kind} sum to {sum}, not to zero");
        return Err(Stop::Refused(Refusal::new(500, "unbalanced", "A movement does not balance", detail)));
    }
    for leg in &legs {
        apply(unit, cause.ledger, leg)?;
    }
    let id = free_id(unit, cause, kind);
    unit.t.movements.put(movement::Model {
        id,
        member_id: cause.member,
        ledger: cause.ledger.to_owned(),
        kind: kind.to_owned(),
        cause: cause.cause.to_owned(),
        cause_id: Some(cause.cause_id),
        reverses,
        store: cause.store.to_owned(),
        business_date: cause.business_date,
        occurred_at: cause.occurred_at,
        recorded_at: unit.now,
        actor: cause.actor.to_owned(),
        clause: cause.clause.map(str::to_owned),
        digest: cause.digest.map(str::to_owned),
        reason: cause.reason.map(str::to_owned),
    });
    for (seq, leg) in legs.into_iter().enumerate() {
        unit.t.entries.put(entry::Model {
            movement_id: id,
            seq: i32::try_from(seq).map_err(|_| overflow())?,
            member_id: leg.member,
            ledger: cause.ledger.to_owned(),
            bucket: leg.bucket.to_owned(),
            amount: leg.amount,
            lot_id: leg.lot,
        });
    }
    Ok(id)
}

/// The same cause may move points of a kind more than once: a lot that expires, is restored, and expires again.
fn free_id(unit: &Unit, cause: &Cause, kind: &str) -> Uuid {
    let (cause_id, member, now) =
        (cause.cause_id.to_string(), cause.member.to_string(), unit.now.to_string());
    let id =
        |nth: &str| ids::timed(unit.now, &["movement", &cause_id, &member, cause.ledger, kind, &now, nth]);
    let mut nth = 0u32;
    loop {
        let id = id(&nth.to_string());
        if unit.t.movements.get(&id).is_none() {
            return id;
        }
        nth += 1;
    }
}

fn apply(unit: &mut Unit, ledger: &str, leg: &Leg) -> Result<(), Stop> {
    let mut account = unit.account(leg.member, ledger);
    // What is owed is kept positive: an entry of -5 on `debt` means that 5 more are owed.
    let (balance, change) = match leg.bucket {
        "available" => (&mut account.available, leg.amount),
        "pending" => (&mut account.pending, leg.amount),
        "held" => (&mut account.held, leg.amount),
        "debt" => (&mut account.debt, leg.amount.checked_neg().ok_or_else(overflow)?),
        _ => return Ok(()),
    };
    let before = *balance;
    *balance = before.checked_add(change).ok_or_else(overflow)?;
    if *balance < 0 {
        return Err(too_few(-leg.amount, before));
    }
    account.version += 1;
    unit.t.accounts.put(account);
    Ok(())
}

/// Puts `amount` on the account as one lot; what the member owes is paid off first. Nothing to earn is nothing done.
pub fn earn(unit: &mut Unit, cause: &Cause, amount: i64, life: Life) -> Result<Option<Uuid>, Stop> {
    credit(unit, cause, "earn", "issued", amount, life)
}

/// As [`earn`], under another name and from another house account.
pub fn credit(
    unit: &mut Unit,
    cause: &Cause,
    kind: &str,
    from: &'static str,
    amount: i64,
    life: Life,
) -> Result<Option<Uuid>, Stop> {
    if amount <= 0 {
        return Ok(None);
    }
    let pending = life.activates_on.is_some_and(|day| day > cause.business_date);
    let owed = if pending { 0 } else { unit.account(cause.member, cause.ledger).debt.min(amount) };
    let rest = amount - owed;
    let bucket = if pending { "pending" } else { "available" };
    let lot = lot_of(unit, cause, kind, rest, life, pending);
    let mut legs =
        vec![Leg::new(cause.member, from, -amount, None), Leg::new(cause.member, "debt", owed, None)];
    if rest > 0 {
        legs.push(Leg::new(cause.member, bucket, rest, Some(lot.id)));
        unit.t.lots.put(lot);
    }
    post(unit, cause, kind, None, legs).map(Some)
}

fn lot_of(unit: &Unit, cause: &Cause, kind: &str, amount: i64, life: Life, pending: bool) -> lot::Model {
    let (cause_id, member, now) =
        (cause.cause_id.to_string(), cause.member.to_string(), unit.now.to_string());
    let mut nth = 0u32;
    let id = loop {
        let parts = ["lot", &cause_id, &member, cause.ledger, kind, &now, &nth.to_string()];
        let id = ids::timed(unit.now, &parts);
        if unit.t.lots.get(&(cause.member, cause.ledger.to_owned(), id)).is_none() {
            break id;
        }
        nth += 1;
    };
    lot::Model {
        id,
        member_id: cause.member,
        ledger: cause.ledger.to_owned(),
        cause_id: Some(cause.cause_id),
        earned_at: cause.occurred_at,
        earned_on: cause.business_date,
        activates_on: life.activates_on,
        expires_on: life.expires_on,
        amount,
        remaining: amount,
        held: 0,
        moved_from: None,
        state: if pending { "pending" } else { "open" }.to_owned(),
    }
}

/// What of a lot can be spent.
pub fn free(lot: &lot::Model) -> i64 {
    lot.remaining - lot.held
}

/// Whether a lot's life is over on a day.
pub fn over(lot: &lot::Model, day: i32) -> bool {
    lot.expires_on.is_some_and(|last| last < day)
}

/// Open lots in the order in which they are spent.
pub fn in_order(unit: &Unit, member: Uuid, ledger: &str, order: Order) -> Vec<lot::Model> {
    let mut lots: Vec<lot::Model> =
        unit.lots(member, ledger).into_iter().filter(|l| l.state == "open" && free(l) > 0).collect();
    let earned = |l: &lot::Model| (l.earned_at, l.id);
    match order {
        Order::Earned => lots.sort_by_key(earned),
        Order::Expiry => lots.sort_by_key(|l| (l.expires_on.unwrap_or(i32::MAX), earned(l))),
    }
    lots
}

/// Takes `amount` from a lot, and closes it when nothing is left.
fn take(unit: &mut Unit, mut lot: lot::Model, amount: i64) {
    lot.remaining -= amount;
    if lot.remaining <= 0 {
        lot.state = "closed".to_owned();
    }
    unit.t.lots.put(lot);
}

/// Brings lots up to a day: pending ones that are due become available, those whose life is over are written off.
/// Held points stay until their hold ends.
pub fn mature(unit: &mut Unit, cause: &Cause, day: i32) -> Result<(), Stop> {
    let lots = unit.lots(cause.member, cause.ledger);
    for mut lot in lots.into_iter().filter(|l| l.state == "pending") {
        if lot.activates_on.is_none_or(|from| from <= day) {
            let owed = unit.account(cause.member, cause.ledger).debt.min(lot.remaining);
            let legs = vec![
                Leg::new(cause.member, "pending", -lot.remaining, Some(lot.id)),
                Leg::new(cause.member, "available", lot.remaining - owed, Some(lot.id)),
                Leg::new(cause.member, "debt", owed, None),
            ];
            let id = lot.id;
            lot.state = "open".to_owned();
            take(unit, lot, owed);
            post(
                unit,
                &Cause { cause: "activation", cause_id: id, ..cause.clone() },
                "activate",
                None,
                legs,
            )?;
        }
    }
    expire(unit, cause, day)
}
