//! Numbers as they are written in facts: exact decimals, never a float.
use crate::program::facts::SCALE;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};

/// More digits than this are nobody's amount.
const MAX_DIGITS: usize = 40;

/// A number read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Number {
    /// × [`SCALE`].
    Fixed(i64),
    /// More than four decimals.
    Wide(BigRational),
}

/// Why a text is not a number of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberError {
    Form,
    Range,
}

/// `-12.50`: digits, at most one point with digits on both sides, no exponent, no separators.
pub(crate) fn parse(text: &str) -> Result<Number, NumberError> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return Err(NumberError::Form),
        Some((whole, fraction)) => (whole, fraction.trim_end_matches('0')),
        None => (digits, ""),
    };
    let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty()
        || !plain(whole)
        || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        || !plain(fraction)
    {
        return Err(NumberError::Form);
    }
    if whole.len() + fraction.len() > MAX_DIGITS {
        return Err(NumberError::Range);
    }
    if fraction.len() <= 4 {
        let mut scaled: i64 = 0;
        let padded =
            whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', 4 - fraction.len()));
        for digit in padded {
            scaled = scaled
                .checked_mul(10)
                .and_then(|s| s.checked_add(i64::from(digit - b'0')))
                .ok_or(NumberError::Range)?;
        }
        return Ok(Number::Fixed(if negative { -scaled } else { scaled }));
    }
    let numerator: BigInt = format!("{whole}{fraction}").parse().map_err(|_| NumberError::Form)?;
    let value = BigRational::new(numerator, BigInt::from(10).pow(fraction.len() as u32));
    if value.ceil().to_integer() > BigInt::from(i64::MAX / SCALE) {
        return Err(NumberError::Range);
    }
    Ok(Number::Wide(if negative { -value } else { value }))
}

/// A JSON integer as a decimal.
pub(crate) fn from_integer(n: i64) -> Result<Number, NumberError> {
    n.checked_mul(SCALE).map(Number::Fixed).ok_or(NumberError::Range)
}

/// The smallest amount of a unit or currency, and how many decimals it is shown with.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// × [`SCALE`], if that is whole.
    fixed: Option<i64>,
    exact: BigRational,
    /// Decimals that show every multiple; `None` if no finite number of them does.
    pub(crate) decimals: Option<u32>,
}

impl Step {
    pub(crate) fn new(exact: &BigRational) -> Step {
        let scaled = exact * BigRational::from_integer(SCALE.into());
        let fixed = scaled.is_integer().then(|| scaled.to_integer().to_i64()).flatten().filter(|s| *s > 0);
        Step { fixed, exact: exact.clone(), decimals: decimals_of(exact) }
    }

    /// The step itself, `0.01`.
    pub(crate) fn show(&self) -> String {
        show(&self.exact, self.decimals.unwrap_or(0))
    }

    /// Whether the amount is a whole number of steps.
    pub(crate) fn divides(&self, n: &Number) -> bool {
        match (n, self.fixed) {
            (Number::Fixed(v), Some(step)) => v % step == 0,
            _ if self.exact.is_zero() => true,
            (Number::Fixed(v), None) => {
                (BigRational::new((*v).into(), SCALE.into()) / &self.exact).is_integer()
            }
            (Number::Wide(v), _) => (v / &self.exact).is_integer(),
        }
    }
}

/// How many decimals show the number exactly.
pub(crate) fn decimals_of(n: &BigRational) -> Option<u32> {
    let (mut rest, mut twos, mut fives) = (n.denom().abs(), 0u32, 0u32);
    for (prime, count) in [(2u32, &mut twos), (5u32, &mut fives)] {
        while (&rest % prime).is_zero() {
            rest /= prime;
            *count += 1;
        }
    }
    (rest == BigInt::from(1)).then_some(twos.max(fives))
}

/// The number with at least `decimals` decimals, exactly; a fraction `1/3` where no decimals suffice.
pub(crate) fn show(n: &BigRational, decimals: u32) -> String {
    let Some(needed) = decimals_of(n) else { return format!("{}/{}", n.numer(), n.denom()) };
    let places = needed.max(decimals);
    let scaled = (n * BigRational::from_integer(BigInt::from(10).pow(places))).to_integer();
    let digits = format!("{:0>width$}", scaled.abs(), width = places as usize + 1);
    let sign = if scaled.is_negative() { "-" } else { "" };
    match digits.split_at_checked(digits.len() - places as usize) {
        Some((whole, fraction)) if !fraction.is_empty() => format!("{sign}{whole}.{fraction}"),
        _ => format!("{sign}{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        assert_eq!(parse("399.00"), Ok(Number::Fixed(3_990_000)));
        assert_eq!(parse("-0.15"), Ok(Number::Fixed(-1_500)));
        assert_eq!(parse("0.150000000"), Ok(Number::Fixed(1_500)));
        assert_eq!(parse("922337203685477.5807"), Ok(Number::Fixed(i64::MAX)));
        assert_eq!(parse("922337203685477.5808"), Err(NumberError::Range));
        assert_eq!(parse("0.00001"), Ok(Number::Wide(BigRational::new(1.into(), 100_000.into()))));
        assert_eq!(parse("922337203685477.58071"), Err(NumberError::Range));
        for bad in
            ["", "-", ".5", "5.", "1e3", "1_000", "1,000", "+1", " 1", "0x10", "１", "1.2.3", "--1", "NaN"]
        {
            assert_eq!(parse(bad), Err(NumberError::Form), "{bad}");
        }
        assert_eq!(parse(&"9".repeat(50)), Err(NumberError::Range));
    }

    #[test]
    fn numbers_are_shown_exactly() {
        let ratio = |a: i64, b: i64| BigRational::new(a.into(), b.into());
        assert_eq!(show(&ratio(399, 1), 2), "399.00");
        assert_eq!(show(&ratio(-1, 8), 2), "-0.125");
        assert_eq!(show(&ratio(5, 1), 0), "5");
        assert_eq!(show(&ratio(1, 3), 0), "1/3");
        assert_eq!(show(&ratio(0, 1), 2), "0.00");
    }

    #[test]
    fn steps_divide() {
        let cent = Step::new(&BigRational::new(1.into(), 100.into()));
        assert_eq!(cent.decimals, Some(2));
        assert!(cent.divides(&Number::Fixed(1_500)));
        assert!(!cent.divides(&Number::Fixed(1_550)));
        let tiny = Step::new(&BigRational::new(1.into(), 100_000.into()));
        assert!(tiny.divides(&parse("0.00003").unwrap()));
        assert!(!tiny.divides(&parse("0.000031").unwrap()));
    }
}
