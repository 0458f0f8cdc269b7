//! Exact fractions in 128 bits, and rounding. Whatever does not fit answers `None`: the walk then decides.
use crate::lang::typed::RoundMode;
use crate::program::facts::SCALE;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use std::cmp::Ordering;

/// `n / d` with `d > 0`, not always in lowest terms; `d = 0` means absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    pub n: i128,
    pub d: i128,
}

const SCALE_128: i128 = SCALE as i128;

fn gcd(a: i128, b: i128) -> u128 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Fraction {
    pub const ABSENT: Fraction = Fraction { n: 0, d: 0 };
    pub const ZERO: Fraction = Fraction { n: 0, d: 1 };

    pub fn integer(n: i64) -> Fraction {
        Fraction { n: i128::from(n), d: 1 }
    }
    /// A multiple of 1/10,000.
    pub fn fixed(bits: i64) -> Fraction {
        Fraction { n: i128::from(bits), d: SCALE_128 }
    }
    pub fn of(value: &BigRational) -> Option<Fraction> {
        Some(Fraction { n: value.numer().to_i128()?, d: value.denom().to_i128()? })
    }
    pub fn is_absent(&self) -> bool {
        self.d == 0
    }
    /// The value without loss; zero if absent.
    pub fn exact(&self) -> BigRational {
        let d = if self.d == 0 { 1 } else { self.d };
        BigRational::new(BigInt::from(self.n), BigInt::from(d))
    }
    fn reduced(self) -> Fraction {
        match i128::try_from(gcd(self.n, self.d)) {
            Ok(g) if g > 1 => Fraction { n: self.n / g, d: self.d / g },
            _ => self,
        }
    }
    /// Itself if within the limit of numbers that are not integers.
    fn limited(self) -> Option<Fraction> {
        let within = |f: Fraction| {
            let left = f.n.unsigned_abs().checked_mul(SCALE_128.unsigned_abs())?;
            let right = f.d.unsigned_abs().checked_mul(u128::from(i64::MAX as u64))?;
            Some(left <= right)
        };
        // Small numbers, the usual case, need no multiplication.
        if self.n.unsigned_abs() <= 1 << 49 && self.d > 0 {
            return Some(self);
        }
        match within(self) {
            Some(true) => Some(self),
            Some(false) => None,
            None => {
                let reduced = self.reduced();
                within(reduced)?.then_some(reduced)
            }
        }
    }
    /// Runs `op`, and again in lowest terms if it did not fit.
    fn with(self, other: Fraction, op: impl Fn(Fraction, Fraction) -> Option<Fraction>) -> Option<Fraction> {
        op(self, other).or_else(|| op(self.reduced(), other.reduced()))?.limited()
    }
    pub fn plus(self, other: Fraction) -> Option<Fraction> {
        self.with(other, |a, b| {
            if a.d == b.d {
                return Some(Fraction { n: a.n.checked_add(b.n)?, d: a.d });
            }
            let n = a.n.checked_mul(b.d)?.checked_add(b.n.checked_mul(a.d)?)?;
            Some(Fraction { n, d: a.d.checked_mul(b.d)? })
        })
    }
    pub fn minus(self, other: Fraction) -> Option<Fraction> {
        self.plus(other.negated()?)
    }
    pub fn times(self, other: Fraction) -> Option<Fraction> {
        self.with(other, |a, b| Some(Fraction { n: a.n.checked_mul(b.n)?, d: a.d.checked_mul(b.d)? }))
    }
    pub fn over(self, other: Fraction) -> Option<Fraction> {
        if other.n == 0 {
            return None;
        }
        self.with(other, |a, b| {
            let (n, d) = (a.n.checked_mul(b.d)?, a.d.checked_mul(b.n)?);
            if d < 0 {
                Some(Fraction { n: n.checked_neg()?, d: d.checked_neg()? })
            } else {
                Some(Fraction { n, d })
            }
        })
    }
    pub fn negated(self) -> Option<Fraction> {
        Some(Fraction { n: self.n.checked_neg()?, d: self.d })
    }
    pub fn abs(self) -> Option<Fraction> {
        Some(Fraction { n: self.n.checked_abs()?, d: self.d })
    }
    pub fn compare(self, other: Fraction) -> Option<Ordering> {
        if self.d == 0 || other.d == 0 {
            return None;
        }
        if self.d == other.d {
            return Some(self.n.cmp(&other.n));
        }
        let cross = |a: Fraction, b: Fraction| Some(a.n.checked_mul(b.d)?.cmp(&b.n.checked_mul(a.d)?));
        cross(self, other).or_else(|| cross(self.reduced(), other.reduced()))
    }
    /// Rounded to a multiple of `step` (a multiple of 1/10,000), as such.
    pub fn round(self, mode: RoundMode, step: i64) -> Option<i64> {
        let count = |f: Fraction| {
            let n = f.n.checked_mul(SCALE_128)?;
            let d = f.d.checked_mul(i128::from(step))?;
            Some(round_div(n, d, mode))
        };
        let count = count(self).or_else(|| count(self.reduced()))?;
        bits(count.checked_mul(i128::from(step))?)
    }
    /// The value as a multiple of 1/10,000 if it is a multiple of `step`.
    pub fn on_step(self, step: i64) -> Option<i64> {
        let rounded = self.round(RoundMode::Down, step)?;
        (self.compare(Fraction::fixed(rounded))? == Ordering::Equal).then_some(rounded)
    }
    /// Twice the multiple of 1/10,000 below, plus one if something is left.
    pub fn key(self) -> Option<i64> {
        let below = self.round(RoundMode::Down, 1)?;
        let rest = self.compare(Fraction::fixed(below))? != Ordering::Equal;
        below.checked_mul(2)?.checked_add(i64::from(rest))
    }
}

