//! A sale: priced, discounts allocated, paid, points earned, tier looked at, terms of return printed.
mod request;

use crate::counter::allocate::by_weight;
use crate::counter::desk::{Desk, Ruling, When};
use crate::counter::members::{Customer, customer, tier_after};
use crate::counter::{facts, stored};
use crate::program::iso::{format_date, format_datetime, parse_date};
use crate::records::entity::{discount, event, member_day, sale, sale_gift, sale_line, sale_tender};
use crate::records::ledger::{Cause, Life, earn};
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want, ids};
use sea_orm::prelude::Uuid;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub use request::{
    DiscountRequest, GiftRequest, LineRequest, MAX_LINES, MAX_PARTS, SaleRequest, TenderRequest,
};

/// Records a sale.
#[derive(Clone, Debug)]
pub struct RecordSale {
    pub desk: Desk,
    pub request: SaleRequest,
    /// Set by an exchange: the return whose goods these replace, and the first purchase's date.
    pub exchange: Option<(Uuid, i32)>,
}

impl Operation for RecordSale {
    fn hints(&self) -> Vec<Want> {
        let mut wants = vec![Want::Rulebook(self.desk.digest()), Want::Store(self.desk.store().to_owned())];
        wants.extend(self.request.card.clone().map(Want::Card));
        wants
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        let when = self.desk.when(unit, self.request.occurred_at.as_deref())?;
        let id = ids::sale(self.desk.store(), &self.request.terminal, &self.request.receipt, when.date);
        unit.need_all(self.first_wants(id))?;
        let body = self.record(unit, id, &when)?;
        Ok(Answer { status: 201, body: body.to_string() })
    }
}

/// What the lines come to before the money is taken.
struct Priced {
    unit_prices: Vec<i64>,
    /// Per line, discounts taken off.
    paid: Vec<i64>,
    discounts: Vec<i64>,
    total: i64,
    ruling: Option<Ruling>,
}

impl RecordSale {
    fn first_wants(&self, id: Uuid) -> Vec<Want> {
        let mut wants = self.hints();
        wants.push(Want::Sale(id));
        wants.extend(stored::wants(&self.request.tenders));
        wants
    }

    /// What the receipt comes to, in smallest units; nothing is recorded.
    pub fn total(&self, unit: &Unit, id: Uuid, when: &When) -> Result<i64, Stop> {
        self.check()?;
        let who = self.who(unit, when)?;
        let number = who.member.as_ref().map(|m| m.number.clone());
        let row = sale::Model { first_date: when.date, ..self.sale_row(id, when, &who, unit.now)? };
        let receipt = facts::receipt(&row, number.as_deref());
        Ok(self.price(&self.line_rows(id)?, &receipt, &who)?.total)
    }

    fn who(&self, unit: &Unit, when: &When) -> Result<Customer, Stop> {
        match &self.request.card {
            Some(card) => customer(unit, card, when.occurred_at),
            None => Ok(Customer::default()),
        }
    }

