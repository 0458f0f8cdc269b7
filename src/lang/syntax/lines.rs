//! Where declarations begin, and which line breaks end a line.
//!
//! Both are decided from words alone, before any grammar: a declaration keyword begins a line and a string stays on its
//! line, so a broken declaration cannot hide the next one.

use super::keywords::declarations;
use super::scan::{Token, TokenKind};
use crate::lang::ast::FileKind;
use std::ops::Range;

/// One declaration: its tokens, and the word that began it (`None` for what stands before the first).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    pub tokens: Range<usize>,
    pub keyword: Option<&'static str>,
}

/// Splits a file where a line begins with a declaration keyword.
pub fn split(kind: FileKind, source: &str, tokens: &[Token]) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut line_start = true;
    for (at, token) in tokens.iter().enumerate() {
        let begins = if line_start { declaration(kind, source, tokens, at) } else { None };
        line_start = token.kind == TokenKind::Newline;
        match (begins, chunks.last_mut()) {
            (None, Some(last)) => last.tokens.end = at + 1,
            (keyword, _) => chunks.push(Chunk { tokens: at..at + 1, keyword }),
        }
    }
    chunks
}

/// The declaration keyword that the line at `at` begins with.
pub fn declaration(kind: FileKind, source: &str, tokens: &[Token], at: usize) -> Option<&'static str> {
    let token = tokens.get(at).filter(|token| token.kind == TokenKind::Word)?;
    let next = tokens.get(at + 1);
    let word = token.text(source);
    if kind == FileKind::Policy && word == "binding" && next.is_some_and(|next| next.text(source) == "rule") {
        return Some("rule");
    }
    let keyword = declarations(kind).iter().find(|keyword| **keyword == word)?;
    let follows = match (kind, next.map(|next| (next.kind, next.text(source)))) {
        // Within braces a field or a value may be called like a keyword: `record: text`, `unit,`, `fact zh "…"`.
        (FileKind::Vocabulary, Some((TokenKind::Sign | TokenKind::Newline, _)) | None) => false,
        (FileKind::Vocabulary, Some((_, "zh" | "en"))) => false,
        (_, Some((TokenKind::Sign, _))) => false,
        _ => true,
    };
    follows.then_some(*keyword)
}

/// The text of a chunk in which only those line breaks are left that end a line; lengths are kept.
pub fn join(source: &str, tokens: &[Token], keyword: Option<&str>) -> String {
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return String::new() };
    let mut text = String::with_capacity(last.end - first.start);
    let mut open: Vec<Open> = Vec::new();
    let mut before: Option<Token> = None;
    let mut copied = first.start;
    // Where the run of line breaks ends that is being read, and whether the line goes on after it: a text may have nothing
    // but line breaks.
    let (mut run_end, mut goes_on_after) = (0, false);
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Newline => {
                if run_end <= at {
                    let rest = tokens.get(at..).unwrap_or(&[]);
                    let breaks = rest.iter().take_while(|t| t.kind == TokenKind::Newline).count();
                    run_end = at + breaks;
                    goes_on_after =
                        goes_on(source, before, rest.get(breaks..).unwrap_or(&[]), &open, keyword);
                }
                if goes_on_after {
                    text.push_str(source.get(copied..token.start).unwrap_or(""));
                    text.push(' ');
                    copied = token.end;
                }
                continue;
            }
            TokenKind::Sign => match token.text(source) {
                "{" => {
                    let separates = match keyword {
                        Some("taxonomy") => true,
                        Some("enum" | "entity" | "record" | "decision" | "calendar") => open.is_empty(),
                        _ => false,
                    };
                    open.push(if separates { Open::Block } else { Open::Bracket });
                }
                "(" | "[" => open.push(Open::Bracket),
                ")" | "]" | "}" => {
                    open.pop();
                }
                _ => {}
            },
            _ => {}
        }
        before = Some(*token);
    }
    text.push_str(source.get(copied..last.end).unwrap_or(""));
    text
}

/// What is open where a line breaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// Braces in which a line break separates.
    Block,
    /// Anything else: a line break is a blank.
    Bracket,
}

/// Whether the line goes on after the break that `rest` begins with.
fn goes_on(
    source: &str,
    before: Option<Token>,
    rest: &[Token],
    open: &[Open],
    keyword: Option<&str>,
) -> bool {
    let inside = open.last();
    if inside == Some(&Open::Bracket) {
        return true;
    }
    let mut after = rest.iter().filter(|token| token.kind != TokenKind::Newline);
    let (Some(before), Some(next)) = (before, after.next()) else { return false };
    let follower = after.next().map_or("", |token| token.text(source));
    let next_text = next.text(source);
    if next_text == "|" {
        return false;
    }
    if before.kind == TokenKind::Sign && ends_open(before.text(source)) {
        return true;
    }
    if inside == Some(&Open::Block) {
        // Any word may name what a line of a block declares, so fewer words go on here.
        let named = follower == ":" && next.kind == TokenKind::Word;
        return next.kind == TokenKind::Sign && begins_operator(next_text)
            || before.kind == TokenKind::Word && is_operator_word(before.text(source))
            || next.kind == TokenKind::Word && !named && goes_on_in_block(next_text);
    }
    let field = source.get(..before.start).is_some_and(|text| text.ends_with('.'));
    match next.kind {
        TokenKind::Clause => return true,
        TokenKind::Sign if begins_operator(next_text) || next_text == "{" => return true,
        TokenKind::Word if begins_clause(next_text) => return true,
        TokenKind::Word if follower == "may" && keyword == Some("param") => return true,
        TokenKind::Word if keyword == Some("fact") && matches!(next_text, "reads" | "on") => return true,
        _ => {}
    }
    before.kind == TokenKind::Word && !field && wants_more(before.text(source))
}

