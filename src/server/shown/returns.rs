//! Returns.
use super::Words;
use crate::counter::returns::offline_told;
use crate::program::iso::format_date;
use crate::records::entity::offline_return;
use crate::records::read::ReturnRecord;
use crate::rulebook::Rulebooks;
use serde_json::{Value, json};
use std::sync::Arc;

/// A return that was taken without a line, as it stands at `now` (epoch microseconds).
pub fn offline(books: &Arc<Rulebooks>, row: &offline_return::Model, now: i64) -> Value {
    offline_told(row, Words::of(books, &row.store).zone, now)
}

/// A return with its lines, tenders, dues and approvals.
pub fn slip(books: &Arc<Rulebooks>, record: &ReturnRecord) -> Value {
    let (slip, words) = (&record.slip, Words::of(books, &record.slip.store));
    let lines = record.lines.iter().map(|l| {
        json!({ "line": l.line, "quantity": l.quantity, "refund": words.money(l.refund), "reason": l.reason })
    });
    let tenders = record.tenders.iter().map(|t| {
        json!({ "kind": t.kind, "reference": t.reference, "amount": words.money(t.amount), "tender": t.sale_seq })
    });
    let dues = record.dues.iter().map(|d| {
        json!({ "kind": d.kind, "reference": d.reference, "amount": words.money(d.amount), "settled": d.settled })
    });
    let approvals = record.approvals.iter().map(|a| {
        json!({
            "approver": a.approver,
            "role": a.role,
            "amount": words.money(a.amount),
            "verdict": a.verdict,
            "at": words.time(a.at),
            "decision": a.decision_id,
        })
    });
    json!({
        "return": slip.id,
        "ticket": slip.ticket_id,
        "sale": slip.sale_id,
        "store": slip.store,
        "terminal": slip.terminal,
        "business_date": format_date(slip.business_date),
        "occurred_at": words.time(slip.occurred_at),
        "recorded_at": words.time(slip.recorded_at),
        "requester": slip.requester,
        "remedy": slip.remedy,
        "status": slip.status,
        "refund": words.money(slip.refund),
        "withheld": words.money(slip.withheld),
        "paid_out": words.money(slip.paid_out),
        "exchange_sale": slip.exchange_sale,
        "lines": lines.collect::<Vec<_>>(),
        "tenders": tenders.collect::<Vec<_>>(),
        "dues": dues.collect::<Vec<_>>(),
        "approvals": approvals.collect::<Vec<_>>(),
        "decision": slip.decision_id,
        "rulebook": slip.digest,
    })
}
