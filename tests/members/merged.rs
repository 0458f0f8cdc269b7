//! One person with two records: merging, and parting again.
use crate::each::each;
use crate::*;
use sea_orm::prelude::Uuid;
use zhanggui::records::Unit;
use zhanggui::records::entity::{account, lot};
use zhanggui::records::ledger::{Cause, Life, credit, mature, transfer, transfer_back};

fn cause(member: Uuid, operation: Uuid) -> Cause<'static> {
    Cause {
        member,
        ledger: "points",
        cause: "merge",
        cause_id: operation,
        store: "s1",
        business_date: 20_000,
        occurred_at: 1,
        actor: "desk",
        clause: None,
        digest: None,
        reason: None,
    }
}

/// What a merger moved of debts, as its movements say, comes back as far as it is still owed.
#[test]
fn debt_goes_along_and_comes_back() {
    for (left, back) in [(300, 300), (120, 120), (900, 300)] {
        let (a, b, op) = (ids::member("A"), ids::member("B"), ids::named(&["merge"]));
        let mut unit = Unit::new(7);
        let owes = |unit: &mut Unit, member, debt| {
            let row = account::Model { debt, ..unit.account(member, "points") };
            unit.t.accounts.put(row);
        };
        owes(&mut unit, a, 300);
        credit(&mut unit, &cause(b, ids::named(&["earned"])), "earn", "issued", 50, Life::default()).unwrap();
        transfer(&mut unit, &cause(a, op), b).unwrap();
        let debts = |unit: &Unit| [a, b].map(|m| unit.account(m, "points").debt);
        assert_eq!(debts(&unit), [0, 300]);
        owes(&mut unit, b, left);
        let moved = unit.caused(op);
        transfer_back(&mut unit, &cause(b, ids::named(&["part"])), a, &moved).unwrap();
        assert_eq!(debts(&unit), [back, left - back], "of {left}");
        assert_eq!([a, b].map(|m| unit.account(m, "points").available), [0, 50]);
    }
}

/// Points that do not count yet go along with their day, and count for whoever has them when it comes.
#[test]
fn pending_points_go_along_and_begin_to_count_on_their_day() {
    let (a, b, op) = (ids::member("A"), ids::member("B"), ids::named(&["merge"]));
    let life = Life { activates_on: Some(20_010), expires_on: None };
    let earned = |unit: &mut Unit| {
        credit(unit, &cause(a, ids::named(&["earned"])), "earn", "issued", 70, life).unwrap();
        transfer(unit, &cause(a, op), b).unwrap();
    };
    let points = |unit: &Unit, of| (unit.account(of, "points").pending, unit.account(of, "points").available);
    // Merged when the day comes.
    let mut unit = Unit::new(7);
    earned(&mut unit);
    assert_eq!((points(&unit, a), points(&unit, b)), ((0, 0), (70, 0)));
    mature(&mut unit, &cause(b, ids::named(&["day"])), 20_009).unwrap();
    assert_eq!(points(&unit, b), (70, 0));
    mature(&mut unit, &cause(b, ids::named(&["day"])), 20_010).unwrap();
    assert_eq!((points(&unit, a), points(&unit, b)), ((0, 0), (0, 70)));
    // Parted before.
    let mut unit = Unit::new(7);
    earned(&mut unit);
    let moved = unit.caused(op);
    transfer_back(&mut unit, &cause(b, ids::named(&["part"])), a, &moved).unwrap();
    assert_eq!((points(&unit, a), points(&unit, b)), ((70, 0), (0, 0)));
    mature(&mut unit, &cause(a, ids::named(&["day"])), 20_010).unwrap();
    assert_eq!((points(&unit, a), points(&unit, b)), ((0, 70), (0, 0)));
}

#[test]
fn parting_gives_back_the_same_lots_also_through_two_mergers() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        for (number, points) in [("A", 300), ("B", 20), ("C", 1)] {
            shop.enrol(number).await;
            shop.adjust(number, "department", json!(points)).await;
        }
        let open = async || -> Vec<lot::Model> {
            shop.rows::<lot::Entity>().await.into_iter().filter(|l| l.state == "open").collect()
        };
        let before = open().await;
        assert_eq!(merge(&shop, "A", "B").await.0, 200);
        let between = open().await;
        assert_eq!(merge(&shop, "B", "C").await.0, 200);
        assert_eq!(shop.balance("C", "department").await, 321);
        // The record that took A over has gone on: first that merger has to be undone.
        let (status, told) = part(&shop, "A").await;
        assert_eq!((status, &told["code"]), (409, &json!("member-not-active")), "{told}");
        assert_eq!(part(&shop, "B").await.0, 200);
        assert_eq!(open().await, between);
        let (status, told) = {
            let desk = shop.desk(&json!("s001"));
            let operation = ids::named(&["part again", "A"]);
            shop.run(UnmergeMembers { desk, member: "A".into(), actor: "desk".into(), operation }).await
        };
        assert_eq!(status, 200, "{told}");
        assert_eq!(open().await, before);
        shop.close().await;
    });
}

#[test]
fn what_is_given_back_to_a_merged_record_reaches_the_one_that_took_it_over() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        for number in ["A", "B"] {
            shop.enrol(number).await;
        }
        shop.adjust("A", "rebate", json!("30")).await;
        let tenders = json!([{"kind": "rebate", "amount": "20"}, {"kind": "cash", "amount": "80"}]);
        let bought = shop.sell("1", vec![dress("50", 2)], tenders, json!({"card": "C-A"})).await;
        let earned = shop.balance("A", "department").await;
        assert_eq!(redeem(&shop, "A", earned - 50, "a", Value::Null).await.0, 201);
        let back = shop.bring_back(&slip(&bought, &[(0, 1)]), none()).await;
        let (points, rebate) = (shop.balance("A", "department").await, shop.balance("A", "rebate").await);
        assert_eq!(merge(&shop, "A", "B").await.0, 200);
        assert_eq!(
            (shop.balance("B", "department").await, shop.balance("B", "rebate").await),
            (points, rebate)
        );

        let (status, told) = reverse(&shop, "a").await;
        assert_eq!((status, &told["balance"]), (200, &json!((points + earned - 50).to_string())), "{told}");
        assert_eq!(shop.balance("A", "department").await, 0);
        let (status, told) = shop.void(&back["return"]).await;
        assert_eq!(status, 200, "{told}");
        assert_eq!((shop.balance("A", "department").await, shop.balance("A", "rebate").await), (0, 0));
        assert_eq!(
            (shop.balance("B", "department").await, shop.balance("B", "rebate").await),
            (earned, 1_000)
        );

        // Parted, what came back meanwhile is A's, as the rest.
        assert_eq!(part(&shop, "A").await.0, 200);
        assert_eq!(
            (shop.balance("A", "department").await, shop.balance("A", "rebate").await),
            (earned, 1_000)
        );
        assert_eq!((shop.balance("B", "department").await, shop.balance("B", "rebate").await), (0, 0));
        shop.close().await;
    });
}
