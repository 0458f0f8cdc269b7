//! The counter over HTTP: the real binary on either database, Jiajie's policies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
mod common;
use common::till::{Till, applicant, clothes, slip};
use common::{each_database, eventually};
use serde_json::{Value, json};

fn each(body: impl Fn(Till)) {
    each_database(|database| body(Till::open(database)));
}

#[test]
fn a_member_buys_holds_redeems_and_is_settled() {
    each(|till| {
        let enrolled = till.member("m1");
        assert_eq!((enrolled["tier"].as_str(), enrolled["card"].as_str()), (Some("gold"), Some("card-m1")));

        // The member's price is 0.90 of the price of the day.
        let sale = till.sell("r1", Some("card-m1"), "1000.00", "900.00").ok(201);
        assert_eq!((sale["total"].as_str(), sale["member"].as_str()), (Some("900.00"), Some("m1")));
        let earned: i64 = sale["points"][0]["earned"].as_str().unwrap().parse().unwrap();
        assert!(earned >= 900, "{sale}");
        assert_eq!(till.balance("m1", "department", "available"), earned);
        let shown = till.get(&format!("/v1/sales/{}", sale["sale"].as_str().unwrap())).ok(200);
        assert_eq!(
            (&shown["lines"][0]["paid"], &shown["tenders"][0]["amount"]),
            (&json!("900.00"), &json!("900.00"))
        );

        let who = json!({ "store": "s001", "actor": "a1" });
        let hold =
            json!({ "store": "s001", "actor": "a1", "member": "m1", "ledger": "department", "amount": 100 });
        let hold = till.post("/v1/holds", &hold).ok(201);
        let hold = format!("/v1/holds/{}", hold["hold"].as_str().unwrap());
        assert_eq!(till.balance("m1", "department", "held"), 100);
        let mut capture = who.clone();
        capture["amount"] = json!("40");
        assert_eq!(till.post(&format!("{hold}/capture"), &capture).ok(200)["state"], "captured");
        assert_eq!(till.get(&hold).ok(200)["captured"], "40");
        assert_eq!(till.balance("m1", "department", "available"), earned - 40);
        assert_eq!(till.post(&format!("{hold}/release"), &who).problem(), (409, "hold-closed", None));

        let gift = json!({ "store": "s001", "actor": "a1", "member": "m1", "wish": "points_gift", "place": "service_centre",
        "ledger": "department", "gift_points": 200, "reference": "gift-7", "visit": { "card_shown": true } });
        let redeemed = till.post("/v1/redemptions", &gift).ok(201);
        assert_eq!(redeemed["points_used"], "200");
        assert_eq!(till.balance("m1", "department", "available"), earned - 240);
        let redemption = format!("/v1/redemptions/{}", redeemed["redemption"].as_str().unwrap());
        let reason = json!({ "store": "s001", "actor": "a1", "reason": "broken" });
        assert_eq!(till.post(&format!("{redemption}/reverse"), &reason).ok(200)["status"], "reversed");
        assert_eq!(till.get(&redemption).ok(200)["status"], "reversed");
        assert_eq!(till.post(&format!("{redemption}/reverse"), &reason).problem().1, "redemption-reversed");
        assert_eq!(till.balance("m1", "department", "available"), earned - 40);

        let mut adjust = json!({ "store": "s001", "actor": "a1", "member": "m1", "ledger": "department", "amount": 40,
        "reason": "a hold by mistake", "approver": "a1" });
        assert_eq!(till.post("/v1/adjustments", &adjust).problem(), (422, "own-case", Some("approver")));
        adjust["approver"] = json!("boss");
        till.post("/v1/adjustments", &adjust).ok(201);
        assert_eq!(till.balance("m1", "department", "available"), earned);

        // The decision of the redemption, and the same answer years later.
        let decision = format!("/v1/decisions/{}", redeemed["decision"].as_str().unwrap());
        let record = till.get(&decision).ok(200);
        assert_eq!((&record["decision"], &record["cause"]), (&json!("redeem"), &json!("redemption")));
        assert_eq!(record["outcome"]["outcome"]["points_used"], 200);
        assert!(record["explanation"]["outputs"].is_array(), "{record}");
        let again = till.send("POST", &format!("{decision}/replay"), &[], None).ok(200);
        assert_eq!((&again["same"], &again["hash_holds"]), (&json!(true), &json!(true)));
        assert_eq!(again["recorded"], again["now"]);

        // The year is not over: only a dry run may settle it.
        let year: i64 = sale["business_date"].as_str().unwrap()[..4].parse().unwrap();
        let mut settle = json!({ "store": "s001", "actor": "a1", "ledger": "department", "year": year });
        assert_eq!(till.post("/v1/settlements", &settle).problem(), (409, "year-not-over", Some("year")));
        let dry = till.send("POST", "/v1/settlements?dry_run=true", &[], Some(&settle.to_string()));
        assert_eq!(dry.header("dry-run"), Some("true"));
        let dry = format!("/v1/settlements/{}", dry.ok(202)["settlement"].as_str().unwrap());
        let report = eventually("the dry run", || {
            let report = till.get(&dry).ok(200);
            (report["working"] == false).then_some(report)
        });
        assert_eq!((&report["members"], &report["failed"]), (&json!(1), &json!(0)), "{report}");
        assert_eq!(till.balance("m1", "department", "available"), earned, "nothing happened");
        // The year before is over; nobody had points then.
        settle["year"] = json!(year - 1);
        let begun = till.post("/v1/settlements", &settle).ok(202);
        let settlement = format!("/v1/settlements/{}", begun["settlement"].as_str().unwrap());
        let report = eventually("the settlement", || {
            let report = till.get(&settlement).ok(200);
            (report["status"] == "finished").then_some(report)
        });
        assert_eq!((&report["members"], &report["cleared"]), (&json!(1), &json!("0")));
        let second = till.post("/v1/settlements", &settle).ok(202);
        assert_eq!((&second["settlement"], &second["status"]), (&begun["settlement"], &json!("finished")));
        assert_eq!(till.server.terminate(), 0);
    });
}

