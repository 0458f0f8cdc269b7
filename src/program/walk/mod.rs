//! The reference evaluator: a plain walk over exact rationals. It is the meaning of the language.
//!
//! It follows `docs/decisions/0002` section by section and prefers being read to being fast: `state` is what an expression
//! can be, `given` reads facts, `expr`, `number`, `time`, `list` and `table` are the expressions, `rule` says which rules are
//! effective, `resolve` combines what is certain, `combine` weighs what is not, `trace` says which rows decided.
mod combine;
mod compared;
mod depth;
mod doubt;
mod expr;
mod filling;
mod given;
mod list;
mod number;
mod param;
mod resolve;
mod rule;
mod state;
mod table;
#[cfg(test)]
mod tests;
mod time;
mod trace;
mod watch;

pub(crate) use combine::{Combined, OutputResult};
pub use compared::{Compared, Mark, watched};
pub(crate) use depth::with_walk;
pub(crate) use resolve::Contribution;
pub(crate) use rule::{Condition, Instance};
pub(crate) use state::{Eval, Item, V};
pub use table::rows_on;
pub(crate) use trace::{Site, site};
pub(crate) use watch::{Missing, Seen, watch};

use crate::lang::typed::*;
use crate::program::facts::Facts;
use crate::program::link::{Linked, LinkedRule};
use crate::program::outcome::{Because, Conflict, Open, Outcome, RowHit, State};
use crate::program::value::Value;
use compared::Comparisons;
use depth::Depth;
use given::Given;
use num_rational::BigRational;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Decide `decision` by the meaning of the language.
pub fn evaluate(linked: &Linked, decision: DecisionId, facts: &Facts) -> Outcome {
    with_walk(linked, decision, facts, |walk| walk.outcome())
}

/// What has been found out once, so that it is found out once.
#[derive(Debug)]
pub(crate) struct Memo<K, T>(RefCell<BTreeMap<K, T>>);

impl<K: Ord + Copy, T: Clone> Memo<K, T> {
    fn new() -> Self {
        Memo(RefCell::new(BTreeMap::new()))
    }
    /// What is known under `key`, or else what `find` finds; nothing is borrowed while it looks.
    fn get_or(&self, key: K, find: impl FnOnce() -> T) -> T {
        if let Some(known) = self.get(key) {
            return known;
        }
        let found = find();
        self.0.borrow_mut().insert(key, found.clone());
        found
    }
    /// What is known under `key`.
    pub(crate) fn get(&self, key: K) -> Option<T> {
        self.0.borrow().get(&key).cloned()
    }
}

/// A rounding that was carried out.
#[derive(Clone, Debug)]
pub(crate) struct Rounded<'a> {
    pub(crate) expr: &'a Expr,
    pub(crate) before: Value,
    pub(crate) step: BigRational,
    pub(crate) after: Eval<'a>,
}

/// One evaluation of one decision, with what has been found out so far.
pub(crate) struct Walk<'a> {
    pub(crate) linked: &'a Linked,
    pub(crate) book: &'a Rulebook,
    pub(crate) decision: DecisionId,
    given: Given<'a>,
    depth: Rc<Depth>,
    pub(crate) comparisons: Rc<Comparisons>,
    /// Roots that a calling decision has changed.
    changed: Rc<BTreeMap<RootId, Eval<'a>>>,
    roots: Memo<RootId, Eval<'a>>,
    pub(crate) lets: Memo<LetId, Eval<'a>>,
    pub(crate) params: Memo<ParamId, Eval<'a>>,
    in_force: Memo<PolicyId, Eval<'a>>,
    /// By position among the decision's rules.
    conditions: Memo<usize, Rc<Condition<'a>>>,
    /// By rule (position) and instance.
    applicable: Memo<(usize, usize), Eval<'a>>,
    /// By rule (position), output and instance.
    effective: Memo<(usize, OutputId, usize), Eval<'a>>,
    outputs: Memo<OutputId, Rc<OutputResult<'a>>>,
    /// Elements of per-line outputs, where rules look back.
    lines: Memo<(OutputId, usize), Rc<Combined<'a>>>,
    /// Rows hit, by the lookup that hit them.
    hits: RefCell<BTreeMap<Site, BTreeSet<RowHit>>>,
    /// In the order in which they were carried out.
    pub(crate) roundings: RefCell<Vec<Rounded<'a>>>,
}

/// Loop variables in scope, innermost first.
#[derive(Clone, Copy)]
pub(crate) struct Env<'e, 'a> {
    /// The names of the element.
    vars: &'e [VarId],
    item: &'e Item<'a>,
    up: Option<&'e Env<'e, 'a>>,
}

impl<'e, 'a> Env<'e, 'a> {
    /// The scope with one more element.
    fn with(vars: &'e [VarId], item: &'e Item<'a>, up: Option<&'e Env<'e, 'a>>) -> Self {
        Env { vars, item, up }
    }
    /// The element that a variable stands for.
    fn find(&self, var: VarId) -> Option<&'e Item<'a>> {
        if self.vars.contains(&var) { Some(self.item) } else { self.up.and_then(|up| up.find(var)) }
    }
}

/// The scope that an expression is walked in.
pub(crate) type Scope<'e, 'a> = Option<&'e Env<'e, 'a>>;

