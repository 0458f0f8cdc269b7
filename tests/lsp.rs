//! The language server as an editor meets it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
#[path = "lsp/client.rs"]
mod client;
mod common;
#[path = "lsp/names.rs"]
mod names;
#[path = "lsp/pace.rs"]
mod pace;
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
    client.notify(
        "textDocument/didChange",
        json!({"textDocument": {"uri": "file:///none", "version": 2}, "contentChanges": []}),
    );
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
        let (line, column) =
            (at["line"].as_u64().unwrap() as usize, at["character"].as_u64().unwrap() as usize);
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

/// Completion in a policy: what stands before the last line is the starter's own text.
#[test]
fn proposals_fit_the_place_in_a_text_that_does_not_parse() {
    let mut client = Client::ready(Units::Utf16);
    let start = std::fs::read_to_string(client.path(POLICY)).unwrap();
    let (chain, store) = start.split_once("# A store may be kinder").unwrap();
    client.open(POLICY, None);
    let table =
        "table term(v: verdict, x: bool?) -> d: period, w: verdict\n  | allow | yes | 1 day | deny |\n";
    for (text, some, none) in [
        ("rule x §9\n  when item.‸", &["paid", "opened", "faulty"][..], &["allow", "when", "until"][..]),
        ("rule x §9\n  when item.op‸ and today <= until\n  then deny", &["opened", "paid"], &["deny"]),
        ("rule x when (receipt.‸", &["date", "shown"], &["opened"]),
        (
            "rule x when ‸",
            &["item", "receipt", "today", "until", "window", "not", "earliest"],
            &["deny", "s001"],
        ),
        ("rule x when today ‸", &["and", "is", "then"], &["item", "deny"]),
        ("rule x when verdict is ‸", &["allow", "deny", "not"], &["opened"]),
        ("rule x when verdict in {allow, ‸", &["allow", "deny"], &[]),
        ("rule x when item.opened is ‸", &["yes", "no"], &["allow"]),
        ("rule x when item.opened then ‸", &["allow", "deny", "verdict", "refund", "last_day"], &["opened"]),
        ("rule x then deny, ref‸", &["refund", "allow"], &[]),
        ("rule x then refund ‸", &["=", "at"], &["add", "allow"]),
        ("rule x then verdict = ‸", &["allow", "deny", "if"], &[]),
        ("rule x then verdict = if item.opened then ‸", &["allow", "deny"], &[]),
        ("rule x then last_day at ‸", &["least", "most"], &[]),
        ("rule x then deny overrides ‸", &["opened", "no_receipt", "faulty"], &["deny", "until"]),
        ("rule x then deny overrides opened for ‸", &["verdict", "refund"], &["opened"]),
        ("rule x then deny\n  ‸", &["rule", "param", "overrides", "say"], &["decision", "allow"]),
        ("rule x for each l in list(i for i in ‸", &["item"], &[]),
        (&format!("{table}  | ‸"), &["allow", "deny", "else"], &["yes"]),
        (&format!("{table}  | deny | ‸"), &["yes", "no", "absent"], &["allow"]),
        (&format!("{table}  | deny | no | 2 days | ‸"), &["allow", "deny"], &["yes"]),
        (&format!("{table}let y = term(‸"), &["allow", "deny", "v: ", "x: "], &[]),
        (&format!("{table}let y = term(allow, ‸"), &["yes", "no"], &[]),
        (&format!("{table}let y = term(allow, yes).‸"), &["d", "w"], &["v", "paid"]),
        (&format!("{table}rule y when term(allow, yes).w is ‸"), &["allow", "deny"], &["opened"]),
        ("param p: ‸", &["money", "verdict", "date", "list"], &["until", "today"]),
        ("param p: verdict = ‸", &["allow", "deny"], &[]),
        ("param p: period = 1 day ‸", &["store may set", "from"], &["deny"]),
        ("table t(a: ‸", &["bool", "verdict"], &["until"]),
        ("table t(a: bool) -> b: money ‸", &["unique", "first", "collect"], &["item"]),
        ("‸", &["policy", "rule", "let"], &["allow", "fact"]),
        ("policy a.b decides ‸", &["return_item"], &["verdict"]),
        ("policy a.b decides return_item\n  layer ‸", &["chain", "store"], &[]),
        ("policy a.b decides return_item\n  layer store ‸", &["s001", "s002"], &["shop"]),
        ("policy a.b decides return_item\n  layer store s001\n  extends ‸", &["shop.returns"], &[]),
        ("policy a.b decides return_item\n  layer store s001\n  extends shop.‸", &["returns"], &[]),
        ("policy a.b decides return_item\n  layer store s001\nset shop.returns.‸", &["window"], &["item"]),
        ("policy a.b decides return_item\n  layer store s001\nset ‸", &["shop.returns.window"], &["until"]),
        (
            "policy a.b decides return_item\n  layer store s001\nrule x then deny overrides ‸",
            &["shop.returns.opened"],
            &[],
        ),
    ] {
        let got = client.proposals(POLICY, &format!("{chain}{text}\n# A store{store}"));
        for word in some {
            assert!(got.iter().any(|g| g == word), "{text}: {word} is not in {got:?}");
        }
        for word in none {
            assert!(!got.iter().any(|g| g == word), "{text}: {word} is in {got:?}");
        }
    }
    // In a comment, a clause and a text for people nothing is proposed.
    for text in ["let a = 1 # item.‸", "rule x §‸", "rule x then deny say zh \"‸\""] {
        assert_eq!(client.proposals(POLICY, &format!("{chain}{text}\n")), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn proposals_in_cases_and_vocabularies() {
    let mut client = Client::ready(Units::Utf16);
    for (file, rows) in [
        (
            "returns.cases",
            &[
                ("case \"x\" with \"‸", &["clean"][..], &["opened"][..]),
                ("case \"x\" like \"‸\"", &["opened", "the last day"], &["clean"]),
                ("case \"x\" for ‸", &["return_item"], &["s001"]),
                ("case \"x\" for return_item at ‸", &["s001", "s002"], &["return_item"]),
                ("case \"x\" given ‸", &["item", "receipt", "today"], &["verdict"]),
                ("case \"x\" given item.‸", &["opened", "paid"], &["date"]),
                ("case \"x\" given item.opened = ‸", &["yes", "no", "unknown"], &["allow"]),
                ("case \"x\" given today = 2026-01-01 ‸", &["expect"], &[]),
                (
                    "case \"x\" given today = 2026-01-01 expect ‸",
                    &["allow", "deny", "refund", "needs"],
                    &["item"],
                ),
                ("case \"x\" expect allow by ‸", &["in_time", "default"], &["refund"]),
                ("case \"x\" expect allow by in_time, ‸", &["opened", "refund"], &[]),
                ("case \"x\" expect refund is ‸", &["absent", "undecided"], &["allow"]),
                ("case \"x\" expect verdict = ‸", &["allow", "deny"], &[]),
                ("case \"x\" expect needs item.‸", &["opened"], &[]),
                ("background \"b\" ‸", &["item", "receipt"], &[]),
                ("case \"x\" ‸", &["given", "expect", "with"], &["item"]),
                ("‸", &["case", "background"], &["rule"]),
            ][..],
        ),
        (
            "shop.vocab",
            &[
                ("entity thing { a: ‸", &["money", "verdict", "receipt"], &["today"]),
                ("fact f: ‸", &["date", "verdict"], &[]),
                ("fact f: date from ‸", &["records", "desk"], &[]),
                ("decision other given ‸", &["item", "today"], &["verdict"]),
                ("decision other given item {\n  v: ‸", &["max", "one"], &[]),
                ("decision other given item {\n  v: max ‸", &["verdict", "money"], &[]),
                ("‸", &["enum", "entity", "decision"], &["rule"]),
            ],
        ),
    ] {
        let start = std::fs::read_to_string(client.path(file)).unwrap();
        client.open(file, None);
        for (text, some, none) in rows {
            let got = client.proposals(file, &format!("{start}{text}\n"));
            for word in *some {
                assert!(got.iter().any(|g| g == word), "{text}: {word} is not in {got:?}");
            }
            for word in *none {
                assert!(!got.iter().any(|g| g == word), "{text}: {word} is in {got:?}");
            }
        }
    }
}

#[test]
fn an_outline_a_mended_slip_and_a_case_that_is_run() {
    const CASES: &str = "returns.cases";
    let mut client = Client::ready(Units::Utf16);
    client.open(POLICY, None);
    client.open(CASES, None);
    let outline = client
        .request("textDocument/documentSymbol", json!({"textDocument": {"uri": client.uri(POLICY)}}))
        .unwrap();
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&outline), ["shop.returns", "shop.s002"]);
    assert_eq!(names(&outline[0]["children"])[..4], ["window", "until", "in_time", "opened"]);

    client.edit(POLICY, "today <= until", "today <= untli");
    let found = client.findings(POLICY);
    assert_eq!((found.len(), &found[0]["code"]), (1, &json!("E0201")));
    let params = json!({"textDocument": {"uri": client.uri(POLICY)}, "range": found[0]["range"],
        "context": {"diagnostics": found}});
    let actions = client.request("textDocument/codeAction", params).unwrap();
    assert_eq!(actions[0]["title"], "write `until` instead of `untli`");
    assert!(edited(&client, POLICY, &actions[0]["edit"]).contains("today <= until\n"));
    let lenses =
        client.request("textDocument/codeLens", json!({"textDocument": {"uri": client.uri(CASES)}})).unwrap();
    assert_eq!(lenses.as_array().unwrap().len(), 9);
    let command = lenses[1]["command"].clone();
    let run = |client: &mut Client, command: &Value| {
        let params = json!({"command": command["command"], "arguments": command["arguments"]});
        client.request("workspace/executeCommand", params)
    };
    let refused = run(&mut client, &command).unwrap_err();
    assert!(refused["message"].as_str().unwrap().contains("has errors"), "{refused}");

    client.edit(POLICY, "untli", "until");
    let result = run(&mut client, &command).unwrap();
    assert_eq!((&result["passed"], &result["failed"]), (&json!(1), &json!(0)));
    let said = client.wait(|m| m["method"] == "window/showMessage");
    assert_eq!(
        said["params"]["message"],
        "\"the last day\" passes: allow by in_time, refund = 399 CNY by price, last_day = 2026-07-08"
    );
    // The case fails on the text as it is in the editor, not as it was saved.
    client.edit(POLICY, "= 7 days §1", "= 8 days §1");
    let result = run(&mut client, &command).unwrap();
    assert_eq!((&result["passed"], &result["failed"]), (&json!(0), &json!(1)));
    let said = client.wait(|m| m["method"] == "window/showMessage" && m["params"]["type"] == 2);
    let said = said["params"]["message"].as_str().unwrap();
    assert!(said.contains("last_day: expected 2026-07-08, got 2026-07-09"), "{said}");
    let all = lenses[0]["command"].clone();
    let result = run(&mut client, &all).unwrap();
    assert_eq!(result["cases"].as_array().unwrap().len(), 8);
}

#[test]
fn findings_of_other_files_come_and_go_and_files_on_disk_count_when_closed() {
    let mut client = Client::ready(Units::Bytes);
    client.open("shop.vocab", None);
    assert_eq!(client.findings("shop.vocab"), Vec::<Value>::new());
    let text = client.text("shop.vocab").replace("  opened: bool", "  opend: bool");
    client.change("shop.vocab", json!([{ "text": text }]), text);
    // A name that is missing in many places is told once: in one of the files, with the others beside it.
    let told = client.wait(|m| m["params"]["diagnostics"][0]["code"] == "E0202");
    let other = told["params"]["uri"].as_str().unwrap().to_owned();
    assert!(!other.ends_with("shop.vocab"), "{told}");
    let uri = client.uri("shop.vocab");
    client.notify("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
    let mended = client.wait(|m| m["params"]["uri"] == other.as_str());
    assert_eq!(mended["params"]["diagnostics"], json!([]), "told again when the file on disk counts");
    // A change by somebody else.
    let path = client.path(POLICY);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("item.opened", "item.opend")).unwrap();
    let uri = client.uri(POLICY);
    client.notify("workspace/didChangeWatchedFiles", json!({"changes": [{"uri": uri, "type": 2}]}));
    assert_eq!(client.next_findings(POLICY)[0]["code"], "E0202");
}

#[test]
fn a_text_without_a_rulebook_says_so() {
    let mut client = Client::ready(Units::Utf16);
    let dir = tempfile::tempdir().unwrap();
    client.root = dir.path().to_owned();
    client.open("lonely.policy", Some("policy a decides b\n"));
    let found = client.findings("lonely.policy");
    assert!(found[0]["message"].as_str().unwrap().contains("belongs to no rulebook"), "{found:?}");
    let hover = client.at("lonely.policy", "policy |a");
    assert_eq!(client.request("textDocument/hover", hover), Ok(Value::Null));
}

#[test]
fn a_finding_points_to_its_page_and_to_the_other_place() {
    let mut client = Client::start();
    let docs = tempfile::tempdir().unwrap();
    std::fs::write(docs.path().join("E0204.md"), "two of one name").unwrap();
    client.initialize(Units::Utf16, json!({"docs": docs.path().to_str().unwrap()}));
    client.open(POLICY, None);
    client.edit(POLICY, "rule opened §2", "rule in_time §2");
    let found = client.findings(POLICY);
    let twice = found.iter().find(|f| f["code"] == "E0204").unwrap_or_else(|| panic!("{found:?}"));
    let href = twice["codeDescription"]["href"].as_str().unwrap();
    assert!(href.starts_with("file://") && href.ends_with("/E0204.md"), "{href}");
    let related = &twice["relatedInformation"][0];
    assert_eq!(related["message"], "the first one is here");
    let text = client.text(POLICY);
    assert_eq!(related["location"]["range"]["start"], place(&text, text.find("in_time §1").unwrap()));
    assert!(found.iter().filter(|f| f["code"] != "E0204").all(|f| f.get("codeDescription").is_none()));
}

#[test]
fn columns_count_bytes_where_both_sides_can() {
    let mut client = Client::ready(Units::Bytes);
    client.open(POLICY, None);
    client.findings(POLICY);
    // Inserted after a Chinese word: bytes of the line, not characters.
    let text = client.text(POLICY);
    let line = text.lines().position(|l| l.contains("已拆封的不退")).unwrap();
    let before = text.lines().nth(line).unwrap();
    let column = before.find("的不退").unwrap();
    let range = json!({"start": {"line": line, "character": column}, "end": {"line": line, "character": column + "的".len()}});
    client.change(
        POLICY,
        json!([{"range": range, "text": "\" nonsense"}]),
        text.replacen("已拆封的", "已拆封\" nonsense", 1),
    );
    let found = client.findings(POLICY);
    let line_now = client.text(POLICY).lines().nth(line).unwrap().to_owned();
    let at = line_now.find("退\"").unwrap() + "退".len();
    assert_eq!(found[0]["range"]["start"], json!({"line": line, "character": at}), "{found:?}");
}

#[test]
fn a_text_gets_its_one_layout_unless_it_has_errors() {
    let mut client = Client::ready(Units::Utf16);
    client.open(POLICY, None);
    let ask = |client: &mut Client| {
        let params = json!({"textDocument": {"uri": client.uri(POLICY)}, "options": {"tabSize": 2, "insertSpaces": true}});
        client.request("textDocument/formatting", params)
    };
    client.edit(POLICY, "param window: period = 7 days §1", "param   window:period=7   days §1");
    let edits = ask(&mut client).unwrap();
    let text = edited(&client, POLICY, &json!({"changes": {(client.uri(POLICY)): edits}}));
    assert!(text.contains("\nparam window: period = 7 days §1"), "{text}");
    client.change(POLICY, json!([{ "text": text }]), text.clone());
    assert_eq!(ask(&mut client), Ok(json!([])), "laid out already");
    client.edit(POLICY, "rule price §5", "rule price §5 (");
    let refused = ask(&mut client).unwrap_err();
    assert!(refused["message"].as_str().unwrap().contains("has errors"), "{refused}");
}

/// The text of an open file after the edits that an answer has for it.
fn edited(client: &Client, name: &str, answer: &Value) -> String {
    let text = client.text(name);
    let lines: Vec<&str> = text.split('\n').collect();
    let byte = |at: &Value| {
        let line = at["line"].as_u64().unwrap() as usize;
        let units: Vec<u16> = lines[line].encode_utf16().collect();
        let column = String::from_utf16(&units[..at["character"].as_u64().unwrap() as usize]).unwrap();
        lines[..line].iter().map(|l| l.len() + 1).sum::<usize>() + column.len()
    };
    let mut edits: Vec<(usize, usize, &str)> = answer["changes"][client.uri(name)]
        .as_array()
        .map(|list| {
            let edit = |e: &'_ Value| (byte(&e["range"]["start"]), byte(&e["range"]["end"]));
            list.iter()
                .map(|e| {
                    let (a, b) = edit(e);
                    (a, b, e["newText"].as_str().unwrap())
                })
                .collect()
        })
        .unwrap_or_default();
    edits.sort();
    let mut out = text.clone();
    for (start, end, new) in edits.iter().rev() {
        out.replace_range(start..end, new);
    }
    out
}
