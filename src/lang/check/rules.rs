//! Rules: `for each`, the guard that its outputs share, `when`, and effects.
use super::cx::{Cx, Scope, broken_expr};
use super::expr::some_of;
use super::vocab::Word;
use crate::lang::ast;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::index::Symbol;
use crate::lang::near::nearest;
use crate::lang::source::Span;
use crate::lang::typed::*;
use std::sync::Arc;

/// A rule as it is being checked; its index is its [`RuleId`] once all are entered.
pub(super) struct RuleDecl<'a> {
    pub module: usize,
    pub ast: &'a ast::Rule,
    pub typed: Option<TypedRule>,
}

/// What is known of a rule after its text is typed.
pub(super) struct TypedRule {
    pub for_each: Option<ForEach>,
    pub guard: Option<Expr>,
    pub when: Option<Expr>,
    pub effects: Vec<Effect>,
    pub overrides: Vec<Override>,
    pub replaces: Vec<RuleId>,
    pub dates: DateRange,
}

impl<'a> RuleDecl<'a> {
    pub fn new(module: usize, ast: &'a ast::Rule) -> Self {
        RuleDecl { module, ast, typed: None }
    }
}

/// An effect whose output is found.
struct Target<'a> {
    output: OutputId,
    op: EffectOp,
    per_element: bool,
    /// `None`: a bare word, which is its own value.
    value: Option<&'a ast::Expr>,
    word: Option<Expr>,
    span: Span,
}

