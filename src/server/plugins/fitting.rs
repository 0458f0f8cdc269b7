//! Whether a plugin keeps what the policies in force declare of it.
use crate::counter::plugged::{Misfit, fits};
use crate::plugins::manifest::Manifest;
use crate::rulebook::Rulebooks;
use crate::server::problem::Problem;
use serde_json::{Value, json};
use std::sync::Arc;

/// # Errors
/// What does not fit, by rulebook and fact: a policy would get answers of another type, or none.
pub fn fitting(books: &Rulebooks, manifest: &Manifest) -> Result<(), Problem> {
    let misfits: Vec<Value> = misfits(books, manifest)
        .map(|(book, m)| json!({ "rulebook": book, "fact": m.fact, "message": m.message, "help": m.help }))
        .collect();
    if misfits.is_empty() {
        return Ok(());
    }
    let detail = format!("{} of the facts that the policies ask it for", misfits.len());
    Err(Problem::vocabulary_mismatch(detail).with("misfits", misfits))
}

/// Whether all of them keep what these policies declare.
///
/// # Errors
/// What does not fit, a line for each fact.
pub fn all_fit(books: &Rulebooks, manifests: &[Arc<Manifest>]) -> Result<(), String> {
    let line = |(book, m): (&str, Misfit)| format!("{book}, fact `{}`: {}; {}", m.fact, m.message, m.help);
    let lines: Vec<String> = manifests.iter().flat_map(|m| misfits(books, m).map(line)).collect();
    if lines.is_empty() { Ok(()) } else { Err(lines.join("\n")) }
}

fn misfits<'a>(books: &'a Rulebooks, manifest: &'a Manifest) -> impl Iterator<Item = (&'a str, Misfit)> {
    books.books.iter().flat_map(|book| {
        fits(&book.typed.vocab, manifest).into_iter().map(|misfit| (book.name.as_str(), misfit))
    })
}
