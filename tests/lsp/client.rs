//! An editor, as far as the protocol goes: the real binary over pipes, answers waited for, never slept for.
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::common;

/// No answer takes this long, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Client {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    /// What came while something else was waited for.
    heard: VecDeque<Value>,
    next_id: i32,
    pub root: PathBuf,
    versions: std::collections::BTreeMap<String, (i32, String)>,
    _dir: tempfile::TempDir,
}

/// A column counts bytes or UTF-16 units.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Units {
    Bytes,
    Utf16,
}

impl Client {
    /// A server on a fresh starter rulebook, not yet spoken to.
    pub fn start() -> Client {
        let (dir, root) = common::starter();
        let mut child = common::command(&["lsp", "--stdio"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let output = child.stdout.take().expect("a pipe");
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = frame(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let input = child.stdin.take();
        Client {
            child,
            input,
            messages,
            heard: VecDeque::new(),
            next_id: 0,
            root,
            versions: Default::default(),
            _dir: dir,
        }
    }

    /// A server that is ready.
    pub fn ready(units: Units) -> Client {
        let mut client = Client::start();
        client.initialize(units, json!({}));
        client
    }

    pub fn initialize(&mut self, units: Units, options: Value) -> Value {
        let offered = if units == Units::Bytes { json!(["utf-8", "utf-16"]) } else { json!(["utf-16"]) };
        let folder = json!([{"uri": uri(&self.root), "name": "policies"}]);
        let result = self.request(
            "initialize",
            json!({"processId": null, "rootUri": null, "workspaceFolders": folder,
                "initializationOptions": options,
                "capabilities": {"general": {"positionEncodings": offered}}}),
        );
        self.notify("initialized", json!({}));
        result.expect("it is ready")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub fn uri(&self, name: &str) -> String {
        uri(&self.path(name))
    }

    /// Sends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("open");
        input.write_all(bytes).expect("it reads");
        input.flush().expect("it reads");
    }

    pub fn send(&mut self, message: &Value) {
        let text = message.to_string();
        self.raw(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes());
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Asks without waiting; the id of the question.
    pub fn ask(&mut self, method: &str, params: Value) -> i32 {
        self.next_id += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}));
        self.next_id
    }

    /// The answer to a question: its result, or its error.
    pub fn answer(&mut self, id: i32) -> Result<Value, Value> {
        let answer = self.wait(|m| m["id"] == id && m.get("method").is_none());
        match answer.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(answer["result"].clone()),
        }
    }

    pub fn request(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.ask(method, params);
        self.answer(id)
    }

    /// The first message, heard or to come, that is wanted.
    pub fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.heard.iter().position(&wanted) {
            return self.heard.remove(at).expect("it is there");
        }
        loop {
            let message = self.messages.recv_timeout(PATIENCE).expect("an answer");
            if wanted(&message) {
                return message;
            }
            self.heard.push_back(message);
        }
    }

    /// Opens a file with the text that it has, or another.
    pub fn open(&mut self, name: &str, text: Option<&str>) {
        let disk = std::fs::read_to_string(self.path(name)).unwrap_or_default();
        let text = text.unwrap_or(&disk).to_owned();
        let uri = self.uri(name);
        self.versions.insert(name.to_owned(), (1, text.clone()));
        let item = json!({"uri": uri, "languageId": "zhanggui", "version": 1, "text": text});
        self.notify("textDocument/didOpen", json!({"textDocument": item}));
    }

    /// The text of an open file.
    pub fn text(&self, name: &str) -> String {
        self.versions[name].1.clone()
    }

    /// Replaces a piece of an open text, which occurs once; columns in UTF-16.
    pub fn edit(&mut self, name: &str, from: &str, to: &str) {
        let text = self.text(name);
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {name}");
        let at = text.find(from).expect("it is there");
        let range = json!({"start": place(&text, at), "end": place(&text, at + from.len())});
        self.change(name, json!([{"range": range, "text": to}]), text.replacen(from, to, 1));
    }

    pub fn change(&mut self, name: &str, changes: Value, text: String) {
        let version = self.versions[name].0 + 1;
        self.versions.insert(name.to_owned(), (version, text));
        let document = json!({"uri": self.uri(name), "version": version});
        self.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": changes}));
    }

    /// The findings of an open file as its text is now.
    pub fn findings(&mut self, name: &str) -> Vec<Value> {
        let (uri, version) = (self.uri(name), self.versions[name].0);
        let told = self.wait(|m| {
            m["method"] == "textDocument/publishDiagnostics"
                && m["params"]["uri"] == uri.as_str()
                && m["params"]["version"] == version
        });
        told["params"]["diagnostics"].as_array().expect("a list").clone()
    }

    /// The findings that are told next of a file.
    pub fn next_findings(&mut self, name: &str) -> Vec<Value> {
        let uri = self.uri(name);
        let told = self
            .wait(|m| m["method"] == "textDocument/publishDiagnostics" && m["params"]["uri"] == uri.as_str());
        told["params"]["diagnostics"].as_array().expect("a list").clone()
    }

    /// A question about the place of a word: `|` within `around` marks it.
    pub fn at(&self, name: &str, around: &str) -> Value {
        let text = self.text(name);
        let mark = around.find('|').expect("a mark");
        let plain = around.replacen('|', "", 1);
        assert_eq!(text.matches(&plain).count(), 1, "{plain:?} in {name}");
        let at = text.find(&plain).expect("it is there") + mark;
        json!({"textDocument": {"uri": self.uri(name)}, "position": place(&text, at)})
    }

    /// Puts a text with a mark `‸` in place of all that is open, and asks there; the labels that are proposed.
    pub fn proposals(&mut self, name: &str, marked: &str) -> Vec<String> {
        let at = marked.find('‸').expect("a mark");
        let text = marked.replacen('‸', "", 1);
        self.change(name, json!([{ "text": text }]), text.clone());
        let place = json!({"textDocument": {"uri": self.uri(name)}, "position": place(&text, at)});
        let list = self.request("textDocument/completion", place).expect("a list");
        let items = list["items"].as_array().expect("items").clone();
        for item in &items {
            // What is put in ends at the cursor, so nothing after it is lost.
            assert_eq!(item["textEdit"]["range"]["end"], self::place(&text, at), "{item}");
        }
        items.iter().map(|i| i["label"].as_str().expect("a label").to_owned()).collect()
    }

    /// Ends the conversation as the protocol has it; how the process ended.
    pub fn end(mut self) -> i32 {
        assert_eq!(self.request("shutdown", Value::Null), Ok(Value::Null));
        self.notify("exit", Value::Null);
        self.code()
    }

    /// How the process ends.
    pub fn code(&mut self) -> i32 {
        self.child.wait().expect("it ends").code().unwrap_or(-1)
    }

    /// Ends the input.
    pub fn hang_up(&mut self) {
        self.input = None;
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A byte of a text as line and UTF-16 column.
pub fn place(text: &str, at: usize) -> Value {
    let before = &text[..at];
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |n| n + 1);
    json!({"line": line, "character": before[start..].encode_utf16().count()})
}

pub fn uri(path: &Path) -> String {
    format!("file://{}", path.to_str().expect("UTF-8"))
}

fn frame(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            header => length = header.strip_prefix("Content-Length: ")?.parse().ok()?,
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}
