//! Rows of tables that stand in CSV files.
//!
//! Read before anything is checked, because their cells become syntax like those of rows in place.
use crate::lang::ast;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::near::{did_you_mean, nearest};
use crate::lang::source::{FileId, SourceMap, Span};
use crate::lang::syntax::parse_cell;
use rustc_hash::FxHashMap;

/// Reads the text of a CSV file: the policy file's path and the name written there, to the text or why there is none.
pub type ReadCsv<'a> = dyn Fn(&str, &str) -> Result<String, String> + 'a;

/// Rows by the span of their table.
pub(super) type CsvRows = FxHashMap<Span, Vec<ast::Row>>;

/// Columns that every CSV table may have besides its own.
const EXTRA: [&str; 4] = ["clause", "from", "before", "through"];

/// Reads the files of all tables and enters them into the map, so that findings show their lines.
pub(super) fn read(
    files: &[ast::PolicyFile],
    read: &ReadCsv<'_>,
    map: &mut SourceMap,
    found: &mut Vec<Diagnostic>,
) -> CsvRows {
    let mut rows = CsvRows::default();
    for item in files.iter().flat_map(|f| &f.modules).flat_map(|m| &m.items) {
        let ast::Item::Table(table) = item else { continue };
        let ast::TableBody::File(name) = &table.body else { continue };
        let policy = map.name(name.span.file_id()).to_owned();
        match read(&policy, &name.value) {
            Ok(text) => {
                let shown = match policy.rsplit_once('/') {
                    Some((folder, _)) => format!("{folder}/{}", name.value),
                    None => name.value.clone(),
                };
                let id = map.add(shown, text);
                rows.insert(table.span, table_rows(map, id, table, name, found));
            }
            Err(why) => found.push(
                Diagnostic::error("E0415", name.span, format!("`{}` cannot be read: {why}", name.value))
                    .help("the file stands beside the policy that names it"),
            ),
        }
    }
    rows
}

fn table_rows(
    map: &SourceMap,
    id: FileId,
    table: &ast::Table,
    name: &ast::Text,
    found: &mut Vec<Diagnostic>,
) -> Vec<ast::Row> {
    let text = map.text(id);
    let skip = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let Some(body) = text.get(skip..) else { return Vec::new() };
    if let Some(span) = unclosed(body).map(|at| at + skip as u32).map(|at| Span::new(id, at, at + 1)) {
        let found_here = Diagnostic::error("E0108", span, "this quote is not closed on its line");
        found.push(found_here.help("close it with `\"`; a quote within a quoted cell is written twice"));
        return Vec::new();
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body.as_bytes());
    let mut records = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => records.push(record),
            Err(error) => {
                let at = error.position().map_or(0, |p| p.byte()) as u32;
                let message = "this line of the table cannot be read";
                found
                    .push(Diagnostic::error("E0415", Span::new(id, at, at), message).help(error.to_string()));
                return Vec::new();
            }
        }
    }
    let mut records = records.into_iter();
    let Some(header) = records.next() else {
        found.push(Diagnostic::error("E0415", name.span, format!("`{}` is empty", name.value)));
        return Vec::new();
    };
    let head = line_of(map, id, skip as u32, &header).0;
    let Some(columns) = columns(head, table, &header, found) else { return Vec::new() };
    let mut rows = Vec::new();
    for record in records {
        if record.iter().all(|c| c.trim().is_empty()) {
            continue;
        }
        if let Some(row) = row(map, id, skip as u32, &columns, &record, found) {
            rows.push(row);
        }
    }
    rows
}

/// Where a quoted cell begins that does not end on its line.
fn unclosed(body: &str) -> Option<u32> {
    let mut start = 0;
    for line in body.split_inclusive('\n') {
        let (mut opened, mut begins) = (None, true);
        for (at, c) in line.char_indices() {
            match (c, opened) {
                // A quote written twice closes and opens again, which comes to the same.
                ('"', Some(_)) => opened = None,
                ('"', None) if begins || line.get(..at).is_some_and(|l| l.ends_with('"')) => {
                    opened = Some(at);
                }
                _ => {}
            }
            begins = opened.is_none() && c == ',';
        }
        if let Some(at) = opened {
            return Some((start + at) as u32);
        }
        start += line.len();
    }
    None
}

/// For each column of the file: its place in the table, or which extra it is.
enum Column {
    Cell {
        to: usize,
        /// Holds texts: plain words need no quotes of their own.
        text: bool,
    },
    Extra(usize),
}

fn columns(
    at: Span,
    table: &ast::Table,
    header: &csv::StringRecord,
    found: &mut Vec<Diagnostic>,
) -> Option<Vec<Column>> {
    let declared: Vec<&ast::ParamDecl> = table.params.iter().chain(&table.results).collect();
    let names: Vec<&str> = declared.iter().map(|p| p.name.text.as_str()).collect();
    let one = header.get(0).filter(|_| header.len() == 1).unwrap_or("");
    if let Some(sign) = [(';', "semicolons"), ('\t', "tabs")].iter().find(|(sign, _)| one.contains(*sign)) {
        let message = format!("the cells of this file are separated by {}", sign.1);
        found.push(Diagnostic::error("E0410", at, message).help("save it with commas between the cells"));
        return None;
    }
    let (mut columns, mut seen) = (Vec::new(), vec![false; names.len()]);
    for head in header {
        let head = head.trim();
        if let Some(i) = names.iter().position(|n| *n == head) {
            if let Some(s) = seen.get_mut(i)
                && std::mem::replace(s, true)
            {
                found.push(Diagnostic::error("E0410", at, format!("column `{head}` occurs twice")));
                return None;
            }
            let named = |ty: &ast::Type| matches!(&ty.kind, ast::TypeKind::Name(n) if matches!(n.text.as_str(), "text" | "code"));
            let text = declared.get(i).is_some_and(|p| named(&p.ty));
            columns.push(Column::Cell { to: i, text });
        } else if let Some(i) = EXTRA.iter().position(|n| *n == head) {
            columns.push(Column::Extra(i));
        } else {
            let near = nearest(head, names.iter().copied());
            let message = format!("`{}` has no column `{head}`{}", table.name.text, did_you_mean(&near));
            found.push(
                Diagnostic::error("E0410", at, message).help(format!(
                    "its columns are {}; also clause, from, before, through",
                    names.join(", ")
                )),
            );
            return None;
        }
    }
    if let Some((_, missing)) = seen.iter().zip(&names).find(|(s, _)| !**s) {
        found.push(
            Diagnostic::error("E0410", at, format!("column `{missing}` of `{}` is missing", table.name.text))
                .help("the first line of the file names the columns"),
        );
        return None;
    }
    Some(columns)
}

