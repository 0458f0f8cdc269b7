//! Rules: for which elements they apply, and whether they are effective.
use crate::lang::typed::*;
use crate::program::link::{Overrider, Reach};
use crate::program::outcome::Fault;
use crate::program::walk::state::{Eval, Item, and, not, or};
use crate::program::walk::{Env, Scope, Walk};
use std::rc::Rc;

/// A rule for one element of its `for each` (or the rule itself, without one).
#[derive(Clone, Debug)]
pub(crate) struct Instance<'a> {
    pub(crate) item: Option<Item<'a>>,
    /// What holds, or not, before its guard or `when` is looked at.
    before: Eval<'a>,
    /// Stands for elements that are not known because the list is not: its effects cannot be evaluated.
    pub(crate) faceless: bool,
}

/// Where a rule applies.
#[derive(Clone, Debug)]
pub(crate) struct Condition<'a> {
    pub(crate) instances: Vec<Instance<'a>>,
}

impl<'a> Walk<'a> {
    /// The instances of a rule. What they need of the rule as a whole comes first: policy in force, own dates, and a shared
    /// guard that does not speak of the element.
    pub(crate) fn condition(&self, position: usize) -> Rc<Condition<'a>> {
        self.conditions.get_or(position, || {
            let instances = self.rule(position).map(|(_, rule)| self.instances(rule));
            Rc::new(Condition { instances: instances.unwrap_or_default() })
        })
    }

    fn instances(&self, rule: &'a Rule) -> Vec<Instance<'a>> {
        let dated = and(self.in_force(rule.policy), || self.on_date(&rule.dates, rule.policy));
        let Some(each) = &rule.for_each else {
            return vec![Instance { item: None, before: dated, faceless: false }];
        };
        let before = if guarded_by_element(rule) { dated } else { and(dated, || self.guard(rule, None)) };
        if before.is_false() {
            return Vec::new();
        }
        match self.elements(&each.list, None) {
            Ok(items) => {
                let of = |item: &Item<'a>| Instance {
                    item: Some(item.clone()),
                    before: before.clone(),
                    faceless: false,
                };
                items.iter().map(of).collect()
            }
            Err(Eval::Is(_)) => Vec::new(),
            Err(list) => vec![Instance { item: None, before: and(before, || list), faceless: true }],
        }
    }

    fn guard(&self, rule: &'a Rule, env: Scope<'_, 'a>) -> Eval<'a> {
        rule.guard.as_ref().map_or_else(|| Eval::bool(true), |g| self.eval(g, env))
    }

    /// Whether a rule's instance applies: policy in force, own dates, shared guard, `when`, in this order, up to the first
    /// that is false.
    pub(crate) fn applicable(&self, position: usize, instance: usize) -> Eval<'a> {
        self.applicable.get_or((position, instance), || {
            let condition = self.condition(position);
            let found = condition.instances.get(instance).zip(self.rule(position));
            let Some((found, (_, rule))) = found else { return Eval::bool(false) };
            if found.faceless {
                return found.before.clone();
            }
            self.in_instance(rule, found.item.as_ref(), |env| {
                let unguarded = rule.for_each.is_none() || guarded_by_element(rule);
                let before = found.before.clone();
                let guarded = if unguarded { and(before, || self.guard(rule, env)) } else { before };
                and(guarded, || rule.when.as_ref().map_or_else(|| Eval::bool(true), |w| self.eval(w, env)))
            })
        })
    }

    /// The scope of a rule's instance: its element under the rule's name for it, and under those of the per-line outputs
    /// that it sets, whose guards are part of its condition.
    pub(crate) fn in_instance<T>(
        &self,
        rule: &'a Rule,
        item: Option<&Item<'a>>,
        f: impl FnOnce(Scope<'_, 'a>) -> T,
    ) -> T {
        let (Some(each), Some(item)) = (&rule.for_each, item) else { return f(None) };
        let mut vars = vec![each.var];
        let outputs = self.outputs_of();
        vars.extend(
            rule.effects
                .iter()
                .filter(|e| e.per_element)
                .filter_map(|e| outputs.get(e.output.ix()).and_then(|o| o.var)),
        );
        f(Some(&Env::with(&vars, item, None)))
    }

    /// Whether a rule's instance is effective for an output: it is applicable, and no overrider is effective.
    pub(crate) fn effective(&self, position: usize, output: OutputId, instance: usize) -> Eval<'a> {
        self.effective.get_or((position, output, instance), || {
            let found = self.depth.deeper(|| self.find_effective(position, output, instance));
            found.unwrap_or_else(|| Eval::fault(Fault::Overflow))
        })
    }

    fn find_effective(&self, position: usize, output: OutputId, instance: usize) -> Eval<'a> {
        let Some((linked, _)) = self.rule(position) else { return Eval::bool(false) };
        let mut state = self.applicable(position, instance);
        for by in linked.overridden_by.iter().filter(|by| !by.set_aside) {
            state = and(state, || not(self.overriding(by, output, instance)));
        }
        state
    }

    /// Whether an overrider suppresses a rule's instance for an output.
    pub(crate) fn overriding(&self, by: &Overrider, output: OutputId, instance: usize) -> Eval<'a> {
        if by.output.is_some_and(|o| o != output) {
            return Eval::bool(false);
        }
        let position = self.rules().iter().position(|r| r.rule == by.rule);
        let Some((position, (_, rule))) = position.and_then(|p| Some((p, self.rule(p)?))) else {
            return Eval::bool(false);
        };
        if by.replaces {
            return and(self.in_force(rule.policy), || self.on_date(&rule.dates, rule.policy));
        }
        match by.reach {
            Reach::SameElement => self.effective(position, output, instance),
            Reach::Whole => {
                let count = self.condition(position).instances.len();
                (0..count).fold(Eval::bool(false), |any, i| or(any, || self.effective(position, output, i)))
            }
        }
    }
}

/// A guard that speaks of the element is evaluated for the element.
fn guarded_by_element(rule: &Rule) -> bool {
    rule.for_each.as_ref().is_some_and(|each| each.root.is_some())
        && rule.effects.iter().any(|e| e.per_element)
}
