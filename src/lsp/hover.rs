//! What a name means, in a few lines: its declaration as it is written, its type, what it is called to people.
use crate::lang::check::FUNCTIONS;
use crate::lang::index::{Symbol, Thing};
use crate::lang::typed::Label;
use crate::lsp::findings::Pages;
use crate::lsp::names::{Asked, asked};
use crate::lsp::session::Session;
use gen_lsp_types as lsp;

/// The longest declaration that is shown whole.
const MOST_LINES: usize = 14;

pub(super) fn hover(session: &Session, params: &lsp::HoverParams) -> Option<lsp::Hover> {
    let asked = asked(session, &params.text_document_position_params)?;
    let Some((span, symbols)) = asked.index.at(asked.file, asked.byte) else {
        return function(session, &asked);
    };
    let told: Vec<String> = symbols.iter().filter_map(|s| card(&asked, *s)).collect();
    if told.is_empty() {
        return None;
    }
    let mut pages = Pages::new(asked.draft, session.encoding);
    Some(lsp::Hover {
        contents: lsp::Contents::MarkupContent(lsp::MarkupContent {
            kind: lsp::MarkupKind::Markdown,
            value: told.join("\n\n---\n\n"),
        }),
        range: Some(pages.range(span)),
    })
}

/// How a function of the language is written, if the cursor is on its name.
fn function(session: &Session, asked: &Asked<'_>) -> Option<lsp::Hover> {
    let text = asked.draft.sources.text(asked.file);
    let (before, after) = text.split_at_checked(asked.byte as usize)?;
    let is_name = |c: &char| c.is_ascii_lowercase() || *c == '_';
    let start = asked.byte - before.chars().rev().take_while(is_name).count() as u32;
    let end = asked.byte + after.chars().take_while(is_name).count() as u32;
    // A name that is called; the same word in a comment or a text is followed by anything.
    text.get(end as usize..).filter(|rest| rest.starts_with('('))?;
    let word = text.get(start as usize..end as usize)?;
    let (_, usage) = FUNCTIONS.iter().find(|(name, _)| *name == word)?;
    Some(lsp::Hover {
        contents: lsp::Contents::MarkupContent(lsp::MarkupContent {
            kind: lsp::MarkupKind::Markdown,
            value: format!("**`{word}`** — function\n\n```zhanggui\n{usage}\n```"),
        }),
        range: Some(Pages::new(asked.draft, session.encoding).lines(asked.file).range(start, end)),
    })
}

/// What a symbol is called in a sentence.
pub(super) fn kind(symbol: Symbol) -> &'static str {
    match symbol {
        Symbol::Enum(_) => "enum",
        Symbol::Member(..) => "word of",
        Symbol::Taxonomy(_) => "taxonomy",
        Symbol::Node(..) => "category of",
        Symbol::Unit(_) => "unit",
        Symbol::Currency(_) => "currency",
        Symbol::Calendar(_) => "calendar",
        Symbol::Entity(_) => "entity",
        Symbol::Field(..) => "field of",
        Symbol::Root(_) | Symbol::FactCall(_) => "fact",
        Symbol::FactParam(..) => "asked by, of",
        Symbol::Decision(_) => "decision",
        Symbol::Output(..) => "output of",
        Symbol::Policy(_) => "policy",
        Symbol::Let(_) => "let",
        Symbol::Param(_) => "param",
        Symbol::Table(_) => "table",
        Symbol::Column(..) => "column of",
        Symbol::Rule(_) => "rule",
        Symbol::Group(_) => "group of rules in",
        Symbol::Var(_) => "element",
        Symbol::Background(_) => "background",
        Symbol::Case(_) => "case",
    }
}

fn card(asked: &Asked<'_>, symbol: Symbol) -> Option<String> {
    let thing = asked.index.things.get(&symbol)?;
    let mut lines = vec![title(symbol, thing)];
    if let Some(said) = said(&thing.label) {
        lines.push(said);
    }
    match symbol {
        Symbol::Group(at) => lines.push(members(asked, at)),
        Symbol::Node(..) => lines.extend(path_of_node(asked, symbol)),
        Symbol::Member(..) | Symbol::Var(_) => {}
        _ => lines.push(code(asked.draft.snippet(thing.whole))),
    }
    if let Some(ty) = &thing.ty {
        lines.push(format!("type: `{}`", asked.index.vocab.type_name(ty)));
    }
    for span in &thing.more {
        let place = asked.index.policy_at(span.file_id(), span.start);
        let by = place.map(|(_, p)| format!("{} ({})", p.path, p.layer)).unwrap_or_default();
        lines.push(format!("set by {by}:\n{}", code(asked.draft.snippet(*span))));
    }
    Some(lines.join("\n\n"))
}

fn title(symbol: Symbol, thing: &Thing) -> String {
    let kind = kind(symbol);
    let clause =
        thing.clause.as_ref().map(|c| format!(" §{}", c.trim_start_matches('§'))).unwrap_or_default();
    match (&thing.home, kind.split_once(' ')) {
        // "word of `season`"
        (Some(home), Some(_)) => format!("**`{}`** — {kind} `{home}`{clause}", thing.name),
        (Some(home), None) => format!("**`{home}.{}`** — {kind}{clause}", thing.name),
        (None, _) => format!("**`{}`** — {kind}{clause}", thing.name),
    }
}

fn said(label: &Label) -> Option<String> {
    let parts: Vec<&str> = [&label.zh, &label.en].into_iter().flatten().map(String::as_str).collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// A text as it is written, without the indentation that its lines share, cut where it gets long.
fn code(text: &str) -> String {
    let mut lines: Vec<&str> = text.trim_end().lines().take(MOST_LINES + 1).collect();
    let indent = |l: &str| l.len() - l.trim_start().len();
    let shared = lines.iter().skip(1).filter(|l| !l.trim().is_empty()).map(|l| indent(l)).min().unwrap_or(0);
    let keep = shared.saturating_sub(2);
    let more = lines.len() > MOST_LINES;
    lines.truncate(MOST_LINES);
    let mut out = String::from("```zhanggui\n");
    for (i, line) in lines.iter().enumerate() {
        out.push_str(if i == 0 { line } else { line.get(keep..).unwrap_or(line) });
        out.push('\n');
    }
    out.push_str(if more { "…\n```" } else { "```" });
    out
}

fn members(asked: &Asked<'_>, group: u32) -> String {
    let mut names: Vec<String> = Vec::new();
    for u in asked.index.uses.iter().filter(|u| u.declares && u.symbol == Symbol::Group(group)) {
        let rule = asked.index.things.iter().find(|(s, t)| {
            matches!(s, Symbol::Rule(_))
                && t.whole.file == u.span.file
                && t.whole.start <= u.span.start
                && u.span.end <= t.whole.end
        });
        names.extend(rule.map(|(_, t)| format!("`{}`", t.name)));
    }
    format!("rules: {}", names.join(", "))
}

/// `apparel › clothing`
fn path_of_node(asked: &Asked<'_>, symbol: Symbol) -> Option<String> {
    let Symbol::Node(taxonomy, node) = symbol else { return None };
    let nodes = &asked.index.vocab.taxonomies.get(taxonomy.ix())?.nodes;
    let mut path = Vec::new();
    let mut at = Some(node);
    while let Some(def) = at.and_then(|n| nodes.get(n as usize)) {
        path.push(format!("`{}`", def.name));
        at = def.parent;
    }
    path.reverse();
    Some(path.join(" › "))
}
