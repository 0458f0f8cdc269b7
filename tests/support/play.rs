//! What customers and clerks do, seeded: enrolments, sales, holds, redemptions, adjustments, year's ends.
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};
use std::sync::Arc;
use zhanggui::counter::Desk;
use zhanggui::counter::members::{EnrolMember, MergeMembers, ReplaceCard, UnmergeMembers};
use zhanggui::counter::points::{Adjust, BringUp, EndHold, HoldEnd, PlaceHold, Redeem, ReverseRedemption};
use zhanggui::counter::returns::{ApproveReturn, EvaluateReturn, RecordReturn, VoidReturn};
use zhanggui::counter::sale::RecordSale;
use zhanggui::counter::settle::{BeginSettlement, SettleMember, SettleRequest};
use zhanggui::counter::tickets::EnsureSecret;
use zhanggui::drill::Dice;
use zhanggui::records::{Job, Operation, ids};
use zhanggui::rulebook::Rulebooks;

/// Members of a run.
pub const MEMBERS: u64 = 5;
pub const STORES: [&str; 2] = ["s001", "s002"];

/// What clients know: what they were told.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub cards: Vec<String>,
    pub holds: Vec<Uuid>,
    pub redemptions: Vec<Uuid>,
    pub sales: Vec<Uuid>,
    pub tickets: Vec<String>,
    pub returns: Vec<Uuid>,
    /// Whether the year's settlement has begun, which it does when the year is over.
    pub settling: bool,
}

impl Known {
    /// Learns from an answer.
    pub fn hear(&mut self, body: &str) {
        let told: Value = serde_json::from_str(body).unwrap_or_default();
        let id = |name: &str| told.get(name).and_then(Value::as_str).and_then(|t| t.parse::<Uuid>().ok());
        self.cards.extend(told.get("card").and_then(Value::as_str).map(str::to_owned));
        self.holds.extend(id("hold"));
        self.redemptions.extend(id("redemption"));
        self.sales.extend(id("sale").filter(|_| told.get("receipt").is_some()));
        self.returns.extend(id("return"));
        self.settling |= id("settlement").is_some();
        self.tickets.extend(
            told.get("ticket").and_then(Value::as_str).filter(|t| t.contains('.')).map(str::to_owned),
        );
    }
}

pub struct Play {
    books: Arc<Rulebooks>,
    dice: Dice,
    seed: u64,
    pub step: usize,
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

impl Play {
    pub fn new(books: Arc<Rulebooks>, seed: u64) -> Play {
        Play { books, dice: Dice::new(seed ^ 0x5eed), seed, step: 0 }
    }

    fn desk(&mut self) -> Desk {
        let store = STORES[self.dice.below(2) as usize];
        Desk::at(self.books.clone(), store).unwrap()
    }

    fn number(&mut self) -> String {
        format!("M{}", self.dice.below(MEMBERS))
    }

    /// The next thing that somebody does.
    pub fn next(&mut self, known: &Known) -> Job {
        self.step += 1;
        let key = format!("k{}-{}", self.seed, self.step);
        let operation_id = ids::named(&["operation", &key]);
        let step = self.step as u64;
        let operation: Arc<dyn Operation> = match self.dice.below(100) {
            _ if step == 1 => Arc::new(EnsureSecret { name: "ticket".into(), value: "sesame".into() }),
            _ if step <= MEMBERS + 1 => self.enrol(step - 2),
            _ if known.settling && self.dice.percent(12) => self.settle(),
            0..=29 => self.sell(known),
            30..=41 => self.evaluate(known),
            42..=49 => self.approve(known),
            50..=58 => self.bring_back(known),
            59..=61 => self.void(known, operation_id),
            62..=66 => self.hold(operation_id),
            67..=71 => self.end_hold(known, operation_id),
            72..=78 => self.redeem(operation_id),
            79..=81 => self.reverse(known, operation_id),
            82..=86 => self.adjust(operation_id),
            87..=89 => self.replace_card(known, operation_id),
            90..=92 => self.merge(operation_id),
            93..=94 => self.unmerge(operation_id),
            95..=96 => self.bring_up(),
            _ if known.settling => self.settle(),
            _ => {
                let request = self.year();
                Arc::new(BeginSettlement { desk: self.desk(), request })
            }
        };
        Job { fingerprint: key.clone(), key: Some(key), dry: false, operation }
    }

