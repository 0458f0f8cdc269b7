//! Values of the language and the contract's, exactly, in both directions.
use crate::lang::typed::*;
use crate::plugins::contract::{Money, Quantity, Value as Said};
use crate::program::amount::{decimals_of, show};
use crate::program::facts::{Facts, SCALE, Slot, Tag, unpack_period};
use crate::program::iso;
use crate::program::link::Linked;
use crate::program::value::Value;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use serde_json::{Value as Json, json};

/// The case of the contract's `value` for a type; none for what no plugin is asked by.
pub(super) fn kind(ty: &Ty) -> Option<&'static str> {
    Some(match ty.inner() {
        Ty::Bool => "truth",
        Ty::Int => "whole",
        Ty::Dec => "decimal",
        Ty::Money => "money",
        Ty::Unit(_) => "quantity",
        Ty::Text => "text",
        Ty::Enum(_) | Ty::Node(_) => "word",
        Ty::Date => "date",
        Ty::DateTime => "instant",
        Ty::Period => "period",
        Ty::Duration => "duration",
        Ty::Entity(_) | Ty::List(_) | Ty::Set(_) | Ty::Opt(_) | Ty::Rate(..) | Ty::Never => return None,
    })
}

/// The case of the contract's `value` that a value is.
pub(super) fn kind_of(said: &Said) -> &'static str {
    match said {
        Said::Absent => "absent",
        Said::Truth(_) => "truth",
        Said::Whole(_) => "whole",
        Said::Decimal(_) => "decimal",
        Said::Money(_) => "money",
        Said::Quantity(_) => "quantity",
        Said::Text(_) => "text",
        Said::Word(_) => "word",
        Said::Date(_) => "date",
        Said::Instant(_) => "instant",
        Said::Period(_) => "period",
        Said::Duration(_) => "duration",
        Said::Other(_) => "other",
    }
}

/// What a slot holds; none where it is unknown, or no scalar.
pub(super) fn of_slot(linked: &Linked, facts: &Facts, ty: &Ty, slot: Slot) -> Option<Value> {
    match slot.tag {
        Tag::Unknown => return None,
        Tag::Absent => return Some(Value::Absent),
        Tag::Value | Tag::Wide => {}
    }
    Some(match ty.inner() {
        Ty::Int | Ty::Dec | Ty::Unit(_) => Value::Num(facts.number(&slot, ty)?),
        Ty::Money => Value::Money(facts.number(&slot, ty)?, CurrencyId(u32::from(slot.currency))),
        Ty::Bool => Value::Bool(slot.bits != 0),
        Ty::Text => Value::Text(facts.text(&linked.symbols, slot.bits)?.clone()),
        Ty::Enum(_) => Value::Enum(u32::try_from(slot.bits).ok()?),
        Ty::Node(_) => Value::Node(u32::try_from(slot.bits).ok()?),
        Ty::Date => Value::Date(i32::try_from(slot.bits).ok()?),
        Ty::DateTime => Value::DateTime(slot.bits),
        Ty::Period => Value::Period(unpack_period(slot.bits)),
        Ty::Duration => Value::Duration(slot.bits),
        Ty::Entity(_) | Ty::List(_) | Ty::Set(_) | Ty::Opt(_) | Ty::Rate(..) | Ty::Never => return None,
    })
}

/// What a slot holds, for a plugin; none where it is unknown, or the contract cannot say it. Amounts in fixed point go
/// without fractions.
pub(super) fn say_slot(linked: &Linked, facts: &Facts, ty: &Ty, slot: Slot) -> Option<Said> {
    if slot.tag == Tag::Value {
        match ty.inner() {
            Ty::Int => return Some(Said::Whole(slot.bits)),
            Ty::Money => {
                let def = linked.rulebook.vocab.currencies.get(usize::from(slot.currency))?;
                let minor = 10i64.checked_pow(digits(def)).and_then(|minors| SCALE.checked_div(minors));
                if let Some(step) = minor.filter(|step| *step > 0 && slot.bits % step == 0) {
                    let money = Money { minor: slot.bits / step, currency: def.code.clone() };
                    return Some(Said::Money(money));
                }
            }
            _ => {}
        }
    }
    say(linked, ty, &of_slot(linked, facts, ty, slot)?)
}

