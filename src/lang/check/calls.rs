//! Calls: tables, facts with arguments, records, other decisions.
use super::cx::{Cx, Named, Scope, broken_expr, expr, is_broken};
use super::expr::some_of;
use super::names::Head;
use super::vocab::TypeName;
use crate::lang::ast;
use crate::lang::index::Symbol;
use crate::lang::near::nearest;
use crate::lang::source::Span;
use crate::lang::typed::*;
use std::sync::Arc;

impl<'a> Cx<'a> {
    /// `f(args)` or `f(args).part`.
    pub fn call(
        &mut self,
        s: &mut Scope,
        c: &'a ast::Call,
        part: Option<&'a ast::Name>,
        hint: Option<&Ty>,
        span: Span,
    ) -> Expr {
        if s.constant {
            self.error_help("E0404", span, "only fixed values can stand here", "write the value itself");
            return broken_expr(span);
        }
        if let Some(versions) = self.callee(s, &c.function) {
            self.means_path(&c.function, &versions);
            return self.named_call(s, c, versions, part, span);
        }
        let Some(name) = c.function.single() else {
            match self.module_prefix(&c.function.parts).map(|(p, r)| (p, r.first())) {
                Some((path, Some(name))) => self.unknown_in_module(&path, name),
                _ => {
                    if let Some(first) = c.function.parts.first() {
                        if self.is_name(s, &first.text) {
                            let text = c.function.text();
                            self.error_help(
                                "E0215",
                                c.function.span,
                                format!("`{text}` takes nothing in brackets"),
                                "write the name alone",
                            );
                            return broken_expr(span);
                        }
                        self.unknown_name(s, first, None);
                    }
                }
            }
            return broken_expr(span);
        };
        if let Some(at) = self.vocab.fact_calls.iter().position(|f| f.name == name.text) {
            let e = self.fact_call(s, c, FactCallId(at as u32), name, span);
            return self.then_field(s, e, part);
        }
        if let Some(TypeName::Is(Ty::Entity(id))) = self.types.get(&name.text).cloned() {
            let e = self.record(s, c, id, name, span);
            return self.then_field(s, e, part);
        }
        if let Some(d) = self.decision_by_name(&name.text) {
            return self.decision_call(s, c, d, part, span);
        }
        if name.text == "fill" {
            return self.fill(s, c, part, span);
        }
        if self.is_function(&name.text) {
            let e = self.function(s, c, name, hint, span);
            return self.then_field(s, e, part);
        }
        self.unknown_call(s, name);
        broken_expr(span)
    }

    fn then_field(&mut self, s: &mut Scope, e: Expr, part: Option<&ast::Name>) -> Expr {
        match part {
            Some(name) => {
                let e = self.narrowed(s, e);
                self.field(s, e, name)
            }
            None => e,
        }
    }

    /// The declarations that a called path names.
    pub fn callee(&self, s: &Scope, path: &ast::Path) -> Option<Vec<(usize, Named)>> {
        if let Some(name) = path.single() {
            return match self.find(s, &name.text) {
                Some(Head::Named(v)) => Some(v),
                _ => None,
            };
        }
        let (module, rest) = self.module_prefix(&path.parts)?;
        let [name] = rest else { return None };
        Some(self.named_in(&module, &name.text)).filter(|v| !v.is_empty())
    }

    fn unknown_call(&mut self, s: &Scope, name: &ast::Name) {
        if self.excused(&name.text) {
            return;
        }
        if self.find(s, &name.text).is_some() {
            self.error_help(
                "E0215",
                name.span,
                format!("`{}` takes nothing in brackets", name.text),
                "write the name alone",
            );
            return;
        }
        let own = s.module.and_then(|m| self.mods.get(m));
        if own.is_some_and(|m| m.torn) {
            return;
        }
        let tables = self.tables.iter().map(|t| t.ast.name.text.as_str());
        let facts = self.vocab.fact_calls.iter().map(|f| f.name.as_str());
        let records = self.vocab.entities.iter().filter(|e| e.record).map(|e| e.name.as_str());
        let decisions = self.vocab.decisions.iter().map(|d| d.name.as_str());
        let functions = super::functions::NAMES.iter().map(|(n, _)| *n);
        let near = nearest(&name.text, tables.chain(facts).chain(records).chain(decisions).chain(functions));
        let home = self.mods.iter().find(|m| m.names.contains_key(&name.text)).map(|m| m.path.clone());
        let near = near.filter(|_| home.is_none());
        let help = match home {
            Some(home) => format!(
                "`{home}` declares it: write `{home}.{0}(…)`, or `uses {home}` in the policy's head",
                name.text
            ),
            None => {
                "write a table as `table NAME(…) -> …`; functions are `min`, `max`, `year`, `sum` and others"
                    .to_owned()
            }
        };
        let message = format!("there is no table, function or fact `{}` here", name.text);
        self.misspelt("E0215", name.span, message, near, help);
    }

