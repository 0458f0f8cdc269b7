//! Tables: keys that no row fits, rows that conflict, rows that are never hit, rows written twice.
//!
//! Exact over all keys, by [`sweep`]; every example is looked up with the reference walk, and a gap is told only with facts
//! of a decision that runs into it.
mod axis;
mod reach;
mod sweep;

use crate::analysis::contexts::Contexts;
use crate::lang::diagnostic::{Diagnostic, Severity};
use crate::lang::source::Span;
use crate::lang::typed::*;
use crate::program::literal::literal;
use crate::program::value::Value;
use crate::program::walk::rows_on;
use crate::rulebook::{Book, Program};
use axis::Axis;
use reach::Reach;
use std::collections::BTreeMap;
use sweep::{Boxed, Found, Region, Sweep, merged};

/// Steps that the sweep of one block may take: a hundred thousand rows of few columns need about a million.
const BUDGET: u64 = 6_000_000;
/// Gaps of a table that are told; the others are counted.
const MOST_GAPS: usize = 4;
/// Findings of one kind of a table that are told one by one.
const MOST_ROWS: usize = 20;

/// What the tables of a rulebook say badly.
pub(super) fn analyse(book: &Book, contexts: &Contexts<'_>) -> Vec<Diagnostic> {
    let reach = Reach::new(book, contexts);
    let mut found = Vec::new();
    for (i, table) in book.typed.tables.iter().enumerate() {
        let id = TableId(i as u32);
        // What is only taken from (`fill`) is no lookup: its rows may repeat and leave out what they like.
        if !reach.is_looked_up(id) {
            continue;
        }
        let blocks = std::iter::once(&table.own).chain(&table.extra);
        for (block, rows) in (0..).zip(blocks) {
            let Some(program) = book.programs.iter().find(|p| p.linked().has_policy(rows.policy)) else {
                continue;
            };
            let block = Block { book, program, id, table, block, rows };
            block.look(&reach, &mut found);
        }
    }
    found
}

/// The rows of one policy for a table.
#[derive(Clone, Copy)]
struct Block<'b> {
    book: &'b Book,
    /// A program that it takes part in.
    program: &'b Program,
    id: TableId,
    table: &'b Table,
    block: u32,
    rows: &'b RowBlock,
}

