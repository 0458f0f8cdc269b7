//! The records on both databases: the same bodies on SQLite and on PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
#[path = "records/each.rs"]
mod each;
mod postgres;
#[path = "records/rows.rs"]
mod rows;

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
                assert_eq!(sorted(rows), new);
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
        drop(tx);
        let unit = load(&place.db, [Want::Member(id("ann")), Want::Answer("k".into())]).await;
        assert!(unit.t.members.get(&id("ann")).is_none() && unit.t.answers.get(&"k".into()).is_none());
        assert!(unit.has(&Want::Member(id("ann"))));
        write(&place.db, everything).await.unwrap();
    });
}
