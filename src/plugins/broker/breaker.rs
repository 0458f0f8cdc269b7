//! A rest for servers that fail. Each version of a plugin has its own breaker for each server: the bad requests of one
//! must not keep another from the same server.
use super::cache::Owner;
use super::target::Origin;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
struct State {
    /// In a row.
    failures: u32,
    rests_until: Option<Instant>,
    /// One request is on its way to see whether the server is back.
    probing: bool,
}

type Key = (Owner, Origin);

/// All breakers. A server that answers has no entry.
#[derive(Debug)]
pub(super) struct Breakers {
    after: u32,
    rest: Duration,
    states: Mutex<HashMap<Key, State>>,
}

/// Leave to make one request. Dropped without a word, nothing was learned.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    breakers: &'a Breakers,
    key: Option<Key>,
}

impl Breakers {
    /// Rests for `rest` after so many failures in a row.
    pub fn new(after: u32, rest: Duration) -> Breakers {
        Breakers { after: after.max(1), rest, states: Mutex::default() }
    }

    fn states(&self) -> MutexGuard<'_, HashMap<Key, State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None while the server rests, or while another request finds out whether it is back.
    pub fn enter(&self, owner: &Owner, origin: &Origin) -> Option<Pass<'_>> {
        let key = (owner.clone(), origin.clone());
        if let Some(state) = self.states().get_mut(&key)
            && let Some(until) = state.rests_until
        {
            if state.probing || Instant::now() < until {
                return None;
            }
            state.probing = true;
        }
        Some(Pass { breakers: self, key: Some(key) })
    }

    /// The servers that rest now.
    pub fn resting(&self) -> Vec<(String, String)> {
        let now = Instant::now();
        let mut resting: Vec<_> = self
            .states()
            .iter()
            .filter(|(_, s)| s.rests_until.is_some_and(|until| now < until))
            .map(|((owner, origin), _)| (owner.plugin.clone(), origin.to_string()))
            .collect();
        resting.sort();
        resting.dedup();
        resting
    }

    pub fn forget(&self, whose: impl Fn(&Owner) -> bool) {
        self.states().retain(|(owner, _), _| !whose(owner));
    }
}

impl Pass<'_> {
    /// What came of it.
    pub fn done(mut self, well: bool) {
        let Some(key) = self.key.take() else { return };
        let mut states = self.breakers.states();
        if well {
            states.remove(&key);
            return;
        }
        let state = states.entry(key).or_default();
        state.failures = state.failures.saturating_add(1);
        state.probing = false;
        if state.failures >= self.breakers.after {
            state.rests_until = Some(Instant::now() + self.breakers.rest);
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take()
            && let Some(state) = self.breakers.states().get_mut(&key)
        {
            state.probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(plugin: &str) -> Owner {
        Owner { plugin: plugin.to_owned(), version: "1.0.0".to_owned() }
    }

    #[test]
    fn opens_probes_and_closes() {
        let here = Origin { secure: true, host: "a.com".into(), port: 443 };
        let breakers = Breakers::new(2, Duration::from_millis(30));
        let fail = || breakers.enter(&of("p"), &here).unwrap().done(false);
        fail();
        breakers.enter(&of("p"), &here).unwrap().done(true);
        fail();
        assert!(breakers.resting().is_empty(), "only failures in a row count");
        fail();
        assert!(breakers.enter(&of("p"), &here).is_none());
        assert_eq!(breakers.resting(), [("p".to_owned(), "https://a.com:443".to_owned())]);
        breakers.enter(&of("q"), &here).unwrap().done(true);
        let next = Owner { version: "2.0.0".to_owned(), ..of("p") };
        breakers.enter(&next, &here).unwrap().done(true);
        std::thread::sleep(Duration::from_millis(40));
        let probe = breakers.enter(&of("p"), &here).unwrap();
        assert!(breakers.enter(&of("p"), &here).is_none(), "one probe at a time");
        drop(probe);
        breakers.enter(&of("p"), &here).unwrap().done(false);
        assert!(breakers.enter(&of("p"), &here).is_none(), "one failed probe is enough");
        std::thread::sleep(Duration::from_millis(40));
        breakers.enter(&of("p"), &here).unwrap().done(true);
        fail();
        assert!(breakers.enter(&of("p"), &here).is_some(), "it begins anew");
    }
}
