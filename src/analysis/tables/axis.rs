//! The keys of a table as numbers: each column's values are cut into the pieces that its cells tell apart.
//!
//! Within a piece every cell of the column says the same, so a row is a box of pieces, and what rows leave open or have in
//! common is found by comparing numbers.
use crate::lang::typed::*;
use crate::program::dates;
use crate::program::literal::literal;
use crate::program::value::Value;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::Arc;

/// Pieces `start..end` of a column.
pub(super) type Pieces = Range<u32>;

/// Numbers are compared as multiples of this part of 1.
const SCALE: i128 = 1_000_000_000;

/// What a column's pieces stand for.
#[derive(Debug)]
enum Kind {
    /// One piece per member, `no` and `yes` included.
    Members(u32),
    /// One piece per node, in an order in which what lies below a node follows it. By node: its piece and where its branch ends.
    Nodes { order: Vec<u32>, branch: Vec<Pieces> },
    /// One piece per text that a cell names, then one for all others.
    Texts(Vec<Arc<str>>, FxHashMap<Arc<str>, u32>),
    /// Below the first bound, the bound, between it and the next, and so on.
    Bounds(Vec<(i128, Const)>),
}

/// One column, or the day on which a table is asked.
#[derive(Debug)]
pub(super) struct Axis {
    pub name: String,
    pub ty: Ty,
    kind: Kind,
    /// Of the pieces so far, how many have a value; by piece.
    live: Vec<u32>,
    /// The distance of two neighbouring values, scaled; `None`: there is always one between.
    step: Option<i128>,
    /// How many pieces there are, `absent` included.
    pub len: u32,
    absent: bool,
}

