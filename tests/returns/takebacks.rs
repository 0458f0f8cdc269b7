//! What was received with the purchase, and what it was paid with.
use crate::each::each;
use crate::shop::*;
use serde_json::json;
use zhanggui::counter::members::MergeMembers;
use zhanggui::counter::settle::{BeginSettlement, SettleMember, SettleRequest};
use zhanggui::records::entity::{return_tender, sale_gift, settled_member};
use zhanggui::records::ids;

#[test]
fn case_3_points_that_are_spent_are_set_off_in_money() {
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
        shop.adjust("M1", "department", json!(-(granted - 3))).await;
        let told = shop.bring_back(&slip(&sale, &[(0, 1)]), none()).await;
        let short = granted - 3;
        assert_eq!((decimal(&told["points"][0]["taken"]), decimal(&told["points"][0]["short"])), (3, short));
        // A point is worth a cent.
        assert_eq!(decimal(&told["withheld"]), short);
        assert_eq!(decimal(&told["paid_out"]), 40_000 - short);
        // What was kept back never left the till; what is paid beside the refund is given again.
        let (_, voided) = shop.void(&told["return"]).await;
        assert_eq!(voided["give_to_customer"], json!([]));
        let paid = json!({"dues": [{"reference": "department", "settled": "paid"}]});
        shop.at("2026-07-01T12:01:00+08:00");
        let told = shop.bring_back(&slip(&sale, &[(0, 1)]), paid).await;
        assert_eq!(told["paid_out"], json!("400.00"), "{told:#}");
        let (_, voided) = shop.void(&told["return"]).await;
        assert_eq!(decimal(&voided["give_to_customer"][0]["amount"]), short, "{voided:#}");
        shop.close().await;
    });
}

#[test]
fn case_5_a_gift_is_owed_once_and_only_below_its_threshold() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        let gifts = json!([{"reference": "G1", "threshold": "150", "worth": "25"}]);
        let sale = shop
            .sell(
                "1",
                vec![dress("60", 4)],
                json!([{"kind": "card", "amount": "240"}]),
                json!({"gifts": gifts}),
            )
            .await;
        let told = shop.bring_back(&slip(&sale, &[(0, 1)]), none()).await;
        assert_eq!(told["dues"], json!([]), "180 are kept");
        // Two lines of one slip: the gift is owed once.
        let (_, told) = shop.evaluate(&slip(&sale, &[(0, 1), (0, 1)])).await;
        assert_eq!(told["owes"].as_array().unwrap().len(), 1, "{told:#}");
        let ticket = shop.ticket(&slip(&sale, &[(0, 1), (0, 1)])).await;
        shop.approve(&ticket, "boss", "general_manager", none()).await;
        let (status, told) = shop.record(&ticket, none()).await;
        assert_eq!((status, &told["code"]), (409, &json!("due-open")));
        // It turns out to be used: its worth is kept back.
        let used = json!({"gifts": [{"reference": "G1", "used": true}]});
        let (status, told) = shop.record(&ticket, used).await;
        assert_eq!(
            (status, &told["withheld"], &told["paid_out"]),
            (201, &json!("25.00"), &json!("95.00")),
            "{told:#}"
        );
        let told = shop.bring_back(&slip(&sale, &[(0, 1)]), none()).await;
        assert_eq!(told["dues"], json!([]), "settled before");
        shop.close().await;
    });
}

