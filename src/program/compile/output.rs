//! Outputs: contributions of effective rules, combined by mode, with removals, fallback and clamps.
use super::builder::*;
use crate::lang::typed::visit::parts;
use crate::lang::typed::*;
use crate::program::code::*;
use crate::program::link::Overrider;

/// A rule's effect on the output at hand.
pub(super) struct Acting<'a> {
    pub id: RuleId,
    pub rule: &'a Rule,
    pub rank: u32,
    pub effect: &'a Effect,
}

/// Decisions with more outputs than this are compiled output by output.
const MOST_TOGETHER: usize = 500;

/// Where contributions gather.
pub(super) struct Gather {
    pub out: u16,
    pub mode: Mode,
    pub acc: Reg,
    pub frac: Option<QReg>,
    pub removed: Reg,
    pub low: Reg,
    pub high: Reg,
    /// The value before its clamps.
    pub before: Reg,
    /// Binding rules take part: contributions are noted and combined afterwards.
    pub binding: bool,
    /// Contributions are noted.
    pub noted: bool,
}

/// An override of a binding rule that is set aside: the overrider, whether it acts, and where to note it.
pub(super) type Aside<'a> = (Overrider, Effective<'a>, Reg);

/// An output on its way.
struct Part<'a> {
    id: OutputId,
    def: &'a OutputDef,
    acting: Vec<Acting<'a>>,
    /// By acting effect.
    asides: Vec<Vec<Aside<'a>>>,
    g: Gather,
    clamps: bool,
    removes: bool,
}

