//! Operators: logic, comparison, membership, arithmetic, rounding.
use super::cx::{Cx, Scope, broken_expr, expr, is_broken, question};
use super::expr::{constant, element};
use crate::lang::ast;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;
use crate::lang::typed::*;
use num_rational::BigRational;

impl<'a> Cx<'a> {
    /// Whether an expression finds its type only from its surroundings.
    fn needs_hint(&self, s: &Scope, e: &ast::Expr) -> bool {
        use ast::ExprKind as A;
        match &e.kind {
            A::Absent | A::Undecided(_) | A::Number(_) | A::List(_) | A::Set(_) => true,
            A::Neg(x) => self.needs_hint(s, x),
            A::Path(p) => p.single().is_some_and(|n| !self.is_name(s, &n.text)),
            A::If(x) => self.needs_hint(s, &x.then) && self.needs_hint(s, &x.otherwise),
            _ => false,
        }
    }

    /// `and` and `or`: what the parts so far say is known in the next ones. The tree is balanced, order kept.
    pub fn connective(&mut self, s: &mut Scope, parts: &'a [ast::Expr], and: bool, _span: Span) -> Expr {
        let mark = (s.present.len(), s.assumed.len());
        let what = if and { "`and`" } else { "`or`" };
        let mut typed: Vec<Expr> = Vec::new();
        let mut rest = parts.iter().enumerate();
        while let Some((at, part)) = rest.next() {
            let e = self.check(s, part, &Ty::Bool, what);
            let listed = self.listed(s, parts.get(at..).unwrap_or(&[]), &e, and);
            rest.by_ref().take(listed).for_each(drop);
            self.assume(s, &e, and);
            typed.push(e);
        }
        s.present.truncate(mark.0);
        s.assumed.truncate(mark.1);
        while typed.len() > 1 {
            let mut next = Vec::with_capacity(typed.len().div_ceil(2));
            let mut items = typed.into_iter();
            while let Some(a) = items.next() {
                match items.next() {
                    Some(b) => {
                        let span = a.span.to(b.span);
                        let (a, b) = (Box::new(a), Box::new(b));
                        let kind = if and { ExprKind::And(a, b) } else { ExprKind::Or(a, b) };
                        next.push(expr(kind, Ty::Bool, span));
                    }
                    None => next.push(a),
                }
            }
            typed = next;
        }
        typed.pop().unwrap_or_else(|| constant(Const::Bool(and), Ty::Bool, Span::default()))
    }

    pub fn if_else(&mut self, s: &mut Scope, x: &'a ast::If, hint: Option<&Ty>, span: Span) -> Expr {
        let cond = self.check(s, &x.condition, &Ty::Bool, "the condition after `if`");
        let mut yes = s.clone();
        self.assume(&mut yes, &cond, true);
        let mut no = s.clone();
        self.assume(&mut no, &cond, false);
        let (a, b) = if hint.is_none() && self.needs_hint(s, &x.then) && !self.needs_hint(s, &x.otherwise) {
            let b = self.lower(&mut no, &x.otherwise, None);
            (self.lower(&mut yes, &x.then, Some(&b.ty.clone())), b)
        } else {
            let a = self.lower(&mut yes, &x.then, hint);
            let from = if a.ty == Ty::Never { hint.cloned() } else { Some(hint.unwrap_or(&a.ty).clone()) };
            let b = self.lower(&mut no, &x.otherwise, from.as_ref());
            (a, b)
        };
        match self.unify(a, b) {
            Ok((a, b, ty)) => expr(ExprKind::If(Box::new(cond), Box::new(a), Box::new(b)), ty, span),
            Err((a, b)) => {
                let message =
                    format!("`then` gives {}, but `else` gives {}", self.show(&a.ty), self.show(&b.ty));
                self.error_help("E0302", b.span, message, "both must be of one type");
                broken_expr(span)
            }
        }
    }

