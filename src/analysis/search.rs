//! The search for facts that make a goal hold.
//!
//! It chooses one fact at a time, the first that a part of the goal asks for, closed types before numbers and dates, and
//! evaluates the parts with the reference walk, which decides as soon as what is still unknown cannot matter. A part that
//! fails names the facts that it looked at; choices that none of them depends on are not tried again. If everything was
//! tried and every choice stood for all values of its fact, there are no such facts.
use crate::analysis::goal::{Goal, Part, Tried, Truth};
use crate::analysis::same;
use crate::analysis::space::reads::{Class, Reader, Reads};
use crate::analysis::space::{MOST_ROWS, Pick, Space};
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
/// So many of them go into the first attempt, before it starts again.
const FIRST: u32 = 160;
/// So many cases lead a search.
const MOST_SEEDS: usize = 250;
/// How often a search starts again, and how many steps each start has.
const PROBES: u64 = 8;
const PROBE: u32 = 60;

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
    /// What facts were when a goal last held: tried first, for goals of one decision have much in common.
    liked: FxHashMap<usize, Pick>,
    /// Facts of cases, which lead a search that goes astray.
    seeds: Vec<Vec<(usize, Pick)>>,
}

/// One search under way.
struct Run<'s, 'p> {
    goal: &'s Goal<'p>,
    reads: Reads<'p>,
    steps: u32,
    /// Steps after which the run is given up.
    until: u32,
    order: Order,
    chosen: Vec<(usize, Pick)>,
    by_parts: FxHashMap<Vec<usize>, Rc<Reads<'p>>>,
}

impl Run<'_, '_> {
    /// What evaluating a part cost: looking at facts, and at the rows of tables.
    fn cost(&self, tried: &Tried) -> u32 {
        let work = (tried.known.len() + tried.missing.len()) / 32;
        1 + u32::try_from(work).unwrap_or(u32::MAX).saturating_add(self.dear())
    }

