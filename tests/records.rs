//! The records on both databases: the same bodies on SQLite and on PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
#[path = "records/batches.rs"]
mod batches;
#[path = "records/each.rs"]
mod each;
#[path = "records/failures.rs"]
mod failures;
#[path = "records/lots.rs"]
mod lots;
#[path = "records/many.rs"]
mod many;
#[path = "records/plans.rs"]
mod plans;
mod postgres;
#[path = "records/rows.rs"]
mod rows;
#[path = "records/scale.rs"]
mod scale;
#[path = "records/schema.rs"]
mod schema;
#[path = "records/settings.rs"]
mod settings;
#[path = "records/verified.rs"]
mod verified;

use each::each;
use rows::*;
use sea_orm::EntityTrait as _;
use std::collections::BTreeSet;
use zhanggui::records::shelf::Row;
use zhanggui::records::{Database, Store, StoreError, Tx as _, Unit, Want};

/// Writes what `fill` puts, in one transaction.
async fn write(db: &Database, fill: impl FnOnce(&mut Unit)) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    let mut unit = Unit::new(7);
    fill(&mut unit);
    tx.write(&unit).await?;
    tx.write_chains(&unit).await?;
    tx.commit().await
}

/// Loads what is wanted in a transaction that writes, as the engine does.
async fn load<const N: usize>(db: &Database, wants: [Want; N]) -> Unit {
    let mut unit = Unit::new(8);
    db.begin().await.unwrap().load(&mut unit, &BTreeSet::from(wants)).await.unwrap();
    unit
}

fn sorted<R: Row>(mut rows: Vec<R>) -> Vec<R> {
    rows.sort_by_key(Row::key);
    rows
}

#[test]
fn every_table_takes_its_rows_and_gives_them_back() {
    each(async |place| {
        let mut expected = Unit::new(7);
        everything(&mut expected);
        write(&place.db, everything).await.unwrap();
        macro_rules! same {
            ($field:ident, $entity:ident) => {
                let rows =
                    zhanggui::records::entity::$entity::Entity::find().all(place.db.reader()).await.unwrap();
                let (new, _) = expected.t.$field.changes();
                assert!(!new.is_empty(), stringify!($field));
                assert_eq!(sorted(rows), new.into_iter().cloned().collect::<Vec<_>>());
            };
        }
        zhanggui::each_table!(same);
    });
}

#[test]
fn a_transaction_that_is_dropped_leaves_no_trace() {
    each(async |place| {
        let mut unit = Unit::new(7);
        everything(&mut unit);
        let mut tx = place.db.begin().await.unwrap();
        tx.write(&unit).await.unwrap();
        tx.write_chains(&unit).await.unwrap();
        drop(tx);
        let unit = load(&place.db, [Want::Member(id("ann")), Want::Answer("k".into())]).await;
        assert!(unit.t.members.get(&id("ann")).is_none() && unit.t.answers.get(&"k".into()).is_none());
        assert!(unit.has(&Want::Member(id("ann"))));
        write(&place.db, everything).await.unwrap();
    });
}

