//! What a `.vocab` file declares.

use super::{Broken, DateLit, Expr, Labels, Name, Number, Path};
use crate::lang::source::Span;

/// A `.vocab` file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VocabFile {
    pub name: Option<Path>,
    pub version: Option<Number>,
    pub items: Vec<VocabItem>,
    pub broken: Vec<Broken>,
}

/// A declaration of a vocabulary.
#[derive(Debug, Clone, PartialEq)]
pub enum VocabItem {
    Enum(Enum),
    Taxonomy(Taxonomy),
    Unit(Unit),
    Entity(Entity),
    Fact(Fact),
    Decision(Decision),
    Calendar(Calendar),
}

/// `enum season { … }`, `enum tier: ordinary < gold`.
#[derive(Debug, Clone, PartialEq)]
pub struct Enum {
    pub name: Name,
    pub labels: Labels,
    pub ordered: bool,
    pub values: Vec<EnumValue>,
    pub span: Span,
}

/// A word of an enum.
#[derive(Debug, Clone, PartialEq)]
pub struct EnumValue {
    pub name: Name,
    pub labels: Labels,
    pub span: Span,
}

/// `taxonomy category { … }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Taxonomy {
    pub name: Name,
    pub labels: Labels,
    pub nodes: Vec<TaxonomyNode>,
    pub span: Span,
}

/// A node of a taxonomy with what lies below it.
#[derive(Debug, Clone, PartialEq)]
pub struct TaxonomyNode {
    pub name: Name,
    pub labels: Labels,
    pub children: Vec<TaxonomyNode>,
    pub span: Span,
}

/// `unit point step 1` or `currency CNY step 0.01`.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    pub name: Name,
    pub currency: bool,
    pub step: Number,
    pub labels: Labels,
    pub span: Span,
}

/// `entity item { … }` or `record due { … }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    pub name: Name,
    pub record: bool,
    pub labels: Labels,
    pub fields: Vec<Field>,
    pub span: Span,
}

/// `unit_price: money zh "单价"`.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub name: Name,
    pub ty: Type,
    pub bounds: Option<Box<Bounds>>,
    pub labels: Labels,
    pub span: Span,
}

/// `in [0..500)`: the values that a fact may have; an end that is not written is open.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    pub low: Option<Expr>,
    pub high: Option<Expr>,
    /// `(`: the low end does not belong to it.
    pub low_open: bool,
    /// `)`: the high end does not belong to it.
    pub high_open: bool,
    /// The brackets and what stands between.
    pub span: Span,
}

/// A type as written; names are resolved by the checker.
#[derive(Debug, Clone, PartialEq)]
pub struct Type {
    pub kind: TypeKind,
    /// `?` after a name. In `list of T?` it belongs to `T`.
    pub optional: bool,
    pub span: Span,
}

/// What a type is.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeKind {
    Name(Name),
    List(Box<Type>),
    Set(Box<Type>),
}

/// `name: type`, of facts' and tables' parameters and of tables' results.
#[derive(Debug, Clone, PartialEq)]
pub struct ParamDecl {
    pub name: Name,
    pub ty: Type,
    pub span: Span,
}

/// `fact member_spend(year: integer): money from records`.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    pub name: Name,
    pub params: Vec<ParamDecl>,
    pub ty: Type,
    pub bounds: Option<Box<Bounds>>,
    pub source: FactSource,
    pub labels: Labels,
    pub span: Span,
}

/// Who supplies a fact. `Request` where nothing is written.
#[derive(Debug, Clone, PartialEq)]
pub enum FactSource {
    Request,
    Records,
    Desk,
    Plugin(Box<PluginFact>),
}

/// `plugin acme.fraud.score reads member, lines on failure 0`.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginFact {
    pub path: Path,
    /// What the plugin may see beside the values that it is asked by.
    pub reads: Vec<Path>,
    pub on_failure: Option<Expr>,
}

/// `decision return_item given receipt, item { … }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub name: Name,
    pub labels: Labels,
    pub given: Vec<Name>,
    pub outputs: Vec<Output>,
    pub span: Span,
}

/// One output of a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    pub working: bool,
    pub name: Name,
    pub each: Option<Each>,
    pub mode: Mode,
    pub ty: Type,
    pub better: Option<Better>,
    pub guard: Option<Expr>,
    pub default: OutputDefault,
    pub labels: Labels,
    pub span: Span,
}

/// `each l in lines`.
#[derive(Debug, Clone, PartialEq)]
pub struct Each {
    pub var: Name,
    pub list: Expr,
    pub span: Span,
}

/// How contributions combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    One,
    Max,
    Min,
    Sum,
    All,
    Each,
}

/// Which way is kinder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Better {
    Higher,
    Lower,
}

/// What an output is when nothing contributes.
#[derive(Debug, Clone, PartialEq)]
pub enum OutputDefault {
    Unstated,
    Optional(Span),
    Else(Expr),
}

/// `calendar mainland { closed … through …, open … }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    pub name: Name,
    pub labels: Labels,
    /// `every day`: weekends are not closed.
    pub every_day: bool,
    pub entries: Vec<CalendarEntry>,
    pub span: Span,
}

/// `closed FROM [through TO]` or `open FROM [through TO]`.
#[derive(Debug, Clone, PartialEq)]
pub struct CalendarEntry {
    pub open: bool,
    pub from: DateLit,
    pub through: Option<DateLit>,
    pub span: Span,
}
