//! Rules that never apply, and rules that are overridden whenever they do.
use crate::analysis::goal::Goal;
use crate::analysis::rules::{Decision, Verdict, at, called};
use crate::lang::diagnostic::Diagnostic;
use crate::lang::typed::*;
use std::collections::BTreeSet;

pub(super) fn check(decision: &mut Decision<'_>, found: &mut Vec<Diagnostic>) {
    for id in decision.rules() {
        let Some(rule) = decision.rule(id) else { continue };
        match applies(decision, id) {
            Verdict::Shown(_) => overridden(decision, id, rule, found),
            Verdict::Never => {
                let message = format!("rule {} never applies: no facts meet its condition", called(rule));
                found.push(Diagnostic::warning("W0611", at(rule), message).help(
                    "one of its conditions rules another out, or its dates lie outside its policy's: correct the condition, \
                     or remove the rule",
                ));
            }
            Verdict::NotDecided => {
                decision.undecided.insert(format!("whether {} ever applies", called(rule)));
            }
        }
    }
}

fn applies(decision: &mut Decision<'_>, id: RuleId) -> Verdict {
    let of = decision.id;
    decision.ask(&[id], |linked, at| Some(Goal::new(of).applies(linked, *at.first()?, 0)))
}

/// A rule that applies, but for no output is effective.
fn overridden(decision: &mut Decision<'_>, id: RuleId, rule: &Rule, found: &mut Vec<Diagnostic>) {
    let by = decision.linked(id).map(|l| l.overridden_by.as_slice()).unwrap_or_default();
    if by.iter().all(|o| o.set_aside) {
        return;
    }
    let outputs: BTreeSet<OutputId> = rule.effects.iter().map(|e| e.output).collect();
    let of = decision.id;
    let mut decided = true;
    for output in outputs {
        match decision.ask(&[id], |linked, at| Some(Goal::new(of).effective(linked, *at.first()?, output, 0)))
        {
            Verdict::Shown(_) => return,
            Verdict::Never => {}
            Verdict::NotDecided => decided = false,
        }
    }
    if !decided {
        decision.undecided.insert(format!("whether {} is ever effective", called(rule)));
        return;
    }
    let message = format!("rule {} is overridden whenever it applies", called(rule));
    let mut diagnostic = Diagnostic::warning("W0612", at(rule), message)
        .help("narrow the `when` of a rule that overrides it, or remove this rule");
    let overriders: BTreeSet<RuleId> = by.iter().filter(|o| !o.set_aside).map(|o| o.rule).collect();
    for other in overriders.iter().filter_map(|o| decision.rule(*o)) {
        diagnostic = diagnostic.note(at(other), "this rule overrides it");
    }
    found.push(diagnostic);
}
