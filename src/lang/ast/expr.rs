//! Expressions.

use super::{Name, Path, Text};
use crate::lang::source::Span;
use chrono::{DateTime, FixedOffset, NaiveDate};
use num_bigint::BigInt;
use num_rational::BigRational;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `yes`, `no`
    Bool(bool),
    /// `absent`
    Absent,
    /// `12`, `1_000.5`
    Number(Number),
    /// `15%`: the number as written, so the value is a hundredth of it.
    Percent(Number),
    /// `8.8折`: the number as written, so the value is a tenth of it.
    Zhe(Number),
    /// `15 days`, `1个月`, `2年`
    Period(Number, PeriodUnit),
    /// `24 hours`
    Duration(Number, DurationUnit),
    /// `300 CNY`, `300元`, `40积分`: any unit that is not of time.
    Quantity(Quantity),
    /// `1 point per 2 CNY`
    Rate(Box<Rate>),
    Date(NaiveDate),
    DateTime(DateTime<FixedOffset>),
    Text(String),
    /// `item.category`, `until`, an enum's word, a table …
    Path(Path),
    /// `f(a, name: b)`: a function, table, record, fact with arguments, or another decision with facts changed.
    Call(Box<Call>),
    /// `.name` after a call.
    Field(Box<Expr>, Name),
    Interval(Box<Interval>),
    List(Vec<Expr>),
    Set(Vec<Expr>),
    /// `undecided "question"`
    Undecided(Text),
    /// `days from A to B`
    Between(Box<Between>),
    /// `sum(e for x in list where c)`
    Comprehension(Box<Comprehension>),
    /// `split(amount by w for x in list)`
    Split(Box<Split>),
    /// `share(l, amount, w for x in list)`
    Share(Box<Share>),
    If(Box<If>),
    /// Two or more operands: chains stay flat, so that trees stay shallow.
    And(Vec<Expr>),
    /// Two or more operands.
    Or(Vec<Expr>),
    Not(Box<Expr>),
    /// Unary minus.
    Neg(Box<Expr>),
    Binary(Box<Binary>),
    /// `x is absent` (`false`) and `x is not absent` (`true`).
    IsAbsent(Box<Expr>, /* negated */ bool),
    Rounded(Box<Rounded>),
}

/// A number as written, without `_`: digits, and perhaps a point and digits. Never signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    pub text: String,
    pub span: Span,
}

impl Number {
    /// Whether there is no decimal point.
    pub fn is_integer(&self) -> bool {
        !self.text.contains('.')
    }

    /// The exact value.
    pub fn value(&self) -> BigRational {
        let (whole, fraction) = self.text.split_once('.').unwrap_or((&self.text, ""));
        // Nearly all numbers are small, and reducing a fraction of large integers is slow.
        let small = |digits: String| digits.parse::<i64>().ok();
        if let Some(scale) = 10i64.checked_pow(u32::try_from(fraction.len()).unwrap_or(u32::MAX))
            && let Some(value) = small(format!("{whole}{fraction}"))
        {
            let common = num_integer::gcd(value, scale).max(1);
            return BigRational::new_raw(BigInt::from(value / common), BigInt::from(scale / common));
        }
        let digits = format!("{whole}{fraction}");
        let scale = BigInt::from(10).pow(u32::try_from(fraction.len()).unwrap_or(0));
        BigRational::new(digits.parse().unwrap_or_default(), scale)
    }
}

/// Calendar units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeriodUnit {
    Days,
    Months,
    Years,
}

/// Clock units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DurationUnit {
    Hours,
    Minutes,
    Seconds,
}

/// A number with a unit's name, which may be a label like `元` or `积分`.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    pub number: Number,
    pub unit: Name,
    pub span: Span,
}

/// `1 point per 2 CNY`. The units may be any words, `day` and the like too.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    pub amount: Quantity,
    pub per: Quantity,
}

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub function: Path,
    pub args: Vec<Arg>,
}

/// `e` or `name: e`.
#[derive(Debug, Clone, PartialEq)]
pub struct Arg {
    pub name: Option<Name>,
    pub value: Expr,
    pub span: Span,
}

/// `[low..high)` and the like.
#[derive(Debug, Clone, PartialEq)]
pub struct Interval {
    pub low: Expr,
    pub high: Expr,
    /// `(`: the low end does not belong to it.
    pub low_open: bool,
    /// `)`: the high end does not belong to it.
    pub high_open: bool,
    pub span: Span,
}

/// `days from A to B`.
#[derive(Debug, Clone, PartialEq)]
pub struct Between {
    pub unit: BetweenUnit,
    pub from: Expr,
    pub to: Expr,
}

/// What `… from A to B` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BetweenUnit {
    Days,
    Months,
    Years,
    Hours,
}

/// What a comprehension makes of its elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregate {
    Sum,
    Count,
    Min,
    Max,
    Any,
    All,
    List,
}

/// `for x in list where c`.
#[derive(Debug, Clone, PartialEq)]
pub struct Over {
    pub var: Name,
    pub list: Expr,
    pub filter: Option<Expr>,
    pub span: Span,
}

/// `sum(e for x in list where c)`; `count(x in list where c)` has no `value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Comprehension {
    pub function: Aggregate,
    pub value: Option<Expr>,
    pub over: Over,
}

/// `split(amount by weight for x in list)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    pub amount: Expr,
    pub weight: Expr,
    pub over: Over,
}

/// `share(element, amount, weight for x in list)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    pub element: Expr,
    pub amount: Expr,
    pub weight: Expr,
    pub over: Over,
}

/// `if c then a else b`.
#[derive(Debug, Clone, PartialEq)]
pub struct If {
    pub condition: Expr,
    pub then: Expr,
    pub otherwise: Expr,
}

/// Two operands.
#[derive(Debug, Clone, PartialEq)]
pub struct Binary {
    pub op: BinaryOp,
    /// The operator itself.
    pub op_span: Span,
    pub left: Expr,
    pub right: Expr,
}

/// Operators of two operands (`and`, `or` have their own nodes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    Is,
    IsNot,
    Ge,
    Gt,
    Le,
    Lt,
    In,
    NotIn,
    Add,
    Sub,
    Mul,
    Div,
    Otherwise,
}

/// `e rounded down to 1 point`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rounded {
    pub value: Expr,
    /// `None`: the policy's `rounding`.
    pub rounding: Option<Rounding>,
    /// A number or a quantity; `None`: the type's own step.
    pub step: Option<Expr>,
}

/// Which way to round.
#[derive(Debug, Clone, PartialEq)]
pub enum Rounding {
    Down,
    Up,
    HalfUp,
    HalfEven,
    Undecided(Text),
}
