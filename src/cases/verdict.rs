//! What a case expected against what was decided.
use crate::lang::typed::*;
use crate::program::link::Linked;
use crate::program::literal::{call_path, literal};
use crate::program::outcome::{Outcome, State};
use crate::program::render::{conflict_text, fault_text};
use crate::program::value::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Everything in which the outcome differs from what the case expects, a line each.
pub(super) fn differences(linked: &Linked, case: &Case, outcome: &Outcome) -> Vec<String> {
    let book = &*linked.rulebook;
    let Some(decision) = book.vocab.decisions.get(case.decision.ix()) else { return Vec::new() };
    let mut lines = Vec::new();
    for expected in &case.expect {
        let (Some(def), Some(state)) =
            (decision.outputs.get(expected.output.ix()), outcome.outputs.get(expected.output.ix()))
        else {
            continue;
        };
        let ty = full_type(def);
        if !holds(&expected.want, state) {
            let (want, got) = (wanted(book, &ty, &expected.want), shown(book, &ty, state));
            lines.push(format!("{}: expected {want}, got {got}", def.name));
        }
        let by = deciding(outcome, expected.output);
        for versions in &expected.by {
            if !versions.iter().any(|rule| by.contains(rule)) {
                let name = versions.first().map(|r| cited(book, *r)).unwrap_or_default();
                lines.push(format!("{}: expected by {name}, decided {}", def.name, by_text(book, &by)));
            }
        }
        for rule in expected.not_by.iter().filter(|rule| by.contains(rule)) {
            lines.push(format!("{}: decided by {}, expected not by it", def.name, cited(book, *rule)));
        }
        if expected.by_default && !by.is_empty() {
            lines.push(format!("{}: expected by default, decided {}", def.name, by_text(book, &by)));
        }
    }
    if let Some(expected) = &case.needs {
        let expected: BTreeSet<String> = expected.iter().map(|need| named(&book.vocab, need)).collect();
        let expected: Vec<String> = expected.into_iter().collect();
        let needs: Vec<String> =
            outcome.needs(|i| decision.outputs.get(i).is_none_or(|o| o.working)).into_iter().collect();
        if expected != needs {
            let list =
                |items: &[String]| if items.is_empty() { "nothing".to_owned() } else { items.join(", ") };
            lines.push(format!("needs: expected {}, got {}", list(&expected), list(&needs)));
        }
    }
    lines
}

/// One line per output that the case speaks of, or that is not decided: what it came to, and by which rules.
pub(super) fn summary(linked: &Linked, case: &Case, outcome: &Outcome) -> Vec<String> {
    let book = &*linked.rulebook;
    let Some(decision) = book.vocab.decisions.get(case.decision.ix()) else { return Vec::new() };
    let mut lines = Vec::new();
    for (i, (def, state)) in decision.outputs.iter().zip(&outcome.outputs).enumerate() {
        let id = OutputId(i as u32);
        if case.expect.iter().any(|e| e.output == id) || (state.badness() > 0 && !def.working) {
            let shown = shown(book, &full_type(def), state);
            // What is not decided is decided by nobody, not even by default.
            lines.push(match state.badness() {
                0 => format!("{} = {shown}, {}", def.name, by_text(book, &deciding(outcome, id))),
                _ => format!("{} = {shown}", def.name),
            });
        }
    }
    lines
}

fn full_type(def: &OutputDef) -> Ty {
    match def.per {
        Some(_) => Ty::List(Arc::new(def.value_ty())),
        None => def.value_ty(),
    }
}

fn deciding(outcome: &Outcome, output: OutputId) -> Vec<RuleId> {
    outcome.because.iter().filter(|b| b.outputs.contains(&output)).map(|b| b.rule).collect()
}

fn by_text(book: &Rulebook, rules: &[RuleId]) -> String {
    match rules {
        [] => "by default".into(),
        rules => format!("by {}", rules.iter().map(|r| cited(book, *r)).collect::<Vec<_>>().join(", ")),
    }
}

