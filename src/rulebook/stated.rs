//! The facts of a case as the JSON that a till would send: so every case also tests how facts are read.
use crate::lang::typed::*;
use crate::program::iso;
use crate::program::literal;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// The facts that a case states, later settings over earlier ones.
#[derive(Debug, Default)]
struct Stated {
    roots: BTreeMap<RootId, Given>,
    /// In the order stated; equal arguments replace.
    calls: Vec<(FactCallId, Vec<Const>, Given)>,
}

/// The facts of a case as JSON, and an error where JSON cannot say it.
pub fn json(vocab: &Vocab, case: &Case) -> Result<Json, String> {
    let mut stated = Stated::default();
    for setting in &case.given {
        match &setting.target {
            Target::Root(root, path) => {
                let ty = vocab.roots.get(root.ix()).map(|r| &r.ty);
                let place = stated.roots.entry(*root).or_insert(Given::Unknown);
                if let Some(ty) = ty {
                    put(vocab, place, ty, path, &setting.value);
                }
            }
            Target::Call(fact, args) => {
                stated.calls.retain(|(f, a, _)| f != fact || a != args);
                stated.calls.push((*fact, args.clone(), setting.value.clone()));
            }
        }
    }
    let mut out = Map::new();
    for (root, given) in &stated.roots {
        let Some(def) = vocab.roots.get(root.ix()) else { continue };
        if let Some(value) = value(vocab, &def.ty, given)? {
            out.insert(def.name.clone(), value);
        }
    }
    for (fact, args, given) in &stated.calls {
        let Some(def) = vocab.fact_calls.get(fact.ix()) else { continue };
        let Some(value) = value(vocab, &def.ty, given)? else { continue };
        let mut row = Map::new();
        for ((name, ty), arg) in def.params.iter().zip(args) {
            row.insert(name.clone(), constant(vocab, ty, arg));
        }
        row.insert("value".into(), value);
        if let Json::Array(rows) = out.entry(def.name.clone()).or_insert_with(|| json!([])) {
            rows.push(Json::Object(row));
        }
    }
    Ok(Json::Object(out))
}

/// Sets a place inside a stated fact. Setting a field of something absent or not yet stated makes it an entity.
fn put(vocab: &Vocab, place: &mut Given, ty: &Ty, path: &[u32], new: &Given) {
    let Some((field, rest)) = path.split_first() else {
        *place = new.clone();
        return;
    };
    let Ty::Entity(id) = ty.inner() else { return };
    let Some(def) = vocab.entities.get(id.ix()).and_then(|e| e.fields.get(*field as usize)) else { return };
    if !matches!(place, Given::Entity(..)) {
        *place = Given::Entity(*id, Vec::new());
    }
    if let Given::Entity(_, fields) = place {
        let at = match fields.binary_search_by_key(field, |(f, _)| *f) {
            Ok(at) => at,
            Err(at) => {
                fields.insert(at, (*field, Given::Unknown));
                at
            }
        };
        if let Some((_, inner)) = fields.get_mut(at) {
            put(vocab, inner, &def.ty, rest, new);
        }
    }
}

/// The JSON of a stated value; `None`: unknown, the key is left out.
fn value(vocab: &Vocab, ty: &Ty, given: &Given) -> Result<Option<Json>, String> {
    Ok(Some(match given {
        Given::Unknown => return Ok(None),
        Given::Absent => Json::Null,
        Given::Value(c) => constant(vocab, ty.inner(), c),
        Given::List(items) => {
            let of = match ty.inner() {
                Ty::List(of) | Ty::Set(of) => &**of,
                other => other,
            };
            let rows = items.iter().map(|item| {
                value(vocab, of, item)?
                    .ok_or_else(|| "an element of a list cannot be unknown as a whole".to_owned())
            });
            Json::Array(rows.collect::<Result<_, _>>()?)
        }
        Given::Entity(id, fields) => {
            let mut out = Map::new();
            let defs = vocab.entities.get(id.ix()).map(|e| e.fields.as_slice()).unwrap_or_default();
            for (field, given) in fields {
                let Some(def) = defs.get(*field as usize) else { continue };
                if let Some(value) = value(vocab, &def.ty, given)? {
                    out.insert(def.name.clone(), value);
                }
            }
            Json::Object(out)
        }
    }))
}

/// A constant of a type as a till sends it.
pub fn constant(vocab: &Vocab, ty: &Ty, c: &Const) -> Json {
    match c {
        Const::Absent => Json::Null,
        Const::Bool(b) => json!(b),
        Const::Num(n) | Const::Rate(n) => match (ty, i64::try_from(n.to_integer())) {
            (Ty::Int, Ok(whole)) if n.is_integer() => json!(whole),
            _ => json!(literal::number(n)),
        },
        Const::Money(n, currency) => match vocab.currencies.get(currency.ix()) {
            Some(def) if currency.0 > 0 => json!({"amount": literal::number(n), "currency": def.code}),
            _ => json!(literal::number(n)),
        },
        Const::Text(text) => json!(text),
        Const::Enum(member) => match ty {
            Ty::Enum(id) => {
                json!(vocab.enums.get(id.ix()).and_then(|d| d.members.get(*member as usize)).map(|m| &m.name))
            }
            _ => Json::Null,
        },
        Const::Node(node) => match ty {
            Ty::Node(id) => {
                json!(
                    vocab.taxonomies.get(id.ix()).and_then(|d| d.nodes.get(*node as usize)).map(|n| &n.name)
                )
            }
            _ => Json::Null,
        },
        Const::Date(day) => json!(literal::date(*day)),
        Const::DateTime(at) => json!(literal::instant(*at)),
        Const::Period(period) => json!(iso::format_period(*period)),
        Const::Duration(seconds) => json!(iso::format_duration(*seconds)),
    }
}
