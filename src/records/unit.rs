//! The unit of work: the rows that a batch of operations reads and changes.
//!
//! An operation is a pure function of the unit. If it meets something that is not loaded, it stops and says what; the
//! engine loads that for all operations of the batch with set statements and runs them again. Nothing is written until
//! every operation of the batch has run to its end.
use crate::records::entity::*;
use crate::records::shelf::{Row, Shelf};
use sea_orm::prelude::Uuid;
use std::any::Any;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// What an operation may need to see. Loading locks the rows of sales, members, vouchers, redemptions, settlements and
/// returns until the commit, in this order; the rest hangs on them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// A receipt: lines, tenders, gifts, discounts; its returns with lines, tenders, dues; and its approvals.
    Sale(Uuid),
    /// A member with accounts: what postings need.
    Account(Uuid),
    /// A member with accounts, person, cards and tier grants.
    Member(Uuid),
    /// Which members were merged into one (not locked: whoever merges locks the one that stays).
    Merged(Uuid),
    /// A voucher by number.
    Voucher(String),
    /// The stored answer to an idempotency key.
    Answer(String),
    /// To whom a card belongs (not locked: a card never changes hands).
    Card(String),
    /// An identity document by its hash (locked: it may pass on from a member who was erased).
    Identity(String),
    /// To whom a hold belongs (not locked).
    Hold(Uuid),
    /// A member's open holds.
    Holds(Uuid),
    /// A member's lots of a ledger that are not closed.
    Lots(Uuid, String),
    /// A member's days of a calendar year.
    Days(Uuid, i32),
    /// A member's gifts of a year.
    Gifts(Uuid, i32),
    /// A return that has no sale, and who its ticket is used by; approvals of a ticket.
    Ticket(Uuid),
    /// A return by id, with its lines, tenders and dues.
    Return(Uuid),
    /// What a desk told of a return that it had taken without asking.
    Offline(Uuid),
    /// What a member brought back since a day (not locked: it is looked at, not changed).
    Returned(Uuid, i32),
    /// A movement with its entries and their lots.
    Movement(Uuid),
    /// Movements that a cause brought about, with their entries.
    Caused(Uuid),
    /// Movements that touched a lot, with their entries and those entries' lots.
    Touched(Uuid),
    /// A redemption.
    Redemption(Uuid),
    /// The enrolment that a receipt was used for.
    Qualified(Uuid),
    /// A year's end of a ledger.
    Settlement(Uuid),
    /// Whether a member's year is settled, per ledger.
    Settled(Uuid, String, i32),
    /// A store's row.
    Store(String),
    /// A counter of a store.
    Counter(String, String),
    /// Whether the texts of a rulebook are kept.
    Rulebook(String),
    /// A key that the nodes share.
    Secret(String),
    /// The audit of a member's record.
    Events(Uuid),
}

/// What somebody outside has to find out before an operation can run to its end. The records hand it on and do not look
/// inside.
#[derive(Clone)]
pub struct Aside(pub Arc<dyn Any + Send + Sync>);

impl std::fmt::Debug for Aside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Aside")
    }
}

impl PartialEq for Aside {
    fn eq(&self, other: &Aside) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Why an operation did not run to its end.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// This has to be found out first, outside of any transaction; then the operation may be run again.
    Ask(Aside),
    /// These have to be loaded first.
    Missing(Vec<Want>),
    /// The answer is no; nothing of the operation is recorded but this.
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Stop {
        Stop::Refused(refusal)
    }
}

/// A refusal in terms that a program and a person can read (RFC 9457's members).
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The HTTP status that fits.
    pub status: u16,
    /// Stable, for programs.
    pub code: &'static str,
    pub title: &'static str,
    /// This occurrence, for people.
    pub detail: String,
    /// The field to blame.
    pub path: Option<String>,
    /// A JSON object of further members; empty if there are none.
    pub more: String,
    /// Whether the refusal is the answer for good. If not, the same key may be sent again later.
    pub kept: bool,
}

