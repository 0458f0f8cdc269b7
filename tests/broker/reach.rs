//! Where requests get, and where they do not.
use super::support::*;
use std::net::Ipv4Addr;
use zhanggui::plugins::broker::Broker;
use zhanggui::plugins::contract::{HttpFailure, HttpRequest};
use zhanggui::plugins::manifest::HttpGrant;

#[test]
fn a_granted_request_is_made_as_it_was_written() {
    let server = Server::start(|_, line| {
        let headers = ["X-Quote: 12", "Connection: keep-alive", "Keep-Alive: timeout=5", "Set-Cookie: a=b"];
        answer(line, "201 Created", &headers, "{\"price\":1250}")
    });
    let web = web(&broker(), &[server.grant("shop.test")]);
    let request = HttpRequest {
        headers: vec![("X-Key".into(), "call-1".into()), ("content-type".into(), "application/json".into())],
        ..post(&server.url("SHOP.test", "/v1/quotes/%e5%bf%ab?to=200%20km"), "{\"kg\":2}")
    };
    let answer = ask(&web, request).unwrap();
    assert_eq!(answer.status, 201);
    assert_eq!(answer.body, b"{\"price\":1250}");
    let header = |name: &str| answer.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    assert_eq!((header("x-quote"), header("set-cookie")), (Some("12"), Some("a=b")));
    assert_eq!((header("connection"), header("keep-alive")), (None, None));
    let sent = server.requests().remove(0);
    assert!(sent.starts_with("POST /v1/quotes/%E5%BF%AB?to=200%20km HTTP/1.1\r\n"), "{sent}");
    let head = sent.to_lowercase();
    let host = format!("host: shop.test:{}", server.port());
    for line in [host.as_str(), "x-key: call-1", "content-type: application/json", "content-length: 8"] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} in {sent}");
    }
    assert!(sent.ends_with("\r\n\r\n{\"kg\":2}"), "{sent}");
}

#[test]
fn a_proxy_of_the_environment_is_not_used() {
    let proxy = hello();
    let mut test = std::process::Command::new(std::env::current_exe().unwrap());
    test.args(["--exact", "broker::reach::a_granted_request_is_made_as_it_was_written"]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        test.env(name, format!("http://127.0.0.1:{}", proxy.port()));
    }
    let ran = test.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn each_status_is_an_answer() {
    let server = Server::start(|request, line| {
        let status = request.split(['/', ' ']).nth(2).unwrap().to_owned();
        answer(line, &format!("{status} Whatever"), &[], "said")
    });
    let web = web(&broker(), &[server.grant("shop.test")]);
    for status in [200, 400, 401, 404, 409, 418, 429, 500, 503] {
        let answer = ask(&web, get(&server.url("shop.test", &format!("/{status}")))).unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (status, b"said".as_slice()));
    }
    let head = HttpRequest { method: "HEAD".into(), ..get(&server.url("shop.test", "/200")) };
    assert_eq!(ask(&web, head).map(|a| a.status).ok(), Some(200));
}

