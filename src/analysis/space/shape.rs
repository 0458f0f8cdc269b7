//! What the value of an expression may be: a constant, a fact, a fact moved by a constant, or something computed.
use crate::analysis::space::reads::{Class, Node, Offset};
use crate::lang::typed::*;
use crate::program::facts::{self, SCALE, Shape as Layed, Symbols, pack_period};
use crate::program::link::Linked;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// One thing that the value of an expression may be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alt {
    /// A slot's bits.
    Const(i64),
    /// A fact plus an offset.
    Fact(Class, Offset),
    /// Something computed.
    Other,
}

/// Where a fact lies, and in which kind of row.
#[derive(Clone, Copy, Debug)]
pub struct Place<'p> {
    /// `None`: among the root slots.
    pub element: Option<u32>,
    pub place: &'p facts::Place,
}

impl Place<'_> {
    /// All facts that lie there.
    pub fn class(&self) -> Class {
        match self.element {
            None => Class::Root(self.place.slot),
            Some(element) => Class::Element(element, self.place.slot),
        }
    }
}

/// More possible values than this count as computed.
const MOST_ALTS: usize = 400;
/// Lets within lets, beyond which values count as computed.
const MOST_DEPTH: u32 = 60;

/// The possible values of a program's expressions.
#[derive(Debug)]
pub struct Shapes<'p> {
    linked: &'p Linked,
    pub decision: DecisionId,
    lets: RefCell<FxHashMap<LetId, Vec<Alt>>>,
}

impl<'p> Shapes<'p> {
    pub fn new(linked: &'p Linked, decision: DecisionId) -> Shapes<'p> {
        Shapes { linked, decision, lets: RefCell::default() }
    }

    fn book(&self) -> &'p Rulebook {
        &self.linked.rulebook
    }

