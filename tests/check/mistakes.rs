//! One mistake, one finding: single slips are put into the real rulebook, and each must be told once, where it is.
//!
//! The places are chosen by what stands on a line, not by its number, so that a change elsewhere chooses no others.
//! `ZHANGGUI_MISTAKES=5` tries five times as many and prints what is not as it should be.
use crate::harness::load;
use crate::rng::Rng;
use std::collections::BTreeMap;
use std::path::Path;

/// A slip: its name, and what it makes of a line (at one of its places, chosen by the random numbers).
type Slip = (&'static str, fn(&str, &mut Rng) -> Option<String>);

const SLIPS: &[Slip] = &[
    ("two letters swapped", |line, rng| {
        word(line, rng, 5, |w| {
            let at = (1..w.len() - 1).find(|at| w[*at..=*at] != w[at + 1..at + 2])?;
            Some(format!("{}{}{}{}", &w[..at], &w[at + 1..at + 2], &w[at..=at], &w[at + 2..]))
        })
    }),
    ("a letter left out", |line, rng| word(line, rng, 5, |w| Some(format!("{}{}", &w[..2], &w[3..])))),
    ("a letter too many", |line, rng| word(line, rng, 4, |w| Some(format!("{}x{}", &w[..2], &w[2..])))),
    ("a closing bracket left out", |line, rng| sign(line, rng, ")]}", "")),
    ("an opening bracket left out", |line, rng| sign(line, rng, "([{", "")),
    ("a bracket doubled", |line, rng| sign(line, rng, ")", "))")),
    ("another bracket", |line, rng| sign(line, rng, ")", "}")),
    ("a comma left out", |line, rng| sign(line, rng, ",", " ")),
    ("a comma doubled", |line, rng| sign(line, rng, ",", ",,")),
    ("a full-width semicolon for a comma", |line, rng| sign(line, rng, ",", "；")),
    ("a Chinese full stop for a dot", |line, rng| sign(line, rng, ".", "。")),
    ("a Chinese quote that closes nothing", |line, rng| quote(line, rng, "「")),
    ("a quote left out", |line, rng| quote(line, rng, "")),
    ("a bar left out", |line, rng| sign(line, rng, "|", " ")),
    ("a colon for an equals sign", |line, rng| sign(line, rng, "=", ":")),
    ("an equals sign for `is`", |line, rng| keyword(line, rng, "is", "=")),
    ("a sign at the end", |line, _| line_with(line, ";")),
    ("`then` left out", |line, rng| keyword(line, rng, "then", "")),
    ("`when` left out", |line, rng| keyword(line, rng, "when", "")),
    ("`when` for `then`", |line, rng| keyword(line, rng, "then", "when")),
    ("`if` for `when`", |line, rng| keyword(line, rng, "when", "if")),
    ("`&&` for `and`", |line, rng| keyword(line, rng, "and", "&&")),
    ("`und` for `and`", |line, rng| keyword(line, rng, "and", "und")),
    ("`override` for `overrides`", |line, rng| keyword(line, rng, "overrides", "override")),
    ("`until` for `before`", |line, rng| keyword(line, rng, "before", "until")),
    ("`of` for `in`", |line, rng| keyword(line, rng, "in", "of")),
    ("a wrong unit", |line, rng| keyword(line, rng, "CNY", "USD")),
    ("a unit left out", |line, rng| keyword(line, rng, "CNY", "")),
    ("a word for a unit", |line, rng| keyword(line, rng, "days", "weeks")),
    ("a unit of another kind", |line, rng| keyword(line, rng, "days", "hours")),
    ("a field of nothing", |line, rng| sign(line, rng, ".", ".no_such_")),
    ("`-` for a word", |line, rng| sign(line, rng, "_", "-")),
    ("a row with a cell too many", |line, _| row(line).then(|| line.replacen('|', "| - |", 1))),
    ("a row with a cell too few", |line, _| {
        let (cells, rest) = line.trim_start().strip_prefix('|')?.split_once('|')?;
        (row(line) && rest.matches('|').count() > 1 && !cells.is_empty()).then(|| format!("  |{rest}"))
    }),
    ("a line left out", |line, _| (!line.trim().is_empty()).then(String::new)),
    ("a line twice", |line, _| row(line).then(|| format!("{line}\n{line}"))),
];

/// The parts of a line outside texts, clauses and comments.
fn open(line: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut text, mut clause) = (0, false, false);
    for (at, c) in line.char_indices() {
        let ends = match c {
            '"' => {
                let was = text || clause;
                text = !text;
                clause = clause && text;
                if was { None } else { Some(at) }
            }
            '§' if !text => {
                clause = true;
                Some(at)
            }
            ' ' if clause && !text => {
                clause = false;
                start = at;
                None
            }
            '#' if !text && !clause => {
                parts.push((start, &line[start..at]));
                return parts;
            }
            _ => None,
        };
        if let Some(at) = ends {
            parts.push((start, &line[start..at]));
        }
        if c == '"' && !text {
            start = at + 1;
        }
    }
    if !text && !clause {
        parts.push((start, &line[start..]));
    }
    parts.retain(|(at, part)| at + part.len() <= line.len());
    parts
}

