//! Tables as data: rows found by hashing their exact columns, by searching sorted bounds, or directly.
//!
//! Invariant: an index only narrows the rows that are looked at; each is then verified cell by cell, so that a poor
//! index is slow but never wrong.
use crate::program::code::{ABSENT, BitSet};
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::Hasher;

/// A key cell over the bits of its key.
#[derive(Clone, Debug, PartialEq)]
pub enum CellTest {
    Any,
    Is(i64),
    /// A node and everything below it, and the node's depth.
    Under(BitSet, i64),
    /// Both ends belong to it; absent never does.
    Range(i64, i64),
    /// A threshold: fits from there on.
    From(i64),
    Either(Vec<CellTest>),
}

impl CellTest {
    #[inline]
    fn fits(&self, key: i64) -> bool {
        match self {
            CellTest::Any => true,
            CellTest::Is(v) => *v == key,
            CellTest::Under(nodes, _) => key != ABSENT && nodes.has(key),
            CellTest::Range(low, high) => key != ABSENT && *low <= key && key <= *high,
            CellTest::From(low) => key != ABSENT && *low <= key,
            CellTest::Either(tests) => tests.iter().any(|t| t.fits(key)),
        }
    }
    /// How specific the cell is for a key that fits, to choose the nearest row or the greatest threshold.
    fn weight(&self, key: i64) -> i64 {
        match self {
            CellTest::Under(_, depth) => *depth,
            CellTest::Either(tests) => {
                tests.iter().filter(|t| t.fits(key)).map(|t| t.weight(key)).max().unwrap_or(0)
            }
            _ => 0,
        }
    }
    /// All keys that fit, if they are few and can be listed.
    fn keys(&self) -> Option<Vec<i64>> {
        match self {
            CellTest::Is(v) => Some(vec![*v]),
            CellTest::Under(nodes, _) => {
                Some((0..nodes.0.len() as i64 * 64).filter(|n| nodes.has(*n)).collect())
            }
            CellTest::Either(tests) => {
                let mut keys = Vec::new();
                for test in tests {
                    keys.extend(test.keys()?);
                }
                keys.sort_unstable();
                keys.dedup();
                Some(keys)
            }
            _ => None,
        }
    }
    /// The threshold; cells that are none come before all.
    fn threshold(&self) -> i64 {
        match self {
            CellTest::From(low) => *low,
            _ => i64::MIN,
        }
    }
    /// What rows of a bucket are sorted by.
    fn lower(&self, choice: Choice) -> i64 {
        match choice {
            Choice::Steps(_) => self.threshold(),
            _ => self.range().map_or(i64::MIN, |r| r.0),
        }
    }
    /// The lowest and the highest key, if the cell is one range.
    fn range(&self) -> Option<(i64, i64)> {
        match self {
            CellTest::Range(low, high) => Some((*low, *high)),
            CellTest::Is(v) => Some((*v, *v)),
            _ => None,
        }
    }
}

/// One row.
#[derive(Clone, Debug)]
pub struct IndexRow {
    pub block: u32,
    pub row: u32,
    pub tests: Vec<CellTest>,
    /// In force for governing days `from..before`.
    pub from: i64,
    pub before: i64,
}

/// Which of the rows that fit is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Unique,
    First,
    Nearest,
    /// The column that holds thresholds.
    Steps(usize),
}

/// Rows that are tried together: of one block, with equally many `else` cells.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Argument that says whether the block's policy is in force; none: it is.
    pub in_force: Option<usize>,
    /// Argument with the governing day; none: no row is dated.
    pub day: Option<usize>,
    /// Row numbers, ascending.
    rows: Vec<u32>,
    hash: Option<HashIndex>,
}

#[derive(Clone, Debug, Default)]
struct HashIndex {
    columns: Vec<usize>,
    buckets: FxHashMap<u64, (u32, u32)>,
    items: Vec<u32>,
    /// Rows that are in every bucket.
    loose: Vec<u32>,
    /// The column by whose lower bounds every bucket is sorted, and whether the ranges are disjoint.
    sorted: Option<usize>,
}

/// A table made ready for lookups.
#[derive(Clone, Debug)]
pub struct TableIndex {
    pub keys: usize,
    pub choice: Choice,
    /// All blocks' rows; a lookup answers an index into this.
    pub rows: Vec<IndexRow>,
    groups: Vec<Group>,
    /// No row: absent, not a fault.
    pub may_miss: bool,
    direct: Option<Direct>,
}

/// Every combination of keys answered beforehand.
#[derive(Clone, Debug)]
struct Direct {
    /// Number of values of each key, absent counted as the first.
    sizes: Vec<i64>,
    answers: Vec<Option<i64>>,
}

