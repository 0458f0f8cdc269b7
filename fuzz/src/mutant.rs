//! Texts with a few signs changed: most are still read, and many still check.
use crate::bytes::Bytes;
use zhanggui::lang::ast::FileKind;
use zhanggui::lang::source::SourceMap;
use zhanggui::lang::syntax::{Node, Part, written};

fn leaves<'n>(node: &'n Node, into: &mut Vec<&'n Node>) {
    if node.parts.is_empty() {
        into.push(node);
    }
    node.parts.iter().for_each(|part| leaves(part, into));
}

/// A text without errors, with up to eight signs left out, doubled, or replaced by another of the same kind.
pub fn mutant(text: &str, kind: FileKind, bytes: &mut Bytes<'_>) -> String {
    let mut map = SourceMap::new();
    let id = map.add("", text);
    let Ok(read) = written(&map, id, kind) else { return text.to_owned() };
    let mut all = Vec::new();
    read.declarations.iter().for_each(|node| leaves(node, &mut all));
    let mut changed = text.to_owned();
    // From the end to the beginning, so that places before a change stay.
    let mut places: Vec<usize> = (0..1 + bytes.below(8)).map(|_| bytes.below(all.len().max(1))).collect();
    places.sort_unstable();
    places.dedup();
    for at in places.into_iter().rev() {
        let Some(leaf) = all.get(at) else { continue };
        let range = leaf.start as usize..leaf.end as usize;
        let other = same_kind(&all, leaf.part, bytes).unwrap_or(leaf);
        let with = match bytes.below(8) {
            0 => String::new(),
            1 => format!("{} {}", leaf.text, leaf.text),
            2 if leaf.part == Part::number => {
                (*bytes.pick(&["0", "1", "999999999999", "0.01", "7"])).to_owned()
            }
            _ => other.text.clone(),
        };
        if changed.is_char_boundary(range.start) && changed.is_char_boundary(range.end) {
            changed.replace_range(range, &with);
        }
    }
    changed
}

fn same_kind<'n>(all: &[&'n Node], part: Part, bytes: &mut Bytes<'_>) -> Option<&'n Node> {
    let like: Vec<&&Node> = all.iter().filter(|leaf| leaf.part == part).collect();
    (!like.is_empty()).then(|| **bytes.pick(&like))
}
