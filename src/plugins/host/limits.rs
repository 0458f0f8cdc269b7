//! How much a plugin may use. The operator sets them, the vendor only wishes.
use crate::plugins::host::settings::HostSettings;
use crate::plugins::manifest::Wishes;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The limits of one plugin. What is left out of a serialised form is as in [`Limits::default`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of `plugin.wasm`.
    pub component: u64,
    /// Milliseconds of wall clock of one phase (`plan` or `decide`); kept to within a tick of the host's clock.
    pub deadline: u32,
    /// Milliseconds of wall clock for all requests of a call together.
    pub http: u32,
    /// Units of fuel of one phase, about one per instruction.
    pub fuel: u64,
    /// Units of fuel that each row of input adds: rows of the tables, and each KiB of responses begun.
    pub fuel_per_row: u64,
    /// Bytes of linear memory of one instance.
    pub memory: u64,
    /// Elements of each table.
    pub table: u32,
    /// Core instances that one instance of the component may be made of.
    pub instances: u32,
    /// Linear memories of one instance of the component.
    pub memories: u32,
    /// Bytes of an answer.
    pub output: u32,
    /// Bytes of the requests of one plan, with their bodies.
    pub plan: u32,
    /// Requests of one plan.
    pub requests: u32,
    /// Rounds of requests of one call; the contract has three at most.
    pub rounds: u32,
    /// Bytes of one request's or answer's body.
    pub body: u32,
    /// Bytes of log of one call; what is longer is cut.
    pub log: u32,
    /// Bytes of one value of the plugin's store.
    pub kv_value: u32,
    /// Reads and writes of the plugin's store in one call, together.
    pub kv_uses: u32,
    /// Calls at once.
    pub places: u32,
    /// Milliseconds that a call waits for a place before it is turned away.
    pub wait: u32,
}

/// Bytes of a key of the plugin's store.
pub const KEY: usize = 256;
/// Milliseconds that a phase may be given at most.
pub const DEADLINE: u32 = 60_000;
/// Rounds that the contract allows.
pub const ROUNDS: u32 = 3;

impl Limits {
    /// The default limits with what a vendor wishes for beyond them, as far as the host has it: to try a plugin out with
    /// where no operator has said anything yet.
    pub fn wished(wishes: &Wishes, settings: &HostSettings) -> Limits {
        let default = Limits::default();
        let memory = wishes.memory.map_or(0, |mib| u64::from(mib) << 20).min(settings.memory);
        Limits {
            memory: default.memory.max(memory),
            deadline: default.deadline.max(wishes.deadline.unwrap_or(0).min(DEADLINE)),
            fuel: default.fuel.max(wishes.fuel.unwrap_or(0)),
            ..default
        }
    }

    /// Name, value and maximum of each limit that has a maximum on a host with these settings.
    pub fn bounds(&self, settings: &HostSettings) -> [(&'static str, u64, u64); 17] {
        let most = Limits::default();
        [
            ("component", self.component, settings.component),
            ("memory", self.memory, settings.memory),
            ("table", u64::from(self.table), u64::from(settings.table)),
            ("instances", u64::from(self.instances), u64::from(most.instances)),
            ("memories", u64::from(self.memories), u64::from(most.memories)),
            ("requests", u64::from(self.requests), u64::from(most.requests)),
            ("rounds", u64::from(self.rounds), u64::from(ROUNDS)),
            ("deadline", u64::from(self.deadline), u64::from(DEADLINE)),
            ("http", u64::from(self.http), 600_000),
            ("output", u64::from(self.output), 16 << 20),
            ("plan", u64::from(self.plan), 16 << 20),
            ("body", u64::from(self.body), 4 << 20),
            ("log", u64::from(self.log), 1 << 20),
            ("kv_value", u64::from(self.kv_value), 1 << 20),
            ("kv_uses", u64::from(self.kv_uses), 100_000),
            ("places", u64::from(self.places), 1_000),
            ("wait", u64::from(self.wait), 60_000),
        ]
    }

    /// The longest that these let a call take once it is asked for: waiting for a place, all requests, every phase.
    pub fn longest(&self) -> Duration {
        // Before each round of requests, after the last one, and the decision.
        let phases = u64::from(self.rounds) + 2;
        let millis = u64::from(self.wait) + u64::from(self.http) + u64::from(self.deadline) * phases;
        Duration::from_millis(millis)
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            component: 4 << 20,
            deadline: 50,
            http: 800,
            fuel: 20_000_000,
            fuel_per_row: 100_000,
            memory: 32 << 20,
            table: 20_000,
            instances: 40,
            memories: 4,
            output: 64 << 10,
            plan: 256 << 10,
            requests: 16,
            rounds: ROUNDS,
            body: 256 << 10,
            log: 4 << 10,
            kv_value: 64 << 10,
            kv_uses: 128,
            places: 8,
            wait: 100,
        }
    }
}
