//! What the README shows is what the program answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
use serde_json::{Value, json};
use std::path::Path;
use zhanggui::rulebook::load;

const README: &str = include_str!("../README.md");

/// The nth fenced block of a kind.
fn block(kind: &str, nth: usize) -> &'static str {
    let fence = format!("```{kind}\n");
    let start = README.match_indices(&fence).nth(nth).unwrap().0 + fence.len();
    README[start..].split("\n```").next().unwrap()
}

/// What lies between two marks.
fn between(text: &'static str, from: &str, to: &str) -> &'static str {
    text.split_once(from).unwrap().1.split_once(to).unwrap().0
}

fn decide(decision: &str, facts: &str) -> Value {
    let loaded = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")).unwrap();
    let books = loaded.rulebooks.unwrap();
    let program = books.store("s001").unwrap().program.clone();
    let decision = program.decision(decision).unwrap();
    let facts = program.binder().bind(facts.as_bytes()).unwrap();
    serde_json::from_str(&program.renderer().render(&program.decide(decision, &facts))).unwrap()
}

#[test]
fn the_first_answer_is_true() {
    let request: Value = serde_json::from_str(between(block("sh", 1), "-d '", "'")).unwrap();
    let mut shown: Value = serde_json::from_str(block("json", 0)).unwrap();
    let mut got = decide("rebate", &request["facts"].to_string());
    // The digest changes with every word of the rulebook.
    for answer in [&mut shown, &mut got] {
        answer["program"]["digest"] = json!("…");
    }
    assert_eq!(shown, got);
}

#[test]
fn the_question_before_the_sale_is_answered() {
    let got = decide("return_item", between(block("sh", 3), "echo '", "'"));
    let shown = block("json", 1);
    let (status, outcome) = shown.split_once('\n').unwrap();
    assert_eq!(serde_json::from_str::<Value>(status).unwrap(), got["status"]);
    assert_eq!(serde_json::from_str::<Value>(outcome).unwrap(), got["outcome"]);
}

#[test]
fn the_table_shown_is_the_policy() {
    let policy = include_str!("../policies/jiajie/returns.policy");
    let shown = block("text", 0);
    assert!(policy.contains(shown), "not in the policy:\n{shown}");
}
