//! What goes wrong around a plugin and costs no more than that: many questions at once, slow servers, a database that is
//! away, a node that cannot make a version ready.
use crate::common::{eventually, post, starter};
use crate::each;
use crate::guest::{asks, counts, large, says};
use crate::shop::{Shop, asks_http, files, grant, manifest, pack, settings};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

/// A server that answers 201 after a while, everybody at once.
fn slow_server(wait: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                std::thread::sleep(wait);
                let _ = write!(stream, "HTTP/1.1 201 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            });
        }
    });
    port
}

/// A rulebook with a decision that asks `acme.a` for each line, and says 999 where that fails.
fn with_marks(policies: &Path) {
    let file = policies.join("shop.vocab");
    let vocab = std::fs::read_to_string(&file).unwrap()
        + "entity line zh \"行\" en \"line\" {\n  n: integer zh \"数\" en \"number\"\n}\n\
           fact lines: list of line zh \"各行\" en \"lines\"\n\
           fact score(n: integer): integer in [0..999] from plugin acme.a.score on failure 999 zh \"评分\" en \"score\"\n\n\
           decision rate zh \"评价\" en \"rating\" given lines, today {\n\
           \x20 mark each l in lines: one integer else 0 zh \"分\" en \"mark\"\n}\n";
    std::fs::write(&file, vocab).unwrap();
    let policy = "policy shop.rates decides rate\n  title zh \"评价\" en \"Rating\"\n  layer chain shop\n  \
        governed by today\n\nrule mark §1 for each l in lines\n  then l.mark = score(l.n)\n  \
        say zh \"按评分\" en \"By the score.\"\n";
    std::fs::write(policies.join("rates.policy"), policy).unwrap();
}

fn lines(n: std::ops::Range<i64>) -> Value {
    json!({ "today": "2026-11-22", "lines": n.map(|n| json!({ "n": n })).collect::<Vec<_>>() })
}

fn marks(said: &Value) -> Vec<i64> {
    let marks = said["outcome"]["mark"].as_array().unwrap_or_else(|| panic!("{said}"));
    marks.iter().map(|mark| mark.as_i64().unwrap()).collect()
}

