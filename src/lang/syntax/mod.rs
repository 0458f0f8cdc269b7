//! Text to syntax tree. Parsing never fails: it gives a tree of what could be read, and findings for the rest.
//!
//! Fold (one plain form of every sign) → scan (words) → split at declarations → look at brackets → join lines → grammar →
//! tree. A broken declaration costs itself only: its name is kept, so that uses of it are not errors too.

mod around;
mod brackets;
mod expected;
mod file;
mod fold;
mod forms;
mod grammar;
mod keywords;
mod lines;
mod lower;
mod message;
mod place;
mod plain;
mod rewrites;
mod rows;
mod scan;
mod scripts;
mod slips;
mod written;

pub use around::{Around, Piece, PieceKind, around};
pub use grammar::Rule as Part;
pub use keywords::{KEYWORDS, RESERVED, declarations, nearest};
pub use scripts::deceives;
pub use written::{Comment, Node, Written, written};

use super::ast::{Cell, Expr, File, FileKind};
use super::diagnostic::Diagnostic;
use super::source::{FileId, SourceMap, Span};
use grammar::Rule;
use lower::{Lower, P};
use place::Place;

/// The largest file that is read.
pub const MAX_BYTES: usize = 1 << 20;

/// The most findings of one file that are told one by one.
const MAX_FOUND: usize = 200;

/// Adds a file as it was read from disk. Bytes that are not UTF-8, or too many of them, are reported.
pub fn add_bytes(map: &mut SourceMap, name: &str, bytes: &[u8]) -> (FileId, Vec<Diagnostic>) {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => return (map.add(name, text), Vec::new()),
        Err(error) => error,
    };
    let good = text.valid_up_to().min(MAX_BYTES);
    let prefix = String::from_utf8_lossy(bytes.get(..good).unwrap_or(&[])).into_owned();
    let at = prefix.len() as u32;
    let id = map.add(name, prefix);
    let found = Diagnostic::error("E0100", Span::new(id, at, at), "this file is not UTF-8 from here on")
        .help("save it as UTF-8; a file saved as GBK or GB18030 must be converted");
    (id, vec![found])
}

/// Parses a file of the map.
pub fn parse_file(map: &SourceMap, id: FileId, kind: FileKind) -> (File, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let source = map.text(id);
    if source.len() > MAX_BYTES {
        let message =
            format!("this file has {} bytes, more than the {MAX_BYTES} that are read", source.len());
        found.push(
            Diagnostic::error("E0100", Span::new(id, 0, 0), message).help("divide it into several files"),
        );
        return (file::empty(kind), found);
    }
    let (folded, hidden) = fold::fold(id, source);
    found.extend(hidden);
    let tokens = scan::scan(&folded.text);
    let place = Place::file(id, &folded);
    found.extend(scripts::check(&place, &folded.text, &tokens));
    let (file, more) = file::Reader::new(map, place, kind, &tokens).read();
    // What a hidden sign tears apart is no mistake of its own.
    let line = |d: &Diagnostic| map.start(d.span).line;
    let hidden: Vec<u32> = found.iter().map(line).collect();
    found.extend(more.into_iter().filter(|d| hidden.is_empty() || !hidden.contains(&line(d))));
    super::diagnostic::sort(&mut found);
    cap(&mut found);
    (file, found)
}

/// Keeps a file full of mistakes from drowning the author: further ones are counted only.
fn cap(found: &mut Vec<Diagnostic>) {
    let more = found.len().saturating_sub(MAX_FOUND);
    if let Some(span) = found.get(MAX_FOUND).map(|next| next.span).filter(|_| more > 0) {
        found.truncate(MAX_FOUND);
        let message = format!("{more} more mistakes from here on");
        found.push(Diagnostic::error("E0101", span, message).help("mend the first ones, and check again"));
    }
}

/// Parses one cell of a CSV table with the syntax of cells. `base` is where the cell stands in its file.
pub fn parse_cell(map: &SourceMap, text: &str, base: Span) -> (Option<Cell>, Vec<Diagnostic>) {
    match plain::cell(text, base) {
        Some(cell) => (Some(cell), Vec::new()),
        None => parse_cell_by_grammar(map, text, base),
    }
}

/// [`parse_cell`] whatever the cell's form.
fn parse_cell_by_grammar(map: &SourceMap, text: &str, base: Span) -> (Option<Cell>, Vec<Diagnostic>) {
    fragment(map, text, base, Rule::one_cell, |lower, pair| lower.cell(pair.into_inner().next()?))
}

/// Parses one expression. `base` is where it stands in its file.
pub fn parse_expr(map: &SourceMap, text: &str, base: Span) -> (Option<Expr>, Vec<Diagnostic>) {
    fragment(map, text, base, Rule::one_expr, |lower, pair| lower.expr(pair.into_inner().next()?))
}

fn fragment<T>(
    map: &SourceMap,
    text: &str,
    base: Span,
    rule: Rule,
    build: impl FnOnce(&mut Lower<'_>, P<'_>) -> Option<T>,
) -> (Option<T>, Vec<Diagnostic>) {
    if text.len() > MAX_BYTES {
        let found = Diagnostic::error("E0100", base, "this text is too long to be read").help("divide it");
        return (None, vec![found]);
    }
    if text.trim().is_empty() {
        let found = Diagnostic::error("E0131", base, "this cell is empty");
        return (None, vec![found.help("write `-` if anything fits, `absent` if there must be nothing")]);
    }
    let (folded, hidden) = fold::fold(base.file_id(), text);
    let hidden = hidden.into_iter().map(|found| Diagnostic { span: base, suggestion: None, ..found });
    let mut found: Vec<Diagnostic> = hidden.collect();
    let tokens = scan::scan(&folded.text);
    let mut place = Place::file(base.file_id(), &folded);
    place.offset = base.start;
    place.limit = base.end;
    place.whole = (map.snippet(base) != text).then_some(base);
    found.extend(scripts::check(&place, &folded.text, &tokens));
    if let Some(wrong) = brackets::check(&place, &folded.text, &tokens) {
        found.push(wrong);
        return (None, found);
    }
    let joined = lines::join(&folded.text, &tokens, None);
    let place = place.at(tokens.first().map_or(0, |token| token.start), None);
    match grammar::parse(rule, &joined) {
        Ok(pair) => {
            let mut lower = Lower::new(map, place);
            let built = build(&mut lower, pair);
            found.extend(lower.found);
            let built = built.filter(|_| !found.iter().any(Diagnostic::is_error));
            (built, found)
        }
        Err(error) => {
            found.push(message::explain(&place, FileKind::Policy, &joined, &error));
            (None, found)
        }
    }
}