#[test]
fn every_want_puts_what_it_names() {
    each(async |place| {
        write(&place.db, everything).await.unwrap();
        write(&place.db, |unit| {
            let t = &mut unit.t;
            t.lots.put(lot_closed());
            t.holds.put(zhanggui::records::entity::hold::Model {
                state: "released".into(),
                ..hold(id("old hold"), "ann", 1, id("lot"))
            });
            t.returns.put(return_slip(id("no receipt"), None, 0));
            t.members.put(zhanggui::records::entity::member::Model {
                status: "merged".into(),
                merged_into: Some(id("ann")),
                ..member("ann before")
            });
        })
        .await
        .unwrap();
        let (ann, sale, slip) = (id("ann"), id("sale"), id("return"));
        let key = |lot: Uuid| (ann, LEDGER.to_owned(), lot);

        let unit = load(&place.db, [Want::Sale(sale)]).await;
        assert!(unit.t.sales.get(&sale).is_some() && unit.t.discounts.get(&(sale, 1)).is_some());
        assert_eq!(
            (unit.sale_lines(sale).len(), unit.sale_tenders(sale).len(), unit.sale_gifts(sale).len()),
            (2, 1, 1)
        );
        assert_eq!((unit.sale_returns(sale).len(), unit.return_lines(slip).len()), (1, 1));
        assert!(unit.t.return_tenders.get(&(slip, 1)).is_some() && unit.t.dues.get(&(slip, 1)).is_some());
        let ticket = unit.sale_returns(sale)[0].ticket_id;
        assert!(unit.t.approvals.get(&(ticket, id("approval"))).is_some());

        let unit = load(&place.db, [Want::Member(ann)]).await;
        let t = &unit.t;
        assert!(t.members.get(&ann).is_some() && t.persons.get(&ann).is_some());
        assert!(t.cards.get(&"c-ann".into()).is_some() && t.tier_grants.get(&(ann, id("grant"))).is_some());
        assert_eq!(unit.account(ann, LEDGER).available, 70);

        assert!(unit.merged(ann).is_empty());
        let unit = load(&place.db, [Want::Merged(ann)]).await;
        assert_eq!(unit.merged(ann), [id("ann before")]);
        let lots = [Want::Lots(ann, LEDGER.into()), Want::Holds(ann)];
        let unit = load(&place.db, lots).await;
        assert_eq!((unit.lots(ann, LEDGER).len(), unit.open_holds(ann).len()), (1, 1));
        assert!(unit.t.holds.get(&(ann, id("old hold"))).is_none());

        let finders = [Want::Card("c-ann".into()), Want::Identity("h".into()), Want::Hold(id("hold"))];
        let unit = load(&place.db, finders).await;
        assert_eq!(unit.card_member("c-ann"), Some(ann));
        assert_eq!(unit.identity_member("h"), Some(ann));
        assert_eq!((unit.hold_member(id("hold")), unit.hold_member(id("lot"))), (Some(ann), None));

        let unit = load(&place.db, [Want::Days(ann, 2026), Want::Gifts(ann, 2026)]).await;
        assert_eq!(unit.days(ann, DAY, DAY).len(), 1);
        assert!(unit.t.gift_issues.get(&(ann, "birthday".into(), 2026)).is_some());
        let unit = load(&place.db, [Want::Days(ann, 2025), Want::Gifts(ann, 2025)]).await;
        assert!(unit.days(ann, DAY, DAY).is_empty());
        assert!(unit.t.gift_issues.get(&(ann, "birthday".into(), 2026)).is_none());

        let unit = load(&place.db, [Want::Ticket(ticket), Want::Return(id("no receipt"))]).await;
        assert_eq!(unit.ticket_return(ticket), Some(slip));
        let unit_of = load(&place.db, [Want::Offline(ticket)]).await;
        assert_eq!(unit_of.t.offline_returns.get(&ticket).map(|o| o.slip.as_str()), Some("R1"));
        assert!(unit.t.returns.get(&id("no receipt")).is_some());
        assert!(unit.t.approvals.get(&(ticket, id("approval"))).is_some());

        let unit = load(&place.db, [Want::Movement(id("m2")), Want::Caused(sale)]).await;
        assert_eq!(
            (unit.caused(sale).len(), unit.entries(id("m1")).len(), unit.entries(id("m2")).len()),
            (1, 2, 2)
        );
        assert!(unit.t.lots.get(&key(id("lot"))).is_some());

        let rest = [
            Want::Voucher("v1".into()),
            Want::Redemption(id("redemption")),
            Want::Settlement(id("settlement")),
            Want::Settled(ann, LEDGER.into(), 2025),
            Want::Qualified(sale),
            Want::Store("s1".into()),
            Want::Counter("s1".into(), "c1".into()),
            Want::Rulebook("d".into()),
            Want::Secret("ticket".into()),
            Want::Answer("k".into()),
            Want::Events(ann),
        ];
        let unit = load(&place.db, rest).await;
        let t = &unit.t;
        assert!(t.vouchers.get(&"v1".into()).is_some() && t.redemptions.get(&id("redemption")).is_some());
        assert!(t.member_events.get(&(ann, id("event"))).is_some());
        assert!(t.settlements.get(&id("settlement")).is_some());
        assert!(t.settled.get(&(ann, LEDGER.into(), 2025)).is_some());
        assert!(t.tier_grants.get(&(ann, id("grant"))).is_some() && t.stores.get(&"s1".into()).is_some());
        assert!(
            t.counters.get(&("s1".into(), "c1".into())).is_some() && t.rulebooks.get(&"d".into()).is_some()
        );
        assert!(t.secrets.get(&"ticket".into()).is_some() && t.answers.get(&"k".into()).is_some());
    });
}

