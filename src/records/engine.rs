//! The one way in: a batch of operations, one transaction, answers after the commit.
//!
//! A batch that fails is halved until the operation that makes it fail stands alone; an operation that lost a race with
//! another node is run again on what that node wrote. While no transaction can be begun, whole batches fail at once.
use crate::records::entity::{answer, chain, decision};
use crate::records::unit::{Answer, Aside, Decided, Operation, Refusal, Stop, Unit, Want};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;

/// How often operations may ask for more rows before something is wrong with them.
const MAX_ROUNDS: usize = 24;
/// How often an operation that lost a race is run again.
const MAX_TRIES: usize = 6;

/// What the time is; simulations have their own.
pub trait Clock: Send + Sync {
    /// Epoch microseconds.
    fn now(&self) -> i64;
    /// A short pause after the try `tries` (from 0) of what lost a race, so that two nodes do not meet again.
    fn pause(&self, tries: usize) -> impl Future<Output = ()> + Send {
        let spread = u64::from(std::process::id() % 7);
        tokio::time::sleep(std::time::Duration::from_millis((1 << tries.min(6)) + spread))
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> i64 {
        chrono::Utc::now().timestamp_micros()
    }
}

/// Why the database did not do what it was asked to.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another transaction was in the way, or wrote first (unique keys, deadlocks): trying again may help.
    #[error("conflict: {0}")]
    Conflict(String),
    /// Nothing was written, or nobody knows whether it was: the connection broke, the disk is full.
    #[error("the database failed: {0}")]
    Failed(String),
    /// A row breaks a rule of the schema: trying again will not help.
    #[error("the database refused: {0}")]
    Refused(String),
}

/// Where rows are kept.
pub trait Store: Send + Sync + 'static {
    type Tx: Tx;
    fn begin(&self) -> impl Future<Output = Result<Self::Tx, StoreError>> + Send;
    /// A transaction that only reads: it sees one state of everything, locks nothing and waits for nobody.
    fn view(&self) -> impl Future<Output = Result<Self::Tx, StoreError>> + Send {
        self.begin()
    }
}

