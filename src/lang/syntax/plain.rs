//! Cells as most tables have them (a word, an amount, a date, a bound, a plain text), read without the grammar.
//!
//! Tables of a hundred thousand rows are made of little else, and the grammar is far slower on a short text than the text
//! deserves. What is not surely one of these forms is left to the grammar; a test holds the two readings equal.

use super::fold::{is_bidi, is_invisible};
use super::keywords::RESERVED;
use crate::lang::ast::{
    BinaryOp, Cell, CellItem, CellKind, DurationUnit, Expr, ExprKind, Interval, Name, Number, Path,
    PeriodUnit, Quantity,
};
use crate::lang::source::Span;
use chrono::NaiveDate;

/// Digits of a number that is surely within the limits of the grammar.
const MOST_DIGITS: usize = 30;

/// Units in signs; other words that are not ASCII may be some that the language refuses.
const SIGNS: [&str; 8] = ["元", "天", "个月", "年", "小时", "分钟", "秒", "积分"];

/// The cell that the grammar would read, if `text` is in one of the plain forms.
pub fn cell(text: &str, base: Span) -> Option<Cell> {
    let start = text.len() - text.trim_start_matches([' ', '\t']).len();
    let body = text.trim_matches([' ', '\t']);
    let at = At { base };
    let span = at.span(start, start + body.len());
    let alternatives = match word_list(body) {
        true => items(body, start, at)?,
        false => vec![CellItem { kind: item(body, start, at)?, span }],
    };
    Some(Cell { alternatives, span })
}

/// Where a cell stands.
#[derive(Clone, Copy)]
struct At {
    base: Span,
}

impl At {
    /// Bytes of the cell as bytes of its file; never beyond the cell.
    fn span(self, from: usize, to: usize) -> Span {
        let place = |at: usize| self.base.start.saturating_add(at as u32).min(self.base.end);
        Span { file: self.base.file, start: place(from), end: place(to) }
    }
}

/// Several words with commas between: numbers with a comma might be one number.
fn word_list(body: &str) -> bool {
    body.contains(',') && body.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn items(body: &str, start: usize, at: At) -> Option<Vec<CellItem>> {
    let mut items = Vec::new();
    let mut from = 0;
    for part in body.split(',') {
        let trimmed = part.trim_matches([' ', '\t']);
        let lead = part.len() - part.trim_start_matches([' ', '\t']).len();
        let begin = start + from + lead;
        let kind = match trimmed {
            "absent" => CellKind::Absent,
            word => CellKind::Value(path(word, begin, at)?),
        };
        items.push(CellItem { kind, span: at.span(begin, begin + trimmed.len()) });
        from += part.len() + 1;
    }
    Some(items)
}

fn item(body: &str, start: usize, at: At) -> Option<CellKind> {
    let span = at.span(start, start + body.len());
    Some(match body {
        "-" => CellKind::Any,
        "else" => CellKind::Else,
        "absent" => CellKind::Absent,
        "yes" | "no" => CellKind::Value(Expr { kind: ExprKind::Bool(body == "yes"), span }),
        _ => match body.as_bytes().first()? {
            b'"' => CellKind::Value(string(body, span)?),
            b'0'..=b'9' => CellKind::Value(literal(body, start, at)?),
            b'>' | b'<' => compare(body, start, at)?,
            b'[' | b'(' => interval(body, start, at)?,
            _ => CellKind::Value(path(body, start, at)?),
        },
    })
}

/// A quoted text without escapes.
fn string(body: &str, span: Span) -> Option<Expr> {
    let inside = body.strip_prefix('"')?.strip_suffix('"')?;
    let plain = |c: char| !matches!(c, '"' | '\\') && !is_bidi(c) && !is_invisible(c);
    inside.chars().all(plain).then(|| Expr { kind: ExprKind::Text(inside.to_owned()), span })
}

/// One word that is no keyword: ASCII, or Han signs that mean nothing else to the language.
fn path(word: &str, start: usize, at: At) -> Option<Expr> {
    if !is_plain_word(word) || RESERVED.contains(&word) {
        return None;
    }
    let span = at.span(start, start + word.len());
    let name = Name { text: word.to_owned(), span };
    Some(Expr { kind: ExprKind::Path(Path { parts: vec![name], span }), span })
}

fn is_plain_word(word: &str) -> bool {
    let han = |c: char| {
        ('\u{4E00}'..='\u{9FA5}').contains(&c) && !matches!(c, '且' | '或' | '非' | '上' | '下' | '内' | '分')
    };
    word.starts_with(|c: char| c.is_ascii_alphabetic() || han(c))
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || han(c))
}