    /// Records the sale; returns what the till is told.
    pub fn record(&self, unit: &mut Unit, id: Uuid, when: &When) -> Result<Value, Stop> {
        let request = &self.request;
        if let Some(there) = unit.t.sales.get(&id) {
            let detail =
                format!("receipt {} of {} is recorded", there.receipt, format_date(there.business_date));
            let more = json!({ "sale": there.id });
            let refusal = Refusal::new(409, "receipt-recorded", "The receipt is recorded already", detail);
            return Err(refusal.at("receipt").with(more.to_string()).into());
        }
        self.check()?;
        let who = self.who(unit, when)?;
        let mut row = self.sale_row(id, when, &who, unit.now)?;
        let number = who.member.as_ref().map(|m| m.number.clone());
        let receipt =
            facts::receipt(&sale::Model { first_date: when.date, ..row.clone() }, number.as_deref());
        let mut lines = self.line_rows(id)?;
        let priced = self.price(&lines, &receipt, &who)?;
        row.total = priced.total;
        row.discount = priced.discounts.iter().sum();
        for (((line, unit_price), paid), discount) in
            lines.iter_mut().zip(&priced.unit_prices).zip(&priced.paid).zip(&priced.discounts)
        {
            (line.unit_price, line.paid, line.discount) = (*unit_price, *paid, *discount);
        }
        let tenders = self.tender_rows(id, priced.total)?;
        let rebate: i64 =
            tenders.iter().filter(|t| self.desk.money_ledgers().contains(&t.kind)).map(|t| t.amount).sum();
        for (line, part) in lines.iter_mut().zip(by_weight(rebate, &priced.paid)) {
            line.rebate_used = part;
        }
        let place =
            stored::Place { desk: &self.desk, when, actor: &request.actor, cause: "sale", cause_id: id };
        stored::take(unit, &place, who.member.as_ref(), &tenders)?;

        let earned = self.earn(unit, id, when, &receipt, &lines, &who)?;
        self.note_days(unit, when, &lines, &who, &earned)?;
        self.print_terms(&mut lines, &receipt, when)?;
        if let Some(ruling) = &priced.ruling {
            self.desk.log(unit, ruling, "sale", id, &request.actor)?;
        }
        for ((seq, gift), reference) in (0i32..).zip(&request.gifts).zip(gift_names(&request.gifts)) {
            unit.t.sale_gifts.put(sale_gift::Model {
                sale_id: id,
                seq,
                reference,
                threshold: gift
                    .threshold
                    .map(|t| self.desk.minor(t, &format!("gifts[{seq}].threshold")))
                    .transpose()?,
                worth: self.desk.minor(gift.worth, &format!("gifts[{seq}].worth"))?,
                state: "given".into(),
            });
        }
        for (seq, given) in (0i32..).zip(&request.discounts) {
            let amount = self.desk.minor(given.amount, &format!("discounts[{seq}].amount"))?;
            unit.t.discounts.put(discount::Model {
                sale_id: id,
                seq,
                reference: given.reference.clone(),
                amount,
            });
        }
        unit.t.sales.put(row.clone());
        lines.iter().cloned().for_each(|line| unit.t.sale_lines.put(line));
        tenders.into_iter().for_each(|tender| unit.t.sale_tenders.put(tender));
        let tier = match &who.member {
            Some(member) => tier_after(unit, &self.desk, member, when, id, &request.actor)?,
            None => None,
        };
        let told = self.told(unit, &row, &lines, &who, &earned, tier);
        unit.t.events.put(event::Model {
            id: ids::dated(when.date, &["event", "sale", &id.to_string()]),
            kind: "sale.recorded".into(),
            store: self.desk.store().to_owned(),
            data: told.to_string(),
            recorded_at: unit.now,
        });
        Ok(told)
    }

    fn check(&self) -> Result<(), Stop> {
        let request = &self.request;
        let refuse = |path: &str, detail: &str| {
            Err(Stop::Refused(Refusal::new(422, "malformed-sale", "The sale cannot be", detail).at(path)))
        };
        if request.lines.is_empty() || request.lines.len() > MAX_LINES {
            return refuse("lines", &format!("a receipt has 1 to {MAX_LINES} lines"));
        }
        for (name, count) in [
            ("discounts", request.discounts.len()),
            ("tenders", request.tenders.len()),
            ("gifts", request.gifts.len()),
        ] {
            if count > MAX_PARTS {
                return refuse(name, &format!("a receipt has at most {MAX_PARTS} {name}"));
            }
        }
        if let Some(at) = request.lines.iter().position(|l| l.area.len() > 100) {
            return refuse(&format!("lines[{at}].area"), "at most 100 characters");
        }
        if let Some(at) = request.lines.iter().position(|l| l.quantity < 1) {
            return refuse(&format!("lines[{at}].quantity"), "a quantity is at least 1");
        }
        let negative = |m: &crate::counter::Money| m.0.is_sign_negative();
        if let Some(at) =
            request.lines.iter().position(|l| negative(&l.list_price) || negative(&l.shelf_price))
        {
            return refuse(&format!("lines[{at}]"), "a price is not below zero");
        }
        if let Some(at) = request.tenders.iter().position(|t| negative(&t.amount)) {
            return refuse(&format!("tenders[{at}].amount"), "an amount is not below zero");
        }
        if let Some(at) = request.discounts.iter().position(|d| negative(&d.amount)) {
            return refuse(&format!("discounts[{at}].amount"), "an amount is not below zero");
        }
        if let Some(at) = request.gifts.iter().position(|g| negative(&g.worth)) {
            return refuse(&format!("gifts[{at}].worth"), "an amount is not below zero");
        }
        if let Some(at) = request.gifts.iter().position(|g| g.threshold.as_ref().is_some_and(negative)) {
            return refuse(&format!("gifts[{at}].threshold"), "an amount is not below zero");
        }
        for (name, text) in [("receipt", &request.receipt), ("terminal", &request.terminal)] {
            if text.is_empty() || text.len() > 100 {
                return refuse(name, "between 1 and 100 characters");
            }
        }
        Ok(())
    }

