//! Reading, parsing and checking everything below a folder; all findings of all files in one run.
use crate::lang::accept::{self, Acceptance, Accepted};
use crate::lang::ast::{self, FileKind};
use crate::lang::check::{RulebookText, check, check_with_index};
use crate::lang::confirm;
use crate::lang::diagnostic::{self, Diagnostic};
use crate::lang::index::Index;
use crate::lang::source::{FileId, SourceMap};
use crate::lang::syntax;
use crate::rulebook::clashes;
use crate::rulebook::depth;
use crate::rulebook::files::{self, BookFiles, Kind, Read};
use crate::rulebook::manifest::{StoreDef, place};
use crate::rulebook::stores;
use crate::rulebook::terms::Terms;
use crate::rulebook::{Book, LoadError, Rulebooks};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How the codes begin that only the analysis of a whole rulebook finds.
const ANALYSIS: &str = "W06";

/// What a folder holds.
#[derive(Debug)]
pub struct Loaded {
    pub sources: SourceMap,
    /// Sorted by file and place.
    pub findings: Vec<Diagnostic>,
    /// Warnings that the policies accept.
    pub accepted: Vec<Accepted>,
    /// What the policies accept, in text order, also where no warning met it yet: the analysis comes later.
    pub acceptances: Vec<Acceptance>,
    /// Only if no finding is an error.
    pub rulebooks: Option<Rulebooks>,
    /// Every file that was read.
    pub paths: Vec<PathBuf>,
    pub(super) fingerprint: [u8; 32],
    /// How many rulebooks, policies and cases were found, for a closing line.
    pub counts: Counts,
}

/// What was found.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub rulebooks: usize,
    pub files: usize,
}

impl Loaded {
    /// Adds what the analysis of the whole rulebook found, but for what the policies accept.
    pub fn add_analysis(&mut self, mut found: Vec<Diagnostic>) {
        self.accepted.extend(settle_analysis(&mut found, &self.acceptances));
        self.findings.extend(found);
        diagnostic::sort(&mut self.findings);
    }
    /// How many findings are errors.
    pub fn errors(&self) -> usize {
        self.findings.iter().filter(|d| d.is_error()).count()
    }
    /// All findings with source lines and carets.
    pub fn shown(&self, colour: bool) -> String {
        diagnostic::render(&self.sources, &self.findings, colour)
    }
    /// Where a file of [`Loaded::sources`] lies.
    pub fn path_of(&self, file: FileId) -> Option<&Path> {
        let name = self.sources.name(file);
        self.paths.iter().map(PathBuf::as_path).find(|path| files::shown(path) == name)
    }
    /// The errors, a line each: `file:line:column: error[code]: message`.
    pub fn error_lines(&self) -> Vec<String> {
        let line = |d: &Diagnostic| {
            let at = self.sources.start(d.span);
            let name = self.sources.name(d.span.file_id());
            format!("{name}:{}:{}: error[{}]: {}", at.line, at.column, d.code, d.message)
        };
        // A text that is torn has thousands; nobody reads more than a page.
        const PAGE: usize = 50;
        let mut lines: Vec<String> =
            self.findings.iter().filter(|d| d.is_error()).take(PAGE).map(line).collect();
        if self.errors() > PAGE {
            lines.push(format!("and {} more", self.errors() - PAGE));
        }
        lines
    }
}

/// Takes away from what the analysis found whatever the policies accept, and gives it back.
pub(super) fn settle_analysis(found: &mut Vec<Diagnostic>, acceptances: &[Acceptance]) -> Vec<Accepted> {
    accept::settle(found, acceptances, |code| code.starts_with(ANALYSIS))
}

/// Loads all rulebooks below a folder.
pub fn load(dir: &Path) -> Result<Loaded, LoadError> {
    files::read(dir).and_then(assemble)
}

/// Parses and checks what was read, on a stack that no text of the permitted size exhausts.
pub(super) fn assemble(read: Read) -> Result<Loaded, LoadError> {
    let thread = std::thread::Builder::new().name("check".into()).stack_size(depth::STACK);
    let done = thread.spawn(|| parse_and_check(read)).map_err(LoadError::Thread)?.join();
    done.map_err(|_| LoadError::Thread(std::io::Error::other("it ended early")))
}

fn parse_and_check(read: Read) -> Loaded {
    let fingerprint = read.fingerprint();
    let counts = Counts { rulebooks: read.books.len(), files: read.paths.len() };
    let Work { sources, findings, accepted, acceptances, done, paths, .. } =
        work(read, &mut Parses::default(), false);
    let good = findings.iter().all(|d| !d.is_error());
    let rulebooks = good.then(|| Rulebooks::new(done.into_iter().map(Checked::link).collect()));
    Loaded { sources, findings, accepted, acceptances, rulebooks, paths, fingerprint, counts }
}

/// Files that were parsed, by what they held: of a text that grows key by key, the other files are parsed once.
#[derive(Debug, Default)]
pub struct Parses {
    files: BTreeMap<(FileId, Kind), Parse>,
}

