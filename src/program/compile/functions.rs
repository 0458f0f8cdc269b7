//! Functions, and arithmetic on dates, periods and durations.
use super::builder::*;
use super::number::Num;
use crate::lang::typed::*;
use crate::program::code::*;

impl<'a> Builder<'a> {
    pub fn function(&mut self, e: &'a Expr, f: Func, args: &'a [Expr]) -> Low<Val<'a>> {
        if let Func::Length = f {
            return match args.first().map(|a| self.lower(a)) {
                Some(Ok(Val::List(list))) => Ok(Val::Reg(list.len)),
                Some(Err(gap)) => Err(gap),
                _ => gap("the length of a set"),
            };
        }
        if let Func::Min | Func::Max = f {
            return self.extreme(e, f == Func::Max, args);
        }
        let regs = match f {
            Func::Abs | Func::First | Func::Last => Vec::new(),
            _ => args.iter().map(|a| self.scalar(a)).collect::<Low<Vec<_>>>()?,
        };
        let a = regs.first().copied().unwrap_or(0);
        let fun = match f {
            Func::Min | Func::Max | Func::Length => return gap("this function"),
            Func::First | Func::Last => return gap("the first or last element of a list"),
            Func::Abs => {
                let Some(of) = args.first() else { return gap("abs of nothing") };
                return Ok(match self.num_or_duration(of)? {
                    Num::Int(a) | Num::Fix(a) => {
                        let dst = self.reg();
                        self.emit(Inst::Abs { dst, a });
                        Val::Reg(dst)
                    }
                    Num::Frac(a) => {
                        let dst = self.frac();
                        self.emit(Inst::QAbs { dst, a });
                        Val::Frac(dst)
                    }
                });
            }
            Func::Year => Fun::Year,
            Func::Month => Fun::Month,
            Func::Day => Fun::Day,
            Func::Weekday => Fun::Weekday,
            Func::StartOfDay => Fun::StartOfDay,
            Func::StartOfWeek => Fun::StartOfWeek,
            Func::StartOfMonth => Fun::StartOfMonth,
            Func::StartOfQuarter => Fun::StartOfQuarter,
            Func::StartOfYear => Fun::StartOfYear,
            Func::EndOfDay => Fun::EndOfDay,
            Func::EndOfWeek => Fun::EndOfWeek,
            Func::EndOfMonth => Fun::EndOfMonth,
            Func::EndOfQuarter => Fun::EndOfQuarter,
            Func::EndOfYear => Fun::EndOfYear,
            Func::DateOf => Fun::DateOf,
            Func::NextWorkday(calendar) | Func::IsWorkday(calendar) => {
                let b = self.constant(i64::from(calendar.0));
                let f = if matches!(f, Func::NextWorkday(_)) { Fun::NextWorkday } else { Fun::IsWorkday };
                return Ok(Val::Reg(self.fun(f, a, b)));
            }
            Func::Anniversary => {
                let b = regs.get(1).copied().unwrap_or(0);
                return Ok(Val::Reg(self.fun(Fun::Anniversary, a, b)));
            }
            Func::Above | Func::Below => {
                let Some(Ty::Enum(id)) = args.first().map(|a| a.ty.inner()) else {
                    return gap("the level above something that is not an enum");
                };
                let top = self.book.vocab.enums.get(id.ix()).map_or(0, |e| e.members.len() as i64) - 1;
                let (last, step) = if f == Func::Above { (top, 1) } else { (0, -1) };
                let (dst, end) = (self.reg(), self.label());
                self.load(dst, ABSENT);
                let k = i32::try_from(last).unwrap_or(i32::MAX);
                self.emit(Inst::JImm { cmp: Cmp::EQ, a, k, to: Builder::target(end) });
                let b = self.constant(step);
                self.emit(Inst::Add { dst, a, b });
                self.place(end);
                return Ok(Val::Reg(dst));
            }
        };
        Ok(Val::Reg(self.fun(fun, a, a)))
    }

    fn extreme(&mut self, e: &'a Expr, max: bool, args: &'a [Expr]) -> Low<Val<'a>> {
        let period = *e.ty.inner() == Ty::Period;
        if args.iter().any(|a| a.ty.is_optional()) || matches!(e.ty.inner(), Ty::Text) {
            return gap("the extreme of optional values or texts");
        }
        let mut values = Vec::new();
        for a in args {
            values.push(self.lower(a)?);
        }
        let int = *e.ty.inner() == Ty::Int;
        if values.iter().any(|v| matches!(v, Val::Frac(_))) {
            let mut best: Option<QReg> = None;
            for value in values {
                let b = match value {
                    Val::Frac(q) => q,
                    Val::Reg(r) => self.frac_of(if int { Num::Int(r) } else { Num::Fix(r) }),
                    _ => return gap("the extreme of lists"),
                };
                best = Some(match best {
                    None => b,
                    Some(a) => {
                        let dst = self.frac();
                        self.emit(if max { Inst::QMax { dst, a, b } } else { Inst::QMin { dst, a, b } });
                        dst
                    }
                });
            }
            return best.map_or_else(|| gap("the extreme of nothing"), |q| Ok(Val::Frac(q)));
        }
        let mut best: Option<Reg> = None;
        for value in values {
            let Val::Reg(b) = value else { return gap("the extreme of lists") };
            best = Some(match best {
                None => b,
                Some(a) => {
                    if period {
                        self.fun(Fun::SamePeriods, a, b);
                    }
                    let dst = self.reg();
                    self.emit(if max { Inst::Max { dst, a, b } } else { Inst::Min { dst, a, b } });
                    dst
                }
            });
        }
        best.map_or_else(|| gap("the extreme of nothing"), |r| Ok(Val::Reg(r)))
    }

    /// Arithmetic on dates, periods and durations.
    pub fn calendar_arith(&mut self, e: &'a Expr, op: ArithOp, a: &'a Expr, b: &'a Expr) -> Low<Val<'a>> {
        let (ta, tb) = (a.ty.inner().clone(), b.ty.inner().clone());
        if [&ta, &tb].iter().any(|t| matches!(t, Ty::Rate(..))) {
            return gap("a rate of days");
        }
        let (x, y) = (self.scalar(a)?, self.scalar(b)?);
        let f = match (op, &ta, &tb) {
            (ArithOp::Add, Ty::Date, Ty::Period) => Fun::DateAdd,
            (ArithOp::Sub, Ty::Date, Ty::Period) => Fun::DateSub,
            (ArithOp::Add, Ty::Period, Ty::Date) => return Ok(Val::Reg(self.fun(Fun::DateAdd, y, x))),
            (ArithOp::Add, Ty::DateTime, Ty::Period) => Fun::DateTimeAdd,
            (ArithOp::Sub, Ty::DateTime, Ty::Period) => Fun::DateTimeSub,
            (ArithOp::Add, Ty::DateTime, Ty::Duration) => Fun::DateTimeAddDuration,
            (ArithOp::Sub, Ty::DateTime, Ty::Duration) => Fun::DateTimeSubDuration,
            (ArithOp::Add, Ty::Period, Ty::Period) => Fun::PeriodAdd,
            (ArithOp::Sub, Ty::Period, Ty::Period) => Fun::PeriodSub,
            (ArithOp::Mul, Ty::Period, Ty::Int) => Fun::PeriodMul,
            (ArithOp::Mul, Ty::Int, Ty::Period) => return Ok(Val::Reg(self.fun(Fun::PeriodMul, y, x))),
            (ArithOp::Div, Ty::Period, Ty::Period) if e.ty.is_numeric() => {
                let (x, y) = (self.fun(Fun::PeriodDays, x, x), self.fun(Fun::PeriodDays, y, y));
                let (a, b) = (self.frac_of(Num::Int(x)), self.frac_of(Num::Int(y)));
                let dst = self.frac();
                self.emit(Inst::QDiv { dst, a, b });
                return Ok(Val::Frac(dst));
            }
            (ArithOp::Add, Ty::Duration, Ty::Duration) => {
                let dst = self.reg();
                self.emit(Inst::Add { dst, a: x, b: y });
                return Ok(Val::Reg(dst));
            }
            (ArithOp::Sub, Ty::Duration, Ty::Duration) => {
                let dst = self.reg();
                self.emit(Inst::Sub { dst, a: x, b: y });
                return Ok(Val::Reg(dst));
            }
            _ => return gap("this arithmetic"),
        };
        Ok(Val::Reg(self.fun(f, x, y)))
    }
}
