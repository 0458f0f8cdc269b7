//! Facts that were recorded, decided by both versions: how many come out otherwise, and how much money that is.
use crate::compare::decide::{Answer, Said, answer, differing};
use crate::compare::sides::{Pair, Sides, decided};
use crate::program::literal::number;
use num_rational::BigRational;
use num_traits::{Signed, Zero};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A line of the file: a request as the server gets it, with its decision.
#[derive(Debug, Deserialize)]
struct Line {
    decision: String,
    store: String,
    #[serde(default)]
    facts: Json,
}

/// What came of a file of recorded facts.
#[derive(Debug, Default, Serialize)]
pub struct Recorded {
    /// Facts that both versions could read.
    pub facts: usize,
    pub otherwise: usize,
    pub transitions: Vec<Transition>,
    pub money: Vec<Amounts>,
    pub unread: Vec<Unread>,
    pub notes: Vec<String>,
}

/// How often an output went from one answer to another.
#[derive(Debug, Serialize)]
pub struct Transition {
    pub decision: String,
    pub output: String,
    pub was: String,
    pub now: String,
    pub count: usize,
    pub example: Example,
}

/// A line that shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// From 1.
    pub line: usize,
    pub store: String,
    pub was: String,
    pub now: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub was_by: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub now_by: Vec<String>,
}

/// What an output of money comes to over all facts, where both versions decide it.
#[derive(Debug, Serialize)]
pub struct Amounts {
    pub decision: String,
    pub output: String,
    pub currency: String,
    /// How many facts give another amount.
    pub facts: usize,
    /// Sums over those facts, and the new less the old, as decimals.
    pub was: String,
    pub now: String,
    pub difference: String,
    /// Where it differs most.
    pub examples: Vec<Example>,
}

/// A line that could not be decided by both.
#[derive(Debug, Serialize)]
pub struct Unread {
    pub line: usize,
    pub why: String,
}

/// The most telling amounts that are shown of an output.
const TELLING: usize = 3;

#[derive(Default)]
struct Sum {
    facts: usize,
    was: BigRational,
    now: BigRational,
    /// The greatest differences first.
    examples: Vec<(BigRational, Example)>,
}

/// Decides every line by both versions.
pub fn recorded(sides: &Sides<'_>, text: &str) -> Recorded {
    let pairs = sides.pairs();
    let mut report = Recorded { notes: sides.notes(), ..Recorded::default() };
    let mut transitions: BTreeMap<(String, String, String, String), (usize, Example)> = BTreeMap::new();
    let mut sums: BTreeMap<(String, String, String), Sum> = BTreeMap::new();
    let lines = text.lines().enumerate().map(|(i, l)| (i + 1, l.trim())).filter(|(_, l)| !l.is_empty());
    for (line, text) in lines {
        let (request, was, now) = match both(&pairs, text) {
            Ok(answers) => answers,
            Err(why) => {
                report.unread.push(Unread { line, why });
                continue;
            }
        };
        report.facts += 1;
        let differing = differing(&was, &now);
        report.otherwise += usize::from(!differing.is_empty());
        for (output, old, new) in differing {
            let example = Example {
                line,
                store: request.store.clone(),
                was: old.text.clone(),
                now: new.text.clone(),
                was_by: old.by.clone(),
                now_by: new.by.clone(),
            };
            let (from, to) = kinds(&old, &new);
            let key = (request.decision.clone(), output.clone(), from, to);
            transitions.entry(key).or_insert_with(|| (0, example.clone())).0 += 1;
            if old.decided && new.decided {
                add(&mut sums, &request.decision, &output, &old, &new, &example);
            }
        }
    }
    report.transitions = transitions
        .into_iter()
        .map(|((decision, output, was, now), (count, example))| Transition {
            decision,
            output,
            was,
            now,
            count,
            example,
        })
        .collect();
    report.transitions.sort_by(|a, b| {
        (&a.decision, &a.output, std::cmp::Reverse(a.count)).cmp(&(
            &b.decision,
            &b.output,
            std::cmp::Reverse(b.count),
        ))
    });
    report.money = sums.into_iter().map(|(key, sum)| amounts(key, sum)).collect();
    report
}

fn both(pairs: &[Pair<'_>], text: &str) -> Result<(Line, Answer, Answer), String> {
    let line: Line = serde_json::from_str(text).map_err(|e| format!("not a request: {e}"))?;
    let Some(pair) = pairs.iter().find(|p| p.stores.contains(&line.store)) else {
        return Err(format!("the two versions do not both have the store {:?}", line.store));
    };
    let id = |book: &crate::rulebook::Book| {
        decided(&book.typed).into_iter().find(|(n, _)| *n == line.decision).map(|(_, id)| id)
    };
    let (Some(old), Some(new)) = (id(pair.old), id(pair.new)) else {
        return Err(format!("the two versions do not both decide {:?}", line.decision));
    };
    let facts = if line.facts.is_null() { Json::Object(serde_json::Map::new()) } else { line.facts.clone() };
    let was = answer(&pair.old_program, old, &facts).map_err(|e| format!("old version: {e}"))?;
    let now = answer(&pair.new_program, new, &facts).map_err(|e| format!("new version: {e}"))?;
    Ok((line, was, now))
}

/// What a transition is counted as: amounts and dates by which way they went, anything else by its value.
fn kinds(old: &Said, new: &Said) -> (String, String) {
    match (&old.size, &new.size) {
        (Some((a, x)), Some((b, y))) if a == b => {
            let to = match (a.as_str(), y > x) {
                ("date", true) => "later",
                ("date", false) => "earlier",
                (_, true) => "more",
                (_, false) => "less",
            };
            (if a == "date" { "a date" } else { "an amount" }.into(), to.into())
        }
        (a, b) => {
            let called = |size: &Option<(String, BigRational)>, said: &Said| match size {
                Some((kind, _)) if kind == "date" => "a date".to_owned(),
                Some(_) => "an amount".to_owned(),
                None => short(&said.text),
            };
            (called(a, old), called(b, new))
        }
    }
}

/// At most so much of a list or a record.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 70;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let cut: String = text.chars().take(MOST).collect();
    format!("{cut}…")
}

fn add(
    sums: &mut BTreeMap<(String, String, String), Sum>,
    decision: &str,
    output: &str,
    old: &Said,
    new: &Said,
    example: &Example,
) {
    let currencies: std::collections::BTreeSet<&String> = old.money.keys().chain(new.money.keys()).collect();
    for currency in currencies {
        let of = |said: &Said| said.money.get(currency).cloned().unwrap_or_else(BigRational::zero);
        let (was, now) = (of(old), of(new));
        if was == now {
            continue;
        }
        let sum = sums.entry((decision.into(), output.into(), currency.clone())).or_default();
        sum.facts += 1;
        let by = (&now - &was).abs();
        sum.was += was;
        sum.now += now;
        // The earliest of equals stays.
        let place = sum.examples.iter().position(|(other, _)| by > *other).unwrap_or(sum.examples.len());
        sum.examples.insert(place, (by, example.clone()));
        sum.examples.truncate(TELLING);
    }
}

fn amounts((decision, output, currency): (String, String, String), sum: Sum) -> Amounts {
    Amounts {
        decision,
        output,
        currency,
        facts: sum.facts,
        was: number(&sum.was),
        now: number(&sum.now),
        difference: number(&(&sum.now - &sum.was)),
        examples: sum.examples.into_iter().map(|(_, e)| e).collect(),
    }
}
