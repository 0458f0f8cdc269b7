//! Every decision can be decided again from its record alone: to the same bytes, by both evaluators, and with an
//! explanation that comes to the same numbers.
use crate::memory::Rows;
use serde_json::Value;
use std::collections::BTreeMap;
use zhanggui::counter::replay::replay;
use zhanggui::records::engine::link_hash;
use zhanggui::records::entity::decision;
use zhanggui::rulebook::Rulebooks;

/// Returns how many numbers were compared.
pub fn hold(rows: &Rows, books: &Rulebooks, seed: u64) -> usize {
    let mut heads: BTreeMap<String, (i64, String)> = BTreeMap::new();
    for record in rows.decisions.values() {
        let head = heads.entry(record.store.clone()).or_default();
        assert_eq!((record.seq, &record.previous), (head.0 + 1, &head.1), "seed {seed}: the chain breaks");
        assert_eq!(record.hash, link_hash(record), "seed {seed}: a link does not hold");
        *head = (record.seq, record.hash.clone());
    }
    for chain in rows.chains.values() {
        assert_eq!(heads.get(&chain.store), Some(&(chain.seq, chain.hash.clone())), "seed {seed}");
    }
    rows.decisions.values().map(|record| again(record, books, seed)).sum()
}

fn again(record: &decision::Model, books: &Rulebooks, seed: u64) -> usize {
    let again = replay(record, books).unwrap();
    assert!(again.same && again.hash_holds, "seed {seed}: decision {} replays differently", record.id);
    let outcome: Value = serde_json::from_str(&record.outcome).unwrap();
    let explanation: Value = serde_json::from_str(&again.explanation).unwrap();
    let mut numbers = 0;
    for why in explanation["outputs"].as_array().unwrap() {
        let name = why["output"].as_str().unwrap();
        let mut recorded = &outcome["outcome"][name];
        if let Some(element) = why["element"].as_u64() {
            recorded = &recorded[element as usize];
        }
        // In an answer money stands with its currency, and a number as text; the language writes both with their unit.
        let (Some(shown), Some(number)) = (why["is"]["value"].as_str().and_then(first), number(recorded))
        else {
            continue;
        };
        assert_eq!(shown, number, "seed {seed}: decision {}: {name}: {why} / {recorded}", record.id);
        numbers += 1;
    }
    numbers
}

fn first(text: &str) -> Option<rust_decimal::Decimal> {
    text.split(' ').next()?.parse().ok()
}

fn number(value: &Value) -> Option<rust_decimal::Decimal> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        Value::Object(money) => number(money.get("amount")?),
        _ => None,
    }
}
