//! A year's end as the server does it: asked for over HTTP, members of Jiajie with two receipts' points each, every
//! other with enough for a rebate.
use super::block_on;
use super::common::eventually;
use super::common::till::Till;
use super::members::with_points;
use serde_json::json;
use std::time::Instant;

/// Prints how many members a second are settled.
pub fn over_http(url: &str, members: u64) {
    block_on(with_points(url, members, 2));
    let till = Till::open(&["--database", url]);
    let began = Instant::now();
    let year = json!({ "store": "s001", "actor": "speed", "ledger": "department", "year": 2025 });
    let begun = till.post("/v1/settlements", &year).ok(202);
    let path = format!("/v1/settlements/{}", begun["settlement"].as_str().unwrap());
    let report = eventually("the settlement", || {
        let report = till.get(&path).ok(200);
        (report["status"] == "finished").then_some(report)
    });
    let took = began.elapsed().as_secs_f64();
    assert_eq!((&report["members"], &report["failed"]), (&json!(members), &json!(0)), "{report}");
    println!("\nsettlement on PostgreSQL: {:.0} members a second (goal 10000)", members as f64 / took);
}
