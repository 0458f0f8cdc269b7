//! Places as the protocol has them: addresses of files, and lines with columns in the units that were agreed on.
use gen_lsp_types::{Position, PositionEncodingKind, Range, Uri};
use std::path::{Component, Path, PathBuf};

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16,
}

impl Encoding {
    /// Bytes if the client can count them, else what every client can.
    pub(super) fn agreed(offered: Option<&[PositionEncodingKind]>) -> Encoding {
        match offered {
            Some(kinds) if kinds.contains(&PositionEncodingKind::UTF8) => Encoding::Utf8,
            _ => Encoding::Utf16,
        }
    }

    pub(super) fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    fn width(self, c: char) -> usize {
        match self {
            Encoding::Utf8 => c.len_utf8(),
            Encoding::Utf16 => c.len_utf16(),
        }
    }
}

/// A text with where its lines start.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<u32>,
    encoding: Encoding,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str, encoding: Encoding) -> Lines<'t> {
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(at, _)| at as u32 + 1));
        Lines { text, starts, encoding }
    }

    /// The place of a byte; beyond the end, the end.
    pub(super) fn position(&self, byte: u32) -> Position {
        let byte = self.text.floor_char_boundary((byte as usize).min(self.text.len()));
        let line = self.starts.partition_point(|start| *start as usize <= byte).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(0) as usize;
        let before = self.text.get(start..byte).unwrap_or("");
        let character: usize = before.chars().map(|c| self.encoding.width(c)).sum();
        Position { line: line as u32, character: character as u32 }
    }

    /// The place of a range of bytes.
    pub(super) fn range(&self, start: u32, end: u32) -> Range {
        Range { start: self.position(start), end: self.position(end.max(start)) }
    }

    /// The byte of a place; a column beyond its line is the line's end, a line beyond the text is the text's end.
    pub(super) fn byte(&self, at: Position) -> u32 {
        let Some(start) = self.starts.get(at.line as usize).map(|s| *s as usize) else {
            return self.text.len() as u32;
        };
        let line = self.text.get(start..).unwrap_or("").split('\n').next().unwrap_or("");
        let line = line.strip_suffix('\r').unwrap_or(line);
        let mut column = 0;
        for (byte, c) in line.char_indices() {
            if column >= at.character as usize {
                return (start + byte) as u32;
            }
            column += self.encoding.width(c);
        }
        (start + line.len()) as u32
    }
}

/// The path of a `file:` address; `None` for others.
pub(super) fn path_of(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.0.strip_prefix("file://")?;
    // A host, which only names this machine, ends at the path.
    let rest = rest.get(rest.find('/')?..)?;
    let mut bytes = Vec::with_capacity(rest.len());
    let mut left = rest.bytes();
    while let Some(b) = left.next() {
        if b == b'%' {
            let digits = [left.next()?, left.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(b);
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    // `/c:/shop` is a path of Windows.
    let drive =
        text.as_bytes().get(2) == Some(&b':') && text.as_bytes().get(1).is_some_and(u8::is_ascii_alphabetic);
    Some(plain(Path::new(if drive { text.get(1..)? } else { &text })))
}

/// The `file:` address of a path.
pub(super) fn uri_of(path: &Path) -> Uri {
    let text = path.to_string_lossy().replace('\\', "/");
    let mut out = String::from(if text.starts_with('/') { "file://" } else { "file:///" });
    for b in text.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(b as char),
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    Uri(out)
}

/// A path without `.` and `..` where that is plain text, so that one file has one path.
pub(super) fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_what_was_agreed() {
        let text = "let 金额 = 1\r\n𠮷x\n";
        for (encoding, second, third) in [(Encoding::Utf8, 10, 4), (Encoding::Utf16, 6, 2)] {
            let lines = Lines::new(text, encoding);
            assert_eq!(lines.position(10), Position { line: 0, character: second });
            assert_eq!(lines.byte(Position { line: 0, character: second }), 10);
            assert_eq!(lines.position(20), Position { line: 1, character: third });
            assert_eq!(lines.byte(Position { line: 1, character: third }), 20);
            assert_eq!(lines.byte(Position { line: 0, character: 99 }), 14);
            assert_eq!(lines.byte(Position { line: 9, character: 0 }), text.len() as u32);
            // Within a character is its beginning, or its end: never inside.
            assert!(text.is_char_boundary(lines.byte(Position { line: 1, character: 1 }) as usize));
        }
    }

    #[test]
    fn addresses_and_paths() {
        for (uri, path) in [
            ("file:///a/%E6%8E%8C%E6%9F%9C/x%20y.policy", "/a/掌柜/x y.policy"),
            ("file://localhost/a/b/../c.vocab", "/a/c.vocab"),
        ] {
            assert_eq!(path_of(&Uri(uri.into())), Some(PathBuf::from(path)));
        }
        let path = Path::new("/a/掌柜/x y.policy");
        assert_eq!(path_of(&uri_of(path)).as_deref(), Some(path));
        assert_eq!(path_of(&Uri("untitled:Untitled-1".into())), None);
        assert_eq!(path_of(&Uri("file:///a/%zz".into())), None);
    }
}
