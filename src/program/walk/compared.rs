//! Watching the bounds that a walk compares with, and asking what would be if one of them had gone the other way: for the
//! coverage of cases, which must show both sides of a bound where the bound decides something.
use crate::lang::typed::*;
use crate::program::facts::Facts;
use crate::program::link::Linked;
use crate::program::outcome::Outcome;
use crate::program::value::Value;
use crate::program::walk::Walk;
use crate::program::walk::depth::with_watched_walk;
use std::cell::RefCell;

/// A bound of a rulebook by its place in memory, which stays while the rulebook is loaded: an expression, a cell or a range
/// of dates, and which of its two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(usize, bool);

impl Mark {
    /// A bound that is an expression: the right side of a comparison, an end of an interval.
    pub fn of_expr(e: &Expr) -> Mark {
        Mark(std::ptr::from_ref(e) as usize, false)
    }
    /// An end of a cell's interval, or (the low one) its threshold.
    pub fn of_cell(test: &Test, high: bool) -> Mark {
        Mark(std::ptr::from_ref(test) as usize, high)
    }
    /// The first day of a range, or the first after it.
    pub fn of_dates(range: &DateRange, end: bool) -> Mark {
        Mark(std::ptr::from_ref(range) as usize, end)
    }
}

/// A comparison that was carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    pub mark: Mark,
    pub value: Value,
    pub bound: Value,
    pub op: CmpOp,
    /// How it came out, before it was turned round.
    pub holds: bool,
}

/// What a walk watches.
#[derive(Debug, Default)]
pub(crate) struct Comparisons {
    on: bool,
    turned: Option<Mark>,
    seen: RefCell<Vec<Compared>>,
}

impl Comparisons {
    pub(crate) fn new(turned: Option<Mark>) -> Comparisons {
        Comparisons { on: true, turned, seen: RefCell::default() }
    }
    /// Notes a comparison, and says how it is to count.
    pub(crate) fn compared(&self, mark: Mark, op: CmpOp, value: &Value, bound: &Value, holds: bool) -> bool {
        if !self.on {
            return holds;
        }
        self.seen.borrow_mut().push(Compared { mark, value: value.clone(), bound: bound.clone(), op, holds });
        if self.turned == Some(mark) { !holds } else { holds }
    }
}

/// Decides, and lists every comparison with a bound. `turned`: what if that one had come out the other way?
pub fn watched(
    linked: &Linked,
    decision: DecisionId,
    facts: &Facts,
    turned: Option<Mark>,
) -> (Outcome, Vec<Compared>) {
    with_watched_walk(
        linked,
        decision,
        facts,
        || Comparisons::new(turned),
        |walk: &Walk<'_>| {
            let outcome = walk.outcome();
            (outcome, walk.comparisons.seen.borrow().clone())
        },
    )
}
