//! The rows of a table, their columns aligned.

use super::doc::{Doc, flat, width};
use super::signs::Signs;
use crate::lang::syntax::{Node, Part};

/// A cell's text, cut so that figures stand below figures of the same place.
struct Cell {
    /// `>=` and the like, with its blank; only cells that have one take part in its column.
    operator: String,
    /// The figures before the point, with a minus.
    figures: String,
    rest: String,
    /// An open question is as long as it needs to be, and makes no column wide.
    free: bool,
}

impl Cell {
    fn of(text: String) -> Cell {
        let free = text.starts_with("undecided ");
        let operator_end = text.find(' ').filter(|_| text.starts_with(['<', '>'])).map_or(0, |at| at + 1);
        let (operator, value) = text.split_at_checked(operator_end).unwrap_or(("", &text));
        let sign = usize::from(value.starts_with('-'));
        let end = value
            .get(sign..)
            .and_then(|digits| digits.find(|c: char| !c.is_ascii_digit() && c != '_'))
            .map_or(value.len(), |at| at + sign);
        let (figures, rest) = value.split_at_checked(end).unwrap_or(("", value));
        // Only one number with its unit: a date or an interval is no figure.
        let fraction =
            rest.strip_prefix('.').map_or(rest, |it| it.trim_start_matches(|c: char| c.is_ascii_digit()));
        let unit = fraction.strip_prefix(' ').unwrap_or(fraction);
        let single = unit == "%" || unit.chars().all(|c| c == '_' || c.is_alphanumeric());
        if end > sign && single {
            let (operator, figures, rest) = (operator.to_owned(), figures.to_owned(), rest.to_owned());
            return Cell { operator, figures, rest, free };
        }
        Cell { operator: String::new(), figures: String::new(), rest: text, free }
    }

    fn kind(&self) -> (bool, bool) {
        (!self.operator.is_empty(), !self.figures.is_empty())
    }
}

/// The rows as lines.
pub fn aligned(signs: &mut Signs, rows: &[&Node]) -> Vec<Vec<Doc>> {
    let mut table: Vec<Vec<Cell>> = rows.iter().map(|row| cells(signs, row)).collect();
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    for column in 0..columns {
        align(&mut table, column);
    }
    let mut lines = Vec::with_capacity(rows.len());
    for (row, cells) in rows.iter().zip(&table) {
        let mut text = String::from("|");
        for cell in cells {
            text.push_str(&format!(" {}{}{} |", cell.operator, cell.figures, cell.rest));
        }
        for tail in row.parts.iter().filter(|part| matches!(part.part, Part::clause | Part::dates)) {
            text.push(' ');
            flat(&signs.of(tail), &mut text);
        }
        lines.push(vec![Doc::Token { text, place: Some((row.start, row.end)) }]);
    }
    lines
}

fn cells(signs: &mut Signs, row: &Node) -> Vec<Cell> {
    let cells = row.parts.iter().filter(|part| part.part == Part::cell);
    let text = |cell: &Node| {
        let mut text = String::new();
        flat(&signs.of(cell), &mut text);
        Cell::of(text)
    };
    cells.map(text).collect()
}

/// Pads the cells of a column.
fn align(table: &mut [Vec<Cell>], column: usize) {
    for kind in [(true, true), (false, true)] {
        let of_kind = |row: &&mut Vec<Cell>| row.get(column).is_some_and(|cell| cell.kind() == kind);
        let (mut operator, mut figures) = (0, 0);
        for cell in table.iter_mut().filter(of_kind).filter_map(|row| row.get(column)) {
            operator = operator.max(width(&cell.operator));
            figures = figures.max(width(&cell.figures));
        }
        for cell in table.iter_mut().filter(of_kind).filter_map(|row| row.get_mut(column)) {
            pad(&mut cell.operator, operator);
            let blanks = figures - width(&cell.figures);
            cell.figures = format!("{}{}", " ".repeat(blanks), cell.figures);
        }
    }
    let whole = |cell: &Cell| width(&cell.operator) + width(&cell.figures) + width(&cell.rest);
    let in_column = || table.iter().filter_map(|row| row.get(column));
    let widest = in_column().filter(|cell| !cell.free).map(whole).max();
    let Some(widest) = widest.or_else(|| in_column().map(whole).max()) else { return };
    for cell in table.iter_mut().filter_map(|row| row.get_mut(column)) {
        let rest = width(&cell.rest) + widest.saturating_sub(whole(cell));
        pad(&mut cell.rest, rest);
    }
}

fn pad(text: &mut String, to: usize) {
    let blanks = to.saturating_sub(width(text));
    text.extend(std::iter::repeat_n(' ', blanks));
}
