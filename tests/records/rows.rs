//! Rows to put: plain ones, to be changed where a test needs it.
pub use sea_orm::prelude::Uuid;
use zhanggui::records::Unit;
use zhanggui::records::entity::*;
use zhanggui::records::ids;

pub const LEDGER: &str = "points";
/// 2026-01-01.
pub const DAY: i32 = 20_454;

pub fn id(of: &str) -> Uuid {
    ids::named(&["test", of])
}

pub fn member(name: &str) -> member::Model {
    member::Model {
        id: id(name),
        number: name.into(),
        status: "active".into(),
        merged_into: None,
        tier: Some("gold".into()),
        enrolled_store: "s1".into(),
        enrolled_on: DAY,
        enrolled_at: 1,
        version: 1,
    }
}

pub fn account(name: &str, available: i64) -> account::Model {
    account::Model {
        member_id: id(name),
        ledger: LEDGER.into(),
        available,
        pending: 0,
        held: 0,
        debt: 0,
        version: 1,
    }
}

pub fn movement(of: Uuid, name: &str, cause: Option<Uuid>) -> movement::Model {
    movement::Model {
        id: of,
        member_id: id(name),
        ledger: LEDGER.into(),
        kind: "earn".into(),
        cause: "sale".into(),
        cause_id: cause,
        reverses: None,
        store: "s1".into(),
        business_date: DAY,
        occurred_at: 1,
        recorded_at: 2,
        actor: "till".into(),
        clause: None,
        digest: Some("d".into()),
        reason: None,
    }
}

pub fn entry(
    movement: Uuid,
    seq: i32,
    name: &str,
    bucket: &str,
    amount: i64,
    lot: Option<Uuid>,
) -> entry::Model {
    entry::Model {
        movement_id: movement,
        seq,
        member_id: id(name),
        ledger: LEDGER.into(),
        bucket: bucket.into(),
        amount,
        lot_id: lot,
    }
}

pub fn lot(of: Uuid, name: &str, amount: i64) -> lot::Model {
    lot::Model {
        id: of,
        member_id: id(name),
        ledger: LEDGER.into(),
        cause_id: Some(id("sale")),
        earned_at: 1,
        earned_on: DAY,
        activates_on: None,
        expires_on: Some(DAY + 365),
        amount,
        remaining: amount,
        held: 0,
        moved_from: None,
        state: "open".into(),
    }
}

pub fn hold(of: Uuid, name: &str, amount: i64, lot: Uuid) -> hold::Model {
    hold::Model {
        id: of,
        member_id: id(name),
        ledger: LEDGER.into(),
        amount,
        captured: 0,
        state: "open".into(),
        purpose: "voucher".into(),
        store: "s1".into(),
        expires_at: 9,
        lots: format!("[[\"{lot}\",{amount}]]"),
        created_at: 1,
    }
}

pub fn sale(of: Uuid, receipt: &str, total: i64) -> sale::Model {
    sale::Model {
        id: of,
        store: "s1".into(),
        terminal: "t1".into(),
        receipt: receipt.into(),
        business_date: DAY,
        occurred_at: 1,
        recorded_at: 2,
        member_id: Some(id("ann")),
        card: Some("c-ann".into()),
        card_presented: true,
        tier: None,
        birthday: Some(-3),
        channel: "store".into(),
        total,
        discount: 0,
        first_date: DAY,
        exchange_of: None,
        signed_for: None,
        invoice: None,
        voided_by: None,
        digest: "d".into(),
        actor: "till".into(),
    }
}

pub fn sale_line(sale: Uuid, line: i32, quantity: i32, paid: i64) -> sale_line::Model {
    sale_line::Model {
        sale_id: sale,
        line,
        sku: "k".into(),
        area: "food".into(),
        category: "tea".into(),
        season: None,
        counter: Some("c1".into()),
        quantity,
        list_price: paid,
        shelf_price: paid,
        unit_price: paid / i64::from(quantity),
        discount: 0,
        paid,
        rebate_used: 0,
        member_discount: false,
        bulk: true,
        facts: "{}".into(),
        points: "{}".into(),
        last_day: Some(DAY + 7),
        guarantee_end: None,
        returned: 0,
    }
}

pub fn sale_tender(sale: Uuid, seq: i32, amount: i64) -> sale_tender::Model {
    sale_tender::Model {
        sale_id: sale,
        seq,
        kind: "cash".into(),
        reference: String::new(),
        amount,
        refunded: 0,
    }
}

pub fn return_slip(of: Uuid, sale: Option<Uuid>, refund: i64) -> return_slip::Model {
    return_slip::Model {
        id: of,
        ticket_id: ids::named(&["ticket", &of.to_string()]),
        sale_id: sale,
        store: "s1".into(),
        terminal: "t1".into(),
        business_date: DAY + 1,
        occurred_at: 3,
        recorded_at: 4,
        member_id: Some(id("ann")),
        requester: "clerk".into(),
        remedy: "refund".into(),
        refund,
        withheld: 0,
        paid_out: refund,
        points_short: 0,
        status: "recorded".into(),
        exchange_sale: None,
        digest: "d".into(),
        decision_id: id("decision"),
    }
}

