//! Which facts a walk looks at: what the analysis of a rulebook branches on, and what it need not try again.
use crate::lang::typed::{DecisionId, FactCallId};
use crate::program::facts::Facts;
use crate::program::link::Linked;
use crate::program::value::Value;
use crate::program::walk::Walk;
use crate::program::walk::depth::{Depth, SHALLOW};
use std::cell::RefCell;

/// A fact that was looked at and is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) path: String,
    /// For a fact with arguments.
    pub(crate) call: Option<(FactCallId, Vec<Value>)>,
}

/// The facts looked at, in the order in which they first were.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    known: RefCell<Vec<String>>,
    missing: RefCell<Vec<Missing>>,
}

impl Seen {
    /// The paths of known facts that were looked at, and those of facts that are not known; one looked at twice is named twice.
    pub(crate) fn into_parts(self) -> (Vec<String>, Vec<Missing>) {
        (self.known.into_inner(), self.missing.into_inner())
    }
    /// A fact that is known.
    pub(super) fn known(&self, path: &str) {
        self.known.borrow_mut().push(path.to_owned());
    }
    /// A fact that is not.
    pub(super) fn missing(&self, path: &str, call: Option<(FactCallId, Vec<Value>)>) {
        self.missing.borrow_mut().push(Missing { path: path.to_owned(), call });
    }
}

/// What `f` makes of a walk that notes what it looks at. `None` if it goes deeper than a thread's stack has room for.
pub(crate) fn watch<'a, T>(
    linked: &'a Linked,
    decision: DecisionId,
    facts: &'a Facts,
    seen: &'a Seen,
    f: impl FnOnce(&Walk<'a>) -> T,
) -> Option<T> {
    let walk = Walk::watched(linked, decision, facts, Depth::new(SHALLOW), Some(seen));
    let answer = f(&walk);
    (!walk.depth.exceeded()).then_some(answer)
}
