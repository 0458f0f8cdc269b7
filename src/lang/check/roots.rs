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

/// A name that means nothing in one or more places.
struct Gathered {
    written: String,
    /// The only place of the name that is near: used nowhere, it may itself be the one that is misspelt.
    declared: Option<Span>,
    further: Vec<Span>,
}

impl Gathered {
    /// Adds the places to the finding at the first one.
    fn tell(&self, found: &mut Diagnostic) {
        if let Some(place) = self.declared {
            // Used once and declared once: nobody can tell which of the two is misspelt.
            let text = match self.further.is_empty() {
                true => "declared here".to_owned(),
                false => format!("declared here: or is it this one that should be `{}`?", self.written),
            };
            found.notes.push(Note { span: place, text });
            if let Some(suggestion) = &mut found.suggestion {
                suggestion.certain = false;
                // In many places it is written so: then one change mends them all.
                if !self.further.is_empty() && found.code != "E0218" {
                    suggestion.span = place;
                    suggestion.replacement = self.written.clone();
                }
            }
        }
        let more = self.further.len().saturating_sub(SHOWN);
        for (at, span) in self.further.iter().take(SHOWN).enumerate() {
            let text = match at + 1 == SHOWN && more > 0 {
                true => format!("and here, and in {more} more places"),
                false => "and here".to_owned(),
            };
            found.notes.push(Note { span: *span, text });
        }
    }
}

/// How many further places of one missing name are shown.
const SHOWN: usize = 3;
/// A text with more mistakes than this is torn: then nothing is held back.
const MOST: usize = 1_000;
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
        let held: BTreeMap<Span, bool> = held.into_iter().collect();
        let is_held = |d: &Diagnostic| d.code == "E0330" && held.contains_key(&d.span);
        let others: Vec<Span> =
            self.diags.iter().filter(|d| d.is_error() && !is_held(d)).map(|d| d.span).collect();
        if others.is_empty() || others.len() > MOST {
            return;
        }
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
                    || torn_guard && held.get(&d.span) == Some(&true))
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
        if lost.is_empty() {
            return;
        }
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
            groups.entry((u.code, written, u.near)).or_default().push(u.span);
        }
        // What is said at the first place, and the further places, at which nothing is said.
        let mut said: BTreeMap<(&str, Span), Gathered> = BTreeMap::new();
        let mut silent: BTreeSet<(&str, Span)> = BTreeSet::new();
        for (n, ((code, written, near), mut spans)) in groups.into_iter().enumerate() {
            spans.sort_unstable();
            spans.dedup();
            let declared = match &near {
                Some(near) if n < LOOKED_FOR => match self.only_place(near) {
                    Some(place) => Some(place),
                    // The name was meant: others use it.
                    None => continue,
                },
                _ => None,
            };
            let Some((first, further)) = spans.split_first() else { continue };
            if declared.is_some() || !further.is_empty() {
                silent.extend(further.iter().map(|span| (code, *span)));
                said.insert((code, *first), Gathered { written, declared, further: further.to_vec() });
            }
        }
        if said.is_empty() {
            return;
        }
        self.diags.retain(|d| !silent.contains(&(d.code, d.span)));
        for found in &mut self.diags {
            if let Some(gathered) = said.get(&(found.code, found.span)) {
                gathered.tell(found);
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
