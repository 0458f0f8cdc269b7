//! Decides on facts with what plugins have said so far: an outcome, more questions, or a refusal.
use super::heard::{Heard, Told};
use super::note::{Failed, Held, Note};
use super::paths::Fact;
use super::question::Question;
use super::values::{hear, of_slot};
use super::{MAX_CALLS, MAX_ROUNDS};
use crate::lang::typed::{DecisionId, OnFailure, PluginSource};
use crate::plugins::contract::{Answer, Failure, Value as Said};
use crate::program::bind::FactError;
use crate::program::facts::Facts;
use crate::program::outcome::Outcome;
use crate::program::render::Why;
use crate::program::value::Value;
use crate::rulebook::Program;
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// Where it is decided, and what was heard for it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub program: &'a Program,
    pub store: &'a str,
    pub heard: &'a Heard,
}

/// What was decided.
#[derive(Debug)]
pub struct Ruled {
    /// As evaluated: what plugins said is part of them.
    pub facts: Json,
    pub bound: Facts,
    pub outcome: Outcome,
    /// In the order in which they were asked.
    pub notes: Vec<Note>,
}

impl Ruled {
    /// Why the desk is asked for facts that plugins have no answer for.
    pub fn whys(&self) -> Vec<Why> {
        whys(&self.notes)
    }
}

/// Why the desk is asked for facts that plugins have no answer for.
pub(in crate::counter) fn whys(notes: &[Note]) -> Vec<Why> {
    notes.iter().filter_map(Note::why).collect()
}

/// How far deciding came.
#[derive(Debug)]
pub enum Settled {
    Ruled(Box<Ruled>),
    /// These have to be answered first.
    Ask(Vec<Question>),
    /// A plugin has no answer, and the vocabulary denies.
    Denied(Box<Note>),
}

/// Whether an outcome waits for a plugin.
pub fn wanted(program: &Program, decision: DecisionId, outcome: &Outcome) -> bool {
    !missing(program, decision, outcome).is_empty()
}

/// Facts that plugins answer and the outcome lacks.
fn missing(program: &Program, decision: DecisionId, outcome: &Outcome) -> BTreeSet<String> {
    let vocab = &program.linked().rulebook.vocab;
    let outputs = vocab.decisions.get(decision.ix()).map(|d| d.outputs.as_slice()).unwrap_or_default();
    let mut needs = outcome.needs(|i| outputs.get(i).is_none_or(|o| o.working));
    needs.retain(|path| Fact::at(vocab, path).is_some());
    needs
}

/// Decides; `said` is what the desk says of facts that plugins answer, believed only where they fail and the vocabulary
/// refers.
///
/// # Errors
/// Where the facts cannot be bound.
pub fn settle(
    place: &Place<'_>,
    decision: DecisionId,
    facts: Json,
    said: &Map<String, Json>,
) -> Result<Settled, FactError> {
    let mut settling = Settling { place, said, facts, bound: Facts::default(), notes: Vec::new() };
    loop {
        settling.bind()?;
        let outcome = place.program.decide(decision, &settling.bound);
        let mut paths = missing(place.program, decision, &outcome);
        // What was referred to the desk stays unknown.
        paths.retain(|path| settling.notes.iter().all(|note| note.fact != *path));
        if paths.is_empty() {
            let Settling { facts, bound, notes, .. } = settling;
            return Ok(Settled::Ruled(Box::new(Ruled { facts, bound, outcome, notes })));
        }
        let mut questions = Vec::new();
        let mut known = Vec::new();
        for (at, path) in paths.into_iter().enumerate() {
            match settling.look(&path, at) {
                Look::Ask(question) => questions.push(question),
                Look::Known(found) => known.push((path, found)),
            }
        }
        if !questions.is_empty() {
            return Ok(Settled::Ask(questions));
        }
        for (path, found) in known {
            if let Some(denied) = settling.take(&path, found)? {
                return Ok(Settled::Denied(Box::new(denied)));
            }
        }
    }
}

