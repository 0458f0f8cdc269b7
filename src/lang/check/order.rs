//! What depends on what: outputs in their order, decisions that call others, and facts that a decision is not given.
use super::cx::{Cx, LetState};
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;
use crate::lang::typed::*;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How an output is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    /// A per-line output, for the very element that is decided.
    Here,
    /// A per-line output, for an element before that.
    Before,
    /// In any other way.
    Whole,
}

/// What an expression reads, each with a place where it does.
#[derive(Clone, Default)]
pub(super) struct Deps {
    outputs: BTreeMap<(OutputId, How), Span>,
    roots: BTreeMap<RootId, Span>,
    calls: BTreeMap<DecisionId, Span>,
}

impl Deps {
    /// The same, read for all elements.
    fn whole(mut self) -> Deps {
        self.outputs = self.outputs.into_iter().map(|((o, _), s)| ((o, How::Whole), s)).collect();
        self
    }

    /// Everything that `other` reads, read by way of `at` if that is given.
    fn join(&mut self, other: &Deps, at: Option<Span>) {
        for (k, v) in &other.outputs {
            self.outputs.entry(*k).or_insert(at.unwrap_or(*v));
        }
        for (k, v) in &other.roots {
            self.roots.entry(*k).or_insert(at.unwrap_or(*v));
        }
        for (k, v) in &other.calls {
            self.calls.entry(*k).or_insert(at.unwrap_or(*v));
        }
    }
}

/// What is known so far: the reads of lets, and which names stand for the element of a per-line output or of a rule.
pub(super) struct Memo {
    lets: Vec<Option<Rc<Deps>>>,
    elements: BTreeSet<VarId>,
}

