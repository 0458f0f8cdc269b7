//! Constants: folding what table cells and params may compute, and their order.
use super::expr::int;
use crate::lang::typed::*;
use num_bigint::BigInt;
use std::cmp::Ordering;

/// The constant that an expression without names comes to; `None` if it has names or no value.
pub(super) fn fold(e: &Expr) -> Option<Const> {
    match &e.kind {
        ExprKind::Const(c) => Some(c.clone()),
        ExprKind::Widen(x) | ExprKind::Present(x) => fold(x),
        ExprKind::Neg(x) => match fold(x)? {
            Const::Num(n) => Some(Const::Num(-n)),
            Const::Money(n, c) => Some(Const::Money(-n, c)),
            Const::Period(Period::Days(n)) => Some(Const::Period(Period::Days(n.checked_neg()?))),
            Const::Period(Period::Months(n)) => Some(Const::Period(Period::Months(n.checked_neg()?))),
            Const::Duration(n) => Some(Const::Duration(n.checked_neg()?)),
            _ => None,
        },
        ExprKind::Arith(op, a, b) => arith(*op, fold(a)?, fold(b)?),
        _ => None,
    }
}

fn arith(op: ArithOp, a: Const, b: Const) -> Option<Const> {
    match (op, a, b) {
        (ArithOp::Add, Const::Num(a), Const::Num(b)) => Some(Const::Num(a + b)),
        (ArithOp::Sub, Const::Num(a), Const::Num(b)) => Some(Const::Num(a - b)),
        (ArithOp::Mul, Const::Num(a), Const::Num(b)) => Some(Const::Num(a * b)),
        (ArithOp::Div, Const::Num(a), Const::Num(b)) => (b != int(0)).then(|| Const::Num(a / b)),
        (ArithOp::Add, Const::Money(a, c), Const::Money(b, d)) => (c == d).then(|| Const::Money(a + b, c)),
        (ArithOp::Sub, Const::Money(a, c), Const::Money(b, d)) => (c == d).then(|| Const::Money(a - b, c)),
        (ArithOp::Mul, Const::Money(a, c), Const::Num(b)) => Some(Const::Money(a * b, c)),
        (ArithOp::Mul, Const::Num(a), Const::Money(b, c)) => Some(Const::Money(a * b, c)),
        (ArithOp::Div, Const::Money(a, c), Const::Num(b)) => (b != int(0)).then(|| Const::Money(a / b, c)),
        (ArithOp::Div, Const::Money(a, c), Const::Money(b, d)) => {
            (c == d && b != int(0)).then(|| Const::Num(a / b))
        }
        (ArithOp::Add, Const::Duration(a), Const::Duration(b)) => Some(Const::Duration(a.checked_add(b)?)),
        (ArithOp::Add, Const::Period(Period::Days(a)), Const::Period(Period::Days(b))) => {
            Some(Const::Period(Period::Days(a.checked_add(b)?)))
        }
        (ArithOp::Add, Const::Period(Period::Months(a)), Const::Period(Period::Months(b))) => {
            Some(Const::Period(Period::Months(a.checked_add(b)?)))
        }
        _ => None,
    }
}

/// Whether a numeric constant keeps the limits of its type.
pub(super) fn in_range(c: &Const, ty: &Ty) -> bool {
    let (Const::Num(n) | Const::Money(n, _)) = c else { return true };
    // The denominator is at least 1, so a numerator of this size is within every limit.
    if n.numer().bits() <= 49 {
        return true;
    }
    let most = int(i64::MAX);
    let scale = if *ty.inner() == Ty::Int { BigInt::from(1) } else { BigInt::from(10_000) };
    let scaled = n * num_rational::BigRational::from_integer(scale);
    scaled <= most && scaled >= -most
}

/// The order of two constants of one ordered type; `None` where they do not compare.
pub(super) fn order(a: &Const, b: &Const) -> Option<Ordering> {
    match (a, b) {
        (Const::Num(a), Const::Num(b)) => Some(a.cmp(b)),
        (Const::Money(a, c), Const::Money(b, d)) => (c == d).then(|| a.cmp(b)),
        (Const::Enum(a), Const::Enum(b)) => Some(a.cmp(b)),
        (Const::Date(a), Const::Date(b)) => Some(a.cmp(b)),
        (Const::DateTime(a), Const::DateTime(b)) => Some(a.cmp(b)),
        (Const::Duration(a), Const::Duration(b)) => Some(a.cmp(b)),
        (Const::Period(Period::Days(a)), Const::Period(Period::Days(b))) => Some(a.cmp(b)),
        (Const::Period(Period::Months(a)), Const::Period(Period::Months(b))) => Some(a.cmp(b)),
        _ => None,
    }
}