fn rate(shop: &Shop, way: &str, body: &Value) -> Value {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let (status, text) =
        post(&agent, &format!("{}/v1/decisions/rate{way}", shop.server.base), &body.to_string());
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

const ARGUMENT: &str = "arguments = [\"n: whole\"]\n";

/// `acme.a`, which asks a server.
fn asking(shop: &Shop, port: u16, limits: &Value) {
    let ask = format!("{ARGUMENT}{}", asks_http("a.example", 80, "[\"GET\"]"));
    let guest = asks(&format!("http://127.0.0.1:{port}/x"));
    shop.take(&pack(files(&manifest("a", "1.0.0", &ask), &guest), None));
    shop.put("/v1/plugins/acme.a/grants", &grant(port, &["GET"], &["token"])).ok(200);
    shop.put("/v1/plugins/acme.a/limits", &json!({ "limits": limits })).ok(200);
    let body = json!({ "version": "1.0.0", "stage": "all", "partial": true });
    shop.put("/v1/plugins/acme.a/rollout", &body).ok(200);
}

fn with_a_secret(dir: &Path) -> String {
    std::fs::write(dir.join("secrets.toml"), "[\"acme.a\"]\ntoken = \"a-secret-text\"\n").unwrap();
    "plugin_development = true\nsecrets = \"secrets.toml\"".into()
}

#[test]
fn the_questions_of_one_decision_take_turns() {
    let (dir, policies) = starter();
    settings(&policies, &with_a_secret(dir.path()));
    with_marks(&policies);
    let shop = Shop::open(&policies, &[]);
    asking(&shop, slow_server(Duration::from_millis(150)), &json!({ "deadline": 5000, "http": 5000 }));
    let said = rate(&shop, "", &json!({ "store": "s001", "facts": lines(0..30) }));
    assert_eq!(marks(&said), vec![201; 30], "{said}");
    // Those of a batch as well.
    let items: Vec<Value> = (0..10).map(|i| json!({ "facts": lines(i * 3..i * 3 + 3) })).collect();
    let said = rate(&shop, "/batch", &json!({ "store": "s001", "items": items }));
    for item in said["items"].as_array().unwrap() {
        assert_eq!(marks(item), vec![201; 3], "{item}");
    }
}

#[test]
fn a_decision_asks_so_often_and_not_more() {
    let (_dir, policies) = starter();
    settings(&policies, "plugin_development = true");
    with_marks(&policies);
    let shop = Shop::open(&policies, &[]);
    shop.take(&pack(files(&manifest("a", "1.0.0", ARGUMENT), &says(5)), None));
    shop.put("/v1/plugins/acme.a/limits", &json!({ "limits": { "deadline": 5000 } })).ok(200);
    shop.roll_out("acme.a", "1.0.0", "all").ok(200);
    let said = rate(&shop, "", &json!({ "store": "s001", "facts": lines(0..300) }));
    let answered = marks(&said).iter().filter(|mark| **mark == 5).count();
    assert_eq!((answered, marks(&said).len()), (256, 300));
    let notes = said["plugins"].as_array().unwrap();
    let failed: Vec<&str> = notes.iter().filter_map(|note| note["failed"]["code"].as_str()).collect();
    assert_eq!(failed, vec!["too-many-calls"; 44]);
}

#[test]
fn a_slow_server_costs_a_failure_and_not_the_request() {
    let (dir, policies) = starter();
    settings(&policies, &format!("{}\nrequest_timeout = 4", with_a_secret(dir.path())));
    with_marks(&policies);
    let shop = Shop::open(&policies, &[]);
    asking(&shop, slow_server(Duration::from_secs(12)), &json!({ "deadline": 1000, "http": 15000 }));
    let began = Instant::now();
    let said = rate(&shop, "", &json!({ "store": "s001", "facts": lines(0..20) }));
    assert!(began.elapsed() < Duration::from_secs(4));
    // Whoever was asked heard that nothing came in time, and for the others there was none.
    assert!(marks(&said).iter().all(|mark| [1, 999].contains(mark)), "{said}");
}

#[test]
fn a_call_that_failed_has_written_nothing() {
    each(|args| {
        let (dir, policies) = starter();
        settings(&policies, "plugin_development = true");
        let shop = Shop::open(&policies, args);
        shop.take(&pack(files(&manifest("kv", "1.0.0", "[asks]\nkv = 64"), &counts()), None));
        shop.put("/v1/plugins/acme.kv/grants", &json!({ "kv": 64, "who": "lin" })).ok(200);
        shop.put("/v1/plugins/acme.kv/limits", &json!({ "limits": { "deadline": 5000 } })).ok(200);
        shop.roll_out("acme.kv", "1.0.0", "all").ok(200);
        assert_eq!(shop.said("acme.kv", "s001"), 1);
        let url = match args {
            [_, url] => (*url).to_owned(),
            _ => format!("sqlite://{}", dir.path().join("zhanggui.db").display()),
        };
        let held = |lock: &str, during: &dyn Fn()| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let other = runtime.block_on(async {
                let mut options = sea_orm::ConnectOptions::new(url.clone());
                options.max_connections(1).sqlx_logging(false);
                let other = sea_orm::Database::connect(options).await.unwrap();
                for statement in lock.split(';') {
                    other.execute_unprepared(statement).await.unwrap();
                }
                other
            });
            during();
            runtime.block_on(async {
                other.execute_unprepared("ROLLBACK").await.unwrap();
                other.close().await.unwrap();
            });
        };
        let postgres = !args.is_empty();
        let writes =
            if postgres { "BEGIN;LOCK TABLE plugin_entries IN EXCLUSIVE MODE" } else { "BEGIN IMMEDIATE" };
        held(writes, &|| assert_eq!(shop.said("acme.kv", "s001"), "unavailable"));
        std::thread::sleep(Duration::from_secs(4));
        assert_eq!(shop.said("acme.kv", "s001"), 2, "the one between was not kept");
        if postgres {
            // What cannot be read is not taken for what is not there.
            let reads = "BEGIN;LOCK TABLE plugin_entries IN ACCESS EXCLUSIVE MODE";
            held(reads, &|| assert_eq!(shop.said("acme.kv", "s001"), "unavailable"));
            std::thread::sleep(Duration::from_secs(4));
            assert_eq!(shop.said("acme.kv", "s001"), 3);
        }
    });
}

