//! Literate cases: facts, a decision, and what is expected of it; run in parallel, by both evaluators.
mod coverage;
mod run;
mod verdict;

pub use coverage::{Coverage, line as coverage_line};
pub use run::{CaseResult, Failure, run};
