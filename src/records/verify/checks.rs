//! Checks that are one statement each: the rows that it returns are wrong.

/// What a column of a key is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Id,
    Text,
    Number,
}

/// A statement whose rows are findings: first the key, then the numbers. `<facts>` stands for the JSON of a return's line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Check {
    pub name: &'static str,
    pub table: &'static str,
    pub key: &'static [Key],
    pub numbers: &'static [&'static str],
    pub sql: &'static str,
}

use Key::{Id, Number, Text};

const fn check(
    name: &'static str,
    table: &'static str,
    key: &'static [Key],
    numbers: &'static [&'static str],
    sql: &'static str,
) -> Check {
    Check { name, table, key, numbers, sql }
}

pub(super) const ALL: &[Check] = &[
    check(
        "movement-balance",
        "movements",
        &[Id],
        &["entries sum to"],
        "SELECT movement_id, CAST(sum(amount) AS BIGINT) FROM entries GROUP BY movement_id HAVING sum(amount) <> 0",
    ),
    check(
        "account-entries",
        "accounts",
        &[Id, Text],
        &["available", "entries", "pending", "entries", "held", "entries", "debt", "entries"],
        "SELECT a.member_id, a.ledger, a.available, e.available, a.pending, e.pending, a.held, e.held, a.debt, e.debt
         FROM accounts a LEFT JOIN (
           SELECT member_id, ledger,
             CAST(sum(CASE bucket WHEN 'available' THEN amount ELSE 0 END) AS BIGINT) AS available,
             CAST(sum(CASE bucket WHEN 'pending' THEN amount ELSE 0 END) AS BIGINT) AS pending,
             CAST(sum(CASE bucket WHEN 'held' THEN amount ELSE 0 END) AS BIGINT) AS held,
             CAST(-sum(CASE bucket WHEN 'debt' THEN amount ELSE 0 END) AS BIGINT) AS debt
           FROM entries GROUP BY member_id, ledger
         ) e ON e.member_id = a.member_id AND e.ledger = a.ledger
         WHERE a.available <> coalesce(e.available, 0) OR a.pending <> coalesce(e.pending, 0)
            OR a.held <> coalesce(e.held, 0) OR a.debt <> coalesce(e.debt, 0)",
    ),
    check(
        "account-missing",
        "accounts",
        &[Id, Text],
        &["entries"],
        "SELECT e.member_id, e.ledger, CAST(count(*) AS BIGINT) FROM entries e
         WHERE NOT EXISTS (SELECT 1 FROM accounts a WHERE a.member_id = e.member_id AND a.ledger = e.ledger)
         GROUP BY e.member_id, e.ledger",
    ),
    check(
        "lot-entries",
        "lots",
        &[Id],
        &["remaining", "entries", "held", "entries"],
        "SELECT l.id, l.remaining, e.remaining, l.held, e.held FROM lots l LEFT JOIN (
           SELECT lot_id, CAST(sum(amount) AS BIGINT) AS remaining,
             CAST(sum(CASE bucket WHEN 'held' THEN amount ELSE 0 END) AS BIGINT) AS held
           FROM entries WHERE lot_id IS NOT NULL AND bucket IN ('available', 'pending', 'held') GROUP BY lot_id
         ) e ON e.lot_id = l.id
         WHERE l.remaining <> coalesce(e.remaining, 0) OR l.held <> coalesce(e.held, 0)",
    ),
    check(
        "lot-closed",
        "lots",
        &[Id],
        &["remaining"],
        "SELECT id, remaining FROM lots WHERE (state = 'closed') <> (remaining = 0)",
    ),
    check(
        "account-lots",
        "accounts",
        &[Id, Text],
        &["available and held", "lots", "pending", "lots", "held", "lots"],
        "SELECT a.member_id, a.ledger, a.available + a.held, l.free, a.pending, l.pending, a.held, l.held
         FROM accounts a LEFT JOIN (
           SELECT member_id, ledger,
             CAST(sum(CASE state WHEN 'pending' THEN 0 ELSE remaining END) AS BIGINT) AS free,
             CAST(sum(CASE state WHEN 'pending' THEN remaining ELSE 0 END) AS BIGINT) AS pending,
             CAST(sum(held) AS BIGINT) AS held
           FROM lots GROUP BY member_id, ledger
         ) l ON l.member_id = a.member_id AND l.ledger = a.ledger
         WHERE a.available + a.held <> coalesce(l.free, 0) OR a.pending <> coalesce(l.pending, 0)
            OR a.held <> coalesce(l.held, 0)",
    ),
    check(
        "account-holds",
        "accounts",
        &[Id, Text],
        &["held", "open holds"],
        "SELECT a.member_id, a.ledger, a.held, h.amount FROM accounts a LEFT JOIN (
           SELECT member_id, ledger, CAST(sum(amount) AS BIGINT) AS amount FROM holds WHERE state = 'open'
           GROUP BY member_id, ledger
         ) h ON h.member_id = a.member_id AND h.ledger = a.ledger WHERE a.held <> coalesce(h.amount, 0)",
    ),
    check(
        "settlement-members",
        "settlements",
        &[Id],
        &["members", "settled", "cleared", "settled", "credited", "settled"],
        "SELECT s.id, s.members, m.members, s.cleared, m.cleared, s.credited, m.credited
         FROM settlements s LEFT JOIN (
           SELECT settlement_id, CAST(count(*) AS BIGINT) AS members, CAST(sum(cleared) AS BIGINT) AS cleared,
             CAST(sum(credit) AS BIGINT) AS credited FROM settled_members GROUP BY settlement_id
         ) m ON m.settlement_id = s.id
         WHERE s.status = 'finished' AND (s.members <> coalesce(m.members, 0)
            OR s.cleared <> coalesce(m.cleared, 0) OR s.credited <> coalesce(m.credited, 0))",
    ),
    check(
        "settled-once",
        "settled_members",
        &[Id, Text, Number],
        &["times"],
        "SELECT member_id, ledger, year, CAST(count(*) AS BIGINT) FROM settled_members
         GROUP BY member_id, ledger, year HAVING count(*) > 1",
    ),
    check(
        "sale-lines",
        "sales",
        &[Id],
        &["total", "lines"],
        "SELECT s.id, s.total, l.paid FROM sales s LEFT JOIN (
           SELECT sale_id, CAST(sum(paid) AS BIGINT) AS paid FROM sale_lines GROUP BY sale_id
         ) l ON l.sale_id = s.id WHERE s.total <> coalesce(l.paid, 0)",
    ),
    check(
        "sale-tenders",
        "sales",
        &[Id],
        &["total", "tenders"],
        "SELECT s.id, s.total, t.amount FROM sales s LEFT JOIN (
           SELECT sale_id, CAST(sum(amount) AS BIGINT) AS amount FROM sale_tenders GROUP BY sale_id
         ) t ON t.sale_id = s.id WHERE s.total <> coalesce(t.amount, 0)",
    ),
    check(
        "line-returns",
        "sale_lines",
        &[Id, Number],
        &["paid", "refunded", "units returned", "of slips"],
        "SELECT l.sale_id, l.line, l.paid, r.refund, CAST(l.returned AS BIGINT), r.quantity
         FROM sale_lines l LEFT JOIN (
           SELECT s.sale_id, r.line, CAST(sum(r.refund) AS BIGINT) AS refund,
             CAST(sum(r.quantity) AS BIGINT) AS quantity
           FROM returns s JOIN return_lines r ON r.return_id = s.id
           WHERE s.status = 'recorded' AND s.sale_id IS NOT NULL GROUP BY s.sale_id, r.line
         ) r ON r.sale_id = l.sale_id AND r.line = l.line
         WHERE coalesce(r.refund, 0) > l.paid OR l.returned <> coalesce(r.quantity, 0)",
    ),
    check(
        "tender-returns",
        "sale_tenders",
        &[Id, Number],
        &["refunded", "of slips"],
        "SELECT t.sale_id, t.seq, t.refunded, r.amount FROM sale_tenders t LEFT JOIN (
           SELECT s.sale_id, r.sale_seq, CAST(sum(r.amount) AS BIGINT) AS amount
           FROM returns s JOIN return_tenders r ON r.return_id = s.id
           WHERE s.status = 'recorded' AND r.sale_seq IS NOT NULL GROUP BY s.sale_id, r.sale_seq
         ) r ON r.sale_id = t.sale_id AND r.sale_seq = t.seq WHERE t.refunded <> coalesce(r.amount, 0)",
    ),
    check(
        "return-lines",
        "returns",
        &[Id],
        &["refund", "lines"],
        "SELECT s.id, s.refund, l.refund FROM returns s LEFT JOIN (
           SELECT return_id, CAST(sum(refund) AS BIGINT) AS refund FROM return_lines GROUP BY return_id
         ) l ON l.return_id = s.id WHERE s.refund <> coalesce(l.refund, 0)",
    ),
    check(
        "return-tenders",
        "returns",
        &[Id],
        &["refund", "withheld", "paid out", "tenders"],
        "SELECT s.id, s.refund, s.withheld, s.paid_out, t.amount FROM returns s LEFT JOIN (
           SELECT return_id, CAST(sum(amount) AS BIGINT) AS amount FROM return_tenders GROUP BY return_id
         ) t ON t.return_id = s.id
         WHERE s.paid_out <> coalesce(t.amount, 0) OR s.paid_out <> s.refund - s.withheld",
    ),
    check(
        "member-days",
        "member_days",
        &[Id, Number, Text],
        &["spent", "of sales", "returned", "of slips"],
        "SELECT k.member_id, k.date, k.area, d.spent, s.paid, d.returned, r.paid FROM (
           SELECT member_id, date, area FROM member_days
           UNION SELECT s.member_id, s.business_date, l.area FROM sales s JOIN sale_lines l ON l.sale_id = s.id
           WHERE s.member_id IS NOT NULL
         ) k LEFT JOIN member_days d ON d.member_id = k.member_id AND d.date = k.date AND d.area = k.area
         LEFT JOIN (
           SELECT s.member_id, s.business_date, l.area, CAST(sum(l.paid) AS BIGINT) AS paid
           FROM sales s JOIN sale_lines l ON l.sale_id = s.id GROUP BY s.member_id, s.business_date, l.area
         ) s ON s.member_id = k.member_id AND s.business_date = k.date AND s.area = k.area
         LEFT JOIN (
           SELECT s.member_id, s.business_date, l.area,
             CAST(sum(CAST(<facts> -> 'settled' ->> 'paid' AS BIGINT)) AS BIGINT) AS paid
           FROM returns b JOIN return_lines r ON r.return_id = b.id JOIN sales s ON s.id = b.sale_id
           JOIN sale_lines l ON l.sale_id = s.id AND l.line = r.line
           WHERE b.status = 'recorded' GROUP BY s.member_id, s.business_date, l.area
         ) r ON r.member_id = k.member_id AND r.business_date = k.date AND r.area = k.area
         WHERE coalesce(d.spent, 0) <> coalesce(s.paid, 0) OR coalesce(d.returned, 0) <> coalesce(r.paid, 0)",
    ),
    check(
        "voucher-balance",
        "vouchers",
        &[Text],
        &["worth", "balance"],
        "SELECT number, worth, balance FROM vouchers
         WHERE balance < 0 OR balance > worth OR (status = 'spent' AND balance <> 0)",
    ),
    check(
        "voucher-redemption",
        "redemptions",
        &[Id],
        &["worth", "vouchers"],
        "SELECT r.id, r.worth, v.worth FROM redemptions r JOIN (
           SELECT redemption_id, CAST(sum(worth) AS BIGINT) AS worth FROM vouchers
           WHERE redemption_id IS NOT NULL GROUP BY redemption_id
         ) v ON v.redemption_id = r.id WHERE v.worth > r.worth",
    ),
    orphan("entries", "SELECT DISTINCT movement_id FROM entries o WHERE NOT EXISTS
        (SELECT 1 FROM movements m WHERE m.id = o.movement_id)"),
    orphan("entries", "SELECT DISTINCT lot_id FROM entries o WHERE lot_id IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM lots l WHERE l.id = o.lot_id)"),
    orphan("movements", "SELECT id FROM movements o WHERE NOT EXISTS
        (SELECT 1 FROM members m WHERE m.id = o.member_id)"),
    orphan("lots", "SELECT id FROM lots o WHERE NOT EXISTS (SELECT 1 FROM accounts a
        WHERE a.member_id = o.member_id AND a.ledger = o.ledger)"),
    orphan("holds", "SELECT id FROM holds o WHERE NOT EXISTS (SELECT 1 FROM accounts a
        WHERE a.member_id = o.member_id AND a.ledger = o.ledger)"),
    orphan("sale_lines", "SELECT DISTINCT sale_id FROM sale_lines o WHERE NOT EXISTS
        (SELECT 1 FROM sales s WHERE s.id = o.sale_id)"),
    orphan("sale_tenders", "SELECT DISTINCT sale_id FROM sale_tenders o WHERE NOT EXISTS
        (SELECT 1 FROM sales s WHERE s.id = o.sale_id)"),
    orphan("return_lines", "SELECT DISTINCT return_id FROM return_lines o WHERE NOT EXISTS
        (SELECT 1 FROM returns r WHERE r.id = o.return_id)"),
    orphan("return_tenders", "SELECT DISTINCT return_id FROM return_tenders o WHERE NOT EXISTS
        (SELECT 1 FROM returns r WHERE r.id = o.return_id)"),
    orphan("offline_returns", "SELECT id FROM offline_returns o WHERE return_id IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM returns r WHERE r.id = o.return_id AND r.ticket_id = o.id)"),
    orphan("returns", "SELECT id FROM returns o WHERE NOT EXISTS
        (SELECT 1 FROM decisions d WHERE d.id = o.decision_id)"),
    orphan("redemptions", "SELECT id FROM redemptions o WHERE NOT EXISTS
        (SELECT 1 FROM movements m WHERE m.id = o.movement_id)"),
    orphan("vouchers", "SELECT DISTINCT redemption_id FROM vouchers o WHERE redemption_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM redemptions r WHERE r.id = o.redemption_id)"),
    orphan("settled_members", "SELECT member_id FROM settled_members o WHERE NOT EXISTS
        (SELECT 1 FROM settlements s WHERE s.id = o.settlement_id)"),
    orphan("settled_members", "SELECT member_id FROM settled_members o WHERE NOT EXISTS
        (SELECT 1 FROM members m WHERE m.id = o.member_id)"),
];

/// Rows that name an owner that is not there; the key is that of the row, or the owner's.
const fn orphan(table: &'static str, sql: &'static str) -> Check {
    check("orphan", table, &[Id], &[], sql)
}
