//! Brackets, strings and figures are looked at before the grammar runs: the grammar could only say that something else
//! was expected much further down, and deep nesting must never reach it.

use super::keywords::KEYWORDS;
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
                if let Some(found) = unclosed_before(place, source, tokens.get(..at).unwrap_or(&[])) {
                    return Some(found);
                }
                let span = place.file_span(token.start, token.end);
                let found = Diagnostic::error("E0108", span, "this text is not closed on its line");
                return Some(found.label("begins here").help("close it with `\"`; a text stays on one line"));
            }
            TokenKind::Number => {
                let rest = tokens.get(at..).unwrap_or(&[]);
                let grouped = thousands(place, source, rest, !open.is_empty());
                if let Some(found) = grouped.or_else(|| dates(place, source, rest)) {
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
                        let found =
                            found.help(format!("write `{wanted}` instead, or close the other bracket first"));
                        return Some(found.note(place.file_span(opener.start, opener.end), "opened here"));
                    }
                    None => {
                        let span = place.file_span(token.start, token.end);
                        let found = Diagnostic::error("E0111", span, format!("`{closer}` closes nothing"));
                        let found = found.help("delete it, or open the bracket that it should close");
                        return Some(match opened_at(source, tokens.get(..at).unwrap_or(&[]), *token) {
                            Some(line) => found.note(
                                place.file_span(line.start, line.end),
                                "was it to be opened after this?",
                            ),
                            None => found,
                        });
                    }
                },
                _ => {}
            },
            _ => {}
        }
    }
    let (opener, _) = open.pop()?;
    Some(match ends_before(source, tokens) {
        Some((opener, line)) => {
            let at = place.file_span(line.start, line.end);
            never_closed(place, source, opener).note(at, "probably before this line")
        }
        None => never_closed(place, source, opener),
    })
}

/// How far the line of a token is set in.
fn inset(source: &str, token: Token) -> usize {
    let line = source.get(..token.start).and_then(|text| text.rfind('\n')).map_or(0, |at| at + 1);
    let before = source.get(line..token.start).unwrap_or("");
    before.len() - before.trim_start().len()
}

/// The last word of the line that a closing bracket on a line of its own probably belongs to: the nearest one above that
/// is set in as far.
fn opened_at(source: &str, before: &[Token], closer: Token) -> Option<Token> {
    let newline = |token: &Token| token.kind == TokenKind::Newline;
    if !before.last().is_some_and(newline) {
        return None;
    }
    let mut lines = before.split(newline).rev();
    let line = lines.find(|line| {
        line.first().is_some_and(|first| {
            first.kind == TokenKind::Word && inset(source, *first) == inset(source, closer)
        })
    });
    line?.last().copied()
}

/// The bracket whose block ends where a line stands no further in than the line of the bracket: the one that was
/// probably not closed. Whoever writes a block on several lines sets it in.
fn ends_before(source: &str, tokens: &[Token]) -> Option<(Token, Token)> {
    let column = |token: Token| inset(source, token);
    let mut open: Vec<(Token, usize)> = Vec::new();
    let mut line_start = true;
    for token in tokens {
        let first = std::mem::replace(&mut line_start, token.kind == TokenKind::Newline);
        let text = token.text(source);
        if first && token.kind == TokenKind::Word {
            if let Some((opener, inset)) = open.last().filter(|(_, inset)| column(*token) <= *inset) {
                // A declaration that is not set in at all says nothing.
                return (column(*token) > 0 || *inset > 0).then_some((*opener, *token));
            }
        }
        match text {
            "(" | "[" | "{" if token.kind == TokenKind::Sign => open.push((*token, column(*token))),
            ")" | "]" | "}" if token.kind == TokenKind::Sign => {
                open.pop();
            }
            _ => {}
        }
    }
    None
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

/// A text that goes on to the quote that should begin the next one: a word stands right after it.
fn unclosed_before(place: &Place<'_>, source: &str, before: &[Token]) -> Option<Diagnostic> {
    let line = before.iter().rposition(|token| token.kind == TokenKind::Newline).map_or(0, |at| at + 1);
    let line = before.get(line..).unwrap_or(&[]);
    let pairs = line.iter().zip(line.iter().skip(1));
    let (text, _) = pairs.into_iter().find(|(text, next)| {
        text.kind == TokenKind::String
            && text.text(source).ends_with([' ', '"'])
            && next.kind == TokenKind::Word
            && next.start == text.end
    })?;
    let span = place.file_span(text.start, text.start + 1);
    let found = Diagnostic::error("E0108", span, "this text is not closed before the next one begins");
    Some(found.label("begins here").help("close it with `\"`"))
}

/// `2026/12/20` would be a division, `2026年12月20日` an amount of something.
fn dates(place: &Place<'_>, source: &str, tokens: &[Token]) -> Option<Diagnostic> {
    let [year, next, ..] = tokens else { return None };
    let (first, word) = (year.text(source), next.text(source));
    if first.len() != 4 || year.end != next.start {
        return None;
    }
    let (month, day, end, message) = if word == "/" {
        let [_, _, month, slash, day, ..] = tokens else { return None };
        let joined = month.start == next.end && slash.start == month.end && day.start == slash.end;
        if !joined || slash.text(source) != "/" {
            return None;
        }
        (month.text(source), day.text(source), day.end, "a date is not written with `/`")
    } else {
        let (month, rest) = word.strip_prefix('年')?.split_once('月')?;
        let day = rest.strip_suffix(['日', '号']).unwrap_or(rest);
        (month, day, next.end, "a date is not written with 年 and 月")
    };
    let figures = |text: &str| text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
    let (month, day) = (month, day);
    if !(figures(month) && figures(day)) || month.is_empty() || day.is_empty() {
        return None;
    }
    let plain = format!("{first}-{month:0>2}-{day:0>2}");
    let span = place.file_span(year.start, end);
    let found = Diagnostic::error("E0115", span, message);
    Some(found.help(format!("write `{plain}`")).fix(span, plain))
}

/// `10,000` would be two numbers in a list, and nobody would notice.
fn thousands(place: &Place<'_>, source: &str, tokens: &[Token], enclosed: bool) -> Option<Diagnostic> {
    let [whole, comma, part, ..] = tokens else { return None };
    let adjacent = whole.end == comma.start && comma.end == part.start;
    let figures = part.kind == TokenKind::Number && part.end - part.start >= 3;
    let three = part.text(source).split('.').next().is_some_and(|digits| digits.len() == 3);
    if !(adjacent && figures && three && comma.text(source) == "," && whole.end - whole.start <= 3) {
        return None;
    }
    let span = place.file_span(whole.start, part.end);
    let joined = format!("{}_{}", whole.text(source), part.text(source));
    // In brackets these may be two values; elsewhere `000` and a unit leave no doubt.
    let unit = tokens
        .get(3)
        .is_some_and(|next| next.kind == TokenKind::Word && !KEYWORDS.contains(&next.text(source)));
    let certain = !enclosed && (unit || part.text(source).starts_with('0'));
    let found = Diagnostic::error("E0118", span, "a comma does not group the digits of a number");
    Some(
        found
            .help("write `_` between the digits, or a blank after the comma if these are two numbers")
            .suggest(span, joined)
            .certain_if(certain),
    )
}