    fn enrol(&mut self, nth: u64) -> Arc<dyn Operation> {
        let desk = self.desk();
        let request = read(json!({
            "store": desk.store(), "actor": "clerk", "number": format!("M{nth}"), "card": format!("C{nth}-0"),
            "applicant": {"ground": "old_card", "name": "n", "phone": "p", "address": "a", "birthday": "1990-12-30"},
            "visit": {"id_shown": true, "form_filled": true, "details_confirmed": true, "old_card_given": true,
                      "card_shown": true},
        }));
        Arc::new(EnrolMember { desk, request })
    }

    fn sell(&mut self, known: &Known) -> Arc<dyn Operation> {
        let desk = self.desk();
        let supermarket = desk.store() == "s002";
        let lines: Vec<(u64, u64)> = (0..1 + self.dice.below(3))
            .map(|_| (1 + self.dice.below(3), 50 + self.dice.below(90_000)))
            .collect();
        let line = |(quantity, price): &(u64, u64)| {
            json!({
                "sku": "x", "area": if supermarket { "supermarket" } else { "department" },
                "category": if supermarket { "household" } else { "clothing" }, "quantity": quantity,
                "season": "winter", "list_price": amount(*price), "shelf_price": amount(*price),
            })
        };
        let total: u64 = lines.iter().map(|(q, p)| q * p).sum();
        let off = if self.dice.percent(30) { self.dice.below(total / 4 + 1) } else { 0 };
        let card = self.dice.percent(80).then(|| {
            let nth = self.dice.below(known.cards.len() as u64) as usize;
            known.cards.get(nth).cloned()
        });
        let rebate = self.dice.below(2_000).min(total - off);
        let mut tenders = vec![json!({"kind": "cash", "amount": amount(total - off)})];
        if self.dice.percent(15) {
            tenders = vec![
                json!({"kind": "rebate", "amount": amount(rebate)}),
                json!({"kind": "cash", "amount": amount(total - off - rebate)}),
            ];
        }
        let request = read(json!({
            "store": desk.store(), "terminal": "t1", "receipt": format!("r{}", self.step), "actor": "till",
            "card": card.flatten(), "lines": lines.iter().map(line).collect::<Vec<_>>(), "tenders": tenders,
            "discounts": if off > 0 { json!([{"reference": "coupon", "amount": amount(off)}]) } else { json!([]) },
        }));
        Arc::new(RecordSale { desk, request, exchange: None })
    }

    /// One of the last few: what is long past cannot be done again.
    fn recent<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        let back = self.dice.below((all.len() as u64).min(6)) as usize;
        all.len().checked_sub(1 + back).and_then(|nth| all.get(nth).cloned())
    }

    fn evaluate(&mut self, known: &Known) -> Arc<dyn Operation> {
        let desk = self.desk();
        let sale = self.recent(&known.sales);
        let lines: Vec<Value> = (0..1 + self.dice.below(2))
            .map(|line| {
                let item = json!({
                    "opened": false, "altered": false, "finding": "no_fault", "test_report": false, "original": true,
                    "tagged": true, "clean": true, "whole": true, "undamaged": true, "resaleable": true,
                    "price_now": null, "defect_disclosed": false, "maker_repairs": false,
                    "clearance": false, "customised": false, "confirmed_no_return": false,
                });
                json!({"line": line, "quantity": 1 + self.dice.below(2), "item": item})
            })
            .collect();
        let request = read(json!({
            "store": desk.store(), "actor": "clerk", "sale": sale, "lines": lines,
            "receipt": {"till_slip": true, "customer_copy": true, "invoice": false},
            "request": {"reason": "change_of_mind", "wants": "money_back", "inquiry": null, "salesperson": null},
        }));
        Arc::new(EvaluateReturn { desk, request })
    }

    fn approve(&mut self, known: &Known) -> Arc<dyn Operation> {
        let desk = self.desk();
        let ticket = self.recent(&known.tickets).unwrap_or_default();
        let role = if self.dice.percent(80) { "general_manager" } else { "supervisor" };
        let request =
            read(json!({"store": desk.store(), "ticket": ticket, "approver": "boss", "role": role}));
        Arc::new(ApproveReturn { desk, request })
    }

    fn bring_back(&mut self, known: &Known) -> Arc<dyn Operation> {
        let desk = self.desk();
        let ticket = self.recent(&known.tickets).unwrap_or_default();
        let request =
            read(json!({"store": desk.store(), "terminal": "t9", "actor": "desk", "ticket": ticket}));
        Arc::new(RecordReturn { desk, request })
    }

    fn void(&mut self, known: &Known, operation: Uuid) -> Arc<dyn Operation> {
        let desk = self.desk();
        let id = self.recent(&known.returns).unwrap_or(operation);
        let request = read(json!({"store": desk.store(), "actor": "desk", "reason": "wrong slip"}));
        Arc::new(VoidReturn { desk, id, request })
    }