fn lot_closed() -> zhanggui::records::entity::lot::Model {
    zhanggui::records::entity::lot::Model {
        remaining: 0,
        state: "closed".into(),
        ..lot(id("closed"), "ann", 5)
    }
}

#[test]
fn changed_rows_take_the_place_of_what_was() {
    each(async |place| {
        write(&place.db, everything).await.unwrap();
        let all = [
            Want::Sale(id("sale")),
            Want::Member(id("ann")),
            Want::Voucher("v1".into()),
            Want::Lots(id("ann"), LEDGER.into()),
        ];
        let mut tx = place.db.begin().await.unwrap();
        let mut unit = Unit::new(8);
        tx.load(&mut unit, &BTreeSet::from(all.clone())).await.unwrap();
        // Each with another unique column than the key, or with checks over several columns.
        let mut ann = unit.t.members.get(&id("ann")).unwrap().clone();
        (ann.tier, ann.version) = (None, 2);
        unit.t.members.put(ann.clone());
        let mut slip = unit.t.returns.get(&id("return")).unwrap().clone();
        slip.status = "voided".into();
        unit.t.returns.put(slip.clone());
        let mut lot = unit.lots(id("ann"), LEDGER)[0].clone();
        (lot.remaining, lot.held) = (3, 2);
        unit.t.lots.put(lot.clone());
        let mut voucher = unit.t.vouchers.get(&"v1".into()).unwrap().clone();
        (voucher.balance, voucher.member_id) = (1, None);
        unit.t.vouchers.put(voucher.clone());
        tx.write(&unit).await.unwrap();
        tx.commit().await.unwrap();
        let unit = load(&place.db, all).await;
        assert_eq!(unit.t.members.get(&id("ann")), Some(&ann));
        assert_eq!(unit.sale_returns(id("sale")), [slip]);
        assert_eq!(unit.lots(id("ann"), LEDGER), [lot]);
        assert_eq!(unit.t.vouchers.get(&"v1".into()), Some(&voucher));
    });
}

#[test]
fn thousands_of_rows_are_cut_into_statements() {
    each(async |place| {
        let names: Vec<String> = (0..20_000).map(|n| format!("k{n}")).collect();
        write(&place.db, |unit| names.iter().for_each(|name| unit.t.answers.put(answer(name))))
            .await
            .unwrap();
        let mut unit = Unit::new(8);
        let wants: BTreeSet<Want> = names.iter().cloned().map(Want::Answer).collect();
        place.db.view().await.unwrap().load(&mut unit, &wants).await.unwrap();
        assert!(names.iter().all(|name| unit.t.answers.get(name) == Some(&answer(name))));
        // Two entries each, and an odd number of them in a statement: no movement is torn apart.
        write(&place.db, |unit| {
            for n in 0..10_000 {
                let of = id(&format!("m{n}"));
                unit.t.movements.put(movement(of, "ann", None));
                unit.t.entries.put(entry(of, 0, "ann", "issued", -1, None));
                unit.t.entries.put(entry(of, 1, "ann", "available", 1, None));
            }
        })
        .await
        .unwrap();
    });
}
