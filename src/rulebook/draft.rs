//! A rulebook as it is being written: unsaved texts stand for its files, and what can be known of it is known also
//! where it does not check.
use crate::lang::accept::Acceptance;
use crate::lang::ast;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::index::Index;
use crate::lang::source::{FileId, SourceMap, Span};
use crate::rulebook::files::{self, Overlay};
use crate::rulebook::load::{self, Checked, Parsed, Parses, Work};
use crate::rulebook::{LoadError, Rulebooks, depth};
use std::path::{Path, PathBuf};

/// One rulebook, parsed and checked as far as it goes.
#[derive(Debug)]
pub struct Draft {
    pub sources: SourceMap,
    /// Sorted by file and place.
    pub findings: Vec<Diagnostic>,
    /// What names mean; `None` if something that decides could not be read.
    pub index: Option<Index>,
    /// In the order of the files' numbers, without `..`; a table's file may have a second number beyond.
    paths: Vec<PathBuf>,
    parsed: Parsed,
    acceptances: Vec<Acceptance>,
    /// Only if no finding is an error.
    checked: Option<Checked>,
}

impl Draft {
    /// Where a file lies.
    pub fn path(&self, file: FileId) -> Option<&Path> {
        if let Some(path) = self.paths.get(file.0 as usize) {
            return Some(path);
        }
        // A table's rows are entered under the name that its policy gives, once more.
        let name = files::shown(Path::new(self.sources.name(file)));
        self.paths.iter().find(|p| p.as_path() == Path::new(&name)).map(PathBuf::as_path)
    }

    /// The number of a file.
    pub fn file(&self, path: &Path) -> Option<FileId> {
        self.paths.iter().position(|p| p == path).map(|at| FileId(at as u32))
    }

    /// Every file that was read.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// What a file holds.
    pub fn tree(&self, file: FileId) -> Option<&ast::File> {
        self.parsed.iter().find(|((id, _), _)| *id == file).map(|(_, tree)| &**tree)
    }

    /// The text of a place.
    pub fn snippet(&self, span: Span) -> &str {
        self.sources.snippet(span)
    }

    /// Whether it has no errors.
    pub fn is_good(&self) -> bool {
        self.checked.is_some()
    }

    /// The rulebook, linked and ready to decide; `None` if it has errors.
    pub fn rulebooks(&self) -> Option<Rulebooks> {
        self.checked.clone().map(|checked| Rulebooks::new(vec![checked.link()]))
    }

    /// What the analysis of the rulebook found, but for what the policies accept.
    pub fn not_accepted(&self, mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
        load::settle_analysis(&mut found, &self.acceptances);
        found
    }
}

/// Reads and checks the rulebook of one manifest, as [`super::load`] does for all below a folder.
pub fn draft(manifest: &Path, overlay: &Overlay, parses: &mut Parses) -> Result<Draft, LoadError> {
    let read = files::read_one(manifest, overlay.clone())?;
    let done = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("check".into()).stack_size(depth::STACK);
        let work =
            thread.spawn_scoped(scope, || load::work(read, parses, true)).map_err(LoadError::Thread)?;
        work.join().map_err(|_| LoadError::Thread(std::io::Error::other("it ended early")))
    })?;
    let Work { sources, findings, acceptances, mut done, mut indexes, parsed, paths, .. } = done;
    let paths = paths.iter().map(|path| PathBuf::from(files::shown(path))).collect();
    let good = findings.iter().all(|d| !d.is_error());
    let checked = if good { done.pop() } else { None };
    Ok(Draft { sources, findings, index: indexes.pop(), paths, parsed, acceptances, checked })
}
