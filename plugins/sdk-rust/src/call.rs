//! Reading a call and the rows of its tables.
use crate::{Call, Error, Field, Money, Quantity, Row, Value};

/// Values by their path. A value that is missing or of another kind is the caller's fault: `invalid-input`, with the path.
pub trait Reads {
    /// The value, unless it is not given or known not to be there.
    fn value(&self, path: &str) -> Option<&Value>;

    /// Reads what may be missing: `call.maybe("member.birthday", Call::date)?`.
    fn maybe<'a, T>(
        &'a self,
        path: &str,
        read: impl Fn(&'a Self, &str) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        if self.value(path).is_some() { read(self, path).map(Some) } else { Ok(None) }
    }

    fn truth(&self, path: &str) -> Result<bool, Error> {
        self.read(path, "truth", |v| if let Value::Truth(t) = v { Some(*t) } else { None })
    }

    fn whole(&self, path: &str) -> Result<i64, Error> {
        self.read(path, "whole", |v| if let Value::Whole(n) = v { Some(*n) } else { None })
    }

    /// Plain digits; [`crate::Decimal::parse`] makes a number of them.
    fn decimal(&self, path: &str) -> Result<&str, Error> {
        self.read(path, "decimal", |v| if let Value::Decimal(d) = v { Some(d.as_str()) } else { None })
    }

    fn money(&self, path: &str) -> Result<&Money, Error> {
        self.read(path, "money", |v| if let Value::Money(m) = v { Some(m) } else { None })
    }

    fn quantity(&self, path: &str) -> Result<&Quantity, Error> {
        self.read(path, "quantity", |v| if let Value::Quantity(q) = v { Some(q) } else { None })
    }

    fn text(&self, path: &str) -> Result<&str, Error> {
        self.read(path, "text", |v| if let Value::Text(t) = v { Some(t.as_str()) } else { None })
    }

    /// The name of an enum's member or of a node of a taxonomy.
    fn word(&self, path: &str) -> Result<&str, Error> {
        self.read(path, "word", |v| if let Value::Word(w) = v { Some(w.as_str()) } else { None })
    }

    /// ISO 8601.
    fn date(&self, path: &str) -> Result<&str, Error> {
        self.read(path, "date", |v| if let Value::Date(d) = v { Some(d.as_str()) } else { None })
    }

    /// RFC 3339.
    fn instant(&self, path: &str) -> Result<&str, Error> {
        self.read(path, "instant", |v| if let Value::Instant(i) = v { Some(i.as_str()) } else { None })
    }

    /// ISO 8601.
    fn period(&self, path: &str) -> Result<&str, Error> {
        self.read(path, "period", |v| if let Value::Period(p) = v { Some(p.as_str()) } else { None })
    }

    /// Seconds.
    fn duration(&self, path: &str) -> Result<i64, Error> {
        self.read(path, "duration", |v| if let Value::Duration(s) = v { Some(*s) } else { None })
    }

    #[doc(hidden)]
    fn read<'a, T>(
        &'a self,
        path: &str,
        kind: &str,
        pick: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<T, Error> {
        let Some(value) = self.value(path) else {
            return Err(Error::InvalidInput(format!("{path}: a {kind} is needed, and nothing is there")));
        };
        pick(value).ok_or_else(|| Error::InvalidInput(format!("{path}: a {kind} is needed, not a {}", value.kind())))
    }
}

fn of<'a>(fields: &'a [Field], path: &str) -> Option<&'a Value> {
    fields.iter().find(|f| f.path == path).map(|f| &f.value).filter(|v| **v != Value::Absent)
}

impl Reads for Call {
    /// Arguments first, then facts, then what later hosts add.
    fn value(&self, path: &str) -> Option<&Value> {
        of(&self.arguments, path).or_else(|| of(&self.facts, path)).or_else(|| of(&self.attributes, path))
    }
}

impl Reads for Row {
    fn value(&self, path: &str) -> Option<&Value> {
        of(&self.fields, path)
    }
}

impl Call {
    /// A table's rows; none if it was not given.
    pub fn table(&self, path: &str) -> &[Row] {
        self.tables.iter().find(|t| t.path == path).map_or(&[], |t| &t.rows)
    }
}
