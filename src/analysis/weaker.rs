//! What a lower layer says against a binding rule of a higher one, and can never have its way.
use crate::analysis::contexts::Contexts;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::typed::*;
use crate::program::link::LinkedRule;
use crate::program::value::Value;
use crate::rulebook::{Book, Program};
use std::collections::BTreeMap;

/// What is set aside.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Override,
    Value,
    Limit,
    Removal,
}

/// Rules of lower layers that a binding rule always sets aside.
pub(super) fn analyse(book: &Book, contexts: &Contexts<'_>) -> Vec<Diagnostic> {
    let mut pairs: BTreeMap<(RuleId, RuleId), What> = BTreeMap::new();
    for program in &book.programs {
        for d in 0..book.typed.vocab.decisions.len() {
            of_decision(program, DecisionId(d as u32), &mut pairs);
        }
    }
    pairs.iter().filter_map(|((holder, lower), what)| told(book, contexts, *holder, *lower, *what)).collect()
}

fn of_decision(program: &Program, decision: DecisionId, pairs: &mut BTreeMap<(RuleId, RuleId), What>) {
    let linked = program.linked();
    let book = &linked.rulebook;
    let rule = |l: &LinkedRule| book.rules.get(l.rule.ix());
    let outputs = book.vocab.decisions.get(decision.ix()).map(|d| d.outputs.as_slice()).unwrap_or_default();
    for high in linked.rules(decision) {
        for by in high.overridden_by.iter().filter(|by| by.set_aside) {
            pairs.entry((high.rule, by.rule)).or_insert(What::Override);
        }
        let Some(holder) = rule(high).filter(|h| h.binding && holds_always(book, high, h)) else { continue };
        for low in linked.rules(decision).iter().filter(|l| l.rank > high.rank) {
            for effect in rule(low).into_iter().flat_map(|r| &r.effects) {
                let Some(def) = outputs.get(effect.output.ix()) else { continue };
                let on = holder.effects.iter().filter(|e| e.output == effect.output);
                for held in on {
                    if let Some(what) = at_odds(def, held, effect) {
                        pairs.entry((high.rule, low.rule)).or_insert(what);
                    }
                }
            }
        }
    }
}

/// Whether a rule is effective whatever the facts.
fn holds_always(book: &Rulebook, linked: &LinkedRule, rule: &Rule) -> bool {
    let policy = book.policies.get(rule.policy.ix());
    policy.is_some_and(|p| p.dates.is_always() && p.applies_when.is_none())
        && rule.dates.is_always()
        && rule.when.is_none()
        && rule.for_each.is_none()
        && linked.overridden_by.iter().all(|by| by.set_aside)
}

/// Whether what a lower layer does to an output is set aside, whatever else there is. Only fixed values are compared.
fn at_odds(def: &OutputDef, held: &Effect, lower: &Effect) -> Option<What> {
    let (a, b) = (fixed(&held.value), fixed(&lower.value));
    if def.mode == Mode::All {
        let added = matches!(held.op, EffectOp::Add | EffectOp::Set) && lower.op == EffectOp::Remove;
        let (a, b) = (members(&held.value)?, members(&lower.value)?);
        return (added && b.iter().all(|b| a.contains(b))).then_some(What::Removal);
    }
    let (a, b) = (a?, b?);
    let less = less(&b, &a)?;
    let more = self::less(&a, &b)?;
    let kinder = match def.better {
        Some(Better::Higher) => more,
        Some(Better::Lower) => less,
        None => false,
    };
    let single = matches!(def.mode, Mode::One | Mode::Max | Mode::Min);
    match (held.op, lower.op) {
        (EffectOp::AtLeast, EffectOp::AtMost) if less => Some(What::Limit),
        (EffectOp::AtMost, EffectOp::AtLeast) if more => Some(What::Limit),
        (EffectOp::Set, EffectOp::Set) if single && (less || more) && !kinder => Some(What::Value),
        (EffectOp::Set, EffectOp::AtMost) if single && less && !kinder => Some(What::Limit),
        (EffectOp::Set, EffectOp::AtLeast) if single && more && !kinder => Some(What::Limit),
        _ => None,
    }
}

/// A value that no fact changes.
fn fixed(e: &Expr) -> Option<Value> {
    match &e.kind {
        ExprKind::Const(c) => Some(Value::of_const(c)),
        ExprKind::Widen(x) | ExprKind::Present(x) => fixed(x),
        _ => None,
    }
}

fn members(e: &Expr) -> Option<Vec<Value>> {
    match &e.kind {
        ExprKind::Set(items) | ExprKind::List(items) => items.iter().map(fixed).collect(),
        _ => fixed(e).map(|v| vec![v]),
    }
}

/// Whether one value is less than another of its kind; `None` where they have no order.
fn less(a: &Value, b: &Value) -> Option<bool> {
    match (a, b) {
        (Value::Money(_, c), Value::Money(_, d)) if c != d => None,
        (Value::Num(_), Value::Num(_))
        | (Value::Money(..), Value::Money(..))
        | (Value::Enum(_), Value::Enum(_))
        | (Value::Date(_), Value::Date(_))
        | (Value::Duration(_), Value::Duration(_)) => Some(a < b),
        (Value::Bool(_), Value::Bool(_))
        | (Value::Node(_), Value::Node(_))
        | (Value::Text(_), Value::Text(_)) => Some(a < b),
        _ => None,
    }
}

fn told(
    book: &Book,
    contexts: &Contexts<'_>,
    holder: RuleId,
    lower: RuleId,
    what: What,
) -> Option<Diagnostic> {
    let typed = &book.typed;
    let (high, low) = (typed.rules.get(holder.ix())?, typed.rules.get(lower.ix())?);
    let name = typed.rule_id(holder);
    let said = match what {
        What::Override => format!("`{}` overrides the binding rule `{name}`", low.name),
        What::Value => format!("`{}` gives another value than the binding rule `{name}`", low.name),
        What::Limit => format!("`{}` limits what the binding rule `{name}` gives", low.name),
        What::Removal => format!("`{}` removes what the binding rule `{name}` gives", low.name),
    };
    let shown = contexts.all.iter().find(|context| {
        context.decide(&context.facts).is_some_and(|(facts, outcome)| {
            outcome.set_aside.contains(&(holder, lower))
                && context.program.decide_by_walk(context.decision, &facts).set_aside == outcome.set_aside
        })
    });
    let example = shown.map(|c| format!(" (as in {})", c.name)).unwrap_or_default();
    let message = format!("{said}, which holds against its layer: it is always set aside{example}");
    let head = |r: &Rule| crate::lang::source::Span {
        end: (r.span.start + 5 + r.name.len() as u32).min(r.span.end),
        ..r.span
    };
    Some(
        Diagnostic::warning("W0616", head(low), message)
            .note(head(high), "this one is binding")
            .help("remove it; a lower layer may only be kinder, where the output says which way is `better`"),
    )
}