/// Tables of at most so many combinations of keys are answered beforehand.
const DIRECT: i64 = 4096;
/// Groups of at most so many rows are searched in order.
const LINEAR: usize = 8;
/// At most so many rows may be in every bucket.
const LOOSE: usize = 16;

fn hash(keys: impl Iterator<Item = i64>) -> u64 {
    let mut hasher = FxHasher::default();
    keys.for_each(|k| hasher.write_i64(k));
    hasher.finish()
}

impl TableIndex {
    /// `sizes`: for each key the number of its values 0.. if they are few; `groups` in the order in which they are tried.
    pub fn new(
        keys: usize,
        choice: Choice,
        rows: Vec<IndexRow>,
        groups: Vec<(Option<usize>, Option<usize>, Vec<u32>)>,
        may_miss: bool,
        sizes: &[Option<i64>],
    ) -> TableIndex {
        let fixed = groups.iter().all(|(force, day, _)| force.is_none() && day.is_none());
        let groups = groups
            .into_iter()
            .map(|(in_force, day, members)| {
                let hash =
                    (members.len() > LINEAR).then(|| HashIndex::new(&rows, &members, keys, choice)).flatten();
                Group { in_force, day, rows: members, hash }
            })
            .collect();
        let mut table = TableIndex { keys, choice, rows, groups, may_miss, direct: None };
        if fixed && let Some(sizes) = sizes.iter().map(|s| s.map(|n| n + 1)).collect::<Option<Vec<i64>>>() {
            let all = sizes.iter().try_fold(1i64, |n, s| n.checked_mul(*s)).unwrap_or(i64::MAX);
            if all <= DIRECT {
                let answers = (0..all).map(|at| table.search(&combination(at, &sizes))).collect();
                table.direct = Some(Direct { sizes, answers });
            }
        }
        table
    }

    /// Number of registers that a lookup reads: keys, then governing days and blocks in force.
    pub fn arguments(&self) -> usize {
        self.groups
            .iter()
            .flat_map(|g| [g.in_force, g.day])
            .flatten()
            .map(|a| a + 1)
            .max()
            .unwrap_or(0)
            .max(self.keys)
    }

    /// How the table is searched, for `explain --program`.
    pub fn describe(&self) -> String {
        if let Some(direct) = &self.direct {
            return format!("{} rows, all {} answers beforehand", self.rows.len(), direct.answers.len());
        }
        let hashed = self.groups.iter().filter(|g| g.hash.is_some()).count();
        format!("{} rows in {} groups, {hashed} of them hashed", self.rows.len(), self.groups.len())
    }

    /// The row that fits, [`ABSENT`] if none does and that is allowed; `None` where the answer is not a value.
    #[inline]
    pub fn find(&self, args: &[i64]) -> Option<i64> {
        match &self.direct {
            Some(direct) => direct.find(args),
            None => self.search(args),
        }
    }

    /// As [`TableIndex::find`] for a table of one key.
    #[inline(always)]
    pub fn find_one(&self, key: i64) -> Option<i64> {
        match &self.direct {
            Some(direct) => {
                let at = if key == ABSENT { 0 } else { key + 1 };
                direct.answers.get(at as usize).copied().flatten()
            }
            None => self.search(&[key]),
        }
    }

    fn search(&self, args: &[i64]) -> Option<i64> {
        for group in &self.groups {
            let on = group.in_force.is_none_or(|arg| args.get(arg).is_some_and(|v| *v != 0));
            if on && let Some(row) = group.search(self, args)? {
                return Some(i64::from(row));
            }
        }
        self.may_miss.then_some(ABSENT)
    }
}

fn combination(mut at: i64, sizes: &[i64]) -> Vec<i64> {
    let mut keys: Vec<i64> = sizes
        .iter()
        .rev()
        .map(|size| {
            let key = at % size - 1;
            at /= size;
            if key < 0 { ABSENT } else { key }
        })
        .collect();
    keys.reverse();
    keys
}

impl Direct {
    #[inline]
    fn find(&self, args: &[i64]) -> Option<i64> {
        let mut at = 0i64;
        for (size, key) in self.sizes.iter().zip(args) {
            at = at * size + if *key == ABSENT { 0 } else { key + 1 };
        }
        self.answers.get(at as usize).copied().flatten()
    }
}

