//! Looking up hosts' names, with an end.
use std::collections::HashMap;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Why a name has no addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("looking up the host's name took too long")]
    TimedOut,
    #[error("the host's name is not known: {0}")]
    Unknown(String),
}

/// Whoever knows the addresses of names. What it answers is checked before any of it is called.
pub trait Names: Send + Sync {
    /// The addresses of a host, best first, before `until`.
    fn addresses(&self, host: &str, until: Instant) -> Result<Vec<IpAddr>, NameError>;
}

/// Look-ups that may hang in the system's resolver at once.
const TOGETHER: usize = 32;
/// How long an answer is remembered: connections that are kept alive would otherwise ask for each request.
const REMEMBERED: Duration = Duration::from_secs(5);
/// Names that are remembered.
const MOST: usize = 256;

/// The system's resolver. It knows no time-outs, so that each look-up runs on a thread that may outlive the question.
#[derive(Debug, Default)]
pub struct SystemNames {
    running: Arc<AtomicUsize>,
    known: Mutex<HashMap<String, (Vec<IpAddr>, Instant)>>,
}

/// Gives a look-up's place back, however it ends.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl SystemNames {
    fn place(&self) -> Option<Place> {
        let taken = self
            .running
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n < TOGETHER).then_some(n + 1));
        taken.is_ok().then(|| Place(Arc::clone(&self.running)))
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
        let place = self.place().ok_or_else(|| NameError::Unknown("too many look-ups hang".into()))?;
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
        assert_eq!(names.running.load(Ordering::Acquire), 0);
        let places: Vec<_> = (0..TOGETHER).map(|_| names.place().unwrap()).collect();
        assert!(matches!(names.addresses("host.invalid", until), Err(NameError::Unknown(_))));
        drop(places);
        assert!(names.place().is_some());
    }
}
