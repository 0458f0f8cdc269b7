//! The facts of a decision: every path that may be given, with the values worth trying, and the facts chosen so far.
//!
//! Lists have at most [`MOST_ROWS`] rows here. A fact within something optional is chosen after it.
pub mod reads;
mod shape;
mod stated;
mod values;

pub use reads::{Class, Reader, Reads};
pub use values::Domain;

use crate::lang::typed::*;
use crate::program::facts::{CallFact, Element, Facts, Layout, ListData, Place, Shape, Slot};
use crate::program::limits::Limits;
use crate::program::link::Linked;
use crate::program::value::Value;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// So many rows of a list are tried.
pub const MOST_ROWS: u32 = 2;
/// So many rows of a list there is room for.
pub const MOST_ROOM: u32 = 4;
/// Texts that the rulebook does not mention, which are tried.
const OTHER_TEXTS: usize = 2;
/// Lists in rows of lists are tried so deep.
const MOST_NESTED: u32 = 2;

/// What a fact may be chosen to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    Absent,
    /// A scalar, as a slot holds it.
    Scalar(Slot),
    /// An entity that is there.
    Present,
    /// A list or set of so many elements.
    Rows(u32),
}

/// Where a fact's slot lies.
#[derive(Clone, Copy, Debug)]
enum At {
    Root(usize),
    Row(usize),
    Call(usize),
}

/// A fact that may be given.
#[derive(Clone, Debug)]
pub struct Var {
    /// As answers name it: `item.season`, `lines[0].paid`, `member_spend(2026)`.
    pub path: String,
    pub ty: Ty,
    /// All facts that lie at the same place of the vocabulary.
    pub class: Class,
    /// The optional entity or the list within which it lies, by index.
    pub within: Option<usize>,
    /// For rows of a top-level list: the list and the row.
    pub row: Option<(RootId, usize)>,
    /// For an element of a list or set: its number.
    pub number: Option<u32>,
    at: At,
    kind: Kind,
    /// The values that it may have at all.
    pub limits: Option<Arc<Limits>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Scalar,
    Entity,
    /// Index into the lists of the facts.
    List(usize),
}

impl Var {
    /// Whether it is an entity (or a record of facts), not a value.
    pub fn is_entity(&self) -> bool {
        self.kind == Kind::Entity
    }
    /// Whether it is a list or a set.
    pub fn is_list(&self) -> bool {
        matches!(self.kind, Kind::List(_))
    }
}

/// The facts of a decision, and which of them are chosen.
#[derive(Debug)]
pub struct Space<'p> {
    pub linked: &'p Linked,
    vars: Vec<Var>,
    index: FxHashMap<String, usize>,
    picks: Vec<Option<Pick>>,
    facts: Facts,
}

impl<'p> Space<'p> {
    /// All facts of the vocabulary, none chosen.
    pub fn new(linked: &'p Linked) -> Space<'p> {
        let mut facts = Facts::unknown(&linked.layout);
        let several = linked.rulebook.vocab.currencies.len() > 1;
        facts.mixed_currencies = several;
        facts.currency = (!several).then_some(0);
        facts.texts = (1..=OTHER_TEXTS).map(|n| Arc::from(format!("X{n}"))).collect();
        let mut space =
            Space { linked, vars: Vec::new(), index: FxHashMap::default(), picks: Vec::new(), facts };
        let vocab = &linked.rulebook.vocab;
        for (i, (root, place)) in vocab.roots.iter().zip(&linked.layout.roots).enumerate() {
            let frame = Frame { base: 0, element: None, row: None, within: None, nested: 0 };
            space.place(&root.name, place, frame, Some(RootId(i as u32)), None);
        }
        space
    }

    fn layout(&self) -> &'p Layout {
        &self.linked.layout
    }

