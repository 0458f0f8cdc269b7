//! Combination of what is certain: modes, removals, fallbacks, clamps, and what binds whom.
use crate::lang::typed::*;
use crate::program::outcome::{Conflict, Fault};
use crate::program::value::Value;
use crate::program::walk::number;
use crate::program::walk::state::Eval;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

/// An effect of an effective rule, with its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Contribution {
    pub(crate) rule: RuleId,
    /// The layer's rank, 0 most general.
    pub(crate) rank: u32,
    pub(crate) binding: bool,
    pub(crate) op: EffectOp,
    pub(crate) value: Value,
}

/// What certain effects amount to.
#[derive(Clone, Debug)]
pub(crate) struct Resolved<'a> {
    pub(crate) state: Eval<'a>,
    /// What the contributions gave, before the clamps; `None` if there were none.
    pub(crate) combined: Option<Value>,
    /// Rules that the result is owed to.
    pub(crate) because: BTreeSet<RuleId>,
    /// Rules in question, if combining failed.
    pub(crate) open: BTreeSet<RuleId>,
    /// Binding rules, and those that they set aside.
    pub(crate) set_aside: BTreeSet<(RuleId, RuleId)>,
    /// Values that binding contributions hold, most general layer first.
    bounds: Vec<Bound>,
}

/// A value that the binding contributions of a layer hold against more specific layers.
#[derive(Clone, Debug)]
struct Bound {
    rank: u32,
    value: Value,
    holders: Rules,
}

type Rules = BTreeSet<RuleId>;

/// Contributions by mode, minus removals; if none, the fallback; then the clamps.
pub(crate) fn resolve<'a>(
    def: &OutputDef,
    certain: &[Contribution],
    fallback: impl Fn() -> Eval<'a>,
) -> Resolved<'a> {
    let mut r = Resolved {
        state: Eval::absent(),
        combined: None,
        because: Rules::new(),
        open: Rules::new(),
        set_aside: BTreeSet::new(),
        bounds: Vec::new(),
    };
    let with = |ops: &[EffectOp]| certain.iter().filter(|c| ops.contains(&c.op)).collect::<Vec<_>>();
    let given = with(&[EffectOp::Set, EffectOp::Add]);
    let combined = match def.mode {
        Mode::One | Mode::Max | Mode::Min => single(def, given.clone(), &mut r),
        Mode::All => Ok(union(&given, &with(&[EffectOp::Remove]), &mut r)),
        Mode::Sum if given.is_empty() => Ok(None),
        Mode::Sum => {
            r.because = rules(&given);
            number::sum(given.iter().map(|c| &c.value), &def.ty).map(Some).map_err(Eval::fault)
        }
        Mode::Each if given.is_empty() => Ok(None),
        Mode::Each => {
            r.because = rules(&given);
            Ok(Some(Value::List(Arc::new(given.iter().map(|c| c.value.clone()).collect()))))
        }
    };
    match combined {
        Ok(Some(value)) => {
            r.state = Eval::Is(super::V::Plain(value.clone()));
            r.combined = Some(value);
        }
        Ok(None) => r.state = fallback(),
        Err(bad) => {
            r.open = rules(&given);
            r.state = bad;
        }
    }
    let clamps = with(&[EffectOp::AtLeast, EffectOp::AtMost]);
    if let Eval::Is(v) = &r.state
        && !v.is_absent()
    {
        let value = v.plain().clone();
        match clamp(def, &value, &clamps, &mut r) {
            Ok(clamped) => r.state = clamped,
            Err(fault) => {
                r.open = rules(given.iter().chain(&clamps).copied().collect::<Vec<_>>().as_slice());
                r.state = Eval::fault(fault);
            }
        }
    }
    r
}

fn rules(contributions: &[&Contribution]) -> Rules {
    contributions.iter().map(|c| c.rule).collect()
}

/// `one`, `max` and `min`: what binds, rank by rank, then what is left.
fn single<'a>(
    def: &OutputDef,
    mut standing: Vec<&Contribution>,
    r: &mut Resolved<'a>,
) -> Result<Option<Value>, Eval<'a>> {
    let ranks: BTreeSet<u32> = standing.iter().filter(|c| c.binding).map(|c| c.rank).collect();
    for rank in ranks {
        let binds = |c: &Contribution| c.binding && c.rank == rank;
        let binding: Vec<&Contribution> = standing.iter().copied().filter(|c| binds(c)).collect();
        let Ok(Some(bound)) = combine(def.mode, &binding) else { continue };
        let holders: Rules = binding.iter().filter(|b| b.value == bound).map(|b| b.rule).collect();
        let (mut kept, mut replaced) = (Vec::new(), false);
        for c in standing {
            if c.rank <= rank || c.value == bound {
                kept.push(c);
            } else if kinder(def, &c.value, &bound) {
                kept.push(c);
                replaced = def.mode == Mode::One;
            } else {
                r.set_aside.extend(holders.iter().map(|holder| (*holder, c.rule)));
            }
        }
        standing = kept;
        if replaced {
            standing.retain(|c| !binds(c));
        }
        r.bounds.push(Bound { rank, value: bound, holders });
    }
    let combined = combine(def.mode, &standing)?;
    let decides = |c: &&&Contribution| Some(&c.value) == combined.as_ref();
    r.because = standing.iter().filter(decides).map(|c| c.rule).collect();
    Ok(combined)
}

/// Whether a value is better for the customer, where the output says which way is.
fn kinder(def: &OutputDef, value: &Value, than: &Value) -> bool {
    let order = number::compare(value, than);
    match def.better {
        Some(Better::Higher) => order == Ok(Ordering::Greater),
        Some(Better::Lower) => order == Ok(Ordering::Less),
        None => false,
    }
}

