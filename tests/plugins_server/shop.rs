//! A server with an operator's key, packages for it, and a server for plugins to ask.
use crate::common::till::{Answer, send};
use crate::common::{Server, agent};
use crate::guest::Guest;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Cursor, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use zhanggui::plugins::package::{Package, SecretKey};
use zip::write::SimpleFileOptions;

pub const KEY: &str = "a-key-for-operators";

/// A running server and its operator.
pub struct Shop {
    pub server: Server,
}

/// Writes the settings into the folder that the server runs in.
pub fn settings(policies: &Path, text: &str) {
    let all = format!("operator_key = \"{KEY}\"\nplugin_threads = 2\nplugins = \"compiled\"\n{text}\n");
    std::fs::write(policies.parent().unwrap().join("zhanggui.toml"), all).unwrap();
}

/// Does something in the records, past the server.
pub fn in_the_records(policies: &Path, args: &[&str], sql: &str) {
    let file = format!("sqlite://{}", policies.parent().unwrap().join("zhanggui.db").display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let records = sea_orm::Database::connect(args.last().copied().unwrap_or(&file)).await.unwrap();
        records.execute_unprepared(sql).await.unwrap();
        records.close().await.unwrap();
    });
}

impl Shop {
    pub fn open(policies: &Path, args: &[&str]) -> Shop {
        Shop { server: Server::start(policies, args) }
    }
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let key = format!("Bearer {KEY}");
        let body = body.map(Value::to_string);
        send(&self.server.base, method, path, &[("Authorization", &key)], body.as_deref())
    }
    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.call("PUT", path, Some(body))
    }
    pub fn get(&self, path: &str) -> Value {
        self.call("GET", path, None).ok(200)
    }
    pub fn upload(&self, package: &[u8]) -> (u16, Value) {
        let request = agent().post(format!("{}/v1/plugins?who=lin", self.server.base));
        let mut answer =
            request.header("Authorization", format!("Bearer {KEY}")).send(package).expect("an answer");
        let text = answer.body_mut().read_to_string().expect("text");
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}")))
    }
    /// Uploads what is fit.
    pub fn take(&self, package: &[u8]) {
        let (status, said) = self.upload(package);
        assert_eq!(status, 201, "{said}");
    }
    /// The code of the refusal of an upload.
    pub fn refusal(&self, package: &[u8]) -> String {
        let (status, said) = self.upload(package);
        assert!(status >= 400, "{said}");
        said["code"].as_str().unwrap().to_owned()
    }
    pub fn roll_out(&self, id: &str, version: &str, stage: &str) -> Answer {
        self.put(
            &format!("/v1/plugins/{id}/rollout"),
            &json!({ "version": version, "stage": stage, "who": "lin" }),
        )
    }
    pub fn roll_back(&self, id: &str) -> Answer {
        self.call("POST", &format!("/v1/plugins/{id}/rollback"), Some(&json!({ "who": "lin" })))
    }
    /// Asks `score` at a store: version, and the number or the failure's name.
    pub fn ask(&self, id: &str, store: &str) -> (String, Value) {
        let call =
            json!({ "key": "k", "function": "score", "store": store, "now": 1, "today": "2026-11-22" });
        let ran = self.call("POST", &format!("/v1/plugins/{id}/ask"), Some(&call)).ok(200);
        let outcome = &ran["outcome"];
        let said = match &outcome["Err"] {
            Value::Null => outcome["Ok"]["value"]["whole"].clone(),
            Value::Object(failure) => failure.keys().next().unwrap().as_str().into(),
            failure => failure.clone(),
        };
        (ran["version"].as_str().unwrap().to_owned(), said)
    }
    /// What `score` says at a store.
    pub fn said(&self, id: &str, store: &str) -> Value {
        self.ask(id, store).1
    }
}

