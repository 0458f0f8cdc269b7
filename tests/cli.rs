//! The command line as people and scripts see it: the real binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
mod common;
#[path = "cli/findings.rs"]
mod findings;
use common::{starter, text, with_input, zhanggui};
use serde_json::Value;
use std::fs;

const FACTS: &str = r#"{"receipt": {"date": "2026-07-01", "shown": true}, "today": "2026-07-08",
    "item": {"paid": "399.00", "opened": false, "faulty": false}}"#;

fn eval(policies: &str, more: &[&str], facts: &str) -> common::Run {
    let mut args = vec!["eval", "--policies", policies, "--facts", "-"];
    args.extend(more);
    with_input(&args, facts)
}

const HERE: [&str; 4] = ["--store", "s001", "--decision", "return_item"];

#[test]
fn the_starter_checks_and_passes() {
    let (_dir, policies) = starter();
    let dir = text(&policies);
    let check = zhanggui(&["check", dir]);
    assert_eq!(
        (check.code, check.out.as_str()),
        (0, "1 rulebook in 4 files: 0 errors, 0 warnings\n"),
        "{check:?}"
    );
    let test = zhanggui(&["test", dir, "--coverage"]);
    assert_eq!(test.code, 0, "{test:?}");
    assert!(test.out.contains("rule coverage 100% (5 of 5)\n"), "{}", test.out);
    assert!(test.out.ends_with("\n8 passed, 0 failed\n"), "{}", test.out);
    let again = zhanggui(&["new", dir]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("is not empty"), "{}", again.err);
}

#[test]
fn eval_prints_one_object() {
    let (_dir, policies) = starter();
    let run = eval(text(&policies), &HERE, FACTS);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{run:?}");
    let answer: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(answer["outcome"]["refund"]["amount"], "399.00");
    assert_eq!(answer["program"]["language"], "1");
    assert_eq!(answer["program"]["digest"].as_str().map(str::len), Some(64));
}

