//! Typed expressions.
use crate::lang::source::Span;
use crate::lang::typed::policy::{LetId, ParamId, TableId};
use crate::lang::typed::vocab::*;
use num_rational::BigRational;

/// A loop variable, unique in the rulebook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VarId(pub u32);

/// A calendar period: so many days, or so many months.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Period {
    Days(i64),
    Months(i64),
}

/// A literal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Const {
    Bool(bool),
    /// An integer, decimal or unit amount: the expression's type tells which.
    Num(BigRational),
    Money(BigRational, CurrencyId),
    Text(String),
    /// Ordinal of the member; the type tells which enum.
    Enum(u32),
    /// Node index; the type tells which taxonomy.
    Node(u32),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00Z.
    DateTime(i64),
    Period(Period),
    /// Seconds.
    Duration(i64),
    /// So many of the rate's first kind for one of its second kind.
    Rate(BigRational),
    Absent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArithOp {
    Add,
    Sub,
    Mul,
    Div,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CmpOp {
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RoundMode {
    /// Towards minus infinity.
    Down,
    /// Towards plus infinity.
    Up,
    /// To the nearest, halves away from zero.
    HalfUp,
    /// To the nearest, halves to the even multiple.
    HalfEven,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Rounding {
    Mode(RoundMode),
    /// The rulebook does not say: the value is undecided (unless it is on the step already).
    Undecided(Label),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Span2 {
    Days,
    Months,
    Years,
    Hours,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompKind {
    Sum,
    Count,
    Min,
    Max,
    Any,
    All,
    List,
}

/// Functions of plain arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Func {
    /// Two or more arguments of one ordered type.
    Min,
    Max,
    Abs,
    Year,
    Month,
    Day,
    Weekday,
    /// Start of the day gives a datetime of a date (the business day's start); the others date to date.
    StartOfDay,
    StartOfWeek,
    StartOfMonth,
    StartOfQuarter,
    StartOfYear,
    /// The first instant after the business day.
    EndOfDay,
    EndOfWeek,
    EndOfMonth,
    EndOfQuarter,
    EndOfYear,
    DateOf,
    NextWorkday(CalendarId),
    IsWorkday(CalendarId),
    /// The next higher (lower) member of an ordered enum, absent at the end.
    Above,
    Below,
    Length,
    /// The first (last) element of a list, absent of an empty one.
    First,
    Last,
    /// `anniversary(d, year)`: d's month and day in that year; 29 Feb becomes 28 Feb.
    Anniversary,
}

/// What `x in …` is tested against.
#[derive(Clone, Debug)]
pub enum Membership {
    /// Any of these values.
    Values(Vec<Expr>),
    /// At or below any of these taxonomy nodes.
    Nodes(Vec<u32>),
    /// Between bounds; the flags say whether the end belongs to it.
    Interval { low: Box<Expr>, low_in: bool, high: Box<Expr>, high_in: bool },
    /// An element of a list or set; for taxonomies, at or below one of its nodes (as in `Nodes`).
    Collection(Box<Expr>),
}

/// Which part of `fill(table, budget)` is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FillPart {
    /// The greatest total of the first result column.
    Value,
    /// The budget it takes (the least among equals).
    Used,
    /// The keys of the rows taken, with repetition, greatest first.
    Rows,
}

/// An expression with its type.
#[derive(Clone, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    /// Optional types show as [`Ty::Opt`].
    pub ty: Ty,
    /// Money and units: whether the value is proved to lie on its step. True for all other types.
    pub on_step: bool,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum ExprKind {
    Const(Const),
    /// A top-level fact, whole.
    Root(RootId),
    /// A fact with arguments.
    FactCall(FactCallId, Vec<Expr>),
    /// A loop variable: an element.
    Var(VarId),
    /// A field of an entity or record value.
    Field(Box<Expr>, u32),
    Let(LetId),
    Param(ParamId),
    /// An output without `each`, or a per-line output as a list.
    Output(OutputId),
    /// The element of a per-line output that belongs to a loop variable over the same list.
    OutputOf(OutputId, VarId),
    Not(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    /// Equality, total over absent; on taxonomies the same node.
    Is(Box<Expr>, Box<Expr>),
    IsAbsent(Box<Expr>),
    Cmp(CmpOp, Box<Expr>, Box<Expr>),
    In(Box<Expr>, Membership),
    Arith(ArithOp, Box<Expr>, Box<Expr>),
    Neg(Box<Expr>),
    /// An integer (or `integer?`) where a decimal (`decimal?`) is needed. The checker puts it wherever the two meet, so both
    /// operands of `+ - is >=` and the like, of `if`, and a value and its place have one type; `*` and `/` see integers as they are.
    Widen(Box<Expr>),
    /// Round to a multiple of the step; `None`: the type's step (for money, the currency's).
    Round {
        value: Box<Expr>,
        rounding: Rounding,
        step: Option<BigRational>,
    },
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    Otherwise(Box<Expr>, Box<Expr>),
    /// An optional value known to be present here by narrowing.
    Present(Box<Expr>),
    Between(Span2, Box<Expr>, Box<Expr>),
    /// One result column of a table lookup.
    Lookup {
        table: TableId,
        args: Vec<Expr>,
        result: u32,
    },
    /// The table's key column must be a single unit, money or integer column with plain values.
    Fill {
        table: TableId,
        budget: Box<Expr>,
        part: FillPart,
    },
    /// Another decision of the same program with some roots replaced.
    Call {
        decision: DecisionId,
        changes: Vec<(RootId, Expr)>,
        output: OutputId,
    },
    /// `f(body for var in list where cond)`; `Count` has no body.
    Comp {
        kind: CompKind,
        var: VarId,
        list: Box<Expr>,
        cond: Option<Box<Expr>>,
        body: Option<Box<Expr>>,
    },
    /// `split(amount by weight for var in list)`: a list of on-step parts that sum exactly.
    Split {
        amount: Box<Expr>,
        var: VarId,
        list: Box<Expr>,
        weight: Box<Expr>,
    },
    /// `share(of, amount, weight for var in list)`: the part of the element that loop variable `of` stands for.
    Share {
        of: VarId,
        amount: Box<Expr>,
        var: VarId,
        list: Box<Expr>,
        weight: Box<Expr>,
    },
    /// `previous(of)`: the value that `of` has for the element before the one that `var` stands for, in the order of the root
    /// list; absent for the first element.
    Previous {
        var: VarId,
        list: RootId,
        of: Box<Expr>,
    },
    Func(Func, Vec<Expr>),
    List(Vec<Expr>),
    Set(Vec<Expr>),
    /// A record made of its fields, in the record's order; fields not given are absent (they are optional).
    Record(EntityId, Vec<Expr>),
    Undecided(Label),
}
