//! Two policies of one layer that say different things to one store: nothing but their names would decide between them.
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;
use crate::lang::typed::{
    DateRange, DatedValue, ExprKind, Param, PolicyId, Row, RowBlock, Rulebook, Setting, Table, Test,
};
use crate::rulebook::manifest::StoreDef;
use crate::rulebook::program::takes_part;
use rustc_hash::FxHashMap;

/// Finds settings of a parameter, and rows of a table, that two policies of one layer give to the same store.
pub(super) fn check(book: &Rulebook, stores: &[StoreDef], findings: &mut Vec<Diagnostic>) {
    let parts: Vec<(&StoreDef, Vec<bool>)> = stores.iter().map(|s| (s, takes_part(book, s))).collect();
    let both = |a: PolicyId, b: PolicyId| {
        let rank = |p: PolicyId| book.policies.get(p.ix()).map(|p| p.layer.rank);
        let has = |part: &[bool], p: PolicyId| part.get(p.ix()).copied().unwrap_or(false);
        let met = parts.iter().find(|(_, part)| has(part, a) && has(part, b));
        met.filter(|_| a != b && rank(a) == rank(b)).map(|(store, _)| store.id.as_str())
    };
    for param in &book.params {
        for (i, first) in param.settings.iter().enumerate() {
            for second in param.settings.iter().skip(i + 1) {
                if let Some(store) = both(first.policy, second.policy) {
                    findings.extend(settings(book, param, first, second, store));
                }
            }
        }
    }
    for table in &book.tables {
        for (i, first) in table.extra.iter().enumerate() {
            for second in table.extra.iter().skip(i + 1) {
                if let Some(store) = both(first.policy, second.policy) {
                    findings.extend(rows(book, table, first, second, store));
                }
            }
        }
    }
}

fn path(book: &Rulebook, policy: PolicyId) -> &str {
    book.policies.get(policy.ix()).map_or("", |p| p.path.as_str())
}

/// Whether two ranges have a day in common.
fn meet(a: &DateRange, b: &DateRange) -> bool {
    let begins =
        |from: Option<i32>, before: Option<i32>| from.zip(before).is_none_or(|(from, before)| from < before);
    begins(a.from, b.before) && begins(b.from, a.before)
}

/// Whether both policies are in force on a common day.
fn in_force(book: &Rulebook, a: PolicyId, b: PolicyId) -> bool {
    let dates = |p: PolicyId| book.policies.get(p.ix()).map(|p| &p.dates);
    dates(a).zip(dates(b)).is_none_or(|(a, b)| meet(a, b))
}

fn settings(
    book: &Rulebook,
    param: &Param,
    first: &Setting,
    second: &Setting,
    store: &str,
) -> Option<Diagnostic> {
    let differ = |a: &DatedValue, b: &DatedValue| match (&a.value.kind, &b.value.kind) {
        (ExprKind::Const(a), ExprKind::Const(b)) => a != b,
        _ => true,
    };
    let pairs = first.values.iter().flat_map(|a| second.values.iter().map(move |b| (a, b)));
    let (a, b) = pairs.into_iter().find(|(a, b)| {
        meet(&a.dates, &b.dates) && differ(a, b) && in_force(book, first.policy, second.policy)
    })?;
    let message = format!(
        "`{}` is set by two policies of one layer for store `{store}`: {} and {}",
        param.name,
        path(book, first.policy),
        path(book, second.policy)
    );
    Some(told("E0204", b.value.span, message, a.value.span))
}

fn rows(
    book: &Rulebook,
    table: &Table,
    first: &RowBlock,
    second: &RowBlock,
    store: &str,
) -> Option<Diagnostic> {
    if !in_force(book, first.policy, second.policy) {
        return None;
    }
    // Tables have up to 100,000 rows: what the first block says is looked up, not searched.
    let mut by_key: FxHashMap<&[Test], Vec<&Row>> = FxHashMap::default();
    for row in &first.rows {
        by_key.entry(&row.tests).or_default().push(row);
    }
    let clash = |a: &Row, b: &Row| a.results != b.results && meet(&a.dates, &b.dates);
    let (a, b) = second
        .rows
        .iter()
        .find_map(|b| by_key.get(b.tests.as_slice())?.iter().find(|a| clash(a, b)).map(|a| (*a, b)))?;
    let message = format!(
        "two policies of one layer give `{}` different rows for the same, for store `{store}`: {} and {}",
        table.name,
        path(book, first.policy),
        path(book, second.policy)
    );
    Some(told("E0413", b.span, message, a.span))
}

fn told(code: &'static str, at: Span, message: String, other: Span) -> Diagnostic {
    Diagnostic::error(code, at, message)
        .note(other, "the other one is here")
        .help("write it in one of them, or give each the dates for which it counts")
}
