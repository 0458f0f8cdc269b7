//! `x is a or b`: what a sentence says of several values, written as if each were a condition.
use super::cx::{Cx, Scope};
use crate::lang::ast;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::typed::*;

impl<'a> Cx<'a> {
    /// How many parts after the first of `parts` are not conditions but further values of its comparison (`first`, as it
    /// was typed); they are told in one finding, with the set that says it.
    pub(super) fn listed(&mut self, s: &mut Scope, parts: &'a [ast::Expr], first: &Expr, and: bool) -> usize {
        let Some((head, rest)) = parts.split_first() else { return 0 };
        let ast::ExprKind::Binary(b) = &head.kind else { return 0 };
        let (verb, negated) = match b.op {
            ast::BinaryOp::Is | ast::BinaryOp::In => ("in", false),
            ast::BinaryOp::IsNot | ast::BinaryOp::NotIn => ("not in", true),
            _ => return 0,
        };
        // `x in {a, b} or c`: the value joins those that are there.
        let before: &[ast::Expr] = match &b.right.kind {
            ast::ExprKind::Set(items) if !items.is_empty() => items,
            _ => std::slice::from_ref(&b.right),
        };
        let more = rest.iter().take_while(|e| self.is_value(s, e)).count();
        let values: Vec<&ast::Expr> = before.iter().chain(rest.get(..more).unwrap_or(&[])).collect();
        let (Some(last), true) = (values.last(), more > 0 && before.iter().all(|e| self.is_value(s, e)))
        else {
            return 0;
        };
        // With `and` nothing could be all of them, and after `not` people mean either: so those are only offered.
        let subject = subject(first);
        let certain = !and
            && !negated
            && subject.as_ref().is_some_and(|ty| {
                let words = self.words_of(ty);
                values.iter().all(|v| word(v).is_some_and(|w| words.contains(w)))
            });
        let joined = if and { "and" } else { "or" };
        let texts: Vec<String> = values.iter().map(|v| self.text(v.span)).collect();
        let span = head.span.to(last.span);
        let written = format!("{} {verb} {{{}}}", self.sources().snippet(b.left.span), texts.join(", "));
        let message = match rest.get(..more).unwrap_or(&[]) {
            [one] => {
                format!("`{joined}` joins whole conditions, but `{}` is only a value", self.text(one.span))
            }
            [one, ..] => {
                format!(
                    "`{joined}` joins whole conditions, but `{}` and others are only values",
                    self.text(one.span)
                )
            }
            [] => return 0,
        };
        let found = Diagnostic::error("E0301", span, message)
            .help(format!("several values stand in braces: `{written}`"));
        self.push(found.suggest(span, written).certain_if(certain));
        more
    }

    /// Whether an expression can only be a value: a literal, or a word of the vocabulary that is not the name of anything here.
    fn is_value(&self, s: &Scope, e: &ast::Expr) -> bool {
        use ast::ExprKind as A;
        match &e.kind {
            A::Number(_) | A::Percent(_) | A::Quantity(_) | A::Period(..) | A::Duration(..) | A::Date(_) => {
                true
            }
            A::Text(_) => true,
            A::Path(p) => {
                p.single().is_some_and(|n| self.words.contains_key(&n.text) && !self.is_name(s, &n.text))
            }
            _ => false,
        }
    }
}

/// The word that an expression is, if it is one.
fn word(e: &ast::Expr) -> Option<&String> {
    match &e.kind {
        ast::ExprKind::Path(p) => p.single().map(|n| &n.text),
        _ => None,
    }
}

/// The type of what is compared.
fn subject(e: &Expr) -> Option<Ty> {
    match &e.kind {
        ExprKind::Is(l, _) | ExprKind::In(l, _) => Some(l.ty.inner().clone()),
        ExprKind::Not(inner) | ExprKind::Present(inner) => subject(inner),
        _ => None,
    }
}
