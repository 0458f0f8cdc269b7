//! `zhanggui show`: the page and the diagrams as people see them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
mod common;
use common::zhanggui;
use serde_json::Value;
use std::path::Path;

const LAYERS: &str = "tests/show/layers";

/// Compares with a file beside this test; `ZHANGGUI_SNAPSHOTS=write` writes it anew.
fn snapshot(name: &str, got: &str) {
    let path = Path::new("tests/show").join(name);
    if std::env::var("ZHANGGUI_SNAPSHOTS").is_ok_and(|v| v == "write") {
        std::fs::write(&path, got).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(expected, got, "{} differs", path.display());
}

fn shown(args: &[&str]) -> String {
    let run = zhanggui(&[&["show"], args].concat());
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{run:?}");
    run.out
}

#[test]
fn a_small_rulebook_in_words() {
    let here = [LAYERS, "--decision", "take_back", "--store", "s2"];
    snapshot("layers.en.txt", &shown(&[&here[..], &["--lang", "en"]].concat()));
    snapshot("layers.zh.txt", &shown(&[&here[..], &["--lang", "zh"]].concat()));
}

#[test]
fn a_small_rulebook_drawn() {
    let here = ["shop.returns", LAYERS, "--store", "s2", "--lang", "en", "--format"];
    snapshot("layers.mmd", &shown(&[&here[..], &["mermaid"]].concat()));
    snapshot("layers.svg", &shown(&[&here[..], &["svg"]].concat()));
}

#[test]
fn the_store_s_layers_are_merged() {
    let page = |store| shown(&[LAYERS, "--decision", "take_back", "--store", store, "--lang", "en"]);
    let (s1, s2, s3) = (page("s1"), page("s2"), page("s3"));
    assert!(s1.contains("limit §7 = 300 CNY\n") && !s1.contains("never_late"), "{s1}");
    assert!(s2.contains("limit §7 = 500 CNY (store s2), else 300 CNY (chain shop)"), "{s2}");
    assert!(s2.contains("§s3 own_price replaces §9 price"), "{s2}");
    assert!(!s3.contains("shop.returns") && s3.contains("§25 at_least_seven [binding]"), "{s3}");
}

#[test]
fn policies_and_decisions_are_found_by_name() {
    let by_policy = shown(&["shop.s2", LAYERS, "--by", "output", "--lang", "en"]);
    assert_eq!(by_policy, shown(&[LAYERS, "--policy", "shop.s2", "--lang", "en"]));
    assert!(by_policy.starts_with("take_back (taking back), store s2\n"), "{by_policy}");
    for (args, said) in [
        (vec![LAYERS, "--policy", "shop.s3"], "there is no policy \"shop.s3\", did you mean shop.s2?"),
        (vec![LAYERS], "say a policy or --decision NAME (known: take_back, greet)"),
        (vec![LAYERS, "--decision", "greet", "--store", "s9"], "there is no store \"s9\""),
        (vec!["shop.s2", LAYERS, "--store", "s1"], "shop.s2 does not apply in s1"),
        (vec!["--decision", "greet", "nowhere"], "nowhere is not a folder"),
    ] {
        let run = zhanggui(&[&["show"], &args[..]].concat());
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.err.contains(said), "{run:?}");
    }
}

#[test]
fn jiajie_s_returns_are_all_there() {
    let out = shown(&["jiajie.returns", "--store", "s030", "--format", "json"]);
    let sheet: Value = serde_json::from_str(&out).unwrap();
    let outputs = sheet["outputs"].as_array().unwrap();
    let output = |name: &str| outputs.iter().find(|o| o["name"] == name).unwrap();
    let rules = |of: &Value| -> Vec<String> {
        of.as_array().unwrap().iter().map(|e| e["rule"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(outputs.len(), 14);
    let verdict = output("verdict");
    assert!(rules(&verdict["contributes"]).contains(&"no_receipt".to_owned()));
    assert_eq!(rules(&output("remedies")["removes"]), ["over_2000"]);
    let over_2000 = &output("remedies")["removes"][0];
    assert_eq!(over_2000["value"], "{money_back}");
    assert_eq!(over_2000["when"], "item.unit_price >= 2000 CNY and not (faulty and item.test_report)");
    // Every text that is shown is a whole one: its brackets match.
    let mut texts = 0;
    for effect in outputs.iter().flat_map(|o| o["contributes"].as_array().unwrap()) {
        for text in [&effect["when"], &effect["value"]].into_iter().filter_map(Value::as_str) {
            let count = |c| text.matches(c).count();
            assert_eq!((count('('), count('{')), (count(')'), count('}')), "{text}");
            texts += 1;
        }
    }
    assert!(texts > 80, "{texts}");
    // The store's own rows stand before the chain's, its limit before the chain's.
    let window = sheet["tables"].as_array().unwrap().iter().find(|t| t["name"] == "window").unwrap();
    assert_eq!(window["blocks"][0]["policy"], "jiajie.s030_returns");
    assert_eq!(window["blocks"][0]["rows"][0], "| clothing | - | 30 days |");
    let limit = sheet["params"].as_array().unwrap().iter().find(|p| p["name"] == "approval_limit").unwrap();
    assert_eq!(limit["values"][0]["value"], "200 CNY");
}

#[test]
fn a_campaign_says_when_it_runs() {
    let page = shown(&["jiajie.may_2026", "--store", "s030", "--lang", "en"]);
    let line = page.lines().find(|l| l.contains("cosmetics_double")).unwrap();
    assert_eq!(line.trim(), "§五一公告1 cosmetics_double → double, from 2026-05-01 through 2026-05-05");
}

/// Boxes of a drawing lie in it, and none on another.
#[test]
fn no_box_of_the_drawing_lies_on_another() {
    let drawing = shown(&["jiajie.returns", "--format", "svg", "--lang", "zh"]);
    let number = |line: &str, name: &str| -> i64 {
        let from = line.split(&format!(" {name}=\"")).nth(1).unwrap();
        from.split('"').next().unwrap().parse().unwrap()
    };
    let first = drawing.lines().next().unwrap();
    let (width, height) = (number(first, "width"), number(first, "height"));
    let boxes: Vec<[i64; 4]> = drawing
        .lines()
        .filter(|l| l.starts_with("<rect") && l.contains("rx="))
        .map(|l| ["x", "y", "width", "height"].map(|n| number(l, n)))
        .collect();
    assert!(boxes.len() > 60, "{}", boxes.len());
    for (i, [x, y, w, h]) in boxes.iter().enumerate() {
        assert!(*x >= 0 && *y >= 0 && x + w <= width && y + h <= height, "box {i}");
        for [x2, y2, w2, h2] in &boxes[..i] {
            let apart = x + w <= *x2 || x2 + w2 <= *x || y + h <= *y2 || y2 + h2 <= *y;
            assert!(apart, "box {i} at {x},{y}");
        }
    }
    assert_eq!(drawing.matches("<text").count(), drawing.matches("</text>").count());
}
