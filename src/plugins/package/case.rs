//! A case: a call, the responses that were recorded for it, and what the plugin is to answer.
use crate::plugins::contract::{Answer, Call, Failure, Hook, HttpAnswer, HttpFailure, HttpRequest};
use crate::plugins::manifest::Manifest;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One file of `cases/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    pub hook: Hook,
    pub call: Call,
    /// Settings; what is left out is the manifest's default.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, String>,
    /// Texts in the plugin's store before the call.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kv: BTreeMap<String, String>,
    /// What the servers answered, round by round, by the requests' names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responses: Vec<BTreeMap<String, Recorded>>,
    /// Where given: the requests that the plugin must make, round by round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<Vec<Vec<HttpRequest>>>,
    pub expect: Expected,
    /// Units of fuel that the call may use over all phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
}

/// What a server answered: `{"status": 200, "body": "…"}`, or `{"failure": "timed-out"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded(pub Result<HttpAnswer, HttpFailure>);

/// What comes of a case: an answer as `{"value": {"whole": 3}}`, or `{"failure": "unavailable"}` by the failure's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    Answer(Answer),
    Failure(String),
}

impl Expected {
    /// Whether this is what came.
    pub fn is(&self, outcome: &Result<Answer, Failure>) -> bool {
        match (self, outcome) {
            (Expected::Answer(expected), Ok(answer)) => expected == answer,
            (Expected::Failure(code), Err(failure)) => code == failure.code(),
            _ => false,
        }
    }
}

/// The value of `failure`, if that is all there is.
fn failure(value: &Value) -> Option<&Value> {
    let object = value.as_object()?;
    if object.len() == 1 { object.get("failure") } else { None }
}

impl<'de> Deserialize<'de> for Recorded {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Recorded, D::Error> {
        let value = Value::deserialize(from)?;
        Ok(Recorded(match failure(&value) {
            Some(failure) => Err(HttpFailure::deserialize(failure).map_err(D::Error::custom)?),
            None => Ok(HttpAnswer::deserialize(&value).map_err(D::Error::custom)?),
        }))
    }
}

impl Serialize for Recorded {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Ok(answer) => answer.serialize(to),
            Err(failure) => json!({ "failure": failure }).serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Expected, D::Error> {
        let value = Value::deserialize(from)?;
        match failure(&value) {
            Some(Value::String(code)) => Ok(Expected::Failure(code.clone())),
            Some(_) => Err(D::Error::custom("a failure is named by its code, as \"unavailable\"")),
            None => Answer::deserialize(&value).map(Expected::Answer).map_err(D::Error::custom),
        }
    }
}

impl Serialize for Expected {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Expected::Answer(answer) => answer.serialize(to),
            Expected::Failure(code) => json!({ "failure": code }).serialize(to),
        }
    }
}

impl Case {
    /// Reads a case of a plugin; says what is wrong and where.
    pub fn read(bytes: &[u8], manifest: &Manifest) -> Result<Case, String> {
        let mut from = serde_json::Deserializer::from_slice(bytes);
        let case: Case = serde_path_to_error::deserialize(&mut from).map_err(|e| {
            let (path, error) = (e.path().to_string(), e.into_inner());
            if path == "." { error.to_string() } else { format!("{path}: {error}") }
        })?;
        from.end().map_err(|e| e.to_string())?;
        let function = &case.call.function;
        if case.hook == Hook::Notify {
            if !manifest.events.contains(function) {
                let known = manifest.events.join(", ");
                return Err(format!(
                    "call.function: the manifest has no event {function:?} (known: {known})"
                ));
            }
        } else {
            let known: Vec<&str> = manifest.functions.keys().map(String::as_str).collect();
            let Some(found) = manifest.functions.get(function) else {
                let known = known.join(", ");
                return Err(format!(
                    "call.function: the manifest has no function {function:?} (known: {known})"
                ));
            };
            if found.hook != case.hook {
                return Err(format!("hook: {function} is a function of the hook {}", found.hook.name()));
            }
        }
        manifest.settle(&case.config).map_err(|e| format!("config: {e}"))?;
        let entries: usize = case.kv.iter().map(|(key, value)| key.len() + value.len()).sum();
        if entries as u64 > manifest.asks.kv {
            let most = manifest.asks.kv;
            return Err(format!("kv: {entries} bytes are more than the {most} that the manifest asks for"));
        }
        Ok(case)
    }
}
