//! `member.birthday`: an event for each active member on the birthday, once a year, for whoever sends a card.
//!
//! It begins with the day at the store where the member was enrolled. Who was born on 29 February has it on the 28th in
//! other years. It tells the member's number and tier, and nothing else of the person.
use crate::counter::Desk;
use crate::program::iso::format_date;
use crate::records::entity::{event, member};
use crate::records::plugins::birthdays;
use crate::records::{Clock as _, SystemClock, ids};
use crate::rulebook::{Registry, Rulebooks};
use crate::server::problem::Problem;
use crate::server::records::Records;
use chrono::{Datelike as _, NaiveDate};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How often is looked whether a day has begun somewhere.
const EVERY: Duration = Duration::from_secs(900);
/// Members that are looked at at once.
const PAGE: u64 = 500;
/// Nobody is older.
const OLDEST: i32 = 150;

/// Tells the birthdays of today, now and whenever a day begins.
pub async fn keep_telling(records: Records, registry: Arc<Registry>, say: fn(&str)) {
    loop {
        if let Err(problem) = tell(&records, &registry.current(), SystemClock.now()).await {
            say(&format!("birthdays could not be told: {problem}"));
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn tell(records: &Records, books: &Arc<Rulebooks>, now: i64) -> Result<(), Problem> {
    let mut stores: BTreeMap<String, i32> = BTreeMap::new();
    for store in books.store_ids() {
        let desk = Desk::at(books.clone(), store);
        if let Some(when) = desk.ok().and_then(|desk| desk.date_at(now).ok()) {
            stores.insert(store.to_owned(), when.date);
        }
    }
    let dates: BTreeSet<i32> = stores.values().copied().collect();
    for date in dates {
        let days = birthdays_on(date);
        let mut after = None;
        loop {
            let asked = days.clone();
            let page =
                records.read(move |db| async move { birthdays::born_on(&db, &asked, after, PAGE).await });
            let (members, last) = page.await?;
            let here = members.iter().filter(|member| stores.get(&member.enrolled_store) == Some(&date));
            let events: Vec<event::Model> = here.map(|member| told(member, date, now)).collect();
            // Mostly there is nothing new: no need to wait for the right to write.
            let new = records.read(move |db| async move { birthdays::untold(&db, events).await }).await?;
            if !new.is_empty() {
                records.change(move |db| async move { birthdays::tell(&db, new).await }).await?;
            }
            match last {
                Some(last) => after = Some(last),
                None => break,
            }
        }
    }
    Ok(())
}

/// The id is the member's and the year's: it is told once.
fn told(member: &member::Model, date: i32, now: i64) -> event::Model {
    let year = civil(date).map_or(0, |day| day.year());
    event::Model {
        id: ids::named(&["event", "birthday", &member.number, &year.to_string()]),
        kind: "member.birthday".into(),
        store: member.enrolled_store.clone(),
        data: json!({ "member": member.number, "tier": member.tier, "date": format_date(date) }).to_string(),
        recorded_at: now,
    }
}

fn epoch() -> NaiveDate {
    NaiveDate::default()
}

/// Days since 1970-01-01 as a date.
fn civil(date: i32) -> Option<NaiveDate> {
    epoch().checked_add_signed(chrono::TimeDelta::days(i64::from(date)))
}

/// The days on which those were born whose birthday is on `date`.
fn birthdays_on(date: i32) -> Vec<i32> {
    let Some(today) = civil(date) else { return Vec::new() };
    let leap_day = (today.month(), today.day()) == (2, 28) && !today.leap_year();
    let mut days = Vec::new();
    for year in (today.year() - OLDEST)..=today.year() {
        let same = NaiveDate::from_ymd_opt(year, today.month(), today.day());
        let leap = if leap_day { NaiveDate::from_ymd_opt(year, 2, 29) } else { None };
        let born = same.into_iter().chain(leap).map(|day| (day - epoch()).num_days());
        days.extend(born.filter_map(|day| i32::try_from(day).ok()));
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> i32 {
        (NaiveDate::from_ymd_opt(year, month, day).unwrap() - epoch()).num_days() as i32
    }

    #[test]
    fn everybody_has_one_birthday_a_year() {
        for born in [day(1990, 2, 14), day(1960, 12, 31), day(1988, 2, 29), day(2000, 3, 1), day(1965, 2, 28)]
        {
            for year in [2023, 2024, 2025, 2100] {
                let days = day(year, 1, 1)..=day(year, 12, 31);
                let on: Vec<i32> = days.filter(|date| birthdays_on(*date).contains(&born)).collect();
                assert_eq!(on.len(), 1, "{born} in {year}");
            }
        }
        assert!(birthdays_on(day(2025, 2, 28)).contains(&day(1988, 2, 29)));
        assert!(!birthdays_on(day(2024, 2, 28)).contains(&day(1988, 2, 29)));
    }

    #[test]
    fn it_is_told_once_a_year_and_says_little() {
        let member = member::Model {
            id: ids::member("m1"),
            number: "m1".into(),
            status: "active".into(),
            merged_into: None,
            tier: Some("gold".into()),
            enrolled_store: "s1".into(),
            enrolled_on: 0,
            enrolled_at: 0,
            version: 1,
        };
        let one = told(&member, day(2026, 11, 22), 5);
        assert_eq!(one.data, r#"{"member":"m1","tier":"gold","date":"2026-11-22"}"#);
        assert_eq!(one.id, told(&member, day(2026, 11, 22), 9).id);
        assert_ne!(one.id, told(&member, day(2027, 11, 22), 9).id);
    }
}
