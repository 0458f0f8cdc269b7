//! Secrets reach the server that they were granted for, and nobody else.
use super::support::*;
use std::sync::Arc;
use zhanggui::plugins::broker::{Broker, Granted};
use zhanggui::plugins::contract::{HttpFailure, HttpRequest};
use zhanggui::plugins::manifest::HttpGrant;

const KNOWN: Known = Known(&[("key", "sk-live-4711/x\"y"), ("other", "another-value"), ("short", "ab")]);

fn web(broker: &Broker, grants: &[HttpGrant]) -> Granted {
    broker.with("acme.quote", Arc::new(grants.to_vec()), Arc::new(KNOWN))
}

fn with(names: &[&str], grant: HttpGrant) -> HttpGrant {
    HttpGrant { secrets: names.iter().map(|n| (*n).to_owned()).collect(), ..grant }
}

fn keyed(url: &str) -> HttpRequest {
    let headers =
        vec![("Authorization".into(), "Bearer {{secret:key}}".into()), ("X-Plain".into(), "p".into())];
    HttpRequest { headers, ..get(url) }
}

#[test]
fn put_in_where_granted_and_taken_out_of_echoes() {
    let server = Server::start(|request, line| {
        let key = request.lines().find_map(|l| l.strip_prefix("authorization: Bearer ")).unwrap_or("?");
        let echo = format!("X-Echo: {key}");
        let json = serde_json::json!({ "you": key, "all": request }).to_string();
        answer(line, "200 OK", &[&echo, "X-Escaped: sk-live-4711%2Fx%22y"], &json)
    });
    let web = web(&broker(), &[with(&["key"], server.grant("shop.test"))]);
    let answer = ask(&web, keyed(&server.url("shop.test", "/"))).unwrap();
    assert!(
        server.requests()[0].contains("authorization: Bearer sk-live-4711/x\"y\r\n"),
        "{:?}",
        server.requests()
    );
    let text = format!("{answer:?}");
    assert!(!text.contains("4711"), "{text}");
    let header = |name: &str| answer.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    assert_eq!(header("x-echo"), Some("{{secret:key}}"));
    assert_eq!(header("x-escaped"), Some("{{secret:key}}"));
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["you"], "{{secret:key}}");
    assert!(body["all"].as_str().unwrap().contains("Bearer {{secret:key}}"));
}

#[test]
fn not_without_the_grant_for_this_very_host() {
    let (mine, other) = (hello(), hello());
    let grants = [
        with(&["key", "unset", "short"], HttpGrant { path: "/paid/".into(), ..mine.grant("shop.test") }),
        with(&["other"], HttpGrant { path: "/free/".into(), ..mine.grant("shop.test") }),
        other.grant("other.test"),
    ];
    let web = web(&broker(), &grants);
    let header = |text: &str| vec![("x-key".to_owned(), text.to_owned())];
    let at =
        |path: &str, text: &str| HttpRequest { headers: header(text), ..get(&mine.url("shop.test", path)) };
    for request in [
        keyed(&other.url("other.test", "/")),
        at("/free/", "{{secret:key}}"),
        at("/paid/", "{{secret:other}}"),
        at("/paid/", "{{secret:key}} {{secret:other}}"),
        at("/paid/", "{{secret:unset}}"),
        at("/paid/", "{{secret:short}}"),
        at("/paid/", "{{secret:key"),
        at("/paid/", "{{secret:}}"),
        get(&mine.url("shop.test", "/paid/{{secret:key}}")),
        get(&mine.url("shop.test", "/paid/?k={{secret:key}}")),
        HttpRequest {
            headers: vec![("{{secret:key}}".into(), "x".into())],
            ..get(&mine.url("shop.test", "/paid/"))
        },
    ] {
        let why = denied(ask(&web, request));
        assert!(!why.contains("4711") && !why.contains("another"), "{why}");
    }
    assert_eq!((mine.connections(), other.connections()), (0, 0));
    // In a body it is but text.
    let body = HttpRequest { body: b"{{secret:key}}".to_vec(), ..post(&mine.url("shop.test", "/paid/"), "") };
    ask(&web, body).unwrap();
    assert!(mine.requests()[0].ends_with("{{secret:key}}"));
}

