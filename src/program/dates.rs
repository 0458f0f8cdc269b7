//! Dates as whole numbers: days since 1970-01-01 and microseconds since 1970-01-01T00:00Z, in and out.
//!
//! Both evaluators use these functions, so a date means the same to both. `None` means that the result would leave
//! the years 1 to 9999.
use crate::lang::typed::{CalendarDef, Period};
use chrono::{DateTime, Datelike, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;

/// 0001-01-01.
pub const FIRST_DAY: i32 = -719_162;
/// 9999-12-31.
pub const LAST_DAY: i32 = 2_932_896;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
const MICROS_PER_DAY: i64 = SECONDS_PER_DAY * MICROS_PER_SECOND;
/// Days between 0001-01-01 (chrono's day 1) and 1970-01-01.
const EPOCH_FROM_CE: i32 = 719_163;

fn naive(day: i32) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(day.checked_add(EPOCH_FROM_CE)?)
}

fn in_range(day: i64) -> Option<i32> {
    let day = i32::try_from(day).ok()?;
    (FIRST_DAY..=LAST_DAY).contains(&day).then_some(day)
}

/// The day of a year, month and day of the month.
pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<i32> {
    let date = NaiveDate::from_ymd_opt(year, month, day)?;
    in_range(i64::from(date.num_days_from_ce()) - i64::from(EPOCH_FROM_CE))
}

/// Year, month and day of the month.
pub fn to_ymd(day: i32) -> (i32, u32, u32) {
    // Days outside chrono's range cannot occur: facts, literals and results lie within years 1 to 9999.
    naive(day).map_or((1970, 1, 1), |d| (d.year(), d.month(), d.day()))
}

/// The day number of the last day of a month.
pub fn last_of_month(year: i32, month: u32) -> u32 {
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    NaiveDate::from_ymd_opt(year, month, 1).and_then(|d| d.pred_opt()).map_or(31, |d| d.day())
}

/// So many days later (earlier if negative).
pub fn add_days(day: i32, days: i64) -> Option<i32> {
    in_range(i64::from(day).checked_add(days)?)
}

/// So many months later; a day that the month does not have becomes its last.
pub fn add_months(day: i32, months: i64) -> Option<i32> {
    let (year, month, dom) = to_ymd(day);
    let at = (i64::from(year) * 12 + i64::from(month) - 1).checked_add(months)?;
    let year = i32::try_from(at.div_euclid(12)).ok()?;
    if !(1..=9999).contains(&year) {
        return None;
    }
    let month = at.rem_euclid(12) as u32 + 1;
    from_ymd(year, month, dom.min(last_of_month(year, month)))
}

/// A period later.
pub fn add_period(day: i32, period: Period) -> Option<i32> {
    match period {
        Period::Days(n) => add_days(day, n),
        Period::Months(n) => add_months(day, n),
    }
}

/// Whole months from `a` to `b`; mirrored if `b` is earlier.
pub fn months_between(a: i32, b: i32) -> i64 {
    if b < a {
        return -months_between(b, a);
    }
    let (ya, ma, _) = to_ymd(a);
    let (yb, mb, _) = to_ymd(b);
    let months = (i64::from(yb) - i64::from(ya)) * 12 + i64::from(mb) - i64::from(ma);
    // The last month counts only if its (clamped) day has been reached. `None` lies beyond 9999, so beyond `b`.
    match add_months(a, months) {
        Some(reached) if reached <= b => months,
        _ => months - 1,
    }
}

/// Whole years from `a` to `b`; mirrored if `b` is earlier.
pub fn years_between(a: i32, b: i32) -> i64 {
    months_between(a, b) / 12
}

/// 1 for Monday up to 7 for Sunday.
pub fn weekday(day: i32) -> i32 {
    // 1970-01-01 was a Thursday.
    (i64::from(day) + 3).rem_euclid(7) as i32 + 1
}

/// A span of the calendar that a day lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Week,
    Month,
    Quarter,
    Year,
}

