//! What a name means: loop variable, then the policy's own names, those of what it uses and extends, the decision's
//! outputs, the facts, and last the words of enums and taxonomies.
use super::cx::{Cx, LetState, Named, Scope, broken_expr, expr};
use super::expr::{constant, element, some_of};
use super::vocab::{TypeName, Word};
use crate::lang::ast;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::index::Symbol;
use crate::lang::near::nearest;
use crate::lang::source::Span;
use crate::lang::typed::*;
use std::sync::Arc;

/// What the first word of a path stands for.
pub(super) enum Head {
    Var(VarId),
    /// A declaration, in one or several versions of a policy.
    Named(Vec<(usize, Named)>),
    Output(OutputId),
    Root(RootId),
    /// Two libraries declare it.
    Ambiguous(String, String),
}

impl<'a> Cx<'a> {
    /// Finds a single word among everything but words of enums.
    pub fn find(&self, s: &Scope, name: &str) -> Option<Head> {
        if s.constant {
            return None;
        }
        if let Some((_, v)) = s.vars.iter().rev().find(|(n, _)| n == name) {
            return Some(Head::Var(*v));
        }
        if let Some(m) = s.module.and_then(|m| self.mods.get(m)) {
            if let Some(named) = m.names.get(name) {
                return Some(Head::Named(vec![(s.module?, *named)]));
            }
            let mut found: Option<(&String, Vec<(usize, Named)>)> = None;
            for path in m.uses.iter().chain(&m.extends) {
                let versions = self.named_in(path, name);
                if versions.is_empty() {
                    continue;
                }
                match &found {
                    Some((first, _)) if *first != path => {
                        return Some(Head::Ambiguous(format!("{first}.{name}"), format!("{path}.{name}")));
                    }
                    _ => found = Some((path, versions)),
                }
            }
            if let Some((_, versions)) = found {
                return Some(Head::Named(versions));
            }
        }
        if let Some(o) = s.decision.and_then(|d| self.output_by_name(d, name)) {
            return Some(Head::Output(o));
        }
        self.root_by_name(name).map(Head::Root)
    }

    /// The versions of a policy or library that declare a name.
    pub fn named_in(&self, path: &str, name: &str) -> Vec<(usize, Named)> {
        let Some(versions) = self.by_path.get(path) else { return Vec::new() };
        let get = |m: &usize| Some((*m, *self.mods.get(*m)?.names.get(name)?));
        versions.iter().filter_map(get).collect()
    }

    /// Whether a single word is a name here rather than a word of an enum.
    pub fn is_name(&self, s: &Scope, name: &str) -> bool {
        self.find(s, name).is_some()
    }

