//! One editor from its first message to its last: what is open, what is known, who answers.
use crate::lsp::books::Books;
use crate::lsp::buffers::Buffers;
use crate::lsp::place::{Encoding, path_of, uri_of};
use crate::lsp::transport::{Incoming, Out, read, write};
use crate::lsp::{actions, analysed, complete, findings, format, hover, names, outline, rename, run};
use crate::rulebook::Overlay;
use gen_lsp_types as lsp;
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How long an author stops typing before the analysis begins.
const PAUSE: Duration = Duration::from_millis(600);

/// How the conversation ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// `exit` after `shutdown`.
    Well,
    /// `exit` without `shutdown`, or the input ended in between.
    Early,
    /// The input could not be followed any more.
    Broken(String),
}

/// Talks to one editor until it ends the conversation.
pub fn serve(
    input: impl io::Read + Send + 'static,
    output: impl io::Write + Send + 'static,
) -> io::Result<Ended> {
    let (events, inbox) = channel();
    let (outbox, messages) = channel();
    let writer = std::thread::Builder::new().name("write".into()).spawn(move || write(output, &messages))?;
    let reader = events.clone();
    std::thread::Builder::new()
        .name("read".into())
        .spawn(move || read(input, |incoming| reader.send(Event::In(incoming)).is_ok()))?;
    let ended = Session::new(Out::new(outbox), events).run(&inbox);
    // The session held the last sender: the writer has written all.
    match writer.join() {
        Ok(done) => done.map(|()| ended),
        Err(_) => Err(io::Error::other("the writing thread ended early")),
    }
}

/// What may happen next.
#[derive(Debug)]
pub(super) enum Event {
    In(Incoming),
    /// The analysis of a rulebook is done.
    Analysed(analysed::Done),
}

/// Why a request is not answered with a result.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

impl Refused {
    pub(super) fn failed(message: impl Into<String>) -> Refused {
        Refused { code: ErrorCode::RequestFailed, message: message.into() }
    }
}

/// The conversation so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Before,
    Running,
    ShutDown,
}

pub(super) struct Session {
    out: Out,
    events: Sender<Event>,
    stage: Stage,
    waiting: VecDeque<Incoming>,
    pub(super) encoding: Encoding,
    pub(super) buffers: Buffers,
    pub(super) books: Books,
    pub(super) overlay: Overlay,
    /// Where the pages about findings lie.
    docs: Option<PathBuf>,
    /// What was told of each rulebook's files, and of each file in all.
    shown: BTreeMap<PathBuf, BTreeMap<PathBuf, Vec<lsp::Diagnostic>>>,
    published: BTreeMap<PathBuf, Vec<lsp::Diagnostic>>,
    /// Open texts that changed since their findings were told.
    changed: BTreeSet<PathBuf>,
    /// The text that the author is at.
    focus: Option<PathBuf>,
    /// An analysis is under way; there is one at a time.
    analysing: bool,
    /// A text was saved: its analysis need not wait for a quiet moment.
    saved: bool,
}

impl Session {
    fn new(out: Out, events: Sender<Event>) -> Session {
        Session {
            out,
            events,
            stage: Stage::Before,
            waiting: VecDeque::new(),
            encoding: Encoding::Utf16,
            buffers: Buffers::default(),
            books: Books::default(),
            overlay: Overlay::default(),
            docs: None,
            shown: BTreeMap::new(),
            published: BTreeMap::new(),
            changed: BTreeSet::new(),
            focus: None,
            analysing: false,
            saved: false,
        }
    }

    fn run(mut self, inbox: &Receiver<Event>) -> Ended {
        loop {
            // What has come in meanwhile is taken first: of ten keys the texts after the last are checked.
            while let Ok(event) = inbox.try_recv() {
                self.note(event);
            }
            let incoming = match self.waiting.pop_front() {
                Some(incoming) => incoming,
                None if self.books.is_stale() || !self.changed.is_empty() => {
                    self.refresh();
                    continue;
                }
                None => match self.next(inbox) {
                    Some(event) => {
                        self.note(event);
                        continue;
                    }
                    None => Incoming::End(None),
                },
            };
            match incoming {
                Incoming::Message(message) => {
                    if let Some(ended) = self.message(message) {
                        return ended;
                    }
                }
                Incoming::Malformed(why) => self.out.unreadable(why),
                Incoming::End(None) => return Ended::Early,
                Incoming::End(Some(why)) => {
                    self.out.unreadable(why.clone());
                    return Ended::Broken(why);
                }
            }
        }
    }

