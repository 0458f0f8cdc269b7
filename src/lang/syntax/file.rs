//! A file's declarations one after the other, and what to do with those that do not parse.

use super::grammar::{self, Rule};
use super::keywords::{declarations, nearest};
use super::lines::{self, Chunk};
use super::lower::{Lower, P, nfc};
use super::place::Place;
use super::scan::{Token, TokenKind};
use super::{brackets, message};
use crate::lang::ast::{
    Broken, CasesFile, File, FileKind, Header, Item, Module, ModuleKind, Name, Path, PolicyFile, VocabFile,
    VocabItem,
};
use crate::lang::diagnostic::Diagnostic;
use crate::lang::near::is_slip;
use crate::lang::source::{SourceMap, Span};

/// A file without anything in it.
pub fn empty(kind: FileKind) -> File {
    match kind {
        FileKind::Vocabulary => File::Vocabulary(VocabFile::default()),
        FileKind::Policy => File::Policy(PolicyFile::default()),
        FileKind::Cases => File::Cases(CasesFile::default()),
    }
}

/// Reads the declarations of one file.
pub struct Reader<'a> {
    map: &'a SourceMap,
    pub(super) place: Place<'a>,
    pub(super) kind: FileKind,
    tokens: &'a [Token],
    file: File,
    pub(super) found: Vec<Diagnostic>,
    /// Whether it was said that declarations stand before any policy or library.
    headless: bool,
}

/// How many misspelt declaration words are tried in one declaration that does not parse.
const MAX_REPAIRS: usize = 4;

impl<'a> Reader<'a> {
    /// For a file whose folded text was scanned to `tokens`.
    pub fn new(map: &'a SourceMap, place: Place<'a>, kind: FileKind, tokens: &'a [Token]) -> Self {
        Reader { map, place, kind, tokens, file: empty(kind), found: Vec::new(), headless: false }
    }

    /// Reads all.
    pub fn read(mut self) -> (File, Vec<Diagnostic>) {
        for chunk in lines::split(self.kind, self.source(), self.tokens) {
            self.chunk(chunk);
        }
        (self.file, self.found)
    }

