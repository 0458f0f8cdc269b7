//! Which amounts are proved to lie on their step, and the error where one that leaves is not (E0420).
//!
//! Runs after all texts are typed: lets first, then outputs in their order, so that working outputs count as on step
//! exactly when everything that they are made of is.
use super::cx::{Cx, LetState};
use super::expr::show_num;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::Span;
use crate::lang::typed::visit::children_mut;
use crate::lang::typed::*;
use std::collections::BTreeSet;

/// What is known of names.
pub(super) struct Steps {
    lets: Vec<Option<bool>>,
    vars: Vec<bool>,
    /// By decision and output; only working outputs can be false.
    outputs: Vec<Vec<bool>>,
    /// Outputs that something looks back at: where that starts is not known, so they must lie on their step.
    looked_back: BTreeSet<(DecisionId, OutputId)>,
}

/// Whether a type has a step at all, itself or in its elements.
fn stepped(ty: &Ty) -> bool {
    match ty {
        Ty::Money | Ty::Unit(_) => true,
        Ty::List(of) | Ty::Set(of) | Ty::Opt(of) => stepped(of),
        _ => false,
    }
}

impl Cx<'_> {
    /// Analyses everything; `order` is all outputs of all decisions, each after what it reads.
    pub fn steps(&mut self, order: &[(DecisionId, OutputId)]) {
        let outputs = self.vocab.decisions.iter().map(|d| vec![true; d.outputs.len()]).collect();
        let looked_back = self.looked_back();
        let mut st = Steps {
            lets: vec![None; self.lets.len()],
            vars: vec![true; self.vars.len()],
            outputs,
            looked_back,
        };
        for &(d, o) in order {
            self.step_output(&mut st, d, o);
        }
        for i in 0..self.lets.len() {
            self.step_let(&mut st, None, LetId(i as u32));
        }
        self.step_rest(&mut st);
    }

    /// The outputs inside `previous(…)`.
    fn looked_back(&self) -> BTreeSet<(DecisionId, OutputId)> {
        let mut found = BTreeSet::new();
        let mut look = |d: DecisionId, e: &Expr| {
            visit::all(e, &mut |e| {
                if let ExprKind::Previous { of, .. } = &e.kind {
                    visit::all(of, &mut |e| {
                        if let ExprKind::OutputOf(o, _) = &e.kind {
                            found.insert((d, *o));
                        }
                    });
                }
            });
        };
        for rule in &self.rules {
            let decides = self.mods.get(rule.module).and_then(|m| m.decides);
            let (Some(d), Some(typed)) = (decides, &rule.typed) else { continue };
            typed.effects.iter().for_each(|e| look(d, &e.value));
        }
        for (d, decision) in self.vocab.decisions.iter().enumerate() {
            for output in &decision.outputs {
                if let Fallback::Else(e) = &output.fallback {
                    look(DecisionId(d as u32), e);
                }
            }
        }
        found
    }

    fn step_let(&mut self, st: &mut Steps, d: Option<DecisionId>, id: LetId) -> bool {
        match st.lets.get(id.ix()) {
            Some(Some(known)) => return *known,
            Some(None) => {}
            None => return true,
        }
        let Some(decl) = self.lets.get_mut(id.ix()) else { return true };
        let d = self.mods.get(decl.module).and_then(|m| m.decides).or(d);
        let LetState::Done(mut value) = std::mem::replace(&mut decl.state, LetState::Running) else {
            return true;
        };
        if let Some(k) = st.lets.get_mut(id.ix()) {
            *k = Some(true);
        }
        self.step(st, d, &mut value);
        let on = value.on_step;
        if let Some(decl) = self.lets.get_mut(id.ix()) {
            decl.state = LetState::Done(value);
        }
        if let Some(k) = st.lets.get_mut(id.ix()) {
            *k = Some(on);
        }
        on
    }

    /// Analyses everything that makes one output, and demands the step of what is returned.
    fn step_output(&mut self, st: &mut Steps, d: DecisionId, o: OutputId) {
        let Some(def) = self.output(d, o) else { return };
        let working = def.working && !st.looked_back.contains(&(d, o));
        let (name, ty) = (def.name.clone(), def.ty.clone());
        let mut all_on = true;
        let (guard, fallback) = (def.guard.clone(), def.fallback.clone());
        let mut fallback = match fallback {
            Fallback::Else(e) => Some(e),
            _ => None,
        };
        let mut guard = guard;
        for e in guard.iter_mut().chain(fallback.iter_mut()) {
            self.step(st, Some(d), e);
        }
        if let Some(e) = &fallback {
            all_on &= e.on_step;
            if !working {
                self.demand(e, &ty, &name);
            }
        }
        if let Some(def) = self.vocab.decisions.get_mut(d.ix()).and_then(|d| d.outputs.get_mut(o.ix())) {
            def.guard = guard;
            if let Some(e) = fallback {
                def.fallback = Fallback::Else(e);
            }
        }
        for r in 0..self.rules.len() {
            let Some(rule) = self.rules.get_mut(r) else { continue };
            if self.mods.get(rule.module).and_then(|m| m.decides) != Some(d) {
                continue;
            }
            let Some(typed) = &mut rule.typed else { continue };
            if !typed.effects.iter().any(|e| e.output == o) {
                continue;
            }
            let mut each = typed.for_each.take();
            let mut effects = std::mem::take(&mut typed.effects);
            if let Some(f) = &mut each {
                self.step(st, Some(d), &mut f.list);
                if let Some(v) = st.vars.get_mut(f.var.0 as usize) {
                    *v = f.list.on_step;
                }
            }
            for e in effects.iter_mut().filter(|e| e.output == o) {
                self.step(st, Some(d), &mut e.value);
                all_on &= e.value.on_step;
                if !working {
                    self.demand(&e.value, &ty, &name);
                }
            }
            if let Some(typed) = self.rules.get_mut(r).and_then(|r| r.typed.as_mut()) {
                typed.for_each = each;
                typed.effects = effects;
            }
        }
        if let Some(known) = st.outputs.get_mut(d.ix()).and_then(|d| d.get_mut(o.ix())) {
            *known = !working || all_on;
        }
    }

    /// Conditions and heads: nothing is demanded there, but their parts are told.
    fn step_rest(&mut self, st: &mut Steps) {
        for r in 0..self.rules.len() {
            let Some(rule) = self.rules.get_mut(r) else { continue };
            let d = self.mods.get(rule.module).and_then(|m| m.decides);
            let Some(mut typed) = rule.typed.take() else { continue };
            if let Some(f) = &mut typed.for_each {
                self.step(st, d, &mut f.list);
            }
            for e in typed.guard.iter_mut().chain(typed.when.iter_mut()) {
                self.step(st, d, e);
            }
            if let Some(rule) = self.rules.get_mut(r) {
                rule.typed = Some(typed);
            }
        }
        for m in 0..self.mods.len() {
            let Some(module) = self.mods.get_mut(m) else { continue };
            let (d, mut applies) = (module.decides, module.applies.take());
            if let Some(e) = &mut applies {
                self.step(st, d, e);
            }
            if let Some(module) = self.mods.get_mut(m) {
                module.applies = applies;
            }
        }
    }

    fn step(&mut self, st: &mut Steps, d: Option<DecisionId>, e: &mut Expr) {
        // Loop variables learn from their lists before their bodies are looked at.
        match &mut e.kind {
            ExprKind::Comp { var, list, .. }
            | ExprKind::Split { var, list, .. }
            | ExprKind::Share { var, list, .. } => {
                self.step(st, d, list);
                if let Some(v) = st.vars.get_mut(var.0 as usize) {
                    *v = list.on_step;
                }
            }
            _ => {}
        }
        children_mut(e, &mut |c| self.step(st, d, c));
        match &e.kind {
            ExprKind::Record(id, fields) => self.demand_fields(*id, fields),
            ExprKind::Split { amount, .. } | ExprKind::Share { amount, .. } => {
                self.demand(amount, &amount.ty.clone(), "the amount to divide");
            }
            ExprKind::Call { changes, .. } => {
                for (root, value) in changes {
                    let root = self.vocab.roots.get(root.ix()).map(|r| (r.name.clone(), r.ty.clone()));
                    if let Some((name, ty)) = root {
                        self.demand(value, &ty, &name);
                    }
                }
            }
            _ => {}
        }
        if !stepped(&e.ty) {
            e.on_step = true;
            return;
        }
        e.on_step = match &e.kind {
            ExprKind::Const(c) => self.const_on_step(c, &e.ty),
            ExprKind::Root(_)
            | ExprKind::FactCall(..)
            | ExprKind::Field(..)
            | ExprKind::Param(_)
            | ExprKind::Lookup { .. }
            | ExprKind::Fill { .. }
            | ExprKind::Call { .. }
            | ExprKind::Undecided(_)
            | ExprKind::Split { .. }
            | ExprKind::Share { .. } => true,
            ExprKind::Var(v) => st.vars.get(v.0 as usize).copied().unwrap_or(true),
            ExprKind::Let(id) => self.step_let(st, d, *id),
            ExprKind::Output(o) | ExprKind::OutputOf(o, _) => {
                d.and_then(|d| st.outputs.get(d.ix())).and_then(|d| d.get(o.ix())).copied().unwrap_or(true)
            }
            ExprKind::Arith(op, a, b) => {
                let exact = match op {
                    ArithOp::Add | ArithOp::Sub => true,
                    ArithOp::Mul => self.whole(a) || self.whole(b),
                    ArithOp::Div => matches!(b.kind, ExprKind::Undecided(_)),
                };
                exact && a.on_step && b.on_step
            }
            ExprKind::Round { step, .. } => step.as_ref().is_none_or(|s| self.is_multiple(s, &e.ty)),
            ExprKind::Neg(x) | ExprKind::Present(x) | ExprKind::Widen(x) => x.on_step,
            ExprKind::Previous { of, .. } => of.on_step,
            ExprKind::If(_, a, b) | ExprKind::Otherwise(a, b) => a.on_step && b.on_step,
            ExprKind::Comp { body, .. } => body.as_ref().is_none_or(|b| b.on_step),
            ExprKind::Func(_, items) | ExprKind::List(items) | ExprKind::Set(items) => {
                items.iter().all(|i| i.on_step)
            }
            _ => true,
        };
    }

    fn const_on_step(&self, c: &Const, ty: &Ty) -> bool {
        match (c, ty.inner()) {
            (Const::Money(n, c), _) => {
                self.vocab.currencies.get(c.ix()).is_none_or(|d| (n / &d.step).is_integer())
            }
            (Const::Num(n), Ty::Unit(u)) => {
                self.vocab.units.get(u.ix()).is_none_or(|d| (n / &d.step).is_integer())
            }
            _ => true,
        }
    }

    /// Whether a rounding step keeps to the type's own step (for money, to that of every currency).
    fn is_multiple(&self, step: &num_rational::BigRational, ty: &Ty) -> bool {
        match ty.inner() {
            Ty::Money => self.vocab.currencies.iter().all(|c| (step / &c.step).is_integer()),
            Ty::Unit(u) => self.vocab.units.get(u.ix()).is_none_or(|d| (step / &d.step).is_integer()),
            _ => true,
        }
    }

    fn demand_fields(&mut self, id: EntityId, fields: &[Expr]) {
        let Some(def) = self.vocab.entities.get(id.ix()) else { return };
        let named: Vec<(String, Ty)> =
            def.fields.iter().map(|f| (format!("{}.{}", def.name, f.name), f.ty.clone())).collect();
        for ((name, ty), value) in named.iter().zip(fields) {
            self.demand(value, ty, name);
        }
    }

    /// Reports an amount that leaves the rulebook off its step.
    fn demand(&mut self, e: &Expr, ty: &Ty, name: &str) {
        if !stepped(ty) || e.on_step {
            return;
        }
        let whole = e.span;
        let e = self.branch_off_step(e);
        let (cause, why) = self.cause(e);
        let step = match super::expr::element(ty) {
            Ty::Unit(u) => self.vocab.units.get(u.ix()).map(|d| format!("{} {}", show_num(&d.step), d.name)),
            _ => self.vocab.currencies.first().map(|d| format!("{} {}", show_num(&d.step), d.code)),
        };
        let step = step.unwrap_or_else(|| "its step".to_owned());
        let name = if name.starts_with("the ") { name.to_owned() } else { format!("`{name}`") };
        let mut found = Diagnostic::error(
            "E0420",
            e.span,
            format!("{name} counts in steps of {step}, but {why} gives fractions of a step"),
        )
        .help(if e.span == whole {
            "write `… rounded half up` (or `down`, `up`, `half even`) where the rulebook rounds".to_owned()
        } else {
            format!("write `{} rounded half up` (or `down`, `up`, `half even`) here", self.text(e.span))
        });
        if cause != e.span {
            found = found.note(cause, "here");
        }
        self.push(found);
    }

    /// The one argument or branch that is not on its step, if only one is: that is where to round.
    fn branch_off_step<'e>(&self, e: &'e Expr) -> &'e Expr {
        let branches: Vec<&Expr> = match &e.kind {
            ExprKind::Func(Func::Min | Func::Max | Func::Abs, items) => items.iter().collect(),
            ExprKind::If(_, a, b) | ExprKind::Otherwise(a, b) => vec![a, b],
            _ => return e,
        };
        let mut off = branches.into_iter().filter(|b| !b.on_step);
        match (off.next(), off.next()) {
            (Some(one), None) => self.branch_off_step(one),
            _ => e,
        }
    }

    /// Whether a number is surely a whole one, so that so many times an amount on its step is on it, too.
    fn whole(&self, e: &Expr) -> bool {
        let integer = |n: &num_rational::BigRational| n.is_integer();
        match &e.kind {
            _ if e.ty == Ty::Int => true,
            _ if e.ty != Ty::Dec => false,
            ExprKind::Const(Const::Num(n)) => integer(n),
            ExprKind::Round { step: Some(step), .. } => integer(step),
            ExprKind::Widen(_) => true,
            ExprKind::Neg(x) | ExprKind::Present(x) => self.whole(x),
            ExprKind::Arith(ArithOp::Add | ArithOp::Sub | ArithOp::Mul, a, b) | ExprKind::If(_, a, b) => {
                self.whole(a) && self.whole(b)
            }
            ExprKind::Func(Func::Min | Func::Max | Func::Abs, items) => items.iter().all(|i| self.whole(i)),
            ExprKind::Let(id) => match self.lets.get(id.ix()).map(|l| &l.state) {
                Some(LetState::Done(value)) => self.whole(value),
                _ => false,
            },
            _ => false,
        }
    }

    /// The innermost place where the step is lost.
    fn cause(&self, e: &Expr) -> (Span, String) {
        let mut inner = None;
        visit::children(e, &mut |c| {
            if inner.is_none() && stepped(&c.ty) && !c.on_step {
                inner = Some(c);
            }
        });
        if let Some(c) = inner {
            return self.cause(c);
        }
        let why = match &e.kind {
            ExprKind::Arith(ArithOp::Mul, a, b) => {
                let factor = if stepped(&a.ty) { b } else { a };
                if matches!(factor.ty, Ty::Rate(..)) || matches!(a.ty, Ty::Rate(..)) {
                    "converting by a rate".to_owned()
                } else if self.text(factor.span).contains(['%', '折']) {
                    "multiplying by a percentage".to_owned()
                } else {
                    "multiplying by a number with decimals".to_owned()
                }
            }
            ExprKind::Arith(ArithOp::Div, ..) => "dividing".to_owned(),
            ExprKind::Round { .. } => "rounding to a finer step".to_owned(),
            ExprKind::Const(_) => "this amount".to_owned(),
            ExprKind::Output(_) | ExprKind::OutputOf(..) | ExprKind::Let(_) => {
                format!("`{}`, which is not rounded,", self.text(e.span))
            }
            _ => "this".to_owned(),
        };
        (e.span, why)
    }
}
