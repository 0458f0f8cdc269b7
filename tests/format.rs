//! One layout: laid out twice is laid out once, the tree stays, comments stay, and how a text was written before does not matter.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
#[path = "format/command.rs"]
mod command;
mod common;
#[path = "format/scatter.rs"]
mod scatter;
#[path = "format/shown.rs"]
mod shown;
mod support;

use std::path::{Path, PathBuf};
use support::blind::blind;
use support::generate::texts;
use support::rng::Rng;
use zhanggui::format::{FormatError, format_text};
use zhanggui::lang::ast::FileKind;
use zhanggui::lang::source::SourceMap;
use zhanggui::lang::syntax::{parse_file, written};

fn tree(text: &str, kind: FileKind) -> String {
    let mut map = SourceMap::new();
    let id = map.add("", text);
    let (file, found) = parse_file(&map, id, kind);
    assert!(found.iter().all(|d| !d.is_error()), "{found:#?}\n{text}");
    blind(&file)
}

fn comments(text: &str, kind: FileKind) -> Vec<String> {
    let mut map = SourceMap::new();
    let id = map.add("", text);
    written(&map, id, kind).unwrap().comments.into_iter().map(|it| it.text).collect()
}

/// All that must hold of a text without errors.
fn holds(name: &str, text: &str, kind: FileKind) -> String {
    let once = format_text(text, kind).unwrap_or_else(|error| panic!("{name}: {error:?}\n{text}"));
    let twice = format_text(&once, kind).unwrap_or_else(|error| panic!("{name}: {error:?}\n{once}"));
    assert_eq!(once, twice, "{name}: laid out twice");
    assert_eq!(tree(text, kind), tree(&once, kind), "{name}: another tree\n{once}");
    assert_eq!(comments(text, kind), comments(&once, kind), "{name}: other comments\n{once}");
    assert!(once.is_empty() || once.ends_with('\n') && !once.ends_with("\n\n"), "{name}");
    assert!(once.lines().all(|line| line.trim_end() == line && !line.contains('\t')), "{name}\n{once}");
    assert!(!once.contains("\n\n\n") && !once.starts_with('\n'), "{name}\n{once}");
    once
}

/// Every text of the repository, by its path.
fn files() -> Vec<(PathBuf, FileKind, String)> {
    fn collect(folder: &Path, into: &mut Vec<(PathBuf, FileKind, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "corpus" {
                collect(&path, into);
            } else if let Some(kind) = FileKind::of(&name) {
                into.push((path.clone(), kind, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut files = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["policies", "tests", "benches", "src", "docs"] {
        collect(&root.join(folder), &mut files);
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(files.len() > 30);
    files
}

/// Those that can be read: some are wrong on purpose.
fn good() -> impl Iterator<Item = (String, FileKind, String)> {
    files().into_iter().filter_map(|(path, kind, text)| {
        let wrong = matches!(format_text(&text, kind), Err(FormatError::Wrong(_)));
        (!wrong).then(|| (path.display().to_string(), kind, text))
    })
}

#[test]
fn every_text_of_the_repository_keeps_its_tree_and_its_comments() {
    let mut seen = 0;
    for (name, kind, text) in good() {
        holds(&name, &text, kind);
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn the_rulebooks_are_laid_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ours =
        [root.join("policies/jiajie"), root.join("policies/retail.vocab"), root.join("src/cli/starter")];
    for (path, kind, text) in files() {
        if ours.iter().any(|folder| path.starts_with(folder)) {
            assert_eq!(format_text(&text, kind).unwrap(), text, "{}: run `zhanggui fmt`", path.display());
        }
    }
}

#[test]
fn random_policies_keep_their_tree() {
    for seed in 0..60 {
        let texts = texts(seed);
        holds(&format!("vocabulary of {seed}"), &texts.vocab, FileKind::Vocabulary);
        holds(&format!("policies of {seed}"), &texts.policies, FileKind::Policy);
    }
}

#[test]
fn how_a_text_was_spaced_does_not_matter() {
    let mut changed = 0;
    for (name, kind, text) in good() {
        let once = format_text(&text, kind).unwrap();
        for seed in 0..3 {
            let scattered = scatter::scatter(&once, kind, &mut Rng(seed));
            changed += usize::from(scattered != once);
            let again = format_text(&scattered, kind)
                .unwrap_or_else(|error| panic!("{name}, {seed}: {error:?}\n{scattered}"));
            assert_eq!(again, once, "{name}, seed {seed}, from\n{scattered}");
        }
    }
    assert!(changed > 50, "{changed}");
}

#[test]
fn comments_stay_in_order_wherever_they_stand() {
    for (name, kind, text) in good() {
        for seed in 0..3 {
            let noted = scatter::noted(&text, kind, &mut Rng(seed));
            let before = comments(&noted, kind);
            let once = holds(&format!("{name}, seed {seed}"), &noted, kind);
            assert_eq!(comments(&once, kind), before);
        }
    }
}

#[test]
fn a_text_with_errors_is_left_alone() {
    let wrong = format_text("library a\nlet b = (1\n", FileKind::Policy);
    assert!(matches!(wrong, Err(FormatError::Wrong(found)) if found.len() == 1));
}
