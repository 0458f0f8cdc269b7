//! Returns on both databases: the hard cases, by their numbers in the list of what breaks elsewhere.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
#[path = "returns/approvals.rs"]
mod approvals;
#[path = "records/each.rs"]
#[allow(dead_code, reason = "the tests of records use the rest")]
mod each;
#[path = "returns/exchanges.rs"]
mod exchanges;
#[path = "returns/offline.rs"]
mod offline;
mod postgres;
#[path = "returns/shop.rs"]
mod shop;
#[path = "returns/takebacks.rs"]
mod takebacks;

use each::each;
use serde_json::json;
use shop::*;
use std::path::Path;
use std::sync::Arc;
use zhanggui::records::Reply;
use zhanggui::records::entity::{decision, member_day, return_slip, sale_line, sale_tender};
use zhanggui::rulebook::Rulebooks;

/// Jiajie's policies with a text of them replaced wherever it stands.
fn rewritten(from: &str, to: &str) -> Arc<Rulebooks> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("jiajie");
    std::fs::create_dir_all(&dir).unwrap();
    let mut found = false;
    let mut copy = |path: &Path, into: &Path| {
        let text = std::fs::read_to_string(path).unwrap();
        found |= text.contains(from);
        std::fs::write(into.join(path.file_name().unwrap()), text.replace(from, to)).unwrap();
    };
    copy(&root.join("retail.vocab"), folder.path());
    for entry in std::fs::read_dir(root.join("jiajie")).unwrap() {
        copy(&entry.unwrap().path(), &dir);
    }
    assert!(found, "{from}");
    books(&dir)
}

#[test]
fn case_1_the_same_return_sent_twice_is_recorded_once() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        let sale =
            shop.sell("1", vec![dress("100", 1)], json!([{"kind": "card", "amount": "100"}]), none()).await;
        let ticket = shop.ticket(&slip(&sale, &[(0, 1)])).await;
        shop.approve(&ticket, "boss", "supervisor", none()).await;
        let first = shop.keyed("r", shop.record_op(&ticket, none())).await;
        let Reply::Done(answer) = first else { panic!("{first:?}") };
        assert_eq!(answer.status, 201);
        let again = shop.keyed("r", shop.record_op(&ticket, none())).await;
        assert!(matches!(&again, Reply::Replayed(same) if *same == answer), "{again:?}");
        let (status, told) = shop.record(&ticket, none()).await;
        assert_eq!((status, &told["code"]), (409, &json!("ticket-used")));
        // A second ticket for the same unit.
        let (status, told) = shop.evaluate(&slip(&sale, &[(0, 1)])).await;
        assert_eq!(
            (status, &told["code"], &told["path"]),
            (409, &json!("quantity-not-returnable"), &json!("lines[0].quantity"))
        );
        assert_eq!(shop.rows::<return_slip::Entity>().await.len(), 1);
        shop.close().await;
    });
}

#[test]
fn case_1_two_tickets_for_one_unit_pay_once() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        let sale =
            shop.sell("1", vec![dress("100", 1)], json!([{"kind": "card", "amount": "100"}]), none()).await;
        let tickets = [shop.ticket(&slip(&sale, &[(0, 1)])).await, {
            shop.at("2026-07-01T12:01:00+08:00");
            shop.ticket(&slip(&sale, &[(0, 1)])).await
        }];
        for ticket in &tickets {
            assert_eq!(shop.approve(ticket, "boss", "supervisor", none()).await.0, 201);
        }
        assert_eq!(shop.record(&tickets[0], none()).await.0, 201);
        let (status, told) = shop.record(&tickets[1], none()).await;
        assert_eq!((status, &told["code"]), (409, &json!("quantity-not-returnable")));
        shop.close().await;
    });
}

#[test]
fn case_4_partial_returns_sum_to_what_was_paid_and_granted() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        let lines = vec![dress("33.33", 7), dress("19.99", 3)];
        let more = json!({"card": "C-M1", "discounts": [{"reference": "coupon", "amount": "31.11"}]});
        let tenders = json!([{"kind": "card", "amount": "200.00"}, {"kind": "cash", "amount": "62.17"}]);
        let sale = shop.sell("1", lines, tenders, more).await;
        let granted = shop.balance("M1", "department").await;
        assert!(granted > 0);
        let mut refund = 0;
        for lines in [vec![(0, 2), (1, 1)], vec![(0, 1)], vec![(1, 2), (0, 3)], vec![(0, 1)]] {
            let told = shop.bring_back(&slip(&sale, &lines), none()).await;
            refund += decimal(&told["refund"]);
        }
        assert_eq!(refund, 26_217);
        assert_eq!(shop.balance("M1", "department").await, 0);
        assert!(shop.rows::<sale_tender::Entity>().await.iter().all(|t| t.refunded == t.amount));
        assert!(
            shop.rows::<member_day::Entity>().await.iter().all(|d| d.spent == d.returned && d.earned == 0)
        );
        shop.close().await;
    });
}

