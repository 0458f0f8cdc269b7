//! A counter over a real database: what the tests of returns do at it.
use sea_orm::prelude::Uuid;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use zhanggui::counter::Desk;
use zhanggui::counter::members::EnrolMember;
use zhanggui::counter::plugged::{Asking, Nobody};
use zhanggui::counter::points::Adjust;
use zhanggui::counter::returns::{ApproveReturn, EvaluateReturn, ExchangeReturn, RecordReturn, VoidReturn};
use zhanggui::counter::sale::RecordSale;
use zhanggui::counter::tickets::{EnsureSecret, IDENTITY_KEY, KEY};
use zhanggui::program::iso::parse_datetime;
use zhanggui::records::{Clock, Database, Engine, Job, Operation, Reply, Stop, ids, read, verify};
use zhanggui::rulebook::{Rulebooks, load};

#[derive(Clone)]
pub struct SetClock(Arc<AtomicI64>);

impl Clock for SetClock {
    fn now(&self) -> i64 {
        // Time passes: two tickets for the same goods are two tickets.
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

pub struct Shop {
    pub engine: Engine<Database, SetClock>,
    pub books: Arc<Rulebooks>,
    pub clock: SetClock,
    keys: AtomicU64,
}

pub type Told = (u16, Value);

pub fn jiajie() -> Arc<Rulebooks> {
    books(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/jiajie"))
}

pub fn books(dir: &Path) -> Arc<Rulebooks> {
    Arc::new(load(dir).unwrap().rulebooks.unwrap())
}

fn read_as<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub fn decimal(value: &Value) -> i64 {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no amount"));
    text.replace('.', "").parse().unwrap()
}

/// A line of a sale: one article of clothing at a price.
pub fn dress(price: &str, quantity: i32) -> Value {
    json!({"sku": "D1", "area": "department", "category": "clothing", "season": "summer", "quantity": quantity,
           "list_price": price, "shelf_price": price})
}

/// An article that is as it was sold, with other findings.
pub fn sound(other: Value) -> Value {
    let mut item = json!({
        "opened": false, "altered": false, "defect_disclosed": false, "maker_repairs": false,
        "finding": "no_fault", "test_report": false, "original": true, "tagged": true, "clean": true, "whole": true,
        "undamaged": true, "resaleable": true, "price_now": null,
    });
    item.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    item
}

/// A slip for lines and quantities, with papers.
pub fn slip(sale: &Value, lines: &[(i32, i32)]) -> Value {
    let line =
        |(line, quantity): &(i32, i32)| json!({"line": line, "quantity": quantity, "item": sound(json!({}))});
    json!({
        "store": "s001", "actor": "clerk", "sale": sale, "lines": lines.iter().map(line).collect::<Vec<_>>(),
        "receipt": {"till_slip": true, "customer_copy": true, "invoice": false},
        "request": {"reason": "change_of_mind", "wants": "money_back", "inquiry": null, "salesperson": null},
    })
}

impl Shop {
    /// Opens on 1 July 2026 at noon, with a key for tickets.
    pub async fn open(db: &Database) -> Shop {
        Shop::open_with_key(db, "a key for tests").await
    }
    pub async fn open_with_key(db: &Database, key: &str) -> Shop {
        let clock = SetClock(Arc::new(AtomicI64::new(0)));
        let engine = Engine::new(db.clone(), clock.clone());
        let shop = Shop { engine, books: jiajie(), clock, keys: AtomicU64::new(0) };
        shop.at("2026-07-01T12:00:00+08:00");
        for name in [KEY, IDENTITY_KEY] {
            let (status, _) = shop.run(EnsureSecret { name: name.into(), value: key.into() }).await;
            assert_eq!(status, 204);
        }
        shop
    }
    pub fn at(&self, time: &str) {
        self.clock.0.store(parse_datetime(time).unwrap(), Ordering::SeqCst);
    }
    pub fn desk(&self, store: &Value) -> Desk {
        Desk::at(self.books.clone(), store.as_str().unwrap()).unwrap()
    }
    pub async fn keyed(&self, key: &str, operation: impl Operation + 'static) -> Reply {
        let job = Job {
            key: Some(key.into()),
            dry: false,
            fingerprint: key.into(),
            operation: Arc::new(operation),
        };
        loop {
            match self.engine.execute(std::slice::from_ref(&job)).await.remove(0) {
                // No plugin is installed in this shop.
                Reply::Ask(aside) => Asking::find_out(&aside, &Nobody, 0).await,
                reply => return reply,
            }
        }
    }
    pub async fn run(&self, operation: impl Operation + 'static) -> Told {
        let key = format!("k{}", self.keys.fetch_add(1, Ordering::SeqCst));
        told(self.keyed(&key, operation).await)
    }
    pub async fn enrol(&self, number: &str) {
        self.enrol_with(number, none()).await;
    }
    /// Enrols with anything else said of the applicant.
    pub async fn enrol_with(&self, number: &str, more: Value) {
        let mut applicant = json!({"ground": "old_card", "name": "n", "phone": "p", "address": "a"});
        applicant.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let request = read_as(json!({
            "store": "s001", "actor": "clerk", "number": number, "card": format!("C-{number}"),
            "applicant": applicant,
            "visit": {"id_shown": true, "form_filled": true, "details_confirmed": true, "old_card_given": true,
                      "card_shown": true},
        }));
        let desk = self.desk(&json!("s001"));
        assert_eq!(self.run(EnrolMember { desk, request }).await.0, 201);
    }
    /// A sale at s001; `more` may say anything else. Returns its id.
    pub async fn sell(&self, receipt: &str, lines: Vec<Value>, tenders: Value, more: Value) -> Value {
        let mut request = json!({
            "store": "s001", "terminal": "t1", "receipt": receipt, "actor": "seller", "lines": lines,
            "tenders": tenders,
        });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let desk = self.desk(&request["store"]);
        let (status, told) = self.run(RecordSale { desk, request: read_as(request), exchange: None }).await;
        assert_eq!(status, 201, "{told}");
        told["sale"].clone()
    }
    /// What the counter says of a slip; writes nothing.
    pub async fn evaluate(&self, slip: &Value) -> Told {
        let operation = EvaluateReturn { desk: self.desk(&slip["store"]), request: read_as(slip.clone()) };
        loop {
            match self.engine.look(&operation).await.unwrap() {
                Ok(answer) => return (answer.status, serde_json::from_str(&answer.body).unwrap()),
                Err(Stop::Refused(refusal)) => {
                    return (refusal.status, serde_json::from_str(&refusal.json()).unwrap());
                }
                Err(Stop::Ask(aside)) => Asking::find_out(&aside, &Nobody, 0).await,
                Err(Stop::Missing(wants)) => panic!("{wants:?}"),
            }
        }
    }
    pub async fn ticket(&self, slip: &Value) -> String {
        let (status, told) = self.evaluate(slip).await;
        assert_eq!(status, 200, "{told}");
        told["ticket"]["token"].as_str().unwrap_or_else(|| panic!("no ticket: {told:#}")).to_owned()
    }
    pub async fn approve(&self, ticket: &str, approver: &str, role: &str, more: Value) -> Told {
        let mut request = json!({"store": "s001", "ticket": ticket, "approver": approver, "role": role});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let desk = self.desk(&request["store"]);
        self.run(ApproveReturn { desk, request: read_as(request) }).await
    }
    pub fn record_op(&self, ticket: &str, more: Value) -> RecordReturn {
        let request = record_request(ticket, more);
        RecordReturn { desk: self.desk(&request["store"]), request: read_as(request) }
    }
    pub async fn record(&self, ticket: &str, more: Value) -> Told {
        self.run(self.record_op(ticket, more)).await
    }
    /// Evaluates, approves and records: what most tests want done.
    pub async fn bring_back(&self, slip: &Value, more: Value) -> Value {
        let ticket = self.ticket(slip).await;
        let place = json!({"store": slip["store"]});
        let (status, told) = self.approve(&ticket, "boss", "general_manager", place.clone()).await;
        assert_eq!((status, &told["verdict"]), (201, &json!("allow")), "{told:#}");
        let mut all = more.as_object().unwrap().clone();
        all.insert("store".into(), slip["store"].clone());
        let (status, told) = self.record(&ticket, Value::Object(all)).await;
        assert_eq!(status, 201, "{told:#}");
        told
    }
    pub async fn exchange(&self, ticket: &str, more: Value, sale: Value) -> Told {
        let request = json!({"return": record_request(ticket, more), "sale": sale});
        let desk = self.desk(&json!("s001"));
        self.run(ExchangeReturn { desk, request: read_as(request) }).await
    }
    pub async fn void(&self, id: &Value) -> Told {
        let desk = self.desk(&json!("s001"));
        let request = read_as(json!({"store": "s001", "actor": "boss", "reason": "rung up wrongly"}));
        self.run(VoidReturn { desk, id: read_as(id.clone()), request }).await
    }
    pub async fn adjust(&self, number: &str, ledger: &str, amount: Value) {
        let desk = self.desk(&json!("s001"));
        let request = read_as(json!({
            "store": "s001", "actor": "clerk", "approver": "boss", "member": number, "ledger": ledger,
            "amount": amount, "reason": "test",
        }));
        let operation = ids::named(&["adjust", &self.keys.load(Ordering::SeqCst).to_string()]);
        let (status, told) = self.run(Adjust { desk, request, operation }).await;
        assert_eq!(status, 201, "{told}");
    }
    pub async fn balance(&self, number: &str, ledger: &str) -> i64 {
        let db = self.engine.store().reader();
        let found = read::member(db, ids::member(number)).await.unwrap().unwrap();
        found.accounts.iter().find(|a| a.ledger == ledger).map_or(0, |a| a.available)
    }
    /// Rows of a table as they are, in an order that does not depend on when they were written.
    pub async fn rows<E: sea_orm::EntityTrait>(&self) -> Vec<E::Model> {
        let mut rows = E::find().all(self.engine.store().reader()).await.unwrap();
        rows.sort_by_key(|row| format!("{row:?}"));
        rows
    }
    /// Everything recorded adds up.
    pub async fn close(&self) {
        let report = verify(self.engine.store()).await.unwrap();
        assert!(report.is_clean(), "{:#?}", report.findings);
    }
}

fn record_request(ticket: &str, more: Value) -> Value {
    let mut request = json!({"store": "s001", "terminal": "desk", "actor": "clerk", "ticket": ticket});
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

pub fn told(reply: Reply) -> Told {
    match reply {
        Reply::Done(answer) | Reply::Replayed(answer) => {
            (answer.status, serde_json::from_str(&answer.body).unwrap_or(Value::Null))
        }
        Reply::Refused(refusal) => (refusal.status, serde_json::from_str(&refusal.json()).unwrap()),
        other => panic!("{other:?}"),
    }
}

pub fn uuid(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}

pub fn none() -> Value {
    Value::Object(Map::new())
}
