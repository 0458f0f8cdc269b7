//! The arrows between the rooms run one way, and no room knows what it must not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Each room of `src/`, and the rooms it may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("lang", &[]),
    ("program", &["lang"]),
    ("format", &["lang"]),
    ("rulebook", &["lang", "program"]),
    ("analysis", &["lang", "program", "rulebook"]),
    ("cases", &["lang", "program", "rulebook", "analysis"]),
    ("plugins", &[]),
    ("records", &[]),
    ("counter", &["lang", "program", "rulebook", "records", "plugins"]),
    ("server", &["lang", "program", "rulebook", "records", "counter", "plugins"]),
    ("compare", &["lang", "program", "rulebook", "analysis", "cases"]),
    ("lsp", &["lang", "program", "rulebook", "analysis", "cases", "format"]),
    ("show", &["lang", "program", "rulebook"]),
    ("drill", &[]),
    (
        "cli",
        &[
            "lang", "program", "rulebook", "records", "counter", "drill", "analysis", "cases", "server",
            "compare", "format", "lsp", "show", "plugins",
        ],
    ),
];

/// Crates that only one room may name.
const HOUSED: &[(&str, &str)] = &[
    ("pest", "lang/syntax"),
    ("actix_web", "server"),
    ("sea_orm_migration", "records"),
    ("rustls", "plugins/broker"),
    ("lsp_server", "lsp"),
    ("gen_lsp_types", "lsp"),
    ("clap", "cli"),
    ("annotate_snippets", "lang/diagnostic"),
    ("wasmtime", "plugins/host"),
];

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

fn all_sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    files
        .into_iter()
        .map(|f| {
            let name = f.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            (name, std::fs::read_to_string(&f).unwrap())
        })
        .collect()
}

/// The code of a file, comments left out.
fn code(text: &str) -> String {
    text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The names that follow `prefix`.
fn named_after(code: &str, prefix: &str) -> BTreeSet<String> {
    code.match_indices(prefix)
        .map(|(i, p)| {
            code[i + p.len()..].split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_string()
        })
        .filter(|n| !n.is_empty())
        .collect()
}

#[test]
fn arrows_run_one_way() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (file, text) in all_sources() {
        let room = file.split('/').next().unwrap();
        let Some((room, allowed)) = ROOMS.iter().find(|(r, _)| *r == room) else {
            assert!(["lib.rs", "main.rs"].contains(&file.as_str()), "{file} stands in no room");
            continue;
        };
        seen.insert(*room);
        for used in named_after(&code(&text), "crate::") {
            if used != *room && ROOMS.iter().any(|(r, _)| *r == used) && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{file} uses {used}"));
            }
        }
    }
    assert_eq!(seen.len(), ROOMS.len(), "rooms seen: {seen:?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn crates_stay_in_their_room() {
    let mut wrong = Vec::new();
    for (file, text) in all_sources() {
        for (name, home) in HOUSED {
            if code(&text).contains(&format!("{name}::")) && !file.starts_with(home) {
                wrong.push(format!("{file} names {name}, which lives in {home}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_stay_readable() {
    let long: Vec<String> = all_sources()
        .into_iter()
        .map(|(f, t)| (f, t.lines().count()))
        .filter(|(_, n)| *n > 600)
        .map(|(f, n)| format!("{f}: {n} lines"))
        .collect();
    assert!(long.is_empty(), "rebuild the room: {long:#?}");
}
