//! What to tell the author when a declaration does not fit the grammar.
//!
//! The grammar's own place of failure is nearly always right; its words are fit for nobody. So the message is written
//! anew from what would have fitted there and from what stands there.

use super::grammar::Rule;
use super::keywords::{KEYWORDS, declarations, nearest};
use super::lower;
use super::place::Place;
use super::scan::{Token, TokenKind, scan};
use crate::lang::ast::FileKind;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;
use pest::error::{Error, ErrorVariant, InputLocation};

/// What would have fitted at the place of failure.
#[derive(Debug, Default)]
struct Expected {
    keywords: Vec<&'static str>,
    signs: Vec<&'static str>,
    things: Vec<&'static str>,
    operator: bool,
    end: bool,
}

/// The finding for a declaration (`text`, as it was given to the grammar) that did not parse.
pub fn explain(place: &Place<'_>, kind: FileKind, text: &str, error: &Error<Rule>) -> Diagnostic {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
        let span = place.span(0, text.find('\n').unwrap_or(text.len()));
        return Diagnostic::error("E0112", span, "this declaration is too long or nests too deep to be read")
            .help("divide it; long tables belong in a CSV file");
    };
    let expected = Expected::new(positives);
    let tokens = scan(text);
    let next = tokens.partition_point(|token| token.end <= at);
    let failure = Failure { place, kind, text, tokens: &tokens, next, expected };
    failure.known().or_else(|| failure.misspelt()).unwrap_or_else(|| failure.plain())
}

/// Everything that a message is made from.
struct Failure<'a> {
    place: &'a Place<'a>,
    kind: FileKind,
    text: &'a str,
    tokens: &'a [Token],
    /// The token at the place of failure; line breaks are tokens.
    next: usize,
    expected: Expected,
}

