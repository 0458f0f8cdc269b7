//! Numbers and other quantities: limits, arithmetic, order, rounding, sums.
use crate::lang::typed::*;
use crate::program::outcome::Fault;
use crate::program::round::{is_on, round};
use crate::program::value::Value;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};
use std::cmp::Ordering;

/// Periods are packed with a bit for their kind, so their numbers have one bit less.
const MAX_PERIOD: i64 = i64::MAX / 2;

/// A number within the limit of its type.
pub fn within(n: BigRational, ty: &Ty) -> Result<BigRational, Fault> {
    let limit = match ty.inner() {
        Ty::Int => BigRational::from_integer(i64::MAX.into()),
        _ => BigRational::new(i64::MAX.into(), 10_000.into()),
    };
    if n.abs() > limit { Err(Fault::Overflow) } else { Ok(n) }
}

fn period_of(kind: fn(i64) -> Period, n: Option<i64>) -> Result<Value, Fault> {
    match n {
        Some(n) if n.checked_abs().is_some_and(|a| a <= MAX_PERIOD) => Ok(Value::Period(kind(n))),
        _ => Err(Fault::Overflow),
    }
}

fn duration_of(n: Option<i64>) -> Result<Value, Fault> {
    n.map(Value::Duration).ok_or(Fault::Overflow)
}

/// A whole number; what is not whole is rounded down (only rates in days can give that).
fn whole(n: &BigRational) -> Option<i64> {
    n.floor().to_integer().to_i64()
}

/// The order of two quantities; amounts of two currencies, or days and months, have none.
pub fn compare(a: &Value, b: &Value) -> Result<Ordering, Fault> {
    match (a, b) {
        (Value::Money(_, c), Value::Money(_, d)) if c != d => Err(Fault::MixedCurrencies),
        (Value::Period(Period::Days(_)), Value::Period(Period::Months(_)))
        | (Value::Period(Period::Months(_)), Value::Period(Period::Days(_))) => Err(Fault::MixedPeriods),
        _ => Ok(a.cmp(b)),
    }
}

/// The greatest (or least) of several values; `None` of none.
pub fn extreme<'v>(
    values: impl IntoIterator<Item = &'v Value>,
    greatest: bool,
) -> Result<Option<&'v Value>, Fault> {
    let mut best: Option<&Value> = None;
    for value in values {
        best = match best {
            None => Some(value),
            Some(b) => {
                let better = if greatest { Ordering::Greater } else { Ordering::Less };
                Some(if compare(value, b)? == better { value } else { b })
            }
        };
    }
    Ok(best)
}

/// Nothing of a type: 0, 0 in the first currency, no days.
pub fn zero(ty: &Ty) -> Value {
    match ty.inner() {
        Ty::Money => Value::Money(BigRational::zero(), CurrencyId(0)),
        Ty::Period => Value::Period(Period::Days(0)),
        Ty::Duration => Value::Duration(0),
        _ => Value::Num(BigRational::zero()),
    }
}

/// Whether a value is nothing of its type.
pub fn is_zero(value: &Value) -> bool {
    match value {
        Value::Num(n) | Value::Money(n, _) => n.is_zero(),
        Value::Period(Period::Days(n) | Period::Months(n)) | Value::Duration(n) => *n == 0,
        _ => false,
    }
}

/// The sum in order, every partial sum checked.
pub fn sum<'v>(values: impl IntoIterator<Item = &'v Value>, ty: &Ty) -> Result<Value, Fault> {
    let mut total: Option<Value> = None;
    for value in values {
        total = Some(match total {
            None => value.clone(),
            Some(t) => add(&t, value, ty, false)?,
        });
    }
    Ok(total.unwrap_or_else(|| zero(ty)))
}

