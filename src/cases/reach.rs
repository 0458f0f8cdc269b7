//! What a decision's rules read, and the constants that they compare it with: from there come the values worth trying.
use crate::lang::typed::*;
use num_rational::BigRational;
use num_traits::One;
use std::collections::{BTreeMap, BTreeSet};

/// The most values that are kept of one kind: a table of a hundred thousand rows is not tried row by row.
const MOST: usize = 240;

/// Constants that rules and tables name, by what they are constants of. Kinds go by name, so that the pools of two
/// vocabularies can be joined.
#[derive(Debug, Clone, Default)]
pub struct Pools {
    numbers: BTreeMap<String, BTreeSet<BigRational>>,
    pub(super) dates: BTreeSet<i32>,
    pub(super) periods: BTreeSet<Period>,
    texts: BTreeSet<String>,
    /// By taxonomy.
    nodes: BTreeMap<String, BTreeSet<String>>,
}

impl Pools {
    /// Adds what other rules name.
    pub fn join(&mut self, other: &Pools) {
        for (kind, values) in &other.numbers {
            self.numbers.entry(kind.clone()).or_default().extend(values.iter().cloned());
        }
        self.dates.extend(&other.dates);
        self.periods.extend(&other.periods);
        self.texts.extend(other.texts.iter().cloned());
        for (kind, values) in &other.nodes {
            self.nodes.entry(kind.clone()).or_default().extend(values.iter().cloned());
        }
    }

    /// The numbers named of a type.
    pub(super) fn numbers(&self, vocab: &Vocab, ty: &Ty) -> impl Iterator<Item = &BigRational> {
        self.numbers.get(&kind(vocab, ty)).into_iter().flatten()
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &String> {
        self.texts.iter()
    }

    /// The nodes named of a taxonomy.
    pub(super) fn nodes(&self, taxonomy: &str) -> impl Iterator<Item = &String> {
        self.nodes.get(taxonomy).into_iter().flatten()
    }

    fn add(&mut self, vocab: &Vocab, ty: &Ty, c: &Const) {
        match (c, ty.inner()) {
            (Const::Num(n) | Const::Money(n, _), ty) => {
                let values = self.numbers.entry(kind(vocab, ty)).or_default();
                if values.len() < MOST {
                    values.insert(n.clone());
                }
            }
            (Const::Date(d), _) if self.dates.len() < MOST => {
                self.dates.insert(*d);
            }
            (Const::Period(p), _) if self.periods.len() < MOST => {
                self.periods.insert(*p);
            }
            (Const::Text(t), _) if self.texts.len() < MOST => {
                self.texts.insert(t.clone());
            }
            (Const::Node(n), Ty::Node(id)) => self.node(vocab, *id, *n),
            _ => {}
        }
    }

    fn node(&mut self, vocab: &Vocab, id: TaxonomyId, node: u32) {
        if let Some(def) = vocab.taxonomies.get(id.ix())
            && let Some(node) = def.nodes.get(node as usize)
        {
            self.nodes.entry(def.name.clone()).or_default().insert(node.name.clone());
        }
    }
}

/// What numbers of a type are called in the pools.
fn kind(vocab: &Vocab, ty: &Ty) -> String {
    match ty.inner() {
        Ty::Money => "money".into(),
        Ty::Int => "integer".into(),
        Ty::Unit(id) => vocab.units.get(id.ix()).map(|u| u.name.clone()).unwrap_or_default(),
        _ => "decimal".into(),
    }
}

/// What is read of the facts: whole roots, and fields by the entity that they are fields of.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    pub pools: Pools,
    pub roots: BTreeSet<RootId>,
    pub fields: BTreeSet<(EntityId, u32)>,
    pub calls: BTreeSet<FactCallId>,
    pub lets: BTreeSet<LetId>,
    pub params: BTreeSet<ParamId>,
    pub tables: BTreeSet<TableId>,
    /// Those of the tables that are looked up in; `fill` compares with no bound.
    pub looked_up: BTreeSet<TableId>,
    decisions: BTreeSet<DecisionId>,
}

impl Reach {
    /// Everything that a decision may look at, called decisions included, in any store.
    pub fn of(book: &Rulebook, decision: DecisionId) -> Reach {
        let mut reach = Reach::default();
        reach.decision(book, decision);
        reach
    }

