//! Servers that are slow, endless or huge cost their time and no more.
use super::support::*;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use zhanggui::plugins::contract::{HttpFailure, HttpRequest};
use zhanggui::plugins::web::Web;

const TIME: Duration = Duration::from_millis(400);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(500);

fn drip(line: &mut dyn Line, text: &[u8]) -> bool {
    loop {
        if line.write_all(text).and_then(|()| line.flush()).is_err() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[track_caller]
fn times_out(server: &Server, request: HttpRequest) {
    let web = web(&broker(), &[server.grant("shop.test")]).body(64 * 1024 * 1024);
    let (outcome, took) = within(&web, request, TIME);
    assert_eq!(outcome, Err(HttpFailure::TimedOut));
    assert!((TIME..TIME + SLACK).contains(&took), "{took:?}");
}

#[test]
fn servers_that_never_end() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n";
    type Answer = fn(&str, &mut dyn Line) -> bool;
    let servers: [(&str, Answer); 6] = [
        ("says nothing", |_, _| {
            std::thread::sleep(Duration::from_secs(5));
            false
        }),
        ("drips its head", |_, line| line.write_all(HEAD).is_ok() && drip(line, b"a: b\r\n")),
        ("drips half a header", |_, line| {
            line.write_all(b"HTTP/1.1 200 OK\r\nx: ").is_ok() && drip(line, b"y")
        }),
        ("drips its body", |_, line| {
            line.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").is_ok() && drip(line, b"z")
        }),
        ("drips chunks", |_, line| {
            line.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_ok()
                && drip(line, b"1\r\nz\r\n")
        }),
        ("is about to answer", |_, line| drip(line, b"HTTP/1.1 100 Continue\r\n\r\n")),
    ];
    for (what, answer) in servers {
        let server = Server::start(answer);
        println!("{what}");
        times_out(&server, get(&server.url("shop.test", "/")));
    }
}

#[test]
fn a_server_that_does_not_read() {
    let server = Server::raw(Ipv4Addr::LOCALHOST, 0, |mut stream, _| {
        let mut some = vec![0; 64 * 1024];
        while stream.read(&mut some).is_ok_and(|n| n > 0) {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let big = HttpRequest { body: vec![b'x'; 48 * 1024 * 1024], ..post(&server.url("shop.test", "/"), "") };
    times_out(&server, big);
}

#[test]
fn a_server_that_does_not_shake_hands() {
    let server = Server::raw(Ipv4Addr::LOCALHOST, 0, |mut stream, _| {
        // The begin of a TLS record that is never complete.
        let _ = stream.write_all(&[22, 3, 3, 0x3f, 0xff]);
        while stream.write_all(&[2]).is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let mut grant = server.grant("shop.test");
    grant.scheme = "https".into();
    let url = format!("https://shop.test:{}/", server.port());
    let (outcome, took) = within(&web(&broker(), &[grant]), get(&url), TIME);
    assert_eq!(outcome, Err(HttpFailure::TimedOut));
    assert!(took < TIME + SLACK, "{took:?}");
}

#[test]
fn a_name_that_is_looked_up_for_ever() {
    let server = hello();
    let web = web(&broker(), &[server.grant("hangs.test")]);
    let (outcome, took) = within(&web, get(&server.url("hangs.test", "/")), TIME);
    assert_eq!(outcome, Err(HttpFailure::TimedOut));
    assert!(took < TIME + SLACK, "{took:?}");
}

#[test]
fn the_plugins_own_time_out_and_a_deadline_that_has_passed() {
    let server = Server::start(|_, _| {
        std::thread::sleep(Duration::from_secs(5));
        false
    });
    let web = web(&broker(), &[server.grant("shop.test")]);
    let soon = HttpRequest { timeout: Some(100), ..get(&server.url("shop.test", "/")) };
    let (outcome, took) = within(&web, soon.clone(), Duration::from_secs(10));
    assert_eq!(outcome, Err(HttpFailure::TimedOut));
    assert!(took < Duration::from_millis(100) + SLACK, "{took:?}");
    let late = web.fetch(&[soon], Instant::now());
    assert_eq!(late[0].outcome, Err(HttpFailure::TimedOut));
    assert_eq!(server.connections(), 1, "no request is begun that cannot end");
}

#[test]
fn redirects_share_the_time() {
    let server = Server::start(|request, line| {
        std::thread::sleep(Duration::from_millis(250));
        let to = format!("Location: {}x", request.split(' ').nth(1).unwrap());
        answer(line, "302 Found", &[&to], "")
    });
    times_out(&server, get(&server.url("shop.test", "/")));
}

#[test]
fn answers_that_are_too_large() {
    type Answer = fn(&str, &mut dyn Line) -> bool;
    let servers: [(&str, Answer); 6] = [
        ("says so", |_, line| {
            line.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n").is_ok()
                && drip(line, b"z")
        }),
        ("floods", |_, line| {
            let _ = line.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
            while line.write_all(&[b'z'; 8192]).is_ok() {}
            false
        }),
        ("floods in chunks", |_, line| {
            let _ = line.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
            while line.write_all(format!("1000\r\n{}\r\n", "z".repeat(0x1000)).as_bytes()).is_ok() {}
            false
        }),
        ("has a long header", |_, line| {
            let _ = line.write_all(b"HTTP/1.1 200 OK\r\nx: ");
            while line.write_all(&[b'z'; 8192]).is_ok() {}
            false
        }),
        ("has a long and complete header", |_, line| {
            let long = format!("x: {}", "z".repeat(17 * 1024));
            answer(line, "200 OK", &[&long], "")
        }),
        ("has many headers", |_, line| answer(line, "200 OK", &["x: y"; 500], "")),
    ];
    for (what, answer) in servers {
        let server = Server::start(answer);
        let web = web(&broker(), &[server.grant("shop.test")]);
        let (outcome, took) = within(&web, get(&server.url("shop.test", "/")), Duration::from_secs(10));
        assert_eq!(outcome, Err(HttpFailure::TooLarge), "{what}");
        assert!(took < Duration::from_secs(3), "{what}: {took:?}");
    }
}

#[test]
fn the_limit_is_the_limit() {
    let server = Server::start(|_, line| answer(line, "200 OK", &[], &"z".repeat(1000)));
    let broker = broker();
    let web = |limit| web(&broker, &[server.grant("shop.test")]).body(limit);
    let url = server.url("shop.test", "/");
    assert_eq!(body(ask(&web(1000), get(&url))).len(), 1000);
    assert_eq!(ask(&web(999), get(&url)), Err(HttpFailure::TooLarge));
    assert!(denied(ask(&web(999), post(&url, &"x".repeat(1000)))).contains("999"));
    let kept = HttpRequest { cache: Some(60), ..get(&url) };
    ask(&web(1000), kept.clone()).unwrap();
    assert_eq!(ask(&web(999), kept), Err(HttpFailure::TooLarge), "from memory as well");
}

#[test]
fn answers_that_are_none() {
    let texts: [&[u8]; 6] = [
        b"",
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"HTTP/1.1 banana\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nx\r\n",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
    ];
    for text in texts {
        let server = Server::start(move |_, line| {
            let _ = line.write_all(text);
            false
        });
        let web = web(&broker(), &[server.grant("shop.test")]);
        unreachable(ask(&web, get(&server.url("shop.test", "/"))));
    }
    // Nobody listens.
    let gone = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let mut grant = hello().grant("shop.test");
    grant.port = gone.port();
    unreachable(ask(&web(&broker(), &[grant]), get(&format!("http://shop.test:{}/", gone.port()))));
    // No such name.
    let grant = hello().grant("nowhere.invalid");
    let url = format!("http://nowhere.invalid:{}/", grant.port);
    assert!(unreachable(ask(&web(&broker(), &[grant]), get(&url))).contains("name"));
}

#[test]
fn several_requests_share_the_deadline() {
    let server = Server::start(|request, line| {
        std::thread::sleep(Duration::from_millis(300));
        let at = request.split(' ').nth(1).unwrap();
        answer(line, "200 OK", &[], at)
    });
    let web = web(&broker(), &[server.grant("shop.test")]);
    let requests = |n: usize| -> Vec<HttpRequest> {
        let request = |i: usize| HttpRequest {
            name: format!("n{i}"),
            ..get(&server.url("shop.test", &format!("/{i}")))
        };
        (0..n).map(request).collect()
    };
    let start = Instant::now();
    let responses = web.fetch(&requests(4), start + Duration::from_secs(20));
    assert!(
        start.elapsed() < Duration::from_millis(1000),
        "they ran one after the other: {:?}",
        start.elapsed()
    );
    for (i, response) in responses.iter().enumerate() {
        assert_eq!(response.name, format!("n{i}"));
        assert_eq!(response.outcome.as_ref().unwrap().body, format!("/{i}").as_bytes());
    }
    let start = Instant::now();
    let responses = web.fetch(&requests(12), start + Duration::from_millis(500));
    assert!(start.elapsed() < Duration::from_millis(500) + SLACK, "{:?}", start.elapsed());
    let late = responses.iter().filter(|r| r.outcome == Err(HttpFailure::TimedOut)).count();
    assert_eq!((responses.len(), responses[11].name.as_str()), (12, "n11"));
    assert!(late >= 8, "at most four at a time: {late} were late");
    let many = web.fetch(&requests(17), Instant::now());
    assert!(
        matches!(&many[16].outcome, Err(HttpFailure::Other(why)) if why.contains("16")),
        "{:?}",
        many[16]
    );
    assert!(web.fetch(&[], Instant::now()).is_empty());
}

#[test]
fn one_bad_server_does_not_keep_the_others_waiting() {
    let slow = Server::start(|_, line| drip(line, b"HTTP/1.1 100 Continue\r\n\r\n"));
    let quick = hello();
    let web = web(&broker(), &[slow.grant("slow.test"), quick.grant("quick.test")]);
    let mut requests = vec![get(&slow.url("slow.test", "/"))];
    requests.extend((0..6).map(|_| get(&quick.url("quick.test", "/"))));
    let responses = web.fetch(&requests, Instant::now() + Duration::from_millis(800));
    assert_eq!(responses[0].outcome, Err(HttpFailure::TimedOut));
    for response in &responses[1..] {
        assert_eq!(response.outcome.as_ref().unwrap().body, b"hello");
    }
}
