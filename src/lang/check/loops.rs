//! Comprehensions, `split` and `share`, and the lists that rules and loops run over.
use super::cx::{Cx, Scope, broken_expr, expr};
use crate::lang::ast;
use crate::lang::index::Symbol;
use crate::lang::source::Span;
use crate::lang::typed::*;
use std::sync::Arc;

impl<'a> Cx<'a> {
    /// Types the list of a loop, enters the loop's name and gives the list's root if it is one whole; `None` after a
    /// finding (the name is entered all the same, so that its uses are no findings of their own).
    pub fn enter(&mut self, s: &mut Scope, var: &ast::Name, list: &'a ast::Expr) -> (VarId, Option<Expr>) {
        let mut typed = self.lower(s, list, None);
        if typed.ty.is_optional() {
            typed = self.may_be_absent(typed, "`for … in`");
        }
        let (of, root) = match (&typed.ty, &typed.kind) {
            (Ty::List(of), ExprKind::Root(r)) => ((**of).clone(), Some(*r)),
            (Ty::List(of), _) => ((**of).clone(), None),
            (Ty::Never, _) => (Ty::Never, None),
            (other, _) => {
                let (text, is) = (self.text(list.span), self.show(other));
                self.error_help(
                    "E0301",
                    list.span,
                    format!("`for … in` needs a list, but `{text}` is {is}"),
                    "name a fact of type `list of …`, or make a list",
                );
                (Ty::Never, None)
            }
        };
        if s.vars.iter().any(|(n, _)| *n == var.text) {
            self.error_help(
                "E0204",
                var.span,
                format!("`{}` names an element of another loop already", var.text),
                "choose another letter",
            );
        }
        let ok = matches!(typed.ty, Ty::List(_));
        let id = self.new_var(&var.text, of, root, ok.then(|| typed.clone()));
        self.declares(var.span, Symbol::Var(id));
        s.vars.push((var.text.clone(), id));
        (id, ok.then_some(typed))
    }

    pub fn comprehension(
        &mut self,
        s: &mut Scope,
        c: &'a ast::Comprehension,
        hint: Option<&Ty>,
        span: Span,
    ) -> Expr {
        let mut inner = s.clone();
        let (var, list) = self.enter(&mut inner, &c.over.var, &c.over.list);
        let cond = c.over.filter.as_ref().map(|f| {
            let cond = self.check(&mut inner, f, &Ty::Bool, "`where`");
            self.assume(&mut inner, &cond, true);
            cond
        });
        let (kind, word) = match c.function {
            ast::Aggregate::Sum => (CompKind::Sum, "sum"),
            ast::Aggregate::Count => (CompKind::Count, "count"),
            ast::Aggregate::Min => (CompKind::Min, "min"),
            ast::Aggregate::Max => (CompKind::Max, "max"),
            ast::Aggregate::Any => (CompKind::Any, "any"),
            ast::Aggregate::All => (CompKind::All, "all"),
            ast::Aggregate::List => (CompKind::List, "list"),
        };
        let of = match (kind, hint.map(Ty::inner)) {
            (CompKind::Any | CompKind::All, _) => Some(Ty::Bool),
            (CompKind::List, Some(Ty::List(of))) => Some((**of).clone()),
            (CompKind::List | CompKind::Count, _) => None,
            (_, h) => h.cloned(),
        };
        let body = match (&c.value, kind) {
            (None, CompKind::Count) => None,
            (Some(v), CompKind::Count) => {
                let e = self.check(&mut inner, v, &Ty::Bool, "`count`");
                // `count(c for x in list)` counts the elements for which c holds.
                return self.count_of(var, list, cond, e, span);
            }
            (Some(v), _) => Some(self.lower(&mut inner, v, of.as_ref())),
            (None, _) => {
                self.error_help(
                    "E0304",
                    span,
                    format!("`{word}` of what is not said"),
                    format!("write `{word}(… for {} in …)`", c.over.var.text),
                );
                return broken_expr(span);
            }
        };
        let Some(list) = list else {
            let ty = match kind {
                CompKind::Any | CompKind::All => Ty::Bool,
                CompKind::Count => Ty::Int,
                _ => Ty::Never,
            };
            return Expr { ty, ..broken_expr(span) };
        };
        let Some((body, ty)) = self.comp_type(kind, word, body, span) else { return broken_expr(span) };
        expr(
            ExprKind::Comp {
                kind,
                var,
                list: Box::new(list),
                cond: cond.map(Box::new),
                body: body.map(Box::new),
            },
            ty,
            span,
        )
    }

