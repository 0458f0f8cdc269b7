//! The pages of the findings: each code has one, and the examples on it do what the page says.
//!
//! `ZHANGGUI_BLESS=1` writes the messages and the list of pages anew.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use zhanggui::analysis::analyse;
use zhanggui::lang::diagnostic::{Diagnostic, Severity};
use zhanggui::lang::pages::PAGES;
use zhanggui::rulebook::load;

/// Codes without an example that a page could show, and why.
const UNSHOWN: [(&str, &str); 5] = [
    ("E0100", "the text would be larger than the page"),
    ("E0417", "without `then` a rule cannot be read at all (E0101), so this stands behind it only"),
    ("E0805", "the file would be larger than the page"),
    ("E0812", "it takes a plugin's manifest beside the rulebook; `tests/plugins_policies.rs` has it"),
    ("N0701", "what is not found out today may be found out by a better search"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// Whether a text is a code: a letter and four figures.
fn is_code(text: &str) -> bool {
    text.len() == 5
        && text.starts_with(['E', 'W', 'N'])
        && text[1..].bytes().all(|b| b.is_ascii_digit())
        && text != "E0999"
}

/// The codes that stand between quotes in the program.
fn emitted() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let mut codes = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let pages = file.ends_with("src/lang/pages.rs");
        codes.extend(text.split('"').filter(|part| !pages && is_code(part)).map(str::to_owned));
    }
    codes
}

/// The part of a page between two lines that begin so.
struct Block {
    /// `policy`, `vocab`, `cases`, `toml`, `csv NAME`, `text`.
    kind: String,
    right: bool,
    text: String,
    /// Where the text stands in the page.
    at: std::ops::Range<usize>,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(open) = page[from..].find("```") {
        let info = from + open + 3;
        let start = info + page[info..].find('\n').unwrap() + 1;
        let end = start + page[start..].find("```").unwrap();
        let head = page[info..start].trim();
        let (kind, right) = match head.rsplit_once(' ') {
            Some((kind, "wrong")) => (kind, false),
            Some((kind, "right")) => (kind, true),
            _ => (head, false),
        };
        found.push(Block { kind: kind.into(), right, text: page[start..end].into(), at: start..end });
        from = end + 3;
    }
    found
}

/// `\u{202E}` and `\xC4` stand for signs and bytes that a page cannot show.
fn decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend(rest[..at].bytes());
        rest = &rest[at..];
        if let Some((code, after)) = rest.strip_prefix("\\u{").and_then(|r| r.split_once('}')) {
            let sign = char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap();
            out.extend(sign.to_string().bytes());
            rest = after;
        } else if let Some(after) = rest.strip_prefix("\\x") {
            out.push(u8::from_str_radix(&after[..2], 16).unwrap());
            rest = &after[2..];
        } else {
            out.push(b'\\');
            rest = &rest[1..];
        }
    }
    out.extend(rest.bytes());
    out
}

/// Whether a code is of the analysis, which looks at what the whole rulebook does.
fn from_analysis(code: &str) -> bool {
    code.starts_with("W06") || code.starts_with("N07")
}

/// What is found in an example: the shop of `docs/diagnostics/shop` with the blocks in their places.
fn found(blocks: &[&Block], analysed: Option<&str>) -> Vec<Diagnostic> {
    let dir = tempfile::tempdir().unwrap();
    let shop = root().join("docs/diagnostics/shop");
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let vocabulary = fs::read(shop.join("shop.vocab")).unwrap();
    let mut manifest = fs::read_to_string(shop.join("rulebook.toml")).unwrap();
    let mut policy = false;
    for block in blocks {
        let text = decoded(&block.text);
        match block.kind.as_str() {
            "policy" => {
                let headed = ["policy ", "library "].iter().any(|head| block.text.starts_with(head));
                let head = "policy shop.main decides return_item\n  layer chain shop\n";
                let head = if headed { "" } else { head };
                put("main.policy", &[head.as_bytes(), &text].concat());
                policy = true;
            }
            "vocab" => {
                put("more.vocab", &text);
                manifest = manifest.replace("\"shop.vocab\"", "\"shop.vocab\", \"more.vocab\"");
            }
            "cases" => put("shop.cases", &text),
            "toml" => manifest = block.text.clone(),
            other => match other.split_once(' ') {
                Some((_, name)) => put(name, &text),
                None => panic!("what is ```{other}?"),
            },
        }
    }
    put("shop.vocab", &vocabulary);
    put("rulebook.toml", manifest.as_bytes());
    if !policy {
        put(
            "main.policy",
            b"policy shop.main decides return_item\n  layer chain shop\nrule opened when item.opened then deny\n",
        );
    }
    let mut loaded = load(dir.path()).unwrap();
    if let Some(more) = loaded.rulebooks.as_ref().filter(|_| analysed.is_some()).map(analyse) {
        loaded.add_analysis(more);
        // Other questions of the analysis about the same place are not the page's point.
        loaded.findings.retain(|d| Some(d.code) == analysed || !from_analysis(d.code));
    }
    // Where the example lies is not its point.
    let here = format!("{}/", dir.path().display());
    for d in &mut loaded.findings {
        d.message = d.message.replace(&here, "policies/");
    }
    loaded.findings
}

