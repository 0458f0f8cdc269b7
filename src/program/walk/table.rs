//! Tables: which rows fit, which of them is hit, and what it gives.
use crate::lang::typed::*;
use crate::program::outcome::{Conflict, Fault, RowHit};
use crate::program::value::Value;
use crate::program::walk::Walk;
use crate::program::walk::bounds::Mark;
use crate::program::walk::expr::{holds, within};
use crate::program::walk::number;
use crate::program::walk::state::{Eval, V, and, combinations, gather, worst};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

/// One lookup: where it stands, in which table, for which result column.
#[derive(Clone, Copy)]
struct Lookup<'a> {
    at: &'a Expr,
    id: TableId,
    table: &'a Table,
    result: u32,
}

/// A row by its number in its block.
type Numbered<'a> = (u32, &'a Row);

impl<'a> Walk<'a> {
    /// A result column of a table, for keys of any state: candidates are tried, other unknown keys matter only to the
    /// rows that read them.
    pub(crate) fn lookup(&self, at: &'a Expr, id: TableId, keys: &[Eval<'a>], result: u32) -> Eval<'a> {
        let Some(table) = self.book.tables.get(id.ix()) else { return Eval::absent() };
        let lookup = Lookup { at, id, table, result };
        let closed = |k: &Eval<'a>| matches!(k, Eval::Unknown { candidates: Some(_), .. });
        let open: Vec<Eval<'a>> = keys.iter().filter(|k| closed(k)).cloned().collect();
        let combinations = match combinations(&open) {
            Some(all) if !open.is_empty() => all,
            _ => return self.look_up(lookup, keys),
        };
        let mut results = Vec::new();
        for combination in combinations {
            let mut chosen = combination.into_iter();
            let tried: Vec<Eval<'a>> = keys
                .iter()
                .map(
                    |k| if closed(k) { chosen.next().map_or_else(Eval::absent, Eval::Is) } else { k.clone() },
                )
                .collect();
            results.push(self.look_up(lookup, &tried));
        }
        let asked = results.iter().filter(|r| r.badness() == 1);
        let unknown = worst(open.iter().chain(asked)).unwrap_or_else(Eval::absent);
        gather(unknown, results)
    }

    /// Block by block, and within a block tier by tier: rows with fewer `else` cells first.
    fn look_up(&self, lookup: Lookup<'a>, keys: &[Eval<'a>]) -> Eval<'a> {
        for (block, rows) in self.linked.blocks(lookup.table) {
            let in_force = if block == 0 { Eval::bool(true) } else { self.in_force(rows.policy) };
            if in_force.is_false() {
                continue;
            }
            let numbered: Vec<Numbered<'a>> = (0..).zip(&rows.rows).collect();
            let tiers: BTreeSet<usize> = numbered.iter().map(|(_, r)| elses(r)).collect();
            for tier in tiers {
                let tier = numbered.iter().copied().filter(|(_, r)| elses(r) == tier);
                let fit = |row: &Row| self.fit(lookup.table, rows.policy, &in_force, row, keys);
                match fitting(lookup.table.hit, tier, fit) {
                    Err(open) => return open,
                    Ok(rows) if rows.is_empty() => {}
                    Ok(rows) => return self.choose(lookup, block, &rows),
                }
            }
        }
        self.no_row(lookup)
    }

    /// Whether a row fits: its block's policy in force, its dates, and its cells, left to right.
    fn fit(
        &self,
        table: &'a Table,
        policy: PolicyId,
        in_force: &Eval<'a>,
        row: &Row,
        keys: &[Eval<'a>],
    ) -> Eval<'a> {
        let mut state = and(in_force.clone(), || self.on_date(&row.dates, policy));
        for (column, (test, key)) in row.tests.iter().zip(keys).enumerate() {
            if state.is_false() {
                break;
            }
            let ty = table.params.get(column).map_or(&Ty::Never, |(_, ty)| ty);
            let threshold = table.hit == Hit::Steps(column as u32);
            state = and(state, || match (test, key) {
                (Test::Any | Test::Else, _) => Eval::bool(true),
                (_, Eval::Is(v)) => {
                    Eval::from_result(self.passes(test, v.plain(), ty, threshold).map(Value::Bool))
                }
                (_, open) => open.clone().plain_unknown(),
            });
        }
        state
    }

    /// Whether a key passes a cell's test.
    fn passes(&self, test: &Test, key: &Value, ty: &Ty, threshold: bool) -> Result<bool, Fault> {
        match test {
            Test::Any | Test::Else => Ok(true),
            Test::Absent => Ok(*key == Value::Absent),
            Test::Value(Const::Node(node)) => Ok(self.lies_under(key, *node, ty)),
            Test::Value(c) if threshold => {
                let (bound, op) = (Value::of_const(c), CmpOp::Ge);
                let reached = within(key, &bound, op)?;
                Ok(self.bounds.compared(Mark::of_cell(test, false), op, key, &bound, reached))
            }
            Test::Value(c) => Ok(*key == Value::of_const(c)),
            Test::Interval { low, high } => {
                let mut inside = *key != Value::Absent;
                for (bound, is_low) in [(low, true), (high, false)] {
                    if let Some((bound, bound_in)) = bound {
                        let op = CmpOp::reaching(*bound_in, is_low);
                        let bound = Value::of_const(bound);
                        let within = within(key, &bound, op)?;
                        inside &= self.bounds.compared(Mark::of_cell(test, !is_low), op, key, &bound, within);
                    }
                }
                Ok(inside)
            }
            Test::OneOf(tests) => {
                let mut any = false;
                for test in tests {
                    any |= self.passes(test, key, ty, false)?;
                }
                Ok(any)
            }
        }
    }

    /// The hit policy, on the rows that fit.
    fn choose(&self, lookup: Lookup<'a>, block: u32, rows: &[Numbered<'a>]) -> Eval<'a> {
        let hit = |(row, _): &Numbered<'a>| {
            self.hit(lookup.at, RowHit { table: lookup.id, block, row: *row });
        };
        let best: Vec<Numbered<'a>> = match lookup.table.hit {
            Hit::Unique | Hit::First => rows.to_vec(),
            Hit::Nearest => {
                let depth = |(_, row): &Numbered<'a>| self.depth(lookup.table, row);
                let deepest = rows.iter().map(depth).max();
                rows.iter().copied().filter(|r| Some(depth(r)) == deepest).collect()
            }
            Hit::Steps(column) => match highest(rows, column) {
                Ok(best) => best,
                Err(fault) => return Eval::fault(fault),
            },
            Hit::Collect(how) => {
                rows.iter().for_each(hit);
                let cells: Vec<Eval<'a>> = rows.iter().map(|(_, r)| cell(r, lookup.result)).collect();
                return collect(how, &cells, result_ty(lookup));
            }
        };
        best.iter().for_each(hit);
        match best.as_slice() {
            [(_, row)] => cell(row, lookup.result),
            many => {
                let rows = many.iter().map(|(n, _)| *n).collect();
                Eval::Conflict(BTreeSet::from([Conflict::Rows(lookup.id, block, rows)]))
            }
        }
    }

    /// How deep in their taxonomies a row's cells lie, taken together; a cell that is no node is less deep than any.
    fn depth(&self, table: &Table, row: &Row) -> u32 {
        row.tests.iter().zip(&table.params).map(|(test, (_, ty))| self.cell_depth(test, ty)).sum()
    }

    fn cell_depth(&self, test: &Test, ty: &Ty) -> u32 {
        match (test, ty.inner()) {
            (Test::Value(Const::Node(node)), Ty::Node(id)) => {
                let taxonomy = self.vocab().taxonomies.get(id.ix());
                taxonomy.and_then(|t| t.nodes.get(*node as usize)).map_or(0, |n| n.depth + 1)
            }
            (Test::OneOf(tests), _) => tests.iter().map(|t| self.cell_depth(t, ty)).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// No row fits in any block.
    fn no_row(&self, lookup: Lookup<'a>) -> Eval<'a> {
        match lookup.table.hit {
            Hit::Collect(Collect::Sum) => Eval::of(number::zero(result_ty(lookup))),
            Hit::Collect(Collect::All) => Eval::of(Value::List(Arc::new(Vec::new()))),
            _ if lookup.table.results.iter().all(|(_, ty)| ty.is_optional()) => Eval::absent(),
            _ => Eval::fault(Fault::NoRow(lookup.id)),
        }
    }
}

fn elses(row: &Row) -> usize {
    row.tests.iter().filter(|t| **t == Test::Else).count()
}

fn result_ty<'a>(lookup: Lookup<'a>) -> &'a Ty {
    lookup.table.results.get(lookup.result as usize).map_or(&Ty::Never, |(_, ty)| ty)
}