/// A transaction; dropped without a commit, it leaves no trace.
pub trait Tx: Send {
    /// Puts what is wanted onto the unit's shelves and notes it as loaded, also where there is nothing.
    fn load(
        &mut self,
        unit: &mut Unit,
        wants: &BTreeSet<Want>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// The heads of these stores' chains, locked until the commit.
    fn chains(
        &mut self,
        stores: &BTreeSet<String>,
    ) -> impl Future<Output = Result<BTreeMap<String, chain::Model>, StoreError>> + Send;
    /// Writes every change of the unit but decisions and the heads of their chains.
    fn write(&mut self, unit: &Unit) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Writes decisions and the heads of their chains.
    fn write_chains(&mut self, unit: &Unit) -> impl Future<Output = Result<(), StoreError>> + Send;
    fn commit(self) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// An operation with the key under which its answer is kept.
#[derive(Clone)]
pub struct Job {
    /// None: no answer is kept; the operation's own keys keep it from happening twice.
    pub key: Option<String>,
    /// Nothing is written.
    pub dry: bool,
    /// SHA-256 over operation and body, hex.
    pub fingerprint: String,
    pub operation: Arc<dyn Operation>,
}

/// What became of a job.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Recorded now, or (for a dry run) what would be.
    Done(Answer),
    /// Recorded before under this key.
    Replayed(Answer),
    /// The key was used with another body.
    OtherBody,
    /// A job with this key waits or runs on this node; nothing was taken.
    InFlight,
    Refused(Refusal),
    /// Nothing was recorded: this has to be found out first, then the job is submitted again.
    Ask(Aside),
    /// Nobody knows; the caller asks again with the same key.
    Failed(StoreError),
}

/// Runs batches against a store.
#[derive(Debug)]
pub struct Engine<S, C = SystemClock> {
    store: S,
    clock: C,
}

impl<S: Store, C: Clock> Engine<S, C> {
    pub fn new(store: S, clock: C) -> Engine<S, C> {
        Engine { store, clock }
    }
    pub fn store(&self) -> &S {
        &self.store
    }
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// Runs jobs in their order, in as few transactions as will do; a reply per job, in the same order.
    pub async fn execute(&self, jobs: &[Job]) -> Vec<Reply> {
        let mut replies: Vec<Option<Reply>> = vec![None; jobs.len()];
        // Parts of the batch still to be done, the first on top.
        let mut parts = vec![(0, jobs.len(), 0)];
        let mut away = None;
        while let Some((from, to, tries)) = parts.pop() {
            let Some(part) = jobs.get(from..to).filter(|part| !part.is_empty()) else { continue };
            let tx = match self.store.begin().await {
                Ok(tx) => tx,
                Err(StoreError::Conflict(_)) if tries + 1 < MAX_TRIES => {
                    self.clock.pause(tries).await;
                    parts.push((from, to, tries + 1));
                    continue;
                }
                // The database is away, and no operation is to blame: waiting for it once more for each part would keep
                // all who come after waiting, too.
                Err(error) => {
                    away = Some(error);
                    break;
                }
            };
            match self.attempt(tx, part).await {
                Ok(done) => {
                    for (slot, reply) in replies.iter_mut().skip(from).zip(done) {
                        *slot = Some(reply);
                    }
                }
                Err(_) if part.len() > 1 => {
                    let middle = from + part.len() / 2;
                    parts.push((middle, to, 0));
                    parts.push((from, middle, 0));
                }
                Err(StoreError::Conflict(_)) if tries + 1 < MAX_TRIES => {
                    self.clock.pause(tries).await;
                    parts.push((from, to, tries + 1));
                }
                Err(error) => {
                    if let Some(slot) = replies.get_mut(from) {
                        *slot = Some(Reply::Failed(error));
                    }
                }
            }
        }
        let lost = away.unwrap_or_else(|| StoreError::Failed("the operation was lost".into()));
        replies.into_iter().map(|reply| reply.unwrap_or_else(|| Reply::Failed(lost.clone()))).collect()
    }

    /// Runs an operation and writes nothing: dry runs, and reads that want one view of everything. It stops for a refusal,
    /// or for what has to be found out first.
    pub async fn look(&self, operation: &dyn Operation) -> Result<Result<Answer, Stop>, StoreError> {
        let mut tx = self.store.view().await?;
        let mut unit = Unit::new(self.clock.now());
        let mut wants: BTreeSet<Want> = operation.hints().into_iter().collect();
        for _ in 0..MAX_ROUNDS {
            tx.load(&mut unit, &wants).await?;
            unit.mark();
            match operation.run(&mut unit) {
                Ok(answer) => return Ok(Ok(answer)),
                Err(Stop::Missing(more)) => wants = more.into_iter().collect(),
                Err(stop) => return Ok(Err(stop)),
            }
            unit.reset();
        }
        Err(StoreError::Refused("the operation asks for rows without end".into()))
    }

