//! Mistakes that many make, with their own words: what is written so in other languages, or nearly so in this one.

use super::keywords::{KEYWORDS, RESERVED, declarations, nearest};
use super::lower;
use super::message::Failure;
use super::scan::{Token, TokenKind};
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;

impl Failure<'_> {
    /// The finding for a known mistake.
    pub fn slip(&self) -> Option<Diagnostic> {
        let found = self.found()?;
        let word = self.text_of(found);
        let span = self.span(found);
        let before = self.before().map_or("", |token| self.text_of(token));
        let before_span = self.before().map_or(span, |token| self.span(token));
        let unit = self.tokens.get(self.next + 1).filter(|_| found.kind == TokenKind::Number);
        if let Some((message, help)) = unit.and_then(|unit| lower::refused(self.text_of(*unit))) {
            let span = unit.map_or(span, |unit| self.span(*unit));
            return Some(Diagnostic::error("E0113", span, message).help(help));
        }
        if let Some((message, help)) = lower::refused(word) {
            return Some(Diagnostic::error("E0113", span, message).help(help));
        }
        let value = self.expected.things.contains(&"a value");
        let sets = self.expected.signs.contains(&"=");
        match (before, word) {
            ("<", ">") => Some(foreign(before_span.to(span), "<>", "is not")),
            ("/", "/") => Some(comment(before_span.to(span))),
            (_, "/") if self.text.get(found.end..).is_some_and(|rest| rest.starts_with('/')) => {
                let second = self.tokens.get(self.next + 1).map_or(span, |token| self.span(*token));
                Some(comment(span.to(second)))
            }
            ("is", "in") => Some(foreign(before_span.to(span), "is in", "in")),
            (_, "=") if sets && self.tokens.get(self.next + 1).is_some_and(|t| self.text_of(*t) == "=") => {
                let second = self.tokens.get(self.next + 1).map_or(span, |token| self.span(*token));
                let found = Diagnostic::error("E0107", second, "`=` stands here twice");
                Some(found.help("delete one").fix(second, ""))
            }
            (_, "==") | ("=", "=") => Some(equals(span, word)),
            (_, "=") if self.expected.operator && !sets => {
                self.field(span, word).or_else(|| Some(equals(span, word)))
            }
            (_, "equals" | "eq" | "等于" | "是") if self.expected.operator => {
                Some(foreign(span, word, "is"))
            }
            (_, "&" | "&&") => Some(foreign(span, word, "and")),
            ("|", "|") if value => {
                let found = Diagnostic::error("E0131", before_span.to(span), "this cell is empty");
                Some(found.help("write `-` if anything fits, `absent` if there must be nothing"))
            }
            (_, "!") => Some(foreign(span, word, "not").certain_if(false)),
            (_, "is") if sets && before != "=" => {
                let found = Diagnostic::error("E0107", span, "`is` compares, it does not set");
                Some(self.with_help(found).fix(span, "="))
            }
            (_, ":") if sets && !self.expected.signs.contains(&":") => {
                let found = Diagnostic::error("E0107", span, "`:` comes before a type; here a value is set");
                Some(found.help("write `name = value`").fix(span, "="))
            }
            ("is", _) if self.expected.keywords.contains(&"conflict") => {
                let found = Diagnostic::error("E0107", before_span, "an expected value stands after `=`");
                let help = "`is` is for `absent`, `undecided`, `conflict`, `faulty`, `unknown`";
                Some(found.help(help).fix(before_span, "="))
            }
            (_, "if" | "not") if value && before != "," => {
                let found = Diagnostic::error("E0107", span, format!("`{word}` needs brackets here"));
                Some(found.help(format!("write `({word} …)`")))
            }
            (_, "¥" | "￥" | "$" | "€" | "£") => {
                let found = Diagnostic::error("E0107", span, format!("`{word}` is no unit of this language"));
                Some(found.help("write the currency by its code, after the number, as in `5 CNY` or `5 EUR`"))
            }
            (_, ";") => {
                let found = Diagnostic::error("E0107", span, "`;` means nothing here");
                let found = found.help("the end of the line ends a declaration; a comma separates");
                let last =
                    self.tokens.get(self.next + 1).is_none_or(|token| token.kind == TokenKind::Newline);
                Some(found.suggest(span, if last { "" } else { "," }).certain_if(last))
            }
            (_, "'" | "‘" | "’" | "”" | "「" | "『" | "《") => {
                let found = Diagnostic::error("E0107", span, format!("`{word}` does not begin a text"));
                Some(found.help("write texts between `\"` and `\"`"))
            }
            (_, ".") if self.looks_like_a_date() => {
                let found = Diagnostic::error("E0107", span, "a date is not written so");
                Some(found.help("write year, month and day: `2026-06-01`"))
            }
            (_, ".") if self.expected.signs.contains(&",") || self.expected.end => Some(
                Diagnostic::error("E0107", span, format!("`{word}` means nothing here")).help("delete it"),
            ),
            (_, "given" | "expect" | "like" | "with")
                if self.tokens.first().is_some_and(|t| self.text_of(*t) == "cases") =>
            {
                let wrong = Diagnostic::error("E0102", span, format!("this `{word}` belongs to no case"));
                Some(wrong.help("begin with `case \"NAME\"`; `cases for …` only heads the file"))
            }
            _ => self
                .one_list(span, word)
                .or_else(|| self.in_list(span, word))
                .or_else(|| self.after_rounding(found, span))
                .or_else(|| self.rate_without_number(found, span, before))
                .or_else(|| self.rate_type(span, word, before))
                .or_else(|| self.other_language(found, span))
                .or_else(|| self.hyphen(found, span))
                .or_else(|| self.field(span, word))
                .or_else(|| self.of_rule(found, span, before))
                .or_else(|| self.misplaced(word, span, before, before_span))
                .or_else(|| spoken(word, span)),
        }
    }

    /// Whether the place of failure is the second point of `1.6.2026`.
    fn looks_like_a_date(&self) -> bool {
        let year = self.tokens.get(self.next + 1).filter(|token| token.kind == TokenKind::Number);
        self.before().is_some_and(|token| token.kind == TokenKind::Number)
            && year.is_some_and(|token| matches!(self.text_of(*token).len(), 2 | 4))
    }

    /// The words and signs before the place of failure, last first.
    pub(super) fn earlier(&self) -> impl Iterator<Item = &str> {
        let earlier = self.tokens.get(..self.next).unwrap_or(&[]);
        let words = earlier.iter().rev().filter(|token| token.kind != TokenKind::Newline);
        words.map(|token| self.text_of(*token))
    }

    /// `for each x in a, b`: a rule runs over one list.
    fn one_list(&self, span: Span, word: &str) -> Option<Diagnostic> {
        let mut earlier = self.earlier();
        let (_, keyword, variable, each) =
            (earlier.next()?, earlier.next()?, earlier.next()?, earlier.next()?);
        if word != "," || keyword != "in" || !matches!(each, "each" | "for") {
            return None;
        }
        let looped = if each == "each" { "for each" } else { "for" };
        let found =
            Diagnostic::error("E0107", span, format!("`{looped} {variable} in …` runs over one list"));
        Some(found.help("write a rule, or a sum, for each of the lists"))
    }

    /// `rebate-used`: a name is one word.
    fn hyphen(&self, found: Token, span: Span) -> Option<Diagnostic> {
        let (before, next) = (self.before()?, self.tokens.get(self.next + 1)?);
        let word = |token: &Token| token.kind == TokenKind::Word && !KEYWORDS.contains(&self.text_of(*token));
        let joined = before.end == found.start && found.end == next.start;
        if self.text_of(found) != "-" || !joined || !word(&before) || !word(next) || self.expected.operator {
            return None;
        }
        let name = format!("{}_{}", self.text_of(before), self.text_of(*next));
        let whole = self.span(before).to(self.span(*next));
        let wrong = Diagnostic::error("E0101", span, "a name is one word, without `-`");
        Some(wrong.help(format!("write `{name}`")).suggest(whole, name))
    }

    /// `line(kind = novel)`: fields and columns take a colon.
    fn field(&self, span: Span, word: &str) -> Option<Diagnostic> {
        let mut earlier = self.earlier();
        let (name, opener) = (earlier.next()?, earlier.next()?);
        let is_word = |text: &str| text.starts_with(|c: char| c.is_alphabetic());
        if word != "=" || !is_word(name) || !matches!(opener, "(" | ",") {
            return None;
        }
        let mut depth = 0usize;
        let mut outer = std::iter::once(opener).chain(earlier);
        while let Some(text) = outer.next() {
            match text {
                ")" | "]" | "}" => depth += 1,
                "(" | "[" | "{" if depth > 0 => depth -= 1,
                "(" => {
                    let of = outer.next().filter(|of| is_word(of) && !RESERVED.contains(of))?;
                    let over = ["sum", "count", "min", "max", "any", "all", "list"].contains(&of);
                    let found = Diagnostic::error("E0107", span, "`=` does not give a field its value");
                    let help = format!("inside `{of}( )` write `{name}: {}`", self.argument());
                    return (!over).then(|| found.help(help).fix(span, ":"));
                }
                "[" | "{" => return None,
                _ => {}
            }
        }
        None
    }

    /// What stands after the sign at hand, up to the next comma or bracket.
    fn argument(&self) -> &str {
        let after = self.tokens.get(self.next + 1..).unwrap_or(&[]);
        let ends = |token: &&Token| matches!(self.text_of(**token), "," | ")" | "]" | "}" | "\n");
        let end = after.iter().find(ends).map_or(self.text.len(), |token| token.start);
        let start = after.first().map_or(end, |token| token.start);
        self.text.get(start..end).unwrap_or("").trim()
    }

    /// What is written wrongly between a rule's name and its effects, after a param's clause, and after `rounded`.
    fn of_rule(&self, found: Token, span: Span, before: &str) -> Option<Diagnostic> {
        let word = self.text_of(found);
        let keywords = &self.expected.keywords;
        let plain = found.kind == TokenKind::Word
            && !KEYWORDS.contains(&word)
            && nearest(word, keywords.iter().copied()).is_none();
        let mut earlier = self.earlier().skip(1);
        let second = earlier.next().unwrap_or("");
        if before == "rounded" && plain {
            let message = format!("`{word}` is not a way to round");
            let wrong = Diagnostic::error("E0101", span, message)
                .help("round `down`, `up`, `half up` or `half even`");
            return Some(match word {
                "floor" => wrong.fix(span, "down"),
                "ceil" | "ceiling" => wrong.fix(span, "up"),
                _ => wrong,
            });
        }
        if matches!(before, "until" | "till" | "up") && keywords.contains(&"may") {
            let wrong = Diagnostic::error("E0107", self.before().map_or(span, |token| self.span(token)), {
                format!("`{before}` is no word of this language")
            });
            return Some(wrong.help("write `through` and the last day, or `before` and the day after it"));
        }
        let clause = before.starts_with('§') && matches!(word, "from" | "before" | "through");
        if clause && matches!(self.tokens.first().map(|t| self.text_of(*t)), Some("param" | "set")) {
            let wrong = Diagnostic::error("E0102", span, "the clause stands after the last dated value");
            return Some(
                wrong.help(format!("write the dates after the value, and `{before}` after the last one")),
            );
        }
        let head = keywords.contains(&"when") && keywords.contains(&"then");
        if !head && !keywords.contains(&"overrides") {
            return None;
        }
        let condition = ["当", "如果", "若", "除非"].iter().any(|c| word.starts_with(c))
            || matches!(word, "unless" | "if" | "where" | "whenever" | "provided" | "once");
        if condition {
            let wrong = Diagnostic::error("E0107", span, "conditions begin with `when`");
            return Some(wrong.help(match word.starts_with("除非") || word == "unless" {
                true => "write `when not (…)` before `then`",
                false => "write `when …`, and `then` after the condition",
            }));
        }
        if second != "rule" || !head {
            return None;
        }
        if found.kind == TokenKind::Number {
            let wrong = Diagnostic::error("E0101", span, "a clause begins with `§`");
            return Some(wrong.help(format!("write `§{word}`")).suggest(span, format!("§{word}")));
        }
        let next = self.tokens.get(self.next + 1).filter(|token| token.kind == TokenKind::Word);
        let (last, end) = match word {
            "-" => (self.text_of(*next?), self.span(*next?)),
            _ if plain => (word, span),
            _ => return None,
        };
        let name = self.before().map_or(span, |token| self.span(token)).to(end);
        let wrong = Diagnostic::error("E0101", name, "a rule's name is one word");
        let joined = format!("{before}_{last}");
        Some(wrong.help(format!("write `{joined}`")).suggest(name, joined))
    }

    /// The right word in the wrong place.
    fn misplaced(&self, word: &str, span: Span, before: &str, before_span: Span) -> Option<Diagnostic> {
        let tail = self.expected.keywords.contains(&"overrides") && !self.expected.keywords.contains(&"then");
        match word {
            "when" if tail => {
                let found = Diagnostic::error("E0102", span, "`when` comes before `then`");
                return Some(found.help("a rule says first when it applies, then what it does"));
            }
            "then" if tail => {
                let found = Diagnostic::error("E0102", span, "a rule has one `then`");
                return Some(found.help("put a comma between the things that it does"));
            }
            "," if self.expected.operator && self.expected.keywords.contains(&"then") => {
                let found = Diagnostic::error("E0107", span, "a comma does not join conditions");
                return Some(found.help("write `and` or `or` between them").suggest(span, " and"));
            }
            "," if !self.expected.signs.contains(&",") => {
                let found = Diagnostic::error("E0107", span, "this comma separates nothing");
                let twice = before == "," && !self.at_line_end();
                return Some(found.help("delete it").suggest(span, "").certain_if(twice));
            }
            _ => {}
        }
        if before == "," && RESERVED.contains(&word) && !self.expected.keywords.contains(&word) {
            let message = format!("after this comma another part must follow, found `{word}`");
            return Some(
                Diagnostic::error("E0101", before_span, message)
                    .help("delete the comma")
                    .suggest(before_span, ""),
            );
        }
        let begins = declarations(self.kind).contains(&word);
        if begins && self.next > 0 && self.expected.end && !self.on_own_line() {
            let found = Diagnostic::error("E0102", span, format!("`{word}` must begin a line"));
            return Some(found.help("put it on a line of its own"));
        }
        None
    }
}