    fn named_call(
        &mut self,
        s: &mut Scope,
        c: &'a ast::Call,
        versions: Vec<(usize, Named)>,
        part: Option<&'a ast::Name>,
        span: Span,
    ) -> Expr {
        let mut made = Vec::new();
        for (module, named) in versions {
            match named {
                Named::Table(id) => match self.lookup(s, c, id, part, span) {
                    Some(e) => made.push((module, e)),
                    None => return broken_expr(span),
                },
                Named::Broken => return broken_expr(span),
                _ => {
                    let name = c.function.text();
                    self.error_help(
                        "E0215",
                        c.function.span,
                        format!("`{name}` takes nothing in brackets"),
                        "write the name alone",
                    );
                    return broken_expr(span);
                }
            }
        }
        self.by_version(s, made, span)
    }

    fn lookup(
        &mut self,
        s: &mut Scope,
        c: &'a ast::Call,
        id: TableId,
        part: Option<&'a ast::Name>,
        span: Span,
    ) -> Option<Expr> {
        let decl = self.tables.get(id.ix())?;
        let name = decl.ast.name.text.clone();
        let (params, results) = (decl.params.clone(), decl.results.clone());
        self.means_columns(c, id);
        let args = self.arguments(s, c, &params, &format!("`{name}`"))?;
        let at = match (part, results.as_slice()) {
            (Some(part), _) => match results.iter().position(|(n, _)| *n == part.text) {
                Some(at) => at,
                None => {
                    let near = nearest(&part.text, results.iter().map(|(n, _)| n.as_str()));
                    let names: Vec<String> = results.iter().map(|(n, _)| n.clone()).collect();
                    let message = format!("`{name}` has no result `{}`", part.text);
                    let help = format!("it gives {}", some_of(&names));
                    self.misspelt("E0202", part.span, message, near, help);
                    return None;
                }
            },
            (None, [_]) => 0,
            (None, _) => {
                let names: Vec<String> = results.iter().map(|(n, _)| n.clone()).collect();
                let first = names.first().cloned().unwrap_or_default();
                self.error_help(
                    "E0304",
                    span,
                    format!("`{name}` gives several results: {}", some_of(&names)),
                    format!("say which: `{name}(…).{first}`"),
                );
                return None;
            }
        };
        let ty = results.get(at)?.1.clone();
        if ty == Ty::Never {
            return None;
        }
        if let Some(part) = part {
            self.means(part.span, Symbol::Column(id, (params.len() + at) as u32));
        }
        Some(expr(ExprKind::Lookup { table: id, args, result: at as u32 }, ty, span))
    }

    /// Arguments by position or name against declared parameters, all of them; `None` after a finding.
    pub fn arguments(
        &mut self,
        s: &mut Scope,
        c: &'a ast::Call,
        params: &[(String, Ty)],
        what: &str,
    ) -> Option<Vec<Expr>> {
        let names: Vec<&str> = params.iter().map(|(n, _)| n.as_str()).collect();
        let bound = self.bind(c, &names, what)?;
        let mut typed = Vec::new();
        let mut missing = Vec::new();
        for ((name, ty), arg) in params.iter().zip(bound) {
            match arg {
                Some(arg) => typed.push(self.check(s, &arg.value, ty, &format!("`{name}` of {what}"))),
                None => missing.push(name.clone()),
            }
        }
        if !missing.is_empty() {
            self.error_help(
                "E0304",
                c.function.span,
                format!("{what} also needs {}", some_of(&missing)),
                format!("write `{}({})`", c.function.text(), names.join(", ")),
            );
            return None;
        }
        Some(typed)
    }