    fn count_of(
        &mut self,
        var: VarId,
        list: Option<Expr>,
        cond: Option<Expr>,
        holds: Expr,
        span: Span,
    ) -> Expr {
        let Some(list) = list else { return Expr { ty: Ty::Int, ..broken_expr(span) } };
        let cond = match cond {
            Some(c) => {
                let at = c.span.to(holds.span);
                expr(ExprKind::And(Box::new(c), Box::new(holds)), Ty::Bool, at)
            }
            None => holds,
        };
        let kind = ExprKind::Comp {
            kind: CompKind::Count,
            var,
            list: Box::new(list),
            cond: Some(Box::new(cond)),
            body: None,
        };
        expr(kind, Ty::Int, span)
    }

    fn comp_type(
        &mut self,
        kind: CompKind,
        word: &str,
        body: Option<Expr>,
        span: Span,
    ) -> Option<(Option<Expr>, Ty)> {
        let Some(body) = body else { return Some((None, Ty::Int)) };
        let what = format!("`{word}`");
        if body.ty == Ty::Never {
            self.no_kind(&body);
            return None;
        }
        if body.ty.is_optional() && kind != CompKind::List {
            self.may_be_absent(body, &what);
            return None;
        }
        let ty = match kind {
            CompKind::Any | CompKind::All => {
                let body = self.coerce(body, &Ty::Bool, &what);
                return (body.ty != Ty::Never).then_some((Some(body), Ty::Bool));
            }
            CompKind::Sum if body.ty.is_numeric() || matches!(body.ty, Ty::Period | Ty::Duration) => {
                body.ty.clone()
            }
            CompKind::Sum => {
                let message = format!(
                    "{what} adds numbers, amounts or lengths of time, but this is {}",
                    self.show(&body.ty)
                );
                let help = if body.ty == Ty::Bool { "write `count(… for x in …)` to count" } else { "" };
                if help.is_empty() {
                    self.error("E0303", body.span, message);
                } else {
                    self.error_help("E0303", body.span, message, help);
                }
                return None;
            }
            CompKind::Min | CompKind::Max if self.is_ordered(&body.ty) => body.ty.clone(),
            CompKind::Min | CompKind::Max => {
                let message = format!("{} has no order, so {what} cannot choose", self.show(&body.ty));
                self.error("E0305", span, message);
                return None;
            }
            CompKind::List => Ty::List(Arc::new(body.ty.clone())),
            CompKind::Count => Ty::Int,
        };
        Some((Some(body), ty))
    }

    pub fn split(&mut self, s: &mut Scope, x: &'a ast::Split, span: Span) -> Expr {
        let amount = self.lower(s, &x.amount, None);
        let Some((amount, var, list, weight)) = self.parts(s, amount, &x.weight, &x.over, "`split`") else {
            return broken_expr(span);
        };
        let ty = Ty::List(Arc::new(amount.ty.clone()));
        let kind =
            ExprKind::Split { amount: Box::new(amount), var, list: Box::new(list), weight: Box::new(weight) };
        expr(kind, ty, span)
    }

    pub fn share(&mut self, s: &mut Scope, x: &'a ast::Share, span: Span) -> Expr {
        let of = self.lower(s, &x.element, None);
        let amount = self.lower(s, &x.amount, None);
        let Some((amount, var, list, weight)) = self.parts(s, amount, &x.weight, &x.over, "`share`") else {
            return broken_expr(span);
        };
        let ExprKind::Var(of) = of.kind else {
            if of.ty != Ty::Never {
                self.error_help(
                    "E0402",
                    x.element.span,
                    "`share` gives the part of an element of the same list",
                    "put it in a rule with `for each l in …` and name `l`",
                );
            }
            return broken_expr(span);
        };
        let whose =
            self.vars.get(of.0 as usize).and_then(|v| v.list.clone()).map(|l| self.fingerprint(&l, None));
        let root = self.vars.get(of.0 as usize).and_then(|v| v.root);
        let same = whose == Some(self.fingerprint(&list, None))
            || matches!(list.kind, ExprKind::Root(r) if root == Some(r));
        if !same {
            let (a, b) = (self.text(x.element.span), self.text(x.over.list.span));
            self.error_help(
                "E0402",
                x.element.span,
                format!("`{a}` is not an element of `{b}`"),
                "both must run over the same list, written the same way",
            );
            return broken_expr(span);
        }
        let ty = amount.ty.clone();
        let kind = ExprKind::Share {
            of,
            amount: Box::new(amount),
            var,
            list: Box::new(list),
            weight: Box::new(weight),
        };
        expr(kind, ty, span)
    }

