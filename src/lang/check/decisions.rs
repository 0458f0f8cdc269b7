//! Facts, and decisions with their outputs; guards and fallbacks are typed when first read.
use super::cx::{Cx, GuardState, Scope, label};
use super::vocab::{OutSyn, TypeName};
use crate::lang::ast;
use crate::lang::index::Symbol;
use crate::lang::near::nearest;
use crate::lang::typed::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a fact's value comes from; what stands after `from plugin` is typed when all facts are known.
pub(super) fn source(s: &ast::FactSource) -> Source {
    match s {
        ast::FactSource::Request => Source::Request,
        ast::FactSource::Records => Source::Records,
        ast::FactSource::Desk => Source::Desk,
        ast::FactSource::Plugin(written) => Source::Plugin(Arc::new(PluginSource {
            plugin: String::new(),
            function: String::new(),
            reads: Vec::new(),
            on_failure: OnFailure::Refer,
            span: written.path.span,
        })),
    }
}

impl<'a> Cx<'a> {
    /// Roots (facts without arguments, and entities that a decision is given) sorted by name; facts with arguments.
    pub fn facts(&mut self, items: &[&'a ast::VocabItem]) {
        let mut roots: BTreeMap<String, RootDef> = BTreeMap::new();
        for item in items {
            let ast::VocabItem::Fact(f) = item else { continue };
            let ty = self.ty(&f.ty);
            let bounds = self.bounds(&f.name, &ty, f.bounds.as_deref());
            let name = f.name.text.clone();
            if f.params.is_empty() {
                let root = RootDef {
                    name: name.clone(),
                    ty,
                    bounds,
                    label: label(&f.labels),
                    source: source(&f.source),
                };
                roots.entry(name).or_insert(root);
                continue;
            }
            if matches!(ty.inner(), Ty::Entity(_) | Ty::List(_) | Ty::Set(_)) {
                let message = format!("`{}` is asked for by values, so it is one value itself", f.name.text);
                let help = "make what it gives a number, an amount, a word, a date or a text; a list is a fact without values in brackets";
                self.error_help("E0303", f.ty.span, message, help);
            }
            let mut params = Vec::new();
            for p in &f.params {
                let ty = self.ty(&p.ty);
                if matches!(ty.inner(), Ty::Entity(_) | Ty::List(_) | Ty::Set(_)) {
                    self.error_help(
                        "E0303",
                        p.ty.span,
                        format!("`{}` cannot be asked for by a list or an entity", f.name.text),
                        "use a simple value, such as a code or a year",
                    );
                }
                params.push((p.name.text.clone(), ty));
            }
            if !self.vocab.fact_calls.iter().any(|c| c.name == name) {
                let label = label(&f.labels);
                self.vocab.fact_calls.push(FactCallDef {
                    name,
                    params,
                    ty,
                    bounds,
                    label,
                    source: source(&f.source),
                });
            }
        }
        for item in items {
            let ast::VocabItem::Decision(d) = item else { continue };
            for given in &d.given {
                let Some(TypeName::Is(ty @ Ty::Entity(id))) = self.types.get(&given.text) else { continue };
                let Some(def) = self.vocab.entities.get(id.ix()) else { continue };
                if def.record {
                    continue;
                }
                roots.entry(given.text.clone()).or_insert_with(|| RootDef {
                    name: given.text.clone(),
                    ty: ty.clone(),
                    bounds: None,
                    label: def.label.clone(),
                    source: Source::Request,
                });
            }
        }
        // What a decision that could not be read is given is not known: it may be anything.
        if self.input.vocabulary.iter().flat_map(|f| &f.broken).any(|b| b.keyword == "decision") {
            for (i, def) in self.vocab.entities.iter().enumerate().filter(|(_, d)| !d.record) {
                roots.entry(def.name.clone()).or_insert_with(|| RootDef {
                    name: def.name.clone(),
                    ty: Ty::Entity(EntityId(i as u32)),
                    bounds: None,
                    label: def.label.clone(),
                    source: Source::Request,
                });
            }
        }
        self.vocab.roots = roots.into_values().collect();
        self.plugin_facts(items);
    }

    /// Enters decisions with the types of their outputs.
    pub fn decisions(&mut self, items: &[&'a ast::VocabItem]) {
        for item in items {
            let ast::VocabItem::Decision(d) = item else { continue };
            if self.decision_by_name(&d.name.text).is_some() {
                continue;
            }
            let (mut given, mut given_calls) = (Vec::new(), Vec::new());
            for name in &d.given {
                if let Some(root) = self.root_by_name(&name.text) {
                    self.means(name.span, Symbol::Root(root));
                    given.push(root);
                } else if let Some(at) = self.vocab.fact_calls.iter().position(|c| c.name == name.text) {
                    self.means(name.span, Symbol::FactCall(FactCallId(at as u32)));
                    given_calls.push(FactCallId(at as u32));
                } else if !self.excused(&name.text) {
                    self.unknown_given(d, name);
                }
            }
            given.sort_unstable();
            given.dedup();
            given_calls.sort_unstable();
            given_calls.dedup();
            let id = DecisionId(self.vocab.decisions.len() as u32);
            let (mut outputs, mut syns): (Vec<OutputDef>, Vec<OutSyn<'a>>) = (Vec::new(), Vec::new());
            let mut names = rustc_hash::FxHashSet::default();
            for o in &d.outputs {
                if !names.insert(o.name.text.as_str()) {
                    self.error(
                        "E0204",
                        o.name.span,
                        format!("`{}` has two outputs named `{}`", d.name.text, o.name.text),
                    );
                    continue;
                }
                if let Some(root) = self.root_by_name(&o.name.text)
                    && given.contains(&root)
                {
                    self.error_help(
                        "E0204",
                        o.name.span,
                        format!(
                            "`{}` is given to `{}` and cannot be its output, too",
                            o.name.text, d.name.text
                        ),
                        "rename the output",
                    );
                }
                outputs.push(self.output_def(o, &given));
                syns.push(OutSyn { ast: o });
            }
            self.vocab.decisions.push(Decision {
                name: d.name.text.clone(),
                label: label(&d.labels),
                given,
                given_calls,
                order: (0..outputs.len()).map(|i| OutputId(i as u32)).collect(),
                outputs,
            });
            self.guards.push(syns.iter().map(|_| GuardState::default()).collect());
            self.outs.push(syns);
            debug_assert_eq!(id.ix() + 1, self.outs.len());
        }
    }

    fn unknown_given(&mut self, d: &ast::Decision, name: &ast::Name) {
        let facts = self.vocab.fact_calls.iter().map(|c| c.name.as_str());
        let names = self.vocab.entities.iter().filter(|e| !e.record).map(|e| e.name.as_str());
        let roots = self.vocab.roots.iter().map(|r| r.name.as_str());
        let near = nearest(&name.text, facts.chain(names).chain(roots));
        let message =
            format!("`{}` is given `{}`, which is neither an entity nor a fact", d.name.text, name.text);
        let help = format!("declare `entity {0} {{ … }}` or `fact {0}: …`", name.text);
        // An entity is a fact only where a decision is given it: which one this should be is not known.
        self.broken.extend(self.vocab.entities.iter().filter(|e| !e.record).map(|e| e.name.clone()));
        self.misspelt("E0201", name.span, message, near, help);
    }

    fn output_def(&mut self, o: &'a ast::Output, given: &[RootId]) -> OutputDef {
        let ty = self.ty(&o.ty);
        let mode = match o.mode {
            ast::Mode::One => Mode::One,
            ast::Mode::Max => Mode::Max,
            ast::Mode::Min => Mode::Min,
            ast::Mode::Sum => Mode::Sum,
            ast::Mode::All => Mode::All,
            ast::Mode::Each => Mode::Each,
        };
        self.check_mode(o, mode, &ty);
        let better = o.better.map(|b| match b {
            ast::Better::Higher => Better::Higher,
            ast::Better::Lower => Better::Lower,
        });
        if better.is_some() && (!self.is_ordered(&ty) || matches!(mode, Mode::All | Mode::Each)) {
            self.error_help(
                "E0305",
                o.name.span,
                format!("`{}` has no higher and lower, so neither is better", o.name.text),
                "remove `better …`, or use an ordered type",
            );
        }
        let fallback = match (&o.default, mode) {
            (ast::OutputDefault::Unstated, Mode::Sum | Mode::All | Mode::Each) => Fallback::Empty,
            (ast::OutputDefault::Unstated, _) => {
                self.error_help(
                    "E0401",
                    o.name.span,
                    format!("nothing says what `{}` is when no rule sets it", o.name.text),
                    "add `else VALUE`, or `optional` if it may be absent",
                );
                Fallback::Absent
            }
            (ast::OutputDefault::Optional(span), Mode::Sum | Mode::All | Mode::Each) => {
                self.error_help(
                    "E0401",
                    *span,
                    format!("`{}` is zero or empty when no rule adds to it", o.name.text),
                    "remove `optional`; use a guard (`if …`) if it should be absent",
                );
                Fallback::Empty
            }
            (ast::OutputDefault::Optional(_), _) => Fallback::Absent,
            (ast::OutputDefault::Else(e), Mode::Sum | Mode::All | Mode::Each) => {
                self.error_help(
                    "E0401",
                    e.span,
                    format!("`{}` is zero or empty when no rule adds to it", o.name.text),
                    "remove `else …`",
                );
                Fallback::Empty
            }
            // Typed later; until then reading it is not optional.
            (ast::OutputDefault::Else(_), _) => Fallback::Empty,
        };
        let (per, var) = self.per(o, given);
        OutputDef {
            name: o.name.text.clone(),
            label: label(&o.labels),
            working: o.working,
            per,
            var,
            mode,
            ty,
            better,
            guard: None,
            guard_key: None,
            fallback,
        }
    }

    fn check_mode(&mut self, o: &'a ast::Output, mode: Mode, ty: &Ty) {
        let name = &o.name.text;
        let problem = match (mode, ty) {
            (_, Ty::Never) => None,
            (_, Ty::Opt(_)) => {
                Some(("an output's type has no `?`", "write `optional`, or a guard (`if …`), instead"))
            }
            (_, Ty::List(_) | Ty::Set(_)) => Some((
                "an output is not declared as a list or set",
                "use `all T` for a set of values, `each RECORD` for records, or `name each l in lines: …`",
            )),
            (Mode::Each, Ty::Entity(id)) if self.vocab.entities.get(id.ix()).is_some_and(|e| e.record) => {
                None
            }
            (Mode::Each, _) => Some(("`each` collects records", "declare a `record`, or use `all`")),
            (_, Ty::Entity(_)) => Some(("only `each` outputs hold records", "write `each`")),
            (Mode::Max | Mode::Min, t) if !self.is_ordered(t) => Some((
                "there is no highest or lowest of this type",
                "order the enum with `<`, or use `one` or `all`",
            )),
            (Mode::Sum, t) if !t.is_numeric() => {
                Some(("values of this type cannot be added up", "use `one`, `max`, `min` or `all`"))
            }
            _ => None,
        };
        if let Some((what, help)) = problem {
            self.error_help("E0305", o.ty.span, format!("`{name}`: {what}"), help);
        }
    }

    fn per(&mut self, o: &'a ast::Output, given: &[RootId]) -> (Option<RootId>, Option<VarId>) {
        let Some(each) = &o.each else { return (None, None) };
        let name = match &each.list.kind {
            ast::ExprKind::Path(p) => p.single(),
            _ => None,
        };
        let Some(name) = name else {
            self.error_help(
                "E0402",
                each.list.span,
                format!("`{}` needs a list that is a fact", o.name.text),
                "name a fact of type `list of …`",
            );
            return (None, None);
        };
        let root = self.root_by_name(&name.text);
        let ty = root.and_then(|r| self.vocab.roots.get(r.ix())).map(|r| r.ty.clone());
        match (root, ty) {
            (Some(root), Some(Ty::List(of))) => {
                if !given.contains(&root) {
                    self.error_help(
                        "E0210",
                        name.span,
                        format!("`{}` is not given to this decision", name.text),
                        format!("add `{}` to its `given`", name.text),
                    );
                }
                let ty = (*of).clone();
                if let Ty::Entity(id) = &ty
                    && self
                        .vocab
                        .entities
                        .get(id.ix())
                        .is_some_and(|e| e.fields.iter().any(|f| f.name == o.name.text))
                {
                    self.error_help(
                        "E0204",
                        o.name.span,
                        format!("`{}` is a field of `{}` already", o.name.text, name.text),
                        "rename the output",
                    );
                }
                let var = self.new_var(&each.var.text, ty, Some(root), None);
                self.means(name.span, Symbol::Root(root));
                self.declares(each.var.span, Symbol::Var(var));
                (Some(root), Some(var))
            }
            (_, Some(Ty::Never)) => (None, None),
            (None, None) if self.excused(&name.text) => (None, None),
            _ => {
                self.error_help(
                    "E0402",
                    name.span,
                    format!("`{}` is not a fact with a list", name.text),
                    "name a fact of type `list of …`",
                );
                (None, None)
            }
        }
    }

    /// Whether values of the type have an order.
    pub fn is_ordered(&self, ty: &Ty) -> bool {
        match ty {
            Ty::Int
            | Ty::Dec
            | Ty::Money
            | Ty::Unit(_)
            | Ty::Date
            | Ty::DateTime
            | Ty::Period
            | Ty::Duration => true,
            Ty::Enum(e) => self.vocab.enums.get(e.ix()).is_some_and(|e| e.ordered),
            _ => false,
        }
    }

    /// The type of one element of an output when read, whether or not its guard is typed yet.
    pub fn output_value_ty(&self, d: DecisionId, o: OutputId) -> Ty {
        let Some(out) = self.output(d, o) else { return Ty::Never };
        let base = match out.mode {
            Mode::All => Ty::Set(Arc::new(out.ty.clone())),
            Mode::Each => Ty::List(Arc::new(out.ty.clone())),
            _ => out.ty.clone(),
        };
        if base == Ty::Never {
            return base;
        }
        let guarded = self.out_syn(d, o).is_some_and(|s| s.ast.guard.is_some());
        if guarded || matches!(out.fallback, Fallback::Absent) { base.optional() } else { base }
    }

    pub fn out_syn(&self, d: DecisionId, o: OutputId) -> Option<OutSyn<'a>> {
        self.outs.get(d.ix())?.get(o.ix()).copied()
    }

    /// The scope of a decision's own text.
    fn output_scope(&self, d: DecisionId, o: OutputId) -> Scope {
        let mut scope = Scope { decision: Some(d), ..Scope::default() };
        if let Some(var) = self.output(d, o).and_then(|o| o.var)
            && let Some(info) = self.vars.get(var.0 as usize)
        {
            scope.vars.push((info.name.clone(), var));
        }
        scope
    }

    /// Types an output's guard if that has not been done; its canonical text.
    pub fn guard_key(&mut self, d: DecisionId, o: OutputId) -> Option<String> {
        let syn = self.out_syn(d, o)?;
        let guard = syn.ast.guard.as_ref()?;
        let state = self.guards.get_mut(d.ix())?.get_mut(o.ix())?;
        if state.done || state.running {
            return state.key.clone();
        }
        state.running = true;
        let mut scope = self.output_scope(d, o);
        let what = format!("the guard of `{}`", syn.ast.name.text);
        let typed = self.check(&mut scope, guard, &Ty::Bool, &what);
        let own = self.output(d, o).and_then(|o| o.var);
        let key = self.fingerprint(&typed, own);
        let state = self.guards.get_mut(d.ix())?.get_mut(o.ix())?;
        *state = GuardState { running: false, done: true, guard: Some(typed), key: Some(key.clone()) };
        Some(key)
    }

    /// Types all guards and fallbacks and numbers equal guards.
    pub fn finish_outputs(&mut self) {
        for d in 0..self.vocab.decisions.len() {
            let d = DecisionId(d as u32);
            let mut keys: Vec<(String, Option<RootId>)> = Vec::new();
            for o in 0..self.outs.get(d.ix()).map_or(0, Vec::len) {
                let o = OutputId(o as u32);
                let key = self.guard_key(d, o);
                let Some(syn) = self.out_syn(d, o) else { continue };
                let fallback = match (&syn.ast.default, self.output(d, o).map(|o| (o.mode, o.ty.clone()))) {
                    (ast::OutputDefault::Else(e), Some((Mode::One | Mode::Max | Mode::Min, ty))) => {
                        let mut scope = self.output_scope(d, o);
                        // The fallback is read only where the guard holds.
                        if let Some(guard) = self.guard_of(d, o) {
                            self.assume(&mut scope, &guard, true);
                        }
                        Some(self.check(&mut scope, e, &ty, &format!("`{}`", syn.ast.name.text)))
                    }
                    _ => None,
                };
                let guard = self.guard_of(d, o);
                let number = key.map(|k| {
                    let k = (k, self.output(d, o).and_then(|o| o.per));
                    let at = keys.iter().position(|x| *x == k).unwrap_or_else(|| {
                        keys.push(k);
                        keys.len() - 1
                    });
                    at as u32
                });
                let Some(out) = self.vocab.decisions.get_mut(d.ix()).and_then(|d| d.outputs.get_mut(o.ix()))
                else {
                    continue;
                };
                if let Some(e) = fallback {
                    out.fallback = Fallback::Else(e);
                }
                out.guard = guard;
                out.guard_key = number;
            }
        }
    }

    fn guard_of(&self, d: DecisionId, o: OutputId) -> Option<Expr> {
        self.guards.get(d.ix())?.get(o.ix())?.guard.clone()
    }
}
