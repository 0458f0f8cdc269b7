//! Reading a store's program into a sheet.
use crate::lang::source::SourceMap;
use crate::lang::typed::*;
use crate::program::link::Linked;
use crate::rulebook::{Book, Store};
use crate::show::reads::Named;
use crate::show::source::{head, written};
use crate::show::words::{combines, dates, fallback, layer, mode};
use crate::show::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many rows of a table a page shows of one policy.
const ROWS: usize = 12;

/// Everything about a decision in a store.
pub fn sheet(sources: &SourceMap, book: &Book, store: &Store, decision: DecisionId) -> Sheet {
    let linked = &**store.program.linked();
    let also =
        book.stores.iter().filter(|s| s.def.id != store.def.id && Arc::ptr_eq(&s.program, &store.program));
    let also = also.map(|s| s.def.id.clone()).collect();
    let reader = Reader { sources, linked, book: &linked.rulebook, decision };
    let def = reader.book.vocab.decisions.get(decision.ix());
    let defined = def.map(|d| d.outputs.as_slice()).unwrap_or_default();
    let mut named = Named::default();
    let read: Vec<(OutputSheet, Named)> =
        defined.iter().enumerate().map(|(i, o)| reader.output(OutputId(i as u32), o)).collect();
    read.iter().for_each(|(_, n)| named.join(n));
    let names = reader.let_names(&named);
    let outputs = read.into_iter().enumerate().map(|(i, (mut output, n))| {
        output.reads = reader.reads(&n, &names, OutputId(i as u32));
        output
    });
    Sheet {
        decision: def.map(|d| d.name.clone()).unwrap_or_default(),
        label: def.map(|d| Words::of(&d.label, &d.name)).unwrap_or_default(),
        store: store.def.id.clone(),
        also,
        policies: reader.policies(),
        outputs: outputs.collect(),
        tables: named.tables.iter().filter_map(|t| reader.table(*t)).collect(),
        params: named.params.iter().filter_map(|p| reader.param(*p)).collect(),
        definitions: reader.definitions(&named, &names),
    }
}

struct Reader<'a> {
    sources: &'a SourceMap,
    linked: &'a Linked,
    book: &'a Rulebook,
    decision: DecisionId,
}

/// A rule that speaks of an output, or goes before one that does.
type Members<'a> = BTreeMap<RuleId, &'a Rule>;

impl<'a> Reader<'a> {
    fn written(&self, e: &Expr) -> String {
        written(self.sources, e.span)
    }

