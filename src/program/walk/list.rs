//! Comprehensions, and amounts split over lists.
use crate::lang::typed::*;
use crate::program::outcome::Fault;
use crate::program::round::round;
use crate::program::value::Value;
use crate::program::walk::number;
use crate::program::walk::state::{Eval, Item, V, and, apply, or, worst};
use crate::program::walk::{Scope, Walk};
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};
use std::rc::Rc;

/// A loop: its variable, list and weight.
type Weighted<'a> = (VarId, &'a Expr, &'a Expr);

impl<'a> Walk<'a> {
    /// The elements of a list; otherwise the state that the whole loop has.
    pub(crate) fn elements(&self, list: &'a Expr, env: Scope<'_, 'a>) -> Result<Rc<Vec<Item<'a>>>, Eval<'a>> {
        match self.eval(list, env) {
            Eval::Is(V::List(items)) => Ok(items),
            Eval::Is(V::Plain(Value::Set(items))) => {
                let item = |(i, v): (usize, &Value)| Item { state: Eval::of(v.clone()), index: Some(i) };
                Ok(Rc::new(items.iter().enumerate().map(item).collect()))
            }
            other => Err(other.plain_unknown()),
        }
    }

    pub(crate) fn comprehension(
        &self,
        e: &'a Expr,
        (kind, var): (CompKind, VarId),
        list: &'a Expr,
        cond: Option<&'a Expr>,
        body: Option<&'a Expr>,
        env: Scope<'_, 'a>,
    ) -> Eval<'a> {
        let items = match self.elements(list, env) {
            Ok(items) => items,
            Err(state) => return state,
        };
        let wanted = |item: &Item<'a>| match cond {
            Some(cond) => self.within_loop(var, item, env, |env| self.eval(cond, env)),
            None => Eval::bool(true),
        };
        let bodied = |item: &Item<'a>| match body {
            Some(body) => self.within_loop(var, item, env, |env| self.eval(body, env)),
            None => Eval::bool(true),
        };
        if matches!(kind, CompKind::Any | CompKind::All) {
            return quantified(&items, kind == CompKind::Any, wanted, bodied);
        }
        // Conditions that are not values, and the bodies of the elements that are wanted.
        let (mut open, mut bodies, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        for item in items.iter() {
            match wanted(item) {
                Eval::Is(v) if v.is_true() => {
                    bodies.push(bodied(item));
                    kept.push(item.index);
                }
                Eval::Is(_) => {}
                state => open.push(state),
            }
        }
        if !open.is_empty() {
            return worst(open.iter().chain(&bodies)).unwrap_or_else(Eval::absent);
        }
        let ty = &e.ty;
        // Only a list of the very elements keeps their places.
        let same = body.is_some_and(|b| matches!(&b.kind, ExprKind::Var(v) if *v == var));
        apply(&bodies, |v| {
            let plain = v.iter().map(V::plain);
            match kind {
                CompKind::Sum => Eval::from_result(number::sum(plain, ty)),
                CompKind::Count => Eval::of(Value::Num(BigRational::from_integer(v.len().into()))),
                CompKind::Min | CompKind::Max => {
                    let best = number::extreme(plain, kind == CompKind::Max);
                    Eval::from_result(best.and_then(|b| b.cloned().ok_or(Fault::EmptyExtreme)))
                }
                CompKind::List | CompKind::Any | CompKind::All => {
                    let item = |(i, (v, kept)): (usize, (&V<'a>, &Option<usize>))| Item {
                        state: Eval::Is(v.clone()),
                        index: if same { *kept } else { Some(i) },
                    };
                    Eval::Is(V::List(Rc::new(v.iter().zip(&kept).enumerate().map(item).collect())))
                }
            }
        })
    }

    /// `split(amount by weight for x in list)`
    pub(crate) fn split(
        &self,
        amount: &'a Expr,
        var: VarId,
        list: &'a Expr,
        weight: &'a Expr,
        env: Scope<'_, 'a>,
    ) -> Eval<'a> {
        self.parts(amount, (var, list, weight), env, |_, parts| Some(Value::List(parts.into())))
    }

    /// `share(of, amount, weight for x in list)`: one part of the split.
    pub(crate) fn share(
        &self,
        of: VarId,
        amount: &'a Expr,
        over: Weighted<'a>,
        env: Scope<'_, 'a>,
    ) -> Eval<'a> {
        let index = self.item(of, env).and_then(|item| item.index);
        self.parts(amount, over, env, |items, parts| {
            let place = items.iter().position(|i| index.is_some() && i.index == index)?;
            parts.get(place).cloned()
        })
    }

    /// An amount split over a list by weight; `pick` says what is wanted of it, `None` being a part of nothing.
    fn parts(
        &self,
        amount: &'a Expr,
        (var, list, weight): Weighted<'a>,
        env: Scope<'_, 'a>,
        pick: impl Fn(&[Item<'a>], Vec<Value>) -> Option<Value>,
    ) -> Eval<'a> {
        let total = self.eval(amount, env);
        let items = match self.elements(list, env) {
            Ok(items) => items,
            Err(state) => return worst(&[total, state.clone()]).unwrap_or(state),
        };
        let mut operands = vec![total];
        operands
            .extend(items.iter().map(|item| self.within_loop(var, item, env, |env| self.eval(weight, env))));
        apply(&operands, |v| {
            let [total, weights @ ..] = v else { return Eval::absent() };
            let step = number::step_of(self.vocab(), total.plain(), &amount.ty);
            let weights: Vec<&Value> = weights.iter().map(V::plain).collect();
            Eval::from_result(divide(total.plain(), &weights, &step).map(|parts| {
                pick(&items, parts).unwrap_or_else(|| number::with_number(total.plain(), BigRational::zero()))
            }))
        })
    }
}

