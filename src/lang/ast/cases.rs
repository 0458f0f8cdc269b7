//! What a `.cases` file holds.

use super::{Broken, Expr, Name, Path, Text};
use crate::lang::source::Span;

/// A `.cases` file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CasesFile {
    pub head: Option<CaseTarget>,
    pub backgrounds: Vec<Background>,
    pub cases: Vec<Case>,
    pub broken: Vec<Broken>,
}

/// `for DECISION at STORE`.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseTarget {
    pub decision: Name,
    pub store: Option<Name>,
    pub span: Span,
}

/// `background "clean" …`.
#[derive(Debug, Clone, PartialEq)]
pub struct Background {
    pub name: Text,
    pub settings: Vec<Setting>,
    pub span: Span,
}

/// `case "…" [for D at S] [like "…"] [with "…"] [given …] expect …`.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    pub name: Text,
    pub target: Option<CaseTarget>,
    pub like: Option<Text>,
    pub with: Vec<Text>,
    pub given: Vec<Setting>,
    pub expect: Vec<Expectation>,
    pub span: Span,
}

/// `item.season = summer` or `member_spend(2026) = 10 CNY`.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    pub target: Path,
    /// The arguments of a fact that takes some; empty otherwise.
    pub args: Vec<Expr>,
    pub value: Expr,
    pub span: Span,
}

/// One thing that a case expects.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    pub kind: ExpectationKind,
    /// `by …` and `not by …`, in the order written.
    pub by: Vec<By>,
    pub span: Span,
}

/// What is expected.
#[derive(Debug, Clone, PartialEq)]
pub enum ExpectationKind {
    /// A bare word: of the one output whose enum has it.
    Word(Name),
    /// `refund = 3 CNY`
    Value { output: Path, value: Expr },
    /// `refund is undecided`
    State { output: Path, state: ExpectedState },
    /// `needs item.season`: the exact set of missing facts.
    Needs(Vec<Need>),
}

/// A state that is not a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExpectedState {
    Absent,
    Undecided,
    Conflict,
    Faulty,
    Unknown,
}

/// Which rules must, or must not, be among the deciding ones.
#[derive(Debug, Clone, PartialEq)]
pub struct By {
    pub kind: ByKind,
    pub span: Span,
}

/// The three forms of `by`.
#[derive(Debug, Clone, PartialEq)]
pub enum ByKind {
    Rules(Vec<Path>),
    Default,
    NotRules(Vec<Path>),
}

/// A fact that is missing: `item.season`, `rate("K2", 2026-05-01)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    pub target: Path,
    /// In brackets; empty where there are none.
    pub args: Vec<Expr>,
    pub span: Span,
}