/// Signs after which something must follow.
fn ends_open(sign: &str) -> bool {
    matches!(sign, "," | "+" | "-" | "*" | "/" | "=" | ":" | "->" | "<" | ">" | ">=" | "<=" | "!=" | "..")
}

/// Signs that cannot begin a line of their own. Not `-`: it is a sign of the number after it.
fn begins_operator(sign: &str) -> bool {
    matches!(sign, "," | "+" | "*" | "/" | "=" | ":" | "->" | "<" | ">" | ">=" | "<=" | "!=" | "..")
}

fn is_operator_word(word: &str) -> bool {
    matches!(word, "and" | "or" | "not" | "is" | "in" | "otherwise")
}

/// Words after which something must follow.
fn wants_more(word: &str) -> bool {
    is_operator_word(word)
        || matches!(
            word,
            "if" | "then"
                | "else"
                | "when"
                | "where"
                | "for"
                | "each"
                | "by"
                | "from"
                | "before"
                | "through"
                | "to"
                | "least"
                | "most"
                | "given"
                | "expect"
                | "like"
                | "with"
                | "say"
                | "overrides"
                | "replaces"
                | "accepts"
                | "per"
                | "needs"
        )
}

/// Words that go on a line from above: operators, and those that begin a clause of a declaration.
fn begins_clause(word: &str) -> bool {
    is_operator_word(word)
        || matches!(
            word,
            "if" | "then"
                | "else"
                | "when"
                | "where"
                | "for"
                | "at"
                | "by"
                | "from"
                | "before"
                | "through"
                | "to"
                | "rounded"
                | "binding"
                | "overrides"
                | "replaces"
                | "say"
                | "accepts"
                | "zh"
                | "en"
                | "given"
                | "expect"
                | "like"
                | "with"
                | "file"
                | "unique"
                | "first"
                | "nearest"
                | "steps"
                | "collect"
                | "decides"
                | "ordered"
                | "per"
        )
}

/// The same within the braces of a vocabulary.
fn goes_on_in_block(word: &str) -> bool {
    is_operator_word(word)
        || matches!(
            word,
            "if" | "then" | "else" | "optional" | "better" | "rounded" | "where" | "through" | "zh" | "en"
        )
}

#[cfg(test)]
mod tests {
    use super::super::scan::scan;
    use super::*;

    fn joined(keyword: &str, source: &str) -> String {
        join(source, &scan(source), Some(keyword))
    }

    #[test]
    fn a_line_goes_on_where_it_cannot_end() {
        assert_eq!(
            joined("let", "let a =\n b\n + c\n\n and d(\n e\n)\nf"),
            "let a =  b  + c   and d(  e )\nf"
        );
        assert_eq!(
            joined("rule", "rule a §1\n in g\n when x\n then y,\n z\n say zh \"\""),
            "rule a §1  in g  when x  then y,  z  say zh \"\""
        );
        assert_eq!(
            joined("table", "table t(\n a: b) -> c: d\n | 1 |\n | 2 |"),
            "table t(  a: b) -> c: d\n | 1 |\n | 2 |"
        );
        assert_eq!(joined("let", "let a = b.for\nx"), "let a = b.for\nx");
    }

    #[test]
    fn in_blocks_a_line_break_separates() {
        assert_eq!(
            joined("entity", "entity a {\n from: date\n b: c\n  zh \"\"\n}"),
            "entity a {\n from: date\n b: c   zh \"\"\n}"
        );
        assert_eq!(
            joined("decision", "decision a {\n b: max c\n  if d in {e,\n f\n}\n}"),
            "decision a {\n b: max c   if d in {e,  f }\n}"
        );
        assert_eq!(
            joined("taxonomy", "taxonomy a { b {\n c\n d }\n e }"),
            "taxonomy a { b {\n c\n d }\n e }"
        );
    }

    #[test]
    fn declarations_split_the_file() {
        let source = "rule a then b\nbinding rule c\n then d\nset.x\nrule\n";
        let tokens = scan(source);
        let chunks = split(FileKind::Policy, source, &tokens);
        let words: Vec<_> = chunks.iter().map(|chunk| chunk.keyword).collect();
        assert_eq!(words, [Some("rule"), Some("rule"), Some("rule")]);
        let source = "entity a {\n record: text\n unit, x\n}\nfact b: c";
        assert_eq!(split(FileKind::Vocabulary, source, &scan(source)).len(), 2);
    }
}