#[test]
fn case_7_a_voided_return_gives_everything_to_where_it_was() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        shop.adjust("M1", "rebate", json!("50")).await;
        let tenders = json!([{"kind": "rebate", "amount": "40"}, {"kind": "card", "amount": "110"}]);
        let gifts = json!([{"reference": "G1", "threshold": "100", "worth": "9"}]);
        let sale =
            shop.sell("1", vec![dress("50", 3)], tenders, json!({"card": "C-M1", "gifts": gifts})).await;
        let before = (
            shop.balance("M1", "department").await,
            shop.balance("M1", "rebate").await,
            shop.rows::<sale_line::Entity>().await,
            shop.rows::<sale_tender::Entity>().await,
            shop.rows::<member_day::Entity>().await,
            shop.rows::<zhanggui::records::entity::sale_gift::Entity>().await,
            shop.rows::<zhanggui::records::entity::lot::Entity>().await,
        );
        let due = json!({"dues": [{"reference": "G1", "settled": "handed_back"}]});
        let told = shop.bring_back(&slip(&sale, &[(0, 2)]), due).await;
        assert_eq!(told["dues"][0]["settled"], json!("handed_back"), "{told:#}");
        assert!(shop.balance("M1", "rebate").await > before.1);
        let (status, voided) = shop.void(&told["return"]).await;
        assert_eq!((status, &voided["status"]), (200, &json!("voided")), "{voided:#}");
        let after = (
            shop.balance("M1", "department").await,
            shop.balance("M1", "rebate").await,
            shop.rows::<sale_line::Entity>().await,
            shop.rows::<sale_tender::Entity>().await,
            shop.rows::<member_day::Entity>().await,
            shop.rows::<zhanggui::records::entity::sale_gift::Entity>().await,
            shop.rows::<zhanggui::records::entity::lot::Entity>().await,
        );
        assert_eq!(before, after);
        let (status, told) = shop.void(&told["return"]).await;
        assert_eq!((status, &told["code"]), (409, &json!("return-voided")));
        shop.close().await;
    });
}

#[test]
fn case_9_points_are_taken_back_as_they_were_granted() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        let sale = shop
            .sell(
                "1",
                vec![dress("400", 1)],
                json!([{"kind": "card", "amount": "400"}]),
                json!({"card": "C-M1"}),
            )
            .await;
        let granted = shop.balance("M1", "department").await;
        // The crossing purchase makes the member platinum; the first receipt stays gold's.
        shop.sell(
            "2",
            vec![dress("31000", 1)],
            json!([{"kind": "card", "amount": "31000"}]),
            json!({"card": "C-M1"}),
        )
        .await;
        let before = shop.balance("M1", "department").await;
        let told = shop.bring_back(&slip(&sale, &[(0, 1)]), none()).await;
        assert_eq!(decimal(&told["points"][0]["taken"]), granted);
        assert_eq!(shop.balance("M1", "department").await, before - granted);
        shop.close().await;
    });
}

#[test]
fn case_10_a_return_leaves_the_card_and_nets_the_spend() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        let sale = shop
            .sell(
                "1",
                vec![dress("30000", 1)],
                json!([{"kind": "card", "amount": "30000"}]),
                json!({"card": "C-M1"}),
            )
            .await;
        let tier = async || {
            let db = shop.engine.store().reader();
            let id = zhanggui::records::ids::member("M1");
            zhanggui::records::read::member(db, id).await.unwrap().unwrap().member.tier
        };
        let had = tier().await;
        let mut back = slip(&sale, &[(0, 1)]);
        // From 2,000 yuan a piece only a fault brings the money back.
        back["lines"][0]["item"] = sound(json!({"finding": "quality_fault", "test_report": true}));
        back["request"]["reason"] = json!("quality_complaint");
        shop.bring_back(&back, none()).await;
        assert_eq!(tier().await, had);
        let days = shop.rows::<member_day::Entity>().await;
        assert_eq!(days.iter().map(|d| d.spent - d.returned).sum::<i64>(), 0);
        shop.close().await;
    });
}

