//! The tour of docs/counter.md, taken: every request is sent, every answer is the one that is shown.
//! `…` stands for anything, `$NAME` for what an earlier step named so. `ZHANGGUI_BLESS=1` writes the answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
mod common;
use common::till::Till;
use common::{each_database, eventually};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

type Named = BTreeMap<String, String>;

/// A command of the tour: a request, and what is made of the answer.
#[derive(Debug, Default)]
struct Step {
    /// `NAME=$(… | jq -r .path)`.
    name: Option<String>,
    method: Option<String>,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    /// Whether `tee` shows the whole answer although only a part of it is kept.
    whole: bool,
    part: Option<String>,
}

/// The words of a command as a shell has them: quotes, and names in double quotes or in none.
fn words(text: &str, named: &Named) -> Vec<String> {
    let (mut words, mut word, mut began) = (Vec::new(), String::new(), false);
    let (mut single, mut double) = (false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' if !double => (single, began) = (!single, true),
            '"' if !single => (double, began) = (!double, true),
            '\\' if !single => {
                if chars.next_if_eq(&'\n').is_none() {
                    word.extend(chars.next());
                }
            }
            '$' if !single => {
                let mut name = String::new();
                while let Some(c) = chars.next_if(|c| c.is_ascii_uppercase() || *c == '_') {
                    name.push(c);
                }
                word.push_str(named.get(&name).unwrap_or_else(|| panic!("${name} is not named: {text}")));
                began = true;
            }
            c if c.is_whitespace() && !single && !double => {
                if began {
                    words.push(std::mem::take(&mut word));
                }
                began = false;
            }
            c => {
                word.push(c);
                began = true;
            }
        }
    }
    assert!(!single && !double, "a quote is open: {text}");
    if began {
        words.push(word);
    }
    words
}

fn step(text: &str, named: &Named) -> Step {
    let mut step = Step::default();
    let mut text = text.trim();
    if let Some((name, rest)) = text.split_once("=$(")
        && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    {
        step.name = Some(name.to_owned());
        text = rest.strip_suffix(')').expect("a closing bracket");
    }
    let words = words(text, named);
    let mut words = words.into_iter();
    assert_eq!(words.next().as_deref(), Some("curl"), "{text}");
    while let Some(word) = words.next() {
        let mut next = || words.next().expect("a word");
        match word.as_str() {
            "-s" => {}
            "-X" => step.method = Some(next()),
            "-H" => {
                let header = next();
                let (name, value) = header.split_once(": ").expect("a header");
                step.headers.push((name.to_owned(), value.to_owned()));
            }
            "--json" => step.body = Some(next()),
            "|" => match next().as_str() {
                "tee" => {
                    assert_eq!(next(), "/dev/stderr");
                    step.whole = true;
                }
                "jq" => {
                    let part = next();
                    step.part = Some(if part == "-r" { next() } else { part });
                }
                other => panic!("the tour does not know {other}"),
            },
            url => step.path = url.strip_prefix("http://127.0.0.1:8080").expect("an address").to_owned(),
        }
    }
    step
}

/// `.a.b[0]` of a tree.
fn part<'a>(all: &'a Value, path: &str) -> &'a Value {
    let mut at = all;
    for name in path.split(['.', '[', ']']).filter(|n| !n.is_empty()) {
        at = match name.parse::<usize>() {
            Ok(index) => &at[index],
            Err(_) => &at[name],
        };
    }
    at
}

/// What is not the same tomorrow, as the document shows it.
fn masked(value: &Value, named: &Named) -> Value {
    match value {
        Value::String(text) => {
            // Every answer has the day in it.
            let told = |name: &str| name != "TODAY" && name != "NOW";
            if let Some((name, _)) = named.iter().find(|(name, v)| *v == text && told(name)) {
                return format!("${name}").into();
            }
            let day = text.len() >= 10
                && text.as_bytes()[4] == b'-'
                && text.as_bytes()[7] == b'-'
                && text.as_bytes()[..4].iter().all(u8::is_ascii_digit);
            let id = text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
            let hash = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
            let voucher = text.len() == 33 && text.starts_with('V');
            if day || id || hash || voucher || text.len() > 300 { "…".into() } else { value.clone() }
        }
        Value::Array(items) => items.iter().map(|v| masked(v, named)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(n, v)| {
                (n.clone(), if n == "year" || n == "because" { "…".into() } else { masked(v, named) })
            })
            .collect(),
        plain => plain.clone(),
    }
}

