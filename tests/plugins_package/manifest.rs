//! Manifests: what is wrong, where, and what to write.
use super::MANIFEST;
use std::collections::BTreeMap;
use zhanggui::plugins::contract::Hook;
use zhanggui::plugins::manifest::{Manifest, Version};

const FULL: &str = r#"id = "acme.courier"
version = "2.0.0-rc.1"
api = "0.1"
title = "Courier"
language = "rust"
events = ["member.enrolled"]

[functions.price]
hook = "quote"
arguments = ["weight: whole"]
answers = "money"
reads = ["member.tier", "lines"]

[functions.allowed]
hook = "check"
answers = "word"

[config.markup]
kind = "decimal"
default = "0.15"
help = "On top of the courier's price."

[config.account]
kind = "text"

[[asks.http]]
scheme = "https"
host = "api.courier.example"
port = 443
path = "/v2/"
methods = ["GET", "POST"]
secrets = ["token"]

[asks]
kv = 4096

[wishes]
memory = 16
"#;

#[test]
fn a_full_manifest_is_read() {
    let manifest = Manifest::parse(FULL).unwrap();
    assert_eq!(manifest.vendor(), "acme");
    assert_eq!(manifest.hooks(), [Hook::Check, Hook::Quote, Hook::Notify].into());
    assert_eq!(manifest.asks.kv, 4096);
    assert_eq!(manifest.flaws(), []);
    let again = Manifest::parse(&toml::to_string(&manifest).unwrap()).unwrap();
    assert_eq!(again, manifest);
}

/// Each text is put in place of another; what is said begins with the line and the field.
#[test]
fn what_is_wrong_is_said_with_its_line() {
    for (old, new, said) in [
        (
            "acme.courier",
            "Acme.Courier",
            "plugin.toml:1: id: \"Acme.Courier\" is no name of a plugin; write vendor.name in lower-case words, as \"acme.coupon_lookup\"",
        ),
        ("acme.courier", "courier", "plugin.toml:1: id: "),
        ("acme.courier", "acme.a.b", "plugin.toml:1: id: "),
        (
            "2.0.0-rc.1",
            "2.0",
            "plugin.toml:2: version: \"2.0\" is no semantic version; write three numbers, as \"1.2.0\"",
        ),
        ("2.0.0-rc.1", "v2.0.0", "plugin.toml:2: version: "),
        ("2.0.0-rc.1", "02.0.0", "plugin.toml:2: version: "),
        (
            "api = \"0.1\"",
            "api = \"0.2\"",
            "plugin.toml:3: api: this host does not speak version \"0.2\" of the contract; write \"0.1\"",
        ),
        ("\"Courier\"", "\"\"", "plugin.toml:4: title: "),
        ("language = ", "langauge = ", "plugin.toml:5: langauge: unknown field `langauge`"),
        (
            "member.enrolled",
            "enrolled",
            "plugin.toml:6: events[0]: \"enrolled\" is no kind of event; write one as \"member.enrolled\"",
        ),
        (
            "\"quote\"",
            "\"qoute\"",
            "plugin.toml:9: functions.price.hook: unknown variant `qoute`, expected one of `facts`, `check`, `quote`, `notify`",
        ),
        (
            "\"quote\"",
            "\"notify\"",
            "plugin.toml:9: functions.price.hook: notify has events, no functions; write events",
        ),
        (
            "weight: whole",
            "weight",
            "plugin.toml:10: functions.price.arguments[0]: \"weight\" has no kind; write \"name: kind\", as \"weight: whole\"",
        ),
        (
            "weight: whole",
            "weight: float",
            "plugin.toml:10: functions.price.arguments[0]: \"float\" is no kind of value; write one of truth, whole,",
        ),
        (
            "weight: whole\"",
            "w: whole\", \"w: text\"",
            "plugin.toml:10: functions.price.arguments[1]: a second argument \"w\"",
        ),
        (
            "answers = \"money\"",
            "answers = \"whole\"",
            "plugin.toml:11: functions.price.answers: a quote does not answer \"whole\"; write \"money\"",
        ),
        (
            "answers = \"word\"",
            "answers = \"truth\"",
            "plugin.toml:16: functions.allowed.answers: a check does not answer \"truth\"; write \"word\" (allow, deny, refer)",
        ),
        (
            "member.tier",
            "member tier",
            "plugin.toml:12: functions.price.reads[0]: \"member tier\" is no path of a fact",
        ),
        (
            "functions.allowed",
            "functions.is-allowed",
            "plugin.toml:14: functions.is-allowed: \"is-allowed\" is no name of a function",
        ),
        (
            "\"decimal\"",
            "\"float\"",
            "plugin.toml:19: config.markup.kind: \"float\" is no kind of setting; write one of text, whole, decimal, truth, money",
        ),
        (
            "\"0.15\"",
            "\"15%\"",
            "plugin.toml:20: config.markup.default: \"15%\" is no decimal; write plain digits as text, as \"0.15\"",
        ),
        (
            "\"https\"",
            "\"ftp\"",
            "plugin.toml:27: asks.http[0].scheme: \"ftp\" is no scheme; write \"https\"",
        ),
        (
            "api.courier.example",
            "*.courier.example",
            "plugin.toml:28: asks.http[0].host: \"*.courier.example\" is no host; write one exact name",
        ),
        ("api.courier.example", "API.courier.example", "plugin.toml:28: asks.http[0].host: "),
        ("api.courier.example", "api.example@evil", "plugin.toml:28: asks.http[0].host: "),
        ("api.courier.example", "api.example:443", "plugin.toml:28: asks.http[0].host: "),
        ("api.courier.example", "127.1", "plugin.toml:28: asks.http[0].host: "),
        ("api.courier.example", "0x7f.0.0.1", "plugin.toml:28: asks.http[0].host: "),
        ("port = 443", "port = 0", "plugin.toml:29: asks.http[0].port: 0 is no port; write 443 for https"),
        ("\"/v2/\"", "\"v2\"", "plugin.toml:30: asks.http[0].path: "),
        ("\"/v2/\"", "\"/v2/../\"", "plugin.toml:30: asks.http[0].path: "),
        ("\"/v2/\"", "\"/v2/%2e%2e/\"", "plugin.toml:30: asks.http[0].path: "),
        (
            "[\"GET\", \"POST\"]",
            "[]",
            "plugin.toml:31: asks.http[0].methods: there is none; write methods = [\"GET\"]",
        ),
        (
            "\"POST\"]",
            "\"post\"]",
            "plugin.toml:31: asks.http[0].methods[1]: \"post\" is no method; write one of GET,",
        ),
        (
            "secrets = [\"token\"]",
            "secrets = [\"to ken\"]",
            "plugin.toml:32: asks.http[0].secrets[0]: \"to ken\" is no name of a secret",
        ),
        (
            "secrets = [\"token\"]",
            "private = true",
            "plugin.toml:32: asks.http[0].private: a plugin may not ask for private addresses; take it away; the operator sets it",
        ),
        ("kv = 4096", "kv = 99999999999", "plugin.toml:35: asks.kv: 99999999999 bytes are more than"),
        ("memory = 16", "memory = 0", "plugin.toml:38: wishes.memory: 0 is no limit"),
        ("title = ", "title ", "plugin.toml:4: "),
    ] {
        let text = FULL.replacen(old, new, 1);
        assert_ne!(text, FULL, "{old}");
        let flaws = Manifest::parse(&text).expect_err(new).to_string();
        assert!(flaws.starts_with(said), "expected: {said}\ngot: {flaws}");
    }
    let missing = MANIFEST.replace("title = \"A score\"\n", "");
    assert!(Manifest::parse(&missing).unwrap_err().to_string().contains("missing field `title`"));
    let nothing = MANIFEST.split("\n[").next().unwrap();
    assert!(Manifest::parse(nothing).unwrap_err().to_string().contains("the plugin answers nothing"));
}