    /// Gives two values one type: integers widen, `T` and `T?` give `T?`, `absent` makes optional.
    #[allow(clippy::result_large_err, reason = "the operands come back for the message")]
    pub fn unify(&self, mut a: Expr, mut b: Expr) -> Result<(Expr, Expr, Ty), (Expr, Expr)> {
        let absent = |e: &Expr| matches!(e.kind, ExprKind::Const(Const::Absent));
        if a.ty == Ty::Never || b.ty == Ty::Never {
            let mut ty = if a.ty == Ty::Never { b.ty.clone() } else { a.ty.clone() };
            if (absent(&a) || absent(&b)) && ty != Ty::Never {
                ty = ty.optional();
            }
            for e in [&mut a, &mut b] {
                if e.ty == Ty::Never {
                    e.ty = ty.clone();
                }
            }
            return Ok((a, b, ty));
        }
        match (a.ty.inner(), b.ty.inner()) {
            (Ty::Int, Ty::Dec) => a = self.widen(a),
            (Ty::Dec, Ty::Int) => b = self.widen(b),
            (Ty::List(x) | Ty::Set(x), y) if **x == Ty::Never && matches!(y, Ty::List(_) | Ty::Set(_)) => {
                a.ty = b.ty.clone();
            }
            (y, Ty::List(x) | Ty::Set(x)) if **x == Ty::Never && matches!(y, Ty::List(_) | Ty::Set(_)) => {
                b.ty = a.ty.clone();
            }
            _ => {}
        }
        if a.ty.inner() != b.ty.inner() {
            return Err((a, b));
        }
        let ty = if a.ty.is_optional() { a.ty.clone() } else { b.ty.clone() };
        Ok((a, b, ty))
    }

    pub fn is_absent(&mut self, s: &mut Scope, x: &'a ast::Expr, negated: bool, span: Span) -> Expr {
        let e = self.lower(s, x, None);
        if !e.ty.is_optional() && e.ty != Ty::Never {
            let text = self.text(e.span);
            let message = format!("`{text}` is never absent here");
            let help = "remove the question, or declare the fact with `?` in the vocabulary";
            self.push(Diagnostic::warning("W0501", e.span, message).help(help));
        }
        let typed = expr(ExprKind::IsAbsent(Box::new(e)), Ty::Bool, span);
        if negated { expr(ExprKind::Not(Box::new(typed)), Ty::Bool, span) } else { typed }
    }

    pub fn binary(&mut self, s: &mut Scope, b: &'a ast::Binary, hint: Option<&Ty>, span: Span) -> Expr {
        use ast::BinaryOp as B;
        match b.op {
            B::Is | B::IsNot => {
                let (l, r) = self.both(s, b);
                let typed = self.equal(l, r, span);
                if b.op == B::IsNot { expr(ExprKind::Not(Box::new(typed)), Ty::Bool, span) } else { typed }
            }
            B::Ge | B::Gt | B::Le | B::Lt => {
                let (l, r) = self.both(s, b);
                let op = match b.op {
                    B::Ge => CmpOp::Ge,
                    B::Gt => CmpOp::Gt,
                    B::Le => CmpOp::Le,
                    _ => CmpOp::Lt,
                };
                self.compare(op, l, r, b.op_span, span)
            }
            B::In | B::NotIn => {
                let typed = self.membership(s, b, span);
                if b.op == B::NotIn && typed.ty != Ty::Never {
                    expr(ExprKind::Not(Box::new(typed)), Ty::Bool, span)
                } else {
                    typed
                }
            }
            B::Otherwise => self.otherwise(s, b, hint, span),
            B::Add | B::Sub | B::Mul | B::Div => self.arithmetic(s, b, hint),
        }
    }

    /// Both operands; the one that can stand alone says what the other may be.
    fn both(&mut self, s: &mut Scope, b: &'a ast::Binary) -> (Expr, Expr) {
        if self.needs_hint(s, &b.left) && !self.needs_hint(s, &b.right) {
            let r = self.lower(s, &b.right, None);
            let l = self.lower(s, &b.left, Some(&r.ty.clone()));
            (l, r)
        } else {
            let l = self.lower(s, &b.left, None);
            let hint = Some(l.ty.clone()).filter(|t| *t != Ty::Never);
            let r = self.lower(s, &b.right, hint.as_ref());
            (l, r)
        }
    }