#[test]
fn a_write_has_one_answer_however_often_it_is_sent() {
    each(|till| {
        let sale = clothes("r1", None, "10.00", "10.00");
        let first = till.post_as("k1", "/v1/sales", &sale);
        let second = till.post_as("k1", "/v1/sales", &sale);
        assert_eq!((first.status, second.status), (201, 201));
        assert_eq!(first.text, second.text);
        assert_eq!(
            (first.header("idempotent-replayed"), second.header("idempotent-replayed")),
            (None, Some("true"))
        );

        // The order of keys and the blanks are not the body.
        let turned = format!(
            " {{ \"tenders\" : {}, {} ",
            sale["tenders"],
            &sale.to_string()[1..].replace(&format!(",\"tenders\":{}", sale["tenders"]), "")
        );
        let third = till.send("POST", "/v1/sales", &[("idempotency-key", "k1")], Some(&turned));
        assert_eq!(
            (third.status, third.header("idempotent-replayed")),
            (201, Some("true")),
            "{}",
            third.text
        );
        let other = till.post_as("k1", "/v1/sales", &clothes("r2", None, "10.00", "10.00"));
        assert_eq!(other.problem(), (422, "idempotency-key-reused", Some("Idempotency-Key")));
        // Another caller's key is another key.
        let headers = [("Idempotency-Key", "k1"), ("X-Client", "till-2")];
        let body = clothes("r2", None, "10.00", "10.00").to_string();
        assert_eq!(till.send("POST", "/v1/sales", &headers, Some(&body)).status, 201);

        // A refusal is an answer, too.
        let again = till.post_as("k2", "/v1/sales", &sale);
        assert_eq!(again.problem(), (409, "receipt-recorded", Some("receipt")));
        let again = till.post_as("k2", "/v1/sales", &sale);
        assert_eq!(again.problem().1, "receipt-recorded");
        assert_eq!(again.header("idempotent-replayed"), Some("true"));

        let bare = till.send("POST", "/v1/sales", &[], Some(&sale.to_string()));
        assert_eq!(bare.problem(), (400, "idempotency-key-missing", Some("Idempotency-Key")));
        for key in ["a b", "é", &"k".repeat(256)] {
            let wrong = till.send("POST", "/v1/sales", &[("Idempotency-Key", key)], Some(&sale.to_string()));
            assert_eq!(wrong.problem(), (400, "malformed-request", Some("Idempotency-Key")), "{key}");
        }
        let long =
            till.send("POST", "/v1/sales", &[("Idempotency-Key", &"k".repeat(255))], Some(&sale.to_string()));
        assert_eq!(long.problem().1, "receipt-recorded");
    });
}

