//! What one instance sees of the world: its settings, its log, its own small store, and the ceiling of its memory.
use crate::plugins::contract::LogLine;
use crate::plugins::host::limits::{KEY, Limits};
use crate::plugins::host::phase::Stopped;
use crate::plugins::kv::{Kv, KvWrite};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use wasmtime::ResourceLimiter;

/// Tables of one instance of a component.
pub(super) const TABLES: u32 = 16;

/// Lines of log of one call: they are kept, and an empty one costs as much as a short one.
const LINES: usize = 256;

/// The state of a call; each phase's fresh instance holds it while it runs and hands it back.
pub(super) struct State {
    pub(super) ceiling: Ceiling,
    log: Log,
    config: Arc<BTreeMap<String, String>>,
    kv: Option<Entries>,
}

/// How much memory an instance took, and whether it wanted more.
pub(super) struct Ceiling {
    /// Bytes of all linear memories.
    memory: usize,
    table: usize,
    instances: usize,
    memories: usize,
    /// Bytes of all linear memories now.
    held: usize,
    /// The most that was held, over all phases.
    pub(super) peak: usize,
    /// How often more was wanted.
    pub(super) denied: u32,
}

struct Log {
    lines: Vec<LogLine>,
    /// Bytes that may still come.
    left: usize,
    cut: bool,
}

struct Entries {
    kept: Arc<dyn Kv>,
    /// In order; read before what is kept.
    writes: Vec<KvWrite>,
    /// Bytes granted.
    quota: u64,
    /// Bytes of one value.
    value: usize,
    /// Reads and writes that may still come.
    uses: u32,
    /// Bytes that were kept before; asked for when the first entry is written.
    before: OnceCell<u64>,
    /// Bytes that the writes add or free.
    change: i64,
    /// When the phase is over.
    until: Instant,
    /// Why what is kept could not be read.
    away: OnceCell<String>,
}

impl State {
    /// `kv` with the bytes that were granted.
    pub(super) fn new(
        limits: &Limits,
        config: Arc<BTreeMap<String, String>>,
        kv: Option<(Arc<dyn Kv>, u64)>,
    ) -> State {
        State {
            ceiling: Ceiling {
                memory: usize::try_from(limits.memory).unwrap_or(usize::MAX),
                table: limits.table as usize,
                instances: limits.instances as usize,
                memories: limits.memories as usize,
                held: 0,
                peak: 0,
                denied: 0,
            },
            log: Log { lines: Vec::new(), left: limits.log as usize, cut: false },
            config,
            kv: kv.map(|(kept, quota)| Entries {
                kept,
                before: OnceCell::new(),
                change: 0,
                until: Instant::now(),
                away: OnceCell::new(),
                writes: Vec::new(),
                quota,
                value: limits.kv_value as usize,
                uses: limits.kv_uses,
            }),
        }
    }

    /// The next phase's instance begins with nothing. It is stopped at `until`, and does not wait for its store any longer.
    pub(super) fn begin(&mut self, until: Instant) {
        self.ceiling.held = 0;
        self.ceiling.denied = 0;
        if let Some(kv) = &mut self.kv {
            kv.until = until;
        }
    }

    /// Why its store could not be read: what the instance would make of it is not asked.
    pub(super) fn store_away(&self) -> Option<&str> {
        self.kv.as_ref()?.away.get().map(String::as_str)
    }

    pub(super) fn log_is_full(&self) -> bool {
        self.log.left == 0 || self.log.lines.len() >= LINES
    }

    /// Bytes of log that may still come.
    pub(super) fn log_room(&self) -> usize {
        self.log.left
    }

    pub(super) fn cut_log(&mut self) {
        self.log.cut = true;
    }

    /// `message` fits into the room.
    pub(super) fn log(&mut self, level: &str, message: String, cut: bool) {
        self.log.left = self.log.left.saturating_sub(message.len());
        self.log.cut |= cut;
        self.log.lines.push(LogLine { level: level.to_owned(), message });
    }

    /// The log, taken out, and whether it was cut.
    pub(super) fn take_log(&mut self) -> (Vec<LogLine>, bool) {
        (std::mem::take(&mut self.log.lines), self.log.cut)
    }

    /// The text of the last panic in the log: the SDK's hook logs it as an error.
    pub(super) fn panic_text(&self) -> Option<&str> {
        let last = self.log.lines.iter().rev().find(|l| l.level == "error" && l.message.contains("panicked"));
        last.map(|l| l.message.as_str())
    }

    pub(super) fn setting(&self, name: &str) -> Option<String> {
        self.config.get(name).cloned()
    }

