//! Policies: heads, declarations, rules with their clauses, tables cell by cell.
use super::line::Line;
use super::scope::Scope;
use super::{Offers, Rank, after_dot, expr, sort};
use crate::lang::index::Symbol;
use crate::lang::syntax::{Around, PieceKind};
use crate::lang::typed::{DecisionId, Mode, OutputDef, Ty};

const HEADERS: [&str; 11] = [
    "title", "source", "layer", "from", "before", "through", "governed", "applies", "uses", "extends",
    "rounding",
];

pub(super) fn offer(scope: &Scope<'_>, around: &Around, line: &Line<'_>, offers: &mut Offers) {
    if after_dot(around) {
        return scope.fields(line, offers);
    }
    match around.keyword {
        Some("policy" | "library") => head(scope, around, line, offers),
        Some("rule") => rule(scope, around, line, offers),
        Some("table") => table(scope, around, line, offers),
        Some("rows") if line.last_of(0, &["|"]).is_some() => {
            let end = (0..first_bar(line)).find(|at| line.kind(*at) == Some(PieceKind::Clause));
            let path = line.operand(end.unwrap_or(first_bar(line))).map(|o| o.path).unwrap_or_default();
            let columns = scope.table(&path).map(|(id, _)| scope.columns(id)).unwrap_or_default();
            cell(scope, line, &columns, offers);
        }
        Some("rows") => targets(scope, true, offers),
        Some("set") => match line.last_of(0, &["=", ","]) {
            Some(at) => {
                let path = line.operand(first(line, "=")).map(|o| o.path).unwrap_or_default();
                expr::offer(scope, line, at + 1, scope.of_path(&path).as_ref(), offers);
            }
            None => targets(scope, false, offers),
        },
        Some("let") => {
            if let Some(at) = line.last_of(0, &["="]) {
                expr::offer(scope, line, at + 1, None, offers);
            }
        }
        Some("param") => param(scope, line, offers),
        _ => {}
    }
}

fn first(line: &Line<'_>, sign: &str) -> usize {
    (0..line.len()).find(|at| line.text(*at) == sign).unwrap_or(line.len())
}

fn first_bar(line: &Line<'_>) -> usize {
    first(line, "|")
}

fn head(scope: &Scope<'_>, around: &Around, line: &Line<'_>, offers: &mut Offers) {
    if around.line_start {
        offers.words(HEADERS);
        offers.words(["accepts"]);
        return;
    }
    let words = [
        "decides", "title", "source", "layer", "from", "before", "through", "governed", "applies", "uses",
        "extends", "rounding",
    ];
    let Some(at) = line.last_of(0, &words) else {
        if line.len() > 1 && around.keyword == Some("policy") {
            offers.words(["decides"]);
        }
        return;
    };
    let after = line.len() - at - 1;
    let decides = line.last_of(0, &["decides"]).map(|at| line.text(at + 1)).and_then(|name| {
        let found = scope.index.vocab.decisions.iter().position(|d| d.name == name);
        found.map(|at| DecisionId(at as u32))
    });
    match line.text(at) {
        "decides" if after == 0 => {
            for d in &scope.index.vocab.decisions {
                offers.put(Rank::Wanted, sort::NAME, &d.name, d.label.zh(""));
            }
        }
        "title" => offers.words(["zh", "en"]),
        "layer" if after == 0 => {
            for layer in &scope.index.layers {
                offers.put(Rank::Wanted, sort::NAME, layer, "layer");
            }
        }
        "layer" if after == 1 => {
            let kind = line.text(at + 1);
            for (_, name) in scope.index.places.iter().filter(|(k, _)| k == kind) {
                offers.put(Rank::Wanted, sort::NAME, name, kind);
            }
        }
        "governed" if after == 0 => offers.words(["by"]),
        "governed" if line.back(0) == "by" => {
            for r in
                scope.index.vocab.roots.iter().filter(|r| matches!(r.ty.inner(), Ty::Date | Ty::Entity(_)))
            {
                offers.put(Rank::Wanted, sort::NAME, &r.name, scope.index.vocab.type_name(&r.ty));
            }
        }
        "applies" if after == 0 => offers.words(["when"]),
        "applies" => expr::offer(scope, line, at + 2, Some(&Ty::Bool), offers),
        // A head that is being written cannot be read: what it decides is among its words.
        word @ ("uses" | "extends") if after == 0 || line.back(0) == "," => {
            for p in &scope.index.policies {
                let fits = if word == "uses" { p.decides.is_none() } else { p.decides == decides };
                if fits && scope.policy.is_none_or(|own| own.path != p.path) {
                    offers.put(Rank::Wanted, sort::POLICY, &p.path, &p.layer);
                }
            }
        }
        "rounding" => rounding(line, offers),
        _ => {}
    }
}

