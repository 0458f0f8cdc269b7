//! Policies' and libraries' heads: versions, layers, dates, what they use and extend.
use super::cx::{Cx, LetDecl, LetState, Named, Scope, days, expr, show_day};
use super::expr::some_of;
use crate::lang::ast;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::near::nearest;
use crate::lang::source::Span;
use crate::lang::typed::*;
use rustc_hash::{FxHashMap, FxHashSet};

/// A policy or library, one version of it.
pub(super) struct Mod<'a> {
    pub ast: &'a ast::Module,
    pub path: String,
    pub decides: Option<DecisionId>,
    /// The decision named is not known, or the head could not be read: nothing of it is checked against a decision.
    pub lost: bool,
    /// Some declarations could not be read and have no name.
    pub torn: bool,
    pub dates: DateRange,
    pub layer: Layer,
    pub names: FxHashMap<String, Named>,
    pub broken_rules: FxHashSet<String>,
    pub uses: Vec<String>,
    pub extends: Vec<String>,
    pub governed: Option<Expr>,
    pub applies: Option<Expr>,
    pub rounding: Option<Rounding>,
}

impl<'a> Cx<'a> {
    /// Enters all policies and libraries, sorted by path and date, with the names that they declare.
    pub fn modules(&mut self) {
        let mut asts: Vec<&'a ast::Module> = self.input.policies.iter().flat_map(|f| &f.modules).collect();
        asts.sort_by_key(|m| (m.path.text(), m.header.dates.from.map(|d| d.date), m.span));
        for ast in asts {
            let module = self.head(ast);
            let at = self.mods.len();
            self.by_path.entry(module.path.clone()).or_default().push(at);
            self.mods.push(module);
        }
        for m in 0..self.mods.len() {
            self.visible(m);
            self.declare_names(m);
        }
        self.versions();
    }

