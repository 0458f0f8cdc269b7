//! A version in shadow: asked after the one that serves, on the same calls, on a thread of its own. Nothing waits for it,
//! nothing of it is used, and it changes nothing: it keeps no entries, it is given the responses that the other one got,
//! and beyond these only requests that look (`GET`, `HEAD`) are made for it.
use crate::plugins::contract::{Call, Hook, HttpFailure, HttpRequest, HttpResponse, Ran};
use crate::plugins::installed::{Runs, Version};
use crate::plugins::kv::{Kv, KvWrite};
use crate::plugins::web::Web;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Calls that may wait for the thread; what comes then is not looked at.
const WAITING: usize = 256;

/// A call that the version in shadow would have answered otherwise.
#[derive(Debug, Clone)]
pub struct Difference {
    pub hook: Hook,
    pub call: Call,
    /// Of the version that serves.
    pub said: Ran,
    /// Of the version in shadow.
    pub would_say: Ran,
}

/// Who keeps differences.
pub type Keeps = Box<dyn Fn(Difference) + Send + Sync>;

/// What shadows of one version came to on this node, since the server started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Calls on which it was asked, too.
    pub calls: u64,
    /// It said the same, or failed in the same way.
    pub same: u64,
    /// It said something else.
    pub different: u64,
    /// It failed where the other did not; these are different, too.
    pub failed: u64,
    /// It was not asked, since too many calls waited.
    pub skipped: u64,
}

/// A call to look at again.
pub(super) struct Again<L> {
    pub hook: Hook,
    pub call: Call,
    pub said: Ran,
    pub version: Arc<Version<L>>,
    pub heard: Option<Arc<Heard>>,
}

/// Counts by plugin and version.
type Counted = Arc<Mutex<BTreeMap<(String, String), Counts>>>;

/// The way to the thread; it ends when this is gone.
pub(super) struct Shadows<L> {
    queue: SyncSender<Again<L>>,
    counts: Counted,
}

impl<L: Send + Sync + 'static> Shadows<L> {
    /// Starts the thread.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start<R: Runs<Loaded = L>>(runs: Arc<R>, keeps: Keeps) -> std::io::Result<Shadows<L>> {
        let (queue, waiting) = sync_channel(WAITING);
        let counts = Counted::default();
        let counted = counts.clone();
        std::thread::Builder::new()
            .name("plugin-shadows".into())
            .spawn(move || work(&*runs, &waiting, &counted, &keeps))?;
        Ok(Shadows { queue, counts })
    }

    pub fn ask(&self, again: Again<L>) {
        let key = (again.said.plugin.clone(), again.version.manifest.version.clone());
        if self.queue.try_send(again).is_err() {
            held(&self.counts).entry(key).or_default().skipped += 1;
        }
    }

    pub fn counts(&self, plugin: &str, version: &str) -> Counts {
        held(&self.counts).get(&(plugin.to_owned(), version.to_owned())).copied().unwrap_or_default()
    }
}

fn held(counts: &Counted) -> MutexGuard<'_, BTreeMap<(String, String), Counts>> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

fn work<R: Runs>(runs: &R, waiting: &Receiver<Again<R::Loaded>>, counts: &Counted, keeps: &Keeps) {
    while let Ok(Again { hook, call, said, version, heard }) = waiting.recv() {
        let web: Arc<dyn Web> = Arc::new(Repeats { heard, web: version.web.clone() });
        let kv = version.kv.clone().map(|kv| Arc::new(Unwritten(kv)) as Arc<dyn Kv>);
        let running = runs.run(&version.loaded, hook, call.clone(), web, kv, None);
        let Ok(would_say) = running.blocking_recv() else { continue };
        let same = alike(&said, &would_say);
        {
            let mut counts = held(counts);
            let key = (version.manifest.id.clone(), version.manifest.version.clone());
            let count = counts.entry(key).or_default();
            count.calls += 1;
            count.same += u64::from(same);
            count.different += u64::from(!same);
            count.failed += u64::from(said.outcome.is_ok() && would_say.outcome.is_err());
        }
        if !same {
            keeps(Difference { hook, call, said, would_say });
        }
    }
}

/// The same answer, or failures of one name: their texts may tell of different versions.
fn alike(one: &Ran, other: &Ran) -> bool {
    match (&one.outcome, &other.outcome) {
        (Ok(one), Ok(other)) => one == other,
        (Err(one), Err(other)) => one.code() == other.code(),
        _ => false,
    }
}

/// Makes requests and remembers what was heard.
pub(super) struct Heard {
    web: Arc<dyn Web>,
    heard: Mutex<Vec<(HttpRequest, HttpResponse)>>,
}

impl Heard {
    pub fn on(web: Arc<dyn Web>) -> Heard {
        Heard { web, heard: Mutex::default() }
    }
    fn to(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |other: &HttpRequest| {
            (&other.method, &other.url, &other.headers, &other.body)
                == (&request.method, &request.url, &request.headers, &request.body)
        };
        let (_, response) = heard.iter().find(|(other, _)| same(other))?;
        Some(HttpResponse { name: request.name.clone(), outcome: response.outcome.clone() })
    }
}

impl Web for Heard {
    fn fetch(&self, requests: &[HttpRequest], deadline: Instant) -> Vec<HttpResponse> {
        let responses = self.web.fetch(requests, deadline);
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.extend(requests.iter().cloned().zip(responses.iter().cloned()));
        responses
    }
}

/// Answers as the other one was answered.
struct Repeats {
    heard: Option<Arc<Heard>>,
    web: Arc<dyn Web>,
}

impl Web for Repeats {
    fn fetch(&self, requests: &[HttpRequest], deadline: Instant) -> Vec<HttpResponse> {
        let known = |request: &HttpRequest| self.heard.as_ref().and_then(|heard| heard.to(request));
        let looks = |request: &HttpRequest| ["GET", "HEAD"].contains(&request.method.as_str());
        let new: Vec<HttpRequest> =
            requests.iter().filter(|r| known(r).is_none() && looks(r)).cloned().collect();
        let mut fresh = if new.is_empty() { Vec::new() } else { self.web.fetch(&new, deadline) }.into_iter();
        let denied = |request: &HttpRequest| HttpResponse {
            name: request.name.clone(),
            outcome: Err(HttpFailure::Denied("a version in shadow changes nothing elsewhere".into())),
        };
        let answer = |request: &HttpRequest| match known(request) {
            Some(response) => response,
            None if looks(request) => fresh.next().unwrap_or_else(|| denied(request)),
            None => denied(request),
        };
        requests.iter().map(answer).collect()
    }
}

/// Entries that can be read.
struct Unwritten(Arc<dyn Kv>);

impl Kv for Unwritten {
    fn get(&self, key: &str, until: Instant) -> Result<Option<Vec<u8>>, String> {
        self.0.get(key, until)
    }
    fn used(&self, until: Instant) -> Result<u64, String> {
        self.0.used(until)
    }
    fn apply(&self, _: Vec<KvWrite>, _: Instant) -> Result<(), String> {
        Ok(())
    }
}
