//! What facts are sought for: parts that are all to hold.
use crate::analysis::space::Space;
use crate::analysis::space::reads::{Node, Reader, Reads};
use crate::lang::typed::*;
use crate::program::facts::Facts;
use crate::program::link::Linked;
use crate::program::outcome::{Conflict, Fault, State};
use crate::program::value::Value;
use crate::program::walk::{Eval, Missing, Seen, V, Walk, watch, with_walk};
use num_traits::Zero;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Whether something holds, whatever the facts that are not chosen yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    True,
    False,
    Open,
}

/// One element of a rule's top-level list, and the names that the rule has for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub root: RootId,
    pub index: usize,
    pub vars: Vec<VarId>,
}

/// An effect of a rule, by the rule's position among the decision's and the effect's number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectOf {
    pub position: usize,
    pub effect: usize,
    /// Which element of the rule's `for each`.
    pub instance: usize,
}

/// A part of a goal.
#[derive(Clone, Debug)]
pub enum Part<'p> {
    /// An expression is (or is not) true.
    Is(&'p Expr, bool, Option<Line>),
    /// A policy's dates hold its governing date.
    Dated(PolicyId),
    /// A rule's own dates do.
    RuleDated(RuleId),
    /// A list has so many elements.
    Lines(RootId, usize),
    /// A rule applies to an element of its `for each` (or as it is).
    Applies { position: usize, instance: usize },
    /// A rule is effective for an output.
    Effective { position: usize, output: OutputId, instance: usize },
    /// No overrider of a rule is effective for an output.
    NotOverridden { position: usize, output: OutputId, instance: usize },
    /// Two effects have different values.
    Differ(EffectOf, EffectOf),
    /// The first effect's value is greater than the second's.
    Greater(EffectOf, EffectOf),
    /// An output is in conflict, by these rules.
    Conflict(OutputId, BTreeSet<RuleId>),
    /// A list has no elements.
    Empty(&'p Expr, Option<Line>),
    /// A number is zero.
    Zero(&'p Expr, Option<Line>),
    /// An expression is faulty in one of these ways.
    Faulty(&'p Expr, Option<Line>, Vec<Fault>),
    /// An output is faulty in one of these ways.
    OutputFaulty(OutputId, Vec<Fault>),
}

/// Parts that are all to hold in a decision.
#[derive(Clone, Debug)]
pub struct Goal<'p> {
    pub decision: DecisionId,
    pub parts: Vec<Part<'p>>,
}

/// What a part came to, and the facts that it looked at.
#[derive(Clone, Debug)]
pub struct Tried {
    pub truth: Truth,
    /// Facts chosen already that it depends on, ascending.
    pub known: Vec<usize>,
    /// Facts that it could not do without, in the order in which it asked for them.
    pub missing: Vec<usize>,
}

impl<'p> Goal<'p> {
    /// Nothing is sought yet.
    pub fn new(decision: DecisionId) -> Goal<'p> {
        Goal { decision, parts: Vec::new() }
    }

    /// A rule applies: its policy is in force, its dates, guard and condition hold, for one element of its `for each`.
    pub fn applies(mut self, linked: &'p Linked, position: usize, instance: usize) -> Goal<'p> {
        let book = &linked.rulebook;
        let Some(rule) = linked.rules(self.decision).get(position).and_then(|l| book.rules.get(l.rule.ix()))
        else {
            return self;
        };
        let id = linked.rules(self.decision).get(position).map_or(RuleId(0), |l| l.rule);
        let line = match &rule.for_each {
            None => None,
            Some(each) => match each.root {
                Some(root) => {
                    self.add(Part::Lines(root, instance + 1));
                    Some(line(linked, self.decision, rule, each.var, root, instance))
                }
                // Elements that are picked from a list are known by walking the rule.
                None => {
                    self.add(Part::Applies { position, instance });
                    return self;
                }
            },
        };
        if let Some(policy) = book.policies.get(rule.policy.ix()) {
            if !policy.dates.is_always() {
                self.add(Part::Dated(rule.policy));
            }
            policy.applies_when.iter().for_each(|e| self.truth(linked, e, true, None));
        }
        if !rule.dates.is_always() {
            self.add(Part::RuleDated(id));
        }
        rule.when.iter().for_each(|e| self.truth(linked, e, true, line.clone()));
        rule.guard.iter().for_each(|e| self.truth(linked, e, true, line.clone()));
        self
    }

    /// A rule is effective for an output.
    pub fn effective(
        self,
        linked: &'p Linked,
        position: usize,
        output: OutputId,
        instance: usize,
    ) -> Goal<'p> {
        let mut goal = self.applies(linked, position, instance);
        let overridden = linked.rules(goal.decision).get(position).is_some_and(|l| {
            l.overridden_by.iter().any(|o| !o.set_aside && o.output.is_none_or(|only| only == output))
        });
        if overridden {
            goal.add(Part::NotOverridden { position, output, instance });
        }
        goal
    }

    /// An expression holds (or does not), taken apart.
    pub fn holds(mut self, linked: &'p Linked, e: &'p Expr, wanted: bool, line: Option<Line>) -> Goal<'p> {
        self.truth(linked, e, wanted, line);
        self
    }

    /// One more part.
    pub fn with(mut self, part: Part<'p>) -> Goal<'p> {
        self.add(part);
        self
    }

    fn add(&mut self, part: Part<'p>) {
        self.parts.push(part);
    }

    /// An expression is true or not, taken apart at its `and`s, so that what fails is known as closely as can be.
    fn truth(&mut self, linked: &'p Linked, e: &'p Expr, wanted: bool, line: Option<Line>) {
        match (&e.kind, wanted) {
            (ExprKind::And(a, b), true) | (ExprKind::Or(a, b), false) => {
                self.truth(linked, a, wanted, line.clone());
                self.truth(linked, b, wanted, line);
            }
            (ExprKind::Not(x), _) => self.truth(linked, x, !wanted, line),
            (ExprKind::Let(id), _) => match linked.rulebook.lets.get(id.ix()) {
                Some(l)
                    if matches!(
                        (&l.value.kind, wanted),
                        (ExprKind::And(..), true) | (ExprKind::Or(..), false) | (ExprKind::Not(_), _)
                    ) =>
                {
                    self.truth(linked, &l.value, wanted, None);
                }
                _ => self.add(Part::Is(e, wanted, None)),
            },
            _ => self.add(Part::Is(e, wanted, line)),
        }
    }
}

/// An element of a rule's top-level list, under the rule's name and those of the per-line outputs that it sets.
fn line(linked: &Linked, decision: DecisionId, rule: &Rule, var: VarId, root: RootId, index: usize) -> Line {
    let outputs = linked.rulebook.vocab.decisions.get(decision.ix()).map(|d| d.outputs.as_slice());
    let per_line = rule.effects.iter().filter(|e| e.per_element);
    let named = per_line.filter_map(|e| outputs.and_then(|o| o.get(e.output.ix())).and_then(|o| o.var));
    Line { root, index, vars: std::iter::once(var).chain(named).collect() }
}

impl<'p> Part<'p> {
    /// What the part comes to with the facts chosen so far.
    pub fn attempt(&self, space: &mut Space<'p>, decision: DecisionId) -> Tried {
        let linked = space.linked;
        let seen = Seen::default();
        let answer = watch(linked, decision, space.facts(), &seen, |walk| self.truth(walk));
        let (known, missing) = seen.into_parts();
        let mut known: Vec<usize> = known.iter().filter_map(|p| space.find(p)).collect();
        known.sort_unstable();
        known.dedup();
        let mut open: Vec<usize> = Vec::new();
        for Missing { path, call } in missing {
            let at = match call {
                Some((fact, args)) => space.call(&path, fact, &args),
                None => space.find(&path),
            };
            if let Some(at) = at.map(|at| space.first_open(at))
                && !open.contains(&at)
            {
                open.push(at);
            }
        }
        // A state other than a value is final only if nothing is left to be asked.
        let truth = match answer {
            Some(Truth::Open) if open.is_empty() => Truth::False,
            Some(truth) => truth,
            None => Truth::Open,
        };
        Tried { truth, known, missing: open }
    }

    fn truth<'a>(&self, walk: &Walk<'a>) -> Truth
    where
        'p: 'a,
    {
        match self {
            Part::Is(e, wanted, line) => of_state(&on_line(walk, e, line.as_ref()), *wanted),
            Part::Dated(policy) => {
                let dates = walk.policy(*policy).map(|p| p.dates).unwrap_or_default();
                of_state(&walk.on_date(&dates, *policy), true)
            }
            Part::RuleDated(rule) => match walk.book.rules.get(rule.ix()) {
                Some(rule) => of_state(&walk.on_date(&rule.dates, rule.policy), true),
                None => Truth::False,
            },
            Part::Lines(root, least) => match walk.root(*root) {
                Eval::Is(V::List(items)) if items.len() >= *least => Truth::True,
                Eval::Is(_) => Truth::False,
                _ => Truth::Open,
            },
            Part::Applies { position, instance } => {
                let condition = walk.condition(*position);
                match condition.instances.get(*instance) {
                    _ if faceless(walk, *position) => Truth::Open,
                    Some(_) => of_state(&walk.applicable(*position, *instance), true),
                    None => Truth::False,
                }
            }
            Part::Effective { position, .. } | Part::NotOverridden { position, .. }
                if faceless(walk, *position) =>
            {
                Truth::Open
            }
            Part::Effective { position, output, instance } => {
                of_state(&walk.effective(*position, *output, *instance), true)
            }
            Part::NotOverridden { position, output, instance } => {
                let Some((linked, _)) = walk.rule(*position) else { return Truth::False };
                let mut all = Truth::True;
                for by in linked.overridden_by.iter().filter(|by| !by.set_aside) {
                    match of_state(&walk.overriding(by, *output, *instance), false) {
                        Truth::False => return Truth::False,
                        Truth::Open => all = Truth::Open,
                        Truth::True => {}
                    }
                }
                all
            }
            Part::Differ(a, b) => match (a.value(walk), b.value(walk)) {
                (Eval::Is(a), Eval::Is(b)) if !a.is_absent() && !b.is_absent() && a != b => Truth::True,
                (Eval::Is(_), Eval::Is(_)) => Truth::False,
                _ => Truth::Open,
            },
            Part::Greater(a, b) => match (a.value(walk), b.value(walk)) {
                (Eval::Is(V::Plain(a)), Eval::Is(V::Plain(b))) => match walk.order(&a, &b) {
                    Some(std::cmp::Ordering::Greater) => Truth::True,
                    _ => Truth::False,
                },
                (Eval::Is(_), Eval::Is(_)) => Truth::False,
                _ => Truth::Open,
            },
            Part::Conflict(output, rules) => match &walk.output(*output).state {
                Eval::Conflict(conflicts)
                    if conflicts
                        .iter()
                        .any(|c| matches!(c, Conflict::Rules(named) if rules.is_subset(named))) =>
                {
                    Truth::True
                }
                Eval::Is(_) => Truth::False,
                _ => Truth::Open,
            },
            Part::Empty(e, line) => match on_line(walk, e, line.as_ref()) {
                Eval::Is(V::List(items)) if items.is_empty() => Truth::True,
                Eval::Is(_) => Truth::False,
                _ => Truth::Open,
            },
            Part::Zero(e, line) => match on_line(walk, e, line.as_ref()) {
                Eval::Is(V::Plain(Value::Num(n) | Value::Money(n, _))) if n.is_zero() => Truth::True,
                Eval::Is(V::Plain(
                    Value::Period(Period::Days(0) | Period::Months(0)) | Value::Duration(0),
                )) => Truth::True,
                Eval::Is(_) => Truth::False,
                _ => Truth::Open,
            },
            Part::Faulty(e, line, faults) => is_faulty(&on_line(walk, e, line.as_ref()), faults),
            Part::OutputFaulty(output, faults) => is_faulty(&walk.output(*output).state, faults),
        }
    }

    /// How the part reads facts.
    pub fn reads(&self, reader: &Reader<'p>, decision: DecisionId) -> Vec<Rc<Reads<'p>>> {
        let linked = reader.linked;
        let rule = |position: usize| linked.rules(decision).get(position).map(|l| l.rule);
        let condition = |position: usize| rule(position).map(|r| reader.node(Node::Condition(r)));
        let effect = |of: &EffectOf| {
            let rule = rule(of.position).and_then(|r| linked.rulebook.rules.get(r.ix()));
            rule.and_then(|r| r.effects.get(of.effect)).map(|e| &e.value)
        };
        match self {
            Part::Is(e, _, _) | Part::Faulty(e, _, _) => vec![reader.expr(e)],
            // Whether a given list is empty depends on nothing in it.
            Part::Empty(e, _) if reader.place(e).is_some() => Vec::new(),
            Part::Empty(e, _) => vec![reader.expr(e)],
            Part::Zero(e, _) => vec![reader.against_zero(e)],
            Part::Dated(policy) => vec![reader.node(Node::Policy(*policy))],
            Part::RuleDated(rule) => vec![reader.node(Node::Condition(*rule))],
            Part::Lines(..) => Vec::new(),
            Part::Applies { position, .. } => condition(*position).into_iter().collect(),
            Part::Effective { output, .. } | Part::NotOverridden { output, .. } => {
                vec![reader.node(Node::Output(*output))]
            }
            Part::Differ(a, b) | Part::Greater(a, b) => {
                effect(a).zip(effect(b)).map(|(a, b)| reader.both(a, b)).into_iter().collect()
            }
            Part::Conflict(output, _) | Part::OutputFaulty(output, _) => {
                vec![reader.node(Node::Output(*output))]
            }
        }
    }
}

impl EffectOf {
    /// The value that the effect has or would have, for these facts.
    pub fn state(&self, linked: &Linked, decision: DecisionId, facts: &Facts) -> State {
        with_walk(linked, decision, facts, |walk| self.value(walk).into_state())
    }

    /// The value that the effect has or would have.
    fn value<'a>(&self, walk: &Walk<'a>) -> Eval<'a> {
        let Some((_, rule)) = walk.rule(self.position) else { return Eval::absent() };
        let Some(effect) = rule.effects.get(self.effect) else { return Eval::absent() };
        let condition = walk.condition(self.position);
        if faceless(walk, self.position) {
            return walk.applicable(self.position, 0);
        }
        let Some(instance) = condition.instances.get(self.instance) else { return Eval::absent() };
        let value = walk.in_instance(rule, instance.item.as_ref(), |env| walk.eval(&effect.value, env));
        walk.as_plain(&value)
    }
}

/// Whether the elements that a rule goes through are not known yet: one stands for all of them.
fn faceless(walk: &Walk<'_>, position: usize) -> bool {
    walk.condition(position).instances.first().is_some_and(|i| i.faceless)
}

fn on_line<'a, 'p: 'a>(walk: &Walk<'a>, e: &'p Expr, line: Option<&Line>) -> Eval<'a> {
    match line {
        None => walk.eval(e, None),
        Some(line) => walk.eval_on(e, &line.vars, line.root, line.index).unwrap_or_else(|| Eval::bool(false)),
    }
}

fn of_state(state: &Eval<'_>, wanted: bool) -> Truth {
    match state {
        Eval::Is(v) if v.is_true() == wanted => Truth::True,
        Eval::Is(_) => Truth::False,
        _ => Truth::Open,
    }
}

fn is_faulty(state: &Eval<'_>, faults: &[Fault]) -> Truth {
    match state {
        Eval::Faulty(found) if found.iter().any(|f| faults.contains(f)) => Truth::True,
        Eval::Is(_) => Truth::False,
        _ => Truth::Open,
    }
}
