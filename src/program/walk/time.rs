//! Functions, those of dates among them.
use crate::lang::typed::*;
use crate::program::dates::{self, Unit};
use crate::program::link::Linked;
use crate::program::outcome::Fault;
use crate::program::value::Value;
use crate::program::walk::number;
use crate::program::walk::state::{Eval, V};
use num_rational::BigRational;
use num_traits::ToPrimitive;

fn int(n: i64) -> Value {
    Value::Num(BigRational::from_integer(n.into()))
}

fn date(day: Option<i32>) -> Result<Value, Fault> {
    day.map(Value::Date).ok_or(Fault::DateOutOfRange)
}

fn instant(micros: Option<i64>) -> Result<Value, Fault> {
    micros.map(Value::DateTime).ok_or(Fault::DateOutOfRange)
}

/// Dates and instants moved by periods and durations; `None` if the operands are other quantities.
pub fn move_date(linked: &Linked, op: ArithOp, a: &Value, b: &Value) -> Option<Result<Value, Fault>> {
    let by = match op {
        ArithOp::Add => b.clone(),
        ArithOp::Sub => match (a, b) {
            (Value::Date(from), Value::Date(to)) => {
                return Some(Ok(Value::Period(Period::Days(i64::from(*from) - i64::from(*to)))));
            }
            (Value::DateTime(from), Value::DateTime(to)) => {
                return Some(Ok(Value::Duration(dates::seconds_between(*to, *from))));
            }
            (Value::Date(_) | Value::DateTime(_), _) => match number::negate(b) {
                Ok(by) => by,
                Err(fault) => return Some(Err(fault)),
            },
            _ => return None,
        },
        ArithOp::Mul | ArithOp::Div => return None,
    };
    match (a, by) {
        (Value::Date(d), Value::Period(p)) => Some(date(dates::add_period(*d, p))),
        (Value::DateTime(t), Value::Period(p)) => {
            Some(instant(dates::instant_add_period(linked.zone, *t, p)))
        }
        (Value::DateTime(t), Value::Duration(s)) => {
            Some(instant(dates::instant_add_seconds(linked.zone, *t, s)))
        }
        // `15 days + d` reads as `d + 15 days`.
        (Value::Period(_) | Value::Duration(_), d @ (Value::Date(_) | Value::DateTime(_))) => {
            move_date(linked, ArithOp::Add, &d, a)
        }
        _ => None,
    }
}

/// `days from a to b` and its like.
pub fn between(span: Span2, a: &Value, b: &Value, ty: &Ty) -> Value {
    let (n, period): (i64, fn(i64) -> Period) = match (span, a, b) {
        (Span2::Hours, Value::DateTime(a), Value::DateTime(b)) => {
            return Value::Duration(dates::seconds_between(*a, *b));
        }
        (Span2::Days, Value::Date(a), Value::Date(b)) => (i64::from(*b) - i64::from(*a), Period::Days),
        (Span2::Months, Value::Date(a), Value::Date(b)) => (dates::months_between(*a, *b), Period::Months),
        (Span2::Years, Value::Date(a), Value::Date(b)) => {
            let years = dates::years_between(*a, *b);
            let months = matches!(ty.inner(), Ty::Period);
            (if months { years * 12 } else { years }, Period::Months)
        }
        _ => return Value::Absent,
    };
    if matches!(ty.inner(), Ty::Period) { Value::Period(period(n)) } else { int(n) }
}