    fn equal(&mut self, l: Expr, r: Expr, span: Span) -> Expr {
        match self.unify(l, r) {
            Ok((l, r, ty)) => {
                if matches!(element(&ty), Ty::Entity(_) | Ty::Rate(..)) {
                    let text = self.text(l.span);
                    self.error_help(
                        "E0303",
                        span,
                        format!("`{text}` as a whole cannot be compared"),
                        "compare a field of it",
                    );
                    return broken_expr(span);
                }
                expr(ExprKind::Is(Box::new(l), Box::new(r)), Ty::Bool, span)
            }
            Err((l, r)) => {
                self.incomparable(&l, &r, span);
                broken_expr(span)
            }
        }
    }

    fn incomparable(&mut self, l: &Expr, r: &Expr, span: Span) {
        let (a, b) = (self.text(l.span), self.text(r.span));
        let message =
            format!("`{a}` is {}, but `{b}` is {}", self.show(l.ty.inner()), self.show(r.ty.inner()));
        let help = match (l.ty.inner(), r.ty.inner()) {
            (Ty::Period, Ty::Int | Ty::Dec) => {
                let unit = match &l.kind {
                    ExprKind::Between(Span2::Months, ..) => "months",
                    ExprKind::Between(Span2::Years, ..) => "years",
                    _ => "days",
                };
                Some(format!("say of what: `{b} {unit}`"))
            }
            (Ty::Money, Ty::Int | Ty::Dec) => {
                let code = self.vocab.currencies.first().map_or("CNY", |currency| currency.code.as_str());
                Some(format!("say which money: `{b} {code}`"))
            }
            (Ty::DateTime, Ty::Date) => Some(format!("write `date_of({a})`")),
            (Ty::Date, Ty::DateTime) => Some(format!("write `date_of({b})`")),
            (x, Ty::List(of) | Ty::Set(of)) if *x == **of => Some(format!("write `{a} in {b}`")),
            (Ty::Set(of), x) if *x == **of => Some(format!("write `{b} in {a}`")),
            (of @ (Ty::Enum(_) | Ty::Node(_)), Ty::Text) | (Ty::Text, of @ (Ty::Enum(_) | Ty::Node(_))) => {
                let quoted = if l.ty.inner() == of { &b } else { &a };
                let word = quoted.trim_matches(['"', '“', '”']);
                let known = self.words_of(of).iter().any(|w| w == word);
                known.then(|| format!("write `{word}` without quotes"))
            }
            (Ty::Money | Ty::Unit(_), Ty::Money | Ty::Unit(_)) => {
                Some("compare amounts of one unit; a rate converts them: `… * 1 point per 2 CNY`".to_owned())
            }
            _ => None,
        };
        let help = help.unwrap_or_else(|| "compare two values of the same kind".to_owned());
        let found = Diagnostic::error("E0302", span, message).label("these cannot be compared");
        self.push(found.help(help));
    }

    fn compare(&mut self, op: CmpOp, l: Expr, r: Expr, at: Span, span: Span) -> Expr {
        if l.ty == Ty::Never && r.ty == Ty::Never {
            self.no_kind(&l);
            return broken_expr(span);
        }
        let what = format!("`{}`", self.text(at));
        for e in [&l, &r] {
            if e.ty.is_optional() || matches!(e.kind, ExprKind::Const(Const::Absent)) {
                return self.may_be_absent(e.clone(), &what);
            }
        }
        match self.unify(l, r) {
            Ok((l, r, ty)) => {
                if !self.is_ordered(&ty) {
                    let message = format!("{} has no order, so {what} cannot compare it", self.show(&ty));
                    let help = match &ty {
                        Ty::Enum(_) => "declare the enum with `<` between its words, or use `is` and `in`",
                        Ty::Node(_) => "use `is` or `in`",
                        _ => "use `is` or `is not`",
                    };
                    self.error_help("E0305", span, message, help);
                    return broken_expr(span);
                }
                expr(ExprKind::Cmp(op, Box::new(l), Box::new(r)), Ty::Bool, span)
            }
            Err((l, r)) => {
                self.incomparable(&l, &r, span);
                broken_expr(span)
            }
        }
    }