impl Failure<'_> {
    fn found(&self) -> Option<Token> {
        self.tokens.get(self.next).copied()
    }

    /// Whether the text ends its line at the place of failure.
    fn at_line_end(&self) -> bool {
        self.found().is_none_or(|token| token.kind == TokenKind::Newline)
    }

    fn before(&self) -> Option<Token> {
        let earlier = self.tokens.get(..self.next).unwrap_or(&[]);
        earlier.iter().rev().find(|token| token.kind != TokenKind::Newline).copied()
    }

    /// The first word of the next line, if the failure is at a line's end.
    fn next_line(&self) -> Option<Token> {
        let later = self.tokens.get(self.next..).unwrap_or(&[]);
        later.iter().find(|token| token.kind != TokenKind::Newline).copied()
    }

    fn text_of(&self, token: Token) -> &str {
        token.text(self.text)
    }

    fn span(&self, token: Token) -> Span {
        self.place.span(token.start, token.end)
    }

    /// Mistakes that many make, with their own words.
    fn known(&self) -> Option<Diagnostic> {
        let found = self.found()?;
        let word = self.text_of(found);
        let span = self.span(found);
        let before = self.before().map_or("", |token| self.text_of(token));
        if let Some((message, help)) = lower::refused(word) {
            return Some(Diagnostic::error("E0113", span, message).help(help));
        }
        match word {
            "=" | "==" if self.expected.operator || before == "=" => {
                let found = Diagnostic::error("E0107", span, format!("`{word}` does not compare"));
                return Some(found.help("`is` compares; `=` sets a value").suggest(span, "is"));
            }
            "&" | "&&" | "||" | "!" => {
                let plain = match word {
                    "||" => "or",
                    "!" => "not",
                    _ => "and",
                };
                let found = Diagnostic::error("E0107", span, format!("`{word}` is no word of this language"));
                return Some(found.help(format!("write `{plain}`")).suggest(span, plain));
            }
            ";" => {
                let found = Diagnostic::error("E0107", span, "`;` means nothing here");
                return Some(
                    found
                        .help("the end of the line ends a declaration; a comma separates")
                        .suggest(span, ","),
                );
            }
            "'" | "‘" | "’" | "”" | "「" | "『" | "《" => {
                let found = Diagnostic::error("E0107", span, format!("`{word}` does not begin a text"));
                return Some(found.help("write texts between `\"` and `\"`"));
            }
            "|" if before == "|" && self.expected.things.contains(&"a value") => {
                let gap = self.before().map_or(span, |token| self.span(token).to(span));
                let found = Diagnostic::error("E0131", gap, "this cell is empty");
                return Some(found.help("write `-` if anything fits, `absent` if there must be nothing"));
            }
            "。" | "." if self.expected.signs.contains(&",") || self.expected.end => {
                return Some(
                    Diagnostic::error("E0107", span, format!("`{word}` means nothing here"))
                        .help("delete it"),
                );
            }
            _ => {}
        }
        if self.expected.operator
            && found.kind == TokenKind::Word
            && matches!(word, "equals" | "eq" | "等于" | "是")
        {
            let found = Diagnostic::error("E0107", span, format!("`{word}` is no word of this language"));
            return Some(found.help("`is` compares").suggest(span, "is"));
        }
        if found.kind == TokenKind::Word
            && declarations(self.kind).contains(&word)
            && self.next > 0
            && self.expected.end
        {
            let found = Diagnostic::error("E0102", span, format!("`{word}` must begin a line"));
            return Some(found.help("put it on a line of its own"));
        }
        None
    }

    /// A word that is nearly the one that belongs here, or the word before it, if that was taken for a name or unit.
    fn misspelt(&self) -> Option<Diagnostic> {
        let here = if self.at_line_end() { self.next_line() } else { self.found() };
        let taken = self.before();
        [here, taken].into_iter().flatten().find_map(|token| {
            let word = self.text_of(token);
            if token.kind != TokenKind::Word || KEYWORDS.contains(&word) {
                return None;
            }
            let meant = nearest(word, self.expected.keywords.iter().copied())?;
            let span = self.span(token);
            let found = Diagnostic::error("E0105", span, format!("`{word}` does not fit here"));
            Some(found.help(format!("did you mean `{meant}`?")).suggest(span, meant))
        })
    }

    fn plain(&self) -> Diagnostic {
        let wanted = self.expected.list();
        if self.at_line_end() {
            // Either the declaration was complete and a line follows that belongs to nothing, or something is missing.
            if let Some(stray) = self.next_line().filter(|_| self.expected.end) {
                let message = format!("a line cannot begin with `{}` here", self.text_of(stray));
                let words: Vec<String> =
                    declarations(self.kind).iter().map(|word| format!("`{word}`")).collect();
                let help = format!(
                    "a line goes on after a comma or an operator; a declaration begins with {}",
                    join(&words)
                );
                return Diagnostic::error("E0102", self.span(stray), message).help(help);
            }
            let span = self.before().map_or(self.place.span(0, 0), |token| self.span(token).after());
            let message = format!("the line ends too early: expected {wanted}");
            return self.with_help(Diagnostic::error("E0101", span, message).label("after this"));
        }
        let Some(found) = self.found() else {
            return Diagnostic::error("E0101", self.place.span(0, 0), format!("expected {wanted}"));
        };
        let shown = self.text_of(found);
        let span = self.span(found);
        if KEYWORDS.contains(&shown) && self.expected.only_name() {
            let found = Diagnostic::error(
                "E0106",
                span,
                format!("`{shown}` is a word of the language and cannot be a name here"),
            );
            return found.help("choose another name");
        }
        if self.expected.end && wanted.is_empty() {
            return Diagnostic::error("E0101", span, format!("nothing may follow here, found `{shown}`"))
                .help("begin a new line with the next declaration");
        }
        self.with_help(Diagnostic::error("E0101", span, format!("expected {wanted}, found `{shown}`")))
    }

    fn with_help(&self, found: Diagnostic) -> Diagnostic {
        let help = if self.expected.keywords.contains(&"then") && !self.expected.keywords.contains(&"else") {
            "a rule says `when` it applies and `then` what it does"
        } else if self.expected.signs.contains(&"|") {
            "a row begins and ends with `|`"
        } else if self.expected.keywords == ["else"] {
            "every `if` has a `then` and an `else`"
        } else if self.expected.things.contains(&"a value") {
            "something is missing: a name, a number, a text, or brackets"
        } else {
            return found;
        };
        found.help(help)
    }
}

impl Expected {
    fn new(positives: &[Rule]) -> Self {
        let mut expected = Expected::default();
        for rule in positives {
            expected.add(*rule);
        }
        expected.keywords.sort_unstable();
        expected.keywords.dedup();
        expected
    }

