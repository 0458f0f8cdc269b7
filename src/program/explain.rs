//! Why an outcome is what it is: clauses, values seen, roundings, rows; for the service desk and for authors.
//!
//! Explanations run on the reference walk, so what is explained is the meaning, whichever evaluator answered.
mod outputs;
pub mod print;
mod why;

use crate::lang::typed::visit::parts;
use crate::lang::typed::*;
use crate::program::ask;
use crate::program::facts::Facts;
use crate::program::link::Linked;
use crate::program::literal::{literal, number};
use crate::program::outcome::RowHit;
use crate::program::render::{conflict_text, fault_text, status};
use crate::program::value::Value;
use crate::program::walk::{Eval, Walk, site, with_walk};
use print::{Printer, mode_name};
use serde::Serialize;
use std::collections::BTreeSet;

/// A text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Text {
    pub zh: String,
    pub en: String,
}

impl Text {
    fn new(zh: impl Into<String>, en: impl Into<String>) -> Text {
        Text { zh: zh.into(), en: en.into() }
    }
    fn same(text: impl Into<String>) -> Text {
        let text = text.into();
        Text { zh: text.clone(), en: text }
    }
    fn of(label: &Label, name: &str) -> Text {
        Text::new(label.zh(name), label.en(name))
    }
}

/// A state in words: `decided`, `needs`, `undecided`, `conflict` or `faulty`, with the value or what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub state: &'static str,
    /// The value as the language writes it, if decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub needs: BTreeSet<String>,
    pub text: Text,
}

/// A rule, cited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cited {
    pub rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub say: Option<Text>,
}

/// What one effect of a rule did to an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Applied {
    #[serde(flatten)]
    pub by: Cited,
    /// `=`, `add`, `remove`, `at least`, `at most`
    pub effect: &'static str,
    pub value: String,
    /// Whether the outcome is owed to it.
    pub decides: bool,
}

/// An effect that is not certain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Possible {
    #[serde(flatten)]
    pub by: Cited,
    pub effect: &'static str,
    pub because: Shown,
}

/// One output, or one element of a per-line output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutputWhy {
    pub output: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<usize>,
    pub label: Text,
    pub is: Shown,
    /// Why its guard is not certainly true, if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard: Option<Text>,
    /// Nothing contributed: the `else` (or absent, or empty) stands.
    pub by_default: bool,
    pub applied: Vec<Applied>,
    pub possible: Vec<Possible>,
}

/// Why a rule was not effective.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotEffective {
    #[serde(flatten)]
    pub by: Cited,
    /// The element of its `for each`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<usize>,
    /// `policy`, `dates`, `guard`, `condition`, `overridden`, `replaced`, `no elements`, `open`, or `more` for the elements
    /// that are not listed one by one.
    pub reason: &'static str,
    pub text: Text,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub needs: BTreeSet<String>,
}

/// A let or param that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Used {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// The text of a let.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
    /// The policy of a lower layer that sets a param.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_by: Option<String>,
    pub is: Shown,
}

/// A rounding that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoundingStep {
    pub expression: String,
    /// The rule or let in which it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// Exactly; a fraction where no decimal is exact.
    pub before: String,
    pub mode: String,
    pub step: String,
    pub after: String,
}

/// A row that was hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowUsed {
    pub table: String,
    /// The policy whose row it is.
    pub policy: String,
    /// From 1, within its policy's rows.
    pub row: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    pub cells: String,
}

/// A binding rule that held, and what it set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetAside {
    pub held: Cited,
    pub set_aside: Cited,
}

/// The whole explanation of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    pub decision: String,
    pub outputs: Vec<OutputWhy>,
    pub not_effective: Vec<NotEffective>,
    pub set_aside: Vec<SetAside>,
    pub lets: Vec<Used>,
    pub params: Vec<Used>,
    pub roundings: Vec<RoundingStep>,
    pub rows: Vec<RowUsed>,
}

impl Explanation {
    /// As one JSON object.
    pub fn to_json(&self) -> String {
        // Strings and lists of strings: nothing in it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Explain a decision.
pub fn explain(linked: &Linked, decision: DecisionId, facts: &Facts) -> Explanation {
    with_walk(linked, decision, facts, |walk| {
        Explainer { walk, printer: Printer { book: walk.book, decision } }.explanation()
    })
}

/// A finished walk, read for its reasons.
pub(crate) struct Explainer<'w, 'a> {
    walk: &'w Walk<'a>,
    printer: Printer<'a>,
}

impl<'a> Explainer<'_, 'a> {
    fn vocab(&self) -> &'a Vocab {
        &self.walk.book.vocab
    }

