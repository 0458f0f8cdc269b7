//! The checker: syntax trees to the typed rulebook, with findings about names, types and meaning.
//!
//! Codes: `E02xx` names, `E03xx` types, `E04xx` meaning, `W05xx` warnings.
mod arith;
mod bounds;
mod calls;
mod cases;
mod cells;
mod csv_rows;
mod cx;
mod decisions;
mod expr;
mod fold;
mod functions;
mod given;
mod lint;
mod listed;
mod literals;
mod loops;
mod member;
mod modules;
mod names;
mod narrow;
mod ops;
mod order;
mod overrides;
mod params;
mod plugins;
mod record;
mod roots;
mod rules;
mod step;
mod tables;
mod unknown;
mod vocab;
mod words;

pub use csv_rows::ReadCsv;
pub use functions::NAMES as FUNCTIONS;
pub use vocab::BUILTIN as TYPES;

use crate::lang::ast;
use crate::lang::diagnostic::{self, Diagnostic};
use crate::lang::index::Index;
use crate::lang::source::{SourceMap, Span};
use crate::lang::typed::*;
use cx::{Cx, LetState, label};
use rustc_hash::FxHashMap;

/// What is checked together.
pub struct RulebookText<'a> {
    pub name: &'a str,
    pub vocabulary: &'a [ast::VocabFile],
    pub policies: &'a [ast::PolicyFile],
    pub cases: &'a [ast::CasesFile],
    /// Layer kinds, most general first.
    pub layers: &'a [String],
    /// Every layer that some store lies in, as (kind, name), each store's own `("store", id)` included.
    pub places: &'a [(String, String)],
    pub read_csv: &'a ReadCsv<'a>,
}

/// What comes of it.
#[derive(Debug, Default)]
pub struct Checked {
    /// `None` if there are errors.
    pub rulebook: Option<Rulebook>,
    /// The cases without errors; meaningful only with a rulebook.
    pub cases: Vec<Case>,
    /// All findings, sorted by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// The input as the passes see it.
struct CheckInput<'a> {
    vocabulary: &'a [ast::VocabFile],
    policies: &'a [ast::PolicyFile],
    cases: &'a [ast::CasesFile],
    layers: &'a [String],
    places: &'a [(String, String)],
    csv: &'a csv_rows::CsvRows,
    sources: &'a SourceMap,
}

/// Checks a rulebook. CSV files are entered into `sources`, so that findings show their lines. What the parser found is
/// not known here: a rulebook whose texts have syntax errors must not be used, even if what could be read of it checks.
pub fn check(text: &RulebookText<'_>, sources: &mut SourceMap) -> Checked {
    run(text, sources, false).0
}

/// As [`check`], and what every name means; the index knows all that could be read, also of a text with errors.
pub fn check_with_index(text: &RulebookText<'_>, sources: &mut SourceMap) -> (Checked, Index) {
    run(text, sources, true)
}

fn run(text: &RulebookText<'_>, sources: &mut SourceMap, indexed: bool) -> (Checked, Index) {
    let mut found = Vec::new();
    let csv = csv_rows::read(text.policies, text.read_csv, sources, &mut found);
    let input = CheckInput {
        vocabulary: text.vocabulary,
        policies: text.policies,
        cases: text.cases,
        layers: text.layers,
        places: text.places,
        csv: &csv,
        sources,
    };
    let mut cx = Cx::new(&input);
    cx.diags = found;
    cx.uses = indexed.then(Vec::new);
    cx.vocabulary();
    cx.modules();
    cx.sort_rules();
    cx.heads();
    for id in 0..cx.lets.len() {
        cx.let_ty(LetId(id as u32), Default::default());
    }
    cx.settings();
    cx.type_rules();
    cx.finish_outputs();
    cx.rows();
    cx.overrides();
    let order = cx.order();
    cx.steps(&order);
    cx.lints();
    let cases = cx.cases();
    cx.roots();
    let mut diagnostics = std::mem::take(&mut cx.diags);
    diagnostic::sort(&mut diagnostics);
    cap(&mut diagnostics);
    let index = if indexed { cx.index() } else { Index::default() };
    let broken = diagnostics.iter().any(Diagnostic::is_error);
    let rulebook = (!broken).then(|| assemble(text.name, text.layers, cx));
    (Checked { rulebook, cases, diagnostics }, index)
}

