//! Events on their way out: one delivery for each event and plugin that takes its kind.
//!
//! Invariants: at least once. A delivery is made when its event is seen, in one transaction with the cursor; a node leases
//! it before it calls the plugin, and if it does not say what came of it before the lease ends, another may take it. Events
//! of two nodes may be committed a little out of the order of their times: a cursor looks back.
use crate::records::database::{Database, errors};
use crate::records::engine::{Store, StoreError};
use crate::records::entity::{delivery, event, plugin_cursor, plugin_state};
use crate::records::ids;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, ExprTrait, LockType, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait,
    IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::BTreeSet;

/// Events that are looked at in one transaction.
const PAGE: u64 = 500;

/// Whose events are looked for.
#[derive(Clone, Debug)]
pub struct Taker {
    pub plugin: String,
    /// Kinds of events.
    pub kinds: Vec<String>,
    /// Epoch microseconds: events before it are not for the plugin.
    pub since: i64,
}

/// Where a walk through the events stands.
pub type Place = (i64, Uuid);

/// The next page of events after `from`, of these kinds.
async fn page<C: ConnectionTrait>(
    db: &C,
    kinds: &[String],
    (at, id): Place,
) -> Result<Vec<event::Model>, DbErr> {
    use event::Column;
    let same = Condition::all().add(Column::RecordedAt.eq(at)).add(Column::Id.gt(id));
    event::Entity::find()
        .filter(Column::RecordedAt.gte(at))
        .filter(Condition::any().add(Column::RecordedAt.gt(at)).add(same))
        .filter(Column::Kind.is_in(kinds))
        .order_by_asc(Column::RecordedAt)
        .order_by_asc(Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// Makes the deliveries for the next events; `mine` says whether the plugin takes an event. `back` looks again at
/// events that were recorded so many microseconds before the cursor. Where the last of the events stands: at most a page was looked at; none: there was no further event.
///
/// # Errors
/// The database's.
pub async fn gather(
    db: &Database,
    taker: &Taker,
    from: Option<Place>,
    mine: impl Fn(&event::Model) -> bool,
    now: i64,
) -> Result<Option<Place>, StoreError> {
    use plugin_cursor::Column;
    // Looked at without the right to write: mostly there is nothing new.
    let on = db.reader();
    let found = plugin_cursor::Entity::find_by_id(taker.plugin.clone()).one(on).await.map_err(errors::of)?;
    let cursor = found.filter(|cursor| cursor.since == taker.since);
    let begin = (taker.since, Uuid::nil());
    let place = cursor.as_ref().map_or(begin, |c| (c.seen_at, c.seen_id));
    let start = from.unwrap_or(place).max(begin);
    let events = page(on, &taker.kinds, start).await.map_err(errors::of)?;
    let last = events.last().map(|e| (e.recorded_at, e.id));
    let rows = events.into_iter().filter(|event| mine(event)).map(|event| made(&taker.plugin, event, now));
    let rows = unknown(on, rows.collect()).await.map_err(errors::of)?;
    let seen = last.unwrap_or(start).max(place);
    if rows.is_empty() && cursor.is_some() && seen == place {
        return Ok(last);
    }
    let tx = db.begin().await?;
    let on = tx.connection();
    // An operator may have taken the plugin out meanwhile; then what happens is not its own any more.
    let mut stands = plugin_state::Entity::find_by_id(taker.plugin.clone());
    if db.backend() == DbBackend::Postgres {
        stands = stands.lock(LockType::Share);
    }
    let stands = stands.one(on).await.map_err(errors::of)?;
    if stands.is_none_or(|state| state.rolled_out_at != Some(taker.since)) {
        return Ok(None);
    }
    if !rows.is_empty() {
        // Another node may have been faster.
        let known = OnConflict::columns([delivery::Column::EventId, delivery::Column::Plugin])
            .do_nothing()
            .to_owned();
        let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
        let insert = delivery::Entity::insert_many(rows).on_conflict(known);
        insert.exec_without_returning(on).await.map_err(errors::of)?;
    }
    let (seen_at, seen_id) = seen;
    let row = plugin_cursor::Model { plugin: taker.plugin.clone(), since: taker.since, seen_at, seen_id };
    let ahead = OnConflict::column(Column::Plugin)
        .update_columns([Column::Since, Column::SeenAt, Column::SeenId])
        .to_owned();
    let put = plugin_cursor::Entity::insert(row.into_active_model()).on_conflict(ahead);
    put.exec_without_returning(on).await.map_err(errors::of)?;
    tx.finish().await?;
    Ok(last)
}

/// The deliveries that are not there yet.
async fn unknown<C: ConnectionTrait>(
    db: &C,
    mut rows: Vec<delivery::Model>,
) -> Result<Vec<delivery::Model>, DbErr> {
    if rows.is_empty() {
        return Ok(rows);
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let query = delivery::Entity::find().select_only().column(delivery::Column::Id);
    let known: Vec<Uuid> = query.filter(delivery::Column::Id.is_in(ids)).into_tuple().all(db).await?;
    let known: BTreeSet<Uuid> = known.into_iter().collect();
    rows.retain(|row| !known.contains(&row.id));
    Ok(rows)
}

/// Where a plugin's cursor stands.
///
/// # Errors
/// The database's.
pub async fn cursor<C: ConnectionTrait>(db: &C, plugin: &str) -> Result<Option<i64>, DbErr> {
    Ok(plugin_cursor::Entity::find_by_id(plugin.to_owned()).one(db).await?.map(|c| c.seen_at))
}

fn made(plugin: &str, event: event::Model, now: i64) -> delivery::Model {
    delivery::Model {
        id: ids::named(&["delivery", &event.id.to_string(), plugin]),
        plugin: plugin.to_owned(),
        event_id: event.id,
        kind: event.kind,
        store: event.store,
        state: "pending".into(),
        attempts: 0,
        next_at: now,
        leased_until: None,
        failure: None,
        log: None,
        version: None,
        created_at: now,
        done_at: None,
    }
}

// The condition of the partial index, as a literal.
const PENDING: &str = "state = 'pending'";

fn free(now: i64) -> Condition {
    Condition::any().add(delivery::Column::LeasedUntil.is_null()).add(delivery::Column::LeasedUntil.lte(now))
}

/// Takes deliveries of a plugin that are due, until `until`: each is counted as an attempt, and no other node has it.
///
/// # Errors
/// The database's.
pub async fn lease(
    db: &Database,
    plugin: &str,
    now: i64,
    until: i64,
    most: u64,
) -> Result<Vec<(delivery::Model, event::Model)>, StoreError> {
    use delivery::Column;
    let due = delivery::Entity::find()
        .filter(Expr::cust(PENDING))
        .filter(Column::Plugin.eq(plugin))
        .filter(Column::NextAt.lte(now))
        .filter(free(now))
        .order_by_asc(Column::NextAt)
        .limit(most);
    let mut taken = Vec::new();
    for mut row in due.all(db.reader()).await.map_err(errors::of)? {
        let take = delivery::Entity::update_many()
            .col_expr(Column::LeasedUntil, Expr::value(Some(until)))
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
            .filter(Column::Id.eq(row.id))
            .filter(Expr::cust(PENDING))
            .filter(Column::NextAt.lte(now))
            .filter(free(now));
        if take.exec(db.writer()).await.map_err(errors::of)?.rows_affected != 1 {
            continue;
        }
        let event = event::Entity::find_by_id(row.event_id).one(db.reader()).await.map_err(errors::of)?;
        row.attempts += 1;
        row.leased_until = Some(until);
        if let Some(event) = event {
            taken.push((row, event));
        }
    }
    Ok(taken)
}

/// Who was asked at an attempt, and what it logged.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    pub version: Option<String>,
    /// JSON: its lines.
    pub log: Option<String>,
}

/// What came of an attempt.
#[derive(Clone, Debug)]
pub enum Came {
    Delivered,
    /// Not before this moment again; JSON: why.
    Again(i64, String),
    /// As [`Came::Again`], and it does not count as an attempt.
    Postponed(i64, String),
    /// JSON: why.
    Dead(String),
}

/// Says what came of an attempt, and ends its lease; nothing, if the lease was lost and another node had its say.
///
/// # Errors
/// The database's.
pub async fn note(
    db: &Database,
    leased: &delivery::Model,
    came: Came,
    trace: Trace,
    now: i64,
) -> Result<(), StoreError> {
    use delivery::Column;
    let attempts = leased.attempts;
    let (state, next_at, failure, done_at, counted) = match came {
        Came::Delivered => ("delivered", leased.next_at, None, Some(now), attempts),
        Came::Again(at, why) => ("pending", at, Some(why), None, attempts),
        Came::Postponed(at, why) => ("pending", at, Some(why), None, attempts - 1),
        Came::Dead(why) => ("dead", leased.next_at, Some(why), Some(now), attempts),
    };
    let note = delivery::Entity::update_many()
        .col_expr(Column::State, Expr::value(state))
        .col_expr(Column::NextAt, Expr::value(next_at))
        .col_expr(Column::Attempts, Expr::value(counted))
        .col_expr(Column::Failure, Expr::value(failure))
        .col_expr(Column::DoneAt, Expr::value(done_at))
        .col_expr(Column::Version, Expr::value(trace.version))
        .col_expr(Column::Log, Expr::value(trace.log))
        .col_expr(Column::LeasedUntil, Expr::value(Option::<i64>::None))
        .filter(Column::Id.eq(leased.id))
        .filter(Expr::cust(PENDING))
        .filter(Column::LeasedUntil.eq(leased.leased_until));
    note.exec(db.writer()).await.map(drop).map_err(errors::of)
}

/// A delivery by id.
///
/// # Errors
/// The database's.
pub async fn by_id<C: ConnectionTrait>(db: &C, id: Uuid) -> Result<Option<delivery::Model>, DbErr> {
    delivery::Entity::find_by_id(id).one(db).await
}

/// Deliveries in a state, or all, the newest first.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(
    db: &C,
    state: Option<&str>,
    plugin: Option<&str>,
    before: Option<Place>,
    limit: u64,
) -> Result<Vec<delivery::Model>, DbErr> {
    use delivery::Column;
    let mut query = delivery::Entity::find();
    if let Some(state) = state {
        query = query.filter(Column::State.eq(state));
    }
    if let Some(plugin) = plugin {
        query = query.filter(Column::Plugin.eq(plugin));
    }
    if let Some((at, id)) = before {
        let same = Condition::all().add(Column::CreatedAt.eq(at)).add(Column::Id.lt(id));
        query = query.filter(Condition::any().add(Column::CreatedAt.lt(at)).add(same));
    }
    query.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(limit).all(db).await
}

/// Cancels what is to be delivered through a plugin: it was removed.
///
/// # Errors
/// The database's.
pub async fn cancel<C: ConnectionTrait>(db: &C, plugin: &str, now: i64) -> Result<(), DbErr> {
    use delivery::Column;
    let cancel = delivery::Entity::update_many()
        .col_expr(Column::State, Expr::value("cancelled"))
        .col_expr(Column::DoneAt, Expr::value(Some(now)))
        .col_expr(Column::LeasedUntil, Expr::value(Option::<i64>::None))
        .filter(Expr::cust(PENDING))
        .filter(Column::Plugin.eq(plugin));
    cancel.exec(db).await.map(drop)
}

/// Begins anew with a delivery that was given up or cancelled, with all its attempts before it; whether it was one.
///
/// # Errors
/// The database's.
pub async fn retry(db: &Database, id: Uuid, now: i64) -> Result<bool, StoreError> {
    let tx = db.begin().await?;
    let on = tx.connection();
    let found = delivery::Entity::find_by_id(id).one(on).await.map_err(errors::of)?;
    let Some(mut row) = found.filter(|row| row.state == "dead" || row.state == "cancelled") else {
        return Ok(false);
    };
    (row.state, row.attempts, row.next_at) = ("pending".into(), 0, now);
    (row.leased_until, row.done_at) = (None, None);
    row.into_active_model().reset_all().update(on).await.map_err(errors::of)?;
    tx.finish().await.map(|()| true)
}
