//! What governs a store: its program, shared by all stores with the same policies, zone and business day.
use crate::lang::typed::{Case, DecisionId, Rulebook};
use crate::program::bind::Binder;
use crate::program::compile::Compiled;
use crate::program::explain::explain;
use crate::program::facts::{Facts, Layout, Symbols};
use crate::program::link::Linked;
use crate::program::outcome::Outcome;
use crate::program::render::Renderer;
use crate::program::turns::{self, Lacking};
use crate::program::vm::Frame;
use crate::program::walk;
use crate::rulebook::manifest::StoreDef;
use crate::rulebook::terms::Terms;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Policies linked, compiled, and ready to read facts and write answers.
#[derive(Debug)]
pub struct Program {
    linked: Arc<Linked>,
    binder: Arc<Binder>,
    renderer: Renderer,
    compiled: Compiled,
}

thread_local! {
    /// Registers and buffers of the compiled code, kept from run to run, so that a run does not allocate them.
    static FRAME: RefCell<Frame> = RefCell::new(Frame::new());
}

impl Program {
    fn new(linked: Linked, binder: Arc<Binder>) -> Program {
        let linked = Arc::new(linked);
        Program {
            renderer: Renderer::new(linked.clone()),
            compiled: Compiled::new(linked.clone()),
            linked,
            binder,
        }
    }
    /// The compiled decisions.
    pub fn compiled(&self) -> &Compiled {
        &self.compiled
    }
    /// The linked policies.
    pub fn linked(&self) -> &Arc<Linked> {
        &self.linked
    }
    /// Reads facts.
    pub fn binder(&self) -> &Binder {
        &self.binder
    }
    /// Writes answers.
    pub fn renderer(&self) -> &Renderer {
        &self.renderer
    }
    /// A decision by name.
    pub fn decision(&self, name: &str) -> Option<DecisionId> {
        let decisions = &self.linked.rulebook.vocab.decisions;
        decisions.iter().position(|d| d.name == name).map(|at| DecisionId(at as u32))
    }
    /// Decides, by the evaluator that serves.
    pub fn decide(&self, decision: DecisionId, facts: &Facts) -> Outcome {
        FRAME.with_borrow_mut(|frame| self.compiled.evaluate(decision, facts, frame))
    }
    /// Decides, unless the answer turns on a missing fact of which `waits` is true: then it is that fact.
    ///
    /// # Errors
    /// Not a fault: the fact that has to be found out first.
    pub fn decide_or_wait(
        &self,
        decision: DecisionId,
        facts: &Facts,
        waits: impl FnOnce(&Lacking) -> bool,
    ) -> Result<Outcome, Lacking> {
        FRAME.with_borrow_mut(|frame| turns::evaluate(&self.compiled, decision, facts, frame, waits))
    }
    /// Values, rounding steps, and why other rules did not apply, as JSON.
    pub fn explanation(&self, decision: DecisionId, facts: &Facts) -> String {
        explain(&self.linked, decision, facts).to_json()
    }
    /// Decides by the reference walk, which is the meaning.
    pub fn decide_by_walk(&self, decision: DecisionId, facts: &Facts) -> Outcome {
        walk::evaluate(&self.linked, decision, facts)
    }
}

/// A store and what governs it.
#[derive(Debug, Clone)]
pub struct Store {
    pub def: StoreDef,
    pub program: Arc<Program>,
}

/// One rulebook, ready to decide.
#[derive(Debug)]
pub struct Book {
    pub name: String,
    pub typed: Arc<Rulebook>,
    pub cases: Vec<Case>,
    /// In the order of their ids.
    pub stores: Vec<Store>,
    /// The distinct programs of the stores.
    pub programs: Vec<Arc<Program>>,
    pub digest: String,
    pub terms: Terms,
    /// Everything that decides, by its path from the manifest's folder: enough to decide again, years later.
    pub texts: BTreeMap<String, String>,
}

impl Book {
    /// Links and compiles the programs of all stores.
    pub(super) fn new(
        typed: Rulebook,
        cases: Vec<Case>,
        stores: Vec<StoreDef>,
        digest: String,
        terms: Terms,
        texts: BTreeMap<String, String>,
    ) -> Book {
        let typed = Arc::new(typed);
        let layout = Arc::new(Layout::of(&typed.vocab));
        let symbols = Arc::new(Symbols::of(&typed));
        let binder = Arc::new(Binder::new(&typed.vocab, &layout, symbols.clone()));
        let mut shared: FxHashMap<(Vec<bool>, chrono_tz::Tz, u32), Arc<Program>> = FxHashMap::default();
        let mut programs = Vec::new();
        let stores = stores.into_iter().map(|def| {
            let part = takes_part(&typed, &def);
            let program =
                shared.entry((part.clone(), def.zone, def.business_day_start)).or_insert_with(|| {
                    let linked = Linked::new(
                        typed.clone(),
                        layout.clone(),
                        symbols.clone(),
                        part,
                        def.zone,
                        def.business_day_start,
                        digest.clone(),
                    );
                    let program = Arc::new(Program::new(linked, binder.clone()));
                    programs.push(program.clone());
                    program
                });
            Store { program: program.clone(), def }
        });
        let stores = stores.collect();
        Book { name: typed.name.clone(), typed, cases, stores, programs, digest, terms, texts }
    }

    /// A store by id.
    pub fn store(&self, id: &str) -> Option<&Store> {
        self.stores.iter().find(|s| s.def.id == id)
    }
}

/// Which policies take part in a store's program: those whose layer has no name, or the store's name for that layer.
pub(super) fn takes_part(book: &Rulebook, store: &StoreDef) -> Vec<bool> {
    let applies = |kind: &str, name: &Option<String>| match name {
        None => true,
        Some(name) => store.layers.get(kind) == Some(name),
    };
    book.policies.iter().map(|p| applies(&p.layer.kind, &p.layer.name)).collect()
}

/// All rulebooks that were loaded together; store ids are unique over all of them.
#[derive(Debug, Default)]
pub struct Rulebooks {
    pub books: Vec<Book>,
    stores: BTreeMap<String, (usize, usize)>,
}

impl Rulebooks {
    pub(super) fn new(books: Vec<Book>) -> Rulebooks {
        let stores = books.iter().enumerate().flat_map(|(b, book)| {
            book.stores.iter().enumerate().map(move |(s, store)| (store.def.id.clone(), (b, s)))
        });
        let stores = stores.collect();
        Rulebooks { books, stores }
    }
    /// A store by id.
    pub fn store(&self, id: &str) -> Option<&Store> {
        let (book, store) = self.stores.get(id)?;
        self.books.get(*book)?.stores.get(*store)
    }
    /// The rulebook of a store.
    pub fn book_of(&self, id: &str) -> Option<&Book> {
        self.books.get(self.stores.get(id)?.0)
    }
    /// All store ids, in order.
    pub fn store_ids(&self) -> impl Iterator<Item = &str> {
        self.stores.keys().map(String::as_str)
    }
}