fn rounding(line: &Line<'_>, offers: &mut Offers) {
    if line.back(0) == "half" {
        offers.words(["up", "even"]);
    } else {
        offers.words(["down", "up", "half", "undecided"]);
    }
}

/// Where the clauses of a rule begin: the last one before the cursor, `then` of an `if` left out.
fn clause(line: &Line<'_>) -> Option<usize> {
    let (mut found, mut ifs, mut depth) = (None, 0usize, 0usize);
    for at in 0..line.len() {
        let after_dot = at > 0 && line.text(at - 1) == ".";
        match line.text(at) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ if depth > 0 || after_dot => {}
            "if" => ifs += 1,
            "then" if ifs > 0 => ifs -= 1,
            "when" | "then" | "overrides" | "replaces" | "say" | "accepts" => (found, ifs) = (Some(at), 0),
            _ => {}
        }
    }
    found
}

fn rule(scope: &Scope<'_>, around: &Around, line: &Line<'_>, offers: &mut Offers) {
    if around.line_start && !matches!(line.back(0), "," | "and" | "or" | "+" | "*" | "=" | "when" | "then") {
        offers.words([
            "when",
            "then",
            "overrides",
            "replaces",
            "say",
            "in",
            "for",
            "from",
            "binding",
            "accepts",
        ]);
    }
    match clause(line) {
        None => rule_head(scope, line, offers),
        Some(at) => match line.text(at) {
            "when" => {
                expr::offer(scope, line, at + 1, Some(&Ty::Bool), offers);
                if line.ends_operand() {
                    offers.words(["then"]);
                }
            }
            "then" => effect(scope, line, at + 1, offers),
            "overrides" | "replaces" => overridden(scope, line, at, offers),
            "say" if !around.line_start => offers.words(["zh", "en"]),
            _ => {}
        },
    }
}

fn rule_head(scope: &Scope<'_>, line: &Line<'_>, offers: &mut Offers) {
    let named = (0..line.len()).find(|at| line.text(*at) == "rule").map_or(0, |at| at + 2);
    if line.len() < named {
        return;
    }
    match line.back(0) {
        "in" if line.last_of(named, &["each"]).is_some() => scope.names(offers),
        "in" => {
            for (_, group) in
                scope.index.groups.iter().filter(|(p, _)| scope.policy.is_some_and(|o| o.path == *p))
            {
                offers.put(Rank::Wanted, sort::RULE, group, "group of rules");
            }
        }
        "for" => offers.words(["each"]),
        "each" => {}
        _ => offers.words([
            "when",
            "then",
            "in",
            "for",
            "from",
            "before",
            "through",
            "overrides",
            "replaces",
            "say",
        ]),
    }
}

fn overridden(scope: &Scope<'_>, line: &Line<'_>, at: usize, offers: &mut Offers) {
    match line.last_of(at, &["for"]) {
        Some(_) if line.back(0) == "for" => {
            for o in scope.outputs() {
                offers.put(Rank::Wanted, sort::NAME, &o.name, "output");
            }
        }
        Some(_) => {}
        None if line.len() == at + 1 || line.back(0) == "," => scope.rules(offers),
        None => offers.words(["for", "overrides", "replaces", "say"]),
    }
}

/// Whether a bare word may set an output.
fn takes_words(o: &OutputDef) -> bool {
    matches!(o.mode, Mode::One | Mode::Max | Mode::Min) && o.per.is_none() && matches!(o.ty, Ty::Enum(_))
}

fn effect(scope: &Scope<'_>, line: &Line<'_>, from: usize, offers: &mut Offers) {
    let begin = line.last_of(from, &[","]).map_or(from, |at| at + 1);
    if line.len() == begin {
        for o in scope.outputs().iter().filter(|o| takes_words(o)) {
            scope.values(&o.ty, offers);
        }
        for o in scope.outputs() {
            let ty = scope.index.vocab.type_name(&o.ty);
            offers.put(Rank::Name, sort::NAME, &o.name, format!("output: {ty}"));
        }
        scope.names(offers);
        return;
    }
    let ops = ["=", "add", "remove", "least", "most"];
    let op = (begin..line.len()).find(|at| ops.contains(&line.text(*at)));
    match op {
        None if line.back(0) == "at" => offers.words(["least", "most"]),
        None if expr::only_names(line, begin) => {
            let output = scope.outputs().iter().find(|o| o.name == line.back(0));
            match output.map(|o| o.mode) {
                Some(Mode::All) => offers.words(["=", "add", "remove"]),
                Some(Mode::Each) => offers.words(["add"]),
                Some(_) => offers.words(["=", "at"]),
                None => {}
            }
            offers.words(["overrides", "replaces", "say"]);
        }
        None => {}
        Some(op) => {
            let target = (begin..op).rev().find(|at| {
                !["at"].contains(&line.text(*at)) && scope.outputs().iter().any(|o| o.name == line.text(*at))
            });
            let output = target.and_then(|at| scope.outputs().iter().find(|o| o.name == line.text(at)));
            expr::offer(scope, line, op + 1, output.map(|o| &o.ty), offers);
            if line.ends_operand() {
                offers.words(["overrides", "replaces", "say"]);
            }
        }
    }
}

