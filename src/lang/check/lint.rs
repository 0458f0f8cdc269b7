//! Warnings: texts that mean something, but perhaps not what their author thinks.
use super::cx::{Cx, LetState};
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;
use crate::lang::typed::*;
use std::collections::BTreeSet;

impl Cx<'_> {
    /// Looks at everything that was typed.
    pub fn lints(&mut self) {
        let mut found = Vec::new();
        let mut read = Read::default();
        let mut look = |e: &Expr| {
            visit::all(e, &mut |e| {
                read.note(e);
                if let Some(d) = days_passed(self, e).or_else(|| end_then_months(e)) {
                    found.push(d);
                }
            });
        };
        for l in &self.lets {
            if let LetState::Done(value) = &l.state {
                look(value);
            }
        }
        for m in &self.mods {
            m.applies.iter().for_each(&mut look);
        }
        for t in self.rules.iter().filter_map(|r| r.typed.as_ref()) {
            t.for_each.iter().map(|f| &f.list).for_each(&mut look);
            t.when.iter().for_each(&mut look);
            t.effects.iter().map(|e| &e.value).for_each(&mut look);
        }
        found.extend(self.unread(&read));
        for d in found {
            self.push(d);
        }
    }

    /// Names that nothing reads. A name in error may have been meant: only a text without errors is looked at.
    fn unread(&self, read: &Read) -> Vec<Diagnostic> {
        let torn = self.torn || !self.broken.is_empty() || self.mods.iter().any(|m| !m.ast.broken.is_empty());
        if torn || self.diags.iter().any(Diagnostic::is_error) {
            return Vec::new();
        }
        let mut names: Vec<(Span, &str)> = Vec::new();
        for (i, l) in self.lets.iter().enumerate() {
            if !read.lets.contains(&LetId(i as u32)) {
                names.push((l.ast.name.span, &l.ast.name.text));
            }
        }
        for (i, p) in self.params.iter().enumerate() {
            if !read.params.contains(&ParamId(i as u32)) {
                names.push((p.ast.name.span, &p.ast.name.text));
            }
        }
        for (i, t) in self.tables.iter().enumerate() {
            if !read.tables.contains(&TableId(i as u32)) {
                names.push((t.ast.name.span, &t.ast.name.text));
            }
        }
        let tell = |(span, name): (Span, &str)| {
            Diagnostic::warning("W0503", span, format!("nothing reads `{name}`")).help("use it, or remove it")
        };
        names.into_iter().map(tell).collect()
    }
}

#[derive(Default)]
struct Read {
    lets: BTreeSet<LetId>,
    params: BTreeSet<ParamId>,
    tables: BTreeSet<TableId>,
}

impl Read {
    fn note(&mut self, e: &Expr) {
        match &e.kind {
            ExprKind::Let(id) => {
                self.lets.insert(*id);
            }
            ExprKind::Param(id) => {
                self.params.insert(*id);
            }
            ExprKind::Lookup { table, .. } | ExprKind::Fill { table, .. } => {
                self.tables.insert(*table);
            }
            _ => {}
        }
    }
}

/// `days from A to B <= N` holds when B lies before A, too.
fn days_passed(cx: &Cx<'_>, e: &Expr) -> Option<Diagnostic> {
    let (between, limit, sign) = match &e.kind {
        ExprKind::Cmp(CmpOp::Le, between, limit) | ExprKind::Cmp(CmpOp::Ge, limit, between) => {
            (between, limit, "<=")
        }
        ExprKind::Cmp(CmpOp::Lt, between, limit) | ExprKind::Cmp(CmpOp::Gt, limit, between) => {
            (between, limit, "<")
        }
        _ => return None,
    };
    let ExprKind::Between(unit, from, to) = &between.kind else { return None };
    let (from, to) = (cx.text(from.span), cx.text(to.span));
    let found =
        Diagnostic::warning("W0504", e.span, format!("this also holds when `{to}` lies before `{from}`"))
            .help(format!("write it as a deadline; add `{to} >= {from}` if that matters"));
    // Only days can be taken from one side to the other: a month has no fixed length.
    let whole = *unit == Span2::Days && ![&from, &to].iter().any(|text| text.ends_with('…'));
    let deadline = format!("{to} {sign} {from} + {}", cx.sources().snippet(limit.span));
    Some(if whole { found.suggest(e.span, deadline) } else { found })
}

/// The end of a month and a month is not always the end of a month.
fn end_then_months(e: &Expr) -> Option<Diagnostic> {
    let ExprKind::Arith(ArithOp::Add | ArithOp::Sub, date, period) = &e.kind else { return None };
    let ExprKind::Func(Func::EndOfMonth | Func::EndOfQuarter | Func::EndOfYear, _) = &date.kind else {
        return None;
    };
    let ExprKind::Const(Const::Period(Period::Months(_))) = &period.kind else { return None };
    Some(
        Diagnostic::warning("W0505", e.span, "months after the end of a month need not end a month")
            .help("add the months first: `end_of_month(d + 1 month)`"),
    )
}
