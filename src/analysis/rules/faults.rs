//! Outputs that have no value for some facts: no row fits, a division by zero, the least of nothing, no value of a param.
use crate::analysis::goal::{Goal, Line, Part};
use crate::analysis::rules::{Decision, Verdict, at, called};
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;
use crate::lang::typed::*;
use crate::program::link::Linked;
use crate::program::outcome::Fault;
use std::collections::BTreeSet;

/// A place where a value may be missing.
#[derive(Clone)]
struct Site<'p> {
    at: &'p Expr,
    fault: Fault,
    /// What holds (or does not) wherever it is evaluated.
    given: Vec<(&'p Expr, bool)>,
    /// Whether it stands in the condition, which is evaluated for every element.
    in_condition: bool,
    /// Within a loop its element is not known from outside.
    loops: bool,
}

pub(super) fn check(decision: &mut Decision<'_>, found: &mut Vec<Diagnostic>) {
    let mut told: BTreeSet<(Span, String)> = BTreeSet::new();
    for id in decision.rules() {
        let Some(rule) = decision.rule(id) else { continue };
        for site in sites(decision, rule) {
            let key = (site.at.span, format!("{:?}", site.fault));
            if told.contains(&key) {
                continue;
            }
            let outputs: BTreeSet<OutputId> = rule.effects.iter().map(|e| e.output).collect();
            let mut decided = true;
            for output in outputs {
                if decision.def.outputs.get(output.ix()).is_none_or(|o| o.working) {
                    continue;
                }
                let of = decision.id;
                match decision.ask(&[id], |linked, at| goal(linked, of, *at.first()?, rule, output, &site)) {
                    Verdict::Never => {}
                    Verdict::NotDecided => decided = false,
                    Verdict::Shown(shown) => {
                        told.insert(key.clone());
                        let facts = decision.say(&shown, |linked| {
                            let position = linked.rules(of).iter().position(|l| l.rule == id);
                            let position = position.unwrap_or_default();
                            goal(linked, of, position, rule, output, &site).unwrap_or_else(|| Goal::new(of))
                        });
                        let name = decision.output(output);
                        let why = reason(&decision.book.typed, &site.fault);
                        let message = format!("with {facts}: {name} has no value, for {why}");
                        let mut diagnostic = Diagnostic::warning("W0614", site.at.span, message)
                            .help(remedy(&decision.book.typed, &site.fault));
                        if !within(site.at.span, rule) {
                            diagnostic = diagnostic.note(at(rule), format!("read by rule {}", called(rule)));
                        }
                        found.push(diagnostic);
                        break;
                    }
                }
            }
            // Whether rows are missing is found out table by table.
            if !decided && !told.contains(&key) && !matches!(site.fault, Fault::NoRow(_)) {
                let why = reason(&decision.book.typed, &site.fault);
                decision.undecided.insert(format!("whether {} can fail, for {why}", called(rule)));
            }
        }
    }
}

fn within(span: Span, rule: &Rule) -> bool {
    span.file == rule.span.file && span.start >= rule.span.start && span.end <= rule.span.end
}

/// Sites of one rule, beyond which no more are looked for.
const MOST_SITES: usize = 200;

fn sites<'p>(decision: &Decision<'p>, rule: &'p Rule) -> Vec<Site<'p>> {
    let mut gather = Gather { book: &decision.book.typed, sites: Vec::new(), visits: 0 };
    rule.guard.iter().chain(&rule.when).for_each(|e| gather.visit(e, &[], true, false));
    rule.effects.iter().for_each(|e| gather.visit(&e.value, &[], false, false));
    gather.sites
}

struct Gather<'p> {
    book: &'p Rulebook,
    sites: Vec<Site<'p>>,
    visits: usize,
}

