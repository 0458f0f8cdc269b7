//! What a plugin is shown: the facts that its declaration reads, by path, lists as tables. What is unknown is left out.
use super::values::say_slot;
use crate::lang::typed::{Read, Ty};
use crate::plugins::contract::{Field, Table, Value as Said};
use crate::program::facts::{Facts, Place, Shape, Slot, Tag};
use crate::program::link::Linked;
use serde_json::json;

/// The facts of a call.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) fields: Vec<Field>,
    pub(super) tables: Vec<Table>,
}

/// Facts and lists that the reads lead to, in their order.
pub(super) fn shown(linked: &Linked, facts: &Facts, reads: &[Read]) -> Shown {
    let mut shown = Shown::default();
    let walk = Walk { linked, facts };
    for read in reads {
        let Some(place) = linked.layout.roots.get(read.root.ix()) else { continue };
        let name = linked.rulebook.vocab.roots.get(read.root.ix()).map_or("", |r| r.name.as_str());
        walk.collect(place, &facts.slots, name, &read.fields, &mut shown);
    }
    shown
}

struct Walk<'a> {
    linked: &'a Linked,
    facts: &'a Facts,
}

impl Walk<'_> {
    /// Everything at and below a place, or what lies below it along `fields`.
    fn collect(&self, place: &Place, slots: &[Slot], path: &str, fields: &[u32], into: &mut Shown) {
        let slot = slots.get(place.slot as usize).copied().unwrap_or(Slot::UNKNOWN);
        match (&place.shape, slot.tag) {
            (_, Tag::Unknown) => {}
            (_, Tag::Absent) => {
                into.fields.push(Field { path: path.to_owned(), value: Said::Absent });
            }
            (Shape::Scalar, _) => {
                if let Some(value) = say_slot(self.linked, self.facts, &place.ty, slot) {
                    into.fields.push(Field { path: path.to_owned(), value });
                }
            }
            (Shape::Entity(parts), _) => {
                let only = fields.split_first();
                for (at, part) in parts.iter().enumerate() {
                    let rest = match only {
                        Some((field, rest)) if *field as usize == at => rest,
                        Some(_) => continue,
                        None => &[],
                    };
                    let path = join(path, self.field(&place.ty, at));
                    self.collect(part, slots, &path, rest, into);
                }
            }
            (Shape::List(_), _) => {
                let rows = self.rows(slot, fields);
                let table = into.tables.iter_mut().find(|t| t.path == path && t.rows.len() == rows.len());
                match table {
                    // Another column of a list that is shown already.
                    Some(table) => {
                        table.rows.iter_mut().zip(rows).for_each(|(row, more)| row.extend(more));
                    }
                    None => into.tables.push(Table { path: path.to_owned(), rows }),
                }
            }
        }
    }

    fn rows(&self, slot: Slot, fields: &[u32]) -> Vec<Vec<Field>> {
        let list = usize::try_from(slot.bits).ok().and_then(|at| self.facts.lists.get(at));
        let Some(list) = list else { return Vec::new() };
        let Some(element) = self.linked.layout.elements.get(list.element as usize) else {
            return Vec::new();
        };
        let row = |at: u32| {
            let mut shown = Shown::default();
            let slots = self.facts.row(&self.linked.layout, list, at);
            // The value itself, where the elements have no fields.
            let path = if matches!(element.place.shape, Shape::Entity(_)) { "" } else { "value" };
            self.collect(&element.place, slots, path, fields, &mut shown);
            let inner = shown.tables.into_iter().map(|table| {
                let rows: Vec<_> = table
                    .rows
                    .iter()
                    .map(|row| row.iter().map(|f| (f.path.clone(), json!(f.value))).collect())
                    .collect::<Vec<serde_json::Map<_, _>>>();
                Field { path: table.path, value: Said::Other(json!(rows).to_string()) }
            });
            shown.fields.into_iter().chain(inner).collect()
        };
        (0..list.len).map(row).collect()
    }

    fn field(&self, ty: &Ty, at: usize) -> &str {
        let Ty::Entity(id) = ty.inner() else { return "" };
        let fields = self.linked.rulebook.vocab.entities.get(id.ix()).map(|e| e.fields.as_slice());
        fields.and_then(|f| f.get(at)).map_or("", |f| f.name.as_str())
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