    /// All facts, in the vocabulary's order; facts with arguments come last, as they are met.
    pub fn vars(&self) -> &[Var] {
        &self.vars
    }
    /// A fact by index.
    pub fn var(&self, at: usize) -> Option<&Var> {
        self.vars.get(at)
    }
    /// A fact by its path.
    pub fn find(&self, path: &str) -> Option<usize> {
        self.index.get(path).copied()
    }
    /// What a fact is chosen to be.
    pub fn pick(&self, at: usize) -> Option<Pick> {
        self.picks.get(at).copied().flatten()
    }
    /// The facts chosen so far; all others are unknown.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// A fact with arguments, made known to the space if it is new.
    pub fn call(&mut self, path: &str, fact: FactCallId, args: &[Value]) -> Option<usize> {
        if let Some(known) = self.find(path) {
            return Some(known);
        }
        let def = self.linked.rulebook.vocab.fact_calls.get(fact.ix())?;
        let at = self.facts.calls.len();
        self.facts.calls.push(CallFact { fact, args: args.to_vec(), slot: Slot::UNKNOWN });
        Some(self.add(Var {
            path: path.to_owned(),
            ty: def.ty.clone(),
            class: Class::Call(fact),
            within: None,
            row: None,
            number: None,
            at: At::Call(at),
            kind: Kind::Scalar,
            limits: def.bounds.as_ref().map(|b| Arc::new(Limits::new(&def.ty, b))),
        }))
    }

    /// A text that the rulebook does not mention, by number.
    pub fn other_text(&self, number: usize) -> Slot {
        Slot::value((self.linked.symbols.len() + number) as i64)
    }

    /// The fact to choose before this one can be: the outermost that is not chosen yet, or itself.
    pub fn first_open(&self, at: usize) -> usize {
        let mut open = at;
        let mut up = self.vars.get(at).and_then(|v| v.within);
        while let Some(outer) = up {
            if self.pick(outer).is_none() {
                open = outer;
            }
            up = self.vars.get(outer).and_then(|v| v.within);
        }
        open
    }

    /// Whether a fact exists, given what it lies within: present entities, rows that there are.
    pub fn exists(&self, at: usize) -> bool {
        let Some(var) = self.vars.get(at) else { return false };
        let Some(outer) = var.within else { return true };
        let there = match self.pick(outer) {
            Some(Pick::Present) => true,
            Some(Pick::Rows(n)) => self.row_number(at, outer).is_none_or(|i| i < n),
            _ => false,
        };
        there && self.exists(outer)
    }

    /// The number of the row of a list that a fact lies in.
    fn row_number(&self, at: usize, list: usize) -> Option<u32> {
        let list = self.vars.get(list)?;
        let rest = self.vars.get(at)?.path.strip_prefix(&list.path)?.strip_prefix('[')?;
        rest.split(']').next()?.parse().ok()
    }

    /// Chooses a fact, or leaves it open again.
    pub fn choose(&mut self, at: usize, pick: Option<Pick>) {
        let Some(var) = self.vars.get(at) else { return };
        let kind = var.kind;
        let slot = match (pick, kind) {
            (None, _) => Slot::UNKNOWN,
            (Some(Pick::Absent), _) => Slot::ABSENT,
            (Some(Pick::Scalar(slot)), _) => slot,
            (Some(Pick::Present), _) => Slot::value(1),
            (Some(Pick::Rows(_)), Kind::List(list)) => Slot::value(list as i64),
            (Some(Pick::Rows(_)), _) => Slot::UNKNOWN,
        };
        if let (Kind::List(list), Some(Pick::Rows(n))) = (kind, pick)
            && let Some(data) = self.facts.lists.get_mut(list)
        {
            data.len = n;
        }
        self.put(at, slot);
        if kind == Kind::Entity {
            // The fields of an absent entity are absent.
            let fields = if pick == Some(Pick::Absent) { Slot::ABSENT } else { Slot::UNKNOWN };
            self.put_fields(at, fields);
        }
        if let Some(place) = self.picks.get_mut(at) {
            *place = pick;
        }
    }

    fn put(&mut self, at: usize, slot: Slot) {
        let Some(var) = self.vars.get(at) else { return };
        let place = match var.at {
            At::Root(i) => self.facts.slots.get_mut(i),
            At::Row(i) => self.facts.rows.get_mut(i),
            At::Call(i) => self.facts.calls.get_mut(i).map(|c| &mut c.slot),
        };
        if let Some(place) = place {
            *place = slot;
        }
    }

