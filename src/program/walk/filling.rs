//! `fill(table, budget)` on a table's rows.
use crate::lang::typed::*;
use crate::program::fill::{Filled, Piece, fill};
use crate::program::outcome::{Fault, RowHit};
use crate::program::value::Value;
use crate::program::walk::Walk;
use crate::program::walk::number;
use crate::program::walk::state::{Eval, and, worst};
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};
use std::sync::Arc;

/// The longest list of pieces that `fill(…).rows` gives.
const MAX_PIECES: usize = 10_000;

/// A row that may be taken.
struct Offer {
    row: u32,
    cost: Value,
    value: Value,
}

impl<'a> Walk<'a> {
    /// A part of the best combination of a table's rows within a budget.
    pub(crate) fn fill(&self, at: &'a Expr, id: TableId, budget: &Value, part: FillPart) -> Eval<'a> {
        let Some(table) = self.book.tables.get(id.ix()) else { return Eval::absent() };
        let (block, offers) = match self.offers(table) {
            Ok(offers) => offers,
            Err(state) => return state,
        };
        let result = self.filled(&offers, budget);
        let filled = match result {
            Ok(filled) => filled,
            Err(fault) => return Eval::fault(fault),
        };
        for (offer, count) in offers.iter().zip(&filled.counts) {
            if !count.is_zero() {
                self.hit(at, RowHit { table: id, block, row: offer.row });
            }
        }
        let ty = table.results.first().map_or(&Ty::Never, |(_, ty)| ty);
        let zero = offers.first().map_or_else(|| number::zero(ty), |o| o.value.clone());
        Eval::from_result(match part {
            FillPart::Value => number::within(filled.value, ty).map(|n| number::with_number(&zero, n)),
            FillPart::Used => Ok(number::with_number(budget, filled.used)),
            FillPart::Rows => pieces(&offers, &filled),
        })
    }

    /// The rows in force of the first block that has one, with the number of the block.
    fn offers(&self, table: &'a Table) -> Result<(u32, Vec<Offer>), Eval<'a>> {
        for (block, rows) in self.linked.blocks(table) {
            let in_force = if block == 0 { Eval::bool(true) } else { self.in_force(rows.policy) };
            let (mut offers, mut open) = (Vec::new(), Vec::new());
            for (row, r) in (0..).zip(&rows.rows) {
                let holds = and(in_force.clone(), || self.on_date(&r.dates, rows.policy));
                match (holds.is_true(), holds.is_value(), r.tests.first(), r.results.first()) {
                    (true, _, Some(Test::Value(cost)), Some(CellValue::Const(value))) => {
                        offers.push(Offer { row, cost: Value::of_const(cost), value: Value::of_const(value) })
                    }
                    (true, _, Some(Test::Value(_)), Some(CellValue::Undecided(question))) => {
                        open.push(Eval::undecided(question));
                    }
                    (false, false, ..) => open.push(holds),
                    _ => {}
                }
            }
            match worst(&open) {
                Some(state) => return Err(state),
                None if !offers.is_empty() => return Ok((block, offers)),
                None => {}
            }
        }
        Ok((0, Vec::new()))
    }

    fn filled(&self, offers: &[Offer], budget: &Value) -> Result<Filled, Fault> {
        // Amounts of several currencies do not compare.
        number::extreme(offers.iter().map(|o| &o.cost).chain([budget]), true)?;
        number::extreme(offers.iter().map(|o| &o.value), true)?;
        let number = |v: &Value| number::number_of(v).cloned().unwrap_or_else(BigRational::zero);
        let pieces: Vec<Piece> =
            offers.iter().map(|o| Piece { cost: number(&o.cost), value: number(&o.value) }).collect();
        fill(&pieces, &number(budget)).ok_or(Fault::Overflow)
    }
}

/// The keys of the rows taken, with repetition, greatest first.
fn pieces(offers: &[Offer], filled: &Filled) -> Result<Value, Fault> {
    let mut keys = Vec::new();
    for (offer, count) in offers.iter().zip(&filled.counts) {
        let count = count.to_usize().filter(|c| *c <= MAX_PIECES - keys.len()).ok_or(Fault::Overflow)?;
        keys.extend(std::iter::repeat_n(offer.cost.clone(), count));
    }
    keys.sort_by(|a, b| b.cmp(a));
    Ok(Value::List(Arc::new(keys)))
}
