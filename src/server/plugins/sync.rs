//! Taking up what the records say: versions are made ready first, and then put in place at once.
//!
//! Invariants: nobody waits for a version that he does not want, be it of another plugin or one that is taken out; what is
//! read first is not put in place last; what serves goes on until what comes after it is ready.
use super::{Loading, Plugins, Ready, read};
use crate::plugins::contract::Failure;
use crate::plugins::installed::Standing;
use crate::records::entity::plugin_state;
use crate::records::plugins as kept_plugins;
use crate::server::plugins::rules::Rollout;
use crate::server::problem::Problem;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// How often a node looks for what other nodes did.
const POLL: Duration = Duration::from_secs(1);
/// Until what could not be made ready is tried again for the first time; twice as long each time after that.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

impl Plugins {
    /// Takes up what has changed in the records, one plugin after the other.
    ///
    /// # Errors
    /// The database does not answer; what was taken up before serves on.
    pub async fn sync(&self) -> Result<(), Problem> {
        for (plugin, _) in self.behind().await? {
            self.sync_one(&plugin).await?;
        }
        Ok(())
    }

    /// Keeps up with what other nodes do, and tries again what did not work.
    pub async fn keep_up(self: Arc<Plugins>, say: fn(&str)) {
        let failed = move |problem| say(&format!("plugins: what changed could not be taken up: {problem}"));
        loop {
            tokio::time::sleep(POLL).await;
            match self.behind().await {
                Ok(behind) => behind.into_iter().for_each(|one| self.begin(one, failed)),
                Err(problem) => failed(problem),
            }
        }
    }

    /// In the background: a plugin that compiles for minutes keeps no other waiting.
    fn begin(self: &Arc<Plugins>, one: (String, i64), failed: impl Fn(Problem) + Send + 'static) {
        if !self.node().busy.insert(one.clone()) {
            return;
        }
        let plugins = self.clone();
        self.records.beside(async move {
            let done = plugins.sync_one(&one.0).await;
            plugins.node().busy.remove(&one);
            done.unwrap_or_else(failed);
        });
    }

    /// The plugins of which something is not taken up yet, with how many acts there are.
    async fn behind(&self) -> Result<Vec<(String, i64)>, Problem> {
        let all = self.records.read(|db| async move { kept_plugins::revisions(&db).await }).await?;
        let (node, now) = (self.node(), Instant::now());
        let again = |plugin: &String| node.again.get(plugin).is_some_and(|(at, _)| *at <= now);
        let behind = all.into_iter().filter(|(p, acts)| node.acts.get(p) != Some(acts) || again(p));
        Ok(behind.collect())
    }

    /// Takes up how a plugin stands now.
    ///
    /// # Errors
    /// As [`Plugins::sync`].
    pub async fn sync_one(&self, plugin: &str) -> Result<(), Problem> {
        let named = plugin.to_owned();
        let state = self.records.read(move |db| async move { kept_plugins::state(&db, &named).await });
        let Some(state) = state.await? else { return Ok(()) };
        let rollout: Rollout = read(&state.rollout);
        let (mut ready, mut faults) = (BTreeMap::new(), Vec::new());
        for version in rollout.versions() {
            match self.ready(&state, version).await? {
                Ok(made) => drop(ready.insert(version.clone(), made)),
                Err(fault) => faults.push(fault),
            }
        }
        self.take_up(&state, &rollout, &ready, &faults);
        Ok(())
    }

