//! What is counted for each plugin, version and hook.
use crate::plugins::contract::{Hook, Ran};
use crate::plugins::host::breaker::BreakerState;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the histogram's steps, microseconds; what is longer is in the last step.
pub const STEPS: [u64; 15] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    5_000_000,
];

/// The figures of one plugin, version and hook since the host started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// `vendor.name`.
    pub plugin: String,
    pub version: String,
    pub hook: Hook,
    pub breaker: BreakerState,
    #[serde(flatten)]
    pub counted: Counted,
}

/// The sums.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    pub calls: u64,
    /// By `answered` or the failure's code.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// From the question to the answer, with waiting: calls in each of [`STEPS`] and above.
    pub latency: Vec<u64>,
    /// Microseconds of all calls together.
    pub latency_sum: u64,
    /// Microseconds of all calls together that passed before a place was free.
    pub waited_sum: u64,
    /// Units of all calls together.
    pub fuel_sum: u64,
    /// Units of the call that used most.
    pub fuel_max: u64,
    /// Bytes of the call that held most.
    pub memory_max: u64,
    /// Calls whose log was cut.
    pub logs_cut: u64,
    /// Rounds of requests of all calls together.
    pub rounds_sum: u64,
}

/// The counters of one plugin and version.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<BTreeMap<Hook, Counted>>);

impl Counters {
    pub(super) fn count(&self, hook: Hook, ran: &Ran, waited: Duration, took: Duration) {
        let micros = |d: Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sums = all.entry(hook).or_default();
        sums.calls += 1;
        let code = match &ran.outcome {
            Ok(_) => "answered",
            Err(failure) => failure.code(),
        };
        *sums.outcomes.entry(code).or_default() += 1;
        sums.latency.resize(STEPS.len() + 1, 0);
        let step = STEPS.iter().position(|most| micros(took) <= *most).unwrap_or(STEPS.len());
        if let Some(step) = sums.latency.get_mut(step) {
            *step += 1;
        }
        sums.latency_sum = sums.latency_sum.saturating_add(micros(took));
        sums.waited_sum = sums.waited_sum.saturating_add(micros(waited));
        sums.fuel_sum = sums.fuel_sum.saturating_add(ran.fuel);
        sums.fuel_max = sums.fuel_max.max(ran.fuel);
        sums.memory_max = sums.memory_max.max(ran.memory);
        sums.logs_cut += u64::from(ran.log_cut);
        sums.rounds_sum += u64::from(ran.rounds);
    }

    /// A copy, by hook.
    pub(super) fn sums(&self) -> BTreeMap<Hook, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
