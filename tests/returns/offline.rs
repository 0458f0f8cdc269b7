//! Returns that a desk took while it had no line: whatever the order in which things arrive, the rows are the same.
use crate::each::{Place, each};
use crate::rewritten;
use crate::shop::*;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use zhanggui::counter::returns::{MatchOffline, OfflineReturnRequest, TakeOffline, offline_told};
use zhanggui::counter::sale::RecordSale;
use zhanggui::records::entity::*;
use zhanggui::records::{Clock as _, Job, migrate, read};

/// What a desk tells that has taken one line's units back and paid in cash.
fn told_of(slip: &str, receipt: &str, quantity: i32, paid: &str) -> Value {
    json!({
        "store": "s001", "terminal": "desk", "slip": slip, "occurred_at": "2026-07-02T15:00:00+08:00",
        "actor": "clerk", "approved": {"approver": "boss", "role": "general_manager"},
        "printed": {"store": "s001", "terminal": "t1", "receipt": receipt, "date": "2026-07-01"},
        "lines": [{"line": 0, "quantity": quantity, "item": sound(json!({}))}],
        "paid_out": [{"kind": "cash", "amount": paid}],
        "receipt": {"till_slip": true, "customer_copy": true, "invoice": false},
        "request": {"reason": "change_of_mind", "inquiry": null, "salesperson": null},
    })
}

fn with(mut all: Value, more: Value) -> Value {
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

fn operation(shop: &Shop, told: &Value) -> TakeOffline {
    let request: OfflineReturnRequest = serde_json::from_value(told.clone()).unwrap();
    TakeOffline { desk: shop.desk(&told["store"]), request }
}

async fn take(shop: &Shop, told: &Value) -> Told {
    shop.run(operation(shop, told)).await
}

/// Sells three dresses of 100.00 each to a member on 1 July; the till may tell of it later.
async fn sell(shop: &Shop, receipt: &str) -> Value {
    let more = json!({"card": "C-M1", "occurred_at": "2026-07-01T15:00:00+08:00",
        "gifts": [{"reference": "towel", "threshold": "150", "worth": "39"}]});
    shop.sell(receipt, vec![dress("100", 3)], json!([{"kind": "cash", "amount": "300"}]), more).await
}

/// Under no key, as a server does it.
async fn match_one(shop: &Shop, operation: MatchOffline) -> Value {
    let job = Job { key: None, dry: false, fingerprint: String::new(), operation: Arc::new(operation) };
    let (status, said) = told(shop.engine.execute(&[job]).await.remove(0));
    assert_eq!(status, 200, "{said}");
    said
}

/// What a server does beside its requests: records what waits and has its sale. Says how much that was.
async fn match_all(shop: &Shop) -> usize {
    let db = shop.engine.store().reader().clone();
    let mut rows = read::offline_come(&db, "waiting", None, 100).await.unwrap();
    rows.extend(read::offline_come(&db, "undecided", None, 100).await.unwrap());
    for row in &rows {
        let desk = shop.desk(&json!(row.store));
        match_one(shop, MatchOffline { desk, id: row.id, sale: row.sale_id }).await;
    }
    rows.len()
}

/// As callers see it now.
async fn seen(shop: &Shop, told: &Value) -> Value {
    let id = uuid(&told["offline_return"]);
    let row = read::offline_return(shop.engine.store().reader(), id).await.unwrap().unwrap();
    offline_told(&row, chrono_tz::Asia::Shanghai, shop.clock.now())
}

async fn listed(shop: &Shop, state: &str) -> Vec<String> {
    let db = shop.engine.store().reader();
    let rows = read::offline_returns(db, Some(state), shop.clock.now(), None, 100).await.unwrap();
    rows.into_iter().map(|row| row.slip).collect()
}

/// Everything that a sale and its returns have left, without when it was recorded and what is named by that.
async fn traces(shop: &Shop) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut note = |what: &str, text: String| assert!(all.insert(format!("{what} {text}")), "{text}");
    for row in shop.rows::<sale::Entity>().await {
        note("sale", format!("{:?}", sale::Model { recorded_at: 0, ..row }));
    }
    for row in shop.rows::<return_slip::Entity>().await {
        note("return", format!("{:?}", return_slip::Model { recorded_at: 0, ..row }));
    }
    macro_rules! whole {
        ($($entity:ident)+) => { $(for row in shop.rows::<$entity::Entity>().await {
            note(stringify!($entity), format!("{row:?}"));
        })+ };
    }
    whole!(sale_line sale_tender sale_gift return_line return_tender due account member_day);
    for row in shop.rows::<approval::Entity>().await {
        note("approval", format!("{:?}", approval::Model { at: 0, ..row }));
    }
    for row in shop.rows::<decision::Entity>().await {
        note("decision", format!("{} {:?} {} {}", row.decision, row.cause_id, row.facts, row.outcome));
    }
    let entries = shop.rows::<entry::Entity>().await;
    for row in shop.rows::<movement::Entity>().await {
        let of = entries.iter().filter(|e| e.movement_id == row.id);
        let of: Vec<String> = of.map(|e| format!("{} {} {}", e.seq, e.bucket, e.amount)).collect();
        let cause = (&row.cause, row.cause_id, row.occurred_at, row.business_date, &row.clause);
        note("movement", format!("{} {} {cause:?} {of:?}", row.kind, row.ledger));
    }
    for row in shop.rows::<lot::Entity>().await {
        note("lot", format!("{:?} {} {} {:?}", row.cause_id, row.ledger, row.remaining, row.expires_on));
    }
    all
}

