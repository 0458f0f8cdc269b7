//! What an expression is while it is walked: a state, and for unknowns the values that it may still have.
use crate::lang::typed::Label;
use crate::program::outcome::{Conflict, Fault, State};
use crate::program::value::Value;
use crate::program::walk::given::Entity;
use std::collections::BTreeSet;
use std::rc::Rc;

/// The most combinations of candidates that are tried, and the most candidates that a type gives.
pub const MAX_CANDIDATES: usize = 16;

/// A value on the way: entities and lists of facts are read only where they are looked into.
#[derive(Clone, Debug, PartialEq)]
pub enum V<'a> {
    /// Anything but lists (which are [`V::List`] while they are walked).
    Plain(Value),
    /// An entity given as facts; known to be present or not known whether.
    Entity(Rc<Entity<'a>>),
    List(Rc<Vec<Item<'a>>>),
}

/// An element of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Item<'a> {
    pub state: Eval<'a>,
    /// Its place in the root list that it comes from; a filtered list keeps it.
    pub index: Option<usize>,
}

/// The state of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Eval<'a> {
    /// A value, or absent.
    Is(V<'a>),
    Unknown {
        facts: BTreeSet<String>,
        /// Distinct scalars, ascending, at least two.
        candidates: Option<Vec<Value>>,
    },
    Undecided(BTreeSet<Label>),
    Conflict(BTreeSet<Conflict>),
    Faulty(BTreeSet<Fault>),
}

impl<'a> V<'a> {
    /// A value of an outcome as a value on the way.
    pub fn of(value: Value) -> V<'a> {
        match value {
            Value::List(items) => {
                let item = |(i, v): (usize, &Value)| Item { state: Eval::of(v.clone()), index: Some(i) };
                V::List(Rc::new(items.iter().enumerate().map(item).collect()))
            }
            other => V::Plain(other),
        }
    }
    /// The scalar, set or record; absent for what is none (which the checker rules out).
    pub fn plain(&self) -> &Value {
        match self {
            V::Plain(value) => value,
            _ => &Value::Absent,
        }
    }
    pub fn is_absent(&self) -> bool {
        matches!(self, V::Plain(Value::Absent))
    }
    pub fn is_true(&self) -> bool {
        matches!(self, V::Plain(Value::Bool(true)))
    }
    /// Whether candidates may be of this kind.
    fn is_scalar(&self) -> bool {
        matches!(self, V::Plain(v) if !matches!(v, Value::List(_) | Value::Set(_) | Value::Record(..)))
    }
}

impl<'a> Eval<'a> {
    pub fn of(value: Value) -> Eval<'a> {
        Eval::Is(V::of(value))
    }
    pub fn bool(b: bool) -> Eval<'a> {
        Eval::Is(V::Plain(Value::Bool(b)))
    }
    pub fn absent() -> Eval<'a> {
        Eval::Is(V::Plain(Value::Absent))
    }
    pub fn fault(fault: Fault) -> Eval<'a> {
        Eval::Faulty(BTreeSet::from([fault]))
    }
    pub fn undecided(question: &Label) -> Eval<'a> {
        Eval::Undecided(BTreeSet::from([question.clone()]))
    }
    /// Unknown for want of one fact.
    pub fn unknown(path: &str) -> Eval<'a> {
        Eval::Unknown { facts: BTreeSet::from([path.to_owned()]), candidates: None }
    }
    pub fn from_result(result: Result<Value, Fault>) -> Eval<'a> {
        match result {
            Ok(value) => Eval::of(value),
            Err(fault) => Eval::fault(fault),
        }
    }
    /// The value, if it is one.
    pub fn value(&self) -> Option<&V<'a>> {
        match self {
            Eval::Is(v) => Some(v),
            _ => None,
        }
    }
    pub fn is_value(&self) -> bool {
        matches!(self, Eval::Is(_))
    }
    pub fn is_true(&self) -> bool {
        matches!(self, Eval::Is(v) if v.is_true())
    }
    /// Certainly false: a value other than true.
    pub fn is_false(&self) -> bool {
        matches!(self, Eval::Is(v) if !v.is_true())
    }
    /// Undecided, in conflict or faulty: no missing fact makes a value of it.
    pub fn is_stuck(&self) -> bool {
        self.badness() > 1
    }
    /// From 0 for a value to 4 for faulty.
    pub fn badness(&self) -> u8 {
        match self {
            Eval::Is(_) => 0,
            Eval::Unknown { .. } => 1,
            Eval::Undecided(_) => 2,
            Eval::Conflict(_) => 3,
            Eval::Faulty(_) => 4,
        }
    }
    /// The same without candidates.
    pub fn plain_unknown(self) -> Eval<'a> {
        match self {
            Eval::Unknown { facts, .. } => Eval::Unknown { facts, candidates: None },
            other => other,
        }
    }
    /// The values that it may have: its value, or its candidates.
    pub fn known_values(&self) -> Option<Vec<V<'a>>> {
        match self {
            Eval::Is(v) => Some(vec![v.clone()]),
            Eval::Unknown { candidates: Some(values), .. } => {
                Some(values.iter().cloned().map(V::of).collect())
            }
            _ => None,
        }
    }
    /// As an outcome says it; the values in it are plain (see `Walk::plain`).
    pub fn into_state(self) -> State {
        match self {
            Eval::Is(V::Plain(value)) => State::Value(value),
            Eval::Is(_) => State::Value(Value::Absent),
            Eval::Unknown { facts, .. } => State::Unknown(facts),
            Eval::Undecided(questions) => State::Undecided(questions),
            Eval::Conflict(conflicts) => State::Conflict(conflicts),
            Eval::Faulty(faults) => State::Faulty(faults),
        }
    }
}

