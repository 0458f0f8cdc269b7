//! Recording a return: decided again, approved, settled, paid out, in one transaction.
use crate::counter::desk::{Desk, When};
use crate::counter::returns::approve::covered;
use crate::counter::returns::dues::{self, Settled};
use crate::counter::returns::evaluate::return_id;
use crate::counter::returns::judge::{Judged, Judgement, judge};
use crate::counter::returns::payout::{self, Payee};
use crate::counter::returns::points::{self, Taken, Traces};
use crate::counter::returns::request::{FinalLine, GiftState, LineBack, RecordRequest, Slip};
use crate::counter::returns::tender::{Part, Plan, plan};
use crate::counter::returns::traces;
use crate::counter::returns::units::{self, Range};
use crate::counter::stored::Place;
use crate::counter::tickets::{KEY, Ticket};
use crate::program::iso::{format_date, format_datetime};
use crate::records::entity::{event, return_line, return_slip, sale, sale_line};
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want, ids};
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

/// Records what came back on a ticket, and pays out.
#[derive(Clone, Debug)]
pub struct RecordReturn {
    pub desk: Desk,
    pub request: RecordRequest,
}

impl Operation for RecordReturn {
    fn hints(&self) -> Vec<Want> {
        hints(&self.desk)
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        let case = Opened::open(unit, &self.desk, &self.request)?;
        if case.judgement.remedy == "exchange" {
            let detail = "an exchange is recorded with the sale of the new goods";
            return Err(Refusal::new(409, "is-an-exchange", "This is no refund", detail).at("ticket").into());
        }
        covered(unit, &case.judgement, &case.ticket, case.judgement.to_approve(), &case.when)?;
        let place = case.place(&self.desk, &self.request.actor);
        let taken = points::take(unit, &place, &case.judgement)?;
        let settled = case.settle(&taken, &self.request)?;
        let refund = case.judgement.value();
        dues::within(case.policy(), &settled, refund)?;
        let plan = case.plan(unit, refund - dues::withheld(&settled), &self.request)?;
        payout::put_back(unit, &place, &case.payee(), &plan.parts)?;
        let booked = Booked { plan, settled, taken, exchange_sale: None };
        let told = case.book(unit, &self.desk, &self.request, &booked)?;
        Ok(Answer { status: 201, body: told.to_string() })
    }
}

pub(super) fn hints(desk: &Desk) -> Vec<Want> {
    vec![Want::Store(desk.store().to_owned()), Want::Secret(KEY.to_owned()), Want::Rulebook(desk.digest())]
}

/// A ticket that is good, and what the policy in force says of what really came back.
pub(super) struct Opened {
    pub ticket: Ticket,
    pub when: When,
    pub id: Uuid,
    pub judgement: Judgement,
}

/// What is written with a return.
pub(super) struct Booked {
    pub plan: Plan,
    pub settled: Vec<Settled>,
    pub taken: Taken,
    pub exchange_sale: Option<Uuid>,
}

