//! Writes what a batch changed: an insert and an update per table.
//!
//! The statements are raw SQL with the entities' names, in a form per database ([`arrays`], [`values`]), because
//! `insert_many` makes a text of its own for each number of rows: a batch of 64 clients then spends more time in the
//! parsers and planners of the database than in its tables.
mod arrays;
mod values;

use super::errors;
use crate::records::engine::StoreError;
use crate::records::entity::*;
use crate::records::unit::Unit;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn,
    Statement, Value,
};

/// Writes all changes of the unit, owners before what they own.
pub(super) async fn write(
    tx: &DatabaseTransaction,
    backend: DbBackend,
    unit: &Unit,
) -> Result<(), StoreError> {
    macro_rules! put {
        ($field:ident, $entity:ident) => {
            let (new, changed) = unit.t.$field.changes();
            rows::<$entity::Entity>(tx, backend, &new, false).await?;
            rows::<$entity::Entity>(tx, backend, &changed, true).await?;
        };
    }
    // Entries before their movements: see the schema's guards.
    put!(entries, entry);
    macro_rules! put_rest {
        (entries, entry) => {};
        ($field:ident, $entity:ident) => {
            put!($field, $entity);
        };
    }
    each_table!(put_rest);
    Ok(())
}

/// Inserts rows, or puts them in place of those with their keys.
async fn rows<E: EntityTrait>(
    tx: &DatabaseTransaction,
    backend: DbBackend,
    rows: &[&E::Model],
    replace: bool,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    if backend == DbBackend::Sqlite {
        return values::put::<E>(tx, rows, replace).await;
    }
    arrays::put::<E>(tx, rows, replace).await
}

/// How many rows it wrote.
async fn execute(
    tx: &DatabaseTransaction,
    backend: DbBackend,
    sql: String,
    values: Vec<Value>,
) -> Result<u64, StoreError> {
    let statement = Statement::from_sql_and_values(backend, sql, values);
    tx.execute_raw(statement).await.map(|done| done.rows_affected()).map_err(errors::of)
}

/// `"table" ("column", …)`.
fn target<E: EntityTrait>() -> String {
    let columns: Vec<String> = E::Column::iter().map(|c| quoted(c.as_str())).collect();
    format!("{} ({})", quoted(E::default().table_name()), columns.join(", "))
}

/// ` ON CONFLICT (key) DO UPDATE SET …` for all columns but the key.
fn on_conflict<E: EntityTrait>() -> String {
    let keys: Vec<E::Column> = E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column).collect();
    let keys: Vec<String> = keys.iter().map(|key| quoted(key.as_str())).collect();
    let others = E::Column::iter().filter(|column| E::PrimaryKey::from_column(*column).is_none());
    let set = |column: E::Column| {
        let name = quoted(column.as_str());
        format!("{name} = excluded.{name}")
    };
    let set: Vec<String> = others.map(set).collect();
    format!(" ON CONFLICT ({}) DO UPDATE SET {}", keys.join(", "), set.join(", "))
}

/// Names of tables and columns are this program's own; none has a quote in it.
fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}
