//! A second before, at, and after a moment that counts, and a cent about an amount that does: what was told and recorded
//! there is what it has to be, worked out here once more; and how often each of them was met.
use crate::memory::Rows;
use crate::play::{Play, YEAR_END};
use crate::trace::Ran;
use crate::world::SECOND;
use sea_orm::prelude::Uuid;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use zhanggui::program::iso::format_date;

const DAY: i64 = 86_400 * SECOND;
/// Shanghai is eight hours ahead.
const AHEAD: i64 = 8 * 3_600 * SECOND;
/// The most that a department supervisor approves, in cents.
const LIMIT: i64 = 30_000;

/// How often each side of a bound was met: just before, at, just after.
#[derive(Debug, Default)]
pub struct Met(BTreeMap<&'static str, [u64; 3]>);

impl Met {
    fn note(&mut self, what: &'static str, off: i64, step: i64) {
        let sides = self.0.entry(what).or_default();
        if let Some(at) = [-step, 0, step].iter().position(|side| *side == off) {
            sides[at] += 1;
        }
    }
    /// Every side of every bound was met.
    pub fn all(&self) {
        assert_eq!(self.0.len(), 8, "{self}");
        assert!(self.0.values().flatten().all(|n| *n > 0), "{self}");
    }
}

impl fmt::Display for Met {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "before, at, after: ")?;
        self.0.iter().try_for_each(|(what, sides)| write!(f, "{what} {sides:?}; "))
    }
}

fn day_of(instant: i64) -> i32 {
    (instant + AHEAD).div_euclid(DAY) as i32
}

fn end_of(day: i32) -> i64 {
    i64::from(day + 1) * DAY - AHEAD
}

pub fn look(rows: &Rows, ran: &[Ran], play: &Play, met: &mut Met, seed: u64) {
    sales(rows, met, seed);
    lots(rows, met, seed);
    for one in ran {
        let told: Value = serde_json::from_str(&one.body).unwrap_or_default();
        let code = told["code"].as_str().unwrap_or_default();
        let at = format!("seed {seed}, {}: {}", one.name, one.body);
        // The year's end.
        if one.status == 202 || code == "year-not-over" {
            assert_eq!(one.status == 202, one.now >= YEAR_END, "{at}");
            met.note("settlement", one.now - YEAR_END, SECOND);
        }
        if let Some(end) = play.ends.get(&one.name) {
            ending(one, code, *end, met, &at);
        }
        if told.get("verdict").is_some() && told.get("totals").is_some() {
            let when = play.moments.get(&one.name).copied().unwrap_or(one.now);
            looked_at(rows, &told, when, met, &at);
        }
    }
    for given in rows.approvals.values() {
        let high = given.role != "supervisor";
        assert_eq!(given.verdict == "allow", high || given.amount <= LIMIT, "seed {seed}: {given:?}");
        met.note("amount approved", given.amount - LIMIT, 1);
    }
}

/// What builds on a ticket or a hold can be done as long as that lasts, and no longer.
fn ending(one: &Ran, code: &str, end: i64, met: &mut Met, at: &str) {
    if matches!(code, "hold-expired" | "ticket-expired") {
        assert!(one.now >= end, "{at}");
    } else if one.status < 300 {
        assert!(one.now < end, "{at}");
    } else {
        return;
    }
    let hold = code == "hold-expired" || one.body.contains("\"hold\"");
    met.note(if hold { "hold's end" } else { "ticket's end" }, one.now - end, SECOND);
}

/// A sale has the date of its moment: on its row, in what its policies were asked, and on its points.
fn sales(rows: &Rows, met: &mut Met, seed: u64) {
    let mut asked: BTreeMap<Uuid, Vec<Value>> = BTreeMap::new();
    for decision in rows.decisions.values().filter(|d| d.cause == "sale") {
        let facts: Value = serde_json::from_str(&decision.facts).unwrap();
        asked.entry(decision.cause_id.unwrap()).or_default().push(facts["receipt"]["date"].clone());
    }
    for sale in rows.sales.values() {
        let day = day_of(sale.occurred_at);
        assert_eq!(sale.business_date, day, "seed {seed}: {sale:?}");
        let dates = asked.get(&sale.id).into_iter().flatten();
        assert!(dates.clone().all(|date| *date == format_date(day)), "seed {seed}: {sale:?}: {dates:?}");
        let mut lots =
            rows.lots.values().filter(|lot| lot.cause_id == Some(sale.id) && lot.moved_from.is_none());
        assert!(lots.all(|lot| lot.earned_on == day), "seed {seed}: {sale:?}");
        met.note("year's end", sale.occurred_at - YEAR_END, SECOND);
    }
}

/// Points are spent through the last second of their last day, and written off from the next one on.
fn lots(rows: &Rows, met: &mut Met, seed: u64) {
    for entry in rows.entries.values() {
        let Some(lot) = entry.lot_id else { continue };
        let lot = &rows.lots[&(entry.member_id, entry.ledger.clone(), lot)];
        let movement = &rows.movements[&entry.movement_id];
        let Some(last) = lot.expires_on else { continue };
        let spent = matches!(movement.kind.as_str(), "spend" | "hold");
        if spent || movement.kind == "expire" {
            assert_eq!(spent, movement.business_date <= last, "seed {seed}: {movement:?}, {lot:?}");
            met.note("lot's end", movement.occurred_at - end_of(last), SECOND);
        }
    }
}

/// What a return comes to: allowed within its window, and approved by whom its amount needs.
fn looked_at(rows: &Rows, told: &Value, when: i64, met: &mut Met, at: &str) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let day = day_of(when);
    assert_eq!(text(&told["business_date"]), format_date(day), "{at}");
    let Some(sale) = text(&told["sale"]).parse::<Uuid>().ok().and_then(|id| rows.sales.get(&id)) else {
        return;
    };
    for line in told["lines"].as_array().unwrap() {
        let Some(last) = line["last_day"].as_str() else { continue };
        let within = sale.first_date <= day && format_date(day).as_str() <= last;
        assert_eq!(text(&line["verdict"]) != "deny", within, "{at}");
        let last = (sale.first_date..sale.first_date + 400).find(|day| format_date(*day) == last).unwrap();
        met.note("return window's end", when - end_of(last), SECOND);
    }
    if told["remedy"] == "money_back" && told["remedy_offered"] == true {
        let amount: i64 = text(&told["totals"]["to_approve"]).replace('.', "").parse().unwrap();
        let needed = if amount <= LIMIT { "supervisor" } else { "operations_manager" };
        assert_eq!(text(&told["approver"]), needed, "{at}");
        met.note("amount looked at", amount - LIMIT, 1);
    }
}
