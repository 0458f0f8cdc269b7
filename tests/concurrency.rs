//! Two nodes on one database, many clients, the same few members: whatever interleaves, everything adds up, and what was
//! answered was recorded once.
//!
//! `ZHANGGUI_CONCURRENCY=1800 cargo test --release --locked --test concurrency -- --nocapture` runs half an hour a database.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
#[path = "support/play/mod.rs"]
mod play;
#[path = "postgres/mod.rs"]
mod postgres;

use play::{Known, Play};
use sea_orm::EntityTrait;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use zhanggui::counter::plugged::{Asking, Nobody};
use zhanggui::drill::Dice;
use zhanggui::records::entity::answer;
use zhanggui::records::verify::verify;
use zhanggui::records::writer::Writer;
use zhanggui::records::{Aside, Clock, Database, Engine, Reply, migrate};
use zhanggui::rulebook::{Rulebooks, load};

const CLIENTS: u64 = 12;

fn books() -> Arc<Rulebooks> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/jiajie");
    Arc::new(load(&dir).unwrap().rulebooks.unwrap())
}

/// A clock that runs a minute a second, from 23:58 of the year's last day in Shanghai: holds lapse and the year ends.
#[derive(Clone)]
struct FastClock(Instant);

impl Clock for FastClock {
    fn now(&self) -> i64 {
        let since = i64::try_from(self.0.elapsed().as_micros()).unwrap();
        1_798_732_680_000_000 + since * 60
    }
}

fn seconds() -> u64 {
    std::env::var("ZHANGGUI_CONCURRENCY").ok().and_then(|n| n.parse().ok()).unwrap_or(6)
}

fn node(url: &str, clock: &FastClock) -> Writer {
    let (url, clock) = (url.to_owned(), clock.clone());
    Writer::start(4096, move || async move { Ok(Engine::new(Database::open(&url).await?, clock)) }).unwrap()
}

/// What all clients share: the plot, what is known, and what was answered, by key.
struct Stage {
    play: Play,
    known: Known,
    answered: BTreeMap<String, (u16, String)>,
    replies: BTreeMap<&'static str, u64>,
}

/// No plugin is installed.
async fn find_out(aside: Aside) {
    Asking::find_out(&aside, &Nobody, 0).await;
}

async fn client(
    nth: u64,
    nodes: Arc<[Writer; 2]>,
    stage: Arc<Mutex<Stage>>,
    clock: FastClock,
    until: Instant,
) {
    let mut dice = Dice::new(nth + 77);
    while Instant::now() < until {
        let job = {
            let mut stage = stage.lock().unwrap();
            stage.known.now = clock.now();
            let known = stage.known.clone();
            // Exact moments are the simulation's.
            stage.play.next(&known).0
        };
        let key = job.key.clone().unwrap();
        // Some send twice at once, to both nodes; all ask again until they are answered.
        let first = dice.below(2) as usize;
        let twin = dice.percent(20).then(|| {
            let (nodes, job) = (nodes.clone(), job.clone());
            tokio::spawn(async move { nodes[1 - first].submit_asking(job, find_out).await })
        });
        let mut tries = 0;
        loop {
            let reply = nodes[(first + tries) % 2].submit_asking(job.clone(), find_out).await;
            let (what, answer) = match reply {
                Ok(Reply::Done(answer)) => ("done", Some((answer.status, answer.body))),
                Ok(Reply::Replayed(answer)) => ("replayed", Some((answer.status, answer.body))),
                Ok(Reply::Refused(refusal)) if refusal.kept => {
                    ("refused", Some((refusal.status, refusal.json())))
                }
                Ok(Reply::Refused(_)) => ("refused for now", None),
                Ok(Reply::InFlight) => ("in flight", None),
                Ok(Reply::Ask(_)) => panic!("{key}: what was to be found out was found out"),
                Ok(Reply::OtherBody) => panic!("{key}: the same job has another body"),
                Ok(Reply::Failed(error)) => panic!("{key}: {error}"),
                Err(_) => ("full", None),
            };
            let mut stage = stage.lock().unwrap();
            *stage.replies.entry(what).or_default() += 1;
            if let Some(answer) = answer {
                if what == "done" {
                    stage.known.hear(&answer.1);
                }
                if let Some(before) = stage.answered.insert(key.clone(), answer.clone()) {
                    assert_eq!(before, answer, "{key}: two answers");
                }
                break;
            }
            if what == "refused for now" || tries > 50 {
                break;
            }
            tries += 1;
        }
        if let Some(twin) = twin {
            let reply = twin.await.unwrap();
            let answer = match reply {
                Ok(Reply::Done(a) | Reply::Replayed(a)) => Some((a.status, a.body)),
                Ok(Reply::Refused(r)) if r.kept => Some((r.status, r.json())),
                Ok(Reply::Failed(error)) => panic!("{key}: {error}"),
                _ => None,
            };
            let mut stage = stage.lock().unwrap();
            if let Some(answer) = answer
                && let Some(before) = stage.answered.insert(key.clone(), answer.clone())
            {
                assert_eq!(before, answer, "{key}: the twin was answered otherwise");
            }
        }
    }
}

fn run(url: &str, seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let database = Database::open(url).await.unwrap();
        migrate(&database).await.unwrap();
        let clock = FastClock(Instant::now());
        let nodes = Arc::new([node(url, &clock), node(url, &clock)]);
        let stage = Arc::new(Mutex::new(Stage {
            play: Play::new(books(), seed),
            known: Known::default(),
            answered: BTreeMap::new(),
            replies: BTreeMap::new(),
        }));
        let end = Instant::now() + Duration::from_secs(seconds());
        let mut rounds = 0;
        while Instant::now() < end {
            let until = end.min(Instant::now() + Duration::from_secs(20));
            let clients: Vec<_> = (0..CLIENTS)
                .map(|n| {
                    tokio::spawn(client(
                        n + rounds * CLIENTS,
                        nodes.clone(),
                        stage.clone(),
                        clock.clone(),
                        until,
                    ))
                })
                .collect();
            for client in clients {
                client.await.unwrap();
            }
            let report = verify(&database).await.unwrap();
            assert!(report.is_clean(), "round {rounds}: {:#?}", report.findings);
            rounds += 1;
            let stage = stage.lock().unwrap();
            println!("round {rounds}: {} keys answered, {:?}", stage.answered.len(), stage.replies);
        }
        let kept = answer::Entity::find().all(database.reader()).await.unwrap();
        let answered = stage.lock().unwrap().answered.clone();
        for row in &kept {
            let told = answered.get(&row.key);
            assert_eq!(
                told,
                Some(&(row.status as u16, row.body.clone())),
                "{}: kept, and answered otherwise",
                row.key
            );
        }
        assert_eq!(kept.len(), answered.len(), "what was answered is kept");
        for node in nodes.iter() {
            node.close().await;
        }
    });
}

#[test]
fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    run(&format!("sqlite://{}?mode=rwc", folder.path().join("z.db").display()), 1);
}

#[test]
fn postgresql() {
    let Some(cluster) = postgres::cluster() else { return };
    run(&cluster.database(), 2);
}