/// The first day of the week (Monday), month, quarter or year that `day` lies in.
pub fn start_of(unit: Unit, day: i32) -> Option<i32> {
    let (year, month, _) = to_ymd(day);
    match unit {
        Unit::Week => add_days(day, 1 - i64::from(weekday(day))),
        Unit::Month => from_ymd(year, month, 1),
        Unit::Quarter => from_ymd(year, (month - 1) / 3 * 3 + 1, 1),
        Unit::Year => from_ymd(year, 1, 1),
    }
}

/// The last day of the week (Sunday), month, quarter or year that `day` lies in.
pub fn end_of(unit: Unit, day: i32) -> Option<i32> {
    let (year, month, _) = to_ymd(day);
    match unit {
        Unit::Week => add_days(day, 7 - i64::from(weekday(day))),
        Unit::Month => from_ymd(year, month, last_of_month(year, month)),
        Unit::Quarter => {
            let last = (month - 1) / 3 * 3 + 3;
            from_ymd(year, last, last_of_month(year, last))
        }
        Unit::Year => from_ymd(year, 12, 31),
    }
}

/// The same month and day in another year; 29 Feb becomes 28 Feb.
pub fn anniversary(day: i32, year: i64) -> Option<i32> {
    let (_, month, dom) = to_ymd(day);
    let year = i32::try_from(year).ok()?;
    from_ymd(year, month, dom.min(last_of_month(year, month)))
}

/// The first open day on or after `day`.
pub fn next_workday(calendar: &CalendarDef, day: i32) -> Option<i32> {
    let mut at = in_range(i64::from(day))?;
    // Ends: closed days are finite, and within any week some day is open.
    while !calendar.is_open(at) {
        at = add_days(at, 1)?;
    }
    Some(at)
}

/// How far local time is ahead of UTC at an instant, in seconds.
fn offset_at(zone: Tz, seconds: i64) -> i64 {
    match DateTime::from_timestamp(seconds, 0) {
        Some(t) => i64::from(zone.offset_from_utc_datetime(&t.naive_utc()).fix().local_minus_utc()),
        None => 0,
    }
}

/// Local time (microseconds since 1970-01-01T00:00 on the store's clocks) of an instant.
fn to_local(zone: Tz, instant: i64) -> i64 {
    let seconds = instant.div_euclid(MICROS_PER_SECOND);
    instant.saturating_add(offset_at(zone, seconds) * MICROS_PER_SECOND)
}

/// The instant of a local time: one that does not exist moves forward over the gap, of two the earlier is taken.
fn from_local(zone: Tz, local: i64) -> i64 {
    let seconds = local.div_euclid(MICROS_PER_SECOND);
    // The offsets a day before and after: no zone changes twice within two days.
    let before = offset_at(zone, seconds - SECONDS_PER_DAY);
    let after = offset_at(zone, seconds + SECONDS_PER_DAY);
    let instant = |offset: i64| local.saturating_sub(offset * MICROS_PER_SECOND);
    let fits = |offset: i64| to_local(zone, instant(offset)) == local;
    // Where both fit, the offset before gives the earlier instant; in a gap it lands as far beyond as the gap is wide.
    if !fits(before) && fits(after) { instant(after) } else { instant(before) }
}

fn checked_instant(zone: Tz, instant: i64) -> Option<i64> {
    in_range(to_local(zone, instant).div_euclid(MICROS_PER_DAY)).map(|_| instant)
}

/// The business date of an instant: the local date of the instant minus the start of the business day.
pub fn date_of(zone: Tz, business_day_start: u32, instant: i64) -> Option<i32> {
    let shifted = instant.checked_sub(i64::from(business_day_start) * MICROS_PER_SECOND)?;
    in_range(to_local(zone, shifted).div_euclid(MICROS_PER_DAY))
}

/// The instant at which a business day begins.
pub fn start_of_day(zone: Tz, business_day_start: u32, day: i32) -> Option<i64> {
    let local = i64::from(day) * MICROS_PER_DAY + i64::from(business_day_start) * MICROS_PER_SECOND;
    checked_instant(zone, from_local(zone, local))
}

