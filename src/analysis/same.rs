//! What contradicts itself by its words alone: `a <= b` with `a > b`, `x` with `not x`, `n < 3` with `n >= 5`.
//!
//! Two comparisons of the same expressions are of one number, whatever it is computed from; so this proves what no finite
//! list of facts could.
use crate::analysis::goal::{Goal, Line, Part};
use crate::lang::typed::*;
use num_rational::BigRational;
use std::collections::BTreeMap;
use std::fmt::Write;

/// How the two sides of a comparison may lie to each other: bits for less, equal, greater, and not comparable.
type Relations = u8;
const LESS: Relations = 1;
const EQUAL: Relations = 2;
const GREATER: Relations = 4;
const NEITHER: Relations = 8;

/// Bounds of a number: a value, and whether it belongs to what is allowed.
#[derive(Default)]
struct Bounds {
    low: Option<(BigRational, bool)>,
    high: Option<(BigRational, bool)>,
}

/// Whether a goal's parts cannot all hold, whatever the facts.
pub fn impossible(goal: &Goal<'_>) -> bool {
    let mut said = Said::default();
    goal.parts.iter().any(|part| match part {
        Part::Is(e, wanted, line) => said.contradicts(e, *wanted, line.as_ref()),
        _ => false,
    })
}

/// What parts have said so far.
#[derive(Default)]
struct Said {
    truths: BTreeMap<String, bool>,
    relations: BTreeMap<(String, String), Relations>,
    bounds: BTreeMap<String, Bounds>,
}

impl Said {
    fn contradicts(&mut self, e: &Expr, wanted: bool, line: Option<&Line>) -> bool {
        let key = |e: &Expr| {
            let mut out = String::new();
            write_key(e, line, &mut out);
            out
        };
        if *self.truths.entry(key(e)).or_insert(wanted) != wanted {
            return true;
        }
        match &e.kind {
            ExprKind::Cmp(op, a, b) => {
                let allowed = match op {
                    CmpOp::Lt => LESS,
                    CmpOp::Le => LESS | EQUAL,
                    CmpOp::Gt => GREATER,
                    CmpOp::Ge => GREATER | EQUAL,
                };
                let all = LESS | EQUAL | GREATER | NEITHER;
                self.relate(a, b, if wanted { allowed } else { all & !allowed }, key)
            }
            ExprKind::Is(a, b) => {
                let all = LESS | EQUAL | GREATER | NEITHER;
                self.relate(a, b, if wanted { EQUAL } else { all & !EQUAL }, key)
            }
            ExprKind::In(x, Membership::Interval { low, low_in, high, high_in }) if wanted => {
                let closed = |is_in: bool, side: Relations| if is_in { side | EQUAL } else { side };
                self.relate(x, low, closed(*low_in, GREATER), key)
                    || self.relate(x, high, closed(*high_in, LESS), key)
            }
            _ => false,
        }
    }

    fn relate(&mut self, a: &Expr, b: &Expr, allowed: Relations, key: impl Fn(&Expr) -> String) -> bool {
        let (left, right) = (key(a), key(b));
        let turned = |r: Relations| {
            (r & (EQUAL | NEITHER))
                | if r & LESS > 0 { GREATER } else { 0 }
                | if r & GREATER > 0 { LESS } else { 0 }
        };
        let (pair, allowed_here) = if left <= right {
            ((left.clone(), right.clone()), allowed)
        } else {
            ((right.clone(), left.clone()), turned(allowed))
        };
        let known = self.relations.entry(pair).or_insert(LESS | EQUAL | GREATER | NEITHER);
        *known &= allowed_here;
        if *known == 0 {
            return true;
        }
        match (number(a), number(b)) {
            (None, Some(n)) => self.bound(left, n, allowed),
            (Some(n), None) => self.bound(right, n, turned(allowed)),
            _ => false,
        }
    }

    /// `term` lies to a number as `allowed` says.
    fn bound(&mut self, term: String, n: BigRational, allowed: Relations) -> bool {
        if allowed & NEITHER > 0 {
            return false;
        }
        let bounds = self.bounds.entry(term).or_default();
        let is_in = allowed & EQUAL > 0;
        if allowed & GREATER == 0 && bounds.high.as_ref().is_none_or(|(h, h_in)| n < *h || (n == *h && *h_in))
        {
            bounds.high = Some((n.clone(), is_in));
        }
        if allowed & LESS == 0 && bounds.low.as_ref().is_none_or(|(l, l_in)| n > *l || (n == *l && *l_in)) {
            bounds.low = Some((n, is_in));
        }
        match (&bounds.low, &bounds.high) {
            (Some((l, l_in)), Some((h, h_in))) => l > h || (l == h && !(*l_in && *h_in)),
            _ => false,
        }
    }
}