/// A finding as a page shows it.
fn shown(d: &Diagnostic) -> String {
    let severity = match d.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut text = format!("{severity}[{}]: {}\n", d.code, d.message);
    if !d.label.is_empty() {
        text.push_str(&format!("here: {}\n", d.label));
    }
    for note in &d.notes {
        text.push_str(&format!("there: {}\n", note.text));
    }
    if let Some(help) = &d.help {
        text.push_str(&format!("help: {help}\n"));
    }
    if let Some(change) = d.suggestion.as_ref() {
        let fix = if change.certain { " (`--fix` does it)" } else { "" };
        let what = if change.replacement.trim().is_empty() { "nothing" } else { change.replacement.trim() };
        text.push_str(&format!("write: {what}{fix}\n"));
    }
    text
}

/// The wrong example has exactly the finding that the page shows, the right one has none.
#[test]
fn every_page_shows_its_finding() {
    let bless = std::env::var_os("ZHANGGUI_BLESS").is_some();
    let mut wrong = Vec::new();
    for (code, _) in PAGES {
        let file = root().join(format!("docs/diagnostics/{code}.md"));
        let page = fs::read_to_string(&file).unwrap();
        if !page.starts_with(&format!("# {code}: ")) {
            wrong.push(format!("{code}: the page does not begin with `# {code}: …`"));
        }
        let blocks = blocks(&page);
        if let Some((_, why)) = UNSHOWN.iter().find(|(unshown, _)| unshown == code) {
            assert!(blocks.is_empty(), "{code} has an example after all, although {why}");
            continue;
        }
        // What the analysis says of an example is not its point, unless the page is about the analysis.
        let analysed = Some(*code).filter(|code| from_analysis(code));
        let side = |right: bool| -> Vec<&Block> {
            blocks.iter().filter(|b| b.kind != "text" && b.right == right).collect()
        };
        if side(false).is_empty() || side(true).is_empty() {
            wrong.push(format!("{code}: the page has no wrong or no right example"));
            continue;
        }
        let got = found(&side(false), analysed);
        let text: String = got.iter().map(shown).collect();
        if got.len() != 1 || got.iter().any(|d| d.code != *code) {
            wrong.push(format!("{code}: the wrong example gives\n{text}"));
        }
        let good = found(&side(true), analysed);
        if !good.is_empty() {
            let text: String = good.iter().map(shown).collect();
            wrong.push(format!("{code}: the right example gives\n{text}"));
        }
        let Some(message) = blocks.iter().find(|b| b.kind == "text") else {
            wrong.push(format!("{code}: the page does not show the message"));
            continue;
        };
        if bless {
            fs::write(&file, format!("{}{text}{}", &page[..message.at.start], &page[message.at.end..]))
                .unwrap();
        } else if message.text != text {
            wrong.push(format!("{code}: the page shows\n{}but the finding is\n{text}", message.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every code of the program has a page, every page a code, and the list of pages names them all.
#[test]
fn codes_and_pages_agree() {
    let known: BTreeSet<String> = PAGES.iter().map(|(code, _)| (*code).to_owned()).collect();
    let codes: Vec<&str> = PAGES.iter().map(|(code, _)| *code).collect();
    assert!(codes.is_sorted(), "the list of pages is searched by halves");
    assert_eq!(emitted(), known, "left: codes in src/, right: pages");
    let folder: BTreeSet<String> = fs::read_dir(root().join("docs/diagnostics"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".md").filter(|n| is_code(n)).map(str::to_owned))
        .collect();
    assert_eq!(folder, known);
    let list = root().join("docs/diagnostics/README.md");
    let text = fs::read_to_string(&list).unwrap();
    let (head, _) = text.split_once("| code |").unwrap();
    let rows: String = PAGES
        .iter()
        .map(|(code, page)| {
            let title = page.lines().next().unwrap().split_once(": ").unwrap().1;
            format!("| [{code}]({code}.md) | {title} |\n")
        })
        .collect();
    let want = format!("{head}| code | what it means |\n| --- | --- |\n{rows}");
    if std::env::var_os("ZHANGGUI_BLESS").is_some() {
        fs::write(&list, &want).unwrap();
    } else {
        assert!(text == want, "docs/diagnostics/README.md does not list the pages as they are");
    }
}

/// The words between quotes that look like codes of problems: `fact-type`.
fn kebab(text: &str, quote: char) -> BTreeSet<String> {
    let is = |part: &&str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_lowercase() || c == '-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.split(quote).filter(is).map(str::to_owned).collect()
}

/// Problems of the server have stable codes of one form, and 0003 lists exactly these.
#[test]
fn codes_of_problems_are_documented() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let facts = read("src/program/bind/error.rs");
    let facts = &facts[facts.find("pub fn code").unwrap()..facts.find("/// The first problem").unwrap()];
    let server = read("src/server/problem.rs");
    let server =
        &server[server.find("problems! {\n").unwrap()..server.find("/// A fault of the server").unwrap()];
    let (facts, server) = (kebab(facts, '"'), kebab(server, '"'));
    assert!(facts.len() >= 10 && server.len() >= 9, "{facts:?} {server:?}");
    let doc = read("docs/decisions/0003-json-and-http.md");
    let part = |from: &str, to: &str| {
        let start = doc.find(from).unwrap();
        &doc[start..start + doc[start..].find(to).unwrap()]
    };
    assert_eq!(kebab(part("with a stable code:", "\n\n"), '`'), facts);
    let table: String = part("| status | code |", "\n\n").lines().skip(2).collect::<Vec<_>>().join("\n");
    let listed: BTreeSet<String> =
        kebab(&table, '`').into_iter().filter(|code| code.contains('-') || server.contains(code)).collect();
    assert_eq!(listed, server);
}
