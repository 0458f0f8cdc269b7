//! How far a difference reaches: from facts that show it outwards, one fact at a time, as long as it stays the same.
use crate::cases::{Place, Pools, Stated, Var};
use crate::lang::typed::*;
use crate::program::literal::{date, literal};
use crate::program::value::Value;
use num_rational::BigRational;
use num_traits::One;

/// What one fact may be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limit {
    pub(super) place: Place,
    pub(super) words: String,
    allowed: Allowed,
}

#[derive(Debug, Clone, PartialEq)]
enum Allowed {
    Among(Vec<Given>),
    /// From and up to, both belonging to it.
    Between(Option<BigRational>, Option<BigRational>),
    /// The same, in days after another date.
    After(Place, Option<BigRational>, Option<BigRational>),
}

impl Limit {
    /// Whether it counts days from another date.
    pub(super) fn counts_from(&self, anchor: &Place) -> bool {
        matches!(&self.allowed, Allowed::After(place, ..) if place == anchor)
    }

    /// Whether facts keep to it.
    pub(super) fn holds(&self, facts: &Stated) -> bool {
        let Some(given) = facts.get(&self.place) else { return false };
        let between = |n: &BigRational, low: &Option<BigRational>, high: &Option<BigRational>| {
            low.as_ref().is_none_or(|l| l <= n) && high.as_ref().is_none_or(|h| n <= h)
        };
        match &self.allowed {
            Allowed::Among(values) => values.contains(given),
            Allowed::Between(low, high) => number(given).is_some_and(|(n, _)| between(&n, low, high)),
            Allowed::After(from, low, high) => match (number(given), facts.get(from).and_then(number)) {
                (Some((n, _)), Some((from, _))) => between(&(n - from), low, high),
                _ => false,
            },
        }
    }
}

/// Where a difference is grown.
pub(super) struct Ground<'a> {
    pub(super) vocab: &'a Vocab,
    pub(super) pools: &'a Pools,
    /// The date that other dates are counted from, and its path.
    pub(super) anchor: Option<(Place, String)>,
}

