//! Rows for PostgreSQL: one statement per table, an array per column, however many rows there are.
//!
//! One statement, since the schema looks at a movement's entries together. The driver's arrays hold no NULL: where a
//! column has one, a second array says which values are there. Of what is the same in many rows, and most of what a
//! year's end writes is, one value is sent.
use super::{Written, quoted, target};
use crate::records::shelf::{Row, Shelf};
use sea_orm::sea_query::{ArrayType, ColumnType};
use sea_orm::{ColumnTrait, EntityTrait, IdenStatic, Iterable, ModelTrait, PrimaryKeyToColumn, Value};

/// Fewer rows than these have an array for each column: what happens to be the same in a few would make a statement of
/// its own nearly each time.
const MANY: usize = 32;

/// Inserts rows.
pub(super) fn insert<E: EntityTrait>(rows: &[&E::Model]) -> Option<Written> {
    if rows.is_empty() {
        return None;
    }
    let mut sent = Sent::default();
    let taken: Vec<String> =
        E::Column::iter().map(|column| sent.column::<E>(column, values::<E>(rows, column))).collect();
    let sql = format!("INSERT INTO {} SELECT {} FROM {}", target::<E>(), taken.join(", "), sent.from());
    Some(Written { sql, values: sent.values, rows: Some(rows.len()) })
}

/// Changes rows, in the columns in which any of them differs from the database. An upsert would look each row up twice,
/// and lock it before it changes it: half as much again.
pub(super) fn update<E>(shelf: &Shelf<E::Model>, rows: &[&E::Model]) -> Option<Written>
where
    E: EntityTrait,
    E::Model: Row,
{
    let bases: Vec<Option<&E::Model>> = rows.iter().map(|row| shelf.base(&row.key())).collect();
    let (mut set, mut keys, mut sent) = (Vec::new(), Vec::new(), Sent::default());
    for column in E::Column::iter() {
        let (name, values) = (quoted(column.as_str()), values::<E>(rows, column));
        if E::PrimaryKey::from_column(column).is_some() {
            // Also where they have a part in common: else an index that begins with it would be read from end to end.
            let key = sent.array(type_of(&column), E::Model::get_value_type(column), values);
            keys.push(format!("{}.{name} = {key}", quoted("old")));
        } else if values
            .iter()
            .zip(&bases)
            .any(|(new, base)| base.map(|row| row.get(column)).as_ref() != Some(new))
        {
            set.push(format!("{name} = {}", sent.column::<E>(column, values)));
        }
    }
    if set.is_empty() {
        return None;
    }
    let (table, old) = (quoted(E::default().table_name()), quoted("old"));
    let (set, keys) = (set.join(", "), keys.join(" AND "));
    let sql = format!("UPDATE {table} AS {old} SET {set} FROM {} WHERE {keys}", sent.from());
    Some(Written { sql, values: sent.values, rows: Some(rows.len()) })
}

fn values<E: EntityTrait>(rows: &[&E::Model], column: E::Column) -> Vec<Value> {
    rows.iter().map(|row| row.get(column)).collect()
}

/// What a statement is given, what UNNEST makes of it, and what its columns are called.
#[derive(Default)]
struct Sent {
    casts: Vec<String>,
    names: Vec<String>,
    values: Vec<Value>,
}

impl Sent {
    /// Adds a column's values; returns what stands for a row's.
    fn column<E: EntityTrait>(&mut self, column: E::Column, mut values: Vec<Value>) -> String {
        let Some(first) = values.first() else { return "NULL".to_owned() };
        let (kind, null) = (type_of(&column), first.as_null());
        if values.len() >= MANY && values.iter().all(|value| value == first) {
            self.values.extend(values.into_iter().next());
            return format!("${}::{kind}", self.values.len());
        }
        let array = E::Model::get_value_type(column);
        if values.iter().all(|value| *value != null) {
            return self.array(kind, array, values);
        }
        let mut there = Vec::with_capacity(values.len());
        for value in &mut values {
            there.push(Value::from(*value != null));
            if *value == null {
                *value = value.dummy_value();
            }
        }
        let name = self.array(kind, array, values);
        format!("CASE WHEN {} THEN {name} END", self.array("BOOLEAN", ArrayType::Bool, there))
    }

    fn array(&mut self, cast: &str, kind: ArrayType, values: Vec<Value>) -> String {
        let nth = self.values.len() + 1;
        let name = format!("c{nth}");
        self.casts.push(format!("${nth}::{cast}[]"));
        self.names.push(name.clone());
        self.values.push(Value::Array(kind, Some(Box::new(values))));
        name
    }

    /// A key's values differ, so there is an array.
    fn from(&self) -> String {
        format!("UNNEST({}) AS {} ({})", self.casts.join(", "), quoted("new"), self.names.join(", "))
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
