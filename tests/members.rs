//! Members' records over time, on both databases: merged, parted and erased, and points whose time is over.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
#[path = "members/days.rs"]
mod days;
#[path = "records/each.rs"]
#[allow(dead_code, reason = "the tests of records use the rest")]
mod each;
#[path = "members/erased.rs"]
mod erased;
#[path = "members/lives.rs"]
mod lives;
#[path = "members/merged.rs"]
mod merged;
mod postgres;
#[path = "returns/shop.rs"]
#[allow(dead_code, reason = "the tests of returns use the rest")]
mod shop;
#[path = "members/together.rs"]
mod together;

use serde_json::{Value, json};
use shop::*;
use zhanggui::counter::members::{MergeMembers, UnmergeMembers};
use zhanggui::counter::points::{HoldRequest, PlaceHold, Redeem, ReverseRedemption};
use zhanggui::records::ids;

fn as_request<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn cash(amount: &str) -> Value {
    json!([{"kind": "cash", "amount": amount}])
}

async fn merge(shop: &Shop, from: &str, into: &str) -> Told {
    let request = as_request(json!({"store": "s001", "actor": "desk", "into": into, "reason": "one person"}));
    let operation = ids::named(&["merge", from, into]);
    let desk = shop.desk(&json!("s001"));
    shop.run(MergeMembers { desk, member: from.into(), request, operation }).await
}

async fn part(shop: &Shop, from: &str) -> Told {
    let operation = ids::named(&["part", from]);
    let desk = shop.desk(&json!("s001"));
    shop.run(UnmergeMembers { desk, member: from.into(), actor: "desk".into(), operation }).await
}

/// A gift for department points, from the balance or from a hold.
async fn redeem(shop: &Shop, member: &str, points: i64, nth: &str, hold: Value) -> Told {
    let request = as_request(json!({
        "store": "s001", "actor": "desk", "member": member, "wish": "points_gift", "place": "service_centre",
        "ledger": "department", "gift_points": points, "hold": hold, "visit": {"card_shown": true},
    }));
    let operation = ids::named(&["redeem", nth]);
    shop.run(Redeem { desk: shop.desk(&json!("s001")), request, operation }).await
}

async fn reverse(shop: &Shop, nth: &str) -> Told {
    let operation = ReverseRedemption {
        desk: shop.desk(&json!("s001")),
        redemption: ids::named(&["redeem", nth]),
        reason: "wrong gift".into(),
        actor: "desk".into(),
        operation: ids::named(&["reverse", nth]),
    };
    shop.run(operation).await
}

/// Sets points aside for some minutes; the answer has the hold's id.
async fn hold(shop: &Shop, member: &str, ledger: &str, amount: Value, minutes: i64) -> Told {
    let request: HoldRequest = as_request(json!({
        "store": "s001", "actor": "desk", "member": member, "ledger": ledger, "amount": amount, "minutes": minutes,
    }));
    let operation = ids::named(&["hold", member, ledger, &minutes.to_string()]);
    shop.run(PlaceHold { desk: shop.desk(&json!("s001")), request, operation }).await
}

/// A sale that may be refused.
async fn sale(shop: &Shop, receipt: &str, lines: Value, tenders: Value, card: &str) -> Told {
    let request = as_request(json!({
        "store": "s001", "terminal": "t1", "receipt": receipt, "actor": "seller", "lines": lines,
        "tenders": tenders, "card": card,
    }));
    let desk = shop.desk(&json!("s001"));
    shop.run(zhanggui::counter::sale::RecordSale { desk, request, exchange: None }).await
}
