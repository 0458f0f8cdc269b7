//! Over HTTP: questions, batches, recorded operations, replay without the plugin, retries, and nobody waiting for a plugin
//! but who asked it.
use crate::common::agent;
use crate::common::eventually;
use crate::common::till::{Answer as Told, send};
use crate::doubles::Scripted;
use crate::shop::policies;
use serde_json::{Value as Json, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use zhanggui::counter::plugged::Nobody;
use zhanggui::plugins::ask::Answers;
use zhanggui::plugins::contract::{Answer, Failure, LogLine, Value};
use zhanggui::server::{Flags, Settings, serve_with};

/// A node of the chain in this process, which ends with the test binary.
struct Node {
    base: String,
}

impl Node {
    fn start(home: &Path, plugins: Arc<dyn Answers>, request_timeout: u64) -> Node {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = Settings {
            listen: format!("127.0.0.1:{port}"),
            policies: home.join("policies"),
            database: format!("sqlite://{}?mode=rwc", home.join("club.db").display()),
            plugins: home.join("plugins"),
            reload: false,
            workers: 2,
            request_timeout,
            ..Settings::read(None, &Flags::default(), std::iter::empty()).unwrap()
        };
        std::thread::spawn(move || serve_with(settings, plugins).unwrap());
        let node = Node { base: format!("http://127.0.0.1:{port}") };
        eventually("the server serves", || agent().get(format!("{}/healthz", node.base)).call().ok());
        node
    }
    fn get(&self, path: &str) -> Told {
        send(&self.base, "GET", path, &[], None)
    }
    fn post(&self, path: &str, key: Option<&str>, body: &Json) -> Told {
        let headers: Vec<(&str, &str)> = key.iter().map(|key| ("Idempotency-Key", *key)).collect();
        send(&self.base, "POST", path, &headers, Some(&body.to_string()))
    }
    fn enrol(&self, key: &str, number: &str, ground: &str) -> Told {
        self.post("/v1/members", Some(key), &applicant(number, ground))
    }
}

fn applicant(number: &str, ground: &str) -> Json {
    json!({
        "store": "s1", "actor": "a", "number": number, "card": format!("card-{number}"),
        "applicant": { "ground": ground, "name": "陈" }, "visit": {},
    })
}

fn question(ground: &str) -> Json {
    json!({ "facts": {
        "applicant": { "ground": ground, "name": "陈", "day_spend": "0.00", "persons": 1, "address": null },
        "trips": [], "today": "2026-07-01",
    }})
}

fn whole(n: i64) -> Result<Answer, Failure> {
    Ok(Answer::Value(Value::Whole(n)))
}

#[test]
fn questions_ask_plugins_and_say_what_they_said() {
    let (dir, _policies) = policies();
    let plugins = Scripted::saying(&[("acme.fraud.score", whole(90))]);
    let node = Node::start(dir.path(), plugins.clone(), 10);
    let ask = |ground: &str, explain: bool| {
        let mut body = question(ground);
        body["store"] = "s1".into();
        body["explain"] = explain.into();
        node.post("/v1/decisions/enrol", None, &body)
    };
    let plain = ask("nothing", false).ok(200);
    assert_eq!((plain["status"].as_str(), plain.get("plugins")), (Some("decided"), None));
    assert!(plugins.all().is_empty());
    let told = ask("risk", true).ok(200);
    assert_eq!((&told["outcome"]["verdict"], &told["outcome"]["seen"]), (&json!("deny"), &json!(90)));
    assert_eq!(told["plugins"][0]["version"], "1.2.0");
    let words = &told["explanation"]["plugins"][0]["text"];
    assert_eq!(words["en"], "plugin acme.fraud 1.2.0 says: risk(\"陈\") = 90");
    assert_eq!(words["zh"], "插件 acme.fraud 1.2.0 回答:risk(\"陈\") = 90");
    // Not installed, and referred: the question names the fact and says why.
    let told = ask("register", false).ok(200);
    assert_eq!((&told["status"], &told["plugins"][0]["held"]), (&json!("needs"), &json!("refer")));
    let zh = told["needs"][0]["ask"]["zh"].as_str().unwrap();
    assert!(zh.contains("插件 acme.register 没有回答:没有安装"), "{zh}");
    assert_eq!(ask("ban", false).problem(), (422, "plugin-denied", Some("listed(\"陈\")")));
    // What is asked may say the fact itself: nothing is recorded of it.
    let mut body = question("ban");
    body["store"] = "s1".into();
    body["facts"]["listed"] = json!([{ "name": "陈", "value": false }]);
    assert_eq!(node.post("/v1/decisions/enrol", None, &body).ok(200)["outcome"]["verdict"], "allow");
}

#[test]
fn a_batch_asks_for_all_of_its_items_and_keeps_them_apart() {
    let (dir, _policies) = policies();
    let plugins = Scripted::saying(&[("acme.fraud.score", whole(5)), ("acme.season.name", whole(1))]);
    let node = Node::start(dir.path(), plugins.clone(), 10);
    let grounds = ["nothing", "risk", "ban", "three", "season", "risk"];
    let mut items: Vec<Json> = grounds.iter().map(|g| question(g)).collect();
    items.push(json!({ "facts": { "today": 3 } }));
    let told =
        node.post("/v1/decisions/enrol/batch", None, &json!({ "store": "s1", "items": items })).ok(200);
    let items = told["items"].as_array().unwrap();
    assert_eq!(items[0]["status"], "decided");
    assert_eq!((&items[1]["outcome"]["seen"], &items[5]["outcome"]["seen"]), (&json!(5), &json!(5)));
    assert_eq!(items[2]["problem"]["code"], "plugin-denied");
    assert_eq!(items[3]["outcome"]["seen"], 4);
    assert_eq!(items[4]["outcome"]["grade"], "none");
    assert_eq!(items[4]["plugins"][0]["failed"]["code"], "wrong-answer");
    assert_eq!(items[6]["problem"]["code"], "fact-type");
}

#[test]
fn what_was_decided_with_plugins_is_recorded_and_replays_without_them() {
    let (dir, _policies) = policies();
    let plugins = Scripted::saying(&[("acme.fraud.score", whole(33)), ("acme.season.name", whole(1))]);
    *plugins.read.lock().unwrap() = Some(b"{\"a\": 1}".to_vec());
    let node = Node::start(dir.path(), plugins.clone(), 10);
    let enrolled = node.enrol("k1", "m1", "many").ok(201);
    let line = LogLine { level: "info".into(), message: "slow today".into() };
    *plugins.log.lock().unwrap() = vec![line];
    *plugins.read.lock().unwrap() = Some(vec![b'x'; 80_000]);
    let large = node.enrol("k2", "m2", "risk").ok(201);
    let path = |told: &Json| format!("/v1/decisions/{}", told["decision"].as_str().unwrap());
    let check = |node: &Node| {
        let shown = node.get(&path(&enrolled)).ok(200);
        let notes = shown["plugins"].as_array().unwrap();
        assert_eq!(notes.len(), 5, "{shown:#}");
        let season = notes.iter().find(|n| n["plugin"] == "acme.season").unwrap();
        assert_eq!((&season["failed"]["code"], &season["held"]), (&json!("wrong-answer"), &json!("value")));
        assert_eq!((&season["value"], &season["fuel"]), (&json!("none"), &json!(4321)));
        assert_eq!(season["responses"]["body"][0]["outcome"]["Ok"]["body"], "{\"a\": 1}");
        assert_eq!(shown["facts"]["season"], "none");
        assert_eq!(shown["explanation"]["plugins"].as_array().unwrap().len(), 5);
        assert!(season.get("log").is_none());
        let logged = &node.get(&path(&large)).ok(200)["plugins"][0];
        assert_eq!(logged["log"], json!([{ "level": "info", "message": "slow today" }]));
        let big = &logged["responses"];
        assert_eq!((&big["kept"], big.get("body")), (&json!(false), None));
        assert!(big["bytes"].as_u64().unwrap() > 80_000 && big["digest"].as_str().unwrap().len() == 64);
        let again = node.post(&format!("{}/replay", path(&enrolled)), None, &json!({})).ok(200);
        assert_eq!((&again["same"], &again["hash_holds"]), (&json!(true), &json!(true)), "{again:#}");
        assert_eq!(again["recorded"], again["now"]);
    };
    check(&node);
    let asked = plugins.all().len();
    // Another node of the chain, where the plugins are gone.
    let bare = Node::start(dir.path(), Arc::new(Nobody), 10);
    check(&bare);
    assert_eq!(plugins.all().len(), asked, "a replay asks nobody");
    // The same key is answered once, by whichever node.
    let replayed = bare.enrol("k1", "m1", "many");
    assert_eq!(replayed.header("idempotent-replayed"), Some("true"), "{}", replayed.text);
    let without = bare.enrol("k3", "m3", "risk").ok(201);
    let shown = bare.get(&path(&without)).ok(200);
    assert_eq!(shown["plugins"][0]["failed"]["code"], "not-installed");
    assert_eq!(shown["outcome"]["outcome"]["seen"], 7);
    // The chain vouches for what plugins said.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite://{}", dir.path().join("club.db").display());
        let db = zhanggui::records::Database::open(&url).await.unwrap();
        let id = shown["record"].as_str().unwrap().parse().unwrap();
        let mut row = zhanggui::records::read::decision(db.reader(), id).await.unwrap().unwrap();
        assert_eq!(zhanggui::records::engine::link_hash(&row), row.hash);
        row.plugins = row.plugins.map(|text| text.replace("not-installed", "busy"));
        assert_ne!(zhanggui::records::engine::link_hash(&row), row.hash);
        row.plugins = None;
        assert_ne!(zhanggui::records::engine::link_hash(&row), row.hash);
        let report = zhanggui::records::verify(&db).await.unwrap();
        assert!(report.findings.is_empty(), "{report:?}");
    });
}

