//! Every statement that loads or reads something finds it by an index.
use crate::each::each;
use crate::rows::*;
use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement, TransactionTrait as _};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use zhanggui::records::read::{self, SalesOf};
use zhanggui::records::{Database, Store as _, Tx as _, Unit, Want};

#[test]
fn loads_use_indexes() {
    each(async |place| {
        crate::write(&place.db, everything).await.unwrap();
        let (ann, sale) = (id("ann"), id("sale"));
        let ticket = return_slip(id("return"), None, 0).ticket_id;
        let wants = BTreeSet::from([
            Want::Sale(sale),
            Want::Member(ann),
            Want::Voucher("v1".into()),
            Want::Answer("k".into()),
            Want::Card("c-ann".into()),
            Want::Identity("h".into()),
            Want::Hold(id("hold")),
            Want::Holds(ann),
            Want::Lots(ann, LEDGER.into()),
            Want::Days(ann, 2026),
            Want::Gifts(ann, 2026),
            Want::Ticket(ticket),
            Want::Return(id("return")),
            Want::Movement(id("m2")),
            Want::Caused(sale),
            Want::Redemption(id("redemption")),
            Want::Qualified(sale),
            Want::Settlement(id("settlement")),
            Want::Settled(ann, LEDGER.into(), 2025),
            Want::Store("s1".into()),
            Want::Counter("s1".into(), "c1".into()),
            Want::Rulebook("d".into()),
            Want::Secret("ticket".into()),
            Want::Events(ann),
        ]);
        let mut watched = place.db.clone();
        let seen = watch(&mut watched);
        let mut tx = watched.begin().await.unwrap();
        tx.load(&mut Unit::new(8), &wants).await.unwrap();
        tx.chains(&BTreeSet::from(["s1".to_owned()])).await.unwrap();
        drop(tx);
        let statements = std::mem::take(&mut *seen.lock().unwrap());
        assert!(statements.len() >= 38, "{}", statements.len());
        by_index(&place.db, statements).await;
    });
}

#[test]
fn queries_use_indexes() {
    each(async |place| {
        crate::write(&place.db, everything).await.unwrap();
        let (ann, sale) = (id("ann"), id("sale"));
        let mut watched = place.db.clone();
        let seen = watch(&mut watched);
        let db = watched.reader();
        assert!(read::member(db, ann).await.unwrap().is_some());
        assert!(read::card(db, "c-ann").await.unwrap().is_some());
        assert_eq!(read::open_lots(db, ann).await.unwrap().len(), 1);
        assert_eq!(read::statement(db, ann, Some(LEDGER), Some((9, ann)), 9).await.unwrap().len(), 3);
        assert!(read::sale(db, sale).await.unwrap().is_some());
        for of in [SalesOf::Store("s1".into(), DAY), SalesOf::Member(ann)] {
            assert_eq!(read::sales(db, &of, Some(Uuid::nil()), 9).await.unwrap().len(), 1);
        }
        assert!(read::return_slip(db, id("return")).await.unwrap().is_some());
        assert!(read::hold(db, id("hold")).await.unwrap().is_some());
        assert!(read::redemption(db, id("redemption")).await.unwrap().is_some());
        assert!(read::voucher(db, "v1").await.unwrap().is_some());
        assert!(read::decision(db, id("decision")).await.unwrap().is_some());
        assert!(read::rulebook(db, "d").await.unwrap().is_some());
        assert!(read::settlement(db, id("settlement")).await.unwrap().is_some());
        for after in [None, Some(Uuid::nil())] {
            assert_eq!(read::account_holders(db, LEDGER, after, 9).await.unwrap(), [ann]);
        }
        assert_eq!(read::due(db, DAY + 400, 1, 9).await.unwrap(), [(ann, LEDGER.to_owned())]);
        assert_eq!(read::due(db, DAY, 9, 9).await.unwrap(), [(ann, LEDGER.to_owned())]);
        assert_eq!(read::events(db, Some((0, Uuid::nil())), 9).await.unwrap().len(), 1);
        assert_eq!(read::counters(db, "s1").await.unwrap().len(), 1);
        let statements = std::mem::take(&mut *seen.lock().unwrap());
        by_index(&place.db, statements).await;
    });
}

fn watch(db: &mut Database) -> Arc<Mutex<Vec<Statement>>> {
    let seen: Arc<Mutex<Vec<Statement>>> = Arc::default();
    let to = seen.clone();
    db.observe(move |info| to.lock().unwrap().push(info.statement.clone()));
    seen
}

/// Whether the database answers each statement by an index.
async fn by_index(db: &Database, statements: Vec<Statement>) {
    assert!(!statements.is_empty());
    let tx = db.writer().begin().await.unwrap();
    let sqlite = db.backend() == DbBackend::Sqlite;
    if !sqlite {
        // With few rows reading all of them is cheapest; without that choice a scan shows that no index serves.
        tx.execute_unprepared("SET LOCAL enable_seqscan = off").await.unwrap();
    }
    for statement in statements {
        let explain = if sqlite { "EXPLAIN QUERY PLAN" } else { "EXPLAIN" };
        let sql = format!("{explain} {}", statement.sql);
        let asked = Statement { sql: sql.clone(), ..statement };
        let rows = tx.query_all_raw(asked).await.unwrap();
        let line = |row: &QueryResult| row.try_get_by_index::<String>(if sqlite { 3 } else { 0 }).unwrap();
        let plan: Vec<String> = rows.iter().map(line).collect();
        let plan = plan.join("\n");
        let scans = plan.contains("Seq Scan") || (sqlite && plan.contains("SCAN"));
        let index = plan.contains("Index") || plan.contains("INDEX") || plan.contains("PRIMARY KEY");
        assert!(index && !scans, "{sql}\n{plan}");
    }
}
