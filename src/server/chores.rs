//! What is to be done without anybody asking: stores taken up from the rulebooks, points that begin or end on time.
use crate::counter::Desk;
use crate::counter::points::BringUp;
use crate::counter::stores::SyncStores;
use crate::records::{Job, Operation, Reply, read};
use crate::rulebook::{Registry, Rulebooks};
use crate::server::problem::Problem;
use crate::server::records::Records;
use sea_orm::prelude::Uuid;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How often points are looked at; whoever comes to a till is brought up to date there and then.
const EVERY: Duration = Duration::from_secs(3600);
/// Accounts that are looked up at once.
const PAGE: u64 = 500;

/// Runs an operation that needs no key: doing it twice is doing it once.
pub async fn run(records: &Records, operation: Arc<dyn Operation>) -> Result<(), String> {
    let job = Job { key: None, dry: false, fingerprint: String::new(), operation };
    match records.submit(job).await {
        Ok(Reply::Done(_) | Reply::Replayed(_)) => Ok(()),
        Ok(Reply::Refused(refusal)) => Err(refusal.detail),
        Ok(other) => Err(format!("{other:?}")),
        Err(full) => Err(full.to_string()),
    }
}

/// Takes up the stores of the rulebooks.
pub async fn sync_stores(records: &Records, books: &Rulebooks) -> Result<(), String> {
    run(records, Arc::new(SyncStores::of(books))).await
}

/// Brings up what is due, now and every hour.
pub async fn keep_up(records: Records, registry: Arc<Registry>, say: fn(&str)) {
    loop {
        if let Err(problem) = bring_up(&records, &registry).await {
            say(&format!("points that are due could not be brought up to date: {problem}"));
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn bring_up(records: &Records, registry: &Registry) -> Result<(), Problem> {
    // An account that stays due, such as one in a zone where the day has not come, is not looked at twice.
    let mut seen: BTreeSet<(Uuid, String)> = BTreeSet::new();
    loop {
        let books = registry.current();
        let now = chrono::Utc::now().timestamp_micros();
        let desks =
            books.books.iter().filter_map(|b| Desk::at(books.clone(), &b.stores.first()?.def.id).ok());
        let Some(day) = desks.filter_map(|d| d.date_at(now).ok()).map(|w| w.date).max() else {
            return Ok(());
        };
        let limit = PAGE + seen.len() as u64;
        let due = records.read(move |db| async move { read::due(&db, day, now, limit).await }).await?;
        let new: Vec<(Uuid, String)> = due.into_iter().filter(|d| !seen.contains(d)).collect();
        if new.is_empty() {
            return Ok(());
        }
        for (member, ledger) in new {
            let found = records.read(move |db| async move { read::member(&db, member).await }).await?;
            let home = found.and_then(|r| Desk::at(books.clone(), &r.member.enrolled_store).ok());
            if let Some(desk) = home {
                let operation = BringUp { desk, member, ledger: ledger.clone() };
                let _ = run(records, Arc::new(operation)).await;
            }
            seen.insert((member, ledger));
        }
    }
}