#[test]
fn the_same_key_at_the_same_time_is_recorded_once() {
    each(|till| {
        let answers: Vec<_> = std::thread::scope(|scope| {
            let sent: Vec<_> = (0..16)
                .map(|n| {
                    let till = &till;
                    // Every key is sent twice at once.
                    scope.spawn(move || {
                        let n = n / 2;
                        till.post_as(
                            &format!("k{n}"),
                            "/v1/sales",
                            &clothes(&format!("r{n}"), None, "5.00", "5.00"),
                        )
                    })
                })
                .collect();
            sent.into_iter().map(|s| s.join().unwrap()).collect()
        });
        for pair in answers.chunks(2) {
            let new =
                pair.iter().filter(|a| a.status == 201 && a.header("idempotent-replayed").is_none()).count();
            assert_eq!(new, 1, "{pair:?}");
            for other in pair.iter().filter(|a| a.status != 201) {
                assert_eq!(other.problem(), (409, "request-in-flight", Some("Idempotency-Key")));
                assert_eq!(other.header("retry-after"), Some("1"));
            }
        }
        let date = answers.iter().find(|a| a.status == 201).unwrap().body["business_date"].clone();
        let day = till.get(&format!("/v1/sales?store=s001&date={}", date.as_str().unwrap())).ok(200);
        assert_eq!(day["items"].as_array().unwrap().len(), 8);
    });
}

#[test]
fn a_dry_run_writes_nothing_and_may_look_ahead() {
    each(|till| {
        let sale = clothes("r1", None, "10.00", "10.00").to_string();
        let dry = till.send("POST", "/v1/sales?dry_run=true", &[], Some(&sale));
        assert_eq!((dry.status, dry.header("dry-run")), (200, Some("true")), "{}", dry.text);
        let id = dry.body["sale"].as_str().unwrap();
        assert_eq!(till.get(&format!("/v1/sales/{id}")).problem(), (404, "unknown-sale", None));
        let ahead =
            till.send("POST", "/v1/sales?dry_run=true&as_of=2040-06-01T10:00:00%2B08:00", &[], Some(&sale));
        assert_eq!(ahead.ok(200)["business_date"], "2040-06-01");
        let key = [("Idempotency-Key", "k")];
        let real = till.send("POST", "/v1/sales?as_of=2040-06-01T10:00:00%2B08:00", &key, Some(&sale));
        assert_eq!(real.problem(), (400, "malformed-request", Some("as_of")));
        let real = till.send("POST", "/v1/sales?dry_ran=true", &key, Some(&sale));
        assert_eq!(real.problem(), (400, "malformed-request", Some("dry_ran")));
        let mut later = clothes("r1", None, "10.00", "10.00");
        later["occurred_at"] = json!("2040-06-01T10:00:00+08:00");
        assert_eq!(till.post("/v1/sales", &later).problem(), (422, "in-the-future", Some("occurred_at")));
    });
}

