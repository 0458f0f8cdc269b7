//! Facts to try things with: those of the rulebook's cases, and some that are made up where there are no cases.
//!
//! They are kept as the JSON that a till would send, so that one fact can be changed by its path.
use crate::lang::typed::*;
use crate::program::facts::Facts;
use crate::program::outcome::Outcome;
use crate::program::value::Value;
use crate::rulebook::{Book, Program, stated};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;

/// Made-up facts of a decision of a program that has fewer cases than this.
const FEW: usize = 3;
/// So many variants are made up.
const VARIANTS: u32 = 8;

/// Facts of one decision in one program.
pub(super) struct Context<'b> {
    pub program: &'b Program,
    pub decision: DecisionId,
    pub facts: Json,
    /// `the case "x"`, or what they are instead.
    pub name: String,
    /// Tables of which rows took part in the answer.
    pub tables: BTreeSet<TableId>,
}

/// All that there is to try with, cases first.
pub(super) struct Contexts<'b> {
    pub all: Vec<Context<'b>>,
}

/// A step of a path to a fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Key(String),
    /// An element of a list.
    Index(usize),
}

/// Where a fact stands: `item.category`, `lines[0].paid`.
pub(super) type Path = Vec<Step>;

/// The path as answers write it.
pub(super) fn shown(path: &Path) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.push_str(&format!(".{key}")),
            Step::Index(i) => text.push_str(&format!("[{i}]")),
        }
    }
    text
}

impl<'b> Contexts<'b> {
    /// The cases of a rulebook whose facts can be read, and made-up facts for decisions without them.
    pub fn of(book: &'b Book) -> Contexts<'b> {
        let mut all = Vec::new();
        for case in &book.cases {
            let Some(store) = book.store(&case.store) else { continue };
            let Ok(facts) = stated::json(&book.typed.vocab, case) else { continue };
            all.extend(Context::new(
                &store.program,
                case.decision,
                facts,
                format!("the case \"{}\"", case.name),
            ));
        }
        for program in &book.programs {
            for (i, decision) in book.typed.vocab.decisions.iter().enumerate() {
                let id = DecisionId(i as u32);
                let has = |c: &&Context<'_>| c.decision == id && std::ptr::eq(c.program, &**program);
                if program.linked().rules(id).is_empty() || all.iter().filter(has).count() >= FEW {
                    continue;
                }
                for variant in 0..VARIANTS {
                    let facts = made_up(&book.typed.vocab, decision, variant);
                    all.extend(Context::new(program, id, facts, facts_in_words(decision)));
                }
            }
        }
        Contexts { all }
    }
}

fn facts_in_words(decision: &Decision) -> String {
    format!("some facts of `{}`", decision.name)
}

impl<'b> Context<'b> {
    fn new(program: &'b Program, decision: DecisionId, facts: Json, name: String) -> Option<Context<'b>> {
        let mut context = Context { program, decision, facts, name, tables: BTreeSet::new() };
        let (_, outcome) = context.decide(&context.facts)?;
        context.tables = outcome.because.iter().flat_map(|b| &b.rows).map(|r| r.table).collect();
        Some(context)
    }

    /// The answer to other facts in the same program; `None` if they are no facts of the vocabulary.
    pub fn decide(&self, facts: &Json) -> Option<(Facts, Outcome)> {
        let facts = self.program.binder().bind(facts.to_string().as_bytes()).ok()?;
        let outcome = self.program.decide(self.decision, &facts);
        Some((facts, outcome))
    }

    /// The facts with some of them changed; `None` where a path leads nowhere.
    pub fn with(&self, changes: &[(Path, Json)]) -> Option<Json> {
        let mut facts = self.facts.clone();
        for (path, value) in changes {
            *place(&mut facts, path)? = value.clone();
        }
        Some(facts)
    }
}

/// The fact at a path, made where it was not given.
fn place<'j>(facts: &'j mut Json, path: &[Step]) -> Option<&'j mut Json> {
    let mut at = facts;
    for step in path {
        at = match step {
            Step::Key(key) => {
                if at.is_null() {
                    *at = Json::Object(Map::new());
                }
                at.as_object_mut()?.entry(key.clone()).or_insert(Json::Null)
            }
            Step::Index(i) => at.as_array_mut()?.get_mut(*i)?,
        };
    }
    Some(at)
}