/// A constant on a line of numbers: amounts of one currency, units, dates; of periods none, for months have no fixed length.
fn number(e: &Expr) -> Option<BigRational> {
    match &e.kind {
        ExprKind::Const(Const::Num(n)) => Some(n.clone()),
        // Amounts of other currencies compare with nothing.
        ExprKind::Const(Const::Money(n, CurrencyId(0))) => Some(n.clone()),
        ExprKind::Const(Const::Date(d)) => Some(BigRational::from_integer((*d).into())),
        ExprKind::Const(Const::Enum(n)) => Some(BigRational::from_integer((*n).into())),
        ExprKind::Widen(x) | ExprKind::Present(x) => number(x),
        _ => None,
    }
}

/// Whether two expressions are the same text about the same things.
pub fn same(a: &Expr, b: &Expr) -> bool {
    let key = |e: &Expr| {
        let mut out = String::new();
        write_key(e, None, &mut out);
        out
    };
    key(a) == key(b)
}

/// A text that is equal for expressions that mean the same. What `Present` says depends on the place, its value does not.
fn write_key(e: &Expr, line: Option<&Line>, out: &mut String) {
    // Writing to a string does not fail.
    let mut tag = |text: std::fmt::Arguments<'_>| {
        let _ = out.write_fmt(text);
    };
    match &e.kind {
        ExprKind::Present(x) => return write_key(x, line, out),
        ExprKind::Const(c) => tag(format_args!("c{c:?}")),
        ExprKind::Root(r) => tag(format_args!("r{}", r.0)),
        ExprKind::FactCall(f, _) => tag(format_args!("f{}", f.0)),
        ExprKind::Var(v) => match line.filter(|l| l.vars.contains(v)) {
            Some(l) => tag(format_args!("e{}:{}", l.root.0, l.index)),
            None => tag(format_args!("v{}", v.0)),
        },
        ExprKind::Field(_, i) => tag(format_args!(".{i}")),
        ExprKind::Let(id) => tag(format_args!("l{}", id.0)),
        ExprKind::Param(id) => tag(format_args!("p{}", id.0)),
        ExprKind::Output(id) => tag(format_args!("o{}", id.0)),
        ExprKind::OutputOf(id, v) => match line.filter(|l| l.vars.contains(v)) {
            Some(l) => tag(format_args!("o{}[{}]", id.0, l.index)),
            None => tag(format_args!("o{}[v{}]", id.0, v.0)),
        },
        ExprKind::Not(_) => tag(format_args!("!")),
        ExprKind::And(..) => tag(format_args!("&")),
        ExprKind::Or(..) => tag(format_args!("|")),
        ExprKind::Is(..) => tag(format_args!("=")),
        ExprKind::IsAbsent(_) => tag(format_args!("?")),
        ExprKind::Cmp(op, ..) => tag(format_args!("{op:?}")),
        ExprKind::In(_, Membership::Nodes(nodes)) => tag(format_args!("in{nodes:?}")),
        ExprKind::In(_, Membership::Values(_)) => tag(format_args!("inv")),
        ExprKind::In(_, Membership::Collection(_)) => tag(format_args!("inc")),
        ExprKind::In(_, Membership::Interval { low_in, high_in, .. }) => {
            tag(format_args!("ini{low_in}{high_in}"));
        }
        ExprKind::Arith(op, ..) => tag(format_args!("{op:?}")),
        ExprKind::Neg(_) => tag(format_args!("-")),
        ExprKind::Widen(_) => tag(format_args!("w")),
        ExprKind::If(..) => tag(format_args!("if")),
        ExprKind::Otherwise(..) => tag(format_args!("??")),
        ExprKind::Between(span, ..) => tag(format_args!("{span:?}")),
        ExprKind::Lookup { table, result, .. } => tag(format_args!("t{}.{result}", table.0)),
        ExprKind::Func(f, _) => tag(format_args!("{f:?}")),
        ExprKind::List(_) => tag(format_args!("list")),
        ExprKind::Set(_) => tag(format_args!("set")),
        // What is left stands for itself alone.
        _ => return tag(format_args!("@{:p}", e)),
    }
    out.push('(');
    visit::children(e, &mut |c| {
        write_key(c, line, out);
        out.push(',');
    });
    out.push(')');
}
