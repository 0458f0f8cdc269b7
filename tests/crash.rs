//! Real processes, killed at random moments under load: what was acknowledged is there once, nothing is half there, and
//! everything adds up.
//!
//! `ZHANGGUI_CRASHES=100 cargo test --release --locked --test crash -- --nocapture` kills a hundred times: the server on
//! SQLite, and in turn the server and the database on PostgreSQL.
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

use sea_orm::prelude::Uuid;
use sea_orm::{EntityTrait, PaginatorTrait};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use zhanggui::drill::{Dice, Plan, Report, play};
use zhanggui::records::Database;
use zhanggui::records::entity::{entry, hold, member, movement, redemption, return_slip, sale, sale_line};

fn crashes() -> u64 {
    std::env::var("ZHANGGUI_CRASHES").ok().and_then(|n| n.parse().ok()).unwrap_or(4)
}

/// A server on a port that stays the same over its lives.
struct Server {
    port: u16,
    database: String,
    process: Child,
}

impl Server {
    fn start(port: u16, database: &str) -> Server {
        let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        let mut process = Command::new(env!("CARGO_BIN_EXE_zhanggui"))
            .arg("serve")
            .arg("--policies")
            .arg(policies)
            .args(["--no-watch", "--listen", &format!("127.0.0.1:{port}"), "--database", database])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("serves"), "the server did not start: {line:?}");
        Server { port, database: database.to_owned(), process }
    }
    /// SIGKILL, and a new life.
    fn kill_and_restart(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let next = Server::start(self.port, &self.database);
        let old = std::mem::replace(self, next);
        drop(old);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Plays until `crash` has struck as often as it shall; then looks at everything.
fn under_fire(database: &str, mut crash: impl FnMut(u64, &mut Server)) {
    let port = free_port();
    let mut server = Server::start(port, database);
    let strikes = crashes();
    let plan = Plan {
        url: format!("http://127.0.0.1:{port}"),
        seed: 7,
        members: 60,
        days: 25,
        clients: 6,
        seconds: None,
        rate: 0,
        lose: 5,
        patience: 60,
    };
    let (stop, recorded) = (AtomicBool::new(false), AtomicUsize::new(0));
    let report: Report = std::thread::scope(|scope| {
        let player = scope.spawn(|| {
            let note = |so_far: &Report| recorded.store(so_far.acknowledged.len(), Ordering::Relaxed);
            play(&plan, &stop, note).unwrap()
        });
        let mut dice = Dice::new(99);
        let began = Instant::now();
        let struck = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for nth in 0..strikes {
                // Only a server that has come back to its work is killed again.
                let before = recorded.load(Ordering::Relaxed);
                let began = Instant::now();
                while recorded.load(Ordering::Relaxed) == before && !player.is_finished() {
                    assert!(began.elapsed() < Duration::from_secs(60), "nothing is recorded any more");
                    std::thread::sleep(Duration::from_millis(10));
                }
                std::thread::sleep(Duration::from_millis(dice.below(1_500)));
                crash(nth, &mut server);
            }
        }));
        println!("{strikes} crashes in {:.0} s", began.elapsed().as_secs_f64());
        // Whatever happened: who plays does not stop by itself.
        stop.store(true, Ordering::Relaxed);
        let report = player.join().unwrap();
        if let Err(broken) = struck {
            std::panic::resume_unwind(broken);
        }
        report
    });
    println!("{report}");
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert!(report.acknowledged.len() as u64 > 20, "there was no load");
    assert!(report.away > 0, "nobody noticed a crash");
    // Everything is up, and every write was asked for until it was answered: what is there is what was acknowledged.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(as_acknowledged(database, &report));
    let verify =
        Command::new(env!("CARGO_BIN_EXE_zhanggui")).args(["verify", "--database", database]).output();
    let said = verify.unwrap();
    let out = String::from_utf8_lossy(&said.stdout);
    println!("verify: {}", out.trim());
    assert!(said.status.success(), "{out}{}", String::from_utf8_lossy(&said.stderr));
}

/// As many rows as acknowledged writes: none twice, none that nobody was told of, and none without its parts.
async fn as_acknowledged(database: &str, report: &Report) {
    let database = Database::open(database).await.unwrap();
    let db = database.reader();
    let told = |list: &str| report.acknowledged.keys().filter(|path| path.starts_with(list)).count() as u64;
    let counts = [
        ("sales", told("/v1/sales/"), sale::Entity::find().count(db).await),
        ("returns", told("/v1/returns/"), return_slip::Entity::find().count(db).await),
        ("members", told("/v1/members/"), member::Entity::find().count(db).await),
        ("holds", told("/v1/holds/"), hold::Entity::find().count(db).await),
        ("redemptions", told("/v1/redemptions/"), redemption::Entity::find().count(db).await),
    ];
    for (what, told, there) in counts {
        println!("{what}: {told} acknowledged");
        // The first few strikes may come before anybody has points to spend.
        assert!(told > 0 || crashes() < 20, "no {what} under fire");
        assert_eq!(told, there.unwrap(), "{what}: acknowledged, and there");
    }
    let of = |list: Vec<Uuid>| list.into_iter().collect::<BTreeSet<Uuid>>();
    let lines = sale_line::Entity::find().all(db).await.unwrap();
    let sales = sale::Entity::find().all(db).await.unwrap();
    let (sales, with) =
        (of(sales.iter().map(|s| s.id).collect()), of(lines.iter().map(|l| l.sale_id).collect()));
    assert_eq!(sales, with, "a sale without lines, or lines without a sale");
    let movements = movement::Entity::find().all(db).await.unwrap();
    let entries = entry::Entity::find().all(db).await.unwrap();
    let with = of(entries.iter().map(|e| e.movement_id).collect());
    assert_eq!(of(movements.iter().map(|m| m.id).collect()), with, "half a movement");
    database.close().await.unwrap();
}

#[test]
fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("z.db").display());
    under_fire(&url, |_, server| server.kill_and_restart());
}

#[test]
fn postgresql() {
    let Some(cluster) = postgres::cluster() else { return };
    under_fire(&cluster.database(), |nth, server| match nth % 3 {
        0 => server.kill_and_restart(),
        1 => cluster.kill_and_restart(),
        _ => {
            cluster.kill_and_restart();
            server.kill_and_restart();
        }
    });
    cluster.end();
}
