//! Looking at a return: what the policy says, what goes back to which tender, and a ticket if nothing stands against it.
use crate::counter::desk::{Desk, When};
use crate::counter::returns::judge::{Due, Judged, Judgement, judge};
use crate::counter::returns::request::{EvaluateRequest, Slip};
use crate::counter::returns::tender::plan;
use crate::counter::tickets::{KEY, Ticket, TicketLine};
use crate::program::iso::{format_date, format_datetime, parse_date};
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want, ids};
use sea_orm::prelude::Uuid;
use serde_json::{Map, Value, json};

/// Evaluates a return; writes nothing.
#[derive(Clone, Debug)]
pub struct EvaluateReturn {
    /// Where the goods are brought back.
    pub desk: Desk,
    pub request: EvaluateRequest,
}

impl EvaluateReturn {
    /// The slip that the request comes to. Refused if the printed receipt's date cannot be read.
    fn slip(&self) -> Result<Slip, Stop> {
        let request = &self.request;
        let sale = match (&request.sale, &request.printed) {
            (Some(id), _) => Some(*id),
            (None, None) => None,
            (None, Some(printed)) => {
                let day = parse_date(&printed.date).ok_or_else(|| {
                    let detail = format!("{:?} is not a date", printed.date);
                    Refusal::new(422, "malformed-return", "The return cannot be", detail).at("printed.date")
                })?;
                Some(ids::sale(&printed.store, &printed.terminal, &printed.receipt, day))
            }
        };
        Ok(Slip {
            sale,
            lines: request.lines.clone(),
            receipt: request.receipt.clone(),
            request: request.request.clone(),
            gifts: request.gifts.clone(),
            facts: request.facts.clone(),
        })
    }
}

impl Operation for EvaluateReturn {
    fn hints(&self) -> Vec<Want> {
        let mut wants = vec![Want::Store(self.desk.store().to_owned()), Want::Secret(KEY.to_owned())];
        wants.extend(self.slip().ok().and_then(|s| s.sale).map(Want::Sale));
        wants
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        let when = self.desk.when(unit, self.request.occurred_at.as_deref())?;
        let slip = self.slip()?;
        let judgement = judge(unit, &self.desk, &when, &slip)?;
        let mut told = told(unit, &judgement, &when)?;
        if judgement.allows() {
            let ticket = self.ticket(unit, &judgement, &when, slip);
            let desk = &judgement.purchase.desk;
            told.insert(
                "ticket".into(),
                json!({
                    "id": ticket.id,
                    "token": ticket.sign(unit)?,
                    "expires_at": format_datetime(ticket.expires_at, desk.program().linked().zone),
                }),
            );
        }
        Ok(Answer { status: 200, body: Value::Object(told).to_string() })
    }
}

impl EvaluateReturn {
    fn ticket(&self, unit: &Unit, judgement: &Judgement, when: &When, slip: Slip) -> Ticket {
        let line = |l: &Judged| TicketLine { line: l.said.line, quantity: l.said.quantity, value: l.value };
        let what = serde_json::to_string(&slip).unwrap_or_default();
        let (requester, now) = (&self.request.actor, unit.now.to_string());
        let minutes = judgement.purchase.desk.terms().counter.ticket_minutes;
        Ticket {
            id: ids::dated(when.date, &["ticket", self.desk.store(), &what, requester, &now]),
            store: self.desk.store().to_owned(),
            requester: requester.clone(),
            lines: judgement.lines.iter().map(line).collect(),
            digest: judgement.purchase.desk.digest(),
            approver: judgement.approver.clone(),
            amount: if slip.exchanges() { 0 } else { judgement.value() },
            slip,
            issued_at: unit.now,
            expires_at: unit.now + minutes * 60_000_000,
        }
    }
}

/// What the desk is told.
fn told(unit: &Unit, judgement: &Judgement, when: &When) -> Result<Map<String, Value>, Stop> {
    let purchase = &judgement.purchase;
    let desk = &purchase.desk;
    let (money, value) = (desk.currency(), judgement.value());
    let dues = judgement.dues();
    let owed: i64 = dues.iter().map(|d| d.amount).sum();
    let out = if judgement.remedy == "exchange" { value } else { (value - owed).max(0) };
    let allowed = judgement.allows();
    let tenders = match &purchase.sale {
        Some(sale) if allowed => plan(unit, desk, sale.id, out, when, &[])?.told(desk),
        _ => json!([]),
    };
    let verdict = judgement
        .lines
        .iter()
        .map(Judged::verdict)
        .max_by_key(|v| desk.rank(super::judge::DECISION, "verdict", v))
        .unwrap_or("deny");
    let mut tasks: Vec<String> = Vec::new();
    for task in judgement.lines.iter().flat_map(|l| l.ruling.names("tasks")) {
        if !tasks.contains(&task) {
            tasks.push(task);
        }
    }
    let body = json!({
        "verdict": verdict,
        "remedy": judgement.remedy,
        "remedy_offered": allowed,
        "sale": purchase.sale.as_ref().map(|s| s.id),
        "business_date": format_date(when.date),
        "decided_by": { "store": desk.store(), "rulebook": desk.digest() },
        "lines": judgement.lines.iter().map(|l| line_told(l, desk)).collect::<Vec<_>>(),
        "totals": {
            "value": money.text(value),
            "dues": money.text(owed),
            "goes_back": money.text(out),
            "same_day": money.text(purchase.same_day),
            "to_approve": money.text(judgement.to_approve()),
            "points_back": points_told(desk, &judgement.points_back()),
        },
        "owes": dues.iter().map(|d| due_told(d, desk)).collect::<Vec<_>>(),
        "tasks": tasks,
        "approver": judgement.approver,
        "tenders": tenders,
    });
    match body {
        Value::Object(body) => Ok(body),
        _ => Ok(Map::new()),
    }
}

fn line_told(line: &Judged, desk: &Desk) -> Value {
    let money = desk.currency();
    let output = |name: &str| line.ruling.outcome.get(name).cloned().unwrap_or_default();
    json!({
        "line": line.said.line,
        "quantity": line.said.quantity,
        "verdict": line.verdict(),
        "reasons": line.ruling.names("reasons"),
        "remedies": line.ruling.names("remedies"),
        "paid": money.text(line.worth),
        "refund": money.text(line.ruling.money("refund", &money)),
        "value": money.text(line.value),
        "tasks": line.ruling.names("tasks"),
        "owes": line.dues.iter().map(|d| due_told(d, desk)).collect::<Vec<_>>(),
        "points_back": points_told(desk, &line.points_back),
        "approver": output("approver"),
        "last_day": output("last_day"),
        "guarantee_end": output("guarantee_end"),
        "liable": output("liable"),
        "because": line.ruling.answer().get("because"),
    })
}

/// `{"kind", "reference", "amount"}`.
pub fn due_told(due: &Due, desk: &Desk) -> Value {
    json!({ "kind": due.kind, "reference": due.reference, "amount": desk.currency().text(due.amount) })
}

/// `{ledger: points}`.
pub fn points_told(desk: &Desk, points: &[(String, i64)]) -> Value {
    let scale = desk.points();
    Value::Object(points.iter().map(|(l, n)| (l.clone(), scale.text(*n).into())).collect())
}

/// The id of the return that a ticket becomes.
pub fn return_id(ticket: &Ticket, date: i32) -> Uuid {
    ids::dated(date, &["return", &ticket.id.to_string()])
}
