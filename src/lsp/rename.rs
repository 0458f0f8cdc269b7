//! Another name for a thing, at every place that names it, in all rulebooks that share it.
//!
//! Before anything is changed the rulebooks are checked as they would be: where the new name is taken, reserved, or would
//! make any place mean something else, nothing is changed and the reason is given.
use crate::lang::index::{Index, Symbol, Use};
use crate::lang::source::{FileId, SourceMap, Span};
use crate::lang::syntax::{RESERVED, deceives, parse_expr};
use crate::lang::{ast, diagnostic::Diagnostic};
use crate::lsp::findings::Pages;
use crate::lsp::hover::kind;
use crate::lsp::names::{Asked, asked};
use crate::lsp::place::{Lines, uri_of};
use crate::lsp::session::{Refused, Session};
use crate::rulebook::{Draft, Parses, draft};
use gen_lsp_types as lsp;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// Pieces of a file to be replaced, by where they begin: their end.
type Edits = BTreeMap<PathBuf, BTreeMap<u32, u32>>;

/// What of a name is written anew: without the quotes of a text.
fn inner(draft: &Draft, u: &Use) -> Option<(u32, u32)> {
    let written = draft.snippet(u.span);
    match u.symbol {
        Symbol::Background(_) | Symbol::Case(_) => {
            let (first, last) = (written.chars().next()?, written.chars().next_back()?);
            Some((u.span.start + first.len_utf8() as u32, u.span.end - last.len_utf8() as u32))
        }
        _ => Some((u.span.start, u.span.end)),
    }
}

/// What is to be renamed, or why it cannot be.
fn renamable(asked: &Asked<'_>) -> Result<(Span, BTreeSet<Symbol>), Refused> {
    let found = asked.index.at(asked.file, asked.byte);
    let Some((span, symbols)) = found else {
        return Err(Refused::failed("nothing that has a name of its own stands here"));
    };
    for symbol in &symbols {
        match symbol {
            Symbol::Policy(_) => {
                let why =
                    "the path of a policy is part of the answers that tills keep, so it is not renamed here";
                return Err(Refused::failed(why));
            }
            Symbol::Currency(_) => {
                return Err(Refused::failed("a currency is named by its international code"));
            }
            _ => {}
        }
    }
    Ok((span, asked.index.family(&symbols)))
}

/// The place and the name, for the editor's box.
pub(super) fn prepare(session: &Session, params: &lsp::PrepareRenameParams) -> Result<Json, Refused> {
    let Some(asked) = asked(session, &params.text_document_position_params) else {
        return Err(Refused::failed("this text belongs to no rulebook that can be read"));
    };
    let (span, symbols) = renamable(&asked)?;
    let symbol = symbols.first().copied().ok_or_else(|| Refused::failed("nothing stands here"))?;
    let (start, end) =
        inner(asked.draft, &Use { span, symbol, declares: false }).unwrap_or((span.start, span.end));
    let mut pages = Pages::new(asked.draft, session.encoding);
    let range = pages.lines(asked.file).range(start, end);
    Ok(json!({"range": range, "placeholder": asked.draft.snippet(Span { start, end, ..span })}))
}

/// The name as it will be written, or why it cannot be one.
fn new_name(symbols: &BTreeSet<Symbol>, text: &str) -> Result<String, Refused> {
    let text = text.trim();
    if symbols.iter().any(|s| matches!(s, Symbol::Background(_) | Symbol::Case(_))) {
        if text.is_empty() || text.contains(['"', '“', '”', '\\']) || text.chars().any(char::is_control) {
            return Err(Refused::failed("a name between quotes has no quotes or line breaks in it"));
        }
        return Ok(text.to_owned());
    }
    if RESERVED.contains(&text) {
        return Err(Refused::failed(format!("`{text}` is a word of the language and cannot be a name")));
    }
    if deceives(text) {
        return Err(Refused::failed(format!("`{text}` mixes letters that look alike")));
    }
    let whole = Span::new(FileId(0), 0, text.len() as u32);
    let (read, _) = parse_expr(&SourceMap::new(), text, whole);
    let word = read.and_then(|e| match e.kind {
        ast::ExprKind::Path(path) => path.single().map(|name| name.text.clone()),
        _ => None,
    });
    word.ok_or_else(|| {
        let why = "a name is one word: it begins with a letter, and letters, digits and `_` follow";
        Refused::failed(format!("`{text}` cannot be a name: {why}"))
    })
}