    fn sale_row(&self, id: Uuid, when: &When, who: &Customer, now: i64) -> Result<sale::Model, Stop> {
        let request = &self.request;
        let signed_for = match &request.signed_for {
            None => None,
            Some(text) => Some(parse_date(text).ok_or_else(|| {
                let detail = format!("{text:?} is not a date");
                Refusal::new(422, "malformed-sale", "The sale cannot be", detail).at("signed_for")
            })?),
        };
        Ok(sale::Model {
            id,
            store: self.desk.store().to_owned(),
            terminal: request.terminal.clone(),
            receipt: request.receipt.clone(),
            business_date: when.date,
            occurred_at: when.occurred_at,
            recorded_at: now,
            member_id: who.member.as_ref().map(|m| m.id),
            card: request.card.clone(),
            card_presented: who.counts,
            tier: who.tier.clone(),
            birthday: who.person.as_ref().and_then(|p| p.birthday),
            channel: request.channel.clone(),
            total: 0,
            discount: 0,
            first_date: self.exchange.map_or(when.date, |(_, first)| first),
            exchange_of: self.exchange.map(|(of, _)| of),
            signed_for,
            invoice: request.invoice.clone(),
            voided_by: None,
            digest: self.desk.digest(),
            actor: request.actor.clone(),
        })
    }

    fn line_rows(&self, sale_id: Uuid) -> Result<Vec<sale_line::Model>, Stop> {
        let row = |(line, l): (i32, &LineRequest)| {
            let at = format!("lines[{line}]");
            Ok(sale_line::Model {
                sale_id,
                line,
                sku: l.sku.clone(),
                area: l.area.clone(),
                category: l.category.clone(),
                season: l.season.clone(),
                counter: l.counter.clone(),
                quantity: l.quantity,
                list_price: self.desk.minor(l.list_price, &format!("{at}.list_price"))?,
                shelf_price: self.desk.minor(l.shelf_price, &format!("{at}.shelf_price"))?,
                unit_price: 0,
                discount: 0,
                paid: 0,
                rebate_used: 0,
                member_discount: l.member_discount,
                bulk: l.bulk,
                facts: Value::Object(l.facts.clone()).to_string(),
                points: "{}".into(),
                last_day: None,
                guarantee_end: None,
                returned: 0,
            })
        };
        (0i32..).zip(&self.request.lines).map(row).collect()
    }

    fn price(&self, lines: &[sale_line::Model], receipt: &Value, who: &Customer) -> Result<Priced, Stop> {
        let (money, given) = (self.desk.currency(), &self.request.discounts);
        let mut unit_prices: Vec<i64> = lines.iter().map(|l| l.shelf_price).collect();
        let mut totals: Vec<i64> = lines
            .iter()
            .map(|l| l.shelf_price.checked_mul(i64::from(l.quantity)).filter(|t| *t < 1 << 53))
            .collect::<Option<_>>()
            .ok_or_else(|| Refusal::new(422, "out-of-range", "A number is too large", "a line's total"))?;
        let mut ruling = None;
        if who.member.is_some() && self.desk.has("price") {
            let facts = lines.iter().zip(&totals).map(|(l, t)| facts::line(&self.desk, l, l.quantity, *t, 0));
            let known = json!({ "receipt": receipt, "lines": facts.collect::<Vec<_>>() });
            let decided = self.desk.decide("price", known, &Value::Null)?;
            (unit_prices, totals) =
                (decided.amounts("unit_pays", &money), decided.amounts("line_pays", &money));
            ruling = Some(decided);
        }
        let mut off = 0i64;
        for (i, discount) in given.iter().enumerate() {
            off += self.desk.minor(discount.amount, &format!("discounts[{i}].amount"))?;
        }
        let too_large = || {
            let detail = "the receipt's total is more than is kept";
            Refusal::new(422, "out-of-range", "A number is too large", detail).at("lines")
        };
        let before = totals.iter().try_fold(0i64, |sum, n| sum.checked_add(*n));
        let before = before.filter(|sum| *sum < 1 << 53).ok_or_else(too_large)?;
        if off > before {
            let detail = format!("discounts of {} on a receipt of {}", money.text(off), money.text(before));
            return Err(Refusal::new(422, "discounts-too-large", "More is taken off than there is", detail)
                .at("discounts")
                .into());
        }
        let discounts = by_weight(off, &totals);
        let paid: Vec<i64> = totals.iter().zip(&discounts).map(|(t, d)| t - d).collect();
        Ok(Priced { unit_prices, paid, discounts, total: before - off, ruling })
    }

