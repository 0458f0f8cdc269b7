//! How deep a decision can go: evaluation follows expressions into lets, calls and overriding rules, on a thread's stack.
//!
//! A rulebook that goes deeper than any that a person would write is refused here, so that no text can end the server.
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;
use crate::lang::typed::visit::parts;
use crate::lang::typed::*;

/// The deepest nesting of expressions, lets, calls and overrides taken together. Measured: threads with the usual stack of
/// 2 MiB manage more than twice that, without optimisation.
const LIMIT: u32 = 600;

/// The stack for whatever goes into a text before its depth is known.
pub(super) const STACK: usize = 256 << 20;

/// Refuses what goes too deep; one finding, for one cause makes many.
pub(super) fn check(book: &Rulebook) -> Option<Diagnostic> {
    let mut overriders = vec![Vec::new(); book.rules.len()];
    for (by, rule) in book.rules.iter().enumerate() {
        let named = rule.overrides.iter().flat_map(|o| &o.rules).chain(&rule.replaces);
        for on in named {
            if let Some(list) = overriders.get_mut(on.ix()) {
                list.push(RuleId(by as u32));
            }
        }
    }
    let mut depths = Depths {
        book,
        overriders,
        lets: vec![None; book.lets.len()],
        rules: vec![None; book.rules.len()],
        decisions: vec![None; book.vocab.decisions.len()],
    };
    let lets = book.lets.iter().enumerate().map(|(i, l)| (depths.of_let(LetId(i as u32)), l.span));
    let too_deep: Option<(u32, Span)> =
        lets.filter(|(depth, _)| *depth > LIMIT).min_by_key(|(depth, _)| *depth);
    let rules = book.rules.iter().enumerate().map(|(i, r)| (depths.of_rule(RuleId(i as u32)), r.span));
    let too_deep = too_deep.or(rules.filter(|(depth, _)| *depth > LIMIT).min_by_key(|(depth, _)| *depth));
    too_deep.map(|(_, span)| {
        let message =
            format!("expressions, `let`s, calls and overrides lead more than {LIMIT} steps deep from here");
        Diagnostic::error("E0808", span, message).help("build on fewer steps, or use a table")
    })
}

/// What is known, or that it is being found out: then it goes round in circles, and is deeper than any limit. The checker
/// refuses circles; this is not the place to rely on it.
fn begin(known: &mut [Option<u32>], at: usize) -> Option<u32> {
    let place = known.get_mut(at)?;
    let before = *place;
    *place = before.or(Some(LIMIT + 1));
    before
}

struct Depths<'b> {
    book: &'b Rulebook,
    overriders: Vec<Vec<RuleId>>,
    lets: Vec<Option<u32>>,
    rules: Vec<Option<u32>>,
    decisions: Vec<Option<u32>>,
}

impl Depths<'_> {
    fn of_let(&mut self, id: LetId) -> u32 {
        if let Some(known) = begin(&mut self.lets, id.ix()) {
            return known;
        }
        let book = self.book;
        let depth = book.lets.get(id.ix()).map_or(0, |l| self.of(&l.value));
        if let Some(place) = self.lets.get_mut(id.ix()) {
            *place = Some(depth);
        }
        depth
    }

    fn of_rule(&mut self, id: RuleId) -> u32 {
        if let Some(known) = begin(&mut self.rules, id.ix()) {
            return known;
        }
        let book = self.book;
        let Some(rule) = book.rules.get(id.ix()) else { return 0 };
        let own = rule.when.iter().chain(&rule.guard).chain(rule.for_each.iter().map(|f| &f.list));
        let mut depth =
            own.chain(rule.effects.iter().map(|e| &e.value)).map(|e| self.of(e)).max().unwrap_or(0);
        for by in self.overriders.get(id.ix()).cloned().unwrap_or_default() {
            depth = depth.max(self.of_rule(by) + 1);
        }
        if let Some(place) = self.rules.get_mut(id.ix()) {
            *place = Some(depth);
        }
        depth
    }

    fn of_decision(&mut self, id: DecisionId) -> u32 {
        if let Some(known) = begin(&mut self.decisions, id.ix()) {
            return known;
        }
        let book = self.book;
        let decides = |r: &Rule| book.policies.get(r.policy.ix()).is_some_and(|p| p.decides == Some(id));
        let rules = book.rules.iter().enumerate().filter(|(_, r)| decides(r)).map(|(i, _)| RuleId(i as u32));
        let depth = rules.map(|r| self.of_rule(r)).max().unwrap_or(0);
        if let Some(place) = self.decisions.get_mut(id.ix()) {
            *place = Some(depth);
        }
        depth
    }

    fn of(&mut self, e: &Expr) -> u32 {
        let below = match &e.kind {
            ExprKind::Let(id) => self.of_let(*id),
            ExprKind::Call { decision, .. } => self.of_decision(*decision),
            _ => 0,
        };
        1 + parts(e).into_iter().map(|c| self.of(c)).max().unwrap_or(0).max(below)
    }
}
