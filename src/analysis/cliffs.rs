//! Steps that run against their course: where a little more of a fact gives less, although it gives more on both sides.
//!
//! One number of a case's facts is moved at a time. Between two values at which an output does not lie on the line between
//! its neighbours the interval is halved until the two values are one step apart: there the output jumps.
use crate::analysis::contexts::{Context, Contexts, Path, Step, given, shown};
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;
use crate::lang::typed::*;
use crate::program::facts::{Facts, Slot, Tag};
use crate::program::literal::literal;
use crate::program::outcome::{Outcome, RowHit, State};
use crate::program::value::Value;
use crate::rulebook::Book;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// Decisions that the search for cliffs may make in one rulebook.
const BUDGET: u32 = 20_000;
/// Decisions for one fact of one case.
const PER_FACT: u32 = 160;
/// So many cases of a decision are tried, chosen so that different rules and rows decide.
const MOST_CASES: usize = 8;
/// An output that jumps so often is a remainder.
const REMAINDER: usize = 3;
/// Points of the first, coarse look.
const GRID: i64 = 20;
/// Outputs are compared as multiples of this part of 1.
const SCALE: i64 = 1_000_000;

/// What a rulebook's cases show.
pub(super) fn analyse(book: &Book, contexts: &Contexts<'_>) -> Vec<Diagnostic> {
    let mut budget = BUDGET;
    let mut seen: BTreeSet<Span> = BTreeSet::new();
    let mut found = Vec::new();
    for context in chosen(contexts) {
        for (path, ty) in numbers(&book.typed.vocab, context) {
            let Some(mut dial) = Dial::new(book, context, path, ty) else { continue };
            let allowed = budget.min(PER_FACT);
            dial.left = allowed;
            for cliff in dial.cliffs() {
                let finding = dial.told(&cliff);
                found.extend(finding.filter(|f| seen.insert(f.span)));
            }
            budget -= allowed - dial.left;
        }
    }
    found
}

/// Of each decision some contexts in which different rules or rows decide.
fn chosen<'c, 'b>(contexts: &'c Contexts<'b>) -> Vec<&'c Context<'b>> {
    type Signature = BTreeSet<(RuleId, Vec<RowHit>)>;
    let mut known: BTreeMap<DecisionId, Vec<Signature>> = BTreeMap::new();
    let mut chosen = Vec::new();
    for context in &contexts.all {
        let Some((_, outcome)) = context.decide(&context.facts) else { continue };
        let signature: Signature = outcome.because.iter().map(|b| (b.rule, b.rows.clone())).collect();
        let of = known.entry(context.decision).or_default();
        if of.len() < MOST_CASES && !signature.is_empty() && !of.contains(&signature) {
            of.push(signature);
            chosen.push(context);
        }
    }
    chosen
}

/// The numbers among the facts of a context: of lists those of the first element.
fn numbers(vocab: &Vocab, context: &Context<'_>) -> Vec<(Path, Ty)> {
    let mut all = Vec::new();
    for root in &vocab.roots {
        gather(vocab, context, vec![Step::Key(root.name.clone())], &root.ty, &mut all);
    }
    all
}

fn gather(vocab: &Vocab, context: &Context<'_>, path: Path, ty: &Ty, all: &mut Vec<(Path, Ty)>) {
    let Some(json) = given(&context.facts, &path) else { return };
    let below = |step: Step| path.iter().cloned().chain([step]).collect::<Path>();
    match ty.inner() {
        Ty::Int | Ty::Dec | Ty::Money | Ty::Unit(_) if json.is_string() || json.is_i64() => {
            all.push((path, ty.inner().clone()));
        }
        Ty::Entity(id) => {
            for field in vocab.entities.get(id.ix()).map(|e| e.fields.as_slice()).unwrap_or_default() {
                gather(vocab, context, below(Step::Key(field.name.clone())), &field.ty, all);
            }
        }
        Ty::List(of) => gather(vocab, context, below(Step::Index(0)), of, all),
        _ => {}
    }
}

