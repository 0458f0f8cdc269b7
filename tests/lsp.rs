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
    client.edit(POLICY, "then deny", "then denny");
    let found = client.findings(POLICY);
    assert_eq!(found.len(), 1, "{found:?}");
    let text = client.text(POLICY);
    let at = text.find("denny").unwrap();
    assert_eq!(found[0]["range"], json!({"start": place(&text, at), "end": place(&text, at + 5)}));
    assert_eq!((&found[0]["severity"], &found[0]["code"]), (&json!(1), &json!("E0419")));
    client.edit(POLICY, "then denny", "then deny");
    assert_eq!(client.findings(POLICY), Vec::<Value>::new());
}
