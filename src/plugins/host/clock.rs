//! How long a phase takes, by the clock that its plugin answers for.
use std::time::{Duration, Instant};

/// Since a moment: on the processor if that was asked for and the system tells, otherwise on the wall.
#[derive(Debug)]
pub(super) struct Clock {
    began: Instant,
    processor: Option<Duration>,
}

impl Clock {
    /// Reading the processor's time costs some microseconds, so that it is read only where it matters.
    pub(super) fn start(processor: bool) -> Clock {
        Clock { began: Instant::now(), processor: processor.then(thread_time).flatten() }
    }

    /// On the same thread.
    pub(super) fn elapsed(&self) -> Duration {
        match self.processor.zip(self.processor.and_then(|_| thread_time())) {
            Some((before, now)) => now.saturating_sub(before),
            None => self.began.elapsed(),
        }
    }
}

/// What this thread had of the processor so far; none where the system does not tell. It brings the count up to date when
/// a thread steps aside.
pub fn thread_time() -> Option<Duration> {
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}
