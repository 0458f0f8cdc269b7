//! What is possible: a writer's own loop over the driver, batches as set statements, and nothing else.
use super::{Measured, clients};
use sea_orm::sqlx::{self, Connection as _, PgConnection};
use std::path::Path;
use std::rc::Rc;
use tokio::sync::{mpsc, oneshot};

type Item = (Kind, u64, oneshot::Sender<()>);

#[derive(Clone, Copy)]
enum Kind {
    Row,
    Posting,
}

fn lane(
    queue: mpsc::Sender<Item>,
    kind: Kind,
    offset: u64,
) -> impl Fn(u64) -> std::pin::Pin<Box<dyn Future<Output = ()>>> {
    let queue = Rc::new(queue);
    move |n| {
        let queue = queue.clone();
        Box::pin(async move {
            let (reply, told) = oneshot::channel();
            queue.send((kind, offset + n, reply)).await.unwrap();
            told.await.unwrap();
        })
    }
}

/// rusqlite on a thread of its own, prepared statements, group commit, synchronous=FULL.
pub async fn sqlite(path: &Path, members: u64) -> (Measured, Measured) {
    let (sender, mut receiver) = mpsc::channel::<Item>(4096);
    let path = path.to_owned();
    let thread = std::thread::spawn(move || {
        let mut db = rusqlite::Connection::open(path).unwrap();
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
            CREATE TABLE rows (id INTEGER PRIMARY KEY, kind TEXT, store TEXT, data TEXT, at INTEGER);
            CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0));
            CREATE TABLE postings (key TEXT PRIMARY KEY, account INTEGER, amount INTEGER, at INTEGER) WITHOUT ROWID;
            CREATE TABLE entries (posting TEXT, seq INTEGER, account INTEGER, amount INTEGER);
            CREATE TABLE decisions (id INTEGER PRIMARY KEY, body TEXT);",
        )
        .unwrap();
        let all = db.transaction().unwrap();
        for n in 0..members as i64 {
            all.execute("INSERT INTO accounts VALUES (?1, 0)", [n]).unwrap();
        }
        all.commit().unwrap();
        let data = "x".repeat(240);
        let mut items = Vec::new();
        while let Some(first) = receiver.blocking_recv() {
            items.push(first);
            while items.len() < 512
                && let Ok(more) = receiver.try_recv()
            {
                items.push(more);
            }
            let tx = db.transaction().unwrap();
            for (kind, n, _) in &items {
                let n = *n as i64;
                match kind {
                    Kind::Row => {
                        let mut put = tx
                            .prepare_cached("INSERT INTO rows VALUES (?1, 'speed', 's001', ?2, 1)")
                            .unwrap();
                        put.execute(rusqlite::params![n, data]).unwrap();
                    }
                    Kind::Posting => {
                        let (key, account) =
                            (format!("k{n}"), (n as u64).wrapping_mul(2_654_435_761) as i64 % members as i64);
                        let run = |sql: &str, with: &[&dyn rusqlite::ToSql]| {
                            tx.prepare_cached(sql).unwrap().execute(with).unwrap()
                        };
                        run(
                            "INSERT INTO postings VALUES (?1, ?2, 10, 1) ON CONFLICT DO NOTHING",
                            &[&key as &dyn rusqlite::ToSql, &account],
                        );
                        run(
                            "UPDATE accounts SET balance = balance + 10 WHERE id = ?1 AND balance + 10 >= 0",
                            &[&account as &dyn rusqlite::ToSql],
                        );
                        run(
                            "INSERT INTO entries VALUES (?1, 0, ?2, 10)",
                            &[&key as &dyn rusqlite::ToSql, &account],
                        );
                        run("INSERT INTO entries VALUES (?1, 1, -1, -10)", &[&key as &dyn rusqlite::ToSql]);
                        run("INSERT INTO decisions (body) VALUES (?1)", &[&data as &dyn rusqlite::ToSql]);
                    }
                }
            }
            tx.commit().unwrap();
            for (_, _, reply) in items.drain(..) {
                let _ = reply.send(());
            }
        }
    });
    let rows = clients(lane(sender.clone(), Kind::Row, 1)).await;
    let postings = clients(lane(sender, Kind::Posting, 1)).await;
    thread.join().unwrap();
    (rows, postings)
}

