//! Writing the many forms of an input method as the one plain form that the grammar knows, spans kept.
//!
//! Outside strings and clauses: full-width letters, digits and punctuation become ASCII, `≥ ≤ ≠ 且 或 非` become their
//! operators, odd blanks become blanks, comments become blanks. Strings keep their bytes.

use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::{FileId, Span};

/// Folded text, with the way back to the file.
#[derive(Debug, Default)]
pub struct Folded {
    pub text: String,
    /// (byte here, byte in the file), ascending; bytes between two entries run in step.
    segments: Vec<(u32, u32)>,
    /// Comments, as bytes of the file, from the `#` to the end of the line.
    pub comments: Vec<(u32, u32)>,
}

impl Folded {
    /// The place in the file of a byte of the folded text.
    pub fn origin(&self, at: usize) -> u32 {
        let at = at as u32;
        let next = self.segments.partition_point(|(here, _)| *here <= at);
        let (here, there) = next.checked_sub(1).and_then(|i| self.segments.get(i)).copied().unwrap_or((0, 0));
        let limit = self.segments.get(next).map_or(u32::MAX, |(_, there)| *there);
        (there + (at - here)).min(limit)
    }
}

/// What the folding is in the middle of.
enum State {
    Plain,
    Comment,
    Clause,
    /// The sign that closes the string, and how many of its kind were opened within.
    String {
        close: char,
        depth: u32,
    },
}

/// Folds a file. Findings: characters that must not stand in a file.
pub fn fold(file: FileId, source: &str) -> (Folded, Vec<Diagnostic>) {
    let mut folding =
        Folding { file, out: Folded::default(), found: Vec::new(), last_hidden_line: None, line: 0 };
    folding.out.text.reserve(source.len());
    folding.run(source);
    (folding.out, folding.found)
}

struct Folding {
    file: FileId,
    out: Folded,
    found: Vec<Diagnostic>,
    line: u32,
    last_hidden_line: Option<u32>,
}

