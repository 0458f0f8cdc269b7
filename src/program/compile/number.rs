//! Numbers: which are kept as multiples of 1/10,000, which need exact fractions, and rounding.
//!
//! The digits analysis only chooses the cheaper form: the fixed-point instructions check that they are exact, and
//! leave the run where they are not.
use super::builder::*;
use crate::lang::typed::*;
use crate::program::code::*;
use crate::program::facts::SCALE;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;

/// Digits after the point that fixed point holds.
const DIGITS: u32 = 4;

/// A number at run time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Num {
    Int(Reg),
    Fix(Reg),
    Frac(QReg),
}

/// A number as a multiple of 1/10,000, if it is one.
pub(super) fn fixed(n: &BigRational) -> Option<i64> {
    let scaled = n * BigRational::from_integer(BigInt::from(SCALE));
    if !scaled.is_integer() {
        return None;
    }
    scaled.numer().to_i64().filter(|v| *v != ABSENT)
}

/// Digits after the point; `None` if more than four.
fn digits_of(n: &BigRational) -> Option<u32> {
    let mut power = BigRational::from_integer(BigInt::from(1));
    let ten = BigRational::from_integer(BigInt::from(10));
    for digits in 0..=DIGITS {
        if (n * &power).is_integer() {
            return Some(digits);
        }
        power *= &ten;
    }
    None
}

fn worse(a: Option<u32>, b: Option<u32>) -> Option<u32> {
    Some(a?.max(b?))
}

impl<'a> Builder<'a> {
    /// How many digits after the point a number's value has at most; `None`: it needs fractions.
    pub fn digits(&mut self, e: &'a Expr) -> Option<u32> {
        let ty = e.ty.inner();
        if *ty == Ty::Int {
            return Some(0);
        }
        match &e.kind {
            ExprKind::Const(Const::Num(n) | Const::Money(n, _) | Const::Rate(n)) => digits_of(n),
            ExprKind::Const(_) => Some(0),
            ExprKind::Arith(op, a, b) => {
                let (x, y) = (self.digits(a), self.digits(b));
                match op {
                    ArithOp::Add | ArithOp::Sub => worse(x, y),
                    ArithOp::Mul => Some(x? + y?).filter(|d| *d <= DIGITS),
                    ArithOp::Div => None,
                }
            }
            ExprKind::Neg(a) | ExprKind::Present(a) => self.digits(a),
            ExprKind::Widen(_) => Some(0),
            ExprKind::Round { step, .. } => match step {
                Some(step) => digits_of(step),
                None => self.step_of(&e.ty).and_then(|s| digits_of(&s)),
            },
            ExprKind::If(_, a, b) | ExprKind::Otherwise(a, b) => {
                let x = self.digits(a);
                worse(x, self.digits(b))
            }
            ExprKind::Let(id) => {
                let value = &self.book.lets.get(id.ix())?.value;
                self.digits(value)
            }
            ExprKind::Param(id) => {
                let param = self.book.params.get(id.ix())?;
                let values = param.values.iter().chain(param.settings.iter().flat_map(|s| &s.values));
                let mut worst = Some(0);
                for v in values {
                    worst = worse(worst, self.digits(&v.value));
                }
                worst
            }
            ExprKind::Comp { body: Some(body), .. } => self.digits(body),
            ExprKind::Func(_, args) => {
                let mut worst = Some(0);
                for a in args {
                    worst = worse(worst, self.digits(a));
                }
                worst
            }
            ExprKind::Lookup { table, result, .. } => {
                let table = self.book.tables.get(table.ix())?;
                let rows = table.own.rows.iter().chain(table.extra.iter().flat_map(|b| &b.rows));
                let mut worst = Some(0);
                for row in rows {
                    if let Some(CellValue::Const(Const::Num(n) | Const::Money(n, _) | Const::Rate(n))) =
                        row.results.get(*result as usize)
                    {
                        worst = worse(worst, digits_of(n));
                    }
                }
                worst
            }
            ExprKind::Output(id) | ExprKind::OutputOf(id, _) => self.output_digits(*id),
            ExprKind::Call { decision, output, .. } => {
                // As if called with the roots of this program: replaced roots are facts or lists of facts.
                let decision = self.book.vocab.decisions.get(decision.ix())?;
                let output = decision.outputs.get(output.ix())?;
                if output.working { None } else { Some(self.type_digits(&output.ty)) }
            }
            // Facts.
            _ => Some(self.type_digits(&e.ty)),
        }
    }