/// Changes one of the words of at least that many plain letters.
fn word(line: &str, rng: &mut Rng, least: usize, change: fn(&str) -> Option<String>) -> Option<String> {
    let mut all = Vec::new();
    for (start, part) in open(line) {
        let mut at = 0;
        for piece in part.split_inclusive(|c: char| !c.is_ascii_alphabetic()) {
            let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphabetic());
            let joined = part[..at].ends_with(|c: char| c == '_' || c.is_alphanumeric());
            if word.len() >= least && !joined {
                all.push((start + at, word));
            }
            at += piece.len();
        }
    }
    let (at, word) = *(!all.is_empty()).then(|| rng.pick(&all))?;
    Some(format!("{}{}{}", &line[..at], change(word)?, &line[at + word.len()..]))
}

/// Changes one of the signs.
fn sign(line: &str, rng: &mut Rng, signs: &str, to: &str) -> Option<String> {
    let mut all = Vec::new();
    for (start, part) in open(line) {
        let inside = |at: usize| part[..at].ends_with(|c: char| c.is_alphanumeric());
        let figures = |at: usize| part[..at].ends_with(|c: char| c.is_ascii_digit() || c == '.');
        for (at, c) in part.char_indices().filter(|(_, c)| signs.contains(*c)) {
            let compares = c == '=' && part[..at].ends_with(['<', '>', '!']);
            let number = c == '.' && (figures(at) || part[at + 1..].starts_with('.'));
            if !compares && !number && (c != '_' || inside(at)) {
                all.push(start + at);
            }
        }
    }
    let at = *(!all.is_empty()).then(|| rng.pick(&all))?;
    let length = line[at..].chars().next()?.len_utf8();
    Some(format!("{}{to}{}", &line[..at], &line[at + length..]))
}

/// Changes one of the quotes.
fn quote(line: &str, rng: &mut Rng, to: &str) -> Option<String> {
    let all: Vec<usize> = line.match_indices('"').map(|(at, _)| at).collect();
    let comment = line.trim_start().starts_with('#');
    let at = *(!all.is_empty() && !comment).then(|| rng.pick(&all))?;
    Some(format!("{}{to}{}", &line[..at], &line[at + 1..]))
}

/// Changes one of the places of a whole word.
fn keyword(line: &str, rng: &mut Rng, from: &str, to: &str) -> Option<String> {
    let mut all = Vec::new();
    for (start, part) in open(line) {
        let alone = |at: usize| {
            let word = |c: char| c == '_' || c == '.' || c.is_alphanumeric();
            !part[..at].ends_with(word) && !part[at + from.len()..].starts_with(word)
        };
        all.extend(part.match_indices(from).filter(|(at, _)| alone(*at)).map(|(at, _)| start + at));
    }
    let at = *(!all.is_empty()).then(|| rng.pick(&all))?;
    Some(format!("{}{to}{}", &line[..at], &line[at + from.len()..]))
}

