//! Findings about rules, decision by decision, in all programs of a rulebook at once: one finding each, naming the stores
//! where it does not hold for all.
mod alone;
mod faults;
mod open;
mod pairs;
mod revived;

use crate::analysis::goal::Goal;
use crate::analysis::search::{Answer, Search, Witness};
use crate::analysis::words;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;
use crate::lang::typed::*;
use crate::program::link::{Linked, LinkedRule};
use crate::rulebook::{Book, Program};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The stack of a thread that analyses: expressions nest as deep as a rulebook may.
const STACK: usize = 64 << 20;

/// Everything found about the rules of a rulebook.
pub fn analyse(book: &Book) -> Vec<Diagnostic> {
    let count = book.typed.vocab.decisions.len();
    let found: Mutex<BTreeMap<usize, Vec<Diagnostic>>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(count);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let work = || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        break;
                    }
                    let of = decision(book, DecisionId(at as u32));
                    found.lock().unwrap_or_else(PoisonError::into_inner).insert(at, of);
                }
            };
            // Without a thread, this one does the work.
            if std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).is_err() {
                break;
            }
        }
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut all: Vec<Diagnostic> = found.into_values().flatten().collect();
    all.extend(open::questions(book));
    all
}

fn decision(book: &Book, decision: DecisionId) -> Vec<Diagnostic> {
    let mut at = Decision::new(book, decision);
    let mut found = Vec::new();
    alone::check(&mut at, &mut found);
    pairs::check(&mut at, &mut found);
    revived::check(&mut at, &mut found);
    faults::check(&mut at, &mut found);
    found.extend(open::not_decided(&at));
    found
}

/// A decision in all programs of a rulebook that decide it differently.
struct Decision<'p> {
    book: &'p Book,
    id: DecisionId,
    def: &'p OutputsOf,
    searches: Vec<Search<'p>>,
    /// The stores of each search.
    stores: Vec<Vec<&'p str>>,
    /// What could not be decided, in words.
    undecided: BTreeSet<String>,
}

/// A decision of the vocabulary.
type OutputsOf = crate::lang::typed::Decision;

/// Facts found in one of the programs.
struct Found {
    search: usize,
    witness: Witness,
}

/// What a question came to in all programs.
enum Verdict {
    Shown(Found),
    /// In no program are there such facts.
    Never,
    NotDecided,
}

impl<'p> Decision<'p> {
    fn new(book: &'p Book, id: DecisionId) -> Decision<'p> {
        let mut groups: Vec<(Vec<bool>, &'p Arc<Program>, Vec<&'p str>)> = Vec::new();
        let concerned = concerned(&book.typed, id);
        for store in &book.stores {
            let linked = store.program.linked();
            let part: Vec<bool> = concerned.iter().map(|p| linked.has_policy(*p)).collect();
            match groups
                .iter_mut()
                .find(|(known, program, _)| *known == part && program.linked().zone == linked.zone)
            {
                Some((_, _, stores)) => stores.push(&store.def.id),
                None => groups.push((part, &store.program, vec![&store.def.id])),
            }
        }
        let searches = groups.iter().map(|(_, program, _)| Search::new(program, id)).collect();
        let stores = groups.into_iter().map(|(_, _, stores)| stores).collect();
        let def = book.typed.vocab.decisions.get(id.ix()).unwrap_or(&NONE);
        Decision { book, id, def, searches, stores, undecided: BTreeSet::new() }
    }

    fn rule(&self, id: RuleId) -> Option<&'p Rule> {
        self.book.typed.rules.get(id.ix())
    }

    /// The rules that decide in at least one program, in rule order.
    fn rules(&self) -> BTreeSet<RuleId> {
        let linked = self.searches.iter().flat_map(|s| s.program.linked().rules(self.id));
        linked.map(|l| l.rule).collect()
    }

