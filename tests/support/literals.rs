//! Random literals, from the pools that facts are drawn from.
use super::facts::*;
use super::rng::Rng;

/// A literal of a type.
pub fn literal(rng: &mut Rng, ty: T) -> String {
    let (rare, currency) = (rng.chance(1, 50), if rng.chance(1, 60) { "USD" } else { "CNY" });
    match ty {
        T::Bool => rng.word(&["yes", "no"]),
        T::Int => rng.word(if rare { INT } else { &INT[..5] }),
        T::Dec => rng.word(&["0.5", "15%", "0.333", "2.0", "0.01", "1.25"]),
        T::Money if currency == "USD" => format!("{} USD", rng.word(&MONEY[..5])),
        T::Money => format!("{} CNY", rng.word(if rare { MONEY } else { &MONEY[..9] })),
        T::Point => format!("{} point", rng.word(POINT)),
        T::Date => rng.word(&DATE[..7]),
        T::DateTime => rng.word(DATETIME),
        T::Period => rng.word(&["7 days", "15 days", "1 month", "2 years", "0 days"]),
        T::Season => rng.word(SEASON),
        T::Tier => rng.word(TIER),
        T::Cat => rng.word(CAT),
        T::Text => format!("\"{}\"", rng.word(TEXT)),
    }
}

/// Two literals in order, as the ends of an interval that holds something.
pub fn bounds(rng: &mut Rng, ty: T) -> String {
    let (pool, unit): (&[&str], &str) = match ty {
        T::Money => (&MONEY[..9], " CNY"),
        T::Int => (&INT[..6], ""),
        T::Date => (&["2024-02-29", "2026-02-28", "2026-07-01", "2026-07-08", "2026-12-31"], ""),
        _ => (TIER, ""),
    };
    let low = rng.below(pool.len() - 1);
    let high = low + 1 + rng.below(pool.len() - 1 - low);
    format!("{}{unit}..{}{unit}", pool[low], pool[high])
}
