//! What is to be printed, with the places at which a line may break, and the printing of it.
//!
//! A group is printed on one line if it fits, else all its own breaks are taken; a fill takes only those that it needs.

use super::remarks::Placed;
use std::collections::{BTreeMap, BTreeSet};
use unicode_width::UnicodeWidthStr;

/// How wide a line should be at most, in columns: a Chinese character takes two.
pub const WIDTH: usize = 120;

/// How much a continued line is indented more than the one before.
const STEP: usize = 2;

/// Something to print.
#[derive(Debug, Clone)]
pub enum Doc {
    /// A sign of the text, and its bytes in the file; `None` for what the layout adds.
    Token {
        text: String,
        place: Option<(u32, u32)>,
    },
    /// A line may break here; otherwise `flat` stands here.
    Break {
        id: u32,
        flat: &'static str,
    },
    /// A line breaks here only for a comment.
    Hook {
        id: u32,
    },
    /// Lines that begin within are indented more.
    Nest(Vec<Doc>),
    Group(Vec<Doc>),
    /// Its own breaks are taken one by one.
    Fill(Vec<Doc>),
}

impl Doc {
    /// Something that the layout adds.
    pub fn text(text: impl Into<String>) -> Doc {
        Doc::Token { text: text.into(), place: None }
    }

    fn parts(&self) -> &[Doc] {
        match self {
            Doc::Nest(parts) | Doc::Group(parts) | Doc::Fill(parts) => parts,
            _ => &[],
        }
    }
}

/// How many columns a text takes.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text on one line.
pub fn flat(docs: &[Doc], into: &mut String) {
    for doc in docs {
        match doc {
            Doc::Token { text, .. } => into.push_str(text),
            Doc::Break { flat, .. } => into.push_str(flat),
            _ => flat(doc.parts(), into),
        }
    }
}

/// A line of the new text. An empty one separates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    /// The comment at its end.
    pub remark: Option<String>,
    /// It is a comment as a whole.
    pub comment: bool,
}

impl Line {
    /// A line that is a comment.
    pub fn comment(indent: usize, text: &str) -> Line {
        Line { text: format!("{}{text}", " ".repeat(indent)), remark: None, comment: true }
    }
}

/// What was decided about breaks before anything is printed.
#[derive(Debug, Default)]
pub struct Breaks {
    /// Comments stand here, so the line breaks.
    pub remarks: BTreeMap<u32, Vec<Placed>>,
    /// What follows would begin a declaration if it began a line.
    pub barred: BTreeSet<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Flat,
    Broken,
}

/// What is still to be printed: a document, or the rest of a fill.
#[derive(Clone, Copy)]
enum Item<'a> {
    One(&'a Doc),
    Rest(&'a [Doc]),
}

#[derive(Clone, Copy)]
struct Task<'a> {
    indent: usize,
    mode: Mode,
    item: Item<'a>,
}

/// Prints documents as lines.
pub struct Printer<'a> {
    breaks: &'a Breaks,
    lines: Vec<Line>,
    line: Line,
    column: usize,
}

impl<'a> Printer<'a> {
    /// Prints one unit that begins at a column.
    pub fn print(docs: &'a [Doc], indent: usize, breaks: &'a Breaks) -> Vec<Line> {
        let mut printer = Printer { breaks, lines: Vec::new(), line: Line::default(), column: 0 };
        printer.begin(indent);
        printer.run(docs, indent);
        printer.end();
        printer.lines
    }

    fn begin(&mut self, indent: usize) {
        self.line.text.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }

    fn end(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        line.text.truncate(line.text.trim_end_matches(' ').len());
        self.lines.push(line);
        self.column = 0;
    }

    fn put(&mut self, text: &str) {
        self.line.text.push_str(text);
        self.column += width(text);
    }

    fn run(&mut self, docs: &'a [Doc], indent: usize) {
        let mut tasks: Vec<Task<'a>> =
            docs.iter().rev().map(|doc| Task { indent, mode: Mode::Broken, item: Item::One(doc) }).collect();
        while let Some(Task { indent, mode, item }) = tasks.pop() {
            let doc = match item {
                Item::One(doc) => doc,
                Item::Rest(rest) => {
                    self.rest(rest, indent, &mut tasks);
                    continue;
                }
            };
            let (inner, mode) = match doc {
                Doc::Token { text, .. } => {
                    self.put(text);
                    continue;
                }
                Doc::Break { id, flat } => {
                    if self.taken(*id, mode) {
                        self.newline(*id, indent);
                    } else {
                        self.put(flat);
                    }
                    continue;
                }
                Doc::Hook { id } => {
                    if self.breaks.remarks.contains_key(id) {
                        self.newline(*id, indent);
                    }
                    continue;
                }
                Doc::Nest(_) => (indent + STEP, mode),
                Doc::Group(parts) => {
                    let task = Task { indent, mode: Mode::Flat, item: Item::One(doc) };
                    let flat =
                        !self.must_break(parts) && (mode == Mode::Flat || self.fits(vec![task], &tasks));
                    (indent, if flat { Mode::Flat } else { Mode::Broken })
                }
                Doc::Fill(parts) => {
                    if mode == Mode::Broken {
                        tasks.push(Task { indent, mode, item: Item::Rest(parts) });
                        continue;
                    }
                    (indent, mode)
                }
            };
            tasks.extend(doc.parts().iter().rev().map(|doc| Task {
                indent: inner,
                mode,
                item: Item::One(doc),
            }));
        }
    }

