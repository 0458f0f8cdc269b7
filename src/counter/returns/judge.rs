//! What the policy says of a slip: line by line, each line before it counting as returned, so that points and dues of
//! the lines sum to those of the slip.
use crate::counter::desk::{Desk, Ruling, When, amount};
use crate::counter::plugged::Asking;
use crate::counter::returns::purchase::{Purchase, gifts};
use crate::counter::returns::request::{LineBack, MAX_LINES, Slip};
use crate::counter::returns::units::{self, Range};
use crate::records::{Refusal, Stop, Unit};
use serde_json::{Map, Value, json};

/// The decision that returns go by.
pub const DECISION: &str = "return_item";

/// Something that is owed before money goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub kind: String,
    pub reference: String,
    /// Smallest units; 0 for a thing.
    pub amount: i64,
}

/// What the policy says of one line of the slip.
#[derive(Clone, Debug)]
pub struct Judged {
    pub said: LineBack,
    pub ranges: Vec<Range>,
    /// What was paid for these units.
    pub worth: i64,
    /// What goes back for them: the policy's refund, or for an exchange their worth.
    pub value: i64,
    pub ruling: Ruling,
    pub dues: Vec<Due>,
    /// Per ledger, in the ledger's smallest unit.
    pub points_back: Vec<(String, i64)>,
    /// Points of a settled year that these goods had brought.
    pub settled_lost: i64,
}

impl Judged {
    pub fn verdict(&self) -> &str {
        self.ruling.text("verdict").unwrap_or("deny")
    }
    /// Whether it may be recorded as asked: allowed, and with the remedy that the customer wants.
    pub fn allows(&self, remedy: &str) -> bool {
        let offered = !self.ruling.outcome.contains_key("remedies")
            || self.ruling.names("remedies").iter().any(|r| r == remedy);
        self.ruling.allows() && offered
    }
}

/// What the policy says of a slip.
#[derive(Clone, Debug)]
pub struct Judgement {
    pub purchase: Purchase,
    pub remedy: String,
    pub lines: Vec<Judged>,
    /// The least role that approves all lines, if the policy has any approve.
    pub approver: Option<String>,
}

impl Judgement {
    pub fn value(&self) -> i64 {
        self.lines.iter().map(|l| l.value).sum()
    }
    /// What an approver has to cover: money of this slip and of others of the receipt that day. An exchange pays nothing
    /// out by itself.
    pub fn to_approve(&self) -> i64 {
        let own = if self.remedy == "exchange" { 0 } else { self.value() };
        own + self.purchase.same_day
    }
    pub fn dues(&self) -> Vec<Due> {
        self.lines.iter().flat_map(|l| l.dues.clone()).collect()
    }
    /// By ledger.
    pub fn points_back(&self) -> Vec<(String, i64)> {
        let ledgers = self.purchase.desk.point_ledgers().into_iter();
        let of = |ledger: &str| {
            let each = self.lines.iter().flat_map(|l| &l.points_back);
            each.filter(|(name, _)| name == ledger).map(|(_, n)| n).sum()
        };
        ledgers.map(|l| (l.clone(), of(&l))).collect()
    }
    pub fn allows(&self) -> bool {
        matches!(self.remedy.as_str(), "money_back" | "exchange")
            && self.lines.iter().all(|l| l.allows(&self.remedy))
    }
}

/// Decides on a slip. Refused where facts are missing, units are not there to come back, or the policy breaks a bound.
pub fn judge(unit: &Unit, place: &Desk, when: &When, slip: &Slip) -> Result<Judgement, Stop> {
    judge_when(unit, place, when, slip, false)
}

/// As [`judge`], of goods that are back already: also where the policy does not allow it, they cost the points that they
/// brought.
pub fn judge_done(unit: &Unit, place: &Desk, when: &When, slip: &Slip) -> Result<Judgement, Stop> {
    judge_when(unit, place, when, slip, true)
}

fn judge_when(unit: &Unit, place: &Desk, when: &When, slip: &Slip, done: bool) -> Result<Judgement, Stop> {
    if slip.lines.is_empty() || slip.lines.len() > MAX_LINES {
        let detail = format!("a slip has 1 to {MAX_LINES} lines");
        return Err(Refusal::new(422, "malformed-return", "The return cannot be", detail).at("lines").into());
    }
    let purchase = Purchase::load(unit, place, when, slip)?;
    if let Some(name) = slip.facts.keys().find(|name| !purchase.desk.asks_desk(name)) {
        let detail = format!("the desk is not asked for {name:?}");
        let refusal = Refusal::new(422, "unknown-fact", "This is no fact of the desk's", detail);
        return Err(refusal.at(format!("facts.{name}")).into());
    }
    let mut lines = judge_lines(unit, &purchase, when, slip, &[], done)?;
    // The approver depends on what the other lines give back: known only now.
    let values: Vec<i64> = lines.iter().map(|l| l.value).collect();
    if lines.len() > 1 {
        lines = judge_lines(unit, &purchase, when, slip, &values, done)?;
    }
    let approver = lines
        .iter()
        .filter_map(|l| l.ruling.text("approver"))
        .max_by_key(|role| purchase.desk.rank(DECISION, "approver", role));
    let approver = approver.map(str::to_owned);
    Ok(Judgement { remedy: slip.remedy().to_owned(), lines, approver, purchase })
}

