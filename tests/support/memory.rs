//! A store of rows in memory: the engine's contract without a database, with faults on demand.
use sea_orm::prelude::Uuid;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::{Mutex, OwnedMutexGuard};
use zhanggui::drill::Dice;
use zhanggui::each_table;
use zhanggui::records::entity::*;
use zhanggui::records::shelf::Row;
use zhanggui::records::{Answer, Clock, Operation, PastReturn, Stop, Store, StoreError, Tx, Unit, Want};

/// A clock that stands where it is put.
#[derive(Clone, Debug)]
pub struct SetClock(pub Arc<AtomicI64>);

impl SetClock {
    pub fn at(micros: i64) -> SetClock {
        SetClock(Arc::new(AtomicI64::new(micros)))
    }
    pub fn set(&self, micros: i64) {
        self.0.store(micros, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

macro_rules! rows {
    ($($field:ident: $entity:ident;)+) => {
        /// All rows, by their keys.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Rows { $(pub $field: BTreeMap<<$entity::Model as Row>::Key, $entity::Model>,)+ }
    };
}
rows! {
    stores: store; counters: counter; members: member; persons: person; identities: identity; cards: card;
    tier_grants: tier_grant; member_events: member_event; gift_issues: gift_issue; sales: sale;
    sale_lines: sale_line; sale_tenders: sale_tender; sale_gifts: sale_gift; discounts: discount;
    returns: return_slip; return_lines: return_line; return_tenders: return_tender; dues: due;
    approvals: approval; offline_returns: offline_return; accounts: account; movements: movement; lots: lot; entries: entry; holds: hold;
    redemptions: redemption; vouchers: voucher; settlements: settlement; settled: settled_member;
    days: member_day; rulebooks: rulebook; chains: chain; decisions: decision; answers: answer;
    responses: plugin_response; events: event; secrets: secret;
}

/// What may go wrong, in hundredths.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub begin: u64,
    pub load: u64,
    /// The transaction is lost at the commit.
    pub commit: u64,
    /// The transaction is committed, and nobody is told.
    pub after_commit: u64,
}

#[derive(Clone, Debug)]
pub struct Memory {
    pub rows: Arc<Mutex<Rows>>,
    pub faults: Faults,
    /// The keys that were answered, commit by commit, in the order in which their operations ran.
    pub answered: Arc<std::sync::Mutex<Vec<String>>>,
    /// The keys of operations that ran to an answer, as often as they did.
    pub ran: Arc<std::sync::Mutex<Vec<String>>>,
    dice: Arc<std::sync::Mutex<Dice>>,
}

impl Memory {
    pub fn new(faults: Faults, seed: u64) -> Memory {
        Memory {
            rows: Arc::default(),
            answered: Arc::default(),
            ran: Arc::default(),
            faults,
            dice: Arc::new(std::sync::Mutex::new(Dice::new(seed))),
        }
    }
    /// The rows as they are.
    pub async fn snapshot(&self) -> Rows {
        self.rows.lock().await.clone()
    }
    fn fails(&self, percent: u64) -> bool {
        percent > 0 && self.dice.lock().unwrap().percent(percent)
    }
}

/// An operation that says when it ran: a key that comes twice in a batch may be refused for now, and then answered.
pub struct Traced {
    pub key: String,
    pub operation: Arc<dyn Operation>,
    pub ran: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Operation for Traced {
    fn hints(&self) -> Vec<Want> {
        self.operation.hints()
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        let done = self.operation.run(unit);
        let kept = match &done {
            Ok(_) => true,
            Err(Stop::Refused(refusal)) => refusal.kept,
            Err(Stop::Missing(_) | Stop::Ask(_)) => false,
        };
        if kept {
            self.ran.lock().unwrap().push(self.key.clone());
        }
        done
    }
}

fn broken(what: &str) -> StoreError {
    StoreError::Failed(format!("made to fail: {what}"))
}

pub struct MemoryTx {
    store: Memory,
    rows: OwnedMutexGuard<Rows>,
    next: Option<Rows>,
}

impl Store for Memory {
    type Tx = MemoryTx;
    async fn begin(&self) -> Result<MemoryTx, StoreError> {
        if self.fails(self.faults.begin) {
            return Err(broken("begin"));
        }
        Ok(MemoryTx { store: self.clone(), rows: self.rows.clone().lock_owned().await, next: None })
    }
}

impl Tx for MemoryTx {
    async fn load(&mut self, unit: &mut Unit, wants: &BTreeSet<Want>) -> Result<(), StoreError> {
        if self.store.fails(self.store.faults.load) {
            return Err(broken("load"));
        }
        for want in wants {
            load(&self.rows, unit, want);
            unit.note_loaded(want.clone());
        }
        Ok(())
    }
    async fn chains(
        &mut self,
        stores: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, chain::Model>, StoreError> {
        Ok(stores.iter().filter_map(|s| self.rows.chains.get(s).map(|c| (s.clone(), c.clone()))).collect())
    }
    async fn write(&mut self, unit: &Unit) -> Result<(), StoreError> {
        let mut next = self.rows.clone();
        macro_rules! write {
            ($field:ident, $entity:ident) => {
                let (new, changed) = unit.t.$field.changes();
                for row in new {
                    let key = row.key();
                    if next.$field.insert(key, row.clone()).is_some() {
                        return Err(StoreError::Conflict(
                            concat!(stringify!($field), ": a row is there").into(),
                        ));
                    }
                }
                for row in changed {
                    next.$field.insert(row.key(), row.clone());
                }
            };
        }
        each_table!(write);
        self.next = Some(next);
        Ok(())
    }
    async fn commit(mut self) -> Result<(), StoreError> {
        if self.store.fails(self.store.faults.commit) {
            return Err(broken("commit"));
        }
        if let Some(next) = self.next.take() {
            // The last round of a transaction runs all of its operations: the last time is the one that counts.
            let ran = std::mem::take(&mut *self.store.ran.lock().unwrap());
            let new = next.answers.keys().filter(|key| !self.rows.answers.contains_key(*key));
            let mut new: Vec<&String> = new.collect();
            new.sort_by_key(|key| ran.iter().rposition(|of| of == *key));
            self.store.answered.lock().unwrap().extend(new.into_iter().cloned());
            *self.rows = next;
        }
        if self.store.fails(self.store.faults.after_commit) {
            return Err(broken("the answer of the commit was lost"));
        }
        Ok(())
    }
}

fn load(rows: &Rows, unit: &mut Unit, want: &Want) {
    let t = &mut unit.t;
    macro_rules! all {
        ($field:ident where |$row:ident| $test:expr) => {
            rows.$field.values().filter(|$row| $test).for_each(|row| t.$field.load(row.clone()))
        };
    }
    match want {
        Want::Sale(id) => {
            all!(sales where |r| r.id == *id);
            all!(sale_lines where |r| r.sale_id == *id);
            all!(sale_tenders where |r| r.sale_id == *id);
            all!(sale_gifts where |r| r.sale_id == *id);
            all!(discounts where |r| r.sale_id == *id);
            all!(returns where |r| r.sale_id == Some(*id));
            let ids: BTreeSet<Uuid> =
                rows.returns.values().filter(|r| r.sale_id == Some(*id)).map(|r| r.id).collect();
            all!(return_lines where |r| ids.contains(&r.return_id));
            all!(return_tenders where |r| ids.contains(&r.return_id));
            all!(dues where |r| ids.contains(&r.return_id));
            all!(approvals where |r| r.sale_id == Some(*id));
        }
        Want::Account(id) => {
            all!(members where |r| r.id == *id);
            all!(accounts where |r| r.member_id == *id);
        }
        Want::Member(id) => {
            all!(members where |r| r.id == *id);
            all!(persons where |r| r.member_id == *id);
            all!(cards where |r| r.member_id == *id);
            all!(tier_grants where |r| r.member_id == *id);
            all!(accounts where |r| r.member_id == *id);
        }
        Want::Merged(into) => {
            for row in rows.members.values().filter(|r| r.merged_into == Some(*into)) {
                unit.found_merged(row.id, *into);
            }
        }
        Want::Voucher(number) => all!(vouchers where |r| r.number == *number),
        Want::Answer(key) => all!(answers where |r| r.key == *key),
        Want::Card(number) => {
            if let Some(card) = rows.cards.get(number) {
                unit.found_card(number.clone(), card.member_id);
            }
        }
        Want::Identity(hash) => {
            if let Some(found) = rows.identities.get(hash) {
                t.identities.load(found.clone());
            }
        }
        Want::Hold(id) => {
            if let Some(hold) = rows.holds.values().find(|h| h.id == *id) {
                unit.found_hold(*id, hold.member_id);
            }
        }
        Want::Holds(id) => all!(holds where |r| r.member_id == *id && r.state == "open"),
        Want::Lots(id, ledger) => {
            all!(lots where |r| r.member_id == *id && r.ledger == *ledger && r.state != "closed")
        }
        Want::Days(id, year) => {
            let from = zhanggui::program::dates::from_ymd(*year, 1, 1).unwrap();
            let to = zhanggui::program::dates::from_ymd(*year, 12, 31).unwrap();
            all!(days where |r| r.member_id == *id && r.date >= from && r.date <= to);
        }
        Want::Gifts(id, year) => all!(gift_issues where |r| r.member_id == *id && r.year == *year),
        Want::Ticket(id) => {
            if let Some(found) = rows.returns.values().find(|r| r.ticket_id == *id) {
                unit.found_ticket(*id, found.id);
            }
            let slips: BTreeSet<Uuid> =
                rows.returns.values().filter(|r| r.ticket_id == *id).map(|r| r.id).collect();
            returned(rows, unit, &slips);
            let t = &mut unit.t;
            rows.approvals.values().filter(|r| r.ticket_id == *id).for_each(|r| t.approvals.load(r.clone()));
        }
        Want::Return(id) => returned(rows, unit, &BTreeSet::from([*id])),
        Want::Offline(id) => all!(offline_returns where |r| r.id == *id),
        Want::Returned(member, since) => past_returns(rows, unit, *member, *since),
        Want::Movement(id) => movements(rows, unit, |m| m.id == *id),
        Want::Caused(id) => movements(rows, unit, |m| m.cause_id == Some(*id)),
        Want::Touched(lot) => {
            let touching = |m: &movement::Model| {
                rows.entries.values().any(|e| e.movement_id == m.id && e.lot_id == Some(*lot))
            };
            movements(rows, unit, touching);
        }
        Want::Redemption(id) => all!(redemptions where |r| r.id == *id),
        Want::Qualified(id) => all!(tier_grants where |r| r.sale_id == Some(*id)),
        Want::Settlement(id) => all!(settlements where |r| r.id == *id),
        Want::Settled(id, ledger, year) => {
            all!(settled where |r| r.member_id == *id && r.ledger == *ledger && r.year == *year)
        }
        Want::Store(id) => all!(stores where |r| r.id == *id),
        Want::Counter(store, code) => all!(counters where |r| r.store == *store && r.code == *code),
        Want::Rulebook(digest) => all!(rulebooks where |r| r.digest == *digest),
        Want::Secret(name) => all!(secrets where |r| r.name == *name),
        Want::Events(id) => all!(member_events where |r| r.member_id == *id),
    }
}

fn returned(rows: &Rows, unit: &mut Unit, ids: &BTreeSet<Uuid>) {
    let t = &mut unit.t;
    rows.returns.values().filter(|r| ids.contains(&r.id)).for_each(|r| t.returns.load(r.clone()));
    rows.return_lines
        .values()
        .filter(|r| ids.contains(&r.return_id))
        .for_each(|r| t.return_lines.load(r.clone()));
    rows.return_tenders
        .values()
        .filter(|r| ids.contains(&r.return_id))
        .for_each(|r| t.return_tenders.load(r.clone()));
    rows.dues.values().filter(|r| ids.contains(&r.return_id)).for_each(|r| t.dues.load(r.clone()));
}

fn past_returns(rows: &Rows, unit: &mut Unit, member: Uuid, since: i32) {
    let theirs = |r: &&return_slip::Model| {
        r.member_id == Some(member) && r.business_date >= since && r.status == "recorded"
    };
    for slip in rows.returns.values().filter(theirs) {
        let first = rows.return_lines.values().find(|line| line.return_id == slip.id && line.seq == 0);
        unit.found_return(PastReturn {
            id: slip.id,
            member_id: member,
            date: slip.business_date,
            bought_on: slip.sale_id.and_then(|sale| rows.sales.get(&sale)).map(|sale| sale.first_date),
            refund: slip.refund,
            reason: first.map(|line| line.reason.clone()).unwrap_or_default(),
        });
    }
}

fn movements(rows: &Rows, unit: &mut Unit, test: impl Fn(&movement::Model) -> bool) {
    let ids: BTreeSet<Uuid> = rows.movements.values().filter(|m| test(m)).map(|m| m.id).collect();
    let t = &mut unit.t;
    rows.movements.values().filter(|m| ids.contains(&m.id)).for_each(|m| t.movements.load(m.clone()));
    let entries: Vec<&entry::Model> =
        rows.entries.values().filter(|e| ids.contains(&e.movement_id)).collect();
    for entry in entries {
        t.entries.load(entry.clone());
        let lot = entry.lot_id.and_then(|id| rows.lots.get(&(entry.member_id, entry.ledger.clone(), id)));
        if let Some(lot) = lot {
            t.lots.load(lot.clone());
        }
    }
}
