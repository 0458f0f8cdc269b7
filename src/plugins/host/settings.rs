//! What the operator sets for all plugins together.
use crate::plugins::host::error::HostError;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The host's settings. What is left out of a serialised form is as in [`HostSettings::default`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HostSettings {
    /// Threads that run plugins; 0: twice the processors. At least two, so that one plugin never has all of them.
    pub threads: u32,
    /// Threads that wait for servers on behalf of plugins.
    pub fetchers: u32,
    pub allocation: Allocation,
    /// Instances at once, over all plugins; 0: the threads and eight for callers with threads of their own.
    pub instances: u32,
    /// Bytes of linear memory that a plugin's limits may name at most.
    pub memory: u64,
    /// Elements of a table that a plugin's limits may name at most.
    pub table: u32,
    /// Bytes of a component that a plugin's limits may name at most.
    pub component: u64,
    /// Bytes of a plugin's stack.
    pub stack: u32,
    /// Milliseconds between two ticks of the clock that stops endless calls.
    pub tick: u32,
    /// A private folder for compiled plugins; created with the rights 0700. None: they are compiled at every load.
    pub cache: Option<PathBuf>,
    /// The program that compiles, called as `PROGRAM plugin-compile`: the server's own binary. None: compiled in this
    /// process, without limits; for tests and benches only.
    pub compiler: Option<PathBuf>,
    pub compile: CompileLimits,
    pub breaker: BreakerSettings,
}

/// Where instances live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allocation {
    /// In slots reserved at the start: fast, and bounded. Needs about 4 GiB of address space for each memory.
    Pooling,
    /// Where there is room: for processes with little address space.
    OnDemand,
}

/// What compiling one component may take; held by the operating system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompileLimits {
    /// Seconds of processor time; of wall clock ten times as many and half a minute.
    pub seconds: u32,
    /// Bytes of address space.
    pub memory: u64,
    /// Bytes of compiled code.
    pub output: u64,
}

/// When a plugin is left alone for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerSettings {
    /// Failures in a row.
    pub consecutive: u32,
    /// Of a hundred calls in the window, more than so many failures.
    pub percent: u32,
    /// Calls that the window needs before `percent` counts.
    pub calls: u32,
    /// Seconds of the window, 60 at most.
    pub window: u32,
    /// Milliseconds of the first rest; it doubles with each probe that fails, up to a minute.
    pub rest: u32,
}

impl Default for HostSettings {
    fn default() -> HostSettings {
        HostSettings {
            threads: 0,
            fetchers: 64,
            allocation: Allocation::Pooling,
            instances: 0,
            memory: 64 << 20,
            table: 20_000,
            component: 20 << 20,
            stack: 512 << 10,
            tick: 5,
            cache: None,
            compiler: None,
            compile: CompileLimits::default(),
            breaker: BreakerSettings::default(),
        }
    }
}

impl Default for CompileLimits {
    fn default() -> CompileLimits {
        CompileLimits { seconds: 60, memory: 2 << 30, output: 128 << 20 }
    }
}

impl Default for BreakerSettings {
    fn default() -> BreakerSettings {
        BreakerSettings { consecutive: 5, percent: 20, calls: 20, window: 30, rest: 5_000 }
    }
}

impl HostSettings {
    /// Threads that run plugins.
    pub fn threads(&self) -> u32 {
        let processors = std::thread::available_parallelism().map_or(2, |n| n.get() as u32);
        match self.threads {
            0 => processors.saturating_mul(2),
            n => n,
        }
        .clamp(2, 512)
    }

    /// Instances at once.
    pub fn instances(&self) -> u32 {
        match self.instances {
            0 => self.threads() + 8,
            n => n,
        }
    }

    /// What cannot be meant is refused rather than mended.
    pub(super) fn checked(&self) -> Result<(), HostError> {
        let wrong = |what: &str| Err(HostError::Settings(what.to_owned()));
        if self.instances() < self.threads() {
            return wrong("`instances` is less than `threads`");
        }
        if self.fetchers == 0 || self.fetchers > 4096 {
            return wrong("`fetchers` is not from 1 to 4096");
        }
        if self.tick == 0 || self.tick > 1000 {
            return wrong("`tick` is not from 1 to 1000 ms");
        }
        if self.memory == 0 || self.memory > 4 << 30 {
            return wrong("`memory` is not from 1 byte to 4 GiB");
        }
        if self.stack < 64 << 10 || self.stack > 1 << 20 {
            return wrong("`stack` is not from 64 KiB to 1 MiB");
        }
        if self.breaker.window == 0 || self.breaker.window > 60 || self.breaker.consecutive == 0 {
            return wrong("the breaker's `window` is not from 1 to 60 s, or its `consecutive` is 0");
        }
        if self.compiler.is_some() && self.cache.is_none() {
            return wrong("a compiler needs a `cache` to write to");
        }
        Ok(())
    }
}
