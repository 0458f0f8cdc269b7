//! What contributions amount to where binding rules take part, and which of them decided: as the reference walk has it,
//! over bits.
use crate::lang::typed::{Better, EffectOp, Mode, OutputDef, RuleId};
use crate::program::code::{ABSENT, Code, CombineSpec, EffectSite, OutPlace};
use crate::program::vm::fraction::Fraction;
use crate::program::vm::{Contribution, Frame};
use std::collections::BTreeSet;

/// An effect that stands, with its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    site: EffectSite,
    value: i64,
}

impl Standing {
    fn clamps(&self) -> bool {
        matches!(self.site.op, EffectOp::AtLeast | EffectOp::AtMost)
    }
    fn gives(&self) -> bool {
        matches!(self.site.op, EffectOp::Set | EffectOp::Add)
    }
}

/// A value that the binding contributions of a layer hold against more specific layers.
struct Bound {
    rank: u32,
    value: i64,
    holders: Vec<RuleId>,
}

/// Who decided an output, and who was set aside.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub deciding: BTreeSet<RuleId>,
    pub set_aside: BTreeSet<(RuleId, RuleId)>,
}

/// The effects noted for a combination (of one line, if so asked).
fn noted<'a>(
    code: &'a Code,
    contributions: &'a [Contribution],
    out: u16,
    line: Option<u32>,
) -> impl Iterator<Item = Standing> + 'a {
    contributions.iter().filter_map(move |c| {
        let site = code.effects.get(c.site as usize).filter(|s| s.out == out)?;
        line.is_none_or(|l| l == c.elem).then_some(Standing { site: *site, value: c.value })
    })
}

/// Contributions and removals of an output combined; `None` leaves the run.
pub(super) fn value(
    code: &Code,
    contributions: &[Contribution],
    standing: &mut Vec<Standing>,
    out: u16,
) -> Option<i64> {
    let spec = code.combines.get(usize::from(out))?;
    standing.clear();
    standing.extend(noted(code, contributions, out, None).filter(|s| !s.clamps()));
    match spec.mode {
        Mode::One | Mode::Max | Mode::Min => {
            single(spec, standing, &mut Vec::new(), |_, _| {}).map(|v| v.unwrap_or(ABSENT))
        }
        Mode::All => Some(union(standing, |_| {}, |_, _| {})),
        Mode::Sum => standing.iter().try_fold(0i64, |sum, s| super::sum(sum, s.value)),
        Mode::Each => Some(1),
    }
}

/// A value after all clamps of an output; `None` leaves the run.
pub(super) fn clamped(
    code: &Code,
    contributions: &[Contribution],
    standing: &mut Vec<Standing>,
    out: u16,
    value: i64,
) -> Option<i64> {
    if value == ABSENT {
        return Some(value);
    }
    let spec = code.combines.get(usize::from(out))?;
    let mut bounds = Vec::new();
    if matches!(spec.mode, Mode::One | Mode::Max | Mode::Min) {
        standing.clear();
        standing.extend(noted(code, contributions, out, None).filter(|s| !s.clamps()));
        single(spec, standing, &mut bounds, |_, _| {})?;
    }
    standing.clear();
    standing.extend(noted(code, contributions, out, None).filter(Standing::clamps));
    clamp(spec, standing, &bounds, value, |_| {}, |_, _| {})
}

/// Whether a value is better for the customer, where the output says which way is.
fn kinder(spec: &CombineSpec, value: i64, than: i64) -> bool {
    match spec.better {
        Some(Better::Higher) => value > than,
        Some(Better::Lower) => value < than,
        None => false,
    }
}

