//! Writes what a batch changed: an insert and an upsert per table, in few statements.
use super::errors;
use crate::records::engine::StoreError;
use crate::records::entity::*;
use crate::records::unit::Unit;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, DbBackend, EntityTrait, IntoActiveModel, Iterable,
    PrimaryKeyToColumn,
};

/// Bound values that a statement takes.
fn bound(backend: DbBackend) -> usize {
    if backend == DbBackend::Sqlite { 32_766 } else { 65_535 }
}

/// Writes all changes of the unit, owners before what they own.
pub(super) async fn write(
    tx: &DatabaseTransaction,
    backend: DbBackend,
    unit: &Unit,
) -> Result<(), StoreError> {
    let bound = bound(backend);
    macro_rules! put {
        ($field:ident, $entity:ident, $together:expr) => {
            let (new, changed) = unit.t.$field.changes();
            table::<$entity::Entity>(tx, bound, new, changed, $together).await?;
        };
    }
    // Entries before their movements, and those of one movement in one statement: see the schema's guards.
    put!(entries, entry, |a, b| a.movement_id == b.movement_id);
    macro_rules! put_rest {
        (entries, entry) => {};
        ($field:ident, $entity:ident) => {
            put!($field, $entity, |_, _| false);
        };
    }
    each_table!(put_rest);
    Ok(())
}

async fn table<E>(
    tx: &DatabaseTransaction,
    bound: usize,
    new: Vec<E::Model>,
    changed: Vec<E::Model>,
    together: fn(&E::Model, &E::Model) -> bool,
) -> Result<(), StoreError>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    let rows_a_statement = bound / E::Column::iter().count().max(1);
    for rows in chunks(new, rows_a_statement, together) {
        let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
        E::insert_many(rows).exec_without_returning(tx).await.map_err(errors::of)?;
    }
    if changed.is_empty() {
        return Ok(());
    }
    let keys: Vec<E::Column> = E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column).collect();
    let is_key = |column: &E::Column| E::PrimaryKey::from_column(*column).is_some();
    let others = E::Column::iter().filter(|column| !is_key(column));
    let upsert = OnConflict::columns(keys).update_columns(others).to_owned();
    for rows in chunks(changed, rows_a_statement, together) {
        let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
        let insert = E::insert_many(rows).on_conflict(upsert.clone());
        insert.exec_without_returning(tx).await.map_err(errors::of)?;
    }
    Ok(())
}

/// Cuts rows into pieces of at most `size`, but not between rows that belong together.
fn chunks<R>(rows: Vec<R>, size: usize, together: fn(&R, &R) -> bool) -> Vec<Vec<R>> {
    if rows.len() <= size {
        return if rows.is_empty() { Vec::new() } else { vec![rows] };
    }
    let mut pieces: Vec<Vec<R>> = Vec::new();
    let mut piece: Vec<R> = Vec::new();
    // Rows since the last place where a cut is allowed.
    let mut group: Vec<R> = Vec::new();
    for row in rows {
        if group.last().is_some_and(|last| !together(last, &row)) {
            piece.append(&mut group);
        }
        group.push(row);
        if piece.len() + group.len() > size && !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
        }
    }
    piece.append(&mut group);
    pieces.push(piece);
    pieces
}

#[cfg(test)]
mod tests {
    use super::chunks;

    #[test]
    fn rows_that_belong_together_stay_together() {
        let alone = |_: &i32, _: &i32| false;
        assert_eq!(chunks(Vec::<i32>::new(), 2, alone), Vec::<Vec<i32>>::new());
        assert_eq!(chunks(vec![1, 2, 3, 4, 5], 2, alone), [vec![1, 2], vec![3, 4], vec![5]]);
        let tens = |a: &i32, b: &i32| a / 10 == b / 10;
        assert_eq!(chunks(vec![1, 2, 11, 12, 13, 21], 3, tens), [vec![1, 2], vec![11, 12, 13], vec![21]]);
    }
}
