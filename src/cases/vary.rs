//! One fact of a case after another, and the values worth trying for it.
use crate::cases::reach::{Pools, Reach, step};
use crate::lang::typed::*;
use crate::program::dates;
use crate::program::literal::literal;
use crate::program::value::Value;
use crate::rulebook::stated::Stated;
use num_rational::BigRational;
use num_traits::{Signed, Zero};
use std::collections::BTreeSet;

/// Where a fact stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A root, and the steps below it.
    Root(RootId, Vec<Step>),
    /// The n-th of the facts with arguments that are stated.
    Call(usize),
}

/// A step into a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    Field(u32),
    /// An element of a list, counted from 0.
    Item(usize),
}

/// A fact that can be given another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Var {
    pub place: Place,
    pub ty: Ty,
    /// `item.unit_price`, `lines[0].paid`, `member_spend(2026)`.
    pub path: String,
}

impl Var {
    /// The facts of a decision that its rules read: those that the case states, and those that it leaves open.
    pub fn all(vocab: &Vocab, decision: DecisionId, reach: &Reach, stated: &Stated) -> Vec<Var> {
        let mut vars = Vec::new();
        let given = vocab.decisions.get(decision.ix()).map(|d| d.given.as_slice()).unwrap_or_default();
        let roots: BTreeSet<RootId> = given.iter().copied().chain(stated.roots.keys().copied()).collect();
        for root in roots {
            let Some(def) = vocab.roots.get(root.ix()) else { continue };
            if reach.roots.contains(&root) {
                let place = Place::Root(root, Vec::new());
                below(
                    vocab,
                    reach,
                    Var { place, ty: def.ty.clone(), path: def.name.clone() },
                    stated,
                    &mut vars,
                );
            }
        }
        for (at, (fact, args, _)) in stated.calls.iter().enumerate() {
            let Some(def) = vocab.fact_calls.get(fact.ix()).filter(|_| reach.calls.contains(fact)) else {
                continue;
            };
            let args: Vec<String> = def
                .params
                .iter()
                .zip(args)
                .map(|((_, ty), arg)| literal(vocab, ty, &Value::of_const(arg)))
                .collect();
            let path = format!("{}({})", def.name, args.join(", "));
            vars.push(Var { place: Place::Call(at), ty: def.ty.clone(), path });
        }
        vars
    }

    /// The values worth trying: every member of what is closed, both sides of every bound that the rules name, absent
    /// where it can be. Sorted where there is an order; the present value is among them if there is one.
    pub fn values(&self, vocab: &Vocab, pools: &Pools, stated: &Stated) -> Vec<Given> {
        let now = stated.get(&self.place);
        let mut values: Vec<Given> = match self.ty.inner() {
            Ty::Bool => [false, true].map(|b| Given::Value(Const::Bool(b))).into(),
            Ty::Enum(id) => {
                let members = vocab.enums.get(id.ix()).map_or(0, |e| e.members.len()) as u32;
                (0..members).map(|m| Given::Value(Const::Enum(m))).collect()
            }
            Ty::Node(id) => nodes(vocab, *id, pools, now),
            Ty::Date => days(pools, stated, &self.place, now)
                .into_iter()
                .map(|d| Given::Value(Const::Date(d)))
                .collect(),
            Ty::Money | Ty::Int | Ty::Dec | Ty::Unit(_) => numbers(vocab, &self.ty, pools, now),
            Ty::Text => texts(pools, now),
            Ty::List(_) | Ty::Set(_) => {
                // The present list, and none of it.
                now.into_iter().cloned().chain([Given::List(Vec::new())]).collect()
            }
            _ => now.into_iter().cloned().collect(),
        };
        if self.ty.is_optional() && !values.contains(&Given::Absent) {
            values.insert(0, Given::Absent);
        }
        values.retain(|v| *v != Given::Unknown);
        values.dedup();
        values
    }
}