/// All edits, as the protocol has them.
pub(super) fn rename(session: &Session, params: &lsp::RenameParams) -> Result<Json, Refused> {
    let Some(asked) = asked(session, &params.text_document_position_params) else {
        return Err(Refused::failed("this text belongs to no rulebook that can be read"));
    };
    let (_, symbols) = renamable(&asked)?;
    let new = new_name(&symbols, &params.new_name)?;
    let named = symbols.iter().find_map(|s| asked.index.things.get(s).map(|t| (kind(*s), t.name.clone())));
    let Some((_, old)) = named else { return Err(Refused::failed("its declaration cannot be read")) };
    let mut edits = Edits::new();
    let affected = affected(session, &asked, &symbols);
    for (_, draft, symbols) in &affected {
        let Some(index) = &draft.index else { continue };
        for u in index.places(symbols) {
            let Some((start, end)) = inner(draft, &u) else { continue };
            // A unit may be named by a label of its: that stays.
            let written = draft.snippet(Span { start, end, ..u.span });
            if matches!(u.symbol, Symbol::Unit(_)) && written != old {
                continue;
            }
            if let Some(path) = draft.path(u.span.file_id()) {
                edits.entry(path.to_owned()).or_default().insert(start, end);
            }
        }
    }
    check(session, &affected, &edits, &new)?;
    let mut changes: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for (path, pieces) in &edits {
        let Some((_, _, draft, file)) = session.books.of(path) else { continue };
        let lines = Lines::new(draft.sources.text(file), session.encoding);
        let uri = session.buffers.get(path).map_or_else(|| uri_of(path), |b| b.uri.clone());
        let list =
            pieces.iter().map(|(start, end)| json!({"range": lines.range(*start, *end), "newText": new}));
        changes.insert(uri.0, list.collect());
    }
    Ok(json!({ "changes": changes }))
}

type Affected = (PathBuf, Arc<Draft>, BTreeSet<Symbol>);

/// The rulebooks that know the thing, and what it is in each.
fn affected(session: &Session, asked: &Asked<'_>, symbols: &BTreeSet<Symbol>) -> Vec<Affected> {
    let declared = asked.index.uses.iter().find(|u| u.declares && symbols.contains(&u.symbol));
    let Some((path, span)) = declared.and_then(|u| Some((asked.draft.path(u.span.file_id())?, u.span)))
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (manifest, book) in &session.books.all {
        let Some(draft) = &book.draft else { continue };
        let there = draft.file(path).and_then(|file| draft.index.as_ref()?.at(file, span.start));
        if let (Some((_, there)), Some(index)) = (there, &draft.index) {
            found.push((manifest.clone(), draft.clone(), index.family(&there)));
        }
    }
    found
}

/// Checks the rulebooks as they would be: no new error, and every name means what it meant.
fn check(session: &Session, affected: &[Affected], edits: &Edits, new: &str) -> Result<(), Refused> {
    let mut overlay = session.overlay.clone();
    for (path, pieces) in edits {
        let Some((_, _, draft, file)) = session.books.of(path) else { continue };
        let mut text = draft.sources.text(file).to_owned();
        for (start, end) in pieces.iter().rev() {
            text.replace_range(*start as usize..*end as usize, new);
        }
        overlay.put(path, text.into());
    }
    for (manifest, before, _) in affected {
        let after = draft(manifest, &overlay, &mut Parses::default())
            .map_err(|error| Refused::failed(error.to_string()))?;
        let errors = |d: &Draft| d.findings.iter().filter(|f| f.is_error()).count();
        if errors(&after) > errors(before) {
            let known =
                |f: &Diagnostic| before.findings.iter().any(|b| b.message == f.message && b.code == f.code);
            let first = after.findings.iter().find(|f| f.is_error() && !known(f));
            let why = first.map_or_else(
                || "it would be an error".to_owned(),
                |f| {
                    let at = after.sources.start(f.span);
                    format!("{} ({}:{})", f.message, after.sources.name(f.span.file_id()), at.line)
                },
            );
            return Err(Refused::failed(format!("`{new}` cannot be its name: {why}")));
        }
        let moved = Moved { draft: before, edits, new: new.len() as u32 };
        let (Some(was), Some(is)) = (&before.index, &after.index) else { continue };
        if let Some(span) = first_change(&moved.meanings(was), &meanings(is, |s| s)) {
            let at = after.sources.start(span);
            let file = after.sources.name(span.file_id());
            let why = format!("`{new}` would mean something else at {file}:{}", at.line);
            return Err(Refused::failed(why));
        }
    }
    Ok(())
}

/// What each place means: the places where that is declared.
type Meanings = BTreeMap<Span, BTreeSet<Span>>;

fn meanings(index: &Index, place: impl Fn(Span) -> Span) -> Meanings {
    let mut declared: BTreeMap<Symbol, Span> = BTreeMap::new();
    for u in index.uses.iter().filter(|u| u.declares) {
        declared.entry(u.symbol).or_insert_with(|| place(u.span));
    }
    let mut out = Meanings::new();
    for u in &index.uses {
        out.entry(place(u.span)).or_default().extend(declared.get(&u.symbol));
    }
    out
}

fn first_change(was: &Meanings, is: &Meanings) -> Option<Span> {
    let differs = |(span, means): &(&Span, &BTreeSet<Span>)| was.get(span) != Some(*means);
    let new = is.iter().find(differs).map(|(span, _)| *span);
    new.or_else(|| was.keys().find(|span| !is.contains_key(span)).copied())
}

/// Where the places of a text are after the edits.
struct Moved<'m> {
    draft: &'m Draft,
    edits: &'m Edits,
    new: u32,
}

impl Moved<'_> {
    fn meanings(&self, index: &Index) -> Meanings {
        meanings(index, |span| {
            let edits = self.draft.path(span.file_id()).and_then(|path| self.edits.get(path));
            let at = |byte: u32| {
                let before = edits.into_iter().flatten().filter(|(_, end)| **end <= byte);
                before.fold(i64::from(byte), |at, (start, end)| {
                    at + i64::from(self.new) - i64::from(end - start)
                }) as u32
            };
            Span { start: at(span.start), end: at(span.end), ..span }
        })
    }
}
