//! Expressions.
use crate::lang::typed::*;
use crate::program::outcome::Fault;
use crate::program::value::Value;
use crate::program::walk::compared::Mark;
use crate::program::walk::number;
use crate::program::walk::state::{Eval, Item, V, all_stuck, and, apply, gather, not, or, worst};
use crate::program::walk::time;
use crate::program::walk::{Env, Rounded, Scope, Walk};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

impl<'a> Walk<'a> {
    /// The state of an expression.
    pub(crate) fn eval(&self, e: &'a Expr, env: Scope<'_, 'a>) -> Eval<'a> {
        self.depth.deeper(|| self.eval_kind(e, env)).unwrap_or_else(|| Eval::fault(Fault::Overflow))
    }

    fn eval_kind(&self, e: &'a Expr, env: Scope<'_, 'a>) -> Eval<'a> {
        match &e.kind {
            ExprKind::Const(c) => Eval::of(Value::of_const(c)),
            ExprKind::Root(root) => self.root(*root),
            ExprKind::FactCall(fact, args) => {
                apply(&self.eval_all(args, env), |args| self.given.call(*fact, args))
            }
            ExprKind::Var(var) => self.item(*var, env).map_or_else(Eval::absent, |item| item.state.clone()),
            ExprKind::Field(of, field) => match self.eval(of, env) {
                Eval::Is(v) => self.given.field(&v, *field),
                other => other.plain_unknown(),
            },
            ExprKind::Let(id) => self.let_value(*id),
            ExprKind::Param(id) => self.param(*id),
            ExprKind::Output(id) => self.output(*id).read(),
            ExprKind::OutputOf(id, var) => self.output_of(*id, *var, env),
            ExprKind::Not(x) => not(self.eval(x, env)),
            ExprKind::And(..) | ExprKind::Or(..) => self.junctions(e, env),
            ExprKind::Is(a, b) => {
                let sides = [self.whole(a, env), self.whole(b, env)];
                apply(&sides, |v| Eval::bool(matches!(v, [a, b] if a == b)))
            }
            ExprKind::IsAbsent(x) => apply(&[self.whole(x, env)], |v| Eval::bool(v.iter().any(V::is_absent))),
            ExprKind::Cmp(op, a, b) => self.compared(*op, a, b, env),
            ExprKind::In(x, membership) => self.member(x, membership, env),
            ExprKind::Arith(..) => self.ariths(e, env),
            ExprKind::Neg(x) => apply(&[self.eval(x, env)], |v| Eval::from_result(number::negate(first(v)))),
            ExprKind::Widen(x) => apply(&[self.eval(x, env)], |v| match first(v) {
                Value::Num(n) => Eval::from_result(number::within(n.clone(), &Ty::Dec).map(Value::Num)),
                other => Eval::of(other.clone()),
            }),
            ExprKind::Round { value, rounding, step } => {
                let value = self.eval(value, env);
                apply(&[value], |v| self.rounding(e, first(v), rounding, step.as_ref()))
            }
            ExprKind::If(condition, then, otherwise) => self.branch(condition, then, otherwise, env),
            ExprKind::Otherwise(x, y) => self.otherwise(x, y, env),
            ExprKind::Present(x) => present(self.eval(x, env)),
            ExprKind::Between(span, a, b) => {
                let ends = [self.eval(a, env), self.eval(b, env)];
                apply(&ends, |v| match v {
                    [a, b] => Eval::of(time::between(*span, a.plain(), b.plain(), &e.ty)),
                    _ => Eval::absent(),
                })
            }
            ExprKind::Lookup { table, args, result } => {
                let keys = self.eval_all(args, env);
                self.lookup(e, *table, &keys, *result)
            }
            ExprKind::Fill { table, budget, part } => {
                let budget = self.eval(budget, env);
                apply(&[budget], |v| self.fill(e, *table, first(v), *part))
            }
            ExprKind::Call { decision, changes, output } => self.call(*decision, changes, *output, env),
            ExprKind::Comp { kind, var, list, cond, body } => {
                self.comprehension(e, (*kind, *var), list, cond.as_deref(), body.as_deref(), env)
            }
            ExprKind::Split { amount, var, list, weight } => self.split(amount, *var, list, weight, env),
            ExprKind::Share { of, amount, var, list, weight } => {
                self.share(*of, amount, (*var, list, weight), env)
            }
            ExprKind::Previous { var, list, of } => self.previous(*var, *list, of, env),
            ExprKind::Func(func, args) => {
                let types: Vec<&Ty> = args.iter().map(|a| &a.ty).collect();
                apply(&self.eval_all(args, env), |v| time::call(self.linked, *func, v, &types))
            }
            ExprKind::List(items) => {
                let items = self.eval_all(items, env);
                apply(&items, |v| Eval::Is(list_of(v)))
            }
            ExprKind::Set(items) => {
                self.strict(items, env, |parts| Value::Set(Arc::new(parts.into_iter().collect())))
            }
            ExprKind::Record(id, fields) => {
                self.strict(fields, env, |parts| Value::Record(*id, Arc::new(parts)))
            }
            ExprKind::Undecided(question) => Eval::undecided(question),
        }
    }

    /// Several expressions, left to right, whatever the states of the others.
    pub(crate) fn eval_all(&self, all: &'a [Expr], env: Scope<'_, 'a>) -> Vec<Eval<'a>> {
        all.iter().map(|e| self.eval(e, env)).collect()
    }

    /// An expression asked whole: an entity that nothing is known of is unknown.
    fn whole(&self, e: &'a Expr, env: Scope<'_, 'a>) -> Eval<'a> {
        self.given.settle(self.eval(e, env))
    }

    /// A set or record of plain parts.
    fn strict(&self, parts: &'a [Expr], env: Scope<'_, 'a>, make: impl Fn(Vec<Value>) -> Value) -> Eval<'a> {
        let parts: Vec<Eval<'a>> =
            self.eval_all(parts, env).into_iter().map(|p| self.given.plain(p)).collect();
        apply(&parts, |v| Eval::Is(V::Plain(make(v.iter().map(|v| v.plain().clone()).collect()))))
    }

    pub(crate) fn root(&self, root: RootId) -> Eval<'a> {
        match self.changed.get(&root) {
            Some(state) => state.clone(),
            None => self.roots.get_or(root, || self.given.root(root)),
        }
    }

    pub(crate) fn item<'e>(&self, var: VarId, env: Scope<'e, 'a>) -> Option<&'e Item<'a>> {
        env.and_then(|env| env.find(var))
    }

    fn let_value(&self, id: LetId) -> Eval<'a> {
        self.lets.get_or(id, || match self.book.lets.get(id.ix()) {
            Some(l) => self.eval(&l.value, None),
            None => Eval::absent(),
        })
    }

    fn output_of(&self, id: OutputId, var: VarId, env: Scope<'_, 'a>) -> Eval<'a> {
        let index = self.item(var, env).and_then(|item| item.index);
        self.element(id, index)
    }

    /// `previous(of)`: what `of` is for the element before; absent for the first.
    fn previous(&self, var: VarId, list: RootId, of: &'a Expr, env: Scope<'_, 'a>) -> Eval<'a> {
        let before = self.item(var, env).and_then(|item| item.index?.checked_sub(1));
        let items = match self.root(list) {
            Eval::Is(V::List(items)) => items,
            _ => Rc::default(),
        };
        match before.and_then(|i| items.get(i)) {
            Some(item) => self.within_loop(var, item, env, |env| self.eval(of, env)),
            None => Eval::absent(),
        }
    }

    /// `a and b or c …`: the left spine is walked in a loop, since it may be long.
    fn junctions(&self, e: &'a Expr, env: Scope<'_, 'a>) -> Eval<'a> {
        let mut spine = Vec::new();
        let mut at = e;
        while let ExprKind::And(left, right) | ExprKind::Or(left, right) = &at.kind {
            spine.push((matches!(at.kind, ExprKind::And(..)), right));
            at = left;
        }
        let mut state = self.eval(at, env);
        for (is_and, right) in spine.into_iter().rev() {
            let right = || self.eval(right, env);
            state = if is_and { and(state, right) } else { or(state, right) };
        }
        state
    }

    /// `a + b - c …`: the left spine in a loop, likewise.
    fn ariths(&self, e: &'a Expr, env: Scope<'_, 'a>) -> Eval<'a> {
        let mut spine = Vec::new();
        let mut at = e;
        while let ExprKind::Arith(op, left, right) = &at.kind {
            spine.push((*op, left, right, &at.ty));
            at = left;
        }
        let mut state = self.eval(at, env);
        for (op, left, right, ty) in spine.into_iter().rev() {
            let right_state = self.eval(right, env);
            state = apply(&[state, right_state], |v| match v {
                [a, b] => {
                    let (a, b) = (a.plain(), b.plain());
                    let moved = time::move_date(self.linked, op, a, b);
                    let types = (&left.ty, &right.ty);
                    Eval::from_result(moved.unwrap_or_else(|| number::arith(op, a, b, types, ty)))
                }
                _ => Eval::absent(),
            });
        }
        state
    }

    fn compared(&self, op: CmpOp, a: &'a Expr, b: &'a Expr, env: Scope<'_, 'a>) -> Eval<'a> {
        apply(&[self.eval(a, env), self.eval(b, env)], |v| match v {
            [x, y] => truth(number::compare(x.plain(), y.plain()).map(|order| {
                self.comparisons.compared(Mark::of_expr(b), op, x.plain(), y.plain(), holds(op, order))
            })),
            _ => Eval::absent(),
        })
    }

    fn member(&self, x: &'a Expr, membership: &'a Membership, env: Scope<'_, 'a>) -> Eval<'a> {
        let x_state = self.eval(x, env);
        match membership {
            Membership::Values(values) => {
                let mut operands = vec![x_state];
                operands.extend(self.eval_all(values, env));
                apply(&operands, |v| match v {
                    [x, values @ ..] => Eval::bool(values.contains(x)),
                    [] => Eval::absent(),
                })
            }
            Membership::Nodes(nodes) => {
                apply(&[x_state], |v| Eval::bool(nodes.iter().any(|n| self.lies_under(first(v), *n, &x.ty))))
            }
            Membership::Interval { low, low_in, high, high_in } => {
                let operands = [x_state, self.eval(low, env), self.eval(high, env)];
                apply(&operands, |v| match v {
                    [x, first, last] => {
                        let from = CmpOp::reaching(*low_in, true);
                        let to = CmpOp::reaching(*high_in, false);
                        let bounded = |mark: &Expr, bound: &V<'a>, op: CmpOp| {
                            let (x, bound) = (x.plain(), bound.plain());
                            let inside = within(x, bound, op)?;
                            Ok(self.comparisons.compared(Mark::of_expr(mark), op, x, bound, inside))
                        };
                        truth(
                            bounded(low, first, from)
                                .and_then(|above| bounded(high, last, to).map(|below| above && below)),
                        )
                    }
                    _ => Eval::absent(),
                })
            }
            Membership::Collection(list) => self.in_collection(x_state, x, list, env),
        }
    }

    /// Whether `x` is one of a list's elements: `x is a or x is b …`, an unknown element being an unknown comparison.
    fn in_collection(&self, x: Eval<'a>, of: &'a Expr, list: &'a Expr, env: Scope<'_, 'a>) -> Eval<'a> {
        let list = self.eval(list, env);
        let elements: Vec<Eval<'a>> = match &list {
            Eval::Is(V::List(items)) => items.iter().map(|i| i.state.clone()).collect(),
            Eval::Is(V::Plain(Value::Set(items))) => items.iter().cloned().map(Eval::of).collect(),
            Eval::Is(_) => Vec::new(),
            _ => return worst(&[x, list]).unwrap_or_else(Eval::absent),
        };
        let same = |x: &V<'a>, e: &V<'a>| match e.plain() {
            Value::Node(n) => self.lies_under(x.plain(), *n, &of.ty),
            _ => x == e,
        };
        // Elements that are values are one operand, so that candidates of `x` are tried against all of them at once.
        let certain: Vec<V<'a>> = elements.iter().filter_map(|e| e.value().cloned()).collect();
        let found = apply(std::slice::from_ref(&x), |v| {
            Eval::bool(v.iter().any(|x| certain.iter().any(|e| same(x, e))))
        });
        elements.into_iter().filter(|e| !e.is_value()).fold(found, |state, e| {
            or(state, || apply(&[x.clone(), e], |v| Eval::bool(matches!(v, [x, e] if same(x, e)))))
        })
    }

    /// Whether a taxonomy's node is `node` or lies below it.
    pub(crate) fn lies_under(&self, value: &Value, node: u32, ty: &Ty) -> bool {
        match (value, ty.inner()) {
            (Value::Node(n), Ty::Node(id)) => {
                self.vocab().taxonomies.get(id.ix()).is_some_and(|t| t.is_under(*n, node))
            }
            _ => false,
        }
    }

    /// `if`: a condition that is not a value leaves both branches possible; if they are equal values, it does not matter.
    fn branch(
        &self,
        condition: &'a Expr,
        then: &'a Expr,
        otherwise: &'a Expr,
        env: Scope<'_, 'a>,
    ) -> Eval<'a> {
        let condition = self.eval(condition, env);
        if let Eval::Is(v) = &condition {
            return self.eval(if v.is_true() { then } else { otherwise }, env);
        }
        let branches = [self.eval(then, env), self.eval(otherwise, env)];
        either(condition, branches)
    }

