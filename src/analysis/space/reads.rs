//! How expressions read facts: which facts are compared with what, and which are used in ways that no finite list of
//! values stands for.
//!
//! A fact that is only compared (with constants, or with another fact that is moved by constants) has a finite partition:
//! within a part every comparison says the same. A fact that is multiplied, summed or asked for its year is *loose*: values
//! are tried for it, but that none of them shows something proves nothing.
use crate::analysis::space::shape::{Alt, Place, Shapes};
use crate::lang::typed::*;
use crate::program::link::Linked;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// All facts that lie at one place of the vocabulary: the rows of a list share theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A root slot.
    Root(u32),
    /// A slot of the elements of a list.
    Element(u32, u32),
    /// A fact with arguments.
    Call(FactCallId),
}

/// A text that is read as a whole, by what it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// Whether a rule applies: its policy, dates, guard and condition.
    Condition(RuleId),
    /// How an output comes about: guard, fallback, effects, and whether their rules are effective.
    Output(OutputId),
    Policy(PolicyId),
    Let(LetId),
    Param(ParamId),
    Table(TableId),
}

/// How far a fact or constant lies from what it is compared with: in steps of its type, or in months.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Offset {
    Bits(i64),
    Months(i64),
}

/// A comparison of a fact with something that is neither constant nor a fact moved by a constant.
#[derive(Clone, Copy, Debug)]
pub struct Against<'p> {
    pub other: &'p Expr,
}

/// How facts are read by one text.
#[derive(Clone, Debug, Default)]
pub struct Reads<'p> {
    /// Facts read in a way that no finite list of values stands for.
    pub loose: BTreeSet<Class>,
    /// Constants that a fact is compared with.
    pub points: BTreeMap<Class, BTreeSet<i64>>,
    /// Constants worth trying for a fact, though they prove nothing.
    pub hints: BTreeMap<Class, BTreeSet<i64>>,
    /// The second fact plus an offset is what the first is compared with.
    pub pairs: BTreeMap<Class, BTreeSet<(Class, Offset)>>,
    /// What else a fact is compared with.
    pub against: BTreeMap<Class, Vec<Against<'p>>>,
    /// Texts that this one reads.
    pub next: BTreeSet<Node>,
}

impl<'p> Reads<'p> {
    fn absorb(&mut self, other: &Reads<'p>) {
        self.loose.extend(&other.loose);
        for (class, points) in &other.points {
            self.points.entry(*class).or_default().extend(points);
        }
        for (class, points) in &other.hints {
            self.hints.entry(*class).or_default().extend(points);
        }
        for (class, pairs) in &other.pairs {
            self.pairs.entry(*class).or_default().extend(pairs);
        }
        for (class, against) in &other.against {
            self.against.entry(*class).or_default().extend(against);
        }
    }
}

/// How a program's texts read facts, found out once for each text.
#[derive(Debug)]
pub struct Reader<'p> {
    pub linked: &'p Linked,
    shapes: Shapes<'p>,
    nodes: RefCell<FxHashMap<Node, Rc<Reads<'p>>>>,
    exprs: RefCell<FxHashMap<*const Expr, Rc<Reads<'p>>>>,
    called: RefCell<FxHashMap<(DecisionId, OutputId), Rc<Reads<'p>>>>,
}

