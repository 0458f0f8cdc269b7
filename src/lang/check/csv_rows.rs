//! Rows of tables that stand in CSV files.
//!
//! Read before anything is checked, because their cells become syntax like those of rows in place.
use crate::lang::ast;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::near::{did_you_mean, nearest};
use crate::lang::source::{FileId, SourceMap, Span};
use crate::lang::syntax::parse_cell;
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::ops::Range;

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
    let open = unclosed(body);
    let mut told = Told { left: MAX_FOUND, more: None, found };
    for (line, at) in &open {
        let place = Span::new(id, (skip + line.start + at) as u32, (skip + line.start + at + 1) as u32);
        let wrong = Diagnostic::error("E0108", place, "this quote is not closed on its line");
        told.tell(wrong.help("close it with `\"`; a quote within a quoted cell is written twice"));
    }
    let body = without(body, open.iter().map(|(line, _)| line.clone()));
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body.as_bytes());
    let mut records = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => records.push(record),
            Err(error) => {
                let at = error.position().map_or(0, |p| p.byte()) as u32;
                let message = "this line of the table cannot be read";
                told.tell(Diagnostic::error("E0415", Span::new(id, at, at), message).help(error.to_string()));
            }
        }
    }
    let mut records = records.into_iter();
    let Some(header) = records.next() else {
        told.tell(Diagnostic::error("E0415", name.span, format!("`{}` is empty", name.value)));
        return Vec::new();
    };
    let Some(columns) = columns(id, table, &header, told.found) else { return Vec::new() };
    let mut rows = Vec::new();
    for record in records {
        if record.iter().all(|c| c.trim().is_empty()) {
            continue;
        }
        let mut wrong = Vec::new();
        rows.extend(row(map, id, skip as u32, &columns, &record, &mut wrong));
        wrong.into_iter().for_each(|d| told.tell(d));
    }
    told.close();
    rows
}

/// The most findings of one file that are told one by one.
const MAX_FOUND: usize = 200;

/// Findings of one file: each row has its own, but a file full of mistakes does not drown the author.
struct Told<'f> {
    left: usize,
    /// Those that were not told: where the first one is, and how many.
    more: Option<(Span, usize)>,
    found: &'f mut Vec<Diagnostic>,
}

impl Told<'_> {
    fn tell(&mut self, found: Diagnostic) {
        if self.left > 0 {
            self.left -= 1;
            self.found.push(found);
        } else {
            let (first, count) = self.more.unwrap_or((found.span, 0));
            self.more = Some((first, count + 1));
        }
    }
    fn close(self) {
        if let Some((span, count)) = self.more {
            let message = format!("{count} more mistakes from here on");
            self.found
                .push(Diagnostic::error("E0101", span, message).help("mend the first ones, and check again"));
        }
    }
}

/// The text with some of its lines blank, so that all others stay where they are.
fn without(body: &str, lines: impl Iterator<Item = Range<usize>>) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(body);
    for line in lines {
        let text = text.to_mut();
        if text.get(line.clone()).is_some() {
            text.replace_range(line.clone(), &" ".repeat(line.len()));
        }
    }
    text
}

/// Lines with a quoted cell that does not end on its line, and where in the line it begins.
fn unclosed(body: &str) -> Vec<(Range<usize>, usize)> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in body.split_inclusive('\n') {
        let (mut opened, mut begins, mut before) = (None, true, None);
        for (at, c) in line.char_indices() {
            match (c, opened) {
                // A quote written twice closes and opens again, which comes to the same.
                ('"', Some(_)) => opened = None,
                ('"', None) if begins || before == Some('"') => opened = Some(at),
                _ => {}
            }
            begins = opened.is_none() && c == ',';
            before = Some(c);
        }
        if let Some(at) = opened {
            found.push((start..start + line.trim_end_matches(['\r', '\n']).len(), at));
        }
        start += line.len();
    }
    found
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
    id: FileId,
    table: &ast::Table,
    header: &csv::StringRecord,
    found: &mut Vec<Diagnostic>,
) -> Option<Vec<Column>> {
    let declared: Vec<&ast::ParamDecl> = table.params.iter().chain(&table.results).collect();
    let names: Vec<&str> = declared.iter().map(|p| p.name.text.as_str()).collect();
    let at = Span::new(id, 0, header.as_slice().len() as u32);
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

/// Whether a clause looks like the rest of the number before it: `…,1,000`.
fn grouped(columns: &[Column], record: &csv::StringRecord, clause: usize) -> bool {
    let Some(before) = clause.checked_sub(1) else { return false };
    if !matches!(columns.get(before), Some(Column::Cell { text: false, .. })) {
        return false;
    }
    let figures = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = record.get(before).unwrap_or("").trim().trim_start_matches(['<', '>', '=', ' ']);
    let rest = record.get(clause).unwrap_or("").trim();
    let (three, after) = rest.split_at_checked(3).unwrap_or(("", rest));
    let ends = after.is_empty() || after.starts_with([' ', '.', '%']);
    figures(number) && number.len() <= 3 && figures(three) && ends
}

fn row(
    map: &SourceMap,
    id: FileId,
    skip: u32,
    columns: &[Column],
    record: &csv::StringRecord,
    found: &mut Vec<Diagnostic>,
) -> Option<ast::Row> {
    let start = record.position().map_or(0, |p| p.byte()) as u32 + skip;
    let line = map.text(id).get(start as usize..).unwrap_or("");
    let line = line.lines().next().unwrap_or("");
    let span = Span::new(id, start, start + line.len() as u32);
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
            Column::Extra(0) if grouped(columns, record, i) => {
                let amount = format!("{},{}", record.get(i - 1).unwrap_or("").trim(), text.trim());
                let message = format!("`{amount}` may be one number, or a value and a clause");
                let help = format!(
                    "write the number without its comma (`{}`), or the clause with its sign (`§{}`)",
                    amount.replace(',', ""),
                    text.trim()
                );
                found.push(Diagnostic::error("E0118", span, message).help(help));
                return None;
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
