//! More of the counter over HTTP, on either database: vouchers as money, points that are spent when they have to come back,
//! gifts for points, exchanges, a server that has too much to do, and one that is killed at the year's end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
mod common;
#[path = "common/members.rs"]
mod members;
use common::till::{Till, clothes};
use common::{each_database, eventually, postgres, zhanggui};
use sea_orm::{ConnectionTrait as _, SqliteTransactionMode, TransactionOptions, TransactionTrait as _};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::mpsc;

fn with_tenders(receipt: &str, price: &str, tenders: Value) -> Value {
    let mut sale = clothes(receipt, None, price, price);
    sale["tenders"] = tenders;
    sale
}

#[test]
fn a_voucher_is_money_until_it_is_spent() {
    each_database(|database| {
        let till = Till::open(database);
        till.member("m1");
        till.adjust("m1", "supermarket", 600);
        let wish = json!({ "store": "s001", "actor": "a1", "member": "m1", "wish": "goods_voucher",
            "place": "service_centre", "ledger": "supermarket", "points": 500, "visit": { "card_shown": true } });
        let redeemed = till.post("/v1/redemptions", &wish).ok(201);
        assert_eq!(redeemed["voucher"]["worth"], "20.00", "{redeemed}");
        let number = redeemed["voucher"]["number"].clone();
        let redemption = format!("/v1/redemptions/{}", redeemed["redemption"].as_str().unwrap());
        let left = || {
            let voucher = till.get(&redemption).ok(200)["voucher"].clone();
            (voucher["balance"].as_str().unwrap().to_owned(), voucher["status"].as_str().unwrap().to_owned())
        };
        let state = |balance: &str, status: &str| (balance.to_owned(), status.to_owned());
        let pay = |receipt: &str, reference: &Value, voucher: &str, cash: &str| {
            let tenders = json!([{ "kind": "voucher", "reference": reference, "amount": voucher },
                { "kind": "cash", "amount": cash }]);
            till.post("/v1/sales", &with_tenders(receipt, "30.00", tenders))
        };
        let sale = pay("r1", &number, "12.00", "18.00").ok(201)["sale"].clone();
        assert_eq!(left(), state("8.00", "issued"));
        assert_eq!(pay("r2", &number, "8.01", "21.99").problem(), (409, "voucher-spent", Some("tenders")));
        let nobodys = json!("V-none");
        assert_eq!(pay("r2", &nobodys, "1.00", "29.00").problem(), (409, "unknown-voucher", Some("tenders")));
        assert_eq!(left(), state("8.00", "issued"), "what is refused takes nothing");
        pay("r3", &number, "8.00", "22.00").ok(201);
        assert_eq!(left(), state("0.00", "spent"));
        let undo = json!({ "store": "s001", "actor": "a1", "reason": "by mistake" });
        assert_eq!(till.post(&format!("{redemption}/reverse"), &undo).problem().1, "voucher-spent");

        // The voucher's part goes back onto the voucher, whatever the customer would like.
        let mut record = till.approved(&sale, "money_back");
        record["refund_to"] = json!([{ "tender": 0, "kind": "cash" }]);
        let refused = till.post("/v1/returns", &record);
        assert_eq!(refused.problem(), (409, "tender-not-allowed", Some("refund_to[0].kind")));
        record.as_object_mut().unwrap().remove("refund_to");
        let returned = till.post("/v1/returns", &record).ok(201);
        let back: Vec<(&Value, &Value)> =
            returned["tenders"].as_array().unwrap().iter().map(|t| (&t["kind"], &t["amount"])).collect();
        assert_eq!(back, [(&json!("voucher"), &json!("12.00")), (&json!("cash"), &json!("18.00"))]);
        assert_eq!(left(), state("12.00", "issued"));
        let void = format!("/v1/returns/{}/void", returned["return"].as_str().unwrap());
        till.post(&void, &undo).ok(200);
        assert_eq!(left(), state("0.00", "spent"));
    });
}

