//! `zhanggui diff`: two versions of a rulebook beside each other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
mod common;
use common::{Run, starter, text, zhanggui};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// The starter, and the starter with texts replaced in its files.
fn versions(changes: &[(&str, &str, &str)]) -> (tempfile::TempDir, PathBuf, PathBuf) {
    let (dir, old) = starter();
    let new = dir.path().join("new");
    fs::create_dir(&new).unwrap();
    for entry in fs::read_dir(&old).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut text = fs::read_to_string(&path).unwrap();
        for (_, from, to) in changes.iter().filter(|(file, _, _)| *file == name) {
            assert!(text.contains(from), "{name}: {from}");
            text = text.replace(from, to);
        }
        fs::write(new.join(name), text).unwrap();
    }
    (dir, old, new)
}

fn diff(old: &Path, new: &Path, more: &[&str]) -> Run {
    zhanggui(&[&["diff", text(old), text(new)], more].concat())
}

#[test]
fn a_longer_window_is_told_by_its_days() {
    let (_dir, old, new) = versions(&[("returns.policy", "period = 7 days", "period = 15 days")]);
    let run = diff(&old, &new, &[]);
    assert_eq!((run.code, run.err.as_str()), (1, ""), "{run:?}");
    assert!(run.out.starts_with("return_item in s001\n"), "{}", run.out);
    assert!(
        run.out.contains(
            "  verdict: was deny by default, now allow by §1 in_time\n  last_day: was absent, now 2026-07-16 by §1 in_time\n  refund: was absent, now 399 CNY by §5 price\n"
        ),
        "{}",
        run.out
    );
    assert!(run.out.contains("today day 8 to 15 after receipt.date"), "{}", run.out);
    assert!(run.out.contains("was 2026-07-08 by §1 in_time, now 2026-07-16 by §1 in_time"), "{}", run.out);
    assert!(!run.out.contains("s002"), "its window was 15 days before: {}", run.out);
    assert_eq!(run.out, diff(&old, &new, &[]).out, "the same folders give the same page");
}

#[test]
fn every_witness_is_decided_so_by_both() {
    let (_dir, old, new) = versions(&[
        ("returns.policy", "when item.opened\n", "when item.opened and item.paid >= 100 CNY\n"),
        ("returns.policy", "then refund = item.paid\n", "then refund = min(item.paid, 300 CNY)\n"),
    ]);
    let run = diff(&old, &new, &["--format", "json"]);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let differences = report["differences"].as_array().unwrap();
    assert_eq!(report["changed"].as_array().unwrap().len(), 2, "{}", report["changed"]);
    let said: Vec<String> = differences.iter().map(|d| d["region"].to_string()).collect();
    assert!(said.iter().any(|r| r.contains("item.paid 300.01 CNY and up")), "{said:#?}");
    assert!(said.iter().any(|r| r.contains("item.paid up to 99.99 CNY")), "{said:#?}");
    let mut checked = 0;
    for d in differences {
        for (dir, side) in [(&old, "was"), (&new, "now")] {
            let store = d["stores"][0].as_str().unwrap();
            let args = ["eval", "--policies", text(dir), "--store", store, "--facts", "-"];
            let more = ["--decision", d["decision"].as_str().unwrap()];
            let run = common::with_input(&[&args[..], &more].concat(), &d["witness"].to_string());
            let answer: Value = serde_json::from_str(&run.out).unwrap();
            for change in d["outputs"].as_array().unwrap() {
                let got = &answer["outcome"][change["output"].as_str().unwrap()];
                let got = match got {
                    Value::Null => "absent".to_owned(),
                    Value::Object(_) => got["amount"].as_str().unwrap().trim_end_matches(".00").to_owned(),
                    other => other.as_str().unwrap().to_owned(),
                };
                if change[side].as_str().unwrap().starts_with("open") {
                    assert_eq!(got, "absent", "{d}");
                    continue;
                }
                let told = change[side].as_str().unwrap().trim_end_matches(" CNY");
                let same = told == got || got.parse::<f64>().ok().is_some_and(|g| told.parse() == Ok(g));
                assert!(same, "{told} {got} {d}");
                checked += 1;
            }
        }
    }
    assert!(checked >= 8, "{checked}");
}