fn line_with(line: &str, sign: &str) -> Option<String> {
    let bare = !line.trim().is_empty() && !line.contains('#');
    bare.then(|| format!("{line}{sign}"))
}

fn row(line: &str) -> bool {
    line.trim_start().starts_with('|')
}

/// FNV-1a: the same everywhere.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
}

fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let mut files = Vec::new();
    for folder in [root.clone(), root.join("jiajie")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), text));
            }
        }
    }
    files.sort();
    files
}

const LAYERS: [&str; 6] = ["law", "chain", "format", "store", "counter", "campaign"];
const PLACES: [(&str, &str); 6] = [
    ("chain", "jiajie"),
    ("format", "department"),
    ("format", "supermarket"),
    ("store", "s001"),
    ("store", "s002"),
    ("store", "s030"),
];

/// How many places of each slip are tried.
const TRIED: usize = 11;

#[test]
fn one_mistake_makes_one_finding() {
    let more: usize = std::env::var("ZHANGGUI_MISTAKES").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let files = files();
    let (mut count, mut silent) = (0, 0);
    let mut wrong: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (slip, change) in SLIPS {
        // Every line that can have the slip, in an order that only the lines themselves decide.
        let mut places = Vec::new();
        for (file, (name, text)) in files.iter().enumerate() {
            if name.ends_with(".policy") || name.ends_with(".vocab") || name.ends_with(".cases") {
                for (at, line) in text.lines().enumerate() {
                    let seed = hash(slip) ^ hash(line);
                    if let Some(line) = change(line, &mut Rng(seed)) {
                        places.push((seed, file, at, line));
                    }
                }
            }
        }
        places.sort();
        for (_, file, at, line) in places.iter().take(TRIED * more) {
            let (name, text) = &files[*file];
            let mut lines: Vec<&str> = text.lines().collect();
            lines[*at] = line;
            let changed = lines.join("\n") + "\n";
            let all: Vec<(&str, &str)> = files
                .iter()
                .enumerate()
                .map(|(i, (n, t))| (n.as_str(), if i == *file { changed.as_str() } else { t.as_str() }))
                .collect();
            let loaded = load(&all, &LAYERS, &PLACES);
            let found: Vec<_> = loaded.syntax.iter().chain(&loaded.checked.diagnostics).collect();
            count += 1;
            silent += usize::from(found.is_empty());
            let near = |line: u32| line.abs_diff(*at as u32 + 1) <= 1;
            let placed = found.iter().all(|d| {
                let spans = std::iter::once(d.span).chain(d.notes.iter().map(|n| n.span));
                let mut spans = spans.map(|s| (loaded.map.name(s.file_id()), loaded.map.start(s).line));
                spans.any(|(file, line)| file == name && near(line))
            });
            if found.len() > 1 || !placed && !elsewhere(slip) {
                let shown = loaded.shown();
                let shown: String = shown.chars().take(800).collect();
                let old = text.lines().nth(*at).unwrap();
                let report =
                    format!("{name}:{} {} findings\n- {old}\n+ {line}\n{shown}", at + 1, found.len());
                wrong.entry(slip).or_default().push(report);
            }
        }
    }
    let bad: usize = wrong.values().map(Vec::len).sum();
    println!("{count} mistakes, {silent} of them still a good text, {bad} told wrongly");
    for (slip, reports) in &wrong {
        println!("==== {slip}: {}", reports.len());
        reports.iter().for_each(|r| println!("{r}"));
    }
    assert!(count - silent >= 300, "{count} - {silent}");
    assert_eq!(bad, 0);
}

/// What is left out is missed where it is used, and an opening bracket where the other one stands.
fn elsewhere(slip: &str) -> bool {
    matches!(slip, "a line left out" | "an opening bracket left out")
}
