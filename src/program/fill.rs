//! `fill(table, budget)`: the best combination of pieces that a budget pays for, each piece as often as wanted, exactly.
//!
//! Best is the greatest total value; among those the least used; among those the pieces listed greatest first that come
//! last in lexicographic order. The piece with the best value for its cost (the dearest among equals) takes all but a small
//! part of a large budget: of any `c` other pieces, `c` being its cost in units, some cost a multiple of `c` together
//! and are better replaced by it. So fewer than `c` other pieces are ever taken, and only as much of the budget
//! needs to be searched.
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};

/// The largest part of a budget that is searched, in units of the costs' greatest common divisor.
pub const MAX_UNITS: u64 = 1_000_000;

/// A piece: what it costs and what it is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub cost: BigRational,
    pub value: BigRational,
}

/// The best combination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    pub value: BigRational,
    pub used: BigRational,
    /// How often each piece is taken, in the order in which they were given.
    pub counts: Vec<BigInt>,
}

/// A piece worth taking, in whole units.
struct Choice {
    piece: usize,
    cost: usize,
    value: i128,
}

/// The best combination within `budget`; `None` if the costs are too fine to be searched (see [`MAX_UNITS`]).
pub fn fill(pieces: &[Piece], budget: &BigRational) -> Option<Filled> {
    let mut filled = Filled {
        value: BigRational::zero(),
        used: BigRational::zero(),
        counts: vec![BigInt::zero(); pieces.len()],
    };
    let choices = choices(pieces)?;
    // The best for its cost; the dearest among equals, which come first.
    let mut best: Option<&Choice> = None;
    for c in &choices {
        let better = |b: &Choice| {
            BigInt::from(c.value) * BigInt::from(b.cost) > BigInt::from(b.value) * BigInt::from(c.cost)
        };
        if best.is_none_or(better) {
            best = Some(c);
        }
    }
    let (Some(best), Some(dearest)) = (best, choices.first()) else { return Some(filled) };
    if budget.is_negative() {
        return Some(filled);
    }
    let unit = unit(pieces.get(best.piece)?, best.cost);
    let budget = (budget / &unit).floor().to_integer();
    let (cost, searched) =
        (BigInt::from(best.cost), BigInt::from(best.cost - 1) * BigInt::from(dearest.cost));
    // So many of the best piece are certain: one more would always fit beside fewer than `cost` others.
    let certain = ((&budget - &searched - &cost).div_floor(&cost)).max(BigInt::zero());
    let rest = (budget - &certain * &cost).to_u64().filter(|r| *r <= MAX_UNITS)?;
    if let Some(count) = filled.counts.get_mut(best.piece) {
        *count += certain;
    }
    for piece in search(&choices, rest as usize)? {
        if let Some(count) = filled.counts.get_mut(piece) {
            *count += 1;
        }
    }
    for (piece, count) in pieces.iter().zip(&filled.counts) {
        filled.value += &piece.value * BigRational::from_integer(count.clone());
        filled.used += &piece.cost * BigRational::from_integer(count.clone());
    }
    Some(filled)
}

/// The pieces worth taking, dearest first, one per cost, in whole units of cost and value.
fn choices(pieces: &[Piece]) -> Option<Vec<Choice>> {
    let mut wanted: Vec<(usize, &Piece)> =
        pieces.iter().enumerate().filter(|(_, p)| p.cost.is_positive() && p.value.is_positive()).collect();
    wanted.sort_by(|(i, a), (j, b)| (&b.cost, &b.value, i).cmp(&(&a.cost, &a.value, j)));
    wanted.dedup_by(|(_, later), (_, earlier)| later.cost == earlier.cost);
    let costs = whole(wanted.iter().map(|(_, p)| &p.cost));
    let values = whole(wanted.iter().map(|(_, p)| &p.value));
    let mut choices = Vec::new();
    for ((piece, _), (cost, value)) in wanted.iter().zip(costs.iter().zip(&values)) {
        choices.push(Choice { piece: *piece, cost: cost.to_usize()?, value: value.to_i128()? });
    }
    Some(choices)
}

/// Positive numbers as multiples of their greatest common divisor.
fn whole<'n>(numbers: impl Iterator<Item = &'n BigRational> + Clone) -> Vec<BigInt> {
    let scale = numbers.clone().fold(BigInt::one(), |all, n| all.lcm(n.denom()));
    let scaled: Vec<BigInt> = numbers.map(|n| n.numer() * (&scale / n.denom())).collect();
    let divisor = scaled.iter().fold(BigInt::zero(), |all, n| all.gcd(n));
    scaled.into_iter().map(|n| n / &divisor).collect()
}

/// What one unit of cost is.
fn unit(piece: &Piece, cost: usize) -> BigRational {
    &piece.cost / BigRational::from_integer(cost.into())
}

