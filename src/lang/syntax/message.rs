//! What to tell the author when a declaration does not fit the grammar.
//!
//! The grammar's own place of failure is nearly always right; its words are fit for nobody. So the message is written
//! anew from what would have fitted there and from what stands there.

use super::expected::{Expected, join};
use super::grammar::Rule;
use super::keywords::{KEYWORDS, declarations, nearest};
use super::lower;
use super::place::Place;
use super::scan::{Token, TokenKind, scan};
use crate::lang::ast::FileKind;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;
use pest::error::{Error, ErrorVariant, InputLocation};

/// The finding for a declaration (`text`, as it was given to the grammar) that did not parse.
pub fn explain(place: &Place<'_>, kind: FileKind, text: &str, error: &Error<Rule>) -> Diagnostic {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
        let span = place.span(0, text.find('\n').unwrap_or(text.len()));
        return Diagnostic::error("E0112", span, "this declaration is too long or nests too deep to be read")
            .help("divide it; long tables belong in a CSV file");
    };
    let expected = Expected::new(positives);
    let tokens = scan(text);
    let next = tokens.partition_point(|token| token.end <= at);
    let failure = Failure { place, kind, text, tokens: &tokens, next, expected };
    failure.known().or_else(|| failure.misspelt()).unwrap_or_else(|| failure.plain())
}

/// Everything that a message is made from.
struct Failure<'a> {
    place: &'a Place<'a>,
    kind: FileKind,
    text: &'a str,
    tokens: &'a [Token],
    /// The token at the place of failure; line breaks are tokens.
    next: usize,
    expected: Expected,
}