#[test]
fn rubbish_is_refused_by_its_path() {
    each(|till| {
        let good = clothes("r1", None, "10.00", "10.00");
        let change = |path: &str, value: Value| {
            let mut body = good.clone();
            *body.pointer_mut(path).unwrap() = value;
            body.to_string()
        };
        let mut unknown = good.clone();
        unknown["lines"][0]["colour"] = json!("red");
        let mut missing = good.clone();
        missing["lines"][0].as_object_mut().unwrap().remove("sku");
        let deep = good.to_string().replace("\"c-1\"", &format!("{}1{}", "[".repeat(40), "]".repeat(40)));
        let deepest = format!("{{\"store\":{}", "[".repeat(100_000));
        let cases: Vec<(String, u16, &str, Option<&str>)> = vec![
            ("{".into(), 400, "malformed-request", None),
            (String::new(), 400, "malformed-request", None),
            ("[]".into(), 400, "malformed-request", None),
            ("\u{0}".into(), 400, "malformed-request", None),
            (
                change("/lines/0/shelf_price", json!(12.5)),
                400,
                "malformed-request",
                Some("lines[0].shelf_price"),
            ),
            (
                change("/lines/0/shelf_price", json!("1e3")),
                400,
                "malformed-request",
                Some("lines[0].shelf_price"),
            ),
            (change("/lines/0/quantity", json!("1")), 400, "malformed-request", Some("lines[0].quantity")),
            (change("/lines/0/quantity", json!(0)), 422, "malformed-sale", Some("lines[0].quantity")),
            (change("/tenders", json!({})), 400, "malformed-request", Some("tenders")),
            (change("/tenders/0/amount", json!("9.99")), 422, "tenders-do-not-add-up", Some("tenders")),
            (change("/tenders/0/amount", json!("9.999")), 422, "off-step", Some("tenders[0].amount")),
            (change("/card", json!("none")), 422, "unknown-card", Some("card")),
            (change("/store", json!("s9")), 404, "unknown-store", Some("store")),
            (change("/lines", json!([])), 422, "malformed-sale", Some("lines")),
            (unknown.to_string(), 400, "malformed-request", Some("lines[0].colour")),
            (missing.to_string(), 400, "malformed-request", Some("lines[0].sku")),
        ];
        for (body, status, code, path) in cases {
            let answer = till.send("POST", "/v1/sales", &[("Idempotency-Key", &till.fresh())], Some(&body));
            assert_eq!(answer.problem(), (status, code, path), "{:.200}: {}", body, answer.text);
        }
        let answer = till.send("POST", "/v1/sales", &[("Idempotency-Key", "d")], Some(&deep));
        assert_eq!((answer.problem().0, answer.problem().1), (400, "malformed-request"));
        assert!(answer.body["path"].as_str().unwrap().starts_with("lines[0].sku["), "{}", answer.text);
        let answer = till.send("POST", "/v1/sales", &[("Idempotency-Key", "d")], Some(&deepest));
        assert_eq!((answer.problem().0, answer.problem().1), (400, "malformed-request"));
        let huge = " ".repeat((1 << 20) + 1);
        assert_eq!(
            till.send("POST", "/v1/sales", &[("Idempotency-Key", "h")], Some(&huge)).problem().1,
            "too-large"
        );
        let text = [("Idempotency-Key", "t"), ("Content-Type", "text/plain")];
        assert_eq!(till.send("POST", "/v1/sales", &text, Some("{}")).problem().1, "unsupported-media-type");
        assert_eq!(till.send("DELETE", "/v1/sales", &[], None).header("allow"), Some("POST, GET"));

        let nobody = json!({ "store": "s001", "actor": "a" });
        assert_eq!(
            till.post("/v1/members/m%2F9/upgrade", &nobody).problem(),
            (404, "unknown-member", Some("member"))
        );
        let nobody = till.get("/v1/members/m%2F9").body["detail"].clone();
        assert_eq!(nobody, "there is no member \"m/9\"");
        for path in
            ["/v1/sales/x", "/v1/holds/%00", "/v1/redemptions/1", "/v1/decisions/x", "/v1/settlements/x"]
        {
            assert_eq!(till.get(path).problem().1, "not-found", "{path}");
        }
        let none = "00000000-0000-0000-0000-000000000000";
        for (path, code) in [
            ("sales", "unknown-sale"),
            ("holds", "unknown-hold"),
            ("redemptions", "unknown-redemption"),
            ("decisions", "unknown-record"),
            ("settlements", "unknown-settlement"),
            ("stores", "unknown-store"),
        ] {
            assert_eq!(till.get(&format!("/v1/{path}/{none}")).problem(), (404, code, None), "{path}");
        }
        assert_eq!(till.post("/v1/sales", &good).status, 201, "it serves on");
    });
}

