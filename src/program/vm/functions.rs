//! Dates, facts with arguments, and splitting: what an instruction calls out of line.
use crate::lang::typed::{Period, Ty};
use crate::program::code::{ABSENT, CallSite, Fun};
use crate::program::dates::{self, Unit};
use crate::program::facts::{Facts, pack_period, unpack_period};
use crate::program::link::Linked;
use crate::program::value::Value;
use num_bigint::BigInt;
use num_rational::BigRational;

/// `f(a, b)`; `None` leaves the run.
pub(super) fn call(linked: &Linked, f: Fun, a: i64, b: i64) -> Option<i64> {
    let (zone, opens) = (linked.zone, linked.business_day_start);
    let day = |a: i64| i32::try_from(a).ok();
    let some = |d: Option<i32>| d.map(i64::from);
    let negated = |b: i64| {
        pack(match unpack_period(b) {
            Period::Days(n) => Period::Days(n.checked_neg()?),
            Period::Months(n) => Period::Months(n.checked_neg()?),
        })
    };
    match f {
        Fun::DateAdd => some(dates::add_period(day(a)?, unpack_period(b))),
        Fun::DateSub => some(dates::add_period(day(a)?, unpack_period(negated(b)?))),
        Fun::DateTimeAdd => dates::instant_add_period(zone, a, unpack_period(b)),
        Fun::DateTimeSub => dates::instant_add_period(zone, a, unpack_period(negated(b)?)),
        Fun::DateTimeAddDuration => dates::instant_add_seconds(zone, a, b),
        Fun::DateTimeSubDuration => dates::instant_add_seconds(zone, a, b.checked_neg()?),
        Fun::PeriodAdd => periods(a, b, i64::checked_add),
        Fun::PeriodSub => periods(a, b, i64::checked_sub),
        Fun::PeriodMul => pack(match unpack_period(a) {
            Period::Days(n) => Period::Days(n.checked_mul(b)?),
            Period::Months(n) => Period::Months(n.checked_mul(b)?),
        }),
        Fun::PeriodNeg => negated(a),
        Fun::SamePeriods => ((a ^ b) & 1 == 0).then_some(a),
        Fun::PeriodDays => (a & 1 == 0).then_some(a >> 1),
        Fun::DaysBetween => pack(Period::Days(b - a)),
        Fun::MonthsBetween => pack(Period::Months(dates::months_between(day(a)?, day(b)?))),
        Fun::YearsBetween => pack(Period::Months(dates::years_between(day(a)?, day(b)?).checked_mul(12)?)),
        Fun::HoursBetween => None,
        Fun::Year => Some(i64::from(dates::to_ymd(day(a)?).0)),
        Fun::Month => Some(i64::from(dates::to_ymd(day(a)?).1)),
        Fun::Day => Some(i64::from(dates::to_ymd(day(a)?).2)),
        Fun::Weekday => Some(i64::from(dates::weekday(day(a)?))),
        Fun::StartOfDay => dates::start_of_day(zone, opens, day(a)?),
        Fun::StartOfWeek => some(dates::start_of(Unit::Week, day(a)?)),
        Fun::StartOfMonth => some(dates::start_of(Unit::Month, day(a)?)),
        Fun::StartOfQuarter => some(dates::start_of(Unit::Quarter, day(a)?)),
        Fun::StartOfYear => some(dates::start_of(Unit::Year, day(a)?)),
        Fun::EndOfDay => dates::end_of_day(zone, opens, day(a)?),
        Fun::EndOfWeek => some(dates::end_of(Unit::Week, day(a)?)),
        Fun::EndOfMonth => some(dates::end_of(Unit::Month, day(a)?)),
        Fun::EndOfQuarter => some(dates::end_of(Unit::Quarter, day(a)?)),
        Fun::EndOfYear => some(dates::end_of(Unit::Year, day(a)?)),
        Fun::DateOf => some(dates::date_of(zone, opens, a)),
        Fun::NextWorkday => {
            let calendar = linked.rulebook.vocab.calendars.get(usize::try_from(b).ok()?)?;
            some(dates::next_workday(calendar, day(a)?))
        }
        Fun::IsWorkday => {
            let calendar = linked.rulebook.vocab.calendars.get(usize::try_from(b).ok()?)?;
            Some(i64::from(calendar.is_open(day(a)?)))
        }
        Fun::Anniversary => some(dates::anniversary(day(a)?, b)),
    }
}