impl Axis {
    /// The column of a table; `None` where its cells are not compared by this analysis (two currencies, days with months).
    pub fn column<'t>(
        vocab: &Vocab,
        name: &str,
        ty: &Ty,
        tests: impl Iterator<Item = &'t Test>,
    ) -> Option<Axis> {
        let kind = match ty.inner() {
            Ty::Bool => Kind::Members(2),
            Ty::Enum(id) => Kind::Members(vocab.enums.get(id.ix())?.members.len() as u32),
            Ty::Node(id) => nodes(vocab.taxonomies.get(id.ix())?),
            Ty::Text => texts(tests),
            _ => Kind::Bounds(bounds(tests)?),
        };
        let step = match ty.inner() {
            Ty::Money => match &kind {
                Kind::Bounds(all) => match all.first() {
                    Some((_, Const::Money(_, c))) => scaled(&vocab.currencies.get(c.ix())?.step),
                    _ => None,
                },
                _ => None,
            },
            Ty::Unit(u) => scaled(&vocab.units.get(u.ix())?.step),
            Ty::Dec => None,
            _ => Some(SCALE),
        };
        let mut axis = Axis::new(name, ty, kind, step, ty.is_optional());
        // What counts from nothing is taken to be never less than nothing.
        if let Kind::Bounds(all) = &axis.kind
            && ty.inner().is_numeric()
            && all.first().is_some_and(|(low, _)| *low == 0)
        {
            axis.kill(0);
        }
        Some(axis)
    }

    /// The days on which rows are in force, within those of their policy.
    pub fn days(rows: &[Row], within: &DateRange) -> Axis {
        let ends = rows.iter().flat_map(|r| [r.dates.from, r.dates.before]);
        let mut days: Vec<i32> = ends.chain([within.from, within.before]).flatten().collect();
        days.sort_unstable();
        days.dedup();
        let bounds = days.iter().map(|d| (i128::from(*d) * SCALE, Const::Date(*d))).collect();
        let mut axis = Axis::new("the day", &Ty::Date, Kind::Bounds(bounds), Some(SCALE), false);
        let inside = axis.in_force(within);
        for piece in 0..axis.len {
            if !inside.contains(&piece) {
                axis.kill(piece);
            }
        }
        axis
    }

    fn new(name: &str, ty: &Ty, kind: Kind, step: Option<i128>, absent: bool) -> Axis {
        let mut axis =
            Axis { name: name.to_owned(), ty: ty.clone(), kind, live: Vec::new(), step, len: 0, absent };
        axis.len = axis.values() + u32::from(absent);
        axis.live = (1..=axis.len).collect();
        for piece in 0..axis.values() {
            if axis.is_between(piece) && !axis.has_room(piece) {
                axis.kill(piece);
            }
        }
        axis
    }

    /// Pieces besides `absent`.
    fn values(&self) -> u32 {
        match &self.kind {
            Kind::Members(n) => *n,
            Kind::Nodes { order, .. } => order.len() as u32,
            Kind::Texts(all, _) => all.len() as u32 + 1,
            Kind::Bounds(all) => 2 * all.len() as u32 + 1,
        }
    }

    fn is_between(&self, piece: u32) -> bool {
        matches!(self.kind, Kind::Bounds(_)) && piece.is_multiple_of(2)
    }

    /// Whether a value lies between two bounds.
    fn has_room(&self, piece: u32) -> bool {
        let Kind::Bounds(all) = &self.kind else { return true };
        let at = (piece / 2) as usize;
        match (at.checked_sub(1).and_then(|i| all.get(i)), all.get(at), self.step) {
            (Some((low, _)), Some((high, _)), Some(step)) => high - low > step,
            _ => true,
        }
    }

    fn kill(&mut self, piece: u32) {
        for count in self.live.iter_mut().skip(piece as usize) {
            *count = count.saturating_sub(1);
        }
    }

    /// Whether some value lies in these pieces.
    pub fn is_live(&self, pieces: &Pieces) -> bool {
        let until =
            |end: u32| end.checked_sub(1).and_then(|i| self.live.get(i as usize)).copied().unwrap_or(0);
        until(pieces.end) > until(pieces.start)
    }

    /// All pieces.
    pub fn whole(&self) -> Pieces {
        0..self.len
    }

    /// Where a bound stands.
    fn place(&self, c: &Const) -> Option<u32> {
        let Kind::Bounds(all) = &self.kind else { return None };
        let at = all.binary_search_by_key(&order(c)?, |(key, _)| *key).ok()?;
        Some(2 * at as u32 + 1)
    }

    /// The pieces in which a cell fits; `None` where that cannot be said.
    pub fn pieces(&self, test: &Test, threshold: bool) -> Option<Vec<Pieces>> {
        let values = self.values();
        let one = |piece: u32| run_of(piece, piece + 1);
        Some(match test {
            Test::Any | Test::Else => vec![self.whole()],
            Test::Absent => one(values),
            Test::Value(c) => match (&self.kind, c) {
                (Kind::Members(_), Const::Enum(m)) => one(*m),
                (Kind::Members(_), Const::Bool(b)) => one(u32::from(*b)),
                (Kind::Nodes { branch, .. }, Const::Node(n)) => vec![branch.get(*n as usize)?.clone()],
                (Kind::Texts(_, ids), Const::Text(t)) => one(*ids.get(t.as_str())?),
                (Kind::Bounds(_), c) if threshold => run_of(self.place(c)?, values),
                (Kind::Bounds(_), c) => one(self.place(c)?),
                _ => return None,
            },
            Test::Interval { low, high } => {
                let at = |c: &Const| match (&self.kind, c) {
                    (Kind::Members(_), Const::Enum(m)) => Some(*m),
                    _ => self.place(c),
                };
                let start = match low {
                    Some((c, inside)) => at(c)? + u32::from(!inside),
                    None => 0,
                };
                let end = match high {
                    Some((c, inside)) => at(c)? + u32::from(*inside),
                    None => values,
                };
                run_of(start, end)
            }
            Test::OneOf(tests) => {
                let mut all = Vec::new();
                for test in tests {
                    all.extend(self.pieces(test, threshold)?);
                }
                joined(all)
            }
        })
    }

    /// The pieces of the days of a row.
    pub fn in_force(&self, dates: &DateRange) -> Pieces {
        let at = |day: Option<i32>| day.and_then(|d| self.place(&Const::Date(d)));
        at(dates.from).unwrap_or(0)..at(dates.before).unwrap_or(self.len)
    }

    /// A value in the first of these pieces that has one.
    pub fn value(&self, pieces: &Pieces) -> Option<Value> {
        let piece = pieces.clone().find(|p| self.is_live(&(*p..p + 1)))?;
        if self.absent && piece == self.values() {
            return Some(Value::Absent);
        }
        Some(match &self.kind {
            Kind::Members(_) if *self.ty.inner() == Ty::Bool => Value::Bool(piece == 1),
            Kind::Members(_) => Value::Enum(piece),
            Kind::Nodes { order, .. } => Value::Node(*order.get(piece as usize)?),
            Kind::Texts(all, ids) => match all.get(piece as usize) {
                Some(text) => Value::Text(text.clone()),
                None => {
                    let other = (1..).map(|n| format!("X{n}")).find(|t| !ids.contains_key(t.as_str()))?;
                    Value::Text(other.into())
                }
            },
            Kind::Bounds(all) => {
                let at = (piece / 2) as usize;
                let step = self.step.unwrap_or(SCALE);
                match (at.checked_sub(1).and_then(|i| all.get(i)), all.get(at)) {
                    (_, Some((_, bound))) if piece % 2 == 1 => Value::of_const(bound),
                    // Between two bounds that are closer than a step of a type without steps: in the middle.
                    (Some((low, like)), Some((high, _))) if high - low <= step => {
                        between(like, (low + high) / 2)?
                    }
                    (Some((low, like)), _) => between(like, low + step)?,
                    (None, Some((high, like))) => between(like, high - step)?,
                    (None, None) => zero(&self.ty),
                }
            }
        })
    }

    /// What lies in these pieces, in words; `None` for everything.
    pub fn words(&self, vocab: &Vocab, pieces: &[Pieces]) -> Option<String> {
        let all: Vec<u32> = pieces.iter().cloned().flatten().filter(|p| self.is_live(&(*p..p + 1))).collect();
        if all.len() as u32 == self.live.last().copied().unwrap_or(0) {
            return None;
        }
        let absent = self.absent && all.last() == Some(&self.values());
        let values: Vec<u32> = all.iter().copied().filter(|p| *p < self.values()).collect();
        let show = |v: &Value| literal(vocab, &self.ty, v);
        let one = |piece: u32| self.value(&(piece..piece + 1)).map(|v| show(&v));
        let mut said: Vec<String> = match &self.kind {
            Kind::Members(_) => values.iter().filter_map(|p| one(*p)).collect(),
            Kind::Nodes { order, branch } => self.branches(vocab, order, branch, &values),
            Kind::Texts(texts, _) => {
                let other = texts.len() as u32;
                let name = |p: &u32| if *p == other { Some("any other text".to_owned()) } else { one(*p) };
                values.iter().filter_map(name).collect()
            }
            Kind::Bounds(bounds) => runs(&values).iter().map(|run| self.run(vocab, bounds, run)).collect(),
        };
        if absent {
            said.push("absent".to_owned());
        }
        const MOST: usize = 6;
        let more = said.len().saturating_sub(MOST);
        said.truncate(MOST);
        let more = if more > 0 { format!(" or {more} others") } else { String::new() };
        Some(format!("{}{more}", said.join(" or ")))
    }

    fn branches(&self, vocab: &Vocab, order: &[u32], branch: &[Pieces], pieces: &[u32]) -> Vec<String> {
        let mut said = Vec::new();
        let mut done = 0;
        for piece in pieces.iter().copied() {
            if piece < done {
                continue;
            }
            let Some(node) = order.get(piece as usize) else { continue };
            let name = literal(vocab, &self.ty, &Value::Node(*node));
            let below = branch.get(*node as usize).cloned().unwrap_or(piece..piece + 1);
            let whole = below.clone().all(|p| pieces.binary_search(&p).is_ok());
            if whole {
                done = below.end;
                said.push(name);
            } else {
                said.push(format!("{name} itself"));
            }
        }
        said
    }

    /// A run of neighbouring pieces of an ordered column.
    fn run(&self, vocab: &Vocab, bounds: &[(i128, Const)], run: &Pieces) -> String {
        let show = |i: u32| {
            let bound = bounds.get((i / 2) as usize).map(|(_, c)| Value::of_const(c));
            bound.map_or_else(String::new, |v| literal(vocab, &self.ty, &v))
        };
        let last = self.values();
        let date = matches!(self.ty.inner(), Ty::Date | Ty::DateTime);
        // Pieces that nothing lies in do not make a bound of their own.
        let start = (run.start..run.end).find(|p| self.is_live(&(*p..p + 1))).unwrap_or(run.start);
        let dead_below = start == 0 || !self.is_live(&(0..start));
        let low = match start {
            _ if dead_below && start == 0 => None,
            s if s % 2 == 1 => {
                Some(if date { format!("from {}", show(s)) } else { format!("{} and up", show(s)) })
            }
            s => Some(if date { format!("after {}", show(s - 2)) } else { format!("above {}", show(s - 2)) }),
        };
        let high = match run.end {
            e if e == last => None,
            e if e % 2 == 0 => {
                Some(if date { format!("through {}", show(e - 1)) } else { format!("up to {}", show(e - 1)) })
            }
            e => Some(if date { format!("before {}", show(e)) } else { format!("below {}", show(e)) }),
        };
        match (low, high) {
            _ if run.end - run.start == 1 && run.start % 2 == 1 => show(run.start),
            (Some(low), Some(high)) => format!("{low}, {high}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => "anything".to_owned(),
        }
    }
}

