//! Conditions to jumps.
use super::builder::*;
use super::number::Num;
use crate::lang::typed::*;
use crate::program::code::*;

impl<'a> Builder<'a> {
    /// Jumps to `to` if `e` is `sense`, goes on otherwise.
    pub fn cond(&mut self, e: &'a Expr, sense: bool, to: Spot) -> Low<()> {
        let target = Builder::target(to);
        match &e.kind {
            ExprKind::Const(Const::Bool(b)) => {
                if *b == sense {
                    self.jump(to);
                }
                Ok(())
            }
            ExprKind::Not(a) => self.cond(a, !sense, to),
            ExprKind::And(a, b) | ExprKind::Or(a, b) => {
                let or = matches!(e.kind, ExprKind::Or(..));
                if or == sense {
                    self.cond(a, sense, to)?;
                    self.cond(b, sense, to)
                } else {
                    let skip = self.label();
                    self.cond(a, !sense, skip)?;
                    self.cond(b, sense, to)?;
                    self.place(skip);
                    Ok(())
                }
            }
            ExprKind::Is(a, b) => self.equal(a, b, sense, to),
            ExprKind::IsAbsent(a) => {
                let a = match self.lower(a)? {
                    Val::Reg(a) | Val::Mask(a) => a,
                    Val::List(list) => list.len,
                    Val::Frac(a) => {
                        self.emit(Inst::JQAbsent { want: sense, a, to: target });
                        return Ok(());
                    }
                    Val::Ent(place, base) => {
                        let dst = self.reg();
                        let off = u16::try_from(place.slot).map_err(|_| Gap("too many slots".into()))?;
                        self.emit(match base {
                            Base::Root => Inst::SlotOpt { dst, slot: place.slot },
                            Base::Row(base) => Inst::RowOpt { dst, base, off },
                        });
                        dst
                    }
                    Val::Rec(..) => return gap("`is absent` of a record"),
                };
                self.emit(Inst::JAbsent { want: sense, a, to: target });
                Ok(())
            }
            ExprKind::Cmp(op, a, b) => {
                let cmp = match op {
                    CmpOp::Lt => Cmp::LT,
                    CmpOp::Le => Cmp::LE,
                    CmpOp::Gt => Cmp::GT,
                    CmpOp::Ge => Cmp::GE,
                };
                self.compare(if sense { cmp } else { cmp.inverse() }, a, b, to)
            }
            ExprKind::In(x, membership) => self.member(x, membership, sense, to),
            ExprKind::Let(id) => {
                let book = self.book;
                match book.lets.get(id.ix()) {
                    // Small lets are tested where they stand, which fuses comparison and jump.
                    Some(l) if super::expr::cheap(&l.value, 4) => self.cond(&l.value, sense, to),
                    _ => self.test(e, sense, to),
                }
            }
            ExprKind::Param(_) => match self.constant_of(e) {
                Some(k) => {
                    if (k != 0) == sense {
                        self.jump(to);
                    }
                    Ok(())
                }
                None => self.test(e, sense, to),
            },
            _ => self.test(e, sense, to),
        }
    }

    /// A plain truth value.
    fn test(&mut self, e: &'a Expr, sense: bool, to: Spot) -> Low<()> {
        let (cmp, target) = (if sense { Cmp::NE } else { Cmp::EQ }, Builder::target(to));
        if let Some((slot, false)) = self.slot_of(e) {
            self.emit(Inst::JSlot { cmp, slot, k: 0, to: target });
            return Ok(());
        }
        if e.ty.is_optional() {
            return gap("a condition that may be absent");
        }
        let a = self.scalar(e)?;
        self.emit(Inst::JImm { cmp, a, k: 0, to: target });
        Ok(())
    }

