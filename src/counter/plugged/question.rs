//! One question to a plugin: what it is asked by, what it is shown, and the key that is the same for every repetition.
use super::facts::shown;
use super::paths::Fact;
use super::values::{kind_of, say};
use crate::lang::typed::PluginSource;
use crate::plugins::ask::Asked;
use crate::plugins::contract::{Call, Field, Value as Said};
use crate::program::dates::date_of;
use crate::program::facts::Facts;
use crate::program::iso::format_date;
use crate::program::link::Linked;
use crate::program::value::Value;
use crate::records::engine::hex;
use sha2::{Digest, Sha256};

/// A question that is not asked yet.
#[derive(Clone, Debug)]
pub struct Question {
    pub plugin: String,
    /// Without its moment.
    call: Call,
    zone: chrono_tz::Tz,
    business_day_start: u32,
}

impl Question {
    /// None where the contract cannot say one of the arguments.
    pub(super) fn new(
        linked: &Linked,
        facts: &Facts,
        (fact, source): (&Fact<'_>, &PluginSource),
        arguments: &[Value],
        (store, operation): (&str, &str),
    ) -> Option<Question> {
        let argument = |((name, ty), value): (&(String, _), &Value)| {
            Some(Field { path: name.clone(), value: say(linked, ty, value)? })
        };
        let arguments: Vec<Field> =
            fact.params().iter().zip(arguments).map(argument).collect::<Option<_>>()?;
        let shown = shown(linked, facts, &source.reads);
        let mut call = Call {
            key: String::new(),
            function: source.function.clone(),
            store: store.to_owned(),
            now: 0,
            today: String::new(),
            seed: 0,
            arguments,
            facts: shown.fields,
            tables: shown.tables,
            attributes: Vec::new(),
        };
        let digest = digest(&source.plugin, &call, operation);
        call.seed = digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte));
        call.key = hex(&digest);
        let (zone, business_day_start) = (linked.zone, linked.business_day_start);
        Some(Question { plugin: source.plugin.clone(), call, zone, business_day_start })
    }

    pub fn key(&self) -> &str {
        &self.call.key
    }

    /// As it is asked at a moment (epoch microseconds).
    pub(super) fn at(&self, now: i64) -> Asked {
        let mut call = self.call.clone();
        call.now = now.div_euclid(1_000);
        call.today = date_of(self.zone, self.business_day_start, now).map(format_date).unwrap_or_default();
        Asked { plugin: self.plugin.clone(), call }
    }
}

/// Over what makes two calls the same question; not over the moment, which a repetition does not share.
fn digest(plugin: &str, call: &Call, operation: &str) -> Vec<u8> {
    let mut parts = Parts(Sha256::new());
    for part in ["plugin call 2", plugin, &call.function, &call.store, operation] {
        parts.text(part);
    }
    parts.fields(&call.arguments);
    parts.fields(&call.facts);
    parts.count(call.tables.len());
    for table in &call.tables {
        parts.text(&table.path);
        parts.count(table.rows.len());
        table.rows.iter().for_each(|row| parts.fields(row));
    }
    parts.0.finalize().to_vec()
}

/// What is digested: every text with its length and every list with its count, so that no two questions make the same bytes.
struct Parts(Sha256);

impl Parts {
    fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_be_bytes());
    }
    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text.as_bytes());
    }
    fn number(&mut self, number: i64) {
        self.0.update(number.to_be_bytes());
    }
    fn fields(&mut self, fields: &[Field]) {
        self.count(fields.len());
        for Field { path, value } in fields {
            self.text(path);
            self.text(kind_of(value));
            match value {
                Said::Absent => {}
                Said::Truth(truth) => self.number((*truth).into()),
                Said::Whole(number) | Said::Duration(number) => self.number(*number),
                Said::Money(money) => {
                    self.number(money.minor);
                    self.text(&money.currency);
                }
                Said::Quantity(quantity) => {
                    self.text(&quantity.amount);
                    self.text(&quantity.unit);
                }
                Said::Decimal(text)
                | Said::Text(text)
                | Said::Word(text)
                | Said::Date(text)
                | Said::Instant(text)
                | Said::Period(text)
                | Said::Other(text) => self.text(text),
            }
        }
    }
}
