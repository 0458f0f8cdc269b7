//! Outputs: their guards, what is certain of them, and whether what is not certain can change them.
use crate::lang::typed::*;
use crate::program::value::Value;
use crate::program::walk::doubt::{Doubt, Maybe};
use crate::program::walk::number;
use crate::program::walk::resolve::{Contribution, Resolved, resolve};
use crate::program::walk::state::{Eval, Item, V, worst};
use crate::program::walk::{Env, Scope, Walk};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

/// One element of an output (or the output itself).
#[derive(Clone, Debug)]
pub(crate) struct Combined<'a> {
    pub(crate) state: Eval<'a>,
    pub(crate) guard: Eval<'a>,
    pub(crate) certain: Vec<Contribution>,
    pub(crate) maybes: Vec<Maybe<'a>>,
    /// What is certain, taken together; `None` behind a guard that is false.
    pub(crate) resolved: Option<Resolved<'a>>,
    /// Overrides that a binding rule did not heed.
    aside: BTreeSet<(RuleId, RuleId)>,
}

/// A whole output.
#[derive(Clone, Debug)]
pub(crate) struct OutputResult<'a> {
    pub(crate) state: Eval<'a>,
    /// One per element of a per-line output; else one.
    pub(crate) elements: Vec<Combined<'a>>,
    /// For a per-line output whose list is a list.
    per_line: bool,
}

impl<'a> OutputResult<'a> {
    /// As an expression reads it: a per-line output is a list whose elements have states of their own.
    pub(crate) fn read(&self) -> Eval<'a> {
        if !self.per_line {
            return unplain(&self.state);
        }
        let item = |(i, c): (usize, &Combined<'a>)| Item { state: unplain(&c.state), index: Some(i) };
        Eval::Is(V::List(Rc::new(self.elements.iter().enumerate().map(item).collect())))
    }

    /// One element of a per-line output.
    pub(crate) fn element(&self, index: Option<usize>) -> Eval<'a> {
        let element = index.filter(|_| self.per_line).and_then(|i| self.elements.get(i));
        element.map_or_else(Eval::absent, |c| unplain(&c.state))
    }

    fn all_rules<T: Ord>(&self, of: impl Fn(&Combined<'a>) -> BTreeSet<T>) -> BTreeSet<T> {
        self.elements.iter().flat_map(of).collect()
    }

    /// The rules that a decided output is owed to.
    pub(crate) fn because(&self) -> BTreeSet<RuleId> {
        self.all_rules(|c| c.resolved.as_ref().map(|r| r.because.clone()).unwrap_or_default())
    }

    /// The rules whose effect is in question.
    pub(crate) fn open(&self) -> BTreeSet<RuleId> {
        self.all_rules(|c| {
            let failed = c.resolved.iter().flat_map(|r| r.open.iter().copied());
            c.maybes.iter().map(|m| m.rule).chain(failed).collect()
        })
    }

    /// Binding rules, and those that they set aside.
    pub(crate) fn set_aside(&self) -> BTreeSet<(RuleId, RuleId)> {
        self.all_rules(|c| {
            let resolved = c.resolved.iter().flat_map(|r| r.set_aside.iter().copied());
            resolved.chain(c.aside.iter().copied()).collect()
        })
    }
}

/// An output's value as expressions see it: lists by their elements.
fn unplain<'a>(state: &Eval<'a>) -> Eval<'a> {
    match state {
        Eval::Is(v) => Eval::of(v.plain().clone()),
        other => other.clone(),
    }
}