impl Block<'_> {
    fn look(&self, reach: &Reach<'_>, found: &mut Vec<Diagnostic>) {
        self.repeated(found);
        let Some((axes, rows)) = self.axes() else {
            return found.push(self.open("its cells cannot be compared with each other"));
        };
        match Sweep::run(&axes, &rows, self.table.hit, BUDGET) {
            None => found.push(self.open("its rows overlap in too many ways")),
            Some(seen) => {
                self.overlaps(&axes, &seen, found);
                self.hidden(&axes, &rows, &seen, found);
                if self.block == 0 && self.must_fit() {
                    found.extend(self.gaps(&axes, seen.gaps, reach));
                }
            }
        }
    }

    /// The head of the table, so that it and not all its rows is shown.
    fn head(&self) -> Span {
        head(self.table)
    }

    fn open(&self, why: &str) -> Diagnostic {
        let message = format!(
            "whether the rows of `{}` leave something out, conflict or hide each other was not decided: {why}",
            self.table.name
        );
        Diagnostic::new(Severity::Note, "N0701", self.head(), message)
            .help("rows that differ in one column only, or fewer columns, can be decided")
    }

    /// Whether keys that no row fits are faulty.
    fn must_fit(&self) -> bool {
        let table = self.table;
        !matches!(table.hit, Hit::Collect(Collect::Sum | Collect::All))
            && !table.results.iter().all(|(_, ty)| ty.is_optional())
    }

    /// The columns cut into pieces, and the rows as boxes of them.
    fn axes(&self) -> Option<(Vec<Axis>, Vec<Boxed>)> {
        let (vocab, rows) = (&self.book.typed.vocab, &self.rows.rows);
        let mut axes = Vec::new();
        for (column, (name, ty)) in self.table.params.iter().enumerate() {
            let tests = rows.iter().filter_map(|r| r.tests.get(column));
            axes.push(Axis::column(vocab, name, ty, tests)?);
        }
        let dated = rows.iter().any(|r| !r.dates.is_always());
        let within = self.book.typed.policies.get(self.rows.policy.ix()).map(|p| p.dates).unwrap_or_default();
        if dated {
            axes.push(Axis::days(rows, &within));
        }
        let boxes = rows.iter().map(|row| self.boxed(&axes, row, dated)).collect::<Option<_>>()?;
        Some((axes, boxes))
    }

    fn boxed(&self, axes: &[Axis], row: &Row, dated: bool) -> Option<Boxed> {
        let mut pieces = Vec::new();
        let mut weight = 0;
        for (column, (test, axis)) in row.tests.iter().zip(axes).enumerate() {
            let threshold = self.table.hit == Hit::Steps(column as u32);
            let fits = axis.pieces(test, threshold)?;
            match self.table.hit {
                Hit::Steps(_) if threshold && *test != Test::Else => {
                    weight = fits.first().map_or(0, |p| p.start + 1);
                }
                Hit::Nearest => weight += depth(&self.book.typed.vocab, &axis.ty, test),
                _ => {}
            }
            pieces.push(fits);
        }
        if dated {
            pieces.push(axes.last().map(|axis| axis.in_force(&row.dates)).into_iter().collect());
        }
        let elses = row.tests.iter().filter(|t| **t == Test::Else).count();
        Some(Boxed { pieces, elses, weight })
    }

    /// Key values of a region, and the day.
    fn keys(&self, axes: &[Axis], region: &Region) -> Option<(Vec<Value>, i32)> {
        let mut values = Vec::new();
        for (axis, pieces) in axes.iter().zip(region) {
            values.push(pieces.iter().find_map(|p| axis.value(p))?);
        }
        let day = match values.get(self.table.params.len()) {
            Some(Value::Date(day)) => *day,
            _ => 0,
        };
        values.truncate(self.table.params.len());
        Some((values, day))
    }

    /// `c = clothing, s = absent, on 2026-03-01`
    fn said(&self, keys: &[Value], day: Option<i32>) -> String {
        let one = |((name, ty), v): (&(String, Ty), &Value)| {
            format!("{name} = {}", literal(&self.book.typed.vocab, ty, v))
        };
        let mut said: Vec<String> = self.table.params.iter().zip(keys).map(one).collect();
        said.extend(day.map(|d| format!("on {}", crate::program::literal::date(d))));
        said.join(", ")
    }

    fn looked_up(&self, keys: &[Value], day: i32) -> Option<Vec<u32>> {
        rows_on(self.program.linked(), self.id, self.block, keys, day)
    }

    /// A finding at a row, with the table's head beside it where the row stands in another file.
    fn at_row(&self, code: &'static str, row: &Row, message: String) -> Diagnostic {
        let found = Diagnostic::warning(code, row.span, message);
        if row.span.file == self.table.span.file {
            found
        } else {
            found.note(self.head(), "the table is declared here")
        }
    }

    fn overlaps(&self, axes: &[Axis], seen: &Found, found: &mut Vec<Diagnostic>) {
        let dated = axes.len() > self.table.params.len();
        let mut told = 0;
        for ((a, b), region) in &seen.overlaps {
            let (Some(first), Some(second)) =
                (self.rows.rows.get(*a as usize), self.rows.rows.get(*b as usize))
            else {
                continue;
            };
            let Some((keys, day)) = self.keys(axes, region) else { continue };
            // The lookup is the judge.
            if !self.looked_up(&keys, day).is_some_and(|rows| rows.contains(a) && rows.contains(b)) {
                continue;
            }
            told += 1;
            if told > MOST_ROWS {
                continue;
            }
            let example = self.said(&keys, dated.then_some(day));
            let message =
                format!("two rows of `{}` fit {example}: a lookup there is a conflict", self.table.name);
            found.push(self.at_row("W0602", second, message).note(first.span, "the other row").help(
                "narrow one of the rows, or say which wins: `first` takes the first that fits, `nearest` the deepest category",
            ));
        }
        if told > MOST_ROWS {
            found.push(self.more("W0602", told - MOST_ROWS, "pairs of rows conflict"));
        }
    }

    fn more(&self, code: &'static str, count: usize, what: &str) -> Diagnostic {
        Diagnostic::warning(code, self.head(), format!("{count} more {what} in `{}`", self.table.name))
            .help("mend the first ones, and check again")
    }

    /// Rows that are never hit.
    fn hidden(&self, axes: &[Axis], rows: &[Boxed], seen: &Found, found: &mut Vec<Diagnostic>) {
        let twins = twins(self.table, self.rows);
        let mut told = 0;
        for (i, (row, boxed)) in self.rows.rows.iter().zip(rows).enumerate() {
            // A row that is written twice is told so; one whose days lie outside its policy's as well.
            let repeated = twins.contains_key(&(i as u32));
            if seen.hit.get(i).copied().unwrap_or(true) || repeated {
                continue;
            }
            let region: Region = boxed.pieces.clone();
            let Some((keys, day)) = self.keys(axes, &region) else { continue };
            let Some(instead) = self.looked_up(&keys, day) else { continue };
            if instead.contains(&(i as u32)) {
                continue;
            }
            told += 1;
            if told > MOST_ROWS {
                continue;
            }
            let example = self.said(&keys, None);
            let message = if boxed.elses > 0 {
                format!(
                    "this row of `{}` is never reached: the other rows leave nothing to `else`",
                    self.table.name
                )
            } else {
                format!(
                    "this row of `{}` is never reached: wherever it fits, others are taken",
                    self.table.name
                )
            };
            let mut finding = self.at_row("W0603", row, message);
            if let Some(other) = instead.first().and_then(|r| self.rows.rows.get(*r as usize)) {
                finding = finding.note(other.span, format!("taken at {example}"));
            }
            found.push(finding.help(match self.table.hit {
                Hit::First => "rows are tried from the top: move this one up, or remove it",
                _ => "remove the row, or narrow the others",
            }));
        }
        if told > MOST_ROWS {
            found.push(self.more("W0603", told - MOST_ROWS, "rows are never reached"));
        }
    }

    /// Rows that are the same as an earlier one.
    fn repeated(&self, found: &mut Vec<Diagnostic>) {
        let twins = twins(self.table, self.rows);
        for (row, first) in twins.iter().take(MOST_ROWS) {
            let (Some(row), Some(first)) =
                (self.rows.rows.get(*row as usize), self.rows.rows.get(*first as usize))
            else {
                continue;
            };
            let message = format!("this row of `{}` is written twice", self.table.name);
            let finding = self.at_row("W0604", row, message).note(first.span, "the same row");
            found.push(match self.table.hit {
                // What is collected twice counts twice.
                Hit::Collect(Collect::Sum | Collect::All) => {
                    finding.help("it counts twice; remove it if it should not")
                }
                _ => finding.help("remove it").suggest(row.span, ""),
            });
        }
        if let Some(more) = twins.len().checked_sub(MOST_ROWS).filter(|n| *n > 0) {
            found.push(self.more("W0604", more, "rows are written twice"));
        }
    }

    /// Keys that no row fits, where facts exist that ask for them.
    fn gaps(&self, axes: &[Axis], gaps: Vec<Region>, reach: &Reach<'_>) -> Option<Diagnostic> {
        let vocab = &self.book.typed.vocab;
        let dated = axes.len() > self.table.params.len();
        let mut told: Vec<String> = Vec::new();
        let (mut example, mut more) = (None, 0);
        for region in merged(gaps, axes.len()) {
            let shown = reach.asks(self.id, || {
                candidates(axes, &region).into_iter().filter_map(|region| {
                    let (keys, day) = self.keys(axes, &region)?;
                    let none = self.looked_up(&keys, day)?.is_empty();
                    none.then_some((keys, dated.then_some(day)))
                })
            });
            let Some(shown) = shown else { continue };
            if told.len() == MOST_GAPS {
                more += 1;
                continue;
            }
            let parts = axes.iter().zip(&region).filter_map(|(axis, pieces)| {
                let words = axis.words(vocab, pieces)?;
                Some(if axis.name == "the day" {
                    format!("on days {words}")
                } else {
                    format!("{} {words}", axis.name)
                })
            });
            let parts: Vec<String> = parts.collect();
            told.push(if parts.is_empty() { "any keys".to_owned() } else { parts.join(" with ") });
            example = example.or(Some(shown));
        }
        let example = example?;
        let more = if more > 0 { format!(", nor {more} other parts of its keys") } else { String::new() };
        let message =
            format!("no row of `{}` fits {}{more}: {}", self.table.name, told.join(", nor "), example.said);
        Some(
            Diagnostic::warning("W0601", self.head(), message)
                .note(example.site, "looked up here")
                .help("add a row for it, or an `else` row; `undecided \"question\"` is a result too"),
        )
    }
}

