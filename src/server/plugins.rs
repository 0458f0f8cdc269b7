//! Plugins on this node: what the records say is installed, made ready and kept up with; who administers it, and how
//! events are delivered.
//!
//! Invariants: the records are the truth, and a node is at most a second behind them; what an operator does here is in
//! force here before it is answered. Nothing compiles or runs on the server's workers.
pub mod birthdays;
pub mod deliver;
pub mod deliveries;
pub mod failures;
mod fitting;
mod kept;
mod operator;
pub mod routes;
mod rules;
mod secrets;
mod shown;
pub mod sweep;
mod sync;
mod trust;
pub mod upload;
pub mod vendors;

pub use operator::SHORTEST;
pub use routes::*;
pub use upload::upload;
pub use vendors::{get_keys, put_keys};

use crate::plugins::ask::{Answered, Answers, Asked};
use crate::plugins::broker::{Broker, BrokerSettings};
use crate::plugins::contract::Failure;
use crate::plugins::host::{Host, HostError, HostSettings, Limits, Loaded};
use crate::plugins::installed::{Difference, Installed, OnHost, Version};
use crate::plugins::kv::Kv;
use crate::plugins::manifest::{Asks, Manifest};
use crate::plugins::package::Package;
use crate::plugins::web::Web;
use crate::records::entity::plugin_difference;
use crate::records::plugins as kept_plugins;
use crate::records::{Clock as _, SystemClock};
use crate::rulebook::Rulebooks;
use crate::server::records::Records;
use crate::server::settings::Settings;
use failures::Failures;
use kept::KeptEntries;
use sea_orm::prelude::Uuid;
use secrets::SecretStore;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A version that is ready on this node.
type Ready = Arc<Version<Loaded>>;

/// Held by whoever makes a version ready.
type Alone = Arc<tokio::sync::Mutex<()>>;

/// The plugins of this node.
pub struct Plugins {
    pub host: Arc<Host>,
    pub installed: Installed<OnHost>,
    broker: Broker,
    secrets: Arc<SecretStore>,
    pub failures: Arc<Failures>,
    records: Records,
    node: Mutex<Node>,
    /// A version is made ready once, however many wait for it; others do not wait.
    making: Mutex<BTreeMap<(String, String), Alone>>,
    /// One at a time: compiling takes a processor.
    uploading: tokio::sync::Mutex<()>,
}

/// What this node has taken up.
#[derive(Default)]
struct Node {
    /// Acts by plugin.
    acts: BTreeMap<String, i64>,
    /// By plugin and version, with the terms that it was made ready on.
    ready: BTreeMap<(String, String), (String, Ready)>,
    /// Why a version could not be made ready here, by plugin.
    faults: BTreeMap<String, String>,
    /// Grants by plugin.
    grants: BTreeMap<String, String>,
    /// Since when a plugin gets events, epoch microseconds.
    since: BTreeMap<String, i64>,
    /// What is made ready again, by plugin: when, and how long after the last attempt that is.
    again: BTreeMap<String, (Instant, Duration)>,
    /// Which plugins are being taken up in the background, and after how many acts.
    busy: BTreeSet<(String, i64)>,
}

impl Answers for Plugins {
    fn answers(&self, asked: Vec<Asked>) -> Answered<'_> {
        self.installed.answers(asked)
    }
    fn answers_until(&self, asked: Vec<Asked>, until: Instant) -> Answered<'_> {
        self.installed.answers_until(asked, until)
    }
}

impl Plugins {
    /// Starts the host; nothing is installed yet.
    ///
    /// # Errors
    /// What is wrong with the settings, or why the host does not start.
    pub fn open(settings: &Settings, records: &Records) -> Result<Plugins, String> {
        let key = settings.operator_key.0.len();
        if key > 0 && key < SHORTEST {
            return Err(format!("operator_key: at least {SHORTEST} characters"));
        }
        let secrets = SecretStore::open(settings).map_err(|why| format!("secrets: {why}"))?;
        let compiler = std::env::current_exe().map_err(|error| error.to_string())?;
        let host = Host::start(HostSettings {
            threads: settings.plugin_threads,
            allocation: settings.plugin_allocation,
            cache: Some(settings.plugins.clone()),
            compiler: Some(compiler),
            ..HostSettings::default()
        });
        let host = host.map_err(|error| error.to_string())?;
        let broker =
            Broker::new(BrokerSettings { roots: settings.plugin_roots.clone(), ..Default::default() });
        let broker = broker.map_err(|error| error.to_string())?;
        let keeping = records.clone();
        let keeps = Box::new(move |difference| keep_difference(&keeping, difference));
        let installed = Installed::start(Arc::new(OnHost(host.clone())), keeps).map_err(|e| e.to_string())?;
        Ok(Plugins {
            host,
            installed,
            broker,
            secrets: Arc::new(secrets),
            failures: Arc::default(),
            records: records.clone(),
            node: Mutex::default(),
            making: Mutex::default(),
            uploading: tokio::sync::Mutex::default(),
        })
    }

