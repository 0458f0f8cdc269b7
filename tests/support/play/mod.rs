//! What customers and clerks do, seeded: enrolments, sales, returns, exchanges, holds, redemptions, year's ends; some of
//! it a second before, at, or a second after a moment that counts.
mod members;
mod points;
mod returns;
mod sales;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use zhanggui::counter::Desk;
use zhanggui::counter::tickets::{EnsureSecret, IDENTITY_KEY, KEY};
use zhanggui::drill::Dice;
use zhanggui::program::iso::parse_datetime;
use zhanggui::records::{Answer, Job, Operation, Stop, Unit, Want, ids};
use zhanggui::rulebook::Rulebooks;

/// Members of a run.
pub const MEMBERS: u64 = 5;
pub const STORES: [&str; 2] = ["s001", "s002"];
/// The end of 2026 in Shanghai, in epoch microseconds.
pub const YEAR_END: i64 = 1_798_732_800_000_000;
const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;

/// A receipt as the customer has it.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub id: Uuid,
    /// Quantities.
    pub lines: Vec<u64>,
}

/// A ticket as the desk has it.
#[derive(Clone, Debug)]
pub struct Ticket {
    pub id: String,
    pub token: String,
    pub store: String,
    pub expires_at: i64,
    pub exchange: bool,
    /// Smallest units.
    pub value: u64,
}

/// What clients know: what they were told.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Epoch microseconds.
    pub now: i64,
    pub cards: Vec<String>,
    /// With their ends.
    pub holds: Vec<(Uuid, i64)>,
    pub redemptions: Vec<Uuid>,
    pub sales: Vec<Receipt>,
    pub tickets: Vec<Ticket>,
    /// Ids of tickets that somebody approved, and of those that were used.
    pub approved: BTreeSet<String>,
    pub used: BTreeSet<String>,
    pub returns: Vec<Uuid>,
    /// Numbers of vouchers, and what they are worth.
    pub vouchers: Vec<(String, u64)>,
    /// Whether the year's settlement has begun, which it does when the year is over.
    pub settling: bool,
}

impl Known {
    /// Learns from an answer.
    pub fn hear(&mut self, body: &str) {
        let told: Value = serde_json::from_str(body).unwrap_or_default();
        let id = |name: &str| told.get(name).and_then(Value::as_str).and_then(|t| t.parse::<Uuid>().ok());
        let text = |path: &str| told.pointer(path).and_then(Value::as_str).map(str::to_owned);
        let moment = |path: &str| text(path).and_then(|t| parse_datetime(&t));
        self.cards.extend(text("/card"));
        self.holds.extend(id("hold").zip(moment("/expires_at")));
        self.redemptions.extend(id("redemption"));
        if let (Some(id), Some(lines)) =
            (id("sale").filter(|_| told.get("receipt").is_some()), told.get("lines"))
        {
            let lines = lines.as_array().into_iter().flatten();
            let lines = lines.map(|line| line["quantity"].as_u64().unwrap_or(0)).collect();
            self.sales.push(Receipt { id, lines });
        }
        self.returns.extend(id("return"));
        self.settling |= id("settlement").is_some();
        self.vouchers.extend(text("/voucher/number").zip(text("/voucher/worth").map(|t| cents(&t))));
        self.approved.extend(text("/ticket").filter(|_| told["verdict"] == "allow"));
        self.used.extend(text("/ticket").filter(|_| id("return").is_some()));
        if let (Some(id), Some(token), Some(expires_at)) =
            (text("/ticket/id"), text("/ticket/token"), moment("/ticket/expires_at"))
        {
            let value = cents(&text("/totals/value").unwrap_or_default());
            let exchange = text("/remedy").as_deref() == Some("exchange");
            let store = store_of(&token);
            self.tickets.push(Ticket { id, token, store, expires_at, exchange, value });
        }
        // An exchange tells of both.
        for part in ["return", "sale"] {
            if let Some(part) = told.get(part).filter(|part| part.is_object()) {
                self.hear(&part.to_string());
            }
        }
    }
}

/// The store that a ticket names: the desk reads it there.
fn store_of(token: &str) -> String {
    let payload =
        token.split('.').next().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).unwrap_or_default();
    let payload: Value = serde_json::from_slice(&payload).unwrap_or_default();
    payload["store"].as_str().unwrap_or_default().to_owned()
}

pub struct Play {
    books: Arc<Rulebooks>,
    dice: Dice,
    seed: u64,
    pub step: usize,
    /// By key: when what an operation builds on (a ticket, a hold) ends by itself.
    pub ends: BTreeMap<String, i64>,
    /// By key: when an operation says that it happened.
    pub moments: BTreeMap<String, i64>,
    /// What was looked at last.
    looked: Option<Receipt>,
    begins: u64,
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// Something that is done now, or at an exact moment.
type Move = (Arc<dyn Operation>, Option<i64>);

fn now(operation: impl Operation + 'static) -> Move {
    (Arc::new(operation), None)
}

impl Play {
    pub fn new(books: Arc<Rulebooks>, seed: u64) -> Play {
        Play {
            books,
            dice: Dice::new(seed ^ 0x5eed),
            seed,
            step: 0,
            ends: BTreeMap::new(),
            moments: BTreeMap::new(),
            looked: None,
            begins: 0,
        }
    }

