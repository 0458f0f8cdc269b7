//! What a plugin has no answer for is found under the plugin's address, also where nothing was decided.
use crate::common::{eventually, starter};
use crate::each;
use crate::guest::says;
use crate::shop::{Shop, files, manifest, pack, settings};
use serde_json::{Value, json};
use std::path::Path;

const ARGUMENT: &str = "arguments = [\"n: whole\"]\n";

/// A decision that is refused where `acme.a` has no answer, and for large numbers asks the desk for what `acme.gone` has
/// none for.
fn with_ranks(policies: &Path) {
    let file = policies.join("shop.vocab");
    let vocab = std::fs::read_to_string(&file).unwrap()
        + "fact n: integer zh \"数\" en \"number\"\n\
           fact score(n: integer): integer in [0..10] from plugin acme.a.score on failure deny zh \"评分\" en \"score\"\n\
           fact rank(n: integer): integer from plugin acme.gone.rank on failure refer zh \"名次\" en \"rank\"\n\n\
           decision rate zh \"评价\" en \"rating\" given n, today {\n\
           \x20 mark: one integer else 0 zh \"分\" en \"mark\"\n}\n";
    std::fs::write(&file, vocab).unwrap();
    let policy = "policy shop.rates decides rate\n  title zh \"评价\" en \"Rating\"\n  layer chain shop\n  \
        governed by today\n\nrule low §1\n  when n < 100\n  then mark = score(n)\n  say zh \"按评分\" en \"By the score.\"\n\n\
        rule high §2\n  when n >= 100\n  then mark = rank(n)\n  say zh \"按名次\" en \"By the rank.\"\n";
    std::fs::write(policies.join("rates.policy"), policy).unwrap();
}

fn rate(shop: &Shop, n: i64) -> (u16, Value) {
    let body = json!({ "store": "s001", "facts": { "today": "2026-11-22", "n": n } });
    let (status, text) = shop.server.post("/v1/decisions/rate", &body.to_string());
    (status, serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}")))
}

fn page(shop: &Shop, plugin: &str, more: &str) -> (Vec<Value>, Value) {
    let mut page = shop.get(&format!("/v1/plugins/{plugin}/failures{more}"));
    let items = page["items"].as_array().unwrap().clone();
    (items, page["next"].take())
}

/// All failures of a plugin by code: the calls, and the last item.
fn by_code(shop: &Shop, plugin: &str, code: &str) -> (i64, Option<Value>) {
    let (items, _) = page(shop, plugin, "");
    let items: Vec<Value> = items.into_iter().filter(|item| item["code"] == code).collect();
    (items.iter().map(|item| item["calls"].as_i64().unwrap()).sum(), items.into_iter().next())
}

#[test]
fn what_was_not_decided_for_want_of_an_answer_is_kept() {
    each(|args| {
        let (_dir, policies) = starter();
        settings(&policies, "plugin_development = true");
        with_ranks(&policies);
        let shop = Shop::open(&policies, args);
        let (status, said) = rate(&shop, 7);
        assert_eq!((status, &said["code"]), (422, &json!("plugin-denied")), "{said}");
        shop.take(&pack(files(&manifest("a", "1.0.0", ARGUMENT), &says(50)), None));
        shop.roll_out("acme.a", "1.0.0", "all").ok(200);
        let mut last = Value::Null;
        for n in 0..25 {
            let (status, said) = rate(&shop, n);
            assert_eq!((status, &said["code"]), (422, &json!("plugin-denied")), "{said}");
            last = said["plugin"]["key"].clone();
        }
        let (status, said) = rate(&shop, 200);
        assert_eq!((status, &said["status"]), (200, &json!("needs")), "{said}");
        let item =
            eventually("25 wrong answers are kept", || match by_code(&shop, "acme.a", "wrong-answer") {
                (25, item) => item,
                _ => None,
            });
        assert_eq!(
            (&item["version"], &item["function"], &item["store"]),
            (&json!("1.0.0"), &json!("score"), &json!("s001"))
        );
        assert_eq!(
            (item["digest"].as_str().unwrap().len(), &item["operation"]),
            (64, &Value::Null),
            "{item}"
        );
        assert_eq!(item["key"], last, "the call that is named is the last");
        assert!(item["text"].as_str().unwrap().contains("its answer does not fit"), "{item}");
        assert!(item["first_at"].as_str().unwrap() <= item["last_at"].as_str().unwrap(), "{item}");
        let (calls, item) = by_code(&shop, "acme.a", "not-installed");
        assert_eq!((calls, &item.unwrap()["version"]), (1, &Value::Null), "before there was a version");
        let (calls, item) = by_code(&shop, "acme.gone", "not-installed");
        assert_eq!((calls, &item.unwrap()["function"]), (1, &json!("rank")), "it was never there");
        // Item by item it is the same list.
        let (all, next) = page(&shop, "acme.a", "");
        assert!(all.len() <= 4 && next.is_null(), "a burst is few rows: {all:#?}");
        let (mut walked, mut at) = (Vec::new(), String::new());
        loop {
            let (items, next) = page(&shop, "acme.a", &format!("?limit=1{at}"));
            walked.extend(items);
            let Some(next) = next.as_str() else { break };
            at = format!("&cursor={next}");
        }
        assert_eq!(walked, all);
        assert_eq!(shop.get("/v1/plugins/metrics")["failures_skipped"], 0);
    });
}

#[test]
fn a_server_that_stops_keeps_what_failed_before() {
    let (_dir, policies) = starter();
    settings(&policies, "plugin_development = true");
    with_ranks(&policies);
    let shop = Shop::open(&policies, &[]);
    shop.take(&pack(files(&manifest("a", "1.0.0", ARGUMENT), &says(5)), None));
    shop.roll_out("acme.a", "1.0.0", "all").ok(200);
    assert_eq!(rate(&shop, 7).1["outcome"]["mark"], 5);
    assert_eq!(rate(&shop, 200).1["status"], "needs");
    assert_eq!(shop.server.terminate(), 0);
    let shop = Shop::open(&policies, &[]);
    assert_eq!(by_code(&shop, "acme.gone", "not-installed").0, 1);
    assert_eq!(page(&shop, "acme.a", "").0, Vec::<Value>::new(), "what answered is no failure");
}
