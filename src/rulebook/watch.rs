//! Noticing changes: the system's file events where there are any, and a look at the contents every few seconds.
use crate::rulebook::registry::{Registry, Reload};
use notify::{RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Editors write a file in several steps: so long without events counts as done.
const QUIET: Duration = Duration::from_millis(60);
/// But no longer than so many quiet spells, if somebody writes all the time.
const PATIENCE: u32 = 20;
/// How often to look whatever the events say: some file systems have none.
const LOOK: Duration = Duration::from_secs(2);

/// Watches until dropped.
#[derive(Debug)]
pub struct Watch {
    stop: Arc<AtomicBool>,
    wake: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts watching; `report` hears of every change taken up or refused, on the watching thread.
    pub fn start(
        registry: Arc<Registry>,
        report: impl Fn(&Reload) + Send + 'static,
    ) -> std::io::Result<Watch> {
        let stop = Arc::new(AtomicBool::new(false));
        let (wake, woken) = sync_channel(1);
        let (events, flag) = (wake.clone(), stop.clone());
        let thread = std::thread::Builder::new()
            .name("policies".into())
            .spawn(move || run(&registry, &flag, &events, &woken, &report))?;
        Ok(Watch { stop, wake, thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let _ = self.wake.try_send(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(
    registry: &Registry,
    stop: &AtomicBool,
    wake: &SyncSender<()>,
    woken: &Receiver<()>,
    report: &dyn Fn(&Reload),
) {
    let events = wake.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading the files is an event too on some systems, and our own doing.
        if !event.is_ok_and(|e| e.kind.is_access()) {
            let _ = events.try_send(());
        }
    })
    .ok();
    let mut watched = BTreeSet::new();
    loop {
        if let Some(watcher) = &mut watcher {
            watch_folders(watcher, registry, &mut watched);
        }
        match woken.recv_timeout(LOOK) {
            Ok(()) => {
                for _ in 0..PATIENCE {
                    if woken.recv_timeout(QUIET).is_err() {
                        break;
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if stop.load(Ordering::Acquire) {
            return;
        }
        match registry.reload() {
            Reload::Same => {}
            change => report(&change),
        }
    }
}

/// Watches the folder and the folders of files outside it, as far as the system allows; the regular look covers the rest.
fn watch_folders(watcher: &mut impl Watcher, registry: &Registry, watched: &mut BTreeSet<PathBuf>) {
    let dir = registry.dir().to_owned();
    if watched.insert(dir.clone()) {
        let _ = watcher.watch(&dir, RecursiveMode::Recursive);
    }
    let outside = registry
        .paths()
        .into_iter()
        .filter(|p| !p.starts_with(&dir) || p.components().any(|c| c.as_os_str() == ".."));
    for folder in outside.filter_map(|p| p.parent().map(std::path::Path::to_owned)) {
        if watched.insert(folder.clone()) {
            let _ = watcher.watch(&folder, RecursiveMode::NonRecursive);
        }
    }
}
