//! Looking for facts that two versions decide otherwise: every case of both, then each with one fact, and with two facts,
//! changed to the values at the bounds of both versions.
use crate::cases::{Pools, Reach, Stated, Var};
use crate::compare::changes::{changed, elements, near};
use crate::compare::decide::{Answer, Said, answer, confirmed, differing};
use crate::compare::region::{Ground, Limit};
use crate::compare::sides::{Pair, Sides, decided};
use crate::lang::typed::*;
use crate::rulebook::Book;
use serde::Serialize;
use serde_json::Value as Json;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// How many facts are looked at for one decision in one program.
const BUDGET: usize = 8_000;
/// Facts kept of one kind of difference, and regions told of it.
const WITNESSES: usize = 200;
const REGIONS: usize = 5;

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Searched {
    /// How many different facts were decided by both versions.
    pub looked_at: usize,
    /// How many cases of both versions they were made from.
    pub cases: usize,
    pub differences: Vec<Difference>,
    /// What differs in the text of the rulebooks: `rule jiajie.returns.over_2000`.
    pub changed: Vec<String>,
    pub notes: Vec<String>,
}

/// Facts that are decided otherwise, in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    pub decision: String,
    pub stores: Vec<String>,
    /// In the order of the vocabulary.
    pub outputs: Vec<Change>,
    /// `item.unit_price 2,000 CNY and up`: what these facts have in common.
    pub region: Vec<String>,
    /// The case whose other facts they share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub like: Option<String>,
    /// One of them, decided by both evaluators of both versions.
    pub witness: Json,
}

/// What an output was and is, on the witness.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    pub output: String,
    pub was: String,
    pub now: String,
    pub was_by: Vec<String>,
    pub now_by: Vec<String>,
}

/// Where the search starts from.
struct Base<'a> {
    name: Option<&'a str>,
    book: &'a Book,
    decision: DecisionId,
    facts: Stated,
    vars: Vec<Var>,
}

/// Looks at every decision that both versions have, store by store.
pub fn searched(sides: &Sides<'_>) -> Searched {
    let mut found = Searched { notes: sides.notes(), ..Searched::default() };
    let mut all_changed = BTreeSet::new();
    for pair in sides.pairs() {
        let new = decided(&pair.new.typed);
        for (name, old_id) in decided(&pair.old.typed) {
            let Some((_, new_id)) = new.iter().find(|(n, _)| *n == name) else { continue };
            let search = Search::new(&pair, &name, old_id, *new_id);
            all_changed.extend(search.changed.iter().cloned());
            search.run(&mut found);
        }
    }
    found.changed = all_changed.into_iter().collect();
    found.differences = merged(std::mem::take(&mut found.differences));
    found
}

/// The same difference in several stores is told once.
fn merged(all: Vec<Difference>) -> Vec<Difference> {
    let mut out: Vec<Difference> = Vec::new();
    for d in all {
        let same = |o: &&mut Difference| {
            (&o.decision, &o.outputs, &o.region, &o.like) == (&d.decision, &d.outputs, &d.region, &d.like)
        };
        match out.iter_mut().find(same) {
            Some(other) => {
                other.stores.extend(d.stores);
                other.stores.sort();
            }
            None => out.push(d),
        }
    }
    // What was found in one store stays in its order: the first outputs of the vocabulary first.
    out.sort_by(|a, b| (&a.decision, &a.stores).cmp(&(&b.decision, &b.stores)));
    out
}

/// What kind of difference it is: the output, what it was and is (sizes only by direction), and by which rules.
type Kind = (String, String, String, Vec<String>, Vec<String>);

struct Witness {
    base: usize,
    facts: Stated,
    /// The facts that were changed, by number among the base's.
    moved: Vec<usize>,
}

struct Search<'a> {
    pair: &'a Pair<'a>,
    name: &'a str,
    old: DecisionId,
    new: DecisionId,
    changed: BTreeSet<String>,
    near: BTreeSet<String>,
    pools: Pools,
    bases: Vec<Base<'a>>,
    looked_at: Cell<usize>,
}

impl<'a> Search<'a> {
    fn new(pair: &'a Pair<'a>, name: &'a str, old: DecisionId, new: DecisionId) -> Search<'a> {
        let (old_linked, new_linked) = (pair.old_program.linked(), pair.new_program.linked());
        let changed = changed(&elements(old_linked, old), &elements(new_linked, new));
        let mut near_facts = near(old_linked, old, &changed);
        near_facts.extend(near(new_linked, new, &changed));
        let reach = [Reach::of(&pair.old.typed, old), Reach::of(&pair.new.typed, new)];
        let mut pools = Pools::default();
        reach.iter().for_each(|r| pools.join(&r.pools));
        let [old_reach, new_reach] = &reach;
        let mut bases: Vec<Base<'a>> = Vec::new();
        for (book, id, reach) in [(pair.new, new, new_reach), (pair.old, old, old_reach)] {
            for case in book.cases.iter().filter(|c| c.decision == id && pair.stores.contains(&c.store)) {
                let facts = Stated::of(&book.typed.vocab, case);
                // Cases that both versions have start from the same place.
                let json = facts.json(&book.typed.vocab).ok();
                let known = |b: &Base<'_>| {
                    b.name == Some(case.name.as_str()) && b.facts.json(&b.book.typed.vocab).ok() == json
                };
                if !bases.iter().any(known) {
                    let vars = Var::all(&book.typed.vocab, id, reach, &facts);
                    bases.push(Base { name: Some(&case.name), book, decision: id, facts, vars });
                }
            }
        }
        if bases.is_empty() {
            bases.extend(made_up(pair.new, new, new_reach, &pools));
        }
        Search { pair, name, old, new, changed, near: near_facts, pools, bases, looked_at: Cell::new(0) }
    }

