//! What to tell the author when a declaration does not fit the grammar.
//!
//! The grammar's own place of failure is nearly always right; its words are fit for nobody. So the message is written
//! anew from what would have fitted there and from what stands there.

use super::expected::{Expected, join};
use super::grammar::Rule;
use super::keywords::{KEYWORDS, declarations, nearest};
use super::place::Place;
use super::scan::{Token, TokenKind, scan};
use crate::lang::ast::FileKind;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::near::is_slip;
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
    failure.slip().or_else(|| failure.misspelt()).unwrap_or_else(|| failure.plain())
}

/// Everything that a message is made from.
pub struct Failure<'a> {
    pub place: &'a Place<'a>,
    pub kind: FileKind,
    pub text: &'a str,
    pub tokens: &'a [Token],
    /// The token at the place of failure; line breaks are tokens.
    pub next: usize,
    pub expected: Expected,
}

impl Failure<'_> {
    /// The word or sign at the place of failure.
    pub fn found(&self) -> Option<Token> {
        self.tokens.get(self.next).copied()
    }

    /// Whether the text ends its line at the place of failure.
    pub fn at_line_end(&self) -> bool {
        self.found().is_none_or(|token| token.kind == TokenKind::Newline)
    }

    /// Whether the failure is at the first word of a line.
    pub fn on_own_line(&self) -> bool {
        let before = self.next.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.is_some_and(|token| token.kind == TokenKind::Newline)
    }

    /// The last word or sign before it.
    pub fn before(&self) -> Option<Token> {
        let earlier = self.tokens.get(..self.next).unwrap_or(&[]);
        earlier.iter().rev().find(|token| token.kind != TokenKind::Newline).copied()
    }

    /// The first word of the next line, if the failure is at a line's end.
    fn next_line(&self) -> Option<Token> {
        let later = self.tokens.get(self.next..).unwrap_or(&[]);
        later.iter().find(|token| token.kind != TokenKind::Newline).copied()
    }

    /// The text of a word or sign.
    pub fn text_of(&self, token: Token) -> &str {
        token.text(self.text)
    }

    /// Its place in the file.
    pub fn span(&self, token: Token) -> Span {
        self.place.span(token.start, token.end)
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
            let certain =
                is_slip(word, meant) && candidates().filter(|other| is_slip(word, other)).count() == 1;
            let span = self.span(token);
            let found = Diagnostic::error("E0105", span, format!("`{word}` does not fit here"));
            Some(found.help(format!("did you mean `{meant}`?")).suggest(span, meant).certain_if(certain))
        })
    }

    fn plain(&self) -> Diagnostic {
        let wanted = self.expected.list();
        // Either the declaration was complete and a line follows that belongs to nothing, or something is missing.
        if let Some(stray) =
            self.next_line().filter(|_| self.expected.end && (self.on_own_line() || self.at_line_end()))
        {
            return self.stray(stray);
        }
        if self.at_line_end() {
            let span = self.before().map_or(self.place.span(0, 0), |token| self.span(token).after());
            let comma = self.before().is_some_and(|token| self.text_of(token) == ",");
            let message = match comma {
                true => format!("after a comma something must follow: expected {wanted}"),
                false if wanted.is_empty() => "the line ends too early".to_owned(),
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
        let message = match wanted.is_empty() {
            true => format!("`{shown}` cannot stand here"),
            false => format!("expected {wanted}, found `{shown}`"),
        };
        self.with_help(Diagnostic::error("E0101", span, message))
    }

    /// A line that neither goes on the one above nor begins a declaration.
    fn stray(&self, stray: Token) -> Diagnostic {
        let word = self.text_of(stray);
        let span = self.span(stray);
        if declarations(self.kind).contains(&word) {
            let found =
                Diagnostic::error("E0101", span.after(), format!("after `{word}` a name must follow"));
            let form = super::forms::declaration(word).map(|form| format!("write it like `{form}`"));
            return found.label("after this").help(form.unwrap_or_else(|| "write a name".to_owned()));
        }
        let kinds =
            [(FileKind::Vocabulary, ".vocab"), (FileKind::Policy, ".policy"), (FileKind::Cases, ".cases")];
        if let Some((_, extension)) = kinds.iter().find(|(kind, _)| declarations(*kind).contains(&word)) {
            let found =
                Diagnostic::error("E0102", span, format!("`{word}` cannot stand in this kind of file"));
            return found.help(format!("it belongs in a `{extension}` file"));
        }
        if let Some(last) = self.before().filter(|_| self.second_effect(stray)) {
            let shown = self.text_of(last);
            let message = format!("a line cannot begin with `{word}` here");
            let help = format!("is this the second thing the rule does? Put a comma after `{shown}`");
            return Diagnostic::error("E0102", span, message)
                .help(help)
                .suggest(self.span(last).after(), ",");
        }
        let words: Vec<String> = declarations(self.kind).iter().map(|word| format!("`{word}`")).collect();
        Diagnostic::error("E0102", span, format!("a line cannot begin with `{word}` here")).help(format!(
            "a line goes on after a comma, or a sign or word that wants more, like `+` or `and`; a declaration begins with {}",
            join(&words)
        ))
    }

    /// Whether a line reads like something that a rule does: `last_day = …`, `tags add …`.
    fn second_effect(&self, stray: Token) -> bool {
        let before = self.tokens.get(..self.next).unwrap_or(&[]);
        let rule = before.iter().any(|token| self.text_of(*token) == "then");
        let mut after = self.tokens.iter().skip_while(|token| token.start <= stray.start);
        let next = after.next().map_or("", |token| self.text_of(*token));
        rule && stray.kind == TokenKind::Word && matches!(next, "=" | "at" | "add" | "remove")
    }

    /// Adds what to do.
    pub fn with_help(&self, found: Diagnostic) -> Diagnostic {
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
                None => "something is missing or too much here; compare with a line that is right",
            }
        };
        found.help(help)
    }

    /// What the part at hand looks like when it is right: the nearest word before that has a form, else the declaration.
    fn form(&self) -> Option<&'static str> {
        let before = self.tokens.get(..self.next).unwrap_or(&[]);
        let mut words = before.iter().enumerate().rev().filter(|(_, token)| token.kind == TokenKind::Word);
        let part = words.find_map(|(at, token)| {
            // A field may be called like a part.
            let field =
                at.checked_sub(1).and_then(|at| before.get(at)).is_some_and(|dot| self.text_of(*dot) == ".");
            if field || self.kind == FileKind::Vocabulary {
                None
            } else {
                super::forms::part(self.text_of(*token))
            }
        });
        let first = self.tokens.iter().find(|token| token.kind != TokenKind::Newline)?;
        part.or_else(|| super::forms::declaration(self.text_of(*first)))
    }
}