#[test]
fn case_5_two_gifts_of_one_name_are_two() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        let gifts = json!([
            {"reference": "towel", "threshold": "200", "worth": "25"},
            {"reference": "towel", "threshold": "100", "worth": "25"},
        ]);
        let card = json!([{"kind": "card", "amount": "240"}]);
        let sale = shop.sell("1", vec![dress("60", 4)], card, json!({"gifts": gifts})).await;
        let owed = async |quantity| {
            let (_, told) = shop.evaluate(&slip(&sale, &[(0, quantity)])).await;
            let owes = told["owes"].as_array().unwrap().iter().map(|due| due["reference"].clone());
            owes.collect::<Vec<_>>()
        };
        assert_eq!(owed(1).await, ["towel"], "180 are kept: the second one stays");
        assert_eq!(owed(3).await, ["towel", "towel#2"]);
        let ticket = shop.ticket(&slip(&sale, &[(0, 3)])).await;
        shop.approve(&ticket, "boss", "general_manager", none()).await;
        let back = |name: &str| json!({"reference": name, "settled": "handed_back"});
        let (status, told) = shop.record(&ticket, json!({"dues": [back("towel")]})).await;
        assert_eq!((status, &told["code"], &told["reference"]), (409, &json!("due-open"), &json!("towel#2")));
        let (status, told) = shop.record(&ticket, json!({"dues": [back("towel"), back("towel#2")]})).await;
        assert_eq!(status, 201, "{told:#}");
        let state = async || {
            let gifts = shop.rows::<sale_gift::Entity>().await.into_iter();
            gifts.map(|gift| gift.state).collect::<Vec<_>>()
        };
        assert_eq!(state().await, ["handed_back", "handed_back"]);
        let (_, voided) = shop.void(&told["return"]).await;
        let gifts = voided["give_to_customer"].as_array().unwrap();
        assert_eq!(
            gifts.iter().map(|gift| gift["reference"].clone()).collect::<Vec<_>>(),
            ["towel", "towel#2"]
        );
        assert_eq!(state().await, ["given", "given"]);
        shop.close().await;
    });
}

#[test]
fn case_5_dues_above_the_refund_are_paid_beside_it() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        let gifts = json!([{"reference": "G1", "threshold": null, "worth": "80"}]);
        let sale = shop
            .sell(
                "1",
                vec![dress("60", 1)],
                json!([{"kind": "card", "amount": "60"}]),
                json!({"gifts": gifts}),
            )
            .await;
        let mut back = slip(&sale, &[(0, 1)]);
        back["gifts"] = json!([{"reference": "G1", "used": true}]);
        let ticket = shop.ticket(&back).await;
        shop.approve(&ticket, "boss", "supervisor", none()).await;
        let (status, told) = shop.record(&ticket, none()).await;
        assert_eq!((status, &told["code"]), (409, &json!("dues-exceed-refund")));
        let paid = json!({"dues": [{"reference": "G1", "settled": "paid"}]});
        let (status, told) = shop.record(&ticket, paid).await;
        assert_eq!((status, &told["paid_out"]), (201, &json!("60.00")));
        // Voided, the till owes the 80.00 that were paid beside the refund; the same return would ask for them again.
        let (status, voided) = shop.void(&told["return"]).await;
        assert_eq!(status, 200, "{voided:#}");
        let card = json!([{"kind": "card", "reference": "", "amount": "60.00"}]);
        assert_eq!(voided["take_from_customer"], card, "{voided:#}");
        let back = voided["give_to_customer"].as_array().cloned().unwrap_or_default();
        assert_eq!(back.iter().map(|due| decimal(&due["amount"])).sum::<i64>(), 8_000, "{voided:#}");
        assert_eq!(back[0]["reference"], json!("G1"));
        shop.close().await;
    });
}

#[test]
fn case_6_stored_value_never_becomes_cash() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        shop.adjust("M1", "rebate", json!("30")).await;
        let tenders = json!([
            {"kind": "rebate", "amount": "30"}, {"kind": "gift_card", "reference": "GC", "amount": "20"},
            {"kind": "card", "reference": "tok", "amount": "40.01"}, {"kind": "cash", "amount": "9.99"},
        ]);
        let sale = shop.sell("1", vec![dress("50", 2)], tenders, json!({"card": "C-M1"})).await;
        let ticket = shop.ticket(&slip(&sale, &[(0, 1)])).await;
        shop.approve(&ticket, "boss", "supervisor", none()).await;
        for tender in [0, 1] {
            let cash = json!({"refund_to": [{"tender": tender, "kind": "cash"}]});
            let (status, told) = shop.record(&ticket, cash).await;
            assert_eq!((status, &told["code"]), (409, &json!("tender-not-allowed")), "{told:#}");
        }
        // What was paid with a card may become cash, as the rulebook says.
        let ticket = shop.ticket(&slip(&sale, &[(0, 1)])).await;
        shop.approve(&ticket, "boss", "supervisor", none()).await;
        let (status, told) =
            shop.record(&ticket, json!({"refund_to": [{"tender": 2, "kind": "cash"}]})).await;
        assert_eq!(status, 201, "{told:#}");
        assert_eq!(shop.balance("M1", "rebate").await, 1_500);
        shop.bring_back(&slip(&sale, &[(0, 1)]), none()).await;
        assert_eq!(shop.balance("M1", "rebate").await, 3_000);
        let back = shop.rows::<return_tender::Entity>().await;
        let of = |kind: &str| back.iter().filter(|t| t.kind == kind).map(|t| t.amount).sum::<i64>();
        assert_eq!((of("rebate"), of("gift_card"), of("cash") + of("card")), (3_000, 2_000, 5_000));
        // The money is back on the lot that it came from.
        let lots = shop.rows::<zhanggui::records::entity::lot::Entity>().await;
        assert_eq!(
            lots.iter().filter(|l| l.ledger == "rebate").map(|l| l.remaining).collect::<Vec<_>>(),
            [3_000]
        );
        shop.close().await;
    });
}

