//! The vocabulary: types, entities, facts and decisions that policies speak of.
use crate::lang::source::Span;
use crate::lang::typed::expr::{Const, Expr, VarId};
use num_rational::BigRational;
use std::sync::Arc;

ids! {
    /// Index into [`Vocab::enums`].
    EnumId,
    /// Index into [`Vocab::taxonomies`].
    TaxonomyId,
    /// Index into [`Vocab::units`].
    UnitId,
    /// Index into [`Vocab::currencies`].
    CurrencyId,
    /// Index into [`Vocab::entities`] (entities and records).
    EntityId,
    /// Index into [`Vocab::roots`].
    RootId,
    /// Index into [`Vocab::fact_calls`].
    FactCallId,
    /// Index into [`Vocab::decisions`].
    DecisionId,
    /// Index into [`Decision::outputs`] of the decision at hand.
    OutputId,
    /// Index into [`Vocab::calendars`].
    CalendarId,
}

/// A text in both languages; a missing one falls back to the other, then to the name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    pub zh: Option<String>,
    pub en: Option<String>,
}

impl Label {
    /// The Chinese text, else the English one, else `name`.
    pub fn zh<'a>(&'a self, name: &'a str) -> &'a str {
        self.zh.as_deref().or(self.en.as_deref()).unwrap_or(name)
    }
    /// The English text, else `name` made readable is left to the caller: falls back to `name`, then Chinese only if `name` is empty.
    pub fn en<'a>(&'a self, name: &'a str) -> &'a str {
        match self.en.as_deref() {
            Some(text) => text,
            None if name.is_empty() => self.zh.as_deref().unwrap_or(name),
            None => name,
        }
    }
}

/// A type of the language.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ty {
    Bool,
    Int,
    /// Decimals, percentages and 折.
    Dec,
    /// Text and codes.
    Text,
    /// A calendar day: days since 1970-01-01.
    Date,
    /// An instant: microseconds since 1970-01-01T00:00Z.
    DateTime,
    /// Days or months.
    Period,
    /// Seconds.
    Duration,
    /// An amount with its currency at run time.
    Money,
    Unit(UnitId),
    Enum(EnumId),
    /// A node of a taxonomy.
    Node(TaxonomyId),
    /// An entity (given) or record (made by rules).
    Entity(EntityId),
    List(Arc<Ty>),
    Set(Arc<Ty>),
    /// `T?`; never nested.
    Opt(Arc<Ty>),
    /// `1 point per 2 CNY`: multiplies a quantity of the second kind into one of the first.
    Rate(RateKind, RateKind),
    /// The type of `absent` and of `undecided` without a context; fits everywhere.
    Never,
}

/// What a rate converts between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateKind {
    Money(CurrencyId),
    Unit(UnitId),
    Days,
}

impl Ty {
    /// The type without its `?`.
    pub fn inner(&self) -> &Ty {
        match self {
            Ty::Opt(inner) => inner,
            other => other,
        }
    }
    /// Whether the value may be absent.
    pub fn is_optional(&self) -> bool {
        matches!(self, Ty::Opt(_))
    }
    /// `self?`, without nesting.
    pub fn optional(self) -> Ty {
        match self {
            Ty::Opt(_) => self,
            other => Ty::Opt(Arc::new(other)),
        }
    }
    /// Whether values are numbers (integer, decimal, money or a unit).
    pub fn is_numeric(&self) -> bool {
        matches!(self, Ty::Int | Ty::Dec | Ty::Money | Ty::Unit(_))
    }
}

/// One member of an enum.
#[derive(Clone, Debug)]
pub struct Member {
    pub name: String,
    pub label: Label,
}

/// `enum tier: ordinary < gold`.
#[derive(Clone, Debug)]
pub struct EnumDef {
    pub name: String,
    pub label: Label,
    pub ordered: bool,
    pub members: Vec<Member>,
}

