//! What an expression draws on, definitions followed.
use crate::lang::typed::*;
use std::collections::BTreeSet;

/// Everything named below some expressions.
#[derive(Debug, Default, Clone)]
pub(super) struct Named {
    pub(super) outputs: BTreeSet<OutputId>,
    pub(super) tables: BTreeSet<TableId>,
    pub(super) params: BTreeSet<ParamId>,
    pub(super) lets: BTreeSet<LetId>,
    pub(super) decisions: BTreeSet<DecisionId>,
}

impl Named {
    /// Adds what an expression names, and what its definitions name.
    pub(super) fn add(&mut self, book: &Rulebook, e: &Expr) {
        let mut todo = Vec::new();
        visit::all(e, &mut |part| match &part.kind {
            ExprKind::Output(o) | ExprKind::OutputOf(o, _) => {
                self.outputs.insert(*o);
            }
            ExprKind::Lookup { table, .. } | ExprKind::Fill { table, .. } => {
                self.tables.insert(*table);
            }
            ExprKind::Param(p) => {
                self.params.insert(*p);
            }
            ExprKind::Let(l) if self.lets.insert(*l) => todo.push(*l),
            ExprKind::Call { decision, .. } => {
                self.decisions.insert(*decision);
            }
            _ => {}
        });
        for l in todo {
            if let Some(l) = book.lets.get(l.ix()) {
                self.add(book, &l.value);
            }
        }
    }

    pub(super) fn join(&mut self, other: &Named) {
        self.outputs.extend(&other.outputs);
        self.tables.extend(&other.tables);
        self.params.extend(&other.params);
        self.lets.extend(&other.lets);
        self.decisions.extend(&other.decisions);
    }
}