/// The value of a function of present arguments.
pub fn function<'a>(linked: &Linked, func: Func, args: &[V<'a>], types: &[&Ty]) -> Result<Value, Fault> {
    let first = args.first().map_or(&Value::Absent, V::plain);
    let ty = types.first().map_or(&Ty::Never, |ty| ty.inner());
    let day = match first {
        Value::Date(d) => Some(*d),
        Value::DateTime(t) => dates::date_of(linked.zone, linked.business_day_start, *t),
        _ => None,
    };
    let of_day = |f: &dyn Fn(i32) -> Result<Value, Fault>| match (first, day) {
        (Value::Absent, _) => Ok(Value::Absent),
        (_, Some(d)) => f(d),
        (_, None) => Err(Fault::DateOutOfRange),
    };
    let calendar = |id: CalendarId| linked.rulebook.vocab.calendars.get(id.ix());
    let (zone, start) = (linked.zone, linked.business_day_start);
    match func {
        Func::Min | Func::Max => {
            let best = number::extreme(args.iter().map(V::plain), func == Func::Max)?;
            best.cloned().ok_or(Fault::EmptyExtreme)
        }
        Func::Abs => number::magnitude(first),
        Func::Year => of_day(&|d| Ok(int(i64::from(dates::to_ymd(d).0)))),
        Func::Month => of_day(&|d| Ok(int(i64::from(dates::to_ymd(d).1)))),
        Func::Day => of_day(&|d| Ok(int(i64::from(dates::to_ymd(d).2)))),
        Func::Weekday => of_day(&|d| Ok(int(i64::from(dates::weekday(d))))),
        Func::StartOfDay => of_day(&|d| instant(dates::start_of_day(zone, start, d))),
        Func::StartOfWeek => of_day(&|d| date(dates::start_of(Unit::Week, d))),
        Func::StartOfMonth => of_day(&|d| date(dates::start_of(Unit::Month, d))),
        Func::StartOfQuarter => of_day(&|d| date(dates::start_of(Unit::Quarter, d))),
        Func::StartOfYear => of_day(&|d| date(dates::start_of(Unit::Year, d))),
        Func::EndOfDay => of_day(&|d| instant(dates::end_of_day(zone, start, d))),
        Func::EndOfWeek => of_day(&|d| date(dates::end_of(Unit::Week, d))),
        Func::EndOfMonth => of_day(&|d| date(dates::end_of(Unit::Month, d))),
        Func::EndOfQuarter => of_day(&|d| date(dates::end_of(Unit::Quarter, d))),
        Func::EndOfYear => of_day(&|d| date(dates::end_of(Unit::Year, d))),
        Func::DateOf => of_day(&|d| Ok(Value::Date(d))),
        Func::NextWorkday(id) => of_day(&|d| match calendar(id) {
            Some(c) => date(dates::next_workday(c, d)),
            None => Ok(Value::Date(d)),
        }),
        Func::IsWorkday(id) => of_day(&|d| Ok(Value::Bool(calendar(id).is_some_and(|c| c.is_open(d))))),
        Func::Anniversary => {
            let year = args.get(1).and_then(|y| number::number_of(y.plain())).and_then(|y| y.to_i64());
            of_day(&|d| date(year.and_then(|y| dates::anniversary(d, y))))
        }
        Func::Above | Func::Below => Ok(neighbour(linked, func, first, ty)),
        Func::Length => Ok(int(match args.first() {
            Some(V::List(items)) => items.len() as i64,
            Some(V::Plain(Value::Set(items))) => items.len() as i64,
            Some(V::Plain(Value::Text(text))) => text.chars().count() as i64,
            _ => return Ok(Value::Absent),
        })),
        // The elements of a list have states of their own: see `call`.
        Func::First | Func::Last => Ok(Value::Absent),
    }
}

/// The next member of an ordered enum, absent at the end.
fn neighbour(linked: &Linked, func: Func, level: &Value, ty: &Ty) -> Value {
    let (Value::Enum(level), Ty::Enum(id)) = (level, ty) else { return Value::Absent };
    let count = linked.rulebook.vocab.enums.get(id.ix()).map_or(0, |d| d.members.len());
    let next = if func == Func::Above { level.checked_add(1) } else { level.checked_sub(1) };
    match next {
        Some(n) if (n as usize) < count => Value::Enum(n),
        _ => Value::Absent,
    }
}

/// As [`function`], as a state.
pub fn call<'a>(linked: &Linked, func: Func, args: &[V<'a>], types: &[&Ty]) -> Eval<'a> {
    let end = match (func, args) {
        (Func::First, [V::List(items)]) => items.first(),
        (Func::Last, [V::List(items)]) => items.last(),
        _ => return Eval::from_result(function(linked, func, args, types)),
    };
    end.map_or_else(Eval::absent, |item| item.state.clone())
}