    fn head(&mut self, ast: &'a ast::Module) -> Mod<'a> {
        let path = ast.path.text();
        let (mut decides, mut lost) = (None, false);
        match &ast.kind {
            ast::ModuleKind::Policy { decides: name } => {
                decides = self.means_decision(name);
                lost = decides.is_none();
                if lost && !self.excused(&name.text) {
                    let near = nearest(&name.text, self.vocab.decisions.iter().map(|d| d.name.as_str()));
                    let names: Vec<String> = self.vocab.decisions.iter().map(|d| d.name.clone()).collect();
                    let message = format!("there is no decision `{}`", name.text);
                    let help = format!("the vocabulary has {}", some_of(&names));
                    self.misspelt("E0213", name.span, message, near, help);
                }
            }
            ast::ModuleKind::Library => {}
            ast::ModuleKind::Broken => lost = true,
        }
        let dates = self.range(&ast.header.dates);
        let layer = self.layer(ast, lost);
        let broken_rules = ast
            .broken
            .iter()
            .filter(|b| b.keyword == "rule")
            .filter_map(|b| b.name.as_ref())
            .map(|n| n.text.clone())
            .collect();
        let torn = lost && matches!(ast.kind, ast::ModuleKind::Broken)
            || ast.broken.iter().any(|b| b.name.is_none() && b.keyword != "policy" && b.keyword != "library");
        Mod {
            ast,
            path,
            decides,
            lost,
            torn,
            dates,
            layer,
            names: FxHashMap::default(),
            broken_rules,
            uses: Vec::new(),
            extends: Vec::new(),
            governed: None,
            applies: None,
            rounding: ast.header.rounding.as_ref().map(super::ops::rounding_of),
        }
    }

    /// Written dates as a half-open range. The parser has reported those that end before they begin.
    pub fn range(&self, dates: &ast::Dates) -> DateRange {
        let from = dates.from.map(|d| days(d.date));
        let before = match (dates.before, dates.through) {
            (Some(b), _) => Some(days(b.date)),
            (None, Some(t)) => Some(days(t.date) + 1),
            (None, None) => None,
        };
        DateRange { from, before }
    }

    fn layer(&mut self, ast: &'a ast::Module, lost: bool) -> Layer {
        let general =
            Layer { rank: 0, kind: self.input.layers.first().cloned().unwrap_or_default(), name: None };
        let Some(layer) = &ast.header.layer else {
            if matches!(ast.kind, ast::ModuleKind::Policy { .. }) && !lost {
                self.error_help(
                    "E0211",
                    ast.path.span,
                    format!("`{}` does not say on which layer it stands", ast.path.text()),
                    format!("add a line `layer KIND NAME`; the kinds are {}", some_of(self.input.layers)),
                );
            }
            return general;
        };
        let Some(rank) = self.input.layers.iter().position(|l| *l == layer.kind.text) else {
            let near = nearest(&layer.kind.text, self.input.layers.iter().map(String::as_str));
            let message = format!("there is no layer `{}`", layer.kind.text);
            let help = format!("rulebook.toml lists {}", some_of(self.input.layers));
            self.misspelt("E0211", layer.kind.span, message, near, help);
            return general;
        };
        if let Some(name) = &layer.name {
            let known: Vec<&str> = self
                .input
                .places
                .iter()
                .filter(|(kind, _)| *kind == layer.kind.text)
                .map(|(_, n)| n.as_str())
                .collect();
            if !known.contains(&name.text.as_str()) {
                let near = nearest(&name.text, known);
                let message = if layer.kind.text == "store" {
                    format!("there is no store `{}`", name.text)
                } else {
                    format!("no store lies in {} `{}`", layer.kind.text, name.text)
                };
                let help = "rulebook.toml says which stores there are and what they lie in";
                self.misspelt("E0212", name.span, message, near, help);
            }
        }
        Layer {
            rank: rank as u32,
            kind: layer.kind.text.clone(),
            name: layer.name.as_ref().map(|n| n.text.clone()),
        }
    }

    fn visible(&mut self, m: usize) {
        let Some(ast) = self.mods.get(m).map(|m| m.ast) else { return };
        let own = ast.path.text();
        for (list, extends) in [(&ast.header.uses, false), (&ast.header.extends, true)] {
            let mut paths = Vec::new();
            for path in list {
                let text = path.text();
                let verb = if extends { "extends" } else { "uses" };
                match self.by_path.get(&text).and_then(|v| v.first()).and_then(|m| self.mods.get(*m)) {
                    None => {
                        let near = nearest(&text, self.by_path.keys().map(String::as_str));
                        let broken = |m: &Mod<'_>| matches!(m.ast.kind, ast::ModuleKind::Broken);
                        if !self.torn && !self.mods.iter().any(broken) {
                            let kind = if extends { "policy" } else { "library" };
                            let message = format!("there is no {kind} `{text}`");
                            let help =
                                format!("write its full name, as after the word `{kind}` where it begins");
                            self.misspelt("E0209", path.span, message, near, help);
                        }
                    }
                    Some(_) if text == own => {
                        self.error("E0209", path.span, format!("`{own}` {verb} itself"));
                        continue;
                    }
                    Some(other) => {
                        let library = matches!(other.ast.kind, ast::ModuleKind::Library);
                        let broken = matches!(other.ast.kind, ast::ModuleKind::Broken);
                        if !broken && extends == library {
                            let (is, help) = if extends {
                                ("a library", format!("write `uses {text}`"))
                            } else {
                                ("a policy", format!("write `extends {text}`"))
                            };
                            self.error_help("E0209", path.span, format!("`{text}` is {is}"), help);
                        }
                    }
                }
                self.means_policy_at(path.span, &text);
                if !paths.contains(&text) {
                    paths.push(text);
                }
            }
            if let Some(module) = self.mods.get_mut(m) {
                if extends { module.extends = paths } else { module.uses = paths }
            }
        }
    }

    /// Enters lets, params, tables, calendars and rules.
    fn declare_names(&mut self, m: usize) {
        let Some(ast) = self.mods.get(m).map(|m| m.ast) else { return };
        let mut seen: FxHashMap<String, Span> = FxHashMap::default();
        for broken in &ast.broken {
            if let Some(name) = &broken.name
                && broken.keyword != "rule"
                && let Some(module) = self.mods.get_mut(m)
            {
                module.names.insert(name.text.clone(), Named::Broken);
                seen.insert(name.text.clone(), name.span);
            }
        }
        for item in &ast.items {
            let (name, named) = match item {
                ast::Item::Let(l) => {
                    let id = LetId(self.lets.len() as u32);
                    self.lets.push(LetDecl { module: m, ast: l, state: LetState::Waiting });
                    (&l.name, Named::Let(id))
                }
                ast::Item::Param(p) => {
                    let id = ParamId(self.params.len() as u32);
                    let decl = self.param_decl(m, p);
                    self.params.push(decl);
                    (&p.name, Named::Param(id))
                }
                ast::Item::Table(t) => {
                    let id = TableId(self.tables.len() as u32);
                    let decl = self.table_decl(m, t);
                    self.tables.push(decl);
                    (&t.name, Named::Table(id))
                }
                ast::Item::Calendar(c) => (&c.name, Named::Calendar(self.calendar(c))),
                ast::Item::Rule(r) => {
                    self.rules.push(super::rules::RuleDecl::new(m, r));
                    continue;
                }
                ast::Item::Set(_) | ast::Item::Rows(_) => continue,
            };
            self.declare_name(m, name, named, &mut seen);
        }
    }

    fn declare_name(&mut self, m: usize, name: &ast::Name, named: Named, seen: &mut FxHashMap<String, Span>) {
        let text = &name.text;
        if let Some(first) = seen.insert(text.clone(), name.span) {
            self.push(
                Diagnostic::error("E0204", name.span, format!("`{text}` is declared twice"))
                    .note(first, "the first one is here")
                    .help("rename one of them"),
            );
            return;
        }
        let decision = self.mods.get(m).and_then(|m| m.decides);
        let taken = if self.is_function(text) {
            Some("a function of the language")
        } else if decision.is_some_and(|d| self.output_by_name(d, text).is_some()) {
            Some("an output of the decision")
        } else if self.root_by_name(text).is_some() || self.vocab.fact_calls.iter().any(|f| f.name == *text) {
            Some("a fact")
        } else if self.decision_by_name(text).is_some() {
            Some("a decision")
        } else {
            None
        };
        if let Some(what) = taken {
            self.error_help("E0205", name.span, format!("`{text}` is {what} already"), "choose another name");
        }
        if let Some(module) = self.mods.get_mut(m) {
            module.names.insert(text.clone(), named);
        }
    }

    /// Versions of one path: their dates must not overlap and should not leave gaps.
    fn versions(&mut self) {
        for versions in self.by_path.clone().into_values() {
            for (a, b) in versions.iter().zip(versions.iter().skip(1)) {
                let (Some(a), Some(b)) = (self.mods.get(*a), self.mods.get(*b)) else { continue };
                let (path, at, first) = (a.path.clone(), b.ast.path.span, a.ast.path.span);
                let different = a.decides != b.decides || a.layer != b.layer;
                let (end, start) = (a.dates.before, b.dates.from);
                if different && !a.lost && !b.lost {
                    self.push(
                        Diagnostic::error(
                            "E0406",
                            at,
                            format!("two versions of `{path}` decide different things or stand on different layers"),
                        )
                        .note(first, "the other one is here")
                        .help("versions of one policy differ only in their dates and contents; rename one of them"),
                    );
                    continue;
                }
                match (end, start) {
                    (Some(end), Some(start)) if end == start => {}
                    (Some(end), Some(start)) if end < start => self.push(
                        Diagnostic::warning(
                            "W0502",
                            at,
                            format!(
                                "no version of `{path}` holds from {} to {}",
                                show_day(end),
                                show_day(start - 1)
                            ),
                        )
                        .note(first, "the version before is here")
                        .help("let each version begin where the one before ends"),
                    ),
                    _ => self.push(
                        Diagnostic::error(
                            "E0405",
                            at,
                            format!("two versions of `{path}` hold at the same time"),
                        )
                        .note(first, "the other one is here")
                        .help(
                            "end the earlier one with `before` the later one's `from`, or rename one of them",
                        ),
                    ),
                }
            }
        }
    }

    /// Types governing dates and `applies when`; lets are typed as they are read.
    pub fn heads(&mut self) {
        for m in 0..self.mods.len() {
            let governed = self.governing_date(m);
            if let Some(module) = self.mods.get_mut(m) {
                module.governed = governed;
            }
        }
        for m in 0..self.mods.len() {
            let Some(module) = self.mods.get(m) else { continue };
            let (ast, decides) = (module.ast, module.decides);
            let Some(applies) = &ast.header.applies_when else { continue };
            let mut scope = Scope { module: Some(m), decision: decides, ..Scope::default() };
            let typed = self.check(&mut scope, applies, &Ty::Bool, "`applies when`");
            if let Some(module) = self.mods.get_mut(m) {
                module.applies = Some(typed);
            }
        }
    }

    fn governing_date(&mut self, m: usize) -> Option<Expr> {
        let module = self.mods.get(m)?;
        let (ast, decides, lost) = (module.ast, module.decides, module.lost);
        let library = matches!(ast.kind, ast::ModuleKind::Library);
        let mut scope = Scope { decision: decides, ..Scope::default() };
        if let Some(path) = &ast.header.governed_by {
            let mut e = self.path(&mut scope, path, Some(&Ty::Date));
            // A time governs by the store's day of it.
            if e.ty == Ty::DateTime {
                let span = e.span;
                e = expr(ExprKind::Func(Func::DateOf, vec![e]), Ty::Date, span);
            }
            let e = self.coerce(e, &Ty::Date, "`governed by`");
            return Some(e);
        }
        if library {
            let dated = self.first_dated(m)?;
            self.error_help(
                "E0409",
                dated,
                format!(
                    "`{}` has dates, but does not say which date they are compared with",
                    ast.path.text()
                ),
                "add `governed by today` (or another date) to the library's head",
            );
            return None;
        }
        if lost {
            return None;
        }
        match self.root_by_name("today") {
            Some(root) if self.vocab.roots.get(root.ix()).is_some_and(|r| r.ty == Ty::Date) => {
                Some(self.read_root(&scope, root, ast.path.span))
            }
            _ => {
                if !self.excused("today") {
                    self.error_help(
                        "E0409",
                        ast.path.span,
                        format!("`{}` does not say which date governs it", ast.path.text()),
                        "add `governed by DATE`, or declare `fact today: date` in the vocabulary",
                    );
                }
                None
            }
        }
    }

    /// The first thing with dates in a library.
    fn first_dated(&self, m: usize) -> Option<Span> {
        let ast = self.mods.get(m)?.ast;
        let head = &ast.header.dates;
        if let Some(d) = head.from.or(head.before).or(head.through) {
            return Some(d.span);
        }
        let of = |d: &ast::Dates| d.from.or(d.before).or(d.through).map(|d| d.span);
        ast.items.iter().find_map(|item| match item {
            ast::Item::Param(p) => p.values.iter().find_map(|v| of(&v.dates)),
            ast::Item::Set(p) => p.values.iter().find_map(|v| of(&v.dates)),
            ast::Item::Rows(r) => r.rows.iter().find_map(|r| of(&r.dates)),
            ast::Item::Table(t) => match &t.body {
                ast::TableBody::Rows(rows) => rows.iter().find_map(|r| of(&r.dates)),
                ast::TableBody::File(_) => None,
            },
            _ => None,
        })
    }
}