    /// A condition as 0 or 1.
    pub fn truth(&mut self, e: &'a Expr) -> Low<Val<'a>> {
        let (dst, no) = (self.reg(), self.label());
        let end = self.label();
        self.cond(e, false, no)?;
        self.load(dst, 1);
        self.jump(end);
        self.place(no);
        self.load(dst, 0);
        self.place(end);
        Ok(Val::Reg(dst))
    }

    fn equal(&mut self, a: &'a Expr, b: &'a Expr, sense: bool, to: Spot) -> Low<()> {
        if [a, b].iter().any(|x| matches!(x.ty.inner(), Ty::List(_) | Ty::Entity(_))) {
            return gap("equality of lists, entities or records");
        }
        let cmp = if sense { Cmp::EQ } else { Cmp::NE };
        // A constant is the right operand.
        let (a, b) = if self.constant_of(a).is_some() { (b, a) } else { (a, b) };
        self.relate(cmp, a, b, to)
    }

    /// Jumps if `a` compares so with `b`; both are evaluated.
    pub fn compare(&mut self, cmp: Cmp, a: &'a Expr, b: &'a Expr, to: Spot) -> Low<()> {
        match a.ty.inner() {
            Ty::Int
            | Ty::Dec
            | Ty::Money
            | Ty::Unit(_)
            | Ty::Date
            | Ty::DateTime
            | Ty::Duration
            | Ty::Enum(_) => {}
            Ty::Period => {
                let (a, b) = (self.scalar(a)?, self.scalar(b)?);
                self.fun(Fun::SamePeriods, a, b);
                self.emit(Inst::JReg { cmp, a, b, to: Builder::target(to) });
                return Ok(());
            }
            _ => return gap("the order of this type"),
        }
        if a.ty.is_optional() || b.ty.is_optional() {
            return gap("a comparison that may be absent");
        }
        if self.constant_of(a).is_some() && self.constant_of(b).is_none() {
            // Mirrored: less and greater change places.
            let mirrored = Cmp(cmp.0 & 2 | (cmp.0 & 1) << 2 | cmp.0 >> 2);
            return self.relate(mirrored, b, a, to);
        }
        self.relate(cmp, a, b, to)
    }

    fn relate(&mut self, cmp: Cmp, a: &'a Expr, b: &'a Expr, to: Spot) -> Low<()> {
        let target = Builder::target(to);
        let small = self.constant_of(b).and_then(|k| i32::try_from(k).ok());
        let (slot_a, slot_b) = (self.slot_of(a), self.slot_of(b));
        match (slot_a, small, slot_b) {
            (Some((slot, false)), Some(k), _) => {
                self.emit(Inst::JSlot { cmp, slot, k, to: target });
                return Ok(());
            }
            (Some((slot, true)), Some(k), _) => {
                self.emit(Inst::JSlotOpt { cmp, slot, k, to: target });
                return Ok(());
            }
            (Some((a, false)), None, Some((b, false))) => {
                self.emit(Inst::JSlots { cmp, a, b, to: target });
                return Ok(());
            }
            _ => {}
        }
        if let Some(k) = small
            && self.digits(a).is_some()
        {
            let a = self.scalar(a)?;
            self.emit(Inst::JImm { cmp, a, k, to: target });
            return Ok(());
        }
        if let Some((slot, false)) = slot_a
            && (!b.ty.is_numeric() || self.digits(b).is_some())
        {
            let b = self.scalar(b)?;
            self.emit(Inst::JSlotReg { cmp, slot, b, to: target });
            return Ok(());
        }
        let (x, y) = (self.lower(a)?, self.lower(b)?);
        let int = *a.ty.inner() == Ty::Int;
        let fractions = matches!(x, Val::Frac(_)) || matches!(y, Val::Frac(_));
        if fractions && (a.ty.is_optional() || b.ty.is_optional()) {
            return gap("a comparison of fractions that may be absent");
        }
        self.jump_if(cmp, &x, &y, int, to)
    }

    /// Jumps if two values compare so.
    pub fn jump_if(&mut self, cmp: Cmp, x: &Val<'a>, y: &Val<'a>, int: bool, to: Spot) -> Low<()> {
        let target = Builder::target(to);
        match (x, y) {
            (Val::Reg(a) | Val::Mask(a), Val::Reg(b) | Val::Mask(b)) => {
                self.emit(Inst::JReg { cmp, a: *a, b: *b, to: target });
            }
            (Val::Frac(_), Val::Reg(_) | Val::Frac(_)) | (Val::Reg(_), Val::Frac(_)) => {
                let as_frac = |b: &mut Self, v: &Val<'a>| match v {
                    Val::Frac(q) => *q,
                    Val::Reg(r) => {
                        let n = if int { Num::Int(*r) } else { Num::Fix(*r) };
                        b.frac_of(n)
                    }
                    _ => 0,
                };
                let (a, b) = (as_frac(self, x), as_frac(self, y));
                self.emit(Inst::JQ { cmp, a, b, to: target });
            }
            _ => return gap("a comparison of lists or records"),
        }
        Ok(())
    }

