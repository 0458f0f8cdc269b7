//! Birthdays, told once a year.
use crate::records::database::{Database, errors};
use crate::records::engine::{Clock as _, Store as _, StoreError, SystemClock};
use crate::records::entity::{event, member, person};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::BTreeSet;

/// The next active members, by id, who were born on one of these days; and the last id that was looked at, if there may
/// be more.
///
/// # Errors
/// The database's.
pub async fn born_on<C: ConnectionTrait>(
    db: &C,
    days: &[i32],
    after: Option<Uuid>,
    limit: u64,
) -> Result<(Vec<member::Model>, Option<Uuid>), DbErr> {
    let mut query = person::Entity::find()
        .select_only()
        .column(person::Column::MemberId)
        .filter(person::Column::Birthday.is_in(days.iter().copied()));
    if let Some(after) = after {
        query = query.filter(person::Column::MemberId.gt(after));
    }
    let query = query.order_by_asc(person::Column::MemberId).limit(limit);
    let ids: Vec<Uuid> = query.into_tuple().all(db).await?;
    let last = ids.last().copied().filter(|_| ids.len() as u64 == limit);
    let members = member::Entity::find()
        .filter(member::Column::Id.is_in(ids))
        .filter(member::Column::Status.eq("active"));
    Ok((members.all(db).await?, last))
}

/// Which of these events are not told yet.
///
/// # Errors
/// The database's.
pub async fn untold<C: ConnectionTrait>(
    db: &C,
    mut events: Vec<event::Model>,
) -> Result<Vec<event::Model>, DbErr> {
    let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
    let query = event::Entity::find().select_only().column(event::Column::Id);
    let told: Vec<Uuid> = query.filter(event::Column::Id.is_in(ids)).into_tuple().all(db).await?;
    let told: BTreeSet<Uuid> = told.into_iter().collect();
    events.retain(|event| !told.contains(&event.id));
    Ok(events)
}

/// Tells events that nothing else is recorded with; those that were told already stay as they are.
///
/// # Errors
/// The database's.
pub async fn tell(db: &Database, events: Vec<event::Model>) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let known = OnConflict::column(event::Column::Id).do_nothing().to_owned();
    let tx = db.begin().await?;
    // Dated when nobody can write before: readers of events go on from the last they saw.
    let now = SystemClock.now();
    let rows = events.into_iter().map(|e| event::Model { recorded_at: now, ..e }.into_active_model());
    let insert = event::Entity::insert_many(rows).on_conflict(known);
    insert.exec_without_returning(tx.connection()).await.map_err(errors::of)?;
    tx.finish().await
}
