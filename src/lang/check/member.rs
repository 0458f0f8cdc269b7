//! `x in …`: values, taxonomy nodes, intervals, lists and sets.
//!
//! An absent value is in nothing: `x in …` of an optional `x` becomes `x is not absent and x in …`, so that evaluators
//! see only present values.
use super::cx::{Cx, Scope, broken_expr, expr, is_broken};
use super::expr::element;
use crate::lang::ast;
use crate::lang::source::Span;
use crate::lang::typed::*;

impl<'a> Cx<'a> {
    pub fn membership(&mut self, s: &mut Scope, b: &'a ast::Binary, span: Span) -> Expr {
        match &b.right.kind {
            ast::ExprKind::Interval(i) => {
                let x = self.lower(s, &b.left, None);
                self.in_interval(s, x, i, span)
            }
            ast::ExprKind::List(items) | ast::ExprKind::Set(items) => {
                let x = self.lower(s, &b.left, None);
                self.in_values(s, x, items, span)
            }
            _ => {
                // `refund in remedies`: the list says what the word is.
                let word = match &b.left.kind {
                    ast::ExprKind::Path(p) => p.single().is_some_and(|n| !self.is_name(s, &n.text)),
                    _ => false,
                };
                if word {
                    let list = self.lower(s, &b.right, None);
                    let of = element(&list.ty).clone();
                    let x = self.lower(s, &b.left, Some(&of));
                    return self.in_collection(x, list, span);
                }
                let x = self.lower(s, &b.left, None);
                let hint = Some(x.ty.inner().clone()).filter(|t| *t != Ty::Never);
                let list = self.lower(s, &b.right, hint.as_ref());
                self.in_collection(x, list, span)
            }
        }
    }

    fn in_interval(&mut self, s: &mut Scope, x: Expr, i: &'a ast::Interval, span: Span) -> Expr {
        let ty = x.ty.inner().clone();
        if ty == Ty::Never {
            self.no_kind(&x);
            return broken_expr(span);
        }
        if !self.is_ordered(&ty) {
            let message = format!("{} has no order, so it is in no interval", self.show(&ty));
            self.error("E0305", span, message);
            return broken_expr(span);
        }
        // A whole number may be compared with bounds that are not.
        let low = self.lower(s, &i.low, Some(&ty));
        let high = self.lower(s, &i.high, Some(&ty));
        let wide = ty == Ty::Int && [&low, &high].iter().any(|e| e.ty == Ty::Dec);
        let ty = if wide { Ty::Dec } else { ty };
        let low = self.coerce(low, &ty, "the lower end");
        let high = self.coerce(high, &ty, "the upper end");
        let (low_in, high_in) = (!i.low_open, !i.high_open);
        if let (Some(a), Some(b)) = (super::fold::fold(&low), super::fold::fold(&high))
            && super::fold::order(&a, &b).is_some_and(|o| o.is_gt() || (o.is_eq() && !(low_in && high_in)))
        {
            self.error_help(
                "E0403",
                i.span,
                "nothing lies in this interval",
                "write the lower end first; `[` and `]` include their end",
            );
            return broken_expr(span);
        }
        let x = if wide { self.widen(x) } else { x };
        let (low, high) = (Box::new(low), Box::new(high));
        self.guarded(x, span, |x| {
            ExprKind::In(Box::new(x), Membership::Interval { low, low_in, high, high_in })
        })
    }

