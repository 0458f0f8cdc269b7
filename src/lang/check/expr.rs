//! Expressions: the types expected are passed down, so that bare words, `absent`, `undecided` and literals find theirs.
//!
//! `lower` uses the expected type as a hint, `check` demands it.
use super::cx::{Cx, Scope, broken_expr, days, expr, question};
use crate::lang::ast;
use crate::lang::index::Symbol;
use crate::lang::near::{Near, nearest};
use crate::lang::source::Span;
use crate::lang::typed::*;
use num_bigint::BigInt;
use num_rational::BigRational;
use std::sync::Arc;

/// The type of the elements of a list or set, else the type itself; without `?`.
pub(super) fn element(ty: &Ty) -> &Ty {
    match ty.inner() {
        Ty::List(of) | Ty::Set(of) => of.inner(),
        other => other,
    }
}

impl<'a> Cx<'a> {
    /// Types an expression and demands that it fits `want`; `what` names the place in messages.
    pub fn check(&mut self, s: &mut Scope, e: &'a ast::Expr, want: &Ty, what: &str) -> Expr {
        let typed = self.lower(s, e, Some(want));
        self.coerce(typed, want, what)
    }

    /// Makes a typed expression fit `want`, or reports that it does not.
    pub fn coerce(&mut self, mut e: Expr, want: &Ty, what: &str) -> Expr {
        if *want == Ty::Never || e.ty == *want {
            return e;
        }
        match (&e.ty, want) {
            (Ty::Never, _) => {
                if !matches!(e.kind, ExprKind::Const(Const::Absent)) || want.is_optional() {
                    e.ty = want.clone();
                    return e;
                }
                let wanted = self.show(want);
                self.error_help(
                    "E0330",
                    e.span,
                    format!("{what} needs {wanted}, so it cannot be absent"),
                    "give a value",
                );
                return broken_expr(e.span);
            }
            (Ty::Opt(of), t) if !t.is_optional() && (**of == *t || (**of == Ty::Int && *t == Ty::Dec)) => {
                return self.may_be_absent(e, what);
            }
            (t, Ty::Opt(of)) if *t == **of => {
                // A literal says its own type; other values keep theirs, which is read the same.
                return e;
            }
            (t, w) if *t.inner() == Ty::Int && *w.inner() == Ty::Dec => return self.widen(e),
            (Ty::List(of) | Ty::Set(of), Ty::List(_) | Ty::Set(_)) if **of == Ty::Never => {
                e.ty = want.clone();
                return e;
            }
            _ => {}
        }
        self.mismatch(&e, want, what);
        broken_expr(e.span)
    }

    /// An integer as a decimal.
    pub fn widen(&self, mut e: Expr) -> Expr {
        let ty = if e.ty.is_optional() { Ty::Dec.optional() } else { Ty::Dec };
        // An integer that no decimal can hold overflows when it is read, as any other would.
        if let ExprKind::Const(c) = &e.kind
            && super::fold::in_range(c, &ty)
        {
            e.ty = ty;
            return e;
        }
        let span = e.span;
        expr(ExprKind::Widen(Box::new(e)), ty, span)
    }

    /// Reports a value of which nothing says what kind it is, unless it stands for a mistake already reported.
    pub fn no_kind(&mut self, e: &Expr) {
        let mut broken = false;
        visit::all(e, &mut |e| {
            broken |= match &e.kind {
                ExprKind::Undecided(l) => l.zh.is_none() && l.en.is_none(),
                ExprKind::Let(id) => match self.lets.get(id.ix()).map(|l| &l.state) {
                    Some(super::cx::LetState::Done(v)) => super::cx::is_broken(v),
                    _ => true,
                },
                ExprKind::Var(_) | ExprKind::Field(..) => e.ty == Ty::Never,
                _ => false,
            };
        });
        if !broken {
            let text = self.text(e.span);
            self.error_help(
                "E0302",
                e.span,
                format!("nothing says what kind of value `{text}` is here"),
                "use it where that is clear, such as in an effect or beside a value of the kind",
            );
        }
    }

