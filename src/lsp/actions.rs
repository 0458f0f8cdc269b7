//! Changes that would mend a finding, offered where it stands.
use crate::lang::diagnostic::{Diagnostic, Suggestion};
use crate::lsp::findings::{Pages, shown};
use crate::lsp::place::{Lines, path_of, uri_of};
use crate::lsp::session::Session;
use gen_lsp_types as lsp;
use serde_json::{Value as Json, json};

pub(super) fn actions(session: &Session, params: &lsp::CodeActionParams) -> Vec<Json> {
    let fixes = [lsp::CodeActionKind::QuickFix, lsp::CodeActionKind::Empty];
    if params.context.only.as_ref().is_some_and(|only| !only.iter().any(|kind| fixes.contains(kind))) {
        return Vec::new();
    }
    let Some(path) = path_of(&params.text_document.uri) else { return Vec::new() };
    let Some((_, book, draft, file)) = session.books.of(&path) else { return Vec::new() };
    let lines = Lines::new(draft.sources.text(file), session.encoding);
    let (start, end) = (lines.byte(params.range.start), lines.byte(params.range.end));
    let touches = |d: &&Diagnostic| d.span.file_id() == file && d.span.start <= end && start <= d.span.end;
    let mut pages = Pages::new(draft, session.encoding);
    let mut out = Vec::new();
    for finding in draft.findings.iter().chain(&book.analysed).filter(touches) {
        let Some(fix) = &finding.suggestion else { continue };
        let Some(target) = draft.path(fix.span.file_id()) else { continue };
        let uri = session.buffers.get(target).map_or_else(|| uri_of(target), |b| b.uri.clone());
        let edit = json!({"range": pages.range(fix.span), "newText": fix.replacement});
        let finding = shown(finding, &mut pages, session.docs());
        out.push(json!({
            "title": title(fix, draft.snippet(fix.span)),
            "kind": "quickfix",
            "isPreferred": true,
            "diagnostics": [finding],
            "edit": {"changes": {(uri.0): [edit]}},
        }));
    }
    out
}

fn title(fix: &Suggestion, written: &str) -> String {
    match (written.is_empty(), fix.replacement.is_empty()) {
        (_, true) => "delete it".to_owned(),
        (true, false) => format!("insert `{}`", fix.replacement.trim()),
        (false, false) => format!("write `{}` instead of `{written}`", fix.replacement),
    }
}
