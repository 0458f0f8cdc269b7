//! Decides on facts with what plugins have said so far: an outcome, more questions, or a refusal.
use super::heard::{Heard, Told};
use super::note::{Failed, Held, Note};
use super::paths::Fact;
use super::question::Question;
use super::values::{hear, of_slot};
use super::{MAX_CALLS, MAX_ROUNDS};
use crate::lang::typed::{DecisionId, OnFailure, PluginSource, Ty};
use crate::plugins::contract::{Answer, Failure, Value as Said};
use crate::program::bind::FactError;
use crate::program::facts::{Facts, Slot, Tag};
use crate::program::link::Linked;
use crate::program::outcome::Outcome;
use crate::program::render::Why;
use crate::program::turns::Lacking;
use crate::program::value::Value;
use crate::rulebook::Program;
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet};

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
    given: Given,
    pub bound: Facts,
    pub outcome: Outcome,
    /// In the order in which they were asked.
    pub notes: Vec<Note>,
}

impl Ruled {
    /// The facts as evaluated, which are read once: what plugins said is part of them.
    pub fn take_facts(&mut self, program: &Program) -> Json {
        with_notes(program, std::mem::take(&mut self.given).json(), &self.notes)
    }

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

/// Decides, if that needs no plugin.
///
/// # Errors
/// Not faults: the facts that plugins have to be asked for, for [`Settling::from_first_try`].
pub fn at_once(program: &Program, decision: DecisionId, facts: &Facts) -> Result<Outcome, BTreeSet<String>> {
    attempt(program, decision, facts, &[])
}

/// Decides, or names facts that plugins answer and without which the outcome cannot be told. What is in the notes was
/// answered or referred to the desk: if it is missing, it stays so.
fn attempt(
    program: &Program,
    decision: DecisionId,
    facts: &Facts,
    notes: &[Note],
) -> Result<Outcome, BTreeSet<String>> {
    let vocab = &program.linked().rulebook.vocab;
    let open = |path: &String| notes.iter().all(|note| note.fact != *path);
    let waits = |lacking: &Lacking| Fact::of(vocab, lacking).is_some() && open(&lacking.path(vocab));
    let outcome = match program.decide_or_wait(decision, facts, waits) {
        Ok(outcome) => outcome,
        Err(lacking) => return Err(BTreeSet::from([lacking.path(vocab)])),
    };
    let outputs = vocab.decisions.get(decision.ix()).map(|d| d.outputs.as_slice()).unwrap_or_default();
    let mut needs = outcome.needs(|i| outputs.get(i).is_none_or(|o| o.working));
    needs.retain(|path| Fact::at(vocab, path).is_some() && open(path));
    if needs.is_empty() { Ok(outcome) } else { Err(needs) }
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
    let mut settling = Settling { given: Given::Read(facts), ..Settling::default() };
    settling.bind(place)?;
    settling.go_on(place, decision, said)
}

/// How far deciding on some facts has come. It goes on when the plugins that it asks have answered.
#[derive(Debug, Default)]
pub struct Settling {
    given: Given,
    bound: Facts,
    notes: Vec<Note>,
    /// What is asked for, or looked up where it was.
    lacking: BTreeSet<String>,
    /// The arguments and the keys of what was asked for.
    asked: BTreeMap<String, (Vec<Value>, String)>,
}

/// The facts before any plugin said anything. A text is read only where its values are asked for: to bind it took another
/// way.
#[derive(Clone, Debug)]
enum Given {
    Text(Vec<u8>),
    Read(Json),
}

impl Default for Given {
    fn default() -> Given {
        Given::Read(Json::Null)
    }
}

impl Given {
    fn json(self) -> Json {
        match self {
            // It was bound, so it can be read.
            Given::Text(text) => serde_json::from_slice(&text).unwrap_or_default(),
            Given::Read(json) => json,
        }
    }
}

/// What is known of a fact that a plugin answers; what is asked, with its arguments.
enum Look {
    Ask(Vec<Value>, Question),
    Known(Found),
}

/// What ran for a fact, and its arguments; a failure of ours if nothing could.
struct Found {
    arguments: Vec<Value>,
    key: String,
    told: Result<std::sync::Arc<Told>, Failed>,
}

impl Settling {
    /// On facts (JSON) that have been bound, and without which of them plugins answer nothing could be decided.
    pub fn from_first_try(facts: Vec<u8>, bound: Facts, lacking: BTreeSet<String>) -> Settling {
        Settling { given: Given::Text(facts), bound, lacking, ..Settling::default() }
    }