    fn both(&self, base: &Base<'_>, facts: &Stated) -> Option<(Answer, Answer, Json)> {
        self.looked_at.set(self.looked_at.get() + 1);
        let json = facts.json(&base.book.typed.vocab).ok()?;
        let was = answer(&self.pair.old_program, self.old, &json).ok()?;
        let now = answer(&self.pair.new_program, self.new, &json).ok()?;
        Some((was, now, json))
    }

    fn kinds(&self, base: &Base<'_>, facts: &Stated) -> Vec<Kind> {
        let Some((was, now, _)) = self.both(base, facts) else { return Vec::new() };
        told(&was, &now).into_iter().map(|(output, a, b)| kind_of(&output, &a, &b)).collect()
    }

    fn run(&self, found: &mut Searched) {
        let mut kinds: BTreeMap<Kind, Vec<Witness>> = BTreeMap::new();
        let mut note = |base: usize, facts: &Stated, moved: &[usize], of: Vec<Kind>| {
            for kind in of {
                let known = kinds.entry(kind).or_default();
                if known.len() < WITNESSES {
                    known.push(Witness { base, facts: facts.clone(), moved: moved.to_vec() });
                }
            }
        };
        for (i, base) in self.bases.iter().enumerate() {
            note(i, &base.facts, &[], self.kinds(base, &base.facts));
        }
        // Where no text differs there is nothing to look for beyond the cases.
        if !self.changed.is_empty() {
            self.vary(&mut note);
        }
        found.cases += self.bases.iter().filter(|b| b.name.is_some()).count();
        let outputs = self.pair.new.typed.vocab.decisions.get(self.new.ix());
        let place = |kind: &Kind| {
            outputs.and_then(|d| d.outputs.iter().position(|o| o.name == kind.0)).unwrap_or(usize::MAX)
        };
        let mut order: Vec<(&Kind, &Vec<Witness>)> = kinds.iter().collect();
        order.sort_by_key(|(kind, _)| place(kind));
        let from = found.differences.len();
        for (kind, witnesses) in order {
            self.tell(kind, witnesses, found, from);
        }
        found.looked_at += self.looked_at.get();
    }

    /// One fact changed, then two; facts that the changed text reads come first.
    fn vary(&self, note: &mut impl FnMut(usize, &Stated, &[usize], Vec<Kind>)) {
        let spent = || self.looked_at.get() >= BUDGET;
        for near_first in [true, false] {
            for (i, base) in self.bases.iter().enumerate() {
                for (v, var) in base.vars.iter().enumerate().filter(|(_, v)| self.is_near(v) == near_first) {
                    for facts in self.moved(base, var, &base.facts) {
                        if spent() {
                            return;
                        }
                        note(i, &facts, &[v], self.kinds(base, &facts));
                    }
                }
            }
        }
        for (i, base) in self.bases.iter().enumerate() {
            let near: Vec<usize> =
                (0..base.vars.len()).filter(|v| base.vars.get(*v).is_some_and(|v| self.is_near(v))).collect();
            for v in &near {
                for w in near.iter().filter(|w| *w > v) {
                    let (Some(a), Some(b)) = (base.vars.get(*v), base.vars.get(*w)) else { continue };
                    for first in self.moved(base, a, &base.facts) {
                        for facts in self.moved(base, b, &first) {
                            if spent() {
                                return;
                            }
                            note(i, &facts, &[*v, *w], self.kinds(base, &facts));
                        }
                    }
                }
            }
        }
    }

    fn moved(&self, base: &Base<'_>, var: &Var, facts: &Stated) -> Vec<Stated> {
        let vocab = &base.book.typed.vocab;
        let now = facts.get(&var.place);
        let values = var.values(vocab, &self.pools, facts).into_iter().filter(|v| Some(v) != now);
        values.map(|v| facts.with(vocab, &var.place, v)).collect()
    }

    /// Whether the changed text reads a fact.
    fn is_near(&self, var: &Var) -> bool {
        // `lines[0].paid` is the field of a line: what is read is known by the entity, so the last name decides.
        let last = var.path.rsplit('.').next().unwrap_or("");
        let name = var.path.split(['(', '[']).next().unwrap_or("");
        self.near.contains(name)
            || self.near.iter().any(|n| n.contains('.') && n.rsplit('.').next() == Some(last))
    }

