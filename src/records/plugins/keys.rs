//! The keys that vendors sign their packages with.
use crate::records::database::{Database, errors};
use crate::records::engine::{Store, StoreError};
use crate::records::entity::vendor_key;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

/// A vendor's keys, the revoked ones too.
///
/// # Errors
/// The database's.
pub async fn of<C: ConnectionTrait>(db: &C, vendor: &str) -> Result<Vec<vendor_key::Model>, DbErr> {
    vendor_key::Entity::find()
        .filter(vendor_key::Column::Vendor.eq(vendor))
        .order_by_asc(vendor_key::Column::AddedAt)
        .order_by_asc(vendor_key::Column::KeyId)
        .all(db)
        .await
}

/// Makes these a vendor's keys: those that are not among them any more are revoked. A key that was revoked and comes
/// again is in force again.
///
/// # Errors
/// The database's.
pub async fn replace(
    db: &Database,
    vendor: &str,
    keys: Vec<vendor_key::Model>,
    now: i64,
) -> Result<(), StoreError> {
    use vendor_key::Column;
    let tx = db.begin().await?;
    let on = tx.connection();
    let ids: Vec<String> = keys.iter().map(|k| k.key_id.clone()).collect();
    let gone = vendor_key::Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(Some(now)))
        .filter(Column::Vendor.eq(vendor))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::KeyId.is_not_in(ids));
    gone.exec(on).await.map_err(errors::of)?;
    if !keys.is_empty() {
        let again =
            OnConflict::columns([Column::Vendor, Column::KeyId]).update_column(Column::RevokedAt).to_owned();
        let rows = keys.into_iter().map(IntoActiveModel::into_active_model);
        let put = vendor_key::Entity::insert_many(rows).on_conflict(again);
        put.exec_without_returning(on).await.map_err(errors::of)?;
    }
    tx.finish().await
}
