//! Tables: columns, hit policies, rows of the table and of lower layers.
use super::csv_rows::count;
use super::cx::{Cx, Named, Scope};
use super::expr::some_of;
use super::params::overlap;
use crate::lang::ast;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;
use crate::lang::typed::*;
use std::sync::Arc;

/// A table as it is being checked.
pub(super) struct TableDecl<'a> {
    pub module: usize,
    pub ast: &'a ast::Table,
    pub params: Vec<(String, Ty)>,
    /// As they are read: lists, where rows are collected.
    pub results: Vec<(String, Ty)>,
    /// As they stand in the cells.
    pub cells: Vec<(String, Ty)>,
    pub hit: Hit,
    pub own: Vec<Row>,
    pub extra: Vec<RowBlock>,
    /// Read by `fill`: keys must be plain amounts.
    pub filled: bool,
}

impl<'a> Cx<'a> {
    pub fn table_decl(&mut self, module: usize, t: &'a ast::Table) -> TableDecl<'a> {
        let mut names: Vec<&str> = Vec::new();
        let (mut params, mut cells) = (Vec::new(), Vec::new());
        for (list, out, key) in [(&t.params, &mut params, true), (&t.results, &mut cells, false)] {
            for p in list {
                if names.contains(&p.name.text.as_str()) {
                    self.error(
                        "E0204",
                        p.name.span,
                        format!("`{}` has two columns named `{}`", t.name.text, p.name.text),
                    );
                }
                names.push(&p.name.text);
                let ty = self.ty(&p.ty);
                if matches!(ty.inner(), Ty::Entity(_) | Ty::List(_) | Ty::Set(_)) {
                    let what = if key { "looked up by" } else { "filled with" };
                    self.error_help(
                        "E0303",
                        p.ty.span,
                        format!("a table cannot be {what} {}", self.show(&ty)),
                        "use simple values",
                    );
                }
                out.push((p.name.text.clone(), ty));
            }
        }
        let hit = match t.hit {
            ast::Hit::Unique => Hit::Unique,
            ast::Hit::First => Hit::First,
            ast::Hit::Nearest => Hit::Nearest,
            ast::Hit::Steps => Hit::Steps(0),
            ast::Hit::Collect(ast::Collect::Sum) => Hit::Collect(Collect::Sum),
            ast::Hit::Collect(ast::Collect::Max) => Hit::Collect(Collect::Max),
            ast::Hit::Collect(ast::Collect::Min) => Hit::Collect(Collect::Min),
            ast::Hit::Collect(ast::Collect::All) => Hit::Collect(Collect::All),
        };
        if hit == Hit::Nearest && !params.iter().any(|(_, ty)| matches!(ty.inner(), Ty::Node(_) | Ty::Never))
        {
            self.error_help(
                "E0411",
                t.name.span,
                format!("`{}` is `nearest`, but has no taxonomy among its keys", t.name.text),
                "nearest means the deepest category; use `unique` or `first` here",
            );
        }
        for (syn, (name, ty)) in t.results.iter().zip(&cells) {
            let bad = match hit {
                Hit::Collect(Collect::Sum) => !ty.is_numeric() && *ty != Ty::Never,
                Hit::Collect(Collect::Max | Collect::Min) => !self.is_ordered(ty.inner()) && *ty != Ty::Never,
                _ => false,
            };
            if bad {
                let message = format!("`{name}` is {}, which cannot be collected so", self.show(ty));
                self.error_help("E0411", syn.ty.span, message, "use `collect all`");
            }
        }
        let results = cells
            .iter()
            .map(|(n, ty)| match hit {
                Hit::Collect(Collect::All) if *ty != Ty::Never => (n.clone(), Ty::List(Arc::new(ty.clone()))),
                _ => (n.clone(), ty.clone()),
            })
            .collect();
        TableDecl {
            module,
            ast: t,
            params,
            results,
            cells,
            hit,
            own: Vec::new(),
            extra: Vec::new(),
            filled: false,
        }
    }

    /// Types all rows, those of lower layers too.
    pub fn rows(&mut self) {
        for t in 0..self.tables.len() {
            let Some((module, ast)) = self.tables.get(t).map(|t| (t.module, t.ast)) else { continue };
            let rows: &'a [ast::Row] = match &ast.body {
                ast::TableBody::Rows(rows) => rows,
                ast::TableBody::File(_) => {
                    self.input.csv.get(&ast.span).map(Vec::as_slice).unwrap_or_default()
                }
            };
            let typed = self.typed_rows(t, module, rows);
            self.alike(t, &typed);
            if let Some(decl) = self.tables.get_mut(t) {
                decl.own = typed;
            }
        }
        for m in 0..self.mods.len() {
            let Some(ast) = self.mods.get(m).map(|m| m.ast) else { continue };
            for item in &ast.items {
                if let ast::Item::Rows(rows) = item {
                    self.block(m, rows);
                }
            }
        }
        for t in 0..self.tables.len() {
            self.steps_column(t);
            self.fill_keys(t);
        }
    }