/// One number of a context's facts that can be turned.
struct Dial<'c, 'b> {
    book: &'b Book,
    context: &'c Context<'b>,
    path: Path,
    ty: Ty,
    facts: Facts,
    /// Where its slot is: among the rows of lists, or not.
    at: (bool, usize),
    /// The bits of one step.
    unit: i64,
    start: i64,
    /// Decisions left.
    left: u32,
    known: BTreeMap<i64, Vec<Option<i64>>>,
}

/// An output that jumps against its course between `x` and `x + 1` steps.
struct Cliff {
    output: usize,
    x: i64,
    rises: bool,
}

impl<'c, 'b> Dial<'c, 'b> {
    /// Finds the slot by changing the fact by one step.
    fn new(book: &'b Book, context: &'c Context<'b>, path: Path, ty: Ty) -> Option<Dial<'c, 'b>> {
        let step = step(&book.typed.vocab, &ty)?;
        let start = number(given(&context.facts, &path)?)?;
        let steps = (&start / &step).to_integer().to_i64().filter(|n| (1..1 << 40).contains(n))?;
        let bind = |n: i64| -> Option<Facts> {
            let value = &step * BigRational::from_integer(n.into());
            let json = match ty {
                Ty::Int => json!(value.to_integer().to_i64()?),
                _ => json!(crate::program::literal::number(&value)),
            };
            Some(context.decide(&context.with(&[(path.clone(), json)])?)?.0)
        };
        let (facts, next) = (bind(steps)?, bind(steps + 1)?);
        let differ = |a: &[Slot], b: &[Slot]| -> Vec<usize> {
            a.iter().zip(b).enumerate().filter(|(_, (a, b))| a != b).map(|(i, _)| i).collect()
        };
        let at = match (
            differ(&facts.slots, &next.slots).as_slice(),
            differ(&facts.rows, &next.rows).as_slice(),
        ) {
            ([one], []) => (false, *one),
            ([], [one]) => (true, *one),
            _ => return None,
        };
        let slot = |f: &Facts| if at.0 { f.rows.get(at.1).copied() } else { f.slots.get(at.1).copied() };
        let (a, b) = (slot(&facts)?, slot(&next)?);
        let unit = b.bits.checked_sub(a.bits)?;
        let plain =
            a.tag == Tag::Value && b.tag == Tag::Value && unit > 0 && a.bits == unit.checked_mul(steps)?;
        plain.then_some(Dial {
            book,
            context,
            path,
            ty,
            facts,
            at,
            unit,
            start: steps,
            left: 0,
            known: BTreeMap::new(),
        })
    }

