//! One store's program: which policies of the rulebook take part, and who overrides whom among them.
//!
//! Both evaluators read this, so what takes part is decided once.
use crate::lang::typed::*;
use crate::program::facts::{Layout, Symbols};
use std::sync::Arc;

/// How an overrider's elements act on the overridden rule's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Both run over the same root list: element by element.
    SameElement,
    /// The overrider acts on all elements as soon as any of its own is effective.
    Whole,
}

/// A rule that can suppress another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overrider {
    pub rule: RuleId,
    /// `None`: for every output.
    pub output: Option<OutputId>,
    /// `replaces`: acts while the rule's policy and dates are in force, whatever its `when`.
    pub replaces: bool,
    pub reach: Reach,
    /// The overridden rule is binding and of a more general layer: the override does nothing but is reported.
    pub set_aside: bool,
}

/// A rule as it takes part in a store's program.
#[derive(Clone, Debug)]
pub struct LinkedRule {
    pub rule: RuleId,
    /// The layer's rank, 0 most general.
    pub rank: u32,
    /// Sorted by rule.
    pub overridden_by: Vec<Overrider>,
}

/// The rules that decide one decision in a store, in rule order.
#[derive(Clone, Debug, Default)]
pub struct LinkedDecision {
    pub rules: Vec<LinkedRule>,
    /// Whether something in it reads `previous(…)`.
    pub looks_back: bool,
}

/// A store's program before it is compiled.
#[derive(Clone, Debug)]
pub struct Linked {
    pub rulebook: Arc<Rulebook>,
    pub layout: Arc<Layout>,
    pub symbols: Arc<Symbols>,
    /// By [`PolicyId`]: whether the policy takes part.
    pub takes_part: Vec<bool>,
    /// By [`DecisionId`].
    pub decisions: Vec<LinkedDecision>,
    pub zone: chrono_tz::Tz,
    /// When the business day starts, seconds after local midnight.
    pub business_day_start: u32,
    /// SHA-256 over the language version and every file, hex.
    pub digest: String,
}

impl Linked {
    /// Link the policies that `takes_part` names.
    pub fn new(
        rulebook: Arc<Rulebook>,
        layout: Arc<Layout>,
        symbols: Arc<Symbols>,
        takes_part: Vec<bool>,
        zone: chrono_tz::Tz,
        business_day_start: u32,
        digest: String,
    ) -> Linked {
        let decisions = (0..rulebook.vocab.decisions.len())
            .map(|d| link_decision(&rulebook, &takes_part, DecisionId(d as u32)))
            .collect();
        Linked { rulebook, layout, symbols, takes_part, decisions, zone, business_day_start, digest }
    }

    /// The rules of a decision, in rule order.
    pub fn rules(&self, decision: DecisionId) -> &[LinkedRule] {
        self.decisions.get(decision.ix()).map(|d| d.rules.as_slice()).unwrap_or_default()
    }
    /// Whether rules or outputs of a decision look back along their lists (`previous`), so that its per-line outputs may need
    /// each other's earlier elements.
    pub fn looks_back(&self, decision: DecisionId) -> bool {
        self.decisions.get(decision.ix()).is_some_and(|d| d.looks_back)
    }
    /// Whether a policy takes part.
    pub fn has_policy(&self, policy: PolicyId) -> bool {
        self.takes_part.get(policy.ix()).copied().unwrap_or(false)
    }
    /// The blocks of a table's rows in the order in which they are tried, with their block numbers (0 the table's own):
    /// layers' rows first, most specific layer first.
    pub fn blocks<'a>(&self, table: &'a Table) -> Vec<(u32, &'a RowBlock)> {
        let rank = |p: PolicyId| self.rulebook.policies.get(p.ix()).map_or(0, |p| p.layer.rank);
        let mut blocks: Vec<(u32, &RowBlock)> = table
            .extra
            .iter()
            .enumerate()
            .filter(|(_, b)| self.has_policy(b.policy))
            .map(|(i, b)| (i as u32 + 1, b))
            .collect();
        blocks.sort_by_key(|(i, b)| (std::cmp::Reverse(rank(b.policy)), *i));
        blocks.push((0, &table.own));
        blocks
    }
    /// The settings of a param in this program, most specific layer first.
    pub fn settings<'a>(&self, param: &'a Param) -> Vec<&'a Setting> {
        let rank = |p: PolicyId| self.rulebook.policies.get(p.ix()).map_or(0, |p| p.layer.rank);
        let mut settings: Vec<&Setting> =
            param.settings.iter().filter(|s| self.has_policy(s.policy)).collect();
        settings.sort_by_key(|s| std::cmp::Reverse(rank(s.policy)));
        settings
    }
}

fn link_decision(book: &Rulebook, takes_part: &[bool], decision: DecisionId) -> LinkedDecision {
    let part = |r: &Rule| {
        takes_part.get(r.policy.ix()).copied().unwrap_or(false)
            && book.policies.get(r.policy.ix()).is_some_and(|p| p.decides == Some(decision))
    };
    let rank = |r: &Rule| book.policies.get(r.policy.ix()).map_or(0, |p| p.layer.rank);
    let members: Vec<(RuleId, &Rule)> =
        book.rules.iter().enumerate().map(|(i, r)| (RuleId(i as u32), r)).filter(|(_, r)| part(r)).collect();
    let rules = members
        .iter()
        .map(|&(id, rule)| {
            let mut overridden_by = Vec::new();
            for &(by, other) in members.iter().filter(|&&(by, _)| by != id) {
                let named =
                    other.overrides.iter().filter(|o| o.rules.contains(&id)).map(|o| (o.output, false));
                let replaced = other.replaces.contains(&id).then_some((None, true));
                for (output, replaces) in named.chain(replaced) {
                    overridden_by.push(Overrider {
                        rule: by,
                        output,
                        replaces,
                        reach: reach(other, rule),
                        set_aside: rule.binding && rank(other) > rank(rule),
                    });
                }
            }
            LinkedRule { rule: id, rank: rank(rule), overridden_by }
        })
        .collect();
    let outputs = book.vocab.decisions.get(decision.ix()).map(|d| d.outputs.as_slice()).unwrap_or_default();
    let looks_back = members.iter().any(|(_, r)| r.when.iter().chain(&r.guard).any(looks_back))
        || members.iter().flat_map(|(_, r)| &r.effects).any(|e| looks_back(&e.value))
        || outputs.iter().any(|o| {
            o.guard.as_ref().is_some_and(looks_back)
                || matches!(&o.fallback, Fallback::Else(e) if looks_back(e))
        });
    LinkedDecision { rules, looks_back }
}

fn looks_back(e: &Expr) -> bool {
    let mut found = false;
    visit::all(e, &mut |e| found |= matches!(e.kind, ExprKind::Previous { .. }));
    found
}

fn reach(by: &Rule, on: &Rule) -> Reach {
    match (&by.for_each, &on.for_each) {
        (Some(a), Some(b)) if a.root.is_some() && a.root == b.root => Reach::SameElement,
        _ => Reach::Whole,
    }
}
