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
    /// The outputs that fail with it.
    outputs: BTreeSet<OutputId>,
}

/// What a site belongs to: a rule, or an output's own guard or fallback.
#[derive(Clone, Copy)]
enum Owner<'p> {
    Rule(RuleId, &'p Rule),
    Output(OutputId, &'p OutputDef),
}

impl Owner<'_> {
    fn words(&self) -> String {
        match self {
            Owner::Rule(_, rule) => called(rule),
            Owner::Output(_, def) => def.name.clone(),
        }
    }
}

pub(super) fn check(decision: &mut Decision<'_>, found: &mut Vec<Diagnostic>) {
    let rules = decision.rules().into_iter().filter_map(|id| Some(Owner::Rule(id, decision.rule(id)?)));
    let outputs = (0..).zip(&decision.def.outputs).map(|(i, def)| Owner::Output(OutputId(i), def));
    let owners: Vec<Owner<'_>> = rules.chain(outputs).collect();
    let mut told: BTreeSet<(Span, String)> = BTreeSet::new();
    for owner in owners {
        for site in sites(decision, owner) {
            let key = (site.at.span, format!("{:?}", site.fault));
            if !told.contains(&key) && one(decision, owner, &site, found) {
                told.insert(key);
            }
        }
    }
}

/// Looks for facts for which one site fails; true if there are such.
fn one<'p>(
    decision: &mut Decision<'p>,
    owner: Owner<'p>,
    site: &Site<'p>,
    found: &mut Vec<Diagnostic>,
) -> bool {
    let of = decision.id;
    let rules: Vec<RuleId> = if let Owner::Rule(id, _) = owner { vec![id] } else { Vec::new() };
    let mut decided = true;
    for output in &site.outputs {
        let why = reason(&decision.book.typed, site);
        match decision
            .ask(&rules, |linked, at| Some(goal(linked, of, at.first().copied(), owner, *output, site)))
        {
            Verdict::Never => {}
            Verdict::NotDecided => decided = false,
            Verdict::Shown(shown) => {
                let facts = decision.say(&shown, |linked| {
                    let position =
                        rules.first().and_then(|id| linked.rules(of).iter().position(|l| l.rule == *id));
                    goal(linked, of, position, owner, *output, site)
                });
                let message = format!("with {facts}: {} has no value, for {why}", decision.output(*output));
                let mut diagnostic = Diagnostic::warning("W0614", site.at.span, message)
                    .help(remedy(&decision.book.typed, site));
                if let Owner::Rule(_, rule) = owner
                    && !within(site.at.span, rule)
                {
                    diagnostic = diagnostic.note(at(rule), format!("read by rule {}", called(rule)));
                }
                found.push(diagnostic);
                return true;
            }
        }
    }
    // Whether rows are missing is found out table by table.
    if !decided && !matches!(site.fault, Fault::NoRow(_)) {
        let why = reason(&decision.book.typed, site);
        decision.undecided.insert(format!("whether {} can fail, for {why}", owner.words()));
    }
    false
}

fn within(span: Span, rule: &Rule) -> bool {
    span.file == rule.span.file && span.start >= rule.span.start && span.end <= rule.span.end
}

/// Sites of one rule, beyond which no more are looked for.
const MOST_SITES: usize = 200;

fn sites<'p>(decision: &Decision<'p>, owner: Owner<'p>) -> Vec<Site<'p>> {
    let mut gather =
        Gather { book: &decision.book.typed, sites: Vec::new(), visits: 0, outputs: BTreeSet::new() };
    match owner {
        Owner::Rule(_, rule) => {
            gather.outputs = rule.effects.iter().map(|e| e.output).collect();
            rule.guard.iter().chain(&rule.when).for_each(|e| gather.visit(e, &[], true, None));
            for effect in &rule.effects {
                gather.outputs = BTreeSet::from([effect.output]);
                gather.visit(&effect.value, &[], false, None);
            }
        }
        Owner::Output(id, def) => {
            gather.outputs = BTreeSet::from([id]);
            def.guard.iter().for_each(|e| gather.visit(e, &[], true, None));
            if let Fallback::Else(e) = &def.fallback {
                gather.visit(e, &[], true, None);
            }
        }
    }
    gather.sites.retain(|site| may_fail(decision, site));
    gather.sites
}

