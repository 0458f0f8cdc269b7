//! Undecided, in conflict or faulty is an answer only where no missing fact could make another of it; else it is asked for.
use super::{answer, book, given, output};
use serde_json::{Value, json};

/// What an output is, with the facts that are asked for.
fn fee(body: &str, facts: Value) -> String {
    fee_of("fee: one money else 0 CNY", body, facts)
}

fn fee_of(outputs: &str, body: &str, mut facts: Value) -> String {
    facts["today"] = json!("2026-07-01");
    let answer = answer(&book(&given(outputs), body), &facts);
    let needs: Vec<&str> =
        answer["needs"].as_array().unwrap().iter().map(|n| n["fact"].as_str().unwrap()).collect();
    match answer["status"].as_str().unwrap() {
        "needs" => format!("needs {}", needs.join(", ")),
        "decided" => answer["outcome"]["fee"].to_string().replace('"', ""),
        other => other.to_owned(),
    }
}

fn item(facts: Value) -> Value {
    json!({ "item": facts })
}

#[test]
fn a_question_that_a_missing_fact_can_avoid_is_not_the_answer() {
    let body = "rule fee then fee = if item.qty > 5 then 29 CNY else undecided \"who pays?\"";
    assert_eq!(fee(body, item(json!({}))), "needs item.qty");
    assert_eq!(fee(body, item(json!({"qty": 6}))), "{amount:29.00,currency:CNY}");
    assert_eq!(fee(body, item(json!({"qty": 5}))), "undecided");
    let flag = "rule fee then fee = if item.flag then 29 CNY else undecided \"who pays?\"";
    assert_eq!(fee(flag, item(json!({}))), "needs item.flag");
}

#[test]
fn what_is_undecided_every_way_stays_undecided() {
    let both = "rule fee then fee = if item.flag then undecided \"a\" else undecided \"b\"";
    assert_eq!(fee(both, item(json!({}))), "undecided");
    let open = "rule fee then fee = if item.qty > 5 then undecided \"a\" else undecided \"b\"";
    assert_eq!(fee(open, item(json!({}))), "undecided");
    let sum = "rule fee then fee = item.price + undecided \"a\"";
    assert_eq!(fee(sum, item(json!({}))), "undecided");
    let nested = "rule fee then fee = if item.flag then (if item.qty > 5 then 1 CNY else undecided \"a\") else undecided \"b\"";
    assert_eq!(fee(nested, item(json!({}))), "needs item.flag, item.qty");
    assert_eq!(fee(nested, item(json!({"flag": false}))), "undecided");
    // The rule may not apply, but then the output is undecided, too.
    let fallback = "rule fee when item.flag then fee = undecided \"a\"";
    assert_eq!(fee_of("fee: one money else undecided \"b\"", fallback, item(json!({}))), "undecided");
}

#[test]
fn faults_are_avoided_likewise() {
    let fault = "rule fee then fee = if item.flag then 29 CNY else item.price / item.qty rounded half up";
    let facts = |flag: Value| item(json!({"qty": 0, "price": "1.00", "flag": flag}));
    assert_eq!(fee(fault, item(json!({"qty": 0, "price": "1.00"}))), "needs item.flag");
    assert_eq!(fee(fault, facts(json!(false))), "faulty");
}

#[test]
fn and_and_or_ask_for_what_decides_them() {
    let body = "table t(n: integer) -> yes_: bool
  | 1 | yes |
  | else | undecided \"q\" |
rule fee when t(item.qty) and item.flag then fee = 5 CNY";
    assert_eq!(fee(body, item(json!({"qty": 2}))), "needs item.flag");
    assert_eq!(fee(body, item(json!({"qty": 2, "flag": false}))), "{amount:0.00,currency:CNY}");
    assert_eq!(fee(body, item(json!({"qty": 2, "flag": true}))), "undecided");
    let or = body.replace(" and item.flag", " or item.flag");
    assert_eq!(fee(&or, item(json!({"qty": 2}))), "needs item.flag");
    assert_eq!(fee(&or, item(json!({"qty": 2, "flag": true}))), "{amount:5.00,currency:CNY}");
    assert_eq!(fee(&or, item(json!({"qty": 2, "flag": false}))), "undecided");
}

