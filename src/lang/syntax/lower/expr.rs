//! Expressions: the grammar's levels folded into operators.

use super::{Lower, P};
use crate::lang::ast::{Binary, BinaryOp, Expr, ExprKind, If, Rounded, Rounding};
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;
use crate::lang::syntax::grammar::Rule;

/// Operands of one expression.
pub const MAX_OPERANDS: usize = 2_000;
/// Operators that make the tree deeper by one each. Later passes walk the tree by recursion, so its depth must be small;
/// brackets are bounded before parsing, chains of `and` and `or` stay flat.
pub const MAX_LINKS: usize = 256;

/// What an expression has used up so far.
#[derive(Debug, Default)]
pub struct Budget {
    within: usize,
    operands: usize,
    links: usize,
    reported: bool,
}

impl Lower<'_> {
    /// An expression, whole or within another.
    pub fn expr(&mut self, pair: P<'_>) -> Option<Expr> {
        self.budgeted(pair, Self::rounded)
    }

    /// A `sum` or an `atom` where the grammar wants no looser expression.
    pub fn tight(&mut self, pair: P<'_>) -> Option<Expr> {
        self.budgeted(pair, |lower, pair| match pair.as_rule() {
            Rule::atom => lower.atom(pair),
            _ => lower.sum(pair),
        })
    }

    fn budgeted(
        &mut self,
        pair: P<'_>,
        build: impl FnOnce(&mut Self, P<'_>) -> Option<Expr>,
    ) -> Option<Expr> {
        if self.budget.within == 0 {
            self.budget = Budget::default();
        }
        self.budget.within += 1;
        let built = build(self, pair);
        self.budget.within -= 1;
        built
    }

    /// Counts one operand; too many are reported once.
    pub fn operand(&mut self, span: Span) -> Option<()> {
        self.budget.operands += 1;
        if self.budget.operands <= MAX_OPERANDS {
            return Some(());
        }
        self.too_much(span, format!("this has more than {MAX_OPERANDS} values in one calculation"))
    }

    /// Counts one operator that makes the tree deeper.
    pub fn link(&mut self, span: Span) -> Option<()> {
        self.budget.links += 1;
        if self.budget.links <= MAX_LINKS {
            return Some(());
        }
        self.too_much(span, format!("this chains more than {MAX_LINKS} steps of one calculation"))
    }

    fn too_much(&mut self, span: Span, message: String) -> Option<()> {
        if !self.budget.reported {
            self.budget.reported = true;
            self.error(
                "E0114",
                span,
                message,
                "use a table or a list, or give parts names of their own with `let`",
            );
        }
        None
    }

    fn rounded(&mut self, pair: P<'_>) -> Option<Expr> {
        let mut parts = pair.into_inner();
        let mut value = self.choice(parts.next()?)?;
        for part in parts {
            let span = self.span(&part);
            self.link(span)?;
            let mut rounding = None;
            let mut step = None;
            for word in part.into_inner() {
                match word.as_rule() {
                    Rule::mode => rounding = self.mode(word),
                    Rule::undecided => rounding = Some(Rounding::Undecided(self.undecided(word)?)),
                    Rule::quantity => step = Some(self.quantity(word)?),
                    _ => {}
                }
            }
            let span = value.span.to(span);
            value = Expr { kind: ExprKind::Rounded(Box::new(Rounded { value, rounding, step })), span };
        }
        Some(value)
    }

    /// `down`, `up`, `half up`, `half even`.
    pub fn mode(&mut self, pair: P<'_>) -> Option<Rounding> {
        let words: Vec<Rule> = pair.into_inner().map(|word| word.as_rule()).collect();
        match words.as_slice() {
            [Rule::kw_down] => Some(Rounding::Down),
            [Rule::kw_up] => Some(Rounding::Up),
            [_, Rule::kw_up] => Some(Rounding::HalfUp),
            [_, Rule::kw_even] => Some(Rounding::HalfEven),
            _ => None,
        }
    }

    /// `if … else if … else …` is flat in the grammar and nests in the tree.
    fn choice(&mut self, pair: P<'_>) -> Option<Expr> {
        let mut branches = Vec::new();
        let mut last = None;
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::branch => {
                    self.link(span)?;
                    let mut inner =
                        part.into_inner().filter(|word| matches!(word.as_rule(), Rule::logic | Rule::expr));
                    let condition = self.logic(inner.next()?)?;
                    let then = self.expr(inner.next()?)?;
                    branches.push((span, condition, then));
                }
                _ => last = Some(self.logic(part)?),
            }
        }
        let mut value = last?;
        for (span, condition, then) in branches.into_iter().rev() {
            let span = span.to(value.span);
            value = Expr { kind: ExprKind::If(Box::new(If { condition, then, otherwise: value })), span };
        }
        Some(value)
    }

    fn logic(&mut self, pair: P<'_>) -> Option<Expr> {
        let mut operands = Vec::new();
        let mut word: Option<P<'_>> = None;
        let mut mixed = false;
        for part in pair.into_inner() {
            match (part.as_rule(), &word) {
                (Rule::negation, _) => operands.push(self.negation(part)?),
                (_, None) => word = Some(part),
                (rule, Some(first)) if rule != first.as_rule() && !mixed => {
                    mixed = true;
                    let (first_span, span) = (self.span(first), self.span(&part));
                    self.found.push(
                        Diagnostic::error("E0120", span, "`and` and `or` stand together without brackets")
                            .note(first_span, "the other one")
                            .help("put brackets around what belongs together: `(a and b) or c`"),
                    );
                }
                _ => {}
            }
        }
        let and = word.is_none_or(|word| word.as_rule() == Rule::kw_and);
        let first = operands.first()?.span;
        let span = first.to(operands.last()?.span);
        if operands.len() == 1 {
            return operands.pop();
        }
        Some(Expr { kind: if and { ExprKind::And(operands) } else { ExprKind::Or(operands) }, span })
    }

    fn negation(&mut self, pair: P<'_>) -> Option<Expr> {
        let span = self.span(&pair);
        let mut not = false;
        let mut value = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_not => not = true,
                _ => value = Some(self.comparison(part)?),
            }
        }
        let value = value?;
        Some(if not { Expr { kind: ExprKind::Not(Box::new(value)), span } } else { value })
    }

    fn comparison(&mut self, pair: P<'_>) -> Option<Expr> {
        let mut parts = pair.into_inner();
        let left = self.sum(parts.next()?)?;
        let Some(tail) = parts.next() else { return Some(left) };
        if let Some(more) = parts.next() {
            let span = self.span(&more);
            self.error(
                "E0121",
                span,
                "comparisons do not chain",
                "write `a <= b and b <= c`, or `b in [a..c]`",
            );
        }
        let mut op = BinaryOp::Is;
        let mut op_span: Option<Span> = None;
        let mut right = None;
        for part in tail.into_inner() {
            if part.as_rule() == Rule::sum {
                right = Some(self.sum(part)?);
                continue;
            }
            let span = self.span(&part);
            op_span = Some(op_span.map_or(span, |before| before.to(span)));
            op = match (part.as_rule(), op_span) {
                (Rule::kw_is, _) => BinaryOp::Is,
                (Rule::kw_in, Some(whole)) => {
                    if whole == span {
                        BinaryOp::In
                    } else {
                        BinaryOp::NotIn
                    }
                }
                // Either of `is not` or, for now, of `not in`.
                (Rule::kw_not, _) => BinaryOp::IsNot,
                _ => comparison_op(part.as_str()),
            };
        }
        self.binary(op, op_span?, left, right?)
    }

    fn binary(&mut self, op: BinaryOp, op_span: Span, left: Expr, right: Expr) -> Option<Expr> {
        self.link(op_span)?;
        let span = left.span.to(right.span);
        let kind = match (op, &right.kind) {
            (BinaryOp::Is, ExprKind::Absent) => ExprKind::IsAbsent(Box::new(left), false),
            (BinaryOp::IsNot, ExprKind::Absent) => ExprKind::IsAbsent(Box::new(left), true),
            _ => ExprKind::Binary(Box::new(Binary { op, op_span, left, right })),
        };
        Some(Expr { kind, span })
    }

    /// Levels of operators that group to the left.
    pub fn sum(&mut self, pair: P<'_>) -> Option<Expr> {
        let mut value = None;
        let mut pending = None;
        for part in pair.into_inner() {
            let operand = match part.as_rule() {
                Rule::product | Rule::fallback => self.sum(part)?,
                Rule::unary => self.unary(part)?,
                _ => {
                    let op = match part.as_str().trim_end() {
                        "+" => BinaryOp::Add,
                        "-" => BinaryOp::Sub,
                        "*" => BinaryOp::Mul,
                        "/" => BinaryOp::Div,
                        _ => BinaryOp::Otherwise,
                    };
                    pending = Some((op, self.span(&part)));
                    continue;
                }
            };
            value = match (value, pending.take()) {
                (Some(left), Some((op, op_span))) => Some(self.binary(op, op_span, left, operand)?),
                _ => Some(operand),
            };
        }
        value
    }

    fn unary(&mut self, pair: P<'_>) -> Option<Expr> {
        let span = self.span(&pair);
        self.operand(span)?;
        let mut negative = false;
        let mut value = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::op_neg => negative = true,
                _ => value = Some(self.atom(part)?),
            }
        }
        let value = value?;
        Some(if negative { Expr { kind: ExprKind::Neg(Box::new(value)), span } } else { value })
    }
}

/// The operator of a comparison by its sign.
pub fn comparison_op(sign: &str) -> BinaryOp {
    match sign.trim_end() {
        ">=" => BinaryOp::Ge,
        "<=" => BinaryOp::Le,
        ">" => BinaryOp::Gt,
        "<" => BinaryOp::Lt,
        _ => BinaryOp::IsNot,
    }
}
