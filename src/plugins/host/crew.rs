//! Bounded threads for plugins' work. No plugin ever has all of them, and one whose phases take long has few.
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// From this on a plugin counts as slow.
const SLOW: Duration = Duration::from_millis(5);
/// The stack of a thread: a plugin's own, what the host puts on top, and room.
const STACK: usize = 4 << 20;

pub(super) type Job = Box<dyn FnOnce() + Send>;

/// One plugin's way through a crew.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// Jobs that run now; changed while the crew's queue is held.
    running: AtomicU32,
    /// Microseconds that its phases took lately, recent ones more.
    lately: AtomicU64,
}

impl Lane {
    /// Takes note of a phase.
    pub(super) fn took(&self, time: Duration) {
        let now = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        // Two threads at once may lose one note, which the next mends.
        let before = self.lately.load(Ordering::Relaxed);
        self.lately.store(before - before / 4 + now / 4, Ordering::Relaxed);
    }

    fn slow(&self) -> bool {
        u128::from(self.lately.load(Ordering::Relaxed)) > SLOW.as_micros()
    }
}

/// How many threads one plugin may have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shares {
    /// All but one; a quarter when its phases are slow.
    Fair,
    /// As many as it has places.
    Free,
}

/// Some threads and their queue.
pub(super) struct Crew {
    shared: Arc<Shared>,
}

struct Shared {
    name: &'static str,
    most: u32,
    shares: Shares,
    held: Mutex<Held>,
    more: Condvar,
}

#[derive(Default)]
struct Held {
    queue: VecDeque<(Arc<Lane>, Job)>,
    threads: u32,
    idle: u32,
    closed: bool,
}

impl Crew {
    /// Starts the first thread; the others, up to `most`, start when there is work.
    pub(super) fn start(name: &'static str, most: u32, shares: Shares) -> std::io::Result<Crew> {
        let held = Mutex::new(Held { threads: 1, ..Held::default() });
        let shared = Arc::new(Shared { name, most, shares, held, more: Condvar::new() });
        Shared::thread(&shared, 1)?;
        Ok(Crew { shared })
    }

    /// Behind all others; its turn comes when a thread is free and the lane has not its share of them.
    pub(super) fn push(&self, lane: Arc<Lane>, job: Job) {
        let mut held = self.shared.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.queue.push_back((lane, job));
        let number = (held.idle == 0 && held.threads < self.shared.most).then(|| {
            held.threads += 1;
            held.threads
        });
        drop(held);
        match number {
            // Without one more the others do the work.
            Some(number) if Shared::thread(&self.shared, number).is_err() => {
                self.shared.held.lock().unwrap_or_else(PoisonError::into_inner).threads -= 1;
            }
            Some(_) => {}
            None => self.shared.more.notify_one(),
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.shared.held.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.shared.more.notify_all();
    }
}

impl Shared {
    fn thread(this: &Arc<Shared>, number: u32) -> std::io::Result<()> {
        let shared = this.clone();
        std::thread::Builder::new()
            .name(format!("{}-{number}", this.name))
            .stack_size(STACK)
            .spawn(move || shared.work())
            .map(drop)
    }

    fn share(&self, lane: &Lane) -> u32 {
        match self.shares {
            Shares::Free => u32::MAX,
            Shares::Fair if lane.slow() => (self.most / 4).max(1),
            Shares::Fair => self.most.saturating_sub(1).max(1),
        }
    }

    fn work(&self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let next = held
                .queue
                .iter()
                .position(|(lane, _)| lane.running.load(Ordering::Relaxed) < self.share(lane))
                .and_then(|at| held.queue.remove(at));
            let Some((lane, job)) = next else {
                if held.closed {
                    return;
                }
                held.idle += 1;
                held = self.more.wait(held).unwrap_or_else(PoisonError::into_inner);
                held.idle -= 1;
                continue;
            };
            lane.running.fetch_add(1, Ordering::Relaxed);
            drop(held);
            // A job answers for itself; whatever it breaks, the thread goes on.
            drop(catch_unwind(AssertUnwindSafe(job)));
            held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            lane.running.fetch_sub(1, Ordering::Relaxed);
            // The lane may have kept others from starting that this thread will not take itself.
            if held.queue.len() > 1 && held.idle > 0 {
                self.more.notify_one();
            }
        }
    }
}
