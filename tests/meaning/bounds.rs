//! Facts with bounds: what lies outside is refused where facts are bound, and the analysis looks inside only.
use super::support::program::{Program, program};
use serde_json::{Value, json};

const VOCAB: &str = "vocabulary v
currency CNY step 0.01
currency USD step 0.01
unit point step 1
entity item { km: decimal in [0..500], paid: money in [0 CNY..), top: money? in (0 CNY..100 CNY], n: integer in (0..10) }
fact today: date in [2020-01-01..2030-01-01)
fact held: point in (..40 point]
fact spend(year: integer): money in [0 CNY..) from records
decision d given item, today, held { out: one integer else 0 }
";

fn book() -> Program {
    let policy = "policy c.main decides d\n  layer chain jia\n  governed by today\nrule r when item.km > 5 then out = 1";
    program(VOCAB, policy, chrono_tz::UTC).unwrap_or_else(|e| panic!("{e}"))
}

fn refused(program: &Program, facts: &Value) -> Option<String> {
    let error = program.try_bind(&facts.to_string()).err()?;
    Some(format!("{} {error}", error.problem.code()))
}

#[test]
fn what_lies_outside_is_refused_with_its_bounds() {
    let program = book();
    let told = |facts: Value| refused(&program, &facts);
    assert_eq!(
        told(json!({"item": {"km": "500.0001"}})).as_deref(),
        Some("out-of-bounds facts.item.km: expected a decimal in [0..500], found the text \"500.0001\"")
    );
    assert_eq!(
        told(json!({"item": {"n": 10}})).as_deref(),
        Some("out-of-bounds facts.item.n: expected an integer in (0..10), found the JSON number 10")
    );
    for outside in [
        json!({"item": {"km": "-0.00000001"}}),
        json!({"item": {"km": "500.00000001"}}),
        json!({"item": {"paid": "-0.01"}}),
        json!({"item": {"paid": {"amount": "-1.00", "currency": "USD"}}}),
        json!({"item": {"top": "0.00"}}),
        json!({"item": {"top": "100.01"}}),
        json!({"item": {"top": {"amount": "50.00", "currency": "USD"}}}),
        json!({"item": {"n": 0}}),
        json!({"today": "2019-12-31"}),
        json!({"today": "2030-01-01"}),
        json!({"held": 41}),
        json!({"spend": [{"year": 2026, "value": "-0.01"}]}),
    ] {
        let told = told(outside.clone()).unwrap_or_else(|| panic!("{outside} is let in"));
        assert!(told.starts_with("out-of-bounds"), "{told}");
    }
    for inside in [
        json!({"item": {"km": "0", "paid": "0.00", "top": null, "n": 1}, "today": "2020-01-01", "held": -3}),
        json!({"item": {"km": "500", "paid": {"amount": "7.00", "currency": "USD"}, "top": "100.00", "n": 9}}),
        json!({"item": {"km": "499.99999999"}, "today": "2029-12-31", "held": 40, "spend": [{"year": 2026, "value": "0.00"}]}),
        json!({}),
    ] {
        assert_eq!(told(inside), None);
    }
}
