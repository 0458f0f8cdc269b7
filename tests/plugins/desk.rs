//! At the desk, without a server: rounds, failures of every kind, what holds then, what a plugin sees.
use crate::doubles::{Counting, Scripted};
use crate::shop::books;
use serde_json::{Value as Json, json};
use std::sync::atomic::Ordering;
use zhanggui::counter::Desk;
use zhanggui::counter::desk::Ruling;
use zhanggui::counter::plugged::{Asking, MAX_ROUNDS, Nobody};
use zhanggui::plugins::ask::Answers;
use zhanggui::plugins::contract::{Answer, Failure, Field, Money, Quantity, Quotation, Reason, Table, Value};
use zhanggui::records::{Refusal, Stop};

fn facts(ground: &str) -> Json {
    json!({
        "applicant": { "ground": ground, "name": "陈", "day_spend": "12.50", "persons": 2, "address": "secret" },
        "trips": [{ "to": "A", "cost": "3.00", "tags": ["x", "y"] }, { "to": "B", "cost": "0.01", "tags": [] }],
        "today": "2026-07-01",
    })
}

/// Decides as whoever runs an operation does: stops, asks, runs again.
fn rule(answers: &dyn Answers, ground: &str, said: &Json) -> Result<Ruling, Refusal> {
    rule_as("op", answers, facts(ground), said)
}

fn rule_as(operation: &str, answers: &dyn Answers, facts: Json, said: &Json) -> Result<Ruling, Refusal> {
    let desk = Desk::at(books(), "s1").unwrap().for_operation(operation);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    loop {
        match desk.decide("enrol", facts.clone(), said) {
            Ok(ruling) => return Ok(ruling),
            Err(Stop::Refused(refusal)) => return Err(refusal),
            Err(Stop::Ask(aside)) => {
                runtime.block_on(Asking::find_out(&aside, answers, 1_782_835_200_123_456));
            }
            Err(Stop::Missing(wants)) => panic!("{wants:?}"),
        }
    }
}

fn whole(n: i64) -> Result<Answer, Failure> {
    Ok(Answer::Value(Value::Whole(n)))
}

#[test]
fn an_answer_decides_and_the_plugin_sees_what_it_may_and_nothing_else() {
    let plugins = Scripted::saying(&[("acme.fraud.score", whole(80))]);
    let ruling = rule(&*plugins, "risk", &Json::Null).unwrap();
    assert_eq!((ruling.text("verdict"), &ruling.outcome["seen"]), (Some("deny"), &json!(80)));
    let asked = plugins.all();
    let [one] = asked.as_slice() else { panic!("{asked:#?}") };
    let call = &one.call;
    let field = |path: &str, value| Field { path: path.into(), value };
    let money = |minor| Value::Money(Money { minor, currency: "CNY".into() });
    let text = |text: &str| Value::Text(text.into());
    assert_eq!(
        (one.plugin.as_str(), call.function.as_str(), call.store.as_str()),
        ("acme.fraud", "score", "s1")
    );
    assert_eq!(call.arguments, [field("name", text("陈"))]);
    assert_eq!(
        call.facts,
        [field("applicant.persons", Value::Whole(2)), field("applicant.day_spend", money(1250))]
    );
    let tags = |rows: Json| field("tags", Value::Other(rows.to_string()));
    let rows = vec![
        vec![
            field("to", text("A")),
            field("cost", money(300)),
            tags(json!([{ "value": { "text": "x" } }, { "value": { "text": "y" } }])),
        ],
        vec![field("to", text("B")), field("cost", money(1)), tags(json!([]))],
    ];
    assert_eq!(call.tables, [Table { path: "trips".into(), rows }]);
    assert_eq!((call.now, call.today.as_str()), (1_782_835_200_123, "2026-07-01"));
    let note = &ruling.plugins()[0];
    assert_eq!((note.fact.as_str(), note.value.as_ref()), ("risk(\"陈\")", Some(&json!(80))));
    assert_eq!((note.version.as_str(), note.fuel, note.key.as_str()), ("1.2.0", 4321, call.key.as_str()));
}

#[test]
fn every_kind_of_value_goes_out_and_comes_back_exactly() {
    let quoted = Quotation {
        price: Money { minor: 1999, currency: "CNY".into() },
        valid_until: None,
        reference: None,
        attributes: Vec::new(),
    };
    let plugins = Scripted::saying(&[("acme.quote.price", Ok(Answer::Quoted(quoted)))]);
    let ruling = rule(&*plugins, "price", &Json::Null).unwrap();
    assert_eq!(ruling.outcome["fee"], json!({ "amount": "19.99", "currency": "CNY" }));
    let values: Vec<Value> = plugins.all()[0].call.arguments.iter().map(|f| f.value.clone()).collect();
    let expected = [
        Value::Date("2026-07-01".into()),
        Value::Money(Money { minor: 1250, currency: "CNY".into() }),
        Value::Quantity(Quantity { amount: "3".into(), unit: "point".into() }),
        Value::Decimal("0.25".into()),
        Value::Truth(true),
        Value::Word("refer".into()),
    ];
    assert_eq!(values, expected);
    // A service that is not offered has no price, where the fact may be absent.
    plugins
        .say("acme.quote.price", Ok(Answer::Declined(Reason { code: "far".into(), text: "too far".into() })));
    assert_eq!(rule(&*plugins, "price", &Json::Null).unwrap().outcome["fee"]["amount"], "0.00");
    plugins.say("acme.season.name", Ok(Answer::Value(Value::Text("wet".into()))));
    assert_eq!(rule(&*plugins, "season", &Json::Null).unwrap().outcome["grade"], "wet");
}

