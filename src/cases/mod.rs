//! Literate cases: facts, a decision, and what is expected of it; run in parallel, by both evaluators.
mod bounds;
mod coverage;
mod missing;
mod propose;
mod reach;
mod run;
mod vary;
mod verdict;

use crate::lang::typed::{Case, Vocab};

/// The facts of a case as the JSON that a till would send, and an error where JSON cannot say it.
pub fn facts_json(vocab: &Vocab, case: &Case) -> Result<serde_json::Value, String> {
    crate::rulebook::stated::json(vocab, case)
}

pub use crate::rulebook::stated::Stated;
pub use bounds::{Bound, Bounds};
pub use coverage::{Coverage, line as coverage_line};
pub use missing::{Missing, missing};
pub use propose::Proposal;
pub use reach::{Pools, Reach};
pub use run::{CaseResult, Failure, run};
pub use vary::{Place, Var};
