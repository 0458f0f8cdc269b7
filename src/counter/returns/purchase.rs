//! What is known of the purchase that comes back: the receipt, its lines in parts, gifts, and what was settled since.
use crate::counter::desk::{Desk, When};
use crate::counter::facts;
use crate::counter::members::present;
use crate::counter::returns::payout::CARRIED;
use crate::counter::returns::request::{GiftState, Slip};
use crate::counter::returns::units::{self, Range};
use crate::program::dates::to_ymd;
use crate::records::entity::{member, return_slip, sale, sale_line, settled_member};
use crate::records::{Refusal, Stop, Unit, Want};
use sea_orm::prelude::Uuid;
use serde_json::{Map, Value, json};

/// A recorded purchase, as a return sees it.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// The policies of the store that sold decide; if it is gone, those of the store at hand.
    pub desk: Desk,
    /// None: no receipt.
    pub sale: Option<sale::Model>,
    pub lines: Vec<sale_line::Model>,
    /// Per line, the units that are back, in order.
    pub taken: Vec<Vec<Range>>,
    /// Who bought, as merged since.
    pub member: Option<member::Model>,
    /// The member's number at the purchase.
    number: Option<String>,
    /// Per ledger of points, what the sale granted and recorded returns have not taken back.
    pub granted: Vec<(String, i64)>,
    /// The settled year of the first ledger that the purchase counted for.
    pub settled: Option<settled_member::Model>,
    /// What recorded returns of the same receipt gave back on this business day.
    pub same_day: i64,
}

/// The line of a return's JSON column that says what it did to points.
pub fn points_of(facts: &str, name: &str) -> Map<String, Value> {
    let read: Map<String, Value> = serde_json::from_str(facts).unwrap_or_default();
    read.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
}

impl Purchase {
    /// Loads the purchase. Refused with 409 `sale-not-recorded`, for now, while the sale has not arrived.
    pub fn load(unit: &Unit, place: &Desk, when: &When, slip: &Slip) -> Result<Purchase, Stop> {
        let Some(id) = slip.sale else {
            return Ok(Purchase {
                desk: place.clone(),
                sale: None,
                lines: Vec::new(),
                taken: Vec::new(),
                member: None,
                number: None,
                granted: Vec::new(),
                settled: None,
                same_day: 0,
            });
        };
        unit.need([Want::Sale(id)])?;
        let Some(sale) = unit.t.sales.get(&id).cloned() else {
            let detail = format!("sale {id} has not arrived; send the return again when it has");
            let refusal = Refusal::new(409, "sale-not-recorded", "The sale is not recorded", detail);
            return Err(refusal.at("sale").for_now().into());
        };
        let desk = place.of_store(&sale.store).unwrap_or_else(|_| place.clone());
        let lines = unit.sale_lines(id);
        let taken = lines.iter().map(|l| units::taken(unit, id, l.line)).collect();
        let today = unit.sale_returns(id).into_iter();
        let same_day = today
            .filter(|r| r.status == "recorded" && r.business_date == when.date)
            .map(|r| gave_back(unit, &r))
            .sum();
        let mut purchase = Purchase {
            desk,
            sale: None,
            lines,
            taken,
            member: None,
            number: None,
            granted: Vec::new(),
            settled: None,
            same_day,
        };
        if let Some(buyer) = sale.member_id {
            unit.need([Want::Member(buyer), Want::Caused(id)])?;
            purchase.number = unit.t.members.get(&buyer).map(|m| m.number.clone());
            purchase.granted = granted(unit, &purchase.desk, id);
            let now = present(unit, buyer)?;
            purchase.settled = settled(unit, &purchase.desk, id)?;
            purchase.member = Some(now);
        }
        purchase.sale = Some(sale);
        Ok(purchase)
    }

