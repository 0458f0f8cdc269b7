//! Cases: facts and what is expected of a decision, resolved and typed against the vocabulary.
use crate::lang::source::Span;
use crate::lang::typed::expr::Const;
use crate::lang::typed::policy::RuleId;
use crate::lang::typed::vocab::*;

/// A fact (or an expected value) as a case states it.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// Never [`Const::Absent`].
    Value(Const),
    Absent,
    /// Left open. Fields that an entity literal does not name are unknown without being listed.
    Unknown,
    /// A list or a set: the type of its place tells which. A set is sorted by nothing in particular.
    List(Vec<Given>),
    /// An entity or record literal: the named fields by index, ascending.
    Entity(EntityId, Vec<(u32, Given)>),
}

/// What a setting sets.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// `item.category`: a root and the fields below it (entities in entities); none: the whole root.
    Root(RootId, Vec<u32>),
    /// `member_spend(2026)`
    Call(FactCallId, Vec<Const>),
}

/// One stated fact.
#[derive(Clone, Debug)]
pub struct CaseSetting {
    pub target: Target,
    pub value: Given,
    pub span: Span,
}

/// What an output is expected to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Want {
    Value(Given),
    Absent,
    Unknown,
    Undecided,
    Conflict,
    Faulty,
}

/// What is expected of one output.
#[derive(Clone, Debug)]
pub struct Expectation {
    pub output: OutputId,
    pub want: Want,
    /// Each entry must be among the deciding rules; several ids in one entry are versions of one rule, any of them will do.
    pub by: Vec<Vec<RuleId>>,
    /// None of these may be among them.
    pub not_by: Vec<RuleId>,
    /// `by default`: no rule contributed.
    pub by_default: bool,
    pub span: Span,
}

/// A case, with what it takes over by `like` and `with` already in place.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub decision: DecisionId,
    pub store: String,
    /// To be applied in this order: later settings win (a whole root replaces what was said of its fields).
    pub given: Vec<CaseSetting>,
    pub expect: Vec<Expectation>,
    /// `needs …`: exactly these facts are missing.
    pub needs: Option<Vec<Need>>,
    pub span: Span,
}

/// A fact that a case says is missing.
#[derive(Clone, Debug, PartialEq)]
pub enum Need {
    /// As answers name it: `item.season`.
    Path(String),
    Call(FactCallId, Vec<Const>),
}