/// How the ledger of department points takes points back.
fn clawback(policies: &Path, how: &str) {
    let file = policies.join("jiajie/rulebook.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = text.replacen("clawback = \"offset\"\npoint_worth = \"0.01\"", how, 1);
    assert_ne!(text, changed);
    std::fs::write(&file, changed).unwrap();
}

/// A member who has spent 700 of the 900 points of a purchase on a gift: the till and the sale.
fn spent_most(database: &[&str], how: &str) -> (Till, Value) {
    let till = Till::open_with(database, |policies| clawback(policies, how));
    till.member("m1");
    let sale = till.sell("r1", Some("card-m1"), "1000.00", "900.00").ok(201)["sale"].clone();
    gift(&till, 700).ok(201);
    assert_eq!(points(&till), [200, 0, 0]);
    (till, sale)
}

fn gift(till: &Till, points: i64) -> common::till::Answer {
    let wish = json!({ "store": "s001", "actor": "a1", "member": "m1", "wish": "points_gift", "place": "service_centre",
        "ledger": "department", "gift_points": points, "reference": "kettle", "visit": { "card_shown": true } });
    till.post("/v1/redemptions", &wish)
}

/// Available, pending, owed.
fn points(till: &Till) -> [i64; 3] {
    ["available", "pending", "debt"].map(|bucket| till.balance("m1", "department", bucket))
}

/// What a return did to department points: taken, owed, let go; and what was paid out.
fn taken(returned: &Value) -> [String; 4] {
    let of = &returned["points"][0];
    [&of["taken"], &of["owed"], &of["short"], &returned["paid_out"]].map(|v| v.as_str().unwrap().to_owned())
}

#[test]
fn points_that_are_spent_are_owed_up_to_the_limit() {
    each_database(|database| {
        let (till, sale) = spent_most(database, "clawback = \"debt\"\ndebt_limit = 300");
        let returned = till.bring_back(&sale);
        assert_eq!(taken(&returned), ["200", "300", "400", "900.00"]);
        assert_eq!(points(&till), [0, 0, 300]);
        let void = format!("/v1/returns/{}/void", returned["return"].as_str().unwrap());
        till.post(&void, &json!({ "store": "s001", "actor": "a1", "reason": "the wrong coat" })).ok(200);
        assert_eq!(points(&till), [200, 0, 0], "as if it had not been");
        assert_eq!(taken(&till.bring_back(&sale)), ["200", "300", "400", "900.00"]);
        // What is earned next pays the debt first.
        till.sell("r2", Some("card-m1"), "200.00", "180.00").ok(201);
        assert_eq!(points(&till), [0, 0, 120]);
        till.sell("r3", Some("card-m1"), "200.00", "180.00").ok(201);
        assert_eq!(points(&till), [60, 0, 0]);
    });
}

#[test]
fn points_that_are_spent_are_let_go_where_the_balance_is_all() {
    each_database(|database| {
        let (till, sale) = spent_most(database, "clawback = \"balance\"");
        assert_eq!(taken(&till.bring_back(&sale)), ["200", "0", "700", "900.00"]);
        till.sell("r2", Some("card-m1"), "200.00", "180.00").ok(201);
        assert_eq!(points(&till), [180, 0, 0]);
    });
}

