//! A chain's counters under lost answers, duplicates, crashes and restarts: whatever happens, the rows are those of a
//! run in which every operation came once, one after another, and nothing failed.
//!
//! `ZHANGGUI_SIM=1000 cargo test --release --locked --test simulation` runs a thousand seeds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
#[path = "support/memory.rs"]
mod memory;
#[path = "support/play.rs"]
mod play;
#[path = "support/properties.rs"]
mod properties;

use memory::{Faults, Memory, Rows, SetClock, Traced};
use play::{Known, Play};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use zhanggui::counter::plugged::{Asking, Nobody};
use zhanggui::drill::Dice;
use zhanggui::records::{Engine, Job, Reply};
use zhanggui::rulebook::{Rulebooks, load};

/// 2026-12-31 21:00 in Shanghai: the year ends in the middle of the run.
const START: i64 = 1_798_722_000_000_000;
/// Operations of a run.
const STEPS: usize = 90;

fn books() -> Arc<Rulebooks> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/jiajie");
    Arc::new(load(&dir).unwrap().rulebooks.unwrap())
}

/// What was recorded, in the order in which it was, and when.
struct Run {
    rows: Rows,
    order: Vec<(Job, i64)>,
    faults: usize,
}

/// Plays a seed with faults: clients send, answers get lost, clients send again.
async fn faulty(books: &Arc<Rulebooks>, seed: u64) -> Run {
    let mut dice = Dice::new(seed);
    let faults = Faults { begin: 3, load: 2, commit: 5, after_commit: 6 };
    let store = Memory::new(faults, seed ^ 0xdead_beef);
    let clock = SetClock::at(START);
    let mut engine = Engine::new(store.clone(), clock.clone());
    let mut play = Play::new(books.clone(), seed);
    let mut waiting: VecDeque<Job> = VecDeque::new();
    let (mut order, mut faults) = (Vec::new(), 0);
    let (mut now, mut sent, mut known) = (START, 0, Known::default());
    while sent < STEPS || !waiting.is_empty() {
        // The network: what was sent waits, may be sent twice, and arrives out of order.
        let mut batch: Vec<Job> = Vec::new();
        for _ in 0..=dice.below(6) {
            if sent < STEPS {
                let mut job = play.next(&known);
                let (key, operation) = (job.key.clone().unwrap(), job.operation.clone());
                job.operation = Arc::new(Traced { key, operation, ran: store.ran.clone() });
                sent += 1;
                if dice.percent(15) {
                    waiting.push_back(job.clone());
                }
                waiting.push_back(job);
            }
            if dice.percent(20) {
                waiting.rotate_left(1.min(waiting.len()));
            }
            batch.extend(waiting.pop_front());
        }
        now += 1 + dice.below(1_200_000_000) as i64;
        clock.set(now);
        let replies = engine.execute(&batch).await;
        for key in std::mem::take(&mut *store.answered.lock().unwrap()) {
            let job = batch.iter().find(|job| job.key.as_ref() == Some(&key)).unwrap();
            order.push((job.clone(), now));
        }
        for (job, reply) in batch.into_iter().zip(replies) {
            if let Reply::Done(answer) = &reply {
                known.hear(&answer.body);
            }
            if let Reply::Ask(aside) = &reply {
                // No plugin is installed; the till's job goes on with that.
                Asking::find_out(aside, &Nobody, now).await;
                waiting.push_back(job);
                continue;
            }
            let lost = dice.percent(12);
            if lost || matches!(reply, Reply::Failed(_)) {
                faults += 1;
                // The client does not know, and asks again with the same key.
                waiting.push_back(job);
            }
        }
        if dice.percent(5) {
            // The node dies between batches and starts again; rows stay.
            engine = Engine::new(store.clone(), clock.clone());
        }
    }
    Run { rows: store.snapshot().await, order, faults }
}

/// The same operations, each once, in the same order, and nothing fails.
async fn serial(order: &[(Job, i64)]) -> Rows {
    let store = Memory::new(Faults::default(), 0);
    let clock = SetClock::at(START);
    let engine = Engine::new(store.clone(), clock.clone());
    for (job, now) in order {
        clock.set(*now);
        engine.execute(std::slice::from_ref(job)).await;
    }
    store.snapshot().await
}

#[test]
fn faults_leave_no_trace() {
    let seeds: u64 = std::env::var("ZHANGGUI_SIM").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    let first: u64 = std::env::var("ZHANGGUI_SIM_FROM").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let books = books();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut recorded, mut faults, mut settled) = (0, 0, 0);
    let mut statuses: BTreeMap<i32, usize> = BTreeMap::new();
    for seed in first..first + seeds {
        let run = runtime.block_on(faulty(&books, seed));
        let again = runtime.block_on(serial(&run.order));
        properties::same(&run.rows, &again, seed);
        properties::hold(&run.rows, &books, seed);
        recorded += run.order.len();
        faults += run.faults;
        settled += run.rows.settled.len();
        for answer in run.rows.answers.values() {
            *statuses.entry(answer.status).or_default() += 1;
        }
    }
    println!(
        "{seeds} seeds: {recorded} operations recorded, {faults} answers lost, {settled} years settled; statuses {statuses:?}"
    );
    assert!(settled as u64 > seeds / 2, "the year should end: {settled}");
    assert!(
        statuses.get(&201).is_some_and(|n| *n > recorded / 4),
        "most of what is played should succeed: {statuses:?}"
    );
}
