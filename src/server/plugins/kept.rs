//! A plugin's own entries, in the records: all nodes see the same.
use crate::plugins::kv::{Kv, KvWrite};
use crate::records::plugins::entries::{self, Write};
use crate::records::{Clock as _, StoreError, SystemClock};
use crate::server::records::Records;
use sea_orm::DbErr;
use std::time::{Duration, Instant};

/// A call waits no longer for the database, even if it has more time.
const PATIENCE: Duration = Duration::from_secs(2);

/// The entries of one plugin.
pub struct KeptEntries {
    records: Records,
    plugin: String,
    /// Bytes of keys and values.
    quota: u64,
}

impl KeptEntries {
    pub fn new(records: Records, plugin: &str, quota: u64) -> KeptEntries {
        KeptEntries { records, plugin: plugin.to_owned(), quota }
    }
}

fn failed(error: DbErr) -> StoreError {
    StoreError::Failed(error.to_string())
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now()).min(PATIENCE)
}

impl Kv for KeptEntries {
    fn get(&self, key: &str, until: Instant) -> Result<Option<Vec<u8>>, String> {
        let (plugin, key, now) = (self.plugin.clone(), key.to_owned(), SystemClock.now());
        self.records.change_now(left(until), move |db| async move {
            entries::get(db.reader(), &plugin, &key, now).await.map_err(failed)
        })
    }
    fn used(&self, until: Instant) -> Result<u64, String> {
        let (plugin, now) = (self.plugin.clone(), SystemClock.now());
        self.records.change_now(left(until), move |db| async move {
            entries::used(db.reader(), &plugin, now).await.map_err(failed)
        })
    }
    fn apply(&self, writes: Vec<KvWrite>, until: Instant) -> Result<(), String> {
        let (plugin, quota, now) = (self.plugin.clone(), self.quota, SystemClock.now());
        let end = |ttl: u32| now.saturating_add(i64::from(ttl) * 1_000_000);
        let writes: Vec<Write> = writes
            .into_iter()
            .map(|write| match write {
                KvWrite::Set { key, value, ttl } => Write { key, value: Some((value, ttl.map(end))) },
                KvWrite::Delete { key } => Write { key, value: None },
            })
            .collect();
        let done = self.records.change_or_not(until, move |db, leave| async move {
            entries::apply(&db, &plugin, writes, quota, now, || leave.take()).await
        })?;
        done.map_err(|used| format!("{used} bytes are more than the {quota} that were granted"))
    }
}
