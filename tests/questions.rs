//! Jiajie's decisions as a questionnaire: from no facts at all, answering exactly what is asked leads to an answer, no
//! answer given on the way is taken back, and both evaluators say the same bytes at every step.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
#[path = "support/rng.rs"]
mod rng;

use num_traits::ToPrimitive as _;
use rng::Rng;
use serde_json::{Map, Value, json};
use std::path::Path;
use zhanggui::lang::typed::{Bounds, Const, Ty, Vocab};
use zhanggui::rulebook::{Program, load};

/// Nobody would answer more rounds than this.
const ROUNDS: usize = 12;
const RUNS: u64 = 40;

const MONEY: [&str; 8] = ["0.00", "5.00", "99.90", "300.00", "300.01", "399.00", "2000.00", "10000.00"];
const DATES: [&str; 7] =
    ["2025-12-31", "2026-02-28", "2026-07-01", "2026-07-08", "2026-07-09", "2026-07-16", "2026-12-31"];

fn answer(rng: &mut Rng, vocab: &Vocab, ty: &Ty) -> Value {
    if ty.is_optional() && rng.chance(1, 3) {
        return Value::Null;
    }
    let name = |names: Vec<&String>, rng: &mut Rng| json!(names[rng.below(names.len())]);
    match ty.inner() {
        Ty::Bool => json!(rng.chance(1, 2)),
        Ty::Int => json!(*rng.pick(&[0, 1, 2, 5, 12])),
        Ty::Dec => json!(rng.word(&["0", "0.79", "0.8", "1", "1.5"])),
        Ty::Text => json!(rng.word(&["A1", "B2", "s001", "x"])),
        Ty::Date => json!(rng.word(&DATES)),
        Ty::DateTime => json!(rng.word(&["2026-07-01T09:30:00+08:00", "2026-12-31T23:59:59+08:00"])),
        Ty::Period => json!(rng.word(&["P7D", "P1M"])),
        Ty::Duration => json!(rng.word(&["PT1H", "PT30M"])),
        Ty::Money => json!(rng.word(&MONEY)),
        Ty::Unit(_) => json!(*rng.pick(&[0, 1, 999, 1000, 5999, 12_000])),
        Ty::Enum(id) => name(vocab.enums[id.ix()].members.iter().map(|m| &m.name).collect(), rng),
        Ty::Node(id) => name(vocab.taxonomies[id.ix()].nodes.iter().map(|n| &n.name).collect(), rng),
        // What an entity's fields are is asked next.
        Ty::Entity(_) => json!({}),
        Ty::List(of) => (0..rng.below(3)).map(|_| answer(rng, vocab, of)).collect(),
        Ty::Set(of) => (0..rng.below(2)).map(|_| answer(rng, vocab, of)).collect(),
        other => panic!("no facts of type {other:?}"),
    }
}

/// An answer within the fact's bounds.
fn bounded(rng: &mut Rng, vocab: &Vocab, ty: &Ty, bounds: Option<&Bounds>) -> Value {
    loop {
        let value = answer(rng, vocab, ty);
        if bounds.is_none_or(|b| within(b, &value)) {
            return value;
        }
    }
}

