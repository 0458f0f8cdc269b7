//! Deliveries of several plugins: what one of them does, or that nobody can ask it, costs no other a delivery and no
//! delivery an attempt.
use crate::common::eventually;
use crate::common::till::jiajie;
use crate::each;
use crate::guest::{Guest, faints, tells};
use crate::shop::{Receiver, Shop, asks_http, files, grant, in_the_records, manifest, pack, settings};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn open(policies: &Path, args: &[&str]) -> Shop {
    let patience = "delivery_attempts = 3\ndelivery_pause = 1\ndelivery_lease = 3";
    settings(policies, &format!("plugin_development = true\n{patience}"));
    Shop::open(policies, args)
}

/// So many events of a kind happen now.
fn happen(policies: &Path, args: &[&str], kind: &str, n: u32) {
    let id = if args.is_empty() { "randomblob(16)" } else { "gen_random_uuid()" };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    let sql = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n})
        INSERT INTO events (id, kind, store, data, recorded_at)
        SELECT {id}, '{kind}', 's001', '{{\"member\": \"m\"}}', {now} FROM n"
    );
    in_the_records(policies, args, &sql);
}

fn package(name: &str, version: &str, kind: &str, guest: &Guest, http: bool) -> Vec<u8> {
    let asks = if http { asks_http("sms.example", 80, "[\"POST\"]") } else { String::new() };
    let guest = Guest { wasm: guest.wasm.clone(), case: guest.case.replace("member.enrolled", kind) };
    pack(files(&manifest(name, version, &format!("events = [\"{kind}\"]\n{asks}")), &guest), None)
}

fn roll_out(shop: &Shop, name: &str, version: &str, stage: Value) {
    let mut body = json!({ "version": version, "partial": true });
    body.as_object_mut().unwrap().extend(stage.as_object().unwrap().clone());
    shop.put(&format!("/v1/plugins/acme.{name}/rollout"), &body).ok(200);
}

/// Hands the events of a kind on to a receiver, and waits for it as long as it takes.
fn install(shop: &Shop, name: &str, kind: &str, receiver: &Receiver) {
    shop.take(&package(name, "1.0.0", kind, &tells(&receiver.url()), true));
    let of = |what: &str| format!("/v1/plugins/acme.{name}/{what}");
    shop.put(&of("grants"), &grant(receiver.port, &["POST"], &[])).ok(200);
    shop.put(&of("limits"), &json!({ "limits": { "http": 60_000 } })).ok(200);
    roll_out(shop, name, "1.0.0", json!({ "stage": "all" }));
}

fn deliveries(shop: &Shop, name: &str, state: &str) -> Vec<Value> {
    let all = shop.get(&format!("/v1/deliveries?plugin=acme.{name}&state={state}&limit=200"));
    all["items"].as_array().unwrap().clone()
}

#[test]
fn a_plugin_that_waits_for_its_server_holds_up_no_other() {
    each(|args| {
        let (_dir, policies) = jiajie();
        let shop = open(&policies, args);
        let slow = Receiver::start(|_| (Duration::from_secs(6), 200));
        let quick = Receiver::start(|_| (Duration::ZERO, 200));
        install(&shop, "slow", "member.enrolled", &slow);
        install(&shop, "quick", "sale.recorded", &quick);
        happen(&policies, args, "member.enrolled", 2);
        eventually("the slow server's first request", || (!slow.heard().is_empty()).then_some(()));
        happen(&policies, args, "sale.recorded", 1);
        eventually("the other's delivery", || deliveries(&shop, "quick", "delivered").pop());
        assert!(deliveries(&shop, "slow", "delivered").is_empty(), "it is still at its first");
    });
}

#[test]
fn a_backlog_at_a_plugin_that_rests_keeps_no_event_from_others() {
    each(|args| {
        let (_dir, policies) = jiajie();
        let shop = open(&policies, args);
        shop.take(&package("faint", "1.0.0", "member.enrolled", &faints(), false));
        roll_out(&shop, "faint", "1.0.0", json!({ "stage": "all" }));
        let quick = Receiver::start(|_| (Duration::ZERO, 200));
        install(&shop, "quick", "sale.recorded", &quick);
        happen(&policies, args, "member.enrolled", 4000);
        eventually("the rest", || {
            let shown = shop.get("/v1/plugins/metrics");
            let of = shown["items"].as_array().unwrap().iter().find(|one| one["plugin"] == "acme.faint")?;
            (of["breaker"] == "open").then_some(())
        });
        happen(&policies, args, "sale.recorded", 1);
        eventually("the other's delivery", || deliveries(&shop, "quick", "delivered").pop());
        // Nobody asks it while it rests, and nobody writes down again and again that it does.
        let rests = |one: &Value| one["failure"]["code"] == "resting";
        assert!(!deliveries(&shop, "faint", "pending").iter().any(rests));
    });
}