/// A second shop on a database of the same kind, with the same member.
async fn another(place: &Place) -> Shop {
    let db = place.other().await;
    migrate(&db).await.unwrap();
    let shop = Shop::open(&db).await;
    shop.enrol("M1").await;
    shop
}

#[test]
fn case_16_a_return_that_was_taken_before_its_sale_arrived_is_as_if_both_had_come_in_order() {
    each(async |place| {
        let early = Shop::open(&place.db).await;
        early.enrol("M1").await;
        let ordered = another(place).await;
        // Two of three come back: the towel is owed, and is there.
        let event = with(
            told_of("R1", "1", 2, "200.00"),
            json!({"dues": [{"reference": "towel", "settled": "handed_back"}]}),
        );
        for shop in [&early, &ordered] {
            shop.at("2026-07-03T09:00:00+08:00");
        }
        let (status, waits) = take(&early, &event).await;
        assert_eq!((status, &waits["state"], &waits["return"]), (202, &json!("waiting"), &json!(null)));
        assert_eq!((match_all(&early).await, early.balance("M1", "department").await), (0, 0));
        let sale = sell(&early, "1").await;
        assert_eq!(waits["sale"], sale);
        assert_eq!(early.balance("M1", "department").await, 300);
        assert_eq!(match_all(&early).await, 1);

        assert_eq!(sell(&ordered, "1").await, sale);
        let (status, told) = take(&ordered, &event).await;
        assert_eq!((status, &told["state"]), (201, &json!("recorded")), "{told:#}");
        let now = seen(&early, &waits).await;
        assert_eq!((&now["state"], &now["return"]), (&json!("recorded"), &told["return"]), "{now:#}");
        let (in_order, out_of_order) = (traces(&ordered).await, traces(&early).await);
        assert!(in_order.len() > 15, "{in_order:#?}");
        assert_eq!(in_order, out_of_order);
        assert_eq!(early.balance("M1", "department").await, 100);

        // Whatever arrives once more changes nothing.
        assert_eq!(match_all(&early).await, 0);
        let desk = early.desk(&json!("s001"));
        let id = uuid(&waits["offline_return"]);
        let told = match_one(&early, MatchOffline { desk, id, sale: uuid(&sale) }).await;
        assert_eq!(told["return"], now["return"]);
        assert_eq!(traces(&early).await, out_of_order);
        for shop in [&early, &ordered] {
            shop.close().await;
        }
    });
}

#[test]
fn case_16_what_a_desk_did_without_a_line_is_what_it_would_have_done_with_one() {
    each(async |place| {
        let online = Shop::open(&place.db).await;
        online.enrol("M1").await;
        let offline = another(place).await;
        for shop in [&online, &offline] {
            shop.at("2026-07-02T15:00:00+08:00");
            sell(shop, "1").await;
        }
        let sale = online.rows::<sale::Entity>().await[0].id;
        online.bring_back(&slip(&json!(sale), &[(0, 1)]), none()).await;
        let event =
            with(told_of("R1", "1", 1, "100.00"), json!({"occurred_at": "2026-07-02T15:00:00+08:00"}));
        let (status, told) = take(&offline, &event).await;
        assert_eq!((status, &told["differences"]), (201, &json!([])), "{told:#}");
        let rows = async |shop: &Shop| {
            let slips = shop.rows::<return_slip::Entity>().await;
            let slips: Vec<_> =
                slips.iter().map(|r| (r.refund, r.withheld, r.paid_out, r.member_id)).collect();
            let lines = shop.rows::<return_line::Entity>().await;
            let lines: Vec<_> =
                lines.into_iter().map(|l| (l.line, l.from_unit, l.quantity, l.refund, l.facts)).collect();
            let paid = shop.rows::<return_tender::Entity>().await;
            let paid: Vec<_> =
                paid.into_iter().map(|t| (t.kind, t.reference, t.amount, t.sale_seq)).collect();
            let days = shop.rows::<member_day::Entity>().await;
            let sold = shop.rows::<sale_line::Entity>().await;
            (slips, lines, paid, days, sold, shop.rows::<account::Entity>().await)
        };
        assert_eq!(rows(&online).await, rows(&offline).await);
        for shop in [&online, &offline] {
            shop.close().await;
        }
    });
}