#[test]
fn what_was_seen_decides_what_may_be_changed() {
    each(|till| {
        till.member("m1");
        let seen = till.get("/v1/members/m1");
        let tag = seen.header("etag").unwrap().to_owned();
        assert!(tag.starts_with("\"2-"), "{tag}");
        let same = till.send("GET", "/v1/members/m1", &[("If-None-Match", &tag)], None);
        assert_eq!((same.status, same.text.as_str()), (304, ""));
        let edit = |key: &str, tag: &str, phone: &str| {
            let body = json!({ "store": "s001", "actor": "a1", "phone": phone }).to_string();
            till.send("PATCH", "/v1/members/m1", &[("Idempotency-Key", key), ("If-Match", tag)], Some(&body))
        };
        assert_eq!(edit("e1", &tag, "13800000000").ok(200)["version"], 3);
        // The same key on another version is another write, not that one once more.
        let reused = edit("e1", "\"3-0\"", "13800000000");
        assert_eq!(reused.problem(), (422, "idempotency-key-reused", Some("Idempotency-Key")));
        assert_eq!(edit("e1", &tag, "13800000000").header("idempotent-replayed"), Some("true"));
        assert_eq!(edit("e2", &tag, "13700000000").problem(), (412, "stale-version", None));
        assert_eq!(edit("e3", "rubbish", "13700000000").problem(), (412, "stale-version", Some("If-Match")));
        // What is kept under the key says what was changed, not to what.
        assert_eq!(edit("e4", "*", "13700000000").ok(200)["changed"], json!(["phone"]));
        let changed = till.send("GET", "/v1/members/m1", &[("If-None-Match", &tag)], None);
        assert_eq!(changed.status, 200);
        assert!(changed.text.contains("13700000000"), "{}", changed.text);

        // A new card is not a new version of the record, but it is another answer.
        let tag = changed.header("etag").unwrap().to_owned();
        let new = json!({ "store": "s001", "actor": "a1", "mishap": "lost_card", "new_card": "card-2", "visit": { "id_shown": true } });
        assert_eq!(till.post("/v1/members/m1/cards", &new).ok(200)["fee"], "5.00");
        assert_eq!(till.send("GET", "/v1/members/m1", &[("If-None-Match", &tag)], None).status, 200);
        let block = json!({ "store": "s001", "actor": "a1", "reason": "found by somebody" });
        assert_eq!(till.post("/v1/cards/card-2/block", &block).ok(200)["status"], "blocked");
    });
}

#[test]
fn pages_follow_one_another_without_a_gap() {
    each(|till| {
        till.member("m1");
        for n in 0..7 {
            till.sell(&format!("r{n}"), Some("card-m1"), "100.00", "90.00").ok(201);
        }
        let walk = |path: &str, from: &str| {
            let (mut all, mut next) = (Vec::new(), String::new());
            loop {
                let page = till.get(&format!("{path}{next}")).ok(200);
                all.extend(page["items"].as_array().unwrap().clone());
                match page["next"].as_str() {
                    Some(cursor) if !page["items"].as_array().unwrap().is_empty() => {
                        next = format!("&{from}={cursor}")
                    }
                    _ => return all,
                }
            }
        };
        let whole = till.get("/v1/sales?member=m1").ok(200);
        assert_eq!((whole["items"].as_array().unwrap().len(), &whole["next"]), (7, &Value::Null));
        assert_eq!(walk("/v1/sales?member=m1&limit=3", "cursor"), *whole["items"].as_array().unwrap());
        let whole = till.get("/v1/members/m1/statement?ledger=department").ok(200);
        assert_eq!(whole["items"].as_array().unwrap().len(), 7);
        assert_eq!(
            walk("/v1/members/m1/statement?ledger=department&limit=2", "cursor"),
            *whole["items"].as_array().unwrap()
        );
        let events = walk("/v1/events?limit=4", "after");
        let kinds = |kind: &str| events.iter().filter(|e| e["kind"] == kind).count();
        assert_eq!((kinds("sale.recorded"), kinds("member.enrolled")), (8, 1));
        for (path, at) in [
            ("/v1/sales?member=m1&limit=201", "limit"),
            ("/v1/sales?member=m1&limit=0", "limit"),
            ("/v1/sales?store=s001", "store"),
            ("/v1/sales?store=s001&date=today", "date"),
            ("/v1/sales?member=m1&colour=red", "colour"),
        ] {
            assert_eq!(till.get(path).problem(), (400, "malformed-request", Some(at)), "{path}");
        }
        assert_eq!(till.get("/v1/sales?member=m1&cursor=x").problem(), (400, "bad-cursor", Some("cursor")));
        assert_eq!(till.get("/v1/events?after=x").problem(), (400, "bad-cursor", Some("after")));
    });
}

