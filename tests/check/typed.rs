//! What the checker makes of good texts.
use super::harness::{Loaded, load};
use super::{HEAD, LAYERS, PLACES, TAIL, VOCAB};
use zhanggui::lang::typed::*;

fn good() -> Rulebook {
    let files = [("base.vocab", VOCAB), ("good.policy", include_str!("good.policy"))];
    load(&files, &LAYERS, &PLACES).checked.rulebook.unwrap()
}

fn book(policy: &str) -> Rulebook {
    let text = format!("{HEAD}{policy}");
    let loaded: Loaded = load(&[("base.vocab", VOCAB), ("a.policy", &text)], &LAYERS, &PLACES);
    assert!(loaded.checked.rulebook.is_some(), "{}", loaded.shown());
    loaded.checked.rulebook.unwrap()
}

fn rule<'a>(book: &'a Rulebook, name: &str) -> &'a Rule {
    book.rules.iter().find(|r| r.name == name).unwrap()
}

fn table<'a>(book: &'a Rulebook, name: &str) -> &'a Table {
    book.tables.iter().find(|t| t.name == name).unwrap()
}

fn value<'a>(book: &'a Rulebook, name: &str) -> &'a Expr {
    &book.lets.iter().find(|l| l.name == name).unwrap().value
}

#[test]
fn rules_ascend_by_policy_and_name() {
    let book = good();
    let ids: Vec<(String, String)> =
        book.rules.iter().map(|r| (book.policies[r.policy.ix()].path.clone(), r.name.clone())).collect();
    let mut sorted = ids.clone();
    sorted.sort();
    assert_eq!(ids, sorted);
    for p in &book.policies {
        for r in &p.rules {
            assert_eq!(book.policies[book.rules[r.ix()].policy.ix()].path, p.path);
        }
    }
}

#[test]
fn a_shared_guard_makes_its_outputs_present() {
    let book = good();
    let large = rule(&book, "large");
    assert!(large.guard.is_some());
    let ExprKind::Cmp(CmpOp::Gt, refund, limit) = &large.when.as_ref().unwrap().kind else { panic!() };
    assert!(matches!(&refund.kind, ExprKind::Present(x) if matches!(x.kind, ExprKind::Output(OutputId(3)))));
    assert_eq!((refund.ty.clone(), limit.ty.clone()), (Ty::Money, Ty::Money));
    // verdict has no guard, so a rule that also sets it shares none.
    assert!(rule(&book, "change_of_mind").guard.is_none());
    // The guard of a per-line output speaks of the rule's own element.
    let worth = rule(&book, "worth");
    let ExprKind::Not(field) = &worth.guard.as_ref().unwrap().kind else { panic!() };
    let ExprKind::Field(var, _) = &field.kind else { panic!() };
    assert!(matches!(var.kind, ExprKind::Var(v) if v == worth.for_each.as_ref().unwrap().var));
}

#[test]
fn guards_of_one_text_have_one_key() {
    let book = good();
    let d = &book.vocab.decisions[0];
    let keys: Vec<Option<u32>> = d.outputs.iter().map(|o| o.guard_key).collect();
    assert_eq!(keys[2], keys[3]);
    assert!(keys[2].is_some() && keys[0].is_none());
}

#[test]
fn outputs_come_after_what_they_read() {
    let book = good();
    let d = &book.vocab.decisions[0];
    let at = |name: &str| {
        let o = d.outputs.iter().position(|o| o.name == name).unwrap();
        d.order.iter().position(|x| x.ix() == o).unwrap()
    };
    assert!(at("verdict") < at("remedies"));
    assert!(at("remedies") < at("refund_amount"));
    assert!(at("deductions") < at("refund_amount"));
    assert!(at("refund_amount") < at("approver"));
    assert_eq!(d.order.len(), d.outputs.len());
}

