//! The bounds of a rulebook, and on which sides of them the cases stand.
//!
//! A side of a bound is covered by a case that stands right at it (at 2,000 or at 1,999.99, on the last day or the day
//! after) while the comparison is made, and for which the answer would be another had it come out the other way.
use crate::cases::facts::Stated;
use crate::cases::reach::{Reach, step};
use crate::lang::source::Span;
use crate::lang::typed::*;
use crate::program::explain::print::Printer;
use crate::program::facts::Facts;
use crate::program::outcome::Outcome;
use crate::program::value::Value;
use crate::program::walk::{Mark, Met, bounds_met};
use crate::rulebook::{Book, Program};
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use std::collections::{BTreeMap, BTreeSet};

/// A bound that rules or tables compare with.
#[derive(Debug, Clone)]
pub struct Bound {
    pub(super) mark: Mark,
    /// `item.unit_price >= 2000 CNY`, `window row 3`, `from 2026-05-01`.
    pub text: String,
    pub span: Span,
    /// What lies next to it.
    pub(super) step: BigRational,
    /// A decision that makes the comparison.
    pub(super) decision: DecisionId,
}

/// Which side of a bound: where the comparison holds, or where it does not.
pub(super) type Side = bool;

/// Which bounds the cases show, on both sides.
#[derive(Debug, Default)]
pub struct Bounds {
    pub all: Vec<Bound>,
    covered: BTreeSet<(Mark, Side)>,
}

impl Bounds {
    /// The bounds of what some store's program decides, none covered yet.
    pub fn of(book: &Book) -> Bounds {
        let mut all: BTreeMap<Mark, Bound> = BTreeMap::new();
        let typed = &*book.typed;
        for (i, def) in typed.vocab.decisions.iter().enumerate() {
            let mut finder = Finder { book, decision: DecisionId(i as u32), all: &mut all };
            finder.decision(def);
        }
        let mut all: Vec<Bound> = all.into_values().collect();
        // By place in the text, not in memory.
        all.sort_by(|a, b| (a.span, &a.text).cmp(&(b.span, &b.text)));
        Bounds { all, covered: BTreeSet::new() }
    }

    /// How many are covered on both sides.
    pub fn covered(&self) -> usize {
        self.all.iter().filter(|b| self.has(b, true) && self.has(b, false)).count()
    }

    /// The sides that no case shows.
    pub(super) fn open(&self) -> Vec<(Bound, Side)> {
        let sides = self.all.iter().flat_map(|b| [(b.clone(), true), (b.clone(), false)]);
        sides.filter(|(b, side)| !self.has(b, *side)).collect()
    }

    fn has(&self, bound: &Bound, side: Side) -> bool {
        self.covered.contains(&(bound.mark, side))
    }

    /// Counts what facts show.
    pub(super) fn add(&mut self, ready: &Ready<'_>) {
        let (outcome, seen) = ready.watch(None);
        let mut tried: BTreeSet<Mark> = BTreeSet::new();
        for s in &seen {
            let Some(bound) = self.all.iter().find(|b| b.mark == s.mark) else { continue };
            let covered = self.covered.contains(&(s.mark, s.holds));
            if !covered && is_near(s, &bound.step) && !tried.contains(&s.mark) {
                tried.insert(s.mark);
                if ready.watch(Some(s.mark)).0 != outcome {
                    let near = seen.iter().filter(|t| t.mark == s.mark && is_near(t, &bound.step));
                    let sides: Vec<Side> = near.map(|t| t.holds).collect();
                    self.covered.extend(sides.into_iter().map(|side| (s.mark, side)));
                }
            }
        }
    }

    /// Counts all cases.
    pub fn add_cases(&mut self, book: &Book) {
        for case in &book.cases {
            let stated = Stated::of(&book.typed.vocab, case);
            if let Some(ready) = Ready::new(book, &case.store, case.decision, &stated) {
                self.add(&ready);
            }
        }
    }
}

