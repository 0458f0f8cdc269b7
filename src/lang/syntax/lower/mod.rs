//! From what the grammar matched to the syntax tree.
//!
//! The grammar promises the shapes; where a part is missing all the same, `None` goes up and the declaration is reported
//! as unreadable instead of being guessed at.

mod atom;
mod call;
mod cases;
mod expr;
mod policy;
mod table;
mod vocabulary;

pub use atom::refused;

use super::grammar::Rule;
use super::place::Place;
use crate::lang::ast::{Clause, DateLit, Dates, Labels, Name, Number, ParamDecl, Path, Text, Type, TypeKind};
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::{SourceMap, Span};
use chrono::NaiveDate;
use pest::iterators::Pair;
use unicode_normalization::UnicodeNormalization;

/// A pair of the grammar.
pub type P<'i> = Pair<'i, Rule>;

/// Builds the tree of one declaration and gathers what is wrong with it.
pub struct Lower<'a> {
    pub place: Place<'a>,
    pub map: &'a SourceMap,
    pub found: Vec<Diagnostic>,
    /// Something stands in the tree that the author did not write: it must not be checked.
    pub guessed: bool,
    /// Of the expression that is being built.
    budget: expr::Budget,
}

impl<'a> Lower<'a> {
    /// For a declaration at `place`.
    pub fn new(map: &'a SourceMap, place: Place<'a>) -> Self {
        Lower { place, map, found: Vec::new(), guessed: false, budget: expr::Budget::default() }
    }

    fn span(&self, pair: &P<'_>) -> Span {
        self.place.pair(pair)
    }

    fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>, help: &str) {
        self.found.push(Diagnostic::error(code, span, message).help(help));
    }

    fn name(&self, pair: &P<'_>) -> Name {
        Name { text: nfc(pair.as_str()), span: self.span(pair) }
    }

    fn path(&self, pair: &P<'_>) -> Path {
        let start = pair.as_span().start();
        let mut parts = Vec::new();
        let mut at = start;
        for word in pair.as_str().split('.') {
            parts.push(Name { text: nfc(word), span: self.place.span(at, at + word.len()) });
            at += word.len() + 1;
        }
        Path { parts, span: self.span(pair) }
    }

    /// Escapes are resolved in the text of the file, because folding may have written the quotes anew.
    fn string(&mut self, pair: &P<'_>) -> Text {
        let span = self.span(pair);
        let inner = match self.map.snippet(span) {
            // In a CSV cell the text may differ from the file's (doubled quotes): take what was parsed.
            _ if self.place.limit != u32::MAX => pair.as_str(),
            written => written,
        };
        let mut chars = inner.chars();
        chars.next();
        chars.next_back();
        let mut value = String::new();
        while let Some(c) = chars.next() {
            if c != '\\' {
                value.push(c);
                continue;
            }
            match chars.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some(same @ ('"' | '\\' | '“' | '”')) => value.push(same),
                other => {
                    let sign = other.map(String::from).unwrap_or_default();
                    let help = "write `\\\\` for a backslash, `\\\"` for a quote, `\\n` for a new line";
                    self.error("E0109", span, format!("`\\{sign}` means nothing in a text"), help);
                }
            }
        }
        Text { value, span }
    }

    fn clause(&mut self, pair: P<'_>) -> Option<Clause> {
        let span = self.span(&pair);
        let inner = pair.into_inner().next()?;
        let text = match inner.as_rule() {
            Rule::string => self.string(&inner).value,
            _ if self.place.limit != u32::MAX => inner.as_str().to_owned(),
            _ => self.map.snippet(self.span(&inner)).to_owned(),
        };
        Some(Clause { text, span })
    }

    pub fn number(&mut self, pair: &P<'_>) -> Number {
        let span = self.span(pair);
        let text: String = pair.as_str().chars().filter(|c| *c != '_').collect();
        if text.len() > MAX_DIGITS {
            let message = format!("this number has more than {MAX_DIGITS} digits");
            self.error("E0117", span, message, "no amount of money needs so many");
            return Number { text: "0".to_owned(), span };
        }
        Number { text, span }
    }

    /// A date without a time; one that does not exist is reported and read as some date.
    fn date(&mut self, pair: &P<'_>) -> DateLit {
        let span = self.span(pair);
        let text = pair.as_str();
        let date = if text.len() == 10 { NaiveDate::parse_from_str(text, "%Y-%m-%d").ok() } else { None };
        if date.is_none() {
            self.guessed = true;
            let help = "write the year, the month and the day with two figures each: `2026-07-01`";
            self.error("E0115", span, format!("`{text}` is not a date"), help);
        }
        DateLit { date: date.unwrap_or_default(), span }
    }

    fn dates(&mut self, pair: P<'_>) -> Dates {
        let mut dates = Dates::default();
        let mut word = Rule::kw_from;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::date => {
                    let date = Some(self.date(&part));
                    match word {
                        Rule::kw_before => dates.before = date,
                        Rule::kw_through => dates.through = date,
                        _ => dates.from = date,
                    }
                }
                keyword => word = keyword,
            }
        }
        if self.guessed {
            return dates;
        }
        let reversed = match (dates.from, dates.before, dates.through) {
            (Some(from), Some(before), _) if before.date <= from.date => Some(before.span),
            (Some(from), _, Some(through)) if through.date < from.date => Some(through.span),
            _ => None,
        };
        if let Some(span) = reversed.filter(|_| self.found.is_empty()) {
            self.error(
                "E0126",
                span,
                "this ends before it begins",
                "`from` is the first day; `before` is not a day of it, `through` is",
            );
        }
        dates
    }

    fn labels(&mut self, pair: P<'_>) -> Labels {
        let mut labels = Labels::default();
        for label in pair.into_inner() {
            let span = self.span(&label);
            let mut parts = label.into_inner();
            let chinese = parts.next().is_some_and(|word| word.as_rule() == Rule::kw_zh);
            let strings: Vec<Text> = parts.map(|part| self.string(&part)).collect();
            let mut slots =
                if chinese { [&mut labels.zh, &mut labels.en] } else { [&mut labels.en, &mut labels.zh] };
            for (slot, string) in slots.iter_mut().zip(strings) {
                if slot.is_some() {
                    self.found.push(twice(span, "the same language"));
                }
                **slot = Some(string);
            }
        }
        labels
    }

    fn add_labels(&mut self, labels: &mut Labels, pair: P<'_>) {
        let span = self.span(&pair);
        let more = self.labels(pair);
        if labels.zh.is_some() && more.zh.is_some() || labels.en.is_some() && more.en.is_some() {
            self.found.push(twice(span, "the same language"));
        }
        labels.zh = labels.zh.take().or(more.zh);
        labels.en = labels.en.take().or(more.en);
    }

    fn type_ref(&mut self, pair: P<'_>) -> Option<Type> {
        let whole = self.span(&pair);
        let mut outer = Vec::new();
        let mut name = None;
        let mut optional = false;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::type_outer => {
                    let list = part.clone().into_inner().next()?.as_rule() == Rule::kw_list;
                    outer.push((list, self.span(&part)));
                }
                Rule::name => name = Some(self.name(&part)),
                _ => optional = true,
            }
        }
        let name = name?;
        let span = Span { start: name.span.start, ..whole };
        let mut ty = Type { kind: TypeKind::Name(name), optional, span };
        for (list, at) in outer.into_iter().rev() {
            let span = at.to(ty.span);
            let inner = Box::new(ty);
            ty = Type {
                kind: if list { TypeKind::List(inner) } else { TypeKind::Set(inner) },
                optional: false,
                span,
            };
        }
        Some(ty)
    }

    fn param_decl(&mut self, pair: P<'_>) -> Option<ParamDecl> {
        let span = self.span(&pair);
        let mut name = None;
        let mut ty = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::word => name = Some(self.name(&part)),
                Rule::type_ref => ty = self.type_ref(part),
                _ => {}
            }
        }
        Some(ParamDecl { name: name?, ty: ty?, span })
    }

    fn params(&mut self, pair: P<'_>) -> Option<Vec<ParamDecl>> {
        pair.into_inner()
            .filter(|part| part.as_rule() == Rule::param_decl)
            .map(|part| self.param_decl(part))
            .collect()
    }

    /// All paths directly below.
    pub fn paths(&mut self, pair: P<'_>) -> Vec<Path> {
        pair.into_inner().filter(|part| part.as_rule() == Rule::path).map(|part| self.path(&part)).collect()
    }
}

/// Numbers longer than this are typing errors, and powers of ten must stay small.
const MAX_DIGITS: usize = 40;

/// Identifiers are compared in NFC.
pub fn nfc(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { text.nfc().collect() }
}

/// Something that may be said once was said twice.
fn twice(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error("E0122", span, format!("{what} stands here twice")).help("keep one of them")
}