    fn tender_rows(&self, sale_id: Uuid, total: i64) -> Result<Vec<sale_tender::Model>, Stop> {
        let mut rows = Vec::new();
        for (seq, t) in (0i32..).zip(&self.request.tenders) {
            let amount = self.desk.minor(t.amount, &format!("tenders[{seq}].amount"))?;
            let (kind, reference) = (t.kind.clone(), t.reference.clone());
            rows.push(sale_tender::Model { sale_id, seq, kind, reference, amount, refunded: 0 });
        }
        let given: i64 = rows.iter().map(|t| t.amount).sum();
        if given != total {
            let money = self.desk.currency();
            let detail =
                format!("the receipt comes to {}, the tenders to {}", money.text(total), money.text(given));
            let more = json!({ "total": money.text(total), "tendered": money.text(given) });
            let refusal = Refusal::new(422, "tenders-do-not-add-up", "The tenders are not the total", detail);
            return Err(refusal.at("tenders").with(more.to_string()).into());
        }
        Ok(rows)
    }

    /// Puts the points that the policy gives on the member's ledgers; returns them by ledger.
    fn earn(
        &self,
        unit: &mut Unit,
        id: Uuid,
        when: &When,
        receipt: &Value,
        lines: &[sale_line::Model],
        who: &Customer,
    ) -> Result<Vec<(String, i64)>, Stop> {
        let Some(member) = &who.member else { return Ok(Vec::new()) };
        if !self.desk.has("earn") {
            return Ok(Vec::new());
        }
        let points = self.desk.points();
        let facts = lines.iter().map(|l| facts::line(&self.desk, l, l.quantity, l.paid, l.rebate_used));
        let known = json!({ "receipt": receipt, "lines": facts.collect::<Vec<_>>() });
        let ruling = self.desk.decide("earn", known, &Value::Null)?;
        let mut earned = Vec::new();
        for ledger in self.desk.point_ledgers() {
            let amount = ruling.number(&format!("{ledger}_points"), &points);
            let life = Life {
                activates_on: ruling.date(&format!("{ledger}_usable_from")),
                expires_on: ruling.date(&format!("{ledger}_expires")),
            };
            let clause = ruling.clause(&format!("{ledger}_points"));
            let digest = self.desk.digest();
            let cause = Cause {
                member: member.id,
                ledger: &ledger,
                cause: "sale",
                cause_id: id,
                store: self.desk.store(),
                business_date: when.date,
                occurred_at: when.occurred_at,
                actor: &self.request.actor,
                clause: clause.as_deref(),
                digest: Some(&digest),
                reason: None,
            };
            earn(unit, &cause, amount, life)?;
            earned.push((ledger, amount));
        }
        self.desk.log(unit, &ruling, "sale", id, &self.request.actor)?;
        Ok(earned)
    }

