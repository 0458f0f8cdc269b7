//! The hardest cases of the trade that are not about returns alone (those are in `tests/returns.rs`): by their numbers in
//! `docs/decisions/0010-hardest-cases.md`, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
#[path = "records/each.rs"]
#[allow(dead_code, reason = "the tests of records use the rest")]
mod each;
mod postgres;
#[path = "returns/shop.rs"]
#[allow(dead_code, reason = "the tests of returns use the rest")]
mod shop;

use each::each;
use serde_json::{Value, json};
use shop::*;
use std::sync::Arc;
use zhanggui::counter::members::{BlockCard, EnrolMember, MergeMembers, ReplaceCard, UnmergeMembers};
use zhanggui::counter::points::{EndHold, HoldEnd, PlaceHold, Redeem};
use zhanggui::counter::sale::RecordSale;
use zhanggui::counter::settle::{BeginSettlement, SettleMember};
use zhanggui::records::entity::{account, decision, movement, redemption, sale, sale_line, settled_member};
use zhanggui::records::{Database, Engine, Job, Operation, SystemClock, ids};

fn as_request<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn job(key: &str, operation: impl Operation + 'static) -> Job {
    Job { key: Some(key.into()), dry: false, fingerprint: key.into(), operation: Arc::new(operation) }
}

/// Enrols with anything else said of the applicant.
async fn enrol(shop: &Shop, number: &str, applicant: Value, receipts: Value) -> Told {
    let mut form = json!({"ground": "old_card", "name": "n", "phone": "p", "address": "a"});
    form.as_object_mut().unwrap().extend(applicant.as_object().unwrap().clone());
    let request = as_request(json!({
        "store": "s001", "actor": "clerk", "number": number, "card": format!("C-{number}"), "applicant": form,
        "receipts": receipts,
        "visit": {"id_shown": true, "form_filled": true, "details_confirmed": true, "old_card_given": true},
    }));
    shop.run(EnrolMember { desk: shop.desk(&json!("s001")), request }).await
}

/// A sale that may be refused.
async fn sale(shop: &Shop, receipt: &str, lines: Value, tenders: Value, more: Value) -> Told {
    let mut request = json!({
        "store": "s001", "terminal": "t1", "receipt": receipt, "actor": "seller", "lines": lines, "tenders": tenders,
    });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let desk = shop.desk(&request["store"]);
    shop.run(RecordSale { desk, request: as_request(request), exchange: None }).await
}

fn cash(amount: &str) -> Value {
    json!([{"kind": "cash", "amount": amount}])
}

fn article(price: &str, list: &str, other: Value) -> Value {
    let mut line = json!({"sku": "A", "area": "department", "category": "clothing", "season": "summer", "quantity": 1,
        "list_price": list, "shelf_price": price, "member_discount": true});
    line.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    line
}

fn redeem(shop: &Shop, points: i64, nth: &str) -> Redeem {
    let request = as_request(json!({
        "store": "s001", "actor": "desk", "member": "M1", "wish": "points_gift", "place": "service_centre",
        "ledger": "department", "gift_points": points, "visit": {"card_shown": true},
    }));
    Redeem { desk: shop.desk(&json!("s001")), request, operation: ids::named(&["redeem", nth]) }
}

#[test]
fn case_2_two_terminals_redeem_the_same_points() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        shop.adjust("M1", "department", json!(300)).await;
        // Two nodes, at the same time.
        let other = Engine::new(Database::open(&place.url).await.unwrap(), SystemClock);
        let (one, two) = ([job("a", redeem(&shop, 200, "a"))], [job("b", redeem(&shop, 200, "b"))]);
        let (first, second) = tokio::join!(shop.engine.execute(&one), other.execute(&two));
        let replies: Vec<Told> = [first, second].concat().into_iter().map(told).collect();
        let done = replies.iter().filter(|(status, _)| *status == 201).count();
        assert_eq!(done, 1, "{replies:?}");
        assert_eq!(shop.balance("M1", "department").await, 100);
        assert_eq!(shop.rows::<redemption::Entity>().await.len(), 1);
        shop.close().await;
    });
}