/// The facts in an entity or in the elements of a list; a scalar is one itself.
fn below(vocab: &Vocab, reach: &Reach, var: Var, stated: &Stated, vars: &mut Vec<Var>) {
    let Place::Root(root, steps) = &var.place else { return };
    let deeper = |step: Step, ty: &Ty, path: String| {
        let steps = steps.iter().copied().chain([step]).collect();
        Var { place: Place::Root(*root, steps), ty: ty.clone(), path }
    };
    let now = stated.get(&var.place);
    match var.ty.inner() {
        Ty::Entity(id) => {
            let absent = now == Some(&Given::Absent);
            let fields = vocab.entities.get(id.ix()).map(|e| e.fields.as_slice()).unwrap_or_default();
            for (i, field) in fields.iter().enumerate().filter(|_| !absent) {
                if reach.fields.contains(&(*id, i as u32)) {
                    let path = format!("{}.{}", var.path, field.name);
                    below(vocab, reach, deeper(Step::Field(i as u32), &field.ty, path), stated, vars);
                }
            }
            // Something known to be there may not be there at all.
            if var.ty.is_optional() && now.is_some() && !absent {
                vars.push(var);
            }
        }
        Ty::List(of) => {
            if let Some(Given::List(items)) = now {
                for i in 0..items.len() {
                    let path = format!("{}[{i}]", var.path);
                    below(vocab, reach, deeper(Step::Item(i), of, path), stated, vars);
                }
            }
            vars.push(var);
        }
        _ => vars.push(var),
    }
}

fn nodes(vocab: &Vocab, id: TaxonomyId, pools: &Pools, now: Option<&Given>) -> Vec<Given> {
    let Some(def) = vocab.taxonomies.get(id.ix()) else { return Vec::new() };
    const FEW: usize = 40;
    let named: BTreeSet<&String> = pools.nodes(&def.name).collect();
    let all = def.nodes.len() <= FEW;
    let mut other = false;
    let mut found = Vec::new();
    for (i, node) in def.nodes.iter().enumerate() {
        let value = Given::Value(Const::Node(i as u32));
        // Of those that nothing names, the first one stands for all.
        let named = named.contains(&node.name);
        if all || named || now == Some(&value) || !std::mem::replace(&mut other, true) {
            found.push(value);
        }
    }
    found
}

/// The other dates of the case and the dates that rules name, each moved by every period that rules name, each way, and
/// the days before and after.
fn days(pools: &Pools, stated: &Stated, own: &Place, now: Option<&Given>) -> BTreeSet<i32> {
    const FEW: usize = 24;
    let from: Vec<i32> = stated.dates(own).into_iter().chain(pools.dates.iter().copied()).take(FEW).collect();
    let mut days: BTreeSet<i32> = BTreeSet::new();
    for d in &from {
        days.insert(*d);
        for p in pools.periods.iter().take(FEW) {
            let back = match p {
                Period::Days(n) => Period::Days(-n),
                Period::Months(n) => Period::Months(-n),
            };
            days.extend(dates::add_period(*d, *p));
            days.extend(dates::add_period(*d, back));
        }
    }
    let mut near: BTreeSet<i32> = days.iter().flat_map(|d| [d - 1, *d, d + 1]).collect();
    if let Some(Given::Value(Const::Date(d))) = now {
        near.insert(*d);
    }
    near
}

fn numbers(vocab: &Vocab, ty: &Ty, pools: &Pools, now: Option<&Given>) -> Vec<Given> {
    let step = step(vocab, ty);
    let currency = match now {
        Some(Given::Value(Const::Money(_, c))) => *c,
        _ => CurrencyId(0),
    };
    let own = match now {
        Some(Given::Value(Const::Money(n, _) | Const::Num(n))) => Some(n.clone()),
        _ => None,
    };
    let bounds = pools.numbers(vocab, ty).cloned().chain([BigRational::zero()]);
    let mut values: BTreeSet<BigRational> =
        bounds.flat_map(|n| [&n - &step, n.clone(), &n + &step]).collect();
    // Amounts below nothing are no facts of a shop, unless the case has one.
    values.retain(|n| !n.is_negative());
    values.extend(own);
    let of = |n: BigRational| match ty.inner() {
        Ty::Money => Given::Value(Const::Money(n, currency)),
        _ => Given::Value(Const::Num(n)),
    };
    values.into_iter().map(of).collect()
}

