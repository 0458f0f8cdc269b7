//! The broker: makes the HTTP requests of plugins' plans, within what an operator granted.
//!
//! What holds for each request, in this order: the address has one reading ([`target`]); a grant covers scheme, host,
//! port, path and method ([`grants`]); every address of the host may be called, and one of those that were checked is
//! ([`address`], [`connect`]); secrets go only where the grant names them, and never come back ([`secrets`]);
//! everything ends by the deadline; redirects are new requests that must be granted again ([`fetch`]). Connections,
//! breakers and memory are shared by all plugins, but no plugin can use up another's.
mod address;
mod breaker;
mod cache;
mod client;
mod connect;
mod fetch;
mod grants;
mod headers;
mod names;
mod secrets;
mod target;

pub use client::BrokerError;
pub use fetch::Granted;
pub use grants::GrantFault;
pub use names::{NameError, Names, SystemNames};
pub use secrets::{NoSecrets, Secrets};

use crate::plugins::manifest::HttpGrant;
use breaker::Breakers;
use cache::{Cache, Owner};
use client::Client;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What holds for all plugins.
#[derive(Clone)]
pub struct BrokerSettings {
    /// Who looks up names.
    pub names: Arc<dyn Names>,
    /// A PEM file with root certificates that are trusted beside the public ones.
    pub roots: Option<PathBuf>,
    /// Bytes of a body, sent or received, where [`Granted::body`] says nothing else.
    pub body: usize,
    /// Bytes of an answer's status and headers.
    pub head: usize,
    /// Requests of one round; the rest is not made.
    pub requests: usize,
    /// Requests of one round that run at the same time.
    pub together: usize,
    /// Redirects that a GET or HEAD follows.
    pub redirects: u32,
    /// Failures in a row after which a server rests.
    pub rest_after: u32,
    pub rest: Duration,
    /// Answers that are kept for one version of a plugin.
    pub kept: usize,
    /// Bytes of answers that are kept for one version of a plugin.
    pub kept_bytes: usize,
    /// The longest that an answer is kept, whatever the plugin says.
    pub kept_for: Duration,
}

impl Default for BrokerSettings {
    fn default() -> BrokerSettings {
        BrokerSettings {
            names: Arc::new(SystemNames::default()),
            roots: None,
            body: 256 * 1024,
            head: 16 * 1024,
            requests: 16,
            together: 4,
            redirects: 3,
            rest_after: 5,
            rest: Duration::from_secs(10),
            kept: 256,
            kept_bytes: 1024 * 1024,
            kept_for: Duration::from_secs(3600),
        }
    }
}

/// Shared by all plugins of a server.
#[derive(Clone)]
pub struct Broker {
    shared: Arc<Shared>,
}

struct Shared {
    settings: BrokerSettings,
    client: Client,
    cache: Cache,
    breakers: Breakers,
}

impl Broker {
    /// Fails when the operator's root certificates cannot be read.
    pub fn new(settings: BrokerSettings) -> Result<Broker, BrokerError> {
        let client = Client::new(&settings.names, settings.roots.as_deref(), settings.head)?;
        let cache = Cache::new(settings.kept, settings.kept_bytes, settings.kept_for);
        let breakers = Breakers::new(settings.rest_after, settings.rest);
        Ok(Broker { shared: Arc::new(Shared { settings, client, cache, breakers }) })
    }

    /// What one plugin may do. It is made anew whenever grants change, best for each call: it costs little.
    pub fn with(&self, plugin: &str, grants: Arc<Vec<HttpGrant>>, secrets: Arc<dyn Secrets>) -> Granted {
        Granted::new(Arc::clone(&self.shared), plugin, &grants, secrets)
    }

    /// The servers that rest now: plugin and `https://host:port`.
    pub fn resting(&self) -> Vec<(String, String)> {
        self.shared.breakers.resting()
    }

    /// Forgets what was kept for a plugin: it was removed, or its grants or a secret of its changed.
    pub fn forget(&self, plugin: &str) {
        self.forget_others(plugin, |_| false);
    }

    /// Forgets what was kept for a plugin, but for these versions: the others are not asked any more.
    pub fn forget_others(&self, plugin: &str, stays: impl Fn(&str) -> bool) {
        let whose = |owner: &Owner| owner.plugin == plugin && !stays(&owner.version);
        self.shared.cache.forget(whose);
        self.shared.breakers.forget(whose);
    }
}
