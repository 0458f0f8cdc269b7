//! From places in a declaration's text back to places in the file.

use super::fold::Folded;
use super::grammar::Rule;
use crate::lang::source::{FileId, Span};
use pest::iterators::Pair;

/// Where the text that is being parsed stands.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub file: FileId,
    pub folded: &'a Folded,
    /// Where the declaration begins in the folded text.
    pub base: usize,
    /// A first word that was mended: its length in the folded text, and the length of the word put there.
    pub mended: Option<(usize, usize)>,
    /// Where the folded text begins in the file, and its last byte: for cells of a CSV file.
    pub offset: u32,
    pub limit: u32,
    /// The one place of all there is, where the text does not stand in the file as it was read: a cell with doubled quotes.
    pub whole: Option<Span>,
}

impl<'a> Place<'a> {
    /// The beginning of a file.
    pub fn file(file: FileId, folded: &'a Folded) -> Self {
        Place { file, folded, base: 0, mended: None, offset: 0, limit: u32::MAX, whole: None }
    }

    /// The same file, at a declaration.
    pub fn at(self, base: usize, mended: Option<(usize, usize)>) -> Self {
        Place { base, mended, ..self }
    }

    /// The span of bytes of the whole folded text.
    pub fn file_span(&self, start: usize, end: usize) -> Span {
        if let Some(whole) = self.whole {
            return whole;
        }
        let start = self.offset.saturating_add(self.folded.origin(start)).min(self.limit);
        let end = self.offset.saturating_add(self.folded.origin(end)).min(self.limit);
        Span::new(self.file, start, end.max(start))
    }

    /// A byte of the declaration's text as one of the folded text.
    pub fn folded_at(&self, at: usize) -> usize {
        let shifted = match self.mended {
            Some((was, is)) if at >= is => at - is + was,
            Some((was, _)) => at.min(was),
            None => at,
        };
        self.base + shifted
    }

    /// The span of bytes of the declaration's text.
    pub fn span(&self, start: usize, end: usize) -> Span {
        self.file_span(self.folded_at(start), self.folded_at(end))
    }

    /// The span of what was parsed, without the blanks that the grammar took after it.
    pub fn pair(&self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        let length = span.as_str().trim_end_matches([' ', '\t', '\r', '\n']).len();
        self.span(span.start(), span.start() + length)
    }
}
