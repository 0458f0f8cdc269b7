//! What the passes share: the findings, the typed vocabulary with its names, and what every policy declares.
//!
//! A name that cannot be resolved gives a value of type [`Ty::Never`], which fits everywhere, so that one cause makes
//! one finding.
use super::modules::Mod;
use super::params::ParamDecl;
use super::roots::Unknown;
use super::rules::RuleDecl;
use super::tables::TableDecl;
use super::vocab::{OutSyn, TypeName, UnitName, Word};
use crate::lang::ast;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::index::Use;
use crate::lang::near::{Near, did_you_mean};
use crate::lang::source::{SourceMap, Span};
use crate::lang::typed::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// A `let` and how far it is.
pub(super) struct LetDecl<'a> {
    pub module: usize,
    pub ast: &'a ast::Let,
    pub state: LetState,
}

/// Lets are typed when first read, so that their order in the text does not matter.
pub(super) enum LetState {
    Waiting,
    Running,
    Done(Expr),
}

/// A loop variable.
pub(super) struct VarInfo {
    pub name: String,
    pub ty: Ty,
    /// Set if it runs over a whole root list.
    pub root: Option<RootId>,
    /// The list that it runs over, for questions about its elements.
    pub list: Option<Expr>,
}

/// What a declaration's name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Let(LetId),
    Param(ParamId),
    Table(TableId),
    Calendar(CalendarId),
    /// Declared, but its text could not be read.
    Broken,
}

/// How far the guard or fallback of an output is.
#[derive(Default)]
pub(super) struct GuardState {
    pub running: bool,
    pub done: bool,
    pub guard: Option<Expr>,
    /// The guard's text in canonical form.
    pub key: Option<String>,
}

/// So many findings come with a guess of what was meant, which has to look at every name there is.
const MOST_EXPLAINED: usize = 100;

/// And so many names are looked at for such guesses, one by one: a text may have tens of thousands of both.
const MOST_COMPARED: usize = 300_000;

/// Everything that the passes read and fill.
pub(super) struct Cx<'a> {
    pub input: &'a super::CheckInput<'a>,
    pub diags: Vec<Diagnostic>,
    /// Which findings there are, by place and code: a text may have tens of thousands.
    told: FxHashMap<(Span, &'static str), Vec<usize>>,
    /// How many names were looked at for what was meant.
    pub compared: usize,
    /// What names mean, place by place, if anybody wants to know.
    pub uses: Option<Vec<Use>>,
    pub vocab: Vocab,
    pub types: FxHashMap<String, TypeName>,
    pub words: FxHashMap<String, Vec<Word>>,
    pub units: FxHashMap<String, UnitName>,
    /// The syntax of outputs, by decision and output.
    pub outs: Vec<Vec<OutSyn<'a>>>,
    pub guards: Vec<Vec<GuardState>>,
    /// Names of vocabulary declarations that could not be read.
    pub broken: FxHashSet<String>,
    /// Some words of enums or taxonomies could not be read: unknown words are not findings of their own.
    pub broken_words: bool,
    /// A declaration without a readable name could not be read: unknown names are not findings of their own.
    pub torn: bool,
    pub mods: Vec<Mod<'a>>,
    pub by_path: BTreeMap<String, Vec<usize>>,
    pub lets: Vec<LetDecl<'a>>,
    pub params: Vec<ParamDecl<'a>>,
    pub tables: Vec<TableDecl<'a>>,
    pub rules: Vec<RuleDecl<'a>>,
    /// Rules by their name and by their group's.
    pub rule_names: FxHashMap<&'a str, Vec<RuleId>>,
    pub vars: Vec<VarInfo>,
    /// Names that were reported because they mean nothing.
    pub unknown: Vec<Unknown>,
    /// Where something was reported because it may be absent, and whether it is an output.
    pub held: Vec<(Span, bool)>,
    /// Calendars of the vocabulary by name.
    pub shared_calendars: Vec<(String, CalendarId)>,
}

/// Where an expression stands: what it may name, and what is known there.
#[derive(Clone, Default)]
pub(super) struct Scope {
    pub module: Option<usize>,
    pub decision: Option<DecisionId>,
    pub vars: Vec<(String, VarId)>,
    /// Fingerprints of values known to be present.
    pub present: Vec<String>,
    /// Fingerprints of conditions known to hold.
    pub assumed: Vec<String>,
    /// Only constants may stand here.
    pub constant: bool,
}

impl<'a> Cx<'a> {
    pub fn new(input: &'a super::CheckInput<'a>) -> Self {
        Cx {
            input,
            diags: Vec::new(),
            told: FxHashMap::default(),
            compared: 0,
            uses: None,
            vocab: Vocab::default(),
            types: FxHashMap::default(),
            words: FxHashMap::default(),
            units: FxHashMap::default(),
            outs: Vec::new(),
            guards: Vec::new(),
            broken: FxHashSet::default(),
            broken_words: false,
            torn: false,
            mods: Vec::new(),
            by_path: BTreeMap::new(),
            lets: Vec::new(),
            params: Vec::new(),
            tables: Vec::new(),
            rules: Vec::new(),
            rule_names: FxHashMap::default(),
            vars: Vec::new(),
            unknown: Vec::new(),
            held: Vec::new(),
            shared_calendars: Vec::new(),
        }
    }