/// The most errors of one file that are told one by one.
const MAX_FOUND: usize = 200;

/// Keeps a file full of mistakes from drowning the author: further ones are counted only.
fn cap(found: &mut Vec<Diagnostic>) {
    let mut counts: FxHashMap<u32, (usize, Option<Span>)> = FxHashMap::default();
    found.retain(|d| {
        if !d.is_error() {
            return true;
        }
        let (count, first) = counts.entry(d.span.file).or_default();
        *count += 1;
        if *count > MAX_FOUND && first.is_none() {
            *first = Some(d.span);
        }
        *count <= MAX_FOUND
    });
    let more =
        counts.into_values().filter_map(|(count, first)| Some((count.saturating_sub(MAX_FOUND), first?)));
    found.extend(more.map(|(more, span)| {
        let message = format!("{more} more mistakes from here on");
        Diagnostic::error("E0101", span, message).help("mend the first ones, and check again")
    }));
    diagnostic::sort(found);
}

/// Everything typed, as the evaluators read it.
fn assemble(name: &str, layers: &[String], cx: Cx<'_>) -> Rulebook {
    let mut policies: Vec<Policy> = cx
        .mods
        .into_iter()
        .map(|m| Policy {
            path: m.path,
            decides: m.decides,
            title: label(&m.ast.header.title),
            source: m.ast.header.source.as_ref().map(|s| s.value.clone()),
            layer: m.layer,
            dates: m.dates,
            governed_by: m.governed,
            applies_when: m.applies,
            uses: m.uses,
            extends: m.extends,
            rules: Vec::new(),
            span: m.ast.span,
        })
        .collect();
    let mut rules = Vec::new();
    for r in cx.rules {
        let Some(t) = r.typed else { continue };
        if let Some(policy) = policies.get_mut(r.module) {
            policy.rules.push(RuleId(rules.len() as u32));
        }
        rules.push(Rule {
            policy: PolicyId(r.module as u32),
            name: r.ast.name.text.clone(),
            clause: r.ast.clause.as_ref().map(|c| c.text.clone()),
            group: r.ast.group.as_ref().map(|g| g.text.clone()),
            binding: r.ast.binding,
            dates: t.dates,
            for_each: t.for_each,
            guard: t.guard,
            when: t.when,
            effects: t.effects,
            overrides: t.overrides,
            replaces: t.replaces,
            say: label(&r.ast.say),
            span: r.ast.span,
        });
    }
    let lets = cx
        .lets
        .into_iter()
        .filter_map(|l| match l.state {
            LetState::Done(value) => Some(Let {
                policy: PolicyId(l.module as u32),
                name: l.ast.name.text.clone(),
                value,
                span: l.ast.span,
            }),
            _ => None,
        })
        .collect();
    let params = cx
        .params
        .into_iter()
        .map(|p| Param {
            policy: PolicyId(p.module as u32),
            name: p.ast.name.text.clone(),
            clause: p.ast.clause.as_ref().map(|c| c.text.clone()),
            ty: p.ty,
            values: p.values,
            settings: p.settings,
            span: p.ast.span,
        })
        .collect();
    let tables = cx
        .tables
        .into_iter()
        .map(|t| {
            let clause = t.ast.clause.as_ref().map(|c| c.text.clone());
            Table {
                policy: PolicyId(t.module as u32),
                name: t.ast.name.text.clone(),
                clause: clause.clone(),
                params: t.params,
                results: t.cells,
                hit: t.hit,
                own: RowBlock { policy: PolicyId(t.module as u32), clause, rows: t.own },
                extra: t.extra,
                span: t.ast.span,
            }
        })
        .collect();
    Rulebook {
        name: name.to_owned(),
        vocab: cx.vocab,
        layers: layers.to_vec(),
        policies,
        rules,
        lets,
        params,
        tables,
        vars: cx.vars.into_iter().map(|v| v.name).collect(),
    }
}