#[test]
fn groups_stand_for_their_rules() {
    let book = good();
    let o = &rule(&book, "three_guarantees").overrides[0];
    let names: Vec<&str> = o.rules.iter().map(|r| book.rules[r.ix()].name.as_str()).collect();
    assert_eq!(names, ["no_slip", "opened", "over_2000"]);
    assert_eq!(o.output, None);
    let replaced = &rule(&book, "no_slip_here").replaces;
    assert_eq!(book.rule_id(replaced[0]), "shop.returns.no_slip");
}

#[test]
fn tables_know_their_hits() {
    let book = good();
    assert_eq!(table(&book, "rebate").hit, Hit::Steps(0));
    let window = table(&book, "window");
    assert_eq!(window.hit, Hit::Nearest);
    assert_eq!(window.extra.len(), 1);
    assert!(
        matches!(window.own.rows[1].tests[1], Test::OneOf(ref t) if t.len() == 4 && t[3] == Test::Absent)
    );
    assert!(matches!(window.own.rows[3].results[0], CellValue::Undecided(ref l) if l.zh.is_some()));
    assert_eq!(window.own.rows[0].clause.as_deref(), Some("6.6a"));
    let pay = table(&book, "pay");
    let Test::Interval { low: Some((Const::Num(n), true)), high: None } = &pay.own.rows[0].tests[1] else {
        panic!()
    };
    assert_eq!(*n, num_rational::BigRational::new(4.into(), 5.into()));
}

#[test]
fn settings_and_dated_values_are_entered() {
    let book = good();
    let limit = book.params.iter().find(|p| p.name == "limit").unwrap();
    assert_eq!(limit.settings.len(), 1);
    assert_eq!(limit.settings[0].values[0].dates.before, None);
    assert!(limit.settings[0].values[0].dates.from.is_some());
    let fee = book.params.iter().find(|p| p.name == "fee").unwrap();
    assert_eq!(fee.values[0].dates.before, fee.values[1].dates.from);
}

#[test]
fn an_absent_value_is_in_nothing() {
    let book = book("rule r when item.season in {summer, winter} then deny\n");
    let ExprKind::And(there, inside) = &rule(&book, "r").when.as_ref().unwrap().kind else { panic!() };
    assert!(matches!(&there.kind, ExprKind::Not(x) if matches!(x.kind, ExprKind::IsAbsent(_))));
    let ExprKind::In(x, Membership::Values(v)) = &inside.kind else { panic!() };
    assert!(matches!(x.kind, ExprKind::Present(_)) && v.len() == 2);
}

#[test]
fn conditions_narrow_what_follows() {
    let texts = [
        "rule r when item.price_now is not absent and item.price_now > 3 CNY then deny",
        "rule r when item.price_now is absent or item.price_now > 3 CNY then deny",
        "rule r when item.price_now is not absent then refund_amount = item.price_now",
        "rule r when item.price_now is 3 CNY then refund_amount = item.price_now",
        "rule r when item.price_now in [1 CNY..3 CNY] then refund_amount = item.price_now",
        "rule r then refund_amount = if item.price_now is absent then 0 CNY else item.price_now",
        "rule r when not (item.price_now is absent or item.opened) then refund_amount = item.price_now",
        "rule r then refund_amount = sum(l.size for l in lines where l.size is not absent)",
        "let there = item.price_now is not absent\nrule r when there then refund_amount = item.price_now",
        "rule r when verdict is not deny and refund_amount > 3 CNY then note = \"dear\"",
        "rule r when receipt.member is not absent and receipt.member.tier is gold then deny",
        "rule r when receipt.member is not absent and receipt.member.birthday is not absent \
         and receipt.member.birthday <= today then deny",
    ];
    for text in texts {
        book(&format!("{text}\n"));
    }
}

#[test]
fn integers_widen_where_decimals_are() {
    let book = book(
        "let a = item.weight + item.count\nlet b = if item.opened then 1 else 0.5\nlet c = item.count * item.paid\n\
                     rule r when a > b then refund_amount = c\n",
    );
    let ExprKind::Arith(ArithOp::Add, _, right) = &value(&book, "a").kind else { panic!() };
    assert!(matches!(right.kind, ExprKind::Widen(_)) && right.ty == Ty::Dec);
    let ExprKind::If(_, one, _) = &value(&book, "b").kind else { panic!() };
    assert!(one.ty == Ty::Dec && matches!(one.kind, ExprKind::Const(_)));
    let c = value(&book, "c");
    assert!(c.ty == Ty::Money && c.on_step);
}

