//! A plugin's places: how many of its calls run at once, and who waits for how long.
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

/// Called once: with a place, or without when the waiting was in vain. Must not block.
pub(super) type Wake = Box<dyn FnOnce(Option<Place>) + Send>;

/// Calls that may wait for each place; more are turned away at once.
const WAITING: usize = 64;

/// The places of one plugin.
pub(super) struct Places {
    most: u32,
    held: Mutex<Held>,
}

struct Held {
    free: u32,
    /// Longest first; all wait equally long, so the first is the first to give up.
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    until: Instant,
    wake: Wake,
}

/// A place that is taken; dropped, it goes to whoever waits.
pub(super) struct Place {
    of: Arc<Places>,
}

impl Places {
    pub(super) fn new(most: u32) -> Arc<Places> {
        Arc::new(Places { most, held: Mutex::new(Held { free: most, waiting: VecDeque::new() }) })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Places that are not taken.
    pub(super) fn free(&self) -> u32 {
        self.held().free
    }

    /// Wakes at once, or when a place is free, or in vain at `until`, if [`Places::give_up`] is called then. Says
    /// whether it waits.
    pub(super) fn ask(self: &Arc<Places>, until: Instant, wake: Wake) -> bool {
        let mut held = self.held();
        if held.free > 0 {
            held.free -= 1;
            drop(held);
            wake(Some(Place { of: self.clone() }));
            return false;
        }
        if held.waiting.len() >= WAITING * self.most as usize {
            drop(held);
            wake(None);
            return false;
        }
        held.waiting.push_back(Waiting { until, wake });
        true
    }

    /// Sends away whoever has waited long enough.
    fn give_up(&self, now: Instant) {
        loop {
            let mut held = self.held();
            if held.waiting.front().is_none_or(|w| w.until > now) {
                return;
            }
            let over = held.waiting.pop_front();
            drop(held);
            if let Some(over) = over {
                (over.wake)(None);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let next = {
            let mut held = self.of.held();
            match held.waiting.pop_front() {
                Some(next) => next,
                None => {
                    held.free += 1;
                    return;
                }
            }
        };
        (next.wake)(Some(Place { of: self.of.clone() }));
    }
}

/// Watches over all that wait, on a thread of its own.
pub(super) struct Watch {
    shared: Arc<Watched>,
}

struct Watched {
    held: Mutex<Times>,
    changed: Condvar,
}

#[derive(Default)]
struct Times {
    /// By the moment, and a number so that two may have the same.
    due: BTreeMap<(Instant, u64), Weak<Places>>,
    next: u64,
    closed: bool,
}

impl Watch {
    pub(super) fn start() -> std::io::Result<Watch> {
        let shared = Arc::new(Watched { held: Mutex::default(), changed: Condvar::new() });
        let watched = shared.clone();
        std::thread::Builder::new().name("plugin-waits".to_owned()).spawn(move || watched.run())?;
        Ok(Watch { shared })
    }

    /// Sends away at `until` whoever waits too long then.
    pub(super) fn add(&self, until: Instant, places: &Arc<Places>) {
        let mut held = self.shared.held.lock().unwrap_or_else(PoisonError::into_inner);
        let number = held.next;
        held.next = held.next.wrapping_add(1);
        held.due.insert((until, number), Arc::downgrade(places));
        drop(held);
        self.shared.changed.notify_one();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.held.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.shared.changed.notify_one();
    }
}

impl Watched {
    fn run(&self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        while !held.closed {
            let now = Instant::now();
            held = match held.due.first_key_value().map(|((due, _), _)| *due) {
                None => self.changed.wait(held).unwrap_or_else(PoisonError::into_inner),
                Some(due) if due > now => {
                    let waited = self.changed.wait_timeout(held, due - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                Some(_) => {
                    let places = held.due.pop_first().and_then(|(_, places)| places.upgrade());
                    drop(held);
                    if let Some(places) = places {
                        places.give_up(now);
                    }
                    self.held.lock().unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}