    /// Reports a value that may be absent where one is needed.
    pub fn may_be_absent(&mut self, e: Expr, what: &str) -> Expr {
        let text = self.text(e.span);
        if matches!(e.kind, ExprKind::Const(_)) {
            self.error_help(
                "E0330",
                e.span,
                format!("{what} needs a value, but this is absent"),
                "give a value",
            );
            return broken_expr(e.span);
        }
        self.held.push((e.span, matches!(e.kind, ExprKind::Output(_) | ExprKind::OutputOf(..))));
        let ask = format!("ask `{text} is not absent` first, or write `{text} otherwise VALUE`");
        let help = match &e.kind {
            ExprKind::Output(_) => format!("it has a guard (`if …`) or is `optional`; {ask}"),
            ExprKind::Lookup { .. } => "write `… otherwise VALUE` for what holds then".to_owned(),
            _ => ask,
        };
        self.error_help(
            "E0330",
            e.span,
            format!("{what} needs {}, but `{text}` may be absent", self.show(e.ty.inner())),
            help,
        );
        broken_expr(e.span)
    }

    fn mismatch(&mut self, e: &Expr, want: &Ty, what: &str) {
        if let (ExprKind::Const(Const::Enum(_) | Const::Node(_)), Ty::Enum(_) | Ty::Node(_)) =
            (&e.kind, element(want))
        {
            let (text, words) = (self.text(e.span), self.words_of(want));
            // A word that means something was hardly misspelt, so nothing is certain.
            let near = nearest(&text, words.iter().map(String::as_str)).map(|n| Near { certain: false, ..n });
            let message = format!(
                "{what} needs {}, but `{text}` is one of `{}`",
                self.show(want.inner()),
                self.type_name(&e.ty)
            );
            let help = format!("`{}` has {}", self.type_name(element(want)), some_of(&words));
            self.misspelt("E0301", e.span, message, near, help);
            return;
        }
        let message = format!("{what} needs {}, but this is {}", self.show(want.inner()), self.show(&e.ty));
        let help = match (want.inner(), e.ty.inner()) {
            (Ty::Money, Ty::Int | Ty::Dec) if matches!(e.kind, ExprKind::Const(_)) => {
                let code =
                    self.vocab.currencies.first().map_or("CNY".to_owned(), |currency| currency.code.clone());
                Some(format!("say which money: `{} {code}`", self.text(e.span)))
            }
            (Ty::Unit(u), Ty::Int | Ty::Dec) if matches!(e.kind, ExprKind::Const(_)) => {
                let name = self.vocab.units.get(u.ix()).map_or("?", |u| u.name.as_str());
                Some(format!("say the unit: `{} {name}`", self.text(e.span)))
            }
            (Ty::Period, Ty::Int | Ty::Dec) => Some("say of what: `15 days`, `1 month`".to_owned()),
            (Ty::Date, Ty::DateTime) => Some("write `date_of(…)` for the store's day".to_owned()),
            (Ty::Int, Ty::Dec) => {
                Some("a number with decimals cannot stand for a whole number; declare `decimal`".to_owned())
            }
            (t, Ty::List(of) | Ty::Set(of)) if t == of.inner() => {
                Some("choose one of them: `max(… for x in …)`, or ask `any(…)`".to_owned())
            }
            (Ty::List(of) | Ty::Set(of), t) if of.inner() == t => {
                Some("write it in braces: `{…}`".to_owned())
            }
            (Ty::Bool, t) if matches!(what, "`and`" | "`or`") && matches!(e.kind, ExprKind::Const(_)) => {
                let (text, of) = (self.text(e.span), matches!(t, Ty::Enum(_) | Ty::Node(_)));
                let field = if of { format!("item.{}", self.type_name(t)) } else { "item.count".to_owned() };
                Some(format!("{what} joins whole conditions: say of what, as in `{field} is {text}`"))
            }
            (Ty::Bool, _) if matches!(e.kind, ExprKind::Const(_)) => Some("write `yes` or `no`".to_owned()),
            (Ty::Bool, _) => {
                let text = self.text(e.span);
                Some(format!("compare it with a value: `{text} is …`, `{text} > …`, `{text} in {{…}}`"))
            }
            _ => None,
        };
        match help {
            Some(help) => self.error_help("E0301", e.span, message, help),
            None => self.error("E0301", e.span, message),
        }
    }

    /// Types an expression.
    pub fn lower(&mut self, s: &mut Scope, e: &'a ast::Expr, hint: Option<&Ty>) -> Expr {
        let typed = self.lower_plain(s, e, hint);
        self.narrowed(s, typed)
    }

