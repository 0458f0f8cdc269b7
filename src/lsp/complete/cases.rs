//! Cases: facts on the one side, outputs and rules on the other, backgrounds and models by their names.
use super::line::Line;
use super::scope::Scope;
use super::{Offers, Rank, after_dot, sort};
use crate::lang::ast;
use crate::lang::index::Symbol;
use crate::lang::syntax::Around;
use crate::lang::typed::{DecisionId, Mode, Ty};

/// Between quotes: the names of backgrounds and cases.
pub(super) fn quoted(scope: &Scope<'_>, line: &Line<'_>, offers: &mut Offers) {
    let background = match line.last_of(0, &["with", "like", "background", "case"]).map(|at| line.text(at)) {
        Some("with") => true,
        Some("like") => false,
        _ => return,
    };
    for (symbol, thing) in scope.things() {
        match symbol {
            Symbol::Background(_) if background => {
                offers.put(Rank::Wanted, sort::TEXT, &thing.name, "background")
            }
            Symbol::Case(_) if !background => offers.put(Rank::Wanted, sort::TEXT, &thing.name, "case"),
            _ => {}
        }
    }
}

pub(super) fn offer(scope: &Scope<'_>, around: &Around, line: &Line<'_>, offers: &mut Offers) {
    let scope = scope.deciding(decision(scope, line));
    let clauses = ["for", "at", "like", "with", "given", "expect"];
    let background = around.keyword == Some("background");
    let begin = match line.last_of(0, &clauses) {
        Some(at) => at,
        // A background's facts follow its name.
        None if background && line.len() >= 2 => 1,
        None => return offers.words(clauses),
    };
    if around.line_start && !background {
        offers.words(clauses);
    }
    match line.text(begin) {
        "for" if line.len() == begin + 1 => {
            for d in &scope.index.vocab.decisions {
                offers.put(Rank::Wanted, sort::NAME, &d.name, d.label.zh(""));
            }
        }
        "for" => offers.words(["at", "with", "like", "given", "expect"]),
        "at" if line.len() == begin + 1 => {
            for (_, store) in scope.index.places.iter().filter(|(kind, _)| kind == "store") {
                offers.put(Rank::Wanted, sort::NAME, store, "store");
            }
        }
        "expect" => expected(&scope, around, line, begin, offers),
        _ if background || line.text(begin) == "given" => setting(&scope, around, line, begin, offers),
        _ => offers.words(clauses),
    }
}

/// The decision that the case is about: its own `for`, else that of the file's head.
fn decision(scope: &Scope<'_>, line: &Line<'_>) -> Option<DecisionId> {
    let id = |name: &str| {
        let found = scope.index.vocab.decisions.iter().position(|d| d.name == name);
        found.map(|at| DecisionId(at as u32))
    };
    let own = line.last_of(0, &["for"]).and_then(|at| id(line.text(at + 1)));
    own.or_else(|| match scope.draft.tree(scope.file) {
        Some(ast::File::Cases(file)) => id(&file.head.as_ref()?.decision.text),
        _ => None,
    })
}

fn setting(scope: &Scope<'_>, around: &Around, line: &Line<'_>, begin: usize, offers: &mut Offers) {
    let from = line.last_of(begin, &[","]).unwrap_or(begin) + 1;
    let equals = (from..line.len()).find(|at| line.text(*at) == "=");
    match equals {
        None if after_dot(around) => scope.fields(line, offers),
        None if line.len() == from => scope.facts(offers),
        None => offers.words(["="]),
        Some(at) => {
            if line.ends_operand() {
                return offers.words(["expect", "given"]);
            }
            let target = line.operand(at);
            if let Some(ty) = target.and_then(|t| scope.of_operand(&t)) {
                value(scope, line, at, &ty, offers);
            }
        }
    }
}

/// A value of a kind, or the fields of an entity that is written in place.
fn value(scope: &Scope<'_>, line: &Line<'_>, at: usize, ty: &Ty, offers: &mut Offers) {
    let open = line.open().into_iter().rfind(|o| *o > at && line.text(*o) == "(");
    if let Some(call) = open.and_then(|o| line.operand(o)) {
        let fields = scope.asks(&call.path);
        if line.back(0) == ":" {
            if let Some((_, ty)) = fields.iter().find(|(n, _)| n == line.back(1)) {
                scope.values(ty, offers);
            }
        } else {
            for (name, ty) in &fields {
                offers.put(Rank::Wanted, sort::FIELD, format!("{name}: "), scope.index.vocab.type_name(ty));
            }
        }
        return;
    }
    scope.values(ty, offers);
    let of = match ty.inner() {
        Ty::List(of) | Ty::Set(of) => of.inner(),
        other => other,
    };
    if let Ty::Entity(id) = of
        && let Some(def) = scope.index.vocab.entities.get(id.ix())
    {
        offers.put(Rank::Wanted, sort::TYPE, format!("{}(", def.name), "its fields by name");
    }
    offers.words(["unknown"]);
}

fn expected(scope: &Scope<'_>, around: &Around, line: &Line<'_>, begin: usize, offers: &mut Offers) {
    let from = line.last_of(begin, &[","]).unwrap_or(begin) + 1;
    if after_dot(around) {
        return scope.fields(line, offers);
    }
    let listed = line.last_of(begin, &["by", "needs", "="]).map(|at| line.text(at));
    match line.back(0) {
        "by" => {
            offers.put(Rank::Wanted, sort::WORD, "default", "no rule decides");
            return rules(scope, offers);
        }
        "needs" => return scope.facts(offers),
        "is" => return offers.words(["absent", "undecided", "conflict", "faulty", "unknown"]),
        "not" => return offers.words(["by"]),
        "=" => {
            let output = scope.outputs().iter().find(|o| o.name == line.back(1));
            if let Some(o) = output {
                value(scope, line, line.len() - 1, &o.ty, offers);
            }
            return;
        }
        _ => {}
    }
    if line.len() == from {
        match listed {
            Some("by") => rules(scope, offers),
            Some("needs") => scope.facts(offers),
            _ => {}
        }
        for o in scope.outputs().iter().filter(|o| matches!(o.mode, Mode::One | Mode::Max | Mode::Min)) {
            if matches!(o.ty, Ty::Enum(_)) {
                scope.values(&o.ty, offers);
            }
        }
        for o in scope.outputs() {
            offers.put(
                Rank::Name,
                sort::NAME,
                &o.name,
                format!("output: {}", scope.index.vocab.type_name(&o.ty)),
            );
        }
        return offers.words(["needs"]);
    }
    if line.ends_operand() {
        offers.words(["by", "not", "=", "is"]);
    }
}

/// The rules of the decision, by their names alone where only one policy has the name.
fn rules(scope: &Scope<'_>, offers: &mut Offers) {
    let decides =
        |home: &str| scope.index.policies.iter().any(|p| p.path == home && p.decides == scope.decision);
    let of: Vec<_> = scope
        .things()
        .filter(|(s, t)| matches!(s, Symbol::Rule(_)) && t.home.as_deref().is_some_and(decides))
        .collect();
    for (symbol, thing) in &of {
        let home = thing.home.as_deref().unwrap_or_default();
        let alone = of.iter().all(|(_, t)| t.name != thing.name || t.home.as_deref() == Some(home));
        let name = if alone { thing.name.clone() } else { format!("{home}.{}", thing.name) };
        offers.put(Rank::Wanted, sort::RULE, name, scope.detail(*symbol, thing));
    }
}
