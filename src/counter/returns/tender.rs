//! Where the money goes: back to the tenders of the purchase, by the decision `tender_back` and the declared matrix.
//! Stored value never becomes cash.
use crate::counter::allocate::by_weight;
use crate::counter::desk::{Desk, Ruling, When};
use crate::counter::facts;
use crate::counter::returns::request::RefundTo;
use crate::counter::stored::VOUCHER;
use crate::records::entity::sale_tender;
use crate::records::{Refusal, Stop, Unit};
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

/// Stored value of other houses' making.
const GIFT_CARD: &str = "gift_card";

/// Money that goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The purchase's tender; none without a receipt.
    pub seq: Option<i32>,
    /// What the purchase was paid with.
    pub from: String,
    pub from_reference: String,
    /// What the money becomes.
    pub kind: String,
    pub reference: String,
    /// Smallest units.
    pub amount: i64,
}

/// Where an amount goes, and the decision that says so.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub parts: Vec<Part>,
    pub ruling: Option<Ruling>,
}

impl Plan {
    /// As callers see it.
    pub fn told(&self, desk: &Desk) -> Value {
        let part = |p: &Part| {
            json!({
                "tender": p.seq,
                "paid_with": p.from,
                "kind": p.kind,
                "reference": p.reference,
                "amount": desk.currency().text(p.amount),
            })
        };
        self.parts.iter().map(part).collect()
    }
}

/// Whether a tender is stored value.
pub fn stored(desk: &Desk, kind: &str) -> bool {
    kind == VOUCHER || kind == GIFT_CARD || desk.money_ledgers().iter().any(|l| l == kind)
}

/// What is left of a sale's tenders, each with its own share of `amount` (smallest units), whatever a policy says.
pub fn shared(unit: &Unit, sale: Uuid, amount: i64) -> Plan {
    let tenders = unit.sale_tenders(sale);
    let left: Vec<i64> = tenders.iter().map(|t| t.amount - t.refunded).collect();
    let back = by_weight(amount, &left);
    let parts = tenders.iter().zip(back).filter(|(_, amount)| *amount > 0).map(|(t, amount)| Part {
        seq: Some(t.seq),
        from: t.kind.clone(),
        from_reference: t.reference.clone(),
        kind: t.kind.clone(),
        reference: t.reference.clone(),
        amount,
    });
    Plan { parts: parts.collect(), ruling: None }
}

/// Splits `amount` (smallest units) over what is left of the sale's tenders. Refused if the policy refuses, or a choice
/// is not one that the rulebook allows.
pub fn plan(
    unit: &Unit,
    desk: &Desk,
    sale: Uuid,
    amount: i64,
    when: &When,
    choices: &[RefundTo],
) -> Result<Plan, Stop> {
    let tenders = unit.sale_tenders(sale);
    if let Some(at) = choices.iter().position(|c| tenders.iter().all(|t| t.seq != c.tender)) {
        let refusal = Refusal::new(422, "unknown-tender", "There is no such tender", "on the receipt");
        return Err(refusal.at(format!("refund_to[{at}].tender")).into());
    }
    let (back, ruling) = shares(desk, &tenders, amount, when)?;
    let fits = tenders.iter().zip(&back).all(|(t, back)| (0..=t.amount - t.refunded).contains(back));
    if !fits || back.len() != tenders.len() || back.iter().sum::<i64>() != amount {
        let detail = format!("{} do not fit what is left of the tenders", desk.currency().text(amount));
        return Err(Refusal::new(409, "refund-out-of-bounds", "The refund cannot be", detail).into());
    }
    let mut parts = Vec::new();
    for (tender, amount) in tenders.iter().zip(back).filter(|(_, amount)| *amount > 0) {
        let (from, from_reference) = (tender.kind.clone(), tender.reference.clone());
        let (kind, reference) = (from.clone(), from_reference.clone());
        let part = Part { seq: Some(tender.seq), from, from_reference, kind, reference, amount };
        parts.push(chosen(desk, part, choices)?);
    }
    Ok(Plan { parts, ruling })
}

/// The part with the tender that its money becomes.
pub fn chosen(desk: &Desk, part: Part, choices: &[RefundTo]) -> Result<Part, Stop> {
    let choice = choices.iter().enumerate().find(|(_, c)| Some(c.tender) == part.seq);
    let kind = becomes(desk, &part.from, choice)?;
    let reference = match choice.and_then(|(_, c)| c.reference.clone()) {
        Some(reference) => reference,
        None if kind == part.from => part.from_reference.clone(),
        None => String::new(),
    };
    Ok(Part { kind, reference, ..part })
}

fn shares(
    desk: &Desk,
    tenders: &[sale_tender::Model],
    amount: i64,
    when: &When,
) -> Result<(Vec<i64>, Option<Ruling>), Stop> {
    let left: Vec<i64> = tenders.iter().map(|t| t.amount - t.refunded).collect();
    if !desk.has("tender_back") || amount == 0 {
        return Ok((by_weight(amount, &left), None));
    }
    let money = desk.currency();
    let fact = |(t, left): (&sale_tender::Model, &i64)| json!({ "ref": t.kind, "amount": money.text(*left) });
    let known = json!({
        "tenders": tenders.iter().zip(&left).map(fact).collect::<Vec<_>>(),
        "refund_amount": money.text(amount),
        "today": facts::date(when.date),
    });
    let ruling = desk.decide("tender_back", known, &Value::Null)?;
    if !ruling.allows() {
        let more = json!({ "decision": ruling.answer() });
        let refusal =
            Refusal::new(409, "tenders-refused", "The money cannot go back like this", "see the decision");
        return Err(refusal.with(more.to_string()).into());
    }
    Ok((ruling.amounts("back", &money), Some(ruling)))
}

/// What the money of a tender may become, by the declared matrix.
pub fn allowed(desk: &Desk, from: &str) -> Vec<String> {
    let declared = desk.terms().tenders.get(from).cloned();
    let mut allowed = declared.unwrap_or_else(|| vec![from.to_owned()]);
    // Whatever is declared.
    allowed.retain(|kind| !stored(desk, from) || stored(desk, kind));
    allowed
}

/// What the money of a tender becomes: the first one that the matrix allows, or the one chosen among them.
fn becomes(desk: &Desk, from: &str, choice: Option<(usize, &RefundTo)>) -> Result<String, Stop> {
    let allowed = allowed(desk, from);
    let Some((at, choice)) = choice else {
        return Ok(allowed.into_iter().next().unwrap_or_else(|| from.to_owned()));
    };
    if allowed.contains(&choice.kind) {
        return Ok(choice.kind.clone());
    }
    let detail = format!("what was paid with `{from}` may go back to: {}", allowed.join(", "));
    let refusal = Refusal::new(409, "tender-not-allowed", "The money cannot go there", detail);
    Err(refusal.at(format!("refund_to[{at}].kind")).into())
}
