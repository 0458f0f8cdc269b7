//! A chain's counters in a world of its own: nodes with their writers over one disk, a network, clients who ask again.
//! Answers get lost, requests come twice and late, the disk stalls and fails, nodes die at any step of a transaction, and
//! what waited in their queues is gone. Whatever happens, the rows are those of a run in which every operation came once,
//! one after another, and nothing failed.
//!
//! `ZHANGGUI_SIM=1000 cargo test --release --locked --test simulation` runs a thousand seeds; `ZHANGGUI_SIM_FROM` says
//! from which on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
#[path = "support/bounds.rs"]
mod bounds;
#[path = "support/memory.rs"]
mod memory;
#[path = "support/nodes.rs"]
mod nodes;
#[path = "support/play/mod.rs"]
mod play;
#[path = "support/properties/mod.rs"]
mod properties;
#[path = "support/trace.rs"]
mod trace;
#[path = "support/world.rs"]
mod world;

use memory::{Memory, Rows, SetClock, Sound};
use nodes::{Heard, Nodes, Way, Weather, count};
use play::{Known, Play};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use trace::{Ran, Trace};
use world::{SECOND, World};
use zhanggui::records::{Clock, Engine, Job, Reply, StoreError};
use zhanggui::rulebook::{Rulebooks, load};

/// 2026-12-31 22:00 in Shanghai: the year ends in the middle of the run.
const START: i64 = 1_798_725_600_000_000;
/// Operations of a run.
const STEPS: usize = 120;
const CLIENTS: u64 = 8;
const NODES: usize = 2;

fn books() -> Arc<Rulebooks> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/jiajie");
    Arc::new(load(&dir).unwrap().rulebooks.unwrap())
}

const STORM: Weather = Weather { lost: 5, twice: 7, late: 20, slow: 12, broken: 1, race: 1, death: 1 };

/// What a seed came to.
#[derive(Debug, PartialEq)]
struct Run {
    rows: Rows,
    ran: Vec<Ran>,
    /// Answers that nodes gave, by the jobs' names.
    told: BTreeMap<String, (u16, String)>,
    tally: BTreeMap<String, u64>,
}

/// What all clients share.
struct Stage {
    world: World,
    nodes: Nodes,
    trace: Trace,
    script: Mutex<Script>,
}

struct Script {
    play: Play,
    known: Known,
    jobs: BTreeMap<String, Job>,
}

impl Stage {
    /// The next thing to be done, with its name.
    fn next(&self) -> Option<(String, Job, Option<i64>)> {
        let mut script = self.script.lock().unwrap();
        let Script { play, known, jobs } = &mut *script;
        if play.step >= STEPS {
            return None;
        }
        known.now = self.world.now();
        let (job, at) = play.next(known);
        let name = job.key.clone().unwrap();
        let job = self.trace.of(&name, job);
        jobs.insert(name.clone(), job.clone());
        Some((name, job, at))
    }
}

/// Does one thing after another; asks again, here or there, until it is answered, or has had enough.
async fn client(stage: Arc<Stage>) {
    let world = stage.world.clone();
    while let Some((name, job, at)) = stage.next() {
        if let Some(at) = at {
            world.wait_until(at).await;
        }
        let mut patience = world.between(1, 20);
        let mut near = at.is_some();
        loop {
            let node = 1 + world.below(stage.nodes.many() as u64) as usize;
            match stage.nodes.ask(node, &name, &job, patience * SECOND, near).await {
                Heard::Answer(body) => {
                    stage.script.lock().unwrap().known.hear(&body);
                    break;
                }
                Heard::NotNow if world.percent(60) => break,
                Heard::Unknown if world.percent(3) => {
                    count(&stage.nodes.tally, "left for good", 1);
                    break;
                }
                Heard::NotNow | Heard::Unknown | Heard::Busy | Heard::InFlight => {}
            }
            world.wait(world.between(SECOND / 2, 3 * SECOND)).await;
            (near, patience) = (false, patience + 5);
        }
        // Some things follow at once, others after a while.
        let minutes = if world.percent(40) { 0 } else { 40 };
        world.wait(world.between(0, SECOND + minutes * 60 * SECOND)).await;
    }
}

/// Plays a seed with everything that goes wrong.
fn faulty(books: &Arc<Rulebooks>, seed: u64, weather: Weather) -> (Run, Script) {
    let world = World::new(START, seed ^ 0xdead_beef);
    let (trace, way) = (Trace::default(), Way::new());
    let store = Memory::new(way.clone(), trace.clone());
    let nodes = Nodes::start(&world, weather, &store, &way, NODES);
    let script =
        Script { play: Play::new(books.clone(), seed), known: Known::default(), jobs: BTreeMap::new() };
    let stage = Arc::new(Stage {
        world: world.clone(),
        nodes: nodes.clone(),
        trace: trace.clone(),
        script: Mutex::new(script),
    });
    let all = stage.clone();
    world.run(async move {
        let (done, mut left) = tokio::sync::mpsc::channel::<()>(1);
        for _ in 0..CLIENTS {
            let (stage, done) = (all.clone(), done.clone());
            all.world.spawn(0, async move {
                client(stage).await;
                drop(done);
            });
        }
        drop(done);
        // Now and then a node dies that has nothing to do.
        let fate = all.clone();
        all.world.spawn(0, async move {
            loop {
                fate.world.wait(fate.world.between(60 * SECOND, 5_400 * SECOND)).await;
                fate.nodes.crash(1 + fate.world.below(NODES as u64) as usize, "leisure");
            }
        });
        left.recv().await;
        // What is still under way arrives.
        all.world.wait(3_600 * SECOND).await;
    });
    let rows = store.rows.try_lock().expect("no transaction outlives the world").clone();
    let blank =
        Script { play: Play::new(books.clone(), seed), known: Known::default(), jobs: BTreeMap::new() };
    let script = std::mem::replace(&mut *stage.script.lock().unwrap(), blank);
    let tally = nodes.tally.lock().unwrap().clone();
    (Run { rows, ran: trace.committed(), told: nodes.told(), tally }, script)
}

