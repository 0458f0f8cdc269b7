//! A decision read output by output: who contributes, removes, limits and goes before whom, over the merged layers of a
//! store. Authors write by clause and think by question; this is the page by question, as text and as a diagram.
//!
//! Invariants: nothing is evaluated; what is shown is the rulebook's own text wherever there is one; the same rulebook
//! gives the same bytes.
mod build;
mod mermaid;
mod reads;
mod source;
mod svg;
mod svg_layout;
mod text;
mod words;

pub use build::sheet;
pub use mermaid::mermaid;
pub use svg::svg;
pub use text::text;
pub use words::Lang;

use serde::Serialize;

/// A name in both languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Words {
    pub zh: String,
    pub en: String,
}

/// Everything about one decision in one store's program.
#[derive(Debug, Clone, Serialize)]
pub struct Sheet {
    pub decision: String,
    pub label: Words,
    pub store: String,
    /// Other stores that have the very same rules.
    pub also: Vec<String>,
    /// The policies that decide it, most general layer first.
    pub policies: Vec<PolicyLine>,
    /// In the order of the vocabulary, `working` ones included.
    pub outputs: Vec<OutputSheet>,
    /// What the outputs draw on, by name.
    pub tables: Vec<TableSheet>,
    pub params: Vec<ParamSheet>,
    pub definitions: Vec<Definition>,
}

/// A policy that takes part.
#[derive(Debug, Clone, Serialize)]
pub struct PolicyLine {
    pub path: String,
    pub title: Words,
    pub layer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub governed_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applies_when: Option<String>,
    /// How many rules it has.
    pub rules: usize,
}

/// A rule as others speak of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleRef {
    /// `policy.path.rule`.
    pub rule: String,
    pub name: String,
    pub policy: String,
    pub layer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// Lower layers cannot take its effects away.
    pub binding: bool,
}

/// What a rule does to the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// `out = …`
    Sets,
    Adds,
    Removes,
    AtLeast,
    AtMost,
}

/// One effect of a rule on the output.
#[derive(Debug, Clone, Serialize)]
pub struct Statement {
    pub rule: RuleRef,
    pub does: Does,
    /// As written.
    pub value: String,
    /// As written; none: always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_each: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub say: Option<Words>,
}

/// A rule that suppresses others where it takes effect.
#[derive(Debug, Clone, Serialize)]
pub struct Precedence {
    pub by: RuleRef,
    /// Its condition as written; none: always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    pub over: Vec<RuleRef>,
    /// `replaces`: whatever its condition.
    pub replaces: bool,
    /// Written `for` this output; other outputs keep the overridden rules.
    pub only_here: bool,
    /// Whether the rule itself has an effect on this output.
    pub speaks: bool,
}

/// What a binding rule may set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Asides {
    Contribution,
    Removal,
    Limit,
    Override,
}

/// Binding rules, and what does not count against any of them.
#[derive(Debug, Clone, Serialize)]
pub struct SetAside {
    pub by: Vec<RuleRef>,
    pub rules: Vec<RuleRef>,
    pub what: Asides,
    /// The contribution stands all the same where it is kinder.
    pub unless_kinder: bool,
}

/// What the rules of an output draw on, by name.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Reads {
    pub outputs: Vec<String>,
    pub tables: Vec<String>,
    pub params: Vec<String>,
    pub definitions: Vec<String>,
    pub decisions: Vec<String>,
}

/// One output.
#[derive(Debug, Clone, Serialize)]
pub struct OutputSheet {
    pub name: String,
    pub label: Words,
    /// Internal to the decision, never answered.
    pub working: bool,
    /// `each l in lines`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per: Option<String>,
    /// `one max min sum all each`.
    pub mode: &'static str,
    /// How contributions combine, in words.
    pub combines: Words,
    /// What stands if no rule speaks, in words.
    pub fallback: Words,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard: Option<String>,
    /// `higher` or `lower`, where the vocabulary says which is kinder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub better: Option<&'static str>,
    pub contributes: Vec<Statement>,
    pub removes: Vec<Statement>,
    pub limits: Vec<Statement>,
    pub overrides: Vec<Precedence>,
    pub set_aside: Vec<SetAside>,
    pub reads: Reads,
}

/// A table with the rows of all layers.
#[derive(Debug, Clone, Serialize)]
pub struct TableSheet {
    pub name: String,
    /// Its first line as written.
    pub head: String,
    /// In the order in which they are tried.
    pub blocks: Vec<BlockSheet>,
}

/// The rows that one policy gives to a table.
#[derive(Debug, Clone, Serialize)]
pub struct BlockSheet {
    pub policy: String,
    pub layer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// As written, the first few.
    pub rows: Vec<String>,
    /// How many there are in all.
    pub count: usize,
}

/// A parameter with its values, the one that is tried first at the head.
#[derive(Debug, Clone, Serialize)]
pub struct ParamSheet {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    pub values: Vec<ParamValue>,
}

/// A value of a parameter.
#[derive(Debug, Clone, Serialize)]
pub struct ParamValue {
    pub value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<String>,
    pub policy: String,
    pub layer: String,
}

/// A `let`.
#[derive(Debug, Clone, Serialize)]
pub struct Definition {
    pub name: String,
    pub value: String,
}
