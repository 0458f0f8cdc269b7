//! Dates, instants, periods and durations as ISO 8601 writes them: the forms that facts come in and outcomes go out in.
use crate::lang::typed::Period;
use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat};

/// Days from 0001-01-01 to 1970-01-01, as chrono counts them.
const EPOCH_FROM_CE: i32 = 719_163;
/// Longer periods leave the calendar whatever they are added to.
const MAX_DAYS: i64 = 4_000_000;
const MAX_MONTHS: i64 = 120_000;
/// About 100 years.
const MAX_SECONDS: i64 = 3_200_000_000;

/// `2026-07-01`, years 1 to 9999, exactly ten characters.
pub fn parse_date(text: &str) -> Option<i32> {
    if text.len() != 10 || !text.is_ascii() {
        return None;
    }
    let mut parts = text.split('-');
    let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || y.len() != 4 || m.len() != 2 || d.len() != 2 {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(digits(y)? as i32, digits(m)? as u32, digits(d)? as u32)?;
    (date.year() >= 1).then(|| date.num_days_from_ce() - EPOCH_FROM_CE)
}

/// The inverse of [`parse_date`]; a day outside the calendar is shown by its number.
pub fn format_date(day: i32) -> String {
    match day.checked_add(EPOCH_FROM_CE).and_then(NaiveDate::from_num_days_from_ce_opt) {
        Some(date) => date.to_string(),
        None => format!("day {day}"),
    }
}

/// RFC 3339 with an offset, to the microsecond; no leap seconds.
pub fn parse_datetime(text: &str) -> Option<i64> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    let nanos = at.timestamp_subsec_nanos();
    if nanos >= 1_000_000_000 || nanos % 1_000 != 0 || !(1..=9999).contains(&at.year()) {
        return None;
    }
    Some(at.timestamp_micros())
}

/// The instant in the store's zone, `2026-07-01T09:30:00+08:00`.
pub fn format_datetime(micros: i64, zone: chrono_tz::Tz) -> String {
    match DateTime::from_timestamp_micros(micros) {
        Some(at) => at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, true),
        None => format!("instant {micros}"),
    }
}

/// `P7D`, `P3M`, `P1Y`, `P1Y6M`, `P2W`, with a leading `-` for the past; days and months do not mix.
pub fn parse_period(text: &str) -> Option<Period> {
    let (sign, rest) = signed(text);
    let (mut days, mut months) = (None::<i64>, None::<i64>);
    for (n, unit) in components(rest.strip_prefix('P')?, "YMWD")? {
        let (target, factor) = match unit {
            'Y' => (&mut months, 12),
            'M' => (&mut months, 1),
            'W' => (&mut days, 7),
            'D' => (&mut days, 1),
            _ => return None,
        };
        *target = Some(target.unwrap_or(0).checked_add(n.checked_mul(factor)?)?);
    }
    match (days, months) {
        (Some(d), None) if d <= MAX_DAYS => Some(Period::Days(sign * d)),
        (None, Some(m)) if m <= MAX_MONTHS => Some(Period::Months(sign * m)),
        _ => None,
    }
}

/// `P7D` or `P3M`; years are written as months, so that equal periods are equal texts.
pub fn format_period(period: Period) -> String {
    let (n, unit) = match period {
        Period::Days(n) => (n, 'D'),
        Period::Months(n) => (n, 'M'),
    };
    format!("{}P{}{unit}", if n < 0 { "-" } else { "" }, n.unsigned_abs())
}

/// `PT24H`, `PT1H30M`, `PT45S`, with a leading `-` for the past: seconds.
pub fn parse_duration(text: &str) -> Option<i64> {
    let (sign, rest) = signed(text);
    let mut seconds = 0i64;
    for (n, unit) in components(rest.strip_prefix("PT")?, "HMS")? {
        let factor = match unit {
            'H' => 3_600,
            'M' => 60,
            'S' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(n.checked_mul(factor)?)?;
    }
    (seconds <= MAX_SECONDS).then_some(sign * seconds)
}

/// The inverse of [`parse_duration`], in the largest parts.
pub fn format_duration(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let n = seconds.unsigned_abs();
    let mut out = format!("{sign}PT");
    for (amount, unit) in [(n / 3_600, 'H'), (n / 60 % 60, 'M'), (n % 60, 'S')] {
        if amount > 0 || (n == 0 && unit == 'S') {
            out.push_str(&format!("{amount}{unit}"));
        }
    }
    out
}

fn signed(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    }
}

/// Plain digits, at most 12 of them.
fn digits(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 12 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// `1Y6M` as (1, Y), (6, M): at least one, each unit at most once, in the order that `units` lists them.
fn components(text: &str, units: &str) -> Option<Vec<(i64, char)>> {
    let mut found = Vec::new();
    let (mut rest, mut left) = (text, units);
    while !rest.is_empty() {
        let at = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at_checked(at)?;
        let unit = tail.chars().next()?;
        left = left.split_once(unit)?.1;
        rest = tail.strip_prefix(unit)?;
        found.push((digits(number)?, unit));
    }
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_strict() {
        assert_eq!(parse_date("1970-01-01"), Some(0));
        assert_eq!(format_date(parse_date("2026-07-01").unwrap()), "2026-07-01");
        for bad in
            ["2026-7-1", "2026-02-29", "0000-01-01", "2026-07-01 ", "20260701", "２026-07-01", "+026-07-01"]
        {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn instants_need_an_offset() {
        let at = parse_datetime("2026-07-01T09:30:00+08:00").unwrap();
        assert_eq!(format_datetime(at, chrono_tz::Asia::Shanghai), "2026-07-01T09:30:00+08:00");
        assert_eq!(parse_datetime("2026-07-01T09:30:00"), None);
        assert_eq!(parse_datetime("2026-06-30T23:59:60Z"), None);
        assert_eq!(parse_datetime("2026-06-30T23:59:59.1234567Z"), None);
    }

    #[test]
    fn periods_and_durations_round_trip() {
        assert_eq!(parse_period("P1Y6M"), Some(Period::Months(18)));
        assert_eq!(parse_period("-P2W"), Some(Period::Days(-14)));
        for bad in ["P", "P1Y2D", "P1M1M", "P7", "7D", "PT1H", "P1.5D", "P99999999D", "P6M1Y"] {
            assert_eq!(parse_period(bad), None, "{bad}");
        }
        assert_eq!(parse_duration("PT1H30M"), Some(5_400));
        for text in ["PT24H", "PT1H30M", "PT45S", "PT0S", "-PT1M"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
        for bad in ["PT", "P1D", "PT1M1H", "PT1D", "PT1H1H"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }
}