/// A node of a taxonomy; parents come before their children, the roots have no parent.
#[derive(Clone, Debug)]
pub struct NodeDef {
    pub name: String,
    pub label: Label,
    pub parent: Option<u32>,
    /// 0 for a root.
    pub depth: u32,
}

/// `taxonomy category { … }`.
#[derive(Clone, Debug)]
pub struct TaxonomyDef {
    pub name: String,
    pub label: Label,
    pub nodes: Vec<NodeDef>,
}

impl Vocab {
    /// The type of a fact, with or without arguments.
    pub fn fact_type(&self, name: &str) -> Option<Ty> {
        let root = self.roots.iter().find(|r| r.name == name).map(|r| &r.ty);
        root.or_else(|| self.fact_calls.iter().find(|f| f.name == name).map(|f| &f.ty)).cloned()
    }
}

impl TaxonomyDef {
    /// Whether `node` is `ancestor` or lies below it.
    pub fn is_under(&self, node: u32, ancestor: u32) -> bool {
        let mut at = Some(node);
        while let Some(n) = at {
            if n == ancestor {
                return true;
            }
            at = self.nodes.get(n as usize).and_then(|d| d.parent);
        }
        false
    }
}

/// `unit point step 1`.
#[derive(Clone, Debug)]
pub struct UnitDef {
    pub name: String,
    pub label: Label,
    /// The smallest amount, positive.
    pub step: BigRational,
}

/// `currency CNY step 0.01`.
#[derive(Clone, Debug)]
pub struct CurrencyDef {
    /// ISO 4217 code.
    pub code: String,
    /// The smallest amount, positive.
    pub step: BigRational,
}

/// Open and closed days; weekends are closed unless `weekends_open`.
#[derive(Clone, Debug)]
pub struct CalendarDef {
    pub name: String,
    pub weekends_open: bool,
    /// Days (since 1970-01-01) closed against, or open despite, the weekly rhythm; sorted.
    pub closed: Vec<i32>,
    pub open: Vec<i32>,
}

impl CalendarDef {
    /// Whether the shop or bank is open on `day` (days since 1970-01-01).
    pub fn is_open(&self, day: i32) -> bool {
        if self.open.binary_search(&day).is_ok() {
            return true;
        }
        if self.closed.binary_search(&day).is_ok() {
            return false;
        }
        // 1970-01-01 was a Thursday; Monday = 0.
        let weekday = (day + 3).rem_euclid(7);
        self.weekends_open || weekday < 5
    }
}

/// The values that a fact may have: each end with whether it belongs to them; an end that is not there is open.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    pub low: Option<(Const, bool)>,
    pub high: Option<(Const, bool)>,
    /// As written: `[0..500)`.
    pub text: String,
}

/// A field of an entity or record.
#[derive(Clone, Debug)]
pub struct FieldDef {
    pub name: String,
    pub ty: Ty,
    pub bounds: Option<Bounds>,
    pub label: Label,
}

/// An entity (facts about a thing) or a record (what an outcome may hold).
#[derive(Clone, Debug)]
pub struct EntityDef {
    pub name: String,
    pub label: Label,
    pub record: bool,
    pub fields: Vec<FieldDef>,
}

/// Who supplies a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Request,
    Records,
    Desk,
    Plugin(Arc<PluginSource>),
}

impl Source {
    /// The plugin's function that answers the fact.
    pub fn plugin(&self) -> Option<&Arc<PluginSource>> {
        match self {
            Source::Plugin(plugin) => Some(plugin),
            _ => None,
        }
    }
}

/// `from plugin acme.fraud.score reads member, lines on failure 0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginSource {
    /// `acme.fraud`
    pub plugin: String,
    /// `score`
    pub function: String,
    /// What the plugin may see beside its arguments: these and nothing else.
    pub reads: Vec<Read>,
    pub on_failure: OnFailure,
    /// The function's name in the vocabulary.
    pub span: Span,
}

