//! The year's end: what the policy clears and credits, member by member, each settled once.
use crate::counter::desk::{Desk, When};
use crate::counter::facts;
use crate::counter::points::bring_up;
use crate::counter::stored::{Place, order_of};
use crate::program::dates::{end_of_day, from_ymd};
use crate::records::entity::{settled_member, settlement};
use crate::records::ledger::{self, Life, credit, free, in_order, spend_from};
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want, ids};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// Settles a ledger's year for all members.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleRequest {
    /// A store of the chain, whose rulebook says how a year is settled.
    pub store: String,
    pub actor: String,
    pub ledger: String,
    pub year: i32,
    /// Computes the report and records nothing.
    #[serde(default)]
    pub dry_run: bool,
}

impl SettleRequest {
    /// A ledger's year has one settlement, however often it is asked for.
    pub fn id(&self) -> Uuid {
        ids::named(&["settlement", &self.ledger, &self.year.to_string()])
    }
    /// The last day of the year.
    pub fn as_of(&self) -> i32 {
        from_ymd(self.year, 12, 31).unwrap_or_default()
    }
}

/// Begins a settlement, or finds the one that began.
#[derive(Clone, Debug)]
pub struct BeginSettlement {
    pub desk: Desk,
    pub request: SettleRequest,
}

impl Operation for BeginSettlement {
    fn hints(&self) -> Vec<Want> {
        vec![Want::Settlement(self.request.id())]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        let (request, id) = (&self.request, self.request.id());
        if !self.desk.point_ledgers().contains(&request.ledger) {
            let detail = format!("there is no ledger of points {:?}", request.ledger);
            return Err(Refusal::new(422, "unknown-ledger", "There is no such ledger", detail)
                .at("ledger")
                .into());
        }
        let today = self.desk.date_at(unit.now)?.date;
        if !request.dry_run && today <= request.as_of() {
            let detail = format!("the year {} is not over; a dry run shows what would be", request.year);
            return Err(Refusal::new(409, "year-not-over", "The year is not over", detail)
                .at("year")
                .for_now()
                .into());
        }
        if unit.t.settlements.get(&id).is_none() {
            unit.t.settlements.put(settlement::Model {
                id,
                ledger: request.ledger.clone(),
                year: request.year,
                status: "running".into(),
                as_of: request.as_of(),
                cursor: None,
                members: 0,
                cleared: 0,
                credited: 0,
                started_at: unit.now,
                finished_at: None,
                actor: request.actor.clone(),
            });
        }
        Ok(Answer { status: 202, body: shown(&self.desk, unit.t.settlements.get(&id)).to_string() })
    }
}

/// A settlement as callers see it.
pub fn shown(desk: &Desk, row: Option<&settlement::Model>) -> Value {
    let Some(row) = row else { return Value::Null };
    json!({
        "settlement": row.id,
        "ledger": row.ledger,
        "year": row.year,
        "status": row.status,
        "members": row.members,
        "cleared": desk.points().text(row.cleared),
        "credited": desk.currency().text(row.credited),
    })
}

/// Notes how far a settlement is; the last page finishes it.
#[derive(Clone, Debug)]
pub struct NoteProgress {
    pub settlement: Uuid,
    /// The last member of the page before; if the row is elsewhere, another node has noted this page, and nothing is added.
    pub before: Option<Uuid>,
    pub cursor: Option<Uuid>,
    pub members: i64,
    pub cleared: i64,
    pub credited: i64,
    pub finished: bool,
}

impl Operation for NoteProgress {
    fn hints(&self) -> Vec<Want> {
        vec![Want::Settlement(self.settlement)]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        let Some(row) = unit.t.settlements.get(&self.settlement).cloned() else {
            let detail = format!("there is no settlement {}", self.settlement);
            return Err(Refusal::new(404, "unknown-settlement", "There is no such settlement", detail).into());
        };
        if row.cursor != self.before || row.status == "finished" {
            return Ok(Answer { status: 200, body: "{}".into() });
        }
        unit.t.settlements.put(settlement::Model {
            cursor: self.cursor.or(row.cursor),
            members: row.members + self.members,
            cleared: row.cleared + self.cleared,
            credited: row.credited + self.credited,
            status: if self.finished { "finished" } else { &row.status }.to_owned(),
            finished_at: if self.finished { Some(unit.now) } else { row.finished_at },
            ..row
        });
        Ok(Answer { status: 200, body: "{}".into() })
    }
}