impl<'p> Gather<'p> {
    fn visit(&mut self, e: &'p Expr, given: &[(&'p Expr, bool)], in_condition: bool, loops: bool) {
        self.visits += 1;
        if self.sites.len() >= MOST_SITES || self.visits > 40 * MOST_SITES {
            return;
        }
        let with = |more: (&'p Expr, bool)| given.iter().copied().chain([more]).collect::<Vec<_>>();
        let fault = match &e.kind {
            ExprKind::Arith(ArithOp::Div, _, b) if !is_nonzero(b) => Some(Fault::DivisionByZero),
            ExprKind::Lookup { table, .. } => Some(Fault::NoRow(*table)),
            ExprKind::Comp { kind: CompKind::Min | CompKind::Max, .. } => Some(Fault::EmptyExtreme),
            ExprKind::Param(id) => self.book.params.get(id.ix()).and_then(|param| {
                let policy = self.book.policies.get(param.policy.ix()).map_or("", |p| p.path.as_str());
                let dated = param.values.iter().all(|v| !v.dates.is_always());
                dated.then(|| Fault::NoParamValue(format!("{policy}.{}", param.name)))
            }),
            _ => None,
        };
        if let Some(fault) = fault {
            self.sites.push(Site { at: e, fault, given: given.to_vec(), in_condition, loops });
        }
        match &e.kind {
            // What stands to the right is evaluated where the left does not decide.
            ExprKind::And(a, b) | ExprKind::Or(a, b) => {
                self.visit(a, given, in_condition, loops);
                let left = matches!(e.kind, ExprKind::And(..));
                self.visit(b, &with((a, left)), in_condition, loops);
            }
            ExprKind::If(c, a, b) => {
                self.visit(c, given, in_condition, loops);
                self.visit(a, &with((c, true)), in_condition, loops);
                self.visit(b, &with((c, false)), in_condition, loops);
            }
            ExprKind::Let(id) => {
                if let Some(found) = self.book.lets.get(id.ix()) {
                    self.visit(&found.value, given, in_condition, loops);
                }
            }
            ExprKind::Comp { list, cond, body, .. } => {
                self.visit(list, given, in_condition, loops);
                cond.iter().chain(body).for_each(|e| self.visit(e, given, in_condition, true));
            }
            ExprKind::Split { amount, list, weight, .. } | ExprKind::Share { amount, list, weight, .. } => {
                self.visit(amount, given, in_condition, loops);
                self.visit(list, given, in_condition, loops);
                self.visit(weight, given, in_condition, true);
            }
            _ => visit::children(e, &mut |c| self.visit(c, given, in_condition, loops)),
        }
    }
}

fn is_nonzero(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Const(Const::Num(n) | Const::Money(n, _)) => *n != num_rational::BigRational::default(),
        ExprKind::Const(Const::Period(Period::Days(n) | Period::Months(n))) => *n != 0,
        ExprKind::Const(_) => true,
        ExprKind::Widen(x) => is_nonzero(x),
        _ => false,
    }
}

fn goal<'p>(
    linked: &'p Linked,
    of: DecisionId,
    position: usize,
    rule: &'p Rule,
    output: OutputId,
    site: &Site<'p>,
) -> Option<Goal<'p>> {
    let mut goal = Goal::new(of);
    if !site.in_condition {
        goal = goal.effective(linked, position, output, 0);
    }
    let faults = vec![site.fault.clone()];
    let line = match &rule.for_each {
        Some(each) => each.root.map(|root| Line { root, index: 0, vars: vec![each.var] }),
        None => None,
    };
    if !site.loops && (line.is_some() || rule.for_each.is_none()) {
        if let Some(line) = &line {
            goal = goal.with(Part::Lines(line.root, 1));
        }
        for (e, wanted) in &site.given {
            goal = goal.holds(linked, e, *wanted, line.clone());
        }
        goal = match &site.at.kind {
            ExprKind::Arith(_, _, divisor) => goal.with(Part::Zero(divisor, line)),
            ExprKind::Comp { list, cond: None, .. } => goal.with(Part::Empty(list, line)),
            _ => goal.with(Part::Faulty(site.at, line, faults.clone())),
        };
    }
    Some(goal.with(Part::OutputFaulty(output, faults)))
}

fn reason(book: &Rulebook, fault: &Fault) -> String {
    match fault {
        Fault::DivisionByZero => "it is divided by zero".into(),
        Fault::EmptyExtreme => "the least or greatest of nothing is asked".into(),
        Fault::NoRow(table) => {
            let name = book.tables.get(table.ix()).map_or("", |t| t.name.as_str());
            format!("no row of table {name} fits")
        }
        Fault::NoParamValue(name) => format!("param {name} has no value on that date"),
        other => format!("{other:?}"),
    }
}

fn remedy(book: &Rulebook, fault: &Fault) -> String {
    match fault {
        Fault::DivisionByZero => {
            "say in the `when` that what it is divided by is not zero, or write what holds then: `if … is 0 then … else …`"
                .into()
        }
        Fault::EmptyExtreme => "ask first whether there are any: `if count(…) > 0 then … else …`".into(),
        Fault::NoRow(table) => {
            let name = book.tables.get(table.ix()).map_or("", |t| t.name.as_str());
            format!("add a row for these facts to table {name}, or an `else` row")
        }
        _ => "give the param a value for every date, or say from when the rule holds".into(),
    }
}