/// What `set` and `rows` of a lower layer may name.
fn targets(scope: &Scope<'_>, tables: bool, offers: &mut Offers) {
    for (symbol, thing) in scope.things() {
        let fits = match symbol {
            Symbol::Param(_) => !tables,
            Symbol::Table(_) => tables,
            _ => false,
        };
        let Some(home) = thing.home.as_deref().filter(|_| fits) else { continue };
        if scope.policy.is_some_and(|p| p.path == home) {
            continue;
        }
        let seen = scope.policy.is_some_and(|p| p.sees.iter().any(|s| s == home));
        let name = if seen { thing.name.clone() } else { format!("{home}.{}", thing.name) };
        offers.put(Rank::Wanted, sort::NAME, name, scope.detail(symbol, thing));
    }
}

fn param(scope: &Scope<'_>, line: &Line<'_>, offers: &mut Offers) {
    match line.last_of(0, &["=", ",", "may", "set"]) {
        Some(at) if matches!(line.text(at), "=" | ",") => {
            let ty = ty_of(scope, line.text(first(line, ":") + 1));
            expr::offer(scope, line, at + 1, ty.as_ref(), offers);
            if line.ends_operand() {
                for layer in &scope.index.layers {
                    offers.put(Rank::Word, sort::NAME, format!("{layer} may set"), "bounds for lower layers");
                }
                offers.words(["from", "before", "through"]);
            }
        }
        _ if line.back(0) == ":" || line.back(0) == "of" => scope.types(offers),
        _ if matches!(line.back(0), "list" | "set") => offers.words(["of"]),
        _ => {}
    }
}

/// The kind that a written type is.
fn ty_of(scope: &Scope<'_>, name: &str) -> Option<Ty> {
    use crate::lang::typed::{EnumId, TaxonomyId};
    let vocab = &scope.index.vocab;
    let built_in = crate::lang::check::TYPES.into_iter().find(|(n, _)| *n == name).map(|(_, ty)| ty);
    let of_enum = || vocab.enums.iter().position(|e| e.name == name).map(|i| Ty::Enum(EnumId(i as u32)));
    let of_tree =
        || vocab.taxonomies.iter().position(|t| t.name == name).map(|i| Ty::Node(TaxonomyId(i as u32)));
    built_in.or_else(of_enum).or_else(of_tree)
}

fn table(scope: &Scope<'_>, around: &Around, line: &Line<'_>, offers: &mut Offers) {
    let bar = first_bar(line);
    if bar < line.len() {
        // The head is read from its words: the table need not be whole.
        let colons = (0..bar).filter(|at| line.text(*at) == ":" && *at > 0);
        let columns: Vec<(String, Ty)> = colons
            .map(|at| {
                let ty = ty_of(scope, line.text(at + 1)).unwrap_or(Ty::Never);
                let optional = line.text(at + 2) == "?" && ty != Ty::Never;
                (line.text(at - 1).to_owned(), if optional { ty.optional() } else { ty })
            })
            .collect();
        return cell(scope, line, &columns, offers);
    }
    if matches!(line.back(0), ":" | "of") {
        return scope.types(offers);
    }
    if (0..line.len()).any(|at| line.text(at) == "->") && !around.line_start {
        offers.words(["unique", "first", "nearest", "steps", "collect", "file", "accepts"]);
        if line.back(0) == "collect" {
            offers.words(["sum", "max", "min", "all"]);
        }
    }
}

/// A cell of a row: the column by the bars on its line.
fn cell(scope: &Scope<'_>, line: &Line<'_>, columns: &[(String, Ty)], offers: &mut Offers) {
    let bars = (line.line_begin()..line.len()).filter(|at| line.text(*at) == "|").count();
    // `| a | b |` has a bar more than it has cells; several rows may stand on one line.
    let Some(at) = bars.checked_sub(1).map(|n| n % (columns.len() + 1)) else { return };
    let Some((_, ty)) = columns.get(at) else {
        return offers.words(["from", "before", "through"]);
    };
    let begin = (0..line.len()).rev().find(|at| line.text(*at) == "|").map_or(0, |at| at + 1);
    if line.len() == begin || line.back(0) == "," {
        scope.values(ty, offers);
        offers.words(["else", "absent", "undecided"]);
    }
}
