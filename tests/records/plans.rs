//! Every statement that loads something finds it by an index.
use crate::each::each;
use crate::rows::*;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement, TransactionTrait as _};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use zhanggui::records::{Store as _, Tx as _, Unit, Want};

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
        ]);
        let seen: Arc<Mutex<Vec<Statement>>> = Arc::default();
        let mut db = place.db.clone();
        let to = seen.clone();
        db.observe(move |info| to.lock().unwrap().push(info.statement.clone()));
        let mut tx = db.begin().await.unwrap();
        tx.load(&mut Unit::new(8), &wants).await.unwrap();
        tx.chains(&BTreeSet::from(["s1".to_owned()])).await.unwrap();
        drop(tx);
        let statements: Vec<Statement> = std::mem::take(&mut *seen.lock().unwrap());
        assert!(statements.len() >= 37, "{}", statements.len());
        let tx = place.db.writer().begin().await.unwrap();
        let sqlite = place.db.backend() == DbBackend::Sqlite;
        if !sqlite {
            // With few rows reading all of them is cheapest; without that choice a scan shows that no index serves.
            tx.execute_unprepared("SET LOCAL enable_seqscan = off").await.unwrap();
        }
        for statement in statements {
            let explain = if sqlite { "EXPLAIN QUERY PLAN" } else { "EXPLAIN" };
            let sql = format!("{explain} {}", statement.sql);
            let asked = Statement { sql: sql.clone(), ..statement };
            let plan: Vec<String> = tx
                .query_all_raw(asked)
                .await
                .unwrap()
                .iter()
                .map(|row| row.try_get_by_index::<String>(if sqlite { 3 } else { 0 }).unwrap())
                .collect();
            let plan = plan.join("\n");
            let scans = plan.contains("Seq Scan") || (sqlite && plan.contains("SCAN"));
            let index = plan.contains("Index") || plan.contains("INDEX") || plan.contains("PRIMARY KEY");
            assert!(index && !scans, "{sql}\n{plan}");
        }
    });
}
