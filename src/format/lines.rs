//! From units to the lines of the new text: comments and blank lines between them.

use super::doc::{Doc, Line, Printer, width};
use super::remarks::{Placed, Remarks};

/// Whether a blank line may stand before a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    Never,
    /// Where the author left one or more, one stays.
    Kept,
    Always,
}

/// What begins a line of its own.
#[derive(Debug, Clone)]
pub struct Unit {
    pub indent: usize,
    /// Comments before it are indented so.
    pub remarks: usize,
    pub gap: Gap,
    /// Where it begins, a byte of the file.
    pub start: u32,
    pub docs: Vec<Doc>,
}

/// Comments at the ends of lines stand below each other as long as they begin before this column.
const ALIGNED: usize = 100;

/// Lays units out.
pub struct Layout<'a> {
    source: &'a str,
    declarations: &'a [&'a str],
    remarks: Remarks<'a>,
    lines: Vec<Line>,
}

impl<'a> Layout<'a> {
    /// For a file; `declarations` are the words that begin one.
    pub fn new(source: &'a str, declarations: &'a [&'a str], remarks: Remarks<'a>) -> Self {
        Layout { source, declarations, remarks, lines: Vec::new() }
    }

    /// Adds a unit with what stands before it.
    pub fn unit(&mut self, unit: &Unit) {
        let mut before = self.remarks.before(unit.start);
        self.end_line(&mut before);
        let mut gaps: Vec<bool> = before.iter().map(|remark| self.gap_before(remark.start)).collect();
        gaps.push(self.gap_before(unit.start));
        match unit.gap {
            Gap::Never => gaps.fill(false),
            Gap::Kept => {}
            Gap::Always if gaps.contains(&true) => {}
            Gap::Always => gaps.first_mut().into_iter().for_each(|first| *first = true),
        }
        let mut gaps = gaps.into_iter();
        for remark in before {
            self.gap(gaps.next());
            self.own_line(unit.remarks, remark);
        }
        self.gap(gaps.next());
        let breaks = self.remarks.place(&unit.docs, self.declarations);
        self.lines.extend(Printer::print(&unit.docs, unit.indent, &breaks));
    }

    /// The whole text, after the last unit.
    pub fn finish(mut self) -> String {
        let mut after = self.remarks.before(u32::MAX);
        self.end_line(&mut after);
        for remark in after {
            let gap = self.gap_before(remark.start);
            self.gap(Some(gap));
            self.own_line(0, remark);
        }
        align(&mut self.lines);
        let mut text = String::new();
        for line in &self.lines {
            text.push_str(&line.text);
            text.push_str(line.remark.as_deref().unwrap_or(""));
            text.push('\n');
        }
        text
    }

    /// A comment that ended the line of the last unit still does.
    fn end_line(&mut self, remarks: &mut Vec<Placed>) {
        let takes = |line: &Line| line.remark.is_none() && !line.comment && !line.text.is_empty();
        let free = self.lines.last().is_some_and(takes);
        if free && remarks.first().is_some_and(|first| first.trailing) {
            let first = remarks.remove(0);
            if let Some(line) = self.lines.last_mut() {
                line.remark = Some(first.text);
            }
        }
    }

    fn own_line(&mut self, indent: usize, remark: Placed) {
        self.lines.push(Line::comment(indent, &remark.text));
    }

    fn gap(&mut self, wanted: Option<bool>) {
        if wanted == Some(true) && self.lines.last().is_some_and(|line| !line.text.is_empty()) {
            self.lines.push(Line::default());
        }
    }

    /// Whether the author left a blank line before a byte of the file.
    fn gap_before(&self, at: u32) -> bool {
        let before = self.source.get(..at as usize).unwrap_or("");
        let blank = before.trim_end().len();
        before.get(blank..).unwrap_or("").matches('\n').count() > 1
    }
}

/// Puts the comments at the ends of neighbouring lines below each other.
fn align(lines: &mut [Line]) {
    for run in lines.chunk_by_mut(|a, b| a.remark.is_some() && b.remark.is_some()) {
        let column = run.iter().map(|line| width(&line.text)).filter(|at| *at < ALIGNED).max().unwrap_or(0);
        for line in run.iter_mut().filter(|line| line.remark.is_some()) {
            let blanks = column.saturating_sub(width(&line.text)) + 2;
            line.text.extend(std::iter::repeat_n(' ', blanks));
        }
    }
}
