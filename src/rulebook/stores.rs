//! Whether stores and policies meet: names that are misspelt do not fail anywhere else, they just leave a policy out.
use crate::lang::diagnostic::Diagnostic;
use crate::lang::typed::Rulebook;
use crate::program::bind::nearest;
use crate::rulebook::manifest::StoreDef;
use crate::rulebook::program::takes_part;

/// Warns of layers' names that look like slips, and of stores that no policy governs.
pub(super) fn check(book: &Rulebook, stores: &[StoreDef], findings: &mut Vec<Diagnostic>) {
    for store in stores {
        for (kind, name) in store.layers.iter().filter(|(kind, _)| *kind != "store") {
            let of_kind = book.policies.iter().filter(|p| p.layer.kind == *kind);
            let named: Vec<&str> = of_kind.filter_map(|p| p.layer.name.as_deref()).collect();
            if named.contains(&name.as_str()) {
                continue;
            }
            if let Some(near) = nearest(name, named.into_iter()) {
                let message = format!("no policy is for {kind} `{name}`, but there are some for `{near}`");
                findings.push(
                    Diagnostic::warning("W0809", store.span, message)
                        .help(format!("if that is meant, write `{kind} = \"{near}\"`")),
                );
            }
        }
        let part = takes_part(book, store);
        let governed = book.policies.iter().zip(part).any(|(p, part)| part && p.decides.is_some());
        if !governed && !book.policies.is_empty() {
            let message = format!("no policy governs the store `{}`", store.id);
            findings.push(
                Diagnostic::warning("W0810", store.span, message)
                    .help("`in = { … }` says which named layers apply to it"),
            );
        }
    }
}
