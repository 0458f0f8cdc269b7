//! Returns that a desk took while it had no line: kept until their sale is there, then decided and recorded as they were.
//!
//! Invariants: the goods are back and the money is paid, so nothing of that is changed by what a policy says; what the policy
//! says otherwise stands beside it. An event is never dropped: it waits, is recorded, or says why it is not.
mod paid;
mod request;

pub use request::{Approved, OfflineReturnRequest, PaidOut};

use crate::counter::allocate::by_weight;
use crate::counter::desk::{Desk, When};
use crate::counter::returns::approve::{Given, give, high_enough};
use crate::counter::returns::dues;
use crate::counter::returns::evaluate::{due_told, return_id};
use crate::counter::returns::judge::{Judged, Judgement, judge_done};
use crate::counter::returns::record::{Booked, Opened};
use crate::counter::returns::request::RecordRequest;
use crate::counter::returns::{payout, points};
use crate::counter::stored::Place;
use crate::counter::tickets::Ticket;
use crate::program::iso::{format_date, format_datetime};
use crate::records::entity::offline_return::Model as Row;
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want};
use request::MONEY_BACK;
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

/// Takes up a return that was taken already. It is recorded if its sale is there, and else waits for it.
#[derive(Clone, Debug)]
pub struct TakeOffline {
    pub desk: Desk,
    pub request: OfflineReturnRequest,
}

impl Operation for TakeOffline {
    fn hints(&self) -> Vec<Want> {
        let mut wants = hints(&self.desk);
        wants.extend(self.request.sale().ok().map(Want::Sale));
        wants
    }
    /// Refused with 422 where it is malformed or too late, with 409 `slip-recorded` where it is there already.
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        let (desk, request) = (&self.desk, &self.request);
        let when = desk.when(unit, Some(&request.occurred_at))?;
        request.check(desk)?;
        let (id, sale_id) = (request.id(when.date), request.sale()?);
        unit.need([Want::Sale(sale_id), Want::Offline(id)])?;
        if let Some(there) = unit.t.offline_returns.get(&id) {
            let detail = format!("slip {} of {} is recorded", there.slip, format_date(there.business_date));
            let more = json!({ "offline_return": id, "return": there.return_id });
            let refusal = Refusal::new(409, "slip-recorded", "The slip is recorded already", detail);
            return Err(refusal.at("slip").with(more.to_string()).into());
        }
        let late = i64::from(desk.terms().counter.late_days) * 86_400_000_000;
        let row = Row {
            id,
            sale_id,
            store: desk.store().to_owned(),
            terminal: request.terminal.clone(),
            slip: request.slip.clone(),
            business_date: when.date,
            occurred_at: when.occurred_at,
            recorded_at: unit.now,
            waits_until: when.occurred_at + late,
            state: "waiting".into(),
            request: serde_json::to_string(request).unwrap_or_default(),
            return_id: None,
            differences: "[]".into(),
            problem: None,
            decided_at: None,
        };
        let row = decide(unit, desk, request, row)?;
        let status = if row.return_id.is_some() { 201 } else { 202 };
        let told = offline_told(&row, desk.program().linked().zone, unit.now);
        unit.t.offline_returns.put(row);
        Ok(Answer { status, body: told.to_string() })
    }
}

/// Records a return that waits, if its sale has come. Doing it twice is doing it once.
#[derive(Clone, Debug)]
pub struct MatchOffline {
    /// Where the goods came back.
    pub desk: Desk,
    pub id: Uuid,
    pub sale: Uuid,
}