/// Whether an answer is what is shown.
fn differs(shown: &Value, got: &Value, named: &Named, at: &str) -> Option<String> {
    match (shown, got) {
        (Value::String(s), _) if s == "…" => None,
        (Value::String(s), Value::String(g)) if s.starts_with('$') && named.get(&s[1..]) == Some(g) => None,
        (Value::Array(s), Value::Array(g)) if s.len() == g.len() => {
            s.iter().zip(g).enumerate().find_map(|(i, (s, g))| differs(s, g, named, &format!("{at}[{i}]")))
        }
        (Value::Object(s), Value::Object(g)) if s.keys().eq(g.keys()) => {
            s.iter().find_map(|(n, s)| differs(s, &g[n], named, &format!("{at}.{n}")))
        }
        (s, g) if s == g => None,
        (s, g) => Some(format!("{at}: shown {s}, got {g}")),
    }
}

#[test]
fn the_tour_is_true() {
    each_database(|database| tour(&Till::open(database)));
}

fn tour(till: &Till) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/counter.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let bless = std::env::var_os("ZHANGGUI_BLESS").is_some();
    let (today, now) = at_the_store(till);
    let year: i64 = today[..4].parse().unwrap();
    let mut named =
        Named::from([("YEAR".to_owned(), year.to_string()), ("LAST".to_owned(), (year - 1).to_string())]);
    named.extend([("TODAY".to_owned(), today), ("NOW".to_owned(), now)]);
    let (mut written, mut rest, mut steps) = (String::new(), text.as_str(), 0);
    while let Some((before, block)) = rest.split_once("```sh\n") {
        let (command, after) = block.split_once("\n```").unwrap();
        written.push_str(&format!("{before}```sh\n{command}\n```"));
        rest = after;
        if !command.contains("curl") {
            continue;
        }
        let step = step(command, &named);
        let shows = rest.strip_prefix("\n\n```json\n").map(|r| r.split_once("\n```").unwrap());
        let shown: Option<Value> = shows.and_then(|(shown, _)| serde_json::from_str(shown).ok());
        let headers: Vec<(&str, &str)> = step.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let method = step.method.as_deref().unwrap_or(if step.body.is_some() { "POST" } else { "GET" });
        let ask = || till.send(method, &step.path, &headers, step.body.as_deref());
        let mut answer = ask();
        if step.path.starts_with("/v1/settlements/") {
            // What runs in the background is looked at until it is done.
            answer = eventually("the settlement", || Some(ask()).filter(|a| a.body["working"] == false));
        }
        if step.path.starts_with("/v1/returns/offline/") {
            answer = eventually("the sale's return", || Some(ask()).filter(|a| a.body["state"] != "waiting"));
        }
        steps += 1;
        let kept = step.part.as_deref().map(|p| part(&answer.body, p)).cloned();
        if let Some(name) = &step.name {
            let kept =
                kept.as_ref().and_then(Value::as_str).unwrap_or_else(|| panic!("{command}: {}", answer.text));
            named.insert(name.clone(), kept.to_owned());
        }
        let seen = if step.whole { &answer.body } else { kept.as_ref().unwrap_or(&answer.body) };
        if bless && let Some((_, after)) = shows {
            let pretty = serde_json::to_string_pretty(&masked(seen, &named)).unwrap();
            written.push_str(&format!("\n\n```json\n{pretty}\n```"));
            rest = after;
        } else if let Some(shown) = &shown {
            let wrong = differs(shown, seen, &named, "");
            assert_eq!(wrong, None, "after:\n{command}\ngot: {seen:#}");
        } else {
            assert!(shows.is_none(), "this is not JSON, after:\n{command}");
        }
        if shows.is_none() {
            assert!(answer.status < 300, "{command}: {}", answer.text);
        }
    }
    written.push_str(rest);
    assert!(steps > 10, "{steps}");
    if bless {
        std::fs::write(&file, written).unwrap();
    }
}

/// The business date and the time at the store.
fn at_the_store(till: &Till) -> (String, String) {
    let sale = common::till::clothes("year", None, "1.00", "1.00").to_string();
    let dry = till.send("POST", "/v1/sales?dry_run=true", &[], Some(&sale)).ok(200);
    let text = |name: &str| dry[name].as_str().unwrap().to_owned();
    (text("business_date"), text("occurred_at"))
}
