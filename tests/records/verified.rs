//! `verify` finds nothing in what is right, and names each thing that is wrong.
use crate::each::{Place, each};
use crate::rows::everything;
use sea_orm::{ConnectionTrait as _, DbBackend};
use zhanggui::records::verify;

/// Corruptions, and the check that has to name them.
const WRONG: &[(&str, &str)] = &[
    ("movement-balance", "UPDATE entries SET amount = amount + 1 WHERE bucket = 'issued'"),
    ("account-entries", "UPDATE accounts SET available = available + 1"),
    ("account-lots", "UPDATE accounts SET available = available + 1"),
    ("account-entries", "UPDATE accounts SET debt = 3"),
    ("account-missing", "DELETE FROM accounts"),
    ("account-holds", "UPDATE holds SET state = 'released'"),
    ("lot-entries", "UPDATE lots SET remaining = remaining - 1"),
    ("lot-closed", "UPDATE lots SET state = 'closed'"),
    ("lot-holds", "UPDATE lots SET held = held - 1"),
    ("lot-holds", "UPDATE holds SET lots = '[]'"),
    ("hold-lots", "UPDATE holds SET lots = '[]'"),
    ("settlement-members", "UPDATE settlements SET cleared = 7"),
    ("sale-lines", "UPDATE sale_lines SET paid = paid + 1 WHERE line = 2"),
    ("sale-tenders", "UPDATE sale_tenders SET amount = amount + 1"),
    ("line-returns", "UPDATE sale_lines SET returned = 0"),
    ("line-returns", "UPDATE return_lines SET refund = 700"),
    ("tender-returns", "UPDATE sale_tenders SET refunded = 0"),
    ("return-lines", "UPDATE return_lines SET refund = refund - 1"),
    ("return-tenders", "UPDATE return_tenders SET amount = amount - 1"),
    ("return-tenders", "UPDATE returns SET withheld = 1"),
    ("member-days", "UPDATE member_days SET spent = spent - 1"),
    ("member-days", "UPDATE member_days SET returned = 0"),
    ("member-days", "UPDATE member_days SET date = date + 1"),
    ("member-days", "DELETE FROM member_days"),
    ("voucher-balance", "UPDATE vouchers SET status = 'spent'"),
    ("voucher-redemption", "UPDATE redemptions SET worth = 1"),
    ("chain-link", "UPDATE decisions SET outcome = '{\"a\":1}'"),
    ("chain-link", "UPDATE decisions SET seq = 2"),
    ("chain-link", "UPDATE decisions SET previous = 'x'"),
    ("chain-head", "UPDATE chains SET seq = 2"),
    ("chain-head", "DELETE FROM chains"),
    ("chain-head", "DELETE FROM decisions"),
    ("orphan", "DELETE FROM movements"),
    ("orphan", "DELETE FROM lots"),
    ("orphan", "DELETE FROM decisions"),
    ("orphan", "DELETE FROM redemptions"),
    ("orphan", "DELETE FROM settlements"),
    ("orphan", "DELETE FROM accounts"),
    ("orphan", "UPDATE returns SET ticket_id = id"),
    (
        "orphan",
        "UPDATE settled_members SET member_id = settlement_id
         WHERE member_id IN (SELECT member_id FROM settled_members LIMIT 1)",
    ),
];

/// Takes away what protects the rows: this test does what nobody may do.
async fn unprotect(place: &Place) {
    let sql = match place.db.backend() {
        DbBackend::Sqlite => {
            "DROP TRIGGER movements_no_delete; DROP TRIGGER entries_no_update; DROP TRIGGER decisions_no_update;
             DROP TRIGGER decisions_no_delete"
        }
        _ => {
            "DROP TRIGGER movements_append_only ON movements; DROP TRIGGER entries_append_only ON entries;
             DROP TRIGGER decisions_append_only ON decisions"
        }
    };
    place.db.writer().execute_unprepared(sql).await.unwrap();
}

#[test]
fn what_is_right_is_clean() {
    each(async |place| {
        assert!(verify(&place.db).await.unwrap().is_clean());
        crate::write(&place.db, everything).await.unwrap();
        let report = verify(&place.db).await.unwrap();
        assert_eq!(report.findings, []);
        assert_eq!((report.links, report.checks.len()), (1, 23));
    });
}

#[test]
fn what_is_wrong_is_named() {
    each(async |place| {
        unprotect(place).await;
        crate::write(&place.db, everything).await.unwrap();
        let undo = backup(place).await;
        for (check, sql) in WRONG {
            place.db.writer().execute_unprepared(sql).await.unwrap();
            let report = verify(&place.db).await.unwrap();
            let found: Vec<_> = report.findings.iter().filter(|finding| finding.check == *check).collect();
            assert!(!found.is_empty(), "{check}: {sql}: {:?}", report.findings);
            assert!(found.iter().all(|finding| !finding.row.is_empty()));
            for sql in &undo {
                place.db.writer().execute_unprepared(sql).await.unwrap();
            }
            assert!(verify(&place.db).await.unwrap().is_clean(), "{sql}");
        }
    });
}

/// Copies of the tables that the corruptions touch, and how to get them back.
async fn backup(place: &Place) -> Vec<String> {
    const TABLES: [&str; 17] = [
        "entries",
        "movements",
        "accounts",
        "holds",
        "lots",
        "settlements",
        "sale_lines",
        "sale_tenders",
        "return_lines",
        "return_tenders",
        "returns",
        "vouchers",
        "redemptions",
        "decisions",
        "chains",
        "settled_members",
        "member_days",
    ];
    let mut undo = Vec::new();
    for table in TABLES {
        let copy = format!("CREATE TABLE copy_{table} AS SELECT * FROM {table}");
        place.db.writer().execute_unprepared(&copy).await.unwrap();
    }
    // What is owned goes first and comes last; entries before their movements.
    let back =
        ["chains", "decisions", "redemptions", "vouchers", "settlements", "settled_members", "holds", "lots"];
    let back = back.iter().chain(&["accounts", "member_days"]);
    undo.push("DELETE FROM return_lines".to_owned());
    undo.push("DELETE FROM return_tenders".to_owned());
    undo.push("DELETE FROM sale_lines".to_owned());
    undo.push("DELETE FROM sale_tenders".to_owned());
    for table in back {
        undo.push(format!("DELETE FROM {table}"));
        undo.push(format!("INSERT INTO {table} SELECT * FROM copy_{table}"));
    }
    undo.push(
        "UPDATE returns SET withheld = 0, ticket_id = (SELECT c.ticket_id FROM copy_returns c \
         WHERE c.id = returns.id)"
            .to_owned(),
    );
    for table in ["return_lines", "return_tenders", "sale_lines", "sale_tenders"] {
        undo.push(format!("INSERT INTO {table} SELECT * FROM copy_{table}"));
    }
    undo.push(
        "UPDATE entries SET amount = (SELECT c.amount FROM copy_entries c \
         WHERE c.movement_id = entries.movement_id AND c.seq = entries.seq)"
            .to_owned(),
    );
    undo.push(
        "INSERT INTO movements SELECT * FROM copy_movements c \
         WHERE NOT EXISTS (SELECT 1 FROM movements m WHERE m.id = c.id)"
            .to_owned(),
    );
    undo
}