/// Settles the points that a member has of 2026.
async fn settle(shop: &Shop, number: &str) -> serde_json::Value {
    let desk = shop.desk(&json!("s001"));
    let request: SettleRequest = serde_json::from_value(
        json!({"store": "s001", "actor": "system", "ledger": "department", "year": 2026}),
    )
    .unwrap();
    shop.run(BeginSettlement { desk: desk.clone(), request: request.clone() }).await;
    let (status, told) = shop
        .run(SettleMember {
            settlement: request.id(),
            ledger: "department".into(),
            year: 2026,
            as_of: request.as_of(),
            member: ids::member(number),
            actor: "system".into(),
            desk,
        })
        .await;
    assert_eq!(status, 200, "{told}");
    told
}

/// Eight coats of 500.00 on a member's card.
async fn coats(shop: &Shop, receipt: &str, more: serde_json::Value) -> serde_json::Value {
    let mut line = dress("500", 8);
    line["season"] = json!("winter");
    shop.sell(receipt, vec![line], json!([{"kind": "card", "amount": "4000"}]), more).await
}

#[test]
fn case_8_a_merger_after_the_settlement_changes_nothing_for_the_goods() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        shop.enrol("M2").await;
        shop.at("2026-12-30T12:00:00+08:00");
        let sale = coats(&shop, "1", json!({"card": "C-M1"})).await;
        shop.adjust("M1", "department", json!(4000)).await;
        shop.adjust("M2", "department", json!(500)).await;
        assert_eq!(shop.balance("M1", "department").await, 8_000);
        shop.at("2027-01-02T12:00:00+08:00");
        settle(&shop, "M1").await;
        settle(&shop, "M2").await;
        let request = serde_json::from_value(
            json!({"store": "s001", "actor": "desk", "into": "M2", "reason": "one person"}),
        );
        let merge = MergeMembers {
            desk: shop.desk(&json!("s001")),
            member: "M1".into(),
            request: request.unwrap(),
            operation: ids::named(&["merge"]),
        };
        assert_eq!(shop.run(merge).await.0, 200);
        let told = shop.bring_back(&slip(&sale, &[(0, 8)]), none()).await;
        // The rebate of 8,000 points less that of 4,000; the row of the record that stayed has nothing to do with it.
        let owed = told["dues"].as_array().unwrap().iter().map(|d| decimal(&d["amount"])).sum::<i64>();
        assert_eq!((owed, &told["points"]), (16_000, &json!([])), "{told:#}");
        let points = async |number: &str| {
            let rows = shop.rows::<settled_member::Entity>().await;
            rows.iter().find(|row| row.member_id == ids::member(number)).unwrap().points
        };
        assert_eq!((points("M1").await, points("M2").await), (4_000, 500));
        assert_eq!(shop.void(&told["return"]).await.0, 200);
        assert_eq!((points("M1").await, points("M2").await), (8_000, 500));
        shop.close().await;
    });
}

