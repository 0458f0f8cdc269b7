//! Cases that would show what no case shows: idle rules and rows, and the sides of bounds. Each is like a case that there
//! is, with one or two facts changed.
use crate::cases::bounds::{Bound, Bounds, Ready, Side, gap, target};
use crate::cases::propose::{Proposal, expectation, setting};
use crate::cases::reach::{Reach, step};
use crate::cases::vary::Var;
use crate::cases::{CaseResult, Coverage};
use crate::lang::typed::*;
use crate::program::explain::print::Printer;
use crate::program::outcome::{Outcome, RowHit, State};
use crate::program::walk::Mark;
use crate::rulebook::Book;
use crate::rulebook::stated::Stated;
use num_rational::BigRational;
use num_traits::{Signed, Zero};
use std::collections::{BTreeMap, BTreeSet};

/// How many facts are tried for idle rules and rows, and how many for each side of a bound.
const TRIES: usize = 20_000;
const TRIES_OF_BOUND: usize = 500;

/// What would complete the cases.
#[derive(Debug)]
pub struct Missing {
    pub coverage: Coverage,
    pub bounds: Bounds,
    /// Bounds covered on both sides before the proposals.
    pub covered_bounds: usize,
    pub proposals: Vec<Proposal>,
    /// Rules and rows that the proposals do not show either.
    pub idle_rules: usize,
    pub idle_rows: usize,
    /// What no case was found for.
    pub not_found: Vec<String>,
}

/// Looks for cases that would show what the given results do not.
pub fn missing(book: &Book, results: &[CaseResult]) -> Missing {
    let mut bounds = Bounds::of(book);
    bounds.add_cases(book);
    let covered_bounds = bounds.covered();
    let mut search = Search::new(book, bounds, results);
    search.rules_and_rows();
    search.sides();
    Missing {
        coverage: Coverage::of(book, results),
        bounds: search.bounds,
        covered_bounds,
        proposals: search.proposals,
        idle_rules: search.left.0,
        idle_rows: search.left.1,
        not_found: search.not_found,
    }
}

/// A case to start from.
struct Base<'b> {
    case: &'b Case,
    facts: Stated,
    vars: Vec<Var>,
}

struct Search<'b> {
    book: &'b Book,
    bounds: Bounds,
    bases: Vec<Base<'b>>,
    reach: BTreeMap<DecisionId, Reach>,
    idle_rules: BTreeMap<RuleId, String>,
    idle_rows: BTreeMap<RowHit, String>,
    proposals: Vec<Proposal>,
    /// How many rules, and how many rows, nothing was found for.
    left: (usize, usize),
    not_found: Vec<String>,
}

