//! How soon, and what is not waited for.
use super::POLICY;
use crate::client::{Client, Units, place};
use serde_json::{Value, json};

#[test]
fn a_question_that_is_taken_back_is_not_answered() {
    let mut client = Client::ready(Units::Utf16);
    client.open(POLICY, None);
    let at = client.at(POLICY, "item.ope|ned");
    // A fast server may have answered before it was taken back; among so many rounds some are too late for that.
    let taken_back = (1..=100).any(|round| take_back(&mut client, &at, round * 1000) > 0);
    assert!(taken_back, "every question was answered before it was taken back");
    assert_eq!(client.end(), 0);
}

/// Asks forty questions and takes them all back in one write, so that the rest has come in when the first is looked at.
/// How many were not answered.
fn take_back(client: &mut Client, at: &Value, first: i32) -> usize {
    let mut bytes = Vec::new();
    let mut put = |message: Value| {
        let text = message.to_string();
        bytes.extend(format!("Content-Length: {}\r\n\r\n{text}", text.len()).into_bytes());
    };
    for id in first..first + 40 {
        put(json!({"jsonrpc": "2.0", "id": id, "method": "textDocument/hover", "params": at}));
    }
    for id in first..first + 40 {
        put(json!({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": id}}));
    }
    client.raw(&bytes);
    let mut taken_back = 0;
    for id in first..first + 40 {
        match client.answer(id) {
            Ok(hover) => assert!(hover["contents"]["value"].is_string()),
            Err(error) => {
                assert_eq!(error["code"], -32800);
                taken_back += 1;
            }
        }
    }
    taken_back
}

/// A policy of a thousand lines over the starter's vocabulary.
fn a_long_policy() -> String {
    let mut text = String::from(
        "policy shop.long decides return_item\n  layer chain shop\n  governed by receipt.date\n\n\
         table grace(paid: money, opened: bool) -> days: period §9\n",
    );
    for i in 0..245 {
        let (opened, days) = (if i % 2 == 0 { "yes" } else { "no" }, i % 30);
        text += &format!("  | [{i} CNY..{} CNY) | {opened} | {days} days | §9.{i}\n", i + 1);
    }
    text += "  | else | - | 0 days |\n\n";
    for i in 0..150 {
        text += &format!(
            "rule r{i} §{i}\n  when item.paid >= {i} CNY and not item.opened and today <= receipt.date + {i} days\n  \
             then allow, last_day = receipt.date + grace(item.paid, item.opened) + {i} days\n  \
             say zh \"第{i}条:未拆封的可退\" en \"Clause {i}: unopened goods may be returned.\"\n\n"
        );
    }
    text
}

/// Each key is answered with the findings of the text after it. The median is printed; with `ZHANGGUI_KEYSTROKE_MS` it must
/// not be more than that many milliseconds.
#[test]
fn a_key_in_a_thousand_lines_is_answered_with_its_findings() {
    let mut client = Client::ready(Units::Utf16);
    let text = a_long_policy();
    assert!((1000..1020).contains(&text.lines().count()), "{}", text.lines().count());
    std::fs::write(client.path("long.policy"), &text).unwrap();
    client.open("long.policy", None);
    assert_eq!(client.findings("long.policy"), Vec::<Value>::new());
    let mut times = Vec::new();
    let at = text.find("item.paid >= 75").unwrap() + "item.pai".len();
    for round in 0..40 {
        // A letter goes, and comes back.
        let (from, to, text_now) = if round % 2 == 0 {
            (at + 1, "", [&text[..at], &text[at + 1..]].concat())
        } else {
            (at, "d", text.clone())
        };
        let range = json!({"start": place(&text, at), "end": place(&text, from)});
        let begun = std::time::Instant::now();
        client.change("long.policy", json!([{"range": range, "text": to}]), text_now);
        let found = client.findings("long.policy");
        times.push(begun.elapsed());
        let codes: Vec<&str> = found.iter().map(|f| f["code"].as_str().unwrap()).collect();
        assert_eq!(codes, if round % 2 == 0 { &["E0202"][..] } else { &[] }, "{found:?}");
    }
    times.sort();
    let median = times[times.len() / 2];
    println!(
        "a key in a thousand lines: median {:.1} ms, slowest {:.1} ms",
        ms(median),
        ms(times[times.len() - 1])
    );
    if let Ok(most) = std::env::var("ZHANGGUI_KEYSTROKE_MS") {
        assert!(ms(median) <= most.parse().unwrap(), "{median:?}");
    }
}

fn ms(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[test]
fn the_analysis_comes_after_a_save_and_stays_while_the_rest_is_typed() {
    let mut client = Client::ready(Units::Utf16);
    client.open(POLICY, None);
    assert_eq!(client.findings(POLICY), Vec::<Value>::new());
    let price = "then refund = item.paid";
    client.edit(POLICY, price, &format!("{price}\nrule free §6\n  then refund = 1 CNY"));
    assert_eq!(client.findings(POLICY), Vec::<Value>::new(), "a key does not wait for the analysis");
    let uri = client.uri(POLICY);
    client.notify("textDocument/didSave", json!({"textDocument": {"uri": uri}}));
    let of = |found: &[Value]| -> Vec<u64> {
        let found = found.iter().filter(|f| f["code"] == "W0613");
        found.map(|f| f["range"]["start"]["line"].as_u64().unwrap()).collect()
    };
    let told = client.wait(|m| {
        m["method"] == "textDocument/publishDiagnostics"
            && !of(m["params"]["diagnostics"].as_array().unwrap()).is_empty()
    });
    let before = of(told["params"]["diagnostics"].as_array().unwrap());
    client.edit(POLICY, "# Who may", "# 谁可以:\n# Who may");
    let after: Vec<u64> = before.iter().map(|line| line + 1).collect();
    assert_eq!(of(&client.findings(POLICY)), after, "the warning moves with its text");
    client.edit(POLICY, "rule free §6\n  then refund = 1 CNY\n", "");
    assert_eq!(of(&client.findings(POLICY)), Vec::<u64>::new());
}