fn cited(book: &Rulebook, rule: RuleId) -> String {
    let id = book.rule_id(rule);
    match book.rules.get(rule.ix()).and_then(|r| r.clause.as_deref()) {
        Some(clause) => format!("{id} §{}", clause.trim_start_matches('§')),
        None => id,
    }
}

fn holds(want: &Want, state: &State) -> bool {
    match (want, state) {
        (Want::Value(given), State::Value(value)) => fits(given, value),
        (Want::Absent, State::Value(Value::Absent))
        | (Want::Unknown, State::Unknown(_))
        | (Want::Undecided, State::Undecided(_))
        | (Want::Conflict, State::Conflict(_))
        | (Want::Faulty, State::Faulty(_)) => true,
        _ => false,
    }
}

/// Whether a value is the stated one. A set is stated as a list in any order; fields that a record does not name are absent.
fn fits(given: &Given, value: &Value) -> bool {
    match (given, value) {
        (Given::Value(c), value) => Value::of_const(c) == *value,
        (Given::Absent, Value::Absent) => true,
        (Given::List(items), Value::List(list)) => {
            items.len() == list.len() && items.iter().zip(list.iter()).all(|(g, v)| fits(g, v))
        }
        (Given::List(items), Value::Set(set)) => {
            items.len() == set.len() && set.iter().all(|v| items.iter().any(|g| fits(g, v)))
        }
        (Given::Entity(id, fields), Value::Record(of, values)) => {
            let stated = |i: usize| fields.iter().find(|(f, _)| *f as usize == i).map(|(_, g)| g);
            id == of && values.iter().enumerate().all(|(i, v)| fits(stated(i).unwrap_or(&Given::Absent), v))
        }
        _ => false,
    }
}

/// A stated value, to be shown; `None` if part of it is left open.
fn given_value(vocab: &Vocab, given: &Given) -> Option<Value> {
    Some(match given {
        Given::Value(c) => Value::of_const(c),
        Given::Absent => Value::Absent,
        Given::Unknown => return None,
        Given::List(items) => {
            Value::List(Arc::new(items.iter().map(|g| given_value(vocab, g)).collect::<Option<_>>()?))
        }
        Given::Entity(id, fields) => {
            let mut values = vec![Value::Absent; vocab.entities.get(id.ix()).map_or(0, |e| e.fields.len())];
            for (field, given) in fields {
                if let Some(place) = values.get_mut(*field as usize) {
                    *place = given_value(vocab, given)?;
                }
            }
            Value::Record(*id, Arc::new(values))
        }
    })
}

fn wanted(book: &Rulebook, ty: &Ty, want: &Want) -> String {
    match want {
        Want::Value(given) => match given_value(&book.vocab, given) {
            Some(value) => literal(&book.vocab, ty, &value),
            None => "an open value".into(),
        },
        Want::Absent => "absent".into(),
        Want::Unknown => "unknown".into(),
        Want::Undecided => "undecided".into(),
        Want::Conflict => "a conflict".into(),
        Want::Faulty => "a fault".into(),
    }
}

fn shown(book: &Rulebook, ty: &Ty, state: &State) -> String {
    let join = |items: Vec<String>| items.join("; ");
    match state {
        State::Value(value) => literal(&book.vocab, ty, value),
        State::Unknown(facts) => {
            format!("unknown (needs {})", facts.iter().cloned().collect::<Vec<_>>().join(", "))
        }
        State::Undecided(questions) => {
            format!("undecided ({})", join(questions.iter().map(|q| q.zh("").to_owned()).collect()))
        }
        State::Conflict(conflicts) => {
            format!("a conflict ({})", join(conflicts.iter().map(|c| conflict_text(book, c).1).collect()))
        }
        State::Faulty(faults) => {
            format!("a fault ({})", join(faults.iter().map(|f| fault_text(book, f).1).collect()))
        }
    }
}

/// A fact as answers name it.
fn named(vocab: &Vocab, need: &Need) -> String {
    match need {
        Need::Path(path) => path.clone(),
        Need::Call(fact, args) => {
            call_path(vocab, *fact, &args.iter().map(Value::of_const).collect::<Vec<_>>())
        }
    }
}
