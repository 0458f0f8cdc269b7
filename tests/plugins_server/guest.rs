//! Guests of a few lines, as text: one that answers a number, one that counts in its own store, one that asks a server,
//! one that hands events on, one that falls over them.
use std::path::Path;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A component, and a case that it passes.
pub struct Guest {
    pub wasm: Vec<u8>,
    pub case: String,
}

/// A case of `score`, or of an event: what the server answers, if it is asked, and what is expected.
pub fn case(function: &str, responses: &str, expect: &str) -> String {
    let hook = if function == "score" { "facts" } else { "notify" };
    format!(
        r#"{{"name": "one", "hook": "{hook}", "responses": {responses}, "expect": {expect},
            "call": {{"key": "k", "function": "{function}", "store": "s", "now": 1, "today": "2026-11-22"}}}}"#
    )
}

fn score(wasm: Vec<u8>, n: i64) -> Guest {
    Guest { wasm, case: case("score", "[]", &format!(r#"{{"value": {{"whole": {n}}}}}"#)) }
}

/// What every guest has: memory, a heap that only grows, an empty plan at 16.
const BASE: &str = r#"(module
  IMPORTS
  (memory (export "memory") 4)
  (global $free (mut i32) (i32.const 16384))
  (func (export "cabi_realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and
      (i32.add (global.get $free) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  (func (export "zhanggui:plugin/HOOK@0.1.0#plan") (param $call i32) (result i32) PLAN (i32.const 16))
  (func (export "zhanggui:plugin/HOOK@0.1.0#decide") (param $call i32) (result i32) DECIDE (i32.const 64))
  DATA
)"#;

const NO_KV: &str = "";
const KV: &str = r#"
  (import "zhanggui:plugin/kv@0.1.0" "set" (func $set (param i32 i32 i32 i32 i32 i32 i32)))
  (import "zhanggui:plugin/kv@0.1.0" "get" (func $get (param i32 i32 i32)))"#;

fn build(hook: &str, imports: &str, plan: &str, decide: &str, data: &str) -> Vec<u8> {
    let text = BASE
        .replace("HOOK", hook)
        .replace("IMPORTS", imports)
        .replace("PLAN", plan)
        .replace("DECIDE", decide)
        .replace("DATA", data);
    let mut core = wat::parse_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/wit/0.1.0");
    let (package, _) = resolve.push_dir(&wit).unwrap();
    let world = resolve.select_world(&[package], Some(&format!("{hook}-plugin"))).unwrap();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).unwrap();
    let mut encoder = ComponentEncoder::default().validate(true).module(&core).unwrap();
    encoder.encode().unwrap()
}

/// `answer(whole(n))`, n on the stack.
fn whole(n: &str) -> String {
    format!("(i32.store8 offset=16 (i32.const 64) (i32.const 2)) (i64.store offset=24 (i32.const 64) {n})")
}

/// Answers a number.
pub fn says(n: i64) -> Guest {
    score(build("facts", NO_KV, "", &whole(&format!("(i64.const {n})")), ""), n)
}

/// Answers a number, and takes long to compile.
pub fn large(n: i64) -> Guest {
    let work = "(local.set 0 (i64.rotl (i64.mul (local.get 0) (i64.const 977)) (i64.const 13)))".repeat(3000);
    let functions: String =
        (0..60).map(|_| format!("(func (param i64) (result i64) {work} (local.get 0))\n")).collect();
    score(build("facts", NO_KV, "", &whole(&format!("(i64.const {n})")), &functions), n)
}

/// Never answers.
pub fn loops() -> Guest {
    score(build("facts", NO_KV, "", "(loop $again (br $again))", ""), 1)
}

/// Answers how often it was asked, which it keeps in its store.
pub fn counts() -> Guest {
    let decide = format!(
        r#"(local $n i32)
    (call $get (i32.const 1024) (i32.const 1) (i32.const 128))
    (if (i32.load8_u (i32.const 128)) (then (local.set $n (i32.load8_u (i32.load offset=4 (i32.const 128))))))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (i32.store8 (i32.const 144) (local.get $n))
    (call $set (i32.const 1024) (i32.const 1) (i32.const 144) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 160))
    {}"#,
        whole("(i64.extend_i32_u (local.get $n))")
    );
    score(build("facts", KV, "", &decide, r#"(data (i32.const 1024) "n")"#), 1)
}

/// A 32-bit number as bytes of a data segment.
fn word(n: usize) -> String {
    (n as u32).to_le_bytes().iter().map(|b| format!("\\{b:02x}")).collect()
}

/// Texts in the guest's memory from 1024 on, and where each stands.
struct Texts {
    data: String,
    next: usize,
}

impl Texts {
    fn put(&mut self, text: &str) -> String {
        let at = self.next;
        self.data.push_str(&format!("(data (i32.const {at}) {text:?})\n"));
        self.next += text.len();
        format!("{}{}", word(at), word(text.len()))
    }
}

/// One request with one header, at 4096 and 6144; the header's value is left open (6152).
fn request(method: &str, url: &str, header: &str) -> String {
    let mut texts = Texts { data: String::new(), next: 1024 };
    let (name, method, url, header) = (texts.put("r"), texts.put(method), texts.put(url), texts.put(header));
    let headers = format!("{}{}", word(6144), word(1));
    let rest = word(0).repeat(6);
    format!(
        "{}(data (i32.const 4096) \"{name}{method}{url}{headers}{rest}\")\n(data (i32.const 6144) \"{header}\")",
        texts.data
    )
}

const PLAN_ONE: &str =
    "(i32.store offset=4 (i32.const 16) (i32.const 4096)) (i32.store offset=8 (i32.const 16) (i32.const 1))";

/// Answers the status that a server gives to a GET: 0 if it was denied, 1 for another failure. The header `x-secret` asks
/// for the secret `token`.
pub fn asks(url: &str) -> Guest {
    let secret = "{{secret:token}}";
    let data = request("GET", url, "x-secret")
        + &format!(
            "(data (i32.const 6152) \"{}{}\")\n(data (i32.const 8192) {secret:?})",
            word(8192),
            word(secret.len())
        );
    let decide = format!(
        r#"(local $r i32)
    (local.set $r (i32.load offset=80 (local.get $call)))
    {}
    (if (i32.eqz (i32.load8_u offset=8 (local.get $r)))
      (then (i64.store offset=24 (i32.const 64) (i64.extend_i32_u (i32.load16_u offset=12 (local.get $r)))))
      (else (if (i32.eqz (i32.load8_u offset=12 (local.get $r)))
        (then (i64.store offset=24 (i32.const 64) (i64.const 0))))))"#,
        whole("(i64.const 1)")
    );
    let wasm = build("facts", NO_KV, PLAN_ONE, &decide, &data);
    Guest { wasm, case: case("score", r#"[{"r": {"status": 201}}]"#, r#"{"value": {"whole": 201}}"#) }
}

/// Hands events on by POST, with the call's key in the header `x-key`: 2xx is delivered, 400 rejected, the rest is for
/// later.
pub fn tells(url: &str) -> Guest {
    let data = request("POST", url, "x-key") + "\n(data (i32.const 8192) \"no\")";
    let plan = format!(
        "(i32.store offset=8 (i32.const 6144) (i32.load (local.get $call)))
    (i32.store offset=12 (i32.const 6144) (i32.load offset=4 (local.get $call)))
    {PLAN_ONE}"
    );
    let decide = r#"(local $r i32) (local $s i32)
    (local.set $r (i32.load offset=80 (local.get $call)))
    ;; retry-later(none)
    (i32.store8 offset=4 (i32.const 64) (i32.const 1))
    (if (i32.eqz (i32.load8_u offset=8 (local.get $r)))
      (then
        (local.set $s (i32.load16_u offset=12 (local.get $r)))
        (if (i32.eq (i32.div_u (local.get $s) (i32.const 100)) (i32.const 2))
          (then (i32.store8 offset=4 (i32.const 64) (i32.const 0))))
        (if (i32.eq (local.get $s) (i32.const 400))
          (then
            (i32.store8 offset=4 (i32.const 64) (i32.const 2))
            (i32.store offset=8 (i32.const 64) (i32.const 8192))
            (i32.store offset=12 (i32.const 64) (i32.const 2))))))"#;
    let wasm = build("notify", NO_KV, &plan, decide, &data);
    Guest { wasm, case: case("member.enrolled", r#"[{"r": {"status": 201}}]"#, r#""delivered""#) }
}

/// Takes the event of its case, whose key is short; logs and falls over every other.
pub fn faints() -> Guest {
    let decide = r#"(if (i32.gt_u (i32.load offset=4 (local.get $call)) (i32.const 8))
      (then (call $log (i32.const 2) (i32.const 1024) (i32.const 5)) (unreachable)))"#;
    let log = r#"(import "zhanggui:plugin/logging@0.1.0" "log" (func $log (param i32 i32 i32)))"#;
    let wasm = build("notify", log, "", decide, r#"(data (i32.const 1024) "dizzy")"#);
    Guest { wasm, case: case("member.enrolled", "[]", r#""delivered""#) }
}

/// Answers a number with so many pages of memory more.
pub fn grows(n: i64, pages: u32) -> Guest {
    let more = format!("(if (i32.eq (memory.grow (i32.const {pages})) (i32.const -1)) (then (unreachable)))");
    score(build("facts", NO_KV, "", &format!("{more}\n{}", whole(&format!("(i64.const {n})"))), ""), n)
}
