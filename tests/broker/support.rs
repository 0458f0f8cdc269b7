//! Small servers on the loopback interface, names that lead where a test wants, and short words for requests.
use std::collections::{HashMap, VecDeque};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use zhanggui::plugins::broker::{Broker, BrokerSettings, Granted, NameError, Names, NoSecrets, Secrets};
use zhanggui::plugins::contract::{HttpAnswer, HttpFailure, HttpRequest};
use zhanggui::plugins::manifest::HttpGrant;
use zhanggui::plugins::web::Web;

/// A connection, plain or not.
pub trait Line: Read + Write {}
impl<T: Read + Write> Line for T {}

/// A server that keeps what it was asked.
pub struct Server {
    pub address: SocketAddr,
    pub connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers each request with `answer`; false ends the connection.
    pub fn start(answer: impl Fn(&str, &mut dyn Line) -> bool + Send + Sync + 'static) -> Server {
        Server::on(Ipv4Addr::LOCALHOST, 0, answer)
    }

    pub fn on(
        address: Ipv4Addr,
        port: u16,
        answer: impl Fn(&str, &mut dyn Line) -> bool + Send + Sync + 'static,
    ) -> Server {
        let answer = Arc::new(answer);
        Server::raw(address, port, move |mut stream, requests| {
            speak(&mut stream, requests, answer.as_ref());
        })
    }

    /// Hands over each connection.
    pub fn raw(
        address: Ipv4Addr,
        port: u16,
        take: impl Fn(TcpStream, &Mutex<Vec<String>>) + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind((address, port)).unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (kept, counted, take) = (Arc::clone(&requests), Arc::clone(&connections), Arc::new(take));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                let (kept, take) = (Arc::clone(&kept), Arc::clone(&take));
                std::thread::spawn(move || take(stream.unwrap(), &kept));
            }
        });
        Server { address, connections, requests }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Heads and bodies, as they came.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// A grant for all of this server by a name that [`Fake`] leads to it.
    pub fn grant(&self, host: &str) -> HttpGrant {
        HttpGrant {
            scheme: "http".into(),
            host: host.into(),
            port: self.port(),
            path: "/".into(),
            methods: ["GET", "HEAD", "POST", "PUT"].map(str::to_owned).to_vec(),
            secrets: vec![],
            private: true,
        }
    }

    pub fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port())
    }
}

/// Reads requests and answers them.
pub fn speak(
    stream: &mut dyn Line,
    requests: &Mutex<Vec<String>>,
    answer: &(dyn Fn(&str, &mut dyn Line) -> bool + Send + Sync),
) {
    while let Some(request) = read_request(stream) {
        requests.lock().unwrap().push(request.clone());
        if !answer(&request, stream) {
            return;
        }
    }
}

fn read_request(stream: &mut dyn Line) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes).to_lowercase();
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    bytes.extend(body);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes an answer with a body and keeps the connection.
pub fn answer(line: &mut dyn Line, status: &str, headers: &[&str], body: &str) -> bool {
    let headers: String = headers.iter().map(|h| format!("{h}\r\n")).collect();
    let text = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len());
    line.write_all(text.as_bytes()).is_ok()
}

/// A server that says hello.
pub fn hello() -> Server {
    Server::start(|_, line| answer(line, "200 OK", &[], "hello"))
}

/// Names that lead where a test says: each look-up takes the next answer, the last one for ever.
#[derive(Default)]
pub struct Fake {
    answers: Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>,
    asked: AtomicUsize,
}

impl Fake {
    pub fn say(&self, host: &str, answers: &[&[&str]]) {
        let answers = answers.iter().map(|a| a.iter().map(|a| a.parse().unwrap()).collect()).collect();
        self.answers.lock().unwrap().insert(host.to_owned(), answers);
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Names for Fake {
    fn addresses(&self, host: &str, until: Instant) -> Result<Vec<IpAddr>, NameError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if host == "hangs.test" {
            std::thread::sleep(until.saturating_duration_since(Instant::now()));
            return Err(NameError::TimedOut);
        }
        let mut answers = self.answers.lock().unwrap();
        match answers.get_mut(host) {
            Some(next) if next.len() > 1 => Ok(next.pop_front().unwrap()),
            Some(last) => Ok(last[0].clone()),
            None if host.ends_with(".test") => Ok(vec![Ipv4Addr::LOCALHOST.into()]),
            None => Err(NameError::Unknown(host.to_owned())),
        }
    }
}

/// Settings with names that all lead to loopback.
pub fn settings() -> (BrokerSettings, Arc<Fake>) {
    let names = Arc::new(Fake::default());
    (BrokerSettings { names: Arc::clone(&names) as Arc<dyn Names>, ..BrokerSettings::default() }, names)
}

pub fn broker() -> Broker {
    Broker::new(settings().0).unwrap()
}

/// The web of the plugin `acme.quote`.
pub fn web(broker: &Broker, grants: &[HttpGrant]) -> Granted {
    broker.with("acme.quote", Arc::new(grants.to_vec()), Arc::new(NoSecrets))
}

/// Secrets by name, the same for each plugin.
pub struct Known(pub &'static [(&'static str, &'static str)]);

impl Secrets for Known {
    fn secret(&self, _plugin: &str, name: &str) -> Option<String> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
    }
}

pub fn get(url: &str) -> HttpRequest {
    HttpRequest {
        name: "r".into(),
        method: "GET".into(),
        url: url.into(),
        headers: vec![],
        body: vec![],
        timeout: None,
        cache: None,
    }
}

pub fn post(url: &str, body: &str) -> HttpRequest {
    HttpRequest { method: "POST".into(), body: body.into(), ..get(url) }
}

/// One request, with time enough.
pub fn ask(web: &dyn Web, request: HttpRequest) -> Result<HttpAnswer, HttpFailure> {
    within(web, request, Duration::from_secs(20)).0
}

/// One request, and how long it took.
pub fn within(
    web: &dyn Web,
    request: HttpRequest,
    time: Duration,
) -> (Result<HttpAnswer, HttpFailure>, Duration) {
    let start = Instant::now();
    let mut responses = web.fetch(&[request], start + time);
    assert_eq!(responses.len(), 1);
    (responses.remove(0).outcome, start.elapsed())
}

pub fn body(outcome: Result<HttpAnswer, HttpFailure>) -> String {
    String::from_utf8(outcome.unwrap().body).unwrap()
}

/// Why it was denied.
#[track_caller]
pub fn denied(outcome: Result<HttpAnswer, HttpFailure>) -> String {
    match outcome {
        Err(HttpFailure::Denied(why)) => why,
        other => panic!("not denied: {other:?}"),
    }
}

#[track_caller]
pub fn unreachable(outcome: Result<HttpAnswer, HttpFailure>) -> String {
    match outcome {
        Err(HttpFailure::Unreachable(why)) => why,
        other => panic!("not unreachable: {other:?}"),
    }
}