impl<'a> Walk<'a> {
    /// An output, found out once.
    pub(crate) fn output(&self, id: OutputId) -> Rc<OutputResult<'a>> {
        self.outputs.get_or(id, || {
            Rc::new(match self.outputs_of().get(id.ix()) {
                Some(def) => self.find_output(id, def),
                None => OutputResult { state: Eval::absent(), elements: Vec::new(), per_line: false },
            })
        })
    }

    fn find_output(&self, id: OutputId, def: &'a OutputDef) -> OutputResult<'a> {
        let Some(root) = def.per else {
            let combined = self.combine(id, def, None);
            return OutputResult { state: combined.state.clone(), elements: vec![combined], per_line: false };
        };
        let items = match self.root(root) {
            Eval::Is(V::List(items)) => items,
            Eval::Is(_) => Rc::default(),
            bad => {
                return OutputResult { state: bad.plain_unknown(), elements: Vec::new(), per_line: false };
            }
        };
        let elements: Vec<Combined<'a>> = match self.linked.looks_back(self.decision) {
            true => (0..items.len()).map(|i| self.line(id, def, i, &items).as_ref().clone()).collect(),
            false => items.iter().enumerate().map(|i| self.combine(id, def, Some(i))).collect(),
        };
        let state = worst(elements.iter().map(|c| &c.state)).unwrap_or_else(|| {
            let values = elements.iter().filter_map(|c| c.state.value().map(|v| v.plain().clone()));
            Eval::Is(V::Plain(Value::List(Arc::new(values.collect()))))
        });
        OutputResult { state, elements, per_line: true }
    }

    /// One element of a per-line output, as an expression reads it. Where rules look back along their lists, outputs may need
    /// each other's earlier elements, so they are found out element by element; elsewhere each is found out whole.
    pub(crate) fn element(&self, id: OutputId, index: Option<usize>) -> Eval<'a> {
        let def = self.outputs_of().get(id.ix()).filter(|_| self.linked.looks_back(self.decision));
        let (Some(def), Some(index), None) = (def, index, self.outputs.get(id)) else {
            return self.output(id).element(index);
        };
        match def.per.map(|root| self.root(root)) {
            Some(Eval::Is(V::List(items))) if index < items.len() => {
                unplain(&self.line(id, def, index, &items).state)
            }
            _ => Eval::absent(),
        }
    }

    /// One element, found out once, and after those before it, so that looking back never goes deep.
    fn line(&self, id: OutputId, def: &'a OutputDef, index: usize, items: &[Item<'a>]) -> Rc<Combined<'a>> {
        for (i, item) in items.iter().enumerate().take(index) {
            self.lines.get_or((id, i), || Rc::new(self.combine(id, def, Some((i, item)))));
        }
        self.lines
            .get_or((id, index), || Rc::new(self.combine(id, def, items.get(index).map(|x| (index, x)))))
    }

    fn combine(&self, id: OutputId, def: &'a OutputDef, element: Option<(usize, &Item<'a>)>) -> Combined<'a> {
        match (def.var, element) {
            (Some(var), Some((_, item))) => {
                let env = Env::with(std::slice::from_ref(&var), item, None);
                self.combine_in(id, def, element.map(|(i, _)| i), Some(&env))
            }
            _ => self.combine_in(id, def, element.map(|(i, _)| i), None),
        }
    }

    fn combine_in(
        &self,
        id: OutputId,
        def: &'a OutputDef,
        element: Option<usize>,
        env: Scope<'_, 'a>,
    ) -> Combined<'a> {
        let guard = def.guard.as_ref().map_or_else(|| Eval::bool(true), |g| self.eval(g, env));
        let mut c = Combined {
            state: Eval::absent(),
            guard,
            certain: Vec::new(),
            maybes: Vec::new(),
            resolved: None,
            aside: BTreeSet::new(),
        };
        if c.guard.is_false() {
            return c;
        }
        self.gather_effects(id, def, element, &mut c);
        let fallback = || match &def.fallback {
            Fallback::Else(e) => self.given.plain(self.eval(e, env)),
            Fallback::Absent => Eval::absent(),
            Fallback::Empty => match def.mode {
                Mode::Sum => Eval::of(number::zero(&def.ty)),
                Mode::All => Eval::of(Value::Set(Arc::default())),
                Mode::Each => Eval::Is(V::Plain(Value::List(Arc::default()))),
                _ => Eval::absent(),
            },
        };
        let resolved = resolve(def, &c.certain, fallback);
        let doubt =
            Doubt { vocab: self.vocab(), def, fallback: &fallback, certain: &c.certain, maybes: &c.maybes };
        let combined = doubt.state(&resolved);
        // A guard in doubt leaves the output in doubt, unless it would be absent anyway, or may yet turn out so.
        let absent = match &combined {
            Eval::Is(v) => v.is_absent(),
            Eval::Unknown { .. } => c.guard.is_stuck() && may_be_absent(def, &c.certain),
            _ => false,
        };
        let stands = absent || c.guard.is_value();
        c.state = if stands { combined } else { c.guard.clone() }.plain_unknown();
        c.resolved = Some(resolved);
        c
    }

    /// All effects on an output that stand or may stand, in rule and element order.
    fn gather_effects(&self, id: OutputId, def: &'a OutputDef, element: Option<usize>, c: &mut Combined<'a>) {
        for position in 0..self.rules().len() {
            let Some((linked, rule)) = self.rule(position) else { continue };
            if !rule.effects.iter().any(|e| e.output == id) {
                continue;
            }
            let condition = self.condition(position);
            for (i, instance) in condition.instances.iter().enumerate() {
                if def.per.is_some() && element != Some(i) {
                    continue;
                }
                let effective = self.effective(position, id, i);
                if effective.is_false() {
                    continue;
                }
                for by in linked.overridden_by.iter().filter(|by| by.set_aside) {
                    if effective.is_true() && self.overriding(by, id, i).is_true() {
                        c.aside.insert((linked.rule, by.rule));
                    }
                }
                for effect in rule.effects.iter().filter(|e| e.output == id) {
                    let value = (!instance.faceless).then(|| {
                        let item = instance.item.as_ref();
                        self.given.plain(self.in_instance(rule, item, |env| self.eval(&effect.value, env)))
                    });
                    let (rank, binding, op) = (linked.rank, rule.binding, effect.op);
                    match (&value, Maybe::doubt(&effective, value.as_ref())) {
                        // What is absent contributes nothing, whether or not the rule is effective.
                        (Some(Eval::Is(v)), _) if v.is_absent() => {}
                        (Some(Eval::Is(v)), None) => {
                            let value = v.plain().clone();
                            c.certain.push(Contribution { rule: linked.rule, rank, binding, op, value });
                        }
                        (_, None) => {}
                        (_, Some((state, fails))) => {
                            let known = value.as_ref().and_then(Eval::known_values);
                            let known = known.map(|values| {
                                values
                                    .iter()
                                    .map(|v| v.plain().clone())
                                    .filter(|v| *v != Value::Absent)
                                    .collect()
                            });
                            let rule = linked.rule;
                            c.maybes.push(Maybe { rule, rank, binding, op, state, known, fails });
                        }
                    }
                }
            }
        }
    }
}

/// Whether an output is absent if no rule that is in doubt contributes to it.
fn may_be_absent(def: &OutputDef, certain: &[Contribution]) -> bool {
    let contributes = |c: &Contribution| matches!(c.op, EffectOp::Set | EffectOp::Add);
    match &def.fallback {
        Fallback::Absent => !certain.iter().any(contributes),
        Fallback::Else(e) => e.ty.is_optional() && !certain.iter().any(contributes),
        Fallback::Empty => false,
    }
}
