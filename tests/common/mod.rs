//! The binary, a rulebook to try it on, and a running server.
#![allow(dead_code, reason = "each test binary uses its part")]
#[path = "../postgres/mod.rs"]
pub mod postgres;
pub mod till;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What a run printed, and how it ended.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Run {
        Run {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zhanggui"));
    command.args(args).stdin(Stdio::null());
    for (name, _) in std::env::vars() {
        if name.starts_with("ZHANGGUI_") || name == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    command
}

pub fn zhanggui(args: &[&str]) -> Run {
    command(args).output().expect("the binary runs").into()
}

pub fn with_input(args: &[&str], input: &str) -> Run {
    let mut child = command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    // It may end before it has read everything.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends").into()
}

/// A fresh rulebook of `zhanggui new` in a temporary folder.
pub fn starter() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let policies = dir.path().join("policies");
    let run = zhanggui(&["new", text(&policies)]);
    assert_eq!(run.code, 0, "{run:?}");
    (dir, policies)
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Runs a test on each database, named as `serve` takes it: SQLite, which it has in its folder if nothing is said, and
/// PostgreSQL if it is installed.
pub fn each_database(body: impl Fn(&[&str])) {
    body(&[]);
    if let Some(cluster) = postgres::cluster() {
        body(&["--database", &cluster.database()]);
    }
}

/// A running server; it is stopped when dropped.
pub struct Server {
    child: Child,
    pub base: String,
    pub said: Arc<Mutex<String>>,
}

impl Server {
    pub fn start(policies: &Path, more: &[&str]) -> Server {
        let mut args = vec!["serve", "--policies", text(policies), "--listen", "127.0.0.1:0"];
        args.extend(more);
        // An empty folder, so that no settings file of the project is read.
        let home = policies.parent().expect("a parent");
        let mut child = command(&args)
            .current_dir(home)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut first = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut first).expect("a line");
        let base = first.trim().split_once(" on ").unwrap_or_else(|| panic!("{first}")).1.to_owned();
        let lines = BufReader::new(child.stderr.take().expect("a pipe"));
        let said = Arc::new(Mutex::new(String::new()));
        let heard = said.clone();
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                heard.lock().expect("lock").push_str(&(line + "\n"));
            }
        });
        Server { child, base, said }
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        let mut answer = agent().get(format!("{}{path}", self.base)).call().expect("an answer");
        (answer.status().as_u16(), answer.body_mut().read_to_string().expect("text"))
    }

    pub fn post(&self, path: &str, body: &str) -> (u16, String) {
        post(&agent(), &format!("{}{path}", self.base), body)
    }

    pub fn health(&self) -> serde_json::Value {
        let (status, body) = self.get("/healthz");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("JSON")
    }

    pub fn heard(&self) -> String {
        self.said.lock().expect("lock").clone()
    }

    /// Asks the server to stop, and waits for it.
    pub fn terminate(mut self) -> i32 {
        let pid = self.child.id().to_string();
        let kill = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(kill.success());
        let status = self.child.wait().expect("it ends");
        status.code().unwrap_or(-1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(20)))
        .build()
        .new_agent()
}

pub fn post(agent: &ureq::Agent, url: &str, body: &str) -> (u16, String) {
    let mut answer = agent.post(url).content_type("application/json").send(body).expect("an answer");
    (answer.status().as_u16(), answer.body_mut().read_to_string().expect("text"))
}

/// Waits until `done` gives something, or fails after half a minute.
pub fn eventually<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = done() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
