//! Typed rulebook to register code, per decision.
//!
//! The code covers the path on which everything that is read is a value or absent; whatever else happens leaves it, and
//! the reference walk decides on the same facts. So a construct that is not lowered yet costs speed, never truth.
mod builder;
mod call;
mod canon;
mod cond;
mod effect;
mod expr;
mod functions;
mod lines;
mod list;
mod lookup;
mod number;
mod output;
mod rules;

use crate::lang::typed::visit::parts;
use crate::lang::typed::*;
use crate::program::code::*;
use crate::program::facts::Facts;
use crate::program::limits::Limits;
use crate::program::link::Linked;
use crate::program::outcome::Outcome;
use crate::program::vm::{self, Exit, Frame};
use crate::program::walk;
use builder::{Builder, Gap, OutVal, Val};
use rustc_hash::FxHashMap;
use std::fmt::Write;
use std::sync::Arc;

/// A store's program, compiled. Shared by all threads; each brings its own [`Frame`].
#[derive(Debug)]
pub struct Compiled {
    linked: Arc<Linked>,
    /// By [`DecisionId`]: the code, or why there is none.
    decisions: Vec<Result<Code, Vec<String>>>,
    /// By [`FactCallId`]; of roots the layout keeps them.
    call_limits: Vec<Option<Limits>>,
}

impl Compiled {
    /// Compiles every decision of a program.
    pub fn new(linked: Arc<Linked>) -> Compiled {
        let decisions = (0..linked.rulebook.vocab.decisions.len())
            .map(|d| compile(&linked, DecisionId(d as u32)))
            .collect();
        let calls = &linked.rulebook.vocab.fact_calls;
        let call_limits = calls.iter().map(|f| f.bounds.as_ref().map(|b| Limits::new(&f.ty, b))).collect();
        Compiled { linked, decisions, call_limits }
    }

    /// What the values of a fact with arguments must keep.
    pub(crate) fn call_limits(&self, fact: FactCallId) -> Option<&Limits> {
        self.call_limits.get(fact.ix())?.as_ref()
    }

    /// The program that was compiled.
    pub fn linked(&self) -> &Arc<Linked> {
        &self.linked
    }

    /// The code of a decision, if it is compiled.
    pub fn code(&self, decision: DecisionId) -> Option<&Code> {
        self.decisions.get(decision.ix())?.as_ref().ok()
    }

    /// Why a decision runs on the reference walk; empty if it is compiled.
    pub fn reasons(&self, decision: DecisionId) -> &[String] {
        match self.decisions.get(decision.ix()) {
            Some(Err(reasons)) => reasons,
            _ => &[],
        }
    }

    /// The fast path: on success the frame holds the answer (see [`Compiled::outcome`]), otherwise the reference walk must
    /// decide on the same facts. A frame that has run once does not allocate again.
    #[inline]
    pub fn run(&self, decision: DecisionId, facts: &Facts, frame: &mut Frame) -> Result<(), Exit> {
        match self.decisions.get(decision.ix()) {
            Some(Ok(code)) => vm::run(code, &self.linked, facts, frame),
            _ => Err(Exit::NotCompiled),
        }
    }

    /// What a successful run over these facts answered.
    pub fn outcome(&self, decision: DecisionId, facts: &Facts, frame: &Frame) -> Option<Outcome> {
        let code = self.code(decision)?;
        Some(vm::outcome(code, &self.linked, decision, facts, frame))
    }

    /// Decides: by the code, or by the walk where the code leaves off.
    pub fn evaluate(&self, decision: DecisionId, facts: &Facts, frame: &mut Frame) -> Outcome {
        if self.run(decision, facts, frame).is_ok()
            && let Some(outcome) = self.outcome(decision, facts, frame)
        {
            return outcome;
        }
        walk::evaluate(&self.linked, decision, facts)
    }

    /// The code of every decision, or why it runs on the walk, for `explain --program`.
    pub fn describe(&self) -> String {
        let mut text = String::new();
        for (decision, def) in self.decisions.iter().zip(&self.linked.rulebook.vocab.decisions) {
            // Writing to a string cannot fail.
            let _ = match decision {
                Ok(code) => writeln!(text, "{}: compiled, {code}", def.name),
                Err(reasons) => writeln!(text, "{}: on the walk: {}", def.name, reasons.join("; ")),
            };
        }
        text
    }
}

