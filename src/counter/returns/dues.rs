//! What is owed before money goes back, and how it is settled: handed back, paid beside the refund, or kept back from it.
use crate::counter::desk::Desk;
use crate::counter::returns::judge::Due;
use crate::counter::returns::request::DueSettled;
use crate::records::entity::due;
use crate::records::{Refusal, Stop, Unit};
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

/// The kind of due that is a thing, not money.
const HAND_BACK: &str = "hand_back";
/// Points that could not be taken back, in money.
pub const POINTS: &str = "points";

/// A due with how it is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub due: Due,
    /// `handed_back`, `paid` or `withheld`.
    pub how: &'static str,
}

impl Settled {
    pub fn told(&self, desk: &Desk) -> Value {
        json!({
            "kind": self.due.kind,
            "reference": self.due.reference,
            "amount": desk.currency().text(self.due.amount),
            "settled": self.how,
        })
    }
}

/// What is kept back from the refund, in smallest units.
pub fn withheld(settled: &[Settled]) -> i64 {
    settled.iter().filter(|s| s.how == "withheld").map(|s| s.due.amount).sum()
}

/// Settles each due as said. Money of which nothing is said is withheld; of a thing it has to be said that it is back
/// (409 `due-open`).
pub fn settle(dues: Vec<Due>, said: &[DueSettled]) -> Result<Vec<Settled>, Stop> {
    check(said)?;
    dues.into_iter().map(|due| one(due, said)).collect()
}

/// Refused with 422 where a word says none of the ways to settle something.
pub fn check(said: &[DueSettled]) -> Result<(), Stop> {
    for (at, one) in said.iter().enumerate() {
        if !matches!(one.settled.as_str(), "handed_back" | "paid" | "withheld") {
            let detail = format!("{:?} is not one of handed_back, paid, withheld", one.settled);
            let refusal = Refusal::new(422, "malformed-return", "The return cannot be", detail);
            return Err(refusal.at(format!("dues[{at}].settled")).into());
        }
    }
    Ok(())
}

/// How things stand with what was owed for goods that are back already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    pub settled: Vec<Settled>,
    /// What was not settled and is not kept back either.
    pub open: Vec<Due>,
    /// What should have been paid, in smallest units: all money of which nothing is said is kept back.
    pub expected: i64,
}

/// How dues were settled by a desk that was not told of them. Money of which nothing is said was kept back if exactly so
/// much less was paid. In smallest units: `value` is what goes back, `worth` what was paid for the goods, `paid` what the
/// customer got.
pub fn settle_done(dues: Vec<Due>, said: &[DueSettled], value: i64, worth: i64, paid: i64) -> Done {
    let all: Vec<Option<Settled>> = dues.iter().map(|due| one(due.clone(), said).ok()).collect();
    let kept = withheld(&all.iter().flatten().cloned().collect::<Vec<_>>());
    let expected = (value - kept).max(0);
    let mut done = Done { expected, ..Done::default() };
    let mut left = worth;
    for (due, settled) in dues.into_iter().zip(all) {
        let named = said.iter().any(|s| s.reference == due.reference);
        match settled {
            Some(one) if one.how != "withheld" => done.settled.push(one),
            Some(one) if (named || paid == value - kept) && due.amount <= left => {
                left -= due.amount;
                done.settled.push(one);
            }
            _ => done.open.push(due),
        }
    }
    done
}

fn one(due: Due, said: &[DueSettled]) -> Result<Settled, Stop> {
    let said = said.iter().find(|s| s.reference == due.reference).map(|s| s.settled.as_str());
    let how = match (due.kind == HAND_BACK, said) {
        (true, Some("handed_back")) => "handed_back",
        (false, Some("paid")) => "paid",
        (false, None | Some("withheld")) => "withheld",
        _ => {
            let detail = format!("{} {}: say how it is settled", due.kind, due.reference);
            let refusal = Refusal::new(409, "due-open", "Something has to be given back first", detail);
            let more = json!({ "kind": due.kind, "reference": due.reference });
            return Err(refusal.at("dues").with(more.to_string()).for_now().into());
        }
    };
    Ok(Settled { due, how })
}

