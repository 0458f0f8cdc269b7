//! One mistake, one finding: what only follows from another finding is left out, and a name that is missing in many
//! places is told once.
use super::cx::{Cx, LetState};
use crate::lang::ast;
use crate::lang::diagnostic::{Diagnostic, Note};
use crate::lang::source::Span;
use crate::lang::typed::*;
use std::collections::{BTreeMap, BTreeSet};

/// A name that was reported because it means nothing.
#[derive(Debug, Clone)]
pub(super) struct Unknown {
    pub code: &'static str,
    pub span: Span,
    pub near: Option<String>,
}

/// How many further places of one missing name are shown.
const SHOWN: usize = 3;
/// How many different names are looked for in all texts; a rulebook with more is torn.
const LOOKED_FOR: usize = 100;

impl<'a> Cx<'a> {
    /// Whether an expression stands for a mistake that was reported, directly or by way of a `let`.
    pub fn is_mistake(&self, e: &Expr) -> bool {
        match &e.kind {
            ExprKind::Undecided(label) => label.zh.is_none() && label.en.is_none(),
            ExprKind::Let(id) => match self.lets.get(id.ix()).map(|l| &l.state) {
                Some(LetState::Done(value)) => self.is_mistake(value),
                _ => false,
            },
            ExprKind::If(_, x, y) => self.is_mistake(x) || self.is_mistake(y),
            ExprKind::Otherwise(x, y) => self.is_mistake(x) || self.is_mistake(y),
            ExprKind::Var(_) | ExprKind::Field(..) => e.ty == Ty::Never,
            _ => false,
        }
    }

    /// `imported-watches` for `imported_watches`: reported as one name, if there is such a name.
    pub fn hyphened(&mut self, e: &ast::Expr, known: impl Fn(&Self, &str) -> bool) -> bool {
        let ast::ExprKind::Binary(b) = &e.kind else { return false };
        let text = self.sources().snippet(e.span);
        let whole = b.op == ast::BinaryOp::Sub
            && text.contains('-')
            && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'))
            && text.split('-').all(|part| part.starts_with(char::is_alphabetic));
        if !whole {
            return false;
        }
        let meant = text.replace('-', "_");
        let (first, last) = (text.split('-').next().unwrap_or(""), meant.rsplit('.').next().unwrap_or(""));
        let field = |name: &str| {
            self.vocab.entities.iter().any(|entity| entity.fields.iter().any(|field| field.name == name))
        };
        let names = |name: &str| self.words.contains_key(name) || known(self, name);
        let is = if meant.contains('.') { field(last) } else { names(last) };
        if !is || !first.contains('.') && known(self, first) {
            return false;
        }
        let message = format!("there is no name `{text}` here; did you mean `{meant}`?");
        self.push(Diagnostic::error("E0201", e.span, message).fix(e.span, meant));
        true
    }

    /// Leaves out what only follows from another finding.
    pub fn roots(&mut self) {
        self.hold_back_absence();
        self.hold_back_lost_policies();
        self.gather_unknown();
    }

