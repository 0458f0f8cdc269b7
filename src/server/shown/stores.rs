//! Stores and events.
use super::{Words, kept};
use crate::program::iso::format_date;
use crate::records::entity::{counter, event, store};
use crate::rulebook::Rulebooks;
use serde_json::{Value, json};
use std::sync::Arc;

/// A store; with its counters, if they are asked for.
pub fn store(books: &Arc<Rulebooks>, row: &store::Model, counters: Option<&[counter::Model]>) -> Value {
    let mut shown = json!({
        "store": row.id,
        "rulebook": books.book_of(&row.id).map(|book| book.name.clone()),
        "zone": row.zone,
        "business_day_start": row.business_day_start,
        "layers": kept(&row.layers),
        "closed_through": row.closed_through.map(format_date),
    });
    if let (Some(fields), Some(counters)) = (shown.as_object_mut(), counters) {
        let counters = counters.iter().map(|c| json!({ "counter": c.code, "name": c.name }));
        fields.insert("counters".into(), counters.collect());
    }
    shown
}

/// An event.
pub fn event(books: &Arc<Rulebooks>, row: &event::Model) -> Value {
    json!({
        "event": row.id,
        "kind": row.kind,
        "store": row.store,
        "recorded_at": Words::of(books, &row.store).time(row.recorded_at),
        "data": kept(&row.data),
    })
}
