//! Taking a recorded return back, once: units, tenders, dues, gifts, points to the same lots, stored value, days.
use crate::counter::desk::Desk;
use crate::counter::returns::purchase::settled;
use crate::counter::returns::request::VoidRequest;
use crate::counter::returns::{dues, payout, points, traces};
use crate::counter::stored::Place;
use crate::program::iso::format_date;
use crate::records::entity::{due, event, return_slip, return_tender, sale, sale_line};
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want, ids};
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

/// Voids a return. Refused with 409 for an exchange, for a return that is voided already, and where stored value that it
/// gave back has been spent since.
#[derive(Clone, Debug)]
pub struct VoidReturn {
    pub desk: Desk,
    pub id: Uuid,
    pub request: VoidRequest,
}

impl Operation for VoidReturn {
    fn hints(&self) -> Vec<Want> {
        vec![Want::Return(self.id), Want::Caused(self.id), Want::Store(self.desk.store().to_owned())]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        let (id, request) = (self.id, &self.request);
        let when = self.desk.when(unit, request.occurred_at.as_deref())?;
        let slip = self.slip(unit)?;
        let place =
            Place { desk: &self.desk, when: &when, actor: &request.actor, cause: "return", cause_id: id };
        // Stored value first: it may be gone, and then nothing happens.
        let tenders: Vec<return_tender::Model> =
            unit.t.return_tenders.range((id, i32::MIN)..=(id, i32::MAX)).cloned().collect();
        payout::take_back(unit, &place, &tenders)?;
        let mut again = Vec::new();
        if let Some(sale) = slip.sale_id.and_then(|sale| unit.t.sales.get(&sale).cloned()) {
            again = self.undo_sale(unit, &sale, &tenders, &when)?;
        }
        unit.t.returns.put(return_slip::Model { status: "voided".into(), ..slip.clone() });
        let given = dues::given(unit, id);
        let told = self.told(&slip, &tenders, &given, &again, when.date);
        unit.t.events.put(event::Model {
            id: ids::dated(when.date, &["event", "return void", &id.to_string()]),
            kind: "return.voided".into(),
            store: self.desk.store().to_owned(),
            data: told.to_string(),
            recorded_at: unit.now,
        });
        Ok(Answer { status: 200, body: told.to_string() })
    }
}

impl VoidReturn {
    /// The return, locked by its sale.
    fn slip(&self, unit: &Unit) -> Result<return_slip::Model, Stop> {
        let found = |unit: &Unit| unit.t.returns.get(&self.id).cloned();
        let Some(slip) = found(unit) else {
            let detail = format!("there is no return {}", self.id);
            return Err(Refusal::new(404, "unknown-return", "There is no such return", detail)
                .for_now()
                .into());
        };
        match slip.sale_id {
            Some(sale) => unit.need([Want::Sale(sale)])?,
            None => unit.need([Want::Ticket(slip.ticket_id)])?,
        }
        let slip = found(unit).unwrap_or(slip);
        let refuse = |code, detail: &str| {
            Err(Stop::Refused(Refusal::new(409, code, "The return cannot be voided", detail)))
        };
        if slip.status != "recorded" {
            return refuse("return-voided", "it is voided already");
        }
        if slip.exchange_sale.is_some() {
            return refuse("exchange-stands", "return or exchange the new goods instead");
        }
        Ok(slip)
    }

    fn undo_sale(
        &self,
        unit: &mut Unit,
        sale: &sale::Model,
        tenders: &[return_tender::Model],
        when: &crate::counter::When,
    ) -> Result<Vec<(String, i64)>, Stop> {
        let id = self.id;
        let policy = self.desk.of_store(&sale.store).unwrap_or_else(|_| self.desk.clone());
        let again = points::give_again(unit, &policy, when, &self.request.actor, id)?;
        let (lines, sold) = (unit.return_lines(id), unit.sale_lines(sale.id));
        for line in &lines {
            if let Some(of) = unit.t.sale_lines.get(&(sale.id, line.line)).cloned() {
                unit.t.sale_lines.put(sale_line::Model { returned: of.returned - line.quantity, ..of });
            }
        }
        for tender in tenders {
            if let Some(at) = tender.sale_seq {
                payout::advance(unit, sale.id, at, -tender.amount)?;
            }
        }
        dues::undo(unit, id, sale.id);
        let traces = traces::read(&lines, &sold);
        if let Some(buyer) = sale.member_id {
            points::note_days(unit, buyer, sale.business_date, &traces, -1)?;
            if traces.settled_lost != 0 {
                let settled = settled(unit, &policy, sale.id)?;
                points::note_settled(unit, settled.as_ref(), -traces.settled_lost);
            }
        }
        if let Some(there) = unit.t.sales.get(&sale.id).cloned()
            && there.voided_by.is_some()
        {
            unit.t.sales.put(sale::Model { voided_by: None, ..there });
        }
        Ok(again)
    }

    fn told(
        &self,
        slip: &return_slip::Model,
        tenders: &[return_tender::Model],
        dues: &[due::Model],
        again: &[(String, i64)],
        date: i32,
    ) -> Value {
        let (money, points) = (self.desk.currency(), self.desk.points());
        let tender = |t: &return_tender::Model| json!({ "kind": t.kind, "reference": t.reference, "amount": money.text(t.amount) });
        let due = |d: &due::Model| json!({ "kind": d.kind, "reference": d.reference, "amount": money.text(d.amount) });
        let given = |(ledger, n): &(String, i64)| json!({ "ledger": ledger, "given_again": points.text(*n) });
        json!({
            "return": self.id,
            "sale": slip.sale_id,
            "status": "voided",
            "business_date": format_date(date),
            "reason": self.request.reason,
            "actor": self.request.actor,
            "take_from_customer": tenders.iter().map(tender).collect::<Vec<_>>(),
            "give_to_customer": dues.iter().map(due).collect::<Vec<_>>(),
            "points": again.iter().map(given).collect::<Vec<_>>(),
        })
    }
}
