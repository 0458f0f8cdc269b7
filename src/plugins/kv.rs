//! A plugin's own small store, where it was granted: what a call reads, and what it leaves behind when it succeeds.
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a call that succeeded leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KvWrite {
    /// In place of what the key had.
    Set {
        key: String,
        value: Vec<u8>,
        /// Seconds until it is gone; without it the entry stays.
        ttl: Option<u32>,
    },
    Delete {
        key: String,
    },
}

impl KvWrite {
    /// The key that it is about.
    pub fn key(&self) -> &str {
        match self {
            KvWrite::Set { key, .. } | KvWrite::Delete { key } => key,
        }
    }
}

/// The store of one plugin. Keys are at most 256 bytes and the sizes are checked before they arrive here; two calls at
/// once may pass that check together, so whoever keeps the entries holds the quota for good.
///
/// None of it takes longer than until the moment given; errors say why it could not be done, for a person.
pub trait Kv: Send + Sync {
    /// The value, unless there is none or its time is over.
    fn get(&self, key: &str, until: Instant) -> Result<Option<Vec<u8>>, String>;
    /// Bytes of the keys and values that are kept now.
    fn used(&self, until: Instant) -> Result<u64, String>;
    /// All of them or none, in order; none if it is an error, also later.
    fn apply(&self, writes: Vec<KvWrite>, until: Instant) -> Result<(), String>;
}

/// A store that is gone with the process: for cases, benches and tests.
#[derive(Debug)]
pub struct MemoryKv {
    /// Bytes of keys and values.
    quota: u64,
    entries: Mutex<BTreeMap<String, Entry>>,
}

#[derive(Debug, Clone)]
struct Entry {
    value: Vec<u8>,
    until: Option<Instant>,
}

impl Entry {
    fn lives(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl MemoryKv {
    /// An empty store for so many bytes of keys and values.
    pub fn new(quota: u64) -> MemoryKv {
        MemoryKv { quota, entries: Mutex::new(BTreeMap::new()) }
    }

    /// What is kept now, by key.
    pub fn entries(&self) -> BTreeMap<String, Vec<u8>> {
        let now = Instant::now();
        self.held().iter().filter(|(_, e)| e.lives(now)).map(|(k, e)| (k.clone(), e.value.clone())).collect()
    }

    /// A panic elsewhere leaves the entries whole: `apply` puts the new ones in place at once.
    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bytes(entries: &BTreeMap<String, Entry>, now: Instant) -> u64 {
    entries.iter().filter(|(_, e)| e.lives(now)).map(|(k, e)| (k.len() + e.value.len()) as u64).sum()
}

impl Kv for MemoryKv {
    fn get(&self, key: &str, _: Instant) -> Result<Option<Vec<u8>>, String> {
        let now = Instant::now();
        Ok(self.held().get(key).filter(|e| e.lives(now)).map(|e| e.value.clone()))
    }

    fn used(&self, _: Instant) -> Result<u64, String> {
        Ok(bytes(&self.held(), Instant::now()))
    }

    fn apply(&self, writes: Vec<KvWrite>, _: Instant) -> Result<(), String> {
        let now = Instant::now();
        let mut held = self.held();
        let mut next = held.clone();
        next.retain(|_, e| e.lives(now));
        for write in writes {
            match write {
                KvWrite::Set { key, value, ttl } => {
                    let until = ttl.and_then(|s| now.checked_add(Duration::from_secs(u64::from(s))));
                    next.insert(key, Entry { value, until });
                }
                KvWrite::Delete { key } => {
                    next.remove(&key);
                }
            }
        }
        let used = bytes(&next, now);
        if used > self.quota {
            return Err(format!("{used} bytes are more than the {} that were granted", self.quota));
        }
        *held = next;
        Ok(())
    }
}
