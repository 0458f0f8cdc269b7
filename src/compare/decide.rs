//! One version's answer, in words that can be laid beside the other's.
use crate::compare::fit::fit;
use crate::lang::typed::*;
use crate::program::bind::FactError;
use crate::program::literal::literal;
use crate::program::outcome::{Outcome, State};
use crate::program::value::Value;
use crate::rulebook::Program;
use num_rational::BigRational;
use num_traits::Zero;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an output came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    /// As the language writes it; what is not decided says so.
    pub(super) text: String,
    /// Whether there is a value (absent is one).
    pub(super) decided: bool,
    /// One number or date: its kind and size, to be called more or less.
    pub(super) size: Option<(String, BigRational)>,
    /// The sum of its money by currency; nothing where it holds none.
    pub(super) money: BTreeMap<String, BigRational>,
    /// The rules that decided, `§6.6 change_of_mind`.
    pub(super) by: Vec<String>,
}

/// What is said of an output that has no value.
pub(super) const OPEN: [&str; 5] =
    ["open (facts are missing)", "undecided by the rulebook", "a conflict", "a fault", "no such output"];

/// The outputs of a decision by name, `working` ones left out.
pub(super) type Answer = BTreeMap<String, Said>;

/// Decides facts that may be of another vocabulary.
pub(super) fn answer(program: &Program, decision: DecisionId, facts: &Json) -> Result<Answer, FactError> {
    let book = &program.linked().rulebook;
    let facts = fit(&book.vocab, facts).to_string();
    let facts = program.binder().bind(facts.as_bytes())?;
    Ok(said(book, &program.decide(decision, &facts)))
}

/// The same by the reference walk: what is told was decided by both evaluators.
pub(super) fn confirmed(program: &Program, decision: DecisionId, facts: &Json, told: &Answer) -> bool {
    let book = &program.linked().rulebook;
    let facts = fit(&book.vocab, facts).to_string();
    let Ok(facts) = program.binder().bind(facts.as_bytes()) else { return false };
    said(book, &program.decide_by_walk(decision, &facts)) == *told
}

fn said(book: &Rulebook, outcome: &Outcome) -> Answer {
    let defs = book.vocab.decisions.get(outcome.decision.ix()).map(|d| d.outputs.as_slice());
    let pairs = defs.unwrap_or_default().iter().zip(&outcome.outputs).enumerate();
    let shown = pairs.filter(|(_, (def, _))| !def.working).map(|(i, (def, state))| {
        let ty = match def.per {
            Some(_) => Ty::List(Arc::new(def.value_ty())),
            None => def.value_ty(),
        };
        let id = OutputId(i as u32);
        let by = outcome.because.iter().filter(|b| b.outputs.contains(&id));
        (def.name.clone(), one(book, &ty, state, by.map(|b| cited(book, b.rule)).collect()))
    });
    shown.collect()
}

fn one(book: &Rulebook, ty: &Ty, state: &State, by: Vec<String>) -> Said {
    let open = |text: &str| Said {
        text: text.into(),
        decided: false,
        size: None,
        money: BTreeMap::new(),
        by: Vec::new(),
    };
    match state {
        State::Value(value) => {
            let mut money = BTreeMap::new();
            add_money(&book.vocab, value, &mut money);
            Said {
                text: literal(&book.vocab, ty, value),
                decided: true,
                size: size(&book.vocab, value),
                money,
                by,
            }
        }
        State::Unknown(_) => open("open (facts are missing)"),
        State::Undecided(_) => open("undecided by the rulebook"),
        State::Conflict(_) => open("a conflict"),
        State::Faulty(_) => open("a fault"),
    }
}

fn cited(book: &Rulebook, rule: RuleId) -> String {
    let Some(r) = book.rules.get(rule.ix()) else { return String::new() };
    match &r.clause {
        Some(clause) => format!("§{} {}", clause.trim_start_matches('§'), r.name),
        None => r.name.clone(),
    }
}

fn size(vocab: &Vocab, value: &Value) -> Option<(String, BigRational)> {
    match value {
        Value::Num(n) => Some(("number".into(), n.clone())),
        Value::Money(n, c) => Some((currency(vocab, *c), n.clone())),
        Value::Date(d) => Some(("date".into(), BigRational::from_integer((*d).into()))),
        _ => None,
    }
}

fn currency(vocab: &Vocab, id: CurrencyId) -> String {
    vocab.currencies.get(id.ix()).map(|c| c.code.clone()).unwrap_or_default()
}

fn add_money(vocab: &Vocab, value: &Value, sums: &mut BTreeMap<String, BigRational>) {
    match value {
        Value::Money(n, c) => *sums.entry(currency(vocab, *c)).or_insert_with(BigRational::zero) += n,
        Value::List(items) => items.iter().for_each(|v| add_money(vocab, v, sums)),
        Value::Set(items) => items.iter().for_each(|v| add_money(vocab, v, sums)),
        Value::Record(_, fields) => fields.iter().for_each(|v| add_money(vocab, v, sums)),
        _ => {}
    }
}

/// An output that one version has and the other has not.
pub(super) fn missing() -> Said {
    Said { text: "no such output".into(), decided: false, size: None, money: BTreeMap::new(), by: Vec::new() }
}

/// The outputs on which two answers differ. Of what is not decided, only what kind it is counts.
pub(super) fn differing(old: &Answer, new: &Answer) -> Vec<(String, Said, Said)> {
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let pairs = names.into_iter().map(|name| {
        let of = |answer: &Answer| answer.get(name).cloned().unwrap_or_else(missing);
        (name.clone(), of(old), of(new))
    });
    pairs.filter(|(_, a, b)| a.text != b.text).collect()
}
