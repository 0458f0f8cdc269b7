//! Facts from JSON, straight into slots: no tree of JSON values in between, no float, no guess.
//!
//! Invariants: what is bound is exactly what was written, or an error says where and what to write instead; a missing
//! key leaves its slots unknown; `null` is absent and only for optional types; amounts lie on their step.
//!
//! While a list is read, its rows are stacked on top of the root slots (rows of inner lists on top of those), and moved
//! to the arena when the list ends: so every list's rows are contiguous there.
mod error;
mod names;
mod plan;
mod scalar;
mod seeds;

pub use error::{FactError, FactProblem};
pub(crate) use names::nearest;

use crate::lang::typed::Vocab;
use crate::program::bind::error::{Segment, path};
use crate::program::bind::plan::{Kind, Plans};
use crate::program::facts::{Facts, Layout, Slot, Symbols};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The longest list of facts. Rules with `for each` run once per row, and a share of an amount looks at every row again,
/// so this bounds what one request may cost. A receipt of so many lines has not been seen.
pub const MAX_ROWS: u32 = 2_000;

/// Reads facts of one vocabulary into slots.
#[derive(Debug, Clone)]
pub struct Binder {
    plans: Plans,
    symbols: Arc<Symbols>,
}

/// A request's facts while they are read.
struct Cx<'b> {
    plans: &'b Plans,
    symbols: &'b Symbols,
    facts: &'b mut Facts,
    /// Numbers of the request's own texts; used only once there are many.
    texts: FxHashMap<Arc<str>, u32>,
    failure: Option<Failure>,
}

/// A failed read: what is known where it failed, and the path collected while unwinding.
struct Failure {
    problem: FactProblem,
    said: Said,
    segments: Vec<Segment>,
}

enum Said {
    Message(String),
    /// A JSON number with a fraction or an exponent: its text is cut out of the request afterwards, since what the
    /// reader hands over is a float.
    Fraction {
        expected: String,
        decimals: Option<u32>,
        whole: bool,
    },
}

impl Binder {
    /// A binder for the facts of a vocabulary; `symbols` are the texts that the rulebook mentions.
    pub fn new(vocab: &Vocab, layout: &Layout, symbols: Arc<Symbols>) -> Binder {
        Binder { plans: Plans::new(vocab, layout), symbols }
    }

    /// Reads a JSON object of facts.
    pub fn bind(&self, json: &[u8]) -> Result<Facts, FactError> {
        let mut facts = Facts::default();
        self.bind_into(json, &mut facts)?;
        Ok(facts)
    }

    /// Reads into buffers that served before. After an error `facts` holds nothing of use.
    pub fn bind_into(&self, json: &[u8], facts: &mut Facts) -> Result<(), FactError> {
        facts.slots.clear();
        facts.slots.resize(self.plans.width as usize, Slot::UNKNOWN);
        facts.lists.clear();
        facts.rows.clear();
        facts.texts.clear();
        facts.wides.clear();
        facts.calls.clear();
        facts.mixed_currencies = false;
        facts.currency = None;
        let mut cx = Cx {
            plans: &self.plans,
            symbols: &self.symbols,
            facts,
            texts: FxHashMap::default(),
            failure: None,
        };
        let mut reader = serde_json::Deserializer::from_slice(json);
        let read = seeds::top(&mut cx, &mut reader).and_then(|()| reader.end());
        match read {
            Ok(()) => Ok(()),
            Err(error) => Err(finish(cx.failure, &error, json)),
        }
    }
}

fn finish(failure: Option<Failure>, error: &serde_json::Error, json: &[u8]) -> FactError {
    let Some(failure) = failure else {
        let message = format!("not JSON: {error}");
        return FactError { problem: FactProblem::Malformed, path: "facts".into(), message };
    };
    let message = match failure.said {
        Said::Message(message) => message,
        Said::Fraction { expected, decimals, whole } => {
            let raw = number_before(json, error.line(), error.column());
            scalar::fraction_message(&expected, decimals, whole, raw)
        }
    };
    FactError { problem: failure.problem, path: path(&failure.segments), message }
}

