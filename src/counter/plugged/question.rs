//! One question to a plugin: what it is asked by, what it is shown, and the key that is the same for every repetition.
use super::facts::shown;
use super::paths::Fact;
use super::values::say;
use crate::lang::typed::PluginSource;
use crate::plugins::ask::Asked;
use crate::plugins::contract::{Call, Field};
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
    let json = |fields: &Vec<Field>| serde_json::to_string(fields).unwrap_or_default();
    let parts = [
        "plugin call 1",
        plugin,
        &call.function,
        &call.store,
        operation,
        &json(&call.arguments),
        &json(&call.facts),
        &serde_json::to_string(&call.tables).unwrap_or_default(),
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().to_vec()
}
