//! Bounded threads for plugins' work. No plugin ever has all of them, and those whose phases take long have a few of
//! their own, to which the system gives time when nobody else wants it.
use crate::plugins::host::clock::Clock;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// From this on a plugin counts as slow, far above what a plugin takes that means well.
const SLOW: Duration = Duration::from_millis(20);
/// From this on a plugin is suspected: its time is the processor's then, and no more the clock's on the wall. A machine
/// that has too much to do does not keep it among the slow, where it would get even less.
const SUSPECT: Duration = Duration::from_millis(2);
/// The stack of a thread: a plugin's own, what the host puts on top, and room.
const STACK: usize = 4 << 20;

pub(super) type Job = Box<dyn FnOnce() + Send>;

/// One plugin's way through a crew.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// Jobs that run now on quick threads; changed while their queue is held.
    running: AtomicU32,
    /// Microseconds that its phases took lately, recent ones more.
    lately: AtomicU64,
}

impl Lane {
    /// The clock of a phase that begins now on this thread.
    pub(super) fn clock(&self) -> Clock {
        Clock::start(u128::from(self.lately.load(Ordering::Relaxed)) > SUSPECT.as_micros())
    }

    /// Takes note of a phase. One that used up its fuel did as much as it may, however fast this processor is: a plugin that
    /// does so again and again is slow.
    pub(super) fn took(&self, time: Duration, exhausted: bool) {
        let time = if exhausted { time.max(SLOW * 2) } else { time };
        let now = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        // Two threads at once may lose one note, which the next mends.
        let before = self.lately.load(Ordering::Relaxed);
        self.lately.store(before - before / 4 + now / 4, Ordering::Relaxed);
    }

    /// Whether its phases take long.
    pub(super) fn slow(&self) -> bool {
        u128::from(self.lately.load(Ordering::Relaxed)) > SLOW.as_micros()
    }
}

/// What a crew is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One plugin may have all threads but one.
    Quick,
    /// Threads of low priority, shared as it comes.
    Slow,
    /// Threads that wait for servers; a plugin has as many as it has places.
    Waiting,
}

/// Some threads and their queue.
pub(super) struct Crew {
    shared: Arc<Shared>,
}

struct Shared {
    name: &'static str,
    most: u32,
    kind: Kind,
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
    pub(super) fn start(name: &'static str, most: u32, kind: Kind) -> std::io::Result<Crew> {
        let held = Mutex::new(Held { threads: 1, ..Held::default() });
        let shared = Arc::new(Shared { name, most, kind, held, more: Condvar::new() });
        Shared::thread(&shared, 1)?;
        Ok(Crew { shared })
    }

    /// Behind all others; its turn comes when a thread is free and the lane has not its share of them.
    pub(super) fn push(&self, lane: Arc<Lane>, job: Job) {
        let mut held = self.shared.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.queue.push_back((lane, job));
        let number = (held.queue.len() > held.idle as usize && held.threads < self.shared.most).then(|| {
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

    /// Whether a plugin may have one more thread.
    fn has_one_for(&self, lane: &Lane) -> bool {
        self.kind != Kind::Quick || lane.running.load(Ordering::Relaxed) < self.most.saturating_sub(1).max(1)
    }

    /// One thread more or less.
    fn note(&self, lane: &Lane, begins: bool) {
        match (self.kind, begins) {
            (Kind::Quick, true) => lane.running.fetch_add(1, Ordering::Relaxed),
            (Kind::Quick, false) => lane.running.fetch_sub(1, Ordering::Relaxed),
            (Kind::Slow | Kind::Waiting, _) => 0,
        };
    }

    fn work(&self) {
        if self.kind == Kind::Slow {
            // Of this thread only; a system that does not let it be polite has it run all the same.
            let _ = rustix::process::nice(10);
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let next = held
                .queue
                .iter()
                .position(|(lane, _)| self.has_one_for(lane))
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
            self.note(&lane, true);
            drop(held);
            // A job answers for itself; whatever it breaks, the thread goes on.
            drop(catch_unwind(AssertUnwindSafe(job)));
            held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            self.note(&lane, false);
            // The lane may have kept others from starting that this thread will not take itself.
            if held.queue.len() > 1 && held.idle > 0 {
                self.more.notify_one();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_plugin_that_its_fuel_stops_again_and_again_is_slow() {
        let (lane, moment) = (Lane::default(), Duration::from_millis(1));
        lane.took(moment, true);
        assert!(!lane.slow());
        (0..3).for_each(|_| lane.took(moment, true));
        assert!(lane.slow(), "{lane:?}");
        (0..3).for_each(|_| lane.took(moment, false));
        assert!(!lane.slow(), "{lane:?}");
    }

    #[test]
    fn a_busy_machine_does_not_make_a_plugin_slow_for_good() {
        if crate::plugins::host::thread_time().is_none() {
            return;
        }
        let lane = Lane::default();
        assert!(!lane.slow());
        lane.took(Duration::from_millis(400), false);
        assert!(lane.slow());
        // Kept waiting for the processor, and hardly ever on it.
        for _ in 0..12 {
            let clock = lane.clock();
            std::thread::sleep(Duration::from_millis(40));
            lane.took(clock.elapsed(), false);
        }
        assert!(!lane.slow(), "{lane:?}");
        // What has the processor all the time is slow.
        for _ in 0..12 {
            let clock = lane.clock();
            let began = Instant::now();
            while clock.elapsed() < Duration::from_millis(60) && began.elapsed() < Duration::from_secs(5) {
                std::hint::spin_loop();
            }
            lane.took(clock.elapsed(), false);
        }
        assert!(lane.slow(), "{lane:?}");
    }
}
