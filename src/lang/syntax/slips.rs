//! Mistakes that many make, with their own words: what is written so in other languages, or nearly so in this one.

use super::keywords::{RESERVED, declarations};
use super::lower;
use super::message::Failure;
use super::scan::TokenKind;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;

impl Failure<'_> {
    /// The finding for a known mistake.
    pub fn slip(&self) -> Option<Diagnostic> {
        let found = self.found()?;
        let word = self.text_of(found);
        let span = self.span(found);
        let before = self.before().map_or("", |token| self.text_of(token));
        let before_span = self.before().map_or(span, |token| self.span(token));
        if let Some((message, help)) = lower::refused(word) {
            return Some(Diagnostic::error("E0113", span, message).help(help));
        }
        let value = self.expected.things.contains(&"a value");
        let sets = self.expected.signs.contains(&"=");
        match (before, word) {
            ("<", ">") => Some(foreign(before_span.to(span), "<>", "is not")),
            ("/", "/") => Some(comment(before_span.to(span))),
            (_, "/") if self.text.get(found.end..).is_some_and(|rest| rest.starts_with('/')) => {
                Some(comment(span))
            }
            ("is", "in") => Some(foreign(before_span.to(span), "is in", "in")),
            (_, "==") | ("=", "=") => Some(equals(span, word)),
            (_, "=") if self.expected.operator && !sets => Some(equals(span, word)),
            (_, "equals" | "eq" | "等于" | "是") if self.expected.operator => {
                Some(foreign(span, word, "is"))
            }
            (_, "&" | "&&") => Some(foreign(span, word, "and")),
            ("|", "|") if value => {
                let found = Diagnostic::error("E0131", before_span.to(span), "this cell is empty");
                Some(found.help("write `-` if anything fits, `absent` if there must be nothing"))
            }
            (_, "!") => Some(foreign(span, word, "not")),
            (_, "is") if sets && before != "=" => {
                let found = Diagnostic::error("E0107", span, "`is` compares, it does not set");
                Some(self.with_help(found).suggest(span, "="))
            }
            (_, ":") if sets && !self.expected.signs.contains(&":") => {
                let found = Diagnostic::error("E0107", span, "`:` comes before a type; here a value is set");
                Some(found.help("write `name = value`").suggest(span, "="))
            }
            ("is", _) if self.expected.keywords.contains(&"conflict") => {
                let found = Diagnostic::error("E0107", before_span, "an expected value stands after `=`");
                let help = "`is` is for `absent`, `undecided`, `conflict`, `faulty`, `unknown`";
                Some(found.help(help).suggest(before_span, "="))
            }
            (_, "if" | "not") if value && before != "," => {
                let found = Diagnostic::error("E0107", span, format!("`{word}` needs brackets here"));
                Some(found.help(format!("write `({word} …)`")))
            }
            (_, "¥" | "￥" | "$" | "€" | "£") => {
                let found = Diagnostic::error("E0107", span, format!("`{word}` is no unit of this language"));
                Some(found.help("write the currency after the number: `5 CNY`, `5元`"))
            }
            (_, ";") => {
                let found = Diagnostic::error("E0107", span, "`;` means nothing here");
                let found = found.help("the end of the line ends a declaration; a comma separates");
                let last =
                    self.tokens.get(self.next + 1).is_none_or(|token| token.kind == TokenKind::Newline);
                Some(found.suggest(span, if last { "" } else { "," }))
            }
            (_, "'" | "‘" | "’" | "”" | "「" | "『" | "《") => {
                let found = Diagnostic::error("E0107", span, format!("`{word}` does not begin a text"));
                Some(found.help("write texts between `\"` and `\"`"))
            }
            (_, "。" | ".") if self.expected.signs.contains(&",") || self.expected.end => Some(
                Diagnostic::error("E0107", span, format!("`{word}` means nothing here")).help("delete it"),
            ),
            _ => self.misplaced(word, span, before, before_span),
        }
    }

    /// The right word in the wrong place.
    fn misplaced(&self, word: &str, span: Span, before: &str, before_span: Span) -> Option<Diagnostic> {
        let tail = self.expected.keywords.contains(&"overrides") && !self.expected.keywords.contains(&"then");
        match word {
            "when" if tail => {
                let found = Diagnostic::error("E0102", span, "`when` comes before `then`");
                return Some(found.help("a rule says first when it applies, then what it does"));
            }
            "then" if tail => {
                let found = Diagnostic::error("E0102", span, "a rule has one `then`");
                return Some(found.help("put a comma between the things that it does"));
            }
            "," if self.expected.operator && self.expected.keywords.contains(&"then") => {
                let found = Diagnostic::error("E0107", span, "a comma does not join conditions");
                return Some(found.help("write `and` or `or` between them").suggest(span, " and"));
            }
            "," if !self.expected.signs.contains(&",") => {
                let found = Diagnostic::error("E0107", span, "this comma separates nothing");
                return Some(found.help("delete it").suggest(span, ""));
            }
            _ => {}
        }
        if before == "," && RESERVED.contains(&word) && !self.expected.keywords.contains(&word) {
            let message = format!("after this comma another part must follow, found `{word}`");
            return Some(
                Diagnostic::error("E0101", before_span, message)
                    .help("delete the comma")
                    .suggest(before_span, ""),
            );
        }
        let begins = declarations(self.kind).contains(&word);
        if begins && self.next > 0 && self.expected.end && !self.on_own_line() {
            let found = Diagnostic::error("E0102", span, format!("`{word}` must begin a line"));
            return Some(found.help("put it on a line of its own"));
        }
        None
    }
}

fn foreign(span: Span, word: &str, plain: &str) -> Diagnostic {
    Diagnostic::error("E0107", span, format!("`{word}` is no word of this language"))
        .help(format!("write `{plain}`"))
        .suggest(span, plain)
}

fn equals(span: Span, word: &str) -> Diagnostic {
    Diagnostic::error("E0107", span, format!("`{word}` does not compare"))
        .help("`is` compares; `=` sets a value")
        .suggest(span, "is")
}

fn comment(span: Span) -> Diagnostic {
    Diagnostic::error("E0107", span, "`/` does not begin a comment").help("a comment begins with `#`")
}