fn add(a: &Value, b: &Value, ty: &Ty, subtract: bool) -> Result<Value, Fault> {
    let numbers = |a: &BigRational, b: &BigRational| within(if subtract { a - b } else { a + b }, ty);
    let ints = |a: i64, b: i64| if subtract { a.checked_sub(b) } else { a.checked_add(b) };
    match (a, b) {
        (Value::Num(a), Value::Num(b)) => Ok(Value::Num(numbers(a, b)?)),
        (Value::Money(_, c), Value::Money(_, d)) if c != d => Err(Fault::MixedCurrencies),
        (Value::Money(a, c), Value::Money(b, _)) => Ok(Value::Money(numbers(a, b)?, *c)),
        (Value::Period(Period::Days(a)), Value::Period(Period::Days(b))) => {
            period_of(Period::Days, ints(*a, *b))
        }
        (Value::Period(Period::Months(a)), Value::Period(Period::Months(b))) => {
            period_of(Period::Months, ints(*a, *b))
        }
        (Value::Period(_), Value::Period(_)) => Err(Fault::MixedPeriods),
        (Value::Duration(a), Value::Duration(b)) => duration_of(ints(*a, *b)),
        _ => Ok(Value::Absent),
    }
}

/// `-x`
pub fn negate(value: &Value) -> Result<Value, Fault> {
    match value {
        // The limits are the same on both sides of zero.
        Value::Num(n) => Ok(Value::Num(-n)),
        Value::Money(n, c) => Ok(Value::Money(-n, *c)),
        Value::Period(Period::Days(n)) => period_of(Period::Days, n.checked_neg()),
        Value::Period(Period::Months(n)) => period_of(Period::Months, n.checked_neg()),
        Value::Duration(n) => duration_of(n.checked_neg()),
        _ => Ok(Value::Absent),
    }
}

/// `abs(x)`
pub fn magnitude(value: &Value) -> Result<Value, Fault> {
    let negative = match value {
        Value::Num(n) | Value::Money(n, _) => n.is_negative(),
        Value::Period(Period::Days(n) | Period::Months(n)) | Value::Duration(n) => *n < 0,
        _ => false,
    };
    if negative { negate(value) } else { Ok(value.clone()) }
}

/// Sums, differences, products and quotients of quantities (dates are moved in `time`). `types` are the operands'.
pub fn arith(op: ArithOp, a: &Value, b: &Value, types: (&Ty, &Ty), ty: &Ty) -> Result<Value, Fault> {
    match op {
        ArithOp::Add => add(a, b, ty, false),
        ArithOp::Sub => add(a, b, ty, true),
        ArithOp::Mul => match (types.0.inner(), types.1.inner()) {
            (_, Ty::Rate(of, per)) => convert(a, b, *per, *of, ty, false),
            (Ty::Rate(of, per), _) => convert(b, a, *per, *of, ty, false),
            _ => multiply(a, b, ty),
        },
        ArithOp::Div => match types.1.inner() {
            Ty::Rate(of, per) => convert(a, b, *of, *per, ty, true),
            _ => divide(a, b, ty),
        },
    }
}

fn multiply(a: &Value, b: &Value, ty: &Ty) -> Result<Value, Fault> {
    match (a, b) {
        (Value::Num(a), Value::Num(b)) => Ok(Value::Num(within(a * b, ty)?)),
        (Value::Money(a, c), Value::Num(b)) | (Value::Num(b), Value::Money(a, c)) => {
            Ok(Value::Money(within(a * b, ty)?, *c))
        }
        (Value::Period(p), Value::Num(n)) | (Value::Num(n), Value::Period(p)) => {
            let times = |k: i64| whole(&(BigRational::from_integer(k.into()) * n));
            match p {
                Period::Days(k) => period_of(Period::Days, times(*k)),
                Period::Months(k) => period_of(Period::Months, times(*k)),
            }
        }
        (Value::Duration(k), Value::Num(n)) | (Value::Num(n), Value::Duration(k)) => {
            duration_of(whole(&(BigRational::from_integer((*k).into()) * n)))
        }
        _ => Ok(Value::Absent),
    }
}