    fn type_digits(&self, ty: &Ty) -> u32 {
        match ty.inner() {
            Ty::Int => 0,
            Ty::Money | Ty::Unit(_) => self.step_of(ty).and_then(|s| digits_of(&s)).unwrap_or(DIGITS),
            _ => DIGITS,
        }
    }

    pub fn output_digits(&mut self, id: OutputId) -> Option<u32> {
        if let Some(known) = self.here().digits.get(&id) {
            return *known;
        }
        let decision = self.here().decision;
        let output = self.book.vocab.decisions.get(decision.ix())?.outputs.get(id.ix())?;
        let mut worst = Some(0);
        if !output.working {
            worst = Some(self.type_digits(&output.ty));
        } else {
            let linked = self.linked;
            for linked in linked.rules(decision) {
                let Some(rule) = self.book.rules.get(linked.rule.ix()) else { continue };
                for effect in rule.effects.iter().filter(|e| e.output == id) {
                    worst = worse(worst, self.digits(&effect.value));
                }
            }
            if let Fallback::Else(value) = &output.fallback {
                worst = worse(worst, self.digits(value));
            }
        }
        self.here().digits.insert(id, worst);
        worst
    }

    /// The step of a type; that of money is the currency's.
    pub fn step_of(&self, ty: &Ty) -> Option<BigRational> {
        let vocab = &self.book.vocab;
        match ty.inner() {
            Ty::Money => vocab.currencies.first().map(|c| c.step.clone()),
            Ty::Unit(u) => vocab.units.get(u.ix()).map(|u| u.step.clone()),
            _ => None,
        }
    }

    /// A number, in whichever form it comes.
    pub fn num(&mut self, e: &'a Expr) -> Low<Num> {
        match self.lower(e)? {
            Val::Reg(r) if *e.ty.inner() == Ty::Int => Ok(Num::Int(r)),
            Val::Reg(r) => Ok(Num::Fix(r)),
            Val::Frac(q) => Ok(Num::Frac(q)),
            _ => gap("a number that is none"),
        }
    }

    pub fn frac_of(&mut self, n: Num) -> QReg {
        if let Num::Frac(q) = n {
            return q;
        }
        let dst = self.frac();
        match n {
            Num::Int(a) => self.emit(Inst::QInt { dst, a }),
            Num::Fix(a) => self.emit(Inst::QFix { dst, a }),
            Num::Frac(_) => {}
        }
        dst
    }

