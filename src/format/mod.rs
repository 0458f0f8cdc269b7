//! One layout for all texts: what it means and what its comments say stays, how it stands on the page does not matter.
//!
//! The text is read sign by sign ([`crate::lang::syntax::written`]), cut into units that begin a line (`declarations`), whose signs
//! get blanks and breaks (`signs`, `rows`), into which comments are put (`remarks`), and which are printed (`doc`, `lines`).
//! The new text is read again and must have the same signs in the same parts: what cannot be shown to mean the same is never given out.

mod declarations;
mod doc;
mod lines;
mod remarks;
mod rows;
mod signs;

use crate::lang::ast::FileKind;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::{FileId, SourceMap};
use crate::lang::syntax::{self, Node, Part, Written, written};

/// Why a text was not laid out anew.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FormatError {
    /// It has errors: laying it out might hide them.
    #[error("the text has errors")]
    Wrong(Vec<Diagnostic>),
    /// The new text would not read as the old one: a mistake of this program.
    #[error("the text could not be laid out without changing what it says; please report this")]
    Changed,
}

/// The text of a file of the map in its one layout.
///
/// # Errors
/// [`FormatError::Wrong`] with the findings if the file cannot be read.
pub fn format_file(map: &SourceMap, id: FileId, kind: FileKind) -> Result<String, FormatError> {
    let before = written(map, id, kind).map_err(FormatError::Wrong)?;
    let text = print(map.text(id), &before, kind);
    let mut again = SourceMap::new();
    let id = again.add("", text);
    let after = written(&again, id, kind).map_err(|_| FormatError::Changed)?;
    if same(&before, &after) { Ok(again.text(id).to_owned()) } else { Err(FormatError::Changed) }
}

/// A text in its one layout. See [`format_file`].
///
/// # Errors
/// As [`format_file`]; places are bytes of `text`.
pub fn format_text(text: &str, kind: FileKind) -> Result<String, FormatError> {
    let mut map = SourceMap::new();
    let id = map.add("", text);
    format_file(&map, id, kind)
}

fn print(source: &str, written: &Written, kind: FileKind) -> String {
    let remarks = remarks::Remarks::new(&written.comments);
    let mut layout = lines::Layout::new(source, syntax::declarations(kind), remarks);
    declarations::units(written).iter().for_each(|unit| layout.unit(unit));
    layout.finish()
}

/// Whether two texts have the same signs in the same parts, and the same comments.
fn same(before: &Written, after: &Written) -> bool {
    let comments = |it: &Written| it.comments.iter().map(|it| it.text.clone()).collect::<Vec<_>>();
    before.declarations.len() == after.declarations.len()
        && before.declarations.iter().zip(&after.declarations).all(|(a, b)| same_node(a, b))
        && comments(before) == comments(after)
}

/// Commas do not count: in a block a new line separates as well.
fn same_node(a: &Node, b: &Node) -> bool {
    fn signs(node: &Node) -> impl Iterator<Item = &Node> {
        node.parts.iter().filter(|part| part.part != Part::comma)
    }
    a.part == b.part
        && a.text == b.text
        && signs(a).count() == signs(b).count()
        && signs(a).zip(signs(b)).all(|(a, b)| same_node(a, b))
}
