//! Days between two ISO 8601 days, without a calendar library.

/// From the first to the second; negative if the second is earlier.
pub fn days_between(from: &str, to: &str) -> Option<i64> {
    Some(number(to)? - number(from)?)
}

/// Days since 1 March of the year 0 in the Gregorian calendar.
fn number(day: &str) -> Option<i64> {
    let mut parts = day.splitn(3, '-');
    let mut next = |digits: usize| -> Option<i64> {
        let part = parts.next()?;
        if part.len() != digits || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        part.parse().ok()
    };
    let (year, month, date) = (next(4)?, next(2)?, next(2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&date) {
        return None;
    }
    // The year begins in March, so that the leap day is its last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    Some(365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + date)
}

#[cfg(test)]
mod tests {
    use super::days_between;

    #[test]
    fn leap_days_count() {
        assert_eq!(days_between("2024-02-28", "2024-03-01"), Some(2));
        assert_eq!(days_between("2026-02-28", "2026-03-01"), Some(1));
        assert_eq!(days_between("2000-01-01", "2026-11-23"), Some(9823));
        assert_eq!(days_between("2026-07-02", "2026-07-01"), Some(-1));
    }

    #[test]
    fn what_is_no_day_is_none() {
        for text in ["", "2026-7-1", "2026-13-01", "2026-07-32", "2026-07", "heute"] {
            assert_eq!(days_between(text, "2026-07-01"), None, "{text}");
        }
    }
}
