//! Literals, brackets, and what else an expression is made of.

use super::{Lower, P};
use crate::lang::ast::{
    Between, BetweenUnit, DurationUnit, Expr, ExprKind, Interval, Number, PeriodUnit, Quantity, Rate, Text,
};
use crate::lang::source::Span;
use crate::lang::syntax::grammar::Rule;
use chrono::DateTime;

impl Lower<'_> {
    /// An atom of an expression.
    pub fn atom(&mut self, pair: P<'_>) -> Option<Expr> {
        let inner = pair.into_inner().next()?;
        let span = self.span(&inner);
        let kind = match inner.as_rule() {
            Rule::paren | Rule::bracket => return self.brackets(inner, span),
            Rule::braces => ExprKind::Set(self.exprs(inner)?),
            Rule::date => self.date_or_time(&inner),
            Rule::amount => return self.amount(inner),
            Rule::string => ExprKind::Text(self.string(&inner).value),
            Rule::undecided => ExprKind::Undecided(self.undecided(inner)?),
            Rule::kw_yes => ExprKind::Bool(true),
            Rule::kw_no => ExprKind::Bool(false),
            Rule::kw_absent => ExprKind::Absent,
            Rule::between => self.between(inner)?,
            Rule::reference => return self.reference(inner),
            _ => return None,
        };
        Some(Expr { kind, span })
    }

    fn exprs(&mut self, pair: P<'_>) -> Option<Vec<Expr>> {
        pair.into_inner().filter(|part| part.as_rule() == Rule::expr).map(|part| self.expr(part)).collect()
    }

    /// `( e )`, an interval, or a list.
    fn brackets(&mut self, pair: P<'_>, span: Span) -> Option<Expr> {
        let round = pair.as_rule() == Rule::paren;
        let mut values = Vec::new();
        let mut end = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::expr => values.push(self.expr(part)?),
                Rule::interval_tail => {
                    let mut high_open = false;
                    let mut high = None;
                    for part in part.into_inner() {
                        match part.as_rule() {
                            Rule::sum => high = Some(self.tight(part)?),
                            Rule::rparen => high_open = true,
                            _ => {}
                        }
                    }
                    end = Some((high?, high_open));
                }
                _ => {}
            }
        }
        let kind = match end {
            Some((high, high_open)) => {
                let low = values.pop()?;
                ExprKind::Interval(Box::new(Interval { low, high, low_open: round, high_open, span }))
            }
            // The brackets belong to the place of the expression, so that a caret shows all of it.
            None if round => values.pop()?.kind,
            None => ExprKind::List(values),
        };
        Some(Expr { kind, span })
    }

    fn date_or_time(&mut self, pair: &P<'_>) -> ExprKind {
        let text = pair.as_str();
        if !text.contains('T') {
            return ExprKind::Date(self.date(pair).date);
        }
        let text = text.strip_suffix('Z').map_or(text.to_owned(), |local| format!("{local}+00:00"));
        let read = DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M%:z")
            .or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%:z"));
        match read {
            Ok(time) => ExprKind::DateTime(time),
            Err(_) => {
                let span = self.span(pair);
                let help = "write the time with its distance from UTC: `2026-07-01T09:30+08:00`";
                self.guessed = true;
                self.error("E0116", span, format!("`{}` is not a time", pair.as_str()), help);
                ExprKind::Date(Default::default())
            }
        }
    }

    /// The string of `undecided "…"`.
    pub fn undecided(&mut self, pair: P<'_>) -> Option<Text> {
        let string = pair.into_inner().find(|part| part.as_rule() == Rule::string)?;
        Some(self.string(&string))
    }

    /// A quantity or a rate.
    fn amount(&mut self, pair: P<'_>) -> Option<Expr> {
        let span = self.span(&pair);
        let mut sides = pair.into_inner().filter(|part| part.as_rule() == Rule::quantity);
        let first = sides.next()?;
        let Some(second) = sides.next() else { return self.quantity(first) };
        let (amount, per) = (self.measured(first)?, self.measured(second)?);
        Some(Expr { kind: ExprKind::Rate(Box::new(Rate { amount, per })), span })
    }

    /// A side of a rate: it must have a unit.
    fn measured(&mut self, pair: P<'_>) -> Option<Quantity> {
        let span = self.span(&pair);
        let (number, unit) = self.parts(pair)?;
        match unit.filter(|unit| unit.as_rule() == Rule::unit_word) {
            Some(unit) => {
                self.refused_unit(&unit);
                Some(Quantity { number, unit: self.name(&unit), span })
            }
            None => {
                self.error("E0123", span, "each side of `per` needs a unit", "write `1 point per 2 CNY`");
                None
            }
        }
    }

    fn parts<'i>(&mut self, pair: P<'i>) -> Option<(Number, Option<P<'i>>)> {
        let mut parts = pair.into_inner();
        let number = self.number(&parts.next()?);
        Some((number, parts.next()))
    }

    /// A number, with its unit if it has one.
    pub fn quantity(&mut self, pair: P<'_>) -> Option<Expr> {
        let span = self.span(&pair);
        let (number, unit) = self.parts(pair)?;
        let kind = match unit {
            None => ExprKind::Number(number),
            Some(unit) if unit.as_rule() == Rule::percent => ExprKind::Percent(number),
            Some(unit) => match unit.as_str() {
                "折" => self.zhe(number, span),
                "day" | "days" | "天" => ExprKind::Period(number, PeriodUnit::Days),
                "month" | "months" | "个月" => ExprKind::Period(number, PeriodUnit::Months),
                "year" | "years" | "年" => ExprKind::Period(number, PeriodUnit::Years),
                "hour" | "hours" | "小时" => ExprKind::Duration(number, DurationUnit::Hours),
                "minute" | "minutes" | "分钟" => ExprKind::Duration(number, DurationUnit::Minutes),
                "second" | "seconds" | "秒" => ExprKind::Duration(number, DurationUnit::Seconds),
                _ => {
                    self.refused_unit(&unit);
                    ExprKind::Quantity(Quantity { number, unit: self.name(&unit), span })
                }
            },
        };
        Some(Expr { kind, span })
    }

    /// 8.8折 is 0.88. People write 88折 for the same, but then what is 10折?
    fn zhe(&mut self, number: Number, span: Span) -> ExprKind {
        let whole = number.text.split('.').next().unwrap_or("");
        if whole.trim_start_matches('0').len() > 1 {
            let help = "`8.5折` is 0.85; with two figures write a percentage: `85%`";
            self.error("E0119", span, "`折` takes a number below ten", help);
        }
        ExprKind::Zhe(number)
    }

    /// Words that look like a unit but leave open what is meant.
    fn refused_unit(&mut self, unit: &P<'_>) {
        let span = self.span(unit);
        let word = unit.as_str();
        if let Some((message, help)) = refused(word) {
            self.guessed = true;
            self.error("E0113", span, message, help);
        } else if word.starts_with('年') && word.contains(|c: char| c.is_ascii_digit()) {
            self.guessed = true;
            self.error("E0115", span, "a date is not written with 年 and 月", "write `2026-07-01`");
        }
    }

    fn between(&mut self, pair: P<'_>) -> Option<ExprKind> {
        let mut unit = BetweenUnit::Days;
        let mut ends = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_months => unit = BetweenUnit::Months,
                Rule::kw_years => unit = BetweenUnit::Years,
                Rule::kw_hours => unit = BetweenUnit::Hours,
                Rule::sum => ends.push(self.tight(part)?),
                _ => {}
            }
        }
        let to = ends.pop()?;
        let from = ends.pop()?;
        Some(ExprKind::Between(Box::new(Between { unit, from, to })))
    }
}

/// Why a word is refused, and what to write instead.
pub fn refused(word: &str) -> Option<(String, &'static str)> {
    let says = |part: &str| format!("`{part}` does not say whether the end belongs to it");
    match word {
        "分" => Some(("`分` may be a cent or a point".to_owned(), "write `0.01 CNY` or `1 point`")),
        _ if word.ends_with("以上") => {
            Some((says("以上"), "write `>= …` if the amount itself belongs to it, else `> …`"))
        }
        _ if word.ends_with("以下") => {
            Some((says("以下"), "write `<= …` if the amount itself belongs to it, else `< …`"))
        }
        _ if word.ends_with("以内") || word.ends_with("天内") => {
            Some((says("以内"), "write `<= …` if the last day or amount belongs to it, else `< …`"))
        }
        _ => None,
    }
}