fn judge_lines(
    unit: &Unit,
    purchase: &Purchase,
    when: &When,
    slip: &Slip,
    values: &[i64],
    done: bool,
) -> Result<Vec<Judged>, Stop> {
    let mut taken = purchase.taken.clone();
    let mut gone: Vec<String> = Vec::new();
    let mut left = purchase.granted.clone();
    let mut lost = 0;
    let mut lines = Vec::with_capacity(slip.lines.len());
    // Where a line asks plugins, the lines after it are looked at as if it were not there: what they ask, too, is asked
    // at once.
    let mut asks: Option<Stop> = None;
    for (nth, said) in slip.lines.iter().enumerate() {
        let others: i64 = values.iter().enumerate().filter(|(n, _)| *n != nth).map(|(_, v)| v).sum();
        let case =
            Case { unit, purchase, when, slip, nth, said, others, taken: &taken, gone: &gone, lost, done };
        let (at, mut judged) = match (case.judge(), &asks) {
            (Ok(judged), None) => judged,
            (Err(stop @ Stop::Ask(_)), _) => {
                asks = Some(Asking::joined(asks.take(), stop));
                continue;
            }
            (Err(stop), None) => return Err(stop),
            (_, Some(_)) => continue,
        };
        for ((_, n), (_, left)) in judged.points_back.iter_mut().zip(left.iter_mut()) {
            // Whatever the policy counts: what was not granted is not taken back.
            *n = (*n).clamp(0, *left);
            *left -= *n;
        }
        lost += judged.settled_lost;
        gone.extend(judged.dues.iter().map(|d| d.reference.clone()));
        if let Some(taken) = at.and_then(|at| taken.get_mut(at)) {
            taken.extend_from_slice(&judged.ranges);
            taken.sort_unstable();
        }
        lines.push(judged);
    }
    match asks {
        Some(stop) => Err(stop),
        None => Ok(lines),
    }
}

/// One line of a slip, and what came before it.
struct Case<'a> {
    unit: &'a Unit,
    purchase: &'a Purchase,
    when: &'a When,
    slip: &'a Slip,
    nth: usize,
    said: &'a LineBack,
    others: i64,
    taken: &'a [Vec<Range>],
    gone: &'a [String],
    lost: i64,
    /// Whether the goods are back whatever the policy says.
    done: bool,
}

