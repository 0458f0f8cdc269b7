//! What becomes of a fault: `check` tells it, a case fails, or the answers are the same as before.
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use zhanggui::analysis::analyse;
use zhanggui::cases;
use zhanggui::rulebook::{Book, Rulebooks, load};

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// With the first finding.
    Check(String),
    /// With the first case that fails.
    Case(String),
    /// Nothing that was tried is answered otherwise: so many decisions.
    Same(usize),
    /// Not caught, and these facts are answered otherwise.
    Missed(String),
}

/// A rulebook as it stands, with the facts that are asked of it.
pub struct Sound {
    pub books: Rulebooks,
    pub questions: Vec<Question>,
}

/// A store, a decision, and facts as JSON.
#[derive(Clone)]
pub struct Question {
    pub store: String,
    pub decision: String,
    pub facts: Value,
}

impl Sound {
    pub fn load(folder: &Path) -> Sound {
        let books = load(folder).unwrap().rulebooks.unwrap();
        let questions = books.books.iter().flat_map(questions).collect();
        Sound { books, questions }
    }
}

fn questions(book: &Book) -> Vec<Question> {
    let mut all = Vec::new();
    for case in &book.cases {
        let facts = cases::facts_json(&book.typed.vocab, case).unwrap();
        let decision = book.typed.vocab.decisions[case.decision.ix()].name.clone();
        all.push(Question { store: case.store.clone(), decision, facts });
    }
    all
}

/// Judges the rulebook that stands in `folder` now. `near` are numbers and days about the fault.
pub fn judge(folder: &Path, sound: &Sound, near: &[rust_decimal::Decimal]) -> Fate {
    let mut loaded = load(folder).unwrap();
    if let Some(found) = loaded.findings.first() {
        return Fate::Check(format!("{} {}", found.code, found.message));
    }
    let books = loaded.rulebooks.take().unwrap();
    loaded.add_analysis(analyse(&books));
    if let Some(found) = loaded.findings.iter().find(|f| f.code.starts_with('W')) {
        return Fate::Check(format!("{} {}", found.code, found.message));
    }
    for book in &books.books {
        if let Some(result) = cases::run(book, |_| true).into_iter().find(|r| r.failure.is_some()) {
            return Fate::Case(book.cases[result.case].name.clone());
        }
    }
    let mut tried = 0;
    for question in &sound.questions {
        for facts in variations(&question.facts, near) {
            tried += 1;
            let ask = |books: &Rulebooks| answer(books, question, &facts);
            let (before, now) = (ask(&sound.books), ask(&books));
            if before != now {
                let Question { store, decision, .. } = question;
                return Fate::Missed(format!(
                    "{decision} at {store} of {facts}\n  was {before}\n  now {now}"
                ));
            }
        }
    }
    Fate::Same(tried)
}

/// What is answered: outcome and status, not why.
fn answer(books: &Rulebooks, question: &Question, facts: &Value) -> String {
    let Some(store) = books.store(&question.store) else { return "no store".into() };
    let program = &store.program;
    let Some(decision) = program.decision(&question.decision) else { return "no decision".into() };
    let Ok(facts) = program.binder().bind(facts.to_string().as_bytes()) else { return "refused".into() };
    let outcome = program.decide(decision, &facts);
    let full: Value = serde_json::from_str(&program.renderer().render(&outcome)).unwrap();
    json!([full["status"], full["outcome"]]).to_string()
}

/// The facts, and the facts with one value changed to one that may lie on the other side of a bound.
fn variations(facts: &Value, near: &[rust_decimal::Decimal]) -> Vec<Value> {
    let mut leaves = Vec::new();
    collect(facts, &mut Vec::new(), &mut leaves);
    let days: BTreeSet<chrono::NaiveDate> =
        leaves.iter().filter_map(|(_, leaf)| leaf.as_str()?.parse().ok()).collect();
    let mut all = vec![facts.clone()];
    for (path, leaf) in &leaves {
        let mut put = |value: Value| {
            if value != *leaf {
                let mut changed = facts.clone();
                *changed.pointer_mut(path).unwrap() = value;
                all.push(changed);
            }
        };
        match leaf {
            Value::Bool(b) => put(json!(!b)),
            Value::Number(_) => near.iter().filter(|n| n.is_integer()).for_each(|n| {
                put(json!(i64::try_from(*n).unwrap_or(0)));
            }),
            Value::String(text) if text.parse::<chrono::NaiveDate>().is_ok() => {
                for day in &days {
                    for by in near.iter().filter(|n| n.is_integer()).filter_map(|n| i64::try_from(*n).ok()) {
                        for by in [by, -by] {
                            if let Some(moved) =
                                day.checked_add_signed(chrono::Duration::days(by.clamp(-4000, 4000)))
                            {
                                put(json!(moved.to_string()));
                            }
                        }
                    }
                }
            }
            Value::String(text) if text.parse::<rust_decimal::Decimal>().is_ok() => {
                near.iter().for_each(|n| put(json!(n.to_string())));
            }
            _ => {}
        }
    }
    all
}

fn collect(value: &Value, at: &mut Vec<String>, leaves: &mut Vec<(String, Value)>) {
    let mut below = |key: String, inner: &Value| {
        at.push(key);
        collect(inner, at, leaves);
        at.pop();
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, inner)| below(key.clone(), inner)),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, inner)| below(i.to_string(), inner)),
        leaf => {
            let path: String = at.iter().map(|k| format!("/{k}")).collect();
            leaves.push((path, leaf.clone()));
        }
    }
}
