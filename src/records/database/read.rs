//! Set statements that read rows by many keys at once.
use super::errors;
use crate::records::engine::StoreError;
use sea_orm::sea_query::{LockType, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value,
};
use std::collections::BTreeSet;

/// Keys per statement: below SQLite's 32,766 and PostgreSQL's 65,535 bound values.
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
        for some in in_chunks(column, keys) {
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
        for some in in_chunks(column, keys) {
            let mut query = E::find().filter(some);
            if self.locks {
                query = query.order_by_asc(column).lock(LockType::NoKeyUpdate);
            }
            rows.append(&mut query.all(self.tx).await.map_err(errors::of)?);
        }
        Ok(rows)
    }
}

/// `column IN (…)`. The lists are filled up to a power of two with their last key, so that there are few different
/// statements and the prepared ones are met again.
fn in_chunks<C, K>(column: C, keys: &BTreeSet<K>) -> Vec<SimpleExpr>
where
    C: ColumnTrait,
    K: Into<Value> + Clone + Ord,
{
    let keys: Vec<Value> = keys.iter().cloned().map(Into::into).collect();
    let padded = |some: &[Value]| {
        let mut some = some.to_vec();
        if let Some(last) = some.last().cloned() {
            some.resize(some.len().next_power_of_two(), last);
        }
        column.is_in(some)
    };
    keys.chunks(CHUNK).map(padded).collect()
}