#[test]
fn an_offline_return_and_its_sale_may_be_sent_as_often_as_they_like() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        shop.at("2026-07-03T09:00:00+08:00");
        let event = told_of("R1", "1", 1, "100.00");
        let first = told(shop.keyed("e", operation(&shop, &event)).await);
        assert_eq!(first.0, 202, "{}", first.1);
        // The answer was lost.
        assert_eq!(told(shop.keyed("e", operation(&shop, &event)).await), first);
        // The desk was set up anew and tells everything once more.
        let again = async |return_id: &Value| {
            let (status, said) = take(&shop, &event).await;
            assert_eq!((status, &said["code"]), (409, &json!("slip-recorded")), "{said}");
            assert_eq!(said["offline_return"], first.1["offline_return"]);
            assert_eq!(&said["return"], return_id);
        };
        again(&json!(null)).await;
        sell(&shop, "1").await;
        assert_eq!(match_all(&shop).await, 1);
        let return_id = seen(&shop, &first.1).await["return"].clone();
        assert!(return_id.is_string());
        again(&return_id).await;
        // And so does the till.
        let before = traces(&shop).await;
        let request = json!({"store": "s001", "terminal": "t1", "receipt": "1", "actor": "seller",
            "occurred_at": "2026-07-01T15:00:00+08:00", "lines": [dress("100", 3)],
            "tenders": [{"kind": "cash", "amount": "300"}]});
        let desk = shop.desk(&json!("s001"));
        let request = serde_json::from_value(request).unwrap();
        let (status, said) = shop.run(RecordSale { desk, request, exchange: None }).await;
        assert_eq!((status, &said["code"]), (409, &json!("receipt-recorded")), "{said}");
        assert_eq!((match_all(&shop).await, traces(&shop).await), (0, before));
        shop.close().await;
    });
}

#[test]
fn of_two_offline_returns_for_more_than_was_bought_the_second_is_listed_and_not_recorded() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        shop.at("2026-07-03T09:00:00+08:00");
        let gift = json!({"dues": [{"reference": "towel", "settled": "handed_back"}]});
        // The later one is told first.
        let later =
            with(told_of("R2", "1", 2, "200.00"), json!({"occurred_at": "2026-07-02T16:00:00+08:00"}));
        let (_, later) = take(&shop, &with(later, gift.clone())).await;
        let (_, sooner) = take(&shop, &with(told_of("R1", "1", 2, "200.00"), gift)).await;
        sell(&shop, "1").await;
        assert_eq!(match_all(&shop).await, 2);
        assert_eq!(seen(&shop, &sooner).await["state"], json!("recorded"));
        let refused = seen(&shop, &later).await;
        assert_eq!(
            (&refused["state"], &refused["problem"]["code"], &refused["return"]),
            (&json!("refused"), &json!("quantity-not-returnable"), &json!(null)),
            "{refused:#}"
        );
        // What it paid is known, and nothing of it is booked.
        assert_eq!(refused["paid_out"][0]["amount"], json!("200.00"));
        assert_eq!(shop.rows::<return_slip::Entity>().await.len(), 1);
        assert_eq!(shop.rows::<sale_line::Entity>().await[0].returned, 2);
        assert_eq!(shop.balance("M1", "department").await, 100);
        assert_eq!(listed(&shop, "refused").await, ["R2"]);
        assert_eq!(match_all(&shop).await, 0);
        // What of it is right comes in under another number.
        let (status, told) = take(&shop, &told_of("R3", "1", 1, "100.00")).await;
        assert_eq!((status, &told["state"]), (201, &json!("recorded")), "{told:#}");
        assert_eq!(shop.balance("M1", "department").await, 0);
        shop.close().await;
    });
}

