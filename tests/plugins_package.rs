//! Packages: what is packed is read back, and every way to cheat is seen.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
#[path = "plugins_package/archive.rs"]
mod archive;
#[path = "plugins_package/manifest.rs"]
mod manifest;
#[path = "plugins_package/trust.rs"]
mod trust;
use zhanggui::plugins::package::{Files, Keyring, Package, PackageError, SecretKey, TrustedKey};

const MANIFEST: &str = r#"id = "acme.score"
version = "1.2.0"
api = "0.1"
title = "A score"

[functions.score]
hook = "facts"
arguments = ["weight: whole"]
answers = "whole"
"#;

const CASE: &str = r#"{
  "name": "a light one",
  "hook": "facts",
  "call": {
    "key": "k1", "function": "score", "store": "s001", "now": 1780000000000, "today": "2026-05-29",
    "arguments": [{"path": "weight", "value": {"whole": 2}}]
  },
  "expect": {"value": {"whole": 3}},
  "fuel": 100000
}
"#;

/// A component that exports what it should, and nothing in it: enough for a package.
fn component() -> Vec<u8> {
    wat::parse_str(r#"(component (instance $i) (export "zhanggui:plugin/facts@0.1.0" (instance $i)))"#)
        .unwrap()
}

fn files() -> Files {
    [
        ("plugin.toml", MANIFEST.as_bytes().to_vec()),
        ("plugin.wasm", component()),
        ("README.md", b"# A score\n".to_vec()),
        ("cases/light.json", CASE.as_bytes().to_vec()),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .into()
}

fn package() -> Package {
    Package::make(files()).unwrap()
}

fn signed(key: &SecretKey) -> Package {
    let mut package = package();
    package.sign(key).unwrap();
    package
}

fn key(vendor: &str) -> SecretKey {
    SecretKey::generate(vendor).unwrap()
}

fn ring(keys: &[&SecretKey]) -> Keyring {
    let mut ring = Keyring::default();
    for key in keys {
        ring.add(TrustedKey { key: key.public(), since: None, revoked: None });
    }
    ring
}

fn refusal(bytes: &[u8]) -> String {
    Package::read(bytes).map(|p| p.file_name()).expect_err("it was taken").to_string()
}

#[test]
fn a_package_comes_back_as_it_was_packed() {
    let key = key("acme");
    let made = signed(&key);
    assert_eq!(made.file_name(), "acme.score-1.2.0.zgp");
    let bytes = made.bytes().unwrap();
    let read = Package::read(&bytes).unwrap();
    assert_eq!(read.manifest, made.manifest);
    assert_eq!(read.component, component());
    assert_eq!(read.readme, "# A score\n");
    assert_eq!(read.cases, made.cases);
    assert_eq!(read.cases[0].0, "cases/light.json");
    assert_eq!(read.cases[0].1.name, "a light one");
    assert_eq!((read.digest.len(), &read.digest), (64, &made.digest));
    assert_eq!(read.shape.exports, ["zhanggui:plugin/facts@0.1.0"]);
    assert_eq!(read.signed_by(), Some(key.public().id().as_str()));
    assert_eq!(read.bytes().unwrap(), bytes);
}

#[test]
fn the_same_files_are_the_same_bytes_and_a_signature_changes_no_digest() {
    assert_eq!(package().bytes().unwrap(), package().bytes().unwrap());
    let key = key("acme");
    assert_eq!(signed(&key).bytes().unwrap(), signed(&key).bytes().unwrap());
    assert_eq!(signed(&key).digest, package().digest);
    let mut others = files();
    others.insert("README.md".to_owned(), b"# Another\n".to_vec());
    assert_ne!(Package::make(others).unwrap().digest, package().digest);
}

#[test]
fn what_is_not_a_whole_package_is_not_packed() {
    for name in ["plugin.toml", "plugin.wasm", "README.md", "cases/light.json"] {
        let mut files = files();
        files.remove(name);
        assert!(matches!(Package::make(files), Err(PackageError::Missing(_))), "{name}");
    }
    for name in [
        "src/lib.rs",
        "cases/../x.json",
        "cases/a/b.json",
        "cases/.json",
        "SIGNATURE",
        "SHA256SUMS",
        "/plugin.toml",
    ] {
        let mut files = files();
        files.insert(name.to_owned(), b"x".to_vec());
        assert!(matches!(Package::make(files), Err(PackageError::Stray(n)) if n == name), "{name}");
    }
    let with = |name: &str, bytes: &[u8]| {
        let mut files = files();
        files.insert(name.to_owned(), bytes.to_vec());
        Package::make(files).expect_err("it was packed").to_string()
    };
    let wat = |text: &str| wat::parse_str(text).unwrap();
    for (name, bytes, said) in [
        ("plugin.wasm", b"\0asm\x01\0\0\0".to_vec(), "core module"),
        ("plugin.wasm", b"\0asm\x0d\0\x01\0\x0b".to_vec(), "plugin.wasm: it is broken: "),
        ("plugin.wasm", Vec::new(), "plugin.wasm: "),
        ("plugin.wasm", wat("(component)"), "the manifest has the hook facts"),
        (
            "plugin.wasm",
            wat(r#"(component (import "zhanggui:plugin/kv@0.1.0" (instance))
                (instance $i) (export "zhanggui:plugin/facts@0.1.0" (instance $i)))"#),
            "it imports kv, and the manifest does not ask for it",
        ),
        (
            "plugin.wasm",
            wat(r#"(component (import "wasi:clocks/wall-clock@0.2.0" (instance))
                (instance $i) (export "zhanggui:plugin/facts@0.1.0" (instance $i)))"#),
            "it imports wasi:clocks/wall-clock@0.2.0, which the contract does not have",
        ),
        ("README.md", vec![0xff, 0xfe], "README.md is not UTF-8"),
        ("README.md", vec![b'x'; (256 << 10) + 1], "README.md is too large"),
        (
            "cases/light.json",
            CASE.replace("\"score\"", "\"skore\"").into_bytes(),
            "the manifest has no function \"skore\" (known: score)",
        ),
        (
            "cases/light.json",
            CASE.replace("\"facts\"", "\"check\"").into_bytes(),
            "hook: score is a function of the hook facts",
        ),
        (
            "cases/light.json",
            CASE.replace("\"whole\": 2", "\"float\": 2").into_bytes(),
            "call.arguments[0].value",
        ),
        ("cases/light.json", CASE.replace("\"fuel\"", "\"fule\"").into_bytes(), "unknown field `fule`"),
        ("cases/light.json", format!("{CASE} {{}}").into_bytes(), "trailing characters"),
    ] {
        let message = with(name, &bytes);
        assert!(message.contains(said), "{said}: {message}");
    }
}
