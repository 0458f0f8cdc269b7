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
use crate::records::shelf::{Row, Shelf};
use crate::records::unit::Unit;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn,
    Statement, Value,
};
use std::iter::once_with;

/// Writes all changes of the unit but decisions and their chains, owners before what they own.
pub(super) async fn rows(
    tx: &DatabaseTransaction,
    backend: DbBackend,
    unit: &Unit,
) -> Result<(), StoreError> {
    run(tx, backend, statements(backend, unit)).await
}

/// Writes decisions and the heads of their chains.
pub(super) async fn chains(
    tx: &DatabaseTransaction,
    backend: DbBackend,
    unit: &Unit,
) -> Result<(), StoreError> {
    let decisions = table::<decision::Entity>(backend, &unit.t.decisions);
    let chains = table::<chain::Entity>(backend, &unit.t.chains);
    run(tx, backend, Box::new(decisions.chain(chains))).await
}

async fn run(
    tx: &DatabaseTransaction,
    backend: DbBackend,
    mut statements: Statements<'_>,
) -> Result<(), StoreError> {
    let mut next = statements.next();
    while let Some(now) = next {
        // While the database is at work on one statement, the next one is made.
        let (done, after) = tokio::join!(biased; execute(tx, backend, now), async { statements.next() });
        done?;
        next = after;
    }
    Ok(())
}

/// Statements, each made when it is asked for.
type Statements<'a> = Box<dyn Iterator<Item = Written> + Send + 'a>;

/// A statement that writes rows.
struct Written {
    sql: String,
    values: Vec<Value>,
    /// How many rows it has to write; None where it cannot be fewer than it has.
    rows: Option<usize>,
}

fn statements<'a>(backend: DbBackend, unit: &'a Unit) -> Statements<'a> {
    let mut all: Vec<Box<dyn FnOnce() -> Statements<'a> + Send + 'a>> = Vec::new();
    macro_rules! put {
        ($field:ident, $entity:ident) => {
            all.push(Box::new(move || table::<$entity::Entity>(backend, &unit.t.$field)));
        };
    }
    // Entries before their movements: see the schema's guards.
    put!(entries, entry);
    macro_rules! put_rest {
        (entries, entry) => {};
        (decisions, decision) => {};
        (chains, chain) => {};
        ($field:ident, $entity:ident) => {
            put!($field, $entity);
        };
    }
    each_table!(put_rest);
    Box::new(all.into_iter().flat_map(|table| table()))
}

/// Inserts the new rows of a table, and then changes those that were there.
fn table<E>(backend: DbBackend, shelf: &Shelf<E::Model>) -> Statements<'_>
where
    E: EntityTrait,
    E::Model: Row<Key: Sync> + Sync,
{
    let (new, changed) = shelf.changes();
    if backend == DbBackend::Sqlite {
        return Box::new(values::put::<E>(new, false).chain(values::put::<E>(changed, true)));
    }
    let insert = once_with(move || arrays::insert::<E>(&new));
    let update = once_with(move || arrays::update::<E>(shelf, &changed));
    Box::new(insert.chain(update).flatten())
}

async fn execute(tx: &DatabaseTransaction, backend: DbBackend, now: Written) -> Result<(), StoreError> {
    let statement = Statement::from_sql_and_values(backend, now.sql, now.values);
    let done = tx.execute_raw(statement).await.map_err(errors::of)?.rows_affected();
    match now.rows {
        Some(rows) if done != rows as u64 => {
            Err(StoreError::Conflict(format!("{done} of {rows} rows were there to be changed")))
        }
        _ => Ok(()),
    }
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
