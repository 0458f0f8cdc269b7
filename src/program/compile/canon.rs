//! The text of an expression by which equal ones are told, loop variables renamed by nesting.
use crate::lang::typed::*;
use std::fmt::Write;

/// Equal for expressions that have equal values wherever both stand; `None` where a loop variable from outside occurs.
pub(super) fn text(e: &Expr) -> Option<String> {
    let mut canon = Canon { out: String::new(), bound: Vec::new() };
    canon.expr(e)?;
    Some(canon.out)
}

struct Canon {
    out: String,
    bound: Vec<VarId>,
}

impl Canon {
    fn word(&mut self, word: impl std::fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = write!(self.out, "{word:?} ");
    }

    fn var(&mut self, var: VarId) -> Option<()> {
        let depth = self.bound.iter().rposition(|b| *b == var)?;
        self.word(depth);
        Some(())
    }

    fn expr(&mut self, e: &Expr) -> Option<()> {
        self.out.push('(');
        self.word(&e.ty);
        match &e.kind {
            ExprKind::Const(c) => self.word(c),
            ExprKind::Root(id) => self.word(id),
            ExprKind::FactCall(id, _) => self.word(id),
            ExprKind::Var(var) => {
                self.word("var");
                self.var(*var)?;
            }
            ExprKind::Field(_, field) => self.word(("field", field)),
            ExprKind::Let(id) => self.word(id),
            ExprKind::Param(id) => self.word(id),
            ExprKind::Output(id) => self.word(id),
            ExprKind::OutputOf(id, var) => {
                self.word(id);
                self.var(*var)?;
            }
            ExprKind::Cmp(op, ..) => self.word(op),
            ExprKind::Arith(op, ..) => self.word(op),
            ExprKind::In(_, membership) => match membership {
                Membership::Values(_) => self.word("among"),
                Membership::Nodes(nodes) => self.word(("under", nodes)),
                Membership::Interval { low_in, high_in, .. } => self.word(("between", low_in, high_in)),
                Membership::Collection(_) => self.word("in"),
            },
            ExprKind::Round { rounding, step, .. } => self.word((rounding, step)),
            ExprKind::Between(unit, ..) => self.word(unit),
            ExprKind::Lookup { table, result, .. } => self.word((table, result)),
            ExprKind::Call { decision, changes, output } => {
                let roots: Vec<RootId> = changes.iter().map(|(root, _)| *root).collect();
                self.word((decision, roots, output));
            }
            ExprKind::Func(f, _) => self.word(f),
            ExprKind::Record(id, _) => self.word(id),
            ExprKind::Comp { kind, var, list, cond, body } => {
                self.word((kind, cond.is_some(), body.is_some()));
                self.expr(list)?;
                self.bound.push(*var);
                for part in cond.iter().chain(body) {
                    self.expr(part)?;
                }
                self.bound.pop();
                self.out.push(')');
                return Some(());
            }
            // Rarely equal, and never worth the text.
            ExprKind::Split { .. }
            | ExprKind::Share { .. }
            | ExprKind::Fill { .. }
            | ExprKind::Previous { .. }
            | ExprKind::Undecided(_) => {
                return None;
            }
            ExprKind::Not(_) => self.word("not"),
            ExprKind::And(..) => self.word("and"),
            ExprKind::Or(..) => self.word("or"),
            ExprKind::Is(..) => self.word("is"),
            ExprKind::IsAbsent(_) => self.word("absent"),
            ExprKind::Neg(_) => self.word("neg"),
            ExprKind::Widen(_) => self.word("widen"),
            ExprKind::If(..) => self.word("if"),
            ExprKind::Otherwise(..) => self.word("otherwise"),
            ExprKind::Present(_) => self.word("present"),
            ExprKind::List(_) => self.word("list"),
            ExprKind::Set(_) => self.word("set"),
        }
        for part in super::children(e) {
            self.expr(part)?;
        }
        self.out.push(')');
        Some(())
    }
}