/// The pieces taken for a budget that is searched unit by unit.
fn search(choices: &[Choice], budget: usize) -> Option<Vec<usize>> {
    // The greatest value that costs exactly so much, if some combination does.
    let mut exact: Vec<Option<i128>> = vec![None; budget + 1];
    if let Some(nothing) = exact.first_mut() {
        *nothing = Some(0);
    }
    for spent in 1..=budget {
        let mut greatest = None;
        for c in choices {
            if let Some(before) = spent.checked_sub(c.cost).and_then(|b| exact.get(b).copied().flatten()) {
                greatest = greatest.max(Some(before.checked_add(c.value)?));
            }
        }
        if let Some(slot) = exact.get_mut(spent) {
            *slot = greatest;
        }
    }
    let (mut value, mut spent) = (0, 0);
    for (cost, total) in exact.iter().enumerate() {
        if let Some(total) = total
            && *total > value
        {
            (value, spent) = (*total, cost);
        }
    }
    // Taking the dearest piece that some best combination holds gives the list that comes last.
    let mut taken = Vec::new();
    while spent > 0 {
        let fits = |c: &&Choice| {
            let before = spent.checked_sub(c.cost).and_then(|b| exact.get(b).copied().flatten());
            before.is_some_and(|b| b + c.value == value)
        };
        let c = choices.iter().find(fits)?;
        taken.push(c.piece);
        spent -= c.cost;
        value -= c.value;
    }
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn r(n: i64) -> BigRational {
        BigRational::from_integer(n.into())
    }
    fn pieces(list: &[(i64, i64)]) -> Vec<Piece> {
        list.iter().map(|&(cost, value)| Piece { cost: r(cost), value: r(value) }).collect()
    }
    fn counts(filled: &Filled) -> Vec<i64> {
        filled.counts.iter().map(|c| c.to_i64().unwrap()).collect()
    }

    /// Every combination, compared by the rule as it is stated.
    fn brute(list: &[(i64, i64)], budget: i64) -> (i64, i64, Vec<i64>) {
        fn go(list: &[(i64, i64)], left: i64, taken: &mut Vec<i64>, all: &mut Vec<(i64, i64, Vec<i64>)>) {
            let value = taken.iter().map(|&i| list[i as usize].1).sum();
            let used: i64 = taken.iter().map(|&i| list[i as usize].0).sum();
            let mut costs: Vec<i64> = taken.iter().map(|&i| list[i as usize].0).collect();
            costs.sort_by(|a, b| b.cmp(a));
            all.push((value, -used, costs));
            let from = taken.last().copied().unwrap_or(0);
            for i in from..list.len() as i64 {
                let (cost, worth) = list[i as usize];
                if cost > 0 && cost <= left && worth > 0 {
                    taken.push(i);
                    go(list, left - cost, taken, all);
                    taken.pop();
                }
            }
        }
        let mut all = Vec::new();
        go(list, budget, &mut Vec::new(), &mut all);
        let (value, used, costs) = all.into_iter().max().unwrap();
        (value, -used, costs)
    }

    #[test]
    fn agrees_with_trying_everything() {
        let mut seed = 12345u64;
        let mut next = |n: u64| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) % n
        };
        for _ in 0..300 {
            let list: Vec<(i64, i64)> =
                (0..1 + next(4)).map(|_| (next(7) as i64, next(9) as i64 - 1)).collect();
            let mut list = list;
            list.sort();
            list.dedup_by_key(|p| p.0);
            let budget = next(24) as i64;
            let filled = fill(&pieces(&list), &r(budget)).unwrap();
            let mut costs: Vec<i64> = Vec::new();
            for (p, n) in list.iter().zip(counts(&filled)) {
                costs.extend(std::iter::repeat_n(p.0, n as usize));
            }
            costs.sort_by(|a, b| b.cmp(a));
            let (value, used, want) = brute(&list, budget);
            assert_eq!(
                (&filled.value, &filled.used, &costs),
                (&r(value), &r(used), &want),
                "{list:?} {budget}"
            );
        }
    }

    #[test]
    fn reducing_a_large_budget_changes_nothing() {
        // Against the search without the reduction.
        for list in
            [vec![(3, 5), (7, 12), (10, 17)], vec![(2, 2), (4, 4), (5, 3)], vec![(6, 6), (4, 4), (9, 8)]]
        {
            let all = pieces(&list);
            for budget in 0..400 {
                let filled = fill(&all, &r(budget)).unwrap();
                let chosen = choices(&all).unwrap();
                let unit = unit(&all[chosen[0].piece], chosen[0].cost);
                let units = (r(budget) / unit).floor().to_integer().to_usize().unwrap();
                let mut plain = vec![0i64; list.len()];
                for piece in search(&chosen, units).unwrap() {
                    plain[piece] += 1;
                }
                assert_eq!(counts(&filled), plain, "{list:?} {budget}");
            }
        }
    }

    #[test]
    fn large_budgets_are_quick_and_exact() {
        let all = pieces(&[(3000, 10), (5000, 20), (12000, 50)]);
        let filled = fill(&all, &r(900_000_000_000_000)).unwrap();
        assert_eq!(counts(&filled), [0, 0, 75_000_000_000]);
        let filled = fill(&all, &r(12_000 * 1_000_000 + 7_999)).unwrap();
        assert_eq!(counts(&filled), [0, 1, 1_000_000]);
        assert_eq!(filled.used, r(12_000 * 1_000_000 + 5_000));
        // Too fine to be searched.
        assert_eq!(fill(&pieces(&[(99_991, 1), (99_989, 1)]), &r(900_000_000_000_000)), None);
    }

    #[test]
    fn nothing_to_take() {
        assert_eq!(counts(&fill(&pieces(&[(5, 1)]), &r(4)).unwrap()), [0]);
        assert_eq!(counts(&fill(&pieces(&[(5, 1)]), &r(-4)).unwrap()), [0]);
        assert_eq!(counts(&fill(&pieces(&[(5, -1), (0, 3)]), &r(10)).unwrap()), [0, 0]);
        assert_eq!(fill(&[], &r(10)).unwrap().value, r(0));
        let halves = [Piece { cost: BigRational::new(1.into(), 2.into()), value: r(1) }];
        assert_eq!(counts(&fill(&halves, &BigRational::new(7.into(), 4.into())).unwrap()), [3]);
    }
}