    fn typed_rows(&mut self, t: usize, module: usize, rows: &'a [ast::Row]) -> Vec<Row> {
        let Some(decl) = self.tables.get(t) else { return Vec::new() };
        let (params, cells, name) = (decl.params.clone(), decl.cells.clone(), decl.ast.name.text.clone());
        let module_of_table = decl.module;
        let governed = self.mods.get(module).is_some_and(|m| m.governed.is_some() || m.lost);
        let mut typed = Vec::new();
        let mut told = false;
        for (at, row) in rows.iter().enumerate() {
            let wanted = params.len() + cells.len();
            if row.cells.len() != wanted {
                // The parser has counted the cells of a table's own rows.
                if module_of_table == module || std::mem::replace(&mut told, true) {
                    continue;
                }
                // Two rows of one line that would be one with a cell between them: that cell was left empty.
                let line = |row: &ast::Row| self.sources().start(row.span).line;
                if let Some(next) = rows.get(at + 1)
                    && row.cells.len() + next.cells.len() + 1 == wanted
                    && line(row) == line(next)
                {
                    let gap =
                        Span { start: row.span.end.saturating_sub(1), end: next.span.start + 1, ..row.span };
                    let help = "write `-` if anything fits, `absent` if there must be nothing";
                    self.error_help("E0131", gap, "this cell is empty", help);
                    continue;
                }
                let names: Vec<String> = params.iter().chain(&cells).map(|(n, _)| n.clone()).collect();
                self.error_help(
                    "E0410",
                    row.span,
                    format!(
                        "this row has {}, but `{name}` has {}",
                        count(row.cells.len(), "cell"),
                        count(wanted, "column")
                    ),
                    format!("the columns are {}; write `-` where anything fits", some_of(&names)),
                );
                continue;
            }
            let mut tests = Vec::new();
            let mut results = Vec::new();
            for (cell, (column, ty)) in row.cells.iter().zip(&params) {
                tests.push(self.key_cell(module, cell, ty, column));
            }
            for (cell, (column, ty)) in row.cells.iter().skip(params.len()).zip(&cells) {
                results.push(self.result_cell(module, cell, ty, column));
            }
            let dates = self.range(&row.dates);
            // Dated rows in place are reported with the head; those of a file are known only here.
            if !governed
                && let Some(d) = row.dates.from.or(row.dates.before).or(row.dates.through)
                && matches!(self.tables.get(t).map(|t| &t.ast.body), Some(ast::TableBody::File(_)))
            {
                self.error_help(
                    "E0409",
                    d.span,
                    format!(
                        "rows of `{name}` have dates, but nothing says which date they are compared with"
                    ),
                    "add `governed by today` (or another date) to the library's head",
                );
            }
            typed.push(Row {
                tests: tests.into_iter().flatten().collect(),
                results: results.into_iter().flatten().collect(),
                clause: row.clause.as_ref().map(|c| c.text.clone()),
                dates,
                span: row.span,
            });
        }
        typed
    }

    /// Rows of a `unique` table that ask the same at the same time can never be told apart.
    fn alike(&mut self, t: usize, rows: &[Row]) {
        let Some(decl) = self.tables.get(t) else { return };
        let (hit, keys, name) = (decl.hit, decl.params.len(), decl.ast.name.text.clone());
        if !matches!(hit, Hit::Unique | Hit::Nearest | Hit::Steps(_)) {
            return;
        }
        let mut seen: rustc_hash::FxHashMap<String, Vec<&Row>> = rustc_hash::FxHashMap::default();
        for row in rows.iter().filter(|r| r.tests.len() == keys) {
            let same = seen.entry(format!("{:?}", row.tests)).or_default();
            if let Some(first) = same.iter().find(|f| overlap(&f.dates, &row.dates)) {
                let found =
                    Diagnostic::error("E0413", row.span, format!("two rows of `{name}` fit the same"))
                        .note(first.span, "the other one is here")
                        .help("remove one, or give them dates that do not overlap");
                self.push(match self.repeated(first.span, row.span) {
                    Some(line) => found.fix(line, ""),
                    None => found,
                });
            }
            same.push(row);
        }
    }

    /// The line of a row that is word for word the other one, if nothing else stands on it: it can go.
    fn repeated(&self, first: Span, row: Span) -> Option<Span> {
        let sources = self.sources();
        let words = |span: Span| sources.snippet(span).split_whitespace().collect::<Vec<_>>();
        if words(first) != words(row) {
            return None;
        }
        let text = sources.text(row.file_id());
        let (before, after) = (text.get(..row.start as usize)?, text.get(row.end as usize..)?);
        let blank = before.len() - before.trim_end_matches([' ', '\t']).len();
        let alone = before.trim_end_matches([' ', '\t']).ends_with('\n');
        let rest = after.split_inclusive('\n').next().unwrap_or("");
        (alone && rest.trim().is_empty()).then(|| Span {
            start: row.start - blank as u32,
            end: row.end + rest.len() as u32,
            ..row
        })
    }

