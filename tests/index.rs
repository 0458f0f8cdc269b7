//! What the checker says that names mean, over all rulebooks of the repository: every name is known, and none is mistaken.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
use std::collections::BTreeSet;
use std::path::Path;
use zhanggui::lang::check::{FUNCTIONS, TYPES};
use zhanggui::lang::index::Symbol;
use zhanggui::lang::syntax::KEYWORDS;
use zhanggui::lang::typed::Source;
use zhanggui::rulebook::{Draft, Overlay, Parses, draft, manifests};

fn drafts() -> Vec<Draft> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let all = manifests(&root).unwrap();
    assert!(all.len() > 3, "{all:?}");
    all.iter().map(|m| draft(m, &Overlay::default(), &mut Parses::default()).unwrap()).collect()
}

#[test]
fn a_place_names_what_it_is_said_to_mean() {
    let mut seen = 0;
    for draft in drafts() {
        let index = draft.index.as_ref().unwrap();
        for u in &index.uses {
            let thing =
                index.things.get(&u.symbol).unwrap_or_else(|| panic!("{u:?}: {}", draft.snippet(u.span)));
            let written = draft.snippet(u.span).trim_matches(['"', '“', '”']);
            // A unit has other names, too.
            let alias = matches!(u.symbol, Symbol::Unit(_) | Symbol::Currency(_)) && !written.is_ascii();
            assert!(written == thing.name || alias, "`{written}` is said to be {thing:?}");
            seen += 1;
        }
        for (symbol, thing) in &index.things {
            let declared = index.uses.iter().filter(|u| u.declares && u.symbol == *symbol).count();
            assert!(declared > 0, "{thing:?} is declared nowhere");
        }
    }
    assert!(seen > 5_000, "{seen}");
}

/// The words of a text outside comments, clauses and texts for people, with their bytes.
fn words(text: &str) -> Vec<(u32, &str)> {
    let mut out = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let mut until = |end: &dyn Fn(char) -> bool| while rest.next_if(|(_, c)| !end(*c)).is_some() {};
        match c {
            '#' => until(&|c| c == '\n'),
            '"' => until(&|c| c == '"' || c == '\n'),
            '“' => until(&|c| c == '”' || c == '\n'),
            '§' if text[at..].starts_with("§\"") => {
                rest.next();
                while rest.next_if(|(_, c)| *c != '"').is_some() {}
            }
            '§' => until(&|c| c.is_whitespace()),
            c if c.is_ascii_digit() => {
                until(&|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '+' | '_')))
            }
            c if c.is_alphabetic() => {
                until(&|c| !(c.is_alphanumeric() || c == '_'));
                let end = rest.peek().map_or(text.len(), |(i, _)| *i);
                out.push((at as u32, &text[at..end]));
                continue;
            }
            _ => continue,
        }
        if matches!(c, '"' | '“') || text[at..].starts_with("§\"") {
            rest.next();
        }
    }
    out
}

#[test]
fn every_name_is_known() {
    let (mut seen, mut unknown) = (0, BTreeSet::new());
    for draft in drafts() {
        let index = draft.index.as_ref().unwrap();
        let mut others: BTreeSet<&str> = KEYWORDS.iter().copied().collect();
        others.extend(FUNCTIONS.iter().map(|(name, _)| *name));
        others.extend(TYPES.iter().map(|(name, _)| *name));
        others.extend(index.layers.iter().map(String::as_str));
        others.extend(index.places.iter().map(|(_, name)| name.as_str()));
        others.extend([
            "count", "any", "split", "used", "value", "may", "days", "day", "hour", "minute", "second",
        ]);
        others.extend(["month", "year", "minutes", "seconds", "天", "个月", "年", "小时", "分钟", "折"]);
        // Plugins and their functions are named outside of the rulebook.
        let facts = index.vocab.roots.iter().map(|r| &r.source);
        for plugin in facts.chain(index.vocab.fact_calls.iter().map(|f| &f.source)).filter_map(Source::plugin)
        {
            others.extend(plugin.plugin.split('.').chain([plugin.function.as_str()]));
        }
        for (file, source) in draft.sources.files() {
            let kind = source.name.rsplit('.').next().unwrap();
            if !["policy", "vocab", "cases"].contains(&kind) {
                continue;
            }
            for (at, word) in words(&source.text).into_iter().filter(|(_, w)| !others.contains(w)) {
                // A vocabulary's own name, and the code of a warning that is accepted.
                let line = source.text[..at as usize].lines().last().unwrap_or_default();
                let heads = line.starts_with("vocabulary ");
                let other = word == index.vocab.name || heads || word.starts_with("W0");
                if !other && index.at(file, at).is_none() {
                    unknown.insert(format!("{}: {word}", source.name));
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 3_000, "{seen}");
    assert!(unknown.is_empty(), "{unknown:#?}");
}
