//! What plugins had no answer for, kept where an operator finds it: most of it stands in no decision's record, since
//! nothing was decided.
//!
//! Invariants: whoever decides adds to a sum in memory and goes on; what is written down is written beside the requests. A
//! plugin that fails a thousand times a second costs a row a minute for each way in which it fails, and what there is no
//! room for is counted.
use super::{Plugins, operator, shown};
use crate::plugins::ask::{KeepsFailures, Unanswered};
use crate::records::entity::plugin_failure;
use crate::records::plugins::failures;
use crate::records::{Clock as _, SystemClock};
use crate::server::answer;
use crate::server::openapi::ProblemBody;
use crate::server::problem::Problem;
use crate::server::query::{after, limit, page, path, query};
use crate::server::state::State;
use actix_web::{HttpRequest, HttpResponse, web};
use sea_orm::prelude::Uuid;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use utoipa::IntoParams;

/// How often sums are written down, and how often what is too old is dropped.
const EVERY: Duration = Duration::from_secs(2);
const SWEPT: Duration = Duration::from_secs(3600);
/// How long the server waits at its end for what is not written down yet.
const PATIENCE: Duration = Duration::from_secs(2);
/// Sums that may wait to be written down.
const WAITING: usize = 1_000;
/// Characters of a failure's text.
const TEXT: usize = 500;

/// Failures that are not written down yet.
#[derive(Debug, Default)]
pub struct Failures {
    waiting: Mutex<BTreeMap<Uuid, plugin_failure::Model>>,
    skipped: AtomicU64,
}

impl Failures {
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Uuid, plugin_failure::Model>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls of which nothing is kept, since the server started: too many ways of failing waited.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    fn add(&self, row: plugin_failure::Model) {
        let mut waiting = self.waiting();
        let room = waiting.len() < WAITING;
        match waiting.entry(row.id) {
            Entry::Occupied(mut there) => {
                let sum = there.get_mut();
                let (calls, first_at) = (sum.calls.saturating_add(row.calls), sum.first_at.min(row.first_at));
                *sum = plugin_failure::Model { calls, first_at, ..row };
            }
            Entry::Vacant(free) if room => drop(free.insert(row)),
            Entry::Vacant(_) => {
                self.skipped.fetch_add(u64::try_from(row.calls).unwrap_or(0), Ordering::Relaxed);
            }
        }
    }

    fn take(&self) -> Vec<plugin_failure::Model> {
        std::mem::take(&mut *self.waiting()).into_values().collect()
    }
}

impl KeepsFailures for Failures {
    fn keep(&self, failure: Unanswered) {
        self.add(row(failure, SystemClock.now()));
    }
}

fn row(failure: Unanswered, at: i64) -> plugin_failure::Model {
    let Unanswered { plugin, version, digest, function, store, key, operation, code, text } = failure;
    let some = |text: String| (!text.is_empty()).then_some(text);
    plugin_failure::Model {
        id: failures::id(at, [&plugin, &version, &digest, &function, &store, &code]),
        plugin,
        version: some(version),
        digest: some(digest),
        function,
        store,
        code,
        // PostgreSQL has no text with it.
        text: text.chars().filter(|c| *c != '\0').take(TEXT).collect(),
        calls: 1,
        key,
        operation: some(operation),
        first_at: at,
        last_at: at,
    }
}

impl Plugins {
    /// Writes down what waits; what the database does not take waits on.
    async fn write_failures(&self) -> Result<(), Problem> {
        let rows = self.failures.take();
        if rows.is_empty() {
            return Ok(());
        }
        let written = rows.clone();
        let done = self.records.change(move |db| async move { failures::keep(&db, written).await }).await;
        if done.is_err() {
            rows.into_iter().for_each(|row| self.failures.add(row));
        }
        done
    }

    /// Writes down what waits, at the end of the server.
    pub async fn last_failures(&self) {
        // Whoever stops the server does not wait for a database that is away.
        let _ = tokio::time::timeout(PATIENCE, self.write_failures()).await;
    }
}

