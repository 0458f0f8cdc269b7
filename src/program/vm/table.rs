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
    /// How specific the cell is, to choose the nearest row.
    fn weight(&self) -> i64 {
        match self {
            CellTest::Under(_, depth) => *depth,
            // The deepest of a list, whether or not that one fits, as the walk has it.
            CellTest::Either(tests) => tests.iter().map(CellTest::weight).max().unwrap_or(0),
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
    exact: Option<Exact>,
    hash: Option<HashIndex>,
}

#[derive(Clone, Debug, Default)]
struct HashIndex {
    columns: Vec<usize>,
    buckets: FxHashMap<u64, (u32, u32)>,
    items: Vec<u32>,
    /// What each item is sorted by, side by side so that a search stays within few cache lines.
    lows: Vec<i64>,
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

/// Rows whose cells all list their keys: the keys as one number lead to the row, and nothing remains to be verified.
#[derive(Clone, Debug, Default)]
struct Exact {
    /// The least key and the number of codes of each column.
    packing: Vec<(i64, u64)>,
    rows: FxHashMap<u64, u32>,
}

/// Two rows that exclude each other.
const CONFLICT: u32 = u32::MAX;

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
                let large = members.len() > LINEAR;
                let exact =
                    (large && day.is_none()).then(|| Exact::new(&rows, &members, keys, choice)).flatten();
                let search = large && exact.is_none();
                let hash = search.then(|| HashIndex::new(&rows, &members, keys, choice)).flatten();
                Group { in_force, day, rows: members, exact, hash }
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
        let hashed = self.groups.iter().filter(|g| g.hash.is_some() || g.exact.is_some()).count();
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
        let mut index = HashIndex { columns, loose, sorted, ..HashIndex::default() };
        for (key, mut bucket) in buckets {
            if let Some(column) = sorted {
                bucket.sort_by_key(|&row| test(row, column).map_or(i64::MIN, |t| t.lower(choice)));
            }
            let start = index.items.len() as u32;
            if let Some(column) = sorted {
                let low = |row: &u32| test(*row, column).map_or(i64::MIN, |t| t.lower(choice));
                index.lows.extend(bucket.iter().map(low));
            }
            index.items.extend(bucket);
            index.buckets.insert(key, (start, index.items.len() as u32));
        }
        Some(index)
    }

    /// Where the bucket's items lie.
    fn bucket(&self, args: &[i64]) -> std::ops::Range<usize> {
        let key = hash(self.columns.iter().map(|c| args.get(*c).copied().unwrap_or(ABSENT)));
        self.buckets.get(&key).map_or(0..0, |&(start, end)| start as usize..end as usize)
    }
}

impl Exact {
    fn new(rows: &[IndexRow], members: &[u32], keys: usize, choice: Choice) -> Option<Exact> {
        if matches!(choice, Choice::Steps(_)) || keys == 0 {
            return None;
        }
        let row = |at: u32| rows.get(at as usize);
        let lists =
            |at: u32| -> Option<Vec<Vec<i64>>> { row(at)?.tests.iter().map(CellTest::keys).collect() };
        // The least key and the number of codes of each column; code 0 stands for absent.
        let mut columns = vec![(i64::MAX, i64::MIN); keys];
        for &at in members {
            for (list, (least, most)) in lists(at)?.iter().zip(&mut columns) {
                for &key in list.iter().filter(|k| **k != ABSENT) {
                    *least = key.min(*least);
                    *most = key.max(*most);
                }
            }
        }
        let mut packing = Vec::new();
        let mut all = 1u64;
        for (least, most) in columns {
            let size = if least > most {
                1
            } else {
                u64::try_from(most.checked_sub(least)?).ok()?.checked_add(2)?
            };
            all = all.checked_mul(size)?;
            packing.push((if least > most { 0 } else { least }, size));
        }
        let mut exact = Exact { packing, rows: FxHashMap::default() };
        let mut weights: FxHashMap<u64, i64> = FxHashMap::default();
        for &at in members {
            let mut combos: Vec<Vec<i64>> = vec![Vec::new()];
            for list in lists(at)? {
                combos =
                    combos.iter().flat_map(|c| list.iter().map(|k| [c.as_slice(), &[*k]].concat())).collect();
                if combos.len() > 10_000 {
                    return None;
                }
            }
            for combo in combos {
                let weight = match choice {
                    Choice::Nearest => row(at)?.tests.iter().map(CellTest::weight).sum(),
                    Choice::First => -i64::from(at),
                    _ => 0,
                };
                let key = exact.pack(&combo)?;
                match weights.get(&key) {
                    Some(w) if *w > weight => {}
                    Some(w) if *w == weight => {
                        // One row may list a key twice.
                        if exact.rows.get(&key) != Some(&at) {
                            exact.rows.insert(key, CONFLICT);
                        }
                    }
                    _ => {
                        weights.insert(key, weight);
                        exact.rows.insert(key, at);
                    }
                }
            }
            if exact.rows.len() > 50 * members.len() + 10_000 {
                return None;
            }
        }
        Some(exact)
    }

    /// The keys as one number; `None` where no row can have them.
    #[inline]
    fn pack(&self, keys: &[i64]) -> Option<u64> {
        let mut packed = 0u64;
        for ((least, size), key) in self.packing.iter().zip(keys) {
            let code = match *key {
                ABSENT => 0,
                key => u64::try_from(key.checked_sub(*least)?).ok()? + 1,
            };
            if code >= *size {
                return None;
            }
            packed = packed * size + code;
        }
        Some(packed)
    }

    /// The row; outer `None` if two exclude each other.
    #[inline]
    fn find(&self, args: &[i64]) -> Option<Option<u32>> {
        match self.pack(args).and_then(|key| self.rows.get(&key)) {
            Some(&CONFLICT) => None,
            row => Some(row.copied()),
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
        if let Some(exact) = &self.exact {
            return exact.find(args);
        }
        let mut best = Best { table, args, day: self.day.and_then(|d| args.get(d)).copied(), found: None };
        let Some(hash) = &self.hash else {
            best.over(&self.rows);
            return best.answer();
        };
        best.over(&hash.loose);
        let range = hash.bucket(args);
        let bucket = hash.items.get(range.clone()).unwrap_or_default();
        match (hash.sorted, table.choice) {
            (Some(column), choice) if bucket.len() > LINEAR => {
                let key = args.get(column).copied().unwrap_or(ABSENT);
                let lows = hash.lows.get(range).unwrap_or_default();
                let end = lows.partition_point(|low| *low <= key);
                let below = bucket.get(..end).unwrap_or_default();
                if key == ABSENT {
                    // No range and no threshold holds it.
                } else if matches!(choice, Choice::Steps(_)) {
                    best.downwards(below, lows);
                } else {
                    best.over(below.get(below.len().saturating_sub(1)..).unwrap_or_default());
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
                Choice::Nearest => row.tests.iter().map(CellTest::weight).sum(),
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
    fn downwards(&mut self, rows: &[u32], lows: &[i64]) {
        let fits = |at: &u32| self.table.rows.get(*at as usize).is_some_and(|row| self.fits(row));
        let Some(last) = rows.iter().rposition(fits) else { return };
        let level = lows.get(last).copied().unwrap_or(i64::MIN);
        let first = lows.partition_point(|low| *low < level);
        self.over(rows.get(first..=last).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests;
