//! Which versions of the contract are served: the newest and the one before it. Each has its own bindings; a component
//! is bound to the version that its manifest names, and its imports have to agree.
use crate::plugins::contract::{Call, Hook, HttpRequest, HttpResponse};
use crate::plugins::host::error::HostError;
use crate::plugins::host::imports::State;
use crate::plugins::host::step::Step;
use crate::plugins::host::v0_1::{self, Said};
use crate::plugins::manifest::Asks;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

/// The contract's package in components.
const PACKAGE: &str = "zhanggui:plugin/";

/// A served version, with what it offers to plugins.
struct Version {
    /// As manifests have it.
    api: &'static str,
    imports: &'static [&'static str],
    kv: &'static str,
    plain: Linker<State>,
    with_kv: Linker<State>,
}

/// All served versions.
pub(super) struct Versions(Vec<Version>);

impl Versions {
    pub(super) fn new(engine: &Engine) -> Result<Versions, HostError> {
        let linker = |with_kv: bool| {
            let mut linker = Linker::new(engine);
            v0_1::link(&mut linker, with_kv).map(|()| linker)
        };
        let version = || -> wasmtime::Result<Version> {
            Ok(Version {
                api: "0.1",
                imports: v0_1::IMPORTS,
                kv: v0_1::KV,
                plain: linker(false)?,
                with_kv: linker(true)?,
            })
        };
        version().map(|v| Versions(vec![v])).map_err(|e| HostError::Engine(format!("{e:#}")))
    }

    fn version(&self, api: &str) -> Result<&Version, HostError> {
        self.0.iter().find(|v| v.api == api).ok_or_else(|| self.unserved(api))
    }

    fn unserved(&self, given: &str) -> HostError {
        let served = self.0.iter().map(|v| v.api).collect::<Vec<_>>().join(" and ");
        HostError::Api { given: given.to_owned(), served }
    }

    /// Whether this host speaks the version.
    pub(super) fn serves(&self, api: &str) -> Result<(), HostError> {
        self.version(api).map(drop)
    }

    /// Binds the component to the version that the manifest names: every import granted, every hook of its type.
    pub(super) fn bind(
        &self,
        api: &str,
        component: &Component,
        grants: &Asks,
        hooks: &[Hook],
    ) -> Result<Hooks, HostError> {
        let version = self.version(api)?;
        let (mut foreign, mut ungranted) = (Vec::new(), Vec::new());
        let kind = component.component_type();
        for (name, _) in kind.imports(component.engine()) {
            if name == version.kv {
                if grants.kv == 0 {
                    ungranted.push(name.to_owned());
                }
            } else if !version.imports.contains(&name) {
                if let Some(other) = other_version(name, version) {
                    return Err(self.unserved(other));
                }
                foreign.push(name.to_owned());
            }
        }
        if !foreign.is_empty() {
            return Err(HostError::ForeignImport(foreign));
        }
        if !ungranted.is_empty() {
            return Err(HostError::NotGranted(ungranted));
        }
        let linker = if grants.kv > 0 { &version.with_kv } else { &version.plain };
        let pre = linker.instantiate_pre(component).map_err(|e| HostError::Import(format!("{e:#}")))?;
        v0_1::Hooks::new(&pre, hooks).map(Hooks::V0_1)
    }
}

/// The version of an import that is the contract's, but of another version.
fn other_version<'n>(name: &'n str, version: &Version) -> Option<&'n str> {
    let (interface, other) = name.strip_prefix(PACKAGE)?.split_once('@')?;
    let known = version.imports.iter().chain([&version.kv]).any(|ours| {
        ours.strip_prefix(PACKAGE).and_then(|n| n.split_once('@')).is_some_and(|(name, _)| name == interface)
    });
    known.then_some(other)
}

/// A component's hooks, of one version.
pub(super) enum Hooks {
    V0_1(v0_1::Hooks),
}

/// A call and its responses so far, in the words of one version.
pub(super) enum Words {
    V0_1(v0_1::Call, v0_1::Responses),
}

impl Hooks {
    pub(super) fn words(&self, call: &Call) -> Words {
        match self {
            Hooks::V0_1(_) => Words::V0_1(v0_1::Call::new(call), v0_1::Responses::default()),
        }
    }

    /// Makes an instance, and nothing more.
    pub(super) fn begin(&self, hook: Hook, store: &mut Store<State>) -> Said<()> {
        match self {
            Hooks::V0_1(hooks) => hooks.begin(hook, store),
        }
    }

    pub(super) fn plan(&self, hook: Hook, store: &mut Store<State>, words: &Words) -> Said<Vec<HttpRequest>> {
        match (self, words) {
            (Hooks::V0_1(hooks), Words::V0_1(call, _)) => hooks.plan(hook, store, call),
        }
    }

    pub(super) fn decide(&self, hook: Hook, store: &mut Store<State>, words: &Words) -> Said<Step> {
        match (self, words) {
            (Hooks::V0_1(hooks), Words::V0_1(call, responses)) => hooks.decide(hook, store, call, responses),
        }
    }
}

impl Words {
    pub(super) fn add(&mut self, new: &[HttpResponse]) {
        match self {
            Words::V0_1(_, responses) => responses.add(new),
        }
    }
}
