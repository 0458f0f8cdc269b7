//! Reading facts: entities field by field, lists element by element, closed types with their candidates.
use crate::lang::typed::*;
use crate::program::facts::{Facts, Place, Shape, Slot, Tag, unpack_period};
use crate::program::link::Linked;
use crate::program::literal::call_path;
use crate::program::value::Value;
use crate::program::walk::state::{Eval, Item, MAX_CANDIDATES, V, worst};
use crate::program::walk::watch::Seen;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

/// An entity given as facts, and the path that names it.
#[derive(Clone, Debug)]
pub struct Entity<'a> {
    place: &'a Place,
    /// The slots that the places of its fields count from.
    slots: &'a [Slot],
    pub path: String,
    pub id: EntityId,
}

impl PartialEq for Entity<'_> {
    fn eq(&self, other: &Self) -> bool {
        // Paths name places in the facts, one each.
        self.path == other.path
    }
}

/// The facts of a request, read by place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'a> {
    pub linked: &'a Linked,
    pub facts: &'a Facts,
    /// Who wants to know which facts are looked at.
    pub seen: Option<&'a Seen>,
}

impl<'a> Given<'a> {
    fn vocab(&self) -> &'a Vocab {
        &self.linked.rulebook.vocab
    }

    /// A top-level fact.
    pub fn root(&self, root: RootId) -> Eval<'a> {
        let name = self.vocab().roots.get(root.ix()).map_or("", |r| r.name.as_str());
        match self.linked.layout.roots.get(root.ix()) {
            Some(place) => self.read(place, &self.facts.slots, name),
            None => Eval::unknown(name),
        }
    }

    /// A field of an entity or of a record.
    pub fn field(&self, of: &V<'a>, field: u32) -> Eval<'a> {
        match of {
            V::Entity(entity) => {
                let def = self.vocab().entities.get(entity.id.ix());
                let name = def.and_then(|d| d.fields.get(field as usize)).map_or("", |f| f.name.as_str());
                let path = format!("{}.{name}", entity.path);
                match &entity.place.shape {
                    Shape::Entity(fields) => match fields.get(field as usize) {
                        Some(place) => self.read(place, entity.slots, &path),
                        None => Eval::unknown(&path),
                    },
                    _ => Eval::unknown(&path),
                }
            }
            V::Plain(Value::Record(_, fields)) => {
                Eval::of(fields.get(field as usize).cloned().unwrap_or(Value::Absent))
            }
            _ => Eval::absent(),
        }
    }

    /// A fact with arguments.
    pub fn call(&self, fact: FactCallId, args: &[V<'a>]) -> Eval<'a> {
        let args: Vec<Value> = args.iter().map(|v| v.plain().clone()).collect();
        let Some(def) = self.vocab().fact_calls.get(fact.ix()) else { return Eval::absent() };
        let given = self.facts.calls.iter().find(|c| c.fact == fact && c.args == args);
        let slot = given.map_or(Slot::UNKNOWN, |c| c.slot);
        let path = call_path(self.vocab(), fact, &args);
        self.look(slot, &path, || Some((fact, args)));
        self.scalar(slot, &def.ty, &path)
    }

    /// Asked whole: an entity that nothing is known of is unknown, not a value.
    pub fn settle(&self, state: Eval<'a>) -> Eval<'a> {
        match &state {
            Eval::Is(V::Entity(entity)) => {
                match entity.slots.get(entity.place.slot as usize).map(|s| s.tag) {
                    Some(Tag::Value) => {
                        self.look(Slot::value(1), &entity.path, || None);
                        state
                    }
                    _ => {
                        self.look(Slot::UNKNOWN, &entity.path, || None);
                        Eval::unknown(&entity.path)
                    }
                }
            }
            _ => state,
        }
    }

    /// As an outcome holds it: entities become records of their fields, lists plain lists.
    pub fn plain(&self, state: Eval<'a>) -> Eval<'a> {
        match self.settle(state) {
            Eval::Is(V::Entity(entity)) => {
                let count = self.vocab().entities.get(entity.id.ix()).map_or(0, |d| d.fields.len());
                let of = V::Entity(entity.clone());
                let fields = (0..count).map(|f| self.field(&of, f as u32));
                self.plain_parts(fields.collect(), |parts| Value::Record(entity.id, Arc::new(parts)))
            }
            Eval::Is(V::List(items)) => self
                .plain_parts(items.iter().map(|i| i.state.clone()).collect(), |parts| {
                    Value::List(Arc::new(parts))
                }),
            other => other,
        }
    }

    fn plain_parts(&self, parts: Vec<Eval<'a>>, make: impl FnOnce(Vec<Value>) -> Value) -> Eval<'a> {
        let parts: Vec<Eval<'a>> = parts.into_iter().map(|p| self.plain(p)).collect();
        match worst(&parts) {
            Some(bad) => bad,
            None => Eval::Is(V::Plain(make(
                parts.iter().filter_map(|p| p.value().map(|v| v.plain().clone())).collect(),
            ))),
        }
    }

    /// Tells who wants to know that a fact is looked at.
    fn look(&self, slot: Slot, path: &str, call: impl FnOnce() -> Option<(FactCallId, Vec<Value>)>) {
        match self.seen {
            Some(seen) if slot.tag == Tag::Unknown => seen.missing(path, call()),
            Some(seen) => seen.known(path),
            None => {}
        }
    }

    fn read(&self, place: &'a Place, slots: &'a [Slot], path: &str) -> Eval<'a> {
        let slot = slots.get(place.slot as usize).copied().unwrap_or(Slot::UNKNOWN);
        // Whether an entity is present is looked at when it is asked whole.
        if !matches!((&place.shape, slot.tag), (Shape::Entity(_), Tag::Unknown | Tag::Value)) {
            self.look(slot, path, || None);
        }
        match (&place.shape, slot.tag, place.ty.inner()) {
            (Shape::Scalar, ..) => self.scalar(slot, &place.ty, path),
            (_, Tag::Absent, _) => Eval::absent(),
            (Shape::Entity(_), _, Ty::Entity(id)) => {
                Eval::Is(V::Entity(Rc::new(Entity { place, slots, path: path.to_owned(), id: *id })))
            }
            (Shape::List(_), Tag::Value | Tag::Wide, ty) => self.list(slot, ty, path),
            _ => Eval::unknown(path),
        }
    }

    fn list(&self, slot: Slot, ty: &Ty, path: &str) -> Eval<'a> {
        let data = usize::try_from(slot.bits).ok().and_then(|i| self.facts.lists.get(i));
        let Some(data) = data else { return Eval::unknown(path) };
        let Some(element) = self.linked.layout.elements.get(data.element as usize) else {
            return Eval::unknown(path);
        };
        let item = |i: u32| {
            let slots = self.facts.row(&self.linked.layout, data, i);
            let state = self.read(&element.place, slots, &format!("{path}[{i}]"));
            Item { state, index: Some(i as usize) }
        };
        let items: Vec<Item<'a>> = (0..data.len).map(item).collect();
        if !matches!(ty, Ty::Set(_)) {
            return Eval::Is(V::List(Rc::new(items)));
        }
        match worst(items.iter().map(|i| &i.state)) {
            Some(bad) => bad,
            None => {
                let values = items.iter().filter_map(|i| i.state.value().map(|v| v.plain().clone()));
                Eval::Is(V::Plain(Value::Set(Arc::new(values.collect()))))
            }
        }
    }

    /// A scalar fact; an unknown one of a closed type carries the type's members.
    fn scalar(&self, slot: Slot, ty: &Ty, path: &str) -> Eval<'a> {
        let value = match slot.tag {
            Tag::Unknown => {
                let facts = BTreeSet::from([path.to_owned()]);
                let candidates = self.members(ty);
                return Eval::Unknown { facts, candidates };
            }
            Tag::Absent => Value::Absent,
            Tag::Value | Tag::Wide => match ty.inner() {
                Ty::Int | Ty::Dec | Ty::Unit(_) => match self.facts.number(&slot, ty) {
                    Some(n) => Value::Num(n),
                    None => return Eval::unknown(path),
                },
                Ty::Money => match self.facts.number(&slot, ty) {
                    Some(n) => Value::Money(n, CurrencyId(u32::from(slot.currency))),
                    None => return Eval::unknown(path),
                },
                Ty::Bool => Value::Bool(slot.bits != 0),
                Ty::Text => match self.facts.text(&self.linked.symbols, slot.bits) {
                    Some(text) => Value::Text(text.clone()),
                    None => return Eval::unknown(path),
                },
                Ty::Enum(_) => Value::Enum(slot.bits as u32),
                Ty::Node(_) => Value::Node(slot.bits as u32),
                Ty::Date => Value::Date(slot.bits as i32),
                Ty::DateTime => Value::DateTime(slot.bits),
                Ty::Period => Value::Period(unpack_period(slot.bits)),
                Ty::Duration => Value::Duration(slot.bits),
                Ty::Entity(_) | Ty::List(_) | Ty::Set(_) | Ty::Opt(_) | Ty::Rate(..) | Ty::Never => {
                    return Eval::unknown(path);
                }
            },
        };
        Eval::of(value)
    }

    /// The members of a closed type of at most 16, and absent if the type allows it.
    fn members(&self, ty: &Ty) -> Option<Vec<Value>> {
        let vocab = self.vocab();
        let count = |n: usize| (n <= MAX_CANDIDATES).then_some(0..n as u32);
        let mut members: Vec<Value> = match ty.inner() {
            Ty::Bool => vec![Value::Bool(false), Value::Bool(true)],
            Ty::Enum(id) => count(vocab.enums.get(id.ix())?.members.len())?.map(Value::Enum).collect(),
            Ty::Node(id) => count(vocab.taxonomies.get(id.ix())?.nodes.len())?.map(Value::Node).collect(),
            _ => return None,
        };
        if ty.is_optional() {
            members.insert(0, Value::Absent);
        }
        // A single possibility still has to be told: facts are never guessed.
        (members.len() > 1).then_some(members)
    }
}