/// Facts bound to a store's program.
pub(super) struct Ready<'a> {
    pub(super) program: &'a Program,
    pub(super) decision: DecisionId,
    facts: Facts,
}

impl<'a> Ready<'a> {
    pub(super) fn new(
        book: &'a Book,
        store: &str,
        decision: DecisionId,
        stated: &Stated,
    ) -> Option<Ready<'a>> {
        let program = &*book.store(store)?.program;
        let json = stated.json(&book.typed.vocab).ok()?.to_string();
        let facts = program.binder().bind(json.as_bytes()).ok()?;
        Some(Ready { program, decision, facts })
    }

    pub(super) fn decide(&self) -> Outcome {
        self.program.decide(self.decision, &self.facts)
    }

    pub(super) fn watch(&self, turned: Option<Mark>) -> (Outcome, Vec<Met>) {
        bounds_met(self.program.linked(), self.decision, &self.facts, turned)
    }

    /// Whether a bound is met on a side, right at it, and decides something there.
    pub(super) fn shows(&self, bound: &Bound, side: Side) -> bool {
        let (outcome, seen) = self.watch(None);
        let at = |s: &&Met| s.mark == bound.mark && s.holds == side && is_near(s, &bound.step);
        seen.iter().any(|s| at(&s)) && self.watch(Some(bound.mark)).0 != outcome
    }
}

/// How far a value lies above its bound, in the bound's own measure; `None`: they have no distance.
pub(super) fn gap(seen: &Met) -> Option<BigRational> {
    let whole = |n: i64| BigRational::from_integer(n.into());
    Some(match (&seen.value, &seen.bound) {
        (Value::Num(a), Value::Num(b)) => a - b,
        (Value::Money(a, c), Value::Money(b, d)) if c == d => a - b,
        (Value::Date(a), Value::Date(b)) => whole(i64::from(*a) - i64::from(*b)),
        (Value::Enum(a), Value::Enum(b)) => whole(i64::from(*a) - i64::from(*b)),
        (Value::Period(Period::Days(a)), Value::Period(Period::Days(b)))
        | (Value::Period(Period::Months(a)), Value::Period(Period::Months(b)))
        | (Value::Duration(a), Value::Duration(b)) => whole(a - b),
        (Value::DateTime(a), Value::DateTime(b)) => BigRational::new((a - b).into(), 1_000_000.into()),
        _ => return None,
    })
}

/// Where a value stands that is right at a bound: on it, or a step before or after it.
pub(super) fn target(op: CmpOp, side: Side, step: &BigRational) -> BigRational {
    match (op, side) {
        (CmpOp::Ge | CmpOp::Le, true) | (CmpOp::Gt | CmpOp::Lt, false) => BigRational::zero(),
        (CmpOp::Ge, false) | (CmpOp::Lt, true) => -step.clone(),
        (CmpOp::Gt, true) | (CmpOp::Le, false) => step.clone(),
    }
}

fn is_near(seen: &Met, step: &BigRational) -> bool {
    let Some(gap) = gap(seen) else { return false };
    let on_it = target(seen.op, seen.holds, step).is_zero();
    if on_it { gap.abs() < *step } else { gap.abs() <= *step }
}

/// Whether a policy is in the program of some store.
pub(super) fn takes_part(book: &Book, policy: PolicyId) -> bool {
    book.programs.iter().any(|p| p.linked().has_policy(policy))
}

/// Finds the bounds that a decision reads.
struct Finder<'b, 'm> {
    book: &'b Book,
    decision: DecisionId,
    all: &'m mut BTreeMap<Mark, Bound>,
}

impl Finder<'_, '_> {
    fn put(&mut self, mark: Mark, text: String, span: Span, step: BigRational) {
        let decision = self.decision;
        self.all.entry(mark).or_insert(Bound { mark, text, span, step, decision });
    }