    fn outputs(&self) -> &'b [OutputDef] {
        let decision = self.book.typed.vocab.decisions.get(self.context.decision.ix());
        decision.map(|d| d.outputs.as_slice()).unwrap_or_default()
    }

    fn decide(&mut self, x: i64) -> Option<Outcome> {
        let bits = x.checked_mul(self.unit)?;
        let slot =
            if self.at.0 { self.facts.rows.get_mut(self.at.1) } else { self.facts.slots.get_mut(self.at.1) };
        slot?.bits = bits;
        Some(self.context.program.decide(self.context.decision, &self.facts))
    }

    /// The numbers of all outputs at so many steps.
    fn values(&mut self, x: i64) -> Option<Vec<Option<i64>>> {
        if let Some(known) = self.known.get(&x) {
            return Some(known.clone());
        }
        self.left = self.left.checked_sub(1)?;
        let outcome = self.decide(x)?;
        let of = |(def, state): (&OutputDef, &State)| if def.working { None } else { amount(state) };
        let values: Vec<Option<i64>> = self.outputs().iter().zip(&outcome.outputs).map(of).collect();
        self.known.insert(x, values.clone());
        Some(values)
    }

    fn value(&mut self, output: usize, x: i64) -> Option<i64> {
        self.values(x)?.get(output).copied().flatten()
    }

    /// Looks along the fact's values, from nothing to twice what it is.
    fn cliffs(&mut self) -> Vec<Cliff> {
        let reach = self.start.saturating_mul(2).max(GRID);
        let grid: Vec<i64> = (0..=GRID).map(|k| reach / GRID * k).collect();
        let mut found = Vec::new();
        for output in 0..self.outputs().len() {
            let numeric = self.outputs().get(output).is_some_and(|d| {
                !d.working && d.ty.inner().is_numeric() && !matches!(d.mode, Mode::All | Mode::Each)
            });
            if !numeric {
                continue;
            }
            let Some(rough) = self.roughness(output) else { continue };
            let mut own = Vec::new();
            for (a, b) in grid.iter().zip(grid.iter().skip(1)) {
                let mut jumps = Vec::new();
                self.jumps(output, *a, *b, rough, &mut jumps);
                for x in jumps {
                    own.extend(self.against(output, x, rough).map(|rises| Cliff { output, x, rises }));
                }
            }
            // What jumps again and again is a remainder, such as points carried over: that is its course.
            if own.len() < REMAINDER {
                found.extend(own);
            }
        }
        found
    }

    /// What rounding may make of an output of this type.
    fn roughness(&self, output: usize) -> Option<i64> {
        let ty = self.outputs().get(output)?.ty.inner().clone();
        let step = step(&self.book.typed.vocab, &ty)?;
        (step * BigRational::from_integer(SCALE.into())).to_integer().to_i64().map(|n| n.max(1))
    }

    /// Where an output jumps between two values of the fact.
    fn jumps(&mut self, output: usize, a: i64, b: i64, rough: i64, found: &mut Vec<i64>) {
        if b <= a {
            return;
        }
        let (Some(low), Some(high)) = (self.value(output, a), self.value(output, b)) else { return };
        if b - a == 1 {
            found.push(a);
            return;
        }
        let middle = a + (b - a) / 2;
        let Some(here) = self.value(output, middle) else { return };
        let line = i128::from(low) + i128::from(high - low) * i128::from(middle - a) / i128::from(b - a);
        // A small step against the line is seen on the finer side.
        if (i128::from(here) - line).unsigned_abs() > rough.unsigned_abs() as u128 * 3 / 2 {
            self.jumps(output, a, middle, rough, found);
            self.jumps(output, middle, b, rough, found);
        }
    }

    /// Whether the output jumps down where it rises on both sides (`Some(true)`), or up where it falls.
    fn against(&mut self, output: usize, x: i64, rough: i64) -> Option<bool> {
        let wide = (x / 20).max(1);
        let jump = self.value(output, x + 1)? - self.value(output, x)?;
        let before = self.value(output, x)? - self.value(output, (x - wide).max(0))?;
        let after = self.value(output, x + 1 + wide)? - self.value(output, x + 1)?;
        // What rounding to a coarser step makes of it is no cliff.
        let little = (self.value(output, x)?.abs() / 100).max(2 * rough);
        let rises = before > 0 && after > 0 && jump < -little;
        let falls = before < 0 && after < 0 && jump > little;
        (rises || falls).then_some(rises)
    }

    fn told(&mut self, cliff: &Cliff) -> Option<Diagnostic> {
        let vocab = &self.book.typed.vocab;
        let (low, high) = (self.decide(cliff.x)?, self.decide(cliff.x + 1)?);
        // The reference walk is the judge.
        let judge = |facts: &Facts| self.context.program.decide_by_walk(self.context.decision, facts);
        if judge(&self.facts) != high {
            return None;
        }
        let def = self.outputs().get(cliff.output)?;
        let shown_output = |o: &Outcome| {
            let state = o.outputs.get(cliff.output)?;
            Some(literal(vocab, &def.ty, &single(state)?))
        };
        let (before, after) = (shown_output(&low)?, shown_output(&high)?);
        let fact = |x: i64| {
            let step = step(vocab, &self.ty)?;
            let n = step * BigRational::from_integer(x.into());
            let value = match &self.ty {
                Ty::Money => Value::Money(n, CurrencyId(0)),
                _ => Value::Num(n),
            };
            Some(literal(vocab, &self.ty, &value))
        };
        let path = shown(&self.path);
        let course = if cliff.rises { "rises" } else { "falls" };
        let message = format!(
            "a cliff in `{}`: at {path} = {} it is {before}, at {} {after}, although it {course} on both sides (in {})",
            def.name,
            fact(cliff.x)?,
            fact(cliff.x + 1)?,
            self.context.name,
        );
        let (place, other) = self.places(&low, &high, OutputId(cliff.output as u32))?;
        let found = Diagnostic::warning("W0618", place, message).help(
            "if the rulebook means it, say so: `accepts W0618 \"why\"`; otherwise let the two sides meet",
        );
        Some(match other {
            Some(other) => found.note(other, "on the other side"),
            None => found,
        })
    }

    /// The rows, or else the rules, that decide on one side only.
    fn places(&self, low: &Outcome, high: &Outcome, output: OutputId) -> Option<(Span, Option<Span>)> {
        let rows =
            |o: &Outcome| -> BTreeSet<RowHit> { o.because.iter().flat_map(|b| b.rows.clone()).collect() };
        let rules = |o: &Outcome| -> BTreeSet<RuleId> {
            o.because.iter().filter(|b| b.outputs.contains(&output)).map(|b| b.rule).collect()
        };
        let book = &self.book.typed;
        let row_span = |hit: &RowHit| {
            let table = book.tables.get(hit.table.ix())?;
            let block = match hit.block.checked_sub(1) {
                None => &table.own,
                Some(extra) => table.extra.get(extra as usize)?,
            };
            Some(block.rows.get(hit.row as usize)?.span)
        };
        let rule_span = |rule: &RuleId| book.rules.get(rule.ix()).map(|r| r.span);
        let (low_rows, high_rows) = (rows(low), rows(high));
        let (low_rules, high_rules) = (rules(low), rules(high));
        let mut only_high: Vec<Span> = high_rows.difference(&low_rows).filter_map(row_span).collect();
        let mut only_low: Vec<Span> = low_rows.difference(&high_rows).filter_map(row_span).collect();
        if only_high.is_empty() && only_low.is_empty() {
            only_high = high_rules.difference(&low_rules).filter_map(rule_span).collect();
            only_low = low_rules.difference(&high_rules).filter_map(rule_span).collect();
        }
        let all = only_high.into_iter().chain(only_low).chain(high_rules.iter().filter_map(rule_span));
        let mut all = all.collect::<Vec<_>>().into_iter();
        let place = all.next()?;
        let other = all.next().filter(|o| *o != place);
        Some((place, other))
    }
}

