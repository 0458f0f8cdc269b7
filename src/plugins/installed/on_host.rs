//! The host as who runs the calls.
use crate::plugins::contract::{Call, Hook, Ran};
use crate::plugins::host::{Host, Loaded};
use crate::plugins::installed::Runs;
use crate::plugins::kv::Kv;
use crate::plugins::web::Web;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

/// Calls go to the host's own threads.
pub struct OnHost(pub Arc<Host>);

impl Runs for OnHost {
    type Loaded = Loaded;
    fn run(
        &self,
        plugin: &Arc<Loaded>,
        hook: Hook,
        call: Call,
        web: Arc<dyn Web>,
        kv: Option<Arc<dyn Kv>>,
        until: Option<Instant>,
    ) -> oneshot::Receiver<Ran> {
        self.0.spawn_until(plugin, hook, call, web, kv, until)
    }
    fn places(&self, plugin: &Loaded) -> usize {
        plugin.limits().places as usize
    }
}
