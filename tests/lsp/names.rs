//! What names mean, and how they are changed.
use super::{POLICY, common, edited, text_at};
use crate::client::{Client, Units};
use serde_json::json;

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
    assert_eq!(files, ["vocab", "cases", "cases", "cases", "policy"]);
}

#[test]
fn a_name_is_changed_everywhere_or_not_at_all() {
    const CASES: &str = "returns.cases";
    const VOCAB: &str = "shop.vocab";
    let mut client = Client::ready(Units::Utf16);
    for file in [POLICY, CASES, VOCAB] {
        client.open(file, None);
    }
    for (file, around, new, counts) in [
        (POLICY, "rule ope|ned", "unwrapped", [2, 2, 0]),
        (POLICY, "item.ope|ned", "unsealed", [1, 3, 1]),
        (POLICY, "let unt|il", "deadline", [3, 0, 0]),
        (POLICY, "set win|dow", "term", [3, 0, 0]),
        (POLICY, "then al|low, last", "accept", [2, 3, 1]),
        (POLICY, "ref|und = item", "payback", [1, 2, 1]),
        (CASES, "background \"cl|ean", "tidy", [0, 3, 0]),
        (VOCAB, "entity rec|eipt", "slip", [5, 6, 2]),
        (VOCAB, "enum verd|ict", "answer", [0, 0, 2]),
    ] {
        let mut params = client.at(file, around);
        let prepared = client.request("textDocument/prepareRename", params.clone()).unwrap();
        assert!(prepared["placeholder"].is_string(), "{prepared}");
        params["newName"] = json!(new);
        let answer =
            client.request("textDocument/rename", params).unwrap_or_else(|e| panic!("{around}: {e}"));
        let texts = [POLICY, CASES, VOCAB].map(|f| (f, edited(&client, f, &answer)));
        let got = texts.clone().map(|(f, text)| {
            assert_eq!(client.text(f).matches(new).count(), 0);
            text.matches(new).count()
        });
        assert_eq!(got, counts, "{around} → {new}");
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in &texts {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        std::fs::copy(client.path("rulebook.toml"), dir.path().join("rulebook.toml")).unwrap();
        let run = common::zhanggui(&["test", common::text(dir.path())]);
        assert_eq!(run.code, 0, "{around} → {new}: {run:?}");
    }
    let own =
        "set window = 15 days\nlet deadline = today\nlet x = until\nrule late when x < deadline then deny";
    client.edit(POLICY, "set window = 15 days", own);
    for (file, around, new, why) in [
        (POLICY, "let unt|il", "deadline", "`deadline` would mean something else at"),
        (POLICY, "rule ope|ned", "faulty", "there are two rules named `faulty`"),
        (POLICY, "let unt|il", "today", "`today` is a fact already"),
        (POLICY, "let unt|il", "then", "`then` is a word of the language"),
        (POLICY, "let unt|il", "a b", "`a b` cannot be a name"),
        (POLICY, "let unt|il", "раy", "mixes letters"),
        (POLICY, "item.ope|ned", "paid", "has two fields named `paid`"),
        (VOCAB, "  de|ny zh", "today", "`today` cannot be its name"),
        (VOCAB, "currency CN|Y", "USD", "international code"),
        (POLICY, "policy shop.ret|urns", "shop.x", "the path of a policy"),
        (POLICY, "zh \"退货|规定", "x", "nothing that has a name"),
        (CASES, "background \"cl|ean", "a\"b", "has no quotes"),
    ] {
        let mut params = client.at(file, around);
        params["newName"] = json!(new);
        let refused = client.request("textDocument/rename", params).expect_err(around);
        let said = refused["message"].as_str().unwrap();
        assert!(said.contains(why), "{around} → {new}: {said}");
    }
}

#[test]
fn a_word_of_a_shared_vocabulary_is_renamed_in_every_rulebook() {
    let mut client = Client::start();
    for folder in ["a", "b"] {
        std::fs::create_dir(client.path(folder)).unwrap();
        for file in [POLICY, "returns.cases", "rulebook.toml"] {
            let text = std::fs::read_to_string(client.path(file)).unwrap();
            let text = text.replace("[\"shop.vocab\"]", "[\"../shop.vocab\"]");
            std::fs::write(client.path(&format!("{folder}/{file}")), text).unwrap();
        }
    }
    for file in [POLICY, "returns.cases", "rulebook.toml"] {
        std::fs::remove_file(client.path(file)).unwrap();
    }
    client.initialize(Units::Utf16, json!({}));
    // Only one text of one rulebook is open.
    client.open("a/returns.policy", None);
    let mut params = client.at("a/returns.policy", "item.ope|ned");
    params["newName"] = json!("unsealed");
    let answer = client.request("textDocument/rename", params.clone()).unwrap();
    let files: Vec<&String> = answer["changes"].as_object().unwrap().keys().collect();
    let all = ["a/returns.cases", "a/returns.policy", "b/returns.cases", "b/returns.policy", "shop.vocab"];
    assert_eq!(files, all.map(|f| client.uri(f)).iter().collect::<Vec<_>>());
    params["context"] = json!({"includeDeclaration": true});
    let places = client.request("textDocument/references", params).unwrap();
    assert_eq!(places.as_array().unwrap().len(), 9, "{places}");
}

#[test]
fn a_function_says_how_it_is_written() {
    let mut client = Client::ready(Units::Utf16);
    client.open(POLICY, None);
    client.edit(POLICY, "today <= until", "earliest(today, until) <= until");
    let at = client.at(POLICY, "earl|iest(");
    let hover = client.request("textDocument/hover", at).unwrap();
    let told = hover["contents"]["value"].as_str().unwrap_or_default();
    assert!(told.contains("earliest(a, b)"), "{told}");
}