#[test]
fn what_is_alike_says_how_far_it_looked() {
    let (_dir, old, _) = versions(&[]);
    let run = diff(&old, &old, &[]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        run.out,
        "no difference found: no rule, table or parameter differs, and 8 facts, made from 8 cases of both versions, are decided alike\n"
    );
    // Another text that means the same.
    let (_dir, old, new) = versions(&[("returns.policy", "when today <= until", "when not (today > until)")]);
    let run = diff(&old, &new, &[]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.starts_with("the text differs: rule shop.returns.in_time\n"), "{}", run.out);
    assert!(run.out.contains("that is no proof that there is none"), "{}", run.out);
}

#[test]
fn a_fact_that_one_version_does_not_know_is_unknown_to_it() {
    let (_dir, old, new) = versions(&[
        ("shop.vocab", "opened: bool", "unsealed: bool"),
        ("returns.policy", "item.opened", "item.unsealed"),
        ("returns.cases", "item.opened", "item.unsealed"),
    ]);
    let run = diff(&old, &new, &[]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.out
            .contains("note: only the old version has the fact item.opened: unknown to the other version\n"),
        "{}",
        run.out
    );
    assert!(run.out.contains("now open (facts are missing)"), "{}", run.out);
}

#[test]
fn recorded_facts_are_counted_and_summed() {
    let (dir, old, new) = versions(&[
        ("returns.policy", "period = 7 days", "period = 15 days"),
        ("returns.policy", "then refund = item.paid\n", "then refund = min(item.paid, 300 CNY)\n"),
    ]);
    let line = |day: u32, paid: &str, store: &str| {
        format!(
            r#"{{"decision": "return_item", "store": "{store}", "facts": {{"receipt": {{"date": "2026-07-01", "shown": true}},
            "today": "2026-07-{day:02}", "item": {{"paid": "{paid}", "opened": false, "faulty": false}}}}}}"#
        )
        .replace('\n', " ")
    };
    let lines = [
        line(5, "100.00", "s001"),
        line(5, "399.00", "s001"),
        line(6, "1000.50", "s001"),
        line(10, "50.00", "s001"),
        line(30, "50.00", "s001"),
        String::new(),
        line(5, "1.00", "s009"),
        "nonsense".to_owned(),
    ];
    let file = dir.path().join("facts.jsonl");
    fs::write(&file, lines.join("\n")).unwrap();
    let run = diff(&old, &new, &["--facts", text(&file)]);
    assert_eq!((run.code, run.err.as_str()), (1, ""), "{run:?}");
    assert_eq!(
        run.out,
        "return_item: last_day
  3 of 5: was a date, now later
    line 1 at s001: was 2026-07-08 by §1 in_time, now 2026-07-16 by §1 in_time
  1 of 5: was absent, now a date
    line 4 at s001: was absent, now 2026-07-16 by §1 in_time
return_item: refund
  2 of 5: was an amount, now less
    line 2 at s001: was 399 CNY by §5 price, now 300 CNY by §5 price
  1 of 5: was absent, now an amount
    line 4 at s001: was absent, now 50 CNY by §5 price
return_item: verdict
  1 of 5: was deny, now allow
    line 4 at s001: was deny by default, now allow by §1 in_time
money, return_item: refund: -749.5 CNY over 3 recorded facts (was 1399.5, now 650)
    line 3 at s001: was 1000.5 CNY by §5 price, now 300 CNY by §5 price
    line 2 at s001: was 399 CNY by §5 price, now 300 CNY by §5 price
    line 4 at s001: was absent, now 50 CNY by §5 price
line 7 was not compared: the two versions do not both have the store \"s009\"
line 8 was not compared: not a request: expected ident at line 1 column 2
4 of 5 recorded facts decided otherwise
"
    );
    let json = diff(&old, &new, &["--facts", text(&file), "--format", "json"]);
    let report: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(report["money"][0]["difference"], "-749.5");
    assert_eq!(diff(&old, &old, &["--facts", text(&file)]).code, 0);
    fs::write(&file, "\n").unwrap();
    assert_eq!(diff(&old, &old, &["--facts", text(&file)]).code, 2);
}

#[test]
fn folders_that_do_not_check_cannot_be_compared() {
    let (_dir, old, new) = versions(&[("returns.policy", "item.opened", "item.open")]);
    let run = diff(&old, &new, &[]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.err.contains("the rulebooks do not check"), "{}", run.err);
}