    /// The receipt as it was; without one, only what the caller says is known.
    pub fn receipt(&self, slip: &Slip, when: &When) -> Value {
        let said = |name: &str| slip.receipt.contains_key(name);
        let mut receipt = match &self.sale {
            Some(sale) => facts::receipt(sale, self.number.as_deref()),
            None => json!({ "on_record": false, "invoiced": false, "member": null, "card_presented": false }),
        };
        if let Value::Object(receipt) = &mut receipt {
            // The delivery may come after the record of the sale: then the desk says when it was.
            if receipt.get("signed_for").is_none_or(Value::is_null) {
                receipt.remove("signed_for");
                if !said("signed_for") {
                    receipt.insert("signed_for".into(), Value::Null);
                }
            }
            if self.sale.is_none() {
                for paper in ["till_slip", "customer_copy", "invoice"] {
                    if !said(paper) {
                        receipt.insert(paper.into(), false.into());
                    }
                }
                if !said("date") {
                    receipt.insert("date".into(), facts::date(when.date));
                }
            }
        }
        receipt
    }

    /// The lines in parts: returned before, brought back now, kept. The units of a part are priced by their own shares.
    pub fn parts(&self, taken: &[Vec<Range>], now: Option<(usize, &[Range])>) -> Vec<Value> {
        let mut parts = Vec::new();
        for (at, (line, taken)) in self.lines.iter().zip(taken).enumerate() {
            let returning = now.filter(|(now, _)| *now == at).map_or(&[][..], |(_, ranges)| ranges);
            let mut left = (line.quantity, line.paid, line.rebate_used);
            for (ranges, name) in [(&taken[..], "returned"), (returning, "returning")] {
                let quantity = units::count(ranges);
                if quantity > 0 {
                    let paid = units::worth(line.paid, line.quantity, ranges);
                    let rebate = units::worth(line.rebate_used, line.quantity, ranges);
                    left = (left.0 - quantity, left.1 - paid, left.2 - rebate);
                    let mut part = facts::line(&self.desk, line, quantity, paid, rebate);
                    part.insert(name.into(), true.into());
                    parts.push(Value::Object(part));
                }
            }
            if left.0 > 0 {
                parts.push(Value::Object(facts::line(&self.desk, line, left.0, left.1, left.2)));
            }
        }
        parts
    }

    /// What the points of these units are, by counting again with them and without them. `member`'s facts are those of
    /// the sale, so that what is taken back is what was granted.
    pub fn earned_by(
        &self,
        receipt: &Value,
        taken: &[Vec<Range>],
        at: usize,
        ranges: &[Range],
    ) -> Result<Vec<(String, i64)>, Stop> {
        if !self.desk.has("earn") || self.member.is_none() {
            return Ok(Vec::new());
        }
        let mut after = taken.to_vec();
        if let Some(line) = after.get_mut(at) {
            line.extend_from_slice(ranges);
            line.sort_unstable();
        }
        let (before, after) = (self.earned(receipt, taken)?, self.earned(receipt, &after)?);
        Ok(before.into_iter().zip(after).map(|((ledger, b), (_, a))| (ledger, b - a)).collect())
    }

    fn earned(&self, receipt: &Value, taken: &[Vec<Range>]) -> Result<Vec<(String, i64)>, Stop> {
        let mut kept = self.parts(taken, None);
        kept.retain(|part| part.get("returned") != Some(&Value::Bool(true)));
        let ruling = self.desk.decide("earn", json!({ "receipt": receipt, "lines": kept }), &Value::Null)?;
        let points = self.desk.points();
        let of = |ledger: String| {
            let earned = ruling.number(&format!("{ledger}_points"), &points);
            (ledger, earned)
        };
        Ok(self.desk.point_ledgers().into_iter().map(of).collect())
    }

    /// The year's settled points as a fact, less what this slip has taken from them.
    pub fn settled_fact(&self, lost: i64) -> Value {
        let year = self.sale.as_ref().map(|s| to_ymd(s.first_date).0);
        let value = self.settled.as_ref().map(|s| self.desk.points().text((s.points - lost).max(0)));
        year.map_or(json!([]), |year| json!([{ "year": year, "value": value }]))
    }
}

