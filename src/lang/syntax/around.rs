//! What stands before a place in a text that is being written: words and signs, without any grammar, so that nothing has
//! to be complete.
use super::scan::{self, Token, TokenKind};
use super::{fold, lines};
use crate::lang::ast::FileKind;
use crate::lang::source::FileId;

/// What a [`Piece`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceKind {
    Word,
    Number,
    Text,
    /// A clause, `§6.2`.
    Clause,
    Sign,
    LineBreak,
}

/// A word or sign before the place, in the plain form that the grammar knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub kind: PieceKind,
    pub text: String,
}

/// What stands before a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    /// The word that began the declaration that the place lies in, if any did.
    pub keyword: Option<&'static str>,
    /// Everything of that declaration up to the word at the place.
    pub before: Vec<Piece>,
    /// What of the word, or of the text between quotes, is written already.
    pub prefix: String,
    /// The byte of the source at which that begins.
    pub from: u32,
    /// Whether nothing but this word stands on its line so far.
    pub line_start: bool,
    /// Whether the place lies between quotes.
    pub quoted: bool,
}

/// A word that nobody writes, put at the place to find it again.
const MARK: &str = "zz9place9zz";

/// Looks around a byte of a source; `None` in a comment or in a clause.
pub fn around(kind: FileKind, source: &str, at: usize) -> Option<Around> {
    let at = source.floor_char_boundary(at.min(source.len()));
    let (head, tail) = source.split_at_checked(at)?;
    let (folded, _) = fold::fold(FileId(0), &format!("{head}{MARK}{tail}"));
    let tokens = scan::scan(&folded.text);
    let holds = |t: &Token| folded.origin(t.start) as usize <= at && at < folded.origin(t.end) as usize;
    let here = tokens.iter().position(holds)?;
    let token = tokens.get(here)?;
    let (written, _) = token.text(&folded.text).split_once(MARK)?;
    let quoted = matches!(token.kind, TokenKind::String | TokenKind::OpenString);
    let prefix = match token.kind {
        TokenKind::Word => written,
        TokenKind::String | TokenKind::OpenString if written.starts_with('"') => written.get(1..)?,
        _ => return None,
    };
    let chunks = lines::split(kind, &folded.text, &tokens);
    let chunk = chunks.iter().find(|c| c.tokens.contains(&here))?;
    let before = tokens.get(chunk.tokens.start..here)?;
    let piece = |t: &Token| Piece {
        kind: match t.kind {
            TokenKind::Word => PieceKind::Word,
            TokenKind::Number => PieceKind::Number,
            TokenKind::String | TokenKind::OpenString => PieceKind::Text,
            TokenKind::Clause => PieceKind::Clause,
            TokenKind::Sign => PieceKind::Sign,
            TokenKind::Newline => PieceKind::LineBreak,
        },
        text: t.text(&folded.text).to_owned(),
    };
    Some(Around {
        keyword: chunk.keyword,
        before: before.iter().map(piece).collect(),
        prefix: prefix.to_owned(),
        from: at.saturating_sub(prefix.len()) as u32,
        line_start: tokens.get(..here)?.last().is_none_or(|t| t.kind == TokenKind::Newline),
        quoted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(source: &str) -> Option<Around> {
        let at = source.find('‸').unwrap();
        around(FileKind::Policy, &source.replace('‸', ""), at)
    }

    #[test]
    fn the_word_at_the_place_and_what_stands_before() {
        let it = look("let x = 1\nrule 规则 when item.ca‸t then").unwrap();
        let texts: Vec<&str> = it.before.iter().map(|p| p.text.as_str()).collect();
        assert_eq!(texts, ["rule", "规则", "when", "item", "."]);
        assert_eq!((it.keyword, it.prefix.as_str(), it.from), (Some("rule"), "ca", 32));
        assert!(!it.line_start && !it.quoted);
        assert!(look("let x = 1\n  ru‸").unwrap().line_start);
        let it = look("rule a say zh \"好‸").unwrap();
        assert_eq!((it.quoted, it.prefix.as_str()), (true, "好"));
        assert_eq!(look("let x = 1 # item.‸"), None);
        assert_eq!(look("rule a §6.‸ when"), None);
        assert_eq!(look("‸").unwrap().keyword, None);
    }
}
