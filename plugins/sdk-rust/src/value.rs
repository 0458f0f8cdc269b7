//! Values from and to Rust's own types.
use crate::{Decimal, Field, Money, Row, Table, Value};

impl Value {
    /// The case's name, as manifests have it.
    pub fn kind(&self) -> &'static str {
        match self {
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

    pub fn text(text: impl Into<String>) -> Value {
        Value::Text(text.into())
    }

    pub fn word(name: impl Into<String>) -> Value {
        Value::Word(name.into())
    }

    /// An ISO 8601 day.
    pub fn date(day: impl Into<String>) -> Value {
        Value::Date(day.into())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Truth(truth)
    }
}

impl From<i64> for Value {
    fn from(whole: i64) -> Value {
        Value::Whole(whole)
    }
}

/// So that a plain `3` is a value.
impl From<i32> for Value {
    fn from(whole: i32) -> Value {
        Value::Whole(whole.into())
    }
}

impl From<Money> for Value {
    fn from(money: Money) -> Value {
        Value::Money(money)
    }
}

impl From<Decimal> for Value {
    fn from(decimal: Decimal) -> Value {
        Value::Decimal(decimal.to_string())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(maybe: Option<T>) -> Value {
        maybe.map_or(Value::Absent, Into::into)
    }
}

impl Field {
    pub fn new(path: impl Into<String>, value: impl Into<Value>) -> Field {
        Field { path: path.into(), value: value.into() }
    }
}

impl Row {
    pub fn new(fields: impl IntoIterator<Item = Field>) -> Row {
        Row { fields: fields.into_iter().collect() }
    }
}

impl Table {
    pub fn new(path: impl Into<String>, rows: impl IntoIterator<Item = Row>) -> Table {
        Table { path: path.into(), rows: rows.into_iter().collect() }
    }
}