    /// `x otherwise y`: `y` is looked at only if `x` is absent or may be.
    fn otherwise(&self, x: &'a Expr, y: &'a Expr, env: Scope<'_, 'a>) -> Eval<'a> {
        let x = self.whole(x, env);
        match &x {
            Eval::Is(v) if v.is_absent() => self.eval(y, env),
            Eval::Unknown { candidates: Some(values), .. } if values.contains(&Value::Absent) => {
                let y = self.eval(y, env);
                if y.is_stuck() {
                    // It is not needed if there turns out to be an `x`.
                    return x.plain_unknown();
                }
                apply(&[x, y], |v| match v {
                    [x, y] if x.is_absent() => Eval::Is(y.clone()),
                    [x, _] => Eval::Is(x.clone()),
                    _ => Eval::absent(),
                })
            }
            _ => x,
        }
    }

    fn rounding(
        &self,
        e: &'a Expr,
        value: &Value,
        rounding: &'a Rounding,
        step: Option<&num_rational::BigRational>,
    ) -> Eval<'a> {
        let step = step.cloned().unwrap_or_else(|| number::step_of(self.vocab(), value, &e.ty));
        let after = match (number::rounded(value, rounding, &step, &e.ty), rounding) {
            (Some(result), _) => Eval::from_result(result),
            (None, Rounding::Undecided(question)) => Eval::undecided(question),
            (None, Rounding::Mode(_)) => Eval::of(value.clone()),
        };
        let record = Rounded { expr: e, before: value.clone(), step, after: after.clone() };
        self.roundings.borrow_mut().push(record);
        after
    }

    /// Another decision with some roots changed; facts keep the names that they have here.
    fn call(
        &self,
        decision: DecisionId,
        changes: &'a [(RootId, Expr)],
        output: OutputId,
        env: Scope<'_, 'a>,
    ) -> Eval<'a> {
        let mut changed: BTreeMap<RootId, Eval<'a>> = self.changed.as_ref().clone();
        for (root, e) in changes {
            changed.insert(*root, renumbered(self.eval(e, env)));
        }
        let callee = Walk::changing(
            decision,
            self.given,
            self.depth.clone(),
            self.comparisons.clone(),
            Rc::new(changed),
        );
        let result = callee.output(output);
        // An explanation shows the roundings of called decisions, too.
        self.roundings.borrow_mut().append(&mut callee.roundings.borrow_mut());
        match &result.state {
            Eval::Is(v) => Eval::of(v.plain().clone()),
            other => other.clone(),
        }
    }

    /// The scope of a loop's body.
    pub(crate) fn within_loop<T>(
        &self,
        var: VarId,
        item: &Item<'a>,
        env: Scope<'_, 'a>,
        f: impl FnOnce(Scope<'_, 'a>) -> T,
    ) -> T {
        f(Some(&Env::with(&[var], item, env)))
    }
}