/// `any` and `all`: `or` and `and` from element to element, stopping where one decides.
fn quantified<'a>(
    items: &[Item<'a>],
    any: bool,
    wanted: impl Fn(&Item<'a>) -> Eval<'a>,
    bodied: impl Fn(&Item<'a>) -> Eval<'a>,
) -> Eval<'a> {
    let mut state = Eval::bool(!any);
    for item in items {
        let element = match wanted(item) {
            Eval::Is(v) if v.is_true() => bodied(item),
            Eval::Is(_) => continue,
            open => open.plain_unknown(),
        };
        state = if any { or(state, || element) } else { and(state, || element) };
        if if any { state.is_true() } else { state.is_false() } {
            break;
        }
    }
    state
}

/// Parts of `total` by weight on the step: each rounded down, then a step more for the largest remainders, the earlier
/// first among equals, until the parts sum to the total.
fn divide(total: &Value, weights: &[&Value], step: &BigRational) -> Result<Vec<Value>, Fault> {
    let Some(amount) = number::number_of(total) else { return Ok(Vec::new()) };
    if weights.is_empty() {
        return Ok(Vec::new());
    }
    // Weights in two currencies do not compare.
    number::extreme(weights.iter().copied(), true)?;
    let weights: Vec<BigRational> =
        weights.iter().map(|w| number::number_of(w).cloned().unwrap_or_else(BigRational::zero)).collect();
    let sum: BigRational = weights.iter().sum();
    if sum.is_zero() {
        return Err(Fault::DivisionByZero);
    }
    let exact: Vec<BigRational> = weights.iter().map(|w| amount * w / &sum).collect();
    let mut parts: Vec<BigRational> = exact.iter().map(|p| round(p, RoundMode::Down, step)).collect();
    let left = (amount - parts.iter().sum::<BigRational>()) / step;
    let mut order: Vec<usize> = (0..parts.len()).collect();
    let remainder = |i: &usize| match (exact.get(*i), parts.get(*i)) {
        (Some(exact), Some(part)) => exact - part,
        _ => BigRational::zero(),
    };
    // Stable, so that the earlier stays first among equals.
    order.sort_by_cached_key(|i| -remainder(i));
    let left = left.floor().to_integer().to_usize().unwrap_or(0);
    for i in order.into_iter().take(left) {
        if let Some(part) = parts.get_mut(i) {
            *part += step;
        }
    }
    Ok(parts.into_iter().map(|p| number::with_number(total, p)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn r(n: i64, d: i64) -> BigRational {
        BigRational::new(n.into(), d.into())
    }
    fn num(n: i64) -> Value {
        Value::Num(r(n, 1))
    }
    fn split(total: (i64, i64), weights: &[i64], step: (i64, i64)) -> Result<Vec<Value>, Fault> {
        let weights: Vec<Value> = weights.iter().map(|w| num(*w)).collect();
        let weights: Vec<&Value> = weights.iter().collect();
        divide(&Value::Num(r(total.0, total.1)), &weights, &r(step.0, step.1))
    }

    #[test]
    fn parts_sum_exactly_and_the_earlier_gets_the_odd_step() {
        assert_eq!(split((10, 1), &[1, 1, 1], (1, 1)), Ok(vec![num(4), num(3), num(3)]));
        assert_eq!(split((2, 1), &[1, 1, 1], (1, 1)), Ok(vec![num(1), num(1), num(0)]));
        assert_eq!(split((10, 1), &[1, 2, 4], (1, 1)), Ok(vec![num(1), num(3), num(6)]));
        assert_eq!(split((-10, 1), &[1, 1, 1], (1, 1)), Ok(vec![num(-3), num(-3), num(-4)]));
        assert_eq!(split((5, 1), &[0, 1], (1, 1)), Ok(vec![num(0), num(5)]));
        assert_eq!(split((5, 1), &[0, 0], (1, 1)), Err(Fault::DivisionByZero));
        assert_eq!(split((5, 1), &[], (1, 1)), Ok(vec![]));
    }

    #[test]
    fn any_split_sums_to_the_total() {
        for total in [-997i64, -1, 0, 1, 7, 100, 12345] {
            for weights in [vec![1, 2, 3], vec![5], vec![7, 7, 7, 7, 7, 7], vec![0, 3, 0, 9, 1]] {
                let parts = split((total, 100), &weights, (1, 100)).unwrap();
                let sum: BigRational = parts.iter().filter_map(number::number_of).sum();
                assert_eq!(sum, r(total, 100));
            }
        }
    }
}