#[test]
fn what_the_policy_says_otherwise_stands_beside_what_was_done() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        shop.at("2026-07-20T09:00:00+08:00");
        let (mut events, what) = (Vec::new(), |told: &Value| -> Vec<String> {
            let all = told["differences"].as_array().unwrap();
            all.iter().map(|d| d["what"].as_str().unwrap().to_owned()).collect()
        });
        let at = |time: &str| json!({"occurred_at": format!("2026-07-{time}:00+08:00")});
        // Worn, long after the days in which minds are changed, and paid all the same; 20.00 less than it was worth; 20.00
        // more; by card for what was paid in cash; without the towel; approved by nobody.
        let worn = json!({"lines": [{"line": 0, "quantity": 1, "item": sound(json!({"original": false, "resaleable": false}))}]});
        for (slip, paid, more, differs) in [
            ("R1", "100.00", with(worn, at("19T10:00")), vec!["verdict", "refund"]),
            ("R2", "80.00", none(), vec!["refund"]),
            ("R3", "120.00", none(), vec!["refund"]),
            ("R4", "100.00", json!({"paid_out": [{"kind": "card", "amount": "100"}]}), vec!["tender"]),
            (
                "R5",
                "200.00",
                json!({"lines": [{"line": 0, "quantity": 2, "item": sound(json!({}))}]}),
                vec!["due"],
            ),
            ("R6", "100.00", json!({"approved": null}), vec!["approval"]),
            (
                "R7",
                "100.00",
                json!({"approved": {"approver": "clerk", "role": "general_manager"}}),
                vec!["approval"],
            ),
        ] {
            let (status, told) = take(&shop, &with(told_of(slip, slip, 1, paid), more)).await;
            assert_eq!((status, &told["state"]), (202, &json!("waiting")), "{told:#}");
            events.push((slip, told, differs));
        }
        for (receipt, ..) in &events {
            sell(&shop, receipt).await;
        }
        assert_eq!(match_all(&shop).await, 7);
        for (slip, told, differs) in &events {
            let now = seen(&shop, told).await;
            assert_eq!(now["state"], json!("differs"), "{slip}: {now:#}");
            assert_eq!(what(&now), *differs, "{slip}: {now:#}");
        }
        assert_eq!(listed(&shop, "differs").await.len(), 7);
        // Money as it was paid, but on no receipt more than the goods were worth.
        let paid = shop.rows::<return_slip::Entity>().await;
        let mut paid: Vec<i64> = paid.iter().map(|r| r.paid_out).collect();
        paid.sort_unstable();
        assert_eq!(paid, [8_000, 10_000, 10_000, 10_000, 10_000, 10_000, 20_000]);
        let more = seen(&shop, &events[2].1).await["differences"][0].clone();
        assert_eq!(more, json!({"what": "refund", "policy": "100.00", "desk": "120.00", "booked": "100.00"}));
        let kinds = shop.rows::<return_tender::Entity>().await;
        assert_eq!(kinds.iter().filter(|t| t.kind == "card" && t.amount == 10_000).count(), 1);
        // Eight units are back, also the one that the policy would not have taken, and their points with them.
        assert_eq!(shop.balance("M1", "department").await, 7 * 300 - 800);
        shop.close().await;
    });
}

#[test]
fn points_that_are_gone_are_kept_back_or_told() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        shop.at("2026-07-03T09:00:00+08:00");
        let kept = take(&shop, &told_of("R1", "1", 1, "99.20")).await.1;
        let paid = take(&shop, &told_of("R2", "2", 1, "100.00")).await.1;
        sell(&shop, "1").await;
        shop.adjust("M1", "department", json!(-280)).await;
        assert_eq!(match_all(&shop).await, 1);
        // Eighty of the hundred points are missing, a cent each: the desk kept that back.
        let now = seen(&shop, &kept).await;
        assert_eq!((&now["state"], &now["differences"]), (&json!("recorded"), &json!([])), "{now:#}");
        let slip = &shop.rows::<return_slip::Entity>().await[0];
        assert_eq!((slip.refund, slip.withheld, slip.paid_out, slip.points_short), (10_000, 80, 9_920, 80));
        // Here it did not.
        sell(&shop, "2").await;
        shop.adjust("M1", "department", json!(-300)).await;
        assert_eq!(match_all(&shop).await, 1);
        let now = seen(&shop, &paid).await;
        assert_eq!(
            now["differences"],
            json!([
                {"what": "due", "policy": {"kind": "points", "reference": "department", "amount": "1.00"}, "desk": null},
                {"what": "refund", "policy": "99.00", "desk": "100.00", "booked": "100.00"},
            ])
        );
        assert_eq!(shop.rows::<due::Entity>().await.len(), 1);
        shop.close().await;
    });
}

