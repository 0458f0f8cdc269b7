//! A client: a till or a desk that asks, loses answers, and asks again.
use crate::drill::ask::{self, Patience, Told, agent, told};
use crate::drill::dice::Dice;
use crate::drill::plot::{Chain, amount};
use crate::drill::{Plan, Report};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Receipts that a client remembers for returns.
const REMEMBERED: usize = 200;

pub(super) struct Client {
    plan: Plan,
    nth: u64,
    chain: Arc<Chain>,
    report: Arc<Mutex<Report>>,
    dice: Dice,
    agent: ureq::Agent,
    /// Keys that were made.
    sent: u64,
    /// Requests, questions and repetitions among them.
    asked: u64,
    /// Receipts of this client: id and store.
    sales: Vec<(String, String)>,
    enrolled: std::collections::BTreeSet<u64>,
}

impl Client {
    pub(super) fn new(plan: &Plan, nth: u64, chain: Arc<Chain>, report: Arc<Mutex<Report>>) -> Client {
        Client {
            plan: plan.clone(),
            nth,
            chain,
            report,
            dice: Dice::new(plan.seed ^ (nth << 32)),
            agent: agent(),
            sent: 0,
            asked: 0,
            sales: Vec::new(),
            enrolled: Default::default(),
        }
    }

