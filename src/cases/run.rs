//! Running cases: each is bound, decided by both evaluators, and compared with what it expects.
use crate::cases::{facts, verdict};
use crate::lang::typed::Case;
use crate::program::outcome::{Because, Open, Outcome, State};
use crate::rulebook::{Book, Program};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// What one case came to.
#[derive(Debug)]
pub struct CaseResult {
    /// Index into the book's cases.
    pub case: usize,
    /// The rules and rows that decided, for coverage.
    pub because: Vec<Because>,
    /// What leaves an output undecided or in conflict, as the rulebook has it: rules and rows shown at work, too.
    pub open: Vec<Open>,
    pub failure: Option<Failure>,
}

/// Why a case fails.
#[derive(Debug)]
pub struct Failure {
    /// What differs, a line each.
    pub differences: Vec<String>,
    /// What the outputs came to, and by which rules.
    pub outcome: Vec<String>,
    /// The facts as JSON, to be tried by hand.
    pub facts: String,
}

/// Runs those cases of a rulebook that `wanted` names, on all processors; results are in case order.
pub fn run(book: &Book, wanted: impl Fn(&Case) -> bool) -> Vec<CaseResult> {
    let chosen: Vec<usize> =
        book.cases.iter().enumerate().filter(|(_, case)| wanted(case)).map(|(i, _)| i).collect();
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(chosen.len()));
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(chosen.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(&at) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(case) = book.cases.get(at) {
                        let result = one(book, at, case);
                        results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|r| r.case);
    results
}

fn one(book: &Book, at: usize, case: &Case) -> CaseResult {
    let failed = |line: String, facts: String| CaseResult {
        case: at,
        because: Vec::new(),
        open: Vec::new(),
        failure: Some(Failure { differences: vec![line], outcome: Vec::new(), facts }),
    };
    let Some(store) = book.store(&case.store) else {
        return failed(format!("there is no store {}", case.store), String::new());
    };
    let json = match facts::json(&book.typed.vocab, case) {
        Ok(json) => json.to_string(),
        Err(said) => return failed(said, String::new()),
    };
    let program = &*store.program;
    let facts = match program.binder().bind(json.as_bytes()) {
        Ok(facts) => facts,
        Err(error) => return failed(error.to_string(), json),
    };
    let outcome = program.decide(case.decision, &facts);
    let mut differences = verdict::differences(program.linked(), case, &outcome);
    differences.extend(disagreement(program, &outcome, &program.decide_by_walk(case.decision, &facts)));
    let failure = (!differences.is_empty()).then(|| Failure {
        differences,
        outcome: verdict::summary(program.linked(), case, &outcome),
        facts: json,
    });
    let open = open_by_the_rulebook(&outcome);
    CaseResult { case: at, because: outcome.because, open, failure }
}

fn open_by_the_rulebook(outcome: &Outcome) -> Vec<Open> {
    let by_rulebook = |state: Option<&State>| matches!(state, Some(State::Undecided(_) | State::Conflict(_)));
    outcome.open.iter().filter(|o| by_rulebook(outcome.outputs.get(o.output.ix()))).cloned().collect()
}

/// Both evaluators must answer the same bytes.
fn disagreement(program: &Program, served: &Outcome, meant: &Outcome) -> Option<String> {
    let (served, meant) = (program.renderer().render(served), program.renderer().render(meant));
    (served != meant).then(|| format!("the evaluators differ\n    compiled: {served}\n    walk:     {meant}"))
}
