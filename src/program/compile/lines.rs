//! Outputs per line: one combination for each element of a list.
use super::builder::*;
use super::output::{Acting, binds, clamp};
use crate::lang::typed::*;
use crate::program::code::*;

impl<'a> Builder<'a> {
    /// An output per line.
    pub fn lines(&mut self, id: OutputId, def: &'a OutputDef, acting: &[Acting<'a>]) -> Low<OutVal<'a>> {
        self.covered(def)?;
        if binds(acting) {
            return gap("binding rules on lines");
        }
        let out = self.spec(id, def)?;
        if def.mode == Mode::Each {
            return gap("records by line");
        }
        let fractions = def.ty.is_numeric() && acting.iter().any(|a| self.digits(&a.effect.value).is_none());
        if fractions && acting.iter().any(|a| clamp(a.effect) || a.effect.value.ty.is_optional()) {
            return gap("fractions by line that are clamped or may be absent");
        }
        let Some(root) = def.per else { return gap("lines of nothing") };
        let Val::List(list) = self.root(root)? else { return gap("lines of something that is no list") };
        let noted = !self.here().called;
        let all = def.mode == Mode::All;
        let initial = if matches!(def.mode, Mode::Sum | Mode::All) { 0 } else { ABSENT };
        let buffer = |b: &mut Self, value: i64| {
            let (start, fill) = (b.reg(), b.pool16(value)?);
            b.emit(Inst::Alloc { dst: start, len: list.len, width: 1, fill });
            Ok(start)
        };
        let start = if fractions {
            let dst = self.reg();
            self.emit(Inst::QAlloc { dst, len: list.len, zero: def.mode == Mode::Sum });
            dst
        } else {
            buffer(self, initial)?
        };
        let clamps = acting.iter().any(|a| clamp(a.effect));
        let (mut low, mut high, mut removed, mut before) = (start, start, start, start);
        if clamps {
            (low, high) = (buffer(self, ABSENT)?, buffer(self, ABSENT)?);
            before = buffer(self, ABSENT)?;
            self.clamped_from(out, before);
        }
        if clamps && matches!(def.ty, Ty::Period | Ty::Text) {
            return gap("clamped periods or texts by line");
        }
        // Where the guard does not hold, nothing is contributed, and the line is absent.
        let mut guarded = None;
        if let Some(guard) = &def.guard {
            let (on, one) = (buffer(self, 0)?, self.constant(1));
            self.each(&list, def.var, |b, _, i, next| {
                b.cond(guard, false, next)?;
                b.emit(Inst::Put { start: on, i, src: one });
                Ok(())
            })?;
            guarded = Some(on);
        }
        let removes = acting.iter().any(|a| a.effect.op == EffectOp::Remove);
        if removes {
            removed = buffer(self, 0)?;
        }
        for a in acting {
            if self.holds_against(a.id) {
                return gap("an override of a binding rule on lines");
            }
            let Some(each) = &a.rule.for_each else {
                return gap("an effect on lines by a rule without elements");
            };
            if !a.effect.per_element || each.root != Some(root) {
                return gap("an effect on lines of another list");
            }
            let site = self.effect_site(a, out);
            let inline = a.rule.effects.len() == 1 && !self.entangled(a.id);
            let reader = self.rule_reader(a.id);
            let outer = std::mem::replace(&mut self.reader, reader);
            let skip = self.label();
            let state = if inline {
                self.rule_in_force(a.rule, skip)?;
                None
            } else {
                Some(self.effective(a.id, a.effect.output)?)
            };
            if let Some(Effective::Each { any, .. }) = &state {
                self.emit(Inst::JImm { cmp: Cmp::EQ, a: *any, k: 0, to: Builder::target(skip) });
            }
            let value = &a.effect.value;
            self.each(&list, Some(each.var), |b, elem, i, next| {
                b.name_lines(a.rule, elem)?;
                b.line_guarded(guarded, i, next);
                match &state {
                    None => b.rule_condition(a.id, false, next)?,
                    Some(Effective::Each { start, .. }) => {
                        let on = b.reg();
                        b.emit(Inst::Get { dst: on, start: *start, i });
                        b.emit(Inst::JImm { cmp: Cmp::EQ, a: on, k: 0, to: Builder::target(next) });
                    }
                    Some(Effective::Reg(_)) => return gap("elements of no list"),
                }
                if fractions {
                    let n = b.num(value)?;
                    let (val, acc) = (b.frac_of(n), b.frac());
                    if noted {
                        b.emit(Inst::ContribQAt { site, val, elem: i });
                    }
                    b.emit(Inst::QGet { dst: acc, start, i });
                    b.emit(match def.mode {
                        Mode::Max => Inst::QAccMax { acc, val },
                        Mode::Min => Inst::QAccMin { acc, val },
                        Mode::Sum => Inst::QAccSum { acc, val },
                        _ => Inst::QAccOne { acc, val },
                    });
                    b.emit(Inst::QPut { start, i, src: acc });
                    return Ok(());
                }
                let val = b.contribution(def, value)?;
                if value.ty.is_optional() {
                    b.emit(Inst::JAbsent { want: true, a: val, to: Builder::target(next) });
                }
                if noted {
                    b.note(site, val, Some(i));
                }
                let acc = b.reg();
                let (place, mode) = match a.effect.op {
                    EffectOp::AtLeast => (low, Mode::Max),
                    EffectOp::AtMost => (high, Mode::Min),
                    EffectOp::Remove => (removed, Mode::All),
                    EffectOp::Set | EffectOp::Add => (start, def.mode),
                };
                b.emit(Inst::Get { dst: acc, start: place, i });
                b.accumulate(mode, acc, val);
                b.emit(Inst::Put { start: place, i, src: acc });
                Ok(())
            })?;
            self.place(skip);
            self.reader = outer;
        }
        let fallback = match &def.fallback {
            Fallback::Else(value) if !all => Some(value),
            _ => None,
        };
        if fallback.is_some() || clamps || removes || guarded.is_some() {
            self.each(&list, def.var, |b, _, i, next| {
                if guarded.is_some() {
                    b.line_off(guarded, start, i, fractions, next);
                }
                if fractions {
                    let a = b.frac();
                    b.emit(Inst::QGet { dst: a, start, i });
                    b.emit(Inst::JQAbsent { want: false, a, to: Builder::target(next) });
                    if let Some(value) = fallback {
                        let n = b.num(value)?;
                        let src = b.frac_of(n);
                        b.emit(Inst::QPut { start, i, src });
                    }
                    return Ok(());
                }
                let acc = b.reg();
                b.emit(Inst::Get { dst: acc, start, i });
                if removes {
                    let gone = b.reg();
                    b.emit(Inst::Get { dst: gone, start: removed, i });
                    b.emit(Inst::Or { dst: acc, a: acc, b: gone });
                    b.emit(Inst::Sub { dst: acc, a: acc, b: gone });
                }
                if let Some(value) = fallback {
                    let there = b.label();
                    b.emit(Inst::JAbsent { want: false, a: acc, to: Builder::target(there) });
                    let src = match b.lower(value)? {
                        Val::Reg(src) => src,
                        Val::Frac(_) => return gap("fractions by line"),
                        _ => return gap("this fallback"),
                    };
                    b.emit(Inst::Mov { dst: acc, src });
                    b.place(there);
                }
                if clamps {
                    b.emit(Inst::Put { start: before, i, src: acc });
                    let (lo, hi) = (b.reg(), b.reg());
                    b.emit(Inst::Get { dst: lo, start: low, i });
                    b.emit(Inst::Get { dst: hi, start: high, i });
                    b.emit(Inst::Clamp { a: acc, lo, hi });
                }
                b.emit(Inst::Put { start, i, src: acc });
                Ok(())
            })?;
        }
        let len = list.len;
        Ok(OutVal::Lines { start, len, fractions })
    }

    /// On to the next line where the output's guard does not hold.
    fn line_guarded(&mut self, guarded: Option<Reg>, i: Reg, next: Spot) {
        if let Some(start) = guarded {
            let a = self.reg();
            self.emit(Inst::Get { dst: a, start, i });
            self.emit(Inst::JImm { cmp: Cmp::EQ, a, k: 0, to: Builder::target(next) });
        }
    }

    /// Where the output's guard does not hold, the line is absent, and that is all.
    fn line_off(&mut self, guarded: Option<Reg>, start: Reg, i: Reg, fractions: bool, next: Spot) {
        let (off, on) = (self.label(), self.label());
        self.line_guarded(guarded, i, off);
        self.jump(on);
        self.place(off);
        if fractions {
            let src = self.frac();
            self.emit(Inst::QAbsent { dst: src });
            self.emit(Inst::QPut { start, i, src });
        } else {
            let src = self.constant(ABSENT);
            self.emit(Inst::Put { start, i, src });
        }
        self.jump(next);
        self.place(on);
    }
}