    /// Where a condition could not be read, nothing tells what is present after it.
    fn hold_back_absence(&mut self) {
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            return;
        }
        let is_held = |d: &Diagnostic| d.code == "E0330" && held.iter().any(|(span, _)| *span == d.span);
        let others: Vec<Span> =
            self.diags.iter().filter(|d| d.is_error() && !is_held(d)).map(|d| d.span).collect();
        let guards = self.outs.iter().flatten().filter_map(|o| o.ast.guard.as_ref()).map(|g| g.span);
        let guards: Vec<Span> = guards.collect();
        let torn_guard = others.iter().any(|at| guards.iter().any(|guard| within(*at, *guard)));
        let rules = self.rules.iter().map(|r| r.ast.span);
        let homes: Vec<Span> = rules.chain(self.lets.iter().map(|l| l.ast.span)).collect();
        let torn: Vec<Span> =
            homes.into_iter().filter(|home| others.iter().any(|at| within(*at, *home))).collect();
        let follows = |d: &Diagnostic| {
            is_held(d)
                && (torn.iter().any(|home| within(d.span, *home))
                    || torn_guard && held.iter().any(|(span, output)| *span == d.span && *output))
        };
        self.diags.retain(|d| !follows(d));
    }

    /// What is named by way of a policy that there is not is missing, too.
    fn hold_back_lost_policies(&mut self) {
        let lost: Vec<(Span, String)> = self
            .unknown
            .iter()
            .filter(|u| u.code == "E0209")
            .map(|u| (u.span, format!("{}.", self.sources().snippet(u.span))))
            .collect();
        let follows: BTreeSet<Span> = self
            .unknown
            .iter()
            .filter(|u| matches!(u.code, "E0207" | "E0214" | "E0219"))
            .filter(|u| {
                let written = self.sources().snippet(u.span);
                lost.iter().any(|(at, path)| at.file == u.span.file || written.starts_with(path.as_str()))
            })
            .map(|u| u.span)
            .collect();
        self.unknown.retain(|u| !follows.contains(&u.span));
        self.diags.retain(|d| !(follows.contains(&d.span) && matches!(d.code, "E0207" | "E0214" | "E0219")));
    }

    /// A name that means nothing in many places is missing once: what is near it is used nowhere, or nothing is near.
    fn gather_unknown(&mut self) {
        let mut groups: BTreeMap<(&str, String, Option<String>), Vec<Span>> = BTreeMap::new();
        for u in std::mem::take(&mut self.unknown) {
            let written = self.sources().snippet(u.span).trim_matches('"').to_owned();
            let spans = groups.entry((u.code, written, u.near)).or_default();
            if !spans.contains(&u.span) {
                spans.push(u.span);
            }
        }
        for (n, ((code, written, near), mut spans)) in groups.into_iter().enumerate() {
            spans.sort_unstable();
            let place = match &near {
                _ if n >= LOOKED_FOR => None,
                // The name was probably meant if others use it; else it is itself the one that is misspelt.
                Some(near) => match self.only_place(near) {
                    Some(place) => Some(place),
                    None => continue,
                },
                None => None,
            };
            let Some((first, further)) = spans.split_first() else { continue };
            self.diags.retain(|d| !(d.code == code && further.contains(&d.span)));
            let Some(found) = self.diags.iter_mut().find(|d| d.code == code && d.span == *first) else {
                continue;
            };
            let more = further.len().saturating_sub(SHOWN);
            for (at, span) in further.iter().take(SHOWN).enumerate() {
                let text = match at + 1 == SHOWN && more > 0 {
                    true => format!("and here, and in {more} more places"),
                    false => "and here".to_owned(),
                };
                found.notes.push(Note { span: *span, text });
            }
            if let Some(place) = place {
                // Used once and declared once: nobody can tell which of the two is misspelt.
                let text = match further.is_empty() {
                    true => "declared here".to_owned(),
                    false => format!("declared here: or is it this one that should be `{written}`?"),
                };
                found.notes.insert(0, Note { span: place, text });
                if let Some(suggestion) = &mut found.suggestion {
                    suggestion.certain = false;
                    // In many places it is written so: then one change mends them all.
                    if !further.is_empty() && code != "E0218" {
                        suggestion.span = place;
                        suggestion.replacement = written;
                    }
                }
            }
        }
    }

    /// Where a name stands, if it stands in one place only.
    fn only_place(&self, name: &str) -> Option<Span> {
        let goes_on = |c: char| c == '_' || c.is_alphanumeric();
        let mut places = self.sources().files().flat_map(|(file, source)| {
            let text = source.text.as_str();
            text.match_indices(name)
                .filter(move |(at, _)| {
                    let before = text.get(..*at).is_some_and(|t| t.ends_with(goes_on));
                    let after = text.get(at + name.len()..).is_some_and(|t| t.starts_with(goes_on));
                    !before && !after
                })
                .map(move |(at, _)| Span::new(file, at as u32, (at + name.len()) as u32))
        });
        let first = places.next()?;
        places.next().is_none().then_some(first)
    }
}

fn within(inner: Span, outer: Span) -> bool {
    inner.file == outer.file && inner.start >= outer.start && inner.end <= outer.end
}