    /// Asks every program where both rules take part, until one shows it.
    fn ask(
        &mut self,
        rules: &[RuleId],
        mut goal: impl FnMut(&'p Linked, &[usize]) -> Option<Goal<'p>>,
    ) -> Verdict {
        let mut decided = true;
        for (i, search) in self.searches.iter_mut().enumerate() {
            let linked: &'p Linked = search.program.linked();
            let position = |r: &RuleId| linked.rules(self.id).iter().position(|l| l.rule == *r);
            let Some(positions) = rules.iter().map(position).collect::<Option<Vec<usize>>>() else {
                continue;
            };
            let Some(goal) = goal(linked, &positions) else { continue };
            match search.find(&goal) {
                Answer::Witness(witness) => return Verdict::Shown(Found { search: i, witness: *witness }),
                Answer::None => {}
                Answer::GaveUp => decided = false,
            }
        }
        if decided { Verdict::Never } else { Verdict::NotDecided }
    }

    /// The facts that matter, in words, with the store where not all stores decide alike.
    fn say(&mut self, found: &Found, goal: impl FnOnce(&'p Linked) -> Goal<'p>) -> String {
        let alike = self.searches.len() == 1;
        let store = self.stores.get(found.search).and_then(|s| s.first()).copied().unwrap_or_default();
        let Some(search) = self.searches.get_mut(found.search) else { return String::new() };
        let goal = goal(search.program.linked());
        let facts = words::what_matters(search, &goal, &found.witness);
        let text = words::sentence(&search.space, &facts);
        if alike { text } else { format!("{text}, in store {store}") }
    }

    /// How a rule is called in a program that it takes part in.
    fn linked(&self, rule: RuleId) -> Option<&'p LinkedRule> {
        let all = self.searches.iter().flat_map(|s| s.program.linked().rules(self.id));
        all.into_iter().find(|l| l.rule == rule)
    }

    fn output(&self, id: OutputId) -> &'p str {
        self.def.outputs.get(id.ix()).map_or("", |o| o.name.as_str())
    }
}

static NONE: OutputsOf = OutputsOf {
    name: String::new(),
    label: Label { zh: None, en: None },
    given: Vec::new(),
    given_calls: Vec::new(),
    outputs: Vec::new(),
    order: Vec::new(),
};

/// The policies that may have to do with a decision: those that decide it or what it calls, and those that set params or
/// add rows, whatever they decide.
fn concerned(book: &Rulebook, id: DecisionId) -> Vec<PolicyId> {
    let mut decisions = BTreeSet::from([id]);
    loop {
        let before = decisions.len();
        let called = |e: &Expr, all: &mut BTreeSet<DecisionId>| {
            visit::all(e, &mut |c| {
                if let ExprKind::Call { decision, .. } = &c.kind {
                    all.insert(*decision);
                }
            });
        };
        let mut more = decisions.clone();
        for rule in &book.rules {
            let decides = book.policies.get(rule.policy.ix()).and_then(|p| p.decides);
            if decides.is_some_and(|d| decisions.contains(&d)) {
                let exprs =
                    rule.when.iter().chain(&rule.guard).chain(rule.for_each.as_ref().map(|f| &f.list));
                exprs.chain(rule.effects.iter().map(|e| &e.value)).for_each(|e| called(e, &mut more));
            }
        }
        book.lets.iter().for_each(|l| called(&l.value, &mut more));
        decisions = more;
        if decisions.len() == before {
            break;
        }
    }
    let sets = |p: PolicyId| {
        book.params.iter().flat_map(|x| &x.settings).any(|s| s.policy == p)
            || book.tables.iter().flat_map(|t| &t.extra).any(|b| b.policy == p)
    };
    let all = book.policies.iter().enumerate().map(|(i, p)| (PolicyId(i as u32), p));
    all.filter(|(i, p)| p.decides.is_none_or(|d| decisions.contains(&d)) || sets(*i))
        .map(|(i, _)| i)
        .collect()
}

/// `§6.2 no_receipt`, or the name alone where no clause is given.
fn called(rule: &Rule) -> String {
    match &rule.clause {
        Some(clause) => format!("§{clause} {}", rule.name),
        None => rule.name.clone(),
    }
}

/// Where to point at a rule: its first line.
fn at(rule: &Rule) -> Span {
    rule.span
}

/// Every expression that a rule evaluates by itself or through lets, with the lets' expressions.
fn with_lets<'p>(book: &'p Rulebook, start: &'p Expr, visit_each: &mut dyn FnMut(&'p Expr)) {
    let mut todo = vec![start];
    let mut seen: BTreeSet<LetId> = BTreeSet::new();
    while let Some(e) = todo.pop() {
        visit::all(e, &mut |part| {
            visit_each(part);
            if let ExprKind::Let(id) = &part.kind
                && seen.insert(*id)
                && let Some(found) = book.lets.get(id.ix())
            {
                todo.push(&found.value);
            }
        });
    }
}