#[test]
fn what_nobody_can_be_asked_about_waits_and_is_cancelled_with_the_plugin() {
    each(|args| {
        let (_dir, policies) = jiajie();
        let shop = open(&policies, args);
        let receiver = Receiver::start(|n| (Duration::ZERO, if n == 1 { 200 } else { 503 }));
        // The version that serves takes other events; the one in a share takes these.
        install(&shop, "sms", "sale.recorded", &receiver);
        shop.take(&package("sms", "2.0.0", "member.enrolled", &tells(&receiver.url()), true));
        let share = json!({ "stage": "share", "stores": ["s001"] });
        roll_out(&shop, "sms", "2.0.0", share.clone());
        happen(&policies, args, "member.enrolled", 1);
        let first = eventually("the first attempt", || deliveries(&shop, "sms", "pending").pop());
        eventually("its failure", || (receiver.heard().len() == 1).then_some(()));
        shop.roll_back("acme.sms").ok(200);
        // Three attempts would be over by then.
        std::thread::sleep(Duration::from_secs(6));
        // A look of a moment may fall into one of the tries, which counts until it is known that nobody was asked.
        let waiting = eventually("it is not given up", || {
            deliveries(&shop, "sms", "pending").pop().filter(|one| one["attempts"] == 1)
        });
        assert_eq!(waiting["delivery"], first["delivery"]);
        assert_eq!((&waiting["failure"]["code"], receiver.heard().len()), (&json!("not-installed"), 1));
        roll_out(&shop, "sms", "2.0.0", share);
        let done = eventually("the delivery", || deliveries(&shop, "sms", "delivered").pop());
        assert_eq!((&done["attempts"], receiver.heard().len()), (&json!(2), 2));
        happen(&policies, args, "member.enrolled", 1);
        eventually("a failure", || (receiver.heard().len() == 3).then_some(()));
        shop.call("DELETE", "/v1/plugins/acme.sms?who=lin", None).ok(200);
        assert!(deliveries(&shop, "sms", "pending").is_empty());
        let cancelled = deliveries(&shop, "sms", "cancelled").pop().expect("it is listed");
        assert!(cancelled["done_at"].is_string() && cancelled["next_at"].is_null(), "{cancelled}");
        // It can be taken up again, for when the plugin is there again.
        let retry = format!("/v1/deliveries/{}/retry", cancelled["delivery"].as_str().unwrap());
        assert_eq!(shop.call("POST", &retry, Some(&json!({}))).ok(200)["state"], "pending");
    });
}

#[test]
fn a_delivery_is_one_nodes_for_as_long_as_its_call_may_take() {
    each(|args| {
        let (_dir, policies) = jiajie();
        let (one, two) = (open(&policies, args), open(&policies, args));
        // Longer than `delivery_lease`, not longer than the limits allow.
        let receiver = Receiver::start(|_| (Duration::from_secs(6), 200));
        install(&one, "slow", "member.enrolled", &receiver);
        eventually("the other node", || (two.said("acme.slow", "s001") == "unsupported").then_some(()));
        happen(&policies, args, "member.enrolled", 1);
        let done = eventually("the delivery", || deliveries(&one, "slow", "delivered").pop());
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!((&done["attempts"], receiver.heard().len()), (&json!(1), 1));
    });
}

#[test]
fn what_a_plugin_logged_stands_with_its_delivery() {
    each(|args| {
        let (_dir, policies) = jiajie();
        let shop = open(&policies, args);
        shop.take(&package("faint", "1.0.0", "member.enrolled", &faints(), false));
        roll_out(&shop, "faint", "1.0.0", json!({ "stage": "all" }));
        happen(&policies, args, "member.enrolled", 1);
        let dead = eventually("the end of patience", || deliveries(&shop, "faint", "dead").pop());
        assert_eq!(dead["failure"]["code"], "trapped");
        assert_eq!(dead["log"], json!([{ "level": "warn", "message": "dizzy" }]));
    });
}