impl Cx<'_> {
    /// Orders outputs, reports circles, and gives all outputs of all decisions, each after what it reads.
    pub fn order(&mut self) -> Vec<(DecisionId, OutputId)> {
        let of_rules = self.rules.iter().filter_map(|r| r.typed.as_ref()?.for_each.as_ref()).map(|f| f.var);
        let of_outputs = self.vocab.decisions.iter().flat_map(|d| &d.outputs).filter_map(|o| o.var);
        let mut memo =
            Memo { lets: vec![None; self.lets.len()], elements: of_rules.chain(of_outputs).collect() };
        self.given_facts(&mut memo);
        let mut calls: Vec<BTreeMap<DecisionId, Span>> = Vec::new();
        for d in 0..self.vocab.decisions.len() {
            let d = DecisionId(d as u32);
            let deps = self.output_deps(&mut memo, d);
            let mut called = BTreeMap::new();
            for dep in &deps {
                for (k, v) in &dep.calls {
                    called.entry(*k).or_insert(*v);
                }
            }
            calls.push(called);
            let reads = |d: &Deps, how: &dyn Fn(How) -> bool| -> Vec<(usize, Span)> {
                let chosen = d.outputs.iter().filter(|((_, h), _)| how(*h));
                chosen.map(|((o, _), s)| (o.ix(), *s)).collect()
            };
            // What looks back needs only elements decided before.
            let edges: Vec<Vec<(usize, Span)>> =
                deps.iter().map(|d| reads(d, &|how| how != How::Before)).collect();
            let (order, mut circles) = sort(&edges);
            if circles.is_empty() {
                let all: Vec<Vec<(usize, Span)>> = deps.iter().map(|d| reads(d, &|_| true)).collect();
                let whole: Vec<Vec<(usize, Span)>> =
                    deps.iter().map(|d| reads(d, &|how| how == How::Whole)).collect();
                circles = lists_in_circles(&all, &whole);
            }
            for (circle, span) in circles {
                let names: Vec<String> = circle
                    .iter()
                    .filter_map(|o| Some(format!("`{}`", self.output(d, OutputId(*o as u32))?.name)))
                    .collect();
                let first = names.first().cloned().unwrap_or_default();
                let message = if names.len() == 1 {
                    format!("{first} depends on itself")
                } else {
                    format!("{first} depends on itself: {} → {first}", names.join(" → "))
                };
                self.error_help(
                    "E0441",
                    span,
                    message,
                    "an output may be read only by rules that do not help to decide it; a working output can hold what comes before, and `previous(…)` reads it for an element before",
                );
            }
            if let Some(decision) = self.vocab.decisions.get_mut(d.ix()) {
                decision.order = order.into_iter().map(|o| OutputId(o as u32)).collect();
            }
        }
        let edges: Vec<Vec<(usize, Span)>> =
            calls.iter().map(|c| c.iter().map(|(d, s)| (d.ix(), *s)).collect()).collect();
        let (order, circles) = sort(&edges);
        for (circle, span) in circles {
            let names: Vec<String> = circle
                .iter()
                .filter_map(|d| Some(format!("`{}`", self.vocab.decisions.get(*d)?.name)))
                .collect();
            let first = names.first().cloned().unwrap_or_default();
            self.error_help(
                "E0442",
                span,
                format!("{first} asks itself: {} → {first}", names.join(" → ")),
                "decisions may call others only if these never lead back",
            );
        }
        let mut all = Vec::new();
        for d in order {
            let outputs = self.vocab.decisions.get(d).map(|x| x.order.clone()).unwrap_or_default();
            all.extend(outputs.into_iter().map(|o| (DecisionId(d as u32), o)));
        }
        all
    }

    fn deps(&self, memo: &mut Memo, e: &Expr) -> Deps {
        let mut deps = Deps::default();
        self.collect(memo, e, false, &mut deps);
        deps
    }

    fn collect(&self, memo: &mut Memo, e: &Expr, back: bool, deps: &mut Deps) {
        let mut back = back;
        match &e.kind {
            ExprKind::Output(o) => {
                deps.outputs.entry((*o, How::Whole)).or_insert(e.span);
            }
            ExprKind::OutputOf(o, v) => {
                let how = match (memo.elements.contains(v), back) {
                    (false, _) => How::Whole,
                    (true, true) => How::Before,
                    (true, false) => How::Here,
                };
                deps.outputs.entry((*o, how)).or_insert(e.span);
            }
            ExprKind::Previous { var, .. } => back |= memo.elements.contains(var),
            ExprKind::Root(r) => {
                deps.roots.entry(*r).or_insert(e.span);
            }
            ExprKind::Call { decision, .. } => {
                deps.calls.entry(*decision).or_insert(e.span);
            }
            ExprKind::Let(id) => {
                let inner = self.let_deps(memo, *id);
                deps.join(&inner, Some(e.span));
            }
            _ => {}
        }
        visit::children(e, &mut |c| self.collect(memo, c, back, deps));
    }

    fn let_deps(&self, memo: &mut Memo, id: LetId) -> Rc<Deps> {
        if let Some(Some(known)) = memo.lets.get(id.ix()) {
            return known.clone();
        }
        // A let that reads itself is reported elsewhere; here it only must not be walked for ever.
        if let Some(slot) = memo.lets.get_mut(id.ix()) {
            *slot = Some(Rc::default());
        }
        let deps = match self.lets.get(id.ix()).map(|l| &l.state) {
            Some(LetState::Done(value)) => Rc::new(self.deps(memo, value)),
            _ => Rc::default(),
        };
        if let Some(slot) = memo.lets.get_mut(id.ix()) {
            *slot = Some(deps.clone());
        }
        deps
    }

    /// What each output of a decision reads, by all rules of all policies.
    fn output_deps(&self, memo: &mut Memo, d: DecisionId) -> Vec<Deps> {
        let Some(decision) = self.decision(d) else { return Vec::new() };
        let mine: Vec<usize> = (0..self.rules.len())
            .filter(|r| {
                let module = self.rules.get(*r).and_then(|r| self.mods.get(r.module));
                module.and_then(|m| m.decides) == Some(d)
            })
            .collect();
        let mut conditions: BTreeMap<usize, Deps> = BTreeMap::new();
        let mut overriders: BTreeMap<usize, Vec<(usize, Option<OutputId>)>> = BTreeMap::new();
        for r in &mine {
            let Some(rule) = self.rules.get(*r) else { continue };
            let Some(t) = &rule.typed else { continue };
            let mut deps = Deps::default();
            let module = self.mods.get(rule.module);
            let head = module.iter().flat_map(|m| m.applies.iter().chain(&m.governed));
            let list = t.for_each.as_ref().map(|f| &f.list);
            for e in head.chain(list).chain(&t.when) {
                self.collect(memo, e, false, &mut deps);
            }
            // The guard stands in the vocabulary; the author of the rule looks here.
            if let Some(guard) = &t.guard {
                let inner = self.deps(memo, guard);
                deps.join(&inner, Some(rule.ast.name.span));
            }
            conditions.insert(*r, deps);
            for o in &t.overrides {
                for on in &o.rules {
                    overriders.entry(on.ix()).or_default().push((*r, o.output));
                }
            }
            for on in &t.replaces {
                overriders.entry(on.ix()).or_default().push((*r, None));
            }
        }
        let mut all = Vec::new();
        for (i, out) in decision.outputs.iter().enumerate() {
            let o = OutputId(i as u32);
            let mut deps = Deps::default();
            if let Some(g) = &out.guard {
                self.collect(memo, g, false, &mut deps);
            }
            if let Fallback::Else(e) = &out.fallback {
                self.collect(memo, e, false, &mut deps);
            }
            let root_of = |r: usize| self.rules.get(r)?.typed.as_ref()?.for_each.as_ref()?.root;
            let mut waiting = Vec::new();
            for r in &mine {
                let Some(t) = self.rules.get(*r).and_then(|r| r.typed.as_ref()) else { continue };
                let effects: Vec<&Effect> = t.effects.iter().filter(|e| e.output == o).collect();
                if !effects.is_empty() {
                    waiting.push((*r, false));
                }
                for e in effects {
                    self.collect(memo, &e.value, false, &mut deps);
                }
            }
            // Whoever overrides a rule, and whoever overrides that one, has a say as well.
            // An overrider over another list acts by all its elements at once.
            let mut seen = BTreeSet::new();
            while let Some((r, whole)) = waiting.pop() {
                if !seen.insert((r, whole)) {
                    continue;
                }
                match conditions.get(&r) {
                    Some(c) if whole => deps.join(&c.clone().whole(), None),
                    Some(c) => deps.join(c, None),
                    None => {}
                }
                let by = overriders.get(&r).map(Vec::as_slice).unwrap_or_default();
                for (by, _) in by.iter().filter(|(_, of)| of.is_none_or(|x| x == o)) {
                    let same = root_of(*by).is_some() && root_of(*by) == root_of(r);
                    waiting.push((*by, whole || !same));
                }
            }
            all.push(deps);
        }
        all
    }

    /// Names shared by libraries and other policies may read facts or outputs that this decision does not have.
    fn given_facts(&mut self, memo: &mut Memo) {
        let mut found: Vec<(Span, LetId, DecisionId)> = Vec::new();
        for rule in &self.rules {
            let Some(module) = self.mods.get(rule.module) else { continue };
            let (Some(d), Some(t)) = (module.decides, &rule.typed) else { continue };
            let list = t.for_each.as_ref().map(|f| &f.list);
            let values = t.effects.iter().map(|e| &e.value);
            for e in module.applies.iter().chain(list).chain(&t.when).chain(values) {
                visit::all(e, &mut |e| {
                    if let ExprKind::Let(id) = e.kind {
                        found.push((e.span, id, d));
                    }
                });
            }
        }
        for (i, l) in self.lets.iter().enumerate() {
            let (Some(d), LetState::Done(value)) =
                (self.mods.get(l.module).and_then(|m| m.decides), &l.state)
            else {
                continue;
            };
            let _ = i;
            visit::all(value, &mut |e| {
                if let ExprKind::Let(id) = e.kind {
                    found.push((e.span, id, d));
                }
            });
        }
        for (span, id, d) in found {
            let Some(decl) = self.lets.get(id.ix()) else { continue };
            let home = self.mods.get(decl.module);
            let (name, home_decides) = (decl.ast.name.text.clone(), home.and_then(|m| m.decides));
            if home_decides == Some(d) {
                continue;
            }
            let Some(decision) = self.decision(d) else { continue };
            let decision_name = decision.name.clone();
            let given = decision.given.clone();
            let deps = self.let_deps(memo, id);
            if home_decides.is_some() && !deps.outputs.is_empty() {
                self.error_help(
                    "E0443",
                    span,
                    format!("`{name}` reads an output of another decision than `{decision_name}`"),
                    "call that decision: `NAME(…).output`",
                );
                continue;
            }
            let missing = deps.roots.keys().find(|r| {
                let request = self.vocab.roots.get(r.ix()).is_some_and(|r| r.source == Source::Request);
                request && !given.contains(r)
            });
            if let Some(root) = missing.and_then(|r| self.vocab.roots.get(r.ix())).map(|r| r.name.clone()) {
                let at = decl_span(self, id);
                self.push(
                    Diagnostic::error(
                        "E0210",
                        span,
                        format!("`{name}` reads `{root}`, which `{decision_name}` is not given"),
                    )
                    .note(at, "it is defined here")
                    .help(format!("add `{root}` to `decision {decision_name} given …`")),
                );
            }
        }
    }
}

