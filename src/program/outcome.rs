//! What an evaluation answers: a state per output, and why.
use crate::lang::typed::{DecisionId, Label, OutputId, RuleId, TableId};
use crate::program::value::Value;
use std::collections::BTreeSet;

/// A fault of an evaluation, in a fixed vocabulary so that both evaluators say the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    Overflow,
    DivisionByZero,
    EmptyExtreme,
    MixedCurrencies,
    MixedPeriods,
    DateOutOfRange,
    NoRow(TableId),
    NoParamValue(String),
}

/// Two or more statements that cannot hold together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conflict {
    /// Rules that set different values, or clamps that exclude each other.
    Rules(BTreeSet<RuleId>),
    /// Rows of one block of a table (0 = own, n = the n-th extra block), numbered from 0, that fit at once.
    Rows(TableId, u32, BTreeSet<u32>),
}

/// The state of an output (or any expression), from best to worst.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Decided; [`Value::Absent`] where the output is absent.
    Value(Value),
    /// Not decidable without these facts, by path (`item.season`, `lines[0].paid`, `member_spend(2026)`).
    Unknown(BTreeSet<String>),
    /// The rulebook is silent: its questions.
    Undecided(BTreeSet<Label>),
    Conflict(BTreeSet<Conflict>),
    Faulty(BTreeSet<Fault>),
}

impl State {
    /// 0 for a value up to 4 for faulty.
    pub fn badness(&self) -> u8 {
        match self {
            State::Value(_) => 0,
            State::Unknown(_) => 1,
            State::Undecided(_) => 2,
            State::Conflict(_) => 3,
            State::Faulty(_) => 4,
        }
    }
}

/// A row that was hit: block 0 is the table's own, n the n-th of [`crate::lang::typed::Table::extra`] (n counts from 1); `row` counts from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowHit {
    pub table: TableId,
    pub block: u32,
    pub row: u32,
}

/// A rule that decided, the outputs that it decided, and the rows that it read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Because {
    pub rule: RuleId,
    /// Ascending.
    pub outputs: Vec<OutputId>,
    /// Ascending.
    pub rows: Vec<RowHit>,
}

/// An output that is not decided: its state's rules, for the clauses to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    pub output: OutputId,
    /// The rules whose effect is in question, ascending.
    pub rules: Vec<RuleId>,
    /// The rows that these rules read, ascending.
    pub rows: Vec<RowHit>,
}

/// The answer to one decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub decision: DecisionId,
    /// One per output, in declaration order; per-line outputs are lists; `working` outputs included (not shown).
    pub outputs: Vec<State>,
    /// In rule order.
    pub because: Vec<Because>,
    /// For each undecided output (not `working`), in declaration order.
    pub open: Vec<Open>,
    /// Binding rules that held, and the rules that were set aside by them.
    pub set_aside: Vec<(RuleId, RuleId)>,
}

impl Outcome {
    /// The worst badness of the outputs that are returned.
    pub fn badness(&self, is_working: impl Fn(usize) -> bool) -> u8 {
        self.outputs
            .iter()
            .enumerate()
            .filter(|(i, _)| !is_working(*i))
            .map(|(_, s)| s.badness())
            .max()
            .unwrap_or(0)
    }
    /// The sorted missing facts of all returned outputs that are unknown.
    pub fn needs(&self, is_working: impl Fn(usize) -> bool) -> BTreeSet<String> {
        let mut needs = BTreeSet::new();
        for (i, state) in self.outputs.iter().enumerate() {
            if let State::Unknown(facts) = state
                && !is_working(i)
            {
                needs.extend(facts.iter().cloned());
            }
        }
        needs
    }
}