    fn otherwise(&mut self, s: &mut Scope, b: &'a ast::Binary, hint: Option<&Ty>, span: Span) -> Expr {
        let wish = hint.map(|h| h.clone().optional());
        let l = self.lower(s, &b.left, wish.as_ref());
        if !l.ty.is_optional() && l.ty != Ty::Never {
            let text = self.text(l.span);
            let rest = Span { start: l.span.end, ..span };
            let plain = self.sources().snippet(rest).trim_start().starts_with("otherwise");
            let message = format!("`{text}` is never absent here");
            let found = Diagnostic::warning("W0501", l.span, message).help("remove `otherwise …`");
            // What follows is never looked at, so leaving it out changes nothing.
            self.push(if plain { found.fix(rest, "") } else { found });
        }
        let inner = Some(l.ty.inner().clone()).filter(|t| *t != Ty::Never);
        let r = self.lower(s, &b.right, inner.as_ref().or(hint));
        let strict = r.ty != Ty::Never && !r.ty.is_optional();
        match self.unify(l, r) {
            Ok((l, r, ty)) => {
                let keep = matches!(r.kind, ExprKind::Const(Const::Absent));
                let undecided = matches!(r.kind, ExprKind::Undecided(_));
                let ty = if (strict || undecided) && !keep { ty.inner().clone() } else { ty };
                expr(ExprKind::Otherwise(Box::new(l), Box::new(r)), ty, span)
            }
            Err((l, r)) => {
                let message = format!(
                    "`{}` is {}, but after `otherwise` stands {}",
                    self.text(l.span),
                    self.show(l.ty.inner()),
                    self.show(&r.ty)
                );
                self.error_help("E0302", r.span, message, "both must be of one type");
                broken_expr(span)
            }
        }
    }

    pub fn rounded(&mut self, s: &mut Scope, r: &'a ast::Rounded, hint: Option<&Ty>, span: Span) -> Expr {
        let value = self.lower(s, &r.value, hint);
        let rounding = match &r.rounding {
            Some(mode) => Some(rounding_of(mode)),
            None => s.module.and_then(|m| self.mods.get(m)).and_then(|m| m.rounding.clone()),
        };
        let Some(rounding) = rounding else {
            self.error_help(
                "E0423",
                span,
                "which way to round is not said",
                "write `rounded down`, `up`, `half up` or `half even`, or `rounding …` in the policy's head",
            );
            return broken_expr(span);
        };
        if value.ty == Ty::Never {
            return Expr { ty: hint.cloned().unwrap_or(Ty::Never), ..value };
        }
        if value.ty.is_optional() {
            return self.may_be_absent(value, "`rounded`");
        }
        if !value.ty.is_numeric() {
            let message =
                format!("`rounded` needs a number or an amount, but this is {}", self.show(&value.ty));
            self.error("E0303", value.span, message);
            return broken_expr(span);
        }
        let Some(step) = self.rounding_step(s, r, &value, span) else { return broken_expr(span) };
        let ty = value.ty.clone();
        expr(ExprKind::Round { value: Box::new(value), rounding, step }, ty, span)
    }

    /// The step after `to`; `Some(None)` for the type's own.
    fn rounding_step(
        &mut self,
        s: &mut Scope,
        r: &'a ast::Rounded,
        value: &Expr,
        span: Span,
    ) -> Option<Option<BigRational>> {
        let Some(step) = &r.step else {
            if matches!(value.ty, Ty::Int | Ty::Dec) {
                self.error_help(
                    "E0422",
                    span,
                    "a plain number has no smallest step to round to",
                    "write `rounded … to 1`, or to another number",
                );
                return None;
            }
            return Some(None);
        };
        let typed = self.check(s, step, &value.ty.clone(), "the step after `to`");
        if is_broken(&typed) {
            return None;
        }
        match super::fold::fold(&typed) {
            Some(Const::Num(n) | Const::Money(n, _)) if n > super::expr::int(0) => Some(Some(n)),
            _ => {
                self.error_help(
                    "E0422",
                    step.span,
                    "the step after `to` must be a plain amount of more than 0",
                    "write the amount itself, such as `1 CNY`",
                );
                None
            }
        }
    }
}

/// A written rounding.
pub(super) fn rounding_of(mode: &ast::Rounding) -> Rounding {
    match mode {
        ast::Rounding::Down => Rounding::Mode(RoundMode::Down),
        ast::Rounding::Up => Rounding::Mode(RoundMode::Up),
        ast::Rounding::HalfUp => Rounding::Mode(RoundMode::HalfUp),
        ast::Rounding::HalfEven => Rounding::Mode(RoundMode::HalfEven),
        ast::Rounding::Undecided(text) => Rounding::Undecided(question(text)),
    }
}