#[test]
fn case_8_a_merger_before_the_settlement_leads_to_the_record_that_was_settled() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        shop.enrol("M2").await;
        shop.at("2026-12-30T12:00:00+08:00");
        let sale = coats(&shop, "1", json!({"card": "C-M1"})).await;
        shop.adjust("M2", "department", json!(4000)).await;
        let request = serde_json::from_value(
            json!({"store": "s001", "actor": "desk", "into": "M2", "reason": "one person"}),
        );
        let merge = MergeMembers {
            desk: shop.desk(&json!("s001")),
            member: "M1".into(),
            request: request.unwrap(),
            operation: ids::named(&["merge"]),
        };
        assert_eq!(shop.run(merge).await.0, 200);
        shop.at("2027-01-02T12:00:00+08:00");
        settle(&shop, "M2").await;
        let told = shop.bring_back(&slip(&sale, &[(0, 8)]), none()).await;
        let owed = told["dues"].as_array().unwrap().iter().map(|d| decimal(&d["amount"])).sum::<i64>();
        assert_eq!((owed, &told["points"]), (16_000, &json!([])), "{told:#}");
        shop.close().await;
    });
}

#[test]
fn case_8_a_receipt_that_came_after_the_settlement_was_not_settled() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        shop.at("2026-12-30T12:00:00+08:00");
        shop.adjust("M1", "department", json!(6000)).await;
        shop.at("2027-01-02T12:00:00+08:00");
        settle(&shop, "M1").await;
        let late = json!({"card": "C-M1", "occurred_at": "2026-12-31T20:00:00+08:00"});
        let sale = coats(&shop, "1", late).await;
        // Its points are spent: the lot is closed, as a settlement would close it.
        shop.adjust("M1", "department", json!(-4000)).await;
        let told = shop.bring_back(&slip(&sale, &[(0, 8)]), none()).await;
        assert_eq!(told["dues"].as_array().unwrap().len(), 1, "{told:#}");
        assert_eq!(
            (&told["dues"][0]["kind"], &told["withheld"]),
            (&json!("points"), &json!("40.00")),
            "{told:#}"
        );
        assert_eq!(shop.rows::<settled_member::Entity>().await.remove(0).points, 6_000);
        shop.close().await;
    });
}

#[test]
fn case_8_goods_of_a_settled_year_cost_the_rebate_that_their_points_brought() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        shop.at("2026-12-30T12:00:00+08:00");
        let winter = |price: &str, quantity: i32| {
            let mut line = dress(price, quantity);
            line["season"] = json!("winter");
            line
        };
        let card = json!({"card": "C-M1"});
        let sale =
            shop.sell("1", vec![winter("700", 6)], json!([{"kind": "card", "amount": "4200"}]), card).await;
        let points = shop.balance("M1", "department").await;
        assert!(points >= 1_000, "{points}");
        shop.at("2027-01-02T12:00:00+08:00");
        let told = settle(&shop, "M1").await;
        let credited = told["credit"].as_i64().unwrap();
        assert!(credited > 0, "{told}");
        let settled = async || shop.rows::<settled_member::Entity>().await.remove(0).points;
        // In two slips, one with two lines: what is owed sums to the rebate of all points.
        let mut owed = 0;
        for lines in [vec![(0, 1)], vec![(0, 2), (0, 3)]] {
            let told = shop.bring_back(&slip(&sale, &lines), none()).await;
            assert_eq!(told["points"], json!([]), "the points are gone");
            owed += told["dues"].as_array().unwrap().iter().map(|d| decimal(&d["amount"])).sum::<i64>();
            let void_and_again = settled().await;
            assert!(void_and_again < points);
        }
        assert_eq!(owed, credited);
        assert_eq!(settled().await, 0);
        shop.close().await;
    });
}

#[test]
fn case_24_an_invoice_comes_back_first() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        let sale = shop
            .sell(
                "1",
                vec![dress("60", 1)],
                json!([{"kind": "card", "amount": "60"}]),
                json!({"invoice": "I-7"}),
            )
            .await;
        let told = shop.bring_back(&slip(&sale, &[(0, 1)]), none()).await;
        assert!(told["tasks"].as_array().unwrap().contains(&json!("take_back_invoice")), "{told:#}");
        shop.close().await;
    });
}
