//! Findings as the protocol has them.
use crate::lang::diagnostic::{Diagnostic, Severity};
use crate::lang::source::{FileId, Span};
use crate::lsp::place::{Encoding, Lines, uri_of};
use crate::rulebook::Draft;
use gen_lsp_types as lsp;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The lines of the files of one rulebook, each counted once.
pub(super) struct Pages<'d> {
    draft: &'d Draft,
    encoding: Encoding,
    lines: BTreeMap<FileId, Lines<'d>>,
}

impl<'d> Pages<'d> {
    pub(super) fn new(draft: &'d Draft, encoding: Encoding) -> Pages<'d> {
        Pages { draft, encoding, lines: BTreeMap::new() }
    }

    pub(super) fn lines(&mut self, file: FileId) -> &Lines<'d> {
        let (draft, encoding) = (self.draft, self.encoding);
        self.lines.entry(file).or_insert_with(|| Lines::new(draft.sources.text(file), encoding))
    }

    pub(super) fn range(&mut self, span: Span) -> lsp::Range {
        self.lines(span.file_id()).range(span.start, span.end)
    }

    /// Where a span lies; `None` if its file has no path.
    pub(super) fn location(&mut self, span: Span) -> Option<lsp::Location> {
        let uri = uri_of(self.draft.path(span.file_id())?);
        Some(lsp::Location { uri, range: self.range(span) })
    }
}

/// All findings of a rulebook by file; every file has an entry.
pub(super) fn by_file<'f>(
    draft: &Draft,
    findings: impl Iterator<Item = &'f Diagnostic>,
    encoding: Encoding,
    docs: Option<&Path>,
) -> BTreeMap<PathBuf, Vec<lsp::Diagnostic>> {
    let mut pages = Pages::new(draft, encoding);
    let mut out: BTreeMap<PathBuf, Vec<lsp::Diagnostic>> =
        draft.paths().iter().map(|p| (p.clone(), Vec::new())).collect();
    for finding in findings {
        let Some(path) = draft.path(finding.span.file_id()) else { continue };
        let shown = shown(finding, &mut pages, docs);
        if let Some(list) = out.get_mut(path) {
            list.push(shown);
        }
    }
    out
}

/// One finding.
pub(super) fn shown(finding: &Diagnostic, pages: &mut Pages<'_>, docs: Option<&Path>) -> lsp::Diagnostic {
    let mut message = finding.message.clone();
    if !finding.label.is_empty() {
        message.push_str(&format!(" ({})", finding.label));
    }
    if let Some(help) = &finding.help {
        message.push_str(&format!("\n{help}"));
    }
    let related: Vec<lsp::DiagnosticRelatedInformation> = finding
        .notes
        .iter()
        .filter_map(|note| {
            let location = pages.location(note.span)?;
            Some(lsp::DiagnosticRelatedInformation { location, message: note.text.clone() })
        })
        .collect();
    let page = docs.map(|d| d.join(format!("{}.md", finding.code))).filter(|page| page.is_file());
    lsp::Diagnostic {
        range: pages.range(finding.span),
        severity: Some(match finding.severity {
            Severity::Error => lsp::DiagnosticSeverity::Error,
            Severity::Warning => lsp::DiagnosticSeverity::Warning,
            Severity::Note => lsp::DiagnosticSeverity::Information,
        }),
        code: Some(lsp::Code::String(finding.code.to_owned())),
        code_description: page.map(|page| lsp::CodeDescription { href: uri_of(&page) }),
        source: Some("zhanggui".to_owned()),
        message: lsp::Message::String(message),
        tags: (finding.code == "W0503").then(|| vec![lsp::DiagnosticTag::Unnecessary]),
        related_information: (!related.is_empty()).then_some(related),
        data: None,
    }
}

/// Said of an open text that belongs to no rulebook.
pub(super) fn homeless() -> lsp::Diagnostic {
    lsp::Diagnostic {
        severity: Some(lsp::DiagnosticSeverity::Information),
        source: Some("zhanggui".to_owned()),
        message: lsp::Message::String(
            "this file belongs to no rulebook, so it is not checked: there is no rulebook.toml in its folder or above \
             that names it"
                .to_owned(),
        ),
        ..lsp::Diagnostic::default()
    }
}

/// What keeps a rulebook from being read at all, told at its manifest.
pub(super) fn unreadable(manifest: &Path, why: &str) -> BTreeMap<PathBuf, Vec<lsp::Diagnostic>> {
    let found = lsp::Diagnostic {
        severity: Some(lsp::DiagnosticSeverity::Error),
        source: Some("zhanggui".to_owned()),
        message: lsp::Message::String(why.to_owned()),
        ..lsp::Diagnostic::default()
    };
    BTreeMap::from([(manifest.to_owned(), vec![found])])
}