/// A period that fits its packing exactly.
fn pack(period: Period) -> Option<i64> {
    let bits = pack_period(period);
    (unpack_period(bits) == period && bits != ABSENT).then_some(bits)
}

fn periods(a: i64, b: i64, op: impl Fn(i64, i64) -> Option<i64>) -> Option<i64> {
    pack(match (unpack_period(a), unpack_period(b)) {
        (Period::Days(a), Period::Days(b)) => Period::Days(op(a, b)?),
        (Period::Months(a), Period::Months(b)) => Period::Months(op(a, b)?),
        _ => return None,
    })
}

/// A given fact with arguments.
pub(super) fn fact(linked: &Linked, facts: &Facts, call: &CallSite, args: &[i64]) -> Option<i64> {
    let found = facts.calls.iter().find(|f| {
        f.fact == call.fact
            && f.args.len() == args.len()
            && f.args
                .iter()
                .zip(args)
                .zip(&call.args)
                .all(|((v, &bits), ty)| same(linked, facts, v, bits, ty))
    })?;
    if call.optional { super::optional(Some(&found.slot)) } else { super::present(Some(&found.slot)) }
}

/// Whether a register of a type holds a value.
fn same(linked: &Linked, facts: &Facts, value: &Value, bits: i64, ty: &Ty) -> bool {
    let fixed = |n: &BigRational| {
        *n == BigRational::new(BigInt::from(bits), BigInt::from(crate::program::facts::SCALE))
    };
    match (value, ty.inner()) {
        (Value::Absent, _) => bits == ABSENT,
        _ if bits == ABSENT => false,
        (Value::Bool(b), _) => i64::from(*b) == bits,
        (Value::Num(n), Ty::Int) => n.is_integer() && *n.numer() == BigInt::from(bits),
        (Value::Num(n), _) => fixed(n),
        (Value::Money(n, _), _) => fixed(n),
        (Value::Text(t), _) => facts.text(&linked.symbols, bits) == Some(t),
        (Value::Enum(n) | Value::Node(n), _) => i64::from(*n) == bits,
        (Value::Date(d), _) => i64::from(*d) == bits,
        (Value::DateTime(t), _) => *t == bits,
        (Value::Period(p), _) => pack_period(*p) == bits,
        (Value::Duration(s), _) => *s == bits,
        (Value::List(_) | Value::Set(_) | Value::Record(..), _) => false,
    }
}

/// Splits `amount` by the weights `vals[start + 1 ..= start + vals[start]]`, which the parts replace: each is the floor to
/// the step, the remaining steps go to the largest remainders, ties by order. Answers `start`.
pub(super) fn split(vals: &mut [i64], amount: i64, start: i64, step: i64) -> Option<i64> {
    let from = usize::try_from(start).ok()?;
    let n = usize::try_from(*vals.get(from)?).ok()?;
    let (weights, rest) = vals.get_mut(from + 1..)?.split_at_mut_checked(n)?;
    // Room for the remainders follows the weights.
    let remainders = rest.get_mut(..n)?;
    if amount < 0 || amount % step != 0 || weights.iter().any(|w| *w < 0) {
        return None;
    }
    let total: i128 = weights.iter().map(|w| i128::from(*w)).sum();
    if total == 0 {
        return None;
    }
    let steps = i128::from(amount / step);
    let mut left = steps;
    for (weight, remainder) in weights.iter_mut().zip(remainders.iter_mut()) {
        let product = steps.checked_mul(i128::from(*weight))?;
        // All remainders share the denominator, so their numerators compare; too large ones leave the run.
        *remainder = i64::try_from(product % total).ok()?;
        let part = product / total;
        left -= part;
        *weight = i64::try_from(part).ok()?.checked_mul(step)?;
    }
    while left > 0 {
        let mut best: Option<(usize, i64)> = None;
        for (i, r) in remainders.iter().enumerate() {
            if best.is_none_or(|(_, b)| *r > b) {
                best = Some((i, *r));
            }
        }
        let (i, _) = best?;
        *remainders.get_mut(i)? = -1;
        let part = weights.get_mut(i)?;
        *part = part.checked_add(step)?;
        left -= 1;
    }
    Some(start)
}
