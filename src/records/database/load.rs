//! Loads what operations want: a set statement per kind of row, owners before what they own.
//!
//! Owners are locked in one order (sales, members, vouchers, redemptions, settlements; each by key), so that two nodes
//! wait for each other instead of dying of each other. What they own is read by later statements, which see what the lock
//! waited for.
use super::read::Reading;
use crate::records::engine::StoreError;
use crate::records::entity::*;
use crate::records::unit::{PastReturn, Unit, Want};
use chrono::NaiveDate;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition};
use std::collections::{BTreeMap, BTreeSet};

/// Wants, by kind.
#[derive(Default)]
struct Wanted {
    sales: BTreeSet<Uuid>,
    /// Members with accounts, and those of them with person, cards and tier grants.
    members: BTreeSet<Uuid>,
    persons: BTreeSet<Uuid>,
    merged: BTreeSet<Uuid>,
    vouchers: BTreeSet<String>,
    redemptions: BTreeSet<Uuid>,
    settlements: BTreeSet<Uuid>,
    answers: BTreeSet<String>,
    cards: BTreeSet<String>,
    identities: BTreeSet<String>,
    holds: BTreeSet<Uuid>,
    holders: BTreeSet<Uuid>,
    lots: (BTreeSet<Uuid>, BTreeSet<String>),
    days: BTreeMap<i32, BTreeSet<Uuid>>,
    gifts: BTreeMap<i32, BTreeSet<Uuid>>,
    tickets: BTreeSet<Uuid>,
    returns: BTreeSet<Uuid>,
    offline: BTreeSet<Uuid>,
    returned: BTreeMap<i32, BTreeSet<Uuid>>,
    movements: BTreeSet<Uuid>,
    causes: BTreeSet<Uuid>,
    touched: BTreeSet<Uuid>,
    qualified: BTreeSet<Uuid>,
    settled: BTreeMap<(String, i32), BTreeSet<Uuid>>,
    stores: BTreeSet<String>,
    counters: (BTreeSet<String>, BTreeSet<String>),
    rulebooks: BTreeSet<String>,
    secrets: BTreeSet<String>,
    audits: BTreeSet<Uuid>,
}

impl Wanted {
    fn add(&mut self, want: Want) {
        match want {
            Want::Sale(id) => drop(self.sales.insert(id)),
            Want::Account(id) => drop(self.members.insert(id)),
            Want::Member(id) => {
                self.members.insert(id);
                self.persons.insert(id);
            }
            Want::Merged(into) => drop(self.merged.insert(into)),
            Want::Voucher(number) => drop(self.vouchers.insert(number)),
            Want::Answer(key) => drop(self.answers.insert(key)),
            Want::Card(number) => drop(self.cards.insert(number)),
            Want::Identity(hash) => drop(self.identities.insert(hash)),
            Want::Hold(id) => drop(self.holds.insert(id)),
            Want::Holds(member) => drop(self.holders.insert(member)),
            Want::Lots(member, ledger) => {
                self.lots.0.insert(member);
                self.lots.1.insert(ledger);
            }
            Want::Days(member, year) => drop(self.days.entry(year).or_default().insert(member)),
            Want::Gifts(member, year) => drop(self.gifts.entry(year).or_default().insert(member)),
            Want::Ticket(id) => drop(self.tickets.insert(id)),
            Want::Return(id) => drop(self.returns.insert(id)),
            Want::Offline(id) => drop(self.offline.insert(id)),
            Want::Returned(member, since) => drop(self.returned.entry(since).or_default().insert(member)),
            Want::Movement(id) => drop(self.movements.insert(id)),
            Want::Caused(cause) => drop(self.causes.insert(cause)),
            Want::Touched(lot) => drop(self.touched.insert(lot)),
            Want::Redemption(id) => drop(self.redemptions.insert(id)),
            Want::Qualified(sale) => drop(self.qualified.insert(sale)),
            Want::Settlement(id) => drop(self.settlements.insert(id)),
            Want::Settled(member, ledger, year) => {
                self.settled.entry((ledger, year)).or_default().insert(member);
            }
            Want::Store(id) => drop(self.stores.insert(id)),
            Want::Counter(store, code) => {
                self.counters.0.insert(store);
                self.counters.1.insert(code);
            }
            Want::Rulebook(digest) => drop(self.rulebooks.insert(digest)),
            Want::Secret(name) => drop(self.secrets.insert(name)),
            Want::Events(member) => drop(self.audits.insert(member)),
        }
    }
}

/// Puts the rows of a column's keys onto a shelf: `shelve!(db, unit.t.sale_lines, sale_line, SaleId, &ids)`.
macro_rules! shelve {
    ($db:expr, $shelf:expr, $entity:ident, $column:ident, $keys:expr) => {
        for row in $db.rows::<$entity::Entity, _>($entity::Column::$column, $keys).await? {
            $shelf.load(row);
        }
    };
    ($db:expr, $shelf:expr, $entity:ident, $column:ident, $keys:expr, $that:expr) => {
        for row in $db.rows_that::<$entity::Entity, _>($entity::Column::$column, $keys, $that).await? {
            $shelf.load(row);
        }
    };
}

