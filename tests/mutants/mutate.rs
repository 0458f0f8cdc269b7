//! Small faults put into a policy's text: the slips that authors make.

/// One fault.
#[derive(Debug, Clone)]
pub struct Mutant {
    pub kind: Kind,
    /// Where the text is replaced, in bytes.
    pub start: usize,
    pub end: usize,
    pub replacement: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    BoundIncluded,
    NumberMoved,
    DateMoved,
    RowDropped,
    RowDoubled,
    OverrideRemoved,
    DefaultRemoved,
    LayerWeakened,
}

impl Kind {
    pub const ALL: [Kind; 8] = [
        Kind::BoundIncluded,
        Kind::NumberMoved,
        Kind::DateMoved,
        Kind::RowDropped,
        Kind::RowDoubled,
        Kind::OverrideRemoved,
        Kind::DefaultRemoved,
        Kind::LayerWeakened,
    ];
}

/// The text with comments, strings, clauses and the lines that only describe made blank; lengths are kept.
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let head = line.trim_start().split(' ').next().unwrap_or("");
        if ["title", "source", "say", "layer", "accepts", "policy", "library"].contains(&head.trim_end()) {
            out.extend(line.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
            continue;
        }
        let (mut quoted, mut clause, mut comment) = (false, false, false);
        for c in line.chars() {
            if c == '#' && !quoted {
                comment = true;
            }
            if c == '§' && !quoted {
                clause = true;
            }
            if c == '"' && !comment {
                quoted = !quoted;
            }
            if clause && !quoted && c.is_whitespace() {
                clause = false;
            }
            let hidden = c != '\n' && (quoted || clause || comment || c == '"' || !c.is_ascii());
            for _ in 0..c.len_utf8() {
                out.push(if hidden { ' ' } else { c });
                if !hidden {
                    break;
                }
            }
        }
    }
    assert_eq!(out.len(), text.len());
    out
}

/// All faults that a policy's text may get.
pub fn of_policy(text: &str) -> Vec<Mutant> {
    let plain = masked(text);
    let mut found = Vec::new();
    bounds(&plain, &mut found);
    numbers(&plain, &mut found);
    rows(text, &plain, &mut found);
    overrides(&plain, &mut found);
    for (at, word) in plain.match_indices("binding ") {
        found.push(Mutant {
            kind: Kind::LayerWeakened,
            start: at,
            end: at + word.len(),
            replacement: String::new(),
        });
    }
    may_set(&plain, &mut found);
    law(text, &plain, &mut found);
    found
}

/// A range that a lower layer may set a param in grows by far at both ends, so that only what was set bounds it.
fn may_set(plain: &str, found: &mut Vec<Mutant>) {
    for (at, word) in plain.match_indices("may set [") {
        let start = at + word.len();
        let line = plain[start..].split('\n').next().unwrap();
        let Some((low, rest)) = line.split_once("..") else { continue };
        let Some(close) = rest.find([']', ')']) else { continue };
        let wider = |bound: &str, factor: i64, add: i64| {
            let (number, unit) = bound.split_once(' ').unwrap_or((bound, ""));
            let number: rust_decimal::Decimal = number.replace('_', "").parse().ok()?;
            let moved = number * rust_decimal::Decimal::from(factor) + rust_decimal::Decimal::from(add);
            Some(format!("{moved} {unit}").trim_end().to_owned())
        };
        let end = start + low.len() + 2 + close;
        for (low_now, high_now) in [
            (wider(low, 0, 0), Some(rest[..close].to_owned())),
            (Some(low.to_owned()), wider(&rest[..close], 10, 1)),
        ] {
            let (Some(low_now), Some(high_now)) = (low_now, high_now) else { continue };
            let replacement = format!("{low_now}..{high_now}");
            if replacement != plain[start..end] {
                found.push(Mutant { kind: Kind::LayerWeakened, start, end, replacement });
            }
        }
    }
}