#[test]
fn working_outputs_are_on_step_if_all_that_makes_them_is() {
    let book = book(
        "rule a then base = item.paid\nrule b then deductions = item.paid * 5%\n\
                     rule c then refund_amount = base - deductions rounded half up\nrule d then note = \"x\"\n",
    );
    let c = &rule(&book, "c").effects[0].value;
    let ExprKind::Round { value, .. } = &c.kind else { panic!() };
    let ExprKind::Arith(ArithOp::Sub, base, deductions) = &value.kind else { panic!() };
    assert!(base.on_step && !deductions.on_step && !value.on_step && c.on_step);
}

#[test]
fn a_name_of_several_versions_is_that_of_its_date() {
    let text = "library shop.v\n  from 2020-01-01 before 2026-01-01\n  governed by receipt.date\nlet fee = 3 CNY\n\
                library shop.v\n  from 2026-01-01\n  governed by receipt.date\nlet fee = 4 CNY\n\
                policy shop.a decides return_item\n  layer chain jiajie\n  uses shop.v\nrule r then refund_amount = fee\n\
                policy shop.b decides return_item\n  layer chain jiajie\n  from 2026-03-01\n  governed by receipt.date\n  uses shop.v\n\
                rule s then refund_amount = fee\n";
    let loaded = load(&[("base.vocab", VOCAB), ("a.policy", text)], &LAYERS, &PLACES);
    assert!(loaded.checked.rulebook.is_some(), "{}", loaded.shown());
    let book = loaded.checked.rulebook.unwrap();
    let e = &rule(&book, "r").effects[0].value;
    let ExprKind::If(before, old, new) = &e.kind else { panic!() };
    assert!(matches!(before.kind, ExprKind::Cmp(CmpOp::Lt, ..)));
    let fee = |e: &Expr| match &e.kind {
        ExprKind::Let(id) => book.lets[id.ix()].value.kind.clone(),
        _ => panic!(),
    };
    assert!(
        matches!(fee(old), ExprKind::Const(Const::Money(n, _)) if n == num_rational::BigRational::from_integer(3.into()))
    );
    assert!(
        matches!(fee(new), ExprKind::Const(Const::Money(n, _)) if n == num_rational::BigRational::from_integer(4.into()))
    );
    // A policy within the dates of one version sees only that one.
    assert!(matches!(rule(&book, "s").effects[0].value.kind, ExprKind::Let(_)));
}

#[test]
fn csv_rows_are_checked_like_others() {
    let policy = format!(
        "{HEAD}table rates(c: category, n: integer) -> rate: decimal file \"rates.csv\"\n\
                          rule r then deductions = item.paid * rates(item.category, 3)\n"
    );
    let good =
        "\u{feff}n,c,rate,clause,from\n\">= 3\",\"jade, fur\",15%,\"§3.4\",\n-,fresh,8.8折,,2026-01-01\n\n";
    let loaded = load(&[("base.vocab", VOCAB), ("a.policy", &policy), ("rates.csv", good)], &LAYERS, &PLACES);
    assert!(loaded.checked.rulebook.is_some(), "{}", loaded.shown());
    let book = loaded.checked.rulebook.unwrap();
    let rows = &table(&book, "rates").own.rows;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].clause.as_deref(), Some("3.4"));
    assert!(matches!(&rows[0].tests[0], Test::OneOf(t) if t.len() == 2));
    assert!(matches!(rows[0].tests[1], Test::Interval { .. }));
    assert!(rows[1].dates.from.is_some());
    let bad = [
        ("c,n\n", "E0410 column `rate` of `rates` is missing"),
        ("c,n,rat\n", "E0410 `rates` has no column `rat`; did you mean `rate`?"),
        ("c,n,rate\nfreshh,1,5%\n", "E0201 `freshh` is not one of `category`; did you mean `fresh`?"),
        ("c,n,rate\nfresh,,5%\n", "E0131 this cell is empty"),
        ("c,n,rate,from\nfresh,1,5%,soon\n", "E0410 `soon` is not a date"),
        ("", "E0415 `rates.csv` is empty"),
    ];
    for (text, want) in bad {
        let loaded =
            load(&[("base.vocab", VOCAB), ("a.policy", &policy), ("rates.csv", text)], &LAYERS, &PLACES);
        assert_eq!(loaded.lines(), [want]);
        let place = loaded.checked.diagnostics[0].data(&loaded.map).place;
        assert!(place.file == "rates.csv" || text.is_empty(), "{}", loaded.shown());
    }
    let loaded = load(&[("base.vocab", VOCAB), ("a.policy", &policy)], &LAYERS, &PLACES);
    assert_eq!(loaded.lines(), ["E0415 `rates.csv` cannot be read: there is no such file"]);
}