impl Failure<'_> {
    fn found(&self) -> Option<Token> {
        self.tokens.get(self.next).copied()
    }

    /// Whether the text ends its line at the place of failure.
    fn at_line_end(&self) -> bool {
        self.found().is_none_or(|token| token.kind == TokenKind::Newline)
    }

    fn before(&self) -> Option<Token> {
        let earlier = self.tokens.get(..self.next).unwrap_or(&[]);
        earlier.iter().rev().find(|token| token.kind != TokenKind::Newline).copied()
    }

    /// The first word of the next line, if the failure is at a line's end.
    fn next_line(&self) -> Option<Token> {
        let later = self.tokens.get(self.next..).unwrap_or(&[]);
        later.iter().find(|token| token.kind != TokenKind::Newline).copied()
    }

    fn text_of(&self, token: Token) -> &str {
        token.text(self.text)
    }

    fn span(&self, token: Token) -> Span {
        self.place.span(token.start, token.end)
    }

    /// Mistakes that many make, with their own words.
    fn known(&self) -> Option<Diagnostic> {
        let found = self.found()?;
        let word = self.text_of(found);
        let span = self.span(found);
        let before = self.before().map_or("", |token| self.text_of(token));
        if let Some((message, help)) = lower::refused(word) {
            return Some(Diagnostic::error("E0113", span, message).help(help));
        }
        match word {
            "=" | "==" if self.expected.operator || before == "=" => {
                let found = Diagnostic::error("E0107", span, format!("`{word}` does not compare"));
                return Some(found.help("`is` compares; `=` sets a value").suggest(span, "is"));
            }
            "is" if self.expected.signs.contains(&"=") && before != "=" => {
                let found = Diagnostic::error("E0107", span, "`is` compares, it does not set");
                return Some(self.with_help(found).suggest(span, "="));
            }
            ":" if self.expected.signs.contains(&"=") && !self.expected.signs.contains(&":") => {
                let found = Diagnostic::error("E0107", span, "`:` comes before a type; here a value is set");
                return Some(found.help("write `name = value`").suggest(span, "="));
            }
            "&" | "&&" | "||" | "!" => {
                let plain = match word {
                    "||" => "or",
                    "!" => "not",
                    _ => "and",
                };
                let found = Diagnostic::error("E0107", span, format!("`{word}` is no word of this language"));
                return Some(found.help(format!("write `{plain}`")).suggest(span, plain));
            }
            ";" => {
                let found = Diagnostic::error("E0107", span, "`;` means nothing here");
                return Some(
                    found
                        .help("the end of the line ends a declaration; a comma separates")
                        .suggest(span, ","),
                );
            }
            "'" | "‘" | "’" | "”" | "「" | "『" | "《" => {
                let found = Diagnostic::error("E0107", span, format!("`{word}` does not begin a text"));
                return Some(found.help("write texts between `\"` and `\"`"));
            }
            "|" if before == "|" && self.expected.things.contains(&"a value") => {
                let gap = self.before().map_or(span, |token| self.span(token).to(span));
                let found = Diagnostic::error("E0131", gap, "this cell is empty");
                return Some(found.help("write `-` if anything fits, `absent` if there must be nothing"));
            }
            "。" | "." if self.expected.signs.contains(&",") || self.expected.end => {
                return Some(
                    Diagnostic::error("E0107", span, format!("`{word}` means nothing here"))
                        .help("delete it"),
                );
            }
            _ => {}
        }
        if self.expected.operator
            && found.kind == TokenKind::Word
            && matches!(word, "equals" | "eq" | "等于" | "是")
        {
            let found = Diagnostic::error("E0107", span, format!("`{word}` is no word of this language"));
            return Some(found.help("`is` compares").suggest(span, "is"));
        }
        if found.kind == TokenKind::Word
            && declarations(self.kind).contains(&word)
            && self.next > 0
            && self.expected.end
        {
            let found = Diagnostic::error("E0102", span, format!("`{word}` must begin a line"));
            return Some(found.help("put it on a line of its own"));
        }
        None
    }

    /// A word that is nearly the one that belongs here, or the word before it, if that was taken for a name or unit.
    fn misspelt(&self) -> Option<Diagnostic> {
        let here = if self.at_line_end() { self.next_line() } else { self.found() };
        let taken = self.before();
        // A keyword in the place of another is a slip only where nothing but a keyword fits.
        let strict = self.expected.things.is_empty() && !self.expected.end && !self.expected.operator;
        [here, taken].into_iter().flatten().find_map(|token| {
            let word = self.text_of(token);
            let known = KEYWORDS.contains(&word) && !(strict && Some(token) == here);
            if token.kind != TokenKind::Word || known {
                return None;
            }
            let candidates = || self.expected.keywords.iter().copied();
            let longer = || {
                candidates().find(|keyword| word.len() >= 3 && keyword.starts_with(word) && *keyword != word)
            };
            let meant = nearest(word, candidates()).or_else(longer)?;
            let span = self.span(token);
            let found = Diagnostic::error("E0105", span, format!("`{word}` does not fit here"));
            Some(found.help(format!("did you mean `{meant}`?")).suggest(span, meant))
        })
    }

    fn plain(&self) -> Diagnostic {
        let wanted = self.expected.list();
        let own_line = self.next.checked_sub(1).and_then(|at| self.tokens.get(at));
        let own_line = own_line.is_some_and(|token| token.kind == TokenKind::Newline);
        // Either the declaration was complete and a line follows that belongs to nothing, or something is missing.
        if let Some(stray) =
            self.next_line().filter(|_| self.expected.end && (own_line || self.at_line_end()))
        {
            return self.stray(stray);
        }
        if self.at_line_end() {
            let span = self.before().map_or(self.place.span(0, 0), |token| self.span(token).after());
            let comma = self.before().is_some_and(|token| self.text_of(token) == ",");
            let message = match comma {
                true => format!("after a comma something must follow: expected {wanted}"),
                false => format!("the line ends too early: expected {wanted}"),
            };
            return self.with_help(Diagnostic::error("E0101", span, message).label("after this"));
        }
        let Some(found) = self.found() else {
            return Diagnostic::error("E0101", self.place.span(0, 0), format!("expected {wanted}"));
        };
        let shown = self.text_of(found);
        let span = self.span(found);
        if KEYWORDS.contains(&shown) && self.expected.only_name() {
            let message = format!("`{shown}` is a word of the language and cannot be a name here");
            return Diagnostic::error("E0106", span, message).help("choose another name");
        }
        if self.expected.end && wanted.is_empty() {
            let message = format!("nothing may follow here, found `{shown}`");
            return Diagnostic::error("E0101", span, message)
                .help("begin a new line with the next declaration");
        }
        self.with_help(Diagnostic::error("E0101", span, format!("expected {wanted}, found `{shown}`")))
    }

    /// A line that neither goes on the one above nor begins a declaration.
    fn stray(&self, stray: Token) -> Diagnostic {
        let word = self.text_of(stray);
        let span = self.span(stray);
        let kinds =
            [(FileKind::Vocabulary, ".vocab"), (FileKind::Policy, ".policy"), (FileKind::Cases, ".cases")];
        if let Some((_, extension)) = kinds.iter().find(|(kind, _)| declarations(*kind).contains(&word)) {
            let found =
                Diagnostic::error("E0102", span, format!("`{word}` cannot stand in this kind of file"));
            return found.help(format!("it belongs in a `{extension}` file"));
        }
        let words: Vec<String> = declarations(self.kind).iter().map(|word| format!("`{word}`")).collect();
        Diagnostic::error("E0102", span, format!("a line cannot begin with `{word}` here")).help(format!(
            "a line goes on after a comma or an operator; a declaration begins with {}",
            join(&words)
        ))
    }

    fn with_help(&self, found: Diagnostic) -> Diagnostic {
        let comma = self.before().is_some_and(|token| self.text_of(token) == ",");
        let help = if comma && self.at_line_end() {
            "delete the comma, or write what should follow it"
        } else if self.expected.keywords.contains(&"then") && !self.expected.keywords.contains(&"else") {
            "a rule says `when` it applies and `then` what it does"
        } else if self.expected.signs.contains(&"|") {
            "a row begins and ends with `|`"
        } else if self.expected.keywords == ["else"] {
            "every `if` has a `then` and an `else`"
        } else if self.expected.keywords == ["to"] {
            "write `days from A to B`"
        } else if self.expected.things.contains(&"a value") {
            "something is missing: a name, a number, a text, or brackets"
        } else {
            match self.form() {
                Some(form) => return found.help(format!("write it like `{form}`")),
                None => return found,
            }
        };
        found.help(help)
    }

    /// What the declaration looks like when it is right.
    fn form(&self) -> Option<&'static str> {
        let first = self.tokens.iter().find(|token| token.kind != TokenKind::Newline)?;
        Some(match self.text_of(*first) {
            "vocabulary" => "vocabulary retail version 1",
            "version" => "version 1",
            "enum" => "enum season { spring, summer }",
            "taxonomy" => "taxonomy category { apparel { clothing, fur }, fresh }",
            "unit" => "unit point step 1",
            "currency" => "currency CNY step 0.01",
            "entity" => "entity item { category: category, season: season? }",
            "record" => "record due { kind: due_kind, amount: money }",
            "fact" => "fact member_spend(year: integer): money from records",
            "decision" => "decision earn given member, lines { points: one point else 0 point }",
            "calendar" => "calendar mainland { closed 2026-10-01 through 2026-10-07, open 2026-10-10 }",
            "policy" => "policy jiajie.returns decides return_item",
            "library" => "library jiajie.common",
            "let" => "let until = receipt.date + 7 days",
            "param" => "param limit: money = 300 CNY",
            "set" => "set jiajie.returns.limit = 500 CNY",
            "table" => "table window(c: category) -> length: period",
            "rows" => "rows jiajie.returns.window",
            "rule" | "binding" => "rule opened §6.4 when item.opened then deny",
            "cases" => "cases for return_item at s001",
            "background" => "background \"clean\" receipt.till_slip = yes",
            "case" => "case \"day 8\" given today = 2026-07-09 expect deny",
            _ => return None,
        })
    }
}
