//! What is wrong with a text, for its author: one sentence, a place, and what to do.

use super::source::{Position, SourceMap, Span};
use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use serde::Serialize;

/// How bad it is. Only errors keep a rulebook from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Note,
    Warning,
    Error,
}

/// A further place with a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub span: Span,
    pub text: String,
}

/// A change of the text that would mend it: put `replacement` where `span` is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    pub span: Span,
    pub replacement: String,
    /// Whether this is surely what the author meant, so that it may be done without asking.
    pub certain: bool,
}

/// One finding. `code` is stable (`E01xx` syntax); the words are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    pub code: &'static str,
    pub message: String,
    pub span: Span,
    /// Words under the caret, empty if the message says all.
    pub label: String,
    pub notes: Vec<Note>,
    pub help: Option<String>,
    pub suggestion: Option<Suggestion>,
}

impl Diagnostic {
    /// A finding of that severity.
    pub fn new(severity: Severity, code: &'static str, span: Span, message: impl Into<String>) -> Self {
        let message = message.into();
        Diagnostic {
            severity,
            code,
            message,
            span,
            label: String::new(),
            notes: Vec::new(),
            help: None,
            suggestion: None,
        }
    }

    /// An error.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, span, message)
    }

    /// A warning.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, span, message)
    }

    /// Sets the words under the caret.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    /// Adds a further place.
    pub fn note(mut self, span: Span, text: impl Into<String>) -> Self {
        self.notes.push(Note { span, text: text.into() });
        self
    }

    /// Says what to do.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Offers a change of the text that the author should look at first.
    pub fn suggest(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.suggestion = Some(Suggestion { span, replacement: replacement.into(), certain: false });
        self
    }

    /// Offers a change of the text that is surely meant: `check --fix` does it.
    pub fn fix(self, span: Span, replacement: impl Into<String>) -> Self {
        self.suggest(span, replacement).certain_if(true)
    }

    /// Makes the offered change, if there is one, a certain one or not.
    pub fn certain_if(mut self, certain: bool) -> Self {
        if let Some(suggestion) = &mut self.suggestion {
            suggestion.certain = certain;
        }
        self
    }

    /// Whether it keeps the text from being used.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The finding as plain data with lines and columns, for JSON.
    pub fn data(&self, map: &SourceMap) -> DiagnosticData {
        DiagnosticData {
            severity: self.severity,
            code: self.code,
            message: self.message.clone(),
            place: Place::new(map, self.span),
            label: self.label.clone(),
            notes: self
                .notes
                .iter()
                .map(|note| NoteData { place: Place::new(map, note.span), text: note.text.clone() })
                .collect(),
            help: self.help.clone(),
            suggestion: self.suggestion.as_ref().map(|it| SuggestionData {
                place: Place::new(map, it.span),
                replacement: it.replacement.clone(),
                certain: it.certain,
            }),
        }
    }
}

/// A span with everything that a reader without the file needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    pub file: String,
    pub start: u32,
    pub end: u32,
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
}

impl Place {
    /// Computes lines and columns of a span.
    pub fn new(map: &SourceMap, span: Span) -> Self {
        let Position { line, column } = map.position(span.file_id(), span.start);
        let end = map.position(span.file_id(), span.end);
        Place {
            file: map.name(span.file_id()).to_owned(),
            start: span.start,
            end: span.end,
            line,
            column,
            end_line: end.line,
            end_column: end.column,
        }
    }
}

/// [`Diagnostic`] as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiagnosticData {
    pub severity: Severity,
    pub code: &'static str,
    pub message: String,
    pub place: Place,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<NoteData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<SuggestionData>,
}

/// [`Note`] as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteData {
    pub place: Place,
    pub text: String,
}

/// [`Suggestion`] as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuggestionData {
    pub place: Place,
    pub replacement: String,
    /// Whether `check --fix` does it.
    pub certain: bool,
}

/// Sorts findings by file and place, so that output does not depend on the order of the passes.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(|a, b| (a.span, a.code, &a.message).cmp(&(b.span, b.code, &b.message)));
}

/// Shows findings with source lines and carets; `colour` for a terminal.
pub fn render(map: &SourceMap, diagnostics: &[Diagnostic], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&renderer.render(&report(map, diagnostic)));
        out.push_str("\n\n");
    }
    out
}

fn report<'a>(map: &'a SourceMap, diagnostic: &'a Diagnostic) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group =
        level.primary_title(&diagnostic.message).id(diagnostic.code).element(main_snippet(map, diagnostic));
    for note in &diagnostic.notes {
        if note.span.file != diagnostic.span.file {
            let annotation = AnnotationKind::Context.span(range(map, note.span)).label(&note.text);
            group = group.element(snippet_of(map, note.span).annotation(annotation));
        }
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help));
    }
    let mut groups = vec![group];
    if let Some(suggestion) = &diagnostic.suggestion {
        let snippet = Snippet::source(map.text(suggestion.span.file_id()))
            .path(map.name(suggestion.span.file_id()))
            .patch(Patch::new(range(map, suggestion.span), &suggestion.replacement));
        groups.push(Level::HELP.secondary_title("write this").element(snippet));
    }
    groups
}

fn main_snippet<'a>(
    map: &'a SourceMap,
    diagnostic: &'a Diagnostic,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let mut primary = AnnotationKind::Primary.span(range(map, diagnostic.span));
    if !diagnostic.label.is_empty() {
        primary = primary.label(&diagnostic.label);
    }
    let nearby = diagnostic.notes.iter().filter(|note| note.span.file == diagnostic.span.file);
    snippet_of(map, diagnostic.span)
        .annotation(primary)
        .annotations(nearby.map(|note| AnnotationKind::Context.span(range(map, note.span)).label(&note.text)))
}

fn snippet_of<'a, T: Clone>(map: &'a SourceMap, span: Span) -> Snippet<'a, T> {
    Snippet::source(map.text(span.file_id())).path(map.name(span.file_id()))
}

/// A range that surely lies in the text and on character boundaries, whatever the span says.
fn range(map: &SourceMap, span: Span) -> std::ops::Range<usize> {
    let text = map.text(span.file_id());
    let start = text.floor_char_boundary((span.start as usize).min(text.len()));
    let end = text.ceil_char_boundary((span.end as usize).min(text.len()));
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_stand_under_double_width_words() {
        let mut map = SourceMap::new();
        let id = map.add("a.policy", "let 金额 = 价格 + 1\n");
        let at = Span::new(id, 13, 19);
        let found = Diagnostic::error("E0999", at, "no such name").label("here").help("name it");
        let shown = render(&map, &[found], false);
        let line = shown.lines().find(|line| line.contains('^')).unwrap_or("");
        assert_eq!(line, "  |            ^^^^ here", "{shown}");
        assert!(shown.contains("--> a.policy:1:10"), "{shown}");
    }

    #[test]
    fn data_has_lines_and_columns() {
        let mut map = SourceMap::new();
        let id = map.add("a.policy", "\nlet 金额\n");
        let found =
            Diagnostic::warning("E0999", Span::new(id, 5, 11), "x").suggest(Span::new(id, 5, 11), "y");
        let json = serde_json::to_string(&found.data(&map)).unwrap();
        assert!(json.contains(r#""line":2,"column":5,"end_line":2,"end_column":7"#), "{json}");
        assert!(json.contains(r#""severity":"warning""#), "{json}");
    }
}
