//! Rows for PostgreSQL: one statement per table, an array per column, however many rows there are.
//!
//! One statement, since the schema looks at a movement's entries together. The driver's arrays hold no NULL: where a
//! column has one, a second array says which values are there.
use super::{execute, quoted, target};
use crate::records::engine::StoreError;
use sea_orm::sea_query::{ArrayType, ColumnType};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbBackend, EntityTrait, IdenStatic, Iterable, ModelTrait,
    PrimaryKeyToColumn, Value,
};

/// Inserts rows, or changes those that have their keys.
///
/// # Errors
/// [`StoreError::Conflict`] if a row to be changed is not there any more.
pub(super) async fn put<E: EntityTrait>(
    tx: &DatabaseTransaction,
    rows: &[&E::Model],
    replace: bool,
) -> Result<(), StoreError> {
    let mut arrays = Arrays::default();
    let mut taken = Vec::new();
    for column in E::Column::iter() {
        let mut values: Vec<Value> = rows.iter().map(|row| row.get(column)).collect();
        let there: Vec<bool> = values.iter().map(|value| *value != value.as_null()).collect();
        let whole = there.iter().all(|there| *there);
        for (value, there) in values.iter_mut().zip(&there) {
            if !there {
                *value = value.dummy_value();
            }
        }
        let name = arrays.add(type_of(&column), E::Model::get_value_type(column), values);
        taken.push(if whole {
            name
        } else {
            let there = there.into_iter().map(Value::from).collect();
            format!("CASE WHEN {} THEN {name} END", arrays.add("BOOLEAN", ArrayType::Bool, there))
        });
    }
    let Arrays { casts, names, values } = arrays;
    let from = format!("UNNEST({}) AS {} ({})", casts.join(", "), quoted("new"), names.join(", "));
    let sql = if replace {
        update::<E>(&taken, &from)
    } else {
        format!("INSERT INTO {} SELECT {} FROM {from}", target::<E>(), taken.join(", "))
    };
    let done = execute(tx, DbBackend::Postgres, sql, values).await?;
    if done == rows.len() as u64 {
        Ok(())
    } else {
        Err(StoreError::Conflict(format!("{done} of {} rows were there to be changed", rows.len())))
    }
}

/// An upsert would look each row up twice, and lock it before it changes it: half as much again.
fn update<E: EntityTrait>(taken: &[String], from: &str) -> String {
    let (mut set, mut keys) = (Vec::new(), Vec::new());
    for (column, new) in E::Column::iter().zip(taken) {
        let name = quoted(column.as_str());
        if E::PrimaryKey::from_column(column).is_some() {
            keys.push(format!("{}.{name} = {new}", quoted("old")));
        } else {
            set.push(format!("{name} = {new}"));
        }
    }
    let table = quoted(E::default().table_name());
    let (set, keys) = (set.join(", "), keys.join(" AND "));
    format!("UPDATE {table} AS {} SET {set} FROM {from} WHERE {keys}", quoted("old"))
}

/// What UNNEST is given, and what its columns are called.
#[derive(Default)]
struct Arrays {
    casts: Vec<String>,
    names: Vec<String>,
    values: Vec<Value>,
}

impl Arrays {
    fn add(&mut self, cast: &str, kind: ArrayType, values: Vec<Value>) -> String {
        let nth = self.values.len() + 1;
        let name = format!("c{nth}");
        self.casts.push(format!("${nth}::{cast}[]"));
        self.names.push(name.clone());
        self.values.push(Value::Array(kind, Some(Box::new(values))));
        name
    }
}

/// A column's type in PostgreSQL.
fn type_of<C: ColumnTrait>(column: &C) -> &'static str {
    match column.def().get_column_type() {
        ColumnType::Uuid => "UUID",
        ColumnType::Integer => "INTEGER",
        ColumnType::BigInteger => "BIGINT",
        ColumnType::Boolean => "BOOLEAN",
        _ => "TEXT",
    }
}
