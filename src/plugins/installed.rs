//! What is active where: which version of which plugin a store asks.
//!
//! Invariants: one atomic load per question; a call holds what it runs on, so that replacing or removing a plugin never
//! fails one in flight. The version before the last stays loaded, and going back to it is a change of one pointer. A
//! version in shadow is asked after the one that serves, and never in its place.
mod on_host;
mod shadow;
mod stage;
#[cfg(test)]
mod tests;
mod turns;
mod unasked;

pub use on_host::OnHost;
pub use shadow::{Counts, Difference, Keeps};
pub use stage::{Share, Stage, slot};
pub use unasked::Unasked;

use crate::plugins::ask::{Answered, Answers, Asked};
use crate::plugins::contract::{Call, Failure, Hook, Ran};
use crate::plugins::kv::Kv;
use crate::plugins::manifest::Manifest;
use crate::plugins::web::Web;
use arc_swap::ArcSwap;
use shadow::{Again, Heard, Shadows};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;
use turns::Turns;

/// Runs calls: the host, or a test's double.
pub trait Runs: Send + Sync + 'static {
    /// A plugin that is ready to be called.
    type Loaded: Send + Sync + 'static;
    /// Begins a call; what it comes to arrives later, from another thread, and by `until` if there is one.
    fn run(
        &self,
        plugin: &Arc<Self::Loaded>,
        hook: Hook,
        call: Call,
        web: Arc<dyn Web>,
        kv: Option<Arc<dyn Kv>>,
        until: Option<Instant>,
    ) -> oneshot::Receiver<Ran>;
    /// How many calls of a plugin run at once.
    fn places(&self, plugin: &Self::Loaded) -> usize;
}

/// A version that can be called, with what it was granted.
pub struct Version<L> {
    pub manifest: Arc<Manifest>,
    /// SHA-256 of `plugin.wasm`, hex.
    pub digest: String,
    pub loaded: Arc<L>,
    pub web: Arc<dyn Web>,
    pub kv: Option<Arc<dyn Kv>>,
}

/// How a plugin stands.
pub struct Standing<L> {
    /// What serves wherever `next` does not.
    pub serving: Option<Arc<Version<L>>>,
    /// What is being rolled out.
    pub next: Option<(Arc<Version<L>>, Stage)>,
    /// What served before, ready to serve again.
    pub previous: Option<Arc<Version<L>>>,
    /// Why nothing serves although it should.
    pub failure: Option<Failure>,
}

impl<L> Standing<L> {
    /// Which version a store asks.
    fn at(&self, plugin: &str, store: &str) -> Option<&Arc<Version<L>>> {
        match &self.next {
            Some((version, Stage::Share(share))) if share.has(plugin, store) => Some(version),
            _ => self.serving.as_ref(),
        }
    }
    /// The version in shadow.
    fn shadow(&self) -> Option<&Arc<Version<L>>> {
        self.next.as_ref().filter(|(_, stage)| *stage == Stage::Shadow).map(|(version, _)| version)
    }
    /// The versions that answer somewhere.
    fn answering(&self) -> impl Iterator<Item = &Arc<Version<L>>> {
        let next = self.next.as_ref().filter(|(_, stage)| *stage != Stage::Shadow);
        self.serving.iter().chain(next.map(|(version, _)| version))
    }
}

/// All plugins, by id.
type Table<L> = BTreeMap<String, Arc<Standing<L>>>;

/// The plugins that are installed on this node.
pub struct Installed<R: Runs> {
    runs: Arc<R>,
    table: ArcSwap<Table<R::Loaded>>,
    shadows: Shadows<R::Loaded>,
    unasked: unasked::Counts,
}