#[test]
fn stores_come_from_the_rulebooks_and_counters_get_names() {
    each(|till| {
        let all = till.get("/v1/stores").ok(200);
        assert!(
            all["items"]
                .as_array()
                .unwrap()
                .iter()
                .any(|s| s["store"] == "s001" && s["zone"] == "Asia/Shanghai")
        );
        let body = json!({ "name": "Ladies' shoes" }).to_string();
        let put = |key: &str| {
            till.send("PUT", "/v1/stores/s001/counters/C301", &[("Idempotency-Key", key)], Some(&body))
        };
        assert_eq!(put("p1").ok(200)["name"], "Ladies' shoes");
        assert_eq!(put("p2").status, 200);
        let store = till.get("/v1/stores/s001").ok(200);
        assert_eq!(store["counters"], json!([{ "counter": "C301", "name": "Ladies' shoes" }]));
        assert_eq!(till.get("/readyz").ok(200)["status"], "ready");
    });
}

#[test]
fn two_records_of_one_person_become_one_and_two_again() {
    each(|till| {
        till.member("m1");
        till.member("m2");
        till.sell("r1", Some("card-m2"), "100.00", "90.00").ok(201);
        let points = till.balance("m2", "department", "available");
        let merge = json!({ "store": "s001", "actor": "a1", "into": "m1", "reason": "the same person" });
        assert_eq!(till.post("/v1/members/m2/merge", &merge).ok(200)["merged_into"], "m1");
        assert_eq!(till.balance("m1", "department", "available"), points);
        assert_eq!(till.get("/v1/members/m2").ok(200)["merged_into"], "m1");
        let who = json!({ "store": "s001", "actor": "a1" });
        assert_eq!(till.post("/v1/members/m2/unmerge", &who).ok(200)["status"], "active");
        assert_eq!(till.balance("m2", "department", "available"), points);
        assert_eq!(till.post("/v1/members/m2/erase", &who).ok(200)["status"], "erased");
        assert_eq!(till.get("/v1/members/m2").ok(200)["name"], Value::Null);
        assert_eq!(
            till.post("/v1/members", &applicant("m1", &json!("00000000-0000-0000-0000-000000000000")))
                .problem()
                .1,
            "member-exists"
        );
        assert_eq!(till.post("/v1/members/m1/upgrade", &who).ok(200)["tier"], "gold");
    });
}

