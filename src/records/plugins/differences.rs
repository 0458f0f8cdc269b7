//! What versions in shadow would have answered otherwise.
use crate::records::database::{Database, errors};
use crate::records::engine::StoreError;
use crate::records::entity::plugin_difference;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

/// Differences that are kept of a plugin: the last ones.
pub const KEPT: u64 = 200;

/// Keeps a difference, and drops those before the last [`KEPT`].
///
/// # Errors
/// The database's.
pub async fn keep(db: &Database, row: plugin_difference::Model) -> Result<(), StoreError> {
    use plugin_difference::Column;
    let (on, plugin) = (db.writer(), row.plugin.clone());
    let insert = plugin_difference::Entity::insert(row.into_active_model());
    insert.exec_without_returning(on).await.map_err(errors::of)?;
    let oldest = plugin_difference::Entity::find()
        .select_only()
        .column(Column::At)
        .filter(Column::Plugin.eq(plugin.as_str()))
        .order_by_desc(Column::At)
        .offset(KEPT)
        .limit(1);
    let oldest: Option<i64> = oldest.into_tuple().one(on).await.map_err(errors::of)?;
    if let Some(at) = oldest {
        let old = plugin_difference::Entity::delete_many().filter(Column::Plugin.eq(plugin));
        old.filter(Column::At.lte(at)).exec(on).await.map_err(errors::of)?;
    }
    Ok(())
}

/// The last differences of a plugin, the newest first.
///
/// # Errors
/// The database's.
pub async fn last<C: ConnectionTrait>(
    db: &C,
    plugin: &str,
    limit: u64,
) -> Result<Vec<plugin_difference::Model>, DbErr> {
    plugin_difference::Entity::find()
        .filter(plugin_difference::Column::Plugin.eq(plugin))
        .order_by_desc(plugin_difference::Column::At)
        .limit(limit)
        .all(db)
        .await
}
