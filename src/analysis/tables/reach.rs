//! Whether a decision asks a table for certain keys: tried with the facts of cases, the keys put in their place.
use crate::analysis::contexts::{Context, Contexts, Path, given, json_of, shown};
use crate::analysis::paths::Paths;
use crate::lang::source::Span;
use crate::lang::typed::*;
use crate::program::outcome::{Fault, State};
use crate::program::value::Value;
use crate::rulebook::Book;
use std::collections::BTreeMap;

/// So many contexts are tried for one set of keys.
const MOST_CONTEXTS: usize = 10;
/// So many places that look a table up.
const MOST_SITES: usize = 6;

/// A place where a table is looked up.
struct Site {
    /// By column: the fact that is the key, with its type.
    keys: Vec<Option<(Path, Ty)>>,
    span: Span,
}

/// Facts that make a decision ask for keys that no row fits.
pub(super) struct Shown {
    /// `in the case "x" with item.category = cosmetics, `last_day` has no value`
    pub said: String,
    pub site: Span,
}

/// Where tables are looked up, and facts to try with.
pub(super) struct Reach<'b> {
    book: &'b Book,
    contexts: &'b Contexts<'b>,
    sites: BTreeMap<TableId, Vec<Site>>,
    paths: Paths<'b>,
}

impl<'b> Reach<'b> {
    /// Finds all lookups.
    pub fn new(book: &'b Book, contexts: &'b Contexts<'b>) -> Reach<'b> {
        let paths = Paths::new(&book.typed);
        let mut sites: BTreeMap<TableId, Vec<Site>> = BTreeMap::new();
        paths.each(&mut |e| {
            if let ExprKind::Lookup { table, args, .. } = &e.kind {
                let params =
                    book.typed.tables.get(table.ix()).map(|t| t.params.as_slice()).unwrap_or_default();
                let key = |(arg, (_, ty)): (&Expr, &(String, Ty))| Some((paths.of(arg)?, ty.clone()));
                let keys: Vec<Option<(Path, Ty)>> = args.iter().zip(params).map(key).collect();
                let known = sites.entry(*table).or_default();
                if known.len() < MOST_SITES && !known.iter().any(|s| s.keys == keys) {
                    known.push(Site { keys, span: e.span });
                }
            }
        });
        Reach { book, contexts, sites, paths }
    }

    /// Whether some rule looks the table up.
    pub fn is_looked_up(&self, table: TableId) -> bool {
        self.sites.contains_key(&table)
    }

    /// Facts with which a decision runs into one of these keys of a table and has no value; on a day, if rows are dated.
    pub fn asks<I: Iterator<Item = (Vec<Value>, Option<i32>)>>(
        &self,
        table: TableId,
        keys: impl Fn() -> I,
    ) -> Option<Shown> {
        let mut contexts: Vec<&Context<'_>> = self.contexts.all.iter().collect();
        contexts.sort_by_key(|c| !c.tables.contains(&table));
        contexts.truncate(MOST_CONTEXTS);
        for (keys, day) in keys() {
            for site in self.sites.get(&table).into_iter().flatten() {
                let shown = contexts.iter().find_map(|c| self.shown(c, table, site, &keys, day));
                if shown.is_some() {
                    return shown;
                }
            }
        }
        None
    }

    fn shown(
        &self,
        context: &Context<'_>,
        table: TableId,
        site: &Site,
        keys: &[Value],
        day: Option<i32>,
    ) -> Option<Shown> {
        let vocab = &self.book.typed.vocab;
        let mut changes: Vec<(Path, serde_json::Value)> = Vec::new();
        let mut said: Vec<String> = Vec::new();
        let policy = self.book.typed.tables.get(table.ix()).map(|t| t.policy);
        let governed =
            policy.and_then(|p| self.book.typed.policies.get(p.ix())).and_then(|p| p.governed_by.as_ref());
        let date = day.and_then(|d| Some((self.paths.of(governed?)?, Ty::Date, Value::Date(d))));
        let keys = site.keys.iter().zip(keys).filter_map(|(key, value)| {
            let (path, ty) = key.clone()?;
            Some((path, ty, value.clone()))
        });
        for (path, ty, value) in keys.chain(date) {
            let json = json_of(vocab, &ty, &value)?;
            if given(&context.facts, &path) != Some(&json) {
                said.push(format!(
                    "{} = {}",
                    shown(&path),
                    crate::program::literal::literal(vocab, &ty, &value)
                ));
                changes.push((path, json));
            }
        }
        let (facts, outcome) = context.decide(&context.with(&changes)?)?;
        let faulty = |s: &State| matches!(s, State::Faulty(faults) if faults.contains(&Fault::NoRow(table)));
        let outputs = &vocab.decisions.get(context.decision.ix())?.outputs;
        let at = outputs.iter().zip(&outcome.outputs).position(|(def, s)| !def.working && faulty(s))?;
        // The reference walk is the judge.
        let walked = context.program.decide_by_walk(context.decision, &facts);
        if !walked.outputs.get(at).is_some_and(faulty) {
            return None;
        }
        let with = if said.is_empty() { String::new() } else { format!(" with {}", said.join(", ")) };
        let output = outputs.get(at).map_or("", |o| o.name.as_str());
        Some(Shown { said: format!("in {}{with}, `{output}` has no value", context.name), site: site.span })
    }
}