/// A value for a plugin; none where the contract cannot say it exactly (a third, an amount beyond its integers).
pub(super) fn say(linked: &Linked, ty: &Ty, value: &Value) -> Option<Said> {
    let vocab = &linked.rulebook.vocab;
    Some(match (value, ty.inner()) {
        (Value::Absent, _) => Said::Absent,
        (Value::Bool(b), _) => Said::Truth(*b),
        (Value::Num(n), Ty::Int) => Said::Whole(whole(n)?),
        (Value::Num(n), Ty::Unit(id)) => {
            Said::Quantity(Quantity { amount: plain(n)?, unit: vocab.units.get(id.ix())?.name.clone() })
        }
        (Value::Num(n), _) => Said::Decimal(plain(n)?),
        (Value::Money(n, id), _) => {
            let def = vocab.currencies.get(id.ix())?;
            let minor = whole(&(n * BigRational::from_integer(hundred(def))))?;
            Said::Money(Money { minor, currency: def.code.clone() })
        }
        (Value::Text(text), _) => Said::Text(text.to_string()),
        (Value::Enum(at), Ty::Enum(id)) => {
            Said::Word(vocab.enums.get(id.ix())?.members.get(*at as usize)?.name.clone())
        }
        (Value::Node(at), Ty::Node(id)) => {
            Said::Word(vocab.taxonomies.get(id.ix())?.nodes.get(*at as usize)?.name.clone())
        }
        (Value::Date(day), _) => Said::Date(iso::format_date(*day)),
        (Value::DateTime(at), _) => Said::Instant(iso::format_datetime(*at, linked.zone)),
        (Value::Period(period), _) => Said::Period(iso::format_period(*period)),
        (Value::Duration(seconds), _) => Said::Duration(*seconds),
        _ => return None,
    })
}

/// What a plugin says, as facts are written; whether it keeps bounds and steps is for the binder to say.
///
/// # Errors
/// In words, where it is not of the type.
pub(super) fn hear(vocab: &Vocab, ty: &Ty, said: &Said) -> Result<Json, String> {
    let other = || match kind(ty) {
        Some(kind) => format!("expected {kind}, found {}", kind_of(said)),
        None => "no plugin answers facts of this type".to_owned(),
    };
    Ok(match (ty.inner(), said) {
        (_, Said::Absent) if ty.is_optional() => Json::Null,
        (Ty::Bool, Said::Truth(b)) => (*b).into(),
        (Ty::Int, Said::Whole(n)) => (*n).into(),
        (Ty::Dec, Said::Decimal(text)) => text.as_str().into(),
        (Ty::Money, Said::Money(money)) => {
            let def = vocab.currencies.iter().find(|c| c.code == money.currency);
            let def = def.ok_or_else(|| format!("the vocabulary has no currency {:?}", money.currency))?;
            let amount = BigRational::new(money.minor.into(), hundred(def));
            json!({ "amount": show(&amount, digits(def)), "currency": def.code })
        }
        (Ty::Unit(id), Said::Quantity(quantity)) => {
            let unit = vocab.units.get(id.ix()).map_or("", |u| u.name.as_str());
            if quantity.unit != unit {
                return Err(format!("expected an amount of {unit}, found one of {:?}", quantity.unit));
            }
            quantity.amount.as_str().into()
        }
        (Ty::Text, Said::Text(text)) => text.as_str().into(),
        (Ty::Enum(_) | Ty::Node(_), Said::Word(word)) => word.as_str().into(),
        (Ty::Date, Said::Date(text))
        | (Ty::DateTime, Said::Instant(text))
        | (Ty::Period, Said::Period(text)) => text.as_str().into(),
        (Ty::Duration, Said::Duration(seconds)) => iso::format_duration(*seconds).into(),
        _ => return Err(other()),
    })
}

/// The decimals of a currency's minor unit: those that its step is written with.
fn digits(def: &CurrencyDef) -> u32 {
    match def.step.denom().to_u32() {
        Some(1) => 0,
        Some(100) => 2,
        _ => decimals_of(&def.step).unwrap_or(0),
    }
}

/// Minor units in one of the currency.
fn hundred(def: &CurrencyDef) -> BigInt {
    BigInt::from(10u32).pow(digits(def))
}

fn whole(n: &BigRational) -> Option<i64> {
    n.is_integer().then(|| n.to_integer().to_i64()).flatten()
}

fn plain(n: &BigRational) -> Option<String> {
    decimals_of(n).map(|_| show(n, 0))
}