    /// Plays until told to stop, or until the server is away for longer than the plan's patience. A scene that has begun
    /// is played to its end, so that every write that was sent is answered.
    pub(super) fn run(mut self, began: Instant, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            let share = self.asked * self.plan.clients.max(1) * 1000;
            if let Some(due) = share.checked_div(self.plan.rate) {
                let early = Duration::from_millis(due).saturating_sub(began.elapsed());
                std::thread::sleep(early.min(Duration::from_millis(200)));
                if !early.is_zero() {
                    continue;
                }
            }
            let went_on = match self.dice.below(100) {
                0..=59 => self.sell(),
                60..=69 => self.bring_back(),
                70..=76 => self.redeem(),
                _ => self.ask(),
            };
            if went_on.is_none() {
                return;
            }
        }
    }

    fn note(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn key(&mut self) -> String {
        self.sent += 1;
        format!("drill-{}-{}-{}", self.plan.seed, self.nth, self.sent)
    }

    /// Sends a write until it is answered, with one key; None if the server stays away.
    fn write(&mut self, what: &'static str, path: &str, key: &str, body: &Value) -> Option<Told> {
        let text = body.to_string();
        let mut before: Option<String> = None;
        let mut patience = Patience::of(self.plan.patience);
        loop {
            let began = Instant::now();
            let sent = self
                .agent
                .post(format!("{}{path}", self.plan.url))
                .header("content-type", "application/json")
                .header("idempotency-key", key)
                .send(&text);
            let Some(told) = self.heard(what, path, began, &mut patience, sent)? else { continue };
            if told.status >= 500 {
                self.note(|r| r.wrong(format!("{path} {key}: {} {}", told.status, told.body)));
            }
            if let Some(first) = &before {
                let kept = told.replayed || told.status >= 400;
                if *first != told.body || !kept {
                    self.note(|r| r.wrong(format!("{path} {key}: two answers: {first} / {}", told.body)));
                }
                return Some(told);
            }
            if told.status < 300 && what != "evaluate" && self.dice.percent(self.plan.lose) {
                // The answer is lost on its way: the client asks again and must be told the same. (Looking at a return
                // records nothing: it may be told otherwise.)
                self.note(|r| r.lost += 1);
                before = Some(told.body);
                patience = Patience::of(self.plan.patience);
                continue;
            }
            return Some(told);
        }
    }

    /// Looks at something until it is answered; None if the server stays away.
    fn read(&mut self, what: &'static str, path: &str) -> Option<Told> {
        let mut patience = Patience::of(self.plan.patience);
        loop {
            let began = Instant::now();
            let sent = self.agent.get(format!("{}{path}", self.plan.url)).call();
            let Some(told) = self.heard(what, path, began, &mut patience, sent)? else { continue };
            if told.status >= 500 {
                self.note(|r| r.wrong(format!("{path}: {} {}", told.status, told.body)));
            }
            return Some(told);
        }
    }

    /// Notes what came back. `Some(None)`: nothing that lasts, so the same has to be sent again, which was waited for;
    /// None: it has been so for too long.
    fn heard(
        &mut self,
        what: &'static str,
        path: &str,
        began: Instant,
        patience: &mut Patience,
        sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Option<Option<Told>> {
        self.asked += 1;
        let answer = told(sent);
        let hundredths = u32::try_from(began.elapsed().as_micros() / 10).unwrap_or(u32::MAX);
        self.note(|r| match &answer {
            None => r.away += 1,
            Some(told) => {
                r.times.entry(what).or_default().push(hundredths);
                *r.answers.entry((what, told.status)).or_default() += 1;
            }
        });
        let pause = match answer {
            Some(told) if !told.passes() => return Some(Some(told)),
            Some(_) => 20 + self.dice.below(50),
            None => 100,
        };
        if patience.wait(Duration::from_millis(pause)) {
            return Some(None);
        }
        self.note(|r| r.wrong(format!("{path}: no answer for {} s", self.plan.patience)));
        None
    }

    /// Remembers where an acknowledged write can be looked at. Whoever is told of it is told the same.
    fn acknowledge(&self, path: String, body: &str) {
        self.note(|r| match r.acknowledged.get(&path) {
            Some(before) if before != body => r.wrong(format!("{path}: told {before}, and then {body}")),
            Some(_) => {}
            None => {
                r.acknowledged.insert(path, body.to_owned());
            }
        });
    }

    fn enrol(&mut self, member: u64) -> Option<()> {
        if self.enrolled.contains(&member) {
            return Some(());
        }
        // Every client enrols a member with the same key: the member is enrolled once.
        let key = format!("drill-{}-enrol-{member}", self.plan.seed);
        let told = self.write("enrol", "/v1/members", &key, &self.chain.enrolment(member))?;
        if told.status < 300 {
            self.acknowledge(format!("/v1/members/{}", self.chain.number(member)), &told.body);
        }
        self.enrolled.insert(member);
        Some(())
    }

    fn sell(&mut self) -> Option<()> {
        let key = self.key();
        let (mut sale, shelf) = self.chain.clone().sale(&mut self.dice, &key);
        let member = self.dice.percent(70).then(|| self.chain.clone().member(&mut self.dice));
        if let Some(member) = member {
            self.enrol(member)?;
            set(&mut sale, "card", self.chain.card(member).into());
        }
        let cash = |total: &str| json!([{ "kind": "cash", "amount": total }]);
        set(&mut sale, "tenders", cash(&amount(shelf)));
        let mut told = self.write("sale", "/v1/sales", &key, &sale)?;
        if told.status == 422 && told.body.contains("tenders-do-not-add-up") {
            // The till does not know the member's price: the server says what the receipt comes to.
            let total = field(&told.body, "total");
            set(&mut sale, "tenders", cash(&total));
            told = self.write("sale", "/v1/sales", &format!("{key}-b"), &sale)?;
        }
        if told.status < 300 {
            let id = field(&told.body, "sale");
            self.acknowledge(format!("/v1/sales/{id}"), &told.body);
            self.sales.push((id, field(&told.body, "store")));
            if self.sales.len() > REMEMBERED {
                self.sales.remove(0);
            }
        }
        Some(())
    }

    fn bring_back(&mut self) -> Option<()> {
        let Some((sale, store)) = self.dice.clone().one(&self.sales).cloned() else { return Some(()) };
        let item = json!({
            "opened": false, "altered": false, "finding": "no_fault", "test_report": false, "original": true,
            "tagged": true, "clean": true, "whole": true, "undamaged": true, "resaleable": true, "price_now": null,
            "clearance": false, "defect_disclosed": false, "customised": false, "confirmed_no_return": false,
            "maker_repairs": false,
        });
        let key = self.key();
        let slip = json!({
            "store": store, "actor": "clerk", "sale": sale,
            "lines": [{"line": 0, "quantity": 1, "item": item}],
            "receipt": {"till_slip": true, "customer_copy": true, "invoice": false},
            "request": {"reason": "change_of_mind", "wants": "money_back", "inquiry": null, "salesperson": null},
        });
        let told = self.write("evaluate", "/v1/returns/evaluate", &format!("{key}-e"), &slip)?;
        let ticket = ticket_of(&told.body);
        if told.status >= 300 || ticket.is_empty() {
            return Some(());
        }
        let approval =
            json!({"store": store, "ticket": ticket, "approver": "boss", "role": "general_manager"});
        self.write("approve", "/v1/returns/approvals", &format!("{key}-a"), &approval)?;
        let dues: Vec<Value> = gifts_of(&told.body)
            .into_iter()
            .map(|reference| json!({"reference": reference, "settled": "handed_back"}))
            .collect();
        let record =
            json!({"store": store, "terminal": "t9", "actor": "desk", "ticket": ticket, "dues": dues});
        let told = self.write("return", "/v1/returns", &key, &record)?;
        if told.status < 300 {
            let id = field(&told.body, "return");
            self.acknowledge(format!("/v1/returns/{id}"), &told.body);
            if self.dice.percent(10) {
                let body = json!({"store": store, "actor": "desk", "reason": "drill"});
                let path = format!("/v1/returns/{id}");
                let told = self.write("void", &format!("{path}/void"), &format!("{key}-v"), &body)?;
                if told.status < 300 {
                    self.note(|r| {
                        r.voided.insert(path);
                    });
                }
            }
        }
        Some(())
    }

    fn redeem(&mut self) -> Option<()> {
        let member = self.chain.clone().member(&mut self.dice);
        self.enrol(member)?;
        let key = self.key();
        let (store, number) = (self.chain.stores.first().cloned(), self.chain.number(member));
        let mut body = json!({
            "store": store, "actor": "desk", "member": number, "wish": "points_gift", "place": "service_centre",
            "ledger": "department", "gift_points": 50 + self.dice.below(300), "visit": {"card_shown": true},
        });
        if self.dice.percent(40) {
            let hold = json!({
                "store": store, "actor": "desk", "member": number, "ledger": "department", "amount": 500, "minutes": 5,
            });
            let told = self.write("hold", "/v1/holds", &format!("{key}-h"), &hold)?;
            if told.status < 300 {
                let id = field(&told.body, "hold");
                self.acknowledge(format!("/v1/holds/{id}"), &told.body);
                set(&mut body, "hold", id.into());
            }
        }
        let told = self.write("redeem", "/v1/redemptions", &key, &body)?;
        if told.status < 300 {
            self.acknowledge(format!("/v1/redemptions/{}", field(&told.body, "redemption")), &told.body);
        }
        Some(())
    }

    fn ask(&mut self) -> Option<()> {
        let member = self.chain.clone().member(&mut self.dice);
        if !self.enrolled.contains(&member) {
            return Some(());
        }
        let number = self.chain.number(member);
        let path = match self.dice.below(3) {
            0 => format!("/v1/members/{number}/points"),
            1 => format!("/v1/members/{number}/statement"),
            _ => format!("/v1/members/{number}"),
        };
        self.read("ask", &path).map(|_| ())
    }
}

/// Looks at every acknowledged write again: it must be there, and as it was left.
pub(super) fn look_again(plan: &Plan, report: &mut Report) {
    let agent = agent();
    for (path, told) in report.acknowledged.clone() {
        let Some(found) = ask::get(&agent, &format!("{}{path}", plan.url), plan.patience) else {
            report.wrong(format!("{path}: no answer for {} s", plan.patience));
            return;
        };
        if found.status != 200 {
            report.wrong(format!("{path} was acknowledged and answers {}: {told}", found.status));
            continue;
        }
        for name in LASTING {
            if let Some((was, is)) = both(&told, &found.body, name).filter(|(was, is)| was != is) {
                report.wrong(format!("{path}: {name} was {was} when it was acknowledged and is {is}"));
            }
        }
        if path.starts_with("/v1/returns/") {
            let status = if report.voided.contains(&path) { "voided" } else { "recorded" };
            if field(&found.body, "status") != status {
                report.wrong(format!("{path} should be {status}: {}", found.body));
            }
        }
    }
}

/// What stays as it was acknowledged, whatever happens later.
const LASTING: [&str; 12] = [
    "sale",
    "return",
    "redemption",
    "hold",
    "store",
    "terminal",
    "receipt",
    "business_date",
    "occurred_at",
    "total",
    "discount",
    "refund",
];

/// A member that two JSON objects have.
fn both(one: &str, other: &str, name: &str) -> Option<(Value, Value)> {
    let member = |body: &str| serde_json::from_str::<Value>(body).ok()?.get(name).cloned();
    Some((member(one)?, member(other)?))
}

fn set(body: &mut Value, name: &str, value: Value) {
    if let Some(object) = body.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

/// A text member of a JSON object; empty if it has none.
fn field(body: &str, name: &str) -> String {
    let value: Value = serde_json::from_str(body).unwrap_or_default();
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The ticket that an evaluation gave; empty if it gave none.
fn ticket_of(body: &str) -> String {
    let value: Value = serde_json::from_str(body).unwrap_or_default();
    value.pointer("/ticket/token").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The gifts that have to be handed back first.
fn gifts_of(body: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(body).unwrap_or_default();
    let dues = value.get("owes").or_else(|| value.get("dues")).and_then(Value::as_array).cloned();
    let gift = |due: &Value| {
        let kind = due.get("kind").and_then(Value::as_str)?;
        (kind == "hand_back")
            .then(|| due.get("reference").and_then(Value::as_str).unwrap_or_default().to_owned())
    };
    dues.unwrap_or_default().iter().filter_map(gift).collect()
}
