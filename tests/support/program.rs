//! Texts to a linked program.
use std::sync::Arc;
use zhanggui::lang::ast::{File, FileKind};
use zhanggui::lang::check::{RulebookText, check};
use zhanggui::lang::diagnostic;
use zhanggui::lang::source::SourceMap;
use zhanggui::lang::syntax::parse_file;
use zhanggui::lang::typed::DecisionId;
use zhanggui::program::bind::Binder;
use zhanggui::program::facts::{Facts, Layout, Symbols};
use zhanggui::program::link::Linked;

/// A store's program with all policies of its texts.
pub struct Program {
    pub linked: Arc<Linked>,
    pub binder: Binder,
}

/// The store of the tests: chain `jia`, store `s1`; its business day starts at 02:00.
pub fn program(vocab: &str, policies: &str, zone: chrono_tz::Tz) -> Result<Program, String> {
    let mut map = SourceMap::new();
    let mut found = Vec::new();
    let mut parse = |name: &str, text: &str, kind| {
        let id = map.add(name, text);
        let (file, errors) = parse_file(&map, id, kind);
        found.extend(errors);
        file
    };
    let vocabulary = parse("test.vocab", vocab, FileKind::Vocabulary);
    let policies = parse("test.policy", policies, FileKind::Policy);
    let (File::Vocabulary(vocabulary), File::Policy(policies)) = (vocabulary, policies) else {
        return Err("files of another kind".into());
    };
    if found.iter().any(|d| d.is_error()) {
        return Err(diagnostic::render(&map, &found, false));
    }
    let text = RulebookText {
        name: "test",
        vocabulary: &[vocabulary],
        policies: &[policies],
        cases: &[],
        layers: &["law", "chain", "store"].map(str::to_owned),
        places: &[("chain".into(), "jia".into()), ("store".into(), "s1".into())],
        read_csv: &|_, _| Err("no files".into()),
    };
    let checked = check(&text, &mut map);
    let Some(book) = checked.rulebook else {
        return Err(diagnostic::render(&map, &checked.diagnostics, false));
    };
    let layout = Arc::new(Layout::of(&book.vocab));
    let symbols = Arc::new(Symbols::of(&book));
    let binder = Binder::new(&book.vocab, &layout, symbols.clone());
    let takes_part = vec![true; book.policies.len()];
    let linked = Linked::new(Arc::new(book), layout, symbols, takes_part, zone, 7_200, "0".into());
    Ok(Program { linked: Arc::new(linked), binder })
}

impl Program {
    pub fn decision(&self, name: &str) -> DecisionId {
        let decisions = &self.linked.rulebook.vocab.decisions;
        DecisionId(decisions.iter().position(|d| d.name == name).unwrap() as u32)
    }
    #[allow(dead_code, reason = "not every test that binds facts wants to see them refused")]
    pub fn try_bind(&self, json: &str) -> Result<Facts, zhanggui::program::bind::FactError> {
        self.binder.bind(json.as_bytes())
    }
    pub fn bind(&self, json: &str) -> Facts {
        self.binder.bind(json.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{json}"))
    }
}
