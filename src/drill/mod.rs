//! A made-up chain that plays against a server over HTTP: enrolments, sales, returns, redemptions, questions, with lost
//! answers and retries; at the end everything that was answered must be there, once.
//!
//! Invariants: the same seed plays the same plot; a write is sent with one key until it is answered; what a client was
//! told is never taken back.
mod ask;
mod client;
mod dice;
mod plot;
mod report;

pub use dice::Dice;
pub use report::Report;

use client::Client;
use plot::Chain;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How a drill is played.
#[derive(Clone, Debug)]
pub struct Plan {
    /// `http://127.0.0.1:8080`
    pub url: String,
    pub seed: u64,
    pub members: u64,
    /// Days before today over which receipts are spread.
    pub days: u64,
    pub clients: u64,
    /// How long to play; None: until told to stop.
    pub seconds: Option<u64>,
    /// Requests a second over all clients; 0: as fast as they are answered.
    pub rate: u64,
    /// How many of a hundred answers are lost, so that the client asks again.
    pub lose: u64,
    /// How long a server that is away (no connection, 503) is waited for before the drill gives up, in seconds.
    pub patience: u64,
}

/// Why a drill could not be played.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    #[error("{0} does not answer as a server of ours: {1}")]
    NoServer(String, String),
    #[error("a client could not be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// Plays the plan until its time is over or `stop` is set, then looks at what was acknowledged. Calls `tick` about twice a
/// second with what was done so far.
pub fn play(plan: &Plan, stop: &AtomicBool, mut tick: impl FnMut(&Report)) -> Result<Report, DrillError> {
    let chain = Arc::new(Chain::found(plan)?);
    let report = Arc::new(Mutex::new(Report::default()));
    let over = AtomicBool::new(false);
    let began = Instant::now();
    let played = |began: Instant| plan.seconds.is_some_and(|s| began.elapsed() >= Duration::from_secs(s));
    std::thread::scope(|scope| {
        let mut clients = Vec::new();
        for nth in 0..plan.clients.max(1) {
            let client = Client::new(plan, nth, chain.clone(), report.clone());
            let started = std::thread::Builder::new()
                .name(format!("client {nth}"))
                .spawn_scoped(scope, || client.run(began, &over));
            // Those that play already have to be told.
            clients.push(started.inspect_err(|_| over.store(true, Ordering::Relaxed))?);
        }
        while !stop.load(Ordering::Relaxed) && !played(began) && clients.iter().any(|c| !c.is_finished()) {
            std::thread::sleep(Duration::from_millis(500));
            tick(&snapshot(&report));
        }
        over.store(true, Ordering::Relaxed);
        for client in clients {
            if client.join().is_err() {
                report.lock().unwrap_or_else(PoisonError::into_inner).wrong("a client broke off".into());
            }
        }
        Ok::<(), DrillError>(())
    })?;
    let mut done = snapshot(&report);
    done.seconds = began.elapsed().as_secs_f64();
    client::look_again(plan, &mut done);
    Ok(done)
}

fn snapshot(report: &Mutex<Report>) -> Report {
    report.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
