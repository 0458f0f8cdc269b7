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
            _ if line.ends_operand() => offers.words(["from", "zh", "en"]),
            _ => {}
        },
        Some("decision") => decision(scope, around, line, offers),
        Some("calendar") if !line.open().is_empty() => offers.words(["closed", "open", "through"]),
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
