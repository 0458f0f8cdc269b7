//! What the fuzzer found, kept so that it stays mended. See fuzz/README.md.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]
use zhanggui::format::format_text;
use zhanggui::lang::ast::{File, FileKind};
use zhanggui::lang::check::{RulebookText, check};
use zhanggui::lang::diagnostic;
use zhanggui::lang::source::{SourceMap, Span};
use zhanggui::lang::syntax::{parse_cell, parse_file};

const VOCAB: &str = "vocabulary v version 1\nenum season: spring\nfact today: date\ndecision d given today { o: one bool else no }\n";
const POLICY: &str = "policy p decides d\n  layer chain\ntable t(s: season?) -> m: bool file \"a.csv\"\nrule r then o = t(spring)\n";

/// The places of the findings about a table's file.
fn csv_places(rows: &str) -> Vec<Span> {
    let mut map = SourceMap::new();
    let mut parse = |name: &str, text: &str, kind| {
        let id = map.add(name, text);
        parse_file(&map, id, kind).0
    };
    let files = (parse("a.vocab", VOCAB, FileKind::Vocabulary), parse("a.policy", POLICY, FileKind::Policy));
    let (File::Vocabulary(vocabulary), File::Policy(policy)) = files else { panic!() };
    let text = RulebookText {
        name: "fuzz",
        vocabulary: &[vocabulary],
        policies: &[policy],
        cases: &[],
        layers: &["chain".to_owned()],
        places: &[],
        read_csv: &|_, _| Ok(rows.to_owned()),
    };
    let found = check(&text, &mut map).diagnostics;
    assert!(!diagnostic::render(&map, &found, false).is_empty());
    found.iter().filter(|d| map.name(d.span.file_id()) == "a.csv").map(|d| d.span).collect()
}

#[test]
fn the_place_of_a_header_ends_with_its_line() {
    let rows = "clause,\u{201C}A\u{201D},柜台\nspring,yes\n";
    let [place] = csv_places(rows)[..] else { panic!() };
    assert_eq!(rows.get(place.start as usize..place.end as usize), Some("clause,\u{201C}A\u{201D},柜台"));
}

#[test]
fn a_cell_with_doubled_quotes_is_shown_as_a_whole() {
    // Read, the cell is shorter than written: places within it would lie elsewhere in the file.
    let written = "\"\"\"中\"\" 中 中\"";
    let mut map = SourceMap::new();
    let id = map.add("a.csv", written);
    let base = Span::new(id, 0, written.len() as u32);
    let (_, found) = parse_cell(&map, "\"中\" 中 中", base);
    assert!(!found.is_empty() && found.iter().all(|d| d.span == base), "{found:?}");
}

#[test]
fn a_number_before_may_set_takes_no_layer_for_its_unit_however_they_are_parted() {
    for blank in [" ", "  ", "\t", " \t", "\t\t", "\u{3000}"] {
        let text = format!("library a\nparam b: integer = 3 store{blank}may{blank}set {{1, 3}}\n");
        let neat = format_text(&text, FileKind::Policy);
        assert_eq!(neat.unwrap(), "library a\nparam b: integer = 3 store may set {1, 3}\n", "{blank:?}");
    }
}