impl Ground<'_> {
    /// The limits of a fact around what it is; none: it may be anything that was tried.
    pub(super) fn limit(
        &self,
        var: &Var,
        facts: &Stated,
        mut same: impl FnMut(&Stated) -> bool,
    ) -> Option<Limit> {
        let now = facts.get(&var.place).filter(|g| **g != Given::Unknown)?.clone();
        let values = var.values(self.vocab, self.pools, facts);
        let mut stays = |value: &Given| same(&facts.with(self.vocab, &var.place, value.clone()));
        match number(&now) {
            Some((_, one)) => {
                let absent = values.contains(&Given::Absent);
                let line: Vec<Given> = values.into_iter().filter(|v| number(v).is_some()).collect();
                let at = line.iter().position(|v| *v == now)?;
                let step = one.unwrap_or_else(|| self.step(&var.ty));
                let down = line.iter().take(at).rev().cloned().collect::<Vec<_>>();
                let up = line.iter().skip(at + 1).cloned().collect::<Vec<_>>();
                let low = edge(&now, &down, &step, &mut stays);
                let high = edge(&now, &up, &step, &mut stays);
                if low.is_none() && high.is_none() && (!absent || stays(&Given::Absent)) {
                    return None;
                }
                let words = self.between(var, facts, &now, low.as_ref(), high.as_ref());
                let allowed = match self.anchor.as_ref().filter(|(place, _)| *place != var.place) {
                    Some((place, _)) if matches!(now, Given::Value(Const::Date(_))) => {
                        let (from, _) = number(facts.get(place)?)?;
                        let after = |n: Option<BigRational>| n.map(|n| n - &from);
                        Allowed::After(place.clone(), after(low), after(high))
                    }
                    _ => Allowed::Between(low, high),
                };
                Some(Limit { place: var.place.clone(), words, allowed })
            }
            // Of what has an order, absent is told apart from all that is there.
            None if now == Given::Absent && values.iter().any(|v| number(v).is_some()) => {
                let all = values.iter().all(|v| *v == now || stays(v));
                let words = format!("{} absent", var.path);
                (!all).then(|| Limit { place: var.place.clone(), words, allowed: Allowed::Among(vec![now]) })
            }
            None => {
                let among: Vec<Given> = values.iter().filter(|v| **v == now || stays(v)).cloned().collect();
                if among.len() == values.len() {
                    return None;
                }
                let words = self.among(var, &values, &among);
                Some(Limit { place: var.place.clone(), words, allowed: Allowed::Among(among) })
            }
        }
    }

    fn step(&self, ty: &Ty) -> BigRational {
        match ty.inner() {
            Ty::Money => self.vocab.currencies.first().map_or_else(BigRational::one, |c| c.step.clone()),
            Ty::Unit(id) => self.vocab.units.get(id.ix()).map_or_else(BigRational::one, |u| u.step.clone()),
            Ty::Dec => BigRational::new(1.into(), 1000.into()),
            _ => BigRational::one(),
        }
    }

    fn shown(&self, ty: &Ty, given: &Given) -> String {
        match given {
            Given::Value(c @ Const::Money(..)) => grouped(&literal(self.vocab, ty, &Value::of_const(c))),
            Given::Value(c @ Const::Num(_)) => grouped(&literal(self.vocab, ty, &Value::of_const(c))),
            Given::Value(c) => literal(self.vocab, ty, &Value::of_const(c)),
            Given::Absent => "absent".into(),
            Given::List(items) if items.is_empty() => "none".into(),
            Given::List(items) => format!("{} of them", items.len()),
            Given::Unknown | Given::Entity(..) => "there".into(),
        }
    }

    /// `2,000 CNY and up`, `day 8 to 15 after receipt.date`.
    fn between(
        &self,
        var: &Var,
        facts: &Stated,
        now: &Given,
        low: Option<&BigRational>,
        high: Option<&BigRational>,
    ) -> String {
        let days = |n: &BigRational| i32::try_from(n.to_integer()).unwrap_or_default();
        if let Given::Value(Const::Date(_)) = now {
            let anchor = self.anchor.as_ref().filter(|(place, _)| *place != var.place);
            let from = anchor.and_then(|(place, path)| match facts.get(place) {
                Some(Given::Value(Const::Date(d))) => Some((*d, path)),
                _ => None,
            });
            return match (from, low.map(days), high.map(days)) {
                (Some((d, path)), Some(a), Some(b)) if a == b => {
                    format!("{} day {} after {path}", var.path, a - d)
                }
                (Some((d, path)), Some(a), Some(b)) => {
                    format!("{} day {} to {} after {path}", var.path, a - d, b - d)
                }
                (Some((d, path)), Some(a), None) => {
                    format!("{} day {} after {path} and later", var.path, a - d)
                }
                (Some((d, path)), None, Some(b)) => format!("{} up to day {} after {path}", var.path, b - d),
                (_, Some(a), Some(b)) if a == b => format!("{} {}", var.path, date(a)),
                (_, Some(a), Some(b)) => format!("{} {} to {}", var.path, date(a), date(b)),
                (_, Some(a), None) => format!("{} {} and later", var.path, date(a)),
                (_, None, Some(b)) => format!("{} up to {}", var.path, date(b)),
                (_, None, None) => format!("{} not absent", var.path),
            };
        }
        let say = |n: &BigRational| {
            let given = match now {
                Given::Value(Const::Money(_, c)) => Given::Value(Const::Money(n.clone(), *c)),
                _ => Given::Value(Const::Num(n.clone())),
            };
            self.shown(&var.ty, &given)
        };
        match (low, high) {
            (Some(a), Some(b)) if a == b => format!("{} {}", var.path, say(a)),
            (Some(a), Some(b)) => format!("{} {} to {}", var.path, say(a), say(b)),
            (Some(a), None) => format!("{} {} and up", var.path, say(a)),
            (None, Some(b)) => format!("{} up to {}", var.path, say(b)),
            (None, None) => format!("{} not absent", var.path),
        }
    }

    /// `item.category clothing or cosmetics`, `item.season other than summer`.
    fn among(&self, var: &Var, all: &[Given], among: &[Given]) -> String {
        let list = |values: Vec<&Given>| {
            let shown: Vec<String> = values.into_iter().map(|v| self.shown(&var.ty, v)).collect();
            shown.join(" or ")
        };
        let rest: Vec<&Given> = all.iter().filter(|v| !among.contains(v)).collect();
        const FEW: usize = 6;
        if rest.len() < among.len() && rest.len() <= FEW {
            return format!("{} other than {}", var.path, list(rest));
        }
        let more = among.len().saturating_sub(FEW);
        let tail = if more > 0 { format!(" or {more} more") } else { String::new() };
        format!("{} {}{tail}", var.path, list(among.iter().take(FEW).collect()))
    }
}