impl Opened {
    /// Opens the ticket and decides again. Refused where the ticket is used, of another store, or stale, and where the
    /// policy does not allow the return any more.
    pub fn open(unit: &Unit, desk: &Desk, request: &RecordRequest) -> Result<Opened, Stop> {
        let when = desk.when(unit, request.occurred_at.as_deref())?;
        let ticket = Ticket::open(unit, &request.ticket)?;
        let refuse = |code, title, detail: String| {
            Err(Stop::Refused(Refusal::new(409, code, title, detail).at("ticket")))
        };
        if ticket.store != desk.store() {
            let detail = format!("it was written at {}", ticket.store);
            return refuse("ticket-elsewhere", "The ticket is for another store", detail);
        }
        unit.need([Want::Ticket(ticket.id)])?;
        // Also one that this batch records, which no finder knows yet.
        let mut all = unit.t.returns.range(Uuid::nil()..=Uuid::max());
        let used = all.find(|r| r.ticket_id == ticket.id).map(|r| r.id);
        if let Some(used) = used.or_else(|| unit.ticket_return(ticket.id)) {
            let more = json!({ "return": used }).to_string();
            let refusal = Refusal::new(409, "ticket-used", "The ticket was used", "a ticket is used once");
            return Err(refusal.at("ticket").with(more).into());
        }
        let id = return_id(&ticket, when.date);
        let full = with_gifts(&ticket.slip, &request.gifts);
        let slip = narrowed(&full, request.lines.as_deref())?;
        let judgement = judge(unit, desk, &when, &slip)?;
        if !judgement.allows() {
            let answers: Vec<Value> = judgement.lines.iter().map(|l| l.ruling.answer()).collect();
            let more = json!({ "decisions": answers }).to_string();
            let refusal =
                Refusal::new(409, "return-refused", "The return is not allowed", "see the decisions");
            return Err(refusal.with(more).into());
        }
        let stale = if judgement.purchase.desk.digest() == ticket.digest || slip == full {
            differs(&ticket, &judgement)
        } else {
            // Other texts than when the ticket was written: what they say of all of it must be what the ticket says.
            differs(&ticket, &judge(unit, desk, &when, &full)?) || differs(&ticket, &judgement)
        };
        if stale {
            return refuse(
                "ticket-stale",
                "The answer is another one now",
                "evaluate the return again".into(),
            );
        }
        Ok(Opened { ticket, when, id, judgement })
    }

