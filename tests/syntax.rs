//! The surface of the language: what parses, and what is said about what does not.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

#[path = "syntax/limits.rs"]
mod limits;
#[path = "support/snapshot.rs"]
mod snapshot;
#[path = "syntax/tree.rs"]
mod tree;
#[path = "syntax/wrong.rs"]
mod wrong;

use zhanggui::lang::ast::{File, FileKind};
use zhanggui::lang::diagnostic::{Diagnostic, render};
use zhanggui::lang::source::SourceMap;
use zhanggui::lang::syntax::parse_file;

fn parse(name: &str, text: &str) -> (SourceMap, File, Vec<Diagnostic>) {
    let mut map = SourceMap::new();
    let id = map.add(name, text);
    let (file, found) = parse_file(&map, id, FileKind::of(name).unwrap());
    (map, file, found)
}

fn good(name: &str, text: &str) -> File {
    let (map, file, found) = parse(name, text);
    assert!(found.is_empty(), "{}", render(&map, &found, false));
    file
}

#[test]
fn the_samples_parse() {
    let File::Vocabulary(vocabulary) = good("retail.vocab", include_str!("syntax/retail.vocab")) else {
        panic!()
    };
    assert_eq!(vocabulary.items.len(), 19);
    let File::Policy(policies) = good("returns.policy", include_str!("syntax/returns.policy")) else {
        panic!()
    };
    let counts: Vec<_> = policies.modules.iter().map(|module| module.items.len()).collect();
    assert_eq!(counts, [2, 17, 13]);
    let File::Cases(cases) = good("returns.cases", include_str!("syntax/returns.cases")) else { panic!() };
    assert_eq!(cases.cases.len(), 6);
}