fn foreign(span: Span, word: &str, plain: &str) -> Diagnostic {
    Diagnostic::error("E0107", span, format!("`{word}` is no word of this language"))
        .help(format!("write `{plain}`"))
        .fix(span, plain)
}

fn equals(span: Span, word: &str) -> Diagnostic {
    Diagnostic::error("E0107", span, format!("`{word}` does not compare"))
        .help("`is` compares; `=` sets a value")
        .fix(span, "is")
}

fn comment(span: Span) -> Diagnostic {
    Diagnostic::error("E0107", span, "`/` does not begin a comment")
        .help("a comment begins with `#`")
        .fix(span, "#")
}

/// Words that people say, and that leave open whether the end itself belongs to it.
fn spoken(word: &str, span: Span) -> Option<Diagnostic> {
    let (message, help) = match word {
        "over" | "above" | "exceeds" => ("does not say whether the bound itself counts", "write `>` or `>=`"),
        "under" | "below" => ("does not say whether the bound itself counts", "write `<` or `<=`"),
        "within" => {
            ("does not show the last day", "write `today <= last_day`, or `x in [a..b]` with both ends")
        }
        "between" => (
            "does not show whether the ends belong to it",
            "write `x in [a..b]`, or `(` and `)` for an end that does not",
        ),
        "until" => (
            "does not say whether that day belongs to it",
            "write `through DATE` if it does, `before DATE` if not",
        ),
        "unless" => (
            "is not a word of this language",
            "write `and not …`, or a second rule that `overrides` this one",
        ),
        _ => return None,
    };
    Some(Diagnostic::error("E0107", span, format!("`{word}` {message}")).help(help))
}
