//! The return policy in Zhanggui's language, loaded as a server would load it.
use crate::model::{Outcome, ReturnReq};
use std::sync::Arc;
use zhanggui::lang::typed::DecisionId;
use zhanggui::program::facts::Facts;
use zhanggui::program::outcome::State;
use zhanggui::program::value::Value;
use zhanggui::program::vm::Frame;
use zhanggui::rulebook::{Program, Registry};

/// A program and one of its decisions.
pub struct Ours {
    pub program: Arc<Program>,
    pub decision: DecisionId,
    outputs: [usize; 6],
}

impl Ours {
    pub fn load() -> Ours {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/rulebook");
        let registry = Registry::open(folder.as_ref()).expect("the bench's rulebook checks");
        let program = registry.current().store("s1").expect("store s1").program.clone();
        let decision = program.decision("return_item").expect("return_item");
        let outputs = &program.linked().rulebook.vocab.decisions[decision.ix()].outputs;
        let at = |name: &str| outputs.iter().position(|o| o.name == name).expect("output");
        let outputs = ["verdict", "reason", "refund", "fee", "pay", "clawback"].map(at);
        assert!(program.compiled().reasons(decision).is_empty(), "the return policy runs compiled");
        Ours { program, decision, outputs }
    }

    pub fn frame(&self) -> Frame {
        Frame::default()
    }

    pub fn bind(&self, r: &ReturnReq) -> Facts {
        self.program.binder().bind(json(r).as_bytes()).expect("facts bind")
    }

    /// The evaluation that is timed: registers, rules, trace of deciding rules and rows; no outcome object.
    pub fn run(&self, facts: &Facts, frame: &mut Frame) -> i64 {
        let ran = self.program.compiled().run(self.decision, facts, frame);
        assert!(ran.is_ok());
        1
    }

    pub fn outcome(&self, facts: &Facts) -> Outcome {
        self.read(&self.program.decide(self.decision, facts))
    }

    pub fn walk(&self, facts: &Facts) -> Outcome {
        self.read(&self.program.decide_by_walk(self.decision, facts))
    }

    pub fn json_to_json(&self, json: &str, frame: &mut Frame) -> i64 {
        let facts = self.program.binder().bind(json.as_bytes()).expect("facts bind");
        let outcome = self.program.compiled().evaluate(self.decision, &facts, frame);
        self.program.renderer().render(&outcome).len() as i64
    }

    fn read(&self, outcome: &zhanggui::program::outcome::Outcome) -> Outcome {
        let value = |k: usize| match &outcome.outputs[self.outputs[k]] {
            State::Value(v) => v,
            other => panic!("not decided: {other:?}"),
        };
        let cents = |k: usize| match value(k) {
            Value::Money(m, _) => (m * num_rational::BigRational::from_integer(100.into()))
                .to_integer()
                .try_into()
                .expect("cents"),
            Value::Absent => 0,
            other => panic!("not money: {other:?}"),
        };
        let number = |k: usize| match value(k) {
            Value::Num(n) => n.to_integer().try_into().expect("integer"),
            Value::Absent => 0,
            other => panic!("not a number: {other:?}"),
        };
        // approve < escalate < deny in the vocabulary; 0 approve, 1 deny, 2 escalate in the shared model.
        let outcome = match value(0) {
            Value::Enum(0) => 0,
            Value::Enum(1) => 2,
            _ => 1,
        };
        // original, credit, cheque: 1, 2, 3; absent when denied.
        let tender = match value(4) {
            Value::Enum(n) => i64::from(*n) + 1,
            _ => 0,
        };
        Outcome { outcome, reason: number(1), refund: cents(2), fee: cents(3), tender, clawback: number(5) }
    }
}

/// The request as a till would send it.
pub fn json(r: &ReturnReq) -> String {
    let money = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
    serde_json::json!({ "request": {
        "amount": money(r.amount), "promo_discount": money(r.promo_discount), "returned_90d": money(r.returned_90d),
        "days": r.days, "returns_90d": r.returns_90d,
        "category": r.category.name(), "condition": r.condition.name(), "tender": r.tender.name(), "tier": r.tier.name(),
        "has_receipt": r.has_receipt, "id_verified": r.id_verified, "manager": r.manager, "final_sale": r.final_sale,
        "online": r.online, "same_store": r.same_store, "holiday": r.holiday, "bundle_broken": r.bundle_broken,
    }, "today": "2026-07-01" })
    .to_string()
}