impl<R: Runs> Installed<R> {
    /// Without any plugin. Differences of versions in shadow go to `keeps`, from a thread of their own.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start(runs: Arc<R>, keeps: Keeps) -> std::io::Result<Installed<R>> {
        let shadows = Shadows::start(runs.clone(), keeps)?;
        Ok(Installed { runs, table: ArcSwap::default(), shadows, unasked: unasked::Counts::default() })
    }

    /// Puts a plugin as it now stands in place of how it stood; none: it is not there any more.
    pub fn put(&self, plugin: &str, standing: Option<Standing<R::Loaded>>) {
        let standing = standing.map(Arc::new);
        self.table.rcu(|table| {
            let mut table = Table::clone(table);
            match &standing {
                Some(standing) => drop(table.insert(plugin.to_owned(), standing.clone())),
                None => drop(table.remove(plugin)),
            }
            table
        });
    }

    /// How a plugin stands.
    pub fn standing(&self, plugin: &str) -> Option<Arc<Standing<R::Loaded>>> {
        self.table.load().get(plugin).cloned()
    }

    /// The plugins that are there.
    pub fn names(&self) -> Vec<String> {
        self.table.load().keys().cloned().collect()
    }

    /// The manifests of all versions that answer somewhere.
    pub fn manifests(&self) -> Vec<Arc<Manifest>> {
        let table = self.table.load();
        table.values().flat_map(|s| s.answering()).map(|version| version.manifest.clone()).collect()
    }

    /// The kinds of events that a plugin takes, in some store at least.
    pub fn events(&self, plugin: &str) -> Vec<String> {
        let Some(standing) = self.standing(plugin) else { return Vec::new() };
        let mut kinds: Vec<String> =
            standing.answering().flat_map(|version| version.manifest.events.clone()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// Whether a plugin takes events of a kind from a store.
    pub fn takes(&self, plugin: &str, kind: &str, store: &str) -> bool {
        let standing = self.standing(plugin);
        let version = standing.as_ref().and_then(|standing| standing.at(plugin, store));
        version.is_some_and(|version| version.manifest.events.iter().any(|k| k == kind))
    }

    /// What a version in shadow came to.
    pub fn shadowed(&self, plugin: &str, version: &str) -> Counts {
        self.shadows.counts(plugin, version)
    }

    /// Calls that came to nothing before any version was asked.
    pub fn unasked(&self) -> Vec<Unasked> {
        self.unasked.all()
    }

    fn begin(&self, asked: Asked, until: Option<Instant>) -> Begun<R::Loaded> {
        let Asked { plugin, call } = asked;
        let failed = |failure: Failure| {
            self.unasked.count(&plugin, &failure);
            Ran::failed(&plugin, failure)
        };
        let Some(standing) = self.standing(&plugin) else {
            return Begun::Failed(failed(Failure::NotInstalled));
        };
        let Some(version) = standing.at(&plugin, &call.store) else {
            return Begun::Failed(failed(standing.failure.clone().unwrap_or(Failure::NotInstalled)));
        };
        let Some(hook) = hook(&version.manifest, &call.function) else {
            let (version, digest) = (version.manifest.version.clone(), version.digest.clone());
            let ran = failed(Failure::Unsupported(call.function));
            return Begun::Failed(Ran { version, digest, ..ran });
        };
        // What tells others is never told twice to try something out.
        let shadow = standing.shadow().filter(|_| hook != Hook::Notify);
        let heard = shadow.map(|_| Arc::new(Heard::on(version.web.clone())));
        let web: Arc<dyn Web> = match &heard {
            Some(heard) => heard.clone(),
            None => version.web.clone(),
        };
        let again = shadow.map(|shadow| (shadow.clone(), call.clone(), heard));
        let answer = self.runs.run(&version.loaded, hook, call, web, version.kv.clone(), until);
        Begun::Running(Running { answer, version: version.clone(), hook, again })
    }

    /// What a call came to; none: nothing will be heard of it any more.
    fn end(&self, running: Running<R::Loaded>, said: Option<Ran>) -> Ran {
        let Running { version, hook, again, .. } = running;
        let said = said.unwrap_or_else(|| named(&version, Failure::Trapped("the call was lost".into())));
        if let Some((version, call, heard)) = again {
            self.shadows.ask(Again { hook, call, said: said.clone(), version, heard });
        }
        said
    }

    /// How many calls that a store asks of a plugin run at once.
    fn places(&self, plugin: &str, store: &str) -> usize {
        let standing = self.standing(plugin);
        let version = standing.as_ref().and_then(|standing| standing.at(plugin, store));
        version.map_or(1, |version| self.runs.places(&version.loaded).max(1))
    }
}

/// For the version in shadow: what to ask it, and what the serving version heard.
type Repeat<L> = (Arc<Version<L>>, Call, Option<Arc<Heard>>);

/// A call that was begun.
enum Begun<L> {
    Failed(Ran),
    Running(Running<L>),
}

/// A call on its way.
struct Running<L> {
    answer: oneshot::Receiver<Ran>,
    version: Arc<Version<L>>,
    hook: Hook,
    again: Option<Repeat<L>>,
}

impl<R: Runs> Answers for Installed<R> {
    fn answers(&self, asked: Vec<Asked>) -> Answered<'_> {
        Box::pin(Turns::begin(self, asked, None))
    }
    fn answers_until(&self, asked: Vec<Asked>, until: Instant) -> Answered<'_> {
        Box::pin(Turns::begin(self, asked, Some(until)))
    }
}

/// Where the manifest says that this is answered.
fn hook(manifest: &Manifest, function: &str) -> Option<Hook> {
    match manifest.functions.get(function) {
        Some(declared) => Some(declared.hook),
        None => manifest.events.iter().any(|kind| kind == function).then_some(Hook::Notify),
    }
}

fn named<L>(version: &Version<L>, failure: Failure) -> Ran {
    let manifest = &version.manifest;
    Ran {
        version: manifest.version.clone(),
        digest: version.digest.clone(),
        ..Ran::failed(&manifest.id, failure)
    }
}
