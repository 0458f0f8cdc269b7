//! The functions of the language, and `fill`.
use super::cx::{Cx, Named, Scope, broken_expr, expr};
use super::expr::some_of;
use crate::lang::ast;
use crate::lang::index::Symbol;
use crate::lang::near::nearest;
use crate::lang::source::Span;
use crate::lang::typed::*;
use std::sync::Arc;

/// Every function with how it is written.
pub const NAMES: [(&str, &str); 31] = [
    ("min", "min(a, b)"),
    ("max", "max(a, b)"),
    ("earliest", "earliest(a, b)"),
    ("latest", "latest(a, b)"),
    ("abs", "abs(a)"),
    ("year", "year(d)"),
    ("month", "month(d)"),
    ("day", "day(d)"),
    ("weekday", "weekday(d)"),
    ("start_of_day", "start_of_day(d)"),
    ("start_of_week", "start_of_week(d)"),
    ("start_of_month", "start_of_month(d)"),
    ("start_of_quarter", "start_of_quarter(d)"),
    ("start_of_year", "start_of_year(d)"),
    ("end_of_day", "end_of_day(d)"),
    ("end_of_week", "end_of_week(d)"),
    ("end_of_month", "end_of_month(d)"),
    ("end_of_quarter", "end_of_quarter(d)"),
    ("end_of_year", "end_of_year(d)"),
    ("date_of", "date_of(t)"),
    ("next_workday", "next_workday(d, calendar)"),
    ("is_workday", "is_workday(d, calendar)"),
    ("above", "above(level)"),
    ("below", "below(level)"),
    ("length", "length(list)"),
    ("first", "first(list)"),
    ("last", "last(list)"),
    ("previous", "previous(l.amount)"),
    ("anniversary", "anniversary(d, year)"),
    ("fill", "fill(table, budget)"),
    ("share", "share(l, amount, weight for x in list)"),
];

impl<'a> Cx<'a> {
    pub fn is_function(&self, name: &str) -> bool {
        NAMES.iter().any(|(n, _)| *n == name)
    }

    /// A call of a function of the language.
    pub fn function(
        &mut self,
        s: &mut Scope,
        c: &'a ast::Call,
        name: &ast::Name,
        hint: Option<&Ty>,
        span: Span,
    ) -> Expr {
        if let Some(arg) = c.args.iter().find_map(|a| a.name.as_ref()) {
            self.error_help(
                "E0304",
                arg.span,
                format!("`{}` takes its values without names", name.text),
                "remove the name and the colon",
            );
            return broken_expr(span);
        }
        let date = |f: Func, ty: Ty| Some((f, Ty::Date, ty));
        let simple = match name.text.as_str() {
            "min" | "earliest" => return self.extreme(s, c, Func::Min, name, hint, span),
            "max" | "latest" => return self.extreme(s, c, Func::Max, name, hint, span),
            "abs" | "above" | "below" | "length" => return self.of_any(s, c, name, hint, span),
            "first" | "last" => return self.end_of_list(s, c, name, span),
            "previous" => return self.previous(s, c, name, hint, span),
            "next_workday" | "is_workday" => return self.workday(s, c, name, span),
            "anniversary" => return self.anniversary(s, c, name, span),
            "date_of" => Some((Func::DateOf, Ty::DateTime, Ty::Date)),
            "year" => date(Func::Year, Ty::Int),
            "month" => date(Func::Month, Ty::Int),
            "day" => date(Func::Day, Ty::Int),
            "weekday" => date(Func::Weekday, Ty::Int),
            "start_of_day" => date(Func::StartOfDay, Ty::DateTime),
            "start_of_week" => date(Func::StartOfWeek, Ty::Date),
            "start_of_month" => date(Func::StartOfMonth, Ty::Date),
            "start_of_quarter" => date(Func::StartOfQuarter, Ty::Date),
            "start_of_year" => date(Func::StartOfYear, Ty::Date),
            "end_of_day" => date(Func::EndOfDay, Ty::DateTime),
            "end_of_week" => date(Func::EndOfWeek, Ty::Date),
            "end_of_month" => date(Func::EndOfMonth, Ty::Date),
            "end_of_quarter" => date(Func::EndOfQuarter, Ty::Date),
            "end_of_year" => date(Func::EndOfYear, Ty::Date),
            _ => None,
        };
        let Some((func, want, ty)) = simple else { return self.wrong_shape(name, span) };
        let [arg] = c.args.as_slice() else { return self.wrong_shape(name, span) };
        let value = self.check(s, &arg.value, &want, &format!("`{}`", name.text));
        expr(ExprKind::Func(func, vec![value]), ty, span)
    }

