//! A small typed rulebook made by hand, for the walk's own tests.
use crate::lang::source::Span;
use crate::lang::typed::*;
use crate::program::facts::{Facts, Layout, ListData, Shape, Slot, Symbols};
use crate::program::link::Linked;
use crate::program::outcome::{Outcome, State};
use crate::program::value::Value;
use crate::program::walk::evaluate;
use num_rational::BigRational;
use std::sync::Arc;

pub const AMOUNT: RootId = RootId(0);
pub const FLAG: RootId = RootId(1);
pub const LINES: RootId = RootId(2);
pub const SEASON: RootId = RootId(3);
pub const TODAY: RootId = RootId(4);

pub fn season() -> Ty {
    Ty::Enum(EnumId(0))
}
pub fn verdict() -> Ty {
    Ty::Enum(EnumId(1))
}
pub const ALLOW: u32 = 0;
pub const REFER: u32 = 1;
pub const DENY: u32 = 2;

pub fn ex(kind: ExprKind, ty: Ty) -> Expr {
    Expr { kind, ty, on_step: true, span: Span::default() }
}
pub fn level(l: u32) -> Expr {
    ex(ExprKind::Const(Const::Enum(l)), verdict())
}
pub fn cny(n: i64) -> Expr {
    ex(ExprKind::Const(Const::Money(rat(n), CurrencyId(0))), Ty::Money)
}
pub fn usd(n: i64) -> Expr {
    ex(ExprKind::Const(Const::Money(rat(n), CurrencyId(1))), Ty::Money)
}
pub fn yes(b: bool) -> Expr {
    ex(ExprKind::Const(Const::Bool(b)), Ty::Bool)
}
pub fn flag() -> Expr {
    ex(ExprKind::Root(FLAG), Ty::Bool)
}
pub fn amount() -> Expr {
    ex(ExprKind::Root(AMOUNT), Ty::Money)
}
pub fn today() -> Expr {
    ex(ExprKind::Root(TODAY), Ty::Date)
}
pub fn asked(question: &str) -> Label {
    Label { zh: None, en: Some(question.into()) }
}
pub fn rat(n: i64) -> BigRational {
    BigRational::from_integer(n.into())
}
pub fn money(n: i64) -> Value {
    Value::Money(rat(n), CurrencyId(0))
}

fn members(names: &[&str]) -> Vec<Member> {
    names.iter().map(|n| Member { name: (*n).into(), label: Label::default() }).collect()
}

/// Seasons, verdicts, lines with `paid` and `full`, and one decision `d`.
pub fn vocab(outputs: Vec<OutputDef>) -> Vocab {
    let field = |name: &str, ty| FieldDef { name: name.into(), ty, bounds: None, label: Label::default() };
    let line = Ty::Entity(EntityId(0));
    let root = |name: &str, ty| RootDef {
        name: name.into(),
        ty,
        bounds: None,
        label: Label::default(),
        source: Source::Request,
    };
    let order = (0..outputs.len()).map(|o| OutputId(o as u32)).collect();
    Vocab {
        enums: vec![
            EnumDef {
                name: "season".into(),
                label: Label::default(),
                ordered: false,
                members: members(&["spring", "summer", "autumn", "winter"]),
            },
            EnumDef {
                name: "verdict".into(),
                label: Label::default(),
                ordered: true,
                members: members(&["allow", "refer", "deny"]),
            },
        ],
        currencies: ["CNY", "USD"]
            .map(|c| CurrencyDef { code: c.into(), step: BigRational::new(1.into(), 100.into()) })
            .into(),
        entities: vec![EntityDef {
            name: "line".into(),
            label: Label::default(),
            record: false,
            fields: vec![field("paid", Ty::Money), field("full", Ty::Bool)],
        }],
        roots: vec![
            root("amount", Ty::Money),
            root("flag", Ty::Bool),
            root("lines", Ty::List(Arc::new(line))),
            root("season", season().optional()),
            root("today", Ty::Date),
        ],
        decisions: vec![Decision {
            name: "d".into(),
            label: Label::default(),
            given: (0..5).map(RootId).collect(),
            given_calls: Vec::new(),
            outputs,
            order,
        }],
        ..Vocab::default()
    }
}