/// Settles one member's year.
#[derive(Clone, Debug)]
pub struct SettleMember {
    pub desk: Desk,
    pub settlement: Uuid,
    pub ledger: String,
    pub year: i32,
    pub as_of: i32,
    pub member: Uuid,
    pub actor: String,
}

impl Operation for SettleMember {
    fn hints(&self) -> Vec<Want> {
        let (id, ledger) = (self.member, self.ledger.clone());
        vec![
            Want::Account(id),
            Want::Holds(id),
            Want::Settled(id, ledger.clone(), self.year),
            Want::Lots(id, ledger),
            Want::Rulebook(self.desk.digest()),
        ]
    }

    /// The answer's body is `{"points", "cleared", "credit"}` in smallest units.
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        let key = (self.member, self.ledger.clone(), self.year);
        if let Some(done) = unit.t.settled.get(&key) {
            return Ok(report(done, true));
        }
        // Movements are dated on the year's last day, at its end: that is when the points change.
        let linked = self.desk.program().linked();
        let at = end_of_day(linked.zone, linked.business_day_start, self.as_of).unwrap_or(unit.now);
        let when = When { occurred_at: at, date: self.as_of };
        let id = ids::named(&["settled", &self.settlement.to_string(), &self.member.to_string()]);
        let place =
            Place { desk: &self.desk, when: &when, actor: &self.actor, cause: "settlement", cause_id: id };
        bring_up(unit, &place, self.member, &self.ledger)?;

        // What was earned after the year's end, and what is on hold, is not the old year's to settle.
        let order = order_of(&self.desk, &self.ledger);
        let mut lots = in_order(unit, self.member, &self.ledger, order);
        lots.retain(|lot| lot.earned_on <= self.as_of);
        let balance: i64 = lots.iter().map(free).sum();
        let ruling = self.desk.decide("settle", self.facts(unit, balance), &Value::Null)?;
        let due = ruling.outcome.get("due_today").and_then(Value::as_bool).unwrap_or(true);
        let output = if self.desk.point_ledgers().first() == Some(&self.ledger) {
            "cleared".to_owned()
        } else {
            format!("{}_cleared", self.ledger)
        };
        let cleared = if due { ruling.number(&output, &self.desk.points()).clamp(0, balance) } else { 0 };
        let first = output == "cleared";
        let money = if due && first { ruling.money("credit", &self.desk.currency()).max(0) } else { 0 };
        let (clause, digest) = (ruling.clause(&output), self.desk.digest());
        if cleared > 0 {
            let cause = ledger::Cause {
                clause: clause.as_deref(),
                digest: Some(&digest),
                ..place.on(self.member, &self.ledger)
            };
            spend_from(unit, &cause, "settle", "settled", cleared, lots)?;
        }
        let rebate = &self.desk.terms().counter.rebate_ledger;
        let cause = ledger::Cause {
            clause: clause.as_deref(),
            digest: Some(&digest),
            ..place.on(self.member, rebate)
        };
        credit(unit, &cause, "credit", "issued", money, Life::default())?;
        let decision = if balance > 0 {
            Some(self.desk.log(unit, &ruling, "settlement", id, &self.actor)?)
        } else {
            None
        };
        let row = settled_member::Model {
            member_id: self.member,
            ledger: self.ledger.clone(),
            year: self.year,
            settlement_id: self.settlement,
            points: balance,
            cleared,
            credit: money,
            decision_id: decision,
        };
        let answer = report(&row, false);
        unit.t.settled.put(row);
        Ok(answer)
    }
}

impl SettleMember {
    fn facts(&self, unit: &Unit, balance: i64) -> Value {
        let points = self.desk.points();
        let mut known = Map::new();
        for ledger in self.desk.point_ledgers() {
            let of =
                if ledger == self.ledger { balance } else { unit.account(self.member, &ledger).available };
            known.insert(format!("{ledger}_balance"), points.text(of).into());
        }
        known.insert("today".into(), facts::date(self.as_of));
        Value::Object(known)
    }
}

fn report(row: &settled_member::Model, before: bool) -> Answer {
    let settled_member::Model { points, cleared, credit, .. } = row;
    let body = format!(r#"{{"points":{points},"cleared":{cleared},"credit":{credit},"before":{before}}}"#);
    Answer { status: 200, body }
}
