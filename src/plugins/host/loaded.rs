//! A plugin that is ready: compiled, bound to the contract, with its grants, settings and limits.
use crate::plugins::contract::{Failure, Hook, Ran};
use crate::plugins::host::breaker::{Breaker, BreakerState};
use crate::plugins::host::config;
use crate::plugins::host::crew::Lane;
use crate::plugins::host::error::HostError;
use crate::plugins::host::judge::KINDS;
use crate::plugins::host::limits::Limits;
use crate::plugins::host::metrics::Counters;
use crate::plugins::host::places::Places;
use crate::plugins::host::settings::HostSettings;
use crate::plugins::host::versions::Hooks;
use crate::plugins::manifest::{Asks, Function, Manifest};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// One plugin in one version with one set of grants, settings and limits; another set is another load.
pub struct Loaded {
    manifest: Manifest,
    digest: String,
    grants: Asks,
    limits: Limits,
    pub(super) config: Arc<BTreeMap<String, String>>,
    pub(super) hooks: Hooks,
    pub(super) places: Arc<Places>,
    pub(super) lane: Arc<Lane>,
    pub(super) breaker: Breaker,
    pub(super) counters: Arc<Counters>,
}

/// What is known of a plugin before its component is looked at.
pub(super) struct Terms {
    pub(super) hooks: Vec<Hook>,
    pub(super) config: BTreeMap<String, String>,
}

/// Checks all that needs no component.
pub(super) fn terms(
    manifest: &Manifest,
    config: &BTreeMap<String, String>,
    limits: &Limits,
    settings: &HostSettings,
) -> Result<Terms, HostError> {
    within(limits, settings)?;
    let hooks = hooks(manifest);
    if hooks.is_empty() {
        return Err(HostError::NoHooks);
    }
    for (name, function) in &manifest.functions {
        let wrong = |why: &str| Err(HostError::Hook { hook: function.hook, why: format!("`{name}` {why}") });
        match function.hook {
            Hook::Facts if !KINDS.contains(&function.answers.as_str()) => {
                return wrong("answers what the contract has no word for");
            }
            Hook::Notify => return wrong("is a function of `notify`, which has events"),
            Hook::Facts | Hook::Check | Hook::Quote => {}
        }
    }
    Ok(Terms { hooks, config: config::complete(&manifest.config, config)? })
}

/// The hooks that a manifest names, each once.
pub(super) fn hooks(manifest: &Manifest) -> Vec<Hook> {
    let named = |hook: &Hook| match hook {
        Hook::Notify => !manifest.events.is_empty(),
        hook => manifest.functions.values().any(|f| f.hook == *hook),
    };
    Hook::ALL.into_iter().filter(named).collect()
}

/// The pool has slots of one size.
fn within(limits: &Limits, settings: &HostSettings) -> Result<(), HostError> {
    match limits.bounds(settings).into_iter().find(|(_, given, most)| given > most) {
        Some((name, given, most)) => Err(HostError::Limit { name: name.to_owned(), given, most }),
        None if limits.places == 0 => {
            Err(HostError::Limit { name: "places".to_owned(), given: 0, most: 1_000 })
        }
        None => Ok(()),
    }
}

impl Loaded {
    #[allow(clippy::too_many_arguments, reason = "it is all that a loaded plugin is, and is called once")]
    pub(super) fn new(
        manifest: &Manifest,
        digest: String,
        grants: &Asks,
        limits: &Limits,
        config: BTreeMap<String, String>,
        hooks: Hooks,
        breaker: Breaker,
        counters: Arc<Counters>,
    ) -> Loaded {
        Loaded {
            manifest: manifest.clone(),
            digest,
            grants: grants.clone(),
            limits: limits.clone(),
            config: Arc::new(config),
            hooks,
            places: Places::new(limits.places),
            lane: Arc::default(),
            breaker,
            counters,
        }
    }

    /// `vendor.name`.
    pub fn id(&self) -> &str {
        &self.manifest.id
    }

    pub fn version(&self) -> &str {
        &self.manifest.version
    }

    /// SHA-256 of `plugin.wasm`, hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub fn grants(&self) -> &Asks {
        &self.grants
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Places that are not taken now.
    pub fn free_places(&self) -> u32 {
        self.places.free()
    }

    pub fn breaker(&self) -> BreakerState {
        self.breaker.state()
    }

    /// Whether a call now would be turned away because it rests.
    pub fn rests(&self) -> bool {
        self.breaker.rests(Instant::now())
    }

    /// The function of this hook, or that the event is delivered.
    pub(super) fn has(&self, hook: Hook, name: &str) -> Result<Option<&Function>, Failure> {
        let absent = || Failure::Unsupported(format!("its manifest has no `{name}` for `{}`", hook.name()));
        match hook {
            Hook::Notify if self.manifest.events.iter().any(|e| e == name) => Ok(None),
            Hook::Notify => Err(absent()),
            hook => self.manifest.functions.get(name).filter(|f| f.hook == hook).map(Some).ok_or_else(absent),
        }
    }

    /// A plugin that never asks for HTTP has nothing to plan: it is asked at once to decide, which saves an instance.
    pub(super) fn plans(&self) -> bool {
        !self.manifest.asks.http.is_empty()
    }

    /// What a call that did not run comes to.
    pub(super) fn unrun(&self, failure: Failure) -> Ran {
        Ran {
            version: self.manifest.version.clone(),
            digest: self.digest.clone(),
            ..Ran::failed(&self.manifest.id, failure)
        }
    }
}
