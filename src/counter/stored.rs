//! Paying with stored value: rebate money and the like from a ledger, and vouchers.
use crate::counter::desk::{Desk, When};
use crate::counter::points::bring_up;
use crate::counter::sale::TenderRequest;
use crate::records::entity::{member, sale_tender, voucher};
use crate::records::ledger::{Cause, Order, spend};
use crate::records::{Refusal, Stop, Unit, Want};
use crate::rulebook::SpendOrder;
use sea_orm::prelude::Uuid;

/// The tender that is a voucher, by its number.
pub const VOUCHER: &str = "voucher";

/// Where and why stored value moves.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub desk: &'a Desk,
    pub when: &'a When,
    pub actor: &'a str,
    pub cause: &'a str,
    pub cause_id: Uuid,
}

impl<'a> Place<'a> {
    /// The cause of a movement on a ledger.
    pub fn on(&self, member: Uuid, ledger: &'a str) -> Cause<'a> {
        Cause {
            member,
            ledger,
            cause: self.cause,
            cause_id: self.cause_id,
            store: self.desk.store(),
            business_date: self.when.date,
            occurred_at: self.when.occurred_at,
            actor: self.actor,
            clause: None,
            digest: None,
            reason: None,
        }
    }
}

/// The order in which a ledger's lots are spent, as declared.
pub fn order_of(desk: &Desk, ledger: &str) -> Order {
    match desk.terms().ledger(ledger).spend {
        SpendOrder::Expiry => Order::Expiry,
        SpendOrder::Earned => Order::Earned,
    }
}

/// The vouchers among tenders.
pub fn wants(tenders: &[TenderRequest]) -> Vec<Want> {
    tenders.iter().filter(|t| t.kind == VOUCHER).map(|t| Want::Voucher(t.reference.clone())).collect()
}

/// Takes the stored value among the tenders of a sale.
pub fn take(
    unit: &mut Unit,
    place: &Place,
    member: Option<&member::Model>,
    tenders: &[sale_tender::Model],
) -> Result<(), Stop> {
    let ledgers = place.desk.money_ledgers();
    for tender in tenders.iter().filter(|t| t.amount > 0) {
        if tender.kind == VOUCHER {
            take_voucher(unit, place, tender)?;
        } else if let Some(ledger) = ledgers.iter().find(|l| **l == tender.kind) {
            let Some(member) = member else {
                let detail = format!("money of the ledger `{ledger}` is paid with the member's card");
                let refusal = Refusal::new(422, "card-missing", "The member's card is needed", detail);
                return Err(refusal.at("card").into());
            };
            bring_up(unit, place, member.id, ledger)?;
            let cause = place.on(member.id, ledger);
            spend(unit, &cause, "spend", "redeemed", tender.amount, order_of(place.desk, ledger))?;
        }
    }
    Ok(())
}

fn take_voucher(unit: &mut Unit, place: &Place, tender: &sale_tender::Model) -> Result<(), Stop> {
    let refuse = |code, detail: String| {
        Err(Stop::Refused(Refusal::new(409, code, "The voucher cannot be used", detail).at("tenders")))
    };
    unit.need([Want::Voucher(tender.reference.clone())])?;
    let Some(found) = unit.t.vouchers.get(&tender.reference).cloned() else {
        return refuse("unknown-voucher", format!("there is no voucher {:?}", tender.reference));
    };
    if found.status != "issued" || found.balance < tender.amount {
        let money = place.desk.currency();
        return refuse(
            "voucher-spent",
            format!("voucher {} has {} left", found.number, money.text(found.balance)),
        );
    }
    let balance = found.balance - tender.amount;
    let status = if balance == 0 { "spent" } else { "issued" }.to_owned();
    unit.t.vouchers.put(voucher::Model { balance, status, version: found.version + 1, ..found });
    Ok(())
}
