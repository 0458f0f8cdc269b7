//! The money that a desk has paid without asking, laid over what the policy would have paid.
use crate::counter::desk::{Desk, When};
use crate::counter::returns::offline::request::OfflineReturnRequest;
use crate::counter::returns::tender::{Part, Plan, allowed, plan, shared};
use crate::records::{Stop, Unit};
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

/// A payment of which some is not laid over the plan yet.
struct Left {
    kind: String,
    reference: String,
    amount: i64,
}

/// Where `amount` (smallest units) of what was paid went: tender by tender of the sale as the policy splits it, each part in
/// the money that the customer got. What the policy says otherwise is added to `differences`.
pub fn as_paid(
    unit: &Unit,
    desk: &Desk,
    (sale, amount): (Uuid, i64),
    when: &When,
    request: &OfflineReturnRequest,
    differences: &mut Vec<Value>,
) -> Result<Plan, Stop> {
    let planned = match plan(unit, desk, sale, amount, when, &[]) {
        Err(Stop::Refused(refusal)) if matches!(refusal.code, "tenders-refused" | "refund-out-of-bounds") => {
            differences.push(json!({ "what": "tenders", "policy": refusal.code }));
            shared(unit, sale, amount)
        }
        planned => planned?,
    };
    let mut left = Vec::new();
    for (at, paid) in request.paid_out.iter().enumerate() {
        let amount = desk.minor(paid.amount, &format!("paid_out[{at}].amount"))?;
        left.push(Left { kind: paid.kind.clone(), reference: paid.reference.clone(), amount });
    }
    let parts = laid_over(desk, planned.parts, &mut left);
    for part in &parts {
        let allowed = allowed(desk, &part.from);
        if !allowed.contains(&part.kind) {
            differences.push(json!({
                "what": "tender",
                "tender": part.seq,
                "paid_with": part.from,
                "policy": allowed,
                "desk": part.kind,
                "amount": desk.currency().text(part.amount),
            }));
        }
    }
    Ok(Plan { parts, ruling: planned.ruling })
}

/// The planned parts in the money that was paid: first what is as planned, then what the matrix allows, then the rest.
fn laid_over(desk: &Desk, mut planned: Vec<Part>, left: &mut [Left]) -> Vec<Part> {
    let fit = |part: &Part, paid: &Left| {
        if paid.kind == part.kind {
            0
        } else if allowed(desk, &part.from).contains(&paid.kind) {
            1
        } else {
            2
        }
    };
    let mut parts = Vec::new();
    for pass in 0..=2 {
        for part in &mut planned {
            for paid in left.iter_mut() {
                let amount = part.amount.min(paid.amount);
                if amount == 0 || fit(part, paid) > pass {
                    continue;
                }
                part.amount -= amount;
                paid.amount -= amount;
                let own = if paid.kind == part.from { part.from_reference.clone() } else { String::new() };
                let reference = Some(paid.reference.clone()).filter(|r| !r.is_empty()).unwrap_or(own);
                parts.push(Part { kind: paid.kind.clone(), reference, amount, ..part.clone() });
            }
        }
    }
    parts.sort_by_key(|part| part.seq);
    parts
}
