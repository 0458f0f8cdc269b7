//! Take over changed policies while serving.
//!
//! A change that does not compile changes nothing: it is reported on stderr and by `/healthz`, and the old policies
//! serve on. Requests never wait: the new registry is swapped in whole.
use crate::rulebook::Registry;
use crate::server::state::{Reload, State};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Editors write a file in several steps: wait until nothing has happened for this long.
const QUIET: Duration = Duration::from_millis(150);
/// Watching may miss changes (network folders, replaced mounts): look at the files this often in any case.
const LOOK: Duration = Duration::from_secs(2);

/// Watch the policies of a server until it is gone.
pub fn watch(state: &Arc<State>) -> std::io::Result<()> {
    let folder = state.settings.policies.clone();
    let weak = Arc::downgrade(state);
    std::thread::Builder::new().name("policies".into()).spawn(move || follow(&folder, &weak))?;
    Ok(())
}

fn follow(folder: &Path, state: &Weak<State>) {
    let (send, events) = channel();
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|e| !e.kind.is_access()) {
            // The receiver is gone only when the server is.
            let _ = send.send(());
        }
    });
    let _watcher: Option<RecommendedWatcher> = match watcher {
        Ok(mut watcher) => watcher.watch(folder, RecursiveMode::Recursive).ok().map(|()| watcher),
        Err(_) => None,
    };
    let mut seen = fingerprint(folder);
    while let Some(()) = wait(&events, state) {
        let now = fingerprint(folder);
        if now == seen {
            continue;
        }
        seen = now;
        let Some(state) = state.upgrade() else { return };
        take_over(&state, folder);
    }
}

/// Wait for a change to settle, or for the next look; `None` when the server is gone.
fn wait(events: &Receiver<()>, state: &Weak<State>) -> Option<()> {
    match events.recv_timeout(LOOK) {
        Ok(()) => while events.recv_timeout(QUIET).is_ok() {},
        Err(RecvTimeoutError::Timeout) => {}
        // Without a watcher only the regular look is left.
        Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK),
    }
    (state.strong_count() > 0).then_some(())
}

/// Names, sizes and times of all files below a folder.
fn fingerprint(folder: &Path) -> Vec<(PathBuf, u64, Option<std::time::SystemTime>)> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => open.push(entry.path()),
                Ok(meta) => files.push((entry.path(), meta.len(), meta.modified().ok())),
                Err(_) => {}
            }
        }
    }
    files.sort();
    files
}

fn take_over(state: &State, folder: &Path) {
    let before = state.reload.load();
    match Registry::load(folder) {
        Ok(registry) => {
            let stores = registry.stores().count();
            state.registry.store(Arc::new(registry));
            state.reload.store(Arc::new(Reload { ok: true, taken: before.taken + 1, refused: before.refused, errors: vec![] }));
            eprintln!("policies: change taken over, {stores} stores");
        }
        Err(error) => {
            let errors = error.messages();
            eprintln!("policies: change refused, the old policies serve on\n{}", errors.join("\n"));
            state.reload.store(Arc::new(Reload { ok: false, taken: before.taken, refused: before.refused + 1, errors }));
        }
    }
}
