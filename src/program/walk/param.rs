//! What is in force: policies, dates, and the values of params.
use crate::lang::typed::*;
use crate::program::outcome::Fault;
use crate::program::value::Value;
use crate::program::walk::Walk;
use crate::program::walk::bounds::Mark;
use crate::program::walk::expr::either;
use crate::program::walk::state::{Eval, V, and, apply};
use std::collections::BTreeSet;

impl<'a> Walk<'a> {
    pub(crate) fn policy(&self, id: PolicyId) -> Option<&'a Policy> {
        self.book.policies.get(id.ix())
    }

    /// The governing date of a policy; `None` if it has none.
    pub(crate) fn governing_date(&self, policy: PolicyId) -> Option<Eval<'a>> {
        self.policy(policy)?.governed_by.as_ref().map(|e| self.eval(e, None))
    }

    /// Whether the policy's governing date lies in a range.
    pub(crate) fn on_date(&self, dates: &DateRange, policy: PolicyId) -> Eval<'a> {
        if dates.is_always() {
            return Eval::bool(true);
        }
        let Some(date) = self.governing_date(policy) else { return Eval::bool(true) };
        apply(&[date], |v| match v {
            [V::Plain(Value::Date(day))] => {
                let bounded = |bound: Option<i32>, end: bool| {
                    let Some(bound) = bound else { return true };
                    let (op, holds) =
                        if end { (CmpOp::Lt, *day < bound) } else { (CmpOp::Ge, bound <= *day) };
                    let (day, bound) = (Value::Date(*day), Value::Date(bound));
                    self.bounds.compared(Mark::of_dates(dates, end), op, &day, &bound, holds)
                };
                let (begun, not_over) = (bounded(dates.from, false), bounded(dates.before, true));
                Eval::bool(begun && not_over)
            }
            _ => Eval::bool(false),
        })
    }

    /// Whether a policy is in force: its dates contain its governing date, and `applies when` holds.
    pub(crate) fn in_force(&self, id: PolicyId) -> Eval<'a> {
        self.in_force.get_or(id, || match self.policy(id) {
            None => Eval::bool(false),
            Some(policy) => and(self.on_date(&policy.dates, id), || match &policy.applies_when {
                Some(condition) => self.eval(condition, None),
                None => Eval::bool(true),
            }),
        })
    }

    /// The value of a param: of the most specific setting that is in force, else of the declaration.
    pub(crate) fn param(&self, id: ParamId) -> Eval<'a> {
        self.params.get_or(id, || match self.book.params.get(id.ix()) {
            Some(param) => self.setting(param, &self.linked.settings(param)),
            None => Eval::absent(),
        })
    }

    /// The policy whose `set` gives a param its value; `None` if the declaration does, or if that is not certain.
    pub(crate) fn set_by(&self, param: &'a Param) -> Option<PolicyId> {
        for setting in self.linked.settings(param) {
            match self.in_force(setting.policy) {
                Eval::Is(v) if v.is_true() => {
                    if self.dated(&setting.values, setting.policy).is_some() {
                        return Some(setting.policy);
                    }
                }
                Eval::Is(_) => {}
                _ => return None,
            }
        }
        None
    }

    /// `if the first setting is in force then its value else …the rest`.
    fn setting(&self, param: &'a Param, settings: &[&'a Setting]) -> Eval<'a> {
        let Some((setting, rest)) = settings.split_first() else {
            return self.dated(&param.values, param.policy).unwrap_or_else(|| {
                let policy = self.policy(param.policy).map_or("", |p| p.path.as_str());
                Eval::Faulty(BTreeSet::from([Fault::NoParamValue(format!("{policy}.{}", param.name))]))
            });
        };
        let in_force = self.in_force(setting.policy);
        match &in_force {
            Eval::Is(v) if v.is_true() => {
                self.dated(&setting.values, setting.policy).unwrap_or_else(|| self.setting(param, rest))
            }
            Eval::Is(_) => self.setting(param, rest),
            _ => {
                let set =
                    self.dated(&setting.values, setting.policy).unwrap_or_else(|| self.setting(param, rest));
                either(in_force, [set, self.setting(param, rest)])
            }
        }
    }

    /// The value whose dates contain the policy's governing date; `None` if none do.
    fn dated(&self, values: &'a [DatedValue], policy: PolicyId) -> Option<Eval<'a>> {
        for value in values {
            match self.on_date(&value.dates, policy) {
                Eval::Is(v) if v.is_true() => return Some(self.eval(&value.value, None)),
                Eval::Is(_) => {}
                open => return Some(open.plain_unknown()),
            }
        }
        None
    }
}
