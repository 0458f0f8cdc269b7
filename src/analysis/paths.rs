//! Which fact an expression is, if it is just a fact: `item.category`, also by way of a `let` or of an element of a list.
use crate::analysis::contexts::{Path, Step};
use crate::lang::typed::*;
use std::collections::BTreeMap;

/// What loop variables run over.
enum Over<'b> {
    List(&'b Expr),
    Root(RootId),
}

/// All expressions of a rulebook, and the facts that they name.
pub(super) struct Paths<'b> {
    book: &'b Rulebook,
    vars: BTreeMap<VarId, Over<'b>>,
}

impl<'b> Paths<'b> {
    /// Finds what every loop variable runs over.
    pub fn new(book: &'b Rulebook) -> Paths<'b> {
        let mut paths = Paths { book, vars: BTreeMap::new() };
        let mut vars = BTreeMap::new();
        for rule in &book.rules {
            if let Some(each) = &rule.for_each {
                vars.insert(each.var, Over::List(&each.list));
            }
        }
        for output in book.vocab.decisions.iter().flat_map(|d| &d.outputs) {
            if let (Some(var), Some(root)) = (output.var, output.per) {
                vars.insert(var, Over::Root(root));
            }
        }
        paths.each(&mut |e| match &e.kind {
            ExprKind::Comp { var, list, .. }
            | ExprKind::Split { var, list, .. }
            | ExprKind::Share { var, list, .. } => {
                vars.insert(*var, Over::List(list));
            }
            _ => {}
        });
        paths.vars = vars;
        paths
    }

    /// Calls `f` on every expression that is evaluated.
    pub fn each(&self, f: &mut dyn FnMut(&'b Expr)) {
        let book = self.book;
        let rules = book.rules.iter().flat_map(|r| {
            let list = r.for_each.iter().map(|each| &each.list);
            r.when.iter().chain(&r.guard).chain(list).chain(r.effects.iter().map(|e| &e.value))
        });
        let outputs = book.vocab.decisions.iter().flat_map(|d| &d.outputs).flat_map(|o| {
            let fallback = match &o.fallback {
                Fallback::Else(e) => Some(e),
                _ => None,
            };
            o.guard.iter().chain(fallback)
        });
        let policies = book.policies.iter().flat_map(|p| p.applies_when.iter().chain(&p.governed_by));
        for e in rules.chain(outputs).chain(policies).chain(book.lets.iter().map(|l| &l.value)) {
            visit::all(e, f);
        }
    }

    /// The fact that an expression is; of a list the first element.
    pub fn of(&self, e: &Expr) -> Option<Path> {
        match &e.kind {
            ExprKind::Root(root) => Some(vec![Step::Key(self.book.vocab.roots.get(root.ix())?.name.clone())]),
            ExprKind::Field(of, field) => {
                let Ty::Entity(id) = of.ty.inner() else { return None };
                let def = self.book.vocab.entities.get(id.ix())?.fields.get(*field as usize)?;
                let mut path = self.of(of)?;
                path.push(Step::Key(def.name.clone()));
                Some(path)
            }
            ExprKind::Var(var) => {
                let mut path = match self.vars.get(var)? {
                    Over::List(list) => self.of(list)?,
                    Over::Root(root) => vec![Step::Key(self.book.vocab.roots.get(root.ix())?.name.clone())],
                };
                path.push(Step::Index(0));
                Some(path)
            }
            ExprKind::Let(id) => self.of(&self.book.lets.get(id.ix())?.value),
            ExprKind::Present(of) | ExprKind::Widen(of) => self.of(of),
            _ => None,
        }
    }
}