/// One run of pieces; none where it would be empty.
fn run_of(start: u32, end: u32) -> Vec<Pieces> {
    if start < end { std::iter::once(start..end).collect() } else { Vec::new() }
}

/// Pieces in order, those that touch as one.
pub(super) fn joined(mut all: Vec<Pieces>) -> Vec<Pieces> {
    all.sort_by_key(|p| (p.start, p.end));
    let mut joined: Vec<Pieces> = Vec::new();
    for piece in all {
        match joined.last_mut() {
            Some(last) if piece.start <= last.end => last.end = last.end.max(piece.end),
            _ => joined.push(piece),
        }
    }
    joined
}

fn runs(pieces: &[u32]) -> Vec<Pieces> {
    joined(pieces.iter().map(|p| *p..p + 1).collect())
}

fn nodes(taxonomy: &TaxonomyDef) -> Kind {
    let mut below: Vec<Vec<u32>> = vec![Vec::new(); taxonomy.nodes.len()];
    let mut todo: Vec<(u32, bool)> = Vec::new();
    for (i, node) in taxonomy.nodes.iter().enumerate() {
        match node.parent.and_then(|p| below.get_mut(p as usize)) {
            Some(children) => children.push(i as u32),
            None => todo.push((i as u32, false)),
        }
    }
    todo.reverse();
    let (mut order, mut branch) = (Vec::new(), vec![0..0; taxonomy.nodes.len()]);
    while let Some((node, done)) = todo.pop() {
        let here = order.len() as u32;
        let Some(range) = branch.get_mut(node as usize) else { continue };
        if done {
            range.end = here;
            continue;
        }
        *range = here..here;
        order.push(node);
        todo.push((node, true));
        todo.extend(below.get(node as usize).into_iter().flatten().rev().map(|c| (*c, false)));
    }
    Kind::Nodes { order, branch }
}