    fn desk(&mut self) -> Desk {
        let store = STORES[self.dice.below(2) as usize];
        Desk::at(self.books.clone(), store).unwrap()
    }

    fn number(&mut self) -> String {
        format!("M{}", self.dice.below(MEMBERS))
    }

    fn key(&self) -> String {
        format!("k{}-{}", self.seed, self.step)
    }

    /// The next thing that somebody does, and the moment (epoch microseconds) at which it has to be sent, if it is not now.
    pub fn next(&mut self, known: &Known) -> (Job, Option<i64>) {
        self.step += 1;
        let key = self.key();
        let operation_id = ids::named(&["operation", &key]);
        let step = self.step as u64;
        let (operation, at) = match self.dice.below(100) {
            _ if step == 1 => now(EnsureSecret { name: KEY.into(), value: "sesame".into() }),
            _ if step == 2 => now(EnsureSecret { name: IDENTITY_KEY.into(), value: "open".into() }),
            _ if step <= MEMBERS + 2 => self.enrol(known, step - 3),
            _ if self.begins == 0 && (YEAR_END - 20 * MINUTE..YEAR_END).contains(&known.now) => {
                self.begin_settlement(known)
            }
            _ if self.near_year_end(known) && self.dice.percent(25) => {
                self.year_end_rush(known, operation_id)
            }
            _ if known.settling && self.dice.percent(10) => self.settle(),
            // What has begun is mostly gone on with.
            0..=2 => self.approve(known),
            3..=8 => self.bring_back(known),
            9..=22 if self.open(known, true).is_some() => self.bring_back(known),
            9..=30 if self.open(known, false).is_some() => self.approve(known),
            9..=38 => self.sell(known),
            39..=55 => self.evaluate(known),
            56..=58 => self.void(known, operation_id),
            59..=61 => self.hold(known, operation_id),
            62..=68 if known.holds.iter().all(|(_, end)| *end <= known.now) => self.hold(known, operation_id),
            62..=68 => self.end_hold(known, operation_id),
            69..=75 => self.redeem(known, operation_id),
            76..=77 => self.reverse(known, operation_id),
            78..=83 => self.adjust(known, operation_id),
            84..=85 => self.replace_card(known, operation_id),
            86..=87 => self.merge(operation_id),
            88..=89 => self.unmerge(operation_id),
            90..=91 => self.bring_up(known),
            92..=93 => self.edit(operation_id),
            94 => self.erase(operation_id),
            95..=96 => self.give_gift(known, operation_id),
            _ if known.settling => self.settle(),
            _ => self.begin_settlement(known),
        };
        (Job { fingerprint: key.clone(), key: Some(key), dry: false, operation }, at)
    }

    /// One of the last few: what is long past cannot be done again.
    fn recent<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        let back = self.dice.below((all.len() as u64).min(6)) as usize;
        all.len().checked_sub(1 + back).and_then(|nth| all.get(nth).cloned())
    }

    /// A second before, at, or a second after.
    fn about(&mut self, moment: i64) -> i64 {
        moment + (self.dice.below(3) as i64 - 1) * SECOND
    }

    /// About the end of the year, if that is near.
    fn at_year_end(&mut self, known: &Known) -> Option<i64> {
        (self.near_year_end(known) && self.dice.percent(30)).then(|| self.about(YEAR_END))
    }

    fn near_year_end(&self, known: &Known) -> bool {
        (YEAR_END - 20 * MINUTE..YEAR_END - SECOND).contains(&known.now)
    }

    /// Now and then that something happened about the end of the year, once that is past.
    fn occurred(&mut self, known: &Known, percent: u64) -> Option<String> {
        let at = self.about(YEAR_END);
        let said = match (at - YEAR_END) / SECOND {
            -1 => "2026-12-31T23:59:59+08:00",
            0 => "2027-01-01T00:00:00+08:00",
            _ => "2027-01-01T00:00:01+08:00",
        };
        let late = self.dice.percent(percent) && known.now >= YEAR_END - 4 * MINUTE;
        late.then(|| {
            self.moments.insert(self.key(), at);
            said.to_owned()
        })
    }
}

/// An operation that writes nothing, run twice on the same rows: the second time it says the same, byte for byte.
struct Twice<O>(O);

impl<O: Operation> Operation for Twice<O> {
    fn hints(&self) -> Vec<Want> {
        self.0.hints()
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        let first = self.0.run(unit)?;
        assert_eq!(self.0.run(unit).ok().as_ref(), Some(&first), "looking twice shows two things");
        Ok(first)
    }
}

fn amount(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn cents(text: &str) -> u64 {
    text.replace('.', "").parse().unwrap_or(0)
}

fn occurred_at(mut request: Value, at: Option<String>) -> Value {
    if let Some(at) = at {
        request["occurred_at"] = json!(at);
    }
    request
}
