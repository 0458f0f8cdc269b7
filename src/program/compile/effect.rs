//! Effects: the values that effective rules give to an output, noted and gathered.
use super::builder::*;
use super::output::{Acting, Aside, Gather};
use super::rules::whole;
use crate::lang::typed::*;
use crate::program::code::*;
use crate::program::link::Reach;

impl<'a> Builder<'a> {
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
    pub fn act(
        &mut self,
        id: OutputId,
        def: &'a OutputDef,
        a: &Acting<'a>,
        g: &Gather,
        asides: &[Aside<'a>],
    ) -> Low<()> {
        let skip = self.label();
        let to = Builder::target(skip);
        let site = self.effect_site(a, g.out);
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
        self.place(skip);
        Ok(())
    }

    /// The effect's value into the accumulators.
    pub fn apply(
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
        let acc = g.acc;
        if let Some(k) = self.constant_contribution(def, value)
            && matches!(a.effect.op, EffectOp::Set | EffectOp::Add)
            && g.noted
            && !g.binding
            && elem.is_none()
        {
            let site = site as u16;
            self.emit(match g.mode {
                Mode::Max => Inst::GiveMax { acc, k, site },
                Mode::Min => Inst::GiveMin { acc, k, site },
                Mode::Sum => Inst::GiveSum { acc, k, site },
                Mode::All => Inst::GiveAll { acc, k, site },
                _ => Inst::GiveOne { acc, k, site },
            });
            return Ok(());
        }
        let val = self.contribution(def, value)?;
        if value.ty.is_optional() {
            self.emit(Inst::JAbsent { want: true, a: val, to: Builder::target(skip) });
        }
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

    /// A contribution's bits if they are known now and small.
    fn constant_contribution(&mut self, def: &'a OutputDef, value: &'a Expr) -> Option<i32> {
        if self.code.effects.len() > usize::from(u16::MAX) {
            return None;
        }
        let bit = |k: i64| (0..31).contains(&k).then(|| 1i64 << k);
        let k = match (&value.kind, def.mode) {
            (ExprKind::Set(values), Mode::All) => {
                let mut mask = 0;
                for value in values {
                    mask |= bit(self.constant_of(value)?)?;
                }
                mask
            }
            (_, Mode::All) => bit(self.constant_of(value)?)?,
            _ => self.constant_of(value)?,
        };
        i32::try_from(k).ok()
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