#[test]
fn a_rule_in_doubt_may_put_an_undecided_one_aside() {
    let body = "rule fee then fee = undecided \"q\"
rule members when receipt.member is not absent then fee = 5 CNY overrides fee";
    let facts = |member: Value| json!({"receipt": {"member": member}});
    assert_eq!(fee(body, json!({})), "needs receipt.member");
    assert_eq!(fee(body, facts(json!({"level": "low"}))), "{amount:5.00,currency:CNY}");
    assert_eq!(fee(body, facts(Value::Null)), "undecided");
    // Nothing puts it aside here.
    let apart = body.replace(" overrides fee", "");
    assert_eq!(fee(&apart, json!({})), "undecided");
    // The undecided rule may not apply itself.
    let maybe = "rule fee when item.flag then fee = undecided \"q\"\nrule usual then fee = 5 CNY";
    assert_eq!(fee(maybe, item(json!({}))), "needs item.flag");
    assert_eq!(fee(maybe, item(json!({"flag": false}))), "{amount:5.00,currency:CNY}");
}

#[test]
fn the_greatest_verdict_makes_an_undecided_one_pointless() {
    let outputs = "fee: max tier else low";
    let body = "rule doubt then fee = undecided \"q\"\nrule top when item.flag then fee = high";
    assert_eq!(fee_of(outputs, body, item(json!({}))), "needs item.flag");
    assert_eq!(fee_of(outputs, body, item(json!({"flag": true}))), "high");
    assert_eq!(fee_of(outputs, body, item(json!({"flag": false}))), "undecided");
    let lower = body.replace("= high", "= mid");
    assert_eq!(fee_of(outputs, &lower, item(json!({}))), "undecided");
    // A rule that waits for an undecided condition changes nothing that is reached anyway.
    let known = "table t(n: integer) -> yes_: bool
  | 1 | yes |
  | else | undecided \"q\" |
rule doubt when t(item.qty) then fee = mid
rule top when item.flag then fee = high";
    assert_eq!(fee_of(outputs, known, item(json!({"qty": 2}))), "needs item.flag");
    assert_eq!(fee_of(outputs, known, item(json!({"qty": 2, "flag": true}))), "high");
    let as_much = known.replace("= high", "= mid");
    assert_eq!(fee_of(outputs, &as_much, item(json!({"qty": 2}))), "needs item.flag");
    let less = known.replace("= high", "= low");
    assert_eq!(fee_of(outputs, &less, item(json!({"qty": 2}))), "undecided");
}

#[test]
fn a_table_asks_for_its_key_unless_all_rows_that_may_fit_are_undecided() {
    let table = "table t(n: integer, s: season?) -> fee: money
  | < 10 | - | 5 CNY |
  | >= 10 | summer | undecided \"summer?\" |
  | >= 10 | else | undecided \"heavy?\" |
rule fee then fee = t(item.qty, item.season)";
    assert_eq!(fee(table, item(json!({"season": "summer"}))), "needs item.qty");
    assert_eq!(fee(table, item(json!({"qty": 12}))), "undecided");
    assert_eq!(fee(table, item(json!({"qty": 2}))), "{amount:5.00,currency:CNY}");
    let first = "table t(n: integer, m: integer) -> fee: money first
  | >= 10 | - | undecided \"a\" |
  | - | >= 10 | undecided \"b\" |
  | 3 | - | undecided \"c\" |
  | - | - | 5 CNY |
rule fee then fee = t(item.qty, 12)";
    assert_eq!(fee(first, item(json!({}))), "undecided");
    let free = first.replace("t(item.qty, 12)", "t(item.qty, 2)");
    assert_eq!(fee(&free, item(json!({}))), "needs item.qty");
    // Where all rows are undecided and none may fit, the gap is no answer either.
    let gap = "table t(n: integer) -> fee: money
  | < 10 | undecided \"a\" |
rule fee then fee = t(item.qty)";
    assert_eq!(fee(gap, item(json!({}))), "faulty");
}

#[test]
fn otherwise_does_not_need_what_it_may_not_reach() {
    let body =
        "rule fee then fee = if (item.season otherwise undecided \"q\") is summer then 1 CNY else 2 CNY";
    assert_eq!(fee(body, item(json!({}))), "needs item.season");
    assert_eq!(fee(body, item(json!({"season": null}))), "undecided");
}

#[test]
fn a_guard_in_doubt_asks() {
    let outputs = "fee: one money if item.flag optional";
    let body = "rule fee then fee = undecided \"q\"";
    assert_eq!(fee_of(outputs, body, item(json!({}))), "needs item.flag");
    let program = book(&given(outputs), body);
    assert_eq!(
        output(&program, json!({"item": {"flag": true}, "today": "2026-07-01"}), "fee")[0]["state"],
        "undecided"
    );
}
