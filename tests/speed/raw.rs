//! What is possible: a writer's own loop over the driver, batches as prepared or set statements, and nothing else.
//!
//! It writes the same rows into the same schema, with its keys, indexes, checks and triggers: an event; or a posting's
//! answer, movement, entries, lot and account. On PostgreSQL it learns which keys are new and what the balances are, and
//! decides in memory in the order of arrival, since a posting has to be refused where points are short; on SQLite the
//! writes alone find that out. What it does not do: find answers that are there, look for what else a member has, hash
//! ids, and give up only what fails.
use super::{Measured, clients};
use sea_orm::prelude::Uuid;
use sea_orm::sqlx::{self, Connection as _, PgConnection};
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};
use zhanggui::records::ids;

/// A request, until it is answered.
type Waiting = std::pin::Pin<Box<dyn Future<Output = ()>>>;
type Item = (Kind, u64, oneshot::Sender<()>);

#[derive(Clone, Copy)]
enum Kind {
    Row,
    Posting,
}

/// An id that begins with a day, as ours do; `kind` keeps the tables' apart.
fn id(kind: u64, n: u64) -> Uuid {
    let spread = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Uuid::from_u128((0x8000_4e20 << 96) | (u128::from(spread) << 32) | u128::from(n as u32 * 8 + kind as u32))
}

fn members(count: u64) -> Vec<Uuid> {
    (0..count).map(|n| ids::member(&format!("S{n}"))).collect()
}

fn member(members: &[Uuid], n: u64) -> Uuid {
    members[(n.wrapping_mul(2_654_435_761) % members.len() as u64) as usize]
}

/// A writer on its thread.
pub struct Raw {
    queue: mpsc::Sender<Item>,
    thread: JoinHandle<()>,
}

impl Raw {
    pub async fn rows(&self, turn: u64) -> Measured {
        clients(self.lane(Kind::Row, turn)).await
    }
    pub async fn postings(&self, turn: u64) -> Measured {
        clients(self.lane(Kind::Posting, turn)).await
    }
    fn lane(&self, kind: Kind, turn: u64) -> impl Fn(u64) -> Waiting + use<> {
        let queue = Rc::new(self.queue.clone());
        move |n| {
            let queue = queue.clone();
            Box::pin(async move {
                let (reply, told) = oneshot::channel();
                queue.send((kind, turn * 20_000_000 + n, reply)).await.unwrap();
                told.await.unwrap();
            })
        }
    }
    pub fn end(self) {
        drop(self.queue);
        self.thread.join().unwrap();
    }
}

/// rusqlite on a thread of its own, prepared statements, group commit, synchronous=FULL; the settings are ours.
pub fn sqlite(path: &Path, count: u64) -> Raw {
    let (sender, mut receiver) = mpsc::channel::<Item>(4096);
    let path = path.to_owned();
    let thread = std::thread::spawn(move || {
        let mut db = rusqlite::Connection::open(path).unwrap();
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
            PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 65536;",
        )
        .unwrap();
        let (data, members) = ("x".repeat(240), members(count));
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
                match kind {
                    Kind::Row => {
                        let sql = "INSERT INTO events VALUES (?1, 'speed', 's001', ?2, 1)";
                        tx.prepare_cached(sql).unwrap().execute((blob(id(0, *n)), &data)).unwrap();
                    }
                    Kind::Posting => posting(&tx, member(&members, *n), *n),
                }
            }
            tx.commit().unwrap();
            for (_, _, reply) in items.drain(..) {
                let _ = reply.send(());
            }
        }
    });
    Raw { queue: sender, thread }
}

fn blob(id: Uuid) -> [u8; 16] {
    id.into_bytes()
}

fn posting(tx: &rusqlite::Transaction<'_>, member: Uuid, n: u64) {
    let key = format!("speed-2-{n}");
    let (member, movement, lot, cause) = (blob(member), blob(id(1, n)), blob(id(2, n)), blob(id(3, n)));
    let run = |sql: &str, with: &[&dyn rusqlite::ToSql]| {
        assert_eq!(tx.prepare_cached(sql).unwrap().execute(with).unwrap(), 1);
    };
    run("INSERT INTO answers VALUES (?1, ?1, 201, '', 1) ON CONFLICT DO NOTHING", &[&key]);
    run(
        "INSERT INTO accounts VALUES (?1, 'department', 10, 0, 0, 0, 1) ON CONFLICT DO UPDATE
            SET available = available + 10, version = version + 1",
        &[&member],
    );
    let entry = "INSERT INTO entries VALUES (?1, ?2, ?3, 'department', ?4, ?5, ?6)";
    run(entry, &[&movement, &0, &member, &"issued", &-10, &rusqlite::types::Null]);
    run(entry, &[&movement, &1, &member, &"available", &10, &lot]);
    run(
        "INSERT INTO movements VALUES (?1, ?2, 'department', 'earn', 'speed', ?3, NULL, 's001', 20000, 1, 1, 'speed',
            NULL, NULL, NULL)",
        &[&movement, &member, &cause],
    );
    run(
        "INSERT INTO lots VALUES (?1, ?2, 'department', ?3, 1, 20000, NULL, NULL, 10, 10, 0, NULL, 'open')",
        &[&lot, &member, &cause],
    );
}

