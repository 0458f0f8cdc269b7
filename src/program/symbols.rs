//! Every text that a rulebook mentions, so that comparing texts is comparing numbers.
use crate::lang::typed::*;
use crate::program::facts::Symbols;

impl Symbols {
    /// The texts of all expressions and table cells, numbered in the order of the rulebook.
    pub fn of(book: &Rulebook) -> Symbols {
        let mut symbols = Symbols::default();
        let mut add = Add { symbols: &mut symbols };
        for output in book.vocab.decisions.iter().flat_map(|d| &d.outputs) {
            add.all(&output.guard);
            if let Fallback::Else(e) = &output.fallback {
                add.expr(e);
            }
        }
        for policy in &book.policies {
            add.all(&policy.governed_by);
            add.all(&policy.applies_when);
        }
        for rule in &book.rules {
            add.all(rule.for_each.as_ref().map(|f| &f.list));
            add.all(&rule.guard);
            add.all(&rule.when);
            add.all(rule.effects.iter().map(|e| &e.value));
        }
        add.all(book.lets.iter().map(|l| &l.value));
        for param in &book.params {
            add.all(param.values.iter().map(|v| &v.value));
            add.all(param.settings.iter().flat_map(|s| &s.values).map(|v| &v.value));
        }
        for row in book.tables.iter().flat_map(|t| t.extra.iter().chain([&t.own])).flat_map(|b| &b.rows) {
            row.tests.iter().for_each(|t| add.test(t));
            for cell in &row.results {
                if let CellValue::Const(c) = cell {
                    add.constant(c);
                }
            }
        }
        symbols
    }
}

struct Add<'s> {
    symbols: &'s mut Symbols,
}

impl Add<'_> {
    fn all<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        exprs.into_iter().for_each(|e| self.expr(e));
    }

    fn constant(&mut self, c: &Const) {
        if let Const::Text(text) = c {
            self.symbols.intern(text);
        }
    }

    fn test(&mut self, test: &Test) {
        match test {
            Test::Any | Test::Else | Test::Absent => {}
            Test::Value(c) => self.constant(c),
            Test::Interval { low, high } => {
                [low, high].into_iter().flatten().for_each(|(c, _)| self.constant(c))
            }
            Test::OneOf(tests) => tests.iter().for_each(|t| self.test(t)),
        }
    }

    fn expr(&mut self, e: &Expr) {
        match &e.kind {
            ExprKind::Const(c) => self.constant(c),
            ExprKind::Root(_)
            | ExprKind::Var(_)
            | ExprKind::Let(_)
            | ExprKind::Param(_)
            | ExprKind::Output(_)
            | ExprKind::OutputOf(..)
            | ExprKind::Undecided(_) => {}
            ExprKind::Field(a, _)
            | ExprKind::Not(a)
            | ExprKind::IsAbsent(a)
            | ExprKind::Neg(a)
            | ExprKind::Widen(a)
            | ExprKind::Present(a)
            | ExprKind::Round { value: a, .. }
            | ExprKind::Fill { budget: a, .. }
            | ExprKind::Previous { of: a, .. } => self.expr(a),
            ExprKind::And(a, b)
            | ExprKind::Or(a, b)
            | ExprKind::Is(a, b)
            | ExprKind::Cmp(_, a, b)
            | ExprKind::Arith(_, a, b)
            | ExprKind::Otherwise(a, b)
            | ExprKind::Between(_, a, b) => self.all([&**a, &**b]),
            ExprKind::If(a, b, c) => self.all([&**a, &**b, &**c]),
            ExprKind::In(a, within) => {
                self.expr(a);
                match within {
                    Membership::Values(values) => self.all(values),
                    Membership::Nodes(_) => {}
                    Membership::Interval { low, high, .. } => self.all([&**low, &**high]),
                    Membership::Collection(c) => self.expr(c),
                }
            }
            ExprKind::Lookup { args, .. }
            | ExprKind::FactCall(_, args)
            | ExprKind::Func(_, args)
            | ExprKind::List(args)
            | ExprKind::Set(args)
            | ExprKind::Record(_, args) => self.all(args),
            ExprKind::Call { changes, .. } => self.all(changes.iter().map(|(_, e)| e)),
            ExprKind::Comp { list, cond, body, .. } => {
                self.expr(list);
                self.all(cond.iter().chain(body).map(|e| &**e));
            }
            ExprKind::Split { amount, list, weight, .. } | ExprKind::Share { amount, list, weight, .. } => {
                self.all([&**amount, &**list, &**weight]);
            }
        }
    }
}
