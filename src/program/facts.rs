//! Facts of one request, bound flat into slots by the vocabulary's layout.
//!
//! Invariants: a slot's bits are read by the type of its place; an unknown or absent entity has unknown or absent
//! fields; list rows lie in one arena; texts that the rulebook knows are its symbols, others are numbered after them,
//! equal texts alike, so that equality of texts is equality of bits.
use crate::lang::typed::*;
use crate::program::limits::Limits;
use crate::program::value::Value;
use num_rational::BigRational;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Fixed point: money, units and decimals are kept as multiples of 1/10,000.
pub const SCALE: i64 = 10_000;

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Tag {
    /// Not given.
    Unknown,
    /// Given as not existing.
    Absent,
    /// `bits` by the place's type: bool 0/1; integer; decimal, money and unit × [`SCALE`]; text symbol; enum ordinal;
    /// node index; date days; datetime µs; period (see [`pack_period`]); duration seconds; list: index into `lists`; entity: 1.
    Value,
    /// A number with more than four decimals: `bits` indexes `wides`.
    Wide,
}

/// One bound fact, 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub bits: i64,
    pub tag: Tag,
    /// Money: the currency's index.
    pub currency: u8,
}

impl Slot {
    pub const UNKNOWN: Slot = Slot { bits: 0, tag: Tag::Unknown, currency: 0 };
    pub const ABSENT: Slot = Slot { bits: 0, tag: Tag::Absent, currency: 0 };
    /// A known value.
    pub fn value(bits: i64) -> Slot {
        Slot { bits, tag: Tag::Value, currency: 0 }
    }
}

/// A period as one integer: days even, months odd.
pub fn pack_period(p: Period) -> i64 {
    match p {
        Period::Days(n) => n.saturating_mul(2),
        Period::Months(n) => n.saturating_mul(2).saturating_add(1),
    }
}

/// The inverse of [`pack_period`].
pub fn unpack_period(bits: i64) -> Period {
    if bits & 1 == 0 { Period::Days(bits >> 1) } else { Period::Months(bits >> 1) }
}

/// Where a fact lies: relative to the root slots, or to the start of a list row.
#[derive(Clone, Debug)]
pub struct Place {
    pub ty: Ty,
    pub slot: u32,
    pub shape: Shape,
    /// What its value must keep.
    pub limits: Option<Arc<Limits>>,
}

#[derive(Clone, Debug)]
pub enum Shape {
    Scalar,
    /// The place's slot tells presence; the fields follow, in the entity's order.
    Entity(Vec<Place>),
    /// A list or set: index into [`Layout::elements`].
    List(u32),
}

/// The layout of list elements.
#[derive(Clone, Debug)]
pub struct Element {
    pub place: Place,
    /// Slots per row.
    pub width: u32,
}

/// Slots for every fact of a vocabulary. One layout serves every program of a rulebook.
#[derive(Clone, Debug)]
pub struct Layout {
    /// By [`RootId`].
    pub roots: Vec<Place>,
    pub elements: Vec<Element>,
    /// Root slots in all.
    pub width: u32,
}

impl Layout {
    /// Lay out the facts of a vocabulary (whose entities do not contain themselves but through lists).
    pub fn of(vocab: &Vocab) -> Layout {
        let mut b = Builder { vocab, elements: Vec::new(), known: FxHashMap::default() };
        let mut next = 0;
        let roots = vocab.roots.iter().map(|r| b.place(&r.ty, r.bounds.as_ref(), &mut next)).collect();
        let elements = b.elements.into_iter().flatten().collect();
        Layout { roots, elements, width: next }
    }
}

struct Builder<'a> {
    vocab: &'a Vocab,
    elements: Vec<Option<Element>>,
    known: FxHashMap<Ty, u32>,
}

