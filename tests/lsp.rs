//! The language server as an editor meets it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
mod common;
#[path = "lsp/client.rs"]
mod client;
use client::{Client, Units, place};
use serde_json::{Value, json};

const POLICY: &str = "returns.policy";

#[test]
fn it_says_what_it_can_and_ends_in_order() {
    let mut client = Client::start();
    let early = client.request("textDocument/hover", json!({})).unwrap_err();
    assert_eq!(early["code"], -32002);
    let result = client.initialize(Units::Bytes, json!({}));
    assert_eq!(result["capabilities"]["positionEncoding"], "utf-8");
    assert_eq!(result["capabilities"]["textDocumentSync"]["change"], 2);
    let unknown = client.request("textDocument/nonsense", json!({})).unwrap_err();
    assert_eq!(unknown["code"], -32601);
    assert_eq!(client.end(), 0);

    let mut client = Client::ready(Units::Utf16);
    client.notify("exit", Value::Null);
    assert_eq!(client.code(), 1, "an end without a shutdown");
    let mut client = Client::ready(Units::Utf16);
    client.hang_up();
    assert_eq!(client.code(), 1, "an input that ends");
}

#[test]
fn what_cannot_be_read_is_answered_and_the_next_message_is_served() {
    let mut client = Client::ready(Units::Utf16);
    client.raw(b"Content-Length: 7\r\n\r\n{\"id\": ");
    let refusal = client.wait(|m| m.get("error").is_some());
    assert_eq!((&refusal["id"], &refusal["error"]["code"]), (&Value::Null, &json!(-32700)));
    client.raw(b"Content-Length: 2\r\n\r\n\xff\xfe");
    let refusal = client.wait(|m| m.get("error").is_some());
    assert_eq!(refusal["error"]["code"], -32700);
    let wrong = client.request("textDocument/hover", json!({"textDocument": 3})).unwrap_err();
    assert_eq!(wrong["code"], -32602);
    client.notify("textDocument/didChange", json!({"nonsense": true}));
    client.notify("textDocument/didChange", json!({"textDocument": {"uri": "file:///none", "version": 2}, "contentChanges": []}));
    client.open(POLICY, None);
    assert_eq!(client.findings(POLICY), Vec::<Value>::new());
    client.raw(b"Content-Length: x\r\n\r\n");
    assert_eq!(client.code(), 1, "nothing can be found after a broken frame");
}

#[test]
fn findings_follow_the_unsaved_text() {
    let mut client = Client::ready(Units::Utf16);
    client.open(POLICY, None);
    assert_eq!(client.findings(POLICY), Vec::<Value>::new());
    client.edit(POLICY, "item.opened\n  then deny", "item.opened\n  then denny");
    let found = client.findings(POLICY);
    assert_eq!(found.len(), 1, "{found:?}");
    let text = client.text(POLICY);
    let at = text.find("denny").unwrap();
    assert_eq!(found[0]["range"], json!({"start": place(&text, at), "end": place(&text, at + 5)}));
    assert_eq!((&found[0]["severity"], &found[0]["code"]), (&json!(1), &json!("E0419")));
    client.edit(POLICY, "denny", "deny");
    assert_eq!(client.findings(POLICY), Vec::<Value>::new());
}

/// The text of a place that an answer names.
fn text_at(client: &Client, location: &Value) -> String {
    let name = location["uri"].as_str().unwrap().rsplit('/').next().unwrap();
    let text = std::fs::read_to_string(client.path(name)).unwrap();
    let byte = |at: &Value| {
        let (line, column) = (at["line"].as_u64().unwrap() as usize, at["character"].as_u64().unwrap() as usize);
        let start: usize = text.split('\n').take(line).map(|l| l.len() + 1).sum();
        let units = text[start..].char_indices().scan(0, |n, (i, c)| {
            let here = (*n, i);
            *n += c.len_utf16();
            Some(here)
        });
        start + units.take_while(|(n, _)| *n <= column).last().map_or(0, |(_, i)| i)
    };
    text[byte(&location["range"]["start"])..byte(&location["range"]["end"])].to_owned()
}

#[test]
fn a_name_says_what_it_means_and_where_it_is_declared() {
    let mut client = Client::ready(Units::Utf16);
    client.open(POLICY, None);
    for (around, said, declared) in [
        ("when item.ope|ned", "已拆封 · opened", Some(("shop.vocab", "opened"))),
        ("receipt.date + win|dow", "set window = 15 days", Some((POLICY, "window"))),
        ("receipt.date + window\n\nrule in_|time", "自购买次日起七日内可退", Some((POLICY, "in_time"))),
        ("overrides ope|ned", "**`shop.returns.opened`** — rule §2", Some((POLICY, "opened"))),
        ("today <= unt|il", "type: `date`", Some((POLICY, "until"))),
        ("then al|low, last", "word of `verdict`", Some(("shop.vocab", "allow"))),
        ("last_d|ay = until", "max date better higher optional", Some(("shop.vocab", "last_day"))),
        ("extends shop.ret|urns", "title zh", Some((POLICY, "shop.returns"))),
        ("# Who may ret|urn", "", None),
    ] {
        let at = client.at(POLICY, around);
        let hover = client.request("textDocument/hover", at.clone()).unwrap();
        let told = hover["contents"]["value"].as_str().unwrap_or_default();
        assert!(told.contains(said) && told.is_empty() == declared.is_none(), "{around}: {told}");
        let found = client.request("textDocument/definition", at).unwrap();
        let found: Vec<(String, String)> = found
            .as_array()
            .unwrap()
            .iter()
            .map(|l| (l["uri"].as_str().unwrap().rsplit('/').next().unwrap().to_owned(), text_at(&client, l)))
            .collect();
        let wanted: Vec<_> = declared.iter().map(|(f, t)| ((*f).to_owned(), (*t).to_owned())).collect();
        assert_eq!(found, wanted, "{around}");
    }
    let mut at = client.at(POLICY, "when item.ope|ned");
    at["context"] = json!({"includeDeclaration": true});
    let found = client.request("textDocument/references", at).unwrap();
    let found = found.as_array().unwrap();
    assert!(found.iter().all(|l| text_at(&client, l) == "opened"), "{found:?}");
    let files: Vec<&str> =
        found.iter().map(|l| l["uri"].as_str().unwrap().rsplit('.').next().unwrap()).collect();
    assert_eq!(files, ["vocab", "policy", "cases", "cases", "cases"]);
}
