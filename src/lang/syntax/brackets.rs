//! Brackets, strings and figures are looked at before the grammar runs: the grammar could only say that something else
//! was expected much further down, and deep nesting must never reach it.

use super::place::Place;
use super::scan::{Token, TokenKind};
use crate::lang::diagnostic::Diagnostic;

/// How deep brackets may nest.
pub const MAX_DEPTH: usize = 64;

/// The first thing wrong with the brackets and strings of a declaration.
pub fn check(place: &Place<'_>, source: &str, tokens: &[Token]) -> Option<Diagnostic> {
    let mut open: Vec<(Token, bool)> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::OpenString => {
                let span = place.file_span(token.start, token.end);
                let found = Diagnostic::error("E0108", span, "this string is not closed on its line");
                return Some(
                    found.label("begins here").help("close it with `\"`; a string stays on one line"),
                );
            }
            TokenKind::Number => {
                if let Some(found) = thousands(place, source, tokens.get(at..).unwrap_or(&[])) {
                    return Some(found);
                }
            }
            TokenKind::Sign => match token.text(source) {
                "(" | "[" | "{" => {
                    if open.len() == MAX_DEPTH {
                        let span = place.file_span(token.start, token.end);
                        let found = Diagnostic::error(
                            "E0112",
                            span,
                            format!("brackets nest more than {MAX_DEPTH} deep"),
                        );
                        return Some(found.help("give a part a name of its own with `let`"));
                    }
                    open.push((*token, false));
                }
                ".." => {
                    if let Some(last) = open.last_mut() {
                        last.1 = true;
                    }
                }
                closer @ (")" | "]" | "}") => match open.pop() {
                    Some((opener, interval)) if fits(opener.text(source), closer, interval) => {}
                    Some((opener, _))
                        if open.iter().any(|(other, dots)| fits(other.text(source), closer, *dots)) =>
                    {
                        return Some(never_closed(place, source, opener));
                    }
                    Some((opener, _)) => {
                        let span = place.file_span(token.start, token.end);
                        let wanted = closing(opener.text(source));
                        let message = format!("`{closer}` cannot close `{}`", opener.text(source));
                        let found =
                            Diagnostic::error("E0111", span, message).label(format!("expected `{wanted}`"));
                        return Some(found.note(place.file_span(opener.start, opener.end), "opened here"));
                    }
                    None => {
                        let span = place.file_span(token.start, token.end);
                        let found = Diagnostic::error("E0111", span, format!("`{closer}` closes nothing"));
                        return Some(found.help("delete it, or open the bracket that it should close"));
                    }
                },
                _ => {}
            },
            _ => {}
        }
    }
    open.pop().map(|(opener, _)| never_closed(place, source, opener))
}

/// An interval may have a round and a square end; everything else closes as it opened.
fn fits(opener: &str, closer: &str, interval: bool) -> bool {
    closing(opener) == closer || interval && opener != "{" && closer != "}"
}

fn closing(opener: &str) -> &'static str {
    match opener {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}

fn never_closed(place: &Place<'_>, source: &str, opener: Token) -> Diagnostic {
    let sign = opener.text(source);
    Diagnostic::error("E0110", place.file_span(opener.start, opener.end), format!("`{sign}` is never closed"))
        .help(format!("write `{}` where it should end", closing(sign)))
}

/// `10,000` would be two numbers in a list, and nobody would notice.
fn thousands(place: &Place<'_>, source: &str, tokens: &[Token]) -> Option<Diagnostic> {
    let [whole, comma, part, ..] = tokens else { return None };
    let adjacent = whole.end == comma.start && comma.end == part.start;
    let figures = part.kind == TokenKind::Number && part.end - part.start >= 3;
    let three = part.text(source).split('.').next().is_some_and(|digits| digits.len() == 3);
    if !(adjacent && figures && three && comma.text(source) == "," && whole.end - whole.start <= 3) {
        return None;
    }
    let span = place.file_span(whole.start, part.end);
    let joined = format!("{}_{}", whole.text(source), part.text(source));
    let found = Diagnostic::error("E0118", span, "a comma does not group the digits of a number");
    Some(
        found
            .help("write `_` between the digits, or a blank after the comma if these are two numbers")
            .suggest(span, joined),
    )
}
