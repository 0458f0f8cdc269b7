//! Money and decimals without floating-point numbers; whatever does not fit is an error, never another number.
use crate::{Error, Money};
use std::fmt;

/// What to do with the rest of a division.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
    /// To the nearest; halves away from zero.
    HalfUp,
    /// To the nearest; halves to the even neighbour.
    HalfEven,
}

/// `units` / 10^`scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    units: i64,
    scale: u32,
}

/// More digits than this after the point are refused.
const MOST_DIGITS: u32 = 18;

impl Decimal {
    /// Plain digits: `0.15`, `-3`.
    pub fn parse(text: &str) -> Result<Decimal, Error> {
        let bad = || Error::InvalidInput(format!("no decimal: {text}"));
        let (negative, digits) = match text.trim().strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.trim()),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        let dangling = digits.contains('.') && part.is_empty();
        if whole.is_empty() || dangling || !plain(whole) || !plain(part) || whole.len() > 18 {
            return Err(bad());
        }
        let scale = u32::try_from(part.len()).ok().filter(|s| *s <= MOST_DIGITS).ok_or_else(bad)?;
        let units: i64 = format!("{whole}{part}").parse().map_err(|_| bad())?;
        Ok(Decimal { units: if negative { -units } else { units }, scale })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.units, self.scale)
    }
}

fn write_scaled(f: &mut fmt::Formatter<'_>, units: i64, scale: u32) -> fmt::Result {
    let sign = if units < 0 { "-" } else { "" };
    let size = units.unsigned_abs();
    if scale == 0 {
        return write!(f, "{sign}{size}");
    }
    let one = 10u64.pow(scale);
    write!(f, "{sign}{}.{:0width$}", size / one, size % one, width = scale as usize)
}

/// How many digits a currency has after the point, by ISO 4217.
fn digits(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND" | "VUV"
        | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

fn divide(top: i128, bottom: i128, rounding: Rounding) -> Option<i64> {
    let (quotient, rest) = (top / bottom, top % bottom);
    if rest == 0 {
        return quotient.try_into().ok();
    }
    let away = if (top < 0) == (bottom < 0) { 1 } else { -1 };
    let twice = rest.unsigned_abs().saturating_mul(2).cmp(&bottom.unsigned_abs());
    let further = match rounding {
        Rounding::Down => false,
        Rounding::Up => true,
        Rounding::HalfUp => twice.is_ge(),
        Rounding::HalfEven => twice.is_gt() || (twice.is_eq() && quotient % 2 != 0),
    };
    (if further { quotient + away } else { quotient }).try_into().ok()
}

fn too_large() -> Error {
    Error::Internal("an amount is too large".to_owned())
}

impl Money {
    /// An amount in minor units: `Money::new(1250, "CNY")`.
    pub fn new(minor: i64, currency: &str) -> Money {
        Money { minor, currency: currency.to_owned() }
    }

    /// `12.50 CNY`. Digits that the currency does not have are refused.
    pub fn parse(text: &str) -> Result<Money, Error> {
        let bad = || Error::InvalidInput(format!("no amount with a currency: {text}"));
        let (amount, currency) = text.trim().split_once(' ').ok_or_else(bad)?;
        if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(bad());
        }
        Money::exactly(&Decimal::parse(amount)?, currency)
    }

    /// A decimal amount of a currency, exactly.
    pub fn exactly(amount: &Decimal, currency: &str) -> Result<Money, Error> {
        let has = digits(currency);
        let one = 10i64.pow(amount.scale.saturating_sub(has));
        if amount.units % one != 0 {
            return Err(Error::InvalidInput(format!("{amount} has more digits than {currency} has")));
        }
        let minor = (amount.units / one).checked_mul(10i64.pow(has.saturating_sub(amount.scale)));
        Ok(Money { minor: minor.ok_or_else(too_large)?, currency: currency.to_owned() })
    }

    /// The sum; two currencies have none.
    pub fn plus(&self, other: &Money) -> Result<Money, Error> {
        self.same(other)?;
        self.with(self.minor.checked_add(other.minor))
    }

    /// The difference; two currencies have none.
    pub fn minus(&self, other: &Money) -> Result<Money, Error> {
        self.same(other)?;
        self.with(self.minor.checked_sub(other.minor))
    }

    pub fn times(&self, factor: i64) -> Result<Money, Error> {
        self.with(self.minor.checked_mul(factor))
    }

    /// The part `of` / `whole`, rounded to the minor unit.
    pub fn part(&self, of: i64, whole: i64, rounding: Rounding) -> Result<Money, Error> {
        if whole == 0 {
            return Err(Error::Internal("a part of nothing".to_owned()));
        }
        self.with(divide(i128::from(self.minor) * i128::from(of), i128::from(whole), rounding))
    }

    /// Times a decimal, rounded to the minor unit: 15 % is `0.15`.
    pub fn share(&self, share: &Decimal, rounding: Rounding) -> Result<Money, Error> {
        let top = i128::from(self.minor) * i128::from(share.units);
        self.with(divide(top, 10i128.pow(share.scale), rounding))
    }

    fn with(&self, minor: Option<i64>) -> Result<Money, Error> {
        Ok(Money { minor: minor.ok_or_else(too_large)?, currency: self.currency.clone() })
    }

    fn same(&self, other: &Money) -> Result<(), Error> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(Error::InvalidInput(format!("{} and {} in one sum", self.currency, other.currency)))
    }
}

impl fmt::Display for Money {
    /// `12.50 CNY`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.minor, digits(&self.currency))?;
        write!(f, " {}", self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cny(minor: i64) -> Money {
        Money::new(minor, "CNY")
    }

    #[test]
    fn text_and_money_are_the_same_amount() {
        for (text, minor) in [("12.50 CNY", 1250), ("-0.05 CNY", -5), ("300 JPY", 300), ("1.234 KWD", 1234)] {
            let money = Money::parse(text).unwrap();
            assert_eq!((money.minor, money.to_string().as_str()), (minor, text));
        }
        assert_eq!(Money::parse("3 CNY").unwrap().to_string(), "3.00 CNY");
        for text in ["12.505 CNY", "1.5 JPY", "12,50 CNY", "12.50", "12.50 yuan", "1. CNY", ".5 CNY", "1e3 CNY"] {
            assert!(Money::parse(text).is_err(), "{text}");
        }
        assert!(Money::parse("999999999999999999 CNY").is_err());
    }

    #[test]
    fn parts_are_rounded_as_said() {
        for (minor, rounding, part) in [
            (5, Rounding::Down, 2),
            (5, Rounding::Up, 3),
            (5, Rounding::HalfUp, 3),
            (5, Rounding::HalfEven, 2),
            (7, Rounding::HalfEven, 4),
            (-5, Rounding::HalfUp, -3),
            (-5, Rounding::Down, -2),
        ] {
            assert_eq!(cny(minor).part(1, 2, rounding), Ok(cny(part)), "{minor} {rounding:?}");
        }
        let share = Decimal::parse("0.15").unwrap();
        assert_eq!(cny(999).share(&share, Rounding::HalfUp), Ok(cny(150)));
        assert!(cny(1).part(1, 0, Rounding::Down).is_err());
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        assert!(cny(i64::MAX).plus(&cny(1)).is_err());
        assert!(cny(i64::MAX).times(2).is_err());
        assert!(cny(i64::MAX).part(3, 2, Rounding::Down).is_err());
        assert!(cny(1).plus(&Money::new(1, "JPY")).is_err());
    }
}