    pub fn wrong_shape(&mut self, name: &ast::Name, span: Span) -> Expr {
        let usage = NAMES.iter().find(|(n, _)| *n == name.text).map_or("", |(_, u)| *u);
        let message = format!("`{}` is not used like this", name.text);
        self.error_help("E0304", span, message, format!("write `{usage}`"));
        broken_expr(span)
    }

    fn extreme(
        &mut self,
        s: &mut Scope,
        c: &'a ast::Call,
        func: Func,
        name: &ast::Name,
        hint: Option<&Ty>,
        span: Span,
    ) -> Expr {
        if c.args.len() < 2 {
            return self.wrong_shape(name, span);
        }
        let what = format!("`{}`", name.text);
        let hint = hint.map(|h| h.inner().clone());
        let mut typed = Vec::new();
        let mut of = hint.clone();
        for arg in &c.args {
            let e = self.lower(s, &arg.value, of.as_ref());
            if e.ty.is_optional() {
                return self.may_be_absent(e, &what);
            }
            if e.ty != Ty::Never && of.is_none() {
                of = Some(e.ty.clone());
            }
            typed.push(e);
        }
        let dec = typed.iter().any(|e| e.ty == Ty::Dec);
        let common =
            typed.iter().map(|e| e.ty.clone()).find(|t| *t != Ty::Never).or(hint).unwrap_or(Ty::Never);
        let common = if dec && common == Ty::Int { Ty::Dec } else { common };
        if common == Ty::Never {
            if let Some(first) = typed.first() {
                self.no_kind(first);
            }
            return broken_expr(span);
        }
        if !self.is_ordered(&common) {
            let message = format!("{} has no order, so {what} cannot choose", self.show(&common));
            self.error("E0305", span, message);
            return broken_expr(span);
        }
        let typed =
            typed.into_iter().map(|e| self.coerce(e, &common, &format!("each value of {what}"))).collect();
        expr(ExprKind::Func(func, typed), common, span)
    }

    fn of_any(
        &mut self,
        s: &mut Scope,
        c: &'a ast::Call,
        name: &ast::Name,
        hint: Option<&Ty>,
        span: Span,
    ) -> Expr {
        let [arg] = c.args.as_slice() else { return self.wrong_shape(name, span) };
        let hint = if name.text == "length" { None } else { hint.map(|h| h.inner().clone()) };
        let value = self.lower(s, &arg.value, hint.as_ref());
        let what = format!("`{}`", name.text);
        if value.ty.is_optional() {
            return self.may_be_absent(value, &what);
        }
        let (func, ty) = match (name.text.as_str(), &value.ty) {
            (_, Ty::Never) => {
                self.no_kind(&value);
                return broken_expr(span);
            }
            ("abs", t) if t.is_numeric() => (Func::Abs, t.clone()),
            ("length", Ty::List(_) | Ty::Set(_)) => (Func::Length, Ty::Int),
            ("above", t @ Ty::Enum(_)) if self.is_ordered(t) => (Func::Above, t.clone().optional()),
            ("below", t @ Ty::Enum(_)) if self.is_ordered(t) => (Func::Below, t.clone().optional()),
            (which, t) => {
                let wanted = match which {
                    "abs" => "a number or an amount",
                    "length" => "a list or set",
                    _ => "a word of an ordered enum",
                };
                let message = format!("{what} needs {wanted}, but this is {}", self.show(t));
                self.error("E0301", value.span, message);
                return broken_expr(span);
            }
        };
        expr(ExprKind::Func(func, vec![value]), ty, span)
    }

    /// `first(list)` and `last(list)`: absent of an empty list.
    fn end_of_list(&mut self, s: &mut Scope, c: &'a ast::Call, name: &ast::Name, span: Span) -> Expr {
        let [arg] = c.args.as_slice() else { return self.wrong_shape(name, span) };
        let list = self.lower(s, &arg.value, None);
        let what = format!("`{}`", name.text);
        if list.ty.is_optional() {
            return self.may_be_absent(list, &what);
        }
        let of = match &list.ty {
            Ty::List(of) => (**of).clone(),
            Ty::Never => return broken_expr(span),
            other => {
                let message = format!("{what} needs a list, but this is {}", self.show(other));
                self.error("E0301", list.span, message);
                return broken_expr(span);
            }
        };
        let func = if name.text == "first" { Func::First } else { Func::Last };
        expr(ExprKind::Func(func, vec![list]), of.optional(), span)
    }

