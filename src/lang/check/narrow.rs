//! What a condition that holds says about the values it speaks of.
//!
//! Values and conditions are compared by a canonical text of their typed form, so that `item.fault` is the same value
//! wherever it is written.
use super::cx::{Cx, LetState, Scope};
use crate::lang::typed::*;
use std::fmt::Write;

impl Cx<'_> {
    /// Notes in `scope` what follows from `cond` being true (or false).
    pub fn assume(&self, scope: &mut Scope, cond: &Expr, holds: bool) {
        if holds {
            scope.assumed.push(self.fingerprint(cond, None));
        }
        match (&cond.kind, holds) {
            (ExprKind::And(a, b), true) | (ExprKind::Or(a, b), false) => {
                self.assume(scope, a, holds);
                self.assume(scope, b, holds);
            }
            (ExprKind::Not(e), _) => self.assume(scope, e, !holds),
            (ExprKind::IsAbsent(e), false) => scope.present.push(self.fingerprint(e, None)),
            (ExprKind::Is(a, b), true) => {
                for (x, y) in [(a, b), (b, a)] {
                    if x.ty.is_optional() && !y.ty.is_optional() && y.ty != Ty::Never {
                        scope.present.push(self.fingerprint(x, None));
                    }
                }
            }
            // A named condition says what it is defined as.
            (ExprKind::Let(id), _) => {
                if let Some(LetState::Done(value)) = self.lets.get(id.ix()).map(|l| &l.state) {
                    self.assume(scope, value, holds);
                }
            }
            _ => {}
        }
    }

    /// Reads `e` as present if that is known here.
    pub fn narrowed(&self, scope: &Scope, e: Expr) -> Expr {
        let Ty::Opt(inner) = &e.ty else { return e };
        if scope.present.is_empty() || matches!(e.kind, ExprKind::Const(_)) {
            return e;
        }
        if !scope.present.contains(&self.fingerprint(&e, None)) {
            return e;
        }
        let (ty, span) = ((**inner).clone(), e.span);
        Expr { on_step: e.on_step, kind: ExprKind::Present(Box::new(e)), ty, span }
    }

    /// A canonical text of an expression's meaning; `own` is written as a place holder, so that guards over different
    /// elements of one list compare equal.
    pub fn fingerprint(&self, e: &Expr, own: Option<VarId>) -> String {
        let mut out = String::new();
        write_key(&mut out, e, &mut Names { own, bound: Vec::new() });
        out
    }
}

/// How loop variables are written: one as a place holder, those of loops within the text by their depth, so that two
/// texts with loops of their own compare equal.
struct Names {
    own: Option<VarId>,
    bound: Vec<VarId>,
}

fn list(out: &mut String, items: &[Expr], names: &mut Names) {
    for item in items {
        write_key(out, item, names);
        out.push(',');
    }
}

fn var(out: &mut String, v: VarId, names: &mut Names) {
    if Some(v) == names.own {
        out.push_str("v*");
    } else if let Some(depth) = names.bound.iter().rposition(|b| *b == v) {
        let _ = write!(out, "b{depth}");
    } else {
        let _ = write!(out, "v{}", v.0);
    }
}

fn open(out: &mut String, head: &str, parts: &[&Expr], names: &mut Names) {
    let _ = write!(out, "{head}(");
    for p in parts {
        write_key(out, p, names);
        out.push(',');
    }
    out.push(')');
}

/// Parts that a loop's own variable is known in.
fn inside(out: &mut String, v: VarId, parts: &[Option<&Expr>], names: &mut Names) {
    names.bound.push(v);
    for part in parts {
        match part {
            Some(x) => write_key(out, x, names),
            None => out.push('-'),
        }
        out.push(';');
    }
    names.bound.pop();
}