impl Operation for MatchOffline {
    fn hints(&self) -> Vec<Want> {
        let mut wants = hints(&self.desk);
        // The sale's lock: of two nodes that match the same return the second one finds it recorded.
        wants.extend([Want::Sale(self.sale), Want::Offline(self.id)]);
        wants
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        let Some(row) = unit.t.offline_returns.get(&self.id).cloned() else {
            let detail = format!("there is no return {} that was taken off line", self.id);
            return Err(Refusal::new(404, "unknown-return", "There is no such return", detail).into());
        };
        let open = matches!(row.state.as_str(), "waiting" | "undecided");
        let row = match serde_json::from_str::<OfflineReturnRequest>(&row.request) {
            _ if !open => row,
            Ok(request) => decide(unit, &self.desk, &request, row)?,
            // Kept by another version of this program.
            Err(error) => {
                let refusal =
                    Refusal::new(422, "malformed-return", "The return cannot be", error.to_string());
                not_recorded(row, &refusal.for_now(), unit.now)
            }
        };
        let told = offline_told(&row, self.desk.program().linked().zone, unit.now);
        unit.t.offline_returns.put(row);
        Ok(Answer { status: 200, body: told.to_string() })
    }
}

fn hints(desk: &Desk) -> Vec<Want> {
    vec![Want::Store(desk.store().to_owned()), Want::Rulebook(desk.digest())]
}

/// The event as callers see it. Past the time in which a sale may come, one that waits is `unmatched`.
pub fn offline_told(row: &Row, zone: chrono_tz::Tz, now: i64) -> Value {
    let kept = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let request = kept(&row.request);
    let said = |name: &str| request.get(name).cloned().unwrap_or_default();
    let unmatched = row.state == "waiting" && row.waits_until < now;
    json!({
        "offline_return": row.id,
        "state": if unmatched { "unmatched" } else { row.state.as_str() },
        "store": row.store,
        "terminal": row.terminal,
        "slip": row.slip,
        "business_date": format_date(row.business_date),
        "occurred_at": format_datetime(row.occurred_at, zone),
        "recorded_at": format_datetime(row.recorded_at, zone),
        "waits_until": format_datetime(row.waits_until, zone),
        "printed": said("printed"),
        "sale": row.sale_id,
        "actor": said("actor"),
        "lines": said("lines"),
        "paid_out": said("paid_out"),
        "return": row.return_id,
        "differences": kept(&row.differences),
        "problem": row.problem.as_deref().map(kept),
    })
}

/// The row as it is once the sale is there; as it was, while it is not.
fn decide(unit: &mut Unit, desk: &Desk, request: &OfflineReturnRequest, row: Row) -> Result<Row, Stop> {
    if unit.t.sales.get(&row.sale_id).is_none() {
        return Ok(row);
    }
    match record(unit, desk, request, &row) {
        Ok((return_id, differences)) => Ok(Row {
            state: if differences.is_empty() { "recorded" } else { "differs" }.into(),
            return_id: Some(return_id),
            differences: Value::from(differences).to_string(),
            problem: None,
            decided_at: Some(unit.now),
            ..row
        }),
        Err(Stop::Refused(refusal)) => {
            // Half of a return may stand on the shelves.
            unit.back();
            Ok(not_recorded(row, &refusal, unit.now))
        }
        Err(stop) => Err(stop),
    }
}

fn not_recorded(row: Row, refusal: &Refusal, now: i64) -> Row {
    let state = if refusal.kept { "refused" } else { "undecided" }.into();
    Row { state, problem: Some(refusal.json()), decided_at: Some(now), ..row }
}

