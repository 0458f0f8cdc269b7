//! Who makes the requests of a plan: the broker in a server, recorded responses in a package's cases.
use crate::plugins::contract::{HttpRequest, HttpResponse};
use std::time::Instant;

/// Makes requests for a plugin, within what was granted to it.
pub trait Web: Send + Sync {
    /// One response per request, in order; never longer than until `deadline`.
    fn fetch(&self, requests: &[HttpRequest], deadline: Instant) -> Vec<HttpResponse>;
}
