//! Sales.
use super::{Words, kept};
use crate::program::iso::format_date;
use crate::records::entity::{sale, sale_line};
use crate::records::read::SaleRecord;
use crate::rulebook::Rulebooks;
use serde_json::{Value, json};
use std::sync::Arc;

/// A sale in a list.
pub fn sale_row(books: &Arc<Rulebooks>, row: &sale::Model) -> Value {
    let words = Words::of(books, &row.store);
    json!({
        "sale": row.id,
        "store": row.store,
        "terminal": row.terminal,
        "receipt": row.receipt,
        "business_date": format_date(row.business_date),
        "occurred_at": words.time(row.occurred_at),
        "recorded_at": words.time(row.recorded_at),
        "card": row.card,
        "card_counts": row.card_presented,
        "tier": row.tier,
        "channel": row.channel,
        "total": words.money(row.total),
        "discount": words.money(row.discount),
        "exchange_of": row.exchange_of,
        "voided_by": row.voided_by,
        "actor": row.actor,
        "rulebook": row.digest,
    })
}

/// A sale with everything that belongs to it.
pub fn sale(books: &Arc<Rulebooks>, record: &SaleRecord) -> Value {
    let words = Words::of(books, &record.sale.store);
    let line = |l: &sale_line::Model| {
        json!({
            "line": l.line,
            "sku": l.sku,
            "area": l.area,
            "category": l.category,
            "season": l.season,
            "counter": l.counter,
            "quantity": l.quantity,
            "returned": l.returned,
            "list_price": words.money(l.list_price),
            "shelf_price": words.money(l.shelf_price),
            "unit_price": words.money(l.unit_price),
            "discount": words.money(l.discount),
            "paid": words.money(l.paid),
            "rebate_used": words.money(l.rebate_used),
            "return_until": l.last_day.map(format_date),
            "guarantee_until": l.guarantee_end.map(format_date),
            "facts": kept(&l.facts),
        })
    };
    let tenders = record.tenders.iter().map(|t| {
        json!({
            "tender": t.seq,
            "kind": t.kind,
            "reference": t.reference,
            "amount": words.money(t.amount),
            "refunded": words.money(t.refunded),
        })
    });
    let gifts = record.gifts.iter().map(|g| {
        json!({
            "reference": g.reference,
            "threshold": g.threshold.map(|t| words.money(t)),
            "worth": words.money(g.worth),
            "state": g.state,
        })
    });
    let discounts =
        record.discounts.iter().map(|d| json!({ "reference": d.reference, "amount": words.money(d.amount) }));
    let returns = record.returns.iter().map(|r| {
        json!({ "return": r.id, "status": r.status, "remedy": r.remedy, "refund": words.money(r.refund) })
    });
    let mut shown = sale_row(books, &record.sale);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("lines".into(), record.lines.iter().map(line).collect());
        fields.insert("tenders".into(), tenders.collect());
        fields.insert("gifts".into(), gifts.collect());
        fields.insert("discounts".into(), discounts.collect());
        fields.insert("returns".into(), returns.collect());
    }
    shown
}