/// Another node on the same database, with a folder of its own for what it compiles.
fn second_node(dir: &Path, more: &str) -> (tempfile::TempDir, Shop) {
    let (other, policies) = starter();
    settings(&policies, &format!("plugin_development = true\n{more}"));
    let url = format!("sqlite://{}?mode=rwc", dir.join("zhanggui.db").display());
    let shop = Shop::open(&policies, &["--database", &url]);
    (other, shop)
}

#[test]
fn a_version_that_is_not_ready_is_tried_again_and_the_one_before_serves() {
    let (dir, policies) = starter();
    settings(&policies, "plugin_development = true");
    let one = Shop::open(&policies, &[]);
    let version = |n: i64| pack(files(&manifest("a", &format!("{n}.0.0"), ""), &says(n)), None);
    (1..=2).for_each(|n| one.take(&version(n)));
    one.roll_out("acme.a", "1.0.0", "all").ok(200);
    let (folder, two) = second_node(dir.path(), "");
    eventually("the first version", || (two.said("acme.a", "s001") == 1).then_some(()));
    // Nothing can be compiled there for a while.
    let (compiled, away) = (folder.path().join("compiled"), folder.path().join("away"));
    std::fs::rename(&compiled, &away).unwrap();
    std::fs::write(&compiled, "no folder").unwrap();
    one.roll_out("acme.a", "2.0.0", "all").ok(200);
    eventually("what is wrong", || two.get("/v1/plugins/acme.a")["not_ready"].is_string().then_some(()));
    assert_eq!(two.said("acme.a", "s001"), 1, "it serves on");
    std::fs::remove_file(&compiled).unwrap();
    std::fs::rename(&away, &compiled).unwrap();
    eventually("the second version", || (two.said("acme.a", "s001") == 2).then_some(()));
    assert!(two.get("/v1/plugins/acme.a")["not_ready"].is_null());
}

#[test]
fn going_back_does_not_wait_for_what_compiles() {
    let (dir, policies) = starter();
    settings(&policies, "plugin_development = true");
    let shop = Shop::open(&policies, &[]);
    let version = |n: i64| pack(files(&manifest("a", &format!("{n}.0.0"), ""), &says(n)), None);
    (1..=2).for_each(|n| shop.take(&version(n)));
    (1..=2).for_each(|n| drop(shop.roll_out("acme.a", &format!("{n}.0.0"), "all").ok(200)));
    shop.take(&pack(files(&manifest("large", "1.0.0", ""), &large(7)), None));
    shop.roll_out("acme.large", "1.0.0", "all").ok(200);
    for file in std::fs::read_dir(dir.path().join("compiled")).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    std::thread::scope(|scope| {
        let compiles = scope.spawn(|| {
            shop.put("/v1/plugins/acme.large/grants", &json!({ "kv": 9, "who": "lin" })).ok(200);
            Instant::now()
        });
        std::thread::sleep(Duration::from_millis(100));
        shop.roll_back("acme.a").ok(200);
        let back = Instant::now();
        assert_eq!(shop.said("acme.a", "s001"), 1);
        assert!(back < compiles.join().unwrap());
    });
    assert_eq!(shop.said("acme.large", "s001"), 7);
}

