//! Carrying out the certain suggestions of findings: which of them can be done together, the new texts, and what changed.

use super::diagnostic::{Diagnostic, Suggestion};
use super::source::{FileId, SourceMap};
use std::collections::BTreeMap;

/// What comes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    pub file: FileId,
    pub text: String,
    /// How many changes were made.
    pub changes: usize,
    /// The changed lines before and after, each group headed by `@@ -line,count +line,count @@`.
    pub diff: String,
}

/// The files with all certain suggestions carried out, by number. Of suggestions that touch the same place the first is
/// taken: what the other finding says may no longer be true.
pub fn mend(map: &SourceMap, findings: &[Diagnostic]) -> Vec<Mended> {
    let mut by_file: BTreeMap<FileId, Vec<&Suggestion>> = BTreeMap::new();
    for suggestion in findings.iter().filter_map(|d| d.suggestion.as_ref()).filter(|s| s.certain) {
        by_file.entry(suggestion.span.file_id()).or_default().push(suggestion);
    }
    let mend = |(file, all): (FileId, Vec<&Suggestion>)| one(file, map.text(file), all);
    by_file.into_iter().filter_map(mend).collect()
}

fn one(file: FileId, text: &str, mut all: Vec<&Suggestion>) -> Option<Mended> {
    all.sort_by_key(|s| (s.span.start, s.span.end));
    let mut kept: Vec<&Suggestion> = Vec::new();
    for next in all {
        let fits = text.get(next.span.start as usize..next.span.end as usize).is_some();
        let free = kept.last().is_none_or(|last| {
            // Two insertions at one place have no order of their own.
            last.span.end < next.span.start || last.span.end == next.span.start && last.span != next.span
        });
        if fits && free {
            kept.push(next);
        }
    }
    (!kept.is_empty()).then(|| Mended {
        file,
        text: replaced(text, 0, text.len(), &kept),
        changes: kept.len(),
        diff: diff(text, &kept),
    })
}

/// `text[from..to]` with the changes made that lie within.
fn replaced(text: &str, from: usize, to: usize, changes: &[&Suggestion]) -> String {
    let mut out = String::new();
    let mut at = from;
    for change in changes {
        out.push_str(text.get(at..change.span.start as usize).unwrap_or(""));
        out.push_str(&change.replacement);
        at = change.span.end as usize;
    }
    out.push_str(text.get(at..to).unwrap_or(""));
    out
}

/// The lines that change, with the line numbers before and after.
fn diff(text: &str, changes: &[&Suggestion]) -> String {
    let mut out = String::new();
    // How many lines the new text is longer than the old one so far.
    let mut longer = 0isize;
    let mut rest = changes;
    while let Some(first) = rest.first() {
        let start = line_start(text, first.span.start as usize);
        let mut end = line_end(text, first.span.end as usize);
        let mut n = 1;
        while let Some(next) = rest.get(n).filter(|next| (next.span.start as usize) < end) {
            end = end.max(line_end(text, next.span.end as usize));
            n += 1;
        }
        let (group, later) = rest.split_at(n);
        rest = later;
        let old = text.get(start..end).unwrap_or("");
        let new = replaced(text, start, end, group);
        let before = text.get(..start).unwrap_or("").lines().count();
        let (gone, come) = (old.lines().count(), new.lines().count());
        let after = before.saturating_add_signed(longer);
        longer += come as isize - gone as isize;
        out.push_str(&format!("@@ -{},{gone} +{},{come} @@\n", before + 1, after + 1));
        old.lines().for_each(|line| out.push_str(&format!("-{line}\n")));
        new.lines().for_each(|line| out.push_str(&format!("+{line}\n")));
    }
    out
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

/// The end of the line that holds the byte before `at`, its line break included.
fn line_end(text: &str, at: usize) -> usize {
    let whole = at > 0 && text.get(..at).is_some_and(|before| before.ends_with('\n'));
    if whole {
        return at;
    }
    text.get(at..).and_then(|after| after.find('\n')).map_or(text.len(), |newline| at + newline + 1)
}

#[cfg(test)]
mod tests {
    use super::super::source::Span;
    use super::*;

    fn finding(id: FileId, start: u32, end: u32, replacement: &str) -> Diagnostic {
        let span = Span::new(id, start, end);
        Diagnostic::error("E0201", span, "x").fix(span, replacement)
    }

    #[test]
    fn certain_changes_are_made_and_shown_by_line() {
        let mut map = SourceMap::new();
        let id = map.add("a", "一 two\nthree\nfour 五 six\nseven");
        let unsure = Diagnostic::error("E0201", Span::new(id, 8, 13), "x").suggest(Span::new(id, 8, 13), "3");
        let mended = mend(
            &map,
            &[
                finding(id, 14, 18, "4"),
                finding(id, 0, 3, "1"),
                finding(id, 16, 20, "overlaps"),
                finding(id, 23, 26, "6"),
                unsure,
            ],
        );
        let [mended] = mended.as_slice() else { panic!("{mended:?}") };
        assert_eq!(mended.text, "1 two\nthree\n4 五 6\nseven");
        assert_eq!(mended.changes, 3);
        assert_eq!(mended.diff, "@@ -1,1 +1,1 @@\n-一 two\n+1 two\n@@ -3,1 +3,1 @@\n-four 五 six\n+4 五 6\n");
    }

    #[test]
    fn whole_lines_may_go() {
        let mut map = SourceMap::new();
        let id = map.add("a", "one\ntwo\nthree\nfour\n");
        let mended = mend(&map, &[finding(id, 4, 8, ""), finding(id, 14, 18, "4")]);
        let [mended] = mended.as_slice() else { panic!("{mended:?}") };
        assert_eq!(mended.text, "one\nthree\n4\n");
        assert_eq!(mended.diff, "@@ -2,1 +2,0 @@\n-two\n@@ -4,1 +3,1 @@\n-four\n+4\n");
    }

    #[test]
    fn insertions_at_one_place_are_not_both_made() {
        let mut map = SourceMap::new();
        let id = map.add("a", "ab");
        let mended = mend(&map, &[finding(id, 1, 1, ","), finding(id, 1, 1, ";"), finding(id, 1, 2, "B")]);
        assert_eq!(mended.first().map(|m| m.text.as_str()), Some("a,B"));
    }
}
