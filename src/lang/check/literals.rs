//! Literals: numbers, amounts, periods, durations and rates, within the limits of the language.
use super::cx::{Cx, broken_expr};
use super::expr::{constant, int, show_num, whole};
use crate::lang::ast;
use crate::lang::near::nearest;
use crate::lang::source::Span;
use crate::lang::typed::*;
use num_rational::BigRational;
use num_traits::ToPrimitive;

impl Cx<'_> {
    /// A number within the limits of its type.
    pub fn number(&mut self, value: BigRational, ty: Ty, span: Span) -> Expr {
        if self.out_of_range(&value, &ty, span) {
            return broken_expr(span);
        }
        constant(Const::Num(value), ty, span)
    }

    fn out_of_range(&mut self, value: &BigRational, ty: &Ty, span: Span) -> bool {
        // The denominator is at least 1, so a numerator of this size is within every limit.
        if value.numer().bits() <= 49 {
            return false;
        }
        let most = if *ty == Ty::Int { int(i64::MAX) } else { int(i64::MAX) / int(10_000) };
        let wrong = *value > most || *value < -most;
        if wrong {
            self.error("E0306", span, "this number is larger than any that the language counts");
        }
        wrong
    }

    pub fn period(&mut self, n: &ast::Number, unit: ast::PeriodUnit, span: Span) -> Expr {
        let value = n.value();
        let Some(count) = whole(&value).filter(|c| c.abs() <= 4_000_000) else {
            if value.is_integer() {
                let unit = match unit {
                    ast::PeriodUnit::Days => "days",
                    ast::PeriodUnit::Months => "months",
                    ast::PeriodUnit::Years => "years",
                };
                let message = format!("these are too many {unit}");
                self.error_help("E0306", n.span, message, "a period counts at most 4000000");
                return broken_expr(span);
            }
            self.error_help(
                "E0306",
                n.span,
                "a period counts whole days, months or years",
                "use a whole number; for half a year write `6 months`",
            );
            return broken_expr(span);
        };
        let period = match unit {
            ast::PeriodUnit::Days => Period::Days(count),
            ast::PeriodUnit::Months => Period::Months(count),
            ast::PeriodUnit::Years => Period::Months(count * 12),
        };
        constant(Const::Period(period), Ty::Period, span)
    }

    pub fn duration(&mut self, n: &ast::Number, unit: ast::DurationUnit, span: Span) -> Expr {
        let seconds = match unit {
            ast::DurationUnit::Hours => 3600,
            ast::DurationUnit::Minutes => 60,
            ast::DurationUnit::Seconds => 1,
        };
        match whole(&(n.value() * int(seconds))).filter(|c| c.abs() < 1 << 53) {
            Some(count) => constant(Const::Duration(count), Ty::Duration, span),
            None => {
                let help = "write a smaller unit: `90 seconds` for one and a half minutes";
                self.error_help("E0306", n.span, "a duration counts whole seconds", help);
                broken_expr(span)
            }
        }
    }

    pub fn quantity(&mut self, q: &ast::Quantity) -> Expr {
        use super::vocab::UnitName;
        let value = q.number.value();
        let unit = self.units.get(&q.unit.text).copied();
        self.means_unit(q.unit.span, unit);
        let (ty, step, constant_of) = match unit {
            Some(UnitName::Unit(u)) => {
                let step = self.vocab.units.get(u.ix()).map(|d| (d.step.clone(), d.name.clone()));
                (Ty::Unit(u), step, Const::Num(value.clone()))
            }
            Some(UnitName::Currency(c)) => {
                let step = self.vocab.currencies.get(c.ix()).map(|d| (d.step.clone(), d.code.clone()));
                (Ty::Money, step, Const::Money(value.clone(), c))
            }
            None => {
                self.unknown_unit(&q.unit, Some(&value));
                return broken_expr(q.span);
            }
        };
        if self.out_of_range(&value, &ty, q.span) {
            return broken_expr(q.span);
        }
        if let Some((step, name)) = step
            && !is_multiple(&value, &step)
        {
            self.error_help(
                "E0421",
                q.span,
                format!(
                    "`{}` is no multiple of {} {name}, the smallest amount",
                    self.text(q.span),
                    show_num(&step)
                ),
                "write an amount that can be paid, or use a plain number (`0.5`, `50%`) to multiply with",
            );
            return broken_expr(q.span);
        }
        constant(constant_of, ty, q.span)
    }

    fn unknown_unit(&mut self, unit: &ast::Name, number: Option<&BigRational>) {
        if self.excused(&unit.text) {
            return;
        }
        let meant = match unit.text.as_str() {
            "日" => number.map(|n| format!("{}天", show_num(n))),
            "week" | "weeks" | "周" | "星期" | "礼拜" => {
                number.map(|n| format!("{} days", show_num(&(n * int(7)))))
            }
            "RMB" | "rmb" | "人民币" | "块" | "块钱" | "yuan" => {
                number.filter(|_| self.units.contains_key("CNY")).map(|n| format!("{} CNY", show_num(n)))
            }
            _ => None,
        };
        if let Some(meant) = meant {
            let message = format!("there is no unit or currency `{}`", unit.text);
            let found = crate::lang::diagnostic::Diagnostic::error("E0216", unit.span, message);
            return self.push(found.help(format!("write `{meant}`")));
        }
        let near = nearest(&unit.text, self.units.keys().map(String::as_str));
        let message = format!("there is no unit or currency `{}`", unit.text);
        let known: Vec<&str> = self.vocab.currencies.iter().map(|c| c.code.as_str()).collect();
        let help = match known.first() {
            Some(first) => format!(
                "money is written `1 {first}` here; another unit or currency has to be declared in the vocabulary: `unit point step 1`, `currency {first} step 0.01`"
            ),
            None => "declare it in the vocabulary: `unit point step 1`, `currency CNY step 0.01`".to_owned(),
        };
        self.misspelt("E0216", unit.span, message, near, &help);
    }

    pub fn rate(&mut self, rate: &ast::Rate, span: Span) -> Expr {
        let (Some(of), Some(per)) = (self.rate_kind(&rate.amount.unit), self.rate_kind(&rate.per.unit))
        else {
            return broken_expr(span);
        };
        let per_value = rate.per.number.value();
        if per_value == int(0) {
            let help = "write how much it takes: `1 point per 2 CNY`";
            self.error_help("E0306", rate.per.span, "a rate per nothing has no meaning", help);
            return broken_expr(span);
        }
        constant(Const::Rate(rate.amount.number.value() / per_value), Ty::Rate(of, per), span)
    }

    fn rate_kind(&mut self, unit: &ast::Name) -> Option<RateKind> {
        use super::vocab::UnitName;
        let known = self.units.get(&unit.text).copied();
        self.means_unit(unit.span, known);
        match known {
            Some(UnitName::Unit(u)) => Some(RateKind::Unit(u)),
            Some(UnitName::Currency(c)) => Some(RateKind::Money(c)),
            None if matches!(unit.text.as_str(), "day" | "days" | "天" | "日") => Some(RateKind::Days),
            None => {
                self.unknown_unit(unit, None);
                None
            }
        }
    }
}

/// Whether an amount is a whole number of steps.
pub(super) fn is_multiple(value: &BigRational, step: &BigRational) -> bool {
    let small = |r: &BigRational| Some((r.numer().to_i64()?, r.denom().to_i64()?));
    match (small(value), small(step)) {
        // Products of two i64 fit into an i128.
        (Some((n, d)), Some((sn, sd))) if sn != 0 => {
            (i128::from(n) * i128::from(sd)) % (i128::from(d) * i128::from(sn)) == 0
        }
        _ => (value / step).is_integer(),
    }
}
