//! Lists: loops, comprehensions, and splitting an amount over a list.
use super::builder::*;
use super::number::{Num, fixed};
use crate::lang::typed::*;
use crate::program::code::*;
use crate::program::facts::{Shape, pack_period};

impl<'a> Builder<'a> {
    /// A list to run over.
    pub fn list(&mut self, e: &'a Expr) -> Low<List<'a>> {
        match self.lower(e)? {
            Val::List(list) => Ok(list),
            _ => gap("a loop over a set"),
        }
    }

    /// Runs `body` for every element; its label goes on with the next one.
    pub fn each(
        &mut self,
        list: &List<'a>,
        var: Option<VarId>,
        body: impl FnOnce(&mut Self, &Elem<'a>, Reg, Spot) -> Low<()>,
    ) -> Low<()> {
        let (again, next, end) = (self.label(), self.label(), self.label());
        let i = self.constant(0);
        let len = list.len;
        self.emit(Inst::JReg { cmp: Cmp::GE, a: i, b: len, to: Builder::target(end) });
        self.place(again);
        let elem = match list.kind {
            ListKind::Rows(element) => {
                let base = self.reg();
                let width = u16::try_from(element.width).map_err(|_| Gap("rows this wide".into()))?;
                self.emit(Inst::RowAt { dst: base, start: list.start, i, width });
                let val = self.fact(&element.place, Base::Row(base), element.place.ty.is_optional())?;
                Elem { val, pos: i, root: list.root, base: Some(base) }
            }
            ListKind::Picked { element, fresh } => {
                let (at, pos, base) = (self.reg(), self.reg(), self.reg());
                self.emit(Inst::RowAt { dst: at, start: list.start, i, width: 2 });
                let zero = self.constant(0);
                self.emit(Inst::Get { dst: pos, start: at, i: zero });
                let one = self.constant(1);
                self.emit(Inst::Get { dst: base, start: at, i: one });
                let val = self.fact(&element.place, Base::Row(base), element.place.ty.is_optional())?;
                Elem { val, pos: if fresh { i } else { pos }, root: list.root, base: Some(base) }
            }
            ListKind::Scalars => {
                let dst = self.reg();
                self.emit(Inst::Get { dst, start: list.start, i });
                Elem { val: Val::Reg(dst), pos: i, root: list.root, base: None }
            }
        };
        if let Some(var) = var {
            self.vars.insert(var, elem.clone());
        }
        self.loops += 1;
        body(self, &elem, i, next)?;
        self.loops -= 1;
        self.place(next);
        self.emit(Inst::Next { i, len, to: Builder::target(again) });
        self.place(end);
        Ok(())
    }

    pub fn comprehension(
        &mut self,
        e: &'a Expr,
        kind: CompKind,
        var: VarId,
        list: &'a Expr,
        cond: Option<&'a Expr>,
        body: Option<&'a Expr>,
    ) -> Low<Val<'a>> {
        let list = self.list(list)?;
        if let Some(body) = body
            && body.ty.is_optional()
            && kind != CompKind::List
        {
            return gap("a comprehension over optional values");
        }
        match (kind, body) {
            (CompKind::Count, _) => {
                let (acc, one) = (self.constant(0), self.constant(1));
                self.each(&list, Some(var), |b, _, _, next| {
                    b.filter(cond, next)?;
                    b.emit(Inst::Add { dst: acc, a: acc, b: one });
                    Ok(())
                })?;
                Ok(Val::Reg(acc))
            }
            (CompKind::Any | CompKind::All, Some(body)) => {
                let any = kind == CompKind::Any;
                let (acc, end) = (self.reg(), self.label());
                self.load(acc, i64::from(any));
                self.each(&list, Some(var), |b, _, _, next| {
                    b.filter(cond, next)?;
                    b.cond(body, any, end)
                })?;
                self.load(acc, i64::from(!any));
                self.place(end);
                Ok(Val::Reg(acc))
            }
            (CompKind::Sum, Some(body)) if *body.ty.inner() == Ty::Period => {
                self.sum_of_periods(var, &list, cond, body)
            }
            (CompKind::Sum, Some(body)) => {
                let ok = body.ty.is_numeric() || body.ty == Ty::Duration;
                if !ok {
                    return gap("a sum of this type");
                }
                if self.digits(body).is_none() {
                    let acc = self.fraction(&num_traits::Zero::zero())?;
                    self.each(&list, Some(var), |b, _, _, next| {
                        b.filter(cond, next)?;
                        let value = b.num_or_duration(body)?;
                        let value = b.frac_of(value);
                        b.emit(Inst::QAdd { dst: acc, a: acc, b: value });
                        Ok(())
                    })?;
                    return Ok(Val::Frac(acc));
                }
                let acc = self.constant(0);
                self.each(&list, Some(var), |b, _, _, next| {
                    b.filter(cond, next)?;
                    let value = b.scalar(body)?;
                    b.emit(Inst::Add { dst: acc, a: acc, b: value });
                    Ok(())
                })?;
                Ok(Val::Reg(acc))
            }
            (CompKind::Min | CompKind::Max, Some(body)) => {
                if matches!(body.ty.inner(), Ty::Period | Ty::Text) || e.ty.is_optional() {
                    return gap("the extreme of this type");
                }
                let max = kind == CompKind::Max;
                let nonempty = self.label();
                if body.ty.is_numeric() && self.digits(body).is_none() {
                    let acc = self.frac();
                    self.emit(Inst::QAbsent { dst: acc });
                    self.each(&list, Some(var), |b, _, _, next| {
                        b.filter(cond, next)?;
                        let value = b.num(body)?;
                        let val = b.frac_of(value);
                        b.emit(if max { Inst::QAccMax { acc, val } } else { Inst::QAccMin { acc, val } });
                        Ok(())
                    })?;
                    self.emit(Inst::JQAbsent { want: false, a: acc, to: Builder::target(nonempty) });
                    self.emit(Inst::Leave);
                    self.place(nonempty);
                    return Ok(Val::Frac(acc));
                }
                let acc = self.constant(ABSENT);
                self.each(&list, Some(var), |b, _, _, next| {
                    b.filter(cond, next)?;
                    let val = b.scalar(body)?;
                    b.emit(if max { Inst::AccMax { acc, val } } else { Inst::AccMin { acc, val } });
                    Ok(())
                })?;
                self.emit(Inst::JAbsent { want: false, a: acc, to: Builder::target(nonempty) });
                self.emit(Inst::Leave);
                self.place(nonempty);
                Ok(Val::Reg(acc))
            }
            (CompKind::List, Some(body)) => self.chosen(var, &list, cond, body),
            _ => gap("a comprehension without a body"),
        }
    }

    /// Days and months do not add up, so the sum begins with the first period; of none it is no days.
    fn sum_of_periods(
        &mut self,
        var: VarId,
        list: &List<'a>,
        cond: Option<&'a Expr>,
        body: &'a Expr,
    ) -> Low<Val<'a>> {
        let acc = self.constant(ABSENT);
        let nonempty = self.label();
        self.each(list, Some(var), |b, _, _, next| {
            b.filter(cond, next)?;
            let value = b.scalar(body)?;
            let (first, done) = (b.label(), b.label());
            b.emit(Inst::JAbsent { want: true, a: acc, to: Builder::target(first) });
            let total = b.fun(Fun::PeriodAdd, acc, value);
            b.emit(Inst::Mov { dst: acc, src: total });
            b.jump(done);
            b.place(first);
            b.emit(Inst::Mov { dst: acc, src: value });
            b.place(done);
            Ok(())
        })?;
        self.emit(Inst::JAbsent { want: false, a: acc, to: Builder::target(nonempty) });
        self.load(acc, pack_period(Period::Days(0)));
        self.place(nonempty);
        Ok(Val::Reg(acc))
    }

