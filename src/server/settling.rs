//! A year's end in the background: member by member through the writer, page by page noted, so that it can be taken up
//! where it stopped.
use crate::counter::Desk;
use crate::counter::settle::{NoteProgress, SettleMember, SettleRequest};
use crate::records::{Job, Operation, Reply, read};
use crate::server::records::Records;
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Members that are handed to the writer at once.
const PAGE: u64 = 512;
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
        let mut after = self.cursor;
        // From the first page on that was not settled whole, nothing is noted: the next run begins there.
        let mut whole = true;
        loop {
            let ledger = self.request.ledger.clone();
            let page = self
                .records
                .read(move |db| async move { read::account_holders(&db, &ledger, after, PAGE).await });
            let Ok(members) = page.await else { return };
            let last = members.last().copied();
            let finished = (members.len() as u64) < PAGE;
            let (done, failed) = self.page(members).await;
            whole &= failed == 0;
            if whole && !self.dry {
                let note = NoteProgress {
                    settlement: self.id,
                    before: after,
                    cursor: last,
                    members: done.members,
                    cleared: done.cleared,
                    credited: done.credited,
                    finished,
                };
                if !matches!(self.record(Arc::new(note)).await, Reply::Done(_)) {
                    return;
                }
            }
            if finished {
                return;
            }
            after = last;
        }
    }

    /// Settles the members of a page.
    async fn page(&self, members: Vec<Uuid>) -> (Progress, u64) {
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
            let (records, dry) = (self.records.clone(), self.dry);
            running.push((
                member,
                tokio::spawn(async move { patient(&records, Arc::new(operation), dry).await }),
            ));
        }
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

    async fn record(&self, operation: Arc<dyn Operation>) -> Reply {
        patient(&self.records, operation, false).await
    }
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
