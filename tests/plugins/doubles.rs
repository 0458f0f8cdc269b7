//! Doubles of the installed plugins.
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use zhanggui::plugins::ask::{Answered, Answers, Asked};
use zhanggui::plugins::contract::{Answer, Failure, HttpAnswer, HttpResponse, LogLine, Ran, Value};

pub fn ran(asked: &Asked, outcome: Result<Answer, Failure>) -> Ran {
    Ran {
        outcome,
        plugin: asked.plugin.clone(),
        version: "1.2.0".into(),
        digest: "ab".repeat(32),
        fuel: 4321,
        rounds: 1,
        memory: 65536,
        log_cut: false,
        log: Vec::new(),
        responses: Vec::new(),
    }
}

/// Answers by `plugin.function`, and remembers every question. What it does not know is not installed.
#[derive(Default)]
pub struct Scripted {
    pub says: Mutex<BTreeMap<String, Result<Answer, Failure>>>,
    pub asked: Mutex<Vec<Vec<Asked>>>,
    /// What each call logged.
    pub log: Mutex<Vec<LogLine>>,
    /// The body of a server's answer that each call read.
    pub read: Mutex<Option<Vec<u8>>>,
    /// While set, questions wait.
    pub hold: AtomicBool,
}

impl Scripted {
    pub fn saying(all: &[(&str, Result<Answer, Failure>)]) -> Arc<Scripted> {
        let scripted = Scripted::default();
        for (function, outcome) in all {
            scripted.say(function, outcome.clone());
        }
        Arc::new(scripted)
    }
    pub fn say(&self, function: &str, outcome: Result<Answer, Failure>) {
        self.says.lock().unwrap().insert(function.to_owned(), outcome);
    }
    pub fn rounds(&self) -> Vec<Vec<Asked>> {
        self.asked.lock().unwrap().clone()
    }
    pub fn all(&self) -> Vec<Asked> {
        self.rounds().concat()
    }
    fn answer(&self, asked: &Asked) -> Ran {
        let name = format!("{}.{}", asked.plugin, asked.call.function);
        // Counts up, so that a chain of calls has an end that can be told.
        let outcome = match (name.as_str(), asked.call.arguments.first().map(|f| &f.value)) {
            ("acme.chain.next", Some(Value::Whole(n))) => Ok(Answer::Value(Value::Whole(n + 1))),
            _ => self.says.lock().unwrap().get(&name).cloned().unwrap_or(Err(Failure::NotInstalled)),
        };
        let mut ran = Ran { log: self.log.lock().unwrap().clone(), ..ran(asked, outcome) };
        if let Some(body) = self.read.lock().unwrap().clone() {
            let answer = HttpAnswer { status: 200, headers: Vec::new(), body };
            ran.responses.push(HttpResponse { name: "r".into(), outcome: Ok(answer) });
        }
        ran
    }
}

impl Answers for Scripted {
    fn answers(&self, asked: Vec<Asked>) -> Answered<'_> {
        self.asked.lock().unwrap().push(asked.clone());
        Box::pin(async move {
            while self.hold.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            asked.iter().map(|asked| self.answer(asked)).collect()
        })
    }
}

/// Takes a while for each question, all of a round together, and counts how many are asked at one time.
#[derive(Default)]
pub struct Counting {
    now: AtomicUsize,
    pub most: AtomicUsize,
}

impl Counting {
    async fn one(&self, asked: &Asked) -> Ran {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        let value = if asked.call.function == "name" { Value::Text("dry".into()) } else { Value::Whole(1) };
        ran(asked, Ok(Answer::Value(value)))
    }
}

impl Answers for Counting {
    fn answers(&self, asked: Vec<Asked>) -> Answered<'_> {
        Box::pin(async move {
            let mut running: Vec<_> = asked.iter().map(|a| Box::pin(self.one(a))).collect();
            let mut ran: Vec<Option<Ran>> = vec![None; running.len()];
            std::future::poll_fn(|cx| {
                for (slot, future) in ran.iter_mut().zip(&mut running) {
                    if slot.is_none()
                        && let std::task::Poll::Ready(done) = future.as_mut().poll(cx)
                    {
                        *slot = Some(done);
                    }
                }
                if ran.iter().all(Option::is_some) {
                    std::task::Poll::Ready(())
                } else {
                    std::task::Poll::Pending
                }
            })
            .await;
            ran.into_iter().flatten().collect()
        })
    }
}
