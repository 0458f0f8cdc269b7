//! Policies, rules, tables and the whole typed rulebook.
use crate::lang::source::Span;
use crate::lang::typed::expr::*;
use crate::lang::typed::vocab::*;

ids! {
    /// Index into [`Rulebook::policies`].
    PolicyId,
    /// Index into [`Rulebook::rules`]; ids ascend in (policy path, rule name) order.
    RuleId,
    /// Index into [`Rulebook::lets`].
    LetId,
    /// Index into [`Rulebook::params`].
    ParamId,
    /// Index into [`Rulebook::tables`].
    TableId,
}

/// Half-open range of dates, days since 1970-01-01: `from <= d < before`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DateRange {
    pub from: Option<i32>,
    pub before: Option<i32>,
}

impl DateRange {
    /// Whether `day` lies in the range.
    pub fn contains(&self, day: i32) -> bool {
        self.from.is_none_or(|f| f <= day) && self.before.is_none_or(|b| day < b)
    }
    /// Whether it has no bounds.
    pub fn is_always(&self) -> bool {
        self.from.is_none() && self.before.is_none()
    }
}

/// The layer of a policy: its rank in the manifest's order (0 most general) and the name it applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    pub rank: u32,
    pub kind: String,
    pub name: Option<String>,
}

/// A policy or library (a library decides nothing), one version of it.
#[derive(Clone, Debug)]
pub struct Policy {
    pub path: String,
    /// `None`: a library.
    pub decides: Option<DecisionId>,
    pub title: Label,
    pub source: Option<String>,
    pub layer: Layer,
    pub dates: DateRange,
    /// The governing date: a fact of type date. `None` only for libraries without dated content.
    pub governed_by: Option<Expr>,
    pub applies_when: Option<Expr>,
    /// Paths of libraries used and policies extended.
    pub uses: Vec<String>,
    pub extends: Vec<String>,
    /// In name order.
    pub rules: Vec<RuleId>,
    pub span: Span,
}

/// What an effect does to its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectOp {
    /// `=`: a contribution (`one max min sum`); for `all`, every element of a set.
    Set,
    AtLeast,
    AtMost,
    /// One element (`each`), or the elements of a set or list, or one value (`all`).
    Add,
    /// The elements of a set, or one value.
    Remove,
}

/// One effect of a rule.
#[derive(Clone, Debug)]
pub struct Effect {
    pub output: OutputId,
    pub op: EffectOp,
    pub value: Expr,
    /// A per-line output, set for the element of the rule's `for each`.
    pub per_element: bool,
    pub span: Span,
}

/// `overrides a, b` or `overrides a for refund`.
#[derive(Clone, Debug)]
pub struct Override {
    pub rules: Vec<RuleId>,
    /// `None`: for all outputs.
    pub output: Option<OutputId>,
}

/// `for each l in lines`.
#[derive(Clone, Debug)]
pub struct ForEach {
    pub var: VarId,
    pub list: Expr,
    /// Set if the list is a whole root: then per-line outputs over it may be set.
    pub root: Option<RootId>,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    pub policy: PolicyId,
    /// `name` alone; [`Rulebook::rule_id`] gives `policy.path.name`.
    pub name: String,
    pub clause: Option<String>,
    pub group: Option<String>,
    pub binding: bool,
    pub dates: DateRange,
    pub for_each: Option<ForEach>,
    /// The guard shared by all its outputs, see `docs/decisions/0002`.
    pub guard: Option<Expr>,
    pub when: Option<Expr>,
    pub effects: Vec<Effect>,
    pub overrides: Vec<Override>,
    pub replaces: Vec<RuleId>,
    pub say: Label,
    pub span: Span,
}

/// `let until = …`, evaluated at most once per decision.
#[derive(Clone, Debug)]
pub struct Let {
    pub policy: PolicyId,
    pub name: String,
    pub value: Expr,
    pub span: Span,
}

/// A parameter's values by date (constants), of a declaration or of a `set`.
#[derive(Clone, Debug)]
pub struct DatedValue {
    pub dates: DateRange,
    pub value: Expr,
}

/// `set policy.param = …` in a lower layer.
#[derive(Clone, Debug)]
pub struct Setting {
    pub policy: PolicyId,
    pub values: Vec<DatedValue>,
}

/// `param approval_limit: money = 300 CNY`.
#[derive(Clone, Debug)]
pub struct Param {
    pub policy: PolicyId,
    pub name: String,
    pub clause: Option<String>,
    pub ty: Ty,
    pub values: Vec<DatedValue>,
    pub settings: Vec<Setting>,
    pub span: Span,
}

/// Hit policy of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    Unique,
    First,
    Nearest,
    /// The key column that holds thresholds.
    Steps(u32),
    Collect(Collect),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collect {
    Sum,
    Max,
    Min,
    All,
}

/// A key cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Any,
    Else,
    Absent,
    /// Equal to the value; for a taxonomy, at or below the node; for a steps column, the threshold.
    Value(Const),
    /// Bounds with a flag whether the bound itself belongs to it.
    Interval {
        low: Option<(Const, bool)>,
        high: Option<(Const, bool)>,
    },
    OneOf(Vec<Test>),
}

/// A result cell.
#[derive(Clone, Debug, PartialEq)]
pub enum CellValue {
    Const(Const),
    Undecided(Label),
}

#[derive(Clone, Debug)]
pub struct Row {
    pub tests: Vec<Test>,
    pub results: Vec<CellValue>,
    pub clause: Option<String>,
    pub dates: DateRange,
    pub span: Span,
}

/// Rows added to a table by a policy of a lower layer (or the table's own, for which `policy` is the table's).
#[derive(Clone, Debug)]
pub struct RowBlock {
    pub policy: PolicyId,
    pub clause: Option<String>,
    /// In text order; row numbers in traces count from 1 within their block.
    pub rows: Vec<Row>,
}

/// `table window(c: category, s: season?) -> length: period`.
#[derive(Clone, Debug)]
pub struct Table {
    pub policy: PolicyId,
    pub name: String,
    pub clause: Option<String>,
    pub params: Vec<(String, Ty)>,
    pub results: Vec<(String, Ty)>,
    pub hit: Hit,
    pub own: RowBlock,
    /// Blocks of lower layers, in rulebook order; a program uses those of its policies, greatest rank first.
    pub extra: Vec<RowBlock>,
    pub span: Span,
}

/// All policies of a rulebook, checked. A store's program uses those of its layers.
#[derive(Clone, Debug, Default)]
pub struct Rulebook {
    pub name: String,
    pub vocab: Vocab,
    /// Layer kinds, most general first.
    pub layers: Vec<String>,
    pub policies: Vec<Policy>,
    pub rules: Vec<Rule>,
    pub lets: Vec<Let>,
    pub params: Vec<Param>,
    pub tables: Vec<Table>,
    /// Names of loop variables, by [`VarId`], for explanations.
    pub vars: Vec<String>,
}

impl Rulebook {
    /// The canonical id, `policy.path.rule`.
    pub fn rule_id(&self, rule: RuleId) -> String {
        match self.rules.get(rule.ix()) {
            Some(r) => match self.policies.get(r.policy.ix()) {
                Some(p) => format!("{}.{}", p.path, r.name),
                None => r.name.clone(),
            },
            None => String::new(),
        }
    }
}