#[test]
fn ways_around_the_allow_list() {
    let server = hello();
    let port = server.port();
    let grant = HttpGrant { path: "/v1/".into(), methods: vec!["GET".into()], ..server.grant("shop.test") };
    let web = web(&broker(), std::slice::from_ref(&grant));
    assert_eq!(body(ask(&web, get(&server.url("shop.test", "/v1/a")))), "hello");
    let before = server.connections();
    for url in [
        format!("http://other.test:{port}/v1/a"),
        format!("http://a.shop.test:{port}/v1/a"),
        format!("http://shop.test.other.test:{port}/v1/a"),
        format!("http://127.0.0.1:{port}/v1/a"),
        format!("http://2130706433:{port}/v1/a"),
        format!("http://0x7f000001:{port}/v1/a"),
        format!("http://0177.0.0.1:{port}/v1/a"),
        format!("http://127.1:{port}/v1/a"),
        format!("http://[::1]:{port}/v1/a"),
        format!("http://[::ffff:127.0.0.1]:{port}/v1/a"),
        format!("http://shop.test.:{port}/v1/a"),
        format!("http://shop.test:{port}@other.test:{port}/v1/a"),
        format!("http://shop.test@127.0.0.1:{port}/v1/a"),
        format!("http://other.test:{port}\\@shop.test:{port}/v1/a"),
        format!("http://other.test:{port}#@shop.test:{port}/v1/a"),
        format!("http://other.test:{port}?@shop.test:{port}/v1/a"),
        format!("https://shop.test:{port}/v1/a"),
        format!("ftp://shop.test:{port}/v1/a"),
        format!("//shop.test:{port}/v1/a"),
        "http://shop.test/v1/a".to_owned(),
        format!("http://shop.test:{}/v1/a", port.wrapping_add(1).max(1)),
        format!("http://shop.test:{port}/"),
        format!("http://shop.test:{port}/v1"),
        format!("http://shop.test:{port}/V1/a"),
        format!("http://shop.test:{port}/v2/a"),
        format!("http://shop.test:{port}/v1/../admin"),
        format!("http://shop.test:{port}/v1/..%2fadmin"),
        format!("http://shop.test:{port}/v1/%2e%2e/admin"),
        format!("http://shop.test:{port}/v1/%252e%252e/admin"),
        format!("http://shop.test:{port}/v1/..;/admin"),
        format!("http://shop.test:{port}/v1\\..\\admin"),
        format!("http://shop.test:{port}//v1/a"),
        format!("http://shop.test:{port}/v1/a HTTP/1.1\r\nHost: other.test\r\n\r\n"),
        String::new(),
    ] {
        denied(ask(&web, get(&url)));
    }
    let url = server.url("shop.test", "/v1/a");
    for method in ["POST", "PUT", "HEAD", "DELETE", "OPTIONS", "CONNECT", "TRACE", "get", "GET ", ""] {
        denied(ask(&web, HttpRequest { method: method.into(), ..get(&url) }));
    }
    for (name, value) in [
        ("Host", "other.test"),
        ("X-Original-URL", "/admin"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("Transfer-Encoding", "chunked"),
        ("a", "b\r\nHost: other.test"),
    ] {
        denied(ask(&web, HttpRequest { headers: vec![(name.into(), value.into())], ..get(&url) }));
    }
    denied(ask(&web, HttpRequest { body: b"x".to_vec(), ..get(&url) }));
    assert_eq!(server.connections(), before, "no refused request reached a server");
}

#[test]
fn redirects_are_new_requests() {
    let other = hello();
    let elsewhere = other.port();
    let server = Server::start(move |request, line| {
        let at = request.split(' ').nth(1).unwrap();
        let to = match at {
            "/near" => "/v1/end?x#top".to_owned(),
            "/beside" => "v1/end".to_owned(),
            "/far" => format!("http://far.test:{elsewhere}/x"),
            "/bare" => format!("//far.test:{elsewhere}/x"),
            "/other" => format!("http://other.test:{elsewhere}/"),
            "/literal" => format!("http://127.0.0.1:{elsewhere}/"),
            "/inside" => format!("http://inside.test:{elsewhere}/"),
            "/user" => format!("http://far.test:{elsewhere}@other.test:{elsewhere}/"),
            "/secure" => format!("https://far.test:{elsewhere}/"),
            "/file" => "file:///etc/passwd".to_owned(),
            "/port" => "http://far.test/".to_owned(),
            "/climb" => "/v1/../admin".to_owned(),
            "/admin-link" => "/admin".to_owned(),
            "/round" => "/round".to_owned(),
            _ => return answer(line, "200 OK", &[], at),
        };
        answer(line, "302 Found", &[&format!("Location: {to}")], "moved")
    });
    let port = server.port();
    let at = |path: &str| HttpGrant { path: path.into(), ..server.grant("shop.test") };
    let mut grants: Vec<HttpGrant> = [
        "/near",
        "/beside",
        "/far",
        "/bare",
        "/other",
        "/literal",
        "/inside",
        "/user",
        "/secure",
        "/file",
        "/port",
        "/climb",
        "/admin-link",
        "/round",
        "/v1/",
    ]
    .map(at)
    .to_vec();
    grants.push(other.grant("far.test"));
    grants.push(HttpGrant { private: false, ..other.grant("inside.test") });
    let web = web(&broker(), &grants);
    let go = |path: &str| ask(&web, get(&format!("http://shop.test:{port}{path}")));
    assert_eq!(body(go("/near")), "/v1/end?x");
    assert_eq!(body(go("/beside")), "/v1/end");
    assert_eq!(body(go("/far")), "hello");
    assert_eq!(body(go("/bare")), "hello");
    let before = other.connections();
    for path in
        ["/other", "/literal", "/inside", "/user", "/secure", "/file", "/port", "/climb", "/admin-link"]
    {
        let why = denied(go(path));
        let inside = path == "/inside" && why.contains("loopback");
        assert!(why.starts_with("it is redirected") || inside, "{path}: {why}");
    }
    assert_eq!(other.connections(), before);
    assert!(unreachable(go("/round")).contains("again and again"));
    assert_eq!(server.requests().iter().filter(|r| r.starts_with("GET /round")).count(), 4);
    let moved = ask(&web, post(&format!("http://shop.test:{port}/far"), "x")).unwrap();
    assert_eq!((moved.status, moved.body.as_slice()), (302, b"moved".as_slice()), "a POST is not sent on");
}

#[test]
fn names_that_lead_inside() {
    let (settings, names) = settings();
    let server = hello();
    let public = "2002:101:101::1";
    for (host, answers) in [
        ("loopback.test", vec!["127.0.0.1"]),
        ("six.test", vec!["::1"]),
        ("mapped.test", vec!["::ffff:127.0.0.1"]),
        ("nat.test", vec!["64:ff9b::7f00:1"]),
        ("tunnel.test", vec!["2002:7f00:1::"]),
        ("office.test", vec!["10.0.0.1"]),
        ("carrier.test", vec!["100.64.0.1"]),
        ("cloud.test", vec!["169.254.169.254"]),
        ("any.test", vec!["0.0.0.0"]),
        ("group.test", vec!["224.0.0.1"]),
        ("mixed.test", vec![public, "127.0.0.1"]),
        (
            "mixed-late.test",
            vec![public, public, public, public, public, public, public, public, public, public, "127.0.0.1"],
        ),
    ] {
        names.say(host, &[&answers]);
        let grant = HttpGrant { private: false, ..server.grant(host) };
        let web = web(&Broker::new(settings.clone()).unwrap(), &[grant]);
        let why = denied(ask(&web, get(&server.url(host, "/"))));
        assert!(why.starts_with(&format!("{host} is at ")), "{why}");
        assert!(!answers.iter().any(|a| why.contains(a)), "addresses are not told: {why}");
    }
    for host in ["cloud.test", "any.test", "group.test", "tunnel.test"] {
        let web = web(&Broker::new(settings.clone()).unwrap(), &[server.grant(host)]);
        denied(ask(&web, get(&server.url(host, "/"))));
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn names_that_change_their_mind() {
    let (settings, names) = settings();
    let server = hello();
    let web_of = |grant: HttpGrant| web(&Broker::new(settings.clone()).unwrap(), &[grant]);
    // Public when it is checked, private when it would be looked up once more: nobody looks it up once more.
    names.say("turns.test", &[&["2002:101:101::1"], &["127.0.0.1"]]);
    let turns = web_of(HttpGrant { private: false, ..server.grant("turns.test") });
    let (first, _) =
        within(&turns, get(&server.url("turns.test", "/")), std::time::Duration::from_millis(300));
    assert!(matches!(first, Err(HttpFailure::Unreachable(_) | HttpFailure::TimedOut)), "{first:?}");
    assert_eq!(names.asked(), 1);
    // Each later request is checked anew.
    assert!(denied(ask(&turns, get(&server.url("turns.test", "/")))).contains("loopback"));
    assert_eq!(server.connections(), 0);
    // A connection that a grant with `private` opened serves no other, though the name looks public by now.
    names.say("moved.test", &[&["127.0.0.1"], &["2002:101:101::1"]]);
    let broker = Broker::new(settings.clone()).unwrap();
    let url = server.url("moved.test", "/");
    assert_eq!(body(ask(&web(&broker, &[server.grant("moved.test")]), get(&url))), "hello");
    let public = HttpGrant { private: false, ..server.grant("moved.test") };
    let (later, _) = within(&web(&broker, &[public]), get(&url), std::time::Duration::from_millis(300));
    assert!(later.is_err(), "{later:?}");
    assert_eq!(server.requests().len(), 1);
    // The second attempt is checked anew as well, after a connection broke.
    let breaks = Server::start(|_, _| false);
    names.say("breaks.test", &[&["127.0.0.1"], &["0.0.0.0"]]);
    let web = web_of(breaks.grant("breaks.test"));
    assert!(denied(ask(&web, get(&breaks.url("breaks.test", "/")))).contains("unspecified"));
    assert_eq!(breaks.connections(), 1);
    // The connection goes to the address that was checked, and one look-up is all there is.
    let here = Server::on(Ipv4Addr::new(127, 0, 0, 1), 0, |_, line| answer(line, "200 OK", &[], "here"));
    let there =
        Server::on(Ipv4Addr::new(127, 0, 0, 2), here.port(), |_, line| answer(line, "200 OK", &[], "there"));
    names.say("pinned.test", &[&["127.0.0.1"], &["127.0.0.2"]]);
    let asked = names.asked();
    let web = web_of(here.grant("pinned.test"));
    assert_eq!(body(ask(&web, get(&here.url("pinned.test", "/")))), "here");
    assert_eq!((names.asked(), there.connections()), (asked + 1, 0));
}

#[test]
fn addresses_by_number_need_their_grant_as_well() {
    let server = hello();
    let broker = broker();
    let url = server.url("127.0.0.1", "/");
    let public = HttpGrant { private: false, ..server.grant("127.0.0.1") };
    assert!(public.check().is_err());
    denied(ask(&web(&broker, &[public]), get(&url)));
    assert_eq!(body(ask(&web(&broker, &[server.grant("127.0.0.1")]), get(&url))), "hello");
}

#[test]
fn a_revoked_grant_leaves_nothing_behind() {
    let server = hello();
    let broker = broker();
    let grant = server.grant("shop.test");
    let url = server.url("shop.test", "/a");
    let kept = HttpRequest { cache: Some(600), ..get(&url) };
    assert_eq!(body(ask(&web(&broker, std::slice::from_ref(&grant)), kept.clone())), "hello");
    for grants in [
        vec![],
        vec![HttpGrant { methods: vec!["POST".into()], ..grant.clone() }],
        vec![HttpGrant { path: "/b/".into(), ..grant.clone() }],
    ] {
        denied(ask(&web(&broker, &grants), get(&url)));
        denied(ask(&web(&broker, &grants), kept.clone()));
    }
    // The connection that is still open was opened for a grant with `private`, and the answer came through one.
    let public = [HttpGrant { private: false, ..grant }];
    denied(ask(&web(&broker, &public), get(&url)));
    denied(ask(&web(&broker, &public), kept));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn what_was_kept_is_given_only_while_the_whole_way_is_granted() {
    let last = hello();
    let to = last.url("far.test", "/");
    let first =
        Server::start(move |_, line| answer(line, "302 Found", &[&format!("Location: {to}")], "moved"));
    let broker = broker();
    let request = HttpRequest { cache: Some(600), ..get(&first.url("shop.test", "/")) };
    let both = [first.grant("shop.test"), last.grant("far.test")];
    assert_eq!(body(ask(&web(&broker, &both), request.clone())), "hello");
    assert_eq!(body(ask(&web(&broker, &both), request.clone())), "hello");
    assert_eq!(last.requests().len(), 1);
    denied(ask(&web(&broker, &both[..1]), request));
}
