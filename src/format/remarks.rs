//! Where the author's comments go: to the first place after them at which a line may break.

use super::doc::{Breaks, Doc};
use crate::lang::syntax::Comment;

/// A comment on its way to its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub text: String,
    /// A byte of the file.
    pub start: u32,
    /// It stood at the end of a line.
    pub trailing: bool,
}

/// The comments of a file that have not found their place yet.
#[derive(Debug)]
pub struct Remarks<'a> {
    left: &'a [Comment],
    /// Passed, but no line could break since.
    held: Vec<Placed>,
}

impl<'a> Remarks<'a> {
    /// All comments of a file, in order.
    pub fn new(comments: &'a [Comment]) -> Self {
        Remarks { left: comments, held: Vec::new() }
    }

    /// Those that stand before a byte of the file, with those held.
    pub fn before(&mut self, at: u32) -> Vec<Placed> {
        let count = self.left.partition_point(|comment| comment.start < at);
        let (passed, left) = self.left.split_at_checked(count).unwrap_or((self.left, &[]));
        self.left = left;
        let placed = |it: &Comment| Placed { text: it.text.clone(), start: it.start, trailing: it.trailing };
        self.held.extend(passed.iter().map(placed));
        std::mem::take(&mut self.held)
    }

    /// Gives the comments within a unit to its breaks. Words that would begin a declaration may not begin a line.
    pub fn place(&mut self, docs: &[Doc], declarations: &[&str]) -> Breaks {
        let mut breaks = Breaks::default();
        let mut open = Vec::new();
        self.walk(docs, declarations, &mut open, &mut breaks);
        breaks
    }

    fn walk(&mut self, docs: &[Doc], declarations: &[&str], open: &mut Vec<u32>, breaks: &mut Breaks) {
        for doc in docs {
            match doc {
                Doc::Break { id, .. } | Doc::Hook { id } => open.push(*id),
                Doc::Token { place: None, .. } => {}
                Doc::Token { text, place: Some((start, _)) } => {
                    if declarations.contains(&text.as_str()) {
                        breaks.barred.extend(open.drain(..));
                    }
                    let passed = self.before(*start);
                    match open.first() {
                        Some(id) if !passed.is_empty() => {
                            breaks.remarks.insert(*id, passed);
                        }
                        _ => self.held = passed,
                    }
                    open.clear();
                }
                Doc::Nest(parts) | Doc::Group(parts) | Doc::Fill(parts) => {
                    self.walk(parts, declarations, open, breaks);
                }
            }
        }
    }
}
