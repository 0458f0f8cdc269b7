//! Calls of other decisions: lowered in place, with the changed roots standing for what the caller gives.
use super::builder::*;
use crate::lang::typed::*;
use crate::program::code::*;
use rustc_hash::FxHashMap;

/// Calls nest at most this deep, and a program has at most so many.
const DEPTH: u32 = 8;
const CALLS: usize = 200;

impl<'a> Builder<'a> {
    pub fn call(
        &mut self,
        decision: DecisionId,
        changes: &'a [(RootId, Expr)],
        output: OutputId,
    ) -> Low<Val<'a>> {
        // Outside of loops a call with the same changes is made once, for all outputs that anyone asks of it.
        let key = if self.loops == 0 { key_of(decision, changes) } else { None };
        let key = key.map(|text| (self.scope, text));
        if let Some(key) = &key
            && let Some(&(callee, flag, label)) = self.known_calls.get(key)
        {
            self.emit(Inst::Gosub { flag, to: Builder::target(label) });
            return self.answer(callee, output);
        }
        if self.linked.looks_back(decision) {
            return gap("a call of a decision that looks back along a list");
        }
        if self.depth >= DEPTH || self.scopes.len() >= CALLS {
            return gap("calls this deep or many");
        }
        let caller = self.scope;
        let mut outputs = match &key {
            Some((_, text)) => self.asked_of(caller, text),
            None => Vec::new(),
        };
        if !outputs.contains(&output) {
            outputs.push(output);
        }
        let reader = self.reader;
        let from = self.flag();
        self.depth += 1;
        // The changes are computed with the call, so that whoever asks first has them computed.
        let done = self.aside(|b| {
            let mut replaced = FxHashMap::default();
            for (root, value) in changes {
                replaced.insert(*root, b.lower(value)?);
            }
            // Roots that the caller itself was called with stay as they are there.
            for (root, value) in &b.here().replaced {
                replaced.entry(*root).or_insert_with(|| value.clone());
            }
            let callee = b.push_scope(decision, replaced, true);
            for (root, value) in &mut b.here().replaced {
                if let Val::List(list) = value {
                    // Per-line outputs of the callee count its own elements.
                    list.root = Some((callee, *root));
                    if let ListKind::Picked { fresh, .. } = &mut list.kind {
                        *fresh = true;
                    }
                }
            }
            b.reader = Reader::Nobody;
            for output in outputs {
                b.output(output)?;
            }
            b.emit(Inst::Ret { flag: from });
            Ok(callee)
        });
        self.depth -= 1;
        self.reader = reader;
        self.scope = caller;
        let (label, callee) = done?;
        if self.loops > 0 {
            // The callee's lazy parts are computed anew for every element.
            let n = u16::try_from(self.flags() - u32::from(from)).map_err(|_| Gap("too many lets".into()))?;
            self.emit(Inst::ClearFlags { from, n });
        }
        self.emit(Inst::Gosub { flag: from, to: Builder::target(label) });
        if let Some(key) = key {
            self.known_calls.insert(key, (callee, from, label));
        }
        self.answer(callee, output)
    }

    /// An output of a called decision.
    fn answer(&mut self, callee: usize, output: OutputId) -> Low<Val<'a>> {
        let value = self.scopes.get(callee).and_then(|s| s.outputs.get(&output)).cloned().flatten();
        match value {
            Some(OutVal::Plain(value)) => Ok(value),
            Some(OutVal::Lines { start, len, fractions: false }) => {
                Ok(Val::List(List { kind: ListKind::Scalars, start, len, root: None }))
            }
            Some(OutVal::Lines { .. }) => gap("fractions by line of a called decision"),
            Some(OutVal::Records { .. }) => gap("records of a called decision"),
            None => gap("an output that is not computed"),
        }
    }

    /// The outputs that the calling decision asks of a call.
    fn asked_of(&mut self, caller: usize, text: &str) -> Vec<OutputId> {
        let Some(decision) = self.scopes.get(caller).map(|s| s.decision) else { return Vec::new() };
        let (book, linked) = (self.book, self.linked);
        let asked = self.asked.entry(decision).or_insert_with(|| {
            let mut asked: FxHashMap<String, Vec<OutputId>> = FxHashMap::default();
            let mut todo: Vec<&Expr> = book.lets.iter().map(|l| &l.value).collect();
            for rule in linked.rules(decision).iter().filter_map(|r| book.rules.get(r.rule.ix())) {
                todo.extend(rule.for_each.iter().map(|f| &f.list).chain(&rule.guard).chain(&rule.when));
                todo.extend(rule.effects.iter().map(|e| &e.value));
            }
            while let Some(e) = todo.pop() {
                if let ExprKind::Call { decision, changes, output } = &e.kind
                    && let Some(key) = key_of(*decision, changes)
                {
                    let outputs = asked.entry(key).or_default();
                    if !outputs.contains(output) {
                        outputs.push(*output);
                    }
                }
                todo.extend(super::children(e));
            }
            asked.values_mut().for_each(|outputs| outputs.sort_unstable());
            asked
        });
        asked.get(text).cloned().unwrap_or_default()
    }
}

/// What tells equal calls; `None` if a change depends on a loop.
fn key_of(decision: DecisionId, changes: &[(RootId, Expr)]) -> Option<String> {
    // Rows looked up in the changes belong to the reader at hand, so each of them looks for itself.
    let mut todo: Vec<&Expr> = changes.iter().map(|(_, e)| e).collect();
    while let Some(e) = todo.pop() {
        if matches!(e.kind, ExprKind::Lookup { .. }) {
            return None;
        }
        todo.extend(super::children(e));
    }
    let mut key = format!("{}", decision.0);
    for (root, value) in changes {
        key.push_str(&format!(" {}=", root.0));
        key.push_str(&super::canon::text(value)?);
    }
    Some(key)
}
