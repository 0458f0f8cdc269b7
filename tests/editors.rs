//! The folder for VS Code: its files are whole, and its colours know the words of the language and no others.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use zhanggui::lang::syntax::KEYWORDS;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("editors").join("vscode")
}

fn json(name: &str) -> Value {
    let text = std::fs::read_to_string(folder().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Every string under a key, at any depth.
fn under<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                match inner {
                    Value::String(text) if name == key => found.push(text),
                    _ => under(inner, key, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| under(item, key, found)),
        _ => {}
    }
}

/// The words of the alternatives `(a|b|c)` of a pattern.
fn words(value: &Value) -> BTreeSet<String> {
    let mut patterns = Vec::new();
    under(value, "match", &mut patterns);
    let groups = patterns.iter().flat_map(|p| p.split('(')).map(|g| g.split(')').next().unwrap());
    let plain = |w: &&str| !w.is_empty() && w.chars().all(|c| c.is_ascii_lowercase());
    groups.flat_map(|g| g.split('|')).filter(plain).map(str::to_owned).collect()
}

#[test]
fn every_keyword_has_a_colour_and_nothing_else_is_one() {
    let grammar = json("syntaxes/zhanggui.tmLanguage.json");
    let of = |name: &str| words(&grammar["repository"][name]);
    let coloured: BTreeSet<String> =
        ["declaration", "constant", "clauses", "logic", "words"].into_iter().flat_map(of).collect();
    let language: BTreeSet<String> = KEYWORDS.iter().map(|w| (*w).to_owned()).collect();
    let missing: Vec<&String> = language.difference(&coloured).collect();
    let strange: Vec<&String> = coloured.difference(&language).collect();
    assert!(missing.is_empty() && strange.is_empty(), "missing {missing:?}, strange {strange:?}");
    let types: BTreeSet<String> =
        zhanggui::lang::check::TYPES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(of("type"), types);
}

#[test]
fn the_grammar_refers_to_what_it_has() {
    let grammar = json("syntaxes/zhanggui.tmLanguage.json");
    let (mut includes, mut patterns) = (Vec::new(), Vec::new());
    under(&grammar, "include", &mut includes);
    for name in &includes {
        let name = name.strip_prefix('#').expect("of this grammar");
        assert!(grammar["repository"][name].is_object(), "{name}");
    }
    assert_eq!(includes.len(), grammar["repository"].as_object().unwrap().len());
    for key in ["match", "begin", "end"] {
        under(&grammar, key, &mut patterns);
    }
    for pattern in patterns {
        let plain = pattern.replace("\\\\", "").replace("\\(", "").replace("\\)", "").replace("\\[", "");
        let outside = {
            let (mut out, mut within) = (String::new(), false);
            for c in plain.chars() {
                match c {
                    '[' => within = true,
                    ']' => within = false,
                    c if !within => out.push(c),
                    _ => {}
                }
            }
            assert!(!within, "{pattern}");
            out
        };
        assert_eq!(outside.matches('(').count(), outside.matches(')').count(), "{pattern}");
    }
}

#[test]
fn the_extension_names_files_that_are_there() {
    let package = json("package.json");
    json("language-configuration.json");
    let language = &package["contributes"]["languages"][0];
    assert_eq!(language["extensions"], serde_json::json!([".policy", ".vocab", ".cases"]));
    let grammar = &package["contributes"]["grammars"][0];
    assert_eq!(grammar["scopeName"], json("syntaxes/zhanggui.tmLanguage.json")["scopeName"]);
    assert_eq!((&language["id"], &grammar["language"]), (&"zhanggui".into(), &"zhanggui".into()));
    for path in [&package["main"], &language["configuration"], &grammar["path"]] {
        assert!(folder().join(path.as_str().unwrap()).is_file(), "{path}");
    }
}
