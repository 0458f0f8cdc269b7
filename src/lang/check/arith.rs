//! Arithmetic: which quantities may be added, multiplied and divided, and what comes of it.
use super::cx::{Cx, Scope, broken_expr, expr};
use super::expr::constant;
use crate::lang::ast;
use crate::lang::source::Span;
use crate::lang::typed::*;

impl<'a> Cx<'a> {
    /// `+ - * /`. Long chains lean left: they are walked in a loop, so that they cannot exhaust the stack here.
    pub fn arithmetic(&mut self, s: &mut Scope, b: &'a ast::Binary, hint: Option<&Ty>) -> Expr {
        let is_arith = |op| {
            use ast::BinaryOp as B;
            matches!(op, B::Add | B::Sub | B::Mul | B::Div)
        };
        let mut spine = vec![b];
        let mut first = &b.left;
        while let ast::ExprKind::Binary(inner) = &first.kind
            && is_arith(inner.op)
        {
            spine.push(inner);
            first = &inner.left;
        }
        let number = hint.filter(|h| *h.inner() == Ty::Dec);
        let mut left = self.lower(s, first, number);
        for node in spine.into_iter().rev() {
            let own = match &left.ty {
                Ty::Dec => Some(Ty::Dec),
                _ => None,
            };
            let right = self.lower(s, &node.right, own.as_ref().or(number));
            left = self.arith(node, left, right);
        }
        left
    }

    fn arith(&mut self, b: &ast::Binary, l: Expr, r: Expr) -> Expr {
        let span = l.span.to(r.span);
        let what = format!("`{}`", self.text(b.op_span));
        if self.is_mistake(&l) || self.is_mistake(&r) {
            return broken_expr(span);
        }
        for e in [&l, &r] {
            if e.ty.is_optional() || matches!(e.kind, ExprKind::Const(Const::Absent)) {
                return self.may_be_absent(e.clone(), &what);
            }
        }
        let op = match b.op {
            ast::BinaryOp::Sub => ArithOp::Sub,
            ast::BinaryOp::Mul => ArithOp::Mul,
            ast::BinaryOp::Div => ArithOp::Div,
            _ => ArithOp::Add,
        };
        let made = match op {
            ArithOp::Add | ArithOp::Sub => self.sum(op, l, r, span),
            ArithOp::Mul => self.product(l, r, span),
            ArithOp::Div => self.quotient(l, r, span),
        };
        match made {
            Ok(e) => e,
            Err((l, r)) => {
                self.bad_arith(op, &l, &r, b.op_span, span);
                broken_expr(span)
            }
        }
    }

    #[allow(clippy::result_large_err, reason = "the operands come back for the message")]
    fn sum(&self, op: ArithOp, mut l: Expr, mut r: Expr, span: Span) -> Result<Expr, (Expr, Expr)> {
        let node =
            |l: Expr, r: Expr, ty: Ty| Ok(expr(ExprKind::Arith(op, Box::new(l), Box::new(r)), ty, span));
        match (&l.ty, &r.ty) {
            (Ty::Never, Ty::Never) => return node(l, r, Ty::Never),
            // An open value on one side takes the type that fits the other.
            (Ty::Never, t) => {
                let ty = t.clone();
                l.ty = if ty == Ty::Period && op == ArithOp::Add { Ty::Period } else { ty.clone() };
                return node(l, r, ty);
            }
            (t, Ty::Never) => {
                let ty = t.clone();
                r.ty = if matches!(ty, Ty::Date | Ty::DateTime) { Ty::Period } else { ty.clone() };
                return node(l, r, ty);
            }
            _ => {}
        }
        match (&l.ty, &r.ty) {
            (Ty::Int, Ty::Dec) => l = self.widen(l),
            (Ty::Dec, Ty::Int) => r = self.widen(r),
            (Ty::Period, Ty::Date | Ty::DateTime) | (Ty::Duration, Ty::DateTime) if op == ArithOp::Add => {
                std::mem::swap(&mut l, &mut r);
            }
            _ => {}
        }
        let ty = match (&l.ty, &r.ty) {
            (a, b) if a == b && (a.is_numeric() || matches!(a, Ty::Period | Ty::Duration)) => a.clone(),
            (Ty::Date, Ty::Period) => Ty::Date,
            (Ty::DateTime, Ty::Period | Ty::Duration) => Ty::DateTime,
            _ => return Err((l, r)),
        };
        node(l, r, ty)
    }