#[test]
fn case_2_a_return_and_a_redemption_of_the_same_points() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        let bought = shop.sell("1", vec![dress("200", 1)], cash("200"), json!({"card": "C-M1"})).await;
        assert_eq!(shop.balance("M1", "department").await, 200);
        let ticket = shop.ticket(&slip(&bought, &[(0, 1)])).await;
        assert_eq!(shop.approve(&ticket, "boss", "general_manager", none()).await.0, 201);
        let clock = shop.clock.clone();
        let other = Engine::new(Database::open(&place.url).await.unwrap(), clock);
        let (one, two) = ([job("a", redeem(&shop, 200, "a"))], [job("b", shop.record_op(&ticket, none()))]);
        let (redeemed, returned) = tokio::join!(shop.engine.execute(&one), other.execute(&two));
        let [redeemed, returned] = [redeemed, returned].map(|mut replies| told(replies.remove(0)));
        assert_eq!(returned.0, 201, "{returned:?}");
        // Whoever comes second finds them gone: no gift, or they are set off in money.
        let (taken, short) = if redeemed.0 == 201 { ("0", "200") } else { ("200", "0") };
        let points = &returned.1["points"][0];
        assert_eq!((&points["taken"], &points["short"]), (&json!(taken), &json!(short)), "{returned:?}");
        assert_eq!(decimal(&returned.1["withheld"]), if short == "200" { 200 } else { 0 });
        assert_eq!(shop.balance("M1", "department").await, 0);
        shop.close().await;
    });
}

#[test]
fn case_8_a_year_is_settled_once_with_holds_and_late_receipts() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.at("2026-12-31T12:00:00+08:00");
        shop.enrol("M1").await;
        shop.adjust("M1", "department", json!(1500)).await;
        let hold =
            as_request(json!({"store": "s001", "actor": "desk", "member": "M1", "ledger": "department",
            "amount": 200, "minutes": 2880}));
        let desk = shop.desk(&json!("s001"));
        let hold_id = ids::named(&["hold over midnight"]);
        assert_eq!(
            shop.run(PlaceHold { desk: desk.clone(), request: hold, operation: hold_id }).await.0,
            201
        );
        let settle = || SettleMember {
            desk: desk.clone(),
            settlement: ids::named(&["settlement", "department", "2026"]),
            ledger: "department".into(),
            year: 2026,
            as_of: zhanggui::program::dates::from_ymd(2026, 12, 31).unwrap(),
            member: ids::member("M1"),
            actor: "system".into(),
        };
        let begin = || {
            let year = json!({"store": "s001", "actor": "system", "ledger": "department", "year": 2026});
            BeginSettlement { desk: desk.clone(), request: as_request(year) }
        };
        assert_eq!(begin().request.id(), settle().settlement);
        // The year's last day is a day to buy on.
        shop.at("2026-12-31T23:59:58+08:00");
        let (status, told) = shop.run(begin()).await;
        assert_eq!((status, &told["code"]), (409, &json!("year-not-over")), "{told}");
        shop.at("2027-01-01T00:00:00+08:00");
        assert_eq!(shop.run(begin()).await.0, 202);
        shop.at("2027-01-01T09:00:00+08:00");
        // What is on hold is not settled: 1,300 points are 13.00 yuan.
        let (_, told) = shop.run(settle()).await;
        assert_eq!(
            (&told["cleared"], &told["credit"], &told["before"]),
            (&json!(1300), &json!(1300), &json!(false))
        );
        assert_eq!((shop.balance("M1", "department").await, shop.balance("M1", "rebate").await), (0, 1300));
        // Again, by another key, as a job that starts over does: nothing happens.
        let (_, told) = shop.run(settle()).await;
        assert_eq!((&told["cleared"], &told["before"]), (&json!(1300), &json!(true)));
        assert_eq!(shop.rows::<settled_member::Entity>().await.len(), 1);
        // A receipt of 31 December that arrives now earns by the day on which it was made, and stays for the new year.
        let late = json!({"card": "C-M1", "occurred_at": "2026-12-31T20:00:00+08:00"});
        let (status, told) =
            sale(&shop, "late", json!([article("100", "100", json!({}))]), cash("90.00"), late).await;
        assert_eq!((status, &told["business_date"]), (201, &json!("2026-12-31")), "{told}");
        assert_eq!(shop.balance("M1", "department").await, 90);
        // The hold ends in the new year, and its points are the member's again.
        let end = EndHold { desk: desk.clone(), hold: hold_id, end: HoldEnd::Release, actor: "desk".into() };
        assert_eq!(shop.run(end).await.0, 200);
        assert_eq!(shop.balance("M1", "department").await, 290);
        shop.close().await;
    });
}