/// The same operations, each once, in the same order, and nothing fails; and how many had to go together.
///
/// Ids of movements hang on the moment, and those of one batch have one moment. Where two of them would meet (a lot that is
/// written off, given back, and written off again), what was recorded at that moment goes in one transaction again.
async fn serial(ran: &[Ran], jobs: &BTreeMap<String, Job>) -> (Rows, usize) {
    let store = Memory::new(Sound, Trace::default());
    let clock = SetClock::at(START);
    let engine = Engine::new(store.clone(), clock.clone());
    let mut done = BTreeSet::new();
    let kept: Vec<&Ran> = ran.iter().filter(|one| one.kept).collect();
    let mut together = 0;
    for moment in kept.chunk_by(|a, b| a.now == b.now) {
        assert!(moment.iter().all(|one| done.insert(&one.name)), "done twice: {moment:?}");
        clock.set(moment[0].now);
        let jobs: Vec<Job> = moment.iter().map(|one| jobs[&one.name].clone()).collect();
        let before = (jobs.len() > 1).then(|| store.rows.try_lock().unwrap().clone());
        let mut replies = Vec::new();
        for job in &jobs {
            replies.extend(engine.execute(std::slice::from_ref(job)).await);
        }
        let meets = |reply: &Reply| matches!(reply, Reply::Failed(StoreError::Conflict(_)));
        if let Some(before) = before.filter(|_| replies.iter().any(meets)) {
            *store.rows.try_lock().unwrap() = before;
            replies = engine.execute(&jobs).await;
            together += jobs.len();
        }
        assert!(!replies.iter().any(|reply| matches!(reply, Reply::Failed(_))), "{moment:?}: {replies:?}");
    }
    let rows = store.rows.lock().await.clone();
    (rows, together)
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

#[test]
fn faults_leave_no_trace() {
    let (seeds, first) = (number("ZHANGGUI_SIM", 60), number("ZHANGGUI_SIM_FROM", 0));
    let books = books();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (mut recorded, mut settled, mut explained, mut together) = (0, 0, 0, 0);
    let mut statuses: BTreeMap<i32, usize> = BTreeMap::new();
    let mut tally: BTreeMap<String, u64> = BTreeMap::new();
    let mut met = bounds::Met::default();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for seed in first..first + seeds {
        let (run, script) = faulty(&books, seed, STORM);
        let (again, joined) = runtime.block_on(serial(&run.ran, &script.jobs));
        together += joined;
        properties::same(&run.rows, &again, seed);
        properties::told(&run.rows, &run.told, seed);
        explained += properties::hold(&run.rows, &books, seed);
        bounds::look(&run.rows, &run.ran, &script.play, &mut met, seed);
        recorded += run.ran.iter().filter(|one| one.kept).count();
        settled += run.rows.settled.len();
        properties::kinds(&run.rows, &mut kinds);
        for answer in run.rows.answers.values() {
            *statuses.entry(answer.status).or_default() += 1;
        }
        for (what, n) in run.tally {
            *tally.entry(what).or_default() += n;
        }
    }
    println!(
        "{seeds} seeds: {recorded} operations recorded, {settled} members settled, {explained} numbers explained"
    );
    println!("{statuses:?}");
    println!("{kinds:?}");
    println!("{tally:?}");
    println!("{met}");
    if seeds >= 60 {
        assert!(together * 100 <= recorded, "{together} of {recorded} only went together");
        assert!(settled as u64 > seeds / 2, "the year should end: {settled}");
        assert!(
            statuses.get(&201).is_some_and(|n| *n > recorded / 4),
            "most of what is played should succeed: {statuses:?}"
        );
        let crashes = ["Begin", "Load", "Write", "Commit", "Committed", "leisure"];
        let all = crashes.iter().map(|at| format!("crashes at {at}"));
        for what in all.chain(["lost in a queue", "queue full", "in flight", "replayed"].map(str::to_owned)) {
            assert!(tally.get(&what).is_some_and(|n| *n > 0), "{what}: never");
        }
        let parts = [
            "return recorded",
            "return voided",
            "exchange",
            "due hand_back handed_back",
            "due pay_cash withheld",
            "paid by gift_card",
            "paid by rebate",
            "paid by voucher",
            "movement claw_back",
            "movement settle",
            "hold captured",
            "hold expired",
            "birthday gift",
            "member edited",
            "member erased",
            "member merged",
        ];
        for what in parts {
            assert!(kinds.contains_key(what), "{what}: never");
        }
        assert!(explained > 0, "no number was explained");
        met.all();
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    let books = books();
    let first = number("ZHANGGUI_SIM_FROM", 0);
    for seed in first..first + 3 {
        let (one, _) = faulty(&books, seed, STORM);
        let (other, _) = faulty(&books, seed, STORM);
        assert_eq!(format!("{one:?}"), format!("{other:?}"), "seed {seed}");
        assert_eq!(one, other, "seed {seed}");
    }
    let tallies = |seed| faulty(&books, seed, STORM).0.tally;
    assert_ne!(tallies(first), tallies(first + 1), "another seed is another run");
}
