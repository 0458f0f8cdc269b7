//! Reading: every `rulebook.toml` below a folder and the files that it names, each at most 1 MiB (tables 16 MiB).
//!
//! Nothing is understood here but manifests; the same bytes give the same fingerprint, which is how changes are noticed.
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::{FileId, SourceMap, Span};
use crate::program::LANGUAGE;
use crate::rulebook::LoadError;
use crate::rulebook::manifest::{self, Manifest};
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::Spanned;

/// The largest file that is read.
pub const MAX_FILE: u64 = 1 << 20;
/// Tables of thousands of rows are larger than any text that a person writes.
pub const MAX_CSV: u64 = 16 << 20;
/// More files than any rulebook has: somebody gave the wrong folder.
const MAX_FILES: usize = 20_000;

/// Why a finding about a file that was not read may be the only one.
const LATER: &str = "the rest of the rulebook is checked once this file can be read";

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Vocabulary,
    Policy,
    Cases,
    Csv,
}

/// One file of a rulebook.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) file: FileId,
    pub(super) kind: Kind,
    /// From the manifest's folder, with `/`.
    pub(super) relative: String,
}

/// The files of one rulebook.
#[derive(Debug, Clone)]
pub(super) struct BookFiles {
    pub(super) manifest_file: FileId,
    pub(super) manifest: Manifest,
    pub(super) files: Vec<Entry>,
    /// Something that decides is missing or could not be read: what the other files say of it would be wrong.
    pub(super) unread: bool,
    /// SHA-256 over the language's version and everything that decides: the manifest, and the path and bytes of every
    /// file but cases, hex.
    pub(super) digest: String,
}

/// All that was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) sources: SourceMap,
    pub(super) findings: Vec<Diagnostic>,
    pub(super) books: Vec<BookFiles>,
    /// Every file read, for watching.
    pub(super) paths: Vec<PathBuf>,
    known: FxHashMap<PathBuf, FileId>,
    overlay: Overlay,
    refused: BTreeSet<FileId>,
    hash: Sha256,
}

impl Read {
    /// The same for the same bytes in the same files.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }
}

/// Texts that stand for files: what an editor holds and has not saved. Read instead of the file of that path.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    texts: BTreeMap<PathBuf, Arc<str>>,
}

impl Overlay {
    /// Lets a text stand for a file that exists.
    pub fn put(&mut self, path: &Path, text: Arc<str>) {
        self.texts.insert(identity(path), text);
    }
    /// The file counts again.
    pub fn remove(&mut self, path: &Path) {
        self.texts.remove(&identity(path));
    }
    /// The text that stands for a file.
    pub fn get(&self, path: &Path) -> Option<&Arc<str>> {
        self.texts.get(&identity(path))
    }
}

/// One path for each file, however it is written.
fn identity(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Every `rulebook.toml` below a folder, sorted.
pub fn manifests(dir: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let mut manifests = Vec::new();
    let mut seen = 0;
    find(dir, &mut seen, &mut |path| {
        if path.file_name().is_some_and(|n| n == "rulebook.toml") {
            manifests.push(path.to_owned());
        }
    })?;
    manifests.sort();
    Ok(manifests)
}

/// Reads one rulebook; `overlay` stands for files of which the editor holds another text.
pub(super) fn read_one(manifest: &Path, overlay: Overlay) -> Result<Read, LoadError> {
    let mut read = Read { overlay, ..Read::default() };
    let folder = manifest.parent().unwrap_or(Path::new("."));
    let others = manifests(folder)?;
    let folders: BTreeSet<PathBuf> = others.iter().filter_map(|m| m.parent().map(Path::to_owned)).collect();
    book(&mut read, manifest, &folders)?;
    Ok(read)
}

/// Reads all rulebooks below a folder.
pub(super) fn read(dir: &Path) -> Result<Read, LoadError> {
    let mut read = Read::default();
    if !dir.is_dir() {
        return Err(LoadError::NotAFolder(dir.to_owned()));
    }
    let manifests = manifests(dir)?;
    if manifests.is_empty() {
        return Err(LoadError::NoRulebook(dir.to_owned()));
    }
    let folders: BTreeSet<PathBuf> =
        manifests.iter().filter_map(|m| m.parent().map(Path::to_owned)).collect();
    for path in &manifests {
        book(&mut read, path, &folders)?;
    }
    Ok(read)
}

fn book(read: &mut Read, path: &Path, folders: &BTreeSet<PathBuf>) -> Result<(), LoadError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let manifest_file = add(read, path)?;
    let manifest = match manifest::parse(manifest_file, read.sources.text(manifest_file)) {
        Ok(manifest) => manifest,
        Err(finding) => {
            read.findings.push(*finding);
            return Ok(());
        }
    };
    let mut files = Vec::new();
    let mut unread = false;
    for name in manifest.vocabulary.iter() {
        let vocab = folder.join(name.get_ref());
        if !vocab.is_file() {
            let at = manifest::place(manifest_file, name);
            let message = format!("there is no file {}", shown(&vocab));
            let help = format!("paths start at the manifest's folder; {LATER}");
            read.findings.push(Diagnostic::error("E0804", at, message).help(help));
            unread = true;
            continue;
        }
        files.push(Entry {
            file: add(read, &vocab)?,
            kind: Kind::Vocabulary,
            relative: name.get_ref().clone(),
        });
    }
    let mut below = Vec::new();
    let mut seen = 0;
    find_in(folder, folders, &mut seen, &mut |path| below.push(path.to_owned()))?;
    below.sort();
    for path in below {
        let relative = relative(folder, &path);
        let kind = if matches(&manifest.policies, &relative) {
            Kind::Policy
        } else if matches(&manifest.cases, &relative) {
            Kind::Cases
        } else if relative.ends_with(".csv") {
            Kind::Csv
        } else {
            continue;
        };
        files.push(Entry { file: add(read, &path)?, kind, relative });
    }
    let digest = digest(&read.sources, manifest_file, &files);
    unread |= files.iter().any(|f| f.kind != Kind::Cases && read.refused.contains(&f.file));
    read.books.push(BookFiles { manifest_file, manifest, files, unread, digest });
    Ok(())
}

