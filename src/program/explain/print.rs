//! Typed expressions in the language's own syntax.
use crate::lang::typed::*;
use crate::program::literal::{literal, number};
use crate::program::value::Value;

/// How tightly an expression binds, loosest first; the order of the grammar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Rounded,
    If,
    Junction,
    Not,
    Compare,
    Add,
    Multiply,
    Otherwise,
    Negate,
    Atom,
}

/// Prints expressions of one rulebook, as part of one decision.
#[derive(Clone, Copy)]
pub struct Printer<'a> {
    pub book: &'a Rulebook,
    /// The decision whose outputs are meant.
    pub decision: DecisionId,
}

impl Printer<'_> {
    /// The text of an expression.
    pub fn print(&self, e: &Expr) -> String {
        match &e.kind {
            ExprKind::Const(c) => literal(&self.book.vocab, &e.ty, &Value::of_const(c)),
            ExprKind::Root(id) => name(self.book.vocab.roots.get(id.ix()).map(|r| &r.name)),
            ExprKind::FactCall(id, args) => {
                let fact = name(self.book.vocab.fact_calls.get(id.ix()).map(|f| &f.name));
                format!("{fact}({})", self.list(args))
            }
            ExprKind::Var(var) => self.var(*var),
            ExprKind::Field(of, field) => {
                format!("{}.{}", self.at(of, Level::Atom), self.field(&of.ty, *field))
            }
            ExprKind::Let(id) => name(self.book.lets.get(id.ix()).map(|l| &l.name)),
            ExprKind::Param(id) => name(self.book.params.get(id.ix()).map(|p| &p.name)),
            ExprKind::Output(id) => self.output(self.decision, *id),
            ExprKind::OutputOf(id, var) => format!("{}.{}", self.var(*var), self.output(self.decision, *id)),
            ExprKind::Not(x) => match &x.kind {
                ExprKind::Is(a, b) => self.binary(a, "is not", b, Level::Compare),
                ExprKind::IsAbsent(a) => format!("{} is not absent", self.at(a, Level::Add)),
                ExprKind::In(a, m) => {
                    format!("{} not in {}", self.at(a, Level::Add), self.membership(m, &a.ty))
                }
                _ => format!("not {}", self.at(x, Level::Compare)),
            },
            ExprKind::And(a, b) => format!("{} and {}", self.side(a, true), self.side(b, true)),
            ExprKind::Or(a, b) => format!("{} or {}", self.side(a, false), self.side(b, false)),
            ExprKind::Is(a, b) => self.binary(a, "is", b, Level::Compare),
            ExprKind::IsAbsent(a) => format!("{} is absent", self.at(a, Level::Add)),
            ExprKind::Cmp(op, a, b) => self.binary(a, comparison(*op), b, Level::Compare),
            ExprKind::In(a, m) => format!("{} in {}", self.at(a, Level::Add), self.membership(m, &a.ty)),
            ExprKind::Arith(op, a, b) => {
                let (sign, level) = match op {
                    ArithOp::Add => ("+", Level::Add),
                    ArithOp::Sub => ("-", Level::Add),
                    ArithOp::Mul => ("*", Level::Multiply),
                    ArithOp::Div => ("/", Level::Multiply),
                };
                // Operators of one level group to the left.
                let tighter = if level == Level::Add { Level::Multiply } else { Level::Otherwise };
                format!("{} {sign} {}", self.at(a, level), self.at(b, tighter))
            }
            ExprKind::Neg(x) => format!("-{}", self.at(x, Level::Atom)),
            ExprKind::Widen(x) | ExprKind::Present(x) => self.print(x),
            ExprKind::Round { value, rounding, step } => self.rounded(value, rounding, step.as_ref(), &e.ty),
            ExprKind::If(c, a, b) => {
                let (c, a, b) = (self.print(c), self.at(a, Level::Junction), self.at(b, Level::If));
                format!("if {c} then {a} else {b}")
            }
            ExprKind::Otherwise(a, b) => {
                format!("{} otherwise {}", self.at(a, Level::Otherwise), self.at(b, Level::Negate))
            }
            ExprKind::Between(span, a, b) => {
                let unit = match span {
                    Span2::Days => "days",
                    Span2::Months => "months",
                    Span2::Years => "years",
                    Span2::Hours => "hours",
                };
                format!("{unit} from {} to {}", self.at(a, Level::Add), self.at(b, Level::Add))
            }
            ExprKind::Lookup { table, args, result } => {
                let Some(table) = self.book.tables.get(table.ix()) else { return String::new() };
                let column = match table.results.get(*result as usize) {
                    Some((column, _)) if table.results.len() > 1 => format!(".{column}"),
                    _ => String::new(),
                };
                format!("{}({}){column}", table.name, self.list(args))
            }
            ExprKind::Fill { table, budget, part } => {
                let table = name(self.book.tables.get(table.ix()).map(|t| &t.name));
                let part = match part {
                    FillPart::Value => "value",
                    FillPart::Used => "used",
                    FillPart::Rows => "rows",
                };
                format!("fill({table}, {}).{part}", self.print(budget))
            }
            ExprKind::Call { decision, changes, output } => {
                let called = name(self.book.vocab.decisions.get(decision.ix()).map(|d| &d.name));
                let change = |(root, e): &(RootId, Expr)| {
                    let root = name(self.book.vocab.roots.get(root.ix()).map(|r| &r.name));
                    format!("{root}: {}", self.print(e))
                };
                let changes: Vec<String> = changes.iter().map(change).collect();
                format!("{called}({}).{}", changes.join(", "), self.output(*decision, *output))
            }
            ExprKind::Comp { kind, var, list, cond, body } => {
                let function = match kind {
                    CompKind::Sum => "sum",
                    CompKind::Count => "count",
                    CompKind::Min => "min",
                    CompKind::Max => "max",
                    CompKind::Any => "any",
                    CompKind::All => "all",
                    CompKind::List => "list",
                };
                let body = body.as_ref().map_or_else(String::new, |b| format!("{} for ", self.print(b)));
                let cond = cond.as_ref().map_or_else(String::new, |c| format!(" where {}", self.print(c)));
                format!("{function}({body}{} in {}{cond})", self.var(*var), self.print(list))
            }
            ExprKind::Split { amount, var, list, weight } => {
                let (amount, weight) = (self.print(amount), self.print(weight));
                format!("split({amount} by {weight} for {} in {})", self.var(*var), self.print(list))
            }
            ExprKind::Share { of, amount, var, list, weight } => {
                let (amount, weight) = (self.print(amount), self.print(weight));
                let (of, var) = (self.var(*of), self.var(*var));
                format!("share({of}, {amount}, {weight} for {var} in {})", self.print(list))
            }
            ExprKind::Previous { of, .. } => format!("previous({})", self.print(of)),
            ExprKind::Func(func, args) => self.function(*func, args),
            ExprKind::List(items) => format!("[{}]", self.list(items)),
            ExprKind::Set(items) => format!("{{{}}}", self.list(items)),
            ExprKind::Record(id, fields) => {
                let Some(def) = self.book.vocab.entities.get(id.ix()) else { return String::new() };
                let given = def.fields.iter().zip(fields);
                let given = given.filter(|(_, e)| !matches!(e.kind, ExprKind::Const(Const::Absent)));
                let fields: Vec<String> =
                    given.map(|(f, e)| format!("{}: {}", f.name, self.print(e))).collect();
                format!("{}({})", def.name, fields.join(", "))
            }
            ExprKind::Undecided(question) => format!("undecided \"{}\"", question.zh("")),
        }
    }

    /// An operand that must bind at least so tightly, else in brackets.
    fn at(&self, e: &Expr, level: Level) -> String {
        let text = self.print(e);
        if level_of(e) < level { format!("({text})") } else { text }
    }

    /// A side of `and` or `or`; the other one within it needs brackets.
    fn side(&self, e: &Expr, and: bool) -> String {
        match (&unwrapped(e).kind, and) {
            (ExprKind::Or(..), true) | (ExprKind::And(..), false) => format!("({})", self.print(e)),
            _ => self.at(e, Level::Junction),
        }
    }

    fn binary(&self, a: &Expr, operator: &str, b: &Expr, level: Level) -> String {
        let tighter = if level == Level::Compare { Level::Add } else { level };
        format!("{} {operator} {}", self.at(a, tighter), self.at(b, tighter))
    }

    fn list(&self, all: &[Expr]) -> String {
        all.iter().map(|e| self.print(e)).collect::<Vec<_>>().join(", ")
    }

    fn var(&self, var: VarId) -> String {
        name(self.book.vars.get(var.0 as usize))
    }

    fn output(&self, decision: DecisionId, id: OutputId) -> String {
        let def = self.book.vocab.decisions.get(decision.ix()).and_then(|d| d.outputs.get(id.ix()));
        name(def.map(|o| &o.name))
    }

    fn field(&self, of: &Ty, field: u32) -> String {
        let Ty::Entity(id) = of.inner() else { return String::new() };
        let def = self.book.vocab.entities.get(id.ix()).and_then(|d| d.fields.get(field as usize));
        name(def.map(|f| &f.name))
    }

    /// What follows `in`.
    pub(crate) fn membership(&self, membership: &Membership, ty: &Ty) -> String {
        match membership {
            Membership::Values(values) => format!("{{{}}}", self.list(values)),
            Membership::Nodes(nodes) => {
                let node = |n: &u32| literal(&self.book.vocab, ty, &Value::Node(*n));
                let names: Vec<String> = nodes.iter().map(node).collect();
                match names.as_slice() {
                    [one] => one.clone(),
                    many => format!("{{{}}}", many.join(", ")),
                }
            }
            Membership::Interval { low, low_in, high, high_in } => {
                let (open, close) = (if *low_in { '[' } else { '(' }, if *high_in { ']' } else { ')' });
                format!("{open}{}..{}{close}", self.print(low), self.print(high))
            }
            Membership::Collection(list) => self.at(list, Level::Add),
        }
    }

    fn rounded(
        &self,
        value: &Expr,
        rounding: &Rounding,
        step: Option<&num_rational::BigRational>,
        ty: &Ty,
    ) -> String {
        let mode = match rounding {
            Rounding::Mode(mode) => mode_name(*mode).to_owned(),
            Rounding::Undecided(question) => format!("undecided \"{}\"", question.zh("")),
        };
        let to = match (step, ty.inner()) {
            (None, _) => String::new(),
            (Some(step), Ty::Unit(_)) => {
                format!(" to {}", literal(&self.book.vocab, ty, &Value::Num(step.clone())))
            }
            (Some(step), Ty::Money) => {
                let money = Value::Money(step.clone(), CurrencyId(0));
                format!(" to {}", literal(&self.book.vocab, ty, &money))
            }
            (Some(step), _) => format!(" to {}", number(step)),
        };
        format!("{} rounded {mode}{to}", self.at(value, Level::If))
    }

    fn function(&self, func: Func, args: &[Expr]) -> String {
        let calendar = |id: CalendarId| name(self.book.vocab.calendars.get(id.ix()).map(|c| &c.name));
        let (function, more) = match func {
            Func::Min => ("min", None),
            Func::Max => ("max", None),
            Func::Abs => ("abs", None),
            Func::Year => ("year", None),
            Func::Month => ("month", None),
            Func::Day => ("day", None),
            Func::Weekday => ("weekday", None),
            Func::StartOfDay => ("start_of_day", None),
            Func::StartOfWeek => ("start_of_week", None),
            Func::StartOfMonth => ("start_of_month", None),
            Func::StartOfQuarter => ("start_of_quarter", None),
            Func::StartOfYear => ("start_of_year", None),
            Func::EndOfDay => ("end_of_day", None),
            Func::EndOfWeek => ("end_of_week", None),
            Func::EndOfMonth => ("end_of_month", None),
            Func::EndOfQuarter => ("end_of_quarter", None),
            Func::EndOfYear => ("end_of_year", None),
            Func::DateOf => ("date_of", None),
            Func::NextWorkday(id) => ("next_workday", Some(calendar(id))),
            Func::IsWorkday(id) => ("is_workday", Some(calendar(id))),
            Func::Above => ("above", None),
            Func::Below => ("below", None),
            Func::Length => ("length", None),
            Func::First => ("first", None),
            Func::Last => ("last", None),
            Func::Anniversary => ("anniversary", None),
        };
        let more = more.map_or_else(String::new, |m| format!(", {m}"));
        format!("{function}({}{more})", self.list(args))
    }
}

