//! Goods for goods.
use crate::each::each;
use crate::shop::*;
use serde_json::{Value, json};
use zhanggui::records::entity::{sale, sale_tender};

fn wants_goods(sale: &Value) -> Value {
    let mut slip = slip(sale, &[(0, 1)]);
    slip["request"]["wants"] = json!("exchange");
    slip
}

fn new_goods(receipt: &str, price: &str, tenders: Value) -> Value {
    json!({"store": "s001", "terminal": "desk", "receipt": receipt, "actor": "clerk", "card": "C-M1",
           "lines": [dress(price, 1)], "tenders": tenders})
}

#[test]
fn case_17_even_dearer_and_cheaper_goods() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        shop.adjust("M1", "rebate", json!("100")).await;
        let tenders = json!([{"kind": "rebate", "amount": "100"}, {"kind": "card", "reference": "tok", "amount": "100"}]);
        let first = shop.sell("1", vec![dress("200", 1)], tenders, json!({"card": "C-M1"})).await;
        let points = shop.balance("M1", "department").await;

        shop.at("2026-07-03T12:00:00+08:00");
        let ticket = shop.ticket(&wants_goods(&first)).await;
        shop.approve(&ticket, "sue", "supervisor", none()).await;
        let (status, told) = shop.record(&ticket, none()).await;
        assert_eq!((status, &told["code"]), (409, &json!("is-an-exchange")));
        let (status, even) = shop.exchange(&ticket, none(), new_goods("2", "200", json!([]))).await;
        assert_eq!((status, &even["goes_back"]), (201, &json!("0.00")), "{even:#}");
        assert_eq!(shop.balance("M1", "department").await, points);
        assert_eq!(shop.balance("M1", "rebate").await, 0, "the money is in the goods");

        // Dearer goods are paid up; the window still runs from the first purchase.
        shop.at("2026-07-06T12:00:00+08:00");
        let ticket = shop.ticket(&wants_goods(&even["sale"]["sale"])).await;
        shop.approve(&ticket, "sue", "supervisor", none()).await;
        let (status, told) = shop.exchange(&ticket, none(), new_goods("3", "260", json!([]))).await;
        assert_eq!(
            (status, &told["code"], &told["to_pay"]),
            (422, &json!("tenders-do-not-add-up"), &json!("60.00"))
        );
        let paid = json!([{"kind": "cash", "amount": "60"}]);
        let (status, dearer) = shop.exchange(&ticket, none(), new_goods("3", "260", paid)).await;
        assert_eq!((status, &dearer["carried"]), (201, &json!("200.00")), "{dearer:#}");
        let sales = shop.rows::<sale::Entity>().await;
        assert!(sales.iter().all(|s| s.first_date == sales[0].first_date));
        let kinds = |id: &Value, all: &[sale_tender::Model]| {
            let id = uuid(id);
            all.iter().filter(|t| t.sale_id == id).map(|t| (t.kind.clone(), t.amount)).collect::<Vec<_>>()
        };
        let tenders = shop.rows::<sale_tender::Entity>().await;
        assert_eq!(
            kinds(&dearer["sale"]["sale"], &tenders),
            [("rebate".into(), 10_000), ("card".into(), 10_000), ("cash".into(), 6_000)]
        );

        // Cheaper goods: the rest goes back to what it was paid with, and has to be approved.
        let ticket = shop.ticket(&wants_goods(&dearer["sale"]["sale"])).await;
        shop.approve(&ticket, "sue", "supervisor", none()).await;
        let (status, told) = shop.exchange(&ticket, none(), new_goods("4", "130", json!([]))).await;
        assert_eq!((status, &told["code"]), (409, &json!("approval-missing")), "{told:#}");
        shop.approve(&ticket, "sue", "supervisor", json!({"amount": "130"})).await;
        let (status, cheaper) = shop.exchange(&ticket, none(), new_goods("4", "130", json!([]))).await;
        assert_eq!((status, &cheaper["goes_back"]), (201, &json!("130.00")), "{cheaper:#}");
        assert_eq!(shop.balance("M1", "rebate").await, 5_000);
        assert_eq!(shop.void(&cheaper["return"]["return"]).await.1["code"], json!("exchange-stands"));

        // Nine days after the first purchase the window is over, whatever was exchanged since.
        shop.at("2026-07-10T12:00:00+08:00");
        let (_, told) = shop.evaluate(&slip(&cheaper["sale"]["sale"], &[(0, 1)])).await;
        assert_eq!(told["verdict"], json!("deny"), "{told:#}");
        shop.close().await;
    });
}

#[test]
fn an_exchange_counts_towards_approval_what_it_paid_out() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        let paid = json!([{"kind": "card", "reference": "tok", "amount": "600"}]);
        let first = shop.sell("1", vec![dress("200", 3)], paid, json!({"card": "C-M1"})).await;
        // An even exchange pays nothing out, one for cheaper goods 50.00.
        for (receipt, price, same_day, to_approve) in
            [("2", "200", "0.00", "200.00"), ("3", "150", "50.00", "250.00")]
        {
            let ticket = shop.ticket(&wants_goods(&first)).await;
            shop.approve(&ticket, "sue", "general_manager", json!({"amount": "50"})).await;
            let (status, told) = shop.exchange(&ticket, none(), new_goods(receipt, price, json!([]))).await;
            assert_eq!(status, 201, "{told:#}");
            let (_, told) = shop.evaluate(&slip(&first, &[(0, 1)])).await;
            let totals = &told["totals"];
            assert_eq!(
                (&totals["same_day"], &totals["to_approve"]),
                (&json!(same_day), &json!(to_approve)),
                "{told:#}"
            );
        }
        shop.close().await;
    });
}
