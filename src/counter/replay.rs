//! Deciding again what was decided: from the record alone, by the texts that were in force then.
use crate::counter::plugged::{explained, notes_of, whys};
use crate::program::facts::Facts;
use crate::records::engine::link_hash;
use crate::records::entity::{decision, rulebook};
use crate::rulebook::{Rulebooks, load};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Why a decision cannot be decided again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("the texts of the rulebook are damaged: {0}")]
    Texts(String),
    #[error("the texts cannot be laid out: {0}")]
    Io(#[from] std::io::Error),
    #[error("the rulebook does not load: {0}")]
    Load(String),
    #[error("{0}")]
    Facts(String),
}

/// What deciding again came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Whether the answer is the same, byte for byte.
    pub same: bool,
    /// Whether the record is the one that the chain vouches for.
    pub hash_holds: bool,
    /// What is decided now, as JSON.
    pub outcome: String,
    /// Values, roundings, and why the other rules did not apply, as JSON.
    pub explanation: String,
}

/// Loads a rulebook from the texts that were kept of it.
pub fn rulebooks_of(kept: &rulebook::Model) -> Result<Rulebooks, ReplayError> {
    let files: BTreeMap<String, String> =
        serde_json::from_str(&kept.files).map_err(|e| ReplayError::Texts(e.to_string()))?;
    // Texts may lie above the manifest's folder (`../retail.vocab`): the manifest goes as deep as they climb.
    let climbs = |path: &str| Path::new(path).components().filter(|c| *c == Component::ParentDir).count();
    let depth = files.keys().map(|path| climbs(path)).max().unwrap_or(0);
    if depth > 8 || files.keys().any(|path| Path::new(path).is_absolute()) {
        return Err(ReplayError::Texts("a path leads out of the rulebook".into()));
    }
    let top = Scratch::new(&kept.digest)?;
    let folder = (0..depth).fold(top.0.clone(), |path, n| path.join(format!("d{n}"))).join("book");
    std::fs::create_dir_all(&folder)?;
    for (path, text) in &files {
        let to = folder.join(path);
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(to, text)?;
    }
    let loaded = load(&top.0).map_err(|e| ReplayError::Load(e.to_string()))?;
    let errors = loaded.error_lines().join("; ");
    loaded.rulebooks.ok_or(ReplayError::Load(errors))
}

/// Decides again.
pub fn replay(record: &decision::Model, books: &Rulebooks) -> Result<Replayed, ReplayError> {
    let none = |what: &str| ReplayError::Load(format!("the rulebook has no {what}"));
    let store = books.store(&record.store).ok_or_else(|| none("such store"))?;
    let program = &store.program;
    let id = program.decision(&record.decision).ok_or_else(|| none("such decision"))?;
    let mut facts = Facts::default();
    program
        .binder()
        .bind_into(record.facts.as_bytes(), &mut facts)
        .map_err(|e| ReplayError::Facts(e.message))?;
    // What plugins said stands in the facts; the record says what they were, so none is needed again.
    let notes = notes_of(record.plugins.as_deref());
    let mut outcome = String::new();
    program.renderer().render_with(&mut outcome, &program.decide(id, &facts), None, &whys(&notes));
    Ok(Replayed {
        same: outcome == record.outcome,
        hash_holds: link_hash(record) == record.hash,
        explanation: explained(program.explanation(id, &facts), &notes),
        outcome,
    })
}

/// A folder of our own below the system's, removed when it is done with.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Result<Scratch, std::io::Error> {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let short: String = name.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
        let path = std::env::temp_dir().join(format!("zhanggui-{short}-{}-{nth}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
