//! What must hold of the rows whatever happened (the properties of a ledger that auditors trust).
mod decisions;
mod returns;

use crate::memory::Rows;
use sea_orm::prelude::Uuid;
use std::collections::BTreeMap;
use zhanggui::rulebook::Rulebooks;

/// The two runs recorded the same, table by table; answers first, since they name the operation that went otherwise.
pub fn same(a: &Rows, b: &Rows, seed: u64) {
    for (key, answer) in &a.answers {
        assert_eq!(Some(answer), b.answers.get(key), "seed {seed}: answers");
    }
    macro_rules! compare {
        ($field:ident, $entity:ident) => {
            for (key, row) in &a.$field {
                assert_eq!(Some(row), b.$field.get(key), concat!("seed {}: ", stringify!($field)), seed);
            }
            assert_eq!(a.$field.len(), b.$field.len(), concat!("seed {}: ", stringify!($field)), seed);
        };
    }
    zhanggui::each_table!(compare);
}

/// What nodes answered is what is recorded, and the other way round: nothing was acknowledged and lost.
pub fn told(rows: &Rows, told: &BTreeMap<String, (u16, String)>, seed: u64) {
    for (key, (status, body)) in told {
        let kept = rows.answers.get(key).unwrap_or_else(|| panic!("seed {seed}: {key} was acknowledged"));
        assert_eq!((kept.status, &kept.body), (i32::from(*status), body), "seed {seed}: {key}");
    }
}

/// Sums, balances, lots, sales, returns, chains, replays; returns how many numbers were explained.
pub fn hold(rows: &Rows, books: &Rulebooks, seed: u64) -> usize {
    let mut sums: BTreeMap<Uuid, i64> = BTreeMap::new();
    let mut buckets: BTreeMap<(Uuid, String, String), i64> = BTreeMap::new();
    let mut lots: BTreeMap<Uuid, i64> = BTreeMap::new();
    for entry in rows.entries.values() {
        *sums.entry(entry.movement_id).or_default() += entry.amount;
        *buckets.entry((entry.member_id, entry.ledger.clone(), entry.bucket.clone())).or_default() +=
            entry.amount;
        if let Some(lot) = entry.lot_id {
            *lots.entry(lot).or_default() += entry.amount;
        }
    }
    assert!(sums.values().all(|s| *s == 0), "seed {seed}: a movement does not sum to zero");
    assert_eq!(sums.len(), rows.movements.len(), "seed {seed}: every movement has entries");
    for account in rows.accounts.values() {
        let bucket = |name: &str| {
            let key = (account.member_id, account.ledger.clone(), name.to_owned());
            buckets.get(&key).copied().unwrap_or(0)
        };
        assert_eq!(account.available, bucket("available"), "seed {seed}: {account:?}");
        assert_eq!(account.pending, bucket("pending"), "seed {seed}: {account:?}");
        assert_eq!(account.held, bucket("held"), "seed {seed}: {account:?}");
        assert_eq!(account.debt, -bucket("debt"), "seed {seed}: {account:?}");
        assert!(account.available >= 0 && account.pending >= 0 && account.held >= 0 && account.debt >= 0);
        let own =
            rows.lots.values().filter(|l| l.member_id == account.member_id && l.ledger == account.ledger);
        let (mut remaining, mut held) = (0, 0);
        for lot in own {
            remaining += lot.remaining;
            held += lot.held;
        }
        assert_eq!(remaining, account.available + account.pending + account.held, "seed {seed}: {account:?}");
        assert_eq!(held, account.held, "seed {seed}: {account:?}");
    }
    for lot in rows.lots.values() {
        assert!(
            0 <= lot.held && lot.held <= lot.remaining && lot.remaining <= lot.amount,
            "seed {seed}: {lot:?}"
        );
        assert_eq!(lots.get(&lot.id).copied().unwrap_or(0), lot.remaining, "seed {seed}: {lot:?}");
        assert_eq!(lot.state == "closed", lot.remaining == 0, "seed {seed}: {lot:?}");
    }
    let open: i64 = rows.holds.values().filter(|h| h.state == "open").map(|h| h.amount).sum();
    let held: i64 = rows.accounts.values().map(|a| a.held).sum();
    assert_eq!(open, held, "seed {seed}: what is held is what open holds hold");
    sales(rows, seed);
    erased(rows, seed);
    returns::hold(rows, seed);
    decisions::hold(rows, books, seed)
}

fn sales(rows: &Rows, seed: u64) {
    for sale in rows.sales.values() {
        let lines: i64 = rows.sale_lines.values().filter(|l| l.sale_id == sale.id).map(|l| l.paid).sum();
        let tenders: i64 =
            rows.sale_tenders.values().filter(|t| t.sale_id == sale.id).map(|t| t.amount).sum();
        assert_eq!((lines, tenders), (sale.total, sale.total), "seed {seed}: {sale:?}");
    }
    for tender in rows.sale_tenders.values() {
        assert!(0 <= tender.refunded && tender.refunded <= tender.amount, "seed {seed}: {tender:?}");
    }
    for day in rows.days.values() {
        let of_day = |s: &&zhanggui::records::entity::sale::Model| {
            s.member_id == Some(day.member_id) && s.business_date == day.date
        };
        let spent: i64 = rows
            .sales
            .values()
            .filter(of_day)
            .flat_map(|s| rows.sale_lines.values().filter(move |l| l.sale_id == s.id && l.area == day.area))
            .map(|l| l.paid)
            .sum();
        assert_eq!(day.spent, spent, "seed {seed}: {day:?}");
    }
}

/// Who was erased is nobody any more.
fn erased(rows: &Rows, seed: u64) {
    for member in rows.members.values().filter(|member| member.status == "erased") {
        let person = &rows.persons[&member.id];
        let known = [&person.name, &person.phone, &person.address].into_iter().flatten().count();
        assert!(known == 0 && person.birthday.is_none(), "seed {seed}: {person:?}");
        let mut edits =
            rows.member_events.values().filter(|e| e.member_id == member.id && e.kind == "edited");
        assert!(edits.all(|edit| edit.data == "{}"), "seed {seed}: {member:?} was edited");
    }
}

/// How much of what is there, so that nothing holds only because nothing happened.
pub fn kinds(rows: &Rows, kinds: &mut BTreeMap<String, usize>) {
    let mut count = |what: String| *kinds.entry(what).or_default() += 1;
    for slip in rows.returns.values() {
        count(format!("return {}", slip.status));
        if slip.exchange_sale.is_some() {
            count("exchange".into());
        }
        if slip.points_short > 0 {
            count("points short".into());
        }
    }
    rows.dues.values().for_each(|due| count(format!("due {} {}", due.kind, due.settled)));
    rows.sale_tenders.values().filter(|t| t.amount > 0).for_each(|t| count(format!("paid by {}", t.kind)));
    rows.return_tenders.values().for_each(|t| count(format!("back to {}", t.kind)));
    rows.holds.values().for_each(|hold| count(format!("hold {}", hold.state)));
    rows.movements.values().for_each(|m| count(format!("movement {}", m.kind)));
    rows.member_events.values().for_each(|event| count(format!("member {}", event.kind)));
    rows.gift_issues.values().for_each(|_| count("birthday gift".into()));
    rows.approvals.values().for_each(|given| count(format!("approval {}", given.verdict)));
    for answer in rows.answers.values().filter(|answer| answer.status >= 400) {
        let told: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
        count(format!("refused {}", told["code"].as_str().unwrap_or_default()));
    }
}