/// As `shelve!`, and locks the rows.
macro_rules! lock {
    ($db:expr, $shelf:expr, $entity:ident, $column:ident, $keys:expr) => {
        for row in $db.locked::<$entity::Entity, _>($entity::Column::$column, $keys).await? {
            $shelf.load(row);
        }
    };
}

/// Loads and notes everything wanted that the unit does not have yet.
pub(super) async fn load(
    db: &Reading<'_>,
    unit: &mut Unit,
    wants: &BTreeSet<Want>,
) -> Result<(), StoreError> {
    let mut wanted = Wanted::default();
    for want in wants {
        wanted.add(want.clone());
    }
    owners(db, unit, &wanted).await?;
    slips(db, unit, &wanted).await?;
    member_rows(db, unit, &wanted).await?;
    movements(db, unit, &wanted).await?;
    found(db, unit, &wanted).await?;
    settings(db, unit, &wanted).await?;
    for want in wants {
        unit.note_loaded(want.clone());
    }
    Ok(())
}

async fn owners(db: &Reading<'_>, unit: &mut Unit, wanted: &Wanted) -> Result<(), StoreError> {
    lock!(db, unit.t.sales, sale, Id, &wanted.sales);
    lock!(db, unit.t.members, member, Id, &wanted.members);
    lock!(db, unit.t.vouchers, voucher, Number, &wanted.vouchers);
    lock!(db, unit.t.redemptions, redemption, Id, &wanted.redemptions);
    lock!(db, unit.t.settlements, settlement, Id, &wanted.settlements);
    Ok(())
}

/// Receipts' rows, and returns with theirs.
async fn slips(db: &Reading<'_>, unit: &mut Unit, wanted: &Wanted) -> Result<(), StoreError> {
    let sales = &wanted.sales;
    shelve!(db, unit.t.sale_lines, sale_line, SaleId, sales);
    shelve!(db, unit.t.sale_tenders, sale_tender, SaleId, sales);
    shelve!(db, unit.t.sale_gifts, sale_gift, SaleId, sales);
    shelve!(db, unit.t.discounts, discount, SaleId, sales);
    shelve!(db, unit.t.approvals, approval, SaleId, sales);
    shelve!(db, unit.t.approvals, approval, TicketId, &wanted.tickets);

    let mut slips = db.rows::<return_slip::Entity, _>(return_slip::Column::SaleId, sales).await?;
    for slip in db.rows::<return_slip::Entity, _>(return_slip::Column::TicketId, &wanted.tickets).await? {
        unit.found_ticket(slip.ticket_id, slip.id);
        slips.push(slip);
    }
    // A return without a receipt has no owner to lock: two nodes that void it meet here.
    slips.extend(db.locked::<return_slip::Entity, _>(return_slip::Column::Id, &wanted.returns).await?);
    let ids: BTreeSet<Uuid> = slips.iter().map(|slip| slip.id).collect();
    for slip in slips {
        unit.t.returns.load(slip);
    }
    shelve!(db, unit.t.return_lines, return_line, ReturnId, &ids);
    shelve!(db, unit.t.return_tenders, return_tender, ReturnId, &ids);
    shelve!(db, unit.t.dues, due, ReturnId, &ids);
    shelve!(db, unit.t.offline_returns, offline_return, Id, &wanted.offline);
    Ok(())
}

async fn member_rows(db: &Reading<'_>, unit: &mut Unit, wanted: &Wanted) -> Result<(), StoreError> {
    let persons = &wanted.persons;
    shelve!(db, unit.t.persons, person, MemberId, persons);
    shelve!(db, unit.t.cards, card, MemberId, persons);
    shelve!(db, unit.t.tier_grants, tier_grant, MemberId, persons);
    shelve!(db, unit.t.accounts, account, MemberId, &wanted.members);
    shelve!(db, unit.t.tier_grants, tier_grant, SaleId, &wanted.qualified);
    // Literals, not bound values: a partial index serves only a query that says its condition.
    let open = Condition::all().add(Expr::cust("state = 'open'"));
    shelve!(db, unit.t.holds, hold, MemberId, &wanted.holders, open);
    let (members, ledgers) = &wanted.lots;
    let live = lot::Column::Ledger.is_in(ledgers.iter().map(String::as_str));
    let live = Condition::all().add(live).add(Expr::cust("state <> 'closed'"));
    shelve!(db, unit.t.lots, lot, MemberId, members, live);
    for (year, members) in &wanted.days {
        let within =
            member_day::Column::Date.between(first_day(*year), first_day(year.saturating_add(1)) - 1);
        shelve!(db, unit.t.days, member_day, MemberId, members, Condition::all().add(within));
    }
    for (year, members) in &wanted.gifts {
        let that = Condition::all().add(gift_issue::Column::Year.eq(*year));
        shelve!(db, unit.t.gift_issues, gift_issue, MemberId, members, that);
    }
    for ((ledger, year), members) in &wanted.settled {
        let that = settled_member::Column::Ledger.eq(ledger.as_str());
        let that = Condition::all().add(that).add(settled_member::Column::Year.eq(*year));
        shelve!(db, unit.t.settled, settled_member, MemberId, members, that);
    }
    Ok(())
}