impl<'p> Reader<'p> {
    pub fn new(linked: &'p Linked, decision: DecisionId) -> Reader<'p> {
        Reader {
            linked,
            shapes: Shapes::new(linked, decision),
            nodes: RefCell::default(),
            exprs: RefCell::default(),
            called: RefCell::default(),
        }
    }

    /// The place of an expression that is a fact.
    pub fn place(&self, e: &'p Expr) -> Option<Place<'p>> {
        self.shapes.place(e)
    }

    /// How one text reads facts, not counting the texts that it reads.
    pub fn node(&self, node: Node) -> Rc<Reads<'p>> {
        if let Some(known) = self.nodes.borrow().get(&node) {
            return known.clone();
        }
        let mut reads = Reads::default();
        self.visit_node(node, &mut reads);
        let reads = Rc::new(reads);
        self.nodes.borrow_mut().insert(node, reads.clone());
        reads
    }

    /// How an expression reads facts, not counting the texts that it reads.
    pub fn expr(&self, e: &'p Expr) -> Rc<Reads<'p>> {
        let key = std::ptr::from_ref(e);
        if let Some(known) = self.exprs.borrow().get(&key) {
            return known.clone();
        }
        let mut reads = Reads::default();
        self.visit(e, &mut reads);
        let reads = Rc::new(reads);
        self.exprs.borrow_mut().insert(key, reads.clone());
        reads
    }

    /// How several texts and all that they read, directly or not, read facts.
    pub fn closure(&self, start: &[Rc<Reads<'p>>]) -> Reads<'p> {
        let mut all = Reads::default();
        let mut todo: Vec<Node> = Vec::new();
        let mut seen: BTreeSet<Node> = BTreeSet::new();
        for reads in start {
            all.absorb(reads);
            todo.extend(&reads.next);
        }
        while let Some(node) = todo.pop() {
            if seen.insert(node) {
                let reads = self.node(node);
                all.absorb(&reads);
                todo.extend(&reads.next);
            }
        }
        all.next = seen;
        all
    }

    fn visit_node(&self, node: Node, reads: &mut Reads<'p>) {
        let book: &'p Rulebook = &self.linked.rulebook;
        match node {
            Node::Condition(id) => {
                let Some(rule) = book.rules.get(id.ix()) else { return };
                reads.next.insert(Node::Policy(rule.policy));
                self.dates(rule.policy, [&rule.dates], reads);
                if let Some(each) = &rule.for_each {
                    // Going through a whole list asks only which elements there are.
                    if each.root.is_none() {
                        self.visit(&each.list, reads);
                    }
                }
                rule.guard.iter().chain(&rule.when).for_each(|e| self.visit(e, reads));
            }
            Node::Output(output) => self.visit_output(output, reads),
            Node::Policy(id) => {
                let Some(policy) = book.policies.get(id.ix()) else { return };
                self.dates(id, [&policy.dates], reads);
                policy.applies_when.iter().for_each(|e| self.visit(e, reads));
            }
            Node::Let(id) => book.lets.get(id.ix()).iter().for_each(|l| self.visit(&l.value, reads)),
            Node::Param(id) => {
                let Some(param) = book.params.get(id.ix()) else { return };
                self.dates(param.policy, param.values.iter().map(|v| &v.dates), reads);
                for setting in self.linked.settings(param) {
                    reads.next.insert(Node::Policy(setting.policy));
                    self.dates(setting.policy, setting.values.iter().map(|v| &v.dates), reads);
                }
            }
            Node::Table(id) => {
                let Some(table) = book.tables.get(id.ix()) else { return };
                for (block, rows) in self.linked.blocks(table) {
                    if block > 0 {
                        reads.next.insert(Node::Policy(rows.policy));
                    }
                    self.dates(rows.policy, rows.rows.iter().map(|r| &r.dates), reads);
                }
            }
        }
    }

    fn visit_output(&self, output: OutputId, reads: &mut Reads<'p>) {
        let book: &'p Rulebook = &self.linked.rulebook;
        let decision = self.shapes.decision;
        let Some(def) = book.vocab.decisions.get(decision.ix()).and_then(|d| d.outputs.get(output.ix()))
        else {
            return;
        };
        def.guard.iter().for_each(|e| self.visit(e, reads));
        if let Fallback::Else(e) = &def.fallback {
            self.visit(e, reads);
        }
        let mut todo: Vec<RuleId> = Vec::new();
        let rules = self.linked.rules(decision);
        for linked in rules {
            let Some(rule) = book.rules.get(linked.rule.ix()) else { continue };
            let mut sets = false;
            for effect in rule.effects.iter().filter(|e| e.output == output) {
                self.visit(&effect.value, reads);
                sets = true;
            }
            if sets {
                todo.push(linked.rule);
            }
        }
        // Whether a rule is effective depends on those that override it.
        let mut seen: BTreeSet<RuleId> = BTreeSet::new();
        while let Some(rule) = todo.pop() {
            if seen.insert(rule) {
                reads.next.insert(Node::Condition(rule));
                let by = rules.iter().filter(|l| l.rule == rule).flat_map(|l| &l.overridden_by);
                todo.extend(by.map(|o| o.rule));
            }
        }
    }

    /// The bounds of date ranges that hold a policy's governing date.
    fn dates<'r>(
        &self,
        policy: PolicyId,
        ranges: impl IntoIterator<Item = &'r DateRange>,
        reads: &mut Reads<'p>,
    ) {
        let bounds: BTreeSet<i64> =
            ranges.into_iter().flat_map(|r| [r.from, r.before]).flatten().map(i64::from).collect();
        let policy = self.linked.rulebook.policies.get(policy.ix());
        if let Some(date) = policy.and_then(|p| p.governed_by.as_ref())
            && !bounds.is_empty()
        {
            self.against_points(date, &bounds, reads);
        }
    }

    fn visit(&self, e: &'p Expr, reads: &mut Reads<'p>) {
        if let Some(place) = self.shapes.place(e) {
            // A fact that is read otherwise than in a comparison.
            if !closed(self.linked, &place.place.ty) {
                reads.loose.insert(place.class());
            }
            return;
        }
        match &e.kind {
            ExprKind::FactCall(fact, args) => {
                reads.loose.insert(Class::Call(*fact));
                args.iter().for_each(|a| self.visit(a, reads));
            }
            ExprKind::Let(id) => {
                reads.next.insert(Node::Let(*id));
            }
            ExprKind::Param(id) => {
                reads.next.insert(Node::Param(*id));
            }
            ExprKind::Output(id) | ExprKind::OutputOf(id, _) => {
                reads.next.insert(Node::Output(*id));
                if matches!(e.kind, ExprKind::Output(_)) {
                    self.whole_lists(*id, reads);
                }
            }
            ExprKind::Call { decision, changes, output } => {
                changes.iter().for_each(|(_, e)| self.visit(e, reads));
                reads.absorb(&self.called(*decision, *output));
            }
            ExprKind::IsAbsent(x) => {
                if self.shapes.place(x).is_none() {
                    self.visit(x, reads);
                }
            }
            ExprKind::Cmp(_, a, b) | ExprKind::Is(a, b) => self.compare(a, b, reads),
            ExprKind::In(x, membership) => match membership {
                Membership::Values(values) => values.iter().for_each(|v| self.compare(x, v, reads)),
                Membership::Nodes(_) => self.visit(x, reads),
                Membership::Interval { low, high, .. } => {
                    self.compare(x, low, reads);
                    self.compare(x, high, reads);
                }
                Membership::Collection(list) => {
                    let constants = self.shapes.elements(list);
                    match constants {
                        Some(points) => self.against_points(x, &points, reads),
                        None => {
                            self.visit(x, reads);
                            self.visit(list, reads);
                        }
                    }
                    self.visit_params(list, reads);
                }
            },
            ExprKind::Lookup { table, args, .. } => {
                reads.next.insert(Node::Table(*table));
                let Some(def) = self.linked.rulebook.tables.get(table.ix()) else { return };
                for (column, arg) in args.iter().enumerate() {
                    self.against_points(arg, &self.shapes.column(def, column), reads);
                }
            }
            ExprKind::Fill { table, budget, .. } => {
                reads.next.insert(Node::Table(*table));
                self.visit(budget, reads);
                let Some(def) = self.linked.rulebook.tables.get(table.ix()) else { return };
                self.hint(budget, &self.shapes.column(def, 0), reads);
            }
            ExprKind::Arith(ArithOp::Div, _, b) => {
                self.hint(b, &BTreeSet::from([0]), reads);
                visit::children(e, &mut |c| self.visit(c, reads));
            }
            ExprKind::Func(
                Func::Year
                | Func::Month
                | Func::Day
                | Func::Anniversary
                | Func::EndOfYear
                | Func::StartOfYear,
                args,
            ) => {
                for arg in args {
                    self.visit(arg, reads);
                    self.hint(arg, &YEAR_ENDS.iter().copied().collect(), reads);
                }
            }
            ExprKind::Previous { list, of, .. } => {
                self.length(*list, reads);
                self.visit(of, reads);
            }
            _ => visit::children(e, &mut |c| self.visit(c, reads)),
        }
    }

    /// How a called decision reads facts: all of them are loose, for what it compares may have been changed for the call.
    fn called(&self, decision: DecisionId, output: OutputId) -> Rc<Reads<'p>> {
        if let Some(known) = self.called.borrow().get(&(decision, output)) {
            return known.clone();
        }
        let callee = Reader::new(self.linked, decision);
        let mut all = callee.closure(&[callee.node(Node::Output(output))]);
        let compared: Vec<Class> =
            all.points.keys().chain(all.pairs.keys()).chain(all.against.keys()).copied().collect();
        all.loose.extend(compared);
        for (class, points) in std::mem::take(&mut all.points) {
            all.hints.entry(class).or_default().extend(points);
        }
        all.pairs.clear();
        // The outputs of a called decision are not those of the one at hand.
        let speaks_of_outputs = |e: &Expr| {
            let mut found = false;
            visit::all(e, &mut |c| {
                found |= matches!(c.kind, ExprKind::Output(_) | ExprKind::OutputOf(..) | ExprKind::Let(_));
            });
            found
        };
        for against in all.against.values_mut() {
            against.retain(|a| !speaks_of_outputs(a.other));
        }
        all.next.clear();
        let all = Rc::new(all);
        self.called.borrow_mut().insert((decision, output), all.clone());
        all
    }

    /// Params inside a constant list are looked up by date.
    fn visit_params(&self, e: &'p Expr, reads: &mut Reads<'p>) {
        visit::all(e, &mut |c| match &c.kind {
            ExprKind::Param(id) => {
                reads.next.insert(Node::Param(*id));
            }
            ExprKind::Let(id) => {
                reads.next.insert(Node::Let(*id));
            }
            _ => {}
        });
    }

    /// A per-line output read as a list depends on how many lines there are.
    fn whole_lists(&self, output: OutputId, reads: &mut Reads<'p>) {
        let vocab = &self.linked.rulebook.vocab;
        let def = vocab.decisions.get(self.shapes.decision.ix()).and_then(|d| d.outputs.get(output.ix()));
        if let Some(root) = def.and_then(|d| d.per) {
            self.length(root, reads);
        }
    }

    /// How many elements a list has is not tried to the end.
    fn length(&self, list: RootId, reads: &mut Reads<'p>) {
        if let Some(place) = self.linked.layout.roots.get(list.ix()) {
            reads.loose.insert(Class::Root(place.slot));
        }
    }

    fn compare(&self, a: &'p Expr, b: &'p Expr, reads: &mut Reads<'p>) {
        if matches!(a.ty.inner(), Ty::Bool | Ty::Enum(_) | Ty::Node(_)) {
            self.visit(a, reads);
            self.visit(b, reads);
            return;
        }
        let (left, right) = (self.shapes.of(a), self.shapes.of(b));
        for l in &left {
            for r in &right {
                pair(l, r, reads);
            }
        }
        for (alts, this, others, other) in [(&left, a, &right, b), (&right, b, &left, a)] {
            let other_open = others.iter().any(|o| matches!(o, Alt::Other));
            for alt in alts {
                if let (Alt::Fact(class, offset), true) = (alt, other_open) {
                    if *offset == Offset::Bits(0) {
                        reads.against.entry(*class).or_default().push(Against { other });
                    } else {
                        reads.loose.insert(*class);
                    }
                }
            }
            self.parts(this, alts, reads);
        }
        let points = |alts: &[Alt]| {
            alts.iter()
                .filter_map(|a| if let Alt::Const(c) = a { Some(*c) } else { None })
                .collect::<BTreeSet<i64>>()
        };
        self.hint(a, &points(&right), reads);
        self.hint(b, &points(&left), reads);
    }

    /// A comparison with constants.
    fn against_points(&self, e: &'p Expr, points: &BTreeSet<i64>, reads: &mut Reads<'p>) {
        if matches!(e.ty.inner(), Ty::Bool | Ty::Enum(_) | Ty::Node(_)) {
            self.visit(e, reads);
            return;
        }
        let alts = self.shapes.of(e);
        for alt in &alts {
            points.iter().for_each(|p| pair(alt, &Alt::Const(*p), reads));
        }
        self.parts(e, &alts, reads);
        self.hint(e, points, reads);
    }

    /// What an operand of a comparison reads besides the facts and constants that its value may be.
    fn parts(&self, e: &'p Expr, alts: &[Alt], reads: &mut Reads<'p>) {
        let mut next = BTreeSet::new();
        self.shapes.controls(e, &mut |control| self.visit(control, reads), &mut |node| {
            next.insert(node);
        });
        reads.next.extend(next);
        if alts.iter().any(|a| matches!(a, Alt::Other)) {
            // Some of it is computed: what it is computed from is loose.
            self.shapes.computed(e, &mut |part| self.visit(part, reads));
        }
    }

    /// Constants worth trying for every fact that an expression is computed from.
    fn hint(&self, e: &'p Expr, points: &BTreeSet<i64>, reads: &mut Reads<'p>) {
        if points.is_empty() {
            return;
        }
        let ty = e.ty.inner().clone();
        self.shapes.leaves(e, &mut |class, of| {
            if *of.inner() == ty {
                reads.hints.entry(class).or_default().extend(points);
            }
        });
    }
}

/// Days around which years end.
const YEAR_ENDS: [i64; 4] = [
    // 2024-02-29, 2025-12-31, 2026-01-01, 2026-12-31
    19_782, 20_453, 20_454, 20_818,
];

/// Whether a type has so few members that all are tried.
pub fn closed(linked: &Linked, ty: &Ty) -> bool {
    match ty.inner() {
        Ty::Bool | Ty::Enum(_) | Ty::Entity(_) => true,
        Ty::Node(id) => {
            linked.rulebook.vocab.taxonomies.get(id.ix()).is_some_and(|t| t.nodes.len() <= MOST_NODES)
        }
        _ => false,
    }
}

/// Taxonomies of so many nodes are tried node by node.
pub const MOST_NODES: usize = 64;

/// Notes what two possible values of the sides of a comparison have to do with each other.
fn pair(a: &Alt, b: &Alt, reads: &mut Reads<'_>) {
    let minus = |o: Offset| match o {
        Offset::Bits(n) => Offset::Bits(n.saturating_neg()),
        Offset::Months(n) => Offset::Months(n.saturating_neg()),
    };
    match (a, b) {
        (Alt::Fact(class, offset), Alt::Const(c)) | (Alt::Const(c), Alt::Fact(class, offset)) => match offset
        {
            Offset::Bits(n) => {
                reads.points.entry(*class).or_default().insert(c.saturating_sub(*n));
            }
            Offset::Months(n) => {
                let near = crate::program::dates::add_months(i32::try_from(*c).unwrap_or_default(), -n);
                // Days that one month's end stands for lie close together.
                let days = near.into_iter().flat_map(|d| (0..4).map(move |i| i64::from(d) + i));
                reads.points.entry(*class).or_default().extend(days);
            }
        },
        (Alt::Fact(x, p), Alt::Fact(y, q)) => {
            let (forth, back) = match (p, q) {
                (Offset::Bits(p), Offset::Bits(q)) => {
                    let n = q.saturating_sub(*p);
                    (Offset::Bits(n), Offset::Bits(n.saturating_neg()))
                }
                (Offset::Bits(0), q) => (*q, minus(*q)),
                (p, Offset::Bits(0)) => (minus(*p), *p),
                _ => {
                    reads.loose.extend([*x, *y]);
                    return;
                }
            };
            reads.pairs.entry(*x).or_default().insert((*y, forth));
            reads.pairs.entry(*y).or_default().insert((*x, back));
        }
        _ => {}
    }
}
