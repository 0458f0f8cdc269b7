//! What callers may look at: queries that lock nothing, each on an index, each bounded.
//!
//! Errors are the database's; an absent row is `None` or an empty list.
use crate::records::entity::*;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Select, Statement,
};

// Conditions of partial indexes: literals, since a bound value does not say that the index holds the row.
const LIVE: &str = "state <> 'closed'";
const OPEN: &str = "state = 'open'";
const PENDING: &str = "state = 'pending'";

/// A page's last key, where the next one begins.
pub type After<K> = Option<K>;

/// A member with everything that belongs to the record.
#[derive(Clone, Debug)]
pub struct MemberRecord {
    pub member: member::Model,
    pub person: Option<person::Model>,
    pub cards: Vec<card::Model>,
    pub tiers: Vec<tier_grant::Model>,
    pub accounts: Vec<account::Model>,
}

/// A receipt with everything that belongs to it.
#[derive(Clone, Debug)]
pub struct SaleRecord {
    pub sale: sale::Model,
    pub lines: Vec<sale_line::Model>,
    pub tenders: Vec<sale_tender::Model>,
    pub gifts: Vec<sale_gift::Model>,
    pub discounts: Vec<discount::Model>,
    pub returns: Vec<return_slip::Model>,
}

/// A return with its lines, tenders, dues and approvals.
#[derive(Clone, Debug)]
pub struct ReturnRecord {
    pub slip: return_slip::Model,
    pub lines: Vec<return_line::Model>,
    pub tenders: Vec<return_tender::Model>,
    pub dues: Vec<due::Model>,
    pub approvals: Vec<approval::Model>,
}

/// A member by id.
pub async fn member<C: ConnectionTrait>(db: &C, id: Uuid) -> Result<Option<MemberRecord>, DbErr> {
    let Some(member) = member::Entity::find_by_id(id).one(db).await? else { return Ok(None) };
    Ok(Some(MemberRecord {
        person: person::Entity::find_by_id(id).one(db).await?,
        cards: card::Entity::find().filter(card::Column::MemberId.eq(id)).all(db).await?,
        tiers: tier_grant::Entity::find()
            .filter(tier_grant::Column::MemberId.eq(id))
            .order_by_asc(tier_grant::Column::GrantedAt)
            .all(db)
            .await?,
        accounts: account::Entity::find().filter(account::Column::MemberId.eq(id)).all(db).await?,
        member,
    }))
}

/// To whom a card belongs.
pub async fn card<C: ConnectionTrait>(db: &C, number: &str) -> Result<Option<card::Model>, DbErr> {
    card::Entity::find_by_id(number.to_owned()).one(db).await
}

/// A member's lots that are not closed, in the order in which they were earned.
pub async fn open_lots<C: ConnectionTrait>(db: &C, member: Uuid) -> Result<Vec<lot::Model>, DbErr> {
    lot::Entity::find()
        .filter(lot::Column::MemberId.eq(member))
        .filter(Expr::cust(LIVE))
        .order_by_asc(lot::Column::EarnedAt)
        .all(db)
        .await
}

/// A member's movements, the newest first, with their entries on the member's accounts.
pub async fn statement<C: ConnectionTrait>(
    db: &C,
    member: Uuid,
    ledger: Option<&str>,
    before: After<(i64, Uuid)>,
    limit: u64,
) -> Result<Vec<(movement::Model, Vec<entry::Model>)>, DbErr> {
    let mut query = movement::Entity::find().filter(movement::Column::MemberId.eq(member));
    if let Some(ledger) = ledger {
        query = query.filter(movement::Column::Ledger.eq(ledger));
    }
    if let Some((at, id)) = before {
        let same = Condition::all().add(movement::Column::RecordedAt.eq(at)).add(movement::Column::Id.lt(id));
        query = query.filter(Condition::any().add(movement::Column::RecordedAt.lt(at)).add(same));
    }
    let movements = query
        .order_by_desc(movement::Column::RecordedAt)
        .order_by_desc(movement::Column::Id)
        .limit(limit)
        .all(db)
        .await?;
    let ids = movements.iter().map(|m| m.id);
    let mut entries = entry::Entity::find()
        .filter(entry::Column::MovementId.is_in(ids))
        .order_by_asc(entry::Column::Seq)
        .all(db)
        .await?;
    let mut own = |id: Uuid| {
        let (its, rest) =
            std::mem::take(&mut entries).into_iter().partition(|e: &entry::Model| e.movement_id == id);
        entries = rest;
        its
    };
    Ok(movements.into_iter().map(|m| (m.clone(), own(m.id))).collect())
}

