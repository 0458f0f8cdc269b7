//! What a `decide` comes to, before the host has judged it.
use crate::plugins::contract::{Answer, HttpRequest};

/// One step of a plugin, whatever the version of the contract.
#[derive(Debug)]
pub(super) enum Step {
    Answer(Answer),
    More(Vec<HttpRequest>),
    /// A case of a later version.
    Other(String),
}
