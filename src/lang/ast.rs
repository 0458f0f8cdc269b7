//! The syntax tree: what the author wrote, before any name or type means something.
//!
//! Plain data. Every node has the span of its text; names are in NFC. What the grammar cannot know (which unit, enum
//! or rule a name means, how many cells a row needs) is left to the checker.

mod cases;
mod expr;
mod policy;
mod vocabulary;

pub use cases::*;
pub use expr::*;
pub use policy::*;
pub use vocabulary::*;

use super::source::Span;
use chrono::NaiveDate;

/// A word that names something; `text` is in NFC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub text: String,
    pub span: Span,
}

/// Names with dots between, at least one: `jiajie.returns.window`, `item.season`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    pub parts: Vec<Name>,
    pub span: Span,
}

impl Path {
    /// The path as it is written, with dots.
    pub fn text(&self) -> String {
        self.parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(".")
    }

    /// The only name, if there is no dot.
    pub fn single(&self) -> Option<&Name> {
        match self.parts.as_slice() {
            [name] => Some(name),
            _ => None,
        }
    }
}

/// A string between quotes, escapes resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub value: String,
    pub span: Span,
}

/// Words for people: `zh "…" en "…"`. Both may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    pub zh: Option<Text>,
    pub en: Option<Text>,
}

impl Labels {
    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.zh.is_none() && self.en.is_none()
    }
}

/// `§6.2` or `§"流程 6"`; `text` is without the sign and the quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    pub text: String,
    pub span: Span,
}

/// A calendar date that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateLit {
    pub date: NaiveDate,
    pub span: Span,
}

/// `from` (inclusive), `before` (exclusive), `through` (inclusive). At most one of the two ends is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dates {
    pub from: Option<DateLit>,
    pub before: Option<DateLit>,
    pub through: Option<DateLit>,
}

impl Dates {
    /// Whether no date was written.
    pub fn is_empty(&self) -> bool {
        self.from.is_none() && self.before.is_none() && self.through.is_none()
    }
}

/// A declaration that could not be read. Its name is kept, so that uses of it are not errors of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The declaration's keyword: `rule`, `table`, `enum` …
    pub keyword: String,
    /// The name, where there was one; for a case or a background the string.
    pub name: Option<Name>,
    pub span: Span,
}

/// What kind of text a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    Vocabulary,
    Policy,
    Cases,
}

impl FileKind {
    /// The kind by a file name's extension; `None` for other files.
    pub fn of(name: &str) -> Option<FileKind> {
        match name.rsplit_once('.')?.1 {
            "vocab" => Some(FileKind::Vocabulary),
            "policy" => Some(FileKind::Policy),
            "cases" => Some(FileKind::Cases),
            _ => None,
        }
    }
}

/// A parsed file.
#[derive(Debug, Clone, PartialEq)]
pub enum File {
    Vocabulary(VocabFile),
    Policy(PolicyFile),
    Cases(CasesFile),
}
