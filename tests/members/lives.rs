//! Lots and holds whose time is over: to the day, and to the second.
use crate::each::each;
use crate::*;
use zhanggui::counter::points::{Adjust, BringUp, EndHold, HoldEnd};
use zhanggui::counter::settle::{BeginSettlement, SettleMember};
use zhanggui::records::Unit;
use zhanggui::records::entity::{hold as hold_row, movement};
use zhanggui::records::ledger::{Cause, Life, Order, credit, mature, restore, spend};

async fn give(shop: &Shop, ledger: &str, amount: Value, expires_on: &str) {
    let request = as_request(json!({
        "store": "s001", "actor": "clerk", "approver": "boss", "member": "M1", "ledger": ledger, "amount": amount,
        "reason": "goodwill", "expires_on": expires_on,
    }));
    let operation = ids::named(&["give", ledger, expires_on]);
    let (status, told) = shop.run(Adjust { desk: shop.desk(&json!("s001")), request, operation }).await;
    assert_eq!(status, 201, "{told}");
}

/// What the nightly job does.
async fn night(shop: &Shop, ledger: &str) {
    let operation =
        BringUp { desk: shop.desk(&json!("s001")), member: ids::member("M1"), ledger: ledger.into() };
    assert_eq!(shop.run(operation).await.0, 200);
}

async fn movements(shop: &Shop, kind: &str) -> usize {
    shop.rows::<movement::Entity>().await.iter().filter(|m| m.kind == kind).count()
}

async fn pay(shop: &Shop, receipt: &str) -> Told {
    let tenders = json!([{"kind": "rebate", "amount": "50"}]);
    sale(shop, receipt, json!([dress("50", 1)]), tenders, "C-M1").await
}

#[test]
fn a_lot_lives_through_its_last_day() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        give(&shop, "department", json!(300), "2026-07-02").await;
        shop.at("2026-07-02T23:59:59+08:00");
        night(&shop, "department").await;
        assert_eq!((shop.balance("M1", "department").await, movements(&shop, "expire").await), (300, 0));
        assert_eq!(redeem(&shop, "M1", 100, "a", Value::Null).await.0, 201);
        shop.at("2026-07-03T00:00:00+08:00");
        let (status, told) = redeem(&shop, "M1", 100, "b", Value::Null).await;
        assert_eq!((status, &told["code"]), (409, &json!("redemption-refused")), "{told}");
        night(&shop, "department").await;
        assert_eq!((shop.balance("M1", "department").await, movements(&shop, "expire").await), (0, 1));
        // What comes back after its time has no grace here: it is written off as it comes.
        assert_eq!(reverse(&shop, "a").await.0, 200);
        assert_eq!((shop.balance("M1", "department").await, movements(&shop, "expire").await), (0, 2));
        shop.close().await;
    });
}

#[test]
fn money_whose_time_is_over_pays_for_nothing() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        give(&shop, "rebate", json!("50"), "2026-07-01").await;
        give(&shop, "rebate", json!("60"), "2026-07-02").await;
        shop.at("2026-07-01T23:59:00+08:00");
        assert_eq!(pay(&shop, "1").await.0, 201);
        shop.at("2026-07-03T00:00:00+08:00");
        let (status, told) = pay(&shop, "2").await;
        assert_eq!((status, &told["code"]), (409, &json!("insufficient-balance")), "{told}");
        shop.close().await;
    });
}

#[test]
fn a_hold_ends_to_the_second() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        shop.adjust("M1", "rebate", json!("50")).await;
        shop.at("2026-07-01T13:00:00+08:00");
        let (status, told) = hold(&shop, "M1", "rebate", json!("50"), 10).await;
        assert_eq!(status, 201, "{told}");
        let id = uuid(&told["hold"]);
        shop.at("2026-07-01T13:09:59+08:00");
        night(&shop, "rebate").await;
        let (status, told) = pay(&shop, "1").await;
        assert_eq!((status, &told["code"]), (409, &json!("insufficient-balance")), "{told}");
        shop.at("2026-07-01T13:10:01+08:00");
        let end = |end| EndHold { desk: shop.desk(&json!("s001")), hold: id, end, actor: "desk".into() };
        for over in [HoldEnd::Capture(None), HoldEnd::Release] {
            assert_eq!(shop.run(end(over)).await.1["code"], "hold-expired");
        }
        // Paying sets it free; then it is no open hold any more.
        let (status, told) = pay(&shop, "1").await;
        assert_eq!(status, 201, "{told}");
        assert_eq!(shop.rows::<hold_row::Entity>().await[0].state, "expired");
        assert_eq!(shop.run(end(HoldEnd::Release)).await.1["code"], "hold-closed");
        assert_eq!(movements(&shop, "release").await, 1);
        shop.close().await;
    });
}

