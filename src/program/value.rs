//! Values as the reference walk computes them and outcomes hold them: exact, without types.
use crate::lang::typed::{Const, CurrencyId, EntityId, Period};
use num_rational::BigRational;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A value; its type is known from the expression or output that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    Absent,
    Bool(bool),
    /// Integers, decimals and unit amounts.
    Num(BigRational),
    Money(BigRational, CurrencyId),
    Text(Arc<str>),
    /// Ordinal of the member.
    Enum(u32),
    /// Node index in its taxonomy.
    Node(u32),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00Z.
    DateTime(i64),
    Period(Period),
    /// Seconds.
    Duration(i64),
    List(Arc<Vec<Value>>),
    Set(Arc<BTreeSet<Value>>),
    Record(EntityId, Arc<Vec<Value>>),
}

impl Value {
    /// The value of a literal; a rate's value is its ratio.
    pub fn of_const(c: &Const) -> Value {
        match c {
            Const::Absent => Value::Absent,
            Const::Bool(b) => Value::Bool(*b),
            Const::Num(n) | Const::Rate(n) => Value::Num(n.clone()),
            Const::Money(n, c) => Value::Money(n.clone(), *c),
            Const::Text(t) => Value::Text(t.as_str().into()),
            Const::Enum(e) => Value::Enum(*e),
            Const::Node(n) => Value::Node(*n),
            Const::Date(d) => Value::Date(*d),
            Const::DateTime(t) => Value::DateTime(*t),
            Const::Period(p) => Value::Period(*p),
            Const::Duration(s) => Value::Duration(*s),
        }
    }
}