impl Refusal {
    pub fn new(status: u16, code: &'static str, title: &'static str, detail: impl Into<String>) -> Refusal {
        Refusal { status, code, title, detail: detail.into(), path: None, more: String::new(), kept: true }
    }
    pub fn at(mut self, path: impl Into<String>) -> Refusal {
        self.path = Some(path.into());
        self
    }
    /// Not for good: what is missing may come yet.
    pub fn for_now(mut self) -> Refusal {
        self.kept = false;
        self
    }
    /// Problem details (RFC 9457).
    pub fn json(&self) -> String {
        let mut members = serde_json::Map::new();
        members.insert("type".into(), format!("/problems/{}", self.code).into());
        members.insert("title".into(), self.title.into());
        members.insert("status".into(), self.status.into());
        members.insert("code".into(), self.code.into());
        members.insert("detail".into(), self.detail.as_str().into());
        if let Some(path) = &self.path {
            members.insert("path".into(), path.as_str().into());
        }
        if let Ok(serde_json::Value::Object(more)) = serde_json::from_str(&self.more) {
            members.extend(more);
        }
        serde_json::Value::Object(members).to_string()
    }
    /// With further members, given as a JSON object.
    pub fn with(mut self, more: String) -> Refusal {
        self.more = more;
        self
    }
}

/// What an operation answers: a status and a JSON body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// Something to be done in one transaction.
pub trait Operation: Send + Sync {
    /// What it will surely look at, so that a batch loads it at once.
    fn hints(&self) -> Vec<Want>;
    /// Runs on what is loaded; pure but for the unit.
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop>;
}