#[test]
fn only_points_that_wait_come_back_where_the_ledger_says_so() {
    each_database(|database| {
        // Points that can be used at once are the member's for good.
        let (till, sale) = spent_most(database, "clawback = \"pending\"");
        assert_eq!(taken(&till.bring_back(&sale)), ["0", "0", "900", "900.00"]);
        assert_eq!(points(&till), [200, 0, 0]);
    });
    each_database(|database| {
        let till = Till::open_with(database, |policies| {
            clawback(policies, "clawback = \"pending\"");
            let vocabulary = policies.join("retail.vocab");
            let text = std::fs::read_to_string(&vocabulary).unwrap();
            let output = "  supermarket_points: one point";
            let more = format!("  department_usable_from: max date optional\n{output}");
            let changed = text.replacen(output, &more, 1);
            assert_ne!(text, changed);
            std::fs::write(&vocabulary, changed).unwrap();
            let rules = policies.join("jiajie/points.policy");
            let wait = "\nrule waits §\"三(四)\"\n  when counted\n  then department_usable_from = receipt.date + 7 days\n";
            std::fs::write(&rules, std::fs::read_to_string(&rules).unwrap() + wait).unwrap();
        });
        till.member("m1");
        let sale = till.sell("r1", Some("card-m1"), "1000.00", "900.00").ok(201)["sale"].clone();
        till.sell("r2", Some("card-m1"), "100.00", "90.00").ok(201);
        assert_eq!(points(&till), [0, 990, 0]);
        assert_eq!(gift(&till, 1).problem().1, "redemption-refused", "what waits cannot be spent");
        assert_eq!(taken(&till.bring_back(&sale)), ["900", "0", "0", "900.00"]);
        assert_eq!(points(&till), [0, 90, 0]);
    });
}

#[test]
fn a_gift_costs_points_and_no_more_than_there_are() {
    each_database(|database| {
        let till = Till::open(database);
        till.member("m1");
        till.adjust("m1", "department", 300);
        let refused = gift(&till, 301);
        assert_eq!(refused.problem(), (409, "redemption-refused", None));
        assert_eq!(refused.body["decision"]["outcome"]["redeem_bars"], json!(["too_few_points"]));
        assert_eq!(gift(&till, 0).problem().1, "redemption-refused");
        let told = gift(&till, 300).ok(201);
        assert_eq!((&told["points_used"], &told["voucher"]), (&json!("300"), &Value::Null));
        let redemption = format!("/v1/redemptions/{}", told["redemption"].as_str().unwrap());
        let shown = till.get(&redemption).ok(200);
        assert_eq!((&shown["reference"], &shown["status"]), (&json!("kettle"), &json!("recorded")));
        assert_eq!(points(&till), [0, 0, 0]);
        let kind = |nth: usize| {
            let list = till.get("/v1/members/m1/statement?ledger=department").ok(200);
            list["items"][nth]["kind"].as_str().unwrap().to_owned()
        };
        assert_eq!(kind(0), "spend");
        let undo = json!({ "store": "s001", "actor": "a1", "reason": "out of stock" });
        till.post(&format!("{redemption}/reverse"), &undo).ok(200);
        assert_eq!((points(&till), kind(0)), ([300, 0, 0], "reverse".to_owned()));
    });
}

#[test]
fn goods_are_exchanged_and_the_difference_is_paid() {
    each_database(|database| {
        let till = Till::open(database);
        till.member("m1");
        let sale = till.sell("r1", Some("card-m1"), "200.00", "180.00").ok(201)["sale"].clone();
        let record = till.approved(&sale, "exchange");
        assert_eq!(till.post("/v1/returns", &record).problem(), (409, "is-an-exchange", Some("ticket")));
        let dearer = |tenders: Value| {
            let mut new = clothes("r2", Some("card-m1"), "260.00", "0.00");
            new["tenders"] = tenders;
            json!({ "return": record, "sale": new })
        };
        let short = till.post("/v1/exchanges", &dearer(json!([])));
        assert_eq!(short.problem(), (422, "tenders-do-not-add-up", Some("sale.tenders")));
        assert_eq!(short.body["to_pay"], "54.00");
        let paid = dearer(json!([{ "kind": "cash", "amount": "54.00" }]));
        let done = till.post_as("exchange", "/v1/exchanges", &paid);
        let again = till.post_as("exchange", "/v1/exchanges", &paid);
        assert_eq!(
            (done.text.as_str(), again.header("idempotent-replayed")),
            (again.text.as_str(), Some("true"))
        );
        let done = done.ok(201);
        assert_eq!(
            (&done["carried"], &done["paid_on_top"], &done["goes_back"]),
            (&json!("180.00"), &json!("54.00"), &json!("0.00"))
        );
        assert_eq!(points(&till), [234, 0, 0], "the points of the new goods, and only those");
        let sale_of = |id: &Value| till.get(&format!("/v1/sales/{}", id.as_str().unwrap())).ok(200);
        assert_eq!(sale_of(&sale)["lines"][0]["returned"], 1);
        let tenders = sale_of(&done["sale"]["sale"])["tenders"].clone();
        let amounts: Vec<&Value> = tenders.as_array().unwrap().iter().map(|t| &t["amount"]).collect();
        assert_eq!(amounts, [&json!("180.00"), &json!("54.00")]);
        let void = format!("/v1/returns/{}/void", done["return"]["return"].as_str().unwrap());
        let reason = json!({ "store": "s001", "actor": "a1", "reason": "regretted" });
        assert_eq!(till.post(&void, &reason).problem().1, "exchange-stands");
        assert_eq!(till.post("/v1/exchanges", &paid).problem().1, "ticket-used");
    });
}