/// A number, perhaps with a unit, or a date.
fn literal(body: &str, start: usize, at: At) -> Option<Expr> {
    let span = at.span(start, start + body.len());
    if body.len() == 10 && body.as_bytes().get(4) == Some(&b'-') {
        let figures = |range: std::ops::Range<usize>| -> Option<u32> {
            let part = body.get(range)?;
            part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
        };
        let dashes = body.as_bytes().get(7) == Some(&b'-');
        let (year, month, day) = (figures(0..4)?, figures(5..7)?, figures(8..10)?);
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day).filter(|_| dashes)?;
        return Some(Expr { kind: ExprKind::Date(date), span });
    }
    let digits = number_length(body)?;
    let (figures, rest) = body.split_at_checked(digits)?;
    let number = Number { text: figures.replace('_', ""), span: at.span(start, start + digits) };
    let unit = rest.trim_start_matches([' ', '\t']);
    let unit_at = start + body.len() - unit.len();
    let kind = match unit {
        "" => ExprKind::Number(number),
        "%" => ExprKind::Percent(number),
        "day" | "days" | "天" => ExprKind::Period(number, PeriodUnit::Days),
        "month" | "months" | "个月" => ExprKind::Period(number, PeriodUnit::Months),
        "year" | "years" | "年" => ExprKind::Period(number, PeriodUnit::Years),
        "hour" | "hours" | "小时" => ExprKind::Duration(number, DurationUnit::Hours),
        "minute" | "minutes" | "分钟" => ExprKind::Duration(number, DurationUnit::Minutes),
        "second" | "seconds" | "秒" => ExprKind::Duration(number, DurationUnit::Seconds),
        word => {
            let known = word.is_ascii() && is_plain_word(word) || SIGNS.contains(&word);
            if !known || RESERVED.contains(&word) {
                return None;
            }
            let unit = Name { text: word.to_owned(), span: at.span(unit_at, unit_at + word.len()) };
            ExprKind::Quantity(Quantity { number, unit, span })
        }
    };
    Some(Expr { kind, span })
}

/// How many bytes of `1_000.5` at the beginning are the number.
fn number_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    while digit(end) || (bytes.get(end) == Some(&b'_') && end > 0 && digit(end - 1) && digit(end + 1)) {
        end += 1;
    }
    if bytes.get(end) == Some(&b'.') && digit(end + 1) {
        end += 1;
        while digit(end) {
            end += 1;
        }
    }
    // A `_` or another point after it is no plain number.
    let clean = !matches!(bytes.get(end), Some(b'_' | b'.'));
    (end > 0 && end <= MOST_DIGITS && clean).then_some(end)
}

fn compare(body: &str, start: usize, at: At) -> Option<CellKind> {
    let (op, sign) = match body.as_bytes() {
        [b'>', b'=', ..] => (BinaryOp::Ge, 2),
        [b'<', b'=', ..] => (BinaryOp::Le, 2),
        [b'>', ..] => (BinaryOp::Gt, 1),
        _ => (BinaryOp::Lt, 1),
    };
    let (bound, from) = part(body, sign, body.len(), start)?;
    Some(CellKind::Compare(op, bound_of(bound, from, at)?))
}

fn interval(body: &str, start: usize, at: At) -> Option<CellKind> {
    let span = at.span(start, start + body.len());
    let dots = body.find("..")?;
    let high_open = match body.as_bytes().last()? {
        b')' => true,
        b']' => false,
        _ => return None,
    };
    let (low, low_at) = part(body, 1, dots, start)?;
    let (high, high_at) = part(body, dots + 2, body.len() - 1, start)?;
    Some(CellKind::Interval(Interval {
        low: bound_of(low, low_at, at)?,
        high: bound_of(high, high_at, at)?,
        low_open: body.starts_with('('),
        high_open,
        span,
    }))
}