    fn lower_plain(&mut self, s: &mut Scope, e: &'a ast::Expr, hint: Option<&Ty>) -> Expr {
        use ast::ExprKind as A;
        match &e.kind {
            A::Bool(b) => constant(Const::Bool(*b), Ty::Bool, e.span),
            A::Absent => {
                let ty = hint.map_or(Ty::Never, |h| if h.is_optional() { h.clone() } else { Ty::Never });
                constant(Const::Absent, ty, e.span)
            }
            A::Number(n) => {
                let whole = n.is_integer() && hint.map(Ty::inner) != Some(&Ty::Dec);
                let ty = if whole { Ty::Int } else { Ty::Dec };
                self.number(n.value(), ty, e.span)
            }
            A::Percent(n) => self.number(n.value() / int(100), Ty::Dec, e.span),
            A::Zhe(n) => self.number(n.value() / int(10), Ty::Dec, e.span),
            A::Period(n, unit) => self.period(n, *unit, e.span),
            A::Duration(n, unit) => self.duration(n, *unit, e.span),
            A::Quantity(q) => self.quantity(q),
            A::Rate(rate) => self.rate(rate, e.span),
            A::Date(d) => constant(Const::Date(days(*d)), Ty::Date, e.span),
            A::DateTime(t) => constant(Const::DateTime(t.timestamp_micros()), Ty::DateTime, e.span),
            A::Text(t) => constant(Const::Text(t.clone()), Ty::Text, e.span),
            A::Path(p) => self.path(s, p, hint),
            A::Call(c) => self.call(s, c, None, hint, e.span),
            A::Field(of, name) => match &of.kind {
                A::Call(c) => self.call(s, c, Some(name), hint, e.span),
                _ => {
                    let of = self.lower(s, of, None);
                    self.field(s, of, name)
                }
            },
            A::Interval(_) => {
                self.error_help(
                    "E0303",
                    e.span,
                    "an interval stands only after `in`, in a table's cell or after `may set`",
                    "write `x in [a..b)`",
                );
                broken_expr(e.span)
            }
            A::List(items) => self.collection(s, items, true, hint, e.span),
            A::Set(items) => self.collection(s, items, false, hint, e.span),
            A::Undecided(text) => {
                let ty = hint.cloned().unwrap_or(Ty::Never);
                expr(ExprKind::Undecided(question(text)), ty, e.span)
            }
            A::Between(b) => self.between(s, b, e.span),
            A::Comprehension(c) => self.comprehension(s, c, hint, e.span),
            A::Split(x) => self.split(s, x, e.span),
            A::Share(x) => self.share(s, x, e.span),
            A::If(x) => self.if_else(s, x, hint, e.span),
            A::And(parts) => self.connective(s, parts, true, e.span),
            A::Or(parts) => self.connective(s, parts, false, e.span),
            A::Not(x) => {
                let x = self.check(s, x, &Ty::Bool, "`not`");
                expr(ExprKind::Not(Box::new(x)), Ty::Bool, e.span)
            }
            A::Neg(x) => self.negate(s, x, hint, e.span),
            A::Binary(_) if self.hyphened(e, |cx, name| cx.is_name(s, name)) => broken_expr(e.span),
            A::Binary(b) => self.binary(s, b, hint, e.span),
            A::IsAbsent(x, negated) => self.is_absent(s, x, *negated, e.span),
            A::Rounded(r) => self.rounded(s, r, hint, e.span),
        }
    }

    fn collection(
        &mut self,
        s: &mut Scope,
        items: &'a [ast::Expr],
        list: bool,
        hint: Option<&Ty>,
        span: Span,
    ) -> Expr {
        let mut of = match hint.map(Ty::inner) {
            Some(Ty::List(of) | Ty::Set(of)) => Some((**of).clone()),
            Some(other) if *other != Ty::Never => Some(other.clone()),
            _ => None,
        };
        let mut typed: Vec<Expr> = Vec::new();
        for item in items {
            let e = self.lower(s, item, of.as_ref());
            if of.is_none() && e.ty != Ty::Never {
                of = Some(e.ty.clone());
            }
            typed.push(e);
        }
        let mut common = typed.iter().map(|e| e.ty.clone()).find(|t| *t != Ty::Never).unwrap_or(Ty::Never);
        if typed.iter().any(|e| e.ty == Ty::Dec) && common == Ty::Int {
            common = Ty::Dec;
        }
        let typed = typed.into_iter().map(|e| self.coerce(e, &common, "each element here")).collect();
        let of = match (&common, of) {
            (Ty::Never, Some(of)) => of,
            _ => common,
        };
        if list {
            expr(ExprKind::List(typed), Ty::List(Arc::new(of)), span)
        } else {
            expr(ExprKind::Set(typed), Ty::Set(Arc::new(of)), span)
        }
    }