/// Keeps the writer from writing for as long as it lives.
struct Hindrance(Option<mpsc::Sender<()>>, Option<std::thread::JoinHandle<()>>);

impl Hindrance {
    fn of(url: &str) -> Hindrance {
        let (release, released) = mpsc::channel::<()>();
        let (locked, is_locked) = mpsc::channel();
        let url = url.to_owned();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let db = sea_orm::Database::connect(&url).await.unwrap();
                let sqlite = url.starts_with("sqlite");
                let mode = sqlite.then_some(SqliteTransactionMode::Immediate);
                let options = TransactionOptions { sqlite_transaction_mode: mode, ..Default::default() };
                let tx = db.begin_with_options(options).await.unwrap();
                if !sqlite {
                    tx.execute_unprepared("LOCK TABLE answers IN ACCESS EXCLUSIVE MODE").await.unwrap();
                }
                locked.send(()).unwrap();
                // Until the other end is dropped.
                let _ = released.recv();
                tx.rollback().await.unwrap();
                db.close().await.unwrap();
            });
        });
        is_locked.recv().unwrap();
        Hindrance(Some(release), Some(thread))
    }
}

impl Drop for Hindrance {
    fn drop(&mut self) {
        self.0.take();
        let _ = self.1.take().unwrap().join();
    }
}

#[test]
fn a_full_queue_says_when_to_come_again() {
    const SENT: usize = 8;
    each_database(|database| {
        let till = Till::open_with(database, |policies| {
            let settings = policies.parent().unwrap().join("zhanggui.toml");
            std::fs::write(settings, "queue = 1\nbatch = 1\n").unwrap();
        });
        let file = till.file();
        let hindrance = Hindrance::of(database.last().copied().unwrap_or(&file));
        let (heard, hears) = mpsc::channel();
        let sale = |n: usize| clothes(&format!("r{n}"), None, "5.00", "5.00");
        let busy = std::thread::scope(|scope| {
            for n in 0..SENT {
                let (till, heard) = (&till, heard.clone());
                scope.spawn(move || {
                    heard.send((n, till.post_as(&format!("k{n}"), "/v1/sales", &sale(n)))).unwrap()
                });
            }
            // One is being written, one waits, and nothing is answered but that there is no room.
            let mut busy = Vec::new();
            for _ in 0..SENT - 2 {
                let (n, answer) = hears.recv().unwrap();
                assert_eq!(answer.problem(), (503, "busy", None), "{}", answer.text);
                assert_eq!(answer.header("retry-after"), Some("1"));
                busy.push(n);
            }
            assert_eq!(till.get("/v1/stores").status, 200, "who only looks waits for nobody");
            drop(hindrance);
            let rest: Vec<_> = (0..2).map(|_| hears.recv().unwrap()).collect();
            let (taken, late): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(_, a)| a.status == 201);
            // The server's own work may have had one of the two places.
            assert!(!taken.is_empty(), "{late:?}");
            assert!(taken.iter().all(|(_, a)| a.header("idempotent-replayed").is_none()));
            assert!(late.iter().all(|(_, a)| a.problem().1 == "busy"), "{late:?}");
            busy.extend(late.into_iter().map(|(n, _)| n));
            busy
        });
        for n in busy {
            let answer = eventually("room in the queue", || {
                Some(till.post_as(&format!("k{n}"), "/v1/sales", &sale(n))).filter(|a| a.status != 503)
            });
            assert_eq!(answer.header("idempotent-replayed"), None, "nothing was taken the first time");
            answer.ok(201);
        }
        let date = till.post_as("k0", "/v1/sales", &sale(0)).ok(201)["business_date"].clone();
        let day = till.get(&format!("/v1/sales?store=s001&date={}", date.as_str().unwrap())).ok(200);
        assert_eq!(day["items"].as_array().unwrap().len(), SENT);
        assert_eq!(till.server.terminate(), 0);
    });
}