    pub fn number_literal(&mut self, n: &BigRational, ty: &Ty) -> Low<Val<'a>> {
        let bits = match ty.inner() {
            Ty::Int => n.is_integer().then(|| n.numer().to_i64()).flatten(),
            _ => fixed(n),
        };
        match bits {
            Some(bits) => Ok(Val::Reg(self.constant(bits))),
            None => Ok(Val::Frac(self.fraction(n)?)),
        }
    }

    pub fn arith(&mut self, e: &'a Expr, op: ArithOp, a: &'a Expr, b: &'a Expr) -> Low<Val<'a>> {
        if !e.ty.is_numeric() || !numeric(&a.ty) || !numeric(&b.ty) {
            return self.calendar_arith(e, op, a, b);
        }
        let digits = (self.digits(a), self.digits(b));
        let (x, y) = (self.num(a)?, self.num(b)?);
        let dst = self.reg();
        match (op, x, y) {
            (ArithOp::Add, Num::Int(a), Num::Int(b)) | (ArithOp::Add, Num::Fix(a), Num::Fix(b)) => {
                self.emit(Inst::Add { dst, a, b });
            }
            (ArithOp::Sub, Num::Int(a), Num::Int(b)) | (ArithOp::Sub, Num::Fix(a), Num::Fix(b)) => {
                self.emit(Inst::Sub { dst, a, b });
            }
            (ArithOp::Mul, Num::Int(a), Num::Int(b) | Num::Fix(b))
            | (ArithOp::Mul, Num::Fix(a), Num::Int(b)) => {
                self.emit(Inst::Mul { dst, a, b });
            }
            (ArithOp::Mul, Num::Fix(a), Num::Fix(b)) if matches!(digits, (Some(x), Some(y)) if x + y <= DIGITS) =>
            {
                self.emit(Inst::MulFix { dst, a, b });
            }
            _ => {
                let (a, b) = (self.frac_of(x), self.frac_of(y));
                let dst = self.frac();
                self.emit(match op {
                    ArithOp::Add => Inst::QAdd { dst, a, b },
                    ArithOp::Sub => Inst::QSub { dst, a, b },
                    ArithOp::Mul => Inst::QMul { dst, a, b },
                    ArithOp::Div => Inst::QDiv { dst, a, b },
                });
                return Ok(Val::Frac(dst));
            }
        }
        Ok(Val::Reg(dst))
    }

    pub fn negated(&mut self, a: &'a Expr) -> Low<Val<'a>> {
        if *a.ty.inner() == Ty::Period {
            let a = self.scalar(a)?;
            return Ok(Val::Reg(self.fun(Fun::PeriodNeg, a, a)));
        }
        match self.num_or_duration(a)? {
            Num::Int(a) | Num::Fix(a) => {
                let dst = self.reg();
                self.emit(Inst::Neg { dst, a });
                Ok(Val::Reg(dst))
            }
            Num::Frac(a) => {
                let dst = self.frac();
                self.emit(Inst::QNeg { dst, a });
                Ok(Val::Frac(dst))
            }
        }
    }

    /// Durations are numbers of seconds and behave as integers.
    pub fn num_or_duration(&mut self, e: &'a Expr) -> Low<Num> {
        match e.ty.inner() {
            Ty::Duration => Ok(Num::Int(self.scalar(e)?)),
            ty if ty.is_numeric() => self.num(e),
            _ => gap("arithmetic on this type"),
        }
    }

    pub fn rounded(
        &mut self,
        e: &'a Expr,
        value: &'a Expr,
        rounding: &Rounding,
        step: Option<&BigRational>,
    ) -> Low<Val<'a>> {
        let step = match step {
            Some(step) => Some(step.clone()),
            None => self.step_of(&e.ty),
        };
        let Some(step) = step.as_ref().and_then(fixed).filter(|s| *s > 0) else {
            return gap("rounding to a step that is not a multiple of 0.0001");
        };
        if *value.ty.inner() == Ty::Int || *e.ty.inner() == Ty::Int {
            return gap("rounding an integer");
        }
        let dst = self.reg();
        match rounding {
            Rounding::Undecided(_) => {
                let value = self.num(value)?;
                let step = self.pool(step);
                match value {
                    Num::Fix(a) | Num::Int(a) => {
                        self.emit(Inst::OnStep { a, step });
                        return Ok(Val::Reg(a));
                    }
                    Num::Frac(a) => self.emit(Inst::QOnStep { dst, a, step }),
                }
            }
            Rounding::Mode(mode) => {
                let mode = *mode;
                if let ExprKind::Arith(ArithOp::Mul, a, b) = &value.kind
                    && [a, b].iter().all(|x| numeric(&x.ty) && *x.ty.inner() != Ty::Int)
                    && self.digits(a).is_some()
                    && self.digits(b).is_some()
                    && let (Num::Fix(a), Num::Fix(b)) = (self.num(a)?, self.num(b)?)
                {
                    let step = self.pool16(step)?;
                    self.emit(Inst::MulRound { mode, dst, a, b, step });
                    return Ok(Val::Reg(dst));
                }
                let value = self.num(value)?;
                let step = self.pool(step);
                match value {
                    Num::Fix(a) | Num::Int(a) => self.emit(Inst::Round { mode, dst, a, step }),
                    Num::Frac(a) => self.emit(Inst::QRound { mode, dst, a, step }),
                }
            }
        }
        Ok(Val::Reg(dst))
    }
}

/// Numbers, and rates, which multiply like decimals.
fn numeric(ty: &Ty) -> bool {
    match ty {
        Ty::Rate(a, b) => ![a, b].iter().any(|k| matches!(k, RateKind::Days)),
        ty => ty.is_numeric(),
    }
}
