//! Tables, rows and cells.

use super::{Lower, P};
use crate::lang::ast::{
    Cell, CellItem, CellKind, Clause, Collect, Dates, ExprKind, Hit, Row, Rows, Table, TableBody,
};
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;
use crate::lang::syntax::grammar::Rule;

impl Lower<'_> {
    /// `table …`
    pub fn table(&mut self, pair: P<'_>) -> Option<Table> {
        let span = self.span(&pair);
        let mut name = None;
        let mut params = Vec::new();
        let mut results = Vec::new();
        let mut hit: Option<Hit> = None;
        let mut clause: Option<Clause> = None;
        let mut rows = Vec::new();
        let mut file = None;
        let mut accepts = Vec::new();
        for part in pair.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::name => name = Some(self.name(&part)),
                Rule::params => params = self.params(part)?,
                Rule::param_decl => results.push(self.param_decl(part)?),
                Rule::hit => {
                    self.once(hit.is_some(), at, "how rows are chosen");
                    hit = Some(hit_policy(part));
                }
                Rule::clause => {
                    self.once(clause.is_some(), at, "a clause");
                    clause = self.clause(part);
                }
                Rule::file_ref => {
                    let string = part.into_inner().find(|part| part.as_rule() == Rule::string)?;
                    file = Some(self.string(&string));
                }
                Rule::row => rows.extend(self.own_row(part)),
                Rule::accepts => accepts.extend(self.accept(part)),
                _ => {}
            }
        }
        let name = name?;
        let head = Span { end: name.span.end, ..span };
        self.count_cells(&rows, params.len() + results.len(), head);
        let hit = hit.unwrap_or(Hit::Unique);
        let body = file.map_or(TableBody::Rows(rows), TableBody::File);
        Some(Table { name, params, results, hit, clause, body, accepts, span })
    }

    /// `rows …`
    pub fn rows(&mut self, pair: P<'_>) -> Option<Rows> {
        let span = self.span(&pair);
        let mut target = None;
        let mut clause = None;
        let mut rows = Vec::new();
        let mut accepts = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::path => target = Some(self.path(&part)),
                Rule::clause => clause = self.clause(part),
                Rule::row => rows.extend(self.own_row(part)),
                Rule::accepts => accepts.extend(self.accept(part)),
                _ => {}
            }
        }
        Some(Rows { target: target?, clause, rows, accepts, span })
    }

    /// A row, or nothing but its finding: one that cannot be read costs itself only.
    fn own_row(&mut self, pair: P<'_>) -> Option<Row> {
        let (span, told, guessed) = (self.span(&pair), self.found.len(), self.guessed);
        self.guessed = false;
        let row = self.row(pair).filter(|_| !self.guessed);
        self.guessed = guessed;
        if row.is_none() && self.found.len() == told {
            self.error("E0101", span, "this row cannot be read", "write it in smaller parts");
        }
        row
    }

    fn row(&mut self, pair: P<'_>) -> Option<Row> {
        let span = self.span(&pair);
        let mut cells = Vec::new();
        let mut clause = None;
        let mut dates = Dates::default();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::cell => cells.push(self.cell(part)?),
                Rule::clause => clause = self.clause(part),
                Rule::dates => dates = self.dates(part),
                _ => {}
            }
        }
        Some(Row { cells, clause, dates, span })
    }

    /// A table's rows must have a cell for each column; one finding per table says it.
    fn count_cells(&mut self, rows: &[Row], columns: usize, head: Span) {
        let Some((at, row)) = rows.iter().enumerate().find(|(_, row)| row.cells.len() != columns) else {
            return;
        };
        // Two rows of one line that would be one with a cell between them: that cell was left empty.
        if let Some(next) = rows.get(at + 1)
            && row.cells.len() + next.cells.len() + 1 == columns
            && self.map.start(row.span).line == self.map.start(next.span).line
        {
            let gap = Span { start: row.span.end.saturating_sub(1), end: next.span.start + 1, ..row.span };
            let help = "write `-` if anything fits, `absent` if there must be nothing";
            return self.error("E0131", gap, "this cell is empty", help);
        }
        let cells = row.cells.len();
        let plural =
            |n: usize, word: &str| if n == 1 { format!("{n} {word}") } else { format!("{n} {word}s") };
        let message =
            format!("this row has {}, the table has {}", plural(cells, "cell"), plural(columns, "column"));
        self.found
            .push(Diagnostic::error("E0130", row.span, message).note(head, "the table begins here").help(
            "give every column a cell; `-` fits anything. Two bars with only blanks between part two rows",
        ));
    }

    /// A cell with its alternatives.
    pub fn cell(&mut self, pair: P<'_>) -> Option<Cell> {
        let span = self.span(&pair);
        let mut alternatives = Vec::new();
        for item in pair.into_inner().filter(|part| part.as_rule() == Rule::cell_item) {
            let span = self.span(&item);
            let mut parts = item.into_inner();
            let first = parts.next()?;
            let kind = match first.as_rule() {
                Rule::kw_else => CellKind::Else,
                Rule::cell_any => CellKind::Any,
                Rule::op_compare => {
                    let op = super::expr::comparison_op(first.as_str());
                    if first.as_str().trim_end() == "!=" {
                        self.error(
                            "E0131",
                            span,
                            "a cell cannot say what it is not",
                            "list the values that fit",
                        );
                    }
                    CellKind::Compare(op, self.tight(parts.next()?)?)
                }
                _ => {
                    let value = self.expr(first)?;
                    match value.kind {
                        ExprKind::Absent => CellKind::Absent,
                        ExprKind::Undecided(text) => CellKind::Undecided(text),
                        ExprKind::Interval(interval) => CellKind::Interval(*interval),
                        kind => CellKind::Value(crate::lang::ast::Expr { kind, span: value.span }),
                    }
                }
            };
            alternatives.push(CellItem { kind, span });
        }
        Some(Cell { alternatives, span })
    }

    /// Reports what may be said once and was said before.
    pub fn once(&mut self, before: bool, span: Span, what: &str) {
        if before {
            self.found.push(super::twice(span, what));
        }
    }
}

fn hit_policy(pair: P<'_>) -> Hit {
    let mut hit = Hit::Unique;
    for word in pair.into_inner() {
        hit = match word.as_rule() {
            Rule::kw_first => Hit::First,
            Rule::kw_nearest => Hit::Nearest,
            Rule::kw_steps => Hit::Steps,
            Rule::kw_collect | Rule::kw_all => Hit::Collect(Collect::All),
            Rule::kw_sum => Hit::Collect(Collect::Sum),
            Rule::kw_max => Hit::Collect(Collect::Max),
            Rule::kw_min => Hit::Collect(Collect::Min),
            _ => Hit::Unique,
        };
    }
    hit
}
