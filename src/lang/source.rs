//! The files that a rulebook was read from, and places in them.
//!
//! A place is kept as bytes; lines and columns are computed only when something is shown.

/// A file of a [`SourceMap`], by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// Bytes `start..end` of a file. Small and `Copy`, so that every node of the tree carries one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    pub file: u32,
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// Bytes `start..end` of `file`.
    pub fn new(file: FileId, start: u32, end: u32) -> Self {
        Span { file: file.0, start, end }
    }

    /// The file that the span lies in.
    pub fn file_id(self) -> FileId {
        FileId(self.file)
    }

    /// The smallest span that holds both; spans of different files cannot be joined, the first is kept.
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The empty span at the end, for "expected … here".
    pub fn after(self) -> Span {
        Span { start: self.end, ..self }
    }
}

/// A line and a column as people count them: both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// One file: the name shown to people, the text, and where its lines start.
#[derive(Debug, Clone)]
pub struct SourceFile {
    pub name: String,
    pub text: String,
    line_starts: Vec<u32>,
}

/// All files that were read, in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file and gives it its number. Files beyond 4 GiB are cut by the size limit of the parser long before.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let text = text.into();
        let mut line_starts = vec![0];
        line_starts.extend(text.match_indices('\n').map(|(at, _)| at as u32 + 1));
        let id = FileId(self.files.len() as u32);
        self.files.push(SourceFile { name: name.into(), text, line_starts });
        id
    }

    /// The file with that number.
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// The text of a file, empty where there is none.
    pub fn text(&self, id: FileId) -> &str {
        self.file(id).map_or("", |file| file.text.as_str())
    }

    /// The name of a file, empty where there is none.
    pub fn name(&self, id: FileId) -> &str {
        self.file(id).map_or("", |file| file.name.as_str())
    }

    /// The bytes under a span, empty where the span does not fit.
    pub fn snippet(&self, span: Span) -> &str {
        self.text(span.file_id()).get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Line and column of a byte.
    pub fn position(&self, id: FileId, byte: u32) -> Position {
        let Some(file) = self.file(id) else { return Position { line: 1, column: 1 } };
        let line = file.line_starts.partition_point(|start| *start <= byte).max(1);
        let start = file.line_starts.get(line - 1).copied().unwrap_or(0) as usize;
        let end = file.text.floor_char_boundary(byte as usize).max(start);
        let column = file.text.get(start..end).unwrap_or("").chars().count() + 1;
        Position { line: line as u32, column: column as u32 }
    }

    /// Line and column of a span's start.
    pub fn start(&self, span: Span) -> Position {
        self.position(span.file_id(), span.start)
    }

    /// All files with their numbers.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(at, file)| (FileId(at as u32), file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let mut map = SourceMap::new();
        let id = map.add("a", "规则\nlet 金 = 1\n");
        assert_eq!(map.position(id, 0), Position { line: 1, column: 1 });
        assert_eq!(map.position(id, 3), Position { line: 1, column: 2 });
        assert_eq!(map.position(id, 7), Position { line: 2, column: 1 });
        assert_eq!(map.position(id, 14), Position { line: 2, column: 6 });
        assert_eq!(map.position(id, 4000), Position { line: 3, column: 1 });
        assert_eq!(map.snippet(Span::new(id, 11, 14)), "金");
        assert_eq!(map.snippet(Span::new(id, 1, 4000)), "");
    }
}
