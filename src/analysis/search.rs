//! The search for facts that make a goal hold.
//!
//! It chooses one fact at a time, the first that a part of the goal asks for, closed types before numbers and dates, and
//! evaluates the parts with the reference walk, which decides as soon as what is still unknown cannot matter. A part that
//! fails names the facts that it looked at; choices that none of them depends on are not tried again. If everything was
//! tried and every choice stood for all values of its fact, there are no such facts.
use crate::analysis::goal::{Goal, Part, Tried, Truth};
use crate::analysis::same;
use crate::analysis::space::reads::{Class, Reader, Reads};
use crate::analysis::space::{Pick, Space};
use crate::lang::typed::*;
use crate::program::facts::{Facts, Slot};
use crate::rulebook::Program;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Facts that show something, verified by both evaluators.
#[derive(Clone, Debug)]
pub struct Witness {
    /// Every fact is given, but those within lists beyond the rows tried.
    pub facts: Facts,
    /// All facts, as they were completed, by index in the space.
    pub all: Vec<(usize, Pick)>,
    /// The facts that the search chose, in the order in which it did, by index in the space.
    pub chosen: Vec<(usize, Pick)>,
}

/// What a search came to.
#[derive(Clone, Debug)]
pub enum Answer {
    Witness(Box<Witness>),
    /// There are no such facts.
    None,
    /// None were found within the budget, or among the values tried.
    GaveUp,
}

impl Answer {
    /// The facts found.
    pub fn witness(self) -> Option<Witness> {
        match self {
            Answer::Witness(w) => Some(*w),
            _ => None,
        }
    }
    /// Whether it is proved that there are none.
    pub fn is_none(&self) -> bool {
        matches!(self, Answer::None)
    }
}

/// How many evaluations of a part one search may take.
pub const STEPS: u32 = 1_200;

/// Searches facts of one decision of one program.
#[derive(Debug)]
pub struct Search<'p> {
    pub program: &'p Program,
    pub decision: DecisionId,
    pub reader: Reader<'p>,
    pub space: Space<'p>,
    /// Steps that one search may take.
    pub budget: u32,
    /// Steps taken by all searches.
    pub taken: u64,
}

/// One search under way.
struct Run<'s, 'p> {
    goal: &'s Goal<'p>,
    reads: Reads<'p>,
    steps: u32,
    chosen: Vec<(usize, Pick)>,
    by_parts: FxHashMap<Vec<usize>, Rc<Reads<'p>>>,
}

/// Why no choice below a point makes the goal hold.
struct Refuted {
    /// Facts chosen above that it depends on.
    why: BTreeSet<usize>,
    /// Parts of the goal that failed.
    parts: BTreeSet<usize>,
    /// Whether every choice below stood for all values of its fact.
    exact: bool,
}

enum Step {
    Found(Box<Witness>),
    Refuted(Refuted),
    OutOfSteps,
}

