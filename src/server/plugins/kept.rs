//! A plugin's own entries, in the records: all nodes see the same.
use crate::plugins::kv::{Kv, KvWrite};
use crate::records::plugins::entries::{self, Write};
use crate::records::{Clock as _, StoreError, SystemClock};
use crate::server::records::Records;
use sea_orm::DbErr;
use std::time::Duration;

/// A call waits no longer for the database.
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

impl Kv for KeptEntries {
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        let (plugin, key, now) = (self.plugin.clone(), key.to_owned(), SystemClock.now());
        let read = self.records.change_now(PATIENCE, move |db| async move {
            entries::get(db.reader(), &plugin, &key, now).await.map_err(failed)
        });
        read.ok().flatten()
    }
    fn used(&self) -> u64 {
        let (plugin, now) = (self.plugin.clone(), SystemClock.now());
        let used = self.records.change_now(PATIENCE, move |db| async move {
            entries::used(db.reader(), &plugin, now).await.map_err(failed)
        });
        // Nothing is kept while nobody knows how much there is.
        used.unwrap_or(u64::MAX)
    }
    fn apply(&self, writes: Vec<KvWrite>) -> Result<(), String> {
        let (plugin, quota, now) = (self.plugin.clone(), self.quota, SystemClock.now());
        let end = |ttl: u32| now.saturating_add(i64::from(ttl) * 1_000_000);
        let writes: Vec<Write> = writes
            .into_iter()
            .map(|write| match write {
                KvWrite::Set { key, value, ttl } => Write { key, value: Some((value, ttl.map(end))) },
                KvWrite::Delete { key } => Write { key, value: None },
            })
            .collect();
        let done = self.records.change_now(PATIENCE, move |db| async move {
            entries::apply(&db, &plugin, writes, quota, now).await
        })?;
        done.map_err(|used| format!("{used} bytes are more than the {quota} that were granted"))
    }
}