#[test]
fn what_is_asked_in_one_round_is_asked_at_once() {
    let counting = Counting::default();
    let ruling = rule(&counting, "many", &Json::Null).unwrap();
    assert_eq!((&ruling.outcome["seen"], &ruling.outcome["grade"]), (&json!(4), &json!("dry")));
    assert_eq!(counting.most.load(Ordering::SeqCst), 5);
    let plugins = Scripted::saying(&[("acme.fraud.score", whole(2)), ("acme.season.name", whole(1))]);
    let ruling = rule(&*plugins, "many", &Json::Null).unwrap();
    assert_eq!(plugins.rounds().len(), 1);
    // The season is no number: its failure is its own.
    assert_eq!((&ruling.outcome["seen"], &ruling.outcome["grade"]), (&json!(8), &json!("none")));
}

#[test]
fn answers_lead_to_questions_up_to_a_bound() {
    let plugins = Scripted::saying(&[]);
    let ruling = rule(&*plugins, "three", &Json::Null).unwrap();
    assert_eq!(ruling.outcome["seen"], 4);
    assert_eq!(plugins.rounds().len(), 3);
    // Ten would need ten rounds; the ninth is not asked, and what the vocabulary says holds from there on.
    let plugins = Scripted::saying(&[]);
    let ruling = rule(&*plugins, "ten", &Json::Null).unwrap();
    assert_eq!(plugins.rounds().len(), MAX_ROUNDS as usize);
    let failed: Vec<&str> =
        ruling.plugins().iter().filter_map(|n| n.failed.as_ref().map(|f| f.code.as_str())).collect();
    assert_eq!(failed, ["too-many-rounds"; 2]);
    assert_eq!(ruling.outcome["seen"], 0);
}

#[test]
fn each_failure_is_recorded_by_name_and_the_vocabulary_holds() {
    let text = || "why".to_owned();
    let failures = [
        Failure::NotInstalled,
        Failure::InvalidInput(text()),
        Failure::Unavailable(text()),
        Failure::Unsupported(text()),
        Failure::Internal(text()),
        Failure::Unknown(text()),
        Failure::Deadline(50),
        Failure::OutOfFuel(9),
        Failure::OutOfMemory(9),
        Failure::StackOverflow,
        Failure::Trapped(text()),
        Failure::OutputTooLarge(9),
        Failure::WrongAnswer(text()),
        Failure::TooManyRounds(3),
        Failure::NotGranted(text()),
        Failure::Busy,
        Failure::Resting,
    ];
    for failure in failures {
        let plugins = Scripted::saying(&[
            ("acme.fraud.score", Err(failure.clone())),
            ("acme.register.known", Err(failure.clone())),
            ("acme.ban.listed", Err(failure.clone())),
        ]);
        let ruling = rule(&*plugins, "risk", &Json::Null).unwrap();
        assert_eq!(ruling.outcome["seen"], 7, "{failure}");
        let note = &ruling.plugins()[0];
        assert_eq!(note.failed.as_ref().unwrap().code, failure.code());
        let (zh, en) = note.words();
        assert!(zh.contains("没有回答") && !zh.contains("原因不明") || failure.code() == "unknown", "{zh}");
        assert!(en.contains(failure.code()) && en.contains("`on failure` holds: 7"), "{en}");

        let refused = rule(&*plugins, "register", &Json::Null).unwrap_err();
        assert_eq!((refused.code, refused.kept), ("facts-missing", false));
        let more: Json = serde_json::from_str(&refused.more).unwrap();
        assert_eq!(more["needs"][0]["fact"], "known(\"陈\")");
        let ask = more["needs"][0]["ask"]["en"].as_str().unwrap();
        assert!(ask.contains("plugin acme.register has no answer"), "{ask}");

        let denied = rule(&*plugins, "ban", &Json::Null).unwrap_err();
        assert_eq!((denied.status, denied.code, denied.kept), (422, "plugin-denied", false));
        let more: Json = serde_json::from_str(&denied.more).unwrap();
        assert_eq!(more["plugin"]["failed"]["code"], failure.code());
    }
}