fn within(bounds: &Bounds, value: &Value) -> bool {
    let text = match value {
        Value::Null => return true,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let value: f64 = text.parse().unwrap();
    let number = |bound: &Const| match bound {
        Const::Num(n) | Const::Money(n, _) => n.to_f64().unwrap(),
        other => panic!("no bound of {other:?} is drawn"),
    };
    let above = bounds.low.as_ref().is_none_or(|(low, with)| {
        let low = number(low);
        value > low || *with && value == low
    });
    let below = bounds.high.as_ref().is_none_or(|(high, with)| {
        let high = number(high);
        value < high || *with && value == high
    });
    above && below
}

/// Puts an answer where the path of the question says.
fn put(rng: &mut Rng, vocab: &Vocab, facts: &mut Map<String, Value>, path: &str) {
    if let Some((name, args)) = path.split_once('(') {
        let fact = vocab.fact_calls.iter().find(|f| f.name == name).unwrap();
        let mut row = Map::new();
        for ((param, ty), arg) in fact.params.iter().zip(args.trim_end_matches(')').split(", ")) {
            let arg = if *ty == Ty::Int { arg.parse().unwrap() } else { json!(arg.trim_matches('"')) };
            row.insert(param.clone(), arg);
        }
        row.insert("value".into(), bounded(rng, vocab, &fact.ty, fact.bounds.as_ref()));
        facts.entry(name).or_insert_with(|| json!([])).as_array_mut().unwrap().push(row.into());
        return;
    }
    let mut parts = path.split('.');
    let first = parts.next().unwrap();
    let root = vocab.roots.iter().find(|r| r.name == first.split('[').next().unwrap()).unwrap();
    let mut ty = root.ty.clone();
    let mut bounds = root.bounds.as_ref();
    let mut at = facts.entry(root.name.clone()).or_insert(Value::Null);
    let mut part = first;
    loop {
        for index in part.split('[').skip(1) {
            ty = match ty.inner() {
                Ty::List(of) => (**of).clone(),
                other => panic!("{path}: {other:?} has no rows"),
            };
            at = &mut at[index.trim_end_matches(']').parse::<usize>().unwrap()];
        }
        let Some(next) = parts.next() else { break };
        let Ty::Entity(id) = ty.inner() else { panic!("{path}") };
        let field = next.split('[').next().unwrap();
        let of = vocab.entities[id.ix()].fields.iter().find(|f| f.name == field).unwrap();
        (ty, bounds) = (of.ty.clone(), of.bounds.as_ref());
        if at.is_null() {
            *at = json!({});
        }
        at = at.as_object_mut().unwrap().entry(field).or_insert(Value::Null);
        part = next;
    }
    *at = bounded(rng, vocab, &ty, bounds);
}

/// Decides by both evaluators.
fn decide(program: &Program, decision: &str, facts: &Value) -> Value {
    let id = program.decision(decision).unwrap();
    let bound =
        program.binder().bind(facts.to_string().as_bytes()).unwrap_or_else(|e| panic!("{e}\n{facts}"));
    let served = program.renderer().render(&program.decide(id, &bound));
    let meant = program.renderer().render(&program.decide_by_walk(id, &bound));
    assert_eq!(served, meant, "{decision} {facts}");
    serde_json::from_str(&served).unwrap()
}

fn asked(answer: &Value) -> Vec<String> {
    answer["needs"].as_array().unwrap().iter().map(|n| n["fact"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn answering_what_is_asked_leads_to_an_answer() {
    let loaded = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")).unwrap();
    let books = loaded.rulebooks.expect("the rulebooks check");
    let (mut runs, mut decided) = (0, 0);
    for store in books.books.iter().flat_map(|b| &b.stores) {
        let vocab = &store.program.linked().rulebook.vocab;
        for decision in &vocab.decisions {
            for seed in 0..RUNS {
                let mut rng = Rng(seed);
                let mut facts = Map::new();
                let mut last = decide(&store.program, &decision.name, &json!({}));
                let mut round = 0;
                while !asked(&last).is_empty() {
                    round += 1;
                    assert!(round <= ROUNDS, "{}: still asked for {:?}", decision.name, asked(&last));
                    for path in asked(&last) {
                        put(&mut rng, vocab, &mut facts, &path);
                    }
                    let now = decide(&store.program, &decision.name, &json!(facts));
                    for (output, value) in last["outcome"].as_object().unwrap() {
                        assert_eq!(
                            now["outcome"].get(output),
                            Some(value),
                            "{} {output}: {facts:?}",
                            decision.name
                        );
                    }
                    last = now;
                }
                runs += 1;
                decided += u32::from(last["status"] == "decided");
            }
        }
    }
    assert!(decided * 2 > runs, "only {decided} of {runs} were decided");
}