    fn ledger(&mut self) -> &'static str {
        if self.dice.percent(60) { "department" } else { "supermarket" }
    }

    fn hold(&mut self, operation: Uuid) -> Arc<dyn Operation> {
        let (desk, member, ledger) = (self.desk(), self.number(), self.ledger());
        let request = read(json!({
            "store": desk.store(), "actor": "clerk", "member": member, "ledger": ledger,
            "amount": 1 + self.dice.below(300), "minutes": 1 + self.dice.below(600),
        }));
        Arc::new(PlaceHold { desk, request, operation })
    }

    fn end_hold(&mut self, known: &Known, operation: Uuid) -> Arc<dyn Operation> {
        let nth = self.dice.below(known.holds.len() as u64) as usize;
        let hold = known.holds.get(nth).copied().unwrap_or(operation);
        let end = if self.dice.percent(60) { HoldEnd::Capture(None) } else { HoldEnd::Release };
        Arc::new(EndHold { desk: self.desk(), hold, end, actor: "clerk".into() })
    }

    fn redeem(&mut self, operation: Uuid) -> Arc<dyn Operation> {
        let (desk, member) = (self.desk(), self.number());
        let voucher = self.dice.percent(50);
        let request = read(json!({
            "store": desk.store(), "actor": "clerk", "member": member, "place": "service_centre",
            "wish": if voucher { "goods_voucher" } else { "points_gift" },
            "ledger": if voucher { "supermarket" } else { "department" },
            "points": 250 + self.dice.below(1_000), "gift_points": 1 + self.dice.below(500),
            "visit": {"card_shown": true},
        }));
        Arc::new(Redeem { desk, request, operation })
    }

    fn reverse(&mut self, known: &Known, operation: Uuid) -> Arc<dyn Operation> {
        let nth = self.dice.below(known.redemptions.len() as u64) as usize;
        let redemption = known.redemptions.get(nth).copied().unwrap_or(operation);
        let desk = self.desk();
        Arc::new(ReverseRedemption {
            desk,
            redemption,
            reason: "wrong gift".into(),
            actor: "clerk".into(),
            operation,
        })
    }

    fn adjust(&mut self, operation: Uuid) -> Arc<dyn Operation> {
        let (desk, member, ledger) = (self.desk(), self.number(), self.ledger());
        let amount = self.dice.below(4_000) as i64 - 1_000;
        let expires_on = self.dice.percent(30).then_some("2026-12-30");
        let request = read(json!({
            "store": desk.store(), "actor": "clerk", "approver": "manager", "member": member, "ledger": ledger,
            "amount": amount, "reason": "goodwill", "expires_on": expires_on,
        }));
        Arc::new(Adjust { desk, request, operation })
    }

    fn replace_card(&mut self, known: &Known, operation: Uuid) -> Arc<dyn Operation> {
        let (desk, member) = (self.desk(), self.number());
        let request = read(json!({
            "store": desk.store(), "actor": "clerk", "mishap": "lost_card", "visit": {"id_shown": true},
            "new_card": format!("C{}-{}", self.step, known.cards.len()),
        }));
        Arc::new(ReplaceCard { desk, member, request, operation })
    }

    fn merge(&mut self, operation: Uuid) -> Arc<dyn Operation> {
        let (desk, member, into) = (self.desk(), self.number(), self.number());
        let request =
            read(json!({"store": desk.store(), "actor": "clerk", "into": into, "reason": "one person"}));
        Arc::new(MergeMembers { desk, member, request, operation })
    }

    fn unmerge(&mut self, operation: Uuid) -> Arc<dyn Operation> {
        let (desk, member) = (self.desk(), self.number());
        Arc::new(UnmergeMembers { desk, member, actor: "clerk".into(), operation })
    }

    fn bring_up(&mut self) -> Arc<dyn Operation> {
        let (desk, number) = (self.desk(), self.number());
        let ledger = self.ledger().to_owned();
        Arc::new(BringUp { desk, member: ids::member(&number), ledger })
    }

    fn year(&self) -> SettleRequest {
        read(json!({"store": "s001", "actor": "system", "ledger": "department", "year": 2026}))
    }

    fn settle(&mut self) -> Arc<dyn Operation> {
        let (desk, number, request) = (self.desk(), self.number(), self.year());
        Arc::new(SettleMember {
            settlement: request.id(),
            ledger: "department".into(),
            year: 2026,
            as_of: request.as_of(),
            member: ids::member(&number),
            actor: "system".into(),
            desk,
        })
    }
}

fn amount(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
