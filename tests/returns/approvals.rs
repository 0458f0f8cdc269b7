//! Who has to approve, and that splitting does not help.
use crate::each::each;
use crate::shop::*;
use serde_json::json;

#[test]
fn case_19_the_limit_counts_what_came_back_on_the_receipt_that_day() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        let sale =
            shop.sell("1", vec![dress("200", 3)], json!([{"kind": "card", "amount": "600"}]), none()).await;
        let one = slip(&sale, &[(0, 1)]);
        let ticket = shop.ticket(&one).await;
        let (status, told) = shop.record(&ticket, none()).await;
        assert_eq!((status, &told["code"]), (409, &json!("approval-missing")));
        let (status, told) = shop.approve(&ticket, "sue", "supervisor", none()).await;
        assert_eq!((status, &told["verdict"]), (201, &json!("allow")));
        assert_eq!(shop.record(&ticket, none()).await.0, 201);
        // The second slip of 200 makes 400 of the receipt.
        let (_, told) = shop.evaluate(&one).await;
        assert_eq!(
            (&told["approver"], &told["totals"]["to_approve"]),
            (&json!("operations_manager"), &json!("400.00"))
        );
        let ticket = shop.ticket(&one).await;
        let (status, told) = shop.approve(&ticket, "sue", "supervisor", none()).await;
        assert_eq!((status, &told["verdict"]), (201, &json!("deny")));
        let (status, told) = shop.record(&ticket, none()).await;
        assert_eq!((status, &told["code"]), (409, &json!("approval-missing")));
        shop.approve(&ticket, "olga", "operations_manager", none()).await;
        assert_eq!(shop.record(&ticket, none()).await.0, 201);
        // On another day it is another slip.
        shop.at("2026-07-02T12:00:00+08:00");
        let (_, told) = shop.evaluate(&one).await;
        assert_eq!(told["approver"], json!("supervisor"));
        shop.close().await;
    });
}

#[test]
fn case_19_an_approval_covers_what_was_approved_and_no_more() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        let sale =
            shop.sell("1", vec![dress("200", 2)], json!([{"kind": "card", "amount": "400"}]), none()).await;
        let first = shop.ticket(&slip(&sale, &[(0, 1)])).await;
        shop.approve(&first, "sue", "supervisor", none()).await;
        shop.at("2026-07-01T12:05:00+08:00");
        let second = shop.ticket(&slip(&sale, &[(0, 1)])).await;
        shop.approve(&second, "sue", "supervisor", none()).await;
        assert_eq!(shop.record(&first, none()).await.0, 201);
        // Approved as 200; now it is the receipt's 400.
        let (status, told) = shop.record(&second, none()).await;
        assert_eq!((status, &told["code"]), (409, &json!("approval-missing")), "{told:#}");
        shop.close().await;
    });
}

#[test]
fn case_19_nobody_approves_what_they_asked_for() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        let sale =
            shop.sell("1", vec![dress("200", 1)], json!([{"kind": "card", "amount": "200"}]), none()).await;
        let ticket = shop.ticket(&slip(&sale, &[(0, 1)])).await;
        let (status, told) = shop.approve(&ticket, "clerk", "general_manager", none()).await;
        assert_eq!((status, &told["code"]), (409, &json!("own-case")));
        // The customer is staff.
        let customer = json!({"customer_person": "sue"});
        let (status, told) = shop.approve(&ticket, "sue", "supervisor", customer).await;
        assert_eq!(
            (status, &told["verdict"], &told["objections"]),
            (201, &json!("deny"), &json!(["own_case"]))
        );
        shop.close().await;
    });
}

#[test]
fn a_ticket_is_for_its_store_its_lines_and_its_time() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        let sale =
            shop.sell("1", vec![dress("100", 2)], json!([{"kind": "card", "amount": "200"}]), none()).await;
        let ticket = shop.ticket(&slip(&sale, &[(0, 1)])).await;
        shop.approve(&ticket, "sue", "supervisor", none()).await;
        let code = async |more| shop.record(&ticket, more).await.1["code"].clone();
        assert_eq!(code(json!({"store": "s030"})).await, json!("ticket-elsewhere"));
        assert_eq!(code(json!({"lines": [{"line": 0, "quantity": 2}]})).await, json!("beyond-ticket"));
        let (status, told) = shop.record(&format!("{ticket}x"), none()).await;
        assert_eq!((status, &told["code"]), (422, &json!("ticket-invalid")));
        shop.at("2026-07-01T12:31:00+08:00");
        assert_eq!(code(none()).await, json!("ticket-expired"));
        shop.close().await;
    });
}

#[test]
fn fewer_units_than_the_ticket_says_may_be_recorded() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        let sale =
            shop.sell("1", vec![dress("100", 2)], json!([{"kind": "card", "amount": "200"}]), none()).await;
        let told =
            shop.bring_back(&slip(&sale, &[(0, 2)]), json!({"lines": [{"line": 0, "quantity": 1}]})).await;
        assert_eq!(told["refund"], json!("100.00"));
        shop.close().await;
    });
}
