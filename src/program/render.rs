//! Outcome to JSON: the one writer, so that equal outcomes are equal bytes.
//!
//! Shape: `decision status outcome needs open because [set_aside] program`, always in this order. What never changes
//! between requests (a rule's citation, the program) is written once, when the program is loaded.
mod open;
mod value;

use crate::lang::typed::*;
use crate::program::link::Linked;
use crate::program::outcome::{Outcome, RowHit, State};
use crate::program::value::Value;
use crate::program::{LANGUAGE, ask, json};
use std::sync::Arc;

pub use open::{conflict_text, fault_text};

/// Why somebody is asked for a fact that they would not be asked for otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The fact, as `needs` names it.
    pub path: String,
    pub zh: String,
    pub en: String,
}

/// Writes the outcomes of one program.
#[derive(Debug, Clone)]
pub struct Renderer {
    linked: Arc<Linked>,
    /// By rule: `"rule":…,"clause":…,"policy":…,"say":{…}`.
    rules: Vec<Box<str>>,
    /// By decision: `{"digest":…,"language":…,"policies":[…]}`.
    programs: Vec<Box<str>>,
}

/// The words for the badness of an outcome or output.
pub fn status(badness: u8) -> &'static str {
    match badness {
        0 => "decided",
        1 => "needs",
        2 => "undecided",
        3 => "conflict",
        _ => "faulty",
    }
}

impl Renderer {
    /// Prepares what is the same in every answer.
    pub fn new(linked: Arc<Linked>) -> Renderer {
        let book = &linked.rulebook;
        let rules = (0..book.rules.len()).map(|i| citation(book, RuleId(i as u32)).into()).collect();
        let programs =
            (0..book.vocab.decisions.len()).map(|i| program(&linked, DecisionId(i as u32)).into()).collect();
        Renderer { rules, programs, linked }
    }

    /// The answer as one JSON object.
    pub fn render(&self, outcome: &Outcome) -> String {
        let mut out = String::with_capacity(1_024);
        self.render_into(&mut out, outcome, None);
        out
    }

    /// Appends the answer; `explanation` is JSON for a last member `"explanation"`.
    pub fn render_into(&self, out: &mut String, outcome: &Outcome, explanation: Option<&str>) {
        self.render_with(out, outcome, explanation, &[]);
    }

    /// A value as answers and facts have it.
    pub fn value(&self, ty: &Ty, value: &Value) -> String {
        let mut out = String::new();
        value::write(&mut out, &self.linked, ty, value);
        out
    }

    /// As [`Renderer::render_into`]; a question for a fact that `whys` speaks of says why it is asked.
    pub fn render_with(&self, out: &mut String, outcome: &Outcome, explanation: Option<&str>, whys: &[Why]) {
        let book = &*self.linked.rulebook;
        let Some(decision) = book.vocab.decisions.get(outcome.decision.ix()) else {
            out.push_str("null");
            return;
        };
        let working = |i: usize| decision.outputs.get(i).is_none_or(|o| o.working);
        out.push_str("{\"decision\":");
        json::string(out, &decision.name);
        out.push_str(",\"status\":\"");
        out.push_str(status(outcome.badness(working)));
        out.push_str("\",\"outcome\":{");
        let mut first = true;
        for (def, state) in decision.outputs.iter().zip(&outcome.outputs) {
            let State::Value(value) = state else { continue };
            if def.working {
                continue;
            }
            if !std::mem::take(&mut first) {
                out.push(',');
            }
            json::string(out, &def.name);
            out.push(':');
            let ty = match def.per {
                Some(_) => Ty::List(Arc::new(def.value_ty())),
                None => def.value_ty(),
            };
            value::write(out, &self.linked, &ty, value);
        }
        out.push_str("},\"needs\":");
        json::list(out, outcome.needs(working), |out, path| {
            let why = whys.iter().find(|why| why.path == path);
            ask::write(out, &book.vocab, &path, why.map(|why| (why.zh.as_str(), why.en.as_str())));
        });
        out.push_str(",\"open\":");
        json::list(out, &outcome.open, |out, open| open::write(out, &self.linked, decision, outcome, open));
        out.push_str(",\"because\":");
        json::list(out, &outcome.because, |out, because| {
            out.push('{');
            out.push_str(self.rules.get(because.rule.ix()).map_or("", |r| r));
            out.push_str(",\"outputs\":");
            json::list(out, &because.outputs, |out, output| {
                json::string(out, output_name(decision, *output))
            });
            out.push_str(",\"rows\":");
            json::list(out, &because.rows, |out, hit| row(out, book, hit));
            out.push('}');
        });
        if !outcome.set_aside.is_empty() {
            out.push_str(",\"set_aside\":");
            json::list(out, &outcome.set_aside, |out, (by, rule)| {
                out.push('{');
                named_rule(out, book, "rule", "clause", *rule);
                out.push(',');
                named_rule(out, book, "by", "by_clause", *by);
                out.push('}');
            });
        }
        out.push_str(",\"program\":");
        out.push_str(self.programs.get(outcome.decision.ix()).map_or("null", |p| p));
        if let Some(explanation) = explanation {
            out.push_str(",\"explanation\":");
            out.push_str(explanation);
        }
        out.push('}');
    }

