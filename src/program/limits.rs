//! The bounds of a fact, as the bits of its slot keep them.
use crate::lang::typed::{Bounds, Const, Ty};
use crate::program::facts::{SCALE, Slot, Tag};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};

/// Which values of a fact are told from outside; everything else is refused where facts are bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// The least and the greatest bits of a slot that holds them.
    pub min: i64,
    pub max: i64,
    low: Option<(BigRational, bool)>,
    high: Option<(BigRational, bool)>,
    /// The currency of an end that is not nothing: other amounts do not compare with it.
    currency: Option<u8>,
    /// As written: `[0..500)`.
    pub text: Box<str>,
}

impl Limits {
    pub fn new(ty: &Ty, bounds: &Bounds) -> Limits {
        let scale = match ty.inner() {
            Ty::Dec | Ty::Money | Ty::Unit(_) => SCALE,
            _ => 1,
        };
        let end =
            |end: &Option<(Const, bool)>| end.as_ref().and_then(|(c, within)| Some((number(c)?, *within)));
        let (low, high) = (end(&bounds.low), end(&bounds.high));
        let scaled = |n: &BigRational| n * BigRational::from_integer(BigInt::from(scale));
        let one = BigRational::from_integer(1.into());
        let min = low.as_ref().and_then(|(n, within)| {
            let n = scaled(n);
            if *within { n.ceil() } else { n.floor() + &one }.to_i64()
        });
        let max = high.as_ref().and_then(|(n, within)| {
            let n = scaled(n);
            if *within { n.floor() } else { n.ceil() - &one }.to_i64()
        });
        let currency = [&bounds.low, &bounds.high].into_iter().flatten().find_map(|(c, _)| match c {
            Const::Money(n, id) if !n.is_zero() => u8::try_from(id.0).ok(),
            _ => None,
        });
        let (min, max) = (min.unwrap_or(-i64::MAX), max.unwrap_or(i64::MAX));
        Limits { min, max, low, high, currency, text: bounds.text.as_str().into() }
    }

    /// Whether no value keeps them.
    pub fn is_empty(&self) -> bool {
        self.min > self.max
    }

    /// Whether a bound value keeps them; what is unknown or absent does.
    pub fn hold(&self, slot: &Slot, wides: &[BigRational]) -> bool {
        match slot.tag {
            Tag::Unknown | Tag::Absent => true,
            Tag::Value => self.hold_bits(slot.bits) && self.hold_currency(slot.currency),
            Tag::Wide => {
                let n = usize::try_from(slot.bits).ok().and_then(|at| wides.get(at));
                let above = |n: &BigRational| match &self.low {
                    Some((low, within)) => {
                        if *within {
                            n >= low
                        } else {
                            n > low
                        }
                    }
                    None => true,
                };
                let below = |n: &BigRational| match &self.high {
                    Some((high, within)) => {
                        if *within {
                            n <= high
                        } else {
                            n < high
                        }
                    }
                    None => true,
                };
                n.is_some_and(|n| above(n) && below(n)) && self.hold_currency(slot.currency)
            }
        }
    }

    pub fn hold_bits(&self, bits: i64) -> bool {
        (self.min..=self.max).contains(&bits)
    }

    fn hold_currency(&self, currency: u8) -> bool {
        self.currency.is_none_or(|c| c == currency)
    }
}

/// A bound as a number of its type's own measure.
fn number(c: &Const) -> Option<BigRational> {
    let whole = |n: i64| BigRational::from_integer(n.into());
    Some(match c {
        Const::Num(n) | Const::Money(n, _) => n.clone(),
        Const::Date(d) => whole(i64::from(*d)),
        Const::DateTime(t) => whole(*t),
        Const::Duration(s) => whole(*s),
        _ => return None,
    })
}
