//! Plugins' own entries: all of a call's writes or none, within the quota.
use crate::records::database::{Database, errors};
use crate::records::engine::{Store, StoreError};
use crate::records::entity::{plugin_entry, plugin_state};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};

/// What a call does to an entry: a value with the moment of its end (epoch microseconds), or none.
#[derive(Clone, Debug)]
pub struct Write {
    pub key: String,
    pub value: Option<(Vec<u8>, Option<i64>)>,
}

/// Entries that are not over.
fn live(now: i64) -> Condition {
    Condition::any()
        .add(plugin_entry::Column::ExpiresAt.is_null())
        .add(plugin_entry::Column::ExpiresAt.gt(now))
}

/// The value of an entry.
///
/// # Errors
/// The database's.
pub async fn get<C: ConnectionTrait>(
    db: &C,
    plugin: &str,
    key: &str,
    now: i64,
) -> Result<Option<Vec<u8>>, DbErr> {
    let query = plugin_entry::Entity::find_by_id((plugin.to_owned(), key.to_owned()));
    Ok(query.filter(live(now)).one(db).await?.map(|row| row.value))
}

/// Bytes of the keys and values that a plugin keeps.
///
/// # Errors
/// The database's.
pub async fn used<C: ConnectionTrait>(db: &C, plugin: &str, now: i64) -> Result<u64, DbErr> {
    let sizes = plugin_entry::Entity::find()
        .select_only()
        // PostgreSQL sums BIGINT as NUMERIC.
        .column_as(Expr::col(plugin_entry::Column::Size).sum().cast_as("BIGINT"), "used")
        .filter(plugin_entry::Column::Plugin.eq(plugin))
        .filter(live(now));
    let sum: Option<Option<i64>> = sizes.into_tuple().one(db).await?;
    Ok(sum.flatten().and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
}

/// Writes all of these, or none if the plugin then keeps more than `quota` bytes: then how many it would keep. `commit`
/// is asked last, and none are written if it says no.
///
/// # Errors
/// The database's.
pub async fn apply(
    db: &Database,
    plugin: &str,
    writes: Vec<Write>,
    quota: u64,
    now: i64,
    commit: impl FnOnce() -> bool,
) -> Result<Result<(), u64>, StoreError> {
    let tx = db.begin().await?;
    let on = tx.connection();
    if db.backend() == DbBackend::Postgres {
        // Two calls at once would each see the room that they take together.
        let one = plugin_state::Entity::find_by_id(plugin.to_owned()).lock(LockType::NoKeyUpdate);
        one.one(on).await.map_err(errors::of)?;
    }
    for write in writes {
        one(on, plugin, write).await.map_err(errors::of)?;
    }
    let used = used(on, plugin, now).await.map_err(errors::of)?;
    if used > quota {
        return Ok(Err(used));
    }
    if !commit() {
        return Err(StoreError::Refused("nobody waits for it any more".into()));
    }
    tx.finish().await.map(Ok)
}

async fn one<C: ConnectionTrait>(on: &C, plugin: &str, write: Write) -> Result<(), DbErr> {
    use plugin_entry::Column;
    let Some((value, expires_at)) = write.value else {
        return plugin_entry::Entity::delete_by_id((plugin.to_owned(), write.key)).exec(on).await.map(drop);
    };
    let size = i64::try_from(write.key.len() + value.len()).unwrap_or(i64::MAX);
    let row = plugin_entry::Model { plugin: plugin.to_owned(), key: write.key, value, size, expires_at };
    let again = OnConflict::columns([Column::Plugin, Column::Key])
        .update_columns([Column::Value, Column::Size, Column::ExpiresAt])
        .to_owned();
    let insert = plugin_entry::Entity::insert(row.into_active_model()).on_conflict(again);
    insert.exec_without_returning(on).await.map(drop)
}

/// Drops entries that are over.
///
/// # Errors
/// The database's.
pub async fn sweep(db: &Database, now: i64) -> Result<(), StoreError> {
    let over = plugin_entry::Entity::delete_many().filter(plugin_entry::Column::ExpiresAt.lte(now));
    over.exec(db.writer()).await.map(drop).map_err(errors::of)
}