    /// The program that is rendered.
    pub fn linked(&self) -> &Arc<Linked> {
        &self.linked
    }
}

/// Missing facts with the outputs that wait for them: `[{"fact","ask","options","outputs"}]`.
pub fn questions(out: &mut String, vocab: &Vocab, ranked: &[(String, Vec<&str>)]) {
    json::list(out, ranked, |out, (fact, outputs)| {
        ask::write(out, vocab, fact, None);
        // Into the object just written.
        out.pop();
        out.push_str(",\"outputs\":");
        json::list(out, outputs, |out, name| json::string(out, name));
        out.push('}');
    });
}

fn output_name(decision: &Decision, output: OutputId) -> &str {
    decision.outputs.get(output.ix()).map_or("", |o| o.name.as_str())
}

fn citation(book: &Rulebook, id: RuleId) -> String {
    let mut out = String::new();
    let Some(rule) = book.rules.get(id.ix()) else { return out };
    named_rule(&mut out, book, "rule", "clause", id);
    out.push_str(",\"policy\":");
    json::string(&mut out, book.policies.get(rule.policy.ix()).map_or("", |p| p.path.as_str()));
    out.push_str(",\"say\":");
    if rule.say == Label::default() {
        // Without words of its own, a rule speaks by its policy's title.
        let title = book.policies.get(rule.policy.ix()).map(|p| p.title.clone()).unwrap_or_default();
        json::label(&mut out, &title, &rule.name);
    } else {
        json::label(&mut out, &rule.say, &rule.name);
    }
    out
}

fn named_rule(out: &mut String, book: &Rulebook, name: &str, clause: &str, id: RuleId) {
    json::string(out, name);
    out.push(':');
    json::string(out, &book.rule_id(id));
    out.push(',');
    json::string(out, clause);
    out.push(':');
    json::optional(out, book.rules.get(id.ix()).and_then(|r| r.clause.as_deref()));
}

fn program(linked: &Linked, decision: DecisionId) -> String {
    let policies = linked.rulebook.policies.iter().enumerate();
    let deciding = policies
        .filter(|(i, p)| p.decides == Some(decision) && linked.has_policy(PolicyId(*i as u32)))
        .map(|(_, p)| p.path.as_str());
    let mut paths: Vec<&str> = deciding.collect();
    // Several versions of one policy have one path.
    paths.sort_unstable();
    paths.dedup();
    let mut out = String::from("{\"digest\":");
    json::string(&mut out, &linked.digest);
    out.push_str(",\"language\":");
    json::string(&mut out, LANGUAGE);
    out.push_str(",\"policies\":");
    json::list(&mut out, paths, json::string);
    out.push('}');
    out
}

/// A row that was read: the table, the policy whose rows they are if not the table's own, the number from 1, the clause.
fn row(out: &mut String, book: &Rulebook, hit: &RowHit) {
    let path = |id: PolicyId| book.policies.get(id.ix()).map_or("", |p| p.path.as_str());
    let Some(table) = book.tables.get(hit.table.ix()) else {
        out.push_str("null");
        return;
    };
    let block = block_of(table, hit.block);
    out.push_str("{\"table\":");
    json::string(out, &format!("{}.{}", path(table.policy), table.name));
    if hit.block > 0 {
        out.push_str(",\"rows_of\":");
        json::string(out, block.map_or("", |b| path(b.policy)));
    }
    out.push_str(&format!(",\"row\":{},\"clause\":", u64::from(hit.row) + 1));
    json::optional(out, row_clause(table, hit.block, hit.row));
    out.push('}');
}

fn block_of(table: &Table, block: u32) -> Option<&RowBlock> {
    match block.checked_sub(1) {
        None => Some(&table.own),
        Some(extra) => table.extra.get(extra as usize),
    }
}

/// The clause of a row: its own, else its block's, else the table's.
pub fn row_clause(table: &Table, block: u32, row: u32) -> Option<&str> {
    let block = block_of(table, block);
    let own = block.and_then(|b| b.rows.get(row as usize)).and_then(|r| r.clause.as_deref());
    own.or(block.and_then(|b| b.clause.as_deref())).or(table.clause.as_deref())
}
