//! Which rules, tables, parameters and definitions of a decision differ in their text, and which facts they read: there
//! the search looks first.
use crate::cases::Reach;
use crate::lang::typed::*;
use crate::program::explain::print::Printer;
use crate::program::link::Linked;
use std::collections::{BTreeMap, BTreeSet};

/// Every element of a decision in a store's program by its name, as text that does not depend on numbering.
pub(super) fn elements(linked: &Linked, decision: DecisionId) -> BTreeMap<String, String> {
    let book = &*linked.rulebook;
    let say = |e: &Expr| Printer { book, decision }.print(e);
    let path = |id: PolicyId| book.policies.get(id.ix()).map_or("", |p| p.path.as_str());
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |name: String, text: String| {
        // Versions of one policy share their names.
        found.entry(name).or_default().push_str(&text);
    };
    for (i, p) in book.policies.iter().enumerate() {
        let part = linked.has_policy(PolicyId(i as u32));
        if part && (p.decides.is_none() || p.decides == Some(decision)) {
            let parts: Vec<String> = p.governed_by.iter().chain(&p.applies_when).map(say).collect();
            add(format!("policy {}", p.path), format!("{:?} {} {parts:?};", p.dates, p.layer.rank));
        }
    }
    let reach = Reach::of(book, decision);
    for linked_rule in linked.rules(decision) {
        let Some(rule) = book.rules.get(linked_rule.rule.ix()) else { continue };
        let names = |rules: &[RuleId]| rules.iter().map(|r| book.rule_id(*r)).collect::<Vec<_>>();
        let overrides: Vec<_> = rule.overrides.iter().map(|o| (names(&o.rules), o.output)).collect();
        let effects: Vec<_> = rule.effects.iter().map(|e| (e.output, e.op, say(&e.value))).collect();
        let when = rule.when.as_ref().map(say);
        let each = rule.for_each.as_ref().map(|f| say(&f.list));
        let text = format!(
            "{:?} {when:?} {each:?} {effects:?} {overrides:?} {:?} {};",
            rule.dates,
            names(&rule.replaces),
            rule.binding
        );
        add(format!("rule {}", book.rule_id(linked_rule.rule)), text);
    }
    for l in reach.lets.iter().filter_map(|l| book.lets.get(l.ix())).filter(|l| linked.has_policy(l.policy)) {
        add(format!("definition {}.{}", path(l.policy), l.name), format!("{};", say(&l.value)));
    }
    for p in reach.params.iter().filter_map(|p| book.params.get(p.ix())) {
        let values = |values: &[DatedValue]| {
            values.iter().map(|v| (format!("{:?}", v.dates), say(&v.value))).collect::<Vec<_>>()
        };
        let set: Vec<_> = linked.settings(p).iter().map(|s| (path(s.policy), values(&s.values))).collect();
        add(format!("parameter {}.{}", path(p.policy), p.name), format!("{:?} {set:?};", values(&p.values)));
    }
    for t in reach.tables.iter().filter_map(|t| book.tables.get(t.ix())) {
        let blocks = linked.blocks(t).into_iter().map(|(_, block)| {
            let rows = block.rows.iter().map(|r| format!("{:?} {:?} {:?}", r.dates, r.tests, r.results));
            (path(block.policy).to_owned(), rows.collect::<Vec<_>>())
        });
        let text = format!("{:?} {:?};", t.hit, blocks.collect::<Vec<_>>());
        add(format!("table {}.{}", path(t.policy), t.name), text);
    }
    found
}

/// The names of what differs.
pub(super) fn changed(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> BTreeSet<String> {
    let names = old.keys().chain(new.keys());
    names.filter(|n| old.get(*n) != new.get(*n)).cloned().collect()
}

/// The facts, `entity.field` or a root's name, that the changed elements read, or the rules that use them.
pub(super) fn near(linked: &Linked, decision: DecisionId, changed: &BTreeSet<String>) -> BTreeSet<String> {
    let book = &*linked.rulebook;
    let path = |id: PolicyId| book.policies.get(id.ix()).map_or("", |p| p.path.as_str());
    let mut all = Reach::default();
    for linked_rule in linked.rules(decision) {
        let Some(rule) = book.rules.get(linked_rule.rule.ix()) else { continue };
        let mut reach = Reach::default();
        let parts = rule.when.iter().chain(rule.for_each.iter().map(|f| &f.list));
        for e in parts.chain(rule.effects.iter().map(|e| &e.value)) {
            reach.expr(book, e);
        }
        let named = |kind: &str, policy: PolicyId, name: &str| {
            changed.contains(&format!("{kind} {}.{name}", path(policy)))
        };
        let uses = changed.contains(&format!("rule {}", book.rule_id(linked_rule.rule)))
            || changed.contains(&format!("policy {}", path(rule.policy)))
            || reach
                .lets
                .iter()
                .filter_map(|l| book.lets.get(l.ix()))
                .any(|l| named("definition", l.policy, &l.name))
            || reach
                .params
                .iter()
                .filter_map(|p| book.params.get(p.ix()))
                .any(|p| named("parameter", p.policy, &p.name))
            || reach
                .tables
                .iter()
                .filter_map(|t| book.tables.get(t.ix()))
                .any(|t| named("table", t.policy, &t.name));
        if uses {
            all.roots.extend(&reach.roots);
            all.fields.extend(&reach.fields);
            all.calls.extend(&reach.calls);
        }
    }
    let vocab = &book.vocab;
    let fields = all.fields.iter().filter_map(|(e, f)| {
        let entity = vocab.entities.get(e.ix())?;
        Some(format!("{}.{}", entity.name, entity.fields.get(*f as usize)?.name))
    });
    let roots = all.roots.iter().filter_map(|r| vocab.roots.get(r.ix())).map(|r| r.name.clone());
    let calls = all.calls.iter().filter_map(|c| vocab.fact_calls.get(c.ix())).map(|c| c.name.clone());
    fields.chain(roots).chain(calls).collect()
}
