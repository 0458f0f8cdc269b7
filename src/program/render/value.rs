//! Values by their types: money as an object, integers as numbers, other numbers as texts, dates as ISO 8601.
use crate::lang::typed::*;
use crate::program::amount::{decimals_of, show};
use crate::program::link::Linked;
use crate::program::value::Value;
use crate::program::{iso, json};
use num_rational::BigRational;

/// Appends a value as JSON.
pub(super) fn write(out: &mut String, linked: &Linked, ty: &Ty, value: &Value) {
    let vocab = &linked.rulebook.vocab;
    match value {
        Value::Absent => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Num(n) => number(out, vocab, ty, n),
        Value::Money(n, currency) => {
            let def = vocab.currencies.get(currency.ix());
            out.push_str("{\"amount\":\"");
            out.push_str(&show(n, def.and_then(|d| decimals_of(&d.step)).unwrap_or(0)));
            out.push_str("\",\"currency\":");
            json::string(out, def.map_or("", |d| d.code.as_str()));
            out.push('}');
        }
        Value::Text(text) => json::string(out, text),
        Value::Enum(_) | Value::Node(_) => json::string(out, member(vocab, ty, value)),
        Value::Date(day) => json::string(out, &iso::format_date(*day)),
        Value::DateTime(at) => json::string(out, &iso::format_datetime(*at, linked.zone)),
        Value::Period(period) => json::string(out, &iso::format_period(*period)),
        Value::Duration(seconds) => json::string(out, &iso::format_duration(*seconds)),
        Value::List(items) => json::list(out, items.iter(), |out, v| write(out, linked, element(ty), v)),
        Value::Set(items) => json::list(out, items.iter(), |out, v| write(out, linked, element(ty), v)),
        Value::Record(id, fields) => {
            let defs = vocab.entities.get(id.ix()).map(|e| e.fields.as_slice()).unwrap_or_default();
            out.push('{');
            for (i, (def, field)) in defs.iter().zip(fields.iter()).enumerate() {
                if i > 0 {
                    out.push(',');
                }
                json::string(out, &def.name);
                out.push(':');
                write(out, linked, &def.ty, field);
            }
            out.push('}');
        }
    }
}

fn element(ty: &Ty) -> &Ty {
    match ty.inner() {
        Ty::List(of) | Ty::Set(of) => of,
        other => other,
    }
}

fn member<'a>(vocab: &'a Vocab, ty: &Ty, value: &Value) -> &'a str {
    match (ty.inner(), value) {
        (Ty::Enum(id), Value::Enum(m)) => {
            vocab.enums.get(id.ix()).and_then(|d| d.members.get(*m as usize)).map_or("", |m| m.name.as_str())
        }
        (Ty::Node(id), Value::Node(n)) => vocab
            .taxonomies
            .get(id.ix())
            .and_then(|d| d.nodes.get(*n as usize))
            .map_or("", |n| n.name.as_str()),
        _ => "",
    }
}

/// Integers, and units with a whole step, are JSON numbers; all else is text.
fn number(out: &mut String, vocab: &Vocab, ty: &Ty, n: &BigRational) {
    let unit_step = match ty.inner() {
        Ty::Unit(id) => vocab.units.get(id.ix()).map(|u| &u.step),
        _ => None,
    };
    let whole = matches!(ty.inner(), Ty::Int) || unit_step.is_some_and(BigRational::is_integer);
    if whole && n.is_integer() {
        out.push_str(&n.to_integer().to_string());
        return;
    }
    let decimals = unit_step.and_then(decimals_of).unwrap_or(0);
    out.push('"');
    out.push_str(&show(n, decimals));
    out.push('"');
}
