//! The words before the cursor, looked at from the back.
use crate::lang::syntax::{Piece, PieceKind};

/// Words and signs of a declaration up to the cursor, line breaks left out.
#[derive(Debug)]
pub(super) struct Line<'p> {
    pieces: Vec<&'p Piece>,
    /// How many of them stand before the cursor's line.
    line: usize,
}

/// Something that has a value, read from the back: where it begins, and what it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Operand<'p> {
    pub(super) begins: usize,
    /// `item.category`; of a call, the path that is called.
    pub(super) path: Vec<&'p str>,
    pub(super) call: bool,
    /// After a call: `.miles`.
    pub(super) fields: Vec<&'p str>,
}

impl<'p> Line<'p> {
    pub(super) fn new(before: &'p [Piece]) -> Line<'p> {
        let is_break = |p: &&Piece| p.kind == PieceKind::LineBreak;
        let last_break = before.iter().rposition(|p| p.kind == PieceKind::LineBreak).map_or(0, |at| at + 1);
        let line = before.iter().take(last_break).filter(|p| !is_break(p)).count();
        Line { pieces: before.iter().filter(|p| !is_break(p)).collect(), line }
    }

    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// The text at an index, empty beyond.
    pub(super) fn text(&self, at: usize) -> &'p str {
        self.pieces.get(at).map_or("", |p| p.text.as_str())
    }

    pub(super) fn kind(&self, at: usize) -> Option<PieceKind> {
        self.pieces.get(at).map(|p| p.kind)
    }

    /// The last text, or the one so many before it.
    pub(super) fn back(&self, by: usize) -> &'p str {
        self.len().checked_sub(by + 1).map_or("", |at| self.text(at))
    }

    /// The index of the first piece of the cursor's line.
    pub(super) fn line_begin(&self) -> usize {
        self.line
    }

    /// Whether what stands last is whole, so that an operator or a clause may follow.
    pub(super) fn ends_operand(&self) -> bool {
        let Some(last) = self.pieces.last() else { return false };
        match last.kind {
            PieceKind::Number | PieceKind::Text => true,
            PieceKind::Sign => matches!(last.text.as_str(), ")" | "]" | "}" | "%"),
            PieceKind::Word => self.back(1) == "." || !EXPECTS.contains(&last.text.as_str()),
            PieceKind::Clause | PieceKind::LineBreak => false,
        }
    }

    /// How the brackets stand that are open at the end: the index of each opening one, innermost last.
    pub(super) fn open(&self) -> Vec<usize> {
        let mut open = Vec::new();
        for (at, piece) in self.pieces.iter().enumerate().filter(|(_, p)| p.kind == PieceKind::Sign) {
            match piece.text.as_str() {
                "(" | "[" | "{" => open.push(at),
                ")" | "]" | "}" => {
                    open.pop();
                }
                _ => {}
            }
        }
        open
    }

    /// The index of the bracket that the one at `at` closes.
    fn opening(&self, at: usize) -> Option<usize> {
        let mut depth = 0;
        for i in (0..=at).rev() {
            match self.text(i) {
                ")" | "]" | "}" => depth += 1,
                "(" | "[" | "{" => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(i);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The operand that ends before index `end`.
    pub(super) fn operand(&self, end: usize) -> Option<Operand<'p>> {
        let mut at = end;
        let mut names = self.names(&mut at);
        if at > 0 && self.text(at - 1) == ")" && (names.is_empty() || self.text(at) == ".") {
            let open = self.opening(at - 1)?;
            let mut begins = open;
            let path = self.names(&mut begins);
            if path.is_empty() {
                return None;
            }
            return Some(Operand { begins, path, call: true, fields: names });
        }
        if names.is_empty() {
            return None;
        }
        let path = std::mem::take(&mut names);
        Some(Operand { begins: at, path, call: false, fields: Vec::new() })
    }

    /// Names with dots between that end before `at`, which moves to where they begin. After a closing bracket, they begin
    /// with the dot.
    fn names(&self, at: &mut usize) -> Vec<&'p str> {
        let mut names = Vec::new();
        let mut i = *at;
        while i > 0 && self.kind(i - 1) == Some(PieceKind::Word) {
            names.push(self.text(i - 1));
            i -= 1;
            *at = i;
            if i > 0 && self.text(i - 1) == "." {
                i -= 1;
                if i > 0 && self.text(i - 1) == ")" {
                    *at = i;
                    break;
                }
            } else {
                break;
            }
        }
        names.reverse();
        names
    }

    /// The last index from `from` on at which one of these words stands outside brackets.
    pub(super) fn last_of(&self, from: usize, words: &[&str]) -> Option<usize> {
        let mut depth = 0usize;
        let mut found = None;
        for at in from..self.len() {
            match self.text(at) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                word if depth == 0 && words.contains(&word) && !(at > 0 && self.text(at - 1) == ".") => {
                    found = Some(at);
                }
                _ => {}
            }
        }
        found
    }
}

/// Words after which something is still to come.
const EXPECTS: &[&str] = &[
    "accepts",
    "add",
    "and",
    "applies",
    "at",
    "before",
    "by",
    "collect",
    "decides",
    "each",
    "else",
    "expect",
    "extends",
    "for",
    "from",
    "given",
    "governed",
    "if",
    "in",
    "is",
    "layer",
    "least",
    "let",
    "like",
    "may",
    "most",
    "needs",
    "not",
    "of",
    "or",
    "otherwise",
    "overrides",
    "param",
    "per",
    "remove",
    "replaces",
    "rounded",
    "rounding",
    "rows",
    "rule",
    "say",
    "set",
    "table",
    "then",
    "through",
    "title",
    "to",
    "uses",
    "when",
    "where",
    "with",
];
