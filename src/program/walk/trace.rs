//! The row trace: which rows of tables decided.
use crate::lang::typed::*;
use crate::program::outcome::RowHit;
use crate::program::walk::Walk;
use std::collections::BTreeSet;

/// The place of a lookup: the address of its expression, which stays while the rulebook lives.
pub(crate) type Site = usize;

/// The site of a lookup expression.
pub(crate) fn site(e: &Expr) -> Site {
    std::ptr::from_ref(e) as Site
}

impl Walk<'_> {
    /// Note that a lookup hit a row.
    pub(crate) fn hit(&self, at: &Expr, row: RowHit) {
        self.hits.borrow_mut().entry(site(at)).or_default().insert(row);
    }

    /// The rows hit at one lookup.
    pub(crate) fn rows_at(&self, at: Site) -> BTreeSet<RowHit> {
        self.hits.borrow().get(&at).cloned().unwrap_or_default()
    }

    /// Every row hit.
    pub(crate) fn all_rows(&self) -> BTreeSet<RowHit> {
        self.hits.borrow().values().flatten().copied().collect()
    }

    /// The rows hit, by anyone, at the lookups that a rule can reach.
    pub(crate) fn rows_of(&self, rule: RuleId) -> Vec<RowHit> {
        let Some(rule) = self.book.rules.get(rule.ix()) else { return Vec::new() };
        let mut reach = Reach { book: self.book, lets: BTreeSet::new(), sites: BTreeSet::new() };
        let list = rule.for_each.iter().map(|f| &f.list);
        for e in list.chain(&rule.when).chain(rule.effects.iter().map(|e| &e.value)) {
            reach.expr(e);
        }
        let rows: BTreeSet<RowHit> = reach.sites.into_iter().flat_map(|s| self.rows_at(s)).collect();
        rows.into_iter().collect()
    }
}

/// Lookups within an expression and the lets that it names; neither outputs nor called decisions are entered.
struct Reach<'b> {
    book: &'b Rulebook,
    lets: BTreeSet<LetId>,
    sites: BTreeSet<Site>,
}

impl<'b> Reach<'b> {
    fn expr(&mut self, e: &'b Expr) {
        let mut todo = vec![e];
        while let Some(e) = todo.pop() {
            match &e.kind {
                ExprKind::Lookup { .. } | ExprKind::Fill { .. } => {
                    self.sites.insert(site(e));
                }
                ExprKind::Let(id) if self.lets.insert(*id) => {
                    todo.extend(self.book.lets.get(id.ix()).map(|l| &l.value));
                }
                _ => {}
            }
            todo.extend(children(e));
        }
    }
}

/// The expressions directly within an expression.
pub(crate) fn children(e: &Expr) -> Vec<&Expr> {
    match &e.kind {
        ExprKind::Const(_)
        | ExprKind::Root(_)
        | ExprKind::Var(_)
        | ExprKind::Let(_)
        | ExprKind::Param(_)
        | ExprKind::Output(_)
        | ExprKind::OutputOf(..)
        | ExprKind::Undecided(_) => vec![],
        ExprKind::FactCall(_, args)
        | ExprKind::Lookup { args, .. }
        | ExprKind::Func(_, args)
        | ExprKind::List(args)
        | ExprKind::Set(args)
        | ExprKind::Record(_, args) => args.iter().collect(),
        ExprKind::Field(x, _)
        | ExprKind::Not(x)
        | ExprKind::IsAbsent(x)
        | ExprKind::Neg(x)
        | ExprKind::Widen(x)
        | ExprKind::Present(x)
        | ExprKind::Round { value: x, .. }
        | ExprKind::Fill { budget: x, .. }
        | ExprKind::Previous { of: x, .. } => vec![x],
        ExprKind::And(a, b)
        | ExprKind::Or(a, b)
        | ExprKind::Is(a, b)
        | ExprKind::Cmp(_, a, b)
        | ExprKind::Arith(_, a, b)
        | ExprKind::Otherwise(a, b)
        | ExprKind::Between(_, a, b) => vec![a, b],
        ExprKind::If(a, b, c) => vec![a, b, c],
        ExprKind::In(x, membership) => {
            let mut all: Vec<&Expr> = vec![x];
            match membership {
                Membership::Values(values) => all.extend(values),
                Membership::Nodes(_) => {}
                Membership::Interval { low, high, .. } => all.extend([low.as_ref(), high.as_ref()]),
                Membership::Collection(list) => all.push(list),
            }
            all
        }
        ExprKind::Call { changes, .. } => changes.iter().map(|(_, e)| e).collect(),
        ExprKind::Comp { list, cond, body, .. } => {
            [Some(list), cond.as_ref(), body.as_ref()].into_iter().flatten().map(AsRef::as_ref).collect()
        }
        ExprKind::Split { amount, list, weight, .. } | ExprKind::Share { amount, list, weight, .. } => {
            vec![amount, list, weight]
        }
    }
}
