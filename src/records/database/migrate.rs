//! Brings a database to this program's schema.
use super::{Database, errors};
use crate::records::engine::{Store, StoreError};
use crate::records::migration::Migrator;
use sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::MigratorTrait;

/// Nodes that start together migrate one after the other; the number is this program's alone.
const LOCK: i64 = 0x7a68_616e_6767_7569;

/// Applies what is missing of the schema, in one transaction: all of it or nothing. Two programs may do so at the same
/// time: the second waits for the first, on SQLite by the write lock, on PostgreSQL by an advisory lock that the
/// transaction holds (so it is on one session, and gone when that ends).
///
/// # Errors
/// [`StoreError::Conflict`] if the lock did not come in time, [`StoreError::Failed`] if a statement fails.
pub async fn migrate(database: &Database) -> Result<(), StoreError> {
    let tx = database.begin().await?.tx;
    if database.backend() == DbBackend::Postgres {
        let lock = format!(
            "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({LOCK})"
        );
        tx.execute_unprepared(&lock).await.map_err(errors::of)?;
    }
    Migrator::up(&tx, None).await.map_err(errors::of)?;
    tx.commit().await.map_err(errors::of)
}
