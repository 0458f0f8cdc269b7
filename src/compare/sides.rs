//! Which programs are compared: those of the same store; stores whose programs are shared on both sides go together.
use crate::lang::typed::{DecisionId, Rulebook};
use crate::rulebook::{Book, Program, Rulebooks};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Two loaded folders.
#[derive(Debug)]
pub struct Sides<'a> {
    pub old: &'a Rulebooks,
    pub new: &'a Rulebooks,
}

/// Stores with one program in each version.
#[derive(Debug)]
pub struct Pair<'a> {
    pub stores: Vec<String>,
    pub old: &'a Book,
    pub new: &'a Book,
    pub old_program: Arc<Program>,
    pub new_program: Arc<Program>,
}

impl<'a> Sides<'a> {
    /// The pairs of programs to be compared, by their first store.
    pub fn pairs(&self) -> Vec<Pair<'a>> {
        let mut pairs: Vec<Pair<'a>> = Vec::new();
        for id in self.old.store_ids() {
            let (Some((old, old_program)), Some((new, new_program))) =
                (of_store(self.old, id), of_store(self.new, id))
            else {
                continue;
            };
            let same = |p: &&mut Pair<'a>| {
                Arc::ptr_eq(&p.old_program, &old_program) && Arc::ptr_eq(&p.new_program, &new_program)
            };
            match pairs.iter_mut().find(same) {
                Some(pair) => pair.stores.push(id.to_owned()),
                None => pairs.push(Pair { stores: vec![id.to_owned()], old, new, old_program, new_program }),
            }
        }
        pairs
    }

    /// What only one version has, a line each: stores, decisions, outputs, facts and their values.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let ids = |books: &Rulebooks| books.store_ids().map(str::to_owned).collect::<BTreeSet<_>>();
        told(&mut notes, "store", &ids(self.old), &ids(self.new));
        let names = |books: &Rulebooks| -> BTreeSet<String> {
            books.books.iter().flat_map(|b| decided(&b.typed).into_iter().map(|(n, _)| n)).collect()
        };
        told(&mut notes, "decision", &names(self.old), &names(self.new));
        for pair in self.pairs() {
            let (old, new) = (&pair.old.typed.vocab, &pair.new.typed.vocab);
            let mut here = Vec::new();
            told(&mut here, "fact", &facts(old), &facts(new));
            told(&mut here, "output", &outputs(&pair.old.typed), &outputs(&pair.new.typed));
            told(&mut here, "value", &members(old), &members(new));
            here.retain(|n| !notes.contains(n));
            notes.extend(here);
        }
        notes
    }
}

fn of_store<'a>(books: &'a Rulebooks, id: &str) -> Option<(&'a Book, Arc<Program>)> {
    let book = books.books.iter().find(|b| b.store(id).is_some())?;
    Some((book, book.store(id)?.program.clone()))
}

/// The decisions that some policy decides, by name.
pub(super) fn decided(book: &Rulebook) -> Vec<(String, DecisionId)> {
    let all = book.vocab.decisions.iter().enumerate().map(|(i, d)| (d.name.clone(), DecisionId(i as u32)));
    all.filter(|(_, id)| book.policies.iter().any(|p| p.decides == Some(*id))).collect()
}

fn told(notes: &mut Vec<String>, what: &str, old: &BTreeSet<String>, new: &BTreeSet<String>) {
    let unknown = if what == "fact" { ": unknown to the other version" } else { "" };
    notes.extend(
        old.difference(new).map(|name| format!("only the old version has the {what} {name}{unknown}")),
    );
    notes.extend(
        new.difference(old).map(|name| format!("only the new version has the {what} {name}{unknown}")),
    );
}

fn facts(vocab: &crate::lang::typed::Vocab) -> BTreeSet<String> {
    let roots = vocab.roots.iter().map(|r| r.name.clone());
    let calls = vocab.fact_calls.iter().map(|c| format!("{}(…)", c.name));
    let given = vocab.entities.iter().filter(|e| !e.record);
    let fields = given.flat_map(|e| e.fields.iter().map(move |f| format!("{}.{}", e.name, f.name)));
    roots.chain(calls).chain(fields).collect()
}

fn outputs(book: &Rulebook) -> BTreeSet<String> {
    let decided = decided(book);
    let defs = decided.iter().filter_map(|(name, id)| Some((name, book.vocab.decisions.get(id.ix())?)));
    let named = defs.flat_map(|(name, d)| d.outputs.iter().filter(|o| !o.working).map(move |o| (name, o)));
    named.map(|(decision, o)| format!("{decision}.{}", o.name)).collect()
}

fn members(vocab: &crate::lang::typed::Vocab) -> BTreeSet<String> {
    let enums =
        vocab.enums.iter().flat_map(|e| e.members.iter().map(move |m| format!("{}.{}", e.name, m.name)));
    let nodes =
        vocab.taxonomies.iter().flat_map(|t| t.nodes.iter().map(move |n| format!("{}.{}", t.name, n.name)));
    enums.chain(nodes).collect()
}
