//! Where a name is declared, and where else it stands.
use crate::lang::index::{Index, Symbol, Use};
use crate::lang::source::FileId;
use crate::lsp::findings::Pages;
use crate::lsp::place::{Lines, path_of};
use crate::lsp::session::Session;
use crate::rulebook::Draft;
use gen_lsp_types as lsp;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A place of a text that belongs to a rulebook.
pub(super) struct Asked<'s> {
    pub(super) draft: &'s Arc<Draft>,
    pub(super) index: &'s Index,
    pub(super) file: FileId,
    pub(super) byte: u32,
}

/// The place that a question is about; `None` if its text belongs to no rulebook, or nothing is known of that.
pub(super) fn asked<'s>(session: &'s Session, at: &lsp::TextDocumentPositionParams) -> Option<Asked<'s>> {
    let path = path_of(&at.text_document.uri)?;
    let (_, book, draft, file) = session.books.of(&path)?;
    let index = book.index()?;
    let byte = Lines::new(draft.sources.text(file), session.encoding).byte(at.position);
    Some(Asked { draft, index, file, byte })
}

/// The file that declares what stands at a place.
pub(super) fn declared_in(session: &Session, at: &lsp::TextDocumentPositionParams) -> Option<PathBuf> {
    let asked = asked(session, at)?;
    let (_, symbols) = asked.index.at(asked.file, asked.byte)?;
    let declared = asked.index.uses.iter().find(|u| u.declares && symbols.contains(&u.symbol))?;
    asked.draft.path(declared.span.file_id()).map(Path::to_owned)
}

/// The places of these things in all rulebooks that share the file in which they are declared.
fn everywhere(
    session: &Session,
    asked: &Asked<'_>,
    symbols: &BTreeSet<Symbol>,
) -> Vec<(Arc<Draft>, Vec<Use>)> {
    let declared = asked.index.uses.iter().find(|u| u.declares && symbols.contains(&u.symbol));
    let shared = declared.and_then(|u| Some((asked.draft.path(u.span.file_id())?, u.span)));
    let Some((path, span)) = shared else {
        return vec![(asked.draft.clone(), asked.index.places(symbols))];
    };
    let mut found = Vec::new();
    for (draft, file) in session.books.readers(path) {
        let Some(index) = &draft.index else { continue };
        let Some((_, there)) = index.at(file, span.start) else { continue };
        found.push((draft.clone(), index.places(&index.family(&there))));
    }
    found
}

/// Where the thing under the cursor is declared.
pub(super) fn definition(session: &Session, params: &lsp::DefinitionParams) -> Vec<lsp::Location> {
    let Some(asked) = asked(session, &params.text_document_position_params) else { return Vec::new() };
    let Some((_, symbols)) = asked.index.at(asked.file, asked.byte) else { return Vec::new() };
    let mut pages = Pages::new(asked.draft, session.encoding);
    let places = asked.index.places(&symbols);
    places.iter().filter(|u| u.declares).filter_map(|u| pages.location(u.span)).collect()
}

/// Where the thing under the cursor is named, in all files.
pub(super) fn references(session: &Session, params: &lsp::ReferenceParams) -> Vec<lsp::Location> {
    let Some(asked) = asked(session, &params.text_document_position_params) else { return Vec::new() };
    let Some((_, symbols)) = asked.index.at(asked.file, asked.byte) else { return Vec::new() };
    let mut found: Vec<lsp::Location> = Vec::new();
    for (draft, places) in everywhere(session, &asked, &asked.index.family(&symbols)) {
        let mut pages = Pages::new(&draft, session.encoding);
        for u in places.iter().filter(|u| params.context.include_declaration || !u.declares) {
            // A shared vocabulary names its own things in each of its rulebooks.
            found.extend(pages.location(u.span).filter(|l| !found.contains(l)));
        }
    }
    found
}

/// Where the thing under the cursor is named in this text.
pub(super) fn highlights(
    session: &Session,
    params: &lsp::DocumentHighlightParams,
) -> Vec<lsp::DocumentHighlight> {
    let Some(asked) = asked(session, &params.text_document_position_params) else { return Vec::new() };
    let Some((_, symbols)) = asked.index.at(asked.file, asked.byte) else { return Vec::new() };
    let mut pages = Pages::new(asked.draft, session.encoding);
    let places = asked.index.places(&asked.index.family(&symbols));
    let here = places.iter().filter(|u| u.span.file_id() == asked.file);
    here.map(|u| lsp::DocumentHighlight {
        range: pages.range(u.span),
        kind: Some(if u.declares {
            lsp::DocumentHighlightKind::Write
        } else {
            lsp::DocumentHighlightKind::Read
        }),
    })
    .collect()
}
