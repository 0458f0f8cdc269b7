//! Warnings that a policy accepts.
#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
use std::path::Path;
use zhanggui::rulebook::{Loaded, load};

fn rulebook(policy: &str) -> Loaded {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    put("rulebook.toml", "name = \"x\"\nvocabulary = [\"x.vocab\"]\nlayers = [\"chain\"]\n[store.s1]\n");
    put(
        "x.vocab",
        "vocabulary x\nfact today: date\nfact bought: date\ndecision d given today, bought { ok: one bool else no }\n",
    );
    put("a.policy", policy);
    load(Path::new(dir.path())).unwrap()
}

fn codes(loaded: &Loaded) -> Vec<&str> {
    loaded.findings.iter().map(|d| d.code).collect()
}

const HEAD: &str = "policy a decides d\n  layer chain\n";

#[test]
fn what_is_accepted_is_not_shown() {
    let late = "rule late\n  when days from bought to today <= 7 days\n  then ok = yes\n";
    let plain = rulebook(&format!("{HEAD}{late}"));
    assert_eq!(codes(&plain), ["W0504"], "{}", plain.shown(false));
    let told = rulebook(&format!("{HEAD}{late}  accepts W0504 \"a pre-sale question may come first\"\n"));
    assert!(codes(&told).is_empty(), "{}", told.shown(false));
    let reasons: Vec<_> = told.accepted.iter().map(|a| (a.finding.code, a.reason.as_str())).collect();
    assert_eq!(reasons, [("W0504", "a pre-sale question may come first")]);
}

#[test]
fn it_holds_for_its_declaration_only() {
    let unread = "let x = 3 accepts W0503 \"kept for the spring campaign\"\nlet y = 4\nparam p: integer = 3 §1 accepts W0503 \"read by the stores\"\n";
    let loaded = rulebook(&format!("{HEAD}{unread}rule r then ok = yes\n"));
    assert_eq!(codes(&loaded), ["W0503"], "{}", loaded.shown(false));
    assert!(loaded.findings.iter().all(|d| d.message.contains("`y`")));
    assert_eq!(loaded.accepted.len(), 2);
}

#[test]
fn what_meets_nothing_is_told() {
    let table =
        "table t(n: integer) -> v: bool first accepts W0503 \"because\"\n  | 1 | yes |\n  | else | no |\n";
    let rule = "rule r\n  when t(2)\n  then ok = yes\n  accepts W0504, W0505 \"once it was\"\n";
    let loaded = rulebook(&format!("{HEAD}{table}{rule}"));
    assert_eq!(codes(&loaded), ["W0506"; 3], "{}", loaded.shown(false));
}

#[test]
fn a_warning_of_the_analysis_waits_for_it() {
    let mut loaded =
        rulebook(&format!("{HEAD}rule r\n  then ok = yes\n  accepts W0611 \"the season is over\"\n"));
    assert!(codes(&loaded).is_empty(), "{}", loaded.shown(false));
    loaded.add_analysis(Vec::new());
    assert_eq!(codes(&loaded), ["W0506"]);
}

#[test]
fn only_warnings_with_a_reason_are_accepted() {
    let errors =
        "rule r\n  then ok = yes\n  accepts E0201 \"hush\"\nrule s\n  then ok = yes\n  accepts W0504 \" \"\n";
    let loaded = rulebook(&format!("{HEAD}{errors}"));
    assert_eq!(codes(&loaded), ["E0461", "E0462"], "{}", loaded.shown(false));
    let word =
        rulebook("policy a decides d\n  layer chain accepts W0617 \"it ends\"\nrule accepts then ok = yes\n");
    assert!(word.errors() > 0, "`accepts` is no name");
}
