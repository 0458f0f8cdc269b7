//! The server as a till sees it: the real binary on a free port.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
mod common;
use common::{Server, agent, each_database, eventually, post, starter};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const RETURN: &str = "/v1/decisions/return_item";
const BATCH: &str = "/v1/decisions/return_item/batch";

fn day(today: &str) -> String {
    format!(
        r#"{{"receipt": {{"date": "2026-07-01", "shown": true}}, "today": "{today}",
            "item": {{"paid": "399.00", "opened": false, "faulty": false}}}}"#
    )
}

fn ask(facts: &str) -> String {
    format!(r#"{{"store": "s001", "facts": {facts}}}"#)
}

/// A server with the starter's rulebook, on either database.
fn each(body: impl Fn(Server, &Path)) {
    each_database(|database| {
        let (_dir, policies) = starter();
        body(Server::start(&policies, database), &policies);
    });
}

fn parsed(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {body}"))
}

#[test]
fn a_till_gets_its_answer_with_clauses() {
    each(|server, _| {
        let (status, body) = server.post(RETURN, &ask(&day("2026-07-08")));
        assert_eq!(status, 200, "{body}");
        let answer = parsed(&body);
        assert_eq!(answer["status"], "decided");
        assert_eq!(
            answer["outcome"],
            json!({"verdict": "allow", "last_day": "2026-07-08", "refund": {"amount": "399.00", "currency": "CNY"}})
        );
        assert_eq!(answer["because"][0]["rule"], "shop.returns.in_time");
        assert_eq!(answer["because"][0]["clause"], "1");
        assert_eq!(answer["program"]["policies"], json!(["shop.returns"]));
        let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["decision", "status", "outcome", "needs", "open", "because", "program"]);
    });
}

#[test]
fn what_is_missing_is_asked_for_and_then_it_is_decided() {
    each(|server, _| {
        let mut facts = json!({"receipt": {"date": "2026-07-01", "shown": true}, "today": "2026-07-02",
                               "item": {"paid": "5.00", "faulty": false}});
        let answer = parsed(&server.post(RETURN, &ask(&facts.to_string())).1);
        assert_eq!(answer["status"], "needs");
        assert_eq!(answer["needs"][0]["fact"], "item.opened");
        assert_eq!(answer["needs"][0]["options"].as_array().map(Vec::len), Some(2));
        facts["item"]["opened"] = json!(false);
        let answer = parsed(&server.post(RETURN, &ask(&facts.to_string())).1);
        assert_eq!(
            (answer["status"].as_str(), answer["needs"].as_array().map(Vec::len)),
            (Some("decided"), Some(0))
        );
    });
}

