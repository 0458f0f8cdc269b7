//! What durability and the answer to contention depend on is set.
use crate::each::each;
use crate::rows::*;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use std::collections::BTreeSet;
use std::time::Duration;
use zhanggui::records::database::Limits;
use zhanggui::records::{Database, Store as _, StoreError, Tx as _, Unit, Want};

async fn says(db: &DatabaseConnection, sql: &str) -> String {
    let row =
        db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get_by_index::<i64>(0)
        .map_or_else(|_| row.try_get_by_index::<String>(0).unwrap(), |n| n.to_string())
}

#[test]
fn connections_are_durable_and_bounded() {
    each(async |place| {
        let (writer, reader) = (place.db.writer(), place.db.reader());
        if place.db.backend() == DbBackend::Sqlite {
            assert_eq!(says(writer, "PRAGMA journal_mode").await, "wal");
            // 2 is FULL.
            assert_eq!(says(writer, "PRAGMA synchronous").await, "2");
            assert_eq!(says(writer, "PRAGMA foreign_keys").await, "1");
            assert_eq!(says(writer, "PRAGMA busy_timeout").await, "5000");
            let written = reader.execute_unprepared("DELETE FROM secrets").await;
            assert!(written.unwrap_err().to_string().contains("readonly"));
        } else {
            assert_eq!(says(writer, "SHOW synchronous_commit").await, "on");
            assert_eq!(says(writer, "SHOW statement_timeout").await, "30s");
            assert_eq!(says(writer, "SHOW lock_timeout").await, "5s");
        }
    });
}

#[test]
fn who_waits_too_long_for_a_lock_may_come_again() {
    each(async |place| {
        crate::write(&place.db, |unit| unit.t.members.put(member("ann"))).await.unwrap();
        let wants = BTreeSet::from([Want::Member(id("ann"))]);
        let mut tx = place.db.begin().await.unwrap();
        tx.load(&mut Unit::new(8), &wants).await.unwrap();
        let limits = Limits { lock: Duration::from_millis(50), ..Limits::default() };
        let other = Database::open_with(&place.url, limits).await.unwrap();
        let waited = async {
            let mut tx = other.begin().await?;
            tx.load(&mut Unit::new(8), &wants).await
        };
        let waited = waited.await;
        assert!(matches!(waited, Err(StoreError::Conflict(_))), "{waited:?}");
        // Who only looks waits for nobody.
        let mut unit = Unit::new(8);
        other.view().await.unwrap().load(&mut unit, &wants).await.unwrap();
        assert_eq!(unit.t.members.get(&id("ann")), Some(&member("ann")));
        drop(tx);
        other.close().await.unwrap();
    });
}