fn decl_span(cx: &Cx<'_>, id: LetId) -> Span {
    cx.lets.get(id.ix()).map(|l| l.ast.name.span).unwrap_or_default()
}

/// Circles that looking back does not open, because somewhere in them a whole list is read; with the place of that.
fn lists_in_circles(all: &[Vec<(usize, Span)>], whole: &[Vec<(usize, Span)>]) -> Vec<(Vec<usize>, Span)> {
    let mut circles = Vec::new();
    for (from, reads) in whole.iter().enumerate() {
        for (to, span) in reads {
            if let Some(circle) = way(all, *to, from) {
                circles.push((circle, *span));
            }
        }
    }
    circles
}

/// The nodes on a way from one node to another, both included.
fn way(edges: &[Vec<(usize, Span)>], from: usize, to: usize) -> Option<Vec<usize>> {
    let mut came: BTreeMap<usize, usize> = BTreeMap::from([(from, from)]);
    let mut todo = vec![from];
    while let Some(at) = todo.pop() {
        if at == to {
            let mut back = vec![at];
            while let Some(&last) = back.last().filter(|l| **l != from) {
                back.push(came.get(&last).copied().unwrap_or(from));
            }
            back.reverse();
            return Some(back);
        }
        for (next, _) in edges.get(at).into_iter().flatten() {
            if !came.contains_key(next) {
                came.insert(*next, at);
                todo.push(*next);
            }
        }
    }
    None
}

/// Nodes in an order where each comes after those it points to, smaller numbers first; and the circles found, each with
/// the place of its closing edge.
fn sort(edges: &[Vec<(usize, Span)>]) -> (Vec<usize>, Vec<(Vec<usize>, Span)>) {
    let mut state = vec![0u8; edges.len()];
    let (mut order, mut circles) = (Vec::new(), Vec::new());
    for start in 0..edges.len() {
        if state.get(start).copied() != Some(0) {
            continue;
        }
        let mut path = vec![(start, 0usize)];
        if let Some(s) = state.get_mut(start) {
            *s = 1;
        }
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            match edges.get(at).and_then(|e| e.get(*next)) {
                None => {
                    if let Some(s) = state.get_mut(at) {
                        *s = 2;
                    }
                    order.push(at);
                    path.pop();
                }
                Some((to, span)) => {
                    *next += 1;
                    match state.get_mut(*to) {
                        Some(s @ 0) => {
                            *s = 1;
                            path.push((*to, 0));
                        }
                        Some(1) => {
                            let circle = path.iter().map(|(n, _)| *n).skip_while(|n| n != to).collect();
                            circles.push((circle, *span));
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    (order, circles)
}