    fn take_up(
        &self,
        state: &plugin_state::Model,
        rollout: &Rollout,
        ready: &BTreeMap<String, Ready>,
        faults: &[Failure],
    ) {
        let plugin = &state.plugin;
        let mut node = self.node();
        let before = node.acts.get(plugin).copied();
        if before.is_some_and(|acts| acts > state.acts) {
            return;
        }
        // On the settings of before, but never with what is not granted any more.
        let old = |version: &String| {
            let (terms, made) = node.ready.get(&(plugin.clone(), version.clone()))?;
            (terms.lines().next() == Some(state.grants.as_str())).then(|| made.clone())
        };
        let get = |version: &String| ready.get(version).cloned().or_else(|| old(version));
        let barred = faults.iter().any(|fault| matches!(fault, Failure::NotGranted(_)));
        let previous = rollout.previous.as_ref().and_then(get);
        let serving = rollout
            .serving
            .as_ref()
            .and_then(|serving| get(serving).or_else(|| previous.clone().filter(|_| !barred)));
        let next = rollout.next.as_ref().and_then(|next| Some((get(&next.version)?, next.stage.clone())));
        let there = rollout.versions().next().is_some();
        let standing = Standing { serving, next, previous, failure: faults.first().cloned() };
        self.installed.put(plugin, there.then_some(standing));
        node.acts.insert(plugin.clone(), state.acts);
        node.ready.retain(|(of, version), _| of != plugin || rollout.versions().any(|v| v == version));
        match faults.is_empty() {
            true => drop(node.faults.remove(plugin)),
            false => {
                let words: Vec<String> = faults.iter().map(Failure::to_string).collect();
                node.faults.insert(plugin.clone(), words.join("; "));
            }
        }
        // What is not granted stays so until somebody grants it.
        match faults.iter().all(|fault| matches!(fault, Failure::NotGranted(_))) {
            true => drop(node.again.remove(plugin)),
            false => {
                let last = node.again.get(plugin).filter(|_| before == Some(state.acts));
                let pause = last.map_or(FIRST, |(_, pause)| (*pause * 2).min(LONGEST));
                node.again.insert(plugin.clone(), (Instant::now() + pause, pause));
            }
        }
        match state.rolled_out_at {
            Some(since) => drop(node.since.insert(plugin.clone(), since)),
            None => drop(node.since.remove(plugin)),
        }
        let granted = node.grants.insert(plugin.clone(), state.grants.clone());
        if !there || granted.is_some_and(|before| before != state.grants) {
            self.broker.forget(plugin);
        } else {
            self.broker.forget_others(plugin, |version| rollout.versions().any(|v| v == version));
        }
    }

    /// A version, ready to be called; as it was made before, if it stands on the same terms.
    pub(super) async fn ready(
        &self,
        state: &plugin_state::Model,
        version: &str,
    ) -> Result<Result<Ready, Failure>, Problem> {
        let key = (state.plugin.clone(), version.to_owned());
        let terms = [state.grants.as_str(), &state.config, &state.limits].join("\n");
        let known = || {
            let node = self.node();
            node.ready.get(&key).filter(|(on, _)| *on == terms).map(|(_, ready)| ready.clone())
        };
        if let Some(ready) = known() {
            return Ok(Ok(ready));
        }
        let alone = {
            let mut making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
            making.entry(key.clone()).or_default().clone()
        };
        let _alone = alone.lock().await;
        if let Some(ready) = known() {
            return Ok(Ok(ready));
        }
        let (plugin, named) = key.clone();
        let bytes =
            self.records.read(move |db| async move { kept_plugins::package(&db, &plugin, &named).await });
        let Some((digest, bytes)) = bytes.await? else {
            return Ok(Err(Failure::Unavailable(format!("the package of {version} is not there any more"))));
        };
        let loading = Loading {
            host: self.host.clone(),
            digest,
            bytes,
            grants: read(&state.grants),
            config: read(&state.config),
            limits: read(&state.limits),
        };
        let made = tokio::task::spawn_blocking(move || loading.load()).await;
        let loaded = match made.map_err(|_| Problem::internal())? {
            Ok(loaded) => loaded,
            Err(failure) => return Ok(Err(failure)),
        };
        let ready: Ready = Arc::new(self.version(loaded));
        self.node().ready.insert(key, (terms, ready.clone()));
        Ok(Ok(ready))
    }
}