    /// The next part of a fill: a break is taken if what follows up to the next one does not fit.
    fn rest(&mut self, rest: &'a [Doc], indent: usize, tasks: &mut Vec<Task<'a>>) {
        let Some((first, after)) = rest.split_first() else { return };
        let later = Task { indent, mode: Mode::Broken, item: Item::Rest(after) };
        let Doc::Break { id, flat } = first else {
            tasks.push(later);
            tasks.push(Task { indent, mode: Mode::Broken, item: Item::One(first) });
            return;
        };
        let stays = self.breaks.barred.contains(id)
            || !self.breaks.remarks.contains_key(id) && {
                let end =
                    after.iter().position(|doc| matches!(doc, Doc::Break { .. })).unwrap_or(after.len());
                let (segment, others) = after.split_at_checked(end).unwrap_or((after, &[]));
                let mut look = vec![Task { indent, mode: Mode::Broken, item: Item::Rest(others) }];
                let one = |doc| Task { indent, mode: Mode::Flat, item: Item::One(doc) };
                look.extend(segment.iter().rev().map(one));
                look.push(one(first));
                self.fits(look, tasks)
            };
        if stays {
            self.put(flat);
        } else {
            self.newline(*id, indent);
        }
        tasks.push(later);
    }

    fn taken(&self, id: u32, mode: Mode) -> bool {
        self.breaks.remarks.contains_key(&id) || mode == Mode::Broken && !self.breaks.barred.contains(&id)
    }

    fn newline(&mut self, id: u32, indent: usize) {
        let mut remarks = self.breaks.remarks.get(&id).map_or(&[][..], Vec::as_slice);
        if let Some((first, others)) = remarks.split_first().filter(|(first, _)| first.trailing) {
            self.line.remark = Some(first.text.clone());
            remarks = others;
        }
        self.end();
        for remark in remarks {
            self.lines.push(Line::comment(indent, &remark.text));
        }
        self.begin(indent);
    }

    fn must_break(&self, parts: &[Doc]) -> bool {
        !self.breaks.remarks.is_empty()
            && parts.iter().any(|doc| match doc {
                Doc::Break { id, .. } | Doc::Hook { id } => self.breaks.remarks.contains_key(id),
                _ => self.must_break(doc.parts()),
            })
    }

    /// Whether what follows fits on the line, up to the first place at which a line may break.
    fn fits(&self, mut tasks: Vec<Task<'a>>, after: &[Task<'a>]) -> bool {
        let Some(mut left) = WIDTH.checked_sub(self.column) else { return false };
        let mut after = after.iter().rev();
        loop {
            let Some(Task { indent, mode, item }) = tasks.pop().or_else(|| after.next().copied()) else {
                return true;
            };
            let doc = match item {
                Item::One(doc) => doc,
                Item::Rest(rest) => {
                    let Some((first, others)) = rest.split_first() else { continue };
                    tasks.push(Task { indent, mode, item: Item::Rest(others) });
                    tasks.push(Task { indent, mode, item: Item::One(first) });
                    continue;
                }
            };
            match doc {
                Doc::Token { text, .. } => match left.checked_sub(width(text)) {
                    Some(rest) => left = rest,
                    None => return false,
                },
                Doc::Break { id, flat } => {
                    if self.taken(*id, mode) {
                        return true;
                    }
                    match left.checked_sub(flat.len()) {
                        Some(rest) => left = rest,
                        None => return false,
                    }
                }
                Doc::Hook { id } if self.breaks.remarks.contains_key(id) => return true,
                Doc::Group(parts) if self.must_break(parts) => {
                    let part = |doc| Task { indent, mode: Mode::Broken, item: Item::One(doc) };
                    tasks.extend(parts.iter().rev().map(part));
                }
                _ => tasks.extend(doc.parts().iter().rev().map(|doc| Task {
                    indent,
                    mode,
                    item: Item::One(doc),
                })),
            }
        }
    }
}
