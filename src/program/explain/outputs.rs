//! Per output: who contributed what, what was clamped, what may still change it.
use super::{Applied, Explainer, OutputWhy, Possible, Text};
use crate::lang::typed::*;
use crate::program::literal::literal;
use crate::program::walk::{Combined, Contribution, OutputResult};
use std::rc::Rc;
use std::sync::Arc;

impl<'a> Explainer<'_, 'a> {
    pub(super) fn outputs(&self, results: &[Rc<OutputResult<'a>>]) -> Vec<OutputWhy> {
        let defs = self.walk.outputs_of();
        let mut all = Vec::new();
        for (def, result) in defs.iter().zip(results) {
            if def.per.is_none() {
                all.extend(result.elements.iter().map(|c| self.output(def, None, c)));
                continue;
            }
            if result.elements.is_empty() {
                all.push(OutputWhy {
                    output: def.name.clone(),
                    element: None,
                    label: Text::of(&def.label, &def.name),
                    is: self.show(&result.state, &Ty::List(Arc::new(def.value_ty()))),
                    guard: None,
                    by_default: true,
                    applied: Vec::new(),
                    possible: Vec::new(),
                });
            }
            all.extend(result.elements.iter().enumerate().map(|(i, c)| self.output(def, Some(i), c)));
        }
        all
    }

    fn output(&self, def: &'a OutputDef, element: Option<usize>, c: &Combined<'a>) -> OutputWhy {
        let contributes = |x: &Contribution| matches!(x.op, EffectOp::Set | EffectOp::Add);
        let decides = |x: &Contribution| match &c.resolved {
            Some(r) if r.because.contains(&x.rule) => {
                // A rule may contribute and clamp: each effect counts by itself where values tell them apart.
                !(contributes(x) && matches!(def.mode, Mode::One | Mode::Max | Mode::Min))
                    || r.combined.as_ref() == Some(&x.value)
            }
            _ => false,
        };
        let applied = c.certain.iter().map(|x| Applied {
            by: self.cite(x.rule),
            effect: effect(x.op),
            value: literal(self.vocab(), &self.effect_ty(def, &x.value), &x.value),
            decides: decides(x),
        });
        let possible = c.maybes.iter().map(|m| Possible {
            by: self.cite(m.rule),
            effect: effect(m.op),
            because: self.show(&m.state, &Ty::Bool),
        });
        let guard = match (&def.guard, c.guard.is_true()) {
            (Some(guard), false) => Some(if c.guard.is_value() {
                self.why_false(guard, None)
            } else {
                self.show(&c.guard, &Ty::Bool).text
            }),
            _ => None,
        };
        OutputWhy {
            output: def.name.clone(),
            element,
            label: Text::of(&def.label, &def.name),
            is: self.show(&c.state, &def.value_ty()),
            guard,
            by_default: c.resolved.as_ref().is_some_and(|r| r.combined.is_none()) && c.state.is_value(),
            applied: applied.collect(),
            possible: possible.collect(),
        }
    }

    /// The type of an effect's value: for `all`, one element or a set of them.
    fn effect_ty(&self, def: &OutputDef, value: &crate::program::value::Value) -> Ty {
        use crate::program::value::Value;
        match value {
            Value::Set(_) => Ty::Set(Arc::new(def.ty.clone())),
            Value::List(_) => Ty::List(Arc::new(def.ty.clone())),
            _ => def.ty.clone(),
        }
    }
}

/// An effect's operator as the language writes it.
fn effect(op: EffectOp) -> &'static str {
    match op {
        EffectOp::Set => "=",
        EffectOp::Add => "add",
        EffectOp::Remove => "remove",
        EffectOp::AtLeast => "at least",
        EffectOp::AtMost => "at most",
    }
}