impl<'a> Part<'a> {
    fn value(&self) -> Low<OutVal<'a>> {
        let g = &self.g;
        Ok(match (g.mode, g.frac, &self.def.ty) {
            (Mode::Each, _, Ty::Entity(entity)) => OutVal::Records { entity: *entity, present: g.acc },
            (Mode::Each, ..) => return gap("records of no record type"),
            (Mode::All, ..) => OutVal::Plain(Val::Mask(g.acc)),
            (_, Some(q), _) => OutVal::Plain(Val::Frac(q)),
            _ => OutVal::Plain(Val::Reg(g.acc)),
        })
    }
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
        for id in self.reads(e) {
            self.output(id)?;
        }
        Ok(())
    }

    /// The outputs that an expression reads, directly or through lets.
    fn reads(&self, e: &'a Expr) -> Vec<OutputId> {
        let (mut todo, mut lets, mut outputs) = (vec![e], Vec::new(), Vec::new());
        while let Some(e) = todo.pop() {
            match &e.kind {
                ExprKind::Output(id) | ExprKind::OutputOf(id, _) if !outputs.contains(id) => {
                    outputs.push(*id);
                }
                ExprKind::Let(id) if !lets.contains(id) => {
                    lets.push(*id);
                    todo.extend(self.book.lets.get(id.ix()).map(|l| &l.value));
                }
                _ => {}
            }
            todo.extend(parts(e));
        }
        outputs
    }

    pub fn needs_of_rule(&mut self, rule: &'a Rule) -> Low<()> {
        let list = rule.for_each.iter().map(|f| &f.list);
        for e in list.chain(&rule.guard).chain(&rule.when) {
            self.needs(e)?;
        }
        Ok(())
    }

    /// Computes an output, once, after those that it reads; with it, those that the same rules decide.
    pub fn output(&mut self, id: OutputId) -> Low<OutVal<'a>> {
        match self.here().outputs.get(&id) {
            Some(Some(value)) => return Ok(value.clone()),
            Some(None) => return gap("an output that reads itself"),
            None => {}
        }
        self.here().outputs.insert(id, None);
        let def = self.output_def(id)?;
        let name = &def.name;
        let named = |g: Gap| Gap(format!("output {name}: {}", g.0));
        let acting = self.acting(id)?;
        // What is read must be there before, whatever path the code takes.
        for e in read_by(def, &acting) {
            self.needs(e)?;
        }
        if def.per.is_some() {
            let value = self.lines(id, def, &acting).map_err(named)?;
            self.here().outputs.insert(id, Some(value.clone()));
            return Ok(value);
        }
        let mut parts = vec![self.part(id, def, acting).map_err(named)?];
        if !self.here().called {
            self.company(&mut parts)?;
        }
        self.group(&mut parts)?;
        self.known_output(id)
    }

    /// Adds the outputs that can be computed in one go with the first: rules that act on several are then tested once.
    fn company(&mut self, parts: &mut Vec<Part<'a>>) -> Low<()> {
        let (Some(first), decision) = (parts.first(), self.here().decision) else { return Ok(()) };
        let (guard, rules) = (first.def.guard_key, first.acting.iter().map(|a| a.id).collect::<Vec<_>>());
        let book = self.book;
        let Some(decision) = book.vocab.decisions.get(decision.ix()) else { return Ok(()) };
        // Looking at every output for each is for decisions that people write.
        if decision.outputs.len() > MOST_TOGETHER {
            return Ok(());
        }
        for &id in &decision.order {
            let def = self.output_def(id)?;
            let same_guard = def.guard.is_some() == guard.is_some() && def.guard_key == guard;
            if self.here().outputs.contains_key(&id) || def.per.is_some() || !same_guard {
                continue;
            }
            let acting = self.acting(id)?;
            let shared = acting.iter().any(|a| rules.contains(&a.id));
            let mut read = read_by(def, &acting);
            for a in &acting {
                read.extend(self.read_by_overriders(a.id)?);
            }
            let ready = read
                .into_iter()
                .all(|e| self.reads(e).iter().all(|o| matches!(self.here().outputs.get(o), Some(Some(_)))));
            // What is not covered says so when its own turn comes.
            if shared
                && ready
                && let Ok(part) = self.part(id, def, acting)
            {
                self.here().outputs.insert(id, None);
                parts.push(part);
            }
        }
        Ok(())
    }

    /// Computes outputs that have one guard and read nothing of each other.
    fn group(&mut self, parts: &mut [Part<'a>]) -> Low<()> {
        let ids: Vec<OutputId> = parts.iter().map(|p| p.id).collect();
        for part in parts.iter_mut() {
            // A rule may have many effects on one output; they stand one after the other.
            let mut last = None;
            for i in 0..part.acting.len() {
                let Some(id) = part.acting.get(i).map(|a| a.id) else { continue };
                if last.replace(id) != Some(id) && !self.within(id, &ids)? {
                    self.effective(id, part.id)?;
                }
                let asides = if self.here().called { Vec::new() } else { self.set_aside(id, part.id)? };
                part.asides.push(asides);
            }
        }
        let end = self.label();
        let guard = parts.first().and_then(|p| p.def.guard.as_ref());
        for part in parts.iter() {
            let g = &part.g;
            if part.clamps {
                self.load(g.before, ABSENT);
            }
            if guard.is_some() {
                self.load(g.acc, ABSENT);
                if let Some(dst) = g.frac {
                    self.emit(Inst::QAbsent { dst });
                }
            }
        }
        if let Some(guard) = guard {
            self.cond(guard, false, end)?;
        }
        for part in parts.iter() {
            self.begin(part)?;
        }
        let mut rules: Vec<RuleId> = parts.iter().flat_map(|p| p.acting.iter().map(|a| a.id)).collect();
        rules.sort_unstable();
        rules.dedup();
        for rule in rules {
            let name = &self.rule(rule)?.name;
            self.rule_acts(rule, parts, &ids).map_err(|gap| Gap(format!("rule {name}: {}", gap.0)))?;
        }
        for part in parts.iter() {
            self.settle(part)?;
        }
        self.place(end);
        for part in parts.iter() {
            let value = part.value()?;
            self.here().outputs.insert(part.id, Some(value));
        }
        Ok(())
    }

    /// All effects of a rule on the outputs at hand.
    fn rule_acts(&mut self, rule: RuleId, parts: &[Part<'a>], ids: &[OutputId]) -> Low<()> {
        let effects = || {
            parts.iter().flat_map(move |p| {
                // Effects stand in rule order.
                let start = p.acting.partition_point(|a| a.id < rule);
                let own = p.acting.iter().zip(&p.asides).skip(start);
                let own = own.take_while(move |(a, _)| a.id == rule);
                own.map(move |(a, asides)| (p, a, asides))
            })
        };
        if self.within(rule, ids)? {
            // The guard holds here, and so does that of the rule, which is the same.
            let skip = self.label();
            let guarded = parts.first().is_some_and(|p| p.def.guard.is_some());
            self.rule_condition(rule, guarded, skip)?;
            for (part, a, _) in effects() {
                let site = self.effect_site(a, part.g.out);
                let next = self.label();
                self.apply(part.def, a, &part.g, site, None, next)?;
                self.place(next);
            }
            self.place(skip);
            return Ok(());
        }
        for (part, a, asides) in effects() {
            self.act(part.id, part.def, a, &part.g, asides)?;
        }
        Ok(())
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

    /// The rule acts only on these outputs and nothing hangs on it: its condition is tested where its effects are.
    fn within(&mut self, id: RuleId, outputs: &[OutputId]) -> Low<bool> {
        let rule = self.rule(id)?;
        let only = rule.effects.iter().all(|e| outputs.contains(&e.output));
        Ok(only && rule.for_each.is_none() && !self.entangled(id))
    }

    /// What an output needs to be computed; refuses what is not covered before any code is emitted.
    fn part(&mut self, id: OutputId, def: &'a OutputDef, acting: Vec<Acting<'a>>) -> Low<Part<'a>> {
        self.covered(def)?;
        let single = single(def.mode);
        let binding = binds(&acting);
        if binding && (self.loops > 0 || self.depth > 0) {
            return gap("binding rules in a called decision");
        }
        let clamps = acting.iter().any(|a| clamp(a.effect));
        let fractions = single && def.ty.is_numeric() && self.output_digits(id).is_none();
        if (clamps || binding) && matches!(def.ty, Ty::Period | Ty::Text) {
            return gap("clamped or binding periods or texts");
        }
        if fractions && (binding || clamps) {
            return gap("clamps of fractions");
        }
        let out = self.spec(id, def)?;
        let g = Gather {
            out,
            mode: def.mode,
            acc: self.reg(),
            frac: fractions.then(|| self.frac()),
            removed: self.reg(),
            low: self.reg(),
            high: self.reg(),
            before: self.reg(),
            binding,
            noted: binding || !self.here().called,
        };
        let removes = acting.iter().any(|a| a.effect.op == EffectOp::Remove);
        Ok(Part { id, def, acting, asides: Vec::new(), g, clamps, removes })
    }

    /// Refuses outputs of types that registers do not combine.
    pub fn covered(&self, def: &OutputDef) -> Low<()> {
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
        if single(def.mode) && matches!(def.ty, Ty::Entity(_) | Ty::List(_) | Ty::Set(_)) {
            return gap("an output that is a record, list or set");
        }
        Ok(())
    }

    /// Nothing gathered yet.
    fn begin(&mut self, part: &Part<'a>) -> Low<()> {
        let g = &part.g;
        let start = match g.mode {
            Mode::Sum | Mode::All => 0,
            Mode::Each => 1,
            _ => ABSENT,
        };
        self.load(g.acc, start);
        match (g.frac, g.mode) {
            (Some(dst), Mode::Sum) => {
                let zero = self.fraction(&num_traits::Zero::zero())?;
                self.emit(Inst::QMov { dst, a: zero });
            }
            (Some(dst), _) => self.emit(Inst::QAbsent { dst }),
            _ => {}
        }
        if part.removes {
            self.load(g.removed, 0);
        }
        if part.clamps {
            self.load(g.low, ABSENT);
            self.load(g.high, ABSENT);
        }
        Ok(())
    }

    /// Removals, fallback and clamps, when everything is gathered.
    fn settle(&mut self, part: &Part<'a>) -> Low<()> {
        let (g, def) = (&part.g, part.def);
        let acc = g.acc;
        if g.binding {
            self.emit(Inst::Combine { dst: acc, out: g.out });
        } else if part.removes {
            // Set the removed members, then take them away.
            self.emit(Inst::Or { dst: acc, a: acc, b: g.removed });
            self.emit(Inst::Sub { dst: acc, a: acc, b: g.removed });
        }
        if single(g.mode)
            && let Fallback::Else(value) = &def.fallback
        {
            let there = self.label();
            let constant = self.constant_of(value).and_then(|k| i32::try_from(k).ok());
            match (g.frac, constant) {
                (Some(a), _) => {
                    self.emit(Inst::JQAbsent { want: false, a, to: Builder::target(there) });
                    let value = self.num(value)?;
                    let value = self.frac_of(value);
                    self.emit(Inst::QMov { dst: a, a: value });
                }
                (None, Some(k)) => self.emit(Inst::Default { acc, k }),
                (None, None) => {
                    self.emit(Inst::JAbsent { want: false, a: acc, to: Builder::target(there) });
                    let src = self.scalar(value)?;
                    self.emit(Inst::Mov { dst: acc, src });
                }
            }
            self.place(there);
        }
        if part.clamps {
            self.emit(Inst::Mov { dst: g.before, src: acc });
            self.clamped_from(g.out, g.before);
            if g.binding {
                self.emit(Inst::Clamps { a: acc, out: g.out });
            } else {
                self.emit(Inst::Clamp { a: acc, lo: g.low, hi: g.high });
            }
        }
        Ok(())
    }

    /// Tells where a value is before its clamps.
    pub fn clamped_from(&mut self, out: u16, before: Reg) {
        if let Some(spec) = self.code.combines.get_mut(usize::from(out)) {
            spec.before = Some(before);
        }
    }

    pub fn spec(&mut self, output: OutputId, def: &OutputDef) -> Low<u16> {
        let called = self.here().called;
        let (mode, better) = (def.mode, def.better);
        self.code.combines.push(CombineSpec { output, mode, better, called, before: None });
        u16::try_from(self.code.combines.len() - 1).map_err(|_| Gap("too many outputs".into()))
    }
}

/// Everything that an output's computation reads, besides what overriders read.
fn read_by<'a>(def: &'a OutputDef, acting: &[Acting<'a>]) -> Vec<&'a Expr> {
    let mut all: Vec<&Expr> = def.guard.iter().collect();
    if let Fallback::Else(e) = &def.fallback {
        all.push(e);
    }
    for a in acting {
        all.push(&a.effect.value);
        all.extend(a.rule.for_each.iter().map(|f| &f.list).chain(&a.rule.guard).chain(&a.rule.when));
    }
    all
}

/// One value at most.
fn single(mode: Mode) -> bool {
    matches!(mode, Mode::One | Mode::Max | Mode::Min | Mode::Sum)
}

/// Whether a binding effect meets one of a more specific layer.
pub(super) fn binds(acting: &[Acting<'_>]) -> bool {
    let bound = acting.iter().filter(|a| a.effect_binds()).map(|a| a.rank).min();
    bound.is_some_and(|b| acting.iter().any(|a| a.rank > b))
}

impl Acting<'_> {
    pub fn effect_binds(&self) -> bool {
        self.rule.binding
    }
}

pub(super) fn clamp(effect: &Effect) -> bool {
    matches!(effect.op, EffectOp::AtLeast | EffectOp::AtMost)
}
