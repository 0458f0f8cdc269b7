//! What all workers share.
use crate::rulebook::Registry;
use crate::server::plugins::Plugins;
use crate::server::recorded::OldBooks;
use crate::server::records::Records;
use crate::server::settings::Settings;
use crate::server::settling::Settling;
use std::sync::Arc;
use tokio::sync::Notify;

/// Shared by all workers; the registry is read with one atomic load per request.
pub struct State {
    pub settings: Settings,
    pub registry: Arc<Registry>,
    pub records: Records,
    pub settling: Settling,
    pub old_books: OldBooks,
    pub plugins: Arc<Plugins>,
    /// Told of sales, and of returns that may wait for one.
    pub arrivals: Arc<Notify>,
}