#[test]
fn nobody_installed_is_a_failure_like_any_other() {
    let ruling = rule(&Nobody, "risk", &Json::Null).unwrap();
    assert_eq!(ruling.plugins()[0].failed.as_ref().unwrap().code, "not-installed");
    assert_eq!(ruling.outcome["seen"], 7);
}

#[test]
fn answers_that_do_not_fit_are_failures() {
    let said = |value| Ok(Answer::Value(value));
    for wrong in [
        whole(101),
        whole(-1),
        said(Value::Decimal("3".into())),
        said(Value::Absent),
        said(Value::Other("{}".into())),
        Ok(Answer::Allow),
        Ok(Answer::Delivered),
    ] {
        let plugins = Scripted::saying(&[("acme.fraud.score", wrong.clone())]);
        let ruling = rule(&*plugins, "risk", &Json::Null).unwrap();
        let note = &ruling.plugins()[0];
        let failed = note.failed.as_ref().unwrap_or_else(|| panic!("{wrong:?}"));
        assert_eq!((failed.code.as_str(), &ruling.outcome["seen"]), ("wrong-answer", &json!(7)), "{wrong:?}");
        assert_eq!(note.answer.as_ref(), wrong.as_ref().ok());
    }
    for price in [Money { minor: -1, currency: "CNY".into() }, Money { minor: 1, currency: "XXX".into() }] {
        let plugins = Scripted::saying(&[("acme.quote.price", said(Value::Money(price)))]);
        let ruling = rule(&*plugins, "price", &Json::Null).unwrap();
        assert_eq!(ruling.outcome["fee"]["amount"], "1.50");
    }
}

#[test]
fn a_word_of_the_facts_type_is_meant_before_refer() {
    let plugins = Scripted::saying(&[("acme.screen.check", Err(Failure::Busy))]);
    let ruling = rule(&*plugins, "screen", &Json::Null).unwrap();
    assert_eq!(ruling.text("verdict"), Some("refer"));
    plugins.say("acme.screen.check", Ok(Answer::Allow));
    assert_eq!(rule(&*plugins, "screen", &Json::Null).unwrap().text("verdict"), Some("allow"));
    let reasons = vec![Reason { code: "x".into(), text: "y".into() }];
    plugins.say("acme.screen.check", Ok(Answer::Deny(reasons.clone())));
    let ruling = rule(&*plugins, "screen", &Json::Null).unwrap();
    assert_eq!(ruling.plugins()[0].answer, Some(Answer::Deny(reasons)));
    assert_eq!(ruling.plugins()[0].value, Some(json!("deny")));
}

#[test]
fn the_desk_is_believed_only_where_the_plugin_fails_and_the_vocabulary_refers() {
    let plugins = Scripted::saying(&[("acme.register.known", Err(Failure::Busy))]);
    let said = json!({ "known": [{ "name": "李", "value": false }, { "name": "陈", "value": true }] });
    let ruling = rule(&*plugins, "register", &said).unwrap();
    assert_eq!(ruling.text("verdict"), Some("allow"));
    let note = serde_json::to_value(&ruling.plugins()[0]).unwrap();
    assert_eq!((&note["held"], &note["value"]), (&json!("desk"), &json!(true)));
    // A plugin that answers is not overruled, nor is a value that the vocabulary sets.
    plugins.say("acme.register.known", Ok(Answer::Value(Value::Truth(false))));
    assert_eq!(rule(&*plugins, "register", &said).unwrap().text("verdict"), Some("deny"));
    let said = json!({ "risk": [{ "name": "陈", "value": 99 }] });
    assert_eq!(rule(&*plugins, "risk", &said).unwrap().outcome["seen"], 7);
    // What the vocabulary does not take is refused with its place.
    plugins.say("acme.register.known", Err(Failure::Busy));
    let wrong = json!({ "known": [{ "name": "陈", "value": "perhaps" }] });
    assert_eq!(rule(&*plugins, "register", &wrong).unwrap_err().code, "fact-type");
}

#[test]
fn a_call_has_one_key_however_often_it_is_repeated() {
    let key = |operation: &str, facts: Json| {
        let plugins = Scripted::saying(&[("acme.fraud.score", whole(1))]);
        rule_as(operation, &*plugins, facts, &Json::Null).unwrap();
        let call = plugins.all()[0].call.clone();
        assert_eq!(call.key.len(), 64);
        (call.key, call.seed)
    };
    let first = key("op", facts("risk"));
    assert_eq!(first, key("op", facts("risk")));
    // Spelt otherwise, or told of what the plugin does not see: the same question.
    let mut other = facts("risk");
    other["applicant"]["day_spend"] = json!({ "amount": "12.5", "currency": "CNY" });
    other["applicant"]["address"] = json!("elsewhere");
    other["today"] = json!("2026-07-02");
    assert_eq!(first, key("op", other));
    let mut seen = facts("risk");
    seen["applicant"]["persons"] = json!(3);
    assert_ne!(first, key("op", seen));
    assert_ne!(first, key("other", facts("risk")));
}
