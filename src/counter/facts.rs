//! Facts `from records`, in the retail vocabulary's words; a chain's own vocabulary takes those of them that it has.
use crate::counter::desk::Desk;
use crate::counter::members::records_of;
use crate::lang::typed::{Ty, Vocab};
use crate::program::dates::to_ymd;
use crate::program::iso::format_date;
use crate::records::entity::{member, person, sale, sale_line};
use crate::records::{PastReturn, Stop, Unit, Want};
use sea_orm::prelude::Uuid;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The value without the fields that its entity does not have.
pub fn fitting(vocab: &Vocab, ty: &Ty, value: Value) -> Value {
    match (ty.inner(), value) {
        (Ty::Entity(id), Value::Object(fields)) => {
            let Some(entity) = vocab.entities.get(id.ix()) else { return Value::Object(fields) };
            let kept = fields.into_iter().filter_map(|(name, value)| {
                let field = entity.fields.iter().find(|f| f.name == name)?;
                Some((name, fitting(vocab, &field.ty, value)))
            });
            Value::Object(kept.collect())
        }
        (Ty::List(of) | Ty::Set(of), Value::Array(items)) => {
            items.into_iter().map(|item| fitting(vocab, of, item)).collect()
        }
        (_, value) => value,
    }
}

/// A date as facts have it.
pub fn date(day: i32) -> Value {
    format_date(day).into()
}

/// A date that may be absent.
pub fn maybe_date(day: Option<i32>) -> Value {
    day.map_or(Value::Null, date)
}

/// That a name, a telephone number or an address was given, without what it is: a policy asks only whether it is there,
/// and what is decided on stands in the hash chain for ever, where erasing a person could not reach it.
pub fn stated(personal: Option<&str>) -> Value {
    personal.filter(|text| !text.trim().is_empty()).map_or(Value::Null, |_| "stated".into())
}

/// The calendar year of a day.
pub fn year_of(day: i32) -> i32 {
    to_ymd(day).0
}

/// A member as facts have it.
pub fn member(member: &member::Model, person: Option<&person::Model>) -> Value {
    json!({
        "number": member.number,
        "tier": member.tier,
        "birthday": maybe_date(person.and_then(|p| p.birthday)),
        "address": stated(person.and_then(|p| p.address.as_deref())),
    })
}

/// The receipt of a recorded sale, as it was then.
pub fn receipt(sale: &sale::Model, number: Option<&str>) -> Value {
    let member = number.map(|number| {
        json!({ "number": number, "tier": sale.tier, "birthday": maybe_date(sale.birthday), "address": null })
    });
    json!({
        "date": date(sale.first_date),
        "channel": sale.channel,
        "signed_for": maybe_date(sale.signed_for),
        "on_record": true,
        "invoiced": sale.invoice.is_some(),
        "member": member,
        "card_presented": sale.card_presented,
    })
}

/// A line, or the part of it with `quantity` units for which `paid` was paid.
pub fn line(
    desk: &Desk,
    line: &sale_line::Model,
    quantity: i32,
    paid: i64,
    rebate_used: i64,
) -> Map<String, Value> {
    let money = desk.currency();
    let facts = json!({
        "area": line.area,
        "category": line.category,
        "counter": line.counter,
        "quantity": quantity,
        "list_price": money.text(line.list_price),
        "shelf_price": money.text(line.shelf_price),
        "member_discount": line.member_discount,
        "paid": money.text(paid),
        "rebate_used": money.text(rebate_used),
        "bulk": line.bulk,
        "returned": false,
        "returning": false,
    });
    match facts {
        Value::Object(facts) => facts,
        _ => Map::new(),
    }
}

