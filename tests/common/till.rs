//! A till at a server with Jiajie's stores and a database in a temporary folder.
#![allow(dead_code, reason = "each test binary uses its part")]
use super::{Server, agent};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
    /// The body, if the status is this one.
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }
    /// The code of the problem, and the field to blame.
    pub fn problem(&self) -> (u16, &str, Option<&str>) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text);
        assert_eq!(self.body["status"], self.status, "{}", self.text);
        let code = self.body["code"].as_str().expect("a code");
        assert_eq!(self.body["type"], format!("/problems/{code}"));
        (self.status, code, self.body["path"].as_str())
    }
}

/// Jiajie's policies in a folder of their own.
pub fn jiajie() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let to = dir.path().join("policies");
    std::fs::create_dir_all(to.join("jiajie")).expect("a folder");
    std::fs::copy(from.join("retail.vocab"), to.join("retail.vocab")).expect("the vocabulary");
    for file in std::fs::read_dir(from.join("jiajie")).expect("the rulebook") {
        let file = file.expect("a file").path();
        std::fs::copy(&file, to.join("jiajie").join(file.file_name().expect("a name"))).expect("a copy");
    }
    (dir, to)
}

pub struct Till {
    pub server: Server,
    /// Holds the database.
    dir: tempfile::TempDir,
    next: AtomicU64,
}

impl Till {
    /// With a database in its own folder, unless the arguments name one.
    pub fn open(more: &[&str]) -> Till {
        Till::open_with(more, |_| {})
    }
    /// With policies that are changed before the server starts; its settings file stands beside their folder.
    pub fn open_with(more: &[&str], change: impl FnOnce(&Path)) -> Till {
        let (dir, policies) = jiajie();
        change(&policies);
        let server = Server::start(&policies, more);
        Till { server, dir, next: AtomicU64::new(0) }
    }
    /// Where the records are if the arguments did not name a place.
    pub fn file(&self) -> String {
        format!("sqlite://{}", self.dir.path().join("zhanggui.db").display())
    }
    /// A key that was not used yet.
    pub fn fresh(&self) -> String {
        format!("key-{}", self.next.fetch_add(1, Ordering::Relaxed))
    }
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Answer {
        send(&self.server.base, method, path, headers, body)
    }
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }
    /// A write with a fresh key.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_as(&self.fresh(), path, body)
    }
    pub fn post_as(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("Idempotency-Key", key)], Some(&body.to_string()))
    }
    /// Units of a balance.
    pub fn balance(&self, number: &str, ledger: &str, bucket: &str) -> i64 {
        let all = self.get(&format!("/v1/members/{number}/points")).ok(200);
        let of = all["ledgers"].as_array().unwrap().iter().find(|l| l["ledger"] == ledger).cloned();
        of.map_or(0, |l| l[bucket].as_str().unwrap().parse().unwrap())
    }
    /// Looks at a return, and has it approved; gives the beginning of its record.
    pub fn approved(&self, sale: &Value, wants: &str) -> Value {
        let looked = self.post("/v1/returns/evaluate", &slip(sale, wants)).ok(200);
        assert_eq!(looked["verdict"], "allow", "{looked}");
        let ticket = &looked["ticket"]["token"];
        let approve =
            json!({ "store": "s001", "ticket": ticket, "approver": "boss", "role": "general_manager" });
        self.post("/v1/returns/approvals", &approve).ok(201);
        json!({ "store": "s001", "terminal": "t1", "actor": "a1", "ticket": ticket })
    }
    /// Brings the first line of a sale back.
    pub fn bring_back(&self, sale: &Value) -> Value {
        self.post("/v1/returns", &self.approved(sale, "money_back")).ok(201)
    }
    /// Corrects a balance.
    pub fn adjust(&self, number: &str, ledger: &str, amount: i64) {
        let body = json!({ "store": "s001", "actor": "a1", "approver": "boss", "member": number, "ledger": ledger,
            "amount": amount, "reason": "a test" });
        self.post("/v1/adjustments", &body).ok(201);
    }
    /// Sells one piece of clothing.
    pub fn sell(&self, receipt: &str, card: Option<&str>, price: &str, paid: &str) -> Answer {
        self.post("/v1/sales", &clothes(receipt, card, price, paid))
    }
    /// Enrols a gold member on a receipt of 1200.00.
    pub fn member(&self, number: &str) -> Value {
        let sale = self.sell(&format!("enrol-{number}"), None, "1200.00", "1200.00").ok(201);
        self.post("/v1/members", &applicant(number, &sale["sale"])).ok(201)
    }
}

/// A slip for one unit of the first line, as good as new.
pub fn slip(sale: &Value, wants: &str) -> Value {
    json!({
        "store": "s001", "actor": "a1", "sale": sale,
        "lines": [{ "line": 0, "quantity": 1, "item": { "opened": false, "altered": false, "defect_disclosed": false,
            "maker_repairs": false, "finding": "no_fault", "test_report": false, "original": true, "tagged": true,
            "clean": true, "whole": true, "undamaged": true, "resaleable": true, "price_now": null } }],
        "receipt": { "till_slip": true, "customer_copy": true, "invoice": false },
        "request": { "reason": "change_of_mind", "wants": wants, "inquiry": null, "salesperson": null },
    })
}

/// Sends a request; the media type is JSON unless the headers say otherwise.
pub fn send(base: &str, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Answer {
    let mut request = ureq::http::Request::builder().method(method).uri(format!("{base}{path}"));
    if body.is_some() && !headers.iter().any(|(n, _)| n.eq_ignore_ascii_case("content-type")) {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = match body {
        Some(body) => agent().run(request.body(body.to_owned()).expect("a request")),
        None => agent().run(request.body(()).expect("a request")),
    };
    let mut answer = answer.expect("an answer");
    let shown = |(n, v): (&ureq::http::HeaderName, &ureq::http::HeaderValue)| {
        (n.to_string(), v.to_str().unwrap_or_default().to_owned())
    };
    let headers = answer.headers().iter().map(shown).collect();
    let text = answer.body_mut().read_to_string().expect("text");
    let body = serde_json::from_str(&text).unwrap_or_default();
    Answer { status: answer.status().as_u16(), headers, text, body }
}

/// A receipt with one piece of clothing.
pub fn clothes(receipt: &str, card: Option<&str>, price: &str, paid: &str) -> Value {
    json!({
        "store": "s001", "terminal": "t1", "receipt": receipt, "actor": "a1", "card": card,
        "lines": [{ "sku": "c-1", "area": "department", "category": "clothing", "season": "winter", "quantity": 1,
            "list_price": price, "shelf_price": price, "member_discount": true }],
        "tenders": [{ "kind": "cash", "amount": paid }],
    })
}

/// An application of somebody who bought enough today.
pub fn applicant(number: &str, sale: &Value) -> Value {
    json!({
        "store": "s001", "actor": "a1", "number": number, "card": format!("card-{number}"), "receipts": [sale],
        "applicant": { "ground": "one_day_spend", "name": "陈小佳", "phone": "13900000000",
            "address": "福州市鼓楼区一号", "birthday": "1990-02-14" },
        "identity": { "kind": "id_card", "number": format!("id-{number}") },
        "visit": { "id_shown": true, "form_filled": true, "details_confirmed": true, "old_card_given": false },
    })
}
