//! The values worth trying for a fact: one of each part of its partition, given the facts chosen so far.
use crate::analysis::space::reads::{Against, Class, MOST_NODES, Offset, Reads, closed};
use crate::analysis::space::{MOST_ROWS, Pick, Space};
use crate::lang::typed::*;
use crate::program::dates;
use crate::program::facts::{SCALE, Slot, Tag, pack_period};
use crate::program::value::Value;
use crate::program::walk::{Eval, Seen, V, watch};
use num_rational::BigRational;
use num_traits::ToPrimitive;
use std::collections::BTreeSet;

/// More values than this are not tried for one fact.
const MOST_VALUES: usize = 96;
/// A day like any other: 2026-03-02.
const ANY_DAY: i64 = 20_514;

/// What may be tried for a fact.
#[derive(Clone, Debug)]
pub struct Domain {
    pub picks: Vec<Pick>,
    /// The facts by which the values were found.
    pub depends: BTreeSet<usize>,
    /// Whether values had to be left out.
    pub truncated: bool,
}

/// What an expression that a fact is compared with comes to, and the facts that it depends on.
struct Compared {
    /// `None`: it is not known yet. Otherwise its bits, if it has any, and whether they say it exactly.
    value: Option<(Option<i64>, bool)>,
    depends: BTreeSet<usize>,
}

impl<'p> Space<'p> {
    /// The values worth trying for a fact that is read as `reads` says.
    pub fn domain(&mut self, decision: DecisionId, reads: &Reads<'p>, at: usize) -> Domain {
        let mut domain = Domain { picks: Vec::new(), depends: BTreeSet::new(), truncated: false };
        let Some(var) = self.var(at).cloned() else { return domain };
        let vocab = &self.linked.rulebook.vocab;
        let scalars = |bits: &mut dyn Iterator<Item = i64>| -> Vec<Pick> {
            bits.map(|b| Pick::Scalar(Slot::value(b))).collect()
        };
        match var.ty.inner() {
            Ty::Entity(_) => domain.picks.push(Pick::Present),
            Ty::List(_) | Ty::Set(_) => {
                domain.picks.extend([1, 0].map(Pick::Rows));
                domain.picks.extend((2..=MOST_ROWS).map(Pick::Rows));
            }
            Ty::Bool => domain.picks = scalars(&mut [0, 1].into_iter()),
            Ty::Enum(id) => {
                let count = vocab.enums.get(id.ix()).map_or(0, |e| e.members.len()) as i64;
                domain.picks = scalars(&mut (0..count));
            }
            Ty::Node(id) => {
                let nodes = self.nodes(*id, reads);
                domain.truncated = nodes.len() > MOST_NODES;
                domain.picks = scalars(&mut nodes.into_iter().take(MOST_NODES));
            }
            _ => self.open_values(decision, reads, at, &mut domain),
        }
        if var.ty.is_optional() {
            let first = if var.is_entity() || var.is_list() { domain.picks.len() } else { 0 };
            domain.picks.insert(first, Pick::Absent);
        }
        domain
    }

    /// One node of each kind that `reads` tells apart: two nodes that lie below the same mentioned nodes are alike.
    fn nodes(&self, id: TaxonomyId, reads: &Reads<'p>) -> Vec<i64> {
        let Some(taxonomy) = self.linked.rulebook.vocab.taxonomies.get(id.ix()) else { return Vec::new() };
        let all = 0..taxonomy.nodes.len() as u32;
        if reads.open_nodes.contains(&id) {
            return all.map(i64::from).collect();
        }
        let mentioned: Vec<u32> = reads.nodes.iter().filter(|(t, _)| *t == id).map(|(_, n)| *n).collect();
        let mut kinds: BTreeSet<(Vec<bool>, bool)> = BTreeSet::new();
        let mut kept = Vec::new();
        for node in all {
            let below = mentioned.iter().map(|m| taxonomy.is_under(node, *m)).collect();
            // What equals a mentioned node is told apart from what lies below it.
            if kinds.insert((below, mentioned.contains(&node))) {
                kept.push(i64::from(node));
            }
        }
        kept
    }

