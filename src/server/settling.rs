//! A year's end in the background: page after page of members through writers that it has to itself where the database lets
//! several write, each page noted in its turn, so that it can be taken up where it stopped.
use crate::counter::Desk;
use crate::counter::settle::{NoteProgress, SettleMember, SettleRequest};
use crate::records::{Bounds, Job, Operation, Reply, read};
use crate::server::records::{Lanes, Records};
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Members that are handed over at once, and go into one transaction.
const PAGE: usize = 512;
/// Writers that a settlement has of its own, where the database lets several write: while one decides, the other's page is
/// written.
const LANES: usize = 2;
/// Pages that such a writer has: the next one is there when it is done with one.
const AHEAD: usize = 2;
/// Failures that are shown.
const SHOWN: usize = 20;

/// How far a settlement is that runs on this node, or ran since the server started.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    pub working: bool,
    pub dry: bool,
    /// Members with an account in the ledger.
    pub total: u64,
    pub members: i64,
    pub cleared: i64,
    pub credited: i64,
    pub failed: u64,
    /// The first failures, by member.
    pub failures: Vec<Value>,
}

/// The settlements of this node.
#[derive(Debug, Default, Clone)]
pub struct Settling(Arc<Mutex<HashMap<Uuid, Progress>>>);

impl Settling {
    /// How far a settlement is.
    pub fn progress(&self, id: Uuid) -> Option<Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }
    /// Whether it is the caller who has to run it.
    fn take(&self, id: Uuid, dry: bool) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.get(&id).is_some_and(|p| p.working) {
            return false;
        }
        all.insert(id, Progress { working: true, dry, ..Progress::default() });
        true
    }
    fn change(&self, id: Uuid, change: impl FnOnce(&mut Progress)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry(id).or_default());
    }
}

/// One run of a settlement.
pub struct Run {
    pub records: Records,
    pub settling: Settling,
    pub desk: Desk,
    pub request: SettleRequest,
    /// Where its progress is found: the settlement's id, or a dry run's own.
    pub id: Uuid,
    pub dry: bool,
    /// The last member of the pages that are noted.
    pub cursor: Option<Uuid>,
}

impl Run {
    /// Begins, unless it is running on this node already.
    pub fn start(self) {
        if self.settling.take(self.id, self.dry) {
            let records = self.records.clone();
            records.beside(async move {
                let (settling, id) = (self.settling.clone(), self.id);
                self.work().await;
                settling.change(id, |p| p.working = false);
            });
        }
    }

    async fn work(self) {
        let ledger = self.request.ledger.clone();
        let total = self.records.read(move |db| async move { read::count_holders(&db, &ledger).await }).await;
        self.settling.change(self.id, |p| p.total = total.unwrap_or_default());
        let lanes = self.records.lanes(LANES, Bounds { queue: AHEAD * PAGE, batch: PAGE }).await;
        self.pages(&lanes).await;
        lanes.close().await;
    }

    /// Hands page after page over, to each lane in its turn, and notes them in their order.
    async fn pages(&self, lanes: &Lanes) {
        let (mut after, mut more, mut turn) = (self.cursor, true, 0);
        // Tills wait behind what their own writer has.
        let ahead = if lanes.own() { AHEAD * lanes.count() } else { 1 };
        let mut pages = VecDeque::new();
        // From the first page on that was not settled whole, nothing is noted: the next run begins there.
        let mut whole = true;
        let mut noting: Option<JoinHandle<Reply>> = None;
        loop {
            while more && pages.len() < ahead {
                let Some(lane) = lanes.nth(turn) else { return };
                let Some(page) = self.hand_over(after, lane).await else {
                    more = false;
                    break;
                };
                (after, more, turn) = (page.last, !page.finished, turn + 1);
                pages.push_back(page);
            }
            let Some(Page { before, last, finished, running }) = pages.pop_front() else { break };
            let (done, failed) = self.settled(running).await;
            // A page that was not noted ends the run; what was handed over meanwhile is waited for.
            let before_noted = noted(noting.take(), &mut more).await;
            whole &= failed == 0 && before_noted;
            if whole && !self.dry {
                let note = NoteProgress {
                    settlement: self.id,
                    before,
                    cursor: last,
                    members: done.members,
                    cleared: done.cleared,
                    credited: done.credited,
                    finished,
                };
                let records = self.records.clone();
                noting = Some(tokio::spawn(async move { patient(&records, Arc::new(note), false).await }));
            }
        }
        noted(noting, &mut more).await;
    }