/// `table NAME`, without the rows.
pub(super) fn head(table: &Table) -> Span {
    let end = table.span.start + "table ".len() as u32 + table.name.len() as u32;
    Span { end: end.min(table.span.end), ..table.span }
}

/// Some places of a region: the first and the last piece of each column.
fn candidates(axes: &[Axis], region: &Region) -> Vec<Region> {
    let ends = |last: bool| -> Region {
        axes.iter()
            .zip(region)
            .map(|(axis, pieces)| {
                let mut all = pieces.iter().cloned().flatten().filter(|p| axis.is_live(&(*p..p + 1)));
                let one = if last { all.next_back() } else { all.next() };
                one.map(|p| p..p + 1).into_iter().collect()
            })
            .collect()
    };
    let mut all = vec![ends(false), ends(true)];
    all.dedup();
    all
}

/// Rows that say the same as an earlier one of their block, by row: the earlier one.
fn twins(table: &Table, rows: &RowBlock) -> BTreeMap<u32, u32> {
    // Elsewhere two rows that ask the same are an error already.
    if !matches!(table.hit, Hit::First | Hit::Collect(_)) {
        return BTreeMap::new();
    }
    let mut first: rustc_hash::FxHashMap<&[Test], Vec<u32>> = rustc_hash::FxHashMap::default();
    let mut twins = BTreeMap::new();
    for (i, row) in (0..).zip(&rows.rows) {
        let alike = first.entry(&row.tests).or_default();
        let same = |other: &&u32| {
            rows.rows.get(**other as usize).is_some_and(|o| o.results == row.results && o.dates == row.dates)
        };
        match alike.iter().find(same) {
            Some(other) => {
                twins.insert(i, *other);
            }
            None => alike.push(i),
        }
    }
    twins
}

/// How deep a cell lies in its taxonomy, as `nearest` counts: a node its depth and one, other cells nothing.
fn depth(vocab: &Vocab, ty: &Ty, test: &Test) -> u32 {
    match (test, ty.inner()) {
        (Test::Value(Const::Node(node)), Ty::Node(id)) => {
            let node = vocab.taxonomies.get(id.ix()).and_then(|t| t.nodes.get(*node as usize));
            node.map_or(0, |n| n.depth + 1)
        }
        (Test::OneOf(tests), _) => tests.iter().map(|t| depth(vocab, ty, t)).max().unwrap_or(0),
        _ => 0,
    }
}
