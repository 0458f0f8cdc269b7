//! Dates: values and rows that are never in force, days without a value of a param, days without a policy.
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;
use crate::lang::typed::*;
use crate::program::literal::date;
use crate::rulebook::Book;
use std::collections::BTreeSet;

/// Rows of one table that are told one by one.
const MOST_ROWS: usize = 20;

/// What the dates of a rulebook leave out.
pub(super) fn analyse(book: &Book) -> Vec<Diagnostic> {
    let typed = &book.typed;
    let mut found = Vec::new();
    for param in &typed.params {
        let within = dates_of(typed, param.policy);
        never(typed, param, param.policy, &param.values, &mut found);
        for setting in &param.settings {
            never(typed, param, setting.policy, &setting.values, &mut found);
        }
        found.extend(missing(param, &within));
    }
    for table in &typed.tables {
        let mut told = 0;
        for block in std::iter::once(&table.own).chain(&table.extra) {
            let within = dates_of(typed, block.policy);
            for row in block.rows.iter().filter(|r| !r.dates.is_always() && !meet(&r.dates, &within)) {
                told += 1;
                if told > MOST_ROWS {
                    continue;
                }
                let message = format!("this row of `{}` is never in force", table.name);
                found.push(outside(typed, "W0617", row.span, message, block.policy));
            }
        }
        if told > MOST_ROWS {
            let message = format!("{} more rows of `{}` are never in force", told - MOST_ROWS, table.name);
            let at = crate::analysis::tables::head(table);
            found
                .push(Diagnostic::warning("W0617", at, message).help("mend the first ones, and check again"));
        }
    }
    found.extend(without_policy(book));
    found
}

fn dates_of(book: &Rulebook, policy: PolicyId) -> DateRange {
    book.policies.get(policy.ix()).map(|p| p.dates).unwrap_or_default()
}

/// Whether two ranges have a day in common.
fn meet(a: &DateRange, b: &DateRange) -> bool {
    let before = |end: Option<i32>, start: Option<i32>| matches!((end, start), (Some(e), Some(s)) if e <= s);
    !before(a.before, b.from) && !before(b.before, a.from)
}

fn outside(book: &Rulebook, code: &'static str, span: Span, message: String, policy: PolicyId) -> Diagnostic {
    let policy = book.policies.get(policy.ix());
    let path = policy.map_or("", |p| p.path.as_str());
    let dates = policy.map(|p| p.dates).unwrap_or_default();
    let found =
        Diagnostic::warning(code, span, format!("{message}: `{path}` is in force only {}", range(&dates)));
    found.help("give it dates within those of its policy, or remove it")
}

/// `from 2026-01-01 before 2027-01-01`
fn range(dates: &DateRange) -> String {
    let from = dates.from.map(|d| format!("from {}", date(d)));
    let before = dates.before.map(|d| format!("before {}", date(d)));
    from.into_iter().chain(before).collect::<Vec<_>>().join(" ")
}

/// Values whose days all lie outside those of the policy that states them.
fn never(
    book: &Rulebook,
    param: &Param,
    policy: PolicyId,
    values: &[DatedValue],
    found: &mut Vec<Diagnostic>,
) {
    let within = dates_of(book, policy);
    for value in values.iter().filter(|v| !v.dates.is_always() && !meet(&v.dates, &within)) {
        let message = format!("this value of `{}` is never in force", param.name);
        found.push(outside(book, "W0617", value.value.span, message, policy));
    }
}

/// Days within the policy's without any value. Days before the first value count only where the policy says when it begins.
fn missing(param: &Param, within: &DateRange) -> Option<Diagnostic> {
    let mut ranges: Vec<(DateRange, Span)> =
        param.values.iter().filter(|v| meet(&v.dates, within)).map(|v| (v.dates, v.value.span)).collect();
    ranges.sort_by_key(|(r, _)| r.from.map_or(i64::MIN, i64::from));
    let (first, at) = ranges.first()?;
    let tell = |span: Span, days: String| {
        let message = format!("`{}` has no value {days}: what reads it then is faulty", param.name);
        Diagnostic::warning("W0617", span, message)
            .help("let the values' dates touch: `A before 2027-01-01, B from 2027-01-01`")
    };
    if let (Some(begins), Some(from)) = (within.from, first.from)
        && begins < from
    {
        return Some(tell(*at, format!("from {} through {}", date(begins), date(from - 1))));
    }
    for ((a, _), (b, span)) in ranges.iter().zip(ranges.iter().skip(1)) {
        if let (Some(end), Some(from)) = (a.before, b.from)
            && end < from
        {
            return Some(tell(*span, format!("from {} through {}", date(end), date(from - 1))));
        }
    }
    let (last, at) = ranges.last()?;
    let end = last.before?;
    within.before.is_none_or(|b| end < b).then(|| tell(*at, format!("from {} on", date(end))))
}

/// Days between policies on which none decides. Between versions of one policy that is told while reading (W0502).
fn without_policy(book: &Book) -> Vec<Diagnostic> {
    let typed = &book.typed;
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    for program in &book.programs {
        for (d, decision) in typed.vocab.decisions.iter().enumerate() {
            let decides = |(i, p): &(usize, &Policy)| {
                p.decides == Some(DecisionId(d as u32)) && program.linked().has_policy(PolicyId(*i as u32))
            };
            let mut all: Vec<&Policy> =
                typed.policies.iter().enumerate().filter(decides).map(|(_, p)| p).collect();
            all.sort_by_key(|p| (p.dates.from.map_or(i64::MIN, i64::from), p.path.clone()));
            let mut end: Option<i64> = None;
            let mut before: Vec<&Policy> = Vec::new();
            for policy in all {
                let from = policy.dates.from.map_or(i64::MIN, i64::from);
                if let Some(gap) = end.filter(|end| *end < from)
                    && !before.iter().any(|b| b.path == policy.path)
                    && governed(&before, policy)
                    && told.insert((d, policy.span))
                {
                    let day = |d: i64| i32::try_from(d).map(date).unwrap_or_default();
                    let message = format!(
                        "no policy decides `{}` from {} through {}: all others have ended before this one begins",
                        decision.name,
                        day(gap),
                        day(from - 1)
                    );
                    let start = policy.span.start;
                    let head = Span {
                        end: (start + 7 + policy.path.len() as u32).min(policy.span.end),
                        ..policy.span
                    };
                    found.push(
                        Diagnostic::warning("W0617", head, message)
                            .help("let it begin where the others end, or let one of them run on"),
                    );
                }
                end = Some(end.unwrap_or(i64::MIN).max(policy.dates.before.map_or(i64::MAX, i64::from)));
                before.push(policy);
            }
        }
    }
    found
}

/// Whether policies compare their dates with one and the same fact: otherwise their days are not the same days.
fn governed(before: &[&Policy], policy: &Policy) -> bool {
    fn same(a: &Expr, b: &Expr) -> bool {
        match (&a.kind, &b.kind) {
            (ExprKind::Root(a), ExprKind::Root(b)) => a == b,
            (ExprKind::Field(a, i), ExprKind::Field(b, j)) => i == j && same(a, b),
            (ExprKind::Present(a), ExprKind::Present(b)) => same(a, b),
            _ => false,
        }
    }
    before.iter().all(|b| match (&b.governed_by, &policy.governed_by) {
        (Some(a), Some(b)) => same(a, b),
        _ => false,
    })
}
