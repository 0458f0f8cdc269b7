//! Typed policy to evaluator; facts in, outcome out.
//!
//! Invariants: evaluation is a pure function of (program, facts); it never does I/O and never reads a clock.
//! The reference walk is the meaning; the compiled program must answer the same bytes.
pub(crate) mod amount;
pub mod ask;
pub mod bind;
pub mod code;
pub mod compile;
pub mod dates;
pub mod explain;
pub mod facts;
pub mod fill;
pub mod iso;
mod json;
pub mod limits;
pub mod link;
pub mod literal;
pub mod outcome;
pub mod render;
pub mod round;
mod symbols;
pub mod turns;
pub mod value;
pub mod vm;
pub mod walk;

/// The version of the language; part of every program's digest and of every answer.
pub const LANGUAGE: &str = "1";