/// A bound: a number or a date, not a word.
fn bound_of(text: &str, start: usize, at: At) -> Option<Expr> {
    text.starts_with(|c: char| c.is_ascii_digit()).then(|| literal(text, start, at))?
}

/// A part of a cell without the blanks around it, and where it begins.
fn part(body: &str, from: usize, to: usize, start: usize) -> Option<(&str, usize)> {
    let part = body.get(from..to)?;
    let lead = part.len() - part.trim_start_matches([' ', '\t']).len();
    Some((part.trim_matches([' ', '\t']), start + from + lead))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::source::{FileId, SourceMap};
    use crate::lang::syntax::parse_cell_by_grammar;
    use proptest::prelude::*;

    /// What the grammar makes of a cell; `None` where it finds fault.
    /// The cell by the grammar, standing in a file at `base`.
    fn by_grammar(text: &str, base: Span) -> Option<Cell> {
        let mut map = SourceMap::new();
        map.add("t.csv", format!("{}{text}", ",".repeat(base.start as usize)));
        let (cell, found) = parse_cell_by_grammar(&map, text, base);
        if found.is_empty() { cell } else { None }
    }

    fn piece() -> impl Strategy<Value = &'static str> {
        proptest::sample::select(vec![
            "-",
            "else",
            "absent",
            "yes",
            "no",
            "north",
            "a_1",
            "_a",
            "金卡",
            "衣服",
            "且",
            "以上",
            "三天内",
            "x.y",
            ",",
            ", ",
            "0",
            "12",
            "1_000",
            "_",
            "007",
            "12.50",
            "1.",
            ".",
            "99999999999999999999",
            "%",
            " ",
            "  ",
            "\t",
            " CNY",
            "CNY",
            "元",
            " 积分",
            " days",
            "天",
            "个月",
            "年",
            "折",
            "分",
            "2026-07-01",
            "2026-02-30",
            "2026-7-1",
            "T09:30Z",
            ">=",
            "> ",
            "<",
            "<= ",
            "!=",
            "[",
            "(",
            "..",
            "]",
            ")",
            "\"",
            "\"a b\"",
            "\"说，好\"",
            "\\",
            "undecided ",
            "#",
            "§1",
            "+",
            "*",
            " in ",
            "per",
            "may set",
            "rounded",
            "days from",
            "＞",
            "３",
            "\u{3000}",
            "\u{200B}",
            "e\u{301}",
            "{",
            "is",
        ])
    }

    #[test]
    fn plain_cells_are_read() {
        let base = |text: &str| Span::new(FileId(0), 10, 10 + text.len() as u32);
        for text in [
            "-",
            " else",
            "absent ",
            "yes",
            "north",
            "金卡",
            "north, east",
            "12",
            "1_000.5",
            "12 CNY",
            "300元",
            "15%",
            "8 days",
            "2026-07-01",
            ">= 5 CNY",
            "< 3%",
            "[1..10)",
            "( 0.5 .. 2 ]",
            "[2026-01-01..2026-02-01)",
            "\"a, b\"",
            "30 minutes",
        ] {
            let read = cell(text, base(text));
            assert!(read.is_some(), "{text}");
            assert_eq!(read, by_grammar(text, base(text)), "{text}");
        }
        for text in [
            "",
            "x.y",
            "-5",
            "a + b",
            "10,000",
            "8.5折",
            "三天内",
            "undecided \"x\"",
            "\"a\\n\"",
            "[a..b]",
            "to",
        ] {
            assert_eq!(cell(text, base(text)), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 6_000, ..ProptestConfig::default() })]

        #[test]
        fn what_is_read_without_the_grammar_is_what_the_grammar_reads(
            pieces in proptest::collection::vec(piece(), 1..7),
            before in 0u32..40,
        ) {
            let text = pieces.concat();
            let base = Span::new(FileId(0), before, before + text.len() as u32);
            if let Some(read) = cell(&text, base) {
                prop_assert_eq!(Some(read), by_grammar(&text, base), "{}", text);
            }
        }
    }
}