#[test]
fn all_flaws_are_said_at_once() {
    let text = FULL.replace("acme.courier", "courier").replace("2.0.0-rc.1", "two").replace("443", "0");
    assert_eq!(Manifest::parse(&text).unwrap_err().0.len(), 3);
}

#[test]
fn settings_are_of_their_kind() {
    let manifest = Manifest::parse(FULL).unwrap();
    let given = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    };
    let settled = manifest.settle(&given(&[("account", "a1")])).unwrap();
    assert_eq!(settled, given(&[("account", "a1"), ("markup", "0.15")]));
    for (pairs, said) in [
        (given(&[]), "the setting \"account\" of acme.courier has no default and no value"),
        (given(&[("account", "a"), ("markup", "x")]), "\"x\" is no decimal; write plain digits"),
        (given(&[("acount", "a")]), "acme.courier has no setting \"acount\" (known: account, markup)"),
    ] {
        let error = manifest.settle(&pairs).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn versions_are_ordered() {
    let order = [
        "0.9.0",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.2.0",
        "1.10.0",
    ];
    let versions: Vec<Version> = order.iter().map(|v| Version::parse(v).unwrap()).collect();
    assert!(versions.is_sorted());
    for wrong in [
        "1",
        "1.2",
        "1.2.3.4",
        "1.02.3",
        "1.2.3-",
        "1.2.3-01",
        "1.2.3-a..b",
        "1.2.3+4",
        "a.b.c",
        "1.2.x",
        "",
        "-1.2.3",
    ] {
        assert_eq!(Version::parse(wrong), None, "{wrong}");
    }
}
