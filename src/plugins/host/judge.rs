//! Whether what a plugin says can be meant: its kind, its spelling, its size. What a policy makes of it is not asked here.
use crate::plugins::contract::{Answer, Failure, Field, Hook, HttpRequest, Money, Reason, Value};
use crate::plugins::host::limits::Limits;
use crate::plugins::manifest::Function;
use std::collections::BTreeSet;

/// A plan within the limits, each request with a name of its own. `before`: the names of earlier rounds.
pub(super) fn plan(
    requests: &[HttpRequest],
    before: &BTreeSet<String>,
    limits: &Limits,
) -> Result<(), Failure> {
    if requests.len() > limits.requests as usize {
        let (n, most) = (requests.len(), limits.requests);
        return Err(Failure::WrongAnswer(format!("{n} requests in one plan; {most} are allowed")));
    }
    if requests.iter().map(weight).sum::<usize>() > limits.plan as usize {
        return Err(Failure::OutputTooLarge(u64::from(limits.plan)));
    }
    let mut names = BTreeSet::new();
    for request in requests {
        if before.contains(&request.name) || !names.insert(request.name.as_str()) {
            return Err(Failure::WrongAnswer(format!("two requests are named `{}`", short(&request.name))));
        }
    }
    Ok(())
}

fn weight(of: &HttpRequest) -> usize {
    let headers: usize = of.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    of.name.len() + of.method.len() + of.url.len() + headers + of.body.len()
}

/// An answer of the hook, of the kind that the manifest promises, and within the limit.
pub(super) fn answer(
    hook: Hook,
    function: Option<&Function>,
    answer: &Answer,
    limits: &Limits,
) -> Result<(), Failure> {
    if answer_weight(answer) > limits.output as usize {
        return Err(Failure::OutputTooLarge(u64::from(limits.output)));
    }
    match (hook, answer) {
        (Hook::Facts, Answer::Value(value)) => fact(value, function),
        (Hook::Quote, Answer::Quoted(quotation)) => {
            money(&quotation.price)?;
            if let Some(until) = &quotation.valid_until {
                spelled(instant(until), "an instant", until)?;
            }
            quotation.attributes.iter().try_for_each(|f| value(&f.value))
        }
        (Hook::Check, Answer::Allow | Answer::Deny(_) | Answer::Refer(_))
        | (Hook::Quote, Answer::Declined(_))
        | (Hook::Notify, Answer::Delivered | Answer::RetryLater(_) | Answer::Rejected(_)) => Ok(()),
        _ => Err(Failure::WrongAnswer(format!("it is not one of the hook `{}`", hook.name()))),
    }
}

fn fact(said: &Value, function: Option<&Function>) -> Result<(), Failure> {
    let promised = function.map_or("", |f| f.answers.as_str());
    match (kind(said), said) {
        (_, Value::Other(text)) => Err(Failure::Unknown(short(text).to_owned())),
        // Whether a fact may be absent is for the vocabulary to say.
        (_, Value::Absent) => Ok(()),
        (kind, _) if kind == promised => value(said),
        (kind, _) => Err(Failure::WrongAnswer(format!("{kind} instead of {promised}"))),
    }
}

/// The case's name, as manifests have it.
pub(super) fn kind(of: &Value) -> &'static str {
    match of {
        Value::Absent => "absent",
        Value::Truth(_) => "truth",
        Value::Whole(_) => "whole",
        Value::Decimal(_) => "decimal",
        Value::Money(_) => "money",
        Value::Quantity(_) => "quantity",
        Value::Text(_) => "text",
        Value::Word(_) => "word",
        Value::Date(_) => "date",
        Value::Instant(_) => "instant",
        Value::Period(_) => "period",
        Value::Duration(_) => "duration",
        Value::Other(_) => "other",
    }
}

/// The kinds that a manifest's function may answer.
pub(super) const KINDS: &[&str] = &[
    "truth", "whole", "decimal", "money", "quantity", "text", "word", "date", "instant", "period", "duration",
];