/// A receipt by id.
pub async fn sale<C: ConnectionTrait>(db: &C, id: Uuid) -> Result<Option<SaleRecord>, DbErr> {
    let Some(sale) = sale::Entity::find_by_id(id).one(db).await? else { return Ok(None) };
    Ok(Some(SaleRecord {
        lines: sale_line::Entity::find()
            .filter(sale_line::Column::SaleId.eq(id))
            .order_by_asc(sale_line::Column::Line)
            .all(db)
            .await?,
        tenders: sale_tender::Entity::find()
            .filter(sale_tender::Column::SaleId.eq(id))
            .order_by_asc(sale_tender::Column::Seq)
            .all(db)
            .await?,
        gifts: sale_gift::Entity::find()
            .filter(sale_gift::Column::SaleId.eq(id))
            .order_by_asc(sale_gift::Column::Seq)
            .all(db)
            .await?,
        discounts: discount::Entity::find().filter(discount::Column::SaleId.eq(id)).all(db).await?,
        returns: return_slip::Entity::find().filter(return_slip::Column::SaleId.eq(id)).all(db).await?,
        sale,
    }))
}

/// Which receipts to list.
#[derive(Clone, Debug)]
pub enum SalesOf {
    /// A store's business date.
    Store(String, i32),
    /// A member's, through a business date.
    Member(Uuid),
}

/// Receipts in the order of their ids, which is that of their business dates.
pub async fn sales<C: ConnectionTrait>(
    db: &C,
    of: &SalesOf,
    after: After<Uuid>,
    limit: u64,
) -> Result<Vec<sale::Model>, DbErr> {
    let mut query = sale::Entity::find();
    query = match of {
        SalesOf::Store(store, date) => {
            query.filter(sale::Column::Store.eq(store.as_str())).filter(sale::Column::BusinessDate.eq(*date))
        }
        SalesOf::Member(member) => query.filter(sale::Column::MemberId.eq(*member)),
    };
    if let Some(after) = after {
        query = query.filter(sale::Column::Id.gt(after));
    }
    query.order_by_asc(sale::Column::Id).limit(limit).all(db).await
}

/// A return by id.
pub async fn return_slip<C: ConnectionTrait>(db: &C, id: Uuid) -> Result<Option<ReturnRecord>, DbErr> {
    let Some(slip) = return_slip::Entity::find_by_id(id).one(db).await? else { return Ok(None) };
    Ok(Some(ReturnRecord {
        lines: return_line::Entity::find().filter(return_line::Column::ReturnId.eq(id)).all(db).await?,
        tenders: return_tender::Entity::find().filter(return_tender::Column::ReturnId.eq(id)).all(db).await?,
        dues: due::Entity::find().filter(due::Column::ReturnId.eq(id)).all(db).await?,
        approvals: approval::Entity::find()
            .filter(approval::Column::TicketId.eq(slip.ticket_id))
            .all(db)
            .await?,
        slip,
    }))
}

/// A return that was taken without a line, by id.
pub async fn offline_return<C: ConnectionTrait>(
    db: &C,
    id: Uuid,
) -> Result<Option<offline_return::Model>, DbErr> {
    offline_return::Entity::find_by_id(id).one(db).await
}