fn combine<'a>(mode: Mode, standing: &[&Contribution]) -> Result<Option<Value>, Eval<'a>> {
    let mut values = standing.iter().map(|c| &c.value);
    if mode != Mode::One {
        return number::extreme(values, mode == Mode::Max).map(Option::<&Value>::cloned).map_err(Eval::fault);
    }
    let Some(first) = values.next() else { return Ok(None) };
    if values.all(|v| v == first) {
        return Ok(Some(first.clone()));
    }
    Err(Eval::Conflict(BTreeSet::from([Conflict::Rules(rules(standing))])))
}

/// The elements that an effect on an `all` output speaks of.
pub(crate) fn elements(value: &Value) -> BTreeSet<Value> {
    match value {
        Value::Set(all) => all.as_ref().clone(),
        Value::List(all) => all.iter().cloned().collect(),
        one => BTreeSet::from([one.clone()]),
    }
}

/// `all`: what is added, minus what is removed and not held by a binding rule. Empty is none.
fn union(added: &[&Contribution], removed: &[&Contribution], r: &mut Resolved<'_>) -> Option<Value> {
    r.because = rules(added);
    let all: BTreeSet<Value> = added.iter().flat_map(|c| elements(&c.value)).collect();
    let mut gone = BTreeSet::new();
    for removal in removed {
        for element in elements(&removal.value).intersection(&all) {
            let holds = |c: &&&Contribution| {
                c.binding && c.rank < removal.rank && elements(&c.value).contains(element)
            };
            let holders: Vec<RuleId> = added.iter().filter(holds).map(|c| c.rule).collect();
            if holders.is_empty() {
                gone.insert(element.clone());
                r.because.insert(removal.rule);
            }
            r.set_aside.extend(holders.into_iter().map(|h| (h, removal.rule)));
        }
    }
    let left: BTreeSet<Value> = all.difference(&gone).cloned().collect();
    if left.is_empty() { None } else { Some(Value::Set(Arc::new(left))) }
}

/// `at least`, then `at most`. A binding contribution sets aside the clamps of more specific layers that would move its
/// value (but not to the kinder side), then a binding clamp those that are opposed to it.
fn clamp<'a>(
    def: &OutputDef,
    value: &Value,
    clamps: &[&Contribution],
    r: &mut Resolved<'_>,
) -> Result<Eval<'a>, Fault> {
    let mut aside: Vec<&Contribution> = Vec::new();
    for bound in &r.bounds {
        for &clamp in clamps.iter().filter(|c| c.rank > bound.rank) {
            if !aside.contains(&clamp)
                && moves(clamp, &bound.value)?
                && !kinder(def, &clamp.value, &bound.value)
            {
                r.set_aside.extend(bound.holders.iter().map(|holder| (*holder, clamp.rule)));
                aside.push(clamp);
            }
        }
    }
    let mut binding: Vec<&Contribution> = clamps.iter().copied().filter(|c| c.binding).collect();
    binding.sort_by_key(|c| c.rank);
    for holder in binding {
        if aside.contains(&holder) {
            continue;
        }
        for other in clamps.iter().filter(|c| c.rank > holder.rank) {
            if opposed(holder, other)? {
                r.set_aside.insert((holder.rule, other.rule));
                aside.push(other);
            }
        }
    }
    let kept = |op: EffectOp| clamps.iter().copied().filter(move |c| c.op == op);
    let least: Vec<&Contribution> = kept(EffectOp::AtLeast).filter(|c| !aside.contains(c)).collect();
    let most: Vec<&Contribution> = kept(EffectOp::AtMost).filter(|c| !aside.contains(c)).collect();
    let low = number::extreme(least.iter().map(|c| &c.value), true)?;
    let high = number::extreme(most.iter().map(|c| &c.value), false)?;
    let at = |side: &[&Contribution], bound: &Value| {
        side.iter().filter(|c| c.value == *bound).map(|c| c.rule).collect::<Rules>()
    };
    if let (Some(low), Some(high)) = (low, high)
        && number::compare(low, high)?.is_gt()
    {
        let mut both = at(&least, low);
        both.extend(at(&most, high));
        r.open = both.clone();
        return Ok(Eval::Conflict(BTreeSet::from([Conflict::Rules(both)])));
    }
    let mut value = value;
    if let Some(low) = low
        && number::compare(value, low)?.is_lt()
    {
        r.because.extend(at(&least, low));
        value = low;
    }
    if let Some(high) = high
        && number::compare(value, high)?.is_gt()
    {
        r.because.extend(at(&most, high));
        value = high;
    }
    Ok(Eval::Is(super::V::Plain(value.clone())))
}

/// Whether a clamp, alone, would change that value.
fn moves(clamp: &Contribution, value: &Value) -> Result<bool, Fault> {
    let order = number::compare(value, &clamp.value)?;
    Ok(match clamp.op {
        EffectOp::AtLeast => order.is_lt(),
        EffectOp::AtMost => order.is_gt(),
        _ => false,
    })
}

/// Whether two clamps cannot both hold.
fn opposed(a: &Contribution, b: &Contribution) -> Result<bool, Fault> {
    let (least, most) = match (a.op, b.op) {
        (EffectOp::AtLeast, EffectOp::AtMost) => (a, b),
        (EffectOp::AtMost, EffectOp::AtLeast) => (b, a),
        _ => return Ok(false),
    };
    Ok(number::compare(&least.value, &most.value)?.is_gt())
}