#[test]
fn case_11_the_crossing_purchase_keeps_the_old_tier() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        let card = json!({"card": "C-M1"});
        let line = json!([article("40000", "40000", json!({}))]);
        // Gold pays 0.90, also for the receipt that crosses 30,000; platinum, from the next one, 0.88.
        let (status, told) = sale(&shop, "1", line, cash("36000.00"), card.clone()).await;
        assert_eq!((status, &told["tier_changed"]), (201, &json!("platinum")), "{told}");
        let line = json!([article("100", "100", json!({}))]);
        let (status, told) = sale(&shop, "2", line, cash("88.00"), card).await;
        assert_eq!((status, &told["total"]), (201, &json!("88.00")), "{told}");
        let tiers: Vec<Option<String>> =
            shop.rows::<sale::Entity>().await.into_iter().map(|s| s.tier).collect();
        assert!(tiers.contains(&Some("gold".into())) && tiers.contains(&Some("platinum".into())));
        shop.close().await;
    });
}

#[test]
fn case_12_bounds_count_as_they_are_written() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        // 800.00 yuan of one day make a gold card, 799.99 do not; a receipt counts once.
        let low = shop.sell("1", vec![article("799.99", "799.99", json!({}))], cash("799.99"), none()).await;
        let cent = shop.sell("2", vec![article("0.01", "0.01", json!({}))], cash("0.01"), none()).await;
        let spend = json!({"ground": "one_day_spend"});
        assert_eq!(enrol(&shop, "M1", spend.clone(), json!([low])).await.1["code"], "enrolment-refused");
        assert_eq!(enrol(&shop, "M1", spend.clone(), json!([low, cent])).await.0, 201);
        let (status, told) = enrol(&shop, "M2", spend, json!([low, cent])).await;
        assert_eq!(
            (status, &told["code"], &told["path"]),
            (409, &json!("receipt-used"), &json!("receipts[0]"))
        );
        // The promotion's ratio exactly 0.80 is regular (0.90 on top), below it special (0.95).
        for (nth, price, pays) in [("3", "800", "720.00"), ("4", "790", "750.50")] {
            let line = json!([article(price, "1000", json!({}))]);
            let (status, told) = sale(&shop, nth, line, cash(pays), json!({"card": "C-M1"})).await;
            assert_eq!((status, &told["total"]), (201, &json!(pays)), "{told}");
        }
        shop.close().await;
    });
}

#[test]
fn case_13_dates_are_the_stores() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.at("2026-02-27T12:00:00+08:00");
        let leap = json!({"birthday": "2000-02-29"});
        assert_eq!(enrol(&shop, "M1", leap, json!([])).await.0, 201);
        shop.at("2026-03-01T12:00:00+08:00");
        let mut dates = Vec::new();
        let mut doubled = 0;
        for (nth, at) in [
            ("1", "2026-02-27T23:59:59+08:00"),
            ("2", "2026-02-28T00:00:00+08:00"),
            // The till's clock is set to another zone: the instant counts.
            ("3", "2026-02-27T16:30:00Z"),
            ("4", "2026-03-01T11:00:00+08:00"),
        ] {
            let line = json!([article("100", "100", json!({}))]);
            let more = json!({"card": "C-M1", "occurred_at": at});
            let (status, told) = sale(&shop, nth, line, cash("90.00"), more).await;
            assert_eq!(status, 201, "{told}");
            dates.push(told["business_date"].as_str().unwrap().to_owned());
            doubled += i64::from(told["points"][0]["earned"] == "180");
        }
        assert_eq!(dates, ["2026-02-27", "2026-02-28", "2026-02-28", "2026-03-01"]);
        // Born on 29 February means 28 February in a common year: the second receipt and the third.
        assert_eq!(doubled, 2);
        // A till whose clock is ahead, and one that was offline too long.
        for (at, code) in
            [("2026-03-02T12:00:00+08:00", "in-the-future"), ("2026-01-01T12:00:00+08:00", "too-late")]
        {
            let line = json!([article("100", "100", json!({}))]);
            let (_, told) = sale(&shop, at, line, cash("100"), json!({"occurred_at": at})).await;
            assert_eq!((&told["code"], &told["path"]), (&json!(code), &json!("occurred_at")));
        }
        shop.close().await;
    });
}

