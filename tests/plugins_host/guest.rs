//! Guests of a few lines: a core module as text, with the contract's types put on by the encoder.
use std::collections::BTreeMap;
use std::path::Path;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;
use zhanggui::plugins::contract::{Call, Field, Hook, Table, Value};
use zhanggui::plugins::manifest::{Asks, Function, HttpGrant, Manifest, Wishes};

/// What a test's guest is made of; see `tests/guests/wat/base.wat`.
#[derive(Clone)]
pub struct Guest {
    pub hook: Hook,
    pub plan: String,
    pub decide: String,
    pub imports: String,
    pub more: String,
}

/// Address of an empty plan.
pub const NO_REQUESTS: &str = "(i32.const 1024)";
/// Address of the answer `whole(7)`.
pub const SEVEN: &str = "(i32.const 2048)";
/// `log(level, address, length)` as `$log`.
pub const LOG: &str = r#"(import "zhanggui:plugin/logging@0.1.0" "log" (func $log (param i32 i32 i32)))"#;
/// `get(name, length, result)` as `$config`.
pub const CONFIG: &str =
    r#"(import "zhanggui:plugin/config@0.1.0" "get" (func $config (param i32 i32 i32)))"#;
/// `$set` (key, value, time to live, result), `$get` (key, result), `$delete` (key).
pub const KV: &str = r#"
(import "zhanggui:plugin/kv@0.1.0" "set" (func $set (param i32 i32 i32 i32 i32 i32 i32)))
(import "zhanggui:plugin/kv@0.1.0" "get" (func $get (param i32 i32 i32)))
(import "zhanggui:plugin/kv@0.1.0" "delete" (func $delete (param i32 i32)))"#;

impl Guest {
    /// A guest that answers `decide` so, and plans nothing.
    pub fn decides(decide: &str) -> Guest {
        Guest {
            hook: Hook::Facts,
            plan: NO_REQUESTS.to_owned(),
            decide: decide.to_owned(),
            imports: String::new(),
            more: String::new(),
        }
    }

    /// The one that behaves: 7.
    pub fn good() -> Guest {
        Guest::decides(SEVEN)
    }

    pub fn plans(mut self, plan: &str) -> Guest {
        self.plan = plan.to_owned();
        self
    }

    pub fn with(mut self, imports: &str, more: &str) -> Guest {
        self.imports.push_str(imports);
        self.more.push_str(more);
        self
    }

    pub fn of(mut self, hook: Hook) -> Guest {
        self.hook = hook;
        self
    }

    /// The component.
    pub fn wasm(&self) -> Vec<u8> {
        let text = include_str!("../guests/wat/base.wat")
            .lines()
            .filter(|l| !l.starts_with(";;"))
            .collect::<Vec<_>>()
            .join("\n")
            .replace("HOOK", self.hook.name())
            .replace("PLAN", &self.plan)
            .replace("DECIDE", &self.decide)
            .replace("IMPORTS", &self.imports)
            .replace("MORE", &self.more);
        component(wat::parse_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}")), self.hook)
    }
}

/// Puts the contract's types on a core module.
pub fn component(core: Vec<u8>, hook: Hook) -> Vec<u8> {
    try_component(core, hook).unwrap()
}

/// The same for modules that may not fit.
pub fn try_component(mut core: Vec<u8>, hook: Hook) -> Result<Vec<u8>, String> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/wit/0.1.0");
    let (package, _) = resolve.push_dir(&wit).unwrap();
    let world = resolve.select_world(&[package], Some(&format!("{}-plugin", hook.name()))).unwrap();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).unwrap();
    let encoder = ComponentEncoder::default().validate(true).module(&core).map_err(|e| format!("{e:#}"))?;
    { encoder }.encode().map_err(|e| format!("{e:#}"))
}

/// The manifest of `vendor.NAME` with one function `f` that answers `answers`, and asks for one host.
pub fn manifest(name: &str, hook: Hook, answers: &str) -> Manifest {
    let function = Function { hook, arguments: Vec::new(), answers: answers.to_owned(), reads: Vec::new() };
    let notify = hook == Hook::Notify;
    Manifest {
        id: format!("vendor.{name}"),
        version: "1.0.0".to_owned(),
        api: "0.1".to_owned(),
        title: name.to_owned(),
        language: None,
        source: None,
        functions: BTreeMap::from([("f".to_owned(), function)]).into_iter().filter(|_| !notify).collect(),
        events: if notify { vec!["f".to_owned()] } else { Vec::new() },
        config: BTreeMap::new(),
        asks: http(),
        wishes: Wishes::default(),
    }
}

/// `https://example.test/`, GET; no store.
pub fn http() -> Asks {
    let grant = HttpGrant {
        scheme: "https".to_owned(),
        host: "example.test".to_owned(),
        port: 443,
        path: "/".to_owned(),
        methods: vec!["GET".to_owned()],
        secrets: Vec::new(),
        private: false,
    };
    Asks { http: vec![grant], kv: 0 }
}

/// A call of `f` with so many lines.
pub fn call(lines: usize) -> Call {
    let field = |path: &str, value: Value| Field { path: path.to_owned(), value };
    let line = |n: usize| {
        vec![
            field("sku", Value::Text(format!("SKU-{n:05}"))),
            field("quantity", Value::Whole(1 + n as i64 % 3)),
            field("category", Value::Word("shoes".to_owned())),
        ]
    };
    Call {
        key: "k-1".to_owned(),
        function: "f".to_owned(),
        store: "SH-001".to_owned(),
        now: 1_782_000_000_000,
        today: "2026-07-01".to_owned(),
        seed: 1,
        arguments: vec![field("item", Value::Text("SKU-00001".to_owned()))],
        facts: vec![field("member.tier", Value::Word("gold".to_owned()))],
        tables: vec![Table { path: "lines".to_owned(), rows: (0..lines).map(line).collect() }],
        attributes: Vec::new(),
    }
}