macro_rules! tables {
    ($($(#[$doc:meta])* $field:ident: $entity:ident, $key:ty = |$row:ident| $of:expr;)+) => {
        $(impl Row for $entity::Model {
            type Key = $key;
            fn key(&self) -> $key {
                let $row = self;
                $of
            }
        })+
        /// The rows of all tables.
        #[derive(Debug, Default)]
        pub struct Tables { $($(#[$doc])* pub $field: Shelf<$entity::Model>,)+ }
        impl Tables {
            fn mark(&mut self) { $(self.$field.mark();)+ }
            fn back(&mut self) { $(self.$field.back();)+ }
            fn reset(&mut self) { $(self.$field.reset();)+ }
        }
        /// Calls a macro with every table's field and entity, owners before what they own.
        #[macro_export]
        #[doc(hidden)]
        macro_rules! each_table { ($call:ident) => { $($call!($field, $entity);)+ }; }
    };
}

tables! {
    stores: store, String = |r| r.id.clone();
    counters: counter, (String, String) = |r| (r.store.clone(), r.code.clone());
    members: member, Uuid = |r| r.id;
    persons: person, Uuid = |r| r.member_id;
    identities: identity, String = |r| r.hash.clone();
    cards: card, String = |r| r.number.clone();
    tier_grants: tier_grant, (Uuid, Uuid) = |r| (r.member_id, r.id);
    member_events: member_event, (Uuid, Uuid) = |r| (r.member_id, r.id);
    gift_issues: gift_issue, (Uuid, String, i32) = |r| (r.member_id, r.kind.clone(), r.year);
    sales: sale, Uuid = |r| r.id;
    sale_lines: sale_line, (Uuid, i32) = |r| (r.sale_id, r.line);
    sale_tenders: sale_tender, (Uuid, i32) = |r| (r.sale_id, r.seq);
    sale_gifts: sale_gift, (Uuid, i32) = |r| (r.sale_id, r.seq);
    discounts: discount, (Uuid, i32) = |r| (r.sale_id, r.seq);
    returns: return_slip, Uuid = |r| r.id;
    return_lines: return_line, (Uuid, i32) = |r| (r.return_id, r.seq);
    return_tenders: return_tender, (Uuid, i32) = |r| (r.return_id, r.seq);
    dues: due, (Uuid, i32) = |r| (r.return_id, r.seq);
    approvals: approval, (Uuid, Uuid) = |r| (r.ticket_id, r.id);
    offline_returns: offline_return, Uuid = |r| r.id;
    accounts: account, (Uuid, String) = |r| (r.member_id, r.ledger.clone());
    movements: movement, Uuid = |r| r.id;
    lots: lot, (Uuid, String, Uuid) = |r| (r.member_id, r.ledger.clone(), r.id);
    entries: entry, (Uuid, i32) = |r| (r.movement_id, r.seq);
    holds: hold, (Uuid, Uuid) = |r| (r.member_id, r.id);
    redemptions: redemption, Uuid = |r| r.id;
    vouchers: voucher, String = |r| r.number.clone();
    settlements: settlement, Uuid = |r| r.id;
    settled: settled_member, (Uuid, String, i32) = |r| (r.member_id, r.ledger.clone(), r.year);
    days: member_day, (Uuid, i32, String) = |r| (r.member_id, r.date, r.area.clone());
    rulebooks: rulebook, String = |r| r.digest.clone();
    chains: chain, String = |r| r.store.clone();
    decisions: decision, (String, i64) = |r| (r.store.clone(), r.seq);
    answers: answer, String = |r| r.key.clone();
    responses: plugin_response, (Uuid, i32) = |r| (r.decision_id, r.seq);
    events: event, Uuid = |r| r.id;
    secrets: secret, String = |r| r.name.clone();
}

/// A recorded return, as others look back at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastReturn {
    pub id: Uuid,
    pub member_id: Uuid,
    /// Business dates, as days since 1970-01-01.
    pub date: i32,
    pub bought_on: Option<i32>,
    /// Smallest units.
    pub refund: i64,
    /// As the desk wrote it down; empty if it did not.
    pub reason: String,
}

/// A decision that an operation took, before the store's chain gives it its place.
#[derive(Clone, Debug)]
pub struct Decided {
    pub id: Uuid,
    pub store: String,
    pub decision: String,
    pub rulebook: String,
    pub facts: String,
    pub outcome: String,
    /// What plugins were asked for it and said, as JSON.
    pub plugins: Option<String>,
    pub cause: String,
    pub cause_id: Option<Uuid>,
    pub actor: String,
}

/// The rows that a batch works on.
#[derive(Debug)]
pub struct Unit {
    pub t: Tables,
    /// Epoch microseconds: when the batch is recorded.
    pub now: i64,
    loaded: HashSet<Want>,
    /// Finders' results: what belongs to whom.
    cards: std::collections::HashMap<String, Uuid>,
    holds: std::collections::HashMap<Uuid, Uuid>,
    tickets: std::collections::HashMap<Uuid, Uuid>,
    merged: std::collections::BTreeMap<Uuid, Uuid>,
    returned: std::collections::BTreeMap<Uuid, PastReturn>,
    decided: Vec<Decided>,
    /// How many of them each cause has.
    decided_for: HashMap<Uuid, usize>,
    decided_mark: usize,
}

impl Unit {
    /// An empty unit.
    pub fn new(now: i64) -> Unit {
        Unit {
            t: Tables::default(),
            now,
            loaded: HashSet::new(),
            cards: Default::default(),
            holds: Default::default(),
            tickets: Default::default(),
            merged: Default::default(),
            returned: Default::default(),
            decided: Vec::new(),
            decided_for: HashMap::new(),
            decided_mark: 0,
        }
    }
    /// Stops unless all of these are loaded.
    pub fn need<const N: usize>(&self, wants: [Want; N]) -> Result<(), Stop> {
        self.need_all(wants.to_vec())
    }
    /// Stops unless all of these are loaded.
    pub fn need_all(&self, mut wants: Vec<Want>) -> Result<(), Stop> {
        wants.retain(|want| !self.loaded.contains(want));
        if wants.is_empty() { Ok(()) } else { Err(Stop::Missing(wants)) }
    }
    /// Whether this was loaded.
    pub fn has(&self, want: &Want) -> bool {
        self.loaded.contains(want)
    }
    /// The store of rows says that everything of this want is on the shelves.
    pub fn note_loaded(&mut self, want: Want) {
        if let Want::Member(id) = want {
            self.loaded.insert(Want::Account(id));
        }
        self.loaded.insert(want);
    }
    /// To whom a loaded card belongs.
    pub fn card_member(&self, number: &str) -> Option<Uuid> {
        self.t.cards.get(&number.to_owned()).map(|c| c.member_id).or_else(|| self.cards.get(number).copied())
    }
    /// To whom an identity document belongs.
    pub fn identity_member(&self, hash: &str) -> Option<Uuid> {
        self.t.identities.get(&hash.to_owned()).map(|i| i.member_id)
    }
    /// The members that were merged into one, as this batch leaves them.
    pub fn merged(&self, into: Uuid) -> Vec<Uuid> {
        let found = self.merged.iter().filter(|(_, i)| **i == into).map(|(id, _)| *id);
        let mut all: BTreeSet<Uuid> = found.collect();
        for row in self.t.members.range(Uuid::nil()..=Uuid::max()) {
            if row.merged_into == Some(into) {
                all.insert(row.id);
            } else {
                all.remove(&row.id);
            }
        }
        all.into_iter().collect()
    }
    /// To whom a hold belongs.
    pub fn hold_member(&self, id: Uuid) -> Option<Uuid> {
        self.holds.get(&id).copied()
    }
    /// The return that used a ticket.
    pub fn ticket_return(&self, ticket: Uuid) -> Option<Uuid> {
        self.tickets.get(&ticket).copied()
    }
    /// What a member brought back since a day, the returns of this batch among it; by date.
    pub fn past_returns(&self, member: Uuid, since: i32) -> Vec<PastReturn> {
        let mut all = self.returned.clone();
        for slip in self.t.returns.range(Uuid::nil()..=Uuid::max()) {
            let (Some(member_id), true) = (slip.member_id, slip.status == "recorded") else {
                all.remove(&slip.id);
                continue;
            };
            let first = self.t.return_lines.get(&(slip.id, 0));
            let bought_on = slip.sale_id.and_then(|sale| self.t.sales.get(&sale)).map(|s| s.first_date);
            let before = all.remove(&slip.id);
            let past = PastReturn {
                id: slip.id,
                member_id,
                date: slip.business_date,
                bought_on: bought_on.or(before.as_ref().and_then(|b| b.bought_on)),
                refund: slip.refund,
                reason: first.map(|l| l.reason.clone()).or(before.map(|b| b.reason)).unwrap_or_default(),
            };
            all.insert(slip.id, past);
        }
        let mut found: Vec<PastReturn> =
            all.into_values().filter(|r| r.member_id == member && r.date >= since).collect();
        found.sort_by_key(|r| (r.date, r.id));
        found
    }
    pub fn found_return(&mut self, past: PastReturn) {
        self.returned.insert(past.id, past);
    }
    pub fn found_merged(&mut self, member: Uuid, into: Uuid) {
        self.merged.insert(member, into);
    }
    pub fn found_card(&mut self, number: String, member: Uuid) {
        self.cards.insert(number, member);
    }
    pub fn found_hold(&mut self, id: Uuid, member: Uuid) {
        self.holds.insert(id, member);
    }
    pub fn found_ticket(&mut self, ticket: Uuid, of_return: Uuid) {
        self.tickets.insert(ticket, of_return);
    }
    /// Logs a decision.
    pub fn log(&mut self, decided: Decided) {
        if let Some(cause) = decided.cause_id {
            *self.decided_for.entry(cause).or_default() += 1;
        }
        self.decided.push(decided);
    }
    /// Takes the decisions of the batch, in the order in which they were taken.
    pub(in crate::records) fn take_decided(&mut self) -> Vec<Decided> {
        self.decided_for.clear();
        self.decided_mark = 0;
        std::mem::take(&mut self.decided)
    }
    /// How many decisions the batch has taken for a cause.
    pub fn decided_for(&self, cause: Uuid) -> usize {
        self.decided_for.get(&cause).copied().unwrap_or_default()
    }
    /// From here on changes can be taken back: an operation begins.
    pub fn mark(&mut self) {
        self.t.mark();
        self.decided_mark = self.decided.len();
    }
    /// Takes back what the operation changed.
    pub fn back(&mut self) {
        self.t.back();
        for taken_back in self.decided.drain(self.decided_mark.min(self.decided.len())..) {
            let count = taken_back.cause_id.and_then(|cause| self.decided_for.get_mut(&cause));
            if let Some(count) = count {
                *count = count.saturating_sub(1);
            }
        }
    }
    /// Takes back every change of the batch; what was loaded stays.
    pub fn reset(&mut self) {
        self.t.reset();
        self.decided.clear();
        self.decided_for.clear();
        self.decided_mark = 0;
    }
    /// A member's lots of a ledger that are not closed, in no order that matters. Those that this batch closed are as
    /// closed as those that were not loaded.
    pub fn lots(&self, member: Uuid, ledger: &str) -> Vec<lot::Model> {
        let key = |id| (member, ledger.to_owned(), id);
        let all = self.t.lots.range(key(Uuid::nil())..=key(Uuid::max()));
        all.filter(|lot| lot.state != "closed").cloned().collect()
    }
    /// A member's open holds.
    pub fn open_holds(&self, member: Uuid) -> Vec<hold::Model> {
        let all = self.t.holds.range((member, Uuid::nil())..=(member, Uuid::max()));
        all.filter(|h| h.state == "open").cloned().collect()
    }
    /// A sale's lines.
    pub fn sale_lines(&self, sale: Uuid) -> Vec<sale_line::Model> {
        self.t.sale_lines.range((sale, i32::MIN)..=(sale, i32::MAX)).cloned().collect()
    }
    /// A sale's tenders.
    pub fn sale_tenders(&self, sale: Uuid) -> Vec<sale_tender::Model> {
        self.t.sale_tenders.range((sale, i32::MIN)..=(sale, i32::MAX)).cloned().collect()
    }
    /// A sale's gifts and coupons.
    pub fn sale_gifts(&self, sale: Uuid) -> Vec<sale_gift::Model> {
        self.t.sale_gifts.range((sale, i32::MIN)..=(sale, i32::MAX)).cloned().collect()
    }
    /// A sale's returns.
    pub fn sale_returns(&self, sale: Uuid) -> Vec<return_slip::Model> {
        let all = self.t.returns.range(Uuid::nil()..=Uuid::max());
        all.filter(|r| r.sale_id == Some(sale)).cloned().collect()
    }
    /// A return's lines.
    pub fn return_lines(&self, of: Uuid) -> Vec<return_line::Model> {
        self.t.return_lines.range((of, i32::MIN)..=(of, i32::MAX)).cloned().collect()
    }
    /// A movement's entries.
    pub fn entries(&self, movement: Uuid) -> Vec<entry::Model> {
        self.t.entries.range((movement, i32::MIN)..=(movement, i32::MAX)).cloned().collect()
    }
    /// Loaded movements that a cause brought about.
    pub fn caused(&self, cause: Uuid) -> Vec<movement::Model> {
        let all = self.t.movements.range(Uuid::nil()..=Uuid::max());
        all.filter(|m| m.cause_id == Some(cause)).cloned().collect()
    }
    /// Loaded movements that touched a lot.
    pub fn touched(&self, lot: Uuid) -> Vec<movement::Model> {
        let all = self.t.movements.range(Uuid::nil()..=Uuid::max());
        all.filter(|m| self.entries(m.id).iter().any(|e| e.lot_id == Some(lot))).cloned().collect()
    }
    /// A member's account of a ledger; empty if there is none yet.
    pub fn account(&self, member: Uuid, ledger: &str) -> account::Model {
        let found = self.t.accounts.get(&(member, ledger.to_owned())).cloned();
        found.unwrap_or_else(|| account::Model {
            member_id: member,
            ledger: ledger.to_owned(),
            available: 0,
            pending: 0,
            held: 0,
            debt: 0,
            version: 0,
        })
    }
    /// A member's loaded days from one date through another.
    pub fn days(&self, member: Uuid, from: i32, through: i32) -> Vec<member_day::Model> {
        let to = (member, through, "\u{10ffff}".to_owned());
        self.t.days.range((member, from, String::new())..=to).cloned().collect()
    }
}
