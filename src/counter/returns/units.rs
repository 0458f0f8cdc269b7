//! Which units of a line are back. Each unit has its own share of what was paid, so that pieces sum to the line in every
//! order, also after a return was voided.
use crate::counter::allocate::of_units;
use crate::records::Unit;
use sea_orm::prelude::Uuid;

/// Units `from..to` of a line.
pub type Range = (i32, i32);

/// The units of a sale's line that recorded returns took back, in order.
pub fn taken(unit: &Unit, sale: Uuid, line: i32) -> Vec<Range> {
    let standing = unit.sale_returns(sale).into_iter().filter(|r| r.status == "recorded");
    let lines = standing.flat_map(|r| unit.return_lines(r.id)).filter(|l| l.line == line);
    let mut all: Vec<Range> = lines.map(|l| (l.from_unit, l.from_unit + l.quantity)).collect();
    all.sort_unstable();
    all
}

/// The lowest `wanted` units that are not taken; none if there are fewer. `taken` is in order.
pub fn lowest_free(quantity: i32, taken: &[Range], wanted: i32) -> Option<Vec<Range>> {
    let (mut free, mut at, mut left) = (Vec::new(), 0, wanted);
    for (from, to) in taken.iter().copied().chain([(quantity, quantity)]) {
        if left > 0 && from > at {
            let end = from.min(at.saturating_add(left));
            free.push((at, end));
            left -= end - at;
        }
        at = at.max(to);
    }
    (left == 0).then_some(free)
}

/// How many units.
pub fn count(ranges: &[Range]) -> i32 {
    ranges.iter().map(|(from, to)| to - from).sum()
}

/// What these units are worth together, of `amount` for the whole line.
pub fn worth(amount: i64, quantity: i32, ranges: &[Range]) -> i64 {
    ranges.iter().map(|(from, to)| of_units(amount, quantity, *from, *to)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_lowest_units_go_first() {
        assert_eq!(lowest_free(5, &[], 2), Some(vec![(0, 2)]));
        assert_eq!(lowest_free(5, &[(0, 1), (2, 4)], 2), Some(vec![(1, 2), (4, 5)]));
        assert_eq!(lowest_free(5, &[(0, 1), (2, 4)], 3), None);
        assert_eq!(lowest_free(3, &[(0, 3)], 1), None);
    }

    proptest! {
        // Returns of pieces, some of them voided again: what everything left comes to makes the line whole.
        #[test]
        fn pieces_sum_to_the_line_in_every_order(
            paid in 0i64..100_000,
            quantity in 1i32..30,
            steps in proptest::collection::vec((1i32..6, proptest::bool::ANY), 0..20),
        ) {
            let mut slips: Vec<(Vec<Range>, i64)> = Vec::new();
            let all = |slips: &[(Vec<Range>, i64)]| {
                let mut taken: Vec<Range> = slips.iter().flat_map(|(r, _)| r.clone()).collect();
                taken.sort_unstable();
                taken
            };
            for (wanted, voided) in steps {
                if voided && !slips.is_empty() {
                    slips.remove(0);
                } else if let Some(free) = lowest_free(quantity, &all(&slips), wanted) {
                    let value = worth(paid, quantity, &free);
                    slips.push((free, value));
                }
            }
            let left = quantity - count(&all(&slips));
            if let Some(free) = lowest_free(quantity, &all(&slips), left) {
                let value = worth(paid, quantity, &free);
                slips.push((free, value));
            }
            prop_assert_eq!(slips.iter().map(|(_, v)| v).sum::<i64>(), paid);
        }
    }
}