    fn member(&mut self, x: &'a Expr, membership: &'a Membership, sense: bool, to: Spot) -> Low<()> {
        let target = Builder::target(to);
        match membership {
            Membership::Nodes(nodes) => {
                let Ty::Node(taxonomy) = x.ty.inner() else { return gap("nodes of no taxonomy") };
                let mut set = BitSet::default();
                for node in nodes {
                    for under in self.under(*taxonomy, *node) {
                        set.add(under);
                    }
                }
                self.in_set(x, set, sense, to)
            }
            Membership::Values(values) => self.among(x, values, false, sense, to),
            Membership::Interval { low, low_in, high, high_in } => {
                if *x.ty.inner() == Ty::Period || matches!(x.ty.inner(), Ty::Text) || x.ty.is_optional() {
                    return gap("an interval of this type");
                }
                let (x_val, low, high) = (self.lower(x)?, self.lower(low)?, self.lower(high)?);
                let int = *x.ty.inner() == Ty::Int;
                let above = if *low_in { Cmp::GE } else { Cmp::GT };
                let below = if *high_in { Cmp::LE } else { Cmp::LT };
                let out = self.label();
                let outside = if sense { out } else { to };
                self.jump_if(above.inverse(), &x_val, &low, int, outside)?;
                self.jump_if(below.inverse(), &x_val, &high, int, outside)?;
                if sense {
                    self.jump(to);
                }
                self.place(out);
                Ok(())
            }
            Membership::Collection(of) => {
                if let Some(values) = self.written(of) {
                    return self.among(x, values, true, sense, to);
                }
                let Ty::Set(element) = of.ty.inner() else { return gap("membership in a list") };
                self.small_enum(element)?;
                let a = self.scalar(x)?;
                let Val::Mask(mask) = self.lower(of)? else { return gap("membership in a list") };
                self.emit(Inst::JBit { want: sense, a, mask, to: target });
                Ok(())
            }
        }
    }

    /// The elements of a list or set that is written out, here or in a param or let.
    fn written(&self, e: &'a Expr) -> Option<&'a [Expr]> {
        let book = self.book;
        match &e.kind {
            ExprKind::List(values) | ExprKind::Set(values) => Some(values),
            ExprKind::Param(id) => self.written(self.fixed_param(*id)?),
            ExprKind::Let(id) => self.written(&book.lets.get(id.ix())?.value),
            _ => None,
        }
    }

    /// Whether `x` is any of some values; or a node at or below any of them, if so asked.
    fn among(&mut self, x: &'a Expr, values: &'a [Expr], below: bool, sense: bool, to: Spot) -> Low<()> {
        if let Ty::Node(taxonomy) = x.ty.inner() {
            let mut set = BitSet::default();
            for value in values {
                let ExprKind::Const(Const::Node(node)) = value.kind else { return gap("computed nodes") };
                if below {
                    self.under(*taxonomy, node).into_iter().for_each(|n| set.add(n));
                } else {
                    set.add(node);
                }
            }
            return self.in_set(x, set, sense, to);
        }
        let small = matches!(x.ty.inner(), Ty::Bool | Ty::Enum(_));
        let constants: Option<Vec<i64>> = values.iter().map(|v| self.constant_of(v)).collect();
        if small && let Some(constants) = constants.filter(|c| c.iter().all(|v| *v >= 0)) {
            let mut set = BitSet::default();
            constants.into_iter().for_each(|v| set.add(v as u32));
            return self.in_set(x, set, sense, to);
        }
        let x_val = self.lower(x)?;
        let lowered = values.iter().map(|v| self.lower(v)).collect::<Low<Vec<_>>>()?;
        let optional = x.ty.is_optional() || values.iter().any(|v| v.ty.is_optional());
        let fractions = matches!(x_val, Val::Frac(_)) || lowered.iter().any(|v| matches!(v, Val::Frac(_)));
        if optional && fractions {
            return gap("membership of a fraction that may be absent");
        }
        let int = *x.ty.inner() == Ty::Int;
        let found = self.label();
        for value in &lowered {
            self.jump_if(Cmp::EQ, &x_val, value, int, if sense { to } else { found })?;
        }
        if !sense {
            self.jump(to);
        }
        self.place(found);
        Ok(())
    }

    fn in_set(&mut self, x: &'a Expr, set: BitSet, sense: bool, to: Spot) -> Low<()> {
        let set = self.set(set)?;
        let to = Builder::target(to);
        if let Some((slot, false)) = self.slot_of(x) {
            self.emit(Inst::JSlotIn { want: sense, slot, set, to });
        } else {
            let a = self.scalar(x)?;
            self.emit(Inst::JIn { want: sense, a, set, to });
        }
        Ok(())
    }

    /// A node and everything below it.
    pub fn under(&self, taxonomy: TaxonomyId, node: u32) -> Vec<u32> {
        match self.book.vocab.taxonomies.get(taxonomy.ix()) {
            Some(def) => (0..def.nodes.len() as u32).filter(|n| def.is_under(*n, node)).collect(),
            None => Vec::new(),
        }
    }
}