    fn policy(&self, id: PolicyId) -> Option<&'a Policy> {
        self.book.policies.get(id.ix())
    }

    fn rank(&self, rule: &Rule) -> u32 {
        self.policy(rule.policy).map_or(0, |p| p.layer.rank)
    }

    /// Rules in the order in which they are read: by layer, then as the files have them.
    fn reading_order(&self, rule: &Rule) -> (u32, u32, u32) {
        (self.rank(rule), rule.span.file, rule.span.start)
    }

    fn rule_ref(&self, id: RuleId, rule: &Rule) -> RuleRef {
        let policy = self.policy(rule.policy);
        RuleRef {
            rule: self.book.rule_id(id),
            name: rule.name.clone(),
            policy: policy.map(|p| p.path.clone()).unwrap_or_default(),
            layer: policy.map(layer).unwrap_or_default(),
            clause: rule.clause.clone(),
            binding: rule.binding,
        }
    }

    fn policies(&self) -> Vec<PolicyLine> {
        let taking =
            self.book.policies.iter().enumerate().filter(|(i, p)| {
                p.decides == Some(self.decision) && self.linked.has_policy(PolicyId(*i as u32))
            });
        let mut taking: Vec<&Policy> = taking.map(|(_, p)| p).collect();
        taking.sort_by_key(|p| (p.layer.rank, p.path.clone(), p.dates.from));
        let line = |p: &&Policy| PolicyLine {
            path: p.path.clone(),
            title: Words::of(&p.title, &p.path),
            layer: layer(p),
            governed_by: p.governed_by.as_ref().map(|e| self.fact(e)),
            dates: dates(p.dates),
            applies_when: p.applies_when.as_ref().map(|e| self.written(e)),
            rules: p.rules.len(),
        };
        taking.iter().map(line).collect()
    }

    /// A governing date that nobody wrote is `today`.
    fn fact(&self, e: &Expr) -> String {
        match self.written(e) {
            text if text.is_empty() || text.contains(' ') => "today".into(),
            text => text,
        }
    }

    fn output(&self, id: OutputId, def: &OutputDef) -> (OutputSheet, Named) {
        let members = self.members(id);
        let mut order: Vec<(RuleId, &Rule)> = members.iter().map(|(id, r)| (*id, *r)).collect();
        order.sort_by_key(|(_, r)| self.reading_order(r));
        let mut named = Named::default();
        for e in def.guard.iter().chain(match &def.fallback {
            Fallback::Else(e) => Some(e),
            _ => None,
        }) {
            named.add(self.book, e);
        }
        let (mut contributes, mut removes, mut limits) = (Vec::new(), Vec::new(), Vec::new());
        for (rule_id, rule) in &order {
            for e in rule.when.iter().chain(rule.for_each.iter().map(|f| &f.list)) {
                named.add(self.book, e);
            }
            for effect in rule.effects.iter().filter(|e| e.output == id) {
                named.add(self.book, &effect.value);
                let shown = self.effect(*rule_id, rule, effect, def.mode);
                match effect.op {
                    EffectOp::Set | EffectOp::Add => contributes.push(shown),
                    EffectOp::Remove => removes.push(shown),
                    EffectOp::AtLeast | EffectOp::AtMost => limits.push(shown),
                }
            }
        }
        let sheet = OutputSheet {
            name: def.name.clone(),
            label: Words::of(&def.label, &def.name),
            working: def.working,
            per: self.per(def),
            mode: mode(def.mode),
            combines: combines(&self.book.vocab, def),
            fallback: fallback(self.sources, def),
            guard: def.guard.as_ref().map(|e| self.written(e)),
            better: def.better.map(|b| match b {
                Better::Higher => "higher",
                Better::Lower => "lower",
            }),
            contributes,
            removes,
            limits,
            overrides: self.precedence(id, &order),
            set_aside: self.set_aside(id, def, &order),
            reads: Reads::default(),
        };
        (sheet, named)
    }

    fn per(&self, def: &OutputDef) -> Option<String> {
        let root = self.book.vocab.roots.get(def.per?.ix())?;
        let var = def.var.and_then(|v| self.book.vars.get(v.0 as usize));
        Some(format!("each {} in {}", var.map_or("", String::as_str), root.name))
    }

    /// The rules with an effect on the output, those that go before them, those that go before these, and so on.
    fn members(&self, output: OutputId) -> Members<'a> {
        let mut found = Members::new();
        let mut todo: Vec<RuleId> = Vec::new();
        for linked in self.linked.rules(self.decision) {
            let rule = self.book.rules.get(linked.rule.ix());
            if rule.is_some_and(|r| r.effects.iter().any(|e| e.output == output)) {
                todo.push(linked.rule);
            }
        }
        while let Some(id) = todo.pop() {
            let Some(rule) = self.book.rules.get(id.ix()) else { continue };
            if found.insert(id, rule).is_some() {
                continue;
            }
            todo.extend(self.overriders(id, output).map(|o| o.rule));
        }
        found
    }

    fn overriders(
        &self,
        rule: RuleId,
        output: OutputId,
    ) -> impl Iterator<Item = &'a crate::program::link::Overrider> + use<'a> {
        let linked = self.linked.rules(self.decision).iter().find(move |r| r.rule == rule);
        let by = linked.map(|r| r.overridden_by.as_slice()).unwrap_or_default();
        by.iter().filter(move |o| o.output.is_none_or(|only| only == output))
    }

    fn effect(&self, id: RuleId, rule: &Rule, effect: &crate::lang::typed::Effect, mode: Mode) -> Statement {
        let does = match effect.op {
            EffectOp::Set if mode == Mode::Sum => Does::Adds,
            EffectOp::Set => Does::Sets,
            EffectOp::Add => Does::Adds,
            EffectOp::Remove => Does::Removes,
            EffectOp::AtLeast => Does::AtLeast,
            EffectOp::AtMost => Does::AtMost,
        };
        let for_each = rule.for_each.as_ref().map(|f| {
            let var = self.book.vars.get(f.var.0 as usize).map_or("", String::as_str);
            format!("each {var} in {}", self.written(&f.list))
        });
        Statement {
            rule: self.rule_ref(id, rule),
            does,
            value: self.written(&effect.value),
            when: rule.when.as_ref().map(|e| self.written(e)),
            for_each,
            // A campaign's few days are as good as a condition of its rules.
            dates: dates(rule.dates).or_else(|| {
                let policy = self.policy(rule.policy).filter(|p| p.dates.before.is_some())?;
                dates(policy.dates)
            }),
            say: (rule.say.zh.is_some() || rule.say.en.is_some()).then(|| Words::of(&rule.say, "")),
        }
    }

    fn precedence(&self, output: OutputId, order: &[(RuleId, &Rule)]) -> Vec<Precedence> {
        let mut lines: Vec<Precedence> = Vec::new();
        for (by_id, by) in order {
            for (replaces, only_here) in [(false, false), (false, true), (true, false)] {
                let acts = |over: RuleId| {
                    self.overriders(over, output).any(|o| {
                        o.rule == *by_id
                            && !o.set_aside
                            && o.replaces == replaces
                            && o.output.is_some() == only_here
                    })
                };
                let over: Vec<RuleRef> =
                    order.iter().filter(|(id, _)| acts(*id)).map(|(id, r)| self.rule_ref(*id, r)).collect();
                if !over.is_empty() {
                    lines.push(Precedence {
                        by: self.rule_ref(*by_id, by),
                        when: by.when.as_ref().map(|e| self.written(e)),
                        over,
                        replaces,
                        only_here,
                        speaks: by.effects.iter().any(|e| e.output == output),
                    });
                }
            }
        }
        lines
    }

    /// Binding rules, and the rules of more special layers that cannot prevail against them.
    fn set_aside(&self, output: OutputId, def: &OutputDef, order: &[(RuleId, &Rule)]) -> Vec<SetAside> {
        let single = matches!(def.mode, Mode::One | Mode::Max | Mode::Min);
        let mut found: Vec<SetAside> = Vec::new();
        for (by_id, by) in order.iter().filter(|(_, r)| r.binding) {
            for what in [Asides::Contribution, Asides::Removal, Asides::Limit, Asides::Override] {
                let loses = |id: RuleId, rule: &Rule| match what {
                    Asides::Contribution => single && differs(output, by, rule),
                    Asides::Removal => acts(output, by, &GIVES) && acts(output, rule, &[EffectOp::Remove]),
                    Asides::Limit => {
                        let both = |a, b| acts(output, by, &[a]) && acts(output, rule, &[b]);
                        both(EffectOp::AtLeast, EffectOp::AtMost) || both(EffectOp::AtMost, EffectOp::AtLeast)
                    }
                    Asides::Override => self.overriders(*by_id, output).any(|o| o.rule == id && o.set_aside),
                };
                let lower = order.iter().filter(|(id, r)| self.rank(r) > self.rank(by) && loses(*id, r));
                let rules: Vec<RuleRef> = lower.map(|(id, r)| self.rule_ref(*id, r)).collect();
                if rules.is_empty() {
                    continue;
                }
                let by = self.rule_ref(*by_id, by);
                match found.iter_mut().find(|f| f.what == what && f.rules == rules) {
                    Some(same) => same.by.push(by),
                    None => {
                        let unless_kinder = what == Asides::Contribution && def.better.is_some();
                        found.push(SetAside { by: vec![by], rules, what, unless_kinder });
                    }
                }
            }
        }
        found
    }

    /// The names of definitions; with their policy where two have one name.
    fn let_names(&self, named: &Named) -> BTreeMap<LetId, String> {
        let lets: Vec<(LetId, &Let)> =
            named.lets.iter().filter_map(|id| Some((*id, self.book.lets.get(id.ix())?))).collect();
        let twice = |name: &str| lets.iter().filter(|(_, l)| l.name == name).count() > 1;
        let full = |l: &Let| match self.policy(l.policy) {
            Some(p) if twice(&l.name) => format!("{}.{}", p.path, l.name),
            _ => l.name.clone(),
        };
        lets.iter().map(|(id, l)| (*id, full(l))).collect()
    }

    fn reads(&self, named: &Named, names: &BTreeMap<LetId, String>, own: OutputId) -> Reads {
        let vocab = &self.book.vocab;
        let outputs =
            vocab.decisions.get(self.decision.ix()).map(|d| d.outputs.as_slice()).unwrap_or_default();
        let others = named.outputs.iter().filter(|o| **o != own);
        let sorted = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>();
        let with_clause = |name: &str, clause: &Option<String>| match clause {
            Some(clause) => format!("{name} {}", words::clause_of(clause)),
            None => name.to_owned(),
        };
        Reads {
            outputs: others.filter_map(|o| outputs.get(o.ix())).map(|o| o.name.clone()).collect(),
            tables: named
                .tables
                .iter()
                .filter_map(|t| self.book.tables.get(t.ix()))
                .map(|t| with_clause(&t.name, &t.clause))
                .collect(),
            params: named
                .params
                .iter()
                .filter_map(|p| self.param(*p))
                .map(|p| {
                    let name = with_clause(&p.name, &p.clause);
                    match p.values.first() {
                        Some(ParamValue { value, dates: None, .. }) => format!("{name} = {value}"),
                        _ => name,
                    }
                })
                .collect(),
            definitions: sorted(named.lets.iter().filter_map(|l| names.get(l).cloned()).collect()),
            decisions: named
                .decisions
                .iter()
                .filter_map(|d| vocab.decisions.get(d.ix()))
                .map(|d| d.name.clone())
                .collect(),
        }
    }

    fn definitions(&self, named: &Named, names: &BTreeMap<LetId, String>) -> Vec<Definition> {
        let found = named.lets.iter().filter_map(|id| {
            let value = self.written(&self.book.lets.get(id.ix())?.value);
            Some(Definition { name: names.get(id)?.clone(), value })
        });
        let mut found: Vec<Definition> = found.collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    fn table(&self, id: TableId) -> Option<TableSheet> {
        let table = self.book.tables.get(id.ix())?;
        let blocks = self.linked.blocks(table).into_iter().map(|(_, block)| {
            let policy = self.policy(block.policy);
            let rows = block.rows.iter().take(ROWS).map(|r| written(self.sources, r.span));
            BlockSheet {
                policy: policy.map(|p| p.path.clone()).unwrap_or_default(),
                layer: policy.map(layer).unwrap_or_default(),
                clause: block.clause.clone(),
                rows: rows.filter(|r| !r.is_empty()).collect(),
                count: block.rows.len(),
            }
        });
        Some(TableSheet {
            name: table.name.clone(),
            head: head(self.sources, table.span),
            blocks: blocks.collect(),
        })
    }

    fn param(&self, id: ParamId) -> Option<ParamSheet> {
        let param = self.book.params.get(id.ix())?;
        let of = |policy: PolicyId, values: &'a [DatedValue]| {
            let policy = self.policy(policy);
            values.iter().map(move |v| ParamValue {
                value: written(self.sources, v.value.span),
                dates: dates(v.dates),
                policy: policy.map(|p| p.path.clone()).unwrap_or_default(),
                layer: policy.map(layer).unwrap_or_default(),
            })
        };
        let set = self.linked.settings(param).into_iter().flat_map(|s| of(s.policy, &s.values));
        let values = set.chain(of(param.policy, &param.values)).collect();
        Some(ParamSheet { name: param.name.clone(), clause: param.clause.clone(), values })
    }
}

/// What adds to an output.
const GIVES: [EffectOp; 2] = [EffectOp::Set, EffectOp::Add];

/// Whether a rule acts on an output in one of these ways.
fn acts(output: OutputId, rule: &Rule, ops: &[EffectOp]) -> bool {
    rule.effects.iter().any(|e| e.output == output && ops.contains(&e.op))
}

/// Whether two rules may give an output different values: not if both give the same constant.
fn differs(output: OutputId, a: &Rule, b: &Rule) -> bool {
    let gives = |r: &'_ Rule| {
        let effects = r.effects.iter().filter(|e| e.output == output && GIVES.contains(&e.op));
        effects.map(|e| e.value.clone()).collect::<Vec<Expr>>()
    };
    let same = |x: &Expr, y: &Expr| match (&x.kind, &y.kind) {
        (ExprKind::Const(x), ExprKind::Const(y)) => x == y,
        _ => false,
    };
    let (a, b) = (gives(a), gives(b));
    a.iter().any(|x| b.iter().any(|y| !same(x, y)))
}