fn texts(pools: &Pools, now: Option<&Given>) -> Vec<Given> {
    let of = |t: &String| Given::Value(Const::Text(t.clone()));
    let mut values: Vec<Given> = pools.texts().map(of).collect();
    values.extend(now.filter(|n| !values.contains(n)).cloned());
    values
}

impl Stated {
    /// What is stated at a place.
    pub fn get(&self, place: &Place) -> Option<&Given> {
        match place {
            Place::Call(at) => self.calls.get(*at).map(|(_, _, given)| given),
            Place::Root(root, steps) => {
                let mut at = self.roots.get(root)?;
                for step in steps {
                    at = match (step, at) {
                        (Step::Field(f), Given::Entity(_, fields)) => {
                            fields.iter().find(|(g, _)| g == f).map(|(_, g)| g)?
                        }
                        (Step::Item(i), Given::List(items)) => items.get(*i)?,
                        _ => return None,
                    };
                }
                Some(at)
            }
        }
    }

    /// The same facts with another value at a place.
    pub fn with(&self, vocab: &Vocab, place: &Place, value: Given) -> Stated {
        let mut out = self.clone();
        match place {
            Place::Call(at) => {
                if let Some((_, _, given)) = out.calls.get_mut(*at) {
                    *given = value;
                }
            }
            Place::Root(root, steps) => {
                if let Some(def) = vocab.roots.get(root.ix()) {
                    let at = out.roots.entry(*root).or_insert(Given::Unknown);
                    set(vocab, at, &def.ty, steps, value);
                }
            }
        }
        out
    }

    /// Every date stated, but one place.
    fn dates(&self, but: &Place) -> BTreeSet<i32> {
        fn collect(given: &Given, out: &mut BTreeSet<i32>) {
            match given {
                Given::Value(Const::Date(d)) => {
                    out.insert(*d);
                }
                Given::List(items) => items.iter().for_each(|g| collect(g, out)),
                Given::Entity(_, fields) => fields.iter().for_each(|(_, g)| collect(g, out)),
                _ => {}
            }
        }
        let mut out = BTreeSet::new();
        for (root, given) in &self.roots {
            if *but != Place::Root(*root, Vec::new()) {
                collect(given, &mut out);
            }
        }
        out
    }
}

fn set(vocab: &Vocab, at: &mut Given, ty: &Ty, steps: &[Step], value: Given) {
    match (steps.split_first(), ty.inner()) {
        (None, _) => *at = value,
        (Some((Step::Item(i), rest)), Ty::List(of)) => {
            if let Given::List(items) = at
                && let Some(item) = items.get_mut(*i)
            {
                set(vocab, item, of, rest, value);
            }
        }
        (Some((Step::Field(f), rest)), Ty::Entity(id)) => {
            let field = vocab.entities.get(id.ix()).and_then(|e| e.fields.get(*f as usize));
            let Some(field) = field else { return };
            if !matches!(at, Given::Entity(..)) {
                *at = Given::Entity(*id, Vec::new());
            }
            let Given::Entity(_, fields) = at else { return };
            let found = fields.binary_search_by_key(f, |(g, _)| *g);
            let place = found.unwrap_or_else(|place| {
                fields.insert(place, (*f, Given::Unknown));
                place
            });
            if let Some((_, inner)) = fields.get_mut(place) {
                set(vocab, inner, &field.ty, rest, value);
            }
        }
        _ => {}
    }
}
