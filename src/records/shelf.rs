//! Rows of one table as a batch sees them: what was loaded, and what the batch changed.
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// A row of a table; the key begins with what owns the row, so that an owner's rows are a range.
pub trait Row: Clone + PartialEq {
    type Key: Ord + Clone;
    fn key(&self) -> Self::Key;
}

#[derive(Clone, Debug)]
struct Slot<R> {
    row: Option<R>,
    /// As it is in the database.
    base: Option<R>,
}

/// The rows of one table. Changes since the last [`Shelf::mark`] can be taken back.
#[derive(Debug)]
pub struct Shelf<R: Row> {
    slots: BTreeMap<R::Key, Slot<R>>,
    undo: Vec<(R::Key, Option<R>)>,
    /// Keys that the batch has put, for writing and for starting over without looking at all rows.
    touched: Vec<R::Key>,
}

impl<R: Row> Default for Shelf<R> {
    fn default() -> Shelf<R> {
        Shelf { slots: BTreeMap::new(), undo: Vec::new(), touched: Vec::new() }
    }
}

impl<R: Row> Shelf<R> {
    /// Takes up a row from the database, in place of what was loaded of it before: a row may be met by a finder first and
    /// again when its owner is locked, and only then is it sure to be what will be changed. What the batch has changed
    /// of it stays.
    pub fn load(&mut self, row: R) {
        let slot = self.slots.entry(row.key()).or_insert(Slot { row: None, base: None });
        if slot.row == slot.base {
            slot.row = Some(row.clone());
            slot.base = Some(row);
        }
    }
    /// A row by key, if it exists and was loaded.
    pub fn get(&self, key: &R::Key) -> Option<&R> {
        self.slots.get(key)?.row.as_ref()
    }
    /// Inserts a row, or puts it in place of the one with its key.
    pub fn put(&mut self, row: R) {
        let key = row.key();
        let slot = self.slots.entry(key.clone()).or_insert(Slot { row: None, base: None });
        self.undo.push((key.clone(), slot.row.take()));
        slot.row = Some(row);
        self.touched.push(key);
    }
    /// The rows of a range of keys, in order.
    pub fn range(&self, keys: RangeInclusive<R::Key>) -> impl Iterator<Item = &R> {
        self.slots.range(keys).filter_map(|(_, slot)| slot.row.as_ref())
    }
    /// From here on changes can be taken back.
    pub fn mark(&mut self) {
        self.undo.clear();
    }
    /// Takes back what changed since the mark.
    pub fn back(&mut self) {
        while let Some((key, row)) = self.undo.pop() {
            if let Some(slot) = self.slots.get_mut(&key) {
                slot.row = row;
            }
        }
    }
    /// Takes back every change of the batch; what was loaded stays.
    pub fn reset(&mut self) {
        self.undo.clear();
        for key in self.touched.drain(..) {
            if let Some(slot) = self.slots.get_mut(&key) {
                slot.row = slot.base.clone();
            }
        }
    }
    /// A row as it is in the database, if it was there when it was loaded.
    pub fn base(&self, key: &R::Key) -> Option<&R> {
        self.slots.get(key)?.base.as_ref()
    }
    /// Rows that are new, and rows that differ from the database, each in the order of keys.
    pub fn changes(&self) -> (Vec<&R>, Vec<&R>) {
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        let mut keys: Vec<&R::Key> = self.touched.iter().collect();
        keys.sort_unstable();
        keys.dedup();
        for slot in keys.into_iter().filter_map(|key| self.slots.get(key)) {
            match (&slot.base, &slot.row) {
                (None, Some(row)) => new.push(row),
                (Some(base), Some(row)) if base != row => changed.push(row),
                _ => {}
            }
        }
        (new, changed)
    }
}