#[test]
fn left_behind_when_redirected() {
    let far = hello();
    let away = far.url("far.test", "/");
    let near = Server::start(move |request, line| {
        let to = match request.split(' ').nth(1).unwrap() {
            "/paid/far" => away.as_str(),
            "/paid/near" => "/paid/end",
            "/paid/free" => "/free/end",
            _ => return answer(line, "200 OK", &[], "end"),
        };
        answer(line, "307 Temporary Redirect", &[&format!("Location: {to}")], "")
    });
    let grants = [
        with(&["key"], HttpGrant { path: "/paid/".into(), ..near.grant("shop.test") }),
        HttpGrant { path: "/free/".into(), ..near.grant("shop.test") },
        with(&["key"], far.grant("far.test")),
    ];
    let web = web(&broker(), &grants);
    for path in ["/paid/far", "/paid/near", "/paid/free"] {
        let mut request = keyed(&near.url("shop.test", path));
        request.headers.push(("Cookie".into(), "session=1".into()));
        ask(&web, request).unwrap();
    }
    let sent = |requests: Vec<String>, path: &str| {
        let request = requests.into_iter().find(|r| r.starts_with(&format!("GET {path} "))).unwrap();
        (request.contains("4711"), request.contains("session=1"), request.contains("x-plain: p"))
    };
    assert_eq!(sent(far.requests(), "/"), (false, false, true), "another server, though it has a grant");
    assert_eq!(sent(near.requests(), "/paid/end"), (true, true, true));
    assert_eq!(sent(near.requests(), "/free/end"), (false, true, true), "no grant for it there");
}

#[test]
fn not_in_failures_either() {
    let server = Server::start(|request, line| {
        let to = match request.split(' ').nth(1).unwrap() {
            "/gone" => "http://evil.test/sk-live-4711/x%22y",
            "/climb" => "/sk-live-4711/x\"y/../",
            "/zip" => return answer(line, "200 OK", &["Content-Encoding: gzip"], "\u{1f}zipped"),
            _ => return line.write_all(b"sk-live-4711/x\"y is no status line\r\n\r\n").is_err(),
        };
        answer(line, "302 Found", &[&format!("Location: {to}")], "")
    });
    let web = web(&broker(), &[with(&["key"], server.grant("shop.test"))]);
    for path in ["/gone", "/climb", "/broken", "/zip"] {
        let outcome = ask(&web, keyed(&server.url("shop.test", path)));
        assert!(matches!(outcome, Err(HttpFailure::Denied(_) | HttpFailure::Unreachable(_))), "{outcome:?}");
        assert!(!format!("{outcome:?}").contains("4711"), "{path}: {outcome:?}");
    }
    // Without a secret, an encoding is the plugin's own affair.
    assert_eq!(body(ask(&web, get(&server.url("shop.test", "/zip")))), "\u{1f}zipped");
}

#[test]
fn what_is_kept_is_scrubbed_and_found_by_the_secrets_name() {
    let server = Server::start(|request, line| answer(line, "200 OK", &[], request));
    let broker = broker();
    let web = web(&broker, &[with(&["key", "other"], server.grant("shop.test"))]);
    let request = |name: &str| HttpRequest {
        headers: vec![("x-key".into(), format!("{{{{secret:{name}}}}}"))],
        cache: Some(60),
        ..get(&server.url("shop.test", "/"))
    };
    for _ in 0..2 {
        assert!(body(ask(&web, request("key"))).contains("x-key: {{secret:key}}"));
        assert!(body(ask(&web, request("other"))).contains("x-key: {{secret:other}}"));
    }
    assert_eq!(server.requests().len(), 2);
    broker.forget("acme.quote");
    ask(&web, request("key")).unwrap();
    assert_eq!(server.requests().len(), 3);
}