    fn in_values(&mut self, s: &mut Scope, mut x: Expr, items: &'a [ast::Expr], span: Span) -> Expr {
        let ty = x.ty.inner().clone();
        let hint = (ty != Ty::Never).then_some(&ty);
        let mut absent_too = false;
        let mut typed = Vec::new();
        for item in items {
            if matches!(item.kind, ast::ExprKind::Absent) && x.ty.is_optional() {
                absent_too = true;
                continue;
            }
            typed.push(self.lower(s, item, hint));
        }
        if ty == Ty::Never {
            self.no_kind(&x);
            return broken_expr(span);
        }
        let mut ty = ty;
        if ty == Ty::Int && typed.iter().any(|e| e.ty == Ty::Dec) {
            x = self.widen(x);
            ty = Ty::Dec;
        }
        let typed: Vec<Expr> = typed.into_iter().map(|e| self.coerce(e, &ty, "each value here")).collect();
        if typed.iter().any(is_broken) {
            return broken_expr(span);
        }
        let asked = x.clone();
        let inner = if let Ty::Node(_) = ty {
            let mut nodes = Vec::new();
            for e in &typed {
                let ExprKind::Const(Const::Node(n)) = &e.kind else {
                    self.not_a_node(e);
                    return broken_expr(span);
                };
                nodes.push(*n);
            }
            self.guarded(x, span, |x| ExprKind::In(Box::new(x), Membership::Nodes(nodes)))
        } else {
            self.guarded(x, span, |x| ExprKind::In(Box::new(x), Membership::Values(typed)))
        };
        if absent_too {
            let absent = expr(ExprKind::IsAbsent(Box::new(asked)), Ty::Bool, span);
            return expr(ExprKind::Or(Box::new(absent), Box::new(inner)), Ty::Bool, span);
        }
        inner
    }

    fn not_a_node(&mut self, e: &Expr) {
        let text = self.text(e.span);
        self.error_help(
            "E0303",
            e.span,
            format!("`{text}` is not one named category"),
            "name it, or collect the categories in a set and write `in` that set",
        );
    }

    fn in_collection(&mut self, x: Expr, list: Expr, span: Span) -> Expr {
        if x.ty == Ty::Never || list.ty == Ty::Never {
            self.no_kind(if x.ty == Ty::Never { &x } else { &list });
            return broken_expr(span);
        }
        if list.ty.is_optional() {
            return self.may_be_absent(list, "`in`");
        }
        let inner = x.ty.inner().clone();
        match &list.ty {
            Ty::Node(_) if list.ty == inner => {
                let ExprKind::Const(Const::Node(n)) = &list.kind else {
                    self.not_a_node(&list);
                    return broken_expr(span);
                };
                let nodes = vec![*n];
                self.guarded(x, span, |x| ExprKind::In(Box::new(x), Membership::Nodes(nodes)))
            }
            Ty::List(of) | Ty::Set(of)
                if **of == inner && !matches!(inner, Ty::Entity(_) | Ty::List(_) | Ty::Set(_)) =>
            {
                self.guarded(x, span, |x| ExprKind::In(Box::new(x), Membership::Collection(Box::new(list))))
            }
            _ => {
                let (a, b) = (self.text(x.span), self.text(list.span));
                let message =
                    format!("`{a}` is {}, so it cannot be in {}", self.show(&inner), self.show(&list.ty));
                let help = if list.ty == inner {
                    format!("write `{a} is {b}`, or `{a} in {{{b}}}`")
                } else {
                    "after `in` stands a list, a set `{…}`, an interval `[a..b]` or a category".to_owned()
                };
                self.error_help("E0302", list.span, message, help);
                broken_expr(span)
            }
        }
    }

    fn guarded(&mut self, x: Expr, span: Span, make: impl FnOnce(Expr) -> ExprKind) -> Expr {
        let Ty::Opt(inner) = &x.ty else { return expr(make(x), Ty::Bool, span) };
        let ty = (**inner).clone();
        let at = x.span;
        let absent = expr(ExprKind::IsAbsent(Box::new(x.clone())), Ty::Bool, at);
        let there = expr(ExprKind::Not(Box::new(absent)), Ty::Bool, at);
        let present = expr(ExprKind::Present(Box::new(x)), ty, at);
        let inside = expr(make(present), Ty::Bool, span);
        expr(ExprKind::And(Box::new(there), Box::new(inside)), Ty::Bool, span)
    }
}
