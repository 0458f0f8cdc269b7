//! The author's own text, on one line.
use crate::lang::source::{SourceMap, Span};

/// The text under a span as written: without comments, blanks and line ends taken together.
pub(super) fn written(sources: &SourceMap, span: Span) -> String {
    one_line(sources.snippet(whole(sources, span)))
}

/// The place of an expression begins and ends at its operands; brackets around the first or the last one belong to it.
fn whole(sources: &SourceMap, span: Span) -> Span {
    let (closing, opening) = unmatched(sources.snippet(span));
    let text = sources.text(span.file_id());
    let (mut start, mut end) = (span.start as usize, span.end as usize);
    for _ in 0..closing {
        let before = text.get(..start).unwrap_or("").trim_end();
        if !before.ends_with(['(', '[', '{']) {
            break;
        }
        start = before.len() - 1;
    }
    for _ in 0..opening {
        let rest = text.get(end..).unwrap_or("");
        let after = rest.trim_start();
        if !after.starts_with([')', ']', '}']) {
            break;
        }
        end += rest.len() - after.len() + 1;
    }
    Span { start: start as u32, end: end as u32, ..span }
}

/// How many brackets close what is not open, and how many are left open.
fn unmatched(text: &str) -> (usize, usize) {
    let (mut closing, mut open) = (0usize, 0usize);
    let mut quote: Option<char> = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(end), c) if c == end || c == '\n' => quote = None,
            (Some(_), _) => {}
            (None, '"') => quote = Some('"'),
            (None, '“') => quote = Some('”'),
            (None, '(' | '[' | '{') => open += 1,
            (None, ')' | ']' | '}') if open > 0 => open -= 1,
            (None, ')' | ']' | '}') => closing += 1,
            _ => {}
        }
    }
    (closing, open)
}

/// Takes comments out and folds blanks; what stands in quotes is kept.
fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut quote, mut escaped, mut comment) = (None, false, false);
    for c in text.chars() {
        if comment {
            comment = c != '\n';
        } else if let Some(end) = quote {
            out.push(c);
            if !escaped && (c == end || c == '\n') {
                quote = None;
            }
            escaped = c == '\\' && !escaped;
            continue;
        } else {
            match c {
                '#' => comment = true,
                '"' => quote = Some('"'),
                '“' => quote = Some('”'),
                _ => {}
            }
        }
        if comment || c.is_whitespace() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
        } else {
            out.push(c);
        }
    }
    out.trim_end().to_owned()
}

/// The head of a table as written: up to its first row, without the word `table`.
pub(super) fn head(sources: &SourceMap, span: Span) -> String {
    let text = written(sources, span);
    let head = text.split('|').next().unwrap_or("").trim();
    head.strip_prefix("table ").unwrap_or(head).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::source::{FileId, SourceMap};

    #[test]
    fn brackets_at_the_ends_belong_to_it() {
        let mut sources = SourceMap::new();
        sources.add("a", "when (a or b) and not (c or ( d)  )\n  then e");
        let of = |from, to| written(&sources, Span::new(FileId(0), from, to));
        assert_eq!(of(6, 31), "(a or b) and not (c or ( d) )");
        assert_eq!(of(6, 12), "a or b");
        assert_eq!(of(38, 42), "then");
    }

    #[test]
    fn comments_go_and_quotes_stay() {
        assert_eq!(one_line("a  and # why\n    b"), "a and b");
        assert_eq!(one_line("x is \"a  # b\" # c"), "x is \"a  # b\"");
        assert_eq!(one_line(r#"x is "a \" # b"  or y"#), r#"x is "a \" # b" or y"#);
        assert_eq!(one_line("x is “a  \" # b”  or y"), "x is “a  \" # b” or y");
    }
}
