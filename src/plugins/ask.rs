//! How the counter asks: calls go out together, and each comes back with an answer or a named failure.
use crate::plugins::contract::{Call, Ran};
use std::future::Future;
use std::pin::Pin;

/// One question to a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asked {
    /// `vendor.name`.
    pub plugin: String,
    pub call: Call,
}

/// What comes back for each question, in the questions' order.
pub type Answered<'a> = Pin<Box<dyn Future<Output = Vec<Ran>> + Send + 'a>>;

/// Whoever answers calls: the installed plugins, a record, a test's double. Never fails as a whole: whatever goes wrong
/// is the failure of one call.
pub trait Answers: Send + Sync {
    /// Asks all at once.
    fn answers(&self, asked: Vec<Asked>) -> Answered<'_>;
}
