//! A plugin that fails again and again is left alone for a while, then tried once.
use crate::plugins::contract::Failure;
use crate::plugins::host::settings::BreakerSettings;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The longest rest.
const LONGEST: Duration = Duration::from_secs(60);

/// Whether calls go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerState {
    Closed,
    /// Calls are answered with [`Failure::Resting`].
    Open,
    /// One call is on its way to see whether things are better.
    HalfOpen,
}

/// The breaker of one plugin.
#[derive(Debug)]
pub(super) struct Breaker {
    settings: BreakerSettings,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    at: At,
    in_a_row: u32,
    rest: Duration,
    /// Oldest first, one for each second in which something was called.
    seconds: VecDeque<Second>,
}

#[derive(Debug)]
enum At {
    Closed,
    Open {
        until: Instant,
    },
    /// A probe began at this moment; one that is never heard of again does not keep the breaker open for ever.
    Probing {
        since: Instant,
    },
}

#[derive(Debug)]
struct Second {
    began: Instant,
    calls: u32,
    failures: u32,
}

/// What a call says about the plugin: nothing when it is the caller's fault or when it did not run.
fn speaks(outcome: Result<(), &Failure>) -> Option<bool> {
    match outcome {
        Ok(()) => Some(true),
        Err(
            Failure::InvalidInput(_)
            | Failure::Unsupported(_)
            | Failure::NotGranted(_)
            | Failure::NotInstalled
            | Failure::Busy
            | Failure::Resting
            | Failure::OutOfTime,
        ) => None,
        Err(_) => Some(false),
    }
}

impl Breaker {
    pub(super) fn new(settings: BreakerSettings) -> Breaker {
        let rest = Duration::from_millis(u64::from(settings.rest));
        let held = Held { at: At::Closed, in_a_row: 0, rest, seconds: VecDeque::new() };
        Breaker { settings, held: Mutex::new(held) }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a call may go through now; the first after a rest is the probe.
    pub(super) fn lets_through(&self, now: Instant) -> bool {
        let mut held = self.held();
        let probe = match held.at {
            At::Closed => return true,
            At::Open { until } => now >= until,
            At::Probing { since } => now.duration_since(since) >= LONGEST,
        };
        if probe {
            held.at = At::Probing { since: now };
        }
        probe
    }

    /// Whether a call would be answered with [`Failure::Resting`] now.
    pub(super) fn rests(&self, now: Instant) -> bool {
        match self.held().at {
            At::Closed => false,
            At::Open { until } => now < until,
            At::Probing { since } => now.duration_since(since) < LONGEST,
        }
    }

    /// Takes note of a call that was let through.
    pub(super) fn saw(&self, now: Instant, outcome: Result<(), &Failure>) {
        let mut held = self.held();
        let held = &mut *held;
        let first_rest = Duration::from_millis(u64::from(self.settings.rest));
        match (&held.at, speaks(outcome)) {
            // The probe said nothing: the next call is one.
            (At::Probing { .. }, None) => held.at = At::Open { until: now },
            (At::Probing { .. }, Some(true)) => {
                *held = Held { at: At::Closed, in_a_row: 0, rest: first_rest, seconds: VecDeque::new() };
            }
            (At::Probing { .. }, Some(false)) => {
                held.rest = (held.rest * 2).min(LONGEST);
                held.at = At::Open { until: now + held.rest };
            }
            // Begun before the rest.
            (At::Open { .. }, _) | (At::Closed, None) => {}
            (At::Closed, Some(well)) => {
                held.in_a_row = if well { 0 } else { held.in_a_row + 1 };
                held.count(now, well, Duration::from_secs(u64::from(self.settings.window)));
                let (calls, failures) = held.sums();
                let often = calls >= self.settings.calls
                    && u64::from(failures) * 100 > u64::from(calls) * u64::from(self.settings.percent);
                if !well && (held.in_a_row >= self.settings.consecutive || often) {
                    held.rest = first_rest;
                    held.at = At::Open { until: now + first_rest };
                    held.seconds.clear();
                    held.in_a_row = 0;
                }
            }
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.held().at {
            At::Closed => BreakerState::Closed,
            At::Open { .. } => BreakerState::Open,
            At::Probing { .. } => BreakerState::HalfOpen,
        }
    }
}

impl Held {
    fn count(&mut self, now: Instant, well: bool, window: Duration) {
        while self.seconds.front().is_some_and(|s| now.duration_since(s.began) > window) {
            self.seconds.pop_front();
        }
        let failed = u32::from(!well);
        match self.seconds.back_mut() {
            Some(last) if now.duration_since(last.began) < Duration::from_secs(1) => {
                last.calls = last.calls.saturating_add(1);
                last.failures = last.failures.saturating_add(failed);
            }
            _ => self.seconds.push_back(Second { began: now, calls: 1, failures: failed }),
        }
    }

    fn sums(&self) -> (u32, u32) {
        self.seconds.iter().fold((0, 0), |(calls, failures): (u32, u32), s| {
            (calls.saturating_add(s.calls), failures.saturating_add(s.failures))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> (Breaker, Instant) {
        (Breaker::new(BreakerSettings::default()), Instant::now())
    }

    #[test]
    fn five_in_a_row_open_it_and_a_probe_that_succeeds_closes_it() {
        let (b, t) = breaker();
        for _ in 0..5 {
            assert!(b.lets_through(t));
            b.saw(t, Err(&Failure::StackOverflow));
        }
        assert!(!b.lets_through(t) && b.rests(t));
        let later = t + Duration::from_secs(5);
        assert!(!b.rests(later) && b.state() == BreakerState::Open, "asking changes nothing");
        assert!(b.lets_through(later), "the probe");
        assert!(!b.lets_through(later) && b.rests(later), "only one probe");
        b.saw(later, Ok(()));
        assert_eq!(b.state(), BreakerState::Closed);
        assert!(!b.rests(later));
        assert!(b.lets_through(later));
    }

    #[test]
    fn a_probe_that_fails_doubles_the_rest() {
        let (b, t) = breaker();
        for _ in 0..5 {
            b.saw(t, Err(&Failure::StackOverflow));
        }
        let later = t + Duration::from_secs(5);
        assert!(b.lets_through(later));
        b.saw(later, Err(&Failure::StackOverflow));
        assert!(!b.lets_through(later + Duration::from_secs(9)));
        assert!(b.lets_through(later + Duration::from_secs(10)));
    }

    #[test]
    fn a_fifth_of_the_calls_opens_it_and_old_ones_are_forgotten() {
        let (b, t) = breaker();
        for i in 0..40 {
            let outcome = if i % 4 == 3 { Err(&Failure::StackOverflow) } else { Ok(()) };
            b.saw(t, outcome);
            if b.state() == BreakerState::Open {
                assert_eq!(i, 19, "twenty calls are needed");
                break;
            }
        }
        assert_eq!(b.state(), BreakerState::Open);

        let (b, t) = breaker();
        for _ in 0..4 {
            b.saw(t, Err(&Failure::StackOverflow));
        }
        b.saw(t, Ok(()));
        let later = t + Duration::from_secs(32);
        for i in 0..30 {
            b.saw(later, if i == 29 { Err(&Failure::StackOverflow) } else { Ok(()) });
        }
        assert_eq!(b.state(), BreakerState::Closed);
    }

    #[test]
    fn the_callers_faults_say_nothing() {
        let (b, t) = breaker();
        for _ in 0..100 {
            b.saw(t, Err(&Failure::InvalidInput("no".to_owned())));
        }
        assert_eq!(b.state(), BreakerState::Closed);
    }
}
