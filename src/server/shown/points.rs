//! Balances, movements, holds, redemptions.
use super::Words;
use crate::program::iso::format_date;
use crate::records::entity::{entry, hold, lot, movement, redemption, voucher};
use crate::records::read::MemberRecord;
use crate::rulebook::Rulebooks;
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};
use std::sync::Arc;

/// A member's balances by ledger, with the lots that they consist of.
pub fn balances(books: &Arc<Rulebooks>, record: &MemberRecord, lots: &[lot::Model]) -> Value {
    let words = Words::of(books, &record.member.enrolled_store);
    let ledgers = record.accounts.iter().map(|a| {
        let shown = |amount| words.on(&a.ledger, amount);
        let lots = lots.iter().filter(|l| l.ledger == a.ledger && l.remaining > 0).map(|l| {
            json!({
                "lot": l.id,
                "state": l.state,
                "remaining": shown(l.remaining),
                "held": shown(l.held),
                "earned_on": format_date(l.earned_on),
                "usable_from": l.activates_on.map(format_date),
                "expires_on": l.expires_on.map(format_date),
            })
        });
        json!({
            "ledger": a.ledger,
            "available": shown(a.available),
            "pending": shown(a.pending),
            "held": shown(a.held),
            "debt": shown(a.debt),
            "lots": lots.collect::<Vec<_>>(),
        })
    });
    json!({ "member": record.member.number, "ledgers": ledgers.collect::<Vec<_>>() })
}

/// Where a movement stands in a statement.
pub fn movement_key(row: &movement::Model) -> (i64, Uuid) {
    (row.recorded_at, row.id)
}

/// A movement with its entries.
pub fn movement(books: &Arc<Rulebooks>, row: &movement::Model, entries: &[entry::Model]) -> Value {
    let words = Words::of(books, &row.store);
    let entry = |e: &entry::Model| json!({ "bucket": e.bucket, "amount": words.on(&row.ledger, e.amount), "lot": e.lot_id });
    json!({
        "movement": row.id,
        "ledger": row.ledger,
        "kind": row.kind,
        "cause": row.cause,
        "cause_id": row.cause_id,
        "reverses": row.reverses,
        "store": row.store,
        "business_date": format_date(row.business_date),
        "occurred_at": words.time(row.occurred_at),
        "recorded_at": words.time(row.recorded_at),
        "actor": row.actor,
        "clause": row.clause,
        "reason": row.reason,
        "entries": entries.iter().map(entry).collect::<Vec<_>>(),
    })
}

/// A hold.
pub fn hold(books: &Arc<Rulebooks>, owner: &MemberRecord, row: &hold::Model) -> Value {
    let words = Words::of(books, &row.store);
    json!({
        "hold": row.id,
        "member": owner.member.number,
        "ledger": row.ledger,
        "amount": words.on(&row.ledger, row.amount),
        "captured": words.on(&row.ledger, row.captured),
        "state": row.state,
        "purpose": row.purpose,
        "store": row.store,
        "expires_at": words.time(row.expires_at),
        "created_at": words.time(row.created_at),
    })
}

/// A redemption and its voucher, if it gave one.
pub fn redemption(
    books: &Arc<Rulebooks>,
    owner: &MemberRecord,
    row: &redemption::Model,
    voucher: Option<&voucher::Model>,
) -> Value {
    let words = Words::of(books, &row.store);
    let voucher = voucher.map(|v| {
        json!({
            "number": v.number,
            "worth": words.money(v.worth),
            "balance": words.money(v.balance),
            "status": v.status,
        })
    });
    json!({
        "redemption": row.id,
        "member": owner.member.number,
        "ledger": row.ledger,
        "wish": row.wish,
        "reference": row.reference,
        "points_used": words.on(&row.ledger, row.points),
        "status": row.status,
        "voucher": voucher,
        "store": row.store,
        "business_date": format_date(row.business_date),
        "occurred_at": words.time(row.occurred_at),
        "decision": row.decision_id,
    })
}
