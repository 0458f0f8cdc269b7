//! The checker on whole texts, good and bad.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests fail loudly"
)]

#[path = "check/harness.rs"]
mod harness;
#[path = "check/mistakes.rs"]
mod mistakes;
#[path = "check/random.rs"]
mod random;
#[allow(dead_code, reason = "each test file uses its part")]
#[path = "support/rng.rs"]
mod rng;
#[path = "support/snapshot.rs"]
mod snapshot;
#[path = "check/typed.rs"]
mod typed;

use harness::load;
use std::path::Path;

/// The rulebook that lies in the repository is free of errors.
#[test]
fn the_real_rulebook_checks() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let mut files = Vec::new();
    for folder in [root.clone(), root.join("jiajie")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), text));
            }
        }
    }
    files.sort();
    let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    let layers = ["law", "chain", "format", "store", "counter", "campaign"];
    let mut places = vec![("chain", "jiajie"), ("format", "department"), ("format", "supermarket")];
    places.extend([("store", "s001"), ("store", "s002"), ("store", "s030")]);
    let loaded = load(&files, &layers, &places);
    assert!(loaded.checked.rulebook.is_some(), "{}", loaded.shown());
    assert_eq!(random::promises(loaded.checked.rulebook.as_ref().unwrap()), Vec::<String>::new());
    assert!(loaded.checked.cases.len() > 100, "{}", loaded.checked.cases.len());
}

const LAYERS: [&str; 4] = ["law", "chain", "store", "campaign"];
const PLACES: [(&str, &str); 2] = [("chain", "jiajie"), ("store", "s1")];
const VOCAB: &str = include_str!("check/base.vocab");
/// What every wrong text is appended to.
const HEAD: &str = "policy shop.main decides return_item\n  layer chain jiajie\n";
const TAIL: &str = "rule base when receipt.till_slip and fixed <= free and fees(jade) > 0 CNY then refer\n\
    param fixed: money = 1 CNY\nparam free: money = 2 CNY store may set [1 CNY..9 CNY]\n\
    table fees(c: category) -> fee: money\n  | jade | 1 CNY |\n";

#[test]
fn a_text_with_everything_checks() {
    let loaded =
        load(&[("base.vocab", VOCAB), ("good.policy", include_str!("check/good.policy"))], &LAYERS, &PLACES);
    assert!(loaded.checked.rulebook.is_some() && loaded.lines().is_empty(), "{}", loaded.shown());
}

/// Every wrong text gives exactly its findings, word for word.
#[test]
fn wrong_texts_are_told_so() {
    let mut all = String::new();
    let mut count = 0;
    for (name, lines) in blocks(include_str!("check/wrong.txt")) {
        count += 1;
        let mut files =
            vec![("base.vocab".to_owned(), VOCAB.to_owned()), ("a.policy".to_owned(), HEAD.to_owned())];
        for line in lines {
            match line.strip_prefix("--- ") {
                Some(file) => files.push((file.to_owned(), String::new())),
                None => {
                    let text = &mut files.last_mut().unwrap().1;
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
        files[1].1.push_str(TAIL);
        let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
        let loaded = load(&files, &LAYERS, &PLACES);
        assert!(!loaded.lines().is_empty(), "nothing is found: {name}");
        all.push_str(&format!("== {name}\n{}", loaded.shown()));
    }
    assert!(count > 120, "{count}");
    snapshot::same("tests/check/wrong.expected", &all);
}

fn blocks(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut blocks: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("== ") {
            Some(name) => blocks.push((name, Vec::new())),
            None => blocks.last_mut().unwrap().1.push(line),
        }
    }
    blocks
}

/// Texts at the limits of the language neither end the process nor take long.
#[test]
fn long_chains_do_not_exhaust_the_stack() {
    let sum = vec!["item.paid"; 2000].join(" + ");
    let all = vec!["item.opened"; 2000].join(" and ");
    let otherwise = vec!["item.price_now"; 200].join(" otherwise ");
    let deep = format!("{}item.paid{}", "(".repeat(60), ")".repeat(60));
    let text = format!(
        "{HEAD}let a = {sum}\nlet b = {all}\nlet c = {deep}\nlet d = {otherwise}\n\
         rule r when b and a > c and d is absent then deny\n"
    );
    let loaded = load(&[("base.vocab", VOCAB), ("a.policy", &text)], &LAYERS, &PLACES);
    assert!(loaded.checked.rulebook.is_some(), "{}", loaded.shown());
}
