//! Places must lie in the text.
use zhanggui::lang::diagnostic::{self, Diagnostic};
use zhanggui::lang::source::{SourceMap, Span};

fn lies_in(map: &SourceMap, span: Span, what: &str) {
    let text = map.text(span.file_id());
    let (start, end) = (span.start as usize, span.end as usize);
    assert!(start <= end && end <= text.len(), "{what}: {span:?} of {} bytes", text.len());
    assert!(text.is_char_boundary(start) && text.is_char_boundary(end), "{what}: {span:?}");
}

/// Every place of every finding lies in its file, and the findings can be shown.
pub fn findings(map: &SourceMap, found: &[Diagnostic]) {
    for it in found {
        lies_in(map, it.span, it.code);
        for note in &it.notes {
            lies_in(map, note.span, it.code);
        }
        if let Some(suggestion) = &it.suggestion {
            lies_in(map, suggestion.span, it.code);
        }
        assert!(!it.message.is_empty());
    }
    // Many findings are shown as few are.
    let some = found.get(..5).unwrap_or(found);
    assert!(some.is_empty() || !diagnostic::render(map, some, false).is_empty());
}

/// Every place in a tree lies in its file. The tree's debug form has them all; it is long, so only small files are looked at.
pub fn tree(map: &SourceMap, tree: &impl std::fmt::Debug) {
    let shown = format!("{tree:?}");
    for part in shown.split("Span { file: ").skip(1) {
        let mut numbers = part.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty());
        let mut number = || numbers.next().and_then(|n| n.parse::<u32>().ok());
        let (Some(file), Some(start), Some(end)) = (number(), number(), number()) else { continue };
        lies_in(map, Span { file, start, end }, "tree");
    }
}