    /// A field of a value, or the per-line output of a loop variable's element.
    pub fn field(&mut self, s: &mut Scope, of: Expr, name: &ast::Name) -> Expr {
        let span = of.span.to(name.span);
        match of.ty.clone() {
            Ty::Never => broken_expr(span),
            Ty::Entity(id) => {
                let def = self.vocab.entities.get(id.ix());
                let found = def.and_then(|d| d.fields.iter().position(|f| f.name == name.text));
                let ty = found.and_then(|i| def?.fields.get(i)).map(|f| f.ty.clone());
                if let (Some(at), Some(ty)) = (found, ty) {
                    self.means(name.span, Symbol::Field(id, at as u32));
                    if ty == Ty::Never {
                        return broken_expr(span);
                    }
                    let typed = expr(ExprKind::Field(Box::new(of), at as u32), ty, span);
                    return self.narrowed(s, typed);
                }
                if let Some(e) = self.output_of(s, &of, name, span) {
                    return e;
                }
                self.unknown_field(id, &of, name);
                broken_expr(span)
            }
            Ty::Opt(inner) if matches!(*inner, Ty::Entity(_)) => {
                let text = self.text(of.span);
                self.error_help(
                    "E0330",
                    of.span,
                    format!("`{text}` may be absent, and then it has no `{}`", name.text),
                    format!("ask `{text} is not absent` first"),
                );
                broken_expr(span)
            }
            other => {
                let text = self.text(of.span);
                self.error(
                    "E0202",
                    name.span,
                    format!("`{text}` is {} and has no `{}`", self.show(&other), name.text),
                );
                broken_expr(span)
            }
        }
    }

    fn unknown_field(&mut self, id: EntityId, of: &Expr, name: &ast::Name) {
        if self.torn || crate::lang::syntax::deceives(&name.text) {
            return;
        }
        let Some(def) = self.vocab.entities.get(id.ix()) else { return };
        let near = nearest(&name.text, def.fields.iter().map(|f| f.name.as_str()));
        let entity = def.name.clone();
        let fields: Vec<String> = def.fields.iter().map(|f| f.name.clone()).collect();
        let whole = format!("{}.{}", self.text(of.span), name.text);
        let message = format!("`{whole}` is not a field of {entity}");
        self.misspelt("E0202", name.span, message, near, format!("{entity} has {}", some_of(&fields)));
    }
}

/// A constant.
pub(super) fn constant(c: Const, ty: Ty, span: Span) -> Expr {
    expr(ExprKind::Const(c), ty, span)
}

/// A whole number.
pub(super) fn int(n: i64) -> BigRational {
    BigRational::from_integer(BigInt::from(n))
}

/// The value as a whole number, if it is one of moderate size.
pub(super) fn whole(n: &BigRational) -> Option<i64> {
    if n.is_integer() { i64::try_from(n.to_integer()).ok() } else { None }
}

/// A number as an author would write it.
pub(super) fn show_num(n: &BigRational) -> String {
    let scaled = n * int(10_000);
    match whole(&scaled) {
        Some(v) if v % 10_000 == 0 => format!("{}", v / 10_000),
        Some(v) => {
            let sign = if v < 0 { "-" } else { "" };
            let text = format!("{sign}{}.{:04}", (v / 10_000).abs(), (v % 10_000).abs());
            text.trim_end_matches('0').to_owned()
        }
        None => n.to_string(),
    }
}

/// `a, b, c` and so on, not too many.
pub(super) fn some_of(names: &[String]) -> String {
    let mut text = names.iter().take(8).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    if names.len() > 8 {
        text.push_str(" …");
    }
    if text.is_empty() { "nothing".to_owned() } else { text }
}