#[test]
fn a_setting_that_the_host_refuses_is_refused_before_it_counts() {
    let (_dir, policies) = starter();
    settings(&policies, "plugin_development = true");
    let shop = Shop::open(&policies, &[]);
    let config = "[config.text]\nkind = \"text\"\ndefault = \"x\"\n[config.part]\nkind = \"decimal\"\ndefault = \"3\"\n";
    shop.take(&pack(files(&manifest("a", "1.0.0", config), &says(1)), None));
    shop.roll_out("acme.a", "1.0.0", "all").ok(200);
    let put = |name: &str, value: String| {
        shop.put("/v1/plugins/acme.a/config", &json!({ "config": { name: value } }))
    };
    assert_eq!(put("text", "x".repeat(20 << 10)).problem(), (422, "config-refused", Some("config.text")));
    assert_eq!(put("part", "1".repeat(41)).problem(), (422, "config-refused", Some("config.part")));
    assert_eq!(shop.said("acme.a", "s001"), 1);
    put("part", "1".repeat(40)).ok(200);
    put("text", "x".repeat(16 << 10)).ok(200);
    assert_eq!(shop.said("acme.a", "s001"), 1);
}

/// A version with `score`, and with `rank` if it has that many functions.
fn contract(version: &str, rank: bool) -> Vec<u8> {
    let more = "[functions.rank]\nhook = \"facts\"\narguments = [\"n: whole\"]\nanswers = \"whole\"\n";
    let more = format!("{ARGUMENT}{}", if rank { more } else { "" });
    pack(files(&manifest("a", version, &more), &says(1)), None)
}

#[test]
fn policies_that_no_plugin_keeps_are_not_taken_up() {
    let (_dir, policies) = starter();
    settings(&policies, "plugin_development = true");
    with_marks(&policies);
    let shop = Shop::open(&policies, &[]);
    shop.take(&contract("1.0.0", false));
    shop.take(&contract("2.0.0", true));
    shop.roll_out("acme.a", "1.0.0", "all").ok(200);
    let file = policies.join("shop.vocab");
    let right = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, right.replace("acme.a.score", "acme.a.rank")).unwrap();
    let refused = || shop.server.heard().contains("has no function `rank`").then_some(());
    eventually("the refusal", refused);
    let ask = || marks(&rate(&shop, "", &json!({ "store": "s001", "facts": lines(0..1) })));
    assert_eq!(ask(), [1], "the old ones serve on");
    // With a version that has it the same files are taken up, and the version before does not come back.
    shop.put("/v1/plugins/acme.a/limits", &json!({ "limits": { "deadline": 5000 } })).ok(200);
    shop.roll_out("acme.a", "2.0.0", "all").ok(200);
    std::fs::write(&file, right.replace("acme.a.score", "acme.a.rank") + "\n").unwrap();
    eventually("the change", || shop.server.heard().contains("the change is taken up").then_some(()));
    assert_eq!(shop.roll_back("acme.a").problem().1, "vocabulary-mismatch");
    assert_eq!(ask(), [1]);
    // At the start it is said, and no more.
    std::fs::write(&file, right.replace("acme.a.score", "acme.a.other")).unwrap();
    drop(shop);
    let shop = Shop::open(&policies, &[]);
    eventually("the warning", || shop.server.heard().contains("has no function `other`").then_some(()));
}

#[test]
fn calls_that_nobody_could_answer_are_counted() {
    let (_dir, policies) = starter();
    settings(&policies, "plugin_development = true");
    with_marks(&policies);
    let shop = Shop::open(&policies, &[]);
    let said = rate(&shop, "", &json!({ "store": "s001", "facts": lines(0..3) }));
    assert_eq!(marks(&said), [999; 3]);
    let unasked = &shop.get("/v1/plugins/metrics")["unasked"];
    assert_eq!(*unasked, json!([{ "plugin": "acme.a", "outcomes": { "not-installed": 3 } }]));
}