struct Gather<'p> {
    book: &'p Rulebook,
    sites: Vec<Site<'p>>,
    visits: usize,
    /// The outputs that fail with what is visited.
    outputs: BTreeSet<OutputId>,
}

impl<'p> Gather<'p> {
    fn visit(
        &mut self,
        e: &'p Expr,
        given: &[(&'p Expr, bool)],
        in_condition: bool,
        // Within a loop: how much of what is given was said outside of it.
        loops: Option<usize>,
    ) {
        self.visits += 1;
        if self.sites.len() >= MOST_SITES || self.visits > 40 * MOST_SITES {
            return;
        }
        let with = |more: (&'p Expr, bool)| given.iter().copied().chain([more]).collect::<Vec<_>>();
        let fault = match &e.kind {
            ExprKind::Arith(ArithOp::Div, ..) => Some(Fault::DivisionByZero),
            ExprKind::Split { .. } | ExprKind::Share { .. } => Some(Fault::DivisionByZero),
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
            self.sites.push(Site {
                at: e,
                fault,
                given: given.to_vec(),
                in_condition,
                loops: loops.is_some(),
                outputs: self.outputs.clone(),
            });
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
                    // A let knows nothing of the loops that it is read in.
                    let outside = given.get(..loops.unwrap_or(given.len())).unwrap_or_default();
                    self.visit(&found.value, outside, in_condition, None);
                }
            }
            ExprKind::Comp { list, cond, body, .. } => {
                self.visit(list, given, in_condition, loops);
                let inside = Some(loops.unwrap_or(given.len()));
                cond.iter().chain(body).for_each(|e| self.visit(e, given, in_condition, inside));
            }
            ExprKind::Split { amount, list, weight, .. } | ExprKind::Share { amount, list, weight, .. } => {
                self.visit(amount, given, in_condition, loops);
                self.visit(list, given, in_condition, loops);
                self.visit(weight, given, in_condition, Some(loops.unwrap_or(given.len())));
            }
            _ => visit::children(e, &mut |c| self.visit(c, given, in_condition, loops)),
        }
    }
}

/// Whether a site may fail at all: no divisor that is one of certain numbers, no table that may be without a row.
fn may_fail<'p>(decision: &Decision<'p>, site: &Site<'p>) -> bool {
    match &site.at.kind {
        ExprKind::Arith(ArithOp::Div, _, divisor) => decision.searches.iter().any(|search| {
            // The expression is the same for all programs; params and tables may differ.
            search.reader.constants(divisor).is_none_or(|values| values.is_empty() || values.contains(&0))
        }),
        ExprKind::Lookup { table, .. } => {
            let table = decision.book.typed.tables.get(table.ix());
            table.is_some_and(|t| {
                !matches!(t.hit, Hit::Collect(Collect::Sum | Collect::All))
                    && !t.results.iter().all(|(_, ty)| ty.is_optional())
            })
        }
        _ => true,
    }
}

fn goal<'p>(
    linked: &'p Linked,
    of: DecisionId,
    position: Option<usize>,
    owner: Owner<'p>,
    output: OutputId,
    site: &Site<'p>,
) -> Goal<'p> {
    let mut goal = Goal::new(of);
    let (mut line, mut known) = (None, !site.loops);
    match owner {
        Owner::Rule(_, rule) => {
            if let (Some(position), false) = (position, site.in_condition) {
                goal = goal.effective(linked, position, output, 0);
            }
            if let Some(each) = &rule.for_each {
                line = each.root.map(|root| Line { root, index: 0, vars: vec![each.var] });
                known &= line.is_some();
            }
        }
        Owner::Output(_, def) => {
            line = def.per.map(|root| Line { root, index: 0, vars: def.var.into_iter().collect() });
        }
    }
    let faults = vec![site.fault.clone()];
    if known {
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
    goal.with(Part::OutputFaulty(output, faults))
}

fn is_split(site: &Site<'_>) -> bool {
    matches!(site.at.kind, ExprKind::Split { .. } | ExprKind::Share { .. })
}

fn reason(book: &Rulebook, site: &Site<'_>) -> String {
    match &site.fault {
        _ if is_split(site) => "what it is split by comes to zero".into(),
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

fn remedy(book: &Rulebook, site: &Site<'_>) -> String {
    match &site.fault {
        _ if is_split(site) => "say in the `when` that there is something to split by".into(),
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
