//! Sentences that are clear to a reader and are written in another order here: the whole sentence is written anew.

use super::keywords::{KEYWORDS, RESERVED};
use super::message::Failure;
use super::scan::{Token, TokenKind};
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;

/// How many words may stand between `rounded` and what follows: `half up to 0.10 EUR`.
const ROUNDING: usize = 5;

impl Failure<'_> {
    /// `x in a, b` and `x is a, b or c`: several values stand in braces.
    pub(super) fn in_list(&self, span: Span, word: &str) -> Option<Diagnostic> {
        if word != "," {
            return None;
        }
        let at = |back: usize| self.next.checked_sub(back).and_then(|at| self.tokens.get(at)).copied();
        let text = |back: usize| at(back).map_or("", |token| self.text_of(token));
        let (keyword, verb) = match (text(4), text(3), text(2)) {
            (_, "is", "not") => (3, "not in"),
            (_, "not", "in") => (3, "not in"),
            // `for each x in xs` and a rule's group are no conditions.
            ("for" | "each" | "rule", _, "in") => return None,
            (_, _, "in") if text(3).starts_with('§') => return None,
            (_, _, "is" | "in") => (2, "in"),
            _ => return None,
        };
        let (mut all, mut wanted, mut last) = (vec![text(1)], false, at(1)?);
        let mut rest = self.tokens.get(self.next..).unwrap_or(&[]).iter().copied();
        let mut follows = "";
        for token in rest.by_ref().filter(|token| token.kind != TokenKind::Newline) {
            match self.text_of(token) {
                "," | "or" | "and" => wanted = true,
                value if wanted && token.kind == TokenKind::Word && !RESERVED.contains(&value) => {
                    all.push(value);
                    (wanted, last) = (false, token);
                }
                other => {
                    follows = other;
                    break;
                }
            }
        }
        // What goes on after its first word is a condition of its own, not another value.
        if matches!(follows, "." | "(" | "is" | "in" | "=" | "<" | "<=" | ">" | ">=") {
            let ends = all.len() > 2 && all.pop().is_some();
            return ends.then(|| self.braces(span, &all, verb));
        }
        let found = self.braces(span, &all, verb);
        let begin = at(keyword)?;
        let whole = self.span(begin).to(self.span(last));
        Some(match all.len() {
            1 => found,
            _ => found.suggest(whole, format!("{verb} {{{}}}", all.join(", "))),
        })
    }

    fn braces(&self, span: Span, all: &[&str], verb: &str) -> Diagnostic {
        Diagnostic::error("E0107", span, "several values stand in braces")
            .help(format!("write `{verb} {{{}}}`", all.join(", ")))
    }

    /// `a rounded up * b`: what is rounded is not seen to end, so it stands in brackets.
    pub(super) fn after_rounding(&self, found: Token, span: Span) -> Option<Diagnostic> {
        let sign = self.text_of(found);
        if !matches!(sign, "+" | "-" | "*" | "/") {
            return None;
        }
        let earlier = self.tokens.get(..self.next)?;
        let from = earlier.len().saturating_sub(ROUNDING + 1);
        let rounded = from + earlier.get(from..)?.iter().rposition(|t| self.text_of(*t) == "rounded")?;
        let mut depth = 0usize;
        let mut first = rounded;
        for (at, token) in earlier.get(..rounded)?.iter().enumerate().rev() {
            match self.text_of(*token) {
                ")" | "]" | "}" => depth += 1,
                "(" | "[" | "{" if depth == 0 => break,
                "(" | "[" | "{" => depth -= 1,
                _ if depth > 0 => {}
                "," | "=" | ":" | "<" | "<=" | ">" | ">=" | ".." | "->" | "|" | "least" | "most" => break,
                word if token.kind == TokenKind::Word && KEYWORDS.contains(&word) && !units(word) => break,
                _ => {}
            }
            first = at;
        }
        let (first, last) = (earlier.get(first)?, earlier.last()?);
        let inner = self.text.get(first.start..last.end)?.split_whitespace().collect::<Vec<_>>().join(" ");
        let whole = self.span(*first).to(self.span(*last));
        let later = self.tokens.get(self.next + 1..)?;
        let ends = |token: &&Token| {
            let word = self.text_of(**token);
            matches!(word, "," | ")" | "]" | "}")
                || token.kind == TokenKind::Newline
                || token.kind == TokenKind::Word && KEYWORDS.contains(&word) && !units(word)
        };
        let end = later.iter().find(ends).map_or(self.text.len(), |token| token.start);
        let rest = self.text.get(found.end..end)?.trim();
        let message = format!("`{sign}` cannot stand after `rounded …`: what is rounded needs brackets");
        let help = format!("put brackets round what is rounded: `({inner}) {sign} {rest}`");
        Some(Diagnostic::error("E0101", span, message).help(help).suggest(whole, format!("({inner})")))
    }

    /// `4.50 EUR per hour`: both sides of a rate are counted.
    pub(super) fn rate_without_number(&self, found: Token, span: Span, before: &str) -> Option<Diagnostic> {
        let unit = self.text_of(found);
        let number = self.expected.things.contains(&"a number");
        if before != "per" || found.kind != TokenKind::Word || !number {
            return None;
        }
        let wrong = Diagnostic::error("E0123", span, "each side of `per` needs its number");
        Some(wrong.help(format!("write `per 1 {unit}`")).fix(span, format!("1 {unit}")))
    }

    /// `param fee: EUR per hour`: a rate is a value, not a type that can be declared.
    pub(super) fn rate_type(&self, span: Span, word: &str, before: &str) -> Option<Diagnostic> {
        let colon = self.earlier().nth(1) == Some(":");
        if word != "per" || !colon {
            return None;
        }
        let next = self.tokens.get(self.next + 1).filter(|token| token.kind == TokenKind::Word);
        let unit = next.map_or("hour", |token| self.text_of(*token));
        let code = if before == "money" { "EUR" } else { before };
        let wrong = Diagnostic::error("E0101", span, "there is no type for rates");
        Some(wrong.help(format!(
            "declare the amount for one {unit} (`: money`) and multiply by how many there are, or name the rate: \
             `let rate = 4.50 {code} per 1 {unit}`"
        )))
    }

    /// `say de "…"` and `say "…"`: texts are in one of two languages.
    pub(super) fn other_language(&self, found: Token, span: Span) -> Option<Diagnostic> {
        let expected = &self.expected.keywords;
        if !expected.contains(&"zh") && !expected.contains(&"en") {
            return None;
        }
        let word = self.text_of(found);
        let next = self.tokens.get(self.next + 1).filter(|token| token.kind == TokenKind::String);
        let (code, text) = match (found.kind, next) {
            (TokenKind::String, _) => (None, word),
            (TokenKind::Word, Some(text)) if word.len() <= 3 && !KEYWORDS.contains(&word) => {
                (Some(word), self.text_of(*text))
            }
            _ => return None,
        };
        let han = text.chars().any(|c| ('\u{3400}'..='\u{9fff}').contains(&c));
        let known = if han { "zh" } else { "en" };
        Some(match code {
            Some(code) => {
                let message = format!("texts are in Chinese (`zh`) or English (`en`); there is no `{code}`");
                let help = format!(
                    "a rulebook keeps these two: write the text in one of them, or your own language under \
                     `{known}` if all who read it know it: `{known} {text}`"
                );
                Diagnostic::error("E0101", span, message).help(help).suggest(span, known)
            }
            None => {
                let wrong = Diagnostic::error("E0101", span, "this text does not say its language");
                let written = format!("{known} {text}");
                wrong.help(format!("write `{written}`; `zh` is Chinese, `en` English")).suggest(span, written)
            }
        })
    }
}

/// Words of the language that end an amount, and so belong to what is rounded.
fn units(word: &str) -> bool {
    matches!(word, "per" | "days" | "from" | "to" | "months" | "years" | "hours" | "day" | "month" | "year")
}