#[test]
fn wrong_input_is_named_and_nothing_is_printed() {
    let (_dir, policies) = starter();
    let dir = text(&policies);
    for (args, facts, code, said) in [
        (
            HERE,
            r#"{"item": {"paid": 12.5}}"#,
            1,
            r#"error: facts.item.paid: expected money, found the JSON number 12.5; write "12.50""#,
        ),
        (HERE, r#"{"itme": {}}"#, 1, "error: facts.itme: no such fact \"itme\"; did you mean \"item\"?"),
        (HERE, "", 1, "error: facts: not JSON"),
        (
            ["--store", "s01", "--decision", "return_item"],
            "{}",
            2,
            "error: there is no store \"s01\", did you mean s001? (known: s001, s002)",
        ),
        (
            ["--store", "s001", "--decision", "return"],
            "{}",
            2,
            "error: there is no decision \"return\" (known: return_item)",
        ),
    ] {
        let run = eval(dir, &args, facts);
        assert_eq!((run.code, run.out.as_str()), (code, ""), "{run:?}");
        assert!(run.err.starts_with(said), "{}", run.err);
    }
    assert_eq!(eval(dir, &HERE, &format!("\u{feff}{FACTS}")).code, 0, "a byte order mark is no fact");
    let huge = format!("{FACTS}{}", " ".repeat(1 << 20));
    assert_eq!(eval(dir, &HERE, &huge).code, 2);
    assert_eq!(zhanggui(&["check", "/no/such/folder"]).code, 2);
    assert_eq!(zhanggui(&["eval"]).code, 2);
    assert_eq!(zhanggui(&["nonsense"]).code, 2);
}

#[test]
fn all_findings_of_all_files_come_in_one_run() {
    let (_dir, policies) = starter();
    let policy = policies.join("returns.policy");
    let mut changed = fs::read_to_string(&policy).unwrap();
    changed = changed.replace("item.opened", "item.opend").replace("today <= until", "today <= until)");
    fs::write(&policy, changed).unwrap();
    let manifest = policies.join("rulebook.toml");
    fs::write(&manifest, fs::read_to_string(&manifest).unwrap().replace("Asia/Shanghai", "Asia/Shangai"))
        .unwrap();
    let run = zhanggui(&["check", text(&policies)]);
    assert_eq!(run.code, 1);
    for part in ["opend", "returns.policy:", "rulebook.toml:", "Asia/Shangai", "error[E0803]"] {
        assert!(run.out.contains(part), "{part} in {}", run.out);
    }
    assert!(!run.out.contains('\u{1b}'), "no colour into a pipe");
    let json = zhanggui(&["check", text(&policies), "--format", "json"]);
    let findings: Value = serde_json::from_str(&json.out).unwrap();
    assert!(findings.as_array().unwrap().len() >= 3, "{}", json.out);
    let eval = eval(text(&policies), &HERE, "{}");
    assert_eq!((eval.code, eval.out.as_str()), (1, ""));
    assert!(eval.err.contains("the rulebooks do not check"), "{}", eval.err);
}

#[test]
fn a_failing_case_shows_what_differs() {
    let (_dir, policies) = starter();
    let cases = policies.join("returns.cases");
    let changed = fs::read_to_string(&cases)
        .unwrap()
        .replace("refund = 399 CNY by price", "refund = 398 CNY by opened");
    fs::write(&cases, changed).unwrap();
    let run = zhanggui(&["test", text(&policies)]);
    assert_eq!(run.code, 1);
    for part in [
        "FAILED ",
        "returns.cases:7 \"the last day\"",
        "refund: expected 398 CNY, got 399 CNY",
        "refund: expected by shop.returns.opened §2, decided by shop.returns.price §5",
        r#""paid":"399""#,
    ] {
        assert!(run.out.contains(part), "{part} in {}", run.out);
    }
    assert!(run.out.ends_with("7 passed, 1 failed\n"), "{}", run.out);
    let filtered = zhanggui(&["test", text(&policies), "--filter", "receipt"]);
    assert_eq!((filtered.code, filtered.out.as_str()), (0, "1 passed, 0 failed\n"));
    let none = zhanggui(&["test", text(&policies), "--filter", "no such case"]);
    assert_eq!((none.code, none.out.as_str()), (1, "0 passed, 0 failed\n"));
}

#[test]
fn needs_asks_the_most_useful_question_first() {
    let (_dir, policies) = starter();
    let mut args = vec!["needs", "--policies", text(&policies), "--lang", "en"];
    args.extend(HERE);
    let run = zhanggui(&args);
    assert_eq!(run.code, 0, "{run:?}");
    let first = run.out.lines().next().unwrap();
    assert!(first.starts_with("1. ") && first.contains('?'), "{}", run.out);
    args.extend(["--format", "json"]);
    let json: Value = serde_json::from_str(&zhanggui(&args).out).unwrap();
    let waiting: Vec<usize> =
        json.as_array().unwrap().iter().map(|q| q["outputs"].as_array().unwrap().len()).collect();
    assert!(!waiting.is_empty() && waiting.is_sorted_by(|a, b| a >= b), "{json}");
}

#[test]
fn text_without_end_is_refused_and_ends_nothing() {
    let (_dir, policies) = starter();
    let policy = policies.join("returns.policy");
    let original = fs::read_to_string(&policy).unwrap();
    let chained = |n: usize| {
        let lets: String = (1..=n).map(|i| format!("let v{i} = v{} + 1 CNY\n", i - 1)).collect();
        original
            .replace("rule in_time", &format!("let v0 = item.paid\n{lets}rule in_time"))
            .replace("refund = item.paid", &format!("refund = v{n}"))
    };
    fs::write(&policy, chained(200)).unwrap();
    let run = eval(text(&policies), &HERE, FACTS);
    assert!(run.out.contains(r#""refund":{"amount":"599.00","currency":"CNY"}"#), "{run:?}");
    fs::write(&policy, chained(2_000)).unwrap();
    let run = zhanggui(&["check", text(&policies)]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.out.contains("error[E0808]"), "{}", run.out);
    let deep = format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000));
    fs::write(&policy, original.replace("refund = item.paid", &format!("refund = {deep} CNY"))).unwrap();
    assert_eq!(zhanggui(&["check", text(&policies)]).code, 1);
    fs::write(&policy, format!("{original}{}", "#".repeat(1 << 20))).unwrap();
    let run = zhanggui(&["check", text(&policies)]);
    assert!(run.code == 1 && run.out.contains("larger than 1 MiB"), "{run:?}");
}

#[test]
fn explanations_name_what_decided_and_what_did_not() {
    let (_dir, policies) = starter();
    let facts = policies.join("facts.json");
    fs::write(&facts, FACTS).unwrap();
    let mut args = vec!["explain", "--policies", text(&policies), "--facts", text(&facts), "--lang", "en"];
    args.extend(HERE);
    let run = zhanggui(&args);
    assert_eq!(run.code, 0, "{run:?}");
    for part in [
        "return_item\n",
        "refund = 399 CNY\n    + shop.returns.price §5 = 399 CNY  The price paid is refunded.",
        "Rules that had no effect:\n  shop.returns.faulty §4: ",
        "shop.returns.until = 2026-07-08  (receipt.date + window)",
    ] {
        assert!(run.out.contains(part), "{part} in {}", run.out);
    }
    args.truncate(5);
    args.extend(HERE);
    assert!(zhanggui(&args).out.contains("没有起作用的规则:"));
    let mut more = HERE.to_vec();
    more.extend(["--explain", "--lang", "en"]);
    let both = eval(text(&policies), &more, FACTS);
    let answer: Value = serde_json::from_str(&both.out).unwrap();
    assert_eq!(answer["explanation"]["outputs"][0]["output"], "verdict");
    assert!(both.err.contains("Rules that had no effect:"), "{}", both.err);
    let program = zhanggui(&["explain", "--program", text(&policies)]);
    assert_eq!(program.code, 0);
    assert!(program.out.contains("shop, 1 store: s002\n  return_item: compiled, "), "{}", program.out);
    let code = zhanggui(&["explain", "--code", "--program", text(&policies)]);
    assert!(code.out.len() > program.out.len() && code.out.contains("Halt"), "{}", code.out);
    assert_eq!(zhanggui(&["explain"]).code, 2);
}

#[test]
fn tables_may_stand_in_csv_files() {
    let (_dir, policies) = starter();
    let policy = policies.join("returns.policy");
    let original = fs::read_to_string(&policy).unwrap();
    let table = "table fee(from: money) -> charge: money steps file \"fees.csv\"\nrule in_time";
    fs::write(
        &policy,
        original
            .replacen("rule in_time", table, 1)
            .replace("refund = item.paid", "refund = item.paid - fee(item.paid)"),
    )
    .unwrap();
    let missing = zhanggui(&["check", text(&policies)]);
    assert!(missing.code == 1 && missing.out.contains("`fees.csv` cannot be read"), "{}", missing.out);
    let csv = policies.join("fees.csv");
    fs::write(&csv, "\u{feff}charge,from\r\n0 CNY,0 CNY\r\n9.90 CNY,100 CNY\r\n").unwrap();
    let good = eval(text(&policies), &HERE, FACTS);
    assert!(good.out.contains(r#""refund":{"amount":"389.10","currency":"CNY"}"#), "{good:?}");
    assert!(
        good.out.contains(r#""rows":[{"table":"shop.returns.fee","row":2,"clause":null}]"#),
        "{}",
        good.out
    );
    let digest =
        |run: &common::Run| serde_json::from_str::<Value>(&run.out).unwrap()["program"]["digest"].clone();
    fs::write(&csv, "from,charge\n0 CNY,0 CNY\n").unwrap();
    assert_ne!(
        digest(&eval(text(&policies), &HERE, FACTS)),
        digest(&good),
        "a table's file is part of the program"
    );
    fs::write(&csv, "from,charge\n0 CNY,0.005 CNY\n").unwrap();
    let wrong = zhanggui(&["check", text(&policies)]);
    assert!(wrong.code == 1 && wrong.out.contains("fees.csv:2:"), "{}", wrong.out);
}

#[test]
fn stores_and_names_are_unique_over_all_rulebooks_and_slips_are_noticed() {
    let (dir, policies) = starter();
    let other = policies.join("other");
    assert_eq!(zhanggui(&["new", text(&other)]).code, 0);
    let run = zhanggui(&["check", text(&policies)]);
    assert_eq!(run.code, 1, "{run:?}");
    for part in [
        "error[E0811]: there is another rulebook `shop`",
        "error[E0807]: the store `s001` is in the rulebook shop too",
    ] {
        assert!(run.out.contains(part), "{part} in {}", run.out);
    }
    fs::remove_dir_all(&other).unwrap();
    let manifest = policies.join("rulebook.toml");
    let text_of = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text_of.replacen("chain = \"shop\"", "chain = \"shpo\"", 1)).unwrap();
    let run = zhanggui(&["check", text(&policies)]);
    assert_eq!(run.code, 0, "warnings do not fail: {run:?}");
    assert!(run.out.contains("warning[W0809]: no policy is for chain `shpo`"), "{}", run.out);
    assert!(run.out.contains("warning[W0810]: no policy governs the store `s001`"), "{}", run.out);
    drop(dir);
}