/// What the records know of a member, and of the records merged into it, on a date: balances, spend, gifts. Loads what it
/// needs.
pub fn of_member(desk: &Desk, unit: &Unit, id: Uuid, today: i32) -> Result<Map<String, Value>, Stop> {
    let (year, money, points) = (year_of(today), desk.currency(), desk.points());
    let last_year = crate::program::dates::add_months(today, -12).unwrap_or(today);
    let wants =
        |id| [Want::Member(id), Want::Days(id, year), Want::Days(id, year - 1), Want::Gifts(id, year)];
    unit.need_all([&wants(id)[..], &[Want::Merged(id)]].concat())?;
    let records = records_of(unit, id)?;
    unit.need_all(records.iter().flat_map(|of| wants(*of)).collect())?;
    let days = |from, to| records.iter().flat_map(move |of| unit.days(*of, from, to));
    let mut facts = Map::new();
    for ledger in desk.point_ledgers() {
        let balance = unit.account(id, &ledger).available;
        facts.insert(format!("{ledger}_balance"), points.text(balance).into());
    }
    let first = crate::program::dates::from_ymd(year, 1, 1).unwrap_or(today);
    let last = crate::program::dates::from_ymd(year, 12, 31).unwrap_or(today);
    let net = |from, to| -> i64 { days(from, to).map(|d| d.spent - d.returned).sum() };
    facts.insert("member_spend".into(), json!([{ "year": year, "value": money.text(net(first, last)) }]));
    facts.insert("spend_on".into(), json!([{ "day": date(today), "value": money.text(net(today, today)) }]));
    // The first ledger is the one that a year is settled by, too.
    let first = desk.point_ledgers().into_iter().next().unwrap_or_default();
    let earned: i64 = days(last_year + 1, today).filter(|d| d.area == first).map(|d| d.earned).sum();
    facts.insert("year_points".into(), points.text(earned).into());
    let gift = |of: &Uuid| unit.t.gift_issues.get(&(*of, "birthday".to_owned(), year)).is_some();
    let gifts = records.iter().filter(|of| gift(of)).count();
    facts.insert("birthday_gifts".into(), json!([{ "year": year, "value": gifts }]));
    Ok(facts)
}

/// How far back a member's purchases and returns are shown, in days.
const RECENT: i32 = 180;

/// What a member bought and brought back lately, for plugins: only where they are asked, since it is much. Loads what it
/// needs.
pub fn history(desk: &Desk, unit: &Unit, id: Uuid, today: i32) -> Result<Map<String, Value>, Stop> {
    let (since, year, money) = (today - RECENT, year_of(today), desk.currency());
    let records = records_of(unit, id)?;
    let wants = |id| [Want::Returned(id, since), Want::Days(id, year), Want::Days(id, year - 1)];
    unit.need_all(records.iter().flat_map(|of| wants(*of)).collect())?;
    // Words that were written down under older texts may be none of this vocabulary.
    let vocab = &desk.program().linked().rulebook.vocab;
    let reasons = vocab.roots.iter().find(|r| r.name == "recent_returns").and_then(|r| match r.ty.inner() {
        Ty::List(of) => match of.inner() {
            Ty::Entity(id) => vocab.entities.get(id.ix())?.fields.iter().find(|f| f.name == "reason"),
            _ => None,
        },
        _ => None,
    });
    let known = |word: &str| match reasons.map(|field| field.ty.inner()) {
        Some(Ty::Enum(id)) => {
            vocab.enums.get(id.ix()).is_some_and(|e| e.members.iter().any(|m| m.name == word))
        }
        Some(_) => !word.is_empty(),
        None => false,
    };
    let past = |r: &PastReturn| {
        json!({
            "date": date(r.date),
            "bought_on": maybe_date(r.bought_on),
            "refund": money.text(r.refund),
            "reason": Some(&r.reason).filter(|reason| known(reason)),
        })
    };
    let mut all: Vec<PastReturn> = records.iter().flat_map(|of| unit.past_returns(*of, since)).collect();
    all.sort_by_key(|r| (r.date, r.id));
    let returns: Vec<Value> = all.iter().map(past).collect();
    let mut spent: BTreeMap<i32, i64> = BTreeMap::new();
    for day in records.iter().flat_map(|of| unit.days(*of, since, today)) {
        *spent.entry(day.date).or_default() += day.spent;
    }
    let purchases = spent.into_iter().filter(|(_, paid)| *paid > 0);
    let purchases: Vec<Value> =
        purchases.map(|(day, paid)| json!({ "date": date(day), "paid": money.text(paid) })).collect();
    let mut facts = Map::new();
    facts.insert("recent_returns".into(), returns.into());
    facts.insert("recent_purchases".into(), purchases.into());
    Ok(facts)
}
