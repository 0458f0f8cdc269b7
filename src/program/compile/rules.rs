//! Rules: when they apply, and whether an overrider keeps them from being effective.
use super::builder::*;
use crate::lang::typed::*;
use crate::program::code::*;
use crate::program::link::{LinkedRule, Overrider, Reach};

impl<'a> Builder<'a> {
    pub fn rule(&self, id: RuleId) -> Low<&'a Rule> {
        let book = self.book;
        book.rules.get(id.ix()).ok_or_else(|| Gap("an unknown rule".into()))
    }

    fn linked_rule(&mut self, id: RuleId) -> Option<&'a LinkedRule> {
        let decision = self.here().decision;
        let linked = self.linked;
        linked.rules(decision).iter().find(|r| r.rule == id)
    }

    /// The overriders that count for an output.
    fn overriders(&mut self, id: RuleId, output: OutputId) -> Vec<Overrider> {
        self.linked_rule(id)
            .map(|r| r.overridden_by.as_slice())
            .unwrap_or_default()
            .iter()
            .filter(|o| !o.set_aside && o.output.is_none_or(|named| named == output))
            .copied()
            .collect()
    }

    /// What the rules read that keep a rule from being effective, directly or through others.
    pub fn read_by_overriders(&mut self, id: RuleId) -> Low<Vec<&'a Expr>> {
        let (mut reads, mut seen, mut todo) = (Vec::new(), vec![id], vec![id]);
        while let Some(id) = todo.pop() {
            for o in self.linked_rule(id).map(|r| r.overridden_by.as_slice()).unwrap_or_default() {
                if !seen.contains(&o.rule) {
                    seen.push(o.rule);
                    todo.push(o.rule);
                    let rule = self.rule(o.rule)?;
                    let list = rule.for_each.iter().map(|f| &f.list);
                    reads.extend(list.chain(&rule.guard).chain(&rule.when));
                }
            }
        }
        Ok(reads)
    }

    /// Whether anything overrides the rule, or the rule anything, so that its state must be kept.
    pub fn entangled(&mut self, id: RuleId) -> bool {
        let decision = self.here().decision;
        let linked = self.linked;
        linked.rules(decision).iter().any(|r| {
            (r.rule == id && !r.overridden_by.is_empty())
                || r.overridden_by.iter().any(|o| o.rule == id && (!o.replaces || o.set_aside))
        })
    }

    /// Jumps to `out` unless the rule's policy and dates, guard and condition hold. `guarded`: the guard is known to.
    pub fn rule_condition(&mut self, id: RuleId, guarded: bool, out: Spot) -> Low<()> {
        let rule = self.rule(id)?;
        self.rule_in_force(rule, out)?;
        let reader = self.reader;
        if let Some(guard) = &rule.guard
            && !guarded
        {
            self.reader = Reader::Nobody;
            self.cond(guard, false, out)?;
        }
        self.reader = self.rule_reader(id);
        if let Some(when) = &rule.when {
            self.cond(when, false, out)?;
        }
        self.reader = reader;
        Ok(())
    }

    pub fn rule_reader(&mut self, id: RuleId) -> Reader {
        if self.here().called { Reader::Nobody } else { Reader::Rule(id) }
    }

    pub fn rule_in_force(&mut self, rule: &'a Rule, out: Spot) -> Low<()> {
        if let Some(a) = self.in_force(rule.policy)? {
            self.emit(Inst::JImm { cmp: Cmp::EQ, a, k: 0, to: Builder::target(out) });
        }
        self.on_date(&rule.dates, rule.policy, out)
    }

    /// Whether the rule applies, kept in a register (or one per element).
    pub fn applicable(&mut self, id: RuleId) -> Low<Effective<'a>> {
        if let Some(known) = self.here().applicable.get(&id) {
            return Ok(known.clone());
        }
        let rule = self.rule(id)?;
        self.needs_of_rule(rule)?;
        let state = match &rule.for_each {
            None => {
                let (dst, out) = (self.constant(0), self.label());
                self.rule_condition(id, false, out)?;
                self.load(dst, 1);
                self.place(out);
                Effective::Reg(dst)
            }
            Some(each) => {
                let (start, any) = (self.reg(), self.constant(0));
                let (one, skip) = (self.constant(1), self.label());
                let reader = self.rule_reader(id);
                let outer = std::mem::replace(&mut self.reader, reader);
                self.rule_in_force(rule, skip)?;
                let list = self.list(&each.list)?;
                let fill = self.pool16(0)?;
                self.emit(Inst::Alloc { dst: start, len: list.len, width: 1, fill });
                self.each(&list, Some(each.var), |b, elem, i, next| {
                    b.name_lines(rule, elem)?;
                    b.rule_condition(id, false, next)?;
                    b.emit(Inst::Put { start, i, src: one });
                    b.load(any, 1);
                    Ok(())
                })?;
                self.place(skip);
                self.reader = outer;
                Effective::Each { start, any, list }
            }
        };
        self.here().applicable.insert(id, state.clone());
        Ok(state)
    }

    /// The element under the names that the per-line outputs have for it, whose guards are part of the condition.
    pub fn name_lines(&mut self, rule: &'a Rule, elem: &Elem<'a>) -> Low<()> {
        for effect in rule.effects.iter().filter(|e| e.per_element) {
            if let Some(var) = self.output_def(effect.output)?.var {
                self.vars.insert(var, elem.clone());
            }
        }
        Ok(())
    }

    /// Whether the rule is effective for an output.
    pub fn effective(&mut self, id: RuleId, output: OutputId) -> Low<Effective<'a>> {
        let named = self.names_outputs(id, &mut Vec::new());
        let key = (id, named.then_some(output));
        if let Some(known) = self.here().effective.get(&key) {
            return Ok(known.clone());
        }
        let own = self.applicable(id)?;
        let overriders = self.overriders(id, output);
        if overriders.is_empty() {
            self.here().effective.insert(key, own.clone());
            return Ok(own);
        }
        let mut states = Vec::new();
        for o in overriders {
            let state = self.overrider(&o, output)?;
            // Replacing does not depend on elements.
            states.push((state, if o.replaces { Reach::Whole } else { o.reach }));
        }
        let end = self.label();
        let to = Builder::target(end);
        let state = match own {
            Effective::Reg(a) => {
                let dst = self.constant(0);
                self.emit(Inst::JImm { cmp: Cmp::EQ, a, k: 0, to });
                for (state, _) in &states {
                    let a = whole(state);
                    self.emit(Inst::JImm { cmp: Cmp::NE, a, k: 0, to });
                }
                self.load(dst, 1);
                self.place(end);
                Effective::Reg(dst)
            }
            Effective::Each { start: own_start, any: own_any, list } => {
                let (start, any) = (self.reg(), self.constant(0));
                self.emit(Inst::JImm { cmp: Cmp::EQ, a: own_any, k: 0, to });
                for (state, reach) in &states {
                    if *reach == Reach::Whole {
                        let a = whole(state);
                        self.emit(Inst::JImm { cmp: Cmp::NE, a, k: 0, to });
                    }
                }
                let (fill, one) = (self.pool16(0)?, self.constant(1));
                self.emit(Inst::Alloc { dst: start, len: list.len, width: 1, fill });
                let loops = List { kind: ListKind::Scalars, start, len: list.len, root: None };
                self.each(&loops, None, |b, _, i, next| {
                    let (dst, next) = (b.reg(), Builder::target(next));
                    b.emit(Inst::Get { dst, start: own_start, i });
                    b.emit(Inst::JImm { cmp: Cmp::EQ, a: dst, k: 0, to: next });
                    for (state, reach) in &states {
                        if let (Effective::Each { start, any, .. }, Reach::SameElement) = (state, reach) {
                            let off = b.label();
                            b.emit(Inst::JImm { cmp: Cmp::EQ, a: *any, k: 0, to: Builder::target(off) });
                            b.emit(Inst::Get { dst, start: *start, i });
                            b.emit(Inst::JImm { cmp: Cmp::NE, a: dst, k: 0, to: next });
                            b.place(off);
                        } else if *reach == Reach::SameElement {
                            return gap("an override by element from a rule without elements");
                        }
                    }
                    b.emit(Inst::Put { start, i, src: one });
                    b.load(any, 1);
                    Ok(())
                })?;
                self.place(end);
                Effective::Each { start, any, list }
            }
        };
        self.here().effective.insert(key, state.clone());
        Ok(state)
    }

    /// Whether an override for one output only has a part in the rule's effectiveness.
    fn names_outputs(&mut self, id: RuleId, seen: &mut Vec<RuleId>) -> bool {
        if seen.contains(&id) {
            return false;
        }
        seen.push(id);
        let overriders: Vec<Overrider> =
            self.linked_rule(id).map(|r| r.overridden_by.clone()).unwrap_or_default();
        overriders.iter().any(|o| o.output.is_some() || self.names_outputs(o.rule, seen))
    }

    /// Whether a binding rule holds against an override.
    pub fn holds_against(&mut self, id: RuleId) -> bool {
        self.linked_rule(id).is_some_and(|r| r.overridden_by.iter().any(|o| o.set_aside))
    }

    /// Whether an override that was set aside would have acted; reported where the overridden rule is effective.
    pub fn set_aside(&mut self, id: RuleId, output: OutputId) -> Low<Vec<(Overrider, Effective<'a>, Reg)>> {
        let overriders = self.linked_rule(id).map(|r| r.overridden_by.clone()).unwrap_or_default();
        let mut sites = Vec::new();
        for o in
            overriders.into_iter().filter(|o| o.set_aside && o.output.is_none_or(|named| named == output))
        {
            let state = self.overrider(&o, output)?;
            let on = self.constant(0);
            self.code.asides.push(AsideSite { kept: id, aside: o.rule, on });
            sites.push((o, state, on));
        }
        Ok(sites)
    }

    /// Whether an overrider acts.
    fn overrider(&mut self, o: &Overrider, output: OutputId) -> Low<Effective<'a>> {
        if !o.replaces {
            return self.effective(o.rule, output);
        }
        let rule = self.rule(o.rule)?;
        let (dst, out) = (self.constant(0), self.label());
        self.rule_in_force(rule, out)?;
        self.load(dst, 1);
        self.place(out);
        Ok(Effective::Reg(dst))
    }
}

/// The register that tells whether a rule is effective at all.
pub(super) fn whole(state: &Effective<'_>) -> Reg {
    match state {
        Effective::Reg(a) => *a,
        Effective::Each { any, .. } => *any,
    }
}
