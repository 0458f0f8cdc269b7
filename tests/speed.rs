//! How fast recording is, as ratios to what is possible: every row of the table is measured in one run.
//!
//! `ZHANGGUI_SPEED=1 cargo test --release --locked --test speed -- --nocapture` prints the table of the README. Without the
//! variable the contenders run for a moment only, so that they keep working.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
#[path = "postgres/mod.rs"]
mod postgres;
#[path = "speed/raw.rs"]
mod raw;

use sea_orm::prelude::Uuid;
use sea_orm::{ConnectionTrait, Database as Connection};
use serde_json::json;
use std::future::Future;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zhanggui::counter::Desk;
use zhanggui::counter::settle::{SettleMember, SettleRequest};
use zhanggui::records::entity::{event, member};
use zhanggui::records::ledger::{Cause, Life, credit};
use zhanggui::records::writer::Writer;
use zhanggui::records::{
    Answer, Database, Engine, Job, Operation, Reply, Stop, SystemClock, Unit, Want, ids, migrate,
};
use zhanggui::rulebook::load;

/// Tills that record at the same time.
const CLIENTS: usize = 64;
/// Members of the spread load.
const MEMBERS: u64 = 20_000;

fn long() -> bool {
    std::env::var("ZHANGGUI_SPEED").is_ok()
}

fn round() -> Duration {
    if long() { Duration::from_millis(2_500) } else { Duration::from_millis(150) }
}

/// What a contender came to.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub rate: f64,
    /// Milliseconds.
    pub p99: f64,
}

/// 64 clients, each waiting for its answer before it sends the next.
pub async fn clients<F, W>(send: F) -> Measured
where
    F: Fn(u64) -> W + 'static,
    W: Future<Output = ()> + 'static,
{
    let send = Rc::new(send);
    let set = tokio::task::LocalSet::new();
    let began = Instant::now();
    let until = began + round();
    let tasks: Vec<_> = (0..CLIENTS as u64)
        .map(|client| {
            let send = send.clone();
            set.spawn_local(async move {
                let (mut n, mut times) = (client, Vec::new());
                while Instant::now() < until {
                    let sent = Instant::now();
                    send(n).await;
                    times.push(sent.elapsed().as_secs_f64() * 1e3);
                    n += CLIENTS as u64;
                }
                times
            })
        })
        .collect();
    let times = set.run_until(async move {
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.unwrap());
        }
        all
    });
    let mut times = times.await;
    let rate = times.len() as f64 / began.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    Measured { rate, p99: times.get(times.len() * 99 / 100).copied().unwrap_or(0.0) }
}

/// A row of 300 bytes: an event.
struct PlainRow(u64, u64);

impl Operation for PlainRow {
    fn hints(&self) -> Vec<Want> {
        Vec::new()
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.t.events.put(event::Model {
            id: ids::dated(1, &["speed", &self.0.to_string(), &self.1.to_string()]),
            kind: "speed".into(),
            store: "s001".into(),
            data: "x".repeat(240),
            recorded_at: unit.now,
        });
        Ok(Answer { status: 201, body: String::new() })
    }
}

/// Ten points for a member.
struct Posting {
    member: Uuid,
    id: Uuid,
}

impl Operation for Posting {
    fn hints(&self) -> Vec<Want> {
        vec![Want::Account(self.member)]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need([Want::Account(self.member)])?;
        let cause = Cause {
            member: self.member,
            ledger: "department",
            cause: "speed",
            cause_id: self.id,
            store: "s001",
            business_date: 20_000,
            occurred_at: unit.now,
            actor: "speed",
            clause: None,
            digest: None,
            reason: None,
        };
        credit(unit, &cause, "earn", "issued", 10, Life::default())?;
        Ok(Answer { status: 201, body: String::new() })
    }
}

/// Makes members, many at once.
struct Members(Vec<u64>);

impl Operation for Members {
    fn hints(&self) -> Vec<Want> {
        Vec::new()
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        for n in &self.0 {
            let number = format!("S{n}");
            unit.t.members.put(member::Model {
                id: ids::member(&number),
                number,
                status: "active".into(),
                merged_into: None,
                tier: Some("gold".into()),
                enrolled_store: "s001".into(),
                enrolled_on: 20_000,
                enrolled_at: unit.now,
                version: 1,
            });
        }
        Ok(Answer { status: 201, body: String::new() })
    }
}

fn job(key: Option<String>, operation: impl Operation + 'static) -> Job {
    Job { fingerprint: key.clone().unwrap_or_default(), key, dry: false, operation: Arc::new(operation) }
}

fn done(reply: Reply) {
    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
}

fn writer(url: &str) -> Rc<Writer> {
    let url = url.to_owned();
    let open = move || async move { Ok(Engine::new(Database::open(&url).await?, SystemClock)) };
    Rc::new(Writer::start(4096, open).unwrap())
}

fn posting(run: u64, n: u64, hot: bool) -> Job {
    let member = ids::member(&format!("S{}", if hot { 0 } else { n.wrapping_mul(2_654_435_761) % MEMBERS }));
    let key = format!("speed-{run}-{n}");
    job(Some(key.clone()), Posting { member, id: ids::named(&["speed", &key]) })
}

async fn found(url: &str) {
    let database = Database::open(url).await.unwrap();
    migrate(&database).await.unwrap();
    let engine = Engine::new(database, SystemClock);
    for from in (0..MEMBERS).step_by(1_000) {
        let jobs = [job(None, Members((from..from + 1_000).collect()))];
        engine.execute(&jobs).await.into_iter().for_each(done);
    }
}

/// Everything that is ours, on one database.
struct Ours {
    rows: Measured,
    rows_alone: Measured,
    spread: Measured,
    hot: Measured,
    alone: Measured,
}

