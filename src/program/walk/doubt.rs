//! What an output is while some effects on it are not certain: whether they can change it, and whether asking for facts
//! could still settle it.
//!
//! An effect is *open* if missing facts may make it certain or rid the output of it, and *stuck* if no fact can: the rule
//! stands with a value that is undecided (in conflict, faulty), or a value waits for a condition that is so.
use crate::lang::typed::*;
use crate::program::value::Value;
use crate::program::walk::number;
use crate::program::walk::resolve::{Contribution, Resolved, resolve};
use crate::program::walk::state::{Eval, worst};

/// An effect of which it is not certain whether it stands, or with what value.
#[derive(Clone, Debug)]
pub(crate) struct Maybe<'a> {
    pub(crate) rule: RuleId,
    pub(crate) rank: u32,
    pub(crate) binding: bool,
    pub(crate) op: EffectOp,
    /// What is missing of it, or what it is stuck in.
    pub(crate) state: Eval<'a>,
    /// The values that it may have, where they are known.
    pub(crate) known: Option<Vec<Value>>,
    /// What an open effect is stuck in if its rule stands.
    pub(crate) fails: Option<Eval<'a>>,
}

impl<'a> Maybe<'a> {
    /// The state of an effect whose rule or value is no value, and what it fails with if its rule stands.
    pub(crate) fn doubt(
        effective: &Eval<'a>,
        value: Option<&Eval<'a>>,
    ) -> Option<(Eval<'a>, Option<Eval<'a>>)> {
        let value = value.filter(|v| !v.is_value());
        Some(match (effective.is_value(), value) {
            (true, None) => return None,
            (true, Some(value)) => (value.clone().plain_unknown(), None),
            (false, None) => (effective.clone().plain_unknown(), None),
            (false, Some(value)) => match (effective.is_stuck(), value.is_stuck()) {
                (false, true) => (effective.clone().plain_unknown(), Some(value.clone())),
                // It may turn out to be absent, or to change nothing.
                (true, false) => (value.clone().plain_unknown(), None),
                _ => (worst([effective, value])?, None),
            },
        })
    }

    fn contributes(&self) -> bool {
        matches!(self.op, EffectOp::Set | EffectOp::Add)
    }

    fn with(&self, value: &Value) -> Contribution {
        let (rule, rank, binding, op) = (self.rule, self.rank, self.binding, self.op);
        Contribution { rule, rank, binding, op, value: value.clone() }
    }
}

/// One output (or one element of it), with what is certain of it.
pub(crate) struct Doubt<'d, 'a, F> {
    pub(crate) vocab: &'d Vocab,
    pub(crate) def: &'d OutputDef,
    pub(crate) fallback: F,
    pub(crate) certain: &'d [Contribution],
    pub(crate) maybes: &'d [Maybe<'a>],
}

/// So many uncertain contributions are tried in every combination; beyond, they count as able to change the result.
const MOST_TRIED: usize = 8;

impl<'a, F: Fn() -> Eval<'a>> Doubt<'_, 'a, F> {
    /// The output's state, `base` being what the certain effects alone amount to.
    pub(crate) fn state(&self, base: &Resolved<'a>) -> Eval<'a> {
        let all: Vec<&Maybe<'a>> = self.maybes.iter().collect();
        if !self.can_change(self.certain, base, &all) {
            return base.state.clone();
        }
        let (stuck, open): (Vec<_>, Vec<_>) = all.into_iter().partition(|m| m.state.is_stuck());
        let states = |maybes: &[&Maybe<'a>]| worst(maybes.iter().map(|m| &m.state));
        if !stuck.is_empty() && !self.can_settle(base, &stuck, &open) {
            return states(&stuck).unwrap_or_else(Eval::absent);
        }
        // Whatever the facts, the output is one of states that no value comes of.
        let fails: Vec<&Eval<'a>> = open.iter().filter_map(|m| m.fails.as_ref()).collect();
        if stuck.is_empty() && base.state.is_stuck() && fails.len() == open.len() {
            return worst([&base.state].into_iter().chain(fails)).unwrap_or_else(Eval::absent);
        }
        // What stands if no rule contributes is asked for where nothing else is.
        states(&open).unwrap_or_else(|| base.state.clone())
    }

    fn resolve(&self, with: &[Contribution]) -> Resolved<'a> {
        resolve(self.def, with, &self.fallback)
    }

    /// Whether some outcome of what is not certain could give another result.
    fn can_change(&self, certain: &[Contribution], base: &Resolved<'a>, maybes: &[&Maybe<'a>]) -> bool {
        let mut possible: Vec<Contribution> = Vec::new();
        let differs = |with: &[Contribution]| self.resolve(with).state != base.state;
        for maybe in maybes {
            let Some(known) = &maybe.known else {
                if maybe.contributes() && !maybe.binding && self.is_extreme(base.combined.as_ref()) {
                    continue;
                }
                return true;
            };
            match self.def.mode {
                // Amounts other than nothing may cancel out in ways that trying them singly does not show; nothing, in
                // another currency, may still be another result.
                Mode::Sum if maybe.contributes() && !known.iter().all(number::is_zero) => return true,
                Mode::Each => {
                    if !known.is_empty() {
                        return true;
                    }
                }
                _ => {
                    for value in known {
                        let one = maybe.with(value);
                        let with: Vec<Contribution> = certain.iter().cloned().chain([one.clone()]).collect();
                        if differs(&with) {
                            return true;
                        }
                        possible.push(one);
                    }
                }
            }
        }
        if possible.is_empty() {
            return false;
        }
        if !certain.iter().chain(&possible).any(|one| one.binding) {
            return differs(&joined(certain, &possible, |_| true));
        }
        // A binding rule sets others aside, so that all together may hide what some of them would do.
        possible.len() > MOST_TRIED
            || (0..1usize << possible.len())
                .any(|set| differs(&joined(certain, &possible, |i| set >> i & 1 == 1)))
    }