/// sqlx with UNNEST batches, one writer.
pub fn postgresql(url: &str, count: u64) -> Raw {
    let (sender, mut receiver) = mpsc::channel::<Item>(4096);
    let url = url.to_owned();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let mut db = PgConnection::connect(&url).await.unwrap();
            let members = members(count);
            let mut items = Vec::new();
            while receiver.recv_many(&mut items, 512).await > 0 {
                let mut tx = db.begin().await.unwrap();
                batch(&mut tx, &items, &members).await;
                tx.commit().await.unwrap();
                for (_, _, reply) in items.drain(..) {
                    let _ = reply.send(());
                }
            }
        });
    });
    Raw { queue: sender, thread }
}

async fn batch(tx: &mut PgConnection, items: &[Item], members: &[Uuid]) {
    let data = "x".repeat(240);
    let rows: Vec<Uuid> = items.iter().filter(|i| matches!(i.0, Kind::Row)).map(|i| id(0, i.1)).collect();
    if !rows.is_empty() {
        let data = vec![data; rows.len()];
        sqlx::query("INSERT INTO events SELECT id, 'speed', 's001', data, 1 FROM UNNEST($1::uuid[], $2::text[]) t(id, data)")
            .bind(&rows)
            .bind(&data)
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    let postings: Vec<u64> = items.iter().filter(|i| matches!(i.0, Kind::Posting)).map(|i| i.1).collect();
    if postings.is_empty() {
        return;
    }
    let keys: Vec<String> = postings.iter().map(|n| format!("speed-2-{n}")).collect();
    let whose: Vec<Uuid> = postings.iter().map(|n| member(members, *n)).collect();
    let all = |kind| postings.iter().map(|n| id(kind, *n)).collect::<Vec<Uuid>>();
    let (movements, lots, causes) = (all(1), all(2), all(3));
    sqlx::query("SELECT id FROM members WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE")
        .bind(&whose)
        .fetch_all(&mut *tx)
        .await
        .unwrap();
    let new: Vec<(String,)> = sqlx::query_as(
        "INSERT INTO answers SELECT k, k, 201, '', 1 FROM UNNEST($1::text[]) k ON CONFLICT DO NOTHING RETURNING key",
    )
    .bind(&keys)
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    assert_eq!(new.len(), keys.len());
    balances(tx, &whose).await;
    for sql in [
        "INSERT INTO entries SELECT m, 0, w, 'department', 'issued', -10, NULL
            FROM UNNEST($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) t(w, m, l, c)
            UNION ALL SELECT m, 1, w, 'department', 'available', 10, l
            FROM UNNEST($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) t(w, m, l, c)",
        "INSERT INTO movements SELECT m, w, 'department', 'earn', 'speed', c, NULL, 's001', 20000, 1, 1, 'speed', NULL,
            NULL, NULL FROM UNNEST($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) t(w, m, l, c)",
        "INSERT INTO lots SELECT l, w, 'department', c, 1, 20000, NULL, NULL, 10, 10, 0, NULL, 'open'
            FROM UNNEST($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) t(w, m, l, c)",
    ] {
        let query = sqlx::query(sql).bind(&whose);
        let query = if sql.contains("$4") { query.bind(&movements).bind(&lots).bind(&causes) } else { query };
        query.execute(&mut *tx).await.unwrap();
    }
}

/// Reads the balances of those who are locked, adds ten points for each posting in its turn, and writes them.
async fn balances(tx: &mut PgConnection, whose: &[Uuid]) {
    let known: Vec<(Uuid, i64, i64)> = sqlx::query_as(
        "SELECT member_id, available, version FROM accounts WHERE member_id = ANY($1) AND ledger = 'department'",
    )
    .bind(whose)
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    let mut accounts: BTreeMap<Uuid, (i64, i64)> =
        known.into_iter().map(|(member, available, version)| (member, (available, version))).collect();
    for member in whose {
        let (available, version) = accounts.entry(*member).or_default();
        (*available, *version) = (*available + 10, *version + 1);
        assert!(*available >= 0);
    }
    let (members, rest): (Vec<Uuid>, Vec<(i64, i64)>) = accounts.into_iter().unzip();
    let (available, version): (Vec<i64>, Vec<i64>) = rest.into_iter().unzip();
    sqlx::query(
        "INSERT INTO accounts SELECT w, 'department', a, 0, 0, 0, v
            FROM UNNEST($1::uuid[], $2::bigint[], $3::bigint[]) t(w, a, v) ON CONFLICT (member_id, ledger) DO UPDATE
            SET available = excluded.available, version = excluded.version",
    )
    .bind(&members)
    .bind(&available)
    .bind(&version)
    .execute(&mut *tx)
    .await
    .unwrap();
}
