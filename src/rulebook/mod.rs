//! Which program governs a store: manifests, loading, layers, and the swap to changed files.
//!
//! Invariants: what serves has checked without errors; it is swapped whole; nothing here evaluates a decision.
mod clashes;
mod depth;
mod draft;
mod files;
mod load;
mod manifest;
mod program;
mod registry;
pub mod stated;
mod stores;
mod terms;
mod watch;

pub use draft::{Draft, draft};
pub use files::{MAX_FILE, Overlay, manifests};
pub use load::{Loaded, Parses, load};
pub use manifest::StoreDef;
pub use program::{Book, Program, Rulebooks, Store};
pub use registry::{OpenError, Registry, Reload, ReloadState};
pub use terms::{ClawbackRule, CounterTerms, LedgerTerms, SpendOrder, Terms};
pub use watch::Watch;

use std::path::PathBuf;

/// Why files cannot be read at all. What is wrong inside them are findings, not errors.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("{} is not a folder", .0.display())]
    NotAFolder(PathBuf),
    #[error("there is no rulebook.toml below {}", .0.display())]
    NoRulebook(PathBuf),
    #[error("there are too many files below {}", .0.display())]
    TooManyFiles(PathBuf),
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    #[error("cannot read {}: {error}", path.display())]
    Io { path: PathBuf, error: std::io::Error },
}