impl HashIndex {
    fn new(rows: &[IndexRow], members: &[u32], keys: usize, choice: Choice) -> Option<HashIndex> {
        let test = |row: u32, column: usize| rows.get(row as usize).and_then(|r| r.tests.get(column));
        // A column is worth hashing if nearly all of its cells list their keys.
        let mut columns = Vec::new();
        let mut loose: Vec<u32> = Vec::new();
        for column in (0..keys).filter(|c| choice != Choice::Steps(*c)) {
            let vague: Vec<u32> = members
                .iter()
                .copied()
                .filter(|&row| !loose.contains(&row))
                .filter(|&row| test(row, column).and_then(CellTest::keys).is_none_or(|k| k.len() > 1000))
                .take(LOOSE + 1)
                .collect();
            if loose.len() + vague.len() <= LOOSE {
                loose.extend(vague);
                columns.push(column);
            }
        }
        loose.sort_unstable();
        let mut buckets: FxHashMap<u64, Vec<u32>> = FxHashMap::default();
        let mut filled = 0usize;
        for &row in members.iter().filter(|row| !loose.contains(row)) {
            let lists: Vec<Vec<i64>> =
                columns.iter().map(|&c| test(row, c).and_then(CellTest::keys)).collect::<Option<_>>()?;
            let mut combos: Vec<Vec<i64>> = vec![Vec::new()];
            for list in lists {
                combos =
                    combos.iter().flat_map(|c| list.iter().map(|k| [c.as_slice(), &[*k]].concat())).collect();
                // A row of very many combinations would make the index larger than the table.
                if combos.len() > 10_000 {
                    return None;
                }
            }
            filled += combos.len();
            if filled > 50 * members.len() + 10_000 {
                return None;
            }
            for combo in combos {
                let bucket = buckets.entry(hash(combo.into_iter())).or_default();
                if bucket.last() != Some(&row) {
                    bucket.push(row);
                }
            }
        }
        let sorted = match choice {
            Choice::Steps(column) => Some(column),
            Choice::Nearest => None,
            Choice::Unique | Choice::First => (0..keys)
                .filter(|c| !columns.contains(c))
                .find(|&c| buckets.values().all(|b| disjoint(b, c, &test))),
        };
        let mut index =
            HashIndex { columns, buckets: FxHashMap::default(), items: Vec::new(), loose, sorted };
        for (key, mut bucket) in buckets {
            if let Some(column) = sorted {
                bucket.sort_by_key(|&row| test(row, column).map_or(i64::MIN, |t| t.lower(choice)));
            }
            let start = index.items.len() as u32;
            index.items.extend(bucket);
            index.buckets.insert(key, (start, index.items.len() as u32));
        }
        Some(index)
    }

    fn bucket(&self, args: &[i64]) -> &[u32] {
        let key = hash(self.columns.iter().map(|c| args.get(*c).copied().unwrap_or(ABSENT)));
        match self.buckets.get(&key) {
            Some(&(start, end)) => self.items.get(start as usize..end as usize).unwrap_or_default(),
            None => &[],
        }
    }
}

/// Whether a column cuts a bucket into disjoint ranges.
fn disjoint<'a>(bucket: &[u32], column: usize, test: &impl Fn(u32, usize) -> Option<&'a CellTest>) -> bool {
    let ranges: Option<Vec<(i64, i64)>> =
        bucket.iter().map(|&row| test(row, column).and_then(CellTest::range)).collect();
    let Some(mut ranges) = ranges else { return false };
    ranges.sort_unstable();
    ranges.windows(2).all(|pair| matches!(pair, [a, b] if a.1 < b.0))
}

impl Group {
    /// The row that fits; outer `None` if several do that exclude each other.
    fn search(&self, table: &TableIndex, args: &[i64]) -> Option<Option<u32>> {
        let mut best = Best { table, args, day: self.day.and_then(|d| args.get(d)).copied(), found: None };
        let Some(hash) = &self.hash else {
            best.over(&self.rows);
            return best.answer();
        };
        best.over(&hash.loose);
        let bucket = hash.bucket(args);
        match (hash.sorted, table.choice) {
            (Some(column), choice) if bucket.len() > LINEAR => {
                let key = args.get(column).copied().unwrap_or(ABSENT);
                if key != ABSENT {
                    let low = |row: &u32| {
                        let row = table.rows.get(*row as usize);
                        row.and_then(|r| r.tests.get(column)).map_or(i64::MIN, |t| t.lower(choice))
                    };
                    let end = bucket.partition_point(|row| low(row) <= key);
                    let below = bucket.get(..end).unwrap_or_default();
                    if matches!(choice, Choice::Steps(_)) {
                        best.downwards(below, low);
                    } else {
                        best.over(below.get(below.len().saturating_sub(1)..).unwrap_or_default());
                    }
                }
            }
            _ => best.over(bucket),
        }
        best.answer()
    }
}

struct Best<'a> {
    table: &'a TableIndex,
    args: &'a [i64],
    day: Option<i64>,
    /// The row, its weight, and whether another has the same.
    found: Option<(u32, i64, bool)>,
}

