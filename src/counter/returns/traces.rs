//! What a return leaves behind beside money: written with its lines, so that voiding it takes back exactly that.
use crate::counter::returns::judge::{Judged, Judgement};
use crate::counter::returns::points::Traces;
use crate::counter::returns::purchase::points_of;
use crate::records::entity::{return_line, sale_line};
use serde_json::{Map, Value, json};

/// The JSON column of a return's line. Points stand with the first of several ranges.
pub fn written(judged: &Judged, first: bool) -> String {
    let points = |n: i64| if first { n } else { 0 };
    let back: Map<String, Value> =
        judged.points_back.iter().map(|(ledger, n)| (ledger.clone(), points(*n).into())).collect();
    let lost = json!({ "points": points(judged.settled_lost), "paid": points(judged.worth) });
    json!({ "item": judged.said.item, "points_back": back, "settled": lost }).to_string()
}

/// The traces of a return that is being recorded.
pub fn of(judgement: &Judgement) -> Traces {
    let mut traces = Traces::default();
    for judged in &judgement.lines {
        let line = judgement.purchase.lines.iter().find(|l| l.line == judged.said.line);
        add(&mut traces, line, judged.worth, &judged.points_back, judged.settled_lost);
    }
    traces
}

/// The traces of a recorded return.
pub fn read(lines: &[return_line::Model], sale_lines: &[sale_line::Model]) -> Traces {
    let mut traces = Traces::default();
    for line in lines {
        let points: Vec<(String, i64)> = points_of(&line.facts, "points_back")
            .into_iter()
            .map(|(ledger, n)| (ledger, n.as_i64().unwrap_or(0)))
            .collect();
        let settled = points_of(&line.facts, "settled");
        let number = |name: &str| settled.get(name).and_then(Value::as_i64).unwrap_or(0);
        let of = sale_lines.iter().find(|l| l.line == line.line);
        add(&mut traces, of, number("paid"), &points, number("points"));
    }
    traces
}

fn add(
    traces: &mut Traces,
    line: Option<&sale_line::Model>,
    paid: i64,
    points: &[(String, i64)],
    settled_lost: i64,
) {
    let mut note =
        |area: &str, paid: i64, points: i64| match traces.days.iter_mut().find(|(name, _, _)| name == area) {
            Some((_, p, n)) => (*p, *n) = (*p + paid, *n + points),
            None => traces.days.push((area.to_owned(), paid, points)),
        };
    if let Some(line) = line
        && paid != 0
    {
        note(&line.area, paid, 0);
    }
    points.iter().filter(|(_, n)| *n != 0).for_each(|(ledger, n)| note(ledger, 0, *n));
    traces.settled_lost += settled_lost;
}