#[derive(Debug)]
struct Parse {
    text: String,
    file: Arc<ast::File>,
    found: Vec<Diagnostic>,
}

impl Parses {
    fn of(&mut self, sources: &SourceMap, file: FileId, kind: Kind, of: FileKind) -> &Parse {
        let text = sources.text(file);
        let parse = || {
            let (parsed, found) = syntax::parse_file(sources, file, of);
            Parse { text: text.to_owned(), file: Arc::new(parsed), found }
        };
        match self.files.entry((file, kind)) {
            Entry::Occupied(mut known) => {
                if known.get().text != text {
                    known.insert(parse());
                }
                known.into_mut()
            }
            Entry::Vacant(free) => free.insert(parse()),
        }
    }
}

/// Rulebooks parsed and checked, not yet linked.
pub(super) struct Work {
    pub(super) sources: SourceMap,
    /// Sorted by file and place.
    pub(super) findings: Vec<Diagnostic>,
    pub(super) accepted: Vec<Accepted>,
    pub(super) acceptances: Vec<Acceptance>,
    pub(super) done: Vec<Checked>,
    /// What names mean, of each rulebook that was checked, if asked for.
    pub(super) indexes: Vec<Index>,
    pub(super) parsed: Parsed,
    /// In the order of the files' numbers.
    pub(super) paths: Vec<PathBuf>,
}

/// Parses what has changed, and checks.
pub(super) fn work(read: Read, parses: &mut Parses, indexed: bool) -> Work {
    let Read { mut sources, mut findings, books, paths, .. } = read;
    let mut parsed = BTreeMap::new();
    for entry in books.iter().flat_map(|b| &b.files) {
        let kind = match entry.kind {
            Kind::Vocabulary => FileKind::Vocabulary,
            Kind::Policy => FileKind::Policy,
            Kind::Cases => FileKind::Cases,
            Kind::Csv => continue,
        };
        parsed.entry((entry.file, entry.kind)).or_insert_with(|| {
            let parse = parses.of(&sources, entry.file, entry.kind, kind);
            findings.extend(parse.found.iter().cloned());
            parse.file.clone()
        });
    }
    for (i, book) in books.iter().enumerate() {
        let name = &book.manifest.name;
        if books.iter().take(i).any(|b| b.manifest.name.get_ref() == name.get_ref()) {
            let message = format!("there is another rulebook `{}` below this folder", name.get_ref());
            let found = Diagnostic::error("E0811", place(book.manifest_file, name), message);
            findings.push(found.help("answers and reports name rulebooks: give each a name of its own"));
        }
    }
    let (mut done, mut indexes) = (Vec::new(), Vec::new());
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for book in &books {
        let into = if indexed { Some(&mut indexes) } else { None };
        done.extend(self::book(&mut sources, book, &parsed, &mut owners, &mut findings, into));
    }
    // A vocabulary that several rulebooks share is checked with each of them.
    let policies = parsed.values().filter_map(|file| match &**file {
        ast::File::Policy(file) => Some(file.clone()),
        _ => None,
    });
    let acceptances = accept::acceptances(&policies.collect::<Vec<_>>());
    findings.extend(accept::check(&acceptances));
    diagnostic::sort(&mut findings);
    findings.dedup();
    // Warnings are looked for to the end only in a text without errors.
    let whole = findings.iter().all(|d| !d.is_error());
    let accepted = accept::settle(&mut findings, &acceptances, |code| whole && !code.starts_with(ANALYSIS));
    diagnostic::sort(&mut findings);
    Work { sources, findings, accepted, acceptances, done, indexes, parsed, paths }
}

/// A rulebook that may be linked if nothing anywhere is wrong.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    typed: crate::lang::typed::Rulebook,
    cases: Vec<crate::lang::typed::Case>,
    stores: Vec<StoreDef>,
    digest: String,
    terms: Terms,
    texts: BTreeMap<String, String>,
}

impl Checked {
    pub(super) fn link(self) -> Book {
        Book::new(self.typed, self.cases, self.stores, self.digest, self.terms, self.texts)
    }
}

pub(super) type Parsed = BTreeMap<(FileId, Kind), Arc<ast::File>>;