#[test]
fn case_14_the_terms_of_the_sale_stay_and_a_changed_answer_needs_a_new_ticket() {
    each(async |place| {
        let mut shop = Shop::open(&place.db).await;
        let sale =
            shop.sell("1", vec![dress("100", 1)], json!([{"kind": "card", "amount": "100"}]), none()).await;
        let ticket = shop.ticket(&slip(&sale, &[(0, 1)])).await;
        shop.approve(&ticket, "boss", "supervisor", none()).await;
        // Another refund: the ticket's promise does not hold any more.
        shop.books = rewritten("then refund = item.paid\n", "then refund = item.paid - 1 CNY\n");
        let (status, told) = shop.record(&ticket, none()).await;
        assert_eq!((status, &told["code"]), (409, &json!("ticket-stale")), "{told:#}");
        // Other words, the same answer.
        shop.books = rewritten("Opened cosmetics", "Used cosmetics");
        let (status, told) = shop.record(&ticket, none()).await;
        assert_eq!(status, 201, "{told:#}");
        shop.close().await;
    });
}

#[test]
fn case_16_a_return_before_its_sale_may_be_asked_again() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        let mut early = slip(&json!(null), &[(0, 1)]);
        early["printed"] = json!({"store": "s001", "terminal": "t1", "receipt": "1", "date": "2026-07-01"});
        let (status, told) = shop.evaluate(&early).await;
        assert_eq!((status, &told["code"]), (409, &json!("sale-not-recorded")));
        shop.sell("1", vec![dress("100", 1)], json!([{"kind": "card", "amount": "100"}]), none()).await;
        let told = shop.bring_back(&early, none()).await;
        assert_eq!(told["refund"], json!("100.00"));
        shop.close().await;
    });
}

#[test]
fn case_18_no_receipt_is_refused_with_the_policys_answer() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        let mut bare = slip(&json!(null), &[(0, 1)]);
        bare["receipt"] = json!({"channel": "in_store"});
        bare["lines"][0]["item"] =
            sound(json!({"category": "clothing", "season": "summer", "unit_price": "100", "paid": "100"}));
        let (status, told) = shop.evaluate(&bare).await;
        assert_eq!((status, &told["verdict"]), (200, &json!("deny")), "{told:#}");
        assert!(told["lines"][0]["reasons"].as_array().unwrap().contains(&json!("no_papers")));
        assert!(told.get("ticket").is_none());
        // A faulty article with an invoice that the records do not know: the law does not ask for more.
        bare["receipt"] = json!({"channel": "in_store", "invoice": true});
        bare["request"]["reason"] = json!("quality_complaint");
        bare["lines"][0]["item"]["finding"] = json!("quality_fault");
        let told = shop.bring_back(&bare, none()).await;
        assert_eq!((&told["sale"], &told["paid_out"]), (&json!(null), &json!("100.00")), "{told:#}");
        assert_eq!(shop.void(&told["return"]).await.0, 200);
        shop.close().await;
    });
}

#[test]
fn case_18_another_store_takes_goods_back_by_the_terms_of_the_one_that_sold() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        let sale = shop
            .sell(
                "1",
                vec![dress("100", 2)],
                json!([{"kind": "card", "amount": "200"}]),
                json!({"store": "s030"}),
            )
            .await;
        // Store 30 gives 30 days, the one at hand 7.
        shop.at("2026-07-20T12:00:00+08:00");
        let mut elsewhere = slip(&sale, &[(0, 1)]);
        elsewhere["lines"][0]["item"]["price_now"] = json!("100");
        let told = shop.bring_back(&elsewhere, none()).await;
        assert_eq!((&told["store"], &told["refund"]), (&json!("s001"), &json!("100.00")));
        // The units are counted over all stores.
        let (status, told) = shop.evaluate(&slip(&sale, &[(0, 2)])).await;
        assert_eq!((status, &told["code"]), (409, &json!("quantity-not-returnable")));
        shop.close().await;
    });
}

#[test]
fn a_years_points_are_those_of_the_first_ledger_whatever_it_is_called() {
    each(async |place| {
        let mut shop = Shop::open(&place.db).await;
        shop.books = rewritten("department_points", "house_points");
        shop.enrol("M1").await;
        let paid = json!([{"kind": "card", "amount": "40000"}]);
        shop.sell("1", vec![dress("40000", 1)], paid, json!({"card": "C-M1"})).await;
        let earned = shop.balance("M1", "house").await;
        assert!(earned > 0);
        let upgrades = shop.rows::<decision::Entity>().await.into_iter().filter(|d| d.decision == "upgrade");
        let facts: Vec<serde_json::Value> =
            upgrades.map(|d| serde_json::from_str(&d.facts).unwrap()).collect();
        assert_eq!(facts.len(), 1);
        assert_eq!(decimal(&facts[0]["year_points"]), earned, "{:#}", facts[0]);
        shop.close().await;
    });
}
