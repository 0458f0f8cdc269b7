//! Whether a plugin keeps what the policies in force declare of it.
use crate::counter::plugged::fits;
use crate::plugins::manifest::Manifest;
use crate::rulebook::Rulebooks;
use crate::server::problem::Problem;
use serde_json::{Value, json};

/// # Errors
/// What does not fit, by rulebook and fact: a policy would get answers of another type, or none.
pub fn fitting(books: &Rulebooks, manifest: &Manifest) -> Result<(), Problem> {
    let misfits: Vec<Value> = books
        .books
        .iter()
        .flat_map(|book| fits(&book.typed.vocab, manifest).into_iter().map(move |misfit| (book, misfit)))
        .map(|(book, m)| json!({ "rulebook": book.name, "fact": m.fact, "message": m.message, "help": m.help }))
        .collect();
    if misfits.is_empty() {
        return Ok(());
    }
    let detail = format!("{} of the facts that the policies ask it for", misfits.len());
    Err(Problem::vocabulary_mismatch(detail).with("misfits", misfits))
}
