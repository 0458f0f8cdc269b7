//! Whether what a vocabulary declares fits what a plugin's manifest promises.
use super::values::kind;
use crate::lang::source::Span;
use crate::lang::typed::{PluginSource, Ty, Vocab};
use crate::plugins::contract::Hook;
use crate::plugins::manifest::{Function, Manifest};

/// A declaration that a plugin does not keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The fact's name.
    pub fact: String,
    /// Where the vocabulary names the plugin's function.
    pub span: Span,
    pub message: String,
    /// What to do.
    pub help: String,
}

/// The facts of a vocabulary that plugins answer, and whose they are.
pub fn declared(vocab: &Vocab) -> impl Iterator<Item = (&str, &PluginSource)> {
    let roots = vocab.roots.iter().map(|r| (r.name.as_str(), &r.source));
    let calls = vocab.fact_calls.iter().map(|f| (f.name.as_str(), &f.source));
    roots.chain(calls).filter_map(|(name, source)| Some((name, source.plugin()?.as_ref())))
}

/// What does not fit between a vocabulary and a plugin; nothing where the vocabulary does not use it.
pub fn fits(vocab: &Vocab, manifest: &Manifest) -> Vec<Misfit> {
    let mut found = Vec::new();
    for (fact, source) in declared(vocab).filter(|(_, source)| source.plugin == manifest.id) {
        let mut misfit = |message: String, help: String| {
            found.push(Misfit { fact: fact.to_owned(), span: source.span, message, help });
        };
        let title = format!("{} {}", manifest.id, manifest.version);
        let Some(function) = manifest.functions.get(&source.function) else {
            let names: Vec<&str> = manifest.functions.keys().map(String::as_str).collect();
            misfit(
                format!("plugin {title} has no function `{}`", source.function),
                format!("it has {}", if names.is_empty() { "none".to_owned() } else { names.join(", ") }),
            );
            continue;
        };
        let Some((params, ty)) = shape(vocab, fact) else { continue };
        for (message, help) in differences(vocab, source, function, &params, &ty) {
            misfit(format!("`{}` of plugin {title} {message}", source.function), help);
        }
    }
    found
}

/// The parameters and the type of a fact.
fn shape(vocab: &Vocab, name: &str) -> Option<(Vec<(String, Ty)>, Ty)> {
    if let Some(call) = vocab.fact_calls.iter().find(|f| f.name == name) {
        return Some((call.params.clone(), call.ty.clone()));
    }
    vocab.roots.iter().find(|r| r.name == name).map(|r| (Vec::new(), r.ty.clone()))
}

fn differences(
    vocab: &Vocab,
    source: &PluginSource,
    function: &Function,
    params: &[(String, Ty)],
    ty: &Ty,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let asked: Vec<(&str, &str)> = function
        .arguments
        .iter()
        .map(|text| text.split_once(':').map_or(("", text.trim()), |(name, kind)| (name.trim(), kind.trim())))
        .collect();
    if asked.len() != params.len() {
        found.push((
            format!("is asked by {} values, and the fact by {}", asked.len(), params.len()),
            format!("it wants ({})", function.arguments.join(", ")),
        ));
    } else {
        for ((name, wants), (param, ty)) in asked.iter().zip(params) {
            let has = kind(ty).unwrap_or("what no plugin takes");
            if *wants != has {
                found.push((
                    format!("wants {wants} for `{name}`, and `{param}` is {has}"),
                    "give the parameter the type that the plugin wants".to_owned(),
                ));
            }
        }
    }
    let has = kind(ty).unwrap_or("what no plugin answers");
    if function.hook == Hook::Notify {
        found
            .push(("takes events and answers no fact".to_owned(), "name a function that answers".to_owned()));
    } else if function.answers != has {
        found.push((
            format!("answers {}, and the fact is {has}", function.answers),
            "give the fact the type that the plugin answers".to_owned(),
        ));
    } else if function.hook == Hook::Check {
        let members = match ty.inner() {
            Ty::Enum(id) => vocab.enums.get(id.ix()).map(|e| e.members.as_slice()).unwrap_or_default(),
            _ => &[],
        };
        let lacks: Vec<&str> =
            ["allow", "deny", "refer"].into_iter().filter(|w| members.iter().all(|m| m.name != *w)).collect();
        if !lacks.is_empty() {
            found.push((
                format!("may answer {}, which the fact's type does not have", lacks.join(", ")),
                "use an enum with allow, deny and refer".to_owned(),
            ));
        }
    }
    for read in &function.reads {
        let covers =
            |path: &str| path == read || read.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        if !source.reads.iter().any(|r| covers(&r.path)) {
            found.push((
                format!("reads `{read}`, which the vocabulary does not show it"),
                format!("add `{read}` after `reads`"),
            ));
        }
    }
    found
}