/// Records what the desk did, and says what the policy would have done otherwise.
fn record(
    unit: &mut Unit,
    desk: &Desk,
    request: &OfflineReturnRequest,
    row: &Row,
) -> Result<(Uuid, Vec<Value>), Stop> {
    let when = When { occurred_at: row.occurred_at, date: row.business_date };
    let ticket = ticket(desk, request, row);
    let mut judgement = judge_done(unit, desk, &when, &ticket.slip)?;
    let policy = judgement.purchase.desk.clone();
    let (id, money) = (return_id(&ticket, when.date), policy.currency());
    let mut differences = verdicts(&judgement);
    for line in judgement.lines.iter_mut().filter(|line| !line.allows(MONEY_BACK)) {
        line.value = 0;
    }
    let place = Place { desk, when: &when, actor: &request.actor, cause: "return", cause_id: id };
    let taken = points::take(unit, &place, &judgement)?;

    let worths: Vec<i64> = judgement.lines.iter().map(|line| line.worth).collect();
    let (paid, worth) = (request.paid(&policy)?, worths.iter().sum::<i64>());
    let mut owed = judgement.dues();
    owed.extend(taken.dues.iter().cloned());
    let dues = dues::settle_done(owed, &request.dues, judgement.value(), worth, paid);
    let open = |due| json!({ "what": "due", "policy": due_told(due, &policy), "desk": null });
    differences.extend(dues.open.iter().map(open));
    let withheld = dues::withheld(&dues.settled);
    // No more goes back on a receipt than was paid; what the customer got beyond that is told and not booked.
    let left = unit.sale_tenders(row.sale_id).iter().map(|t| t.amount - t.refunded).sum();
    let booked = paid.min(worth - withheld).min(left);
    if paid != dues.expected || paid != booked {
        differences.push(json!({
            "what": "refund",
            "policy": money.text(dues.expected),
            "desk": money.text(paid),
            "booked": money.text(booked),
        }));
    }
    if booked + withheld != judgement.value() {
        let parts = by_weight(booked + withheld, &worths);
        judgement.lines.iter_mut().zip(parts).for_each(|(line, part)| line.value = part);
    }
    differences.extend(approval(unit, request, &when, &ticket, &judgement)?);
    let plan = paid::as_paid(unit, &policy, (row.sale_id, booked), &when, request, &mut differences)?;
    let case = Opened { ticket, when: when.clone(), id, judgement };
    payout::put_back(unit, &place, &case.payee(), &plan.parts)?;
    let booked = Booked { plan, settled: dues.settled, taken, exchange_sale: None };
    case.book(unit, desk, &as_recorded(request), &booked)?;
    Ok((id, differences))
}

/// What an evaluation would have written down of it.
fn ticket(desk: &Desk, request: &OfflineReturnRequest, row: &Row) -> Ticket {
    Ticket {
        id: row.id,
        store: desk.store().to_owned(),
        requester: request.actor.clone(),
        slip: request.as_slip(Some(row.sale_id)),
        lines: Vec::new(),
        digest: desk.digest(),
        approver: None,
        amount: 0,
        issued_at: row.occurred_at,
        expires_at: row.occurred_at,
    }
}

fn as_recorded(request: &OfflineReturnRequest) -> RecordRequest {
    RecordRequest {
        store: request.store.clone(),
        terminal: request.terminal.clone(),
        occurred_at: Some(request.occurred_at.clone()),
        actor: request.actor.clone(),
        ticket: String::new(),
        lines: None,
        gifts: request.gifts.clone(),
        dues: request.dues.clone(),
        refund_to: Vec::new(),
    }
}

/// The lines that the policy would not have taken back, or not for money.
fn verdicts(judgement: &Judgement) -> Vec<Value> {
    let against = judgement.lines.iter().filter(|line| !line.allows(MONEY_BACK));
    let told = |line: &Judged| {
        json!({
            "what": "verdict",
            "line": line.said.line,
            "policy": line.verdict(),
            "reasons": line.ruling.names("reasons"),
            "remedies": line.ruling.names("remedies"),
        })
    };
    against.map(told).collect()
}

/// What the policy says otherwise of who approved; the approval is recorded, as any is.
fn approval(
    unit: &mut Unit,
    request: &OfflineReturnRequest,
    when: &When,
    ticket: &Ticket,
    judgement: &Judgement,
) -> Result<Option<Value>, Stop> {
    let Some(needed) = judgement.approver.as_deref() else { return Ok(None) };
    let differs = |by: Value| Ok(Some(json!({ "what": "approval", "policy": needed, "desk": by })));
    let Some(by) = &request.approved else { return differs(Value::Null) };
    let desk = &judgement.purchase.desk;
    let good = if by.approver == request.actor {
        false
    } else if desk.has("approve") {
        let (approver, role, customer) = (&by.approver, &by.role, by.customer_person.as_deref());
        let amount = judgement.to_approve();
        let given = Given { store: &request.store, approver, role, customer, amount };
        give(unit, when, ticket, judgement, &given)?.0.verdict == "allow"
    } else {
        high_enough(desk, Some(needed), &by.role)
    };
    if good { Ok(None) } else { differs(json!({ "approver": by.approver, "role": by.role })) }
}
