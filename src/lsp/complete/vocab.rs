//! Vocabularies: types, what a decision is given, and how its outputs combine.
use super::line::Line;
use super::scope::Scope;
use super::{Offers, Rank, after_dot, expr, sort};
use crate::lang::syntax::Around;
use crate::lang::typed::{DecisionId, Ty};

pub(super) fn offer(scope: &Scope<'_>, around: &Around, line: &Line<'_>, offers: &mut Offers) {
    match around.keyword {
        Some("entity" | "record") if matches!(line.back(0), ":" | "of") => scope.types(offers),
        Some("fact") => match line.back(0) {
            ":" | "of" => scope.types(offers),
            "from" => offers.words(["request", "records", "desk", "plugin"]),
            _ if line.last_of(0, &["plugin"]).is_some() => plugin(scope, around, line, offers),
            _ if line.ends_operand() => offers.words(["from", "zh", "en"]),
            _ => {}
        },
        Some("decision") => decision(scope, around, line, offers),
        Some("calendar") if !line.open().is_empty() => offers.words(["closed", "open", "through"]),
        _ => {}
    }
}

/// What follows `from plugin`: what the plugin may read, and what holds without its answer.
fn plugin(scope: &Scope<'_>, around: &Around, line: &Line<'_>, offers: &mut Offers) {
    let last = line.last_of(0, &["plugin", "reads", "failure"]);
    match last.map(|at| line.text(at)) {
        Some("reads") if after_dot(around) => scope.fields(line, offers),
        Some("reads") if matches!(line.back(0), "reads" | ",") => {
            for r in scope.index.vocab.roots.iter().filter(|r| r.source.plugin().is_none()) {
                offers.put(Rank::Wanted, sort::NAME, &r.name, scope.index.vocab.type_name(&r.ty));
            }
        }
        Some("failure") if line.back(0) == "failure" => {
            let ty = scope.index.vocab.fact_type(line.text(1));
            if let Some(ty) = ty {
                scope.values(&ty, offers);
            }
            for (word, detail) in [("refer", "the desk is asked"), ("deny", "the question is refused")] {
                offers.put(Rank::Wanted, sort::NAME, word, detail);
            }
        }
        Some("failure") => offers.words(["zh", "en"]),
        _ if line.back(0) == "on" => offers.words(["failure"]),
        Some("reads") if line.ends_operand() => offers.words(["on"]),
        Some("plugin") if line.ends_operand() && line.back(0) != "plugin" => offers.words(["reads", "on"]),
        _ => {}
    }
}

fn decision(scope: &Scope<'_>, around: &Around, line: &Line<'_>, offers: &mut Offers) {
    let id = scope.index.vocab.decisions.iter().position(|d| d.name == line.text(1));
    let scope = scope.deciding(id.map(|at| DecisionId(at as u32)));
    if after_dot(around) {
        return scope.fields(line, offers);
    }
    if line.open().is_empty() {
        if line.last_of(0, &["given"]).is_none() {
            return offers.words(["given", "zh", "en"]);
        }
        let vocab = &scope.index.vocab;
        for e in vocab.entities.iter().filter(|e| !e.record) {
            offers.put(Rank::Wanted, sort::NAME, &e.name, "entity");
        }
        for r in &vocab.roots {
            offers.put(Rank::Wanted, sort::NAME, &r.name, vocab.type_name(&r.ty));
        }
        for f in &vocab.fact_calls {
            offers.put(Rank::Wanted, sort::NAME, &f.name, vocab.type_name(&f.ty));
        }
        return;
    }
    if around.line_start {
        return offers.words(["working"]);
    }
    let begin = line.line_begin();
    let guarded = (begin..line.len()).rev().find(|at| matches!(line.text(*at), "if" | "else"));
    match (line.back(0), guarded) {
        (":", _) => offers.words(["one", "max", "min", "sum", "all", "each"]),
        ("one" | "max" | "min" | "sum" | "all" | "each", _) => scope.types(offers),
        ("better", _) => offers.words(["higher", "lower"]),
        (_, Some(at)) => {
            let output = scope.outputs().iter().find(|o| o.name == line.text(begin));
            let ty = if line.text(at) == "if" { Some(Ty::Bool) } else { output.map(|o| o.ty.clone()) };
            expr::offer(&scope, line, at + 1, ty.as_ref(), offers);
        }
        _ => offers.words(["better", "if", "else", "optional", "zh", "en"]),
    }
}