/// The worst of several states, causes joined; `None` if all are values.
pub fn worst<'a, 's>(states: impl IntoIterator<Item = &'s Eval<'a>>) -> Option<Eval<'a>>
where
    'a: 's,
{
    let mut worst: Option<Eval<'a>> = None;
    for state in states {
        match &mut worst {
            _ if state.is_value() => {}
            None => worst = Some(state.clone().plain_unknown()),
            Some(w) if state.badness() > w.badness() => *w = state.clone().plain_unknown(),
            Some(w) => match (w, state) {
                (Eval::Unknown { facts, .. }, Eval::Unknown { facts: more, .. }) => {
                    facts.extend(more.iter().cloned());
                }
                (Eval::Undecided(all), Eval::Undecided(more)) => all.extend(more.iter().cloned()),
                (Eval::Conflict(all), Eval::Conflict(more)) => all.extend(more.iter().cloned()),
                (Eval::Faulty(all), Eval::Faulty(more)) => all.extend(more.iter().cloned()),
                _ => {}
            },
        }
    }
    worst
}

/// The worst of several states, one of which it will be, if no value comes of any.
pub fn all_stuck<'a>(alternatives: &[Eval<'a>]) -> Option<Eval<'a>> {
    alternatives.iter().all(Eval::is_stuck).then(|| worst(alternatives))?
}

/// An operation on operands: the worst of their states; of values, what `f` makes of them; of candidates, what `f`
/// makes of every combination.
pub fn apply<'a>(operands: &[Eval<'a>], mut f: impl FnMut(&[V<'a>]) -> Eval<'a>) -> Eval<'a> {
    let Some(bad) = worst(operands) else {
        let values: Vec<V<'a>> = operands.iter().filter_map(|o| o.value().cloned()).collect();
        return f(&values);
    };
    if bad.is_stuck() {
        return bad;
    }
    match combinations(operands) {
        Some(all) => gather(bad, all.iter().map(|values| f(values)).collect()),
        None => bad,
    }
}

/// Every combination of the operands' known values; `None` if some operand has none known, or there are too many.
pub fn combinations<'a>(operands: &[Eval<'a>]) -> Option<Vec<Vec<V<'a>>>> {
    let mut all: Vec<Vec<V<'a>>> = vec![Vec::new()];
    for operand in operands {
        let values = operand.known_values()?;
        if all.len() * values.len() > MAX_CANDIDATES {
            return None;
        }
        let extended = |c: &Vec<V<'a>>, v: &V<'a>| c.iter().cloned().chain([v.clone()]).collect::<Vec<_>>();
        all = all.iter().flat_map(|c| values.iter().map(|v| extended(c, v)).collect::<Vec<_>>()).collect();
    }
    Some(all)
}

/// What several possible results amount to, `unknown` being the state if they do not agree: equal values decide,
/// different scalars are candidates, and if no value comes of any of them, none will.
pub fn gather<'a>(unknown: Eval<'a>, results: Vec<Eval<'a>>) -> Eval<'a> {
    if let Some(stuck) = all_stuck(&results) {
        return stuck;
    }
    let mut distinct: Vec<V<'a>> = Vec::new();
    for result in results {
        match result {
            Eval::Is(v) if distinct.contains(&v) => {}
            Eval::Is(v) => distinct.push(v),
            _ => return unknown.plain_unknown(),
        }
    }
    match (unknown, distinct.as_slice()) {
        (_, [one]) => Eval::Is(one.clone()),
        (Eval::Unknown { facts, .. }, many)
            if !many.is_empty() && many.len() <= MAX_CANDIDATES && many.iter().all(V::is_scalar) =>
        {
            let mut candidates: Vec<Value> = many.iter().map(|v| v.plain().clone()).collect();
            candidates.sort();
            Eval::Unknown { facts, candidates: Some(candidates) }
        }
        (unknown, _) => unknown.plain_unknown(),
    }
}

/// Kleene `and`: the right side is not looked at if the left is false.
pub fn and<'a>(left: Eval<'a>, right: impl FnOnce() -> Eval<'a>) -> Eval<'a> {
    junction(left, right, true)
}

/// Kleene `or`: the right side is not looked at if the left is true.
pub fn or<'a>(left: Eval<'a>, right: impl FnOnce() -> Eval<'a>) -> Eval<'a> {
    junction(left, right, false)
}

fn junction<'a>(left: Eval<'a>, right: impl FnOnce() -> Eval<'a>, and: bool) -> Eval<'a> {
    // `and` is decided by false, `or` by true, from either side.
    let decides = |s: &Eval<'a>| if and { s.is_false() } else { s.is_true() };
    if decides(&left) {
        return Eval::bool(!and);
    }
    let right = right();
    if decides(&right) {
        return Eval::bool(!and);
    }
    // What is missing on one side may decide, however stuck the other one is.
    match (left, right) {
        (open @ Eval::Unknown { .. }, stuck) | (stuck, open @ Eval::Unknown { .. }) if stuck.is_stuck() => {
            open.plain_unknown()
        }
        (left, right) => both(&[left, right], and),
    }
}

fn both<'a>(sides: &[Eval<'a>], and: bool) -> Eval<'a> {
    apply(sides, |v| {
        let mut truths = v.iter().map(V::is_true);
        Eval::bool(if and { truths.all(|t| t) } else { truths.any(|t| t) })
    })
}

/// Kleene `not`.
pub fn not<'a>(state: Eval<'a>) -> Eval<'a> {
    apply(&[state], |v| Eval::bool(!v.iter().any(V::is_true)))
}