/// One of two states, by a condition that is not a value.
pub(crate) fn either<'a>(condition: Eval<'a>, branches: [Eval<'a>; 2]) -> Eval<'a> {
    if let [Eval::Is(a), Eval::Is(b)] = &branches
        && a == b
    {
        return Eval::Is(a.clone());
    }
    let known: Option<Vec<Vec<V<'a>>>> = branches.iter().map(Eval::known_values).collect();
    let missing = |with: Option<&Eval<'a>>| {
        let open = branches.iter().filter(|b| matches!(b, Eval::Unknown { .. }));
        worst(with.into_iter().chain(open)).unwrap_or_else(Eval::absent)
    };
    let Eval::Unknown { candidates, .. } = &condition else {
        // Whichever branch it would be: only branches that turn out equal make up for it.
        let apart = |known: &Vec<Vec<V<'a>>>| match known.as_slice() {
            [a, b] => !a.iter().any(|v| b.contains(v)),
            _ => false,
        };
        if branches.iter().any(Eval::is_stuck) || known.as_ref().is_some_and(apart) {
            let stuck = branches.iter().filter(|b| b.is_stuck());
            return worst([&condition].into_iter().chain(stuck)).unwrap_or_else(Eval::absent);
        }
        return missing(None);
    };
    if let Some(stuck) = all_stuck(&branches) {
        return stuck;
    }
    let unknown = missing(Some(&condition));
    match known {
        Some(known) if candidates.is_some() => {
            gather(unknown, known.into_iter().flatten().map(Eval::Is).collect())
        }
        _ => unknown,
    }
}

