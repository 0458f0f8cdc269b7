//! What operations came to, and which of it was committed, in the order in which they ran.
use std::sync::{Arc, Mutex};
use zhanggui::records::{Answer, Job, Operation, Stop, Unit, Want};

/// An operation that ran to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Ran {
    pub name: String,
    /// When it was recorded, in epoch microseconds.
    pub now: i64,
    /// Whether something is recorded of it: a refusal for now leaves nothing.
    pub kept: bool,
    pub status: u16,
    /// The answer, or the refusal as problem details.
    pub body: String,
}

#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Of the transaction that runs.
    round: Arc<Mutex<Vec<Ran>>>,
    committed: Arc<Mutex<Vec<Ran>>>,
}

impl Trace {
    /// What ran since the transaction began, or since its last round, came to nothing.
    pub fn forget(&self) {
        self.round.lock().unwrap().clear();
    }
    pub fn commit(&self) {
        let round = std::mem::take(&mut *self.round.lock().unwrap());
        self.committed.lock().unwrap().extend(round);
    }
    /// What ran and was committed, refusals for now among it.
    pub fn committed(&self) -> Vec<Ran> {
        self.committed.lock().unwrap().clone()
    }
    /// The job, with a note of what its operation comes to.
    pub fn of(&self, name: &str, job: Job) -> Job {
        let traced = Traced { name: name.to_owned(), operation: job.operation, round: self.round.clone() };
        Job { operation: Arc::new(traced), ..job }
    }
}

struct Traced {
    name: String,
    operation: Arc<dyn Operation>,
    round: Arc<Mutex<Vec<Ran>>>,
}

impl Operation for Traced {
    fn hints(&self) -> Vec<Want> {
        self.operation.hints()
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        let done = self.operation.run(unit);
        let (kept, status, body) = match &done {
            Ok(answer) => (true, answer.status, answer.body.clone()),
            Err(Stop::Refused(refusal)) => (refusal.kept, refusal.status, refusal.json()),
            Err(Stop::Missing(_) | Stop::Ask(_)) => return done,
        };
        let ran = Ran { name: self.name.clone(), now: unit.now, kept, status, body };
        self.round.lock().unwrap().push(ran);
        done
    }
}
