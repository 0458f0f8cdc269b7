//! Tables: which rows fit, which of them is hit, and what it gives.
use crate::lang::typed::*;
use crate::program::facts::Facts;
use crate::program::link::Linked;
use crate::program::outcome::{Conflict, Fault, RowHit};
use crate::program::value::Value;
use crate::program::walk::compared::Mark;
use crate::program::walk::expr::{holds, within};
use crate::program::walk::number;
use crate::program::walk::state::{Eval, V, all_stuck, and, combinations, gather, worst};
use crate::program::walk::{Walk, with_walk};
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

/// What a lookup may give.
struct Possible<'a> {
    /// The facts that it takes to say which row is hit.
    missing: Option<Eval<'a>>,
    hits: Vec<RowHit>,
    /// The one result where nothing is missing.
    results: Vec<Eval<'a>>,
}

/// The rows of a tier.
struct Found<'a> {
    sure: Vec<Numbered<'a>>,
    /// Rows of which facts are missing to say whether they fit.
    open: Vec<(Numbered<'a>, Eval<'a>)>,
    /// The states of rows of which no fact can say it.
    stuck: Vec<Eval<'a>>,
}

/// A row by its number in its block.
type Numbered<'a> = (u32, &'a Row);

/// The rows of one block of a table (0 its own, n its n-th extra one) that these keys hit on a day, days since 1970-01-01,
/// while the block's policy is in force: what shows that rows leave a gap, conflict, or hide each other. `None` where the
/// keys do not compare with the cells.
pub fn rows_on(linked: &Linked, table: TableId, block: u32, keys: &[Value], day: i32) -> Option<Vec<u32>> {
    let facts = Facts::unknown(&linked.layout);
    with_walk(linked, DecisionId(0), &facts, |walk| walk.rows_on(table, block, keys, day))
}

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

    /// Block by block, and within a block tier by tier: rows with fewer `else` cells first. Where facts are missing to say
    /// which rows fit, the result is unknown, unless no value comes of any row that may be hit.
    fn look_up(&self, lookup: Lookup<'a>, keys: &[Eval<'a>]) -> Eval<'a> {
        let p = self.possible(lookup, keys);
        let state = match p.missing {
            None => worst(&p.results).or_else(|| p.results.into_iter().next()),
            Some(missing) => match all_stuck(&p.results) {
                Some(stuck) => Some(stuck),
                None => return missing,
            },
        };
        p.hits.into_iter().for_each(|hit| self.hit(lookup.at, hit));
        state.unwrap_or_else(Eval::absent)
    }

    fn possible(&self, lookup: Lookup<'a>, keys: &[Eval<'a>]) -> Possible<'a> {
        let mut p = Possible { missing: None, hits: Vec::new(), results: Vec::new() };
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
                let found = fitting(lookup.table.hit, tier, fit);
                p.missing = p.missing.or_else(|| worst(found.open.iter().map(|(_, state)| state)));
                let settled = match worst(&found.stuck) {
                    Some(stuck) => Some(stuck),
                    None if found.sure.is_empty() => None,
                    None => {
                        let (rows, state) = self.choose(lookup, block, &found.sure);
                        p.hits.extend(rows);
                        Some(state)
                    }
                };
                // Another row beside one that fits makes a conflict, or one more part of a sum.
                let alone = match lookup.table.hit {
                    Hit::Unique => !settled.as_ref().is_some_and(Eval::is_stuck),
                    Hit::Collect(_) => !(found.sure.iter()).any(|(_, r)| cell(r, lookup.result).is_stuck()),
                    _ => found.stuck.is_empty() || lookup.table.hit == Hit::First,
                };
                for ((row, r), _) in found.open.iter().filter(|_| alone) {
                    p.hits.push(RowHit { table: lookup.id, block, row: *row });
                    p.results.push(cell(r, lookup.result));
                }
                let done = settled.is_some();
                p.results.extend(settled);
                if done || p.results.iter().any(|r| !r.is_stuck()) {
                    return p;
                }
            }
        }
        p.results.push(self.no_row(lookup));
        p
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

    /// The rows of one block that known keys hit on a day: none where no row fits, several where rows conflict or are
    /// collected. `None` where the keys do not compare with the cells.
    fn rows_on(&self, id: TableId, block: u32, keys: &[Value], day: i32) -> Option<Vec<u32>> {
        let table = self.book.tables.get(id.ix())?;
        let rows = match block.checked_sub(1) {
            None => &table.own,
            Some(extra) => table.extra.get(extra as usize)?,
        };
        let fit = |row: &Row| -> Result<bool, Fault> {
            let mut fits = row.dates.contains(day);
            for (column, (test, key)) in row.tests.iter().zip(keys).enumerate() {
                let ty = table.params.get(column).map_or(&Ty::Never, |(_, ty)| ty);
                fits = fits && self.passes(test, key, ty, table.hit == Hit::Steps(column as u32))?;
            }
            Ok(fits)
        };
        let mut fitting: Vec<Numbered<'a>> = Vec::new();
        for (number, row) in (0..).zip(&rows.rows) {
            if fit(row).ok()? {
                fitting.push((number, row));
            }
        }
        let tier = fitting.iter().map(|(_, row)| elses(row)).min();
        fitting.retain(|(_, row)| Some(elses(row)) == tier);
        if table.hit == Hit::First {
            fitting.truncate(1);
        }
        Some(self.best(table, &fitting).ok()?.iter().map(|(n, _)| *n).collect())
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
                Ok(self.comparisons.compared(Mark::of_cell(test, false), op, key, &bound, reached))
            }
            Test::Value(c) => Ok(*key == Value::of_const(c)),
            Test::Interval { low, high } => {
                let mut inside = *key != Value::Absent;
                for (bound, is_low) in [(low, true), (high, false)] {
                    if let Some((bound, bound_in)) = bound {
                        let op = CmpOp::reaching(*bound_in, is_low);
                        let bound = Value::of_const(bound);
                        let within = within(key, &bound, op)?;
                        inside &=
                            self.comparisons.compared(Mark::of_cell(test, !is_low), op, key, &bound, within);
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

    /// The rows of those that fit that the hit policy leaves.
    fn best(&self, table: &Table, rows: &[Numbered<'a>]) -> Result<Vec<Numbered<'a>>, Fault> {
        Ok(match table.hit {
            Hit::Unique | Hit::First | Hit::Collect(_) => rows.to_vec(),
            Hit::Nearest => {
                let depth = |(_, row): &Numbered<'a>| self.depth(table, row);
                let deepest = rows.iter().map(depth).max();
                rows.iter().copied().filter(|r| Some(depth(r)) == deepest).collect()
            }
            Hit::Steps(column) => highest(rows, column)?,
        })
    }

    /// The hit policy, on the rows that fit: which of them are hit, and what they give.
    fn choose(&self, lookup: Lookup<'a>, block: u32, rows: &[Numbered<'a>]) -> (Vec<RowHit>, Eval<'a>) {
        match self.best(lookup.table, rows) {
            Ok(best) => {
                let hits = best.iter().map(|(row, _)| RowHit { table: lookup.id, block, row: *row });
                (hits.collect(), self.result(lookup, block, &best))
            }
            Err(fault) => (Vec::new(), Eval::fault(fault)),
        }
    }

    fn result(&self, lookup: Lookup<'a>, block: u32, best: &[Numbered<'a>]) -> Eval<'a> {
        if let Hit::Collect(how) = lookup.table.hit {
            let cells: Vec<Eval<'a>> = best.iter().map(|(_, r)| cell(r, lookup.result)).collect();
            return collect(how, &cells, result_ty(lookup));
        }
        match best {
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

/// The rows of a tier that fit or may fit.
fn fitting<'a>(
    hit: Hit,
    rows: impl Iterator<Item = Numbered<'a>>,
    fit: impl Fn(&Row) -> Eval<'a>,
) -> Found<'a> {
    let mut found = Found { sure: Vec::new(), open: Vec::new(), stuck: Vec::new() };
    for (number, row) in rows {
        match fit(row) {
            Eval::Is(v) if v.is_true() => found.sure.push((number, row)),
            Eval::Is(_) => continue,
            state @ Eval::Unknown { .. } => {
                found.open.push(((number, row), state));
                continue;
            }
            state => found.stuck.push(state),
        }
        // What comes after the first hit does not matter to it.
        if hit == Hit::First {
            break;
        }
    }
    found
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
