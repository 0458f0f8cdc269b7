//! Values in the language's own spelling: names of facts with arguments, and explanations.
use crate::lang::typed::*;
use crate::program::dates;
use crate::program::value::Value;
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};

/// The path of a fact with arguments, `member_spend(2026)`: what missing facts are named by.
pub fn call_path(vocab: &Vocab, fact: FactCallId, args: &[Value]) -> String {
    let Some(def) = vocab.fact_calls.get(fact.ix()) else { return String::new() };
    let args: Vec<String> =
        def.params.iter().zip(args).map(|((_, ty), value)| literal(vocab, ty, value)).collect();
    format!("{}({})", def.name, args.join(", "))
}

/// A number as a decimal; as a fraction where no decimal is exact.
pub fn number(n: &BigRational) -> String {
    if n.is_integer() {
        return n.to_integer().to_string();
    }
    // A decimal is exact if the denominator has no other factors than 2 and 5.
    let (mut rest, mut places) = (n.denom().clone(), 0usize);
    let (mut twos, mut fives) = (0usize, 0usize);
    for (factor, count) in [(2u32, &mut twos), (5u32, &mut fives)] {
        let factor = BigInt::from(factor);
        while rest.is_multiple_of(&factor) {
            rest /= &factor;
            *count += 1;
        }
        places = places.max(*count);
    }
    if !rest.is_one() {
        return format!("{}/{}", n.numer(), n.denom());
    }
    let scale = BigInt::from(10u32).pow(places as u32);
    let (whole, part) = (n.abs() * BigRational::from_integer(scale.clone())).to_integer().div_rem(&scale);
    let sign = if n.is_negative() { "-" } else { "" };
    format!("{sign}{whole}.{:0>places$}", part.to_string())
}

/// `2026-07-01`
pub fn date(day: i32) -> String {
    let (y, m, d) = dates::to_ymd(day);
    format!("{y:04}-{m:02}-{d:02}")
}

/// `2026-07-01T09:30:00Z`, with a fraction only where there is one.
pub fn instant(micros: i64) -> String {
    let (day, rest) = micros.div_mod_floor(&86_400_000_000);
    let (seconds, fraction) = rest.div_mod_floor(&1_000_000);
    let day = date(i32::try_from(day).unwrap_or_default());
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction.is_zero() { format!("{day}T{clock}Z") } else { format!("{day}T{clock}.{fraction:06}Z") }
}

/// `15 days`, `1 month`
pub fn period(p: Period) -> String {
    let (n, one, many) = match p {
        Period::Days(n) => (n, "day", "days"),
        Period::Months(n) => (n, "month", "months"),
    };
    format!("{n} {}", if n == 1 { one } else { many })
}

/// `2 hours`, `90 minutes`, `45 seconds`: the largest unit that is exact.
pub fn duration(seconds: i64) -> String {
    let (n, one, many) = if seconds % 3600 == 0 && seconds != 0 {
        (seconds / 3600, "hour", "hours")
    } else if seconds % 60 == 0 {
        (seconds / 60, "minute", "minutes")
    } else {
        (seconds, "second", "seconds")
    };
    format!("{n} {}", if n == 1 { one } else { many })
}

/// A value of a type as the language writes it.
pub fn literal(vocab: &Vocab, ty: &Ty, value: &Value) -> String {
    let currency = |c: &CurrencyId| vocab.currencies.get(c.ix()).map_or("", |d| d.code.as_str());
    match (value, ty.inner()) {
        (Value::Absent, _) => "absent".into(),
        (Value::Bool(b), _) => if *b { "yes" } else { "no" }.into(),
        (Value::Num(n), Ty::Unit(u)) => {
            format!("{} {}", number(n), vocab.units.get(u.ix()).map_or("", |d| d.name.as_str()))
        }
        (Value::Num(n), Ty::Rate(of, per)) => rate(vocab, n, *of, *per),
        (Value::Num(n), _) => number(n),
        (Value::Money(n, c), _) => format!("{} {}", number(n), currency(c)),
        (Value::Text(t), _) => format!("\"{t}\""),
        (Value::Enum(e), Ty::Enum(id)) => vocab
            .enums
            .get(id.ix())
            .and_then(|d| d.members.get(*e as usize))
            .map_or_else(String::new, |m| m.name.clone()),
        (Value::Node(n), Ty::Node(id)) => vocab
            .taxonomies
            .get(id.ix())
            .and_then(|d| d.nodes.get(*n as usize))
            .map_or_else(String::new, |m| m.name.clone()),
        (Value::Enum(n) | Value::Node(n), _) => n.to_string(),
        (Value::Date(d), _) => date(*d),
        (Value::DateTime(t), _) => instant(*t),
        (Value::Period(p), _) => period(*p),
        (Value::Duration(s), _) => duration(*s),
        (Value::List(items), ty) => {
            let of = element(ty);
            let items: Vec<String> = items.iter().map(|v| literal(vocab, of, v)).collect();
            format!("[{}]", items.join(", "))
        }
        (Value::Set(items), ty) => {
            let of = element(ty);
            let items: Vec<String> = items.iter().map(|v| literal(vocab, of, v)).collect();
            format!("{{{}}}", items.join(", "))
        }
        (Value::Record(id, fields), _) => {
            let Some(def) = vocab.entities.get(id.ix()) else { return String::new() };
            let fields: Vec<String> = def
                .fields
                .iter()
                .zip(fields.iter())
                .filter(|(_, v)| **v != Value::Absent)
                .map(|(f, v)| format!("{}: {}", f.name, literal(vocab, &f.ty, v)))
                .collect();
            format!("{}({})", def.name, fields.join(", "))
        }
    }
}

fn element(ty: &Ty) -> &Ty {
    match ty {
        Ty::List(of) | Ty::Set(of) => of,
        other => other,
    }
}

/// `1 point per 2 CNY`: in the smallest whole numbers.
fn rate(vocab: &Vocab, n: &BigRational, of: RateKind, per: RateKind) -> String {
    let name = |k: RateKind| match k {
        RateKind::Money(c) => vocab.currencies.get(c.ix()).map_or("", |d| d.code.as_str()),
        RateKind::Unit(u) => vocab.units.get(u.ix()).map_or("", |d| d.name.as_str()),
        RateKind::Days => "days",
    };
    format!("{} {} per {} {}", n.numer(), name(of), n.denom(), name(per))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_exactly() {
        let n = |a: i64, b: i64| number(&BigRational::new(a.into(), b.into()));
        assert_eq!(n(3, 1), "3");
        assert_eq!(n(-1, 2), "-0.5");
        assert_eq!(n(1, 8), "0.125");
        assert_eq!(n(1001, 100), "10.01");
        assert_eq!(n(1, 3), "1/3");
        assert_eq!(n(7, 20), "0.35");
    }

    #[test]
    fn spans_of_time() {
        assert_eq!(period(Period::Months(1)), "1 month");
        assert_eq!(period(Period::Days(-2)), "-2 days");
        assert_eq!(duration(7200), "2 hours");
        assert_eq!(duration(0), "0 minutes");
        assert_eq!(duration(61), "61 seconds");
        assert_eq!(instant(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(instant(0), "1970-01-01T00:00:00Z");
        assert_eq!(date(0), "1970-01-01");
    }
}
