//! Single values: each type's one way of being written, and what to say to any other.
use crate::program::amount::{Number, NumberError, Step, from_integer, parse};
use crate::program::bind::error::{Found, Segment, quoted};
use crate::program::bind::plan::{Kind, Plan};
use crate::program::bind::{Cx, FactProblem, Said};
use crate::program::facts::{Slot, Tag, pack_period};
use crate::program::iso;
use rustc_hash::FxHashSet;
use serde::de::{Error, MapAccess};

/// Binds a JSON integer.
pub(super) fn integer<E: Error>(cx: &mut Cx<'_>, plan: &Plan, n: i128) -> Result<Slot, E> {
    let found = Found::Integer(n);
    match &plan.kind {
        Kind::Int => match i64::try_from(n) {
            Ok(n) if n != i64::MIN => Ok(Slot::value(n)),
            _ => Err(out_of_range(cx, plan, &found)),
        },
        Kind::Dec | Kind::Unit(_) => {
            let number = i64::try_from(n).map_err(|_| NumberError::Range).and_then(from_integer);
            amount(cx, plan, number, &found)
        }
        Kind::Money => {
            let decimals = decimals(cx, plan);
            let write = match decimals.unwrap_or(0) {
                0 => format!("\"{n}\""),
                d => format!("\"{n}.{}\"", "0".repeat(d as usize)),
            };
            let message = format!("expected money, found {found}; write {write}");
            Err(cx.fail(FactProblem::Type, message))
        }
        _ => Err(refuse(cx, plan, &found)),
    }
}

/// A bound value must keep the bounds of its fact.
pub(super) fn keep<E: Error>(cx: &mut Cx<'_>, plan: &Plan, slot: Slot, found: &Found<'_>) -> Result<Slot, E> {
    let Some(limits) = plan.limits.as_deref().filter(|l| !l.hold(&slot, &cx.facts.wides)) else {
        return Ok(slot);
    };
    let message = format!("expected {} in {}, found {found}", cx.expected(&plan.kind, false), limits.text);
    Err(cx.fail(FactProblem::Bounds, message))
}

/// Binds a JSON string.
pub(super) fn text<E: Error>(cx: &mut Cx<'_>, plan: &Plan, text: &str) -> Result<Slot, E> {
    let plans = cx.plans;
    let bits = match &plan.kind {
        Kind::Text => Some(cx.symbol(text)),
        Kind::Dec | Kind::Unit(_) | Kind::Money => return amount(cx, plan, parse(text), &Found::Text(text)),
        Kind::Enum(id) => match plans.enums.get(*id as usize) {
            Some((_, names)) => match names.get(text) {
                Some(member) => Some(i64::from(member)),
                None => return Err(unknown_member(cx, plan, text, &names.hint(text))),
            },
            None => None,
        },
        Kind::Node(id) => match plans.taxonomies.get(*id as usize) {
            Some((_, names)) => match names.get(text) {
                Some(node) => Some(i64::from(node)),
                None => return Err(unknown_member(cx, plan, text, &names.hint(text))),
            },
            None => None,
        },
        Kind::Date => iso::parse_date(text).map(i64::from),
        Kind::DateTime => iso::parse_datetime(text),
        Kind::Period => iso::parse_period(text).map(pack_period),
        Kind::Duration => iso::parse_duration(text),
        Kind::Bool
        | Kind::Int
        | Kind::Entity(..)
        | Kind::List(..)
        | Kind::Facts
        | Kind::CallRows(_)
        | Kind::CallRow(_)
        | Kind::Never => None,
    };
    bits.map(Slot::value).ok_or_else(|| refuse(cx, plan, &Found::Text(text)))
}

fn unknown_member<E: Error>(cx: &mut Cx<'_>, plan: &Plan, text: &str, hint: &str) -> E {
    let message = format!("{} is not {}; {hint}", quoted(text), cx.expected(&plan.kind, false));
    cx.fail(FactProblem::UnknownMember, message)
}

/// A decimal, quantity or amount of the default currency.
fn amount<E: Error>(
    cx: &mut Cx<'_>,
    plan: &Plan,
    number: Result<Number, NumberError>,
    found: &Found<'_>,
) -> Result<Slot, E> {
    let number = match number {
        Ok(number) => number,
        Err(NumberError::Range) => return Err(out_of_range(cx, plan, found)),
        Err(NumberError::Form) => return Err(refuse(cx, plan, found)),
    };
    let plans = cx.plans;
    let scale = match plan.kind {
        Kind::Unit(id) => plans.units.get(id as usize),
        Kind::Money => plans.currencies.first(),
        _ => None,
    };
    if let Some(scale) = scale
        && !scale.step.divides(&number)
    {
        return Err(off_step(cx, &scale.name, &scale.step, found));
    }
    match plan.kind {
        Kind::Money => note_currency(cx, 0),
        _ => Ok(()),
    }?;
    Ok(number_slot(cx, number))
}