    /// The policies that decide: those of the store that sold.
    pub fn policy(&self) -> &Desk {
        &self.judgement.purchase.desk
    }
    pub fn sale(&self) -> Option<&sale::Model> {
        self.judgement.purchase.sale.as_ref()
    }
    pub fn payee(&self) -> Payee<'_> {
        Payee {
            desk: self.policy(),
            member: self.judgement.purchase.member.as_ref().map(|m| m.id),
            sale: self.sale().map(|s| s.id),
        }
    }
    pub fn place<'a>(&'a self, desk: &'a Desk, actor: &'a str) -> Place<'a> {
        Place { desk, when: &self.when, actor, cause: "return", cause_id: self.id }
    }
    pub fn settle(&self, taken: &Taken, request: &RecordRequest) -> Result<Vec<Settled>, Stop> {
        let mut dues = self.judgement.dues();
        dues.extend(taken.dues.iter().cloned());
        dues::settle(dues, &request.dues)
    }
    /// Where the money goes; without a receipt to the tender that the request names, cash if none.
    pub fn plan(&self, unit: &Unit, amount: i64, request: &RecordRequest) -> Result<Plan, Stop> {
        match self.sale() {
            Some(sale) => plan(unit, self.policy(), sale.id, amount, &self.when, &request.refund_to),
            None => {
                let choice = request.refund_to.first();
                let kind = choice.map_or("cash", |c| &c.kind).to_owned();
                let reference = choice.and_then(|c| c.reference.clone()).unwrap_or_default();
                let (from, from_reference) = (String::new(), String::new());
                let part = Part { seq: None, from, from_reference, kind, reference, amount };
                Ok(Plan { parts: if amount > 0 { vec![part] } else { Vec::new() }, ruling: None })
            }
        }
    }

    /// Writes everything about the return but the points and stored value, which have moved; returns what the till is
    /// told.
    pub fn book(
        &self,
        unit: &mut Unit,
        desk: &Desk,
        request: &RecordRequest,
        booked: &Booked,
    ) -> Result<Value, Stop> {
        let (id, judgement, purchase) = (self.id, &self.judgement, &self.judgement.purchase);
        let policy = self.policy();
        unit.need([Want::Rulebook(policy.digest())])?;
        let mut decision = None;
        for line in &judgement.lines {
            let logged = policy.log(unit, &line.ruling, "return", id, &request.actor)?;
            decision.get_or_insert(logged);
        }
        if let Some(ruling) = &booked.plan.ruling {
            policy.log(unit, ruling, "return", id, &request.actor)?;
        }
        let sale_id = purchase.sale.as_ref().map(|s| s.id);
        self.write_lines(unit)?;
        payout::write(unit, id, sale_id, &booked.plan.parts)?;
        dues::write(unit, id, sale_id, &booked.settled);
        let traces = self.traces();
        if let Some(sale) = &purchase.sale
            && let Some(buyer) = sale.member_id
        {
            points::note_days(unit, buyer, sale.business_date, &traces, 1)?;
        }
        points::note_settled(unit, purchase.settled.as_ref(), traces.settled_lost);
        let refund = judgement.value();
        let withheld = dues::withheld(&booked.settled);
        let row = return_slip::Model {
            id,
            ticket_id: self.ticket.id,
            sale_id,
            store: desk.store().to_owned(),
            terminal: request.terminal.clone(),
            business_date: self.when.date,
            occurred_at: self.when.occurred_at,
            recorded_at: unit.now,
            member_id: purchase.member.as_ref().map(|m| m.id),
            requester: self.ticket.requester.clone(),
            remedy: judgement.remedy.clone(),
            refund,
            withheld,
            paid_out: refund - withheld,
            points_short: booked.taken.short,
            status: "recorded".into(),
            exchange_sale: booked.exchange_sale,
            digest: policy.digest(),
            decision_id: decision.unwrap_or_default(),
        };
        let told = self.told(unit, &row, booked);
        unit.t.returns.put(row);
        self.close_sale(unit);
        unit.t.events.put(event::Model {
            id: ids::dated(self.when.date, &["event", "return", &id.to_string()]),
            kind: "return.recorded".into(),
            store: desk.store().to_owned(),
            data: told.to_string(),
            recorded_at: unit.now,
        });
        Ok(told)
    }

    fn write_lines(&self, unit: &mut Unit) -> Result<(), Stop> {
        let mut seq = 0;
        for judged in &self.judgement.lines {
            let reason = self.ticket.slip.request.get("reason").and_then(Value::as_str).unwrap_or_default();
            let sold = self.sale().and_then(|s| unit.t.sale_lines.get(&(s.id, judged.said.line)));
            let parts = split(judged, sold);
            for (nth, (range, refund)) in judged.ranges.iter().zip(parts).enumerate() {
                unit.t.return_lines.put(return_line::Model {
                    return_id: self.id,
                    seq,
                    line: judged.said.line,
                    from_unit: range.0,
                    quantity: range.1 - range.0,
                    refund,
                    reason: reason.to_owned(),
                    facts: traces::written(judged, nth == 0),
                });
                seq += 1;
            }
            let Some(sale) = self.sale() else { continue };
            let Some(line) = unit.t.sale_lines.get(&(sale.id, judged.said.line)).cloned() else { continue };
            let returned = line.returned + judged.said.quantity;
            if returned > line.quantity {
                let detail = format!("{returned} of {} units would be back", line.quantity);
                let refusal =
                    Refusal::new(409, "quantity-not-returnable", "The units cannot come back", detail);
                return Err(refusal.at("lines").into());
            }
            unit.t.sale_lines.put(sale_line::Model { returned, ..line });
        }
        Ok(())
    }

    /// Notes on the sale the return that took everything back.
    fn close_sale(&self, unit: &mut Unit) {
        let Some(sale) = self.sale() else { return };
        if unit.sale_lines(sale.id).iter().all(|l| l.returned == l.quantity) {
            unit.t.sales.put(sale::Model { voided_by: Some(self.id), ..sale.clone() });
        }
    }

    fn traces(&self) -> Traces {
        traces::of(&self.judgement)
    }

    fn told(&self, unit: &Unit, row: &return_slip::Model, booked: &Booked) -> Value {
        let (policy, judgement) = (self.policy(), &self.judgement);
        let money = policy.currency();
        let line = |l: &Judged| json!({ "line": l.said.line, "quantity": l.said.quantity, "refund": money.text(l.value) });
        json!({
            "return": row.id,
            "ticket": row.ticket_id,
            "sale": row.sale_id,
            "store": row.store,
            "business_date": format_date(row.business_date),
            "occurred_at": format_datetime(row.occurred_at, policy.program().linked().zone),
            "remedy": row.remedy,
            "lines": judgement.lines.iter().map(line).collect::<Vec<_>>(),
            "refund": money.text(row.refund),
            "withheld": money.text(row.withheld),
            "paid_out": money.text(row.paid_out),
            "tenders": booked.plan.told(policy),
            "dues": booked.settled.iter().map(|s| s.told(policy)).collect::<Vec<_>>(),
            "points": booked.taken.told(policy, unit, row.member_id),
            "tasks": judgement.lines.first().map(|l| l.ruling.names("tasks")),
            "exchange_sale": row.exchange_sale,
            "decision": row.decision_id,
        })
    }
}

