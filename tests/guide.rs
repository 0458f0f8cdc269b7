//! Every example of the guide and of the cookbook is run.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
#[path = "guide/book.rs"]
mod book;

use book::{Block, Book, blocks};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

const BINARY: &str = env!("CARGO_BIN_EXE_zhanggui");

fn run(folder: &Path, command: &str) -> String {
    let own = Path::new(BINARY).parent().unwrap();
    let path = format!("{}:{}", own.display(), std::env::var("PATH").unwrap());
    let script = format!("exec 2>&1; {command}");
    let done =
        Command::new("sh").args(["-c", &script]).current_dir(folder).env("PATH", path).output().unwrap();
    String::from_utf8(done.stdout).unwrap()
}

/// Lines without what follows them invisibly.
fn trimmed(text: &str) -> String {
    text.trim().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn check_page(page: &str, file: &str) -> usize {
    let all = blocks(page);
    let mut books: BTreeMap<String, Book> = BTreeMap::new();
    let mut wrong: Vec<String> = Vec::new();
    let mut examples = 0;
    for (at, block) in all.iter().enumerate() {
        let place = format!("{file}:{}", block.line);
        let Some(name) = block.words.first().cloned() else { continue };
        match block.kind.as_str() {
            "vocab" | "policy" | "cases" | "toml" | "csv" => {
                if let Some(base) = block.words.iter().find_map(|w| w.strip_prefix("from=")) {
                    let base =
                        books.get(base).unwrap_or_else(|| panic!("{place}: no rulebook {base}")).clone();
                    books.insert(name.clone(), base);
                }
                let book = books.entry(name.clone()).or_default();
                if block.words.iter().any(|w| w == "wrong") {
                    let mut broken = book.clone();
                    broken.add(&name, block);
                    let said = all.get(at + 1).filter(|b| b.kind == "text");
                    let said = said.unwrap_or_else(|| panic!("{place}: what does check say of this?"));
                    wrong.extend(check_wrong(&broken, &name, said, &place));
                } else {
                    book.add(&name, block);
                }
                examples += 1;
            }
            "console" => {
                let book = books.get(&name).unwrap_or_else(|| panic!("{place}: no rulebook {name}"));
                wrong.extend(console(book, &name, block, &place));
                examples += 1;
            }
            _ => {}
        }
    }
    for (name, book) in &books {
        wrong.extend(check_whole(book, name, file));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    examples
}

fn check_wrong(book: &Book, name: &str, said: &Block, place: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    book.write(name, &folder.path().join(name));
    let got = run(folder.path(), &format!("zhanggui check {name}"));
    let expected = trimmed(&said.text);
    (!trimmed(&got).contains(&expected)).then(|| format!("{place}: check says\n{got}\nand not\n{expected}"))
}

/// `$ command` lines, each followed by what it prints.
fn console(book: &Book, name: &str, block: &Block, place: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    book.write(name, &folder.path().join(name));
    for part in block.text.split("$ ").skip(1) {
        let mut lines = part.lines();
        let mut command = lines.next().unwrap().to_owned();
        while command.ends_with('\\') {
            command.push('\n');
            command.push_str(lines.next().unwrap());
        }
        let expected = trimmed(&lines.collect::<Vec<_>>().join("\n"));
        let got = trimmed(&run(folder.path(), &command));
        if got != expected {
            return Some(format!("{place}: `{command}` prints\n{got}\nand not\n{expected}"));
        }
    }
    None
}

/// A rulebook of the page has no findings, and its cases pass.
fn check_whole(book: &Book, name: &str, file: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    book.write(name, &folder.path().join(name));
    let checked = run(folder.path(), &format!("zhanggui check {name}"));
    if !checked.contains(" 0 errors, 0 warnings") {
        return Some(format!("{file}, {name}: {checked}"));
    }
    let tested = run(folder.path(), &format!("zhanggui test {name}"));
    (!tested.contains(" 0 failed")).then(|| format!("{file}, {name}: {tested}"))
}

#[test]
fn the_guide_is_true() {
    let examples = check_page(include_str!("../docs/language.md"), "docs/language.md");
    assert!(examples >= 25, "{examples} examples");
}

#[test]
fn the_cookbook_is_true() {
    let page = include_str!("../docs/cookbook.md");
    let recipes = page.lines().filter(|l| l.starts_with("### ")).count();
    assert_eq!(recipes, 30);
    check_page(page, "docs/cookbook.md");
}