fn number_slot(cx: &mut Cx<'_>, number: Number) -> Slot {
    match number {
        Number::Fixed(bits) => Slot::value(bits),
        Number::Wide(exact) => {
            let bits = cx.facts.wides.len() as i64;
            cx.facts.wides.push(exact);
            Slot { bits, tag: Tag::Wide, currency: 0 }
        }
    }
}

fn note_currency<E: Error>(cx: &mut Cx<'_>, currency: u8) -> Result<(), E> {
    if cx.plans.currencies.is_empty() {
        return Err(cx.fail(FactProblem::Type, "the vocabulary has no currency".into()));
    }
    match cx.facts.currency {
        Some(other) if other != currency => cx.facts.mixed_currencies = true,
        _ => cx.facts.currency = Some(currency),
    }
    Ok(())
}

/// Binds `{"amount": "399.00", "currency": "CNY"}`.
pub(super) fn money_object<'de, A: MapAccess<'de>>(cx: &mut Cx<'_>, map: &mut A) -> Result<Slot, A::Error> {
    let (mut amount, mut currency) = (None::<String>, None::<u32>);
    while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
        let read = match &*key {
            "amount" if amount.is_none() => map.next_value::<serde_json::Value>().and_then(|v| match v {
                serde_json::Value::String(text) => {
                    amount = Some(text);
                    Ok(())
                }
                _ => Err(cx.fail(FactProblem::Type, "expected the amount as text; write \"399.00\"".into())),
            }),
            "currency" if currency.is_none() => map.next_value::<serde_json::Value>().and_then(|v| {
                let names = &cx.plans.currency_names;
                match v.as_str().map(|code| (code, names.get(code))) {
                    Some((_, Some(id))) => {
                        currency = Some(id);
                        Ok(())
                    }
                    Some((code, None)) => {
                        let message = format!("{} is not a currency; {}", quoted(code), names.hint(code));
                        Err(cx.fail(FactProblem::UnknownMember, message))
                    }
                    None => {
                        Err(cx.fail(FactProblem::Type, "expected a currency's code; write \"CNY\"".into()))
                    }
                }
            }),
            "amount" | "currency" => Err(cx.fail(FactProblem::Duplicate, "given twice".into())),
            other => {
                let message = format!("no such field {}; money has amount, currency", quoted(other));
                Err(cx.fail(FactProblem::UnknownField, message))
            }
        };
        cx.within(read, || Segment::Field(key.chars().take(60).collect::<String>().into()))?;
    }
    let (Some(amount), Some(currency)) = (amount, currency) else {
        let message =
            "expected both amount and currency; write {\"amount\": \"399.00\", \"currency\": \"CNY\"}";
        return Err(cx.fail(FactProblem::Incomplete, message.into()));
    };
    let plans = cx.plans;
    let number = match parse(&amount) {
        Ok(number) => number,
        Err(kind) => {
            let message = format!("{} is not an amount; write \"399.00\"", quoted(&amount));
            let problem = if kind == NumberError::Range { FactProblem::Range } else { FactProblem::Type };
            let error = cx.fail(problem, message);
            return cx.within(Err(error), || Segment::Field("amount".into()));
        }
    };
    if let Some(scale) = plans.currencies.get(currency as usize)
        && !scale.step.divides(&number)
    {
        let error = off_step(cx, &scale.name, &scale.step, &Found::Text(&amount));
        return cx.within(Err(error), || Segment::Field("amount".into()));
    }
    let currency = currency as u8;
    note_currency(cx, currency)?;
    Ok(Slot { currency, ..number_slot(cx, number) })
}

/// The decimals that an amount of this place is shown with.
fn decimals(cx: &Cx<'_>, plan: &Plan) -> Option<u32> {
    match plan.kind {
        Kind::Money => cx.plans.currencies.first()?.step.decimals,
        Kind::Unit(id) => cx.plans.units.get(id as usize)?.step.decimals,
        _ => None,
    }
}

/// A JSON number with a fraction or an exponent: refused everywhere, it may have been a float.
pub(super) fn fraction<E: Error>(cx: &mut Cx<'_>, plan: &Plan) -> E {
    let expected = cx.expected(&plan.kind, plan.optional);
    let whole = match plan.kind {
        Kind::Int => true,
        Kind::Dec | Kind::Unit(_) | Kind::Money => false,
        _ => {
            return cx.fail_with(FactProblem::Type, Said::Fraction { expected, decimals: None, whole: true });
        }
    };
    let decimals = Some(decimals(cx, plan).unwrap_or(0));
    cx.fail_with(FactProblem::Type, Said::Fraction { expected, decimals, whole })
}

