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
        if self.depth >= DEPTH || self.scopes.len() >= CALLS {
            return gap("calls this deep or many");
        }
        let mut replaced = FxHashMap::default();
        for (root, value) in changes {
            replaced.insert(*root, self.lower(value)?);
        }
        // Roots that the caller itself was called with stay as they are there.
        for (root, value) in &self.here().replaced {
            replaced.entry(*root).or_insert_with(|| value.clone());
        }
        let caller = self.scope;
        let callee = self.push_scope(decision, replaced, true);
        for (root, value) in &mut self.here().replaced {
            if let Val::List(list) = value {
                // Per-line outputs of the callee count its own elements.
                list.root = Some((callee, *root));
                if let ListKind::Picked { fresh, .. } = &mut list.kind {
                    *fresh = true;
                }
            }
        }
        let reader = std::mem::replace(&mut self.reader, Reader::Nobody);
        let from = self.flag();
        self.depth += 1;
        let done = self.aside(|b| {
            let value = b.output(output)?;
            b.emit(Inst::Ret { flag: from });
            Ok(value)
        });
        self.depth -= 1;
        self.reader = reader;
        self.scope = caller;
        let (label, value) = done?;
        if self.loops > 0 {
            // The callee's lazy parts are computed anew for every element.
            let n = u16::try_from(self.flags() - u32::from(from)).map_err(|_| Gap("too many lets".into()))?;
            self.emit(Inst::ClearFlags { from, n });
        }
        self.emit(Inst::Gosub { flag: from, to: Builder::target(label) });
        match value {
            OutVal::Plain(value) => Ok(value),
            OutVal::Lines { fractions: true, .. } => gap("fractions by line of a called decision"),
            OutVal::Lines { start, len, .. } => {
                Ok(Val::List(List { kind: ListKind::Scalars, start, len, root: None }))
            }
            OutVal::Records { .. } => gap("records of a called decision"),
        }
    }
}