#[test]
fn case_15_a_deeper_promotion_that_costs_more_is_told_to_the_author() {
    let policies = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/jiajie");
    let said = std::process::Command::new(env!("CARGO_BIN_EXE_zhanggui"))
        .arg("check")
        .arg(policies)
        .arg("--accepted")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    assert!(said.contains("W0618") && said.contains("0.80"), "{said}");
}

#[test]
fn case_16_what_a_till_kept_counts_by_when_it_happened_and_once() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        let block = BlockCard {
            desk: shop.desk(&json!("s001")),
            card: "C-M1".into(),
            reason: "stolen".into(),
            actor: "desk".into(),
            operation: ids::named(&["block"]),
        };
        shop.at("2026-07-02T11:00:00+08:00");
        assert_eq!(shop.run(block).await.0, 200);
        shop.at("2026-07-03T09:00:00+08:00");
        let line = || json!([article("100", "100", json!({}))]);
        let at = |time: &str| json!({"card": "C-M1", "occurred_at": format!("2026-07-02T{time}+08:00")});
        // The till was offline: the receipt from before the block counts, and is dated by its own day.
        let (status, first) = sale(&shop, "1", line(), cash("90.00"), at("10:59:59")).await;
        assert_eq!(
            (status, &first["card_counts"], &first["business_date"]),
            (201, &json!(true), &json!("2026-07-02")),
            "{first}"
        );
        let (status, told) = sale(&shop, "2", line(), cash("100.00"), at("11:00:01")).await;
        assert_eq!(
            (status, &told["card_counts"], &told["points"]),
            (201, &json!(false), &json!([])),
            "{told}"
        );
        // It sends everything once more, under new keys.
        let (status, told) = sale(&shop, "1", line(), cash("90.00"), at("10:59:59")).await;
        assert_eq!(
            (status, &told["code"], &told["sale"]),
            (409, &json!("receipt-recorded"), &first["sale"]),
            "{told}"
        );
        assert_eq!(shop.balance("M1", "department").await, 90);
        assert_eq!(shop.rows::<sale::Entity>().await.len(), 2);
        shop.close().await;
    });
}

#[test]
fn case_16_late_sales_go_by_the_tier_and_the_card_of_their_time() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        let hundred = json!([article("100", "100", json!({}))]);
        let sold_at = |at: &str| json!({"card": "C-M1", "occurred_at": at});
        shop.at("2026-07-03T12:00:00+08:00");
        let crossing = json!([article("40000", "40000", json!({}))]);
        let (_, told) = sale(&shop, "1", crossing, cash("36000.00"), json!({"card": "C-M1"})).await;
        assert_eq!(told["tier_changed"], json!("platinum"), "{told}");
        // Gold then, platinum now: the customer has paid gold's price, and stays platinum.
        shop.at("2026-07-04T12:00:00+08:00");
        let late = sold_at("2026-07-01T15:00:00+08:00");
        let (status, told) = sale(&shop, "2", hundred.clone(), cash("90.00"), late).await;
        assert_eq!((status, &told["total"]), (201, &json!("90.00")), "{told}");
        assert_eq!((&told["tier"], &told["tier_changed"]), (&json!("platinum"), &json!(null)), "{told}");
        let after = sold_at("2026-07-03T13:00:00+08:00");
        let (status, told) = sale(&shop, "3", hundred.clone(), cash("88.00"), after).await;
        assert_eq!((status, &told["total"]), (201, &json!("88.00")), "{told}");
        // Before the enrolment the card was nobody's; a till's clock may be a little behind the desk's.
        for (receipt, at, counts, pays) in [
            ("4", "2026-07-01T11:00:00+08:00", false, "100.00"),
            ("5", "2026-07-01T11:58:00+08:00", true, "90.00"),
        ] {
            let (status, told) = sale(&shop, receipt, hundred.clone(), cash(pays), sold_at(at)).await;
            assert_eq!((status, &told["card_counts"]), (201, &json!(counts)), "{told}");
        }
        shop.close().await;
    });
}