#[test]
fn what_is_held_outlives_its_last_day_until_the_hold_ends() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        give(&shop, "department", json!(300), "2026-07-01").await;
        shop.at("2026-07-01T23:55:00+08:00");
        let (_, held) = hold(&shop, "M1", "department", json!(200), 10).await;
        let (_, kept) = hold(&shop, "M1", "department", json!(50), 11).await;
        shop.at("2026-07-02T00:00:00+08:00");
        night(&shop, "department").await;
        // The 50 that nobody holds are gone; the hold can still be captured.
        assert_eq!((shop.balance("M1", "department").await, movements(&shop, "expire").await), (0, 1));
        assert_eq!(redeem(&shop, "M1", 200, "h", held["hold"].clone()).await.0, 201);
        let end = EndHold {
            desk: shop.desk(&json!("s001")),
            hold: uuid(&kept["hold"]),
            end: HoldEnd::Release,
            actor: "desk".into(),
        };
        assert_eq!(shop.run(end).await.0, 200);
        assert_eq!((shop.balance("M1", "department").await, movements(&shop, "expire").await), (0, 2));
        shop.close().await;
    });
}

#[test]
fn what_comes_back_after_its_year_was_settled_stays_for_the_next() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.at("2026-12-30T12:00:00+08:00");
        shop.enrol("M1").await;
        shop.adjust("M1", "department", json!(1500)).await;
        assert_eq!(redeem(&shop, "M1", 400, "a", Value::Null).await.0, 201);
        let settle = |year: i32| SettleMember {
            desk: shop.desk(&json!("s001")),
            settlement: ids::named(&["settlement", "department", &year.to_string()]),
            ledger: "department".into(),
            year,
            as_of: zhanggui::program::dates::from_ymd(year, 12, 31).unwrap(),
            member: ids::member("M1"),
            actor: "system".into(),
        };
        let begin = |year: i32| {
            let request = json!({"store": "s001", "actor": "system", "ledger": "department", "year": year});
            BeginSettlement { desk: shop.desk(&json!("s001")), request: as_request(request) }
        };
        shop.at("2027-01-01T09:00:00+08:00");
        assert_eq!(shop.run(begin(2026)).await.0, 202);
        assert_eq!(shop.run(settle(2026)).await.1["cleared"], 1100);
        shop.at("2027-01-05T09:00:00+08:00");
        assert_eq!(reverse(&shop, "a").await.0, 200);
        assert_eq!(shop.balance("M1", "department").await, 400);
        // The old year is settled once; the new one finds them.
        assert_eq!(shop.run(settle(2026)).await.1["before"], json!(true));
        assert_eq!(shop.balance("M1", "department").await, 400);
        shop.at("2028-01-01T09:00:00+08:00");
        assert_eq!(shop.run(begin(2027)).await.0, 202);
        assert_eq!(shop.run(settle(2027)).await.1["cleared"], 400);
        assert_eq!(shop.balance("M1", "department").await, 0);
        shop.close().await;
    });
}

/// What is given back after its time: `grace` days more, last day included, or nothing.
#[test]
fn what_comes_back_late_lives_as_long_as_its_ledger_grants() {
    const LAST: i32 = 20_000;
    for (back_on, grace, until) in [
        (LAST, Some(7), LAST),
        (LAST + 1, Some(7), LAST + 8),
        (LAST + 9, Some(0), LAST + 9),
        (LAST + 1, None, LAST),
    ] {
        let member = ids::member("M1");
        let cause = |name: &str, date: i32| Cause {
            member,
            ledger: "points",
            cause: "test",
            cause_id: ids::named(&[name]),
            store: "s1",
            business_date: date,
            occurred_at: 1,
            actor: "desk",
            clause: None,
            digest: None,
            reason: None,
        };
        let mut unit = Unit::new(7);
        let life = Life { activates_on: None, expires_on: Some(LAST) };
        credit(&mut unit, &cause("earned", LAST), "earn", "issued", 50, life).unwrap();
        let spent = spend(&mut unit, &cause("spent", LAST), "spend", "redeemed", 30, Order::Expiry).unwrap();
        mature(&mut unit, &cause("night", back_on), back_on).unwrap();
        let of = unit.t.movements.get(&spent).unwrap().clone();
        restore(&mut unit, &cause("back", back_on), &of, back_on, grace).unwrap();
        let left = |unit: &Unit| unit.account(member, "points").available;
        let all = if back_on > LAST { 30 } else { 50 };
        assert_eq!(left(&unit), if until < back_on { 0 } else { all }, "{back_on} {grace:?}");
        mature(&mut unit, &cause("last day", until), until.max(back_on)).unwrap();
        assert_eq!(left(&unit), if until < back_on { 0 } else { all }, "{back_on} {grace:?}");
        mature(&mut unit, &cause("day after", until + 1), until.max(back_on) + 1).unwrap();
        assert_eq!(left(&unit), 0, "{back_on} {grace:?}");
    }
}