    /// Splits a path into a policy's path and the rest, the longest policy first; the rest is not empty.
    pub fn module_prefix<'p>(&self, parts: &'p [ast::Name]) -> Option<(String, &'p [ast::Name])> {
        for at in (1..parts.len()).rev() {
            let (head, rest) = parts.split_at_checked(at)?;
            let path = head.iter().map(|n| n.text.as_str()).collect::<Vec<_>>().join(".");
            if self.by_path.contains_key(&path) {
                return Some((path, rest));
            }
        }
        None
    }

    /// A path: a name with fields, a full path, or a bare word.
    pub fn path(&mut self, s: &mut Scope, p: &'a ast::Path, hint: Option<&Ty>) -> Expr {
        let Some((first, fields)) = p.parts.split_first() else { return broken_expr(p.span) };
        if let Some(head) = self.find(s, &first.text) {
            self.means_head(s, &head, first.span);
            let read = self.read_head(s, head, first);
            let mut e = self.narrowed(s, read);
            for name in fields {
                e = self.field(s, e, name);
            }
            return e;
        }
        if !s.constant
            && let Some((path, rest)) = self.module_prefix(&p.parts)
            && let Some((name, fields)) = rest.split_first()
        {
            let span = first.span.to(name.span);
            let versions = self.named_in(&path, &name.text);
            self.means_policy(&p.parts, &path);
            self.means_versions(name.span, &versions);
            if versions.is_empty() {
                self.unknown_in_module(&path, name);
                return broken_expr(span);
            }
            let read = self.read_versions(s, &versions, span);
            let mut e = self.narrowed(s, read);
            for name in fields {
                e = self.field(s, e, name);
            }
            return e;
        }
        if s.constant
            && self.find(&Scope { constant: false, ..s.clone() }, &first.text).is_some()
            && !(fields.is_empty() && self.words.contains_key(&first.text))
        {
            self.error_help(
                "E0404",
                p.span,
                format!("`{}` is not a fixed value, and only fixed values can stand here", p.text()),
                "write the value itself",
            );
            return broken_expr(p.span);
        }
        match fields {
            [] => self.word_value(s, first, hint),
            [word] => match self.types.get(&first.text).cloned() {
                Some(TypeName::Is(ty @ (Ty::Enum(_) | Ty::Node(_)))) => self.qualified_word(&ty, first, word),
                _ => self.unknown_name(s, first, None),
            },
            _ => self.unknown_name(s, first, None),
        }
    }

    fn read_head(&mut self, s: &Scope, head: Head, name: &ast::Name) -> Expr {
        match head {
            Head::Var(v) => {
                let ty = self.vars.get(v.0 as usize).map_or(Ty::Never, |i| i.ty.clone());
                expr(ExprKind::Var(v), ty, name.span)
            }
            Head::Named(versions) => self.read_versions(s, &versions, name.span),
            Head::Output(o) => self.read_output(s, o, name.span),
            Head::Root(r) => self.read_root(s, r, name.span),
            Head::Ambiguous(a, b) => {
                self.error_help(
                    "E0206",
                    name.span,
                    format!("`{}` may be `{a}` or `{b}`", name.text),
                    "write the full path of the one that you mean",
                );
                broken_expr(name.span)
            }
        }
    }

    pub fn read_root(&mut self, s: &Scope, r: RootId, span: Span) -> Expr {
        let Some(root) = self.vocab.roots.get(r.ix()) else { return broken_expr(span) };
        let (name, ty, request) = (root.name.clone(), root.ty.clone(), root.source == Source::Request);
        if ty == Ty::Never {
            return broken_expr(span);
        }
        if request
            && let Some(d) = s.decision.and_then(|d| self.decision(d))
            && !d.given.contains(&r)
        {
            let decision = d.name.clone();
            self.error_help(
                "E0210",
                span,
                format!("`{decision}` is not given `{name}`"),
                format!("add `{name}` to `decision {decision} given …`"),
            );
        }
        expr(ExprKind::Root(r), ty, span)
    }

    fn read_output(&mut self, s: &Scope, o: OutputId, span: Span) -> Expr {
        let Some(d) = s.decision else { return broken_expr(span) };
        let element = self.output_value_ty(d, o);
        if element == Ty::Never {
            return broken_expr(span);
        }
        if self.output(d, o).is_some_and(|o| o.per.is_some()) {
            return expr(ExprKind::Output(o), Ty::List(Arc::new(element)), span);
        }
        let typed = expr(ExprKind::Output(o), element, span);
        self.under_guard(s, d, o, typed)
    }

    /// Where the guard of an output is known to hold, the output is present.
    fn under_guard(&mut self, s: &Scope, d: DecisionId, o: OutputId, e: Expr) -> Expr {
        let Ty::Opt(inner) = &e.ty else { return e };
        if s.assumed.is_empty() || self.output(d, o).is_none_or(|o| matches!(o.fallback, Fallback::Absent)) {
            return e;
        }
        let Some(key) = self.guard_key(d, o) else { return e };
        // Guards over elements are compared with the element's name left out.
        let of = match &e.kind {
            ExprKind::OutputOf(_, v) => Some(*v),
            _ => None,
        };
        let known = match of {
            None => s.assumed.contains(&key),
            Some(v) => s.assumed.contains(&key.replace("v*", &format!("v{}", v.0))),
        };
        if !known {
            return e;
        }
        let (ty, span) = ((**inner).clone(), e.span);
        expr(ExprKind::Present(Box::new(e)), ty, span)
    }

    /// `l.eligible`: the per-line output of the element of a loop over the same root list.
    pub fn output_of(&mut self, s: &Scope, of: &Expr, name: &ast::Name, span: Span) -> Option<Expr> {
        let ExprKind::Var(v) = &of.kind else { return None };
        let d = s.decision?;
        let o = self.output_by_name(d, &name.text)?;
        let per = self.output(d, o)?.per?;
        let info = self.vars.get(v.0 as usize)?;
        if info.root != Some(per) {
            let list = self.vocab.roots.get(per.ix()).map(|r| r.name.clone()).unwrap_or_default();
            let var = info.name.clone();
            self.error_help(
                "E0402",
                span,
                format!(
                    "`{}` has a value for each of `{list}`, and `{var}` does not run over `{list}`",
                    name.text
                ),
                format!("write `for {var} in {list} where …`"),
            );
            return Some(broken_expr(span));
        }
        self.means(name.span, Symbol::Output(d, o));
        let typed = expr(ExprKind::OutputOf(o, *v), self.output_value_ty(d, o), span);
        Some(self.under_guard(s, d, o, typed))
    }

    /// Reads a declaration; where a policy has several versions, the one of its governing date.
    pub fn read_versions(&mut self, s: &Scope, versions: &[(usize, Named)], span: Span) -> Expr {
        let mut made = Vec::new();
        for (module, named) in versions {
            let e = match named {
                Named::Let(id) => {
                    let ty = self.let_ty(*id, span);
                    expr(ExprKind::Let(*id), ty, span)
                }
                Named::Param(id) => {
                    let ty = self.params.get(id.ix()).map_or(Ty::Never, |p| p.ty.clone());
                    expr(ExprKind::Param(*id), ty, span)
                }
                Named::Table(_) => {
                    let text = self.text(span);
                    self.error_help(
                        "E0304",
                        span,
                        format!("`{text}` is a table"),
                        format!("say what to look up: `{text}(…)`"),
                    );
                    return broken_expr(span);
                }
                Named::Calendar(_) => {
                    let text = self.text(span);
                    self.error_help(
                        "E0303",
                        span,
                        format!("`{text}` is a calendar"),
                        format!(
                            "calendars are read by `is_workday(d, {text})` and `next_workday(d, {text})`"
                        ),
                    );
                    return broken_expr(span);
                }
                Named::Broken => return broken_expr(span),
            };
            made.push((*module, e));
        }
        self.by_version(s, made, span)
    }

    /// Chooses among the versions of one declaration by the governing dates of the policies that declare them.
    pub fn by_version(&mut self, s: &Scope, made: Vec<(usize, Expr)>, span: Span) -> Expr {
        if made.len() > 1
            && let Some(own) = s.module.and_then(|m| self.mods.get(m))
            && let Some(date) = own.governed.as_ref().map(|g| self.fingerprint(g, None))
        {
            // A policy that lies within one version's dates, by the same governing date, sees only that version.
            let inside = |m: &usize| {
                self.mods.get(*m).is_some_and(|v| {
                    v.governed.as_ref().map(|g| self.fingerprint(g, None)) == Some(date.clone())
                        && v.dates.from.is_none_or(|f| own.dates.from.is_some_and(|o| f <= o))
                        && v.dates.before.is_none_or(|b| own.dates.before.is_some_and(|o| o <= b))
                })
            };
            if let Some((_, e)) = made.iter().find(|(m, _)| inside(m)) {
                return e.clone();
            }
        }
        let mut rest = made.into_iter().rev();
        let Some((mut after, mut chosen)) = rest.next() else { return broken_expr(span) };
        for (module, e) in rest {
            let later = self.mods.get(after).and_then(|m| Some((m.governed.clone()?, m.dates.from?)));
            let Some((date, from)) = later else {
                // Versions without a governing date are reported where they are declared.
                return chosen;
            };
            let first = constant(Const::Date(from), Ty::Date, span);
            let before = expr(ExprKind::Cmp(CmpOp::Lt, Box::new(date), Box::new(first)), Ty::Bool, span);
            match self.unify(e, chosen) {
                Ok((a, b, ty)) => {
                    chosen = expr(ExprKind::If(Box::new(before), Box::new(a), Box::new(b)), ty, span);
                }
                Err((a, b)) => {
                    let text = self.text(span);
                    let message = format!(
                        "`{text}` is {} in one version and {} in another",
                        self.show(&a.ty),
                        self.show(&b.ty)
                    );
                    self.error_help("E0302", span, message, "give it one type in all versions");
                    return broken_expr(span);
                }
            }
            after = module;
        }
        chosen
    }

    /// The type of a let, typed now if it has not been.
    pub fn let_ty(&mut self, id: LetId, read_at: Span) -> Ty {
        let Some(decl) = self.lets.get_mut(id.ix()) else { return Ty::Never };
        match &decl.state {
            LetState::Done(e) => return e.ty.clone(),
            LetState::Running => {
                let (name, at) = (decl.ast.name.text.clone(), decl.ast.name.span);
                self.push(
                    Diagnostic::error("E0440", at, format!("`{name}` is defined by itself"))
                        .note(read_at, "it is read again here")
                        .help("a name may use only names that do not lead back to it"),
                );
                return Ty::Never;
            }
            LetState::Waiting => {}
        }
        decl.state = LetState::Running;
        let (module, ast) = (decl.module, decl.ast);
        let decision = self.mods.get(module).and_then(|m| m.decides);
        let mut scope = Scope { module: Some(module), decision, ..Scope::default() };
        let value = self.lower(&mut scope, &ast.value, None);
        let mut absent = false;
        visit::all(&value, &mut |e| {
            absent |= e.ty == Ty::Never && matches!(e.kind, ExprKind::Const(Const::Absent));
        });
        if absent {
            self.no_kind(&value);
        }
        let ty = value.ty.clone();
        if let Some(decl) = self.lets.get_mut(id.ix()) {
            decl.state = LetState::Done(value);
        }
        ty
    }

    fn word_value(&mut self, s: &Scope, name: &ast::Name, hint: Option<&Ty>) -> Expr {
        let typed = self.bare_word_value(s, name, hint);
        self.means_const(name.span, &typed);
        typed
    }

    fn bare_word_value(&mut self, s: &Scope, name: &ast::Name, hint: Option<&Ty>) -> Expr {
        let found = self.words.get(&name.text).cloned().unwrap_or_default();
        let make = |w: &Word| match *w {
            Word::Member(e, i) => constant(Const::Enum(i), Ty::Enum(e), name.span),
            Word::Node(t, i) => constant(Const::Node(i), Ty::Node(t), name.span),
        };
        if let Some(ty) = hint.map(element)
            && let Some(w) = found.iter().find(|w| make(w).ty == *ty)
        {
            return make(w);
        }
        match found.as_slice() {
            [] => self.unknown_name(s, name, hint),
            [one] => make(one),
            [a, b, ..] => {
                let (a, b) = (self.type_name(&make(a).ty), self.type_name(&make(b).ty));
                self.error_help(
                    "E0206",
                    name.span,
                    format!("`{0}` may be the `{0}` of `{a}` or that of `{b}`", name.text),
                    format!("write `{a}.{0}` or `{b}.{0}`", name.text),
                );
                broken_expr(name.span)
            }
        }
    }

    fn qualified_word(&mut self, ty: &Ty, of: &ast::Name, word: &ast::Name) -> Expr {
        let span = of.span.to(word.span);
        self.means_type(of.span, ty);
        for w in self.words.get(&word.text).cloned().unwrap_or_default() {
            match (w, ty) {
                (Word::Member(e, i), Ty::Enum(t)) if e == *t => {
                    self.means(word.span, Symbol::Member(e, i));
                    return constant(Const::Enum(i), ty.clone(), span);
                }
                (Word::Node(e, i), Ty::Node(t)) if e == *t => {
                    self.means(word.span, Symbol::Node(e, i));
                    return constant(Const::Node(i), ty.clone(), span);
                }
                _ => {}
            }
        }
        let words = self.words_of(ty);
        let near = nearest(&word.text, words.iter().map(String::as_str));
        let message = format!("`{}` is not one of `{}`", word.text, of.text);
        let help = format!("`{}` has {}", of.text, some_of(&words));
        self.misspelt("E0201", word.span, message, near, help);
        broken_expr(span)
    }

    /// The words of an enum or taxonomy.
    pub fn words_of(&self, ty: &Ty) -> Vec<String> {
        match element(ty) {
            Ty::Enum(e) => {
                let def = self.vocab.enums.get(e.ix());
                def.map(|d| d.members.iter().map(|m| m.name.clone()).collect()).unwrap_or_default()
            }
            Ty::Node(t) => {
                let def = self.vocab.taxonomies.get(t.ix());
                def.map(|d| d.nodes.iter().map(|n| n.name.clone()).collect()).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }
}
