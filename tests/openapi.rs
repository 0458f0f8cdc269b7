//! The API's description is the one that is committed, and names every address that the server has.
//! `ZHANGGUI_BLESS=1` writes it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use zhanggui::server::{ROUTES, openapi};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn described() -> Value {
    serde_json::from_str(&openapi()).unwrap()
}

#[test]
fn the_description_is_committed() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    if std::env::var_os("ZHANGGUI_BLESS").is_some() {
        std::fs::write(&file, openapi()).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == openapi(), "docs/openapi.json is not what the code says; ZHANGGUI_BLESS=1 writes it");
}

#[test]
fn every_address_is_described_and_every_description_is_an_address() {
    let served: BTreeSet<(String, String)> = ROUTES
        .iter()
        .flat_map(|(path, methods)| methods.iter().map(|m| ((*path).to_owned(), (*m).to_owned())))
        .filter(|(_, method)| method != "head")
        .collect();
    let api = described();
    let paths = api["paths"].as_object().unwrap();
    let told: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(|m| (path.clone(), m.clone())))
        .filter(|(_, method)| METHODS.contains(&method.as_str()))
        .collect();
    assert_eq!(served, told);
}

#[test]
fn every_write_names_its_key_and_every_reference_leads_somewhere() {
    let api = described();
    let text = api.to_string();
    for (at, _) in text.match_indices("\"$ref\":\"#") {
        let name = text.split_at(at + 9).1.split('"').next().unwrap();
        assert!(api.pointer(name).is_some(), "{name}");
    }
    // What is answered without recording anything; and what an operator does, which is the same when done twice.
    let free = ["/v1/decisions/", "/v1/returns/evaluate", "/v1/plugins", "/v1/vendors/", "/v1/deliveries"];
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let keyed = parameters.iter().any(|p| p["name"] == "Idempotency-Key");
            let writes = method != "get" && !free.iter().any(|f| path.starts_with(f));
            assert_eq!(keyed, writes, "{method} {path}");
            for part in path.split('/').filter_map(|p| p.strip_prefix('{')?.strip_suffix('}')) {
                assert!(parameters.iter().any(|p| p["name"] == part && p["in"] == "path"), "{path}: {part}");
            }
        }
    }
}
