//! Goods for goods: the return and the new purchase in one transaction. What the old goods were paid with is carried
//! over; dearer goods are paid up, the rest of cheaper ones goes back. Return terms run from the first purchase.
use crate::counter::allocate::by_weight;
use crate::counter::desk::Desk;
use crate::counter::money::Money;
use crate::counter::returns::approve::covered;
use crate::counter::returns::dues::{self, Settled};
use crate::counter::returns::payout::{self, CARRIED};
use crate::counter::returns::points::{self, Taken};
use crate::counter::returns::record::{Booked, Opened, hints};
use crate::counter::returns::request::{ExchangeRequest, RefundTo};
use crate::counter::returns::tender::{Part, plan};
use crate::counter::sale::{RecordSale, TenderRequest};
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want, ids};
use rust_decimal::Decimal;
use serde_json::json;

/// Records an exchange on a ticket. The new sale takes place when the return does, at the same store.
#[derive(Clone, Debug)]
pub struct ExchangeReturn {
    pub desk: Desk,
    pub request: ExchangeRequest,
}

impl Operation for ExchangeReturn {
    fn hints(&self) -> Vec<Want> {
        let mut wants = hints(&self.desk);
        wants.extend(self.request.sale.card.clone().map(Want::Card));
        wants
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        let request = &self.request.returned;
        let case = Opened::open(unit, &self.desk, request)?;
        let Some(sale) = case.sale().filter(|_| case.judgement.remedy == "exchange").cloned() else {
            let detail = "the ticket is for money back, or has no sale";
            let refusal = Refusal::new(409, "not-an-exchange", "The ticket is for no exchange", detail);
            return Err(refusal.at("return.ticket").into());
        };
        if self.request.sale.store != self.desk.store() {
            let detail = "goods are exchanged where they are brought back";
            let refusal = Refusal::new(422, "exchange-elsewhere", "The stores differ", detail);
            return Err(refusal.at("sale.store").into());
        }
        let (policy, when) = (case.policy(), &case.when);
        let settled = settle(&case, request)?;
        let value = case.judgement.value();
        // What the old goods were paid with, before the matrix: it is carried, not paid out.
        let carry = plan(unit, policy, sale.id, value, when, &[])?;
        let mut new = RecordSale {
            desk: self.desk.clone(),
            request: self.request.sale.clone(),
            exchange: Some((case.id, sale.first_date)),
        };
        let (terminal, receipt) = (&new.request.terminal, &new.request.receipt);
        let new_id = ids::sale(self.desk.store(), terminal, receipt, when.date);
        unit.need([Want::Sale(new_id)])?;
        unit.need_all(crate::counter::stored::wants(&new.request.tenders))?;
        let more = self.paid_on_top()?;
        let total = new.total(unit, new_id, when)?;
        let carried = (total - more).min(value);
        if carried < 0 || carried + more != total {
            let money = policy.currency();
            let more = json!({
                "total": money.text(total),
                "carried": money.text(value.min(total)),
                "to_pay": money.text((total - value).max(0)),
                "tendered": money.text(more),
            });
            let detail = "what is carried over and what is tendered do not come to the total";
            let refusal = Refusal::new(422, "tenders-do-not-add-up", "The tenders are not the total", detail);
            return Err(refusal.at("sale.tenders").with(more.to_string()).into());
        }
        let rest = value - carried;
        covered(unit, &case.judgement, &case.ticket, case.judgement.to_approve() + rest, when)?;
        let parts = split(policy, &carry.parts, carried, &request.refund_to)?;
        let place = case.place(&self.desk, &request.actor);
        payout::put_back(unit, &place, &case.payee(), &stored_value(&parts))?;
        let tenders = parts.iter().filter(|p| p.reference == CARRIED).map(|p| self.tender(p));
        new.request.tenders = tenders.chain(new.request.tenders).collect();
        let sold = new.record(unit, new_id, when)?;
        // After the new goods have earned: only the difference moves.
        let taken = points::take(unit, &place, &case.judgement)?;
        let settled = with_points(settled, &taken, request)?;
        let plan = crate::counter::returns::tender::Plan { parts, ruling: carry.ruling };
        let booked = Booked { plan, settled, taken, exchange_sale: Some(new_id) };
        let returned = case.book(unit, &self.desk, request, &booked)?;
        let money = policy.currency();
        let told = json!({
            "return": returned,
            "sale": sold,
            "carried": money.text(carried),
            "paid_on_top": money.text(more),
            "goes_back": money.text(rest),
        });
        Ok(Answer { status: 201, body: told.to_string() })
    }
}

