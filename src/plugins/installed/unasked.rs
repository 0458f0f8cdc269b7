//! Calls that came to nothing before any plugin was asked: without these counts the worst outages would not be seen.
use crate::plugins::contract::Failure;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Plugins that are counted; beyond that somebody makes names up.
const NAMES: usize = 1_000;

/// The calls of one plugin that nobody could answer, on this node, since the server started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unasked {
    /// `vendor.name`.
    pub plugin: String,
    /// Calls by the failure's code.
    pub outcomes: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<BTreeMap<String, BTreeMap<&'static str, u64>>>);

impl Counts {
    pub(super) fn count(&self, plugin: &str, failure: &Failure) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < NAMES || all.contains_key(plugin) {
            *all.entry(plugin.to_owned()).or_default().entry(failure.code()).or_default() += 1;
        }
    }

    pub(super) fn all(&self) -> Vec<Unasked> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = all.iter();
        all.map(|(plugin, outcomes)| Unasked { plugin: plugin.clone(), outcomes: outcomes.clone() }).collect()
    }
}