fn book(
    sources: &mut SourceMap,
    files: &BookFiles,
    parsed: &Parsed,
    owners: &mut BTreeMap<String, String>,
    findings: &mut Vec<Diagnostic>,
    indexes: Option<&mut Vec<Index>>,
) -> Option<Checked> {
    let name = files.manifest.name.get_ref().clone();
    let layers = files.manifest.layer_kinds(files.manifest_file, findings);
    let stores = files.manifest.stores(files.manifest_file, findings);
    for store in &stores {
        if let Some(other) = owners.insert(store.id.clone(), name.clone()) {
            let message = format!("the store `{}` is in the rulebook {other} too", store.id);
            findings.push(Diagnostic::error("E0807", store.span, message).help("a store has one rulebook"));
        }
    }
    if files.unread {
        return None;
    }
    let (mut vocabulary, mut policies, mut cases) = (Vec::new(), Vec::new(), Vec::new());
    for entry in &files.files {
        match parsed.get(&(entry.file, entry.kind)).map(|file| &**file) {
            Some(ast::File::Vocabulary(file)) => vocabulary.push(file.clone()),
            Some(ast::File::Policy(file)) => policies.push(file.clone()),
            Some(ast::File::Cases(file)) => cases.push(file.clone()),
            None => {}
        }
    }
    let mut places: Vec<(String, String)> =
        stores.iter().flat_map(|s| &s.layers).map(|(kind, name)| (kind.clone(), name.clone())).collect();
    places.sort();
    places.dedup();
    let tables = files.files.iter().filter(|f| f.kind == Kind::Csv);
    let tables: BTreeMap<String, String> =
        tables.map(|f| (sources.name(f.file).to_owned(), sources.text(f.file).to_owned())).collect();
    let read_csv = |policy: &str, name: &str| {
        let path = Path::new(policy).parent().unwrap_or(Path::new("")).join(name);
        let found = tables.get(&files::shown(&path)).cloned();
        found.ok_or_else(|| "there is no such file below the rulebook's folder".to_owned())
    };
    let text = RulebookText {
        name: &name,
        vocabulary: &vocabulary,
        policies: &policies,
        cases: &cases,
        layers: &layers,
        places: &places,
        read_csv: &read_csv,
    };
    let checked = match indexes {
        None => check(&text, sources),
        Some(indexes) => {
            let (checked, index) = check_with_index(&text, sources);
            indexes.push(index);
            checked
        }
    };
    findings.extend(checked.diagnostics);
    let own = |found: &&mut Diagnostic| files.files.iter().any(|f| f.file == found.span.file_id());
    confirm::sets(sources, findings.iter_mut().filter(own), &vocabulary);
    let typed = checked.rulebook?;
    // What the parser could not read may leave the rest in any shape.
    if findings.iter().all(|f| !f.is_error()) {
        findings.extend(depth::check(&typed));
        stores::check(&typed, &stores, findings);
        clashes::check(&typed, &stores, findings);
    }
    let mut texts: BTreeMap<String, String> = files
        .files
        .iter()
        .filter(|f| f.kind != Kind::Cases)
        .map(|f| (f.relative.clone(), sources.text(f.file).to_owned()))
        .collect();
    texts.insert("rulebook.toml".into(), sources.text(files.manifest_file).to_owned());
    Some(Checked {
        typed,
        cases: checked.cases,
        stores,
        digest: files.digest.clone(),
        terms: files.manifest.terms(),
        texts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_is_the_only_thing_told() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
        let codes = || load(dir.path()).unwrap().findings.iter().map(|d| d.code).collect::<Vec<_>>();
        put("rulebook.toml", b"name = \"x\"\nvocabulary = [\"x.vocab\"]\nlayers = [\"chain\"]\n[store.s1]\n");
        put("a.policy", b"policy a decides d\n  layer chain\nrule r when x.y then deny\n");
        assert_eq!(codes(), ["E0804"]);
        put("x.vocab", b"vocabulary x\nenum v: \xd4\xca\n");
        assert_eq!(codes(), ["E0806"]);
        put("x.vocab", b"vocabulary x\nentty x { y: bool }\nenumeration v { deny }\n");
        assert!(codes().iter().all(|code| code.starts_with("E01")), "{:?}", codes());
    }

    #[test]
    fn a_set_is_certain_where_its_words_are_of_one_list() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        put("rulebook.toml", "name = \"x\"\nvocabulary = \"x.vocab\"\nlayers = [\"chain\"]\n[store.s1]\n");
        put(
            "x.vocab",
            "vocabulary x\ntaxonomy kind { soil, garden { seeds, chemicals } }\nenum how: card, cash\n\
             fact kind: kind\nfact how: how\ndecision d given kind, how { ok: one bool else no }\n",
        );
        let certain = |condition: &str| {
            let rule = format!("rule r when {condition} then ok = yes\n");
            put("x.policy", &format!("policy x.p decides d\n  layer chain x\n{rule}"));
            let loaded = load(dir.path()).unwrap();
            let changes = loaded.findings.iter().filter_map(|d| d.suggestion.as_ref());
            changes.map(|s| (s.replacement.clone(), s.certain)).collect::<Vec<_>>()
        };
        let set = |text: &str, certain| vec![(text.to_owned(), certain)];
        assert_eq!(certain("kind is soil, seeds or chemicals"), set("in {soil, seeds, chemicals}", true));
        assert_eq!(certain("kind is soil, seeds and chemicals"), set("in {soil, seeds, chemicals}", false));
        assert_eq!(certain("kind is soil, card"), set("in {soil, card}", false));
        assert_eq!(certain("kind is not soil, seeds"), set("not in {soil, seeds}", false));
        assert_eq!(certain("kind is soil or seeds"), set("kind in {soil, seeds}", true));
        assert_eq!(certain("kind is soil and seeds"), set("kind in {soil, seeds}", false));
    }
}