    fn tell(&self, kind: &Kind, witnesses: &[Witness], found: &mut Searched, from: usize) {
        let mut regions: Vec<Vec<Limit>> = Vec::new();
        for witness in witnesses {
            if regions.len() >= REGIONS || regions.iter().any(|r| r.iter().all(|l| l.holds(&witness.facts))) {
                continue;
            }
            let Some(base) = self.bases.get(witness.base) else { continue };
            let Some((was, now, json)) = self.both(base, &witness.facts) else { continue };
            let Some((output, old, new)) =
                told(&was, &now).into_iter().find(|(o, a, b)| kind_of(o, a, b) == *kind)
            else {
                continue;
            };
            let sure = confirmed(&self.pair.old_program, self.old, &json, &was)
                && confirmed(&self.pair.new_program, self.new, &json, &now);
            if !sure {
                continue;
            }
            let limits = self.limits(base, witness, kind);
            let change = Change { output, was: old.text, now: new.text, was_by: old.by, now_by: new.by };
            let region: Vec<String> = limits.iter().map(|l| l.words.clone()).collect();
            let like = base.name.map(str::to_owned);
            let here = found.differences.get_mut(from..).unwrap_or_default();
            // What the same facts have in common is told once, with all that is otherwise there.
            match here.iter_mut().find(|d| d.region == region && d.like == like && d.witness == json) {
                Some(same) => same.outputs.push(change),
                None => found.differences.push(Difference {
                    decision: self.name.to_owned(),
                    stores: self.pair.stores.clone(),
                    outputs: vec![change],
                    region,
                    like,
                    witness: json,
                }),
            }
            regions.push(limits);
        }
    }

    fn limits(&self, base: &Base<'_>, witness: &Witness, kind: &Kind) -> Vec<Limit> {
        let ground = Ground { vocab: &base.book.typed.vocab, pools: &self.pools, anchor: self.anchor(base) };
        let mut limits: Vec<Limit> = Vec::new();
        for (i, var) in base.vars.iter().enumerate() {
            let ordered = matches!(var.ty.inner(), Ty::Date | Ty::Money | Ty::Int | Ty::Dec | Ty::Unit(_));
            if witness.moved.contains(&i) || self.is_near(var) || ordered {
                let same = |facts: &Stated| self.kinds(base, facts).contains(kind);
                limits.extend(ground.limit(var, &witness.facts, same));
            }
        }
        // Where other dates are counted from a date, its own limits say the same again.
        if let Some((anchor, _)) = &ground.anchor
            && limits.iter().any(|l| l.counts_from(anchor))
        {
            limits.retain(|l| l.place != *anchor);
        }
        limits
    }

    /// The governing date, if it is one of the facts.
    fn anchor(&self, base: &Base<'_>) -> Option<(crate::cases::Place, String)> {
        let policies = base.book.typed.policies.iter().filter(|p| p.decides == Some(base.decision));
        let mut governing =
            policies.filter_map(|p| p.governed_by.as_ref()).filter(|e| matches!(e.kind, ExprKind::Field(..)));
        let printer =
            crate::program::explain::print::Printer { book: &base.book.typed, decision: base.decision };
        let path = printer.print(governing.next()?);
        base.vars.iter().find(|v| v.path == path).map(|v| (v.place.clone(), path))
    }
}

/// Facts to start from where no case states any: each fact at the first, and at the last of its values.
fn made_up<'a>(book: &'a Book, decision: DecisionId, reach: &Reach, pools: &Pools) -> Vec<Base<'a>> {
    let vocab = &book.typed.vocab;
    let open = Stated::default();
    let ends = [false, true].map(|last| {
        let mut facts = open.clone();
        for var in Var::all(vocab, decision, reach, &open) {
            let values = var.values(vocab, pools, &facts);
            let value = if last { values.last() } else { values.iter().find(|v| **v != Given::Absent) };
            if let Some(value) = value.or(values.first()) {
                facts = facts.with(vocab, &var.place, value.clone());
            }
        }
        let vars = Var::all(vocab, decision, reach, &facts);
        Base { name: None, book, decision, facts, vars }
    });
    ends.into()
}

fn kind_of(output: &str, a: &Said, b: &Said) -> Kind {
    let (was, now) = match (&a.size, &b.size) {
        (Some((x, m)), Some((y, n))) if x == y => (x.clone(), if n > m { "more" } else { "less" }.to_owned()),
        (Some((x, _)), _) => (x.clone(), b.text.clone()),
        (_, Some((y, _))) => (a.text.clone(), y.clone()),
        _ => (a.text.clone(), b.text.clone()),
    };
    (output.to_owned(), was, now, a.by.clone(), b.by.clone())
}

/// The outputs on which two answers differ, without those that merely follow: no rule speaks for them, before or after,
/// and others differ by rules.
fn told(was: &Answer, now: &Answer) -> Vec<(String, Said, Said)> {
    let all = differing(was, now);
    let by_rules = |(_, a, b): &(String, Said, Said)| !a.by.is_empty() || !b.by.is_empty();
    if all.iter().any(by_rules) { all.into_iter().filter(by_rules).collect() } else { all }
}
