//! A text that can be read is laid out; laid out again it stays, and its tree and its comments are those of before.
#![no_main]
use libfuzzer_sys::fuzz_target;
use zhanggui::format::{FormatError, format_text};
use zhanggui::lang::ast::FileKind;
use zhanggui::lang::source::SourceMap;
use zhanggui::lang::syntax::{MAX_BYTES, parse_file, written};
use zhanggui_fuzz::support::blind::blind;

fn tree(text: &str, kind: FileKind) -> String {
    let mut map = SourceMap::new();
    let id = map.add("", text);
    blind(&parse_file(&map, id, kind).0)
}

fn comments(text: &str, kind: FileKind) -> Vec<String> {
    let mut map = SourceMap::new();
    let id = map.add("", text);
    written(&map, id, kind).map(|it| it.comments.into_iter().map(|it| it.text).collect()).unwrap_or_default()
}

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let kind = match first % 8 {
        3 => FileKind::Vocabulary,
        4 => FileKind::Cases,
        _ => FileKind::Policy,
    };
    let once = match format_text(text, kind) {
        Ok(once) => once,
        Err(FormatError::Wrong(found)) => return assert!(found.iter().any(|d| d.is_error())),
        Err(FormatError::Changed) => panic!("cannot be laid out:\n{text}"),
    };
    // Indentation may make a text too long to be read.
    if once.len() > MAX_BYTES {
        return;
    }
    assert_eq!(format_text(&once, kind).expect("what was laid out can be read"), once, "twice, from\n{text}");
    assert_eq!(tree(text, kind), tree(&once, kind), "another tree, from\n{text}");
    assert_eq!(comments(text, kind), comments(&once, kind), "other comments, from\n{text}");
});