/// The number that ends at a place of the text, as it was written.
fn number_before(json: &[u8], line: usize, column: usize) -> &str {
    let mut start = 0;
    for _ in 1..line {
        let rest = json.get(start..).unwrap_or_default();
        start += rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |at| at + 1);
    }
    let before = json.get(..start + column).unwrap_or_default();
    let of_number = |b: &u8| matches!(b, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
    let from = before.iter().rposition(|b| !of_number(b)).map_or(0, |at| at + 1);
    std::str::from_utf8(before.get(from..).unwrap_or_default()).unwrap_or("")
}

impl Cx<'_> {
    /// Remembers what is wrong; the caller unwinds with an error that says nothing.
    fn fail<E: serde::de::Error>(&mut self, problem: FactProblem, message: String) -> E {
        self.fail_with(problem, Said::Message(message))
    }

    fn fail_with<E: serde::de::Error>(&mut self, problem: FactProblem, said: Said) -> E {
        self.failure = Some(Failure { problem, said, segments: Vec::new() });
        E::custom("facts")
    }

    /// Adds a step to the path of a failure on its way out.
    fn within<T, E>(&mut self, result: Result<T, E>, segment: impl FnOnce() -> Segment) -> Result<T, E> {
        if result.is_err()
            && let Some(failure) = &mut self.failure
        {
            failure.segments.push(segment());
        }
        result
    }

    fn slot(&self, at: usize) -> Slot {
        self.facts.slots.get(at).copied().unwrap_or(Slot::UNKNOWN)
    }

    fn set(&mut self, at: usize, slot: Slot) {
        if let Some(place) = self.facts.slots.get_mut(at) {
            *place = slot;
        }
    }

    /// The number of a text: the rulebook's, or the request's own.
    fn symbol(&mut self, text: &str) -> i64 {
        if let Some(id) = self.symbols.get(text) {
            return i64::from(id);
        }
        let base = self.symbols.len() as i64;
        let own = &mut self.facts.texts;
        // A few texts are found faster by looking at them.
        const FEW: usize = 16;
        if own.len() <= FEW {
            if let Some(at) = own.iter().position(|t| **t == *text) {
                return base + at as i64;
            }
        } else {
            if self.texts.is_empty() {
                self.texts.extend(own.iter().enumerate().map(|(i, t)| (t.clone(), i as u32)));
            }
            if let Some(&at) = self.texts.get(text) {
                return base + i64::from(at);
            }
        }
        let new: Arc<str> = text.into();
        if !self.texts.is_empty() {
            self.texts.insert(new.clone(), own.len() as u32);
        }
        own.push(new);
        base + own.len() as i64 - 1
    }

    /// What a place expects, in the words of the vocabulary.
    fn expected(&self, kind: &Kind, optional: bool) -> String {
        let plans = self.plans;
        let named = |what: &str, list: &[(Box<str>, names::Names)], id: u32| match list.get(id as usize) {
            Some((name, _)) => format!("{what} {name}"),
            None => what.to_owned(),
        };
        let base = match kind {
            Kind::Bool => "true or false".to_owned(),
            Kind::Int => "an integer".to_owned(),
            Kind::Dec => "a decimal".to_owned(),
            Kind::Text => "text".to_owned(),
            Kind::Date => "a date".to_owned(),
            Kind::DateTime => "an instant".to_owned(),
            Kind::Period => "a period".to_owned(),
            Kind::Duration => "a duration".to_owned(),
            Kind::Money => "money".to_owned(),
            Kind::Unit(id) => {
                plans.units.get(*id as usize).map_or("a quantity".into(), |u| u.name.to_string())
            }
            Kind::Enum(id) => named("a member of", &plans.enums, *id),
            Kind::Node(id) => named("a node of", &plans.taxonomies, *id),
            Kind::Entity(..) => "an object".to_owned(),
            Kind::List(_, false) => "a list".to_owned(),
            Kind::List(_, true) => "a set, written as a list".to_owned(),
            Kind::Facts => "an object of facts".to_owned(),
            Kind::CallRows(_) => "a list of objects, each with the arguments and \"value\"".to_owned(),
            Kind::CallRow(_) => "an object with the arguments and \"value\"".to_owned(),
            Kind::Never => "nothing (facts cannot have this type)".to_owned(),
        };
        if optional { format!("{base}, or null if there is none") } else { base }
    }
}

#[cfg(test)]
mod tests;