#[test]
fn case_20_discounts_are_allocated_once_and_the_till_is_told_the_total() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        let lines = json!([
            article("33.33", "33.33", json!({"quantity": 3})),
            article("19.99", "40", json!({})),
            article("7", "7", json!({"area": "supermarket", "category": "household"})),
        ]);
        let more = json!({"card": "C-M1", "discounts": [{"reference": "coupon", "amount": "10.01"}]});
        let (status, told) = sale(&shop, "1", lines.clone(), cash("1"), more.clone()).await;
        assert_eq!(
            (status, &told["code"], &told["path"]),
            (422, &json!("tenders-do-not-add-up"), &json!("tenders"))
        );
        let total = told["total"].as_str().unwrap().to_owned();
        let (status, told) = sale(&shop, "1", lines, cash(&total), more).await;
        assert_eq!((status, &told["total"]), (201, &json!(total)), "{told}");
        let rows = shop.rows::<sale_line::Entity>().await;
        assert_eq!(rows.iter().map(|l| l.discount).sum::<i64>(), 1001);
        assert_eq!(rows.iter().map(|l| l.paid).sum::<i64>(), decimal(&json!(total)));
        assert!(rows.iter().all(|l| l.unit_price * i64::from(l.quantity) == l.paid + l.discount), "{rows:?}");
        shop.close().await;
    });
}

#[test]
fn case_21_multiples_do_not_multiply_and_come_back_as_they_were() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        let platinum = json!({"ground": "pickup_cards", "pickup_amount": "100000", "birthday": "1990-07-01"});
        assert_eq!(enrol(&shop, "M1", platinum, json!([])).await.0, 201);
        // Platinum on the birthday (threefold) at a counter with double points: threefold, once.
        let line = json!({"counter": "C301", "quantity": 2});
        let line = json!([article("100", "100", line)]);
        let (status, told) = sale(&shop, "1", line, cash("176.00"), json!({"card": "C-M1"})).await;
        assert_eq!((status, &told["points"][0]["earned"]), (201, &json!("528")), "{told}");
        let id = told["sale"].clone();
        shop.bring_back(&slip(&id, &[(0, 1)]), none()).await;
        assert_eq!(shop.balance("M1", "department").await, 264);
        shop.bring_back(&slip(&id, &[(0, 1)]), none()).await;
        assert_eq!(shop.balance("M1", "department").await, 0);
        shop.close().await;
    });
}

#[test]
fn case_22_a_receipt_of_two_ledgers() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        let shelf = |category: &str, price: &str| {
            article(price, price, json!({"area": "supermarket", "category": category, "season": null}))
        };
        let lines = json!([
            shelf("household", "3"),
            shelf("household", "3"),
            shelf("fresh", "10"),
            article("50", "50", json!({})),
        ]);
        let (_, told) = sale(&shop, "1", lines.clone(), cash("0"), json!({"card": "C-M1"})).await;
        let total = told["total"].as_str().unwrap().to_owned();
        let (status, told) = sale(&shop, "1", lines, cash(&total), json!({"card": "C-M1"})).await;
        assert_eq!(status, 201, "{told}");
        let earned = |ledger: &str| {
            let all = told["points"].as_array().unwrap();
            decimal(&all.iter().find(|p| p["ledger"] == ledger).unwrap()["earned"])
        };
        // Fresh food earns nothing; the receipt is rounded down once, in each ledger.
        let household: i64 = shop
            .rows::<sale_line::Entity>()
            .await
            .iter()
            .filter(|l| l.category == "household")
            .map(|l| l.paid)
            .sum();
        assert_eq!(earned("supermarket"), household / 200);
        assert_eq!(earned("department"), shop.balance("M1", "department").await);
        assert_eq!(earned("supermarket"), shop.balance("M1", "supermarket").await);
        // Goods of the one area come back: the other area's points stay.
        let department = earned("department");
        let told = shop.bring_back(&slip(&told["sale"], &[(3, 1)]), none()).await;
        assert_eq!(decimal(&told["points"][0]["taken"]), department, "{told}");
        assert_eq!(shop.balance("M1", "department").await, 0);
        assert_eq!(shop.balance("M1", "supermarket").await, household / 200);
        shop.close().await;
    });
}

