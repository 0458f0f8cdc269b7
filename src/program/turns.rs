//! Whether an answer turns on a fact that is missing, found by running the code with values in its place.
//!
//! Where code leaves a run for want of a fact, the reference walk says which facts are missing, and takes a hundred times
//! as long. Two values in the fact's place that lead to different answers show that it is among them: a walk that
//! decided without it would be wrong about one of the two. Where no two are found, nothing is said.
use crate::lang::typed::{DecisionId, FactCallId, Period, RootId, Ty, Vocab};
use crate::program::code::{Code, Inst};
use crate::program::compile::Compiled;
use crate::program::facts::{CallFact, Facts, SCALE, Shape, Slot, Tag, pack_period};
use crate::program::limits::Limits;
use crate::program::literal::call_path;
use crate::program::outcome::Outcome;
use crate::program::value::Value;
use crate::program::vm::{Exit, Frame, Seen, argument, returned};
use crate::program::walk;
use num_traits::ToPrimitive;

/// Members of a closed type that are tried, half from each end.
const MEMBERS: usize = 8;

/// A fact that is not given.
#[derive(Clone, Debug, PartialEq)]
pub enum Lacking {
    Root(RootId),
    Call(FactCallId, Vec<Value>),
}

impl Lacking {
    /// Its name, as an outcome that is unknown names it.
    pub fn path(&self, vocab: &Vocab) -> String {
        match self {
            Lacking::Root(root) => vocab.roots.get(root.ix()).map(|r| r.name.clone()).unwrap_or_default(),
            Lacking::Call(fact, args) => call_path(vocab, *fact, args),
        }
    }
}

/// Decides, unless the code stops for want of a fact of which `waits` is true and on which the answer certainly turns:
/// then it is that fact.
///
/// # Errors
/// Not a fault: the fact that has to be found out first.
pub fn evaluate(
    compiled: &Compiled,
    decision: DecisionId,
    facts: &Facts,
    frame: &mut Frame,
    waits: impl FnOnce(&Lacking) -> bool,
) -> Result<Outcome, Lacking> {
    match compiled.run(decision, facts, frame) {
        Ok(()) => {
            if let Some(outcome) = compiled.outcome(decision, facts, frame) {
                return Ok(outcome);
            }
        }
        Err(exit) => {
            if let Some(lacking) = stopped_for(compiled, decision, facts, frame, exit)
                && waits(&lacking)
                && turns_on(compiled, decision, facts, frame, &lacking)
            {
                return Err(lacking);
            }
        }
    }
    Ok(walk::evaluate(compiled.linked(), decision, facts))
}

/// The fact for want of which a run has just stopped at an instruction; `None` if it stopped for something else.
/// Facts within others and in lists are not told: nobody is asked for them one by one.
fn stopped_for(
    compiled: &Compiled,
    decision: DecisionId,
    facts: &Facts,
    frame: &Frame,
    exit: Exit,
) -> Option<Lacking> {
    let (code, linked) = (compiled.code(decision)?, compiled.linked());
    let Exit::At(at) = exit else { return None };
    let slots: [Option<u32>; 2] = match *code.insts.get(at as usize)? {
        Inst::Slot { slot, .. } | Inst::SlotOpt { slot, .. } => [Some(slot), None],
        Inst::JSlotIs { slot, .. }
        | Inst::JSlotIsNot { slot, .. }
        | Inst::JSlot { slot, .. }
        | Inst::JSlotOpt { slot, .. }
        | Inst::JSlotReg { slot, .. }
        | Inst::JSlotIn { slot, .. } => [Some(slot.into()), None],
        Inst::JSlots { a, b, .. } => [Some(a.into()), Some(b.into())],
        Inst::Find { plan, .. } => [Some(code.plans.get(usize::from(plan))?.slot.into()), None],
        Inst::FactCall { call, args, .. } => {
            let call = code.calls.get(usize::from(call))?;
            let value = |(i, ty): (usize, &Ty)| {
                let reg = args.checked_add(u16::try_from(i).ok()?)?;
                Some(argument(code, linked, facts, frame, reg, ty))
            };
            let args = call.args.iter().enumerate().map(value).collect::<Option<Vec<Value>>>()?;
            let given = facts.calls.iter().any(|c| c.fact == call.fact && c.args == args);
            return (!given).then_some(Lacking::Call(call.fact, args));
        }
        _ => return None,
    };
    let missing = |slot: &u32| facts.slots.get(*slot as usize).is_some_and(|s| s.tag == Tag::Unknown);
    let slot = slots.into_iter().flatten().find(missing)?;
    let scalar =
        |place: &crate::program::facts::Place| place.slot == slot && matches!(place.shape, Shape::Scalar);
    let root = linked.layout.roots.iter().position(scalar)?;
    Some(Lacking::Root(RootId(root as u32)))
}