    /// Where an expression that is nothing but a fact lies.
    pub fn place(&self, e: &'p Expr) -> Option<Place<'p>> {
        match &e.kind {
            ExprKind::Root(root) => {
                self.linked.layout.roots.get(root.ix()).map(|place| Place { element: None, place })
            }
            ExprKind::Var(_) => {
                let of = |x: &facts::Element| x.place.ty == e.ty || x.place.ty.inner() == e.ty.inner();
                let at = self.linked.layout.elements.iter().position(of)?;
                let place = &self.linked.layout.elements.get(at)?.place;
                Some(Place { element: Some(at as u32), place })
            }
            ExprKind::Field(of, field) => {
                let of = self.place(of)?;
                match &of.place.shape {
                    Layed::Entity(fields) => {
                        fields.get(*field as usize).map(|place| Place { element: of.element, place })
                    }
                    _ => None,
                }
            }
            ExprKind::Present(x) | ExprKind::Widen(x) => self.place(x),
            _ => None,
        }
    }

    /// What an expression's value may be.
    pub fn of(&self, e: &'p Expr) -> Vec<Alt> {
        let mut alts = self.alts(e, 0);
        alts.sort();
        alts.dedup();
        if alts.len() > MOST_ALTS { vec![Alt::Other] } else { alts }
    }

    fn alts(&self, e: &'p Expr, depth: u32) -> Vec<Alt> {
        let symbols: &Symbols = &self.linked.symbols;
        if depth > MOST_DEPTH {
            return vec![Alt::Other];
        }
        if let Some(place) = self.place(e) {
            return vec![Alt::Fact(place.class(), Offset::Bits(0))];
        }
        let two = |a: &'p Expr, b: &'p Expr| {
            let mut alts = self.alts(a, depth + 1);
            alts.extend(self.alts(b, depth + 1));
            alts
        };
        match &e.kind {
            // Absent is below and above nothing.
            ExprKind::Const(Const::Absent) => Vec::new(),
            ExprKind::Const(c) => {
                constant(symbols, c, &e.ty).map_or(vec![Alt::Other], |c| vec![Alt::Const(c)])
            }
            ExprKind::FactCall(fact, _) => vec![Alt::Fact(Class::Call(*fact), Offset::Bits(0))],
            ExprKind::Present(x) => self.alts(x, depth + 1),
            ExprKind::Widen(x) => match self.alts(x, depth + 1).as_slice() {
                // Integers and decimals are kept on different scales.
                [Alt::Const(c)] => vec![Alt::Const(c.saturating_mul(SCALE))],
                _ => vec![Alt::Other],
            },
            ExprKind::Let(id) => self.of_let(*id, depth),
            ExprKind::Param(id) => self.of_param(*id),
            ExprKind::If(_, a, b) | ExprKind::Otherwise(a, b) => two(a, b),
            ExprKind::Func(Func::Min | Func::Max, items) if !matches!(e.ty.inner(), Ty::Enum(_)) => {
                items.iter().flat_map(|i| self.alts(i, depth + 1)).collect()
            }
            ExprKind::Lookup { table, result, .. } => self.of_column(*table, *result),
            ExprKind::Arith(op @ (ArithOp::Add | ArithOp::Sub), a, b) => {
                let (left, right) = (self.alts(a, depth + 1), self.alts(b, depth + 1));
                moved(*op, &left, &right, &b.ty)
            }
            ExprKind::Output(id) | ExprKind::OutputOf(id, _) => self.of_output(*id, depth),
            ExprKind::Undecided(_) => Vec::new(),
            _ => vec![Alt::Other],
        }
    }

    fn of_let(&self, id: LetId, depth: u32) -> Vec<Alt> {
        if let Some(known) = self.lets.borrow().get(&id) {
            return known.clone();
        }
        let Some(found) = self.book().lets.get(id.ix()) else { return vec![Alt::Other] };
        let alts = self.alts(&found.value, depth + 1);
        self.lets.borrow_mut().insert(id, alts.clone());
        alts
    }

    fn of_param(&self, id: ParamId) -> Vec<Alt> {
        let Some(param) = self.book().params.get(id.ix()) else { return vec![Alt::Other] };
        let set = self.linked.settings(param).into_iter().flat_map(|s| &s.values);
        let values = param.values.iter().chain(set);
        values
            .flat_map(|v| {
                if matches!(v.value.kind, ExprKind::Const(_)) {
                    self.alts(&v.value, 0)
                } else {
                    vec![Alt::Other]
                }
            })
            .collect()
    }

    fn of_column(&self, table: TableId, result: u32) -> Vec<Alt> {
        let symbols: &Symbols = &self.linked.symbols;
        let Some(def) = self.book().tables.get(table.ix()) else { return vec![Alt::Other] };
        if matches!(def.hit, Hit::Collect(_)) {
            return vec![Alt::Other];
        }
        let ty = def.results.get(result as usize).map_or(&Ty::Never, |(_, ty)| ty);
        let mut alts = BTreeSet::new();
        for row in self.linked.blocks(def).into_iter().flat_map(|(_, b)| &b.rows) {
            match row.results.get(result as usize) {
                Some(CellValue::Const(Const::Absent) | CellValue::Undecided(_)) | None => {}
                Some(CellValue::Const(c)) => {
                    alts.insert(constant(symbols, c, ty).map_or(Alt::Other, Alt::Const));
                }
            }
            if alts.len() > MOST_ALTS {
                return vec![Alt::Other];
            }
        }
        alts.into_iter().collect()
    }

    fn of_output(&self, output: OutputId, depth: u32) -> Vec<Alt> {
        let Some(def) =
            self.book().vocab.decisions.get(self.decision.ix()).and_then(|d| d.outputs.get(output.ix()))
        else {
            return vec![Alt::Other];
        };
        if !matches!(def.mode, Mode::One | Mode::Max | Mode::Min) {
            return vec![Alt::Other];
        }
        let mut alts = match &def.fallback {
            Fallback::Else(e) => self.alts(e, depth + 1),
            _ => Vec::new(),
        };
        for linked in self.linked.rules(self.decision) {
            let Some(rule) = self.book().rules.get(linked.rule.ix()) else { continue };
            for effect in rule.effects.iter().filter(|e| e.output == output) {
                alts.extend(self.alts(&effect.value, depth + 1));
            }
        }
        alts
    }

    /// The constants of a list or set of constants.
    pub fn elements(&self, list: &'p Expr) -> Option<BTreeSet<i64>> {
        let symbols: &Symbols = &self.linked.symbols;
        match &list.kind {
            ExprKind::List(items) | ExprKind::Set(items) => items
                .iter()
                .map(|i| if let ExprKind::Const(c) = &i.kind { constant(symbols, c, &i.ty) } else { None })
                .collect(),
            ExprKind::Param(id) => {
                let param = self.book().params.get(id.ix())?;
                let set = self.linked.settings(param).into_iter().flat_map(|s| &s.values);
                let mut all = BTreeSet::new();
                for value in param.values.iter().chain(set) {
                    all.extend(self.elements(&value.value)?);
                }
                Some(all)
            }
            ExprKind::Let(id) => self.elements(&self.book().lets.get(id.ix())?.value),
            _ => None,
        }
    }

    /// The constants in a key column of a table.
    pub fn column(&self, table: &'p Table, column: usize) -> BTreeSet<i64> {
        let symbols: &Symbols = &self.linked.symbols;
        let ty = table.params.get(column).map_or(&Ty::Never, |(_, ty)| ty);
        let mut points = BTreeSet::new();
        for row in self.linked.blocks(table).into_iter().flat_map(|(_, b)| &b.rows) {
            if let Some(test) = row.tests.get(column) {
                bounds(symbols, test, ty, &mut points);
            }
            if points.len() > MOST_ALTS {
                break;
            }
        }
        points
    }

    /// What decides which of its possible values an expression has, and the texts that it reads for that.
    pub fn controls(&self, e: &'p Expr, visit: &mut dyn FnMut(&'p Expr), node: &mut dyn FnMut(Node)) {
        match &e.kind {
            ExprKind::If(c, a, b) => {
                visit(c);
                self.controls(a, visit, node);
                self.controls(b, visit, node);
            }
            ExprKind::Otherwise(a, b) | ExprKind::Arith(_, a, b) => {
                self.controls(a, visit, node);
                self.controls(b, visit, node);
            }
            ExprKind::Func(_, items) => items.iter().for_each(|i| self.controls(i, visit, node)),
            ExprKind::Present(x) | ExprKind::Widen(x) => self.controls(x, visit, node),
            ExprKind::FactCall(_, args) => args.iter().for_each(visit),
            ExprKind::Lookup { .. } => visit(e),
            ExprKind::Param(id) => node(Node::Param(*id)),
            ExprKind::Let(id) => {
                if let Some(found) = self.book().lets.get(id.ix()) {
                    self.controls(&found.value, visit, node);
                }
            }
            ExprKind::Output(id) | ExprKind::OutputOf(id, _) => node(Node::Output(*id)),
            _ => {}
        }
    }

