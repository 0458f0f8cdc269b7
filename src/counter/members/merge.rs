//! One person, two records: their points become one member's, and can be parted again. Spend, gifts and cards stay with the
//! record that they were made under, and are read together.
use super::{active, audit, by_number};
use crate::counter::desk::Desk;
use crate::counter::stored::Place;
use crate::records::entity::member;
use crate::records::ledger::{transfer, transfer_back};
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want, ids};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Which record takes the other over.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeRequest {
    pub store: String,
    pub actor: String,
    /// The number of the record that stays.
    pub into: String,
    pub reason: String,
}

/// Merges `member` into another record. Cards keep working: they lead to the record that stays.
#[derive(Clone, Debug)]
pub struct MergeMembers {
    pub desk: Desk,
    pub member: String,
    pub request: MergeRequest,
    pub operation: Uuid,
}

fn ledgers(desk: &Desk) -> Vec<String> {
    desk.point_ledgers().into_iter().chain(desk.money_ledgers()).collect()
}

impl Operation for MergeMembers {
    fn hints(&self) -> Vec<Want> {
        vec![Want::Member(ids::member(&self.member)), Want::Member(ids::member(&self.request.into))]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        let (from, into) = (by_number(unit, &self.member)?, by_number(unit, &self.request.into)?);
        active(&from)?;
        active(&into)?;
        if from.id == into.id {
            let detail = "a record cannot be merged with itself".to_owned();
            return Err(Refusal::new(409, "same-member", "Both are one record", detail).at("into").into());
        }
        unit.need([Want::Holds(from.id)])?;
        if !unit.open_holds(from.id).is_empty() {
            let detail = format!("member {} has open holds; capture or release them first", from.number);
            return Err(Refusal::new(409, "open-holds", "Points are on hold", detail).for_now().into());
        }
        let when = self.desk.when(unit, None)?;
        let place = Place {
            desk: &self.desk,
            when: &when,
            actor: &self.request.actor,
            cause: "merge",
            cause_id: self.operation,
        };
        for ledger in ledgers(&self.desk) {
            unit.need([Want::Lots(from.id, ledger.clone()), Want::Lots(into.id, ledger.clone())])?;
            let cause = place.on(from.id, &ledger);
            transfer(unit, &cause, into.id)?;
        }
        // Read again: the transfers have not touched the rows of the members.
        let version = from.version + 1;
        unit.t.members.put(member::Model {
            status: "merged".into(),
            merged_into: Some(into.id),
            version,
            ..from.clone()
        });
        let data = json!({ "into": into.number, "reason": self.request.reason, "operation": self.operation,
            "version": version });
        audit(unit, from.id, "merged", self.desk.store(), &self.request.actor, self.operation, data);
        let body = json!({ "member": from.number, "merged_into": into.number, "undo": self.operation });
        Ok(Answer { status: 200, body: body.to_string() })
    }
}

/// The operation that merged a member last. `Want::Events` of the member must be loaded.
fn merger(unit: &Unit, id: Uuid) -> Option<Uuid> {
    let events = unit.t.member_events.range((id, Uuid::nil())..=(id, Uuid::max()));
    let data = events.filter(|e| e.kind == "merged").filter_map(|e| serde_json::from_str(&e.data).ok());
    let last = data.max_by_key(|d: &Value| d.get("version").and_then(Value::as_i64))?;
    last.get("operation")?.as_str()?.parse().ok()
}

/// Hands what a merged record was given on to the one that took it over: nobody can reach it where it is. Loads what it
/// needs.
pub(crate) fn hand_on(unit: &mut Unit, place: &Place, from: Uuid, ledger: &str) -> Result<(), Stop> {
    let mut from = from;
    // As in `present`, the bound is against damaged rows.
    for _ in 0..32 {
        unit.need([Want::Member(from)])?;
        let Some(into) = unit.t.members.get(&from).and_then(|m| m.merged_into) else { return Ok(()) };
        unit.need([Want::Member(into)])?;
        unit.need([from, into].map(|m| Want::Lots(m, ledger.to_owned())))?;
        transfer(unit, &place.on(from, ledger), into)?;
        from = into;
    }
    Ok(())
}

/// Parts two records again: what is left of what was moved goes back. Refused with 409 while the record that took the other
/// over is not active: one that was merged itself is parted first.
#[derive(Clone, Debug)]
pub struct UnmergeMembers {
    pub desk: Desk,
    pub member: String,
    pub actor: String,
    pub operation: Uuid,
}

impl Operation for UnmergeMembers {
    fn hints(&self) -> Vec<Want> {
        vec![Want::Member(ids::member(&self.member))]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        let id = ids::member(&self.member);
        unit.need([Want::Member(id)])?;
        let from = unit.t.members.get(&id).filter(|m| m.status == "merged").cloned();
        let Some((from, into)) = from.and_then(|m| m.merged_into.map(|into| (m, into))) else {
            let detail = format!("member {:?} is not merged with another", self.member);
            return Err(Refusal::new(409, "not-merged", "Nothing to part", detail).into());
        };
        unit.need([Want::Member(into), Want::Events(from.id)])?;
        if let Some(there) = unit.t.members.get(&into) {
            active(there)?;
        }
        let operation = merger(unit, from.id);
        unit.need_all(operation.map(Want::Caused).into_iter().collect())?;
        let moved = operation.map(|of| unit.caused(of)).unwrap_or_default();
        let when = self.desk.when(unit, None)?;
        for ledger in ledgers(&self.desk) {
            unit.need([Want::Lots(from.id, ledger.clone()), Want::Lots(into, ledger.clone())])?;
            let place = Place {
                desk: &self.desk,
                when: &when,
                actor: &self.actor,
                cause: "merge",
                cause_id: self.operation,
            };
            let cause = place.on(into, &ledger);
            transfer_back(unit, &cause, from.id, &moved)?;
        }
        unit.t.members.put(member::Model {
            status: "active".into(),
            merged_into: None,
            version: from.version + 1,
            ..from.clone()
        });
        audit(unit, from.id, "unmerged", self.desk.store(), &self.actor, self.operation, json!({}));
        Ok(Answer { status: 200, body: json!({ "member": from.number, "status": "active" }).to_string() })
    }
}
