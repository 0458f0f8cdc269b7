//! Names, calls, and the calls that have a form of their own: comprehensions, `split`, `share`.

use super::{Lower, P};
use crate::lang::ast::{
    Aggregate, Arg, BinaryOp, Call, Comprehension, Expr, ExprKind, Name, Over, Path, Share, Split,
};
use crate::lang::source::Span;
use crate::lang::syntax::grammar::Rule;

/// What stood between the brackets of a call.
#[derive(Default)]
struct Inside {
    args: Vec<Arg>,
    weight: Option<Expr>,
    over: Option<Over>,
    /// `where` without `for`.
    filter: Option<(Expr, Span)>,
}

impl Lower<'_> {
    /// A path, or a call with fields after it.
    pub fn reference(&mut self, pair: P<'_>) -> Option<Expr> {
        let mut parts = pair.into_inner();
        let path_pair = parts.next()?;
        let path = self.path(&path_pair);
        let span = path.span;
        let Some(call) = parts.next() else {
            if let Some((message, help)) = super::atom::refused(path_pair.as_str()) {
                self.guessed = true;
                self.error("E0113", span, message, help);
            }
            return Some(Expr { kind: ExprKind::Path(path), span });
        };
        let span = span.to(self.span(&call));
        let inside = self.inside(call)?;
        let mut value = Expr { kind: self.call(path, inside, span)?, span };
        for field in parts {
            let span = span.to(self.span(&field));
            self.link(span)?;
            let name = self.name(&field.into_inner().next()?);
            value = Expr { kind: ExprKind::Field(Box::new(value), name), span };
        }
        Some(value)
    }

    fn inside(&mut self, pair: P<'_>) -> Option<Inside> {
        let mut inside = Inside::default();
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::arg => {
                    let mut name = None;
                    let mut value = None;
                    for part in part.into_inner() {
                        match part.as_rule() {
                            Rule::word => name = Some(self.name(&part)),
                            Rule::expr => value = Some(self.expr(part)?),
                            _ => {}
                        }
                    }
                    inside.args.push(Arg { name, value: value?, span });
                }
                Rule::weight => {
                    let expr = part.into_inner().find(|part| part.as_rule() == Rule::expr)?;
                    inside.weight = Some(self.expr(expr)?);
                }
                Rule::over => self.over(part, span, &mut inside)?,
                _ => {}
            }
        }
        Some(inside)
    }

    fn over(&mut self, pair: P<'_>, span: Span, inside: &mut Inside) -> Option<()> {
        let mut range: Option<(Name, Expr)> = None;
        let mut filter = None;
        for part in pair.into_inner() {
            let span = self.span(&part);
            if part.as_rule() == Rule::where_tail {
                let expr = part.into_inner().find(|part| part.as_rule() == Rule::expr)?;
                filter = Some((self.expr(expr)?, span));
                continue;
            }
            let mut var = None;
            let mut list = None;
            for part in part.into_inner() {
                match part.as_rule() {
                    Rule::name => var = Some(self.name(&part)),
                    Rule::sum => list = Some(self.tight(part)?),
                    _ => {}
                }
            }
            range = Some((var?, list?));
        }
        match range {
            Some((var, list)) => {
                inside.over = Some(Over { var, list, filter: filter.map(|(expr, _)| expr), span })
            }
            None => inside.filter = filter,
        }
        Some(())
    }

    fn call(&mut self, function: Path, mut inside: Inside, span: Span) -> Option<ExprKind> {
        let word = function.single().map_or("", |name| name.text.as_str()).to_owned();
        if let Some(aggregate) = aggregate(&word) {
            if aggregate == Aggregate::Count && inside.over.is_none() {
                inside.over = counted(&mut inside, span);
                if let Some(over) = inside.over {
                    return Some(ExprKind::Comprehension(Box::new(Comprehension {
                        function: aggregate,
                        value: None,
                        over,
                    })));
                }
            }
            if inside.filter.is_none()
                && inside.weight.is_none()
                && let Some(over) = inside.over.take()
            {
                let [arg] = <[Arg; 1]>::try_from(inside.args)
                    .ok()
                    .filter(|[arg]| arg.name.is_none())
                    .or_else(|| {
                        let help = format!("write `{word}(e for x in list where c)`");
                        self.error("E0125", span, format!("`{word}` over a list takes one value"), &help);
                        None
                    })?;
                let value = Some(arg.value);
                return Some(ExprKind::Comprehension(Box::new(Comprehension {
                    function: aggregate,
                    value,
                    over,
                })));
            }
        }
        match (word.as_str(), inside.over.take(), inside.weight.take(), inside.filter.take()) {
            ("split", Some(over), Some(weight), None) => {
                if let Ok([amount]) = <[Arg; 1]>::try_from(inside.args) {
                    return Some(ExprKind::Split(Box::new(Split { amount: amount.value, weight, over })));
                }
                self.shape(span, "split")
            }
            ("share", Some(over), None, None) => {
                if let Ok([element, amount, weight]) = <[Arg; 3]>::try_from(inside.args) {
                    let (element, amount, weight) = (element.value, amount.value, weight.value);
                    return Some(ExprKind::Share(Box::new(Share { element, amount, weight, over })));
                }
                self.shape(span, "share")
            }
            ("split" | "share", ..) => self.shape(span, &word),
            (_, None, None, None) => Some(ExprKind::Call(Box::new(Call { function, args: inside.args }))),
            (_, Some(over), ..) => {
                let help = "only `sum count min max any all list split share` go over a list";
                self.error("E0125", over.span, format!("`{}` takes no `for`", function.text()), help);
                None
            }
            (_, _, _, Some((_, at))) => {
                let help = "write `for x in list where …`; only `count(x in list where …)` does without";
                self.error("E0125", at, "`where` needs a `for` before it", help);
                None
            }
            (_, _, Some(weight), _) => {
                self.error(
                    "E0125",
                    weight.span,
                    format!("`{}` takes no `by`", function.text()),
                    "only `split` does",
                );
                None
            }
        }
    }

    fn shape(&mut self, span: Span, word: &str) -> Option<ExprKind> {
        let help = match word {
            "split" => "write `split(amount by weight for x in list)`",
            _ => "write `share(element, amount, weight for x in list)`",
        };
        self.error("E0125", span, format!("`{word}` is not written like this"), help);
        None
    }
}

fn aggregate(word: &str) -> Option<Aggregate> {
    Some(match word {
        "sum" => Aggregate::Sum,
        "count" => Aggregate::Count,
        "min" => Aggregate::Min,
        "max" => Aggregate::Max,
        "any" => Aggregate::Any,
        "all" => Aggregate::All,
        "list" => Aggregate::List,
        _ => return None,
    })
}

/// `count(x in list)` and `count(x in list where c)`: to the grammar `x in list` is a comparison.
fn counted(inside: &mut Inside, span: Span) -> Option<Over> {
    let [arg] = inside.args.as_slice() else { return None };
    let ExprKind::Binary(binary) = &arg.value.kind else { return None };
    let ExprKind::Path(path) = &binary.left.kind else { return None };
    let var = path.single().filter(|_| arg.name.is_none() && binary.op == BinaryOp::In)?.clone();
    let list = binary.right.clone();
    let filter = inside.filter.take().map(|(expr, _)| expr);
    let span = Span { start: var.span.start, end: span.end.saturating_sub(1), ..span };
    Some(Over { var, list, filter, span })
}