    /// Waits for what comes next; the analysis begins when the author pauses.
    fn next(&mut self, inbox: &Receiver<Event>) -> Option<Event> {
        let due = if self.analysing { None } else { analysed::due(self) };
        if let Some(manifest) = due {
            let pause = if std::mem::take(&mut self.saved) { Duration::ZERO } else { PAUSE };
            match inbox.recv_timeout(pause) {
                Ok(event) => return Some(event),
                Err(RecvTimeoutError::Timeout) => {
                    self.analysing = analysed::begin(self, &manifest, self.events.clone());
                }
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        inbox.recv().ok()
    }

    /// Takes an event to be handled in its turn; a request that is cancelled before its turn is not.
    fn note(&mut self, event: Event) {
        match event {
            Event::In(Incoming::Message(Message::Notification(n))) if n.method == "$/cancelRequest" => {
                let Ok(params) = serde_json::from_value::<lsp::CancelParams>(n.params) else { return };
                let id = match params.id {
                    lsp::Id::Int(id) => RequestId::from(id),
                    lsp::Id::String(id) => RequestId::from(id),
                };
                let is = |i: &Incoming| matches!(i, Incoming::Message(Message::Request(r)) if r.id == id);
                if let Some(at) = self.waiting.iter().position(is) {
                    self.waiting.remove(at);
                    let code = ErrorCode::RequestCanceled as i32;
                    self.out.send(Response::new_err(id, code, "cancelled".to_owned()));
                }
            }
            Event::In(incoming) => self.waiting.push_back(incoming),
            Event::Analysed(done) => {
                self.analysing = false;
                if let Some(manifest) = analysed::take(self, done) {
                    self.tell(&manifest);
                }
            }
        }
    }

    fn message(&mut self, message: Message) -> Option<Ended> {
        match message {
            Message::Request(request) => {
                let id = request.id.clone();
                let answer = self.request(request);
                self.out.send(match answer {
                    Ok(result) => Response { id, response_result: Ok(result) },
                    Err(refused) => Response::new_err(id, refused.code as i32, refused.message),
                });
            }
            Message::Notification(n) if n.method == "exit" => {
                return Some(if self.stage == Stage::ShutDown { Ended::Well } else { Ended::Early });
            }
            Message::Notification(n) if self.stage == Stage::Running => self.notification(n),
            // Answers to what the server asked, and what comes before the first request: nothing hangs on them.
            Message::Notification(_) | Message::Response(_) => {}
        }
        None
    }

    fn request(&mut self, request: Request) -> Result<Json, Refused> {
        let Request { method, params, .. } = request;
        match (self.stage, method.as_str()) {
            (Stage::Before, "initialize") => {
                let result = self.initialize(parsed(params)?);
                self.stage = Stage::Running;
                return json(result);
            }
            (Stage::Before, _) => {
                let message = "the first request is `initialize`".to_owned();
                return Err(Refused { code: ErrorCode::ServerNotInitialized, message });
            }
            (Stage::Running, "initialize") => {
                let message = "this was done already".to_owned();
                return Err(Refused { code: ErrorCode::InvalidRequest, message });
            }
            (Stage::Running, "shutdown") => {
                self.stage = Stage::ShutDown;
                return Ok(Json::Null);
            }
            (Stage::ShutDown, _) => {
                let message = "the server is shut down".to_owned();
                return Err(Refused { code: ErrorCode::InvalidRequest, message });
            }
            (Stage::Running, _) => {}
        }
        // Places in a question are places in the text as it is now.
        self.refresh();
        match method.as_str() {
            "textDocument/hover" => json(hover::hover(self, &parsed(params)?)),
            "textDocument/definition" => json(names::definition(self, &parsed(params)?)),
            "textDocument/references" => {
                let params: lsp::ReferenceParams = parsed(params)?;
                self.meet_sharers(&params.text_document_position_params);
                json(names::references(self, &params))
            }
            "textDocument/documentHighlight" => json(names::highlights(self, &parsed(params)?)),
            "textDocument/completion" => json(complete::complete(self, &parsed(params)?)),
            "textDocument/prepareRename" => rename::prepare(self, &parsed(params)?),
            "textDocument/rename" => {
                let params: lsp::RenameParams = parsed(params)?;
                self.meet_sharers(&params.text_document_position_params);
                rename::rename(self, &params)
            }
            "textDocument/documentSymbol" => json(outline::outline(self, &parsed(params)?)),
            "textDocument/codeAction" => json(actions::actions(self, &parsed(params)?)),
            "textDocument/formatting" => json(format::format(self, &parsed(params)?)?),
            "textDocument/codeLens" => json(run::lenses(self, &parsed(params)?)),
            "workspace/executeCommand" => self.execute(&parsed(params)?),
            other => {
                let message = format!("there is no request `{other}` here");
                Err(Refused { code: ErrorCode::MethodNotFound, message })
            }
        }
    }

    /// What a vocabulary declares may be named by rulebooks of the workspace that nobody has opened yet.
    fn meet_sharers(&mut self, at: &lsp::TextDocumentPositionParams) {
        if let Some(path) = names::declared_in(self, at) {
            self.books.meet(&path);
            self.refresh();
        }
    }

    fn execute(&self, params: &lsp::ExecuteCommandParams) -> Result<Json, Refused> {
        let result = run::execute(self, params)?;
        let (well, message) = run::in_words(&result);
        let kind = if well { lsp::MessageType::Info } else { lsp::MessageType::Warning };
        self.notify("window/showMessage", lsp::ShowMessageParams { kind, message });
        Ok(result)
    }

    fn notify(&self, method: &str, params: impl Serialize) {
        if let Ok(params) = serde_json::to_value(params) {
            self.out.send(Notification { method: method.to_owned(), params });
        }
    }

    /// The folder of the pages about findings, if there is one.
    pub(super) fn docs(&self) -> Option<&Path> {
        self.docs.as_deref()
    }

    fn initialize(&mut self, params: lsp::InitializeParams) -> lsp::InitializeResult {
        let general = params.capabilities.general.unwrap_or_default();
        self.encoding = Encoding::agreed(general.position_encodings.as_deref());
        let mut folders: Vec<PathBuf> = match params.workspace_folders_initialize_params.workspace_folders {
            Some(lsp::WorkspaceFolders::WorkspaceFolderList(list)) => {
                list.iter().filter_map(|f| path_of(&f.uri)).collect()
            }
            _ => Vec::new(),
        };
        #[allow(deprecated, reason = "older editors name one folder only, in this way")]
        folders.extend(params.root_uri.as_ref().and_then(path_of));
        let given = params.initialization_options.as_ref().and_then(|o| o.get("docs")).and_then(Json::as_str);
        let near = folders.iter().flat_map(|f| f.ancestors()).map(|f| f.join("docs").join("diagnostics"));
        self.docs = given.map(PathBuf::from).into_iter().chain(near).find(|docs| docs.is_dir());
        self.books = Books::new(folders);
        lsp::InitializeResult {
            capabilities: self.capabilities(),
            server_info: Some(lsp::ServerInfo {
                name: "zhanggui".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
        }
    }

    fn capabilities(&self) -> lsp::ServerCapabilities {
        lsp::ServerCapabilities {
            position_encoding: Some(self.encoding.kind()),
            text_document_sync: Some(lsp::TextDocumentSync::Options(lsp::TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(lsp::TextDocumentSyncKind::Incremental),
                save: Some(lsp::Save::Bool(true)),
                ..lsp::TextDocumentSyncOptions::default()
            })),
            hover_provider: Some(lsp::HoverProvider::Bool(true)),
            definition_provider: Some(lsp::DefinitionProvider::Bool(true)),
            references_provider: Some(lsp::ReferencesProvider::Bool(true)),
            document_highlight_provider: Some(lsp::DocumentHighlightProvider::Bool(true)),
            document_formatting_provider: Some(lsp::DocumentFormattingProvider::Bool(true)),
            document_symbol_provider: Some(lsp::DocumentSymbolProvider::Bool(true)),
            completion_provider: Some(lsp::CompletionOptions {
                trigger_characters: Some([".", "|", "\"", "(", "{"].map(str::to_owned).to_vec()),
                ..lsp::CompletionOptions::default()
            }),
            rename_provider: Some(lsp::RenameProvider::RenameOptions(lsp::RenameOptions {
                prepare_provider: Some(true),
                ..lsp::RenameOptions::default()
            })),
            code_action_provider: Some(lsp::CodeActionProvider::CodeActionOptions(lsp::CodeActionOptions {
                code_action_kinds: Some(vec![lsp::CodeActionKind::QuickFix]),
                ..lsp::CodeActionOptions::default()
            })),
            code_lens_provider: Some(lsp::CodeLensOptions::default()),
            execute_command_provider: Some(lsp::ExecuteCommandOptions {
                commands: vec![run::RUN.to_owned()],
                ..lsp::ExecuteCommandOptions::default()
            }),
            ..lsp::ServerCapabilities::default()
        }
    }

    fn notification(&mut self, n: Notification) {
        // A notification has no answer: one that cannot be read is passed over.
        match n.method.as_str() {
            "textDocument/didOpen" => {
                let Ok(params) = parsed::<lsp::DidOpenTextDocumentParams>(n.params) else { return };
                let item = params.text_document;
                let opened = self.buffers.open(item.uri, item.version, item.text);
                self.texts_changed(opened);
            }
            "textDocument/didChange" => {
                let Ok(params) = parsed::<lsp::DidChangeTextDocumentParams>(n.params) else { return };
                let document = params.text_document;
                let changed = self.buffers.change(
                    &document.text_document_identifier.uri,
                    document.version,
                    params.content_changes,
                    self.encoding,
                );
                self.texts_changed(changed);
            }
            "textDocument/didSave" => {
                let Ok(params) = parsed::<lsp::DidSaveTextDocumentParams>(n.params) else { return };
                if let Some(path) = path_of(&params.text_document.uri) {
                    // What was saved is what is open; only files that are not open can have become others.
                    self.saved = true;
                    self.focus = Some(path);
                }
            }
            "textDocument/didClose" => {
                let Ok(params) = parsed::<lsp::DidCloseTextDocumentParams>(n.params) else { return };
                let closed = self.buffers.close(&params.text_document.uri);
                self.texts_changed(closed);
            }
            "workspace/didChangeWatchedFiles" => {
                let Ok(params) = parsed::<lsp::DidChangeWatchedFilesParams>(n.params) else { return };
                for path in params.changes.iter().filter_map(|c| path_of(&c.uri)) {
                    self.books.touch(&path);
                }
            }
            _ => {}
        }
    }

    fn texts_changed(&mut self, path: Option<PathBuf>) {
        let Some(path) = path else { return };
        match self.buffers.get(&path) {
            Some(buffer) => self.overlay.put(&path, buffer.text.clone()),
            None => self.overlay.remove(&path),
        }
        self.books.meet(&path);
        self.books.touch(&path);
        self.changed.insert(path.clone());
        self.focus = Some(path);
    }

    /// Looks again at the rulebooks whose texts changed, and tells what was found.
    fn refresh(&mut self) {
        let looked = self.books.refresh(&self.overlay, self.focus.as_deref());
        for manifest in looked {
            self.tell(&manifest);
        }
        // Open texts that belong to no rulebook.
        let changed = std::mem::take(&mut self.changed);
        for path in changed {
            self.publish(&path, true);
        }
    }

    /// Tells the findings of one rulebook.
    fn tell(&mut self, manifest: &Path) {
        let Some(book) = self.books.all.get(manifest) else { return };
        let shown = match &book.draft {
            Some(draft) => {
                let all = draft.findings.iter().chain(&book.analysed);
                findings::by_file(draft, all, self.encoding, self.docs.as_deref())
            }
            None => findings::unreadable(manifest, book.unreadable.as_deref().unwrap_or_default()),
        };
        let mut files: BTreeSet<PathBuf> = shown.keys().cloned().collect();
        if let Some(before) = self.shown.insert(manifest.to_owned(), shown) {
            files.extend(before.into_keys());
        }
        for path in files {
            let changed = self.changed.remove(&path);
            self.publish(&path, changed);
        }
    }

    /// Tells the findings of one file, if they are others than before, or if its text is another.
    fn publish(&mut self, path: &Path, changed: bool) {
        let mut all: Vec<lsp::Diagnostic> = Vec::new();
        let known = self.shown.values().any(|files| files.contains_key(path));
        if !known && self.buffers.get(path).is_some() {
            all.push(findings::homeless());
        }
        for finding in self.shown.values().filter_map(|files| files.get(path)).flatten() {
            if !all.contains(finding) {
                all.push(finding.clone());
            }
        }
        let buffer = self.buffers.get(path);
        let before = self.published.get(path).map(Vec::as_slice).unwrap_or_default();
        if !changed && before == all {
            return;
        }
        let params = lsp::PublishDiagnosticsParams {
            uri: buffer.map_or_else(|| uri_of(path), |b| b.uri.clone()),
            version: buffer.map(|b| b.version),
            diagnostics: all.clone(),
        };
        self.notify("textDocument/publishDiagnostics", params);
        self.published.insert(path.to_owned(), all);
    }
}

fn parsed<P: DeserializeOwned>(params: Json) -> Result<P, Refused> {
    serde_json::from_value(params)
        .map_err(|error| Refused { code: ErrorCode::InvalidParams, message: error.to_string() })
}

fn json(result: impl Serialize) -> Result<Json, Refused> {
    serde_json::to_value(result)
        .map_err(|error| Refused { code: ErrorCode::InternalError, message: error.to_string() })
}
