//! Set statements that read rows by many keys at once.
use super::errors;
use crate::records::engine::StoreError;
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Value,
};
use std::collections::BTreeSet;

/// Keys per statement on SQLite, which takes 32,766 bound values.
const CHUNK: usize = 16_384;

/// Reads within a transaction.
pub(super) struct Reading<'a> {
    pub tx: &'a DatabaseTransaction,
    /// Whether owners are locked; only PostgreSQL needs it, and only where something will be written.
    pub locks: bool,
}

impl Reading<'_> {
    /// The rows whose `column` is one of `keys`.
    pub async fn rows<E, K>(&self, column: E::Column, keys: &BTreeSet<K>) -> Result<Vec<E::Model>, StoreError>
    where
        E: EntityTrait,
        K: Into<Value> + Clone + Ord,
    {
        self.rows_that::<E, K>(column, keys, Condition::all()).await
    }

    /// The rows whose `column` is one of `keys` and which meet a condition.
    pub async fn rows_that<E, K>(
        &self,
        column: E::Column,
        keys: &BTreeSet<K>,
        that: Condition,
    ) -> Result<Vec<E::Model>, StoreError>
    where
        E: EntityTrait,
        K: Into<Value> + Clone + Ord,
    {
        let mut rows = Vec::new();
        for some in self.among(column, keys) {
            let query = E::find().filter(some).filter(that.clone());
            rows.append(&mut query.all(self.tx).await.map_err(errors::of)?);
        }
        Ok(rows)
    }

    /// As [`Reading::rows`], locked until the end of the transaction, in the order of the keys: two nodes that want
    /// the same rows meet at the first of them instead of holding one each.
    pub async fn locked<E, K>(
        &self,
        column: E::Column,
        keys: &BTreeSet<K>,
    ) -> Result<Vec<E::Model>, StoreError>
    where
        E: EntityTrait,
        K: Into<Value> + Clone + Ord,
    {
        let mut rows = Vec::new();
        for some in self.among(column, keys) {
            let mut query = E::find().filter(some);
            if self.locks {
                query = query.order_by_asc(column).lock(LockType::NoKeyUpdate);
            }
            rows.append(&mut query.all(self.tx).await.map_err(errors::of)?);
        }
        Ok(rows)
    }
}

impl Reading<'_> {
    /// Conditions that together say that `column` is one of `keys`.
    fn among<C, K>(&self, column: C, keys: &BTreeSet<K>) -> Vec<Expr>
    where
        C: ColumnTrait,
        K: Into<Value> + Clone + Ord,
    {
        let keys: Vec<Value> = keys.iter().cloned().map(Into::into).collect();
        if self.tx.get_database_backend() == DbBackend::Postgres {
            in_array(column, keys)
        } else {
            in_lists(column, keys)
        }
    }
}

/// `column = ANY(array)`: one statement for any number of keys, prepared once. As a list of bound values it was parsed and
/// planned anew for nearly each batch.
fn in_array<C: ColumnTrait>(column: C, keys: Vec<Value>) -> Vec<Expr> {
    let Some(kind) = keys.first().map(Value::array_type) else { return Vec::new() };
    let array = Expr::val(Value::Array(kind, Some(Box::new(keys))));
    vec![Expr::cust_with_exprs("$1 = ANY($2)", [Expr::col(column.as_column_ref()), array])]
}

/// `column IN (…)`. The lists are filled up to a power of two with their last key, so that there are few different
/// statements and the prepared ones are met again.
fn in_lists<C: ColumnTrait>(column: C, keys: Vec<Value>) -> Vec<Expr> {
    let padded = |some: &[Value]| {
        let mut some = some.to_vec();
        if let Some(last) = some.last().cloned() {
            some.resize(some.len().next_power_of_two(), last);
        }
        column.is_in(some)
    };
    keys.chunks(CHUNK).map(padded).collect()
}
