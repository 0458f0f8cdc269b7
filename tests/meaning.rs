//! The meaning of the language, construct by construct, as texts with facts and what must be answered: by the walk and by
//! the compiled program alike.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
#[path = "meaning/bounds.rs"]
mod bounds;
mod support;
#[path = "meaning/undecided.rs"]
mod undecided;

use serde_json::{Value, json};
use support::facts::VOCAB;
use support::program::{Program, program};
use zhanggui::program::compile::Compiled;
use zhanggui::program::explain::explain;
use zhanggui::program::render::Renderer;
use zhanggui::program::vm::Frame;
use zhanggui::program::walk;

/// The vocabulary of the tests on random policies with these decisions, and a policy of the chain for `d` with these
/// declarations; further text (other policies) after a line `---`.
fn book(decisions: &str, body: &str) -> Program {
    let (body, others) = body.split_once("---\n").unwrap_or((body, ""));
    let vocab = format!("{VOCAB}{decisions}");
    let policies = format!(
        "policy chain.main decides d\n  layer chain jia\n  governed by today\n  rounding half up\n{body}\n{others}"
    );
    program(&vocab, &policies, chrono_tz::Asia::Shanghai).unwrap_or_else(|e| panic!("{e}"))
}

fn given(outputs: &str) -> String {
    format!("decision d given item, lines, receipt, today, codes {{ {outputs} }}\n")
}

/// The whole answer, which both evaluators must give.
fn answer(program: &Program, facts: &Value) -> Value {
    let decision = program.decision("d");
    let bound = program.bind(&facts.to_string());
    let walked = walk::evaluate(&program.linked, decision, &bound);
    let compiled = Compiled::new(program.linked.clone()).evaluate(decision, &bound, &mut Frame::new());
    let renderer = Renderer::new(program.linked.clone());
    let text = renderer.render(&walked);
    assert_eq!(text, renderer.render(&compiled));
    serde_json::from_str(&text).unwrap()
}

/// One output of the answer.
fn output(program: &Program, facts: Value, name: &str) -> Value {
    let answer = answer(program, &facts);
    answer["outcome"].get(name).cloned().unwrap_or_else(|| answer["open"].clone())
}