pub fn return_line(of: Uuid, seq: i32, line: i32, quantity: i32, refund: i64) -> return_line::Model {
    return_line::Model {
        return_id: of,
        seq,
        line,
        from_unit: 0,
        quantity,
        refund,
        reason: "mind".into(),
        facts: "{}".into(),
    }
}

pub fn return_tender(of: Uuid, seq: i32, amount: i64) -> return_tender::Model {
    let (kind, reference) = ("cash".into(), String::new());
    return_tender::Model { return_id: of, seq, kind, reference, amount, sale_seq: Some(1) }
}

pub fn voucher(number: &str, balance: i64) -> voucher::Model {
    voucher::Model {
        number: number.into(),
        member_id: Some(id("ann")),
        worth: 500,
        balance,
        status: "issued".into(),
        redemption_id: Some(id("redemption")),
        issued_on: DAY,
        version: 1,
    }
}

pub fn answer(key: &str) -> answer::Model {
    let body = "{\"名\":\"茶\"}".into();
    answer::Model { key: key.into(), fingerprint: "f".into(), status: 201, body, recorded_at: 5 }
}

/// A row in every table, about ann: one sale of two lines that earned a lot, one return, one redemption, one hold.
/// What is recorded is right: nothing for `verify` to find.
pub fn everything(unit: &mut Unit) {
    sales(unit);
    returns(unit);
    points(unit);
    rest(unit);
    let t = &mut unit.t;
    t.members.put(member("ann"));
    t.persons.put(person::Model {
        member_id: id("ann"),
        name: Some("安".into()),
        phone: None,
        address: None,
        birthday: Some(-3),
    });
    t.identities.put(identity::Model {
        hash: "h".into(),
        kind: "id".into(),
        member_id: id("ann"),
        seen_at: 1,
    });
    t.cards.put(card::Model {
        number: "c-ann".into(),
        member_id: id("ann"),
        status: "active".into(),
        replaced_by: None,
        issued_at: 1,
        ended_at: None,
    });
    t.tier_grants.put(tier_grant::Model {
        id: id("grant"),
        member_id: id("ann"),
        tier: "gold".into(),
        reason: "spend".into(),
        from_date: DAY,
        sale_id: Some(id("sale")),
        decision_id: None,
        granted_at: 1,
    });
    t.member_events.put(member_event::Model {
        id: id("event"),
        member_id: id("ann"),
        kind: "enrolled".into(),
        store: "s1".into(),
        actor: "till".into(),
        data: "{}".into(),
        at: 1,
    });
    t.gift_issues.put(gift_issue::Model {
        member_id: id("ann"),
        kind: "birthday".into(),
        year: 2026,
        store: "s1".into(),
        given_on: DAY,
        decision_id: None,
    });
}

fn sales(unit: &mut Unit) {
    let (t, of) = (&mut unit.t, id("sale"));
    t.sales.put(sale::Model { discount: 30, ..sale(of, "r1", 1_000) });
    t.sale_lines.put(sale_line::Model { returned: 1, ..sale_line(of, 1, 2, 600) });
    t.sale_lines.put(sale_line(of, 2, 1, 400));
    t.sale_tenders.put(sale_tender::Model { refunded: 300, ..sale_tender(of, 1, 1_000) });
    t.sale_gifts.put(sale_gift::Model {
        sale_id: of,
        seq: 1,
        reference: "mug".into(),
        threshold: Some(900),
        worth: 50,
        state: "given".into(),
    });
    t.discounts.put(discount::Model { sale_id: of, seq: 1, reference: "coupon".into(), amount: 30 });
}

fn returns(unit: &mut Unit) {
    let (t, of) = (&mut unit.t, id("return"));
    let slip = return_slip(of, Some(id("sale")), 300);
    t.approvals.put(approval::Model {
        id: id("approval"),
        ticket_id: slip.ticket_id,
        sale_id: Some(id("sale")),
        store: "s1".into(),
        amount: 300,
        approver: "boss".into(),
        role: "manager".into(),
        verdict: "approved".into(),
        decision_id: id("decision"),
        at: 3,
    });
    t.offline_returns.put(offline_return::Model {
        id: slip.ticket_id,
        sale_id: id("sale"),
        store: "s1".into(),
        terminal: "t1".into(),
        slip: "R1".into(),
        business_date: DAY + 1,
        occurred_at: 3,
        recorded_at: 4,
        waits_until: 9,
        state: "recorded".into(),
        request: "{}".into(),
        return_id: Some(of),
        differences: "[]".into(),
        problem: None,
        decided_at: Some(4),
    });
    t.returns.put(slip);
    let facts = r#"{"settled":{"paid":300}}"#.into();
    t.return_lines.put(return_line::Model { facts, ..return_line(of, 1, 1, 1, 300) });
    t.return_tenders.put(return_tender(of, 1, 300));
    t.dues.put(due::Model {
        return_id: of,
        seq: 1,
        kind: "gift".into(),
        reference: "mug".into(),
        amount: 50,
        settled: "handed_back".into(),
    });
}