/// The one operand's value.
fn first<'v>(v: &'v [V<'_>]) -> &'v Value {
    v.first().map_or(&Value::Absent, |v| v.plain())
}

fn truth<'a>(result: Result<bool, Fault>) -> Eval<'a> {
    Eval::from_result(result.map(Value::Bool))
}

/// `<` and its like, of an order.
pub(crate) fn holds(op: CmpOp, order: Ordering) -> bool {
    match op {
        CmpOp::Lt => order.is_lt(),
        CmpOp::Le => order.is_le(),
        CmpOp::Gt => order.is_gt(),
        CmpOp::Ge => order.is_ge(),
    }
}

impl CmpOp {
    /// The comparison with a bound that belongs to the interval or not.
    pub(crate) fn reaching(bound_in: bool, low: bool) -> CmpOp {
        match (low, bound_in) {
            (true, true) => CmpOp::Ge,
            (true, false) => CmpOp::Gt,
            (false, true) => CmpOp::Le,
            (false, false) => CmpOp::Lt,
        }
    }
}

/// Whether a value stands so to a bound; what is absent lies in no interval.
pub(crate) fn within(x: &Value, bound: &Value, op: CmpOp) -> Result<bool, Fault> {
    if *x == Value::Absent {
        return Ok(false);
    }
    Ok(holds(op, number::compare(x, bound)?))
}

/// What narrowing makes of an optional value: absent is no longer possible.
fn present<'a>(state: Eval<'a>) -> Eval<'a> {
    match state {
        Eval::Unknown { facts, candidates: Some(values) } => {
            let unknown = Eval::Unknown { facts, candidates: None };
            gather(unknown, values.into_iter().filter(|v| *v != Value::Absent).map(Eval::of).collect())
        }
        other => other,
    }
}

/// A list of values, numbered from 0.
fn list_of<'a>(values: &[V<'a>]) -> V<'a> {
    let item = |(i, v): (usize, &V<'a>)| Item { state: Eval::Is(v.clone()), index: Some(i) };
    V::List(Rc::new(values.iter().enumerate().map(item).collect()))
}

/// A list that becomes a root: its elements are numbered anew.
fn renumbered<'a>(state: Eval<'a>) -> Eval<'a> {
    match state {
        Eval::Is(V::List(items)) => {
            let item = |(i, item): (usize, &Item<'a>)| Item { state: item.state.clone(), index: Some(i) };
            Eval::Is(V::List(Rc::new(items.iter().enumerate().map(item).collect())))
        }
        other => other,
    }
}