/// `one`, `max` and `min`: what binds, rank by rank, then what is left. Outer `None`: a conflict.
fn single(
    spec: &CombineSpec,
    standing: &mut Vec<Standing>,
    bounds: &mut Vec<Bound>,
    mut aside: impl FnMut(RuleId, RuleId),
) -> Option<Option<i64>> {
    let mut done: Option<u32> = None;
    loop {
        let ranks = standing.iter().filter(|s| s.site.binding && done.is_none_or(|d| s.site.rank > d));
        let Some(rank) = ranks.map(|s| s.site.rank).min() else { break };
        done = Some(rank);
        let binds = |s: &Standing| s.site.binding && s.site.rank == rank;
        let Some(Some(bound)) = combine(spec.mode, standing.iter().filter(|s| binds(s))) else { continue };
        let kinder = |v: i64| kinder(spec, v, bound);
        let keeps = |s: &Standing| s.site.rank <= rank || s.value == bound || kinder(s.value);
        let holding = standing.iter().filter(|h| binds(h) && h.value == bound);
        let holders: Vec<RuleId> = holding.map(|h| h.site.rule).collect();
        for s in standing.iter().filter(|s| !keeps(s)) {
            holders.iter().for_each(|holder| aside(*holder, s.site.rule));
        }
        let replaced = spec.mode == Mode::One
            && standing.iter().any(|s| s.site.rank > rank && s.value != bound && kinder(s.value));
        standing.retain(|s| keeps(s) && !(replaced && binds(s)));
        bounds.push(Bound { rank, value: bound, holders });
    }
    combine(spec.mode, standing.iter())
}

fn combine<'a>(mode: Mode, standing: impl Iterator<Item = &'a Standing>) -> Option<Option<i64>> {
    let mut values = standing.map(|s| s.value);
    match mode {
        Mode::Max => Some(values.max()),
        Mode::Min => Some(values.min()),
        _ => {
            let Some(first) = values.next() else { return Some(None) };
            values.all(|v| v == first).then_some(Some(first))
        }
    }
}

/// `all`: what is added, minus what is removed and not held by a binding rule.
fn union(
    standing: &[Standing],
    mut removes: impl FnMut(RuleId),
    mut aside: impl FnMut(RuleId, RuleId),
) -> i64 {
    let added = || standing.iter().filter(|s| s.gives());
    let all = added().fold(0, |mask, s| mask | s.value);
    let mut gone = 0;
    for removal in standing.iter().filter(|s| s.site.op == EffectOp::Remove) {
        let holds =
            |s: &&Standing| s.site.binding && s.site.rank < removal.site.rank && s.value & removal.value != 0;
        let held = added().filter(holds).fold(0, |mask, s| mask | s.value);
        if removal.value & all & !held != 0 {
            removes(removal.site.rule);
        }
        gone |= removal.value & !held;
        added().filter(holds).for_each(|s| aside(s.site.rule, removal.site.rule));
    }
    all & !gone
}

/// `at least`, then `at most`. A binding contribution sets aside the clamps of more specific layers that would move its
/// value (but not to the kinder side), then a binding clamp those that are opposed to it.
fn clamp(
    spec: &CombineSpec,
    clamps: &[Standing],
    bounds: &[Bound],
    mut value: i64,
    mut changes: impl FnMut(RuleId),
    mut aside: impl FnMut(RuleId, RuleId),
) -> Option<i64> {
    let opposed = |a: &Standing, b: &Standing| match (a.site.op, b.site.op) {
        (EffectOp::AtLeast, EffectOp::AtMost) => a.value > b.value,
        (EffectOp::AtMost, EffectOp::AtLeast) => b.value > a.value,
        _ => false,
    };
    // One bit per clamp; more than 64 at once are left to the walk.
    if clamps.len() > 64 {
        return None;
    }
    let mut out = 0u64;
    for bound in bounds {
        for (i, s) in clamps.iter().enumerate() {
            let moves = match s.site.op {
                EffectOp::AtLeast => s.value > bound.value,
                EffectOp::AtMost => s.value < bound.value,
                _ => false,
            };
            let free = s.site.rank <= bound.rank || out >> i & 1 != 0;
            if !free && moves && !kinder(spec, s.value, bound.value) {
                bound.holders.iter().for_each(|holder| aside(*holder, s.site.rule));
                out |= 1 << i;
            }
        }
    }
    let mut done: Option<u32> = None;
    loop {
        let ranks = clamps.iter().filter(|s| s.site.binding && done.is_none_or(|d| s.site.rank > d));
        let Some(rank) = ranks.map(|s| s.site.rank).min() else { break };
        done = Some(rank);
        for (i, holder) in clamps.iter().enumerate() {
            if !holder.site.binding || holder.site.rank != rank || out >> i & 1 != 0 {
                continue;
            }
            for (j, other) in clamps.iter().enumerate() {
                if other.site.rank > rank && opposed(holder, other) {
                    aside(holder.site.rule, other.site.rule);
                    out |= 1 << j;
                }
            }
        }
    }
    let side = |op: EffectOp| {
        clamps.iter().enumerate().filter(move |(i, s)| s.site.op == op && out >> i & 1 == 0).map(|(_, s)| s)
    };
    let low = side(EffectOp::AtLeast).map(|s| s.value).max();
    let high = side(EffectOp::AtMost).map(|s| s.value).min();
    if let (Some(low), Some(high)) = (low, high)
        && low > high
    {
        return None;
    }
    for (op, bound, beyond) in [
        (EffectOp::AtLeast, low, low > Some(value)),
        (EffectOp::AtMost, high, high.is_some_and(|h| h < value)),
    ] {
        if let Some(bound) = bound
            && beyond
        {
            side(op).filter(|s| s.value == bound).for_each(|s| changes(s.site.rule));
            value = bound;
        }
    }
    Some(value)
}

