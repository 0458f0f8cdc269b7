//! Cases as text to paste: like a case that there is, with what is changed, and today's answer left to the author to judge.
use crate::cases::vary::{Place, Var};
use crate::lang::typed::*;
use crate::program::literal::literal;
use crate::program::outcome::{Outcome, State};
use crate::program::value::Value;
use crate::rulebook::Book;
use crate::rulebook::stated::Stated;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A case that would show something that no case shows yet.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// What it shows, a line each.
    pub shows: Vec<String>,
    pub name: String,
    /// The case that it is like.
    pub like: String,
    /// `item.paid = 5 CNY`
    pub given: Vec<String>,
    /// Today's answer, as an `expect` would say it.
    pub today: String,
}

impl Proposal {
    /// The case with today's answer as a comment: until somebody says what is expected, `check` asks for it.
    pub fn text(&self) -> String {
        self.written("  # what is expected here? today's answer is\n  # expect ")
    }

    /// The case with today's answer as what is expected.
    pub fn accepted(&self) -> String {
        self.written("  expect ")
    }

    fn written(&self, before: &str) -> String {
        let shows: String = self.shows.iter().map(|s| format!("# {s}\n")).collect();
        let given = self.given.join(", ");
        let (name, like) = (quoted(&self.name), quoted(&self.like));
        format!("{shows}case {name} like {like}\n  given {given}\n{before}{}\n", self.today)
    }
}

/// The setting that gives a place its value; an element of a list can only be set with the whole list.
pub(super) fn setting(vocab: &Vocab, var: &Var, facts: &Stated) -> Option<String> {
    match &var.place {
        Place::Call(_) => Some(format!("{} = {}", var.path, given(vocab, &var.ty, facts.get(&var.place)?))),
        Place::Root(root, steps) => {
            let listed = steps.iter().position(|s| matches!(s, crate::cases::vary::Step::Item(_)));
            let Some(listed) = listed else {
                return Some(format!("{} = {}", var.path, given(vocab, &var.ty, facts.get(&var.place)?)));
            };
            // Up to the first `[`, the path names the list.
            let path = var.path.split('[').next().unwrap_or("");
            let place = Place::Root(*root, steps.get(..listed)?.to_vec());
            Some(format!("{path} = {}", whole(vocab, facts.get(&place)?)))
        }
    }
}

/// A stated value as a case writes it.
fn given(vocab: &Vocab, ty: &Ty, value: &Given) -> String {
    match value {
        Given::Value(Const::Text(text)) => quoted(text),
        Given::Value(c) => literal(vocab, ty, &Value::of_const(c)),
        Given::Absent => "absent".into(),
        Given::Unknown => "unknown".into(),
        Given::List(_) | Given::Entity(..) => typed(vocab, ty, value),
    }
}

fn typed(vocab: &Vocab, ty: &Ty, value: &Given) -> String {
    match (value, ty.inner()) {
        (Given::List(items), Ty::List(of)) => {
            let items: Vec<String> = items.iter().map(|i| given(vocab, of, i)).collect();
            format!("[{}]", items.join(", "))
        }
        (Given::List(items), Ty::Set(of)) => {
            let items: Vec<String> = items.iter().map(|i| given(vocab, of, i)).collect();
            format!("{{{}}}", items.join(", "))
        }
        (Given::Entity(..), _) => whole(vocab, value),
        _ => given(vocab, ty, value),
    }
}

/// A list or an entity, whose elements say themselves what they are.
fn whole(vocab: &Vocab, value: &Given) -> String {
    match value {
        Given::List(items) => {
            let items: Vec<String> = items.iter().map(|i| whole(vocab, i)).collect();
            format!("[{}]", items.join(", "))
        }
        Given::Entity(id, fields) => {
            let Some(def) = vocab.entities.get(id.ix()) else { return String::new() };
            let stated = fields.iter().filter(|(_, g)| *g != Given::Unknown);
            let shown = stated.filter_map(|(f, g)| {
                let field = def.fields.get(*f as usize)?;
                Some(format!("{}: {}", field.name, given(vocab, &field.ty, g)))
            });
            format!("{}({})", def.name, shown.collect::<Vec<_>>().join(", "))
        }
        other => given(vocab, &Ty::Never, other),
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Today's answer for some outputs: their values, and for the rules that a case is about, `by`.
pub(super) fn expectation(
    book: &Book,
    outcome: &Outcome,
    outputs: &BTreeSet<OutputId>,
    by: Option<RuleId>,
) -> Option<String> {
    let typed = &*book.typed;
    let def = typed.vocab.decisions.get(outcome.decision.ix())?;
    let mut said = Vec::new();
    for id in outputs {
        let (Some(out), Some(state)) = (def.outputs.get(id.ix()), outcome.outputs.get(id.ix())) else {
            continue;
        };
        let rules: Vec<RuleId> =
            outcome.because.iter().filter(|b| b.outputs.contains(id)).map(|b| b.rule).collect();
        let mut text = match state {
            State::Value(Value::Absent) => format!("{} is absent", out.name),
            State::Value(value) => {
                let ty = match out.per {
                    Some(_) => Ty::List(Arc::new(out.value_ty())),
                    None => out.value_ty(),
                };
                format!("{} = {}", out.name, literal(&typed.vocab, &ty, value))
            }
            State::Unknown(_) => format!("{} is unknown", out.name),
            State::Undecided(_) => format!("{} is undecided", out.name),
            State::Conflict(_) => format!("{} is conflict", out.name),
            State::Faulty(_) => format!("{} is faulty", out.name),
        };
        if let Some(rule) = by.filter(|r| rules.contains(r)) {
            text.push_str(&format!(" by {}", by_name(typed, rule, outcome.decision)));
        }
        said.push(text);
    }
    // A list without `by` goes on with the next expectation; one with `by` must stand last.
    said.sort_by_key(|s| s.contains(" by "));
    (!said.is_empty()).then(|| said.join(", "))
}

/// A rule's name, with its path where two policies of the decision have it.
fn by_name(book: &Rulebook, rule: RuleId, decision: DecisionId) -> String {
    let Some(found) = book.rules.get(rule.ix()) else { return String::new() };
    let decides = |p: PolicyId| book.policies.get(p.ix()).is_some_and(|p| p.decides == Some(decision));
    let path = |p: PolicyId| book.policies.get(p.ix()).map(|p| p.path.as_str());
    let others = book.rules.iter().filter(|r| decides(r.policy) && r.name == found.name);
    let paths: BTreeSet<Option<&str>> = others.map(|r| path(r.policy)).collect();
    if paths.len() > 1 { book.rule_id(rule) } else { found.name.clone() }
}
