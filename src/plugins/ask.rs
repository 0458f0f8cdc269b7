//! How the counter asks: calls go out together, and each comes back with an answer or a named failure.
use crate::plugins::contract::{Call, Ran};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

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
    /// Asks all, as many of each plugin at once as it has places.
    fn answers(&self, asked: Vec<Asked>) -> Answered<'_>;
    /// As [`Answers::answers`]; what has no answer at that moment fails by name. Whoever answers at once need not look.
    fn answers_until(&self, asked: Vec<Asked>, _until: Instant) -> Answered<'_> {
        self.answers(asked)
    }
    /// Whoever keeps what had no answer that could be used; none: nobody does.
    fn failures(&self) -> Option<Arc<dyn KeepsFailures>> {
        None
    }
}

/// A question that had no answer that could be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// `vendor.name`.
    pub plugin: String,
    /// What ran; empty if nothing did.
    pub version: String,
    /// SHA-256 of what ran, hex; empty if nothing did.
    pub digest: String,
    pub function: String,
    pub store: String,
    /// The call's.
    pub key: String,
    /// In whose name it was asked; empty where nothing is recorded.
    pub operation: String,
    /// The failure's stable name.
    pub code: String,
    pub text: String,
}

/// Keeps failures. Never waits, and never fails: somebody at a till waits for whoever tells it.
pub trait KeepsFailures: Send + Sync + std::fmt::Debug {
    fn keep(&self, failure: Unanswered);
}

/// The same answers, all of them before one moment.
pub struct Within<'a> {
    pub answers: &'a dyn Answers,
    pub until: Instant,
    pub failures: Option<Arc<dyn KeepsFailures>>,
}

impl Answers for Within<'_> {
    fn answers(&self, asked: Vec<Asked>) -> Answered<'_> {
        self.answers.answers_until(asked, self.until)
    }
    fn answers_until(&self, asked: Vec<Asked>, until: Instant) -> Answered<'_> {
        self.answers.answers_until(asked, until.min(self.until))
    }
    fn failures(&self) -> Option<Arc<dyn KeepsFailures>> {
        self.failures.clone()
    }
}