/// Who decided an output of a finished run.
pub(super) fn told(code: &Code, frame: &Frame, out: u16, place: &OutPlace, def: &OutputDef) -> Told {
    let mut told = Told::default();
    let Some(spec) = code.combines.get(usize::from(out)) else { return told };
    match place {
        OutPlace::Lines { start, len, fractions: true } => {
            for line in 0..u32::try_from(frame.reg(*len)).unwrap_or(0) {
                let at = frame.reg(*start) as usize + line as usize;
                let result = frame.fraction_vals.get(at).copied().unwrap_or(Fraction::ABSENT);
                tell_fraction(code, frame, out, Some(line), result, def.mode, &mut told);
            }
        }
        OutPlace::Lines { len, .. } => {
            for line in 0..u32::try_from(frame.reg(*len)).unwrap_or(0) {
                tell(code, frame, out, spec, Some(line), &mut told);
            }
        }
        OutPlace::Fraction(q) => {
            let result = frame.fractions.get(usize::from(*q)).copied().unwrap_or(Fraction::ABSENT);
            tell_fraction(code, frame, out, None, result, def.mode, &mut told);
        }
        OutPlace::Reg(_) | OutPlace::Records { .. } => tell(code, frame, out, spec, None, &mut told),
    }
    told
}

/// Fractions have neither binding rules nor clamps.
fn tell_fraction(
    code: &Code,
    frame: &Frame,
    out: u16,
    line: Option<u32>,
    result: Fraction,
    mode: Mode,
    told: &mut Told,
) {
    for s in noted(code, &frame.contributions, out, line) {
        let value = frame.fraction_notes.get(s.value as usize).copied().unwrap_or(Fraction::ABSENT);
        if mode == Mode::Sum || value.compare(result).is_some_and(|o| o.is_eq()) {
            told.deciding.insert(s.site.rule);
        }
    }
}

fn tell(code: &Code, frame: &Frame, out: u16, spec: &CombineSpec, line: Option<u32>, told: &mut Told) {
    let all = || noted(code, &frame.contributions, out, line);
    let Told { deciding, set_aside } = told;
    let mut standing: Vec<Standing> = all().filter(|s| !s.clamps()).collect();
    let mut bounds = Vec::new();
    match spec.mode {
        Mode::One | Mode::Max | Mode::Min => {
            let combined = single(spec, &mut standing, &mut bounds, |holder, other| {
                set_aside.insert((holder, other));
            });
            let decides = |s: &&Standing| Some(Some(s.value)) == combined;
            deciding.extend(standing.iter().filter(decides).map(|s| s.site.rule));
        }
        Mode::All => {
            deciding.extend(standing.iter().filter(|s| s.gives()).map(|s| s.site.rule));
            let removes = |rule| {
                deciding.insert(rule);
            };
            union(&standing, removes, |holder, other| {
                set_aside.insert((holder, other));
            });
        }
        Mode::Sum | Mode::Each => deciding.extend(standing.iter().map(|s| s.site.rule)),
    }
    let clamps: Vec<Standing> = all().filter(Standing::clamps).collect();
    if let Some(before) = spec.before
        && !clamps.is_empty()
    {
        let before = match line {
            None => Some(frame.reg(before)),
            Some(line) => frame.vals.get(frame.reg(before) as usize + line as usize).copied(),
        };
        if let Some(before) = before.filter(|b| *b != ABSENT) {
            let changes = |rule| {
                deciding.insert(rule);
            };
            clamp(spec, &clamps, &bounds, before, changes, |holder, other| {
                set_aside.insert((holder, other));
            });
        }
    }
}
