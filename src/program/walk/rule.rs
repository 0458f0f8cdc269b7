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
    pub(crate) applicable: Eval<'a>,
    /// Stands for elements that are not known because the list is not: its effects cannot be evaluated.
    pub(crate) faceless: bool,
}

/// Where a rule applies.
#[derive(Clone, Debug)]
pub(crate) struct Condition<'a> {
    pub(crate) instances: Vec<Instance<'a>>,
}

impl<'a> Walk<'a> {
    /// Policy in force, own dates, shared guard, `when`: in this order, up to the first that is false.
    pub(crate) fn condition(&self, position: usize) -> Rc<Condition<'a>> {
        self.conditions.get_or(position, || {
            let instances = self.rule(position).map(|(_, rule)| self.instances(rule));
            Rc::new(Condition { instances: instances.unwrap_or_default() })
        })
    }

    fn instances(&self, rule: &'a Rule) -> Vec<Instance<'a>> {
        let guard =
            |env: Scope<'_, 'a>| rule.guard.as_ref().map_or_else(|| Eval::bool(true), |g| self.eval(g, env));
        let when =
            |env: Scope<'_, 'a>| rule.when.as_ref().map_or_else(|| Eval::bool(true), |w| self.eval(w, env));
        let dated = and(self.in_force(rule.policy), || self.on_date(&rule.dates, rule.policy));
        let Some(each) = &rule.for_each else {
            let applicable = and(and(dated, || guard(None)), || when(None));
            return vec![Instance { item: None, applicable, faceless: false }];
        };
        // A guard that speaks of the element is evaluated for the element.
        let by_element = each.root.is_some() && rule.effects.iter().any(|e| e.per_element);
        let before = if by_element { dated } else { and(dated, || guard(None)) };
        if before.is_false() {
            return Vec::new();
        }
        let items = match self.elements(&each.list, None) {
            Ok(items) => items,
            Err(Eval::Is(_)) => return Vec::new(),
            Err(list) => {
                return vec![Instance { item: None, applicable: and(before, || list), faceless: true }];
            }
        };
        let instance = |item: &Item<'a>| {
            let applicable = self.in_instance(rule, Some(item), |env| {
                let guarded = if by_element { and(before.clone(), || guard(env)) } else { before.clone() };
                and(guarded, || when(env))
            });
            Instance { item: Some(item.clone()), applicable, faceless: false }
        };
        items.iter().map(instance).collect()
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
        let condition = self.condition(position);
        let Some(found) = condition.instances.get(instance) else { return Eval::bool(false) };
        let Some((linked, _)) = self.rule(position) else { return Eval::bool(false) };
        let mut state = found.applicable.clone();
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
