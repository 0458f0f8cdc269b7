//! Walking typed expressions: their parts, read or changed in place.
use crate::lang::typed::*;

/// Calls `f` on each direct part of an expression.
pub fn children<'e>(e: &'e Expr, f: &mut dyn FnMut(&'e Expr)) {
    match &e.kind {
        ExprKind::Const(_)
        | ExprKind::Root(_)
        | ExprKind::Var(_)
        | ExprKind::Let(_)
        | ExprKind::Param(_)
        | ExprKind::Output(_)
        | ExprKind::OutputOf(..)
        | ExprKind::Undecided(_) => {}
        ExprKind::FactCall(_, items)
        | ExprKind::Func(_, items)
        | ExprKind::List(items)
        | ExprKind::Set(items)
        | ExprKind::Record(_, items)
        | ExprKind::Lookup { args: items, .. } => items.iter().for_each(f),
        ExprKind::Field(x, _)
        | ExprKind::Not(x)
        | ExprKind::IsAbsent(x)
        | ExprKind::Neg(x)
        | ExprKind::Widen(x)
        | ExprKind::Present(x)
        | ExprKind::Round { value: x, .. }
        | ExprKind::Fill { budget: x, .. }
        | ExprKind::Previous { of: x, .. } => f(x),
        ExprKind::And(a, b)
        | ExprKind::Or(a, b)
        | ExprKind::Is(a, b)
        | ExprKind::Cmp(_, a, b)
        | ExprKind::Arith(_, a, b)
        | ExprKind::Otherwise(a, b)
        | ExprKind::Between(_, a, b) => {
            f(a);
            f(b);
        }
        ExprKind::If(c, a, b) => {
            f(c);
            f(a);
            f(b);
        }
        ExprKind::In(x, m) => {
            f(x);
            match m {
                Membership::Values(items) => items.iter().for_each(f),
                Membership::Nodes(_) => {}
                Membership::Interval { low, high, .. } => {
                    f(low);
                    f(high);
                }
                Membership::Collection(c) => f(c),
            }
        }
        ExprKind::Call { changes, .. } => changes.iter().for_each(|(_, e)| f(e)),
        ExprKind::Comp { list, cond, body, .. } => {
            f(list);
            if let Some(c) = cond {
                f(c);
            }
            if let Some(b) = body {
                f(b);
            }
        }
        ExprKind::Split { amount, list, weight, .. } | ExprKind::Share { amount, list, weight, .. } => {
            f(amount);
            f(list);
            f(weight);
        }
    }
}

/// Calls `f` on an expression and on all its parts, outermost first.
pub fn all<'e>(e: &'e Expr, f: &mut dyn FnMut(&'e Expr)) {
    f(e);
    children(e, &mut |c| all(c, f));
}

/// Calls `f` on each direct part of an expression, to change it.
pub fn children_mut(e: &mut Expr, f: &mut dyn FnMut(&mut Expr)) {
    match &mut e.kind {
        ExprKind::Const(_)
        | ExprKind::Root(_)
        | ExprKind::Var(_)
        | ExprKind::Let(_)
        | ExprKind::Param(_)
        | ExprKind::Output(_)
        | ExprKind::OutputOf(..)
        | ExprKind::Undecided(_) => {}
        ExprKind::FactCall(_, items)
        | ExprKind::Func(_, items)
        | ExprKind::List(items)
        | ExprKind::Set(items)
        | ExprKind::Record(_, items)
        | ExprKind::Lookup { args: items, .. } => items.iter_mut().for_each(f),
        ExprKind::Field(x, _)
        | ExprKind::Not(x)
        | ExprKind::IsAbsent(x)
        | ExprKind::Neg(x)
        | ExprKind::Widen(x)
        | ExprKind::Present(x)
        | ExprKind::Round { value: x, .. }
        | ExprKind::Fill { budget: x, .. }
        | ExprKind::Previous { of: x, .. } => f(x),
        ExprKind::And(a, b)
        | ExprKind::Or(a, b)
        | ExprKind::Is(a, b)
        | ExprKind::Cmp(_, a, b)
        | ExprKind::Arith(_, a, b)
        | ExprKind::Otherwise(a, b)
        | ExprKind::Between(_, a, b) => {
            f(a);
            f(b);
        }
        ExprKind::If(c, a, b) => {
            f(c);
            f(a);
            f(b);
        }
        ExprKind::In(x, m) => {
            f(x);
            match m {
                Membership::Values(items) => items.iter_mut().for_each(f),
                Membership::Nodes(_) => {}
                Membership::Interval { low, high, .. } => {
                    f(low);
                    f(high);
                }
                Membership::Collection(c) => f(c),
            }
        }
        ExprKind::Call { changes, .. } => changes.iter_mut().for_each(|(_, e)| f(e)),
        ExprKind::Comp { list, cond, body, .. } => {
            f(list);
            if let Some(c) = cond {
                f(c);
            }
            if let Some(b) = body {
                f(b);
            }
        }
        ExprKind::Split { amount, list, weight, .. } | ExprKind::Share { amount, list, weight, .. } => {
            f(amount);
            f(list);
            f(weight);
        }
    }
}

/// The same expression over another loop variable.
pub fn rename(mut e: Expr, from: VarId, to: VarId) -> Expr {
    fn go(e: &mut Expr, from: VarId, to: VarId) {
        match &mut e.kind {
            ExprKind::Var(v) | ExprKind::OutputOf(_, v) if *v == from => *v = to,
            ExprKind::Share { of, .. } if *of == from => *of = to,
            ExprKind::Previous { var, .. } if *var == from => *var = to,
            _ => {}
        }
        children_mut(e, &mut |c| go(c, from, to));
    }
    go(&mut e, from, to);
    e
}