/// The rows of a tier that fit, or the state of those of which it cannot be said.
fn fitting<'a>(
    hit: Hit,
    rows: impl Iterator<Item = Numbered<'a>>,
    fit: impl Fn(&Row) -> Eval<'a>,
) -> Result<Vec<Numbered<'a>>, Eval<'a>> {
    let (mut fitting, mut open) = (Vec::new(), Vec::new());
    for (number, row) in rows {
        match fit(row) {
            Eval::Is(v) if v.is_true() => {
                fitting.push((number, row));
                // What comes after the first hit does not matter to it.
                if hit == Hit::First {
                    break;
                }
            }
            Eval::Is(_) => {}
            state => open.push(state),
        }
    }
    match worst(&open) {
        Some(state) => Err(state),
        None => Ok(fitting),
    }
}

/// The rows with the greatest threshold.
fn highest<'a>(rows: &[Numbered<'a>], column: u32) -> Result<Vec<Numbered<'a>>, Fault> {
    let threshold = |(_, row): &Numbered<'a>| match row.tests.get(column as usize) {
        Some(Test::Value(c)) => Some(Value::of_const(c)),
        _ => None,
    };
    let mut best: Vec<Numbered<'a>> = Vec::new();
    let mut greatest: Option<Value> = None;
    for row in rows {
        let this = threshold(row);
        let order = match (&this, &greatest) {
            _ if best.is_empty() => Ordering::Greater,
            (Some(a), Some(b)) => number::compare(a, b)?,
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        if holds(CmpOp::Gt, order) {
            best.clear();
        }
        if holds(CmpOp::Ge, order) {
            best.push(*row);
            greatest = this;
        }
    }
    Ok(best)
}

/// A row's result.
fn cell<'a>(row: &Row, result: u32) -> Eval<'a> {
    match row.results.get(result as usize) {
        Some(CellValue::Const(c)) => Eval::of(Value::of_const(c)),
        Some(CellValue::Undecided(question)) => Eval::undecided(question),
        None => Eval::absent(),
    }
}

/// The results of all rows that fit, taken together.
fn collect<'a>(how: Collect, cells: &[Eval<'a>], ty: &Ty) -> Eval<'a> {
    if let Some(bad) = worst(cells) {
        return bad;
    }
    let values: Vec<&Value> = cells.iter().filter_map(|c| c.value().map(V::plain)).collect();
    Eval::from_result(match how {
        Collect::Sum => number::sum(values, ty),
        Collect::All => Ok(Value::List(Arc::new(values.into_iter().cloned().collect()))),
        Collect::Max | Collect::Min => number::extreme(values, how == Collect::Max)
            .and_then(|best| best.cloned().ok_or(Fault::EmptyExtreme)),
    })
}
