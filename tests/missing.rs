//! `zhanggui test --missing`: cases that complete the cases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
mod common;
use common::{text, zhanggui};
use std::fs;
use std::path::Path;
use zhanggui::cases::{self, Coverage, Missing};
use zhanggui::rulebook::{Loaded, load};

fn shop() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir("tests/missing/shop").unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    dir
}

fn good(dir: &Path) -> Loaded {
    let loaded = load(dir).unwrap();
    assert!(loaded.rulebooks.is_some(), "{}", loaded.shown(false));
    loaded
}

fn missing(loaded: &Loaded) -> (Coverage, Missing) {
    let book = &loaded.rulebooks.as_ref().unwrap().books[0];
    let results = cases::run(book, |_| true);
    for result in &results {
        assert!(result.failure.is_none(), "{}: {:?}", book.cases[result.case].name, result.failure);
    }
    (Coverage::of(book, &results), cases::missing(book, &results))
}

#[test]
fn the_proposals_complete_the_cases() {
    let dir = shop();
    let (before, found) = missing(&good(dir.path()));
    assert!(before.idle_rules.len() >= 4, "{:?}", before.idle_rules);
    assert!(before.idle_rows.len() >= 5, "{:?}", before.idle_rows);
    assert!(found.covered_bounds < found.bounds.all.len() / 2);
    assert_eq!(found.not_found, Vec::<String>::new());
    let text: String = found.proposals.iter().map(|p| p.accepted() + "\n").collect();
    fs::write(dir.path().join("proposed.cases"), &text).unwrap();
    let (after, again) = missing(&good(dir.path()));
    assert_eq!((after.idle_rules, after.idle_rows), (Vec::new(), Vec::new()));
    let uncovered = again.not_found;
    assert_eq!(again.covered_bounds, again.bounds.all.len(), "{uncovered:#?}\n{text}");
    assert_eq!(again.proposals.len(), 0);
}

#[test]
fn both_sides_of_a_bound_are_proposed() {
    let dir = shop();
    let (_, found) = missing(&good(dir.path()));
    let given: Vec<&str> = found.proposals.iter().flat_map(|p| &p.given).map(String::as_str).collect();
    for expected in
        ["item.paid = 2000 CNY", "item.paid = 1999.99 CNY", "today = 2026-03-16", "today = 2026-03-17"]
    {
        assert!(given.contains(&expected), "{expected}: {given:#?}");
    }
}

#[test]
fn what_is_pasted_waits_for_the_author() {
    let dir = shop();
    let run = zhanggui(&["test", text(dir.path()), "--missing"]);
    assert_eq!((run.code, run.err.as_str()), (0, "3 passed, 0 failed\n"), "{run:?}");
    assert!(run.out.starts_with("# rulebook shop: rules "), "{}", run.out);
    let first = &run.out.lines().nth(1).unwrap();
    assert!(first.contains("rules 9 of 9, rows 9 of 9, bounds"), "{first}");
    assert_eq!(run.out, zhanggui(&["test", text(dir.path()), "--missing"]).out);
    fs::write(dir.path().join("proposed.cases"), &run.out).unwrap();
    let loaded = load(dir.path()).unwrap();
    let cases = run.out.lines().filter(|l| l.starts_with("case ")).count();
    // Nothing passes silently: every case asks what is expected, and nothing else is wrong with it.
    assert_eq!(loaded.findings.len(), cases, "{}", loaded.shown(false));
    assert!(loaded.findings.iter().all(|f| f.code == "E0132"), "{}", loaded.shown(false));
    // Taking the sign away from today's answers accepts them.
    fs::write(dir.path().join("proposed.cases"), run.out.replace("  # expect ", "  expect ")).unwrap();
    good(dir.path());
}