    fn explanation(&self) -> Explanation {
        let results = self.walk.run();
        // What was used is read before the reasons are looked for, which evaluates more.
        let rows: BTreeSet<RowHit> = self.walk.all_rows();
        let (lets, params, roundings) = (self.lets(), self.params(), self.roundings());
        let outputs = self.outputs(&results);
        let not_effective = self.not_effective();
        let cited = |(held, aside): &(RuleId, RuleId)| SetAside {
            held: self.cite(*held),
            set_aside: self.cite(*aside),
        };
        let aside: BTreeSet<(RuleId, RuleId)> = results.iter().flat_map(|r| r.set_aside()).collect();
        let name = self.vocab().decisions.get(self.walk.decision.ix()).map(|d| d.name.clone());
        Explanation {
            decision: name.unwrap_or_default(),
            outputs,
            not_effective,
            set_aside: aside.iter().map(cited).collect(),
            lets,
            params,
            roundings,
            rows: rows.iter().filter_map(|r| self.row(r)).collect(),
        }
    }

    /// A rule by its id, clause and words.
    fn cite(&self, id: RuleId) -> Cited {
        let book = self.walk.book;
        let rule = book.rules.get(id.ix());
        let say = rule.map(|r| &r.say).filter(|s| s.zh.is_some() || s.en.is_some());
        Cited {
            rule: book.rule_id(id),
            clause: rule.and_then(|r| r.clause.clone()),
            say: say.map(|s| Text::of(s, "")),
        }
    }

    /// A state in words.
    fn show(&self, state: &Eval<'a>, ty: &Ty) -> Shown {
        let mut shown = Shown {
            state: status(state.badness()),
            value: None,
            needs: BTreeSet::new(),
            text: Text::default(),
        };
        match self.walk.as_plain(state) {
            Eval::Is(v) => {
                let value = literal(self.vocab(), ty, v.plain());
                shown.text = Text::same(&value);
                shown.value = Some(value);
            }
            // An entity or a list read in part has no value of its own to show.
            Eval::Unknown { facts, .. } if state.is_value() => {
                shown.text = Text::new("部分已知", "known in part");
                shown.needs = facts;
            }
            Eval::Unknown { facts, .. } => {
                let words = facts.iter().map(|f| ask::in_words(self.vocab(), f));
                let (zh, en): (Vec<String>, Vec<String>) = words.unzip();
                shown.text = Text::new(
                    format!("未知(还缺:{})", zh.join("、")),
                    format!("unknown (needs {})", en.join(", ")),
                );
                shown.needs = facts;
            }
            Eval::Undecided(questions) => {
                let zh: Vec<&str> = questions.iter().map(|q| q.zh("")).collect();
                let en: Vec<&str> = questions.iter().map(|q| q.en("")).collect();
                shown.text = Text::new(
                    format!("规定未明:{}", zh.join(";")),
                    format!("the rulebook is silent: {}", en.join("; ")),
                );
            }
            Eval::Conflict(conflicts) => {
                let texts = conflicts.iter().map(|c| conflict_text(self.walk.book, c));
                let (zh, en): (Vec<String>, Vec<String>) = texts.unzip();
                shown.text = Text::new(zh.join(";"), en.join("; "));
            }
            Eval::Faulty(faults) => {
                let texts = faults.iter().map(|f| fault_text(self.walk.book, f));
                let (zh, en): (Vec<String>, Vec<String>) = texts.unzip();
                shown.text = Text::new(zh.join(";"), en.join("; "));
            }
        }
        shown
    }

    /// Lets that were evaluated, in the order of the rulebook.
    fn lets(&self) -> Vec<Used> {
        let book = self.walk.book;
        let used = |(i, l): (usize, &'a Let)| {
            let state = self.walk.lets.get(LetId(i as u32))?;
            Some(Used {
                name: self.qualified(l.policy, &l.name),
                clause: None,
                definition: Some(self.printer.print(&l.value)),
                set_by: None,
                is: self.show(&state, &l.value.ty),
            })
        };
        book.lets.iter().enumerate().filter_map(used).collect()
    }

    fn params(&self) -> Vec<Used> {
        let book = self.walk.book;
        let used = |(i, p): (usize, &'a Param)| {
            let state = self.walk.params.get(ParamId(i as u32))?;
            Some(Used {
                name: self.qualified(p.policy, &p.name),
                clause: p.clause.clone(),
                definition: None,
                set_by: self.walk.set_by(p).and_then(|id| Some(book.policies.get(id.ix())?.path.clone())),
                is: self.show(&state, &p.ty),
            })
        };
        book.params.iter().enumerate().filter_map(used).collect()
    }