fn texts<'t>(tests: impl Iterator<Item = &'t Test>) -> Kind {
    let (mut all, mut ids): (Vec<Arc<str>>, FxHashMap<Arc<str>, u32>) = Default::default();
    for test in tests {
        constants(test, &mut |c| {
            if let Const::Text(text) = c
                && !ids.contains_key(text.as_str())
            {
                let text: Arc<str> = text.as_str().into();
                ids.insert(text.clone(), all.len() as u32);
                all.push(text);
            }
        });
    }
    Kind::Texts(all, ids)
}

/// The bounds of an ordered column, ascending; `None` where they do not all compare.
fn bounds<'t>(tests: impl Iterator<Item = &'t Test>) -> Option<Vec<(i128, Const)>> {
    let mut all: Vec<(i128, Const)> = Vec::new();
    let mut fine = true;
    for test in tests {
        constants(test, &mut |c| match order(c) {
            Some(key) => all.push((key, c.clone())),
            None => fine = false,
        });
    }
    all.sort_by_key(|(key, _)| *key);
    let same = |a: &Const, b: &Const| match (a, b) {
        (Const::Money(_, c), Const::Money(_, d)) => c == d,
        (Const::Period(Period::Days(_)), Const::Period(p)) => matches!(p, Period::Days(_)),
        (Const::Period(Period::Months(_)), Const::Period(p)) => matches!(p, Period::Months(_)),
        _ => true,
    };
    let first = all.first().map(|(_, c)| c.clone());
    fine &= first.is_none_or(|first| all.iter().all(|(_, c)| same(&first, c)));
    all.dedup_by_key(|(key, _)| *key);
    fine.then_some(all)
}

