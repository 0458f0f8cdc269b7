//! Asking a server that may be away for a while: it was killed, its database was, or more comes in than it takes.
use std::time::{Duration, Instant};

/// An answer: the status, whether it was stored before, and the body.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) status: u16,
    pub(super) replayed: bool,
    pub(super) body: String,
}

impl Told {
    /// Whether the same request may fare better later: the database is away, the queue is full, the time was too short,
    /// or the same write is on its way.
    pub(super) fn passes(&self) -> bool {
        matches!(self.status, 503 | 408) || (self.status == 409 && self.body.contains("request-in-flight"))
    }
}

pub(super) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(20)))
        .build()
        .into()
}

/// The answer; None if none came, or not the whole of it.
pub(super) fn told(sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Option<Told> {
    let mut answer = sent.ok()?;
    let replayed = answer.headers().get("idempotent-replayed").is_some();
    let status = answer.status().as_u16();
    let body = answer.body_mut().read_to_string().ok()?;
    Some(Told { status, replayed, body })
}

/// How long one request is sent again before the server counts as gone.
#[derive(Debug)]
pub(super) struct Patience {
    most: Duration,
    since: Option<Instant>,
}

impl Patience {
    pub(super) fn of(seconds: u64) -> Patience {
        Patience { most: Duration::from_secs(seconds), since: None }
    }
    /// Waits before the next try; false once it has lasted too long.
    pub(super) fn wait(&mut self, pause: Duration) -> bool {
        let since = *self.since.get_or_insert_with(Instant::now);
        std::thread::sleep(pause);
        since.elapsed() <= self.most
    }
}

/// Gets what is there, however often the server is away meanwhile; None if it stays away.
pub(super) fn get(agent: &ureq::Agent, url: &str, patience: u64) -> Option<Told> {
    let mut patience = Patience::of(patience);
    loop {
        match told(agent.get(url).call()) {
            Some(told) if !told.passes() => return Some(told),
            _ if patience.wait(Duration::from_millis(100)) => {}
            _ => return None,
        }
    }
}