    /// Decides with what plugins have said so far; `said` as for [`settle`].
    ///
    /// # Errors
    /// Where the facts cannot be bound.
    pub fn go_on(
        &mut self,
        place: &Place<'_>,
        decision: DecisionId,
        said: &Map<String, Json>,
    ) -> Result<Settled, FactError> {
        loop {
            if self.lacking.is_empty() {
                match attempt(place.program, decision, &self.bound, &self.notes) {
                    Ok(outcome) => {
                        let Settling { given, bound, notes, .. } = std::mem::take(self);
                        return Ok(Settled::Ruled(Box::new(Ruled { given, bound, outcome, notes })));
                    }
                    Err(lacking) => self.lacking = lacking,
                }
            }
            let mut questions = Vec::new();
            let mut known = Vec::new();
            let lacking = std::mem::take(&mut self.lacking);
            for (at, path) in lacking.iter().enumerate() {
                match self.look(place, path, at) {
                    Look::Ask(arguments, question) => {
                        self.asked.insert(path.clone(), (arguments, question.key().to_owned()));
                        questions.push(question);
                    }
                    Look::Known(found) => known.push((path, found)),
                }
            }
            if !questions.is_empty() {
                self.lacking = lacking;
                return Ok(Settled::Ask(questions));
            }
            let mut adopted = true;
            for (path, found) in known {
                match self.take(place, said, path, found)? {
                    Taken::Denied(denied) => return Ok(Settled::Denied(denied)),
                    Taken::Known(whole) => adopted &= whole,
                }
            }
            if !adopted {
                self.bind(place)?;
            }
        }
    }

    fn bind(&mut self, place: &Place<'_>) -> Result<(), FactError> {
        let facts = with_notes(place.program, self.given.clone().json(), &self.notes);
        place.program.binder().bind_into(facts.to_string().as_bytes(), &mut self.bound)
    }

    /// `before`: how many are looked at before it in this round.
    fn look(&self, place: &Place<'_>, path: &str, before: usize) -> Look {
        if let Some((arguments, key)) = self.asked.get(path)
            && let Some(told) = place.heard.told(key)
        {
            let (arguments, key) = (arguments.clone(), key.clone());
            return Look::Known(Found { arguments, key, told: Ok(told) });
        }
        let linked = place.program.linked();
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
        Look::Ask(arguments, question)
    }

    /// Takes up what is known of a fact: its note, and its value where it has one.
    ///
    /// # Errors
    /// Where the vocabulary does not take what the desk said.
    fn take(
        &mut self,
        place: &Place<'_>,
        said: &Map<String, Json>,
        path: &str,
        found: Found,
    ) -> Result<Taken, FactError> {
        let linked = place.program.linked();
        let vocab = &linked.rulebook.vocab;
        let Some((fact, source)) = Fact::at(vocab, path) else { return Ok(Taken::Known(true)) };
        let PluginSource { plugin, function, .. } = &**source;
        let told = found.told.as_ref().ok().map(std::sync::Arc::as_ref);
        let mut note = Note::of(path, plugin, function, &found.key, told);
        if let Err(failed) = &found.told {
            note.failed = Some(failed.clone());
        }
        let mut alone = Facts::default();
        if let Some(answer) = &note.answer {
            match heard(place.program, &fact, &found.arguments, answer) {
                Ok((value, bound)) => (note.value, alone) = (Some(value), bound),
                Err(why) => note.failed = Some(Failed::of(&Failure::WrongAnswer(why))),
            }
        }
        if note.failed.is_some() {
            place.heard.failed(place.store, &note);
            match &source.on_failure {
                OnFailure::Value(constant) => {
                    note.held = Some(Held::Value);
                    note.value = Some(written(place.program, fact.ty(), &Value::of_const(constant)));
                }
                OnFailure::Refer => {
                    note.value = said_by_desk(place.program, said, &fact, &found.arguments)?;
                    note.held = Some(if note.value.is_some() { Held::Desk } else { Held::Refer });
                }
                OnFailure::Deny => {
                    note.held = Some(Held::Deny);
                    return Ok(Taken::Denied(Box::new(note)));
                }
            }
        }
        let adopted = note.value.is_none() || self.adopt(linked, &fact, alone);
        self.notes.push(note);
        Ok(Taken::Known(adopted))
    }

