//! Runs cases on the server's own host, with the server's own limits: at an upload and on a vendor's machine alike.
use super::Package;
use super::case::Case;
use super::recording::Recording;
use crate::plugins::contract::{HttpRequest, Ran};
use crate::plugins::host::{Host, HostError, Limits};
use crate::plugins::kv::{Kv, KvWrite, MemoryKv};
use crate::plugins::manifest::Manifest;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a case came to.
#[derive(Debug, Clone)]
pub struct CaseRun {
    /// `cases/basket.json`
    pub file: String,
    pub name: String,
    /// How it differs from what was expected; empty if it passed.
    pub differences: Vec<String>,
    pub ran: Ran,
    /// The requests that were made, round by round.
    pub requests: Vec<Vec<HttpRequest>>,
    /// Wall time of the call.
    pub took: Duration,
}

/// What cases are run on: a component with what it says of itself, as far as it was granted.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub host: &'a Host,
    pub component: &'a [u8],
    pub manifest: &'a Manifest,
    pub limits: &'a Limits,
}

impl Subject<'_> {
    /// Runs a call as a case has it: with what it asks for granted, the recorded responses, and a store of its own that
    /// is gone afterwards. The plugin is loaded anew, so that no earlier failure counts.
    pub fn run(&self, file: &str, case: &Case) -> Result<CaseRun, HostError> {
        let Subject { host, component, manifest, limits } = self;
        let loaded = host.load(component, manifest, &manifest.asks, &case.config, limits)?;
        let web = Recording::new(case.responses.clone());
        let kv = self.store(&case.kv);
        let begun = Instant::now();
        let ran = host.call(&loaded, case.hook, &case.call, &web, kv.map(|kv| kv as Arc<dyn Kv>));
        let took = begun.elapsed();
        let differences = case.differences(&ran, &web);
        let (file, name, requests) = (file.to_owned(), case.name.clone(), web.made());
        Ok(CaseRun { file, name, differences, ran, requests, took })
    }

    /// The plugin's store with these texts in it, where it asks for one.
    pub fn store(&self, entries: &BTreeMap<String, String>) -> Option<Arc<MemoryKv>> {
        let quota = self.manifest.asks.kv;
        let set = |(key, value): (&String, &String)| KvWrite::Set {
            key: key.clone(),
            value: value.clone().into_bytes(),
            ttl: None,
        };
        (quota > 0).then(|| {
            let kv = MemoryKv::new(quota);
            // What does not fit is not there, and the case says so by failing.
            let _ = kv.apply(entries.iter().map(set).collect(), std::time::Instant::now());
            Arc::new(kv)
        })
    }
}

/// Cases and characters of each that a list of failed cases shows.
const SHOWN: usize = 3;
const WORDS: usize = 500;

/// `1 of 3 cases failed: cases/edge.json (the edge): expected …, got …`; none if all passed. The first few are named.
pub fn failed_cases(runs: &[CaseRun]) -> Option<String> {
    let failed: Vec<&CaseRun> = runs.iter().filter(|run| !run.differences.is_empty()).collect();
    if failed.is_empty() {
        return None;
    }
    let named = failed.iter().take(SHOWN).map(|run| {
        let why: String = run.differences.join(", ").chars().take(WORDS).collect();
        format!("{} ({}): {why}", run.file, run.name)
    });
    let more = failed.len().saturating_sub(SHOWN);
    let more = (more > 0).then(|| format!("and {more} more"));
    let named: Vec<String> = named.chain(more).collect();
    let cases = if runs.len() == 1 { "case" } else { "cases" };
    Some(format!("{} of {} {cases} failed: {}", failed.len(), runs.len(), named.join("; ")))
}

impl Package {
    /// Runs all cases; an error means that the component cannot be loaded at all.
    pub fn run_cases(&self, host: &Host, limits: &Limits) -> Result<Vec<CaseRun>, HostError> {
        let subject = Subject { host, component: &self.component, manifest: &self.manifest, limits };
        self.cases.iter().map(|(file, case)| subject.run(file, case)).collect()
    }
}
