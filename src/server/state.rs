//! What all workers share.
use crate::rulebook::Registry;
use crate::server::settings::Settings;
use std::sync::Arc;

/// Shared by all workers; the registry is read with one atomic load per request.
pub struct State {
    pub settings: Settings,
    pub registry: Arc<Registry>,
}