    fn node(&self) -> MutexGuard<'_, Node> {
        self.node.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a call of a loaded plugin works with.
    fn version(&self, loaded: Arc<Loaded>) -> Version<Loaded> {
        let (id, grants) = (loaded.id().to_owned(), loaded.grants().clone());
        let web = self.broker.with(&id, Arc::new(grants.http), self.secrets.clone());
        let web = web.version(loaded.version()).body(loaded.limits().body as usize);
        let web: Arc<dyn Web> = Arc::new(web);
        let entries = || Arc::new(KeptEntries::new(self.records.clone(), &id, grants.kv)) as Arc<dyn Kv>;
        Version {
            manifest: Arc::new(loaded.manifest().clone()),
            digest: loaded.digest().to_owned(),
            kv: (grants.kv > 0).then(entries),
            web,
            loaded,
        }
    }

    /// Whether the plugins that answer keep what these policies declare of them.
    ///
    /// # Errors
    /// What does not fit, a line for each fact.
    pub fn keep(&self, books: &Rulebooks) -> Result<(), String> {
        fitting::all_fit(books, &self.installed.manifests())
    }

    /// What could not be made ready here, by plugin.
    fn fault(&self, plugin: &str) -> Option<String> {
        self.node().faults.get(plugin).cloned()
    }
}

/// What a version is made ready from.
struct Loading {
    host: Arc<Host>,
    /// The package's, as it was when it was uploaded.
    digest: String,
    bytes: Vec<u8>,
    grants: Asks,
    config: BTreeMap<String, String>,
    limits: Limits,
}

impl Loading {
    /// Blocks; may take seconds where the version was not compiled on this node.
    fn load(self) -> Result<Arc<Loaded>, Failure> {
        let package = Package::read(&self.bytes).map_err(|error| Failure::Unavailable(error.to_string()))?;
        if package.digest != self.digest {
            let why = format!("the package has the digest {}, not {}", package.digest, self.digest);
            return Err(Failure::Unavailable(why));
        }
        let config = known_settings(&package.manifest, &self.config);
        let loaded =
            self.host.load(&package.component, &package.manifest, &self.grants, &config, &self.limits);
        loaded.map_err(|error| match error {
            HostError::NotGranted(imports) => Failure::NotGranted(imports.join(", ")),
            other => {
                Failure::Unavailable(format!("{} cannot be made ready: {other}", package.manifest.version))
            }
        })
    }
}

/// The settings that a version knows: another version may have others.
fn known_settings(manifest: &Manifest, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let known = given.iter().filter(|(name, _)| manifest.config.contains_key(*name));
    known.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// JSON that this program wrote itself.
fn read<T: DeserializeOwned + Default>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_default()
}

/// Keeps what a version in shadow would have said; on the shadows' thread, which waits for it.
fn keep_difference(records: &Records, difference: Difference) {
    let Difference { call, said, would_say, .. } = difference;
    let shown = |ran| serde_json::to_string(ran).unwrap_or_default();
    let mut id = [0; 16];
    if getrandom::fill(&mut id).is_err() {
        return;
    }
    let row = plugin_difference::Model {
        id: Uuid::from_bytes(id),
        plugin: said.plugin.clone(),
        active: said.version.clone(),
        shadow: would_say.version.clone(),
        store: call.store,
        function: call.function,
        key: call.key,
        said: shown(&said.outcome),
        would_say: shown(&would_say.outcome),
        at: SystemClock.now(),
    };
    // It is counted; that the record of it is lost when the database is away is no reason to keep others waiting.
    let _ = records.change_now(Duration::from_secs(2), move |db| async move {
        kept_plugins::differences::keep(&db, row).await
    });
}
