//! The host: runs vendors' components within limits, and says by name what went wrong.
//!
//! Every phase of a call has a fresh instance, fuel, and a deadline on the wall clock; nothing of a plugin is alive
//! between two phases. A plugin has a few places, so that it can keep only its own callers waiting; its phases run on
//! bounded threads of which it never has all, and its requests are made on others.
mod breaker;
mod cache;
mod clock;
mod compile;
mod config;
mod course;
mod crew;
mod engine;
mod error;
mod imports;
mod judge;
pub mod limits;
mod loaded;
mod metrics;
mod phase;
mod places;
mod settings;
mod step;
mod trusted;
mod v0_1;
mod versions;

pub use breaker::BreakerState;
pub use clock::thread_time;
pub use compile::{Compiled, compile_child};
pub use error::HostError;
pub use limits::Limits;
pub use loaded::Loaded;
pub use metrics::{Counted, Figures, STEPS};
pub use settings::{Allocation, BreakerSettings, CompileLimits, HostSettings};

use crate::plugins::contract::{Call, Failure, Hook, Ran};
use crate::plugins::kv::Kv;
use crate::plugins::manifest::{Asks, Manifest};
use crate::plugins::web::Web;
use breaker::Breaker;
use cache::Cache;
use course::{Course, Next, Ticket};
use crew::{Crew, Job, Kind, Lane};
use imports::State;
use loaded::Terms;
use metrics::Counters;
use phase::Allowance;
use places::{Place, Watch};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use versions::{Hooks, Versions};
use wasmtime::Engine;

/// All plugins' engine, clock and threads; one in a process.
pub struct Host {
    settings: HostSettings,
    engine: Engine,
    versions: Versions,
    cache: Option<Cache>,
    workers: Crew,
    slow_workers: Crew,
    fetchers: Crew,
    watch: Watch,
    /// Instances that may still begin.
    slots: (Mutex<u32>, Condvar),
    known: Mutex<BTreeMap<(String, String), Known>>,
}

/// The counters of a plugin and version outlive its loads.
struct Known {
    counters: Arc<Counters>,
    latest: Weak<Loaded>,
}

impl Host {
    /// Starts the engine, its clock and the threads. Takes about two ticks of the clock, which is waited for.
    pub fn start(settings: HostSettings) -> Result<Arc<Host>, HostError> {
        settings.checked()?;
        let engine = engine::engine(&settings)?;
        engine::start_clock(&engine, Duration::from_millis(u64::from(settings.tick)))?;
        let thread = |e: std::io::Error| HostError::Thread(e.to_string());
        let cache = match &settings.cache {
            Some(folder) => Some(Cache::open(folder, engine::fingerprint(&engine))?),
            None => None,
        };
        Ok(Arc::new(Host {
            versions: Versions::new(&engine)?,
            cache,
            workers: Crew::start("plugin", settings.threads(), Kind::Quick).map_err(thread)?,
            slow_workers: Crew::start("plugin-slow", settings.threads().div_ceil(4), Kind::Slow)
                .map_err(thread)?,
            fetchers: Crew::start("plugin-web", settings.fetchers, Kind::Waiting).map_err(thread)?,
            watch: Watch::start().map_err(thread)?,
            slots: (Mutex::new(settings.instances()), Condvar::new()),
            known: Mutex::default(),
            engine,
            settings,
        }))
    }

    pub fn settings(&self) -> &HostSettings {
        &self.settings
    }

    /// Compiles a component ahead of its loading, into the cache where there is one. Blocks; may take seconds.
    pub fn compile(&self, wasm: &[u8]) -> Result<Compiled, HostError> {
        compile::compile(&self.settings, &self.engine, self.cache.as_ref(), wasm)
    }