impl<'p> Search<'p> {
    /// No facts chosen, nothing sought.
    pub fn new(program: &'p Program, decision: DecisionId) -> Search<'p> {
        let linked = program.linked();
        Search {
            program,
            decision,
            reader: Reader::new(linked, decision),
            space: Space::new(linked),
            budget: STEPS,
            taken: 0,
        }
    }

    /// Facts that make all parts of a goal hold.
    pub fn find(&mut self, goal: &Goal<'p>) -> Answer {
        if same::impossible(goal) {
            return Answer::None;
        }
        let reads = self.reads_of(goal);
        let mut run = Run { goal, reads, steps: 0, chosen: Vec::new(), by_parts: FxHashMap::default() };
        let step = self.go(&mut run, vec![None; goal.parts.len()], None);
        self.taken += u64::from(run.steps);
        for (at, _) in run.chosen.into_iter().rev() {
            self.space.choose(at, None);
        }
        match step {
            Step::Found(witness) => Answer::Witness(witness),
            Step::Refuted(refuted) if refuted.exact => Answer::None,
            Step::Refuted(_) | Step::OutOfSteps => Answer::GaveUp,
        }
    }

    /// How everything that a goal reads, reads facts.
    pub fn reads_of(&self, goal: &Goal<'p>) -> Reads<'p> {
        self.reads(goal, &(0..goal.parts.len()).collect::<Vec<usize>>())
    }

    /// How some parts of a goal read facts, with all that they read.
    fn reads(&self, goal: &Goal<'p>, parts: &[usize]) -> Reads<'p> {
        let parts = parts.iter().filter_map(|i| goal.parts.get(*i));
        let start: Vec<Rc<Reads<'p>>> =
            parts.flat_map(|part| part.reads(&self.reader, self.decision)).collect();
        self.reader.closure(&start)
    }

    fn go(&mut self, run: &mut Run<'_, 'p>, mut tried: Vec<Option<Rc<Tried>>>, last: Option<usize>) -> Step {
        let mut open = false;
        for (i, part) in run.goal.parts.iter().enumerate() {
            let again = match tried.get(i) {
                Some(Some(t)) => t.truth == Truth::Open && last.is_none_or(|at| t.missing.contains(&at)),
                _ => true,
            };
            // Whole outputs are asked for once everything else holds.
            if again && !(open && part.is_whole()) {
                run.steps += if part.is_whole() { 4 } else { 1 };
                if run.steps > self.budget {
                    return Step::OutOfSteps;
                }
                let now = part.attempt(&mut self.space, self.decision);
                if now.truth == Truth::False {
                    let why = now.known.iter().flat_map(|at| self.with_outer(*at)).collect();
                    return Step::Refuted(Refuted { why, parts: BTreeSet::from([i]), exact: true });
                }
                if let Some(place) = tried.get_mut(i) {
                    *place = Some(Rc::new(now));
                }
            }
            open |= !matches!(tried.get(i), Some(Some(t)) if t.truth == Truth::True);
        }
        let Some(at) = self.next(run, &tried) else {
            // Everything holds, or nothing is left to be chosen.
            let all: BTreeSet<usize> = run.chosen.iter().map(|(at, _)| *at).collect();
            return match if open { None } else { self.verified(run) } {
                Some(witness) => Step::Found(Box::new(witness)),
                None => Step::Refuted(Refuted { why: all, parts: (0..tried.len()).collect(), exact: false }),
            };
        };
        self.branch(run, &tried, at)
    }

    fn branch(&mut self, run: &mut Run<'_, 'p>, tried: &[Option<Rc<Tried>>], at: usize) -> Step {
        let domain = self.space.domain(self.decision, &run.reads, at);
        let mut all = Refuted { why: BTreeSet::new(), parts: BTreeSet::new(), exact: !domain.truncated };
        for depends in &domain.depends {
            all.why.extend(self.with_outer(*depends));
        }
        for pick in domain.picks {
            self.space.choose(at, Some(pick));
            run.chosen.push((at, pick));
            let step = self.go(run, tried.to_vec(), Some(at));
            run.chosen.pop();
            self.space.choose(at, None);
            match step {
                Step::Refuted(refuted) => {
                    if !refuted.why.contains(&at) {
                        return Step::Refuted(refuted);
                    }
                    all.why.extend(refuted.why);
                    all.parts.extend(refuted.parts);
                    all.exact &= refuted.exact;
                }
                done => return done,
            }
        }
        if all.exact {
            let parts: Vec<usize> = all.parts.iter().copied().collect();
            let reads = match run.by_parts.get(&parts) {
                Some(known) => known.clone(),
                None => {
                    let reads = Rc::new(self.reads(run.goal, &parts));
                    run.by_parts.insert(parts, reads.clone());
                    reads
                }
            };
            all.exact = self.space.is_exact(self.decision, &reads, at);
        }
        all.why.remove(&at);
        all.why.extend(self.with_outer(at).into_iter().filter(|o| *o != at));
        Step::Refuted(all)
    }

    /// A fact, and what it lies within.
    fn with_outer(&self, at: usize) -> Vec<usize> {
        let mut all = vec![at];
        let mut up = self.space.var(at).and_then(|v| v.within);
        while let Some(outer) = up {
            all.push(outer);
            up = self.space.var(outer).and_then(|v| v.within);
        }
        all
    }

    /// The fact to choose next: presence and lists first, then closed types, texts, numbers, and dates that others are
    /// compared with before those that are compared.
    fn next(&self, run: &Run<'_, 'p>, tried: &[Option<Rc<Tried>>]) -> Option<usize> {
        let open = tried.iter().flatten().filter(|t| t.truth == Truth::Open);
        let asked = open.flat_map(|t| t.missing.iter().copied());
        asked
            .filter(|at| self.space.pick(*at).is_none())
            .enumerate()
            .min_by_key(|(order, at)| (self.rank(run, *at), *order))
            .map(|(_, at)| at)
    }

    fn rank(&self, run: &Run<'_, 'p>, at: usize) -> u32 {
        let Some(var) = self.space.var(at) else { return u32::MAX };
        if var.is_entity() || var.is_list() {
            return 0;
        }
        match var.ty.inner() {
            Ty::Bool | Ty::Enum(_) | Ty::Node(_) => 1,
            Ty::Text => 2,
            _ => 3 + late(&run.reads, var.class),
        }
    }

    /// The facts chosen, completed, and decided upon by both evaluators.
    fn verified(&mut self, run: &Run<'_, 'p>) -> Option<Witness> {
        [false, true].into_iter().find_map(|other| self.completed(run, other))
    }

    fn completed(&mut self, run: &Run<'_, 'p>, other: bool) -> Option<Witness> {
        let mut added = Vec::new();
        let mut at = 0;
        while at < self.space.vars().len() {
            if self.space.pick(at).is_none() && self.space.exists(at) {
                let pick = self.filler(at, other);
                self.space.choose(at, Some(pick));
                added.push(at);
            }
            at += 1;
        }
        let facts = self.space.facts().clone();
        let chosen = |at: usize| Some((at, self.space.pick(at)?));
        let all =
            (0..self.space.vars().len()).filter(|at| self.space.exists(*at)).filter_map(chosen).collect();
        let holds = run
            .goal
            .parts
            .iter()
            .all(|part| part.attempt(&mut self.space, self.decision).truth == Truth::True);
        for at in added.into_iter().rev() {
            self.space.choose(at, None);
        }
        let agree = || {
            self.program.decide(self.decision, &facts) == self.program.decide_by_walk(self.decision, &facts)
        };
        (holds && agree()).then(|| Witness { facts: facts.clone(), all, chosen: run.chosen.clone() })
    }

    /// What a fact is that does not matter.
    fn filler(&mut self, at: usize, other: bool) -> Pick {
        let Some(var) = self.space.var(at).cloned() else { return Pick::Absent };
        if var.ty.is_optional() && !other {
            return Pick::Absent;
        }
        if var.is_list() {
            return Pick::Rows(0);
        }
        let domain = self.space.domain(self.decision, &Reads::default(), at);
        let last = if other { domain.picks.last() } else { domain.picks.first() };
        last.copied().unwrap_or(Pick::Scalar(Slot::value(0)))
    }
}

/// Facts that others are moved from come first, then those that are compared with them.
fn late(reads: &Reads<'_>, class: Class) -> u32 {
    if reads.against.get(&class).is_some_and(|a| !a.is_empty()) {
        return 2;
    }
    let pairs = reads.pairs.get(&class);
    u32::from(pairs.is_some_and(|p| !p.is_empty()))
}

impl Part<'_> {
    /// Whether it asks for a whole output.
    fn is_whole(&self) -> bool {
        matches!(self, Part::Conflict(..) | Part::OutputFaulty(..))
    }
}
