//! Hostile and broken texts: limits hold, nothing is lost beside the broken part, nothing panics.

use crate::parse;
use proptest::prelude::*;
use zhanggui::lang::ast::{File, FileKind, ModuleKind};
use zhanggui::lang::source::SourceMap;
use zhanggui::lang::syntax::{MAX_BYTES, add_bytes, parse_file};

fn codes(name: &str, text: &str) -> Vec<&'static str> {
    parse(name, text).2.iter().map(|found| found.code).collect()
}

fn lets(value: &str) -> Vec<&'static str> {
    codes("a.policy", &format!("library a\nlet b = {value}\n"))
}

#[test]
fn depth_64_is_read_and_65_is_refused() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("f(", ")"),
        ("(if a then (b) else ", ")"),
        ("sum(", " for x in y)"),
    ] {
        let deep = |depth: usize| format!("{}a{}", open.repeat(depth), close.repeat(depth));
        let fits = if open.contains("then") { 63 } else { 64 };
        assert_eq!(lets(&deep(fits)), [""; 0], "{open}");
        assert_eq!(lets(&deep(65)), ["E0112"], "{open}");
        assert_eq!(lets(&deep(20_000)), ["E0112"], "{open}");
    }
}

#[test]
fn long_expressions_are_bounded() {
    let chain = |word: &str, operands: usize| vec!["a"; operands].join(word);
    assert_eq!(lets(&chain(" and ", 2_000)), [""; 0]);
    assert_eq!(lets(&chain(" and ", 2_001)), ["E0114"]);
    assert_eq!(lets(&chain(", ", 10).replace("a, a", "[a, a")), ["E0110"]);
    assert_eq!(lets(&format!("[{}]", chain(", ", 1_999))), [""; 0]);
    assert_eq!(lets(&format!("[{}]", chain(", ", 2_000))), ["E0114"]);
    assert_eq!(lets(&chain(" + ", 257)), [""; 0]);
    assert_eq!(lets(&chain(" + ", 258)), ["E0114"]);
    assert_eq!(lets(&chain(" + ", 100_000)), ["E0114"]);
    assert_eq!(lets(&format!("{}a", "if a then b else ".repeat(20_000))), ["E0114"]);
    assert_eq!(lets(&format!("f(){}", ".a".repeat(50_000))), ["E0114"]);
    assert_eq!(lets(&format!("a{}", " rounded".repeat(50_000))), ["E0114"]);
    assert_eq!(lets(&"9".repeat(100)), ["E0117"]);
    // Nested without brackets: the grammar guards itself.
    assert_eq!(lets(&"if a then ".repeat(50_000)).len(), 1);
    assert_eq!(codes("a.vocab", &format!("fact a: {} b\n", "list of ".repeat(50_000))).len(), 1);
    assert_eq!(lets(&"not ".repeat(50_000)).len(), 1);
}

#[test]
fn large_files_are_refused_or_read() {
    let line = "let x = (a + b) * 3 CNY rounded half up\n";
    let text = format!("library a\n{}", line.repeat(MAX_BYTES / line.len() - 1));
    assert_eq!(codes("a.policy", &text), [""; 0]);
    let rows = " | a, b | >= 3 CNY | 5% |\n";
    let text = format!("library a\ntable t(a: b, c: d) -> e: f\n{}", rows.repeat(MAX_BYTES / rows.len() - 3));
    assert_eq!(codes("a.policy", &text), [""; 0]);
    let found = codes("a.policy", &format!("library a\n{}", "let x = a b\n".repeat(5_000)));
    assert_eq!(found.len(), 201);
    assert_eq!(codes("a.policy", &" ".repeat(MAX_BYTES + 1)), ["E0100"]);
}

#[test]
fn bytes_that_are_not_utf_8_are_refused() {
    let mut map = SourceMap::new();
    let (id, found) = add_bytes(&mut map, "a.policy", b"library a\nlet b = \xB7\xD6\n");
    assert_eq!(found.iter().map(|it| it.code).collect::<Vec<_>>(), ["E0100"]);
    assert_eq!(map.start(found[0].span).line, 2);
    parse_file(&map, id, FileKind::Policy);
}

