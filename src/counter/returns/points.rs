//! Points of goods that come back: taken back by the ledger's declared rule, and given again when the return is voided.
use crate::counter::desk::{Desk, When};
use crate::counter::members::hand_on;
use crate::counter::points::bring_up;
use crate::counter::returns::dues::POINTS;
use crate::counter::returns::judge::{Due, Judgement};
use crate::counter::stored::{Place, order_of};
use crate::records::entity::{member_day, settled_member};
use crate::records::ledger::{Clawback, Clawed, claw_back, restore};
use crate::records::{Refusal, Stop, Unit, Want};
use crate::rulebook::ClawbackRule;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What taking back came to, per ledger.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    pub ledgers: Vec<(String, Clawed)>,
    /// What could not be taken and is set off in money.
    pub dues: Vec<Due>,
    /// The points behind these dues.
    pub short: i64,
}

impl Taken {
    pub fn told(&self, desk: &Desk, unit: &Unit, member: Option<Uuid>) -> Value {
        let points = desk.points();
        let one = |(ledger, clawed): &(String, Clawed)| {
            json!({
                "ledger": ledger,
                "taken": points.text(clawed.taken),
                "owed": points.text(clawed.owed),
                "short": points.text(clawed.short),
                "balance": points.text(member.map_or(0, |m| unit.account(m, ledger).available)),
            })
        };
        self.ledgers.iter().map(one).collect()
    }
}

/// Takes back what the judgement says.
pub fn take(unit: &mut Unit, place: &Place, judgement: &Judgement) -> Result<Taken, Stop> {
    let mut taken = Taken::default();
    let (Some(member), Some(sale)) = (&judgement.purchase.member, &judgement.purchase.sale) else {
        return Ok(taken);
    };
    let desk = &judgement.purchase.desk;
    for (ledger, amount) in judgement.points_back() {
        if amount <= 0 {
            continue;
        }
        bring_up(unit, place, member.id, &ledger)?;
        let terms = desk.terms().ledger(&ledger);
        let rule = match terms.clawback {
            ClawbackRule::Pending => Clawback::PendingOnly,
            ClawbackRule::Balance => Clawback::WithinBalance,
            ClawbackRule::Debt => Clawback::Debt { limit: terms.debt_limit.unwrap_or(i64::MAX) },
            ClawbackRule::Offset => Clawback::Offset,
        };
        let clause = judgement.lines.iter().find_map(|l| {
            let named = l.ruling.clause(&format!("{ledger}_points_back"));
            named.or_else(|| l.ruling.clause("points_back"))
        });
        let digest = desk.digest();
        let mut cause = place.on(member.id, &ledger);
        (cause.clause, cause.digest) = (clause.as_deref(), Some(digest.as_str()));
        let clawed = claw_back(unit, &cause, sale.id, amount, rule, order_of(desk, &ledger))?;
        if rule == Clawback::Offset && clawed.short > 0 {
            let amount = in_money(desk, clawed.short, terms.point_worth.as_deref())?;
            taken.dues.push(Due { kind: POINTS.into(), reference: ledger.clone(), amount });
            taken.short += clawed.short;
        }
        taken.ledgers.push((ledger, clawed));
    }
    Ok(taken)
}

/// What points are worth where they are set off, rounded half up to the currency's step.
fn in_money(desk: &Desk, points: i64, worth: Option<&str>) -> Result<i64, Stop> {
    let wrong = || {
        let detail = "a ledger with `clawback = \"offset\"` needs a `point_worth`";
        Refusal::new(409, "point-worth-missing", "The points cannot be set off", detail)
    };
    let worth: Decimal = worth.and_then(|w| w.parse().ok()).ok_or_else(wrong)?;
    let points = Decimal::from_i128_with_scale(i128::from(points), desk.points().digits);
    let minor = Decimal::from(10i64.pow(desk.currency().digits));
    let amount = points.checked_mul(worth).and_then(|a| a.checked_mul(minor)).ok_or_else(wrong)?;
    let rounded = amount.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    Ok(rounded.to_i64().ok_or_else(wrong)?)
}

/// What a return did to the days and the settled year of the member who bought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// Per area or ledger: paid for the goods, points.
    pub days: Vec<(String, i64, i64)>,
    /// Points of the settled year.
    pub settled_lost: i64,
}

/// Notes on the day of the sale, not of the return, what came back, so that spend is net. `sign` is -1 when a return is
/// voided.
pub fn note_days(unit: &mut Unit, member: Uuid, date: i32, traces: &Traces, sign: i64) -> Result<(), Stop> {
    // With the member's lock: another node may be adding a sale to the same day.
    unit.need([Want::Member(member), Want::Days(member, crate::counter::facts::year_of(date))])?;
    for (area, paid, points) in &traces.days {
        let key = (member, date, area.clone());
        let mut day = unit.t.days.get(&key).cloned().unwrap_or_else(|| member_day::Model {
            member_id: member,
            date,
            area: area.clone(),
            spent: 0,
            returned: 0,
            receipts: 0,
            earned: 0,
        });
        day.returned += sign * paid;
        day.earned -= sign * points;
        unit.t.days.put(day);
    }
    Ok(())
}

/// Goods of a settled year take their points out of what was settled, so that the next return finds what is left.
pub fn note_settled(unit: &mut Unit, settled: Option<&settled_member::Model>, lost: i64) {
    if let Some(settled) = settled
        && lost != 0
    {
        let points = settled.points - lost;
        unit.t.settled.put(settled_member::Model { points, ..settled.clone() });
    }
}

/// Gives the points of a voided return to the same lots again. `Want::Caused(return)` must be loaded.
pub fn give_again(
    unit: &mut Unit,
    desk: &Desk,
    when: &When,
    actor: &str,
    return_id: Uuid,
) -> Result<Vec<(String, i64)>, Stop> {
    let movements = unit.caused(return_id).into_iter().filter(|m| m.kind == "claw_back");
    let movements: Vec<_> = movements.collect();
    unit.need_all(movements.iter().map(|m| Want::Movement(m.id)).collect())?;
    unit.need_all(movements.iter().map(|m| Want::Lots(m.member_id, m.ledger.clone())).collect())?;
    unit.need_all(movements.iter().map(|m| Want::Member(m.member_id)).collect())?;
    let place = Place { desk, when, actor, cause: "return", cause_id: return_id };
    let (mut again, mut given) = (Vec::new(), BTreeSet::new());
    for movement in movements {
        let cause = place.on(movement.member_id, &movement.ledger);
        let grace = desk.terms().ledger(&movement.ledger).grace_days;
        restore(unit, &cause, &movement, when.date, grace)?;
        let back = unit.entries(movement.id).iter().filter(|e| e.bucket == "clawed").map(|e| e.amount).sum();
        again.push((movement.ledger.clone(), back));
        given.insert((movement.member_id, movement.ledger));
    }
    for (member, ledger) in given {
        hand_on(unit, &place, member, &ledger)?;
    }
    Ok(again)
}
