//! Splitting an amount so that the parts sum exactly to the whole.

/// Splits `amount` over `weights` by the largest remainder (ties to the earlier part). Parts sum to `amount`; none is
/// larger in size than its share rounded up. If no weight is positive, the first part takes everything.
pub fn by_weight(amount: i64, weights: &[i64]) -> Vec<i64> {
    let total: i128 = weights.iter().map(|w| i128::from((*w).max(0))).sum();
    if total == 0 {
        return weights.iter().enumerate().map(|(i, _)| if i == 0 { amount } else { 0 }).collect();
    }
    let share = |w: &i64| i128::from(amount) * i128::from((*w).max(0));
    let mut parts: Vec<i64> = weights.iter().map(|w| share(w).div_euclid(total) as i64).collect();
    let mut rest = amount - parts.iter().sum::<i64>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|i| weights.get(*i).map(|w| std::cmp::Reverse(share(w).rem_euclid(total))));
    for i in order {
        if rest == 0 {
            break;
        }
        if let Some(part) = parts.get_mut(i) {
            *part += 1;
            rest -= 1;
        }
    }
    parts
}

/// What units `from..to` of `quantity` are worth together, of `amount` for all: however a line comes back in pieces,
/// the pieces sum to the line.
pub fn of_units(amount: i64, quantity: i32, from: i32, to: i32) -> i64 {
    let quantity = i128::from(quantity.max(1));
    let up_to = |n: i32| (i128::from(amount) * i128::from(n)).div_euclid(quantity);
    (up_to(to) - up_to(from)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_sum_to_the_whole(amount in -1_000_000i64..1_000_000, weights in proptest::collection::vec(0i64..100_000, 1..9)) {
            let parts = by_weight(amount, &weights);
            prop_assert_eq!(parts.iter().sum::<i64>(), amount);
            prop_assert_eq!(parts.len(), weights.len());
        }
        #[test]
        fn units_sum_to_the_line(amount in 0i64..1_000_000, quantity in 1i32..50, cuts in proptest::collection::vec(0i32..50, 0..5)) {
            let mut cuts: Vec<i32> = cuts.into_iter().map(|c| c.min(quantity)).chain([0, quantity]).collect();
            cuts.sort_unstable();
            let parts: Vec<i64> = cuts.windows(2).map(|w| of_units(amount, quantity, w[0], w[1])).collect();
            prop_assert_eq!(parts.iter().sum::<i64>(), amount);
            prop_assert!(parts.iter().all(|p| *p >= 0));
        }
    }
}
