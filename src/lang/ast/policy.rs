//! What a `.policy` file holds.

use super::{
    BinaryOp, Broken, Calendar, Clause, Dates, Each, Expr, Interval, Labels, Name, ParamDecl, Path, Rounding,
    Text, Type,
};
use crate::lang::source::Span;

/// A `.policy` file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PolicyFile {
    pub modules: Vec<Module>,
}

/// A policy or a library with what it declares.
#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    pub kind: ModuleKind,
    pub path: Path,
    pub header: Header,
    pub items: Vec<Item>,
    /// Declarations that could not be read. If the module's own header could not be read, the first is its keyword.
    pub broken: Vec<Broken>,
    /// The head: from the keyword to the end of the last header line.
    pub span: Span,
}

/// A policy decides something, a library only shares. `Broken`: the head could not be read; items are kept.
#[derive(Debug, Clone, PartialEq)]
pub enum ModuleKind {
    Policy { decides: Name },
    Library,
    Broken,
}

/// The lines below `policy` or `library`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Header {
    pub title: Labels,
    pub source: Option<Text>,
    pub layer: Option<Layer>,
    pub dates: Dates,
    pub governed_by: Option<Path>,
    pub applies_when: Option<Expr>,
    pub uses: Vec<Path>,
    pub extends: Vec<Path>,
    pub rounding: Option<Rounding>,
    pub accepts: Vec<Accept>,
}

/// `accepts W0613 "reason"`: a warning about this declaration that its author has read and means to leave.
#[derive(Debug, Clone, PartialEq)]
pub struct Accept {
    pub codes: Vec<Name>,
    pub reason: Text,
    pub span: Span,
}

/// `layer chain jiajie`, `layer law`.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    pub kind: Name,
    pub name: Option<Name>,
    pub span: Span,
}

/// A declaration of a policy or library.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    Let(Let),
    Param(Param),
    Set(SetParam),
    Table(Table),
    Rows(Rows),
    Rule(Box<Rule>),
    Calendar(Calendar),
}

impl Item {
    /// The text of the declaration.
    pub fn span(&self) -> Span {
        match self {
            Item::Let(item) => item.span,
            Item::Param(item) => item.span,
            Item::Set(item) => item.span,
            Item::Table(item) => item.span,
            Item::Rows(item) => item.span,
            Item::Rule(item) => item.span,
            Item::Calendar(item) => item.span,
        }
    }
}

/// `let until = …`.
#[derive(Debug, Clone, PartialEq)]
pub struct Let {
    pub name: Name,
    pub value: Expr,
    pub clause: Option<Clause>,
    pub accepts: Vec<Accept>,
    pub span: Span,
}

/// A value with the dates for which it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Dated {
    pub value: Expr,
    pub dates: Dates,
    pub span: Span,
}

/// `param approval_limit: money = 300 CNY §6.7 store may set [100 CNY..500 CNY]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    pub name: Name,
    pub ty: Type,
    pub values: Vec<Dated>,
    pub clause: Option<Clause>,
    pub may_set: Vec<MaySet>,
    pub accepts: Vec<Accept>,
    pub span: Span,
}

/// `store may set [100 CNY..500 CNY]`; `range` is an interval or a set.
#[derive(Debug, Clone, PartialEq)]
pub struct MaySet {
    pub layer: Name,
    pub range: Expr,
    pub span: Span,
}

/// `set jiajie.returns.approval_limit = 500 CNY from 2026-01-01`.
#[derive(Debug, Clone, PartialEq)]
pub struct SetParam {
    pub target: Path,
    pub values: Vec<Dated>,
    pub clause: Option<Clause>,
    pub accepts: Vec<Accept>,
    pub span: Span,
}

/// `table window(…) -> length: period unique §6.6` with its rows or the name of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub name: Name,
    pub params: Vec<ParamDecl>,
    pub results: Vec<ParamDecl>,
    pub hit: Hit,
    pub clause: Option<Clause>,
    pub body: TableBody,
    pub accepts: Vec<Accept>,
    pub span: Span,
}

/// Which of the rows that fit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hit {
    Unique,
    First,
    Nearest,
    Steps,
    Collect(Collect),
}

/// How the rows of a `collect` table are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Collect {
    Sum,
    Max,
    Min,
    All,
}

/// Rows in place, or a CSV file beside the policy.
#[derive(Debug, Clone, PartialEq)]
pub enum TableBody {
    Rows(Vec<Row>),
    File(Text),
}

/// `rows jiajie.returns.window §s.1` with rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    pub target: Path,
    pub clause: Option<Clause>,
    pub rows: Vec<Row>,
    pub accepts: Vec<Accept>,
    pub span: Span,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub cells: Vec<Cell>,
    pub clause: Option<Clause>,
    pub dates: Dates,
    pub span: Span,
}

/// A cell: one or several alternatives.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    pub alternatives: Vec<CellItem>,
    pub span: Span,
}

/// One alternative of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct CellItem {
    pub kind: CellKind,
    pub span: Span,
}

/// What a cell asks for or gives.
#[derive(Debug, Clone, PartialEq)]
pub enum CellKind {
    /// `-`
    Any,
    /// `else`
    Else,
    /// `absent`
    Absent,
    /// `undecided "…"`
    Undecided(Text),
    /// `>= 2000 CNY`; the operator is one of `Ge Gt Le Lt`.
    Compare(BinaryOp, Expr),
    /// `[100..200)`
    Interval(Interval),
    Value(Expr),
}

/// `rule NAME … when … then …`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub name: Name,
    pub clause: Option<Clause>,
    pub group: Option<Name>,
    pub binding: bool,
    pub dates: Dates,
    pub each: Option<Each>,
    pub when: Option<Expr>,
    pub effects: Vec<Effect>,
    pub overrides: Vec<Overrides>,
    pub replaces: Vec<Path>,
    pub say: Labels,
    pub accepts: Vec<Accept>,
    pub span: Span,
}

/// One thing that a rule does.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    pub kind: EffectKind,
    pub span: Span,
}

/// What an effect is.
#[derive(Debug, Clone, PartialEq)]
pub enum EffectKind {
    /// A bare word: sets the one output whose enum has it.
    Word(Name),
    /// `out = e`, `l.out = e`, `out at least e` …
    Output { target: Path, op: EffectOp, value: Expr },
}

/// How an effect acts on its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EffectOp {
    Set,
    AtLeast,
    AtMost,
    Add,
    Remove,
}

/// One `overrides` line: rules, groups or policies, for all outputs or for one.
#[derive(Debug, Clone, PartialEq)]
pub struct Overrides {
    pub targets: Vec<Path>,
    pub output: Option<Name>,
    pub span: Span,
}
