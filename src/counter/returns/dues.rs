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
    for (at, one) in said.iter().enumerate() {
        if !matches!(one.settled.as_str(), "handed_back" | "paid" | "withheld") {
            let detail = format!("{:?} is not one of handed_back, paid, withheld", one.settled);
            let refusal = Refusal::new(422, "malformed-return", "The return cannot be", detail);
            return Err(refusal.at(format!("dues[{at}].settled")).into());
        }
    }
    dues.into_iter().map(|due| one(due, said)).collect()
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
