//! Rules that take effect again because the rule that overrides them is itself overridden.
use crate::analysis::goal::{Goal, Part};
use crate::analysis::rules::{Decision, Verdict, at, called};
use crate::lang::diagnostic::Diagnostic;
use crate::lang::typed::*;
use crate::program::link::{Linked, Overrider};
use std::collections::BTreeSet;

/// `top` overrides `middle`, which overrides `revived`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Chain {
    revived: RuleId,
    middle: RuleId,
    top: RuleId,
    output: OutputId,
}

pub(super) fn check(decision: &mut Decision<'_>, found: &mut Vec<Diagnostic>) {
    let mut told: BTreeSet<[RuleId; 3]> = BTreeSet::new();
    for chain in chains(decision) {
        let three = [chain.revived, chain.middle, chain.top];
        if told.contains(&three) {
            continue;
        }
        let of = decision.id;
        let Verdict::Shown(shown) = decision.ask(&three, |linked, at| goal(linked, of, at, chain)) else {
            // What is not known to be revived is no finding: nothing is wrong with a chain of overrides as such.
            continue;
        };
        told.insert(three);
        let facts = decision.say(&shown, |linked| {
            let position = |r: RuleId| linked.rules(of).iter().position(|l| l.rule == r).unwrap_or_default();
            goal(linked, of, &three.map(position), chain).unwrap_or_else(|| Goal::new(of))
        });
        let [revived, middle, top] = three.map(|r| decision.rule(r));
        let (Some(revived), Some(middle), Some(top)) = (revived, middle, top) else { continue };
        let message = format!(
            "with {facts}: rule {} overrides {}, so {}, which that one would override, sets {} again",
            called(top),
            called(middle),
            called(revived),
            decision.output(chain.output)
        );
        found.push(
            Diagnostic::warning("W0615", at(revived), message)
                .note(at(middle), "overridden in this case")
                .note(at(top), "overrides that rule")
                .help(format!(
                    "if {} shall not hold then, write `overrides {}` in rule {}, too",
                    called(revived),
                    revived.name,
                    called(top)
                )),
        );
    }
}

fn chains(decision: &Decision<'_>) -> BTreeSet<Chain> {
    let mut chains = BTreeSet::new();
    for search in &decision.searches {
        let linked = search.program.linked();
        let rules = linked.rules(decision.id);
        let acts = |o: &&Overrider| !o.set_aside && !o.replaces;
        for low in rules {
            for by in low.overridden_by.iter().filter(acts) {
                let Some(middle) = rules.iter().find(|l| l.rule == by.rule) else { continue };
                for over in middle.overridden_by.iter().filter(acts) {
                    let ends = low.overridden_by.iter().any(|o| o.rule == over.rule);
                    let effects = decision.rule(low.rule).map(|r| r.effects.as_slice()).unwrap_or_default();
                    for output in effects.iter().map(|e| e.output) {
                        let fits = |o: &Overrider| o.output.is_none_or(|only| only == output);
                        if !ends && fits(by) && fits(over) && over.rule != low.rule {
                            let (revived, middle, top) = (low.rule, middle.rule, over.rule);
                            chains.insert(Chain { revived, middle, top, output });
                        }
                    }
                }
            }
        }
    }
    chains
}

/// All three apply, the outer two are effective.
fn goal<'p>(linked: &'p Linked, of: DecisionId, positions: &[usize], chain: Chain) -> Option<Goal<'p>> {
    let [revived, middle, top] = positions else { return None };
    let goal =
        Goal::new(of).applies(linked, *top, 0).applies(linked, *middle, 0).applies(linked, *revived, 0);
    let output = chain.output;
    let goal = goal.with(Part::Effective { position: *top, output, instance: 0 });
    Some(goal.with(Part::Effective { position: *revived, output, instance: 0 }))
}
