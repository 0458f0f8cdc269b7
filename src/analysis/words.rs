//! Facts in words: of all that was tried, only what matters, as a case file would give it.
use crate::analysis::goal::{Goal, Truth};
use crate::analysis::search::{Search, Witness};
use crate::analysis::space::{Pick, Space, Var};
use crate::lang::typed::*;
use crate::program::facts::{SCALE, Slot, unpack_period};
use crate::program::literal::literal;
use crate::program::value::Value;
use num_rational::BigRational;

/// A fact that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its index in the space.
    pub at: usize,
    pub pick: Pick,
}

/// The facts of a witness without which a goal would not hold, in the vocabulary's order.
pub fn what_matters<'p>(search: &mut Search<'p>, goal: &Goal<'p>, witness: &Witness) -> Vec<Fact> {
    let decision = goal.decision;
    let holds = |space: &mut Space<'p>| {
        goal.parts.iter().all(|part| part.attempt(space, decision).truth == Truth::True)
    };
    let mut kept = witness.chosen.clone();
    for (at, pick) in &kept {
        search.space.choose(*at, Some(*pick));
    }
    for i in (0..kept.len()).rev() {
        let Some((at, pick)) = kept.get(i).copied() else { continue };
        let inner =
            |(other, _): &(usize, Pick)| search.space.var(*other).is_some_and(|v| v.within == Some(at));
        if kept.iter().any(inner) {
            continue;
        }
        search.space.choose(at, None);
        if holds(&mut search.space) {
            kept.remove(i);
        } else {
            search.space.choose(at, Some(pick));
        }
    }
    for (at, _) in kept.iter().rev() {
        search.space.choose(*at, None);
    }
    kept.sort_by_key(|(at, _)| *at);
    kept.into_iter().map(|(at, pick)| Fact { at, pick }).collect()
}

/// `item.unit_price = 2000 CNY, receipt.date = 2026-03-02, today = 2026-03-05 (3 days after receipt.date)`; `any facts`
/// where none matters.
pub fn sentence(space: &Space<'_>, facts: &[Fact]) -> String {
    let mut days: Vec<(&str, i64)> = Vec::new();
    let mut said: Vec<String> = Vec::new();
    for fact in facts {
        let Some(var) = space.var(fact.at) else { continue };
        // That something is there is said by what is in it.
        let inner = |f: &Fact| space.var(f.at).is_some_and(|v| v.within == Some(fact.at));
        if matches!(fact.pick, Pick::Present | Pick::Rows(1..)) && facts.iter().any(inner) {
            continue;
        }
        let mut text = match fact.pick {
            Pick::Present => format!("with {}", var.path),
            Pick::Rows(0) => format!("no {}", var.path),
            Pick::Rows(1) => format!("one of {}", var.path),
            Pick::Rows(n) => format!("{n} of {}", var.path),
            pick => format!("{} = {}", var.path, value_text(space, var, pick)),
        };
        if let (Ty::Date, Pick::Scalar(slot)) = (var.ty.inner(), fact.pick) {
            // A day is best said by how far it lies from another.
            if let Some((path, day)) = days.first() {
                text.push_str(&match slot.bits - day {
                    0 => format!(" (the day of {path})"),
                    1 => format!(" (the day after {path})"),
                    -1 => format!(" (the day before {path})"),
                    n if n > 0 => format!(" ({n} days after {path})"),
                    n => format!(" ({} days before {path})", -n),
                });
            }
            days.push((&var.path, slot.bits));
        }
        said.push(text);
    }
    if said.is_empty() { "any facts".into() } else { said.join(", ") }
}

/// The facts as a case gives them: `item.category = clothing, lines = [line(paid: 1 CNY)], today = 2026-07-08`.
pub fn given(space: &Space<'_>, facts: &[Fact]) -> String {
    let pick = |at: usize| facts.iter().find(|f| f.at == at).map(|f| f.pick);
    let mut parts = Vec::new();
    for fact in facts {
        let Some(var) = space.var(fact.at) else { continue };
        // What lies in a list is said with the list.
        if in_list(space, fact.at) {
            continue;
        }
        match fact.pick {
            Pick::Present => {
                // An entity is there as soon as one of its fields is given.
                if !facts.iter().any(|f| space.var(f.at).is_some_and(|v| v.within == Some(fact.at))) {
                    parts.push(format!("{} = {}", var.path, entity(space, fact.at, &pick)));
                }
            }
            Pick::Rows(n) => parts.push(format!("{} = {}", var.path, list(space, fact.at, n, &pick))),
            _ => parts.push(format!("{} = {}", var.path, value_text(space, var, fact.pick))),
        }
    }
    parts.join(", ")
}