/// A manifest of `acme.NAME` with the function `score`, or with events.
pub fn manifest(name: &str, version: &str, more: &str) -> String {
    let score = "[functions.score]\nhook = \"facts\"\nanswers = \"whole\"\n";
    let (before, after) = if more.starts_with("events") { (more, "") } else { ("", more) };
    let score = if before.is_empty() { score } else { "" };
    format!(
        "id = \"acme.{name}\"\nversion = \"{version}\"\napi = \"0.1\"\ntitle = \"{name}\"\n{before}\n{score}\n{after}\n"
    )
}

/// A grant, as a manifest asks for it.
pub fn asks_http(host: &str, port: u16, methods: &str) -> String {
    format!(
        "[[asks.http]]\nscheme = \"http\"\nhost = \"{host}\"\nport = {port}\npath = \"/\"\nmethods = {methods}\nsecrets = [\"token\"]\n"
    )
}

pub type Files = BTreeMap<String, Vec<u8>>;

pub fn files(manifest: &str, guest: &Guest) -> Files {
    BTreeMap::from([
        ("plugin.toml".to_owned(), manifest.as_bytes().to_vec()),
        ("plugin.wasm".to_owned(), guest.wasm.clone()),
        ("cases/one.json".to_owned(), guest.case.clone().into_bytes()),
        ("README.md".to_owned(), b"# A plugin".to_vec()),
    ])
}

/// A package, signed if there is a key.
pub fn pack(files: Files, key: Option<&SecretKey>) -> Vec<u8> {
    let mut package = Package::make(files).unwrap();
    if let Some(key) = key {
        package.sign(key).unwrap();
    }
    package.bytes().unwrap()
}

/// A package by hand, of whatever files; its checksums are right.
pub fn pack_anything(mut files: Files, signature: Option<Vec<u8>>) -> Vec<u8> {
    let sum = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>();
    let sums: String = files.iter().map(|(name, bytes)| format!("{}  {name}\n", sum(bytes))).collect();
    files.insert("SHA256SUMS".to_owned(), sums.into_bytes());
    files.extend(signature.map(|bytes| ("SIGNATURE".to_owned(), bytes)));
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = SimpleFileOptions::default().unix_permissions(0o644);
        writer.start_file(name, options).unwrap();
        writer.write_all(&bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A file of a package.
pub fn file(package: &[u8], name: &str) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(package)).unwrap();
    let mut bytes = Vec::new();
    archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// What a plugin's request was.
#[derive(Clone, Debug)]
pub struct Heard {
    pub at: Instant,
    pub headers: BTreeMap<String, String>,
}

/// A server that notes what it hears and answers as it is told.
pub struct Receiver {
    pub port: u16,
    pub heard: Arc<Mutex<Vec<Heard>>>,
}

impl Receiver {
    /// `answer` is given how many requests there were before, and says after how long with which status.
    pub fn start(answer: impl Fn(usize) -> (Duration, u16) + Send + 'static) -> Receiver {
        Receiver::saying("", answer)
    }
    /// With a body in its answers.
    pub fn saying(
        body: &'static str,
        answer: impl Fn(usize) -> (Duration, u16) + Send + 'static,
    ) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let noted = heard.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some(headers) = head(&mut stream) else { continue };
                let before = {
                    let mut noted = noted.lock().unwrap();
                    noted.push(Heard { at: Instant::now(), headers });
                    noted.len() - 1
                };
                let (wait, status) = answer(before);
                std::thread::sleep(wait);
                let long = body.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} X\r\ncontent-length: {long}\r\nconnection: close\r\n\r\n{body}"
                );
            }
        });
        Receiver { port, heard }
    }
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/x", self.port)
    }
}

fn head(stream: &mut TcpStream) -> Option<BTreeMap<String, String>> {
    let mut lines = BufReader::new(stream).lines();
    lines.next()?.ok()?;
    let mut headers = BTreeMap::new();
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    Some(headers)
}

/// Grants a server on this machine, which only an operator can.
pub fn grant(port: u16, methods: &[&str], secrets: &[&str]) -> Value {
    json!({ "http": [{ "scheme": "http", "host": "127.0.0.1", "port": port, "path": "/", "methods": methods,
        "secrets": secrets, "private": true }], "who": "lin" })
}