impl Folding {
    fn run(&mut self, source: &str) {
        let mut state = State::Plain;
        let mut chars = source.char_indices().peekable();
        let mut before = '\n';
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            if c == '\n' {
                self.line += 1;
                state = State::Plain;
            }
            if is_bidi(c) {
                self.hidden(at, c, "E0103");
                self.put(at, c, " ");
                continue;
            }
            match state {
                State::Plain => state = self.plain(at, c, before, next),
                State::Comment => {
                    if let Some((_, end)) = self.out.comments.last_mut() {
                        *end = (at + c.len_utf8()) as u32;
                    }
                    self.blank(at, c);
                }
                State::Clause => {
                    if is_blank(c) {
                        state = State::Plain;
                        self.put(at, c, " ");
                    } else {
                        self.keep(at, c);
                        if c == '"' {
                            state = State::String { close: '"', depth: 0 };
                        }
                    }
                }
                State::String { close, depth } => {
                    if c == '\\' {
                        self.keep(at, c);
                        if let Some((at, escaped)) =
                            chars.next_if(|(_, next)| *next != '\n' && !is_bidi(*next))
                        {
                            self.keep(at, escaped);
                        }
                    } else if c == close && depth == 0 {
                        self.put(at, c, "\"");
                        state = State::Plain;
                    } else {
                        state = State::String { close, depth: self.in_string(at, c, close, depth) };
                    }
                }
            }
            before = c;
        }
        self.mark(source.len());
    }

    /// A character within a string. Between curly quotes a plain quote, and a curly pair, belong to the text.
    fn in_string(&mut self, at: usize, c: char, close: char, depth: u32) -> u32 {
        let curly = close == '”';
        match c {
            '"' if curly => self.put(at, c, "'"),
            '\n' => self.keep(at, c),
            _ => self.keep(at, c),
        }
        match c {
            '“' if curly => depth + 1,
            '”' if curly => depth.saturating_sub(1),
            _ => depth,
        }
    }

    fn plain(&mut self, at: usize, c: char, before: char, next: Option<char>) -> State {
        let whole = !is_word(before) && !next.is_some_and(is_word);
        match c {
            '"' | '＂' | '“' => {
                self.put(at, c, "\"");
                let close = match c {
                    '“' => '”',
                    other => other,
                };
                return State::String { close, depth: 0 };
            }
            '#' | '＃' => {
                self.out.comments.push((at as u32, (at + c.len_utf8()) as u32));
                self.blank(at, c);
                return State::Comment;
            }
            '§' => {
                self.keep(at, c);
                return State::Clause;
            }
            '≥' => self.put(at, c, ">="),
            '≤' => self.put(at, c, "<="),
            '≠' => self.put(at, c, "!="),
            '→' => self.put(at, c, "->"),
            '、' => self.put(at, c, ","),
            '。' => self.put(at, c, "."),
            '且' if whole => self.put(at, c, "and"),
            '或' if whole => self.put(at, c, "or"),
            '非' if whole => self.put(at, c, "not"),
            '\u{3000}' | '\u{A0}' => self.put(at, c, " "),
            '\u{FEFF}' if at == 0 => self.put(at, c, " "),
            '\u{FF01}'..='\u{FF5E}' => {
                let plain = char::from_u32(c as u32 - 0xFEE0).unwrap_or(' ');
                self.put(at, c, plain.encode_utf8(&mut [0; 4]));
            }
            '\n' | '\r' | '\t' => self.keep(at, c),
            _ if is_invisible(c) => {
                self.hidden(at, c, "E0104");
                // Within a word it is as good as not there; a control sign may stand for a blank.
                let within = is_word(before) && next.is_some_and(is_word) && !c.is_control();
                self.put(at, c, if within { "" } else { " " });
            }
            _ => self.keep(at, c),
        }
        State::Plain
    }

    fn keep(&mut self, _at: usize, c: char) {
        self.out.text.push(c);
    }

    /// Blanks of the same length.
    fn blank(&mut self, at: usize, c: char) {
        if c == '\n' {
            return self.keep(at, c);
        }
        for _ in 0..c.len_utf8() {
            self.out.text.push(' ');
        }
    }

    fn put(&mut self, at: usize, c: char, as_: &str) {
        if as_.len() == c.len_utf8() {
            self.out.text.push_str(as_);
            return;
        }
        self.mark(at);
        self.out.text.push_str(as_);
        self.mark(at + c.len_utf8());
    }

    fn mark(&mut self, origin: usize) {
        let entry = (self.out.text.len() as u32, origin as u32);
        if self.out.segments.last() != Some(&entry) {
            self.out.segments.push(entry);
        }
    }

    /// One finding per line: a pasted line may hold many.
    fn hidden(&mut self, at: usize, c: char, code: &'static str) {
        if self.last_hidden_line == Some(self.line) {
            return;
        }
        self.last_hidden_line = Some(self.line);
        let span = Span::new(self.file, at as u32, (at + c.len_utf8()) as u32);
        let message = match code {
            "E0103" => {
                format!("a hidden sign (U+{:04X}) changes the order in which this line is shown", c as u32)
            }
            _ => format!("a sign that cannot be seen (U+{:04X}) stands here", c as u32),
        };
        self.found.push(
            Diagnostic::error(code, span, message)
                .help("delete it; retyping the line by hand does so")
                .suggest(span, "")
                // What changes the order of a line should be seen by the one who deletes it; a control sign may stand for
                // a blank.
                .certain_if(code == "E0104" && !c.is_control()),
        );
    }
}

/// Characters that reorder what is shown: a reviewer would read another text than the program does.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{061C}')
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}' | '\u{2028}' | '\u{2029}')
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{3000}' | '\u{A0}')
}

/// Whether a character goes on a word.
pub fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(source: &str) -> Folded {
        fold(FileId(0), source).0
    }

    #[test]
    fn full_width_forms_become_plain_outside_strings() {
        let out = folded("ｌｅｔ　ａ＝ｂ　且　（ｃ≥３００）“他说“好””＂，＂");
        assert_eq!(out.text, "let a=b and (c>=300)\"他说“好”\"\"，\"");
        assert_eq!(folded("a且b 非 c、d").text, "a且b not c,d");
        assert_eq!(folded("x # 备注（\n§三（一）2 （").text, "x            \n§三（一）2 (");
    }

    #[test]
    fn places_lead_back_to_the_file() {
        let source = "＃a\nｘ≥“é”, y";
        let out = folded(source);
        for (at, c) in out.text.char_indices().filter(|(_, c)| !c.is_whitespace()) {
            let origin = out.origin(at) as usize;
            let there = source.get(origin..).and_then(|rest| rest.chars().next()).unwrap_or('=');
            let same = there == c || matches!((c, there), ('x', 'ｘ') | ('>', '≥') | ('"', '“' | '”'));
            assert!(same || c == '=', "{c} from {there}");
        }
        assert_eq!(out.origin(out.text.len()) as usize, source.len());
    }

    #[test]
    fn hidden_signs_are_refused() {
        let (_, found) = fold(FileId(0), "let a = \"x\u{202E}y\"\nlet\u{200B} b = 1\n");
        let codes: Vec<_> = found.iter().map(|it| it.code).collect();
        assert_eq!(codes, ["E0103", "E0104"]);
    }
}