    fn decision(&mut self, def: &Decision) {
        let of = self.book;
        let book = of.typed.clone();
        for output in &def.outputs {
            output.guard.iter().for_each(|e| self.expr(e));
            if let Fallback::Else(e) = &output.fallback {
                self.expr(e);
            }
        }
        for (i, policy) in book.policies.iter().enumerate() {
            if policy.decides != Some(self.decision) || !takes_part(of, PolicyId(i as u32)) {
                continue;
            }
            self.dates(&policy.dates, policy.span, &policy.path);
            policy.applies_when.iter().for_each(|e| self.expr(e));
            for rule in policy.rules.iter().filter_map(|r| book.rules.get(r.ix())) {
                self.dates(&rule.dates, rule.span, &rule.name);
                let parts = rule.when.iter().chain(rule.for_each.iter().map(|f| &f.list));
                parts.chain(rule.effects.iter().map(|e| &e.value)).for_each(|e| self.expr(e));
            }
        }
        let reach = Reach::of(&book, self.decision);
        for l in reach.lets.iter().filter_map(|l| book.lets.get(l.ix())) {
            if takes_part(of, l.policy) {
                self.expr(&l.value);
            }
        }
        for p in reach.params.iter().filter_map(|p| book.params.get(p.ix())) {
            let set = p.settings.iter().filter(|s| takes_part(of, s.policy)).flat_map(|s| &s.values);
            let values: Vec<&DatedValue> = p.values.iter().chain(set).collect();
            values.iter().for_each(|v| self.dates(&v.dates, v.value.span, &p.name));
        }
        for t in reach.looked_up.iter().filter_map(|t| book.tables.get(t.ix())) {
            for block in [&t.own].into_iter().chain(&t.extra).filter(|b| takes_part(of, b.policy)) {
                for (n, row) in block.rows.iter().enumerate() {
                    let name = format!("{} row {}", t.name, n + 1);
                    self.dates(&row.dates, row.span, &name);
                    for (column, (test, (_, ty))) in row.tests.iter().zip(&t.params).enumerate() {
                        self.cell(test, ty, t.hit == Hit::Steps(column as u32), row.span, &name);
                    }
                }
            }
        }
    }

    fn dates(&mut self, range: &DateRange, span: Span, what: &str) {
        for (bound, end) in [(range.from, false), (range.before, true)] {
            if bound.is_some() {
                let which = if end { "last day" } else { "first day" };
                self.put(Mark::of_dates(range, end), format!("{which} of {what}"), span, BigRational::one());
            }
        }
    }

    fn cell(&mut self, test: &Test, ty: &Ty, threshold: bool, span: Span, what: &str) {
        let step = step(&self.book.typed.vocab, ty);
        match test {
            Test::Value(_) if threshold => {
                self.put(Mark::of_cell(test, false), format!("{what}, threshold"), span, step);
            }
            Test::Interval { low, high } => {
                for (bound, is_high, which) in [(low, false, "lower"), (high, true, "upper")] {
                    if bound.is_some() {
                        let text = format!("{what}, {which} bound");
                        self.put(Mark::of_cell(test, is_high), text, span, step.clone());
                    }
                }
            }
            Test::OneOf(tests) => tests.iter().for_each(|t| self.cell(t, ty, false, span, what)),
            Test::Value(_) | Test::Any | Test::Else | Test::Absent => {}
        }
    }

    fn expr(&mut self, e: &Expr) {
        let book = self.book.typed.clone();
        let printer = Printer { book: &book, decision: self.decision };
        visit::all(e, &mut |part| {
            let bounds: Vec<&Expr> = match &part.kind {
                ExprKind::Cmp(_, _, bound) => vec![bound],
                ExprKind::In(_, Membership::Interval { low, high, .. }) => vec![low, high],
                _ => return,
            };
            let several = bounds.len() > 1;
            for (i, bound) in bounds.into_iter().enumerate() {
                let end = match (several, i) {
                    (false, _) => "",
                    (true, 0) => ", lower bound",
                    (true, _) => ", upper bound",
                };
                let text = format!("{}{end}", printer.print(part));
                self.put(Mark::of_expr(bound), text, part.span, step(&book.vocab, &bound.ty));
            }
        });
    }
}