    fn dear(&self) -> u32 {
        u32::try_from(self.reads.rows / 2_000).unwrap_or(u32::MAX)
    }
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

/// In which order the values of a fact are tried.
#[derive(Clone, Copy)]
enum Order {
    /// As they come, after what was liked.
    Plain,
    /// Shuffled, always alike for one number.
    Shuffled(u64),
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
            liked: FxHashMap::default(),
            seeds: Vec::new(),
        }
    }

    /// Lets the facts of cases lead searches that go astray.
    pub fn lead<'c>(&mut self, cases: impl IntoIterator<Item = &'c Case>) {
        for case in cases.into_iter().filter(|c| c.decision == self.decision).take(MOST_SEEDS) {
            let seed = self.space.stated(case);
            self.seeds.push(seed);
        }
    }

    /// Facts that make all parts of a goal hold.
    pub fn find(&mut self, goal: &Goal<'p>) -> Answer {
        if same::impossible(goal) {
            return Answer::None;
        }
        let mut run = Run {
            goal,
            reads: self.reads_of(goal),
            steps: 0,
            until: 0,
            order: Order::Plain,
            chosen: Vec::new(),
            by_parts: FxHashMap::default(),
        };
        // Where each look into a table is dear, there is but one attempt.
        let dear = 1 + run.dear();
        run.until = FIRST.saturating_mul(dear).min(self.budget);
        let mut step = self.go(&mut run, vec![None; goal.parts.len()], None);
        // A search that a bad first choice leads astray looks at the cases, then starts again with other choices, before it
        // tries everything.
        let mut leaders = Vec::new();
        if !matches!(&step, Step::Found(_) | Step::Refuted(Refuted { exact: true, .. })) {
            let (found, best) = self.try_seeds(&mut run);
            leaders = best;
            step = found.map_or(step, |witness| Step::Found(Box::new(witness)));
        }
        for probe in 1..=PROBES {
            if !matches!(step, Step::OutOfSteps) || run.steps >= self.budget {
                break;
            }
            run.until = run.steps.saturating_add(PROBE.saturating_mul(dear)).min(self.budget);
            run.order = Order::Shuffled(probe);
            let own = self.liked.clone();
            let leader = leaders.get(probe as usize - 1).and_then(|n: &usize| self.seeds.get(*n));
            self.liked.extend(leader.into_iter().flatten().copied());
            step = self.go(&mut run, vec![None; goal.parts.len()], None);
            self.liked = own;
        }
        if matches!(step, Step::OutOfSteps) {
            run.until = self.budget;
            run.order = Order::Plain;
            step = self.go(&mut run, vec![None; goal.parts.len()], None);
        }
        self.taken += u64::from(run.steps);
        match step {
            Step::Found(witness) => {
                self.liked.extend(witness.chosen.iter().copied());
                Answer::Witness(witness)
            }
            Step::Refuted(refuted) if refuted.exact => Answer::None,
            Step::Refuted(_) | Step::OutOfSteps => Answer::GaveUp,
        }
    }

    /// The facts of the cases: facts that make the goal hold, or the cases that come closest to it.
    fn try_seeds(&mut self, run: &mut Run<'_, 'p>) -> (Option<Witness>, Vec<usize>) {
        let mut scores: Vec<(usize, usize)> = Vec::new();
        let mut cost = 0;
        for (n, seed) in self.seeds.clone().into_iter().enumerate() {
            if cost > self.budget {
                break;
            }
            for (at, pick) in &seed {
                self.space.choose(*at, Some(*pick));
            }
            // How many parts hold before one does not.
            let mut left = run.goal.parts.len();
            for part in &run.goal.parts {
                let tried = part.attempt(&mut self.space, self.decision);
                cost += run.cost(&tried);
                if tried.truth != Truth::True {
                    break;
                }
                left -= 1;
            }
            run.chosen = seed;
            let found = if left == 0 { self.verified(run) } else { None };
            for (at, _) in std::mem::take(&mut run.chosen).into_iter().rev() {
                self.space.choose(at, None);
            }
            if found.is_some() {
                return (found, Vec::new());
            }
            scores.push((left, n));
        }
        scores.sort_unstable();
        (None, scores.into_iter().map(|(_, n)| n).collect())
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
                if run.steps > run.until {
                    return Step::OutOfSteps;
                }
                let now = part.attempt(&mut self.space, self.decision);
                run.steps += run.cost(&now);
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
        let mut stands: BTreeSet<usize> = BTreeSet::new();
        for depends in &domain.depends {
            all.why.extend(self.with_outer(*depends));
        }
        let is_list = self.space.var(at).is_some_and(|v| v.is_list());
        for pick in self.ordered(run, at, domain.picks) {
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
                    // The longest list tried stands for all that are longer; no row and one row stand for themselves.
                    if !is_list || pick == Pick::Rows(MOST_ROWS) {
                        stands.extend(&refuted.parts);
                    }
                    all.parts.extend(refuted.parts);
                    all.exact &= refuted.exact;
                }
                done => return done,
            }
        }
        if all.exact {
            let parts: Vec<usize> = stands.into_iter().collect();
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

    fn ordered(&self, run: &Run<'_, 'p>, at: usize, mut picks: Vec<Pick>) -> Vec<Pick> {
        let first = match run.order {
            Order::Plain => true,
            Order::Shuffled(seed) => {
                let mut state = mixed(seed.wrapping_mul(0x9e37_79b9).wrapping_add(at as u64));
                for i in (1..picks.len()).rev() {
                    state = mixed(state);
                    picks.swap(i, (state % (i as u64 + 1)) as usize);
                }
                // What was liked leads every other probe.
                seed % 2 == 1
            }
        };
        if first
            && let Some(liked) = self.liked.get(&at)
            && let Some(place) = picks.iter().position(|p| p == liked)
        {
            let liked = picks.remove(place);
            picks.insert(0, liked);
        }
        picks
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

/// A number that looks like chance, the same for the same number (splitmix64).
fn mixed(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
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