fn write_key(out: &mut String, e: &Expr, names: &mut Names) {
    match &e.kind {
        // Presence changes how a value is read, not which value it is.
        ExprKind::Present(x) => write_key(out, x, names),
        ExprKind::Const(c) => {
            let _ = write!(out, "{c:?}:{:?}", e.ty.inner());
        }
        ExprKind::Root(r) => {
            let _ = write!(out, "r{}", r.0);
        }
        ExprKind::FactCall(f, args) => {
            let _ = write!(out, "f{}(", f.0);
            list(out, args, names);
            out.push(')');
        }
        ExprKind::Var(v) => var(out, *v, names),
        ExprKind::Field(x, i) => {
            write_key(out, x, names);
            let _ = write!(out, ".{i}");
        }
        ExprKind::Let(id) => {
            let _ = write!(out, "l{}", id.0);
        }
        ExprKind::Param(id) => {
            let _ = write!(out, "p{}", id.0);
        }
        ExprKind::Output(id) => {
            let _ = write!(out, "o{}", id.0);
        }
        ExprKind::OutputOf(id, v) => {
            let _ = write!(out, "o{}@", id.0);
            var(out, *v, names);
        }
        ExprKind::Not(x) => open(out, "not", &[x], names),
        ExprKind::And(a, b) => open(out, "and", &[a, b], names),
        ExprKind::Or(a, b) => open(out, "or", &[a, b], names),
        ExprKind::Is(a, b) => open(out, "is", &[a, b], names),
        ExprKind::IsAbsent(x) => open(out, "absent", &[x], names),
        ExprKind::Cmp(op, a, b) => open(out, &format!("{op:?}"), &[a, b], names),
        ExprKind::Arith(op, a, b) => open(out, &format!("{op:?}"), &[a, b], names),
        ExprKind::Neg(x) => open(out, "neg", &[x], names),
        ExprKind::Widen(x) => open(out, "widen", &[x], names),
        ExprKind::Round { value, rounding, step } => {
            open(out, &format!("round{rounding:?}{step:?}"), &[value], names);
        }
        ExprKind::If(c, a, b) => open(out, "if", &[c, a, b], names),
        ExprKind::Otherwise(a, b) => open(out, "otherwise", &[a, b], names),
        ExprKind::Between(unit, a, b) => open(out, &format!("{unit:?}"), &[a, b], names),
        ExprKind::In(x, m) => {
            open(out, "in", &[x], names);
            match m {
                Membership::Values(v) => list(out, v, names),
                Membership::Nodes(n) => {
                    let _ = write!(out, "{n:?}");
                }
                Membership::Interval { low, low_in, high, high_in } => {
                    open(out, &format!("{low_in}{high_in}"), &[low, high], names);
                }
                Membership::Collection(c) => open(out, "of", &[c], names),
            }
        }
        ExprKind::Lookup { table, args, result } => {
            let _ = write!(out, "t{}.{result}(", table.0);
            list(out, args, names);
            out.push(')');
        }
        ExprKind::Fill { table, budget, part } => {
            open(out, &format!("fill{}{part:?}", table.0), &[budget], names);
        }
        ExprKind::Call { decision, changes, output } => {
            let _ = write!(out, "d{}.{}(", decision.0, output.0);
            for (root, value) in changes {
                let _ = write!(out, "{}=", root.0);
                write_key(out, value, names);
                out.push(',');
            }
            out.push(')');
        }
        ExprKind::Comp { kind, var: v, list: l, cond, body } => {
            open(out, &format!("{kind:?}"), &[l], names);
            inside(out, *v, &[cond.as_deref(), body.as_deref()], names);
        }
        ExprKind::Split { amount, var: v, list: l, weight } => {
            open(out, "split", &[amount, l], names);
            inside(out, *v, &[Some(weight)], names);
        }
        ExprKind::Share { of, amount, var: v, list: l, weight } => {
            out.push_str("share");
            var(out, *of, names);
            open(out, "", &[amount, l], names);
            inside(out, *v, &[Some(weight)], names);
        }
        ExprKind::Previous { var: v, list: l, of } => {
            let _ = write!(out, "before{}@", l.0);
            var(out, *v, names);
            open(out, "", &[of], names);
        }
        ExprKind::Func(f, args) => {
            let _ = write!(out, "{f:?}(");
            list(out, args, names);
            out.push(')');
        }
        ExprKind::List(items) => {
            out.push('[');
            list(out, items, names);
            out.push(']');
        }
        ExprKind::Set(items) => {
            out.push('{');
            list(out, items, names);
            out.push('}');
        }
        ExprKind::Record(id, items) => {
            let _ = write!(out, "e{}(", id.0);
            list(out, items, names);
            out.push(')');
        }
        ExprKind::Undecided(label) => {
            let _ = write!(out, "undecided{label:?}");
        }
    }
}