/// Whether the answer certainly turns on a fact that is not given: two values in its place lead to different answers.
fn turns_on(
    compiled: &Compiled,
    decision: DecisionId,
    facts: &Facts,
    frame: &mut Frame,
    lacking: &Lacking,
) -> bool {
    let Some(code) = compiled.code(decision) else { return false };
    let mut tried = facts.clone();
    let mut first: Option<Vec<Seen>> = None;
    for slot in trials(compiled, code, lacking) {
        put(compiled, &mut tried, lacking, slot);
        if compiled.run(decision, &tried, frame).is_err() {
            continue;
        }
        let answer = returned(code, compiled.linked(), decision, &tried, frame);
        match &first {
            None => first = Some(answer),
            Some(first) if *first != answer => return true,
            Some(_) => {}
        }
    }
    false
}

/// Gives a fact a value; the one that was given before is gone.
fn put(compiled: &Compiled, facts: &mut Facts, lacking: &Lacking, value: Slot) {
    match lacking {
        Lacking::Root(root) => {
            let place = compiled.linked().layout.roots.get(root.ix());
            if let Some(slot) = place.and_then(|p| facts.slots.get_mut(p.slot as usize)) {
                *slot = value;
            }
        }
        Lacking::Call(fact, args) => {
            match facts.calls.iter_mut().find(|c| c.fact == *fact && c.args == *args) {
                Some(call) => call.slot = value,
                None => facts.calls.push(CallFact { fact: *fact, args: args.clone(), slot: value }),
            }
        }
    }
}

/// A few values that a fact may have; they need not be many: where none of them matters, the walk is asked.
fn trials(compiled: &Compiled, code: &Code, lacking: &Lacking) -> Vec<Slot> {
    let vocab = &compiled.linked().rulebook.vocab;
    let (ty, limits) = match lacking {
        Lacking::Root(root) => match compiled.linked().layout.roots.get(root.ix()) {
            Some(place) => (&place.ty, place.limits.as_deref()),
            None => return Vec::new(),
        },
        Lacking::Call(fact, _) => match vocab.fact_calls.get(fact.ix()) {
            Some(def) => (&def.ty, compiled.call_limits(*fact)),
            None => return Vec::new(),
        },
    };
    let currency = vocab.currencies.get(usize::from(code.currency));
    let step = match ty.inner() {
        Ty::Money => currency.map(|c| &c.step),
        Ty::Unit(unit) => vocab.units.get(unit.ix()).map(|u| &u.step),
        _ => None,
    };
    let step =
        step.and_then(|step| SCALE.checked_mul(step.numer().to_i64()?)?.checked_div(step.denom().to_i64()?));
    let step = step.filter(|step| *step > 0).unwrap_or(1);
    let bits: Vec<i64> = match ty.inner() {
        Ty::Bool => vec![0, 1],
        Ty::Enum(id) => members(vocab.enums.get(id.ix()).map_or(0, |e| e.members.len())),
        Ty::Node(id) => members(vocab.taxonomies.get(id.ix()).map_or(0, |t| t.nodes.len())),
        Ty::Int | Ty::Duration => spread(1, limits),
        Ty::Dec | Ty::Unit(_) | Ty::Money => spread(SCALE, limits),
        Ty::Period => [0, 1, 30, 365].map(|n| pack_period(Period::Days(n))).to_vec(),
        Ty::Date | Ty::DateTime => limits.iter().flat_map(|l| [l.min, l.max]).collect(),
        _ => Vec::new(),
    };
    let absent = ty.is_optional().then_some(Slot::ABSENT);
    let money = matches!(ty.inner(), Ty::Money);
    let slot = |bits: i64| Slot { currency: if money { code.currency } else { 0 }, ..Slot::value(bits) };
    let may_be = |slot: &Slot| {
        slot.bits % step == 0
            && slot.bits.checked_abs().is_some_and(|n| n < i64::MAX)
            && limits.is_none_or(|l| l.hold(slot, &[]))
    };
    absent.into_iter().chain(bits.into_iter().map(slot).filter(may_be)).collect()
}

/// Members by number, from both ends.
fn members(count: usize) -> Vec<i64> {
    let all = 0..count as i64;
    let from_the_end = all.clone().rev().take(MEMBERS / 2);
    let mut some: Vec<i64> = all.clone().take(MEMBERS / 2).chain(from_the_end).collect();
    some.sort_unstable();
    some.dedup();
    some
}

/// Numbers of several sizes, and the ends of the bounds first: what counts is decided between them.
fn spread(one: i64, limits: Option<&Limits>) -> Vec<i64> {
    let ends = limits.iter().flat_map(|l| [l.min, l.max]).collect::<Vec<_>>();
    let sizes = [0, 1, 10, 100, 10_000, -1].into_iter().map(|n: i64| n.saturating_mul(one));
    ends.into_iter().chain(sizes).collect()
}
