//! Every released contract is served for good: its text is frozen, and guests that were built against it then run now.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Instant;
use zhanggui::plugins::contract::{
    Answer, Call, Failure, Field, Hook, HttpAnswer, HttpFailure, HttpRequest, HttpResponse, Money, Quantity,
    Quotation, Ran, Reason, Table, Value,
};
use zhanggui::plugins::host::{Host, HostSettings, Limits, Loaded};
use zhanggui::plugins::kv::{Kv, MemoryKv};
use zhanggui::plugins::manifest::Manifest;
use zhanggui::plugins::web::Web;

/// What was released, with the digest that it had then.
const RELEASED: [(&str, &str); 1] =
    [("0.1.0", "98a4043b2b72afed1b3f83dd5883335aa1d96f5177a81263822c8c73526e4252")];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn a_released_contract_never_changes() {
    for (version, digest) in RELEASED {
        let text = std::fs::read(root().join(format!("plugins/wit/{version}/plugin.wit"))).unwrap();
        assert_eq!(
            hex(&text),
            digest,
            "plugins/wit/{version} was changed. A released contract never changes, not even in a comment: vendors' \
             plugins are built against it, and a host that has another one refuses them. Put it back, and make 0.2.0 \
             beside it."
        );
    }
}

/// No server: the answer's status is the last digit of the URL and 200; nine cannot be reached.
struct Digits;

impl Web for Digits {
    fn fetch(&self, requests: &[HttpRequest], _: Instant) -> Vec<HttpResponse> {
        let answer = |request: &HttpRequest| {
            let status = 200 + request.url.bytes().last().map_or(0, |b| u16::from(b - b'0'));
            let outcome = match status {
                209 => Err(HttpFailure::Unreachable("nine".into())),
                status => {
                    Ok(HttpAnswer { status, headers: vec![("a".into(), "b".into())], body: b"ok".to_vec() })
                }
            };
            HttpResponse { name: request.name.clone(), outcome }
        };
        requests.iter().map(answer).collect()
    }
}

static HOST: LazyLock<Arc<Host>> = LazyLock::new(|| Host::start(HostSettings::default()).unwrap());

struct Old {
    loaded: Arc<Loaded>,
    kv: Arc<MemoryKv>,
}

/// A guest as it was built then, whose digest is the one that was noted then.
fn old(name: &str) -> Old {
    old_answering(name, "text")
}

/// The same, whose `echo` answers another kind.
fn old_answering(name: &str, kind: &str) -> Old {
    let folder = root().join("tests/guests/0.1.0");
    let wasm = std::fs::read(folder.join(format!("{name}.wasm"))).unwrap();
    let sums = std::fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let noted = sums.lines().filter_map(|l| l.split_once("  ")).find(|(_, f)| *f == format!("{name}.wasm"));
    assert_eq!(
        noted.map(|(sum, _)| sum.to_owned()),
        Some(hex(&wasm)),
        "{name}.wasm is not what was released"
    );
    let text = std::fs::read_to_string(folder.join("src").join(name).join("plugin.toml")).unwrap();
    let text = text.replace("answers = \"text\"", &format!("answers = \"{kind}\""));
    let manifest = Manifest::parse(&text).unwrap();
    let none = BTreeMap::new();
    let loaded = HOST.load(&wasm, &manifest, &manifest.asks, &none, &Limits::default()).unwrap();
    Old { loaded, kv: Arc::new(MemoryKv::new(1024)) }
}

impl Old {
    fn ask(&self, hook: Hook, function: &str, arguments: Vec<Field>, tables: Vec<Table>) -> Ran {
        let call = Call {
            key: "k-1".into(),
            function: function.into(),
            store: "S1".into(),
            now: 1_782_869_400_000,
            today: "2026-07-01".into(),
            seed: u64::MAX,
            arguments,
            facts: vec![field("member.tier", Value::Word("gold".into()))],
            tables,
            attributes: vec![field("later", Value::Truth(true))],
        };
        HOST.call(&self.loaded, hook, &call, &Digits, Some(self.kv.clone() as Arc<dyn Kv>))
    }

    fn outcome(&self, hook: Hook, function: &str, arguments: Vec<Field>) -> Result<Answer, Failure> {
        self.ask(hook, function, arguments, Vec::new()).outcome
    }
}

fn field(path: &str, value: Value) -> Field {
    Field { path: path.into(), value }
}

fn word(path: &str, word: &str) -> Vec<Field> {
    vec![field(path, Value::Word(word.into()))]
}

/// One of every kind that can be answered, with the kind's name in a manifest. What is absent has any kind.
fn values() -> Vec<(&'static str, Value)> {
    vec![
        ("text", Value::Absent),
        ("truth", Value::Truth(true)),
        ("whole", Value::Whole(i64::MIN)),
        ("decimal", Value::Decimal("-0.15".into())),
        ("money", Value::Money(Money { minor: -1250, currency: "CNY".into() })),
        ("quantity", Value::Quantity(Quantity { amount: "12".into(), unit: "point".into() })),
        ("text", Value::Text("掌柜 🎂".into())),
        ("word", Value::Word("gold".into())),
        ("date", Value::Date("2026-07-01".into())),
        ("instant", Value::Instant("2026-07-01T09:30:00+08:00".into())),
        ("period", Value::Period("P3M".into())),
        ("duration", Value::Duration(-60)),
    ]
}

