//! Which rules and table rows some case shows at work.
use crate::cases::CaseResult;
use crate::cases::bounds::takes_part;
use crate::lang::source::Span;
use crate::lang::typed::{Row, RuleId, TableId};
use crate::program::outcome::RowHit;
use crate::rulebook::Book;
use std::collections::{BTreeMap, BTreeSet};

/// What the cases of one rulebook cover. Only what takes part in some store's program counts.
#[derive(Debug, Default)]
pub struct Coverage {
    pub rules: usize,
    pub rows: usize,
    /// The rules that no case shows deciding, or leaving an output undecided: id and place.
    pub idle_rules: Vec<(String, Span)>,
    /// The rows that no rule of those read in any case: `policy.table row n` and place.
    pub idle_rows: Vec<(String, Span)>,
}

impl Coverage {
    /// Counts over all results.
    pub fn of(book: &Book, results: &[CaseResult]) -> Coverage {
        let (rules, rows) = Coverage::idle(book, results);
        let mut coverage = Coverage::default();
        for (i, rule) in book.typed.rules.iter().enumerate().filter(|(_, r)| takes_part(book, r.policy)) {
            coverage.rules += 1;
            if let Some(name) = rules.get(&RuleId(i as u32)) {
                coverage.idle_rules.push((name.clone(), rule.span));
            }
        }
        for (hit, row) in all_rows(book) {
            coverage.rows += 1;
            if let Some(name) = rows.get(&hit) {
                coverage.idle_rows.push((name.clone(), row.span));
            }
        }
        coverage
    }

    /// The rules and rows that no result shows, with their names.
    pub(super) fn idle(
        book: &Book,
        results: &[CaseResult],
    ) -> (BTreeMap<RuleId, String>, BTreeMap<RowHit, String>) {
        let because = || results.iter().flat_map(|r| &r.because);
        let open = || results.iter().flat_map(|r| &r.open);
        let questioned = open().flat_map(|o| o.rules.iter().copied());
        let rules: BTreeSet<RuleId> = because().map(|b| b.rule).chain(questioned).collect();
        let asked = open().flat_map(|o| o.rows.iter().copied());
        let rows: BTreeSet<RowHit> = because().flat_map(|b| b.rows.iter().copied()).chain(asked).collect();
        let all = book.typed.rules.iter().enumerate().map(|(i, r)| (RuleId(i as u32), r));
        let idle = all.filter(|(id, r)| takes_part(book, r.policy) && !rules.contains(id));
        let rules = idle.map(|(id, _)| (id, book.typed.rule_id(id))).collect();
        let idle = all_rows(book).into_iter().filter(|(hit, _)| !rows.contains(hit));
        (rules, idle.map(|(hit, _)| (hit, row_name(book, hit))).collect())
    }
}

/// Every row that takes part in some store's program.
fn all_rows(book: &Book) -> Vec<(RowHit, &Row)> {
    let mut all = Vec::new();
    for (t, table) in book.typed.tables.iter().enumerate() {
        for (b, block) in [&table.own].into_iter().chain(&table.extra).enumerate() {
            if takes_part(book, block.policy) {
                let hit = |r: usize| RowHit { table: TableId(t as u32), block: b as u32, row: r as u32 };
                all.extend(block.rows.iter().enumerate().map(|(r, row)| (hit(r), row)));
            }
        }
    }
    all
}

/// `policy.table row n`
fn row_name(book: &Book, hit: RowHit) -> String {
    let Some(table) = book.typed.tables.get(hit.table.ix()) else { return String::new() };
    let block = match hit.block.checked_sub(1) {
        None => Some(&table.own),
        Some(extra) => table.extra.get(extra as usize),
    };
    let policy = block.and_then(|b| book.typed.policies.get(b.policy.ix()));
    let path = policy.map_or("", |p| p.path.as_str());
    format!("{path}.{} row {}", table.name, hit.row + 1)
}

/// `rule coverage 97% (33 of 34)`; rounded down, so that 100% means all.
pub fn line(what: &str, all: usize, idle: usize) -> String {
    let covered = all - idle;
    let percent = (covered * 100).checked_div(all).unwrap_or(100);
    format!("{what} coverage {percent}% ({covered} of {all})")
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn only_all_is_a_hundred() {
        assert_eq!(line("rule", 1000, 1), "rule coverage 99% (999 of 1000)");
        assert_eq!(line("rule", 3, 0), "rule coverage 100% (3 of 3)");
        assert_eq!(line("row", 0, 0), "row coverage 100% (0 of 0)");
    }
}