    fn block(&mut self, m: usize, rows: &'a ast::Rows) {
        let scope = Scope { module: Some(m), ..Scope::default() };
        let text = rows.target.text();
        let found = self.callee(&scope, &rows.target);
        let ids: Vec<TableId> = match found {
            Some(named) => {
                self.means_path(&rows.target, &named);
                let mut ids = Vec::new();
                for (_, n) in named {
                    match n {
                        Named::Table(id) => ids.push(id),
                        Named::Broken => return,
                        _ => {
                            self.error("E0214", rows.target.span, format!("`{text}` is not a table"));
                            return;
                        }
                    }
                }
                ids
            }
            None => {
                if !self.torn && !self.mods.get(m).is_some_and(|m| m.torn || !m.ast.broken.is_empty()) {
                    let all: Vec<String> = self
                        .tables
                        .iter()
                        .filter_map(|t| {
                            Some(format!("{}.{}", self.mods.get(t.module)?.path, t.ast.name.text))
                        })
                        .collect();
                    let last = rows.target.parts.last().map_or("", |n| n.text.as_str());
                    let near = self.full_path(&text, last, &all);
                    let help = "name it with its policy's path: `rows policy.path.table`";
                    let message = format!("there is no table `{text}`");
                    self.misspelt("E0214", rows.target.span, message, near, help);
                }
                return;
            }
        };
        for id in ids {
            let Some(home) = self.tables.get(id.ix()).map(|t| t.module) else { continue };
            let (Some(own), Some(other)) = (self.mods.get(m), self.mods.get(home)) else { continue };
            let library = matches!(other.ast.kind, ast::ModuleKind::Library);
            if home == m || !(own.layer.rank > other.layer.rank || library) {
                let (kind, path) = (own.layer.kind.clone(), other.path.clone());
                self.error_help(
                    "E0430",
                    rows.target.span,
                    format!("a policy on layer `{kind}` cannot add rows before those of `{path}`"),
                    "`rows` is for policies on a more special layer; otherwise write the rows into the table",
                );
                return;
            }
            let typed = self.typed_rows(id.ix(), m, &rows.rows);
            self.alike(id.ix(), &typed);
            if let Some(decl) = self.tables.get_mut(id.ix()) {
                decl.extra.push(RowBlock {
                    policy: PolicyId(m as u32),
                    clause: rows.clause.as_ref().map(|c| c.text.clone()),
                    rows: typed,
                });
            }
        }
    }

    /// `steps`: the one ordered key that holds plain values in all rows.
    fn steps_column(&mut self, t: usize) {
        let Some(decl) = self.tables.get(t) else { return };
        if !matches!(decl.hit, Hit::Steps(_)) {
            return;
        }
        let (name, at) = (decl.ast.name.text.clone(), decl.ast.name.span);
        let all: Vec<&Row> = decl.own.iter().chain(decl.extra.iter().flat_map(|b| &b.rows)).collect();
        if all.iter().any(|r| r.tests.len() != decl.params.len())
            || decl.params.iter().any(|(_, ty)| *ty == Ty::Never)
        {
            return;
        }
        let plain =
            |i: usize| all.iter().all(|r| matches!(r.tests.get(i), Some(Test::Value(_) | Test::Else)));
        let mut found: Vec<usize> = (0..decl.params.len())
            .filter(|i| decl.params.get(*i).is_some_and(|(_, ty)| self.is_ordered(ty.inner())) && plain(*i))
            .collect();
        if found.len() > 1 {
            // An ordered enum among the keys is rather a plain key.
            found.retain(|i| decl.params.get(*i).is_some_and(|(_, ty)| !matches!(ty.inner(), Ty::Enum(_))));
        }
        match found.as_slice() {
            [one] => {
                let hit = Hit::Steps(*one as u32);
                if let Some(decl) = self.tables.get_mut(t) {
                    decl.hit = hit;
                }
            }
            [] => self.error_help(
                "E0411",
                at,
                format!("`{name}` has no column of steps"),
                "one key must be a number, an amount or a date, with a plain value in every row",
            ),
            _ => self.error_help(
                "E0411",
                at,
                format!("several columns of `{name}` could be its steps"),
                "only one key may hold plain numbers, amounts or dates; write others as `[a..b]` or `>= a`",
            ),
        }
    }

    fn fill_keys(&mut self, t: usize) {
        let Some(decl) = self.tables.get(t) else { return };
        if !decl.filled {
            return;
        }
        let name = decl.ast.name.text.clone();
        let zero = super::expr::int(0);
        let wrong: Option<Span> = decl
            .own
            .iter()
            .chain(decl.extra.iter().flat_map(|b| &b.rows))
            .find(|r| match r.tests.first() {
                Some(Test::Value(Const::Num(n) | Const::Money(n, _))) => *n <= zero,
                None => false,
                _ => true,
            })
            .map(|r| r.span);
        if let Some(span) = wrong {
            self.error_help(
                "E0414",
                span,
                format!("`fill` cannot take this row of `{name}`"),
                "the key must be one plain amount of more than 0: what the row takes from the budget",
            );
        }
    }
}