    /// Gives a fact the value that it has in facts that were bound alone; false where it means something only there: texts
    /// have numbers of their own.
    fn adopt(&mut self, linked: &Linked, fact: &Fact<'_>, alone: Facts) -> bool {
        let scalar = !matches!(fact.ty().inner(), Ty::Text | Ty::Entity(_) | Ty::List(_) | Ty::Set(_));
        let same_money = alone.currency.is_none() || alone.currency == self.bound.currency;
        // A number with more than four decimals stands apart from its slot, and so does a text.
        let whole = |slot: &Slot| matches!(slot.tag, Tag::Absent | Tag::Value);
        if !scalar || !same_money {
            return false;
        }
        match fact {
            Fact::Root(def) => {
                let places = linked.rulebook.vocab.roots.iter().zip(&linked.layout.roots);
                let place =
                    places.filter(|(root, _)| root.name == def.name).map(|(_, place)| place.slot).next();
                let from = place.and_then(|at| alone.slots.get(at as usize)).filter(|slot| whole(slot));
                let to = place.and_then(|at| self.bound.slots.get_mut(at as usize));
                let (Some(from), Some(to)) = (from, to) else { return false };
                *to = *from;
                true
            }
            Fact::Call(_) => {
                let Some(call) = alone.calls.into_iter().next().filter(|call| whole(&call.slot)) else {
                    return false;
                };
                if self.bound.calls.iter().any(|c| c.fact == call.fact && c.args == call.args) {
                    return false;
                }
                self.bound.calls.push(call);
                true
            }
        }
    }
}

/// What taking up a fact came to.
enum Taken {
    /// Whether its value is bound already.
    Known(bool),
    /// The vocabulary denies.
    Denied(Box<Note>),
}

/// An answer as facts are written, and bound alone, if the vocabulary takes it.
fn heard(
    program: &Program,
    fact: &Fact<'_>,
    arguments: &[Value],
    answer: &Answer,
) -> Result<(Json, Facts), String> {
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
    let value = hear(&program.linked().rulebook.vocab, fact.ty(), &said)?;
    let mut alone = Json::Object(Map::new());
    enter(program, &mut alone, fact, arguments, value.clone());
    let bound = program.binder().bind(alone.to_string().as_bytes()).map_err(|e| e.message)?;
    Ok((value, bound))
}

/// What the desk said of a fact, among all that it said.
fn said_by_desk(
    program: &Program,
    said: &Map<String, Json>,
    fact: &Fact<'_>,
    arguments: &[Value],
) -> Result<Option<Json>, FactError> {
    let linked = program.linked();
    let Some(said) = said.get(fact.name()) else { return Ok(None) };
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
    Ok(value.map(|value| written(program, fact.ty(), &value)))
}

/// Facts as written, with what plugins said.
fn with_notes(program: &Program, mut facts: Json, notes: &[Note]) -> Json {
    let vocab = &program.linked().rulebook.vocab;
    for note in notes {
        if let Some(value) = &note.value
            && let Some((fact, _)) = Fact::at(vocab, &note.fact)
            && let Some(arguments) = fact.arguments(vocab, &note.fact)
        {
            enter(program, &mut facts, &fact, &arguments, value.clone());
        }
    }
    facts
}

/// Gives a fact a value, among the facts as written.
fn enter(program: &Program, facts: &mut Json, fact: &Fact<'_>, arguments: &[Value], value: Json) {
    let Json::Object(facts) = facts else { return };
    if fact.params().is_empty() {
        facts.insert(fact.name().to_owned(), value);
        return;
    }
    let mut row = row(program, fact, arguments);
    row.insert("value".to_owned(), value);
    match facts.get_mut(fact.name()) {
        Some(Json::Array(rows)) => rows.push(row.into()),
        _ => {
            facts.insert(fact.name().to_owned(), Json::Array(vec![row.into()]));
        }
    }
}

fn row(program: &Program, fact: &Fact<'_>, arguments: &[Value]) -> Map<String, Json> {
    let named = fact.params().iter().zip(arguments);
    named.map(|((name, ty), value)| (name.clone(), written(program, ty, value))).collect()
}

fn written(program: &Program, ty: &crate::lang::typed::Ty, value: &Value) -> Json {
    let text = program.renderer().value(ty, value);
    serde_json::from_str(&text).unwrap_or_default()
}
