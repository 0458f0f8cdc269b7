//! A small guest with the contract's types, written as text so that no toolchain is needed: `score(weight)` is the weight
//! and one; from 100 on it asks a server and answers the status; 66 is a fault, and -1 takes for ever.
use std::path::Path;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The records of a call are laid out as the canonical ABI says: of the one pointer that comes in, the arguments' list
/// stands at 48, and the responses' at 80. An argument has its value's tag at 8 and its number at 16.
const CORE: &str = r#"(module
  (import "zhanggui:plugin/logging@0.1.0" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 4)
  (global $free (mut i32) (i32.const 8192))
  (func (export "cabi_realloc") (param $old i32) (param i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and
      (i32.add (global.get $free) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  (func $weight (param $call i32) (result i64)
    (i64.load offset=16 (i32.load offset=48 (local.get $call))))
  (func (export "zhanggui:plugin/facts@0.1.0#plan") (param $call i32) (result i32)
    (if (i64.ge_s (call $weight (local.get $call)) (i64.const 100))
      (then
        (i32.store offset=4 (i32.const 16) (i32.const 2048))
        (i32.store offset=8 (i32.const 16) (i32.const 1))))
    (i32.const 16))
  (func (export "zhanggui:plugin/facts@0.1.0#decide") (param $call i32) (result i32)
    (local $weight i64) (local $response i32)
    (local.set $weight (call $weight (local.get $call)))
    (call $log (i32.const 1) (i32.const 1024) (i32.const 7))
    (if (i64.eq (local.get $weight) (i64.const 66)) (then unreachable))
    (if (i64.eq (local.get $weight) (i64.const -1)) (then (loop $for_ever (br $for_ever))))
    ;; step: answer(whole)
    (i32.store8 offset=16 (i32.const 64) (i32.const 2))
    (i64.store offset=24 (i32.const 64) (i64.add (local.get $weight) (i64.const 1)))
    (if (i32.load offset=84 (local.get $call))
      (then
        (local.set $response (i32.load offset=80 (local.get $call)))
        (if (i32.load8_u offset=8 (local.get $response))
          (then
            ;; unavailable("away")
            (i32.store8 (i32.const 64) (i32.const 1))
            (i32.store8 offset=8 (i32.const 64) (i32.const 1))
            (i32.store offset=12 (i32.const 64) (i32.const 1040))
            (i32.store offset=16 (i32.const 64) (i32.const 4)))
          (else
            (i64.store offset=24 (i32.const 64)
              (i64.extend_i32_u (i32.load16_u offset=12 (local.get $response))))))))
    (i32.const 64))
  (data (i32.const 1024) "weighed\00\00\00\00\00\00\00\00\00away")
  (data (i32.const 1056) "rate")
  (data (i32.const 1064) "GET")
  (data (i32.const 1072) "https://api.acme.example/v1/rate")
  ;; one http-request: name, method, url, no headers, no body, no timeout, no cache
  (data (i32.const 2048)
    "\20\04\00\00\04\00\00\00\28\04\00\00\03\00\00\00\30\04\00\00\20\00\00\00"
    "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
)"#;

/// The component.
pub fn component() -> Vec<u8> {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/wit/0.1.0/plugin.wit");
    let mut resolve = Resolve::default();
    let package = resolve.push_source("plugin.wit", &std::fs::read_to_string(wit).unwrap()).unwrap();
    let world = resolve.select_world(&[package], Some("facts-plugin")).unwrap();
    let mut module = wat::parse_str(CORE).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let encoder = ComponentEncoder::default().validate(true).module(&module);
    encoder.unwrap().encode().unwrap()
}

pub const MANIFEST: &str = r#"id = "acme.score"
version = "1.2.0"
api = "0.1"
title = "A score"
language = "wat"

[functions.score]
hook = "facts"
arguments = ["weight: whole"]
answers = "whole"

[config.markup]
kind = "whole"
default = "1"

[[asks.http]]
scheme = "https"
host = "api.acme.example"
port = 443
path = "/v1/"
methods = ["GET"]
"#;

/// A case of a weight.
pub fn case(name: &str, weight: i64, responses: &str, expect: &str) -> String {
    format!(
        r#"{{
  "name": "{name}",
  "hook": "facts",
  "call": {{
    "key": "k1", "function": "score", "store": "s001", "now": 1780000000000, "today": "2026-05-29",
    "arguments": [{{"path": "weight", "value": {{"whole": {weight}}}}}]
  }},
  "responses": {responses},
  "expect": {expect},
  "fuel": 100000
}}
"#
    )
}