    fn filter(&mut self, cond: Option<&'a Expr>, next: Spot) -> Low<()> {
        match cond {
            Some(cond) => self.cond(cond, false, next),
            None => Ok(()),
        }
    }

    /// `list(body for var in list where cond)`: chosen facts, or computed plain values.
    fn chosen(
        &mut self,
        var: VarId,
        list: &List<'a>,
        cond: Option<&'a Expr>,
        body: &'a Expr,
    ) -> Low<Val<'a>> {
        let itself = matches!(&body.kind, ExprKind::Var(v) if *v == var);
        let element = match list.kind {
            ListKind::Rows(element) | ListKind::Picked { element, .. } => Some(element),
            ListKind::Scalars => None,
        };
        let rows = element.filter(|e| itself && matches!(e.place.shape, Shape::Entity(_)));
        if rows.is_none() && matches!(body.ty.inner(), Ty::Entity(_) | Ty::List(_) | Ty::Set(_)) {
            return gap("a list of entities, records or lists that are not chosen from one list");
        }
        let width = if rows.is_some() { 2 } else { 1 };
        let start = self.reg();
        let len = self.constant(0);
        let fill = self.pool16(0)?;
        self.emit(Inst::Alloc { dst: start, len: list.len, width, fill });
        self.each(list, Some(var), |b, elem, _, next| {
            b.filter(cond, next)?;
            let one = b.constant(1);
            match (rows, elem.base) {
                (Some(_), Some(base)) => {
                    let at = b.reg();
                    b.emit(Inst::RowAt { dst: at, start, i: len, width: 2 });
                    b.emit(Inst::PutK { start: at, i: 0, src: elem.pos });
                    b.emit(Inst::PutK { start: at, i: 1, src: base });
                }
                _ => {
                    let src = b.scalar(body)?;
                    b.emit(Inst::Put { start, i: len, src });
                }
            }
            b.emit(Inst::Add { dst: len, a: len, b: one });
            Ok(())
        })?;
        Ok(Val::List(match rows {
            Some(element) => {
                List { kind: ListKind::Picked { element, fresh: false }, start, len, root: list.root }
            }
            None => List { kind: ListKind::Scalars, start, len, root: None },
        }))
    }

    /// The parts of an amount: a start in `vals` and a length.
    fn parts(
        &mut self,
        amount: &'a Expr,
        var: VarId,
        list: &'a Expr,
        weight: &'a Expr,
        mut note: impl FnMut(&mut Self, &Elem<'a>, Reg),
    ) -> Low<(Reg, Reg)> {
        let Some(step) = self.step_of(&amount.ty).as_ref().and_then(fixed).filter(|s| *s > 0) else {
            return gap("splitting an amount without a step");
        };
        let total = self.scalar(amount)?;
        let list = self.list(list)?;
        if self.digits(weight).is_none() || !weight.ty.is_numeric() || weight.ty.is_optional() {
            return gap("splitting by weights of more than four digits");
        }
        let (head, start, done) = (self.reg(), self.reg(), self.reg());
        let fill = self.pool16(0)?;
        self.emit(Inst::AllocK { dst: head, n: 1 });
        self.emit(Inst::Alloc { dst: start, len: list.len, width: 2, fill });
        self.emit(Inst::PutK { start: head, i: 0, src: list.len });
        self.each(&list, Some(var), |b, elem, i, _| {
            note(b, elem, i);
            let src = match b.num(weight)? {
                Num::Int(r) | Num::Fix(r) => r,
                Num::Frac(_) => return gap("splitting by fractions"),
            };
            b.emit(Inst::Put { start, i, src });
            Ok(())
        })?;
        let step = self.pool(step);
        self.emit(Inst::Split { dst: done, amount: total, start: head, step });
        Ok((start, list.len))
    }

    pub fn split(&mut self, amount: &'a Expr, var: VarId, list: &'a Expr, weight: &'a Expr) -> Low<Val<'a>> {
        let (start, len) = self.parts(amount, var, list, weight, |_, _, _| {})?;
        Ok(Val::List(List { kind: ListKind::Scalars, start, len, root: None }))
    }

    pub fn share(
        &mut self,
        e: &'a Expr,
        of: VarId,
        amount: &'a Expr,
        var: VarId,
        list: &'a Expr,
        weight: &'a Expr,
    ) -> Low<Val<'a>> {
        let Some(of) = self.vars.get(&of).cloned() else { return gap("a loop variable out of its loop") };
        let Some(of_base) = of.base else { return gap("the share of something that is not a fact") };
        if *e.ty.inner() == Ty::Int {
            return gap("the share of an integer");
        }
        let found = self.constant(-1);
        let (start, _) = self.parts(amount, var, list, weight, |b, elem, i| {
            // Rows of one list lie at one place each, so the row's first slot tells which element it is.
            if let Some(base) = elem.base {
                let other = b.label();
                b.emit(Inst::JReg { cmp: Cmp::NE, a: base, b: of_base, to: Builder::target(other) });
                b.emit(Inst::Mov { dst: found, src: i });
                b.place(other);
            }
        })?;
        let (dst, end) = (self.reg(), self.label());
        self.load(dst, 0);
        self.emit(Inst::JImm { cmp: Cmp::LT, a: found, k: 0, to: Builder::target(end) });
        self.emit(Inst::Get { dst, start, i: found });
        self.place(end);
        Ok(Val::Reg(dst))
    }
}
