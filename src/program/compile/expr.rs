//! Expressions to registers.
use super::builder::*;
use super::number::fixed;
use crate::lang::typed::*;
use crate::program::code::*;
use crate::program::facts::{Place, Shape, pack_period};
use num_traits::ToPrimitive;

impl<'a> Builder<'a> {
    /// The value of an expression.
    pub fn lower(&mut self, e: &'a Expr) -> Low<Val<'a>> {
        match &e.kind {
            ExprKind::Const(c) => self.literal(c, &e.ty),
            ExprKind::Root(root) => self.root(*root),
            ExprKind::FactCall(fact, args) => self.fact_call(*fact, args, &e.ty),
            ExprKind::Var(var) => match self.vars.get(var) {
                Some(elem) => Ok(elem.val.clone()),
                None => gap("a loop variable out of its loop"),
            },
            ExprKind::Field(of, field) => {
                let of = self.lower(of)?;
                self.field(of, *field)
            }
            ExprKind::Let(id) => self.let_value(*id),
            ExprKind::Param(id) => self.param(*id, &e.ty),
            ExprKind::Output(id) => self.output_value(*id),
            ExprKind::OutputOf(id, var) => self.output_of(*id, *var, &e.ty),
            ExprKind::Not(_)
            | ExprKind::And(..)
            | ExprKind::Or(..)
            | ExprKind::Is(..)
            | ExprKind::IsAbsent(_)
            | ExprKind::Cmp(..)
            | ExprKind::In(..) => self.truth(e),
            ExprKind::Arith(op, a, b) => self.arith(e, *op, a, b),
            ExprKind::Neg(a) => self.negated(a),
            ExprKind::Widen(a) => {
                if let Some(bits) = self.constant_of(e) {
                    return Ok(Val::Reg(self.constant(bits)));
                }
                let opt = a.ty.is_optional();
                let a = self.scalar(a)?;
                let dst = self.reg();
                self.emit(if opt { Inst::WidenOpt { dst, a } } else { Inst::Widen { dst, a } });
                Ok(Val::Reg(dst))
            }
            ExprKind::Round { value, rounding, step } => self.rounded(e, value, rounding, step.as_ref()),
            ExprKind::If(cond, yes, no) => {
                let (other, end) = (self.label(), self.label());
                let into = self.into(e);
                self.cond(cond, false, other)?;
                self.assign(&into, yes)?;
                self.jump(end);
                self.place(other);
                self.assign(&into, no)?;
                self.place(end);
                Ok(into)
            }
            ExprKind::Otherwise(a, b) => {
                let end = self.label();
                let into = self.into(e);
                self.assign(&into, a)?;
                match into {
                    Val::Frac(a) => self.emit(Inst::JQAbsent { want: false, a, to: Builder::target(end) }),
                    Val::Reg(a) | Val::Mask(a) => {
                        self.emit(Inst::JAbsent { want: false, a, to: Builder::target(end) });
                    }
                    _ => return gap("`otherwise` on this type"),
                }
                self.assign(&into, b)?;
                self.place(end);
                Ok(into)
            }
            ExprKind::Present(a) => match &a.kind {
                // What is present needs no check for absent.
                ExprKind::Field(of, field) => {
                    let of = self.lower(of)?;
                    self.field_as(of, *field, false)
                }
                _ => self.lower(a),
            },
            ExprKind::Between(unit, a, b) => {
                let (a, b) = (self.scalar(a)?, self.scalar(b)?);
                let f = match unit {
                    Span2::Days => Fun::DaysBetween,
                    Span2::Months => Fun::MonthsBetween,
                    Span2::Years => Fun::YearsBetween,
                    Span2::Hours => Fun::HoursBetween,
                };
                Ok(Val::Reg(self.fun(f, a, b)))
            }
            ExprKind::Lookup { table, args, result } => self.lookup(*table, args, *result),
            ExprKind::Fill { .. } => gap("`fill`"),
            ExprKind::Call { decision, changes, output } => self.call(*decision, changes, *output),
            ExprKind::Comp { kind, var, list, cond, body } => {
                self.comprehension(e, *kind, *var, list, cond.as_deref(), body.as_deref())
            }
            ExprKind::Split { amount, var, list, weight } => self.split(amount, *var, list, weight),
            ExprKind::Share { of, amount, var, list, weight } => {
                self.share(e, *of, amount, *var, list, weight)
            }
            ExprKind::Previous { .. } => gap("`previous`, which looks back along a list"),
            ExprKind::Func(f, args) => self.function(e, *f, args),
            ExprKind::List(_) => gap("a list written out"),
            ExprKind::Set(values) => {
                let dst = self.constant(0);
                for value in values {
                    self.small_enum(value.ty.inner())?;
                    let a = self.scalar(value)?;
                    let bit = self.reg();
                    self.emit(Inst::Bit { dst: bit, a });
                    self.emit(Inst::Or { dst, a: dst, b: bit });
                }
                Ok(Val::Mask(dst))
            }
            ExprKind::Record(_, fields) => {
                let fields = fields.iter().map(|f| self.lower(f)).collect::<Low<Vec<_>>>()?;
                Ok(Val::Rec(fields))
            }
            ExprKind::Undecided(_) => {
                self.emit(Inst::Leave);
                // Nothing behind is reached; any shape of value will do.
                Ok(match e.ty.inner() {
                    Ty::Set(_) => Val::Mask(self.reg()),
                    Ty::List(_) | Ty::Entity(_) => return gap("an undecided list or record"),
                    _ => Val::Reg(self.reg()),
                })
            }
        }
    }

    /// A value that fits one register.
    pub fn scalar(&mut self, e: &'a Expr) -> Low<Reg> {
        match self.lower(e)? {
            Val::Reg(reg) | Val::Mask(reg) => Ok(reg),
            Val::Frac(a) => {
                // A fraction where fixed point is wanted: it is exact or leaves.
                let (dst, step) = (self.reg(), self.pool(1));
                self.emit(Inst::QOnStep { dst, a, step });
                Ok(dst)
            }
            _ => gap("an entity, record or list where a plain value is needed"),
        }
    }

    /// Where the value of `e` is to be put when several paths lead to it.
    fn into(&mut self, e: &'a Expr) -> Val<'a> {
        match e.ty.inner() {
            Ty::Set(_) => Val::Mask(self.reg()),
            ty if (ty.is_numeric() || matches!(ty, Ty::Rate(..))) && self.digits(e).is_none() => {
                Val::Frac(self.frac())
            }
            _ => Val::Reg(self.reg()),
        }
    }

    fn assign(&mut self, into: &Val<'a>, e: &'a Expr) -> Low<()> {
        if let Val::Reg(dst) = into
            && let Some(bits) = self.constant_of(e)
        {
            self.load(*dst, bits);
            return Ok(());
        }
        let value = self.lower(e)?;
        let int = *e.ty.inner() == Ty::Int;
        self.move_into(into, value, int)
    }

    pub fn move_into(&mut self, into: &Val<'a>, value: Val<'a>, int: bool) -> Low<()> {
        match (into, value) {
            (Val::Reg(dst), Val::Reg(src)) | (Val::Mask(dst), Val::Mask(src) | Val::Reg(src)) => {
                self.emit(Inst::Mov { dst: *dst, src });
            }
            (Val::Frac(dst), Val::Frac(a)) => self.emit(Inst::QMov { dst: *dst, a }),
            (Val::Frac(dst), Val::Reg(a)) => {
                let (dst, end, absent) = (*dst, self.label(), self.label());
                self.emit(Inst::JAbsent { want: true, a, to: Builder::target(absent) });
                self.emit(if int { Inst::QInt { dst, a } } else { Inst::QFix { dst, a } });
                self.jump(end);
                self.place(absent);
                self.emit(Inst::QAbsent { dst });
                self.place(end);
            }
            (Val::Reg(dst), Val::Frac(a)) => {
                let step = self.pool(1);
                self.emit(Inst::QOnStep { dst: *dst, a, step });
            }
            _ => return gap("a choice between lists, entities or records"),
        }
        Ok(())
    }

    fn literal(&mut self, c: &'a Const, ty: &Ty) -> Low<Val<'a>> {
        match c {
            Const::Num(n) | Const::Rate(n) => self.number_literal(n, ty),
            Const::Money(n, currency) if currency.0 == 0 => self.number_literal(n, &Ty::Money),
            Const::Money(..) => gap("an amount in a currency that is not the first"),
            Const::Text(text) => match self.linked.symbols.get(text) {
                Some(symbol) => Ok(Val::Reg(self.constant(i64::from(symbol)))),
                None => gap("a text without a symbol"),
            },
            Const::Absent => {
                let absent = self.constant(ABSENT);
                Ok(match ty.inner() {
                    Ty::Set(_) => Val::Mask(absent),
                    Ty::List(_) | Ty::Entity(_) => return gap("an absent list or entity"),
                    _ => Val::Reg(absent),
                })
            }
            _ => match self.literal_bits(c, ty) {
                Some(bits) => Ok(Val::Reg(self.constant(bits))),
                None => gap("this literal"),
            },
        }
    }

    /// A literal's bits in a register of type `ty`.
    pub fn literal_bits(&self, c: &Const, ty: &Ty) -> Option<i64> {
        let bits = match c {
            Const::Bool(b) => i64::from(*b),
            Const::Num(n) | Const::Rate(n) => match ty.inner() {
                Ty::Int => n.is_integer().then(|| n.numer().to_i64()).flatten()?,
                _ => fixed(n)?,
            },
            Const::Money(n, currency) => (currency.0 == 0).then(|| fixed(n)).flatten()?,
            Const::Text(text) => i64::from(self.linked.symbols.get(text)?),
            Const::Enum(n) | Const::Node(n) => i64::from(*n),
            Const::Date(d) => i64::from(*d),
            Const::DateTime(t) => *t,
            Const::Period(p) => pack_period(*p),
            Const::Duration(s) => *s,
            Const::Absent => return Some(ABSENT),
        };
        (bits != ABSENT).then_some(bits)
    }

    /// The bits of an expression that is a constant in this program.
    pub fn constant_of(&mut self, e: &'a Expr) -> Option<i64> {
        match &e.kind {
            ExprKind::Const(c) => self.literal_bits(c, &e.ty),
            ExprKind::Widen(a) => match self.constant_of(a)? {
                ABSENT => Some(ABSENT),
                bits => bits.checked_mul(crate::program::facts::SCALE).filter(|v| *v != ABSENT),
            },
            ExprKind::Neg(a) if e.ty.is_numeric() => self.constant_of(a)?.checked_neg(),
            ExprKind::Present(a) => self.constant_of(a).filter(|v| *v != ABSENT),
            ExprKind::Let(id) => {
                let value = &self.book.lets.get(id.ix())?.value;
                self.constant_of(value)
            }
            ExprKind::Param(id) => {
                let value = self.fixed_param(*id)?;
                self.constant_of(value)
            }
            _ => None,
        }
    }

    pub fn root(&mut self, root: RootId) -> Low<Val<'a>> {
        if let Some(value) = self.here().replaced.get(&root) {
            return Ok(value.clone());
        }
        let layout = self.layout;
        let Some(place) = layout.roots.get(root.ix()) else { return gap("an unknown root") };
        let mut value = self.fact(place, Base::Root, place.ty.is_optional())?;
        if let Val::List(list) = &mut value {
            list.root = Some((self.scope, root));
        }
        Ok(value)
    }

    /// A fact from its slot.
    pub fn fact(&mut self, place: &'a Place, base: Base, optional: bool) -> Low<Val<'a>> {
        let offset = || u16::try_from(place.slot).map_err(|_| Gap("more than 65,536 slots".into()));
        match place.shape {
            Shape::Entity(_) => Ok(Val::Ent(place, base)),
            Shape::Scalar => {
                let dst = self.reg();
                self.emit(match (base, optional) {
                    (Base::Root, false) => Inst::Slot { dst, slot: place.slot },
                    (Base::Root, true) => Inst::SlotOpt { dst, slot: place.slot },
                    (Base::Row(base), false) => Inst::Row { dst, base, off: offset()? },
                    (Base::Row(base), true) => Inst::RowOpt { dst, base, off: offset()? },
                });
                Ok(Val::Reg(dst))
            }
            Shape::List(element) => {
                if matches!(place.ty.inner(), Ty::Set(_)) {
                    return gap("a set among the facts");
                }
                let layout = self.layout;
                let Some(element) = layout.elements.get(element as usize) else {
                    return gap("an unknown list");
                };
                let dst = self.regs(2);
                self.emit(match base {
                    Base::Root => Inst::List { opt: optional, dst, slot: place.slot },
                    Base::Row(base) => Inst::ListRow { opt: optional, dst, base, off: offset()? },
                });
                Ok(Val::List(List { kind: ListKind::Rows(element), start: dst, len: dst + 1, root: None }))
            }
        }
    }

    fn field(&mut self, of: Val<'a>, field: u32) -> Low<Val<'a>> {
        let optional = match &of {
            Val::Ent(place, _) => match &place.shape {
                Shape::Entity(fields) => fields.get(field as usize).is_some_and(|f| f.ty.is_optional()),
                _ => false,
            },
            _ => false,
        };
        self.field_as(of, field, optional)
    }

    fn field_as(&mut self, of: Val<'a>, field: u32, optional: bool) -> Low<Val<'a>> {
        match of {
            Val::Ent(place, base) => match &place.shape {
                Shape::Entity(fields) => match fields.get(field as usize) {
                    Some(place) => self.fact(place, base, optional),
                    None => gap("an unknown field"),
                },
                _ => gap("a field of no entity"),
            },
            Val::Rec(fields) => match fields.into_iter().nth(field as usize) {
                Some(value) => Ok(value),
                None => gap("an unknown field"),
            },
            _ => gap("a field of a computed entity"),
        }
    }

    /// The root slot that an expression reads, and whether it may be absent.
    pub fn slot_of(&mut self, e: &'a Expr) -> Option<(u16, bool)> {
        let (e, optional) = match &e.kind {
            ExprKind::Present(inner) => (inner.as_ref(), false),
            _ => (e, e.ty.is_optional()),
        };
        let place = self.place_of(e)?;
        if !matches!(place.shape, Shape::Scalar) {
            return None;
        }
        Some((u16::try_from(place.slot).ok()?, optional))
    }

    fn place_of(&mut self, e: &'a Expr) -> Option<&'a Place> {
        match &e.kind {
            ExprKind::Root(root) => match self.here().replaced.get(root) {
                Some(Val::Ent(place, Base::Root)) => Some(place),
                Some(_) => None,
                None => self.layout.roots.get(root.ix()),
            },
            ExprKind::Present(inner) => self.place_of(inner),
            ExprKind::Field(of, field) => match &self.place_of(of)?.shape {
                Shape::Entity(fields) => fields.get(*field as usize),
                _ => None,
            },
            _ => None,
        }
    }

    fn fact_call(&mut self, fact: FactCallId, args: &'a [Expr], ty: &Ty) -> Low<Val<'a>> {
        if matches!(ty.inner(), Ty::Entity(_) | Ty::List(_) | Ty::Set(_)) {
            return gap("a fact with arguments that is not a plain value");
        }
        let values = args.iter().map(|a| self.scalar(a)).collect::<Low<Vec<_>>>()?;
        let first = self.regs(values.len());
        for (i, src) in values.into_iter().enumerate() {
            self.emit(Inst::Mov { dst: first + i as Reg, src });
        }
        let types = args.iter().map(|a| a.ty.clone()).collect();
        self.code.calls.push(CallSite { fact, args: types, optional: ty.is_optional() });
        let dst = self.reg();
        let call = u16::try_from(self.code.calls.len() - 1).map_err(|_| Gap("too many facts".into()))?;
        self.emit(Inst::FactCall { dst, call, args: first });
        Ok(Val::Reg(dst))
    }

    fn let_value(&mut self, id: LetId) -> Low<Val<'a>> {
        let book = self.book;
        let Some(value) = book.lets.get(id.ix()).map(|l| &l.value) else { return gap("an unknown let") };
        let reader = self.let_reader(id);
        let reader = std::mem::replace(&mut self.reader, reader);
        let done = if cheap(value, 4) || (self.loops == 0 && self.used_once(id)) {
            self.lower(value)
        } else {
            self.lazy(LazyKey::Let(id), |b| b.lower(value))
        };
        self.reader = reader;
        done
    }

    /// Whether a let is read at one place only: there it can be computed where it is read.
    fn used_once(&mut self, id: LetId) -> bool {
        let book = self.book;
        if self.let_uses.is_empty() {
            self.let_uses = vec![0; book.lets.len()];
            let outputs = book.vocab.decisions.iter().flat_map(|d| &d.outputs);
            let fallback = |o: &'a OutputDef| match &o.fallback {
                Fallback::Else(e) => Some(e),
                _ => None,
            };
            let mut todo: Vec<&Expr> = outputs.flat_map(|o| o.guard.iter().chain(fallback(o))).collect();
            todo.extend(book.policies.iter().flat_map(|p| p.governed_by.iter().chain(&p.applies_when)));
            todo.extend(book.lets.iter().map(|l| &l.value));
            for rule in &book.rules {
                todo.extend(rule.for_each.iter().map(|f| &f.list).chain(&rule.guard).chain(&rule.when));
                todo.extend(rule.effects.iter().map(|e| &e.value));
            }
            while let Some(e) = todo.pop() {
                if let ExprKind::Let(id) = &e.kind
                    && let Some(uses) = self.let_uses.get_mut(id.ix())
                {
                    *uses += 1;
                }
                todo.extend(super::children(e));
            }
        }
        self.let_uses.get(id.ix()) == Some(&1)
    }

    /// Lookups of lets belong to the let, whoever runs it first.
    fn let_reader(&mut self, id: LetId) -> Reader {
        if self.here().called { Reader::Nobody } else { Reader::Let(id) }
    }

    pub fn fun(&mut self, f: Fun, a: Reg, b: Reg) -> Reg {
        let dst = self.reg();
        self.emit(Inst::Fun { f, dst, a, b });
        dst
    }

    /// Enums whose sets fit a register.
    pub fn small_enum(&self, ty: &Ty) -> Low<()> {
        let members = match ty {
            Ty::Enum(e) => self.book.vocab.enums.get(e.ix()).map_or(usize::MAX, |e| e.members.len()),
            Ty::Bool => 2,
            Ty::Never => 0,
            _ => usize::MAX,
        };
        if members <= 63 { Ok(()) } else { gap("a set of something else than an enum of at most 63 members") }
    }
}

/// Whether an expression is so small that computing it again costs no more than remembering it.
pub(super) fn cheap(e: &Expr, mut budget: i32) -> bool {
    fn spend(e: &Expr, left: &mut i32) -> bool {
        *left -= 1;
        *left >= 0
            && match &e.kind {
                ExprKind::Const(_) | ExprKind::Root(_) | ExprKind::Param(_) => true,
                ExprKind::Field(of, _) => {
                    // A path is one load.
                    *left += 1;
                    spend(of, left)
                }
                ExprKind::Present(a) | ExprKind::Not(a) | ExprKind::IsAbsent(a) => {
                    *left += 1;
                    spend(a, left)
                }
                ExprKind::And(a, b) | ExprKind::Or(a, b) | ExprKind::Is(a, b) | ExprKind::Cmp(_, a, b) => {
                    spend(a, left) && spend(b, left)
                }
                ExprKind::In(a, Membership::Nodes(_)) => spend(a, left),
                ExprKind::In(a, Membership::Values(v)) => {
                    spend(a, left) && v.iter().all(|v| matches!(v.kind, ExprKind::Const(_)))
                }
                _ => false,
            }
    }
    spend(e, &mut budget)
}