impl<'a> Cx<'a> {
    /// Numbers rules by policy path and name, and reports two of one name.
    pub fn sort_rules(&mut self) {
        let mods = &self.mods;
        let key = |r: &RuleDecl<'a>| {
            (mods.get(r.module).map(|m| m.path.clone()), r.ast.name.text.clone(), r.module, r.ast.span)
        };
        self.rules.sort_by_key(key);
        let pairs: Vec<(ast::Name, Span)> = self
            .rules
            .iter()
            .zip(self.rules.iter().skip(1))
            .filter(|(a, b)| a.module == b.module && a.ast.name.text == b.ast.name.text)
            .map(|(a, b)| (b.ast.name.clone(), a.ast.name.span))
            .collect();
        for (name, first) in pairs {
            self.push(
                Diagnostic::error("E0204", name.span, format!("there are two rules named `{}`", name.text))
                    .note(first, "the first one is here")
                    .help("rename one of them; answers name rules, so each needs its own name"),
            );
        }
    }

    /// Types all rules.
    pub fn type_rules(&mut self) {
        for r in 0..self.rules.len() {
            let typed = self.rule(r);
            if let Some(rule) = self.rules.get_mut(r) {
                rule.typed = typed;
            }
        }
    }

    fn rule(&mut self, r: usize) -> Option<TypedRule> {
        let rule = self.rules.get(r)?;
        let (m, ast) = (rule.module, rule.ast);
        let dates = self.range(&ast.dates);
        // Rules of a policy whose decision is not known cannot be checked against it.
        let module = self.mods.get(m).filter(|m| !m.lost)?;
        let Some(d) = module.decides else {
            let path = module.path.clone();
            self.error_help(
                "E0418",
                ast.name.span,
                format!("`{path}` is a library, and libraries have no rules"),
                "put the rule into a policy",
            );
            return None;
        };
        let mut s = Scope { module: Some(m), decision: Some(d), ..Scope::default() };
        if let Some(applies) = self.mods.get(m).and_then(|m| m.applies.clone()) {
            self.assume(&mut s, &applies, true);
        }
        let for_each = ast.each.as_ref().and_then(|each| {
            let (var, list) = self.enter(&mut s, &each.var, &each.list);
            let list = list?;
            let root = match list.kind {
                ExprKind::Root(r) => Some(r),
                _ => None,
            };
            Some(ForEach { var, list, root })
        });
        let targets: Vec<Target<'a>> =
            ast.effects.iter().filter_map(|e| self.target(&s, d, e, for_each.as_ref())).collect();
        if ast.effects.is_empty() && ast.overrides.is_empty() && ast.replaces.is_empty() {
            self.error_help(
                "E0417",
                ast.name.span,
                format!("rule `{}` does nothing", ast.name.text),
                "add `then …`",
            );
        }
        let guard = self.shared_guard(d, &targets, for_each.as_ref());
        if let Some(guard) = &guard {
            self.assume(&mut s, guard, true);
        }
        let when = ast.when.as_ref().map(|w| {
            let when = self.check(&mut s, w, &Ty::Bool, "`when`");
            self.assume(&mut s, &when, true);
            when
        });
        let mut effects: Vec<Effect> = Vec::new();
        for t in targets {
            let value = self.effect_value(&mut s, d, &t);
            let mode = self.output(d, t.output).map(|o| o.mode);
            if mode == Some(Mode::One)
                && t.op == EffectOp::Set
                && effects.iter().any(|e| e.output == t.output && e.op == EffectOp::Set)
            {
                let name = self.output(d, t.output).map(|o| o.name.clone()).unwrap_or_default();
                self.error_help(
                    "E0416",
                    t.span,
                    format!("this rule sets `{name}` twice"),
                    "keep one, or write `if … then … else …`",
                );
            }
            effects.push(Effect {
                output: t.output,
                op: t.op,
                value,
                per_element: t.per_element,
                span: t.span,
            });
        }
        Some(TypedRule { for_each, guard, when, effects, overrides: Vec::new(), replaces: Vec::new(), dates })
    }

    /// The guard of all the rule's outputs, if they have the same, over the rule's own element.
    fn shared_guard(
        &mut self,
        d: DecisionId,
        targets: &[Target<'a>],
        each: Option<&ForEach>,
    ) -> Option<Expr> {
        let mut shared: Option<String> = None;
        let mut guard: Option<Expr> = None;
        for t in targets {
            let key = self.guard_key(d, t.output)?;
            match &shared {
                Some(first) if *first != key => return None,
                Some(_) => {}
                None => {
                    shared = Some(key);
                    let own = self.output(d, t.output).and_then(|o| o.var);
                    let state = self.guards.get(d.ix()).and_then(|g| g.get(t.output.ix()));
                    guard = state.and_then(|s| s.guard.clone());
                    if let (Some(own), Some(each)) = (own, each) {
                        guard = guard.map(|g| visit::rename(g, own, each.var));
                    }
                }
            }
        }
        guard
    }

    fn target(
        &mut self,
        s: &Scope,
        d: DecisionId,
        e: &'a ast::Effect,
        each: Option<&ForEach>,
    ) -> Option<Target<'a>> {
        match &e.kind {
            ast::EffectKind::Word(name) => {
                let (output, word) = self.bare_word(d, name)?;
                Some(Target {
                    output,
                    op: EffectOp::Set,
                    per_element: false,
                    value: None,
                    word: Some(word),
                    span: e.span,
                })
            }
            ast::EffectKind::Output { target, op, value } => {
                let (output, per_element) = self.effect_target(s, d, target, each)?;
                let op = match op {
                    ast::EffectOp::Set => EffectOp::Set,
                    ast::EffectOp::AtLeast => EffectOp::AtLeast,
                    ast::EffectOp::AtMost => EffectOp::AtMost,
                    ast::EffectOp::Add => EffectOp::Add,
                    ast::EffectOp::Remove => EffectOp::Remove,
                };
                self.check_op(d, output, op, target.span)?;
                Some(Target { output, op, per_element, value: Some(value), word: None, span: e.span })
            }
        }
    }

    /// `deny`: of the one single-valued enum output that has the word.
    pub fn bare_word(&mut self, d: DecisionId, name: &ast::Name) -> Option<(OutputId, Expr)> {
        let decision = self.decision(d)?;
        if let Some(o) = decision.outputs.iter().find(|o| o.name == name.text) {
            let out = o.name.clone();
            self.error_help(
                "E0419",
                name.span,
                format!("`{out}` is an output: say what it is to be"),
                format!("write `{out} = …`"),
            );
            return None;
        }
        let words = self.words.get(&name.text).cloned().unwrap_or_default();
        let mut found: Vec<(OutputId, u32, EnumId)> = Vec::new();
        for (i, o) in decision.outputs.iter().enumerate() {
            let single = matches!(o.mode, Mode::One | Mode::Max | Mode::Min) && o.per.is_none();
            for w in &words {
                if let (Word::Member(e, at), Ty::Enum(t)) = (w, &o.ty)
                    && e == t
                    && single
                {
                    found.push((OutputId(i as u32), *at, *e));
                }
            }
        }
        match found.as_slice() {
            [(o, at, e)] => {
                self.means(name.span, Symbol::Member(*e, *at));
                Some((*o, super::expr::constant(Const::Enum(*at), Ty::Enum(*e), name.span)))
            }
            [] => {
                self.no_output_word(d, name);
                None
            }
            many => {
                let names: Vec<String> =
                    many.iter().filter_map(|(o, _, _)| Some(self.output(d, *o)?.name.clone())).collect();
                let first = names.first().cloned().unwrap_or_default();
                self.error_help(
                    "E0419",
                    name.span,
                    format!("`{}` may be meant for {}", name.text, some_of(&names)),
                    format!("write `{first} = {}`", name.text),
                );
                None
            }
        }
    }

    fn no_output_word(&mut self, d: DecisionId, name: &ast::Name) {
        if self.excused(&name.text) || self.broken_words {
            return;
        }
        let Some(decision) = self.decision(d) else { return };
        let mut words = Vec::new();
        let mut outputs = Vec::new();
        for o in &decision.outputs {
            outputs.push(o.name.clone());
            if matches!(o.mode, Mode::One | Mode::Max | Mode::Min) && matches!(o.ty, Ty::Enum(_)) {
                words.extend(self.words_of(&o.ty));
            }
        }
        let collects = decision
            .outputs
            .iter()
            .find(|o| o.mode == Mode::All && self.words_of(&o.ty).contains(&name.text));
        let help = collects.map(|o| format!("write `{} add {{{}}}`", o.name, name.text));
        let near = nearest(&name.text, words.iter().chain(&outputs).map(String::as_str));
        let message = format!("no output of `{}` can be `{}`", decision.name, name.text);
        let near = near.filter(|_| help.is_none());
        let help = help.unwrap_or_else(|| format!("its outputs are {}", some_of(&outputs)));
        self.misspelt("E0419", name.span, message, near, help);
    }

    fn effect_target(
        &mut self,
        s: &Scope,
        d: DecisionId,
        target: &ast::Path,
        each: Option<&ForEach>,
    ) -> Option<(OutputId, bool)> {
        match target.parts.as_slice() {
            [name] => {
                let output = self.find_output(d, name)?;
                if let Some(per) = self.output(d, output).and_then(|o| o.per) {
                    let list = self.vocab.roots.get(per.ix()).map(|r| r.name.clone()).unwrap_or_default();
                    self.error_help(
                        "E0402",
                        name.span,
                        format!("`{}` has a value for each of `{list}`", name.text),
                        format!("write `for each l in {list}` on the rule and `l.{} = …`", name.text),
                    );
                    return None;
                }
                Some((output, false))
            }
            [var, name] => {
                let known = s.vars.iter().rev().find(|(n, _)| *n == var.text).map(|(_, v)| *v);
                if let Some(v) = known {
                    self.means(var.span, Symbol::Var(v));
                } else {
                    self.error_help(
                        "E0402",
                        target.span,
                        format!("`{}` is not the element of this rule's `for each`", var.text),
                        format!("write `for each {} in …` on the rule, or set an output alone", var.text),
                    );
                    return None;
                }
                let output = self.find_output(d, name)?;
                let Some(per) = self.output(d, output).and_then(|o| o.per) else {
                    self.error_help(
                        "E0402",
                        target.span,
                        format!("`{}` has one value, not one for each element", name.text),
                        format!("write `{} = …`, or declare it as `{} each l in …`", name.text, name.text),
                    );
                    return None;
                };
                let each = each?;
                if each.root != Some(per) {
                    let list = self.vocab.roots.get(per.ix()).map(|r| r.name.clone()).unwrap_or_default();
                    self.error_help(
                        "E0402",
                        target.span,
                        format!(
                            "`{}` has a value for each of `{list}`, but the rule runs over another list",
                            name.text
                        ),
                        format!("write `for each {} in {list}` and put the rest into `when`", var.text),
                    );
                    return None;
                }
                Some((output, true))
            }
            _ => {
                self.error_help(
                    "E0208",
                    target.span,
                    format!("`{}` is not an output", target.text()),
                    "an effect names an output, or `l.output` for the element of `for each`",
                );
                None
            }
        }
    }

    /// An output by name, or a finding.
    pub fn find_output(&mut self, d: DecisionId, name: &ast::Name) -> Option<OutputId> {
        if let Some(o) = self.output_by_name(d, &name.text) {
            self.means(name.span, Symbol::Output(d, o));
            return Some(o);
        }
        if self.excused(&name.text) {
            return None;
        }
        let decision = self.decision(d)?;
        let names: Vec<String> = decision.outputs.iter().map(|o| o.name.clone()).collect();
        let near = nearest(&name.text, names.iter().map(String::as_str));
        let message = format!("`{}` has no output `{}`", decision.name, name.text);
        self.misspelt("E0208", name.span, message, near, format!("it has {}", some_of(&names)));
        None
    }

    fn check_op(&mut self, d: DecisionId, o: OutputId, op: EffectOp, span: Span) -> Option<()> {
        let out = self.output(d, o)?;
        let (name, mode, ty) = (out.name.clone(), out.mode, out.ty.clone());
        let many = matches!(mode, Mode::All | Mode::Each);
        let (message, help) = match op {
            EffectOp::AtLeast | EffectOp::AtMost if many => (
                format!("`{name}` collects several values, so it has no least and most"),
                "write `add` or `remove`".to_owned(),
            ),
            EffectOp::AtLeast | EffectOp::AtMost if !self.is_ordered(&ty) && ty != Ty::Never => (
                format!("`{name}` has no order, so nothing is at least or at most"),
                format!("write `{name} = …`"),
            ),
            EffectOp::Add if !many => {
                (format!("`{name}` has one value; nothing can be added to it"), format!("write `{name} = …`"))
            }
            EffectOp::Remove if mode != Mode::All => (
                format!("nothing can be removed from `{name}`"),
                "`remove` is for outputs declared with `all`; others can be overridden".to_owned(),
            ),
            EffectOp::Set if mode == Mode::Each => {
                (format!("`{name}` collects records"), format!("write `{name} add …`"))
            }
            _ => return Some(()),
        };
        self.error_help("E0402", span, message, help);
        None
    }

    fn effect_value(&mut self, s: &mut Scope, d: DecisionId, t: &Target<'a>) -> Expr {
        if let Some(word) = &t.word {
            return word.clone();
        }
        let (Some(value), Some(out)) = (t.value, self.output(d, t.output)) else {
            return broken_expr(t.span);
        };
        let (name, mode, ty) = (format!("`{}`", out.name), out.mode, out.ty.clone());
        if mode != Mode::All {
            return self.check(s, value, &ty, &name);
        }
        let set = Ty::Set(Arc::new(ty.clone()));
        let hint = if t.op == EffectOp::Set { &set } else { &ty };
        let e = self.lower(s, value, Some(hint));
        match &e.ty {
            Ty::Set(of) | Ty::List(of) if **of == ty => e,
            Ty::Set(of) | Ty::List(of) if **of == Ty::Never => Expr { ty: set, ..e },
            _ if t.op == EffectOp::Set => self.coerce(e, &set, &name),
            _ => self.coerce(e, &ty, &name),
        }
    }
}