    fn add(&mut self, rule: Rule) {
        match rule {
            Rule::EOI | Rule::end => self.end = true,
            Rule::kw_and
            | Rule::kw_or
            | Rule::kw_is
            | Rule::kw_otherwise
            | Rule::kw_rounded
            | Rule::kw_in
            | Rule::kw_not
            | Rule::op_compare
            | Rule::op_sum
            | Rule::op_product
            | Rule::compare_tail
            | Rule::rounding
            | Rule::kw_per
            | Rule::percent
            | Rule::unit_word => {
                self.operator = true;
                if rule == Rule::kw_in {
                    self.keywords.push("in");
                }
            }
            Rule::comma | Rule::sep => push(&mut self.signs, ","),
            Rule::colon => push(&mut self.signs, ":"),
            Rule::bar | Rule::row => push(&mut self.signs, "|"),
            Rule::arrow => push(&mut self.signs, "->"),
            Rule::dots | Rule::interval_tail => push(&mut self.signs, ".."),
            Rule::op_set | Rule::effect_op => push(&mut self.signs, "="),
            Rule::rparen => push(&mut self.signs, ")"),
            Rule::rbracket => push(&mut self.signs, "]"),
            Rule::lbrace | Rule::node_block => push(&mut self.signs, "{"),
            Rule::rbrace => push(&mut self.signs, "}"),
            Rule::lparen | Rule::params | Rule::call | Rule::setting_args => push(&mut self.signs, "("),
            Rule::op_less => push(&mut self.signs, "<"),
            Rule::question => {}
            Rule::name
            | Rule::path
            | Rule::word
            | Rule::reference
            | Rule::enum_value
            | Rule::node_leaf
            | Rule::node_branch
            | Rule::param_decl
            | Rule::entity_field
            | Rule::listed => push(&mut self.things, "a name"),
            Rule::output | Rule::enum_short | Rule::arg | Rule::setting | Rule::effect => {
                push(&mut self.things, "a name")
            }
            Rule::string | Rule::quote_end | Rule::str_body => push(&mut self.things, "a text in quotes"),
            Rule::clause | Rule::clause_text => push(&mut self.things, "a clause `§…`"),
            Rule::date => push(&mut self.things, "a date like `2026-07-01`"),
            Rule::number | Rule::quantity => push(&mut self.things, "a number"),
            Rule::type_ref | Rule::type_outer => push(&mut self.things, "a type"),
            Rule::expr
            | Rule::choice
            | Rule::branch
            | Rule::logic
            | Rule::negation
            | Rule::comparison
            | Rule::sum
            | Rule::product
            | Rule::fallback
            | Rule::unary
            | Rule::atom
            | Rule::op_neg
            | Rule::amount
            | Rule::paren
            | Rule::lbracket
            | Rule::bracket
            | Rule::braces
            | Rule::between
            | Rule::undecided
            | Rule::kw_yes
            | Rule::kw_no
            | Rule::kw_absent
            | Rule::kw_undecided
            | Rule::kw_days
            | Rule::kw_months
            | Rule::kw_years
            | Rule::kw_hours
            | Rule::cell
            | Rule::cell_item
            | Rule::cell_any
            | Rule::dated
            | Rule::default => {
                push(&mut self.things, "a value");
            }
            _ => self.keywords.extend(first_words(rule)),
        }
    }

    /// Whether a name, and nothing else, fits.
    fn only_name(&self) -> bool {
        self.keywords.is_empty() && self.things == ["a name"]
    }

    /// The expected things in words. Operators are named only where nothing else is: they fit nearly everywhere.
    fn list(&self) -> String {
        let mut all: Vec<String> = Vec::new();
        let value = self.things.contains(&"a value");
        for thing in &self.things {
            // A value may be a name, a number, a text, a date …
            if *thing == "a value" || !value || *thing == "a clause `§…`" {
                all.push((*thing).to_owned());
            }
        }
        let words = self.keywords.iter().filter(|word| !(self.operator && **word == "in"));
        all.extend(words.map(|word| format!("`{word}`")));
        all.extend(self.signs.iter().filter(|_| !value).map(|sign| format!("`{sign}`")));
        if all.is_empty() && self.operator {
            all.push("an operator".to_owned());
        }
        all.truncate(9);
        join(&all)
    }
}

fn push(list: &mut Vec<&'static str>, item: &'static str) {
    if !list.contains(&item) {
        list.push(item);
    }
}

fn join(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [many @ .., last] => format!("{} or {last}", many.join(", ")),
    }
}

/// The words that a clause begins with; a keyword's own word.
fn first_words(rule: Rule) -> Vec<&'static str> {
    let name = format!("{rule:?}");
    if let Some(word) = name.strip_prefix("kw_") {
        return KEYWORDS.iter().copied().filter(|keyword| *keyword == word).collect();
    }
    let words: &[&'static str] = match rule {
        Rule::when => &["when"],
        Rule::then => &["then"],
        Rule::tail => &["overrides", "replaces", "say"],
        Rule::dates => &["from", "before", "through"],
        Rule::for_each | Rule::for_in | Rule::over | Rule::target => &["for"],
        Rule::where_tail => &["where"],
        Rule::group => &["in"],
        Rule::labels | Rule::label => &["zh", "en"],
        Rule::header => &[
            "title", "source", "layer", "from", "governed", "applies", "uses", "extends", "rounding",
            "before", "through",
        ],
        Rule::hit => &["unique", "first", "nearest", "steps", "collect"],
        Rule::file_ref => &["file"],
        Rule::mode => &["down", "up", "half"],
        Rule::fact_from => &["from"],
        Rule::given_names | Rule::given => &["given"],
        Rule::output_each => &["each"],
        Rule::output_mode => &["one", "max", "min", "sum", "all", "each"],
        Rule::better => &["better"],
        Rule::guard => &["if"],
        Rule::calendar_entry => &["closed", "open"],
        Rule::like => &["like"],
        Rule::with => &["with"],
        Rule::expect => &["expect"],
        Rule::needs => &["needs"],
        Rule::by => &["by", "not"],
        Rule::weight => &["by"],
        Rule::state => &["absent", "undecided", "conflict", "faulty", "unknown"],
        Rule::may_set => &["may"],
        Rule::version => &["version"],
        Rule::vocabulary => &["vocabulary"],
        _ => &[],
    };
    words.to_vec()
}
