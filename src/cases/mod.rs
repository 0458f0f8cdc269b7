//! Literate cases: facts, a decision, and what is expected of it; run in parallel, by both evaluators.
mod coverage;
mod run;
mod verdict;

use crate::lang::typed::{Case, Vocab};

/// The facts of a case as the JSON that a till would send, and an error where JSON cannot say it.
pub fn facts_json(vocab: &Vocab, case: &Case) -> Result<serde_json::Value, String> {
    crate::rulebook::stated::json(vocab, case)
}

pub use coverage::{Coverage, line as coverage_line};
pub use run::{CaseResult, Failure, run};