/// The first instant after a business day.
pub fn end_of_day(zone: Tz, business_day_start: u32, day: i32) -> Option<i64> {
    start_of_day(zone, business_day_start, add_days(day, 1)?)
}

/// An instant moved by a period: the local date moves, the local time stays.
pub fn instant_add_period(zone: Tz, instant: i64, period: Period) -> Option<i64> {
    let local = to_local(zone, instant);
    let day = add_period(in_range(local.div_euclid(MICROS_PER_DAY))?, period)?;
    let moved = i64::from(day) * MICROS_PER_DAY + local.rem_euclid(MICROS_PER_DAY);
    checked_instant(zone, from_local(zone, moved))
}

/// An instant so many seconds later.
pub fn instant_add_seconds(zone: Tz, instant: i64, seconds: i64) -> Option<i64> {
    checked_instant(zone, instant.checked_add(seconds.checked_mul(MICROS_PER_SECOND)?)?)
}

/// Whole seconds from one instant to another, towards zero.
pub fn seconds_between(a: i64, b: i64) -> i64 {
    b.saturating_sub(a) / MICROS_PER_SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(y: i32, m: u32, day: u32) -> i32 {
        from_ymd(y, m, day).unwrap()
    }
    fn at(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
    }

    #[test]
    fn the_epoch_and_the_ends_of_time() {
        assert_eq!(d(1970, 1, 1), 0);
        assert_eq!(d(1, 1, 1), FIRST_DAY);
        assert_eq!(d(9999, 12, 31), LAST_DAY);
        assert_eq!(add_days(LAST_DAY, 1), None);
        assert_eq!(add_days(FIRST_DAY, -1), None);
        assert_eq!(add_months(LAST_DAY, 1), None);
        assert_eq!(add_days(0, i64::MAX), None);
        assert_eq!(add_months(0, i64::MIN), None);
        assert_eq!(end_of(Unit::Week, LAST_DAY), None);
        assert_eq!(anniversary(0, 0), None);
        assert_eq!(anniversary(0, i64::MAX), None);
    }

    #[test]
    fn months_clamp_to_the_last_day() {
        assert_eq!(add_months(d(2026, 1, 31), 1), Some(d(2026, 2, 28)));
        assert_eq!(add_months(d(2024, 1, 31), 1), Some(d(2024, 2, 29)));
        assert_eq!(add_months(d(2026, 3, 31), -1), Some(d(2026, 2, 28)));
        assert_eq!(add_months(d(2024, 2, 29), 12), Some(d(2025, 2, 28)));
        assert_eq!(add_months(d(2026, 12, 15), 1), Some(d(2027, 1, 15)));
        assert_eq!(add_period(d(2026, 1, 31), Period::Days(1)), Some(d(2026, 2, 1)));
    }

    #[test]
    fn whole_months_and_years() {
        assert_eq!(months_between(d(2026, 1, 15), d(2026, 2, 14)), 0);
        assert_eq!(months_between(d(2026, 1, 15), d(2026, 2, 15)), 1);
        assert_eq!(months_between(d(2026, 1, 31), d(2026, 2, 28)), 1);
        assert_eq!(months_between(d(2026, 2, 15), d(2026, 1, 15)), -1);
        assert_eq!(months_between(d(2026, 2, 14), d(2026, 1, 15)), 0);
        assert_eq!(years_between(d(2024, 2, 29), d(2025, 2, 28)), 1);
        assert_eq!(years_between(d(2024, 3, 1), d(2025, 2, 28)), 0);
        assert_eq!(years_between(d(2026, 1, 1), d(2024, 1, 2)), -1);
    }

    #[test]
    fn weeks_start_on_monday() {
        let wednesday = d(2026, 7, 1);
        assert_eq!(weekday(wednesday), 3);
        assert_eq!(start_of(Unit::Week, wednesday), Some(d(2026, 6, 29)));
        assert_eq!(end_of(Unit::Week, wednesday), Some(d(2026, 7, 5)));
        assert_eq!(weekday(d(1969, 12, 28)), 7);
        assert_eq!(start_of(Unit::Quarter, d(2026, 12, 31)), Some(d(2026, 10, 1)));
        assert_eq!(end_of(Unit::Quarter, d(2026, 1, 1)), Some(d(2026, 3, 31)));
        assert_eq!(end_of(Unit::Month, d(2024, 2, 1)), Some(d(2024, 2, 29)));
        assert_eq!(end_of(Unit::Year, d(2024, 2, 1)), Some(d(2024, 12, 31)));
        assert_eq!(start_of(Unit::Month, d(2024, 2, 29)), Some(d(2024, 2, 1)));
        assert_eq!(start_of(Unit::Year, d(2024, 2, 29)), Some(d(2024, 1, 1)));
    }

    #[test]
    fn anniversaries_of_29_february() {
        assert_eq!(anniversary(d(2024, 2, 29), 2026), Some(d(2026, 2, 28)));
        assert_eq!(anniversary(d(2024, 2, 29), 2028), Some(d(2028, 2, 29)));
    }

    #[test]
    fn the_next_workday_passes_holidays_and_honours_open_weekends() {
        let calendar = CalendarDef {
            name: "c".into(),
            weekends_open: false,
            closed: (d(2026, 10, 1)..=d(2026, 10, 7)).collect(),
            open: vec![d(2026, 10, 10)],
        };
        assert_eq!(next_workday(&calendar, d(2026, 10, 1)), Some(d(2026, 10, 8)));
        assert_eq!(next_workday(&calendar, d(2026, 10, 10)), Some(d(2026, 10, 10)));
        assert_eq!(next_workday(&calendar, d(2026, 10, 11)), Some(d(2026, 10, 12)));
    }

    #[test]
    fn business_days_of_a_zone() {
        let shanghai = chrono_tz::Asia::Shanghai;
        assert_eq!(date_of(shanghai, 0, at("2026-07-01T16:00:00Z")), Some(d(2026, 7, 2)));
        assert_eq!(date_of(shanghai, 0, at("2026-07-01T15:59:59Z")), Some(d(2026, 7, 1)));
        assert_eq!(date_of(shanghai, 7200, at("2026-07-01T17:59:59Z")), Some(d(2026, 7, 1)));
        assert_eq!(start_of_day(shanghai, 7200, d(2026, 7, 2)), Some(at("2026-07-01T18:00:00Z")));
        assert_eq!(end_of_day(shanghai, 0, d(2026, 7, 1)), Some(at("2026-07-01T16:00:00Z")));
    }

    #[test]
    fn clocks_that_change() {
        let berlin = chrono_tz::Europe::Berlin;
        // 02:30 does not exist on 29 March 2026: it moves forward over the gap.
        let gap = instant_add_period(berlin, at("2026-03-28T02:30:00+01:00"), Period::Days(1));
        assert_eq!(gap, Some(at("2026-03-29T03:30:00+02:00")));
        // 02:30 comes twice on 25 October 2026: the earlier is taken.
        let twice = instant_add_period(berlin, at("2026-10-24T02:30:00+02:00"), Period::Days(1));
        assert_eq!(twice, Some(at("2026-10-25T02:30:00+02:00")));
        // The local time stays over the change.
        let over = instant_add_period(berlin, at("2026-03-28T12:00:00+01:00"), Period::Days(1));
        assert_eq!(over, Some(at("2026-03-29T12:00:00+02:00")));
        // Samoa left out a whole day.
        let apia = chrono_tz::Pacific::Apia;
        let skipped = instant_add_period(apia, at("2011-12-29T10:00:00-10:00"), Period::Days(1));
        assert_eq!(skipped, Some(at("2011-12-31T10:00:00+14:00")));
        assert_eq!(seconds_between(at("2026-01-01T00:00:00Z"), at("2025-12-31T23:59:58.5Z")), -1);
    }
}