/// The smallest amount of a numeric type; decimals are moved by hundredths.
fn step(vocab: &Vocab, ty: &Ty) -> Option<BigRational> {
    match ty.inner() {
        Ty::Int => Some(BigRational::from_integer(1.into())),
        Ty::Dec => Some(BigRational::new(1.into(), BigInt::from(100))),
        Ty::Money => vocab.currencies.first().map(|c| c.step.clone()),
        Ty::Unit(u) => vocab.units.get(u.ix()).map(|u| u.step.clone()),
        _ => None,
    }
}

/// A number as facts give it.
fn number(json: &Json) -> Option<BigRational> {
    if let Some(n) = json.as_i64() {
        return Some(BigRational::from_integer(n.into()));
    }
    let (whole, part) = json.as_str()?.split_once('.').unwrap_or((json.as_str()?, ""));
    let digits: BigInt = format!("{whole}{part}").parse().ok()?;
    Some(BigRational::new(digits, BigInt::from(10).pow(u32::try_from(part.len()).ok()?)))
}

/// The value of an output; of a line's output the first line's.
fn single(state: &State) -> Option<Value> {
    match state {
        State::Value(Value::List(all)) => all.first().cloned(),
        State::Value(value) => Some(value.clone()),
        _ => None,
    }
}

fn amount(state: &State) -> Option<i64> {
    match single(state)? {
        Value::Num(n) | Value::Money(n, _) => {
            (n * BigRational::from_integer(SCALE.into())).round().to_integer().to_i64()
        }
        _ => None,
    }
}