fn constants<'t>(test: &'t Test, f: &mut dyn FnMut(&'t Const)) {
    match test {
        Test::Value(c) => f(c),
        Test::Interval { low, high } => low.iter().chain(high).for_each(|(c, _)| f(c)),
        Test::OneOf(tests) => tests.iter().for_each(|t| constants(t, f)),
        Test::Any | Test::Else | Test::Absent => {}
    }
}

fn scaled(n: &BigRational) -> Option<i128> {
    let n = n * BigRational::from_integer(BigInt::from(SCALE));
    n.is_integer().then(|| n.to_integer().to_i128())?
}

/// Where an ordered constant lies among others of its type.
fn order(c: &Const) -> Option<i128> {
    match c {
        Const::Num(n) | Const::Money(n, _) => scaled(n),
        Const::Date(d) => Some(i128::from(*d) * SCALE),
        Const::DateTime(n) | Const::Duration(n) | Const::Period(Period::Days(n) | Period::Months(n)) => {
            Some(i128::from(*n) * SCALE)
        }
        Const::Enum(m) => Some(i128::from(*m) * SCALE),
        _ => None,
    }
}

/// The value at a place, of the kind of another one.
fn between(like: &Const, at: i128) -> Option<Value> {
    let number = || BigRational::new(BigInt::from(at), BigInt::from(SCALE));
    let whole = i64::try_from(at / SCALE).ok();
    Some(match like {
        Const::Money(_, c) => Value::Money(number(), *c),
        Const::Date(_) => Value::Date(whole.and_then(|d| i32::try_from(d).ok())?),
        Const::DateTime(_) => Value::DateTime(whole?),
        Const::Duration(_) => Value::Duration(whole?),
        Const::Period(Period::Days(_)) => Value::Period(Period::Days(whole?)),
        Const::Period(Period::Months(_)) => Value::Period(Period::Months(whole?)),
        _ => Value::Num(number()),
    })
}

/// A value of a type of which no cell names one.
fn zero(ty: &Ty) -> Value {
    match ty.inner() {
        Ty::Money => Value::Money(BigRational::from_integer(0.into()), CurrencyId(0)),
        Ty::Date => Value::Date(dates::from_ymd(2026, 7, 1).unwrap_or_default()),
        Ty::DateTime => Value::DateTime(0),
        Ty::Duration => Value::Duration(0),
        Ty::Period => Value::Period(Period::Days(0)),
        _ => Value::Num(BigRational::from_integer(0.into())),
    }
}
