//! What the broker remembers: answers, connections, and servers that failed.
use super::support::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use zhanggui::plugins::broker::{Broker, BrokerSettings, NoSecrets};
use zhanggui::plugins::contract::{HttpFailure, HttpRequest};
use zhanggui::plugins::web::Web;

fn counting(status: &'static str, headers: &'static [&'static str]) -> Server {
    let count = AtomicUsize::new(0);
    Server::start(move |_, line| {
        answer(line, status, headers, &count.fetch_add(1, Ordering::SeqCst).to_string())
    })
}

fn kept(url: &str, seconds: u32) -> HttpRequest {
    HttpRequest { cache: Some(seconds), ..get(url) }
}

#[test]
fn equal_questions_are_answered_from_memory() {
    let server = counting("200 OK", &[]);
    let broker = broker();
    let web = web(&broker, &[server.grant("shop.test")]);
    let url = server.url("shop.test", "/a?b");
    assert_eq!(body(ask(&web, kept(&url, 60))), "0");
    assert_eq!(body(ask(&web, kept(&url, 60))), "0");
    assert_eq!(body(ask(&web, kept(&url.replace("shop", "SHOP"), 60))), "0", "the same in another spelling");
    assert_eq!(body(ask(&web, get(&url))), "1", "only where the plugin says so");
    assert_eq!(body(ask(&web, kept(&url, 0))), "2");
    assert_eq!(body(ask(&web, kept(&format!("{url}c"), 60))), "3");
    let other = HttpRequest { headers: vec![("a".into(), "b".into())], ..kept(&url, 60) };
    assert_eq!(body(ask(&web, other)), "4", "other headers");
    let posted = HttpRequest { method: "POST".into(), ..kept(&url, 60) };
    assert_eq!(body(ask(&web, posted.clone())), "5");
    assert_eq!(body(ask(&web, posted)), "6");
    let grants = Arc::new(vec![server.grant("shop.test")]);
    let other = broker.with("other.plugin", grants, Arc::new(NoSecrets));
    assert_eq!(body(ask(&other, kept(&url, 60))), "7", "another plugin");
    let grants = Arc::new(vec![server.grant("shop.test")]);
    let shadow = broker.with("acme.quote", grants, Arc::new(NoSecrets)).version("2.0.0");
    assert_eq!(body(ask(&shadow, kept(&url, 60))), "8", "another version");
    assert_eq!(body(ask(&shadow, kept(&url, 60))), "8");
    // A deadline that has passed does not matter to what is known.
    assert!(web.fetch(&[kept(&url, 60)], Instant::now())[0].outcome.is_ok());
}

#[test]
fn some_answers_are_not_kept() {
    for (status, headers) in [
        ("500 Oh", &[] as &'static [&'static str]),
        ("404 No", &[]),
        ("200 OK", &["Cache-Control: private, No-Store"]),
    ] {
        let server = counting(status, headers);
        let web = web(&broker(), &[server.grant("shop.test")]);
        let url = server.url("shop.test", "/");
        assert_eq!(body(ask(&web, kept(&url, 60))), "0");
        assert_eq!(body(ask(&web, kept(&url, 60))), "1", "{status} {headers:?}");
    }
    let server = counting("200 OK", &[]);
    let brief = BrokerSettings { kept_for: Duration::from_millis(50), ..settings().0 };
    let web = web(&Broker::new(brief).unwrap(), &[server.grant("shop.test")]);
    assert_eq!(body(ask(&web, kept(&server.url("shop.test", "/"), 60))), "0");
    std::thread::sleep(Duration::from_millis(80));
    assert_eq!(body(ask(&web, kept(&server.url("shop.test", "/"), 60))), "1", "the operator's limit holds");
}

#[test]
fn connections_are_used_again() {
    let server = hello();
    let web = web(&broker(), &[server.grant("shop.test")]);
    for _ in 0..5 {
        assert_eq!(body(ask(&web, get(&server.url("shop.test", "/")))), "hello");
    }
    assert_eq!((server.requests().len(), server.connections()), (5, 1));
}

