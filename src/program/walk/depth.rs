//! How deep a walk goes. Lets may name lets and rules override rules in chains as long as a rulebook likes, so a walk counts
//! its depth, and one that would go too deep for the thread it runs on is repeated on a larger stack.
use crate::lang::typed::DecisionId;
use crate::program::facts::Facts;
use crate::program::link::Linked;
use crate::program::walk::Walk;
use crate::program::walk::bounds::BoundLog;
use std::cell::Cell;

/// Expressions within expressions that any thread's stack has room for.
pub(super) const SHALLOW: u32 = 256;
/// The depth that the larger stack has room for, and its size in bytes. Beyond, an expression is faulty (`overflow`).
const DEEP: u32 = 40_000;
const STACK: usize = 1 << 29;

/// The depth of a walk and of those that it calls.
#[derive(Debug)]
pub(crate) struct Depth {
    now: Cell<u32>,
    limit: u32,
    exceeded: Cell<bool>,
}

impl Depth {
    pub(crate) fn new(limit: u32) -> Depth {
        Depth { now: Cell::new(0), limit, exceeded: Cell::new(false) }
    }
    /// Whether it was to go deeper than the limit.
    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded.get()
    }
    /// One level down; `None` if that is too deep.
    pub(crate) fn deeper<T>(&self, f: impl FnOnce() -> T) -> Option<T> {
        let now = self.now.get();
        if now >= self.limit {
            self.exceeded.set(true);
            return None;
        }
        self.now.set(now + 1);
        let result = f();
        self.now.set(now);
        Some(result)
    }
}

/// What `f` makes of a walk, on a larger stack if it goes deep.
pub(crate) fn with_walk<T: Send>(
    linked: &Linked,
    decision: DecisionId,
    facts: &Facts,
    f: impl Fn(&Walk<'_>) -> T + Sync,
) -> T {
    with_watched_walk(linked, decision, facts, BoundLog::default, f)
}

/// The same, watching.
pub(crate) fn with_watched_walk<T: Send>(
    linked: &Linked,
    decision: DecisionId,
    facts: &Facts,
    bounds: impl Fn() -> BoundLog + Sync,
    f: impl Fn(&Walk<'_>) -> T + Sync,
) -> T {
    let walk = Walk::new(linked, decision, facts, Depth::new(SHALLOW), bounds());
    let shallow = f(&walk);
    if !walk.depth.exceeded() {
        return shallow;
    }
    let again = || f(&Walk::new(linked, decision, facts, Depth::new(DEEP), bounds()));
    let deep = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, again);
        thread.ok().and_then(|t| t.join().ok())
    });
    // Without memory for the stack, what is too deep stays faulty.
    deep.unwrap_or(shallow)
}
