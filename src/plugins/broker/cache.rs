//! Answers that a plugin wants remembered. Each version of a plugin has a shelf of its own, so that one cannot push out
//! another's.
use super::target::Target;
use crate::plugins::contract::HttpAnswer;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What makes two requests equal: the address and the headers as the plugin wrote them, with the names of secrets.
pub(super) type Key = (String, Vec<(String, String)>);

/// Whose something is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Owner {
    pub plugin: String,
    pub version: String,
}

/// An answer, scrubbed, with the places that it came through, and whether they might be private then.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub answer: HttpAnswer,
    pub hops: Vec<(Target, bool)>,
}

#[derive(Debug, Default)]
struct Shelf {
    entries: HashMap<Key, (Kept, Instant)>,
    bytes: usize,
}

#[derive(Debug)]
pub(super) struct Cache {
    entries: usize,
    bytes: usize,
    longest: Duration,
    shelves: Mutex<HashMap<Owner, Shelf>>,
}

impl Cache {
    /// With so many entries and bytes for each owner, none kept for longer than `longest`.
    pub fn new(entries: usize, bytes: usize, longest: Duration) -> Cache {
        Cache { entries, bytes, longest, shelves: Mutex::default() }
    }

    fn shelves(&self) -> MutexGuard<'_, HashMap<Owner, Shelf>> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get(&self, owner: &Owner, key: &Key) -> Option<Kept> {
        let shelves = self.shelves();
        let (kept, until) = shelves.get(owner)?.entries.get(key)?;
        (Instant::now() < *until).then(|| kept.clone())
    }

    pub fn put(&self, owner: &Owner, key: Key, kept: Kept, lasts: Duration) {
        let size = size(&key, &kept);
        if size > self.bytes || self.entries == 0 {
            return;
        }
        let now = Instant::now();
        let until = now + lasts.min(self.longest);
        let mut shelves = self.shelves();
        let shelf = shelves.entry(owner.clone()).or_default();
        shelf.take(&key);
        while shelf.bytes + size > self.bytes || shelf.entries.len() >= self.entries {
            // What would go first goes first; what is over is among it.
            let Some(first) = shelf.entries.iter().min_by_key(|(_, (_, u))| *u).map(|(k, _)| k.clone())
            else {
                break;
            };
            shelf.take(&first);
        }
        shelf.bytes += size;
        shelf.entries.insert(key, (kept, until));
    }

    pub fn forget(&self, whose: impl Fn(&Owner) -> bool) {
        self.shelves().retain(|owner, _| !whose(owner));
    }
}

impl Shelf {
    fn take(&mut self, key: &Key) {
        if let Some((kept, _)) = self.entries.remove(key) {
            self.bytes = self.bytes.saturating_sub(size(key, &kept));
        }
    }
}

/// Bytes of text; the rest of an entry is small beside it.
fn size((url, asked): &Key, kept: &Kept) -> usize {
    let pairs = |pairs: &[(String, String)]| pairs.iter().map(|(n, v)| n.len() + v.len()).sum::<usize>();
    url.len() + pairs(asked) + pairs(&kept.answer.headers) + kept.answer.body.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(plugin: &str) -> Owner {
        Owner { plugin: plugin.to_owned(), version: "1.0.0".to_owned() }
    }

    fn key(url: &str) -> Key {
        (url.to_owned(), vec![])
    }

    fn kept(bytes: usize) -> Kept {
        Kept { answer: HttpAnswer { status: 200, headers: vec![], body: vec![0; bytes] }, hops: vec![] }
    }

    #[test]
    fn bounded_and_apart() {
        let minute = Duration::from_secs(60);
        let cache = Cache::new(3, 100, Duration::from_secs(3600));
        cache.put(&of("p"), key("a"), kept(40), minute);
        cache.put(&of("p"), key("b"), kept(40), minute * 2);
        cache.put(&of("q"), key("a"), kept(90), minute);
        assert!(cache.get(&of("p"), &key("a")).is_some() && cache.get(&of("p"), &key("b")).is_some());
        cache.put(&of("p"), key("c"), kept(40), minute);
        assert!(cache.get(&of("p"), &key("a")).is_none(), "pushed out: too many bytes");
        assert!(cache.get(&of("p"), &key("b")).is_some());
        assert!(cache.get(&of("q"), &key("a")).is_some(), "another's shelf");
        cache.put(&of("p"), key("d"), kept(200), minute);
        assert!(cache.get(&of("p"), &key("d")).is_none() && cache.get(&of("p"), &key("b")).is_some());
        for url in ["e", "f", "g", "h"] {
            cache.put(&of("p"), key(url), kept(1), minute);
        }
        assert_eq!(cache.shelves().get(&of("p")).unwrap().entries.len(), 3);
        cache.put(&of("p"), key("h"), kept(2), minute);
        let bytes: usize =
            cache.shelves().get(&of("p")).unwrap().entries.iter().map(|(k, (e, _))| size(k, e)).sum();
        assert_eq!(cache.shelves().get(&of("p")).unwrap().bytes, bytes);
        cache.forget(|owner| owner.plugin == "p");
        assert!(cache.get(&of("p"), &key("h")).is_none());
    }

    #[test]
    fn not_for_longer() {
        let cache = Cache::new(3, 100, Duration::from_millis(20));
        cache.put(&of("p"), key("a"), kept(1), Duration::from_secs(60));
        assert!(cache.get(&of("p"), &key("a")).is_some());
        std::thread::sleep(Duration::from_millis(30));
        assert!(cache.get(&of("p"), &key("a")).is_none());
    }
}
