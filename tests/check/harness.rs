//! Texts to checked rulebooks, for tests.
use zhanggui::lang::ast::{CasesFile, File, FileKind, PolicyFile, VocabFile};
use zhanggui::lang::check::{Checked, RulebookText, check};
use zhanggui::lang::diagnostic::{self, Diagnostic};
use zhanggui::lang::source::SourceMap;
use zhanggui::lang::syntax::parse_file;

/// A rulebook with its texts, so that findings can be shown.
pub struct Loaded {
    pub checked: Checked,
    pub map: SourceMap,
    /// Findings of the parser.
    pub syntax: Vec<Diagnostic>,
}

impl Loaded {
    /// `E0201 first line of the message`, by place, errors and warnings.
    pub fn lines(&self) -> Vec<String> {
        let all = self.syntax.iter().chain(&self.checked.diagnostics);
        all.map(|d| format!("{} {}", d.code, d.message)).collect()
    }
    pub fn shown(&self) -> String {
        let all: Vec<Diagnostic> = self.syntax.iter().chain(&self.checked.diagnostics).cloned().collect();
        diagnostic::render(&self.map, &all, false)
    }
}

/// Parses and checks texts named by their files; CSV files are among them.
pub fn load(files: &[(&str, &str)], layers: &[&str], places: &[(&str, &str)]) -> Loaded {
    let mut map = SourceMap::new();
    let mut syntax = Vec::new();
    let (mut vocabulary, mut policies, mut cases): (Vec<VocabFile>, Vec<PolicyFile>, Vec<CasesFile>) =
        Default::default();
    for (name, text) in files {
        let Some(kind) = FileKind::of(name) else { continue };
        let id = map.add(*name, *text);
        let (file, found) = parse_file(&map, id, kind);
        syntax.extend(found);
        match file {
            File::Vocabulary(f) => vocabulary.push(f),
            File::Policy(f) => policies.push(f),
            File::Cases(f) => cases.push(f),
        }
    }
    let layers: Vec<String> = layers.iter().map(|l| (*l).to_owned()).collect();
    let places: Vec<(String, String)> =
        places.iter().map(|(k, n)| ((*k).to_owned(), (*n).to_owned())).collect();
    let csv = |_: &str, name: &str| {
        files
            .iter()
            .find(|(n, _)| n.rsplit('/').next() == Some(name))
            .map(|(_, t)| (*t).to_owned())
            .ok_or_else(|| "there is no such file".to_owned())
    };
    let text = RulebookText {
        name: "test",
        vocabulary: &vocabulary,
        policies: &policies,
        cases: &cases,
        layers: &layers,
        places: &places,
        read_csv: &csv,
    };
    let checked = check(&text, &mut map);
    Loaded { checked, map, syntax }
}