#[test]
fn rubbish_gets_problem_details() {
    each(|server, _| {
        let url = |path: &str| format!("{}{path}", server.base);
        let cases: [(&str, String, u16, &str, Option<&str>); 14] = [
            (RETURN, "{".into(), 400, "malformed-request", None),
            (RETURN, String::new(), 400, "malformed-request", None),
            (RETURN, r#"{"store": "s001"}"#.into(), 400, "malformed-request", Some("facts")),
            (RETURN, r#"{"store": "s001", "facts": {}, "x": 1}"#.into(), 400, "malformed-request", Some("x")),
            (RETURN, r#"{"store": "s00", "facts": {}}"#.into(), 404, "unknown-store", Some("store")),
            ("/v1/decisions/retrun_item", ask("{}"), 404, "unknown-decision", Some("decision")),
            ("/v1/decisions/%00%ff", ask("{}"), 404, "unknown-decision", Some("decision")),
            (RETURN, ask(r#"{"item": {"paid": 12.5}}"#), 422, "fact-type", Some("facts.item.paid")),
            (RETURN, ask(r#"{"item": {"paid": "0.001"}}"#), 422, "off-step", Some("facts.item.paid")),
            (RETURN, ask(r#"{"item": {"piad": "1.00"}}"#), 422, "unknown-fact", Some("facts.item.piad")),
            (RETURN, ask(r#"{"today": null}"#), 422, "not-optional", Some("facts.today")),
            (RETURN, ask("[]"), 422, "fact-type", Some("facts")),
            ("/v2", "{}".into(), 404, "not-found", None),
            (BATCH, r#"{"store": "s001", "items": 3}"#.into(), 400, "malformed-request", Some("items")),
        ];
        for (path, body, status, code, at) in cases {
            let mut answer = agent().post(url(path)).content_type("application/json").send(&body).unwrap();
            let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
            let text = answer.body_mut().read_to_string().unwrap();
            let problem = parsed(&text);
            assert_eq!(
                (answer.status().as_u16(), problem["code"].as_str()),
                (status, Some(code)),
                "{path} {body}: {text}"
            );
            assert_eq!(kind, "application/problem+json");
            assert_eq!(problem["path"].as_str(), at, "{text}");
            assert_eq!(problem["status"].as_u64(), Some(u64::from(status)));
            assert_eq!(problem["type"], format!("/problems/{code}"));
        }
        let money = parsed(&server.post(RETURN, &ask(r#"{"item": {"paid": 12.5}}"#)).1);
        assert_eq!(
            money["detail"],
            r#"facts.item.paid: expected money, found the JSON number 12.5; write "12.50""#
        );

        let mut answer = agent().post(url(RETURN)).content_type("text/plain").send("{}").unwrap();
        assert_eq!(answer.status(), 415);
        assert_eq!(parsed(&answer.body_mut().read_to_string().unwrap())["code"], "unsupported-media-type");
        let mut answer = agent().get(url(BATCH)).call().unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().unwrap()), (405, "POST"));
        assert_eq!(parsed(&answer.body_mut().read_to_string().unwrap())["code"], "method-not-allowed");
        let (status, body) = server.post(RETURN, &" ".repeat((1 << 20) + 1));
        assert_eq!((status, parsed(&body)["code"].as_str()), (413, Some("too-large")));
        assert_eq!(server.post(RETURN, &ask(&day("2026-07-08"))).0, 200, "it serves on");
    });
}

#[test]
fn bytes_that_are_not_http_do_not_end_it() {
    each(|server, _| {
        let address = server.base.strip_prefix("http://").unwrap();
        for bytes in [
            b"\x00\x01\x02\r\n\r\n".as_slice(),
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST /v1/decisions/return_item HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{",
            b"POST /v1/decisions/return_item HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        ] {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(bytes).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            stream.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
        }
        assert_eq!(server.get("/healthz").0, 200);
    });
}

#[test]
fn a_slow_body_ends_with_its_time() {
    // Nothing of this meets the database.
    let (dir, policies) = starter();
    fs::write(dir.path().join("zhanggui.toml"), "request_timeout = 1\n").unwrap();
    let server = Server::start(&policies, &[]);
    let mut stream = TcpStream::connect(server.base.strip_prefix("http://").unwrap()).unwrap();
    let head = "POST /v1/decisions/return_item HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[test]
fn a_batch_answers_item_by_item() {
    each(|server, _| {
        let item = |facts: &str| format!(r#"{{"facts": {facts}}}"#);
        let wrong = item(r#"{"item": {"paid": 1}}"#);
        let items = [item(&day("2026-07-08")), wrong, "7".into(), item(&day("2026-07-09"))].join(",");
        let (status, body) = server.post(BATCH, &format!(r#"{{"store": "s001", "items": [{items}]}}"#));
        assert_eq!(status, 200, "{body}");
        let results = parsed(&body)["items"].clone();
        assert_eq!(results[0]["outcome"]["verdict"], "allow");
        assert_eq!(results[1]["problem"]["path"], "items[1].facts.item.paid");
        assert_eq!(results[2]["problem"]["path"], "items[2]");
        assert_eq!(results[3]["outcome"]["verdict"], "deny");
        let single = server.post(RETURN, &ask(&day("2026-07-08"))).1;
        assert!(body.contains(&single), "the same bytes as alone");
        let many = vec![r#"{"facts": {}}"#; 1_001].join(",");
        let (status, body) = server.post(BATCH, &format!(r#"{{"store": "s001", "items": [{many}]}}"#));
        assert_eq!((status, parsed(&body)["code"].as_str()), (413, Some("too-large")));
    });
}

#[test]
fn the_catalogue_says_what_is_loaded() {
    each(|server, _| {
        let all = parsed(&server.get("/v1/policies").1);
        let book = &all["rulebooks"][0];
        assert_eq!((&all["language"], &book["rulebook"]), (&json!("1"), &json!("shop")));
        assert_eq!(book["stores"][1]["policies"], json!(["shop.returns", "shop.s002"]));
        assert_eq!(book["decisions"][0]["decision"], "return_item");
        assert_eq!(book["policies"][0]["layer"], json!({"kind": "chain", "name": "shop"}));
        let answer = parsed(&server.post(RETURN, &ask("{}")).1);
        assert_eq!(answer["program"]["digest"], book["digest"]);
        let health = server.health();
        assert_eq!((&health["status"], &health["reload"]["ok"]), (&json!("ok"), &json!(true)));
        assert_eq!(agent().head(format!("{}/healthz", server.base)).call().unwrap().status(), 200);
    });
}

#[test]
fn policies_follow_their_files_under_load_without_a_failed_request() {
    each(|server, policies| {
        let file = policies.join("returns.policy");
        let original = fs::read_to_string(&file).unwrap();
        let longer = original.replace("= 7 days §1", "= 10 days §1");
        assert_ne!(original, longer);
        let body = ask(&day("2026-07-10"));
        let url = format!("{}{RETURN}", server.base);
        let verdict =
            || parsed(&server.post(RETURN, &body).1)["outcome"]["verdict"].as_str().unwrap().to_owned();
        let (stop, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let agent = agent();
                    while !stop.load(Ordering::Relaxed) {
                        let (status, text) = post(&agent, &url, &body);
                        assert_eq!(status, 200, "{text}");
                        let verdict = &parsed(&text)["outcome"]["verdict"];
                        assert!(verdict == "allow" || verdict == "deny", "{text}");
                        sent.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            let checks = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                assert_eq!(verdict(), "deny");
                for _ in 0..3 {
                    fs::write(&file, &longer).unwrap();
                    eventually("the longer window", || (verdict() == "allow").then_some(()));
                    fs::write(&file, &original).unwrap();
                    eventually("the shorter window", || (verdict() == "deny").then_some(()));
                }
                fs::write(&file, longer.replace("item.opened", "item.opend")).unwrap();
                let health = eventually("the refusal", || {
                    let health = server.health();
                    (health["reload"]["ok"] == false).then_some(health)
                });
                let said = health["reload"]["errors"][0].as_str().unwrap().to_owned();
                assert!(said.contains("returns.policy:") && said.contains("error["), "{said}");
                assert_eq!(verdict(), "deny", "the old rulebook serves on");
                eventually("the report", || server.heard().contains("refused").then_some(()));
                fs::remove_file(policies.join("rulebook.toml")).unwrap();
                eventually("the loss", || {
                    server.health()["reload"]["errors"][0]
                        .as_str()
                        .is_some_and(|e| e.contains("rulebook.toml"))
                        .then_some(())
                });
                assert_eq!(verdict(), "deny");
            }));
            stop.store(true, Ordering::Relaxed);
            if let Err(panic) = checks {
                std::panic::resume_unwind(panic);
            }
        });
        assert!(sent.load(Ordering::Relaxed) > 100);
        let revision = server.health()["reload"]["revision"].as_u64().unwrap();
        assert!(revision >= 6, "{revision}");
    });
}

#[test]
fn it_stops_when_told_and_finishes_what_it_has() {
    each(|server, _| {
        assert_eq!(server.post(RETURN, &ask("{}")).0, 200);
        assert_eq!(server.terminate(), 0);
    });
}

#[test]
fn many_lines_are_decided_too() {
    each(|server, _| {
        // Over the size that is decided off the worker.
        let padded = format!("{}{}", ask(&day("2026-07-08")), " ".repeat(100_000));
        let (status, body) = server.post(RETURN, &padded);
        assert_eq!((status, body), (200, server.post(RETURN, &ask(&day("2026-07-08"))).1));
    });
}

#[test]
fn an_explanation_comes_with_the_answer_if_it_is_asked_for() {
    each(|server, _| {
        let body = format!(r#"{{"store": "s001", "explain": true, "facts": {}}}"#, day("2026-07-08"));
        let (status, text) = server.post(RETURN, &body);
        assert_eq!(status, 200, "{text}");
        let explained = parsed(&text);
        assert_eq!(explained["explanation"]["outputs"][2]["applied"][0]["rule"], "shop.returns.price");
        let plain = server.post(RETURN, &ask(&day("2026-07-08"))).1;
        assert!(text.starts_with(plain.trim_end_matches('}')), "the answer itself is the same");
    });
}
