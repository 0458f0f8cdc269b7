//! Any bytes as any text that the parser reads: it ends soon, never panics, and every place lies in the text.
#![no_main]
use libfuzzer_sys::fuzz_target;
use std::time::Duration;
use zhanggui::lang::ast::{File, FileKind};
use zhanggui::lang::check::{RulebookText, check};
use zhanggui::lang::source::{SourceMap, Span};
use zhanggui::lang::syntax::{add_bytes, parse_cell, parse_expr, parse_file};
use zhanggui_fuzz::clock::within;
use zhanggui_fuzz::spans;

/// Instrumented code is some five times slower than what is shipped, for which the limit is the same.
const MOST: Duration = Duration::from_secs(2);

/// A small text has its tree looked through.
const SMALL: usize = 1_500;

fn file(kind: FileKind, bytes: &[u8]) {
    let name = match kind {
        FileKind::Vocabulary => "a.vocab",
        FileKind::Policy => "a.policy",
        FileKind::Cases => "a.cases",
    };
    let mut map = SourceMap::new();
    let (id, found) = add_bytes(&mut map, name, bytes);
    spans::findings(&map, &found);
    let (file, found) = within(MOST, "parsing", || parse_file(&map, id, kind));
    spans::findings(&map, &found);
    if bytes.len() <= SMALL {
        spans::tree(&map, &file);
    }
}

fn fragment(cell: bool, bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut map = SourceMap::new();
    // The place of a cell in its file may be shorter than its text, as where quotes were doubled.
    let name = if text.len() % 2 == 0 { text } else { "short" };
    let id = map.add("a.csv", name);
    let base = Span::new(id, 0, name.len() as u32);
    let found = within(MOST, "parsing", || {
        if cell { parse_cell(&map, text, base).1 } else { parse_expr(&map, text, base).1 }
    });
    for it in &found {
        assert!(it.span.end <= base.end, "{it:?}");
    }
}

const VOCAB: &str = "vocabulary v version 1\ncurrency CNY step 0.01\nenum season: spring, summer\ntaxonomy cat { food { rice }, cloth }\n\
    fact today: date\ndecision d given today { o: one money else 0 CNY }\n";
const TABLE: &str = "policy p decides d\n  layer chain\ntable t(s: season?, c: cat, n: integer) -> m: money, p: decimal? first file \"a.csv\"\n\
    rule r then o = t(spring, rice, 1).m\n";

fn csv(bytes: &[u8]) {
    let Ok(rows) = std::str::from_utf8(bytes) else { return };
    let mut map = SourceMap::new();
    let mut parse = |name: &str, text: &str, kind| {
        let id = map.add(name, text);
        parse_file(&map, id, kind).0
    };
    let vocabulary = parse("a.vocab", VOCAB, FileKind::Vocabulary);
    let policy = parse("a.policy", TABLE, FileKind::Policy);
    let (File::Vocabulary(vocabulary), File::Policy(policy)) = (vocabulary, policy) else { return };
    let text = RulebookText {
        name: "fuzz",
        vocabulary: &[vocabulary],
        policies: &[policy],
        cases: &[],
        layers: &["chain".to_owned()],
        places: &[],
        read_csv: &|_, _| Ok(rows.to_owned()),
    };
    let checked = within(MOST, "checking", || check(&text, &mut map));
    spans::findings(&map, &checked.diagnostics);
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    match kind % 8 {
        0 | 1 | 2 => file(FileKind::Policy, bytes),
        3 => file(FileKind::Vocabulary, bytes),
        4 => file(FileKind::Cases, bytes),
        5 => csv(bytes),
        6 => fragment(true, bytes),
        _ => fragment(false, bytes),
    }
});