fn compile(linked: &Linked, decision: DecisionId) -> Result<Code, Vec<String>> {
    let Some(def) = linked.rulebook.vocab.decisions.get(decision.ix()) else {
        return Err(vec!["an unknown decision".into()]);
    };
    if linked.looks_back(decision) {
        return Err(vec!["`previous`, which looks back along a list".into()]);
    }
    let mut reasons = Vec::new();
    let mut b = Builder::new(linked, decision);
    let mut places = FxHashMap::default();
    for &id in &def.order {
        match b.output(id) {
            Ok(value) => {
                let place = match value {
                    OutVal::Plain(Val::Reg(r) | Val::Mask(r)) => OutPlace::Reg(r),
                    OutVal::Plain(Val::Frac(q)) => OutPlace::Fraction(q),
                    OutVal::Lines { start, len, fractions } => OutPlace::Lines { start, len, fractions },
                    OutVal::Records { entity, present } => OutPlace::Records { entity, present },
                    OutVal::Plain(_) => {
                        reasons.push("an output that is a list".into());
                        continue;
                    }
                };
                places.insert(id, place);
            }
            Err(Gap(reason)) => reasons.push(reason),
        }
    }
    for linked in linked.rules(decision) {
        // Every condition is evaluated: even a rule without effects hits rows that others may owe their answer to.
        if b.book.rules.get(linked.rule.ix()).is_some_and(|r| r.effects.is_empty())
            && let Err(Gap(reason)) = b.applicable(linked.rule)
        {
            reasons.push(reason);
        }
    }
    b.emit(Inst::Halt);
    for linked in linked.rules(decision) {
        if let Some(rule) = b.book.rules.get(linked.rule.ix()) {
            let lets = lets_of(b.book, rule);
            if !lets.is_empty() {
                b.code.lets_of.insert(linked.rule, lets);
            }
        }
    }
    for i in 0..def.outputs.len() {
        match places.remove(&OutputId(i as u32)) {
            Some(place) => b.code.outputs.push(place),
            None => reasons.push("an output that is not computed".into()),
        }
    }
    reasons.dedup();
    if !reasons.is_empty() {
        // What follows from a first failure says nothing new.
        reasons.retain(|r| {
            !r.contains("an output read before it is computed")
                && !r.contains("an output that is not computed")
                && !r.contains("an output that reads itself")
        });
        if reasons.is_empty() {
            reasons.push("outputs that read each other".into());
        }
        return Err(reasons);
    }
    b.finish().map_err(|Gap(reason)| vec![reason])
}

/// The lets that a rule's list, condition and effects read, directly or through others.
fn lets_of(book: &Rulebook, rule: &Rule) -> Vec<LetId> {
    let mut lets: Vec<LetId> = Vec::new();
    let list = rule.for_each.iter().map(|f| &f.list);
    let mut todo: Vec<&Expr> = list.chain(&rule.when).chain(rule.effects.iter().map(|e| &e.value)).collect();
    while let Some(e) = todo.pop() {
        if let ExprKind::Let(id) = &e.kind
            && !lets.contains(id)
        {
            lets.push(*id);
            todo.extend(book.lets.get(id.ix()).map(|l| &l.value));
        }
        todo.extend(parts(e));
    }
    lets
}

/// The jump target of an instruction.
fn target_of(inst: &mut Inst) -> Option<&mut Addr> {
    match inst {
        Inst::Jmp { to }
        | Inst::JSlot { to, .. }
        | Inst::JSlotIs { to, .. }
        | Inst::JSlotIsNot { to, .. }
        | Inst::JSlotOpt { to, .. }
        | Inst::JSlots { to, .. }
        | Inst::JSlotReg { to, .. }
        | Inst::JImm { to, .. }
        | Inst::JReg { to, .. }
        | Inst::JAbsent { to, .. }
        | Inst::JIn { to, .. }
        | Inst::JSlotIn { to, .. }
        | Inst::JBit { to, .. }
        | Inst::JQ { to, .. }
        | Inst::JQAbsent { to, .. }
        | Inst::Gosub { to, .. }
        | Inst::Next { to, .. } => Some(to),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