#[test]
fn case_23_lost_cards_mergers_and_their_undoing() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        let desk = shop.desk(&json!("s001"));
        shop.enrol("M1").await;
        shop.enrol("M2").await;
        let line = json!([article("100", "100", json!({}))]);
        let (_, bought) = sale(&shop, "1", line.clone(), cash("90.00"), json!({"card": "C-M1"})).await;
        let lost =
            as_request(json!({"store": "s001", "actor": "desk", "mishap": "lost_card", "new_card": "C-new",
            "visit": {"id_shown": true}}));
        let replace = ReplaceCard {
            desk: desk.clone(),
            member: "M1".into(),
            request: lost,
            operation: ids::named(&["lost"]),
        };
        let (status, told) = shop.run(replace).await;
        assert_eq!((status, &told["fee"]), (200, &json!("5.00")), "{told}");
        // Who finds the old card earns nothing with it; the old card's receipt can still be returned.
        let (status, told) = sale(&shop, "2", line, cash("100.00"), json!({"card": "C-M1"})).await;
        assert_eq!(
            (status, &told["card_counts"], &told["member"], &told["points"]),
            (201, &json!(false), &json!(null), &json!([])),
            "{told}"
        );
        let hold = as_request(
            json!({"store": "s001", "actor": "desk", "member": "M1", "ledger": "department", "amount": 10}),
        );
        let hold_id = ids::named(&["hold of a merger"]);
        shop.run(PlaceHold { desk: desk.clone(), request: hold, operation: hold_id }).await;
        let merge = || {
            let request =
                as_request(json!({"store": "s001", "actor": "desk", "into": "M2", "reason": "one person"}));
            MergeMembers {
                desk: desk.clone(),
                member: "M1".into(),
                request,
                operation: ids::named(&["merge"]),
            }
        };
        assert_eq!(shop.run(merge()).await.1["code"], "open-holds");
        let end = EndHold { desk: desk.clone(), hold: hold_id, end: HoldEnd::Release, actor: "desk".into() };
        shop.run(end).await;
        assert_eq!(shop.run(merge()).await.0, 200);
        assert_eq!((shop.balance("M1", "department").await, shop.balance("M2", "department").await), (0, 90));
        // The receipt of the merged member takes its points back where they are now.
        shop.bring_back(&slip(&bought["sale"], &[(0, 1)]), none()).await;
        assert_eq!(shop.balance("M2", "department").await, 0);
        shop.adjust("M2", "department", json!(7)).await;
        let part = UnmergeMembers {
            desk: desk.clone(),
            member: "M1".into(),
            actor: "desk".into(),
            operation: ids::named(&["part"]),
        };
        assert_eq!(shop.run(part).await.0, 200);
        assert_eq!((shop.balance("M1", "department").await, shop.balance("M2", "department").await), (0, 7));
        shop.close().await;
    });
}

#[test]
fn case_25_what_the_policy_does_not_decide_posts_nothing() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        let group = json!({"ground": "group_order", "group_amount": "10000.01"});
        let (status, told) = enrol(&shop, "M1", group, json!([])).await;
        assert_eq!((status, &told["code"]), (422, &json!("policy-undecided")), "{told}");
        assert!(told["open"].as_array().is_some_and(|open| !open.is_empty()), "{told}");
        assert_eq!(shop.rows::<account::Entity>().await.len(), 0);
        assert_eq!(shop.rows::<movement::Entity>().await.len(), 0);
        assert_eq!(shop.rows::<decision::Entity>().await.len(), 0);
        shop.close().await;
    });
}

/// The list of the hardest cases names tests that are there.
#[test]
fn every_case_has_its_test_or_its_reason() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = std::fs::read_to_string(root.join("docs/decisions/0010-hardest-cases.md")).unwrap();
    let mut tests = String::new();
    for folder in ["tests", "tests/members", "tests/returns", "tests/records"] {
        for file in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|e| e == "rs") {
                tests += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    for case in 1..=25 {
        let row = list
            .lines()
            .find(|l| l.starts_with(&format!("| {case} |")))
            .unwrap_or_else(|| panic!("case {case}"));
        let named: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "case {case} names no test");
        for name in named {
            assert!(tests.contains(&format!("fn {name}(")), "case {case}: there is no test {name}");
        }
    }
}