/// A fact that a plugin may see, with everything below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// As written: `member.tier`, `lines.sku`.
    pub path: String,
    pub root: RootId,
    /// Fields of the entity, or of the elements of the list, that it leads to.
    pub fields: Vec<u32>,
}

/// What holds when a plugin has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The fact is this.
    Value(Const),
    /// Somebody at the desk is asked.
    Refer,
    /// The question is refused.
    Deny,
}

/// A top-level fact: an entity named in a decision's `given`, or a `fact` without arguments.
#[derive(Clone, Debug)]
pub struct RootDef {
    pub name: String,
    pub ty: Ty,
    pub bounds: Option<Bounds>,
    pub label: Label,
    pub source: Source,
}

/// A fact with arguments: `fact member_spend(year: integer): money from records`.
#[derive(Clone, Debug)]
pub struct FactCallDef {
    pub name: String,
    pub params: Vec<(String, Ty)>,
    pub ty: Ty,
    pub bounds: Option<Bounds>,
    pub label: Label,
    pub source: Source,
}

/// How contributions combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    One,
    Max,
    Min,
    Sum,
    All,
    Each,
}

/// Which way is kinder to the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    Higher,
    Lower,
}

/// What stands when nothing contributes.
#[derive(Clone, Debug)]
pub enum Fallback {
    /// `else e`.
    Else(Expr),
    /// `optional`: absent.
    Absent,
    /// `sum`, `all`, `each`: zero or empty.
    Empty,
}

/// An output of a decision.
#[derive(Clone, Debug)]
pub struct OutputDef {
    pub name: String,
    pub label: Label,
    /// Internal: may be off step, never returned.
    pub working: bool,
    /// `each l in lines`: one value per element of this root's list.
    pub per: Option<RootId>,
    /// `l`, the element, as guard and fallback name it; set with `per`.
    pub var: Option<VarId>,
    pub mode: Mode,
    /// The type of one contribution: for `all` and `each` the element type.
    pub ty: Ty,
    pub better: Option<Better>,
    /// Absent where false. Guards with equal `guard_key` are the same text.
    pub guard: Option<Expr>,
    pub guard_key: Option<u32>,
    pub fallback: Fallback,
}

impl OutputDef {
    /// The type of the combined value of one element: a set for `all`, a list for `each`, otherwise `ty`;
    /// optional if the output can be absent.
    pub fn value_ty(&self) -> Ty {
        let base = match self.mode {
            Mode::All => Ty::Set(Arc::new(self.ty.clone())),
            Mode::Each => Ty::List(Arc::new(self.ty.clone())),
            _ => self.ty.clone(),
        };
        if self.guard.is_some() || matches!(self.fallback, Fallback::Absent) { base.optional() } else { base }
    }
}

/// `decision return_item given receipt, item … { outputs }`.
#[derive(Clone, Debug)]
pub struct Decision {
    pub name: String,
    pub label: Label,
    pub given: Vec<RootId>,
    pub given_calls: Vec<FactCallId>,
    pub outputs: Vec<OutputDef>,
    /// All outputs, each after those that it may read (guards, fallbacks and every policy's rules taken together).
    pub order: Vec<OutputId>,
}

/// A checked vocabulary.
#[derive(Clone, Debug, Default)]
pub struct Vocab {
    pub name: String,
    pub version: u32,
    pub enums: Vec<EnumDef>,
    pub taxonomies: Vec<TaxonomyDef>,
    pub units: Vec<UnitDef>,
    /// The first one is the default.
    pub currencies: Vec<CurrencyDef>,
    pub calendars: Vec<CalendarDef>,
    pub entities: Vec<EntityDef>,
    /// Sorted by name, so that the order of the text never matters.
    pub roots: Vec<RootDef>,
    pub fact_calls: Vec<FactCallDef>,
    pub decisions: Vec<Decision>,
}
