//! How fast recording is, as ratios to what is possible: every row of the table is measured in one run. A disk differs from
//! minute to minute, so the contenders take turns; what is printed are the medians of their turns, and of the turns' ratios.
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
mod common;
#[path = "common/members.rs"]
mod members;
#[path = "speed/raw.rs"]
mod raw;
#[path = "speed/settlement.rs"]
mod settlement;

use common::postgres;
use members::{Posting, done, found, job};
use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, Instant};
use zhanggui::records::entity::event;
use zhanggui::records::writer::Writer;
use zhanggui::records::{Answer, Database, Engine, Job, Operation, Stop, SystemClock, Unit, Want, ids};

/// Tills that record at the same time.
const CLIENTS: usize = 64;
/// Members of the spread load.
const MEMBERS: u64 = 20_000;

fn long() -> bool {
    std::env::var("ZHANGGUI_SPEED").is_ok()
}

fn round() -> Duration {
    Duration::from_millis(if long() { 1_000 } else { 100 })
}

/// Turns of each contender.
fn turns() -> u64 {
    if long() { 7 } else { 1 }
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

fn writer(url: &str) -> Rc<Writer> {
    let url = url.to_owned();
    let open = move || async move { Ok(Engine::new(Database::open(&url).await?, SystemClock)) };
    Rc::new(Writer::start(4096, open).unwrap())
}

fn posting(run: u64, n: u64, hot: bool) -> Job {
    let member = ids::member(&format!("S{}", if hot { 0 } else { n.wrapping_mul(2_654_435_761) % MEMBERS }));
    let key = format!("speed-{run}-{n}");
    job(Some(key.clone()), Posting { member, id: ids::named(&["speed", &key]), points: 10 })
}

/// What the contenders came to in one turn.
struct Turn {
    raw_rows: Measured,
    rows: Measured,
    rows_alone: Measured,
    raw_postings: Measured,
    spread: Measured,
    hot: Measured,
    alone: Measured,
}

/// Lets the contenders take turns, ours on one database and the bare loop on another.
async fn contend(url: &str, raw: raw::Raw) -> Vec<Turn> {
    found(url, MEMBERS).await;
    let grouped = writer(url);
    let submit = |run: u64, make: fn(u64, u64) -> Job| {
        let writer = grouped.clone();
        move |n: u64| {
            let writer = writer.clone();
            async move { done(writer.submit(make(run, n)).await.unwrap()) }
        }
    };
    // One transaction a request: the same engine, batches of one, as many connections as a pool has.
    let engine = Rc::new(Engine::new(Database::open(url).await.unwrap(), SystemClock));
    let one = |run: u64, make: fn(u64, u64) -> Job| {
        let engine = engine.clone();
        move |n: u64| {
            let engine = engine.clone();
            async move { engine.execute(&[make(run, n)]).await.into_iter().for_each(done) }
        }
    };
    let row: fn(u64, u64) -> Job = |run, n| job(None, PlainRow(run, n));
    let spread: fn(u64, u64) -> Job = |run, n| posting(run, n, false);
    let mut all = Vec::new();
    for turn in 0..turns() {
        let run = turn * 8;
        all.push(Turn {
            raw_rows: raw.rows(turn).await,
            rows: clients(submit(run, row)).await,
            rows_alone: clients(one(run + 1, row)).await,
            raw_postings: raw.postings(turn).await,
            spread: clients(submit(run + 2, spread)).await,
            alone: clients(one(run + 3, spread)).await,
            hot: clients(submit(run + 4, |run, n| posting(run, n, true))).await,
        });
    }
    grouped.close().await;
    raw.end();
    all
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn table(name: &str, turns: &[Turn], goals: [&str; 4]) {
    println!(
        "\n| {name}, {CLIENTS} clients | ours | compared with | ratio | lowest, highest | goal |\n| --- | ---: | ---: | ---: | ---: | ---: |"
    );
    type Of = fn(&Turn) -> f64;
    let line = |what: &str, digits: usize, ours: Of, other: Of, goal: &str| {
        let ratios: Vec<f64> = turns.iter().map(|t| ours(t) / other(t)).collect();
        let (a, b) = (median(turns.iter().map(ours)), median(turns.iter().map(other)));
        let (low, high) =
            (ratios.iter().copied().fold(f64::MAX, f64::min), ratios.iter().copied().fold(0.0, f64::max));
        let ratio = median(ratios.into_iter());
        println!("| {what} | {a:.digits$} | {b:.digits$} | {ratio:.2} | {low:.2}, {high:.2} | {goal} |");
    };
    line("plain rows a second / raw batch", 0, |t| t.rows.rate, |t| t.raw_rows.rate, goals[0]);
    line("postings a second / raw batch", 0, |t| t.spread.rate, |t| t.raw_postings.rate, goals[1]);
    line("postings of one hot member / spread", 0, |t| t.hot.rate, |t| t.spread.rate, "1.00");
    line("plain rows / one transaction a request", 0, |t| t.rows.rate, |t| t.rows_alone.rate, goals[2]);
    line("postings / one transaction a request", 0, |t| t.spread.rate, |t| t.alone.rate, goals[2]);
    line(
        "(raw batch of rows / one transaction a request)",
        0,
        |t| t.raw_rows.rate,
        |t| t.rows_alone.rate,
        "",
    );
    line(
        "(raw batch of postings / one transaction a request)",
        0,
        |t| t.raw_postings.rate,
        |t| t.alone.rate,
        "",
    );
    line("p99 of rows / one transaction a request, ms", 1, |t| t.rows.p99, |t| t.rows_alone.p99, goals[3]);
    line("p99 of postings / one transaction a request, ms", 1, |t| t.spread.p99, |t| t.alone.p99, goals[3]);
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
        found(&format!("sqlite://{}?mode=rwc", other.display()), MEMBERS).await;
        let turns = contend(&url, raw::sqlite(&other, MEMBERS)).await;
        table("SQLite, synchronous=FULL", &turns, ["0.65", "0.60", "15", "0.10"]);
    });
    let Some(cluster) = postgres::cluster() else { return };
    block_on(async {
        let other = cluster.database();
        found(&other, MEMBERS).await;
        let turns = contend(&cluster.database(), raw::postgresql(&other, MEMBERS)).await;
        table("PostgreSQL", &turns, ["0.90", "0.90", "3", "0.50"]);
    });
    settlement::over_http(&cluster.database(), if long() { MEMBERS } else { 1_000 });
}