    fn workday(&mut self, s: &mut Scope, c: &'a ast::Call, name: &ast::Name, span: Span) -> Expr {
        let [day, calendar] = c.args.as_slice() else { return self.wrong_shape(name, span) };
        let value = self.check(s, &day.value, &Ty::Date, &format!("`{}`", name.text));
        let ast::ExprKind::Path(path) = &calendar.value.kind else { return self.wrong_shape(name, span) };
        let named = self.callee(s, path);
        self.means_path(path, named.as_deref().unwrap_or(&[]));
        let own = named.and_then(|v| {
            v.into_iter().find_map(|(_, n)| match n {
                Named::Calendar(id) => Some(Ok(id)),
                Named::Broken => Some(Err(())),
                _ => None,
            })
        });
        let id = match own {
            Some(Ok(id)) => id,
            Some(Err(())) => return broken_expr(span),
            None => {
                let text = path.text();
                let found = self.shared_calendars.iter().find(|(n, _)| *n == text).map(|(_, id)| *id);
                match found {
                    Some(id) => {
                        self.means(path.span, Symbol::Calendar(id));
                        id
                    }
                    None => {
                        if !self.excused(&text) {
                            let near = nearest(&text, self.vocab.calendars.iter().map(|c| c.name.as_str()));
                            let names: Vec<String> =
                                self.vocab.calendars.iter().map(|c| c.name.clone()).collect();
                            let help = match names.is_empty() {
                                true => "declare one: `calendar NAME { closed 2026-10-01 }`".to_owned(),
                                false => format!("there is {}", some_of(&names)),
                            };
                            let message = format!("there is no calendar `{text}`");
                            self.misspelt("E0217", path.span, message, near, help);
                        }
                        return broken_expr(span);
                    }
                }
            }
        };
        let (func, ty) = if name.text == "is_workday" {
            (Func::IsWorkday(id), Ty::Bool)
        } else {
            (Func::NextWorkday(id), Ty::Date)
        };
        expr(ExprKind::Func(func, vec![value]), ty, span)
    }

    fn anniversary(&mut self, s: &mut Scope, c: &'a ast::Call, name: &ast::Name, span: Span) -> Expr {
        let [day, year] = c.args.as_slice() else { return self.wrong_shape(name, span) };
        let day = self.check(s, &day.value, &Ty::Date, "`anniversary`");
        let year = self.check(s, &year.value, &Ty::Int, "the year of `anniversary`");
        expr(ExprKind::Func(Func::Anniversary, vec![day, year]), Ty::Date, span)
    }

    /// `fill(table, budget).value`
    pub fn fill(&mut self, s: &mut Scope, c: &'a ast::Call, part: Option<&'a ast::Name>, span: Span) -> Expr {
        let usage = "write `fill(table, budget).value`, `.used` or `.rows`";
        let ([table, budget], Some(part)) = (c.args.as_slice(), part) else {
            self.error_help("E0304", span, "`fill` is not used like this", usage);
            return broken_expr(span);
        };
        let named = match &table.value.kind {
            ast::ExprKind::Path(p) => {
                let named = self.callee(s, p);
                self.means_path(p, named.as_deref().unwrap_or(&[]));
                named
            }
            _ => None,
        };
        let id = match named.as_deref() {
            Some([(_, Named::Table(id))]) => *id,
            Some([(_, Named::Broken), ..]) => return broken_expr(span),
            _ => {
                let text = self.text(table.span);
                if !self.excused(&text) {
                    self.error_help("E0214", table.span, format!("`{text}` is not a table"), usage);
                }
                return broken_expr(span);
            }
        };
        let Some(decl) = self.tables.get_mut(id.ix()) else { return broken_expr(span) };
        decl.filled = true;
        let (params, results) = (decl.params.clone(), decl.results.clone());
        let (Some((_, key)), Some((_, value)), 1) = (params.first(), results.first(), params.len()) else {
            self.error_help(
                "E0304",
                table.span,
                "`fill` needs a table with one key: what each row takes from the budget",
                "give the table one column before `->`",
            );
            return broken_expr(span);
        };
        if *key == Ty::Never || *value == Ty::Never {
            return broken_expr(span);
        }
        if !matches!(key, Ty::Int | Ty::Money | Ty::Unit(_)) || !value.is_numeric() {
            self.error_help(
                "E0303",
                table.span,
                "`fill` counts with amounts, units or whole numbers",
                "the key must be one of these, and the first result a number or an amount",
            );
            return broken_expr(span);
        }
        let budget = self.check(s, &budget.value, key, "the budget of `fill`");
        let (part, ty) = match part.text.as_str() {
            "value" => (FillPart::Value, value.clone()),
            "used" => (FillPart::Used, key.clone()),
            "rows" => (FillPart::Rows, Ty::List(Arc::new(key.clone()))),
            _ => {
                self.error_help("E0202", part.span, format!("`fill` gives no `{}`", part.text), usage);
                return broken_expr(span);
            }
        };
        expr(ExprKind::Fill { table: id, budget: Box::new(budget), part }, ty, span)
    }
}