fn value(of: &Value) -> Result<(), Failure> {
    match of {
        Value::Decimal(text) => spelled(decimal(text), "a decimal", text),
        Value::Money(m) => money(m),
        Value::Quantity(q) => spelled(decimal(&q.amount), "a decimal", &q.amount),
        Value::Date(text) => spelled(date(text), "a date", text),
        Value::Instant(text) => spelled(instant(text), "an instant", text),
        Value::Period(text) => spelled(period(text), "a period", text),
        Value::Absent
        | Value::Truth(_)
        | Value::Whole(_)
        | Value::Text(_)
        | Value::Word(_)
        | Value::Duration(_)
        | Value::Other(_) => Ok(()),
    }
}

fn money(of: &Money) -> Result<(), Failure> {
    spelled(currency(&of.currency), "a currency", &of.currency)
}

fn spelled(right: bool, what: &str, text: &str) -> Result<(), Failure> {
    if right { Ok(()) } else { Err(Failure::WrongAnswer(format!("`{}` is not {what}", short(text)))) }
}

/// ISO 4217's form.
pub(super) fn currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase())
}

/// Plain digits, with a point and a minus at most.
pub(super) fn decimal(text: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.len() <= 40 && s.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    match text.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part),
        None => digits(text),
    }
}

fn date(text: &str) -> bool {
    text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn instant(text: &str) -> bool {
    text.len() <= 40 && chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

/// Days or months.
fn period(text: &str) -> bool {
    text.strip_prefix('P')
        .and_then(|rest| rest.strip_suffix(['D', 'M']))
        .is_some_and(|n| !n.is_empty() && n.len() <= 9 && n.bytes().all(|b| b.is_ascii_digit()))
}

fn answer_weight(of: &Answer) -> usize {
    let reasons = |all: &[Reason]| all.iter().map(reason_weight).sum::<usize>();
    match of {
        Answer::Value(v) => value_weight(v),
        Answer::Deny(why) | Answer::Refer(why) => reasons(why),
        Answer::Declined(why) => reason_weight(why),
        Answer::Quoted(q) => {
            let texts = [&q.valid_until, &q.reference].into_iter().flatten().map(String::len).sum::<usize>();
            texts + q.attributes.iter().map(field_weight).sum::<usize>()
        }
        Answer::Rejected(why) => why.len(),
        Answer::Allow | Answer::Delivered | Answer::RetryLater(_) => 0,
    }
}

/// An item counts for itself as well: a list of empty ones is not free.
const ITEM: usize = 16;

fn reason_weight(of: &Reason) -> usize {
    ITEM + of.code.len() + of.text.len()
}

fn field_weight(of: &Field) -> usize {
    ITEM + of.path.len() + value_weight(&of.value)
}

fn value_weight(of: &Value) -> usize {
    match of {
        Value::Absent | Value::Truth(_) | Value::Whole(_) | Value::Duration(_) => 0,
        Value::Money(m) => m.currency.len(),
        Value::Quantity(q) => q.amount.len() + q.unit.len(),
        Value::Decimal(s)
        | Value::Text(s)
        | Value::Word(s)
        | Value::Date(s)
        | Value::Instant(s)
        | Value::Period(s)
        | Value::Other(s) => s.len(),
    }
}

/// Enough of a plugin's text for a failure's own text.
pub(super) fn short(text: &str) -> &str {
    text.get(..text.floor_char_boundary(400)).unwrap_or(text)
}

/// A failure whose text fits into a record, whatever the plugin said.
pub(super) fn shortened(failure: Failure) -> Failure {
    let cut = |text: String| short(&text).to_owned();
    match failure {
        Failure::InvalidInput(s) => Failure::InvalidInput(cut(s)),
        Failure::Unavailable(s) => Failure::Unavailable(cut(s)),
        Failure::Unsupported(s) => Failure::Unsupported(cut(s)),
        Failure::Internal(s) => Failure::Internal(cut(s)),
        Failure::Unknown(s) => Failure::Unknown(cut(s)),
        Failure::Trapped(s) => Failure::Trapped(cut(s)),
        Failure::WrongAnswer(s) => Failure::WrongAnswer(cut(s)),
        Failure::NotGranted(s) => Failure::NotGranted(cut(s)),
        Failure::NotInstalled
        | Failure::Deadline(_)
        | Failure::OutOfFuel(_)
        | Failure::OutOfMemory(_)
        | Failure::StackOverflow
        | Failure::OutputTooLarge(_)
        | Failure::TooManyRounds(_)
        | Failure::Busy
        | Failure::Resting
        | Failure::OutOfTime => failure,
    }
}