#[test]
fn nobody_waits_for_a_plugin_but_who_asked_it() {
    let (dir, _policies) = policies();
    let plugins = Scripted::saying(&[("acme.fraud.score", whole(1))]);
    plugins.hold.store(true, Ordering::SeqCst);
    let node = Arc::new(Node::start(dir.path(), plugins.clone(), 10));
    let slow: Vec<_> = (0..8)
        .map(|n| {
            let node = node.clone();
            std::thread::spawn(move || node.enrol(&format!("slow-{n}"), &format!("s{n}"), "risk"))
        })
        .collect();
    eventually("all are asked", || (plugins.all().len() == 8).then_some(()));
    // The writer is free, the key is not.
    for n in 0..20 {
        node.enrol(&format!("fast-{n}"), &format!("f{n}"), "nothing").ok(201);
    }
    assert_eq!(node.enrol("slow-0", "s0", "risk").problem().1, "request-in-flight");
    plugins.hold.store(false, Ordering::SeqCst);
    for told in slow {
        told.join().unwrap().ok(201);
    }
    assert_eq!(node.enrol("slow-0", "s0", "risk").header("idempotent-replayed"), Some("true"));
    assert_eq!(plugins.all().len(), 8, "each was asked once");
}

#[test]
fn an_answer_that_is_lost_is_asked_for_again_under_its_key() {
    let (dir, _policies) = policies();
    let plugins = Scripted::saying(&[("acme.fraud.score", whole(1))]);
    plugins.hold.store(true, Ordering::SeqCst);
    let node = Node::start(dir.path(), plugins.clone(), 1);
    assert_eq!(node.enrol("k", "m", "risk").problem().1, "timeout");
    plugins.hold.store(false, Ordering::SeqCst);
    let told = eventually("the key is free", || {
        let told = node.enrol("k", "m", "risk");
        (told.status != 409).then_some(told)
    });
    told.ok(201);
    std::thread::sleep(Duration::from_millis(50));
    let keys: Vec<String> = plugins.all().into_iter().map(|a| a.call.key).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
    // A refusal for lack of a plugin is not for good: the same key succeeds when there is one.
    assert_eq!(node.enrol("k2", "m2", "ban").problem().1, "plugin-denied");
    plugins.say("acme.ban.listed", Ok(Answer::Value(Value::Truth(false))));
    node.enrol("k2", "m2", "ban").ok(201);
}