impl<'a> Walk<'a> {
    /// An evaluation that has not looked at anything yet.
    fn new(
        linked: &'a Linked,
        decision: DecisionId,
        facts: &'a Facts,
        depth: Depth,
        comparisons: Comparisons,
    ) -> Walk<'a> {
        let given = Given { linked, facts, seen: None };
        Walk::changing(decision, given, Rc::new(depth), Rc::new(comparisons), Rc::default())
    }

    /// The same, noting the facts that it looks at.
    fn noting(
        linked: &'a Linked,
        decision: DecisionId,
        facts: &'a Facts,
        depth: Depth,
        seen: &'a Seen,
    ) -> Walk<'a> {
        let given = Given { linked, facts, seen: Some(seen) };
        Walk::changing(decision, given, Rc::new(depth), Rc::default(), Rc::default())
    }

    /// An expression on one element of a top-level list, which the variables stand for; `None` if there is no such element.
    pub(crate) fn eval_on(
        &self,
        e: &'a Expr,
        vars: &[VarId],
        root: RootId,
        index: usize,
    ) -> Option<Eval<'a>> {
        match self.root(root) {
            Eval::Is(V::List(items)) => {
                items.get(index).map(|item| self.eval(e, Some(&Env::with(vars, item, None))))
            }
            Eval::Is(_) => None,
            open => Some(open.plain_unknown()),
        }
    }

    /// An evaluation with some roots changed by the caller.
    fn changing(
        decision: DecisionId,
        given: Given<'a>,
        depth: Rc<Depth>,
        comparisons: Rc<Comparisons>,
        changed: Rc<BTreeMap<RootId, Eval<'a>>>,
    ) -> Walk<'a> {
        Walk {
            linked: given.linked,
            book: &given.linked.rulebook,
            decision,
            given,
            depth,
            comparisons,
            changed,
            roots: Memo::new(),
            lets: Memo::new(),
            params: Memo::new(),
            in_force: Memo::new(),
            conditions: Memo::new(),
            applicable: Memo::new(),
            effective: Memo::new(),
            outputs: Memo::new(),
            lines: Memo::new(),
            hits: RefCell::default(),
            roundings: RefCell::default(),
        }
    }

    /// How two values of one ordered type compare; `None` where they do not.
    pub(crate) fn order(&self, a: &Value, b: &Value) -> Option<std::cmp::Ordering> {
        number::compare(a, b).ok()
    }

    pub(crate) fn vocab(&self) -> &'a Vocab {
        &self.book.vocab
    }

    /// The decision's rules in this store, in rule order.
    pub(crate) fn rules(&self) -> &'a [LinkedRule] {
        self.linked.rules(self.decision)
    }

    /// A rule by its position among the decision's.
    pub(crate) fn rule(&self, position: usize) -> Option<(&'a LinkedRule, &'a Rule)> {
        let linked = self.rules().get(position)?;
        Some((linked, self.book.rules.get(linked.rule.ix())?))
    }

    pub(crate) fn outputs_of(&self) -> &'a [OutputDef] {
        self.vocab().decisions.get(self.decision.ix()).map(|d| d.outputs.as_slice()).unwrap_or_default()
    }

    /// A state with entities and lists as an outcome would hold them.
    pub(crate) fn as_plain(&self, state: &Eval<'a>) -> Eval<'a> {
        self.given.plain(state.clone())
    }

    /// Evaluate everything that the meaning says is evaluated: every rule's condition, then every output.
    pub(crate) fn run(&self) -> Vec<Rc<OutputResult<'a>>> {
        for position in 0..self.rules().len() {
            for instance in 0..self.condition(position).instances.len() {
                self.applicable(position, instance);
            }
        }
        let order = self.vocab().decisions.get(self.decision.ix()).map(|d| d.order.as_slice());
        for &output in order.unwrap_or_default() {
            self.output(output);
        }
        (0..self.outputs_of().len()).map(|o| self.output(OutputId(o as u32))).collect()
    }

    fn outcome(&self) -> Outcome {
        let results = self.run();
        let defs = self.outputs_of();
        let mut because: BTreeMap<RuleId, Vec<OutputId>> = BTreeMap::new();
        let mut open = Vec::new();
        let mut set_aside = BTreeSet::new();
        let mut outputs = Vec::new();
        for (i, (result, def)) in results.iter().zip(defs).enumerate() {
            let output = OutputId(i as u32);
            let state = result.state.clone().into_state();
            set_aside.extend(result.set_aside());
            if let State::Value(_) = state {
                for rule in result.because() {
                    because.entry(rule).or_default().push(output);
                }
            } else if !def.working {
                let rules = open_rules(result, &state);
                let rows: BTreeSet<RowHit> = rules.iter().flat_map(|rule| self.rows_of(*rule)).collect();
                open.push(Open { output, rules, rows: rows.into_iter().collect() });
            }
            outputs.push(state);
        }
        let because = because
            .into_iter()
            .map(|(rule, outputs)| Because { rule, outputs, rows: self.rows_of(rule) })
            .collect();
        Outcome {
            decision: self.decision,
            outputs,
            because,
            open,
            set_aside: set_aside.into_iter().collect(),
        }
    }
}

/// The rules in question for an output that is not decided, with those that its conflicts name.
fn open_rules(result: &OutputResult<'_>, state: &State) -> Vec<RuleId> {
    let mut rules = result.open();
    if let State::Conflict(conflicts) = state {
        for conflict in conflicts {
            if let Conflict::Rules(named) = conflict {
                rules.extend(named);
            }
        }
    }
    rules.into_iter().collect()
}