#[test]
fn a_return_is_recorded_shown_and_taken_back() {
    each(|till| {
        let sale = clothes("r1", None, "100.00", "100.00");
        let sale = till.post("/v1/sales", &sale).ok(201)["sale"].clone();
        let evaluate = slip(&sale, "money_back");
        let looked = till.send("POST", "/v1/returns/evaluate", &[], Some(&evaluate.to_string())).ok(200);
        assert_eq!(
            (&looked["verdict"], &looked["totals"]["value"]),
            (&json!("allow"), &json!("100.00")),
            "{looked}"
        );
        let mut record =
            json!({ "store": "s001", "terminal": "t1", "actor": "a1", "ticket": looked["ticket"]["token"] });
        assert_eq!(till.post("/v1/returns", &record).problem().1, "approval-missing");
        let mut approve =
            json!({ "store": "s001", "ticket": record["ticket"], "approver": "a1", "role": "supervisor" });
        assert_eq!(till.post("/v1/returns/approvals", &approve).problem().1, "own-case");
        approve["approver"] = json!("boss");
        till.post("/v1/returns/approvals", &approve).ok(201);
        let returned = till.post("/v1/returns", &record).ok(201);
        assert_eq!(returned["paid_out"], "100.00");
        let path = format!("/v1/returns/{}", returned["return"].as_str().unwrap());
        let shown = till.get(&path).ok(200);
        assert_eq!((&shown["refund"], &shown["lines"][0]["quantity"]), (&json!("100.00"), &json!(1)));
        assert_eq!(shown["approvals"].as_array().unwrap().len(), 1);
        let of_sale = till.get(&format!("/v1/sales/{}", sale.as_str().unwrap())).ok(200);
        assert_eq!(
            (&of_sale["lines"][0]["returned"], &of_sale["returns"][0]["status"]),
            (&json!(1), &json!("recorded"))
        );
        assert_eq!(till.post("/v1/returns", &record).problem().1, "ticket-used");
        record["ticket"] = json!("made.up");
        assert_eq!(till.post("/v1/returns", &record).problem(), (422, "ticket-invalid", Some("ticket")));

        let void = json!({ "store": "s001", "actor": "a1", "reason": "the wrong coat" });
        till.post(&format!("{path}/void"), &void).ok(200);
        assert_eq!(till.get(&path).ok(200)["status"], "voided");
        assert_eq!(till.post(&format!("{path}/void"), &void).problem().1, "return-voided");
        let none = "/v1/returns/00000000-0000-0000-0000-000000000000";
        assert_eq!(till.get(none).problem(), (404, "unknown-return", None));
    });
}

/// What a desk tells that has paid 100.00 for goods of a receipt of today.
fn taken_without_a_line(base: &str, slip_number: &str, receipt: &str) -> Value {
    // The day as the store has it.
    let dry = clothes("day", None, "1.00", "1.00").to_string();
    let dry = common::till::send(base, "POST", "/v1/sales?dry_run=true", &[], Some(&dry)).ok(200);
    let mut event = slip(&json!(null), "money_back");
    event.as_object_mut().unwrap().remove("sale");
    for (name, value) in [
        ("terminal", json!("desk")),
        ("slip", json!(slip_number)),
        ("occurred_at", dry["occurred_at"].clone()),
        ("approved", json!({ "approver": "boss", "role": "general_manager" })),
        ("paid_out", json!([{ "kind": "cash", "amount": "100.00" }])),
        (
            "printed",
            json!({ "store": "s001", "terminal": "t1", "receipt": receipt, "date": dry["business_date"] }),
        ),
    ] {
        event[name] = value;
    }
    event
}

#[test]
fn a_sale_is_followed_by_its_return_also_if_the_server_is_killed_between() {
    each_database(|database| {
        let (_dir, policies) = common::till::jiajie();
        let server = common::Server::start(&policies, database);
        let post = |base: &str, path: &str, body: &Value| {
            let key = [("Idempotency-Key", path)];
            common::till::send(base, "POST", path, &key, Some(&body.to_string()))
        };
        let event = taken_without_a_line(&server.base, "R1", "r1");
        let told = post(&server.base, "/v1/returns/offline", &event).ok(202);
        post(&server.base, "/v1/sales", &clothes("r1", None, "100.00", "100.00")).ok(201);
        drop(server);
        let server = common::Server::start(&policies, database);
        let path = format!("/v1/returns/offline/{}", told["offline_return"].as_str().unwrap());
        let now = || common::till::send(&server.base, "GET", &path, &[], None).ok(200);
        let now = eventually("the return", || Some(now()).filter(|now| now["state"] != "waiting"));
        assert_eq!(now["state"], "recorded", "{now}");
    });
}