/// Returns that were taken without a line, in the order in which they happened: all, or those of a state at `now` (epoch
/// microseconds), past which `waiting` is `unmatched`.
pub async fn offline_returns<C: ConnectionTrait>(
    db: &C,
    state: Option<&str>,
    now: i64,
    after: After<(i64, Uuid)>,
    limit: u64,
) -> Result<Vec<offline_return::Model>, DbErr> {
    use offline_return::Column;
    let mut query = offline_after(after);
    query = match state {
        Some("waiting") => query.filter(Column::State.eq("waiting")).filter(Column::WaitsUntil.gte(now)),
        Some("unmatched") => query.filter(Column::State.eq("waiting")).filter(Column::WaitsUntil.lt(now)),
        Some(state) => query.filter(Column::State.eq(state)),
        None => query,
    };
    query.limit(limit).all(db).await
}

/// Those of a stored state whose sale is there.
pub async fn offline_come<C: ConnectionTrait>(
    db: &C,
    state: &str,
    after: After<(i64, Uuid)>,
    limit: u64,
) -> Result<Vec<offline_return::Model>, DbErr> {
    let there = Expr::cust("EXISTS (SELECT 1 FROM sales WHERE sales.id = offline_returns.sale_id)");
    let query = offline_after(after).filter(offline_return::Column::State.eq(state)).filter(there);
    query.limit(limit).all(db).await
}

fn offline_after(after: After<(i64, Uuid)>) -> Select<offline_return::Entity> {
    use offline_return::Column;
    let mut query = offline_return::Entity::find();
    if let Some((at, id)) = after {
        let same = Condition::all().add(Column::OccurredAt.eq(at)).add(Column::Id.gt(id));
        // The first condition follows from the second; it is the one that an index can begin with.
        query = query.filter(Column::OccurredAt.gte(at));
        query = query.filter(Condition::any().add(Column::OccurredAt.gt(at)).add(same));
    }
    query.order_by_asc(Column::OccurredAt).order_by_asc(Column::Id)
}

/// A hold by id, open or not.
pub async fn hold<C: ConnectionTrait>(db: &C, id: Uuid) -> Result<Option<hold::Model>, DbErr> {
    hold::Entity::find().filter(hold::Column::Id.eq(id)).one(db).await
}

/// A redemption by id.
pub async fn redemption<C: ConnectionTrait>(db: &C, id: Uuid) -> Result<Option<redemption::Model>, DbErr> {
    redemption::Entity::find_by_id(id).one(db).await
}

/// A voucher by number.
pub async fn voucher<C: ConnectionTrait>(db: &C, number: &str) -> Result<Option<voucher::Model>, DbErr> {
    voucher::Entity::find_by_id(number.to_owned()).one(db).await
}

/// A decision by id.
pub async fn decision<C: ConnectionTrait>(db: &C, id: Uuid) -> Result<Option<decision::Model>, DbErr> {
    decision::Entity::find().filter(decision::Column::Id.eq(id)).one(db).await
}

/// What servers had answered to the plugins that a decision asked, by the place of the call.
pub async fn plugin_responses<C: ConnectionTrait>(
    db: &C,
    decision: Uuid,
) -> Result<Vec<plugin_response::Model>, DbErr> {
    let of = plugin_response::Entity::find().filter(plugin_response::Column::DecisionId.eq(decision));
    of.order_by_asc(plugin_response::Column::Seq).all(db).await
}

/// The texts of a rulebook that decided something.
pub async fn rulebook<C: ConnectionTrait>(db: &C, digest: &str) -> Result<Option<rulebook::Model>, DbErr> {
    rulebook::Entity::find_by_id(digest.to_owned()).one(db).await
}

/// A settlement by id.
pub async fn settlement<C: ConnectionTrait>(db: &C, id: Uuid) -> Result<Option<settlement::Model>, DbErr> {
    settlement::Entity::find_by_id(id).one(db).await
}

/// The next members with an account in a ledger, by id.
pub async fn account_holders<C: ConnectionTrait>(
    db: &C,
    ledger: &str,
    after: After<Uuid>,
    limit: u64,
) -> Result<Vec<Uuid>, DbErr> {
    let mut query = account::Entity::find()
        .select_only()
        .column(account::Column::MemberId)
        .filter(account::Column::Ledger.eq(ledger));
    if let Some(after) = after {
        query = query.filter(account::Column::MemberId.gt(after));
    }
    query.order_by_asc(account::Column::MemberId).limit(limit).into_tuple().all(db).await
}