    /// Removes compiled code that has not been used for so long, but for that of these components, by their digests. How
    /// many files. Blocks.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn sweep(&self, keep: &BTreeSet<String>, unused: Duration) -> Result<u32, HostError> {
        self.cache.as_ref().map_or(Ok(0), |cache| cache.sweep(keep, unused))
    }

    /// Makes a plugin ready for calls: its settings and limits make sense, every import is granted, and every hook that
    /// the manifest names has the contract's types. Compiles where that was not done before; may block for seconds.
    pub fn load(
        &self,
        wasm: &[u8],
        manifest: &Manifest,
        grants: &Asks,
        config: &BTreeMap<String, String>,
        limits: &Limits,
    ) -> Result<Arc<Loaded>, HostError> {
        let terms = loaded::terms(manifest, config, limits, &self.settings)?;
        self.versions.serves(&manifest.api)?;
        if wasm.len() as u64 > limits.component {
            return Err(HostError::TooLarge { size: wasm.len() as u64, limit: limits.component });
        }
        let (digest, component) =
            compile::component(&self.settings, &self.engine, self.cache.as_ref(), wasm)?;
        let hooks = self.versions.bind(&manifest.api, &component, grants, &terms.hooks)?;
        self.try_out(&hooks, &terms, limits)?;
        let breaker = Breaker::new(self.settings.breaker.clone());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known
            .entry((manifest.id.clone(), manifest.version.clone()))
            .or_insert_with(|| Known { counters: Arc::default(), latest: Weak::new() });
        let loaded = Arc::new(Loaded::new(
            manifest,
            digest,
            grants,
            limits,
            terms.config,
            hooks,
            breaker,
            known.counters.clone(),
        ));
        known.latest = Arc::downgrade(&loaded);
        Ok(loaded)
    }

    /// Makes one instance for each hook: only then are the exports' types compared, and what cannot even begin is told
    /// to whoever installs it.
    fn try_out(&self, hooks: &Hooks, terms: &Terms, limits: &Limits) -> Result<(), HostError> {
        // Somebody is installing; nobody waits at a till.
        let time = u64::from(limits.deadline).saturating_mul(20);
        let allowance = Allowance {
            fuel: limits.fuel,
            ticks: time.div_ceil(self.tick()) + 1,
            until: Instant::now() + Duration::from_millis(time),
            output: limits.plan,
        };
        for hook in &terms.hooks {
            let _slot = self.slot(Duration::from_secs(10)).ok_or(HostError::Begin(Failure::Busy))?;
            let state = State::new(limits, Arc::new(terms.config.clone()), None);
            let ran = phase::run(&self.engine, state, limits, allowance, |store| hooks.begin(*hook, store));
            ran.outcome.map_err(|failure| match failure {
                Failure::WrongAnswer(why) => HostError::Hook { hook: *hook, why },
                failure => HostError::Begin(failure),
            })?;
        }
        Ok(())
    }

    /// Asks a plugin, on this thread; waits for a place as long as the plugin's limits say. `kv` is used where a store
    /// was granted.
    pub fn call(
        &self,
        plugin: &Arc<Loaded>,
        hook: Hook,
        call: &Call,
        web: &dyn Web,
        kv: Option<Arc<dyn Kv>>,
    ) -> Ran {
        let mut ticket = match Ticket::open(plugin, hook, &call.function, None) {
            Ok(ticket) => ticket,
            Err(ran) => return *ran,
        };
        let Some(place) = self.place(plugin, ticket.until()) else { return ticket.busy() };
        ticket.seat(place);
        let mut course = Course::new(ticket, call, kv);
        loop {
            match course.step(self) {
                Next::Done(ran) => return *ran,
                Next::Fetch(next, requests) => {
                    course = next;
                    course.fetch(&requests, web);
                }
            }
        }
    }

    /// Asks a plugin, on the host's threads. The receiver always gets an answer as long as it listens; when it is
    /// dropped, what has not begun is not begun.
    pub fn spawn(
        self: &Arc<Host>,
        plugin: &Arc<Loaded>,
        hook: Hook,
        call: Call,
        web: Arc<dyn Web>,
        kv: Option<Arc<dyn Kv>>,
    ) -> oneshot::Receiver<Ran> {
        self.spawn_until(plugin, hook, call, web, kv, None)
    }

    /// As [`Host::spawn`]; what has no answer at that moment fails with [`Failure::OutOfTime`], whatever the plugin's
    /// limits allow.
    pub fn spawn_until(
        self: &Arc<Host>,
        plugin: &Arc<Loaded>,
        hook: Hook,
        call: Call,
        web: Arc<dyn Web>,
        kv: Option<Arc<dyn Kv>>,
        until: Option<Instant>,
    ) -> oneshot::Receiver<Ran> {
        let (answer, answered) = oneshot::channel();
        let mut ticket = match Ticket::open(plugin, hook, &call.function, until) {
            Ok(ticket) => ticket,
            Err(ran) => {
                // Nobody may listen any more, here and below.
                drop(answer.send(*ran));
                return answered;
            }
        };
        let (host, lane, until) = (self.clone(), plugin.lane.clone(), ticket.until());
        let wake = move |place: Option<Place>| match place {
            Some(place) => {
                ticket.seat(place);
                let on = host.clone();
                on.work(
                    lane,
                    Box::new(move || {
                        if !answer.is_closed() {
                            host.go_on(Course::new(ticket, &call, kv), web, answer);
                        }
                    }),
                );
            }
            None => drop(answer.send(ticket.busy())),
        };
        if plugin.places.ask(until, Box::new(wake)) {
            self.watch.add(until, &plugin.places);
        }
        answered
    }

    /// The next phases of a call, on one of the workers; its requests wait elsewhere.
    fn go_on(self: Arc<Host>, course: Box<Course>, web: Arc<dyn Web>, answer: oneshot::Sender<Ran>) {
        match course.step(&self) {
            Next::Done(ran) => drop(answer.send(*ran)),
            Next::Fetch(mut course, requests) => {
                let (host, lane) = (self.clone(), course.lane());
                self.fetchers.push(
                    lane.clone(),
                    Box::new(move || {
                        course.fetch(&requests, &*web);
                        let on = host.clone();
                        on.work(lane, Box::new(move || host.go_on(course, web, answer)));
                    }),
                );
            }
        }
    }

    fn work(&self, lane: Arc<Lane>, job: Job) {
        let crew = if lane.slow() { &self.slow_workers } else { &self.workers };
        crew.push(lane, job);
    }

    /// What was counted for every plugin, version and hook that was called since the start.
    pub fn figures(&self) -> Vec<Figures> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = Vec::new();
        for ((plugin, version), known) in known.iter() {
            let breaker = known.latest.upgrade().map_or(BreakerState::Closed, |l| l.breaker());
            for (hook, counted) in known.counters.sums() {
                all.push(Figures {
                    plugin: plugin.clone(),
                    version: version.clone(),
                    hook,
                    breaker,
                    counted,
                });
            }
        }
        all
    }

    fn place(&self, plugin: &Arc<Loaded>, until: Instant) -> Option<Place> {
        let (found, place) = mpsc::sync_channel(1);
        // A place that comes after nobody waits any more goes back by itself.
        let wake = Box::new(move |place: Option<Place>| drop(found.try_send(place)));
        if plugin.places.ask(until, wake) {
            self.watch.add(until, &plugin.places);
        }
        place.recv().ok().flatten()
    }

    fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Milliseconds.
    fn tick(&self) -> u64 {
        u64::from(self.settings.tick)
    }

    /// The right to have an instance, unless all are taken for so long.
    fn slot(&self, wait: Duration) -> Option<Slot<'_>> {
        let (free, freed) = &self.slots;
        let held = free.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = freed.wait_timeout_while(held, wait, |free| *free == 0);
        let (mut held, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *held = held.checked_sub(1)?;
        Some(Slot(self))
    }

    /// Instances that may still begin.
    pub fn free_slots(&self) -> u32 {
        *self.slots.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to have an instance.
struct Slot<'h>(&'h Host);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let (free, freed) = &self.0.slots;
        *free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        freed.notify_one();
    }
}
