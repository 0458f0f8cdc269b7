//! Paying out: to the purchase's tenders, to the lots that its stored money came from, to its vouchers.
use crate::counter::desk::Desk;
use crate::counter::members::present;
use crate::counter::returns::tender::Part;
use crate::counter::stored::{Place, VOUCHER, order_of};
use crate::records::entity::{return_tender, sale_tender, voucher};
use crate::records::ledger::{give, give_back, take_again};
use crate::records::{Refusal, Stop, Unit, Want};
use sea_orm::prelude::Uuid;

/// The reference of what an exchange carries over instead of paying out.
pub const CARRIED: &str = "exchange";

/// Who is paid, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Payee<'a> {
    /// The policies of the store that sold.
    pub desk: &'a Desk,
    pub member: Option<Uuid>,
    pub sale: Option<Uuid>,
}

/// Puts stored value back: money of a ledger to the lots that it came from, vouchers to what is left on them.
pub fn put_back(unit: &mut Unit, place: &Place, payee: &Payee, parts: &[Part]) -> Result<(), Stop> {
    let ledgers = payee.desk.money_ledgers();
    for part in parts {
        if part.kind == VOUCHER {
            refill(unit, payee, part)?;
        } else if let Some(ledger) = ledgers.iter().find(|l| **l == part.kind) {
            to_ledger(unit, place, payee, ledger, part)?;
        }
    }
    Ok(())
}

fn refill(unit: &mut Unit, payee: &Payee, part: &Part) -> Result<(), Stop> {
    unit.need([Want::Voucher(part.reference.clone())])?;
    let Some(found) = unit.t.vouchers.get(&part.reference).cloned() else {
        let detail = format!("there is no voucher {:?}; name one in refund_to", part.reference);
        let refusal = Refusal::new(409, "unknown-voucher", "The voucher cannot take it back", detail);
        return Err(refusal.at("refund_to").into());
    };
    let balance = found.balance + part.amount;
    if balance > found.worth {
        let money = payee.desk.currency();
        let detail = format!("voucher {} was issued for {}", found.number, money.text(found.worth));
        return Err(Refusal::new(409, "voucher-full", "The voucher cannot take it back", detail).into());
    }
    let (status, version) = ("issued".to_owned(), found.version + 1);
    unit.t.vouchers.put(voucher::Model { balance, status, version, ..found });
    Ok(())
}

fn to_ledger(unit: &mut Unit, place: &Place, payee: &Payee, ledger: &str, part: &Part) -> Result<(), Stop> {
    let Some(member) = payee.member else {
        let detail = format!("money of the ledger `{ledger}` belongs to a member");
        return Err(Refusal::new(409, "no-member", "Nobody can take the money", detail).into());
    };
    unit.need([Want::Lots(member, ledger.to_owned())])?;
    let cause = place.on(member, ledger);
    let mut left = part.amount;
    if let Some(sale) = payee.sale.filter(|_| part.from == part.kind) {
        // What was given back before counts: the returns of the sale, and what reversed those.
        unit.need([Want::Caused(sale)])?;
        unit.need_all(unit.sale_returns(sale).iter().map(|r| Want::Caused(r.id)).collect())?;
        let spends: Vec<_> =
            unit.caused(sale).into_iter().filter(|m| m.kind == "spend" && m.ledger == ledger).collect();
        unit.need_all(spends.iter().map(|m| Want::Movement(m.id)).collect())?;
        let grace = payee.desk.terms().ledger(ledger).grace_days;
        for of in spends {
            if left > 0 {
                left = give_back(unit, &cause, &of, left, grace)?;
            }
        }
    }
    give(unit, &cause, left)
}

/// Writes the tenders of a return and advances those of the sale.
pub fn write(unit: &mut Unit, return_id: Uuid, sale: Option<Uuid>, parts: &[Part]) -> Result<(), Stop> {
    for (seq, part) in (0i32..).zip(parts) {
        unit.t.return_tenders.put(return_tender::Model {
            return_id,
            seq,
            kind: part.kind.clone(),
            reference: part.reference.clone(),
            amount: part.amount,
            sale_seq: part.seq,
        });
        if let (Some(sale), Some(at)) = (sale, part.seq) {
            advance(unit, sale, at, part.amount)?;
        }
    }
    Ok(())
}

/// Moves what of a tender has been refunded; never below zero or above what was paid.
pub fn advance(unit: &mut Unit, sale: Uuid, seq: i32, amount: i64) -> Result<(), Stop> {
    let Some(tender) = unit.t.sale_tenders.get(&(sale, seq)).cloned() else { return Ok(()) };
    let refunded = tender.refunded + amount;
    if !(0..=tender.amount).contains(&refunded) {
        let detail = format!("tender {seq} of the sale would be refunded {refunded} of {}", tender.amount);
        return Err(Refusal::new(409, "refund-out-of-bounds", "The refund cannot be", detail).into());
    }
    unit.t.sale_tenders.put(sale_tender::Model { refunded, ..tender });
    Ok(())
}

/// Takes stored value again that a return had put back. Refused if it has been spent meanwhile.
pub fn take_back(unit: &mut Unit, place: &Place, tenders: &[return_tender::Model]) -> Result<(), Stop> {
    for tender in tenders.iter().filter(|t| t.kind == VOUCHER) {
        unit.need([Want::Voucher(tender.reference.clone())])?;
        let Some(found) = unit.t.vouchers.get(&tender.reference).cloned() else { continue };
        if found.balance < tender.amount {
            let detail = format!("voucher {} has been used since", found.number);
            return Err(Refusal::new(409, "voucher-spent", "The return cannot be voided", detail).into());
        }
        let balance = found.balance - tender.amount;
        let status = if balance == 0 { "spent" } else { "issued" }.to_owned();
        unit.t.vouchers.put(voucher::Model { balance, status, version: found.version + 1, ..found });
    }
    let ledgers = place.desk.money_ledgers();
    let given: Vec<_> = unit
        .caused(place.cause_id)
        .into_iter()
        .filter(|m| m.kind == "reverse" && ledgers.contains(&m.ledger))
        .collect();
    unit.need_all(given.iter().map(|m| Want::Movement(m.id)).collect())?;
    unit.need_all(given.iter().map(|m| Want::Lots(m.member_id, m.ledger.clone())).collect())?;
    unit.need_all(given.iter().map(|m| Want::Member(m.member_id)).collect())?;
    for of in given {
        let now = present(unit, of.member_id)?.id;
        unit.need([Want::Lots(now, of.ledger.clone())])?;
        take_again(unit, &place.on(now, &of.ledger), &of, order_of(place.desk, &of.ledger))?;
    }
    Ok(())
}
