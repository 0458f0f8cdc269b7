//! What an operation has asked and been told so far. It outlives the tries of the operation: an answer is asked for once.
use super::note::Note;
use super::question::Question;
use crate::plugins::ask::{Answered, Answers, Asked, KeepsFailures, Unanswered};
use crate::plugins::contract::{Failure, Ran};
use crate::records::{Aside, Stop};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What came back, and when it was asked.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) ran: Ran,
    /// Epoch milliseconds, as the plugin was told.
    pub(super) now: i64,
    /// The store's business day, as the plugin was told.
    pub(super) today: String,
}

/// What is remembered of a call while its plugin has it.
struct Sent {
    plugin: String,
    function: String,
    store: String,
    key: String,
    now: i64,
    today: String,
}

impl Sent {
    fn of(Asked { plugin, call }: &Asked) -> Sent {
        Sent {
            plugin: plugin.clone(),
            function: call.function.clone(),
            store: call.store.clone(),
            key: call.key.clone(),
            now: call.now,
            today: call.today.clone(),
        }
    }
}

/// The answers of one operation, by the keys of their calls.
#[derive(Debug, Default)]
pub struct Heard {
    /// Names the operation in the keys of its calls; empty for questions of which nothing is recorded.
    operation: String,
    so_far: Mutex<SoFar>,
}

#[derive(Debug, Default)]
struct SoFar {
    told: BTreeMap<String, Arc<Told>>,
    rounds: u32,
    failures: Failures,
}

/// Who is told of failures, and of which calls they were told: an operation is tried several times.
#[derive(Debug, Default)]
struct Failures {
    keeps: Option<Arc<dyn KeepsFailures>>,
    told: BTreeSet<String>,
}

impl Failures {
    fn tell(&mut self, key: &str, failure: impl FnOnce() -> Unanswered) {
        if let Some(keeps) = &self.keeps
            && self.told.insert(key.to_owned())
        {
            keeps.keep(failure());
        }
    }
}

impl Heard {
    pub fn new(operation: impl Into<String>) -> Heard {
        Heard { operation: operation.into(), so_far: Mutex::default() }
    }
    pub(super) fn operation(&self) -> &str {
        &self.operation
    }
    pub(super) fn told(&self, key: &str) -> Option<Arc<Told>> {
        self.so_far().told.get(key).cloned()
    }
    /// How often was asked.
    pub(super) fn rounds(&self) -> u32 {
        self.so_far().rounds
    }

    /// Asks these at once and keeps what comes back; `now` is in epoch microseconds. Questions that were asked before are
    /// not asked again.
    pub async fn ask(&self, questions: &[Question], answers: &dyn Answers, now: i64) {
        Heard::ask_all(&[(self, questions)], answers, now).await;
    }

    /// As [`Heard::ask`], for several at once.
    pub async fn ask_all(all: &[(&Heard, &[Question])], answers: &dyn Answers, now: i64) {
        let mut asked: Vec<Asked> = Vec::new();
        let mut sent: Vec<Vec<Sent>> = Vec::with_capacity(all.len());
        for (heard, questions) in all {
            let new = heard.new_of(questions, now);
            sent.push(new.iter().map(Sent::of).collect());
            asked.extend(new);
        }
        let mut ran = answers.answers(asked).await.into_iter();
        for ((heard, _), sent) in all.iter().zip(sent) {
            heard.hear(sent, &mut ran, answers.failures());
        }
    }

    /// Those that were not asked before, each once.
    fn new_of(&self, questions: &[Question], now: i64) -> Vec<Asked> {
        let mut asked: Vec<Asked> = Vec::new();
        for question in questions {
            let known = asked.iter().any(|a| a.call.key == question.key());
            if !known && self.told(question.key()).is_none() {
                asked.push(question.at(now));
            }
        }
        asked
    }

    fn hear(
        &self,
        sent: Vec<Sent>,
        ran: &mut impl Iterator<Item = Ran>,
        keeps: Option<Arc<dyn KeepsFailures>>,
    ) {
        let mut so_far = self.so_far();
        so_far.rounds += 1;
        so_far.failures.keeps = keeps;
        for Sent { plugin, function, store, key, now, today } in sent {
            let ran = ran
                .next()
                .unwrap_or_else(|| Ran::failed(&plugin, Failure::Internal("no answer came".into())));
            if let Err(failure) = &ran.outcome {
                so_far.failures.tell(&key, || Unanswered {
                    plugin,
                    version: ran.version.clone(),
                    digest: ran.digest.clone(),
                    function,
                    store,
                    key: key.clone(),
                    operation: self.operation.clone(),
                    code: failure.code().to_owned(),
                    text: failure.to_string(),
                });
            }
            so_far.told.insert(key, Arc::new(Told { ran, now, today }));
        }
    }

    /// Takes up that a call has no answer that could be used, be it that the vocabulary does not take what was said.
    pub(super) fn failed(&self, store: &str, note: &Note) {
        let Some(failed) = &note.failed else { return };
        self.so_far().failures.tell(&note.key, || Unanswered {
            plugin: note.plugin.clone(),
            version: note.version.clone(),
            digest: note.digest.clone(),
            function: note.function.clone(),
            store: store.to_owned(),
            key: note.key.clone(),
            operation: self.operation.clone(),
            code: failed.code.clone(),
            text: failed.text.clone(),
        });
    }

    fn so_far(&self) -> MutexGuard<'_, SoFar> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an operation stops with until these are answered.
#[derive(Debug)]
pub struct Asking {
    heard: Arc<Heard>,
    questions: Vec<Question>,
}

impl Asking {
    pub(in crate::counter) fn stop(heard: Arc<Heard>, questions: Vec<Question>) -> Stop {
        Stop::Ask(Aside(Arc::new(Asking { heard, questions })))
    }

    /// What two parts of an operation ask, as one; `stop` is anything else where one of them does not ask.
    pub(in crate::counter) fn joined(first: Option<Stop>, second: Stop) -> Stop {
        let of = |stop: &Stop| match stop {
            Stop::Ask(aside) => aside.0.clone().downcast::<Asking>().ok(),
            _ => None,
        };
        match (first.as_ref().and_then(of), of(&second)) {
            (Some(first), Some(second)) => {
                let questions = first.questions.iter().chain(&second.questions).cloned().collect();
                Asking::stop(first.heard.clone(), questions)
            }
            _ => first.unwrap_or(second),
        }
    }

    /// Finds out what an operation stopped for: then it can be run again. `now` is in epoch microseconds.
    pub async fn find_out(aside: &Aside, answers: &dyn Answers, now: i64) {
        if let Ok(asking) = aside.0.clone().downcast::<Asking>() {
            asking.heard.ask(&asking.questions, answers, now).await;
        }
    }
}

/// Where no plugin is installed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Answers for Nobody {
    fn answers(&self, asked: Vec<Asked>) -> Answered<'_> {
        let ran = asked.into_iter().map(|a| Ran::failed(&a.plugin, Failure::NotInstalled)).collect();
        Box::pin(std::future::ready(ran))
    }
}
