//! What all workers share.
use crate::rulebook::Registry;
use crate::server::settings::Settings;
use arc_swap::ArcSwap;
use serde::Serialize;

/// Shared by all workers; the registry is read with one atomic load per request.
pub struct State {
    pub settings: Settings,
    pub registry: ArcSwap<Registry>,
    pub reload: ArcSwap<Reload>,
}

/// How the last reading of the policies went.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Reload {
    /// Whether what is on disk is what is served.
    pub ok: bool,
    /// How often a change was taken over since the start.
    pub taken: u64,
    /// How often a change was refused since the start.
    pub refused: u64,
    /// Why the last change was refused, as the command line shows it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}