#[test]
fn every_kind_of_value_passes_through_an_old_guest() {
    for name in ["facts", "c"] {
        for (kind, value) in values() {
            let guest = old_answering(name, kind);
            let outcome = guest.outcome(Hook::Facts, "echo", vec![field("value", value.clone())]);
            assert_eq!(outcome, Ok(Answer::Value(value)), "{name}");
        }
    }
    let nothing = old("c").outcome(Hook::Facts, "echo", Vec::new());
    assert!(matches!(nothing, Err(Failure::InvalidInput(_))), "{nothing:?}");
}

#[test]
fn an_old_facts_guest_uses_all_that_it_was_promised() {
    let guest = old("facts");
    let whole = |n| Ok(Answer::Value(Value::Whole(n)));
    let ran = guest.ask(Hook::Facts, "count", Vec::new(), Vec::new());
    assert_eq!(ran.outcome, whole(1));
    assert_eq!(ran.log[0].message, "hello k-1 S1 1782869400000 2026-07-01 18446744073709551615");
    assert_eq!(guest.outcome(Hook::Facts, "count", Vec::new()), whole(2));

    let ran = guest.ask(Hook::Facts, "status", Vec::new(), Vec::new());
    assert_eq!((ran.outcome, ran.rounds), (whole(202), 2));

    let row = |n| vec![field("n", Value::Whole(n))];
    let lines = Table { path: "lines".into(), rows: vec![row(1), row(2), row(39)] };
    assert_eq!(guest.ask(Hook::Facts, "rows", Vec::new(), vec![lines]).outcome, whole(42));

    let fails = |how| guest.outcome(Hook::Facts, "fail", word("how", how)).unwrap_err();
    assert_eq!(fails("unavailable"), Failure::Unavailable("away".into()));
    assert_eq!(fails("internal"), Failure::Internal("broken".into()));
    assert!(matches!(fails("other"), Failure::Unknown(_)));
    assert!(matches!(fails("step"), Failure::Unknown(_)));
    let ran = guest.ask(Hook::Facts, "fail", word("how", "panic"), Vec::new());
    assert!(matches!(ran.outcome, Err(Failure::Trapped(_))), "{:?}", ran.outcome);
    assert!(ran.log.iter().any(|l| l.message.contains("as asked: panic")), "{:?}", ran.log);
}

#[test]
fn old_guests_of_the_other_hooks_answer() {
    let check = old("check");
    let told = || vec![Reason { code: "told".into(), text: "It was told so.".into() }];
    let verdict = |how| check.outcome(Hook::Check, "verdict", word("verdict", how));
    assert_eq!(verdict("allow"), Ok(Answer::Allow));
    assert_eq!(verdict("deny"), Ok(Answer::Deny(told())));
    assert_eq!(verdict("refer"), Ok(Answer::Refer(told())));
    assert!(matches!(verdict("nonsense"), Err(Failure::Unknown(_))));

    let quote = old("quote");
    let price = |minor| {
        let amount = Value::Money(Money { minor, currency: "CNY".into() });
        quote.outcome(Hook::Quote, "price", vec![field("amount", amount)])
    };
    let quoted = Quotation {
        price: Money { minor: 1850, currency: "CNY".into() },
        valid_until: Some("2026-07-01T12:00:00+08:00".into()),
        reference: Some("k-1".into()),
        attributes: vec![field("days", Value::Whole(2))],
    };
    assert_eq!(price(1850), Ok(Answer::Quoted(quoted)));
    let declined = Reason { code: "negative".into(), text: "-0.05 CNY".into() };
    assert_eq!(price(-5), Ok(Answer::Declined(declined)));

    let notify = old("notify");
    let told = |event| notify.outcome(Hook::Notify, event, Vec::new());
    assert_eq!(told("old.delivered"), Ok(Answer::Delivered));
    assert_eq!(told("old.later"), Ok(Answer::RetryLater(None)));
    assert_eq!(told("old.waits"), Ok(Answer::RetryLater(Some(30))));
    assert_eq!(told("old.rejected"), Ok(Answer::Rejected("never".into())));
}

#[test]
fn one_old_guest_has_all_hooks() {
    let several = old("several");
    assert_eq!(several.outcome(Hook::Facts, "fact", Vec::new()), Ok(Answer::Value(Value::Truth(true))));
    assert_eq!(several.outcome(Hook::Check, "verdict", Vec::new()), Ok(Answer::Allow));
    assert!(matches!(several.outcome(Hook::Quote, "price", Vec::new()), Ok(Answer::Quoted(_))));
    assert_eq!(several.outcome(Hook::Notify, "old.delivered", Vec::new()), Ok(Answer::Delivered));
}

#[test]
fn every_old_guest_is_in_the_sums() {
    let folder = root().join("tests/guests/0.1.0");
    let sums = std::fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "wasm") {
            let name = path.file_name().and_then(|n| Path::new(n).to_str()).unwrap();
            assert!(sums.contains(&format!("  {name}\n")), "{name} is not in SHA256SUMS");
        }
    }
}
