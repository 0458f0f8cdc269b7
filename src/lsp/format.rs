//! The one layout of a text, as `zhanggui fmt` writes it.
use crate::format::format_text;
use crate::lang::ast::FileKind;
use crate::lsp::place::{Lines, path_of};
use crate::lsp::session::{Refused, Session};
use gen_lsp_types as lsp;

/// One edit that replaces what is between the first and the last difference, or none.
pub(super) fn format(
    session: &Session,
    params: &lsp::DocumentFormattingParams,
) -> Result<Vec<lsp::TextEdit>, Refused> {
    let path = path_of(&params.text_document.uri);
    let buffer = path.as_deref().and_then(|path| session.buffers.get(path));
    let kind = path.as_deref().and_then(|path| FileKind::of(&path.to_string_lossy()));
    let (Some(buffer), Some(kind)) = (buffer, kind) else {
        return Err(Refused::failed("this is no open text of the language"));
    };
    let new = format_text(&buffer.text, kind).map_err(|error| Refused::failed(error.to_string()))?;
    let old = &*buffer.text;
    let head: usize =
        old.chars().zip(new.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let (old_rest, new_rest) = (old.get(head..).unwrap_or(""), new.get(head..).unwrap_or(""));
    if old_rest.is_empty() && new_rest.is_empty() {
        return Ok(Vec::new());
    }
    let same = old_rest.chars().rev().zip(new_rest.chars().rev()).take_while(|(a, b)| a == b);
    let tail: usize = same.map(|(a, _)| a.len_utf8()).sum();
    let end = old.len() - tail;
    let text = new_rest.get(..new_rest.len() - tail).unwrap_or(new_rest);
    let range = Lines::new(old, session.encoding).range(head as u32, end as u32);
    Ok(vec![lsp::TextEdit { range, new_text: text.to_owned() }])
}
