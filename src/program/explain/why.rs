//! Why a rule was not effective: which part of its condition failed, with the values that it saw.
use super::print::{comparison, unwrapped};
use super::{Explainer, NotEffective, Text};
use crate::lang::typed::*;
use crate::program::walk::{Eval, Instance, Scope};
use std::collections::BTreeSet;

/// The elements of one rule that are explained one by one; the rest are counted.
const MAX_ELEMENTS: usize = 50;

/// The longest chain of names that is followed from a condition into the lets that it names.
const MAX_DEPTH: usize = 8;

impl<'a> Explainer<'_, 'a> {
    /// Every rule of the decision that is not certainly effective, for each element where it is not.
    pub(super) fn not_effective(&self) -> Vec<NotEffective> {
        let mut all = Vec::new();
        for position in 0..self.walk.rules().len() {
            let Some((_, rule)) = self.walk.rule(position) else { continue };
            let condition = self.walk.condition(position);
            if condition.instances.is_empty() {
                all.push(self.without_instances(position, rule));
            }
            let mut told = 0;
            for (i, instance) in condition.instances.iter().enumerate() {
                if told == MAX_ELEMENTS {
                    all.push(self.rest(position, condition.instances.len() - i));
                    break;
                }
                let element = instance.item.as_ref().and(Some(i));
                if let Some((reason, text, needs)) = self.instance(position, rule, i, instance) {
                    let by = self.cite(self.id(position));
                    all.push(NotEffective { by, element, reason, text, needs });
                    told += 1;
                }
            }
        }
        all
    }

    /// The elements that are not looked at one by one.
    fn rest(&self, position: usize, count: usize) -> NotEffective {
        let text =
            Text::new(format!("其余 {count} 项未逐一列出"), format!("{count} more elements are not listed"));
        NotEffective {
            by: self.cite(self.id(position)),
            element: None,
            reason: "more",
            text,
            needs: BTreeSet::new(),
        }
    }

    fn id(&self, position: usize) -> RuleId {
        self.walk.rules().get(position).map_or(RuleId(u32::MAX), |r| r.rule)
    }

    fn without_instances(&self, position: usize, rule: &'a Rule) -> NotEffective {
        let by = self.cite(self.id(position));
        let (reason, text) = self.outside(rule).unwrap_or_else(|| match &rule.guard {
            Some(guard) if self.walk.eval(guard, None).is_false() => ("guard", self.why_false(guard, None)),
            _ => {
                let list = rule.for_each.as_ref().map(|f| self.printer.print(&f.list)).unwrap_or_default();
                ("no elements", Text::new(format!("{list} 为空"), format!("{list} is empty")))
            }
        });
        NotEffective { by, element: None, reason, text, needs: BTreeSet::new() }
    }

    /// Why the rule is not in force at all, if it is not.
    fn outside(&self, rule: &'a Rule) -> Option<(&'static str, Text)> {
        let policy = self.walk.policy(rule.policy)?;
        let date = match self.walk.governing_date(rule.policy) {
            Some(state) => self.show(&state, &Ty::Date).text.en,
            None => String::new(),
        };
        let dates = |d: &DateRange| {
            let mut text = String::new();
            if let Some(from) = d.from {
                text.push_str(&format!("from {}", crate::program::literal::date(from)));
            }
            if let Some(before) = d.before {
                let space = if text.is_empty() { "" } else { " " };
                text.push_str(&format!("{space}before {}", crate::program::literal::date(before)));
            }
            text
        };
        if self.walk.on_date(&policy.dates, rule.policy).is_false() {
            let (path, dates) = (&policy.path, dates(&policy.dates));
            return Some((
                "policy",
                Text::new(
                    format!("{path} 在 {date} 不生效({dates})"),
                    format!("{path} is not in force on {date} ({dates})"),
                ),
            ));
        }
        if let Some(condition) = &policy.applies_when
            && self.walk.in_force(rule.policy).is_false()
        {
            return Some(("policy", self.why_false(condition, None)));
        }
        if self.walk.on_date(&rule.dates, rule.policy).is_false() {
            let dates = dates(&rule.dates);
            return Some((
                "dates",
                Text::new(
                    format!("{date} 不在本条期间({dates})"),
                    format!("{date} is outside its dates ({dates})"),
                ),
            ));
        }
        None
    }

    /// Why an instance is not effective for any (or some) output of its rule; `None` if it is for all.
    fn instance(
        &self,
        position: usize,
        rule: &'a Rule,
        i: usize,
        instance: &Instance<'a>,
    ) -> Option<(&'static str, Text, BTreeSet<String>)> {
        let applicable = self.walk.applicable(position, i);
        if applicable.is_false() {
            let (reason, text) = self.outside(rule).unwrap_or_else(|| self.condition_false(rule, instance));
            return Some((reason, text, BTreeSet::new()));
        }
        if !applicable.is_true() {
            let shown = self.show(&applicable, &Ty::Bool);
            return Some(("open", shown.text, shown.needs));
        }
        let outputs: BTreeSet<OutputId> = rule.effects.iter().map(|e| e.output).collect();
        let linked = self.walk.rules().get(position)?;
        for output in outputs {
            let state = self.walk.effective(position, output, i);
            if state.is_true() {
                continue;
            }
            let acts = |by: &&crate::program::link::Overrider| {
                !by.set_aside && !self.walk.overriding(by, output, i).is_false()
            };
            let by = linked.overridden_by.iter().find(acts)?;
            let cited = self.cite(by.rule);
            let clause = cited.clause.map(|c| format!(" §{}", c.trim_start_matches('§'))).unwrap_or_default();
            let named = format!("{}{clause}", cited.rule);
            let whole = by.output.is_none();
            let name = self.walk.outputs_of().get(output.ix()).map_or("", |o| o.name.as_str());
            let of = if whole { String::new() } else { format!(" ({name})") };
            if !state.is_value() {
                let shown = self.show(&state, &Ty::Bool);
                let text = Text::new(
                    format!("可能被 {named} 排除{of}:{}", shown.text.zh),
                    format!("may be overridden by {named}{of}: {}", shown.text.en),
                );
                return Some(("open", text, shown.needs));
            }
            let (reason, text) = if by.replaces {
                ("replaced", Text::new(format!("被 {named} 取代"), format!("replaced by {named}")))
            } else {
                let text = Text::new(format!("被 {named} 排除{of}"), format!("overridden by {named}{of}"));
                ("overridden", text)
            };
            return Some((reason, text, BTreeSet::new()));
        }
        None
    }

    /// The guard or the `when` that failed.
    fn condition_false(&self, rule: &'a Rule, instance: &Instance<'a>) -> (&'static str, Text) {
        self.walk.in_instance(rule, instance.item.as_ref(), |env| {
            if let Some(guard) = &rule.guard
                && self.walk.eval(guard, env).is_false()
            {
                return ("guard", self.why_false(guard, env));
            }
            match &rule.when {
                Some(when) => ("condition", self.why_false(when, env)),
                None => ("condition", Text::default()),
            }
        })
    }

    /// The part of a false condition that made it so.
    pub(super) fn why_false(&self, e: &'a Expr, env: Scope<'_, 'a>) -> Text {
        let text = self.failed(e, env, MAX_DEPTH);
        Text::new(format!("`{text}` 不成立"), format!("`{text}` is false"))
    }

    fn failed(&self, e: &'a Expr, env: Scope<'_, 'a>, depth: usize) -> String {
        match &unwrapped(e).kind {
            ExprKind::And(a, b) => {
                let part = if self.walk.eval(a, env).is_false() { a } else { b };
                self.failed(part, env, depth)
            }
            ExprKind::Or(a, b) => {
                format!("{} or {}", self.failed(a, env, depth), self.failed(b, env, depth))
            }
            ExprKind::Let(id) if depth > 0 => match self.walk.book.lets.get(id.ix()) {
                Some(l) => format!("{}: {}", l.name, self.failed(&l.value, None, depth - 1)),
                None => self.with_value(e, env),
            },
            ExprKind::Not(x) => match &unwrapped(x).kind {
                ExprKind::Is(a, b) => self.pair(a, "is not", b, env),
                ExprKind::IsAbsent(a) => format!("{} is not absent", self.with_value(a, env)),
                ExprKind::In(a, m) => {
                    format!("{} not in {}", self.with_value(a, env), self.printer.membership(m, &a.ty))
                }
                _ => format!("not {}", self.held(x, env, depth)),
            },
            ExprKind::Cmp(op, a, b) => self.pair(a, comparison(*op), b, env),
            ExprKind::Is(a, b) => self.pair(a, "is", b, env),
            ExprKind::IsAbsent(a) => format!("{} is absent", self.with_value(a, env)),
            ExprKind::In(a, m) => {
                format!("{} in {}", self.with_value(a, env), self.printer.membership(m, &a.ty))
            }
            _ => self.with_value(e, env),
        }
    }

    /// A condition that held where it should not have: `not (…)`.
    fn held(&self, e: &'a Expr, env: Scope<'_, 'a>, depth: usize) -> String {
        match &unwrapped(e).kind {
            ExprKind::Or(a, b) => {
                let part = if self.walk.eval(a, env).is_true() { a } else { b };
                self.held(part, env, depth)
            }
            ExprKind::Let(id) if depth > 0 => match self.walk.book.lets.get(id.ix()) {
                Some(l) => self.held(&l.value, None, depth - 1),
                None => self.with_value(e, env),
            },
            ExprKind::Root(_) | ExprKind::Field(..) => self.with_value(e, env),
            _ => format!("({})", self.failed(e, env, depth)),
        }
    }

    fn pair(&self, a: &'a Expr, operator: &str, b: &'a Expr, env: Scope<'_, 'a>) -> String {
        format!("{} {operator} {}", self.with_value(a, env), self.with_value(b, env))
    }

    /// An expression with the value that it had, unless it says it itself.
    fn with_value(&self, e: &'a Expr, env: Scope<'_, 'a>) -> String {
        let text = self.printer.print(e);
        if matches!(unwrapped(e).kind, ExprKind::Const(_)) {
            return text;
        }
        let state: Eval<'a> = self.walk.eval(e, env);
        let value = self.show(&state, &e.ty);
        format!("{text} ({})", value.value.unwrap_or_else(|| value.state.to_owned()))
    }
}
