//! Two rules that set different values of one output, and bounds that exclude each other.
use crate::analysis::goal::{EffectOf, Goal, Part};
use crate::analysis::rules::{Decision, Found, Verdict, at, called};
use crate::analysis::same::same;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::typed::*;
use crate::program::link::{Linked, LinkedRule};
use crate::program::literal::literal;
use crate::program::outcome::State;
use crate::program::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Two effects on one output that may contradict each other.
#[derive(Clone)]
struct Pair {
    output: OutputId,
    rules: [RuleId; 2],
    effects: [usize; 2],
    instances: [usize; 2],
    /// The first is a lower bound, the second an upper one.
    bounds: bool,
}

pub(super) fn check(decision: &mut Decision<'_>, found: &mut Vec<Diagnostic>) {
    // Two rules that disagree are one mistake with one mend, however many outputs they set: they are told once.
    let mut reported: BTreeMap<[RuleId; 2], (usize, BTreeSet<OutputId>)> = BTreeMap::new();
    for pair in pairs(decision) {
        let mut key = pair.rules;
        key.sort_unstable();
        if reported.get(&key).is_some_and(|(_, outputs)| outputs.contains(&pair.output)) {
            continue;
        }
        let of = decision.id;
        let wanted = pair.clone();
        match decision.ask(&pair.rules, |linked, at| goal(linked, of, at, &wanted)) {
            Verdict::Shown(shown) => {
                if let Some((at, outputs)) = reported.get_mut(&key) {
                    outputs.insert(pair.output);
                    let name = decision.output(pair.output);
                    if let Some(first) = found.get_mut(*at) {
                        first.message.push_str(&format!("; they disagree about {name}, too"));
                    }
                } else if let Some(told) = finding(decision, &pair, &shown) {
                    reported.insert(key, (found.len(), BTreeSet::from([pair.output])));
                    found.push(told);
                }
            }
            Verdict::Never => {}
            Verdict::NotDecided => {
                let [a, b] = pair.rules;
                if let (Some(a), Some(b)) = (decision.rule(a), decision.rule(b)) {
                    let text = format!(
                        "whether {} and {} can both set {}",
                        called(a),
                        called(b),
                        decision.output(pair.output)
                    );
                    decision.undecided.insert(text);
                }
            }
        }
    }
}

fn pairs(decision: &Decision<'_>) -> Vec<Pair> {
    let rules: Vec<RuleId> = decision.rules().into_iter().collect();
    let mut pairs = Vec::new();
    for (i, a) in rules.iter().enumerate() {
        for b in rules.iter().skip(i) {
            let (Some(first), Some(second)) = (decision.rule(*a), decision.rule(*b)) else { continue };
            for (n, x) in first.effects.iter().enumerate() {
                for (m, y) in second.effects.iter().enumerate() {
                    let Some(def) = decision.def.outputs.get(x.output.ix()) else { continue };
                    if x.output != y.output || (a == b && m < n) {
                        continue;
                    }
                    let per_line = def.per.is_some();
                    let bounds = match (x.op, y.op) {
                        (EffectOp::Set, EffectOp::Set) if def.mode == Mode::One => false,
                        (EffectOp::AtLeast, EffectOp::AtMost) | (EffectOp::AtMost, EffectOp::AtLeast) => true,
                        _ => continue,
                    };
                    let alone = a == b && n == m;
                    // A rule contradicts itself only by what it says of two elements.
                    if alone && (bounds || per_line || first.for_each.is_none()) {
                        continue;
                    }
                    let for_each = first.for_each.is_some() || second.for_each.is_some();
                    if !bounds && !alone && !for_each && same(&x.value, &y.value) {
                        continue;
                    }
                    let instances = if alone { [0, 1] } else { [0, 0] };
                    let (rules, effects) =
                        if x.op == EffectOp::AtMost { ([*b, *a], [m, n]) } else { ([*a, *b], [n, m]) };
                    pairs.push(Pair { output: x.output, rules, effects, instances, bounds });
                }
            }
        }
    }
    pairs
}

