//! The text as a row of words and signs: what the passes around the grammar look at (lines, brackets, spelling).

use super::fold::is_word;

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    Word,
    Number,
    String,
    /// A string that its line ends before it does.
    OpenString,
    Clause,
    /// One sign, or two that belong together: `>=`, `->`, `..`.
    Sign,
    Newline,
}

/// A word or sign; bytes of the folded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
}

impl Token {
    /// The text of the token.
    pub fn text(self, source: &str) -> &str {
        source.get(self.start..self.end).unwrap_or("")
    }
}

/// Splits folded text.
pub fn scan(source: &str) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(source.len() / 4);
    let mut at = 0;
    while let Some(rest) = source.get(at..)
        && let Some(first) = rest.chars().next()
    {
        if matches!(first, ' ' | '\t' | '\r') {
            at += 1;
            continue;
        }
        let (kind, length) = token(rest, first);
        tokens.push(Token { kind, start: at, end: at + length });
        at += length;
    }
    tokens
}

fn token(rest: &str, first: char) -> (TokenKind, usize) {
    match first {
        '\n' => (TokenKind::Newline, 1),
        '"' => string(rest),
        '§' => match rest.strip_prefix('§') {
            Some(quoted) if quoted.starts_with('"') => {
                let (kind, length) = string(quoted);
                (if kind == TokenKind::String { TokenKind::Clause } else { kind }, first.len_utf8() + length)
            }
            _ => (TokenKind::Clause, rest.find([' ', '\t', '\r', '\n', '"']).unwrap_or(rest.len())),
        },
        '0'..='9' => (TokenKind::Number, number(rest)),
        _ if is_word(first) => (TokenKind::Word, rest.find(|c| !is_word(c)).unwrap_or(rest.len())),
        _ => {
            let two = rest
                .get(..2)
                .filter(|two| matches!(*two, ">=" | "<=" | "!=" | "==" | "->" | ".." | "&&" | "||"));
            // `||` is an empty cell more often than a wrong "or": the parser says which.
            let two = two.filter(|two| *two != "||");
            (TokenKind::Sign, two.map_or(first.len_utf8(), str::len))
        }
    }
}

/// A string runs to its closing quote, or to the end of its line.
fn string(rest: &str) -> (TokenKind, usize) {
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (TokenKind::String, at + 1),
            '\n' => return (TokenKind::OpenString, at),
            '\\' if !rest.get(at + 1..).is_some_and(|after| after.starts_with('\n')) => {
                chars.next();
            }
            _ => {}
        }
    }
    (TokenKind::OpenString, rest.len())
}

/// Digits with `_` between, and a fraction where a digit follows the point (`[1..2]` has none).
fn number(rest: &str) -> usize {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let whole = digits(rest);
    let fraction = rest.get(whole..).and_then(|after| after.strip_prefix('.')).map_or(0, |after| {
        if after.starts_with(|c: char| c.is_ascii_digit()) { 1 + digits(after) } else { 0 }
    });
    whole + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_signs_and_strings() {
        let source = "rule 无小票 §\"流程 6\" [1.5..2) \"a\\\"b\" x>=300元 \"open\n§6.2,x ->";
        let texts: Vec<_> = scan(source).iter().map(|token| token.text(source).to_owned()).collect();
        assert_eq!(
            texts,
            [
                "rule",
                "无小票",
                "§\"流程 6\"",
                "[",
                "1.5",
                "..",
                "2",
                ")",
                "\"a\\\"b\"",
                "x",
                ">=",
                "300",
                "元",
                "\"open",
                "\n",
                "§6.2,x",
                "->"
            ]
        );
        assert_eq!(
            scan("\"\\\n").first().map(|token| (token.kind, token.end)),
            Some((TokenKind::OpenString, 2))
        );
    }
}
