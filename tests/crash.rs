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
#[path = "support/dice.rs"]
#[allow(dead_code, reason = "other tests throw it otherwise")]
mod dice;
#[path = "postgres/mod.rs"]
mod postgres;

use dice::Dice;
use sea_orm::{ConnectionTrait, Database as Connection};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use zhanggui::drill::{Plan, Report, play};
use zhanggui::records::Database;
use zhanggui::records::verify::verify;

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

/// Plays while `crash` strikes; then looks at everything.
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
        // Longer than the crashes take; the strikes end the play.
        seconds: 4 + strikes * 4,
        rate: 0,
        lose: 5,
        patience: 60,
    };
    let player = std::thread::spawn(move || play(&plan, |_| {}).unwrap());
    let mut dice = Dice::new(99);
    let began = Instant::now();
    for nth in 0..strikes {
        std::thread::sleep(Duration::from_millis(200 + dice.below(1_500)));
        crash(nth, &mut server);
    }
    println!("{strikes} crashes in {:.0} s", began.elapsed().as_secs_f64());
    let report: Report = player.join().unwrap();
    println!("{report}");
    // A question that comes while the database is away is answered with 503, and nothing is lost by it.
    let wrong: Vec<&String> = report.findings.iter().filter(|f| !f.contains("\"not-read\"")).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(report.acknowledged.len() as u64 > 20, "there was no load");
    assert!(report.away > 0, "nobody noticed a crash");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let database = Database::open(database).await.unwrap();
        let found = verify(&database).await.unwrap();
        assert!(found.is_clean(), "{:#?}", found.findings);
        database.close().await.unwrap();
    });
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
    let name = cluster.fresh();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let admin = Connection::connect(cluster.url("postgres")).await.unwrap();
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        admin.close().await.unwrap();
    });
    under_fire(&cluster.url(&name), |nth, server| match nth % 3 {
        0 => server.kill_and_restart(),
        1 => cluster.kill_and_restart(),
        _ => {
            cluster.kill_and_restart();
            server.kill_and_restart();
        }
    });
    cluster.end();
}