#[test]
fn stored_value_of_an_offline_return_goes_to_where_it_was() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        shop.adjust("M1", "rebate", json!("60")).await;
        shop.at("2026-07-03T09:00:00+08:00");
        let tenders =
            json!([{"kind": "rebate", "amount": "30"}, {"kind": "card", "reference": "tok", "amount": "70"}]);
        let more = json!({"card": "C-M1", "occurred_at": "2026-07-01T15:00:00+08:00"});
        let event = |slip: &str, paid: Value| with(told_of(slip, slip, 1, "0"), json!({"paid_out": paid}));
        let right = json!([{"kind": "cash", "amount": "70"}, {"kind": "rebate", "amount": "30"}]);
        let right = take(&shop, &event("R1", right)).await.1;
        let cash = take(&shop, &event("R2", json!([{"kind": "cash", "amount": "100"}]))).await.1;
        for receipt in ["R1", "R2"] {
            shop.sell(receipt, vec![dress("100", 1)], tenders.clone(), more.clone()).await;
        }
        assert_eq!((match_all(&shop).await, shop.balance("M1", "rebate").await), (2, 3_000));
        // What was paid with a card may become cash, as the rulebook says.
        assert_eq!(seen(&shop, &right).await["differences"], json!([]));
        let told = seen(&shop, &cash).await["differences"].clone();
        assert_eq!(
            told,
            json!([{"what": "tender", "tender": 0, "paid_with": "rebate", "policy": ["rebate"], "desk": "cash", "amount": "30.00"}])
        );
        let mut back = shop.rows::<return_tender::Entity>().await;
        back.sort_by_key(|t| (t.sale_seq, t.kind.clone()));
        let back: Vec<_> = back.iter().map(|t| (t.sale_seq, t.kind.as_str(), t.amount)).collect();
        let parts = [(0, "cash", 3_000), (0, "rebate", 3_000), (1, "cash", 7_000), (1, "cash", 7_000)];
        assert_eq!(back, parts.map(|(tender, kind, amount)| (Some(tender), kind, amount)));
        shop.close().await;
    });
}

#[test]
fn an_offline_return_waits_until_its_sale_can_come_no_more_and_is_still_listed() {
    each(async |place| {
        let mut shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        shop.at("2026-07-31T15:00:00+08:00");
        let (status, waits) = take(&shop, &told_of("R1", "1", 1, "100.00")).await;
        assert_eq!((status, &waits["state"]), (202, &json!("waiting")));
        assert_eq!(waits["waits_until"], json!("2026-08-01T15:00:00+08:00"));
        assert_eq!(listed(&shop, "waiting").await, ["R1"]);
        shop.at("2026-08-01T15:00:01+08:00");
        assert_eq!(
            (listed(&shop, "waiting").await.len(), listed(&shop, "unmatched").await),
            (0, vec!["R1".to_owned()])
        );
        assert_eq!(seen(&shop, &waits).await["state"], json!("unmatched"));
        // Told only now, neither of them is taken up.
        let (status, told) = take(&shop, &told_of("R2", "1", 1, "100.00")).await;
        assert_eq!((status, &told["code"], &told["path"]), (422, &json!("too-late"), &json!("occurred_at")));
        let request = json!({"store": "s001", "terminal": "t1", "receipt": "1", "actor": "seller",
            "occurred_at": "2026-07-01T15:00:00+08:00", "lines": [dress("100", 3)],
            "tenders": [{"kind": "cash", "amount": "300"}]});
        let sale = |desk| RecordSale {
            desk,
            request: serde_json::from_value(request.clone()).unwrap(),
            exchange: None,
        };
        let (status, told) = shop.run(sale(shop.desk(&json!("s001")))).await;
        assert_eq!((status, &told["code"]), (422, &json!("too-late")));
        assert_eq!((match_all(&shop).await, listed(&shop, "unmatched").await.len()), (0, 1));
        // A house that takes up older events finds it waiting.
        shop.books = rewritten("late_days = 30", "late_days = 90");
        sell(&shop, "1").await;
        assert_eq!(match_all(&shop).await, 1);
        assert_eq!(seen(&shop, &waits).await["state"], json!("recorded"));
        shop.close().await;
    });
}

