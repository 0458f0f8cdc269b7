//! What the rulebook leaves undecided, and what the analysis could not decide.
use crate::analysis::rules::Decision;
use crate::lang::diagnostic::{Diagnostic, Severity};
use crate::lang::source::Span;
use crate::lang::typed::*;
use crate::rulebook::Book;

/// One note on all questions that the rulebook answers with `undecided`.
pub(super) fn questions(book: &Book) -> Option<Diagnostic> {
    let typed = &book.typed;
    let mut found: Vec<(Span, String)> = Vec::new();
    let ask = |e: &Expr, clause: Option<&String>, found: &mut Vec<(Span, String)>| {
        visit::all(e, &mut |part| match &part.kind {
            ExprKind::Undecided(question)
            | ExprKind::Round { rounding: Rounding::Undecided(question), .. } => {
                found.push((part.span, said(question, clause)));
            }
            _ => {}
        });
    };
    for rule in &typed.rules {
        let clause = rule.clause.as_ref();
        rule.when.iter().for_each(|e| ask(e, clause, &mut found));
        rule.effects.iter().for_each(|e| ask(&e.value, clause, &mut found));
    }
    typed.lets.iter().for_each(|l| ask(&l.value, None, &mut found));
    for param in &typed.params {
        let set = param.settings.iter().flat_map(|s| &s.values);
        param.values.iter().chain(set).for_each(|v| ask(&v.value, param.clause.as_ref(), &mut found));
    }
    for table in &typed.tables {
        for row in table.extra.iter().chain([&table.own]).flat_map(|b| &b.rows) {
            for cell in &row.results {
                if let CellValue::Undecided(question) = cell {
                    let clause = row.clause.as_ref().or(table.clause.as_ref());
                    found.push((row.span, said(question, clause)));
                }
            }
        }
    }
    found.sort();
    found.dedup_by(|a, b| a.1 == b.1);
    let (first, _) = found.first()?;
    let count = found.len();
    let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
    let message = format!(
        "rulebook {} leaves {} undecided: {}",
        typed.name,
        if count == 1 { "one question".to_owned() } else { format!("{count} questions") },
        texts.join("; ")
    );
    Some(Diagnostic::new(Severity::Note, "N0702", *first, message))
}

/// A question as the rulebook asks it, with the clause that leaves it open unless the question names it.
fn said(question: &Label, clause: Option<&String>) -> String {
    let text = question.en("").to_owned();
    let text = if text.is_empty() { question.zh("").to_owned() } else { text };
    match clause {
        Some(clause) if !text.starts_with(clause.as_str()) => format!("§{clause} \"{text}\""),
        _ => format!("\"{text}\""),
    }
}

/// One note on what was not decided about a decision.
pub(super) fn not_decided(decision: &Decision<'_>) -> Option<Diagnostic> {
    if decision.undecided.is_empty() {
        return None;
    }
    let policy = decision.book.typed.policies.iter().find(|p| p.decides == Some(decision.id))?;
    let texts: Vec<&str> = decision.undecided.iter().map(String::as_str).collect();
    let message = format!("not decided about {}: {}", decision.def.name, texts.join("; "));
    Some(Diagnostic::new(Severity::Note, "N0701", policy.span, message).help(
        "no facts that show it were found, and that there are none is not proved: a case would show it",
    ))
}
