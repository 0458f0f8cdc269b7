//! What plugins had no answer for: a row for the calls of one minute that failed alike, whichever node they failed on.
use crate::records::database::{Database, errors};
use crate::records::engine::{Store, StoreError};
use crate::records::entity::plugin_failure;
use crate::records::ids;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

/// Rows that are kept of a plugin: the last ones.
pub const KEPT: u64 = 10_000;
/// Microseconds whose failures share a row.
pub const TOGETHER: i64 = 60_000_000;
/// Rows that are written with one statement.
const AT_ONCE: usize = 200;

/// The row of these failures in the minute of `at` (epoch microseconds): the same on all nodes.
pub fn id(at: i64, of: [&str; 6]) -> Uuid {
    let minute = at.div_euclid(TOGETHER).saturating_mul(TOGETHER);
    let [plugin, version, digest, function, store, code] = of;
    let named = ["plugin failure", &minute.to_string(), plugin, version, digest, function, store, code];
    ids::timed(minute, &named)
}

/// Keeps failures; those whose row is there are added to it.
///
/// # Errors
/// The database's; then none of them is kept.
pub async fn keep(db: &Database, mut rows: Vec<plugin_failure::Model>) -> Result<(), StoreError> {
    use plugin_failure::Column;
    // In one order on all nodes, so that none waits for another that waits for it.
    rows.sort_unstable_by_key(|row| row.id);
    let tx = db.begin().await?;
    for some in rows.chunks(AT_ONCE) {
        let added = Expr::col((plugin_failure::Entity, Column::Calls)).add(Expr::cust("excluded.calls"));
        let more = OnConflict::column(Column::Id)
            .update_columns([Column::Text, Column::Key, Column::Operation, Column::LastAt])
            .value(Column::Calls, added)
            .to_owned();
        let some = some.iter().cloned().map(IntoActiveModel::into_active_model);
        let insert = plugin_failure::Entity::insert_many(some).on_conflict(more);
        insert.exec_without_returning(tx.connection()).await.map_err(errors::of)?;
    }
    tx.finish().await
}

/// The failures of a plugin, the newest first; `before` is the last row of the page before.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(
    db: &C,
    plugin: &str,
    before: Option<Uuid>,
    limit: u64,
) -> Result<Vec<plugin_failure::Model>, DbErr> {
    use plugin_failure::Column;
    let mut query = plugin_failure::Entity::find().filter(Column::Plugin.eq(plugin));
    if let Some(before) = before {
        query = query.filter(Column::Id.lt(before));
    }
    query.order_by_desc(Column::Id).limit(limit).all(db).await
}

/// Drops what failed last before a moment (epoch microseconds), and of each plugin what comes before its last [`KEPT`].
///
/// # Errors
/// The database's.
pub async fn sweep(db: &Database, before: i64) -> Result<(), StoreError> {
    use plugin_failure::{Column, Entity};
    let on = db.writer();
    Entity::delete_many().filter(Column::LastAt.lt(before)).exec(on).await.map_err(errors::of)?;
    let plugins = Entity::find().select_only().column(Column::Plugin).distinct();
    let plugins: Vec<String> = plugins.into_tuple().all(on).await.map_err(errors::of)?;
    for plugin in plugins {
        let first = Entity::find().select_only().column(Column::Id).filter(Column::Plugin.eq(&plugin));
        let first = first.order_by_desc(Column::Id).offset(KEPT).limit(1);
        let first: Option<Uuid> = first.into_tuple().one(on).await.map_err(errors::of)?;
        if let Some(first) = first {
            let beyond =
                Entity::delete_many().filter(Column::Plugin.eq(plugin)).filter(Column::Id.lte(first));
            beyond.exec(on).await.map_err(errors::of)?;
        }
    }
    Ok(())
}
