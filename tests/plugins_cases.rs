//! Cases, run on the host: what passes, and how a case says what differs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
mod plugins_guest;
use plugins_guest::{MANIFEST, case, component};
use std::sync::Arc;
use zhanggui::plugins::host::{Host, HostSettings, Limits};
use zhanggui::plugins::package::{CaseRun, Files, Package};

fn host() -> Arc<Host> {
    Host::start(HostSettings::default()).unwrap()
}

fn package(cases: &[String]) -> Package {
    let mut files: Files = [
        ("plugin.toml", MANIFEST.as_bytes().to_vec()),
        ("plugin.wasm", component()),
        ("README.md", b"# A score\n".to_vec()),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .into();
    for (i, case) in cases.iter().enumerate() {
        files.insert(format!("cases/c{i}.json"), case.clone().into_bytes());
    }
    Package::make(files).unwrap()
}

fn run(cases: &[String]) -> Vec<CaseRun> {
    package(cases).run_cases(&host(), &Limits::default()).unwrap()
}

fn differences(case: &str) -> String {
    run(&[case.to_owned()])[0].differences.join("\n")
}

const ANSWERED: &str = r#"[{"rate": {"status": 204}}]"#;

#[test]
fn cases_pass_where_the_plugin_does_what_they_say() {
    let away = r#"[{"rate": {"failure": "timed-out"}}]"#;
    let asked = r#"{"whole": 204}"#;
    let with_requests = case("asks", 100, ANSWERED, &format!("{{\"value\": {asked}}}")).replacen(
        "\"expect\"",
        r#""requests": [[{"name": "rate", "method": "GET", "url": "https://api.acme.example/v1/rate"}]], "expect""#,
        1,
    );
    let runs = run(&[
        case("light", 2, "[]", r#"{"value": {"whole": 3}}"#),
        with_requests,
        case("away", 100, away, r#"{"failure": "unavailable"}"#),
        case("a fault", 66, "[]", r#"{"failure": "trapped"}"#),
    ]);
    for run in &runs {
        assert_eq!(run.differences, Vec::<String>::new(), "{}", run.name);
        assert!(run.ran.memory >= 4 * 65536, "{}", run.ran.memory);
    }
    assert!(runs[0].ran.fuel > 0 && runs[0].ran.log[0].message == "weighed", "{:?}", runs[0].ran);
    assert_eq!((runs[0].ran.rounds, runs[1].ran.rounds), (0, 1));
    assert_eq!(runs[1].requests[0][0].url, "https://api.acme.example/v1/rate");
    assert_eq!(runs[0].ran.plugin, "acme.score");
}

#[test]
fn a_loop_ends_at_the_limits_of_the_server() {
    // A ceiling in the case is of no use to a plugin that is stopped: it is over that as well.
    let looping = case("loops", -1, "[]", r#"{"failure": "out-of-fuel"}"#)
        .replace("\"fuel\": 100000", "\"fuel\": 99999999");
    let run = &run(&[looping])[0];
    let code = run.ran.outcome.as_ref().unwrap_err().code();
    assert!(code == "out-of-fuel" || code == "deadline", "{code}");
}

#[test]
fn what_differs_is_said() {
    let answered = r#"{"value": {"whole": 204}}"#;
    for (case, said) in [
        (
            case("wrong", 2, "[]", r#"{"value": {"whole": 4}}"#),
            r#"expected {"value":{"whole":4}}, got {"value":{"whole":3}}"#,
        ),
        (
            case("wrong kind", 2, "[]", r#""allow""#),
            r#"expected "allow", got {"value":{"whole":3}}"#,
        ),
        (
            case("no failure", 2, "[]", r#"{"failure": "unavailable"}"#),
            r#"expected {"failure":"unavailable"}, got {"value":{"whole":3}}"#,
        ),
        (
            case("another failure", 66, "[]", r#"{"failure": "unavailable"}"#),
            r#"expected {"failure":"unavailable"}, got {"failure":"trapped"}"#,
        ),
        (
            case("unrecorded", 100, "[]", r#"{"failure": "unavailable"}"#),
            "round 1: no response is recorded for \"rate\" (GET https://api.acme.example/v1/rate)",
        ),
        (
            case("never asked", 2, ANSWERED, r#"{"value": {"whole": 3}}"#),
            "round 1: nobody asked for the recorded response \"rate\"",
        ),
        (
            case("other requests", 100, ANSWERED, answered).replacen(
                "\"expect\"",
                r#""requests": [[{"name": "rate", "method": "POST", "url": "https://api.acme.example/v1/rate"}]], "expect""#,
                1,
            ),
            "round 1: expected the requests [{\"name\":\"rate\",\"method\":\"POST\"",
        ),
        (
            case("no requests", 100, ANSWERED, answered).replacen("\"expect\"", r#""requests": [], "expect""#, 1),
            "expected 0 rounds of requests, got 1",
        ),
        (
            case("thrifty", 2, "[]", r#"{"value": {"whole": 3}}"#).replace("100000", "10"),
            "expected at most 10 units of fuel, got ",
        ),
    ] {
        let found = differences(&case);
        assert!(found.contains(said), "{said}\n{found}");
        assert!(found.lines().count() == 1, "{found}");
    }
}

#[test]
fn the_same_case_uses_the_same_fuel() {
    let case = case("light", 2, "[]", r#"{"value": {"whole": 3}}"#);
    let fuel: Vec<u64> = (0..3).map(|_| run(std::slice::from_ref(&case))[0].ran.fuel).collect();
    assert!(fuel.iter().all(|f| *f == fuel[0]), "{fuel:?}");
}