async fn ours(url: &str) -> Ours {
    found(url).await;
    let grouped = writer(url);
    let submit = |run: u64, make: fn(u64, u64) -> Job| {
        let writer = grouped.clone();
        move |n: u64| {
            let writer = writer.clone();
            async move { done(writer.submit(make(run, n)).await.unwrap()) }
        }
    };
    let rows = clients(submit(1, |run, n| job(None, PlainRow(run, n)))).await;
    let spread = clients(submit(2, |run, n| posting(run, n, false))).await;
    let hot = clients(submit(3, |run, n| posting(run, n, true))).await;
    // One transaction a request: the same engine, batches of one, as many connections as a pool has.
    let engine = Rc::new(Engine::new(Database::open(url).await.unwrap(), SystemClock));
    let one = |run: u64, make: fn(u64, u64) -> Job| {
        let engine = engine.clone();
        move |n: u64| {
            let engine = engine.clone();
            async move { engine.execute(&[make(run, n)]).await.into_iter().for_each(done) }
        }
    };
    let rows_alone = clients(one(4, |run, n| job(None, PlainRow(run, n)))).await;
    let alone = clients(one(5, |run, n| posting(run, n, false))).await;
    grouped.close().await;
    Ours { rows, rows_alone, spread, hot, alone }
}

fn line(what: &str, rate: f64, of: f64, goal: &str) {
    println!("| {what} | {rate:.0} | {of:.0} | {:.2} | {goal} |", rate / of);
}

fn table(name: &str, ours: &Ours, raw_rows: Measured, raw_postings: Measured, goals: [&str; 5]) {
    println!(
        "\n| {name}, {CLIENTS} clients | ours a second | compared with | ratio | goal |\n| --- | ---: | ---: | ---: | ---: |"
    );
    line("plain rows / raw batch", ours.rows.rate, raw_rows.rate, goals[0]);
    line("postings / raw batch", ours.spread.rate, raw_postings.rate, goals[1]);
    line("postings of one hot member / spread", ours.hot.rate, ours.spread.rate, "1.00");
    line("plain rows / one transaction a request", ours.rows.rate, ours.rows_alone.rate, goals[2]);
    line("postings / one transaction a request", ours.spread.rate, ours.alone.rate, goals[2]);
    let p99 = |what: &str, a: Measured, b: Measured| {
        println!("| {what} | {:.1} ms | {:.1} ms | {:.2} | {} |", a.p99, b.p99, a.p99 / b.p99, goals[3]);
    };
    p99("p99 of rows / one transaction a request", ours.rows, ours.rows_alone);
    p99("p99 of postings / one transaction a request", ours.spread, ours.alone);
}

/// Settles `members` years in batches of 512; members a second.
async fn settlement(url: &str, members: u64) -> f64 {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/jiajie");
    let books = Arc::new(load(&dir).unwrap().rulebooks.unwrap());
    let desk = Desk::at(books, "s001").unwrap();
    let request: SettleRequest = serde_json::from_value(
        json!({"store": "s001", "actor": "speed", "ledger": "department", "year": 2026}),
    )
    .unwrap();
    let engine = Engine::new(Database::open(url).await.unwrap(), SystemClock);
    // Everybody has something to settle, and the rulebook's texts are kept before the clock runs.
    for from in (0..members).step_by(512) {
        let jobs: Vec<Job> = (from..members.min(from + 512))
            .map(|n| {
                let id = ids::named(&["speed settle", &n.to_string()]);
                let posting = Posting { member: ids::member(&format!("S{n}")), id };
                job(None, posting)
            })
            .collect();
        engine.execute(&jobs).await.into_iter().for_each(done);
    }
    let settle = |n: u64| {
        let operation = SettleMember {
            desk: desk.clone(),
            settlement: request.id(),
            ledger: "department".into(),
            year: 2026,
            as_of: request.as_of(),
            member: ids::member(&format!("S{n}")),
            actor: "speed".into(),
        };
        job(None, operation)
    };
    // Not the hot member, whose thousands of lots would be measured instead.
    engine.execute(&[settle(1)]).await.into_iter().for_each(done);
    let began = Instant::now();
    for from in (2..members).step_by(512) {
        let jobs: Vec<Job> = (from..members.min(from + 512)).map(settle).collect();
        engine.execute(&jobs).await.into_iter().for_each(done);
    }
    (members - 2) as f64 / began.elapsed().as_secs_f64()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

#[test]
fn recording() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("z.db").display());
    block_on(async {
        let other = folder.path().join("raw.db");
        found(&format!("sqlite://{}?mode=rwc", other.display())).await;
        let (raw_rows, raw_postings) = raw::sqlite(&other, MEMBERS).await;
        let ours = ours(&url).await;
        table("SQLite, synchronous=FULL", &ours, raw_rows, raw_postings, ["0.65", "0.60", "15", "0.10", ""]);
    });
    let Some(cluster) = postgres::cluster() else { return };
    block_on(async {
        let admin = Connection::connect(cluster.url("postgres")).await.unwrap();
        let (name, other) = (cluster.fresh(), cluster.fresh());
        for name in [&name, &other] {
            admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        }
        found(&cluster.url(&other)).await;
        let (raw_rows, raw_postings) = raw::postgresql(&cluster.url(&other), MEMBERS).await;
        let url = cluster.url(&name);
        let ours = ours(&url).await;
        table("PostgreSQL", &ours, raw_rows, raw_postings, ["0.90", "0.90", "3", "0.50", ""]);
        let members = if long() { MEMBERS } else { 1_000 };
        let rate = settlement(&url, members).await;
        println!("\nsettlement on PostgreSQL: {rate:.0} members a second (goal 10000)");
    });
}