    fn decision(&mut self, book: &Rulebook, id: DecisionId) {
        if !self.decisions.insert(id) {
            return;
        }
        for output in book.vocab.decisions.get(id.ix()).into_iter().flat_map(|d| &d.outputs) {
            output.guard.iter().for_each(|e| self.expr(book, e));
            if let Fallback::Else(e) = &output.fallback {
                self.expr(book, e);
            }
        }
        for policy in book.policies.iter().filter(|p| p.decides == Some(id)) {
            self.range(policy.dates);
            policy.governed_by.iter().chain(&policy.applies_when).for_each(|e| self.expr(book, e));
            for rule in policy.rules.iter().filter_map(|r| book.rules.get(r.ix())) {
                self.rule(book, rule);
            }
        }
    }

    fn rule(&mut self, book: &Rulebook, rule: &Rule) {
        self.range(rule.dates);
        let parts = rule.when.iter().chain(rule.for_each.iter().map(|f| &f.list));
        parts.chain(rule.effects.iter().map(|e| &e.value)).for_each(|e| self.expr(book, e));
    }

    fn range(&mut self, range: DateRange) {
        self.pools.dates.extend(range.from);
        self.pools.dates.extend(range.before);
    }

    /// Follows an expression into definitions, tables, parameters and called decisions.
    pub fn expr(&mut self, book: &Rulebook, e: &Expr) {
        let mut further = Vec::new();
        visit::all(e, &mut |part| match &part.kind {
            ExprKind::Const(c) => self.pools.add(&book.vocab, &part.ty, c),
            ExprKind::Root(root) => {
                self.roots.insert(*root);
            }
            ExprKind::FactCall(fact, _) => {
                self.calls.insert(*fact);
            }
            ExprKind::Field(of, field) => {
                if let Ty::Entity(id) = of.ty.inner() {
                    self.fields.insert((*id, *field));
                }
            }
            ExprKind::In(x, Membership::Nodes(nodes)) => {
                if let Ty::Node(id) = x.ty.inner() {
                    nodes.iter().for_each(|n| self.pools.node(&book.vocab, *id, *n));
                }
            }
            ExprKind::Lookup { table, .. } => {
                self.looked_up.insert(*table);
                further.push(part);
            }
            ExprKind::Let(_) | ExprKind::Param(_) | ExprKind::Fill { .. } | ExprKind::Call { .. } => {
                further.push(part)
            }
            _ => {}
        });
        for part in further {
            match &part.kind {
                ExprKind::Let(id) if self.lets.insert(*id) => {
                    book.lets.get(id.ix()).into_iter().for_each(|l| self.expr(book, &l.value));
                }
                ExprKind::Param(id) if self.params.insert(*id) => {
                    let Some(param) = book.params.get(id.ix()) else { continue };
                    let set = param.settings.iter().flat_map(|s| &s.values);
                    for value in param.values.iter().chain(set) {
                        self.range(value.dates);
                        self.expr(book, &value.value);
                    }
                }
                ExprKind::Lookup { table, .. } | ExprKind::Fill { table, .. }
                    if self.tables.insert(*table) =>
                {
                    book.tables.get(table.ix()).into_iter().for_each(|t| self.table(book, t));
                }
                ExprKind::Call { decision, .. } => self.decision(book, *decision),
                _ => {}
            }
        }
    }

    fn table(&mut self, book: &Rulebook, table: &Table) {
        for row in [&table.own].into_iter().chain(&table.extra).flat_map(|b| &b.rows) {
            self.range(row.dates);
            for (test, (_, ty)) in row.tests.iter().zip(&table.params) {
                self.test(book, ty, test);
            }
            for (cell, (_, ty)) in row.results.iter().zip(&table.results) {
                if let CellValue::Const(c) = cell {
                    self.pools.add(&book.vocab, ty, c);
                }
            }
        }
    }

    fn test(&mut self, book: &Rulebook, ty: &Ty, test: &Test) {
        match test {
            Test::Value(c) => self.pools.add(&book.vocab, ty, c),
            Test::Interval { low, high } => {
                for (c, _) in low.iter().chain(high) {
                    self.pools.add(&book.vocab, ty, c);
                }
            }
            Test::OneOf(tests) => tests.iter().for_each(|t| self.test(book, ty, t)),
            Test::Any | Test::Else | Test::Absent => {}
        }
    }
}

/// The step of a type's amounts: what lies next to a bound. Decimals have none; a hundredth is near enough.
pub(super) fn step(vocab: &Vocab, ty: &Ty) -> BigRational {
    let hundredth = || BigRational::new(1.into(), 100.into());
    match ty.inner() {
        Ty::Money => vocab.currencies.first().map_or_else(hundredth, |c| c.step.clone()),
        Ty::Unit(id) => vocab.units.get(id.ix()).map_or_else(BigRational::one, |u| u.step.clone()),
        Ty::Dec => hundredth(),
        _ => BigRational::one(),
    }
}