impl Case<'_> {
    fn judge(&self) -> Result<(Option<usize>, Judged), Stop> {
        let (purchase, desk) = (self.purchase, &self.purchase.desk);
        let (at, ranges) = self.units()?;
        let (money, points) = (desk.currency(), desk.points());
        let worth = match at.and_then(|at| purchase.lines.get(at)) {
            Some(line) => units::worth(line.paid, line.quantity, &ranges),
            None => self.said.item.get("paid").map_or(0, |v| amount(v, &money)),
        };
        let receipt = purchase.receipt(self.slip, self.when);
        let mut known = json!({
            "receipt": receipt,
            "item": self.item(at, worth),
            "request": { "other_refunds": money.text(self.others + purchase.same_day) },
            "lines": purchase.parts(self.taken, at.map(|at| (at, &ranges[..]))),
            "gifts": gifts(self.unit, purchase, &self.slip.gifts, self.gone),
            "settled_points": purchase.settled_fact(self.lost),
            "today": crate::counter::facts::date(self.when.date),
        });
        let mut said = self.slip.facts.clone();
        said.insert("receipt".into(), self.slip.receipt.clone().into());
        said.insert("item".into(), self.said.item.clone().into());
        said.insert("request".into(), self.slip.request.clone().into());
        let said = Value::Object(said);
        if let (Some(member), Some(facts)) = (&purchase.member, known.as_object_mut())
            && desk.waits_for_plugins(DECISION, facts, &said)?
        {
            facts.extend(crate::counter::facts::history(desk, self.unit, member.id, self.when.date)?);
        }
        let ruling = desk.decide(DECISION, known, &said).map_err(|stop| self.here(stop))?;
        let refund = ruling.money("refund", &money);
        // Bounds that no policy can move, whatever its texts say.
        if refund < 0 || refund > worth {
            let detail = format!("a refund of {} for goods of {}", money.text(refund), money.text(worth));
            let refusal = Refusal::new(409, "refund-out-of-bounds", "The policy's refund cannot be", detail);
            return Err(refusal.at(self.path()).into());
        }
        let exchanges = self.slip.exchanges();
        let settled = purchase.settled.is_some();
        let against = self.done && !ruling.allows();
        let counted = match at {
            Some(at) if against || ruling.allows() && (exchanges || settled) => {
                purchase.earned_by(&receipt, self.taken, at, &ranges)?
            }
            _ => Vec::new(),
        };
        let first = desk.point_ledgers().into_iter().next();
        let mut points_back = Vec::new();
        for ledger in desk.point_ledgers() {
            let named = format!("{ledger}_points_back");
            let output = if !ruling.outcome.contains_key(&named) && Some(&ledger) == first.as_ref() {
                "points_back"
            } else {
                &named
            };
            let said = ruling.number(output, &points);
            // The new goods of an exchange earn by themselves, so the old ones' points go back: the difference remains.
            let again = counted.iter().find(|(l, _)| *l == ledger).map_or(0, |(_, n)| *n);
            let counts = exchanges || against && !settled;
            points_back.push((ledger, if counts { said.max(again) } else { said }));
        }
        let settled_lost =
            if settled && !exchanges { counted.first().map_or(0, |(_, n)| (*n).max(0)) } else { 0 };
        let dues = dues(&ruling, desk);
        let value = if exchanges { worth } else { refund };
        let said = self.said.clone();
        Ok((at, Judged { said, ranges, worth, value, ruling, dues, points_back, settled_lost }))
    }

    fn path(&self) -> String {
        format!("lines[{}]", self.nth)
    }

    fn here(&self, stop: Stop) -> Stop {
        match stop {
            Stop::Refused(refusal) => {
                let path = match &refusal.path {
                    Some(path) if path.starts_with("item") => format!("{}.{path}", self.path()),
                    Some(path) => path.clone(),
                    None => self.path(),
                };
                Stop::Refused(refusal.at(path))
            }
            missing => missing,
        }
    }

    /// Which line, and which of its units.
    fn units(&self) -> Result<(Option<usize>, Vec<Range>), Stop> {
        let refuse = |status, code, detail: String| {
            let refusal = Refusal::new(status, code, "The units cannot come back", detail);
            Err(Stop::Refused(refusal.at(format!("{}.quantity", self.path()))))
        };
        let (said, purchase) = (self.said, self.purchase);
        if said.quantity < 1 {
            return refuse(422, "malformed-return", "a quantity is at least 1".into());
        }
        if purchase.sale.is_none() {
            return Ok((None, vec![(0, said.quantity)]));
        }
        let Some(at) = purchase.lines.iter().position(|l| l.line == said.line) else {
            let detail = format!("the receipt has no line {}", said.line);
            return Err(Refusal::new(422, "unknown-line", "There is no such line", detail)
                .at(format!("{}.line", self.path()))
                .into());
        };
        let quantity = purchase.lines.get(at).map_or(0, |l| l.quantity);
        let taken = self.taken.get(at).map_or(&[][..], |t| &t[..]);
        match units::lowest_free(quantity, taken, said.quantity) {
            Some(ranges) => Ok((Some(at), ranges)),
            None => {
                let back = units::count(taken);
                let detail = format!("{} of {quantity} units are not there: {back} are back", said.quantity);
                refuse(409, "quantity-not-returnable", detail)
            }
        }
    }

    /// The article: what the sale knew of it, and what these units were paid.
    fn item(&self, at: Option<usize>, worth: i64) -> Value {
        let money = self.purchase.desk.currency();
        let mut item = Map::new();
        if let Some(line) = at.and_then(|at| self.purchase.lines.get(at)) {
            item = serde_json::from_str(&line.facts).unwrap_or_default();
            item.insert("category".into(), line.category.clone().into());
            item.insert("season".into(), line.season.clone().into());
            item.insert("unit_price".into(), money.text(line.unit_price).into());
            item.insert("paid".into(), money.text(worth).into());
        }
        // The printed terms took these to be so; the desk may say otherwise.
        for plain in ["clearance", "customised", "confirmed_no_return"] {
            if !self.said.item.contains_key(plain) {
                item.entry(plain).or_insert(false.into());
            }
        }
        Value::Object(item)
    }
}

fn dues(ruling: &Ruling, desk: &Desk) -> Vec<Due> {
    let list = ruling.outcome.get("owes").and_then(Value::as_array);
    let text = |due: &Value, name: &str| due.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let due = |due: &Value| Due {
        kind: text(due, "kind"),
        reference: text(due, "ref"),
        amount: due.get("amount").map_or(0, |v| amount(v, &desk.currency())),
    };
    list.into_iter().flatten().map(due).collect()
}
