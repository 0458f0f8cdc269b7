//! What the parser offers without knowing the vocabulary, and the vocabulary makes certain.
//!
//! `x is a, b or c` does not parse, so nothing of it is typed; but where all words are of one list, a set of them was meant.
use super::ast::{TaxonomyNode, VocabFile, VocabItem};
use super::diagnostic::Diagnostic;
use super::source::SourceMap;
use std::collections::BTreeSet;

/// Makes certain those changes of `findings` to `in {…}` whose words all belong to one enum or taxonomy.
pub fn sets<'d>(
    map: &SourceMap,
    findings: impl IntoIterator<Item = &'d mut Diagnostic>,
    vocabularies: &[VocabFile],
) {
    let mut lists = None;
    for found in findings {
        let Some(change) = found.suggestion.as_mut().filter(|_| found.code == "E0107") else { continue };
        let words = change.replacement.strip_prefix("in {").and_then(|rest| rest.strip_suffix('}'));
        let Some(words) = words else { continue };
        // With `and` nothing could be all of them, so something else may have been meant.
        if map.snippet(change.span).split_whitespace().any(|word| word == "and") {
            continue;
        }
        let lists = lists.get_or_insert_with(|| vocabularies.iter().flat_map(lists_of).collect::<Vec<_>>());
        change.certain |= lists.iter().any(|list| words.split(", ").all(|word| list.contains(word)));
    }
}

/// The words of each enum and taxonomy.
fn lists_of(file: &VocabFile) -> Vec<BTreeSet<&str>> {
    let mut lists = Vec::new();
    for item in &file.items {
        let mut words = BTreeSet::new();
        match item {
            VocabItem::Enum(list) => words.extend(list.values.iter().map(|value| value.name.text.as_str())),
            VocabItem::Taxonomy(tree) => tree.nodes.iter().for_each(|node| add(node, &mut words)),
            _ => continue,
        }
        lists.push(words);
    }
    lists
}

fn add<'n>(node: &'n TaxonomyNode, words: &mut BTreeSet<&'n str>) {
    words.insert(&node.name.text);
    node.children.iter().for_each(|child| add(child, words));
}
