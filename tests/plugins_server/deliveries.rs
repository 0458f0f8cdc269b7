//! Events that leave the house through plugins: at least once, with one key, and given up in the end.
use crate::common::eventually;
use crate::common::till::{applicant, clothes, jiajie, send};
use crate::each;
use crate::guest::tells;
use crate::shop::{Receiver, Shop, asks_http, files, grant, manifest, pack, settings};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

const PATIENCE: &str = "delivery_attempts = 3\ndelivery_pause = 1\ndelivery_lease = 3";

fn post(shop: &Shop, key: &str, path: &str, body: &Value) -> Value {
    send(&shop.server.base, "POST", path, &[("Idempotency-Key", key)], Some(&body.to_string())).ok(201)
}

/// Enrols somebody: the event `member.enrolled`.
fn enrol(shop: &Shop, number: &str) {
    let sale =
        post(shop, &format!("sale-{number}"), "/v1/sales", &clothes(number, None, "1200.00", "1200.00"));
    post(shop, &format!("enrol-{number}"), "/v1/members", &applicant(number, &sale["sale"]));
}

fn open(policies: &Path, args: &[&str]) -> Shop {
    settings(policies, &format!("plugin_development = true\n{PATIENCE}"));
    Shop::open(policies, args)
}

fn install(shop: &Shop, receiver: &Receiver) {
    let ask = format!("events = [\"member.enrolled\"]\n{}", asks_http("sms.example", 80, "[\"POST\"]"));
    shop.take(&pack(files(&manifest("sms", "1.0.0", &ask), &tells(&receiver.url())), None));
    shop.put("/v1/plugins/acme.sms/grants", &grant(receiver.port, &["POST"], &[])).ok(200);
    let body = json!({ "version": "1.0.0", "stage": "all", "partial": true });
    shop.put("/v1/plugins/acme.sms/rollout", &body).ok(200);
}

fn deliveries(shop: &Shop, state: &str) -> Vec<Value> {
    shop.get(&format!("/v1/deliveries?state={state}"))["items"].as_array().unwrap().clone()
}

fn keys(receiver: &Receiver) -> Vec<String> {
    receiver.heard().iter().map(|heard| heard.headers["x-key"].clone()).collect()
}

#[test]
fn a_flaky_receiver_gets_every_event_with_one_key() {
    each(|args| {
        let (_dir, policies) = jiajie();
        let shop = open(&policies, args);
        let receiver = Receiver::start(|n| (Duration::ZERO, if n < 2 { 500 } else { 200 }));
        enrol(&shop, "before");
        install(&shop, &receiver);
        enrol(&shop, "m1");
        let done = eventually("the delivery", || deliveries(&shop, "delivered").pop());
        assert_eq!((&done["attempts"], &done["kind"]), (&json!(3), &json!("member.enrolled")));
        assert_eq!(done["version"], "1.0.0");
        let heard = receiver.heard();
        assert_eq!(keys(&receiver), vec![done["delivery"].as_str().unwrap(); 3], "one key, three attempts");
        let pauses = [heard[1].at - heard[0].at, heard[2].at - heard[1].at];
        assert!(pauses[0] >= Duration::from_secs(1) && pauses[1] >= Duration::from_secs(2), "{pauses:?}");
        // What happened before it was rolled out is not its own; and nothing is told twice by being looked at twice.
        std::thread::sleep(Duration::from_millis(1500));
        assert_eq!(receiver.heard().len(), 3);
        assert_eq!(shop.get("/v1/deliveries")["items"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn what_does_not_get_through_is_given_up_and_can_be_taken_up_again() {
    each(|args| {
        let (_dir, policies) = jiajie();
        let shop = open(&policies, args);
        let receiver = Receiver::start(|n| (Duration::ZERO, if n < 3 { 503 } else { 200 }));
        install(&shop, &receiver);
        enrol(&shop, "m1");
        let dead = eventually("the end of patience", || deliveries(&shop, "dead").pop());
        assert_eq!((&dead["attempts"], &dead["failure"]["code"]), (&json!(3), &json!("retry-later")));
        assert_eq!(receiver.heard().len(), 3);
        let id = dead["delivery"].as_str().unwrap();
        let retry = |id: &str| shop.call("POST", &format!("/v1/deliveries/{id}/retry"), Some(&json!({})));
        assert_eq!(retry("00000000-0000-0000-0000-000000000000").problem().1, "unknown-delivery");
        assert_eq!(retry(id).ok(200)["state"], "pending");
        eventually("the delivery", || deliveries(&shop, "delivered").pop());
        assert_eq!(keys(&receiver).iter().collect::<BTreeSet<_>>().len(), 1);
        assert_eq!(retry(id).problem().1, "delivery-not-dead");
        // What is refused for good is not tried again.
        let refusing = Receiver::start(|_| (Duration::ZERO, 400));
        let ask = format!("events = [\"member.enrolled\"]\n{}", asks_http("sms.example", 80, "[\"POST\"]"));
        shop.take(&pack(files(&manifest("sms", "2.0.0", &ask), &tells(&refusing.url())), None));
        shop.put("/v1/plugins/acme.sms/grants", &grant(refusing.port, &["POST"], &[])).ok(200);
        let body = json!({ "version": "2.0.0", "stage": "all", "partial": true });
        shop.put("/v1/plugins/acme.sms/rollout", &body).ok(200);
        enrol(&shop, "m2");
        let dead = eventually("the refusal", || deliveries(&shop, "dead").pop());
        assert_eq!(dead["failure"], json!({ "code": "rejected", "detail": "no" }));
        assert_eq!((&dead["attempts"], refusing.heard().len()), (&json!(1), 1));
    });
}

#[test]
fn a_node_that_dies_between_sending_and_noting_is_made_good() {
    each(|args| {
        let (_dir, policies) = jiajie();
        let shop = open(&policies, args);
        // The first answer comes so late that the node is dead by then.
        let receiver = Receiver::start(|n| (Duration::from_millis(if n == 0 { 600 } else { 0 }), 200));
        install(&shop, &receiver);
        enrol(&shop, "m1");
        let began = Instant::now();
        while receiver.heard().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(2));
        }
        // Killed, not told to stop.
        drop(shop);
        let shop = open(&policies, args);
        let done = eventually("the delivery", || deliveries(&shop, "delivered").pop());
        let key = done["delivery"].as_str().unwrap();
        assert_eq!((keys(&receiver), &done["attempts"]), (vec![key.to_owned(); 2], &json!(2)));
    });
}

#[test]
fn two_nodes_share_the_work() {
    each(|args| {
        let (_dir, policies) = jiajie();
        let (one, two) = (open(&policies, args), open(&policies, args));
        let receiver = Receiver::start(|_| (Duration::from_millis(5), 200));
        install(&one, &receiver);
        for n in 0..12 {
            enrol(if n % 2 == 0 { &one } else { &two }, &format!("m{n}"));
        }
        eventually("all deliveries", || (deliveries(&one, "delivered").len() == 12).then_some(()));
        std::thread::sleep(Duration::from_secs(1));
        let keys = keys(&receiver);
        assert_eq!(keys.len(), keys.iter().collect::<BTreeSet<_>>().len(), "a lease is one node's");
        assert_eq!(keys.len(), 12);
    });
}
