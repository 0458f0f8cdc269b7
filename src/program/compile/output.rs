//! Outputs: contributions of effective rules, combined by mode, with removals, fallback and clamps.
use super::builder::*;
use super::rules::whole;
use crate::lang::typed::*;
use crate::program::code::*;
use crate::program::link::{Overrider, Reach};

/// A rule's effect on the output at hand.
pub(super) struct Acting<'a> {
    pub id: RuleId,
    pub rule: &'a Rule,
    pub rank: u32,
    pub effect: &'a Effect,
}

/// Where contributions gather.
struct Gather {
    out: u16,
    mode: Mode,
    acc: Reg,
    frac: Option<QReg>,
    removed: Reg,
    low: Reg,
    high: Reg,
    /// Binding rules take part: contributions are noted and combined afterwards.
    binding: bool,
    /// Contributions are noted.
    noted: bool,
}

impl<'a> Builder<'a> {
    pub fn output_def(&mut self, id: OutputId) -> Low<&'a OutputDef> {
        let (book, decision) = (self.book, self.here().decision);
        let def = book.vocab.decisions.get(decision.ix()).and_then(|d| d.outputs.get(id.ix()));
        def.ok_or_else(|| Gap("an unknown output".into()))
    }

    fn known_output(&mut self, id: OutputId) -> Low<OutVal<'a>> {
        match self.here().outputs.get(&id) {
            Some(Some(value)) => Ok(value.clone()),
            _ => gap("an output read before it is computed"),
        }
    }

    pub fn output_value(&mut self, id: OutputId) -> Low<Val<'a>> {
        match self.known_output(id)? {
            OutVal::Plain(value) => Ok(value),
            OutVal::Lines { fractions: true, .. } => gap("fractions by line read as a list"),
            OutVal::Lines { start, len, .. } => {
                let root = self.output_def(id)?.per.map(|root| (self.scope, root));
                Ok(Val::List(List { kind: ListKind::Scalars, start, len, root }))
            }
            OutVal::Records { .. } => gap("records read as a list"),
        }
    }

    pub fn output_of(&mut self, id: OutputId, var: VarId, _ty: &Ty) -> Low<Val<'a>> {
        let per = self.output_def(id)?.per;
        let scope = self.scope;
        let OutVal::Lines { start, fractions, .. } = self.known_output(id)? else {
            return gap("an element of an output without elements");
        };
        match self.vars.get(&var).map(|e| (e.pos, e.root)) {
            Some((i, Some((s, root)))) if s == scope && Some(root) == per => {
                if fractions {
                    let dst = self.frac();
                    self.emit(Inst::QGet { dst, start, i });
                    return Ok(Val::Frac(dst));
                }
                let dst = self.reg();
                self.emit(Inst::Get { dst, start, i });
                Ok(Val::Reg(dst))
            }
            _ => gap("an output's element by an element of another list"),
        }
    }

    /// Computes the outputs that an expression reads.
    pub fn needs(&mut self, e: &'a Expr) -> Low<()> {
        let (mut todo, mut lets, mut outputs) = (vec![e], Vec::new(), Vec::new());
        while let Some(e) = todo.pop() {
            match &e.kind {
                ExprKind::Output(id) | ExprKind::OutputOf(id, _) if !outputs.contains(id) => {
                    outputs.push(*id)
                }
                ExprKind::Let(id) if !lets.contains(id) => {
                    lets.push(*id);
                    todo.extend(self.book.lets.get(id.ix()).map(|l| &l.value));
                }
                _ => {}
            }
            todo.extend(super::children(e));
        }
        for id in outputs {
            self.output(id)?;
        }
        Ok(())
    }

    pub fn needs_of_rule(&mut self, rule: &'a Rule) -> Low<()> {
        let list = rule.for_each.iter().map(|f| &f.list);
        for e in list.chain(&rule.guard).chain(&rule.when) {
            self.needs(e)?;
        }
        Ok(())
    }

    /// Computes an output, once, after those that it reads.
    pub fn output(&mut self, id: OutputId) -> Low<OutVal<'a>> {
        match self.here().outputs.get(&id) {
            Some(Some(value)) => return Ok(value.clone()),
            Some(None) => return gap("an output that reads itself"),
            None => {}
        }
        self.here().outputs.insert(id, None);
        let def = self.output_def(id)?;
        let acting = self.acting(id)?;
        // What is read must be there before, whatever path the code takes.
        for e in def.guard.iter().chain(match &def.fallback {
            Fallback::Else(e) => Some(e),
            _ => None,
        }) {
            self.needs(e)?;
        }
        for a in &acting {
            self.needs(&a.effect.value)?;
            self.needs_of_rule(a.rule)?;
        }
        for a in &acting {
            if !self.alone(a) {
                self.effective(a.id, id)?;
            }
        }
        let name = &def.name;
        let value = self.combined(id, def, &acting).map_err(|g| Gap(format!("output {name}: {}", g.0)))?;
        self.here().outputs.insert(id, Some(value.clone()));
        Ok(value)
    }

    fn acting(&mut self, id: OutputId) -> Low<Vec<Acting<'a>>> {
        let (linked, decision) = (self.linked, self.here().decision);
        let mut acting = Vec::new();
        for l in linked.rules(decision) {
            let rule = self.rule(l.rule)?;
            for effect in rule.effects.iter().filter(|e| e.output == id) {
                acting.push(Acting { id: l.rule, rule, rank: l.rank, effect });
            }
        }
        Ok(acting)
    }

    /// The rule acts on nothing else and nothing hangs on it: its condition is computed where its effect is.
    fn alone(&mut self, a: &Acting<'a>) -> bool {
        a.rule.effects.len() == 1 && a.rule.for_each.is_none() && !self.entangled(a.id)
    }

    fn combined(&mut self, id: OutputId, def: &'a OutputDef, acting: &[Acting<'a>]) -> Low<OutVal<'a>> {
        if def.ty.is_optional() {
            return gap("an output of an optional type");
        }
        if matches!(def.ty, Ty::Period) && matches!(def.mode, Mode::Max | Mode::Min | Mode::Sum) {
            return gap("combined periods");
        }
        if matches!(def.ty, Ty::Text) && matches!(def.mode, Mode::Max | Mode::Min) {
            return gap("the extreme of texts");
        }
        if def.mode == Mode::All {
            self.small_enum(&def.ty)?;
        }
        let single = matches!(def.mode, Mode::One | Mode::Max | Mode::Min | Mode::Sum);
        if single && matches!(def.ty, Ty::Entity(_) | Ty::List(_) | Ty::Set(_)) {
            return gap("an output that is a record, list or set");
        }
        // Binding matters where a binding effect meets one of a more specific layer.
        let bound = acting.iter().filter(|a| a.effect_binds()).map(|a| a.rank).min();
        let binding = bound.is_some_and(|b| acting.iter().any(|a| a.rank > b));
        let out = self.spec(id, def)?;
        if def.per.is_some() {
            return if binding { gap("binding rules on lines") } else { self.lines(def, acting, out) };
        }
        let mut noted = !self.here().called;
        if binding {
            if self.loops > 0 || self.depth > 0 {
                return gap("binding rules in a called decision");
            }
            noted = true;
        }
        let fractions = single && def.ty.is_numeric() && self.output_digits(id).is_none();
        if fractions && (binding || acting.iter().any(|a| clamp(a.effect))) {
            return gap("clamps of fractions");
        }
        let g = Gather {
            out,
            mode: def.mode,
            acc: self.reg(),
            frac: fractions.then(|| self.frac()),
            removed: self.reg(),
            low: self.reg(),
            high: self.reg(),
            binding,
            noted,
        };
        let mut asides = Vec::new();
        if !self.here().called {
            for a in acting {
                asides.push(self.set_aside(a.id, id)?);
            }
        }
        let end = self.label();
        let clamps = acting.iter().any(|a| clamp(a.effect));
        // Guarded off unless the guard holds.
        let before = self.reg();
        if clamps {
            self.load(before, ABSENT);
        }
        if let Some(guard) = &def.guard {
            self.load(g.acc, ABSENT);
            if let Some(dst) = g.frac {
                self.emit(Inst::QAbsent { dst });
            }
            self.cond(guard, false, end)?;
        }
        let start = match def.mode {
            Mode::Sum | Mode::All => 0,
            Mode::Each => 1,
            _ => ABSENT,
        };
        self.load(g.acc, start);
        match (g.frac, def.mode) {
            (Some(dst), Mode::Sum) => {
                let zero = self.fraction(&num_traits::Zero::zero())?;
                self.emit(Inst::QMov { dst, a: zero });
            }
            (Some(dst), _) => self.emit(Inst::QAbsent { dst }),
            _ => {}
        }
        let removes = acting.iter().any(|a| a.effect.op == EffectOp::Remove);
        if removes {
            self.load(g.removed, 0);
        }
        if clamps {
            self.load(g.low, ABSENT);
            self.load(g.high, ABSENT);
        }
        asides.resize_with(acting.len(), Vec::new);
        for (a, asides) in acting.iter().zip(&asides) {
            self.act(id, def, a, &g, asides)
                .map_err(|gap| Gap(format!("rule {}: {}", a.rule.name, gap.0)))?;
        }
        if g.binding {
            self.emit(Inst::Combine { dst: g.acc, out });
        } else if removes {
            // Set the removed members, then take them away.
            self.emit(Inst::Or { dst: g.acc, a: g.acc, b: g.removed });
            self.emit(Inst::Sub { dst: g.acc, a: g.acc, b: g.removed });
        }
        if single && let Fallback::Else(value) = &def.fallback {
            let there = self.label();
            match g.frac {
                Some(a) => {
                    self.emit(Inst::JQAbsent { want: false, a, to: Builder::target(there) });
                    let value = self.num(value)?;
                    let value = self.frac_of(value);
                    self.emit(Inst::QMov { dst: a, a: value });
                }
                None => {
                    self.emit(Inst::JAbsent { want: false, a: g.acc, to: Builder::target(there) });
                    let src = self.scalar(value)?;
                    self.emit(Inst::Mov { dst: g.acc, src });
                }
            }
            self.place(there);
        }
        if clamps {
            self.emit(Inst::Mov { dst: before, src: g.acc });
            self.clamped_from(out, before);
            if g.binding {
                self.emit(Inst::Clamps { a: g.acc, out });
            } else {
                self.emit(Inst::Clamp { a: g.acc, lo: g.low, hi: g.high });
            }
        }
        self.place(end);
        Ok(match (def.mode, g.frac, &def.ty) {
            (Mode::Each, _, Ty::Entity(entity)) => OutVal::Records { entity: *entity, present: g.acc },
            (Mode::Each, ..) => return gap("records of no record type"),
            (Mode::All, ..) => OutVal::Plain(Val::Mask(g.acc)),
            (_, Some(q), _) => OutVal::Plain(Val::Frac(q)),
            _ => OutVal::Plain(Val::Reg(g.acc)),
        })
    }

    /// Tells where a value is before its clamps.
    pub fn clamped_from(&mut self, out: u16, before: Reg) {
        if let Some(spec) = self.code.combines.get_mut(usize::from(out)) {
            spec.before = Some(before);
        }
    }

    fn spec(&mut self, output: OutputId, def: &OutputDef) -> Low<u16> {
        let called = self.here().called;
        let (mode, better) = (def.mode, def.better);
        self.code.combines.push(CombineSpec { output, mode, better, called, before: None });
        u16::try_from(self.code.combines.len() - 1).map_err(|_| Gap("too many outputs".into()))
    }

    pub fn effect_site(&mut self, a: &Acting<'a>, out: u16) -> u32 {
        self.code.effects.push(EffectSite {
            rule: a.id,
            rank: a.rank,
            binding: a.effect_binds(),
            output: a.effect.output,
            op: a.effect.op,
            out,
        });
        self.code.effects.len() as u32 - 1
    }

    /// One effect, if its rule is effective.
    fn act(
        &mut self,
        id: OutputId,
        def: &'a OutputDef,
        a: &Acting<'a>,
        g: &Gather,
        asides: &[(Overrider, Effective<'a>, Reg)],
    ) -> Low<()> {
        let skip = self.label();
        let to = Builder::target(skip);
        let site = self.effect_site(a, g.out);
        if self.alone(a) {
            // The output's guard holds here, so a guard that the rule shares with it does.
            self.rule_condition(a.id, def.guard.is_some() && a.rule.guard.is_some(), skip)?;
            self.apply(def, a, g, site, None, skip)?;
        } else {
            match self.effective(a.id, id)? {
                Effective::Reg(on) => {
                    self.emit(Inst::JImm { cmp: Cmp::EQ, a: on, k: 0, to });
                    for (_, state, note) in asides {
                        self.emit(Inst::Or { dst: *note, a: *note, b: whole(state) });
                    }
                    self.apply(def, a, g, site, None, skip)?;
                }
                Effective::Each { start, any, list } => {
                    self.emit(Inst::JImm { cmp: Cmp::EQ, a: any, k: 0, to });
                    let var = a.rule.for_each.as_ref().map(|f| f.var);
                    self.each(&list, var, |b, _, i, next| {
                        let on = b.reg();
                        b.emit(Inst::Get { dst: on, start, i });
                        b.emit(Inst::JImm { cmp: Cmp::EQ, a: on, k: 0, to: Builder::target(next) });
                        for (o, state, note) in asides {
                            match (o.reach, state) {
                                (Reach::SameElement, Effective::Each { start, any, .. }) => {
                                    let (off, by) = (b.label(), b.reg());
                                    let to = Builder::target(off);
                                    b.emit(Inst::JImm { cmp: Cmp::EQ, a: *any, k: 0, to });
                                    b.emit(Inst::Get { dst: by, start: *start, i });
                                    b.emit(Inst::Or { dst: *note, a: *note, b: by });
                                    b.place(off);
                                }
                                _ => b.emit(Inst::Or { dst: *note, a: *note, b: whole(state) }),
                            }
                        }
                        b.apply(def, a, g, site, Some(i), next)
                    })?;
                }
            }
        }
        self.place(skip);
        Ok(())
    }

    /// The effect's value into the accumulators.
    fn apply(
        &mut self,
        def: &'a OutputDef,
        a: &Acting<'a>,
        g: &Gather,
        site: u32,
        elem: Option<Reg>,
        skip: Spot,
    ) -> Low<()> {
        let reader = self.rule_reader(a.id);
        let outer = std::mem::replace(&mut self.reader, reader);
        let done = self.apply_value(def, a, g, site, elem, skip);
        self.reader = outer;
        done
    }

    fn apply_value(
        &mut self,
        def: &'a OutputDef,
        a: &Acting<'a>,
        g: &Gather,
        site: u32,
        elem: Option<Reg>,
        skip: Spot,
    ) -> Low<()> {
        let value = &a.effect.value;
        if a.effect.per_element {
            return gap("an effect on lines");
        }
        if def.mode == Mode::Each {
            let Val::Rec(fields) = self.lower(value)? else { return gap("a record that is not made here") };
            let start = self.reg();
            let n = u16::try_from(fields.len()).map_err(|_| Gap("a record this wide".into()))?;
            let mut regs = Vec::new();
            for field in fields {
                regs.push(match field {
                    Val::Reg(r) => r,
                    Val::Frac(q) => {
                        let (dst, step) = (self.reg(), self.pool(1));
                        self.emit(Inst::QOnStep { dst, a: q, step });
                        dst
                    }
                    _ => return gap("a record whose fields are not plain values"),
                });
            }
            self.emit(Inst::AllocK { dst: start, n });
            for (i, src) in regs.into_iter().enumerate() {
                self.emit(Inst::PutK { start, i: i as u16, src });
            }
            if g.noted {
                self.note(site, start, elem);
            }
            return Ok(());
        }
        if let Some(acc) = g.frac {
            let n = self.num(value)?;
            if value.ty.is_optional() {
                return gap("a contribution that may be absent");
            }
            let val = self.frac_of(n);
            if g.noted {
                if elem.is_some() {
                    return gap("fractions by element");
                }
                self.emit(Inst::ContribQ { site, val });
            }
            self.emit(match g.mode {
                Mode::Max => Inst::QAccMax { acc, val },
                Mode::Min => Inst::QAccMin { acc, val },
                Mode::Sum => Inst::QAccSum { acc, val },
                _ => Inst::QAccOne { acc, val },
            });
            return Ok(());
        }
        let val = self.contribution(def, value)?;
        if value.ty.is_optional() {
            self.emit(Inst::JAbsent { want: true, a: val, to: Builder::target(skip) });
        }
        let acc = g.acc;
        match a.effect.op {
            EffectOp::AtLeast | EffectOp::AtMost => {
                if g.noted {
                    self.note(site, val, elem);
                }
                if !g.binding {
                    self.emit(match a.effect.op {
                        EffectOp::AtLeast => Inst::AccMax { acc: g.low, val },
                        _ => Inst::AccMin { acc: g.high, val },
                    });
                }
            }
            EffectOp::Remove => {
                if g.noted {
                    self.note(site, val, elem);
                }
                if !g.binding {
                    self.emit(Inst::Or { dst: g.removed, a: g.removed, b: val });
                }
            }
            EffectOp::Set | EffectOp::Add => {
                if g.binding {
                    self.note(site, val, elem);
                } else if g.noted && elem.is_none() {
                    self.emit(match g.mode {
                        Mode::Max => Inst::ContribMax { acc, val, site },
                        Mode::Min => Inst::ContribMin { acc, val, site },
                        Mode::Sum => Inst::ContribSum { acc, val, site },
                        Mode::All => Inst::ContribAll { acc, val, site },
                        _ => Inst::ContribOne { acc, val, site },
                    });
                } else {
                    if g.noted {
                        self.note(site, val, elem);
                    }
                    self.accumulate(g.mode, acc, val);
                }
            }
        }
        Ok(())
    }

    /// A contribution's bits: for `all` a bit set.
    pub fn contribution(&mut self, def: &'a OutputDef, value: &'a Expr) -> Low<Reg> {
        if def.mode != Mode::All {
            return self.scalar(value);
        }
        match self.lower(value)? {
            Val::Mask(mask) => Ok(mask),
            Val::Reg(a) if !value.ty.is_optional() => {
                let dst = self.reg();
                self.emit(Inst::Bit { dst, a });
                Ok(dst)
            }
            _ => gap("a list of members, or a member that may be absent"),
        }
    }

    pub fn accumulate(&mut self, mode: Mode, acc: Reg, val: Reg) {
        self.emit(match mode {
            Mode::Max => Inst::AccMax { acc, val },
            Mode::Min => Inst::AccMin { acc, val },
            Mode::Sum => Inst::Add { dst: acc, a: acc, b: val },
            Mode::All => Inst::Or { dst: acc, a: acc, b: val },
            Mode::One | Mode::Each => Inst::AccOne { acc, val },
        });
    }

    pub fn note(&mut self, site: u32, val: Reg, elem: Option<Reg>) {
        self.emit(match elem {
            Some(elem) => Inst::ContribAt { site, val, elem },
            None => Inst::Contrib { site, val },
        });
    }
}

impl Acting<'_> {
    fn effect_binds(&self) -> bool {
        self.rule.binding
    }
}

pub(super) fn clamp(effect: &Effect) -> bool {
    matches!(effect.op, EffectOp::AtLeast | EffectOp::AtMost)
}
