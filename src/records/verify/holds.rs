//! What open holds set aside is what their lots say is held.
use super::{Report, StoreError, Transaction};
use crate::records::entity::{hold, lot};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::BTreeMap;

pub(super) async fn look(view: &Transaction, report: &mut Report) -> Result<(), StoreError> {
    report.checks.extend(["hold-lots", "lot-holds"]);
    let failed = |error: sea_orm::DbErr| StoreError::Failed(error.to_string());
    let connection = view.connection();
    let open = hold::Entity::find().filter(hold::Column::State.eq("open"));
    let mut held: BTreeMap<Uuid, i64> = BTreeMap::new();
    for hold in open.all(connection).await.map_err(failed)? {
        let parts: Vec<(Uuid, i64)> = serde_json::from_str(&hold.lots).unwrap_or_default();
        let sum = parts.iter().fold(0i64, |sum, (_, part)| sum.saturating_add(*part));
        if sum != hold.amount {
            let detail = format!("amount {}, of its lots {sum}", hold.amount);
            report.add("hold-lots", format!("holds {}", hold.id), detail);
        }
        for (lot, part) in parts {
            let of = held.entry(lot).or_default();
            *of = of.saturating_add(part);
        }
    }
    let lots = lot::Entity::find().filter(lot::Column::Held.ne(0i64));
    for lot in lots.all(connection).await.map_err(failed)? {
        let holds = held.remove(&lot.id).unwrap_or_default();
        if holds != lot.held {
            let detail = format!("held {}, by open holds {holds}", lot.held);
            report.add("lot-holds", format!("lots {}", lot.id), detail);
        }
    }
    for (lot, holds) in held {
        report.add("lot-holds", format!("lots {lot}"), format!("held 0, by open holds {holds}"));
    }
    Ok(())
}