/// A line's value over the ranges of its units, by what was paid for them: units of one line may differ by one.
fn split(judged: &Judged, sold: Option<&sale_line::Model>) -> Vec<i64> {
    let paid = |line: &sale_line::Model, range: &Range| units::worth(line.paid, line.quantity, &[*range]);
    let mut weights: Vec<i64> =
        sold.map(|line| judged.ranges.iter().map(|range| paid(line, range)).collect()).unwrap_or_default();
    if weights.iter().all(|weight| *weight == 0) {
        weights = judged.ranges.iter().map(|range| i64::from(units::count(&[*range]))).collect();
    }
    crate::counter::allocate::by_weight(judged.value, &weights)
}

/// The slip, with what was found out about gifts since.
fn with_gifts(slip: &Slip, gifts: &[GiftState]) -> Slip {
    let mut slip = slip.clone();
    slip.gifts.retain(|old| gifts.iter().all(|new| new.reference != old.reference));
    slip.gifts.extend_from_slice(gifts);
    slip
}

/// The part of a slip that really came back. Refused with 422 `beyond-ticket` if it is not a part of it.
fn narrowed(slip: &Slip, lines: Option<&[FinalLine]>) -> Result<Slip, Stop> {
    let Some(lines) = lines else { return Ok(slip.clone()) };
    let mut left: Vec<FinalLine> = lines.to_vec();
    let mut kept: Vec<LineBack> = Vec::new();
    for said in &slip.lines {
        let mut quantity = 0;
        for one in left.iter_mut().filter(|l| l.line == said.line && l.quantity > 0) {
            let part = one.quantity.min(said.quantity - quantity);
            quantity += part;
            one.quantity -= part;
        }
        if quantity > 0 {
            kept.push(LineBack { quantity, ..said.clone() });
        }
    }
    if kept.is_empty() || left.iter().any(|l| l.quantity != 0) {
        let detail = "these are not lines and quantities of the ticket";
        let refusal = Refusal::new(422, "beyond-ticket", "The ticket does not say so", detail);
        return Err(refusal.at("lines").into());
    }
    Ok(Slip { lines: kept, ..slip.clone() })
}

/// Whether lines that came back as the ticket has them are worth something else now.
fn differs(ticket: &Ticket, judgement: &Judgement) -> bool {
    judgement.lines.iter().any(|judged| {
        let same = |l: &&crate::counter::tickets::TicketLine| {
            l.line == judged.said.line && l.quantity == judged.said.quantity
        };
        let mut written = ticket.lines.iter().filter(same).peekable();
        written.peek().is_some() && written.all(|l| l.value != judged.value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(line: i32, quantity: i32) -> LineBack {
        LineBack { line, quantity, item: Default::default() }
    }

    #[test]
    fn a_ticket_covers_its_parts_only() {
        let slip = Slip { lines: vec![back(0, 2), back(1, 1), back(0, 1)], ..Slip::default() };
        let cut = |lines: &[(i32, i32)]| {
            let lines: Vec<FinalLine> =
                lines.iter().map(|(line, quantity)| FinalLine { line: *line, quantity: *quantity }).collect();
            narrowed(&slip, Some(&lines)).map(|s| s.lines)
        };
        assert_eq!(narrowed(&slip, None).unwrap(), slip);
        assert_eq!(cut(&[(0, 1)]).unwrap(), vec![back(0, 1)]);
        assert_eq!(cut(&[(0, 3), (1, 1)]).unwrap(), slip.lines);
        for beyond in [&[(0, 4)][..], &[(1, 2)], &[(2, 1)], &[], &[(0, 0)], &[(0, 1), (1, -1)]] {
            assert!(cut(beyond).is_err(), "{beyond:?}");
        }
    }
}
