//! What a plugin costs a decision over HTTP: the same question with the plugin asked and with its fact given, in turns, by
//! four tills; and a question that needs no plugin, in turns where none and where a hundred are installed.
//! `ZHANGGUI_PLUGIN_SPEED=1` measures for long and holds the ratios against the goals.
use crate::common::till::jiajie;
use crate::common::{agent, post, starter};
use crate::shop::{Shop, pack, settings};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

const TILLS: usize = 4;

fn full() -> bool {
    std::env::var("ZHANGGUI_PLUGIN_SPEED").is_ok_and(|v| v == "1")
}

/// The guest in Rust that is kept from the contract's first version, under a name.
fn package(name: &str) -> Vec<u8> {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests/0.1.0");
    let manifest = format!(
        "id = \"acme.{name}\"\nversion = \"1.0.0\"\napi = \"0.1\"\ntitle = \"{name}\"\n\n\
         [functions.echo]\nhook = \"facts\"\narguments = [\"n: whole\"]\nanswers = \"whole\"\n\n\
         [config.greeting]\nkind = \"text\"\ndefault = \"hello\"\n\n[asks]\nkv = 100\n"
    );
    let case = json!({
        "name": "one", "hook": "facts", "responses": [], "expect": { "value": { "whole": 7 } },
        "call": {
            "key": "k", "function": "echo", "store": "s", "now": 1, "today": "2026-11-22",
            "arguments": [{ "path": "n", "value": { "whole": 7 } }],
        },
    });
    let files = BTreeMap::from([
        ("plugin.toml".to_owned(), manifest.into_bytes()),
        ("plugin.wasm".to_owned(), std::fs::read(guests.join("facts.wasm")).unwrap()),
        ("cases/one.json".to_owned(), case.to_string().into_bytes()),
        ("README.md".to_owned(), b"# A plugin".to_vec()),
    ]);
    pack(files, None)
}

fn install(shop: &Shop, name: &str) {
    shop.take(&package(name));
    let grants = json!({ "kv": 100, "who": "lin" });
    shop.put(&format!("/v1/plugins/acme.{name}/grants"), &grants).ok(200);
    shop.roll_out(&format!("acme.{name}"), "1.0.0", "all").ok(200);
}

fn with_an_echo(policies: &Path) {
    let file = policies.join("shop.vocab");
    let vocab = std::fs::read_to_string(&file).unwrap()
        + "fact echo(n: integer): integer from plugin acme.echo.echo on failure 99 zh \"回声\" en \"echo\"\n\n\
           decision rate zh \"评价\" en \"rating\" given today {\n\
           \x20 mark: one integer else 0 zh \"分\" en \"mark\"\n}\n";
    std::fs::write(&file, vocab).unwrap();
    let policy = "policy shop.rates decides rate\n  title zh \"评价\" en \"Rating\"\n  layer chain shop\n  \
        governed by today\n\nrule mark §1\n  then mark = echo(7)\n  say zh \"按回声\" en \"As it echoes.\"\n";
    std::fs::write(policies.join("rates.policy"), policy).unwrap();
}

/// Answers a second.
fn pace(url: &str, body: &str, holds: &str, time: Duration) -> f64 {
    let began = Instant::now();
    let answers: usize = std::thread::scope(|scope| {
        let tills: Vec<_> = (0..TILLS)
            .map(|_| {
                scope.spawn(|| {
                    let (agent, mut answers) = (agent(), 0);
                    while began.elapsed() < time {
                        let (status, text) = post(&agent, url, body);
                        assert!(status == 200 && text.contains(holds), "{text}");
                        answers += 1;
                    }
                    answers
                })
            })
            .collect();
        tills.into_iter().map(|till| till.join().unwrap()).sum()
    });
    answers as f64 / began.elapsed().as_secs_f64()
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Answers a second with the plugin asked and with its fact given, in turns; the medians.
fn beside(shop: &Shop, decision: &str, asking: &Value, given: &Value, holds: &str) -> (f64, f64) {
    let url = format!("{}/v1/decisions/{decision}", shop.server.base);
    let body = |facts: &Value| json!({ "store": "s001", "facts": facts }).to_string();
    let (asking, given) = (body(asking), body(given));
    let (rounds, time) = if full() { (9, Duration::from_secs(2)) } else { (1, Duration::from_millis(200)) };
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        without.push(pace(&url, &given, holds, time));
        with.push(pace(&url, &asking, holds, time));
    }
    let (with, without) = (median(with), median(without));
    println!(
        "{decision}: through a plugin {with:.0} a second, its fact given {without:.0}: {:.2}",
        with / without
    );
    (with, without)
}

/// Jiajie's return of a dear dress by a member with three returns, which `serial-returner` looks at.
#[test]
fn a_return_through_a_plugin_keeps_pace() {
    let Some(returner) = crate::demonstration::package("serial-returner") else { return };
    let (_dir, policies) = jiajie();
    settings(&policies, "plugin_development = true");
    let shop = Shop::open(&policies, &[]);
    shop.take(&returner);
    shop.roll_out("jiajie.serial_returner", "1.0.0", "all").ok(200);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/return_item.json");
    let mut facts: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    for at in [
        "/item/unit_price",
        "/item/paid",
        "/item/price_now",
        "/lines/0/list_price",
        "/lines/0/shelf_price",
        "/lines/0/paid",
    ] {
        *facts.pointer_mut(at).unwrap() = "1399.00".into();
    }
    let row =
        json!({ "date": "2026-06-20", "bought_on": "2026-06-18", "refund": "50.00", "reason": "wrong_size" });
    facts["recent_returns"] = json!([row, row, row]);
    facts["recent_purchases"] = json!([{ "date": "2026-06-18", "paid": "1500.00" }]);
    let mut given = facts.clone();
    given["returner_score"] = json!([{ "member": "M000123", "value": 0 }]);
    let (with, without) = beside(&shop, "return_item", &facts, &given, "\"status\":\"decided\"");
    assert!(!full() || with >= without * 0.5);
}

/// The smallest decision that there is, which does nothing else than to ask; and one that asks nobody beside a hundred.
#[test]
fn a_decision_beside_plugins_keeps_pace() {
    let (_dir, policies) = starter();
    settings(&policies, "plugin_development = true");
    with_an_echo(&policies);
    let shop = Shop::open(&policies, &[]);
    install(&shop, "echo");
    let asking = json!({ "today": "2026-11-22" });
    let given = json!({ "today": "2026-11-22", "echo": [{ "n": 7, "value": 7 }] });
    beside(&shop, "rate", &asking, &given, "\"mark\":7");
    if !full() {
        return;
    }
    let (_other_dir, other_policies) = starter();
    settings(&other_policies, "plugin_development = true");
    with_an_echo(&other_policies);
    let bare = Shop::open(&other_policies, &[]);
    (0..100).for_each(|n| install(&shop, &format!("other{n}")));
    let body = json!({ "store": "s001", "facts": given }).to_string();
    let one = |shop: &Shop| {
        let url = format!("{}/v1/decisions/rate", shop.server.base);
        pace(&url, &body, "\"mark\":7", Duration::from_secs(2))
    };
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        without.push(one(&bare));
        with.push(one(&shop));
    }
    let (with, without) = (median(with), median(without));
    println!(
        "without a plugin {without:.0} a second, with a hundred installed {with:.0}: {:.3}",
        with / without
    );
    assert!(with >= without * 0.97);
}