    /// Which argument is whose; `None` after a finding.
    fn bind(&mut self, c: &'a ast::Call, names: &[&str], what: &str) -> Option<Vec<Option<&'a ast::Arg>>> {
        let mut bound: Vec<Option<&'a ast::Arg>> = vec![None; names.len()];
        for (i, arg) in c.args.iter().enumerate() {
            let at = match &arg.name {
                None => i,
                Some(n) => match names.iter().position(|x| *x == n.text) {
                    Some(at) => at,
                    None => {
                        let near = nearest(&n.text, names.iter().copied());
                        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
                        let message = format!("{what} has no `{}`", n.text);
                        let help = format!("it has {}", some_of(&names));
                        self.misspelt("E0304", n.span, message, near, help);
                        return None;
                    }
                },
            };
            match bound.get_mut(at) {
                None => {
                    let count = names.len();
                    self.error(
                        "E0304",
                        arg.span,
                        format!(
                            "{what} takes {count} value{}, but this is one more",
                            if count == 1 { "" } else { "s" }
                        ),
                    );
                    return None;
                }
                Some(Some(_)) => {
                    let name = names.get(at).copied().unwrap_or_default();
                    self.error("E0304", arg.span, format!("`{name}` of {what} is given twice"));
                    return None;
                }
                Some(free) => *free = Some(arg),
            }
        }
        Some(bound)
    }

    fn fact_call(
        &mut self,
        s: &mut Scope,
        c: &'a ast::Call,
        id: FactCallId,
        name: &ast::Name,
        span: Span,
    ) -> Expr {
        let Some(def) = self.vocab.fact_calls.get(id.ix()) else { return broken_expr(span) };
        let (params, ty, request) = (def.params.clone(), def.ty.clone(), def.source == Source::Request);
        self.means(name.span, Symbol::FactCall(id));
        for arg in c.args.iter().filter_map(|a| a.name.as_ref()) {
            if let Some(at) = params.iter().position(|(n, _)| *n == arg.text) {
                self.means(arg.span, Symbol::FactParam(id, at as u32));
            }
        }
        if request
            && let Some(d) = s.decision.and_then(|d| self.decision(d))
            && !d.given_calls.contains(&id)
        {
            let decision = d.name.clone();
            self.error_help(
                "E0210",
                name.span,
                format!("`{decision}` is not given `{}`", name.text),
                format!("add `{}` to `decision {decision} given …`", name.text),
            );
        }
        match self.arguments(s, c, &params, &format!("`{}`", name.text)) {
            Some(args) if ty != Ty::Never => expr(ExprKind::FactCall(id, args), ty, span),
            _ => broken_expr(span),
        }
    }

    fn record(
        &mut self,
        s: &mut Scope,
        c: &'a ast::Call,
        id: EntityId,
        name: &ast::Name,
        span: Span,
    ) -> Expr {
        let Some(def) = self.vocab.entities.get(id.ix()) else { return broken_expr(span) };
        if !def.record {
            self.error_help(
                "E0303",
                span,
                format!("`{}` is a fact that is given; rules cannot make one", name.text),
                "declare a `record` for what rules make",
            );
            return broken_expr(span);
        }
        let fields: Vec<(String, Ty)> = def.fields.iter().map(|f| (f.name.clone(), f.ty.clone())).collect();
        self.means(name.span, Symbol::Entity(id));
        self.means_fields(c, id);
        if let Some(arg) = c.args.iter().find(|a| a.name.is_none()) {
            let first = fields.first().map_or("field", |f| f.0.as_str());
            self.error_help(
                "E0304",
                arg.span,
                format!("each field of `{}` is given by its name", name.text),
                format!("write `{}({first}: …)`", name.text),
            );
            return broken_expr(span);
        }
        let names: Vec<&str> = fields.iter().map(|(n, _)| n.as_str()).collect();
        let what = format!("`{}`", name.text);
        let Some(bound) = self.bind(c, &names, &what) else { return broken_expr(span) };
        let (mut values, mut missing) = (Vec::new(), Vec::new());
        for ((field, ty), arg) in fields.iter().zip(bound) {
            match arg {
                Some(arg) => {
                    values.push(self.check(s, &arg.value, ty, &format!("`{field}` of {what}")));
                }
                None if ty.is_optional() => {
                    values.push(super::expr::constant(Const::Absent, ty.clone(), span));
                }
                None => missing.push(field.clone()),
            }
        }
        if !missing.is_empty() {
            let help = format!("write `{}(…, {}: …)`", name.text, missing.join(": …, "));
            self.error_help("E0304", name.span, format!("{what} also needs {}", some_of(&missing)), help);
            return broken_expr(span);
        }
        expr(ExprKind::Record(id, values), Ty::Entity(id), span)
    }

    fn decision_call(
        &mut self,
        s: &mut Scope,
        c: &'a ast::Call,
        d: DecisionId,
        part: Option<&'a ast::Name>,
        span: Span,
    ) -> Expr {
        let Some(def) = self.decision(d) else { return broken_expr(span) };
        let name = def.name.clone();
        let outputs: Vec<(String, bool, bool)> =
            def.outputs.iter().map(|o| (o.name.clone(), o.working, o.per.is_some())).collect();
        let given = def.given.clone();
        self.means(c.function.span, Symbol::Decision(d));
        let visible: Vec<String> = outputs.iter().filter(|o| !o.1).map(|o| o.0.clone()).collect();
        let Some(part) = part else {
            self.error_help(
                "E0304",
                span,
                format!("`{name}(…)` has several answers"),
                format!("say which: `{name}(…).{}`", visible.first().map_or("NAME", String::as_str)),
            );
            return broken_expr(span);
        };
        let Some(at) = outputs.iter().position(|o| o.0 == part.text) else {
            let near = nearest(&part.text, visible.iter().map(String::as_str));
            let message = format!("`{name}` has no output `{}`", part.text);
            let help = format!("it has {}", some_of(&visible));
            self.misspelt("E0208", part.span, message, near, help);
            return broken_expr(span);
        };
        if outputs.get(at).is_some_and(|o| o.1) {
            self.error_help(
                "E0208",
                part.span,
                format!("`{}` is a working output of `{name}`, which other decisions cannot read", part.text),
                format!("it returns {}", some_of(&visible)),
            );
            return broken_expr(span);
        }
        self.means(part.span, Symbol::Output(d, OutputId(at as u32)));
        let mut changes: Vec<(RootId, Expr)> = Vec::new();
        for arg in &c.args {
            let Some(field) = &arg.name else {
                self.error_help(
                    "E0304",
                    arg.span,
                    "a fact that changes is given by its name",
                    format!("write `{name}(lines: …)`"),
                );
                return broken_expr(span);
            };
            let root = self.root_by_name(&field.text).filter(|r| given.contains(r));
            let Some(root) = root else {
                let names: Vec<String> =
                    given.iter().filter_map(|r| Some(self.vocab.roots.get(r.ix())?.name.clone())).collect();
                let near = nearest(&field.text, names.iter().map(String::as_str));
                let message = format!("`{name}` is not given `{}`", field.text);
                let help = format!("it is given {}", some_of(&names));
                self.misspelt("E0210", field.span, message, near, help);
                return broken_expr(span);
            };
            self.means(field.span, Symbol::Root(root));
            let ty = self.vocab.roots.get(root.ix()).map_or(Ty::Never, |r| r.ty.clone());
            let value = self.check(s, &arg.value, &ty, &format!("`{}`", field.text));
            if matches!(ty.inner(), Ty::List(_)) && !is_broken(&value) && !self.is_given_list(&value) {
                self.error_help(
                    "E0460",
                    value.span,
                    format!("`{}` must be a given list, whole or filtered", field.text),
                    "write `list(l for l in lines where …)`",
                );
                return broken_expr(span);
            }
            changes.push((root, value));
        }
        changes.sort_by_key(|(r, _)| *r);
        let output = OutputId(at as u32);
        let element = self.output_value_ty(d, output);
        if element == Ty::Never {
            return broken_expr(span);
        }
        let ty = if outputs.get(at).is_some_and(|o| o.2) { Ty::List(Arc::new(element)) } else { element };
        expr(ExprKind::Call { decision: d, changes, output }, ty, span)
    }

    /// Whether a list is made of elements that were given, so that they keep their places.
    fn is_given_list(&self, e: &Expr) -> bool {
        match &e.kind {
            ExprKind::Root(_) | ExprKind::Field(..) | ExprKind::Undecided(_) => true,
            ExprKind::Present(x) => self.is_given_list(x),
            ExprKind::If(_, a, b) | ExprKind::Otherwise(a, b) => {
                self.is_given_list(a) && self.is_given_list(b)
            }
            ExprKind::Let(id) => match self.lets.get(id.ix()).map(|l| &l.state) {
                Some(super::cx::LetState::Done(value)) => self.is_given_list(value),
                _ => false,
            },
            ExprKind::Comp { kind: CompKind::List, var, list, body: Some(body), .. } => {
                matches!(body.kind, ExprKind::Var(v) if v == *var) && self.is_given_list(list)
            }
            _ => false,
        }
    }
}