fn divide(a: &Value, b: &Value, ty: &Ty) -> Result<Value, Fault> {
    let ratio = |a: BigRational, b: BigRational| {
        if b.is_zero() { Err(Fault::DivisionByZero) } else { within(a / b, ty) }
    };
    let int = |n: &i64| BigRational::from_integer(BigInt::from(*n));
    match (a, b) {
        (Value::Num(a), Value::Num(b)) => Ok(Value::Num(ratio(a.clone(), b.clone())?)),
        (Value::Money(a, c), Value::Num(b)) => Ok(Value::Money(ratio(a.clone(), b.clone())?, *c)),
        (Value::Money(_, c), Value::Money(_, d)) if c != d => Err(Fault::MixedCurrencies),
        (Value::Money(a, _), Value::Money(b, _)) => Ok(Value::Num(ratio(a.clone(), b.clone())?)),
        (Value::Period(Period::Days(a)), Value::Period(Period::Days(b)))
        | (Value::Period(Period::Months(a)), Value::Period(Period::Months(b)))
        | (Value::Duration(a), Value::Duration(b)) => Ok(Value::Num(ratio(int(a), int(b))?)),
        (Value::Period(_), Value::Period(_)) => Err(Fault::MixedPeriods),
        _ => Ok(Value::Absent),
    }
}

/// A quantity of kind `from` by a rate into one of kind `to`, multiplied or divided.
fn convert(
    amount: &Value,
    rate: &Value,
    from: RateKind,
    to: RateKind,
    ty: &Ty,
    divide: bool,
) -> Result<Value, Fault> {
    let Value::Num(rate) = rate else { return Ok(Value::Absent) };
    let n = match (amount, from) {
        (Value::Money(_, c), RateKind::Money(d)) if *c != d => return Err(Fault::MixedCurrencies),
        (Value::Money(n, _) | Value::Num(n), _) => n.clone(),
        (Value::Period(Period::Days(n)), _) => BigRational::from_integer((*n).into()),
        (Value::Period(Period::Months(_)), _) => return Err(Fault::MixedPeriods),
        _ => return Ok(Value::Absent),
    };
    let n = match divide {
        true if rate.is_zero() => return Err(Fault::DivisionByZero),
        true => n / rate,
        false => n * rate,
    };
    match to {
        RateKind::Money(c) => Ok(Value::Money(within(n, ty)?, c)),
        RateKind::Unit(_) => Ok(Value::Num(within(n, ty)?)),
        RateKind::Days => period_of(Period::Days, whole(&n)),
    }
}

/// The step of a value's type: the currency's, the unit's, 1 for integers.
pub fn step_of(vocab: &Vocab, value: &Value, ty: &Ty) -> BigRational {
    let step = match (value, ty.inner()) {
        (Value::Money(_, c), _) => vocab.currencies.get(c.ix()).map(|d| d.step.clone()),
        (_, Ty::Unit(u)) => vocab.units.get(u.ix()).map(|d| d.step.clone()),
        _ => None,
    };
    step.unwrap_or_else(|| BigRational::from_integer(1.into()))
}

/// A rounded amount; `None` if the mode is undecided and the value is not on the step.
pub fn rounded(
    value: &Value,
    rounding: &Rounding,
    step: &BigRational,
    ty: &Ty,
) -> Option<Result<Value, Fault>> {
    let n = match value {
        Value::Num(n) | Value::Money(n, _) => n,
        other => return Some(Ok(other.clone())),
    };
    let n = match rounding {
        Rounding::Mode(mode) => round(n, *mode, step),
        Rounding::Undecided(_) if is_on(n, step) => n.clone(),
        Rounding::Undecided(_) => return None,
    };
    Some(within(n, ty).map(|n| with_number(value, n)))
}

/// The same kind of amount with another number.
pub fn with_number(like: &Value, n: BigRational) -> Value {
    match like {
        Value::Money(_, c) => Value::Money(n, *c),
        _ => Value::Num(n),
    }
}

/// The number of an amount.
pub fn number_of(value: &Value) -> Option<&BigRational> {
    match value {
        Value::Num(n) | Value::Money(n, _) => Some(n),
        _ => None,
    }
}
