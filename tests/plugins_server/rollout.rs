//! Which version is asked where, while the server runs.
use crate::common::{agent, eventually, post, starter};
use crate::each;
use crate::guest::says;
use crate::shop::{KEY, Shop, files, manifest, pack, settings};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn version(n: i64) -> Vec<u8> {
    pack(files(&manifest("a", &format!("{n}.0.0"), ""), &says(n)), None)
}

fn share(shop: &Shop, version: &str, stores: &[&str], percent: u8) {
    let body = json!({ "version": version, "stage": "share", "stores": stores, "percent": percent });
    shop.put("/v1/plugins/acme.a/rollout", &body).ok(200);
}

#[test]
fn shadow_share_all_and_back() {
    each(|args| {
        let (_dir, policies) = starter();
        settings(&policies, "plugin_development = true");
        let shop = Shop::open(&policies, args);
        (1..=3).for_each(|n| shop.take(&version(n)));
        assert_eq!(shop.roll_out("acme.a", "9.0.0", "all").problem().1, "unknown-plugin-version");
        assert_eq!(shop.roll_out("acme.b", "1.0.0", "all").problem().1, "unknown-plugin");
        assert_eq!(shop.roll_out("acme.a", "1.0.0", "share").problem().1, "rollout-refused");
        assert_eq!(shop.roll_back("acme.a").problem().1, "no-previous-version");
        shop.roll_out("acme.a", "1.0.0", "all").ok(200);
        // In shadow it changes no answer, and what it would have said is kept.
        shop.roll_out("acme.a", "2.0.0", "shadow").ok(200);
        for _ in 0..5 {
            assert_eq!(shop.ask("acme.a", "s001"), ("1.0.0".into(), json!(1)));
        }
        let shown = eventually("the shadow", || {
            let shown = shop.get("/v1/plugins/acme.a");
            (shown["differences"].as_array().unwrap().len() == 5).then_some(shown)
        });
        assert_eq!(shown["shadow"]["counts"]["different"], 5);
        assert_eq!(
            shown["differences"][0]["shadow"]["outcome"],
            json!({ "Ok": { "value": { "whole": 2 } } })
        );
        // A store that is not named is not in the share, whatever it calls itself.
        share(&shop, "2.0.0", &["s002"], 0);
        for store in ["s001", "S002", "s002 ", "s0022", ""] {
            assert_eq!(shop.said("acme.a", store), 1, "{store:?}");
        }
        assert_eq!(shop.said("acme.a", "s002"), 2);
        share(&shop, "2.0.0", &[], 30);
        let asked = || (0..40).map(|n| shop.said("acme.a", &format!("s{n}"))).collect::<Vec<Value>>();
        let first = asked();
        let new = first.iter().filter(|n| **n == 2).count();
        assert!((2..=25).contains(&new), "{new}");
        assert_eq!(first, asked(), "a store stays where it is");
        // Back at once, and again without harm.
        let back = |version: &str| {
            let body = json!({ "version": version });
            shop.call("POST", "/v1/plugins/acme.a/rollback", Some(&body))
        };
        back("2.0.0").ok(200);
        assert!(asked().iter().all(|n| *n == 1));
        back("2.0.0").ok(200);
        shop.roll_out("acme.a", "2.0.0", "all").ok(200);
        shop.roll_out("acme.a", "3.0.0", "all").ok(200);
        assert_eq!(shop.said("acme.a", "s001"), 3);
        back("3.0.0").ok(200);
        assert_eq!(shop.said("acme.a", "s001"), 2);
        back("3.0.0").ok(200);
        assert_eq!(shop.said("acme.a", "s001"), 2, "sent again, it does not go back twice");
        assert_eq!(shop.roll_back("acme.a").problem().1, "no-previous-version");
    });
}

