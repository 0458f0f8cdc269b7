//! Approvals: asked of the policy when they are given, and asked again when the return is recorded.
use crate::counter::desk::{Desk, Ruling, When};
use crate::counter::facts;
use crate::counter::returns::judge::{DECISION, Judgement, judge};
use crate::counter::returns::request::ApproveRequest;
use crate::counter::tickets::{KEY, Ticket};
use crate::records::entity::approval;
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want, ids};
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

/// Records an approver's answer to a ticket. A refusal by the policy is recorded as well, with the verdict `deny`.
#[derive(Clone, Debug)]
pub struct ApproveReturn {
    pub desk: Desk,
    pub request: ApproveRequest,
}

impl Operation for ApproveReturn {
    fn hints(&self) -> Vec<Want> {
        vec![
            Want::Store(self.desk.store().to_owned()),
            Want::Secret(KEY.to_owned()),
            Want::Rulebook(self.desk.digest()),
        ]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        let request = &self.request;
        let when = self.desk.when(unit, request.occurred_at.as_deref())?;
        let ticket = Ticket::open(unit, &request.ticket)?;
        unit.need([Want::Ticket(ticket.id)])?;
        if unit.ticket_return(ticket.id).is_some() {
            let detail = "the return is recorded already";
            return Err(Refusal::new(409, "ticket-used", "The ticket was used", detail).at("ticket").into());
        }
        // Whatever a policy says: nobody approves what they asked for.
        if request.approver == ticket.requester {
            let detail = "the approver is the one who asked";
            let refusal = Refusal::new(409, "own-case", "Nobody approves a case of their own", detail);
            return Err(refusal.at("approver").into());
        }
        let judgement = judge(unit, &self.desk, &when, &ticket.slip)?;
        let desk = &judgement.purchase.desk;
        let said = request.amount.map(|amount| desk.minor(amount, "amount")).transpose()?.unwrap_or(0);
        let given = Given {
            store: self.desk.store(),
            approver: &request.approver,
            role: &request.role,
            customer: request.customer_person.as_deref(),
            amount: judgement.to_approve().max(said),
        };
        let (row, ruling) = give(unit, &when, &ticket, &judgement, &given)?;
        let told = json!({
            "approval": row.id,
            "ticket": ticket.id,
            "verdict": row.verdict,
            "amount": desk.currency().text(row.amount),
            "needed": ruling.text("needed"),
            "approver": judgement.approver,
            "objections": ruling.names("objections"),
            "decision": row.decision_id,
        });
        Ok(Answer { status: 201, body: told.to_string() })
    }
}

/// What an approver said of a ticket.
pub(super) struct Given<'a> {
    /// Where it was said.
    pub store: &'a str,
    pub approver: &'a str,
    pub role: &'a str,
    pub customer: Option<&'a str>,
    /// Smallest units.
    pub amount: i64,
}

/// Asks the policy of an approval and records it, also where the answer is no. Refused with 409 where the rulebook has no
/// such decision.
pub(super) fn give(
    unit: &mut Unit,
    when: &When,
    ticket: &Ticket,
    judgement: &Judgement,
    given: &Given,
) -> Result<(approval::Model, Ruling), Stop> {
    let desk = &judgement.purchase.desk;
    let Given { store, approver, role, customer, amount } = *given;
    let asked = Asked { amount, role, person: approver, clerk: &ticket.requester, customer };
    let Some(ruling) = asked.of(desk, when)? else {
        let detail = format!("the rulebook of {} has no decision `approve`", desk.store());
        return Err(Refusal::new(409, "no-such-decision", "The rulebook does not decide this", detail).into());
    };
    let rank_ok = high_enough(desk, judgement.approver.as_deref(), role);
    let verdict = if ruling.allows() && rank_ok { "allow" } else { "deny" };
    let nth = approvals(unit, ticket.id).len();
    let id = ids::dated(when.date, &["approval", &ticket.id.to_string(), &nth.to_string()]);
    let decision = desk.log(unit, &ruling, "approval", id, approver)?;
    let row = approval::Model {
        id,
        ticket_id: ticket.id,
        sale_id: ticket.slip.sale,
        store: store.to_owned(),
        amount,
        approver: approver.to_owned(),
        role: role.to_owned(),
        verdict: verdict.to_owned(),
        decision_id: decision,
        at: unit.now,
    };
    unit.t.approvals.put(row.clone());
    Ok((row, ruling))
}

/// A ticket's approvals.
fn approvals(unit: &Unit, ticket: Uuid) -> Vec<approval::Model> {
    unit.t.approvals.range((ticket, Uuid::nil())..=(ticket, Uuid::max())).cloned().collect()
}

/// Whether a role is at least the one that the return needs. Roles that the vocabulary does not rank are the same or not.
pub(super) fn high_enough(desk: &Desk, needed: Option<&str>, role: &str) -> bool {
    let Some(needed) = needed else { return true };
    let rank = |word: &str| desk.rank(DECISION, "approver", word);
    match (rank(needed), rank(role)) {
        (Some(needed), Some(role)) => role >= needed,
        _ => role == needed,
    }
}

/// What is asked of the decision `approve`.
struct Asked<'a> {
    amount: i64,
    role: &'a str,
    person: &'a str,
    clerk: &'a str,
    customer: Option<&'a str>,
}

impl Asked<'_> {
    /// None: the rulebook has no such decision.
    fn of(&self, desk: &Desk, when: &When) -> Result<Option<Ruling>, Stop> {
        if !desk.has("approve") {
            return Ok(None);
        }
        let known = json!({
            "approval": {
                "amount": desk.currency().text(self.amount),
                "by_role": self.role,
                "by_person": self.person,
                "clerk_person": self.clerk,
                "customer_person": self.customer,
            },
            "today": facts::date(when.date),
        });
        desk.decide("approve", known, &Value::Null).map(Some)
    }
}

/// Refused with 409 `approval-missing` unless a standing approval covers `amount` (smallest units): by a high enough
/// role, by somebody else than who asked, and still so by the policy in force.
pub fn covered(
    unit: &Unit,
    judgement: &Judgement,
    ticket: &Ticket,
    amount: i64,
    when: &When,
) -> Result<(), Stop> {
    let desk = &judgement.purchase.desk;
    let needed = judgement.approver.as_deref();
    if needed.is_none() {
        return Ok(());
    }
    for given in approvals(unit, ticket.id) {
        let good = given.verdict == "allow"
            && given.amount >= amount
            && given.approver != ticket.requester
            && high_enough(desk, needed, &given.role);
        if !good {
            continue;
        }
        let (role, person) = (&given.role, &given.approver);
        let asked = Asked { amount, role, person, clerk: &ticket.requester, customer: None };
        if asked.of(desk, when)?.is_none_or(|ruling| ruling.allows()) {
            return Ok(());
        }
    }
    let amount = desk.currency().text(amount);
    let more = json!({ "approver": needed, "amount": amount, "ticket": ticket.id });
    let detail = format!("at least {} has to approve {amount}", needed.unwrap_or("somebody"));
    // The approval may come yet: the same request may be sent again.
    let refusal = Refusal::new(409, "approval-missing", "The return is not approved", detail);
    Err(refusal.with(more.to_string()).for_now().into())
}
