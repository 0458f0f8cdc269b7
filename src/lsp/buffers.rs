//! The texts that the editor has open, kept in step change by change.
use crate::lsp::place::{Encoding, Lines, path_of};
use gen_lsp_types::{TextDocumentContentChangeEvent, Uri};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One open text.
#[derive(Debug, Clone)]
pub(super) struct Buffer {
    /// The address by which the editor knows it.
    pub(super) uri: Uri,
    pub(super) version: i32,
    pub(super) text: Arc<str>,
}

/// All open texts, by path.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    open: BTreeMap<PathBuf, Buffer>,
}

impl Buffers {
    pub(super) fn get(&self, path: &Path) -> Option<&Buffer> {
        self.open.get(path)
    }

    pub(super) fn open(&mut self, uri: Uri, version: i32, text: String) -> Option<PathBuf> {
        let path = path_of(&uri)?;
        self.open.insert(path.clone(), Buffer { uri, version, text: text.into() });
        Some(path)
    }

    pub(super) fn close(&mut self, uri: &Uri) -> Option<PathBuf> {
        let path = path_of(uri)?;
        self.open.remove(&path).map(|_| path)
    }

    /// Applies changes in their order.
    pub(super) fn change(
        &mut self,
        uri: &Uri,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) -> Option<PathBuf> {
        let path = path_of(uri)?;
        let buffer = self.open.get_mut(&path)?;
        let mut text = buffer.text.to_string();
        for change in changes {
            match change {
                TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                    let lines = Lines::new(&text, encoding);
                    let (start, end) = (lines.byte(part.range.start), lines.byte(part.range.end));
                    text.replace_range(start as usize..end.max(start) as usize, &part.text);
                }
                TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => {
                    text = whole.text;
                }
            }
        }
        buffer.text = text.into();
        buffer.version = version;
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_apply_in_order_and_never_cut_a_character() {
        let mut buffers = Buffers::default();
        let uri = Uri("file:///x/a.policy".into());
        let path = buffers.open(uri.clone(), 1, "规则一\n规则二\n".into()).unwrap();
        let change = |line: u32, from: u32, to: u32, text: &str| json!({"range": {"start": {"line": line, "character": from}, "end": {"line": line, "character": to}}, "text": text});
        let changes = json!([change(1, 2, 3, "𠮷"), change(1, 3, 3, "x"), change(0, 0, 2, "")]);
        let changes = serde_json::from_value(changes).unwrap();
        buffers.change(&uri, 2, changes, Encoding::Utf16).unwrap();
        let text = buffers.get(&path).unwrap().text.to_string();
        // A column within a pair is taken as its end.
        assert_eq!(text, "一\n规则𠮷x\n");
        assert_eq!(buffers.close(&uri), Some(path));
        assert_eq!(buffers.close(&uri), None);
    }
}