fn goal<'p>(linked: &'p Linked, of: DecisionId, positions: &[usize], pair: &Pair) -> Option<Goal<'p>> {
    let [a, b] = positions else { return None };
    let rules = linked.rules(of);
    let (first, second) = (rules.get(*a)?, rules.get(*b)?);
    if overrides(first, second, pair.output) || overrides(second, first, pair.output) {
        return None;
    }
    // What binds sets a more specific layer's word aside, so that there is nothing to agree on.
    let binds = |by: &LinkedRule, on: &LinkedRule| {
        by.rank < on.rank && linked.rulebook.rules.get(by.rule.ix()).is_some_and(|r| r.binding)
    };
    if binds(first, second) || binds(second, first) {
        return None;
    }
    let [x, y] = pair.effects;
    let [i, j] = pair.instances;
    let x = EffectOf { position: *a, effect: x, instance: i };
    let y = EffectOf { position: *b, effect: y, instance: j };
    let goal = Goal::new(of).effective(linked, *a, pair.output, i).effective(linked, *b, pair.output, j);
    let goal = goal.with(if pair.bounds { Part::Greater(x, y) } else { Part::Differ(x, y) });
    Some(goal.with(Part::Conflict(pair.output, pair.rules.into_iter().collect())))
}

/// Whether one rule, where it is effective, suppresses another for an output.
fn overrides(by: &LinkedRule, on: &LinkedRule, output: OutputId) -> bool {
    on.overridden_by
        .iter()
        .any(|o| o.rule == by.rule && !o.set_aside && o.output.is_none_or(|only| only == output))
}

fn finding(decision: &mut Decision<'_>, pair: &Pair, shown: &Found) -> Option<Diagnostic> {
    let of = decision.id;
    let facts = decision.say(shown, |linked| {
        let position = |r: RuleId| linked.rules(of).iter().position(|l| l.rule == r).unwrap_or_default();
        let at = pair.rules.map(position);
        goal(linked, of, &at, pair).unwrap_or_else(|| Goal::new(of))
    });
    let search = decision.searches.get(shown.search)?;
    let def = decision.def.outputs.get(pair.output.ix())?;
    let vocab = &decision.book.typed.vocab;
    let values: Vec<String> = pair
        .rules
        .iter()
        .zip(pair.effects)
        .zip(pair.instances)
        .map(|((rule, effect), instance)| {
            let linked = search.program.linked();
            let position = linked.rules(of).iter().position(|l| l.rule == *rule).unwrap_or_default();
            let effect = EffectOf { position, effect, instance };
            match effect.state(linked, of, &shown.witness.facts) {
                State::Value(Value::Absent) => "nothing".to_owned(),
                State::Value(value) => literal(vocab, &def.ty, &value),
                _ => "a value".to_owned(),
            }
        })
        .collect();
    let [first, second] = pair.rules.map(|r| decision.rule(r));
    let (first, second) = (first?, second?);
    let (one, other) = (values.first()?, values.get(1)?);
    let name = &def.name;
    let message = if pair.rules[0] == pair.rules[1] {
        format!(
            "with {facts}: rule {} sets {name} to {one} for one element and to {other} for another",
            called(first)
        )
    } else if pair.bounds {
        format!(
            "with {facts}: rule {} wants {name} at least {one}, rule {} at most {other}",
            called(first),
            called(second)
        )
    } else {
        format!(
            "with {facts}: rule {} sets {name} to {one}, rule {} to {other}",
            called(first),
            called(second)
        )
    };
    let help = if pair.rules[0] == pair.rules[1] {
        format!("say which element counts, or take them together: `{name} = sum(… for … in …)`")
    } else {
        // A rule of another policy is named with its policy.
        let named = |rule: &Rule, from: &Rule| match decision.book.typed.policies.get(rule.policy.ix()) {
            Some(policy) if rule.policy != from.policy => format!("{}.{}", policy.path, rule.name),
            _ => rule.name.clone(),
        };
        format!(
            "say which goes before: write `overrides {}` in rule {} if that one does, or `overrides {}` in rule {} if the \
             other does; or narrow a `when` so that only one of them holds",
            named(second, first),
            called(first),
            named(first, second),
            called(second)
        )
    };
    let mut diagnostic = Diagnostic::warning("W0613", at(first), message).help(help);
    if pair.rules[0] != pair.rules[1] {
        diagnostic = diagnostic.note(at(second), "the other rule");
    }
    Some(diagnostic)
}