/// Whether a cell of texts is a text as it stands, and not written in the syntax of cells.
fn plain(cell: &str) -> bool {
    let cell = cell.trim();
    let written = ["\"", "“", "＂", "undecided "].iter().any(|sign| cell.starts_with(sign));
    !(written || matches!(cell, "" | "-" | "else" | "absent"))
}

/// `1 cell`, `2 cells`.
pub(super) fn count(n: usize, word: &str) -> String {
    if n == 1 { format!("{n} {word}") } else { format!("{n} {word}s") }
}

/// The line on which a record begins.
fn line_of<'m>(map: &'m SourceMap, id: FileId, skip: u32, record: &csv::StringRecord) -> (Span, &'m str) {
    let start = record.position().map_or(0, |p| p.byte()) as u32 + skip;
    let rest = map.text(id).get(start as usize..).unwrap_or("");
    let line = rest.lines().next().unwrap_or("");
    (Span::new(id, start, start + line.len() as u32), line)
}

fn row(
    map: &SourceMap,
    id: FileId,
    skip: u32,
    columns: &[Column],
    record: &csv::StringRecord,
    found: &mut Vec<Diagnostic>,
) -> Option<ast::Row> {
    let (span, line) = line_of(map, id, skip, record);
    let start = span.start;
    let cells = columns.iter().filter(|c| matches!(c, Column::Cell { .. }));
    let wanted = cells.count();
    let last = columns.iter().rposition(|c| matches!(c, Column::Cell { .. })).map_or(0, |at| at + 1);
    let more = record.iter().skip(columns.len()).any(|c| !c.trim().is_empty());
    if more || record.len() < last {
        let (has, of) = (count(record.len(), "cell"), count(columns.len(), "column"));
        let help = match more {
            true => "a number with a thousands comma must be written without it",
            false => "give every column a cell; `-` fits anything",
        };
        let message = format!("this row has {has}, the file has {of}");
        found.push(Diagnostic::error("E0130", span, message).help(help));
        return None;
    }
    let mut cells: Vec<Option<ast::Cell>> = vec![None; wanted];
    let (mut clause, mut dates) = (None, ast::Dates::default());
    // Where a cell stands in its line; quoted cells are shown as the whole line.
    let mut at = 0usize;
    for (i, column) in columns.iter().enumerate() {
        let text = record.get(i).unwrap_or("");
        let place = match line.get(at..).and_then(|rest| rest.find(text)).filter(|_| !text.is_empty()) {
            Some(off) => {
                let from = at + off;
                at = from + text.len();
                Span::new(id, start + from as u32, start + at as u32)
            }
            None => span,
        };
        match column {
            Column::Cell { to, text: true } if plain(text) => {
                let value = ast::ExprKind::Text(text.trim().to_owned());
                let kind = ast::CellKind::Value(ast::Expr { kind: value, span: place });
                let alternatives = vec![ast::CellItem { kind, span: place }];
                if let Some(slot) = cells.get_mut(*to) {
                    *slot = Some(ast::Cell { alternatives, span: place });
                }
            }
            Column::Cell { to, .. } => {
                let (cell, more) = parse_cell(map, text, place);
                let failed = more.iter().any(Diagnostic::is_error);
                found.extend(more);
                match cell {
                    Some(cell) if !failed => {
                        if let Some(slot) = cells.get_mut(*to) {
                            *slot = Some(cell);
                        }
                    }
                    _ => return None,
                }
            }
            Column::Extra(0) => {
                let text = text.trim().trim_start_matches('§').trim_matches('"');
                clause = (!text.is_empty()).then(|| ast::Clause { text: text.to_owned(), span: place });
            }
            Column::Extra(which) if !text.trim().is_empty() => {
                let Ok(date) = text.trim().parse::<chrono::NaiveDate>() else {
                    found.push(
                        Diagnostic::error("E0410", place, format!("`{}` is not a date", text.trim()))
                            .help("write it as 2026-07-01"),
                    );
                    return None;
                };
                let date = Some(ast::DateLit { date, span: place });
                match which {
                    1 => dates.from = date,
                    2 => dates.before = date,
                    _ => dates.through = date,
                }
            }
            Column::Extra(_) => {}
        }
    }
    if let (Some(from), Some(end)) = (dates.from, dates.before.or(dates.through))
        && (end.date < from.date || (end.date == from.date && dates.before.is_some()))
    {
        found.push(Diagnostic::error("E0126", end.span, "this ends before it begins"));
        return None;
    }
    let cells: Vec<ast::Cell> = cells.into_iter().flatten().collect();
    Some(ast::Row { cells, clause, dates, span })
}
