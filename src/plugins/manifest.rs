//! `plugin.toml`: what a plugin is, which hooks it has, and what it asks for. The operator grants; the manifest never does.
mod check;
mod words;

pub use check::{Flaw, Flaws};
pub use words::{KINDS, Version, is_path, is_word};

use crate::plugins::contract::Hook;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A whole manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `vendor.name`, lower-case words with `_`: the name that a vocabulary uses.
    pub id: String,
    /// Semantic version, `1.2.0`.
    pub version: String,
    /// The contract's version, `0.1`.
    pub api: String,
    pub title: String,
    /// What it was written in, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Where its source is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What it answers, by hook. A hook without an entry is not called.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub functions: BTreeMap<String, Function>,
    /// Kinds of events that it delivers: `member.enrolled`, `sale.recorded`; the hook `notify`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Settings that the operator gives.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, Setting>,
    #[serde(default)]
    pub asks: Asks,
    #[serde(default)]
    pub wishes: Wishes,
}

/// A function that a vocabulary may declare: `from plugin vendor.name.FUNCTION`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// `facts`, `check` or `quote`.
    pub hook: Hook,
    /// Arguments in order, each `name: kind`; the kind is a case of the contract's `value`.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// The case of `value` that it answers; `money` for a quote, `word` (allow, deny, refer) for a check.
    pub answers: String,
    /// Facts that it reads, by path: `member.tier`, `recent_returns`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
}

/// A setting of the plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// `text`, `whole`, `decimal`, `truth` or `money` (`12.50 CNY`).
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// For the operator.
    #[serde(default)]
    pub help: String,
}

/// What a plugin asks for, and equally what an operator grants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asks {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<HttpGrant>,
    /// Bytes of keys and values; 0: none.
    #[serde(default)]
    pub kv: u64,
}

/// Requests that may be made: exact scheme, host and port; a path prefix; methods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpGrant {
    /// `https`, or `http` where the operator dares.
    pub scheme: String,
    /// A host's name or address, no pattern.
    pub host: String,
    pub port: u16,
    /// Begins and ends with `/`, or is the whole path.
    pub path: String,
    pub methods: Vec<String>,
    /// Secrets that may be put into requests to this host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// The host may resolve to a private, loopback or link-local address. Only an operator can set it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
}

/// What a plugin would like its limits to be; the operator's word holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wishes {
    /// MiB of linear memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u32>,
    /// Milliseconds of a phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<u32>,
    /// Units of fuel of a phase, before what each row of input adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
}