fn cny(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

fn rules(answer: &Value) -> Vec<&str> {
    answer["because"].as_array().unwrap().iter().map(|b| b["rule"].as_str().unwrap()).collect()
}

#[test]
fn calls_change_roots_and_keep_the_names_of_facts() {
    let decisions = given("back: one money else 0 CNY")
        + "decision e given item, lines, today { total: one money else 0 CNY, kept each l in lines: one money else 0 CNY }\n";
    let program = book(
        &decisions,
        "rule back then back = e(lines: lines).total - e(lines: list(l for l in lines where not l.full)).total
---
policy chain.e decides e
  layer chain jia
  governed by today
rule keep for each l in lines when l.n > 0 then l.kept = l.paid
rule total then total = sum(l.kept for l in lines)
",
    );
    let line = |paid: &str, n: i64, full: bool| json!({"paid": paid, "n": n, "full": full});
    let all = json!({"lines": [line("5.00", 1, true), line("7.00", 1, false), line("9.00", 0, true)], "today": "2026-07-01"});
    assert_eq!(output(&program, all, "back"), cny("5.00"));
    let open = json!({"lines": [line("5.00", 1, true), {"n": 1, "full": false}], "today": "2026-07-01"});
    assert!(answer(&program, &open)["needs"].to_string().contains("lines[1].paid"));
}

#[test]
fn a_time_governs_by_the_day_of_the_store() {
    let program = book(
        &given("fee: one money optional"),
        "---
policy chain.old decides d
  layer chain jia
  before 2026-07-01
  governed by item.moment
rule old then fee = 1 CNY
policy chain.new decides d
  layer chain jia
  from 2026-07-01
  governed by item.moment
rule new then fee = 2 CNY
",
    );
    let fee =
        |moment: &str| output(&program, json!({"item": {"moment": moment}, "today": "2026-01-01"}), "fee");
    // The store's day begins at 02:00 in its zone, wherever the clock stood that was read.
    assert_eq!(fee("2026-07-01T01:59:59+08:00"), cny("1.00"));
    assert_eq!(fee("2026-06-30T18:00:00Z"), cny("2.00"));
}

#[test]
fn periods_and_durations_add_up_over_a_list() {
    let program = book(
        &given("term: one period optional, none: one period optional, hours: one duration optional"),
        "rule term then term = sum(if l.full then l.n * 1 month else l.n * 1 day for l in lines)
rule none then none = sum(l.n * 1 month for l in lines where l.n > 100)
rule hours then hours = sum(hours from start_of_day(today) to start_of_day(today) + 90 minutes for l in lines)
",
    );
    let line = |n: i64, full: bool| json!({"n": n, "full": full});
    let with = |lines: Value| json!({"lines": lines, "today": "2026-07-01"});
    let days = with(json!([line(3, false), line(4, false)]));
    assert_eq!(output(&program, days.clone(), "term"), json!("P7D"));
    assert_eq!(output(&program, days.clone(), "none"), json!("P0D"));
    assert_eq!(output(&program, days, "hours"), json!("PT3H"));
    assert_eq!(output(&program, with(json!([line(3, true), line(4, true)])), "term"), json!("P7M"));
    assert_eq!(output(&program, with(json!([])), "term"), json!("P0D"));
    // Days and months do not add up.
    let mixed = answer(&program, &with(json!([line(3, true), line(4, false)])));
    assert_eq!(mixed["status"], "faulty");
}

#[test]
fn tables_by_hit_policy() {
    let program = book(
        &given(
            "near: one integer optional, step: one decimal optional, total: one integer optional, else_: one integer optional",
        ),
        "table depth(c: cat) -> n: integer nearest
  | food | 1 |
  | dry | 2 |
  | rice | 3 |
table rebate(p: point) -> back: decimal steps
  | 0 point | 0% | | 1000 point | 1% | | 3000 point | 2% |
table extras(t: tier, m: money) -> n: integer collect sum
  | low | - | 1 |
  | - | >= 100 CNY | 10 |
  | high | - | 100 |
table other(t: tier, c: cat) -> n: integer
  | low | fresh | 1 |
  | low | else | 2 |
  | else | fur | 3 |
  | else | else | 4 |
rule near then near = depth(item.cat)
rule step then step = rebate(item.pts)
rule total then total = extras(item.tier, item.price)
rule other then else_ = other(item.tier, item.cat)
",
    );
    let facts = |cat: &str, pts: i64, tier: &str, price: &str| json!({"item": {"cat": cat, "pts": pts, "tier": tier, "price": price}});
    let of = |cat: &str, tier: &str, name: &str| output(&program, facts(cat, 0, tier, "0"), name);
    assert_eq!(
        [of("rice", "low", "near"), of("flour", "low", "near"), of("fresh", "low", "near")],
        [3, 2, 1]
    );
    assert_eq!(of("gold", "low", "near")[0]["state"], "faulty");
    let step = |pts: i64| output(&program, facts("food", pts, "low", "0"), "step");
    assert_eq!([step(0), step(999), step(1000), step(2999), step(3000)], ["0", "0", "0.01", "0.01", "0.02"]);
    assert_eq!(step(-1)[0]["state"], "faulty");
    let total = |tier: &str, price: &str| output(&program, facts("food", 0, tier, price), "total");
    assert_eq!(
        [total("low", "99.99"), total("low", "100"), total("mid", "0"), total("high", "100")],
        [1, 11, 0, 110]
    );
    assert_eq!([of("fresh", "low", "else_"), of("gold", "low", "else_")], [1, 2]);
    assert_eq!([of("fur", "high", "else_"), of("rice", "mid", "else_")], [3, 4]);
}

#[test]
fn rows_and_settings_of_a_store_come_first_while_they_are_in_force() {
    let program = book(
        &given("last: one date optional, cap: one money optional"),
        "param limit: money = 300 CNY store may set [100 CNY..500 CNY]
table window(c: cat, s: season?) -> length: period §6
  | food | - | 7 days | from 2026-01-01
  | food | - | 3 days | before 2026-01-01
  | cloth | summer | 15 days |
  | cloth | absent | 30 days |
rule last then last = today + window(item.cat, item.season)
rule cap then cap = limit
---
policy store.own decides d
  layer store s1
  governed by today
  from 2026-07-01
  extends chain.main
rows chain.main.window §own
  | food | - | 1 month |
set chain.main.limit = 500 CNY from 2026-08-01
",
    );
    let on = |today: &str, cat: &str| json!({"today": today, "item": {"cat": cat, "season": null}});
    let last = |today: &str, cat: &str| output(&program, on(today, cat), "last");
    assert_eq!(last("2025-12-31", "rice"), "2026-01-03");
    assert_eq!(last("2026-06-30", "rice"), "2026-07-07");
    assert_eq!(last("2026-07-31", "rice"), "2026-08-31");
    assert_eq!(last("2026-07-31", "fur"), "2026-08-30");
    let limit = |today: &str| output(&program, on(today, "food"), "cap");
    assert_eq!([limit("2026-07-31"), limit("2026-08-01")], [cny("300.00"), cny("500.00")]);
    let rows = answer(&program, &on("2026-07-31", "rice"))["because"][1]["rows"].to_string();
    assert!(rows.contains("own"), "{rows}");
    // An unknown season, both rows of cloth being possible: unknown; of food, no row reads it.
    let open = |cat: &str| json!({"today": "2026-06-30", "item": {"cat": cat}});
    assert_eq!(output(&program, open("food"), "last"), "2026-07-07");
    assert_eq!(output(&program, open("fur"), "last")[0]["state"], "needs");
}

#[test]
fn splits_sum_exactly() {
    let program = book(
        &given("part each l in lines: one money else 0 CNY, whole: one money optional"),
        "rule parts for each l in lines then l.part = share(l, receipt.total, x.n for x in lines)
rule whole then whole = sum(p for p in split(receipt.total by x.n for x in lines))
",
    );
    let facts = |n: &[i64]| {
        let lines: Vec<Value> = n.iter().map(|n| json!({"n": n})).collect();
        json!({"receipt": {"total": "10.00"}, "lines": lines})
    };
    let parts = output(&program, facts(&[1, 1, 1]), "part");
    assert_eq!(parts, json!([cny("3.34"), cny("3.33"), cny("3.33")]));
    assert_eq!(output(&program, facts(&[1, 2, 4]), "part"), json!([cny("1.43"), cny("2.86"), cny("5.71")]));
    assert_eq!(output(&program, facts(&[7, 5, 3]), "whole"), cny("10.00"));
    assert_eq!(output(&program, facts(&[0, 0]), "whole")[0]["state"], "faulty");
    assert_eq!(output(&program, facts(&[]), "whole"), cny("0.00"));
}

#[test]
fn fill_takes_the_best_combination() {
    let program = book(
        &given("worth: one money optional, used: one point optional, pieces: one integer optional"),
        "table coupon(cost: point) -> worth: money
  | 3000 point | 10 CNY | | 5000 point | 20 CNY | | 12000 point | 50 CNY |
rule worth then worth = fill(coupon, item.pts).value, used = fill(coupon, item.pts).used, pieces = length(fill(coupon, item.pts).rows)
",
    );
    let of = |pts: i64, name: &str| output(&program, json!({"item": {"pts": pts}}), name);
    assert_eq!(
        [of(20_000, "worth"), of(20_000, "used"), of(20_000, "pieces")],
        [cny("80.00"), json!(20_000), json!(3)]
    );
    assert_eq!(
        [of(2_999, "worth"), of(2_999, "used"), of(2_999, "pieces")],
        [cny("0.00"), json!(0), json!(0)]
    );
    assert_eq!(of(120_000_000_007, "worth"), cny("500000000.00"));
}

#[test]
fn months_clamp_and_business_days_begin_late() {
    let program = book(
        &given("next: one date optional, day: one date optional, open: one date optional"),
        "rule next then next = today + 1 month, open = next_workday(today, cal)
rule day then day = date_of(item.moment)
",
    );
    let of = |today: &str, name: &str| output(&program, json!({"today": today}), name);
    assert_eq!([of("2026-01-31", "next"), of("2024-01-31", "next")], ["2026-02-28", "2024-02-29"]);
    assert_eq!([of("2026-10-01", "open"), of("2026-10-10", "open")], ["2026-10-08", "2026-10-10"]);
    assert_eq!(of("9999-12-31", "next")[0]["state"], "faulty");
    let day = |moment: &str| output(&program, json!({"item": {"moment": moment}}), "day");
    assert_eq!(day("2026-07-02T01:59:59+08:00"), "2026-07-01");
    assert_eq!(day("2026-07-02T02:00:00+08:00"), "2026-07-02");
}

#[test]
fn binding_rules_hold_and_say_what_they_set_aside() {
    let program = book(
        &given("days: max date better higher optional, who: max tier else low"),
        "rule term then days = today + 7 days, who = low
---
policy law.base decides d
  layer law
  governed by today
rule floor when item.flag binding then days at least today + 10 days
binding rule top when item.flag then who = mid
policy store.own decides d
  layer store s1
  governed by today
rule harsh when item.qty is 1 then days at most today + 3 days, who = high
rule kind when item.qty is 2 then days = today + 30 days
",
    );
    let facts = |flag: bool, qty: i64| json!({"today": "2026-07-01", "item": {"flag": flag, "qty": qty}});
    assert_eq!(output(&program, facts(false, 0), "days"), "2026-07-08");
    assert_eq!(output(&program, facts(false, 1), "days"), "2026-07-04");
    assert_eq!(output(&program, facts(true, 0), "days"), "2026-07-11");
    let held = answer(&program, &facts(true, 1));
    assert_eq!((&held["outcome"]["days"], &held["outcome"]["who"]), (&json!("2026-07-11"), &json!("mid")));
    assert_eq!(held["set_aside"].as_array().map(Vec::len), Some(3), "{held}");
    assert_eq!(output(&program, facts(true, 2), "days"), "2026-07-31");
}

#[test]
fn a_clamp_of_a_lower_layer_does_not_move_what_a_binding_rule_fixed() {
    let program = book(
        &given(
            "days: max date better higher optional, fee: one money better lower else 0 CNY, who: max tier else low, total: sum money",
        ),
        "rule term then days = today + 2 days
---
policy law.base decides d
  layer law
  governed by today
rule fixed when item.flag binding then days = today + 7 days, fee = 10 CNY, who = mid, total = 10 CNY
policy store.own decides d
  layer store s1
  governed by today
rule kind when item.qty >= 3 then days = today + 30 days, fee = 4 CNY
rule late when item.qty is 0 then days at most today + 3 days, fee at least 15 CNY, who at most low, total at most 3 CNY
rule kinder when item.qty is 1 then days at least today + 9 days, fee at most 6 CNY, who at least high
rule between when item.qty is 3 then days at most today + 20 days, fee at least 8 CNY
rule beyond when item.qty is 4 then days at most today + 5 days, fee at least 12 CNY
",
    );
    let facts = |flag: bool, qty: i64| json!({"today": "2026-07-01", "item": {"flag": flag, "qty": qty}});
    let told = |flag: bool, qty: i64| {
        let answer = answer(&program, &facts(flag, qty));
        let out = |name: &str| answer["outcome"][name].clone();
        let aside = answer["set_aside"].as_array().into_iter().flatten();
        let aside = aside.filter(|pair| pair.to_string().contains("store.own")).count();
        (out("days"), out("fee"), out("who"), aside)
    };
    let cny = |amount: &str| cny(amount);
    // Nothing binds: the clamps of the store do what they say.
    assert_eq!(told(false, 0), (json!("2026-07-03"), cny("15.00"), json!("low"), 0));
    assert_eq!(told(false, 1), (json!("2026-07-10"), cny("0.00"), json!("high"), 0));
    // The law's values are not made worse; a sum is no one rule's value.
    assert_eq!(told(true, 0), (json!("2026-07-08"), cny("10.00"), json!("mid"), 1));
    assert_eq!(output(&program, facts(true, 0), "total"), cny("3.00"));
    // They may be made better where the output says which way is, and only there.
    assert_eq!(told(true, 1), (json!("2026-07-10"), cny("6.00"), json!("mid"), 1));
    // What a kinder rule gave may be limited, but not to less than the law gives.
    assert_eq!(told(true, 3), (json!("2026-07-21"), cny("8.00"), json!("mid"), 0));
    assert_eq!(told(true, 4), (json!("2026-07-31"), cny("4.00"), json!("mid"), 1));
    let aside = answer(&program, &facts(true, 0))["set_aside"].to_string();
    assert!(aside.contains("law.base.fixed") && aside.contains("store.own.late"), "{aside}");
}

#[test]
fn overrides_act_by_output_element_group_and_policy() {
    let program = book(
        &given(
            "refund: one money else 0 CNY, verdict: max tier else low, part each l in lines: one money else 0 CNY",
        ),
        "rule a in exclusions when item.flag then verdict = high
rule b then refund = 1 CNY, verdict = mid
rule c when item.qty >= 1 then refund = 2 CNY overrides b for refund
rule d when item.qty >= 2 then verdict = low overrides exclusions
rule each_line for each l in lines then l.part = l.paid
rule not_full for each l in lines when l.full then l.part = 0 CNY overrides each_line
",
    );
    let facts = |flag: bool, qty: i64| {
        let line = |full: bool| json!({"paid": "5.00", "full": full});
        json!({"item": {"flag": flag, "qty": qty}, "lines": [line(true), line(false)]})
    };
    let of = |flag: bool, qty: i64| {
        let answer = answer(&program, &facts(flag, qty));
        (answer["outcome"]["refund"].clone(), answer["outcome"]["verdict"].clone())
    };
    assert_eq!(of(true, 0), (cny("1.00"), json!("high")));
    assert_eq!(of(true, 1), (cny("2.00"), json!("high")));
    assert_eq!(of(true, 2), (cny("2.00"), json!("mid")));
    assert_eq!(output(&program, facts(true, 0), "part"), json!([cny("0.00"), cny("5.00")]));
    let answer = answer(&program, &facts(false, 1));
    assert_eq!(
        rules(&answer),
        ["chain.main.b", "chain.main.c", "chain.main.each_line", "chain.main.not_full"]
    );
}

#[test]
fn guarded_outputs_are_absent_or_there_for_their_rules() {
    let program = book(
        &given(
            "verdict: max tier else low, refund: one money if verdict is not high else 0 CNY, who: max tier if verdict is not high else low",
        ),
        "rule high when item.flag then verdict = high
rule price then refund = item.price
rule large when refund > 100 CNY then who = mid
",
    );
    let facts = |flag: bool, price: &str| json!({"item": {"flag": flag, "price": price}});
    let denied = answer(&program, &json!({"item": {"flag": true}}));
    assert_eq!((&denied["status"], &denied["outcome"]["who"]), (&json!("decided"), &Value::Null));
    assert_eq!(output(&program, facts(false, "100.01"), "who"), "mid");
    assert_eq!(output(&program, facts(false, "100"), "who"), "low");
    let open = answer(&program, &json!({"item": {"price": "1.00"}}));
    assert!(open["needs"].to_string().contains("item.flag"), "{open}");
}

#[test]
fn roundings_are_exact() {
    let program = book(
        &given("a: one money optional, b: one money optional, c: one money optional, d: one money optional"),
        "rule r then a = item.price * item.ratio rounded down, b = item.price * item.ratio rounded up,
  c = item.price * item.ratio rounded, d = item.price * item.ratio rounded half even to 0.10 CNY
",
    );
    let of = |price: &str, ratio: &str| {
        let outcome = answer(&program, &json!({"item": {"price": price, "ratio": ratio}}))["outcome"].clone();
        ["a", "b", "c", "d"].map(|o| outcome[o]["amount"].as_str().unwrap().to_owned())
    };
    assert_eq!(of("0.25", "0.5"), ["0.12", "0.13", "0.13", "0.10"]);
    assert_eq!(of("0.30", "0.5"), ["0.15", "0.15", "0.15", "0.20"]);
    assert_eq!(of("0.50", "0.5"), ["0.25", "0.25", "0.25", "0.20"]);
    assert_eq!(of("0.25", "-0.5"), ["-0.13", "-0.12", "-0.13", "-0.10"]);
}

#[test]
fn explanations_name_the_part_that_failed_with_what_it_saw() {
    let program = book(
        &given("last: one date optional, who: max tier else low, back: one money optional"),
        "let until = receipt.day + window(item.cat)
let small = item.price < 100 CNY or item.flag
table window(c: cat) -> length: period §6
  | food | 7 days | §6.1
rule in_time §1 when item.flag and today <= until then last = until
rule small §2 when small then who = high
rule both §3 when not (item.flag and item.cat in cloth) then who = mid overrides small
rule later §4 from 2027-01-01 then who = high
rule each_line for each l in lines when l.full then who = high
rule back then back = item.price / 3 rounded down
",
    );
    let facts = json!({"today": "2026-07-09", "receipt": {"day": "2026-07-01"}, "lines": [{"full": false}, {}],
        "item": {"cat": "rice", "flag": true, "price": "100.00"}});
    let bound = program.bind(&facts.to_string());
    let why = explain(&program.linked, program.decision("d"), &bound);
    let text = |rule: &str, element: Option<usize>| {
        let of = |n: &&zhanggui::program::explain::NotEffective| {
            n.by.rule == format!("chain.main.{rule}") && n.element == element
        };
        let found = why.not_effective.iter().find(of);
        found.map(|n| (n.reason, n.text.en.clone())).unwrap_or(("", String::new()))
    };
    assert_eq!(
        text("in_time", None),
        ("condition", "`today (2026-07-09) <= until (2026-07-08)` is false".into())
    );
    assert_eq!(text("small", None), ("overridden", "overridden by chain.main.both §3".into()));
    assert_eq!(text("later", None), ("dates", "2026-07-09 is outside its dates (from 2027-01-01)".into()));
    assert_eq!(text("each_line", Some(0)), ("condition", "`l.full (no)` is false".into()));
    assert_eq!(text("each_line", Some(1)).0, "open");
    assert_eq!(text("both", None), ("", String::new()));
    let until = why.lets.iter().find(|l| l.name == "chain.main.until").unwrap();
    assert_eq!(until.definition.as_deref(), Some("receipt.day + window(item.cat)"));
    assert_eq!(until.is.value.as_deref(), Some("2026-07-08"));
    assert_eq!(why.rows[0].cells, "| food | 7 days |");
    assert_eq!(why.rows[0].clause.as_deref(), Some("6.1"));
    let round = &why.roundings[0];
    assert_eq!((round.before.as_str(), round.after.as_str()), ("100/3 CNY", "33.33 CNY"));
    assert_eq!((round.mode.as_str(), round.step.as_str()), ("down", "0.01 CNY"));
    assert_eq!(round.within.as_deref(), Some("chain.main.back"));
    let who = why.outputs.iter().find(|o| o.output == "who").unwrap();
    assert_eq!(who.is.state, "needs");
    assert!(why.to_json().starts_with("{\"decision\":\"d\""));
}

#[test]
fn long_chains_of_lets_and_operators_do_not_exhaust_the_stack_of_the_walk() {
    let chain = 3_000;
    let mut body = String::from("let a0 = item.qty\n");
    for i in 1..=chain {
        body.push_str(&format!("let a{i} = a{} + 1\n", i - 1));
    }
    let long = vec!["1"; 250].join(" + ");
    body.push_str(&format!("rule r then n = a{chain} + ({long})\n"));
    let program = book(&given("n: one integer optional"), &body);
    let walked = |facts: &str| {
        let outcome = walk::evaluate(&program.linked, program.decision("d"), &program.bind(facts));
        Renderer::new(program.linked.clone()).render(&outcome)
    };
    assert!(walked(r#"{"item":{"qty":1}}"#).contains(r#""outcome":{"n":3251}"#));
    assert!(walked("{}").contains("item.qty"));
}

#[test]
fn explanations_of_long_lists_stay_short() {
    let program = book(
        &given("n: sum integer"),
        "rule full for each l in lines when l.full then n = 1
rule any for each l in lines then n = 2
",
    );
    let lines = vec![json!({"full": false}); 200];
    let bound = program.bind(&json!({"today": "2026-07-01", "lines": lines}).to_string());
    let why = explain(&program.linked, program.decision("d"), &bound);
    assert_eq!(why.not_effective.len(), 51);
    let last = why.not_effective.last().unwrap();
    assert_eq!((last.reason, last.text.en.as_str()), ("more", "150 more elements are not listed"));
}

/// A counter that is carried from line to line, cleared where it is full.
fn counted() -> Program {
    book(
        &given(
            "working had each l in lines: sum integer, after each l in lines: one integer else 0, \
             full: all text, gap each l in lines: one money optional, at_last: one integer else 7, at_first: one integer optional",
        ),
        "rule had for each l in lines then l.had = previous(l.after) otherwise item.qty
rule count for each l in lines when l.had < 2 then l.after = l.had + l.n
rule full for each l in lines when l.had >= 2 then l.after = 0, full add l.ref
rule gap for each l in lines when previous(l.paid) is not absent and l.paid > previous(l.paid) then l.gap = l.paid - previous(l.paid)
rule at_last when last(after) is not absent then at_last = last(after)
rule at_first then at_first = first(list(l.after for l in lines where l.full)) otherwise -1
",
    )
}

fn counted_line(n: i64, paid: &str) -> Value {
    json!({"n": n, "paid": paid, "ref": format!("{n} for {paid}"), "full": n == 2})
}

#[test]
fn what_looks_back_is_carried_along_the_list() {
    let program = counted();
    let lines = [
        counted_line(1, "5"),
        counted_line(0, "7"),
        counted_line(2, "6"),
        counted_line(1, "6"),
        counted_line(1, "9"),
    ];
    let facts = json!({"lines": lines, "item": {"qty": 0}, "today": "2026-07-01"});
    let answer = answer(&program, &facts);
    assert_eq!(answer["outcome"]["after"], json!([1, 1, 3, 0, 1]));
    assert_eq!(answer["outcome"]["full"], json!(["1 for 6"]));
    assert_eq!(answer["outcome"]["gap"], json!([null, cny("2.00"), null, null, cny("3.00")]));
    assert_eq!([&answer["outcome"]["at_last"], &answer["outcome"]["at_first"]], [&json!(1), &json!(3)]);
    assert!(Compiled::new(program.linked.clone()).describe().contains("d: on the walk: `previous`"));
    let none = json!({"lines": [], "today": "2026-07-01"});
    assert_eq!(output(&program, none.clone(), "at_last"), 7);
    assert_eq!(output(&program, none, "after"), json!([]));
}

#[test]
fn what_comes_later_does_not_trouble_what_comes_before() {
    let program = counted();
    let mut unknown = counted_line(1, "9");
    unknown.as_object_mut().unwrap().remove("n");
    let of = |lines: Vec<Value>| {
        answer(&program, &json!({"lines": lines, "item": {"qty": 0}, "today": "2026-07-01"}))
    };
    let open = of(vec![counted_line(1, "5"), unknown.clone(), counted_line(1, "6")]);
    assert_eq!([&open["needs"][0]["fact"], &open["needs"][1]], [&json!("lines[1].n"), &Value::Null]);
    // A full counter is cleared whatever comes after it: the unknown number of that line is not needed.
    let decided = of(vec![counted_line(2, "5"), unknown]);
    assert_eq!(decided["outcome"]["after"], json!([2, 0]));
}

#[test]
fn a_long_list_is_looked_back_along() {
    let program = counted();
    let lines: Vec<Value> = (0..2000).map(|i| counted_line(i % 2, "1")).collect();
    let answer = answer(&program, &json!({"lines": lines, "item": {"qty": 0}, "today": "2026-07-01"}));
    let after = answer["outcome"]["after"].as_array().unwrap();
    assert_eq!(
        (after.len(), &after[..8]),
        (2000, json!([0, 1, 1, 2, 0, 1, 1, 2]).as_array().unwrap().as_slice())
    );
}

#[test]
fn called_decisions_look_back_along_the_list_they_are_given() {
    let decisions = given("kept: one integer else 0")
        + "decision e given lines, today { so_far each l in lines: sum integer, all_: one integer else 0 }\n";
    let program = book(
        &decisions,
        "rule kept then kept = e(lines: list(l for l in lines where not l.full)).all_
---
policy chain.e decides e
  layer chain jia
  governed by today
rule so_far for each l in lines then l.so_far = (previous(l.so_far) otherwise 0) * 2 + l.n
rule all_ when last(so_far) is not absent then all_ = last(so_far)
",
    );
    let lines = [counted_line(1, "1"), counted_line(2, "1"), counted_line(3, "1")];
    assert_eq!(output(&program, json!({"lines": lines, "today": "2026-07-01"}), "kept"), 5);
}
