//! `check --plugins`: what vocabularies declare of plugins against the plugins' manifests.
use crate::cli::{CliError, Console};
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

/// The plugins that vocabularies are held against.
#[derive(Debug, Default)]
pub(super) struct Plugins {
    manifests: Vec<Manifest>,
    /// What cannot be read, and why.
    unread: Vec<String>,
    /// One was named and not a folder: those that are not there are not missed.
    alone: bool,
}

/// The plugins below a folder, or this one: `plugin.toml` as it lies there, or in a package `*.zgp`.
///
/// # Errors
/// The folder cannot be read, or it is neither a folder nor a plugin. What is damaged in it is kept with the others.
pub(super) fn plugins(at: &Path) -> Result<Plugins, CliError> {
    let mut plugins = Plugins { alone: is_plugin(at) && at.is_file(), ..Plugins::default() };
    let mut files = Vec::new();
    if plugins.alone {
        files.push(at.to_owned());
    } else if at.is_file() {
        let why = format!("{}: neither a folder nor a package (.zgp) nor a {MANIFEST}", at.display());
        return Err(CliError::Usage(why));
    } else {
        gather(at, DEEP, &mut files, &mut plugins.unread).map_err(CliError::Usage)?;
    }
    files.sort();
    for path in files {
        match manifest(&path) {
            Ok(manifest) => plugins.manifests.push(manifest),
            Err(why) => plugins.unread.push(why),
        }
    }
    Ok(plugins)
}

impl Plugins {
    /// # Errors
    /// Some cannot be read; each is said.
    pub(super) fn all_read(&self, console: &Console) -> Result<(), CliError> {
        let bad = self.unread.len();
        if bad == 0 {
            return Ok(());
        }
        self.unread.iter().for_each(|why| console.message(why));
        let all = bad + self.manifests.len();
        Err(CliError::Usage(format!("{bad} of {all} plugins cannot be read")))
    }
}

fn is_plugin(path: &Path) -> bool {
    path.ends_with(MANIFEST) || path.extension().is_some_and(|e| e == "zgp")
}

/// An error is about the folder itself; what is wrong below it goes to `unread`.
fn gather(
    folder: &Path,
    deep: usize,
    files: &mut Vec<PathBuf>,
    unread: &mut Vec<String>,
) -> Result<(), String> {
    let bad = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(bad)? {
        let path = entry.map_err(bad)?.path();
        if path.is_dir() && deep > 0 {
            let below = gather(&path, deep - 1, files, unread);
            unread.extend(below.err());
        } else if is_plugin(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn manifest(path: &Path) -> Result<Manifest, String> {
    let bad = |why: String| format!("{}: {why}", path.display());
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
pub(super) fn misfits(books: &Rulebooks, plugins: &Plugins) -> Vec<Diagnostic> {
    let manifests = &plugins.manifests;
    let mut found = Vec::new();
    for book in &books.books {
        let vocab = &book.typed.vocab;
        let there = |plugin: &str| plugins.alone || manifests.iter().any(|m| m.id == plugin);
        for (fact, source) in declared(vocab).filter(|(_, s)| !there(&s.plugin)) {
            let message = format!("`{fact}` comes from plugin `{}`, which is not there", source.plugin);
            let help = match plugins.unread.is_empty() {
                true => "put its manifest or package into the folder, or name the plugin that is meant",
                false => "put its manifest or package into the folder, or mend what cannot be read there",
            };
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