    async fn attempt(&self, mut tx: S::Tx, jobs: &[Job]) -> Result<Vec<Reply>, StoreError> {
        let mut unit = Unit::new(self.clock.now());
        let mut wants: BTreeSet<Want> = BTreeSet::new();
        for job in jobs {
            wants.extend(job.key.iter().map(|key| Want::Answer(key.clone())));
            wants.extend(job.operation.hints());
        }
        for _ in 0..MAX_ROUNDS {
            tx.load(&mut unit, &wants).await?;
            wants.clear();
            let replies: Vec<Reply> = jobs.iter().filter_map(|job| run(job, &mut unit, &mut wants)).collect();
            if wants.is_empty() {
                tx.write(&unit).await?;
                // Last, since all batches of a store want the head of its chain: nobody holds it while rows are written.
                if seal(&mut tx, &mut unit).await? {
                    tx.write_chains(&unit).await?;
                }
                // What the batch has read and written is thrown away while the disk is at work.
                let (committed, ()) = tokio::join!(biased; tx.commit(), async move { drop(unit) });
                committed?;
                return Ok(replies);
            }
            unit.reset();
        }
        Err(StoreError::Refused("an operation asks for rows without end".into()))
    }
}

/// Runs one job; what it misses goes to `wants`, and there is no reply.
fn run(job: &Job, unit: &mut Unit, wants: &mut BTreeSet<Want>) -> Option<Reply> {
    if let Some(stored) = job.key.as_ref().and_then(|key| unit.t.answers.get(key)) {
        if stored.fingerprint != job.fingerprint {
            return Some(Reply::OtherBody);
        }
        let status = u16::try_from(stored.status).unwrap_or(200);
        return Some(Reply::Replayed(Answer { status, body: stored.body.clone() }));
    }
    unit.mark();
    match job.operation.run(unit) {
        Ok(answer) => {
            if job.dry {
                unit.back();
            } else {
                keep(job, unit, answer.status, answer.body.clone());
            }
            Some(Reply::Done(answer))
        }
        Err(Stop::Missing(more)) => {
            unit.back();
            wants.extend(more);
            None
        }
        Err(Stop::Ask(aside)) => {
            unit.back();
            Some(Reply::Ask(aside))
        }
        Err(Stop::Refused(refusal)) => {
            unit.back();
            if refusal.kept && !job.dry {
                keep(job, unit, refusal.status, refusal.json());
            }
            Some(Reply::Refused(refusal))
        }
    }
}

/// Keeps the answer under the job's key, if it has one: a refusal, too, is the answer to whoever asks again.
fn keep(job: &Job, unit: &mut Unit, status: u16, body: String) {
    if let Some(key) = &job.key {
        unit.t.answers.put(answer::Model {
            key: key.clone(),
            fingerprint: job.fingerprint.clone(),
            status: i32::from(status),
            body,
            recorded_at: unit.now,
        });
    }
}

/// Gives the batch's decisions their places in the chains of their stores; whether there are any.
async fn seal<T: Tx>(tx: &mut T, unit: &mut Unit) -> Result<bool, StoreError> {
    let decided = unit.take_decided();
    if decided.is_empty() {
        return Ok(false);
    }
    let stores: BTreeSet<String> = decided.iter().map(|d| d.store.clone()).collect();
    let mut heads = tx.chains(&stores).await?;
    for head in heads.values() {
        unit.t.chains.load(head.clone());
    }
    for one in decided {
        let head = heads.entry(one.store.clone()).or_insert_with(|| chain::Model {
            store: one.store.clone(),
            seq: 0,
            hash: String::new(),
        });
        let row = link(one, head, unit.now);
        head.seq = row.seq;
        head.hash = row.hash.clone();
        unit.t.decisions.put(row);
    }
    for head in heads.into_values() {
        unit.t.chains.put(head);
    }
    Ok(true)
}

/// The next link after `head`.
fn link(one: Decided, head: &chain::Model, now: i64) -> decision::Model {
    let mut row = decision::Model {
        store: one.store,
        seq: head.seq + 1,
        id: one.id,
        decision: one.decision,
        rulebook: one.rulebook,
        facts: one.facts,
        outcome: one.outcome,
        plugins: one.plugins,
        cause: one.cause,
        cause_id: one.cause_id,
        actor: one.actor,
        recorded_at: now,
        previous: head.hash.clone(),
        hash: String::new(),
    };
    row.hash = link_hash(&row);
    row
}

/// SHA-256 over all columns but the hash itself, each with its length before it; hex. What plugins said comes last and only
/// where they were asked, so that decisions from before there were any keep their hashes.
pub fn link_hash(row: &decision::Model) -> String {
    let mut hash = Sha256::new();
    let (seq, id, at) = (row.seq.to_string(), row.id.to_string(), row.recorded_at.to_string());
    let cause = row.cause_id.map(|id| id.to_string()).unwrap_or_default();
    let parts: [&str; 12] = [
        &row.store,
        &seq,
        &id,
        &row.decision,
        &row.rulebook,
        &row.facts,
        &row.outcome,
        &row.cause,
        &cause,
        &row.actor,
        &at,
        &row.previous,
    ];
    for part in parts.into_iter().chain(row.plugins.as_deref()) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize())
}

/// Bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