/// Within the limits of registers; `i64::MIN` means absent.
#[inline(always)]
pub fn bits(value: i128) -> Option<i64> {
    i64::try_from(value).ok().filter(|v| *v != i64::MIN)
}

/// `n / d` rounded to an integer; `d > 0`.
#[inline]
pub fn round_div(n: i128, d: i128, mode: RoundMode) -> i128 {
    if let (Ok(n), Ok(d)) = (i64::try_from(n), i64::try_from(d)) {
        return i128::from(round_div_64(n, d, mode));
    }
    let (q, r) = (n.div_euclid(d), n.rem_euclid(d));
    // `r < d <= i128::MAX`, so compare with what is left instead of doubling.
    let up = match mode {
        RoundMode::Down => false,
        RoundMode::Up => r != 0,
        RoundMode::HalfUp => r > d - r || (r == d - r && n >= 0),
        RoundMode::HalfEven => r > d - r || (r == d - r && q & 1 != 0),
    };
    if up { q + 1 } else { q }
}

/// As [`round_div`], in 64 bits, which is several times faster.
#[inline]
pub fn round_div_64(n: i64, d: i64, mode: RoundMode) -> i64 {
    let (mut q, mut r) = (n / d, n % d);
    if r < 0 {
        q -= 1;
        r += d;
    }
    let up = match mode {
        RoundMode::Down => false,
        RoundMode::Up => r != 0,
        RoundMode::HalfUp => r > d - r || (r == d - r && n >= 0),
        RoundMode::HalfEven => r > d - r || (r == d - r && q & 1 != 0),
    };
    q + i64::from(up)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f(n: i128, d: i128) -> Fraction {
        Fraction { n, d }
    }

    #[test]
    fn halves_go_where_the_mode_says() {
        let half_steps = |mode| [-25i128, -15, -10, -5, 5, 10, 15, 25].map(|n| round_div(n, 10, mode));
        assert_eq!(half_steps(RoundMode::Down), [-3, -2, -1, -1, 0, 1, 1, 2]);
        assert_eq!(half_steps(RoundMode::Up), [-2, -1, -1, 0, 1, 1, 2, 3]);
        assert_eq!(half_steps(RoundMode::HalfUp), [-3, -2, -1, -1, 1, 1, 2, 3]);
        assert_eq!(half_steps(RoundMode::HalfEven), [-2, -2, -1, 0, 0, 1, 2, 2]);
        let big = 10i128.pow(30);
        assert_eq!(round_div(-25 * big, 10 * big, RoundMode::HalfUp), -3);
        assert_eq!(round_div(-25 * big, 10 * big, RoundMode::HalfEven), -2);
        assert_eq!(round_div(26 * big, 10 * big, RoundMode::HalfEven), 3);
    }

    #[test]
    fn fractions_are_exact_and_limited() {
        let third = f(1, 3);
        assert_eq!(
            third.plus(third).and_then(|x| x.plus(third)).and_then(|x| x.on_step(10_000)),
            Some(10_000)
        );
        assert_eq!(third.key(), Some(2 * 3333 + 1));
        assert_eq!(f(-1, 3).key(), Some(2 * -3334 + 1));
        assert_eq!(Fraction::fixed(8000).key(), Some(16_000));
        let top = Fraction::fixed(i64::MAX);
        assert!(top.plus(Fraction::fixed(0)).is_some());
        assert_eq!(top.plus(Fraction::fixed(1)), None);
        assert_eq!(top.over(Fraction::ZERO), None);
        assert_eq!(third.round(RoundMode::HalfUp, 100), Some(3300));
        assert_eq!(f(-1, 2).round(RoundMode::HalfUp, 10_000), Some(-10_000));
        assert!(f(1, 1).over(f(-1, 3)).is_some_and(|x| x.d > 0));
    }
}