    /// Whether there are more findings than anybody reads: further ones need not say what could be meant.
    pub fn drowned(&self) -> bool {
        self.diags.len() > MOST_EXPLAINED || self.compared > MOST_COMPARED
    }

    pub fn push(&mut self, d: Diagnostic) {
        // The same guard or let can be typed for several rules; the author hears of it once.
        let same = self.told.entry((d.span, d.code)).or_default();
        if !same.iter().any(|i| self.diags.get(*i) == Some(&d)) {
            same.push(self.diags.len());
            self.diags.push(d);
        }
    }

    pub fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        let help = super::words::what_to_do(code);
        self.push(Diagnostic::error(code, span, message).help(help));
    }

    pub fn error_help(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Diagnostic::error(code, span, message).help(help));
    }

    /// Reports a name that means nothing here: with the one that was probably meant, or else with what to do.
    pub fn misspelt(
        &mut self,
        code: &'static str,
        span: Span,
        message: String,
        near: Option<Near>,
        help: impl Into<String>,
    ) {
        self.unknown.push(Unknown { code, span, near: near.as_ref().map(|near| near.name.clone()) });
        let found = Diagnostic::error(code, span, message + &did_you_mean(&near));
        self.push(match near {
            Some(_) => found.offer(span, near),
            None => found.help(help),
        });
    }

    pub fn sources(&self) -> &'a SourceMap {
        self.input.sources
    }

    /// The author's text under a span, shortened for a sentence.
    pub fn text(&self, span: Span) -> String {
        let text = self.sources().snippet(span).split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().count() > 48 {
            format!("{}…", text.chars().take(47).collect::<String>())
        } else {
            text
        }
    }

    pub fn new_var(&mut self, name: &str, ty: Ty, root: Option<RootId>, list: Option<Expr>) -> VarId {
        let id = VarId(self.vars.len() as u32);
        self.vars.push(VarInfo { name: name.to_owned(), ty, root, list });
        id
    }

    pub fn decision(&self, id: DecisionId) -> Option<&Decision> {
        self.vocab.decisions.get(id.ix())
    }

    pub fn output(&self, d: DecisionId, o: OutputId) -> Option<&OutputDef> {
        self.decision(d)?.outputs.get(o.ix())
    }

    pub fn root_by_name(&self, name: &str) -> Option<RootId> {
        let at = self.vocab.roots.binary_search_by(|r| r.name.as_str().cmp(name)).ok()?;
        Some(RootId(at as u32))
    }

    pub fn decision_by_name(&self, name: &str) -> Option<DecisionId> {
        self.vocab.decisions.iter().position(|d| d.name == name).map(|i| DecisionId(i as u32))
    }

    pub fn output_by_name(&self, d: DecisionId, name: &str) -> Option<OutputId> {
        self.decision(d)?.outputs.iter().position(|o| o.name == name).map(|i| OutputId(i as u32))
    }

    /// Whether an unknown `name` may be one that could not be read.
    pub fn excused(&self, name: &str) -> bool {
        self.torn || self.broken.contains(name) || crate::lang::syntax::deceives(name)
    }
}

/// The value that stands for a mistake already reported.
pub(super) fn broken_expr(span: Span) -> Expr {
    Expr { kind: ExprKind::Undecided(Label::default()), ty: Ty::Never, on_step: true, span }
}

/// Whether an expression stands for a mistake already reported, whatever type it has been given since.
pub(super) fn is_broken(e: &Expr) -> bool {
    e.ty == Ty::Never || matches!(&e.kind, ExprKind::Undecided(l) if l.zh.is_none() && l.en.is_none())
}

/// An expression whose step is not yet analysed.
pub(super) fn expr(kind: ExprKind, ty: Ty, span: Span) -> Expr {
    Expr { kind, ty, on_step: true, span }
}

/// `zh "…" en "…"`.
pub(super) fn label(l: &ast::Labels) -> Label {
    Label { zh: l.zh.as_ref().map(|t| t.value.clone()), en: l.en.as_ref().map(|t| t.value.clone()) }
}

/// A question or other text for people, filed under the language that it is written in.
pub(super) fn question(t: &ast::Text) -> Label {
    let is_zh = t.value.chars().any(|c| ('\u{3400}'..='\u{9fff}').contains(&c));
    let text = Some(t.value.clone());
    if is_zh { Label { zh: text, en: None } } else { Label { zh: None, en: text } }
}

/// Days since 1970-01-01.
pub(super) fn days(date: chrono::NaiveDate) -> i32 {
    use chrono::Datelike;
    date.num_days_from_ce() - 719_163
}

/// A day as it is written.
pub(super) fn show_day(day: i32) -> String {
    chrono::NaiveDate::from_num_days_from_ce_opt(day.saturating_add(719_163))
        .map(|d| d.format("%Y-%m-%d").to_string())
        .unwrap_or_default()
}