#[test]
fn hidden_and_deceiving_letters_are_refused() {
    assert_eq!(codes("a.policy", "library a\n# \u{202E}abc\nlet b = \"x\u{2066}\"\n"), ["E0103", "E0103"]);
    assert_eq!(lets("rеfund + 1"), ["E0104"]);
    assert_eq!(lets("VIP金卡 + 会员カード"), [""; 0]);
    assert_eq!(lets("a\u{200B} + 1"), ["E0104"]);
    assert_eq!(codes("a.policy", "\u{FEFF}library a\r\nlet\u{A0}b　= 1\r\n"), [""; 0]);
}

#[test]
fn a_broken_declaration_costs_only_itself() {
    let text = "policy a.b decides c\n  layer law\nlet x = (1\nlet y = 2\nrule r when then deny\nruel s then deny\nlet t = 3 3\n\
                table u(a: b) -> c: d\n | 1 |\nlibrary\nlet z = 1\npolicy e.f decide g\nrule h then deny\nlet when = 3\n";
    let (_, file, found) = parse("a.policy", text);
    let codes: Vec<_> = found.iter().map(|it| it.code).collect();
    assert_eq!(codes, ["E0110", "E0101", "E0105", "E0101", "E0130", "E0101", "E0105", "E0106"]);
    let File::Policy(file) = file else { panic!() };
    let shown: Vec<_> = file
        .modules
        .iter()
        .map(|module| {
            let broken =
                module.broken.iter().filter_map(|it| it.name.as_ref()).map(|name| name.text.as_str());
            (
                module.path.text(),
                module.kind == ModuleKind::Broken,
                module.items.len(),
                broken.collect::<Vec<_>>(),
            )
        })
        .collect();
    let first = ("a.b".to_owned(), false, 3, vec!["x", "r", "t"]);
    let third = ("e.f".to_owned(), true, 1, vec!["e", "when"]);
    assert_eq!(shown, [first, (String::new(), true, 1, vec![]), third]);
}

/// Pieces that texts are made of, so that random texts get far into the grammar.
fn piece() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "rule ",
        "a",
        " when ",
        "then ",
        "\n",
        "\n| ",
        "| ",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "..",
        ", ",
        "\"",
        "\"x\"",
        "§1 ",
        "§\"",
        "3 ",
        "15%",
        "8折",
        "2026-01-01",
        "if ",
        " else ",
        "-",
        "+",
        " is ",
        "not ",
        "table t(a: b) -> c: d\n",
        "policy p decides d\n",
        "let x = ",
        "case \"x\" ",
        "given ",
        "expect ",
        "by ",
        "needs ",
        "entity e {",
        "a: b?",
        "decision d { ",
        "one ",
        "for ",
        "in ",
        "enum e: a < b",
        "rounded ",
        "\\",
        "＂",
        "“",
        "”",
        "，",
        "：",
        "\u{3000}",
        "#",
        "\u{202E}",
        "且 ",
        "≥",
        "0",
        ".",
        "e\u{301}",
        "📦",
        "undecided ",
        "zh ",
        "from ",
        "each ",
        "where ",
        "say ",
        "overrides ",
        "vocabulary v ",
        "taxonomy t {",
        "calendar c {",
    ])
}

fn survives(text: &str) {
    for name in ["a.vocab", "a.policy", "a.cases"] {
        let (map, _, found) = parse(name, text);
        for it in found {
            assert!(it.span.start <= it.span.end && it.span.end as usize <= text.len(), "{it:?}");
            assert!(
                text.is_char_boundary(it.span.start as usize) && text.is_char_boundary(it.span.end as usize),
                "{it:?}"
            );
            zhanggui::lang::diagnostic::render(&map, &[it], false);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
        survives(&text);
    }

    #[test]
    fn arbitrary_pieces_never_panic(pieces in proptest::collection::vec(piece(), 0..60)) {
        survives(&pieces.concat());
    }
}