impl<'b> Search<'b> {
    fn new(book: &'b Book, bounds: Bounds, results: &[CaseResult]) -> Search<'b> {
        let vocab = &book.typed.vocab;
        let mut reach: BTreeMap<DecisionId, Reach> = BTreeMap::new();
        let bases = book.cases.iter().map(|case| {
            let reach = reach.entry(case.decision).or_insert_with(|| Reach::of(&book.typed, case.decision));
            let facts = Stated::of(vocab, case);
            let mut vars = Var::all(vocab, case.decision, reach, &facts);
            // A case reads best if the sale stays and the day of asking moves.
            let governing = governing(book, case.decision);
            vars.sort_by_key(|v| governing.contains(&v.path));
            Base { case, facts, vars }
        });
        let bases = bases.collect();
        let (idle_rules, idle_rows) = Coverage::idle(book, results);
        Search {
            book,
            bounds,
            bases,
            reach,
            idle_rules,
            idle_rows,
            proposals: Vec::new(),
            left: (0, 0),
            not_found: Vec::new(),
        }
    }

    fn ready(&self, base: &Base<'_>, facts: &Stated) -> Option<Ready<'b>> {
        Ready::new(self.book, &base.case.store, base.case.decision, facts)
    }

    fn moved(&self, base: &Base<'_>, var: &Var, facts: &Stated) -> Vec<Stated> {
        let vocab = &self.book.typed.vocab;
        let Some(reach) = self.reach.get(&base.case.decision) else { return Vec::new() };
        let now = facts.get(&var.place);
        let values = var.values(vocab, &reach.pools, facts).into_iter().filter(|v| Some(v) != now);
        values.map(|v| facts.with(vocab, &var.place, v)).collect()
    }

    /// One fact changed, then two.
    fn rules_and_rows(&mut self) {
        let mut tries = 0;
        for pairs in [false, true] {
            for b in 0..self.bases.len() {
                let count = self.bases.get(b).map_or(0, |base| base.vars.len());
                for v in 0..count {
                    let seconds: Vec<Option<usize>> =
                        if pairs { (v + 1..count).map(Some).collect() } else { vec![None] };
                    for w in seconds {
                        if tries >= TRIES || (self.idle_rules.is_empty() && self.idle_rows.is_empty()) {
                            return self.give_up_rules();
                        }
                        tries += self.try_changing(b, v, w);
                    }
                }
            }
        }
        self.give_up_rules();
    }

    fn give_up_rules(&mut self) {
        self.left = (self.idle_rules.len(), self.idle_rows.len());
        let rules = std::mem::take(&mut self.idle_rules).into_values().map(|r| format!("rule {r}"));
        let rows = std::mem::take(&mut self.idle_rows).into_values().map(|r| format!("row {r}"));
        self.not_found.extend(rules.chain(rows));
    }

    /// How many facts it looked at.
    fn try_changing(&mut self, b: usize, v: usize, w: Option<usize>) -> usize {
        let mut found: Vec<(Stated, Outcome)> = Vec::new();
        let mut tries = 0;
        {
            let Some(base) = self.bases.get(b) else { return 0 };
            let Some(var) = base.vars.get(v) else { return 0 };
            let (mut rules, mut rows) = (BTreeSet::new(), BTreeSet::new());
            for first in self.moved(base, var, &base.facts) {
                let all = match w.and_then(|w| base.vars.get(w)) {
                    Some(second) => self.moved(base, second, &first),
                    None => vec![first],
                };
                for facts in all {
                    tries += 1;
                    let Some(ready) = self.ready(base, &facts) else { continue };
                    let outcome = ready.decide();
                    let mut new = false;
                    for (rule, hit) in shown(&outcome) {
                        new |= rule.is_some_and(|r| self.idle_rules.contains_key(&r) && rules.insert(r));
                        new |= hit.is_some_and(|h| self.idle_rows.contains_key(&h) && rows.insert(h));
                    }
                    if new {
                        found.push((facts, outcome));
                    }
                }
            }
        }
        for (facts, outcome) in found {
            self.propose_for_rules(b, &facts, &outcome);
        }
        tries
    }

    fn propose_for_rules(&mut self, b: usize, facts: &Stated, outcome: &Outcome) {
        let mut shows = Vec::new();
        let mut about = None;
        for (rule, hit) in shown(outcome) {
            if let Some(name) = rule.and_then(|r| self.idle_rules.remove(&r)) {
                shows.push(format!("rule {name}"));
                about = about.or(rule);
            }
            if let Some(name) = hit.and_then(|h| self.idle_rows.remove(&h)) {
                shows.push(format!("row {name}"));
            }
        }
        // What the proposal shows was not shown before by one that came first.
        if shows.is_empty() {
            return;
        }
        let outputs: BTreeSet<OutputId> = match about {
            Some(rule) => {
                let of = outcome.because.iter().filter(|b| b.rule == rule).flat_map(|b| &b.outputs);
                of.copied().collect()
            }
            None => outcome
                .because
                .iter()
                .filter(|b| !b.rows.is_empty())
                .flat_map(|b| &b.outputs)
                .copied()
                .collect(),
        };
        self.propose(b, facts, outcome, shows, outputs, about);
    }

    fn propose(
        &mut self,
        b: usize,
        facts: &Stated,
        outcome: &Outcome,
        shows: Vec<String>,
        mut outputs: BTreeSet<OutputId>,
        about: Option<RuleId>,
    ) {
        let Some(base) = self.bases.get(b) else { return };
        let vocab = &self.book.typed.vocab;
        let defs =
            vocab.decisions.get(outcome.decision.ix()).map(|d| d.outputs.as_slice()).unwrap_or_default();
        // The first output is what people ask about; a few tell enough.
        outputs.insert(OutputId(0));
        outputs.retain(|o| defs.get(o.ix()).is_some_and(|d| !d.working));
        const FEW: usize = 3;
        let outputs: BTreeSet<OutputId> = outputs.into_iter().take(FEW).collect();
        let changed = base.vars.iter().filter(|v| facts.get(&v.place) != base.facts.get(&v.place));
        let given: Vec<String> = changed.filter_map(|v| setting(vocab, v, facts)).collect();
        let mut given: Vec<String> = given;
        given.dedup();
        let Some(today) = expectation(self.book, outcome, &outputs, about) else { return };
        const SHORT: usize = 60;
        let changes = given.join(", ");
        let what = if changes.chars().count() <= SHORT { changes } else { shows.join(", ") };
        let name = format!("{}: {what}", base.case.name);
        if given.is_empty() || self.proposals.iter().any(|p| p.name == name) {
            return;
        }
        let like = base.case.name.clone();
        if let Some(ready) = self.ready(base, facts) {
            self.bounds.add(&ready);
        }
        self.proposals.push(Proposal { shows, name, like, given, today });
    }

    fn sides(&mut self) {
        for (bound, side) in self.bounds.open() {
            // An earlier proposal may show it by now.
            if !self.bounds.open().iter().any(|(b, s)| (b.mark, *s) == (bound.mark, side)) {
                continue;
            }
            let shows = format!(
                "{}, {}",
                bound.text,
                if side { "where it just holds" } else { "where it just fails" }
            );
            match self.find_side(&bound, side) {
                Some((b, facts)) => {
                    let found = self.bases.get(b).and_then(|base| self.ready(base, &facts));
                    let Some(ready) = found else { continue };
                    let outcome = ready.decide();
                    let turned = ready.watch(Some(bound.mark)).0;
                    let pairs = outcome.outputs.iter().zip(&turned.outputs).enumerate();
                    let outputs = pairs.filter(|(_, (a, b))| a != b).map(|(i, _)| OutputId(i as u32));
                    self.propose(b, &facts, &outcome, vec![shows], outputs.collect(), None);
                }
                None => self.not_found.push(shows),
            }
        }
    }

    fn find_side(&self, bound: &Bound, side: Side) -> Option<(usize, Stated)> {
        let mut tries = 0;
        // Where the bound decides already, only the distance is to be changed; then where it is met at all; then anywhere.
        let mut order: Vec<(u8, BigRational, usize)> = Vec::new();
        for (b, base) in self.bases.iter().enumerate() {
            let Some(ready) = self.ready(base, &base.facts) else { continue };
            let (outcome, seen) = ready.watch(None);
            let gaps = seen.iter().filter(|s| s.mark == bound.mark).filter_map(gap);
            let least = gaps.map(|g| g.abs()).min();
            let class = match &least {
                Some(_) if ready.watch(Some(bound.mark)).0 != outcome => 0,
                Some(_) => 1,
                None if base.case.decision == bound.decision => 2,
                None => continue,
            };
            order.push((class, least.unwrap_or_else(BigRational::zero), b));
        }
        order.sort();
        for (_, _, b) in &order {
            let base = self.bases.get(*b)?;
            if let Some(facts) = self.solved(base, &base.facts, bound, side, &mut tries) {
                return Some((*b, facts));
            }
            if tries > TRIES_OF_BOUND / 2 {
                break;
            }
        }
        for (_, _, b) in &order {
            let base = self.bases.get(*b)?;
            for var in base.vars.iter().filter(|v| closed(&v.ty)) {
                for first in self.moved(base, var, &base.facts) {
                    if tries > TRIES_OF_BOUND {
                        return None;
                    }
                    if let Some(facts) = self.solved(base, &first, bound, side, &mut tries) {
                        return Some((*b, facts));
                    }
                }
            }
        }
        None
    }

    /// The facts with one of them moved so that the bound is just met on that side; or as they are, if it is.
    fn solved(
        &self,
        base: &Base<'_>,
        facts: &Stated,
        bound: &Bound,
        side: Side,
        tries: &mut usize,
    ) -> Option<Stated> {
        let here = self.distance(base, facts, bound.mark, tries)?;
        let shows = |facts: &Stated| self.ready(base, facts).is_some_and(|r| r.shows(bound, side));
        if *facts != base.facts && shows(facts) {
            return Some(facts.clone());
        }
        let vocab = &self.book.typed.vocab;
        for var in base.vars.iter().filter(|v| !closed(&v.ty)) {
            let Some((now, step)) = facts.get(&var.place).and_then(|g| number(vocab, &var.ty, g)) else {
                continue;
            };
            let at = |n: &BigRational| {
                let value = with_number(facts.get(&var.place)?, n)?;
                Some(facts.with(vocab, &var.place, value))
            };
            let Some(beside) = at(&(&now + &step)) else { continue };
            let Some((_, next)) = self.distance(base, &beside, bound.mark, tries) else { continue };
            let slope = (next - &here.1) / &step;
            if slope.is_zero() {
                continue;
            }
            let want = target(here.0, side, &bound.step);
            let (mut n, mut gap) = (now, here.1.clone());
            // Months and roundings bend the line: a few steps more may be needed.
            for _ in 0..3 {
                n = ((&n + (&want - &gap) / &slope) / &step).round() * &step;
                let Some(moved) = at(&n) else { break };
                if shows(&moved) {
                    return Some(moved);
                }
                match self.distance(base, &moved, bound.mark, tries) {
                    Some((_, g)) if g != gap => gap = g,
                    _ => break,
                }
            }
        }
        None
    }

    /// How far from the bound the facts stand, and by which comparison.
    fn distance(
        &self,
        base: &Base<'_>,
        facts: &Stated,
        mark: Mark,
        tries: &mut usize,
    ) -> Option<(CmpOp, BigRational)> {
        *tries += 1;
        let (_, seen) = self.ready(base, facts)?.watch(None);
        seen.iter().find(|s| s.mark == mark).and_then(|s| Some((s.op, gap(s)?)))
    }
}

/// The dates that govern the policies of a decision, but today.
fn governing(book: &Book, decision: DecisionId) -> BTreeSet<String> {
    let printer = Printer { book: &book.typed, decision };
    let policies = book.typed.policies.iter().filter(|p| p.decides == Some(decision));
    let dates = policies.filter_map(|p| p.governed_by.as_ref()).map(|e| printer.print(e));
    dates.filter(|path| path != "today").collect()
}

/// The rules and rows that an outcome shows at work.
fn shown(outcome: &Outcome) -> Vec<(Option<RuleId>, Option<RowHit>)> {
    let because = outcome.because.iter();
    let rules = because.clone().map(|b| (Some(b.rule), None));
    let rows = because.flat_map(|b| &b.rows).map(|r| (None, Some(*r)));
    let by_rulebook =
        |o: &OutputId| matches!(outcome.outputs.get(o.ix()), Some(State::Undecided(_) | State::Conflict(_)));
    let open = || outcome.open.iter().filter(|o| by_rulebook(&o.output));
    let questioned = open().flat_map(|o| &o.rules).map(|r| (Some(*r), None));
    let asked = open().flat_map(|o| &o.rows).map(|r| (None, Some(*r)));
    rules.chain(rows).chain(questioned).chain(asked).collect()
}

/// Whether a type has members rather than an order of amounts.
fn closed(ty: &Ty) -> bool {
    !matches!(ty.inner(), Ty::Date | Ty::Money | Ty::Int | Ty::Dec | Ty::Unit(_))
}

fn number(vocab: &Vocab, ty: &Ty, given: &Given) -> Option<(BigRational, BigRational)> {
    match given {
        Given::Value(Const::Num(n) | Const::Money(n, _)) => Some((n.clone(), step(vocab, ty))),
        Given::Value(Const::Date(d)) => {
            Some((BigRational::from_integer((*d).into()), BigRational::from_integer(1.into())))
        }
        _ => None,
    }
}

fn with_number(like: &Given, n: &BigRational) -> Option<Given> {
    Some(Given::Value(match like {
        Given::Value(Const::Money(_, c)) => Const::Money(n.clone(), *c),
        Given::Value(Const::Date(_)) => Const::Date(i32::try_from(n.to_integer()).ok()?),
        _ => Const::Num(n.clone()),
    }))
}
