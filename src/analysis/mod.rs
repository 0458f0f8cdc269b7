//! What is wrong with a rulebook although every line of it is right: found with facts that show it.
//!
//! Invariants: every finding that names facts was verified by deciding on them; the same rulebook gives the same
//! findings in the same order; work is bounded by steps, never by time. Nothing here runs while a store is served.
mod cliffs;
mod contexts;
pub mod goal;
mod in_force;
mod paths;
mod rules;
mod same;
pub mod search;
pub mod space;
mod tables;
mod weaker;
pub mod words;

use crate::lang::diagnostic::{self, Diagnostic};
use crate::lang::source::Span;
use crate::rulebook::{Book, Rulebooks};

/// Everything that the analysis finds in rulebooks that were loaded without an error, sorted by file and place.
pub fn analyse(books: &Rulebooks) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = books.books.iter().flat_map(book).collect();
    // A table with a gap is told once: at the table.
    let gaps: Vec<Span> = found.iter().filter(|d| d.code == "W0601").flat_map(places).collect();
    let at_a_gap = |d: &Diagnostic| rules::table_of(d).is_some_and(|t| gaps.iter().any(|g| touches(*g, t)));
    found.retain(|d| !at_a_gap(d));
    diagnostic::sort(&mut found);
    found.dedup();
    found
}

/// Everything that a finding points at.
fn places(d: &Diagnostic) -> Vec<Span> {
    d.notes.iter().map(|n| n.span).chain([d.span]).collect()
}

fn touches(a: Span, b: Span) -> bool {
    a.file == b.file && a.start <= b.end && b.start <= a.end
}

/// One rulebook: each analysis sees all its programs, and says of each finding whom it concerns.
fn book(book: &Book) -> Vec<Diagnostic> {
    let contexts = contexts::Contexts::of(book);
    let tables = tables::analyse(book, &contexts);
    let mut found = rules::analyse(book);
    // A gap of a table is told once, at the table, and not again at what reads it.
    let gaps: Vec<String> =
        tables.iter().filter(|d| d.code == "W0601").filter_map(|d| table_named(&d.message)).collect();
    found.retain(|d| d.code != "W0614" || !gaps.iter().any(|gap| d.message.contains(gap.as_str())));
    found.extend(tables);
    found.extend(in_force::analyse(book));
    found.extend(weaker::analyse(book, &contexts));
    found.extend(cliffs::analyse(book, &contexts));
    found
}

/// `no row of `t` fits …` as a fault of an output says it: `no row of table t fits`.
fn table_named(message: &str) -> Option<String> {
    let name = message.split('`').nth(1)?;
    Some(format!("no row of table {name} fits"))
}