    /// The parts of an expression that are computed with.
    pub fn computed(&self, e: &'p Expr, visit: &mut dyn FnMut(&'p Expr)) {
        match &e.kind {
            ExprKind::If(_, a, b) | ExprKind::Otherwise(a, b) => {
                self.computed(a, visit);
                self.computed(b, visit);
            }
            ExprKind::Present(x) | ExprKind::Widen(x) => self.computed(x, visit),
            ExprKind::Let(id) => {
                if let Some(found) = self.book().lets.get(id.ix()) {
                    self.computed(&found.value, visit);
                }
            }
            _ if self.of(e).iter().all(|a| !matches!(a, Alt::Other)) => {}
            _ => visit(e),
        }
    }

    /// Every fact that an expression is computed from, with its type.
    pub fn leaves(&self, e: &'p Expr, found: &mut dyn FnMut(Class, &Ty)) {
        self.leaves_at(e, 0, found);
    }

    fn leaves_at(&self, e: &'p Expr, depth: u32, found: &mut dyn FnMut(Class, &Ty)) {
        if depth > MOST_DEPTH {
            return;
        }
        if let Some(place) = self.place(e) {
            found(place.class(), &place.place.ty);
            return;
        }
        match &e.kind {
            ExprKind::FactCall(fact, _) => {
                if let Some(def) = self.book().vocab.fact_calls.get(fact.ix()) {
                    found(Class::Call(*fact), &def.ty);
                }
            }
            ExprKind::Let(id) => {
                if let Some(of) = self.book().lets.get(id.ix()) {
                    self.leaves_at(&of.value, depth + 1, found);
                }
            }
            ExprKind::Output(id) | ExprKind::OutputOf(id, _) => {
                for linked in self.linked.rules(self.decision) {
                    let Some(rule) = self.book().rules.get(linked.rule.ix()) else { continue };
                    for effect in rule.effects.iter().filter(|f| f.output == *id) {
                        self.leaves_at(&effect.value, depth + 8, found);
                    }
                }
            }
            _ => visit::children(e, &mut |c| self.leaves_at(c, depth + 1, found)),
        }
    }
}

