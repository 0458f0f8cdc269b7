//! Bounds of facts: `in [0..500]` after a type, and the values that cases give to such facts.
use super::cx::{Cx, is_broken};
use super::expr::int;
use crate::lang::ast;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;
use crate::lang::typed::*;
use num_traits::Zero;
use std::cmp::Ordering;

impl<'a> Cx<'a> {
    /// The bounds that are written after a fact's type; `None` after a finding.
    pub fn bounds(&mut self, name: &ast::Name, ty: &Ty, written: Option<&'a ast::Bounds>) -> Option<Bounds> {
        let written = written.filter(|_| *ty != Ty::Never)?;
        let inner = ty.inner();
        if !matches!(
            inner,
            Ty::Int | Ty::Dec | Ty::Money | Ty::Unit(_) | Ty::Date | Ty::DateTime | Ty::Duration
        ) {
            let message = format!("`{}` is {}, which has no bounds", name.text, self.show(inner));
            self.error_help(
                "E0307",
                written.span,
                message,
                "numbers, amounts, dates, times and durations have bounds",
            );
            return None;
        }
        for (end, open, at) in [
            (&written.low, written.low_open, "begin with `(`"),
            (&written.high, written.high_open, "end with `)`"),
        ] {
            if end.is_none() && !open {
                let message = "an end without a value belongs to nothing".to_owned();
                self.error_help(
                    "E0307",
                    written.span,
                    message,
                    format!("let it {at}: `[0..)` is 0 and more"),
                );
                return None;
            }
        }
        if written.low.is_none() && written.high.is_none() {
            self.error_help("E0307", written.span, "these bounds exclude nothing", "leave them out");
            return None;
        }
        let what = format!("each end for `{}`", name.text);
        let low = self.bound(written.low.as_ref(), written.low_open, inner, &what)?;
        let high = self.bound(written.high.as_ref(), written.high_open, inner, &what)?;
        if let (Some((low, low_in)), Some((high, high_in))) = (&low, &high) {
            // Between two whole numbers that follow each other there is none.
            let none = match (low, high) {
                (Const::Num(a), Const::Num(b)) => *inner == Ty::Int && !low_in && !high_in && b - a <= int(1),
                _ => false,
            };
            let empty = match order(low, high) {
                Some(order) => order.is_gt() || (order.is_eq() && !(*low_in && *high_in)) || none,
                None => {
                    self.error("E0307", written.span, "the two ends do not compare with each other");
                    return None;
                }
            };
            if empty {
                let message = format!("no value lies in `{}`", self.text(written.span));
                self.error_help(
                    "E0307",
                    written.span,
                    message,
                    "write the lesser end first; `[` and `]` stand where an end belongs to them",
                );
                return None;
            }
        }
        let text = self.text(written.span).to_owned();
        Some(Bounds { low, high, text })
    }

    /// One end; the outer `None` after a finding.
    fn bound(
        &mut self,
        end: Option<&'a ast::Expr>,
        open: bool,
        ty: &Ty,
        what: &str,
    ) -> Option<Option<(Const, bool)>> {
        let Some(end) = end else { return Some(None) };
        let fixed = self.fixed(None, end, ty, what);
        if is_broken(&fixed) {
            return None;
        }
        match fixed.kind {
            ExprKind::Const(c) => Some(Some((c, !open))),
            _ => {
                self.error_help("E0307", end.span, "a bound is a fixed value", "write the value itself");
                None
            }
        }
    }

    /// What a case gives to a fact with bounds; `None` after a finding.
    pub fn within_bounds(
        &mut self,
        given: Given,
        bounds: Option<&Bounds>,
        span: Span,
        what: &str,
    ) -> Option<Given> {
        let (Given::Value(c), Some(bounds)) = (&given, bounds) else { return Some(given) };
        if holds(bounds, c) {
            return Some(given);
        }
        let message = format!("{what} lies in `{}`, so it cannot be `{}`", bounds.text, self.text(span));
        self.push(
            Diagnostic::error("E0331", span, message)
                .help("a till's request with this value is refused; give another, or widen the bounds in the vocabulary"),
        );
        None
    }
}

/// Whether a value lies within bounds; nothing lies outside them.
pub(super) fn holds(bounds: &Bounds, value: &Const) -> bool {
    if *value == Const::Absent {
        return true;
    }
    let above = bounds.low.as_ref().is_none_or(|(low, within)| {
        order(low, value).is_some_and(|o| if *within { o.is_le() } else { o.is_lt() })
    });
    let below = bounds.high.as_ref().is_none_or(|(high, within)| {
        order(high, value).is_some_and(|o| if *within { o.is_ge() } else { o.is_gt() })
    });
    above && below
}

/// The order of a bound and a value; nothing is nothing in any currency.
fn order(bound: &Const, value: &Const) -> Option<Ordering> {
    match (bound, value) {
        (Const::Money(a, _), Const::Money(b, _)) if a.is_zero() => Some(a.cmp(b)),
        _ => super::fold::order(bound, value),
    }
}
