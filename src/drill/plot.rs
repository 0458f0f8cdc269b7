//! The chain: its stores, members and goods, and what happens there.
use crate::drill::ask;
use crate::drill::dice::Dice;
use crate::drill::{DrillError, Plan};
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde_json::{Value, json};

/// What is sold: category, area, season, price in cents, and the months in which it sells best.
type Goods = (&'static str, &'static str, Option<&'static str>, u64, [u32; 3]);

const GOODS: &[Goods] = &[
    ("clothing", "department", Some("summer"), 15_900, [5, 6, 7]),
    ("clothing", "department", Some("winter"), 89_900, [11, 12, 1]),
    ("clothing", "department", Some("spring"), 39_900, [3, 4, 9]),
    ("cosmetics", "department", None, 29_900, [2, 5, 11]),
    ("leather_shoes", "department", None, 59_900, [9, 10, 11]),
    ("toys", "department", None, 9_900, [6, 12, 1]),
    ("jade", "department", None, 188_800, [1, 2, 10]),
    ("tea", "department", None, 26_800, [1, 4, 9]),
    ("household", "supermarket", None, 2_990, [1, 2, 12]),
    ("packaged_food", "supermarket", None, 1_250, [1, 2, 9]),
    ("fresh", "supermarket", None, 890, [1, 9, 10]),
];

/// The chain that is played.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) stores: Vec<String>,
    pub(super) seed: u64,
    pub(super) members: u64,
    days: u64,
    /// Before the first receipt: cards count from when they were handed out.
    opened: DateTime<Utc>,
}

impl Chain {
    /// Asks the server for its stores.
    pub(super) fn found(plan: &Plan) -> Result<Chain, DrillError> {
        let none = |why: String| DrillError::NoServer(plan.url.clone(), why);
        let answer = ask::get(&ask::agent(), &format!("{}/v1/stores", plan.url), plan.patience);
        let text = answer.ok_or_else(|| none(format!("no answer for {} s", plan.patience)))?.body;
        let told: Value = serde_json::from_str(&text).map_err(|e| none(e.to_string()))?;
        let items = told.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let name = |store: &Value| store.get("store").and_then(Value::as_str).map(str::to_owned);
        let stores: Vec<String> =
            items.iter().filter_map(name).filter(|s| s.len() == 4 && s.starts_with("s0")).collect();
        if stores.is_empty() {
            return Err(none("it has no store of Jiajie's".into()));
        }
        let opened = Utc::now() - seconds(plan.days * 86_400 + 600);
        Ok(Chain { stores, seed: plan.seed, members: plan.members.max(1), days: plan.days, opened })
    }

    /// A member's number; few of them buy most.
    pub(super) fn member(&self, dice: &mut Dice) -> u64 {
        dice.zipf(self.members)
    }
    pub(super) fn number(&self, member: u64) -> String {
        format!("D{}-{member}", self.seed)
    }
    pub(super) fn card(&self, member: u64) -> String {
        format!("DC{}-{member}", self.seed)
    }

    /// A moment within the days that are played; weekends and the year's end are busier.
    fn moment(&self, dice: &mut Dice, now: DateTime<Utc>) -> DateTime<Utc> {
        let mut at = now;
        for _ in 0..3 {
            let back = dice.below(self.days * 86_400 + 60);
            at = now - seconds(back);
            let busy = at.weekday().num_days_from_monday() >= 5 || matches!(at.month(), 1 | 11 | 12);
            if busy || dice.percent(55) {
                break;
            }
        }
        at
    }

    pub(super) fn enrolment(&self, member: u64) -> Value {
        let store = self.stores.get((member % self.stores.len() as u64) as usize);
        json!({
            "store": store, "occurred_at": text(self.opened), "actor": "drill", "number": self.number(member),
            "card": self.card(member),
            "applicant": {
                "ground": "old_card", "name": format!("顾客{member}"), "phone": format!("1{member:010}"),
                "address": "drill", "birthday": format!("19{:02}-{:02}-{:02}", 50 + member % 50, 1 + member % 12, 1 + member % 28),
            },
            "visit": {"id_shown": true, "form_filled": true, "details_confirmed": true, "old_card_given": true},
        })
    }

    /// A receipt without tenders, and what it comes to at shelf prices; the server says what a member pays.
    pub(super) fn sale(&self, dice: &mut Dice, key: &str) -> (Value, u64) {
        let now = Utc::now();
        let at = self.moment(dice, now);
        let mut lines = Vec::new();
        let mut total = 0;
        for _ in 0..1 + dice.below(4) {
            let Some(goods) = self.goods(dice, at.month()) else { continue };
            let (category, area, season, list, _) = goods;
            let quantity = 1 + dice.below(3);
            let promo = if dice.percent(25) { 60 + dice.below(35) } else { 100 };
            let shelf = list * promo / 100;
            total += shelf * quantity;
            lines.push(json!({
                "sku": format!("{category}-{list}"), "area": area, "category": category, "season": season,
                "quantity": quantity, "list_price": amount(*list), "shelf_price": amount(shelf),
            }));
        }
        let gifts = if total > 50_000 && dice.percent(40) {
            json!([{"reference": format!("G-{key}"), "threshold": "500.00", "worth": "30.00"}])
        } else {
            json!([])
        };
        let store = dice.one(&self.stores);
        let sale = json!({
            "store": store, "terminal": format!("t{}", dice.below(8)), "receipt": key, "actor": "till",
            "occurred_at": text(at), "lines": lines, "gifts": gifts, "tenders": [],
        });
        (sale, total)
    }

    /// Goods in season are drawn three times as often.
    fn goods(&self, dice: &mut Dice, month: u32) -> Option<&'static Goods> {
        let mut drawn = dice.one(GOODS);
        for _ in 0..2 {
            if drawn.is_some_and(|g| g.4.contains(&month)) {
                break;
            }
            drawn = dice.one(GOODS);
        }
        drawn
    }
}

fn seconds(count: u64) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(count).unwrap_or(0))
}

fn text(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Cents as decimal text.
pub(super) fn amount(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
