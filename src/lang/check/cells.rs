//! Cells of tables against the types of their columns.
use super::cx::{Cx, is_broken, question};
use crate::lang::ast;
use crate::lang::typed::*;

impl<'a> Cx<'a> {
    /// A key cell; `None` after a finding.
    pub fn key_cell(&mut self, m: usize, cell: &'a ast::Cell, ty: &Ty, column: &str) -> Option<Test> {
        match cell.alternatives.as_slice() {
            [one] => self.key_item(m, one, ty, column),
            many => {
                let mut tests = Vec::new();
                for item in many {
                    if matches!(item.kind, ast::CellKind::Any | ast::CellKind::Else) {
                        self.error_help(
                            "E0412",
                            item.span,
                            "`-` and `else` stand alone in their cell",
                            "remove the other values, or this one",
                        );
                        return None;
                    }
                    tests.push(self.key_item(m, item, ty, column)?);
                }
                Some(Test::OneOf(tests))
            }
        }
    }

    fn key_item(&mut self, m: usize, item: &'a ast::CellItem, ty: &Ty, column: &str) -> Option<Test> {
        let what = format!("column `{column}`");
        match &item.kind {
            ast::CellKind::Any => Some(Test::Any),
            ast::CellKind::Else => Some(Test::Else),
            ast::CellKind::Absent if ty.is_optional() || *ty == Ty::Never => Some(Test::Absent),
            ast::CellKind::Absent => {
                self.error_help(
                    "E0412",
                    item.span,
                    format!("{what} is never absent"),
                    format!("declare it as `{column}: {}?`, or write `-`", self.type_name(ty)),
                );
                None
            }
            ast::CellKind::Undecided(_) => {
                self.error_help(
                    "E0412",
                    item.span,
                    "only results can be undecided",
                    "write what the row is for, and `undecided` in its result",
                );
                None
            }
            ast::CellKind::Compare(op, e) => {
                self.ordered_column(ty, item, &what)?;
                let c = self.cell_const(m, e, ty.inner(), &what)?;
                Some(match op {
                    ast::BinaryOp::Ge => Test::Interval { low: Some((c, true)), high: None },
                    ast::BinaryOp::Gt => Test::Interval { low: Some((c, false)), high: None },
                    ast::BinaryOp::Le => Test::Interval { low: None, high: Some((c, true)) },
                    _ => Test::Interval { low: None, high: Some((c, false)) },
                })
            }
            ast::CellKind::Interval(i) => {
                self.ordered_column(ty, item, &what)?;
                let low = self.cell_const(m, &i.low, ty.inner(), &what)?;
                let high = self.cell_const(m, &i.high, ty.inner(), &what)?;
                let open = i.low_open || i.high_open;
                if super::fold::order(&low, &high).is_some_and(|o| o.is_gt() || (o.is_eq() && open)) {
                    self.error_help(
                        "E0403",
                        item.span,
                        "nothing lies in this interval",
                        "write the lower end first; `[` and `]` include their end",
                    );
                    return None;
                }
                Some(Test::Interval { low: Some((low, !i.low_open)), high: Some((high, !i.high_open)) })
            }
            ast::CellKind::Value(e) => Some(Test::Value(self.cell_const(m, e, ty.inner(), &what)?)),
        }
    }

    fn ordered_column(&mut self, ty: &Ty, item: &ast::CellItem, what: &str) -> Option<()> {
        if *ty == Ty::Never {
            return None;
        }
        if self.is_ordered(ty.inner()) {
            return Some(());
        }
        let message = format!("{what} holds {}, which has no order", self.show(ty.inner()));
        self.error_help("E0305", item.span, message, "list the values: `a, b`");
        None
    }

    fn cell_const(&mut self, m: usize, e: &'a ast::Expr, ty: &Ty, what: &str) -> Option<Const> {
        let fixed = self.fixed(Some(m), e, ty, what);
        match &fixed.kind {
            ExprKind::Const(c) => Some(c.clone()),
            _ if is_broken(&fixed) => None,
            _ => {
                self.error("E0412", e.span, format!("{what} needs one plain value"));
                None
            }
        }
    }

    /// A result cell; `None` after a finding.
    pub fn result_cell(&mut self, m: usize, cell: &'a ast::Cell, ty: &Ty, column: &str) -> Option<CellValue> {
        let what = format!("result `{column}`");
        let [item] = cell.alternatives.as_slice() else {
            self.error_help("E0412", cell.span, format!("{what} needs one value"), "write one value");
            return None;
        };
        match &item.kind {
            ast::CellKind::Undecided(text) => Some(CellValue::Undecided(question(text))),
            ast::CellKind::Value(ast::Expr { kind: ast::ExprKind::Undecided(text), .. }) => {
                Some(CellValue::Undecided(question(text)))
            }
            ast::CellKind::Absent if ty.is_optional() || *ty == Ty::Never => {
                Some(CellValue::Const(Const::Absent))
            }
            ast::CellKind::Absent => {
                self.error_help(
                    "E0412",
                    item.span,
                    format!("{what} is never absent"),
                    format!("declare it as `{column}: {}?`", self.type_name(ty)),
                );
                None
            }
            ast::CellKind::Value(e) => Some(CellValue::Const(self.cell_const(m, e, ty.inner(), &what)?)),
            ast::CellKind::Any
            | ast::CellKind::Else
            | ast::CellKind::Compare(..)
            | ast::CellKind::Interval(_) => {
                self.error_help(
                    "E0412",
                    item.span,
                    format!("{what} needs a value"),
                    "what is asked for stands left, what comes out stands right",
                );
                None
            }
        }
    }
}
