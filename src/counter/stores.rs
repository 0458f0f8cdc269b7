//! Stores as the rulebooks have them, and the names of their counters.
use crate::counter::Desk;
use crate::program::iso::{format_date, parse_date};
use crate::records::entity::{counter, event, store};
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want, ids};
use crate::rulebook::{Rulebooks, StoreDef};
use sea_orm::prelude::Uuid;
use serde_json::json;

/// Takes up the stores of the rulebooks; stores that are not there any more stay, as sales name them.
#[derive(Clone, Debug)]
pub struct SyncStores {
    pub stores: Vec<StoreDef>,
}

impl SyncStores {
    /// All stores of these rulebooks.
    pub fn of(books: &Rulebooks) -> SyncStores {
        let stores = books.books.iter().flat_map(|book| &book.stores).map(|s| s.def.clone()).collect();
        SyncStores { stores }
    }
}

impl Operation for SyncStores {
    fn hints(&self) -> Vec<Want> {
        self.stores.iter().map(|s| Want::Store(s.id.clone())).collect()
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        for def in &self.stores {
            let there = unit.t.stores.get(&def.id).cloned();
            let row = store::Model {
                id: def.id.clone(),
                zone: def.zone.name().to_owned(),
                business_day_start: i32::try_from(def.business_day_start).unwrap_or(0),
                layers: json!(def.layers).to_string(),
                closed_through: there.as_ref().and_then(|s| s.closed_through),
                recorded_at: there.as_ref().map_or(unit.now, |s| s.recorded_at),
            };
            if there.as_ref() != Some(&row) {
                unit.t.stores.put(row);
            }
        }
        Ok(Answer { status: 200, body: json!({ "stores": self.stores.len() }).to_string() })
    }
}

/// Closes a store's books through a day: what happened until then is not taken up any more.
#[derive(Clone, Debug)]
pub struct CloseStore {
    pub desk: Desk,
    /// The last day that is closed, `2026-06-30`.
    pub through: String,
    pub actor: String,
    /// Needed where days are opened again.
    pub reason: Option<String>,
    /// The request's key: what is written follows from it.
    pub operation: Uuid,
}

impl Operation for CloseStore {
    fn hints(&self) -> Vec<Want> {
        vec![Want::Store(self.desk.store().to_owned())]
    }
    /// Refused with 422 for a day that is not over, and where days are opened again without a reason.
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        let refuse = |status, code, title, path: &str, detail: &str| {
            Err(Stop::Refused(Refusal::new(status, code, title, detail).at(path)))
        };
        let Some(day) = parse_date(&self.through) else {
            let detail = "this is not a date, such as 2026-06-30";
            return refuse(422, "malformed-closing", "The date cannot be read", "closed_through", detail);
        };
        if day >= self.desk.date_at(unit.now)?.date {
            let detail = "only days that are over can be closed";
            return refuse(422, "in-the-future", "The day is not over", "closed_through", detail);
        }
        let Some(row) = unit.t.stores.get(&self.desk.store().to_owned()).cloned() else {
            let detail = "the store's row is not recorded yet";
            let refusal = Refusal::new(404, "unknown-store", "There is no such store", detail);
            return Err(refusal.for_now().into());
        };
        let reason = self.reason.as_deref().map(str::trim).filter(|text| !text.is_empty());
        if row.closed_through.is_some_and(|before| day < before) && reason.is_none() {
            let detail = "to open days again, say why";
            return refuse(422, "reason-missing", "A reason is needed", "reason", detail);
        }
        let told = json!({
            "store": row.id,
            "closed_through": format_date(day),
            "before": row.closed_through.map(format_date),
            "actor": self.actor,
            "reason": reason,
        });
        unit.t.events.put(event::Model {
            id: ids::dated(day, &["event", "store closed", &self.operation.to_string()]),
            kind: "store.closed".into(),
            store: row.id.clone(),
            data: told.to_string(),
            recorded_at: unit.now,
        });
        unit.t.stores.put(store::Model { closed_through: Some(day), ..row });
        Ok(Answer { status: 200, body: told.to_string() })
    }
}

/// Names a counter of a store.
#[derive(Clone, Debug)]
pub struct NameCounter {
    pub desk: Desk,
    pub code: String,
    pub name: String,
}

impl Operation for NameCounter {
    fn hints(&self) -> Vec<Want> {
        let store = self.desk.store().to_owned();
        vec![Want::Store(store.clone()), Want::Counter(store, self.code.clone())]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        for (path, text) in [("code", &self.code), ("name", &self.name)] {
            if text.is_empty() || text.len() > 100 || text.chars().any(char::is_control) {
                let detail = format!("{path}: between 1 and 100 characters");
                return Err(Refusal::new(422, "malformed-counter", "The counter cannot be", detail)
                    .at(path)
                    .into());
            }
        }
        let key = (self.desk.store().to_owned(), self.code.clone());
        let recorded_at = unit.t.counters.get(&key).map_or(unit.now, |c| c.recorded_at);
        unit.t.counters.put(counter::Model {
            store: key.0.clone(),
            code: key.1,
            name: self.name.clone(),
            recorded_at,
        });
        let body = json!({ "store": key.0, "counter": self.code, "name": self.name });
        Ok(Answer { status: 200, body: body.to_string() })
    }
}
