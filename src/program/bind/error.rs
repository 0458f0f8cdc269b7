//! What is wrong with given facts: where, what was expected, and what to write instead.
use std::fmt;

/// The kind of a problem; the code is stable and part of the server's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactProblem {
    /// Not JSON at all.
    Malformed,
    /// A value of another type, or written in another form.
    Type,
    /// A key that the vocabulary does not have.
    UnknownField,
    /// A name that is not a member of the enum or taxonomy.
    UnknownMember,
    /// A key, a set's element or a fact's arguments given twice.
    Duplicate,
    /// Not a multiple of the currency's or unit's step.
    OffStep,
    /// Beyond the numbers and dates of the language.
    Range,
    /// Beyond the bounds that the vocabulary gives the fact.
    Bounds,
    /// `null` for a fact that cannot be absent.
    NotOptional,
    /// A list with too many rows.
    TooLong,
    /// A fact with arguments that lacks one, or its value.
    Incomplete,
}

impl FactProblem {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            FactProblem::Malformed => "malformed-facts",
            FactProblem::Type => "fact-type",
            FactProblem::UnknownField => "unknown-fact",
            FactProblem::UnknownMember => "unknown-member",
            FactProblem::Duplicate => "duplicate-fact",
            FactProblem::OffStep => "off-step",
            FactProblem::Range => "out-of-range",
            FactProblem::Bounds => "out-of-bounds",
            FactProblem::NotOptional => "not-optional",
            FactProblem::TooLong => "too-many-rows",
            FactProblem::Incomplete => "incomplete-fact",
        }
    }
}

/// The first problem of given facts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct FactError {
    pub problem: FactProblem,
    /// `facts.lines[2].paid`.
    pub path: String,
    /// What was expected, what was found, what to write.
    pub message: String,
}

/// One step of a path, collected from the inside out while a failed read unwinds.
#[derive(Debug, Clone)]
pub(super) enum Segment {
    Field(Box<str>),
    Index(u32),
}

/// `facts` and the segments, outermost last.
pub(super) fn path(segments: &[Segment]) -> String {
    let mut out = String::from("facts");
    for segment in segments.iter().rev() {
        match segment {
            Segment::Field(name) => {
                out.push('.');
                out.push_str(name);
            }
            Segment::Index(n) => out.push_str(&format!("[{n}]")),
        }
    }
    out
}

/// What was found, in a few words. Long texts are cut: the message is for people.
pub(super) enum Found<'a> {
    Bool(bool),
    Integer(i128),
    /// A number with a fraction or an exponent, or one that is too big; as it was written.
    Number(&'a str),
    Text(&'a str),
    Null,
    Object,
    List,
}

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Bool(b) => write!(f, "{b}"),
            Found::Integer(n) => write!(f, "the JSON number {n}"),
            Found::Number(text) => write!(f, "the JSON number {text}"),
            Found::Text(text) => write!(f, "the text {}", quoted(text)),
            Found::Null => f.write_str("null"),
            Found::Object => f.write_str("an object"),
            Found::List => f.write_str("a list"),
        }
    }
}

/// The text between quotes, control characters escaped, cut after 60 characters.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for (n, c) in text.chars().enumerate() {
        if n == 60 {
            out.push('…');
            break;
        }
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
