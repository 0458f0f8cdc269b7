//! Amounts as callers write them, and as the records keep them: whole numbers of the smallest unit.
use crate::records::{Refusal, Stop};
use num_rational::BigRational;
use num_traits::ToPrimitive;
use rust_decimal::Decimal;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use utoipa::ToSchema;

/// An amount of money or points: a decimal as text (`"119.98"`) or a whole JSON number. A JSON number with a fraction
/// is refused, since readers make floats of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, ToSchema)]
#[schema(value_type = String, example = "119.98")]
pub struct Money(pub Decimal);

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Money, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Money;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an amount as text, \"12.50\", or a whole number")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Money, E> {
                let plain =
                    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
                let read = plain.then(|| text.parse::<Decimal>().ok()).flatten();
                read.map(Money)
                    .ok_or_else(|| E::custom(format!("{text:?} is not an amount; write \"12.50\"")))
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<Money, E> {
                Ok(Money(n.into()))
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<Money, E> {
                Ok(Money(n.into()))
            }
            fn visit_f64<E: Error>(self, n: f64) -> Result<Money, E> {
                Err(E::custom(format!(
                    "a JSON number with a fraction is read as a float; write \"{n}\" as text"
                )))
            }
        }
        from.deserialize_any(Read)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0.to_string())
    }
}

/// How many decimals a currency or unit has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    pub digits: u32,
}

impl Scale {
    /// Of a step such as 0.01 or 1.
    pub fn of(step: &BigRational) -> Scale {
        let mut digits = 0;
        let mut power = step.clone();
        while !power.is_integer() && digits < 6 {
            power *= BigRational::from_integer(10.into());
            digits += 1;
        }
        Scale { digits }
    }
    /// In smallest units; refused if it does not lie on the step or is larger than what is kept.
    pub fn minor(&self, amount: Money, path: &str) -> Result<i64, Stop> {
        let scaled = amount.0.checked_mul(Decimal::from(10i64.pow(self.digits)));
        match scaled.filter(|s| s.fract().is_zero()).and_then(|s| s.to_i64()) {
            Some(minor) if minor.unsigned_abs() < 1 << 53 => Ok(minor),
            _ => {
                let detail = format!("{path}: {} is not an amount with {} decimals", amount.0, self.digits);
                Err(Refusal::new(422, "off-step", "An amount is not on its step", detail).at(path).into())
            }
        }
    }
    /// As decimal text.
    pub fn text(&self, minor: i64) -> String {
        Decimal::from_i128_with_scale(i128::from(minor), self.digits).to_string()
    }
    /// Decimal text, as an outcome or a fact has it, in smallest units.
    pub fn read(&self, text: &str) -> Option<i64> {
        let scaled = text.parse::<Decimal>().ok()?.checked_mul(Decimal::from(10i64.pow(self.digits)))?;
        scaled.fract().is_zero().then(|| scaled.to_i64()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales() {
        let cents = Scale { digits: 2 };
        let read = |text: &str| cents.minor(serde_json::from_str(text).unwrap(), "x");
        assert_eq!(read("\"12.5\""), Ok(1250));
        assert_eq!(read("3"), Ok(300));
        assert!(read("\"0.001\"").is_err());
        assert!(read("\"-92233720368547758.08\"").is_err());
        assert!(serde_json::from_str::<Money>("1.5").is_err());
        assert!(serde_json::from_str::<Money>("\"1e3\"").is_err());
        assert_eq!((cents.text(-5), cents.read("119.98")), ("-0.05".to_owned(), Some(11998)));
        assert_eq!(Scale { digits: 0 }.minor(Money(7.into()), "x"), Ok(7));
    }
}