fn digest(sources: &SourceMap, manifest: FileId, files: &[Entry]) -> String {
    let mut hash = Sha256::new();
    put(&mut hash, LANGUAGE.as_bytes());
    put(&mut hash, sources.text(manifest).as_bytes());
    let mut deciding: Vec<&Entry> = files.iter().filter(|f| f.kind != Kind::Cases).collect();
    deciding.sort_by(|a, b| a.relative.cmp(&b.relative));
    for entry in deciding {
        put(&mut hash, entry.relative.as_bytes());
        put(&mut hash, sources.text(entry.file).as_bytes());
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// Each part with its length, so that no two lists of parts look alike.
fn put(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

/// Reads a file once, however many rulebooks name it; one that cannot be used is a finding and reads as empty.
fn add(read: &mut Read, path: &Path) -> Result<FileId, LoadError> {
    let identity = identity(path);
    if let Some(&file) = read.known.get(&identity) {
        return Ok(file);
    }
    let fail = |error| LoadError::Io { path: path.to_owned(), error };
    let most = if path.extension().is_some_and(|e| e == "csv") { MAX_CSV } else { MAX_FILE };
    let mut bytes = Vec::new();
    match read.overlay.texts.get(&identity) {
        Some(text) => bytes.extend_from_slice(text.as_bytes()),
        None => {
            let source = fs::File::open(path).map_err(fail)?;
            source.take(most + 1).read_to_end(&mut bytes).map_err(fail)?;
        }
    }
    let too_big = bytes.len() as u64 > most;
    put(&mut read.hash, path.as_os_str().as_encoded_bytes());
    put(&mut read.hash, &bytes);
    let text = String::from_utf8(bytes);
    let refused = match &text {
        _ if too_big => {
            let message = format!("the file is larger than {} MiB", most >> 20);
            Some(("E0805", message, "split it into several files"))
        }
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            Some((
                "E0806",
                format!("the file is not UTF-8 (at byte {at})"),
                "save it as UTF-8; a file saved as GBK or GB18030 must be converted",
            ))
        }
        Ok(_) => None,
    };
    let file = read
        .sources
        .add(shown(path), if refused.is_some() { String::new() } else { text.unwrap_or_default() });
    if let Some((code, message, help)) = refused {
        let help = format!("{help}; {LATER}");
        read.findings.push(Diagnostic::error(code, Span::new(file, 0, 0), message).help(help));
        read.refused.insert(file);
    }
    read.known.insert(identity, file);
    read.paths.push(path.to_owned());
    Ok(file)
}

/// The path as people write it, `..` resolved where that is plain text.
pub(super) fn shown(path: &Path) -> String {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir
                if matches!(out.components().next_back(), Some(std::path::Component::Normal(_))) =>
            {
                out.pop();
            }
            std::path::Component::CurDir => {}
            other => out.push(other),
        }
    }
    out.display().to_string()
}

fn relative(folder: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(folder).unwrap_or(path).components();
    parts.map(|p| p.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join("/")
}

/// Every file below a folder; hidden ones and linked folders are passed over.
fn find(dir: &Path, seen: &mut usize, each: &mut dyn FnMut(&Path)) -> Result<(), LoadError> {
    find_in(dir, &BTreeSet::new(), seen, each)
}

/// As [`find`], but not into the other rulebooks' folders.
fn find_in(
    dir: &Path,
    others: &BTreeSet<PathBuf>,
    seen: &mut usize,
    each: &mut dyn FnMut(&Path),
) -> Result<(), LoadError> {
    let fail = |error| LoadError::Io { path: dir.to_owned(), error };
    for entry in fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let path = entry.path();
        *seen += 1;
        if *seen > MAX_FILES {
            return Err(LoadError::TooManyFiles(dir.to_owned()));
        }
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type().map_err(fail)?.is_dir() {
            if !others.contains(&path) {
                find_in(&path, others, seen, each)?;
            }
        } else if path.is_file() {
            each(&path);
        }
    }
    Ok(())
}