    #[allow(clippy::result_large_err, reason = "the operands come back for the message")]
    fn product(&self, mut l: Expr, mut r: Expr, span: Span) -> Result<Expr, (Expr, Expr)> {
        let quantity = |t: &Ty| t.is_numeric() || matches!(t, Ty::Period | Ty::Duration | Ty::Rate(..));
        let ty = match (&l.ty, &r.ty) {
            (Ty::Never, Ty::Never) => Ty::Never,
            // What never has a value cannot leave the step: it counts as a whole number.
            (Ty::Never, t) if quantity(t) => {
                let ty = t.clone();
                l.ty = Ty::Int;
                ty
            }
            (t, Ty::Never) if quantity(t) => {
                let ty = t.clone();
                r.ty = Ty::Int;
                ty
            }
            (Ty::Int, Ty::Int) => Ty::Int,
            (Ty::Int, Ty::Dec) | (Ty::Dec, Ty::Int) | (Ty::Dec, Ty::Dec) => {
                let ty = Ty::Dec;
                l = self.to_dec(l);
                r = self.to_dec(r);
                ty
            }
            (t @ (Ty::Money | Ty::Unit(_)), Ty::Int | Ty::Dec)
            | (Ty::Int | Ty::Dec, t @ (Ty::Money | Ty::Unit(_))) => t.clone(),
            (t @ (Ty::Period | Ty::Duration), Ty::Int) | (Ty::Int, t @ (Ty::Period | Ty::Duration)) => {
                t.clone()
            }
            (Ty::Rate(to, from), q) | (q, Ty::Rate(to, from)) if rate_takes(*from, q) => rate_gives(*to),
            _ => return Err((l, r)),
        };
        Ok(expr(ExprKind::Arith(ArithOp::Mul, Box::new(l), Box::new(r)), ty, span))
    }

    #[allow(clippy::result_large_err, reason = "the operands come back for the message")]
    fn quotient(&self, mut l: Expr, mut r: Expr, span: Span) -> Result<Expr, (Expr, Expr)> {
        let ty = match (&l.ty, &r.ty) {
            (Ty::Never, _) => Ty::Never,
            (t, Ty::Never) if t.is_numeric() => {
                let ty = if *t == Ty::Int { Ty::Dec } else { t.clone() };
                r.ty = Ty::Dec;
                ty
            }
            (Ty::Int, Ty::Int) => Ty::Dec,
            (Ty::Int | Ty::Dec, Ty::Int | Ty::Dec) => {
                l = self.to_dec(l);
                r = self.to_dec(r);
                Ty::Dec
            }
            (Ty::Money, Ty::Money) | (Ty::Period, Ty::Period) | (Ty::Duration, Ty::Duration) => Ty::Dec,
            (Ty::Unit(a), Ty::Unit(b)) if a == b => Ty::Dec,
            (t @ (Ty::Money | Ty::Unit(_)), Ty::Int | Ty::Dec) => t.clone(),
            _ => return Err((l, r)),
        };
        Ok(expr(ExprKind::Arith(ArithOp::Div, Box::new(l), Box::new(r)), ty, span))
    }

    fn to_dec(&self, e: Expr) -> Expr {
        if e.ty == Ty::Int { self.widen(e) } else { e }
    }