/// The message for [`fraction`], once the number's own text is known.
pub(super) fn fraction_message(expected: &str, decimals: Option<u32>, whole: bool, raw: &str) -> String {
    let found = Found::Number(raw);
    let mut message = format!("expected {expected}, found {found}");
    let Some(decimals) = decimals else { return message };
    match (whole, parse(raw)) {
        (true, _) => message.push_str("; write it without a fraction or exponent"),
        (false, Ok(_)) => {
            let given = raw.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            let point = if given == 0 && decimals > 0 { "." } else { "" };
            let zeros = "0".repeat((decimals as usize).saturating_sub(given));
            message.push_str(&format!("; write \"{raw}{point}{zeros}\""));
        }
        (false, Err(_)) => message.push_str("; write it as text, digits with a point: \"12.50\""),
    }
    message
}

fn off_step<E: Error>(cx: &mut Cx<'_>, name: &str, step: &Step, found: &Found<'_>) -> E {
    let message = format!("{found} is not a multiple of {name}'s step {}", step.show());
    cx.fail(FactProblem::OffStep, message)
}

fn out_of_range<E: Error>(cx: &mut Cx<'_>, plan: &Plan, found: &Found<'_>) -> E {
    let expected = cx.expected(&plan.kind, plan.optional);
    cx.fail(FactProblem::Range, format!("expected {expected}, found {found}, which is out of range"))
}

/// A value of another type or in another form.
pub(super) fn refuse<E: Error>(cx: &mut Cx<'_>, plan: &Plan, found: &Found<'_>) -> E {
    let expected = cx.expected(&plan.kind, plan.optional);
    let write = match &plan.kind {
        Kind::Money => "; write \"399.00\" or {\"amount\": \"399.00\", \"currency\": \"CNY\"}",
        Kind::Dec => "; write \"0.15\"",
        Kind::Unit(_) => "; write 40 or \"40\"",
        Kind::Int => "; write 12",
        Kind::Date => "; write \"2026-07-01\"",
        Kind::DateTime => "; write \"2026-07-01T09:30:00+08:00\"",
        Kind::Period => "; write \"P7D\", \"P1M\" or \"P1Y\"",
        Kind::Duration => "; write \"PT24H\"",
        Kind::List(..) => "; write [ … ]",
        Kind::Entity(..) | Kind::Facts => "; write { … }",
        Kind::Bool
        | Kind::Text
        | Kind::Enum(_)
        | Kind::Node(_)
        | Kind::CallRows(_)
        | Kind::CallRow(_)
        | Kind::Never => "",
    };
    let options = match (&plan.kind, found) {
        (Kind::Enum(id), _) => cx.plans.enums.get(*id as usize).map(|(_, names)| names.hint("")),
        (Kind::Node(id), _) => cx.plans.taxonomies.get(*id as usize).map(|(_, names)| names.hint("")),
        _ => None,
    };
    let mut message = format!("expected {expected}, found {found}{write}");
    if let Some(options) = options {
        message.push_str("; ");
        message.push_str(&options);
    }
    cx.fail(FactProblem::Type, message)
}

/// `null` where the fact cannot be absent.
pub(super) fn refuse_null<E: Error>(cx: &mut Cx<'_>, plan: &Plan) -> E {
    let message = format!(
        "expected {}, found {}; this fact cannot be absent, leave the key out if it is not known",
        cx.expected(&plan.kind, false),
        Found::Null
    );
    cx.fail(FactProblem::NotOptional, message)
}

/// A set's elements, bound from `bottom` up, must differ.
pub(super) fn refuse_repeated<E: Error>(cx: &mut Cx<'_>, bottom: usize) -> Result<(), E> {
    let mut seen = FxHashSet::default();
    let slots = cx.facts.slots.get(bottom..).unwrap_or_default();
    let repeated = slots.iter().position(|s| {
        // Equal wide numbers lie at different places of the arena.
        let wide = (s.tag == Tag::Wide).then(|| cx.facts.wides.get(s.bits as usize).cloned());
        !seen.insert((if wide.is_some() { 0 } else { s.bits }, s.tag as u8, s.currency, wide))
    });
    match repeated {
        None => Ok(()),
        Some(at) => {
            let error = cx.fail(FactProblem::Duplicate, "this element is in the set twice".into());
            cx.within(Err(error), || Segment::Index(at as u32))
        }
    }
}