    /// Whether missing facts may let the output stand whatever the stuck effects would come to.
    fn can_settle(&self, base: &Resolved<'a>, stuck: &[&Maybe<'a>], open: &[&Maybe<'a>]) -> bool {
        let (known, hidden): (Vec<&Maybe<'a>>, Vec<&Maybe<'a>>) =
            stuck.iter().partition(|m| m.known.is_some());
        // Of a value of which nothing is known an output is free only if it cannot get any greater (less) anyway.
        if !hidden.is_empty() {
            let free = hidden.iter().all(|m| m.contributes() && !m.binding);
            let reached = || self.is_extreme(base.combined.as_ref());
            if !free || !(reached() || open.iter().any(|m| self.may_be_extreme(m))) {
                return false;
            }
            if !reached() {
                return true;
            }
        }
        if known.is_empty() || matches!(base.state, Eval::Unknown { .. }) {
            return true;
        }
        let open: Vec<&&Maybe<'a>> = open.iter().filter(|m| m.fails.is_none()).collect();
        let mut possible: Vec<Contribution> = Vec::new();
        for maybe in &open {
            let Some(values) = &maybe.known else { return true };
            possible.extend(values.iter().map(|v| maybe.with(v)));
        }
        possible.len() > MOST_TRIED
            || (0..1usize << possible.len()).any(|set| {
                let with = joined(self.certain, &possible, |i| set >> i & 1 == 1);
                !self.can_change(&with, &self.resolve(&with), &known)
            })
    }

    fn may_be_extreme(&self, maybe: &Maybe<'a>) -> bool {
        let known = maybe.known.as_ref();
        let possible = known.is_none_or(|values| values.iter().any(|v| self.is_extreme(Some(v))));
        maybe.contributes() && maybe.fails.is_none() && possible && self.has_extreme()
    }

    /// Whether the output is a `max` or `min` of an ordered enum.
    fn has_extreme(&self) -> bool {
        matches!(self.def.mode, Mode::Max | Mode::Min) && matches!(self.def.ty.inner(), Ty::Enum(_))
    }

    /// Whether a `max` (`min`) output of an ordered enum has reached the top (bottom).
    fn is_extreme(&self, combined: Option<&Value>) -> bool {
        let (Some(Value::Enum(level)), Ty::Enum(id)) = (combined, self.def.ty.inner()) else { return false };
        let Some(levels) = self.vocab.enums.get(id.ix()).filter(|d| d.ordered) else { return false };
        match self.def.mode {
            Mode::Max => *level as usize + 1 == levels.members.len(),
            Mode::Min => *level == 0,
            _ => false,
        }
    }
}

/// What is certain with some of what is possible.
fn joined(
    certain: &[Contribution],
    possible: &[Contribution],
    chosen: impl Fn(usize) -> bool,
) -> Vec<Contribution> {
    let some = possible.iter().enumerate().filter(|(i, _)| chosen(*i)).map(|(_, one)| one.clone());
    certain.iter().cloned().chain(some).collect()
}