/// A pattern without `/` is for file names anywhere below; one with `/` is for paths. `*` stands for anything but `/`,
/// `**` for anything.
fn matches(patterns: &[Spanned<String>], relative: &str) -> bool {
    let name = relative.rsplit('/').next().unwrap_or(relative);
    patterns.iter().map(Spanned::get_ref).any(|p| {
        let subject = if p.contains('/') { relative } else { name };
        glob(p.as_bytes(), subject.as_bytes())
    })
}

/// Keeps the last `*` to come back to, so it takes no more than pattern × text steps.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize, bool)> = None;
    loop {
        match (pattern.get(p), text.get(t)) {
            (Some(b'*'), _) => {
                let double = pattern.get(p + 1) == Some(&b'*');
                p += if double { 2 } else { 1 };
                back = Some((p, t, double));
            }
            (Some(a), Some(b)) if a == b => {
                p += 1;
                t += 1;
            }
            (None, None) => return true,
            _ => match back {
                Some((after, from, double)) if text.get(from).is_some_and(|c| double || *c != b'/') => {
                    back = Some((after, from + 1, double));
                    p = after;
                    t = from + 1;
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let yes = |p: &str, t: &str| assert!(matches(&[Spanned::new(0..0, p.to_owned())], t), "{p} {t}");
        let no = |p: &str, t: &str| assert!(!matches(&[Spanned::new(0..0, p.to_owned())], t), "{p} {t}");
        yes("*.policy", "a.policy");
        yes("*.policy", "x/y/退换.policy");
        yes("x/*.policy", "x/a.policy");
        yes("x/**.policy", "x/y/a.policy");
        yes("a*b*c", "aXbXbXc");
        no("x/*.policy", "x/y/a.policy");
        no("*.policy", "a.policy.bak");
        no("a.policy", "b/aa.policy");
        no("a*", "b");
    }

    #[test]
    fn files_are_read_once_and_the_digest_follows_what_decides() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let manifest =
            |n: &str| format!("name = \"{n}\"\nvocabulary = [\"../v.vocab\"]\nlayers = [\"chain\"]\n");
        put("v.vocab", "vocabulary v version 1\n");
        put("a/rulebook.toml", &manifest("a"));
        put("a/sub/x.policy", "one");
        put("a/t.csv", "1");
        put("a/x.cases", "c");
        put("a/.hidden.policy", "no");
        put("a/notes.txt", "no");
        put("b/rulebook.toml", &manifest("b"));
        let first = read(dir.path()).unwrap();
        assert_eq!(first.findings, []);
        let names = |b: &BookFiles| b.files.iter().map(|f| f.relative.clone()).collect::<Vec<_>>();
        assert_eq!(names(&first.books[0]), ["../v.vocab", "sub/x.policy", "t.csv", "x.cases"]);
        assert_eq!(first.books[0].files[0].file, first.books[1].files[0].file);
        put("a/x.cases", "other");
        let second = read(dir.path()).unwrap();
        assert_eq!(first.books[0].digest, second.books[0].digest);
        assert_ne!(first.fingerprint(), second.fingerprint());
        put("a/t.csv", "2");
        let third = read(dir.path()).unwrap();
        assert_ne!(first.books[0].digest, third.books[0].digest);
        assert_eq!(first.books[1].digest, third.books[1].digest);
    }

    #[test]
    fn unusable_files_are_findings() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(read(dir.path()), Err(LoadError::NoRulebook(_))));
        assert!(matches!(read(&dir.path().join("none")), Err(LoadError::NotAFolder(_))));
        fs::write(
            dir.path().join("rulebook.toml"),
            "name = \"a\"\nvocabulary = [\"no.vocab\"]\nlayers = []\n",
        )
        .unwrap();
        fs::write(dir.path().join("big.policy"), vec![b' '; (MAX_FILE + 1) as usize]).unwrap();
        fs::write(dir.path().join("rows.csv"), vec![b' '; (MAX_FILE + 1) as usize]).unwrap();
        fs::write(dir.path().join("latin.policy"), b"caf\xe9").unwrap();
        let codes: Vec<&str> = read(dir.path()).unwrap().findings.iter().map(|d| d.code).collect();
        assert_eq!(codes, ["E0804", "E0805", "E0806"]);
    }
}
