//! A table of which some rows cannot be read: each of them is told, and the others are kept, as those of a CSV file are.

use super::file::Reader;
use super::lines::{self, Chunk};
use super::scan::{Token, TokenKind};
use super::{brackets, grammar, message};
use crate::lang::source::Span;
use pest::error::InputLocation;
use std::ops::Range;

/// So many bad rows are looked for: with each of them the whole table is read again.
const MOST_BAD: usize = 20;

impl Reader<'_> {
    /// Reads a table or `rows …` without the rows that cannot be read; `false`, and nothing told, if it has none or is
    /// wrong in other places too.
    pub(super) fn without_bad_rows(&mut self, chunk: &Chunk) -> bool {
        let mut tokens: Vec<Token> = self.tokens_of(chunk).to_vec();
        let start = tokens.first().map_or(0, |token| token.start);
        let mut wrong = Vec::new();
        let mut left_out: Vec<Range<usize>> = Vec::new();
        while wrong.len() <= MOST_BAD {
            let bad = brackets::check(&self.place, self.source(), &tokens);
            if let Some(found) = bad {
                let Some(row) = self.row_at(&tokens, found.span) else { return false };
                wrong.push(found);
                left_out.push(self.take_row(&mut tokens, row));
                continue;
            }
            let text = self.blanked(chunk, &tokens, start, &left_out);
            let place = self.place.at(start, None);
            match grammar::parse(self.rule(), &text) {
                // A table without a bad row is read where all declarations are.
                Ok(_) if wrong.is_empty() => return false,
                Ok(pair) => {
                    self.found.append(&mut wrong);
                    self.lower(pair, place, chunk);
                    return true;
                }
                Err(error) => {
                    let (InputLocation::Pos(at) | InputLocation::Span((at, _))) = error.location;
                    let found = message::explain(&place, self.kind, &text, &error);
                    let row = self.row_of(&tokens, start + at);
                    let Some(row) = row else { return false };
                    wrong.push(found);
                    left_out.push(self.take_row(&mut tokens, row));
                }
            }
        }
        false
    }

    /// The text of the declaration with blanks for the rows that are left out, so that places stay the same.
    fn blanked(&self, chunk: &Chunk, tokens: &[Token], start: usize, left_out: &[Range<usize>]) -> String {
        let mut text = lines::join(self.source(), tokens, chunk.keyword);
        for row in left_out {
            let range = row.start.saturating_sub(start)..row.end.saturating_sub(start);
            if text.get(range.clone()).is_some() {
                text.replace_range(range.clone(), &" ".repeat(range.len()));
            }
        }
        text
    }

    /// The tokens of the row that a finding is about.
    fn row_at(&self, tokens: &[Token], span: Span) -> Option<Range<usize>> {
        let place = |token: &Token| self.place.file_span(token.start, token.end);
        let at = tokens.iter().find(|token| place(token).end > span.start)?.start;
        self.row_of(tokens, at)
    }

    /// The tokens of the row that holds a byte of the folded text, or ends there.
    fn row_of(&self, tokens: &[Token], at: usize) -> Option<Range<usize>> {
        let here = tokens.partition_point(|token| token.end <= at);
        let newline = |token: &Token| token.kind == TokenKind::Newline;
        let before = tokens.get(..here)?;
        let first = before.iter().rposition(newline).map_or(0, |at| at + 1);
        let rest = tokens.get(here..)?;
        let end = here + rest.iter().position(newline).unwrap_or(rest.len());
        let begins = tokens.get(first)?.text(self.source()) == "|";
        // Where the head is broken, the first bar is no row's.
        (begins && first > 0).then_some(first..end)
    }

    /// Takes a row away; the bytes that it has.
    fn take_row(&self, tokens: &mut Vec<Token>, row: Range<usize>) -> Range<usize> {
        let bytes = match tokens.get(row.clone()) {
            Some([first, .., last]) => first.start..last.end,
            Some([one]) => one.start..one.end,
            _ => 0..0,
        };
        tokens.drain(row);
        bytes
    }
}