#[test]
fn what_can_never_be_recorded_says_so_and_where() {
    each_database(|database| {
        let till = Till::open(database);
        till.member("m1");
        let of = |change: &dyn Fn(&mut Value)| {
            let mut sale = clothes("r1", None, "10.00", "10.00");
            change(&mut sale);
            till.post("/v1/sales", &sale)
        };
        let gift = |worth: &str, threshold: &str| {
            let gift = json!({ "reference": "g", "worth": worth, "threshold": threshold });
            of(&|sale| sale["gifts"] = json!([gift]))
        };
        assert_eq!(gift("-1", "1").problem(), (422, "malformed-sale", Some("gifts[0].worth")));
        assert_eq!(gift("1", "-1").problem(), (422, "malformed-sale", Some("gifts[0].threshold")));
        let nul = of(&|sale| sale["lines"][0]["sku"] = json!("c\u{0}"));
        assert_eq!(nul.problem(), (400, "malformed-request", Some("lines[0].sku")));
        let long = of(&|sale| sale["lines"][0]["area"] = json!("a".repeat(4000)));
        assert_eq!(long.problem(), (422, "malformed-sale", Some("lines[0].area")));
        // So many that their sum is no number any more.
        let most = "90071992547409.91";
        let tenders = json!(vec![json!({ "kind": "cash", "amount": most }); 1100]);
        let many = of(&|sale| sale["tenders"] = tenders.clone());
        assert_eq!(many.problem(), (422, "malformed-sale", Some("tenders")));
        let discounts = json!(vec![json!({ "reference": "c", "amount": most }); 1100]);
        let many = of(&|sale| sale["discounts"] = discounts.clone());
        assert_eq!(many.problem(), (422, "malformed-sale", Some("discounts")));
        let dear = of(&|sale| {
            let mut line = sale["lines"][0].clone();
            line["shelf_price"] = json!(most);
            sale["lines"] = json!([line, line]);
        });
        assert_eq!(dear.problem(), (422, "out-of-range", Some("lines")));
        for new in [String::new(), "c".repeat(4000)] {
            let replace = json!({ "store": "s001", "actor": "a1", "mishap": "lost_card", "new_card": new,
                "visit": { "id_shown": true } });
            let told = till.post("/v1/members/m1/cards", &replace);
            assert_eq!(told.problem(), (422, "malformed-edit", Some("new_card")));
        }
        let block = json!({ "store": "s001", "actor": "a1", "reason": "lost" });
        assert_eq!(till.post("/v1/cards/c%00/block", &block).problem().1, "not-found");
        // An exchange's tenders are added up before its sale is looked at.
        let sale = till.sell("r2", None, "10.00", "10.00").ok(201);
        let approved = till.approved(&sale["sale"], "exchange");
        let mut new = clothes("r3", None, "10.00", "10.00");
        new["tenders"] = tenders;
        let exchange = till.post("/v1/exchanges", &json!({ "return": approved, "sale": new }));
        assert_eq!(exchange.problem(), (422, "out-of-range", Some("sale.tenders[1].amount")));
        assert_eq!(of(&|_| ()).status, 201, "it serves on");
    });
}