    /// Numbers, dates, spans of time and texts.
    fn open_values(&mut self, decision: DecisionId, reads: &Reads<'p>, at: usize, domain: &mut Domain) {
        let Some(var) = self.var(at).cloned() else { return };
        let none = BTreeSet::new();
        let (mut near, mut currency) = (Vec::new(), 0u8);
        for against in self.against(reads, at) {
            let compared = self.compared(decision, at, &against);
            domain.depends.extend(compared.depends);
            near.extend(compared.value.and_then(|(bits, _)| bits));
        }
        for (class, offset) in reads.pairs.get(&var.class).unwrap_or(&BTreeSet::new()) {
            for other in self.fellows(at, *class) {
                domain.depends.insert(other);
                match self.pick(other) {
                    Some(Pick::Scalar(slot)) => {
                        currency = slot.currency;
                        near.extend(shifted(slot.bits, *offset));
                    }
                    Some(_) => {}
                    None => {
                        for point in reads.points.get(class).unwrap_or(&none) {
                            near.extend(shifted(*point, *offset));
                        }
                    }
                }
            }
        }
        let points = reads.points.get(&var.class).unwrap_or(&none).iter().copied();
        let hints = reads.hints.get(&var.class).unwrap_or(&none).iter().copied();
        let mut bits: Vec<i64> = Vec::new();
        let mut seen: BTreeSet<i64> = BTreeSet::new();
        let step = self.step(&var.ty);
        let is_text = *var.ty.inner() == Ty::Text;
        if is_text {
            bits.push(self.other_text(0).bits);
        } else {
            bits.push(self.usual(&var.ty));
        }
        seen.extend(&bits);
        for bit in near.into_iter().chain(points).chain(hints) {
            let around = if is_text {
                vec![bit]
            } else {
                let on = bit.div_euclid(step).saturating_mul(step);
                vec![on, on.saturating_sub(step), on.saturating_add(step)]
            };
            for bit in around {
                if seen.insert(bit) {
                    bits.push(bit);
                }
            }
        }
        if is_text {
            // Another text that is not mentioned: one to be told apart from the first.
            bits.insert(bits.len().min(MOST_VALUES - 1), self.other_text(1).bits);
        }
        if let Some(limits) = &var.limits {
            // Where the usual value lies outside, and no constant within, the ends stand for all others.
            let step_down = limits.max.div_euclid(step).saturating_mul(step);
            let step_up = -(limits.min.saturating_neg()).div_euclid(step).saturating_mul(step);
            bits.extend([step_up, step_down].into_iter().filter(|b| seen.insert(*b)));
            bits.retain(|b| limits.hold_bits(*b));
        }
        let bits: Vec<i64> = bits.into_iter().filter(|b| within_range(&var.ty, *b)).collect();
        domain.truncated |= bits.len() > MOST_VALUES;
        let slot = |bits: i64| Slot { bits, tag: Tag::Value, currency };
        domain.picks = bits.into_iter().take(MOST_VALUES).map(|b| Pick::Scalar(slot(b))).collect();
    }

