//! All combinations of keys, column by column: which rows fit where, which of them are hit, and where none is.
//!
//! A column is swept over the ends of its rows' pieces; between two ends the same rows fit, and the next column is swept
//! for these alone. Disjoint rows therefore cost no more than sorting them.
use super::axis::{Axis, Pieces, joined};
use crate::lang::typed::*;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// A part of the keys: the pieces of each column.
pub(super) type Region = Vec<Vec<Pieces>>;

/// A row as the sweep sees it.
#[derive(Debug)]
pub(super) struct Boxed {
    /// By column, the day last if rows are dated.
    pub pieces: Vec<Vec<Pieces>>,
    /// How many `else` cells it has: rows with fewer come first.
    pub elses: usize,
    /// Of those that fit, the greatest wins: depth in the taxonomies for `nearest`, the threshold for `steps`.
    pub weight: u32,
}

/// What a sweep found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Keys that no row fits.
    pub gaps: Vec<Region>,
    /// Two rows that conflict, and a place where they do; each pair once.
    pub overlaps: BTreeMap<(u32, u32), Region>,
    /// By row: whether it is hit somewhere.
    pub hit: Vec<bool>,
}

/// Gaps and conflicts beyond these are not collected.
const MOST: usize = 2_000;

/// One sweep of a block's rows.
pub(super) struct Sweep<'t> {
    axes: &'t [Axis],
    rows: &'t [Boxed],
    hit: Hit,
    budget: u64,
    at: Vec<Pieces>,
    found: Found,
}

impl<'t> Sweep<'t> {
    /// Sweeps; `None` if more than `budget` steps were needed.
    pub fn run(axes: &'t [Axis], rows: &'t [Boxed], hit: Hit, budget: u64) -> Option<Found> {
        let found = Found { hit: vec![false; rows.len()], ..Found::default() };
        let mut sweep = Sweep { axes, rows, hit, budget, at: Vec::new(), found };
        let all: Vec<u32> = (0..rows.len() as u32).collect();
        sweep.column(&all)?;
        Some(sweep.found)
    }

    fn spend(&mut self, steps: usize) -> Option<()> {
        self.budget = self.budget.checked_sub(steps as u64)?;
        Some(())
    }

    fn column(&mut self, active: &[u32]) -> Option<()> {
        self.spend(active.len() + 1)?;
        let column = self.at.len();
        let Some(axis) = self.axes.get(column) else {
            self.leaf(active);
            return Some(());
        };
        if active.is_empty() {
            self.gap();
            return Some(());
        }
        let (mut always, mut ends) = (Vec::new(), Vec::new());
        for row in active.iter().copied() {
            let pieces = self.rows.get(row as usize).and_then(|r| r.pieces.get(column));
            for piece in pieces.into_iter().flatten() {
                if *piece == axis.whole() {
                    always.push(row);
                } else {
                    ends.push((piece.start, true, row));
                    ends.push((piece.end, false, row));
                }
            }
        }
        if ends.is_empty() {
            self.at.push(axis.whole());
            self.column(&always)?;
            self.at.pop();
            return Some(());
        }
        ends.sort_unstable();
        let mut open: BTreeSet<u32> = BTreeSet::new();
        let mut ends = ends.into_iter().peekable();
        let mut from = 0;
        loop {
            let to = ends.peek().map_or(axis.len, |(at, ..)| *at);
            if from < to && axis.is_live(&(from..to)) {
                let fitting: Vec<u32> = if always.is_empty() {
                    open.iter().copied().collect()
                } else {
                    let mut both: Vec<u32> = open.iter().chain(&always).copied().collect();
                    both.sort_unstable();
                    both
                };
                self.at.push(from..to);
                self.column(&fitting)?;
                self.at.pop();
            }
            from = to;
            if ends.peek().is_none() {
                return Some(());
            }
            while let Some((_, begins, row)) = ends.next_if(|(at, ..)| *at == to) {
                if begins {
                    open.insert(row);
                } else {
                    open.remove(&row);
                }
            }
        }
    }

    /// The place of the sweep, whole from here on.
    fn region(&self) -> Region {
        let rest = self.axes.iter().skip(self.at.len()).map(Axis::whole);
        self.at.iter().cloned().chain(rest).map(|p| vec![p]).collect()
    }

    fn gap(&mut self) {
        if self.found.gaps.len() < MOST {
            let region = self.region();
            self.found.gaps.push(region);
        }
    }

    fn leaf(&mut self, active: &[u32]) {
        let of = |row: &u32| self.rows.get(*row as usize);
        let Some(tier) = active.iter().filter_map(of).map(|r| r.elses).min() else { return self.gap() };
        let first: Vec<u32> =
            active.iter().copied().filter(|r| of(r).is_some_and(|r| r.elses == tier)).collect();
        let best: Vec<u32> = match self.hit {
            Hit::First => first.into_iter().take(1).collect(),
            Hit::Unique | Hit::Collect(_) => first,
            Hit::Nearest | Hit::Steps(_) => {
                let most = first.iter().filter_map(of).map(|r| r.weight).max();
                first.into_iter().filter(|r| of(r).map(|r| r.weight) == most).collect()
            }
        };
        for row in &best {
            if let Some(hit) = self.found.hit.get_mut(*row as usize) {
                *hit = true;
            }
        }
        if let ([a, b, ..], false) = (best.as_slice(), matches!(self.hit, Hit::Collect(_)))
            && self.found.overlaps.len() < MOST
            && !self.found.overlaps.contains_key(&(*a, *b))
        {
            let region = self.region();
            self.found.overlaps.insert((*a, *b), region);
        }
    }
}

/// Regions with those that differ in one column only taken together, so that they can be read.
pub(super) fn merged(mut regions: Vec<Region>, columns: usize) -> Vec<Region> {
    for column in (0..columns).rev() {
        let mut by_rest: FxHashMap<Region, usize> = FxHashMap::default();
        let mut together: Vec<Region> = Vec::new();
        for mut region in regions {
            let pieces = region.get_mut(column).map(std::mem::take).unwrap_or_default();
            // The region without this column's pieces says what it shares with others.
            match by_rest.get(&region).and_then(|at| together.get_mut(*at)).and_then(|r| r.get_mut(column)) {
                Some(known) => known.extend(pieces),
                None => {
                    by_rest.insert(region.clone(), together.len());
                    if let Some(place) = region.get_mut(column) {
                        *place = pieces;
                    }
                    together.push(region);
                }
            }
        }
        for region in &mut together {
            if let Some(pieces) = region.get_mut(column) {
                *pieces = joined(std::mem::take(pieces));
            }
        }
        regions = together;
    }
    regions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_one_region() {
        let region = |a: Pieces, b: Pieces| vec![vec![a], vec![b]];
        let merged =
            merged(vec![region(0..1, 0..2), region(1..2, 0..1), region(1..2, 1..2), region(4..5, 7..8)], 2);
        assert_eq!(merged, [region(0..2, 0..2), region(4..5, 7..8)]);
    }
}
