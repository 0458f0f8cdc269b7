//! Looking up hosts' names, with an end.
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Why a name has no addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("looking up the host's name took too long")]
    TimedOut,
    #[error("the host's name is not known: {0}")]
    Unknown(String),
    /// Nobody was asked: it says nothing about the host.
    #[error("busy: too many look-ups of names are under way")]
    Busy,
}

/// Whoever knows the addresses of names. What it answers is checked before any of it is called.
pub trait Names: Send + Sync {
    /// The addresses of a host, best first, before `until`.
    fn addresses(&self, host: &str, until: Instant) -> Result<Vec<IpAddr>, NameError>;
}

/// Look-ups that may hang in the system's resolver at once: on behalf of one plugin, and of all.
const EACH: usize = 32;
const TOGETHER: usize = 256;
/// How long an answer is remembered: connections that are kept alive would otherwise ask for each request.
const REMEMBERED: Duration = Duration::from_secs(5);
/// Names that are remembered.
const MOST: usize = 256;

thread_local! {
    /// On whose behalf this thread makes a request: the client's resolver is told the address and nothing else.
    static BEHALF: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Does something on behalf of a plugin.
pub(super) fn on_behalf<T>(plugin: &str, work: impl FnOnce() -> T) -> T {
    let before = BEHALF.replace(plugin.to_owned());
    let done = work();
    BEHALF.set(before);
    done
}

/// Look-ups that run now, by plugin.
type Running = Mutex<BTreeMap<String, usize>>;

fn held(running: &Running) -> MutexGuard<'_, BTreeMap<String, usize>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The system's resolver. It knows no time-outs, so that each look-up runs on a thread that may outlive the question.
#[derive(Debug, Default)]
pub struct SystemNames {
    running: Arc<Running>,
    known: Mutex<HashMap<String, (Vec<IpAddr>, Instant)>>,
}

/// Gives a look-up's place back, however it ends.
struct Place {
    running: Arc<Running>,
    plugin: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut running = held(&self.running);
        if let Some(n) = running.get_mut(&self.plugin) {
            *n = n.saturating_sub(1);
            if *n == 0 {
                running.remove(&self.plugin);
            }
        }
    }
}

impl SystemNames {
    fn place(&self) -> Option<Place> {
        let plugin = BEHALF.with_borrow(Clone::clone);
        let mut running = held(&self.running);
        if running.values().sum::<usize>() >= TOGETHER {
            return None;
        }
        let own = running.entry(plugin.clone()).or_default();
        if *own >= EACH {
            return None;
        }
        *own += 1;
        Some(Place { running: Arc::clone(&self.running), plugin })
    }
}

impl Names for SystemNames {
    fn addresses(&self, host: &str, until: Instant) -> Result<Vec<IpAddr>, NameError> {
        let now = Instant::now();
        if let Some((addresses, fresh)) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(host)
            && now < *fresh
        {
            return Ok(addresses.clone());
        }
        let place = self.place().ok_or(NameError::Busy)?;
        let (tell, told) = sync_channel(1);
        let name = host.to_owned();
        std::thread::Builder::new()
            .name("name look-up".into())
            .spawn(move || {
                let found = (name.as_str(), 0).to_socket_addrs().map(|a| a.map(|a| a.ip()).collect());
                drop(place);
                let _ = tell.send(found);
            })
            .map_err(|e| NameError::Unknown(e.to_string()))?;
        let addresses: Vec<IpAddr> = match told.recv_timeout(until.saturating_duration_since(now)) {
            Ok(Ok(addresses)) => addresses,
            Ok(Err(e)) => return Err(NameError::Unknown(e.to_string())),
            Err(RecvTimeoutError::Timeout) => return Err(NameError::TimedOut),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(NameError::Unknown("the look-up broke".into()));
            }
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(host.to_owned(), (addresses.clone(), Instant::now() + REMEMBERED));
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounded_and_known() {
        let names = SystemNames::default();
        let until = Instant::now() + Duration::from_secs(10);
        let found = names.addresses("localhost", until).unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
        assert_eq!(names.addresses("localhost", Instant::now()), Ok(found), "remembered");
        assert!(held(&names.running).is_empty());
    }

    #[test]
    fn one_plugin_does_not_use_up_the_look_ups_of_others() {
        let names = SystemNames::default();
        let until = Instant::now() + Duration::from_secs(10);
        let places: Vec<_> = on_behalf("a.b", || (0..EACH).map(|_| names.place().unwrap()).collect());
        let look = |plugin| on_behalf(plugin, || names.addresses("localhost", until));
        assert_eq!(look("a.b"), Err(NameError::Busy));
        assert!(look("a.c").is_ok());
        drop(places);
        assert!(on_behalf("a.b", || names.place()).is_some());
        let all: Vec<_> = (0..TOGETHER).filter_map(|n| on_behalf(&n.to_string(), || names.place())).collect();
        assert_eq!(all.len(), TOGETHER);
        assert!(on_behalf("a.d", || names.place()).is_none());
    }
}