#[test]
fn a_closed_day_takes_up_nothing_more() {
    each_database(|database| {
        let till = Till::open(database);
        let close = |day: &str, reason: Value| {
            let body = json!({ "closed_through": day, "actor": "a1", "reason": reason });
            let key = till.fresh();
            till.send("PUT", "/v1/stores/s001/closing", &[("Idempotency-Key", &key)], Some(&body.to_string()))
        };
        let day = |ago: i64| {
            let then = chrono::Utc::now() + chrono::Duration::hours(8) - chrono::Duration::days(ago);
            then.format("%Y-%m-%d").to_string()
        };
        let sell = |receipt: &str, ago: i64| {
            let mut sale = clothes(receipt, None, "10.00", "10.00");
            sale["occurred_at"] = json!(format!("{}T12:00:00+08:00", day(ago)));
            till.post("/v1/sales", &sale)
        };
        assert_eq!(sell("r1", 4).status, 201);
        assert_eq!(close("soon", Value::Null).problem(), (422, "malformed-closing", Some("closed_through")));
        assert_eq!(close(&day(-1), Value::Null).problem(), (422, "in-the-future", Some("closed_through")));
        let closed = close(&day(3), Value::Null).ok(200);
        assert_eq!((&closed["closed_through"], &closed["before"]), (&json!(day(3)), &Value::Null));
        assert_eq!(till.get("/v1/stores/s001").ok(200)["closed_through"], json!(day(3)));
        assert_eq!(sell("r2", 3).problem(), (422, "too-late", Some("occurred_at")));
        assert_eq!(sell("r3", 2).status, 201);
        // Backwards only for a reason; both stand among the events.
        assert_eq!(close(&day(5), json!(" ")).problem(), (422, "reason-missing", Some("reason")));
        assert_eq!(close(&day(5), json!("a till came late")).ok(200)["before"], json!(day(3)));
        assert_eq!(sell("r4", 3).status, 201);
        let events = till.get("/v1/events?limit=200").ok(200);
        let closings = events["items"].as_array().unwrap().iter().filter(|e| e["kind"] == "store.closed");
        assert_eq!(closings.count(), 2);
    });
}

#[test]
fn a_settlement_goes_on_where_it_was_killed_or_stopped() {
    const MEMBERS: u64 = 5_000;
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite://{}?mode=rwc", folder.path().join("z.db").display());
    for url in [Some(file), postgres::cluster().map(postgres::Cluster::database)].into_iter().flatten() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(members::with_points(&url, MEMBERS, 1));
        let database = ["--database", &url];
        let year = json!({ "store": "s001", "actor": "a1", "ledger": "department", "year": 2025 });
        let till = Till::open(&database);
        let begun = till.post("/v1/settlements", &year).ok(202);
        let path = format!("/v1/settlements/{}", begun["settlement"].as_str().unwrap());
        eventually("some members", || (till.get(&path).ok(200)["members"] != 0).then_some(()));
        drop(till);

        let till = Till::open(&database);
        let left = till.get(&path).ok(200);
        assert_eq!(left["status"], "running", "{left}");
        assert!(left["members"].as_u64().unwrap() < MEMBERS, "{left}");
        // Told to stop amid it, the server does not wait for the end of the year.
        assert_eq!(till.post("/v1/settlements", &year).ok(202)["settlement"], begun["settlement"]);
        assert_eq!(till.server.terminate(), 0);

        let till = Till::open(&database);
        assert_eq!(till.post("/v1/settlements", &year).ok(202)["settlement"], begun["settlement"]);
        let report = eventually("the settlement", || {
            let report = till.get(&path).ok(200);
            (report["status"] == "finished").then_some(report)
        });
        // Every other one has 1500 points, which are 15.00 yuan, and the others 10, which are nothing: nobody twice.
        let whole = json!([MEMBERS, "3775000", "37500.00"]);
        assert_eq!(json!([report["members"], report["cleared"], report["credited"]]), whole, "{report}");
        assert_eq!(till.balance("S7", "department", "available"), 0);
        assert_eq!(till.server.terminate(), 0);
        let verified = zhanggui(&["verify", "--database", &url]);
        assert_eq!(verified.code, 0, "{verified:?}");
    }
}
