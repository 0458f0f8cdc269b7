//! A store of rows in memory: the engine's contract without a database. What its disk does, and what goes wrong with it,
//! is another's to say.
use crate::trace::Trace;
use sea_orm::prelude::Uuid;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::{Mutex, OwnedMutexGuard};
use zhanggui::each_table;
use zhanggui::records::entity::*;
use zhanggui::records::shelf::Row;
use zhanggui::records::{Clock, PastReturn, Store, StoreError, Tx, Unit, Want};

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

/// Where a transaction stands when something goes wrong with it, or takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    Begin,
    Load,
    Write,
    /// The commit was asked for, and nothing of it is on the disk.
    Commit,
    /// Everything is on the disk, and nobody was told.
    Committed,
}

/// What the disk below the rows does: nothing, at once; or what a simulation makes of it.
pub trait Disk: Clone + Send + Sync + 'static {
    fn pass(&self, at: At) -> impl Future<Output = Result<(), StoreError>> + Send {
        let _ = at;
        async { Ok(()) }
    }
}

/// A disk that always works.
#[derive(Clone, Debug)]
pub struct Sound;

impl Disk for Sound {}

#[derive(Clone, Debug)]
pub struct Memory<D> {
    pub rows: Arc<Mutex<Rows>>,
    pub trace: Trace,
    disk: D,
}

impl<D: Disk> Memory<D> {
    pub fn new(disk: D, trace: Trace) -> Memory<D> {
        Memory { rows: Arc::default(), trace, disk }
    }
    /// The same rows, over another node's way to the disk.
    pub fn over(&self, disk: D) -> Memory<D> {
        Memory { rows: self.rows.clone(), trace: self.trace.clone(), disk }
    }
}

type Change = Box<dyn FnOnce(&mut Rows) + Send>;

pub struct MemoryTx<D> {
    trace: Trace,
    disk: D,
    rows: OwnedMutexGuard<Rows>,
    changes: Vec<Change>,
}

impl<D: Disk> Store for Memory<D> {
    type Tx = MemoryTx<D>;
    async fn begin(&self) -> Result<MemoryTx<D>, StoreError> {
        self.disk.pass(At::Begin).await?;
        let rows = self.rows.clone().lock_owned().await;
        self.trace.forget();
        Ok(MemoryTx { trace: self.trace.clone(), disk: self.disk.clone(), rows, changes: Vec::new() })
    }
}

/// Takes up a table's changes, for the commit.
macro_rules! take_up {
    ($tx:ident, $unit:ident, $field:ident) => {
        let (new, changed) = $unit.t.$field.changes();
        for row in new {
            if $tx.rows.$field.contains_key(&row.key()) {
                return Err(StoreError::Conflict(concat!(stringify!($field), ": a row is there").into()));
            }
            let row = row.clone();
            $tx.changes.push(Box::new(move |rows| drop(rows.$field.insert(row.key(), row))));
        }
        for row in changed {
            let row = row.clone();
            $tx.changes.push(Box::new(move |rows| drop(rows.$field.insert(row.key(), row))));
        }
    };
}

impl<D: Disk> Tx for MemoryTx<D> {
    async fn load(&mut self, unit: &mut Unit, wants: &BTreeSet<Want>) -> Result<(), StoreError> {
        self.disk.pass(At::Load).await?;
        // Every round of a transaction runs all of its operations: the last one counts.
        self.trace.forget();
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
        self.disk.pass(At::Write).await?;
        macro_rules! write {
            ($field:ident, $entity:ident) => {
                take_up!(self, unit, $field);
            };
        }
        each_table!(write);
        Ok(())
    }
    async fn write_chains(&mut self, unit: &Unit) -> Result<(), StoreError> {
        take_up!(self, unit, decisions);
        take_up!(self, unit, chains);
        Ok(())
    }
    async fn commit(mut self) -> Result<(), StoreError> {
        self.disk.pass(At::Commit).await?;
        for change in std::mem::take(&mut self.changes) {
            change(&mut self.rows);
        }
        self.trace.commit();
        self.disk.pass(At::Committed).await
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
