//! `check --plugins`: what vocabularies declare of plugins against the plugins' manifests.
use crate::cli::CliError;
use crate::counter::plugged::fit::declared;
use crate::counter::plugged::fits;
use crate::lang::diagnostic::Diagnostic;
use crate::plugins::manifest::Manifest;
use crate::rulebook::Rulebooks;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The name of a manifest, in a folder and in a package.
const MANIFEST: &str = "plugin.toml";
/// Bytes of a manifest; more is none.
const MOST: u64 = 1 << 20;
/// Folders within folders that are looked into.
const DEEP: usize = 6;

/// The manifests of all plugins below a folder: `plugin.toml` as it lies there, or in a package `*.zgp`.
///
/// # Errors
/// Where the folder, a package or a manifest cannot be read.
pub(super) fn manifests(folder: &Path) -> Result<Vec<Manifest>, CliError> {
    let mut files = Vec::new();
    gather(folder, DEEP, &mut files)?;
    files.sort();
    files.iter().map(|path| manifest(path)).collect()
}

fn gather(folder: &Path, deep: usize, files: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let unread = |error: std::io::Error| CliError::Usage(format!("{}: {error}", folder.display()));
    for entry in std::fs::read_dir(folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        if path.is_dir() && deep > 0 {
            gather(&path, deep - 1, files)?;
        } else if path.ends_with(MANIFEST) || path.extension().is_some_and(|e| e == "zgp") {
            files.push(path);
        }
    }
    Ok(())
}

fn manifest(path: &Path) -> Result<Manifest, CliError> {
    let bad = |why: String| CliError::Usage(format!("{}: {why}", path.display()));
    let file = std::fs::File::open(path).map_err(|e| bad(e.to_string()))?;
    let mut text = String::new();
    if path.ends_with(MANIFEST) {
        file.take(MOST).read_to_string(&mut text).map_err(|e| bad(e.to_string()))?;
    } else {
        let mut package = zip::ZipArchive::new(file).map_err(|e| bad(e.to_string()))?;
        let inside = package.by_name(MANIFEST).map_err(|e| bad(e.to_string()))?;
        inside.take(MOST).read_to_string(&mut text).map_err(|e| bad(e.to_string()))?;
    }
    toml::from_str(&text).map_err(|e| bad(e.to_string()))
}

/// What does not fit, at the place in the vocabulary.
pub(super) fn misfits(books: &Rulebooks, manifests: &[Manifest]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for book in &books.books {
        let vocab = &book.typed.vocab;
        for (fact, source) in declared(vocab).filter(|(_, s)| manifests.iter().all(|m| m.id != s.plugin)) {
            let message = format!("`{fact}` comes from plugin `{}`, which is not there", source.plugin);
            let help = "put its manifest or package into the folder, or name the plugin that is meant";
            found.push(Diagnostic::error("E0812", source.span, message).help(help));
        }
        for misfit in manifests.iter().flat_map(|manifest| fits(vocab, manifest)) {
            found.push(Diagnostic::error("E0812", misfit.span, misfit.message).help(misfit.help));
        }
    }
    // A vocabulary that several rulebooks share is looked at with each of them.
    found.sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
    found.dedup();
    found
}
