//! Params and the `set` lines of lower layers: fixed values with dates, within the bounds that the declaration gives.
use super::cx::{Cx, Named, Scope, broken_expr, is_broken};
use super::expr::some_of;
use crate::lang::ast;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::near::nearest;
use crate::lang::typed::*;

/// A param as it is being checked.
pub(super) struct ParamDecl<'a> {
    pub module: usize,
    pub ast: &'a ast::Param,
    pub ty: Ty,
    pub values: Vec<DatedValue>,
    pub settings: Vec<Setting>,
}

/// Whether two ranges have a day in common.
pub(super) fn overlap(a: &DateRange, b: &DateRange) -> bool {
    let starts_before_end = |x: &DateRange, y: &DateRange| match (x.from, y.before) {
        (Some(from), Some(before)) => from < before,
        _ => true,
    };
    starts_before_end(a, b) && starts_before_end(b, a)
}

impl<'a> Cx<'a> {
    pub fn param_decl(&mut self, module: usize, p: &'a ast::Param) -> ParamDecl<'a> {
        let ty = self.ty(&p.ty);
        if let Ty::Entity(_) | Ty::List(_) = super::expr::element(&ty) {
            self.error("E0303", p.ty.span, format!("`{}` cannot be a fixed value of this type", p.name.text));
        }
        let values = self.dated(module, &p.values, &ty, &format!("`{}`", p.name.text));
        for may in &p.may_set {
            if !self.input.layers.contains(&may.layer.text) {
                let near = nearest(&may.layer.text, self.input.layers.iter().map(String::as_str));
                let message = format!("there is no layer `{}`", may.layer.text);
                let help = format!("rulebook.toml lists {}", some_of(self.input.layers));
                self.misspelt("E0211", may.layer.span, message, near, help);
            }
        }
        ParamDecl { module, ast: p, ty, values, settings: Vec::new() }
    }

    fn dated(&mut self, m: usize, values: &'a [ast::Dated], ty: &Ty, what: &str) -> Vec<DatedValue> {
        let mut typed: Vec<DatedValue> = Vec::new();
        for v in values {
            let dates = self.range(&v.dates);
            if let Some(i) = typed.iter().position(|t| overlap(&t.dates, &dates))
                && let Some(first) = values.get(i)
            {
                self.push(
                    Diagnostic::error("E0405", v.span, format!("two values of {what} hold at the same time"))
                        .note(first.span, "the other one is here")
                        .help("give each its own dates: `A before D, B from D`"),
                );
            }
            let value = self.fixed(Some(m), &v.value, ty, what);
            typed.push(DatedValue { dates, value });
        }
        typed
    }

    /// A fixed value: literals and what can be computed from them.
    pub fn fixed(&mut self, m: Option<usize>, e: &'a ast::Expr, ty: &Ty, what: &str) -> Expr {
        let mut scope = Scope { module: m, constant: true, ..Scope::default() };
        let typed = self.check(&mut scope, e, ty, what);
        self.fix(typed, ty)
    }

    fn fix(&mut self, mut e: Expr, ty: &Ty) -> Expr {
        if e.ty == Ty::Never {
            return e;
        }
        match &mut e.kind {
            ExprKind::Undecided(_) => return e,
            ExprKind::Set(items) | ExprKind::List(items) => {
                let of = super::expr::element(ty).clone();
                let fixed = std::mem::take(items).into_iter().map(|i| self.fix(i, &of)).collect();
                let kind = if matches!(e.kind, ExprKind::Set(_)) {
                    ExprKind::Set(fixed)
                } else {
                    ExprKind::List(fixed)
                };
                return Expr { kind, ..e };
            }
            _ => {}
        }
        match super::fold::fold(&e) {
            Some(c) if !super::fold::in_range(&c, ty) => {
                self.error("E0306", e.span, "this number is larger than any that the language counts");
                broken_expr(e.span)
            }
            Some(c) => {
                if !self.lies_on_step(&c, ty) {
                    self.error_help(
                        "E0421",
                        e.span,
                        format!("`{}` does not come to an amount that can be paid", self.text(e.span)),
                        "write the amount itself",
                    );
                }
                Expr { kind: ExprKind::Const(c), ..e }
            }
            None => {
                self.error_help(
                    "E0404",
                    e.span,
                    format!(
                        "`{}` is not a fixed value, and only fixed values can stand here",
                        self.text(e.span)
                    ),
                    "write the value itself; a `let` computes from facts",
                );
                broken_expr(e.span)
            }
        }
    }

    /// Whether a constant of a type with a step lies on it.
    pub fn lies_on_step(&self, c: &Const, ty: &Ty) -> bool {
        match (c, ty.inner()) {
            (Const::Money(n, id), _) => {
                self.vocab.currencies.get(id.ix()).is_none_or(|d| (n / &d.step).is_integer())
            }
            (Const::Num(n), Ty::Unit(u)) => {
                self.vocab.units.get(u.ix()).is_none_or(|d| (n / &d.step).is_integer())
            }
            _ => true,
        }
    }

    /// Checks and enters all `set` lines.
    pub fn settings(&mut self) {
        for m in 0..self.mods.len() {
            let Some(ast) = self.mods.get(m).map(|m| m.ast) else { continue };
            for item in &ast.items {
                if let ast::Item::Set(set) = item {
                    self.setting(m, set);
                }
            }
        }
    }

    fn setting(&mut self, m: usize, set: &'a ast::SetParam) {
        let scope = Scope { module: Some(m), ..Scope::default() };
        let text = set.target.text();
        let Some(found) = self.callee(&scope, &set.target) else {
            let torn = self.mods.get(m).is_some_and(|m| m.torn || !m.ast.broken.is_empty()) || self.torn;
            if !torn {
                let all: Vec<String> = self
                    .params
                    .iter()
                    .filter_map(|p| Some(format!("{}.{}", self.mods.get(p.module)?.path, p.ast.name.text)))
                    .collect();
                let last = set.target.parts.last().map_or("", |n| n.text.as_str());
                let near = self.full_path(&text, last, &all);
                let help = "name it with its policy's path: `set policy.path.name = …`";
                let message = format!("there is no param `{text}`");
                self.misspelt("E0219", set.target.span, message, near, help);
            }
            return;
        };
        self.means_path(&set.target, &found);
        for (_, named) in found {
            match named {
                Named::Param(id) => self.set_one(m, set, id),
                Named::Broken => {}
                _ => {
                    self.error_help(
                        "E0219",
                        set.target.span,
                        format!("`{text}` is not a param"),
                        "only params can be set by lower layers; rules of lower layers may override others",
                    );
                    return;
                }
            }
        }
    }

    fn set_one(&mut self, m: usize, set: &'a ast::SetParam, id: ParamId) {
        let Some((home, ast, ty)) = self.params.get(id.ix()).map(|p| (p.module, p.ast, p.ty.clone())) else {
            return;
        };
        let what = format!("`{}`", set.target.text());
        let values = self.dated(m, &set.values, &ty, &what);
        let (Some(own), Some(other)) = (self.mods.get(m), self.mods.get(home)) else { return };
        let (kind, lower) = (own.layer.kind.clone(), own.layer.rank > other.layer.rank);
        let library = matches!(other.ast.kind, ast::ModuleKind::Library);
        let home_path = other.path.clone();
        if home == m {
            self.error_help(
                "E0430",
                set.span,
                format!("{what} is declared in the same policy"),
                "change the declaration; several values may have dates",
            );
            return;
        }
        if !lower && !library {
            self.push(
                Diagnostic::error(
                    "E0430",
                    set.span,
                    format!("a policy on layer `{kind}` cannot set {what}: `{home_path}` is not on a more general layer"),
                )
                .note(ast.span, "it is declared here"),
            );
            return;
        }
        let Some(may) = ast.may_set.iter().find(|s| s.layer.text == kind) else {
            self.push(
                Diagnostic::error("E0430", set.span, format!("layer `{kind}` may not set {what}"))
                    .note(ast.span, "the declaration gives no bounds for it")
                    .help(format!("add `{kind} may set [LOW..HIGH]` to the declaration, if it may")),
            );
            return;
        };
        for value in &values {
            self.within(home, may, &value.value, &ty, &what);
        }
        let Some(param) = self.params.get_mut(id.ix()) else { return };
        if param.settings.iter().any(|s| s.policy == PolicyId(m as u32)) {
            self.error_help(
                "E0204",
                set.span,
                format!("{what} is set twice in this policy"),
                "write the values in one line, each with its dates",
            );
            return;
        }
        param.settings.push(Setting { policy: PolicyId(m as u32), values });
    }

    fn within(&mut self, home: usize, may: &'a ast::MaySet, value: &Expr, ty: &Ty, what: &str) {
        let ExprKind::Const(c) = &value.kind else { return };
        let fits = match &may.range.kind {
            ast::ExprKind::Interval(i) => {
                let low = self.fixed(Some(home), &i.low, ty.inner(), "the lower end");
                let high = self.fixed(Some(home), &i.high, ty.inner(), "the upper end");
                let (ExprKind::Const(low), ExprKind::Const(high)) = (&low.kind, &high.kind) else { return };
                let above =
                    super::fold::order(low, c).map(|o| if i.low_open { o.is_lt() } else { o.is_le() });
                let below =
                    super::fold::order(c, high).map(|o| if i.high_open { o.is_lt() } else { o.is_le() });
                above == Some(true) && below == Some(true)
            }
            ast::ExprKind::Set(items) | ast::ExprKind::List(items) => {
                let mut found = false;
                for item in items {
                    let e = self.fixed(Some(home), item, ty.inner(), "each value here");
                    if is_broken(&e) {
                        return;
                    }
                    found |= matches!(&e.kind, ExprKind::Const(x) if x == c);
                }
                found
            }
            _ => {
                self.error_help(
                    "E0303",
                    may.range.span,
                    "after `may set` stands an interval or a set of values",
                    "write `[100 CNY..500 CNY]` or `{a, b}`",
                );
                return;
            }
        };
        if !fits {
            self.push(
                Diagnostic::error(
                    "E0431",
                    value.span,
                    format!(
                        "`{}` is outside what layer `{}` may set {what} to",
                        self.text(value.span),
                        may.layer.text
                    ),
                )
                .note(may.range.span, "these are the bounds")
                .help("stay within the bounds; whoever wrote the declaration may widen them"),
            );
        }
    }
}