    fn qualified(&self, policy: PolicyId, name: &str) -> String {
        match self.walk.policy(policy) {
            Some(p) => format!("{}.{name}", p.path),
            None => name.to_owned(),
        }
    }

    fn roundings(&self) -> Vec<RoundingStep> {
        let mut steps: Vec<RoundingStep> = Vec::new();
        for rounded in self.walk.roundings.borrow().iter() {
            let ExprKind::Round { rounding, .. } = &rounded.expr.kind else { continue };
            let ty = &rounded.expr.ty;
            let amount = |n: &num_rational::BigRational| match &rounded.before {
                Value::Money(_, c) => literal(self.vocab(), ty, &Value::Money(n.clone(), *c)),
                _ => literal(self.vocab(), ty, &Value::Num(n.clone())),
            };
            let step = RoundingStep {
                expression: self.printer.print(rounded.expr),
                within: self.owner(rounded.expr),
                before: literal(self.vocab(), ty, &rounded.before),
                mode: match rounding {
                    Rounding::Mode(mode) => mode_name(*mode).to_owned(),
                    Rounding::Undecided(_) => "undecided".to_owned(),
                },
                step: if matches!(ty.inner(), Ty::Dec | Ty::Int) {
                    number(&rounded.step)
                } else {
                    amount(&rounded.step)
                },
                after: match &rounded.after {
                    Eval::Is(v) => literal(self.vocab(), ty, v.plain()),
                    other => status(other.badness()).to_owned(),
                },
            };
            if !steps.contains(&step) {
                steps.push(step);
            }
        }
        steps
    }

    /// The rule or let that an expression stands in.
    fn owner(&self, e: &Expr) -> Option<String> {
        let book = self.walk.book;
        let holds = |root: &Expr| {
            let mut todo = vec![root];
            while let Some(at) = todo.pop() {
                if site(at) == site(e) {
                    return true;
                }
                todo.extend(parts(at));
            }
            false
        };
        let rule = book.rules.iter().position(|r| {
            r.when.iter().chain(r.for_each.iter().map(|f| &f.list)).any(holds)
                || r.effects.iter().any(|e| holds(&e.value))
        });
        if let Some(rule) = rule {
            return Some(book.rule_id(RuleId(rule as u32)));
        }
        book.lets.iter().find(|l| holds(&l.value)).map(|l| self.qualified(l.policy, &l.name))
    }

    fn row(&self, hit: &RowHit) -> Option<RowUsed> {
        let table = self.walk.book.tables.get(hit.table.ix())?;
        let block = match hit.block.checked_sub(1) {
            None => &table.own,
            Some(extra) => table.extra.get(extra as usize)?,
        };
        let row = block.rows.get(hit.row as usize)?;
        let tests = row.tests.iter().zip(&table.params).map(|(t, (_, ty))| self.cell(t, ty));
        let results = row.results.iter().zip(&table.results).map(|(r, (_, ty))| match r {
            CellValue::Const(c) => literal(self.vocab(), ty, &Value::of_const(c)),
            CellValue::Undecided(question) => format!("undecided \"{}\"", question.zh("")),
        });
        Some(RowUsed {
            table: self.qualified(table.policy, &table.name),
            policy: self.walk.policy(block.policy).map_or_else(String::new, |p| p.path.clone()),
            row: hit.row + 1,
            clause: row.clause.clone().or_else(|| block.clause.clone()).or_else(|| table.clause.clone()),
            cells: format!("| {} |", tests.chain(results).collect::<Vec<_>>().join(" | ")),
        })
    }

    /// A key cell as the language writes it.
    fn cell(&self, test: &Test, ty: &Ty) -> String {
        let value = |c: &Const| literal(self.vocab(), ty, &Value::of_const(c));
        match test {
            Test::Any => "-".into(),
            Test::Else => "else".into(),
            Test::Absent => "absent".into(),
            Test::Value(c) => value(c),
            Test::Interval { low: Some((low, low_in)), high: Some((high, high_in)) } => {
                let (open, close) = (if *low_in { '[' } else { '(' }, if *high_in { ']' } else { ')' });
                format!("{open}{}..{}{close}", value(low), value(high))
            }
            Test::Interval { low: Some((low, low_in)), high: None } => {
                format!("{} {}", if *low_in { ">=" } else { ">" }, value(low))
            }
            Test::Interval { low: None, high: Some((high, high_in)) } => {
                format!("{} {}", if *high_in { "<=" } else { "<" }, value(high))
            }
            Test::Interval { low: None, high: None } => "-".into(),
            Test::OneOf(tests) => tests.iter().map(|t| self.cell(t, ty)).collect::<Vec<_>>().join(", "),
        }
    }
}