/// What the law says is left out: each of its rules, and the whole policy but its head.
fn law(text: &str, plain: &str, found: &mut Vec<Mutant>) {
    let words = |line: &str| line.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>();
    if !text.lines().any(|line| words(line) == ["layer", "law"]) {
        return;
    }
    // Lines that begin a declaration: without a blank before, and no comment.
    let mut starts: Vec<(usize, bool)> = Vec::new();
    let mut at = 0;
    for line in plain.split_inclusive('\n') {
        let rule = line.starts_with("rule ") || line.starts_with("binding rule ");
        if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            starts.push((at, rule));
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([plain.len()]);
    let rules: Vec<(usize, usize)> = starts
        .iter()
        .zip(ends)
        .filter(|((_, rule), _)| *rule)
        .map(|((start, _), end)| (*start, end))
        .collect();
    let mut drop = |start, end| {
        found.push(Mutant { kind: Kind::LayerWeakened, start, end, replacement: String::new() });
    };
    rules.iter().for_each(|(start, end)| drop(*start, *end));
    if let (Some((start, _)), Some((_, end)), true) = (rules.first(), rules.last(), rules.len() > 1) {
        drop(*start, *end);
    }
}

/// All faults that a vocabulary may get: an output loses its default.
pub fn of_vocabulary(text: &str) -> Vec<Mutant> {
    let plain = masked(text);
    let mut found = Vec::new();
    let mut at = 0;
    for line in plain.split_inclusive('\n') {
        let output = [": max ", ": min ", ": one "].iter().any(|mode| line.contains(mode));
        if let Some(start) = line.find(" else ").filter(|_| output) {
            let rest = &line[start + 6..];
            // The default ends where the labels begin.
            let labels =
                [" zh ", " en ", "\n"].iter().filter_map(|w| rest.find(w)).min().unwrap_or(rest.len());
            let (start, end) = (at + start, at + start + 6 + labels);
            found.push(Mutant { kind: Kind::DefaultRemoved, start, end, replacement: " optional".into() });
        }
        at += line.len();
    }
    found
}

fn bounds(plain: &str, found: &mut Vec<Mutant>) {
    let mut push = |start: usize, old: &str, new: &str| {
        let end = start + old.len();
        found.push(Mutant { kind: Kind::BoundIncluded, start, end, replacement: new.into() });
    };
    let bytes = plain.as_bytes();
    for (at, b) in bytes.iter().enumerate() {
        let next = bytes.get(at + 1);
        let before = at.checked_sub(1).and_then(|i| bytes.get(i));
        match (b, next) {
            (b'>', Some(b'=')) => push(at, ">=", ">"),
            (b'<', Some(b'=')) => push(at, "<=", "<"),
            (b'>', _) if before != Some(&b'-') => push(at, ">", ">="),
            (b'<', _) => push(at, "<", "<="),
            _ => {}
        }
    }
    // Intervals: the end after `..`.
    for (at, _) in plain.match_indices("..") {
        let rest = &plain[at..];
        let line = rest.split('\n').next().unwrap();
        if let Some(close) = line.find([']', ')']) {
            let old = &line[close..=close];
            push(at + close, old, if old == "]" { ")" } else { "]" });
        }
    }
}

/// Numbers a step up; dates a day later.
fn numbers(plain: &str, found: &mut Vec<Mutant>) {
    let bytes = plain.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let wordy = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        if !bytes[at].is_ascii_digit()
            || at > 0
                && (wordy(&bytes[at - 1])
                    || bytes[at - 1] == b'.' && bytes.get(at.wrapping_sub(2)).is_some_and(u8::is_ascii_digit))
        {
            at += 1;
            continue;
        }
        let rest = &plain[at..];
        if let Some(date) = rest.get(..10).and_then(|d| d.parse::<chrono::NaiveDate>().ok()) {
            if let Some(next) = date.succ_opt() {
                let replacement = next.to_string();
                found.push(Mutant { kind: Kind::DateMoved, start: at, end: at + 10, replacement });
            }
            at += 10;
            continue;
        }
        let length = rest
            .char_indices()
            .find(|(i, c)| {
                !(c.is_ascii_digit()
                    || *c == '_'
                    || *c == '.' && rest[i + 1..].starts_with(|d: char| d.is_ascii_digit()))
            })
            .map_or(rest.len(), |(i, _)| i);
        let number: rust_decimal::Decimal = rest[..length].replace('_', "").parse().unwrap();
        let unit: String = rest[length..]
            .trim_start()
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '%')
            .collect();
        let step = if number.scale() > 0 || unit.chars().all(|c| c.is_ascii_uppercase()) && unit.len() == 3 {
            rust_decimal::Decimal::new(1, number.scale().max(2))
        } else {
            rust_decimal::Decimal::ONE
        };
        let replacement = (number + step).to_string();
        found.push(Mutant { kind: Kind::NumberMoved, start: at, end: at + length, replacement });
        at += length;
    }
}

fn rows(text: &str, plain: &str, found: &mut Vec<Mutant>) {
    let mut at = 0;
    for (line, shown) in text.split_inclusive('\n').zip(plain.split_inclusive('\n')) {
        let (start, end) = (at, at + line.len());
        at = end;
        if shown.trim_start().starts_with('|') {
            found.push(Mutant { kind: Kind::RowDropped, start, end, replacement: String::new() });
            found.push(Mutant { kind: Kind::RowDoubled, start, end: start, replacement: line.to_owned() });
        }
    }
}

/// An `overrides` loses its line, to the next word that begins another part.
fn overrides(plain: &str, found: &mut Vec<Mutant>) {
    for (start, word) in plain.match_indices("overrides ") {
        let rest = &plain[start + word.len()..];
        let ends = ["\n", " when ", " then ", " say ", " overrides ", " replaces ", " accepts "];
        let end = ends.iter().filter_map(|w| rest.find(w)).min().unwrap_or(rest.len());
        let end = start + word.len() + end;
        found.push(Mutant { kind: Kind::OverrideRemoved, start, end, replacement: String::new() });
    }
}