/// The last value in one direction for which it stays; none: to the end of what is tried.
fn edge(
    now: &Given,
    line: &[Given],
    step: &BigRational,
    stays: &mut impl FnMut(&Given) -> bool,
) -> Option<BigRational> {
    let (mut inside, mut outside) = (now.clone(), None);
    for value in line {
        if stays(value) {
            inside = value.clone();
        } else {
            outside = Some(value.clone());
            break;
        }
    }
    let (mut good, mut bad) = (number(&inside)?.0, number(&outside?)?.0);
    // Between two values that were tried the edge may lie anywhere.
    loop {
        let steps = ((&bad - &good) / step).trunc();
        let half = (&steps / BigRational::from_integer(2.into())).trunc();
        if half == BigRational::from_integer(0.into()) {
            return Some(good);
        }
        let middle = &good + half * step;
        if stays(&with_number(now, middle.clone())) {
            good = middle;
        } else {
            bad = middle;
        }
    }
}

/// What is ordered as a number, with the step of dates.
fn number(given: &Given) -> Option<(BigRational, Option<BigRational>)> {
    match given {
        Given::Value(Const::Num(n) | Const::Money(n, _)) => Some((n.clone(), None)),
        Given::Value(Const::Date(d)) => {
            Some((BigRational::from_integer((*d).into()), Some(BigRational::one())))
        }
        _ => None,
    }
}

fn with_number(like: &Given, n: BigRational) -> Given {
    match like {
        Given::Value(Const::Money(_, c)) => Given::Value(Const::Money(n, *c)),
        Given::Value(Const::Date(_)) => {
            Given::Value(Const::Date(i32::try_from(n.to_integer()).unwrap_or_default()))
        }
        _ => Given::Value(Const::Num(n)),
    }
}

/// `2000.5 CNY` as `2,000.5 CNY`.
fn grouped(text: &str) -> String {
    let whole = text.chars().take_while(char::is_ascii_digit).count();
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        if i > 0 && i < whole && (whole - i) % 3 == 0 {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped_for_reading() {
        assert_eq!(grouped("2000 CNY"), "2,000 CNY");
        assert_eq!(grouped("1234567.89 CNY"), "1,234,567.89 CNY");
        assert_eq!(grouped("200 point"), "200 point");
    }

    #[test]
    fn an_edge_is_found_between_what_was_tried() {
        let of = |n: i64| Given::Value(Const::Num(BigRational::from_integer(n.into())));
        let one = BigRational::one();
        let mut below_7 = |g: &Given| number(g).unwrap().0 < BigRational::from_integer(7.into());
        assert_eq!(edge(&of(0), &[of(3), of(100)], &one, &mut below_7), number(&of(6)).map(|n| n.0));
        assert_eq!(edge(&of(0), &[of(3), of(5)], &one, &mut below_7), None);
        assert_eq!(edge(&of(0), &[of(7)], &one, &mut below_7), number(&of(6)).map(|n| n.0));
    }
}
