//! The rulebooks that the open texts belong to, and what is known of each.
use crate::lang::diagnostic::Diagnostic;
use crate::lang::index::Index;
use crate::lang::source::FileId;
use crate::lsp::analysed::carried;
use crate::lsp::place::plain;
use crate::rulebook::{Draft, Overlay, Parses, draft, manifests};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One rulebook.
#[derive(Debug, Default)]
pub(super) struct Book {
    parses: Parses,
    /// As the texts are now, or were when it was last looked at.
    pub(super) draft: Option<Arc<Draft>>,
    /// Why it cannot be read at all.
    pub(super) unreadable: Option<String>,
    /// The texts have changed since.
    pub(super) stale: bool,
    /// Counts the looks, so that late results of older texts are known.
    pub(super) look: u64,
    /// What the analysis found, in this look or, where its texts are still the same, in an earlier one.
    pub(super) analysed: Vec<Diagnostic>,
    /// The look that was analysed last, or is being analysed.
    pub(super) analysed_look: u64,
}

impl Book {
    /// Reads, parses what changed, and checks.
    fn refresh(&mut self, manifest: &Path, overlay: &Overlay) {
        self.stale = false;
        self.look += 1;
        let found = std::mem::take(&mut self.analysed);
        let before = self.draft.take();
        match draft(manifest, overlay, &mut self.parses) {
            Ok(draft) => {
                if let Some(before) = before {
                    self.analysed = carried(&before, &draft, found);
                }
                self.draft = Some(Arc::new(draft));
                self.unreadable = None;
            }
            Err(error) => {
                self.unreadable = Some(error.to_string());
            }
        }
    }

    pub(super) fn index(&self) -> Option<&Index> {
        self.draft.as_ref()?.index.as_ref()
    }
}

/// All rulebooks met so far, by the path of their manifest.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) all: BTreeMap<PathBuf, Book>,
    folders: Vec<PathBuf>,
}

impl Books {
    pub(super) fn new(folders: Vec<PathBuf>) -> Books {
        Books { all: BTreeMap::new(), folders }
    }

    /// Makes sure that the rulebooks of a file are known: that of its folder, and for a vocabulary all of the workspace,
    /// since any may name it.
    pub(super) fn meet(&mut self, path: &Path) {
        let above = path.ancestors().skip(1).map(|folder| folder.join("rulebook.toml"));
        if let Some(manifest) = above.into_iter().find(|m| m.is_file()) {
            self.add(manifest);
        }
        if path.extension().is_some_and(|e| e == "vocab") {
            for folder in self.folders.clone() {
                for manifest in manifests(&folder).unwrap_or_default() {
                    self.add(plain(&manifest));
                }
            }
        }
    }

    fn add(&mut self, manifest: PathBuf) {
        self.all.entry(manifest).or_insert_with(|| Book { stale: true, ..Book::default() });
    }

    /// A file changed: whoever reads it, or may begin to, must look again.
    pub(super) fn touch(&mut self, path: &Path) {
        for (manifest, book) in &mut self.all {
            let below = manifest.parent().is_some_and(|folder| path.starts_with(folder));
            let reads = book.draft.as_ref().is_some_and(|d| d.file(path).is_some());
            book.stale |= below || reads || book.draft.is_none();
        }
    }

    /// Looks again at what has changed; the manifests of those looked at, the one of `first` before others.
    pub(super) fn refresh(&mut self, overlay: &Overlay, first: Option<&Path>) -> Vec<PathBuf> {
        let mut stale: Vec<PathBuf> =
            self.all.iter().filter(|(_, b)| b.stale).map(|(m, _)| m.clone()).collect();
        stale.sort_by_key(|m| !m.parent().zip(first).is_some_and(|(folder, path)| path.starts_with(folder)));
        for manifest in &stale {
            if let Some(book) = self.all.get_mut(manifest) {
                book.refresh(manifest, overlay);
            }
        }
        stale
    }

    pub(super) fn is_stale(&self) -> bool {
        self.all.values().any(|b| b.stale)
    }

    /// The rulebook in which to look something of a file up, and the file's number in it. A shared vocabulary belongs to
    /// several: the first.
    pub(super) fn of(&self, path: &Path) -> Option<(&PathBuf, &Book, &Arc<Draft>, FileId)> {
        self.all.iter().find_map(|(manifest, book)| {
            let draft = book.draft.as_ref()?;
            Some((manifest, book, draft, draft.file(path)?))
        })
    }

    /// All rulebooks that read a file.
    pub(super) fn readers(&self, path: &Path) -> Vec<(&Arc<Draft>, FileId)> {
        let drafts = self.all.values().filter_map(|book| book.draft.as_ref());
        drafts.filter_map(|draft| Some((draft, draft.file(path)?))).collect()
    }
}