    /// Whether the values of [`Space::domain`] stand for all values of a fact, as far as `reads` reads it.
    pub fn is_exact(&self, decision: DecisionId, reads: &Reads<'p>, at: usize) -> bool {
        let Some(var) = self.var(at) else { return false };
        if var.is_entity() || closed(&var.ty) {
            return true;
        }
        if reads.loose.contains(&var.class) {
            return false;
        }
        if var.is_list() {
            return true;
        }
        match var.ty.inner() {
            Ty::Int | Ty::Dec | Ty::Money | Ty::Unit(_) | Ty::Date | Ty::Text | Ty::Duration => {}
            _ => return false,
        }
        let known = |a: &Against<'p>| match self.compared(decision, at, a).value {
            None => false,
            // A decimal may lie anywhere; amounts and days lie on steps.
            Some((_, exact)) => exact || !matches!(var.ty.inner(), Ty::Dec | Ty::Text),
        };
        if !self.against(reads, at).iter().all(known) {
            return false;
        }
        let pairs = BTreeSet::new();
        let pairs = reads.pairs.get(&var.class).unwrap_or(&pairs);
        pairs.iter().all(|(class, _)| {
            let fellows = self.fellows(at, *class);
            // Two facts of one place are two unknowns, however they are named.
            !fellows.is_empty()
                && *class != var.class
                && fellows.iter().all(|other| match self.pick(*other) {
                    Some(_) => true,
                    None => {
                        let only_this =
                            |p: &BTreeSet<(Class, Offset)>| p.iter().all(|(c, _)| *c == var.class);
                        let offsets = || pairs.iter().filter(|(c, _)| c == class).map(|(_, o)| *o);
                        let days = offsets().all(|o| matches!(o, Offset::Bits(_)));
                        // Months differ in length, but more of them are always longer: where no other day comes in, any
                        // day stands for all.
                        let none = |of: Class| reads.points.get(&of).is_none_or(BTreeSet::is_empty);
                        let months = offsets().all(|o| matches!(o, Offset::Bits(0) | Offset::Months(_)))
                            && none(*class)
                            && none(var.class)
                            && pairs.iter().all(|(c, _)| c == class);
                        (days || months)
                            && !matches!(var.ty.inner(), Ty::Text)
                            && !reads.loose.contains(class)
                            && reads.against.get(class).is_none_or(Vec::is_empty)
                            && reads.pairs.get(class).is_none_or(only_this)
                    }
                })
        })
    }

    /// What else a fact is compared with, other facts and constants aside.
    fn against(&self, reads: &Reads<'p>, at: usize) -> Vec<Against<'p>> {
        let class = self.var(at).map(|v| v.class);
        class.and_then(|c| reads.against.get(&c)).cloned().unwrap_or_default()
    }

    /// The facts of a class that a fact is compared with: those of its own row, or those that lie in no row.
    fn fellows(&self, at: usize, class: Class) -> Vec<usize> {
        let Some(var) = self.var(at) else { return Vec::new() };
        let fits = |other: &crate::analysis::space::Var| {
            // Two facts of one place stand in different rows.
            let apart = class == var.class || other.row.is_none() || var.row.is_none();
            other.class == class && (apart || other.row == var.row)
        };
        let all = self.vars().iter().enumerate().filter(|(_, v)| fits(v));
        all.map(|(i, _)| i).filter(|i| self.exists(*i)).collect()
    }

    fn compared(&self, decision: DecisionId, at: usize, against: &Against<'p>) -> Compared {
        let mut compared = Compared { value: None, depends: BTreeSet::new() };
        let Some(var) = self.var(at) else { return compared };
        let mut loops: Vec<VarId> = Vec::new();
        let mut strange = false;
        visit::all(against.other, &mut |e| match &e.kind {
            ExprKind::Var(v) => {
                loops.push(*v);
                strange |= !self.is_element(var.row.map(|(root, _)| root), &e.ty);
            }
            ExprKind::OutputOf(_, v) => loops.push(*v),
            _ => {}
        });
        if strange || (!loops.is_empty() && var.row.is_none()) {
            return compared;
        }
        let of = against.other;
        let seen = Seen::default();
        let answer = watch(self.linked, decision, self.facts(), &seen, |walk| {
            let state = match var.row {
                Some((root, row)) => walk.eval_on(of, &loops, root, row),
                None => Some(walk.eval(of, None)),
            };
            match state {
                Some(Eval::Is(V::Plain(value))) => Some(value),
                // What is faulty or undecided for good compares with nothing.
                Some(Eval::Unknown { .. }) | None => None,
                Some(_) => Some(Value::Absent),
            }
        });
        let Some(answer) = answer else { return compared };
        let (known, missing) = seen.into_parts();
        compared.depends = known.iter().filter_map(|p| self.find(p)).collect();
        if let Some(value) = answer
            && (value != Value::Absent || missing.is_empty())
        {
            compared.value = Some(self.bits(&value, &var.ty));
        }
        compared
    }

    fn is_element(&self, root: Option<RootId>, ty: &Ty) -> bool {
        let root = root.and_then(|r| self.linked.rulebook.vocab.roots.get(r.ix()));
        root.is_some_and(|r| matches!(r.ty.inner(), Ty::List(of) if of.inner() == ty.inner()))
    }

    /// A value as a slot's bits, and whether they say it exactly.
    fn bits(&self, value: &Value, ty: &Ty) -> (Option<i64>, bool) {
        let scaled = |n: &BigRational| {
            let n =
                if *ty.inner() == Ty::Int { n.clone() } else { n * BigRational::from_integer(SCALE.into()) };
            (n.floor().to_integer().to_i64(), n.is_integer())
        };
        match value {
            Value::Num(n) | Value::Money(n, _) => scaled(n),
            Value::Date(d) => (Some(i64::from(*d)), true),
            Value::DateTime(t) => (Some(*t), true),
            Value::Duration(s) => (Some(*s), true),
            Value::Period(p) => (Some(pack_period(*p)), true),
            Value::Text(text) => {
                let own = || {
                    let at = self.facts().texts.iter().position(|t| t == text)?;
                    Some((self.linked.symbols.len() + at) as i64)
                };
                let bits = self.linked.symbols.get(text).map(i64::from).or_else(own);
                (bits, bits.is_some())
            }
            // Nothing is above, below or the same as what is absent.
            Value::Absent => (None, true),
            _ => (None, false),
        }
    }

    /// The distance to the next value.
    fn step(&self, ty: &Ty) -> i64 {
        let vocab = &self.linked.rulebook.vocab;
        let scaled = |n: &BigRational| {
            let n = n * BigRational::from_integer(SCALE.into());
            n.ceil().to_integer().to_i64().filter(|n| *n > 0).unwrap_or(1)
        };
        match ty.inner() {
            Ty::Money => vocab.currencies.first().map_or(1, |c| scaled(&c.step)),
            Ty::Unit(id) => vocab.units.get(id.ix()).map_or(1, |u| scaled(&u.step)),
            // Periods of days are even.
            Ty::Period => 2,
            Ty::DateTime => 1_000_000,
            _ => 1,
        }
    }

    /// A value like any other, on its type's step.
    fn usual(&self, ty: &Ty) -> i64 {
        let step = self.step(ty);
        match ty.inner() {
            Ty::Money => 100 * SCALE / step * step,
            Ty::Unit(_) => step.saturating_mul(100),
            Ty::Dec => SCALE,
            Ty::Date => ANY_DAY,
            // Noon in China.
            Ty::DateTime => (ANY_DAY * 86_400 + 4 * 3_600) * 1_000_000,
            Ty::Period => pack_period(Period::Days(7)),
            Ty::Duration => 3_600,
            _ => 1,
        }
    }
}

/// A value moved by an offset; a month's end stands for up to four days.
fn shifted(bits: i64, offset: Offset) -> Vec<i64> {
    match offset {
        Offset::Bits(n) => vec![bits.saturating_add(n)],
        Offset::Months(n) => {
            let day = i32::try_from(bits).ok().and_then(|d| dates::add_months(d, n)).map(i64::from);
            let days = |d: i64| if n < 0 { (0..4).map(|i| d + i).collect() } else { vec![d] };
            day.map(days).unwrap_or_default()
        }
    }
}

/// Years are 1 to 9999; other amounts stay clear of the largest that there are.
fn within_range(ty: &Ty, bits: i64) -> bool {
    match ty.inner() {
        Ty::Date => (-719_162..=2_932_896).contains(&bits),
        _ => bits.checked_abs().is_some_and(|n| n <= i64::MAX / 16),
    }
}
