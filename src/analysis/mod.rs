//! What is wrong with a rulebook although every line of it is right: found with facts that show it.
//!
//! Invariants: every finding that names facts was verified by deciding on them; the same rulebook gives the same
//! findings in the same order; work is bounded by steps, never by time. Nothing here runs while a store is served.
pub mod goal;
mod rules;
mod same;
pub mod search;
pub mod space;
pub mod words;

use crate::lang::diagnostic::{self, Diagnostic};
use crate::rulebook::{Book, Rulebooks};

/// Everything that the analysis finds in rulebooks that were loaded without an error, sorted by file and place.
pub fn analyse(books: &Rulebooks) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = books.books.iter().flat_map(book).collect();
    diagnostic::sort(&mut found);
    found.dedup();
    found
}

/// One rulebook: each analysis sees all its programs, and says of each finding whom it concerns.
fn book(book: &Book) -> Vec<Diagnostic> {
    #[allow(unused_mut, reason = "x")]
    let mut found = rules::analyse(book);
    // Analyses are appended here, one line each: `found.extend(tables::analyse(book));`
    found
}