impl Builder<'_> {
    fn place(&mut self, ty: &Ty, bounds: Option<&Bounds>, next: &mut u32) -> Place {
        let slot = *next;
        *next += 1;
        let shape = match ty.inner() {
            Ty::Entity(id) => {
                let vocab = self.vocab;
                let fields = vocab.entities.get(id.ix()).map(|e| e.fields.as_slice()).unwrap_or_default();
                Shape::Entity(fields.iter().map(|f| self.place(&f.ty, f.bounds.as_ref(), next)).collect())
            }
            Ty::List(of) | Ty::Set(of) => Shape::List(self.element(of)),
            _ => Shape::Scalar,
        };
        let limits = bounds.map(|b| Arc::new(Limits::new(ty, b)));
        Place { ty: ty.clone(), slot, shape, limits }
    }

    fn element(&mut self, ty: &Ty) -> u32 {
        if let Some(&id) = self.known.get(ty) {
            return id;
        }
        let id = self.elements.len() as u32;
        self.known.insert(ty.clone(), id);
        self.elements.push(None);
        let mut width = 0;
        let place = self.place(ty, None, &mut width);
        if let Some(e) = self.elements.get_mut(id as usize) {
            *e = Some(Element { place, width });
        }
        id
    }
}

/// Every text that the rulebook mentions, numbered.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    texts: Vec<Arc<str>>,
    ids: FxHashMap<Arc<str>, u32>,
}

impl Symbols {
    /// The number of a text, made if new.
    pub fn intern(&mut self, text: &str) -> u32 {
        if let Some(&id) = self.ids.get(text) {
            return id;
        }
        let id = self.texts.len() as u32;
        let text: Arc<str> = text.into();
        self.texts.push(text.clone());
        self.ids.insert(text, id);
        id
    }
    /// The number of a text that the rulebook mentions.
    pub fn get(&self, text: &str) -> Option<u32> {
        self.ids.get(text).copied()
    }
    pub fn len(&self) -> usize {
        self.texts.len()
    }
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
    pub fn text(&self, id: u32) -> Option<&Arc<str>> {
        self.texts.get(id as usize)
    }
}

/// The rows of one list.
#[derive(Clone, Copy, Debug)]
pub struct ListData {
    /// Index into [`Layout::elements`].
    pub element: u32,
    pub len: u32,
    /// First slot in [`Facts::rows`]; rows follow each other, `width` slots each.
    pub start: u32,
}

/// A given fact with arguments.
#[derive(Clone, Debug)]
pub struct CallFact {
    pub fact: FactCallId,
    pub args: Vec<Value>,
    pub slot: Slot,
}

/// All facts of one request.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// By the layout's root slots.
    pub slots: Vec<Slot>,
    pub lists: Vec<ListData>,
    pub rows: Vec<Slot>,
    /// Texts that the rulebook does not mention; text `i` here has symbol `symbols.len() + i`.
    pub texts: Vec<Arc<str>>,
    pub wides: Vec<BigRational>,
    pub calls: Vec<CallFact>,
    /// Whether two currencies occur.
    pub mixed_currencies: bool,
    /// The one currency that occurs, if any does.
    pub currency: Option<u8>,
}

impl Facts {
    /// Nothing known.
    pub fn unknown(layout: &Layout) -> Facts {
        Facts { slots: vec![Slot::UNKNOWN; layout.width as usize], ..Facts::default() }
    }
    /// A text by symbol.
    pub fn text<'a>(&'a self, symbols: &'a Symbols, id: i64) -> Option<&'a Arc<str>> {
        let id = usize::try_from(id).ok()?;
        match id.checked_sub(symbols.len()) {
            None => symbols.text(id as u32),
            Some(own) => self.texts.get(own),
        }
    }
    /// The slots of one row of a list.
    pub fn row(&self, layout: &Layout, list: &ListData, row: u32) -> &[Slot] {
        let width = layout.elements.get(list.element as usize).map_or(0, |e| e.width) as usize;
        let start = list.start as usize + row as usize * width;
        self.rows.get(start..start + width).unwrap_or_default()
    }
    /// The number in a slot whose place is of a numeric type, exactly; `None` if the slot holds none.
    pub fn number(&self, slot: &Slot, ty: &Ty) -> Option<BigRational> {
        match (slot.tag, ty.inner()) {
            (Tag::Value, Ty::Int) => Some(BigRational::from_integer(slot.bits.into())),
            (Tag::Value, _) => Some(BigRational::new(slot.bits.into(), SCALE.into())),
            (Tag::Wide, _) => self.wides.get(usize::try_from(slot.bits).ok()?).cloned(),
            _ => None,
        }
    }
}