impl Best<'_> {
    fn fits(&self, row: &IndexRow) -> bool {
        self.day.is_none_or(|day| row.from <= day && day < row.before)
            && row.tests.iter().zip(self.args).all(|(test, key)| test.fits(*key))
    }

    /// Takes the better of what was found and these rows, in whatever order.
    fn over(&mut self, rows: &[u32]) {
        for &at in rows {
            let Some(row) = self.table.rows.get(at as usize) else { continue };
            if !self.fits(row) {
                continue;
            }
            let weight = match self.table.choice {
                Choice::Unique => 0,
                Choice::First => -i64::from(at),
                Choice::Nearest => row.tests.iter().zip(self.args).map(|(t, k)| t.weight(*k)).sum(),
                Choice::Steps(column) => row.tests.get(column).map_or(i64::MIN, CellTest::threshold),
            };
            match self.found {
                Some((_, w, _)) if w > weight => {}
                Some((first, w, _)) if w == weight => self.found = Some((first, w, true)),
                _ => self.found = Some((at, weight, false)),
            }
        }
    }

    /// The row; outer `None` if two exclude each other.
    fn answer(&self) -> Option<Option<u32>> {
        match self.found {
            Some((_, _, true)) => None,
            found => Some(found.map(|f| f.0)),
        }
    }

    /// Of rows sorted by threshold, the last that fits and its equals.
    fn downwards(&mut self, rows: &[u32], low: impl Fn(&u32) -> i64) {
        let fits = |at: &u32| self.table.rows.get(*at as usize).is_some_and(|row| self.fits(row));
        let Some(last) = rows.iter().rposition(fits) else { return };
        let level = rows.get(last).map_or(i64::MIN, &low);
        let first = rows.partition_point(|row| low(row) < level);
        self.over(rows.get(first..=last).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: u32, tests: Vec<CellTest>) -> IndexRow {
        IndexRow { block: 0, row: at, tests, from: i64::MIN, before: i64::MAX }
    }

    fn table(choice: Choice, tests: Vec<Vec<CellTest>>) -> TableIndex {
        let keys = tests[0].len();
        let rows: Vec<IndexRow> = tests.into_iter().enumerate().map(|(i, t)| row(i as u32, t)).collect();
        let all = (0..rows.len() as u32).collect();
        TableIndex::new(keys, choice, rows, vec![(None, None, all)], true, &vec![None; keys])
    }

    #[test]
    fn large_tables_find_the_same_rows_as_a_search_in_order() {
        use CellTest::*;
        for choice in [Choice::Unique, Choice::First, Choice::Steps(1)] {
            let mut tests = Vec::new();
            for a in 0..20 {
                for b in 0..10 {
                    tests.push(match choice {
                        Choice::Steps(_) => vec![Is(a), From(b * 10)],
                        _ => vec![Is(a), Range(b * 10, b * 10 + 8)],
                    });
                }
            }
            tests.push(vec![Any, Range(1000, 1001)]);
            let indexed = table(choice, tests);
            assert!(indexed.groups[0].hash.as_ref().is_some_and(|h| h.sorted == Some(1)), "{choice:?}");
            let mut plain = indexed.clone();
            plain.groups[0].hash = None;
            for a in -1..21 {
                for b in -1..102 {
                    assert_eq!(indexed.find(&[a, b]), plain.find(&[a, b]), "{choice:?} {a} {b}");
                }
            }
            assert_eq!(indexed.find(&[3, ABSENT]), Some(ABSENT));
            if choice != Choice::Steps(1) {
                assert_eq!(indexed.find(&[3, 9]), Some(ABSENT));
                assert_eq!(indexed.find(&[3, 1000]), Some(200));
            }
        }
    }

    #[test]
    fn two_fitting_rows_are_noticed_in_a_bucket_and_among_the_loose() {
        use CellTest::*;
        let mut tests: Vec<Vec<CellTest>> = (0..20).map(|a| vec![Is(a)]).collect();
        tests.push(vec![Is(7)]);
        tests.push(vec![Any]);
        let unique = table(Choice::Unique, tests.clone());
        assert_eq!(unique.find(&[7]), None);
        assert_eq!(unique.find(&[8]), None, "the row that fits anything fits too");
        assert_eq!(unique.find(&[99]), Some(21));
        let first = table(Choice::First, tests);
        assert_eq!(first.find(&[7]), Some(7));
        assert_eq!(first.find(&[99]), Some(21));
    }

    #[test]
    fn few_combinations_are_answered_beforehand() {
        use CellTest::*;
        let rows = vec![row(0, vec![Is(0), Any]), row(1, vec![Is(1), Is(ABSENT)])];
        let sizes = [Some(2), Some(3)];
        let t = TableIndex::new(2, Choice::Unique, rows, vec![(None, None, vec![0, 1])], false, &sizes);
        assert!(t.direct.is_some());
        assert_eq!(t.find(&[0, 2]), Some(0));
        assert_eq!(t.find(&[1, ABSENT]), Some(1));
        assert_eq!(t.find(&[1, 0]), None);
    }
}
