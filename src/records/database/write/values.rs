//! Rows for SQLite: `VALUES` of some numbers of rows, so that the prepared statements are met again.
//!
//! Of what one statement can be, this was the fastest (CPU of SQLite alone, rows of 15 columns): 2.3 µs a row, as much as
//! one prepared row after the other on SQLite's own thread. A text of its own for each batch took 4 µs, a fixed number of
//! rows filled up with NULLs 4.4 µs, `json_each` 10 µs; and one statement a row is a hop to the driver's thread a row.
use super::{Written, on_conflict, target};
use sea_orm::{EntityTrait, Iterable, ModelTrait};
use std::iter::from_fn;

/// The most rows in a statement.
const MOST: usize = 128;
/// Larger statements have a multiple of this.
const STEP: usize = 8;

/// Inserts rows, or puts them in place of those with their keys.
pub(super) fn put<'a, E>(rows: Vec<&'a E::Model>, replace: bool) -> impl Iterator<Item = Written> + Send + 'a
where
    E: EntityTrait,
    E::Model: Sync,
{
    let mut at = 0;
    from_fn(move || {
        let left = rows.get(at..)?;
        let some = left.get(..piece(left.len())).filter(|some| !some.is_empty())?;
        at += some.len();
        Some(statement::<E>(some, replace))
    })
}

fn statement<E: EntityTrait>(rows: &[&E::Model], replace: bool) -> Written {
    let columns: Vec<E::Column> = E::Column::iter().collect();
    let row = format!("({})", vec!["?"; columns.len()].join(", "));
    let all = vec![row.as_str(); rows.len()].join(", ");
    let end = if replace { on_conflict::<E>() } else { String::new() };
    // OR FAIL: a statement that fails takes nothing back, which its transaction does anyway, and so SQLite need not
    // note how pages were before it.
    let sql = format!("INSERT OR FAIL INTO {} VALUES {all}{end}", target::<E>());
    let values = rows.iter().flat_map(|row| columns.iter().map(|column| row.get(*column)));
    Written { sql, values: values.collect(), rows: None }
}

/// How many of the rows that are left go into one statement.
fn piece(left: usize) -> usize {
    let most = left.min(MOST);
    if most < STEP { most } else { most / STEP * STEP }
}

#[cfg(test)]
mod tests {
    use super::piece;

    #[test]
    fn few_kinds_of_pieces() {
        assert_eq!([0, 1, 7, 8, 63, 127, 128, 1_000].map(piece), [0, 1, 7, 8, 56, 120, 128, 128]);
    }
}
