//! Stores as the rulebooks have them, and the names of their counters.
use crate::counter::Desk;
use crate::records::entity::{counter, store};
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want};
use crate::rulebook::{Rulebooks, StoreDef};
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