    fn bad_arith(&mut self, op: ArithOp, l: &Expr, r: &Expr, at: Span, span: Span) {
        let (a, b) = (self.text(l.span), self.text(r.span));
        let (ta, tb) = (self.show(&l.ty), self.show(&r.ty));
        let message = match op {
            ArithOp::Add => format!("{tb} cannot be added to {ta}"),
            ArithOp::Sub => format!("{tb} cannot be taken from {ta}"),
            ArithOp::Mul => format!("{ta} cannot be multiplied by {tb}"),
            ArithOp::Div => format!("{ta} cannot be divided by {tb}"),
        };
        let help = match (op, &l.ty, &r.ty) {
            (ArithOp::Sub, Ty::Date, Ty::Date) => Some(format!("write `days from {b} to {a}`")),
            (ArithOp::Sub, Ty::DateTime, Ty::DateTime) => Some(format!("write `hours from {b} to {a}`")),
            (ArithOp::Add | ArithOp::Sub, Ty::Date, Ty::Int) => {
                Some(format!("say of what: `{a} {} {b} days`", self.text(at)))
            }
            (ArithOp::Add | ArithOp::Sub, Ty::Money | Ty::Unit(_), Ty::Int | Ty::Dec) => {
                Some(format!("`{b}` needs its unit"))
            }
            (ArithOp::Mul | ArithOp::Div, Ty::Money | Ty::Unit(_), Ty::Money | Ty::Unit(_)) => {
                Some("to convert one into the other use a rate: `1 point per 2 CNY`".to_owned())
            }
            _ => None,
        };
        match help {
            Some(help) => self.error_help("E0303", span, message, help),
            None => self.error("E0303", span, message),
        }
    }

    pub fn negate(&mut self, s: &mut Scope, x: &'a ast::Expr, hint: Option<&Ty>, span: Span) -> Expr {
        let e = self.lower(s, x, hint);
        if e.ty == Ty::Never {
            return e;
        }
        if e.ty.is_optional() {
            return self.may_be_absent(e, "`-`");
        }
        if !e.ty.is_numeric() && !matches!(e.ty, Ty::Period | Ty::Duration) {
            let message = format!("there is no negative of {}", self.show(&e.ty));
            self.error("E0303", span, message);
            return broken_expr(span);
        }
        let ty = e.ty.clone();
        match &e.kind {
            ExprKind::Const(Const::Num(n)) => constant(Const::Num(-n.clone()), ty, span),
            ExprKind::Const(Const::Money(n, c)) => constant(Const::Money(-n.clone(), *c), ty, span),
            ExprKind::Const(Const::Period(Period::Days(n))) => {
                constant(Const::Period(Period::Days(-n)), ty, span)
            }
            ExprKind::Const(Const::Period(Period::Months(n))) => {
                constant(Const::Period(Period::Months(-n)), ty, span)
            }
            ExprKind::Const(Const::Duration(n)) => constant(Const::Duration(-n), ty, span),
            _ => expr(ExprKind::Neg(Box::new(e)), ty, span),
        }
    }

    /// `days from A to B`
    pub fn between(&mut self, s: &mut Scope, b: &'a ast::Between, span: Span) -> Expr {
        let (unit, want, ty, what) = match b.unit {
            ast::BetweenUnit::Days => (Span2::Days, Ty::Date, Ty::Period, "`days from … to …`"),
            ast::BetweenUnit::Months => (Span2::Months, Ty::Date, Ty::Period, "`months from … to …`"),
            ast::BetweenUnit::Years => (Span2::Years, Ty::Date, Ty::Period, "`years from … to …`"),
            ast::BetweenUnit::Hours => (Span2::Hours, Ty::DateTime, Ty::Duration, "`hours from … to …`"),
        };
        let from = self.check(s, &b.from, &want, what);
        let to = self.check(s, &b.to, &want, what);
        expr(ExprKind::Between(unit, Box::new(from), Box::new(to)), ty, span)
    }
}

fn rate_takes(kind: RateKind, ty: &Ty) -> bool {
    match kind {
        RateKind::Money(_) => *ty == Ty::Money,
        RateKind::Unit(u) => *ty == Ty::Unit(u),
        RateKind::Days => *ty == Ty::Period,
    }
}

fn rate_gives(kind: RateKind) -> Ty {
    match kind {
        RateKind::Money(_) => Ty::Money,
        RateKind::Unit(u) => Ty::Unit(u),
        RateKind::Days => Ty::Period,
    }
}