    pub(super) fn source(&self) -> &'a str {
        &self.place.folded.text
    }

    pub(super) fn tokens_of(&self, chunk: &Chunk) -> &'a [Token] {
        self.tokens.get(chunk.tokens.clone()).unwrap_or(&[])
    }

    pub(super) fn rule(&self) -> Rule {
        match self.kind {
            FileKind::Vocabulary => Rule::one_vocab,
            FileKind::Policy => Rule::one_policy,
            FileKind::Cases => Rule::one_case,
        }
    }

    fn chunk(&mut self, chunk: Chunk) {
        let tokens = self.tokens_of(&chunk);
        let Some(first) = tokens.iter().find(|token| token.kind != TokenKind::Newline) else { return };
        let rows = matches!(chunk.keyword, Some("table" | "rows"));
        if let Some(wrong) = brackets::check(&self.place, self.source(), tokens) {
            if rows && self.without_bad_rows(&chunk) {
                return;
            }
            // A misspelt declaration further down must not be hidden by it, but guessing has to end somewhere.
            self.found.push(wrong);
            return self.keep_broken(&chunk);
        }
        let text = lines::join(self.source(), tokens, chunk.keyword);
        let start = tokens.first().map_or(first.start, |token| token.start);
        let place = self.place.at(start, None);
        match grammar::parse(self.rule(), &text) {
            Ok(pair) => self.lower(pair, place, &chunk),
            Err(error) => {
                if self.repair(&chunk) || rows && self.without_bad_rows(&chunk) {
                    return;
                }
                let wrong = match chunk.keyword {
                    Some(_) => message::explain(&place, self.kind, &text, &error),
                    None => self.stray(*first),
                };
                // A line that belongs to nothing may have declared anything.
                if let (File::Vocabulary(file), "E0102") = (&mut self.file, wrong.code) {
                    let (keyword, span) = (String::new(), wrong.span);
                    file.broken.push(Broken { keyword, name: None, span });
                }
                self.found.push(wrong);
                self.keep_broken(&chunk);
            }
        }
    }

    /// What stands before the first declaration.
    fn stray(&self, token: Token) -> Diagnostic {
        let words: Vec<String> = declarations(self.kind).iter().map(|word| format!("`{word}`")).collect();
        let span = self.place.file_span(token.start, token.end);
        let shown = token.text(self.source());
        Diagnostic::error("E0102", span, format!("no declaration of this kind of file begins with `{shown}`"))
            .help(format!("a line here begins with one of {}", words.join(", ")))
    }

    /// Looks for a line that begins with a misspelt declaration word, cuts there if the rest then parses, and says so.
    fn repair(&mut self, chunk: &Chunk) -> bool {
        let mut tried = 0;
        let mut line_start = true;
        for at in chunk.tokens.clone() {
            let Some(token) = self.tokens.get(at).copied() else { break };
            let begins = std::mem::replace(&mut line_start, token.kind == TokenKind::Newline);
            if !begins
                || token.kind != TokenKind::Word
                || (at == chunk.tokens.start && chunk.keyword.is_some())
            {
                continue;
            }
            let word = token.text(self.source());
            let Some(meant) = nearest(word, declarations(self.kind).iter().copied()) else { continue };
            tried += 1;
            if tried > MAX_REPAIRS {
                break;
            }
            let rest = Chunk { tokens: at..chunk.tokens.end, keyword: Some(meant) };
            let tokens = self.tokens_of(&rest);
            if brackets::check(&self.place, self.source(), tokens).is_some() {
                continue;
            }
            let joined = lines::join(self.source(), tokens, Some(meant));
            let text = format!("{meant}{}", joined.get(word.len()..).unwrap_or(""));
            let Ok(pair) = grammar::parse(self.rule(), &text) else { continue };
            if at > chunk.tokens.start {
                self.chunk(Chunk { tokens: chunk.tokens.start..at, keyword: chunk.keyword });
            }
            let span = self.place.file_span(token.start, token.end);
            let wrong = Diagnostic::error("E0105", span, format!("`{word}` begins no declaration"));
            let wrong = wrong.help(format!("did you mean `{meant}`?")).suggest(span, meant);
            self.found.push(wrong.certain_if(is_slip(word, meant)));
            let place = self.place.at(token.start, Some((word.len(), meant.len())));
            self.lower(pair, place, &rest);
            return true;
        }
        false
    }

    pub(super) fn lower(&mut self, pair: P<'_>, place: Place<'a>, chunk: &Chunk) {
        let Some(pair) = pair.into_inner().next() else { return };
        let span = place.pair(&pair);
        let mut lower = Lower::new(self.map, place);
        let built = self.declaration(&mut lower, pair, chunk);
        if built.is_none() {
            if lower.found.is_empty() {
                let wrong = Diagnostic::error("E0101", span, "this declaration cannot be read");
                lower.found.push(wrong.help("write it in smaller parts"));
            }
            self.keep_broken(chunk);
        }
        self.found.append(&mut lower.found);
    }

    /// Adds a declaration to the file.
    fn declaration(&mut self, lower: &mut Lower<'_>, pair: P<'_>, chunk: &Chunk) -> Option<()> {
        let span = lower.place.pair(&pair);
        let whole = |lower: &Lower<'_>| (!lower.guessed).then_some(());
        match &mut self.file {
            File::Vocabulary(file) => {
                let item = match pair.as_rule() {
                    Rule::vocabulary | Rule::version => {
                        return vocabulary_head(file, lower, pair, span);
                    }
                    Rule::enum_decl => VocabItem::Enum(lower.enum_decl(pair)?),
                    Rule::taxonomy => VocabItem::Taxonomy(lower.taxonomy(pair)?),
                    Rule::unit_decl => VocabItem::Unit(lower.unit_decl(pair)?),
                    Rule::entity => VocabItem::Entity(lower.entity(pair)?),
                    Rule::fact => VocabItem::Fact(lower.fact(pair)?),
                    Rule::decision => VocabItem::Decision(lower.decision(pair)?),
                    Rule::calendar => VocabItem::Calendar(lower.calendar(pair)?),
                    _ => return None,
                };
                whole(lower)?;
                file.items.push(item);
            }
            File::Policy(file) => {
                let item = match pair.as_rule() {
                    Rule::module => {
                        let module = lower.module(pair)?;
                        whole(lower)?;
                        file.modules.push(module);
                        return Some(());
                    }
                    Rule::let_decl => Item::Let(lower.let_decl(pair)?),
                    Rule::param => Item::Param(lower.param(pair)?),
                    Rule::set_param => Item::Set(lower.set_param(pair)?),
                    Rule::table => Item::Table(lower.table(pair)?),
                    Rule::rows => Item::Rows(lower.rows(pair)?),
                    Rule::rule_decl => Item::Rule(Box::new(lower.rule(pair)?)),
                    Rule::calendar => Item::Calendar(lower.calendar(pair)?),
                    _ => return None,
                };
                whole(lower)?;
                match file.modules.last_mut() {
                    Some(module) => module.items.push(item),
                    // One finding says it for all of them.
                    None if std::mem::replace(&mut self.headless, true) => return Some(()),
                    None => {
                        let word = chunk.keyword.unwrap_or("this");
                        let wrong =
                            Diagnostic::error("E0124", span, format!("this `{word}` belongs to no policy"));
                        lower
                            .found
                            .push(wrong.help("begin with `policy NAME decides DECISION` or `library NAME`"));
                        return None;
                    }
                }
            }
            File::Cases(file) => match pair.as_rule() {
                Rule::cases_head => {
                    let target = pair.into_inner().find(|part| part.as_rule() == Rule::target)?;
                    if file.head.is_some() || !file.cases.is_empty() {
                        let wrong = Diagnostic::error("E0124", span, "`cases for …` heads the file, once");
                        lower
                            .found
                            .push(wrong.help("write `for … at …` on the case, or use a file of its own"));
                    }
                    file.head = Some(lower.target(target)?);
                }
                Rule::background => {
                    let background = lower.background(pair)?;
                    whole(lower)?;
                    file.backgrounds.push(background);
                }
                _ => {
                    let case = lower.case(pair)?;
                    whole(lower)?;
                    file.cases.push(case);
                }
            },
        }
        Some(())
    }

    /// Keeps the name of a declaration that could not be read.
    fn keep_broken(&mut self, chunk: &Chunk) {
        let Some(keyword) = chunk.keyword else { return };
        let tokens: Vec<Token> =
            self.tokens_of(chunk).iter().copied().filter(|token| token.kind != TokenKind::Newline).collect();
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return };
        let span = self.place.file_span(first.start, last.end);
        let binding = first.text(self.source()) == "binding";
        let rest = tokens.get(if binding { 2.. } else { 1.. }).unwrap_or(&[]);
        // `rule by-price` declares what others call `by_price`.
        let parts = rest.iter().enumerate().take_while(|(at, token)| match at % 2 {
            0 => token.kind == TokenKind::Word,
            _ => token.text(self.source()) == "-",
        });
        let whole: String = parts.map(|(_, token)| token.text(self.source())).collect();
        let name = rest.first().and_then(|token| {
            let span = self.place.file_span(token.start, token.end);
            let text = token.text(self.source());
            match token.kind {
                TokenKind::Word => {
                    Some(Name { text: nfc(whole.trim_end_matches('-')).replace('-', "_"), span })
                }
                TokenKind::String => Some(Name { text: text.trim_matches('"').to_owned(), span }),
                _ => None,
            }
        });
        let head = matches!(keyword, "policy" | "library");
        let path = if head { self.broken_path(rest, span) } else { None };
        let broken = Broken { keyword: keyword.to_owned(), name, span };
        match &mut self.file {
            File::Vocabulary(file) => file.broken.push(broken),
            File::Cases(file) => file.broken.push(broken),
            File::Policy(file) => match (path, file.modules.last_mut()) {
                (Some(path), _) => file.modules.push(Module {
                    kind: ModuleKind::Broken,
                    path,
                    header: Header::default(),
                    items: Vec::new(),
                    broken: vec![broken],
                    span,
                }),
                (None, Some(module)) => module.broken.push(broken),
                (None, None) => {}
            },
        }
    }

    /// The dotted name after `policy` or `library`, as far as it goes.
    fn broken_path(&self, tokens: &[Token], whole: Span) -> Option<Path> {
        let mut parts = Vec::new();
        for pair in tokens.chunks(2) {
            let [name, dot @ ..] = pair else { break };
            if name.kind != TokenKind::Word {
                break;
            }
            let span = self.place.file_span(name.start, name.end);
            parts.push(Name { text: nfc(name.text(self.source())), span });
            if dot.first().is_none_or(|dot| dot.text(self.source()) != ".") {
                break;
            }
        }
        if parts.is_empty() {
            parts.push(Name { text: String::new(), span: whole });
        }
        let span = parts.first()?.span.to(parts.last()?.span);
        Some(Path { parts, span })
    }
}

fn vocabulary_head(file: &mut VocabFile, lower: &mut Lower<'_>, pair: P<'_>, span: Span) -> Option<()> {
    let version = match pair.as_rule() {
        Rule::vocabulary => {
            lower.once(file.name.is_some(), span, "`vocabulary`");
            file.name = lower.paths(pair.clone()).pop();
            pair.into_inner().find(|part| part.as_rule() == Rule::version)
        }
        _ => Some(pair),
    };
    if let Some(version) = version {
        lower.once(file.version.is_some(), span, "`version`");
        let number = version.into_inner().find(|part| part.as_rule() == Rule::number)?;
        file.version = Some(lower.number(&number));
    }
    Some(())
}
