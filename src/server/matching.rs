//! Returns that wait for their sales: recorded when those have come.
//!
//! A sale is committed without looking at what waits for it. Directly after, and whenever a server starts, what waits and has
//! its sale is looked up and recorded through the writer; a crash between leaves it waiting.
use crate::counter::Desk;
use crate::counter::returns::MatchOffline;
use crate::records::entity::offline_return;
use crate::records::read;
use crate::rulebook::Registry;
use crate::server::chores::run;
use crate::server::problem::Problem;
use crate::server::records::Records;
use sea_orm::prelude::Uuid;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How often everything is looked at, also what could not be decided before, and what came in over another node.
const EVERY: Duration = Duration::from_secs(60);
/// How long arrivals gather: at a busy counter sales come in all the time.
const GATHER: Duration = Duration::from_millis(100);
/// Returns that are looked up at once.
const PAGE: u64 = 500;

/// Records what waits, now, upon arrivals, and every minute.
pub async fn keep_matching(records: Records, registry: Arc<Registry>, arrivals: Arc<Notify>, say: fn(&str)) {
    let mut looked: Option<Instant> = None;
    // What was tried and is still open waits for the next minute.
    let mut tried = BTreeSet::new();
    loop {
        let all = looked.is_none_or(|at| at.elapsed() >= EVERY);
        if all {
            looked = Some(Instant::now());
            tried.clear();
        }
        let states: &[&str] = if all { &["waiting", "undecided"] } else { &["waiting"] };
        for state in states {
            if let Err(problem) = record(&records, &registry, state, &mut tried, say).await {
                say(&format!("returns that wait for their sales could not be looked up: {problem}"));
            }
        }
        tokio::time::sleep(GATHER).await;
        let _ = tokio::time::timeout(EVERY, arrivals.notified()).await;
    }
}

async fn record(
    records: &Records,
    registry: &Registry,
    state: &'static str,
    tried: &mut BTreeSet<Uuid>,
    say: fn(&str),
) -> Result<(), Problem> {
    let mut after = None;
    loop {
        let come = move |db| async move { read::offline_come(&db, state, after, PAGE).await };
        let rows = records.read(come).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some((last.occurred_at, last.id));
        for row in rows {
            if !tried.insert(row.id) {
                continue;
            }
            if let Err(why) = one(records, registry, &row).await {
                say(&format!("the return {} could not be recorded: {why}", row.id));
            }
        }
    }
}

async fn one(records: &Records, registry: &Registry, row: &offline_return::Model) -> Result<(), String> {
    let desk = Desk::at(registry.current(), &row.store).map_err(|refusal| refusal.detail)?;
    // Asked again, plugins are asked under the same name.
    let desk = desk.for_operation(&row.id.to_string());
    run(records, Arc::new(MatchOffline { desk, id: row.id, sale: row.sale_id })).await
}