    /// Adds the receipt to the member's day.
    fn note_days(
        &self,
        unit: &mut Unit,
        when: &When,
        lines: &[sale_line::Model],
        who: &Customer,
        earned: &[(String, i64)],
    ) -> Result<(), Stop> {
        let Some(member) = &who.member else { return Ok(()) };
        unit.need([Want::Days(member.id, facts::year_of(when.date))])?;
        let mut areas: Vec<&str> = lines.iter().map(|l| l.area.as_str()).collect();
        areas.extend(earned.iter().filter(|(_, n)| *n != 0).map(|(ledger, _)| ledger.as_str()));
        areas.sort_unstable();
        areas.dedup();
        for (nth, area) in areas.into_iter().enumerate() {
            let key = (member.id, when.date, area.to_owned());
            let mut day = unit.t.days.get(&key).cloned().unwrap_or_else(|| member_day::Model {
                member_id: member.id,
                date: when.date,
                area: area.to_owned(),
                spent: 0,
                returned: 0,
                receipts: 0,
                earned: 0,
            });
            day.spent += lines.iter().filter(|l| l.area == area).map(|l| l.paid).sum::<i64>();
            day.receipts += i32::from(nth == 0);
            day.earned += earned.iter().filter(|(ledger, _)| ledger == area).map(|(_, n)| n).sum::<i64>();
            unit.t.days.put(day);
        }
        Ok(())
    }

    /// What the receipt promises: until when a line may come back on a change of mind, and how long it is guaranteed.
    fn print_terms(&self, lines: &mut [sale_line::Model], receipt: &Value, when: &When) -> Result<(), Stop> {
        if !self.desk.has("return_item") {
            return Ok(());
        }
        for line in lines {
            let mut item = serde_json::from_str::<Map<String, Value>>(&line.facts).unwrap_or_default();
            item.insert("category".into(), line.category.clone().into());
            item.insert("season".into(), line.season.clone().into());
            item.insert("unit_price".into(), self.desk.currency().text(line.unit_price).into());
            for plain in ["clearance", "customised", "confirmed_no_return"] {
                item.entry(plain).or_insert(false.into());
            }
            let first = self.exchange.map_or(when.date, |(_, first)| first);
            let mut receipt = receipt.clone();
            if let Some(receipt) = receipt.as_object_mut() {
                receipt.insert("date".into(), facts::date(first));
            }
            let known = json!({ "receipt": receipt, "item": item, "today": facts::date(when.date) });
            let ruling = self.desk.foretell("return_item", known)?;
            (line.last_day, line.guarantee_end) = (ruling.date("last_day"), ruling.date("guarantee_end"));
        }
        Ok(())
    }

    fn told(
        &self,
        unit: &Unit,
        row: &sale::Model,
        lines: &[sale_line::Model],
        who: &Customer,
        earned: &[(String, i64)],
        tier: Option<String>,
    ) -> Value {
        let (money, points) = (self.desk.currency(), self.desk.points());
        let line = |l: &sale_line::Model| {
            json!({
                "line": l.line,
                "sku": l.sku,
                "quantity": l.quantity,
                "unit_price": money.text(l.unit_price),
                "discount": money.text(l.discount),
                "paid": money.text(l.paid),
                "return_until": l.last_day.map(format_date),
                "guarantee_until": l.guarantee_end.map(format_date),
            })
        };
        let balance = |(ledger, n): &(String, i64)| {
            let now = who.member.as_ref().map_or(0, |m| unit.account(m.id, ledger).available);
            json!({ "ledger": ledger, "earned": points.text(*n), "balance": points.text(now) })
        };
        json!({
            "sale": row.id,
            "store": row.store,
            "terminal": row.terminal,
            "receipt": row.receipt,
            "business_date": format_date(row.business_date),
            "occurred_at": format_datetime(row.occurred_at, self.desk.program().linked().zone),
            "member": who.member.as_ref().map(|m| m.number.clone()),
            "card_counts": who.counts,
            "total": money.text(row.total),
            "discount": money.text(row.discount),
            "lines": lines.iter().map(line).collect::<Vec<_>>(),
            "points": earned.iter().map(balance).collect::<Vec<_>>(),
            "tier": who.member.as_ref().and_then(|m| tier.clone().or(m.tier.clone())),
            "tier_changed": tier,
        })
    }
}

/// What the gifts are called. Each has its own name, or one would be handed back for two.
fn gift_names(gifts: &[GiftRequest]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut names = Vec::with_capacity(gifts.len());
    for gift in gifts {
        let nth = counts.entry(gift.reference.as_str()).or_default();
        // Another gift may be called `towel#2` by the till itself.
        names.push(loop {
            *nth += 1;
            let name = if *nth == 1 { gift.reference.clone() } else { format!("{}#{nth}", gift.reference) };
            if taken.insert(name.clone()) {
                break name;
            }
        });
    }
    names
}