#[test]
fn a_connection_that_the_server_closed_is_not_used_again() {
    let server = Server::start(|_, line| {
        let _ = answer(line, "200 OK", &[], "once");
        false
    });
    let web = web(&broker(), &[server.grant("shop.test")]);
    for _ in 0..3 {
        // A POST is never sent twice, so that it would fail on a closed connection.
        assert_eq!(body(ask(&web, post(&server.url("shop.test", "/"), "x"))), "once");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!((server.requests().len(), server.connections()), (3, 3));
}

#[test]
fn what_may_be_repeated_is_tried_twice_and_nothing_else_is() {
    for (method, attempts) in [("GET", 2), ("HEAD", 2), ("PUT", 2), ("POST", 1)] {
        let first = AtomicBool::new(true);
        let server = Server::start(move |_, line| {
            !first.swap(false, Ordering::SeqCst) && answer(line, "200 OK", &[], "")
        });
        let web = web(&broker(), &[server.grant("shop.test")]);
        let request = HttpRequest { method: method.into(), ..get(&server.url("shop.test", "/")) };
        assert_eq!(ask(&web, request).is_ok(), attempts == 2, "{method}");
        assert_eq!(server.requests().len(), attempts, "{method}");
    }
    // Twice is enough.
    let server = Server::start(|_, _| false);
    let web = web(&broker(), &[server.grant("shop.test")]);
    unreachable(ask(&web, get(&server.url("shop.test", "/"))));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_server_that_fails_rests() {
    let well = Arc::new(AtomicBool::new(false));
    let is_well = Arc::clone(&well);
    let server = Server::start(move |_, line| {
        is_well.load(Ordering::SeqCst) && answer(line, "200 OK", &[], "well") || {
            let _ = answer(line, "503 Away", &[], "away");
            false
        }
    });
    let fine = hello();
    let rest = Duration::from_millis(400);
    let broker = Broker::new(BrokerSettings { rest, ..settings().0 }).unwrap();
    let grants = [server.grant("shop.test"), fine.grant("fine.test")];
    let web_of = |plugin: &str| broker.with(plugin, Arc::new(grants.to_vec()), Arc::new(NoSecrets));
    let web = web_of("acme.quote");
    let go = || ask(&web, get(&server.url("shop.test", "/")));
    for _ in 0..5 {
        assert_eq!(go().unwrap().status, 503);
    }
    assert_eq!(go(), Err(HttpFailure::Resting));
    assert_eq!(server.requests().len(), 5);
    let name = format!("http://shop.test:{}", server.port());
    assert_eq!(broker.resting(), [("acme.quote".to_owned(), name)]);
    assert_eq!(body(ask(&web, get(&fine.url("fine.test", "/")))), "hello", "another server is asked");
    let other = ask(&web_of("other.plugin"), get(&server.url("shop.test", "/")));
    assert_eq!(other.unwrap().status, 503, "another plugin may ask");
    std::thread::sleep(rest + Duration::from_millis(50));
    assert_eq!(go().unwrap().status, 503, "one request finds out");
    assert_eq!(go(), Err(HttpFailure::Resting));
    well.store(true, Ordering::SeqCst);
    std::thread::sleep(rest + Duration::from_millis(50));
    assert_eq!(body(go()), "well");
    assert_eq!(body(go()), "well");
    assert!(broker.resting().is_empty());
}

#[test]
fn what_was_never_sent_is_no_failure_of_the_server() {
    let server = hello();
    let web = web(&broker(), &[server.grant("shop.test")]);
    let url = server.url("shop.test", "/");
    for _ in 0..6 {
        denied(ask(&web, HttpRequest { method: "DELETE".into(), ..get(&url) }));
        assert_eq!(web.fetch(&[get(&url)], Instant::now())[0].outcome, Err(HttpFailure::TimedOut));
    }
    assert_eq!(body(ask(&web, get(&url))), "hello");
}
