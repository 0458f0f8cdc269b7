//! Outputs that have no value for some facts: no row fits, a division by zero, the least of nothing, no value of a param.
use crate::analysis::goal::{Goal, Line, Part};
use crate::analysis::rules::{Decision, Verdict, at, called, with_lets};
use crate::lang::diagnostic::Diagnostic;
use crate::lang::typed::*;
use crate::program::link::Linked;
use crate::program::outcome::Fault;
use std::collections::BTreeSet;

/// A place where a value may be missing.
struct Site<'p> {
    at: &'p Expr,
    fault: Fault,
    /// Whether it stands in the condition, which is evaluated for every element.
    in_condition: bool,
    /// Within a loop its element is not known from outside.
    loops: bool,
}

pub(super) fn check(decision: &mut Decision<'_>, found: &mut Vec<Diagnostic>) {
    let mut told: BTreeSet<(crate::lang::source::Span, String)> = BTreeSet::new();
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
                        if !within(site.at, rule) {
                            diagnostic = diagnostic.note(at(rule), format!("read by rule {}", called(rule)));
                        }
                        found.push(diagnostic);
                        break;
                    }
                }
            }
            if !decided && !told.contains(&key) {
                let why = reason(&decision.book.typed, &site.fault);
                decision.undecided.insert(format!("whether {} can fail, for {why}", called(rule)));
            }
        }
    }
}

fn within(e: &Expr, rule: &Rule) -> bool {
    e.span.file == rule.span.file && e.span.start >= rule.span.start && e.span.end <= rule.span.end
}

fn sites<'p>(decision: &Decision<'p>, rule: &'p Rule) -> Vec<Site<'p>> {
    let book: &'p Rulebook = &decision.book.typed;
    let mut sites: Vec<Site<'p>> = Vec::new();
    let mut gather = |start: &'p Expr, in_condition: bool| {
        let mut in_loops: BTreeSet<*const Expr> = BTreeSet::new();
        with_lets(book, start, &mut |e| {
            if matches!(e.kind, ExprKind::Comp { .. } | ExprKind::Split { .. } | ExprKind::Share { .. }) {
                visit::children(e, &mut |c| {
                    visit::all(c, &mut |inner| {
                        in_loops.insert(std::ptr::from_ref(inner));
                    });
                });
            }
            let fault = match &e.kind {
                ExprKind::Arith(ArithOp::Div, _, b) if !is_nonzero(b) => Fault::DivisionByZero,
                ExprKind::Lookup { table, .. } => Fault::NoRow(*table),
                ExprKind::Comp { kind: CompKind::Min | CompKind::Max, .. } => Fault::EmptyExtreme,
                ExprKind::Param(id) => match book.params.get(id.ix()) {
                    Some(param) if param.values.iter().all(|v| !v.dates.is_always()) => {
                        let policy = book.policies.get(param.policy.ix()).map_or("", |p| p.path.as_str());
                        Fault::NoParamValue(format!("{policy}.{}", param.name))
                    }
                    _ => return,
                },
                _ => return,
            };
            let loops = in_loops.contains(&std::ptr::from_ref(e));
            sites.push(Site { at: e, fault, in_condition, loops });
        });
    };
    rule.guard.iter().chain(&rule.when).for_each(|e| gather(e, true));
    rule.effects.iter().for_each(|e| gather(&e.value, false));
    sites
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
        goal = goal.with(Part::Faulty(site.at, line, faults.clone()));
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