struct Settling<'a> {
    place: &'a Place<'a>,
    said: &'a Map<String, Json>,
    facts: Json,
    bound: Facts,
    notes: Vec<Note>,
}

/// What is known of a fact that a plugin answers.
enum Look {
    Ask(Question),
    Known(Found),
}

/// What ran for a fact, and its arguments; a failure of ours if nothing could.
struct Found {
    arguments: Vec<Value>,
    key: String,
    told: Result<std::sync::Arc<Told>, Failed>,
}

impl Settling<'_> {
    fn bind(&mut self) -> Result<(), FactError> {
        self.place.program.binder().bind_into(self.facts.to_string().as_bytes(), &mut self.bound)
    }

    /// `before`: how many are looked at before it in this round.
    fn look(&self, path: &str, before: usize) -> Look {
        let (place, linked) = (self.place, self.place.program.linked());
        let vocab = &linked.rulebook.vocab;
        let ours = |failure: Failure, arguments: Vec<Value>, key: &str| {
            Look::Known(Found { arguments, key: key.to_owned(), told: Err(Failed::of(&failure)) })
        };
        let unreadable = || Failure::InvalidInput("the contract cannot say its arguments".into());
        let Some((fact, source)) = Fact::at(vocab, path) else { return ours(unreadable(), Vec::new(), "") };
        let Some(arguments) = fact.arguments(vocab, path) else { return ours(unreadable(), Vec::new(), "") };
        let operation = (place.store, place.heard.operation());
        let question = Question::new(linked, &self.bound, (&fact, source), &arguments, operation);
        let Some(question) = question else { return ours(unreadable(), arguments, "") };
        let key = question.key().to_owned();
        if let Some(told) = place.heard.told(&key) {
            return Look::Known(Found { arguments, key, told: Ok(told) });
        }
        let failed = |code: &str, text: String| {
            let told = Err(Failed { code: code.to_owned(), text });
            Look::Known(Found { arguments: arguments.clone(), key: key.clone(), told })
        };
        if place.heard.rounds() >= MAX_ROUNDS {
            let text = format!("after {MAX_ROUNDS} rounds the facts still led to new calls");
            return failed(Failure::TooManyRounds(MAX_ROUNDS).code(), text);
        }
        // A round that was asked is looked at once more, in the same order: the same facts are beyond the bound.
        if self.notes.len() + before >= MAX_CALLS {
            return failed("too-many-calls", format!("one decision asks at most {MAX_CALLS} times"));
        }
        Look::Ask(question)
    }

    /// Takes up what is known of a fact: its note, and its value where it has one. The note alone comes back where the
    /// vocabulary denies.
    ///
    /// # Errors
    /// Where the vocabulary does not take what the desk said.
    fn take(&mut self, path: &str, found: Found) -> Result<Option<Note>, FactError> {
        let linked = self.place.program.linked().clone();
        let vocab = &linked.rulebook.vocab;
        let Some((fact, source)) = Fact::at(vocab, path) else { return Ok(None) };
        let PluginSource { plugin, function, .. } = &**source;
        let told = found.told.as_ref().ok().map(std::sync::Arc::as_ref);
        let mut note = Note::of(path, plugin, function, &found.key, told);
        if let Err(failed) = &found.told {
            note.failed = Some(failed.clone());
        }
        if let Some(answer) = &note.answer {
            match self.heard(&fact, &found.arguments, answer) {
                Ok(value) => note.value = Some(value),
                Err(why) => note.failed = Some(Failed::of(&Failure::WrongAnswer(why))),
            }
        }
        if note.failed.is_some() {
            self.place.heard.failed(self.place.store, &note);
            match &source.on_failure {
                OnFailure::Value(constant) => {
                    note.held = Some(Held::Value);
                    note.value = Some(self.written(fact.ty(), &Value::of_const(constant)));
                }
                OnFailure::Refer => {
                    note.value = self.said_by_desk(&fact, &found.arguments)?;
                    note.held = Some(if note.value.is_some() { Held::Desk } else { Held::Refer });
                }
                OnFailure::Deny => {
                    note.held = Some(Held::Deny);
                    return Ok(Some(note));
                }
            }
        }
        if let Some(value) = &note.value {
            let value = value.clone();
            self.put(&fact, &found.arguments, value);
        }
        self.notes.push(note);
        Ok(None)
    }

    /// An answer as facts are written, if the vocabulary takes it.
    fn heard(&self, fact: &Fact<'_>, arguments: &[Value], answer: &Answer) -> Result<Json, String> {
        let said = match answer {
            Answer::Value(said) => said.clone(),
            Answer::Allow => Said::Word("allow".into()),
            Answer::Deny(_) => Said::Word("deny".into()),
            Answer::Refer(_) => Said::Word("refer".into()),
            Answer::Quoted(quotation) => Said::Money(quotation.price.clone()),
            Answer::Declined(_) if fact.ty().is_optional() => Said::Absent,
            Answer::Declined(reason) => return Err(format!("it declines: {}", reason.text)),
            Answer::Delivered | Answer::RetryLater(_) | Answer::Rejected(_) => {
                return Err("it speaks of a delivery".into());
            }
        };
        let value = hear(&self.place.program.linked().rulebook.vocab, fact.ty(), &said)?;
        let mut alone = Json::Object(Map::new());
        self.enter(&mut alone, fact, arguments, value.clone());
        self.place.program.binder().bind(alone.to_string().as_bytes()).map_err(|e| e.message)?;
        Ok(value)
    }

    /// What the desk said of a fact, among all that it said.
    fn said_by_desk(&self, fact: &Fact<'_>, arguments: &[Value]) -> Result<Option<Json>, FactError> {
        let (program, linked) = (self.place.program, self.place.program.linked());
        let Some(said) = self.said.get(fact.name()) else { return Ok(None) };
        let said = Json::Object(Map::from_iter([(fact.name().to_owned(), said.clone())]));
        let bound = program.binder().bind(said.to_string().as_bytes())?;
        let vocab = &linked.rulebook.vocab;
        let slot = match fact {
            Fact::Root(def) => {
                let place = vocab.roots.iter().zip(&linked.layout.roots).find(|(r, _)| r.name == def.name);
                place.and_then(|(_, place)| bound.slots.get(place.slot as usize)).copied()
            }
            Fact::Call(_) => bound.calls.iter().find(|call| call.args == arguments).map(|call| call.slot),
        };
        let value = slot.and_then(|slot| of_slot(linked, &bound, fact.ty(), slot));
        Ok(value.map(|value| self.written(fact.ty(), &value)))
    }

    fn put(&mut self, fact: &Fact<'_>, arguments: &[Value], value: Json) {
        let mut facts = std::mem::take(&mut self.facts);
        self.enter(&mut facts, fact, arguments, value);
        self.facts = facts;
    }

    fn enter(&self, facts: &mut Json, fact: &Fact<'_>, arguments: &[Value], value: Json) {
        let Json::Object(facts) = facts else { return };
        if fact.params().is_empty() {
            facts.insert(fact.name().to_owned(), value);
            return;
        }
        let mut row = self.row(fact, arguments);
        row.insert("value".to_owned(), value);
        match facts.get_mut(fact.name()) {
            Some(Json::Array(rows)) => rows.push(row.into()),
            _ => {
                facts.insert(fact.name().to_owned(), Json::Array(vec![row.into()]));
            }
        }
    }

    fn row(&self, fact: &Fact<'_>, arguments: &[Value]) -> Map<String, Json> {
        let named = fact.params().iter().zip(arguments);
        named.map(|((name, ty), value)| (name.clone(), self.written(ty, value))).collect()
    }

    fn written(&self, ty: &crate::lang::typed::Ty, value: &Value) -> Json {
        let text = self.place.program.renderer().value(ty, value);
        serde_json::from_str(&text).unwrap_or_default()
    }
}