/// Movements and entries never change; their lots do, so the members are locked before the lots are read.
async fn movements(db: &Reading<'_>, unit: &mut Unit, wanted: &Wanted) -> Result<(), StoreError> {
    let touching = db.rows::<entry::Entity, _>(entry::Column::LotId, &wanted.touched).await?;
    let named: BTreeSet<Uuid> =
        wanted.movements.iter().copied().chain(touching.iter().map(|entry| entry.movement_id)).collect();
    let mut found = db.rows::<movement::Entity, _>(movement::Column::Id, &named).await?;
    found.extend(db.rows::<movement::Entity, _>(movement::Column::CauseId, &wanted.causes).await?);
    let ids: BTreeSet<Uuid> = found.iter().map(|movement| movement.id).collect();
    let entries = db.rows::<entry::Entity, _>(entry::Column::MovementId, &ids).await?;
    let members: BTreeSet<Uuid> = entries.iter().map(|entry| entry.member_id).collect();
    if db.locks {
        db.locked::<member::Entity, _>(member::Column::Id, &members).await?;
    }
    let lots: BTreeSet<Uuid> = entries.iter().filter_map(|entry| entry.lot_id).collect();
    shelve!(db, unit.t.lots, lot, Id, &lots);
    for row in found {
        unit.t.movements.load(row);
    }
    for row in entries {
        unit.t.entries.load(row);
    }
    Ok(())
}

/// What belongs to whom: no locks, and nothing on the shelves, but for documents, which may change hands.
async fn found(db: &Reading<'_>, unit: &mut Unit, wanted: &Wanted) -> Result<(), StoreError> {
    for row in db.rows::<card::Entity, _>(card::Column::Number, &wanted.cards).await? {
        unit.found_card(row.number, row.member_id);
    }
    lock!(db, unit.t.identities, identity, Hash, &wanted.identities);
    for row in db.rows::<member::Entity, _>(member::Column::MergedInto, &wanted.merged).await? {
        if let Some(into) = row.merged_into {
            unit.found_merged(row.id, into);
        }
    }
    for row in db.rows::<hold::Entity, _>(hold::Column::Id, &wanted.holds).await? {
        unit.found_hold(row.id, row.member_id);
    }
    past_returns(db, unit, wanted).await
}

/// What members brought back: for looking at, so nothing of it is put on the shelves.
async fn past_returns(db: &Reading<'_>, unit: &mut Unit, wanted: &Wanted) -> Result<(), StoreError> {
    for (since, members) in &wanted.returned {
        let that = return_slip::Column::BusinessDate.gte(*since);
        let that = Condition::all().add(that).add(return_slip::Column::Status.eq("recorded"));
        let slips =
            db.rows_that::<return_slip::Entity, _>(return_slip::Column::MemberId, members, that).await?;
        let ids: BTreeSet<Uuid> = slips.iter().map(|slip| slip.id).collect();
        let sales: BTreeSet<Uuid> = slips.iter().filter_map(|slip| slip.sale_id).collect();
        let lines = db.rows::<return_line::Entity, _>(return_line::Column::ReturnId, &ids).await?;
        let bought = db.rows::<sale::Entity, _>(sale::Column::Id, &sales).await?;
        for slip in slips {
            let Some(member_id) = slip.member_id else { continue };
            let first = lines.iter().find(|line| line.return_id == slip.id && line.seq == 0);
            unit.found_return(PastReturn {
                id: slip.id,
                member_id,
                date: slip.business_date,
                bought_on: bought.iter().find(|sale| Some(sale.id) == slip.sale_id).map(|s| s.first_date),
                refund: slip.refund,
                reason: first.map(|line| line.reason.clone()).unwrap_or_default(),
            });
        }
    }
    Ok(())
}

async fn settings(db: &Reading<'_>, unit: &mut Unit, wanted: &Wanted) -> Result<(), StoreError> {
    shelve!(db, unit.t.answers, answer, Key, &wanted.answers);
    shelve!(db, unit.t.stores, store, Id, &wanted.stores);
    let (stores, codes) = &wanted.counters;
    let that = counter::Column::Code.is_in(codes.iter().map(String::as_str));
    shelve!(db, unit.t.counters, counter, Store, stores, Condition::all().add(that));
    shelve!(db, unit.t.rulebooks, rulebook, Digest, &wanted.rulebooks);
    shelve!(db, unit.t.secrets, secret, Name, &wanted.secrets);
    shelve!(db, unit.t.member_events, member_event, MemberId, &wanted.audits);
    Ok(())
}

/// A year's first day, as days since 1970-01-01; years that no calendar has are far away.
fn first_day(year: i32) -> i32 {
    let epoch = NaiveDate::default();
    let first = NaiveDate::from_ymd_opt(year, 1, 1).map(|day| day.signed_duration_since(epoch).num_days());
    let far = if year < 0 { i32::MIN + 1 } else { i32::MAX };
    first.and_then(|days| i32::try_from(days).ok()).unwrap_or(far)
}
