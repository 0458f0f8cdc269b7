//! What comes back: each unit once and for no more than was paid for it, each gift once, vouchers within their worth.
use crate::memory::Rows;
use sea_orm::prelude::Uuid;
use std::collections::{BTreeMap, BTreeSet};
use zhanggui::records::entity::{return_line, sale_line};

pub fn hold(rows: &Rows, seed: u64) {
    // The units of each line of a sale that are back, with the standing return that took them.
    let mut back: BTreeMap<(Uuid, i32), Vec<&return_line::Model>> = BTreeMap::new();
    for line in rows.return_lines.values() {
        let slip = &rows.returns[&line.return_id];
        if let Some(sale) = slip.sale_id.filter(|_| slip.status == "recorded") {
            back.entry((sale, line.line)).or_default().push(line);
        }
    }
    for (key, line) in &rows.sale_lines {
        units(line, back.remove(key).unwrap_or_default(), seed);
    }
    assert!(back.is_empty(), "seed {seed}: what was never sold came back: {back:?}");
    for sale in rows.sales.values() {
        let standing = rows.returns.values().filter(|r| r.sale_id == Some(sale.id) && r.status == "recorded");
        let refunds: i64 = standing.map(|r| r.refund).sum();
        assert!(refunds <= sale.total, "seed {seed}: {refunds} of {sale:?}");
        let whole =
            rows.sale_lines.values().filter(|l| l.sale_id == sale.id).all(|l| l.returned == l.quantity);
        assert_eq!(sale.voided_by.is_some(), whole, "seed {seed}: {sale:?}");
    }
    slips(rows, seed);
    approvals(rows, seed);
    tenders(rows, seed);
    gifts(rows, seed);
    vouchers(rows, seed);
}

/// What was paid for the units before one.
fn paid_before(line: &sale_line::Model, unit: i32) -> i64 {
    line.paid * i64::from(unit) / i64::from(line.quantity)
}

fn units(line: &sale_line::Model, back: Vec<&return_line::Model>, seed: u64) {
    let mut taken = vec![false; line.quantity as usize];
    for one in back {
        assert!(one.from_unit >= 0 && one.quantity > 0 && one.refund >= 0, "seed {seed}: {one:?}");
        for unit in one.from_unit..one.from_unit + one.quantity {
            let here =
                taken.get_mut(unit as usize).unwrap_or_else(|| panic!("seed {seed}: {line:?}: {one:?}"));
            assert!(!std::mem::replace(here, true), "seed {seed}: unit {unit} came back twice: {line:?}");
        }
        let paid = paid_before(line, one.from_unit + one.quantity) - paid_before(line, one.from_unit);
        assert!(one.refund <= paid, "seed {seed}: {one:?} for units that were paid {paid}: {line:?}");
    }
    let returned = taken.iter().filter(|back| **back).count();
    assert_eq!(line.returned as usize, returned, "seed {seed}: {line:?}");
}

/// The money of a slip is that of its lines, and goes to its tenders but for what is kept back.
fn slips(rows: &Rows, seed: u64) {
    let mut tickets = BTreeSet::new();
    for slip in rows.returns.values() {
        assert!(tickets.insert(slip.ticket_id), "seed {seed}: the ticket was used before: {slip:?}");
        let lines: i64 =
            rows.return_lines.values().filter(|l| l.return_id == slip.id).map(|l| l.refund).sum();
        let tenders: i64 =
            rows.return_tenders.values().filter(|t| t.return_id == slip.id).map(|t| t.amount).sum();
        let withheld = rows.dues.values().filter(|d| d.return_id == slip.id && d.settled == "withheld");
        let withheld: i64 = withheld.map(|d| d.amount).sum();
        assert_eq!((slip.refund, slip.withheld), (lines, withheld), "seed {seed}: {slip:?}");
        assert_eq!((slip.paid_out, slip.refund - slip.withheld), (tenders, tenders), "seed {seed}: {slip:?}");
        assert!(slip.paid_out >= 0, "seed {seed}: {slip:?}");
        if slip.remedy == "exchange" {
            let new = &rows.sales[&slip.exchange_sale.unwrap()];
            assert_eq!(new.exchange_of, Some(slip.id), "seed {seed}: {slip:?}");
            assert_eq!(
                new.first_date,
                rows.sales[&slip.sale_id.unwrap()].first_date,
                "seed {seed}: {slip:?}"
            );
        }
    }
}