/// All facts of a witness, those completed with values that do not matter, too, for [`given`].
pub fn all_facts(space: &Space<'_>, witness: &Witness) -> Vec<Fact> {
    let named = |at: usize| space.var(at).is_some_and(|v| !v.is_entity() || v.ty.is_optional());
    witness.all.iter().filter(|(at, _)| named(*at)).map(|(at, pick)| Fact { at: *at, pick: *pick }).collect()
}

fn in_list(space: &Space<'_>, at: usize) -> bool {
    let mut up = space.var(at).and_then(|v| v.within);
    while let Some(outer) = up.and_then(|o| space.var(o)) {
        if outer.is_list() {
            return true;
        }
        up = outer.within;
    }
    false
}

/// `[line(paid: 1 CNY), line(paid: 2 CNY)]`
fn list(space: &Space<'_>, at: usize, rows: u32, pick: &dyn Fn(usize) -> Option<Pick>) -> String {
    let Some(list) = space.var(at) else { return String::new() };
    let is_set = matches!(list.ty.inner(), Ty::Set(_));
    let row = |n: u32| {
        let row = space.find(&format!("{}[{n}]", list.path))?;
        let var = space.var(row)?;
        Some(if var.is_entity() { entity(space, row, pick) } else { value_text(space, var, pick(row)?) })
    };
    let rows: Vec<String> = (0..rows).filter_map(row).collect();
    if is_set { format!("{{{}}}", rows.join(", ")) } else { format!("[{}]", rows.join(", ")) }
}

/// `line(paid: 1 CNY, area: department)`
fn entity(space: &Space<'_>, at: usize, pick: &dyn Fn(usize) -> Option<Pick>) -> String {
    let Some(var) = space.var(at) else { return String::new() };
    let Ty::Entity(id) = var.ty.inner() else { return String::new() };
    let Some(def) = space.linked.rulebook.vocab.entities.get(id.ix()) else { return String::new() };
    let field = |f: &FieldDef| {
        let at = space.find(&format!("{}.{}", var.path, f.name))?;
        let inner = space.var(at)?;
        let text = match (pick(at), inner.is_entity(), inner.is_list()) {
            (Some(Pick::Rows(n)), _, _) => list(space, at, n, pick),
            (Some(Pick::Absent), _, _) => "absent".into(),
            (Some(Pick::Present), _, _) => entity(space, at, pick),
            (Some(other), _, _) => value_text(space, inner, other),
            // A part that must be there says something if one of its fields is given.
            (None, true, _) if !inner.ty.is_optional() => {
                let text = entity(space, at, pick);
                if text.ends_with("()") {
                    return None;
                }
                text
            }
            _ => return None,
        };
        Some(format!("{}: {text}", f.name))
    };
    let fields: Vec<String> = def.fields.iter().filter_map(field).collect();
    format!("{}({})", def.name, fields.join(", "))
}

fn value_text(space: &Space<'_>, var: &Var, pick: Pick) -> String {
    match pick {
        Pick::Scalar(slot) => literal(&space.linked.rulebook.vocab, &var.ty, &value(space, &var.ty, slot)),
        Pick::Absent => "absent".into(),
        Pick::Present | Pick::Rows(_) => String::new(),
    }
}

/// What a slot holds, by its type.
pub fn value(space: &Space<'_>, ty: &Ty, slot: Slot) -> Value {
    let scaled = || BigRational::new(slot.bits.into(), SCALE.into());
    match ty.inner() {
        Ty::Bool => Value::Bool(slot.bits != 0),
        Ty::Int => Value::Num(BigRational::from_integer(slot.bits.into())),
        Ty::Dec | Ty::Unit(_) => Value::Num(scaled()),
        Ty::Money => Value::Money(scaled(), CurrencyId(u32::from(slot.currency))),
        Ty::Text => match space.facts().text(&space.linked.symbols, slot.bits) {
            Some(text) => Value::Text(text.clone()),
            None => Value::Text("".into()),
        },
        Ty::Enum(_) => Value::Enum(slot.bits as u32),
        Ty::Node(_) => Value::Node(slot.bits as u32),
        Ty::Date => Value::Date(slot.bits as i32),
        Ty::DateTime => Value::DateTime(slot.bits),
        Ty::Period => Value::Period(unpack_period(slot.bits)),
        Ty::Duration => Value::Duration(slot.bits),
        _ => Value::Absent,
    }
}
