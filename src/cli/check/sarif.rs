//! Findings as SARIF 2.1.0 (OASIS), which code review tools show beside the lines.
use crate::lang::diagnostic::{Diagnostic, Severity};
use crate::lang::pages;
use crate::lang::source::{FileId, Position, SourceMap, Span};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The log with one run. Columns and offsets count characters (Unicode code points), as everywhere in this program.
pub(super) fn log(map: &SourceMap, findings: &[Diagnostic]) -> Value {
    let codes: BTreeSet<&str> = findings.iter().map(|d| d.code).collect();
    let rules: Vec<Value> = codes.iter().map(|code| rule(code)).collect();
    let index = |code: &str| codes.iter().position(|known| *known == code);
    let mut places = Places { map, lines: BTreeMap::new() };
    let results: Vec<Value> = findings.iter().map(|d| result(&mut places, d, index(d.code))).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "zhanggui",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{"executionSuccessful": true}],
            "results": results,
        }],
    })
}

fn rule(code: &str) -> Value {
    let mut rule = json!({"id": code, "helpUri": format!("docs/diagnostics/{code}.md")});
    if let (Some(page), Some(title), Some(rule)) =
        (pages::page(code), pages::title(code), rule.as_object_mut())
    {
        rule.insert("shortDescription".into(), json!({"text": title}));
        rule.insert("help".into(), json!({"text": page, "markdown": page}));
    }
    rule
}

fn result(places: &mut Places<'_>, d: &Diagnostic, rule: Option<usize>) -> Value {
    let level = match d.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut text = d.message.clone();
    for more in [Some(&d.label).filter(|label| !label.is_empty()), d.help.as_ref()].into_iter().flatten() {
        text.push('\n');
        text.push_str(more);
    }
    let mut result = json!({
        "ruleId": d.code,
        "level": level,
        "message": {"text": text},
        "locations": [places.location(d.span)],
    });
    let Some(fields) = result.as_object_mut() else { return result };
    if let Some(rule) = rule {
        fields.insert("ruleIndex".into(), json!(rule));
    }
    if !d.notes.is_empty() {
        let related: Vec<Value> = d
            .notes
            .iter()
            .map(|note| {
                let mut at = places.location(note.span);
                if let Some(at) = at.as_object_mut() {
                    at.insert("message".into(), json!({"text": note.text}));
                }
                at
            })
            .collect();
        fields.insert("relatedLocations".into(), json!(related));
    }
    if let Some(change) = d.suggestion.as_ref().filter(|s| s.certain) {
        let replacement = json!({
            "deletedRegion": places.region(change.span),
            "insertedContent": {"text": change.replacement},
        });
        let changes =
            json!([{"artifactLocation": places.artifact(change.span), "replacements": [replacement]}]);
        let description = d.help.clone().unwrap_or_else(|| format!("write {}", change.replacement));
        fields.insert(
            "fixes".into(),
            json!([{"description": {"text": description}, "artifactChanges": changes}]),
        );
    }
    result
}

/// Places in the words of SARIF.
struct Places<'a> {
    map: &'a SourceMap,
    /// How many characters stand before each line of a file.
    lines: BTreeMap<FileId, Vec<usize>>,
}

impl Places<'_> {
    fn location(&mut self, span: Span) -> Value {
        let region = self.region(span);
        json!({"physicalLocation": {"artifactLocation": self.artifact(span), "region": region}})
    }

    fn artifact(&self, span: Span) -> Value {
        json!({"uri": uri(self.map.name(span.file_id()))})
    }

    fn region(&mut self, span: Span) -> Value {
        let file = span.file_id();
        let (start, end) = (self.map.position(file, span.start), self.map.position(file, span.end));
        let (from, to) = (self.offset(file, start), self.offset(file, end));
        json!({
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
            "charOffset": from,
            "charLength": to.saturating_sub(from),
        })
    }

    /// Characters before a place in its file.
    fn offset(&mut self, file: FileId, at: Position) -> usize {
        let text = self.map.text(file);
        let lines = self.lines.entry(file).or_insert_with(|| {
            let lengths = text.split_inclusive('\n').map(|line| line.chars().count());
            let mut before = 0;
            let ends = lengths.map(|length| {
                before += length;
                before
            });
            std::iter::once(0).chain(ends).collect()
        });
        let line = lines.get((at.line as usize).saturating_sub(1)).copied().unwrap_or(0);
        line + (at.column as usize).saturating_sub(1)
    }
}

/// A path as a URI: relative as it was shown, or with its scheme.
fn uri(name: &str) -> String {
    let mut out = String::new();
    if name.starts_with('/') {
        out.push_str("file://");
    }
    for byte in name.replace('\\', "/").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(byte.into());
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
