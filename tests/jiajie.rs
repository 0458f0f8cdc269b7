//! Jiajie's rulebook: it checks clean, its cases pass, and its README tells the truth about both.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
use std::collections::BTreeSet;
use std::path::Path;
use zhanggui::cases::{self, Coverage};
use zhanggui::rulebook::{Book, Loaded, load};

/// The rows of kind D (decided at the till or the desk) marked core or useful, by group: VIP, points, returns.
const ROWS: &str = "V-01 V-02 V-03 V-04 V-05 V-07 V-08 V-09 V-10 V-11 V-12 V-13 V-14 V-15 V-18 V-20 V-21 V-22 P-01 \
    P-02 P-03 P-04 P-05 P-06 P-07 P-08 P-09 P-10 P-12 P-20 P-24 P-25 P-26 R-01 R-02 R-03 R-04 R-05 \
    R-06 R-07 R-08 R-09 R-10 R-11 R-12 R-13 R-14 R-15 R-16 R-17 R-23 R-29 R-33";

fn policies() -> Loaded {
    load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")).unwrap()
}

fn jiajie(loaded: &Loaded) -> &Book {
    loaded.rulebooks.as_ref().unwrap().books.iter().find(|b| b.name == "jiajie").unwrap()
}

#[test]
fn checks_without_a_finding() {
    assert_eq!(policies().shown(false), "");
}

#[test]
fn every_case_passes_and_every_rule_is_shown_by_one() {
    let loaded = policies();
    let book = jiajie(&loaded);
    let results = cases::run(book, |_| true);
    let failed: Vec<&str> =
        results.iter().filter(|r| r.failure.is_some()).map(|r| book.cases[r.case].name.as_str()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(results.len() >= 250, "{} cases", results.len());
    let coverage = Coverage::of(book, &results);
    assert!(coverage.idle_rules.is_empty(), "{:#?}", coverage.idle_rules);
}

/// The cells of the README's table of rows: id, rules, cases.
fn table() -> Vec<(String, Vec<String>, Vec<String>)> {
    let readme = include_str!("../policies/jiajie/README.md");
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let rows = readme.lines().skip_while(|l| !l.starts_with("| id | rules | case")).skip(2);
    rows.take_while(|l| l.starts_with('|'))
        .map(|l| {
            let cells: Vec<&str> = l.split('|').collect();
            (cells[1].split_whitespace().next().unwrap().to_owned(), names(cells[2]), names(cells[3]))
        })
        .collect()
}

#[test]
fn the_readme_names_a_rule_and_a_case_for_every_row() {
    let loaded = policies();
    let book = jiajie(&loaded);
    let rules: BTreeSet<String> = (0..book.typed.rules.len())
        .map(|i| book.typed.rule_id(zhanggui::lang::typed::RuleId(i as u32)))
        .collect();
    let cases: BTreeSet<&str> = book.cases.iter().map(|c| c.name.as_str()).collect();
    let table = table();
    let listed: BTreeSet<&str> = table.iter().map(|(id, _, _)| id.as_str()).collect();
    let missing: Vec<&str> = ROWS.split_whitespace().filter(|id| !listed.contains(id)).collect();
    assert!(missing.is_empty(), "rows without a line in the README: {missing:?}");
    for (id, row_rules, row_cases) in &table {
        assert!(!row_cases.is_empty(), "{id} names no case");
        for rule in row_rules {
            assert!(rules.contains(rule), "{id}: there is no rule {rule}");
        }
        for case in row_cases {
            assert!(cases.contains(case.as_str()), "{id}: there is no case {case}");
        }
    }
}