    /// `previous(l.left)`: what `l.left` is for the element before `l`.
    pub fn previous(
        &mut self,
        s: &mut Scope,
        c: &'a ast::Call,
        name: &ast::Name,
        hint: Option<&Ty>,
        span: Span,
    ) -> Expr {
        let [arg] = c.args.as_slice() else { return self.wrong_shape(name, span) };
        // What is known of this element is not known of the one before.
        let mut inner = Scope { present: Vec::new(), assumed: Vec::new(), ..s.clone() };
        let of = self.lower(&mut inner, &arg.value, hint.map(Ty::inner));
        if of.ty == Ty::Never {
            return broken_expr(span);
        }
        let mut named: Vec<VarId> = Vec::new();
        visit::all(&of, &mut |e| match &e.kind {
            ExprKind::Var(v)
            | ExprKind::OutputOf(_, v)
            | ExprKind::Share { of: v, .. }
            | ExprKind::Previous { var: v, .. }
                if s.vars.iter().any(|(_, known)| known == v) && !named.contains(v) =>
            {
                named.push(*v);
            }
            _ => {}
        });
        let text = self.text(arg.span);
        let (message, help) = match named.as_slice() {
            [] => (
                format!("`previous` looks at the element before this one, but `{text}` speaks of no element"),
                "put it in a rule with `for each l in …` and name `l`",
            ),
            [var] => match self.vars.get(var.0 as usize).and_then(|v| v.root) {
                Some(list) => {
                    let ty = of.ty.clone().optional();
                    return expr(ExprKind::Previous { var: *var, list, of: Box::new(of) }, ty, span);
                }
                None => (
                    format!(
                        "`previous` needs an element of a list of facts, but `{text}` speaks of another list's"
                    ),
                    "name the fact itself after `for each … in`, and put the condition after `when`",
                ),
            },
            _ => (
                format!("`{text}` speaks of elements of two loops, so it is not said which one comes before"),
                "name only one of them inside `previous(…)`",
            ),
        };
        self.error_help("E0402", arg.span, message, help);
        broken_expr(span)
    }

    fn parts(
        &mut self,
        s: &mut Scope,
        amount: Expr,
        weight: &'a ast::Expr,
        over: &'a ast::Over,
        what: &str,
    ) -> Option<(Expr, VarId, Expr, Expr)> {
        let mut inner = s.clone();
        let (var, list) = self.enter(&mut inner, &over.var, &over.list);
        let mut list = list;
        if let Some(filter) = &over.filter {
            // Only the elements that fit take part: the list is filtered first.
            let cond = self.check(&mut inner, filter, &Ty::Bool, "`where`");
            self.assume(&mut inner, &cond, true);
            list = list.map(|l| {
                let of = match &l.ty {
                    Ty::List(of) => (**of).clone(),
                    _ => Ty::Never,
                };
                let (ty, span) = (l.ty.clone(), l.span);
                let fresh = self.new_var(&over.var.text, of.clone(), None, None);
                self.declares(over.var.span, Symbol::Var(fresh));
                let cond = visit::rename(cond, var, fresh);
                let body = expr(ExprKind::Var(fresh), of, span);
                let kind = ExprKind::Comp {
                    kind: CompKind::List,
                    var: fresh,
                    list: Box::new(l),
                    cond: Some(Box::new(cond)),
                    body: Some(Box::new(body)),
                };
                expr(kind, ty, span)
            });
        }
        let weight = self.lower(&mut inner, weight, None);
        if amount.ty.is_optional() {
            self.may_be_absent(amount, what);
            return None;
        }
        if weight.ty.is_optional() {
            self.may_be_absent(weight, &format!("the weight of {what}"));
            return None;
        }
        if !matches!(amount.ty, Ty::Money | Ty::Unit(_) | Ty::Never) {
            let message =
                format!("{what} divides an amount with a step, but this is {}", self.show(&amount.ty));
            self.error("E0303", amount.span, message);
            return None;
        }
        if !weight.ty.is_numeric() && weight.ty != Ty::Never {
            let message =
                format!("{what} divides by numbers or amounts, but this is {}", self.show(&weight.ty));
            self.error("E0303", weight.span, message);
            return None;
        }
        if amount.ty == Ty::Never || weight.ty == Ty::Never {
            self.no_kind(if amount.ty == Ty::Never { &amount } else { &weight });
            return None;
        }
        Some((amount, var, list?, weight))
    }
}