/// The fact at a path, where it is given.
pub(super) fn given<'j>(facts: &'j Json, path: &[Step]) -> Option<&'j Json> {
    path.iter().try_fold(facts, |at, step| match step {
        Step::Key(key) => at.get(key),
        Step::Index(i) => at.get(*i),
    })
}

/// A value as a till sends it.
pub(super) fn json_of(vocab: &Vocab, ty: &Ty, value: &Value) -> Option<Json> {
    let constant = match value {
        Value::Absent => Const::Absent,
        Value::Bool(b) => Const::Bool(*b),
        Value::Num(n) => Const::Num(n.clone()),
        Value::Money(n, c) => Const::Money(n.clone(), *c),
        Value::Text(t) => Const::Text(t.to_string()),
        Value::Enum(e) => Const::Enum(*e),
        Value::Node(n) => Const::Node(*n),
        Value::Date(d) => Const::Date(*d),
        Value::DateTime(t) => Const::DateTime(*t),
        Value::Period(p) => Const::Period(*p),
        Value::Duration(s) => Const::Duration(*s),
        Value::List(_) | Value::Set(_) | Value::Record(..) => return None,
    };
    Some(stated::constant(vocab, ty.inner(), &constant))
}

/// Facts of every kind that a decision is given, the same for the same number.
fn made_up(vocab: &Vocab, decision: &Decision, variant: u32) -> Json {
    let mut out = Map::new();
    let mut seed = variant.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    for (i, root) in vocab.roots.iter().enumerate() {
        if decision.given.contains(&RootId(i as u32)) || root.source != Source::Request {
            out.insert(root.name.clone(), some(vocab, &root.ty, &mut seed, 0));
        }
    }
    Json::Object(out)
}

fn some(vocab: &Vocab, ty: &Ty, seed: &mut u32, depth: u32) -> Json {
    *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    let draw = *seed >> 16;
    let pick = |n: usize| draw as usize % n.max(1);
    let number = || [0, 1, 3, 10, 50, 200, 1_000, 6_000].get(pick(8)).copied().unwrap_or(1);
    match ty {
        Ty::Opt(_) if draw.is_multiple_of(4) => Json::Null,
        Ty::Opt(of) => some(vocab, of, seed, depth),
        Ty::Bool => json!(draw.is_multiple_of(2)),
        Ty::Int => json!(number()),
        Ty::Dec | Ty::Money | Ty::Unit(_) => json!(number().to_string()),
        Ty::Text => json!(format!("X{}", pick(3))),
        Ty::Date => json!(format!("2026-{:02}-{:02}", 1 + pick(12), 1 + pick(28))),
        Ty::DateTime => json!(format!("2026-{:02}-{:02}T12:00:00Z", 1 + pick(12), 1 + pick(28))),
        Ty::Period => json!(format!("P{}D", number())),
        Ty::Duration => json!(format!("PT{}H", number())),
        Ty::Enum(id) => {
            let members = vocab.enums.get(id.ix()).map(|d| d.members.as_slice()).unwrap_or_default();
            json!(members.get(pick(members.len())).map(|m| &m.name))
        }
        Ty::Node(id) => {
            let nodes = vocab.taxonomies.get(id.ix()).map(|d| d.nodes.as_slice()).unwrap_or_default();
            json!(nodes.get(pick(nodes.len())).map(|n| &n.name))
        }
        Ty::Entity(id) => {
            let fields = vocab.entities.get(id.ix()).map(|e| e.fields.as_slice()).unwrap_or_default();
            let fields = fields.iter().map(|f| (f.name.clone(), some(vocab, &f.ty, seed, depth + 1)));
            Json::Object(fields.collect())
        }
        Ty::List(of) if depth < 3 => json!([some(vocab, of, seed, depth + 1)]),
        Ty::List(_) | Ty::Set(_) => json!([]),
        Ty::Rate(..) | Ty::Never => Json::Null,
    }
}