/// Writes failures down and drops those that are older than so many days, for as long as the server runs.
pub async fn keep_writing(plugins: Arc<Plugins>, days: u32, say: fn(&str)) {
    let mut swept: Option<Instant> = None;
    let mut away = false;
    loop {
        if swept.is_none_or(|at| at.elapsed() >= SWEPT) {
            swept = Some(Instant::now());
            let before = SystemClock.now().saturating_sub(i64::from(days) * 86_400_000_000);
            let done = plugins.records.change(move |db| async move { failures::sweep(&db, before).await });
            if let Err(problem) = done.await {
                say(&format!("plugins: old failures could not be dropped: {problem}"));
            }
        }
        tokio::time::sleep(EVERY).await;
        let done = plugins.write_failures().await;
        if let Err(problem) = done.as_ref()
            && !away
        {
            say(&format!("plugins: failures could not be written down: {problem}"));
        }
        away = done.is_err();
    }
}

/// Which failures.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FailuresQuery {
    /// The `next` of the page before.
    #[param(required = false)]
    cursor: Option<String>,
    /// At most so many items; 1 to 200.
    #[param(required = false, minimum = 1, maximum = 200)]
    limit: Option<u64>,
}

/// Calls of a plugin for decisions that had no usable answer, the newest minute first; also of one that was never installed
#[utoipa::path(get, path = "/v1/plugins/{id}/failures", tag = "plugins",
    params(("id" = String, Path, description = "vendor.name"), FailuresQuery),
    responses((status = 200, description = "A page; an item is the calls of one minute that failed alike at one store", body = Value),
        (status = "default", response = ProblemBody)))]
pub async fn list(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, Problem> {
    operator::check(&request, &state.settings)?;
    let plugin: String = path(&request)?;
    let asked: FailuresQuery = query(&request)?;
    let most = limit(asked.limit)?;
    let from: Option<Uuid> = after(asked.cursor.as_deref(), "cursor")?;
    let rows =
        state.records.read(move |db| async move { failures::list(&db, &plugin, from, most + 1).await });
    Ok(answer::plain(&page(rows.await?, most, |row| row.id, shown::failure)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(store: &str, text: &str) -> Unanswered {
        Unanswered {
            plugin: "acme.a".into(),
            version: "1.0.0".into(),
            digest: "d".into(),
            function: "score".into(),
            store: store.into(),
            key: "k".into(),
            operation: String::new(),
            code: "trapped".into(),
            text: text.into(),
        }
    }

    #[test]
    fn what_fails_alike_in_a_minute_is_one_row() {
        let failures = Failures::default();
        for at in [61_000_000, 119_999_999, 60_000_000, 120_000_000] {
            failures.add(row(failing("s1", &at.to_string()), at));
        }
        failures.add(row(failing("s2", "x"), 61_000_000));
        let rows = failures.take();
        let rows: Vec<_> =
            rows.iter().map(|r| (r.store.as_str(), r.calls, r.first_at, r.text.as_str())).collect();
        assert_eq!(rows.len(), 3, "{rows:?}");
        assert!(rows.contains(&("s1", 3, 60_000_000, "60000000")), "{rows:?}");
        assert!(rows.contains(&("s1", 1, 120_000_000, "120000000")), "{rows:?}");
        assert!(failures.take().is_empty());
    }

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let failures = Failures::default();
        for n in 0..WAITING + 3 {
            failures.add(row(failing(&format!("s{n}"), "x"), 0));
        }
        failures.add(row(failing("s0", "x"), 0));
        assert_eq!((failures.skipped(), failures.take().len()), (3, WAITING));
    }

    #[test]
    fn a_text_is_cut_and_fit_to_be_kept() {
        let long = format!("a\0b{}", "掌".repeat(TEXT));
        let kept = row(failing("s1", &long), 0);
        assert!(kept.text.starts_with("ab掌") && kept.text.chars().count() == TEXT);
        assert_eq!((kept.operation, kept.version.as_deref()), (None, Some("1.0.0")));
    }
}