pub fn output(name: &str, mode: Mode, ty: Ty, fallback: Fallback) -> OutputDef {
    OutputDef {
        name: name.into(),
        label: Label::default(),
        working: false,
        per: None,
        var: None,
        mode,
        ty,
        better: None,
        guard: None,
        guard_key: None,
        fallback,
    }
}

pub fn policy(path: &str, rank: u32) -> Policy {
    Policy {
        path: path.into(),
        decides: Some(DecisionId(0)),
        title: Label::default(),
        source: None,
        layer: Layer { rank, kind: "chain".into(), name: None },
        dates: DateRange::default(),
        governed_by: Some(today()),
        applies_when: None,
        uses: Vec::new(),
        extends: Vec::new(),
        rules: Vec::new(),
        span: Span::default(),
    }
}

pub fn rule(name: &str, when: Option<Expr>, op: EffectOp, value: Expr) -> Rule {
    Rule {
        policy: PolicyId(0),
        name: name.into(),
        clause: None,
        group: None,
        binding: false,
        dates: DateRange::default(),
        for_each: None,
        guard: None,
        when,
        effects: vec![Effect { output: OutputId(0), op, value, per_element: false, span: Span::default() }],
        overrides: Vec::new(),
        replaces: Vec::new(),
        say: Label::default(),
        span: Span::default(),
    }
}

pub fn set(name: &str, when: Option<Expr>, value: Expr) -> Rule {
    rule(name, when, EffectOp::Set, value)
}

pub fn overriding(mut r: Rule, rules: &[u32]) -> Rule {
    r.overrides.push(Override { rules: rules.iter().map(|r| RuleId(*r)).collect(), output: None });
    r
}

pub fn book(outputs: Vec<OutputDef>, rules: Vec<Rule>) -> Rulebook {
    Rulebook {
        vocab: vocab(outputs),
        policies: vec![policy("a", 0), policy("b", 1)],
        rules,
        ..Rulebook::default()
    }
}

pub fn link(book: Rulebook) -> Linked {
    let layout = Layout::of(&book.vocab);
    let takes_part = vec![true; book.policies.len()];
    let zone = chrono_tz::Asia::Shanghai;
    Linked::new(
        Arc::new(book),
        Arc::new(layout),
        Arc::new(Symbols::default()),
        takes_part,
        zone,
        0,
        String::new(),
    )
}

/// Facts set one by one.
pub struct Known {
    pub layout: Layout,
    pub facts: Facts,
}

impl Known {
    pub fn new(linked: &Linked) -> Known {
        let facts = Facts::unknown(&linked.layout);
        Known { layout: linked.layout.as_ref().clone(), facts }
    }
    pub fn set(mut self, root: RootId, slot: Slot) -> Self {
        let at = self.layout.roots[root.ix()].slot as usize;
        self.facts.slots[at] = slot;
        self
    }
    pub fn value(self, root: RootId, bits: i64) -> Self {
        self.set(root, Slot::value(bits))
    }
    pub fn amount(self, yuan: i64) -> Self {
        self.value(AMOUNT, yuan * 10_000)
    }
    /// Lines with what was paid and whether at full price; `None` is unknown.
    pub fn lines(mut self, lines: &[(Option<i64>, Option<bool>)]) -> Self {
        let Shape::List(element) = self.layout.roots[LINES.ix()].shape else { panic!("lines are a list") };
        for (paid, full) in lines {
            self.facts.rows.push(Slot::value(1));
            self.facts.rows.push(paid.map_or(Slot::UNKNOWN, |p| Slot::value(p * 10_000)));
            self.facts.rows.push(full.map_or(Slot::UNKNOWN, |f| Slot::value(i64::from(f))));
        }
        self.facts.lists.push(ListData { element, len: lines.len() as u32, start: 0 });
        self.value(LINES, 0)
    }
}

pub fn decide(linked: &Linked, given: &Known) -> Outcome {
    evaluate(linked, DecisionId(0), &given.facts)
}

pub fn first(outcome: &Outcome) -> &State {
    &outcome.outputs[0]
}

pub fn unknown(paths: &[&str]) -> State {
    State::Unknown(paths.iter().map(|p| (*p).to_owned()).collect())
}

pub fn because(outcome: &Outcome) -> Vec<u32> {
    outcome.because.iter().map(|b| b.rule.0).collect()
}