impl ExchangeReturn {
    fn paid_on_top(&self) -> Result<i64, Stop> {
        // Looked at before the sale is, which bounds how many there are.
        let mut sum = 0i64;
        for (at, tender) in self.request.sale.tenders.iter().enumerate() {
            let path = format!("sale.tenders[{at}].amount");
            let amount = self.desk.minor(tender.amount, &path)?;
            sum = sum.checked_add(amount).filter(|sum| sum.unsigned_abs() < 1 << 53).ok_or_else(|| {
                let detail = "the tenders together are more than is kept";
                Refusal::new(422, "out-of-range", "A number is too large", detail).at(path)
            })?;
        }
        Ok(sum)
    }
    /// A tender of the purchase as one of the new purchase.
    fn tender(&self, part: &Part) -> TenderRequest {
        let amount = Decimal::from_i128_with_scale(i128::from(part.amount), self.desk.currency().digits);
        TenderRequest {
            kind: part.from.clone(),
            reference: part.from_reference.clone(),
            amount: Money(amount),
        }
    }
}

/// What is owed has to be settled beside an exchange, as there is no refund to keep it back from.
fn settle(case: &Opened, request: &crate::counter::returns::RecordRequest) -> Result<Vec<Settled>, Stop> {
    let settled = case.settle(&Taken::default(), request)?;
    dues::within(case.policy(), &settled, 0)?;
    Ok(settled)
}

fn with_points(
    mut settled: Vec<Settled>,
    taken: &Taken,
    request: &crate::counter::returns::RecordRequest,
) -> Result<Vec<Settled>, Stop> {
    settled.extend(dues::settle(taken.dues.clone(), &request.dues)?);
    let open = settled.iter().find(|s| s.how == "withheld" && s.due.amount > 0);
    match open {
        None => Ok(settled),
        Some(one) => {
            let detail = format!("points of {} are missing: take their worth in money", one.due.reference);
            let refusal = Refusal::new(409, "dues-exceed-refund", "More is owed than goes back", detail);
            let more = json!({ "reference": one.due.reference });
            Err(refusal.at("return.dues").with(more.to_string()).for_now().into())
        }
    }
}

/// Splits what came back into what is carried over, tender by tender, and what goes back by the matrix.
fn split(desk: &Desk, parts: &[Part], carried: i64, choices: &[RefundTo]) -> Result<Vec<Part>, Stop> {
    let amounts: Vec<i64> = parts.iter().map(|p| p.amount).collect();
    let mut all = Vec::new();
    for (part, carried) in parts.iter().zip(by_weight(carried, &amounts)) {
        if carried > 0 {
            let (kind, reference) = (part.from.clone(), CARRIED.to_owned());
            all.push(Part { kind, reference, amount: carried, ..part.clone() });
        }
        if part.amount > carried {
            let rest = Part { amount: part.amount - carried, ..part.clone() };
            all.push(crate::counter::returns::tender::chosen(desk, rest, choices)?);
        }
    }
    Ok(all)
}

/// The parts as stored value moves: what is carried goes to its own ledger or voucher first, and is taken again there.
fn stored_value(parts: &[Part]) -> Vec<Part> {
    let own = |p: &Part| match p.reference.as_str() {
        CARRIED => Part { reference: p.from_reference.clone(), ..p.clone() },
        _ => p.clone(),
    };
    parts.iter().map(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_tender_carries_more_than_came_back_on_it(
            amounts in proptest::collection::vec(1i64..100_000, 1..5),
            share in 0i64..=100,
        ) {
            let value: i64 = amounts.iter().sum();
            let carried = by_weight(value * share / 100, &amounts);
            prop_assert_eq!(carried.iter().sum::<i64>(), value * share / 100);
            prop_assert!(carried.iter().zip(&amounts).all(|(c, a)| (0..=*a).contains(c)));
        }
    }
}