    /// Reads the next page and gives it to a lane; None if it cannot be read.
    async fn hand_over(&self, after: Option<Uuid>, lane: &Records) -> Option<Page> {
        let ledger = self.request.ledger.clone();
        let page = self
            .records
            .read(move |db| async move { read::account_holders(&db, &ledger, after, PAGE as u64).await });
        let members = page.await.ok()?;
        let last = members.last().copied();
        let finished = members.len() < PAGE;
        let mut running = Vec::with_capacity(members.len());
        for member in members {
            let operation = SettleMember {
                desk: self.desk.for_operation(&format!("{} {member}", self.request.id())),
                settlement: self.request.id(),
                ledger: self.request.ledger.clone(),
                year: self.request.year,
                as_of: self.request.as_of(),
                member,
                actor: self.request.actor.clone(),
            };
            let (lane, dry) = (lane.clone(), self.dry);
            running
                .push((member, tokio::spawn(async move { patient(&lane, Arc::new(operation), dry).await })));
        }
        Some(Page { before: after, last, finished, running })
    }

    /// Waits until the members of a page are settled.
    async fn settled(&self, running: Vec<(Uuid, JoinHandle<Reply>)>) -> (Progress, u64) {
        let (mut done, mut failed) = (Progress::default(), 0);
        for (member, reply) in running {
            let counted = match reply.await {
                Ok(Reply::Done(answer)) => {
                    serde_json::from_str::<Value>(&answer.body).map_err(|e| e.to_string())
                }
                Ok(Reply::Refused(refusal)) => Err(refusal.json()),
                Ok(Reply::Failed(error)) => Err(error.to_string()),
                Ok(other) => Err(format!("{other:?}")),
                Err(broken) => Err(broken.to_string()),
            };
            match counted {
                Ok(counted) => {
                    let number = |name: &str| counted.get(name).and_then(Value::as_i64).unwrap_or_default();
                    done.members += 1;
                    done.cleared += number("cleared");
                    done.credited += number("credit");
                }
                Err(why) => {
                    failed += 1;
                    let why = serde_json::from_str(&why).unwrap_or(Value::String(why));
                    self.settling.change(self.id, |p| {
                        if p.failures.len() < SHOWN {
                            p.failures.push(json!({ "member": member, "problem": why }));
                        }
                    });
                }
            }
        }
        self.settling.change(self.id, |p| {
            p.members += done.members;
            p.cleared += done.cleared;
            p.credited += done.credited;
            p.failed += failed;
        });
        (done, failed)
    }
}

/// Members that a lane has.
struct Page {
    /// The last member of the page before.
    before: Option<Uuid>,
    last: Option<Uuid>,
    finished: bool,
    running: Vec<(Uuid, JoinHandle<Reply>)>,
}

/// Whether the page before is noted; if it is not, no more pages are read.
async fn noted(noting: Option<JoinHandle<Reply>>, more: &mut bool) -> bool {
    let Some(noting) = noting else { return true };
    let done = matches!(noting.await, Ok(Reply::Done(_)));
    *more &= done;
    done
}

/// Hands a job over as soon as there is room: a settlement has time, tills go first.
async fn patient(records: &Records, operation: Arc<dyn Operation>, dry: bool) -> Reply {
    loop {
        let job = Job { key: None, dry, fingerprint: String::new(), operation: operation.clone() };
        match records.submit(job).await {
            Ok(reply) => return reply,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
