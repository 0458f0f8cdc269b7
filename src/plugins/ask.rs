//! How the counter asks: calls go out together, and each comes back with an answer or a named failure.
use crate::plugins::contract::{Call, Ran};
use std::future::Future;
use std::pin::Pin;
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
}

/// The same answers, all of them before one moment.
pub struct Within<'a> {
    pub answers: &'a dyn Answers,
    pub until: Instant,
}

impl Answers for Within<'_> {
    fn answers(&self, asked: Vec<Asked>) -> Answered<'_> {
        self.answers.answers_until(asked, self.until)
    }
    fn answers_until(&self, asked: Vec<Asked>, until: Instant) -> Answered<'_> {
        self.answers.answers_until(asked, until.min(self.until))
    }
}