    /// All slots within an entity.
    fn put_fields(&mut self, at: usize, slot: Slot) {
        let prefix = match self.vars.get(at) {
            Some(var) => format!("{}.", var.path),
            None => return,
        };
        // Fields follow their entity.
        let end = self.vars.iter().skip(at + 1).take_while(|v| v.path.starts_with(&prefix)).count();
        for field in at + 1..=at + end {
            let required_entity = self.vars.get(field).is_some_and(|v| v.is_entity() && !v.ty.is_optional());
            let inner = if slot == Slot::UNKNOWN && required_entity { Slot::value(1) } else { slot };
            self.put(field, inner);
        }
    }

    fn add(&mut self, var: Var) -> usize {
        let at = self.vars.len();
        self.index.insert(var.path.clone(), at);
        self.vars.push(var);
        self.picks.push(None);
        at
    }

    fn place(
        &mut self,
        path: &str,
        place: &'p Place,
        frame: Frame,
        root: Option<RootId>,
        number: Option<u32>,
    ) {
        let slot = frame.base + place.slot as usize;
        let at = if frame.element.is_some() { At::Row(slot) } else { At::Root(slot) };
        let class = match frame.element {
            Some(element) => Class::Element(element, place.slot),
            None => Class::Root(place.slot),
        };
        let row = frame.row;
        let mut var = Var {
            path: path.to_owned(),
            ty: place.ty.clone(),
            class,
            within: frame.within,
            row,
            number,
            at,
            kind: Kind::Scalar,
            limits: place.limits.clone(),
        };
        match &place.shape {
            Shape::Scalar => {
                self.add(var);
            }
            Shape::Entity(fields) => {
                var.kind = Kind::Entity;
                let optional = place.ty.is_optional();
                let me = self.add(var);
                let mut inner = frame;
                if optional {
                    inner.within = Some(me);
                } else {
                    // What must be there, is.
                    self.choose(me, Some(Pick::Present));
                }
                let id = if let Ty::Entity(id) = place.ty.inner() { *id } else { return };
                let names = self.linked.rulebook.vocab.entities.get(id.ix());
                for (i, field) in fields.iter().enumerate() {
                    let name = names.and_then(|e| e.fields.get(i)).map_or("", |f| f.name.as_str());
                    self.place(&format!("{path}.{name}"), field, inner, None, None);
                }
            }
            Shape::List(element) => {
                let list = self.facts.lists.len();
                var.kind = Kind::List(list);
                let Some(layed) = self.layout().elements.get(*element as usize) else { return };
                let rows = if frame.nested >= MOST_NESTED { 0 } else { MOST_ROOM };
                let start = self.facts.rows.len();
                self.facts.lists.push(ListData { element: *element, len: 0, start: start as u32 });
                self.facts.rows.resize(start + (rows * layed.width) as usize, Slot::UNKNOWN);
                let me = self.add(var);
                self.rows(
                    path,
                    layed,
                    rows,
                    Frame {
                        base: start,
                        element: Some(*element),
                        within: Some(me),
                        row: frame.row,
                        nested: frame.nested + 1,
                    },
                    root,
                );
            }
        }
    }

    fn rows(&mut self, path: &str, layed: &'p Element, rows: u32, frame: Frame, root: Option<RootId>) {
        for row in 0..rows {
            let of = Frame {
                base: frame.base + (row * layed.width) as usize,
                row: root.map(|r| (r, row as usize)).or(frame.row),
                ..frame
            };
            self.place(&format!("{path}[{row}]"), &layed.place, of, None, Some(row));
        }
    }
}

/// Where the slots of a place are counted from.
#[derive(Clone, Copy, Debug)]
struct Frame {
    base: usize,
    element: Option<u32>,
    row: Option<(RootId, usize)>,
    within: Option<usize>,
    nested: u32,
}