#[test]
fn a_return_that_was_taken_without_a_line_waits_for_its_sale() {
    each(|till| {
        let mut event = json!(null);
        let path = "/v1/returns/offline";
        let told: Vec<Value> = (0..3)
            .map(|n| {
                event = taken_without_a_line(&till.server.base, &format!("R{n}"), &format!("r{n}"));
                till.post_as(&format!("e{n}"), path, &event).ok(202)
            })
            .collect();
        let again = till.post_as("e2", path, &event);
        assert_eq!((again.header("idempotent-replayed"), &again.body), (Some("true"), &told[2]));
        assert_eq!(till.post(path, &event).problem(), (409, "slip-recorded", Some("slip")));
        let page = till.get(&format!("{path}?state=waiting&limit=2")).ok(200);
        let rest =
            till.get(&format!("{path}?state=waiting&cursor={}", page["next"].as_str().unwrap())).ok(200);
        assert_eq!((page["items"].as_array().unwrap().len(), &rest["next"]), (2, &Value::Null));
        let mut seen =
            [page["items"].as_array().unwrap().clone(), rest["items"].as_array().unwrap().clone()].concat();
        seen.sort_by_key(|row| row["slip"].as_str().unwrap().to_owned());
        assert_eq!(seen, told);
        let of =
            |n: usize| till.get(&format!("{path}/{}", told[n]["offline_return"].as_str().unwrap())).ok(200);

        // One sale is as the desk thought, one was cheaper.
        till.sell("r0", None, "100.00", "100.00").ok(201);
        till.sell("r1", None, "90.00", "90.00").ok(201);
        let recorded = eventually("the return", || Some(of(0)).filter(|now| now["state"] == "recorded"));
        let slip = till.get(&format!("/v1/returns/{}", recorded["return"].as_str().unwrap())).ok(200);
        assert_eq!((&slip["paid_out"], &slip["ticket"]), (&json!("100.00"), &recorded["offline_return"]));
        let differs = eventually("the other", || Some(of(1)).filter(|now| now["state"] == "differs"));
        assert_eq!(
            differs["differences"],
            json!([{ "what": "refund", "policy": "90.00", "desk": "100.00", "booked": "90.00" }])
        );
        let listed = till.get(&format!("{path}?state=differs")).ok(200);
        assert_eq!(listed["items"], json!([differs]));
        assert_eq!(of(2)["state"], "waiting");
        assert_eq!(
            till.get(&format!("{path}?state=lost")).problem(),
            (400, "malformed-request", Some("state"))
        );
        assert_eq!(till.get(&format!("{path}?cursor=x")).problem(), (400, "bad-cursor", Some("cursor")));
        let none = format!("{path}/00000000-0000-0000-0000-000000000000");
        assert_eq!(till.get(&none).problem(), (404, "unknown-return", None));
    });
}

#[test]
fn what_was_answered_is_there_after_a_restart() {
    each_database(|database| {
        let (dir, policies) = common::till::jiajie();
        let sale = clothes("r1", None, "10.00", "10.00").to_string();
        let key = [("Idempotency-Key", "k")];
        let send = |base: &str| common::till::send(base, "POST", "/v1/sales", &key, Some(&sale));
        let server = common::Server::start(&policies, database);
        let first = send(&server.base);
        assert_eq!(server.terminate(), 0);
        let server = common::Server::start(&policies, database);
        let second = send(&server.base);
        assert_eq!((first.status, first.text), (201, second.text.clone()));
        assert_eq!(second.header("idempotent-replayed"), Some("true"));
        drop(server);
        let file = format!("sqlite://{}/zhanggui.db", dir.path().display());
        let database = database.last().copied().unwrap_or(&file);
        for command in ["migrate", "verify"] {
            let run = common::zhanggui(&[command, "--database", database]);
            assert_eq!(run.code, 0, "{run:?}");
        }
    });
}
