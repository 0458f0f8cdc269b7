//! What the author wrote, sign by sign and in its plain form: for those who lay a text out anew. The tree of
//! [`crate::lang::ast`] leaves out brackets, comments and how a number was written; here nothing is left out.

use super::grammar::{self, Rule};
use super::lower::{P, nfc};
use super::place::Place;
use super::scan::TokenKind;
use super::{Part, fold, lines, parse_file, scan};
use crate::lang::ast::FileKind;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::{FileId, SourceMap};

/// A file without errors.
#[derive(Debug, Clone)]
pub struct Written {
    /// A node per declaration, in order.
    pub declarations: Vec<Node>,
    /// In order.
    pub comments: Vec<Comment>,
}

/// A part of the text: what matched a rule of `grammar/policy.pest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub part: Part,
    /// Bytes of the file.
    pub start: u32,
    pub end: u32,
    /// A leaf's text in plain form: folded, names in NFC, strings between straight quotes. Empty if there are parts.
    pub text: String,
    /// What it is made of, in order. Every sign is some leaf's text, except the dot of a [`Part::field`].
    pub parts: Vec<Node>,
}

impl Node {
    /// The first part of that kind.
    pub fn find(&self, part: Part) -> Option<&Node> {
        self.parts.iter().find(|node| node.part == part)
    }
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// With its `#`, without the blanks at its end.
    pub text: String,
    /// Where it begins, a byte of the file.
    pub start: u32,
    /// Whether something else stands before it on its line.
    pub trailing: bool,
}

/// Reads a file of the map sign by sign. If it has errors, all findings are given back instead.
pub fn written(map: &SourceMap, id: FileId, kind: FileKind) -> Result<Written, Vec<Diagnostic>> {
    let (_, found) = parse_file(map, id, kind);
    if found.iter().any(Diagnostic::is_error) {
        return Err(found);
    }
    let source = map.text(id);
    let (folded, _) = fold::fold(id, source);
    let tokens = scan::scan(&folded.text);
    let place = Place::file(id, &folded);
    let rule = match kind {
        FileKind::Vocabulary => Rule::one_vocab,
        FileKind::Policy => Rule::one_policy,
        FileKind::Cases => Rule::one_case,
    };
    let mut declarations = Vec::new();
    for chunk in lines::split(kind, &folded.text, &tokens) {
        let tokens = tokens.get(chunk.tokens.clone()).unwrap_or(&[]);
        if tokens.iter().all(|token| token.kind == TokenKind::Newline) {
            continue;
        }
        let text = lines::join(&folded.text, tokens, chunk.keyword);
        let place = place.at(tokens.first().map_or(0, |token| token.start), None);
        let parsed = grammar::parse(rule, &text).ok().and_then(|pair| pair.into_inner().next());
        let Some(pair) = parsed else { return Err(found) };
        declarations.push(node(source, &place, pair));
    }
    let comments = folded.comments.iter().map(|(start, end)| comment(source, *start, *end)).collect();
    Ok(Written { declarations, comments })
}

fn node(source: &str, place: &Place<'_>, pair: P<'_>) -> Node {
    let part = pair.as_rule();
    let span = place.pair(&pair);
    let (start, end) = (span.start, span.end);
    let there = || source.get(start as usize..end as usize).unwrap_or("");
    let text = match part {
        Rule::string => straight(there()),
        Rule::clause => there().to_owned(),
        Rule::word | Rule::name | Rule::path | Rule::unit_word => nfc(pair.as_str().trim_end()),
        _ => {
            let plain = pair.as_str().trim_end_matches([' ', '\t', '\r', '\n']).to_owned();
            let parts: Vec<Node> = pair.into_inner().map(|pair| node(source, place, pair)).collect();
            let text = if parts.is_empty() { plain } else { String::new() };
            return Node { part, start, end, text, parts };
        }
    };
    Node { part, start, end, text, parts: Vec::new() }
}

/// A string between straight quotes. Between curly ones a straight quote is text, so it must be escaped.
fn straight(written: &str) -> String {
    let mut chars = written.chars();
    let curly = chars.next() == Some('“');
    chars.next_back();
    let mut text = String::from("\"");
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                text.push(c);
                text.extend(chars.next());
            }
            '"' if curly => text.push_str("\\\""),
            _ => text.push(c),
        }
    }
    text.push('"');
    text
}

fn comment(source: &str, start: u32, end: u32) -> Comment {
    let text = source.get(start as usize..end as usize).unwrap_or("").trim_end();
    let plain = text.strip_prefix('＃').map(|rest| format!("#{rest}"));
    let before = source.get(..start as usize).unwrap_or("");
    let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
    let trailing = !line.trim_start_matches('\u{FEFF}').trim().is_empty();
    Comment { text: plain.unwrap_or_else(|| text.to_owned()), start, trailing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(node: &Node, into: &mut String) {
        if node.part == Part::field {
            into.push('.');
        }
        into.push_str(&node.text);
        node.parts.iter().for_each(|part| leaves(part, into));
    }

    #[test]
    fn no_sign_is_lost() {
        for (name, text) in [
            ("a.policy", include_str!("../../../tests/syntax/returns.policy")),
            ("a.vocab", include_str!("../../../tests/syntax/retail.vocab")),
            ("a.cases", include_str!("../../../tests/syntax/returns.cases")),
            ("a.policy", "library a\nlet b = “x\"y“z”” + f(c: (d ≥ ３00元)).e, 1_0%"),
        ] {
            let mut map = SourceMap::new();
            let id = map.add(name, text.replace(", 1_0%", ""));
            let kind = FileKind::of(name).unwrap_or(FileKind::Policy);
            let got = written(&map, id, kind).map_err(|found| format!("{found:?}"));
            let mut shown = String::new();
            got.map(|it| it.declarations.iter().for_each(|node| leaves(node, &mut shown)))
                .unwrap_or_default();
            let folded = fold::fold(id, map.text(id)).0;
            let blank = |c: &char| !c.is_whitespace();
            let wanted: String = folded.text.chars().filter(blank).collect();
            let shown: String = shown.chars().filter(blank).collect();
            assert_eq!(shown.replace("\\\"", "'"), wanted);
        }
    }

    #[test]
    fn comments_know_whether_they_end_a_line() {
        let text = "\u{FEFF}# first  \nlibrary a ＃second\n  # third";
        let mut map = SourceMap::new();
        let id = map.add("a.policy", text);
        let got = written(&map, id, FileKind::Policy).map(|it| it.comments).unwrap_or_default();
        let shown: Vec<_> = got.iter().map(|it| (it.text.as_str(), it.trailing)).collect();
        assert_eq!(shown, [("# first", false), ("#second", true), ("# third", false)]);
    }
}