#[test]
fn a_node_that_dies_between_the_sale_and_its_return_has_lost_nothing() {
    each(async |place| {
        let node = Shop::open(&place.db).await;
        node.enrol("M1").await;
        node.at("2026-07-03T09:00:00+08:00");
        let (_, waits) = take(&node, &told_of("R1", "1", 1, "100.00")).await;
        sell(&node, "1").await;
        drop(node);
        // Two nodes start, and both find it.
        let (one, two) = (Shop::open(&place.db).await, Shop::open(&place.db).await);
        for shop in [&one, &two] {
            shop.at("2026-07-03T10:00:00+08:00");
        }
        assert_eq!(seen(&one, &waits).await["state"], json!("waiting"));
        let (id, sale) = (uuid(&waits["offline_return"]), uuid(&waits["sale"]));
        let job = |shop: &Shop| MatchOffline { desk: shop.desk(&json!("s001")), id, sale };
        let (first, second) = tokio::join!(match_one(&one, job(&one)), match_one(&two, job(&two)));
        assert!(first["return"].is_string() && first["return"] == second["return"], "{first} {second}");
        assert_eq!(one.rows::<return_slip::Entity>().await.len(), 1);
        assert_eq!(one.balance("M1", "department").await, 200);
        one.close().await;
    });
}

#[test]
fn what_the_policy_cannot_decide_yet_is_tried_again() {
    each(async |place| {
        let mut shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        shop.at("2026-07-03T09:00:00+08:00");
        sell(&shop, "1").await;
        let before = traces(&shop).await;
        // The desk's form did not ask for the papers.
        let mut event = told_of("R1", "1", 1, "100.00");
        event["receipt"] = json!({"till_slip": true});
        let (status, told) = take(&shop, &event).await;
        assert_eq!((status, &told["state"]), (202, &json!("undecided")), "{told:#}");
        assert_eq!(told["problem"]["code"], json!("facts-missing"));
        assert_eq!((match_all(&shop).await, listed(&shop, "undecided").await.len()), (1, 1));
        assert_eq!(traces(&shop).await, before);
        // The house does without the copy from now on.
        let copy = "(receipt.till_slip and (receipt.customer_copy or not both_papers))";
        shop.books = rewritten(copy, "receipt.till_slip");
        assert_eq!(match_all(&shop).await, 1);
        let now = seen(&shop, &told).await;
        assert_eq!((&now["state"], &now["problem"]), (&json!("recorded"), &json!(null)), "{now:#}");
        shop.close().await;
    });
}

#[test]
fn an_event_that_cannot_be_read_any_more_is_listed() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        shop.at("2026-07-03T09:00:00+08:00");
        let (_, waits) = take(&shop, &told_of("R1", "1", 1, "100.00")).await;
        let older = "UPDATE offline_returns SET request = '{\"store\":\"s001\"}'";
        place.db.writer().execute_unprepared(older).await.unwrap();
        sell(&shop, "1").await;
        assert_eq!(match_all(&shop).await, 1);
        let now = seen(&shop, &waits).await;
        assert_eq!(
            (&now["state"], &now["problem"]["code"]),
            (&json!("undecided"), &json!("malformed-return")),
            "{now:#}"
        );
        assert!(shop.rows::<return_slip::Entity>().await.is_empty());
        shop.close().await;
    });
}

#[test]
fn an_offline_return_that_can_never_be_recorded_says_so_at_once() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.at("2026-07-03T09:00:00+08:00");
        let event = told_of("R1", "1", 1, "100.00");
        for (more, path) in [
            (json!({"slip": ""}), "slip"),
            (json!({"lines": []}), "lines"),
            (json!({"lines": [{"line": 0, "quantity": 0}]}), "lines[0].quantity"),
            (json!({"paid_out": [{"kind": "cash", "amount": "-1"}]}), "paid_out[0].amount"),
            (json!({"dues": [{"reference": "towel", "settled": "lost"}]}), "dues[0].settled"),
            (json!({"request": {"wants": "exchange"}}), "request.wants"),
            (
                json!({"printed": {"store": "s001", "terminal": "t1", "receipt": "1", "date": "today"}}),
                "printed.date",
            ),
        ] {
            let (status, told) = take(&shop, &with(event.clone(), more)).await;
            assert_eq!((status, &told["path"]), (422, &json!(path)), "{told}");
            assert_eq!(told["code"], json!("malformed-return"));
        }
        assert!(shop.rows::<offline_return::Entity>().await.is_empty());
        shop.close().await;
    });
}