#[test]
fn replacing_never_fails_a_request() {
    each(|args| {
        let (_dir, policies) = starter();
        settings(&policies, "plugin_development = true");
        let shop = Shop::open(&policies, args);
        (1..=2).for_each(|n| shop.take(&version(n)));
        shop.roll_out("acme.a", "1.0.0", "all").ok(200);
        let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
        let url = format!("{}/v1/plugins/acme.a/ask", shop.server.base);
        std::thread::scope(|scope| {
            for thread in 0..3 {
                let (url, stop, asked) = (&url, &stop, &asked);
                scope.spawn(move || {
                    let agent = agent();
                    let call = json!({ "key": "k", "function": "score", "store": format!("s{thread}"), "now": 1,
                        "today": "2026-11-22" });
                    while !stop.load(Ordering::Relaxed) {
                        let request = agent.post(url).header("Authorization", format!("Bearer {KEY}"));
                        let mut answer =
                            request.content_type("application/json").send(call.to_string()).unwrap();
                        let text = answer.body_mut().read_to_string().unwrap();
                        let ran: Value = serde_json::from_str(&text).unwrap();
                        let version = ran["version"].as_str().unwrap();
                        let said = ran["outcome"]["Ok"]["value"]["whole"].as_i64();
                        assert_eq!(said.map(|n| format!("{n}.0.0")).as_deref(), Some(version), "{text}");
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            let changes = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                for round in 0..6 {
                    shop.roll_out("acme.a", "2.0.0", "shadow").ok(200);
                    share(&shop, "2.0.0", &["s1"], 10);
                    shop.roll_out("acme.a", "2.0.0", "all").ok(200);
                    shop.put("/v1/plugins/acme.a/limits", &json!({ "limits": { "deadline": 900 + round } }))
                        .ok(200);
                    shop.roll_back("acme.a").ok(200);
                }
            }));
            stop.store(true, Ordering::Relaxed);
            changes.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        });
        assert!(asked.load(Ordering::Relaxed) > 50, "{asked:?}");
    });
}

/// A rulebook with a decision that asks `acme.a`, and says 99 where that fails.
fn with_a_mark(policies: &Path) {
    let file = policies.join("shop.vocab");
    let vocab = std::fs::read_to_string(&file).unwrap()
        + "fact score: integer in [0..100] from plugin acme.a.score on failure 99 zh \"评分\" en \"score\"\n\n\
           decision rate zh \"评价\" en \"rating\" given today {\n\
           \x20 mark: one integer else 0 zh \"分\" en \"mark\"\n}\n";
    std::fs::write(&file, vocab).unwrap();
    let policy = "policy shop.rates decides rate\n  title zh \"评价\" en \"Rating\"\n  layer chain shop\n  \
        governed by today\n\nrule mark §1\n  then mark = score\n  say zh \"按评分\" en \"By the score.\"\n";
    std::fs::write(policies.join("rates.policy"), policy).unwrap();
}

#[test]
fn a_decision_is_made_whatever_happens_to_its_plugin() {
    each(|args| {
        let (_dir, policies) = starter();
        settings(&policies, "plugin_development = true");
        with_a_mark(&policies);
        let shop = Shop::open(&policies, args);
        let body = json!({ "store": "s001", "facts": { "today": "2026-11-22" } }).to_string();
        let url = format!("{}/v1/decisions/rate", shop.server.base);
        let mark = |agent: &ureq::Agent| {
            let (status, text) = post(agent, &url, &body);
            assert_eq!(status, 200, "{text}");
            let said: Value = serde_json::from_str(&text).unwrap();
            said["outcome"]["mark"].as_i64().unwrap_or_else(|| panic!("{text}"))
        };
        assert_eq!(mark(&agent()), 99, "nothing is installed yet");
        // What the policies ask for in another way is not let in.
        let other = manifest("a", "8.0.0", "").replace("\"whole\"", "\"text\"");
        assert_eq!(shop.refusal(&pack(files(&other, &says(1)), None)), "vocabulary-mismatch");
        (1..=2).for_each(|n| shop.take(&version(n)));
        shop.roll_out("acme.a", "1.0.0", "all").ok(200);
        assert_eq!(mark(&agent()), 1);
        let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let agent = agent();
                    while !stop.load(Ordering::Relaxed) {
                        let mark = mark(&agent);
                        assert!([1, 2, 99].contains(&mark), "{mark}");
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            let changes = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                for _ in 0..4 {
                    shop.roll_out("acme.a", "2.0.0", "shadow").ok(200);
                    assert_eq!(mark(&agent()), 1);
                    shop.roll_out("acme.a", "2.0.0", "all").ok(200);
                    assert_eq!(mark(&agent()), 2);
                    shop.roll_back("acme.a").ok(200);
                    assert_eq!(mark(&agent()), 1);
                    shop.call("DELETE", "/v1/plugins/acme.a", None).ok(200);
                    assert_eq!(mark(&agent()), 99);
                    (1..=2).for_each(|n| shop.take(&version(n)));
                    shop.roll_out("acme.a", "1.0.0", "all").ok(200);
                    assert_eq!(mark(&agent()), 1);
                }
            }));
            stop.store(true, Ordering::Relaxed);
            changes.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        });
        assert!(asked.load(Ordering::Relaxed) > 50, "{asked:?}");
    });
}

#[test]
fn two_nodes_are_of_one_mind() {
    each(|args| {
        let (_dir, policies) = starter();
        settings(&policies, "plugin_development = true");
        let (one, two) = (Shop::open(&policies, args), Shop::open(&policies, args));
        one.take(&version(1));
        two.take(&version(2));
        assert_eq!(one.refusal(&pack(files(&manifest("a", "2.0.0", ""), &says(9)), None)), "version-exists");
        one.roll_out("acme.a", "1.0.0", "all").ok(200);
        let both = |what: &str, n: Value| {
            eventually(what, || {
                let said = [one.said("acme.a", "s001"), two.said("acme.a", "s001")];
                said.iter().all(|said| *said == n).then_some(())
            });
        };
        both("the first version", json!(1));
        two.roll_out("acme.a", "2.0.0", "all").ok(200);
        assert_eq!(two.said("acme.a", "s001"), 2, "here before it is answered");
        both("the second version", json!(2));
        one.roll_back("acme.a").ok(200);
        assert_eq!(one.said("acme.a", "s001"), 1);
        both("the first version again", json!(1));
        two.put("/v1/plugins/acme.a/limits", &json!({ "limits": { "fuel": 1, "fuel_per_row": 0 } })).ok(200);
        assert_eq!(two.said("acme.a", "s001"), "out-of-fuel");
        eventually("the limit", || (one.said("acme.a", "s001") == "out-of-fuel").then_some(()));
        one.call("DELETE", "/v1/plugins/acme.a", None).ok(200);
        both("the removal", json!("not-installed"));
    });
}