/// `a + b` and `a - b` where one is constant.
fn moved(op: ArithOp, left: &[Alt], right: &[Alt], by: &Ty) -> Vec<Alt> {
    let sign = if op == ArithOp::Sub { -1 } else { 1 };
    let step = |c: i64| match by.inner() {
        // A period's bits are twice its number, odd for months.
        Ty::Period => match facts::unpack_period(c) {
            Period::Days(n) => Offset::Bits(n.saturating_mul(sign)),
            Period::Months(n) => Offset::Months(n.saturating_mul(sign)),
        },
        _ => Offset::Bits(c.saturating_mul(sign)),
    };
    let mut alts = Vec::new();
    for l in left {
        for r in right {
            alts.push(match (l, r) {
                (Alt::Fact(class, Offset::Bits(a)), Alt::Const(c)) => match step(*c) {
                    Offset::Bits(b) => Alt::Fact(*class, Offset::Bits(a.saturating_add(b))),
                    months if *a == 0 => Alt::Fact(*class, months),
                    _ => Alt::Other,
                },
                (Alt::Const(c), Alt::Fact(class, Offset::Bits(a)))
                    if op == ArithOp::Add && *by.inner() != Ty::Period =>
                {
                    Alt::Fact(*class, Offset::Bits(a.saturating_add(*c)))
                }
                (Alt::Const(a), Alt::Const(c)) => match step(*c) {
                    Offset::Bits(b) => Alt::Const(a.saturating_add(b)),
                    Offset::Months(m) => i32::try_from(*a)
                        .ok()
                        .and_then(|d| crate::program::dates::add_months(d, m))
                        .map_or(Alt::Other, |d| Alt::Const(i64::from(d))),
                },
                _ => Alt::Other,
            });
        }
        if alts.len() > MOST_ALTS {
            return vec![Alt::Other];
        }
    }
    alts
}

/// A constant as the bits of a slot; a number between two steps counts as the lower one.
pub fn constant(symbols: &Symbols, c: &Const, ty: &Ty) -> Option<i64> {
    let number = |n: &BigRational| match ty.inner() {
        Ty::Int => n.floor().to_integer().to_i64(),
        _ => (n * BigRational::from_integer(SCALE.into())).floor().to_integer().to_i64(),
    };
    match c {
        Const::Bool(b) => Some(i64::from(*b)),
        Const::Num(n) | Const::Money(n, _) => number(n),
        Const::Enum(n) | Const::Node(n) => Some(i64::from(*n)),
        Const::Date(d) => Some(i64::from(*d)),
        Const::DateTime(t) => Some(*t),
        Const::Period(p) => Some(pack_period(*p)),
        Const::Duration(s) => Some(*s),
        Const::Text(text) => symbols.get(text).map(i64::from),
        Const::Rate(_) | Const::Absent => None,
    }
}

fn bounds(symbols: &Symbols, test: &Test, ty: &Ty, points: &mut BTreeSet<i64>) {
    match test {
        Test::Any | Test::Else | Test::Absent => {}
        Test::Value(c) => points.extend(constant(symbols, c, ty)),
        Test::Interval { low, high } => {
            points.extend(low.iter().chain(high).filter_map(|(c, _)| constant(symbols, c, ty)));
        }
        Test::OneOf(tests) => tests.iter().for_each(|t| bounds(symbols, t, ty, points)),
    }
}