fn name(of: Option<&String>) -> String {
    of.cloned().unwrap_or_default()
}

/// `<=` and its like.
pub(crate) fn comparison(op: CmpOp) -> &'static str {
    match op {
        CmpOp::Lt => "<",
        CmpOp::Le => "<=",
        CmpOp::Gt => ">",
        CmpOp::Ge => ">=",
    }
}

/// `half up` and its like.
pub(crate) fn mode_name(mode: RoundMode) -> &'static str {
    match mode {
        RoundMode::Down => "down",
        RoundMode::Up => "up",
        RoundMode::HalfUp => "half up",
        RoundMode::HalfEven => "half even",
    }
}

/// Without the nodes that the text does not show.
pub(crate) fn unwrapped(e: &Expr) -> &Expr {
    match &e.kind {
        ExprKind::Widen(x) | ExprKind::Present(x) => unwrapped(x),
        _ => e,
    }
}

fn level_of(e: &Expr) -> Level {
    match &e.kind {
        ExprKind::Widen(x) | ExprKind::Present(x) => level_of(x),
        ExprKind::Round { .. } => Level::Rounded,
        ExprKind::If(..) => Level::If,
        ExprKind::And(..) | ExprKind::Or(..) => Level::Junction,
        ExprKind::Not(x) if matches!(x.kind, ExprKind::Is(..) | ExprKind::IsAbsent(_) | ExprKind::In(..)) => {
            Level::Compare
        }
        ExprKind::Not(_) => Level::Not,
        ExprKind::Is(..) | ExprKind::IsAbsent(_) | ExprKind::Cmp(..) | ExprKind::In(..) => Level::Compare,
        ExprKind::Arith(ArithOp::Add | ArithOp::Sub, ..) => Level::Add,
        ExprKind::Arith(..) => Level::Multiply,
        ExprKind::Otherwise(..) => Level::Otherwise,
        ExprKind::Neg(_) => Level::Negate,
        // Reads to the end of its second date, so it stands in brackets within anything but a comparison.
        ExprKind::Between(..) => Level::Add,
        ExprKind::Undecided(_) => Level::Atom,
        ExprKind::Const(Const::Rate(_)) => Level::Atom,
        _ => Level::Atom,
    }
}
