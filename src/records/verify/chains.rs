//! The decision log: each link follows the one before it, hashes to what it says, and the head is the last.
use super::{Report, StoreError, Transaction};
use crate::records::engine::link_hash;
use crate::records::entity::{chain, decision};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::BTreeMap;

/// Links read at once.
const PAGE: u64 = 1_000;

pub(super) async fn look(view: &Transaction, report: &mut Report) -> Result<(), StoreError> {
    report.checks.extend(["chain-link", "chain-head"]);
    let failed = |error: sea_orm::DbErr| StoreError::Failed(error.to_string());
    let connection = view.connection();
    let mut last: Option<decision::Model> = None;
    let mut ends: BTreeMap<String, (i64, String)> = BTreeMap::new();
    loop {
        let mut page = decision::Entity::find()
            .order_by_asc(decision::Column::Store)
            .order_by_asc(decision::Column::Seq)
            .limit(PAGE);
        if let Some(last) = &last {
            let same =
                decision::Column::Store.eq(last.store.as_str()).and(decision::Column::Seq.gt(last.seq));
            page =
                page.filter(Condition::any().add(decision::Column::Store.gt(last.store.as_str())).add(same));
        }
        let links = page.all(connection).await.map_err(failed)?;
        if links.is_empty() {
            break;
        }
        for link in links {
            let before = last.take().filter(|before| before.store == link.store);
            follow(before.as_ref(), &link, report);
            ends.insert(link.store.clone(), (link.seq, link.hash.clone()));
            last = Some(link);
        }
    }
    for head in chain::Entity::find().all(connection).await.map_err(failed)? {
        let (seq, hash) = ends.remove(&head.store).unwrap_or_default();
        if (head.seq, &head.hash) != (seq, &hash) {
            let detail = format!("head {} {}, last link {seq} {hash}", head.seq, head.hash);
            report.add("chain-head", format!("chains {}", head.store), detail);
        }
    }
    for (store, (seq, _)) in ends {
        report.add("chain-head", format!("chains {store}"), format!("no head, last link {seq}"));
    }
    Ok(())
}

fn follow(before: Option<&decision::Model>, link: &decision::Model, report: &mut Report) {
    report.links += 1;
    let row = || format!("decisions {} {}", link.store, link.seq);
    let seq = before.map_or(0, |before| before.seq) + 1;
    if link.seq != seq {
        report.add("chain-link", row(), format!("number {}, expected {seq}", link.seq));
    }
    let previous = before.map_or("", |before| before.hash.as_str());
    if link.previous != previous {
        report.add("chain-link", row(), format!("previous {}, hash before {previous}", link.previous));
    }
    let hash = link_hash(link);
    if link.hash != hash {
        report.add("chain-link", row(), format!("hash {}, computed {hash}", link.hash));
    }
}