/// Refused with 409 `dues-exceed-refund` if more is kept back than goes back: then it has to be paid.
pub fn within(desk: &Desk, settled: &[Settled], refund: i64) -> Result<(), Stop> {
    let kept = withheld(settled);
    if kept <= refund {
        return Ok(());
    }
    let money = desk.currency();
    let detail = format!("{} is owed, {} goes back: take the money", money.text(kept), money.text(refund));
    let more = json!({
        "owed": money.text(kept),
        "refund": money.text(refund),
        "dues": settled.iter().map(|s| s.told(desk)).collect::<Vec<_>>(),
    });
    let refusal = Refusal::new(409, "dues-exceed-refund", "More is owed than goes back", detail);
    Err(refusal.at("dues").with(more.to_string()).for_now().into())
}

/// Writes the dues of a return, and what became of the sale's gifts.
pub fn write(unit: &mut Unit, return_id: Uuid, sale: Option<Uuid>, settled: &[Settled]) {
    for (seq, one) in (0i32..).zip(settled) {
        unit.t.dues.put(due::Model {
            return_id,
            seq,
            kind: one.due.kind.clone(),
            reference: one.due.reference.clone(),
            amount: one.due.amount,
            settled: one.how.to_owned(),
        });
        // A ledger may be called as a gift is.
        let Some(sale) = sale.filter(|_| one.due.kind != POINTS) else { continue };
        let gifts = unit.sale_gifts(sale).into_iter();
        let open = gifts.filter(|g| matches!(g.state.as_str(), "given" | "used"));
        for mut gift in open.filter(|g| g.reference == one.due.reference) {
            gift.state = if one.how == "handed_back" { "handed_back" } else { "paid" }.to_owned();
            unit.t.sale_gifts.put(gift);
        }
    }
}

/// What the customer gave for a return beside its money, and gets again when the return is voided: money that was paid,
/// and gifts that were handed back. What was withheld never left the till.
pub fn given(unit: &Unit, return_id: Uuid) -> Vec<due::Model> {
    let all = unit.t.dues.range((return_id, i32::MIN)..=(return_id, i32::MAX));
    all.filter(|due| due.settled != "withheld").cloned().collect()
}

/// Gives the gifts of a voided return back: what was handed back is given again, what was paid for counts as used.
pub fn undo(unit: &mut Unit, return_id: Uuid, sale: Uuid) {
    let dues: Vec<due::Model> =
        unit.t.dues.range((return_id, i32::MIN)..=(return_id, i32::MAX)).cloned().collect();
    for due in dues.into_iter().filter(|due| due.kind != POINTS) {
        for mut gift in unit.sale_gifts(sale).into_iter().filter(|g| g.reference == due.reference) {
            gift.state = match gift.state.as_str() {
                "handed_back" => "given",
                "paid" => "used",
                _ => continue,
            }
            .to_owned();
            unit.t.sale_gifts.put(gift);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(kind: &str, reference: &str, amount: i64) -> Due {
        Due { kind: kind.into(), reference: reference.into(), amount }
    }
    fn said(reference: &str, settled: &str) -> DueSettled {
        DueSettled { reference: reference.into(), settled: settled.into() }
    }

    #[test]
    fn gifts_have_to_be_handed_back_and_money_is_withheld() {
        let dues = || vec![due("hand_back", "G-1", 0), due("pay_cash", "G-2", 2_500)];
        assert!(settle(dues(), &[]).is_err());
        assert!(settle(dues(), &[said("G-1", "paid")]).is_err());
        assert!(settle(dues(), &[said("G-1", "lost")]).is_err());
        let settled = settle(dues(), &[said("G-1", "handed_back")]).unwrap();
        assert_eq!(withheld(&settled), 2_500);
        let settled = settle(dues(), &[said("G-1", "handed_back"), said("G-2", "paid")]).unwrap();
        assert_eq!(withheld(&settled), 0);
    }
}
