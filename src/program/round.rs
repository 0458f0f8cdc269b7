//! Rounding of exact rationals to a multiple of a step.
use crate::lang::typed::RoundMode;
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{Signed, Zero};

/// The multiple of `step` that `mode` gives for `x`; a step of zero leaves it as it is.
pub fn round(x: &BigRational, mode: RoundMode, step: &BigRational) -> BigRational {
    if step.is_zero() {
        return x.clone();
    }
    let steps = x / step;
    BigRational::from_integer(round_integer(&steps, mode)) * step
}

/// The whole number that `mode` gives for `x`.
pub fn round_integer(x: &BigRational, mode: RoundMode) -> BigInt {
    let floor = x.floor().to_integer();
    if x.is_integer() {
        return floor;
    }
    let up = &floor + 1;
    match mode {
        RoundMode::Down => floor,
        RoundMode::Up => up,
        RoundMode::HalfUp | RoundMode::HalfEven => {
            // Twice the part above the floor against 1 says which neighbour is nearer.
            let twice = (x - BigRational::from_integer(floor.clone())) * BigRational::from_integer(2.into());
            let half = BigRational::from_integer(1.into());
            let to_up = if twice != half {
                twice > half
            } else if mode == RoundMode::HalfUp {
                !x.is_negative()
            } else {
                floor.is_odd()
            };
            if to_up { up } else { floor }
        }
    }
}

/// Whether `x` is a multiple of `step`.
pub fn is_on(x: &BigRational, step: &BigRational) -> bool {
    !step.is_zero() && (x / step).is_integer()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn r(n: i64, d: i64) -> BigRational {
        BigRational::new(n.into(), d.into())
    }

    #[test]
    fn every_mode_on_both_sides_of_zero() {
        use RoundMode::*;
        let table = [
            // (x, down, up, half up, half even) in halves and quarters, to whole numbers
            (r(5, 2), 2, 3, 3, 2),
            (r(7, 2), 3, 4, 4, 4),
            (r(-5, 2), -3, -2, -3, -2),
            (r(-7, 2), -4, -3, -4, -4),
            (r(9, 4), 2, 3, 2, 2),
            (r(11, 4), 2, 3, 3, 3),
            (r(-9, 4), -3, -2, -2, -2),
            (r(-11, 4), -3, -2, -3, -3),
            (r(4, 1), 4, 4, 4, 4),
            (r(-4, 1), -4, -4, -4, -4),
            (r(1, 2), 0, 1, 1, 0),
            (r(-1, 2), -1, 0, -1, 0),
        ];
        for (x, down, up, half_up, half_even) in table {
            for (mode, want) in [(Down, down), (Up, up), (HalfUp, half_up), (HalfEven, half_even)] {
                assert_eq!(round(&x, mode, &r(1, 1)), r(want, 1), "{x} {mode:?}");
            }
        }
    }

    #[test]
    fn to_steps_other_than_one() {
        assert_eq!(round(&r(12345, 1000), RoundMode::HalfUp, &r(1, 100)), r(1235, 100));
        assert_eq!(round(&r(1, 3), RoundMode::Down, &r(1, 100)), r(33, 100));
        assert_eq!(round(&r(149, 1), RoundMode::HalfUp, &r(100, 1)), r(100, 1));
        assert_eq!(round(&r(150, 1), RoundMode::HalfEven, &r(100, 1)), r(200, 1));
        assert!(is_on(&r(33, 100), &r(1, 100)));
        assert!(!is_on(&r(1, 3), &r(1, 100)));
    }
}