/// sqlx with UNNEST batches, one writer.
pub async fn postgresql(url: &str, members: u64) -> (Measured, Measured) {
    let (sender, mut receiver) = mpsc::channel::<Item>(4096);
    let url = url.to_owned();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let mut db = PgConnection::connect(&url).await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
                "CREATE TABLE rows (id BIGINT PRIMARY KEY, kind TEXT, store TEXT, data TEXT, at BIGINT);
                CREATE TABLE accounts (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL CHECK (balance >= 0));
                CREATE TABLE postings (key TEXT PRIMARY KEY, account BIGINT, amount BIGINT, at BIGINT);
                CREATE TABLE entries (posting TEXT, seq INTEGER, account BIGINT, amount BIGINT);
                CREATE TABLE decisions (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body TEXT);
                INSERT INTO accounts SELECT n, 0 FROM generate_series(0, {members}) n;"
            )))
            .execute(&mut db)
            .await
            .unwrap();
            let mut items = Vec::new();
            while receiver.recv_many(&mut items, 512).await > 0 {
                let mut tx = db.begin().await.unwrap();
                batch(&mut tx, &items, members).await;
                tx.commit().await.unwrap();
                for (_, _, reply) in items.drain(..) {
                    let _ = reply.send(());
                }
            }
        });
    });
    let rows = clients(lane(sender.clone(), Kind::Row, 1)).await;
    let postings = clients(lane(sender, Kind::Posting, 1)).await;
    thread.join().unwrap();
    (rows, postings)
}

async fn batch(tx: &mut PgConnection, items: &[Item], members: u64) {
    let data = "x".repeat(240);
    let ids: Vec<i64> = items.iter().filter(|i| matches!(i.0, Kind::Row)).map(|i| i.1 as i64).collect();
    if !ids.is_empty() {
        sqlx::query("INSERT INTO rows SELECT id, 'speed', 's001', $2, 1 FROM UNNEST($1::bigint[]) id")
            .bind(&ids)
            .bind(&data)
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    let postings: Vec<u64> = items.iter().filter(|i| matches!(i.0, Kind::Posting)).map(|i| i.1).collect();
    if postings.is_empty() {
        return;
    }
    let keys: Vec<String> = postings.iter().map(|n| format!("k{n}")).collect();
    let accounts: Vec<i64> =
        postings.iter().map(|n| n.wrapping_mul(2_654_435_761) as i64 % members as i64).collect();
    sqlx::query("SELECT id, balance FROM accounts WHERE id = ANY($1) ORDER BY id FOR UPDATE")
        .bind(&accounts)
        .fetch_all(&mut *tx)
        .await
        .unwrap();
    for sql in [
        "INSERT INTO postings SELECT k, a, 10, 1 FROM UNNEST($1::text[], $2::bigint[]) t(k, a) ON CONFLICT DO NOTHING",
        "WITH n AS (SELECT a, count(*) * 10 AS x FROM UNNEST($1::text[], $2::bigint[]) t(k, a) GROUP BY a)
            UPDATE accounts SET balance = balance + n.x FROM n WHERE id = n.a",
        "INSERT INTO entries SELECT k, 0, a, 10 FROM UNNEST($1::text[], $2::bigint[]) t(k, a)
            UNION ALL SELECT k, 1, -1, -10 FROM UNNEST($1::text[], $2::bigint[]) t(k, a)",
    ] {
        sqlx::query(sql).bind(&keys).bind(&accounts).execute(&mut *tx).await.unwrap();
    }
    let bodies = vec![data; postings.len()];
    sqlx::query("INSERT INTO decisions (body) SELECT b FROM UNNEST($1::text[]) b")
        .bind(&bodies)
        .execute(&mut *tx)
        .await
        .unwrap();
}