/// How many members have an account in a ledger.
pub async fn count_holders<C: ConnectionTrait>(db: &C, ledger: &str) -> Result<u64, DbErr> {
    account::Entity::find().filter(account::Column::Ledger.eq(ledger)).count(db).await
}

/// Members and ledgers with a lot to begin or to write off on `day`, or a hold whose time is over at `now`.
pub async fn due<C: ConnectionTrait>(
    db: &C,
    day: i32,
    now: i64,
    limit: u64,
) -> Result<Vec<(Uuid, String)>, DbErr> {
    // One query for each index: a condition of both would be answered by reading all lots.
    let lots = || {
        let keys =
            lot::Entity::find().select_only().column(lot::Column::MemberId).column(lot::Column::Ledger);
        keys.distinct().limit(limit)
    };
    let over = lots().filter(Expr::cust(OPEN)).filter(lot::Column::ExpiresOn.lt(day));
    let over = over.filter(Expr::col(lot::Column::Remaining).gt(Expr::col(lot::Column::Held)));
    let begins = lots().filter(Expr::cust(PENDING)).filter(lot::Column::ActivatesOn.lte(day));
    let mut found: Vec<(Uuid, String)> = over.into_tuple().all(db).await?;
    let begins: Vec<(Uuid, String)> = begins.into_tuple().all(db).await?;
    let holds: Vec<(Uuid, String)> = hold::Entity::find()
        .select_only()
        .column(hold::Column::MemberId)
        .column(hold::Column::Ledger)
        .distinct()
        .filter(Expr::cust(OPEN))
        .filter(hold::Column::ExpiresAt.lte(now))
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    found.extend(begins);
    found.extend(holds);
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// By how much the clocks of nodes and database may differ, in microseconds.
const CLOCKS: i64 = 1_000_000;

/// Before when no event is still to come, in epoch microseconds; None: whatever is to come is later than what is there.
/// On PostgreSQL others may have begun earlier and not yet committed: who reads on after what they see would never meet
/// those events. On SQLite one writes after the other.
pub async fn events_until<C: ConnectionTrait>(db: &C) -> Result<Option<i64>, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(None);
    }
    let sql = "SELECT (EXTRACT(EPOCH FROM min(xact_start)) * 1000000)::bigint AS began FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    let began: Option<i64> = row.map(|row| row.try_get("", "began")).transpose()?.flatten();
    Ok(began.map(|began| began.saturating_sub(CLOCKS)))
}

/// Events in the order of recording, those before `until` if given.
pub async fn events<C: ConnectionTrait>(
    db: &C,
    after: After<(i64, Uuid)>,
    until: Option<i64>,
    limit: u64,
) -> Result<Vec<event::Model>, DbErr> {
    let mut query = event::Entity::find();
    if let Some(until) = until {
        query = query.filter(event::Column::RecordedAt.lt(until));
    }
    if let Some((at, id)) = after {
        let same = Condition::all().add(event::Column::RecordedAt.eq(at)).add(event::Column::Id.gt(id));
        // The first condition follows from the second; it is the one that an index can begin with.
        query = query.filter(event::Column::RecordedAt.gte(at));
        query = query.filter(Condition::any().add(event::Column::RecordedAt.gt(at)).add(same));
    }
    query.order_by_asc(event::Column::RecordedAt).order_by_asc(event::Column::Id).limit(limit).all(db).await
}

/// All stores that the rulebooks have or had.
pub async fn stores<C: ConnectionTrait>(db: &C) -> Result<Vec<store::Model>, DbErr> {
    store::Entity::find().order_by_asc(store::Column::Id).all(db).await
}

/// A store's counters.
pub async fn counters<C: ConnectionTrait>(db: &C, store: &str) -> Result<Vec<counter::Model>, DbErr> {
    counter::Entity::find()
        .filter(counter::Column::Store.eq(store))
        .order_by_asc(counter::Column::Code)
        .all(db)
        .await
}