fn points(unit: &mut Unit) {
    let t = &mut unit.t;
    let (earned, held, spent, lot_id) = (id("m1"), id("m2"), id("m3"), id("lot"));
    t.movements.put(movement(earned, "ann", Some(id("sale"))));
    t.entries.put(entry(earned, 0, "ann", "issued", -100, None));
    t.entries.put(entry(earned, 1, "ann", "available", 100, Some(lot_id)));
    t.movements.put(movement::Model { kind: "hold".into(), ..movement(held, "ann", Some(id("hold"))) });
    t.entries.put(entry(held, 0, "ann", "available", -10, Some(lot_id)));
    t.entries.put(entry(held, 1, "ann", "held", 10, Some(lot_id)));
    let cause = Some(id("redemption"));
    t.movements.put(movement::Model { kind: "spend".into(), ..movement(spent, "ann", cause) });
    t.entries.put(entry(spent, 0, "ann", "available", -20, Some(lot_id)));
    t.entries.put(entry(spent, 1, "ann", "redeemed", 20, None));
    t.lots.put(lot::Model { remaining: 80, held: 10, ..lot(lot_id, "ann", 100) });
    t.holds.put(hold(id("hold"), "ann", 10, lot_id));
    t.accounts.put(account::Model { held: 10, ..account("ann", 70) });
    t.redemptions.put(redemption::Model {
        id: id("redemption"),
        member_id: id("ann"),
        ledger: LEDGER.into(),
        wish: "voucher".into(),
        reference: Some("v1".into()),
        points: 20,
        worth: 500,
        status: "recorded".into(),
        store: "s1".into(),
        movement_id: spent,
        decision_id: id("decision"),
        business_date: DAY,
        occurred_at: 2,
    });
    t.vouchers.put(voucher("v1", 500));
    t.settlements.put(settlement::Model {
        id: id("settlement"),
        ledger: LEDGER.into(),
        year: 2025,
        status: "finished".into(),
        as_of: DAY,
        cursor: Some(id("ann")),
        members: 1,
        cleared: 0,
        credited: 0,
        started_at: 1,
        finished_at: Some(2),
        actor: "boss".into(),
    });
    t.settled.put(settled_member::Model {
        member_id: id("ann"),
        ledger: LEDGER.into(),
        year: 2025,
        settlement_id: id("settlement"),
        points: 0,
        cleared: 0,
        credit: 0,
        decision_id: None,
    });
    t.days.put(member_day::Model {
        member_id: id("ann"),
        date: DAY,
        area: "food".into(),
        spent: 1_000,
        returned: 300,
        receipts: 1,
        earned: 100,
    });
}

fn rest(unit: &mut Unit) {
    let t = &mut unit.t;
    t.stores.put(store::Model {
        id: "s1".into(),
        zone: "Asia/Shanghai".into(),
        business_day_start: 21_600,
        layers: "{}".into(),
        closed_through: None,
        recorded_at: 1,
    });
    let (store, code, name) = ("s1".into(), "c1".into(), "茶".into());
    t.counters.put(counter::Model { store, code, name, recorded_at: 1 });
    let (name, files) = ("jiajie".into(), "{}".into());
    t.rulebooks.put(rulebook::Model { digest: "d".into(), name, files, recorded_at: 1 });
    let mut link = decision::Model {
        store: "s1".into(),
        seq: 1,
        id: id("decision"),
        decision: "returns".into(),
        rulebook: "d".into(),
        facts: "{}".into(),
        outcome: "{}".into(),
        cause: "return".into(),
        cause_id: Some(id("return")),
        actor: "till".into(),
        recorded_at: 3,
        previous: String::new(),
        hash: String::new(),
        plugins: Some("[]".into()),
    };
    link.hash = zhanggui::records::engine::link_hash(&link);
    t.chains.put(chain::Model { store: "s1".into(), seq: 1, hash: link.hash.clone() });
    t.responses.put(plugin_response::Model {
        decision_id: link.id,
        seq: 0,
        body: Some("[]".into()),
        log: Some("[]".into()),
        recorded_at: 3,
    });
    t.decisions.put(link);
    t.answers.put(answer("k"));
    let (kind, store, data) = ("sale".into(), "s1".into(), "{}".into());
    t.events.put(event::Model { id: id("outbox"), kind, store, data, recorded_at: 1 });
    t.secrets.put(secret::Model { name: "ticket".into(), value: "x".into() });
}
