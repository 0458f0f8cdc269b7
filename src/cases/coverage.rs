//! Which rules and table rows some case shows at work.
use crate::cases::CaseResult;
use crate::lang::source::Span;
use crate::lang::typed::{PolicyId, RuleId, TableId};
use crate::program::outcome::RowHit;
use crate::rulebook::Book;
use std::collections::BTreeSet;

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
        let because = || results.iter().flat_map(|r| &r.because);
        let open = || results.iter().flat_map(|r| &r.open);
        let questioned = open().flat_map(|o| o.rules.iter().copied());
        let rules: BTreeSet<RuleId> = because().map(|b| b.rule).chain(questioned).collect();
        let asked = open().flat_map(|o| o.rows.iter().copied());
        let rows: BTreeSet<RowHit> = because().flat_map(|b| b.rows.iter().copied()).chain(asked).collect();
        let takes_part = |policy: PolicyId| book.programs.iter().any(|p| p.linked().has_policy(policy));
        let mut coverage = Coverage::default();
        for (i, rule) in book.typed.rules.iter().enumerate().filter(|(_, r)| takes_part(r.policy)) {
            let id = RuleId(i as u32);
            coverage.rules += 1;
            if !rules.contains(&id) {
                coverage.idle_rules.push((book.typed.rule_id(id), rule.span));
            }
        }
        for (t, table) in book.typed.tables.iter().enumerate() {
            for (b, block) in [&table.own].into_iter().chain(&table.extra).enumerate() {
                if !takes_part(block.policy) {
                    continue;
                }
                let path = book.typed.policies.get(block.policy.ix()).map_or("", |p| p.path.as_str());
                for (r, row) in block.rows.iter().enumerate() {
                    coverage.rows += 1;
                    let hit = RowHit { table: TableId(t as u32), block: b as u32, row: r as u32 };
                    if !rows.contains(&hit) {
                        coverage.idle_rows.push((format!("{path}.{} row {}", table.name, r + 1), row.span));
                    }
                }
            }
        }
        coverage
    }
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