/// Gifts that are still with the customer, without those that this slip takes back already.
pub fn gifts(unit: &Unit, purchase: &Purchase, said: &[GiftState], gone: &[String]) -> Value {
    let Some(sale) = &purchase.sale else { return json!([]) };
    let money = purchase.desk.currency();
    let open = unit.sale_gifts(sale.id).into_iter().filter(|g| matches!(g.state.as_str(), "given" | "used"));
    let fact = |g: crate::records::entity::sale_gift::Model| {
        let said = said.iter().find(|s| s.reference == g.reference).map(|s| s.used);
        json!({
            "ref": g.reference,
            "threshold": g.threshold.map(|t| money.text(t)),
            "worth": money.text(g.worth),
            "used": said.unwrap_or(g.state == "used"),
        })
    };
    open.filter(|g| !gone.contains(&g.reference)).map(fact).collect()
}

/// The money that a return gave back; of an exchange, what was not carried over to the new goods.
fn gave_back(unit: &Unit, slip: &return_slip::Model) -> i64 {
    if slip.exchange_sale.is_none() {
        return slip.refund;
    }
    let tenders = unit.t.return_tenders.range((slip.id, i32::MIN)..=(slip.id, i32::MAX));
    tenders.filter(|t| t.reference != CARRIED).map(|t| t.amount).sum()
}

/// What the sale granted, less what recorded returns took back.
fn granted(unit: &Unit, desk: &Desk, sale: Uuid) -> Vec<(String, i64)> {
    let earned = |ledger: &str| -> i64 {
        let movements = unit.caused(sale).into_iter().filter(|m| m.kind == "earn" && m.ledger == ledger);
        -movements
            .flat_map(|m| unit.entries(m.id))
            .filter(|e| e.bucket == "issued")
            .map(|e| e.amount)
            .sum::<i64>()
    };
    let standing = unit.sale_returns(sale).into_iter().filter(|r| r.status == "recorded");
    let lines: Vec<_> = standing.flat_map(|r| unit.return_lines(r.id)).collect();
    let taken = |ledger: &str| -> i64 {
        let of =
            |facts: &str| points_of(facts, "points_back").get(ledger).and_then(Value::as_i64).unwrap_or(0);
        lines.iter().map(|l| of(&l.facts)).sum()
    };
    desk.point_ledgers()
        .into_iter()
        .map(|l| (earned(&l) - taken(&l)).max(0))
        .zip(desk.point_ledgers())
        .map(|(n, l)| (l, n))
        .collect()
}

/// The settled year that took a sale's points, of whoever had them then; none if no settlement touched them, such as those
/// of a receipt that came in after its year was settled.
pub fn settled(unit: &Unit, desk: &Desk, sale: Uuid) -> Result<Option<settled_member::Model>, Stop> {
    let Some(ledger) = desk.point_ledgers().into_iter().next() else { return Ok(None) };
    unit.need([Want::Caused(sale)])?;
    let earned = unit.caused(sale).into_iter().filter(|m| m.kind == "earn" && m.ledger == ledger);
    let mut lots: Vec<Uuid> =
        earned.flat_map(|m| unit.entries(m.id)).filter_map(|entry| entry.lot_id).collect();
    let mut at = 0;
    while let Some(lot) = lots.get(at).copied() {
        at += 1;
        unit.need([Want::Touched(lot)])?;
        for movement in unit.touched(lot) {
            let (member, year) = (movement.member_id, to_ymd(movement.business_date).0);
            match movement.kind.as_str() {
                "settle" => {
                    unit.need([Want::Settled(member, ledger.clone(), year)])?;
                    return Ok(unit.t.settled.get(&(member, ledger, year)).cloned());
                }
                // Lots that went over to another record, and back, are other lots of the same sale.
                "merge" => {
                    let others = unit.entries(movement.id).into_iter().filter_map(|entry| {
                        unit.t.lots.get(&(entry.member_id, entry.ledger, entry.lot_id?)).cloned()
                    });
                    let moved = others.filter(|l| l.cause_id == Some(sale)).map(|l| l.id);
                    let new: Vec<Uuid> = moved.filter(|id| !lots.contains(id)).collect();
                    lots.extend(new);
                }
                _ => {}
            }
        }
    }
    Ok(None)
}
