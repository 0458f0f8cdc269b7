//! Every statement that loads or reads something finds it by an index, also when there is much of it.
use crate::each::each;
use crate::rows::*;
use crate::scale;
use sea_orm::{
    ConnectionTrait as _, DatabaseTransaction, DbBackend, QueryResult, Statement, TransactionTrait as _,
};
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
            Want::Account(ann),
            Want::Member(ann),
            Want::Merged(ann),
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
            Want::Offline(ticket),
            Want::Returned(ann, 0),
            Want::Movement(id("m2")),
            Want::Touched(id("lot")),
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
        assert_eq!(
            wants.iter().map(place_of).collect::<BTreeSet<_>>(),
            (0..29).collect(),
            "a want is not looked at"
        );
        let mut watched = place.db.clone();
        let seen = watch(&mut watched);
        let mut tx = watched.begin().await.unwrap();
        tx.load(&mut Unit::new(8), &wants).await.unwrap();
        tx.chains(&BTreeSet::from(["s1".to_owned()])).await.unwrap();
        drop(tx);
        let statements = std::mem::take(&mut *seen.lock().unwrap());
        assert!(statements.len() >= 39, "{}", statements.len());
        by_index(&place.db, statements).await;
    });
}

/// A want's place among all: a new one has to be added here, and above.
fn place_of(want: &Want) -> u8 {
    match want {
        Want::Sale(_) => 0,
        Want::Account(_) => 1,
        Want::Member(_) => 2,
        Want::Voucher(_) => 3,
        Want::Answer(_) => 4,
        Want::Card(_) => 5,
        Want::Identity(_) => 6,
        Want::Hold(_) => 7,
        Want::Holds(_) => 8,
        Want::Lots(..) => 9,
        Want::Days(..) => 10,
        Want::Gifts(..) => 11,
        Want::Ticket(_) => 12,
        Want::Return(_) => 13,
        Want::Returned(..) => 14,
        Want::Movement(_) => 15,
        Want::Caused(_) => 16,
        Want::Redemption(_) => 17,
        Want::Qualified(_) => 18,
        Want::Settlement(_) => 19,
        Want::Settled(..) => 20,
        Want::Store(_) => 21,
        Want::Counter(..) => 22,
        Want::Rulebook(_) => 23,
        Want::Secret(_) => 24,
        Want::Events(_) => 25,
        Want::Merged(_) => 26,
        Want::Touched(_) => 27,
        Want::Offline(_) => 28,
    }
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
        let offline = return_slip(id("return"), None, 0).ticket_id;
        assert!(read::offline_return(db, offline).await.unwrap().is_some());
        for (state, from, found) in [
            (Some("recorded"), None, 1),
            (Some("waiting"), Some((0, Uuid::nil())), 0),
            (Some("unmatched"), None, 0),
            (None, Some((0, Uuid::nil())), 1),
        ] {
            assert_eq!(read::offline_returns(db, state, 9, from, 9).await.unwrap().len(), found);
        }
        for from in [None, Some((0, Uuid::nil()))] {
            assert_eq!(read::offline_come(db, "recorded", from, 9).await.unwrap().len(), 1);
        }
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
        assert_eq!(read::events(db, Some((0, Uuid::nil())), Some(i64::MAX), 9).await.unwrap().len(), 1);
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

/// Whether the database answers each statement by an index as soon as it is big, also with a plan that was made without
/// looking at the values.
async fn by_index(db: &Database, statements: Vec<Statement>) {
    assert!(!statements.is_empty());
    scale::grow(db).await;
    let tx = db.writer().begin().await.unwrap();
    let sqlite = db.backend() == DbBackend::Sqlite;
    for statement in statements {
        let explain = if sqlite { "EXPLAIN QUERY PLAN" } else { "EXPLAIN" };
        let asked = Statement { sql: format!("{explain} {}", statement.sql), ..statement.clone() };
        check(&statement.sql, &plan(&tx, asked).await, sqlite);
        // What is due depends on the day: without it a third of all lots is guessed, and the server, which weighs such a plan
        // against those with values, keeps to the latter.
        let by_the_day = statement.sql.contains(r#"s_on" <"#);
        if !sqlite && !by_the_day {
            let nulls = vec!["NULL"; statement.values.map_or(0, |values| values.0.len())].join(", ");
            let asked = if nulls.is_empty() { "z".to_owned() } else { format!("z ({nulls})") };
            let prepare =
                format!("SET LOCAL plan_cache_mode = force_generic_plan; PREPARE z AS {}", statement.sql);
            tx.execute_unprepared(&prepare).await.unwrap();
            let asked = Statement::from_string(DbBackend::Postgres, format!("EXPLAIN EXECUTE {asked}"));
            check(&statement.sql, &plan(&tx, asked).await, sqlite);
            tx.execute_unprepared("DEALLOCATE z; RESET plan_cache_mode").await.unwrap();
        }
    }
}

async fn plan(tx: &DatabaseTransaction, asked: Statement) -> Vec<String> {
    let at = if tx.get_database_backend() == DbBackend::Sqlite { 3 } else { 0 };
    let rows = tx.query_all_raw(asked).await.unwrap();
    rows.iter().map(|row: &QueryResult| row.try_get_by_index::<String>(at).unwrap()).collect()
}

/// Each access is by an index, and with a condition that the index answers: going through all of an index is a scan, too.
fn check(sql: &str, plan: &[String], sqlite: bool) {
    let all = plan.join("\n");
    if sqlite {
        assert!(all.contains("INDEX") || all.contains("PRIMARY KEY"), "{sql}\n{all}");
        assert!(!all.contains("SCAN"), "{sql}\n{all}");
        // A page that goes through the table in the order of its key and passes over what belongs to others.
        assert!(!all.contains("(id>?)") && !all.contains("(id<?)"), "{sql}\n{all}");
        return;
    }
    let accesses =
        plan.iter().filter(|line| line.contains(" Scan")).filter(|line| !line.contains("Bitmap Heap"));
    let conditions = plan.iter().filter(|line| line.contains("Index Cond:")).count();
    assert!(!all.contains("Seq Scan") && accesses.count() == conditions, "{sql}\n{all}");
}