    /// Counts a read or a write; the error stops the instance.
    pub(super) fn kv_use(&mut self) -> wasmtime::Result<()> {
        let kv = self.kv.as_mut().ok_or_else(|| wasmtime::Error::new(Stopped("no store was granted")))?;
        let left = kv.uses.checked_sub(1);
        kv.uses = left.ok_or_else(|| wasmtime::Error::new(Stopped("it used its store too often")))?;
        Ok(())
    }

    /// The error stops the instance, here and below: the store cannot be read.
    pub(super) fn kv_get(&self, key: &str) -> wasmtime::Result<Option<Vec<u8>>> {
        self.kv.as_ref().filter(|_| key.len() <= KEY).map_or(Ok(None), |kv| kv.get(key))
    }

    /// Whether the entry is within the limits and the quota.
    pub(super) fn kv_fits(&self, key: &str, value: &[u8]) -> wasmtime::Result<bool> {
        self.kv.as_ref().map_or(Ok(false), |kv| kv.fits(key, value))
    }

    /// After `kv_fits`.
    pub(super) fn kv_set(&mut self, key: String, value: Vec<u8>, ttl: Option<u32>) -> wasmtime::Result<()> {
        if let Some(kv) = &mut self.kv {
            kv.change += kv.growth(&key, value.len())?;
            kv.writes.push(KvWrite::Set { key, value, ttl });
        }
        Ok(())
    }

    /// A key that is too long was never there.
    pub(super) fn kv_delete(&mut self, key: String) -> wasmtime::Result<()> {
        if let Some(kv) = self.kv.as_mut().filter(|_| key.len() <= KEY) {
            kv.change -= kv.size(&key)?;
            kv.writes.push(KvWrite::Delete { key });
        }
        Ok(())
    }

    /// What the call wrote, and where to.
    pub(super) fn take_writes(&mut self) -> Option<(Arc<dyn Kv>, Vec<KvWrite>)> {
        let kv = self.kv.as_mut().filter(|kv| !kv.writes.is_empty())?;
        Some((kv.kept.clone(), std::mem::take(&mut kv.writes)))
    }
}

impl Entries {
    fn get(&self, key: &str) -> wasmtime::Result<Option<Vec<u8>>> {
        match self.writes.iter().rev().find(|w| w.key() == key) {
            Some(KvWrite::Set { value, .. }) => Ok(Some(value.clone())),
            Some(KvWrite::Delete { .. }) => Ok(None),
            None => self.kept.get(key, self.until).map_err(|why| self.away(why)),
        }
    }

    fn away(&self, why: String) -> wasmtime::Error {
        // The first is the one that stops the instance.
        drop(self.away.set(why));
        wasmtime::Error::new(Stopped("its store could not be read"))
    }

    /// Bytes of the entry as it is now.
    fn size(&self, key: &str) -> wasmtime::Result<i64> {
        Ok(self.get(key)?.map_or(0, |value| bytes(key, value.len())))
    }

    /// Bytes that the entry adds.
    fn growth(&self, key: &str, value: usize) -> wasmtime::Result<i64> {
        Ok(bytes(key, value) - self.size(key)?)
    }

    fn fits(&self, key: &str, value: &[u8]) -> wasmtime::Result<bool> {
        if key.len() > KEY || value.len() > self.value {
            return Ok(false);
        }
        let before = match self.before.get() {
            Some(before) => *before,
            None => {
                let used = self.kept.used(self.until).map_err(|why| self.away(why))?;
                *self.before.get_or_init(|| used)
            }
        };
        let then = i128::from(before) + i128::from(self.change) + i128::from(self.growth(key, value.len())?);
        Ok(then <= i128::from(self.quota))
    }
}

/// Both are far below what the type holds: keys and values have limits.
fn bytes(key: &str, value: usize) -> i64 {
    i64::try_from(key.len() + value).unwrap_or(i64::MAX)
}

impl ResourceLimiter for Ceiling {
    fn memory_growing(&mut self, now: usize, then: usize, _max: Option<usize>) -> wasmtime::Result<bool> {
        let held = self.held.saturating_sub(now).saturating_add(then);
        if held > self.memory {
            self.denied += 1;
            return Ok(false);
        }
        self.held = held;
        self.peak = self.peak.max(held);
        Ok(true)
    }

    fn table_growing(&mut self, _now: usize, then: usize, _max: Option<usize>) -> wasmtime::Result<bool> {
        if then > self.table {
            self.denied += 1;
            return Ok(false);
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        TABLES as usize
    }

    fn memories(&self) -> usize {
        self.memories
    }
}
