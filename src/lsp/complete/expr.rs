//! Expressions: what is wanted at the cursor follows from the operator, bracket or effect before it.
use super::line::Line;
use super::scope::Scope;
use super::{Offers, Rank, sort};
use crate::lang::syntax::PieceKind;
use crate::lang::typed::Ty;

/// What may follow a whole operand.
const OPERATORS: [&str; 8] = ["and", "or", "is", "in", "not", "otherwise", "rounded", "where"];

/// Offers what may stand at the end of an expression that begins at `begin`; `place` is the kind of its place, where one
/// is known.
pub(super) fn offer(
    scope: &Scope<'_>,
    line: &Line<'_>,
    begin: usize,
    place: Option<&Ty>,
    offers: &mut Offers,
) {
    if line.len() > begin && line.ends_operand() {
        offers.words(OPERATORS);
        if let Some(at) = line.last_of(begin, &["if", "then"]) {
            offers.words([if line.text(at) == "if" { "then" } else { "else" }]);
        }
        return;
    }
    if let Some(ty) = wanted(scope, line, begin).as_ref().or(place.filter(|_| at_value(line, begin))) {
        scope.values(ty, offers);
    }
    arguments(scope, line, begin, offers);
    scope.names(offers);
    match line.back(0) {
        "is" => offers.words(["not", "absent"]),
        "not" if line.back(1) == "is" => offers.words(["absent"]),
        "rounded" => offers.words(["down", "up", "half"]),
        "half" => offers.words(["up", "even"]),
        _ => offers.words([
            "not",
            "if",
            "yes",
            "no",
            "absent",
            "undecided",
            "days",
            "months",
            "years",
            "hours",
        ]),
    }
}

/// Whether the value of the whole expression stands at the cursor: nothing is written yet, or a branch of an `if`, or
/// one of several in braces.
fn at_value(line: &Line<'_>, begin: usize) -> bool {
    let braces = line.open().last().is_some_and(|at| *at >= begin && line.text(*at) == "{");
    line.len() == begin || matches!(line.back(0), "then" | "else") || braces
}

/// The kind of value that the words before the cursor ask for.
fn wanted(scope: &Scope<'_>, line: &Line<'_>, begin: usize) -> Option<Ty> {
    let end = line.len();
    let left = |end: usize| scope.of_operand(&line.operand(end)?);
    match line.back(0) {
        "is" | "in" | "=" | ">=" | "<=" | ">" | "<" | "!=" | "otherwise" if end > begin + 1 => {
            let before = end - 1;
            let negated = line.text(before.checked_sub(1)?) == "not";
            left(if negated { before - 1 } else { before })
        }
        "not" if line.back(1) == "is" => left(end.checked_sub(2)?),
        ":" | "(" | "," | "{" | "[" => {
            let open = line.open().last().copied().filter(|at| *at >= begin)?;
            match line.text(open) {
                "(" => argument(scope, line, open),
                _ => {
                    // `x in {a, …`
                    let before = open.checked_sub(1)?;
                    let negated = before > 0 && line.text(before - 1) == "not";
                    if line.text(before) == "in" {
                        left(if negated { before - 1 } else { before })
                    } else {
                        None
                    }
                }
            }
        }
        _ => None,
    }
}

/// The kind of the argument at the cursor, in the brackets that open at `open`.
fn argument(scope: &Scope<'_>, line: &Line<'_>, open: usize) -> Option<Ty> {
    let call = line.operand(open)?;
    let asks = scope.asks(&call.path);
    if line.back(0) == ":" {
        let name = line.back(1);
        return asks.into_iter().find(|(n, _)| n == name).map(|(_, ty)| ty);
    }
    let mut depth = 0usize;
    let mut at = 0;
    for i in open + 1..line.len() {
        match line.text(i) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            "," if depth == 0 => at += 1,
            _ => {}
        }
    }
    asks.into_iter().nth(at).map(|(_, ty)| ty)
}

/// The names of arguments where one may begin.
fn arguments(scope: &Scope<'_>, line: &Line<'_>, begin: usize, offers: &mut Offers) {
    if !matches!(line.back(0), "(" | ",") {
        return;
    }
    let Some(open) = line.open().last().copied().filter(|at| *at >= begin && line.text(*at) == "(") else {
        return;
    };
    let Some(call) = line.operand(open) else { return };
    for (name, ty) in scope.asks(&call.path) {
        offers.put(Rank::Name, sort::FIELD, format!("{name}: "), scope.index.vocab.type_name(&ty));
    }
}

/// Whether what stands before the cursor, from `begin` on, is only names with dots: a target to which something is done.
pub(super) fn only_names(line: &Line<'_>, begin: usize) -> bool {
    line.len() > begin
        && (begin..line.len()).all(|at| line.kind(at) == Some(PieceKind::Word) || line.text(at) == ".")
        && line.operand(line.len()).is_some_and(|o| o.begins == begin)
}