/// Somebody else approved what goes back, and what went back on the receipt that day before it.
fn approvals(rows: &Rows, seed: u64) {
    // Of an exchange only what is paid out counts.
    for slip in rows.returns.values().filter(|slip| slip.exchange_sale.is_none()) {
        let before = rows.returns.values().filter(|other| {
            other.sale_id == slip.sale_id
                && other.business_date == slip.business_date
                && other.recorded_at < slip.recorded_at
                && other.status == "recorded"
                && other.exchange_sale.is_none()
        });
        let amount = slip.refund + before.map(|other| other.refund).sum::<i64>();
        let mut given = rows.approvals.values().filter(|given| given.ticket_id == slip.ticket_id);
        let covers = given.any(|given| {
            given.verdict == "allow" && given.amount >= amount && given.approver != slip.requester
        });
        assert!(covers, "seed {seed}: nobody approved {amount}: {slip:?}");
    }
}

/// What went back to a tender is what standing returns say.
fn tenders(rows: &Rows, seed: u64) {
    for tender in rows.sale_tenders.values() {
        let standing = |id: &Uuid| {
            let slip = &rows.returns[id];
            slip.status == "recorded" && slip.sale_id == Some(tender.sale_id)
        };
        let back =
            rows.return_tenders.values().filter(|t| t.sale_seq == Some(tender.seq) && standing(&t.return_id));
        assert_eq!(tender.refunded, back.map(|t| t.amount).sum::<i64>(), "seed {seed}: {tender:?}");
    }
}

fn gifts(rows: &Rows, seed: u64) {
    for gift in rows.sale_gifts.values() {
        let dues = rows.dues.values().filter(|due| {
            let slip = &rows.returns[&due.return_id];
            due.reference == gift.reference && slip.sale_id == Some(gift.sale_id) && slip.status == "recorded"
        });
        let dues: Vec<_> = dues.collect();
        assert!(dues.len() <= 1, "seed {seed}: {gift:?} is owed twice: {dues:?}");
        let state = match dues.first() {
            None => gift.state == "given" || gift.state == "used",
            Some(due) if due.settled == "handed_back" => gift.state == "handed_back" && due.amount == 0,
            Some(due) => gift.state == "paid" && due.amount == gift.worth,
        };
        assert!(state, "seed {seed}: {gift:?}: {dues:?}");
    }
}

fn vouchers(rows: &Rows, seed: u64) {
    for voucher in rows.vouchers.values().filter(|voucher| voucher.status != "void") {
        let of = |sale: &Uuid, seq: &i32| {
            let tender = &rows.sale_tenders[&(*sale, *seq)];
            tender.kind == "voucher" && tender.reference == voucher.number
        };
        let paid: i64 =
            rows.sale_tenders.iter().filter(|((sale, seq), _)| of(sale, seq)).map(|(_, t)| t.amount).sum();
        let back = rows.return_tenders.values().filter(|t| {
            let slip = &rows.returns[&t.return_id];
            let from = slip.sale_id.zip(t.sale_seq);
            slip.status == "recorded" && from.is_some_and(|(sale, seq)| of(&sale, &seq))
        });
        let back: i64 = back.map(|t| t.amount).sum();
        assert_eq!(voucher.balance, voucher.worth - paid + back, "seed {seed}: {voucher:?}");
        assert_eq!(voucher.status == "spent", voucher.balance == 0, "seed {seed}: {voucher:?}");
        assert!(voucher.balance >= 0, "seed {seed}: {voucher:?}");
    }
}