#[test]
fn cases_take_over_what_they_are_like() {
    let text = "cases for return_item at s1\nbackground \"b\" given item.opened = yes, item.season = summer\n\
        case \"a\" with \"b\" given lines = [line(paid: 3 CNY, category: jade)], receipt.member = absent\n\
          expect refer by base, needs item.price_now, item.paid\n\
        case \"c\" like \"a\" given item.season = unknown, member_spend(2026) = 10 CNY\n\
          expect remedies = {refund} not by shop.main.base, note is absent, deny by default\n";
    let policy = format!("{HEAD}{TAIL}");
    let files = [("base.vocab", VOCAB), ("a.policy", policy.as_str()), ("a.cases", text)];
    let loaded = load(&files, &LAYERS, &PLACES);
    assert!(loaded.checked.rulebook.is_some(), "{}", loaded.shown());
    let [a, c] = loaded.checked.cases.as_slice() else { panic!("{}", loaded.shown()) };
    assert_eq!((a.store.as_str(), a.decision), ("s1", DecisionId(0)));
    let needs = ["item.price_now", "item.paid"].map(|fact| Need::Path(fact.to_owned()));
    assert_eq!(a.needs.as_deref().map(|n| n.iter().all(|n| needs.contains(n)) && n.len() == 2), Some(true));
    assert_eq!(a.expect[0].by, [vec![RuleId(0)]]);
    assert_eq!(a.given.len(), 4);
    assert!(
        matches!(&a.given[2].value, Given::List(l) if matches!(&l[0], Given::Entity(_, f) if f.len() == 2 && f[0].0 == 0))
    );
    assert_eq!(a.given[3].value, Given::Absent);
    assert_eq!(c.given.len(), 6);
    assert_eq!(c.given[4].value, Given::Unknown);
    assert!(matches!(&c.given[5].target, Target::Call(_, args) if args.len() == 1));
    assert_eq!(c.expect[0].not_by, [RuleId(0)]);
    assert_eq!(c.expect[1].want, Want::Absent);
    assert!(c.expect[2].by_default && c.needs.is_none());
}

#[test]
fn guards_with_loops_of_their_own_are_shared() {
    let vocab = VOCAB.replace(
        "  note: one text optional\n",
        "  note: one text optional\n  a: one money if any(l.returned for l in lines) else 0 CNY\n  b: one money if any(l.returned for l in lines) else 0 CNY\n",
    );
    let text = format!("{HEAD}rule x then a = 3 CNY\nrule y when a > 2 CNY then b = a\n");
    let loaded = load(&[("base.vocab", &vocab), ("a.policy", &text)], &LAYERS, &PLACES);
    assert!(loaded.checked.rulebook.is_some(), "{}", loaded.shown());
    let d = &loaded.checked.rulebook.as_ref().unwrap().vocab.decisions[0];
    let key = |name: &str| d.outputs.iter().find(|o| o.name == name).unwrap().guard_key;
    assert!(key("a").is_some() && key("a") == key("b"));
}
